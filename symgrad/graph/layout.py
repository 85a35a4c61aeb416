"""Where things go: layers from left to right, few crossings, nothing on top of anything else.

Contract: `arranged(boxes, edges)` puts every box in a layer behind those it depends on, orders each layer so that few
edges cross (Sugiyama, Tagawa and Toda, 1981: layers, barycentres), and gives each box a place across its layer as near
to its neighbours as its size and theirs allow.  Units are the caller's: pixels or characters.  An edge that passes a
layer, and every way that a value takes when it goes several ways, gets a box of its own there (a *lane*), so that no
wire runs through anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from symgrad.errors import UnsupportedError

Key = Hashable
Edge = tuple[Key, Key]
#: An input is put into the first layer if its wire passes no more layers than these, else just before its first gate.
LONGEST_WIRE = 2
SWEEPS = 12
#: More pieces of wire than these are no drawing that anybody can follow.
MOST_WIRES = 1500


@dataclass(slots=True, eq=False)
class Box:
    """What takes up room: `before` and `after` its place across the layer."""

    key: Key
    before: float
    after: float
    layer: int = 0
    place: float = 0.0


@dataclass(slots=True)
class Layout:
    """The layers, each a list of boxes in order, and the ways of all edges through lanes."""

    layers: list[list[Box]]
    paths: dict[Edge, list[Box]] = field(default_factory=dict)
    exact: dict[Key, float] = field(default_factory=dict)  # where boxes were before they were moved to whole lines

    @property
    def boxes(self) -> dict[Key, Box]:
        return {box.key: box for layer in self.layers for box in layer}


#: The room that a lane takes: that of the edge it belongs to, in its first layer or a later one.
Lane = Callable[[Edge, bool], tuple[float, float]]


def arranged(boxes: Sequence[Box], edges: Sequence[Edge], lane: Lane) -> Layout:
    """The layout of a graph whose boxes are given in an order in which edges go forward."""
    known = {box.key: box for box in boxes}
    split = _split(edges)
    _layers(boxes, edges, split)
    layout = Layout([[] for _ in range(1 + max(box.layer for box in boxes))])
    for box in boxes:
        layout.layers[box.layer].append(box)
    wires = 0
    for edge in edges:
        start, end = known[edge[0]], known[edge[1]]
        path = [start]
        for layer in range(start.layer + 1, end.layer):
            first = layer == start.layer + 1 and edge[0] in split
            path.append(Box((*edge, layer), *lane(edge, first), layer))
            layout.layers[layer].append(path[-1])
        wires += len(path)
        if wires > MOST_WIRES:
            raise UnsupportedError("this graph has too many wires to be drawn", hint="symgrad trace lists its values")
        layout.paths[edge] = [*path, end]
    _order(layout)
    _place(layout)
    return layout


def _split(edges: Iterable[Edge]) -> set[Key]:
    """What goes several ways."""
    seen: set[Key] = set()
    split: set[Key] = set()
    for source, _ in edges:
        (split if source in seen else seen).add(source)
    return split


def _layers(boxes: Sequence[Box], edges: Sequence[Edge], split: set[Key]) -> None:
    """The longest way from the inputs; a value that goes several ways needs a layer to part in."""
    known = {box.key: box for box in boxes}
    into: dict[Key, list[Key]] = defaultdict(list)
    out: dict[Key, list[Key]] = defaultdict(list)
    for source, target in edges:
        into[target].append(source)
        out[source].append(target)
    for box in boxes:
        box.layer = max((known[s].layer + (2 if s in split else 1) for s in into[box.key]), default=0)
    for box in boxes:
        if not into[box.key] and out[box.key]:
            latest = min(known[t].layer for t in out[box.key]) - (2 if box.key in split else 1)
            box.layer = 0 if latest <= LONGEST_WIRE else latest


# --- order ------------------------------------------------------------------------------------------------------------

Neighbours = Mapping[Key, list[Box]]


def _neighbours(layout: Layout) -> tuple[Neighbours, Neighbours]:
    """The boxes before and after each box."""
    before: dict[Key, list[Box]] = defaultdict(list)
    after: dict[Key, list[Box]] = defaultdict(list)
    for path in layout.paths.values():
        for one, other in pairwise(path):
            after[one.key].append(other)
            before[other.key].append(one)
    return before, after


def _order(layout: Layout) -> None:
    """Sort the layers by the barycentres of their neighbours, to and fro; keep the best order seen."""
    before, after = _neighbours(layout)
    best = [list(layer) for layer in layout.layers]
    fewest = _crossings(layout.layers, after)
    for sweep in range(SWEEPS):
        layers = layout.layers if sweep % 2 == 0 else layout.layers[::-1]
        near = before if sweep % 2 == 0 else after
        for layer in layers[1:]:
            rank = {box.key: k for whole in layout.layers for k, box in enumerate(whole)}
            middle = {b.key: _mean([rank[n.key] for n in near[b.key]], rank[b.key]) for b in layer}
            layer.sort(key=lambda b: (middle[b.key], rank[b.key]))
        count = _crossings(layout.layers, after)
        if count < fewest:
            fewest, best = count, [list(layer) for layer in layout.layers]
    layout.layers = best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(layers: Sequence[Sequence[Box]], after: Neighbours) -> int:
    total = 0
    for layer, following in pairwise(layers):
        rank = {box.key: k for k, box in enumerate(following)}
        ends = [rank[n.key] for box in layer for n in sorted(after[box.key], key=lambda n: rank[n.key])]
        total += sum(a > b for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


# --- places -----------------------------------------------------------------------------------------------------------


def _place(layout: Layout) -> None:
    """Pull every box towards its neighbours, to and fro, with room between the boxes of a layer."""
    before, after = _neighbours(layout)
    for layer in layout.layers:
        _apart(layer, [0.0] * len(layer))
    for sweep in range(2 * SWEEPS + 1):  # the last one puts every gate amid its inputs
        near, other = (before, after) if sweep % 2 == 0 else (after, before)
        for layer in layout.layers if sweep % 2 == 0 else layout.layers[::-1]:
            wishes = [_mean([n.place for n in near[b.key] or other[b.key]], b.place) for b in layer]
            _apart(layer, wishes)
    top = min(box.place - box.before for layer in layout.layers for box in layer)
    for layer in layout.layers:
        for box in layer:
            box.place -= top


def _apart(layer: Sequence[Box], wishes: Sequence[float]) -> None:
    """The places nearest to the wishes (least squares) that keep the order and the room: pooled adjacent violators."""
    offsets, offset = [], 0.0
    for k, box in enumerate(layer):
        offset += (layer[k - 1].after if k else 0.0) + box.before
        offsets.append(offset)
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        pool = (wish - offset, 1)
        while pools and pools[-1][0] > pool[0]:
            value, count = pools.pop()
            pool = ((value * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1])
        pools.append(pool)
    bases = [value for value, count in pools for _ in range(count)]
    for box, base, offset in zip(layer, bases, offsets, strict=True):
        box.place = base + offset
