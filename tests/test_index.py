"""Calculated indices, slices, ranges and NumPy's indexing: each row is read, printed, differentiated and computed.

A row is a source, its shapes, sizes to try, the variable to differentiate by, and the function written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import dims
from symgrad.calculus import jacobian
from symgrad.code import compile_nodes
from symgrad.errors import SymgradError
from symgrad.notation.reading import Reading, read, read_claim
from symgrad.notation.render import to_latex, to_text
from symgrad.simplify.trees import to_tree
from tests.evaluate import evaluate

N = {"n": 7, "m": 3}
IMAGE = {"H": 5, "W": 6, "p": 2, "q": 3}


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def log_softmax(X: Any) -> Any:
    return X - np.log(np.sum(np.exp(X), axis=1, keepdims=True))


def valid(theta: Any, x: Any) -> Any:
    return np.convolve(x, theta[::-1], mode="valid")


def image(G: Any, pixels: Any, K: Any) -> Any:
    patches = [[np.sum(pixels[i : i + 2, j : j + 3] * K) for j in range(4)] for i in range(4)]
    return sum(G[i, j] * patches[i][j] for i in range(4) for j in range(4))


def volume(G: Any, T: Any, x: Any) -> Any:
    return sum(G[s, t] * np.sum(T * x[s : s + 2, t : t + 2]) for s in range(3) for t in range(3))


def pairs(f: Callable[[int, int], Any], count: int) -> Any:
    return sum(f(i, j) for i in range(count) for j in range(i + 1, count))


def differences(x: Any) -> Any:
    return np.sum(np.diff(x) ** 2)


def variation(x: Any) -> Any:
    return np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2)


LABELS = "y: label"
Row = tuple[str, str, dict[str, int], str, Callable[..., Any]]
CONVOLUTIONS: list[Row] = [
    ("c_i = sum_j theta_j x_{i+j}", "theta: m, x: n", N, "x", valid),
    (r"c_i = \sum_{j=0}^{m-1} \theta_j x_{i+j}", "theta: m, x: n", N, "theta", valid),
    (r"(\theta * x)_i = \sum_{j=0}^{m-1} \theta_j x_{i+j}", "theta: m, x: n", N, "x", valid),
    (r"c_i = \sum_{j=1}^{m} \theta_j x_{i+j-1}", "theta: m, x: n", N, "x", valid),
    (r"(\theta * x)_i = \sum_{j=0}^{m-1} \theta_j x_{i+j}", "theta: 3, x: 5", {}, "theta", valid),
    ("conv1d(theta, x)", "theta: m, x: n", N, "theta", valid),
    ("correlate(x, theta)", "x: n, theta: m", N, "x", lambda x, t: valid(t, x)),
    ("sum(G * conv2d(I, K))", "G: a b, I: H W, K: p q", IMAGE, "I", image),
    (r"\sum_{i,j} G_{ij} \sum_m \sum_n I(i+m, j+n) K(m,n)", "G: a b, I: H W, K: p q", IMAGE, "K", image),
    ("sum(G * conv3d(Theta, x))", "G: o o, Theta: m m r, x: n n r", {"n": 4, "m": 2, "r": 3}, "Theta", volume),
    (
        r"\sum_{s,t} G_{st} \sum_{i,j,k} \Theta_{i,j,k} x_{s+i,t+j,k}", "G: o o, Theta: m m r, x: n n r",
        {"n": 4, "m": 2, "r": 3}, "x", volume,
    ),
    (
        "np.array([sum(t[j]*(a[i+j-1] if 0 <= i+j-1 < n else 0.0) for j in range(3)) for i in range(n)])",
        "t: 3, a: n", {"n": 5}, "a", lambda t, a: np.convolve(a, t[::-1], mode="same"),
    ),
    (
        "np.array([sum(t[j]*x[i+j] for j in range(m)) for i in range(n-m+1)])", "t: m, x: n", N, "t", valid,
    ),
]  # fmt: skip
#: With zeros beyond the ends of x, as assumed.
PADDED: list[Row] = [
    (r"(\theta * x)_i = \sum_{j=0}^{2} \theta_j x_{i+j-1}", "theta: 3, x: n", {"n": 5}, "theta",
     lambda t, x: np.convolve(x, t[::-1], mode="same")),
    (r"c_i = \sum_{j=0}^{m-1} \theta_j x_{i+j}", "theta: 3, x: n", {"n": 4}, "x",
     lambda t, x: valid(t, np.concatenate([x, np.zeros(2)]))),
    ("c_{i,k} = sum_{j,l} K_{j,l} x_{i+j-2,k+l-1}", "K: 3 2, x: m n", N, "x",
     lambda K, x: sum(K[j, l] * np.pad(x, ((1, 1), (0, 1)))[j : j + 3, l : l + 7] for j in range(3) for l in range(2))),  # noqa: E741
]  # fmt: skip
SHIFTS: list[Row] = [
    ("sum_i (x_{i+1} - x_i)^2", "x: n", N, "x", differences),
    (r"\sum_{i=1}^{n-1} (x_{i+1} - x_i)^2", "x: n", N, "x", differences),
    (r"\sum_{i=2}^{n} (x_i - x_{i-1})^2", "x: n", N, "x", differences),
    (r"\sum_{i=1}^{n-1} (x_i - x_{i-1})^2", "x: n", N, "x", differences),
    ("sum((x[i+1] - x[i])**2 for i in range(n-1))", "x: n", N, "x", differences),
    ("sum((x[1:] - x[:-1])**2)", "x: n", N, "x", differences),
    (r"\|x_{2:n} - x_{1:n-1}\|^2", "x: n", N, "x", differences),
    ("sum((x[1:, :] - x[:-1, :])**2) + sum((x[:, 1:] - x[:, :-1])**2)", "x: H W", IMAGE, "x", variation),
    (r"\sum_{i,j} (x_{i+1,j} - x_{i,j})^2 + (x_{i,j+1} - x_{i,j})^2", "x: H W", IMAGE, "x", variation),
    (
        r"\sum_i (x_{i-1} - 2 x_i + x_{i+1})^2", "x: n", N, "x",
        lambda x: np.sum((x[:-2] - 2 * x[1:-1] + x[2:]) ** 2),
    ),
    (r"\sum_{t=1}^{T-k} x_t x_{t+k}", "x: T", {"T": 7, "k": 2}, "x", lambda x: x[:-2] @ x[2:]),
    (
        r"\sum_{t=1}^{T-1} \|x_{t+1} - A x_t\|^2", "x: T d, A: d d", {"T": 4, "d": 3}, "A",
        lambda x, A: sum(np.sum((x[t + 1] - A @ x[t]) ** 2) for t in range(3)),
    ),
    ("y_i = x_{2i} + x_{2i+1}", "x: n", N, "x", lambda x: x[:-1:2] + x[1::2]),
    ("y_i = x_{2i} x_{2i-1}", "x: n", N, "x", lambda x: x[:-1:2] * x[1::2]),
    (r"y_i = \max_{j=0}^{1} x_{2 i + j}", "x: n", {"n": 6}, "x", lambda x: np.max(x.reshape(3, 2), axis=1)),
    (
        r"y_i = \frac{1}{K} \sum_{j=0}^{K-1} x_{i S + j}", "x: n", {"n": 8, "S": 3, "K": 2}, "x",
        lambda x: np.stack([np.mean(x[3 * i : 3 * i + 2]) for i in range(3)]),
    ),
    (
        r"y_i = \sum_j w_j x_{2i+j}", "w: k, x: n", {"k": 3, "n": 9}, "w",
        lambda w, x: np.stack([w @ x[2 * i : 2 * i + 3] for i in range(4)]),
    ),
    (
        r"y_i = \sum_j w_j x_{i + d j}", "w: k, x: n", {"k": 3, "n": 9, "d": 2}, "x",
        lambda w, x: np.stack([w @ x[i : i + 5 : 2] for i in range(5)]),
    ),
    (r"\sum_{i=1}^n y_i x_{n+1-i}", "y: n, x: n", N, "x", lambda y, x: y @ x[::-1]),
    (r"\sum_{i=0}^{n-1} y_i^2 x_{n-1-i}", "y: n, x: n", N, "y", lambda y, x: y**2 @ x[::-1]),
    (r"\max_i (x_{i+1} - x_i)", "x: n", N, "x", lambda x: np.max(np.diff(x))),
    ("x[::2]**2", "x: n", N, "x", lambda x: x[::2] ** 2),
    ("x[1:-1] * y", "x: n, y: k", N, "x", lambda x, y: x[1:-1] * y),
    ("v_s = sum_{i,j} u_i w_j 1[s = i + j - 1] x_s", "u: n, w: m, x: k", {"n": 3, "m": 2, "k": 5}, "u",
     lambda u, w, x: np.concatenate([np.convolve(u, w), np.zeros(1)]) * x),
]  # fmt: skip
ORDERS: list[Row] = [
    ("sum_{i<j} x_i x_j", "x: n", N, "x", lambda x: pairs(lambda i, j: x[i] * x[j], 7)),
    (r"\sum_{1 \le i < j \le n} x_i x_j", "x: n", N, "x", lambda x: pairs(lambda i, j: x[i] * x[j], 7)),
    (
        r"\sum_{i<j<k} x_i x_j x_k", "x: n", {"n": 4}, "x",
        lambda x: sum(np.prod(np.delete(x, k)) for k in range(4)),
    ),
    (r"\sum_{i=1}^{n} \sum_{j=i+1}^{n} x_i x_j", "x: n", N, "x", lambda x: pairs(lambda i, j: x[i] * x[j], 7)),
    (r"\sum_{i \le j} A_{ij}^2", "A: n n", N, "A", lambda A: np.sum(np.triu(A) ** 2)),
    (r"c_i = \sum_{j=1}^{i} x_j", "x: n", N, "x", np.cumsum),
    (r"c_i = \sum_{j=1}^{i-1} x_j", "x: n", N, "x", lambda x: np.cumsum(x) - x),
    (r"p_i = \sum_{j \neq i} x_j", "x: n", N, "x", lambda x: np.sum(x) - x),
    (r"\prod_{i=1}^{n} (1 + x_i)", "x: n", N, "x", lambda x: np.prod(1 + x)),
    ("prod(x)", "x: n", N, "x", np.prod),
    (r"p_i = \prod_{j \neq i} x_j", "x: n", {"n": 4}, "x",
     lambda x: np.stack([np.prod(np.delete(x, k)) for k in range(4)])),
]  # fmt: skip
ARRAYS: list[Row] = [
    ("X[range(N), y]", "X: N C, y: N", {"N": 4, "C": 3}, "X", lambda X, y: X[np.arange(4), y]),
    (
        "sum(maximum(0, X - X[range(N), y][:, None] + 1))", "X: N C, y: N", {"N": 4, "C": 3}, "X",
        lambda X, y: np.sum(np.maximum(0, X - X[np.arange(4), y][:, None] + 1)),
    ),
    (
        "-np.log((np.exp(X) / np.exp(X).sum(axis=1, keepdims=True))[np.arange(N), y]).sum() / X.shape[0]",
        "X: N C, y: N", {"N": 4, "C": 3}, "X", lambda X, y: -np.mean(log_softmax(X)[np.arange(4), y]),
    ),
    (
        r"\sum_{t=1}^{T-1} A_{y_t,y_{t+1}} + \sum_{t=1}^T P_{t,y_t}", "A: N N, P: T N, y: T", {"T": 4, "N": 3}, "A",
        lambda A, P, y: sum(A[y[t], y[t + 1]] for t in range(3)) + sum(P[t, y[t]] for t in range(4)),
    ),
    (
        "s = X @ W\np = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)\n-np.mean(np.log(p[range(N), y]))",
        "X: N D, W: D C, y: N", {"N": 4, "D": 2, "C": 3}, "W",
        lambda X, W, y: -np.mean(log_softmax(X @ W)[np.arange(4), y]),
    ),
    (
        "logsumexp(u[:, None] + A + v[None, :])", "u: n, A: n n, v: n", N, "A",
        lambda u, A, v: np.log(np.sum(np.exp(u[:, None] + A + v[None, :]))),
    ),
    (
        "((X[:, None, :] - Y[np.newaxis, :, :])**2).sum(axis=2)", "X: N D, Y: M D", {"N": 3, "D": 2, "M": 4}, "X",
        lambda X, Y: ((X[:, None, :] - Y[None]) ** 2).sum(axis=2),
    ),
    ("np.einsum('bij,bj->bi', A, x)", "A: b m n, x: b n", {"b": 2, "m": 3, "n": 4}, "A",
     lambda A, x: (A @ x[:, :, None])[:, :, 0]),
    (
        "(X - np.mean(X, axis=1, keepdims=True)) / np.sqrt(np.var(X, axis=1, keepdims=True) + 1e-5)", "X: N D",
        {"N": 3, "D": 4}, "X",
        lambda X: (X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True) + 1e-5),
    ),
    ("np.sum(X * w[:, None], axis=0)", "X: N D, w: N", {"N": 4, "D": 3}, "w", lambda X, w: w @ X),
    ("s[argmax(t)] / len(t)", "s: n, t: n", N, "s", lambda s, t: s[np.argmax(t)] / 7),
    (r"s_{\arg\max_j t_j}", "s: n, t: n", N, "s", lambda s, t: s[np.argmax(t)]),
    ("X - X.mean(axis=0, keepdims=True)", "X: N C", {"N": 4, "C": 3}, "X", lambda X: X - X.mean(axis=0)),
]  # fmt: skip
FUNCTIONS: list[Row] = [
    (r"-\log\frac{\exp(u_1^{\top} v_c)}{\sum_w \exp(u_w^{\top} v_c)}", "U: d V, v: d", {"d": 3, "V": 4}, "U",
     lambda U, v: -log_softmax((v @ U)[None])[0, 0]),
    (r"-\log\frac{\exp(u_1^{\top} v_c)}{\sum_w \exp(u_w^{\top} v_c)}", "U: V d, v: d", {"d": 3, "V": 4}, "v",
     lambda U, v: -log_softmax((U @ v)[None])[0, 0]),
    (r"\sum_i g(x_i), g = \sigma", "x: n", N, "x", lambda x: np.sum(sigmoid(x))),
    (r"\sum_i \log g'(x_i), g = \sigma", "x: n", N, "x",
     lambda x: np.sum(np.log(sigmoid(x) * sigmoid(-x)))),
    (r"f'(z), f = \tanh", "z: n", N, "z", lambda z: 1 - np.tanh(z) ** 2),
]  # fmt: skip
ROWS = [*CONVOLUTIONS, *PADDED, *SHIFTS, *ORDERS, *ARRAYS, *FUNCTIONS]
BY_SOURCE = pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])


def assumed(row: Row) -> str | None:
    """What is assumed of the variables of a row: its y is a label, its x has zeros beyond the ends."""
    labels = any(f"y: {dim}" in row[1].split(", ") for dim in ("N", "T"))
    return LABELS if labels else "x: zero_padded" if row in PADDED else None


def prepared(row: Row) -> tuple[Reading, dict[str, Any], dict[str, int]]:
    """The reading of a row, an array for every variable, and the sizes."""
    source, shapes, sizes, _, _ = row
    reading = read(source, shapes=shapes, assume=assumed(row))
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {}
    for name, declared in reading.variables.items():
        shape = tuple(dims.value(d, sizes) for d in declared.shape)
        values[name] = rng.integers(0, 3, shape) if "label" in declared.assumptions else rng.normal(size=shape)
    return reading, values, sizes


def slope(function: Callable[..., Any], given: list[Any], place: int) -> Any:
    """Central differences by every entry of one argument, function axes first."""
    base = given[place]
    rows = np.zeros((*np.shape(function(*given)), *base.shape))
    for index in np.ndindex(base.shape):
        step = np.zeros_like(base)
        step[index] = 1e-6
        high, low = (function(*given[:place], base + s, *given[place + 1 :]) for s in (step, -step))
        rows[(..., *index)] = (high - low) / 2e-6
    return rows


def error(row: Row, function: Callable[..., Any], backend: str = "numpy") -> float:
    """How far the value, its code and its derivative are from those of a function of arrays."""
    reading, values, sizes = prepared(row)
    wrt = reading.node_of(row[3])
    names = [entry.partition(":")[0].strip() for entry in row[1].split(",")]
    given = [values[name] for name in names]
    derived = slope(function, given, names.index(row[3]))
    worst = 0.0
    for node, right, scale in ((reading.node, function(*given), 1), (jacobian(reading.node, wrt), derived, 1e-4)):
        run = compile_nodes({"f": node}, backend, arguments=[reading.node_of(name) for name in values])
        for value in (run(**values, **{d: sizes[d] for d in run.sizes}), evaluate(node, values, sizes)):
            assert np.shape(value) == np.shape(right)
            worst = max(worst, scale * float(np.max(np.abs(value - right)) / max(1.0, np.max(np.abs(right)))))
    return worst


@BY_SOURCE
def test_value_code_and_derivative(row: Row) -> None:
    assert error(row, row[4]) < 1e-12


@pytest.mark.parametrize(
    "row", [CONVOLUTIONS[0], SHIFTS[0], SHIFTS[16], ORDERS[0], ORDERS[8]], ids=lambda row: str(row[0])
)
def test_jax_code(row: Row) -> None:
    assert error(row, row[4], "jax") < 1e-12


def test_a_wrong_function_is_caught() -> None:
    for row in (ROWS[0], ROWS[13], ROWS[20], ROWS[-1]):
        assert error(row, lambda *given, right=row[4]: right(*given) * 1.000001) > 1e-8


@BY_SOURCE
@pytest.mark.parametrize("write", [to_text, to_latex], ids=["text", "latex"])
def test_prints_back(row: Row, write: Callable[[Any], str]) -> None:
    """What is printed of the function and of its derivative reads back to the same expression."""
    reading, values, sizes = prepared(row)
    for node in (reading.node, jacobian(reading.node, reading.node_of(row[3]))):
        shown = write(to_tree(node))
        again = read_claim(shown, reading, shape=node.shape, syntax="text" if write is to_text else "latex")
        assert again.node.shape == node.shape
        assert np.allclose(evaluate(again.node, values, sizes), evaluate(node, values, sizes), rtol=1e-12), shown


@pytest.mark.parametrize("row", [CONVOLUTIONS[0], SHIFTS[0], ORDERS[0], ARRAYS[0]], ids=lambda row: str(row[0]))
def test_witnesses_agree(row: Row) -> None:
    assert sg.check(row[0], wrt=row[3], shapes=row[1], assume=LABELS if "y: N" in row[1] else None)


@pytest.mark.parametrize(
    ("source", "shapes", "part"),
    [
        (r"\sum_{i=1}^n x_i x_{i+1}", "x: n", "leaves its axis"),
        (r"c_i = \sum_{j=0}^{2} t_j x_{i+j-1}", "t: 3, x: n", "begins before the first entry"),
        (r"c_i = \sum_{j=0}^{2} t_j x_{i+j-1}", "t: 3, x: n", "assume x: zero_padded"),
        (r"\sum_{j=1}^{m-1} (x_{j+1} - x_j)^2", "x: n", "stay inside"),
        (r"y_i = \max_j x_{2 i + j}", "x: n", "how far"),
        ("x[:k] @ y", "x: n, y: k", "stay inside"),
        ("x_{0:n}", "x: n", "included"),
        ("conv(t, x)", "t: m, x: n", "turning the filter"),
        ("x_{i^2}", "x: n", ""),
        (r"\sum_{i=n}^{1} x_i", "x: n", ""),
        ("sum(g''(z)); g = tanh", "z: n", "and once"),
        (r"\sum_{i \neq j} x_i x_j", "x: n", "run, too"),
        ("X[range(M), y]", "X: N C, y: N, z: M", ""),
        ("sum(x[i] for i in y)", "x: n, y: n", "range"),
    ],
)
def test_refusals(source: str, shapes: str, part: str) -> None:
    with pytest.raises(SymgradError) as caught:
        read(source, shapes=shapes)
    assert part in str(caught.value)


def test_a_declared_dimension_may_turn_out_to_be_calculated() -> None:
    reading = read("sum(G * conv2d(I, K))", shapes="G: a b, I: H W, K: p q")
    assert reading.variables["G"].shape == ("H-p+1", "W-q+1")
    assert "a is H-p+1, by the shapes" in reading.notes
    with pytest.raises(SymgradError):
        read("sum(G * conv2d(I, K))", shapes="G: H W, I: H W, K: p q")


def test_code_refuses_arrays_that_do_not_fit() -> None:
    reading = read("sum(x[1:] * y)", shapes="x: n, y: m")
    run = compile_nodes({"f": reading.node})
    assert run(x=[1.0, 2.0, 3.0], y=[1.0, 1.0]) == 5
    with pytest.raises(SymgradError):
        run(x=[1.0, 2.0, 3.0], y=[1.0, 1.0, 1.0])


DIMENSIONS = ["n-m+1", "2*n-1", "(n-k)//2+1", "n*s-1", "(n+1)//s", 5, "n", "W_1", "3*n*s-2*k"]


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_dimensions_calculate(dim: dims.Dim) -> None:
    """Written dimensions are canonical, and calculating with them is calculating with their numbers."""
    assert dims.combine([(1, dim)]) == dim
    sizes = {"n": 11, "m": 4, "k": 3, "s": 2, "W_1": 2}
    value = dims.value(dim, sizes)
    assert dims.value(dims.combine([(3, dim), (-1, "m")], 2), sizes) == 3 * value - 4 + 2
    assert dims.value(dims.quotient(dims.combine([(1, dim)], 9), 3), sizes) == (value + 9) // 3
    assert dims.value(dims.rename(dim, {"n": "m+7"}), sizes) == value
    assert dims.at_least(dims.combine([(1, dim)], 1), dim)
    assert not dims.at_least(dim, dims.combine([(1, dim)], 1))


ENTRIES = {
    ("X^T B X", "X", 1): "[(B X)_{k,j} (I_n)_{i,l} + (Xᵀ B)_{i,k} (I_n)_{j,l}]_{i,j,k,l}",
    ("X B", "X", 1): "[B_{l,j} (I_m)_{i,k}]_{i,j,k,l}",
    ("logsumexp(x)", "x", 3): "[softmax(x)_j 1[i = k] 1[j = k] - softmax(x)_i softmax(x)_j 1[i = k] - softmax(x)_i "
    "softmax(x)_j 1[j = k] - softmax(x)_i softmax(x)_k 1[i = j] + 2 softmax(x)_i softmax(x)_j softmax(x)_k]_{i,j,k}",
    ("(a^T x)^3", "x", 3): "[6 a_i a_j a_k]_{i,j,k}",
    ("||x||^4", "x", 3): "[8 x_k (I_n)_{i,j} + 8 x_j (I_n)_{i,k} + 8 x_i (I_n)_{j,k}]_{i,j,k}",
    ("tr(inv(Z) C)", "Z", 2): "[(inv(Z) C inv(Z))_{j,k} inv(Z)_{l,i} + (inv(Z) C inv(Z))_{l,i} inv(Z)_{j,k}]_{i,j,k,l}",
    ("sigmoid(C x)", "C", 1): "[sigmoid((C x)_i) (1 - sigmoid((C x)_i)) x_k 1[i = j]]_{i,j,k}",
}  # fmt: skip


@pytest.mark.parametrize(("source", "wrt", "order"), ENTRIES)
def test_entries_of_tensors(source: str, wrt: str, order: int) -> None:
    """Tensors are written by the entries of matrices, multiplied out, and read back to the same node."""
    shapes = "X: m n, B: m m, C: n n, Z: n n, a: n, x: n".replace("B: m m", "B: n p" if source == "X B" else "B: m m")
    found = sg.derive(source, wrt=wrt, order=order, shapes=shapes).result
    assert found.text == ENTRIES[source, wrt, order]
    for printed, syntax in ((found.text, "text"), (found.latex, "latex")):
        assert sg.parse(printed, shapes=shapes, syntax=syntax) == found
