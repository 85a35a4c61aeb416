"""The table of the reviewer: right derivations, broken ones by kind of slip, and the mistakes it can name.

python benchmarks/review.py
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import symgrad as sg
from symgrad.review.diagnosis import explain
from symgrad.verify.check import caller
from tests.derivations import RIGHT
from tests.documents import DOCUMENTS
from tests.mistakes import MISTAKES, Mistake
from tests.mutants import blamed, mutants
from tests.slips import SLIPS

#: What is called otherwise where the shapes are not compared first, and what only they show.
CODES, BY_SHAPE = {"layout": "shape"}, {"column-against-row", "bias-over-the-wrong-axis"}


def main() -> None:
    right = [sg.check_derivation(w.text, shapes=w.shapes or None) for w in RIGHT]
    lines = [line for report in right for line in report.lines]
    judged = [line for line in lines if line.verdict != "definition"]
    print(f"right derivations   {sum(map(bool, right))} of {len(right)} accepted")
    print(f"lines judged        {len(judged)}, of them proved {sum(line.certainty == 'proved' for line in judged)}")
    broken()
    documents()
    for title, known in (("mistakes named", MISTAKES), ("slips named", [m for m in SLIPS if m.name not in BY_SHAPE])):
        named = sum(
            told(mistake) == [*filter(None, [CODES.get(mistake.finding, mistake.finding)])] for mistake in known
        )
        silent = sum(not mistake.finding for mistake in known)
        print(f"{title:20}{named - silent} of {len(known)}, {silent} not named, {len(known) - named} misnamed")


def broken() -> None:
    """Every broken line by the kind of slip: how many, how many found at their line, how many blamed on a later one."""
    count: Counter[str] = Counter()
    found: Counter[str] = Counter()
    later = 0
    began = time.perf_counter()
    for written in RIGHT:
        for mutant in mutants(written):
            line = blamed(mutant)
            count[mutant.slip] += 1
            found[mutant.slip] += line == mutant.line
            later += line is not None and line > mutant.line
    took = time.perf_counter() - began
    print(f"broken derivations  {found.total()} of {count.total()} found at their line, {later} later, {took:.0f} s")
    for slip, number in count.most_common():
        print(f"  {slip:18}{found[slip]:4} of {number}")


def documents() -> None:
    """Documents as students and authors write them: what is accepted, refused, blamed, and where."""
    began = time.perf_counter()
    reports = [sg.check_derivation(d.text, shapes=d.shapes or None, assume=d.assume or None) for d in DOCUMENTS]
    verdicts = Counter(report.verdict for report in reports)
    lines = Counter(line.verdict for report in reports for line in report.lines)
    print(f"documents           {verdicts['correct']} of {len(reports)} accepted, {verdicts['wrong']} wrongly blamed")
    print(f"  lines judged      {lines['correct']}, refused {lines['undecided']}")
    places: Counter[str] = Counter()
    for one in DOCUMENTS:
        for text, line in one.broken():
            found = sg.check_derivation(text, shapes=one.shapes or None, assume=one.assume or None).first_wrong_line
            places["none" if found is None else ("earlier", "found", "later")[1 + (found > line) - (found < line)]] += 1
    took = time.perf_counter() - began
    print(f"  broken ones       {places['found']} of {places.total()} found at their line")
    print(
        f"  others            {places['earlier']} earlier, {places['later']} later, {places['none']} not, {took:.0f} s"
    )


def told(mistake: Mistake) -> list[str]:
    """The codes of what is found about a mistake given as NumPy code."""

    def program(**arrays: Any) -> Any:
        names: dict[str, Any] = {**arrays, "np": np}
        exec(mistake.code, names)
        return names["g"]

    function = sg.parse(mistake.function, shapes=mistake.shapes or None)
    gradient, wrt = sg.gradient(function, mistake.wrt).node, function.variable(mistake.wrt)
    found = explain(function.node, wrt, gradient, caller(program), names=function.reading.definitions)
    return [finding.code for finding in found]


if __name__ == "__main__":
    main()
