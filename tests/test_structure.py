"""Structured variables: the derivative by independent entries, against JAX through an explicit parameterisation."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symgrad as sg
from symgrad.calculus import structure
from symgrad.simplify.symmetry import symmetric
from symgrad.verify import Subject, check_gradient

N = 4
RNG = np.random.default_rng(8)
A, S = RNG.normal(size=(N, N)), RNG.normal(size=(N, N))
x = RNG.normal(size=N)
D = np.arange(N)[None, :] - np.arange(N)[:, None]
LOWER = np.tril_indices(N)


def symmetric_from(p: Any) -> Any:
    low = jnp.zeros((N, N)).at[LOWER].set(p)
    return low + jnp.tril(low, -1).T


#: For every structure: how many parameters it has, and the matrix they make.
MAKE: dict[str, tuple[int, Any]] = {
    "symmetric": (N * (N + 1) // 2, symmetric_from),
    "positive_definite": (N * (N + 1) // 2, lambda p: symmetric_from(p) + 9 * jnp.eye(N)),
    "diagonal": (N, jnp.diag),
    "toeplitz": (2 * N - 1, lambda p: p[D + N - 1]),
    "symmetric + toeplitz": (N, lambda p: p[abs(D)]),
    "lower_triangular": (N * (N + 1) // 2, lambda p: jnp.zeros((N, N)).at[LOWER].set(p)),
}
FUNCTIONS: dict[str, Any] = {
    "tr(A X)": lambda X: jnp.trace(A @ X),
    "x^T X x": lambda X: x @ X @ x,
    "||X A x||^2": lambda X: jnp.sum((X @ A @ x) ** 2),
    "sum(exp(X) .* A)": lambda X: jnp.sum(jnp.exp(X) * A),
    "tr(X A X)": lambda X: jnp.trace(X @ A @ X),
}


@pytest.mark.parametrize("words", MAKE)
@pytest.mark.parametrize("source", FUNCTIONS)
def test_against_the_parameters(source: str, words: str) -> None:
    """Every entry of the derivative is that by the parameter that stands there."""
    count, make = MAKE[words]
    p = RNG.normal(size=count)
    with jax.enable_x64(True):
        X = np.asarray(make(jnp.asarray(p)))
        by = np.asarray(jax.grad(lambda q: FUNCTIONS[source](make(q)))(jnp.asarray(p)))
        where = np.asarray(jax.jacobian(make)(jnp.asarray(p)))
    found = sg.gradient(source, "X", assume={"X": words})
    at = {"A": A, "x": x, "X": X}
    got = sg.compile(found)(**{name: at[name] for name in found.variables})
    assert np.allclose(got, where @ by, rtol=1e-10)
    direct = sg.derive(source, wrt="X", assume={"X": words})
    assert np.allclose(sg.compile(direct.result)(**{name: at[name] for name in found.variables}), got, rtol=1e-10)


CLAIMS = {
    ("log(det(X))", "positive_definite", "2 inv(X) - inv(X) .* I"): "correct",
    ("log(det(X))", "positive_definite", "inv(X)^T"): "wrong",
    ("log(det(X))", "positive_definite", "2 inv(X)"): "wrong",
    ("tr(A X)", "toeplitz", "diagsum(A^T)"): "correct",
    ("tr(A X)", "toeplitz", "diagsum(A)"): "wrong",
    ("tr(A X)", "symmetric+toeplitz", "a = diagsum(A^T); a + a^T - a .* I"): "correct",
    ("x^T X x", "symmetric", "2 x x^T - diag(x.^2)"): "correct",
    ("x^T X x", "diagonal", "diag(x .* x)"): "correct",
    ("||X x||^2", "lower_triangular", "2 tril(X x x^T)"): "correct",
    ("||X x||^2", "lower_triangular", "2 X x x^T"): "wrong",
}


@pytest.mark.parametrize(("source", "words", "claim"), CLAIMS)
def test_claim(source: str, words: str, claim: str) -> None:
    report = sg.check(source, wrt="X", claim=claim, assume={"X": words})
    assert report.verdict == CLAIMS[source, words, claim], report.reason
    assert {w.name for w in report.witnesses if w.points} >= {"sympy", "numerical", "jax-forward", "jax-reverse"}


@pytest.mark.parametrize(
    ("source", "words", "claim"),
    [
        ("-1/2 y^T inv(X) y - 1/2 log(det(X))", "positive_definite", "1/2 inv(X) y y^T inv(X) - 1/2 inv(X)"),
        ("y^T X y", "symmetric", "y y^T"),
        ("||X y||^2", "lower_triangular", "2 X y y^T"),
    ],
)
def test_a_claim_without_the_structure_is_named(source: str, words: str, claim: str) -> None:
    report = sg.check(source, wrt="X", claim=claim, assume={"X": words})
    assert [finding.code for finding in report.diagnosis] == ["structure"]


@pytest.mark.parametrize("row", structure.STRUCTURES, ids=lambda row: " ".join(sorted(row.words)))
def test_a_wrong_structure_is_caught(row: structure.Structure) -> None:
    """The gradient over independent entries is no gradient by the structured variable: all witnesses see it."""
    function = sg.parse("x^T X A x", assume={"X": "+".join(row.words)})
    free = sg.gradient("x^T X A x", "X", shapes="X: n n, A: n n, x: n")
    report = check_gradient(Subject(function, (function.variable("X"),), free))
    assert report.verdict == "wrong"
    assert not any(w.agrees for w in report.witnesses if w.points)


def test_the_structure_is_a_step() -> None:
    found = sg.derive("x^T X x", wrt="X", assume="X: symmetric")
    assert found.steps[-1].rule == "symmetric variable"
    assert (found.steps[-1].before, found.steps[-1].after) == ("x xᵀ", "2 x xᵀ - diag(x.^2)")
    for form in ("matrix", "index", "differential"):
        line = found.lines(form)[-1]
        assert line.rule == "symmetric variable"
        assert "not independent" in line.explanation


def test_second_order() -> None:
    assert sg.check("tr(X A X)", wrt="X", order=2, assume="X: symmetric")


#: Functions of a matrix with orthonormal columns, and how the Riemannian gradient is printed.
STIEFEL: dict[str, tuple[Any, str]] = {
    "tr(X^T A X)": (lambda X: jnp.trace(X.T @ A @ X), "(A + Aᵀ - X Xᵀ (A + Aᵀ)) X"),
    "x^T X a": (lambda X: x @ X @ B[0], "x aᵀ - 1/2 X (Xᵀ x aᵀ + a xᵀ X)"),
    "tr(X^T A X N)": (lambda X: jnp.trace(X.T @ A @ X @ B), ""),
    "sum(exp(A X))": (lambda X: jnp.sum(jnp.exp(A @ X)), ""),
}
B = RNG.normal(size=(2, 2))


@pytest.mark.parametrize("source", STIEFEL)
def test_along_orthonormal_columns(source: str) -> None:
    """The gradient is a tangent, and gives the change along every curve of rotated matrices."""
    function, printed = STIEFEL[source]
    shapes = {"X": ("n", "p"), "A": ("n", "n"), "N": ("p", "p"), "x": ("n",), "a": ("p",)}
    found = sg.gradient(source, "X", shapes={k: v for k, v in shapes.items() if k in source}, assume="X: orthogonal")
    assert printed in ("", found.text)
    X = np.linalg.qr(RNG.normal(size=(N, 2)))[0]
    at = {"A": A, "x": x, "X": X, "N": B, "a": B[0]}
    gradient = sg.compile(found)(**{name: at[name] for name in found.variables})
    assert np.allclose(X.T @ gradient + gradient.T @ X, 0)
    turn = RNG.normal(size=(N, N))
    turn = turn - turn.T
    with jax.enable_x64(True):
        along = jax.grad(lambda t: function(jax.scipy.linalg.expm(t * turn) @ X))(0.0)
    assert np.isclose(np.sum(gradient * (turn @ X)), along)


RIEMANNIAN = {
    ("tr(X^T A X)", "X: n p, A: n n", "(A + A^T) X - X X^T (A + A^T) X"): "correct",
    ("tr(X^T A X)", "X: n p, A: n n", "(A + A^T) X"): "wrong",
    ("tr(A^T X)", "X: n n, A: n n", "1/2 (A - X A^T X)"): "correct",
    ("tr(A^T X)", "X: n n, A: n n", "A - X A^T X"): "wrong",  # the gradient in the canonical metric
    ("tr(X^T X A)", "X: n p, A: p p", "0 X"): "correct",
}


@pytest.mark.parametrize(("source", "shapes", "claim"), RIEMANNIAN)
def test_claims_along_a_manifold(source: str, shapes: str, claim: str) -> None:
    """The witnesses leave a matrix with orthonormal columns along tangents only."""
    report = sg.check(source, wrt="X", claim=claim, shapes=shapes, assume="X: orthogonal")
    assert report.verdict == RIEMANNIAN[source, shapes, claim], report.reason
    assert all(w.agrees for w in report.witnesses if w.points)


def test_the_manifold_is_a_step() -> None:
    found = sg.derive("tr(A^T X)", wrt="X", assume="X: orthogonal")
    assert (found.steps[-1].rule, found.steps[-1].before) == ("Riemannian gradient", "A")
    assert "X^T X = I" in found.lines("matrix")[-1].explanation
    with pytest.raises(sg.UnsupportedError, match="second derivative along"):
        sg.hessian("tr(A^T X)", "X", assume="X: orthogonal")


SYMMETRIC = {
    "S": True, "A": False, "inv(S)": True, "A + A^T": True, "A - A^T": False, "A^T A": True, "A S A^T": True,
    "A S B": False, "x x^T": True, "x y^T": False, "A^T diag(x) A": True, "exp(S)": True, "S P": False, "S P S": True,
    "S P + P S": True, "inv(A^T A)": True, "S .* P": True, "A x x^T A^T": True, "A A": False,
}  # fmt: skip


@pytest.mark.parametrize("source", SYMMETRIC)
def test_symmetric(source: str) -> None:
    shapes = "S: n n, P: n n, A: n n, B: n n, x: n, y: n"
    assert (
        symmetric(sg.parse(source, shapes=shapes, assume="S: symmetric, P: positive_definite").node)
        is SYMMETRIC[source]
    )


SHORTER = {
    ("x^T S x", "x", "S: symmetric"): "2 S x",
    ("x^T inv(S) x", "x", "S: positive_definite"): "2 inv(S) x",
    ("||Q x||^2", "x", "Q: orthogonal"): "2 x",
    ("x^T inv(Q) x", "x", "Q: orthogonal"): "(Q + Qᵀ) x",
    ("x^T (A + A^T) x", "x", ""): "2 (A + Aᵀ) x",
}


@pytest.mark.parametrize(("source", "wrt", "assume"), SHORTER)
def test_constants_are_used(source: str, wrt: str, assume: str) -> None:
    found = sg.gradient(source, wrt, assume=assume)
    assert found.text == SHORTER[source, wrt, assume]
    shapes = {name: v.shape for name, v in found.variables.items()}
    assert sg.parse(found.text, shapes=shapes, assume=assume) == found
    assert sg.check(source, wrt=wrt, assume=assume)


REFUSED = {
    "more columns than rows": ("||X x||^2", "X: orthogonal", "X: 2 3, x: 3", sg.ShapeError),
    "not square": ("||X x||^2", "X: symmetric", "X: m n, x: n", sg.SymgradError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    source, assume, shapes, kind = REFUSED[case]
    with pytest.raises(kind):
        sg.derive(source, wrt="X", assume=assume, shapes=shapes)
