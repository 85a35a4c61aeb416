"""The small functions that generated PyTorch code brings along, by the names of those of NumPy; see `helpers`."""

from __future__ import annotations

from typing import Any

import torch


def gammafn(x: Any) -> Any:
    reflected = torch.pi / (torch.sin(torch.pi * x) * torch.exp(torch.lgamma(1 - x)))
    return torch.where(x > 0, torch.exp(torch.lgamma(x)), reflected)


def onehot(y: Any, size: int) -> Any:
    return y[..., None] == torch.arange(size, device=y.device)


def products_of_others(x: Any) -> Any:
    ones = torch.ones_like(x[..., :1])
    before = torch.cumprod(torch.cat([ones, x[..., :-1]], dim=-1), dim=-1)
    behind = torch.cumprod(torch.cat([ones, x[..., 1:].flip(-1)], dim=-1), dim=-1)
    return before * behind.flip(-1)


def argmax(x: Any) -> Any:
    return torch.nn.functional.one_hot(x.argmax(dim=-1), x.shape[-1]).to(x)


def polar(x: Any) -> Any:
    u, _, vt = torch.linalg.svd(x, full_matrices=False)
    return u @ vt


def eigmax(x: Any) -> Any:
    return torch.linalg.eigvalsh((x + x.mT) / 2)[..., -1]


def eigmin(x: Any) -> Any:
    return torch.linalg.eigvalsh((x + x.mT) / 2)[..., 0]


def maxeigvec(x: Any) -> Any:
    v = torch.linalg.eigh((x + x.mT) / 2)[1][..., -1]
    largest = torch.take_along_dim(v, v.abs().argmax(dim=-1, keepdim=True), dim=-1)
    return v * torch.sign(largest)


def block(x: Any, e: Any) -> Any:
    """[[x, e], [0, x]]: the upper right block of a function of it is the change of that function of x along e."""
    x, e = torch.broadcast_tensors(x, e)
    return torch.cat([torch.cat([x, e], -1), torch.cat([torch.zeros_like(x), x], -1)], -2)


def power_change(x: Any, k: Any, e: Any) -> Any:
    n = x.shape[-1]
    return torch.linalg.matrix_power(block(x, e), k)[..., :n, n:]


def upper_right(x: Any) -> Any:
    n = x.shape[-1] // 2
    return x[..., :n, n:]


def block_twice(x: Any, e: Any, f: Any) -> Any:
    """The upper right block of the upper right block of a function of it is the second change, along e and f."""
    return block(block(x, e), block(f, torch.zeros_like(f)))


def power_change2(x: Any, k: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(torch.linalg.matrix_power(block_twice(x, e, f), int(k))))


def expm_change(x: Any, e: Any) -> Any:
    return upper_right(torch.linalg.matrix_exp(block(x, e)))


def expm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(torch.linalg.matrix_exp(block_twice(x, e, f))))


def sqrtm(x: Any) -> Any:
    """Denman and Beavers: Y and Z go to the roots of X and of its inverse; nan where that does not converge."""
    size = torch.linalg.matrix_norm(x, keepdim=True)
    unit = x / size
    y, z = unit, torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).expand(x.shape)
    for _ in range(30):
        y, z = (y + torch.linalg.inv(z)) / 2, (z + torch.linalg.inv(y)) / 2
    off = torch.amax(torch.abs(y @ y - unit), dim=(-2, -1), keepdim=True)
    return torch.where(off < 1e-3, torch.sqrt(size) * y, torch.nan)


def logm(x: Any) -> Any:
    """2^8 log(X^(1/2^8)), the logarithm near the identity as the integral of (X - I) (I + t (X - I))^-1."""
    one = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    near = x
    for _ in range(8):
        near = sqrtm(near)
    near = near - one
    nodes = (
        (0.0469100770306680, 0.1184634425280945),
        (0.2307653449471585, 0.2393143352496832),
        (0.5, 0.2844444444444444),
    )
    both = [(s, w) for t, w in nodes for s in {t, 1 - t}]
    return 256 * near @ sum(w * torch.linalg.inv(one + t * near) for t, w in both)


def logm_change(x: Any, e: Any) -> Any:
    return upper_right(logm(block(x, e)))


def logm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(logm(block_twice(x, e, f))))


def sinm(x: Any) -> Any:
    return torch.linalg.matrix_exp(1j * x).imag


def sinm_change(x: Any, e: Any) -> Any:
    return upper_right(sinm(block(x, e)))


def sinm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(sinm(block_twice(x, e, f))))


def cosm(x: Any) -> Any:
    return torch.linalg.matrix_exp(1j * x).real


def cosm_change(x: Any, e: Any) -> Any:
    return upper_right(cosm(block(x, e)))


def cosm_change2(x: Any, e: Any, f: Any) -> Any:
    return upper_right(upper_right(cosm(block_twice(x, e, f))))


def chol(a: Any) -> Any:
    return torch.linalg.cholesky((a + a.mT) / 2)


def sylvester(a: Any, b: Any, c: Any) -> Any:
    """A X + X B = C as one system, A ⊗ I + I ⊗ Bᵀ."""
    m, n = c.shape[-2:]
    rows, columns = (torch.eye(k, dtype=c.dtype, device=c.device) for k in (m, n))
    whole = torch.einsum("...ik,jl->...ijkl", a, columns) + torch.einsum("ik,...lj->...ijkl", rows, b)
    stack = torch.broadcast_shapes(whole.shape[:-4], c.shape[:-2])
    whole, c = whole.expand((*stack, m, n, m, n)), c.expand((*stack, m, n))
    return torch.linalg.solve(whole.reshape((*stack, m * n, m * n)), c.reshape((*stack, m * n, 1))).reshape(
        (*stack, m, n)
    )


def diagsum(x: Any) -> Any:
    n = x.shape[-1]
    sums = torch.stack([torch.diagonal(x, d, -2, -1).sum(-1) for d in range(1 - n, n)], dim=-1)
    return sums[..., torch.arange(n) - torch.arange(n)[:, None] + n - 1]
