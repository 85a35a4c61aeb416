"""Claims in every way in which they are written, and those of a reference corpus if it is beside the repository."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

import symgrad as sg
from tests.conftest import ROOT

CASES = ROOT.parent / "shared" / "cases" / "corpus.json"
QUADRATIC = "q = W x; ||q||^2"
SOFTMAX = "s = W x; p = softmax(s); -log(p_y)"
NETWORK = "Z = X W_1; H = max(0, Z); O = H W_2; 1/2 ||O - Y||_F^2"
SHAPES = {SOFTMAX: "W: C D, x: D, y:", NETWORK: "X: N D, W_1: D M, W_2: M K, Y: N K"}

#: function, variable (None where the claim names it), claim.
WRITTEN: dict[str, tuple[str, str | None, str]] = {
    "a name of the function": (QUADRATIC, "W", "2 q x^T"),
    "a name of the claim": (QUADRATIC, "W", "r = W x; 2 r x^T"),
    "a name explained behind": (QUADRATIC, "W", r"2 r x^{\top}, \quad r = W x"),
    "a name explained in words": (QUADRATIC, "W", "2 r x^T where r = W x"),
    "nabla": (QUADRATIC, None, "∇_W f = 2 q x^T"),
    "a fraction": (QUADRATIC, None, r"\frac{\partial f}{\partial W} = 2 q x^\top"),
    "in a line": (QUADRATIC, "W", "∂f/∂W = 2 q x^T"),
    "as in code": (QUADRATIC, "W", "dW = 2 * np.outer(W @ x, x)"),
    "by index": (QUADRATIC, "W", r"\frac{\partial f}{\partial W_{ij}} = 2 q_i x_j"),
    "by a sum over an index": (QUADRATIC, "W", r"\frac{\partial f}{\partial W_{i,j}} = 2 \sum_k W_{ik} x_k x_j"),
    "by other letters": (QUADRATIC, "W", r"\frac{\partial f}{\partial W_{ji}} = 2 q_j x_i"),
    "probabilities": (SOFTMAX, "W", "(p - onehot(y)) x^T"),
    "probabilities by index": (SOFTMAX, "W", r"\frac{\partial L}{\partial W_{kj}} = (p_k - 1[k = y]) x_j"),
    "one at the label": (SOFTMAX, "W", r"(p - \mathbf{1}_{y}) x^{\top}"),
    "several names": (NETWORK, "W_1", "dO = O - Y; dH = dO W_2^T; dZ = dH .* 1[Z > 0]; X^T dZ"),
    "delta": (NETWORK, "W_1", r"\delta = (O - Y) W_2^\top \odot \mathbf{1}[Z > 0]; X^\top \delta"),
    "through a derivative": (QUADRATIC, "W", "(∂f/∂q) x^T"),
    "through a derivative of a function without a name": (SOFTMAX, "W", r"\frac{\partial L}{\partial s} x^T"),
    "through a function's derivative": ("g(z) = 1/(1 + exp(-z)); L = g(w^T x)", "w", "g'(w^T x) x"),
    "an entry": ("||x||^2", "x", "2 x_i"),
    "an entry with a sum": ("x^T A x", "x", r"\sum_j (A_{ij} + A_{ji}) x_j"),
    "the function itself": (
        r"h_\theta(x) = \frac{1}{1 + e^{-\theta^T x}}",
        "theta",
        r"h_\theta(x) (1 - h_\theta(x)) x",
    ),
    "numbered names of the claim": (NETWORK, "W_2", "z_1 = X W_1; a_1 = max(0, z_1); a_1^T (O - Y)"),
    "zero": ("sum(softmax(x))", "x", "0"),
    "cases": ("sum(max(0, x))", "x", r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_a_right_claim_is_right_however_it_is_written(case: str) -> None:
    function, wrt, claim = WRITTEN[case]
    assert sg.check(function, wrt=wrt, claim=claim, shapes=SHAPES.get(function))


def test_indices_without_a_left_side_are_bound_where_only_one_way_fits() -> None:
    assert sg.check(QUADRATIC, wrt="W", claim="2 q_i x_j")
    assert sg.check("tr(A X)", wrt="X", claim="A_ji", shapes="A: n m, X: m n")
    assert sg.check(r"\sum_{ij} X_{ij} A_{ji}", wrt="X", claim="A_{ji}", shapes="A: n n, X: n n")


@pytest.mark.parametrize(("shapes", "claim"), [("A: n n, X: n n", "A_ji"), ("A: n m, X: m n", "A_ij")])
def test_indices_without_a_left_side_are_refused(shapes: str, claim: str) -> None:
    """Which of them counts the rows is nowhere said."""
    with pytest.raises(sg.SymgradError, match="nothing binds the indices"):
        sg.check("tr(A X)", wrt="X", claim=claim, shapes=shapes)


@pytest.mark.parametrize(
    ("function", "claim", "told"),
    [
        (r"\sum_i x_i^2", r"(2x_1, \ldots, x_n)", "the dots leave out"),
        (r"\sum_i x_i^2", r"[2x_1, 3x_2, \ldots, 2x_n]", "the dots leave out"),
        (r"\max(0, a^T x) + \max(0, b^T x)", r"a \mathbf{1}[\cdot > 0]", "the function has 2"),
        (r"\sum_i x_i^2", r"2 x_i\ (i \neq k)", "nothing says what holds otherwise"),
        ("||A x||^2", r"\overline{A A} x", "over which axis"),
        (r"\|A - x x^T\|_F^2", r"a_i x_i", "a row or a column"),
    ],
)
def test_what_a_claim_leaves_out_is_never_guessed(function: str, claim: str, told: str) -> None:
    with pytest.raises(sg.SymgradError, match=told):
        sg.check(function, wrt="x", claim=claim, shapes="x: n, A: n n")


def test_a_claim_that_inverts_what_has_no_inverse_is_judged() -> None:
    assert sg.check("||x||^2", wrt="x", claim="(x x^T)^{-1} x", shapes="x: n").verdict != "correct"


#: Right claims in what books write without defining it.
CUSTOMARY: dict[str, tuple[str, str, str, str, str]] = {
    "ones of a length": ("sum(A x)", "x", r"A^\top \mathbf{1}_m", "A: m n, x: n", "gradient"),
    "commutation": ("X'", "X", "K_{mn}", "X: m n", "vec"),
    "symmetrizer": ("X X'", "X", r"2 N_n (X \otimes I_n)", "X: n m", "vec"),
    "an identity of a product": ("X X'", "X", r"(I_{n^2} + K_{nn})(X \otimes I_n)", "X: n m", "vec"),
    "single entry": ("A X B", "X", r"\frac{\partial A X B}{\partial X_{ij}} = A J^{ij} B", "A: m n, X: n p, B: p q", "gradient"),
    "sums of rows": ("1/2 ||rowsum(X)||^2", "X", r"\operatorname{rowsum}(X) \mathbf{1}_n^\top", "X: m n", "gradient"),
    "sums of rows beside a matrix": ("1/2 sum(X .* (X - rowsum(X)))", "X", "X - rowsum(X)", "X: m n", "gradient"),
}  # fmt: skip


@pytest.mark.parametrize("case", CUSTOMARY)
def test_customary_matrices(case: str) -> None:
    function, wrt, claim, shapes, layout = CUSTOMARY[case]
    report = sg.check(function, wrt=wrt, claim=claim, shapes=shapes, layout=layout)
    assert report, report.reason


#: What a left side is about where it is not what was asked.
ANOTHER = {
    "another variable": ("W", r"\nabla_x f = 2 q x^T", "by x"),
    "another function": ("W", r"\frac{\partial q}{\partial W} = 2 q x^T", "of q"),
    "another order": ("W", r"\frac{\partial^2 f}{\partial W^2} = 2 q x^T", "of order 2"),
    "another expression": ("W", r"\frac{\partial \|W\|^2}{\partial W} = 2 q x^T", "another function"),
}


@pytest.mark.parametrize("case", ANOTHER)
def test_a_claim_about_another_derivative_is_refused(case: str) -> None:
    wrt, claim, told = ANOTHER[case]
    with pytest.raises(sg.SymgradError, match=told):
        sg.check(QUADRATIC, wrt=wrt, claim=claim)


def test_a_number_for_equal_entries_is_not_decided() -> None:
    assert sg.check("(sum(X))^2", wrt="X", claim="2 sum(X)", shapes="X: m n").verdict == "undecided"
    assert sg.check("(sum(X))^2", wrt="X", claim="∂f/∂X_ij = 2 sum(X)", shapes="X: m n")
    assert sg.check("(sum(X))^2", wrt="X", claim="3 sum(X)", shapes="X: m n").verdict == "wrong"


def test_a_claim_made_of_itself_is_refused() -> None:
    with pytest.raises(sg.SymgradError, match="made of the derivative by W itself"):
        sg.check(QUADRATIC, wrt="W", claim="1 (∂f/∂W)")


#: function, variable, claim, the layout in which it is right, or nothing.
ELSEWHERE: dict[str, tuple[str, str, str, str]] = {
    "transpose": ("||W x||^2", "W", "2 x (W x)^T", "numerator"),
    "row": ("x^T A x", "x", "x^T (A + A^T)", "numerator"),
    "denominator": ("A x", "x", "A^T", "denominator"),
    "vec": ("a^T X b", "X", "b ⊗ a", "vec"),
    "vec as a row": ("a^T X b", "X", "b^T ⊗ a^T", "vec (as a row)"),
    "twice a transpose": ("||W x||^2", "W", "4 x (W x)^T", ""),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_a_claim_in_another_layout_is_said_as_exactly_that(case: str) -> None:
    function, wrt, claim, layout = ELSEWHERE[case]
    report = sg.check(function, wrt=wrt, claim=claim)
    assert report.verdict == "wrong"
    assert (f"right in {layout} layout" in report.reason) == bool(layout)
    assert [finding.code for finding in report.diagnosis] == ["layout" if layout else "shape"]


#: Claims that hold only for distributions, or where a matrix is symmetric, and what must be assumed for them.
ASSUMED: dict[str, tuple[str, str, str, str, str]] = {
    "cross entropy": ("-sum(y .* log(softmax(z)))", "z", "softmax(z) - y", "y: n, z: n", "y: distribution"),
    "log det": ("log(det(K))", "K", "K^{-1}", "K: n n", "K: symmetric_values"),
}


@pytest.mark.parametrize("case", ASSUMED)
def test_what_a_claim_needs_can_be_assumed(case: str) -> None:
    function, wrt, claim, shapes, assume = ASSUMED[case]
    assert sg.check(function, wrt=wrt, claim=claim, shapes=shapes).verdict == "wrong"
    report = sg.check(function, wrt=wrt, claim=claim, shapes=shapes, assume=assume)
    assert report, report.reason
    assert all(witness.agrees for witness in report.witnesses if witness.points)


# --- a reference corpus ------------------------------------------------------------------------------------------------


def _judged(monkeypatch: pytest.MonkeyPatch, step: int, forms: tuple[str, ...]) -> list[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    claims: Any = importlib.import_module("claims")
    cases = json.loads(CASES.read_text("utf-8"))[::step]
    return list(claims.rows(cases, forms))


def _fair(rows: list[Any], known: frozenset[str] = frozenset()) -> None:
    assert rows
    unfair = [row for row in rows if row.outcome not in {"right", "refused"} and row.case not in known]
    assert not unfair, "\n".join(f"{row.case} {row.form}: {row.outcome}: {row.reason}" for row in unfair)


@pytest.mark.skipif(not CASES.exists(), reason="the reference corpus is not beside the repository")
def test_some_claims_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    _fair(_judged(monkeypatch, 29, ("text", "code")))


#: A claim whose LaTeX is one number for a matrix of equal entries, which is left undecided.
LOOSE = frozenset({"cb-076"})


@pytest.mark.slow
@pytest.mark.skipif(not CASES.exists(), reason="the reference corpus is not beside the repository")
@pytest.mark.parametrize("form", ["text", "latex", "code"])
def test_every_claim_of_the_corpus(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    rows = _judged(monkeypatch, 1, (form,))
    _fair(rows, LOOSE if form == "latex" else frozenset())
    assert sum(row.outcome == "right" for row in rows) >= {"text": 239, "latex": 281, "code": 300}[form]
