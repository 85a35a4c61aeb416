"""Gradients as a good practitioner writes them by hand, and the losses that `jax.grad` is given.

Contract: one `Case` a gradient.  `gradient` is NumPy, `loss` is JAX; both take the variables by name and are written
for speed and clarity without a look at what symgrad emits.  `name` is the catalog's where the catalog has the function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any

#: The sizes of the lectures' two-layer network: examples, inputs, hidden units, classes.
SIZES = {"N": 1024, "D": 1000, "H": 100, "C": 10}


@dataclass(frozen=True)
class Case:
    """One gradient: of `formula` by `wrt`, by hand in NumPy, and the loss in JAX."""

    name: str
    formula: str
    shapes: str
    wrt: str
    gradient: Callable[..., Array]
    loss: Callable[..., Array]
    assume: str = ""


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


# --- least squares --------------------------------------------------------------------------------------------------


def norm_by_matrix(W: Array, x: Array) -> Array:
    return np.outer(2 * (W @ x), x)


def norm_by_vector(W: Array, x: Array) -> Array:
    return 2 * (W.T @ (W @ x))


def norm_loss(W: Array, x: Array) -> Array:
    return jnp.sum((W @ x) ** 2)


def quadratic(A: Array, x: Array) -> Array:
    return A @ x + A.T @ x


def quadratic_loss(A: Array, x: Array) -> Array:
    return x @ A @ x


def mse(X: Array, w: Array, y: Array) -> Array:
    return X.T @ (X @ w - y) * (2 / len(y))


def mse_loss(X: Array, w: Array, y: Array) -> Array:
    return jnp.mean((X @ w - y) ** 2)


def ridge(X: Array, w: Array, y: Array, lam: Array) -> Array:
    return 2 * (X.T @ (X @ w - y)) + (2 * lam) * w


def ridge_loss(X: Array, w: Array, y: Array, lam: Array) -> Array:
    return jnp.sum((X @ w - y) ** 2) + lam * jnp.sum(w**2)


# --- classifiers ----------------------------------------------------------------------------------------------------


def logistic(X: Array, w: Array, y: Array) -> Array:
    return -(X.T @ (y * sigmoid(-y * (X @ w))))


def logistic_loss(X: Array, w: Array, y: Array) -> Array:
    return jnp.sum(jax.nn.softplus(-y * (X @ w)))


def softmax(W: Array, x: Array, y: int) -> Array:
    scores = W @ x
    dscores = np.exp(scores - scores.max())
    dscores /= dscores.sum()
    dscores[y] -= 1
    return np.outer(dscores, x)


def softmax_loss(W: Array, x: Array, y: Array) -> Array:
    return -jax.nn.log_softmax(W @ x)[y]


def softmax_batch(X: Array, W: Array, y: Array, r: Array) -> Array:
    N = len(X)
    scores = X @ W.T
    dscores = np.exp(scores - scores.max(axis=1, keepdims=True))
    dscores /= dscores.sum(axis=1, keepdims=True)
    dscores[range(N), y] -= 1
    dscores /= N
    return dscores.T @ X + 2 * r * W


def softmax_batch_loss(X: Array, W: Array, y: Array, r: Array) -> Array:
    logp = jax.nn.log_softmax(X @ W.T)
    return -jnp.mean(logp[jnp.arange(len(X)), y]) + r * jnp.sum(W**2)


def svm_batch(X: Array, W: Array, y: Array, r: Array) -> Array:
    N = len(X)
    scores = X @ W.T
    margins = scores - scores[range(N), y][:, None] + 1
    dscores = (margins > 0).astype(X.dtype)
    dscores[range(N), y] = 0
    dscores[range(N), y] = -dscores.sum(axis=1)
    dscores /= N
    return dscores.T @ X + 2 * r * W


def svm_batch_loss(X: Array, W: Array, y: Array, r: Array) -> Array:
    rows = jnp.arange(len(X))
    scores = X @ W.T
    margins = jnp.maximum(0, scores - scores[rows, y][:, None] + 1).at[rows, y].set(0)
    return jnp.mean(jnp.sum(margins, axis=1)) + r * jnp.sum(W**2)


# --- networks -------------------------------------------------------------------------------------------------------


def _relu_net(X: Array, W_1: Array, W_2: Array, y: Array) -> tuple[Array, Array]:
    N = len(X)
    hidden = np.maximum(0, X @ W_1)
    scores = hidden @ W_2
    dscores = np.exp(scores - scores.max(axis=1, keepdims=True))
    dscores /= dscores.sum(axis=1, keepdims=True)
    dscores[range(N), y] -= 1
    dscores /= N
    return hidden, dscores


def relu_net_inner(X: Array, W_1: Array, W_2: Array, y: Array) -> Array:
    hidden, dscores = _relu_net(X, W_1, W_2, y)
    dhidden = dscores @ W_2.T
    dhidden[hidden <= 0] = 0
    return X.T @ dhidden


def relu_net_outer(X: Array, W_1: Array, W_2: Array, y: Array) -> Array:
    hidden, dscores = _relu_net(X, W_1, W_2, y)
    return hidden.T @ dscores


def relu_net_loss(X: Array, W_1: Array, W_2: Array, y: Array) -> Array:
    logp = jax.nn.log_softmax(jnp.maximum(0, X @ W_1) @ W_2)
    return -jnp.mean(logp[jnp.arange(len(X)), y])


def twenty_lines_inner(X: Array, W_1: Array, W_2: Array, Y: Array) -> Array:
    h = sigmoid(X @ W_1)
    dpred = 2 * (h @ W_2 - Y)
    return X.T @ (dpred @ W_2.T * h * (1 - h))


def twenty_lines_outer(X: Array, W_1: Array, W_2: Array, Y: Array) -> Array:
    h = sigmoid(X @ W_1)
    return h.T @ (2 * (h @ W_2 - Y))


def twenty_lines_loss(X: Array, W_1: Array, W_2: Array, Y: Array) -> Array:
    return jnp.sum((jax.nn.sigmoid(X @ W_1) @ W_2 - Y) ** 2)


BATCH = "X: N D, W: C D, y: N, r:"
NET = "X: N D, W_1: D H, W_2: H C"
SCORES = r"S = X W^T; L = \frac{1}{N} \sum_{i=1}^N "
CROSS_ENTROPY = r"\left(-\log \frac{e^{S_{i,y_i}}}{\sum_j e^{S_{ij}}}\right)"
HINGE = r"\sum_{j \neq y_i} \max(0, S_{ij} - S_{i,y_i} + 1)"
RELU_NET = rf"S = \max(0, X W_1) W_2; L = \frac{{1}}{{N}} \sum_{{i=1}}^N {CROSS_ENTROPY}"
PENALTY = r"+ r \|W\|_F^2"
TWENTY = r"\|\sigma(X W_1) W_2 - Y\|_F^2"
LABEL = "y: label"

CASES = [
    Case("norm-W", "||W x||^2", "W: H D, x: D", "W", norm_by_matrix, norm_loss),
    Case("norm-x", "||W x||^2", "W: H D, x: D", "x", norm_by_vector, norm_loss),
    Case("quadratic-form", "x^T A x", "A: D D, x: D", "x", quadratic, quadratic_loss),
    Case("mse", "(1/N) ||X w - y||^2", "X: N D, w: D, y: N", "w", mse, mse_loss),
    Case("ridge", "||X w - y||^2 + lam ||w||^2", "X: N D, w: D, y: N, lam:", "w", ridge, ridge_loss),
    Case("logistic", "sum(log(1 + exp(-y .* (X w))))", "X: N D, w: D, y: N", "w", logistic, logistic_loss),
    Case("softmax-one", "-log(softmax(W x)_y)", "W: C D, x: D, y:", "W", softmax, softmax_loss, LABEL),
    Case("softmax-batch", f"{SCORES} {CROSS_ENTROPY} {PENALTY}", BATCH, "W", softmax_batch, softmax_batch_loss, LABEL),
    Case("svm-batch", f"{SCORES} {HINGE} {PENALTY}", BATCH, "W", svm_batch, svm_batch_loss, LABEL),
    Case("relu-net-W1", RELU_NET, f"{NET}, y: N", "W_1", relu_net_inner, relu_net_loss, LABEL),
    Case("relu-net-W2", RELU_NET, f"{NET}, y: N", "W_2", relu_net_outer, relu_net_loss, LABEL),
    Case("twenty-lines-W1", TWENTY, f"{NET}, Y: N C", "W_1", twenty_lines_inner, twenty_lines_loss),
    Case("twenty-lines-W2", TWENTY, f"{NET}, Y: N C", "W_2", twenty_lines_outer, twenty_lines_loss),
]
