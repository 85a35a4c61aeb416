"""Enclosures: two numbers are different because they lie in intervals that do not overlap.

Contract: `apart(one, other, example, variables)` says in words how the values of two expressions at a point of exact
numbers are enclosed, or is None where the enclosures overlap or a function has none.  The intervals are balls of Arb
where python-flint is installed, and mpmath's otherwise; both round outwards, so that what is said is a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from symgrad.dims import value as size_of
from symgrad.errors import UnsupportedError
from symgrad.expr import Node, Rational, Variable
from symgrad.verify.interpret import Arithmetic, ObjectArrays, interpret, object_einsum
from symgrad.verify.points import dimensions
from symgrad.verify.report import Counterexample

BITS = 192


@dataclass(frozen=True, slots=True)
class Balls:
    """One library of intervals: numbers from quotients of whole numbers, the ends of an interval, its functions."""

    name: str
    ratio: Callable[[int, int], Any]
    low: Callable[[Any], Any]
    high: Callable[[Any], Any]
    hull: Callable[[Any, Any], Any]
    precise: Callable[[], AbstractContextManager[Any]]
    functions: Mapping[str, Callable[..., Any]]


def apart(one: Node, other: Node, example: Counterexample, variables: list[Variable]) -> str | None:
    """How the entries of two expressions at a counterexample are enclosed, if the enclosures do not overlap."""
    balls = arb() or intervals()
    with suppress(UnsupportedError, ArithmeticError, ValueError, TypeError), balls.precise():
        first, second = (enclosed(node, example, variables, balls) for node in (one, other))
        if balls.high(first) < balls.low(second) or balls.high(second) < balls.low(first):
            return f"{balls.name} encloses the two numbers apart"
    return None


def enclosed(node: Node, example: Counterexample, variables: list[Variable], balls: Balls) -> Any:
    """An enclosure of one entry of an expression at a point."""
    import numpy as np

    values: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for v in variables:
        value = np.asarray(example.variables[v.name])
        sizes |= {d: n for d, n in zip(v.shape, value.shape, strict=True) if isinstance(d, str)}
        whole = value.dtype.kind in "iu" and v.assumptions & {"label", "natural"}
        values[v.name] = (
            value if whole else np.frompyfunc(lambda x: balls.ratio(*float(x).as_integer_ratio()), 1, 1)(value)
        )
    if any(name not in sizes for name in dimensions(node)):
        raise UnsupportedError("a size is none of a variable's")
    found = np.asarray(interpret(node, values, sizes, arithmetic(balls)), dtype=object)
    shape = tuple(size_of(d, sizes) for d in node.shape)
    return np.broadcast_to(found, shape)[example.index] + balls.ratio(0, 1)


def arithmetic(balls: Balls) -> Arithmetic:
    """Object arrays of intervals."""
    import numpy as np

    zero = balls.ratio(0, 1)

    def entrywise(function: Callable[..., Any]) -> Callable[..., Any]:
        def of_balls(*entries: Any) -> Any:  # the entries of a delta are whole numbers
            return function(*(entry + zero if isinstance(entry, int) else entry for entry in entries))

        return lambda *args: np.frompyfunc(of_balls, len(args), 1)(*args) if args else function()

    def number(value: Rational) -> Any:
        found = np.empty((), dtype=object)  # an array, since an interval times an array is its own idea
        found[()] = balls.ratio(value.numerator, value.denominator)
        return found

    def power(x: Any, exponent: Rational) -> Any:
        return entrywise(lambda entry: _powered(entry, exponent, balls))(np.asarray(x, dtype=object))

    def onehot(labels: Any, classes: int) -> Any:
        exact = np.eye(classes, dtype=int)[np.asarray(labels).astype(int)]
        return np.frompyfunc(lambda k: balls.ratio(int(k), 1), 1, 1)(exact)

    functions = {name: entrywise(function) for name, function in (entries(balls) | dict(balls.functions)).items()}
    return Arithmetic(ObjectArrays(), functions | wholes(balls), number, power, object_einsum, onehot)


def _powered(x: Any, exponent: Rational, balls: Balls) -> Any:
    whole = int(exponent) if exponent.denominator == 1 else None
    if whole is None:
        if not balls.low(x) > 0:
            raise UnsupportedError("a root of what may be negative")
        return balls.functions["exp"](balls.functions["log"](x) * balls.ratio(exponent.numerator, exponent.denominator))
    found = reduce(lambda a, _: a * x, range(abs(whole)), balls.ratio(1, 1))
    if whole >= 0:
        return found
    if balls.low(found) <= 0 <= balls.high(found):
        raise ZeroDivisionError
    return balls.ratio(1, 1) / found


# --- functions --------------------------------------------------------------------------------------------------------


def entries(balls: Balls) -> dict[str, Callable[..., Any]]:
    """Functions of one entry, by those of the library and by comparisons that are certain or give the hull."""
    one, zero = balls.ratio(1, 1), balls.ratio(0, 1)
    exp, log = balls.functions["exp"], balls.functions["log"]

    def logarithm(x: Any) -> Any:
        if not balls.low(x) > 0:
            raise UnsupportedError("a logarithm of what may be negative")
        return log(x)

    def choose(x: Any, up: Any, down: Any) -> Any:
        """`up` where x > 0, `down` where x <= 0, both where that is not certain."""
        x = x + zero  # a whole number, as of a Kronecker delta, is no interval yet
        if balls.low(x) > 0:
            return up
        return down if balls.high(x) <= 0 else balls.hull(up, down)

    def ratio(up: Any, down: Any) -> Any:
        if balls.low(down) <= 0 <= balls.high(down):
            raise ZeroDivisionError
        return up / down

    def tanh(x: Any) -> Any:
        e = exp(x + x)
        return ratio(e - one, e + one)

    return {
        "log": logarithm, "sigmoid": lambda x: ratio(one, one + exp(-x)), "tanh": tanh, "tan": lambda x: ratio(
            balls.functions["sin"](x), balls.functions["cos"](x)),
        "sinh": lambda x: (exp(x) - exp(-x)) / 2, "cosh": lambda x: (exp(x) + exp(-x)) / 2,
        "softplus": lambda x: log(one + exp(x)), "relu": lambda x: choose(x, x, zero),
        "abs": lambda x: choose(x, x, -x), "positive": lambda x: choose(x, one, zero),
        "nonnegative": lambda x: one - choose(-x, one, zero),
        "sign": lambda x: choose(x, one, zero) - choose(-x, one, zero),
        "maximum": lambda x, y: choose(x - y, x, y), "minimum": lambda x, y: choose(x - y, y, x),
        "where": choose, "leaky_relu": lambda x, a: choose(x, x, a * x),
        "elu": lambda x, a: choose(x, x, a * (exp(x) - one)),
        "power": lambda x, y: exp(y * logarithm(x)),
    }  # fmt: skip


def wholes(balls: Balls) -> dict[str, Callable[..., Any]]:
    """Functions of whole axes and matrices."""
    import numpy as np

    single = entries(balls)
    exp, log = (np.frompyfunc(f, 1, 1) for f in (balls.functions["exp"], single["log"]))
    zero = balls.ratio(0, 1)

    def softmax(x: Any) -> Any:
        e = exp(x)
        return e / np.asarray(np.sum(e, axis=-1, initial=zero))[..., None]

    def logsumexp(x: Any) -> Any:
        return log(np.sum(exp(x), axis=-1, initial=zero))

    def matrices(function: Callable[[list[list[Any]]], Any]) -> Callable[[Any], Any]:
        def mapped(x: Any) -> Any:
            found = [function(matrix.tolist()) for matrix in x.reshape(-1, *x.shape[-2:])]
            values = np.array(found, dtype=object)
            return values.reshape((*x.shape[:-2], *values.shape[1:]))[()]

        return mapped

    det = matrices(lambda rows: _eliminated(rows, balls)[1])
    return {
        "softmax": softmax, "det": det, "logsumexp": logsumexp,
        "log_softmax": lambda x: x - np.asarray(logsumexp(x))[..., None],
        "amax": lambda x: reduce(np.frompyfunc(single["maximum"], 2, 1), np.moveaxis(x, -1, 0)),
        "prod": lambda x: np.prod(x, axis=-1), "inverse": matrices(lambda rows: _eliminated(rows, balls)[0]),
        "logdet": lambda x: log(np.frompyfunc(single["abs"], 1, 1)(det(x))), "tril": np.tril,
    }  # fmt: skip


def _eliminated(rows: list[list[Any]], balls: Balls) -> tuple[list[list[Any]], Any]:
    """The inverse and the determinant, by elimination with pivots that are certainly not zero."""
    n, one, zero = len(rows), balls.ratio(1, 1), balls.ratio(0, 1)
    determinant = one
    work = [[*row, *(one if k == i else zero for k in range(n))] for i, row in enumerate(rows)]
    for column in range(n):
        certain = (i for i in range(column, n) if not balls.low(work[i][column]) <= 0 <= balls.high(work[i][column]))
        pivot = next(certain, None)
        if pivot is None:
            raise ZeroDivisionError
        if pivot != column:
            work[column], work[pivot] = work[pivot], work[column]
            determinant = -determinant
        head = work[column][column]
        determinant = determinant * head
        work[column] = [entry / head for entry in work[column]]
        for i in range(n):
            if i != column:
                times = work[i][column]
                work[i] = [a - times * b for a, b in zip(work[i], work[column], strict=True)]
    return [row[n:] for row in work], determinant


# --- libraries --------------------------------------------------------------------------------------------------------


@cache
def arb() -> Balls | None:
    """Balls of Arb, if python-flint is installed."""
    try:
        import flint
    except ImportError:
        return None

    names = {
        "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "erf": "erf", "erfc": "erfc", "arctan": "atan",
        "arcsin": "asin", "arccos": "acos", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
        "gammafn": "gamma", "gammaln": "lgamma", "digamma": "digamma",
    }  # fmt: skip
    functions = {ours: getattr(flint.arb, theirs) for ours, theirs in names.items()}
    return Balls(
        "ball arithmetic", lambda p, q: flint.arb(flint.fmpq(p, q)), lambda x: x.lower(), lambda x: x.upper(),
        lambda x, y: x.union(y), lambda: flint.ctx.workprec(BITS), functions | {"pi": flint.arb.pi},
    )  # fmt: skip


@cache
def intervals() -> Balls:
    """The intervals of mpmath, which comes with SymPy."""
    import mpmath

    context = mpmath.iv.__class__()
    context.prec = BITS
    functions = {"exp": context.exp, "log": context.log, "sin": context.sin, "cos": context.cos}
    return Balls(
        "interval arithmetic", lambda p, q: context.mpf(p) / context.mpf(q), lambda x: x.a, lambda x: x.b,
        lambda x, y: context.mpf([min(x.a, y.a), max(x.b, y.b)]), nullcontext, functions | {"pi": lambda: +context.pi},
    )  # fmt: skip
