"""What the names of a source are: definitions, functions, indices, labels, sizes, entries.

Contract: `survey(parsed, ...)` walks the trees once and fills a `Survey`: which formula is the function, which ones
define a name (in the order in which they can be read), and what every other name is used as.  It decides nothing about
shapes; `ranks` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.errors import InputError, NameProblem
from symgrad.notation.claims import flattened, letters_of
from symgrad.notation.functions import BUILTIN
from symgrad.notation.literals import RANGES, exact, indices, is_whole, kind
from symgrad.notation.names import subscripted
from symgrad.notation.recursions import unrolled
from symgrad.notation.shifts import looked_back
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import NEXT, SOFT

#: A letter that is read as a label when it stands alone below a score, as in s_y.
LABEL_LETTERS = frozenset({"y"})


#: Names whose small letter is no index where nothing runs over it: the sizes of keys, values and heads.
CUSTOMARY = frozenset({"d_k", "d_v", "d_h"})


@dataclass(slots=True)
class Definition:
    """`name_indices = body`; a function of parameters where `parameters` is not None."""

    name: str
    body: Tree
    whole: Tree
    indices: tuple[str, ...] = ()
    parameters: tuple[str, ...] | None = None
    others: tuple[Tree, ...] = ()


@dataclass(slots=True)
class Uses:
    """How names occur in a set of trees."""

    plain: dict[str, Tree] = field(default_factory=dict)  # as a value
    called: dict[str, Tree] = field(default_factory=dict)
    indexed: dict[str, int] = field(default_factory=dict)  # by letters: how many indices
    carriers: dict[str, set[str]] = field(default_factory=dict)  # index letter: names that carry it
    subscripts: dict[str, Tree] = field(default_factory=dict)  # names below others
    labelled: set[str] = field(default_factory=set)  # names below others that have indices themselves
    numbered: dict[str, list[Tree]] = field(default_factory=dict)  # with one number below: the index trees
    declared: Collection[str] = ()
    indices: Collection[str] = ()  # letters that sums bind anywhere
    bound: set[str] = field(default_factory=set)
    tops: dict[str, Tree] = field(default_factory=dict)  # upper ends of sums
    zeros: set[str] = field(default_factory=set)  # labels with an entry 0: y of s_{y_0}
    marked: set[str] = field(default_factory=set)  # labels by use: onehot(y), 1[k = y]
    calculates: bool = False  # whether indices are calculated: x_{i+1}, x[1:], sums over a part of an axis

    def scan(self, root: Tree) -> None:
        """Add everything below `root`; iterative, parents first."""
        stack = [root]
        pop, push = stack.pop, stack.extend
        while stack:
            tree = pop()
            head = tree.head
            if head == "name":
                self.plain.setdefault(str(tree.value), tree)
            elif head == "num":
                pass
            elif head == "index":
                push(self._index(tree))
            elif head == "transpose" and is_numbered(tree.args[0]):
                if not self._may_be_row(str(tree.args[0].args[0].value)):
                    become_name(tree.args[0])
                push(tree.args)
            elif head == "call":
                self.called.setdefault(str(tree.value), tree)
                if tree.value == "onehot" and tree.args[0].head == "name":
                    self.marked.add(str(tree.args[0].value))
                push(arg for arg in reversed(tree.args) if arg.head != "keyword")
            elif head == "big":
                push(self._big(tree))
            elif head == "assemble":
                self.bound.update(indices(tree))
                self._ends(tree.args[1:])
                self.calculates |= len(tree.args) > 1
                push(tree.args[:1])
            elif head == "compare":
                self._compare(tree)
                push(arg for arg in reversed(tree.args) if not self._compared_index(arg))
            elif head in {"mul", "array"}:
                self._average(tree)
                self.calculates |= head == "array" and any(arg.head != "num" for arg in tree.args)
                push(reversed(tree.args))
            elif tree.args:
                push(reversed(tree.args))

    def _may_be_row(self, name: str) -> bool:
        """u_1 where U is declared, and not u: a row of U, perhaps."""
        return name not in self.declared and name[:1].upper() + name[1:] in self.declared and name[:1].islower()

    def is_name(self, stem: str, letter: str) -> bool:
        """Whether a letter below a name belongs to the name: S_W, or a name that is declared with it."""
        whole = subscripted(stem, letter)
        if stem == "I" and letter in self.declared:
            return whole in self.declared  # the identity I_D of a dimension D
        return whole in self.declared or ((letter[:1].isupper() or whole in CUSTOMARY) and letter not in self.indices)

    def _compare(self, tree: Tree) -> None:
        """1[k = y] with an index k makes y a label."""
        left, right = tree.args
        self.calculates |= tree.value in {"<", "<=", ">", ">="} and {left.value, right.value} <= set(self.indices)
        if tree.value in {"=", "!="} and left.head == right.head == "name":
            sides = [str(left.value), str(right.value)]
            if sides[0] in self.indices and sides[1] not in self.indices:
                self.marked.add(sides[1])
            elif sides[1] in self.indices and sides[0] not in self.indices:
                self.marked.add(sides[0])

    def _compared_index(self, tree: Tree) -> bool:
        """Whether a side of a comparison is an index: it is no value, and belongs below names."""
        if tree.head != "name" or tree.value not in self.indices or tree.value in self.declared:
            return False
        self.subscripts.setdefault(str(tree.value), tree)
        return True

    def _average(self, tree: Tree) -> None:
        """In 1/N Σ_i with nothing else known of N, the sum runs from 1 to N."""
        for first, following in zip(tree.args, tree.args[1:], strict=False):
            if first.head != "div" or first.args[1].head != "name" or following.head != "big":
                continue
            name, binder = str(first.args[1].value), following.args[1]
            if name in self.declared or following.value != "sum" or kind(binder) != "all":
                continue
            if len(indices(binder)) == 1 and is_count(name):
                one = Tree("num", (), 1, binder.start, binder.end)
                binder.args = (one, Tree("name", (), name, binder.start, binder.end))
                binder.value = (indices(binder), "range")

    def scan_function(self, function: Definition) -> None:
        """Add the body of a function: its parameters are no names of the source."""
        inner = Uses(declared=self.declared, indices=self.indices)
        inner.scan(function.body)
        for name in function.parameters or ():
            inner.plain.pop(name, None)
            inner.indexed.pop(name, None)
        self.marked |= inner.marked
        self.calculates |= inner.calculates
        self.bound |= inner.bound
        self.labelled |= inner.labelled
        for mine, theirs in ((self.plain, inner.plain), (self.called, inner.called), (self.tops, inner.tops)):
            for name, tree in theirs.items():
                mine.setdefault(name, tree)
        for name, count in inner.indexed.items():
            self.indexed[name] = max(self.indexed.get(name, 0), count)
        for name, tree in inner.subscripts.items():
            if name in self.declared and name not in (function.parameters or ()):
                self.subscripts.setdefault(name, tree)
        for name, trees in inner.numbered.items():
            self.numbered.setdefault(name, []).extend(trees)

    def _index(self, tree: Tree) -> list[Tree]:
        base, *subscripts = tree.args
        rest: list[Tree] = [] if base.head == "name" else [base]
        name = str(base.value) if base.head == "name" else ""
        lettered = bool(name) and len(subscripts) == 1 and subscripts[0].head == "name"
        if lettered and self.is_name(name, str(subscripts[0].value)):
            become_name(tree)
            self.plain.setdefault(str(tree.value), tree)
            return rest
        if len(subscripts) == 1 and self._is_row(name, subscripts[0]):
            subscripts = _as_row(tree, subscripts[0])
        letters = 0
        for subscript in subscripts:
            if self._is_declared(subscript):
                become_name(subscript)  # the label y_w of s_{y_w}
            if subscript.head == "name":
                letter = str(subscript.value)
                self.subscripts.setdefault(letter, subscript)
                self.carriers.setdefault(letter, set()).add(name)
                letters += 1
            elif subscript.head == "index" and subscript.args[0].head == "name":
                self.labelled.add(str(subscript.args[0].value))
                self.scan_label(subscript)
                letters += 1
            elif subscript.head == "num" and len(subscripts) == 1 and name:
                self.numbered.setdefault(name, []).append(tree)
                return rest
            elif subscript.head == "call" and subscript.value == "argmax":
                letters += 1
                rest.append(subscript)
            elif subscript.head == "newaxis" or subscript.head == "slice":
                letters += subscript.head == "slice"
            else:
                letters += 1
                self._calculated(subscript, name)
        if base.head == "name":
            self.indexed[name] = max(self.indexed.get(name, 0), letters)
        return rest

    def _is_declared(self, subscript: Tree) -> bool:
        """Whether a subscript with a subscript is one declared name."""
        if subscript.head != "index" or len(subscript.args) != 2 or any(a.head != "name" for a in subscript.args):
            return False
        return subscripted(str(subscript.args[0].value), str(subscript.args[1].value)) in self.declared

    def _is_row(self, name: str, subscript: Tree) -> bool:
        """Whether `W_{j:}` is the row j of a matrix W: j is no dimension, and W is a capital letter."""
        if subscript.head != "part" or subscript.value != "short" or not name[:1].isupper():
            return False
        return all(part.value not in self.declared for part in subscript.args if part.head == "name")

    def _calculated(self, subscript: Tree, name: str) -> None:
        """x_{i+1}, x[1:], X[range(N), y]: letters below, and sizes in the ends."""
        if subscript.head == "num":
            return
        self.calculates = True
        counts = subscript.head == "part" or (subscript.head == "call" and subscript.value in RANGES)
        for tree in subscript.walk():
            if tree.head != "name":
                continue
            letter = str(tree.value)
            if counts or (letter not in self.indices and _is_stride(subscript, letter)):
                self.tops.setdefault(letter, tree)
            elif letter in self.indices or letter not in self.declared:
                self.subscripts.setdefault(letter, tree)
                self.carriers.setdefault(letter, set()).add(name)

    def scan_label(self, tree: Tree) -> None:
        """y_i below a score: y is a label, i an index that it carries."""
        name = str(tree.args[0].value)
        self.subscripts.setdefault(name, tree)
        for inner in tree.args[1:]:
            if inner.head == "name":
                self.carriers.setdefault(str(inner.value), set()).add(name)
                self.subscripts.setdefault(str(inner.value), inner)
            elif inner.head == "num" and inner.value == 0:
                self.zeros.add(name)
        self.indexed[name] = max(self.indexed.get(name, 0), len(tree.args) - 1)

    def _ends_at(self, compare: Tree) -> bool:
        """j <= n with an index j: n is the dimension that j runs over."""
        left, right = compare.args
        ordered = compare.value in {"<", "<=", ">", ">="}
        self.calculates |= ordered and left.head == right.head == "name"
        if compare.value != "<=" or right.head != "name" or right.value in self.indices:
            return False
        if left.head != "name" or left.value not in self.indices:
            return False
        self.tops.setdefault(str(right.value), right)
        return True

    def _ends(self, ends: Iterable[Tree]) -> None:
        """The names in the ends of ranges are dimensions."""
        for end in ends:
            for top in end.walk():
                if top.head == "name" and top.value not in self.indices:
                    self.tops.setdefault(str(top.value), top)

    def _big(self, tree: Tree) -> list[Tree]:
        body, *binders = tree.args
        rest = [body]
        for binder in binders:
            self.bound.update(indices(binder))
            if kind(binder) == "range":
                self._ends(binder.args)
                letters = {t.value for end in binder.args for t in end.walk() if t.head == "name"}
                self.calculates |= not is_whole(binder) or not letters.isdisjoint(self.indices)
            elif kind(binder) == "where":
                rest.extend(c for c in binder.args if not self._ends_at(c))
        return rest


def _is_stride(subscript: Tree, letter: str) -> bool:
    """Whether a letter stands beside another in a product, as the stride S of x_{i S + j}."""
    products = [[a.value for a in tree.args if a.head == "name"] for tree in subscript.walk() if tree.head == "mul"]
    return any(letter in names and len(names) > 1 for names in products)


def is_count(name: str) -> bool:
    """Whether a letter is commonly the number of examples."""
    return name in {"N", "M", "n", "m"}


def is_numbered(tree: Tree) -> bool:
    """W_1 as the parser leaves it: a name with one number below."""
    return tree.head == "index" and len(tree.args) == 2 and tree.args[0].head == "name" and tree.args[1].head == "num"


def _as_row(tree: Tree, part: Tree) -> list[Tree]:
    """`W_{j:}` as `W_{j,:}`, `W_{:k}` as `W_{:,k}`."""
    below = list(part.args[:2])
    tree.args = (tree.args[0], *below)
    return below


def become_name(tree: Tree) -> None:
    """An index tree such as W_1 turns out to be the name W_1."""
    base, subscript = tree.args
    tree.head, tree.args = "name", ()
    tree.value = subscripted(str(base.value), str(subscript.value))


def become_entry(tree: Tree, stem: str, number: int) -> None:
    """A name such as x_2 turns out to be an entry of x."""
    inner = (Tree("name", (), stem, tree.start, tree.end), Tree("num", (), number, tree.start, tree.end))
    tree.head, tree.args, tree.value = "index", inner, None


# --- definitions ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Survey:
    """The formulas of one source: definitions in the order in which they can be read, and the function."""

    definitions: list[Definition]
    function: Definition
    uses: Uses
    notes: list[str]


def survey(tree: Tree, source: str, declared: Collection[str] = (), sizes: Collection[str] = ()) -> Survey:
    """Sort the formulas of a source into definitions and the function."""
    tree, notes = unrolled(tree, source, declared, sizes)
    tree = looked_back(tree, source)
    declared = {*declared, *sizes}
    formulas = tree.args if tree.head == "block" else (tree,)
    _refuse_squares(formulas, source)
    _refuse_layers(formulas, source)
    _join_declared(formulas, declared)
    if any(formula.head == "declare" for formula in formulas):
        formulas = tuple(formula for formula in formulas if formula.head != "declare")
        if not formulas:
            raise InputError(
                "this declares a shape and has no formula", source=source, offset=tree.start, end=tree.end, code="EMPTY"
            )
    uses = Uses(declared=declared, indices=bound_letters(formulas) if "_" in source or " for " in source else ())
    if len(formulas) == 1:
        function = definition(formulas[0], notes, declared)
        uses.scan(function.body)
        _refuse_itself(function, uses, source)
        return Survey([], function, uses, notes)
    found = [definition(formula, notes) for formula in formulas]
    _solve(found, source)
    _rename_functions(found, formulas, declared)
    _place_largest(found)
    known = uses.declared = {*declared, *(d.name for d in found)}
    apart = [_used(d, known) for d in found]
    chosen = _function(found, apart, source)
    rest = [k for k in range(len(found)) if k != chosen]
    same = [k for k in rest if found[k].name and found[k].name == found[chosen].name]
    _refuse_old_and_new(found, apart, chosen, source)
    _distinct([found[k] for k in rest], source)
    _distinct([found[k] for k in [*same, chosen] if not found[k].indices and found[k].name], source)
    _refuse_circle(found, apart, chosen, source)
    _refuse_unneeded(found, apart, chosen, source)
    ordered = _ordered(found, apart, rest, source)
    uses.scan(found[chosen].body)
    _refuse_itself(found[chosen], uses, source)
    for k in rest:
        if found[k].parameters is None:
            uses.scan(found[k].body)
        else:
            uses.scan_function(found[k])
    return Survey(ordered, found[chosen], uses, notes)


def _join_declared(formulas: Sequence[Tree], declared: Collection[str]) -> None:
    r"""`\nu_t = y_t - Z a_t` where y_t and a_t are declared: everywhere the letter t only belongs to names."""
    carried: dict[str, list[Tree]] = {}
    for tree in (tree for formula in formulas for tree in formula.walk()):
        if tree.head == "index" and len(tree.args) == 2 and all(part.head == "name" for part in tree.args):
            carried.setdefault(str(tree.args[1].value), []).append(tree)
    sides = {id(formula.args[0]) for formula in formulas if formula.head == "equation"}
    for letter, trees in carried.items():
        own = [subscripted(str(tree.args[0].value), letter) for tree in trees]
        defined = {name for name, tree in zip(own, trees, strict=True) if id(tree) in sides}
        uses = [t for formula in formulas for t in formula.walk() if t.head == "name" and t.value == letter]
        bound = any(letter in indices(t) for f in formulas for t in f.walk() if t.head in {"binder", "assemble"})
        known = defined and set(own) <= defined | set(declared) and not defined.issuperset(own)
        if known and not bound and letter not in declared and len(uses) == len(trees):
            for tree in trees:
                become_name(tree)


def _refuse_layers(formulas: Iterable[Tree], source: str) -> None:
    """z^l = W^l a^l, where no other layer says that l counts layers."""
    for formula in formulas:
        left = formula.args[0] if formula.head == "equation" else formula
        if left is not formula and left.head == "pow" and left.args[0].head == left.args[1].head == "name":
            base, above = (str(part.value) for part in left.args)
            raise InputError(
                f"a power, or the {base} of a layer?", source=source, offset=left.start, end=left.end,
                code="AMBIGUOUS", hint=f"write {base}^{{({above})}} for a layer",
            )  # fmt: skip


def _refuse_squares(formulas: Iterable[Tree], source: str) -> None:
    """∂L/∂s^2 = ... of one formula: the first derivative by s^2, or the second by s?"""
    for formula in formulas:
        left = formula.args[0] if formula.head == "equation" else formula
        if left.head == "derivative" and any(by.head == "pow" for by in left.args[1:]):
            raise InputError(
                "a derivative of order 1 by 2 variables", source=source, offset=left.start, end=left.end, code="PARSE",
                hint="write the order above too: \\partial^2 L / \\partial s^2",
            )  # fmt: skip


def _refuse_itself(function: Definition, uses: Uses, source: str) -> None:
    """p = exp(s) - log(p): what is defined cannot be what it is made of."""
    name = function.name
    if not name or function.indices or function.parameters is not None or name in uses.declared:
        return
    if name in uses.plain:
        place = function.whole.args[0]
        raise NameProblem(f"{name} is defined by itself", source=source, offset=place.start, end=place.end)


def _rename_functions(found: Iterable[Definition], formulas: Iterable[Tree], declared: Collection[str]) -> None:
    r"""g = \sigma, where g is applied to something: another name for a function."""
    called = {str(tree.value).rstrip("'") for formula in formulas for tree in formula.walk() if tree.head == "call"}
    for one in found:
        body = one.body
        known = body.head == "name" and body.value in BUILTIN and body.value not in declared
        if one.parameters and len(set(one.parameters)) < len(one.parameters):
            raise NameProblem(f"{one.name} has two parameters of one name")
        if known and one.parameters and body.value not in {*SOFT, *one.parameters} and len(str(body.value)) > 1:
            raise NameProblem(f"{body.value} is a function and needs an argument")
        if known and one.name not in called and body.value not in SOFT and len(str(body.value)) > 1:
            raise NameProblem(f"{body.value} is a function and needs an argument")
        if known and one.name in called and one.parameters is None:
            one.parameters = ("z",)
            one.body = Tree("call", (Tree("name", (), "z", body.start, body.end),), body.value, body.start, body.end)


#: What undoes a function on a left side: log μ_i = ... defines μ_i.
INVERSES = {"log": "exp", "exp": "log", "logit": "sigmoid"}


def _solve(found: Iterable[Definition], source: str) -> None:
    r"""`\log \mu_i = x_i^T \beta` defines \mu_i, where another formula uses it."""
    found = list(found)
    for one in found:
        left = one.whole.args[0] if one.whole.head == "equation" else one.whole
        inner = left.args[0] if left.head == "call" and left.value in BUILTIN and len(left.args) == 1 else left
        base = inner.args[0] if inner.head == "index" else inner
        others = (part for other in found if other is not one for part in other.body.walk())
        if inner is left or base.head != "name" or not any(p.head == "name" and p.value == base.value for p in others):
            continue
        inverse = INVERSES.get(str(left.value))
        if inverse is None:
            raise InputError(
                f"this tells of {base.value} only what {left.value} makes of it", source=source, offset=left.start,
                end=left.end, code="UNSUPPORTED", hint=f"define {base.value} itself, as in {base.value} = ...",
            )  # fmt: skip
        one.name, one.indices, one.parameters = _left(inner)
        one.body = Tree("call", (one.body,), inverse, one.body.start, one.body.end)


def _place_largest(found: Iterable[Definition]) -> None:
    r"""p_{\hat{k}} where \hat{k} = argmax(s): below a name stands the argmax itself."""
    largest = {d.name: d.body for d in found if d.body.head == "call" and d.body.value == "argmax" and not d.indices}
    if not largest:
        return
    for one in found:
        if one.name in largest:
            continue
        for tree in [tree for tree in one.body.walk() if tree.head == "index"]:
            below = (largest.get(str(s.value), s) if s.head == "name" else s for s in tree.args[1:])
            tree.args = (tree.args[0], *below)


def bound_letters(formulas: Iterable[Tree]) -> set[str]:
    """The indices that sums, brackets and left sides bind."""
    letters: set[str] = set()
    for formula in formulas:
        for tree in formula.walk():
            if tree.head in {"binder", "assemble"}:
                letters.update(indices(tree))
        if formula.head == "equation" and formula.args[0].head == "index":
            below = (str(s.value) for s in formula.args[0].args[1:] if s.head == "name")
            letters.update(letter for letter in below if not letter[:1].isupper())
    return letters


def definition(tree: Tree, notes: list[str], declared: Collection[str] = ()) -> Definition:
    """One formula, with or without a left side; a chain a = b = c keeps its first right side."""
    _share_sums(tree, notes)
    if tree.head != "equation":
        return Definition("", tree, tree)
    left, right, *others = tree.args
    while right.head == "equation":
        right, *inner = right.args
        others = [*inner, *others]
    if others and right.head == "call" and right.value not in BUILTIN and all(a.head == "name" for a in right.args):
        right, *others = others
    _name_subscript(left.args[0] if left.head == "pow" else left, right)
    if left.head == "pow" and left.args[0].head in {"name", "index"} and left.args[1].head == "num":
        left, right = left.args[0], _root(right, left.args[1])
    if others and declared:
        right, others = _readable(right, others, declared, notes)
    name, indices, parameters = _left(left)
    if tree.value == NEXT and _is_used(right, left):
        notes.append(f"this is the next value of {name}: a function of the old one")
        return Definition("", right, tree, indices, others=tuple(others))
    if not name:
        letters = _entry_letters(left)
        if letters:
            notes.append("the left side only names the entries of the right side")
            return Definition("", right, tree, letters, others=tuple(others))
        if left.head == "derivative":
            return Definition("", right, tree, _letters(left), others=tuple(others))
        if left.head == "norm" and left.value == "mixed":
            return Definition("", right, tree, others=tuple(others))
        readable = _readable(left, [right, *others], declared, notes) if declared else (left, [])
        if readable[0] is not left:
            return Definition("", readable[0], tree, others=tuple(readable[1]))
        notes.append("of an equation the left side is read; the right side was not checked here")
        return Definition("", left, tree, others=(right, *others))
    if others:
        notes.append(f"{name} is read from the first right side; the others were not checked here")
    return Definition(name, right, tree, indices, parameters, tuple(others))


def _readable(right: Tree, others: list[Tree], declared: Collection[str], notes: list[str]) -> tuple[Tree, list[Tree]]:
    """The first of the right sides that is made of declared names alone, if the first one is not; then the others."""
    sides = [right, *others]
    known = {*declared, *(name[:1].lower() + name[1:] for name in declared), *BUILTIN}
    unknown = [_used(Definition("", side, side), declared) - known for side in sides]
    chosen = next((k for k, names in enumerate(unknown) if not names - bound_letters([sides[k]])), 0)
    if not chosen:
        return right, others
    notes.append("the first side that has declared names alone is read; the others were not checked")
    return sides[chosen], [side for k, side in enumerate(sides) if k != chosen]


def _refuse_old_and_new(found: list[Definition], apart: list[set[str]], chosen: int, source: str) -> None:
    """L = ||z||^2 beside z ← z - η g: L of the old z, or of the new one?"""
    update = found[chosen].whole
    if update.head != "equation" or update.value != NEXT:
        return
    updated = {str(tree.value) for tree in update.args[0].walk() if tree.head == "name"}
    place = {d.name: k for k, d in enumerate(found)}
    used, waiting = {chosen}, [chosen]
    while waiting:
        new = {place[name] for name in apart[waiting.pop()] if name in place} - used
        used |= new
        waiting += new
    for k in range(len(found)):
        if k not in used and apart[k] & updated:
            raise InputError(
                f"does {found[k].name} take the old value, or the new one?", source=source, code="AMBIGUOUS",
                offset=found[k].whole.start, end=found[k].whole.end, hint="give the update alone, or the function",
            )  # fmt: skip


def _refuse_unneeded(found: list[Definition], apart: list[set[str]], chosen: int, source: str) -> None:
    """A function that is defined and called nowhere was meant by something that was read as a product, or as a name."""
    for k, one in enumerate(found):
        if k == chosen or not one.parameters or one.name in BUILTIN:
            continue
        if all(one.name != name.rstrip("'") for j, used in enumerate(apart) if j != k for name in used):
            raise InputError(
                f"{one.name} is defined, and nothing that is read calls it", source=source, code="AMBIGUOUS",
                offset=one.whole.start, end=one.whole.end, hint="call it as it is defined, or leave it out",
            )  # fmt: skip


def _is_used(body: Tree, left: Tree) -> bool:
    """Whether what gets a new value occurs in it, as x in x - η g and w_j in w_j + x_j."""
    return any(tree == left for tree in body.walk())


def _name_subscript(left: Tree, right: Tree) -> None:
    r"""On a left side the capital of `\mu_B` belongs to the name, and the y of `K_y = K + \lambda I`."""
    plain = left.head == "index" and len(left.args) == 2 and all(part.head == "name" for part in left.args)
    if plain and (
        str(left.args[1].value)[:1].isupper()
        or (left.args[0].value in _unindexed(right) and left.args[1].value not in _open_letters(right))
    ):
        become_name(left)


def _unindexed(tree: Tree) -> set[object]:
    """The names that stand in a formula without indices."""
    found: set[object] = set()
    stack = [tree]
    while stack:
        part = stack.pop()
        if part.head == "name":
            found.add(part.value)
        stack.extend(part.args[part.head == "index" :])
    return found


def _share_sums(root: Tree, notes: list[str]) -> None:
    r"""\sum_i a_i + b_i: where nothing else binds i, the sum goes on over the second term."""
    left = root.args[0] if root.head == "equation" else root
    outer = frozenset(str(s.value) for s in left.args[1:]) if left.head == "index" and left is not root else frozenset()
    stack: list[tuple[Tree, frozenset[str]]] = [(root, outer)]
    while stack:
        tree, bound = stack.pop()
        run = _last_factor(tree.args[0]) if tree.head == "add" else tree
        if tree.head == "add" and run.head == "big" and run.value == "sum":
            binders = run.args[1:]
            before = tree.args[0].args[:-1] if tree.args[0].head == "mul" else ()
            letters = {name for binder in binders for name in indices(binder)} - bound
            terms = list(tree.args)
            for k, term in enumerate(terms[1:], 1):
                if letters & _open_letters(term):
                    whole = Tree("big", (term, *binders), "sum", term.start, term.end)
                    terms[k] = Tree("mul", (*before, whole), "", term.start, term.end) if before else whole
                    notes.append("the sum goes on over the following terms that have its index")
            tree.args = tuple(terms)
        if tree.head == "big":
            bound = bound | {name for binder in tree.args[1:] for name in indices(binder)}
        elif tree.head == "assemble":
            bound = bound | set(indices(tree))
        stack.extend((arg, bound) for arg in tree.args)


def _last_factor(tree: Tree) -> Tree:
    """The sum of `1/N Σ_i a_i`, or the term itself."""
    return tree.args[-1] if tree.head == "mul" and tree.value == "" else tree


def _open_letters(tree: Tree) -> set[str]:
    """The letters below names that nothing inside binds."""
    found: set[str] = set()
    stack: list[tuple[Tree, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        part, bound = stack.pop()
        if part.head == "big":
            bound = bound | {name for binder in part.args[1:] for name in indices(binder)}
        elif part.head == "assemble":
            bound = bound | set(indices(part))
        if part.head == "index":
            below = (t for s in part.args[1:] for t in s.walk() if t.head == "name")
            found |= {str(t.value) for t in below} - bound
        stack.extend((arg, bound) for arg in part.args)
    return found


def _root(right: Tree, exponent: Tree) -> Tree:
    """A left side s^2 defines s as the root of the right side."""
    inverse = Tree("num", (), 1 / Fraction(exact(exponent)), exponent.start, exponent.end)
    return Tree("pow", (right, inverse), "odot", right.start, right.end)


def _entry_letters(left: Tree) -> tuple[str, ...]:
    r"""i of a left side (\theta * x)_i, which names a product of its own."""
    if left.head != "index" or left.args[0].head != "mul" or any(s.head != "name" for s in left.args[1:]):
        return ()
    return tuple(str(s.value) for s in left.args[1:]) if all(a.head == "name" for a in left.args[0].args) else ()


def _left(left: Tree) -> tuple[str, tuple[str, ...], tuple[str, ...] | None]:
    """(name, indices, parameters) of a left side; no name where it is an expression."""
    if left.head == "name":
        return str(left.value), (), None
    if left.head == "index" and left.args[0].head in {"name", "call"}:
        name, _, parameters = _left(left.args[0])
        if all(s.head == "name" for s in left.args[1:]):
            return name, tuple(str(s.value) for s in left.args[1:]), parameters
        if len(left.args) == 2 and left.args[1].head == "num" and parameters is None:
            return subscripted(name, str(left.args[1].value)), (), None
        return "", (), None
    if left.head == "call":
        if all(a.head == "name" for a in left.args):
            return str(left.value), (), tuple(str(a.value) for a in left.args)
        given = all(a.head in {"name", "index", "transpose"} for a in left.args)  # E(m_N) = ... says what E depends on
        return str(left.value), (), None if given else ()
    return "", (), None


def _letters(derivative: Tree) -> tuple[str, ...]:
    """The indices of a derivative: those of the function, then those of the variables."""
    of, _, variables = flattened(derivative)
    return tuple(letter for part in (of, *variables) for letter in letters_of(part) if letter)


def _used(one: Definition, declared: Collection[str]) -> set[str]:
    """The names that the body of a definition mentions; the i of a declared W_i is none."""
    names: set[str] = set()
    stack = [one.body]
    while stack:
        tree = stack.pop()
        if tree.head in {"name", "call"}:
            names.add(str(tree.value))
        elif is_numbered(tree):
            whole = subscripted(str(tree.args[0].value), str(tree.args[1].value))
            names.add(whole)
            if tree.args[0].value == one.name or whole in declared:
                continue
        elif tree.head == "index" and len(tree.args) == 2 and all(part.head == "name" for part in tree.args):
            whole = subscripted(str(tree.args[0].value), str(tree.args[1].value))
            if whole in declared:
                names.add(whole)
                continue
        stack.extend(tree.args)
    return names


def _function(found: list[Definition], apart: list[set[str]], source: str) -> int:
    """The formula that no other uses; of several the last, and one without a left side before all."""
    bare = [k for k, d in enumerate(found) if not d.name]
    if len(bare) > 1:
        second = found[bare[1]].whole
        raise InputError(
            "two formulas where one is wanted", source=source, offset=second.start, end=second.end,
            hint="give all but one of them a name, as in q = W x",
        )  # fmt: skip
    if bare:
        return bare[0]
    needed = [{name.rstrip("'") for name in names} for names in apart]
    times = Counter(name for names in needed for name in names)
    free = [k for k, d in enumerate(found) if times[d.name] == (d.name in needed[k])]
    if len(free) > 1 and free[0] == 0 and "\\" in source:
        last = found[free[-1]].whole
        raise InputError(
            f"which is the function, {found[0].name} or {found[free[-1]].name}? neither needs the other", source=source,
            offset=last.start, end=last.end, code="AMBIGUOUS", hint="leave out what the function does not need",
        )  # fmt: skip
    return free[-1] if free else len(found) - 1


def _distinct(found: Iterable[Definition], source: str) -> None:
    seen: set[str] = set()
    for one in found:
        if one.name in seen:
            raise NameProblem(
                f"{one.name} is defined twice", source=source, offset=one.whole.start, end=one.whole.args[0].end
            )
        seen.add(one.name)


def _refuse_circle(found: list[Definition], apart: list[set[str]], chosen: int, source: str) -> None:
    """x = y; y = x: what the function is made of is made of the function."""
    function = found[chosen]
    if not function.name or function.indices:
        return
    place = {d.name: k for k, d in enumerate(found)}
    seen, waiting = {chosen}, [chosen]
    while waiting:
        for name in apart[waiting.pop()]:
            k = place.get(name)
            if k is not None and k not in seen:
                seen.add(k)
                waiting.append(k)
    for k in seen - {chosen}:
        if function.name in apart[k] and function.name not in (found[k].parameters or ()):
            message = f"{function.name}, {found[k].name} are defined by each other"
            raise NameProblem(message, source=source, offset=function.whole.start, end=function.whole.args[0].end)


def _ordered(found: list[Definition], apart: list[set[str]], rest: list[int], source: str) -> list[Definition]:
    """Definitions after those they use; a circle is an error that names its lines."""
    place = {found[k].name: k for k in rest}
    waiting = {k: {place[n] for n in apart[k] if n in place and n not in (found[k].parameters or ())} for k in rest}
    needed_by: dict[int, list[int]] = {k: [] for k in rest}
    for k, before in waiting.items():
        for j in before:
            needed_by[j].append(k)
    ready = [k for k in rest if not waiting[k]]
    ordered: list[Definition] = []
    for k in ready:
        ordered.append(found[k])
        for other in needed_by[k]:
            waiting[other].discard(k)
            if not waiting[other]:
                ready.append(other)
    if len(ordered) < len(rest):
        circle = [found[k] for k in rest if waiting[k]]
        lines = " and ".join(str(source.count("\n", 0, d.whole.start) + 1) for d in circle[:2])
        names = ", ".join(d.name for d in circle[:4])
        raise NameProblem(
            f"{names} {'are' if len(circle) > 1 else 'is'} defined by {'each other' if len(circle) > 1 else 'itself'}"
            + (f" (lines {lines})" if len(circle) > 1 else ""),
            source=source, offset=circle[0].whole.start, end=circle[0].whole.args[0].end,
        )  # fmt: skip
    return ordered


def free_indices(uses: Uses, definitions: Iterable[Definition], known: Collection[str]) -> set[str]:
    """Letters that only name an example: carried by labels alone and bound nowhere, as i of y_i beside s_j."""
    named = {d.name for d in definitions}
    return {
        letter for letter, carriers in uses.carriers.items()
        if letter not in uses.bound and letter not in known and letter not in uses.labelled
        and carriers <= uses.labelled | named and carriers & uses.labelled
    }  # fmt: skip
