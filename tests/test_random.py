"""Gradients of random expressions, derived and emitted by symgrad, against JAX's reverse mode."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from symgrad.calculus.modes import backward
from symgrad.code import compile_nodes
from symgrad.expr import Node, Variable, postorder
from symgrad.simplify.rules import Simplifier
from tests.random_expressions import SIZES, point, scalar

#: How many expressions a test compares; the slow tests together at least 10,000.
EACH = 500


def gradients(f: Node, wrt: list[Node], at: dict[str, Any]) -> list[np.ndarray]:
    """By symgrad: one reverse pass, simplified, emitted as NumPy."""
    simplifier = Simplifier()
    found = backward(simplifier.simplify(f), wrt)
    compiled = compile_nodes({v.name: simplifier.result(found[v]) for v in wrt}, "numpy")
    given = {v.name: at[v.name] for v in compiled.arguments} | {d: SIZES[d] for d in compiled.sizes}
    values = compiled(**given)
    return [np.asarray(value, dtype=float) for value in (values if len(wrt) > 1 else (values,))]


def by_jax(f: Node, wrt: list[Node], at: dict[str, Any]) -> list[np.ndarray]:
    """By JAX, of the function as it stands."""
    compiled = compile_nodes({"f": f}, "jax")
    given = [at[v.name] for v in compiled.arguments]
    rest = [SIZES[d] for d in compiled.sizes]
    places = [[v.name for v in compiled.arguments].index(v.name) for v in wrt]
    run = lambda *arrays: 1.0 * compiled.function(*arrays, *rest)  # noqa: E731
    with jax.enable_x64(True):
        return [np.asarray(g) for g in jax.grad(run, argnums=places)(*map(jax.numpy.asarray, given))]


def disagreement(f: Node, at: dict[str, Any]) -> float | None:
    """The largest relative error over all gradients; None where the function or its gradient is no number."""
    wrt: list[Node] = [node for node in postorder([f]) if isinstance(node, Variable)]
    if not wrt:
        return None
    with np.errstate(all="ignore"):
        want = by_jax(f, wrt, at)
        if not all(np.isfinite(w).all() for w in want) or max(np.abs(w).max() for w in want) > 1e8:
            return None
        got = gradients(f, wrt, at)
    assert [g.shape for g in got] == [w.shape for w in want]
    scale = max(1.0, *(np.abs(w).max() for w in want))
    return float(max(np.abs(g - w).max() for g, w in zip(got, want, strict=True)) / scale)


def compare(first: int, count: int) -> int:
    """Compare `count` random functions from number `first` on; how many could be compared."""
    compared = 0
    for seed in range(first, first + count):
        f = scalar(seed)
        found = disagreement(f, point(np.random.default_rng(seed)))
        if found is not None:
            assert found <= 1e-8, (seed, f, found)
            compared += 1
    return compared


def test_random_gradients() -> None:
    assert compare(10**6, 150) >= 75


def test_a_wrong_gradient_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = gradients
    monkeypatch.setattr("tests.test_random.gradients", lambda *args: [1.001 * g for g in right(*args)])
    with pytest.raises(AssertionError):
        compare(0, 20)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(22))
def test_many_random_gradients(block: int) -> None:
    assert compare(block * EACH, EACH) >= 455
