"""Updates, layers with a running number, and how papers write parts, brackets and places: read alike, printed back.

A row is a source and the same function in plain notation, over the same shapes; both must be one expression.
"""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.errors import SymgradError

Row = tuple[str, str, str]

UPDATES: list[Row] = [
    (r"x \leftarrow x + \eta x^2", "x + eta x^2", "x:, eta:"),
    ("w ← w - η X^T (X w - y)", "w - eta X^T (X w - y)", "w: n, eta:, X: m n, y: m"),
    ("w := w - eta X^T (X w - y)", "w - eta X^T (X w - y)", "w: n, eta:, X: m n, y: m"),
    (r"w_j \gets w_j - \eta (w^T x - t) x_j", "w - eta (w^T x - t) x", "w: n, eta:, t:, x: n"),
    (r"W \leftarrow W - \eta \delta x^T, \delta = W x - t", "W - eta (W x - t) x^T", "W: m n, eta:, x: n, t: m"),
    ("q := W x; f = ||q||^2", "||W x||^2", "W: m n, x: n"),
    ("f(x) := x^2", "x^2", "x:"),
]
ROWS = [*UPDATES]

REFUSED = [
    (r"z \leftarrow z - \eta \frac{\partial L}{\partial z}", "gradient as a formula"),
    (r"L = \|z\|^2, z \leftarrow z - \eta z", "old value"),
    ("x := 5", "only gives a name a value"),
    ("1[x := 3]", "comparison"),
    (r"x \leftarrow x + v, x \leftarrow x - v", "two formulas"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_is_the_same_function(row: Row) -> None:
    source, plain, shapes = row
    found = sg.parse(source, shapes=shapes)
    assert found.node is sg.parse(plain, shapes=shapes).node, found.text
    assert all(not declared.guessed for declared in found.variables.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_prints_back(row: Row) -> None:
    found = sg.parse(row[0], shapes=row[2])
    shapes = {name: declared.shape for name, declared in found.variables.items()}
    for shown, syntax in ((found.text, "text"), (found.latex, "latex")):
        assert sg.parse(shown, shapes=shapes, syntax=syntax) == found, shown


def test_another_function_is_told_apart() -> None:
    assert sg.parse(UPDATES[0][0], shapes="x:, eta:").node is not sg.parse("x - eta x^2", shapes="x:, eta:").node


@pytest.mark.parametrize(("source", "part"), REFUSED)
def test_refusals(source: str, part: str) -> None:
    with pytest.raises(SymgradError) as caught:
        sg.parse(source)
    assert part in str(caught.value)
