"""The expression: normal form, interning, bounds, and passes that do not recurse."""

from __future__ import annotations

import gc
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import DomainError, LimitError, ShapeError
from symgrad.expr import (
    Contraction,
    Node,
    Sum,
    add,
    broadcast,
    call,
    constant,
    contract,
    count,
    delta,
    multiply,
    negate,
    number,
    power,
    relabel,
    scale,
    size,
    substitute,
    variable,
    variables,
)
from symgrad.ops import OPERATIONS, apply
from tests.evaluate import evaluate

A, B = variable("A", ("n", "n")), variable("B", ("n", "n"))
W, x, y = variable("W", ("m", "n")), variable("x", ("n",)), variable("y", ("n",))
s, t = variable("s"), variable("t")
Wx = contract([(W, "ij"), (x, "j")], ("i",))
HALF = Fraction(1, 2)

SAME = {
    "x + x is 2 x": (add([x, x]), scale(x, 2)),
    "x - x is 0": (add([x, (-1, x)]), number(0, ("n",))),
    "0 x is 0": (scale(x, 0), number(0, ("n",))),
    "1 x is x": (scale(x, 1), x),
    "(A B) x is A (B x)": (
        contract([(contract([(A, "ij"), (B, "jk")], ("i", "k")), "ik"), (x, "k")], ("i",)),
        contract([(A, "ij"), (contract([(B, "jk"), (x, "k")], ("j",)), "j")], ("i",)),
    ),
    "I x is x": (contract([(delta("n"), "ij"), (x, "j")], ("i",)), x),
    "tr I is n": (contract([(delta("n"), "ii")]), size("n")),
    "I I is I": (contract([(delta("n"), "ij"), (delta("n"), "jk")], ("i", "k")), delta("n")),
    "transposed twice": (relabel(relabel(W, ("i", "j"), ("j", "i")), ("j", "i"), ("i", "j")), W),
    "(Wx)ᵀ(Wx) is a squared norm": (contract([(Wx, "i"), (Wx, "i")]), contract([(Wx, "i", 2)])),
    "x² / x is x": (multiply(power(x, 2), power(x, -1)), x),
    "(x²)^(1/2) stays": (power(power(s, 2), HALF), contract([(power(s, 2), (), HALF)])),
    "(s t)² is s² t²": (power(multiply(s, t), 2), multiply(power(s, 2), power(t, 2))),
    "sqrt 4 is 2": (power(number(4), HALF), number(2)),
    "a number in every entry": (broadcast(number(3), ("n",)), number(3, ("n",))),
    "a sum in a sum is opened": (add([add([s, t]), (-1, t)]), s),
    "2 (s + t) in a sum is opened": (add([scale(add([s, t]), 2), (-2, t)]), scale(s, 2)),
    "a sum over nothing counts": (contract([(s, ())], (), 1, {"i": "n"}), multiply(s, size("n"))),
    "a sum over 3 counts": (contract([(s, ())], (), 1, {"i": 3}), scale(s, 3)),
    "max(x, x) is x": (apply("maximum", x, x), x),
    "exp 0 is 1": (apply("exp", number(0)), number(1)),
    "x^2 called is x^2": (apply("power", x, number(2)), power(x, 2)),
    "diag twice": (relabel(relabel(x, ("i",), ("i", "i")), ("i", "i"), ("i",)), x),
}


@pytest.mark.parametrize("case", SAME)
def test_normal_form(case: str) -> None:
    left, right = SAME[case]
    assert left is right


DIFFERENT = {
    "A B and B A": (contract([(A, "ij"), (B, "jk")], ("i", "k")), contract([(B, "ij"), (A, "jk")], ("i", "k"))),
    "A and its transpose": (A, relabel(A, ("i", "j"), ("j", "i"))),
    "tr(A B) and sum(A .* B)": (contract([(A, "ij"), (B, "ji")]), contract([(A, "ij"), (B, "ij")])),
    "Σ x² and (Σ x)²": (contract([(x, "i", 2)]), contract([(x, "i"), (x, "j")])),
    "assumptions": (variable("A", ("n", "n"), ["symmetric"]), A),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_not_confused(case: str) -> None:
    left, right = DIFFERENT[case]
    assert left is not right


REFUSED = {
    "1/0": (lambda: power(number(0), -1), DomainError),
    "1/(x - x)": (lambda: power(add([s, (-1, s)]), -1), DomainError),
    "log 0": (lambda: apply("log", number(0)), DomainError),
    "a huge number": (lambda: number(2**5000), LimitError),
    "softmax of a scalar": (lambda: apply("softmax", s), ShapeError),
    "inverse of what is not square": (lambda: apply("inverse", W), ShapeError),
    "entrywise on unequal shapes": (lambda: apply("maximum", x, W), ShapeError),
    "too few arguments": (lambda: call(OPERATIONS["maximum"], [x]), ShapeError),
    "pickling": (lambda: pickle.dumps(x), TypeError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    build, error = REFUSED[case]
    with pytest.raises(error):
        build()


def test_equal_nodes_are_one_object_and_are_forgotten() -> None:
    before = len(gc.get_objects())
    for k in range(2000):
        add([variable(f"v{k}"), number(k)])
    gc.collect()
    assert len(gc.get_objects()) < before + 3000


def test_substitute_rebuilds_only_what_changes() -> None:
    f = contract([(Wx, "i", 2)])
    assert substitute(f, {x: y}) is contract([(contract([(W, "ij"), (y, "j")], ("i",)), "i", 2)])
    assert substitute(f, {t: s}) is f
    assert [v.name for v in variables(f)] == ["W", "x"]


def test_passes_do_not_recurse() -> None:
    node: Node = s
    for _ in range(20_000):
        node = add([apply("tanh", node), t])
    assert count(node) == 40_002
    assert substitute(node, {t: s}) is not node


def test_repeated_squaring_stays_small() -> None:
    node: Node = A
    for _ in range(60):
        node = contract([(node, "ij"), (node, "jk")], ("i", "k"))
    assert count(node) < 500
    doubled: Node = s
    for _ in range(200):
        doubled = add([doubled, doubled])
    assert isinstance(doubled, Contraction)
    assert doubled.coefficient == 2**200


# --- the normal form never changes the value --------------------------------------------------------------------------

SIZES = {"n": 3, "m": 2}
POINT = {
    "x": np.array([0.5, -1.2, 2.0]),
    "y": np.array([1.5, 0.3, -0.7]),
    "A": np.arange(9).reshape(3, 3) / 4 - 1,
    "B": np.cos(np.arange(9)).reshape(3, 3),
    "s": 1.7,
    "t": -0.6,
    "W": np.sin(np.arange(6)).reshape(2, 3),
}
VECTORS = st.deferred(
    lambda: st.one_of(
        st.sampled_from([x, y]),
        st.tuples(VECTORS, VECTORS, st.integers(-2, 2)).map(lambda v: add([v[0], (v[2], v[1])])),
        st.tuples(VECTORS, VECTORS).map(lambda v: multiply(*v)),
        st.tuples(st.sampled_from([A, B]), VECTORS).map(lambda v: contract([(v[0], "ij"), (v[1], "j")], ("i",))),
        st.tuples(VECTORS, VECTORS, VECTORS).map(lambda v: contract([(v[0], "i"), (v[1], "i"), (v[2], "j")], ("j",))),
        VECTORS.map(lambda v: apply("tanh", v)),
    )
)


def _literal(node: Node) -> np.ndarray:
    return evaluate(node, POINT, SIZES)


@settings(max_examples=150, deadline=None)
@given(VECTORS, VECTORS, st.sampled_from([A, B]))
def test_products_keep_their_value(u: Node, v: Node, matrix: Node) -> None:
    """contract and add agree with einsum on the values of their arguments."""
    outer = contract([(u, "i"), (v, "j"), (matrix, "ij", 2)], ("j",), HALF)
    want = 0.5 * np.einsum("i,j,ij->j", _literal(u), _literal(v), _literal(matrix) ** 2)
    scale_of = np.max(np.abs(want)) + 1
    assert np.allclose(_literal(outer), want, atol=1e-9 * scale_of)
    assert np.allclose(_literal(add([u, (-3, v)])), _literal(u) - 3 * _literal(v), atol=1e-9 * scale_of)


def test_this_test_can_fail() -> None:
    """The comparison above sees a wrong label."""
    right = _literal(contract([(A, "ij"), (x, "j")], ("i",)))
    wrong = _literal(contract([(A, "ji"), (x, "j")], ("i",)))
    assert not np.allclose(right, wrong)
    assert isinstance(add([s, t]), Sum)
    assert constant(negate(number(2))) == -2
