"""Arrays made from sizes, and arrays whose axes are stacked: ones, the identity, vec, the Kronecker product.

Contract: stacked axes are joined by constant `stacking` tensors, the first axis of a group running fastest (the columns
of a matrix below one another), so derivatives need no rule for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, ShapeError
from symgrad.expr import Rational
from symgrad.notation.arguments import arguments, dimension, written
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.shapes import find

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _size_of(work: Elaborator, tree: Tree) -> Value:
    """len(y) and X.shape[0]: a size as a number."""
    return Value(work.algebra.size(find(work.visit_dimension(tree))))


def stacked(work: Elaborator, value: Value, groups: Sequence[Sequence[int]]) -> Value:
    """The value with every group of its axes stacked into one, the first of a group running fastest."""
    names = value.open
    factors: list[Any] = [(value.node, names + tuple(range(value.rank)))]
    out: list[Any] = []
    for axes in groups:
        label: Any = axes[0]
        dim = find(value.shape[label])
        for axis in axes[1:]:
            tensor = work.algebra.stacking(dim, find(value.shape[axis]))
            factors.append((tensor, (label, axis, ("stacked", axis))))
            label, dim = ("stacked", axis), find(tensor.shape[2])
        out.append(label)
    return Value(work.algebra.contract(factors, names + tuple(out)), names)


def _vec(work: Elaborator, tree: Tree) -> Value:
    """vec(X): the columns of X in one vector."""
    (value,) = arguments(work, tree, 1, 1)
    return stacked(work, value, [range(value.rank)]) if value.rank else value


def _unfold(work: Elaborator, tree: Tree) -> Value:
    """unfold(T, k): the matrix whose rows are the first k axes of T, stacked, and whose columns are the others."""
    tensor, count = written(tree, 2, 2)
    value, cut = work.visit(tensor), literal(count)
    if cut is None or Fraction(cut).denominator != 1 or not 0 < cut < value.rank:
        raise ShapeError(f"{work.text(tree)}: the second argument says how many axes of the first are rows")
    return stacked(work, value, [range(int(cut)), range(int(cut), value.rank)])


def _kron(work: Elaborator, tree: Tree) -> Value:
    """A ⊗ B: entry ((i, k), (j, l)) is A_ij B_kl, and k and l run fastest; a column or row is a matrix of one."""
    left, right = arguments(work, tree, 2, 2)
    if left.rank == right.rank == 1 and left.row == right.row:
        work.note(f"{work.text(tree)} is the Kronecker product, neither the outer product nor the product of entries")
    if not left.rank or not right.rank:
        raise work.misfit(
            tree, f"{work.text(tree)} needs two matrices or vectors, not {work.shown(left)} and {work.shown(right)}"
        )
    sides = (_sides(left), tuple(None if k is None else left.rank + k for k in _sides(right)))
    places = tuple(range(left.rank)), tuple(range(left.rank, left.rank + right.rank))
    outer = work.combine([(left, places[0], 1), (right, places[1], 1)], places[0] + places[1])
    pairs = [[k for k in (slow, fast) if k is not None] for fast, slow in zip(*sides, strict=True)]
    found = stacked(work, outer, [pair for pair in pairs if pair])
    return Value(found.node, found.open, left.row and right.row)


def _sides(value: Value) -> tuple[int | None, int | None]:
    """The axes that are rows and columns."""
    if value.rank == 2:
        return 0, 1
    return (None, 0) if value.row else (0, None)


def _stacking(work: Elaborator, tree: Tree) -> Value:
    """stacking(m, n): the tensor by which an m×n matrix is stacked, entry (i, j, i + m j)."""
    return Value(work.algebra.stacking(*map(dimension, written(tree, 2, 2))))


def _commutation(work: Elaborator, tree: Tree) -> Value:
    """commutation(m, n) vec(X) = vec(X^T) for an m×n matrix X."""
    rows, columns = map(dimension, written(tree, 2, 2))
    pair = [
        (work.algebra.stacking(columns, rows), (1, 0, "turned")),
        (work.algebra.stacking(rows, columns), (0, 1, "own")),
    ]
    return Value(work.algebra.contract(pair, ("turned", "own")))


def _filled(value: Rational) -> Handler:
    """ones and zeros: of given dimensions, or a vector as long as the context asks."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        given: Sequence[Tree] = tree.args
        if len(given) == 1 and given[0].head == "array":
            given = given[0].args
        if len(given) > 4:
            raise InputError(f"{tree.value} takes at most 4 dimensions", code="ARITY")
        dims: tuple[Any, ...] = tuple(map(dimension, given)) or (work.algebra.hole(),)
        return Value(work.algebra.number(value, dims))

    return handler


def _identity(work: Elaborator, tree: Tree) -> Value:
    given = written(tree, 0, 1)
    return Value(work.algebra.delta(dimension(given[0]) if given else work.algebra.hole()))


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("len", "shape"): _size_of,
    ("vec",): _vec,
    ("kron",): _kron,
    ("unfold",): _unfold,
    ("stacking",): _stacking,
    ("commutation",): _commutation,
    ("ones",): _filled(1),
    ("zeros",): _filled(0),
    ("eye", "identity", "I"): _identity,
}
