"""Stacked axes: vec, Kronecker and commutation products, their derivatives, code, printing and SymPy form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.dims import factors as dim_factors
from symgrad.dims import product as dim_product
from symgrad.dims import value as extent
from symgrad.expr import size, stack, variable
from symgrad.simplify.rules import simplify
from tests.evaluate import evaluate

SHAPES = "A: p m, B: n q, X: m n, Y: m n, a: m, b: n"
SIZES = {"m": 2, "n": 3, "p": 4, "q": 5}
RNG = np.random.default_rng(4)
POINT: dict[str, Any] = {
    name: RNG.normal(size=[SIZES[d] for d in dims.split()])
    for name, dims in (("A", "p m"), ("B", "n q"), ("X", "m n"), ("Y", "m n"), ("a", "m"), ("b", "n"))
}
A, B, X, Y, a, b = POINT.values()


def vec(value: np.ndarray) -> np.ndarray:
    return value.ravel(order="F")


VALUES: dict[str, Any] = {
    "vec(X)": vec(X),
    "vec(X)^T vec(Y)": vec(X) @ vec(Y),
    "X ⊗ A": np.kron(X, A),
    "a ⊗ b": np.kron(a, b),
    "b^T ⊗ A": np.kron(b[None, :], A),
    "a ⊗ X^T": np.kron(a[:, None], X.T),
    "I_m ⊗ X": np.kron(np.eye(2), X),
    "X ⊗ I_p": np.kron(X, np.eye(4)),
    "(B^T ⊗ A) vec(X)": vec(A @ X @ B),
    "commutation(m, n) vec(X)": vec(X.T),
    "vec(X^T)": vec(X.T),
    "vec(X) vec(Y)^T": np.outer(vec(X), vec(Y)),
    "(I + commutation(m, m)) (a ⊗ a)": 2 * np.kron(a, a),
    "2 diag(vec(X))": 2 * np.diag(vec(X)),
    "commutation(p, m) (X ⊗ A) commutation(n, m)": np.kron(A, X),
    "-2 commutation(m, n)": -2 * np.kron(np.eye(3), np.eye(2)).reshape(3, 2, 6).transpose(1, 0, 2).reshape(6, 6),
    "2 (X ⊗ A) + (Y ⊗ A)": np.kron(2 * X + Y, A),
    "sum(vec(X) .* vec(Y))": np.sum(X * Y),
    "unfold([a_i X_ij b_k]_{i,j,k}, 1)": (a[:, None, None] * X[:, :, None] * b).transpose(0, 2, 1).reshape(2, 9),
}  # fmt: skip


@pytest.mark.parametrize("source", VALUES)
def test_value(source: str) -> None:
    """The interpreter, the simplified form and the code all give NumPy's value."""
    e = sg.parse(source, shapes=SHAPES)
    want = VALUES[source]
    assert np.allclose(evaluate(e.node, POINT, SIZES), want)
    assert np.allclose(evaluate(simplify(e.node), POINT, SIZES), want)
    compiled = sg.compile(e)
    given = {v.name: POINT[v.name] for v in compiled.arguments} | {d: SIZES[d] for d in compiled.sizes}
    assert np.shape(compiled(**given)) == np.shape(want)
    assert np.allclose(compiled(**given), want)
    assert tuple(extent(d, SIZES) for d in e.shape) == np.shape(want)


@pytest.mark.parametrize("source", VALUES)
def test_printing_reads_back(source: str) -> None:
    e = sg.parse(source, shapes=SHAPES)
    for printed, syntax in ((e.text, "text"), (e.latex, "latex")):
        assert sg.parse(printed, shapes=SHAPES, syntax=syntax) == e, printed


SHORTER = {
    "vec(X)^T vec(Y)": "tr(Xᵀ Y)",
    "commutation(n, m) (commutation(m, n) vec(X))": "vec(X)",
    "tr(commutation(n, m) (a ⊗ b) vec(X)^T)": "aᵀ X b",
}


@pytest.mark.parametrize("source", SHORTER)
def test_what_is_stacked_and_taken_apart_again(source: str) -> None:
    found = simplify(sg.parse(source, shapes=SHAPES).node)
    assert simplify(sg.parse(SHORTER[source], shapes=SHAPES).node) is found


JACOBIANS = {
    ("A X B", "X"): "Bᵀ ⊗ A",
    ("X b", "X"): "bᵀ ⊗ I_m",
    ("a^T X", "X"): "I_n ⊗ aᵀ",
    ("a^T X b", "X"): "vec(a bᵀ)",
    ("tr(A X)", "X"): "vec(Aᵀ)",
    ("||X||^2", "X"): "2 vec(X)",
    ("X", "X"): "I",
    ("X^T", "X"): "commutation(m, n)",
    ("3 X^T", "X"): "3 commutation(m, n)",
    ("X^T X", "X"): "(I + commutation(n, n)) (I_n ⊗ Xᵀ)",
    ("X X^T", "X"): "(I + commutation(m, m)) (X ⊗ I_m)",
    ("X .* X", "X"): "2 diag(vec(X))",
}


@pytest.mark.parametrize(("source", "wrt"), JACOBIANS)
def test_vec_layout(source: str, wrt: str) -> None:
    shapes = SHAPES.replace("A: p m", "A: n m") if "tr" in source else SHAPES
    assert sg.jacobian(source, wrt, layout="vec", shapes=shapes).text == JACOBIANS[source, wrt]


HESSIANS = {
    "tr(C X^T X)": "(Cᵀ + C) ⊗ I_m",
    "||X||^4": "8 vec(X) vec(X)ᵀ + 4 ‖X‖_F² I",
    "tr(C D E D)": "commutation(n, n) (Cᵀ ⊗ E + Eᵀ ⊗ C)",
    "logdet(D)": "-commutation(n, n) (inv(D)ᵀ ⊗ inv(D))",
    "det(D)": "det(D) (vec(inv(D)ᵀ) vec(inv(D)ᵀ)ᵀ - commutation(n, n) (inv(D)ᵀ ⊗ inv(D)))",
    "tr(inv(D) C)": "commutation(n, n) (inv(D)ᵀ ⊗ inv(D) C inv(D) + inv(D)ᵀ Cᵀ inv(D)ᵀ ⊗ inv(D))",
}


@pytest.mark.parametrize("source", HESSIANS)
def test_vec_hessian(source: str) -> None:
    """In vec, ⊗ and K, equal to the stacked second derivative of JAX's kind, and readable."""
    wrt, shapes = ("D" if "D" in source else "X"), "X: m n, C: n n, D: n n, E: n n"
    found = sg.derive(source, wrt=wrt, order=2, layout="vec", shapes=shapes).result
    assert found.text == HESSIANS[source]
    for printed, syntax in ((found.text, "text"), (found.latex, "latex")):
        assert sg.parse(printed, shapes=shapes, syntax=syntax) == found
    point = {"X": X, "C": RNG.normal(size=(3, 3)), "D": RNG.normal(size=(3, 3)), "E": RNG.normal(size=(3, 3))}
    tensor = evaluate(sg.hessian(source, wrt, shapes=shapes).node, point, SIZES)
    rows = tensor.shape[0] * tensor.shape[1]
    assert np.allclose(evaluate(found.node, point, SIZES), tensor.transpose(1, 0, 3, 2).reshape(rows, rows))


def test_dimensions_multiply() -> None:
    assert dim_product("n", "m") == dim_product("m", "n") == "m*n"
    assert dim_product(2, "m", 3) == "6*m"
    assert dim_product(2, 3) == 6
    assert dim_factors("6*m") == (6, "m")
    assert extent("6*m*n", SIZES) == 36
    assert evaluate(size("m*n"), {}, SIZES) == 6


def test_three_axes_are_stacked_first_axis_first() -> None:
    T = variable("T", ("m", "n", "p"))
    value = RNG.normal(size=(2, 3, 4))
    assert np.allclose(evaluate(stack(T, [(0, 1, 2)]), {"T": value}, SIZES), value.ravel(order="F"))
    assert np.allclose(evaluate(stack(T, [(0,), (1, 2)]), {"T": value}, SIZES), value.transpose(0, 2, 1).reshape(2, 12))


REFUSED = {"kron(2, X)": "two matrices", "unfold(X, 2)": "axes", "commutation(m)": "2 arguments"}


@pytest.mark.parametrize("source", REFUSED)
def test_refused(source: str) -> None:
    with pytest.raises(sg.SymgradError, match=REFUSED[source]):
        sg.parse(source, shapes=SHAPES)


def test_sympy_has_the_entries() -> None:
    found = sg.to_sympy("a^T vec(X)", shapes={"a": (4,), "X": (2, 2)}).doit()
    assert str(found) == "X[0, 0]*a[0] + X[0, 1]*a[2] + X[1, 0]*a[1] + X[1, 1]*a[3]"
