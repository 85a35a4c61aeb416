"""A derivation: the gradient and the steps that computed it, in three printings of one record.

Contract: `Derivation` is made by one reverse pass over *named* intermediates (q = W x, f = ‖q‖²).  Each visited node
leaves an `Equation`: the cotangent of a child as upstream times local, and the same with the upstream substituted.  The
result is the last of these with the names written out, so what is shown is what was computed.  The three printings:

* matrix form: name the intermediates, upstream times local, substitute;
* index form: the local Jacobian of one entry by one entry, the chain rule as a sum, collected;
* differential form: the differential of every intermediate, substituted into df, the gradient read off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, count

from symgrad.calculus import Structure, identity, jacobian, pullback, pushforward, structure_of, structured
from symgrad.errors import LimitError, UsageError
from symgrad.expr import (
    Call,
    Contraction,
    Node,
    Shape,
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
from symgrad.notation.mathml import to_mathml
from symgrad.notation.render import to_latex, to_text
from symgrad.notation.speech import to_speech
from symgrad.notation.syntax import Tree
from symgrad.simplify.parts import with_part
from symgrad.simplify.rules import Simplifier, same, simplify, simplify_result
from symgrad.simplify.trees import index_tree, to_tree

NAMES = ("q", "h", "z", "s", "u", "v", "p", "r", "t", "a", "b", "c", "g", "e")
FORMS = ("matrix", "index", "differential")


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: an equation, the rule behind it, and that rule in words or symbols."""

    number: int
    formula: Tree
    rule: str
    explanation: str

    @property
    def formula_text(self) -> str:
        return to_text(self.formula)

    @property
    def formula_latex(self) -> str:
        return to_latex(self.formula)

    @property
    def formula_mathml(self) -> str:
        return to_mathml(self.formula)

    @property
    def speech(self) -> str:
        """The equation in words."""
        return to_speech(self.formula)


@dataclass(frozen=True, slots=True)
class Step:
    """One use of a rule: what stood there, what stands there after it, and the shape of both."""

    rule: str
    before: str
    after: str
    shapes: Shape

    def to_dict(self) -> dict[str, str]:
        return {"rule": self.rule, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Equation:
    """The cotangent of `target`: `local` in terms of the upstream cotangents, `value` with these substituted."""

    target: Node
    parents: tuple[Node, ...]
    local: Node
    value: Node


@dataclass(frozen=True)
class Record:
    """What the reverse pass over named intermediates left behind.

    `names` are the intermediates and `wrt`, in the order of evaluation; `forms` say each in terms of the others.
    """

    function: Node
    read: Node
    wrt: Node
    names: Mapping[Node, Variable]
    forms: Mapping[Node, Node]
    upstream: Mapping[Node, Variable]
    equations: tuple[Equation, ...]
    result: Node

    def below(self, node: Node) -> list[Node]:
        """The named nodes that the form of `node` uses."""
        used = set(variables(self.forms[node]))
        return [inner for inner, name in self.names.items() if name in used]


# --- the pass ---------------------------------------------------------------------------------------------------------


def record(read: Node, wrt: Node, definitions: Mapping[str, Node] | None = None) -> Record:
    """Differentiate `read` by `wrt` in reverse mode, keeping every step."""
    simplifier = Simplifier()
    function = simplifier.simplify(read)
    if same(function, read):
        function = read
    names = intermediates(function, [wrt], definitions or {})
    forms = in_names(function, names)
    upstream = {n: variable(f"∂f/∂{v.name}", function.shape + n.shape) for n, v in names.items()}
    draft = Record(function, read, wrt, names, forms, upstream, (), function)
    if function is wrt:
        equations: tuple[Equation, ...] = (Equation(wrt, (), identity(wrt.shape), identity(wrt.shape)),)
    else:
        equations = _equations(draft, simplifier)
    last = equations[-1].value if equations else number(0, function.shape + wrt.shape)
    return replace(draft, equations=equations, result=simplifier.result(_written_out(last, names)))


def in_names(function: Node, names: Mapping[Node, Variable]) -> dict[Node, Node]:
    """Every named node, and the function, in terms of the names of others."""
    forms: dict[Node, Node] = {}
    for node in (*names, function):
        if names.get(node) is node:
            continue
        form = rebuild(node, lambda inner: substitute(inner, names))
        for other, other_form in forms.items():
            # A product that was opened hides W x in 1[c = y] W x; the reader should meet its name.
            form = with_part(form, other_form, names[other])
        forms[node] = form
    return forms


def _equations(draft: Record, simplifier: Simplifier) -> tuple[Equation, ...]:
    """From the function down: what every named node receives, and from whom."""
    names, function = draft.names, draft.function
    received: dict[Node, list[tuple[Node, Node]]] = {}
    values: dict[Node, Node] = {function: identity(function.shape)}
    equations: list[Equation] = []
    for node in reversed([n for n in (*names, function) if n in draft.forms or n is draft.wrt]):
        if node is not function:
            given = received.pop(node, [])
            local = simplifier.result(add([part for _, part in given], draft.upstream[node].shape))
            known = {draft.upstream[p]: values[p] for p, _ in given if p in draft.upstream}
            values[node] = simplifier.result(substitute(local, known))
            equations.append(Equation(node, tuple(dict.fromkeys(p for p, _ in given)), local, values[node]))
        if node is draft.wrt:
            break
        cotangent = values[node] if node is function else draft.upstream[node]
        for inner, part in _handed_down(draft, node, cotangent).items():
            received.setdefault(inner, []).insert(0, (node, part))
    return tuple(equations)


def _handed_down(draft: Record, node: Node, cotangent: Node) -> dict[Node, Node]:
    """What `node` gives to the named nodes below it; a rule that uses the value of `node` itself uses its name."""
    form = draft.forms[node]
    inner = {n: draft.names[n] for n in draft.below(node)}
    own = {form: draft.names[node]} if node in draft.names and isinstance(form, Call) else {}
    found = pullback(form, inner.values(), cotangent)
    return {n: substitute(found[v], own) for n, v in inner.items() if not is_zero(found[v])}


def intermediates(function: Node, wrt: Sequence[Node], definitions: Mapping[str, Node]) -> dict[Node, Variable]:
    """A name for every intermediate worth one: the writer's own where there is one, else the first free letter."""
    below = dependents(function, wrt)
    order = [node for node in postorder([function]) if node in below and node is not function]
    chosen = {node: name for name, node in definitions.items() if not isinstance(node, Variable)}
    used = {v.name for v in variables(function)} | set(chosen.values()) | {"f"}
    used |= {str(d) for node in postorder([function]) for d in node.shape}
    free = (name for name in chain(NAMES, (f"t_{k}" for k in count(1))) if name not in used)
    worth = _worth_a_name(function, order)
    names: dict[Node, Variable] = {}
    for node in order:
        if node in wrt:
            names[node] = node if isinstance(node, Variable) else variable(next(free), node.shape)
        elif node in chosen or node in worth:
            names[node] = variable(chosen.get(node) or next(free), node.shape)
    return {v: v for v in wrt if v not in names and isinstance(v, Variable)} | names


def _worth_a_name(function: Node, order: list[Node]) -> set[Node]:
    """Intermediates that a lecture would name.

    What is used twice; what an operation or a power acts on, if it is a matrix product or a sum with one (q = W x in
    ‖q‖²); and what an operation gives to a matrix product (h = relu(z) in W_2 h).
    """
    relevant, worth, uses = set(order), set(), Counter[Node]()
    for node in (*order, function):
        for child in dict.fromkeys(node.children):
            uses[child] += 1
            if child not in relevant or isinstance(child, Variable):
                continue
            if uses[child] > 1 or (_is_product(child) and _acts_on(node, child)):
                worth.add(child)
            if isinstance(child, Call) and isinstance(node, Contraction) and node.summed:
                worth.add(child)
    return worth


def _is_product(node: Node) -> bool:
    """A matrix product, or a sum that has one as a term."""
    terms = node.children if isinstance(node, Sum) else (node,)
    return any(isinstance(term, Contraction) and term.summed for term in terms)


def _acts_on(node: Node, child: Node) -> bool:
    if isinstance(node, Contraction):
        return any(p != 1 for f, _, p in node.factors if f is child)
    return isinstance(node, Call)


def _written_out(node: Node, names: Mapping[Node, Variable]) -> Node:
    """`node` with every name replaced by what it stands for."""
    return substitute(node, {name: original for original, name in names.items() if name is not original})


# --- printing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Printer:
    """The lines of a record in one of the three forms."""

    record: Record
    name: str
    lines: list[Line] = field(default_factory=list)

    def put(self, left: Tree, right: Tree, rule: str, explanation: str = "") -> None:
        self.lines.append(Line(len(self.lines) + 1, Tree("equation", (left, right)), rule, explanation))

    # --- trees of what has a name of its own ----------------------------------------------------------------------

    def partial(self, node: Node) -> Tree:
        """∂f/∂q."""
        return Tree("derivative", (Tree("name", (), self.name), self.label(node)), 1)

    def label(self, node: Node) -> Tree:
        if node is self.record.function and node is not self.record.wrt:
            return Tree("name", (), self.name)
        return Tree("name", (), self.record.names[node].name)

    @cached_property
    def given(self) -> dict[Node, Tree]:
        partials: dict[Node, Tree] = {var: self.partial(node) for node, var in self.record.upstream.items()}
        return partials | {var: Tree("change", (self.label(node),)) for node, var in self.changes().items()}

    def tree(self, node: Node) -> Tree:
        return to_tree(node, self.given)

    # --- the forms ------------------------------------------------------------------------------------------------

    def opening(self) -> None:
        """What was recognised, and the intermediates."""
        record = self.record
        if record.function is not record.read:
            self.put(Tree("name", (), self.name), to_tree(record.function), "recognise", "the same function, shorter")
        for node, form in record.forms.items():
            named = node is not record.function
            why = "name the intermediate" if named else "the function"
            self.put(self.label(node), self.tree(form), "name" if named else rule_name(form), why)

    def matrix(self) -> list[Line]:
        self.opening()
        for equation in self.record.equations:
            why = "; ".join(self.explanation(parent) for parent in equation.parents)
            rule = self.rule(equation)
            self.put(self.partial(equation.target), self.tree(equation.local), rule, why)
            if equation.value is not equation.local:
                self.put(
                    self.partial(equation.target), self.tree(equation.value), "substitute", "the upstream gradient"
                )
        self.closing()
        return self.lines

    def rule(self, equation: Equation) -> str:
        names = [rule_name(self.record.forms[parent]) for parent in equation.parents]
        return " + ".join(dict.fromkeys(names)) or "identity"

    def changes(self) -> dict[Node, Variable]:
        """dq for every named q."""
        return {n: variable("d " + v.name, v.shape) for n, v in self.record.names.items()}

    def differential_of(self, node: Node) -> Node:
        """The differential of a named node in terms of those of the named nodes below it."""
        form, change = self.record.forms[node], self.changes()
        tangents = {self.record.names[n]: change[n] for n in self.record.below(node)}
        return simplify(pushforward(form, tangents)[form]) if tangents else number(0, node.shape)

    def explanation(self, node: Node) -> str:
        """The rule as a formula: d(‖q‖²) = 2 qᵀ dq."""
        try:
            return (
                f"d({to_text(self.tree(self.record.forms[node]))}) = {to_text(self.tree(self.differential_of(node)))}"
            )
        except LimitError:
            return ""

    def closing(self) -> None:
        record = self.record
        if not record.equations or record.result is not record.equations[-1].value:
            self.put(self.partial(record.wrt), self.tree(record.result), "substitute", "the names written out")

    def index(self) -> list[Line]:
        record = self.record
        self.opening()
        for node in record.forms:
            self._local_entries(node)
        for equation in record.equations:
            names = self._letters(equation.local)
            left = self._entry_label(self.partial(equation.target), equation.target, names)
            right, _ = index_tree(equation.local, names, self.given, avoid=self._taken())
            self.put(left, right, "chain rule", "upstream times local, summed over what lies between")
            if equation.value is not equation.local:
                right, _ = index_tree(equation.value, names, self.given, avoid=self._taken())
                self.put(left, right, "substitute", "the upstream gradient, collected")
        self.put(self.partial(record.wrt), self.tree(record.result), "collect", "the entries as a matrix")
        return self.lines

    def _letters(self, node: Node) -> tuple[str, ...]:
        return index_tree(node, (), self.given, avoid=self._taken())[1]

    def _taken(self) -> set[str]:
        return {v.name for v in self.record.names.values()} | {self.name}

    def _entry_label(self, partial: Tree, target: Node, names: tuple[str, ...]) -> Tree:
        """∂f/∂W_ij; for a function of rank r the first r names are its own axes."""
        cut = len(names) - target.rank
        function, var = partial.args
        return Tree("derivative", (_subscript(function, names[:cut]), _subscript(var, names[cut:])), 1)

    def _local_entries(self, node: Node) -> None:
        """∂q_k/∂W_ij = 1[k = i] x_j, for every named node below."""
        form = self.record.forms[node]
        for child in self.record.below(node):
            local = simplify(jacobian(form, self.record.names[child]))
            if is_zero(local):
                continue
            tree, names = index_tree(local, (), self.given, avoid=self._taken())
            left = (_subscript(self.label(node), names[: node.rank]), _subscript(self.label(child), names[node.rank :]))
            self.put(Tree("derivative", left, 1), tree, rule_name(form), "one entry by one entry")

    def differential(self) -> list[Line]:
        record = self.record
        self.opening()
        change = self.changes()
        written: dict[Node, Node] = {}
        for node in record.forms:
            total = self.differential_of(node)
            left = Tree("change", (self.label(node),))
            self.put(left, self.tree(total), rule_name(record.forms[node]), "the differential")
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
        return "power" if powers else "sum" if node.summed else "linear"
    return "product" if not node.summed else "matrix product"


@dataclass(frozen=True)
class Result:
    """A finished derivation of one function by one variable, ready to print."""

    record: Record
    name: str = "f"

    @cached_property
    def structure(self) -> Structure | None:
        return structure_of(self.record.wrt)

    @cached_property
    def node(self) -> Node:
        """The derivative; by a structured variable, that by its independent entries."""
        if self.structure is None:
            return self.record.result
        return simplify_result(structured(self.record.result, self.structure, self.record.wrt))

    def lines(self, form: str = "matrix") -> list[Line]:
        if form not in FORMS:
            raise UsageError(f"unknown form {form!r}", hint="forms: " + ", ".join(FORMS))
        printer = Printer(self.record, self.name)
        {"matrix": printer.matrix, "index": printer.index, "differential": printer.differential}[form]()
        if self.structure is not None:
            rule, words = self.structure.rule, self.structure.reason
            printer.put(printer.partial(self.record.wrt), to_tree(self.node), rule, words)
        return printer.lines

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        printer = Printer(self.record, self.name)
        found = tuple(
            Step(
                printer.rule(e),
                to_text(printer.tree(e.local)),
                to_text(printer.tree(e.value)),
                e.value.shape,
            )
            for e in self.record.equations
        )
        if self.structure is None:
            return found
        before, after = to_text(to_tree(self.record.result)), to_text(to_tree(self.node))
        return (*found, Step(self.structure.rule, before, after, self.node.shape))

    def heading(self, order: int = 1) -> Tree:
        """∇_W f, or ∂f/∂W for what is no gradient."""
        wrt = self.record.wrt
        assert isinstance(wrt, Variable)
        head = "derivative" if self.record.function.shape else "nabla"
        return Tree(head, (Tree("name", (), self.name), Tree("name", (), wrt.name)), order)
