r"""What only a claim about a derivative writes: what it is about on its left side, and customs of such formulas.

Contract: `refuse_another` raises where the left side names another variable, order or function than the one in
question; `spelled` gives the tree with what is customary spelled out: `J^{ij}` and `W_{2,k}` are entries, and
`\mathbf{1}[\cdot > 0]` is of the argument of the one max(0, ·) of the function.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from symgrad.errors import InputError
from symgrad.notation.literals import literal
from symgrad.notation.names import subscripted
from symgrad.notation.syntax import Tree, fold
from symgrad.shapes import Axis

#: The name that stands for what is left out.
PLACEHOLDER = "·"


@dataclass(frozen=True, slots=True)
class About:
    """The derivative in question: of the function of these `names` by each of `by` in turn; `known` are other names."""

    names: Collection[str]
    by: tuple[str, ...]
    known: Collection[str]


def derivative_of(formula: Tree) -> Tree | None:
    """The derivative on the left side of a formula."""
    left = formula.args[0] if formula.head == "equation" else None
    return left if left is not None and left.head == "derivative" else None


def refuse_another(formula: Tree, about: About, source: str) -> None:
    """An error where the left side is about another derivative than the one in question."""
    left = derivative_of(formula)
    if left is None:
        return
    of, order, variables = flattened(left)
    asked = " and ".join(dict.fromkeys(about.by))
    base = of.args[0] if of.head == "index" else of
    name, wrong = _stem(base) if base.head in {"name", "call"} else "", ""
    if name in about.known and name not in about.names:
        wrong = f"of {name}"
    elif order != len(about.by):
        wrong = f"of order {order}"
    else:
        named = variables * order if len(variables) == 1 else variables
        pairs = zip(named, about.by, strict=False)
        other = next((v for v, wanted in pairs if not _is_part(v, wanted, about.known)), None)
        wrong = f"by {_stem(other)}" if other is not None else ""
    if wrong:
        raise InputError(
            f"this claim is about a derivative {wrong}, and the one of order {len(about.by)} by {asked} is asked for",
            source=source, offset=left.start, end=left.end, code="ANOTHER", hint="say with wrt and order which it is",
        )  # fmt: skip


def flattened(left: Tree) -> tuple[Tree, int, list[Tree]]:
    r"""What is differentiated, how often, and by what: `\nabla_{w_k}\nabla_{w_j} E` is E by w_k and w_j."""
    of, order = left, 0
    variables: list[Tree] = []
    while of.head == "derivative":
        order += of.value if isinstance(of.value, int) else 1
        variables += of.args[1:]
        of = of.args[0]
    return of, order, variables


def differentiated(tree: Tree) -> Tree | None:
    """The expression that a claim differentiates on its left side, where that is more than a name."""
    formulas = tree.args if tree.head == "block" else (tree,)
    left = next((side for side in map(derivative_of, formulas) if side is not None), None)
    of = None if left is None else flattened(left)[0]
    while of is not None and of.head == "index":
        of = of.args[0]
    return None if of is None or of.head in {"name", "call"} else of


def letters_of(tree: Tree) -> list[str]:
    """The indices below a name; a slice is an empty one."""
    return [str(lower.value) if lower.head == "name" else "" for lower in _below(tree)]


def _below(tree: Tree) -> tuple[Tree, ...]:
    return tree.args[1:] if tree.head == "index" else ()


def places(formula: Tree, axes: Sequence[Sequence[Axis]], source: str) -> list[tuple[str, Axis]] | None:
    """The index that the left side gives to every axis of a derivative, empty where it gives none.

    `axes` are those of the function and of each variable.  None where the left side is of another kind.
    """
    left = derivative_of(formula)
    if left is None:
        return None
    of, order, variables = flattened(left)
    parts = [of, *(variables * order if len(variables) == 1 and order > 1 else variables)]
    if len(parts) != len(axes):
        return None
    found: list[tuple[str, Axis]] = []
    for part, shape in zip(parts, axes, strict=True):
        letters = letters_of(part)
        if len(letters) > len(shape) or any(lower.head not in {"name", "slice"} for lower in _below(part)):
            return None
        found += zip([*letters, *[""] * (len(shape) - len(letters))], shape, strict=True)
    named = [letter for letter, _ in found if letter]
    if len(set(named)) < len(named):
        raise InputError(
            "the left side has an index twice: this says nothing of the other entries", source=source,
            offset=left.start, end=left.end, code="AMBIGUOUS", hint="give every axis an index of its own",
        )  # fmt: skip
    return found


def written_order(tree: Tree, name: str, letters: Collection[str]) -> tuple[str, ...]:
    """The order of these indices below the entries of a name, if all that have them have the same."""
    entries = (part for part in tree.walk() if part.head == "index" and part.args[0].head == "name")
    names = {name, name[:1].lower() + name[1:]}
    orders = {tuple(letters_of(part)) for part in entries if part.args[0].value in names}
    found = {order for order in orders if set(order) == set(letters)}
    return next(iter(found)) if len(found) == 1 else ()


def _stem(tree: Tree) -> str:
    """The name that a tree is, or that its indices and arguments belong to."""
    while tree.head in {"index", "transpose", "pow"}:
        tree = tree.args[0]
    return str(tree.value) if tree.head in {"name", "call"} else ""


def _is_part(tree: Tree, wanted: str, known: Collection[str]) -> bool:
    """Whether a tree is the variable `wanted`, an entry, a row or the transpose of it."""
    name = _stem(tree)
    if tree.head == "index" and len(tree.args) == 2 and tree.args[1].head == "num":
        whole = subscripted(name, str(tree.args[1].value))
        if whole == wanted or whole in known:
            return whole == wanted
    row = tree.head == "index" and name not in known and name[:1].upper() + name[1:] == wanted
    return name == wanted or row


# --- customs ----------------------------------------------------------------------------------------------------------


def spelled(tree: Tree, function: Tree | None, known: Collection[str], source: str) -> Tree:
    """A claim with what is customary in it spelled out; `function` is the tree that it is about."""
    tree = _decomposed(tree, known)
    if not any(_is_custom(part, known) for part in tree.walk()):
        return tree

    def combine(node: Tree, args: list[Tree]) -> Tree:
        node = Tree(node.head, tuple(args), node.value, node.start, node.end)
        if _is_of_numbered(node, known):
            base, number, *rest = node.args
            whole = Tree("name", (), subscripted(str(base.value), str(number.value)), base.start, number.end)
            return Tree("index", (whole, *rest), None, node.start, node.end)
        if _is_single_entry(node, known):
            return Tree("index", (node.args[0], *node.args[1].args), None, node.start, node.end)
        if node.head == "name" and node.value == PLACEHOLDER:
            return _argument(function, node, source)
        return node

    return fold(tree, combine)


def _decomposed(tree: Tree, known: Collection[str]) -> Tree:
    r"""A claim in which `U V^T` is the polar factor of X, where it says that `X = U \Sigma V^T`."""
    formulas = tree.args if tree.head == "block" else ()
    for formula in formulas:
        factors = _svd(formula, known)
        if factors is None:
            continue
        left, right = factors
        polar = Tree("call", (formula.args[0],), "polar", formula.start, formula.end)
        rest = tuple(_with_polar(other, left, right, polar) for other in formulas if other is not formula)
        return rest[0] if len(rest) == 1 else Tree("block", rest, tree.value, tree.start, tree.end)
    return tree


def _svd(formula: Tree, known: Collection[str]) -> tuple[Tree, Tree] | None:
    r"""U and V of `X = U \Sigma V^T`, where X is known and the three others are not."""
    if formula.head != "equation" or formula.args[0].value not in known or len(formula.args) != 2:
        return None
    product = formula.args[1]
    if product.head != "mul" or len(product.args) != 3 or product.args[2].head != "transpose":
        return None
    names = (*product.args[:2], product.args[2].args[0])
    new = all(name.head == "name" and name.value not in known for name in names)
    return (names[0], names[2]) if new and len({str(name.value) for name in names}) == 3 else None


def _with_polar(tree: Tree, left: Tree, right: Tree, polar: Tree) -> Tree:
    """A formula with the polar factor for U V^T, and its transpose for V U^T."""
    turned = Tree("transpose", (polar,), None, polar.start, polar.end)
    pairs = [((left, Tree("transpose", (right,))), polar), ((right, Tree("transpose", (left,))), turned)]

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "mul" and node.value == "":
            for pair, value in pairs:
                at = next((k for k in range(len(args) - 1) if tuple(args[k : k + 2]) == pair), None)
                args = args if at is None else [*args[:at], value, *args[at + 2 :]]
            if len(args) == 1:
                return args[0]
        return Tree(node.head, tuple(args), node.value, node.start, node.end)

    return fold(tree, combine)


def refuse_placeholder(tree: Tree, source: str) -> None:
    """A function leaves out nothing."""
    place = next((part for part in tree.walk() if part.value == PLACEHOLDER), None)
    if place is not None:
        _argument(None, place, source)


def _is_custom(part: Tree, known: Collection[str]) -> bool:
    return part.value == PLACEHOLDER or _is_single_entry(part, known) or _is_of_numbered(part, known)


def _is_of_numbered(tree: Tree, known: Collection[str]) -> bool:
    """Whether this is `W_{2,k}`, where there is a W_2 and no W."""
    if tree.head != "index" or len(tree.args) < 3 or tree.args[0].head != "name" or tree.args[1].head != "num":
        return False
    name = str(tree.args[0].value)
    return name not in known and subscripted(name, str(tree.args[1].value)) in known


def _is_single_entry(tree: Tree, known: Collection[str]) -> bool:
    r"""Whether this is `J^{ij}`, and J nothing else."""
    if tree.head != "pow" or tree.args[0].head != "name" or tree.args[0].value != "J" or "J" in known:
        return False
    above = tree.args[1]
    return above.head == "mul" and [arg.head for arg in above.args] == ["name", "name"]


def _argument(function: Tree | None, place: Tree, source: str) -> Tree:
    """The argument of the one max(0, ·) of a function."""
    found: list[Tree] = []
    for part in function.walk() if function is not None else ():
        argument = _of_hinge(part)
        if argument is not None and argument not in found:
            found.append(argument)
    if len(found) != 1:
        raise InputError(
            f"the dot stands for the argument of a max(0, ·), and the function has {len(found) or 'none'}",
            source=source, offset=place.start, end=place.end, code="AMBIGUOUS", hint="write out what is compared",
        )  # fmt: skip
    return _unplaced(found[0])


def _of_hinge(part: Tree) -> Tree | None:
    if part.head != "call":
        return None
    if part.value == "relu" and len(part.args) == 1:
        return part.args[0]
    others: Sequence[Tree] = [arg for arg in part.args if literal(arg) != 0]
    return others[0] if part.value == "max" and len(part.args) == 2 and len(others) == 1 else None


def _unplaced(tree: Tree) -> Tree:
    """A copy that quotes no place of another source."""
    return fold(tree, lambda node, args: Tree(node.head, tuple(args), node.value))
