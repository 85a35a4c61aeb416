r"""Matrices put together from blocks: `[A, B; C, D]`, `[x; 1]`, `\begin{bmatrix} A & b \\ c^\top & d \end{bmatrix}`.

Contract: a block matrix is the sum of its blocks, each moved to its place by a `Window` for every axis along which
blocks follow one another; so derivatives need no rule for it.  Blocks beside each other have as many rows, blocks below
each other as many columns; a vector is a column, its transpose a row, a number one entry, and 0 fills a block.
`hstack`, `vstack` and `concatenate` mean what they mean in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, ShapeError, UnsupportedError
from symgrad.notation.literals import extent, literal
from symgrad.notation.ranges import Terms, place
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.shapes import Axis, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator

HINT = "write [x; y] for one below the other, hstack(x, y) for one after the other as in NumPy"


@dataclass(frozen=True, slots=True)
class Block:
    """A value at a cell of the grid; its own axes are these axes of the result; no value means zeros."""

    value: Value | None
    axes: tuple[int, ...]
    cell: tuple[int, ...]


def array_of_blocks(work: Elaborator, tree: Tree, values: Sequence[Value]) -> Value:
    """An array literal of which not all entries are scalars."""
    rows, columns = extent(tree)
    flat = all(value.rank < 2 for value in values)
    if columns is None:
        across = len(tree.value) > 2  # type: ignore[arg-type]
        rows, columns = (1, rows) if across else (rows, 1)
    lying = [value.row for value in values if value.rank == 1]
    if flat and len(set(lying)) == 1 and lying[0] is (rows == 1) and 1 in (rows, columns):
        joined = _joined(work, [_along(value, 0, k) for k, value in enumerate(values)], (len(values),), tree)
        return Value(joined.node, joined.open, rows == 1)
    if flat and rows == 1:
        raise UnsupportedError(f"{work.text(tree)}: columns beside each other, or one vector?", hint=HINT)
    blocks = []
    for k, (value, arg) in enumerate(zip(values, tree.args, strict=True)):
        cell = divmod(k, columns)
        if value.rank > 2:
            raise work.misfit(arg, f"a block is a matrix, a vector or a number, and this is {work.shown(value)}")
        axes: tuple[int, ...] = (0, 1)[: value.rank] if not value.row else (1,)
        blocks.append(Block(None if literal(arg) == 0 else value, axes, cell))
    return _joined(work, blocks, (rows, columns), tree)


def _along(value: Value, axis: int, place_: int) -> Block:
    """A value in a row of values along one axis; a scalar is an entry."""
    rank = max(1, value.rank)
    cell = tuple(place_ if k == axis else 0 for k in range(rank))
    return Block(value, tuple(range(value.rank)), cell)


def _joined(work: Elaborator, blocks: Sequence[Block], grid: tuple[int, ...], tree: Tree) -> Value:
    """The sum of the blocks, each at its cell of the grid."""
    extents = [[_extent(work, blocks, axis, k, tree) for k in range(count)] for axis, count in enumerate(grid)]
    totals = [along[0] if len(along) == 1 else place(work, [(1, dim) for dim in along]) for along in extents]
    present = [block for block in blocks if block.value is not None]
    if not present:
        raise UnsupportedError(f"{work.text(tree)}: nothing tells how large these blocks of zeros are")
    opened = work.merge([block.value for block in present if block.value is not None])
    terms = [_moved(work, block, extents, totals, opened) for block in present]
    return Value(work.algebra.add([(1, term) for term in terms]), tuple(opened))


def _extent(work: Elaborator, blocks: Sequence[Block], axis: int, k: int, tree: Tree) -> Axis:
    """How many rows (columns) the k-th row (column) of blocks has: the same for all of them."""
    found: Axis | None = None
    for block in blocks:
        if block.cell[axis] != k or block.value is None:
            continue
        own: Axis = block.value.shape[block.axes.index(axis)] if axis in block.axes else 1
        if found is not None and not unify(found, own):
            what = ("rows", "columns")[axis] if axis < 2 else "entries"
            raise ShapeError(
                f"these blocks do not fit together: one has {find(found)} {what}, another {find(own)}",
                source=work.scope.source, offset=tree.start, end=tree.end, code="SHAPE",
            )  # fmt: skip
        found = own
    if found is None:
        raise UnsupportedError(f"{work.text(tree)}: nothing tells how large these blocks of zeros are")
    return found


def _moved(
    work: Elaborator,
    block: Block,
    extents: Sequence[Sequence[Axis]],
    totals: Sequence[Axis],
    opened: Mapping[str, Axis],
) -> Any:
    """A block as a tensor of the shape of the whole."""
    assert block.value is not None
    split = {axis for axis, along in enumerate(extents) if len(along) > 1}
    labels = tuple(("inner", axis) if axis in split else axis for axis in block.axes)
    factors: list[tuple[Any, tuple[Any, ...]]] = [(block.value.node, (*block.value.open, *labels))]
    for axis in sorted(split):
        k = block.cell[axis]
        offset: Terms = [(1, dim) for dim in extents[axis][:k]]
        window = work.algebra.window(totals[axis], [extents[axis][k]], (1,), offset)
        factors.append((window, (axis, ("inner", axis))))
    sizes: dict[Any, Axis] = {**opened, **{axis: total for axis, total in enumerate(totals) if axis not in split}}
    return work.algebra.contract(factors, (*opened, *range(len(totals))), 1, sizes)


# --- as in NumPy ------------------------------------------------------------------------------------------------------


def _parts(work: Elaborator, tree: Tree) -> list[Value]:
    """The arguments, or those of the one list that is given."""
    given = [arg for arg in tree.args if arg.head != "keyword"]
    if len(given) == 1 and given[0].head == "array":
        given = list(given[0].args)
    if len(given) < 2:
        raise InputError(f"{tree.value} takes at least two arrays", code="ARITY")
    return [work.visit(arg) for arg in given]


def _stacked(work: Elaborator, tree: Tree, values: Sequence[Value], axis: int) -> Value:
    ranks = {value.rank for value in values}
    if len(ranks) > 1 or not ranks <= {1, 2}:
        shown = " and ".join(dict.fromkeys(work.shown(value) for value in values))
        raise work.misfit(tree, f"{tree.value} needs vectors, or matrices, not {shown}")
    (rank,) = ranks
    grid = tuple(len(values) if k == axis else 1 for k in range(rank))
    return _joined(work, [_along(value, axis, k) for k, value in enumerate(values)], grid, tree)


def _concatenate(work: Elaborator, tree: Tree) -> Value:
    values = _parts(work, tree)
    given = next((arg.args[0] for arg in tree.args if arg.head == "keyword" and arg.value in ("axis", "dim")), None)
    axis = 0 if given is None else literal(given)
    if not isinstance(axis, int) or not -values[0].rank <= axis < values[0].rank:
        raise InputError(f"{tree.value}: {work.shown(values[0])} has no such axis", code="SHAPE")
    return _stacked(work, tree, values, axis % values[0].rank)


def _hstack(work: Elaborator, tree: Tree) -> Value:
    values = _parts(work, tree)
    return _stacked(work, tree, values, 0 if values[0].rank == 1 else 1)


def _vstack(work: Elaborator, tree: Tree) -> Value:
    """One below the other; vectors are rows."""
    values = _parts(work, tree)
    if any(value.rank != 1 for value in values):
        return _stacked(work, tree, values, 0)
    return _joined(work, [Block(value, (1,), (k, 0)) for k, value in enumerate(values)], (len(values), 1), tree)


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("concatenate", "concat", "Concat", "CONCAT"): _concatenate, ("hstack",): _hstack, ("vstack",): _vstack,
}  # fmt: skip
