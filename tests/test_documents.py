"""Whole documents: right ones are accepted in every line, broken ones blamed at the line that is broken."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.expr import add, contract, number, substitute, variable
from symgrad.review.conditions import follows, normalised
from symgrad.review.equality import compare
from tests.documents import DOCUMENTS, VERDICTS, Document

BROKEN = [
    pytest.param(one, text, line, id=f"{one.name}-{k}", marks=[pytest.mark.slow] if k else [])
    for one in DOCUMENTS for k, (text, line) in enumerate(one.broken())
]  # fmt: skip


def judged(one: Document, text: str) -> sg.DerivationReport:
    return sg.check_derivation(text, shapes=one.shapes or None, assume=one.assume or None)


@pytest.mark.parametrize("one", DOCUMENTS, ids=lambda one: one.name)
def test_a_right_document_is_accepted(one: Document) -> None:
    report = judged(one, one.text)
    assert report.verdict == ("undecided" if one.gap else "correct"), str(report)
    assert report.first_wrong_line is None


@pytest.mark.parametrize(("one", "text", "line"), BROKEN)
def test_a_broken_document_is_blamed_at_its_line(one: Document, text: str, line: int) -> None:
    report = judged(one, text)
    assert report.first_wrong_line == (None if one.gap else line), str(report)


@pytest.mark.parametrize(("text", "shapes", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_words_excuse_what_they_may(text: str, shapes: str, verdict: str) -> None:
    report = sg.check_derivation(text, shapes=shapes or None)
    assert report.verdict == verdict, str(report)


def test_what_follows_from_a_condition() -> None:
    x, y = variable("x", ("n",)), variable("y", ("n",))
    condition = add([(2, x), (-1, y)])
    assert follows(condition, add([(4, x), (-2, y)])) is True
    assert follows(condition, add([x, (-1, y)])) is False
    assert follows(condition, y) is False
    assert follows(condition, variable("z", ("n",))) is None, "nothing of the condition is in it"


def test_what_is_given_of_a_variable_holds_then() -> None:
    y = variable("y", ("n",))
    total = contract([(y, ("i",))], ())
    found = normalised(total, number(2))
    assert found is not None
    assert compare(substitute(total, dict([found])), number(2))
    assert normalised(add([total, number(1)], ()), number(2)) is None, "y + 1 is not homogeneous"
    assert normalised(total, number(0)) is None
