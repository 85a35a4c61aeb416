"""Polynomial identity testing: what is proved is true, and what is false is never proved."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.verify.identity import identity

#: (left, right, shapes)
TRUE = [
    ("(A B)^T", "B^T A^T", "A: m n, B: n p"),
    ("||x - y||^2", "x^T x - 2 x^T y + y^T y", "x: n, y: n"),
    ("(A B)^{-1}", "B^{-1} A^{-1}", "A: n n, B: n n"),
    ("(I + u v^T)^{-1}", "I - u v^T / (1 + v^T u)", "u: n, v: n"),
    ("det(A B)", "det(A) det(B)", "A: n n, B: n n"),
    ("(a + b)^3", "a^3 + 3 a^2 b + 3 a b^2 + b^3", "a:, b:"),
    ("1/a + 1/b", "(a + b)/(a b)", "a:, b:"),
    ("sigmoid(x) (1 - sigmoid(x))", "sigmoid(x) - sigmoid(x)^2", "x:"),
    ("x / ||x||", "x / sqrt(x^T x)", "x: n"),
    ("s = W x; s[y]", "sum_k W_{y,k} x_k", "W: m n, x: n, y:"),
]
#: False, or true for a reason that the field does not know; neither is proved.
UNPROVED = [
    ("||x||^2", "||x||^2 + 10^(-30)", "x: n"),
    ("(a + b)^2", "a^2 + b^2", "a:, b:"),
    ("tr(A B)", "tr(A B^T)", "A: n n, B: n n"),
    ("A B", "B A", "A: n n, B: n n"),
    ("sqrt(a^2)", "a", "a:"),
    ("abs(a)", "a", "a:"),
    ("max(0, a)", "a 1[a > 1/10]", "a:"),
    ("exp(a)", "sigmoid(a)", "a:"),
    ("2 sum(x)", "sum(x) + 2 x_1", "x: n"),
    ("exp(a + b)", "exp(a) exp(b)", "a:, b:"),
    ("softmax(x)", "exp(x)/sum(exp(x))", "x: n"),
    ("x^61 - x", "0 x", "x:"),
]


def chance(left: str, right: str, shapes: str) -> float | None:
    one, other = (
        sg.parse(side, shapes=shapes, assume="y: label" if "y:" in shapes and "W" in shapes else None)
        for side in (left, right)
    )
    return identity(one.node, other.node)


@pytest.mark.parametrize(("left", "right", "shapes"), TRUE)
def test_true_identities_are_proved(left: str, right: str, shapes: str) -> None:
    found = chance(left, right, shapes)
    assert found is not None
    assert found < 1e-20


@pytest.mark.parametrize(("left", "right", "shapes"), UNPROVED)
def test_what_is_false_is_not_proved(left: str, right: str, shapes: str) -> None:
    assert chance(left, right, shapes) is None


def test_claims_that_are_rational_are_proved() -> None:
    report = sg.check("1/(x^T x)", wrt="x", claim="-2 x (x^T x)^(-2) (x^T x)^2 / (x^T x)^2")
    assert (report.verdict, report.certainty) == ("correct", "proved")
    line = sg.check_derivation("||x - y||^2 = x^T x - 2 x^T y + y^T y").lines[0]
    assert (line.verdict, line.certainty) == ("correct", "proved")
