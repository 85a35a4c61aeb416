"""The small functions that generated JAX code brings along where JAX itself has none; their source is copied into it.

They take stacks of matrices, and JAX differentiates them.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def sqrtm(x: Any) -> Any:
    """Denman and Beavers: Y and Z go to the roots of X and of its inverse; nan where that does not converge."""

    def step(_: Any, pair: Any) -> Any:
        y, z = pair
        return (y + jnp.linalg.inv(z)) / 2, (z + jnp.linalg.inv(y)) / 2

    size = jnp.linalg.norm(x, axis=(-2, -1), keepdims=True)
    unit = x / size
    root, _ = jax.lax.fori_loop(0, 30, step, (unit, jnp.broadcast_to(jnp.eye(x.shape[-1]), x.shape)))
    off = jnp.max(jnp.abs(root @ root - unit), axis=(-2, -1), keepdims=True)
    return jnp.where(off < 1e-3, jnp.sqrt(size) * root, jnp.nan)


def logm(x: Any) -> Any:
    """2^8 log(X^(1/2^8)), the logarithm near the identity as the integral of (X - I) (I + t (X - I))^-1."""
    one = jnp.eye(x.shape[-1])
    near = jax.lax.fori_loop(0, 8, lambda _, y: sqrtm(y), x) - one
    nodes = (
        (0.0469100770306680, 0.1184634425280945),
        (0.2307653449471585, 0.2393143352496832),
        (0.5, 0.2844444444444444),
    )
    both = [(s, w) for t, w in nodes for s in {t, 1 - t}]
    return 256 * near @ sum(w * jnp.linalg.inv(one + t * near) for t, w in both)


def upper_right(function: Any, x: Any, e: Any) -> Any:
    """Of [[f(X), E'], [0, f(X)]] = f([[X, E], [0, X]]) the change E' of f(X) along E."""
    x, e = jnp.broadcast_arrays(x, e)
    n = x.shape[-1]
    return function(jnp.block([[x, e], [0 * x, x]]))[..., :n, n:]


def twice_upper_right(function: Any, x: Any, e: Any, f: Any) -> Any:
    """The second change of f(X), along E and along F: the change of [[f(X), E'], [0, f(X)]] along [[F, 0], [0, F]]."""
    x, e, f = jnp.broadcast_arrays(x, e, f)
    both = jnp.block([[f, 0 * f], [0 * f, f]])
    n = x.shape[-1]
    return upper_right(function, jnp.block([[x, e], [0 * x, x]]), both)[..., :n, n:]


def power_change2(x: Any, k: Any, e: Any, f: Any) -> Any:
    return twice_upper_right(lambda z: jnp.linalg.matrix_power(z, k), x, e, f)


def expm_change(x: Any, e: Any) -> Any:
    return upper_right(jax.scipy.linalg.expm, x, e)


def expm_change2(x: Any, e: Any, f: Any) -> Any:
    return twice_upper_right(jax.scipy.linalg.expm, x, e, f)


def logm_change(x: Any, e: Any) -> Any:
    return upper_right(logm, x, e)


def logm_change2(x: Any, e: Any, f: Any) -> Any:
    return twice_upper_right(logm, x, e, f)


def sinm(x: Any) -> Any:
    return jax.scipy.linalg.expm(1j * x).imag


def sinm_change(x: Any, e: Any) -> Any:
    return upper_right(sinm, x, e)


def sinm_change2(x: Any, e: Any, f: Any) -> Any:
    return twice_upper_right(sinm, x, e, f)


def cosm(x: Any) -> Any:
    return jax.scipy.linalg.expm(1j * x).real


def cosm_change(x: Any, e: Any) -> Any:
    return upper_right(cosm, x, e)


def cosm_change2(x: Any, e: Any, f: Any) -> Any:
    return twice_upper_right(cosm, x, e, f)


def sylvester(a: Any, b: Any, c: Any) -> Any:
    """A X + X B = C as one system, A ⊗ I + I ⊗ Bᵀ."""

    def solve(a: Any, b: Any, c: Any) -> Any:
        m, n = c.shape
        whole = jnp.kron(a, jnp.eye(n)) + jnp.kron(jnp.eye(m), b.T)
        return jnp.linalg.solve(whole, c.reshape(m * n)).reshape(m, n)

    return jnp.vectorize(solve, signature="(m,m),(n,n),(m,n)->(m,n)")(a, b, c)
