"""Layers and losses in the notation of the papers they come from: read, derived, and equal to JAX's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

import symgrad as sg

SIZES = {"n": 3, "m": 4, "d": 2, "h": 5, "k": 2, "N": 4, "K": 3, "D": 2, "e": 3, "r": 2, "H": 5, "C": 3}


@dataclass(frozen=True)
class Paper:
    """One formula: as printed, the shapes of its names, and the same function in JAX (summed up where it is no scalar)."""

    name: str
    source: str
    latex: str
    shapes: dict[str, tuple[str, ...]]
    oracle: Callable[..., Any]
    assume: dict[str, str] = field(default_factory=dict)
    positive: tuple[str, ...] = ()


def _normalised(x: Any, eps: Any, axis: int | None = None) -> Any:
    mean = jnp.mean(x, axis=axis, keepdims=axis is not None)
    return (x - mean) / jnp.sqrt(jnp.mean((x - mean) ** 2, axis=axis, keepdims=axis is not None) + eps)


# fmt: off
PAPERS = (
    Paper("batch normalisation", "Ioffe and Szegedy, 2015, Algorithm 1",
          r"\mu_B = \frac{1}{m} \sum_{i=1}^m x_i, \sigma_B^2 = \frac{1}{m} \sum_{i=1}^m (x_i - \mu_B)^2, \hat{x}_i = \frac{x_i - \mu_B}{\sqrt{\sigma_B^2 + \epsilon}}, y_i = \gamma \hat{x}_i + \beta, L = \sum_i g_i y_i",
          {"x": ("m",), "g": ("m",), "gamma": (), "beta": (), "epsilon": ()},
          lambda x, g, gamma, beta, epsilon: jnp.sum(g * (gamma * _normalised(x, epsilon) + beta)), positive=("epsilon",)),
    Paper("batch normalisation, features", "Ioffe and Szegedy, 2015",
          r"\mu_j = \frac{1}{N} \sum_{i=1}^N X_{ij}, v_j = \frac{1}{N}\sum_{i=1}^N (X_{ij}-\mu_j)^2, L = \sum_{i,j} G_{ij} \left(\gamma_j \frac{X_{ij}-\mu_j}{\sqrt{v_j+\epsilon}} + \beta_j\right)",
          {"X": ("N", "D"), "G": ("N", "D"), "gamma": ("D",), "beta": ("D",), "epsilon": ()},
          lambda X, G, gamma, beta, epsilon: jnp.sum(G * (gamma * _normalised(X, epsilon, 0) + beta)), positive=("epsilon",)),
    Paper("layer normalisation", "Ba, Kiros and Hinton, 2016, equations 3 and 4",
          r"h = \frac{g}{\sigma} \odot (a - \mu) + b, \mu = \frac{1}{H}\sum_{i=1}^H a_i, \sigma = \sqrt{\frac{1}{H}\sum_{i=1}^H (a_i-\mu)^2}",
          {"a": ("H",), "g": ("H",), "b": ("H",)}, lambda a, g, b: g * _normalised(a, 0) + b),
    Paper("RMS normalisation", "Zhang and Sennrich, 2019, equation 4",
          r"\bar{a}_i = \frac{a_i}{\operatorname{RMS}(a)} g_i, \operatorname{RMS}(a) = \sqrt{\frac{1}{n}\sum_{i=1}^n a_i^2}",
          {"a": ("n",), "g": ("n",)}, lambda a, g: a / jnp.sqrt(jnp.mean(a**2)) * g),
    Paper("dropout with a given mask", "Srivastava et al., 2014, section 4", r"g^T W (m \odot \max(0, U x)) / p",
          {"m": ("h",), "U": ("h", "n"), "W": ("k", "h"), "x": ("n",), "g": ("k",), "p": ()},
          lambda m, U, W, x, g, p: g @ W @ (m * jnp.maximum(0, U @ x)) / p, positive=("p",)),
    Paper("attention", "Vaswani et al., 2017, equation 1",
          r"\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\left(\frac{Q K^T}{\sqrt{d}}\right) V",
          {"Q": ("n", "d"), "K": ("m", "d"), "V": ("m", "e")},
          lambda Q, K, V: jax.nn.softmax(Q @ K.T / np.sqrt(2), axis=-1) @ V),
    Paper("attention, by entries", "Vaswani et al., 2017",
          r"a_{ij} = \frac{\exp(q_i^T k_j / \sqrt{d})}{\sum_l \exp(q_i^T k_l/\sqrt{d})}, o_i = \sum_j a_{ij} v_j, L = \sum_i g_i^T o_i",
          {"q": ("n", "d"), "k": ("m", "d"), "v": ("m", "e"), "g": ("n", "e")},
          lambda q, k, v, g: jnp.sum(g * (jax.nn.softmax(q @ k.T / np.sqrt(2), axis=-1) @ v))),
    Paper("GELU", "Hendrycks and Gimpel, 2016", r"x \Phi(x)", {"x": ()}, lambda x: x * norm.cdf(x)),
    Paper("GELU, approximate", "Hendrycks and Gimpel, 2016", r"0.5 x (1 + \tanh[\sqrt{2/\pi}(x + 0.044715 x^3)])",
          {"x": ()}, lambda x: jax.nn.gelu(x, approximate=True)),
    Paper("Swish", "Ramachandran, Zoph and Le, 2017", r"x \sigma(\beta x)", {"x": (), "beta": ()},
          lambda x, beta: x * jax.nn.sigmoid(beta * x)),
    Paper("Mish", "Misra, 2019", r"x \tanh(\ln(1+e^x))", {"x": ()}, lambda x: x * jnp.tanh(jax.nn.softplus(x))),
    Paper("SwiGLU", "Shazeer, 2020, equation 5", r"g^T W_2 (\operatorname{SiLU}(W x) \odot (V x))",
          {"x": ("n",), "W": ("h", "n"), "V": ("h", "n"), "W_2": ("k", "h"), "g": ("k",)},
          lambda x, W, V, W_2, g: g @ W_2 @ (jax.nn.silu(W @ x) * (V @ x))),
    Paper("LoRA", "Hu et al., 2021, equation 3", r"h = W_0 x + B A x, L = \frac{1}{2}\|h - y\|^2",
          {"W_0": ("d", "k"), "B": ("d", "r"), "A": ("r", "k"), "x": ("k",), "y": ("d",)},
          lambda W_0, B, A, x, y: 0.5 * jnp.sum((W_0 @ x + B @ A @ x - y) ** 2)),
    Paper("recurrent step", "Elman, 1990", r"h = \tanh(W h_0 + U x + b), L = \|V h - y\|^2",
          {"W": ("h", "h"), "U": ("h", "n"), "V": ("k", "h"), "h_0": ("h",), "x": ("n",), "b": ("h",), "y": ("k",)},
          lambda W, U, V, h_0, x, b, y: jnp.sum((V @ jnp.tanh(W @ h_0 + U @ x + b) - y) ** 2)),
    Paper("LSTM step", "Hochreiter and Schmidhuber, 1997; Gers et al., 2000",
          r"f = \sigma(W_f x + U_f h), i = \sigma(W_i x + U_i h), o = \sigma(W_o x + U_o h), \tilde{c} = \tanh(W_c x + U_c h), s = f \odot c + i \odot \tilde{c}, L = g^T (o \odot \tanh(s))",
          {"x": ("n",), "h": ("h",), "c": ("h",), "g": ("h",), **{f"W_{g}": ("h", "n") for g in "fioc"}, **{f"U_{g}": ("h", "h") for g in "fioc"}},
          lambda x, h, c, g, W_f, W_i, W_o, W_c, U_f, U_i, U_o, U_c: g @ (jax.nn.sigmoid(W_o @ x + U_o @ h) * jnp.tanh(
              jax.nn.sigmoid(W_f @ x + U_f @ h) * c + jax.nn.sigmoid(W_i @ x + U_i @ h) * jnp.tanh(W_c @ x + U_c @ h)))),
    Paper("autoencoder's Gaussian", "Kingma and Welling, 2014, appendix B",
          r"-\frac{1}{2} \sum_{j=1}^d \left(1 + \log(\sigma_j^2) - \mu_j^2 - \sigma_j^2\right)", {"sigma": ("d",), "mu": ("d",)},
          lambda sigma, mu: -0.5 * jnp.sum(1 + jnp.log(sigma**2) - mu**2 - sigma**2), positive=("sigma",)),
    Paper("Kullback-Leibler divergence", "Kullback and Leibler, 1951", r"D_{KL}(p\|q) = \sum_i p_i \log\frac{p_i}{q_i}",
          {"p": ("n",), "q": ("n",)}, lambda p, q: jnp.sum(p * jnp.log(p / q)), positive=("p", "q")),
    Paper("mixture of Gaussians", "Bishop, 2006, equation 9.14",
          r"\ln p = \sum_{n=1}^N \ln \left\{ \sum_{k=1}^K \pi_k \exp\left(-\frac{1}{2}(x_n - \mu_k)^T \Lambda (x_n-\mu_k)\right)\right\}",
          {"x": ("N", "D"), "mu": ("K", "D"), "pi": ("K",), "Lambda": ("D", "D")},
          lambda x, mu, pi, Lambda: jnp.sum(jnp.log(jnp.exp(-0.5 * jnp.einsum(
              "nkd,de,nke->nk", x[:, None] - mu, Lambda, x[:, None] - mu)) @ pi)), positive=("pi",)),
    Paper("Gaussian process", "Rasmussen and Williams, 2006, equation 2.30",
          r"\log p(y|X) = -\frac{1}{2} y^T K^{-1} y - \frac{1}{2} \log \det K - \frac{n}{2} \log 2\pi", {"K": ("n", "n"), "y": ("n",)},
          lambda K, y: -0.5 * y @ jnp.linalg.inv(K) @ y - 0.5 * jnp.linalg.slogdet(K)[1] - 1.5 * jnp.log(2 * jnp.pi), {"K": "positive_definite"}),
    Paper("InfoNCE", "van den Oord, Li and Vinyals, 2018, equation 4",
          r"-\frac{1}{N}\sum_{i=1}^N \log \frac{\exp(u_i^T v_i/\tau)}{\sum_{j=1}^N \exp(u_i^T v_j/\tau)}",
          {"u": ("N", "d"), "v": ("N", "d"), "tau": ()},
          lambda u, v, tau: -jnp.mean(jnp.diag(jax.nn.log_softmax(u @ v.T / tau, axis=-1))), positive=("tau",)),
    Paper("triplet loss", "Schroff, Kalenichenko and Philbin, 2015", r"\max(\|a - p\|_2^2 - \|a - n\|_2^2 + \alpha, 0)",
          {"a": ("d",), "p": ("d",), "n": ("d",), "alpha": ()},
          lambda a, p, n, alpha: jnp.maximum(jnp.sum((a - p) ** 2) - jnp.sum((a - n) ** 2) + alpha, 0)),
    Paper("focal loss", "Lin et al., 2017, equation 5", r"-\alpha (1 - p)^\gamma \log(p)", {"p": (), "alpha": (), "gamma": ()},
          lambda p, alpha, gamma: -alpha * (1 - p) ** gamma * jnp.log(p), positive=("p",)),
    Paper("label smoothing", "Szegedy et al., 2016", r"-(1-\epsilon) \log p_y - \frac{\epsilon}{K} \sum_{k=1}^K \log p_k, p = \operatorname{softmax}(z)",
          {"z": ("K",), "epsilon": (), "y": ()},
          lambda z, epsilon, y: -(1 - epsilon) * jax.nn.log_softmax(z)[y] - epsilon * jnp.mean(jax.nn.log_softmax(z)), {"y": "label"}),
    Paper("distillation", "Hinton, Vinyals and Dean, 2015", r"-\sum_i q_i \log p_i, p = \operatorname{softmax}(z/T), q = \operatorname{softmax}(v/T)",
          {"z": ("n",), "v": ("n",), "T": ()},
          lambda z, v, T: -jax.nn.softmax(v / T) @ jax.nn.log_softmax(z / T), positive=("T",)),
    Paper("soft-margin SVM", "Cortes and Vapnik, 1995", r"\frac{1}{2}\|w\|^2 + C \sum_i \max(0, 1 - y_i(w^T x_i + b))",
          {"w": ("d",), "x": ("N", "d"), "y": ("N",), "b": ()},
          lambda w, x, y, b, C: 0.5 * w @ w + C * jnp.sum(jnp.maximum(0, 1 - y * (x @ w + b)))),
    Paper("skip-gram with negative sampling", "Mikolov et al., 2013, equation 4", r"-\log \sigma(u_o^T v_c) - \sum_{k=1}^K \log \sigma(-u_k^T v_c)",
          {"v_c": ("d",), "u_o": ("d",), "u": ("K", "d")},
          lambda v_c, u_o, u: -jax.nn.log_sigmoid(u_o @ v_c) - jnp.sum(jax.nn.log_sigmoid(-u @ v_c))),
    Paper("Huber loss", "Huber, 1964", r"\begin{cases} \frac{1}{2} a^2 & \text{for } |a| \le \delta, \\ \delta (|a| - \frac{1}{2}\delta), & \text{otherwise.} \end{cases}",
          {"a": (), "delta": ()}, lambda a, delta: jnp.where(jnp.abs(a) <= delta, a**2 / 2, delta * (jnp.abs(a) - delta / 2)), positive=("delta",)),
    Paper("total variation", "Rudin, Osher and Fatemi, 1992", r"\sum_{i=1}^{n-1} |x_{i+1} - x_i|", {"x": ("n",)},
          lambda x: jnp.sum(jnp.abs(x[1:] - x[:-1]))),
    Paper("residual block", "He et al., 2016", r"y = x + W_2 \operatorname{ReLU}(W_1 x)", {"x": ("n",), "W_1": ("h", "n"), "W_2": ("n", "h")},
          lambda x, W_1, W_2: x + W_2 @ jax.nn.relu(W_1 @ x)),
)
# fmt: on


def draw(paper: Paper, variables: dict[str, Any], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    at = {}
    for name, declared in variables.items():
        shape = tuple(SIZES.get(d, d) for d in declared.shape)
        value = rng.normal(size=shape)
        if "label" in declared.assumptions:
            value = rng.integers(0, 3, shape)
        elif "positive_definite" in declared.assumptions:
            value = value @ value.T + np.eye(len(value))
        at[name] = rng.uniform(0.2, 0.8, shape) if name in paper.positive else value
    return at


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_paper(paper: Paper) -> None:
    """The value, and the derivative by every real variable that is free, are JAX's."""
    e = sg.parse(paper.latex, shapes=paper.shapes, assume=paper.assume, syntax="latex")
    value = sg.compile(e)
    free = [name for name, v in e.variables.items() if not v.assumptions]
    assert free
    derivatives = {name: sg.compile(sg.jacobian(e, name)) for name in free}
    at = draw(paper, e.variables, 0)
    sizes = {d: SIZES[d] for d in SIZES}
    with jax.enable_x64(True):
        known = {name: at[name] for name in e.variables}
        assert np.allclose(value(**known, **{d: sizes[d] for d in value.sizes}), paper.oracle(**known), rtol=1e-10)
        for name, found in derivatives.items():
            fixed = {k: a for k, a in known.items() if k != name}
            want = jax.jacobian(lambda v, name=name, fixed=fixed: paper.oracle(**fixed, **{name: v}))(at[name])
            given = {v.name: at[v.name] for v in found.arguments} | {d: sizes[d] for d in found.sizes}
            assert np.allclose(found(**given), want, rtol=1e-8, atol=1e-10), name


def test_a_wrong_oracle_is_seen() -> None:
    paper = next(p for p in PAPERS if p.name == "Swish")
    e = sg.parse(paper.latex, shapes=paper.shapes, syntax="latex")
    at = draw(paper, e.variables, 0)
    assert not np.allclose(sg.compile(e)(**at), 1.01 * np.asarray(paper.oracle(**at)))
