"""Diagnosis: every known mistake is named, and a wrong answer is never explained with a wrong reason."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.review.diagnosis import CODES, explain
from symgrad.review.equality import evaluated
from symgrad.review.mistakes import SLIPS
from symgrad.verify.check import caller
from symgrad.verify.interpret import numpy_arithmetic
from tests.conftest import ROOT
from tests.mistakes import MISTAKES, Mistake
from tests.slips import SLIPS as WRITTEN


def program(mistake: Mistake) -> Any:
    """The wrong gradient as NumPy code, as a function of named arrays."""

    def gradient(**arrays: Any) -> Any:
        names: dict[str, Any] = {**arrays, "np": np}
        exec(mistake.code, names)
        return names["g"]

    return gradient


def named(mistake: Mistake, claim: Any) -> None:
    report = sg.check(mistake.function, wrt=mistake.wrt, claim=claim, shapes=mistake.shapes or None)
    assert report.verdict == "wrong", report.reason
    assert [finding.code for finding in report.diagnosis] == ([mistake.finding] if mistake.finding else [])
    assert all(mistake.words in finding.message and finding.evidence for finding in report.diagnosis)


def explained(mistake: Mistake, claim: Any) -> list[str]:
    """The codes of what is found by the values of a claim alone."""
    function = sg.parse(mistake.function, shapes=mistake.shapes or None)
    gradient, wrt = sg.gradient(function, mistake.wrt).node, function.variable(mistake.wrt)
    found = explain(function.node, wrt, gradient, claim, names=function.reading.definitions)
    return [finding.code for finding in found]


@pytest.mark.parametrize("mistake", [*MISTAKES, *WRITTEN[::6]], ids=lambda m: m.name)
def test_a_mistake_is_named_without_the_witnesses(mistake: Mistake) -> None:
    expected = {"layout": "shape"}.get(mistake.finding, mistake.finding)
    assert explained(mistake, caller(program(mistake))) == ([expected] if expected else [])


#: Slips that the values of the claim show in its shape, which is compared before any of them.
BY_SHAPE = {"column-against-row", "bias-over-the-wrong-axis"}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [m for m in WRITTEN if m.name not in BY_SHAPE], ids=lambda m: m.name)
def test_every_slip_is_named(mistake: Mistake) -> None:
    assert explained(mistake, caller(program(mistake))) == ([mistake.finding] if mistake.finding else [])


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [m for m in WRITTEN if m.name in BY_SHAPE or m.claim][::5], ids=lambda m: m.name)
def test_a_slip_in_a_report_is_named(mistake: Mistake) -> None:
    named(mistake, mistake.claim or program(mistake))


@pytest.mark.parametrize("mistake", MISTAKES[1::16], ids=lambda m: m.name)
def test_a_mistake_in_code_is_named(mistake: Mistake) -> None:
    named(mistake, program(mistake))


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_every_mistake_in_code_is_named(mistake: Mistake) -> None:
    named(mistake, program(mistake))


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [m for m in MISTAKES if m.claim], ids=lambda m: m.name)
def test_every_mistake_in_a_formula_is_named(mistake: Mistake) -> None:
    named(mistake, mistake.claim)


def test_every_code_is_declared_and_every_declared_code_is_used() -> None:
    sources = [
        path.read_text("utf-8")
        for path in (ROOT / "symgrad").rglob("*.py")
        if path.parent.name in {"review", "verify", "program"}
    ]
    written = re.compile(r'(?:(?:Finding|Suspect|Share|_product)\(\s*f?|finding=)"([a-z-]+)"')
    used = {code for source in sources for code in written.findall(source)}
    used |= {slip.code for slip in SLIPS}
    assert used == set(CODES)
    assert {mistake.finding for mistake in MISTAKES} - {""} <= set(CODES)


def test_nearly_all_are_named() -> None:
    for known in (MISTAKES, WRITTEN):
        assert sum(bool(mistake.finding) for mistake in known) >= 0.95 * len(known)


#: Wrong answers that no single known mistake leads to: nothing may be said of them.
UNEXPLAINED = {
    "two mistakes": (
        "||X w - y||^2 + lam ||w||^2",
        "w",
        "X^T (X w - y) + 3 lam w + y^T y w",
        "X: N D, w: D, y: N, lam:",
    ),
    "something else": ("sum(sigmoid(z))", "z", "cos(z) + z.^2", "z: n"),
    "a random factor in one entry": ("||W x||^2", "W", "2 W x x^T + 3 W", "W: m n, x: n"),
}


@pytest.mark.parametrize("case", UNEXPLAINED)
def test_no_finding_is_better_than_a_false_one(case: str) -> None:
    function, wrt, claim, shapes = UNEXPLAINED[case]
    report = sg.check(function, wrt=wrt, claim=claim, shapes=shapes)
    assert report.verdict == "wrong"
    assert report.diagnosis == ()


#: What a gradient g may be made into, beside w, that nobody's slip is.
STRANGE = {
    "of another function": lambda g, w: np.sin(g) + w,
    "squared": lambda g, w: g * g + w,
    "off by little": lambda g, w: g * (1 + 1e-6 * np.sin(w)),
    "off by a constant": lambda g, w: g + 0.7,
    "moved": lambda g, w: np.roll(g, 1) + np.roll(w, 1),
    "with odd factors": lambda g, w: 1.3 * g + 0.4 * w + 0.2,
    "with its sum": lambda g, w: g + 0.5 * np.sum(g),
    "to a power": lambda g, w: np.sign(g) * np.abs(g) ** 1.5,
    "cut off": lambda g, w: np.maximum(g, 0.1),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_nobodys_slip_is_not_explained(strange: str) -> None:
    for mistake in WRITTEN[list(STRANGE).index(strange) :: 45]:
        function = sg.parse(mistake.function, shapes=mistake.shapes or None)
        gradient, name = sg.gradient(function, mistake.wrt).node, function.variable(mistake.wrt).name

        def claim(point: Any, gradient: Any = gradient, name: str = name) -> Any:
            right = np.asarray(evaluated(gradient, point, numpy_arithmetic()))
            return STRANGE[strange](right, np.asarray(point.values[name]))

        assert explained(mistake, claim) == []


@pytest.mark.parametrize("mistake", MISTAKES[2:4], ids=lambda m: m.name)
def test_the_right_answer_has_no_finding(mistake: Mistake) -> None:
    right = sg.gradient(mistake.function, mistake.wrt, shapes=mistake.shapes or None)
    report = sg.check(mistake.function, wrt=mistake.wrt, claim=right.text, shapes=mistake.shapes or None)
    assert report
    assert report.diagnosis == ()


@pytest.mark.slow
def test_a_singular_matrix_at_a_sample_point_ends_no_check() -> None:
    assert sg.check("log(abs(det(X)))", wrt="X", claim="2 X^{-1}", shapes="X: n n").verdict == "wrong"
