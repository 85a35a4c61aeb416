"""The public functions: what they return, and that bad calls end in an error that says what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg

REFUSED: dict[str, tuple[Callable[[], Any], type[sg.SymgradError]]] = {
    "no formula": (lambda: sg.parse(""), sg.InputError),
    "half a formula": (lambda: sg.parse("x +"), sg.InputError),
    "no text at all": (lambda: sg.parse(None), sg.UsageError),
    "a number": (lambda: sg.parse(5), sg.UsageError),
    "unknown syntax": (lambda: sg.parse("x", syntax="morse"), sg.UsageError),
    "a matrix for the scalar reader": (lambda: sg.parse("x^T A x", syntax="latex2sympy2"), sg.UnsupportedError),
    "bad shapes": (lambda: sg.parse("x", shapes="x n"), sg.InputError),
    "unknown assumption": (lambda: sg.parse("x", assume="x: weird"), sg.InputError),
    "unknown variable": (lambda: sg.derive("x^2", wrt="z"), sg.UsageError),
    "a word for a product": (lambda: sg.derive("||Wx||^2", wrt="W"), sg.UsageError),
    "no variable": (lambda: sg.derive("5"), sg.UsageError),
    "a label": (lambda: sg.derive("s_y", wrt="y", assume="y: label"), sg.UsageError),
    "curvature": (lambda: sg.hessian("x^T A x", "A", assume="A: orthogonal"), sg.UnsupportedError),
    "order": (lambda: sg.derive("x^2", order=9), sg.UsageError),
    "layout": (lambda: sg.derive("x^2", layout="sideways"), sg.UsageError),
    "form": (lambda: sg.derive("x^2").lines("poem"), sg.UsageError),
    "gradient of a vector": (lambda: sg.gradient("W x", "W"), sg.ShapeError),
    "backend": (lambda: sg.compile("x^2", "abacus"), sg.UsageError),
    "names of arrays": (lambda: sg.compile("x^2")(y=1.0), sg.UsageError),
    "shapes of arrays": (lambda: sg.compile("||W x||^2")(W=np.eye(2), x=np.ones(3)), sg.ShapeError),
    "a claim about two variables": (lambda: sg.check("x y", claim="y"), sg.UsageError),
    "a claim that is no formula": (lambda: sg.check("x^2", claim=")("), sg.InputError),
    "a claim that is nothing": (lambda: sg.check("x^2", claim=5), sg.UsageError),
    "a claim in unknown names": (lambda: sg.check("x^2", claim="3 z"), sg.InputError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, error = REFUSED[case]
    with pytest.raises(error) as caught:
        call()
    assert caught.value.message
    assert str(caught.value)


def test_one_variable_gives_one_derivation_and_several_a_dict() -> None:
    assert isinstance(sg.derive("||x||^2"), sg.Derivation)
    assert list(sg.derive("||W x||^2")) == ["W", "x"]
    assert {n: e.text for n, e in sg.gradients("||W x||^2").items()} == {"W": "2 W x xᵀ", "x": "2 Wᵀ W x"}


EQUAL = {
    "any spelling of a name": ("\\lambda \\|w\\|^2", "lam ||w||^2"),
    "an expression": (sg.parse("||x||^2"), "x^T x"),
    "a catalog name": ("bilinear", r"w^{\top} A x"),
}


@pytest.mark.parametrize("case", EQUAL)
def test_same_expression(case: str) -> None:
    one, other = EQUAL[case]
    first = sg.parse(one)
    shapes = {name: v.shape for name, v in first.variables.items()}
    assert sg.parse(other, shapes=shapes) == first


ORDERS = {
    "Hessian of a quadratic form": ("x^T A x", "x", 2, "A + Aᵀ"),
    "Hessian of the logistic loss": ("log(1 + exp(-y x))", "x", 2, None),
    "third derivative": ("x^5", "x", 3, "60 x²"),
}


@pytest.mark.parametrize("case", ORDERS)
def test_higher_orders(case: str) -> None:
    source, wrt, order, want = ORDERS[case]
    found = sg.derive(source, wrt=wrt, order=order)
    assert want is None or found.result.text == want
    assert len(found.stages) == order
    assert sg.check(source, wrt=wrt, order=order)


def test_jvp_and_vjp_are_transposes() -> None:
    at = {
        "W": np.arange(6.0).reshape(2, 3),
        "x": np.array([1.0, -2.0, 0.5]),
        "v": np.ones(3),
        "g": np.array([2.0, -1.0]),
    }
    forward = sg.compile(sg.jvp("W sin(x)", "x"))
    back = sg.compile(sg.vjp("W sin(x)", "x"))
    left = at["g"] @ forward(W=at["W"], x=at["x"], v=at["v"])
    assert np.isclose(left, back(W=at["W"], x=at["x"], g=at["g"]) @ at["v"])


def test_the_layouts() -> None:
    assert sg.derive("w^T x", wrt="w", layout="numerator").result.shape == (1, "n")
    assert sg.jacobian("A x", "x", layout="denominator", shapes="A: m n, x: n").text == "Aᵀ"
