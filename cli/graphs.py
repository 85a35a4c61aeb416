"""What `symgrad graph` and `symgrad trace` print and write: drawings, tables of the passes, image files.

Contract: nothing is computed here; every number comes from `symgrad.draw` and `symgrad.trace`.  A file is written whole
or not at all, and only where its name says which kind it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.errors import UsageError, printable
from symgrad.graph.gates import FLOWS
from symgrad.graph.numbers import block, inline
from symgrad.graph.words import remarks

from . import report
from .terminal import Cell, Ink, columns, pad, table

if TYPE_CHECKING:
    from symgrad import Expr
    from symgrad.graph import Graph, Line, Trace
    from symgrad.graph.passes import Passes

INDENT = "  "
#: What a part of a drawing is -> its style on a terminal.
STYLES = {"value": "good", "gradient": "bad", "gate": "bold", "name": "bold", "wire": "dim"}
KINDS = (".svg", ".png")


# --- graph ------------------------------------------------------------------------------------------------------------


def graph(function: Expr, drawn: Graph, ink: Ink) -> Iterator[str]:
    """The reading, the drawing (or, where the terminal is too narrow for it, a table), and how gradient flows."""
    yield ""
    yield from report.reading(function, ink)
    yield ""
    if max(sum(columns(text) for _, text in line) for line in drawn.lines) + len(INDENT) <= ink.width:
        for line in drawn.lines:
            yield (INDENT + "".join(ink(STYLES[role], text) if role else text for role, text in line)).rstrip()
    else:
        yield from _narrow(drawn, ink)
    yield ""
    yield from _legend(drawn, ink)
    yield ""


def _narrow(drawn: Graph, ink: Ink) -> Iterator[str]:
    """Every gate with its inputs and numbers, for terminals on which the drawing would not fit."""
    rows: list[list[Cell]] = [[("dim", head) for head in ("value", "gate", "of", "forward", "gradient")]]
    for node in _nodes(drawn):
        numbers = [("good", _number(node["value"])), ("bad", _number(node["gradient"]))]
        rows.append([("bold", node["name"]), ("", node["gate"] or "input"), ("", ", ".join(node["inputs"])), *numbers])
    yield from table(rows, ink)
    yield f"{INDENT}{ink('dim', 'the drawing is wider than this terminal; --out graph.svg draws it')}"


def _nodes(drawn: Graph) -> list[dict[str, Any]]:
    nodes: Any = drawn.to_dict()["nodes"]
    return list(nodes)


def _number(value: Any) -> str:
    if value is None:
        return ""
    import numpy as np

    return inline(np.asarray(value))


def _legend(drawn: Graph, ink: Ink) -> Iterator[str]:
    passes = drawn.passes
    if passes.numeric:
        below = "" if passes.tape.output.variable.shape else f", {ink('bad', 'below: gradient')} of {passes.tape.name}"
        yield f"{INDENT}{ink('good', 'above: value')}{below}"
    for flow in drawn.flows:
        yield f"{INDENT}{ink('dim', FLOWS[flow])}"
    yield from _remarks(passes, ink)
    if not passes.numeric:
        values = ", ".join(f"{row.shown}=..." for row in passes.tape.inputs)
        yield INDENT + ink("dim", f'for numbers add --at "{values}"')


def _remarks(passes: Passes, ink: Ink) -> Iterator[str]:
    for remark in remarks(passes):
        yield INDENT + ink("dim", remark)
    for note in passes.notes:
        yield f"{INDENT}{ink('warn', 'kink')}  {printable(note)}"


def suffix(path: str | None) -> str:
    """The kind of file that a name asks for."""
    if path is None:
        return ""
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"--out writes {' or '.join(KINDS)} files, not {path!r}", hint="as in --out graph.svg")
    return kind


def write(drawn: Graph, path: str, theme: str) -> str:
    """Write the drawing to a file; a line that says so."""
    kind = suffix(path)
    data = drawn.svg(theme).encode() if kind == ".svg" else drawn.png(theme)
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror or error}") from None
    return f"{path}: {drawn.picture.title}"


# --- trace ------------------------------------------------------------------------------------------------------------


def trace(function: Expr, traced: Trace, direction: Mapping[str, Any] | None, ink: Ink) -> Iterator[str]:
    """The reading, the table of the values, and the table of the adjoints or of the tangents."""
    yield ""
    yield from report.reading(function, ink)
    yield ""
    yield f"{INDENT}{ink('bold', 'forward primal trace')}"
    yield from lines(traced.primal, ink, "good")
    yield ""
    if direction is None:
        yield f"{INDENT}{ink('bold', 'reverse adjoint trace')}"
        yield from lines(traced.reverse, ink, "bad")
    else:
        yield f"{INDENT}{ink('bold', 'forward tangent trace')}"
        yield from lines(traced.forward(direction), ink, "bad")
    yield from _remarks(traced.passes, ink)
    yield ""


def lines(found: Sequence[Line], ink: Ink, style: str) -> Iterator[str]:
    """`v₁ = log(v₋₁) = log(2) = 0.693`, the equals signs below each other; a matrix takes several lines."""
    cells = [(line.name, line.formula, line.numbers, _block(line)) for line in found]
    widths = [max(map(columns, words), default=0) for words in zip(*(row[:3] for row in cells), strict=True)]
    for name, formula, numbers, value in cells:
        middle = (len(value) - 1) // 2
        for k, part in enumerate(value or [""]):
            here = k == max(middle, 0)
            words = (name, formula, numbers) if here else ("", "", "")
            yield _row(words, widths, part, bool(value), here, ink, style).rstrip()


def _row(
    words: Iterable[str], widths: Sequence[int], value: str, numeric: bool, here: bool, ink: Ink, style: str
) -> str:
    name, formula, numbers = words
    text = INDENT + INDENT + pad(name, widths[0])
    for word, width in ((formula, widths[1]), (numbers, widths[2])):
        if width:
            text += ("  = " if word else "    ") + pad(word, width)
    return text + ("  = " if here and numeric else "    ") + ink(style, value)


def _block(line: Line) -> list[str]:
    return [] if line.value is None else block(line.value)


def trace_document(traced: Trace, direction: Mapping[str, Any] | None) -> dict[str, Any]:
    """The tables for JSON."""
    tables: dict[str, Any] = {"primal": [line.to_dict() for line in traced.primal]}
    if direction is None:
        tables["reverse"] = [line.to_dict() for line in traced.reverse]
    else:
        tables["forward"] = [line.to_dict() for line in traced.forward(direction)]
    return tables | {"notes": traced.passes.notes}
