"""A graph to look at: as SVG, PNG, text, words and JSON; what `symgrad.draw` gives back.

Contract: everything is computed from one tape and one point, so the views cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from symgrad.errors import UsageError
from symgrad.graph.numbers import DIGITS
from symgrad.graph.passes import Passes
from symgrad.graph.picture import Picture, picture
from symgrad.graph.png import to_png
from symgrad.graph.point import read_point
from symgrad.graph.svg import THEMES, to_svg
from symgrad.graph.tape import record
from symgrad.graph.text import Line, drawn
from symgrad.graph.words import described, flows
from symgrad.notation.reading import Reading
from symgrad.notebook import Bundle, bundle
from symgrad.notebook import picture as picture_of

GATES = ("coarse", "fine")
Point = str | Mapping[str, Any] | None


def point_of(at: Point) -> Mapping[str, Any] | None:
    """Values by name from text or a mapping."""
    return read_point(at) if isinstance(at, str) else at


class Graph:
    """The computational graph of a function, with the values and gradients on it where numbers are given."""

    def __init__(
        self, reading: Reading, at: Point = None, *, gates: str = "coarse", digits: int = DIGITS, down: bool = False
    ) -> None:
        if gates not in GATES:
            raise UsageError(f"gates are {' or '.join(GATES)}, not {gates!r}")
        self.digits = digits
        self.down = down
        self.passes = Passes(record(reading, gates), point_of(at))

    @cached_property
    def picture(self) -> Picture:
        return picture(self.passes, digits=self.digits, down=self.down)

    @cached_property
    def lines(self) -> list[Line]:
        """The drawing in characters: lines of (role, text)."""
        return drawn(self.passes, digits=self.digits)

    @property
    def text(self) -> str:
        return "\n".join("".join(text for _, text in line).rstrip() for line in self.lines)

    @property
    def flows(self) -> list[str]:
        """The patterns of the gradient that occur, keys of `gates.FLOWS`."""
        return flows(self.passes)

    @property
    def description(self) -> str:
        """The graph in words."""
        return described(self.passes)

    def svg(self, theme: str = "auto") -> str:
        """An SVG document; "auto" is light or dark as the reader's screen is."""
        return to_svg(self.picture, _theme(theme))

    def png(self, theme: str = "light") -> bytes:
        """The bytes of a PNG file; needs matplotlib."""
        return to_png(self.picture, _theme(theme))

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self.text, html=picture_of(self.svg(), f"{self.picture.title}. {self.description}"))

    def __repr__(self) -> str:
        return f"<{self.picture.title}>"

    def to_dict(self) -> dict[str, object]:
        """Nodes and edges, in the order of the computation."""
        tape = self.passes.tape
        scalar = not tape.output.variable.shape
        names = {row.variable: row.shown for row in tape.rows}
        nodes = []
        for row in tape.rows:
            value = self.passes.values.get(row.variable)
            gradient = self.passes.gradient(row) if scalar and value is not None else None
            nodes.append({
                "name": row.shown,
                "gate": row.gate.words if row.gate else None,
                "mark": row.gate.mark if row.gate else None,
                "flow": row.gate.flow if row.gate else "",
                "inputs": [names[v] for v in row.inputs],
                "value": None if value is None else value.tolist(),
                "gradient": None if gradient is None else gradient.tolist(),
            })  # fmt: skip
        return {
            "nodes": nodes,
            "output": tape.output.shown,
            "description": self.description,
            "notes": self.passes.notes,
        }


def _theme(theme: str) -> str:
    if theme != "auto" and theme not in THEMES:
        raise UsageError(f"a theme is auto, {' or '.join(THEMES)}, not {theme!r}")
    return theme
