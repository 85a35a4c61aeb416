"""Hand-written JAX functions for the catalog: an oracle that shares nothing with symgrad but the name of the entry.

Labels arrive as integers.  `POSITIVE` names the variables that are sampled positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

POSITIVE = {("autodiff", "x_1")}


def _hinge(s: Any, y: Any) -> Any:
    margins = jnp.maximum(0, s - s[y] + 1)
    return jnp.sum(margins.at[y].set(0))


def _reads(outputs: int, reach: int, inputs: int, stride: int = 1, shift: int = 0) -> Any:
    """1 where output i and the filter's place j read input k = stride i + j + shift."""
    i, j, k = np.indices((outputs, reach, inputs))
    return (k == stride * i + j + shift).astype(float)


def _bce(y: Any, p: Any) -> Any:
    return y * jnp.log(p) + (1 - y) * jnp.log(1 - p)


def _softmax_batch(X: Any, W: Any, y: Any, lam: Any) -> Any:
    logits = X @ W.T
    nll = [-jax.nn.log_softmax(logits[i])[y[i]] for i in range(X.shape[0])]
    return sum(nll) / X.shape[0] + lam * jnp.sum(W**2)


def _svm_batch(W: Any, x: Any, y: Any, lam: Any) -> Any:
    losses = [_hinge(W @ x[i], y[i]) for i in range(x.shape[0])]
    return sum(losses) / x.shape[0] + lam * jnp.sum(W * W)


def _sig(x: Any) -> Any:
    return 1 / (1 + jnp.exp(-x))


ORACLES: dict[str, Callable[..., Any]] = {
    "linear-score": lambda W, x: jnp.dot(W, x),
    "affine-score": lambda g, W, x, b: jnp.vdot(g, W @ x + b),
    "linear-only": lambda g, W_2, W_1, x: jnp.vdot(g, W_2 @ (W_1 @ x)),
    "two-layer": lambda W_2, W_1, x: W_2 @ jax.nn.relu(W_1 @ x),
    "two-layer-vjp": lambda g, W_2, W_1, x: jnp.vdot(g, W_2 @ jax.nn.relu(W_1 @ x)),
    "three-layer": lambda g, W_3, W_2, W_1, x: jnp.vdot(g, W_3 @ jax.nn.relu(W_2 @ jax.nn.relu(W_1 @ x))),
    "sigmoid-net": lambda g, W_3, W_2, W_1, x, b_1, b_2, b_3: jnp.vdot(
        g, W_3 @ _sig(W_2 @ _sig(W_1 @ x + b_1) + b_2) + b_3
    ),
    "dense-layer": lambda Theta, x: jnp.stack([_sig(jnp.vdot(row, x)) for row in Theta]),
    "softmax-loss-scores": lambda s, y: -jax.nn.log_softmax(s)[y],
    "softmax-loss": lambda W, x, y: -jax.nn.log_softmax(W @ x)[y],
    "softmax-loss-batch": _softmax_batch,
    "svm-loss-scores": _hinge,
    "svm-loss": lambda W, x, y: _hinge(W @ x, y),
    "svm-loss-batch": _svm_batch,
    "mse": lambda X, theta, y: jnp.mean((X @ theta - y) ** 2),
    "sse": lambda y, yhat: jnp.vdot(y - yhat, y - yhat),
    "delta-rule": lambda t, X, w: 0.5 * jnp.sum((t - X @ w) ** 2),
    "log-likelihood": lambda theta, x, y: _bce(y, _sig(jnp.vdot(theta, x))),
    "cross-entropy": lambda y, z: -_bce(y, _sig(z)),
    "logistic-regression": lambda X, w, y: -jnp.sum(_bce(y, _sig(X @ w))),
    "l2": lambda W: jnp.vdot(W, W),
    "l1": lambda W: jnp.sum(jnp.abs(W)),
    "elastic-net": lambda W, beta: beta * jnp.vdot(W, W) + jnp.sum(jnp.abs(W)),
    "ridge": lambda X, w, y, lam: jnp.mean((X @ w - y) ** 2) + lam * jnp.vdot(w, w),
    "sigmoid": jax.nn.sigmoid,
    "tanh": lambda x: 2 * jax.nn.sigmoid(2 * x) - 1,
    "tanh-exp": lambda x: jnp.tanh(x),
    "relu": lambda x: jnp.where(x > 0, x, 0.0),
    "leaky-relu": lambda x: jnp.where(x > 0, x, 0.01 * x),
    "leaky-relu-overview": lambda x: jnp.where(x > 0, x, 0.1 * x),
    "prelu": lambda z, alpha: jnp.where(z > 0, z, alpha * z),
    "prelu-max": lambda x, alpha: jnp.where(alpha * x > x, alpha * x, x),
    "elu": lambda x, alpha: jnp.where(x > 0, x, alpha * jnp.expm1(x)),
    "selu": lambda x, lam, alpha: lam * jnp.where(x > 0, x, alpha * jnp.expm1(x)),
    "softplus": lambda x: jnp.logaddexp(x, 0.0),
    "hard-tanh": lambda x: jnp.clip(x, -1.0, 1.0),
    "arctan": lambda x: jnp.arctan(x),
    "lecun-tanh": lambda x: 1.7159 * jnp.tanh(2 * x / 3),
    "maxout": lambda w_1, w_2, x, b_1, b_2: jnp.max(jnp.stack([jnp.vdot(w_1, x) + b_1, jnp.vdot(w_2, x) + b_2])),
    "relu-vector": lambda x: jnp.where(x > 0, x, 0.0),
    "add-multiply": lambda x, y, z: x * z + y * z,
    "sigmoid-neuron": lambda w_0, x_0, w_1, x_1, w_2: jax.nn.sigmoid(w_0 * x_0 + w_1 * x_1 + w_2),
    "neuron": lambda w, x, b: jax.nn.sigmoid(jnp.vdot(w, x) + b),
    "autodiff": lambda x_1, x_2: jnp.log(x_1) + x_1 * x_2 - jnp.sin(x_2),
    "product-plus-sine": lambda x_1, x_2: x_1 * x_2 + jnp.sin(x_1),
    "polynomial": lambda x, y: 3 * x * x * y,
    "chain": lambda x: jnp.sin(jnp.exp(x * x)),
    "and-gate": lambda x_1, x_2: jax.nn.sigmoid(20 * (x_1 + x_2) - 30),
    "wx2": lambda W, x: jnp.sum(jnp.square(W @ x)),
    "squared-norm": lambda q: jnp.vdot(q, q),
    "dot": lambda w, x: jnp.sum(w * x),
    "bilinear": lambda w, A, x: jnp.einsum("i,ij,j", w, A, x),
    "quadratic": lambda x, A: jnp.einsum("i,ij,j", x, A, x),
    "matrix-product": lambda G, X, W: jnp.sum(G * (X @ W)),
    "two-layer-squares": lambda x, w_1, w_2, y: jnp.sum((_sig(x @ w_1) @ w_2 - y) ** 2),
    "two-layer-softmax": lambda W_1, W_2, x, y: -jax.nn.log_softmax(W_2 @ jax.nn.relu(W_1 @ x))[y],
    "linear-autoencoder": lambda x, B, A: jnp.sum((x - B @ (A @ x)) ** 2),
    "tied-autoencoder": lambda x, V: jnp.sum((x - V @ (V.T @ x)) ** 2),
    "autoencoder": lambda x, B, A: jnp.sum((x - B @ _sig(A @ x)) ** 2),
    "sparse-autoencoder": lambda x, B, A, lam: (
        jnp.sum((x - B @ _sig(A @ x)) ** 2) + lam * jnp.sum(jnp.abs(_sig(A @ x)))
    ),
    "backpropagation": lambda U, V, w, x, y: _bce(y, _sig(jnp.vdot(w, _sig(V @ _sig(U @ x))))),
    "two-paths": lambda v, U, w, x, y: 0.5 * (jnp.vdot(v, _sig(U @ _sig(w @ x))) - y) ** 2,
    "exp-gate": lambda x: jnp.exp(x),
    "scale-gate": lambda a, x: a * x,
    "reciprocal-gate": lambda x: 1 / x,
    "shift-gate": lambda c, x: c + x,
    "add-gate": lambda x, y: x + y,
    "multiply-gate": lambda x, y: x * y,
    "max-gate": lambda x, y: jnp.where(x > y, x, y),
    "copy-gate": lambda a, b, x: (a + b) * x,
    "sine-gate": lambda v: -jnp.sin(v),
    "identity": lambda x: x + 0.0,
    "relu-vjp": lambda g, x: jnp.vdot(g, jnp.where(x > 0, x, 0.0)),
    "softmax": lambda s: jnp.exp(s) / jnp.sum(jnp.exp(s)),
    "logistic-node": lambda theta, x: _sig(jnp.vdot(theta, x)),
    "prelu-cases": lambda z, alpha: jnp.where(z >= 0, z, alpha * z),
    "directional": lambda x, t, v: jnp.sum(jnp.sin(x + t * v)),
    "xnor": lambda x_1, x_2: _sig(20 * (_sig(20 * (x_1 + x_2) - 30) + _sig(10 - 20 * (x_1 + x_2))) - 10),
    "hidden-layer": lambda v, W, x, y: 0.5 * (jnp.vdot(v, _sig(W @ x)) - y) ** 2,
    "softmax-loss-columns": lambda X, W, y, lam: _softmax_batch(X, W.T, y, lam),
    "conv1d": lambda g, theta, x: jnp.einsum("ijk,i,j,k", _reads(4, 3, 6), g, theta, x),
    "conv1d-same": lambda theta, a: jnp.einsum("ijk,j,k->i", _reads(4, 3, 4, shift=-1), theta, a),
    "conv1d-stride": lambda g, w, x: jnp.einsum("ijk,i,j,k", _reads(3, 3, 7, stride=2), g, w, x),
    "conv2d": lambda **at: jnp.einsum("iak,jbl,ij,kl,ab", _reads(3, 2, 4), _reads(2, 3, 4), at["G"], at["I"], at["K"]),
    "conv2d-channels": lambda G, Theta, x: jnp.einsum(
        "iak,jbl,ij,abc,klc", _reads(2, 2, 3), _reads(2, 2, 3), G, Theta, x
    ),
    "average-pooling": lambda g, x: jnp.vdot(g, x.reshape(-1, 2).mean(axis=1)),
    "max-pooling": lambda g, x: jnp.vdot(g, x.reshape(-1, 2).max(axis=1)),
}
