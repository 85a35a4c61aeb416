"""Words on a terminal: colour where it is welcome, columns that align, and one careful way out.

Contract: text is written exactly as given (no markup is read in it), in the encoding the reader chose; what that
encoding lacks is shown as an escape.  Colour needs a terminal and no `NO_COLOR`.  Nothing here knows a formula.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TextIO

#: What a word can mean to the reader, as an ANSI style.
STYLES = {
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "31",
    "warn": "33",
    "rule": "36",
}
#: Widths used where nobody says how wide the output is, and where the claim is too small to lay anything out.
DEFAULT_WIDTH, LEAST_WIDTH = 100, 20


class Ink:
    """Paints words for one stream: ANSI styles for a terminal, nothing elsewhere."""

    def __init__(self, coloured: bool, width: int = DEFAULT_WIDTH) -> None:
        self.coloured = coloured
        self.width = width

    @classmethod
    def of(cls, stream: TextIO) -> Ink:
        """The ink that suits a stream and the environment (`NO_COLOR`, `FORCE_COLOR`, `TERM`, `COLUMNS`)."""
        terminal = stream.isatty()
        forced = bool(os.environ.get("FORCE_COLOR"))
        refused = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls((terminal or forced) and not refused, _columns(stream, terminal))

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.coloured and text else text


def _columns(stream: TextIO, terminal: bool) -> int:
    declared = os.environ.get("COLUMNS", "")
    if declared.isdecimal() and int(declared) > 0:
        return max(LEAST_WIDTH, int(declared))
    if not terminal:
        return DEFAULT_WIDTH
    try:
        return max(LEAST_WIDTH, os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def columns(text: str) -> int:
    """How many columns a terminal gives to `text`: marks that combine take none, wide characters two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int, shown: str | None = None) -> str:
    """`shown` (or `text`) followed by the spaces that `text` lacks of `width` columns."""
    return (text if shown is None else shown) + " " * (width - columns(text))


Cell = tuple[str, str]


def table(rows: Sequence[Sequence[Cell]], ink: Ink, indent: str = "  ") -> Iterator[str]:
    """Rows of (style, text) as aligned columns; the last cell of a row may run on to the end of the line.

    A cell too long for its column moves the rest of its row to the next line, so a long formula is never cut.
    """
    limit = max(8, (ink.width - len(indent)) // 2)
    widths: dict[int, int] = {}
    for row in rows:
        for i, (_, text) in enumerate(row[:-1]):
            if columns(text) <= limit:
                widths[i] = max(widths.get(i, 0), columns(text))
    for row in rows:
        line, place = indent, len(indent)
        for i, (style, text) in enumerate(row):
            shown = ink(style, text) if style else text
            width = widths.get(i, 0)
            if i == len(row) - 1:
                line += shown
            elif columns(text) <= width:
                line += pad(text, width, shown) + "  "
            else:
                yield (line + shown).rstrip()
                line = " " * (place + width + 2)
            place += width + 2
        if line.strip():
            yield line.rstrip()


def prepare_streams() -> None:
    """Makes printing safe whatever the locale: characters the encoding lacks are printed as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def silence_stdout() -> None:
    """Points standard output at nothing, so that the interpreter's last flush cannot fail a second time."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    except (OSError, ValueError):
        pass
