"""SymPy in and out: the way back is the identity, and SymPy's values are ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.catalog import CATALOG
from symgrad.simplify.rules import same, simplify

#: Entries whose SymPy form says the same in other words, so that the value comes back but not the form.
OTHER_FORM = {
    "conv1d",
    "conv1d-stride",
    "conv2d",
    "conv2d-channels",
    "average-pooling",
    "prelu-max",
    "and-gate",
    "sparse-autoencoder",
    "two-layer-squares",
    "xnor",
}
#: Entries that have no form entry by entry.
NO_FORM = {"softmax-loss-batch", "softmax-loss-columns", "max-pooling"}
#: Entries whose SymPy form does not say how far an index runs: they are refused on the way back.
ONE_WAY = {"conv1d-same"}


@pytest.mark.parametrize("name", [name for name in CATALOG if name not in NO_FORM | ONE_WAY])
def test_round_trip(name: str) -> None:
    e = sg.parse(name)
    there = sg.to_sympy(e)
    assume = {n: "+".join(v.assumptions) for n, v in e.variables.items() if v.assumptions}
    back = sg.from_sympy(there, assume=assume)
    assert same(simplify(back.node), simplify(e.node)) or (name in OTHER_FORM and agree(back, e)), there
    assert back.shape == e.shape


@pytest.mark.parametrize("name", sorted(ONE_WAY))
def test_one_way(name: str) -> None:
    there = sg.to_sympy(sg.parse(name))
    with pytest.raises(sg.UnsupportedError):
        sg.from_sympy(there)


def agree(one: sg.Expr, other: sg.Expr) -> bool:
    """Whether two expressions have the same values at random points."""
    rng = np.random.default_rng(0)
    dims = sorted({d for v in other.variables.values() for d in v.shape})
    sizes = dict(zip(dims, range(2, 9), strict=False))
    for _ in range(3):
        at = {n: rng.normal(size=[sizes[d] for d in v.shape]) for n, v in other.variables.items()}
        if not np.allclose(sg.compile(one)(**at), sg.compile(other)(**at), rtol=1e-12):
            return False
    return True


def test_agree_can_fail() -> None:
    assert not agree(sg.parse("2 x"), sg.parse("3 x"))


@pytest.mark.parametrize("name", sorted(NO_FORM))
def test_no_form(name: str) -> None:
    with pytest.raises(sg.UnsupportedError):
        sg.to_sympy(name)


SCALARS = {
    "polynomial": (lambda x, y: 3 * x**2 * y, "3 x^2 y"),
    "exponential": (lambda x, y: sp.exp(-x) + sp.E**y, "exp(-x) + exp(y)"),
    "logarithm": (lambda x, y: sp.log(x) + x * y - sp.sin(y), "log(x) + x y - sin(y)"),
    "root": (lambda x, y: sp.sqrt(x) / y, "x^(1/2) / y"),
    "decimal": (lambda x, y: sp.Float("0.1") * x, "0.1 x"),
    "maximum": (lambda x, y: sp.Max(0, x), "max(0, x)"),
    "absolute": (lambda x, y: sp.Abs(x) * sp.tanh(y), "|x| tanh(y)"),
    "cases": (lambda x, y: sp.Piecewise((x, x > 0), (y * x, True)), "where(x > 0, x, y x)"),
    "power": (lambda x, y: x**y, "x^y"),
    "pi": (lambda x, y: sp.pi * x, "pi x"),
}


@pytest.mark.parametrize("case", SCALARS)
def test_scalar_expression(case: str) -> None:
    build, text = SCALARS[case]
    x, y = sp.symbols("x y", real=True)
    assert same(simplify(sg.from_sympy(build(x, y)).node), simplify(sg.parse(text, shapes="x:, y:").node))


n, m = sp.symbols("n m", integer=True, positive=True)
A, W, v = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("W", m, n), sp.MatrixSymbol("v", n, 1)
MATRICES: dict[str, tuple[Any, str]] = {
    "product": (W * v, "W v"),
    "quadratic form": (v.T * A * v, "v^T A v"),
    "sum of transposes": (A + A.T, "A + A^T"),
    "trace": (sp.Trace(A * A.T), "tr(A A^T)"),
    "determinant": (sp.Determinant(A), "det(A)"),
    "inverse": (A.inverse() * v, "inv(A) v"),
    "multiple": (3 * W, "3 W"),
    "identity": (A + sp.Identity(n), "A + I"),
}


@pytest.mark.parametrize("case", MATRICES)
def test_matrix_expression(case: str) -> None:
    expression, text = MATRICES[case]
    want = sg.parse(text, shapes="A: n n, W: m n, v: n")
    assert same(simplify(sg.from_sympy(expression).node), simplify(want.node))


VALUES: dict[str, tuple[str, dict[str, float]]] = {
    "sigmoid": ("1/(1 + exp(-x))", {"x": 0.3}),
    "polynomial": ("3 x^2 y", {"x": 2.0, "y": -1.5}),
    "autodiff": ("ln(x_1) + x_1 x_2 - sin(x_2)", {"x_1": 2.0, "x_2": 5.0}),
    "log-likelihood": ("y log(p) + (1 - y) log(1 - p)", {"y": 1.0, "p": 0.353}),
}


@pytest.mark.parametrize("case", VALUES)
def test_value(case: str) -> None:
    text, at = VALUES[case]
    e = sg.parse(text)
    theirs = sg.to_sympy(e).subs({sp.Symbol(k, real=True): val for k, val in at.items()})
    assert np.isclose(float(theirs), sg.compile(e)(**at), rtol=1e-12)
    assert not np.isclose(float(theirs) + 1e-3, sg.compile(e)(**at), rtol=1e-12)


REFUSED: dict[str, Callable[[], Any]] = {
    "an integral": lambda: sg.from_sympy(sp.Integral(sp.Symbol("x"), sp.Symbol("x"))),
    "an unknown function": lambda: sg.from_sympy(sp.Function("f")(sp.Symbol("x"))),
    "a free index": lambda: sg.from_sympy(sp.IndexedBase("x", shape=(n,))[sp.Symbol("i", integer=True)]),
    "a determinant entry by entry": lambda: sg.to_sympy("det(X)"),
    "the largest entry": lambda: sg.to_sympy(sg.parse("max(x)", shapes="x: n")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    with pytest.raises(sg.UnsupportedError):
        REFUSED[case]()


def test_sympy_differentiates_what_it_gets() -> None:
    """SymPy's derivative of a scalar entry, read back, is symgrad's."""
    e = sg.parse("sin(x y) + y^3")
    theirs = sp.diff(sg.to_sympy(e), sp.Symbol("y", real=True))
    assert same(simplify(sg.from_sympy(theirs).node), simplify(sg.gradient(e, "y").node))
