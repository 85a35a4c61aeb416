"""What notebooks show of our objects: LaTeX, Markdown, and pictures that an untrusted notebook shows as well.

Contract: no scripts, no MathML, no markup from outside: whatever somebody typed stands in `code(...)`, every sign of it
an entity.  A picture is an image with its description; the SVG itself would be hidden where nobody trusts the notebook.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

Bundle = dict[str, str]


def bundle(text: str, **shown: str) -> Bundle:
    """The types of one display: always plain text, and any of latex, markdown, html."""
    return {"text/plain": text} | {f"text/{kind}": value for kind, value in shown.items()}


def picture(svg: str, words: str) -> str:
    """An SVG document as an image in HTML."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'


def code(text: str) -> str:
    """Text as it stands: no sign of it is read as Markdown, HTML or mathematics."""
    return "<code>" + "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text) + "</code>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
