"""The forward and the backward pass over a tape, as formulas and as numbers.

Contract: every number is the value of the formula beside it.  A gate gives each of its inputs its local derivative
applied to what comes back from above (a vector-Jacobian product of the local expression alone); a value that goes to
several gates gets the sum.  In forward mode a gate gives the sum of its local derivatives applied to the tangents of
its inputs.  The derivatives are those of `symgrad.calculus`; nothing is differentiated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symgrad.calculus import jvp, vjp
from symgrad.errors import DomainError, ShapeError, UsageError
from symgrad.expr import Call, Node, Variable, add, number, postorder, substitute, variable
from symgrad.graph.numbers import inline
from symgrad.graph.point import Values, check_labels, fitted
from symgrad.graph.tape import Row, Tape
from symgrad.notation.names import canonical
from symgrad.notation.reading import read_rule
from symgrad.simplify.rules import simplify_result


def adjoint(v: Variable) -> Variable:
    """v̄, what the function changes by when v does."""
    return variable(f"{v.name}~bar", v.shape)


def tangent(v: Variable) -> Variable:
    """v̇, what v changes by along the direction."""
    return variable(f"{v.name}~dot", v.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one gate hands back to one of its inputs: a formula over values and adjoints, and its number."""

    gate: Row
    source: Row
    formula: Node
    value: Any = None


class Passes:
    """The passes over a tape at a point (or, without one, their formulas alone).

    `by` are the inputs that derivatives are taken by: all real ones if none is named.
    """

    def __init__(self, tape: Tape, at: Values | None = None, by: Iterable[Variable] = ()) -> None:
        self.tape = tape
        self.by = frozenset(by)
        self.numeric = at is not None
        self.values: dict[Variable, Any] = {}
        self.notes: list[str] = []
        if at is not None:
            inputs = [row.variable for row in tape.inputs]
            names = {v.name for v in inputs}
            self.arrays, self.sizes = fitted(inputs, at, [dim for dim in tape.dimensions if dim not in names])
            check_labels([row.local for row in tape.gates], self.arrays, self.sizes)
            self._evaluate()

    def _evaluate(self) -> None:
        """The values of all rows, in their order."""
        for row in self.tape.rows:
            value = self.arrays[row.variable.name] if row.is_input else self.number(row.local)
            self.arrays[row.variable.name] = self.values[row.variable] = value
            self._refuse_infinite(value, row)
            self._note_kinks(row)

    def number(self, node: Node) -> Any:
        """The value of an expression over the variables of the rows."""
        import numpy as np

        from symgrad.verify.interpret import interpret, numpy_arithmetic

        with np.errstate(all="ignore"):
            try:
                return np.asarray(interpret(node, self.arrays, self.sizes, numpy_arithmetic()))
            except np.linalg.LinAlgError as error:
                raise DomainError(f"this has no value at these numbers: {error}") from None
            except KeyError as error:
                dim = error.args[0]
                raise UsageError(f"nothing says how long the dimension {dim} is", hint=f"add {dim}=3, say") from None

    def _refuse_infinite(self, value: Any, row: Row, what: str = "") -> None:
        import numpy as np

        if np.isfinite(value).all():
            return
        inputs = ", ".join(f"{self.tape.of[v].shown} = {inline(self.values[v])}" for v in row.inputs)
        words = row.gate.words if row.gate else "value"
        raise DomainError(f"{what or f'the {words}'} has no finite value at {inputs}")

    def _note_kinks(self, row: Row) -> None:
        """Tell where a derivative is one of several."""
        for node in postorder([row.local]):
            if not isinstance(node, Call) or not node.op.kinks:
                continue
            scope = dict(zip(node.op.args, node.args, strict=True))
            if any((self.number(read_rule(formula, scope)) == 0).any() for formula in node.op.kinks):
                words = row.gate.words if row.gate else node.op.name
                self.notes.append(f"{row.shown} ({words}) is at a kink: the gradient shown is one of several")

    # --- reverse mode -------------------------------------------------------------------------------------------------

    @cached_property
    def live(self) -> frozenset[Variable]:
        """The values that depend on a real input: labels have no gradient."""
        real = {row.variable for row in self.tape.inputs if "label" not in row.variable.assumptions}
        found = set(self.by or real)
        for row in self.tape.gates:
            if any(v in found for v in row.inputs):
                found.add(row.variable)
        return frozenset(found)

    @cached_property
    def backward(self) -> list[Part]:
        """What every gate hands back to each of its inputs, the last gate first."""
        output = self.tape.output.variable
        if output.shape:
            shape = "×".join(map(str, output.shape))
            raise ShapeError(f"the reverse pass starts from a scalar, and this function has shape {shape}")
        self.adjoints: dict[Variable, Any] = {}
        if self.numeric:
            self._accumulate(output, self.number(number(1)))
        gates = [gate for gate in reversed(self.tape.gates) if gate.variable in self.live]
        return [self._part(gate, v) for gate in gates for v in gate.inputs if v in self.live]

    def _part(self, gate: Row, v: Variable) -> Part:
        source = self.tape.of[v]
        back = vjp(gate.local, v, adjoint(gate.variable))
        formula = substitute(simplify_result(back), {gate.local: gate.variable})
        if not self.numeric:
            return Part(gate, source, formula)
        value = self.number(formula)
        self._refuse_infinite(value, gate, f"the gradient of the {gate.gate.words if gate.gate else 'value'}")
        self._accumulate(v, value)
        return Part(gate, source, formula, value)

    def _accumulate(self, v: Variable, value: Any) -> None:
        self.adjoints[v] = self.adjoints[v] + value if v in self.adjoints else value
        self.arrays[adjoint(v).name] = self.adjoints[v]

    def gradient(self, row: Row) -> Any:
        """The gradient by the value of a row, or None where it has none."""
        return self.adjoints.get(row.variable) if self.backward or self.tape.output is row else None

    # --- forward mode -------------------------------------------------------------------------------------------------

    @cached_property
    def tangents(self) -> list[tuple[Row, Node]]:
        """The formula of the tangent of every row, over values and the tangents of earlier rows."""
        found: list[tuple[Row, Node]] = []
        for row in self.tape.rows:
            v = row.variable
            formula: Node = tangent(v)
            if v not in self.live:
                formula = number(0, v.shape)
            elif not row.is_input:
                parts = [jvp(row.local, w, tangent(w)) for w in row.inputs if w in self.live]
                formula = substitute(simplify_result(add(parts, v.shape)), {row.local: v})
            found.append((row, formula))
        return found

    def forward(self, direction: Mapping[str, Any]) -> Iterator[tuple[Row, Node, Any]]:
        """The tangent of every row along a direction: (row, formula, number); an input not named stands still."""
        directions = self._directions(direction)
        for row, formula in self.tangents:
            v = row.variable
            value = None
            if self.numeric:
                value = directions.get(v) if row.is_input else self.number(formula)
                value = self.values[v] * 0.0 if value is None else value
                self.arrays[tangent(v).name] = value
            yield row, formula, value

    def _directions(self, direction: Mapping[str, Any]) -> dict[Variable, Any]:
        """The tangents of the inputs that move, of the shapes of their inputs."""
        import numpy as np

        inputs = {row.variable.name: row.variable for row in self.tape.inputs}
        found: dict[Variable, Any] = {}
        for name, value in direction.items():
            v = inputs.get(canonical(name))
            if v is None:
                hint = f"its variables are: {', '.join(inputs)}"
                raise UsageError(f"the function has no variable {name!r} to move along", hint=hint)
            if "label" in v.assumptions:
                raise UsageError(f"{name} is a label: nothing moves along it")
            array = np.asarray(value, dtype=float)
            if self.numeric and array.shape != self.values[v].shape:
                raise ShapeError(f"a direction has the shape of its variable: {name} has {self.values[v].shape}")
            found[v] = array
        return found
