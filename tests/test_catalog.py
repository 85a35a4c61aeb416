"""The catalog: every entry reads alike in text and LaTeX, derives what is expected, and agrees with its oracle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import symgrad as sg
from symgrad.catalog import CATALOG, Entry
from symgrad.simplify.rules import same, simplify
from tests.oracles import ORACLES, POSITIVE

GRADIENTS = [(entry.name, wrt) for entry in CATALOG.values() for wrt in entry.gradients]


#: Derivatives that the field writes in another form than symgrad: equal in value, multiplied out or factored otherwise.
OTHER_FORM = {
    ("lecun-tanh", "x"), ("tied-autoencoder", "V"), ("autoencoder", "A"), ("autoencoder", "x"),
    ("sparse-autoencoder", "A"), ("sparse-autoencoder", "x"), ("sparse-autoencoder", "lam"),
}  # fmt: skip


def function(name: str) -> sg.Expr:
    return sg.parse(name)


def real_variables(name: str) -> list[str]:
    return [v for v, declared in function(name).variables.items() if "label" not in declared.assumptions]


def draw(name: str, seed: int) -> dict[str, Any]:
    """A random point: unequal sizes, both signs, labels within their classes."""
    rng = np.random.default_rng(seed)
    variables = function(name).variables
    dims = sorted({d for v in variables.values() for d in v.shape if isinstance(d, str)})
    sizes = dict(zip(dims, rng.permutation(np.arange(2, 2 + len(dims))), strict=True))
    at: dict[str, Any] = {}
    for var, declared in variables.items():
        shape = tuple(sizes.get(d, d) for d in declared.shape)
        if "label" in declared.assumptions:
            at[var] = rng.integers(0, sizes.get("C", 2), shape)
        else:
            at[var] = rng.normal(size=shape) if (name, var) not in POSITIVE else rng.uniform(0.5, 3, shape)
    return at


def evaluate(e: sg.Expr, of: sg.Expr, at: dict[str, Any]) -> Any:
    """The value of `e`, an expression in the variables and sizes of `of`."""
    sizes = {d: n for v, declared in of.variables.items() for d, n in zip(declared.shape, np.shape(at[v]), strict=True)}
    compiled = sg.compile(e)
    return compiled(**{v: at[v] for v in e.variables}, **{d: sizes[d] for d in compiled.sizes})


@pytest.mark.parametrize("name", CATALOG)
def test_text_and_latex_read_alike(name: str) -> None:
    entry: Entry = CATALOG[name]
    latex = sg.parse(entry.latex, shapes=entry.shapes, assume=entry.assume, syntax="latex")
    assert same(simplify(latex.node), simplify(function(name).node))
    assert not any(v.guessed for v in function(name).variables.values())


@pytest.mark.parametrize("name", CATALOG)
def test_printing_reads_back(name: str) -> None:
    e = function(name)
    shapes = {n: v.shape for n, v in e.variables.items()}
    assume = {n: "+".join(v.assumptions) for n, v in e.variables.items() if v.assumptions}
    for source, syntax in ((e.text, "text"), (e.latex, "latex")):
        assert sg.parse(source, shapes=shapes, assume=assume, syntax=syntax) == e, source


@pytest.mark.parametrize(("name", "wrt"), GRADIENTS)
def test_gradient_as_the_field_writes_it(name: str, wrt: str) -> None:
    e = function(name)
    want = sg.parse(CATALOG[name].gradients[wrt], shapes=CATALOG[name].shapes, assume=CATALOG[name].assume)
    found = sg.derive(e, wrt=wrt).result
    assert found.shape == want.shape
    for seed in range(2):
        at = draw(name, seed)
        values = [evaluate(one, e, at) for one in (found, want)]
        assert np.allclose(*values, rtol=1e-9, atol=1e-12), (found.text, want.text)
    if (name, wrt) not in OTHER_FORM:
        assert same(found.node, simplify(want.node)), (found.text, want.text)


@pytest.mark.parametrize(("name", "wrt"), GRADIENTS)
def test_named_parts_read_back(name: str, wrt: str) -> None:
    found = sg.derive(name, wrt=wrt).result
    shapes = {n: v.shape for n, v in found.variables.items()}
    assume = {n: "+".join(v.assumptions) for n, v in found.variables.items() if v.assumptions}
    assert len(found.named) <= len(found.text)
    if found.named != found.text:
        back = sg.parse(found.named, shapes=shapes, assume=assume)
        assert same(simplify(back.node), simplify(found.node)), found.named


def test_a_wrong_expectation_is_seen() -> None:
    assert not same(sg.gradient("wx2", "W").node, simplify(sg.parse("W x x^T").node))


@pytest.mark.parametrize("name", CATALOG)
def test_oracle(name: str) -> None:
    """Function and all derivatives, compiled to NumPy, equal the oracle's and those that JAX takes of it."""
    with jax.enable_x64(True):
        oracle = ORACLES[name]
        value = sg.compile(name)
        derivatives = {v: sg.compile(sg.jacobian(name, v)) for v in real_variables(name)}
        for seed in range(3):
            at = draw(name, seed)
            assert np.allclose(value(**at), oracle(**at), rtol=1e-10)
            for v, found in derivatives.items():
                fixed = {k: a for k, a in at.items() if k != v}
                want = jax.jacobian(lambda t, v=v, fixed=fixed: oracle(**fixed, **{v: t}))(at[v])
                got = found(**at)
                assert np.shape(got) == np.shape(want)
                assert np.max(np.abs(got - want)) <= 1e-9 * max(1.0, np.max(np.abs(want))), v


@pytest.mark.parametrize("name", CATALOG)
def test_derivation_is_the_gradient(name: str) -> None:
    """The result of the recorded steps is what differentiating directly gives."""
    for v in real_variables(name):
        found = sg.derive(name, wrt=v)
        direct = sg.jacobian(name, v)
        assert found.result.shape == direct.shape
        at = draw(name, 5)
        assert np.allclose(sg.compile(found.result)(**at), sg.compile(direct)(**at), rtol=1e-9, atol=1e-12)
        for form in ("matrix", "index", "differential"):
            lines = found.lines(form)
            assert lines
            assert [line.number for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG)
def test_witnesses_agree(name: str) -> None:
    for v in real_variables(name):
        report = sg.check(name, wrt=v)
        assert report, report.reason
        assert {w.name for w in report.witnesses} >= {"sympy", "numerical", "jax-forward", "jax-reverse"}
        assert all(w.agrees for w in report.witnesses), report.witnesses


def test_a_wrong_oracle_is_seen() -> None:
    at = draw("wx2", 0)
    assert not np.allclose(sg.compile(sg.gradient("wx2", "W"))(**at), np.outer(at["W"] @ at["x"], at["x"]))


def test_every_entry_has_an_oracle() -> None:
    assert set(ORACLES) == set(CATALOG)


# --- golden -----------------------------------------------------------------------------------------------------------

GOLDEN = Path(__file__).parent / "data" / "golden.json"


def printed() -> dict[str, dict[str, str]]:
    """Text and LaTeX of every derivative of the catalog."""
    found = {}
    for name in CATALOG:
        for v in real_variables(name):
            result = sg.derive(name, wrt=v).result
            found[f"{name} by {v}"] = {"text": result.text, "latex": result.latex}
    return found


@pytest.mark.parametrize("key", json.loads(GOLDEN.read_text()) if GOLDEN.exists() else [])
def test_golden(key: str) -> None:
    """What is printed changes only on purpose: `python -m tests.test_catalog` writes the file anew.

    The same derivative is compared with the oracle, so that a wrong golden line cannot be written unseen.
    """
    name, _, v = key.partition(" by ")
    result = sg.derive(name, wrt=v).result
    assert {"text": result.text, "latex": result.latex} == json.loads(GOLDEN.read_text())[key]
    at = draw(name, 11)
    step = {k: np.asarray(a, dtype=float) for k, a in at.items()}
    rng = np.random.default_rng(3)
    direction = rng.normal(size=np.shape(at[v]))
    with jax.enable_x64(True):
        oracle = ORACLES[name]
        high, low = (oracle(**at | {v: step[v] + s * 1e-6 * direction}) for s in (1, -1))
    found = np.tensordot(sg.compile(result)(**at), direction, axes=np.ndim(direction))
    want = (np.asarray(high) - np.asarray(low)) / 2e-6
    assert np.max(np.abs(found - want)) <= 1e-6 * max(1.0, np.max(np.abs(want)))


def test_golden_is_complete() -> None:
    assert set(json.loads(GOLDEN.read_text())) == set(printed())


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(printed(), ensure_ascii=False, indent=1) + "\n")
