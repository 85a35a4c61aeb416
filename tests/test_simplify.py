"""Simplification: known results in the form in which the field writes them, and never another value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings

from symgrad.calculus import gradient
from symgrad.expr import Node, constant, count, is_zero, variables
from symgrad.notation.reading import read
from symgrad.notation.render import to_latex, to_text
from symgrad.simplify.rules import RULES, simplify
from symgrad.simplify.trees import MAX_TREE, arranged, index_tree, to_tree
from tests.build import POINT, SIZES, scalars, x
from tests.evaluate import evaluate


@dataclass(frozen=True)
class Rewrite:
    before: str
    after: str
    shapes: str = ""
    assume: str = ""


REWRITES = {
    "softmax": Rewrite("[exp(s_i) / sum_j exp(s_j)]_i", "softmax(s)", "s: n"),
    "log-sum-exp": Rewrite("log(sum_j exp(s_j))", "logsumexp(s)", "s: n"),
    "softmax loss": Rewrite("-log(exp(s_y)/sum_j exp(s_j))", "logsumexp(s) - s_y", "s: n", "y: label"),
    "sigmoid": Rewrite("1/(1 + exp(-x))", "sigmoid(x)", "x:"),
    "softplus": Rewrite("log(1 + exp(x))", "softplus(x)", "x:"),
    "derivative of the sigmoid": Rewrite("exp(-x)/(1 + exp(-x))^2", "sigmoid(x) sigmoid(-x)", "x:"),
    "log of exp": Rewrite("log(exp(x))", "x", "x:"),
    "common factor": Rewrite("A x + A^T x", "(A + A^T) x", "A: n n, x: n"),
    "binary cross-entropy": Rewrite("y (1 - p) - (1 - y) p", "y - p", "y:, p:"),
    "cancelling": Rewrite("(y/p - (1 - y)/(1 - p)) p (1 - p)", "y - p", "y:, p:"),
    "common number": Rewrite("2 a + 4 b", "2 (a + 2 b)", "a:, b:"),
    "transposes": Rewrite("(P^T - Y^T) X", "(P - Y)^T X", "P: n c, Y: n c, X: n d"),
    "sign inside": Rewrite("-(P - Y)^T X", "(Y - P)^T X", "P: n c, Y: n c, X: n d"),
    "gate": Rewrite("max(0, x) .* 1[x > 0]", "max(0, x)", "x: n"),
    "gate twice": Rewrite("1[x > 0] .* 1[x > 0]", "1[x > 0]", "x: n"),
    "softmax sums to one": Rewrite("sum(softmax(x))", "1", "x: n"),
    "common factor of a vector and a number": Rewrite("g .* p - (g^T p) p", "(g - g^T p) .* p", "g: n, p: n"),
    "common divisor": Rewrite("1/(1 + |x|) - x sign(x)/(1 + |x|)^2", "1/(1 + |x|)^2", "x:"),
    "sum of deviations": Rewrite("sum(x - mean(x))", "0", "x: n"),
    "product of deviations": Rewrite("(x - mean(x)) (x - mean(x))^T ones", "zeros(n)", "x: n"),
    "size and sign": Rewrite("x sign(x)", "|x|", "x:"),
    "sign of a quotient": Rewrite("sign(x) x y/|x|", "y", "x:, y:"),
    "tanh": Rewrite("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "tanh(x)", "x:"),
    "tanh of hyperbolic functions": Rewrite("y sinh(x)/cosh(x)", "y tanh(x)", "x:, y:"),
    "log of a determinant": Rewrite("log(|det(A)|)", "logdet(A)", "A: n n"),
    "saturating": Rewrite("y sigmoid(x) - y sigmoid(x)^2", "y sigmoid(x) (1 - sigmoid(x))", "x:, y:"),
    "decimals": Rewrite("x + 0.044715 x^3", "x + 0.044715 x^3", "x:"),
    "orthogonal": Rewrite("x^T Q^T Q y", "x^T y", "Q: n n, x: n, y: n", "Q: orthogonal"),
    "symmetric": Rewrite("S x + S^T x", "2 S x", "S: n n, x: n", "S: symmetric"),
    "symmetric inverse": Rewrite("inv(S)^T x", "inv(S) x", "S: n n, x: n", "S: positive_definite"),
    "square of an absolute value": Rewrite("|x|^2", "x^2", "x:"),
    "one branch or the other": Rewrite("1[x > 0] a + 1[-x >= 0] b", "cases(a if x > 0; b otherwise)", "x:, a: n, b: n"),
    "in its own branch": Rewrite(
        "cases(a 1[x > 0] if x > 0; b - 1[x > 0] otherwise)", "cases(a if x > 0; b otherwise)", "x:, a:, b:"
    ),
    "gate of what is clipped": Rewrite("1[max(0, x) < 6]", "1[x < 6]", "x:"),
    "gate below what is clipped": Rewrite("1[max(0, x) > 6]", "1[x > 6]", "x:"),
    "gate that nothing clips": Rewrite("1[max(0, x) > -6]", "1[max(0, x) > -6]", "x:"),
    "inverse of a product": Rewrite("A B inv(C A B)", "inv(C)", "A: n n, B: n n, C: n n"),
    "inverse of a product, transposed": Rewrite("inv(A^T B) A^T C", "inv(B) C", "A: n n, B: n n, C: n n"),
    "inverse of no product of squares": Rewrite("B inv(A B)", "B inv(A B)", "A: n m, B: m n"),
    "inverse of an inverse": Rewrite("inv(inv(A))", "A", "A: n n"),
    "inverse beside itself": Rewrite("A inv(A) b", "b", "A: n n, b: n"),
    "inverse beside its transpose": Rewrite("A^T inv(A) b", "A^T inv(A) b", "A: n n, b: n"),
    "order of factors": Rewrite("x y + y x", "2 x y", "x:, y:"),
}


def node_of(source: str, case: Rewrite) -> Node:
    return read(source, shapes=case.shapes, assume=case.assume).node


@pytest.mark.parametrize("name", REWRITES)
def test_rewrite(name: str) -> None:
    case = REWRITES[name]
    assert to_text(to_tree(simplify(node_of(case.before, case)))) == to_text(
        to_tree(arranged(node_of(case.after, case)))
    )


@settings(max_examples=100, deadline=None)
@given(scalars())
def test_value_is_kept(f: Node) -> None:
    for node in (f, gradient(f, x)):
        want = evaluate(node, POINT, SIZES)
        short = simplify(node)
        assert np.allclose(evaluate(short, POINT, SIZES), want, rtol=1e-8, atol=1e-8)
        assert np.allclose(evaluate(arranged(node), POINT, SIZES), want, rtol=1e-8, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(scalars())
def test_simplifying_twice_changes_nothing(f: Node) -> None:
    once = simplify(gradient(simplify(f), x))
    assert simplify(once) is once


@settings(max_examples=60, deadline=None)
@given(scalars())
def test_what_is_written_reads_back(f: Node) -> None:
    """Text and LaTeX, in matrix form, of functions and gradients, read back to the same node."""
    shapes = {"x": ("n",), "y": ("n",), "A": ("n", "n"), "B": ("n", "n"), "s": ()}
    for node in (arranged(f), simplify(gradient(f, x))):
        tree = to_tree(node)
        if is_zero(node) or "ones" in to_text(tree):
            continue  # neither says its size; `test_ones` has the cases where the rest does
        for source in (to_text(tree), to_latex(tree)):
            again = arranged(read(source, shapes=shapes).node)
            assert again is node, source


@pytest.mark.parametrize("source", ["A ones", "x^T ones", "x onesᵀ A", "(A x - x ones^T x) .* y", "ones^T A ones"])
def test_ones(source: str) -> None:
    """The size of a vector of ones is that of what it meets."""
    node = arranged(read(source, shapes="A: n n, x: n, y: n").node)
    again = arranged(read(to_text(to_tree(node)), shapes="A: n n, x: n, y: n").node)
    assert again is node


@settings(max_examples=40, deadline=None)
@given(scalars())
def test_index_form_has_the_same_value(f: Node) -> None:
    shapes = {"x": ("n",), "y": ("n",), "A": ("n", "n"), "B": ("n", "n"), "s": ()}
    node = simplify(gradient(f, x))
    if constant(node) is not None:
        return
    tree, names = index_tree(node)
    again = read(f"[{to_text(tree)}]_{names[0]}", shapes=shapes).node
    assert np.allclose(evaluate(again, POINT, SIZES), evaluate(node, POINT, SIZES), rtol=1e-8, atol=1e-8)


def test_a_wrong_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule that drops a sign, the comparison of values fails."""
    from symgrad.expr import Contraction, contract, negate

    f = contract([(x, "i", 3)])
    wrong = (lambda node, _: negate(node) if node.coefficient > 0 else None,)
    monkeypatch.setitem(RULES, Contraction, wrong)
    assert not np.allclose(evaluate(simplify(f), POINT, SIZES), evaluate(f, POINT, SIZES))


def test_what_would_fill_the_screen_is_refused() -> None:
    from symgrad.errors import LimitError
    from symgrad.expr import add
    from symgrad.ops import apply

    node: Node = x
    for _ in range(40):
        node = apply("tanh", add([apply("sin", node), (2, apply("cos", node))]))
    with pytest.raises(LimitError):
        to_tree(node)
    assert MAX_TREE > 1000


GROWING = {
    "layer normalisation": "m_{k} = mean({h}); v_{k} = mean(({h} - m_{k})^2); h_{k} = g_{k} .* ({h} - m_{k})/sqrt(v_{k} + 1)",
    "RMS normalisation": "u_{k} = W_{k} {h}; h_{k} = u_{k}/sqrt(mean(u_{k}^2) + 1)",
    "sigmoid": "h_{k} = sigmoid(W_{k} {h} + g_{k})",
}


@pytest.mark.parametrize("name", GROWING)
def test_a_derivative_grows_as_its_function_does(name: str) -> None:
    """Twice the layers, twice the nodes: what is shared stays shared, however long it would be written out."""
    sizes = []
    for depth in (6, 12):
        layers = [GROWING[name].format(k=k, h=f"h_{k - 1}" if k > 1 else "x") for k in range(1, depth + 1)]
        shapes = {f"W_{k}": ("d", "d") for k in range(1, depth + 1)} | {f"g_{k}": ("d",) for k in range(1, depth + 1)}
        function = read("; ".join([*layers, f"||h_{depth}||^2"]), shapes=shapes | {"x": ("d",)}).node
        x = next(v for v in variables(function) if v.name == "x")
        sizes.append(count(simplify(gradient(simplify(function), x))))
    assert sizes[1] < 2.2 * sizes[0], sizes
