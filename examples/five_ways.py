"""One gradient in five ways: by hand, symbolically, numerically, and by automatic differentiation in both modes.

The function is the vectorised example of the lectures, f(x, W) = ‖W x‖² at W = [[0.1, 0.5], [-0.3, 0.8]],
x = [0.2, 0.4], whose gradient by W is [[0.088, 0.176], [0.104, 0.208]].

Run it: `python examples/five_ways.py`
"""

import jax
import numpy as np

import symgrad as sg

W = np.array([[0.1, 0.5], [-0.3, 0.8]])
x = np.array([0.2, 0.4])


def f(W, x):
    q = W @ x
    return (q * q).sum()


def by_hand():
    """∇_W f = 2 q xᵀ, from the slide."""
    return 2 * np.outer(W @ x, x)


def symbolic():
    """The formula that symgrad derives, compiled."""
    return sg.compile(sg.gradient("||W x||^2", "W"))(W=W, x=x)


def numerical(step=1e-6):
    """Central differences: two evaluations of f an entry."""
    gradient = np.zeros_like(W)
    for index in np.ndindex(*W.shape):
        change = np.zeros_like(W)
        change[index] = step
        gradient[index] = (f(W + change, x) - f(W - change, x)) / (2 * step)
    return gradient


def forward_mode():
    """One column of the Jacobian an entry of W."""
    return np.asarray(jax.jacfwd(f)(W, x))


def reverse_mode():
    """All entries in one backward pass."""
    return np.asarray(jax.grad(f)(W, x))


def main():
    expected = np.array([[0.088, 0.176], [0.104, 0.208]])
    print(f"f = {f(W, x):.3f}")
    for way in (by_hand, symbolic, numerical, forward_mode, reverse_mode):
        found = way()
        error = np.max(np.abs(found - expected)) / np.max(np.abs(expected))
        print(f"{way.__name__:14} {np.round(found, 4).tolist()}   relative error {error:.1e}")
        assert error < 1e-6


if __name__ == "__main__":
    main()
