"""The modes of differentiation against difference quotients and against each other."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.calculus import arrange_layout, backward, derivative, gradient, jacobian, jvp, pushforward, vjp
from symgrad.errors import ShapeError, UsageError
from symgrad.expr import Node, Variable, add, contract, number, postorder, variable
from symgrad.ops import apply
from symgrad.simplify.rules import simplify
from tests.build import POINT, SIZES, A, B, s, scalars, vectors, x, y
from tests.evaluate import evaluate


def differences(node: Node, wrt: Variable) -> np.ndarray:
    base = np.asarray(POINT[wrt.name], dtype=float)
    rows = np.zeros((*np.shape(evaluate(node, POINT, SIZES)), *base.shape))
    for index in product(*(range(n) for n in base.shape)):
        step = np.zeros_like(base)
        step[index] = 1e-5
        high = evaluate(node, POINT | {wrt.name: base + step}, SIZES)
        rows[(..., *index)] = (high - evaluate(node, POINT | {wrt.name: base - step}, SIZES)) / 2e-5
    return rows


def close(got: np.ndarray, want: np.ndarray, tolerance: float = 2e-6) -> bool:
    return bool(np.max(np.abs(got - want)) <= tolerance * max(1.0, np.max(np.abs(want))))


@settings(max_examples=60, deadline=None)
@given(scalars())
def test_gradient_is_the_difference_quotient(f: Node) -> None:
    for wrt in (x, A, s):
        want = differences(f, wrt)
        raw = gradient(f, wrt)
        assert raw.shape == wrt.shape
        assert close(evaluate(raw, POINT, SIZES), want)
        assert close(evaluate(simplify(raw), POINT, SIZES), evaluate(raw, POINT, SIZES), 1e-9)


@settings(max_examples=60, deadline=None)
@given(vectors(st.sampled_from([x, y])))
def test_forward_and_reverse_are_transposes(f: Node) -> None:
    tangent, cotangent = variable("t", ("n",)), variable("g", ("n",))
    at = POINT | {"t": np.array([1.0, -2.0, 0.5]), "g": np.array([0.3, 0.9, -1.1])}
    left = at["g"] @ evaluate(jvp(f, x, tangent), at, SIZES)
    right = at["t"] @ evaluate(vjp(f, x, cotangent), at, SIZES)
    jac = evaluate(jacobian(f, x), at, SIZES)
    assert np.isclose(left, right, rtol=1e-9, atol=1e-9)
    assert np.isclose(left, at["g"] @ jac @ at["t"], rtol=1e-9, atol=1e-9)
    assert close(jac, differences(f, x))


@settings(max_examples=15, deadline=None)
@given(scalars())
def test_hessian_is_symmetric_and_right(f: Node) -> None:
    hessian = evaluate(simplify(derivative(simplify(f), [x, x])), POINT, SIZES)
    assert np.allclose(hessian, hessian.T, atol=1e-8 * (1 + np.max(np.abs(hessian))))
    assert close(hessian, differences(gradient(f, x), x), 1e-5)


SHAPES = {
    "scalar by vector": (contract([(x, "i", 2)]), x, ("n",)),
    "vector by vector": (apply("softmax", x), x, ("n", "n")),
    "vector by matrix": (contract([(A, "ij"), (x, "j")], ("i",)), A, ("n", "n", "n")),
    "matrix by scalar": (contract([(A, "ij"), (s, ())], ("i", "j")), s, ("n", "n")),
    "matrix by matrix": (apply("inverse", A), A, ("n", "n", "n", "n")),
    "what does not occur": (contract([(x, "i", 2)]), y, ("n",)),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shape(case: str) -> None:
    f, wrt, shape = SHAPES[case]
    found = jacobian(f, wrt)
    assert found.shape == shape
    assert close(evaluate(found, POINT, SIZES), differences(f, wrt))
    values = pushforward(f, {wrt: number(0, wrt.shape)})
    assert values[f].shape == f.shape


W = variable("W", ("m", "n"))
LAYOUTS = {
    "gradient of a scalar": (contract([(x, "i", 2)]), x, "gradient", ("n",)),
    "row of a scalar": (contract([(x, "i", 2)]), x, "numerator", (1, "n")),
    "transpose of a scalar by a matrix": (contract([(W, "ij", 2)]), W, "numerator", ("n", "m")),
    "as JAX": (contract([(W, "ij"), (x, "j")], ("i",)), x, "numerator", ("m", "n")),
    "denominator": (contract([(W, "ij"), (x, "j")], ("i",)), x, "denominator", ("n", "m")),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(case: str) -> None:
    f, wrt, layout, shape = LAYOUTS[case]
    assert arrange_layout(jacobian(f, wrt), f.rank, layout).shape == shape


REFUSED = {
    "gradient of a vector": (lambda: gradient(x, x), ShapeError),
    "tangent of another shape": (lambda: jvp(x, x, s), ShapeError),
    "cotangent of another shape": (lambda: vjp(x, x, s), ShapeError),
    "unknown layout": (lambda: arrange_layout(x, 0, "sideways"), UsageError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    build, error = REFUSED[case]
    with pytest.raises(error):
        build()


def test_work_grows_with_the_size_of_the_expression() -> None:
    """Twice the depth, about twice the nodes in all gradients together: nothing swells."""

    def size_at(depth: int) -> int:
        h: Node = x
        weights = [variable(f"W_{k}", ("n", "n")) for k in range(depth)]
        for w in weights:
            h = apply("relu", contract([(w, "ij"), (h, "j")], ("i",)))
        values = backward(contract([(h, "i", 2)]), weights)
        return len(postorder([values[w] for w in weights]))

    assert size_at(64) < 2.2 * size_at(32)


def test_a_wrong_gradient_is_seen() -> None:
    f = contract([(x, "i"), (A, "ij"), (x, "j")])
    wrong = contract([(A, "ij"), (x, "j")], ("i",), 2)
    assert not close(evaluate(wrong, POINT, SIZES), differences(f, x))
    assert close(evaluate(gradient(f, x), POINT, SIZES), differences(f, x))
    assert add([B, A]).shape == ("n", "n")


HVP = ["||A x||^2", "sum(log(1 + exp(-y .* (A x))))", "||x||^3", "x^T A x", "logsumexp(A x)", "sum(tanh(A x))^2"]


@pytest.mark.parametrize("source", HVP)
def test_hessian_vector_product(source: str) -> None:
    """Equal to the Hessian times the vector, and never longer than a few gradients."""
    shapes = "A: n n, x: n, y: n"
    product, hessian = sg.hvp(source, "x", shapes=shapes), sg.hessian(source, "x", shapes=shapes)
    at = POINT | {"v": np.array([0.3, -1.0, 2.0])}
    want = evaluate(hessian.node, at, SIZES) @ at["v"]
    assert close(evaluate(product.node, at, SIZES), want)
    assert not close(evaluate(product.node, at, SIZES), 2 * want + 1)


def test_hessian_vector_product_of_what_is_no_scalar() -> None:
    with pytest.raises(ShapeError):
        sg.hvp("A x", "x")
