"""What `symgrad compare` prints and writes: the five ways, the V of finite differences, the cost of growth.

Contract: nothing is computed here; every number comes from `symgrad.compare`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from symgrad.errors import UsageError, printable
from symgrad.graph.numbers import block, inline
from symgrad.graph.ways import EXPLANATION
from symgrad.notation.names import to_text as spelled

from . import report
from .graphs import INDENT, suffix
from .terminal import Cell, Ink, pad, table

if TYPE_CHECKING:
    from symgrad import Expr
    from symgrad.graph.ways import Comparison

#: An error of 1 fills so many columns, one of 10^-17 none.
BAR, DECADES = 24, 17


def comparison(function: Expr, found: Comparison, ink: Ink) -> Iterator[str]:
    """The reading, the gradient, and the tables."""
    yield ""
    yield from report.reading(function, ink)
    yield ""
    yield from _point(found, ink)
    yield ""
    heading = f"∇_{spelled(found.wrt)} {spelled(function.name)}  =  "
    for k, line in enumerate(block(found.exact)):
        yield INDENT + ink("bold", (heading if k == 0 else " " * len(heading)) + line)
    yield ""
    yield from table(list(_ways(found)), ink)
    yield ""
    yield from _steps(found, ink)
    if found.growth:
        yield ""
        yield from table(list(_growth(found)), ink)
        yield f"{INDENT}{ink('dim', 'numerical: n + 1 runs of f; forward mode: n passes; reverse mode: one pass, and')}"
        yield f"{INDENT}{ink('dim', 'all intermediate values kept; times are one run of the NumPy code × runs')}"
    yield ""


def _point(found: Comparison, ink: Ink) -> Iterator[str]:
    """Where the ways are compared."""
    values = ", ".join(f"{spelled(name)}={inline(value)}" for name, value in found.at.items())
    remark = "" if found.chosen else "   (drawn at random; --at says otherwise)"
    yield f"{INDENT}{ink('dim', 'at')}       {values}{ink('dim', remark)}"
    for note in found.notes:
        yield f"{INDENT}{ink('warn', 'kink')}     {printable(note)}"


def _ways(found: Comparison) -> Iterator[list[Cell]]:
    yield [("dim", head) for head in ("way", "error", "runs", "operations", "size")]
    for way in found.ways:
        style = "" if way.error is None else "good" if way.error < 1e-12 else "warn" if way.error < 1e-4 else "bad"
        error = "" if way.error is None else f"{way.error:.0e}" if way.error else "0"
        count = "" if way.operations is None else str(way.operations)
        yield [("", way.name), (style, error), ("", way.runs), ("", count), ("dim", way.size or way.note)]


def _steps(found: Comparison, ink: Ink) -> Iterator[str]:
    """The errors by whole decades of h as bars, and where the V has its bottom."""
    kinds = ["forward", "central"] + ([] if found.steps[0].complex is None else ["complex"])
    yield INDENT + ink("dim", "h        " + "".join(pad(f"{kind} differences" if kind != "complex" else "complex step",
                                                      BAR + 8) for kind in kinds)).rstrip()  # fmt: skip
    for step in found.steps[2::2]:
        cells = [_bar(getattr(step, kind), kind, found, step.h, ink) for kind in kinds]
        yield f"{INDENT}{step.h:.0e}    {''.join(cells)}".rstrip()
    yield ""
    for kind in kinds[:2]:
        best = found.best(kind)
        error = getattr(best, kind)
        straight = " (the function is so nearly a parabola here that truncation does not show)" if best.h > 0.01 else ""
        yield f"{INDENT}{kind} differences are best at h = {best.h:.1e}: error {error:.1e}{straight}"
    yield from _wrapped(EXPLANATION, ink)


def _bar(error: float, kind: str, found: Comparison, h: float, ink: Ink) -> str:
    """A bar as long as the error has decades above 10^-17, and the error."""
    decades = 0.0 if error == 0 else min(max(math.log10(error) + DECADES, 0.0), DECADES)
    length = round(BAR * decades / DECADES)
    text = f"{'█' * length} {error:.0e}" if error else "0"
    best = found.best(kind).h == h or (error == 0 and kind != "complex")
    return pad(text, BAR + 8, ink("good", text) if best else text)


def _wrapped(text: str, ink: Ink) -> Iterator[str]:
    import textwrap

    for line in textwrap.wrap(text, max(40, ink.width - len(INDENT))):
        yield INDENT + ink("dim", line)


def _growth(found: Comparison) -> Iterator[list[Cell]]:
    heads = ("inputs n", "operations: numerical", "forward", "reverse", "time: numerical", "forward", "reverse", "kept")
    yield [("dim", head) for head in heads]
    names = ("numerical", "forward", "reverse")
    for cost in found.growth:
        counts: list[Cell] = [("", str(cost.operations[name])) for name in names]
        times: list[Cell] = [("", _time(cost.seconds[name])) for name in names]
        yield [("", str(cost.inputs)), *counts, *times, ("", str(cost.stored))]


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def write(found: Comparison, path: str) -> str:
    """Write the plots to a file; a line that says so."""
    from symgrad.graph.plots import to_file

    data = to_file(found, suffix(path)[1:])
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from None
    return f"{path}: error against step" + (", cost against inputs" if found.growth else "")


def progress(message: str) -> None:
    """What is being measured, on one line that is overwritten, where somebody is watching."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{message}" if message else "\r\x1b[K")
        sys.stderr.flush()
