"""What `symgrad derive --hint`, `symgrad explain` and `symgrad quiz` print, and how a quiz is held.

Contract: a quiz works in a pipe as at a terminal: one answer a line on standard input, reviewed by `symgrad.check`; it
ends with the first right answer, with `stop`, or with the input.  Nothing is computed here.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import symgrad as sg
from symgrad.errors import SymgradError, UsageError, printable
from symgrad.practice import Explanation, explained
from symgrad.practice.rules import text_of

from . import report
from .arguments import input_line, resembling
from .terminal import Ink, columns, pad, table

if TYPE_CHECKING:
    from symgrad import Derivation
    from symgrad.verify import Report

INDENT = "  "
#: Longest formula in the list of all rules.
WIDE = 60
#: Answers that are none.
HINT, STOP = ("hint", "?"), ("stop", "quit", "give up")


# --- hints ------------------------------------------------------------------------------------------------------------


def hints(found: Mapping[str, Derivation], shown: int, form: str, ink: Ink) -> Iterator[str]:
    """The reading, and for each variable the first steps and what to do next."""
    yield ""
    yield from report.reading(next(iter(found.values())).function, ink)
    for derivation in found.values():
        yield ""
        if len(found) > 1:
            yield f"{INDENT}{ink('bold', derivation.heading[0])}"
        yield from hint(derivation, shown, form, ink)
    yield ""


def hint(derivation: Derivation, shown: int, form: str, ink: Ink) -> Iterator[str]:
    """The first steps, and of the next one its left side and its rule."""
    given = derivation.hint(shown, form)
    rows = [[("dim", str(line.number)), ("", line.formula_text), ("rule", line.rule)] for line in given.lines]
    yield from table(rows, ink)
    count = ink("dim", f"({len(given.lines)} of {given.total} steps)")
    yield f"{INDENT}{ink('bold', f'next  {given.advice}') if given.next else 'that is all of it'}   {count}"


# --- rules ------------------------------------------------------------------------------------------------------------


def rules(ink: Ink) -> Iterator[str]:
    """All rules, one line each."""
    rows = []
    for rule in explained():
        said = rule.statement[-1].split("   ")[0] if rule.statement else rule.words
        short = said if columns(said) <= WIDE else f"{said[: WIDE - 3]}..."
        rows.append([("bold", rule.name), ("", short), ("dim", rule.source)])
    return table([[("dim", "rule"), ("dim", "says"), ("dim", "source")], *rows], ink)


def explanation(rule: Explanation, ink: Ink) -> Iterator[str]:
    """One rule: what it says, where it is from, and an example derived now."""
    yield ""
    yield f"{INDENT}{ink('bold', rule.name)}"
    yield from (f"{INDENT}{INDENT}{statement}" for statement in rule.statement)
    for key, value in (("in words", rule.words), ("source", rule.source)):
        if value:
            yield f"{INDENT}{ink('dim', pad(key, 8))} {value}"
    found = rule.derived()
    if found is not None:
        yield ""
        yield f"{INDENT}{ink('dim', pad('example', 8))} {found.name} = {text_of(found)}"
        rows = []
        for line in found.lines(rule.form):
            here = rule.name in line.rule.split(" + ")
            rows.append([("dim", str(line.number)), ("bold" if here else "", line.formula_text), ("rule", line.rule)])
        yield from table(rows, ink)
    yield ""


# --- quiz -------------------------------------------------------------------------------------------------------------


@dataclass
class Quiz:
    """One question: a function of the catalog, and the variable to differentiate by."""

    name: str
    derivation: Derivation
    hints: int = 0
    reports: list[Report | SymgradError] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """That of the last answer that could be read; unanswered where there is none."""
        last = self.reports[-1] if self.reports else None
        return "unanswered" if last is None else "unreadable" if isinstance(last, SymgradError) else last.verdict

    def to_dict(self) -> dict[str, Any]:
        entry = sg.catalog()[self.name]
        function = self.derivation.function
        answers = [r.to_dict() if not isinstance(r, SymgradError) else {"error": r.to_dict()} for r in self.reports]
        asked = {"name": self.name, "title": entry.title, "source": entry.source, "wrt": self.derivation.wrt}
        shapes = {"shapes": report.declaration(function.variables)}
        return {
            "quiz": asked | {"function": function.to_dict()} | shapes,
            "verdict": self.verdict,
            "hints": self.hints,
            "answers": answers,
        }


def pose(name: str | None, wrt: str | None, seed: int | None) -> Quiz:
    """The question: the one that is named, or one at random."""
    entries = {key: entry for key, entry in sg.catalog().items() if entry.gradients}
    if name is not None and name not in entries:
        known = name in sg.catalog()
        what = "has no gradient to ask for" if known else "is no function of the catalog"
        raise UsageError(f"{name} {what}", hint=resembling(name, entries))
    chance = random.Random(seed)  # noqa: S311 - a question, no secret
    chosen = name or chance.choice(sorted(entries))
    asked = wrt or chance.choice(sorted(entries[chosen].gradients))
    return Quiz(chosen, sg.derive(chosen, wrt=asked))


def question(quiz: Quiz, ink: Ink) -> Iterator[str]:
    """What is asked."""
    entry = sg.catalog()[quiz.name]
    yield ""
    yield f"{INDENT}{ink('bold', entry.title)}   {ink('dim', entry.source)}"
    yield from report.reading(quiz.derivation.function, ink)
    size = "×".join(map(str, quiz.derivation.result.shape)) or "a scalar"
    remark = ink("dim", f"of shape {size}; hint shows a step, stop the answer")
    yield f"{INDENT}{ink('dim', 'find')}     {quiz.derivation.heading[0]}   {remark}"


def answers() -> Iterator[str]:
    """The lines of standard input that are not empty, with a prompt where somebody types them."""
    while True:
        if sys.stdin.isatty():
            sys.stderr.write(f"{INDENT}answer = ")
            sys.stderr.flush()
        line = input_line()
        if line is None:
            return
        if line:
            yield line


def hold(quiz: Quiz, lines: Iterator[str], ink: Ink) -> Iterator[str]:
    """The quiz as it goes: a review of every answer, a hint where one is asked for."""
    yield from question(quiz, ink)
    for line in lines:
        if line.lower() in STOP:
            yield from given_up(quiz, ink)
            return
        if line.lower() in HINT:
            yield ""
            yield from hint(quiz.derivation, quiz.hints, "matrix", ink)
            quiz.hints += 1
            continue
        yield ""
        yield f"{INDENT}{ink('dim', 'answer')}   {printable(line)}"
        yield from review(quiz, line, ink)
        if quiz.verdict == "correct":
            break
    yield ""


def given_up(quiz: Quiz, ink: Ink) -> Iterator[str]:
    """The whole derivation."""
    yield ""
    yield from report.steps(quiz.derivation, "matrix", ink)
    yield ""
    yield f"{INDENT}{ink('bold', f'{quiz.derivation.heading[0]}  =  {quiz.derivation.result.text}')}"
    yield ""


def review(quiz: Quiz, answer: str, ink: Ink) -> Iterator[str]:
    """The verdict on one answer, with the likely slip; an unreadable one shows its place."""
    try:
        checked = sg.check(quiz.name, wrt=quiz.derivation.wrt, claim=answer)
    except SymgradError as error:
        quiz.reports.append(error)
        yield from report.problem(error, ink)
        return
    quiz.reports.append(checked)
    yield from report.verdict(checked, ink)
