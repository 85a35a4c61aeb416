"""The graph in words: for a screen reader, and for whoever wants to be told how it is read.

Contract: `titled` is one line, `described` a few sentences a voice can speak: every gate with its inputs, its value and
its gradient, in the order of the computation.
"""

from __future__ import annotations

from symgrad.graph.gates import FLOWS
from symgrad.graph.numbers import inline
from symgrad.graph.passes import Passes
from symgrad.graph.tape import Row
from symgrad.notation.speech import spoken_digits


def titled(passes: Passes) -> str:
    """`Computational graph of f: 3 inputs, 2 gates`."""
    tape = passes.tape
    return f"Computational graph of {tape.name}: {_count(len(tape.inputs), 'input')}, {_count(len(tape.gates), 'gate')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def described(passes: Passes) -> str:
    """Every input and gate in a sentence."""
    sentences = [f"Input {row.shown}{_numbers(passes, row)}." for row in passes.tape.inputs]
    for place, row in enumerate(passes.tape.gates, 1):
        taken = " and ".join(_called(passes, passes.tape.of[v]) for v in row.inputs)
        words = spoken_digits(row.gate.words) if row.gate else ""
        name = f", called {row.shown}" if row.named else ""
        sentences.append(f"Gate {place}{name}: {words} of {taken}{_numbers(passes, row)}.")
    output = passes.tape.output
    sentences.append(f"The function {passes.tape.name} is {_called(passes, output)}.")
    return " ".join(sentences)


def flows(passes: Passes) -> list[str]:
    """How gradient flows through the gates that are there: keys of `FLOWS`, in their order."""
    tape = passes.tape
    found = {row.gate.flow for row in tape.gates if row.gate}
    if any(len(tape.consumers(row)) > 1 for row in tape.rows):
        found.add("adds")
    return [flow for flow in FLOWS if flow in found]


def remarks(passes: Passes) -> list[str]:
    """What must be known to read the numbers."""
    labels = [row.shown for row in passes.tape.inputs if "label" in row.variable.assumptions]
    if not passes.numeric or not labels:
        return []
    return [f"{', '.join(labels)} count{'s' if len(labels) == 1 else ''} from 0"]


def _called(passes: Passes, row: Row) -> str:
    if row.named:
        return row.shown
    return f"gate {passes.tape.gates.index(row) + 1}"


def _numbers(passes: Passes, row: Row) -> str:
    """`: value 3, gradient minus 4`."""
    value = passes.values.get(row.variable)
    if value is None:
        return ""
    told = f", value {spoken_digits(inline(value))}"
    gradient = None if passes.tape.output.variable.shape else passes.gradient(row)
    return told if gradient is None else f"{told}, gradient {spoken_digits(inline(gradient))}"
