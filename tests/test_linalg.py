"""Linear algebra as it is written: determinants between bars, block matrices, matrices on a manifold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symgrad as sg
from symgrad.expr import Node, add, number, postorder, variable
from symgrad.verify.witnesses import double_precision

SIZES = {"m": 3, "n": 2, "p": 4, "n+1": 3, "m+n": 5}

#: What is written, by what it is differentiated, the function as it was read, and the derivative.
DETERMINANTS = [
    (r"\log |K|", "K", "log(det(K))", "inv(K)ᵀ"),
    (r"\log |2\pi K|", "K", "log(det(2 π K))", "inv(K)ᵀ"),
    (r"\tfrac12 \log |K_y|", "K_y", "1/2 log(det(K_y))", "1/2 inv(K_y)ᵀ"),
    (r"K = s I + X X^\top; \log |K|", "X", "log(det(s I + X Xᵀ))", "2 inv(s I + X Xᵀ) X"),
    (
        r"-\frac12 y^\top K_y^{-1} y - \frac12 \log |K_y| - \frac n2 \log 2\pi",
        "K_y",
        "-1/2 yᵀ inv(K_y) y - 1/2 log(det(K_y)) - 1/2 n log(2 π)",
        "1/2 (inv(K_y) y yᵀ inv(K_y) - inv(K_y))ᵀ",
    ),
    (
        r"K_y = K + \sigma^2 I; -\tfrac12 y^\top K_y^{-1} y - \tfrac12 \log |K_y|",
        "y",
        "-1/2 yᵀ inv(K + σ² I) y - 1/2 log(det(K + σ² I))",
        "-1/2 (inv(K + σ² I) + inv(K + σ² I)ᵀ) y",
    ),
    (r"\sum_{k=1}^C \log |\Sigma_k|", "Sigma", "sum(log(det(Σ)))", "[inv(Σ)_{i,k,j}]_{i,j,k}"),
    (r"-\log s_y", "s", "-log(s_y)", "-onehot(y)/s_y"),
]


@pytest.mark.parametrize(("source", "wrt", "read", "derivative"), DETERMINANTS)
def test_bars_around_a_matrix(source: str, wrt: str, read: str, derivative: str) -> None:
    """A capital letter with a label below is a name where only a matrix can stand; s_y of a label is an entry."""
    found = sg.derive(source, wrt=wrt)
    assert (found.function.text, found.result.text) == (read, derivative)


# --- block matrices ---------------------------------------------------------------------------------------------------


class Blocks(NamedTuple):
    """Text and LaTeX, the shapes, what JAX computes (by the first variable), and how the derivative is printed."""

    text: str
    latex: str
    shapes: str
    function: Callable[..., Any]
    printed: str


BLOCKS = [
    Blocks(
        "sum(sin([A, B; C, D]))", r"\operatorname{sum}(\sin\begin{bmatrix} A & B \\ C & D \end{bmatrix})", "A: n n, B: n m, C: m n, D: m m",
        lambda A, B, C, D: jnp.sum(jnp.sin(jnp.block([[A, B], [C, D]]))), "cos(A)",
    ),
    Blocks(
        "log(det([A, B; B^T, D]))", r"\log\begin{vmatrix} A & B \\ B^\top & D \end{vmatrix}", "B: n m, A: n n, D: m m",
        lambda B, A, D: jnp.log(jnp.linalg.det(jnp.block([[A, B], [B.T, D]]))),
        "(inv([A, B; Bᵀ, D])ᵀ)_{1:n,n + 1:m + n} + inv([A, B; Bᵀ, D])_{1:n,n + 1:m + n}",
    ),
    Blocks(
        "z^T [A, b; b^T, c] z", r"z^\top \begin{pmatrix} A & b \\ b^\top & c \end{pmatrix} z", "b: n, A: n n, c:, z: n+1",
        lambda b, A, c, z: z @ jnp.block([[A, b[:, None]], [b[None], c[None, None]]]) @ z, "2 z_{n + 1} z_{1:n}",
    ),
    Blocks(
        "sum(sigmoid([W, b] [x; 1]))", r"\operatorname{sum}(\sigma([W, b] \begin{bmatrix} x \\ 1 \end{bmatrix}))", "b: m, W: m n, x: n",
        lambda b, W, x: jnp.sum(jax.nn.sigmoid(W @ x + b)),
        "sigmoid([W, b] [x; 1]) ⊙ (1 - sigmoid([W, b] [x; 1]))",
    ),
    Blocks(
        "||W hstack(x, y) - z||^2", r"\|W \begin{bmatrix} x \\ y \end{bmatrix} - z\|^2", "x: n, y: m, W: p m+n, z: p",
        lambda x, y, W, z: jnp.sum((W @ jnp.concatenate([x, y]) - z) ** 2), "2 W_{:,1:n}ᵀ (W [x; y] - z)",
    ),
    Blocks(
        "||[A, 0; 0, D] z||^2", r"\|\begin{bmatrix} A & 0 \\ 0 & D \end{bmatrix} z\|^2", "A: n n, D: m m, z: m+n",
        lambda A, D, z: jnp.sum((A @ z[:2]) ** 2) + jnp.sum((D @ z[2:]) ** 2), "2 A z_{1:n} z_{1:n}ᵀ",
    ),
    Blocks(
        "np.sum(np.vstack([A, B]) @ x)", r"\operatorname{sum}(\begin{bmatrix} A \\ B \end{bmatrix} x)", "x: n, A: m n, B: p n",
        lambda x, A, B: jnp.sum(A @ x) + jnp.sum(B @ x), "[A; B]ᵀ ones",
    ),
    Blocks(
        "np.sum(np.concatenate((A, B), axis=1)**3)", r"\sum_{ij} ([A, B])_{ij}^3", "B: m p, A: m n",
        lambda B, A: jnp.sum(A**3) + jnp.sum(B**3), "3 B.^2",
    ),
]  # fmt: skip


def declared(shapes: str) -> dict[str, tuple[str, ...]]:
    """The declared shapes, without those that are calculated."""
    found = {name.strip(): tuple(dims.split()) for name, _, dims in (part.partition(":") for part in shapes.split(","))}
    return {name: dims for name, dims in found.items() if not any("+" in dim for dim in dims)}


@pytest.mark.parametrize("case", BLOCKS, ids=[case.text for case in BLOCKS])
def test_blocks(case: Blocks) -> None:
    """Both notations are one function, whose derivative is printed as blocks and parts and is JAX's."""
    rng = np.random.default_rng(4)
    given = {name.strip(): dims.split() for name, _, dims in (part.partition(":") for part in case.shapes.split(","))}
    at = {name: rng.uniform(0.2, 1, [SIZES[d] for d in dims]) for name, dims in given.items()}
    for name in {"A", "D"} & at.keys():
        at[name] = at[name] + 3 * np.eye(*at[name].shape)
    wrt = next(iter(given))
    with double_precision():
        want = np.asarray(jax.grad(case.function)(*map(jnp.asarray, at.values())))
    shapes = declared(case.shapes)
    functions = [sg.parse(getattr(case, form), shapes=shapes, syntax=form) for form in ("text", "latex")]
    assert functions[0].text == functions[1].text
    for function in functions:
        result = sg.gradient(function, wrt)
        compiled = sg.compile(result)
        got = compiled(**{v.name: at[v.name] for v in compiled.arguments}, **{d: SIZES[d] for d in compiled.sizes})
        assert np.allclose(got, want, rtol=1e-10)
    assert result.text == case.printed
    again = sg.parse(functions[0].latex, shapes=shapes)
    assert again.text == functions[0].text


@pytest.mark.parametrize(
    ("source", "shapes", "told"),
    [
        ("[A, B; C, D]", "A: n n, B: p m, C: m n, D: m m", "do not fit together"),
        ("W [x, y]", "W: m n, x: n, y: n", "columns beside each other"),
        ("[A, 1]", "A: m n", "do not fit together"),
        ("[x, 0; 0, 0]", "x: n", "how large"),
        ("hstack(x, A)", "x: n, A: n n", "needs vectors, or matrices"),
        ("hstack(x)", "x: n", "at least two"),
    ],
)
def test_blocks_that_are_refused(source: str, shapes: str, told: str) -> None:
    with pytest.raises(sg.SymgradError, match=told):
        sg.parse(source, shapes=shapes)


# --- long sums --------------------------------------------------------------------------------------------------------


def residual(depth: int) -> sg.Expr:
    """h ← h + tanh(W h), so many times."""
    layers = [f"h_{k + 1} = h_{k} + tanh(W h_{k})" for k in range(depth)]
    return sg.parse("; ".join([*layers, f"||h_{depth}||^2"]), shapes="W: n n, h_0: n")


def edges(node: Node) -> int:
    return sum(len(part.children) for part in postorder([node]))


@pytest.mark.parametrize("of", [lambda f: f.node, lambda f: sg.gradient(f, "W").node], ids=["function", "gradient"])
def test_residual_networks_share_their_sums(of: Callable[[sg.Expr], Node]) -> None:
    """A layer adds as much to the function and its gradient whatever the depth, for h is not written out in h + f(h)."""
    small, middle, large = (edges(of(residual(depth))) for depth in (12, 24, 48))
    assert large - middle < 2.3 * (middle - small)


def test_long_sums_still_cancel() -> None:
    names = [f"a_{k}" for k in range(15)]
    long = add([variable(name) for name in names])
    both = add([long, variable("b")])
    assert add([both, (-1, long)]) is variable("b")
    assert add([both, (-1, both)]) is number(0)
    assert sg.gradient(f"S = {' + '.join(names)}; S - S^2", "a_2").text == f"1 - 2 ({' + '.join(names)})"
    assert add([long, (2, variable("a_3"))]).terms[3] == (3, variable("a_3"))


# --- printed as a textbook would --------------------------------------------------------------------------------------

READABLE = [
    ("expm(t A)", "t", "A: n n, t:", "A expm(t A)"),
    ("b^T cosm(t A) b", "t", "A: n n, t:, b: n", "-bᵀ A sinm(t A) b"),
    ("chol(t I + A)", "t", "A: n n, t:", "chol(t I + A) halftril(inv(chol(t I + A)) inv(chol(t I + A))ᵀ)"),
    ("[log(x^2), sin(3 x)]", "x", "x:", "[2/x; 3 cos(3 x)]"),
    ("[a, b; c, d] x", "x", "a:, b:, c:, d:, x: 2", "[a, b; c, d]"),
    ("max(tau r, (tau - 1) r)", "r", "tau:, r:", "τ - 1 + 1[r > 0]"),
    ("1/2 sum(exp(v) - v)", "v", "v: n", "1/2 (exp(v) - 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "wrt", "shapes", "printed"), READABLE)
def test_readable(source: str, wrt: str, shapes: str, printed: str) -> None:
    found = sg.jacobian(source, wrt, shapes=shapes)
    assert found.text == printed
    for form in (found.text, found.latex):
        assert sg.parse(form, shapes={name: v.shape for name, v in found.variables.items()}).text == printed
