"""Notation of papers that means something else already written otherwise: both are read to one node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.test_breadth import check

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "papers.json").read_text(encoding="utf-8"))
EVERY = 10
#: A form is `refused`, or `loose` where it has a letter more than the case gives.
READ = [
    (case, form)
    for case in CASES
    for form in ("text", "latex")
    if form not in (*case.get("refused", ()), *case.get("loose", ()))
]
REFUSED = [(case, form) for case in CASES for form in case.get("refused", ())]


def told(value: object) -> str:
    return str(value["id"]) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(("case", "form"), READ[::EVERY], ids=told)
def test_case(case: dict[str, Any], form: str) -> None:
    check(case, form)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "form"), [one for k, one in enumerate(READ) if k % EVERY], ids=told)
def test_every_case(case: dict[str, Any], form: str) -> None:
    check(case, form)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "form"), REFUSED, ids=told)
def test_what_is_not_read_is_refused(case: dict[str, Any], form: str) -> None:
    with pytest.raises(sg.SymgradError):
        check(case, form)


def test_a_wrong_value_is_seen() -> None:
    case = next(case for case, form in READ if form == "text" and case["id"] == "kd-temperature")
    with pytest.raises(AssertionError):
        check({**case, "expected": 1.000001 * case["expected"]}, "text")


@pytest.mark.parametrize(
    ("source", "shapes", "same"),
    [
        (r"\sum_{t=0}^{n-1}\gamma^t R_t", "R: n, gamma:", r"\sum_{t=1}^{n}\gamma^{t-1} R_t"),
        (r"\sum_{i=1}^{2}\sum_{m=1}^{2}x_{2(i-1)+m}", "x: 4", r"\sum_{i=1}^{2}\sum_{m=1}^{2}x_{2i-2+m}"),
        (r"\sum_i[y_i - z_i]_++\sum_i(z_i)_+", "y: n, z: n", r"\sum_i \max(0, y_i - z_i) + \sum_i \max(0, z_i)"),
        (r"\left[a^\top x\right]_+", "a: n, x: n", r"\max(0, a^\top x)"),
        (r"\frac{1}{|\mathcal{B}|}\sum_{i \in \mathcal{B}} x_i", "x: B", r"\frac{1}{B}\sum_{i=1}^{B} x_i"),
        (r"\mathbb{E}_{i}\left[x_i^2\right]", "x: n", r"\frac{1}{n}\sum_{i=1}^n x_i^2"),
        (r"\log\frac{1}{n}\sum_{i=1}^n x_i", "x: n", r"\log\left(\frac{1}{n}\sum_{i=1}^n x_i\right)"),
        (r"\sum_{i=1}^{3}\max_{j \in \{1, 2\}} x_{ij}", "x: 3 2", r"\sum_{i=1}^{3}\max_{j} x_{ij}"),
        (r"\sum_{i,j=1}^{m,n} x_i y_j", "x: m, y: n", r"\sum_{i=1}^{m}\sum_{j=1}^{n} x_i y_j"),
        (r"\sum_i [W x]_i^2", "W: m n, x: n", r"\sum_i (W x)_i^2"),
        (r"L = \sum_k y_k \log p(k), p(k) = z_k^2", "y: K, z: K", r"\sum_k y_k \log z_k^2"),
        (r"q(x|z) + q(z|x), q(a|b) = a b^2", "x:, z:", r"x z^2 + z x^2"),
        (r"D(x) = \frac{1}{2} f_w(x)^2, f_w(u) = w^\top u", "w: n, x: n", r"\frac{1}{2}(w^\top x)^2"),
        (r"\|a^L - y\|^2, a^l = w^l a^{l-1}, a^0 = x, L = 2", "w: 2 n n, x: n, y: n", r"\|w_2 w_1 x - y\|^2"),
        (r"\|h_2\|^2, h_t = W h_{t-1} + U x_t, h_0 = 0", "W: m m, U: m n, x: 2 n", r"\|W U x_1 + U x_2\|^2"),
        (r"a^{\langle 1 \rangle} + b, a^{\langle 1 \rangle} = x^2", "b:, x:", "x^2 + b"),
        (r"s_{y_w} - s_{y_l}", "s: K, y_w:, y_l:", r"s^\top (\operatorname{onehot}(y_w) - \operatorname{onehot}(y_l))"),
        (r"\max_{i \neq t} z_i - z_t", "z: n, t:", r"\max_{i \neq t} z_i - z_t"),
    ],
)  # fmt: skip
def test_reading(source: str, shapes: str, same: str) -> None:
    labels = {name: "label" for name in ("y_w", "y_l", "t") if f"{name}:" in shapes}
    one, other = (sg.parse(s, shapes=shapes, assume=labels, syntax="latex") for s in (source, same))
    assert one.node is other.node or _equal(one, other)


@pytest.mark.parametrize(
    ("source", "text", "shapes"),
    [
        (r"z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}", "W^{(l)} a^{(l-1)} + b^{(l)}", "m n, n, m"),
        (r"z^l = W^l a^{l-1} + b^l", "W^{(l)} a^{(l-1)} + b^{(l)}", "m n, n, m"),
        (r"\delta^{[l]} = W^{[l+1]T} \delta^{[l+1]}", "W^{(l+1)}ᵀ δ^{(l+1)}", "m n, m"),
        (r"\delta^{(l)} = W^{(l)T} x", "W^{(l)}ᵀ x", "m n, m"),
        (r"L^{(i)} = (w^T x^{(i)} - y^{(i)})^2", "(x w - y).^2", "n, m n, m"),  # i counts examples
    ],
)
def test_one_layer(source: str, text: str, shapes: str) -> None:
    function = sg.parse(source, syntax="latex")
    assert function.text == text
    assert ", ".join(" ".join(map(str, v.shape)) for v in function.variables.values()) == shapes


def _equal(one: sg.Expr, other: sg.Expr) -> bool:
    rng = np.random.default_rng(0)
    first, second = sg.compile(one), sg.compile(other)
    assert {v.name for v in first.arguments} == {v.name for v in second.arguments}
    sizes = dict.fromkeys((*first.sizes, *second.sizes), 4)
    at = {}
    for v in first.arguments:
        shape = tuple(d if isinstance(d, int) else 4 for d in v.shape)
        at[v.name] = rng.integers(0, 4, size=shape) if v.name.startswith("y_") else rng.uniform(0.5, 2, size=shape)
    return bool(np.allclose(*(f(**at, **{d: sizes[d] for d in f.sizes}) for f in (first, second))))


@pytest.mark.parametrize(
    ("source", "shapes"),
    [
        (r"\sum_i g_i y[i+1]", "g: n, y: n"),  # counted from 0 or from 1, or a product
        (r"\sum_{i \in S} x_i", "x: n"),
        (r"\mathbb{E}_{x}[x_i]", "x: n"),
        (r"\sum_j e^{s j}", "s: n"),
        (r"L = x^\top x, z = y^2", "x: n, y:"),  # which of them is the function?
        (r"L = \rho_\tau(x), \rho_\kappa(u) = \kappa u", "x:, tau:, kappa:"),
        (r"w_i = \gamma^i, L = \sum_{i=0}^{n-1} w_i R_i + \sum_{j=1}^n R_j", "gamma:, R: n"),
    ],
)
def test_refusals(source: str, shapes: str) -> None:
    with pytest.raises(sg.SymgradError):
        sg.parse(source, shapes=shapes, syntax="latex")


def test_a_stopped_gradient_is_a_constant() -> None:
    loss = sg.parse("||sg(W x) - e||^2 + beta ||W x - sg(e)||^2", shapes="W: m n, x: n, e: m, beta:")
    assert sg.gradient(loss, "W").node is sg.gradient("beta ||W x - sg(e)||^2", "W", shapes="W: m n, x: n, e: m").node
    assert sg.check(loss, wrt="e")
    assert not sg.check(loss, wrt="e", claim="2 (e - W x) + 2 beta (e - W x)")
