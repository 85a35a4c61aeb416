"""The drawing of a tape in characters, for a terminal.

Contract: `drawn(passes)` is a list of lines, each a list of (role, text): values above the wires, gradients below,
gates in brackets.  Wires that meet are joined; where one only crosses another it goes underneath.  Every cell is one
column wide; a mark that combines, as in x̂, shares the cell of its letter.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.graph.layout import Box, Edge, Key, Layout, arranged
from symgrad.graph.numbers import DIGITS, block
from symgrad.graph.passes import Passes
from symgrad.graph.tape import Row

SINK = "the function"
#: Which sides of a cell a wire leaves by (left, right, up, down: bits 1, 2, 4, 8) -> its character.
WIRES = dict(zip(range(1, 16), "───│┘└┴│┐┌┬│┤├┼", strict=True))
LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
Line = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at the beginning of a wire, and the lines above and below that wire."""

    shown: str
    value: tuple[str, ...] = ()
    gradient: tuple[str, ...] = ()
    gate: bool = False

    @property
    def wire(self) -> int:
        return max(map(columns, (*self.value, *self.gradient)), default=0)


def cells(text: str) -> list[str]:
    """The characters of a text, each with the marks that combine with it."""
    found: list[str] = []
    for char in text:
        if unicodedata.combining(char) and found:
            found[-1] += char
        else:
            found.append(char)
    return found


def columns(text: str) -> int:
    return len(cells(text))


class Canvas:
    """Cells that hold a character or the wires that pass them."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self.wires: dict[tuple[int, int], dict[Key, int]] = defaultdict(lambda: defaultdict(int))

    def write(self, role: str, text: str, x: int, y: int) -> None:
        for k, cell in enumerate(cells(text)):
            self.cells[x + k, y] = role, cell

    def across(self, net: Key, start: int, end: int, y: int) -> None:
        """A wire from column `start` to column `end`."""
        for x in range(start, end + 1):
            self.wires[x, y][net] |= (LEFT if x > start else 0) | (RIGHT if x < end else 0)

    def down(self, net: Key, x: int, start: int, end: int) -> None:
        for y in range(start, end + 1):
            self.wires[x, y][net] |= (UP if y > start else 0) | (DOWN if y < end else 0)

    def lines(self) -> list[Line]:
        for place, nets in self.wires.items():  # where nets cross, the upright one is on top
            upright = [sides for sides in nets.values() if sides & (UP | DOWN)]
            sides = upright[0] if len(nets) > 1 and upright else sum(nets.values())
            self.cells.setdefault(place, ("wire", WIRES[sides & 15] if sides else " "))
        height = 1 + max(y for _, y in self.cells)
        return [self._line(y) for y in range(min(y for _, y in self.cells), height)]

    def _line(self, y: int) -> Line:
        row = {x: cell for (x, there), cell in self.cells.items() if there == y}
        cells = [row.get(x, ("", " ")) for x in range(1 + max(row, default=-1))]
        return [(role, "".join(c for _, c in run)) for role, run in groupby(cells, key=lambda cell: cell[0])]


def drawn(passes: Passes, *, digits: int = DIGITS) -> list[Line]:
    """The computational graph with its numbers, as lines of text."""
    return _Draughtsman(passes, digits).draw()


class _Draughtsman:
    """Lays one drawing out, and writes it on a canvas."""

    def __init__(self, passes: Passes, digits: int) -> None:
        self.passes = passes
        self.digits = digits
        self.canvas = Canvas()
        self.scalar = not passes.tape.output.variable.shape
        self.nodes: dict[Key, Node] = {row.variable: self._node(row) for row in passes.tape.rows}
        self.nodes[SINK] = Node(f"→ {passes.tape.name}")
        parts = passes.backward if self.scalar else []
        self.back: dict[Edge, tuple[str, ...]] = {
            (p.source.variable, p.gate.variable): self._lines(p.value) for p in parts
        }
        self.lanes: dict[Key, tuple[str, ...]] = {}

    def _lines(self, value: Any) -> tuple[str, ...]:
        return () if value is None else tuple(block(value, self.digits))

    def _node(self, row: Row) -> Node:
        value = self._lines(self.passes.values.get(row.variable))
        gradient = self._lines(self.passes.gradient(row) if self.scalar else None)
        if row.gate is None:
            return Node(row.shown, value, gradient)
        if row.named and row.shown != self.passes.tape.name:
            value = tuple(f"{row.shown} = {line}" if k == 0 else " " * (columns(row.shown) + 3) + line
                          for k, line in enumerate(value)) or (row.shown,)  # fmt: skip
        return Node(f"({row.gate.mark})", value, gradient, gate=True)

    def draw(self) -> list[Line]:
        layout = self._layout()
        tracks = _routed(layout)
        x = 0
        for depth, layer in enumerate(layout.layers):
            nodes = [self.nodes[box.key] for box in layer if box.key in self.nodes]
            glyph = max((columns(node.shown) for node in nodes), default=0)
            texts = [node.wire for node in nodes] + [columns(line) for b in layer for line in self.lanes.get(b.key, ())]
            end = x + glyph + max(texts, default=0) + 2
            for box in layer:
                self._write(box, x, glyph, end)
            if depth + 1 < len(layout.layers):
                x = self._channel(_nets(layout, depth), tracks[depth], end)
        return self.canvas.lines()

    def _layout(self) -> Layout:
        boxes = [Box(key, len(node.value) + 0.5, max(1, len(node.gradient)) + 0.5) for key, node in self.nodes.items()]
        edges: list[Edge] = [(v, gate.variable) for gate in self.passes.tape.gates for v in gate.inputs]
        edges.append((self.passes.tape.output.variable, SINK))

        def lane(edge: Edge, first: bool) -> tuple[float, float]:
            return 0.5, 0.5 + (len(self.back.get(edge, ())) if first else 0)

        layout = arranged(boxes, edges, lane)
        for edge, path in layout.paths.items():
            if len(path) > 2 and sum(other[0] is path[0] for other in layout.paths.values()) > 1:
                self.lanes[path[1].key] = self.back.get(edge, ())
        return layout

    def _write(self, box: Box, x: int, glyph: int, end: int) -> None:
        """A node, its wire up to column `end`, and the lines above and below it."""
        y = int(box.place)
        node = self.nodes.get(box.key)
        if node is None:
            self.canvas.across(box.key, x, end, y)
            self._numbers("gradient", self.lanes.get(box.key, ()), x, end, y + 1)
            return
        shift = 0 if node.gate else glyph - columns(node.shown)
        self.canvas.write("gate" if node.gate else "name", node.shown, x + shift, y)
        if box.key == SINK:
            return
        start = x + columns(node.shown) if node.gate else x + glyph + 1
        self.canvas.across(box.key, start, end, y)
        self._numbers("value", node.value, start, end, y - len(node.value))
        self._numbers("gradient", node.gradient, start, end, y + 1)

    def _numbers(self, role: str, lines: Sequence[str], start: int, end: int, y: int) -> None:
        width = max(map(columns, lines), default=0)
        for k, line in enumerate(lines):
            self.canvas.write(role, line, start + max(0, (end - start - width + 1) // 2), y + k)

    # --- the wires between two layers ---------------------------------------------------------------------------------

    def _channel(self, nets: Nets, tracks: dict[Key, int], start: int) -> int:
        """The wires between a layer and the next one; the column where the next one begins."""
        following = start + 2 + 2 * (1 + max(tracks.values(), default=-1))
        for net, ends in nets.items():
            if net not in tracks:
                self.canvas.across(net, start, following - 1, int(ends[0][0].place))
                continue
            x = start + 1 + 2 * tracks[net]
            for y in {int(one.place) for one, _ in ends}:
                self.canvas.across(net, start, x, y)
            for y in {int(other.place) for _, other in ends}:
                self.canvas.across(net, x, following - 1, y)
            low, high = _span(ends)
            self.canvas.down(net, x, low, high)
        return following


# --- wires that go up and down ----------------------------------------------------------------------------------------

#: The wires that belong together, each with the boxes at its two ends.
Nets = dict[Key, list[tuple[Box, Box]]]


def _nets(layout: Layout, depth: int) -> Nets:
    """The wires between a layer and the next: all from a value that parts are one net, or all that go to one gate."""
    paths = layout.paths.values()
    steps = [pair for path in paths for pair in pairwise(path) if pair[0].layer == depth]
    ways: dict[Key, int] = defaultdict(int)
    for one, _ in steps:
        ways[one.key] += 1
    nets: Nets = defaultdict(list)
    for one, other in steps:
        nets[("from", one.key) if ways[one.key] > 1 else ("to", other.key)].append((one, other))
    return nets


def _span(ends: Sequence[tuple[Box, Box]]) -> tuple[int, int]:
    places = [int(box.place) for pair in ends for box in pair]
    return min(places), max(places)


def _routed(layout: Layout) -> list[dict[Key, int]]:
    """Whole lines for all boxes, and for every layer the columns in which its wires go up and down.

    Where two nets would each have to turn before the other one, a box is moved on by a line, and all is tried again.
    """
    moved: dict[Key, int] = defaultdict(int)
    for _ in range(100):
        _whole(layout, moved)
        found = [_tracks(_nets(layout, depth)) for depth in range(len(layout.layers) - 1)]
        stuck = [answer for answer in found if isinstance(answer, Box)]
        if not stuck:
            return [answer for answer in found if not isinstance(answer, Box)]
        moved[stuck[0].key] += 1
    raise UnsupportedError("this graph is too entangled to be drawn in characters", hint="--out file.svg draws it")


def _tracks(nets: Nets) -> dict[Key, int] | Box:
    """A column for every net that goes up or down, shared by nets that keep clear of each other.

    A net that comes in on a line turns before another one goes out on it; where that cannot be, a box in the way.
    """
    turning = {net: _span(ends) for net, ends in nets.items() if _span(ends)[0] < _span(ends)[1]}
    sources = {net: {int(one.place) for one, _ in nets[net]} for net in turning}
    targets = {net: {int(other.place) for _, other in nets[net]} for net in turning}
    before = {net: [o for o in turning if o != net and sources[o] & targets[net]] for net in turning}
    tracks: dict[Key, int] = {}
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    while len(tracks) < len(turning):
        ready = [net for net in turning if net not in tracks and all(other in tracks for other in before[net])]
        if not ready:
            return next(nets[net][0][1] for net in turning if net not in tracks)
        net = ready[0]
        low, high = turning[net]
        track = 1 + max((tracks[other] for other in before[net]), default=-1)
        while any(low <= b and a <= high for a, b in taken[track]):
            track += 1
        tracks[net] = track
        taken[track].append((low, high))
    return tracks


def _whole(layout: Layout, moved: Mapping[Key, int]) -> None:
    """Places in whole lines, with the room that every box needs."""
    exact = layout.exact = layout.exact or {box.key: box.place for layer in layout.layers for box in layer}
    for layer in layout.layers:
        free = 0
        for box in layer:
            above, below = int(box.before - 0.5), int(box.after - 0.5)
            box.place = max(round(exact[box.key] - 0.5) + moved[box.key], free + above)
            free = int(box.place) + below + 1
