"""The drawing of a tape as marks on a plane: wires, gates, numbers; what SVG and PNG are written from.

Contract: `picture(passes)` is a `Picture` whose marks do not overlap and are not cut: every number has its own room,
values above the wires and gradients below, or left and right of them where the drawing runs downward, as it should on a
phone.  Units are CSS pixels, and text is measured as the widest of the usual fonts would set it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from symgrad.graph.gates import FLOWS
from symgrad.graph.layout import Box, Edge, Key, Layout, arranged
from symgrad.graph.numbers import DIGITS, entries
from symgrad.graph.passes import Passes
from symgrad.graph.tape import Row
from symgrad.graph.words import described, flows, remarks, titled

#: Sizes in pixels: text, the advance of a letter in it, a line of numbers, a gate, what is left free.
TEXT, ADVANCE, LINE, RADIUS, MARGIN = 15, 9.15, 19, 19, 20
GAP, PADDING, CLEAR = 40, 12, 7
#: Behind a layer whose wires go far up or down the gap is wider: by this much of the way, up to this much.
STEEPEST, WIDEST = 0.45, 110
SINK = "the function"
Point = tuple[float, float]
Size = tuple[float, float]
#: Along the flow: where the gates of a layer begin, where its wires begin and where they end.
Span = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: a line through points, an arrow, a gate (a pill from one point to another), a dot, or text at a point.

    `role` says what it is for (wire, gate, mark, name, value, gradient, note); `anchor` is start, middle or end.
    """

    kind: str
    role: str
    points: tuple[Point, ...]
    text: str = ""
    anchor: str = "middle"


@dataclass(slots=True)
class Picture:
    """Marks on a plane of some width and height, with the words for whoever cannot see them."""

    title: str
    description: str
    marks: list[Mark] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """The lines of a number or an array; `bracketed` where brackets go around them."""

    lines: tuple[str, ...] = ()
    bracketed: bool = False

    @property
    def size(self) -> Size:
        widest = max(map(len, self.lines), default=0) * ADVANCE
        return widest + (12 if self.bracketed else 0), len(self.lines) * LINE

    @classmethod
    def of(cls, value: Any, digits: int) -> Label:
        if value is None:
            return cls()
        lines = tuple(line.replace("-", "−") for line in entries(value, digits))
        return cls(lines, len(value.shape) in {1, 2})


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at the beginning of a wire, and the two labels on it."""

    shown: str  # on the gate, or the name of an input
    circled: bool
    name: str = ""  # of the value, where the source gives one
    value: Label = Label()
    gradient: Label = Label()

    @property
    def size(self) -> Size:
        """Width and height of the gate or the name."""
        wide = len(self.shown) * ADVANCE
        return (max(2.0 * RADIUS, wide + 20), 2.0 * RADIUS) if self.circled else (wide, LINE)

    @property
    def above(self) -> Size:
        """Width and height of the value and its name."""
        width, height = self.value.size
        return (width + (len(self.name) + 0.8) * ADVANCE, max(height, LINE)) if self.name else (width, height)


def picture(passes: Passes, *, digits: int = DIGITS, down: bool = False) -> Picture:
    """The computational graph with its numbers, from left to right or from top to bottom."""
    drawing = Picture(titled(passes), described(passes))
    _Painter(passes, digits, drawing, down).paint()
    _legend(passes, drawing, ("left", "right") if down else ("above", "below"))
    return drawing


class _Painter:
    """Lays one picture out, and puts its marks down.

    It thinks in distances along the flow and across it; `at` turns them into points of the plane.
    """

    def __init__(self, passes: Passes, digits: int, drawing: Picture, down: bool) -> None:
        self.passes = passes
        self.digits = digits
        self.drawing = drawing
        self.down = down
        self.scalar = not passes.tape.output.variable.shape
        self.nodes: dict[Key, Node] = {row.variable: self._node(row) for row in passes.tape.rows}
        self.nodes[SINK] = Node(passes.tape.name, circled=False)
        parts = passes.backward if self.scalar else []
        self.back: dict[Edge, Label] = {(p.source.variable, p.gate.variable): self._label(p.value) for p in parts}
        self.lanes: dict[Key, Label] = {}  # what comes back along them
        self.spans: list[Span] = []

    def _label(self, value: Any) -> Label:
        return Label.of(value, self.digits)

    def _node(self, row: Row) -> Node:
        value = self._label(self.passes.values.get(row.variable))
        gradient = self._label(self.passes.gradient(row) if self.scalar else None)
        if row.gate is None:
            return Node(row.shown, False, "", value, gradient)
        named = row.shown if row.named and row.shown != self.passes.tape.name else ""
        return Node(row.gate.mark, True, named, value, gradient)

    def at(self, along: float, across: float) -> Point:
        return (across, along) if self.down else (along, across)

    def along(self, size: Size) -> float:
        return size[1] if self.down else size[0]

    def across(self, size: Size) -> float:
        return size[0] if self.down else size[1]

    # --- where things go ----------------------------------------------------------------------------------------------

    def layout(self) -> Layout:
        tape, apart = self.passes.tape, 12 if self.down else 10
        boxes = []
        for key, node in self.nodes.items():
            room = self.across(node.size) / 2 + 5
            before, after = (self.across(size) + CLEAR + apart for size in (node.above, node.gradient.size))
            boxes.append(Box(key, max(room, before), max(room, after)))
        edges: list[Edge] = [(v, gate.variable) for gate in tape.gates for v in gate.inputs]
        edges.append((tape.output.variable, SINK))

        def lane(edge: Edge, first: bool) -> tuple[float, float]:
            label = self.back.get(edge, Label()) if first else Label()
            return 10.0, max(10.0, self.across(label.size) + CLEAR + apart)

        found = arranged(boxes, edges, lane)
        for edge, path in found.paths.items():
            if _ways(found, path[0]) > 1:
                self.lanes[path[1].key] = self.back.get(edge, Label())
        return found

    def _spans(self, layout: Layout) -> None:
        """For every layer, where its gates begin, where its wires begin and where they end."""
        here = float(MARGIN)
        for layer in layout.layers:
            nodes = [self.nodes[box.key] for box in layer if box.key in self.nodes]
            glyph = max((self.along(node.size) for node in nodes), default=0.0)
            wire = 0.0
            if layer is not layout.layers[-1]:
                rooms = [max(self.along(n.above), self.along(n.gradient.size)) + 2 * PADDING for n in nodes]
                lanes = [self.lanes[box.key] for box in layer if box.key in self.lanes]
                rooms += [self.along(label.size) + PADDING - glyph for label in lanes if label.lines]
                wire = max(18.0, *rooms, 0.0)
            self.spans.append((here, here + glyph, here + glyph + wire))
            here += glyph + wire + max(GAP, min(STEEPEST * _drop(layout, layer), WIDEST))

    # --- marks --------------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        layout = self.layout()
        self._spans(layout)
        for layer in layout.layers:
            for box in layer:
                box.place += MARGIN
        for box in layout.boxes.values():
            if box.key in self.nodes:
                self._paint_node(self.nodes[box.key], box)
                if _ways(layout, box) > 1:
                    self._put("dot", "wire", self.at(self.spans[box.layer][2], box.place))
        for path in layout.paths.values():
            self._paint_edge(path)
        breadth = max(box.place + box.after for box in layout.boxes.values()) + MARGIN
        size = self.at(self.spans[-1][2] + MARGIN, breadth)
        self.drawing.width, self.drawing.height = size[0], size[1] + (0 if self.down else MARGIN)

    def _put(self, kind: str, role: str, *points: Point, text: str = "", anchor: str = "middle") -> None:
        self.drawing.marks.append(Mark(kind, role, points, text, anchor))

    def _paint_node(self, node: Node, box: Box) -> None:
        """A gate or a name, the wire that begins there, and the numbers on it."""
        left, start, right = self.spans[box.layer]
        if node.circled:
            x, y = self.at((left + start) / 2, box.place)
            half = node.size[0] / 2
            self._put("gate", "gate", (x - half, y - RADIUS), (x + half, y + RADIUS))
            self._put("text", "mark", (x, y), text=node.shown)
            begin = (left + start + self.along(node.size)) / 2
        else:
            anchor = "middle" if self.down else "end" if right > start else "start"
            place = (left + start) / 2 if self.down else start - 1 if right > start else left
            self._put("text", "name", self.at(place, box.place), text=node.shown, anchor=anchor)
            begin = start + 5
        if right == start:
            return
        self._put("line", "wire", self.at(begin, box.place), self.at(right, box.place))
        middle = (begin + right) / 2
        above = self._beside(middle, box.place, node.above, -1)
        if node.name:
            x = above[0] - node.above[0] / 2
            self._put("text", "name", (x, above[1]), text=node.name, anchor="start")
            above = (above[0] + (node.above[0] - node.value.size[0]) / 2, above[1])
        self._numbers(node.value, "value", above)
        self._numbers(node.gradient, "gradient", self._beside(middle, box.place, node.gradient.size, 1))

    def _beside(self, along: float, across: float, size: Size, side: int) -> Point:
        """The middle of a label before (-1) or after (1) a wire."""
        return self.at(along, across + side * (CLEAR + self.across(size) / 2))

    def _numbers(self, label: Label, role: str, middle: Point) -> None:
        """The lines of a label and the brackets around them."""
        width, height = label.size
        x, top = middle[0], middle[1] - height / 2
        for k, line in enumerate(label.lines):
            self._put("text", role, (x, top + (k + 0.5) * LINE), text=line)
        if not label.bracketed or not label.lines:
            return
        top, bottom = top + 1, top + height - 1
        for side in (-1, 1):
            edge, inner = x + side * width / 2, x + side * (width / 2 - 4)
            self._put("line", role, (inner, top), (edge, top), (edge, bottom), (inner, bottom))

    def _paint_edge(self, path: Sequence[Box]) -> None:
        """The wire from the end of one node's line to the next node."""
        points = [self.at(self.spans[path[0].layer][2], path[0].place)]
        for box in path[1:-1]:
            left, _, right = self.spans[box.layer]
            points += [self.at(left, box.place), self.at(right, box.place)]
            label = self.lanes.get(box.key, Label())
            self._numbers(label, "gradient", self._beside((left + right) / 2, box.place, label.size, 1))
        points.append(self._port(path[-1], points[-1]))
        self._put("arrow", "wire", *points)

    def _port(self, box: Box, origin: Point) -> Point:
        """Where a wire that comes from `origin` meets a node."""
        node, (left, start, _) = self.nodes[box.key], self.spans[box.layer]
        if not node.circled:
            return self.at(left - 6 if not self.down else left - 2, box.place)
        x, y = self.at((left + start) / 2, box.place)
        reach = node.size[0] / 2 - RADIUS
        x = min(max(origin[0], x - reach), x + reach)
        dx, dy = origin[0] - x, origin[1] - y
        length = (dx * dx + dy * dy) ** 0.5
        return x + dx * (RADIUS + 2) / length, y + dy * (RADIUS + 2) / length


def _drop(layout: Layout, layer: Sequence[Box]) -> float:
    """How far the steepest wire behind a layer goes up or down."""
    steps = (pair for path in layout.paths.values() for pair in pairwise(path))
    return max((abs(one.place - other.place) for one, other in steps if one in layer), default=0.0)


def _ways(layout: Layout, box: Box) -> int:
    """How many gates take a value."""
    return sum(path[0] is box for path in layout.paths.values())


def _legend(passes: Passes, drawing: Picture, sides: tuple[str, str]) -> None:
    """What the colours mean, and how gradient flows through the gates that are there."""
    y = drawing.height
    lines: list[tuple[str, str]] = []
    if passes.numeric:
        lines.append(("value", f"{sides[0]}: value"))
        if not passes.tape.output.variable.shape:
            lines.append(("gradient", f"{sides[1]}: gradient of {passes.tape.name}"))
    lines += [("note", words) for words in [*(FLOWS[flow] for flow in flows(passes)), *remarks(passes)]]
    for role, words in lines:
        for part in _wrapped(words, max(36, int((drawing.width - 2 * MARGIN) / (0.8 * ADVANCE)))):
            drawing.marks.append(Mark("text", role, ((MARGIN, y),), part, "small"))
            drawing.width = max(drawing.width, 2 * MARGIN + len(part) * 0.8 * ADVANCE)
            y += LINE
    drawing.height = y + MARGIN / 2


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent="  ")
