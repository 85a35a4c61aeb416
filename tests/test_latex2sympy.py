"""latex2sympy2 as a second reader of scalar LaTeX: what it reads agrees with our own parser, the rest is refused."""

from __future__ import annotations

import sys

import pytest

import symgrad as sg
from symgrad.catalog import CATALOG
from symgrad.simplify.rules import same, simplify
from tests.test_interop import agree

#: Formulas that both readers read alike.
READ = [
    r"\frac{1}{1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)}}", r"\ln(x_1) + x_1 x_2 - \sin(x_2)", "X^2 y", r"\hat{y}\ln(z)", r"\max(0, x)",
    "a x^2 + b", "|x|", r"\sqrt{x^2+1}", r"\alpha x", r"\tanh(x)", "x y z", "e^x", r"\exp(x)", r"\pi x", r"\min(x,y)",
    r"\log_{2} x", r"\sin x \cos y", r"2 x \cdot y / z", r"\frac{3}{4} x", r"y \ln(\hat{y}) + (1 - y)\ln(1 - \hat{y})",
    r"\arctan(x)", "x_1^2", "E x",
]  # fmt: skip
#: What the package reads as something else, or what is no scalar formula, and a word of the refusal.
REFUSED = {
    r"\log x": "base 10",
    r"\sigma(x)": "functions",
    r"\mathbf{x} y": "lost x",
    "I x": "lost I",
    "x^T A x": "scalar formulas",
    "x'": "scalar formulas",
    "x = 5": "scalar formulas",
    r"\sum_{i=1}^n x_i": "scalar formulas",
    r"\begin{cases} x & x>0 \\ 0 & x \le 0\end{cases}": "scalar formulas",
    "x +": "expected an expression",
    "f(x) + 1": "not known",
}
#: Scalar entries of the catalog that the package cannot keep.
ENTRIES = [name for name, entry in CATALOG.items() if not any(v.shape for v in sg.parse(name).variables.values())]


@pytest.mark.parametrize("source", READ)
def test_read(source: str) -> None:
    second = sg.parse(source, syntax="latex2sympy2")
    own = sg.parse(source, syntax="latex", shapes=dict.fromkeys(second.variables, ()))
    assert same(simplify(second.node), simplify(own.node)), second.text


@pytest.mark.parametrize("source", REFUSED)
def test_refused(source: str) -> None:
    with pytest.raises(sg.SymgradError, match=REFUSED[source]):
        sg.parse(source, syntax="latex2sympy2")


@pytest.mark.parametrize("name", ENTRIES)
def test_catalog(name: str) -> None:
    """The package as an oracle of our parser: what it reads at all, it reads as we do."""
    try:
        second = sg.parse(CATALOG[name].latex, syntax="latex2sympy2")
    except sg.SymgradError:
        pytest.skip("refused")
    own = sg.parse(name)
    assert same(simplify(second.node), simplify(own.node)) or agree(second, own)


def test_shapes_are_refused() -> None:
    with pytest.raises(sg.UnsupportedError, match="scalar"):
        sg.parse("x y", syntax="latex2sympy2", shapes="x: n")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2sympy2_extended", None)
    with pytest.raises(sg.UsageError, match="latex2sympy2_extended"):
        sg.parse("x y", syntax="latex2sympy2")
