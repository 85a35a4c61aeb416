"""NumPy's functions that move entries and do not change them, on traced arrays: reshape, transpose, copy, take.

Contract: entries keep NumPy's own order, in which the last axis runs fastest; a reshape that holds only at some sizes
is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from symgrad import dims
from symgrad.expr import Dim, Label, number, stacking
from symgrad.program import indexing
from symgrad.program.extent import Extent, dim_of, refuse
from symgrad.program.reductions import Axis, axes_of
from symgrad.program.traced import (
    Traced,
    lifted,
    product,
    show,
    stacked,
    transposed,
)
from symgrad.program.ufuncs import OnTraced, Rule, compared


def _reshape(a: Traced, *shape: Any, order: str = "C") -> Traced:
    wanted = _wanted(a, shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape)
    if order != "C":
        refuse("only NumPy's own order of entries is followed")
    have, want = [d for d in a.dims if d != 1], [d for d in wanted if d != 1]
    if have == want:
        real = tuple(d != 1 for d in wanted)
        return a.view(a._node, real, lambda base: base.node, lambda new: a.assign(a.like(new.node, kind=a.kind)))
    if a.kind == "i":
        refuse("labels are reshaped", "only axes of length one are followed")
    made = _restacked(a, have, want)
    return a.view(made.node, tuple(d != 1 for d in wanted), lambda base: _restacked(base, have, want).node, None)


def _wanted(a: Traced, shape: Sequence[Any]) -> list[Dim]:
    """The dimensions of a new shape, -1 worked out."""
    wanted = [dim_of(d) for d in shape]
    whole = dims.product(*a.dims)
    if wanted.count(-1) == 1:
        missing = _over(whole, dims.product(*(d for d in wanted if d != -1)))
        wanted[wanted.index(-1)] = -1 if missing is None else missing
    if -1 in wanted or dims.product(*wanted) != whole:
        refuse(f"an array of shape {show(a.dims)} cannot be reshaped to {show(wanted)}")
    return wanted


def _over(whole: Dim, known: Dim) -> Dim | None:
    """whole / known, where that is a dimension for every size."""
    atoms = [part for part in dims.factors(whole) if not isinstance(part, int | Extent)]
    number, divisor = (prod([p for p in dims.factors(d) if isinstance(p, int)]) for d in (whole, known))
    for part in dims.factors(known):
        if part in atoms:
            atoms.remove(part)
        elif not isinstance(part, int | Extent):
            return None
    return dims.product(number // divisor, *atoms) if divisor and number % divisor == 0 else None


def _restacked(a: Traced, have: Sequence[Dim], want: Sequence[Dim]) -> Traced:
    """Axes joined and split: each joins neighbours of one shape whose product is that of neighbours of the other."""
    factors: list[Any] = [(a.node, tuple(range(len(have))))]
    out: list[Label] = []
    i = j = 0
    while i < len(have) or j < len(want):
        one, other = i + 1, j + 1
        while dims.product(*have[i:one]) != dims.product(*want[j:other]):
            if one == len(have) and other == len(want):
                refuse(f"an array of shape {show(have)} cannot be reshaped to {show(want)}")
            if other == len(want) or (one < len(have) and one - i <= other - j and len(want) - other < len(have) - one):
                one += 1
            elif one == len(have) or other - j < one - i or len(have) - one <= len(want) - other:
                other += 1
        names: list[Label] = [("new", k) for k in range(j, other)]
        flat = _stack_label(factors, list(range(i, one)), have[i:one], ("flat", i, 0))
        if other - j == 1:
            names = [flat]
        else:
            _unstack(factors, flat, names, list(want[j:other]))
        out += names
        i, j = one, other
    from symgrad.expr import contract

    return Traced(contract(factors, tuple(out)), (True,) * len(out), a.sizes)


def _stack_label(factors: list[Any], labels: list[Label], lengths: Sequence[Dim], name: Label) -> Label:
    """The label of neighbouring axes joined, the last running fastest."""
    label, dim = labels[-1], lengths[-1]
    for k in range(len(labels) - 2, -1, -1):
        joined = (name, k)
        factors.append((stacking(dim, lengths[k]), (label, labels[k], joined)))
        label, dim = joined, dims.product(dim, lengths[k])
    return label


def _unstack(factors: list[Any], flat: Label, names: list[Label], lengths: list[Dim]) -> None:
    """Split an axis: the reverse of joining."""
    inner = _stack_label(factors, names, lengths, ("split", flat))
    for k, (node, labels) in enumerate(factors):
        factors[k] = (node, tuple(flat if label == inner else label for label in labels))


def ravel(a: Traced, order: str = "C") -> Traced:
    return a if a.ndim == 1 else _reshape(a, Extent(dims.product(*a.dims), a.sizes), order=order)


def _transpose(a: Traced, axes: Any = None) -> Traced:
    if axes is not None and isinstance(axes, int):
        axes = (axes,)
    order = tuple(reversed(range(a.ndim))) if axes is None else axes_of(a, tuple(axes))
    return transposed(a, order)


def _swapaxes(a: Traced, axis1: int, axis2: int) -> Traced:
    order = list(range(a.ndim))
    i, j = axes_of(a, (axis1, axis2))
    order[i], order[j] = j, i
    return transposed(a, tuple(order))


def _moveaxis(a: Traced, source: int, destination: int) -> Traced:
    (i,), (j,) = axes_of(a, source), axes_of(a, destination)
    order = [k for k in range(a.ndim) if k != i]
    order.insert(j, i)
    return transposed(a, tuple(order))


def _squeeze(a: Traced, axis: Axis = None) -> Traced:
    gone = {k for k in axes_of(a, axis) if not a.real[k]}
    if axis is not None and gone != set(axes_of(a, axis)):
        refuse("an axis is squeezed out that is longer than one")
    return _reshape(a, tuple(n for k, n in enumerate(a.shape) if k not in gone))


def _expand_dims(a: Traced, axis: Axis) -> Traced:
    places = {k % (a.ndim + 1) for k in (axis if isinstance(axis, tuple) else (axis,))}
    own = iter(a.shape)
    return _reshape(a, tuple(1 if k in places else next(own) for k in range(a.ndim + len(places))))


def _broadcast_to(array: Traced, shape: Any) -> Traced:
    return array.to_shape(shape)


def _astype(a: Traced, dtype: Any, copy: bool = True) -> Traced:
    import numpy as np

    kind = np.dtype(dtype).kind
    if kind in "iu" and a.kind == "i":
        return a
    if kind == "b" and a.kind != "b":
        return compared("zero", 1, turned=True)(a, lifted(0, a.sizes))
    if kind in "iu" and a.kind != "b":
        refuse("numbers are rounded to integers")
    return a.like(a.node, kind="b" if kind == "b" else "f")


def _copy(a: Traced, order: str = "C", subok: bool = False) -> Traced:
    made = Traced(a._node if a.counting else a.node, a.real, a.sizes, a.kind, a.chosen, a.distinct, a.within)
    made.counting = a.counting
    return made


def _filled(value: int) -> OnTraced:
    def rule(a: Traced, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Traced:
        return Traced(number(value), (), a.sizes, "b" if dtype is bool else "f").to_shape(
            a.shape if shape is None else shape
        )

    return rule


def _full_like(a: Traced, fill_value: Any, dtype: Any = None, shape: Any = None) -> Traced:
    return _copy(lifted(fill_value, a.sizes).to_shape(a.shape if shape is None else shape))


def _parts(arrays: Any) -> list[Traced]:
    sizes = next(a.sizes for a in arrays if isinstance(a, Traced))
    return [lifted(a, sizes) for a in arrays]


def _stack(arrays: Any, axis: int = 0) -> Traced:
    parts = _parts(arrays)
    return _moveaxis(stacked(parts, parts[0].sizes), 0, axis % (parts[0].ndim + 1))


def _take(a: Traced, indices: Any, axis: Axis = None) -> Traced:
    (k,) = axes_of(ravel(a) if axis is None else a, 0 if axis is None else axis)
    return indexing.get(ravel(a) if axis is None else a, (*(slice(None),) * k, indices))


def _take_along(arr: Traced, indices: Traced, axis: int) -> Traced:
    """Σ over the axis of arr times the one-hot vectors of the labels."""
    (k,) = axes_of(arr, axis)
    if indices.kind != "i" or indices.chosen is None or indices.ndim != arr.ndim or indices.real[k]:
        refuse("np.take_along_axis is followed for one label a row", "labels[:, None] on the axis")
    one_hot = Traced(indices.chosen(arr.dims[k]), (*indices.real, True), arr.sizes)
    labels: list[Label] = list(range(arr.ndim))
    labels[k] = "class"
    return product([(arr, tuple(labels)), (one_hot, (*range(arr.ndim), "class"))], tuple(range(arr.ndim)))


FUNCTIONS: dict[str, Rule] = {
    "reshape": _reshape, "ravel": ravel, "transpose": _transpose, "swapaxes": _swapaxes, "moveaxis": _moveaxis,
    "squeeze": _squeeze, "expand_dims": _expand_dims, "broadcast_to": _broadcast_to, "copy": _copy, "stack": _stack,
    "zeros_like": _filled(0), "ones_like": _filled(1), "empty_like": _filled(0), "full_like": _full_like,
    "take": _take, "take_along_axis": _take_along, "shape": lambda a: a.shape, "ndim": lambda a: a.ndim,
    "size": lambda a: a.size, "nan_to_num": lambda x: x,
    "copyto": lambda dst, src: dst.assign(lifted(src, dst.sizes)),
}  # fmt: skip

#: Methods of arrays that are no functions of the same name.
METHODS: dict[str, Rule] = {
    "flatten": lambda a, order="C": _copy(ravel(a, order)), "astype": _astype,
    "transpose": lambda a, *axes: _transpose(a, None if not axes else axes[0] if isinstance(axes[0], tuple) else axes),
    "item": lambda a, *index: a[index] if index else _reshape(a, ()),
    "fill": lambda a, value: a.assign(lifted(value, a.sizes)),
}  # fmt: skip
