"""Feedback worth sending: as text, Markdown and LaTeX, with partial credit as data, and in the tests of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import symgrad as sg
from symgrad.verify.feedback import FORMATS, ROLES, Part, written

RIDGE = {"wrt": "w", "shapes": "X: N D, w: D, y: N, lam:"}
#: What would be markup in some format.
HOSTILE = [
    "**bold** _it_ `code` ``x``", "<script>alert(1)</script>", "[a](javascript:alert(1))", r"\input{/etc/passwd}",
    r"\end{itemize}\newpage", "100% & #1 $x$ ~ ^", "- item\n\n# title", "1. one", "a | b", "{0} {words}", "\x1b[31mred",
    "\u202egnirts", "λ ‖w‖² Ω 𝔸 é",
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_that_was_written_is_markup(kind: str, words: str) -> None:
    found = written([Part(role, words) for role in ROLES], kind)
    assert "\x1b" not in found
    assert "\u202e" not in found
    if kind == "markdown":
        outside = [line for line in found.splitlines() if "`" not in line.replace("\\`", "")]
        assert not any("<script" in line for line in outside)
        assert not any("**bold" in line for line in outside)
        assert not any(line.startswith("#") for line in found.splitlines())
    if kind == "latex":
        assert found.isascii()
        assert r"\input{/" not in found
        assert found.count(r"\end{itemize}") == 1
        assert "100% " not in found


def test_a_wrong_claim_in_every_format() -> None:
    report = sg.check("||X w - y||^2 + lam ||w||^2", claim="2 X^T (X w - y) + lam w", **RIDGE)
    for kind in FORMATS:
        said = getattr(report, kind)
        assert "wrong" in said
        assert "1 of 2 terms are right" in said
        assert "likely slip" in said
        assert report.gradient.text not in said


TERMS: dict[str, tuple[str, list[float]]] = {
    "all": ("2 X^T (X w - y) + 2 lam w", []),
    "λ for 2 λ": ("2 X^T (X w - y) + lam w", [1, 0.5]),
    "sign": ("2 X^T (X w - y) - 2 lam w", [1, -1]),
    "missing": ("2 lam w", [0, 1]),
    "both wrong": ("X^T (X w - y) + lam w", [0.5, 0.5]),
    "something else": ("2 X^T (X w - y) + 2 lam w + w .* w", []),
}


@pytest.mark.parametrize("case", TERMS)
def test_credit_for_terms(case: str) -> None:
    claim, times = TERMS[case]
    report = sg.check("||X w - y||^2 + lam ||w||^2", claim=claim, **RIDGE)
    assert [term.times for term in report.terms] == times
    assert [term.right for term in report.terms] == [count == 1 for count in times]


def test_credit_for_variables() -> None:
    claims = {"W": "2 (W x + b) x^T", "b": "W x + b", "x": "2 W^T (W x + b)"}
    found = sg.check("||W x + b||^2", claim=claims)
    assert {name: bool(report) for name, report in found.items()} == {"W": True, "b": False, "x": True}


def test_credit_for_lines() -> None:
    report = sg.check_derivation("q = W x\nf = ||q||^2\n∂f/∂W = q x^T\n∂f/∂x = 2 W^T q")
    assert report.credit == {"right": [4], "carried": [], "wrong": [3], "undecided": [], "earned": 1, "of": 2}
    assert json.loads(json.dumps(report.to_dict()))["credit"] == report.credit
    for kind in FORMATS:
        assert "line 3" in getattr(report, kind)
        assert "line 4" not in getattr(report, kind)


@pytest.mark.parametrize("kind", ["text", "markdown", "latex", "json"])
def test_the_command_line_writes_it(cli: Callable[..., Any], kind: str) -> None:
    done = cli("check", "||W x||^2", "--wrt", "W", "--claim", "W x x^T", "--format", kind)
    assert done.code == 1
    starts = {"text": "∂/∂W: wrong", "markdown": "**∂/∂W: wrong", "latex": r"\begin{itemize}", "json": '{"schema"'}
    assert done.out.startswith(starts[kind])


def test_another_format_is_refused(cli: Callable[..., Any]) -> None:
    done = cli("check", "x^2", "--format", "html")
    assert done.code == 2
    assert "markdown" in done.err


PLUGIN = """
def test_right(assert_gradient, assert_derivation):
    assert_gradient("||W x||^2", "2 W x x^T", wrt="W")
    assert_derivation("f = x^2\\n∂f/∂x = 2 x")

def test_wrong(assert_derivation):
    assert_derivation("f = x^2\\n∂f/∂x = 3 x")
"""


def test_the_fixtures(python: Callable[..., Any], tmp_path: Any) -> None:
    (tmp_path / "test_theirs.py").write_text(PLUGIN, encoding="utf-8")
    done = python("-m", "pytest", "-q", "-p", "no:symgrad", "-p", "symgrad.pytest_plugin", "-p", "no:cacheprovider", "--rootdir",
        str(tmp_path), "-c", "/dev/null", str(tmp_path))  # fmt: skip
    assert "1 failed, 1 passed" in done.out
    assert "line 2: wrong" in done.out


def test_the_plugin_imports_nothing_heavy(python: Callable[..., Any]) -> None:
    program = "import sys, symgrad.pytest_plugin; print([m for m in ('numpy', 'jax', 'sympy') if m in sys.modules])"
    assert python("-c", program).out.strip() == "[]"
