"""Generated code against an interpreter of expressions that shares nothing with it: every factor in one `einsum`."""

from __future__ import annotations

import ast
import importlib
import keyword
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.code import compile_nodes, emit
from symgrad.errors import LimitError, ShapeError, UsageError
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Node,
    Size,
    Sum,
    Variable,
    add,
    broadcast,
    contract,
    delta,
    multiply,
    number,
    postorder,
    power,
    relabel,
    scale,
    size,
    variable,
)
from symgrad.ops import OPERATIONS, apply
from tests.evaluate import FUNCTIONS

SIZES = {"m": 3, "n": 4, "N": 5, "D": 4, "C": 3, "H": 2, "k": 2, "one": 1}
BACKENDS = ("numpy", "jax")

# --- an interpreter -------------------------------------------------------------------------------------------------

MEANING: dict[str, Callable[..., Any]] = FUNCTIONS | {
    "exp": np.exp, "log": np.log, "power": np.power, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arctan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)), "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x), "relu": lambda x: x * (x > 0),
    "leaky_relu": lambda x, a: np.where(x > 0, x, a * x), "elu": lambda x, a: np.where(x > 0, x, a * (np.exp(x) - 1)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "hardtanh": lambda x: np.maximum(-1, np.minimum(1, x)), "positive": lambda x: 1.0 * (x > 0),
    "nonnegative": lambda x: 1.0 * (x >= 0), "zero": lambda x: 1.0 * (x == 0), "abs": np.abs, "sign": np.sign,
    "maximum": np.maximum, "minimum": np.minimum, "where": lambda c, x, y: np.where(c != 0, x, y),
    "softmax": lambda x: np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True)),
    "log_softmax": lambda x: x - np.logaddexp.reduce(x, axis=-1, keepdims=True),
    "logsumexp": lambda x: np.logaddexp.reduce(x, axis=-1), "amax": lambda x: x.max(axis=-1),
    "argmax": lambda x: np.eye(x.shape[-1])[x.argmax(axis=-1)], "onehot": lambda y, C: np.eye(C)[y.astype(int)],
    "prod": lambda x: np.multiply.reduce(x, axis=-1),
    "products_of_others": lambda x: np.stack([np.delete(x, k, -1).prod(-1) for k in range(x.shape[-1])], axis=-1),
    "tril": np.tril,
    "diagsum": lambda X: sum(np.trace(X, d, -2, -1)[..., None, None] * np.eye(4, k=d) for d in range(-3, 4)),
    "inverse": np.linalg.inv, "det": np.linalg.det, "logdet": lambda X: np.log(np.abs(np.linalg.det(X))),
    "pi": lambda: np.float64(math.pi),
}  # fmt: skip


def interpret(root: Node, env: dict[str, Any], sizes: dict[str, int] = SIZES) -> Any:
    """The value of `root`, node by node, every product in one einsum over its raw factors."""
    memo: dict[Node, Any] = {}

    def extent(dim: int | str) -> int:
        return dim if isinstance(dim, int) else sizes[dim]

    for node in postorder([root]):
        shape = tuple(map(extent, node.shape))
        if isinstance(node, Variable):
            value = env[node.name]
        elif isinstance(node, Size):
            value = float(extent(node.dim))
        elif isinstance(node, Delta):
            value = np.eye(shape[0])
        elif isinstance(node, Sum):
            value = sum(float(c) * memo[n] for c, n in node.terms)
        elif isinstance(node, Call):
            value = MEANING[node.op.name](*(memo[a] for a in node.args), *map(extent, node.params))
        else:
            assert isinstance(node, Contraction)
            parts: list[Any] = [np.ones(tuple(map(extent, node.sizes))), list(range(len(node.sizes)))]
            for factor, labels, exponent in node.factors:
                parts += [np.asarray(memo[factor], float) ** float(exponent), list(labels)]
            value = float(node.coefficient) * np.einsum(*parts, list(range(node.rank)))
        memo[node] = np.broadcast_to(value, shape)
    return memo[root]


def values_for(root: Node, seed: int = 0, sizes: dict[str, int] = SIZES, scale: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    env: dict[str, Any] = {}
    for node in postorder([root]):
        if isinstance(node, Variable):
            shape = tuple(d if isinstance(d, int) else sizes[d] for d in node.shape)
            label = "label" in node.assumptions
            env[node.name] = rng.integers(0, sizes["C"], shape) if label else scale * rng.standard_normal(shape)
            if "natural" in node.assumptions:
                env[node.name] = 3
            if "positive" in node.assumptions:
                env[node.name] = np.abs(env[node.name]) + 0.5
            if node.assumptions & {"principal", "definite"}:
                env[node.name] = env[node.name] / 4 + 2 * np.eye(shape[-1])
    return env


def agrees(root: Node, backend: str, env: dict[str, Any] | None = None, sizes: dict[str, int] = SIZES) -> str:
    env = values_for(root, sizes=sizes) if env is None else env
    compiled = compile_nodes({"f": root}, backend)
    given = {v.name: env[v.name] for v in compiled.arguments} | {dim: sizes[dim] for dim in compiled.sizes}
    expected = interpret(root, env, sizes)
    actual = compiled(**given)
    assert np.shape(actual) == np.shape(expected), compiled.source
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-11, err_msg=compiled.source)
    return compiled.source


# --- the variables of the tests -------------------------------------------------------------------------------------

A, B = variable("A", ("m", "n")), variable("B", ("n", "k"))
Q = variable("Q", ("n", "n"))
x, w, v = variable("x", ("n",)), variable("w", ("n",)), variable("v", ("m",))
a, b = variable("a"), variable("b", (), ["positive"])
X, W, Y = variable("X", ("N", "D")), variable("W", ("C", "D")), variable("Y", ("N", "C"))
y, c = variable("y", ("N",), ["label"]), variable("c", (), ["label"])
T = variable("T", ("N", "D", "H"))
S = variable("S", ("N", "C"))
s = variable("s", ("C",))
L = variable("L", ("N", "H", "C"))
z = variable("z", ("N", "H"), ["label"])


def c_(*factors: tuple[Any, ...], out: str = "", by: Any = 1) -> Node:
    return contract([(f[0], tuple(f[1]), *f[2:]) for f in factors], tuple(out), by)


def hot(labels: Node = y) -> Node:
    return apply("onehot", labels, params=("C",))


MASK = apply("positive", Y)
PLUS = add([(1, multiply(Y, Y)), (1, number(1, Y.shape))])

#: name: (expression, what its NumPy code must return or contain)
PRODUCTS: dict[str, tuple[Node, str]] = {
    "matrix times vector": (c_((A, "ij"), (x, "j"), out="i"), "return A @ x"),
    "matrix times matrix": (c_((A, "ij"), (B, "jk"), out="ik"), "return A @ B"),
    "product transposed": (c_((A, "ij"), (B, "jk"), out="ki"), "return B.T @ A.T"),
    "examples in rows": (c_((X, "bd"), (W, "cd"), out="bc"), "return X @ W.T"),
    "transpose": (c_((A, "ij"), out="ji"), "return A.T"),
    "inner product": (c_((x, "i"), (w, "i")), "return x @ w"),
    "squared norm": (c_((x, "i", 2)), "return x @ x"),
    "squared norm of a matrix": (c_((A, "ij", 2)), "return np.sum(A**2)"),
    "norm": (power(c_((x, "i", 2)), Fraction(1, 2)), "return np.sqrt(x @ x)"),
    "outer": (c_((v, "i"), (x, "j"), out="ij"), "return np.outer(v, x)"),
    "twice an outer product": (c_((v, "i"), (x, "j"), out="ij", by=2), "return np.outer(2 * v, x)"),
    "trace": (c_((Q, "ii")), "return np.trace(Q)"),
    "diagonal": (c_((Q, "ii"), out="i"), "return np.diagonal(Q)"),
    "diagonal matrix": (c_((x, "i"), (delta("n"), "ij"), out="ij"), "return np.diag(x)"),
    "identity": (delta("n"), "return np.eye(n)"),
    "twice the identity": (scale(delta("n"), 2), "return 2 * np.eye(n)"),
    "sum over rows": (c_((A, "ij"), out="j"), "return A.sum(axis=0)"),
    "sum": (c_((A, "ij")), "return np.sum(A)"),
    "column times matrix": (c_((v, "i"), (A, "ij"), out="ij"), "return v[:, None] * A"),
    "row times matrix": (c_((x, "j"), (A, "ij"), out="ij"), "return x * A"),
    "quadratic form": (c_((x, "i"), (Q, "ij"), (w, "j")), "@"),
    "sandwich": (c_((A, "ij"), (Q, "jk"), (A, "lk"), out="il"), "@"),
    "entrywise": (c_((A, "ij"), (A, "ij", 2), out="ij"), "A**2 * A"),
    "frobenius": (c_((A, "ij"), (A, "ij"), (Q, "kk")), "np.trace(Q) * np.sum(A**2)"),
    "trace of a product": (c_((Q, "ij"), (Q, "ji")), "return np.sum(Q.T * Q)"),
    "mask": (c_((Y, "ij"), (MASK, "ij"), out="ij"), "return Y * (Y > 0)"),
    "mask squared": (c_((MASK, "ij"), (MASK, "kj"), out="ik"), "astype(float)"),
    "minus a mask over a number": (c_((MASK, "ij"), (b, "", -1), out="ij", by=-1), "return -((Y > 0) / b)"),
    "minus a product": (c_((Y, "ij"), (b, ""), out="ij", by=-1), "return -b * Y"),
    "mask counted": (c_((MASK, "ij"), out="i"), "return (Y > 0).sum(axis=1)"),
    "mask alone": (MASK, "return (Y > 0).astype(float)"),
    "two masks": (add([MASK, apply("nonnegative", Y)]), "astype(float)"),
    "quotient": (c_((A, "ij"), (apply("exp", A), "ij", -1), out="ij"), "return A / np.exp(A)"),
    "rows over their sums": (c_((Y, "ij"), (c_((Y, "ij"), out="i"), "i", -1), out="ij"), "Y / Y.sum(axis=1)[:, None]"),
    "reciprocal": (power(b, -1), "return 1 / b"),
    "coefficient over a size": (c_((size("n"), "", -1), (x, "i"), (w, "i"), by=2), "return 2 / n * (x @ w)"),
    "half a size": (c_((size("n"), "", -1), (x, "i"), (w, "i"), by=Fraction(1, 2)), "return x @ w / (2 * n)"),
    "a third": (scale(x, Fraction(1, 3)), "return x / 3"),
    "two thirds": (scale(x, Fraction(2, 3)), "return 2 / 3 * x"),
    "a hundredth": (scale(x, Fraction(1, 100)), "return 0.01 * x"),
    "minus": (scale(x, -1), "return -x"),
    "difference": (add([(-1, x), (1, w)]), "return w - x"),
    "cube": (power(x, 3), "return x**2 * x"),
    "fourth power": (power(x, 4), "return (x**2)**2"),
    "three halves": (power(b, Fraction(3, 2)), "return b * np.sqrt(b)"),
    "cube root": (power(b, Fraction(1, 3)), "return b ** (1 / 3)"),
    "inverse root": (power(b, Fraction(-1, 2)), "return 1 / np.sqrt(b)"),
    "constant": (number(2, ("m", "n")), ""),
    "zero": (number(0), "return 0.0"),
    "ones": (number(1, ("n",)), "return np.ones(n)"),
    "size": (size("n"), "return n"),
    "broadcast": (broadcast(a, ("m", "n")), "np.full((m, n), a, dtype=float)"),
    "repeated row": (relabel(x, ("j",), ("i", "j"), {"i": "m"}), "np.broadcast_to(x, (m, n))"),
    "repeated column": (relabel(v, ("i",), ("i", "j"), {"j": "n"}), "np.broadcast_to(v[:, None], (m, n))"),
    "sum of a broadcast": (c_((relabel(v, ("i",), ("i", "j"), {"j": "n"}), "ij"), out="i"), ""),
    "function of a broadcast": (apply("exp", relabel(v, ("i",), ("i", "j"), {"j": "n"})), "np.exp(v)"),
    "softmax of a broadcast": (apply("softmax", broadcast(a, ("m", "n"))), "softmax(np.full(n, a, dtype=float))"),
    "three axes": (c_((T, "ndh"), (B, "dk"), out="nhk"), ""),
    "last of three axes": (c_((T, "ndh"), (variable("V", ("H", "C")), "hc"), out="ndc"), "return T @ V"),
    "batch of products": (c_((T, "ndh"), (T, "neh"), out="nde"), "return T @ T.swapaxes(1, 2)"),
    "batch of matrix times vector": (c_((T, "ndh"), (X, "nd"), out="nh"), "np.einsum"),
    "rows times rows": (c_((X, "nd"), (apply("exp", X), "nd"), out="n"), "return (np.exp(X) * X).sum(axis=1)"),
    "two sums": (c_((T, "ndh"), (T, "mdh"), out="nm"), "np.tensordot"),
    "diagonal of three axes": (c_((variable("U", ("n", "n", "k")), "iik"), out="ik"), ""),
    "jacobian of softmax": (
        add([c_((apply("softmax", x), "i"), (delta("n"), "ij"), out="ij"),
             (-1, c_((apply("softmax", x), "i"), (apply("softmax", x), "j"), out="ij"))]),
        "np.diag(p * (t1 @ p))",
    ),
    "jacobian of a product": (c_((delta("m"), "ik"), (x, "j"), out="ikj"), ""),
    "jacobian of the identity": (c_((delta("m"), "ik"), (delta("n"), "jl"), out="ijkl"), ""),
    "power of a sum": (power(add([x, w]), 2), "return (x + w)**2"),
    "sum of a power": (c_((add([A, number(1, A.shape)]), "ij", 2), out="i"), "((A + 1)**2).sum(axis=1)"),
    "sum of one axis of many": (c_((A, "ij"), (B, "jk"), out="i"), "return A @ B.sum(axis=1)"),
    "unused label": (c_((a, ""), out="", by=3), "return 3 * a"),
    "matrix chain": (c_((A, "ij"), (Q, "jk"), (x, "k"), out="i"), "return A @ (Q @ x)"),
    "scalars": (c_((a, ""), (b, "", -1), (size("n"), "")), ""),
    "weights": (c_((x, "i"), (w, "i", 2), (Q, "ij"), out="j"), ""),
}  # fmt: skip

ENTRY = c_((S, "bc"), (hot(), "bc"), out="b")
LABELLED: dict[str, tuple[Node, str]] = {
    "an entry": (c_((s, "c"), (hot(c), "c")), "return s[c]"),
    "entries of rows": (ENTRY, "return S[np.arange(N), y]"),
    "entries of columns": (c_((relabel(S, "bc", "cb"), "cb"), (hot(), "bc"), out="b"), "S"),
    "entries of a vector": (c_((s, "c"), (hot(), "bc"), out="b"), "return s[y]"),
    "rows of a table": (c_((W, "cd"), (hot(), "bc"), out="bd"), "return W[y]"),
    "columns of a table": (c_((W, "cd"), (hot(), "bc"), out="db"), "return W[y].T"),
    "sum of entries": (c_((S, "bc"), (hot(), "bc")), "return np.sum(S[np.arange(N), y])"),
    "two label axes": (c_((L, "bhc"), (hot(z), "bhc"), out="bh"), "L["),
    "label of another axis": (c_((L, "bhc"), (hot(), "bc"), out="bh"), "return L[np.arange(N), :, y]"),
    "minus a label": (add([apply("softmax", S), (-1, hot())]), "g[np.arange(N), y] -= 1"),
    "minus a label, vector": (add([apply("softmax", s), (-1, hot(c))]), "g[c] -= 1"),
    "minus a label, shared": (add([S, (-1, hot())]), "S.copy()"),
    "not the label": (add([number(1, ("N", "C")), (-1, hot())]), "g[np.arange(N), y] -= 1"),
    "the label": (hot(), "onehot"),
    "half the label": (scale(hot(), Fraction(1, 2)), "+= 0.5"),
    "label times rest": (c_((S, "bc"), (hot(), "bc"), out="bc", by=3), ""),
    "label times other": (c_((s, "c"), (hot(), "bc"), (X, "bd"), out="bc"), ""),
    "counted": (c_((hot(), "bc"), out="c"), "np.add.at(g, y, 1)"),
    "collected": (c_((hot(), "bc"), (X, "bd"), out="cd"), "np.add.at(g, y, X)"),
    "collected, transposed": (c_((hot(), "bc"), (X, "bd"), out="dc"), "np.add.at"),
    "collected from a row": (c_((variable("r", ("H",)), "h"), (hot(z), "bhc"), out="c"), "np.add.at(g, z, r[None, :])"),
    "summed label": (c_((hot(), "bc"), (X, "bd"), out="bd"), "return X"),
    "summed alone": (c_((hot(), "bc")), ""),
    "two labels": (c_((hot(), "bc"), (hot(c), "c"), out="b"), ""),
    "both labels": (
        c_((hot(), "bc"), (apply("onehot", variable("y2", ("N",), ["label"]), params=("C",)), "bc"), out="b"),
        "",
    ),
    "label squared": (c_((S, "bc"), (hot(), "bc", 2), out="b"), "return S[np.arange(N), y]"),
    "entries of a product": (c_((X, "bd"), (W, "cd"), (hot(), "bc"), out="b"), ""),
    "margins": (add([S, (-1, relabel(ENTRY, "b", "bc", {"c": "C"})), number(1, ("N", "C"))]), "[:, None]"),
    "of the largest": (c_((S, "bc"), (apply("argmax", S), "bc"), out="b"), "np.argmax(S, axis=-1)"),
    "plus the largest": (add([S, (-1, apply("argmax", S))]), "-= 1"),
    "label on both sides": (c_((hot(), "bc"), (hot(), "be"), out="ce"), ""),
    "batch of tables": (c_((L, "bhc"), (hot(z), "bhd"), out="cd"), ""),
    "diagonal of labels": (c_((S, "bc"), (hot(), "bc"), (delta("N"), "be"), out="be"), ""),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*PRODUCTS, *LABELLED])
def test_expression(name: str, backend: str) -> None:
    node, expected = (PRODUCTS | LABELLED)[name]
    source = agrees(node, backend)
    if backend == "numpy":
        assert expected in source, source


@pytest.mark.parametrize("name", [*PRODUCTS, *LABELLED])
def test_expression_at_size_one(name: str) -> None:
    node, _ = (PRODUCTS | LABELLED)[name]
    agrees(node, "numpy", sizes=dict.fromkeys(SIZES, 1))


# --- operations -----------------------------------------------------------------------------------------------------

CORE = {op.name for op in OPERATIONS.values() if op.signature and any(len(axes) == 2 for axes in op.axes()[0][:1])}


def applied(name: str, batch: tuple[str, ...]) -> Node:
    op = OPERATIONS[name]
    if op.params:
        return apply(name, *(variable(arg, batch, ["label"]) for arg in op.args), params=op.params)
    axes = op.axes()[0] if op.signature else ((),) * len(op.args)
    args = []
    for arg, core, domain in zip(op.args, axes, op.domain or ("real",) * len(op.args), strict=True):
        shape = () if domain == "natural" else batch + core  # one power for the whole batch
        args.append(
            variable(arg, shape, [domain] if domain in {"positive", "natural", "principal", "definite"} else [])
        )
    if name == "where":
        args[0] = apply("positive", args[0])  # type: ignore[call-overload]
    return apply(name, *args)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [(), ("m",), ("m", "k")], ids=lambda batch: f"batch {len(batch)}")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_operation(name: str, batch: tuple[str, ...], backend: str) -> None:
    if batch and not OPERATIONS[name].args:
        pytest.skip("no arguments")
    agrees(applied(name, batch), backend)


def test_every_operation_has_a_meaning_here() -> None:
    assert set(MEANING) == set(OPERATIONS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "logsumexp", "softmax", "log_softmax", "tanh", "elu", "selu"])
@pytest.mark.filterwarnings("error")
def test_operation_is_stable(name: str, backend: str) -> None:
    root = apply(name, x, *([number(1)] if name == "elu" else []))
    given = np.array([-1000.0, -30.0, 20.0, 1000.0])
    with np.errstate(over="ignore"):
        expected = interpret(root, {"x": given})
    np.testing.assert_allclose(compile_nodes({"f": root}, backend)(x=given), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_analytic_operations_take_complex_numbers() -> None:
    for op in OPERATIONS.values():
        if not op.analytic or op.name in {"onehot", "pi"}:
            continue
        root = applied(op.name, ())
        env = {k: np.asarray(value) + (2 if op.name in CORE else 0) * np.eye(4) if op.name in CORE else value
               for k, value in values_for(root).items()}  # fmt: skip
        env |= dict.fromkeys(env.keys() & {"k"}, 3)
        compiled = compile_nodes({"f": root})
        step = {k: value * (1 + 1e-30j) if k != "k" else value for k, value in env.items()}
        expected = compiled(**env)
        if np.any(np.isfinite(expected)):  # what is no number on the real line may be one beside it
            np.testing.assert_allclose(np.real(compiled(**step)), expected, rtol=1e-12)
        assert np.iscomplexobj(compiled(**step)), op.name


def test_a_wrong_emitter_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.code.values import Builder

    def wrong(self: Builder, p: Any, q: Any) -> Any:
        return self.make("{0} @ {1}.T", (p, q), 2)

    monkeypatch.setattr(Builder, "matmul", wrong)
    with pytest.raises((AssertionError, ValueError)):
        agrees(c_((Q, "ij"), (apply("exp", Q), "jk"), out="ik"), "numpy")


@pytest.mark.parametrize("name", ["tanh", "softmax", "logsumexp", "positive", "where"])
def test_a_wrong_entry_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = importlib.import_module("symgrad.code.writing")
    original, template = writing.operation, writing.template
    right = original(name, "numpy")
    monkeypatch.setattr(
        writing, "operation", lambda *key: template(f"2 * ({right.text})") if key[0] == name else original(*key)
    )
    with pytest.raises(AssertionError):
        agrees(applied(name, ("m",)), "numpy")


# --- random products ------------------------------------------------------------------------------------------------

LABELS = "abcd"
DIMS = {"a": "m", "b": "n", "c": "k", "d": "C"}


@st.composite
def products(draw: st.DrawFn) -> Node:
    """A random product: up to five factors over four labels, powers, a one-hot at times, a sum or function inside."""
    factors = []
    for k in range(draw(st.integers(1, 5))):
        labels = draw(st.lists(st.sampled_from(LABELS), max_size=3))
        node: Node = variable(f"V{k}", tuple(DIMS[label] for label in labels), ["positive"])
        wrap = draw(st.sampled_from(["", "", "exp", "sum", "positive", "square"]))
        if wrap in {"exp", "positive"}:
            node = apply(wrap, node)
        elif wrap:
            node = add([node, number(1, node.shape)]) if wrap == "sum" else multiply(node, node)
        exponent = draw(st.sampled_from([1, 1, 1, 2, 3, -1, Fraction(1, 2)])) if wrap != "positive" else 1
        factors.append((node, tuple(labels), exponent))
    if draw(st.booleans()):
        by = draw(st.lists(st.sampled_from("abc"), max_size=2, unique=True))
        labels_node = variable("label", tuple(DIMS[label] for label in by), ["label"])
        factors.append((apply("onehot", labels_node, params=("C",)), (*by, "d"), 1))
    out = draw(st.lists(st.sampled_from(LABELS), max_size=3, unique=True))
    coefficient = draw(st.sampled_from([1, 1, -1, 2, Fraction(1, 2), Fraction(-2, 3)]))
    return contract(factors, tuple(out), coefficient, {label: DIMS[label] for label in LABELS})


@settings(max_examples=300, deadline=None)
@given(products(), st.integers(0, 3))
def test_random_product(root: Node, seed: int) -> None:
    agrees(root, "numpy", values_for(root, seed))


@st.composite
def sums(draw: st.DrawFn) -> Node:
    """A sum of products of few tensors, so that terms have much in common; at times a factor of a product again."""

    def factor() -> tuple[Node, tuple[str, ...], int]:
        if draw(st.integers(0, 5)) == 0:
            return hot(variable("label", ("m",), ["label"])), ("a", "d"), 1
        labels = tuple(draw(st.sampled_from(["a", "b", "ab", "bc", "ad", "abc", "", "bd"])))
        return variable("V" + "".join(labels), tuple(DIMS[label] for label in labels)), labels, 1

    def product(out: tuple[str, ...], *more: Any) -> Node:
        factors = [*more, *(factor() for _ in range(draw(st.integers(1, 3))))]
        return contract(factors, out, draw(st.sampled_from([1, -1, 2, 3])), {label: DIMS[label] for label in LABELS})

    out = tuple(draw(st.sampled_from(["", "a", "ab", "ba", "ad", "cd"])))
    total = add([product(out) for _ in range(draw(st.integers(2, 4)))])
    if draw(st.booleans()):
        return total
    last = tuple(draw(st.sampled_from(["", "b", "ac"])))
    return add([product(last, (total, out, 1)), product(last)])


@settings(max_examples=300, deadline=None)
@given(sums())
def test_random_sum(root: Node) -> None:
    agrees(root, "numpy")


@settings(max_examples=150, deadline=None)
@given(st.lists(products(), min_size=2, max_size=4))
def test_random_products_together(roots: list[Node]) -> None:
    """Several outputs share what they can, and are what they are alone."""
    outputs = {f"o{k}": root for k, root in enumerate(roots)}
    env: dict[str, Any] = {}
    for root in roots:
        env |= {name: value for name, value in values_for(root).items() if name not in env}
    shapes: dict[str, Any] = {}
    for root in roots:
        for node in postorder([root]):
            if isinstance(node, Variable) and shapes.setdefault(node.name, node) is not node:
                return
    compiled = compile_nodes(outputs)
    given = {v.name: env[v.name] for v in compiled.arguments} | {dim: SIZES[dim] for dim in compiled.sizes}
    results = compiled(**given)
    for root, result in zip(roots, results, strict=True):
        np.testing.assert_allclose(result, interpret(root, env), rtol=1e-8, atol=1e-10, err_msg=compiled.source)


@settings(max_examples=10, deadline=None)
@given(products())
def test_random_product_in_jax(root: Node) -> None:
    agrees(root, "jax")


# --- sharing, order and size ----------------------------------------------------------------------------------------


def test_hidden_products_are_shared() -> None:
    """X W^T inside of a flattened product is the X W^T that was computed before."""
    scores = c_((X, "bd"), (W, "cd"), out="bc")
    source = emit({"f": apply("exp", scores), "g": c_((X, "bd"), (W, "cd"), (Y, "bc"), out="b")})
    assert source.count("X @ W.T") == 1, source


def test_biases_share_the_backward_pass() -> None:
    V, M = variable("V", ("C", "H")), variable("M", ("N", "H"))
    bias = c_((Y, "bc"), (V, "ch"), (M, "bh"), out="h")
    weight = c_((Y, "bc"), (V, "ch"), (M, "bh"), (X, "bd"), out="hd")
    source = emit({"b": bias, "W": weight})
    assert source.count("Y @ V") == 1, source
    assert "Y.T" not in source, source


def test_products_of_many_factors() -> None:
    vectors = [variable(f"u{k}", ("n",)) for k in range(60)]
    agrees(contract([(u, ("i",)) for u in vectors], ("i",)), "numpy")
    matrices = [variable(f"M{k}", ("n", "n")) for k in range(60)]
    chain = contract([(m, (k, k + 1)) for k, m in enumerate(matrices)], (0, 60))
    env = values_for(chain)
    expected = np.linalg.multi_dot([env[f"M{k}"] for k in range(60)])
    np.testing.assert_allclose(compile_nodes({"f": chain})(**env), expected, rtol=1e-8)


def test_long_chains_and_sums() -> None:
    node: Node = x
    for _ in range(5000):
        node = add([apply("sin", node), x])
    env = {"x": np.linspace(0, 1, 4)}
    expected = env["x"]
    for _ in range(5000):
        expected = np.sin(expected) + env["x"]
    np.testing.assert_allclose(compile_nodes({"f": node})(**env), expected)
    wide = add([apply("exp", scale(x, k)) for k in range(1, 3000)])
    assert compile_nodes({"f": wide})(x=np.zeros(4))[0] == 2999


def test_names_of_definitions_are_used() -> None:
    q = c_((A, "ij"), (x, "j"), out="i")
    source = emit({"f": c_((q, "i", 2))}, names={q: "scores"})
    assert "scores = A @ x" in source


# --- names ----------------------------------------------------------------------------------------------------------

ATTACKS = [
    "np", "jnp", "jax", "class", "lambda", "__builtins__", "__import__", "import os", "os.system('x')", "x\ny", "f", "float",
    "softmax", "sigmoid", "λ", "x'", "a^{(2)}", "a^(2)", "W_1", r"\hat{y}", "1x", "", "_", "None", "match", '"""', "#", "é", "𝐱", "ﬁ",
    "return 1", "{0}", "%s", "t1", "rows", "N", "q", "x" * 5000, "dW",
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_any_name_is_safe(attack: str, backend: str) -> None:
    hostile = variable(attack, ("N", "C"))
    twin = variable(attack + " ", ("N", "C"))
    root = apply("softmax", add([hostile, multiply(twin, apply("sigmoid", twin))]))
    source = emit({attack: root, "g": hostile}, name=attack, doc=attack, names={root: attack}, backend=backend)
    tree = ast.parse(source)
    for node in ast.walk(tree):
        names = (
            []
            if isinstance(node, ast.alias)
            else [getattr(node, field, None) for field in ("id", "arg", "attr", "name")]
        )
        for name in names:
            if isinstance(name, str):
                assert name.isidentifier(), source
                assert not keyword.iskeyword(name)
                assert not name.startswith("_")
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imports <= {"numpy", "jax", "jax.numpy"}
    if backend == "numpy":
        compiled = compile_nodes({"f": root})
        one, two = np.random.default_rng(0).standard_normal((2, 2, 3))
        expected = interpret(root, {attack: one, attack + " ": two}, {"N": 2, "C": 3})
        np.testing.assert_allclose(compiled(**{attack: one, attack + " ": two}), expected)


def test_dimension_names_are_safe() -> None:
    for attack in ATTACKS:
        node = c_((size(attack), ""), (variable("x", (attack,)), "i")) if attack else size("n")
        if attack:
            assert compile_nodes({"f": node})(x=[1.0, 2.0]) == 6


def test_source_is_deterministic() -> None:
    root = PRODUCTS["jacobian of softmax"][0]
    assert emit({"f": root}) == emit({"f": root})


# --- calls ----------------------------------------------------------------------------------------------------------

MATVEC = c_((A, "ij"), (x, "j"), out="i")
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "missing": ({"A": np.ones((3, 4))}, UsageError, "missing: x"),
    "unknown": ({"A": np.ones((3, 4)), "x": np.ones(4), "z": 1}, UsageError, "unknown: z"),
    "sizes": ({"A": np.ones((3, 4)), "x": np.ones(5)}, ShapeError, "A is 3×4, so n = 4, but x has 5"),
    "rank": ({"A": np.ones(4), "x": np.ones(4)}, ShapeError, "A is m×n"),
    "text": ({"A": np.ones((3, 4)), "x": list("abcd")}, UsageError, "x is no array of numbers"),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", REFUSED)
def test_wrong_arguments_are_refused(name: str, backend: str) -> None:
    arrays, error, message = REFUSED[name]
    with pytest.raises(error, match=message.replace("×", ".")):
        compile_nodes({"f": MATVEC}, backend)(**arrays)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0.5, 1]])
def test_labels_are_checked(labels: list[float]) -> None:
    with pytest.raises(UsageError, match="y"):
        compile_nodes({"f": ENTRY})(S=np.ones((2, 3)), y=labels)


def test_arguments_may_be_chosen() -> None:
    compiled = compile_nodes({"f": MATVEC}, arguments=[x, A, a])
    assert [v.name for v in compiled.arguments] == ["x", "A", "a"]
    assert compiled(x=np.ones(4), A=np.ones((3, 4)), a=1).tolist() == [4.0] * 3
    with pytest.raises(UsageError, match="needs A"):
        emit({"f": MATVEC}, arguments=[x])
    with pytest.raises(UsageError, match="same name"):
        emit({"f": multiply(variable("u"), variable("u", (), ["positive"]))})


def test_sizes_of_no_argument_are_arguments() -> None:
    compiled = compile_nodes({"f": broadcast(a, ("p",))})
    assert compiled.sizes == ("p",)
    assert compiled(a=2.0, p=3).tolist() == [2.0] * 3
    with pytest.raises(UsageError, match="missing: p"):
        compiled(a=2.0)
    with pytest.raises(UsageError, match="whole number"):
        compiled(a=2.0, p=1.5)
    with pytest.raises(UsageError, match="variable and of a size"):
        compile_nodes({"f": broadcast(a, ("a",))})
    assert compile_nodes({"f": number(1, ("n",))}, arguments=[x])(x=np.zeros(3)).tolist() == [1.0] * 3


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(UsageError, match="no backend"):
        emit({"f": a}, backend="fortran")
    with pytest.raises(LimitError):
        emit({"f": scale(a, 10**400)})


def test_jax_precision_is_left_alone() -> None:
    import jax
    import jax.numpy as jnp

    before = jnp.ones(1).dtype
    result = compile_nodes({"f": apply("exp", a)}, "jax")(a=1.0)
    assert abs(result - math.exp(1)) < 1e-14
    assert jnp.ones(1).dtype == before == jnp.float32
    assert not jax.config.jax_enable_x64


def test_jax_function_can_be_transformed() -> None:
    import jax

    compiled = compile_nodes({"f": c_((MATVEC, "i", 2))}, "jax")
    order = [v.name for v in compiled.arguments].index("x")
    gradient = jax.grad(compiled.function, argnums=order)(*[np.ones((3, 4)), np.ones(4)][:: 1 if order else -1])
    np.testing.assert_allclose(gradient, 24 * np.ones(4), rtol=1e-6)


STABLE = {
    "sigmoid(u)": lambda u: 1 / (2 + 2 * mpmath.cosh(u)),
    "tanh(u)": lambda u: 1 / mpmath.cosh(u) ** 2,
    "sigmoid(u)^2": lambda u: mpmath.exp(-u) * 2 / (1 + mpmath.exp(-u)) ** 3,
    "tanh(u)^3": lambda u: 3 * mpmath.tanh(u) ** 2 / mpmath.cosh(u) ** 2,
    "log(sigmoid(u))": lambda u: 1 / (1 + mpmath.exp(u)),
    "sigmoid(u) - sigmoid(2 u)": lambda u: 1 / (2 + 2 * mpmath.cosh(u)) - 1 / (1 + mpmath.cosh(2 * u)),
}


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("source", STABLE)
def test_derivatives_keep_their_digits_where_functions_saturate(source: str, backend: str) -> None:
    found = sg.compile(sg.gradient(source, "u"), backend)
    for u in (-300.0, -40.0, -3.0, 2.0, 40.0, 300.0):
        assert np.isclose(found(u=u), float(STABLE[source](mpmath.mpf(u))), rtol=1e-12, atol=1e-290)


def test_softmax_jacobian_keeps_its_digits() -> None:
    s = np.array([40.0, 0.0, 1.0])
    e = np.array([mpmath.exp(x) for x in s])
    off = np.outer(e, e) * (1 - np.eye(3, dtype=int)) / sum(e) ** 2
    want = (np.diag(off.sum(axis=1)) - off).astype(float)
    found = sg.compile(sg.jacobian("softmax(s)", "s", shapes="s: n"))(s=s)
    assert np.allclose(found, want, rtol=1e-12, atol=0)
    batch = sg.compile(sg.jacobian("softmax(S)", "S", shapes="S: b n"))(S=np.stack([s, s[::-1]]))
    assert np.allclose(batch[0, :, 0], want, rtol=1e-12, atol=0)
