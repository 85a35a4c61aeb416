"""Exported programs are run, and what they compute is compared with the derived gradient and with JAX."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.calculus import vjp
from symgrad.code import compile_nodes
from symgrad.errors import LimitError, ShapeError, UnsupportedError, UsageError
from symgrad.export import Subject, program
from symgrad.expr import Variable, postorder, variable
from symgrad.simplify.rules import simplify
from tests.oracles import ORACLES
from tests.random_expressions import point as random_point
from tests.random_expressions import scalar
from tests.test_random import gradients as closed

SMALL = {"C": 3, "N": 4, "m": 3, "H": 4}
Values = dict[str, Any]


def point(function: sg.Expr) -> Values:
    """Numbers at which every function of the catalog exists."""
    rng = np.random.default_rng(11)
    at: Values = {}
    for name, declared in function.variables.items():
        shape = tuple(d if isinstance(d, int) else SMALL.get(d, 2) for d in declared.shape)
        label = "label" in declared.assumptions
        at[name] = rng.integers(0, 2, shape) if label else rng.uniform(0.2, 1.5, shape)[()]
    return at


def real(function: sg.Expr) -> list[str]:
    return [name for name, v in function.variables.items() if not v.assumptions & {"label", "natural"}]


def run(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "<exported>", "exec"), namespace)
    return namespace


def expected(function: sg.Expr, at: Values, upstream: Any) -> list[Any]:
    """The transposed Jacobians applied to `upstream`, by the closed formulas: none of the rows of a program."""
    seed = variable("upstream_", function.shape)
    found = []
    for name in real(function):
        node = simplify(vjp(simplify(function.node), function.variable(name), seed))
        compiled = compile_nodes({"g": node}, arguments=None)
        given = at | {"upstream_": upstream}
        sizes = {d: s for n, v in function.variables.items() for d, s in zip(v.shape, np.shape(at[n]), strict=True)}
        found.append(
            compiled(**{v.name: given[v.name] for v in compiled.arguments}, **{s: sizes[s] for s in compiled.sizes})
        )
    return found


def upstream_of(value: Any) -> Any:
    return np.random.default_rng(2).normal(size=np.shape(value))[()]


# --- the forms, each run and asked for value and gradients ------------------------------------------------------------

Answer = tuple[Any, list[Any], Any]


def as_function(function: sg.Expr, at: Values) -> Answer:
    program = run(sg.source_code(derived(function), "numpy", "function"))
    value, *gradients = program["loss_and_gradients"](*at.values())
    return value, gradients, 1.0


def as_gate(function: sg.Expr, at: Values, backend: str = "numpy") -> Answer:
    gate = run(sg.source_code(derived(function), backend, "gate"))["Gate"]()
    value = gate.forward(*at.values())
    upstream = upstream_of(value)
    gradients = gate.backward(upstream)
    return value, list(gradients) if len(real(function)) > 1 else [gradients], upstream


def as_custom_vjp(function: sg.Expr, at: Values) -> Answer:
    import jax

    from symgrad.verify.witnesses import double_precision

    program = run(sg.source_code(derived(function), "jax", "custom-vjp"))
    loss = program["layer" if function.shape else "loss"]
    names = list(at)
    with double_precision():
        value, pull = jax.vjp(lambda *given: loss(*[dict(zip(real(function), given, strict=True)).get(n, at[n]) for n in names]),
                              *(jax.numpy.asarray(at[n]) for n in real(function)))  # fmt: skip
        upstream = upstream_of(value)
        return value, list(pull(jax.numpy.asarray(upstream))), upstream


def as_autograd_function(function: sg.Expr, at: Values) -> Answer:
    torch = pytest.importorskip("torch")
    program = run(sg.source_code(derived(function), "torch", "autograd-function"))
    loss = program["layer" if function.shape else "loss"]
    given = {n: torch.as_tensor(v) for n, v in at.items()}
    chosen = [given[n].requires_grad_() for n in real(function)]
    value = loss(*given.values())
    upstream = upstream_of(value.detach())
    found = torch.autograd.grad(value, chosen, torch.as_tensor(upstream))
    return value.detach(), list(found), upstream


def derived(function: sg.Expr) -> Any:
    return sg.derive(function)


FORMS: dict[str, Callable[[sg.Expr, Values], Answer]] = {
    "function": as_function, "gate": as_gate, "custom-vjp": as_custom_vjp, "autograd-function": as_autograd_function,
}  # fmt: skip


def examine(name: str, form: str) -> None:
    function = sg.parse(name)
    at = point(function)
    value, gradients, upstream = FORMS[form](function, at)
    np.testing.assert_allclose(value, ORACLES[name](**at), rtol=1e-5)  # JAX outside of our calls is single precision
    np.testing.assert_allclose(value, sg.compile(function)(**at), rtol=1e-9)
    assert len(gradients) == len(real(function))
    for wanted, got, by in zip(expected(function, at, upstream), gradients, real(function), strict=True):
        assert np.shape(got) == np.shape(at[by])
        np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-10)


FEW = ["wx2", "softmax-loss-batch", "sigmoid-net", "svm-loss", "two-layer", "softmax", "identity", "maxout"]
CASES = [(n, f) for n in sg.catalog() for f in FORMS if not (f == "function" and sg.parse(n).shape)]


@pytest.mark.parametrize(("name", "form"), [c for c in CASES if c[0] in FEW and c[1] != "custom-vjp"])
def test_a_program_computes_the_gradients(name: str, form: str) -> None:
    examine(name, form)


@pytest.mark.parametrize("name", ["wx2", "softmax-loss-batch"])
def test_jax_takes_our_gradients(name: str) -> None:
    examine(name, "custom-vjp")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), [c for c in CASES if c[0] not in FEW or c[1] == "custom-vjp"])
def test_every_program_of_the_catalog(name: str, form: str) -> None:
    examine(name, form)


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with one wrong line is caught."""
    whole = sg.source_code

    def wrong(*arguments: Any) -> str:
        return whole(*arguments).replace("dq = 2 * ", "dq = 3 * ")

    monkeypatch.setattr("symgrad.source_code", wrong)
    for form in ("function", "gate"):
        with pytest.raises(AssertionError):
            examine("wx2", form)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("name", FEW)
def test_gates_of_the_frameworks(name: str, backend: str) -> None:
    module = pytest.importorskip(backend)
    function = sg.parse(name)
    gate = run(sg.source_code(derived(function), backend, "gate"))["Gate"]()
    make = module.as_tensor if backend == "torch" else module.numpy.asarray
    at = point(function)
    value = gate.forward(*(make(v) for v in at.values()))
    upstream = upstream_of(np.asarray(value))
    gradients = gate.backward(make(upstream))
    found = gradients if len(real(function)) > 1 else [gradients]
    for wanted, got in zip(expected(function, at, upstream), found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3 if backend == "jax" else 1e-8, atol=1e-4)


# --- random functions -------------------------------------------------------------------------------------------------


def programs_agree(first: int, count: int) -> int:
    """How many random functions could be compared: their programs with the closed formulas of their gradients."""
    compared = 0
    for seed in range(first, first + count):
        function = scalar(seed)
        inputs = tuple(node for node in postorder([function]) if isinstance(node, Variable))
        at = random_point(np.random.default_rng(seed))
        with np.errstate(all="ignore"):
            wanted = closed(function, list(inputs), at) if inputs else []
            if not inputs or not all(np.isfinite(w).all() and np.abs(w).max() < 1e8 for w in wanted):
                continue
            try:
                source = program(Subject(function, "f", "f", inputs, inputs, {}), "numpy", "function")
            except UnsupportedError:  # a size that no variable has
                continue
            _, *found = run(source)["loss_and_gradients"](*(np.asarray(at[v.name])[()] for v in inputs))
        scale = max(1.0, *(np.abs(w).max() for w in wanted))
        for want, got in zip(wanted, found, strict=True):
            assert np.abs(got - want).max() <= 1e-8 * scale, source
        compared += 1
    return compared


def test_programs_of_random_functions() -> None:
    assert programs_agree(3270, 20) >= 15


@pytest.mark.slow
def test_programs_of_many_random_functions() -> None:
    assert programs_agree(0, 250) >= 220


# --- training ---------------------------------------------------------------------------------------------------------


def losses(source: str) -> list[float]:
    printed = StringIO()
    with redirect_stdout(printed):
        run(source)
    return [float(text) for text in re.findall(r"loss\s+(\S+)", printed.getvalue())]


SCALAR = [name for name in sg.catalog() if not sg.parse(name).shape]


#: What is trained, where it is not every real variable but the constants.
TRAINED = {"logistic-regression": "w", "cross-entropy": "z"}
CONSTANTS = {"lam", "beta"}
#: Functions without a minimum: linear in what is trained, or to be maximised.
UNBOUNDED = {
    "affine-score", "linear-only", "sigmoid-net", "log-likelihood", "add-multiply", "product-plus-sine", "dot",
    "bilinear", "matrix-product", "backpropagation", "copy-gate", "relu-vjp", "conv1d-stride", "conv2d",
    "conv2d-channels", "max-pooling",
}  # fmt: skip


def trained(name: str, backend: str) -> None:
    weights = TRAINED.get(name) or [v for v in real(sg.parse(name)) if v not in CONSTANTS]
    found = losses(sg.source_code(sg.derive(name, wrt=weights), backend, "training"))
    assert all(b <= a + 1e-6 * abs(a) for a, b in pairwise(found)), found
    assert found[-1] < found[0]


def test_a_loss_without_a_minimum_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="does not lower"):
        trained("dot", "numpy")


@pytest.mark.parametrize("name", ["mse", "softmax-loss-batch", "autodiff"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_lowers_the_loss(name: str) -> None:
    trained(name, "numpy")


@pytest.mark.slow
@pytest.mark.parametrize("name", SCALAR)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_lowers_every_loss(name: str) -> None:
    if name in UNBOUNDED:
        with pytest.raises(UnsupportedError, match="does not lower"):
            trained(name, "numpy")
    else:
        trained(name, "numpy")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_in_a_framework(backend: str) -> None:
    pytest.importorskip(backend)
    trained("softmax-loss-batch", backend)


# --- what the text looks like -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["function", "gate", "training"])
def test_names_are_those_of_the_writer(form: str) -> None:
    text = sg.source_code(
        sg.derive("scores = W x; L = -log(softmax(scores)_y)", wrt="W", assume="y: label"), "numpy", form
    )
    assert "scores = W @ x" in text
    assert "dscores" in text


def test_the_forward_pass_is_not_computed_again() -> None:
    text = sg.source_code(sg.derive("two-layer-softmax"), "numpy", "gate")
    forward, backward = text.split("def backward")
    assert forward.count("W_1 @ x") == 1
    assert "@ x" not in backward


def test_new_tensors_are_like_an_input() -> None:
    torch = pytest.importorskip("torch")
    gate = run(sg.source_code(sg.derive("np.array([log(x**2), sin(3*x)])"), "torch", "gate"))["Gate"]()
    x = torch.tensor(0.5, dtype=torch.float64)
    assert gate.forward(x).dtype == torch.float64
    np.testing.assert_allclose(gate.backward(torch.ones(2, dtype=torch.float64)), 2 / 0.5 + 3 * np.cos(1.5))


HOSTILE = {
    "a keyword and names of the program": ("lambda + sum(forward) + sum(backward * step) + rate cache", "lambda:, rate:, cache:, forward: n, backward: n, step: n"),
    "the name of the output": ("f = sum(f_0) + sum(df)", "f_0: n, df: n"),
    "sizes that are called as variables": ("sum(exp(m)) + sum(n)", "m: n, n: m"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "shapes"), HOSTILE.values(), ids=HOSTILE)
def test_names_do_not_clash(text: str, shapes: str) -> None:
    function = sg.parse(text, shapes=shapes)
    at = {n: np.ones([3] * len(v.shape)) if v.shape else 2.0 for n, v in function.variables.items()}
    for form in ("function", "gate"):
        value, gradients, upstream = FORMS[form](function, at)
        np.testing.assert_allclose(value, sg.compile(function)(**at))
        for wanted, got in zip(expected(function, at, upstream), gradients, strict=True):
            np.testing.assert_allclose(got, wanted)


REFUSED: dict[str, tuple[Callable[[], str], type[Exception]]] = {
    "an unknown form": (lambda: sg.source_code(sg.derive("x^2"), "numpy", "poem"), UsageError),
    "an unknown backend": (lambda: sg.source_code(sg.derive("x^2"), "abacus", "gate"), UsageError),
    "a form of another backend": (lambda: sg.source_code(sg.derive("x^2"), "numpy", "custom-vjp"), UsageError),
    "no scalar": (lambda: sg.source_code(sg.derive("W x", wrt="W"), "numpy", "training"), ShapeError),
    "second derivatives": (lambda: sg.source_code(sg.derive("x^3", order=2), "numpy", "gate"), UsageError),
    "a structure": (lambda: sg.source_code(sg.derive("x^T A x", assume="A: symmetric"), "jax", "custom-vjp"), UnsupportedError),
    "too much data": (lambda: sg.source_code(sg.derive("sum(x)", shapes="x: 5000000"), "numpy", "training"), LimitError),
    "what descent leaves": (lambda: sg.source_code(sg.derive("log(x)", assume="x: positive"), "numpy", "training"), UnsupportedError),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(ask: Callable[[], str], error: type[Exception]) -> None:
    with pytest.raises(error):
        ask()


def test_programs_are_modules_of_readable_lines() -> None:
    for form, backend in (
        ("gate", "numpy"),
        ("custom-vjp", "jax"),
        ("autograd-function", "torch"),
        ("training", "jax"),
    ):
        text = sg.source_code(sg.derive("ridge", wrt=["X", "w"]), backend, form)
        ast.parse(text)
        assert max(map(len, text.splitlines())) <= 160
