"""What a surface tree means: from ML notation to positional tensors without broadcasting.

Contract: `Elaborator(algebra, scope).visit(tree)` is the `Value` of a formula.  One handler a head of the tree; a
handler makes its value with the constructors of the algebra only, so that the same code first infers shapes (over
`shapes.Outlines`) and then builds the expression (over `values.Expressions`).  Handlers branch on trees, ranks and
shapes, never on contents, so both runs take the same way.  Every error knows its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import DomainError, InputError, LimitError, NameProblem, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation.functions import BUILTIN, matrix_power, norm
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Scope, Value
from symgrad.ops import INDICATORS, OPERATIONS
from symgrad.shapes import Axis, describe, find, may_equal, unify

#: Visits of subtrees, calls of user functions included, before a formula counts as an attack.
MAX_VISITS = 200_000
MAX_EXPONENT = 10**6
MAX_ENTRIES = 400
MAX_CALLS = 40
PLACES = tuple(range(16))


class Elaborator:
    """One reading of trees in a scope; see the module."""

    def __init__(self, algebra: Any, scope: Scope) -> None:
        self.algebra = algebra
        self.scope = scope
        self.bound: dict[str, Axis | None] = {}
        self.arguments: dict[str, Value] = {}
        self.notes: dict[str, None] = {}
        self.visits = 0
        self.calls = 0
        self.summed: Tree | None = None

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
                    raise ShapeError(
                        f"the index {name} runs over {find(extents[name])} in one place and {find(dim)} in another"
                    )
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
            if rank != len(shape):
                self._last_axis(value, shape, tree)
                continue
            if row != value.row and rank == 1:
                raise self.misfit(
                    tree, f"{self.text(tree)} mixes a row and a column", hint="transpose one of them, or write x yᵀ for a matrix"
                )
            for one, other in zip(shape, value.shape, strict=True):
                if not unify(one, other):
                    raise self.misfit(
                        tree, f"{self.text(tree)} needs equal shapes, not {self.shown(lead)} and {self.shown(value)}"
                    )
        return extents, shape, row

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

    @staticmethod
    def places(value: Value, rank: int) -> tuple[int, ...]:
        """Labels of the positional axes of a value inside a shape of `rank` axes."""
        own = value.rank
        return PLACES[rank - own : rank] if own else ()

    def entrywise(self, values: Sequence[Value], powers: Sequence[Rational], tree: Tree, coefficient: Rational = 1) -> Value:
        """Product, entry by entry, of powers of values."""
        extents, shape, row = self.align(values, tree)
        rank = len(shape)
        factors = [(v.node, v.open + self.places(v, rank), p) for v, p in zip(values, powers, strict=True)]
        names = tuple(extents)
        sizes: dict[Any, Axis] = {**extents, **dict(enumerate(shape))}
        return Value(self.algebra.contract(factors, names + PLACES[:rank], coefficient, sizes), names, row)

    def spread(self, value: Value, extents: dict[str, Axis], shape: tuple[Axis, ...]) -> Any:
        """The tensor of `value` over all of these indices and axes."""
        names, rank = tuple(extents), len(shape)
        if value.open == names and value.rank == rank:
            return value.node
        sizes: dict[Any, Axis] = {**extents, **dict(enumerate(shape))}
        return self.algebra.contract(
            [(value.node, value.open + self.places(value, rank))], names + PLACES[:rank], 1, sizes
        )

    def total(self, terms: Sequence[tuple[int, Value]], tree: Tree) -> Value:
        """A sum of values, scalars repeated over every entry of the others."""
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        extents, shape, row = self.align([value for _, value in terms], tree)
        tensors = [(sign, self.spread(value, extents, shape)) for sign, value in terms]
        return Value(self.algebra.add(tensors), tuple(extents), row)

    def apply(self, name: str, values: Sequence[Value], tree: Tree, params: tuple[Any, ...] = ()) -> Value:
        """A declared operation; entrywise ones take scalars beside tensors, the others act on the last axes."""
        op = OPERATIONS[name]
        if op.signature:
            return self._apply_to_axes(op, values, tree, params)
        if len(values) == 1:
            return Value(self.algebra.call(op, [values[0].node]), values[0].open, values[0].row)
        extents, shape, row = self.align(values, tree)
        tensors = [
            value.node if not value.node.shape else self.spread(value, extents, shape) for value in values
        ]
        return Value(self.algebra.call(op, tensors), tuple(extents), row)

    def _apply_to_axes(self, op: Any, values: Sequence[Value], tree: Tree, params: tuple[Any, ...]) -> Value:
        inputs, output = op.axes()
        (value,) = values
        axes = inputs[0]
        if value.rank < len(axes):
            needs = "a vector" if len(axes) == 1 else "a square matrix"
            raise self.misfit(tree, f"{self.text(tree)} needs {needs}, not {self.shown(value)}")
        if len(axes) == 2 and not unify(value.shape[-2], value.shape[-1]):
            raise self.misfit(tree, f"{self.text(tree)} needs a square matrix, not {self.shown(value)}")
        return Value(self.algebra.call(op, [value.node], params), value.open, value.row and len(output) == len(axes))

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

    def condition(self, tree: Tree) -> Value:
        """The 0/1 value of a condition."""
        return condition(self, tree)

    def dimension(self, name: str, tree: Tree) -> Axis:
        """The dimension that an index name runs over, as far as the binder says."""
        del tree
        dim = self.bound.get(name)
        return self.algebra.hole() if dim is None else dim


# --- products ---------------------------------------------------------------------------------------------------------


class Chain:
    """A product being read from left to right: scalars drop out, matrices and vectors meet at their inner axes."""

    def __init__(self, work: Elaborator, tree: Tree, how: str) -> None:
        self.work = work
        self.tree = tree
        self.how = how
        self.coefficient: Rational = 1
        self.factors: list[tuple[Any, tuple[Any, ...], Rational]] = []
        self.extents: dict[str, Axis] = {}
        self.labels: tuple[int, ...] = ()
        self.dims: tuple[Axis, ...] = ()
        self.row = False
        self.fresh = 0
        self.parts: list[tuple[Value, Tree]] = []

    def times(self, value: Value, tree: Tree) -> None:
        """Multiply by one more factor from the right."""
        node, rank = value.node, len(value.node.shape) - len(value.open)
        extents = self.extents
        for name, dim in zip(value.open, node.shape, strict=False):
            if not unify(extents.setdefault(name, dim), dim):
                raise ShapeError(f"the index {name} runs over {find(extents[name])} in one place and {find(dim)} in another")
        if rank == 0:
            self.factors.append((node, value.open, 1))
            return
        if rank > 2:
            raise UnsupportedError(f"{self.work.text(tree)} has {rank} axes: write its products with indices")
        shape = value.shape
        labels = tuple(range(self.fresh, self.fresh + rank))
        self.fresh += rank
        if self.labels:
            labels = self.meet(value, shape, labels, tree)
        else:
            self.labels, self.dims, self.row = labels, shape, value.row
        self.factors.append((node, value.open + labels, 1))
        self.parts.append((value, tree))

    def meet(self, value: Value, shape: tuple[Axis, ...], labels: tuple[int, ...], tree: Tree) -> tuple[int, ...]:
        """Join the axes of the product so far with those of the next factor; the labels of that factor."""
        left = "row" if self.row else "column" if len(self.labels) == 1 else "matrix"
        right = "row" if value.row else "column" if len(labels) == 1 else "matrix"
        if (left, right) == ("column", "row"):
            self.labels, self.dims, self.row = self.labels + labels, self.dims + shape, False
            return labels
        if (left, right) not in JOINS and not self.allowed(left, right):
            raise self.refusal(left, right, value, tree)
        if not unify(self.dims[-1], shape[0]):
            raise self.mismatch(value, tree)
        labels = (self.labels[-1], *labels[1:])
        self.labels, self.dims = self.labels[:-1] + labels[1:], self.dims[:-1] + shape[1:]
        self.row = self.row and bool(self.labels)
        return labels

    def allowed(self, left: str, right: str) -> bool:
        """Products that are only read in NumPy's way, by a dot, or with a note."""
        if self.how in {".", "@"} and left != "matrix" and right != "matrix":
            return True
        if (left, right) == ("column", "column") and len(self.parts) == 1 and _is_row_of(self.parts[0][1]):
            self.work.note(f"{self.work.text(self.parts[0][1])} is a row of its matrix")
            return True
        if (left, right) == ("column", "matrix") and len(self.parts) == 1:
            if not self.work.scope.numpy:
                text = self.work.text(self.parts[0][1])
                self.work.note(f"in {self.work.text(self.tree)} the vector {text} stands for the row {text}ᵀ")
            return True
        return self.work.scope.numpy and left == "column"

    def refusal(self, left: str, right: str, value: Value, tree: Tree) -> ShapeError:
        one, other = self.work.text(self.parts[-1][1]), self.work.text(tree)
        message = f"a {left} times a {right} has no meaning here: {one} is {describe(self.dims, row=self.row)}, "
        message += f"{other} is {self.work.shown(value)}"
        hint = f"write {one}ᵀ {other}, {one} {other}ᵀ or {one} .* {other}"
        if (left, right) != ("column", "column"):
            hint = f"transpose one of them, as in {one} {other}ᵀ"
        return self.work.misfit(self.tree, message, hint)

    def mismatch(self, value: Value, tree: Tree) -> ShapeError:
        text, other = self.work.text(self.tree), self.work.text(tree)
        inner, outer = find(self.dims[-1]), find(value.shape[0])
        so_far = describe(self.dims, row=self.row)
        message = f"{text} does not fit: what stands before {other} is {so_far}, but {other} is {self.work.shown(value)}"
        return self.work.misfit(self.tree, message, f"the inner dimensions must agree, and {inner} is not {outer}")

    def value(self) -> Value:
        names = tuple(self.extents)
        if len(self.factors) == 1 and self.coefficient == 1 and self.factors[0][1] == names + self.labels:
            return Value(self.factors[0][0], names, self.row)
        node = self.work.algebra.contract(self.factors, names + self.labels, self.coefficient)
        return Value(node, names, self.row)


def _is_row_of(tree: Tree) -> bool:
    """Whether a factor is X_i or X^(i), a row of a matrix with a capital name."""
    return tree.head == "index" and len(tree.args) == 2 and str(tree.args[0].value)[:1].isupper()


#: What meets at the inner axes without further question.
JOINS = frozenset({("matrix", "matrix"), ("matrix", "column"), ("row", "matrix"), ("row", "column")})


def _mul(work: Elaborator, tree: Tree) -> Value:
    how = str(tree.value or "")
    if how in {"odot", "star"}:
        return work.entrywise([work.visit(arg) for arg in tree.args], [1] * len(tree.args), tree)
    chain = Chain(work, tree, how)
    for position, arg in enumerate(tree.args):
        if arg.head == "num":
            chain.coefficient *= arg.value  # type: ignore[operator]
            continue
        value = work.visit(arg)
        if _starred(work, chain, value, tree, position):
            left = chain.value()
            work.note(f"{work.text(tree)} multiplies entry by entry")
            chain = Chain(work, tree, how)
            value = work.entrywise([left, value], [1, 1], tree)
        chain.times(value, arg)
    return chain.value()


def _starred(work: Elaborator, chain: Chain, value: Value, tree: Tree, position: int) -> bool:
    """Whether `x * y` joins two arrays that cannot be multiplied otherwise: vectors of one kind."""
    if len(chain.labels) != 1 or value.rank != 1 or chain.row != value.row or tree.value:
        return False
    between = work.scope.source[tree.args[position - 1].end : tree.args[position].start]
    return between.strip() == "*"


def _div(work: Elaborator, tree: Tree) -> Value:
    top, bottom = tree.args
    if bottom.head == "num":
        if bottom.value == 0:
            raise DomainError("this divides by zero", source=work.scope.source, offset=bottom.start, end=bottom.end)
        exact = 1 / Fraction(bottom.value)  # type: ignore[arg-type]
        if top.head == "num":
            return work.number(exact * top.value)  # type: ignore[operator]
        return work.entrywise([work.visit(top)], [1], tree, exact)
    below = work.visit(bottom)
    if below.rank and tree.value != "odot" and not work.scope.numpy:
        work.note(f"{work.text(tree)} divides entry by entry")
    if top.head == "num":
        return work.entrywise([below], [-1], tree, top.value)  # type: ignore[arg-type]
    return work.entrywise([work.visit(top), below], [1, -1], tree)


def _neg(work: Elaborator, tree: Tree) -> Value:
    value = work.visit(tree.args[0])
    return Value(work.algebra.add([(-1, value.node)]), value.open, value.row)


def _add(work: Elaborator, tree: Tree) -> Value:
    signs: Sequence[int] = tree.value  # type: ignore[assignment]
    values = [work.visit(arg) for arg in tree.args]
    rank = max(value.rank for value in values)
    if rank:
        for arg, value in zip(tree.args, values, strict=True):
            if value.rank == 0 and literal(arg) is None:
                work.note(f"in {work.text(tree)} the scalar {work.text(arg)} is added to every entry")
    return work.total(list(zip(signs, values, strict=True)), tree)


# --- powers -----------------------------------------------------------------------------------------------------------


def _pow(work: Elaborator, tree: Tree) -> Value:
    base, exponent = tree.args
    power = literal(exponent)
    if power is not None:
        whole = literal(tree)
        if whole is not None:
            return work.number(whole)
        if abs(power) > MAX_EXPONENT:
            raise LimitError("this exponent is too large", code="LIMIT_NUMBER")
        if Fraction(power).denominator == 1:
            power = int(power)
    value = work.visit(base)
    if value.rank == 2 and tree.value != "odot" and not _of_entries(work, value, tree):
        return _matrix_power(work, value, exponent, power, tree)
    if power is not None:
        if value.rank == 1 and tree.value != "odot" and not work.scope.numpy:
            work.note(f"{work.text(tree)} takes the power of every entry")
        return work.raised(value, power)
    return work.apply("power", [value, work.visit(exponent)], tree)


def _of_entries(work: Elaborator, value: Value, tree: Tree) -> bool:
    """Directly below a sum over all entries, (Y - P)² is the square of every entry unless the matrix is square."""
    rows, columns = (find(d) for d in value.shape)
    if tree is not work.summed or rows == columns:
        return False
    work.note(f"{work.text(tree)} takes the power of every entry")
    return True


def _matrix_power(work: Elaborator, value: Value, exponent: Tree, power: Rational | None, tree: Tree) -> Value:
    """A^k is a product of matrices, A^{-1} the inverse, A^{-T} its transpose."""
    if exponent.head == "neg" and exponent.args[0].head == "name" and exponent.args[0].value == "T":
        return work.swapped(work.apply("inverse", [value], tree))
    if not isinstance(power, int):
        raise UnsupportedError(
            f"{work.text(tree)}: only whole powers of a matrix are known", hint="write .^ for the power of every entry"
        )
    return matrix_power(work, value, power, tree)


# --- names, numbers, indices ------------------------------------------------------------------------------------------


def _num(work: Elaborator, tree: Tree) -> Value:
    return Value(work.algebra.number(tree.value))


def _const(work: Elaborator, tree: Tree) -> Value:
    if tree.value == "e":
        return work.apply("exp", [work.number(1)], tree)
    if tree.value == "pi":
        return Value(work.algebra.call(OPERATIONS["pi"], []))
    raise DomainError("infinity is not a number to calculate with")


def _name(work: Elaborator, tree: Tree) -> Value:
    name: str = tree.value  # type: ignore[assignment]
    scope = work.scope
    found = work.arguments.get(name) or scope.values.get(name)
    if found is not None:
        return found
    if name in work.bound:
        raise UnsupportedError(f"the index {name} is used as a number", hint=f"use {name} in subscripts and conditions only")
    node = scope.variables.get(name)
    if node is not None:
        return Value(node)
    if name in scope.sizes:
        return Value(work.algebra.size(find(scope.tops.get(name, name))))
    if name == "I":
        return Value(work.algebra.delta(work.algebra.hole()))
    raise NameProblem(f"the name {name} means nothing here")


def _in_range(place: int, dim: Axis) -> None:
    dim = find(dim)
    if place < 0 or (isinstance(dim, int) and place >= dim):
        raise ShapeError(f"there is no entry {place} (counted from 0) in an axis of {dim}", code="DOMAIN")


SLICE, INDEX, LABEL, PLACE = "slice", "index", "label", "place"


def kind_of_subscript(work: Elaborator, tree: Tree) -> str:
    """How a subscript is meant: every entry, an index, a label variable, or a fixed place."""
    head = tree.head
    if head == "slice":
        return SLICE
    if head == "num":
        return PLACE
    if head == "name":
        name: str = tree.value  # type: ignore[assignment]
        if name in work.bound:
            return INDEX
        known = name in work.scope.labels or name in work.scope.variables or name in work.scope.values
        return LABEL if known or name in work.arguments else INDEX
    if head == "index" or head == "call":
        return LABEL
    raise UnsupportedError("an index can only be a letter, a number or a label", hint="shifted indices are not read yet")


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
    if len(subscripts) > rank:
        raise work.misfit(tree, f"{work.text(base)} is {work.shown(value)}: it cannot have {len(subscripts)} indices")
    kinds = [kind_of_subscript(work, subscript) for subscript in subscripts]
    names = tuple([str(s.value) for s in subscripts])
    if all(kind is INDEX for kind in kinds) and len({*value.open, *names}) == len(value.open) + len(names):
        for name, dim in zip(names, value.shape, strict=False):
            _same_range(work, name, dim, tree)
        return Value(value.node, value.open + names)
    return _pick(work, value, subscripts, kinds, tree)


def _same_range(work: Elaborator, name: str, dim: Axis, tree: Tree) -> None:
    """An index runs over one dimension wherever it occurs."""
    given = work.bound.get(name)
    if given is None:
        if name in work.bound:
            work.bound[name] = dim
    elif not unify(given, dim):
        raise work.misfit(tree, f"the index {name} runs over {find(given)}, but {work.text(tree)} needs {find(dim)}")


def _pick(work: Elaborator, value: Value, subscripts: Sequence[Tree], kinds: Sequence[str], tree: Tree) -> Value:
    """Entries, rows and columns of a value, chosen by indices, labels and numbers."""
    zero = 0 if work.scope.numpy or tree.args[0].value in work.scope.zero_based else 1
    labels: list[Any] = []
    names: dict[str, None] = dict.fromkeys(value.open)
    factors: list[tuple[Value, tuple[Any, ...], Rational]] = []
    out: list[Any] = []
    shape = value.shape
    for axis, dim in enumerate(shape):
        kind = kinds[axis] if axis < len(kinds) else SLICE
        if kind is INDEX:
            name = str(subscripts[axis].value)
            _same_range(work, name, dim, tree)
            names.setdefault(name)
            labels.append(name)
            continue
        labels.append(axis)
        if kind is SLICE:
            out.append(axis)
            continue
        if kind is PLACE:
            place = int(subscripts[axis].value) - zero  # type: ignore[call-overload]
            _in_range(place, dim)
            factors.append((work.onehot(work.number(place), dim), (axis,), 1))
        else:
            factors.append((work.onehot(label_value(work, subscripts[axis]), dim), (axis,), 1))
    for unit, _, _ in factors:
        names.update(dict.fromkeys(unit.open))
    given = [(value.node, value.open + tuple(labels), 1)]
    given += [(unit.node, unit.open + axes, power) for unit, axes, power in factors]  # type: ignore[misc]
    row = len(out) == 1 and len(shape) == 2 and out[0] == 1 and len(kinds) == 2 and not work.scope.numpy
    return Value(work.algebra.contract(given, tuple(names) + tuple(out)), tuple(names), row)


def label_value(work: Elaborator, tree: Tree) -> Value:
    """The value of a label subscript such as y or y_i."""
    if tree.head == "index" and tree.args[0].head == "name":
        node = work.scope.variables.get(str(tree.args[0].value))
        if node is not None and not node.shape:
            work.note(f"{tree.args[0].value} is one label: its index is only part of its name")
            return Value(node)
    value = work.visit(tree)
    if value.rank:
        raise work.misfit(tree, f"{work.text(tree)} is {work.shown(value)}: a label must be a scalar")
    return value


def _special_index(work: Elaborator, base: Tree, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """Unit vectors e_k, sized identities I_n, rows x_i of a matrix declared as X, and functions of an index."""
    if base.head == "const" and base.value == "e" and len(subscripts) == 1:
        return _unit(work, subscripts[0], tree)
    if base.head != "name":
        return None
    name: str = base.value  # type: ignore[assignment]
    if name == "e" and len(subscripts) == 1 and not _known(work, name):
        return _unit(work, subscripts[0], tree)
    if name == "delta" and len(subscripts) == 2 and not _known(work, name):
        return _same_position(work, subscripts[0], subscripts[1], tree)
    if name == "I" and name not in work.scope.variables and subscripts[0].head == "name":
        return Value(work.algebra.delta(str(subscripts[0].value)))
    if name in work.scope.rows and name not in work.scope.variables:
        capital = work.scope.rows[name]
        work.note(f"{work.text(tree)} is a row of {capital}")
        return _index(work, Tree("index", (Tree("name", (), capital, base.start, base.end), *subscripts), None, tree.start, tree.end))
    return None


def _known(work: Elaborator, name: str) -> bool:
    return name in work.arguments or name in work.scope.values or name in work.scope.variables


def _unit(work: Elaborator, subscript: Tree, tree: Tree) -> Value:
    """e_k, the k-th unit vector."""
    if kind_of_subscript(work, subscript) is INDEX:
        dim = work.dimension(str(subscript.value), tree)
        return Value(work.algebra.delta(dim), (str(subscript.value),))
    if subscript.head == "num":
        return work.onehot(work.number(int(subscript.value) - 1), work.algebra.hole())  # type: ignore[call-overload]
    return work.onehot(label_value(work, subscript), work.algebra.hole())


def _transpose(work: Elaborator, tree: Tree) -> Value:
    value = work.visit(tree.args[0])
    if value.rank == 2:
        return work.swapped(value)
    if value.rank == 1 and not work.scope.numpy:
        return Value(value.node, value.open, not value.row)
    if value.rank > 2:
        raise UnsupportedError("a tensor of more than two axes has no transpose: write it with indices")
    return value


# --- sums and other big operators -------------------------------------------------------------------------------------


def _big(work: Elaborator, tree: Tree) -> Value:
    body, *binders = tree.args
    names = [name for binder in binders for name in binder.value[0]]  # type: ignore[index]
    for name in names:
        if name in work.bound:
            raise InputError(f"the index {name} is bound twice", code="UNBOUND")
    if len(set(names)) < len(names):
        raise InputError("an index is bound twice", code="UNBOUND")
    for binder in binders:
        for name in binder.value[0]:  # type: ignore[index]
            work.bound[name] = None
        if binder.value[1] == "range":  # type: ignore[index]
            work.bound[binder.value[0][0]] = _range(work, binder)  # type: ignore[index]
    try:
        if body.head == "name" and body.value in names:
            return _sum_of_index(work, tree)
        value = work.visit(body)
        weights = [weight for binder in binders for weight in _conditions(work, binder)]
        return _BIG[str(tree.value)](work, tree, value, names, weights)
    finally:
        for name in names:
            del work.bound[name]


def _sum_of_index(work: Elaborator, tree: Tree) -> Value:
    """1 + 2 + ... + N = N (N + 1) / 2; other sums of the index itself are not known."""
    binder = tree.args[1]
    known = tree.value == "sum" and len(tree.args) == 2 and binder.value == ((tree.args[0].value,), "range")
    if not known or literal(binder.args[0]) != 1:
        return work.visit(tree.args[0])
    count = Value(work.algebra.size(find(work.bound[str(tree.args[0].value)])))
    following = work.total([(1, count), (1, work.number(1))], tree)
    return work.entrywise([count, following], [1, 1], tree, Fraction(1, 2))


def _range(work: Elaborator, binder: Tree) -> Axis:
    """The dimension that `i = 1 .. N` or `i = 0 .. N-1` says."""
    lower, upper = binder.args
    first, last = literal(lower), literal(upper)
    if first is not None and last is not None and Fraction(first).denominator == Fraction(last).denominator == 1:
        count = int(last) - int(first) + 1
        if count < 1 or first not in {0, 1}:
            raise UnsupportedError(f"sums from {first} to {last} are not read yet", hint="sums run over a whole axis")
        return count
    top = upper
    if first == 0 and upper.head == "add" and upper.value == (1, -1) and literal(upper.args[1]) == 1:
        top = upper.args[0]
    elif first != 1:
        raise UnsupportedError("a sum must run over a whole axis, as from 1 to N")
    if top.head != "name" or (top.value in work.scope.variables and top.value not in work.scope.sizes):
        raise UnsupportedError("the upper end of a sum must be the name of a dimension or a number")
    return work.scope.tops.get(str(top.value), str(top.value))


def _conditions(work: Elaborator, binder: Tree) -> list[Value]:
    """The 0/1 weights that the conditions under a sum stand for."""
    return [condition(work, compare) for compare in binder.args] if binder.value[1] == "where" else []  # type: ignore[index]


def _sum_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if not names:
        if not value.rank:
            raise InputError(
                "a sum needs its index: over what does it run?", source=work.scope.source, offset=tree.start, end=tree.end,
                hint=r"write \sum_i, or sum(x) for the sum of all entries",
            )  # fmt: skip
        work.note(f"{work.text(tree)} sums all entries")
        return work.sum_out(value)
    flat = value.rank and _is_flat(work, tree.args[0], names)
    if flat:
        work.note(f"{work.text(tree)} runs over all entries")
    rank = value.rank
    extents = work.merge([value, *weights])
    sizes: dict[Any, Axis] = dict(extents)
    for name in names:
        dim = work.bound[name]
        if name in extents:
            if dim is not None and not unify(dim, extents[name]):
                raise work.misfit(tree, f"the index {name} runs over {find(dim)} and over {find(extents[name])}")
        else:
            sizes[name] = work.algebra.hole() if dim is None else dim
            work.note(f"the sum over {name} has no term with {name}")
    out = tuple(name for name in extents if name not in names)
    factors = [(value.node, value.open + PLACES[:rank], 1), *[(w.node, w.open, 1) for w in weights]]
    places = () if flat else PLACES[:rank]
    return Value(work.algebra.contract(factors, out + places, 1, sizes), out, value.row and not flat)


def _is_flat(work: Elaborator, tree: Tree, names: list[str]) -> bool:
    """Whether the body is W_k² or |W_k|, times numbers: one index for both axes of a matrix."""
    if tree.head in {"add", "mul", "neg"}:
        return any(_is_flat(work, arg, names) for arg in tree.args)
    if tree.head not in {"pow", "bars"} or tree.args[0].head != "index":
        return False
    entry = tree.args[0]
    return len(entry.args) == 2 and entry.args[1].value in names


def _last(work: Elaborator, value: Value, names: list[str], tree: Tree) -> Value:
    """`value` with its one bound index as its last axis."""
    if len(names) != 1 or value.rank:
        raise UnsupportedError("this needs a single index and a scalar for each")
    (name,) = names
    dim = work.bound[name]
    if name not in value.open:
        raise InputError(f"the index {name} does not occur in what follows")
    for known, extent in zip(value.open, value.extents, strict=True):
        if known == name and dim is not None and not unify(dim, extent):
            raise work.misfit(tree, f"the index {name} runs over {find(dim)} and over {find(extent)}")
    rest = tuple(n for n in value.open if n != name)
    return Value(work.algebra.contract([(value.node, value.open)], (*rest, name)), rest)


def _max_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if weights:
        raise UnsupportedError("a maximum under a condition is not read yet")
    if not names:
        return work.apply("amax", [value], tree)
    return work.apply("amax", [_last(work, value, names, tree)], tree)


def _min_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    negative = Value(work.algebra.add([(-1, value.node)]), value.open)
    best = _max_over(work, tree, negative, names, weights)
    return Value(work.algebra.add([(-1, best.node)]), best.open)


def _lse_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if weights:
        raise UnsupportedError("logsumexp under a condition is not read yet")
    return work.apply("logsumexp", [_last(work, value, names, tree) if names else value], tree)


def _product_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    del value, names, weights
    raise UnsupportedError(f"{work.text(tree)}: products over an index are not read yet")


_BIG: dict[str, Callable[[Elaborator, Tree, Value, list[str], list[Value]], Value]] = {
    "sum": _sum_over, "max": _max_over, "min": _min_over, "logsumexp": _lse_over, "prod": _product_over,
}  # fmt: skip


# --- conditions -------------------------------------------------------------------------------------------------------


def condition(work: Elaborator, tree: Tree) -> Value:
    """The 0/1 value of a condition."""
    if tree.head == "compare":
        return _compare(work, tree)
    if tree.head == "and":
        return work.entrywise([condition(work, arg) for arg in tree.args], [1] * len(tree.args), tree)
    if tree.head == "indicator":
        return condition(work, tree.args[0])
    return work.visit(tree)


def _is_position(work: Elaborator, tree: Tree) -> bool:
    """Whether a side of `=` names a position on an axis: a bound or free index letter."""
    if tree.head != "name" or tree.value in work.scope.variables or tree.value in work.scope.values:
        return False
    return tree.value not in work.scope.sizes and tree.value not in work.arguments


def _compare(work: Elaborator, tree: Tree) -> Value:
    left, right = tree.args
    sign = str(tree.value)
    if sign in {"=", "!="}:
        if _is_position(work, right) and not _is_position(work, left):
            left, right = right, left
        if _is_position(work, left):
            return _inverted(work, _same_position(work, left, right, tree), sign)
    one, other = work.visit(left), work.visit(right)
    if sign in {"<", "<="}:
        one, other, sign = other, one, sign.replace("<", ">")
    difference = work.total([(1, one), (-1, other)], tree)
    return _inverted(work, work.apply(INDICATORS["=" if sign == "!=" else sign].name, [difference], tree), sign)


def _inverted(work: Elaborator, value: Value, sign: str) -> Value:
    if sign != "!=":
        return value
    one = Value(work.algebra.number(1, value.node.shape), value.open)
    return Value(work.algebra.add([(1, one.node), (-1, value.node)]), value.open)


def _same_position(work: Elaborator, left: Tree, right: Tree, tree: Tree) -> Value:
    """1 where an index equals another index, a label, or a number."""
    name = str(left.value)
    dim = work.dimension(name, tree)
    if _is_position(work, right):
        other = str(right.value)
        if not unify(dim, work.dimension(other, tree)):
            raise work.misfit(tree, f"{name} and {other} run over different dimensions")
        return Value(work.algebra.delta(dim), (name, other))
    place = literal(right)
    label = work.number(int(place) - (not work.scope.numpy)) if place is not None else label_value(work, right)
    unit = work.onehot(label, dim)
    return Value(unit.node, (*unit.open, name))


def _cases(work: Elaborator, tree: Tree) -> Value:
    branches = [work.visit(arg) for arg in tree.args[::2]]
    conditions = tree.args[1::2]
    result = branches[-1]
    if conditions[-1].head != "otherwise":
        if len(branches) == 1:
            raise InputError("these cases do not say what holds otherwise", hint="add a last case `otherwise`")
        work.note("the last case is taken wherever the others do not hold")
    for branch, tested in zip(branches[-2::-1], conditions[-2::-1], strict=True):
        result = work.apply("where", [condition(work, tested), branch, result], tree)
    return result


# --- norms, arrays, calls ---------------------------------------------------------------------------------------------


def _norm(work: Elaborator, tree: Tree) -> Value:
    return norm(work, work.visit(tree.args[0]), str(tree.value or ""), tree)


def _bars(work: Elaborator, tree: Tree) -> Value:
    value = work.visit(tree.args[0])
    if value.rank == 2:
        return work.apply("det", [value], tree)
    return work.apply("abs", [value], tree)


def _inner(work: Elaborator, tree: Tree) -> Value:
    left, right = (work.visit(arg) for arg in tree.args)
    left, right = Value(left.node, left.open), Value(right.node, right.open)
    return work.sum_out(work.entrywise([left, right], [1, 1], tree))


def _array(work: Elaborator, tree: Tree) -> Value:
    """A vector or matrix written out: entries times unit vectors."""
    rows, columns = tree.value  # type: ignore[misc]
    if rows * (columns or 1) > MAX_ENTRIES:
        raise LimitError("this array is too large to be written out", code="LIMIT_LENGTH")
    terms = []
    for k, arg in enumerate(tree.args):
        entry = work.visit(arg)
        if entry.rank:
            raise UnsupportedError("the entries of an array must be scalars")
        places = [(work.onehot(work.number(k if columns is None else k // columns), rows), (0,), 1)]
        if columns is not None:
            places.append((work.onehot(work.number(k % columns), columns), (1,), 1))
        terms.append((1, work.combine([(entry, (), 1), *places], PLACES[: len(places)])))
    value = work.total(terms, tree)
    if columns is not None and 1 in {rows, columns}:
        flat = work.algebra.contract([(value.node, (*value.open, 0, 1))], (*value.open, 1 if rows == 1 else 0))
        return Value(flat, value.open, rows == 1 and columns != 1)
    return value


def _assemble(work: Elaborator, tree: Tree) -> Value:
    names: tuple[str, ...] = tree.value  # type: ignore[assignment]
    for name in names:
        if name in work.bound:
            raise InputError(f"the index {name} is bound twice", code="UNBOUND")
        work.bound[name] = None
    try:
        return close(work, work.visit(tree.args[0]), names, tree)
    finally:
        for name in names:
            del work.bound[name]


def close(work: Elaborator, value: Value, names: tuple[str, ...], tree: Tree) -> Value:
    """`value` with the open indices `names` made its first positional axes."""
    if value.open == names and names:
        return Value(value.node)
    rest = tuple(name for name in value.open if name not in names)
    places = PLACES[: value.rank]
    sizes: dict[Any, Axis] = {
        name: work.dimension(name, tree) for name in names if name not in value.open
    }
    return Value(work.algebra.contract([(value.node, value.open + places)], rest + names + places, 1, sizes), rest)


def _call(work: Elaborator, tree: Tree) -> Value:
    name: str = tree.value  # type: ignore[assignment]
    scope = work.scope
    function = scope.functions.get(name)
    if function is not None:
        return _user_call(work, name, tree)
    if name in scope.values or name in work.arguments:
        work.note(f"{work.text(tree)} is {name}: what it depends on was given above")
        return work.arguments.get(name) or scope.values[name]
    handler = BUILTIN.get(name)
    if handler is None:
        raise NameProblem(f"there is no function {name}", hint="known are exp, log, max, softmax, sum, tr, ...")
    return handler(work, tree)


def _user_call(work: Elaborator, name: str, tree: Tree) -> Value:
    """A function that the user defined, expanded."""
    function = work.scope.functions[name]
    if len(tree.args) != len(function.parameters):
        raise InputError(f"{name} takes {len(function.parameters)} arguments, not {len(tree.args)}", code="ARITY")
    if work.calls >= MAX_CALLS:
        raise LimitError(f"the definition of {name} never ends", code="LIMIT_DEPTH")
    given = {p: work.visit(arg) for p, arg in zip(function.parameters, tree.args, strict=True)}
    outer, work.arguments = work.arguments, given
    bound, work.bound = work.bound, {}
    work.calls += 1
    try:
        return work.visit(function.body)
    finally:
        work.arguments, work.bound = outer, bound
        work.calls -= 1


def _comparison(work: Elaborator, tree: Tree) -> Value:
    return _compare(work, tree) if work.scope.numpy else _misplaced(work, tree)


def _misplaced(work: Elaborator, tree: Tree) -> Value:
    del work
    raise InputError("this may not stand inside an expression", hint=MISPLACED.get(tree.head, ""))


MISPLACED = {
    "compare": "a comparison makes a number only as an indicator, 1[x > 0]",
    "derivative": "derivatives are what symgrad computes: give the function itself",
    "equation": "equations define names, one a line",
}

HANDLERS: dict[str, Callable[[Elaborator, Tree], Value]] = {
    "num": _num, "name": _name, "const": _const, "index": _index, "neg": _neg, "add": _add, "mul": _mul, "div": _div,
    "pow": _pow, "transpose": _transpose, "call": _call, "norm": _norm, "bars": _bars, "inner": _inner, "big": _big,
    "indicator": condition, "cases": _cases, "array": _array, "assemble": _assemble, "compare": _comparison,
    "and": _misplaced, "derivative": _misplaced, "equation": _misplaced, "block": _misplaced, "slice": _misplaced,
    "keyword": _misplaced, "binder": _misplaced, "otherwise": _misplaced,
}  # fmt: skip
