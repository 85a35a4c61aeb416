"""Hostile sources: every row of `data/hostile_reading.json` is read as mathematics or refused, quickly and with its place.

A row holds a `source`, or `repeated` pieces of one; `outcome` is value, error or value_or_error; `code` and `offset` say
what the error must be.  Nothing that is read may ever be compiled or executed.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import InputError, LimitError
from symgrad.notation.parser import parse_tree

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "hostile_reading.json").read_text())
PIECES = [
    *r"x y W s_i _ ^ { } ( ) [ ] | || + - * / @ \ \frac \sum \log sum max d dx e T 1 2.5 1e \left( \right) \begin{cases} "
    r"\end{cases} & \\ ; , = < > in if else otherwise np.exp .T ' ! # % $ ... \hat \mathbf \text{if} \operatorname{tr} where "
    r"cases norm diff \sqrt [3] \partial \nabla \in R \mathbb I f g (x) . .dot \| \mathbb{1} \infty _{ ^{ \max {T} ^{(".split(),
    "²",
    "ᵀ",
    "₁",
    "θ",
    "∑",
    "Σ",
    "⟨",
    "⟩",
    "∂",
    "∇",
    "∈",
    "×",
    " ",
    "\n",
    "\u0302",
    "\ud800",
    "\x00",
    "\u202e",
]


def source_of(row: dict[str, Any]) -> str:
    return row["source"] if "source" in row else "".join(piece * times for piece, times in row["repeated"])


def check(row: dict[str, Any]) -> None:
    source = source_of(row)
    started = time.process_time()
    try:
        parse_tree(source, syntax=row["syntax"])
    except InputError as error:
        assert row["outcome"] != "value", error
        assert error.code == row.get("code", error.code)
        assert error.offset == row.get("offset", error.offset)
        check_error(error, source)
    else:
        assert row["outcome"] != "error"
    assert (time.process_time() - started) * 1e3 < row["max_ms"]


def check_error(error: InputError, source: str) -> None:
    """The place lies in the source, and the text can be printed anywhere."""
    if not isinstance(error, LimitError):
        assert error.source == source
    assert 0 <= error.offset <= len(source)
    assert error.end > error.offset
    shown = str(error)
    shown.encode()
    assert not any((c < " " and c != "\n") or c == "\x7f" for c in shown)
    json.dumps(error.to_dict()).encode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_hostile(row: dict[str, Any]) -> None:
    check(row)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "x y", "syntax": "text", "outcome": "error", "max_ms": 1000},
        {"source": "x +", "syntax": "text", "outcome": "value", "max_ms": 1000},
        {"source": "x +", "syntax": "text", "outcome": "error", "code": "CHAR", "max_ms": 1000},
        {"source": "x +", "syntax": "text", "outcome": "error", "code": "PARSE", "offset": 0, "max_ms": 1000},
        {"source": "x y", "syntax": "text", "outcome": "value", "max_ms": 0},
    ],
    ids=["value", "error", "code", "offset", "time"],
)
def test_the_check_can_fail(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check(wrong)


def test_nothing_is_compiled_or_executed() -> None:
    """Reading every row raises no audit event that runs code, opens files or starts programs."""
    seen: list[str] = []
    listening = [True]
    forbidden = ("exec", "compile", "open", "import", "os.system", "subprocess.Popen", "socket.connect")
    sys.addaudithook(lambda event, _: seen.append(event) if listening[0] and event in forbidden else None)
    try:
        compile("1", "the hook hears this", "eval")
        assert seen == ["compile"]
        seen.clear()
        for row in ROWS:
            with contextlib.suppress(InputError):
                parse_tree(source_of(row), syntax=row["syntax"])
    finally:
        listening[0] = False
    assert seen == []


@pytest.mark.parametrize("size", [2000, 4000, 8000], ids=str)
@pytest.mark.parametrize(
    "piece", ["x+", "x ", "x*", "(x)", "|x|+", "||x||+", "x_i+", "x^2+", "x'", "-", "x,", "1[x>0]+", "∑_i "]
)
def test_time_grows_with_the_length_only(piece: str, size: int) -> None:
    source = piece * (size // len(piece)) + "x"
    started = time.process_time()
    try:
        parse_tree(source)
    except InputError as error:
        check_error(error, source)
    assert time.process_time() - started < 5  # a back-tracking reader needs minutes; the benchmarks have the speed


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from(["auto", "text", "latex"]))
def test_token_soup(source: str, syntax: str) -> None:
    refuse_or_read(source, syntax)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["auto", "text", "latex"]))
def test_any_characters(source: str, syntax: str) -> None:
    refuse_or_read(source, syntax)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ROWS), st.integers(0, 200), st.sampled_from(PIECES), st.sampled_from(["auto", "text", "latex"]))
def test_mutated_rows(row: dict[str, Any], place: int, piece: str, syntax: str) -> None:
    source = source_of(row)[:400]
    refuse_or_read(source[:place] + piece + source[place + 1 :], syntax)


def refuse_or_read(source: str, syntax: str) -> None:
    try:
        parse_tree(source, syntax=syntax)
    except InputError as error:
        check_error(error, source)
