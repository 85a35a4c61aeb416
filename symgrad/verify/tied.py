"""Which entries of a structured matrix are one number: how the witnesses change it.

Contract: `pattern(variable, shape)` numbers the entries, equal numbers meaning one parameter and -1 an entry that is
fixed; None where all entries are independent.  Nothing here is shared with the rules of `symgrad.calculus.structure`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.expr import Variable

#: For every assumption the number of the entry (i, j) of an n×n matrix, given arrays of i and j.
PATTERNS: tuple[tuple[frozenset[str], Callable[[Any, Any, int], Any]], ...] = (
    (frozenset({"diagonal"}), lambda i, j, n: (i + 1) * (i == j) - 1),
    (frozenset({"symmetric", "toeplitz"}), lambda i, j, n: abs(i - j)),
    (frozenset({"toeplitz"}), lambda i, j, n: j - i + n - 1),
    (frozenset({"symmetric"}), lambda i, j, n: n * (i * (i <= j) + j * (i > j)) + i * (i > j) + j * (i <= j)),
    (frozenset({"positive_definite"}), lambda i, j, n: n * (i * (i <= j) + j * (i > j)) + i * (i > j) + j * (i <= j)),
    (frozenset({"lower_triangular"}), lambda i, j, n: (n * i + j + 1) * (i >= j) - 1),
)


def pattern(variable: Variable, shape: tuple[int, ...]) -> Any:
    """The number of every entry of a structured variable, or None."""
    import numpy as np

    number = next((number for words, number in PATTERNS if words <= variable.assumptions), None)
    if number is None or len(shape) != 2:
        return None
    i, j = np.indices(shape)
    return number(i, j, shape[0])


def moved(variable: Variable, value: Any, index: tuple[int, ...]) -> Any:
    """The direction in which the entry at `index` can be changed: 1 at all entries that are the same number.

    Along matrices with orthonormal columns it is the tangent nearest to changing that entry alone.
    """
    import numpy as np

    numbers = pattern(variable, np.shape(value))
    if numbers is not None:
        return (numbers == numbers[index]) * (numbers >= 0) * 1.0
    direction = np.zeros(np.shape(value))
    direction[index] = 1.0
    return tangent(value, direction) if is_orthonormal(variable) else direction


def is_orthonormal(variable: Variable) -> bool:
    """Whether a variable is a matrix whose columns are orthonormal."""
    return "orthogonal" in variable.assumptions and variable.rank == 2


def tangent(at: Any, direction: Any) -> Any:
    """The part of a direction at a matrix Q with QᵀQ = I that keeps Qᵀ dQ + dQᵀ Q at zero."""
    inner = at.T @ direction
    return direction - at @ (inner + inner.T) / 2


def retracted(variable: Variable, value: Any) -> Any:
    """The nearest matrix that the variable can be; a step along a tangent leaves the manifold to second order."""
    import numpy as np

    if not is_orthonormal(variable):
        return value
    left, _, right = np.linalg.svd(value, full_matrices=False)
    return left @ right


def tie(variable: Variable, value: Any, xp: Any, at: Any = None) -> Any:
    """A matrix that depends on one entry for each parameter: the others are copies, and fixed ones are zero.

    `at` is the same value as a constant: what has orthonormal columns leaves it along tangents only.
    """
    import numpy as np

    if is_orthonormal(variable):
        return at + tangent(at, value - at)

    numbers = pattern(variable, np.shape(value))
    if numbers is None:
        return value
    rows, columns = _representatives(numbers)
    return xp.where(numbers >= 0, value[rows, columns], 0)


def spread(variable: Variable, derivative: Any, axis: int) -> Any:
    """A derivative by a tied matrix (axes `axis` and the next), which stands at representatives only, at all."""
    import numpy as np

    shape = derivative.shape[axis : axis + variable.rank]
    numbers = pattern(variable, shape)
    if numbers is None:
        return derivative
    rows, columns = _representatives(numbers)
    last = np.moveaxis(derivative, (axis, axis + 1), (-2, -1))
    return np.moveaxis(last[..., rows, columns] * (numbers >= 0), (-2, -1), (axis, axis + 1))


def _representatives(numbers: Any) -> tuple[Any, Any]:
    """For every entry the place of the first entry with its number."""
    import numpy as np

    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    rows, columns = np.divmod(first[inverse.reshape(numbers.shape)], numbers.shape[1])
    return rows, columns
