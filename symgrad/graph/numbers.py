"""Numbers as a reader wants them: few digits, no noise, matrices as matrices.

Contract: `number` rounds to `DIGITS` decimals as the lectures do, small numbers to so many significant digits, and
never shows a value as 0 that is not; `entries` gives the cells of an array, aligned, long arrays cut with dots; `block`
puts brackets around them.
"""

from __future__ import annotations

from typing import Any

DIGITS = 3
#: Rows, and entries of a row, that are shown of a large array.
MOST = 5


def number(value: float, digits: int = DIGITS) -> str:
    """`0.116`, `-12`, `11.652`, `1.2e-05`."""
    if abs(value) < 1e-12:  # rounding, beside numbers that a reader types
        return "0"
    if 10.0 ** (1 - digits) <= abs(value) < 1e7:
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits}g}"


def entries(value: Any, digits: int = DIGITS) -> list[str]:
    """The lines of a number, a vector (a column) or a matrix, without brackets; of more axes only the shape."""
    shape = tuple(value.shape)
    if not shape:
        return [number(float(value), digits)]
    if len(shape) > 2:
        return [f"{'×'.join(map(str, shape))} array"]
    rows = [[row] for row in value.tolist()] if len(shape) == 1 else value.tolist()
    cells = [_cut([number(float(entry), digits) for entry in row], "…") for row in rows]
    cells = _cut(cells, ["⋮"] + [""] * (len(cells[0]) - 1))
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def block(value: Any, digits: int = DIGITS) -> list[str]:
    """The lines of an array with brackets around them, for text."""
    lines = entries(value, digits)
    if len(value.shape) not in {1, 2}:
        return lines
    if len(lines) == 1:
        return [f"[{lines[0]}]"]
    sides = [("⎡", "⎤"), *[("⎢", "⎥")] * (len(lines) - 2), ("⎣", "⎦")]
    return [f"{left}{line}{right}" for (left, right), line in zip(sides, lines, strict=True)]


def _cut(items: list[Any], dots: Any) -> list[Any]:
    return items if len(items) <= MOST else [*items[: MOST - 2], dots, items[-1]]


def inline(value: Any, digits: int = DIGITS) -> str:
    """On one line: `0.116`, `[0.44, 0.52]`, `[[0.088, 0.176], [0.104, 0.208]]`."""
    return _nested(value.tolist(), digits)


def _nested(value: Any, digits: int) -> str:
    if isinstance(value, list):
        parts = [_nested(part, digits) for part in value]
        return f"[{', '.join(_cut(parts, '…'))}]"
    return number(float(value), digits)
