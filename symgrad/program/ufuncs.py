"""NumPy's functions that act entry by entry, and @, on traced arrays.

Contract: `UFUNCS` names all that is understood by NumPy's or SciPy's name; a ufunc takes arrays, broadcasts them as
NumPy does, and gives NumPy's values at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from symgrad.expr import Label, constant, is_zero, number
from symgrad.ops import apply
from symgrad.program import indexing
from symgrad.program.extent import refuse
from symgrad.program.loops import Index
from symgrad.program.traced import (
    Traced,
    entrywise,
    labels_of,
    lifted,
    opposite,
    product,
    show,
    total,
)

Rule = Callable[..., Any]


OnTraced = Callable[..., Traced]


def times(x: Traced, y: Traced, power: Any = 1) -> Traced:
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


def raised(exponent: Any) -> OnTraced:
    return lambda x: _power(x, lifted(exponent, x.sizes))


def _max(x: Traced, y: Traced) -> Traced:
    for one, other in ((x, y), (y, x)):
        if is_zero(one.node) and not any(one.real):
            return entrywise("relu", other)
    return entrywise("maximum", x, y)


def compared(name: str, sign: int, turned: bool = False) -> OnTraced:
    """x ~ y as a comparison of ±(x - y) with 0, or the opposite of one."""

    def rule(x: Traced, y: Traced) -> Traced:
        if "i" in (x.kind, y.kind) and name == "zero":
            found = _same_label(x, y)
        else:
            found = entrywise(name, total((sign, x), (-sign, y)))
        return negated(found) if turned else found

    return rule


def _same_label(x: Traced, y: Traced) -> Traced:
    """1 where labels are equal: against 0, 1, 2, ... that is a one-hot vector."""
    if isinstance(y.chosen, Index) or (y.counting and not x.counting):
        x, y = y, x
    if isinstance(x.chosen, Index) and y.chosen is not None and not (y.counting and y.ndim):
        ones = Traced(y.chosen(x.chosen.loop.dim), (*y.real, True), x.sizes)
        index = Traced(x.chosen(x.chosen.loop.dim), (True,), x.sizes)
        found = product([(ones, (*range(y.ndim), "class")), (index, ("class",))], tuple(range(y.ndim)))
        return found.like(found.node, kind="b")
    if not x.counting:
        return entrywise("zero", total((1, x), (-1, y)))
    if y.chosen is None or x.ndim == 0 or not x.real[-1] or any(x.real[:-1]):
        refuse("the numbers 0, 1, 2, ... are compared with what is no label", "compare them with labels[:, None]")
    if y.real and y.real[-1]:
        refuse("labels are compared along the axis of 0, 1, 2, ...", "write labels[:, None] == np.arange(n)")
    dim = x.dims[-1]
    return Traced(y.chosen(dim), (*y.real[:-1], True), y.sizes, "b")


def negated(x: Traced) -> Traced:
    if x.kind != "b":
        refuse("`not` of what is no truth value", "compare with 0 first")
    return Traced(opposite(x.node), x.real, x.sizes, "b")


def _and(x: Traced, y: Traced) -> Traced:
    if x.kind != "b" or y.kind != "b":
        refuse("`and` of what is no truth value", "compare with 0 first")
    return times(x, y)


def _or(x: Traced, y: Traced) -> Traced:
    return negated(_and(negated(x), negated(y)))


def _where(condition: Any, x: Any = None, y: Any = None) -> Traced:
    if x is None or y is None:
        refuse("np.where with one argument gives places that depend on the values", "give both values")
    if condition.kind != "b":
        refuse("the condition of np.where is no truth value", "compare with 0 first")
    return entrywise("where", condition, x, y)


def _clip(a: Traced, a_min: Any = None, a_max: Any = None, out: Any = None, min: Any = None, max: Any = None) -> Traced:  # noqa: A002
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    found = a if low is None else _max(a, lifted(low, a.sizes))
    return given(found if high is None else entrywise("minimum", found, lifted(high, a.sizes)), out)


def given(result: Traced, out: Any) -> Traced:
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
        return times(log, Traced(apply("log", number(base)), (), x.sizes), -1) if base else log

    return rule


def _named(name: str) -> OnTraced:
    return lambda *args: entrywise(name, *args)


def _one_plus(x: Traced) -> Traced:
    return total((1, x), (1, lifted(1, x.sizes)))


def _divided(x: Traced, y: Traced) -> Traced:
    return times(x, y, -1)


def _softly(x: Traced, y: Traced) -> Traced:
    return entrywise("log", total((1, entrywise("exp", x)), (1, entrywise("exp", y))))


def matmul(x: Traced, y: Traced) -> Traced:
    if not x.ndim or not y.ndim:
        refuse("@ needs arrays, not numbers")
    batch = max(x.ndim, y.ndim) - 2
    left: tuple[Label, ...] = ("k",) if x.ndim == 1 else (*range(batch - x.ndim + 2, batch), "i", "k")
    right: tuple[Label, ...] = ("k",) if y.ndim == 1 else (*range(batch - y.ndim + 2, batch), "k", "j")
    out = (*range(max(batch, 0)), *(("i",) if x.ndim > 1 else ()), *(("j",) if y.ndim > 1 else ()))
    meet((x, left), (y, right), "k")
    return product([(x, left), (y, right)], out)


def meet(one: tuple[Traced, tuple[Label, ...]], other: tuple[Traced, tuple[Label, ...]], label: Label) -> None:
    """Summed axes have one length: there NumPy does not broadcast."""
    lengths = [array.dims[labels.index(label)] for array, labels in (one, other)]
    if lengths[0] != lengths[1]:
        refuse(
            f"the shapes {show(one[0].dims)} and {show(other[0].dims)} do not fit: {lengths[0]} against {lengths[1]}"
        )


#: ufuncs by NumPy's or SciPy's name.
UFUNCS: dict[str, Rule] = {
    "add": _plus, "subtract": partial(_plus, sign=-1), "multiply": times, "divide": _divided, "true_divide": _divided,
    "power": _power, "float_power": _power, "matmul": matmul, "square": raised(2), "sqrt": raised(Fraction(1, 2)),
    "reciprocal": raised(-1),
    "cbrt": lambda x: times(entrywise("sign", x), raised(Fraction(1, 3))(entrywise("abs", x))),
    "negative": lambda x: total((-1, x)), "positive": lambda x: total((1, x)),
    "absolute": _named("abs"), "fabs": _named("abs"), "sign": _named("sign"),
    "floor": _named("floor"), "ceil": _named("ceil"),
    "maximum": _max, "minimum": _named("minimum"), "fmax": _max, "fmin": _named("minimum"),
    "greater": compared("positive", 1), "greater_equal": compared("nonnegative", 1),
    "less": compared("positive", -1), "less_equal": compared("nonnegative", -1),
    "equal": compared("zero", 1), "not_equal": compared("zero", 1, turned=True),
    "logical_not": negated, "invert": negated, "logical_and": _and, "bitwise_and": _and,
    "logical_or": _or, "bitwise_or": _or,
    "log": _log_of(lambda x: x), "log1p": _log_of(_one_plus),
    "log2": _log_of(lambda x: x, 2), "log10": _log_of(lambda x: x, 10),
    "exp": _named("exp"), "expm1": lambda x: total((1, entrywise("exp", x)), (-1, lifted(1, x.sizes))),
    "floor_divide": lambda x, y: entrywise("floor", _divided(x, y)),
    "remainder": lambda x, y: total((1, x), (-1, times(y, entrywise("floor", _divided(x, y))))),
    "exp2": lambda x: _power(lifted(2, x.sizes), x), "logaddexp": _softly,
    "heaviside": lambda x, y: entrywise("where", entrywise("zero", x), y, entrywise("positive", x)),
    **{name: _named(name) for name in (
        "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
        "erf", "erfc", "gammaln",
    )},
    "expit": _named("sigmoid"), "psi": _named("digamma"), "ndtr": _named("normcdf"), "log_ndtr": _named("log_normcdf"),
    "gamma": _named("gammafn"),
}  # fmt: skip


FUNCTIONS: dict[str, Rule] = {"where": _where, "clip": _clip}
