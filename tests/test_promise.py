"""The promise of a verdict: claims that other checkers accept, each as a formula and as a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.verify import balls
from symgrad.verify.ground import Ground, ground
from symgrad.verify.points import SIZES, Sampler

Program = Callable[..., Any]


@dataclass(frozen=True)
class Fool:
    """A right gradient and wrong ones that look like it; each a formula, a program, or both."""

    name: str
    function: str
    wrt: str
    shapes: str
    right: Program
    formula: str = ""
    program: Program | None = None


def affine(X: Any, W: Any, b: Any, G: Any) -> Any:
    return G.sum(0)


def jumping(x: Any) -> Any:
    """Right at all fixed points, which are multiples of a tenth."""
    return 2 * x + (0.0 if np.allclose(x * 10, np.round(x * 10)) else 1e-3)


def changed(x: Any) -> Any:
    """2 x written into the argument, and then once more."""
    x *= 2
    x += 1e-4
    return x


def ridge(X: Any, w: Any, y: Any) -> Any:
    return 2 * X.T @ (X @ w - y) + 1e-5 * w


def square(x: Any) -> Any:
    return 2 * x


AFFINE = ("sum(G .* (X W + ones b^T))", "b", "X: N D, W: D M, b: M, G: N M", affine)
NORM = ("||x||^2", "x", "x: n", square)
SCALAR = ("x^2", "x", "x:", square)
RELU = ("max(0, x)", "x", "x:", lambda x: 1.0 * (x > 0))
RIDGE = ("||X w - y||^2 + 0.000005 ||w||^2", "w", "X: N D, w: D, y: N", ridge)

FOOLS = [
    Fool("unsummed bias", *AFFINE, "G", lambda X, W, b, G: G),
    Fool("mean for a sum over the batch", *AFFINE, "G^T ones / N", lambda X, W, b, G: G.mean(0)),
    Fool("(1, n) for (n,)", *NORM, "2 x^T", lambda x: 2 * x[None, :]),
    Fool("(n, 1) for (n,)", *NORM, "", lambda x: 2 * x[:, None]),
    Fool("missing λ-term, λ small", *RIDGE, "2 X^T (X w - y)", lambda X, w, y: 2 * X.T @ (X @ w - y)),
    Fool("λ for 2 λ, λ small", *RIDGE, "2 X^T (X w - y) + 0.000005 w", lambda X, w, y: ridge(X, w, y) - 5e-6 * w),
    Fool("a term of 1e-12", "x^2 + 0.000000000001 y", "y", "x:, y:", lambda x, y: 1e-12, "0 y", lambda x, y: 0.0),
    Fool("tiny function", "0.0000001 ||x||^2", "x", "x: n", lambda x: 2e-7 * x, "0.000000202 x", lambda x: 2.02e-7 * x),
    Fool("tiny function forgotten", "0.0000001 ||x||^2", "x", "x: n", lambda x: 2e-7 * x, "0 x", lambda x: 0 * x),
    Fool("orthogonal to ones", *NORM, "", lambda x: 2 * x + 1e-3 * (np.arange(len(x)) - (len(x) - 1) / 2)),
    Fool("orthogonal to x", "||x||^2", "x", "x: 2", square, "2 x + 0.001 [x_2; -x_1]", lambda x: 2 * x + 1e-3 * np.array([x[1], -x[0]])),
    Fool("large inputs only", *SCALAR, "2 x + max(0, x - 100)", lambda x: 2 * x + max(0.0, x - 100)),
    Fool("large negative inputs only", *SCALAR, "2 x + max(0, -x - 10^6)", lambda x: 2 * x + max(0.0, -x - 1e6)),
    Fool("huge inputs only", *SCALAR, "2 x + max(0, x - 10^12)"),
    Fool("tiny inputs only", *SCALAR, "2 x 1[|x| > 0.001]", lambda x: 2 * x * (abs(x) > 1e-3)),
    Fool("at one number only", *SCALAR, "2 x + 1[x = 5]"),
    Fool("n > 3 only", *NORM, "", lambda x: 2 * x if len(x) <= 3 else 3 * x),
    Fool("n > 8 only", *NORM, "", lambda x: 2 * x if len(x) <= 8 else 3 * x),
    Fool("n = 1 only", *NORM, "", lambda x: 2 * x if len(x) > 1 else 3 * x),
    Fool("n = 2 only", *NORM, "", lambda x: 2 * x if len(x) != 2 else 3 * x),
    Fool("relative 1e-9", *NORM, "2 x (1 + 0.000000001)", lambda x: 2 * x * (1 + 1e-9)),
    Fool("absolute 1e-12", *SCALAR, "2 x + 0.000000000001"),
    Fool("right at the fixed points", *NORM, "", jumping),
    Fool("its argument, changed", *NORM, "", changed),
    Fool("no number for negative x", *SCALAR, "", lambda x: np.sqrt(x) ** 2 + x),
    Fool("no number where x is small", *SCALAR, "", lambda x: 2 * x if abs(x) > 1e-2 else np.nan),
    Fool("infinite in one entry", *NORM, "", lambda x: np.where(np.arange(len(x)) == 4, np.inf, 2 * x)),
    Fool("positive x only", *SCALAR, "2 |x|", lambda x: 2 * abs(x)),
    Fool("square matrices only", "||W x||^2", "W", "W: m n, x: n", lambda W, x: 2 * np.outer(W @ x, x), "",
        lambda W, x: 2 * np.outer(W @ x, x) if len(W) == len(x) else 0 * W),
    Fool("symmetric matrices only", "x^T A x", "x", "A: n n, x: n", lambda A, x: (A + A.T) @ x, "2 A x", lambda A, x: 2 * A @ x),
    Fool("batch of one only", "1/N ||X w||^2", "w", "X: N D, w: D", lambda X, w: 2 * X.T @ X @ w / len(X), "2 X^T X w",
        lambda X, w: 2 * X.T @ X @ w),
    Fool("another threshold", *RELU, "1[x > -1]", lambda x: 1.0 * (x > -1)),
    Fool("a threshold close by", *RELU, "1[x > -0.00001]", lambda x: 1.0 * (x >= 1e-5)),
    Fool("a threshold of another function", *RELU, "1[exp(x) > 0.999999]"),
    Fool("between two numbers only", *RELU, "1[x > 0] + 1[x > 5] 1[x < 5.000001]"),
    Fool("a narrow cap", *SCALAR, "2 x + max(0, sin(x) - 0.99999)"),
    Fool("no threshold", *RELU, "1", lambda x: 1.0),
    Fool("tiny where it should be zero", *RELU, "1[x > 0] + 10^(-40) 1[x < 0]"),
    Fool("relative 1e-50", *SCALAR, "2 x (1 + 10^(-50))"),
    Fool("absolute 1e-300", *NORM, "2 x + 10^(-300)"),
    Fool("first class only", "-log(softmax(s)_y)", "s", "s: C, y:", lambda s, y: np.exp(s) / np.exp(s).sum() - np.eye(len(s))[y],
        "", lambda s, y: np.exp(s) / np.exp(s).sum() - np.eye(len(s))[0]),
]  # fmt: skip
FORMULAS = [fool for fool in FOOLS if fool.formula]
PROGRAMS = [fool for fool in FOOLS if fool.program]


@pytest.mark.parametrize("fool", FORMULAS, ids=lambda fool: fool.name)
def test_no_formula_fools(fool: Fool) -> None:
    report = sg.check(fool.function, wrt=fool.wrt, claim=fool.formula, shapes=fool.shapes)
    assert report.verdict == "wrong", report.reason
    assert report.counterexample or report.certainty == "proved"


@pytest.mark.parametrize("fool", PROGRAMS, ids=lambda fool: fool.name)
def test_no_program_fools(fool: Fool) -> None:
    report = sg.check(fool.function, wrt=fool.wrt, claim=fool.program, shapes=fool.shapes)
    assert report.verdict == "wrong", report.reason


@pytest.mark.parametrize("fool", FOOLS, ids=lambda fool: fool.name)
def test_the_right_program_is_accepted(fool: Fool) -> None:
    report = sg.check(fool.function, wrt=fool.wrt, claim=fool.right, shapes=fool.shapes)
    assert report, report.reason


def test_every_dimension_is_1_2_3_and_beyond_and_no_two_are_equal() -> None:
    """Also of functions with several dimensions, where each must be small and large."""
    function = sg.parse("sum(A B C)", shapes="A: m n, B: n p, C: p q")
    known = Ground(function.node, (function.variable("B"),), sg.gradient(function, "B").node, "gradient", 0)
    sizes = [sample.point.sizes for sample in known.samples]
    for dim in "mnpq":
        assert {1, 2, 3} <= {s[dim] for s in sizes}
        assert max(s[dim] for s in sizes) > 7
    assert all(len(set(s.values())) == len(s) for s in sizes if max(s.values()) > 3)
    signs = [np.sign(sample.point.values["B"]) for sample in known.samples]
    assert any(np.all(s < 0) for s in signs)
    assert any(np.all(s > 0) for s in signs)


def test_a_hidden_term_is_said() -> None:
    """A program may lack a term that float64 cannot show, and nobody can tell."""
    report = sg.check("x^2 + 10^(-30) x^2", wrt="x", claim=lambda x: 2 * x)
    assert report.verdict in {"correct", "undecided"}


#: Claims that are wrong where no point lies, with what is said of them.
UNSEEN: dict[str, tuple[str, str, str, str, str]] = {
    "a large dimension": ("||x||^2", "x", "2 x + max(0, n - 100) x", "x: n", "relu was 0"),
    "one dimension": ("||x||^2", "x", "2 x + 1[n = 7] x", "x: n", "1[... = 0] was 0"),
    "a narrow peak": ("x^2", "x", "2 x (1 + exp(-10^6 (x - 7.3)^2))", "x:", "exp was 0"),
    "a steep slope": ("|x|", "x", "tanh(10^9 x)", "x:", "tanh was -1 or 0 or 1"),
    "a sharp softmax": ("max(x)", "x", "softmax(10^6 x)", "x: n", "softmax was 0 or "),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_a_branch_that_no_point_lies_on_is_said(case: str) -> None:
    function, wrt, claim, shapes, said = UNSEEN[case]
    report = sg.check(function, wrt=wrt, claim=claim, shapes=shapes)
    assert report.verdict == "undecided"
    assert said in report.reason


def test_a_branch_of_a_program_is_said_too() -> None:
    report = sg.check("||x||^2", wrt="x", claim=lambda x: 2 * x + np.maximum(0, len(x) - 1000), shapes="x: n")
    assert report.verdict == "undecided"
    assert "relu was 0" in report.reason


def leaving(x: Any) -> Any:
    raise SystemExit(0)


#: Programs that nothing can be said of, with why.
UNTOLD: dict[str, tuple[Program, str]] = {
    "it ends the process": (leaving, "SystemExit"),
    "it returns nothing": (lambda x: None, "returned None"),
    "it returns text": (lambda x: np.array([str(2 * value) for value in x]), "returned text"),
    "its numbers are short": (lambda x: (2 * x).astype(np.float32), "fewer digits than float64"),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_nothing_is_said_of_a_program_that_gives_no_number(case: str) -> None:
    program, said = UNTOLD[case]
    report = sg.check("||x||^2", wrt="x", claim=program, shapes="x: n")
    assert report.verdict == "undecided"
    assert said in report.reason


#: Lines that are wrong on a side of a branch, and one that nobody looked at.
LINES = {
    "max(0, x) = x 1[x > -0.0001]": "wrong",
    "max(0, x) = x 1[x > 0.0001]": "wrong",
    "max(0, x) = x 1[x >= 0]": "correct",
    "1 = 1 + 10^(-60)": "wrong",
    "|x| = x tanh(10^9 x)": "undecided",
}


@pytest.mark.parametrize("line", LINES)
def test_lines_are_looked_at_on_both_sides_of_their_branches(line: str) -> None:
    assert sg.check_derivation(line).verdict == LINES[line]


# --- a proof that a claim is wrong ------------------------------------------------------------------------------------

APART: dict[str, tuple[str, str, str, str]] = {
    "polynomial": ("||W x||^2", "W", "W x x^T", "W: m n, x: n"),
    "softmax": ("log(sum(exp(s)))", "s", "softmax(s)^2", "s: n"),
    "sigmoid and tanh": ("sum(sigmoid(z) + tanh(z))", "z", "sigmoid(z) .* (1 - tanh(z))", "z: n"),
    "root": ("sqrt(1 + x^T x)", "x", "x (1 + x^T x)", "x: n"),
    "relu": ("sum(max(0, W x))", "W", "1[W x < 0] x^T", "W: m n, x: n"),
    "inverse": ("log(det(A^T A + I))", "A", "(A^T A + I)^{-1}", "A: n n"),
    "label": ("-log(softmax(s)_y)", "s", "softmax(s)", "s: C, y:"),
}


@pytest.mark.parametrize("case", APART)
@pytest.mark.parametrize("library", ["arb", "mpmath"])
def test_a_wrong_formula_is_proved_wrong(case: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if library == "arb":
        pytest.importorskip("flint")
    else:
        monkeypatch.setattr(balls, "arb", lambda: None)
    source, wrt, claim, shapes = APART[case]
    report = sg.check(source, wrt=wrt, claim=claim, shapes=shapes)
    assert (report.verdict, report.certainty) == ("wrong", "proved"), report.reason
    assert "encloses" in report.reason


def test_a_program_is_proved_wrong_by_nothing() -> None:
    report = sg.check("||x||^2", wrt="x", claim=lambda x: 3 * x)
    assert (report.verdict, report.certainty) == ("wrong", "tested")


@pytest.mark.parametrize("library", [balls.arb, balls.intervals])
def test_enclosures_contain_the_value_and_equal_ones_overlap(library: Any) -> None:
    found = library()
    if found is None:
        pytest.skip("python-flint is not installed")
    function = sg.parse("sum(sigmoid(W x)^2) + log(1 + x^T x)", shapes="W: m n, x: n")
    variables = list(map(function.variable, "Wx"))
    sampler = Sampler(function.node, 0)
    point = sampler.draw(sampler.assign(SIZES[0]))
    value = float(sg.compile(function)(**point.values))
    example = sg.verify.Counterexample({k: v.tolist() for k, v in point.values.items()}, (), value, value)
    with found.precise():
        ball = balls.enclosed(function.node, example, variables, found)
        assert float(found.low(ball)) <= value * (1 + 1e-15)
        assert float(found.high(ball)) >= value * (1 - 1e-15)
        assert float(found.high(ball) - found.low(ball)) < 1e-30
    assert balls.apart(function.node, function.node, example, variables) is None


# --- kinks --------------------------------------------------------------------------------------------------------------

#: function, variable, claim, and what the report says: the value that the claim picks, or None for a wrong one.
PICKS: dict[str, tuple[str, str, str, float | None]] = {
    "ReLU, left": ("max(0, x)", "x", "1[x > 0]", 0.0),
    "ReLU, right": ("max(0, x)", "x", "1[x >= 0]", 1.0),
    "ReLU, between": ("max(0, x)", "x", "1[x > 0] + 0.3 1[x = 0]", 0.3),
    "ReLU, beyond": ("max(0, x)", "x", "1[x > 0] + 1.3 1[x = 0]", None),
    "ReLU, below": ("max(0, x)", "x", "1[x > 0] - 0.1 1[x = 0]", None),
    "abs": ("|x|", "x", "sign(x) - 1[x = 0]", -1.0),
    "abs, beyond": ("|x|", "x", "sign(x) + 2 1[x = 0]", None),
    "a tie, left": ("max(a, b)", "a", "1[a > b]", 0.0),
    "a tie, half": ("max(a, b)", "a", "1[a > b] + 1/2 1[a = b]", 0.5),
    "a tie, beyond": ("max(a, b)", "b", "1[b >= a] + 1[a = b]", None),
    "a tie of products": ("max(2 a, a b)", "b", "a 1[a b > 2 a]", 0.0),
    "a tie of entries": ("sum(max(u, v))", "u", "1[u >= v]", 1.0),
    "the largest entry": ("max(x)", "x", "argmax(x)", 1.0),
    "the largest score": ("max(s + 1 - onehot(y)) - s_y", "s", "argmax(s + 1 - onehot(y)) - onehot(y)", 0.0),
    "a minimum": ("min(a, b)", "a", "1[a < b] - 1[a = b]", None),
}


def test_ties_of_a_largest_entry_are_kinks() -> None:
    """Of two largest entries either may have the derivative, and books give it to both."""
    assert sg.check("max(x)", wrt="x", claim="1[x = max(x)]", shapes="x: n")
    assert sg.check("||x||_inf", wrt="x", claim="sign(x) .* 1[|x| = ||x||_inf]", shapes="x: n")
    assert not sg.check("max(x)", wrt="x", claim="1[x < max(x)]", shapes="x: n")


@pytest.mark.parametrize("case", PICKS)
def test_any_value_between_the_one_sided_derivatives_is_right(case: str) -> None:
    function, wrt, claim, picked = PICKS[case]
    report = sg.check(function, wrt=wrt, claim=claim)
    if picked is None:
        assert report.verdict == "wrong"
        assert "at a kink" in report.reason
        assert report.counterexample is not None
        return
    assert report, report.reason
    assert [round(kink.claimed, 9) for kink in report.kinks] == [picked]
    assert "the claim" in str(report.kinks[0])


def _ties(x: Any) -> Any:
    return (x == x.max()) / np.sum(x == x.max())


@pytest.mark.parametrize(("share", "right"), [(1.0, True), (0.5, True), (1.2, True), (2.4, False), (-0.2, False)])
def test_a_tie_may_be_shared(share: float, right: bool) -> None:
    def claim(x: Any) -> Any:
        return _ties(x) * (1.0 if np.sum(x == x.max()) == 1 else share)

    report = sg.check("max(x)", wrt="x", claim=claim, shapes="x: n")
    assert bool(report) is right
    assert "amax at a tie" in (str(report.kinks[0]) if right else report.reason)


def test_a_norm_that_is_zero_for_certain_has_the_subgradient_zero() -> None:
    distances = "sum_i sum_j ||X_{i,:} - X_{j,:}||"
    assert sg.check(distances, wrt="X", shapes="X: n d")
    gradient = sg.gradient(distances, "X", shapes="X: n d")
    points = np.random.default_rng(0).normal(size=(4, 3))
    between = points[:, None] - points
    lengths = np.linalg.norm(between, axis=2) + np.eye(4)
    np.testing.assert_allclose(sg.compile(gradient)(X=points), 2 * (between / lengths[:, :, None]).sum(1))
    with np.errstate(invalid="ignore"):
        assert not np.all(np.isfinite(sg.compile("x / ||x||", shapes="x: n")(x=np.zeros(2))))


def test_cases_may_leave_the_kink_out() -> None:
    assert sg.check("|x|", wrt="x", claim=r"\begin{cases} 1 & x > 0 \\ -1 & x < 0 \end{cases}", syntax="latex")
    assert sg.check("|x|", wrt="x", claim=lambda x: x / abs(x))


# --- who is heard when ------------------------------------------------------------------------------------------------


def test_a_verdict_on_a_claim_needs_numpy_alone(python: Callable[..., Any]) -> None:
    """Witnesses are called when somebody looks at them, and then they are all there."""
    program = (
        "import sys, symgrad as sg\n"
        "report = sg.check('||W x||^2', wrt='W', claim='W x x^T')\n"
        "print(report.verdict, report.diagnosis[0].code, 'jax' in sys.modules)\n"
        "print(len(report.witnesses), 'jax' in sys.modules)"
    )
    assert python("-c", program).out.split("\n")[:2] == ["wrong factor False", "5 True"]


def test_a_witness_against_the_gradient_undoes_the_verdict() -> None:
    report = sg.check("x^2", wrt="x", claim="2 x")
    false = sg.verify.Witness("sympy", 1.0, 3, False)
    doubted = replace(report, witnesses=(*report.witnesses, false))
    assert report.heard() is report
    assert doubted.heard().verdict == "undecided"
    assert doubted.to_dict()["verdict"] == "undecided"


def test_asking_in_another_order_changes_nothing() -> None:
    """Everything that is drawn has a stream of its own."""
    claims = ["W x x^T", "2 W x x^T + W", "-2 W x x^T"]
    one = [sg.check("||W x||^2", wrt="W", claim=claim, seed=5).to_dict() for claim in claims]
    ground.cache_clear()
    other = [sg.check("||W x||^2", wrt="W", claim=claim, seed=5).to_dict() for claim in reversed(claims)]
    assert one == other[::-1]
