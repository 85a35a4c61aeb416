"""Products, quotients, sums and powers: how matrices, rows, columns and scalars go together.

Contract: a product is read from left to right by a `Chain` and becomes one contraction; what has no meaning in matrix
notation is refused with what could have been meant, and what is read in another way than it is written is noted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad.errors import DomainError, InputError, LimitError, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation.literals import exact, literal, signs
from symgrad.notation.matrices import crossed, matrix_power
from symgrad.notation.ranks import is_matrix_name
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value, different_ranges
from symgrad.shapes import Axis, describe, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator

MAX_EXPONENT = 10**6


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
        self.promoted = False  # whether a vector stood for a row
        self.fresh = 0
        self.parts: list[tuple[Value, Tree]] = []

    def times(self, value: Value, tree: Tree) -> None:
        """Multiply by one more factor from the right."""
        node, rank = value.node, len(value.node.shape) - len(value.open)
        extents = self.extents
        for name, dim in zip(value.open, node.shape, strict=False):
            if not unify(extents.setdefault(name, dim), dim):
                raise different_ranges(name, extents[name], dim)
        if rank == 0 and tree.head == "name" and tree.value in self.work.bound and self._beside_a_vector():
            raise InputError(
                f"the index {tree.value} is used as a number beside an array: or is it an entry?", code="AMBIGUOUS",
                hint=f"write an entry as x_{tree.value}, and the number in front",
            )  # fmt: skip
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

    def _beside_a_vector(self) -> bool:
        """Whether the factor before is the name of an array."""
        return bool(self.parts) and self.parts[-1][1].head == "name"

    def meet(self, value: Value, shape: tuple[Axis, ...], labels: tuple[int, ...], tree: Tree) -> tuple[int, ...]:
        """Join the axes of the product so far with those of the next factor; the labels of that factor."""
        left = "row" if self.row else "column" if len(self.labels) == 1 else "matrix"
        right = "row" if value.row else "column" if len(labels) == 1 else "matrix"
        if (left, right) == ("column", "row") and self.promoted:
            self.work.note(f"{self.work.text(tree)} is a column, since the vectors before it are rows")
        elif (left, right) == ("column", "row"):
            self.labels, self.dims, self.row = self.labels + labels, self.dims + shape, False
            return labels
        elif (left, right) not in JOINS and not self.allowed(left, right):
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
        if (left, right) == ("column", "column") and len(self.parts) == 1 and _is_matrix(self.parts[0][1]):
            self.work.note(f"{self.work.text(self.parts[0][1])} is written as a matrix and is a vector: its one row")
            return True
        if (left, right) == ("column", "matrix") and len(self.parts) == 1:
            if not self.work.scope.numpy:
                text = self.work.text(self.parts[0][1])
                self.work.note(f"in {self.work.text(self.tree)} the vector {text} stands for the row {text}ᵀ")
                self.promoted = True
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
        if len(self.parts) == 1:
            one = self.work.text(self.parts[0][1])
            needed = describe((*self.dims[:-1], outer), row=self.row)
            message = f"{text} needs {one} ∈ {needed}, but {one} ∈ {so_far}: {other} ∈ {self.work.shown(value)}"
        else:
            message = f"{text} does not fit: before {other} stands {so_far}, but {other} ∈ {self.work.shown(value)}"
        return self.work.misfit(self.tree, message, f"the inner dimensions must agree, and {inner} is not {outer}")

    def value(self) -> Value:
        names = tuple(self.extents)
        spreads = len(self.parts) == 1 and self.parts[0][0].spreads
        if len(self.factors) == 1 and self.coefficient == 1 and self.factors[0][1] == names + self.labels:
            return Value(self.factors[0][0], names, self.row, spreads)
        node = self.work.algebra.contract(self.factors, names + self.labels, self.coefficient)
        return Value(node, names, self.row, spreads)


def _is_matrix(tree: Tree) -> bool:
    """Whether a name is written as a matrix is."""
    return tree.head == "name" and is_matrix_name(str(tree.value))


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
    turned: set[int] = set()
    for position, arg in enumerate(tree.args):
        if arg.head == "num":
            chain.coefficient *= exact(arg)
            continue
        value = work.visit(arg)
        if _between(work, chain, value, tree, position) in ("\\times", "×"):
            if position in turned:
                hint = "put brackets around two of them"
                raise InputError(f"{work.text(tree)}: which product comes first?", code="AMBIGUOUS", hint=hint)
            turned.add(position + 1)
            value = crossed(work, [chain.value(), value], tree)
            chain = Chain(work, tree, how)
        elif _between(work, chain, value, tree, position) == "*":
            left = chain.value()
            work.note(f"{work.text(tree)} multiplies entry by entry")
            chain = Chain(work, tree, how)
            value = work.entrywise([left, value], [1, 1], tree)
        chain.times(value, arg)
    return chain.value()


def _between(work: Elaborator, chain: Chain, value: Value, tree: Tree, position: int) -> str:
    """The sign between two arrays that cannot be multiplied as matrices are: vectors of one kind, as in `x * y`."""
    if len(chain.labels) != 1 or value.rank != 1 or chain.row != value.row or tree.value:
        return ""
    return work.scope.source[tree.args[position - 1].end : tree.args[position].start].strip()


def _div(work: Elaborator, tree: Tree) -> Value:
    top, bottom = tree.args
    if bottom.head == "num":
        if bottom.value == 0:
            raise DomainError("this divides by zero", source=work.scope.source, offset=bottom.start, end=bottom.end)
        inverse = 1 / Fraction(exact(bottom))
        if top.head == "num":
            return work.number(inverse * exact(top))
        return work.entrywise([work.visit(top)], [1], tree, inverse)
    below = work.visit(bottom)
    if below.rank and tree.value != "odot" and not work.scope.numpy:
        work.note(f"{work.text(tree)} divides entry by entry")
    if top.head == "num":
        return work.entrywise([below], [-1], tree, exact(top))
    return work.entrywise([work.visit(top), below], [1, -1], tree)


def _neg(work: Elaborator, tree: Tree) -> Value:
    value = work.visit(tree.args[0])
    return Value(work.algebra.add([(-1, value.node)]), value.open, value.row)


def _add(work: Elaborator, tree: Tree) -> Value:
    values = [work.visit(arg) for arg in tree.args]
    rank = max(value.rank for value in values)
    if rank:
        for arg, value in zip(tree.args, values, strict=True):
            if value.rank == 0 and literal(arg) is None:
                work.note(f"in {work.text(tree)} the scalar {work.text(arg)} is added to every entry")
    return work.total(list(zip(signs(tree), values, strict=True)), tree)


# --- powers -----------------------------------------------------------------------------------------------------------


def _pow(work: Elaborator, tree: Tree) -> Value:
    base, exponent = tree.args
    power = literal(exponent)
    if power is not None:
        whole = literal(tree)
        if whole is not None:
            return work.number(whole)
        if abs(Fraction(power)) > MAX_EXPONENT:
            raise LimitError("this exponent is too large", code="LIMIT_NUMBER")
        if Fraction(power).denominator == 1:
            power = int(power)
    if base.head == "bars" and power == 2 and tree.value != "odot" and not (work.scope.numpy or tree is work.summed):
        inner = work.visit(base.args[0])
        if inner.rank == 1:
            work.note(f"{work.text(base)} is the length of a vector")
            return work.sum_out(inner, power=2)
    value = work.visit(base)
    if value.rank == 2 and tree.value != "odot" and not _of_entries(work, value, tree):
        return _matrix_power(work, value, exponent, tree)
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


def _matrix_power(work: Elaborator, value: Value, exponent: Tree, tree: Tree) -> Value:
    """A^k is a product of matrices, A^{-1} the inverse, A^{-T} its transpose."""
    if exponent.head == "neg" and exponent.args[0].head == "name" and exponent.args[0].value == "T":
        return work.swapped(work.apply("inverse", [value], tree))
    return matrix_power(work, value, exponent, tree)


def _transpose(work: Elaborator, tree: Tree) -> Value:
    value = work.visit(tree.args[0])
    if value.rank == 2:
        return work.swapped(value)
    if value.rank == 1 and not work.scope.numpy:
        return Value(value.node, value.open, not value.row)
    if value.rank > 2:
        raise UnsupportedError("a tensor of more than two axes has no transpose: write it with indices")
    return value


HANDLERS: dict[str, Handler] = {
    "mul": _mul, "div": _div, "neg": _neg, "add": _add, "pow": _pow, "transpose": _transpose,
}  # fmt: skip
