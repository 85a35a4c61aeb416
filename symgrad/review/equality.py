"""Whether two expressions are equal, with a promise.

Contract: `compare(left, right)` is `correct` where they agree at several shapes, points and magnitudes (`proved` where
their normal form is the same, or where they are one rational function modulo a large prime), `wrong` with a
counterexample where they differ (`proved` where its two numbers lie in enclosures that do not overlap), and `undecided`
where no point was found at which both exist.  Values that agree to rounding are compared once more with 60 digits.
The arithmetic is the witnesses' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from symgrad.dims import value as size_of
from symgrad.errors import UnsupportedError
from symgrad.expr import Node, Variable, variables
from symgrad.simplify.rules import same, simplify
from symgrad.verify.balls import apart
from symgrad.verify.identity import certificate, identity
from symgrad.verify.interpret import Arithmetic, interpret, numpy_arithmetic
from symgrad.verify.points import MAX_CONDITION, SIZES, TINY, Point, Sampler, entries, inverted
from symgrad.verify.report import Counterexample
from symgrad.verify.witnesses import high_precision

#: Relative differences: rounding below the first; above the second no doubt is possible.
ROUNDING, SURE = 1e-12, 1e-6
MAGNITUDES = (1.0, 1e-2, 20.0, 1e3, 1e7)
MAX_ENTRIES = 10**7


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of a comparison."""

    verdict: str
    certainty: str | None = None
    reason: str = ""
    counterexample: Counterexample | None = None

    def __bool__(self) -> bool:
        return self.verdict == "correct"


def compare(left: Node, right: Node, seed: int = 0) -> Judgement:
    """Whether two expressions of one shape are equal."""
    if left is right:
        return Judgement("correct", "proved", "both sides are the same expression")
    return _Comparison(left, right, seed).judged()


class _Comparison:
    def __init__(self, left: Node, right: Node, seed: int) -> None:
        self.left, self.right = left, right
        self.sampler = Sampler(left, seed, (right,))
        self.arithmetic = numpy_arithmetic()
        self.inverted = inverted(left, right)
        if entries(self.sampler.assign(SIZES[0]), left, right) > MAX_ENTRIES:
            raise UnsupportedError("the arrays are too large to be compared at sample points")

    def at(self, point: Point) -> tuple[Any, Any]:
        return evaluated(self.left, point, self.arithmetic), evaluated(self.right, point, self.arithmetic)

    def exists(self, point: Point) -> bool:
        import numpy as np

        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
            if any(ill_conditioned(node, point, self.arithmetic) for node in self.inverted):
                return False
            return all(bool(np.all(np.isfinite(value))) for value in self.at(point))
        return False

    def measured(self, places: Sequence[int]) -> bool:
        """Whether no side is 0 at all these points: beside 0 nothing says how large a rounding error may be."""
        import numpy as np

        return all(np.any(side) for k in places for side in self.at(self.points[k]))

    def lost(self, point: Point) -> bool:
        """Whether numbers on the way are beyond float64: they over- or underflow, and a difference is no evidence."""
        import numpy as np

        try:
            with np.errstate(all="ignore", over="raise", under="raise"):
                self.at(point)
        except FloatingPointError:
            return True
        return False

    def apart(self, point: Point, otherwise: bool) -> bool:
        """Whether the sides differ at a point with 60 digits; `otherwise` where nobody can tell."""
        import numpy as np

        try:
            one, other = (high_precision(n, point.values, point.sizes) for n in (self.left, self.right))
        except (UnsupportedError, NotImplementedError, TypeError, ValueError):
            return otherwise
        apart = max((abs(v) for v in np.ravel(one - other)), default=0)
        size = max((abs(v) for v in np.ravel(other)), default=0)
        return bool(apart > 1e-30 * max(size, 1e-3))

    @cached_property
    def points(self) -> list[Point]:
        shapes = list(self.sampler.shapes())
        sizes = [(s, MAGNITUDES[0]) for s in shapes] + [(shapes[0], m) for m in MAGNITUDES]
        found = (self.sampler.valid(s, self.exists, magnitude) for s, magnitude in sizes)
        return [point for point in found if point is not None]

    def judged(self) -> Judgement:
        import numpy as np

        if not self.points:
            return Judgement("undecided", None, "no point was found at which both sides exist")
        with np.errstate(all="ignore"):
            gaps = [gap(*self.at(point)) for point in self.points]
        doubtful = [k for k, (error, _) in enumerate(gaps) if error > ROUNDING and not self.lost(self.points[k])]
        sure = [k for k in doubtful if min(gaps[k]) > SURE]
        if sure and (self.measured(sure) or self.differ_precisely(max(gaps[k][0] for k in sure))):
            return self.wrong(self.points[max(sure, key=lambda k: gaps[k][0])])
        if doubtful and self.differ_precisely(max(gaps[k][0] for k in doubtful)):
            return self.wrong(self.points[doubtful[0]])
        if same(simplify(self.left), simplify(self.right)):
            return Judgement("correct", "proved", "both sides have the same normal form")
        chance = identity(self.left, self.right)
        if chance is not None:
            return Judgement("correct", "proved", certificate(chance))
        clear = [error for error, _ in gaps if error <= ROUNDING]
        told = f"both sides agree to {max([*clear, 1e-16]):.0e} at {len(clear)} points of several shapes"
        if doubtful:
            told += f", and where float64 loses its digits ({len(doubtful)} points) they agree with 60"
        return Judgement("correct", "tested", told)

    def differ_precisely(self, worst: float) -> bool:
        """With 60 digits: is a tiny difference rounding, or a difference?"""
        tried = (
            self.sampler.valid(self.sampler.assign(row), lambda p: self.exists(self.sampler.rounded(p)))
            for row in (TINY, *SIZES)
        )
        point = next((self.sampler.rounded(p) for p in tried if p is not None), None)
        return worst > SURE if point is None else self.apart(point, worst > SURE)

    def wrong(self, point: Point) -> Judgement:
        import numpy as np

        for k in range(40):
            drawn = self.sampler.draw(self.sampler.assign(TINY), 1.0 if k < 30 else 3.0)
            whole = Point({n: _whole(v) for n, v in drawn.values.items()}, drawn.sizes)
            with np.errstate(all="ignore"):
                if self.exists(whole) and gap(*self.at(whole))[0] > 1e-4:
                    point = whole
                    break
        shown = self.shown(point)
        enclosed = apart(self.left, self.right, shown, self.sampler.variables)
        return Judgement("wrong", "tested" if enclosed is None else "proved", "the two sides differ", shown)

    def shown(self, point: Point) -> Counterexample:
        import numpy as np

        with np.errstate(all="ignore"):
            want, got = (np.asarray(value, dtype=float) for value in self.at(point))
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(want - got))), want.shape))
        values = {name: np.asarray(value).tolist() for name, value in point.values.items()}
        return Counterexample(values, index, float(want[index]), float(got[index]))


def ill_conditioned(node: Node, point: Point, arithmetic: Arithmetic) -> bool:
    """Whether a matrix is singular to rounding at a point, where it has no inverse to speak of."""
    import numpy as np

    return bool(np.any(np.linalg.cond(evaluated(node, point, arithmetic)) > MAX_CONDITION))


def evaluated(node: Node, point: Point, arithmetic: Arithmetic) -> Any:
    """The value of a node at a point, with every axis."""
    import numpy as np

    value = np.asarray(interpret(node, point.values, point.sizes, arithmetic), dtype=float)
    shape = tuple(size_of(d, point.sizes) for d in node.shape)
    return value if value.shape == shape else np.broadcast_to(value, shape)


def gap(want: Any, got: Any) -> tuple[float, float]:
    """The largest difference relative to the larger value, and that value."""
    import numpy as np

    size = max(float(np.max(np.abs(want), initial=0.0)), float(np.max(np.abs(got), initial=0.0)))
    apart = float(np.max(np.abs(want - got), initial=0.0))
    return (apart / size if size else 0.0), size


def _whole(value: Any) -> Any:
    import numpy as np

    return value if np.asarray(value).dtype.kind in "iu" else np.round(np.asarray(value) * 2) + 0.0


# --- numbers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as it is printed: it stands for everything that rounds to it."""

    value: Fraction
    decimals: int

    def admits(self, exact: float, about: bool, rational: bool = True) -> bool:
        """Whether `exact` rounds to this; a whole number behind `=` means itself.

        No number that is not `rational` is whole, so there it means itself to three decimals: σ(-10) = 0.
        """
        half = 0.5 * 10.0**-self.decimals if self.decimals > 0 or about else 0.0 if rational else 5e-4
        return abs(exact - float(self.value)) <= half * (1 + 1e-9) + 1e-12 * abs(exact)


def number_value(node: Node, functions: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression without variables; with other functions in the places of some."""
    arithmetic = numpy_arithmetic()
    if functions:
        arithmetic = replace(arithmetic, functions={**arithmetic.functions, **functions})
    return evaluated(node, Point({}, {}), arithmetic)


def is_number(node: Node) -> bool:
    """Whether an expression has neither variables nor symbolic dimensions."""
    found: list[Variable] = variables(node)
    return not found and all(isinstance(d, int) for d in node.shape)


__all__ = ["Judgement", "Printed", "compare", "evaluated", "gap", "is_number", "number_value"]
