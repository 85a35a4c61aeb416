"""A direct NumPy interpreter of expressions, for tests: one einsum a contraction, no cleverness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats

from symgrad.dims import value as size_of
from symgrad.expr import Call, Contraction, Delta, Node, Size, Stacking, Sum, Variable, Window, fold


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _logsumexp(x: np.ndarray) -> np.ndarray:
    top = x.max(axis=-1, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=-1)) + top[..., 0]


def _symmetric(x: np.ndarray) -> np.ndarray:
    return (x + x.swapaxes(-1, -2)) / 2


def _polar(x: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return u @ vt


def _eigenvector(x: np.ndarray, place: int) -> np.ndarray:
    v = np.linalg.eigh(_symmetric(x))[1][..., place]
    return v * np.sign(np.take_along_axis(v, np.abs(v).argmax(axis=-1)[..., None], axis=-1))


def _change(function: Any) -> Any:
    """The derivative of a function of a matrix along E: the upper right block of f([[X, E], [0, X]])."""

    def along(x: np.ndarray, e: np.ndarray) -> np.ndarray:
        x, e = np.broadcast_arrays(x, e)
        return function(np.block([[x, e], [0 * x, x]]))[..., : x.shape[-1], x.shape[-1] :]

    return along


def _change_twice(function: Any) -> Any:
    """The second derivative along E and F, of which every block of f([[X, E, F, 0], ..., [0, 0, 0, X]]) is a part."""

    def along(x: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
        x, e, f = np.broadcast_arrays(x, e, f)
        o = 0 * x
        rows = [[x, e, f, o], [o, x, o, f], [o, o, x, e], [o, o, o, x]]
        return function(np.block(rows))[..., : x.shape[-1], 3 * x.shape[-1] :]

    return along


def _power_twice(x: np.ndarray, k: Any, e: np.ndarray, f: np.ndarray) -> Any:
    k, power = int(k), np.linalg.matrix_power
    places = [(a, b) for a in range(k - 1) for b in range(k - 1 - a)]
    pairs = ((e, f), (f, e))
    products = (power(x, a) @ g @ power(x, b) @ h @ power(x, k - 2 - a - b) for a, b in places for g, h in pairs)
    return sum(products, 0 * x @ e @ f)


def _logm(x: np.ndarray) -> np.ndarray:
    """The integral of (X - I) (I + t (X - I))⁻¹ over t from 0 to 1, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    one = np.eye(x.shape[-1])
    return sum(
        w / 2 * (x - one) @ np.linalg.inv(one + (t + 1) / 2 * (x - one)) for t, w in zip(nodes, weights, strict=True)
    )


def _sqrtm(x: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eig(x)
    return np.real(vectors * np.sqrt(values + 0j)[..., None, :] @ np.linalg.inv(vectors))


def _sylvester(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """By the Kronecker sum of both sides."""
    one, other = np.eye(a.shape[-1]), np.eye(b.shape[-1])
    whole = np.einsum("...ik,jl->...ijkl", a, other) + np.einsum("ik,...lj->...ijkl", one, b)
    rows = one.shape[0] * other.shape[0]
    flat = whole.reshape(*whole.shape[:-4], rows, rows)
    return np.linalg.solve(flat, c.reshape(*c.shape[:-2], rows, 1)).reshape(c.shape)


SELU = (1.0507009873554805, 1.6732632423543772)
FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "power": np.power,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "normcdf": scipy.stats.norm.cdf,
    "log_normcdf": scipy.stats.norm.logcdf,
    "normpdf": scipy.stats.norm.pdf,
    "gammafn": scipy.special.gamma,
    "gammaln": scipy.special.gammaln,
    "digamma": scipy.special.psi,
    "trigamma": lambda x: scipy.special.polygamma(1, x),
    "hurwitz": scipy.special.zeta,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
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
    "prod": lambda x: x.prod(axis=-1),
    "products_of_others": lambda x: np.stack([np.delete(x, k, -1).prod(axis=-1) for k in range(x.shape[-1])], axis=-1),
    "inverse": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "pinv": lambda x: np.linalg.pinv(x, 1e-10),
    "nucnorm": lambda x: np.linalg.svd(x, compute_uv=False).sum(axis=-1),
    "polar": lambda x: _polar(x),
    "eigmax": lambda x: np.linalg.eigvalsh(_symmetric(x)).max(axis=-1),
    "eigmin": lambda x: np.linalg.eigvalsh(_symmetric(x)).min(axis=-1),
    "maxeigvec": lambda x: _eigenvector(x, -1),
    "mineigvec": lambda x: _eigenvector(x, 0),
    "matrix_power": lambda x, k: np.linalg.matrix_power(x, int(k)),
    "power_change": lambda x, k, e: sum(
        np.linalg.matrix_power(x, r) @ e @ np.linalg.matrix_power(x, int(k) - 1 - r) for r in range(int(k))
    ),
    "power_change2": _power_twice,
    "expm_change2": _change_twice(scipy.linalg.expm),
    "logm_change2": _change_twice(lambda x: _logm(x)),
    "sinm_change2": _change_twice(lambda x: scipy.linalg.expm(1j * x).imag),
    "cosm_change2": _change_twice(lambda x: scipy.linalg.expm(1j * x).real),
    "expm": scipy.linalg.expm,
    "expm_change": _change(scipy.linalg.expm),
    "logm": _logm,
    "logm_change": _change(_logm),
    "sinm": lambda x: scipy.linalg.expm(1j * x).imag,
    "sinm_change": _change(lambda x: scipy.linalg.expm(1j * x).imag),
    "cosm": lambda x: scipy.linalg.expm(1j * x).real,
    "cosm_change": _change(lambda x: scipy.linalg.expm(1j * x).real),
    "chol": lambda x: np.linalg.cholesky(_symmetric(x)),
    "sqrtm": _sqrtm,
    "sylvester": _sylvester,
    "pi": lambda: np.pi,
    "counting": lambda n: np.arange(1.0, n + 1),
    "stop_gradient": lambda x: x,
    "tril": np.tril,
    "halftril": lambda x: np.tril(x) - x * np.eye(x.shape[-1]) / 2,
    "diagsum": lambda x: sum(
        np.trace(x, d, -2, -1)[..., None, None] * np.eye(x.shape[-1], k=d) for d in range(1 - x.shape[-1], x.shape[-1])
    ),
}


def evaluate(root: Node, values: Mapping[str, Any], dims: Mapping[str, int]) -> np.ndarray:
    """The value of `root` at named arrays, with the sizes of its dimensions."""

    def extent(dim: int | str) -> int:
        return size_of(dim, dims)

    def combine(node: Node, value: Any) -> Any:
        if isinstance(node, Variable):
            return np.asarray(values[node.name], dtype=float)
        if isinstance(node, Size):
            return np.float64(extent(node.dim))
        if isinstance(node, Delta):
            return np.eye(extent(node.shape[0]))
        if isinstance(node, Window):
            grid = np.indices([extent(d) for d in node.shape])
            places = sum(extent(a) * g for a, g in zip(node.strides, grid[1:], strict=True)) + extent(node.offset)
            return (grid[0] == places).astype(float)
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
        args = [value(arg) for arg in node.args] or [extent(n) for n in node.params]
        return FUNCTIONS[node.op.name](*args)

    return fold(root, combine)
