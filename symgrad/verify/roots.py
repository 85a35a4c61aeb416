"""Functions of matrices by their series or their roots, for the witnesses.

Contract: `numpy_series` and `jax_series` give the same functions by different ways: SciPy's Schur decompositions, and
Newton's iteration, which JAX differentiates.  Where the principal value is not real, both are nan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Series = dict[str, Callable[[Any], Any]]


def numpy_series() -> Series:
    import numpy as np
    import scipy.linalg

    def principal(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def each(x: Any) -> Any:
            value = function(x)
            real = np.abs(value.imag).max() <= 1e-9 * np.abs(value).max()
            return value.real if real else np.full(x.shape, np.nan)

        return np.vectorize(each, signature="(n,n)->(n,n)")

    return {
        "expm": scipy.linalg.expm, "logm": principal(scipy.linalg.logm), "sqrtm": principal(scipy.linalg.sqrtm),
        "sinm": lambda x: scipy.linalg.expm(1j * x).imag, "cosm": lambda x: scipy.linalg.expm(1j * x).real,
    }  # fmt: skip


def jax_series() -> Series:
    import jax
    import jax.numpy as jnp
    import jax.scipy.linalg
    import numpy as np

    expm = jax.scipy.linalg.expm

    def sqrtm(x: Any) -> Any:
        """Newton's iteration S ← (S + X S⁻¹)/2, in the stable form with M → I beside it."""
        one = jnp.eye(x.shape[-1])

        def step(_: Any, pair: Any) -> Any:
            root, rest = pair
            inverse = jnp.linalg.inv(rest)
            return root @ (one + inverse) / 2, (one + (rest + inverse) / 2) / 2

        root, rest = jax.lax.fori_loop(0, 40, step, (x, x))
        return jnp.where(jnp.max(jnp.abs(rest - one)) < 1e-6, root, jnp.nan)

    def logm(x: Any) -> Any:
        """log X = 64 log X^(1/64), and that as the integral of (X - I) (I + t (X - I))⁻¹."""
        one = jnp.eye(x.shape[-1])
        for _ in range(6):
            x = sqrtm(x)
        nodes, weights = np.polynomial.legendre.leggauss(12)
        inner = jnp.linalg.inv(one + (nodes[:, None, None] + 1) / 2 * (x - one)[..., None, :, :])
        return 32 * (x - one) @ jnp.einsum("k,...kij->...ij", weights, inner)

    return {
        "expm": expm, "logm": logm, "sqrtm": sqrtm,
        "sinm": lambda x: expm(1j * x).imag, "cosm": lambda x: expm(1j * x).real,
    }  # fmt: skip
