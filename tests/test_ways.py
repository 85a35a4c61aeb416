"""Five ways to one gradient: they agree, they cost what the books say, and a wrong one is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import ShapeError
from symgrad.expr import Node
from symgrad.graph.ways import BEST_STEPS, Comparison, operations
from tests.conftest import Outcome

Cli = Callable[..., Outcome]
NORM_AT = "W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4]"
AUTODIFF = "ln(x1) + x1 x2 - sin(x2)"
#: Relative errors that rounding allows; numerical differentiation has truncation too.
ROUNDING, NUMERICAL = 1e-10, 1e-4


def wrong_ways(found: Comparison) -> list[str]:
    """The ways that miss the exact gradient by more than they may."""
    allowed = {way.name: NUMERICAL if "difference" in way.name else ROUNDING for way in found.ways}
    return [way.name for way in found.ways if way.error is not None and way.error > allowed[way.name]]


def pairs() -> list[Any]:
    """Every scalar function of the catalog with each of its real variables."""
    functions = {name: sg.parse(name) for name in sg.catalog()}
    return [
        pytest.param(name, v, id=f"{name} by {v}")
        for name, function in functions.items()
        if not function.shape
        for v, declared in function.variables.items()
        if "label" not in declared.assumptions
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wrt"), pairs())
def test_the_ways_agree_on_the_whole_catalog(name: str, wrt: str) -> None:
    found = sg.compare(name, wrt)
    assert not wrong_ways(found)
    assert all(way.value is not None for way in found.ways if way.name != "manual" and "complex" not in way.name)


AGREEMENT = {
    "scalars": (AUTODIFF, "x_2", "x1=2, x2=5"),
    "norm": ("||W x||^2", "W", NORM_AT),
    "kink": ("-log softmax(W_2 max(0, W_1 x))_y", "W_1", None),
    "constant": ("x^2 + a^2", "x", "x=0, a=1"),
    "input": ("x", "x", "x=3"),
}


@pytest.mark.parametrize(("source", "wrt", "at"), AGREEMENT.values(), ids=AGREEMENT)
def test_the_ways_agree(source: str, wrt: str, at: str | None) -> None:
    found = sg.compare(source, wrt, at=at, grow=False)
    assert not wrong_ways(found)
    assert {way.name.partition(",")[0] for way in found.ways} == {"manual", "symbolic", "numerical", "automatic"}


def test_a_wrong_way_would_be_noticed() -> None:
    found = sg.compare("||W x||^2", "W", at=NORM_AT, manual="W x x^T", grow=False)
    assert wrong_ways(found) == ["manual"]
    found.ways[-1] = replace(found.ways[-1], error=1e-3)
    assert wrong_ways(found) == ["manual", "automatic, reverse"]


def test_the_numbers_of_the_lectures() -> None:
    found = sg.compare("||W x||^2", "W", at=NORM_AT, manual="2 W x x^T", grow=False)
    assert np.allclose(found.exact, [[0.088, 0.176], [0.104, 0.208]])
    assert round(float(sg.compare(AUTODIFF, "x_2", at="x1=2, x2=5", grow=False).exact), 3) == 1.716


def test_runs_are_counted() -> None:
    found = sg.compare("||W x||^2", "W", at=NORM_AT, grow=False)
    runs = {way.name: way.runs for way in found.ways if way.runs}
    assert runs == {
        "numerical, forward difference": "5 of f", "numerical, central difference": "8 of f",
        "numerical, complex step": "4 of f", "automatic, forward": "4 passes", "automatic, reverse": "1 pass",
    }  # fmt: skip


def test_the_v_of_finite_differences() -> None:
    found = sg.compare("exp(x) sin(x)", "x", at="x=0.7", grow=False)
    for kind in ("forward", "central"):
        best = found.best(kind)
        assert BEST_STEPS[f"{kind} difference"] / 100 < best.h < BEST_STEPS[f"{kind} difference"] * 100
        ends = (getattr(found.steps[0], kind), getattr(found.steps[-1], kind))
        assert min(ends) > 1e4 * getattr(best, kind)
    assert found.steps[-1].complex is not None
    assert found.steps[-1].complex < 1e-14  # no rounding side


def test_the_complex_step_is_left_out_where_the_function_has_no_complex_numbers() -> None:
    found = sg.compare("max(0, x) x", "x", at="x=2", grow=False)
    assert [way.note for way in found.ways if "complex" in way.name] == [
        "the function does not extend to complex numbers"
    ]
    assert all(step.complex is None for step in found.steps)


def test_reverse_mode_costs_one_pass_and_the_others_one_an_input() -> None:
    growth = sg.compare("||W x||^2", "W").growth
    assert [cost.inputs for cost in growth] == [4, 16, 64, 256, 1024]
    first, last = growth[0], growth[-1]
    ratio = {name: last.operations[name] / first.operations[name] for name in last.operations}
    inputs = last.inputs / first.inputs
    assert ratio["reverse"] < inputs
    assert min(ratio["numerical"], ratio["forward"]) > 50 * inputs
    assert not sg.compare("x y", "x").growth


COUNTS = {"x + y": 1, "2 x": 1, "x y z": 2, "x^2": 1, "x y + x y": 2, "exp(x) + exp(x)": 2, "||q||^2": 6, "W q": 12}


@pytest.mark.parametrize(("source", "count"), COUNTS.items())
def test_operations_are_counted(source: str, count: int) -> None:
    node: Node = sg.parse(source, shapes={"q": ("n",), "W": ("m", "n")} if "q" in source else None).node
    assert operations([node], {"n": 3, "m": 2}) == count


def test_a_function_with_axes_is_refused() -> None:
    with pytest.raises(ShapeError, match="scalar"):
        sg.compare("W x", "W")


COMMANDS = [
    pytest.param(0, ["compare", "||W x||^2", "--wrt", "W", "--at", NORM_AT], "0.208", id="compare"),
    pytest.param(0, ["compare", "x^2", "--manual", "2 x"], "manual", id="a claim"),
    pytest.param(0, ["compare", "x^2"], "drawn at random", id="a point is drawn"),
    pytest.param(0, ["compare", "|x|", "--at", "x=0"], "kink", id="a kink"),
    pytest.param(2, ["compare", "W x", "--wrt", "W"], "scalar", id="not a scalar"),
    pytest.param(2, ["compare", "x y", "--wrt", "x", "--wrt", "y"], "once", id="two variables"),
    pytest.param(2, ["compare", "x^2", "--manual", "2 ("], "error", id="an unreadable claim"),
    pytest.param(2, ["compare", "x^2", "--manual", "mine.py:grad"], "cannot be read", id="no such program"),
    pytest.param(2, ["compare", "x^2", "--out", "ways.txt"], ".svg or .png", id="no such kind of file"),
    pytest.param(2, ["compare", "x y", "--at", "x=1"], "y has no value", id="a value is missing"),
]


@pytest.mark.parametrize(("code", "words", "shown"), COMMANDS)
def test_commands(cli: Cli, code: int, words: list[str], shown: str) -> None:
    outcome = cli(*words)
    assert outcome.code == code, outcome.err
    assert shown in (outcome.out if code == 0 else outcome.err)


def test_documents(cli: Cli) -> None:
    document = json.loads(cli("compare", "||W x||^2", "--wrt", "W", "--at", NORM_AT, "--json").out)
    found = document["comparison"]
    assert np.allclose(found["gradient"], [[0.088, 0.176], [0.104, 0.208]])
    assert {"wrt", "at", "gradient", "ways", "steps", "growth", "notes"} == found.keys()


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_plots(cli: Cli, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"ways.{kind}"
    outcome = cli("compare", "||W x||^2", "--wrt", "W", "--out", str(path))
    assert outcome.code == 0, outcome.err
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG") if kind == "png" else b"<svg" in data
