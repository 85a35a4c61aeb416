"""A direct interpreter of expressions: the witnesses' own reading of the function.

Contract: nothing here is shared with differentiation, simplification or code emission.  A contraction is one einsum
over its factors, an operation one line of the tables below.  The arithmetic is chosen by the caller: NumPy (real or
complex, for the complex step), JAX (to be differentiated by it), or SymPy numbers and symbols in object arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial, reduce
from operator import add
from typing import Any

from symgrad.dims import value as dimension
from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Contraction, Delta, Dim, Node, Rational, Size, Stacking, Sum, Variable, Window, postorder
from symgrad.verify.roots import Series, jax_series, numpy_series

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How numbers are added, multiplied and put through functions."""

    array: Any
    functions: Mapping[str, Callable[..., Any]]
    number: Callable[[Rational], Any]
    power: Callable[[Any, Rational], Any]
    einsum: Callable[..., Any]
    onehot: Callable[[Any, int], Any]


def interpret(root: Node, values: Mapping[str, Any], sizes: Mapping[str, int], arithmetic: Arithmetic) -> Any:
    """The value of `root` at named arrays; `sizes` are those of its dimensions."""

    def extent(dim: Dim) -> int:
        return dimension(dim, sizes)

    memo: dict[Node, Any] = {}
    for node in postorder([root]):
        if isinstance(node, Variable):
            memo[node] = values[node.name]
        elif isinstance(node, Size):
            memo[node] = arithmetic.number(extent(node.dim))
        elif isinstance(node, Delta | Stacking):
            memo[node] = _constant(node, extent, arithmetic.array)
        elif isinstance(node, Window):
            memo[node] = _window(node, extent, arithmetic)
        elif isinstance(node, Sum):
            memo[node] = reduce(add, [arithmetic.number(c) * memo[n] for c, n in node.terms])
        elif isinstance(node, Contraction):
            memo[node] = _product(node, memo, extent, arithmetic)
        elif isinstance(node, Call):
            memo[node] = _call(node, [memo[a] for a in node.args], extent, arithmetic)
    return memo[root]


def _product(
    node: Contraction, memo: Mapping[Node, Any], extent: Callable[[Dim], int], arithmetic: Arithmetic
) -> Any:  # fmt: skip
    factors = [(arithmetic.power(memo[factor], power), labels) for factor, labels, power in node.factors]
    if not node.sizes:  # a product of numbers stays one, so that it can be the power of a matrix
        return math.prod((value for value, _ in factors), start=arithmetic.number(node.coefficient))
    operands: list[Any] = [part for value, labels in factors for part in (value, list(labels))]
    for label, dim in enumerate(node.sizes):
        if not any(label in labels for _, labels, _ in node.factors):
            operands += [arithmetic.array.ones(extent(dim)), [label]]
    return arithmetic.number(node.coefficient) * arithmetic.einsum(*operands, list(range(node.rank)))


def _window(node: Window, extent: Callable[[Dim], int], arithmetic: Arithmetic) -> Any:
    """The 0/1 tensor of a linear relation between indices; 0 where the first index would leave its axis."""
    import numpy as np

    grid = np.indices([extent(d) for d in node.shape])
    places = extent(node.offset) + sum(extent(s) * k for s, k in zip(node.strides, grid[1:], strict=True))
    return arithmetic.onehot((grid[0] == places).astype(int), 2)[..., 1]


def _constant(node: Delta | Stacking, extent: Callable[[Dim], int], xp: Any) -> Any:
    if isinstance(node, Delta):
        return xp.eye(extent(node.shape[0]))
    rows, columns, both = map(extent, node.shape)
    return xp.eye(both).reshape(columns, rows, both).transpose(1, 0, 2)


def _call(node: Call, args: list[Any], extent: Callable[[Dim], int], arithmetic: Arithmetic) -> Any:
    if node.op.name == "onehot":
        return arithmetic.onehot(args[0], extent(node.params[0]))
    args = [*args, *(() if node.args else map(extent, node.params))]
    function = arithmetic.functions.get(node.op.name)
    if function is None:
        raise UnsupportedError(f"no witness knows the operation {node.op.name}")
    return function(*args)


# --- NumPy and JAX ----------------------------------------------------------------------------------------------------


def _special_functions(xp: Any, sc: Any) -> dict[str, Callable[..., Any]]:
    """What no array module has; `sc` is SciPy's module of special functions or JAX's."""
    return {
        "erf": sc.erf, "erfc": sc.erfc, "normcdf": lambda x: sc.erfc(-x / xp.sqrt(2.0)) / 2, "log_normcdf": sc.log_ndtr,
        "normpdf": lambda x: xp.exp(-x * x / 2) / xp.sqrt(2 * xp.pi), "gammafn": sc.gamma, "gammaln": sc.gammaln,
        "digamma": sc.digamma, "trigamma": lambda x: sc.polygamma(1, x), "hurwitz": sc.zeta,
    }  # fmt: skip


def _changes(xp: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The first and the second change of a function of matrices, read off block matrices."""

    def pair(x: Any, e: Any) -> Any:
        """[[x, e], [0, x]]."""
        lower = xp.concatenate([0 * x, x], axis=-1)
        return xp.concatenate([xp.concatenate([x, e], axis=-1), lower], axis=-2)

    def change(function: Callable[[Any], Any], x: Any, e: Any) -> Any:
        """The upper right block of f([[x, e], [0, x]])."""
        n = x.shape[-1]
        return function(pair(x, e))[..., :n, n:]

    def second_change(function: Callable[[Any], Any], x: Any, e: Any, f: Any) -> Any:
        """The change along f of the change along e."""
        n = x.shape[-1]
        return change(function, pair(x, e), pair(f, 0 * f))[..., :n, n:]

    return change, second_change


def _matrix_functions(xp: Any, series: Series) -> dict[str, Callable[..., Any]]:
    """Functions of whole matrices, in those of the array module."""

    def symmetric(x: Any) -> Any:
        return (x + xp.swapaxes(x, -1, -2)) / 2

    def eigenvector(x: Any, place: int) -> Any:
        v = xp.linalg.eigh(symmetric(x))[1][..., place]
        largest = xp.take_along_axis(v, xp.argmax(xp.abs(v), axis=-1)[..., None], axis=-1)
        return v * xp.sign(largest)

    def polar(x: Any) -> Any:
        u, _, vt = xp.linalg.svd(x, full_matrices=False)
        return u @ vt

    def matrix_power(x: Any, k: Any) -> Any:
        return xp.linalg.matrix_power(x, int(k))

    def sylvester(a: Any, b: Any, c: Any) -> Any:
        """A X + X B = C for every entry of X at once."""
        m, n = c.shape[-2:]
        left = xp.einsum("...ik,jl->...ijkl", a, xp.eye(n))
        whole = (left + xp.einsum("ik,...lj->...ijkl", xp.eye(m), b)).reshape(*c.shape[:-2], m * n, m * n)
        return xp.linalg.solve(whole, c.reshape(*c.shape[:-2], m * n, 1)).reshape(c.shape)

    change, second_change = _changes(xp)
    changes = {f"{name}_change": partial(change, function) for name, function in series.items()}
    changes |= {f"{name}_change2": partial(second_change, function) for name, function in series.items()}
    return series | changes | {
        "nucnorm": lambda x: xp.sum(xp.linalg.svd(x, compute_uv=False), axis=-1), "polar": polar,
        "pinv": lambda x: xp.linalg.pinv(x, 1e-10), "matrix_power": matrix_power,
        "eigmax": lambda x: xp.linalg.eigvalsh(symmetric(x))[..., -1],
        "eigmin": lambda x: xp.linalg.eigvalsh(symmetric(x))[..., 0],
        "maxeigvec": lambda x: eigenvector(x, -1), "mineigvec": lambda x: eigenvector(x, 0),
        "chol": lambda x: xp.linalg.cholesky(symmetric(x)), "sylvester": sylvester,
        "power_change": lambda x, k, e: change(lambda z: matrix_power(z, k), x, e),
        "power_change2": lambda x, k, e, f: second_change(lambda z: matrix_power(z, k), x, e, f),
    }  # fmt: skip


def _without_each(xp: Any, x: Any) -> Any:
    """The product of all entries but each one in turn."""
    return xp.stack([xp.prod(xp.delete(x, k, axis=-1), axis=-1) for k in range(x.shape[-1])], axis=-1)


def _stable_functions(xp: Any) -> dict[str, Callable[..., Any]]:
    """Operations whose definition overflows or loses digits, written so that they do not; they take complex numbers."""

    def softmax(x: Any) -> Any:
        e = xp.exp(x - xp.max(xp.real(x), axis=-1, keepdims=True))
        return e / xp.sum(e, axis=-1, keepdims=True)

    def logsumexp(x: Any) -> Any:
        top = xp.max(xp.real(x), axis=-1, keepdims=True)
        return xp.log(xp.sum(xp.exp(x - top), axis=-1)) + top[..., 0]

    def softplus(x: Any) -> Any:
        up = xp.real(x) > 0
        return xp.where(up, x, 0) + xp.log1p(xp.exp(xp.where(up, -x, x)))

    def sigmoid(x: Any) -> Any:
        up = xp.real(x) >= 0
        e = xp.exp(xp.where(up, -x, x))
        return xp.where(up, 1, e) / (1 + e)

    def tanh(x: Any) -> Any:
        # Automatic differentiation of tanh itself is 1 - tanh², which has no digits left where tanh is 1.
        up, near = xp.real(x) >= 0, xp.abs(x) < 0.5
        e = xp.exp(xp.where(up, -2 * x, 2 * x))
        return xp.where(near, xp.tanh(xp.where(near, x, 0)), xp.where(up, 1 - e, e - 1) / (1 + e))

    return {
        "softmax": softmax, "log_softmax": lambda x: x - logsumexp(x)[..., None], "logsumexp": logsumexp,
        "softplus": softplus, "sigmoid": sigmoid, "tanh": tanh,
    }  # fmt: skip


def _numeric_functions(xp: Any) -> dict[str, Callable[..., Any]]:
    """The operations in elementary functions of an array module; all but the kinked ones take complex numbers."""

    def elu(x: Any, alpha: Any) -> Any:
        return xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, 0, x)))

    return _stable_functions(xp) | {
        "exp": xp.exp, "log": xp.log, "power": xp.power, "sin": xp.sin,
        "cos": xp.cos, "tan": xp.tan,
        "arcsin": xp.arcsin, "arccos": xp.arccos, "arctan": xp.arctan, "arcsinh": xp.arcsinh, "arccosh": xp.arccosh,
        "arctanh": xp.arctanh, "floor": xp.floor, "ceil": xp.ceil, "round": xp.round,
        "sinh": xp.sinh, "cosh": xp.cosh,
        "relu": lambda x: xp.where(x > 0, x, 0.0), "abs": xp.abs, "sign": xp.sign, "elu": elu,
        "leaky_relu": lambda x, a: xp.where(x > 0, x, a * x), "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
        "hardtanh": lambda x: xp.clip(x, -1.0, 1.0), "positive": lambda x: (x > 0) * 1.0,
        "nonnegative": lambda x: (x >= 0) * 1.0, "zero": lambda x: (x == 0) * 1.0, "maximum": xp.maximum,
        "minimum": xp.minimum, "where": lambda c, x, y: xp.where(c > 0, x, y),
        "amax": lambda x: xp.max(x, axis=-1), "prod": lambda x: xp.prod(x, axis=-1),
        "products_of_others": lambda x: _without_each(xp, x),
        "argmax": lambda x: xp.eye(x.shape[-1])[xp.argmax(x, axis=-1)], "inverse": xp.linalg.inv, "det": xp.linalg.det,
        "logdet": lambda x: xp.linalg.slogdet(x)[1], "pi": lambda: xp.pi, "tril": xp.tril,
        "counting": lambda n: xp.arange(1.0, n + 1), "stop_gradient": lambda x: x,
        "halftril": lambda x: xp.tril(x) - x * xp.eye(x.shape[-1]) / 2,
        "diagsum": lambda x: _along_diagonals(x, xp),
    }  # fmt: skip


def _along_diagonals(x: Any, xp: Any) -> Any:
    """Every entry replaced by the sum of its diagonal."""
    n = x.shape[-1]
    rows = [
        [sum(x[..., k, k + j - i] for k in range(max(0, i - j), min(n, n + i - j))) for j in range(n)] for i in range(n)
    ]
    return xp.stack([xp.stack(row, -1) for row in rows], -2)


def _float_power(x: Any, power: Rational) -> Any:
    return x if power == 1 else x ** (power if isinstance(power, int) else float(power))


@cache
def numpy_arithmetic() -> Arithmetic:
    import numpy as np
    import scipy.special

    def onehot(labels: Any, classes: int) -> Any:
        return np.eye(classes)[np.asarray(labels).astype(int)]

    def power(x: Any, exponent: Rational) -> Any:
        return _float_power(np.asarray(x) * 1.0, exponent)

    functions = _numeric_functions(np) | _special_functions(np, scipy.special)
    functions |= _matrix_functions(np, numpy_series())
    return Arithmetic(np, functions, float, power, np.einsum, onehot)


def jax_arithmetic() -> Arithmetic:
    import jax.numpy as jnp
    import jax.scipy.special

    def onehot(labels: Any, classes: int) -> Any:
        return jnp.eye(classes)[jnp.asarray(labels).astype(int)]

    def power(x: Any, exponent: Rational) -> Any:
        if not 0 < exponent < 1:
            return _float_power(x, exponent)
        # At 0 the subgradient 0 of a norm, where JAX has no number; a root of something else has no derivative there.
        return jnp.where(x == 0, 0.0, _float_power(jnp.where(x == 0, 1.0, x), exponent))

    functions = _numeric_functions(jnp) | _special_functions(jnp, jax.scipy.special)
    functions |= _matrix_functions(jnp, jax_series()) | {"stop_gradient": jax.lax.stop_gradient}
    return Arithmetic(jnp, functions, float, power, jnp.einsum, onehot)


# --- SymPy ------------------------------------------------------------------------------------------------------------


def sympy_arithmetic() -> Arithmetic:
    """Object arrays of SymPy numbers and symbols; entrywise operations come from SymPy through their declarations."""
    import numpy as np
    import sympy as sp

    from symgrad.ops import OPERATIONS

    def entrywise(function: Callable[..., Any]) -> Callable[..., Any]:
        def mapped(*args: Any) -> Any:
            if not args:
                return function(sp)
            return np.frompyfunc(lambda *entries: function(sp, *entries), len(args), 1)(*args)

        return mapped

    functions: dict[str, Callable[..., Any]] = {
        op.name: entrywise(op.sympy) for op in OPERATIONS.values() if op.sympy is not None
    }
    functions.update(_symbolic_array_functions(np, sp))

    def number(value: Rational) -> Any:
        return sp.Rational(value.numerator, value.denominator)

    def power(x: Any, exponent: Rational) -> Any:
        return x ** number(exponent)

    def onehot(labels: Any, classes: int) -> Any:
        return np.eye(classes, dtype=int)[np.asarray(labels).astype(int)].astype(object)

    return Arithmetic(ObjectArrays(), functions, number, power, object_einsum, onehot)


class ObjectArrays:
    """`ones` and `eye` with exact entries."""

    @staticmethod
    def ones(count: int) -> Any:
        import numpy as np

        return np.ones(count, dtype=int).astype(object)

    @staticmethod
    def eye(count: int) -> Any:
        import numpy as np

        return np.eye(count, dtype=int).astype(object)


def object_einsum(*operands: Any) -> Any:
    """einsum for object arrays: broadcast all operands over all labels, multiply, sum."""
    import numpy as np

    *pairs, out = operands
    arrays, labels = pairs[::2], pairs[1::2]
    every = sorted({k for axes in labels for k in axes})
    whole: Any = 1
    for array, axes in zip(arrays, labels, strict=True):
        value = np.asarray(array, dtype=object)
        if len(set(axes)) != len(axes):  # a diagonal: take equal indices
            value, axes = _diagonal(value, axes)
        order = sorted(range(len(axes)), key=lambda k: axes[k])
        value = np.transpose(value, order)
        shape, place = [], 0
        for label in every:
            present = label in axes
            shape.append(value.shape[place] if present else 1)
            place += present
        whole = whole * value.reshape(shape)
    summed = tuple(k for k, label in enumerate(every) if label not in out)
    result = np.sum(whole, axis=summed) if summed else whole
    kept = [label for label in every if label in out]
    return np.transpose(result, [kept.index(label) for label in out]) if out else result


def _diagonal(value: Any, axes: list[int]) -> tuple[Any, list[int]]:
    import numpy as np

    while len(set(axes)) != len(axes):
        label = next(k for k in axes if axes.count(k) > 1)
        first, second = [k for k, a in enumerate(axes) if a == label][:2]
        value = np.diagonal(value, axis1=first, axis2=second)
        axes = [a for k, a in enumerate(axes) if k not in (first, second)] + [label]
    return value, axes


def _of_blocks(np: Any, sp: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one matrix of SymPy on stacks of them."""

    def mapped(x: Any, *more: Any) -> Any:
        flat = x.reshape(-1, *x.shape[-2:])
        found = np.empty(len(flat), dtype=object)
        parts = [function(sp.Matrix(block), *more) for block in flat]
        if isinstance(parts[0], sp.MatrixBase):
            return np.array([np.array(p.tolist(), dtype=object) for p in parts], dtype=object).reshape(x.shape)
        found[:] = parts
        return found.reshape(x.shape[:-2])[()]

    return mapped


def _symbolic_array_functions(np: Any, sp: Any) -> dict[str, Callable[..., Any]]:
    """Whole-array operations over exact entries."""

    def exp(x: Any) -> Any:
        return np.frompyfunc(sp.exp, 1, 1)(x)

    def log(x: Any) -> Any:
        return np.frompyfunc(sp.log, 1, 1)(x)

    def logsumexp(x: Any) -> Any:
        return log(np.sum(exp(x), axis=-1))

    def softmax(x: Any) -> Any:
        e = exp(x)
        return e / np.asarray(np.sum(e, axis=-1))[..., None]

    def amax(x: Any) -> Any:
        return np.apply_along_axis(lambda row: sp.Max(*row), -1, x)[()]

    def argmax(x: Any) -> Any:
        def row_of(row: Any) -> Any:
            best = max(range(len(row)), key=lambda k: (row[k], -k))
            return np.array([int(k == best) for k in range(len(row))], dtype=object)

        return np.apply_along_axis(row_of, -1, x)

    matrix = partial(_of_blocks, np, sp)
    return {
        "logsumexp": logsumexp, "softmax": softmax, "log_softmax": lambda x: x - np.asarray(logsumexp(x))[..., None],
        "amax": amax, "prod": lambda x: np.prod(x, axis=-1), "products_of_others": lambda x: _without_each(np, x),
        "argmax": argmax, "inverse": matrix(lambda m: m.inv()), "det": matrix(lambda m: m.det()),
        "matrix_power": matrix(lambda m, k: m ** int(k)),
        "chol": matrix(lambda m: ((m + m.T) / 2).cholesky(hermitian=False)),
        "logdet": matrix(lambda m: sp.log(sp.Abs(m.det()))), "tril": np.tril,
        "halftril": lambda x: (np.tril(x) + np.tril(x, -1)) * sp.Rational(1, 2),
        "diagsum": lambda x: _along_diagonals(x, np), "stop_gradient": lambda x: x,
        "counting": lambda n: np.array([sp.Integer(k + 1) for k in range(n)], dtype=object),
    }  # fmt: skip
