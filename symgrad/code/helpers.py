"""The small functions that generated NumPy code brings along; their source is copied into it.

They act on the last axis, or entry by entry, and are stable: no overflow, no cancellation, whatever the size of `x`.
Those that are analytic keep to functions that NumPy defines on complex numbers, so that the complex step works on them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg


def sigmoid(x: Any) -> Any:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def log_softmax(x: Any) -> Any:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def logsumexp(x: Any) -> Any:
    largest = x.max(axis=-1)
    return largest + np.log(np.exp(x - largest[..., None]).sum(axis=-1))


def onehot(y: Any, size: int) -> Any:
    return (np.asarray(y)[..., None] == np.arange(size)).astype(float)


def products_of_others(x: Any) -> Any:
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    behind = np.cumprod(np.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)
    return before * behind[..., ::-1]


def argmax(x: Any) -> Any:
    return onehot(x.argmax(axis=-1), x.shape[-1])


def polar(x: Any) -> Any:
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return u @ vt


def eigmax(x: Any) -> Any:
    return np.linalg.eigvalsh((x + x.swapaxes(-1, -2)) / 2)[..., -1]


def eigmin(x: Any) -> Any:
    return np.linalg.eigvalsh((x + x.swapaxes(-1, -2)) / 2)[..., 0]


def maxeigvec(x: Any) -> Any:
    v = np.linalg.eigh((x + x.swapaxes(-1, -2)) / 2)[1][..., -1]
    largest = np.take_along_axis(v, np.abs(v).argmax(axis=-1, keepdims=True), axis=-1)
    return v * np.sign(largest)


def block(x: Any, e: Any) -> Any:
    """[[x, e], [0, x]]: the upper right block of a function of it is the change of that function of x along e."""
    x, e = np.broadcast_arrays(x, e)
    return np.concatenate([np.concatenate([x, e], -1), np.concatenate([np.zeros_like(x), x], -1)], -2)


def power_change(x: Any, k: Any, e: Any) -> Any:
    n = x.shape[-1]
    return np.linalg.matrix_power(block(x, e), k)[..., :n, n:]


def upper_right(x: Any) -> Any:
    n = x.shape[-1] // 2
    return x[..., :n, n:]


def block_twice(x: Any, e: Any, f: Any) -> Any:
    """The upper right block of the upper right block of a function of it is the second change, along e and f."""
    return block(block(x, e), block(f, np.zeros_like(f)))


def power_change2(x: Any, k: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(np.linalg.matrix_power(block_twice(x, e, f), k)))


def expm_change(x: Any, e: Any) -> Any:
    return upper_right(scipy.linalg.expm(block(x, e)))


def expm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(scipy.linalg.expm(block_twice(x, e, f))))


def principal(function: Any, x: Any) -> Any:
    """A function of every matrix of a stack; nan where its principal value is not real."""
    found = np.full(x.shape, np.nan)
    for index in np.ndindex(x.shape[:-2]):
        value = function(x[index])
        if np.abs(np.imag(value)).max() <= 1e-9 * np.abs(value).max():
            found[index] = np.real(value)
    return found


def logm(x: Any) -> Any:
    return principal(scipy.linalg.logm, x)


def logm_change(x: Any, e: Any) -> Any:
    return upper_right(logm(block(x, e)))


def logm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(logm(block_twice(x, e, f))))


def sinm(x: Any) -> Any:
    return np.imag(scipy.linalg.expm(1j * x))


def sinm_change(x: Any, e: Any) -> Any:
    return upper_right(sinm(block(x, e)))


def sinm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(sinm(block_twice(x, e, f))))


def cosm(x: Any) -> Any:
    return np.real(scipy.linalg.expm(1j * x))


def cosm_change(x: Any, e: Any) -> Any:
    return upper_right(cosm(block(x, e)))


def cosm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(cosm(block_twice(x, e, f))))


def chol(a: Any) -> Any:
    return np.linalg.cholesky((a + a.swapaxes(-1, -2)) / 2)


def sqrtm(x: Any) -> Any:
    return principal(scipy.linalg.sqrtm, x)


def sylvester(a: Any, b: Any, c: Any) -> Any:
    solve = np.vectorize(scipy.linalg.solve_sylvester, signature="(m,m),(n,n),(m,n)->(m,n)")
    return solve(a, b, c)


def diagsum(x: Any) -> Any:
    n = x.shape[-1]
    sums = np.stack([np.trace(x, d, -2, -1) for d in range(1 - n, n)], axis=-1)
    return sums[..., np.arange(n) - np.arange(n)[:, None] + n - 1]
