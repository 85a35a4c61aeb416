"""A gradient of a program against numerical differentiation, where there is no formula.

Contract: `disagreement(function, gradient, point, wrt)` is None where a program's gradient agrees with central
differences of the program at a point, and says where it does not otherwise.  Shapes come before numbers, and nothing
broadcasts; entries are compared relative to the size of the gradient, with the error of the differences allowed for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symgrad.errors import UsageError

STEP = 2e-3


def disagreement(
    function: Callable[..., Any], gradient: Any, point: Mapping[str, Any], wrt: str, rtol: float = 1e-7
) -> str | None:
    """What is wrong with `gradient`, a program or an array, as ∂ function / ∂ wrt at `point`."""
    import numpy as np

    got = np.asarray(gradient(**copied(point)) if callable(gradient) else gradient, dtype=float)
    want, error = central(function, point, wrt)
    if got.shape != want.shape:
        return f"the gradient by {wrt} has shape {got.shape} instead of {want.shape}"
    size = max(float(np.max(np.abs(want), initial=0.0)), float(np.max(np.abs(got), initial=0.0)))
    apart = np.abs(got - want)
    beyond = apart - np.maximum(rtol * size, 10 * error)
    if not size or (np.all(np.isfinite(got)) and not np.any(beyond > 0)):
        return None
    worst = int(np.argmax(np.where(np.isnan(beyond), np.inf, beyond)))
    index = tuple(int(i) for i in np.unravel_index(worst, got.shape))
    entry = f"entry {index} " if index else ""
    return (
        f"the gradient by {wrt} is wrong: {entry}is {got[index]:.10g}, and numerical differentiation gives "
        f"{want[index]:.10g}; the largest difference is {float(np.max(apart)) / size:.1e} of the gradient"
    )


def copied(point: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a point, which a program may then change."""
    import numpy as np

    return {name: np.array(value) if np.ndim(value) else value for name, value in point.items()}


def central(function: Callable[..., Any], point: Mapping[str, Any], wrt: str) -> tuple[Any, Any]:
    """Central differences of a scalar program, extrapolated once, and an estimate of their error."""
    import numpy as np

    base = np.asarray(point[wrt], dtype=float)

    def at(change: Any) -> float:
        value = np.asarray(function(**(copied(point) | {wrt: base + change})), dtype=float)
        if value.shape:
            raise UsageError(f"a gradient needs a scalar function; this one returns shape {value.shape}")
        return float(value)

    found, error = np.zeros(base.shape), np.zeros(base.shape)
    for index in np.ndindex(*base.shape):
        h = STEP * max(1.0, abs(float(base[index])))
        step = np.zeros(base.shape)
        step[index] = h
        high, low = at(step), at(-step)
        wide, narrow = (high - low) / (2 * h), (at(step / 2) - at(-step / 2)) / h
        found[index] = (4 * narrow - wide) / 3
        error[index] = abs(narrow - wide) / 300 + 5e-14 * max(abs(high), abs(low)) / h
    return found, error
