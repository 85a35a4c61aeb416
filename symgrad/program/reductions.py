"""NumPy's functions over axes, on traced arrays: sums, means, extremes and their places, softmax.

Contract: each takes `axis` and, where NumPy has it, `keepdims`; what cannot be followed is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from symgrad.expr import Dim, Label, Node, number
from symgrad.ops import apply
from symgrad.program import indexing
from symgrad.program.extent import refuse
from symgrad.program.traced import (
    Traced,
    entrywise,
    lifted,
    product,
    total,
)
from symgrad.program.ufuncs import OnTraced, Rule, compared, given, negated, raised, times

Axis = Any


def axes_of(a: Traced, axis: Axis) -> tuple[int, ...]:
    """The axes that are meant, counted from 0."""
    if axis is None:
        return tuple(range(a.ndim))
    found = []
    for k in axis if isinstance(axis, tuple | list) else (axis,):
        if not isinstance(k, int) or not -a.ndim <= k < a.ndim:
            refuse(f"there is no axis {k} in an array of {a.ndim} axes")
        found.append(k % a.ndim)
    return tuple(found)


def _kept(a: Traced, axes: tuple[int, ...], keepdims: bool) -> tuple[Label, ...]:
    """The labels of a reduction: a new one of length one where an axis is kept."""
    return tuple(("kept", k) if k in axes else k for k in range(a.ndim) if keepdims or k not in axes)


def _under_mask(a: Traced) -> Traced:
    """Entries under a mask, the others zero."""
    if a.within is None:
        return a
    labels = tuple(range(a.ndim))
    plain = Traced(a.node, a.real, a.sizes, a.kind)
    return product([(plain, labels), (Traced(a.within, a.real, a.sizes), labels)], labels)


def sum_over(a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Traced:
    if a.within is not None and axis not in (None, 0):
        refuse("entries chosen by a mask have one axis")
    axes = axes_of(a, axis if a.within is None else None)
    return given(product([(_under_mask(a), tuple(range(a.ndim)))], _kept(a, axes, keepdims)), out)


def _count(a: Traced, axes: Sequence[int]) -> Any:
    """How many entries are reduced to one."""
    if a.within is not None:
        return sum_over(Traced(a.within, a.real, a.sizes))
    found: Any = 1
    for k in axes:
        found = found * a.shape[k]
    return found


def _mean(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, ddof: int = 0
) -> Traced:
    count = _count(a, axes_of(a, axis))
    return given(sum_over(a, axis, keepdims=keepdims) / lifted(count - ddof if ddof else count, a.sizes), out)


def _var(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Traced:
    apart = total((1, a), (-1, _mean(a, axis, keepdims=True)))
    return _mean(times(apart, apart), axis, dtype, out, keepdims, ddof)


def _std(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Traced:
    return given(raised(Fraction(1, 2))(_var(a, axis, dtype, None, ddof, keepdims)), out)


def _last(a: Traced, name: str, axis: int) -> Traced:
    """An operation of the trailing axis, along another; its axis is gone, or stands last."""
    if not a.real[axis]:
        refuse("this is taken over an axis of length one")
    rest = tuple(k for k in range(a.ndim) if k != axis)
    turned = product([(a, tuple(range(a.ndim)))], (*rest, axis))
    return turned.like(apply(name, turned.node), tuple(a.real[k] for k in rest))


def extreme(name: str, sign: int) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        if a.within is not None:
            refuse("the extreme of entries chosen by a mask cannot be followed", "use np.where")
        found, axes = total((sign, a)), axes_of(a, axis)
        for k in sorted(axes, reverse=True):
            found = _last(found, name, k) if found.real[k] else _without(found, k)
        wide = product([(found, tuple(k for k in range(a.ndim) if k not in axes))], _kept(a, axes, keepdims))
        return given(total((sign, wide)), out)

    return rule


def _without(a: Traced, axis: int) -> Traced:
    return product([(a, tuple(range(a.ndim)))], tuple(k for k in range(a.ndim) if k != axis))


def _prod(a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Traced:
    return given(extreme("prod", 1)(a, axis, None, keepdims), out)


def _place(sign: int) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        if axis is None and a.ndim != 1:
            refuse("the place of an extreme in a whole array", "give the axis")
        (k,) = axes_of(a, 0 if axis is None else axis)
        rest = tuple(real for j, real in enumerate(a.real) if j != k)
        one_hot = _last(total((sign, a)), "argmax", k).node

        def chosen(dim: Dim) -> Node:
            if dim != one_hot.shape[-1]:
                refuse("these labels point into another axis")
            return one_hot

        shape = Traced(number(0, one_hot.shape[:-1]), rest, a.sizes, "i", chosen)
        shape.counting = True
        return indexing.get(shape, tuple(None if j == k else slice(None) for j in range(a.ndim))) if keepdims else shape

    return rule


def _logsumexp(a: Traced, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Traced:
    if b is not None:
        refuse("weights in logsumexp are not covered")
    return entrywise("log", sum_over(entrywise("exp", a), axis, keepdims=keepdims))


def _softmax(x: Traced, axis: Axis = None) -> Traced:
    raised = entrywise("exp", x)
    return times(raised, sum_over(raised, axis, keepdims=True), -1)


def _log_softmax(x: Traced, axis: Axis = None) -> Traced:
    return total((1, x), (-1, _logsumexp(x, axis, keepdims=True)))


def _any_all(turned: bool) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        condition = negated(a) if turned else a
        found = compared("positive", 1)(sum_over(condition, axis, keepdims=keepdims), lifted(0, a.sizes))
        return negated(found) if turned else found

    return rule


FUNCTIONS: dict[str, Rule] = {
    "sum": sum_over, "mean": _mean, "average": lambda a, axis=None: _mean(a, axis), "var": _var, "std": _std,
    "prod": _prod, "max": extreme("amax", 1), "amax": extreme("amax", 1), "min": extreme("amax", -1),
    "amin": extreme("amax", -1), "argmax": _place(1), "argmin": _place(-1), "any": _any_all(False),
    "all": _any_all(True),
    "special.logsumexp": _logsumexp, "special.softmax": _softmax, "special.log_softmax": _log_softmax,
}  # fmt: skip
