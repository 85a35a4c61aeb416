"""A picture as PNG through matplotlib, an optional extra.

Contract: `to_png(picture)` draws the marks that the SVG has, at `SCALE` pixels a unit, with the fonts that matplotlib
brings along; without matplotlib it is an `UnsupportedError` that says how to get it.
"""

from __future__ import annotations

import io
import math
from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.graph.picture import TEXT, Mark, Picture
from symgrad.graph.svg import SMALL, THEMES, head_of

#: Pixels a unit: sharp on a phone and in print.
SCALE = 2.0
DPI = 100 * SCALE
FONTS = ["DejaVu Sans Mono", "DejaVu Sans"]


def to_png(picture: Picture, theme: str = "light") -> bytes:
    """The picture as the bytes of a PNG file."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        hint = 'install "symgrad[plot]"; SVG needs nothing'
        raise UnsupportedError("PNG files need matplotlib", hint=hint) from None
    colours = THEMES["light" if theme == "auto" else theme]
    figure = Figure((picture.width / 100, picture.height / 100), dpi=DPI, facecolor=colours["paper"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    for mark in picture.marks:
        PAINTERS[mark.kind](axes, mark, colours)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Title": picture.title, "Description": picture.description})
    return file.getvalue()


def _text(axes: Any, mark: Mark, colours: dict[str, str]) -> None:
    x, y = mark.points[0]
    align = {"start": "left", "small": "left", "middle": "center", "end": "right"}[mark.anchor]
    size = TEXT * 0.72 * (SMALL if mark.anchor == "small" else 1)
    weight = "bold" if mark.role in {"name", "mark"} else "normal"
    axes.text(
        x, y, mark.text, color=colours[mark.role], ha=align, va="center_baseline", size=size, family=FONTS,
        weight=weight, parse_math=False, zorder=3,
    )  # fmt: skip


def _line(axes: Any, mark: Mark, colours: dict[str, str]) -> None:
    xs, ys = zip(*mark.points, strict=True)
    axes.plot(xs, ys, color=colours[mark.role], linewidth=1.15, solid_joinstyle="round", zorder=1)


def _arrow(axes: Any, mark: Mark, colours: dict[str, str]) -> None:
    _line(axes, mark, colours)
    axes.fill(*zip(*head_of(mark.points), strict=True), color=colours[mark.role], linewidth=0, zorder=1)


def _pill(axes: Any, mark: Mark, colours: dict[str, str]) -> None:
    (left, top), (right, bottom) = mark.points
    radius, middle = (bottom - top) / 2, (top + bottom) / 2
    turns = [math.pi * k / 32 for k in range(33)]
    outline = [(right - radius + radius * math.sin(t), middle - radius * math.cos(t)) for t in turns]
    outline += [(left + radius - radius * math.sin(t), middle + radius * math.cos(t)) for t in turns]
    xs, ys = zip(*outline, strict=True)
    axes.fill(xs, ys, facecolor=colours["paper"], edgecolor=colours["gate"], linewidth=1.15, zorder=2)


def _dot(axes: Any, mark: Mark, colours: dict[str, str]) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(mark.points[0], 4, color=colours[mark.role], linewidth=0, zorder=2))


PAINTERS = {"text": _text, "line": _line, "arrow": _arrow, "gate": _pill, "dot": _dot}
