"""The checker is checked: every witness, every verdict, and the ways in which a wrong gradient could hide."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

import symgrad as sg
from symgrad.code import compile_nodes
from symgrad.expr import Node, Variable, add, call, contract, negate, scale, variable
from symgrad.notation.reading import Reading
from symgrad.ops import OPERATIONS, apply, partial
from symgrad.verify import Subject, check_gradient
from symgrad.verify.ground import evaluator, ground

W, x, b = variable("W", ("m", "n")), variable("x", ("n",)), variable("b", ("m",))
Z = contract([(W, "ij"), (x, "j")], ("i",))
LOSS = contract([(apply("tanh", add([Z, b])), "i", 2)])


def judged(function: Node, wrt: Variable, gradient: Node, **more: Any) -> sg.Report:
    """The report on `gradient` as if it had been derived."""
    f = sg.Expr(function, Reading.of(function))
    g = sg.Expr(gradient, f.reading)
    return check_gradient(Subject(f, (wrt,), g, **more))


RIGHT = sg.gradient(sg.Expr(LOSS, Reading.of(LOSS)), "W").node
PLANTED: dict[str, Node] = {
    "twice": scale(RIGHT, 2),
    "negated": negate(RIGHT),
    "one term too many": add([RIGHT, W]),
    "wrong factor": contract([(RIGHT, "ij"), (x, "j")], ("i", "j")),
}


@pytest.mark.parametrize("case", PLANTED)
def test_every_witness_alone_catches_a_planted_gradient(case: str) -> None:
    report = judged(LOSS, W, PLANTED[case])
    assert report.verdict == "wrong"
    assert not any(w.agrees for w in report.witnesses)
    assert report.counterexample is not None


def test_every_witness_accepts_the_right_one() -> None:
    report = judged(LOSS, W, RIGHT)
    assert report
    assert {w.name for w in report.witnesses} == {"sympy", "numerical", "complex-step", "jax-forward", "jax-reverse"}
    assert all(w.agrees and w.points and w.max_relative_error < 1e-6 for w in report.witnesses)


def test_a_planted_rule_is_caught() -> None:
    wrong = replace(OPERATIONS["tanh"], rules=(partial("1 - tanh(x)"),))
    function = contract([(call(wrong, [Z]), "i", 2)])
    f = sg.Expr(function, Reading.of(function))
    report = judged(function, W, sg.gradient(f, "W").node)
    assert report.verdict == "wrong"


def _forget() -> None:
    ground.cache_clear()
    evaluator.cache_clear()


def test_a_planted_emitter_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient under test is the compiled one: an emitter that is off by a part in a million does not pass."""

    def broken(*args: Any, **options: Any) -> Any:
        compiled = compile_nodes(*args, **options)
        return replace(compiled, run=lambda *arrays: compiled.run(*arrays) * 1.000001)

    monkeypatch.setattr("symgrad.verify.ground.compile_nodes", broken)
    _forget()
    assert judged(LOSS, W, RIGHT).verdict == "wrong"
    _forget()


# --- claims -----------------------------------------------------------------------------------------------------------

QUADRATIC = "||W x||^2"
CORRECT: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "matrix form": (QUADRATIC, "W", "2 W x x^T", {}),
    "LaTeX": (QUADRATIC, "W", r"\nabla_W f = 2 W x x^{\top}", {}),
    "own intermediate": (QUADRATIC, "W", "q = W x; 2 q x^T", {}),
    "our intermediate": (QUADRATIC, "W", "2 q x^T", {}),
    "index form": (QUADRATIC, "W", "∂f/∂W_{ij} = 2 sum_k W_{ik} x_k x_j", {}),
    "another order": ("x^T A x", "x", "A^T x + A x", {}),
    "expanded": ("||X w - y||^2", "w", "2 X^T X w - 2 X^T y", {}),
    "a callable": (QUADRATIC, "W", lambda W, x: 2 * np.outer(W @ x, x), {}),
    "a callable in place": (QUADRATIC, "W", lambda W, x: np.outer(np.matmul(W, x) * 2, x), {}),
    "the other value at a kink": ("max(0, x)", "x", "1[x >= 0]", {}),
    "numerator layout": ("w^T x", "w", "x^T", {"layout": "numerator"}),
    "a stable form": ("log(1 + exp(x))", "x", "exp(x)/(1 + exp(x))", {}),
}


@pytest.mark.parametrize("case", CORRECT)
def test_right_claim(case: str) -> None:
    source, wrt, claim, options = CORRECT[case]
    report = sg.check(source, wrt=wrt, claim=claim, **options)
    assert report, report.reason
    assert report.certainty in ("proved", "tested")


def unsummed(X: Any, W: Any, b: Any, G: Any) -> Any:
    return G


AFFINE = "sum(G .* (X W + ones b^T))"
SHAPED = {"shapes": "X: N D, W: D M, b: M, G: N M"}
WRONG: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "factor 2": (QUADRATIC, "W", "W x x^T", {}),
    "sign": (QUADRATIC, "W", "-2 W x x^T", {}),
    "factors in the wrong order": (QUADRATIC, "W", "2 x x^T W", {}),
    "transposed": (QUADRATIC, "W", "2 x (W x)^T", {}),
    "transposed square": ("x^T A y", "A", "y x^T", {"shapes": "x: n, A: n n, y: n"}),
    "symmetric only": ("x^T A x", "x", "2 A x", {}),
    "unsummed bias": (AFFINE, "b", unsummed, SHAPED),
    "(1, n) for (n,)": ("||x||^2", "x", lambda x: 2 * x[None, :], {}),
    "missing λ-term, λ small": ("||X w - y||^2 + 0.000005 ||w||^2", "w", "2 X^T (X w - y)", {}),
    "tiny function": ("0.0000001 ||x||^2", "x", "0.0000002 x + 0.000000001 x", {}),
    "orthogonal to a direction": ("||x||^2", "x", lambda x: 2 * x + np.sign(np.arange(len(x)) - (len(x) - 1) / 2), {}),
    "large inputs only": ("x^2", "x", "2 x + max(0, x - 100)", {}),
    "very large inputs only": ("x^2", "x", "2 x + max(0, -x - 10^6)", {}),
    "n > 3 only": ("||x||^2", "x", lambda x: 2 * x if len(x) <= 3 else 3 * x, {}),
    "relative 1e-9": ("x^2", "x", "2 x (1 + 0.000000001)", {}),
    "absolute 1e-12": ("x^2", "x", "2 x + 0.000000000001", {}),
    "order of a trace": ("tr(A B C)", "A", "(C B)^T", {"shapes": "A: n n, B: n n, C: n n"}),
    "A Aᵀ for Aᵀ A": ("||A x||^2", "x", "2 A A^T x", {"shapes": "A: n n, x: n"}),
    "softmax as a diagonal": ("g^T softmax(s)", "s", "g .* softmax(s) .* (1 - softmax(s))", {}),
    "base ten": ("-log(p)", "p", "-1/(p log(10))", {}),
    "hinge sign of the lecture": (
        "sum_{j != y} max(0, s_j - s_y + 1)",
        "s",
        "sum_{j != y} 1[s_j + s_y + 1 > 0] onehot(y)",
        {},
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_claim(case: str) -> None:
    source, wrt, claim, options = WRONG[case]
    report = sg.check(source, wrt=wrt, claim=claim, **options)
    assert report.verdict == "wrong", report.reason
    assert not report
    assert report.reason
    example = report.counterexample
    if example is not None:
        at = {name: np.array(value) for name, value in example.variables.items()}
        gradient = sg.compile(report.gradient)(**at)
        assert np.isclose(gradient[example.index] if np.shape(gradient) else gradient, example.expected, rtol=1e-9)
        assert example.expected != example.claimed


FINDINGS = {
    "factor": ("W x x^T", "factor"),
    "sign": ("-2 W x x^T", "sign"),
    "layout": ("2 x (W x)^T", "layout"),
    "shape": ("2 x x^T W", "shape"),
}


@pytest.mark.parametrize("case", FINDINGS)
def test_finding(case: str) -> None:
    claim, code = FINDINGS[case]
    report = sg.check(QUADRATIC, wrt="W", claim=claim)
    assert [finding.code for finding in report.diagnosis] == [code]


UNDECIDED: dict[str, tuple[str, str, Any]] = {
    "the function exists nowhere": ("sqrt(-exp(x))", "x", None),
    "the claim exists nowhere": ("x^2", "x", lambda x: np.nan * x),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_undecided(case: str) -> None:
    source, wrt, claim = UNDECIDED[case]
    report = sg.check(source, wrt=wrt, claim=claim)
    assert report.verdict == "undecided"
    assert report.reason


def test_a_claim_that_raises_is_no_traceback() -> None:
    def broken(**_: Any) -> Any:
        raise ZeroDivisionError("oops")

    report = sg.check("x^2", wrt="x", claim=broken)
    assert report.verdict == "undecided"
    assert "oops" in report.reason


# --- points, kinks, reports -------------------------------------------------------------------------------------------

KINKS = {"max(0, x)": (0, 1), "|x|": (-1, 1), "max(-1, min(1, x))": None}


@pytest.mark.parametrize("source", KINKS)
def test_kinks_are_visited_and_named(source: str) -> None:
    report = sg.check(source, wrt="x")
    assert report
    wanted = KINKS[source]
    if wanted is not None:
        (kink,) = report.kinks
        assert np.allclose((kink.low, kink.high), wanted)
        assert kink.inside
        assert "any value in" in str(kink)


ORDERS: dict[str, tuple[str, str | list[str], int, str]] = {
    "vec of a gradient": ("tr(A X)", "X", 1, "vec"),
    "Kronecker": ("A X B", "X", 1, "vec"),
    "vec of a row": ("X b", "X", 1, "vec"),
    "commuted": ("X^T X", "X", 1, "vec"),
    "vec of entries": ("exp(X)", "X", 1, "vec"),
    "vec Hessian": ("tr(X^T A X)", "X", 2, "vec"),
    "mixed": ("sum((T - u v^T)^2)", ["u", "v"], 2, "gradient"),
    "mixed, stacked": ("||A X b||^2", ["X", "b"], 2, "vec"),
    "third": ("log(1 + exp(w^T x))", "w", 3, "gradient"),
    "logistic": ("log(1 + exp(-y w^T x))", "w", 2, "gradient"),
    "quartic": ("||x||^4", "x", 2, "gradient"),
    "row": ("w^T A x", "x", 1, "numerator"),
    "transposed Jacobian": ("A x", "x", 1, "denominator"),
}


@pytest.mark.parametrize("case", ORDERS)
def test_orders_and_layouts(case: str) -> None:
    source, wrt, order, layout = ORDERS[case]
    report = sg.check(source, wrt=wrt, order=order, layout=layout)
    assert report, report.reason
    assert {w.name for w in report.witnesses if w.points} >= {"sympy", "numerical", "jax-forward", "jax-reverse"}


LAYOUT_CLAIMS: dict[str, tuple[str, str, str, int, str]] = {
    "vec": ("tr(A X)", "X", "vec", 1, "vec(A^T)"),
    "outer": ("a^T X b", "X", "vec", 1, "b ⊗ a"),
    "Kronecker": ("A X B", "X", "vec", 1, "B^T ⊗ A"),
    "inverse": ("inv(X)", "X", "vec", 1, "-kron(inv(X)^T, inv(X))"),
    "sized identity": ("X b", "X", "vec", 1, "b^T ⊗ I_m"),
    "commutation": ("X^T", "X", "vec", 1, "commutation(m, n)"),
    "commuted": ("X^T X", "X", "vec", 1, "(eye(n) ⊗ X^T) + commutation(n, n) (I_n ⊗ X^T)"),
    "vec Hessian": ("||T - U V^T||^2", "U", "vec", 2, "2 kron(V^T V, I_m)"),
    "row": ("w^T x", "w", "numerator", 1, "x^T"),
    "transposed": ("tr(A X B X^T C)", "X", "numerator", 1, "B X^T C A + B^T X^T A^T C^T"),
    "denominator": ("A x", "x", "denominator", 1, "A^T"),
}


@pytest.mark.parametrize("case", LAYOUT_CLAIMS)
def test_claims_in_a_layout(case: str) -> None:
    """The claim is right in its layout; twice the claim is wrong."""
    source, wrt, layout, order, claim = LAYOUT_CLAIMS[case]
    options: dict[str, Any] = {"wrt": wrt, "order": order, "shapes": LAYOUT_SHAPES.get(case)}
    options["assume"] = "X: invertible" if "inv" in source else None
    report = sg.check(source, layout=layout, claim=claim, **options)
    assert report, report.reason
    assert sg.check(source, layout=layout, claim=f"2 ({claim})", **options).verdict == "wrong"


LAYOUT_SHAPES = {
    "sized identity": "X: m n, b: n",
    "commutation": "X: m n",
    "commuted": "X: m n",
    "vec Hessian": "T: m n, U: m k, V: n k",
}


def test_report_is_json_and_repeatable() -> None:
    one, other = (sg.check(QUADRATIC, wrt="W", claim="W x x^T").to_dict() for _ in range(2))
    assert json.loads(json.dumps(one, allow_nan=False)) == json.loads(json.dumps(other))
    assert {"schema", "function", "variables", "wrt", "gradient", "claim", "verdict", "certainty", "witnesses"} <= set(
        one
    )
    assert {"counterexample", "diagnosis", "reason"} <= set(one)


def test_jax_keeps_its_precision() -> None:
    before = jax.config.jax_enable_x64
    sg.check("x^2", wrt="x")
    assert jax.config.jax_enable_x64 == before


MAKERS: dict[str, Callable[[], Any]] = {
    "bool": lambda: bool(sg.check("x^2", wrt="x")),
    "text": lambda: str(sg.check("x^2", wrt="x")),
}


@pytest.mark.parametrize("case", MAKERS)
def test_report_reads(case: str) -> None:
    assert MAKERS[case]()
