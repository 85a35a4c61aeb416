"""PyTorch code: the tables of the NumPy tests again, and PyTorch's own automatic differentiation as one more witness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.code import compile_nodes
from symgrad.expr import variable
from symgrad.ops import OPERATIONS, apply
from tests.test_code import LABELLED, PRODUCTS, agrees, applied

torch = pytest.importorskip("torch")

SMALL = {"C": 3, "N": 4, "m": 3, "H": 4}


@pytest.mark.parametrize("name", [*PRODUCTS, *LABELLED])
def test_expression(name: str) -> None:
    agrees((PRODUCTS | LABELLED)[name][0], "torch")


@pytest.mark.parametrize("batch", [(), ("m",), ("m", "k")], ids=lambda batch: f"batch {len(batch)}")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_operation(name: str, batch: tuple[str, ...]) -> None:
    if name == "pi" and batch:
        pytest.skip("no arguments")
    agrees(applied(name, batch), "torch")


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "logsumexp", "softmax", "log_softmax", "tanh", "selu"])
def test_operation_is_stable(name: str) -> None:
    root = apply(name, variable("x", ("n",)))
    given = np.array([-1000.0, -30.0, 20.0, 1000.0])
    wanted = compile_nodes({"f": root})(x=given)
    np.testing.assert_allclose(compile_nodes({"f": root}, "torch")(x=given), wanted, rtol=1e-12, atol=1e-300)


#: Where NumPy mixes types and PyTorch does not: counts, booleans, Python numbers, fractions in single precision.
MIXED = {
    "mask times vector": "1[A > 0] x",
    "mean of a mask": "sum(1[x > 0]) / n",
    "one less a mask": "sum((1 - 1[x > 0]) .* w)",
    "count over a count": "sum(1[x > 0]) / (1 + sum(1[w > 0]))",
    "root of a size": "x / sqrt(n)",
    "root of a number": "sqrt(2) x",
    "logarithm of a size": "log(n) x",
    "a tenth where": "sum(where(x > 0, 1/10, 1/3))",
    "maximum with a number": "max(1/10, x)",
    "square of a size": "sum(x) + n^2 / 3",
    "a condition on a size": "sum(where(n > 3, x, x .* x))",
    "a function of numbers alone": "normpdf(0) sum(x) + sigmoid(1/3) sum(w)",
    "pi": "exp(-x^2/2) / sqrt(2 pi)",
    "a tenth of a mask": "sum(1[x > 0]) / 10 + sum(w) / 3",
}


@pytest.mark.parametrize("text", MIXED.values(), ids=MIXED)
def test_types_that_mix(text: str) -> None:
    function = sg.parse(text, shapes="A: m n, x: n, w: n" if "A" in text else "x: n, w: n" if "w" in text else "x: n")
    rng = np.random.default_rng(3)
    at = {v: rng.normal(size=[{"m": 3, "n": 4}[d] for d in s.shape]) for v, s in function.variables.items()}
    np.testing.assert_allclose(sg.compile(function, "torch")(**at), sg.compile(function)(**at), rtol=1e-13)


def test_the_guard_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the casts the table above fails: it tests what it says."""
    monkeypatch.setattr("symgrad.code.writing.operands", lambda value, *_: [""] * len(value.args))
    failed = 0
    for text in MIXED.values():
        try:
            test_types_that_mix(text)
        except Exception:
            failed += 1
    assert failed >= 6


def autograd(function: sg.Expr, at: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The gradients of the emitted function by PyTorch's own reverse mode."""
    compiled = sg.compile(function, "torch")
    values = {n: torch.as_tensor(v) for n, v in at.items()}
    for name in names:
        values[name] = values[name].clone().requires_grad_()
    result = compiled.function(*(values[v.name] for v in compiled.arguments))
    found = torch.autograd.grad(result, [values[n] for n in names], allow_unused=True, materialize_grads=True)
    return dict(zip(names, found, strict=True))


FEW = ("wx2", "softmax-loss", "svm-loss-batch", "logistic-regression", "two-layer-softmax", "backpropagation", "maxout")
ALL = [name for name in sg.catalog() if name not in FEW and not sg.parse(name).shape]


def witness(name: str) -> None:
    function = sg.parse(name)
    rng = np.random.default_rng(5)
    at: dict[str, Any] = {}
    for named, declared in function.variables.items():
        shape = tuple(d if isinstance(d, int) else SMALL.get(d, 2) for d in declared.shape)
        label = "label" in declared.assumptions
        at[named] = rng.integers(0, 2, shape) if label else rng.uniform(0.2, 1.5, shape)
    derived = sg.gradients(function)
    found = autograd(function, at, list(derived))
    for named, gradient in derived.items():
        inputs = {n: at[n] for n in gradient.variables}
        for backend in ("numpy", "torch"):
            value = sg.compile(gradient, backend)(**inputs)
            np.testing.assert_allclose(value, found[named], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", FEW)
def test_gradients_agree_with_autograd(name: str) -> None:
    witness(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_all_gradients_agree_with_autograd(name: str) -> None:
    witness(name)


def test_source_takes_either_precision() -> None:
    compiled = sg.compile("sum(max(0, W x)) + sum(1[x > 0]) / 3", "torch")
    W, x = torch.randn(3, 2, dtype=torch.float32), torch.randn(2, dtype=torch.float32)
    assert compiled.function(W, x).dtype == torch.float32
