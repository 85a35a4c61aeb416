"""From witnesses to a verdict.

Contract: `check_gradient` compares a derived gradient, as emitted and compiled, with every witness, and a claim with
the gradient.  Shapes come before numbers; errors are relative to the size of the derivative; kinks are kept away from
and then visited on purpose.  A claim that agrees to rounding is looked at once more with 60 digits.  Neither
differentiation nor simplification is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from symgrad.code import compile_nodes
from symgrad.dims import names as names_of
from symgrad.dims import value as size_of
from symgrad.errors import SymgradError, UnsupportedError, UsageError
from symgrad.expr import Node, Variable
from symgrad.verify.identity import certificate, identity
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.points import MAGNITUDES, STRUCTURES, TINY, Point, Sampler
from symgrad.verify.report import Counterexample, Finding, Kink, Report, Witness
from symgrad.verify.tied import moved
from symgrad.verify.witnesses import (
    Problem,
    central,
    complex_step,
    high_precision,
    jax_derivative,
    sympy_entries,
)

#: Relative errors below these are rounding: of two float64 evaluations, and of numerical differentiation.
ROUNDING, NUMERICAL = 1e-9, 1e-6
#: Two float64 values this close are compared with more digits before they are called equal.
SURE = 1e-6
MARGIN = 0.03


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's derivative: a node or a function of named arrays.

    `proved` says that its normal form is the gradient's, `misfit` why the shapes inside it do not fit together.
    """

    source: str
    node: Node | None = None
    function: Callable[..., Any] | None = None
    proved: bool = False
    misfit: str = ""


@dataclass(frozen=True)
class Subject:
    """What is judged: a function and its derivative by each variable of `by` in turn, in a layout."""

    function: Any
    by: tuple[Variable, ...]
    gradient: Any
    layout: str = "gradient"
    steps: tuple[dict[str, str], ...] = ()
    variables: Any = None


def check_gradient(subject: Subject, claim: Claim | None = None, seed: int = 0) -> Report:
    """Judge the derived gradient, or a claim about it."""
    return _Check(subject, claim, seed).report()


class _Check:
    def __init__(self, subject: Subject, claim: Claim | None, seed: int) -> None:
        self.subject = subject
        self.claim = claim
        self.problem = Problem(subject.function.node, subject.by)
        self.sampler = Sampler(subject.function.node, seed, subject.by)
        self.seed = seed
        self.derived = evaluator(subject.gradient.node)

    # --- points ---------------------------------------------------------------------------------------------------

    def accepts(self, point: Point) -> bool:
        """Function and gradient are finite, and no kink is near."""
        import numpy as np

        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
            if not np.all(np.isfinite(np.asarray(self.problem.value(point), dtype=complex))):
                return False
            if not np.all(np.isfinite(self.derived(point))):
                return False
            return self.problem.clear_of_kinks(point, MARGIN * min(1.0, point.magnitude))
        return False

    def points(self) -> list[Point]:
        found = (self.sampler.valid(sizes, self.accepts) for sizes in self.sampler.shapes())
        points = [point for point in found if point is not None]
        return [point for point in points if self.tells(point)] or points

    def tells(self, point: Point) -> bool:
        """Whether the derivative is more than rounding: cos(w, x) has none where w has one entry."""
        import numpy as np

        values = (self.problem.value(point), point.values[self.problem.wrt.name], self.derived(point))
        value, at, slope = (float(np.max(np.abs(v), initial=0.0)) for v in values)
        return slope * at > 1e-13 * value

    # --- witnesses ------------------------------------------------------------------------------------------------

    def witnesses(self, points: list[Point]) -> tuple[Witness, ...]:
        found = [self.sympy_witness(), self.numerical_witness(points)]
        if self.problem.analytic and self.problem.order == 1:
            found.append(self.exact_witness("complex-step", points, partial(complex_step, self.problem)))
        modes = ("forward", "reverse")
        return (
            *found,
            *(self.exact_witness(f"jax-{m}", points, partial(jax_derivative, self.problem, m)) for m in modes),
        )

    def exact_witness(self, name: str, points: list[Point], value: Callable[[Point], Any]) -> Witness:
        import numpy as np

        worst = 0.0
        with np.errstate(all="ignore"):
            for point in points:
                worst = max(worst, relative_error(self.derived(point), self.laid_out(value(point)), self.slack(point)))
        return Witness(name, worst, len(points), worst <= ROUNDING)

    def slack(self, point: Point) -> float:
        """What rounding of the function's own values may leave of a derivative that is 0."""
        import numpy as np

        value = float(np.max(np.abs(np.asarray(self.problem.value(point))), initial=0.0))
        scale = 1.0
        for v in self.problem.by:
            scale *= float(np.max(np.abs(np.asarray(point.values[v.name])), initial=0.0))
        return 1e-14 * value / scale if scale else 0.0

    def numerical_witness(self, points: list[Point]) -> Witness:
        import numpy as np

        worst, agrees = 0.0, True
        with np.errstate(all="ignore"):
            for point in points:
                found, error = (self.laid_out(a) for a in central(self.problem, point))
                got = self.derived(point)
                worst = max(worst, relative_error(got, found))
                scale = max(float(np.max(np.abs(found), initial=0.0)), 1e-300)
                agrees = agrees and np.shape(got) == np.shape(found)
                agrees = agrees and bool(np.all(np.abs(got - found) <= np.maximum(NUMERICAL * scale, 10 * error)))
        return Witness("numerical", worst, len(points), agrees, "central differences, extrapolated once")

    def sympy_witness(self) -> Witness:
        import numpy as np

        point = self.sampler.valid(self.sampler.assign(TINY), lambda p: self.accepts(self.sampler.rounded(p)))
        if point is None:
            return Witness("sympy", 0.0, 0, False, "no point was found")
        point = self.sampler.rounded(point)
        try:
            entries = sympy_entries(self.problem, point, self.seed)
        except (UnsupportedError, NotImplementedError, TypeError, ValueError) as error:
            return Witness("sympy", 0.0, 0, False, f"SymPy gave up: {type(error).__name__}")
        want = _natural(self.derived(point), self.subject, self.problem, point)
        # Relative to the whole derivative: a sampled entry may happen to be tiny.
        scale = max(float(np.max(np.abs(want), initial=0.0)), *(abs(v) for v in entries.values()), 0.0) or 1.0
        worst = max((abs(float(want[k]) - v) / scale for k, v in entries.items()), default=0.0)
        return Witness("sympy", worst, len(entries), worst <= ROUNDING, "entries at a rational point")

    def laid_out(self, value: Any) -> Any:
        return layouts(value, self.problem)[self.subject.layout]

    # --- kinks ----------------------------------------------------------------------------------------------------

    def kinks(self) -> tuple[Kink, ...]:
        """Points exactly on one kink, for each operation that has one where an entry or a row of a variable is zero."""
        import numpy as np

        if self.problem.function.shape or self.problem.order != 1 or not self.problem.margins:
            return ()
        point = self.sampler.valid(self.sampler.assign(TINY), self.accepts)
        if point is None:
            return ()
        found: dict[str, Kink] = {}
        with np.errstate(all="ignore"):
            free = {v.name for v in self.sampler.variables if not v.assumptions & STRUCTURES.keys()}
            for name, value in point.values.items():
                if name not in free:
                    continue
                for zeroed in _zeroed(value):
                    kink = self.kink_at(Point({**point.values, name: zeroed}, point.sizes))
                    if kink is not None:
                        found.setdefault(kink.name, kink)
        return tuple(found.values())

    def kink_at(self, point: Point) -> Kink | None:
        """The kink of a point that lies on exactly one: where several meet, one-sided derivatives bound nothing."""
        import numpy as np

        on = {name: times for name, times in self.problem.crossings(point).items() if times}
        try:
            got = _natural(self.derived(point), self.subject, self.problem, point)
        except np.linalg.LinAlgError:
            return None
        if sum(on.values()) != 1 or not np.all(np.isfinite(got)):
            return None
        jax_value = jax_derivative(self.problem, "reverse", point)
        for index in np.ndindex(*np.shape(got)):
            low, high = (self.one_sided(point, index, sign) for sign in (-1, 1))
            if abs(high - low) > 1e-3 * max(1.0, abs(high), abs(low)):
                picked = float(got[index]) + 0.0
                return Kink(f"{next(iter(on))} at 0", picked, low + 0.0, high + 0.0, float(jax_value[index]))
        return None

    def one_sided(self, point: Point, index: tuple[int, ...], sign: int) -> float:
        import numpy as np

        base = np.asarray(point.values[self.problem.wrt.name], dtype=float)
        step = sign * 1e-7 * moved(self.problem.wrt, base, index)
        there = Point({**point.values, self.problem.wrt.name: base + step}, point.sizes)
        return float((self.problem.value(there) - self.problem.value(point)) / (sign * 1e-7))

    # --- the verdict ----------------------------------------------------------------------------------------------

    def report(self) -> Report:
        points = self.points()
        if not points:
            return self.made(
                "undecided", None, (), reason="no point was found at which the function and its gradient exist"
            )
        witnesses = self.witnesses(points)
        kinks = self.kinks()
        heard = [w for w in witnesses if w.points]
        against = [w.name for w in heard if not w.agrees]
        if len(heard) < 2:
            return self.made("undecided", None, witnesses, reason="fewer than two witnesses could be heard")
        if against or any(not kink.inside for kink in kinks):
            who = ", ".join(against) or "the one-sided derivatives at a kink"
            if self.claim is not None:
                return self.made(
                    "undecided", None, witnesses, reason=f"the derived gradient itself disagrees with {who}"
                )
            example = self.example(lambda p: self.laid_out(jax_derivative(self.problem, "reverse", p)), self.derived)
            reason = f"the derived gradient disagrees with {who}"
            return self.made("wrong", "tested", witnesses, kinks=kinks, reason=reason, counterexample=example)
        if self.claim is None:
            shapes = f"{len(points)} shapes, float64, seed {self.seed}"
            return self.made("correct", "tested", witnesses, kinks=kinks, reason=f"all witnesses agree; {shapes}")
        return self.judge(self.claim, points, witnesses, kinks)

    def made(self, verdict: str, certainty: str | None, witnesses: tuple[Witness, ...], **more: Any) -> Report:
        s = self.subject
        claim = None if self.claim is None else self.claim.source
        return Report(
            verdict,
            certainty,
            witnesses,
            s.gradient,
            s.function,
            ", ".join(dict.fromkeys(v.name for v in s.by)),
            s.variables or {},
            claim=claim,
            steps=s.steps,
            **more,
        )

    def judge(
        self, claim: Claim, points: list[Point], witnesses: tuple[Witness, ...], kinks: tuple[Kink, ...]
    ) -> Report:
        """The verdict on a claim, the gradient itself being witnessed."""
        if claim.misfit:
            finding = Finding("shape", "the shapes inside the claim do not fit", claim.misfit)
            return self.made("wrong", "proved", witnesses, kinks=kinks, reason=claim.misfit, diagnosis=(finding,))
        if claim.proved:
            reason = "the claim has the same normal form as the derived gradient"
            return self.made("correct", "proved", witnesses, kinks=kinks, reason=reason)
        claimed = evaluator(claim.node) if claim.node is not None else caller(claim.function)
        try:
            misfit = self.misfit(claimed, points)
        except SymgradError as error:
            return self.made("undecided", None, witnesses, reason=f"the claim could not be evaluated: {error.message}")
        if misfit is not None:
            return self.made("wrong", "proved", witnesses, kinks=kinks, reason=misfit[0], diagnosis=misfit[1])
        worst, where = self.furthest(claimed, points)
        if where is None:
            return self.made("undecided", None, witnesses, reason="the claim has no finite value at the sample points")
        if worst > SURE or (worst > 1e-13 and self.differs_precisely(claim, worst)):
            example = self.example(self.derived, claimed)
            shown = example or self.shown(where, self.derived, claimed)
            reason = f"the claim is off by {worst:.1e} of the size of the gradient"
            found = self.diagnose(claimed, points)
            return self.made(
                "wrong", "tested", witnesses, kinks=kinks, counterexample=shown, reason=reason, diagnosis=found
            )
        chance = None if claim.node is None else identity(claim.node, self.subject.gradient.node)
        if chance is not None:
            return self.made("correct", "proved", witnesses, kinks=kinks, reason=certificate(chance))
        reason = f"the claim agrees to {max(worst, 1e-16):.0e} at {len(points)} shapes and {len(MAGNITUDES)} magnitudes"
        return self.made("correct", "tested", witnesses, kinks=kinks, reason=reason)

    def misfit(self, claimed: Callable[[Point], Any], points: list[Point]) -> tuple[str, tuple[Finding, ...]] | None:
        """A claim of another shape is wrong before any number; right in another layout is said as exactly that."""
        import numpy as np

        fits = [np.shape(claimed(p)) == np.shape(self.derived(p)) for p in points]
        if all(fits):
            return None
        point = points[fits.index(False)]
        value, natural = claimed(point), _natural(self.derived(point), self.subject, self.problem, point)
        shapes = f"{_shape(np.shape(value))} instead of {_shape(np.shape(self.derived(point)))}"
        for name, other in layouts(natural, self.problem).items():
            same = np.shape(other) == np.shape(value)
            if name != self.subject.layout and same and relative_error(value, other) < ROUNDING:
                finding = Finding("layout", f"the claim is right in {name} layout", shapes)
                return (
                    f"the claim is right in {name} layout, not in {self.subject.layout} layout: it has shape {shapes}",
                    (finding,),
                )
        finding = Finding("shape", "the claim has another shape than the variable", shapes)
        return f"the shape is wrong: {shapes}", (finding,)

    def furthest(self, claimed: Callable[[Point], Any], points: list[Point]) -> tuple[float, Point | None]:
        """The largest relative error over shapes and magnitudes, and where."""
        import numpy as np

        more = [self.sampler.valid(p.sizes, self.accepts, m) for p in points for m in MAGNITUDES[1:]]
        worst, where = -1.0, None
        with np.errstate(all="ignore"):
            for point in [*points, *(p for p in more if p is not None and self.keeps_digits(p))]:
                got = claimed(point)
                if np.all(np.isfinite(got)) and (error := relative_error(got, self.derived(point))) > worst:
                    worst, where = error, point
        return worst, where

    def keeps_digits(self, point: Point) -> bool:
        """Whether the gradient as it is printed has its digits in float64 here: s (1 - s) has none where s is 1.

        The emitted code is stable there, and a claim that is not, as most hand-written ones, is no less correct.
        """
        plainly = interpret(self.subject.gradient.node, point.values, point.sizes, numpy_arithmetic())
        return relative_error(plainly, self.derived(point)) < ROUNDING / 100

    def differs_precisely(self, claim: Claim, worst: float) -> bool:
        """With 60 digits: is a tiny difference rounding, or a difference?"""
        import numpy as np

        if claim.node is None:
            return worst > ROUNDING
        point = self.sampler.valid(self.sampler.assign(TINY), lambda p: self.accepts(self.sampler.rounded(p)))
        if point is None:
            return worst > ROUNDING
        point = self.sampler.rounded(point)
        one, other = (high_precision(n, point.values, point.sizes) for n in (claim.node, self.subject.gradient.node))
        size = max((abs(v) for v in np.ravel(other)), default=0)
        gap = max((abs(v) for v in np.ravel(one - other)), default=0)
        return bool(gap > size * 1e-40) if size else bool(gap > 0)

    # --- what to show ---------------------------------------------------------------------------------------------

    def example(self, expected: Callable[[Point], Any], claimed: Callable[[Point], Any]) -> Counterexample | None:
        """A point of small integers at the smallest sizes where the two differ clearly."""
        import numpy as np

        for k in range(40):
            point = self.sampler.draw(self.sampler.assign(TINY), 2.0 if k < 30 else 6.0)
            small = self.sampler.rounded(point, 1)
            with np.errstate(all="ignore"):
                if self.accepts(small) and relative_error(claimed(small), expected(small)) > 1e-4:
                    return self.shown(small, expected, claimed)
        return None

    def shown(
        self, point: Point, expected: Callable[[Point], Any], claimed: Callable[[Point], Any]
    ) -> Counterexample | None:
        import numpy as np

        want, got = np.asarray(expected(point)), np.asarray(claimed(point))
        if want.shape != got.shape:
            return None
        index = np.unravel_index(int(np.argmax(np.abs(want - got))), want.shape)
        values = {name: np.asarray(value).tolist() for name, value in point.values.items()}
        place = tuple(int(i) for i in index)
        return Counterexample(values, place, float(want[index]), float(got[index]))

    def diagnose(self, claimed: Callable[[Point], Any], points: list[Point]) -> tuple[Finding, ...]:
        """What is certain about the error: a constant factor over all entries, shapes and points; a transpose."""
        import numpy as np

        pairs = [(np.asarray(claimed(p)), np.asarray(self.derived(p))) for p in points]
        pairs = [(got, want) for got, want in pairs if np.all(np.isfinite(got))]
        large = [np.abs(want) > 1e-9 * np.max(np.abs(want)) for _, want in pairs]
        ratios = np.concatenate([(got[big] / want[big]).ravel() for (got, want), big in zip(pairs, large, strict=True)])
        zero = all(np.all(np.abs(got[np.abs(want) <= 1e-9 * np.max(np.abs(want))]) < 1e-9) for got, want in pairs)
        if len(ratios) and zero and np.ptp(ratios) <= 1e-9 * np.max(np.abs(ratios)) and abs(ratios[0]) > 1e-12:
            factor = float(ratios[0])
            evidence = f"claimed / expected is {factor:.10g} in every entry at {len(pairs)} shapes"
            if abs(factor + 1) < 1e-9:
                return (Finding("sign", "the sign is wrong", evidence),)
            return (Finding("factor", f"the claim is {factor:.6g} times the gradient", evidence),)
        square = [(got, want) for got, want in pairs if want.ndim == 2]
        if square and all(got.T.shape == want.shape and relative_error(got.T, want) < ROUNDING for got, want in square):
            return (
                Finding("transposed", "the claim is the transpose of the gradient", "entry (i, j) stands at (j, i)"),
            )
        return ()


# --- helpers ----------------------------------------------------------------------------------------------------------


def evaluator(node: Node) -> Callable[[Point], Any]:
    """A node as emitted and compiled for NumPy, at points that may have more names than it needs."""
    import numpy as np

    compiled = compile_nodes({"value": node}, "numpy")
    names = [v.name for v in compiled.arguments]

    def evaluate(point: Point) -> Any:
        unknown = [d for dim in (*node.shape, *compiled.sizes) for d in names_of(dim) if d not in point.sizes]
        if unknown:
            raise UsageError(f"the dimension {unknown[0]} of the claim is none of the function's")
        known = {n: point.values[n] for n in names} | {s: point.sizes[s] for s in compiled.sizes}
        value = np.asarray(compiled(**known))
        shape = tuple(size_of(d, point.sizes) for d in node.shape)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    return evaluate


def caller(function: Callable[..., Any] | None) -> Callable[[Point], Any]:
    """A function of named arrays; it gets copies, so that it may work in place."""
    import numpy as np

    assert function is not None

    def evaluate(point: Point) -> Any:
        given = {
            name: np.array(value) if np.ndim(value) else np.asarray(value)[()] for name, value in point.values.items()
        }
        try:
            return np.asarray(function(**given), dtype=float)
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            raise UsageError(f"the claimed function raised {type(error).__name__}: {error}") from None

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


def layouts(value: Any, problem: Problem) -> dict[str, Any]:
    """A derivative (function axes, then variable axes) in every layout."""
    import numpy as np

    value = np.asarray(value)
    rank = problem.function.rank
    rest = value.ndim - rank
    row = value[None, :] if rest == 1 else value.transpose()
    denominator = value.transpose([*range(rank, value.ndim), *range(rank)])
    plain = rank or not rest or problem.order > 1
    stacked = value.transpose([axis for group in _groups(problem) for axis in reversed(group)])
    sizes = [int(np.prod([value.shape[axis] for axis in group])) for group in _groups(problem) if group]
    return {
        "gradient": value, "numerator": value if plain else row, "denominator": denominator,
        "vec": stacked.reshape(sizes),
    }  # fmt: skip


def _groups(problem: Problem) -> list[list[int]]:
    """The axes of the function, then those of each variable."""
    found, place = [], 0
    for node in (problem.function, *problem.by):
        found.append(list(range(place, place + node.rank)))
        place += node.rank
    return found


def _natural(value: Any, subject: Subject, problem: Problem, point: Point) -> Any:
    """The inverse of a layout: function axes, then variable axes."""
    import numpy as np

    value = np.asarray(value)
    if subject.layout == "denominator":
        rest = value.ndim - problem.function.rank
        return value.transpose([*range(rest, value.ndim), *range(rest)])
    if subject.layout == "numerator" and not problem.function.rank and problem.order == 1:
        return value[0] if problem.wrt.rank == 1 else value.transpose()
    if subject.layout == "vec":
        groups = _groups(problem)
        dims = [d for node in (problem.function, *problem.by) for d in node.shape]
        turned = [axis for group in groups for axis in reversed(group)]
        apart = value.reshape([size_of(dims[axis], point.sizes) for axis in turned])
        return apart.transpose(np.argsort(turned)) if turned else apart
    return value


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


def _shape(shape: tuple[int, ...]) -> str:
    return "a scalar" if not shape else "×".join(map(str, shape))
