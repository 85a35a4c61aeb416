r"""How documents spell derivatives besides fractions: `f'(x)`, `J''(\theta)`, `f'(3)`, and differentials `df`, `dX`.

Contract: `Spellings.parse` reads one formula of a document.  At a name, `f'(x)` is the tree of the derivative of f(x)
by x; at anything else it is left as the call of `f'`, a value at a place.  `d` before one of the names that change is a
`change` tree; in a document that writes no differential, `d` is a letter like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from symgrad.errors import InputError
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree

MARK = "d"
#: The code of the parser's question how far a derivative reaches.
REACH = "REACH"
#: What counts layers and steps of time; other letters above a name are powers.
LAYERS = frozenset(("l", "L", "ell", "t"))


@dataclass(frozen=True, slots=True)
class Spellings:
    """The functions that a document calls, the names whose differentials it writes, and those with layers above.

    `elsewhere` are functions that are defined of another argument than the one they are applied to, as `g` of
    `g(u) = tanh(u)` or `g = tanh` in `g'(z)`: such a value is no derivative by z.
    """

    functions: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
    layered: frozenset[str] = frozenset()
    elsewhere: frozenset[tuple[str, str]] = frozenset()

    def parse(self, text: str, syntax: str, names: Collection[str] = ()) -> Tree:
        """The tree of one formula; of `d/dx (u) v` the derivative reaches as far as the bracket."""
        try:
            tree = parse_tree(text, syntax=syntax, names=names, functions=self.functions).tree
        except InputError as error:
            if error.code != REACH:
                raise
            text, _ = self.reaching(text, syntax, names)
            tree = parse_tree(text, syntax=syntax, names=names, functions=self.functions).tree
        for inner in tree.walk():
            stem, order = primed(inner)
            if order and stem in self.functions and self.is_own(stem, inner.args):
                (wrt,) = inner.args
                of = Tree("call", (Tree("name", (), wrt.value, wrt.start, wrt.end),), stem, inner.start, inner.end)
                inner.head, inner.args, inner.value = "derivative", (of, wrt), order
            elif inner.head == "pow" and inner.args[0].value in self.layered and _is_letter(inner.args[1]):
                shown = text[inner.start : inner.end]
                raise InputError(
                    f"is {shown} a power, or the {inner.args[0].value} of a layer?", source=text, offset=inner.start,
                    end=inner.end, code="AMBIGUOUS", hint="write the layer in brackets: z^{(l)}",
                )  # fmt: skip
            elif self.changing:
                self.mark_changes(inner)
        return tree

    def reaching(self, text: str, syntax: str, names: Collection[str] = ()) -> tuple[str, list[int]]:
        """`d/dx (u) v` as `d/dx [u] v`, and where the brackets stand that were exchanged."""
        places: list[int] = []
        while True:
            try:
                parse_tree(text, syntax=syntax, names=names, functions=self.functions)
            except InputError as error:
                place = text.find("(", error.offset)
                if error.code != REACH or place < 0 or place in places:
                    raise
                places.append(place)
                close = closing(text, place)
                text = f"{text[:place]}[{text[place + 1 : close]}]{text[close + 1 :]}"
            else:
                return text, places

    def is_own(self, stem: str, args: Sequence[Tree]) -> bool:
        """Whether f' is applied to the name that f is a function of."""
        return [arg.head for arg in args] == ["name"] and not any(
            name == stem and own != args[0].value for name, own in self.elsewhere
        )

    def mark_changes(self, tree: Tree) -> None:
        """`d X` among the factors, `d(X)`, or the word `dX`, as the change of X."""
        if tree.head == "call" and tree.value == MARK and len(tree.args) == 1:
            tree.head, tree.value = "change", None
        if tree.head == "name" and str(tree.value)[0] == MARK and str(tree.value)[1:] in self.changing:
            operand = Tree("name", (), str(tree.value)[1:], tree.start + 1, tree.end)
            tree.head, tree.args, tree.value = "change", (operand,), None
        if tree.head != "mul" or tree.value != "":
            return
        factors: list[Tree] = []
        for factor in tree.args:
            marked = factors and factors[-1].head == "name" and factors[-1].value == MARK
            if marked and any(t.value in self.changing for t in factor.walk() if t.head in {"name", "call"}):
                factor = _change(factors.pop(), factor)
            factors.append(factor)
        if len(factors) == 1:
            tree.head, tree.args, tree.value = factors[0].head, factors[0].args, factors[0].value
        else:
            tree.args = tuple(factors)


def closing(text: str, opening: int) -> int:
    """Where the bracket closes that opens at a place."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth == 0:
            return place
    return len(text)


def beyond(text: str, places: Sequence[int]) -> str:
    """The text in which the derivatives before these brackets reach to the end of their products."""
    for place in sorted(places, reverse=True):
        end = depth = 0
        for end in range(closing(text, place) + 1, len(text)):
            depth += (text[end] in "([{") - (text[end] in ")]}")
            if depth < 0 or (depth == 0 and text[end] in "+-"):
                break
        else:
            end = len(text)
        start = place - len("\\left") if text[:place].endswith("\\left") else place
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


def _change(mark: Tree, factor: Tree) -> Tree:
    r"""The differential of a factor; of `dX^T` and `dx_i` the script belongs to the differential."""
    if factor.head in {"transpose", "index"}:
        inner, *rest = factor.args
        return Tree(factor.head, (_change(mark, inner), *rest), factor.value, mark.start, factor.end)
    return Tree("change", (factor,), None, mark.start, factor.end)


def layered(trees: Iterable[Tree]) -> frozenset[str]:
    """The names that an equation defines with a letter above them: the z of `z^l = W^l a^{l-1}`."""
    sides = [tree.args[0] for tree in trees if tree.head == "equation"]
    plain = {str(side.value) for side in sides if side.head == "name"}
    powers = [side for side in sides if side.head == "pow" and side.args[0].head == "name" and _is_letter(side.args[1])]
    return frozenset(str(side.args[0].value) for side in powers) - plain


def _is_letter(exponent: Tree) -> bool:
    return any(part.head == "name" and part.value in LAYERS for part in exponent.walk())


def primed(tree: Tree) -> tuple[str, int]:
    """The function that a call with primes is a derivative of, and the order: 0 without a prime."""
    name = str(tree.value) if tree.head == "call" else ""
    stem = name.rstrip("'")
    return stem, len(name) - len(stem)


def differentials(trees: Iterable[Tree]) -> frozenset[str]:
    """The names whose differentials these formulas write, if one of them has a differential as its left side."""
    trees = list(trees)
    known = {str(t.value) for tree in trees for t in tree.walk() if t.head in {"name", "call"}}
    sides = [tree.args[0] for tree in trees if tree.head == "equation"]
    if any(side.head == "name" and side.value == MARK for side in sides) or not any(
        True for side in sides for _ in _led(side, known)
    ):
        return frozenset()
    return frozenset(name for tree in trees for part in tree.walk() for name in _led(part, known))


def _led(tree: Tree, known: Collection[str]) -> Iterator[str]:
    """The names behind a `d`: in its brackets, in the next factor, or in the rest of the word."""
    name = str(tree.value)
    if tree.head == "name" and name[0] == MARK and name[1:] in known:
        yield name[1:]
    behind = list(tree.args) if tree.head == "call" and name == MARK else []
    if tree.head == "mul" and tree.value == "":
        pairs = zip(tree.args, tree.args[1:], strict=False)
        behind = [factor for mark, factor in pairs if mark.head == "name" and mark.value == MARK]
    for part in behind:
        yield from (str(t.value) for t in part.walk() if t.head in {"name", "call"} and t.value in known)
