r"""Equations that are no identities: conditions to be solved, what follows from them, and what is taken as given.

Contract: `follows(condition, difference)` tells by numbers whether `difference = 0` wherever `condition = 0`: the
condition is solved for one of its variables at sample points.  `normalised(left, right)` is the substitution that makes
a given sum or norm of one variable hold, as `y / sum(y)` for `sum(y) = 1`.  Neither proves anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from symgrad.expr import Call, Node, Variable, add, contract, postorder, substitute, variables
from symgrad.review.equality import compare, evaluated, is_number, number_value
from symgrad.verify.interpret import numpy_arithmetic
from symgrad.verify.points import SIZES, Point, Sampler

STEPS, CONVERGED, CLOSE, FAR = 40, 1e-10, 1e-7, 1e-4
MAX_UNKNOWNS = 60


def follows(condition: Node, difference: Node, seed: int = 0) -> bool | None:
    """Whether a difference vanishes where a condition holds; None where the condition could not be solved."""
    for unknown in variables(condition):
        fits = unknown.shape == condition.shape and unknown in variables(difference)
        if fits and not unknown.assumptions & {"label", "symmetric", "diagonal", "orthogonal"}:
            found = list(_gaps(condition, difference, unknown, seed))
            if len(found) > 1:
                return True if max(found) < CLOSE else False if max(found) > FAR else None
    return None


def _gaps(condition: Node, difference: Node, unknown: Variable, seed: int) -> Iterator[float]:
    """How far from 0 the difference is at solutions, relative to what it is elsewhere."""
    import numpy as np

    sampler, arithmetic = Sampler(condition, seed, (difference,)), numpy_arithmetic()
    for row in SIZES:
        with np.errstate(all="ignore"):
            start = sampler.draw(sampler.assign(row), 1.0)
            solved = _solved(condition, unknown, start, arithmetic)
            if solved is None:
                continue
            at, away = (evaluated(difference, point, arithmetic) for point in (solved, start))
            size = float(np.max(np.abs(away), initial=0.0))
            if np.all(np.isfinite(at)) and size > 0:
                yield float(np.max(np.abs(at), initial=0.0)) / size


def _solved(condition: Node, unknown: Variable, start: Point, arithmetic: Any) -> Point | None:
    """Newton's method from a point, with differences for derivatives."""
    import numpy as np

    value = np.array(start.values[unknown.name], dtype=float)
    if value.size > MAX_UNKNOWNS:
        return None

    def at(flat: Any) -> Any:
        point = Point({**start.values, unknown.name: flat.reshape(value.shape)}, start.sizes)
        return np.ravel(evaluated(condition, point, arithmetic))

    flat = value.ravel()
    scale = float(np.max(np.abs(at(flat)), initial=0.0)) or 1.0
    for _ in range(STEPS):
        residual = at(flat)
        if not np.all(np.isfinite(residual)):
            return None
        if np.max(np.abs(residual)) < CONVERGED * scale:
            return Point({**start.values, unknown.name: flat.reshape(value.shape)}, start.sizes)
        width = 1e-6 * np.maximum(np.abs(flat), 1.0)
        steps = np.eye(flat.size) * width
        slopes = [(at(flat + step) - at(flat - step)) / (2 * w) for step, w in zip(steps, width, strict=True)]
        try:
            flat = flat - np.linalg.solve(np.array(slopes).T, residual)
        except np.linalg.LinAlgError:
            return None
    return None


def normalised(left: Node, right: Node, seed: int = 0) -> tuple[Variable, Node] | None:
    """The variable of `sum(y) = 1` or `||w||^2 = 1` with what makes the equation hold; None for anything else.

    The left side must be homogeneous of degree 1 or 2 in one variable alone, the right side a number that is not 0.
    """
    free = list(variables(left))
    if len(free) != 1 or left.shape or not is_number(right) or any(isinstance(n, Call) for n in postorder([right])):
        return None
    (unknown,) = free
    number = Fraction(float(number_value(right)))
    if not number or not unknown.shape or "label" in unknown.assumptions:
        return None
    twice = substitute(left, {unknown: add([(2, unknown)], unknown.shape)})
    for degree in (1, 2):
        if compare(twice, add([(2**degree, left)], ()), seed):
            axes = tuple(f"a{k}" for k in range(unknown.rank))
            root = _root(number, degree)
            if root is None:
                return None
            return unknown, contract([(unknown, axes), (left, (), Fraction(-1, degree))], axes, root)
    return None


def _root(number: Fraction, degree: int) -> Fraction | None:
    """The exact root of a number, if it has one."""
    if degree == 1:
        return number
    found = Fraction(round(float(number) ** 0.5)) if number > 0 else Fraction(0)
    return found if found * found == number else None


__all__ = ["follows", "normalised"]
