"""A derivative (function axes, then the axes of every variable) in every layout, and back.

Contract: `layouts(value, problem)` has the value in each layout by its name; `natural` is the inverse for one of them.
Nothing here is shared with the layouts of `symgrad.api`.
"""

from __future__ import annotations

from typing import Any

from symgrad.dims import value as size_of
from symgrad.verify.points import Point
from symgrad.verify.witnesses import Problem


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
    vec = stacked.reshape(sizes)
    return {
        "gradient": value, "numerator": value if plain else row, "denominator": denominator, "vec": vec,
        "vec (as a row)": vec[None, :] if vec.ndim == 1 else vec,
    }  # fmt: skip


def natural(value: Any, layout: str, problem: Problem, point: Point) -> Any:
    """The inverse of a layout: function axes, then variable axes."""
    import numpy as np

    value = np.asarray(value)
    if layout == "denominator":
        rest = value.ndim - problem.function.rank
        return value.transpose([*range(rest, value.ndim), *range(rest)])
    if layout == "numerator" and not problem.function.rank and problem.order == 1:
        return value[0] if problem.wrt.rank == 1 else value.transpose()
    if layout == "vec":
        groups = _groups(problem)
        dims = [d for node in (problem.function, *problem.by) for d in node.shape]
        turned = [axis for group in groups for axis in reversed(group)]
        apart = value.reshape([size_of(dims[axis], point.sizes) for axis in turned])
        return apart.transpose(np.argsort(turned)) if turned else apart
    return value


def _groups(problem: Problem) -> list[list[int]]:
    """The axes of the function, then those of each variable."""
    found, place = [], 0
    for node in (problem.function, *problem.by):
        found.append(list(range(place, place + node.rank)))
        place += node.rank
    return found
