"""What formulas mean: every spelling of a formula is one expression, and it computes what hand-written NumPy computes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.errors import InputError, SymgradError
from symgrad.expr import contract, variable
from symgrad.notation.names import canonical
from symgrad.notation.reading import Reading, read, read_claim, read_rule
from symgrad.ops import OPERATIONS
from symgrad.shapes import read_shapes
from tests.evaluate import evaluate

SIZES = {"m": 3, "n": 4, "p": 2, "q": 5, "N": 6, "C": 3, "D": 4, "H": 5, "k": 2, "d": 3}
CASES = Path(__file__).resolve().parent.parent.parent / "shared" / "cases" / "corpus.json"


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def relu(x: Any) -> Any:
    return np.maximum(0, x)


def hinge(s: np.ndarray, y: int) -> float:
    return sum(max(0.0, s[j] - s[y] + 1) for j in range(len(s)) if j != y)


def cross_entropy(s: np.ndarray, y: int) -> float:
    return -float(np.log(softmax(s)[y]))


def values(reading: Reading, seed: int = 0) -> dict[str, Any]:
    """Numbers for every variable; labels are integers of at most C classes."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name, declared in sorted(reading.variables.items()):
        shape = tuple(SIZES[d] if isinstance(d, str) else d for d in declared.shape)
        label = "label" in declared.assumptions
        found[name] = (
            rng.integers(0, 3, size=shape) if label else rng.uniform(0.3, 1.7, size=shape) * rng.choice([-1, 1], shape)
        )
    return found


def number(reading: Reading, seed: int = 0) -> np.ndarray:
    return evaluate(reading.node, values(reading, seed), SIZES)


#: shapes, spellings that mean the same, and the function by hand.
Formula = tuple[str, tuple[str, ...], Callable[..., Any]]
MISSION: list[Formula] = [
    ("W: m n, x: n, b: m", ("W x + b", r"W x + b", "W @ x + b", r"\mathbf{W}\mathbf{x}+\mathbf{b}"), lambda W, x, b: W @ x + b),
    (
        "W_2: C H, W_1: H D, x: D",
        (r"W_2 \max(0, W_1 x)", "W2 max(0, W1 x)", "np.maximum(0, W1 @ x) @ W2.T", "W_2 relu(W_1 x)", "h = max(0, W_1 x); f = W_2 h"),
        lambda W_2, W_1, x: W_2 @ relu(W_1 @ x),
    ),
    (
        "W_3: C p, W_2: p H, W_1: H D, x: D",
        (r"W_3 \max(0, W_2 \max(0, W_1 x))", "W3 max(0, W2 max(0, W1 x))"),
        lambda W_3, W_2, W_1, x: W_3 @ relu(W_2 @ relu(W_1 @ x)),
    ),
    (
        "s: C, y:",
        (
            r"\sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1)", r"L_i = \sum_{j \neq y} \max(0, s_j - s_y + 1)",
            "sum_{j != y} max(0, s_j - s_y + 1)",
        ),
        hinge,
    ),
    (
        "s: C, y:",
        (
            r"-\log\left(\frac{e^{s_{y_i}}}{\sum_j e^{s_j}}\right)", "-log(e^{s_y} / sum_j e^{s_j})", "-log(exp(s_y) / sum(exp(s)))",
            r"L_i = -\log\frac{\exp(s_{y})}{\sum_{k} \exp(s_k)}",
        ),
        cross_entropy,
    ),
    ("s: C, y:", (r"-s_y + \log\sum_j e^{s_j}", "-s[y] + log(sum(exp(s)))"), cross_entropy),
    ("s: C, y:", ("-log(softmax(s)_y)", r"-\log \operatorname{softmax}(s)_{y}", "-log(softmax(s)[y])"), cross_entropy),
    (
        "W: m n, x: n",
        (
            r"\|W \cdot x\|^2 = \sum_{i=1}^m (W \cdot x)_i^2", "||W x||^2", r"\sum_i (W x)_i^2", "||W x||_2^2",
            "q = W x; ||q||^2", r"f = \lVert q \rVert^2, q = W x", "sum((W @ x)**2)", "‖W x‖²",
            "x^T W^T W x",
        ),
        lambda W, x: ((W @ x) ** 2).sum(),
    ),
    (
        "W: C D, x: N D, y: N, lam:",
        (
            "L = \\frac{1}{N} \\sum_{i=1}^N L_i + \\lambda \\sum_k W_k^2\nL_i = -\\log\\left(\\frac{e^{s_{y_i}}}{\\sum_j e^{s_j}}\\right)\ns = W x_i",
            "s = W x_i; L_i = -log(e^{s_{y_i}} / sum_j e^{s_j}); L = (1/N) sum_{i=1}^N L_i + lam sum_k W_k^2",
            "s = W x_i; L_i = -log(e^{s_{y_i}} / sum_j e^{s_j}); L = (1/N) sum_i L_i + lam ||W||_F^2",
        ),
        lambda W, x, y, lam: np.mean([cross_entropy(W @ x[i], y[i]) for i in range(len(y))]) + lam * (W**2).sum(),
    ),
    (
        "W: C D, x: N D, y: N, lam:",
        (
            r"L = \frac{1}{N} \sum_{i=1}^N L_i + \lambda \sum_k W_k^2,\ L_i = \sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1),\ s = W x_i",
            "s = W x_i; L_i = sum_{j != y_i} max(0, s_j - s_{y_i} + 1); (1/N) sum_i L_i + lam sum_{kl} W_{kl}^2",
        ),
        lambda W, x, y, lam: np.mean([hinge(W @ x[i], y[i]) for i in range(len(y))]) + lam * (W**2).sum(),
    ),
    (
        "X: N D, W: D C, y: N, lam:",
        (
            r"\frac{1}{N}\sum_{i=1}^N \sum_{j \neq y_i} \max(0, s_{ij} - s_{i y_i} + 1) + \lambda \|W\|_F^2,\ s = X W",
            "S = X W; (1/N) sum_{i=1}^N sum_{j != y_i} max(0, S_{ij} - S_{i,y_i} + 1) + lam ||W||_F^2",
        ),
        lambda X, W, y, lam: np.mean([hinge(X[i] @ W, y[i]) for i in range(len(y))]) + lam * (W**2).sum(),
    ),
    (
        "X: N D, W: D C, y: N",
        (r"-\frac{1}{N} \sum_i \log p_{i y_i},\ p = \operatorname{softmax}(X W)", "P = softmax(X W); -(1/N) sum_i log P_{i,y_i}"),
        lambda X, W, y: np.mean([cross_entropy(X[i] @ W, y[i]) for i in range(len(y))]),
    ),
    ("x:, y:, z:", ("(x + y) z", r"(x + y) z", "(x + y) * z", r"(x+y)\cdot z"), lambda x, y, z: (x + y) * z),
    (
        "w_0:, x_0:, w_1:, x_1:, w_2:",
        (
            r"\frac{1}{1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)}}", "1/(1 + e^{-(w0 x0 + w1 x1 + w2)})", "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
            r"f(w, x) = \frac{1}{1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)}}",
        ),
        lambda w_0, x_0, w_1, x_1, w_2: sigmoid(w_0 * x_0 + w_1 * x_1 + w_2),
    ),
    ("x_1:, x_2:", (r"\ln(|x_1|) + x_1 x_2 - \sin(x_2)", "log(|x1|) + x1 x2 - sin(x2)", "log(abs(x1)) + x1*x2 - sin(x2)"),
     lambda x_1, x_2: np.log(abs(x_1)) + x_1 * x_2 - np.sin(x_2)),
    (
        "y:, theta: n, x: n",
        (
            r"y \log(\hat{y}) + (1 - y)\log(1 - \hat{y}),\ \hat{y} = g(\theta^T x),\ g(z) = \frac{1}{1 + e^{-z}}",
            "g(z) = 1/(1 + e^{-z}); yhat = g(theta^T x); y log(yhat) + (1 - y) log(1 - yhat)",
        ),
        lambda y, theta, x: y * np.log(sigmoid(theta @ x)) + (1 - y) * np.log(1 - sigmoid(theta @ x)),
    ),
    (
        "X: N D, theta: D, y: N",
        (
            r"J(\theta) = \frac{1}{N} \sum_{i=1}^N (\hat{y}_i - y_i)^2,\ \hat{y} = X \theta", "mean((X theta - y)^2)",
            "(1/N) ||X theta - y||^2", "np.mean((X @ theta - y)**2)",
        ),
        lambda X, theta, y: np.mean((X @ theta - y) ** 2),
    ),
    ("y: n, yhat: n", (r"SSE = \sum_{i=1}^n (y_i - \hat{y}_i)^2", "sum((y - yhat)^2)", "||y - yhat||^2"), lambda y, yhat: ((y - yhat) ** 2).sum()),
    ("W: C D", (r"R(W) = \sum_k \sum_l W_{k,l}^2", r"\sum_k W_k^2", "||W||_F^2", "sum(W .^ 2)", "np.sum(W**2)"), lambda W: (W**2).sum()),
    ("W: C D", (r"R(W) = \sum_k \sum_l |W_{k,l}|", "sum(abs(W))", r"\sum_{k,l} |W_{kl}|"), lambda W: abs(W).sum()),
    (
        "W: C D, beta:",
        ("R(W) = sum_{kl} (beta W_{kl}^2 + |W_{kl}|)", r"\beta \|W\|_F^2 + \sum_k \sum_l |W_{kl}|"),
        lambda W, beta: (beta * W**2 + abs(W)).sum(),
    ),
    ("x: n, A: n n", ("x^T A x", r"x^\top A x", "x' A x", "x @ A @ x", "xᵀ A x", r"\sum_{ij} A_{ij} x_i x_j"), lambda x, A: x @ A @ x),
    (
        "X: m n, w: n, y: m",
        ("sum(log(1 + exp(-y .* (X w))))", r"\sum_i \log(1 + e^{-y_i (X w)_i})", "np.sum(np.log(1 + np.exp(-y * (X @ w))))"),
        lambda X, w, y: np.log(1 + np.exp(-y * (X @ w))).sum(),
    ),
]  # fmt: skip
MEANINGS: list[Formula] = [
    ("x: n, y: n", ("x y^T", r"x y^{\top}", "outer(x, y)"), np.outer),
    ("x: n, y: n", (r"\langle x, y \rangle", "x^T y", "x @ y", "dot(x, y)", r"x \cdot y"), np.dot),
    ("x: n", ("||x||", r"\|x\|_2", "norm(x)", r"\sqrt{\sum_i x_i^2}"), np.linalg.norm),
    ("x: n", ("||x||_1", "sum(abs(x))", r"\sum_i |x_i|"), lambda x: abs(x).sum()),
    ("x: n", (r"\|x\|_\infty", "max(abs(x))", r"\max_i |x_i|"), lambda x: abs(x).max()),
    ("W: m n", ("||W||", r"\|W\|_F", "norm(W)"), np.linalg.norm),
    ("A: n n", ("A^3", "A A A", "A @ A @ A"), lambda A: A @ A @ A),
    ("A: n n", ("A^{-1}", "inv(A)"), np.linalg.inv),
    ("A: n n", (r"A^{-T}", r"A^{-\top}", "inv(A)^T"), lambda A: np.linalg.inv(A).T),
    ("A: n n", ("tr(A)", r"\operatorname{tr} A", r"\sum_i A_{ii}"), np.trace),
    ("A: n n", ("|A|", "det(A)", r"\det A"), np.linalg.det),
    ("A: n n, b: n", ("A - b ones(n)^T", r"A - b \mathbf{1}^\top"), lambda A, b: A - b[:, None]),
    ("X: N D, W: D H, b: H", ("X W + b", "X @ W + b"), lambda X, W, b: X @ W + b),
    ("W: m n, x: n, lam:", ("(W^T W + lam I) x", r"(W^\top W + \lambda I) x", "W^T W x + lam x"), lambda W, x, lam: W.T @ W @ x + lam * x),
    ("v: n", ("diag(v)", r"[v_i 1[i = j]]_{ij}"), np.diag),
    ("A: n n", ("diag(A)", "[A_{ii}]_i", "d_i = A_{ii}"), np.diag),
    ("x: n", ("softmax(x)",), softmax),
    ("x: n", ("exp(x) / sum(exp(x))", r"p_k = \frac{e^{x_k}}{\sum_j e^{x_j}}"), softmax),
    ("X: m n", ("softmax(X)", "softmax(X, axis=1)", "softmax(X, axis=-1)"), softmax),
    ("X: m n", ("softmax(X, axis=0)",), lambda X: softmax(X.T).T),
    ("X: m n", ("sum(X, axis=0)", "X^T ones(m)", r"s_j = \sum_i X_{ij}"), lambda X: X.sum(0)),
    ("X: m n", ("mean(X, axis=1)", r"\frac{1}{n} X \mathbf{1}"), lambda X: X.mean(1)),
    ("x: n", ("var(x)", "mean((x - mean(x)).^2)"), np.var),
    ("x: n", ("1[x > 0] .* x", "max(0, x)", "where(x > 0, x, 0)"), relu),
    ("x:", ("max(0, x)", "max(x, 0)", "relu(x)", r"\operatorname{ReLU}(x)"), relu),
    ("x:", (r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", "where(x > 0, x, 0)"), relu),
    ("x:", (r"\mathbf{1}[x > 0]", "1[x > 0]", "1[0 < x]", r"\mathbb{1}(x > 0)"), lambda x: float(x > 0)),
    ("x:, y:", ("max(x, y)", "maximum(x, y)", r"\max(x, y)"), np.maximum),
    ("x:, y:", ("1[x >= y]", r"\mathbf{1}[y \leq x]"), lambda x, y: float(x >= y)),
    ("p: C, y:", ("p - onehot(y, C)", r"q_k = p_k - \mathbf{1}[k = y]", "p - onehot(y)"), lambda p, y: p - np.eye(3)[y]),
    ("x: 3", ("x_1 + x_3", "x[0] + x[2]"), lambda x: x[0] + x[2]),
    ("x: 3", (r"x_0 + x_2",), lambda x: x[0] + x[2]),
    ("x:", ("x^2 - 3 x + 0.5", r"x^2 - 3x + \frac{1}{2}", "x**2 - 3*x + 0.5"), lambda x: x * x - 3 * x + 0.5),
    ("x:", ("log(1 + x^2)/log(10)", "log10(1 + x^2)"), lambda x: np.log10(1 + x * x)),
    ("a:, b:", ("|a|^b", r"|a|^{b}"), lambda a, b: abs(a) ** b),
    ("A: n n", ("sum(|A|)", "sum(abs(A))"), lambda A: abs(A).sum()),
    ("x: n", (r"\frac{x}{\|x\|}", "x / norm(x)"), lambda x: x / np.linalg.norm(x)),
    ("x: n, y: n", (r"x \oslash y", "x ./ y"), np.divide),
    ("W: 3 n, x: n", ("[1; 2; 3] .* (W x)", "[1, 2, 3] .* (W x)"), lambda W, x: np.array([1, 2, 3]) * (W @ x)),
    ("", (r"\sum_{i=1}^{10} i",), lambda: 55.0),
]  # fmt: skip
#: source, code, the part of the source that is to blame.
REFUSED = [
    ("f = x^2; f(y)", "NAME", "f(y)"),
    ("s_{y_w} - s_{y_l}", "AMBIGUOUS", "y_w"),
    ("z^l = W^l a^l", "AMBIGUOUS", "z^l"),
    ("f = x^2; g = 3; f(g)", "NAME", "f(g)"),
    (r"\sum_i \sigma_i(X)", "AMBIGUOUS", r"\sigma_i(X)"),
    ("x_i y_i", "UNBOUND", "x_i y_i"),
    ("1/(x - x)", "DOMAIN", "1/(x - x)"),
    ("0^0", "DOMAIN", "0^0"),
    ("log(0)", "DOMAIN", "log(0)"),
    ("sqrt(-1)", "DOMAIN", "sqrt(-1)"),
    ("2**2**40", "LIMIT_NUMBER", "2**2**40"),
    ("x**(9**9**9)", "LIMIT_NUMBER", "x**(9**9**9)"),
    ("sum_i sum_i x_i", "UNBOUND", "sum_i x_i"),
    ("x_i y_i", "UNBOUND", "x_i y_i"),
    ("a = b; b = a; a + c", "NAME", "a"),
    ("q = x; q = y; q", "NAME", "q"),
    ("g(z) = g(z) + 1; g(x)", "NAME", "g(z)"),
    ("x\nz", "PARSE", "z"),
    ("x = 5", "PARSE", "="),
    (r"X \in R^{3 \times 2}; e^{X}", "SHAPE", "e^{X}"),
    ("tr(exp(X))", "AMBIGUOUS", "tr(exp(X))"),
    ("||W||_2", "UNSUPPORTED", ""),
    ("sin(x, y)", "ARITY", "sin(x, y)"),
]
CLAIMS = [
    ("q = W x; f = ||q||^2", "2 q x^T", "2 (W x) x^T"),
    ("q = W x; f = ||q||^2", r"\nabla_W f = 2 q x^T", "2 (W x) x^T"),
    ("||W x||^2", r"\frac{\partial f}{\partial W_{ij}} = 2 \sum_k W_{ik} x_k x_j", "2 W x x^T"),
    ("||W x||^2", "q = W x; 2 q x^T", "2 W x x^T"),
    ("1/(1 + e^{-w x})", "(1 - f) f x", "(1 - 1/(1 + e^{-w x})) (1/(1 + e^{-w x})) x"),
    ("tr(A)", "I", "eye(n)"),
    ("g(z) = z^3; g(x) + 1", "g(x) / x", "x^3 / x"),
]


def cases(table: list[Formula]) -> list[Any]:
    return [
        pytest.param(shapes, spelling, spellings[0], by_hand, id=spelling)
        for shapes, spellings, by_hand in table
        for spelling in spellings
    ]


@pytest.mark.parametrize(("shapes", "spelling", "first", "by_hand"), cases(MISSION) + cases(MEANINGS))
def test_formulas_compute_what_they_say(shapes: str, spelling: str, first: str, by_hand: Callable[..., Any]) -> None:
    reading = read(spelling, shapes=shapes)
    given = values(reading)
    result, expected = number(reading), np.asarray(by_hand(*[given[name] for name in read_shapes(shapes, canonical)]))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize(("shapes", "spelling", "first", "by_hand"), cases(MISSION))
def test_shapes_need_not_be_declared(shapes: str, spelling: str, first: str, by_hand: Callable[..., Any]) -> None:
    """Inferred shapes have the declared ranks, and the formula means the same."""
    declared, inferred = read(spelling, shapes=shapes), read(spelling)
    ranks = {n: len(d.shape) for n, d in declared.variables.items()}
    assert {n: len(d.shape) for n, d in inferred.variables.items() if n != "N"} == ranks


#: Spellings that are one and the same expression, not only equal numbers.
IDENTICAL = [
    ("W x + b", r"\mathbf{W}\mathbf{x}+\mathbf{b}", "W @ x + b"),
    (r"W_2 \max(0, W_1 x)", "W2 max(0, W1 x)", "h = max(0, W_1 x); f = W_2 h"),
    (
        r"-\log\left(\frac{e^{s_y}}{\sum_j e^{s_j}}\right)",
        "-log(e^{s_y} / sum_j e^{s_j})",
        "-log(exp(s_y) / sum(exp(s)))",
    ),
    (r"\sum_{j \neq y} \max(0, s_j - s_{y} + 1)", "sum_{j != y} max(0, s_j - s_y + 1)"),
    (r"\|W x\|^2", "||W x||^2", "‖W x‖²", "q = W x; ||q||^2", r"\sum_i (W x)_i^2"),
    (r"\frac{1}{1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)}}", "1/(1 + e^{-(w0 x0 + w1 x1 + w2)})"),
    (r"\ln(x_1) + x_1 x_2 - \sin(x_2)", "ln(x1) + x1 x2 - sin(x2)"),
    (r"x^\top A x", "x^T A x", "x' A x"),
    ("||X w - y||^2 + lam ||w||^2", r"\|X w - y\|_2^2 + \lambda \|w\|_2^2"),
    (
        r"y \log(\hat{y}) + (1 - y)\log(1 - \hat{y}), \hat y = g(\theta^T x)",
        "yhat = σ(theta^T x); y log(yhat) + (1 - y) log(1 - yhat)",
    ),
    (
        r"D_{KL}(p\|q) = \sum_i p_i \log\frac{p_i}{q_i}",
        r"\log p(q|p) = \sum_i p_i \log\frac{p_i}{q_i}",
        "sum(p .* log(p ./ q))",
    ),
    (r"\mu_B = \frac{1}{n} \sum_{i=1}^n x_i, f = \mu_B^2", r"(\frac{1}{n} \sum_{i=1}^n x_i)^2"),
]


@pytest.mark.parametrize("spellings", IDENTICAL, ids=lambda s: s[0])
def test_spellings_are_one_expression(spellings: tuple[str, ...]) -> None:
    assert len({read(spelling).node for spelling in spellings}) == 1


def test_the_comparisons_can_fail() -> None:
    """A transposed product, a dropped power and a lost term are told apart, by node and by number."""
    right, wrong = read("W x x^T", shapes="W: n n, x: n"), read("x x^T W", shapes="W: n n, x: n")
    assert right.node is not wrong.node
    assert not np.allclose(number(right), number(wrong))
    assert read("||x||", shapes="x: n").node is not read("||x||^2", shapes="x: n").node
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(number(read("W x", shapes="W: m n, x: n")), np.zeros(3))


@pytest.mark.parametrize(("source", "code", "part"), REFUSED)
def test_refusals(source: str, code: str, part: str) -> None:
    with pytest.raises(SymgradError) as caught:
        read(source)
    assert caught.value.code == code
    if isinstance(caught.value, InputError):
        assert source[caught.value.offset : caught.value.end] == part
    assert str(caught.value)


@pytest.mark.parametrize(("source", "claim", "meaning"), CLAIMS)
def test_claims_are_read_in_the_scope_of_the_function(source: str, claim: str, meaning: str) -> None:
    reading = read(source)
    shape = next(iter(reading.variables.values())).shape
    claimed = read_claim(claim, reading, shape=shape)
    expected = read_claim(meaning, reading)
    given = values(reading)
    np.testing.assert_allclose(evaluate(claimed.node, given, SIZES), evaluate(expected.node, given, SIZES))


def test_claims_know_named_intermediates_and_their_left_side() -> None:
    reading = read("||W x||^2")
    q = read("W x").node
    claimed = read_claim(r"\nabla_W f = 2 q x^T", reading, intermediates={"q": q})
    x = reading.node_of("x")
    assert claimed.node is contract([(q, (0,)), (x, (1,))], (0, 1), 2)
    assert claimed.wrt == "W"
    with pytest.raises(InputError, match="no z"):
        read_claim("2 z", reading)


def rules() -> list[Any]:
    found = []
    for op in OPERATIONS.values():
        shapes = op.axes()[0] if op.signature else ((),) * len(op.args)
        args = {name: variable(name, shape) for name, shape in zip(op.args, shapes, strict=True)}
        for name, rule in zip(op.args, op.rules, strict=True):
            if rule.kind not in ("fixed", "unknown"):
                tangent = {"d" + name: variable("d" + name, args[name].shape)} if rule.kind == "differential" else {}
                tangent |= {"g": variable("g", op.axes()[1])} if rule.kind == "adjoint" else {}
                found.append(pytest.param(rule.formula, args | tangent, id=f"{op.name}: {rule.formula}"))
        found += [pytest.param(kink, args, id=f"{op.name}: {kink}") for kink in (*op.kinks, op.definition) if kink]
    return found


@pytest.mark.parametrize(("formula", "names"), rules())
def test_rules_are_readable(formula: str, names: dict[str, Any]) -> None:
    assert read_rule(formula, names) is read_rule(formula, names)


def test_notes_tell_every_reinterpretation() -> None:
    assert any("entry by entry" in note for note in read("2 x * y", shapes="x: n, y: n").notes)
    assert any("every entry" in note for note in read("x^2", shapes="x: n").notes)
    assert any("Frobenius" in note for note in read("||W||").notes)
    assert any("runs over all entries" in note for note in read(r"\sum_k W_k^2").notes)
    assert any("every row" in note for note in read("X W + b", shapes="X: N D, W: D H, b: H").notes)
    assert any("sigmoid" in note for note in read("g(w^T x)").notes)
    assert any("is a point" in note for note in read("||W x||^2; W = 0", shapes="W: m n, x: n").notes)
    assert any("all its entries" in note for note in read(r"\hat{y}_{i,j}^{(t)}").notes)
    assert read("||W x||^2").notes == ()


def test_entries_and_names_with_numbers() -> None:
    """x_2 is an entry where x is a vector, and a name elsewhere; a lone w_0 beside w is a bias; code counts from 0."""
    assert read("w^T x + w_0").variables["w_0"].shape == ()
    assert any("w_0 is a name" in note for note in read("w^T x + w_0").notes)
    assert set(read(r"\|q\|^2 + q_1").variables) == {"q"}
    assert any("q_1 is an entry" in note for note in read(r"\|q\|^2 + q_1").notes)
    one, zero = read("x[1]", shapes="x: 3"), read("x_1", shapes="x: 3")
    assert number(one) == values(one)["x"][1]
    assert number(zero) == values(zero)["x"][0]
    assert set(read("x_1", shapes="x: 3, x_1:").variables) == {"x_1"}


def test_shapes_may_stand_in_the_source() -> None:
    reading = read(r"f = \|W x\|^2,\ W \in \mathbb{R}^{m \times 3}")
    assert {n: d.shape for n, d in reading.variables.items()} == {"W": ("m", 3), "x": (3,)}
    assert not reading.variables["W"].guessed
    with pytest.raises(InputError, match="twice"):
        read("x ∈ R^n; x^T x", shapes="x: m")


def test_a_claim_settles_identity_matrices_by_the_expected_shape() -> None:
    reading = read("tr(A)", shapes="A: k k")
    assert read_claim("I", reading, shape=("k", "k")).node.shape == ("k", "k")


def test_reading_is_deterministic_and_total() -> None:
    """Random damage to real formulas gives a reading or a SymgradError, and the same one twice."""
    rng = random.Random(0)
    sources = [spelling for _, spellings, _ in MISSION + MEANINGS for spelling in spellings]
    for _ in range(1500):
        letters = list(rng.choice(sources))
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(letters))
            letters[place : place + rng.randint(0, 2)] = rng.choice(
                ["", "x", "_", "^", "T", "{", "}", "(", ")", "W", "i", "2", "=", ","]
            )
            letters = letters or ["x"]
        source = "".join(letters)
        outcomes = []
        for _ in range(2):
            try:
                outcomes.append(repr(read(source).node))
            except SymgradError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]


def test_a_long_chain_of_definitions() -> None:
    source = "a_0 = x\n" + "\n".join(f"a_{k} = a_{k - 1} + x" for k in range(1, 300)) + "\na_299"
    reading = read(source)
    assert len(reading.definitions) == 300
    np.testing.assert_allclose(number(reading), 300 * values(reading)["x"])


@pytest.mark.skipif(not CASES.exists(), reason="the reference corpus is not beside the repository")
def test_corpus_in_text() -> None:
    """Text and LaTeX of the reference corpus: at least as many are read as when this was written."""
    table = json.loads(CASES.read_text())
    counts = {"text": 0, "latex": 0}
    for case in table:
        for syntax in counts:
            shapes = {name: tuple(dims) for name, dims in case["variables"].items()} if syntax == "text" else None
            try:
                read(case[syntax], shapes=shapes, syntax=syntax)
            except SymgradError:
                continue
            counts[syntax] += 1
    assert counts["text"] >= 298
    assert counts["latex"] >= 265
