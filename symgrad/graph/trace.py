"""Traces: the primal, adjoint and tangent tables of automatic differentiation, with formulas and numbers.

Contract: `Trace.primal`, `Trace.reverse` and `Trace.forward` are lists of `Line`s in the order of the computation.
Where all inputs are scalars they are numbered as in Griewank and Walther, *Evaluating Derivatives*: v₋₁, v₀ are the
inputs, v₁, v₂, ... the gates; arrays keep their names.  An adjoint that gets a second part is printed as an update,
v̄₀ = v̄₀ + v̄₂ v₋₁, as a program does it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symgrad.errors import UsageError
from symgrad.expr import Node, Variable, add, is_zero, variables
from symgrad.graph.numbers import inline, number
from symgrad.graph.passes import Passes, adjoint
from symgrad.graph.point import read_point
from symgrad.graph.tape import Row, Tape, subscript
from symgrad.notation.render import to_text
from symgrad.notation.syntax import Tree
from symgrad.notebook import Bundle, bundle, code, table
from symgrad.simplify.trees import to_tree

BAR, DOT = "\u0304", "\u0307"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trace: `name = formula = numbers = value`.

    `numbers` is the formula with the numbers put in (scalars only, else ""); `value` is None without numbers.
    """

    name: str
    formula: str
    numbers: str = ""
    value: Any = None

    def to_dict(self) -> dict[str, object]:
        value = self.value if self.value is None else self.value.tolist()
        return {"name": self.name, "formula": self.formula, "value": value}


class Trace:
    """The tables of one function at one point (or of its formulas alone)."""

    def __init__(self, tape: Tape, at: Mapping[str, Any] | None = None) -> None:
        self.tape = tape
        self.passes = Passes(tape, at)
        self.names = _names(tape)

    def direction(self, given: str | Mapping[str, Any] | None) -> Mapping[str, Any]:
        """What moves in forward mode: as given, or the only input."""
        if given:
            return read_point(given) if isinstance(given, str) else given
        moving = [row for row in self.tape.inputs if "label" not in row.variable.assumptions]
        if len(moving) == 1 and not moving[0].variable.shape:
            return {moving[0].variable.name: 1.0}
        names = ", ".join(row.shown for row in moving)
        raise UsageError(f"forward mode needs a direction: which of {names} moves?", hint='as in --direction "x1=1"')

    # --- the tables ---------------------------------------------------------------------------------------------------

    @property
    def primal(self) -> list[Line]:
        """The values: inputs first, the function last."""
        lines = []
        for row in self.tape.rows:
            value = self.passes.values.get(row.variable)
            name = self.names[row.variable]
            if not row.is_input:
                lines.append(self._line(name, row.local, value))
            elif name != row.shown or value is not None:
                lines.append(Line(name, row.shown if name != row.shown else "", "", value))
        output = self.names[self.tape.output.variable]
        if self.tape.name != output:
            lines.append(Line(self.tape.name, output, "", self.passes.values.get(self.tape.output.variable)))
        return lines

    @property
    def reverse(self) -> list[Line]:
        """The adjoints, from the function back to the inputs."""
        parts = self.passes.backward
        output = self.tape.output
        one = self.passes.adjoints.get(output.variable)
        if output.is_input:
            return [Line(self._marked(output, BAR), "1", "", one)]
        head = self._overlined(self.tape.name, BAR)
        name = self._marked(output, BAR)
        lines = [Line(name, head if head != name else "1", "", self._seed())]
        totals: dict[Variable, Any] = {}
        for part in parts:
            v = part.source.variable
            again = v in totals
            formula = add([adjoint(v), part.formula]) if again else part.formula
            before = totals.get(v)
            totals[v] = before + part.value if again and part.value is not None else part.value
            numbers = self._numbers(formula, {adjoint(v): before} if again else {})
            lines.append(Line(self._marked(part.source, BAR), self._text(formula), numbers, totals[v]))
        for row in self.tape.inputs:
            if self.names[row.variable] != row.shown and row.variable in totals:
                mine = self._overlined(row.shown, BAR)
                lines.append(Line(mine, self._marked(row, BAR), "", totals[row.variable]))
        return lines

    def _seed(self) -> Any:
        if not self.passes.numeric:
            return None
        import numpy as np

        return np.asarray(1.0)

    def forward(self, direction: Mapping[str, Any]) -> list[Line]:
        """The tangents along a direction, beside the values."""
        lines = []
        for row, formula, value in self.passes.forward(direction):
            moving = not is_zero(formula)
            name = self._marked(row, DOT)
            if row.is_input:
                mine = self._overlined(row.shown, DOT)
                lines.append(Line(name, mine if mine != name else "", "", value))
            else:
                lines.append(Line(name, self._text(formula), self._numbers(formula) if moving else "", value))
        last = lines[self.tape.rows.index(self.tape.output)]
        mine = self._overlined(self.tape.name, DOT)
        return lines if mine == last.name else [*lines, Line(mine, last.name, "", last.value)]

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        scalar = not self.tape.output.variable.shape
        tables = {"forward primal trace": self.primal} | ({"reverse adjoint trace": self.reverse} if scalar else {})
        shown = [f"**{title}**\n\n{_table(lines)}" for title, lines in tables.items()]
        return bundle(repr(self), markdown="\n\n".join(shown))

    # --- printing -----------------------------------------------------------------------------------------------------

    def _line(self, name: str, formula: Node, value: Any) -> Line:
        return Line(name, self._text(formula), self._numbers(formula), value)

    def _marked(self, row: Row, mark: str) -> str:
        return self._overlined(self.names[row.variable], mark)

    @staticmethod
    def _overlined(name: str, mark: str) -> str:
        """v̄₁, x̄_1: the mark goes on the first letter."""
        return unicodedata.normalize("NFC", name[:1] + mark) + name[1:]

    def _text(self, formula: Node) -> str:
        return to_text(to_tree(formula, {v: _name_tree(self._spelling(v)) for v in variables(formula)}))

    def _spelling(self, v: Variable) -> str:
        base, tilde, kind = v.name.partition("~")
        if not tilde:
            return self.names[v]
        row = next(row for row in self.tape.rows if row.variable.name == base)
        return self._marked(row, BAR if kind == "bar" else DOT)

    def _numbers(self, formula: Node, known: Mapping[Variable, Any] | None = None) -> str:
        """The formula of a scalar with the numbers of its variables put in."""
        arrays, known = getattr(self.passes, "arrays", {}), known or {}
        if not self.passes.numeric:
            return ""
        given: dict[Node, Tree] = {}
        for v in variables(formula):
            value = known.get(v, arrays.get(v.name))
            if value is None or v.shape or formula.shape:
                return ""
            given[v] = _name_tree(f"\x01{number(float(value))}\x02")
        if formula in given:
            return ""
        return _multiplied(to_text(to_tree(formula, given)))


def _table(lines: list[Line]) -> str:
    """The lines in Markdown."""
    cells = [
        (line.name, line.formula, line.numbers, "" if line.value is None else inline(line.value)) for line in lines
    ]
    return table(("", "formula", "numbers", "value"), ([code(cell) if cell else "" for cell in row] for row in cells))


def _name_tree(text: str) -> Tree:
    return Tree("name", (), text)


def _multiplied(text: str) -> str:
    """Juxtaposed numbers with a sign between them, negative ones in brackets: `2 × 5`, `1 × (-0.959)`."""
    text = re.sub(r"(?<=[\x02)\d]) (?=[\x01(\w])", " × ", text)
    text = re.sub(r"(?<![(,\[])(?<!, )(?<!^)\x01(-[^\x02]*)\x02", r"(\1)", text)
    return re.sub(r"[\x01\x02]", "", text)


def _names(tape: Tape) -> dict[Variable, str]:
    """What every row is called in a trace."""
    names = {row.variable: row.shown for row in tape.rows}
    if not any(row.named for row in tape.gates) and not any(row.variable.shape for row in tape.inputs):
        count = len(tape.inputs)
        names |= {row.variable: f"v{subscript(k + 1 - count)}" for k, row in enumerate(tape.inputs)}
    return names


__all__ = ["Line", "Trace"]
