"""A direct interpreter of expressions: the witnesses' own reading of the function.

Contract: nothing here is shared with differentiation, simplification or code emission.  A contraction is one einsum
over its factors, an operation one line of the tables below.  The arithmetic is chosen by the caller: NumPy (real or
complex, for the complex step), JAX (to be differentiated by it), or SymPy numbers and symbols in object arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Contraction, Delta, Dim, Node, Rational, Size, Sum, Variable, postorder

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
    xp = arithmetic.array

    def extent(dim: Dim) -> int:
        return dim if isinstance(dim, int) else sizes[dim]

    def product(node: Contraction) -> Any:
        operands: list[Any] = []
        for factor, labels, power in node.factors:
            operands += [arithmetic.power(memo[factor], power), list(labels)]
        for label, dim in enumerate(node.sizes):
            if not any(label in labels for _, labels, _ in node.factors):
                operands += [xp.ones(extent(dim)), [label]]
        whole = arithmetic.einsum(*operands, list(range(node.rank))) if operands else arithmetic.number(1)
        return arithmetic.number(node.coefficient) * whole

    memo: dict[Node, Any] = {}
    for node in postorder([root]):
        if isinstance(node, Variable):
            memo[node] = values[node.name]
        elif isinstance(node, Size):
            memo[node] = arithmetic.number(extent(node.dim))
        elif isinstance(node, Delta):
            memo[node] = xp.eye(extent(node.shape[0]))
        elif isinstance(node, Sum):
            parts = [arithmetic.number(c) * memo[n] for c, n in node.terms]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            memo[node] = total
        elif isinstance(node, Contraction):
            memo[node] = product(node)
        elif isinstance(node, Call):
            memo[node] = _call(node, [memo[a] for a in node.args], extent, arithmetic)
    return memo[root]


def _call(node: Call, args: list[Any], extent: Callable[[Dim], int], arithmetic: Arithmetic) -> Any:
    if node.op.name == "onehot":
        return arithmetic.onehot(args[0], extent(node.params[0]))
    function = arithmetic.functions.get(node.op.name)
    if function is None:
        raise UnsupportedError(f"no witness knows the operation {node.op.name}")
    return function(*args)


# --- NumPy and JAX ----------------------------------------------------------------------------------------------------


def _numeric_functions(xp: Any) -> dict[str, Callable[..., Any]]:
    """The operations in elementary functions of an array module; all but the kinked ones take complex numbers."""

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

    def elu(x: Any, alpha: Any) -> Any:
        return xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, 0, x)))

    return {
        "exp": xp.exp, "log": xp.log, "power": xp.power, "sin": xp.sin,
        "cos": xp.cos, "tan": xp.tan,
        "arctan": xp.arctan,
        "sinh": xp.sinh, "cosh": xp.cosh, "tanh": xp.tanh, "sigmoid": sigmoid, "softplus": softplus,
        "relu": lambda x: xp.where(x > 0, x, 0.0), "abs": xp.abs, "sign": xp.sign, "elu": elu,
        "leaky_relu": lambda x, a: xp.where(x > 0, x, a * x), "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
        "hardtanh": lambda x: xp.clip(x, -1.0, 1.0), "positive": lambda x: (x > 0) * 1.0,
        "nonnegative": lambda x: (x >= 0) * 1.0, "zero": lambda x: (x == 0) * 1.0, "maximum": xp.maximum,
        "minimum": xp.minimum, "where": lambda c, x, y: xp.where(c > 0, x, y), "softmax": softmax,
        "log_softmax": lambda x: x - logsumexp(x)[..., None], "logsumexp": logsumexp,
        "amax": lambda x: xp.max(x, axis=-1),
        "argmax": lambda x: xp.eye(x.shape[-1])[xp.argmax(x, axis=-1)], "inverse": xp.linalg.inv, "det": xp.linalg.det,
        "logdet": lambda x: xp.linalg.slogdet(x)[1], "pi": lambda: xp.pi,
    }  # fmt: skip


def _float_power(x: Any, power: Rational) -> Any:
    return x if power == 1 else x ** (power if isinstance(power, int) else float(power))


def numpy_arithmetic() -> Arithmetic:
    import numpy as np

    def onehot(labels: Any, classes: int) -> Any:
        return np.eye(classes)[np.asarray(labels).astype(int)]

    def power(x: Any, exponent: Rational) -> Any:
        return _float_power(np.asarray(x) * 1.0, exponent)

    return Arithmetic(np, _numeric_functions(np), float, power, np.einsum, onehot)


def jax_arithmetic() -> Arithmetic:
    import jax.numpy as jnp

    def onehot(labels: Any, classes: int) -> Any:
        return jnp.eye(classes)[labels]

    def power(x: Any, exponent: Rational) -> Any:
        return _float_power(x, exponent)

    return Arithmetic(jnp, _numeric_functions(jnp), float, power, jnp.einsum, onehot)


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

    def matrix(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def mapped(x: Any) -> Any:
            flat = x.reshape(-1, *x.shape[-2:])
            found = np.empty(len(flat), dtype=object)
            parts = [function(sp.Matrix(block)) for block in flat]
            if isinstance(parts[0], sp.MatrixBase):
                return np.array([np.array(p.tolist(), dtype=object) for p in parts], dtype=object).reshape(x.shape)
            found[:] = parts
            return found.reshape(x.shape[:-2])[()]

        return mapped

    return {
        "logsumexp": logsumexp, "softmax": softmax, "log_softmax": lambda x: x - np.asarray(logsumexp(x))[..., None],
        "amax": amax, "argmax": argmax, "inverse": matrix(lambda m: m.inv()), "det": matrix(lambda m: m.det()),
        "logdet": matrix(lambda m: sp.log(sp.Abs(m.det()))),
    }  # fmt: skip
