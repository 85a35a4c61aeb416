"""Claims as the literature writes them, true and false, each with its verdict: all decided, none falsely.

A row of `data/claims.json` has a function and a claim about its derivative; `jax` and `claimed` are the same two as
code, and an oracle that shares nothing with what is tested (JAX, at random points) confirms every verdict.  `refused`
rows are those in which something needed is not said; `layout` rows are right in another layout, and told so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symgrad as sg
from symgrad.shapes import read_shapes

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "claims.json").read_text(encoding="utf-8"))
EVERY = 6
#: Claims that are refused for what is not read yet, and not for what they leave out.
UNREAD = frozenset(("total-variation", "total-variation-sign", "batchnorm-bars"))  # END


def outcome(case: dict[str, Any]) -> str:
    """What becomes of a claim: its verdict, `layout` where it is right in another one, or `refused`."""
    shapes, assume = case["shapes"], case.get("assume")
    options: dict[str, Any] = {"order": case.get("order", 1), "layout": case.get("layout", "gradient")}
    try:
        report = sg.check(
            case["function"], wrt=case["wrt"], claim=case["claim"], shapes=shapes, assume=assume, **options
        )
    except sg.SymgradError:
        return "refused"
    codes = {finding.code for finding in report.diagnosis}
    if report.verdict == "wrong" and not codes & {"shape", "layout"} and "shape" not in report.reason:
        assert report.counterexample is not None, report.reason
    return "layout" if "layout" in codes else str(report.verdict)


def told(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", CASES[::EVERY], ids=told)
def test_claim(case: dict[str, Any]) -> None:
    assert outcome(case) == ("refused" if case["id"] in UNREAD else case["verdict"])


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for k, case in enumerate(CASES) if k % EVERY], ids=told)
def test_every_claim(case: dict[str, Any]) -> None:
    assert outcome(case) == ("refused" if case["id"] in UNREAD else case["verdict"])


# --- the oracle -------------------------------------------------------------------------------------------------------

SIZES = {"m": 3, "n": 4, "k": 2, "p": 5, "N": 6, "D": 3, "C": 5, "M": 4, "K": 3, "V": 6, "d": 4, "h": 3, "r": 2}


def _commutation(m: int, n: int) -> Any:
    """K with K vec(X) = vec(Xᵀ) for X of m rows and n columns, where vec stacks columns."""
    return jnp.eye(m * n)[np.arange(m * n).reshape(n, m).T.ravel()]


SPACE: dict[str, Any] = {
    **{name: getattr(jnp, name) for name in dir(jnp) if not name.startswith("_")},
    "inv": jnp.linalg.inv, "det": jnp.linalg.det, "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax,
    "sigmoid": jax.nn.sigmoid, "logsumexp": jax.nn.logsumexp, "ncdf": jax.scipy.stats.norm.cdf,
    "erf": jax.scipy.special.erf, "comm": _commutation, "nucnorm": lambda X: jnp.linalg.norm(X, "nuc"),
    "svd": lambda X: jnp.linalg.svd(X, full_matrices=False),
}  # fmt: skip
SHORT = {"lambda": "lam", "epsilon": "eps"}


def point(case: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Random values of the variables, in the names of the oracle's code."""
    sizes, called = SIZES | case.get("dims", {}), SHORT | case.get("rename", {})
    values = {}
    for name, dims in (read_shapes(case["shapes"], str) or {}).items():
        shape = tuple(d if isinstance(d, int) else sizes[d] for d in dims)
        value = rng.normal(size=shape) * case.get("scale", 1.0)
        match case.get("domains", {}).get(name, "").split():
            case ["positive"]:
                value = np.abs(value) + 0.3
            case ["unit"]:
                value = rng.uniform(0.1, 0.9, shape)
            case ["big"]:
                value = np.abs(value) + 12
            case ["dominant"]:
                value = value + 4 * np.eye(len(value))
            case ["symmetric"]:
                value = value + value.T
            case ["spd"]:
                value = value @ value.T + np.eye(len(value))
            case ["onehot"]:
                value = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
            case ["distribution"]:
                value = np.exp(value) / np.sum(np.exp(value))
            case ["label", dim]:
                value = rng.integers(sizes[dim], size=shape)
        values[called.get(name, name)] = np.asarray(case.get("at", {}).get(name, value))
    return values


def oracle(case: dict[str, Any], rng: np.random.Generator) -> float:
    """How far the claim is from JAX's derivative at one point, relative to the latter."""
    values = point(case, rng)
    wrt = {**SHORT, **case.get("rename", {})}.get(case["wrt"], case["wrt"])
    fixed = {name: value for name, value in values.items() if name != wrt}
    function = lambda x: eval(case["jax"], {**SPACE, **fixed, wrt: x})  # noqa: E731 - the rows are our own
    for _ in range(case.get("order", 1)):
        function = jax.jacfwd(function)
    want = np.asarray(function(values[wrt]))
    if case.get("layout") == "vec":
        rows, columns = want.ndim - 2, values[wrt].ndim
        assert (rows, columns) == (2, 2)
        k, l, m, n = want.shape  # noqa: E741
        want = want.transpose(1, 0, 3, 2).reshape(k * l, m * n)
    got = np.asarray(eval(case["claimed"], {**SPACE, **values}))
    if got.shape != want.shape:
        return float("inf")
    return float(np.max(np.abs(got - want)) / np.max(np.abs(want)))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=told)
def test_the_verdict_is_what_jax_says(case: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    with jax.enable_x64(True):
        error = max(oracle(case, rng) for _ in range(3))
    if case["verdict"] == "wrong":
        assert error > 1e-10
    elif case["verdict"] == "correct":
        assert error < 1e-11
