"""Block matrices recognised: a sum of tensors, each moved to its place by windows, as a grid of blocks.

Contract: `grid(terms)` is the blocks of a sum by rows and columns, or None; what no term fills is zero.  A block of one
row or one column that comes from a vector is that vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.dims import Dim, at_least, combine
from symgrad.expr import (
    Call,
    Contraction,
    Factor,
    Node,
    Rational,
    Sum,
    Window,
    add,
    call,
    constant,
    contract,
    delta,
    number,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A term of a sum: its `block`, and the window of every axis along which it is moved.

    `axes` are the axes of the whole that the block has: a column has only the first, a number none.
    """

    block: Node
    axes: tuple[int, ...]
    windows: tuple[Window | None, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The blocks of a matrix or vector by their cell, and how long every row and column of blocks is."""

    cells: dict[tuple[int, ...], list[Placed]]
    extents: tuple[tuple[Dim, ...], ...]


def is_move(node: Node) -> bool:
    """Whether a factor moves a block along an axis, and leaves nothing out."""
    return isinstance(node, Window) and node.strides == (1,) and node.inside


def placed(coefficient: Rational, node: Node) -> Placed | None:
    """A term as a block at its place; None where no axis is moved."""
    if not isinstance(node, Contraction) or not 1 <= node.rank <= 2:
        return None
    moves: dict[int, tuple[Window, int]] = {}
    rest: list[Factor] = []
    for factor, labels, power in node.factors:
        if isinstance(factor, Window) and is_move(factor) and power == 1 and labels[0] < node.rank <= labels[1]:
            if labels[0] in moves:
                return None
            moves[labels[0]] = (factor, labels[1])
        else:
            rest.append((factor, labels, power))
    if not moves or any(axis in labels for _, labels, _ in rest for axis in moves):
        return None
    return _block(node, moves, rest, coefficient)


def _block(
    node: Contraction, moves: dict[int, tuple[Window, int]], rest: list[Factor], coefficient: Rational
) -> Placed | None:
    inner = {axis: label for axis, (_, label) in moves.items()}
    if len(set(inner.values())) < len(inner):  # an identity that was absorbed
        inner[1] = len(node.sizes)
        rest = [*rest, (delta(node.sizes[inner[0]]), (inner[0], inner[1]), 1)]
    carried = {label for _, labels, _ in rest for label in labels}
    labels = [inner.get(axis, axis) for axis in range(node.rank)]
    sizes = [moves[axis][0].shape[1] if axis in moves else node.shape[axis] for axis in range(node.rank)]
    axes = tuple(k for k, label in enumerate(labels) if label in carried or sizes[k] != 1)
    block = contract(rest, tuple(labels[k] for k in axes), coefficient, {labels[k]: sizes[k] for k in axes})
    windows = tuple(moves[axis][0] if axis in moves else None for axis in range(node.rank))
    return Placed(block, axes, windows)


def numbered_entry(node: Node) -> tuple[tuple[int, ...], Node] | None:
    """(k, s) where a tensor is a scalar s at the one place k, a number along every axis."""
    factors: tuple[Factor, ...] = node.factors if isinstance(node, Contraction) else ((node, (0,), 1),)
    places: dict[int, int] = {}
    rest: list[Factor] = []
    for factor, labels, power in factors:
        place = constant(factor.args[0]) if isinstance(factor, Call) and factor.op.name == "onehot" else None
        if isinstance(place, int) and len(labels) == 1 and labels[0] < node.rank and labels[0] not in places:
            places[labels[0]] = place
        else:
            rest.append((factor, labels, power))
    if len(places) < node.rank or any(label < node.rank for _, labels, _ in rest for label in labels):
        return None
    coefficient = node.coefficient if isinstance(node, Contraction) else 1
    return tuple(places[axis] for axis in range(node.rank)), contract(rest, (), coefficient)


def grid(parts: Sequence[Placed]) -> Grid | None:
    """The terms by their cells; None where they do not lie on one grid."""
    first = parts[0]
    moved = [window is not None for window in first.windows]
    if any([window is not None for window in part.windows] != moved for part in parts):
        return None
    places: list[dict[Dim, int]] = []
    extents: list[tuple[Dim, ...]] = []
    for axis, one in enumerate(first.windows):
        if one is None:
            places.append({})
            extents.append((0,))
            continue
        found = _partition([part.windows[axis] for part in parts], one.shape[0])
        if found is None:
            return None
        places.append({offset: k for k, (offset, _) in enumerate(found)})
        extents.append(tuple(size for _, size in found))
    cells: dict[tuple[int, ...], list[Placed]] = {}
    for part in parts:
        cell = tuple(0 if window is None else places[axis][window.offset] for axis, window in enumerate(part.windows))
        cells.setdefault(cell, []).append(part)
    return Grid(cells, tuple(extents))


def _partition(windows: Sequence[Window | None], total: Dim) -> list[tuple[Dim, Dim]] | None:
    """Where the blocks along an axis begin and how long they are, gaps included; None where they overlap."""
    sizes: dict[Dim, Dim] = {}
    for window in windows:
        assert window is not None
        if sizes.setdefault(window.offset, window.shape[1]) != window.shape[1]:
            return None
    found: list[tuple[Dim, Dim]] = []
    start: Dim = 0
    while start != total:
        size = sizes.pop(start, None)
        if size is None:
            ahead = [other for other in (sizes or (total,)) if at_least(other, start)]
            following = [a for a in ahead if all(at_least(b, a) for b in ahead)]
            if len(following) != 1 or len(ahead) < len(sizes):
                return None
            size = combine([(1, following[0]), (-1, start)])
        found.append((start, size))
        start = combine([(1, start), (1, size)])
        if len(found) > len(windows) * 2 + 1:
            return None
    return None if sizes else found


def met(node: Contraction) -> Node | None:
    """Two windows that meet along a summed axis: of one part an identity, of parts that lie apart zero."""
    moves = [(k, f, labels) for k, (f, labels, p) in enumerate(node.factors) if p == 1 and is_move(f)]
    for at, (j, one, first) in enumerate(moves):
        for k, other, second in moves[at + 1 :]:
            if first[0] != second[0] or first[0] < node.rank or _uses(node, first[0]) != 2:
                continue
            rest = [factor for i, factor in enumerate(node.factors) if i not in (j, k)]
            sizes = dict(enumerate(node.sizes[: node.rank]))
            if one is other:
                together = (delta(one.shape[1]), (first[1], second[1]), 1)
                return contract([*rest, together], tuple(range(node.rank)), node.coefficient, sizes)
            assert isinstance(one, Window)
            assert isinstance(other, Window)
            if _apart(one, other) or _apart(other, one):
                return number(0, node.shape)
    return None


def _uses(node: Contraction, label: int) -> int:
    return sum(labels.count(label) for _, labels, _ in node.factors)


def _apart(one: Window, other: Window) -> bool:
    return at_least(other.offset, combine([(1, one.offset), (1, one.shape[1])]))


def taken(node: Contraction) -> Node | None:
    """A part of a block matrix: the window goes to every block."""
    for k, (window, labels, power) in enumerate(node.factors):
        if power != 1 or not is_move(window) or labels[0] < node.rank or _uses(node, labels[0]) != 2:
            continue
        for j, (whole, own, times) in enumerate(node.factors):
            if j == k or own.count(labels[0]) != 1 or labels[1] in own:
                continue
            axis = own.index(labels[0])
            found = _part(whole, axis, window)
            if found is not None:
                to = (*own[:axis], labels[1], *own[axis + 1 :])
                rest = [factor for i, factor in enumerate(node.factors) if i not in (j, k)]
                sizes = dict(enumerate(node.sizes[: node.rank]))
                return contract([*rest, (found, to, times)], tuple(range(node.rank)), node.coefficient, sizes)
    return None


def _part(whole: Node, axis: int, window: Node) -> Node | None:
    """The part of a block matrix, or of a function of its entries, that a window reads along an axis."""
    if isinstance(whole, Call) and whole.op.entrywise:
        parts = [_part(arg, axis, window) if arg.shape else arg for arg in whole.args]
        found = [part for part in parts if part is not None]
        return call(whole.op, found, whole.params) if len(found) == len(parts) else None
    if not isinstance(whole, Sum) or not all(_moves_along(term, axis) for _, term in whole.terms):
        return None
    own = tuple(range(whole.rank))
    to = tuple("part" if k == axis else k for k in own)
    terms = [(c, contract([(term, own), (window, (axis, "part"))], to)) for c, term in whole.terms]
    return add([(c, met(term) or term if isinstance(term, Contraction) else term) for c, term in terms])


def _moves_along(term: Node, axis: int) -> bool:
    return isinstance(term, Contraction) and any(
        is_move(factor) and labels[0] == axis and labels[1] >= term.rank for factor, labels, _ in term.factors
    )
