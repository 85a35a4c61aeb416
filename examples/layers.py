"""Layers in NumPy with their gradients, as one hands them in; and what symgrad reads in them.

On the command line: `symgrad check examples/layers.py:softmax_loss` judges the gradient that the function returns, and
`symgrad derive examples/layers.py:softmax_loss --wrt W` derives it.
"""

import numpy as np


class MultiplyGate:
    """The gate z = x y of the lectures."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        dx = self.y * dz
        dy = self.x * dz
        return [dx, dy]


def softmax_loss(W, X, y, reg):
    """
    - W: weights of shape (D, C)
    - X: examples of shape (N, D)
    - y: labels of shape (N,)
    - reg: (float) strength of the regularisation
    """
    count = len(X)
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(probabilities[np.arange(count), y])) + reg * np.sum(W * W)
    dscores = probabilities.copy()
    dscores[np.arange(count), y] -= 1
    dW = X.T @ dscores / count + 2 * reg * W
    return loss, dW


if __name__ == "__main__":
    import symgrad as sg

    print(sg.parse(softmax_loss).text)
    print(sg.gradient(softmax_loss, "W").text)
