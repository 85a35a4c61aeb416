"""What is wrong with a wrong answer, as far as it is certain.

Contract: a finding holds at every sample point and shape, and names what was done: the answer that the mistake leads to
is the claim.  The values alone are asked first (a constant ratio, a transpose, an axis too many), then the suspects of
`mistakes`.  No finding is better than a false one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations
from math import log
from typing import Any

from symgrad.errors import SymgradError
from symgrad.expr import Node, Sum, Variable
from symgrad.review.equality import evaluated, ill_conditioned, is_number, number_value
from symgrad.review.mistakes import suspects
from symgrad.review.scenes import Share, Suspect
from symgrad.verify.interpret import numpy_arithmetic
from symgrad.verify.points import Point, Sampler, inverted
from symgrad.verify.report import Finding

#: Every code of a finding, and what it means; codes stay as they are.
CODES = {
    "factor": "a constant factor in every entry",
    "sign": "the sign of the whole",
    "mean": "the size of a dimension, or one over it, too much",
    "transposed": "the transpose",
    "layout": "right in another layout",
    "structure": "the entries of a structured matrix were taken as independent of each other",
    "shape": "the shapes do not fit",
    "unsummed": "an axis that must be summed",
    "oversummed": "an axis that must not be summed",
    "broadcast": "a column met a row, and every entry was taken with every other",
    "missing-term": "a term is missing",
    "extra-term": "a term too many",
    "sign-of-term": "a term has the wrong sign",
    "factor-of-term": "a term has the wrong factor",
    "mean-of-term": "a term is averaged, or not, where it must not be, or must",
    "not-differentiated": "a term itself stands in the place of its gradient",
    "constant": "a part that depends on the variable was taken as a constant",
    "chain": "a factor of the chain rule is missing",
    "extra": "a factor of the chain rule too many",
    "rule": "the derivative of an operation is another one",
    "argument": "a function was evaluated at something else",
    "diagonal": "of a Jacobian only the diagonal was used",
    "axis": "normalised over the wrong axis",
    "normalisation": "a softmax without the sum that it is divided by",
    "flipped": "a filter that must be flipped is not, or the other way round",
    "label": "the label is off by one, or stands where its one-hot vector should, or alone got a gradient",
    "repeated": "what comes from a label that is repeated is counted once",
    "missing-factor": "a factor of a product is missing",
    "other-factor": "another array stands in the place of a factor",
    "power": "the derivative of another power",
    "mask": "a mask is missing, on the wrong side, or of something else",
    "branch": "one branch only was differentiated",
    "count": "the correct class was counted wrongly",
    "sign-inside": "the sign inside a function was lost",
    "transposed-factor": "a factor of a product is transposed",
    "log-base": "a logarithm to another base",
    "variable": "the gradient by another variable",
    "rounded": "the values are rounded to whole numbers",
    "raises": "the program raises an error, or ends its process",
    "returns": "the program returns what is no array of finite numbers",
    "carried": "the line follows from an earlier wrong one",
}
CLOSE = 1e-9
#: So many more points of each set of sizes must agree with an explanation.
MORE = 6
#: A wrong answer is compared with at most so many suspects.
MAX_SUSPECTS = 3000


@dataclass(frozen=True, slots=True)
class Pair:
    """The right and the claimed value at one point."""

    want: Any
    got: Any
    point: Point


Probe = Callable[[Sequence[Pair]], Finding | None]


def slips(expected: Node, claimed: Node, seed: int = 0) -> tuple[Finding, ...]:
    """What the values of two expressions tell."""
    if is_number(expected) and is_number(claimed):
        return _number_slips(expected, claimed)
    arithmetic = numpy_arithmetic()
    return probed(_pairs(expected, lambda point: evaluated(claimed, point, arithmetic), seed, (claimed,)))


def proportional(one: Node, other: Node, seed: int = 0) -> bool:
    """Whether `other` is a constant, not zero, times `one`."""
    arithmetic = numpy_arithmetic()
    found = ratios(_pairs(one, lambda point: evaluated(other, point, arithmetic), seed, (other,)))
    common = rate(found) if found else None
    return common is not None and abs(common.value) > CLOSE


def explain(
    function: Node, wrt: Variable, gradient: Node, claimed: Callable[[Point], Any], *, seed: int = 0,
    names: Mapping[str, Node] | None = None, beside: tuple[Node, ...] = (),
) -> tuple[Finding, ...]:  # fmt: skip
    """What is wrong with a claimed gradient, given as a function of a point; `beside` has the variables it needs."""
    try:
        pairs = _pairs(gradient, claimed, seed, (function, wrt, *beside))
    except SymgradError:
        return ()
    found = probed(pairs)
    if found or not pairs or gradient.shape != wrt.shape or any(pair.got.shape != pair.want.shape for pair in pairs):
        return found
    more: list[Pair] = []
    seen: set[Node] = set()
    for count, suspect in enumerate(suspects(function, wrt, gradient, names)):
        if count > MAX_SUSPECTS:
            break
        if isinstance(suspect, Suspect):
            if suspect.answer in seen:
                continue
            seen.add(suspect.answer)
        if _finding(suspect, pairs) is None:
            continue
        # Where a mask seldom differs from another one, a few points do not tell them apart.
        more = more or [*pairs, *_pairs(gradient, claimed, seed + 1, (function, wrt, *beside), MORE)]
        if (finding := _finding(suspect, more)) is not None:
            return (finding,)
    finding = _rounded(pairs)
    return () if finding is None else (finding,)


def shares(
    gradient: Node, claimed: Callable[[Point], Any], *, seed: int = 0, beside: tuple[Node, ...] = ()
) -> list[float]:
    """How many times a claim has each term of a gradient that is a sum; nothing where it is no such combination."""
    import numpy as np

    if not isinstance(gradient, Sum):
        return []
    try:
        pairs = _pairs(gradient, claimed, seed, beside)
    except SymgradError:
        return []
    if not pairs or any(pair.got.shape != pair.want.shape for pair in pairs):
        return []
    arithmetic, rows, goals = numpy_arithmetic(), [], []
    for pair in pairs:
        size = float(np.max(np.abs(pair.want), initial=0.0)) or 1.0
        values = [float(c) * evaluated(term, pair.point, arithmetic) for c, term in gradient.terms]
        rows.append(np.stack([np.ravel(value) for value in values], axis=-1) / size)
        goals.append(np.ravel(pair.got) / size)
    matrix, goal = np.concatenate(rows), np.concatenate(goals)
    times, _, rank, _ = np.linalg.lstsq(matrix, goal)
    gap = float(np.max(np.abs(matrix @ times - goal), initial=0.0))
    if rank < len(times) or gap > CLOSE * max(1.0, float(np.max(np.abs(goal), initial=0.0))):
        return []
    return [round(float(t), 9) + 0.0 for t in times]


def probed(pairs: Sequence[Pair]) -> tuple[Finding, ...]:
    """What the values alone tell."""
    found = next((finding for probe in PROBES if (finding := probe(pairs)) is not None), None) if pairs else None
    return () if found is None else (found,)


def _finding(suspect: Suspect | Share, pairs: Sequence[Pair]) -> Finding | None:
    return _share(suspect, pairs) if isinstance(suspect, Share) else _suspect(suspect, pairs)


def _pairs(
    expected: Node, claimed: Callable[[Point], Any], seed: int, beside: tuple[Node, ...], times: int = 2
) -> list[Pair]:
    """Both values at a few points for every set of sizes."""
    import numpy as np

    sampler, arithmetic = Sampler(expected, seed, beside), numpy_arithmetic()

    singular, found = inverted(expected, *beside), list[Pair]()

    def exists(point: Point) -> bool:
        with suppress(np.linalg.LinAlgError):
            if any(ill_conditioned(node, point, arithmetic) for node in singular):
                return False
            want, got = evaluated(expected, point, arithmetic), np.asarray(claimed(point), dtype=float)
            if np.all(np.isfinite(want)) and np.all(np.isfinite(got)):
                found.append(Pair(want, got, point))
                return True
        return False

    with np.errstate(all="ignore"):
        for _ in range(times):
            for sizes in sampler.shapes():
                sampler.valid(sizes, exists)
    return found


# --- values -----------------------------------------------------------------------------------------------------------


def ratios(pairs: Sequence[Pair]) -> list[tuple[float, Point]]:
    """claimed / expected at every point where neither is zero; nothing where it is not the same for all entries."""
    import numpy as np

    found: list[tuple[float, Point]] = []
    for pair in pairs:
        if pair.got.shape != pair.want.shape:
            return []
        size = float(np.max(np.abs(pair.want), initial=0.0))
        if not size and not np.any(pair.got):
            continue
        if not size:
            return []
        place = np.unravel_index(int(np.argmax(np.abs(pair.want))), pair.want.shape)
        ratio = float(pair.got[place] / pair.want[place])
        if np.max(np.abs(pair.got - ratio * pair.want)) > CLOSE * max(size, abs(ratio) * size):
            return []
        found.append((ratio, pair.point))
    return found


@dataclass(frozen=True, slots=True)
class Rate:
    """A ratio over all points: a number, or the size of a dimension, or one over it, or over that of another."""

    value: float
    dimension: str = ""
    over: str = ""

    @property
    def text(self) -> str:
        if not self.dimension:
            return f"{self.value:.6g}"
        if self.over:
            return f"{self.dimension}/{self.over}"
        return self.dimension if self.value > 0 else f"1/{self.dimension}"


def rate(found: Sequence[tuple[float, Point]]) -> Rate | None:
    """What ratios at several points have in common."""
    first, where = found[0]
    if all(abs(ratio - first) <= CLOSE * max(abs(first), 1.0) for ratio, _ in found):
        return Rate(first)
    for dim in where.sizes:
        for sign in (1, -1):
            if all(abs(ratio - float(point.sizes[dim]) ** sign) <= CLOSE * ratio for ratio, point in found):
                return Rate(float(sign), dim)
    for dim, over in permutations(where.sizes, 2):
        if all(abs(ratio - point.sizes[dim] / point.sizes[over]) <= CLOSE * ratio for ratio, point in found):
            return Rate(1.0, dim, over)
    return None


def _factor(pairs: Sequence[Pair]) -> Finding | None:
    found = ratios(pairs)
    common = rate(found) if found else None
    if common is None or (not common.dimension and abs(common.value) < 1e-12):
        return None
    evidence = f"claimed / expected is {common.text} in every entry at {len(pairs)} points"
    if common.dimension:
        return Finding("mean", f"the claim is {common.text} times what is right: {_mean(common)}", evidence)
    if abs(common.value + 1) < CLOSE:
        return Finding("sign", "the sign is wrong", evidence)
    if abs(common.value - 1) < CLOSE:
        return None
    return Finding("factor", f"the claim is {common.value:.6g} times what is right", evidence)


def _mean(common: Rate) -> str:
    dim = common.dimension
    if common.over:
        return f"it is divided by {common.over} instead of {dim}"
    return f"1/{dim} is missing" if common.value > 0 else f"it is divided by {dim} once too often"


def _transposed(pairs: Sequence[Pair]) -> Finding | None:
    import numpy as np

    if any(pair.want.ndim != 2 or pair.got.T.shape != pair.want.shape for pair in pairs):
        return None
    if all(np.allclose(pair.got.T, pair.want, rtol=CLOSE, atol=1e-12) for pair in pairs):
        return Finding("transposed", "the claim is the transpose of what is right", "entry (i, j) stands at (j, i)")
    return None


def _unsummed(pairs: Sequence[Pair]) -> Finding | None:
    """One axis too many: of length 1, or one that should have been summed."""
    import numpy as np

    for axis in range(max(pair.got.ndim for pair in pairs)):
        if any(pair.got.ndim != pair.want.ndim + 1 or axis >= pair.got.ndim for pair in pairs):
            return None
        summed = [np.sum(pair.got, axis=axis) for pair in pairs]
        right = [Pair(pair.want, value, pair.point) for pair, value in zip(pairs, summed, strict=True)]
        if all(pair.got.shape == pair.want.shape and _close(pair.want, pair) for pair in right):
            shapes = f"{pairs[0].got.shape} instead of {pairs[0].want.shape}"
            if all(pair.got.shape[axis] == 1 for pair in pairs):
                return Finding("shape", "the values are right, the shape is not", shapes)
            return Finding("unsummed", f"axis {axis} of the claim must be summed", shapes)
    return None


def _oversummed(pairs: Sequence[Pair]) -> Finding | None:
    """A sum over an axis that the answer has, left out or repeated along it."""
    import numpy as np

    rank = pairs[0].want.ndim
    subsets = [axes for k in range(1, rank + 1) for axes in combinations(range(rank), k)]
    for axes in subsets:
        for keep in (True, False):
            sums = [np.sum(pair.want, axis=axes, keepdims=keep) for pair in pairs]
            if keep:
                sums = [np.broadcast_to(value, pair.want.shape) for value, pair in zip(sums, pairs, strict=True)]
            if not all(_close(value, pair) for value, pair in zip(sums, pairs, strict=True)):
                continue
            if all(value.size == 1 for value in (pair.want for pair in pairs)):
                continue
            which = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
            return Finding("oversummed", f"the claim is summed over {which} of the answer", "the sums agree")
    return None


def _rounded(pairs: Sequence[Pair]) -> Finding | None:
    """Whole numbers, by // or by an array of integers."""
    import numpy as np

    if any(pair.got.shape != pair.want.shape for pair in pairs) or all(_close(pair.want, pair) for pair in pairs):
        return None
    for name, down in (("down", np.floor), ("towards zero", np.trunc), ("to the nearest", np.round)):
        if all(np.array_equal(down(pair.want), pair.got) for pair in pairs):
            return Finding("rounded", f"every entry is rounded {name} to a whole number", "by // or an integer array")
    return None


PROBES: tuple[Probe, ...] = (_factor, _transposed, _unsummed, _oversummed)


# --- suspects ---------------------------------------------------------------------------------------------------------


def _suspect(suspect: Suspect, pairs: Sequence[Pair]) -> Finding | None:
    """The mistake of a suspect whose answer is the claim."""
    import numpy as np

    arithmetic = numpy_arithmetic()
    with np.errstate(all="ignore"):
        for pair in pairs:
            if not _close(evaluated(suspect.answer, pair.point, arithmetic), pair):
                return None
    if all(_close(pair.want, pair) for pair in pairs):
        return None
    return Finding(suspect.code, suspect.message, f"that gives the claim at {len(pairs)} points of several shapes")


def _close(value: Any, pair: Pair) -> bool:
    import numpy as np

    if value.shape != pair.got.shape or not np.all(np.isfinite(value)):
        return False
    size = max(float(np.max(np.abs(pair.want), initial=0.0)), float(np.max(np.abs(pair.got), initial=0.0)))
    return bool(np.max(np.abs(value - pair.got), initial=0.0) <= CLOSE * size)


def _share(share: Share, pairs: Sequence[Pair]) -> Finding | None:
    """What comes through a part of the function is there a wrong number of times."""
    import numpy as np

    arithmetic, found = numpy_arithmetic(), []
    with np.errstate(all="ignore"):
        for pair in pairs:
            rest, whole = (evaluated(node, pair.point, arithmetic) for node in (share.rest, share.whole))
            part = whole - rest
            size = float(np.max(np.abs(part), initial=0.0))
            scale = float(np.max(np.abs(whole), initial=0.0))
            if not np.isfinite(scale):
                return None
            if size <= 1e-7 * scale:
                if not _close(whole, pair):
                    return None
                continue
            place = np.unravel_index(int(np.argmax(np.abs(part))), part.shape)
            times = float((pair.got - rest)[place] / part[place])
            if not _close(rest + times * part, pair):
                return None
            found.append((times if abs(times) > CLOSE else 0.0, pair.point))
    common = rate(found) if found else None
    return None if common is None or (common.value == 1 and not common.dimension) else _told(share, common, len(pairs))


def _told(share: Share, common: Rate, points: int) -> Finding | None:
    evidence = f"its share is {common.text} times what it should be at {points} points"
    if common.dimension:
        return Finding("mean-of-term", f"in what comes from {share.part}, {_mean(common)}", evidence)
    if abs(common.value) < CLOSE:
        return Finding(share.code, share.message, evidence)
    if abs(common.value + 1) < CLOSE:
        return Finding("sign-of-term", f"what comes from {share.part} has the wrong sign", evidence)
    if abs(common.value - 1) < 1e-6 or not _plain(common.value):
        return None
    return Finding("factor-of-term", f"what comes from {share.part} is there {common.text} times", evidence)


def _plain(ratio: float) -> bool:
    """Whether somebody may have written this factor by a slip: a simple fraction, or one that changes a logarithm."""
    units = (1.0, log(2), log(10), 1 / log(2), 1 / log(10))
    simple = [Fraction(ratio / unit).limit_denominator(6) * unit for unit in units]
    return abs(ratio) <= 12 and any(abs(float(value) - ratio) < 1e-7 for value in simple)


# --- numbers ----------------------------------------------------------------------------------------------------------


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
