"""Random expressions for property tests: vectors over n built from smooth operations, and a point to evaluate at."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from symgrad.expr import Node, add, contract, multiply, power, relabel, variable
from symgrad.ops import apply

A, B = variable("A", ("n", "n")), variable("B", ("n", "n"))
x, y, s = variable("x", ("n",)), variable("y", ("n",)), variable("s")
SIZES = {"n": 3}
POINT = {
    "x": np.array([0.5, -1.2, 0.9]),
    "y": np.array([0.8, 0.3, -0.7]),
    "A": np.cos(np.arange(9)).reshape(3, 3) + 0.4 * np.eye(3),
    "B": np.sin(np.arange(9) + 1).reshape(3, 3),
    "s": 0.7,
}
SMOOTH = ("tanh", "sigmoid", "sin", "softplus", "softmax", "log_softmax")
COEFFICIENTS = st.sampled_from([1, -1, 2, Fraction(1, 2), -3])


def _matvec(args: tuple[Node, Node, bool]) -> Node:
    matrix, vector, turned = args
    return contract([(matrix, "ij"), (vector, "i" if turned else "j")], ("j" if turned else "i",))


def vectors(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Vector expressions over the given leaves, a handful of operations deep."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner, COEFFICIENTS).map(lambda v: add([v[0], (v[2], v[1])])),
            st.tuples(inner, inner).map(lambda v: multiply(*v)),
            st.tuples(st.sampled_from([A, B]), inner, st.booleans()).map(_matvec),
            st.tuples(inner, inner, inner).map(lambda v: contract([(v[0], "i"), (v[1], "i"), (v[2], "j")], ("j",))),
            st.tuples(st.sampled_from(SMOOTH), inner).map(lambda v: apply(*v)),
            inner.map(lambda v: power(add([power(v, 2), contract([(s, ())], ("i",), 1, {"i": "n"})]), Fraction(1, 2))),
            inner.map(lambda v: contract([(relabel(v, ("i",), ("i", "i")), "ij"), (A, "jk")], ("k",))),
        ),
        max_leaves=6,
    )


def scalars() -> st.SearchStrategy[Node]:
    """Scalar functions of x, y, A, B, s."""
    inner = vectors(st.sampled_from([x, y]))
    return st.one_of(
        st.tuples(inner, inner).map(lambda v: contract([(v[0], "i"), (v[1], "i")])),
        inner.map(lambda v: apply("logsumexp", v)),
        inner.map(lambda v: contract([(v, "i", 2), (s, ())])),
    )
