"""The sides of a claim's branches: a function that has one value wherever it was looked at may have another elsewhere.

Contract: `unseen(claim, known, points)` names a function within a claim, and none of the known expressions, that took
too few values at the points, and says which: a step or a kink has two sides, and a smooth function that has at most
three values is one that saturates.  Values closer than float64 can show are one.  It is None where there is none.
`beside(margin, point, name)` are points close to where a margin is zero, on both of its sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from symgrad.expr import Call, Node, Size, postorder
from symgrad.expr import Variable as Named
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.points import Point

DIGITS = 12
#: How close to a border points lie, relative to where it is, and how close they may come to a kink of the function.
CLOSE, CLEARANCE = 1e-7, 1e-9
STEPS = 12


def unseen(claim: Node, known: Sequence[Node], points: Iterable[Point]) -> str | None:
    """A function of the claim alone that was (nearly) constant at all points, with the values it took."""
    import numpy as np

    familiar = set(postorder(known))
    calls = [node for node in postorder([claim]) if isinstance(node, Call) and node not in familiar and _varies(node)]
    found: dict[Call, set[float]] = {node: set() for node in calls}
    for point in points:
        open_ = [node for node in calls if len(found[node]) < _sides(node)]
        if not open_:
            return None
        with np.errstate(all="ignore"):
            for node in open_:
                found[node] |= _values(interpret(node, point.values, point.sizes, numpy_arithmetic()))
    told = (
        f"{_named(node)} was {' or '.join(f'{value:.6g}' for value in sorted(values))}"
        for node, values in found.items()
        if 0 < len(values) < _sides(node)
    )
    return next(told, None)


def _named(node: Call) -> str:
    return f"1[... {node.op.symbol} 0]" if node.op.symbol else (node.op.text or (node.op.name,))[0]


def _sides(node: Call) -> int:
    return 2 if node.op.kinks else 4


def _varies(node: Call) -> bool:
    """Whether there is something to vary, and the function is no selection of entries or of cases."""
    chosen = all(rule.kind == "fixed" for rule in node.op.rules) and not node.op.kinks
    return (
        not chosen
        and "condition" not in node.op.domain
        and any(isinstance(part, Named | Size) for part in postorder([node]))
    )


def _values(found: Any) -> set[float]:
    import numpy as np

    value = np.ravel(np.asarray(found, dtype=float))
    return set((np.round(value[np.isfinite(value)][:50], DIGITS) + 0.0).tolist())


# --- borders ----------------------------------------------------------------------------------------------------------


def beside(margin: Node, point: Point, name: str) -> Iterator[Point]:
    """Points on both sides of where a margin is zero, along the first entries of one variable."""
    import numpy as np

    base = np.asarray(point.values[name])
    if base.dtype.kind != "f":
        return
    for index in list(np.ndindex(*base.shape))[:2]:

        def moved(x: float, index: tuple[int, ...] = index) -> Point:
            value = base.copy()
            value[index] = x
            return Point({**point.values, name: value}, point.sizes, CLEARANCE)

        def height(x: float, place: int, moved: Callable[[float], Point] = moved) -> float:
            there = moved(x)
            return float(np.ravel(interpret(margin, there.values, there.sizes, numpy_arithmetic()))[place])

        for place in range(min(2, np.size(interpret(margin, point.values, point.sizes, numpy_arithmetic())))):
            root = _root(lambda x, place=place: height(x, place), float(base[index]))  # type: ignore[misc]
            if root is not None:
                step = CLOSE * (abs(root) or abs(float(base[index])) or 1.0)
                yield from (moved(root - step), moved(root + step))


def _root(height: Callable[[float], float], start: float) -> float | None:
    """Where a function of one number is zero, by the secant method."""
    one, other = start, start + 1.0
    low, high = height(one), height(other)
    for _ in range(STEPS):
        if low == high or not (abs(low) < float("inf") and abs(high) < float("inf")):
            break
        one, other = other, other - high * (other - one) / (high - low)
        low, high = high, height(other)
        if high == 0 or abs(other - one) <= 1e-15 * abs(other):
            return other
    return None


__all__ = ["CLEARANCE", "beside", "unseen"]
