"""What is wrong with a wrong answer, as far as it is certain.

Contract: `slips(expected, claimed)` gives findings that hold at every sample point and shape; no finding is better than
a false one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.expr import Node
from symgrad.review.equality import evaluated, is_number, number_value
from symgrad.verify.interpret import numpy_arithmetic
from symgrad.verify.points import Point, Sampler
from symgrad.verify.report import Finding

CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Pair:
    """The right and the claimed value at one point."""

    want: Any
    got: Any


Probe = Callable[[Sequence[Pair]], Finding | None]


def slips(expected: Node, claimed: Node, seed: int = 0) -> tuple[Finding, ...]:
    """The first probe that explains the difference everywhere."""
    if is_number(expected) and is_number(claimed):
        return _number_slips(expected, claimed)
    pairs = _pairs(expected, claimed, seed)
    found = next((finding for probe in PROBES if (finding := probe(pairs)) is not None), None) if pairs else None
    return () if found is None else (found,)


def _pairs(expected: Node, claimed: Node, seed: int) -> list[Pair]:
    import numpy as np

    sampler, arithmetic = Sampler(expected, seed, (claimed,)), numpy_arithmetic()

    def at(point: Point) -> Pair:
        return Pair(evaluated(expected, point, arithmetic), evaluated(claimed, point, arithmetic))

    def exists(point: Point) -> bool:
        pair = at(point)
        return bool(np.all(np.isfinite(pair.want)) and np.all(np.isfinite(pair.got)))

    with np.errstate(all="ignore"):
        points = [sampler.valid(sizes, exists) for _ in range(2) for sizes in sampler.shapes()]
        return [at(point) for point in points if point is not None]


def ratio(pairs: Sequence[Pair]) -> float | None:
    """claimed / expected where that is one number over all entries, points and shapes."""
    import numpy as np

    found: list[Any] = []
    for pair in pairs:
        size = np.max(np.abs(pair.want), initial=0.0)
        large = np.abs(pair.want) > 1e-9 * size
        if np.any(np.abs(pair.got[~large]) > 1e-9 * max(size, 1e-300)):
            return None
        found.append(np.ravel(pair.got[large] / pair.want[large]))
    ratios = np.concatenate(found) if found else np.zeros(0)
    if not len(ratios) or np.ptp(ratios) > CLOSE * np.max(np.abs(ratios)) or abs(ratios[0]) < 1e-12:
        return None
    return float(ratios[0])


def _factor(pairs: Sequence[Pair]) -> Finding | None:
    factor = ratio(pairs)
    if factor is None:
        return None
    evidence = f"claimed / expected is {factor:.10g} in every entry at {len(pairs)} points"
    if abs(factor + 1) < CLOSE:
        return Finding("sign", "the sign is wrong", evidence)
    return Finding("factor", f"the claim is {factor:.6g} times what is right", evidence)


def _transposed(pairs: Sequence[Pair]) -> Finding | None:
    import numpy as np

    if any(pair.want.ndim != 2 or pair.got.T.shape != pair.want.shape for pair in pairs):
        return None
    if all(np.allclose(pair.got.T, pair.want, rtol=CLOSE, atol=1e-12) for pair in pairs):
        return Finding("transposed", "the claim is the transpose of what is right", "entry (i, j) stands at (j, i)")
    return None


PROBES: tuple[Probe, ...] = (_factor, _transposed)


def _number_slips(expected: Node, claimed: Node) -> tuple[Finding, ...]:
    """A logarithm to the wrong base, or a sign."""
    import numpy as np

    got = float(np.ravel(number_value(claimed))[0])
    want = float(np.ravel(number_value(expected))[0])
    tolerance = 6e-3 * abs(got)
    for base, function in ((10, np.log10), (2, np.log2)):
        other = float(np.ravel(number_value(expected, {"log": function}))[0])
        if other != want and abs(other - got) <= tolerance:
            evidence = f"to base {base} the value is {other:.4g}; with the natural logarithm it is {want:.4g}"
            return (Finding("log-base", f"the logarithm was taken to base {base}", evidence),)
    if got and abs(want + got) <= tolerance:
        return (Finding("sign", "the sign is wrong", f"the value is {want:.6g}"),)
    return ()
