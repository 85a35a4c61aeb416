"""A direct NumPy interpreter of expressions, for tests: one einsum a contraction, no cleverness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.expr import Call, Contraction, Delta, Node, Size, Stacking, Sum, Variable, fold


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _logsumexp(x: np.ndarray) -> np.ndarray:
    top = x.max(axis=-1, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=-1)) + top[..., 0]


SELU = (1.0507009873554805, 1.6732632423543772)
FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "power": np.power,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "abs": np.abs,
    "sign": np.sign,
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "leaky_relu": lambda x, a: np.where(x > 0, x, a * x),
    "elu": lambda x, a: np.where(x > 0, x, a * (np.exp(x) - 1)),
    "selu": lambda x: SELU[0] * np.where(x > 0, x, SELU[1] * (np.exp(x) - 1)),
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "positive": lambda x: (x > 0) * 1.0,
    "nonnegative": lambda x: (x >= 0) * 1.0,
    "zero": lambda x: (x == 0) * 1.0,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": lambda c, x, y: np.where(c > 0, x, y),
    "softmax": _softmax,
    "log_softmax": lambda x: x - _logsumexp(x)[..., None],
    "logsumexp": _logsumexp,
    "amax": lambda x: x.max(axis=-1),
    "argmax": lambda x: np.eye(x.shape[-1])[x.argmax(axis=-1)],
    "inverse": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "pi": lambda: np.pi,
    "tril": np.tril,
    "diagsum": lambda x: sum(
        np.trace(x, d, -2, -1)[..., None, None] * np.eye(x.shape[-1], k=d) for d in range(1 - x.shape[-1], x.shape[-1])
    ),
}


def evaluate(root: Node, values: Mapping[str, Any], dims: Mapping[str, int]) -> np.ndarray:
    """The value of `root` at named arrays, with the sizes of its dimensions."""

    def extent(dim: int | str) -> int:
        return int(np.prod([int(part) if part.isdigit() else dims[part] for part in str(dim).split("*")]))

    def combine(node: Node, value: Any) -> Any:
        if isinstance(node, Variable):
            return np.asarray(values[node.name], dtype=float)
        if isinstance(node, Size):
            return np.float64(extent(node.dim))
        if isinstance(node, Delta):
            return np.eye(extent(node.shape[0]))
        if isinstance(node, Stacking):
            rows, columns, both = map(extent, node.shape)
            return np.array(
                [[[float(k == i + rows * j) for k in range(both)] for j in range(columns)] for i in range(rows)]
            )
        if isinstance(node, Sum):
            return sum(float(c) * value(n) for c, n in node.terms)
        if isinstance(node, Contraction):
            operands: list[Any] = []
            for factor, labels, power in node.factors:
                operands += [value(factor) ** (float(power) if power != 1 else 1), list(labels)]
            for label, dim in enumerate(node.sizes):
                operands += [np.ones(extent(dim)), [label]]
            result = np.einsum(*operands, list(range(node.rank))) if operands else np.float64(1)
            return float(node.coefficient) * result
        assert isinstance(node, Call)
        if node.op.name == "onehot":
            return np.eye(extent(node.params[0]))[value(node.args[0]).astype(int)]
        args = [value(arg) for arg in node.args]
        return FUNCTIONS[node.op.name](*args)

    return fold(root, combine)
