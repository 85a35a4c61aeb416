"""Names, numbers and subscripts: variables, entries, rows, labels, unit vectors.

Contract: a letter below a name opens an index, a label variable picks its entry by a one-hot vector, a number a fixed
place; what a letter is was settled by `scope`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symgrad.errors import DomainError, InputError, NameProblem, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation import ranges
from symgrad.notation.customary import customary
from symgrad.notation.literals import RANGES, exact
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.ops import OPERATIONS
from symgrad.shapes import Axis, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _num(work: Elaborator, tree: Tree) -> Value:
    return Value(work.algebra.number(tree.value))


def _const(work: Elaborator, tree: Tree) -> Value:
    if tree.value == "e":
        return work.apply("exp", [work.number(1)], tree)
    if tree.value == "pi":
        return Value(work.algebra.call(OPERATIONS["pi"], []))
    raise DomainError("infinity is not a number to calculate with")


def _name(work: Elaborator, tree: Tree) -> Value:
    name = str(tree.value)
    scope = work.scope
    found = work.arguments.get(name) or scope.values.get(name)
    if found is not None:
        return found
    if name in work.bound and name not in scope.variables:
        return _index_as_number(work, name, tree)
    node = scope.variables.get(name)
    if node is not None:
        return Value(node)
    if name in scope.sizes:
        return Value(work.algebra.size(find(scope.tops.get(name, name))))
    if name == "I":
        return Value(work.algebra.delta(work.algebra.hole()))
    raise NameProblem(f"the name {name} means nothing here")


def _index_as_number(work: Elaborator, name: str, tree: Tree) -> Value:
    """γ^t below a sum over t: the index is the number that it counts."""
    one = work.ranges.get(name)
    if one is not None and one.first is None:
        hint = f"say from where to where it runs, as in \\sum_{{{name}=1}}^{{n}}"
        raise UnsupportedError(f"the index {name} is used as a number, and nothing says from where it runs", hint=hint)
    first = one.first if one is not None else None
    constant = first.constant if first is not None else work.firsts.get(name, work.first)
    if constant is None:
        hint = "let every sum begin with the same number, or write the definition below the sum"
        raise InputError(f"does {name} count from 0 or from 1?", code="AMBIGUOUS", hint=hint)
    numbers = Value(work.algebra.call(OPERATIONS["counting"], [], (work.dimension(name, tree),)), (name,))
    terms: list[tuple[int, Value]] = [(1, numbers), (constant - 1, work.number(1))]
    for times, size in first.sizes if first is not None else ():
        terms.append((times, Value(work.algebra.size(size))))
    return work.total([term for term in terms if term[0]], tree)


def _in_range(place: int, dim: Axis) -> None:
    dim = find(dim)
    if place < 0 or (isinstance(dim, int) and place >= dim):
        raise ShapeError(f"there is no entry {place} (counted from 0) in an axis of {dim}", code="DOMAIN")


SLICE, INDEX, LABEL, PLACE = "slice", "index", "label", "place"
PART, NEW, ROWS, CALCULATED = "part", "new axis", "rows", "calculated"


def kind_of_subscript(work: Elaborator, tree: Tree) -> str:
    """How a subscript is meant: every entry, an index, a label variable, or a fixed place."""
    head = tree.head
    if head == "slice":
        return SLICE
    if head == "num":
        return PLACE
    if head in _KINDS:
        return _KINDS[head]
    if head == "name":
        name = str(tree.value)
        if name in work.bound:
            return INDEX
        known = name in work.scope.labels or name in work.scope.variables or name in work.scope.values
        return LABEL if known or name in work.arguments else INDEX
    if head == "call" and tree.value in RANGES:
        return ROWS
    if head == "index" or head == "call":
        return LABEL
    raise UnsupportedError("an index can only be a letter, a number, a label, or calculated from letters and numbers")


#: Trees that are a kind of subscript by themselves.
_KINDS = {"part": PART, "newaxis": NEW, "add": CALCULATED, "mul": CALCULATED, "neg": CALCULATED}


def _index(work: Elaborator, tree: Tree) -> Value:
    base, *subscripts = tree.args
    scope = work.scope
    special = _special_index(work, base, subscripts, tree)
    if special is not None:
        return special
    if scope.decorations and len(subscripts) == 1 and subscripts[0].value in scope.decorations and base.head == "name":
        return work.visit(base)
    value = work.visit(base)
    rank = value.rank
    if sum(subscript.head != "newaxis" for subscript in subscripts) > rank:
        raise work.misfit(tree, f"{work.text(base)} is {work.shown(value)}: it cannot have {len(subscripts)} indices")
    below = base.start <= subscripts[0].start  # and not the pattern of an einsum
    if rank == 2 and base.head == "call" and base.args and below and subscripts[0].start < base.args[0].start:
        raise InputError(
            f"{work.text(tree)}: a row of the values, or the singular values of a matrix?", code="AMBIGUOUS",
            source=scope.source, offset=tree.start, end=tree.end, hint="write the index behind the bracket for a row",
        )  # fmt: skip
    kinds = [kind_of_subscript(work, subscript) for subscript in subscripts]
    names = tuple([str(s.value) for s in subscripts])
    plain = all(kind is INDEX for kind in kinds) and work.ranges.keys().isdisjoint(names)
    if plain and len({*value.open, *names}) == len(value.open) + len(names):
        for name, dim in zip(names, value.shape, strict=False):
            _same_range(work, name, dim, tree)
        return Value(value.node, value.open + names)
    return _Picked(work, value, tree).all(subscripts, kinds)


def _same_range(work: Elaborator, name: str, dim: Axis, tree: Tree) -> None:
    """An index runs over one dimension wherever it occurs."""
    given = work.bound.get(name)
    if given is None:
        if name in work.bound:
            work.bound[name] = dim
    elif not unify(given, dim):
        raise work.misfit(tree, f"the index {name} runs over {find(given)}, but {work.text(tree)} needs {find(dim)}")


class _Picked:
    """Entries, rows, columns and parts of a value, chosen by indices, labels, numbers and slices."""

    def __init__(self, work: Elaborator, value: Value, tree: Tree) -> None:
        self.work, self.value, self.tree = work, value, tree
        self.code = is_code(tree, work.scope.source)
        self.zero = 0 if work.scope.numpy or tree.args[0].value in work.scope.zero_based else 1
        self.labels: list[Any] = []
        self.names: dict[str, None] = dict.fromkeys(value.open)
        self.factors: list[tuple[Any, tuple[Any, ...], Rational]] = []
        self.out: list[Any] = []
        self.sizes: dict[Any, Axis] = {}

    def all(self, subscripts: Sequence[Tree], kinds: Sequence[str]) -> Value:
        work, value = self.work, self.value
        dims = iter(enumerate(value.shape))
        for subscript, kind in zip(subscripts, kinds, strict=True):
            if kind is NEW:
                label = ("new", len(self.out))
                self.sizes[label] = 1
                self.out.append(label)
                continue
            axis, dim = next(dims)
            _CHOICES[kind](self, subscript, axis, dim)
        for axis, dim in dims:
            if CALCULATED in kinds:
                self.refuse_missing(dim)
            self.whole(Tree("slice"), axis, None)
        given = [(value.node, value.open + tuple(self.labels), 1), *self.factors]
        out, rank = self.out, len(value.shape)
        row = len(out) == 1 and rank == 2 and out[0] == 1 and len(kinds) == 2 and not (work.scope.numpy or self.code)
        node = work.algebra.contract(given, tuple(self.names) + tuple(out), 1, self.sizes)
        return Value(node, tuple(self.names), row)

    def refuse_missing(self, dim: Axis) -> None:
        """Θ_{i,j,k} x_{s+i,t+j} below a sum over k: an axis that k runs over is left out."""
        work = self.work
        for name, extent in work.bound.items():
            if name not in self.names and extent is not None and find(extent) == find(dim):
                raise InputError(
                    f"{work.text(self.tree)} leaves out an axis of {find(dim)}: is the index {name} missing?",
                    source=work.scope.source, offset=self.tree.start, end=self.tree.end, code="AMBIGUOUS",
                    hint="write every index, and : for a whole axis",
                )  # fmt: skip

    def whole(self, _: Tree, axis: int, dim: Axis | None) -> None:
        del dim
        self.labels.append(axis)
        self.out.append(axis)

    def index(self, subscript: Tree, axis: int, dim: Axis) -> None:
        name = str(subscript.value)
        if name in self.work.ranges:
            return self.calculated(subscript, axis, dim)
        _same_range(self.work, name, dim, self.tree)
        self.names.setdefault(name)
        self.labels.append(name)
        return None

    def calculated(self, subscript: Tree, axis: int, dim: Axis) -> None:
        base = str(self.tree.args[0].value)
        if base in self.work.scope.padded:
            self.work.note(f"{base} is 0 beyond its ends, as assumed")
        padding = ranges.ZEROS if base in self.work.scope.padded else frozenset()
        node, letters = ranges.window(self.work, dim, subscript, self.tree, self.code, padding=padding)
        self.names.update(dict.fromkeys(letters))
        self.labels.append(axis)
        self.factors.append((node, (axis, *letters), 1))

    def part(self, subscript: Tree, axis: int, dim: Axis) -> None:
        node, _ = ranges.slice_of(self.work, dim, subscript, self.tree)
        self.labels.append(axis)
        self.out.append(("part", axis))
        self.factors.append((node, (axis, ("part", axis)), 1))

    def place(self, subscript: Tree, axis: int, dim: Axis) -> None:
        place = int(exact(subscript)) - (0 if self.code else self.zero)
        _in_range(place, dim)
        self.labels.append(axis)
        self.factors.append((self.work.onehot(self.work.number(place), dim).node, (axis,), 1))

    def label(self, subscript: Tree, axis: int, dim: Axis) -> None:
        """A label picks one entry; several in a vector go along with the rows that other indices count."""
        if subscript.head == "call" and subscript.value == "argmax":
            return self.largest(subscript, axis, dim)
        label = label_value(self.work, subscript, vector=self.work.scope.numpy or self.code)
        unit = self.work.onehot(label, dim)
        self.names.update(dict.fromkeys(unit.open))
        self.labels.append(axis)
        together = ("rows",) if label.rank else ()
        if together and "rows" not in self.out:
            self.out.append("rows")
        self.factors.append((unit.node, unit.open + together + (axis,), 1))
        return None

    def largest(self, subscript: Tree, axis: int, dim: Axis) -> None:
        """The place of a largest entry, as its one-hot vector."""
        found = self.work.visit(subscript)
        if found.rank != 1 or not unify(found.shape[0], dim):
            raise self.work.misfit(subscript, f"{self.work.text(subscript)} is no place on an axis of {find(dim)}")
        self.names.update(dict.fromkeys(found.open))
        self.labels.append(axis)
        self.factors.append((found.node, (*found.open, axis), 1))

    def rows(self, subscript: Tree, axis: int, dim: Axis) -> None:
        """range(N): every row, along with what other indices choose."""
        work = self.work
        if len(subscript.args) != 1:
            raise UnsupportedError("only range(N) is read between brackets")
        given = work.counted(subscript.args[0])
        if not unify(given, dim):
            raise work.misfit(self.tree, f"{work.text(subscript)} counts {find(given)} rows of {find(dim)}")
        self.labels.append("rows")
        if "rows" not in self.out:
            self.out.append("rows")


_CHOICES: dict[str, Any] = {
    SLICE: _Picked.whole, INDEX: _Picked.index, LABEL: _Picked.label, PLACE: _Picked.place, PART: _Picked.part,
    ROWS: _Picked.rows, CALCULATED: _Picked.calculated,
}  # fmt: skip


def is_code(tree: Tree, source: str) -> bool:
    """Whether indices stand in square brackets, as in code."""
    return source[tree.args[0].end : tree.args[0].end + 1] == "["


def label_value(work: Elaborator, tree: Tree, vector: bool = False) -> Value:
    """The value of a label subscript such as y or y_i; `vector` allows a vector of labels."""
    if tree.head == "index" and tree.args[0].head == "name":
        node = work.scope.variables.get(str(tree.args[0].value))
        if node is not None and not node.shape:
            work.note(f"{tree.args[0].value} is one label: its index is only part of its name")
            return Value(node)
    value = work.visit(tree)
    if value.rank > vector:
        raise work.misfit(tree, f"{work.text(tree)} is {work.shown(value)}: a label must be a scalar")
    return value


def _special_index(work: Elaborator, base: Tree, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """Unit vectors e_k, identities I_n and their entries, rows x_i of a matrix X, and functions of an index."""
    if base.head == "const" and base.value == "e" and len(subscripts) == 1:
        return _unit(work, subscripts[0], tree)
    if base.head == "call" and base.value == "ones" and not base.args:
        return (
            _unit(work, subscripts[0], tree)
            if _is_label(work, subscripts)
            else customary(work, "ones", subscripts, tree)
        )
    if base.head != "name":
        return None
    scope = work.scope
    name = str(base.value)
    if name == "e" and len(subscripts) == 1 and not _known(work, name):
        return _unit(work, subscripts[0], tree)
    found = None if _known(work, name) else customary(work, name, subscripts, tree)
    if found is not None:
        return found
    if name in ("delta", "I") and len(subscripts) == 2 and not _known(work, name):
        letters = tuple(str(s.value) for s in subscripts if s.head == "name" and not _known(work, str(s.value)))
        if len(set(letters)) == 2 and work.ranges.keys().isdisjoint(letters):
            return _identity_entry(work, letters, tree)
        equal = Tree("compare", tuple(subscripts), "=", tree.start, tree.end)
        return work.visit(Tree("indicator", (equal,), None, tree.start, tree.end))
    if name == "I" and name not in work.scope.variables and subscripts[0].head == "name":
        return Value(work.algebra.delta(str(subscripts[0].value)))
    if name in work.scope.rows and name not in work.scope.variables and name not in work.arguments:
        capital = work.scope.rows[name]
        work.note(f"{work.text(tree)} is a {'column' if scope.columns else 'row'} of {capital}")
        matrix = Tree("name", (), capital, base.start, base.end)
        whole = (Tree("slice", (), None, tree.start, tree.end),) if scope.columns else ()
        found = _index(work, Tree("index", (matrix, *whole, *subscripts), None, tree.start, tree.end))
        return Value(found.node, found.open)
    return None


def _identity_entry(work: Elaborator, letters: tuple[str, ...], tree: Tree) -> Value:
    """δ_ij of two indices, also where they are letters of dimensions."""
    one, other = letters
    dim = work.dimension(one, tree)
    if not unify(dim, work.dimension(other, tree)):
        raise work.misfit(tree, f"{one} and {other} run over different dimensions")
    return Value(work.algebra.delta(dim), letters)


def _known(work: Elaborator, name: str) -> bool:
    return name in work.arguments or name in work.scope.values or name in work.scope.variables


def _is_label(work: Elaborator, subscripts: Sequence[Tree]) -> bool:
    """Whether the one subscript is a label: 1_y is 1 at y."""
    (only, *more) = subscripts
    return not more and only.head == "name" and str(only.value) in work.scope.labels - set(work.bound)


def _unit(work: Elaborator, subscript: Tree, tree: Tree) -> Value:
    """e_k, the k-th unit vector."""
    if kind_of_subscript(work, subscript) is INDEX:
        dim = work.dimension(str(subscript.value), tree)
        return Value(work.algebra.delta(dim), (str(subscript.value),))
    if subscript.head == "num":
        return work.onehot(work.number(int(exact(subscript)) - 1), work.algebra.hole())
    return work.onehot(label_value(work, subscript), work.algebra.hole())


HANDLERS: dict[str, Handler] = {"num": _num, "const": _const, "name": _name, "index": _index}
