"""Gradients as a good practitioner writes them by hand, and the losses that `jax.grad` is given.

Contract: `CASES` has every function of the catalog, at least by one variable.  `gradient` is NumPy, `loss` is JAX; both
have the variables' names as parameters and are written for speed and clarity without a look at what symgrad emits.  A
scalar function runs on a batch of numbers, entry by entry, and its loss is their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any

#: The sizes of the lectures' two-layer network: examples, inputs, hidden units, classes.  The other letters follow.
SIZES = {"N": 1024, "D": 1000, "H": 100, "C": 10} | dict.fromkeys("nd", 1000) | dict.fromkeys("mpkhKO", 100)
SIZES |= {"H_1": 100, "H_2": 100}


@dataclass(frozen=True)
class Case:
    """The derivative of the catalog's function `name` by `wrt`: by hand in NumPy, and the loss in JAX."""

    name: str
    wrt: str
    gradient: Callable[..., Array]
    loss: Callable[..., Array]


# --- what several of them share --------------------------------------------------------------------------------------


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def slope(p: Array) -> Array:
    """The derivative of the sigmoid, from its value."""
    return p * (1 - p)


def probabilities(scores: Array) -> Array:
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


def cross_entropy_error(scores: Array, y: Array) -> Array:
    """The gradient of the softmax loss by the scores: of one example, or the mean over rows."""
    error = probabilities(scores)
    if scores.ndim == 1:
        error[y] -= 1
        return error
    error[range(len(y)), y] -= 1
    error /= len(y)
    return error


def hinge_error(scores: Array, y: Array) -> Array:
    """The gradient of the hinge loss by the scores: of one example, or the mean over rows."""
    if scores.ndim == 1:
        error = (scores - scores[y] + 1 > 0).astype(float)
        error[y] = 0
        error[y] = -error.sum()
        return error
    rows = range(len(y))
    error = (scores - scores[rows, y][:, None] + 1 > 0).astype(float)
    error[rows, y] = 0
    error[rows, y] = -error.sum(axis=1)
    error /= len(y)
    return error


def cross_entropy(scores: Array, y: Array) -> Array:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), y[..., None], axis=-1))


def hinge(scores: Array, y: Array) -> Array:
    right = jnp.take_along_axis(scores, y[..., None], axis=-1)
    return jnp.mean(jnp.sum(jnp.maximum(0, scores - right + 1), axis=-1)) - 1


def log_likelihood(y: Array, z: Array) -> Array:
    return jnp.sum(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z))


# --- gradients of more than a line -----------------------------------------------------------------------------------


def sigmoid_net(g: Array, W_3: Array, W_2: Array, W_1: Array, x: Array, b_1: Array, b_2: Array, b_3: Array) -> Array:
    h_1 = sigmoid(W_1 @ x + b_1)
    h_2 = sigmoid(W_2 @ h_1 + b_2)
    d_2 = W_3.T @ g * slope(h_2)
    return np.outer(W_2.T @ d_2 * slope(h_1), x)


def three_layer(g: Array, W_3: Array, W_2: Array, W_1: Array, x: Array) -> Array:
    z_1 = W_1 @ x
    z_2 = W_2 @ np.maximum(0, z_1)
    return np.outer(W_2.T @ (W_3.T @ g * (z_2 > 0)) * (z_1 > 0), x)


def two_layer_softmax(W_1: Array, W_2: Array, x: Array, y: Array) -> Array:
    h = np.maximum(0, W_1 @ x)
    dh = W_2.T @ cross_entropy_error(W_2 @ h, y)
    return np.outer(dh * (h > 0), x)


def two_layer_squares(x: Array, w_1: Array, w_2: Array, y: Array) -> Array:
    h = sigmoid(x @ w_1)
    error = 2 * (h @ w_2 - y)
    return x.T @ (error @ w_2.T * slope(h))


def backpropagation(U: Array, V: Array, w: Array, x: Array, y: Array) -> Array:
    a_2 = sigmoid(U @ x)
    a_3 = sigmoid(V @ a_2)
    delta_4 = y - sigmoid(w @ a_3)
    delta_3 = w * delta_4 * slope(a_3)
    return np.outer(V.T @ delta_3 * slope(a_2), x)


def two_paths(v: Array, U: Array, w: Array, x: Array, y: Array) -> Array:
    h_1 = sigmoid(w @ x)
    h_2 = sigmoid(U @ h_1)
    dh_2 = (v @ h_2 - y) * v * slope(h_2)
    return np.outer(U.T @ dh_2 * slope(h_1), x)


def autoencoder(x: Array, B: Array, A: Array) -> Array:
    h = sigmoid(A @ x)
    return np.outer(2 * (B.T @ (B @ h - x)) * slope(h), x)


def sparse_autoencoder(x: Array, B: Array, A: Array, lam: Array) -> Array:
    h = sigmoid(A @ x)
    return np.outer((2 * (B.T @ (B @ h - x)) + lam) * slope(h), x)


def tied_autoencoder(x: Array, V: Array) -> Array:
    code = V.T @ x
    error = x - V @ code
    return -2 * (np.outer(error, code) + np.outer(x, V.T @ error))


def linear_autoencoder(x: Array, B: Array, A: Array) -> Array:
    return np.outer(2 * (B.T @ (B @ (A @ x) - x)), x)


def xnor(x_1: Array, x_2: Array) -> Array:
    a, b = sigmoid(-30 + 20 * x_1 + 20 * x_2), sigmoid(10 - 20 * x_1 - 20 * x_2)
    return slope(sigmoid(-10 + 20 * a + 20 * b)) * 400 * (slope(a) - slope(b))


def softmax_jacobian(s: Array) -> Array:
    p = probabilities(s)
    jacobian = np.outer(-p, p)
    jacobian[np.diag_indices(len(p))] += p
    return jacobian


def hidden_layer(v: Array, W: Array, x: Array, y: Array) -> Array:
    h = sigmoid(W @ x)
    return np.outer((v @ h - y) * v * slope(h), x)


def neuron(w: Array, x: Array, b: Array) -> Array:
    return slope(sigmoid(w @ x + b)) * x


def sigmoid_neuron(w_0: Array, x_0: Array, w_1: Array, x_1: Array, w_2: Array) -> Array:
    return slope(sigmoid(w_0 * x_0 + w_1 * x_1 + w_2)) * x_0


CASES = [
    # scores and layers
    Case("linear-score", "x", lambda W, x: W, lambda W, x: W @ x),
    Case("affine-score", "W", lambda g, W, x, b: np.outer(g, x), lambda g, W, x, b: g @ (W @ x + b)),
    Case(
        "linear-only",
        "W_1",
        lambda g, W_2, W_1, x: np.outer(W_2.T @ g, x),
        lambda g, W_2, W_1, x: g @ (W_2 @ (W_1 @ x)),
    ),
    Case(
        "two-layer",
        "x",
        lambda W_2, W_1, x: (W_2 * (W_1 @ x > 0)) @ W_1,
        lambda W_2, W_1, x: W_2 @ jnp.maximum(0, W_1 @ x),
    ),
    Case(
        "two-layer-vjp",
        "W_1",
        lambda g, W_2, W_1, x: np.outer(W_2.T @ g * (W_1 @ x > 0), x),
        lambda g, W_2, W_1, x: g @ (W_2 @ jnp.maximum(0, W_1 @ x)),
    ),
    Case(
        "three-layer",
        "W_1",
        three_layer,
        lambda g, W_3, W_2, W_1, x: g @ (W_3 @ jnp.maximum(0, W_2 @ jnp.maximum(0, W_1 @ x))),
    ),
    Case(
        "sigmoid-net",
        "W_1",
        sigmoid_net,
        lambda g, W_3, W_2, W_1, x, b_1, b_2, b_3: (
            g @ (W_3 @ jax.nn.sigmoid(W_2 @ jax.nn.sigmoid(W_1 @ x + b_1) + b_2) + b_3)
        ),
    ),
    Case(
        "dense-layer",
        "x",
        lambda Theta, x: slope(sigmoid(Theta @ x))[:, None] * Theta,
        lambda Theta, x: jax.nn.sigmoid(Theta @ x),
    ),
    Case("matrix-product", "W", lambda G, X, W: X.T @ G, lambda G, X, W: jnp.sum(G * (X @ W))),
    Case("relu-vjp", "x", lambda g, x: g * (x > 0), lambda g, x: g @ jnp.maximum(0, x)),
    Case("relu-vector", "x", lambda x: np.diag((x > 0).astype(float)), lambda x: jnp.maximum(0, x)),
    Case("softmax", "s", softmax_jacobian, lambda s: jax.nn.softmax(s)),
    # losses
    Case("softmax-loss-scores", "s", lambda s, y: cross_entropy_error(s, y), lambda s, y: cross_entropy(s, y)),
    Case(
        "softmax-loss",
        "W",
        lambda W, x, y: np.outer(cross_entropy_error(W @ x, y), x),
        lambda W, x, y: cross_entropy(W @ x, y),
    ),
    Case(
        "softmax-loss-batch",
        "W",
        lambda X, W, y, lam: cross_entropy_error(X @ W.T, y).T @ X + 2 * lam * W,
        lambda X, W, y, lam: cross_entropy(X @ W.T, y) + lam * jnp.sum(W**2),
    ),
    Case(
        "softmax-loss-columns",
        "W",
        lambda X, W, y, lam: X.T @ cross_entropy_error(X @ W, y) + 2 * lam * W,
        lambda X, W, y, lam: cross_entropy(X @ W, y) + lam * jnp.sum(W**2),
    ),
    Case("svm-loss-scores", "s", lambda s, y: hinge_error(s, y), lambda s, y: hinge(s, y)),
    Case("svm-loss", "W", lambda W, x, y: np.outer(hinge_error(W @ x, y), x), lambda W, x, y: hinge(W @ x, y)),
    Case(
        "svm-loss-batch",
        "W",
        lambda W, x, y, lam: hinge_error(x @ W.T, y).T @ x + 2 * lam * W,
        lambda W, x, y, lam: hinge(x @ W.T, y) + lam * jnp.sum(W**2),
    ),
    Case(
        "mse",
        "theta",
        lambda X, theta, y: X.T @ (X @ theta - y) * (2 / len(y)),
        lambda X, theta, y: jnp.mean((X @ theta - y) ** 2),
    ),
    Case("sse", "yhat", lambda y, yhat: 2 * (yhat - y), lambda y, yhat: jnp.sum((y - yhat) ** 2)),
    Case("delta-rule", "w", lambda t, X, w: X.T @ (X @ w - t), lambda t, X, w: 0.5 * jnp.sum((t - X @ w) ** 2)),
    Case(
        "ridge",
        "w",
        lambda X, w, y, lam: X.T @ (X @ w - y) * (2 / len(y)) + 2 * lam * w,
        lambda X, w, y, lam: jnp.mean((X @ w - y) ** 2) + lam * jnp.sum(w**2),
    ),
    Case(
        "log-likelihood",
        "theta",
        lambda theta, x, y: (y - sigmoid(theta @ x)) * x,
        lambda theta, x, y: log_likelihood(y, theta @ x),
    ),
    Case("cross-entropy", "z", lambda y, z: sigmoid(z) - y, lambda y, z: -log_likelihood(y, z)),
    Case(
        "logistic-regression",
        "w",
        lambda X, w, y: X.T @ (sigmoid(X @ w) - y),
        lambda X, w, y: -log_likelihood(y, X @ w),
    ),
    Case("l2", "W", lambda W: 2 * W, lambda W: jnp.sum(W**2)),
    Case("l1", "W", lambda W: np.sign(W), lambda W: jnp.sum(jnp.abs(W))),
    Case(
        "elastic-net", "W", lambda W, beta: 2 * beta * W + np.sign(W), lambda W, beta: jnp.sum(beta * W**2 + jnp.abs(W))
    ),
    # activations
    Case("sigmoid", "x", lambda x: slope(sigmoid(x)), lambda x: jnp.sum(jax.nn.sigmoid(x))),
    Case("tanh", "x", lambda x: 1 - np.tanh(x) ** 2, lambda x: jnp.sum(jnp.tanh(x))),
    Case(
        "tanh-exp",
        "x",
        lambda x: 1 - ((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))) ** 2,
        lambda x: jnp.sum((jnp.exp(x) - jnp.exp(-x)) / (jnp.exp(x) + jnp.exp(-x))),
    ),
    Case("relu", "x", lambda x: (x > 0).astype(float), lambda x: jnp.sum(jnp.maximum(0, x))),
    Case("leaky-relu", "x", lambda x: np.where(x > 0, 1, 0.01), lambda x: jnp.sum(jnp.maximum(0.01 * x, x))),
    Case("leaky-relu-overview", "x", lambda x: np.where(x > 0, 1, 0.1), lambda x: jnp.sum(jnp.maximum(0.1 * x, x))),
    Case(
        "prelu",
        "z",
        lambda z, alpha: np.where(z > 0, 1, alpha),
        lambda z, alpha: jnp.sum(jnp.maximum(0, z) + alpha * jnp.minimum(0, z)),
    ),
    Case(
        "prelu-max",
        "x",
        lambda x, alpha: np.where(alpha * x > x, alpha, 1),
        lambda x, alpha: jnp.sum(jnp.maximum(alpha * x, x)),
    ),
    Case(
        "prelu-cases",
        "z",
        lambda z, alpha: np.where(z >= 0, 1, alpha),
        lambda z, alpha: jnp.sum(jnp.where(z >= 0, z, alpha * z)),
    ),
    Case(
        "elu",
        "x",
        lambda x, alpha: np.where(x > 0, 1, alpha * np.exp(x)),
        lambda x, alpha: jnp.sum(jnp.where(x > 0, x, alpha * jnp.expm1(x))),
    ),
    Case(
        "selu",
        "x",
        lambda x, lam, alpha: lam * np.where(x > 0, 1, alpha * np.exp(x)),
        lambda x, lam, alpha: jnp.sum(lam * jnp.where(x > 0, x, alpha * jnp.expm1(x))),
    ),
    Case("softplus", "x", lambda x: sigmoid(x), lambda x: jnp.sum(jnp.logaddexp(x, 0))),
    Case("hard-tanh", "x", lambda x: (np.abs(x) < 1).astype(float), lambda x: jnp.sum(jnp.clip(x, -1, 1))),
    Case("arctan", "x", lambda x: 1 / (1 + x**2), lambda x: jnp.sum(jnp.arctan(x))),
    Case(
        "lecun-tanh",
        "x",
        lambda x: 1.7159 * 2 / 3 * (1 - np.tanh(2 / 3 * x) ** 2),
        lambda x: jnp.sum(1.7159 * jnp.tanh(2 / 3 * x)),
    ),
    Case(
        "maxout",
        "w_1",
        lambda w_1, w_2, x, b_1, b_2: x * (w_1 @ x + b_1 > w_2 @ x + b_2),
        lambda w_1, w_2, x, b_1, b_2: jnp.maximum(w_1 @ x + b_1, w_2 @ x + b_2),
    ),
    # circuits
    Case("add-multiply", "x", lambda x, y, z: z, lambda x, y, z: jnp.sum((x + y) * z)),
    Case(
        "sigmoid-neuron",
        "w_0",
        sigmoid_neuron,
        lambda w_0, x_0, w_1, x_1, w_2: jnp.sum(jax.nn.sigmoid(w_0 * x_0 + w_1 * x_1 + w_2)),
    ),
    Case("neuron", "w", neuron, lambda w, x, b: jax.nn.sigmoid(w @ x + b)),
    Case(
        "logistic-node",
        "theta",
        lambda theta, x: slope(sigmoid(theta @ x)) * x,
        lambda theta, x: jax.nn.sigmoid(theta @ x),
    ),
    Case(
        "autodiff",
        "x_1",
        lambda x_1, x_2: 1 / x_1 + x_2,
        lambda x_1, x_2: jnp.sum(jnp.log(x_1) + x_1 * x_2 - jnp.sin(x_2)),
    ),
    Case(
        "product-plus-sine",
        "x_1",
        lambda x_1, x_2: x_2 + np.cos(x_1),
        lambda x_1, x_2: jnp.sum(x_1 * x_2 + jnp.sin(x_1)),
    ),
    Case("polynomial", "x", lambda x, y: 6 * x * y, lambda x, y: jnp.sum(3 * x**2 * y)),
    Case(
        "chain", "x", lambda x: 2 * x * np.exp(x**2) * np.cos(np.exp(x**2)), lambda x: jnp.sum(jnp.sin(jnp.exp(x**2)))
    ),
    Case(
        "and-gate",
        "x_1",
        lambda x_1, x_2: 20 * slope(sigmoid(-30 + 20 * x_1 + 20 * x_2)),
        lambda x_1, x_2: jnp.sum(jax.nn.sigmoid(-30 + 20 * x_1 + 20 * x_2)),
    ),
    Case(
        "xnor",
        "x_1",
        xnor,
        lambda x_1, x_2: jnp.sum(
            jax.nn.sigmoid(
                -10 + 20 * jax.nn.sigmoid(-30 + 20 * x_1 + 20 * x_2) + 20 * jax.nn.sigmoid(10 - 20 * x_1 - 20 * x_2)
            )
        ),
    ),
    Case("exp-gate", "x", lambda x: np.exp(x), lambda x: jnp.sum(jnp.exp(x))),
    Case("scale-gate", "x", lambda a, x: a, lambda a, x: jnp.sum(a * x)),
    Case("reciprocal-gate", "x", lambda x: -1 / x**2, lambda x: jnp.sum(1 / x)),
    Case("shift-gate", "x", lambda c, x: 1.0, lambda c, x: jnp.sum(c + x)),
    Case("add-gate", "x", lambda x, y: 1.0, lambda x, y: jnp.sum(x + y)),
    Case("multiply-gate", "x", lambda x, y: y, lambda x, y: jnp.sum(x * y)),
    Case("max-gate", "x", lambda x, y: (x > y).astype(float), lambda x, y: jnp.sum(jnp.maximum(x, y))),
    Case("copy-gate", "x", lambda a, b, x: a + b, lambda a, b, x: jnp.sum(a * x + b * x)),
    Case("sine-gate", "v", lambda v: -np.cos(v), lambda v: jnp.sum(-jnp.sin(v))),
    Case("identity", "x", lambda x: 1.0, lambda x: jnp.sum(x)),
    # norms and products
    Case("wx2", "W", lambda W, x: np.outer(2 * (W @ x), x), lambda W, x: jnp.sum((W @ x) ** 2)),
    Case("wx2", "x", lambda W, x: 2 * (W.T @ (W @ x)), lambda W, x: jnp.sum((W @ x) ** 2)),
    Case("squared-norm", "q", lambda q: 2 * q, lambda q: q @ q),
    Case("dot", "w", lambda w, x: x, lambda w, x: w @ x),
    Case("bilinear", "A", lambda w, A, x: np.outer(w, x), lambda w, A, x: w @ A @ x),
    Case("quadratic", "x", lambda x, A: A @ x + A.T @ x, lambda x, A: x @ A @ x),
    Case("directional", "t", lambda x, t, v: v @ np.cos(x + t * v), lambda x, t, v: jnp.sum(jnp.sin(x + t * v))),
    # networks
    Case(
        "two-layer-squares",
        "w_1",
        two_layer_squares,
        lambda x, w_1, w_2, y: jnp.sum((jax.nn.sigmoid(x @ w_1) @ w_2 - y) ** 2),
    ),
    Case(
        "two-layer-squares",
        "w_2",
        lambda x, w_1, w_2, y: (h := sigmoid(x @ w_1)).T @ (2 * (h @ w_2 - y)),
        lambda x, w_1, w_2, y: jnp.sum((jax.nn.sigmoid(x @ w_1) @ w_2 - y) ** 2),
    ),
    Case(
        "two-layer-softmax",
        "W_1",
        two_layer_softmax,
        lambda W_1, W_2, x, y: cross_entropy(W_2 @ jnp.maximum(0, W_1 @ x), y),
    ),
    Case("linear-autoencoder", "A", linear_autoencoder, lambda x, B, A: jnp.sum((x - B @ (A @ x)) ** 2)),
    Case("tied-autoencoder", "V", tied_autoencoder, lambda x, V: jnp.sum((x - V @ (V.T @ x)) ** 2)),
    Case("autoencoder", "A", autoencoder, lambda x, B, A: jnp.sum((x - B @ jax.nn.sigmoid(A @ x)) ** 2)),
    Case(
        "sparse-autoencoder",
        "A",
        sparse_autoencoder,
        lambda x, B, A, lam: jnp.sum((x - B @ jax.nn.sigmoid(A @ x)) ** 2) + lam * jnp.sum(jax.nn.sigmoid(A @ x)),
    ),
    Case(
        "backpropagation",
        "U",
        backpropagation,
        lambda U, V, w, x, y: log_likelihood(y, w @ jax.nn.sigmoid(V @ jax.nn.sigmoid(U @ x))),
    ),
    Case(
        "two-paths",
        "w",
        two_paths,
        lambda v, U, w, x, y: 0.5 * (v @ jax.nn.sigmoid(U @ jax.nn.sigmoid(w @ x)) - y) ** 2,
    ),
    Case("hidden-layer", "W", hidden_layer, lambda v, W, x, y: 0.5 * (v @ jax.nn.sigmoid(W @ x) - y) ** 2),
]
