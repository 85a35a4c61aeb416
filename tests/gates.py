"""A file as students hand it in: gates, layers, losses with their gradients, and some that are wrong."""

import numpy as np


class MultiplyGate:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        dx = self.y * dz
        dy = self.x * dz
        return [dx, dy]


class SwappedGate(MultiplyGate):
    def backward(self, dz):
        dx = self.x * dz
        dy = self.y * dz
        return [dx, dy]


class Hidden:
    """A layer with a ReLU."""

    def forward(self, X, W, b):
        self.X, self.W = X, W
        self.h = np.maximum(0, X @ W + b)
        return self.h

    def backward(self, dout):
        dh = dout.copy()
        dh[self.h <= 0] = 0
        return {"X": dh @ self.W.T, "W": self.X.T @ dh, "b": dh.sum(axis=0)}


class Linear:
    """A layer that is made with its weights, and keeps their gradients."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return self.W @ x + self.b

    def backward(self, dout):
        self.dW = np.outer(dout, self.x)
        self.db = dout
        return self.W.T @ dout


def square(W, x):
    """W: (m, n), x: (n,)"""
    return np.sum((W @ x) ** 2)


def square_gradient(W, x):
    return 2 * np.outer(W @ x, x)


def square_half(W, x):
    return np.outer(W @ x, x)


def affine(X, W, b):
    D = X @ W + b
    dW = 2 * X.T.dot(D)
    db = D.sum(0)
    return dW, db


def softmax_loss(W, X, y, reg):
    """
    Softmax loss, vectorised.

    Inputs:
    - W: An array of shape (D, C) containing weights.
    - X: An array of shape (N, D) containing examples.
    - y: An array of shape (N,) containing labels.
    - reg: (float) regularization strength
    """
    count = X.shape[0]
    scores = X.dot(W)
    scores -= np.max(scores, axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[np.arange(count), y])) / count + reg * np.sum(W * W)
    dscores = probs
    dscores[range(count), y] -= 1
    dscores /= count
    dW = X.T.dot(dscores)
    dW += 2 * reg * W
    return loss, dW


def by_loop(W, x):
    dW = np.zeros_like(W)
    q = W @ x
    for i in range(len(q)):
        dW[i] = 2 * q[i] * x
    return dW


def by_counting(W, x):
    dW, k = np.zeros_like(W), 0
    for q in W @ x:
        dW[k] = 2 * q * x
        k += 1  # noqa: SIM113 - as beginners count
    return dW
