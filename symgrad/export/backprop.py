"""Backpropagation as a list of assignments: the values of a function from its inputs up, then its gradients back down.

Contract: `backprop` names the intermediates that a derivation names, one row each; a row is an expression in the
variables of earlier rows.  Written out, the last rows are the gradients of ⟨upstream, f⟩ by the variables asked for;
without an upstream gradient those of f itself, which is then a scalar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.calculus import pullback, structure_of, structured
from symgrad.derivation import in_names, intermediates
from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Node, Variable, add, is_zero, number, substitute, variable, variables
from symgrad.simplify.rules import Simplifier, simplify_result


@dataclass(frozen=True, slots=True)
class Row:
    """One assignment: `variable` = `value`."""

    variable: Variable
    value: Node


@dataclass(frozen=True, slots=True)
class Backprop:
    """The rows of both passes; the last row of `forward` is the function, `gradients` are variables of `backward`."""

    inputs: tuple[Variable, ...]
    wrt: tuple[Variable, ...]
    upstream: Variable | None
    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    gradients: tuple[Variable, ...]

    @property
    def output(self) -> Variable:
        return self.forward[-1].variable


def backprop(
    read: Node,
    name: str,
    inputs: Sequence[Variable],
    wrt: Sequence[Variable],
    definitions: Mapping[str, Node],
    *,
    seeded: bool,
) -> Backprop:
    """Both passes of a function called `name`; `seeded` says whether an upstream gradient is given."""
    simplifier = Simplifier()
    function = simplifier.simplify(read)
    taken = {v.name for v in inputs}
    names = intermediates(function, wrt, {k: n for k, n in definitions.items() if k not in taken and k != name})
    forms = in_names(function, names)
    while name in taken or name in {v.name for v in names.values()}:
        name += "_"
    output = variable(name, function.shape)
    rows = [Row(names[node], form) for node, form in forms.items() if node is not function]
    rows.append(Row(output, forms.get(function, function)))
    upstream = variable(f"∂{name}", function.shape) if seeded else None
    pass_ = _Pass(function, names, forms, output, simplifier, {})
    backward = pass_.run(upstream if upstream is not None else number(1), wrt)
    gradients = tuple(variable(f"∂{v.name}", v.shape) for v in wrt)
    return Backprop(tuple(inputs), tuple(wrt), upstream, tuple(rows), tuple(backward), gradients)


@dataclass
class _Pass:
    """The pass back; `received` holds what each named node has got from those above it."""

    function: Node
    names: Mapping[Node, Variable]
    forms: Mapping[Node, Node]
    output: Variable
    simplifier: Simplifier
    received: dict[Node, list[Node]]

    def run(self, seed: Node, wrt: Sequence[Variable]) -> list[Row]:
        rows: list[Row] = []
        self.received[self.function] = [seed]
        for node in reversed([*(n for n in self.names if n is not self.function), self.function]):
            total = self.simplifier.result(add(self.received.get(node, []), node.shape))
            cotangent: Node = seed
            if node is not self.function or node in wrt:
                cotangent = variable(f"∂{self.names[node].name}", node.shape)
                rows.append(Row(cotangent, self.independent(node, total)))
            if node in self.forms:
                self.hand_down(node, cotangent)
        return rows

    def independent(self, node: Node, gradient: Node) -> Node:
        """By a structured variable, the gradient by its independent entries."""
        structure = structure_of(node) if isinstance(node, Variable) else None
        return gradient if structure is None else simplify_result(structured(gradient, structure, node))

    def hand_down(self, node: Node, cotangent: Node) -> None:
        """What `node` gives to the named nodes below it; a rule that uses the value of `node` uses its name."""
        form = self.forms[node]
        below = {n: v for n, v in self.names.items() if v in set(variables(form))}
        if not below:
            return
        own = {form: self.names.get(node, self.output)} if isinstance(form, Call) else {}
        found = pullback(form, below.values(), cotangent)
        for inner, v in below.items():
            if not is_zero(found[v]):
                self.received.setdefault(inner, []).insert(0, substitute(found[v], own))


def unstructured(wrt: Sequence[Variable], form: str) -> None:
    """Raise `UnsupportedError` for a variable whose entries are not independent."""
    for v in wrt:
        structure = structure_of(v)
        if structure is not None:
            what = f"{v.name} is {structure.name}, and a framework differentiates by every entry alone"
            raise UnsupportedError(f"{what}: there is no {form} of it", hint="leave the assumption out")
