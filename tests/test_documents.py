"""Whole documents: right ones are accepted in every line, broken ones blamed at the line that is broken."""

from __future__ import annotations

import pytest

import symgrad as sg
from tests.documents import DOCUMENTS, Document

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
