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


def expm_change(x: Any, e: Any) -> Any:
    n = x.shape[-1]
    return torch.linalg.matrix_exp(block(x, e))[..., :n, n:]


def diagsum(x: Any) -> Any:
    n = x.shape[-1]
    sums = torch.stack([torch.diagonal(x, d, -2, -1).sum(-1) for d in range(1 - n, n)], dim=-1)
    return sums[..., torch.arange(n) - torch.arange(n)[:, None] + n - 1]
