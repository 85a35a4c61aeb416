"""What of a claim was seen: a function that has one value wherever it was looked at may have another elsewhere.

Contract: `unseen(claim, known, points)` names a function within a claim, and none of the known expressions, that took too
few values at the points, and says which: a step or a kink has two sides, and a smooth function that has no more than
three values is one that saturates.  Values closer than float64 can show are one.  It is None where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from symgrad.expr import Call, Node, Size, postorder
from symgrad.expr import Variable as Named
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.points import Point

DIGITS = 12


def unseen(claim: Node, known: Sequence[Node], points: Iterable[Point]) -> str | None:
    """A function of the claim alone that was (nearly) constant at all points, with the values it took."""
    import numpy as np

    familiar = set(postorder(known))
    calls = [node for node in postorder([claim]) if isinstance(node, Call) and node not in familiar and _varies(node)]
    found: dict[Node, set[float]] = {node: set() for node in calls}
    for point in points:
        open_ = [node for node in calls if len(found[node]) < _sides(node)]
        if not open_:
            return None
        with np.errstate(all="ignore"):
            for node in open_:
                found[node] |= _values(interpret(node, point.values, point.sizes, numpy_arithmetic()))
    node = next((node for node in calls if 0 < len(found[node]) < _sides(node)), None)
    if node is None:
        return None
    name = f"1[... {node.op.symbol} 0]" if node.op.symbol else node.op.text[0] if node.op.text else node.op.name
    return f"{name} was {' or '.join(f'{value:.6g}' for value in sorted(found[node]))}"


def _sides(node: Call) -> int:
    return 2 if node.op.kinks else 4


def _varies(node: Call) -> bool:
    """Whether there is something to vary, and the function is no selection of entries or of cases."""
    chosen = all(rule.kind == "fixed" for rule in node.op.rules) and not node.op.kinks
    return not chosen and "condition" not in node.op.domain and any(isinstance(part, Named | Size) for part in postorder([node]))


def _values(found: Any) -> set[float]:
    import numpy as np

    value = np.ravel(np.asarray(found, dtype=float))
    return set((np.round(value[np.isfinite(value)][:50], DIGITS) + 0.0).tolist())


__all__ = ["unseen"]
