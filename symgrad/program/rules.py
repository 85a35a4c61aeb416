"""What NumPy's functions mean for traced arrays: one table entry each.

Contract: `UFUNCS`, `FUNCTIONS` and `METHODS` name all that is understood, with NumPy's argument names; anything else
raises an `UnsupportedError`.  The values agree with NumPy's at every size, broadcasting and axes included.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

from symgrad import dims
from symgrad.errors import SymgradError
from symgrad.expr import Dim, Label, Node, constant, is_zero, number, stacking
from symgrad.ops import apply
from symgrad.program import indexing
from symgrad.program.extent import Extent, dim_of, refuse
from symgrad.program.traced import (
    Traced,
    entrywise,
    labels_of,
    lifted,
    opposite,
    product,
    show,
    stacked,
    total,
    transposed,
)

Rule = Callable[..., Any]
OnTraced = Callable[..., Traced]
MAX_POWER = 100

# --- entry by entry ---------------------------------------------------------------------------------------------------


def _times(x: Traced, y: Traced, power: Any = 1) -> Traced:
    (one, other), out = labels_of([x, y])
    found = _rectified(x, y) if power == 1 else None
    if found is None:
        found = product([(x, one), (y, other, power)], out)
    found.kind = "b" if x.kind == y.kind == "b" and power == 1 else "f"
    return found


def _rectified(x: Traced, y: Traced) -> Traced | None:
    """x times its own mask x > 0 is max(0, x)."""
    for one, mask in ((x, y), (y, x)):
        if mask.kind == "b" and one.kind == "f" and one.real == mask.real and indexing.is_positive(mask.node, one.node):
            return entrywise("relu", one)
    return None


def _plus(x: Traced, y: Traced, sign: int = 1) -> Traced:
    if x.kind == y.kind == "b":
        refuse("truth values are added or subtracted", "NumPy takes + as `or` here; use .astype(float)")
    return total((1, x), (sign, y))


def _power(x: Traced, y: Traced) -> Traced:
    exponent = constant(y.node) if not any(y.real) else None
    if exponent is not None:
        labels = tuple(range(x.ndim))
        return product([(x, labels, exponent)], labels)
    return entrywise("power", x, y)


def _raised(exponent: Any) -> OnTraced:
    return lambda x: _power(x, lifted(exponent, x.sizes))


def _max(x: Traced, y: Traced) -> Traced:
    for one, other in ((x, y), (y, x)):
        if is_zero(one.node) and not any(one.real):
            return entrywise("relu", other)
    return entrywise("maximum", x, y)


def _compared(name: str, sign: int, turned: bool = False) -> OnTraced:
    """x ~ y as a comparison of ±(x - y) with 0, or the opposite of one."""

    def rule(x: Traced, y: Traced) -> Traced:
        if "i" in (x.kind, y.kind) and name == "zero":
            found = _same_label(x, y)
        else:
            found = entrywise(name, total((sign, x), (-sign, y)))
        return _not(found) if turned else found

    return rule


def _same_label(x: Traced, y: Traced) -> Traced:
    """1 where labels are equal: against 0, 1, 2, ... that is a one-hot vector."""
    if y.counting and not x.counting:
        x, y = y, x
    if not x.counting:
        return entrywise("zero", total((1, x), (-1, y)))
    if y.chosen is None or x.ndim == 0 or not x.real[-1] or any(x.real[:-1]):
        refuse("the numbers 0, 1, 2, ... are compared with what is no label", "compare them with labels[:, None]")
    if y.real and y.real[-1]:
        refuse("labels are compared along the axis of 0, 1, 2, ...", "write labels[:, None] == np.arange(n)")
    dim = x.dims[-1]
    return Traced(y.chosen(dim), (*y.real[:-1], True), y.sizes, "b")


def _not(x: Traced) -> Traced:
    if x.kind != "b":
        refuse("`not` of what is no truth value", "compare with 0 first")
    return Traced(opposite(x.node), x.real, x.sizes, "b")


def _and(x: Traced, y: Traced) -> Traced:
    if x.kind != "b" or y.kind != "b":
        refuse("`and` of what is no truth value", "compare with 0 first")
    return _times(x, y)


def _or(x: Traced, y: Traced) -> Traced:
    return _not(_and(_not(x), _not(y)))


def _where(condition: Any, x: Any = None, y: Any = None) -> Traced:
    if x is None or y is None:
        refuse("np.where with one argument gives places that depend on the values", "give both values")
    if condition.kind != "b":
        refuse("the condition of np.where is no truth value", "compare with 0 first")
    return entrywise("where", condition, x, y)


def _clip(a: Traced, a_min: Any = None, a_max: Any = None, out: Any = None, min: Any = None, max: Any = None) -> Traced:  # noqa: A002
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    found = a if low is None else _max(a, lifted(low, a.sizes))
    return _given(found if high is None else entrywise("minimum", found, lifted(high, a.sizes)), out)


def _given(result: Traced, out: Any) -> Traced:
    """The result of a rule, written into `out` where that is given."""
    if out is None:
        return result
    out = out[0] if isinstance(out, tuple) else out
    if not isinstance(out, Traced):
        refuse("the result is written into an array that NumPy made before the tracing began")
    out.assign(result)
    return out


def _log_of(inner: Callable[[Traced], Traced], base: int = 0) -> OnTraced:
    def rule(x: Traced) -> Traced:
        log = entrywise("log", inner(x))
        return _times(log, Traced(apply("log", number(base)), (), x.sizes), -1) if base else log

    return rule


def _named(name: str) -> OnTraced:
    return lambda *args: entrywise(name, *args)


def _one_plus(x: Traced) -> Traced:
    return total((1, x), (1, lifted(1, x.sizes)))


def _divided(x: Traced, y: Traced) -> Traced:
    return _times(x, y, -1)


def _softly(x: Traced, y: Traced) -> Traced:
    return entrywise("log", total((1, entrywise("exp", x)), (1, entrywise("exp", y))))


def _matmul(x: Traced, y: Traced) -> Traced:
    if not x.ndim or not y.ndim:
        refuse("@ needs arrays, not numbers")
    batch = max(x.ndim, y.ndim) - 2
    left: tuple[Label, ...] = ("k",) if x.ndim == 1 else (*range(batch - x.ndim + 2, batch), "i", "k")
    right: tuple[Label, ...] = ("k",) if y.ndim == 1 else (*range(batch - y.ndim + 2, batch), "k", "j")
    out = (*range(max(batch, 0)), *(("i",) if x.ndim > 1 else ()), *(("j",) if y.ndim > 1 else ()))
    _meet((x, left), (y, right), "k")
    return product([(x, left), (y, right)], out)


def _meet(one: tuple[Traced, tuple[Label, ...]], other: tuple[Traced, tuple[Label, ...]], label: Label) -> None:
    """Summed axes have one length: there NumPy does not broadcast."""
    lengths = [array.dims[labels.index(label)] for array, labels in (one, other)]
    if lengths[0] != lengths[1]:
        refuse(
            f"the shapes {show(one[0].dims)} and {show(other[0].dims)} do not fit: {lengths[0]} against {lengths[1]}"
        )


#: ufuncs by NumPy's or SciPy's name.
UFUNCS: dict[str, Rule] = {
    "add": _plus, "subtract": partial(_plus, sign=-1), "multiply": _times, "divide": _divided, "true_divide": _divided,
    "power": _power, "float_power": _power, "matmul": _matmul, "square": _raised(2), "sqrt": _raised(Fraction(1, 2)),
    "reciprocal": _raised(-1),
    "cbrt": lambda x: _times(entrywise("sign", x), _raised(Fraction(1, 3))(entrywise("abs", x))),
    "negative": lambda x: total((-1, x)), "positive": lambda x: total((1, x)),
    "absolute": _named("abs"), "fabs": _named("abs"), "sign": _named("sign"),
    "floor": _named("floor"), "ceil": _named("ceil"),
    "maximum": _max, "minimum": _named("minimum"), "fmax": _max, "fmin": _named("minimum"),
    "greater": _compared("positive", 1), "greater_equal": _compared("nonnegative", 1),
    "less": _compared("positive", -1), "less_equal": _compared("nonnegative", -1),
    "equal": _compared("zero", 1), "not_equal": _compared("zero", 1, turned=True),
    "logical_not": _not, "invert": _not, "logical_and": _and, "bitwise_and": _and, "logical_or": _or, "bitwise_or": _or,
    "log": _log_of(lambda x: x), "log1p": _log_of(_one_plus),
    "log2": _log_of(lambda x: x, 2), "log10": _log_of(lambda x: x, 10),
    "exp": _named("exp"), "expm1": lambda x: total((1, entrywise("exp", x)), (-1, lifted(1, x.sizes))),
    "floor_divide": lambda x, y: entrywise("floor", _divided(x, y)),
    "remainder": lambda x, y: total((1, x), (-1, _times(y, entrywise("floor", _divided(x, y))))),
    "exp2": lambda x: _power(lifted(2, x.sizes), x), "logaddexp": _softly,
    "heaviside": lambda x, y: entrywise("where", entrywise("zero", x), y, entrywise("positive", x)),
    **{name: _named(name) for name in (
        "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
        "erf", "erfc", "gammaln",
    )},
    "expit": _named("sigmoid"), "psi": _named("digamma"), "ndtr": _named("normcdf"), "log_ndtr": _named("log_normcdf"),
    "gamma": _named("gammafn"),
}  # fmt: skip

# --- over axes --------------------------------------------------------------------------------------------------------

Axis = Any


def _axes(a: Traced, axis: Axis) -> tuple[int, ...]:
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


def _sum(a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Traced:
    if a.within is not None and axis not in (None, 0):
        refuse("entries chosen by a mask have one axis")
    axes = _axes(a, axis if a.within is None else None)
    return _given(product([(_under_mask(a), tuple(range(a.ndim)))], _kept(a, axes, keepdims)), out)


def _count(a: Traced, axes: Sequence[int]) -> Any:
    """How many entries are reduced to one."""
    if a.within is not None:
        return _sum(Traced(a.within, a.real, a.sizes))
    found: Any = 1
    for k in axes:
        found = found * a.shape[k]
    return found


def _mean(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, ddof: int = 0
) -> Traced:
    count = _count(a, _axes(a, axis))
    return _given(_sum(a, axis, keepdims=keepdims) / lifted(count - ddof if ddof else count, a.sizes), out)


def _var(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Traced:
    apart = total((1, a), (-1, _mean(a, axis, keepdims=True)))
    return _mean(_times(apart, apart), axis, dtype, out, keepdims, ddof)


def _std(
    a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Traced:
    return _given(_raised(Fraction(1, 2))(_var(a, axis, dtype, None, ddof, keepdims)), out)


def _last(a: Traced, name: str, axis: int) -> Traced:
    """An operation of the trailing axis, along another; its axis is gone, or stands last."""
    if not a.real[axis]:
        refuse("this is taken over an axis of length one")
    rest = tuple(k for k in range(a.ndim) if k != axis)
    turned = product([(a, tuple(range(a.ndim)))], (*rest, axis))
    return turned.like(apply(name, turned.node), tuple(a.real[k] for k in rest))


def _extreme(name: str, sign: int) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        if a.within is not None:
            refuse("the extreme of entries chosen by a mask cannot be followed", "use np.where")
        found, axes = total((sign, a)), _axes(a, axis)
        for k in sorted(axes, reverse=True):
            found = _last(found, name, k) if found.real[k] else _without(found, k)
        wide = product([(found, tuple(k for k in range(a.ndim) if k not in axes))], _kept(a, axes, keepdims))
        return _given(total((sign, wide)), out)

    return rule


def _without(a: Traced, axis: int) -> Traced:
    return product([(a, tuple(range(a.ndim)))], tuple(k for k in range(a.ndim) if k != axis))


def _prod(a: Traced, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Traced:
    return _given(_extreme("prod", 1)(a, axis, None, keepdims), out)


def _place(sign: int) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        if axis is None and a.ndim != 1:
            refuse("the place of an extreme in a whole array", "give the axis")
        (k,) = _axes(a, 0 if axis is None else axis)
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
    return entrywise("log", _sum(entrywise("exp", a), axis, keepdims=keepdims))


def _softmax(x: Traced, axis: Axis = None) -> Traced:
    raised = entrywise("exp", x)
    return _times(raised, _sum(raised, axis, keepdims=True), -1)


def _log_softmax(x: Traced, axis: Axis = None) -> Traced:
    return total((1, x), (-1, _logsumexp(x, axis, keepdims=True)))


def _any_all(turned: bool) -> OnTraced:
    def rule(a: Traced, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Traced:
        condition = _not(a) if turned else a
        found = _compared("positive", 1)(_sum(condition, axis, keepdims=keepdims), lifted(0, a.sizes))
        return _not(found) if turned else found

    return rule


# --- matrices ---------------------------------------------------------------------------------------------------------


def _dot(a: Traced, b: Traced, out: Any = None) -> Traced:
    if not a.ndim or not b.ndim:
        return _given(_times(a, b), out)
    left: tuple[Label, ...] = (*(("a", k) for k in range(a.ndim - 1)), "k")
    right: list[Label] = [("b", k) for k in range(b.ndim)]
    right[-2 if b.ndim > 1 else 0] = "k"
    _meet((a, left), (b, tuple(right)), "k")
    rest = tuple(label for label in (*left, *right) if label != "k")
    return _given(product([(a, left), (b, tuple(right))], rest), out)


def _inner(a: Traced, b: Traced) -> Traced:
    return (
        _times(a, b)
        if not a.ndim or not b.ndim
        else _dot(a, transposed(b, tuple(range(b.ndim))[:-2] + tuple(range(b.ndim))[-2:][::-1]))
    )


def _vdot(a: Traced, b: Traced) -> Traced:
    return _sum(_times(_ravel(a), _ravel(b)))


def _outer(a: Traced, b: Traced, out: Any = None) -> Traced:
    a, b = _ravel(a), _ravel(b)
    return _given(product([(a, ("i",)), (b, ("j",))], ("i", "j")), out)


def _einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = None) -> Traced:
    if not isinstance(subscripts, str):
        refuse("np.einsum is followed with its letters in a string")
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if "..." in subscripts or len(terms) != len(operands):
        refuse(f"the letters {subscripts!r} do not fit {len(operands)} arrays", "write every axis as a letter")
    sizes = next(a.sizes for a in operands if isinstance(a, Traced))
    arrays = [lifted(a, sizes) for a in operands]
    if any(len(term) != a.ndim for term, a in zip(terms, arrays, strict=True)):
        refuse(f"the letters {subscripts!r} do not fit arrays of {', '.join(str(a.ndim) for a in arrays)} axes")
    letters = "".join(terms)
    if not arrow:
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return _given(product([(a, tuple(t)) for a, t in zip(arrays, terms, strict=True)], tuple(result)), out)


def _tensordot(a: Traced, b: Traced, axes: Any = 2) -> Traced:
    if isinstance(axes, int):
        pairs = list(zip(range(a.ndim - axes, a.ndim), range(axes), strict=True))
    else:
        one, other = (([k] if isinstance(k, int) else list(k)) for k in axes)
        pairs = [(i % a.ndim, j % b.ndim) for i, j in zip(one, other, strict=True)]
    left: list[Label] = [("a", k) for k in range(a.ndim)]
    right: list[Label] = [("b", k) for k in range(b.ndim)]
    out = [x for k, x in enumerate(left) if k not in {i for i, _ in pairs}]
    out += [x for k, x in enumerate(right) if k not in {j for _, j in pairs}]
    for i, j in pairs:
        right[j] = left[i]
        _meet((a, tuple(left)), (b, tuple(right)), left[i])
    return product([(a, tuple(left)), (b, tuple(right))], out)


def _trace(a: Traced, offset: int = 0) -> Traced:
    return product([(a, ("i", "i"))], ()) if not offset and a.ndim == 2 else refuse("np.trace is followed for a matrix")


def _diag(v: Traced, k: int = 0) -> Traced:
    if k or v.ndim not in (1, 2):
        refuse("np.diag is followed for the main diagonal of a vector or a matrix")
    return product([(v, ("i",))], ("i", "i")) if v.ndim == 1 else product([(v, ("i", "i"))], ("i",))


def _matrix(name: str) -> OnTraced:
    def rule(a: Traced) -> Traced:
        if a.ndim < 2 or not all(a.real[-2:]):
            refuse(f"{name} needs a matrix, not an array of shape {show(a.dims)}")
        try:
            node = apply(name, a.node)
        except SymgradError as error:
            refuse(error.message)
        return a.like(node, (*a.real[:-2], *(True for _ in range(node.rank - sum(a.real[:-2])))))

    return rule


def _solve(a: Traced, b: Traced) -> Traced:
    return _matmul(_matrix("inverse")(a), b)


def _slogdet(a: Traced) -> tuple[Traced, Traced]:
    return entrywise("sign", _matrix("det")(a)), _matrix("logdet")(a)


def _matrix_power(a: Traced, n: int) -> Traced:
    power = lifted(n, a.sizes)
    return a.like(apply("matrix_power", a.node, power.node))


def _tri(lower: bool) -> OnTraced:
    def rule(m: Traced, k: int = 0) -> Traced:
        if k or m.ndim != 2:
            refuse("a triangle is followed for a matrix and k=0")
        turn = (0, 1) if lower else (1, 0)
        return product([(_matrix("tril")(product([(m, turn)], (0, 1))), turn)], (0, 1))

    return rule


def _norm(x: Traced, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Traced:  # noqa: A002
    axes = _axes(x, axis)
    if len(axes) == 2 and ord == "nuc" and x.ndim == 2:
        return _matrix("nucnorm")(x)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return _raised(Fraction(1, 2))(_sum(_times(x, x), axes, keepdims=keepdims))
    if len(axes) == 1 and ord == 1:
        return _sum(entrywise("abs", x), axes, keepdims=keepdims)
    if len(axes) == 1 and isinstance(ord, float) and ord == float("inf"):
        return _extreme("amax", 1)(entrywise("abs", x), axes, keepdims=keepdims)
    return refuse(f"the norm {ord!r} over {len(axes)} axes is not covered")


# --- shapes -----------------------------------------------------------------------------------------------------------


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


def _ravel(a: Traced, order: str = "C") -> Traced:
    return a if a.ndim == 1 else _reshape(a, dims_product(a), order=order)


def dims_product(a: Traced) -> Any:
    return Extent(dims.product(*a.dims), a.sizes)


def _transpose(a: Traced, axes: Any = None) -> Traced:
    if axes is not None and isinstance(axes, int):
        axes = (axes,)
    order = tuple(reversed(range(a.ndim))) if axes is None else _axes(a, tuple(axes))
    return transposed(a, order)


def _swapaxes(a: Traced, axis1: int, axis2: int) -> Traced:
    order = list(range(a.ndim))
    i, j = _axes(a, (axis1, axis2))
    order[i], order[j] = j, i
    return transposed(a, tuple(order))


def _moveaxis(a: Traced, source: int, destination: int) -> Traced:
    (i,), (j,) = _axes(a, source), _axes(a, destination)
    order = [k for k in range(a.ndim) if k != i]
    order.insert(j, i)
    return transposed(a, tuple(order))


def _squeeze(a: Traced, axis: Axis = None) -> Traced:
    gone = {k for k in _axes(a, axis) if not a.real[k]}
    if axis is not None and gone != set(_axes(a, axis)):
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
        return _compared("zero", 1, turned=True)(a, lifted(0, a.sizes))
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
    (k,) = _axes(_ravel(a) if axis is None else a, 0 if axis is None else axis)
    return indexing.get(_ravel(a) if axis is None else a, (*(slice(None),) * k, indices))


def _take_along(arr: Traced, indices: Traced, axis: int) -> Traced:
    """Σ over the axis of arr times the one-hot vectors of the labels."""
    (k,) = _axes(arr, axis)
    if indices.kind != "i" or indices.chosen is None or indices.ndim != arr.ndim or indices.real[k]:
        refuse("np.take_along_axis is followed for one label a row", "labels[:, None] on the axis")
    one_hot = Traced(indices.chosen(arr.dims[k]), (*indices.real, True), arr.sizes)
    labels: list[Label] = list(range(arr.ndim))
    labels[k] = "class"
    return product([(arr, tuple(labels)), (one_hot, (*range(arr.ndim), "class"))], tuple(range(arr.ndim)))


#: Functions by NumPy's name, those of np.linalg with that before it.
FUNCTIONS: dict[str, Rule] = {
    "sum": _sum, "mean": _mean, "average": lambda a, axis=None: _mean(a, axis), "var": _var, "std": _std, "prod": _prod,
    "max": _extreme("amax", 1), "amax": _extreme("amax", 1), "min": _extreme("amax", -1), "amin": _extreme("amax", -1),
    "argmax": _place(1), "argmin": _place(-1), "any": _any_all(False), "all": _any_all(True),
    "dot": _dot, "inner": _inner, "vdot": _vdot, "outer": _outer, "einsum": _einsum, "tensordot": _tensordot,
    "trace": _trace, "diag": _diag, "diagonal": _diag, "tril": _tri(True), "triu": _tri(False),
    "where": _where, "clip": _clip,
    "reshape": _reshape, "ravel": _ravel, "transpose": _transpose, "swapaxes": _swapaxes, "moveaxis": _moveaxis,
    "squeeze": _squeeze, "expand_dims": _expand_dims, "broadcast_to": _broadcast_to, "copy": _copy, "stack": _stack,
    "zeros_like": _filled(0), "ones_like": _filled(1), "empty_like": _filled(0), "full_like": _full_like,
    "take": _take, "take_along_axis": _take_along, "shape": lambda a: a.shape,
    "ndim": lambda a: a.ndim, "size": lambda a: a.size,
    "linalg.norm": _norm, "linalg.inv": _matrix("inverse"), "linalg.det": _matrix("det"), "linalg.solve": _solve,
    "linalg.slogdet": _slogdet, "linalg.pinv": _matrix("pinv"), "linalg.matrix_power": _matrix_power,
    "nan_to_num": lambda x: x, "copyto": lambda dst, src: dst.assign(lifted(src, dst.sizes)),
    "special.logsumexp": _logsumexp, "special.softmax": _softmax, "special.log_softmax": _log_softmax,
}  # fmt: skip

#: Methods of arrays that are functions of the same name, and those that are not.
METHODS: dict[str, Rule] = {
    **{name: FUNCTIONS[name] for name in (
        "sum", "mean", "var", "std", "prod", "max", "min", "argmax", "argmin", "any", "all", "dot", "reshape", "ravel",
        "swapaxes", "squeeze", "copy", "clip", "trace", "diagonal", "take",
    )},
    "flatten": lambda a, order="C": _copy(_ravel(a, order)), "astype": _astype,
    "transpose": lambda a, *axes: _transpose(a, None if not axes else axes[0] if isinstance(axes[0], tuple) else axes),
    "item": lambda a, *index: a[index] if index else _reshape(a, ()),
    "fill": lambda a, value: a.assign(lifted(value, a.sizes)),
}  # fmt: skip


# --- dispatch ---------------------------------------------------------------------------------------------------------


def run_ufunc(
    sizes: Mapping[str, int], ufunc: Any, how: str, inputs: Sequence[Any], out: Any, options: Mapping[str, Any]
) -> Any:
    """A ufunc of NumPy or SciPy, called, reduced, or as an outer product."""
    name = ufunc.__name__
    if options.get("where", True) is not True or set(options) - {"axis", "keepdims", "dtype", "casting", "where"}:
        refuse(f"np.{name} with {', '.join(options)} is not covered")
    target = None if out is None else out[0]
    if how == "at" and name in ("add", "subtract"):
        value = lifted(inputs[2], sizes)
        return indexing.add_at(inputs[0], inputs[1], value if name == "add" else total((-1, value)))
    if how == "reduce" and name in _REDUCED:
        return _given(
            FUNCTIONS[_REDUCED[name]](inputs[0], options.get("axis", 0), keepdims=options.get("keepdims", False)),
            target,
        )
    if how == "outer":
        one, other = (lifted(x, sizes) for x in inputs)
        return UFUNCS[name](one[(..., *(None,) * other.ndim)], other) if name in UFUNCS else _unknown(name)
    if how != "__call__" or name not in UFUNCS or options.get("axis") is not None:
        _unknown(name if how == "__call__" else f"{name}.{how}")
    if target is not None and not isinstance(target, Traced) and target is inputs[0]:
        target = None  # numbers += traced: the name is bound anew
    return _given(UFUNCS[name](*(lifted(x, sizes) for x in inputs)), target)


_REDUCED = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}


def _unknown(name: str) -> Any:
    refuse(f"np.{name} cannot be followed", "a program that only runs is tested, not proved")


def run_function(sizes: Mapping[str, int], function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A function of NumPy by its name."""
    home = str(getattr(function, "__module__", "")).removeprefix("numpy").removeprefix(".")
    name = f"linalg.{function.__name__}" if home == "linalg" else function.__name__
    return call_rule(FUNCTIONS, name, sizes, args, options)


def call_rule(
    table: Mapping[str, Rule], name: str, sizes: Mapping[str, int], args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """The rule of a name, with its arrays lifted; arguments it does not know are refused."""
    rule = table.get(name)
    if rule is None:
        return _unknown(name)
    plain = {k: v for k, v in options.items() if not (k in _IGNORED and _plain(v))}
    known = {name for name in ("where", "einsum", "stack") if rule is FUNCTIONS.get(name)}
    values = list(args)
    if not known or "where" in known:
        lift = len(values) if "where" in known else _ARRAYS.get(name, 1)
        values = [lifted(v, sizes) if k < lift else v for k, v in enumerate(values)]
        plain = {k: lifted(v, sizes) if k in _ARRAY_NAMES and v is not None else v for k, v in plain.items()}
    try:
        inspect.signature(rule).bind(*values, **plain)
    except TypeError as error:
        refuse(f"np.{name}: {error}")
    return rule(*values, **plain)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool)


_IGNORED = {"order", "subok", "optimize", "casting", "initial", "hermitian"}
_ARRAYS = dict.fromkeys(("dot", "inner", "vdot", "outer", "tensordot", "linalg.solve", "take_along_axis"), 2)
_ARRAY_NAMES = {"a", "b", "x", "y", "v", "m", "arr"}


def method(array: Traced, name: str) -> Any:
    """A method of an array, as a function."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in METHODS:
        refuse(f".{name} of an array cannot be followed")

    def run(*args: Any, **options: Any) -> Any:
        return call_rule(METHODS, name, array.sizes, (array, *args), options)

    return run
