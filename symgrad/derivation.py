"""A derivation: the gradient and the steps that computed it, in three printings of one record.

Contract: `Derivation` is made by one reverse pass over *named* intermediates (q = W x, f = ‖q‖²).  Each visited node
leaves an `Equation`: the cotangent of a child as upstream times local, and the same with the upstream substituted.  The
result is the last of these with the names written out, so what is shown is what was computed.  The three printings:

* matrix form: name the intermediates, upstream times local, substitute;
* index form: the local Jacobian of one entry by one entry, the chain rule as a sum, collected;
* differential form: the differential of every intermediate, substituted into df, the gradient read off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symgrad.calculus import arrange_layout, identity, jacobian
from symgrad.calculus.local import pull, push
from symgrad.errors import LimitError, UsageError
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Node,
    Shape,
    Size,
    Sum,
    Variable,
    add,
    dependents,
    is_zero,
    number,
    postorder,
    rebuild,
    substitute,
    variable,
    variables,
)
from symgrad.notation.names import to_latex as name_to_latex
from symgrad.notation.names import to_text as name_to_text
from symgrad.notation.render import to_latex, to_text
from symgrad.notation.syntax import Tree
from symgrad.simplify.rules import simplify
from symgrad.simplify.trees import index_tree, to_tree

NAMES = ("q", "h", "z", "s", "u", "v", "p", "r", "t", "a", "b", "c", "g", "e")
FORMS = ("matrix", "index", "differential")


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: a formula in text and LaTeX, the rule behind it, and that rule in words or symbols."""

    number: int
    formula_text: str
    formula_latex: str
    rule: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Step:
    """One use of a rule: what stood there, what stands there after it, and the shape of both."""

    rule: str
    before: str
    after: str
    shapes: Shape


@dataclass(frozen=True, slots=True)
class Equation:
    """The cotangent of `target`: `local` in terms of the upstream cotangents, `value` with these substituted."""

    target: Node
    parents: tuple[Node, ...]
    local: Node
    value: Node


@dataclass(frozen=True)
class Record:
    """What the reverse pass over named intermediates left behind."""

    function: Node
    read: Node
    wrt: Node
    names: Mapping[Node, Variable]
    upstream: Mapping[Node, Variable]
    order: tuple[Node, ...]
    equations: tuple[Equation, ...]
    result: Node

    def named(self, node: Node) -> Node:
        """`node` in terms of the names of its children."""
        return rebuild(node, lambda child: self.names.get(child, child))


# --- the pass ---------------------------------------------------------------------------------------------------------


def record(read: Node, wrt: Node, definitions: Mapping[str, Node] | None = None) -> Record:
    """Differentiate `read` by `wrt` in reverse mode, keeping every step."""
    function = simplify(read)
    below = dependents(function, [wrt])
    order = tuple(node for node in postorder([function]) if node in below)
    names = _names(function, order, wrt, definitions or {})
    seeds = function.shape
    upstream = {n: variable(f"∂f/∂{names[n].name}", seeds + n.shape) for n in order if n is not function}
    contributions: dict[Node, list[tuple[Node, Node]]] = {}
    values: dict[Node, Node] = {function: identity(seeds)}
    equations: list[Equation] = []
    for node in reversed(order):
        if node is not function:
            given = contributions.get(node, [])
            local = simplify(add([part for _, part in given], upstream[node].shape))
            known = {upstream[parent]: values[parent] for parent, _ in given if parent in upstream}
            values[node] = simplify(substitute(local, known))
            parents = tuple(dict.fromkeys(parent for parent, _ in given))
            equations.append(Equation(node, parents, local, values[node]))
        if node is not wrt:
            _contribute(node, names, values[node] if node is function else upstream[node], below, contributions)
    final = values.get(wrt, number(0, seeds + wrt.shape))
    result = simplify(_written_out(final, order, names))
    return Record(function, read, wrt, names, upstream, order, tuple(equations), result)


def _contribute(
    node: Node,
    names: Mapping[Node, Variable],
    received: Node,
    below: set[Node],
    contributions: dict[Node, list[tuple[Node, Node]]],
) -> None:
    """What every child of `node` gets from it, in named terms: where a rule uses the value of the node, its name."""
    named = rebuild(node, lambda child: names.get(child, child))
    own = {named: names[node]} if node in names and isinstance(named, Call) else {}
    parts: dict[Node, list[tuple[Node, Node]]] = {}
    # A named node has the children of the original, in the same places, as long as none of them merge.
    if len(named.children) != len(node.children):
        named, own = node, {}
    for k, child in enumerate(node.children):
        if child in below and not _passes_nothing(node, k):
            part = substitute(pull(named, k, received), own)
            parts.setdefault(child, []).append((node, part))
    for child, given in parts.items():
        contributions.setdefault(child, [])[:0] = given


def _passes_nothing(node: Node, k: int) -> bool:
    return isinstance(node, Call) and (node.op.rules[k].kind == "fixed" or node.op.rules[k].formula == "0")


def _names(
    function: Node, order: Iterable[Node], wrt: Node, definitions: Mapping[str, Node]
) -> dict[Node, Variable]:
    """A name for every intermediate: the writer's own where there is one, else the first free letter."""
    chosen = {node: name for name, node in definitions.items() if not isinstance(node, Variable)}
    used = {v.name for v in variables(function)} | set(chosen.values()) | {"f"}
    used |= {str(d) for node in postorder([function]) for d in node.shape}
    free = (name for name in (*NAMES, *(f"t_{k}" for k in range(1, 100_000))) if name not in used)
    names: dict[Node, Variable] = {}
    for node in order:
        if node is wrt:
            names[node] = node if isinstance(node, Variable) else variable(next(free), node.shape)
        elif node is not function:
            names[node] = variable(chosen.get(node) or next(free), node.shape)
    return names


def _written_out(node: Node, order: Iterable[Node], names: Mapping[Node, Variable]) -> Node:
    """`node` with every name replaced by what it stands for."""
    back: dict[Node, Node] = {name: original for original, name in names.items() if name is not original}
    return substitute(node, back)


# --- printing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Printer:
    """The lines of a record in one of the three forms."""

    record: Record
    name: str
    layout: str = "gradient"
    lines: list[Line] = field(default_factory=list)

    def put(self, left: Tree, right: Tree, rule: str, explanation: str = "") -> None:
        equation = Tree("equation", (left, right))
        self.lines.append(Line(len(self.lines) + 1, to_text(equation), to_latex(equation), rule, explanation))

    # --- trees of what has a name of its own ----------------------------------------------------------------------

    def partial(self, node: Node) -> Tree:
        """∂f/∂q."""
        return Tree("derivative", (Tree("name", (), self.name), self.label(node)), 1)

    def label(self, node: Node) -> Tree:
        if node is self.record.function:
            return Tree("name", (), self.name)
        return Tree("name", (), self.record.names[node].name)

    @cached_property
    def given(self) -> dict[Node, Tree]:
        return {var: self.partial(node) for node, var in self.record.upstream.items()}

    def tree(self, node: Node) -> Tree:
        return to_tree(node, self.given)

    # --- the forms ------------------------------------------------------------------------------------------------

    def opening(self, tree: Callable[[Node], Tree]) -> None:
        """What was recognised, and the intermediates."""
        record = self.record
        if record.function is not record.read:
            self.put(Tree("name", (), self.name), to_tree(record.function), "recognise", "the same function, shorter")
        for node in record.order:
            if node is not record.wrt:
                why = "the function" if node is record.function else "name the intermediate"
                self.put(self.label(node), tree(node), "name" if node is not record.function else rule_name(node), why)

    def matrix(self) -> list[Line]:
        self.opening(lambda node: self.tree(self.record.named(node)))
        for equation in self.record.equations:
            rule = " + ".join(rule_name(p) for p in equation.parents) or "constant"
            why = "; ".join(explanation(self.record.named(p), p) for p in equation.parents)
            self.put(self.partial(equation.target), self.tree(equation.local), rule, why)
            if equation.value is not equation.local:
                self.put(self.partial(equation.target), self.tree(equation.value), "substitute", "the upstream gradient")
        self.closing()
        return self.lines

    def closing(self) -> None:
        record = self.record
        if not record.equations or record.result is not record.equations[-1].value:
            self.put(self.partial(record.wrt), self.tree(record.result), "substitute", "the names written out")

    def index(self) -> list[Line]:
        record = self.record
        self.opening(lambda node: self.tree(record.named(node)))
        for node in record.order:
            if node is not record.wrt:
                self._local_entries(node)
        for equation in record.equations:
            axes = ["i", "j", "k", "l", "p", "r"][: equation.local.rank]
            names = self._letters(equation.local, axes)
            left = self._entry_label(self.partial(equation.target), equation.target, names)
            right, _ = index_tree(equation.value, names, self.given)
            self.put(left, right, "chain rule", "upstream times local, summed over what lies between; then collected")
        self.put(self.partial(record.wrt), self.tree(record.result), "collect", "the entries as a matrix")
        return self.lines

    def _letters(self, node: Node, wanted: list[str]) -> tuple[str, ...]:
        _, names = index_tree(node, (), self.given, avoid=self._taken())
        return names if len(names) == node.rank else tuple(wanted)

    def _taken(self) -> set[str]:
        return {v.name for v in self.record.names.values()} | {self.name}

    def _entry_label(self, partial: Tree, target: Node, names: tuple[str, ...]) -> Tree:
        """∂f/∂W_ij; for a function of rank r the first r names are its own axes."""
        cut = len(names) - target.rank
        function, var = partial.args
        return Tree("derivative", (_subscript(function, names[:cut]), _subscript(var, names[cut:])), 1)

    def _local_entries(self, node: Node) -> None:
        """∂q_k/∂W_ij = 1[k = i] x_j, for every child that matters."""
        named = self.record.named(node)
        for child in dict.fromkeys(node.children):
            if child not in self.record.names:
                continue
            inner = self.record.names[child]
            local = simplify(jacobian(named, inner))
            if is_zero(local):
                continue
            tree, names = index_tree(local, (), self.given, avoid=self._taken())
            left = (_subscript(self.label(node), names[: node.rank]), _subscript(self.label(child), names[node.rank :]))
            self.put(Tree("derivative", left, 1), tree, rule_name(node), "one entry by one entry")

    def differential(self) -> list[Line]:
        record = self.record
        self.opening(lambda node: self.tree(record.named(node)))
        change = {node: variable("d" + record.names[node].name, node.shape) for node in record.names}
        written: dict[Node, Node] = {}
        for node in record.order:
            if node is record.wrt:
                continue
            named = record.named(node)
            parts = [
                push(named, k, change[child])
                for k, child in enumerate(node.children)
                if child in change and not _passes_nothing(node, k) and len(named.children) == len(node.children)
            ]
            total = simplify(add(parts, node.shape))
            left = Tree("name", (), "d" + (self.name if node is record.function else record.names[node].name))
            self.put(left, self.tree(total), rule_name(node), "the differential")
            full = simplify(substitute(total, written))
            if full is not total:
                self.put(left, self.tree(full), "substitute", "the differentials before")
            if node is not record.function:
                written[change[node]] = full
        self.put(self.partial(record.wrt), self.tree(record.result), "read off", self._reading())
        return self.lines

    def _reading(self) -> str:
        wrt = to_text(self.label(self.record.wrt))
        if self.record.function.shape:
            return f"what multiplies d{wrt} is the derivative"
        inner = {0: f"g d{wrt}", 1: f"gᵀ d{wrt}"}.get(self.record.wrt.rank, f"tr(gᵀ d{wrt})")
        return f"d{self.name} = {inner} says that g is the gradient"


def _subscript(tree: Tree, names: tuple[str, ...]) -> Tree:
    return Tree("index", (tree, *(Tree("name", (), n) for n in names)), None) if names else tree


def rule_name(node: Node) -> str:
    """The rule by which a node is differentiated."""
    if isinstance(node, Call):
        return str(node.op.name)
    if isinstance(node, Sum):
        return "sum"
    assert isinstance(node, Contraction)
    powers = [p for _, labels, p in node.factors if p != 1]
    if len(node.factors) == 1 and powers == [2] and node.summed:
        return "squared norm"
    if len(node.factors) == 1:
        return "power" if powers else "linear"
    return "product" if not node.summed else "matrix product"


def explanation(named: Node, node: Node) -> str:
    """The rule as a formula: d(‖q‖²) = 2 qᵀ dq."""
    parts = []
    for k, child in enumerate(named.children):
        if isinstance(child, Variable) and not child.name.startswith("∂") and not _passes_nothing(named, k):
            if child in node.children and not _is_inner(child, node):
                continue
            parts.append(push(named, k, variable("d" + child.name, child.shape)))
    if not parts:
        return ""
    try:
        return f"d({to_text(to_tree(named))}) = {to_text(to_tree(simplify(add(parts))))}"
    except LimitError:
        return ""


def _is_inner(child: Node, node: Node) -> bool:
    return not isinstance(child, Size | Delta) and child in node.children


@dataclass(frozen=True)
class Result:
    """A finished derivation of one function by one variable, ready to print."""

    record: Record
    name: str = "f"
    layout: str = "gradient"

    @property
    def node(self) -> Node:
        return arrange_layout(self.record.result, self.record.function.rank, self.layout)

    def lines(self, form: str = "matrix") -> list[Line]:
        if form not in FORMS:
            raise UsageError(f"unknown form {form!r}", hint="forms: " + ", ".join(FORMS))
        printer = Printer(self.record, self.name, self.layout)
        return {"matrix": printer.matrix, "index": printer.index, "differential": printer.differential}[form]()

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        printer = Printer(self.record, self.name)
        return tuple(
            Step(
                " + ".join(rule_name(p) for p in e.parents) or "constant",
                to_text(printer.tree(e.local)),
                to_text(printer.tree(e.value)),
                e.value.shape,
            )
            for e in self.record.equations
        )

    def heading(self) -> tuple[str, str]:
        """∇_W f, or ∂f/∂W for what is no gradient, in text and LaTeX."""
        wrt = self.record.wrt
        assert isinstance(wrt, Variable)
        if self.record.function.shape:
            left = Tree("derivative", (Tree("name", (), self.name), Tree("name", (), wrt.name)), 1)
            return to_text(left), to_latex(left)
        return (
            f"∇_{name_to_text(wrt.name)} {name_to_text(self.name)}",
            rf"\nabla_{{{name_to_latex(wrt.name)}}} {name_to_latex(self.name)}",
        )
