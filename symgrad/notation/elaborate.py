"""What a surface tree means: from ML notation to positional tensors without broadcasting.

Contract: `Elaborator(algebra, scope).visit(tree)` is the `Value` of a formula.  One handler a head of the tree; a
handler makes its value with the constructors of the algebra only, so that the same code first infers shapes (over
`shapes.Outlines`) and then builds the expression (over `values.Expressions`).  Handlers branch on trees, ranks and
shapes, never on contents, so both runs take the same way.  Every error knows its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import DomainError, InputError, LimitError, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation import applications, conditions, entries, products, ranges, reductions
from symgrad.notation.literals import exact, literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import PLACES, Handler, Scope, Value, different_ranges
from symgrad.ops import OPERATIONS
from symgrad.shapes import Axis, describe, find, may_equal, unify

#: Visits of subtrees, calls of user functions included, before a formula counts as an attack.
MAX_VISITS = 200_000


class Elaborator:
    """One reading of trees in a scope; see the module."""

    def __init__(self, algebra: Any, scope: Scope) -> None:
        self.algebra = algebra
        self.scope = scope
        self.bound: dict[str, Axis | None] = {}
        self.firsts: dict[str, int] = {}  # from where an index counts, where that is written
        self.first: int | None = int(not scope.numpy)  # what the indices of definitions begin with; None: not clear
        self.arguments: dict[str, Value] = {}
        self.notes: dict[str, None] = {}
        self.visits = 0
        self.calls = 0
        self.summed: Tree | None = None
        self.ranges: dict[str, ranges.Range] = {}
        self.ledger = ranges.Ledger()
        self.padded: frozenset[str] = frozenset()

    def visit(self, tree: Tree) -> Value:
        """The value of `tree`; an error without a place gets that of the smallest subtree it arose in."""
        self.visits += 1
        if self.visits > MAX_VISITS:
            raise LimitError("this formula becomes too large when it is written out", code="LIMIT_LENGTH")
        try:
            return HANDLERS[tree.head](self, tree)
        except InputError as error:
            if not error.source:
                error.source, error.offset, error.end = self.scope.source, tree.start, max(tree.end, tree.start + 1)
            raise

    # --- errors and notes -----------------------------------------------------------------------------------------

    def text(self, tree: Tree) -> str:
        """The source of a subtree, if it is short enough to be quoted."""
        text = " ".join(self.scope.source[tree.start : tree.end].split())
        return text if 0 < len(text) <= 40 else "this"

    def misfit(self, tree: Tree, message: str, hint: str = "") -> ShapeError:
        return ShapeError(message, source=self.scope.source, offset=tree.start, end=tree.end, hint=hint)

    @staticmethod
    def misplaced(tree: Tree) -> InputError:
        return InputError("this may not stand inside an expression", hint=MISPLACED.get(tree.head, ""))

    def note(self, text: str) -> None:
        self.notes.setdefault(text)

    def shown(self, value: Value) -> str:
        return describe(value.shape, row=value.row)

    # --- tensors --------------------------------------------------------------------------------------------------

    def combine(
        self,
        factors: Iterable[tuple[Value, tuple[Any, ...], Rational]],
        out: tuple[Any, ...],
        row: bool = False,
        sizes: dict[Any, Axis] | None = None,
        coefficient: Rational = 1,
    ) -> Value:
        """Product of values whose positional axes carry the given labels; open indices go along by name."""
        extents = self.merge([value for value, _, _ in factors])
        names = tuple(extents)
        given = [(value.node, value.open + labels, power) for value, labels, power in factors]
        return Value(self.algebra.contract(given, names + out, coefficient, sizes), names, row)

    def merge(self, values: Iterable[Value]) -> dict[str, Axis]:
        """The open indices of several values, each with its one dimension."""
        extents: dict[str, Axis] = {}
        for value in values:
            for name, dim in zip(value.open, value.node.shape, strict=False):
                if not unify(extents.setdefault(name, dim), dim):
                    raise different_ranges(name, extents[name], dim)
        return extents

    def align(self, values: Sequence[Value], tree: Tree) -> tuple[dict[str, Axis], tuple[Axis, ...], bool]:
        """The common open indices, positional shape and row flag of values that go together entry by entry."""
        extents = self.merge(values)
        lead = values[0]
        for value in values:
            if value.rank > lead.rank:
                lead = value
        shape, row = lead.shape, lead.row
        for value in values:
            rank = value.rank
            if rank == 0 or value is lead:
                continue
            if value.spreads and rank == 1 and len(shape) == 2:
                if not unify(value.shape[0], shape[0]):
                    raise self.misfit(tree, f"{self.text(tree)} has sums of other rows than those beside them")
                continue
            if rank != len(shape):
                shape = self._trailing(value, shape, tree)
                continue
            if row != value.row and rank == 1:
                hint = "transpose one of them, or write x yᵀ for a matrix"
                raise self.misfit(tree, f"{self.text(tree)} mixes a row and a column", hint=hint)
            if self.scope.numpy:
                shape = tuple(other if find(one) == 1 else one for one, other in zip(shape, value.shape, strict=True))
            for one, other in zip(shape, value.shape, strict=True):
                if not (self.scope.numpy and find(other) == 1) and not unify(one, other):
                    raise self.misfit(
                        tree, f"{self.text(tree)} needs equal shapes, not {self.shown(lead)} and {self.shown(value)}"
                    )
        return extents, shape, row

    def _trailing(self, value: Value, shape: tuple[Axis, ...], tree: Tree) -> tuple[Axis, ...]:
        """The shape that a value of fewer axes goes along: in code as NumPy has it, else that of `_last_axis`."""
        rest, last = shape[: -value.rank], shape[-value.rank :]
        pairs = list(zip(last, value.shape, strict=True))
        ones = any(find(d) == 1 for d in (*last, *value.shape)) or value.rank > 1
        if not (self.scope.numpy and ones and all(1 in map(find, pair) or may_equal(*pair) for pair in pairs)):
            self._last_axis(value, shape, tree)
            return shape
        for one, other in pairs:
            if 1 not in (find(one), find(other)):
                unify(one, other)
        return (*rest, *(other if find(one) == 1 else one for one, other in pairs))

    def _last_axis(self, value: Value, shape: tuple[Axis, ...], tree: Tree) -> None:
        """A vector beside a matrix goes to every row, as in code, where that is the only way to read it."""
        if value.rank == 1 and len(shape) == 2:
            (length,) = value.shape
            rows, columns = shape
            square = find(rows) == find(columns)
            if may_equal(length, columns) and (self.scope.numpy or (find(length) != find(rows) and not square)):
                unify(length, columns)
                self.note(f"in {self.text(tree)} the vector goes to every row of the matrix")
                return
        raise self.misfit(
            tree, f"{self.text(tree)} needs equal shapes, not {describe(shape)} and {self.shown(value)}",
            hint="write b 1ᵀ or 1 bᵀ to repeat a vector as columns or rows",
        )  # fmt: skip

    def placed(self, value: Value, shape: tuple[Axis, ...]) -> tuple[Any, tuple[Any, ...]]:
        """The tensor of a value and the labels of its axes inside of `shape`; an axis of one entry that goes along a
        longer one is dropped.
        """
        own, rank = value.rank, len(shape)
        if not own:
            return value.node, value.open
        labels = PLACES[:own] if value.spreads else PLACES[rank - own : rank]
        if not self.scope.numpy or not any(find(dim) == 1 for dim in value.shape):
            return value.node, value.open + labels
        node = value.node
        names: list[Any] = [*value.open, *labels]
        for place in reversed(range(len(value.open), len(names))):
            k = names[place]
            if find(value.shape[place - len(value.open)]) == 1 and find(shape[k]) != 1:
                node = self.algebra.squeezed(node, place)
                del names[place]
        return node, tuple(names)

    def entrywise(
        self, values: Sequence[Value], powers: Sequence[Rational], tree: Tree, coefficient: Rational = 1
    ) -> Value:
        """Product, entry by entry, of powers of values."""
        extents, shape, row = self.align(values, tree)
        rank = len(shape)
        factors = [(*self.placed(v, shape), p) for v, p in zip(values, powers, strict=True)]
        names = tuple(extents)
        sizes: dict[Any, Axis] = {**extents, **dict(enumerate(shape))}
        node = self.algebra.contract(factors, names + PLACES[:rank], coefficient, sizes)
        return Value(node, names, row, spreading(values))

    def spread(self, value: Value, extents: dict[str, Axis], shape: tuple[Axis, ...]) -> Any:
        """The tensor of `value` over all of these indices and axes."""
        names, rank = tuple(extents), len(shape)
        if value.open == names and value.rank == rank and not any(find(d) == 1 for d in value.shape):
            return value.node
        sizes: dict[Any, Axis] = {**extents, **dict(enumerate(shape))}
        return self.algebra.contract([self.placed(value, shape)], names + PLACES[:rank], 1, sizes)

    def total(self, terms: Sequence[tuple[int, Value]], tree: Tree) -> Value:
        """A sum of values, scalars repeated over every entry of the others."""
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        values = [value for _, value in terms]
        extents, shape, row = self.align(values, tree)
        tensors = [(sign, self.spread(value, extents, shape)) for sign, value in terms]
        return Value(self.algebra.add(tensors), tuple(extents), row, spreading(values))

    def apply(self, name: str, values: Sequence[Value], tree: Tree, params: tuple[Any, ...] = ()) -> Value:
        """A declared operation; entrywise ones take scalars beside tensors, the others act on the last axes."""
        op = OPERATIONS[name]
        if op.signature:
            return self._apply_to_axes(op, values, tree, params)
        if len(values) == 1:
            return Value(self.algebra.call(op, [values[0].node]), values[0].open, values[0].row)
        extents, shape, row = self.align(values, tree)
        tensors = [value.node if not value.node.shape else self.spread(value, extents, shape) for value in values]
        return Value(self.algebra.call(op, tensors), tuple(extents), row)

    def _apply_to_axes(self, op: Any, values: Sequence[Value], tree: Tree, params: tuple[Any, ...]) -> Value:
        inputs, output = op.axes()
        ahead = {value.rank - len(axes) for axes, value in zip(inputs, values, strict=True) if axes}
        for axes, value in zip(inputs, values, strict=True):
            if value.rank < len(axes) or (value.rank > len(axes) and (len(ahead) > 1 or not axes)):
                needs = ("a scalar", "a vector", "a square matrix" if len(set(axes)) == 1 else "a matrix")[len(axes)]
                raise self.misfit(tree, f"{self.text(tree)} needs {needs}, not {self.shown(value)}")
            if len(axes) == 2 and axes[0] == axes[1] and not unify(value.shape[-2], value.shape[-1]):
                raise self.misfit(tree, f"{self.text(tree)} needs a square matrix, not {self.shown(value)}")
        extents = self.merge(values)
        if len(inputs) > 1:
            given = [
                self.spread(v, extents, v.shape) if axes else v.node for axes, v in zip(inputs, values, strict=True)
            ]
            return Value(self.algebra.call(op, given, params), tuple(extents))
        (value,) = values
        row = value.row and len(output) == len(inputs[0])
        return Value(self.algebra.call(op, [value.node], params), value.open, row)

    def sum_out(self, value: Value, axes: Sequence[int] | None = None, power: Rational = 1) -> Value:
        """Sum of value^power over positional axes (all of them by default)."""
        rank = value.rank
        gone = range(rank) if axes is None else axes
        out = tuple(k for k in range(rank) if k not in gone)
        node = self.algebra.contract([(value.node, value.open + PLACES[:rank], power)], value.open + out)
        return Value(node, value.open)

    def raised(self, value: Value, exponent: Rational) -> Value:
        """value^exponent, entry by entry."""
        labels = PLACES[: len(value.node.shape)]
        if isinstance(exponent, Fraction) and exponent.denominator % 2 == 0:
            self.known_sign(value)
        return Value(self.algebra.contract([(value.node, labels, exponent)], labels), value.open, value.row)

    @staticmethod
    def known_sign(value: Value) -> None:
        coefficient = getattr(value.node, "coefficient", 0)
        if coefficient < 0 and not value.node.factors:
            raise DomainError(f"{coefficient} has no real square root")

    def number(self, exact: Rational) -> Value:
        return Value(self.algebra.number(exact))

    def swapped(self, value: Value) -> Value:
        """The transpose of a matrix."""
        names = value.open
        return Value(self.algebra.contract([(value.node, (*names, 0, 1))], (*names, 1, 0)), names)

    def onehot(self, label: Value, dim: Axis) -> Value:
        """The unit vector of a label over `dim`: one more axis, after the open ones."""
        return Value(self.algebra.call(OPERATIONS["onehot"], [label.node], (dim,)), label.open)

    def counted(self, tree: Tree) -> Axis:
        """The dimension that the N of range(N) is."""
        exact = literal(tree)
        if exact is not None:
            return int(exact)
        if tree.head == "call" and tree.value in {"len", "shape"}:
            return self.visit_dimension(tree)
        name = str(tree.value)
        if tree.head != "name" or name not in self.scope.sizes:
            raise UnsupportedError("a range is counted by a dimension or a number")
        return find(self.scope.tops.get(name, name))

    def visit_dimension(self, tree: Tree) -> Axis:
        """len(y), or X.shape[0]."""
        value = self.visit(tree.args[0])
        axis = int(exact(tree.args[1])) if len(tree.args) > 1 else 0
        if not -value.rank <= axis < value.rank:
            raise self.misfit(tree, f"{self.text(tree.args[0])} is {self.shown(value)}: it has no axis {axis}")
        return value.shape[axis]

    def dimension(self, name: str, tree: Tree) -> Axis:
        """The dimension that an index name runs over, as far as the binder says."""
        del tree
        dim = self.bound.get(name)
        return self.algebra.hole() if dim is None else dim


def spreading(values: Iterable[Value]) -> bool:
    """Whether what is calculated entry by entry from columns of sums is one itself."""
    tensors = [value for value in values if value.rank]
    return bool(tensors) and all(value.spreads for value in tensors)


def _misplaced(work: Elaborator, tree: Tree) -> Value:
    raise work.misplaced(tree)


MISPLACED = {
    "derivative": "derivatives are what symgrad computes: give the function itself",
    "equation": "equations define names, one a line",
    "declare": "declare shapes on a line of their own",
}
#: One handler a head of the surface tree.
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        ("derivative", "equation", "declare", "block", "slice", "part", "newaxis", "keyword", "binder", "otherwise"),
        _misplaced,
    ),
    **entries.HANDLERS,
    **products.HANDLERS,
    **reductions.HANDLERS,
    **conditions.HANDLERS,
    **applications.HANDLERS,
}
