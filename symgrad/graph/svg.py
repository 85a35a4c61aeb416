"""A picture as SVG: one file, no scripts, no fonts to fetch; light and dark as the reader's screen is.

Contract: `to_svg(picture)` is well-formed XML whose root is labelled by its title and description; every text is
escaped.  The colours follow `prefers-color-scheme`, or are fixed by `theme="light"` and `theme="dark"`; in print they
are always the light ones.
"""

from __future__ import annotations

import zlib
from xml.sax.saxutils import escape

from symgrad.graph.picture import TEXT, Mark, Picture, Point

#: role -> colour; contrast with the paper is at least 4.5 to 1.
THEMES = {
    "light": {"paper": "#ffffff", "wire": "#5b6470", "gate": "#1a1d21", "mark": "#1a1d21", "name": "#1a1d21",
              "value": "#11722f", "gradient": "#b3261e", "note": "#5b6470"},
    "dark": {"paper": "#14171a", "wire": "#9aa4b0", "gate": "#e8eaed", "mark": "#e8eaed", "name": "#e8eaed",
             "value": "#63c17c", "gradient": "#ff8a80", "note": "#9aa4b0"},
}  # fmt: skip
SMALL = 0.8
FONT = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
ANCHORS = {"start": "start", "small": "start", "middle": "middle", "end": "end"}


def to_svg(picture: Picture, theme: str = "auto") -> str:
    """The picture as an SVG document."""
    width, height = f"{picture.width:.0f}", f"{picture.height:.0f}"
    # Several drawings may stand on one page: neither their names nor their styles may meet, or touch the page.
    own = f"symgrad-{zlib.crc32(repr(picture).encode()):08x}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{own}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{own}-title {own}-description">'
    )
    body = "\n".join(_mark(mark) for mark in picture.marks)
    return "\n".join([
        head,
        f'<title id="{own}-title">{escape(picture.title)}</title>',
        f'<desc id="{own}-description">{escape(picture.description)}</desc>',
        f"<style>{_style(theme, own)}</style>",
        '<rect class="paper" width="100%" height="100%"/>',
        body,
        "</svg>\n",
    ])  # fmt: skip


def _style(theme: str, own: str) -> str:
    fixed = {
        "text": f"font:{TEXT}px {FONT};dominant-baseline:central",
        ".small": f"font-size:{TEXT * SMALL:.0f}px",
        ".line": "fill:none;stroke-width:1.6;stroke-linejoin:round",
        ".pill": "stroke-width:1.6",
        ".name": "font-weight:600",
        ".mark": "font-weight:600",
    }
    if theme != "auto":
        return _rules(fixed | _colours(THEMES[theme]), own)
    dark = f"@media screen and (prefers-color-scheme:dark){{{_rules(_colours(THEMES['dark']), own)}}}"
    return _rules(fixed | _colours(THEMES["light"]), own) + dark


def _colours(theme: dict[str, str]) -> dict[str, str]:
    """The rules that give every role its colour, by selector."""
    found: dict[str, str] = {}
    for role, colour in theme.items():
        for kind in ("text", ".head", ".dot"):
            found[f"{kind}.{role}"] = f"fill:{colour}"
        found[f".line.{role}"] = f"stroke:{colour}"
    return found | {
        "rect.paper": f"fill:{theme['paper']}",
        "rect.pill": f"fill:{theme['paper']};stroke:{theme['gate']}",
    }


def _rules(found: dict[str, str], own: str) -> str:
    """CSS that reaches no further than the drawing."""
    return "".join(f"#{own} {selector}{{{rule}}}" for selector, rule in found.items())


def _mark(mark: Mark) -> str:
    return WRITERS[mark.kind](mark)


def _text(mark: Mark) -> str:
    x, y = mark.points[0]
    small = " small" if mark.anchor == "small" else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{ANCHORS[mark.anchor]}"'
    # Spaces that align numbers must not be collapsed, whatever the viewer does about white-space.
    shown = escape(mark.text if small else mark.text.replace(" ", "\u00a0"))
    return f'<text class="{mark.role}{small}" {place}>{shown}</text>'


def _line(mark: Mark) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
    return f'<polyline class="line {mark.role}" points="{points}"/>'


def head_of(points: tuple[Point, ...]) -> tuple[Point, Point, Point]:
    """The triangle at the end of an arrow."""
    (x0, y0), (x, y) = points[-2:]
    length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
    ux, uy = (x - x0) / length, (y - y0) / length
    back = (x - 10 * ux, y - 10 * uy)
    return (x, y), (back[0] - 4.5 * uy, back[1] + 4.5 * ux), (back[0] + 4.5 * uy, back[1] - 4.5 * ux)


def _arrow(mark: Mark) -> str:
    tip = " ".join(f"{x:.1f},{y:.1f}" for x, y in head_of(mark.points))
    return f'{_line(mark)}<polygon class="head {mark.role}" points="{tip}"/>'


def _pill(mark: Mark) -> str:
    (left, top), (right, bottom) = mark.points
    radius = (bottom - top) / 2
    size = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    return f'<rect class="pill" {size} rx="{radius:.1f}"/>'


def _dot(mark: Mark) -> str:
    x, y = mark.points[0]
    return f'<circle class="dot {mark.role}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


WRITERS = {"text": _text, "line": _line, "arrow": _arrow, "gate": _pill, "dot": _dot}
