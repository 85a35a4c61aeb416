"""What a claim is judged on: a derived derivative, the points it is looked at, and the witnesses of it.

Contract: a `Ground` belongs to one function, one derivative and one seed, and no claim; everything in it is found once,
when it is needed, by a random stream of its own, so that what is asked first changes nothing.  The witnesses that NumPy
alone can call are `quick`; SymPy and JAX, which take seconds, are the `slow` ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

from symgrad.code import compile_nodes
from symgrad.dims import names as names_of
from symgrad.dims import value as size_of
from symgrad.errors import UnsupportedError, UsageError
from symgrad.expr import Node, Sum, Variable, variables
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.layouts import layouts, natural
from symgrad.verify.points import (
    MAGNITUDES,
    MORE,
    SIZES,
    STRUCTURES,
    TINY,
    Point,
    Sampler,
    entries,
    inverted,
)
from symgrad.verify.report import Witness
from symgrad.verify.tied import moved
from symgrad.verify.witnesses import Problem, central, complex_step, jax_derivative, sympy_entries

#: Relative errors below these are rounding: of two float64 evaluations, and of numerical differentiation.
ROUNDING, NUMERICAL = 1e-9, 1e-6
MARGIN = 0.03
#: Claims are not looked at where an array has more entries than this.
MAX_ENTRIES = 10**6
#: Matrices that are inverted are as far from singular as to leave numerical differentiation its digits.
MAX_CONDITION = 100
#: By how much a point is moved to see how well conditioned the derivative is there; and how far rounding moves it.
NUDGE, MOVED = 1e-6, 1e-12
#: Where a derivative is smaller than this part of its usual size, that part is what errors are measured by.
TAIL = 1e-4
#: At so many points on a kink, at most, a claim is looked at.
MAX_KINKS = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """A point, the derivative there, and how much rounding may change it.

    Its kind is `random`, of moderate size; `fixed`, where numbers are equal or zero; `border`, of a claim's own branch;
    or `wild`, where much overflows, and where `scale`, to which errors are relative, is no less than a part of what is
    usual: tails have few digits.
    """

    point: Point
    want: Any
    noise: float
    kind: str
    scale: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """A point exactly on one kink: the one-sided derivatives by every entry, and what was derived there."""

    name: str
    point: Point
    low: Any
    high: Any
    derived: Any

    @property
    def index(self) -> tuple[int, ...]:
        """An entry whose derivative is an interval."""
        import numpy as np

        return tuple(int(i) for i in np.argwhere(self.open)[0])

    @property
    def open(self) -> Any:
        import numpy as np

        return self.high - self.low > 1e-3 * np.maximum(1.0, np.maximum(abs(self.high), abs(self.low)))

    def admits(self, value: Any) -> Any:
        """For every entry, whether a value lies between the one-sided derivatives."""
        import numpy as np

        slack = 1e-5 * np.maximum(1.0, np.maximum(abs(self.high), abs(self.low)))
        return (self.low - slack <= value) & (value <= self.high + slack)


@lru_cache(maxsize=64)
def ground(function: Node, by: tuple[Variable, ...], gradient: Node, layout: str, seed: int) -> Ground:
    """The ground of a subject; the same one as long as it is remembered."""
    return Ground(function, by, gradient, layout, seed)


class Ground:
    def __init__(self, function: Node, by: tuple[Variable, ...], gradient: Node, layout: str, seed: int) -> None:
        self.problem = Problem(function, by)
        self.gradient = gradient
        self.layout = layout
        self.seed = seed
        self.inverted = inverted(function, gradient)
        self.derived = evaluator(gradient)

    def sampler(self, stream: int) -> Sampler:
        return Sampler(self.problem.function, self.seed, self.problem.by, stream)

    def natural(self, value: Any, point: Point) -> Any:
        return natural(value, self.layout, self.problem, point)

    def laid_out(self, value: Any) -> Any:
        return layouts(value, self.problem)[self.layout]

    # --- points ---------------------------------------------------------------------------------------------------

    def accepts(self, point: Point) -> bool:
        """Function and gradient are finite, no kink is near, and no matrix is inverted that hardly has an inverse."""
        import numpy as np

        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
            if not np.all(np.isfinite(np.asarray(self.problem.value(point), dtype=complex))):
                return False
            if not np.all(np.isfinite(self.derived(point))):
                return False
            if any(self.condition(node, point) > MAX_CONDITION for node in self.inverted):
                return False
            return self.problem.clear_of_kinks(point, MARGIN * min(1.0, point.magnitude))
        return False

    def condition(self, node: Node, point: Point) -> float:
        import numpy as np

        return float(np.max(np.linalg.cond(interpret(node, point.values, point.sizes, numpy_arithmetic()))))

    @cached_property
    def points(self) -> list[Point]:
        """Where the witnesses are called."""
        sampler = self.sampler(0)
        found = (sampler.valid(sizes, self.accepts) for sizes in sampler.shapes())
        points = [point for point in found if point is not None]
        return [point for point in points if self.tells(point)] or points

    def tells(self, point: Point) -> bool:
        """Whether the derivative is more than rounding: cos(w, x) has none where w has one entry."""
        import numpy as np

        derived = self.derived(point)
        values = (self.problem.value(point), point.values[self.problem.wrt.name], derived)
        value, at, slope = (float(np.max(np.abs(v), initial=0.0)) for v in values)
        return slope * at > 1e-13 * value and self.lost(derived, point)[1] < 1e-6 * slope

    @property
    def samples(self) -> list[Sample]:
        """Where claims are looked at; most wrong ones are wrong at the near samples, and no others are drawn."""
        return [*self.near, *self.far]

    @cached_property
    def near(self) -> list[Sample]:
        """Random points of moderate size."""
        return self.sampled_all(("random", p) for p in (*self.points, *self.further(1, MORE, 1.0)))

    @cached_property
    def far(self) -> list[Sample]:
        """Points of other magnitudes and sizes, lopsided points, and fixed ones."""
        found = self.sampled_all(self.far_points())
        usual = sorted(sample.scale for sample in (*self.near, *found) if sample.kind == "random") or [0.0]
        least = TAIL * usual[len(usual) // 2]
        return [replace(s, scale=max(s.scale, least)) if s.kind == "wild" else s for s in found]

    def far_points(self) -> Iterator[tuple[str, Point]]:
        yield from (("fixed", p) for p in self.stressed())
        yield from (("fixed" if p.magnitude <= 1 else "wild", p) for p in self.lopsided())
        for m in MAGNITUDES[1:]:
            yield from (("random" if m < 1 else "wild", p) for p in self.further(2, (TINY, *SIZES), m))

    def sampled_all(self, points: Iterable[tuple[str, Point]]) -> list[Sample]:
        import numpy as np

        with np.errstate(all="ignore"):
            tried = [self.sampled(kind, point) for kind, point in points]
        return [sample for sample in tried if sample is not None]

    def further(self, stream: int, rows: tuple[tuple[int, ...], ...], magnitude: float) -> Iterator[Point]:
        sampler = self.sampler(stream + int(magnitude))
        for sizes in map(sampler.assign, rows):
            if sampler.dims and entries(sizes, self.problem.function, self.gradient) > MAX_ENTRIES:
                continue
            point = sampler.valid(sizes, self.accepts, magnitude)
            if point is not None:
                yield point
                yield from filter(self.accepts, [sampler.mirrored(point)])

    def stressed(self) -> Iterator[Point]:
        sampler = self.sampler(4)
        for row in (TINY, SIZES[0]):
            yield from filter(self.accepts, sampler.stressed(sampler.assign(row)))

    def lopsided(self) -> Iterator[Point]:
        sampler = self.sampler(5)
        yield from sampler.lopsided(sampler.assign(SIZES[0]), self.accepts)

    def sampled(self, kind: str, point: Point) -> Sample | None:
        """The point and the derivative there, unless it has no digits in float64: s (1 - s) has none where s is 1.

        The emitted code is stable there, and a claim that is not, as most hand-written ones, is no less correct.
        """
        import numpy as np

        want = self.derived(point)
        size = float(np.max(np.abs(want), initial=0.0))
        change = [np.max(np.abs(self.derived(near) - want), initial=0.0) for near in self.nudged(point)]
        noise = MOVED * size + MOVED / NUDGE * float(max(change)) + 10 * self.slack(point)
        plainly, longer = self.lost(want, point)
        if not np.isfinite(noise) or longer > 10 * noise or not plainly < TAIL * size + noise:
            return None
        return Sample(point, want, noise + 10 * plainly, kind, size)

    def lost(self, want: Any, point: Point) -> tuple[float, float]:
        """How far the printed derivative is from what was computed: in float64, and with more digits if there are."""
        import numpy as np

        whole = {name for name, value in point.values.items() if np.asarray(value).dtype.kind in "iu"}
        longer = {k: v if k in whole else np.asarray(v, np.longdouble) for k, v in point.values.items()}
        found = [float("inf")]
        with np.errstate(all="ignore"):
            for values in (point.values, longer):
                with suppress(Exception):  # libraries refuse long doubles each in its own way
                    plainly = interpret(self.gradient, values, point.sizes, numpy_arithmetic())
                    found.append(float(np.max(np.abs(plainly - want), initial=0.0)))
        return found[min(1, len(found) - 1)], found[-1]

    def beyond(self, claim: Node) -> Iterator[Sample]:
        """Points on the borders of the branches that only a claim has, and on the far sides of them."""
        import numpy as np

        sampler = self.sampler(0)
        free = {v.name for v in sampler.variables if not v.assumptions & STRUCTURES.keys()}
        known = {margin for _, margin in self.problem.margins}
        first = next(iter(self.near or self.far), None)
        for _, margin in Problem(claim, self.problem.by).margins:
            if margin in known or first is None or not set(variables(margin)) <= set(sampler.variables):
                continue
            short = sampler.rounded(first.point)
            for name in sorted({v.name for v in variables(margin)} & free):
                for times in (1.0, 2.0, 0.5):
                    with np.errstate(all="ignore"):
                        for point in list(self.ties(short, name, [margin], times))[:2]:
                            found = self.sampled("border", point) if self.accepts(point) else None
                            if found is not None:
                                yield found

    def nudged(self, point: Point, step: float = NUDGE, count: int = 2) -> Iterator[Point]:
        """The point with every real entry moved by a relative step, up or down."""
        import numpy as np

        rng = np.random.default_rng(self.seed)
        for _ in range(count):
            moving = {
                name: value if np.asarray(value).dtype.kind in "iu" else value * (1 + step * _signs(rng, value))
                for name, value in point.values.items()
            }
            yield Point(moving, point.sizes)

    @cached_property
    def hidden(self) -> list[Node]:
        """Terms of the derivative that drown in rounding at every sample: a claim may lack them unseen."""
        import numpy as np

        node, found = self.gradient, []
        for factor, term in node.terms if isinstance(node, Sum) else ():
            with np.errstate(all="ignore"):
                sizes = [
                    abs(float(factor))
                    * np.max(np.abs(_valued(term, sample.point)), initial=0.0)
                    / (sample.noise or 1.0)
                    for sample in self.samples
                ]
            if not any(np.isfinite(size) and size > 1e3 for size in sizes):
                found.append(term)
        return found

    # --- witnesses ------------------------------------------------------------------------------------------------

    @cached_property
    def quick(self) -> list[Witness]:
        found = [self.numerical_witness()]
        if self.problem.analytic and self.problem.order == 1:
            found.append(self.exact_witness("complex-step", partial(complex_step, self.problem)))
        return found

    @cached_property
    def witnesses(self) -> tuple[Witness, ...]:
        slow = (self.exact_witness(f"jax-{mode}", partial(jax_derivative, self.problem, mode)) for mode in MODES)
        return (self.sympy_witness(), *self.quick, *slow)

    def exact_witness(self, name: str, value: Callable[[Point], Any]) -> Witness:
        import numpy as np

        worst = 0.0
        with np.errstate(all="ignore"):
            for point in self.points:
                worst = max(worst, relative_error(self.derived(point), self.laid_out(value(point)), self.slack(point)))
        return Witness(name, worst, len(self.points), worst <= ROUNDING)

    def slack(self, point: Point) -> float:
        """What rounding of the function's own values may leave of a derivative that is 0."""
        import numpy as np

        value = float(np.max(np.abs(np.asarray(self.problem.value(point))), initial=0.0))
        scale = 1.0
        for v in self.problem.by:
            scale *= float(np.max(np.abs(np.asarray(point.values[v.name])), initial=0.0))
        return 1e-14 * value / scale if scale else 0.0

    def numerical_witness(self) -> Witness:
        import numpy as np

        worst, agrees = 0.0, True
        with np.errstate(all="ignore"):
            for point in self.points:
                found, error = (self.laid_out(a) for a in central(self.problem, point))
                got = self.derived(point)
                worst = max(worst, relative_error(got, found))
                scale = max(float(np.max(np.abs(found), initial=0.0)), 1e-300)
                agrees = agrees and np.shape(got) == np.shape(found)
                agrees = agrees and bool(np.all(np.abs(got - found) <= np.maximum(NUMERICAL * scale, 10 * error)))
        return Witness("numerical", worst, len(self.points), agrees, "central differences, extrapolated once")

    def sympy_witness(self) -> Witness:
        import numpy as np

        sampler = self.sampler(6)
        point = sampler.valid(sampler.assign(TINY), lambda p: self.accepts(sampler.rounded(p)))
        if point is None:
            return Witness("sympy", 0.0, 0, False, "no point was found")
        point = sampler.rounded(point)
        try:
            found = sympy_entries(self.problem, point, self.seed)
        except (UnsupportedError, NotImplementedError, TypeError, ValueError) as error:
            return Witness("sympy", 0.0, 0, False, f"SymPy gave up: {type(error).__name__}")
        want = self.natural(self.derived(point), point)
        # Relative to the whole derivative: a sampled entry may happen to be tiny.
        scale = max(float(np.max(np.abs(want), initial=0.0)), *(abs(v) for v in found.values()), 0.0) or 1.0
        worst = max((abs(float(want[k]) - v) / scale for k, v in found.items()), default=0.0)
        return Witness("sympy", worst, len(found), worst <= ROUNDING, "entries at a rational point")

    # --- kinks ----------------------------------------------------------------------------------------------------

    @cached_property
    def crossings(self) -> list[Crossing]:
        """Points exactly on one kink: entries and rows of variables at zero, and ties between whatever is compared."""
        import numpy as np

        if self.problem.function.shape or self.problem.order != 1 or not self.problem.margins:
            return []
        found: list[Crossing] = []
        with np.errstate(all="ignore"):
            for point in self.on_kinks():
                crossing = self.crossing(point) if len(found) < MAX_KINKS else None
                if crossing is not None:
                    found.append(crossing)
        return found

    def on_kinks(self) -> Iterator[Point]:
        sampler = self.sampler(7)
        free = [v.name for v in sampler.variables if not v.assumptions & STRUCTURES.keys()]
        near = sampler.valid(sampler.assign(TINY), self.accepts)
        whole = sampler.valid(sampler.assign(TINY), lambda p: self.accepts(_whole(sampler, p)))
        points = [near] if near is not None else []
        points += [_whole(sampler, whole)] if whole is not None else []
        for point in points:
            for name in free:
                for zeroed in _zeroed(point.values[name]):
                    yield Point({**point.values, name: zeroed}, point.sizes)
                yield from self.ties(point, name, [margin for _, margin in self.problem.margins])

    def ties(self, point: Point, name: str, margins: list[Node], times: float = 1.0) -> Iterator[Point]:
        """Points where a margin is zero because entries of one variable are moved, if it is linear in them.

        They are moved `times` as far: a margin has the other sign beyond 1.
        """
        import numpy as np

        base = np.asarray(point.values[name], dtype=float)
        for margin in margins if np.asarray(point.values[name]).dtype.kind == "f" else ():
            before = _valued(margin, point)
            for index in list(np.ndindex(*base.shape))[:3]:
                step = np.zeros(base.shape)
                step[index] = 1.0
                slope = _valued(margin, Point({**point.values, name: base + step}, point.sizes)) - before
                moving = np.argwhere(np.isfinite(slope) & (slope != 0))
                for place in map(tuple, moving[:2]):
                    to = base - step * times * (before[place] / slope[place])
                    yield Point({**point.values, name: to}, point.sizes)

    def crossing(self, point: Point) -> Crossing | None:
        """The kink of a point that lies on exactly one: where several meet, one-sided derivatives bound nothing."""
        import numpy as np

        on = {name: times for name, times in self.problem.crossings(point).items() if times}
        if sum(on.values()) != 1:
            return None
        try:
            derived = np.asarray(self.natural(self.derived(point), point), dtype=float)
        except np.linalg.LinAlgError:
            return None
        if not np.all(np.isfinite(derived)):
            return None
        sides = [np.zeros(derived.shape), np.zeros(derived.shape)]
        for index in np.ndindex(*derived.shape):
            for side, sign in zip(sides, (-1, 1), strict=True):
                side[index] = self.one_sided(point, index, sign)
        found = Crossing(next(iter(on)), point, np.minimum(*sides), np.maximum(*sides), derived)
        return found if np.any(found.open) else None

    def one_sided(self, point: Point, index: tuple[int, ...], sign: int) -> float:
        import numpy as np

        base = np.asarray(point.values[self.problem.wrt.name], dtype=float)
        step = sign * 1e-7 * moved(self.problem.wrt, base, index)
        there = Point({**point.values, self.problem.wrt.name: base + step}, point.sizes)
        return float((self.problem.value(there) - self.problem.value(point)) / (sign * 1e-7))


MODES = ("forward", "reverse")


@lru_cache(maxsize=256)
def evaluator(node: Node) -> Callable[[Point], Any]:
    """A node as emitted and compiled for NumPy, at points that may have more names than it needs."""
    import numpy as np

    compiled = compile_nodes({"value": node}, "numpy")
    names = [v.name for v in compiled.arguments]
    needed = dict.fromkeys(d for dim in (*node.shape, *compiled.sizes) for d in names_of(dim))

    def evaluate(point: Point) -> Any:
        unknown = next((d for d in needed if d not in point.sizes), None)
        if unknown is not None:
            raise UsageError(f"the dimension {unknown} of the claim is none of the function's")
        known = {n: point.values[n] for n in names} | {s: point.sizes[s] for s in compiled.sizes}
        value = np.asarray(compiled(**known))
        shape = tuple(size_of(d, point.sizes) for d in node.shape)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    return evaluate


def relative_error(got: Any, want: Any, slack: float = 0.0) -> float:
    """max |got - want| relative to the larger of the two; infinite for other shapes or values that are no numbers.

    Differences up to `slack` are none.
    """
    import numpy as np

    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    if got.shape != want.shape or not (np.all(np.isfinite(got)) and np.all(np.isfinite(want))):
        return float("inf")
    size = max(float(np.max(np.abs(got), initial=0.0)), float(np.max(np.abs(want), initial=0.0)))
    difference = float(np.max(np.abs(got - want), initial=0.0))
    return difference / size if difference > slack else 0.0


def _valued(node: Node, point: Point) -> Any:
    import numpy as np

    return np.asarray(interpret(node, point.values, point.sizes, numpy_arithmetic()), dtype=float)


def _signs(rng: Any, value: Any) -> Any:
    import numpy as np

    return rng.choice([-1.0, 1.0], size=np.shape(value))


def _whole(sampler: Sampler, point: Point) -> Point:
    """Small whole numbers instead, which move without rounding."""
    return sampler.rounded(Point({name: _doubled(value) for name, value in point.values.items()}, point.sizes), 1)


def _doubled(value: Any) -> Any:
    import numpy as np

    return value if np.asarray(value).dtype.kind in "iu" else np.asarray(value) * 2


def _zeroed(value: Any) -> list[Any]:
    """The value with its first entry zero, and with its first row zero; nothing for labels."""
    import numpy as np

    array = np.array(value)
    if array.dtype.kind in "iu" or not array.size:
        return []
    entry = array.copy()
    entry.flat[0] = 0.0
    if array.ndim < 2:
        return [entry]
    array[0] = 0.0
    return [entry, array]
