"""From witnesses to a verdict.

Contract: `check_gradient` compares a derived gradient, as emitted and compiled, with every witness, and a claim with
the gradient.  Shapes come before numbers; errors are compared with what rounding can do at each point; kinks are kept
away from and then visited on purpose.  A claim that is wrong is so by a counterexample, which is a proof where both
numbers are enclosed in balls that do not overlap; a formula that agrees to rounding is looked at once more with 60
digits.  Neither differentiation nor simplification is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from symgrad.dims import value as size_of
from symgrad.errors import ClaimError, SymgradError, UnsupportedError, UsageError
from symgrad.expr import Node, Variable
from symgrad.verify.balls import apart
from symgrad.verify.ground import ROUNDING, Crossing, Ground, Sample, evaluator, ground, relative_error
from symgrad.verify.identity import certificate, distinct, identity
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.layouts import layouts
from symgrad.verify.points import MAGNITUDES, TINY, Point
from symgrad.verify.report import Counterexample, Finding, Heard, Kink, Report, Witness
from symgrad.verify.sides import unseen
from symgrad.verify.witnesses import high_precision, jax_derivative

#: Two float64 values this far apart differ; closer ones are compared with more digits before they are called different.
SURE = 1e-6
#: A program whose values are off by more than the second is wrong, by less than the first right; between them, neither.
CLOSE, FAR = 1e-11, 1e-10
#: Up to here a difference may be the rounding of a program that calculates in float32.
COARSE = 1e-5
#: A difference this large at a random point leaves no question, and no other point is looked at.
CLEAR = 1e-3
#: A formula that is off by less may have lost its digits.
LOST = 1e-2
#: Rounding shows as jumps where the last bits of a point change, and may be so many times as large.
EPSILON, JUMPS = 2.3e-16, 100
#: Points with more numbers than this are not worth 60 digits.
MAX_PRECISE = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's derivative: a node or a function of named arrays.

    `proved` says that its normal form is the gradient's, `misfit` why the shapes inside it do not fit together, `gaps`
    that its cases leave out the points on their borders.  A program is judged by what it returns; `traced`, what it was
    traced to, can only add a proof to that, and `note` says why there is none.
    """

    source: str
    node: Node | None = None
    function: Callable[..., Any] | None = None
    proved: bool = False
    misfit: str = ""
    gaps: bool = False
    traced: Node | None = None
    note: str = ""

    @property
    def formula(self) -> Node | None:
        """What the claim calculates, as far as it is known: its branches are looked for in it."""
        return self.traced if self.node is None else self.node


@dataclass(frozen=True)
class Subject:
    """What is judged: a function and its derivative by each variable of `by` in turn, in a layout."""

    function: Any
    by: tuple[Variable, ...]
    gradient: Any
    layout: str = "gradient"
    steps: Sequence[Mapping[str, str]] = ()
    variables: Any = None


def check_gradient(subject: Subject, claim: Claim | None = None, seed: int = 0) -> Report:
    """Judge the derived gradient by all witnesses, or a claim about it."""
    known = ground(subject.function.node, subject.by, subject.gradient.node, subject.layout, seed)
    return _Own(subject, known).report() if claim is None else _Judge(subject, known, claim).report()


class _Own:
    """The derived gradient against the witnesses."""

    def __init__(self, subject: Subject, known: Ground) -> None:
        self.subject = subject
        self.ground = known

    def made(self, verdict: str, certainty: str | None, **more: Any) -> Report:
        s = self.subject
        wrt = ", ".join(dict.fromkeys(v.name for v in s.by))
        more = {"witnesses": (), "steps": s.steps} | more
        return Report(
            verdict, certainty, gradient=s.gradient, function=s.function, wrt=wrt, variables=s.variables or {}, **more
        )

    def report(self) -> Report:
        points = self.ground.points
        if not points:
            return self.made("undecided", None, reason=NOWHERE)
        witnesses, kinks = self.ground.witnesses, self.kinks()
        heard = [w for w in witnesses if w.points]
        against = [w.name for w in heard if not w.agrees]
        if len(heard) < 2:
            return self.made("undecided", None, witnesses=witnesses, reason="fewer than two witnesses could be heard")
        if against or any(not kink.inside for kink in kinks):
            who = ", ".join(against) or "the one-sided derivatives at a kink"
            example = self.ground_example()
            reason = f"the derived gradient disagrees with {who}"
            more: dict[str, Any] = {"reason": reason, "counterexample": example}
            return self.made("wrong", "tested", witnesses=witnesses, kinks=kinks, **more)
        reason = f"all witnesses agree; {len(points)} shapes, float64, seed {self.ground.seed}"
        return self.made("correct", "tested", witnesses=witnesses, kinks=kinks, reason=reason)

    def ground_example(self) -> Counterexample | None:
        known = self.ground
        return example(known, lambda p: known.laid_out(jax_derivative(known.problem, "reverse", p)), known.derived)

    def kinks(self, claimed: Callable[[Point], Any] | None = None) -> tuple[Kink, ...]:
        """One of each kind of kink, with the values that were picked."""
        import numpy as np

        found: dict[str, Kink] = {}
        for crossing in self.ground.crossings:
            if crossing.name in found:
                continue
            k, point = crossing.index, crossing.point
            picked = None
            if claimed is not None:
                with np.errstate(all="ignore"):
                    picked = float(self.ground.natural(claimed(point), point)[k]) + 0.0
            jax_value = float(jax_derivative(self.ground.problem, "reverse", point)[k])
            derived, low, high = (float(side[k]) + 0.0 for side in (crossing.derived, crossing.low, crossing.high))
            found[crossing.name] = Kink(crossing.name, derived, low, high, jax_value, picked)
        return tuple(found.values())


class _Judge(_Own):
    """A claim against the derived gradient."""

    def __init__(self, subject: Subject, known: Ground, claim: Claim) -> None:
        super().__init__(subject, known)
        self.claim = claim
        self.differing = False  # whether some difference was one in 60 digits too

    def made(self, verdict: str, certainty: str | None, **more: Any) -> Report:
        return super().made(verdict, certainty, claim=self.claim.source, **more)

    @cached_property
    def claimed(self) -> Callable[[Point], Any]:
        return caller(self.claim.function) if self.claim.node is None else _or_none(self.claim.node)

    def report(self) -> Report:
        if not self.ground.points:
            return self.made("undecided", None, reason=NOWHERE)
        against = [w for w in self.ground.quick if not w.agrees]
        if against:
            names = ", ".join(w.name for w in against)
            reason = f"the derived gradient itself disagrees with {names}"
            return self.made("undecided", None, witnesses=self.ground.witnesses, reason=reason)
        found = self.judged()
        if found.verdict == "undecided":
            return replace(found, witnesses=self.witnesses())
        fits = not any(finding.code in {"shape", "layout"} for finding in found.diagnosis)
        return replace(found, witnesses=self.witnesses(), kinks=self.picks() if fits else Heard(self.kinks))

    def witnesses(self) -> Sequence[Witness]:
        return Heard(lambda: self.ground.witnesses)

    def picks(self) -> Sequence[Kink]:
        return Heard(lambda: self.kinks(self.claimed))

    def judged(self) -> Report:
        """The verdict on the claim, the gradient itself being witnessed."""
        claim = self.claim
        if claim.misfit:
            finding = Finding("shape", "the shapes inside the claim do not fit", claim.misfit)
            return self.made("wrong", "proved", reason=claim.misfit, diagnosis=(finding,))
        if claim.proved and claim.node is not None:
            return self.made("correct", "proved", reason="the claim has the same normal form as the derived gradient")
        try:
            misfit = self.misfit()
            return self.compared() if misfit is None else misfit
        except ClaimError as error:
            blamed = (Finding(error.finding, error.message),) if error.finding else ()
            verdict, certainty = ("wrong", "tested") if blamed else ("undecided", None)
            return self.made(verdict, certainty, reason=error.message, diagnosis=blamed)
        except SymgradError as error:
            return self.made("undecided", None, reason=f"the claim could not be evaluated: {error.message}")

    def misfit(self) -> Report | None:
        """A claim of another shape is wrong before any number; right in another layout is said as exactly that."""
        import numpy as np

        known = self.ground
        with np.errstate(all="ignore"):
            sides = [(np.asarray(self.claimed(p)), known.derived(p), p) for p in known.points]
        point = next((p for got, want, p in sides if got.shape != np.shape(want)), None)
        if point is None:
            return None
        value, want = next((got, want) for got, want, p in sides if p is point)
        if (
            self.claim.node is not None
            and not value.shape
            and all(_is_every_entry(one, all_) for one, all_, _ in sides)
        ):
            reason = (
                "every entry of the derivative is the one number that is claimed, and the claim does not say entries"
            )
            return self.made("undecided", None, reason=reason + ": write it with indices, or times a tensor of ones")
        shapes = f"{_shape(value.shape)} instead of {_shape(np.shape(want))}"
        layout = self.other_layout(sides)
        if layout:
            reason = f"the claim is right in {layout} layout, not in {known.layout} layout: it has shape {shapes}"
            finding = Finding("layout", f"the claim is right in {layout} layout", shapes)
        else:
            reason = f"the shape is wrong: {shapes}"
            finding = Finding("shape", "the claim has another shape than the variable", shapes)
        return self.made("wrong", "proved", reason=reason, diagnosis=(finding,))

    def other_layout(self, sides: Sequence[tuple[Any, Any, Point]]) -> str:
        """The layout in which a claim is right at every point, or nothing."""
        fitting = [
            {
                name
                for name, other in layouts(self.ground.natural(want, point), self.ground.problem).items()
                if other.shape == got.shape and relative_error(got, other) < ROUNDING
            }
            for got, want, point in sides
        ]
        return next((name for name in LAYOUT_NAMES if all(name in found for found in fitting)), "")

    def compared(self) -> Report:
        """The verdict on a claim of the right shape."""
        worst, where = self.furthest()
        if where is None:
            return self.made("undecided", None, reason="the claim has no finite value at the sample points")
        if FAR < worst < COARSE and self.claim.function is not None and _is_short(self.claim.function, where.point):
            reason = f"the claim returns numbers of fewer digits than float64; in those it has it agrees to {worst:.0e}"
            return self.made("undecided", None, reason=reason)
        if worst > SURE or (worst > 1e-13 and self.differs(worst, where)):
            return self.refuted(worst, where)
        crossings = [] if self.claim.gaps else self.ground.crossings
        crossing = next((c for c in crossings if self.outside(c) is not None), None)
        if crossing is not None:
            return self.refuted_at(crossing)
        if self.claim.node is not None:
            return self.accepted(worst)
        if worst > CLOSE:
            reason = f"the claim agrees to {worst:.0e} only, which is neither rounding nor a clear difference"
            return self.made("undecided", None, reason=reason)
        if self.ground.hidden:
            reason = "the claim agrees to rounding, but a term of the gradient is too small to be seen at any point"
            return self.made("undecided", None, reason=reason)
        return self.accepted(worst)

    @property
    def samples(self) -> Iterator[Sample]:
        """The samples of the ground, each drawn when it is needed, and the far sides of the claim's own branches."""
        yield from self.ground.near
        yield from self.ground.far
        if self.claim.formula is not None:
            yield from self.ground.beyond(self.claim.formula)

    def furthest(self) -> tuple[float, Sample | None]:
        """The largest error beyond rounding, relative to the derivative, over all samples, and where.

        A value that is no number is an error at a random point of moderate size, and for a program also at fixed ones,
        where a formula may have a gap; at large points it is passed over.
        """
        import numpy as np

        worst, where, finite = -1.0, None, False
        for sample in self.samples:
            with np.errstate(all="ignore"):
                got = np.asarray(self.claimed(sample.point))
            if got.shape != sample.want.shape:
                raise UsageError(f"its shape changes: {_shape(got.shape)} instead of {_shape(sample.want.shape)}")
            if np.all(np.isfinite(got)):
                finite = True
                error = _beyond(got, sample)
                if error > max(worst, 1e-13) and (self.unsteady(got, sample) or self.rounded(error, sample)):
                    continue
            elif sample.kind == "random" or (sample.kind == "fixed" and self.claim.node is None):
                error = float("inf")
            else:
                continue
            if error > worst:
                worst, where = error, sample
            if sample.kind == "random" and CLEAR < worst < float("inf"):
                break
        return worst, where if finite else None

    def unsteady(self, got: Any, sample: Sample) -> bool:
        """Whether a difference is rounding inside the claim: it jumps as far where the last bits of a point change."""
        import numpy as np

        with np.errstate(all="ignore"):
            near = [np.asarray(self.claimed(point)) for point in self.ground.nudged(sample.point, 8 * EPSILON, 4)]
        if sample.kind == "border" or any(value.shape != got.shape for value in near):
            return False
        jump = max(float(np.max(np.abs(value - got), initial=0.0)) for value in near)
        return bool(np.isfinite(jump) and np.max(np.abs(got - sample.want), initial=0.0) <= JUMPS * jump + sample.noise)

    def rounded(self, error: float, sample: Sample) -> bool:
        """Whether a formula that loses digits, as 1 - 1/(1 + e^-z) does, is right there in 60 of them."""
        if self.claim.node is None or self.differing or error > LOST:
            return False
        found = self.precisely_at(sample)
        self.differing = found is True
        return found is False

    def differs(self, worst: float, where: Sample) -> bool:
        """Is a small difference rounding, or a difference?  A formula is looked at with 60 digits."""
        if self.claim.node is None:
            return worst > FAR
        found = self.precisely_at(where)
        if found is None:
            found = self.precisely(self.rational())
        return worst > ROUNDING if found is None else found

    def rational(self) -> Point | None:
        """A point of short fractions at the smallest sizes."""
        sampler = self.ground.sampler(8)
        point = sampler.valid(sampler.assign(TINY), lambda p: self.ground.accepts(sampler.rounded(p)))
        return None if point is None else sampler.rounded(point)

    def precisely_at(self, sample: Sample) -> bool | None:
        """The same at a sample, if it has few numbers."""
        small = sum(_size(value) for value in sample.point.values.values()) <= MAX_PRECISE
        return self.precisely(sample.point) if small else None

    def precisely(self, point: Point | None) -> bool | None:
        """Whether claim and gradient differ in 60 digits at a point; None where SymPy cannot say."""
        import numpy as np

        if point is None or self.claim.node is None:
            return None
        nodes = (self.claim.node, self.ground.gradient)
        try:
            one, other = (high_precision(node, point.values, point.sizes) for node in nodes)
            size = max((abs(v) for v in np.ravel(other)), default=0)
            gap = max((abs(v) for v in np.ravel(one - other)), default=0)
            return bool(gap > size * 1e-40) if size else bool(gap > 0)
        except (UnsupportedError, NotImplementedError, TypeError, ValueError, ZeroDivisionError):
            return None

    # --- verdicts -------------------------------------------------------------------------------------------------

    def followed(self) -> bool:
        """Whether a program returns what it was traced to, calculated plainly: else the trace says nothing."""
        import numpy as np

        assert self.claim.traced is not None
        with np.errstate(all="ignore"):
            for point in self.ground.points:
                got = np.asarray(self.claimed(point))
                plain = np.asarray(interpret(self.claim.traced, point.values, point.sizes, numpy_arithmetic()))
                if relative_error(got, np.broadcast_to(plain, got.shape)) > FAR:
                    return False
        return True

    def accepted(self, worst: float) -> Report:
        claim = self.claim
        if claim.traced is not None and self.followed():
            ran = f"run, it agrees to {max(worst, 1e-16):.0e} at {len(self.ground.samples)} points"
            if claim.proved:
                reason = f"the traced program has the same normal form as the derived gradient; {ran}"
                return self.made("correct", "proved", reason=reason)
            likely = identity(claim.traced, self.ground.gradient)
            if likely is not None:
                return self.made("correct", "proved", reason=f"{certificate(likely)}; {ran}")
        chance = None if claim.node is None else identity(claim.node, self.ground.gradient)
        if chance is not None:
            return self.made("correct", "proved", reason=certificate(chance))
        if claim.node is not None and distinct(claim.node, self.ground.gradient):
            reason = "the claim and the gradient are different rational functions, by less than float64 can show"
            return self.made("wrong", "proved", reason=reason)
        constant = None if claim.formula is None else self.unseen(claim.formula)
        if constant is not None:
            return self.made("undecided", None, reason=constant)
        count = len(self.ground.samples)
        shapes = len({tuple(sample.point.sizes.items()) for sample in self.ground.samples})
        told = f"{count} points, {shapes} shapes and {len(MAGNITUDES)} magnitudes"
        precise = self.precisely(self.rational())
        if precise:
            return self.refuted(worst, self.ground.samples[0])
        digits = " and in 60 digits at a rational point" if precise is False else ""
        reason = f"the claim agrees to {max(worst, 1e-16):.0e} at {told}{digits}"
        return self.made("correct", "tested", reason=reason + claim.note)

    def unseen(self, node: Node) -> str | None:
        """What a claim does on a side that no point lies on is not known, however well it agrees on the other."""
        points = [*(sample.point for sample in self.samples), *(crossing.point for crossing in self.ground.crossings)]
        found = unseen(node, (self.ground.problem.function, self.ground.gradient), points)
        return found and f"the claim agrees at all points that were looked at, but there {found}: no more is known"

    def refuted(self, worst: float, where: Sample) -> Report:
        shown = example(self.ground, self.ground.derived, self.claimed)
        shown = shown or _shown(where.point, self.ground.derived, self.claimed)
        reason = f"the claim is off by {worst:.1e} of the size of the gradient"
        if worst == float("inf"):
            reason = "the claim is no number where the gradient is one"
        return self.proven(self.made("wrong", "tested", counterexample=shown, reason=reason))

    def refuted_at(self, crossing: Crossing) -> Report:
        """A claim that is right everywhere but at a kink."""
        place = self.outside(crossing)
        assert place is not None
        low, high = (float(side[place]) + 0.0 for side in (crossing.low, crossing.high))
        picked = float(self.ground.natural(self.claimed(crossing.point), crossing.point)[place])
        values = {name: _listed(value) for name, value in crossing.point.values.items()}
        shown = Counterexample(values, place, float(crossing.derived[place]) + 0.0, picked)
        wanted = f"{low:.6g}" if high - low < 1e-5 else f"a value in [{low:.6g}, {high:.6g}]"
        reason = f"the claim is wrong at a kink ({crossing.name}): {wanted} is right, {picked:.6g} is claimed"
        return self.made("wrong", "tested", counterexample=shown, reason=reason)

    def outside(self, crossing: Crossing) -> tuple[int, ...] | None:
        """The entry in which a claim lies outside the one-sided derivatives; a claim without a value does not."""
        import numpy as np

        if not np.all(crossing.admits(crossing.derived)):
            return None
        with np.errstate(all="ignore"):
            value = self.ground.natural(self.claimed(crossing.point), crossing.point)
        if np.shape(value) != crossing.derived.shape:
            return None
        beyond = np.argwhere(~crossing.admits(value) & np.isfinite(value))
        return tuple(int(k) for k in beyond[0]) if len(beyond) else None

    def proven(self, report: Report) -> Report:
        """The report with the proof that the two numbers of its counterexample differ, if there is one."""
        shown = report.counterexample
        if shown is None or self.claim.node is None:
            return report
        enclosed = apart(self.ground.gradient, self.claim.node, shown, self.ground.sampler(0).variables)
        if enclosed is None:
            return report
        return replace(report, certainty="proved", reason=f"{report.reason}; {enclosed}")


NOWHERE = "no point was found at which the function and its gradient exist"
LAYOUT_NAMES = ("gradient", "numerator", "denominator", "vec", "vec (as a row)")


# --- helpers ----------------------------------------------------------------------------------------------------------


def _is_short(function: Callable[..., Any], point: Point) -> bool:
    """Whether a function returns float32 or shorter: its rounding then hides what would be a difference."""
    import numpy as np

    with suppress(Exception):
        dtype = np.asarray(function(**{name: np.array(value) for name, value in point.values.items()})).dtype
        return bool(dtype.kind == "f" and dtype.itemsize < 8)
    return False


def caller(function: Callable[..., Any] | None) -> Callable[[Point], Any]:
    """A function of named arrays; it gets copies, and its result is copied, so that it may work in place."""
    import numpy as np

    assert function is not None

    def evaluate(point: Point) -> Any:
        given = {
            name: np.array(value) if np.ndim(value) else np.asarray(value)[()] for name, value in point.values.items()
        }
        try:
            returned = function(**given)
            found = np.asarray(returned)
            if returned is None or found.dtype.kind in "US":
                raise UsageError(f"the claimed function returned {'None' if returned is None else 'text'}")
            if found.dtype.kind == "c" and np.any(found.imag):
                raise UsageError("the claimed function returned complex numbers")
            return np.array(found.real if found.dtype.kind == "c" else found, dtype=float)
        except SymgradError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code may raise anything
            raise UsageError(f"the claimed function raised {type(error).__name__}: {error}") from None

    return evaluate


def _or_none(node: Node) -> Callable[[Point], Any]:
    """The value of a claim; no numbers where it inverts what has no inverse."""
    import numpy as np

    value = evaluator(node)

    def evaluate(point: Point) -> Any:
        try:
            return value(point)
        except np.linalg.LinAlgError:
            return np.full(tuple(size_of(d, point.sizes) for d in node.shape), np.nan)

    return evaluate


def example(known: Ground, expected: Callable[[Point], Any], claimed: Callable[[Point], Any]) -> Counterexample | None:
    """A point of small integers at the smallest sizes where the two differ clearly."""
    import numpy as np

    sampler = known.sampler(9)
    for k in range(40):
        point = sampler.draw(sampler.assign(TINY), 2.0 if k < 30 else 6.0)
        small = sampler.rounded(point, 1)
        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
            if known.accepts(small) and 1e-4 < relative_error(claimed(small), expected(small)) < float("inf"):
                return _shown(small, expected, claimed)
    return None


def _shown(point: Point, expected: Callable[[Point], Any], claimed: Callable[[Point], Any]) -> Counterexample | None:
    import numpy as np

    with np.errstate(all="ignore"):
        want, got = np.asarray(expected(point)), np.asarray(claimed(point))
        if want.shape != got.shape:
            return None
        gap = np.where(np.isfinite(got), np.abs(want - got), np.inf)
    index = np.unravel_index(int(np.argmax(gap)), want.shape)
    values = {name: _listed(value) for name, value in point.values.items()}
    return Counterexample(values, tuple(int(i) for i in index), float(want[index]), float(got[index]))


def _listed(value: Any) -> Any:
    import numpy as np

    return np.asarray(value).tolist()


def _beyond(got: Any, sample: Sample) -> float:
    """The error of a value beyond rounding, relative to the larger of the two."""
    import numpy as np

    size = max(float(np.max(np.abs(got), initial=0.0)), sample.scale)
    gap = float(np.max(np.abs(got - sample.want), initial=0.0)) - sample.noise
    return gap / size if gap > 0 else 0.0


def _is_every_entry(number: Any, tensor: Any) -> bool:
    import numpy as np

    return relative_error(np.broadcast_to(number, np.shape(tensor)), tensor) < ROUNDING


def _size(value: Any) -> int:
    import numpy as np

    return int(np.size(value))


def _shape(shape: tuple[int, ...]) -> str:
    return "a scalar" if not shape else "×".join(map(str, shape))
