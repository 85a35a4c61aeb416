"""The computation as it was written: one row a gate, in the order in which the values can be computed.

Contract: `record(reading)` is the `Tape` of a function, its Wengert list.  The expression itself would not do: it
makes `x + y + z` one sum and `2 (x + y) z` one product, while a lecture draws every `+` and `×` that is on paper.  So
the source is read once more, by the elaborator that read it first, and every part that is a gate becomes a variable of
its own as soon as it is read: what its handler then builds around those variables is the *local* expression of the next
gate.  Writing the rows out gives the expression again.  Of how a formula is written only this is known here: sums and
products of many terms become gates of two.

Equal parts are one row (a value that goes to several gates), numbers belong to the gate that uses them (`+1`, `×2`),
and so do the transposes of factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.errors import LimitError, UsageError
from symgrad.expr import Node, Size, Variable, postorder, substitute, variable, variables
from symgrad.graph.gates import Gate, gate_of, rewritten
from symgrad.notation.elaborate import Elaborator
from symgrad.notation.literals import literal, signs
from symgrad.notation.names import to_text
from symgrad.notation.reading import Reading, replay
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Scope, Value

#: Heads that are no gates: leaves, and what only names axes.
SILENT = frozenset({"num", "const", "name", "assemble", "keyword", "compare", "and", "array"})
#: More gates than these are no picture and no table.
MAX_ROWS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One value: an input, or a gate applied to earlier values.

    variable  stands for the value in the local expressions of later rows
    shown     its name on paper: q where the source says q = W x, else v₁, v₂, ...
    local     the expression of the gate over the variables of earlier rows; the variable itself for an input
    inputs    those earlier variables, in the order in which they are written
    named     whether the source itself names the value
    """

    variable: Variable
    shown: str
    local: Node
    inputs: tuple[Variable, ...]
    gate: Gate | None
    named: bool = True

    @property
    def is_input(self) -> bool:
        return self.gate is None


@dataclass(frozen=True, slots=True)
class Tape:
    """The rows of a function: its inputs, then its gates; the last value is the function."""

    name: str
    inputs: tuple[Row, ...]
    gates: tuple[Row, ...]
    output: Row
    of: Mapping[Variable, Row] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.inputs + self.gates

    @property
    def dimensions(self) -> set[str]:
        """The names of all dimensions."""
        nodes = postorder([row.local for row in self.rows])
        found = {d for node in nodes for d in (*node.shape, *getattr(node, "sizes", ())) if isinstance(d, str)}
        return found | {node.dim for node in nodes if isinstance(node, Size)}

    def consumers(self, row: Row) -> list[Row]:
        """The gates that take the value of `row`."""
        return [gate for gate in self.gates if row.variable in gate.inputs]

    def written_out(self) -> Node:
        """The function as one expression again."""
        whole: dict[Node, Node] = {}
        for row in self.gates:
            whole[row.variable] = substitute(row.local, whole)
        return whole.get(self.output.variable, self.output.local)


def record(reading: Reading, gates: str = "coarse") -> Tape:
    """The tape of a function; `gates` is "coarse" (σ is one gate) or "fine" (σ is ×−1, exp, +1 and 1/x)."""
    try:
        value, work = replay(reading, lambda algebra, scope: _Recorder(algebra, scope, gates))
    except RecursionError:
        raise LimitError("this is nested too deeply to be drawn", code="LIMIT_DEPTH") from None
    assert isinstance(work, _Recorder)
    output = work.recorded(value, Tree("name", (), reading.name))
    return work.tape(reading, output.node)


class _Recorder(Elaborator):
    """An elaborator that gives every gate a variable; see the module."""

    def __init__(self, algebra: Any, scope: Scope, gates: str) -> None:
        super().__init__(algebra, scope)
        self.gates = gates
        self.known: dict[Node, Variable] = {}
        self.locals: dict[Variable, tuple[Node, Gate]] = {}
        self.inside: dict[int, Tree] = {}
        self.letter = next(c for c in ("v", "w", "u", "z", "val") if not _occurs(c, scope))

    def visit(self, tree: Tree) -> Value:
        tree = rewritten(tree, self.gates, self.scope.functions)
        if tree.head == "pow" and tree.args[0].head == "norm":
            self.inside[id(tree.args[0])] = tree.args[0]  # a squared norm is one gate: the norm alone has a kink at 0
        if tree.head == "mul":
            self.inside.update((id(arg), arg) for arg in tree.args if arg.head == "transpose")
        split = tree.head in {"add", "mul"} and (len(tree.args) > 2 or _begins_negative(tree)) and not _has_rows(tree)
        value = self._two_by_two(tree) if split else super().visit(tree)
        if tree.head in SILENT or id(tree) in self.inside:
            return value
        return self.recorded(value, tree)

    def recorded(self, value: Value, tree: Tree) -> Value:
        """`value` under a name of its own, if it is more than a name."""
        node = value.node
        if isinstance(node, Variable) or not variables(node):
            return value
        if node not in self.known:
            if len(self.locals) >= MAX_ROWS:
                raise UsageError(f"this has more than {MAX_ROWS} gates: too many to be drawn or listed")
            made = variable(f"{self.letter}_{len(self.locals) + 1}", node.shape)
            self.known[node] = made
            self.locals[made] = node, gate_of(tree, node)
        return Value(self.known[node], value.open, value.row)

    def _two_by_two(self, tree: Tree) -> Value:
        """A sum or product of many terms as gates of two."""
        values = [self.visit(arg) for arg in tree.args]
        terms = [self._bound(value, arg) for value, arg in zip(values, tree.args, strict=True)]
        return self._sum(tree, terms) if tree.head == "add" else self._product(tree, terms, values)

    def _sum(self, tree: Tree, terms: list[Tree]) -> Value:
        """From the left: ((a + b) - c) + d."""
        sign, *signs_left = signs(tree)
        left, *rest = terms
        if sign < 0 and literal(left) is None:
            sign, left = 1, self._part(_joined("neg", [left], None))
        for following, right in zip(signs_left[:-1], rest[:-1], strict=True):
            sign, left = 1, self._part(_joined("add", [left, right], (sign, following)))
        return self._whole(_joined("add", [left, rest[-1]], (sign, signs_left[-1])))

    def _product(self, tree: Tree, terms: list[Tree], values: list[Value]) -> Value:
        """From the left, but matrices before a vector from the right: W_2 (W_1 x)."""
        *before, last = values
        if last.rank == 1 and 2 in [v.rank for v in before] and not any(v.row or v.rank == 1 for v in before):
            while len(terms) > 2:
                terms[-2:] = [self._part(_joined("mul", terms[-2:], tree.value))]
        while len(terms) > 2:
            terms[:2] = [self._part(_joined("mul", terms[:2], tree.value))]
        return self._whole(_joined("mul", terms, tree.value))

    def _whole(self, tree: Tree) -> Value:
        return self.recorded(super().visit(tree), tree)

    def _part(self, tree: Tree) -> Tree:
        """A gate inside another one, as a name for its value."""
        return self._bound(self._whole(tree), tree)

    def _bound(self, value: Value, tree: Tree) -> Tree:
        """A tree whose value is `value`; numbers stay as they are written."""
        if literal(tree) is not None:
            return tree
        name = f" {len(self.arguments)}"  # no source can spell it
        self.arguments = {**self.arguments, name: value}
        return Tree("name", (), name, tree.start, tree.end)

    def tape(self, reading: Reading, output: Node) -> Tape:
        """The rows that lead to `output`."""
        shown = {value.node: spelled(name) for name, value in reversed(self.scope.values.items())}
        inputs = [Row(v, spelled(v.name), v, (), None) for v in self.scope.variables.values()]
        rows = []
        for v, (local, gate) in self.locals.items():
            plain = f"{self.letter}{subscript(int(v.name.rpartition('_')[2]))}"
            rows.append(Row(v, shown.get(v, plain), local, tuple(variables(local)), gate, v in shown))
        used = _reaching(output, rows)
        kept = tuple(row for row in rows if row.variable in used)
        leaves = tuple(row for row in inputs if row.variable in used)
        of = {row.variable: row for row in (*leaves, *kept)}
        if not isinstance(output, Variable):
            raise UsageError("this function has no variable: there is nothing to draw")
        return Tape(spelled(reading.name), leaves, kept, of[output], of)


def _occurs(letter: str, scope: Scope) -> bool:
    names = (*scope.variables, *scope.values, *scope.functions)
    return any(name.partition("_")[0] == letter for name in names)


def _has_rows(tree: Tree) -> bool:
    """Whether a product has a factor such as X_i, which is a row only where it stands written out."""
    return tree.head == "mul" and any(arg.head == "index" and str(arg.args[0].value)[:1].isupper() for arg in tree.args)


def _begins_negative(tree: Tree) -> bool:
    """Whether a sum begins with the negative of something that is no number."""
    return tree.head == "add" and signs(tree)[0] < 0 and literal(tree.args[0]) is None


def _joined(head: str, terms: list[Tree], value: object) -> Tree:
    return Tree(head, tuple(terms), value, terms[0].start, terms[-1].end)


def _reaching(output: Node, rows: Iterable[Row]) -> set[Node]:
    """Everything that `output` is computed from."""
    used: set[Node] = {output}
    for row in reversed(list(rows)):
        if row.variable in used:
            used.update(row.inputs)
    return used


def spelled(name: str) -> str:
    """A name as it is shown: w₀, W₁, W_hh, ŷ."""
    stem, _, label = to_text(name).partition("_")
    return f"{stem}{subscript(int(label))}" if label.isdecimal() else to_text(name)


def subscript(number: int) -> str:
    """₁₂, ₋₁."""
    return str(number).translate(str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉"))
