"""From a source to an expression: what was typed, how it was understood, and what was guessed.

Contract: `read` gives a `Reading` of a function or raises a `SymgradError`, whatever the source; `read_claim` reads a
second formula in the scope of a first one; `read_rule` reads a formula over tensors of known shapes, as the rules of
the operations are.  The same source always gives the same reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad import expr
from symgrad.errors import InputError, LimitError, NameProblem, ShapeError
from symgrad.expr import Node, Shape, Variable, contract
from symgrad.notation.applications import close
from symgrad.notation.elaborate import Elaborator
from symgrad.notation.names import GREEK, canonical, subscripted
from symgrad.notation.parser import Parsed, parse_tree
from symgrad.notation.ranks import Ranks
from symgrad.notation.scope import (
    LABEL_LETTERS,
    Definition,
    Survey,
    Uses,
    become_entry,
    become_name,
    free_indices,
    is_numbered,
    survey,
)  # fmt: skip
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Expressions, Function, NeedOutline, Scope, Value
from symgrad.shapes import (
    Axis,
    Declared,
    Outline,
    Outlines,
    Unknown,
    find,
    name_unknowns,
    read_assumptions,
    read_shapes,
    unify,
)  # fmt: skip

#: Names that mean something of their own where they are not declared: the identity, unit vectors, Kronecker's delta.
UNIVERSAL = frozenset({"I", "e", "delta"})
Declarations = str | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A source as it was understood.

    node         the function (of a claim: the claim)
    variables    every variable with its shape, assumptions, and whether the shape was guessed
    definitions  the intermediates that the source names, such as q = W x; open indices are leading axes
    name         the name on the left side, or f
    notes        every reinterpretation and guess worth telling
    wrt          the variable of a left side ∇_W f or ∂f/∂W, or None
    """

    node: Node
    variables: Mapping[str, Declared]
    definitions: Mapping[str, Node] = field(default_factory=dict)
    name: str = "f"
    notes: tuple[str, ...] = ()
    parsed: Parsed | None = None
    wrt: str | None = None
    scope: Scope = field(default_factory=Scope)

    def node_of(self, name: str) -> Variable:
        """The variable called `name` (canonical spelling)."""
        declared = self.variables[name]
        return expr.variable(name, declared.shape, declared.assumptions)

    @classmethod
    def of(cls, node: Node) -> Reading:
        """The reading of an expression that nobody had to read."""
        found = expr.variables(node)
        scope = Scope(variables={v.name: v for v in found})
        return cls(node, {v.name: Declared(v.shape, v.assumptions) for v in found}, scope=scope)

    def with_variable(self, wish: str, shape: Shape) -> tuple[Reading, Variable]:
        """This reading with one more variable, called `wish` or the like, and that variable."""
        name, count = wish, 0
        while name in self.variables or name in self.definitions or name in self.scope.sizes:
            count += 1
            name = f"{wish}_{count}"
        node = expr.variable(name, shape)
        scope = replace(self.scope, variables={**self.scope.variables, name: node})
        return replace(self, variables={**self.variables, name: Declared(shape)}, scope=scope), node


# --- functions --------------------------------------------------------------------------------------------------------


def read(
    source: str, *, shapes: Declarations = None, assume: Declarations = None, syntax: str = "auto"
) -> Reading:
    """The function that `source` writes, with the shapes that are declared or can be told."""
    declared = read_shapes(shapes, canonical)
    assumed = read_assumptions(assume, canonical)
    parsed = parse_tree(source, syntax=syntax, names=declared)
    try:
        return _Reader(parsed, declared | _declared_inside(parsed, declared), assumed).read()
    except RecursionError:
        raise LimitError("this is nested too deeply", source=source, code="LIMIT_DEPTH") from None
    except InputError as error:
        raise error.located(source) from None


def _declared_inside(parsed: Parsed, outside: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shapes that the source itself declares, as in W ∈ R^{m×n}."""
    found: dict[str, Shape] = {}
    for tree in parsed.tree.args if parsed.tree.head == "block" else (parsed.tree,):
        if tree.head == "declare":
            name = _name_of(tree.args[0])
            shape = tuple(int(d) if str(d).isdigit() else str(d) for d in tree.value)  # type: ignore[attr-defined]
            if outside.get(name, shape) != shape or found.setdefault(name, shape) != shape:
                raise ShapeError(
                    f"{name} is declared twice, with different shapes", source=parsed.source, offset=tree.start, end=tree.end
                )
    return found


def _name_of(tree: Tree) -> str:
    """The name that a declaration or a derivative is about: W, W_1 or W of W_{ij}."""
    while tree.head in {"index", "transpose"}:
        if is_numbered(tree):
            return subscripted(str(tree.args[0].value), str(tree.args[1].value))
        tree = tree.args[0]
    return str(tree.value) if tree.head == "name" else ""


class _Reader:
    """One source on its way from a tree to a `Reading`."""

    def __init__(self, parsed: Parsed, declared: Mapping[str, Shape], assumed: Mapping[str, frozenset[str]]) -> None:
        self.parsed = parsed
        self.declared = dict(declared)
        self.assumed = dict(assumed)
        self.dims = {d for shape in declared.values() for d in shape if isinstance(d, str)}
        self.survey: Survey = survey(parsed.tree, parsed.source, {*declared, *self.dims})
        self.notes: dict[str, None] = dict.fromkeys(self.survey.notes)
        self.scope = Scope(source=parsed.source, numpy=parsed.dialect == "numpy")
        self.indices: set[str] = set()
        self.unknown: dict[str, int] = {}
        self.shapes: dict[str, tuple[Axis, ...]] = {}

    def read(self) -> Reading:
        function = self.survey.function
        _refuse_assignment(function, self.parsed)
        self.sort_names()
        self.guess_ranks()
        node, scope, notes = _elaborated(self.survey, self.scope, self.shapes, self.assumed, None)
        self.notes.update(dict.fromkeys(notes))
        for top, axis in scope.tops.items():
            if find(axis) != top:
                self.notes.setdefault(f"{top} is {find(axis)}, by the declared shapes")
        self.unused()
        return Reading(
            node, self.described(scope), _nodes(scope), function.name or "f", tuple(self.notes), self.parsed,
            _differentiated(function), scope,
        )  # fmt: skip

    # --- what names are -------------------------------------------------------------------------------------------

    def sort_names(self) -> None:
        """Tell indices, labels, sizes, entries and variables apart."""
        uses, scope, declared = self.survey.uses, self.scope, self.declared
        formulas = [*self.survey.definitions, self.survey.function]
        defined = {d.name for d in self.survey.definitions}
        _drop_decorations(formulas, uses)
        self.indices = set(uses.bound).union(*(d.indices for d in formulas))
        scope.sizes = (self.dims | uses.tops.keys()) - declared.keys() - defined
        scope.tops = {name: Unknown() for name in uses.tops if name in scope.sizes and name not in self.dims}
        scope.labels = {name for name in uses.labelled if name not in self.indices}
        scope.labels |= {
            name for name in uses.subscripts
            if name not in self.indices and (name in declared or name in LABEL_LETTERS or "label" in self.assumed.get(name, ()))
        }  # fmt: skip
        scope.labels |= {name for name in uses.marked if name not in self.indices}
        scope.labels |= {name for name, words in self.assumed.items() if "label" in words}
        if uses.labelled:
            scope.decorations = free_indices(uses, self.survey.definitions, declared)
        scope.zero_based = zero_based(uses)
        self._variables(defined)

    def _variables(self, defined: set[str]) -> None:
        """The names that stand for variables, in the order of the source, each with the indices it carries."""
        uses, declared, scope = self.survey.uses, self.declared, self.scope
        free = {name for name in uses.subscripts if name not in declared and name not in scope.labels}
        taken = self.indices | defined | scope.sizes | (free - uses.indexed.keys())
        places: dict[str, int] = {}
        for name, tree in uses.plain.items():
            places[name] = tree.start
        for name in uses.indexed:
            places.setdefault(name, 1 << 30)
        for name in scope.labels & uses.subscripts.keys():
            places.setdefault(name, uses.subscripts[name].start)
        for name, trees in uses.numbered.items():
            self._numbered(name, trees, defined, places)
        for name in self._in_order(places):
            if not name or name in taken or name in declared or self._is_universal(name):
                continue
            if self._is_entry(name, defined) or self._is_row(name):
                continue
            self.unknown[name] = self._carried(name)

    def _in_order(self, places: Mapping[str, int]) -> list[str]:
        """Names as they come when the definitions are written out."""
        if not self.survey.definitions:
            return sorted(places, key=lambda name: (places[name], name))
        bodies = {d.name: d.body for d in self.survey.definitions}
        order: dict[str, None] = {}
        stack = [self.survey.function.body]
        while stack:
            tree = stack.pop()
            if tree.head in {"name", "call"}:
                name = str(tree.value)
                if name in bodies:
                    stack.append(bodies.pop(name))
                elif name in places:
                    order.setdefault(name)
            stack.extend(reversed(tree.args))
        order.update(dict.fromkeys(sorted(places.keys() - order.keys())))
        return list(order)

    def _is_universal(self, name: str) -> bool:
        """The identity I, a unit vector e_k, Kronecker's δ_ij: where nobody declares them otherwise."""
        if name not in UNIVERSAL or name in self.assumed:
            return False
        uses = self.survey.uses
        return name == "I" or (name not in uses.plain and uses.indexed.get(name) == (2 if name == "delta" else 1))

    def _carried(self, name: str) -> int:
        """How many indices a name carries; a label's decoration does not count."""
        count = self.survey.uses.indexed.get(name, 0)
        if name in self.scope.labels and count == 1:
            carriers = self.survey.uses.carriers
            if any(name in carriers.get(letter, ()) for letter in self.scope.decorations):
                return 0
        return count

    def _numbered(self, stem: str, trees: list[Tree], defined: set[str], places: dict[str, int]) -> None:
        """w_0 and w_1 are names of their own unless w is a vector that is used as a whole, too."""
        uses, declared = self.survey.uses, self.declared
        whole = stem in defined or bool(declared.get(stem))
        small = not stem[:1].isupper()
        whole = whole or (small and stem not in declared and (stem in uses.plain or uses.indexed.get(stem, 0) == 1))
        whole = whole or (f"{stem}[" in self.parsed.source and self.parsed.syntax == "text")
        for tree in trees:
            if tree.head != "index":
                continue  # a chain of comparisons shares its middle term
            name = subscripted(stem, str(tree.args[1].value))
            if whole and name not in declared and name not in defined:
                places[stem] = min(places.get(stem, 1 << 30), tree.start)
                uses.indexed[stem] = max(1, uses.indexed.get(stem, 0))
            else:
                become_name(tree)
                uses.plain.setdefault(name, tree)
                places[name] = min(places.get(name, 1 << 30), tree.start)

    def _is_entry(self, name: str, defined: set[str]) -> bool:
        """x_2 in text is an entry where x is a declared vector or a definition."""
        stem, _, number = name.rpartition("_")
        if self.parsed.syntax != "text" or not number.isdigit():
            return False
        if (len(self.declared.get(stem, ())) != 1 and stem not in defined):
            return False
        for formula in (*self.survey.definitions, self.survey.function):
            for tree in formula.body.walk():
                if tree.head == "name" and tree.value == name:
                    become_entry(tree, stem, int(number))
                    self.survey.uses.numbered.setdefault(stem, []).append(tree)
        self.scope.zero_based = zero_based(self.survey.uses)
        return True

    def _is_row(self, name: str) -> bool:
        """x_i where only X is declared: a row of X."""
        uses = self.survey.uses
        if name in uses.plain or name not in uses.indexed or name not in {*GREEK, name[:1]}:
            return False
        capital = name[:1].upper() + name[1:]
        if capital == name or len(self.declared.get(capital, ())) != 2 or capital in uses.plain or capital in uses.indexed:
            return False
        self.scope.rows[name] = capital
        return True

    # --- shapes ---------------------------------------------------------------------------------------------------

    def guess_ranks(self) -> None:
        """Shapes of all variables: declared, or with as many unknown dimensions as the uses tell."""
        self.shapes = {name: shape for name, shape in self.declared.items() if self._occurs(name)}
        if not self.unknown:
            return
        roots = [*(d.body for d in self.survey.definitions if d.parameters is None), self.survey.function.body]
        bold = {name for name, fonts in self.parsed.fonts.items() if "bold" in fonts and name[:1].islower()}
        known = {name: len(shape) for name, shape in self.declared.items()}
        known |= {small: 2 for small in self.scope.rows}
        known |= {name: self.unknown[name] for name in self.scope.labels if name in self.unknown}
        ranks = Ranks(known, self.survey.definitions, self.scope.numpy, self.unknown, bold, self.unknown)
        found = ranks.settle(roots)
        for name in self.unknown:
            self.shapes[name] = tuple(Unknown() for _ in range(found[name]))

    def _occurs(self, name: str) -> bool:
        uses = self.survey.uses
        if name in uses.plain or name in uses.indexed or name in uses.labelled or name in uses.subscripts:
            return name not in self.indices or name in uses.plain
        return name in self.scope.rows.values() or name in uses.numbered or name in uses.called

    def unused(self) -> None:
        for name in self.declared:
            if name not in self.shapes:
                self.notes.setdefault(f"{name} is declared but does not occur")

    def described(self, scope: Scope) -> dict[str, Declared]:
        described = {}
        for name, node in scope.variables.items():
            described[name] = Declared(node.shape, node.assumptions, name not in self.declared)
        return described


def zero_based(uses: Uses) -> set[str]:
    """Names whose entries are counted from 0 in the source: x_0 occurs, or x[k] as in code."""
    return {name for name, trees in uses.numbered.items() if any(tree.args and tree.args[1].value == 0 for tree in trees)}


def _drop_decorations(formulas: list[Definition], uses: Uses) -> None:
    """h_θ(x) on a left side: θ is part of the name, not an index."""
    for one in formulas:
        if one.indices:
            one.indices = tuple(
                name for name in one.indices if name in uses.subscripts or (len(name) == 1 and name not in uses.plain)
            )


def _refuse_assignment(function: Definition, parsed: Parsed) -> None:
    """`x = 5` gives a value to a name and is no function."""
    whole = function.whole
    if parsed.tree is whole and whole.head == "equation" and function.body.head == "num" and whole.args[0].head == "name":
        place = parsed.source.find("=", whole.args[0].end)
        raise InputError(
            f"this only says what {function.name} is: an equation where a function is wanted", source=parsed.source,
            offset=max(place, 0), hint="write the expression alone",
        )  # fmt: skip


def _differentiated(function: Definition) -> str | None:
    """W of a left side ∇_W f or ∂f/∂W_{ij}."""
    if function.whole.head != "equation" or function.whole.args[0].head != "derivative":
        return None
    variables = function.whole.args[0].args[1:]
    if len(variables) != 1:
        return None
    return _name_of(variables[0]) or None


def _nodes(scope: Scope) -> dict[str, Node]:
    return {name: value.node for name, value in scope.values.items()}


# --- two runs of one elaborator ---------------------------------------------------------------------------------------


def _elaborated(
    sources: Survey, scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], assumed: Mapping[str, frozenset[str]],
    wanted: Shape | None,
) -> tuple[Node, Scope, list[str]]:  # fmt: skip
    """The node of the function, the scope it was read in, and the notes."""
    holes: list[Unknown] | None = None
    if scope.tops or any(isinstance(d, Unknown) for shape in shapes.values() for d in shape):
        holes = _outlined(sources, scope, shapes, wanted)
    final = _final_scope(scope, shapes, assumed)
    try:
        return _built(sources, final, holes)
    except NeedOutline:
        holes = _outlined(sources, scope, shapes, wanted)
        return _built(sources, _final_scope(scope, shapes, assumed), holes)


def _outlined(
    sources: Survey, scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], wanted: Shape | None
) -> list[Unknown]:
    """First run: shapes alone; every unknown dimension has a name afterwards."""
    outlines = Outlines()
    values = {n: Value(Outline(v.node.shape), v.open, v.row) for n, v in scope.values.items()}
    variables: dict[str, Any] = {name: Outline(node.shape) for name, node in scope.variables.items()}
    variables.update((name, Outline(shape)) for name, shape in shapes.items())
    outline = replace(scope, variables=variables, values=values, functions=dict(scope.functions))
    work = Elaborator(outlines, outline)
    value = _evaluate(work, sources)
    if wanted is not None and len(wanted) == len(value.node.shape):
        for one, other in zip(value.node.shape, wanted, strict=True):
            unify(one, other)
    for name, top in scope.tops.items():
        root = find(top)
        if isinstance(root, Unknown):
            root.same_as = name
    taken = {*shapes, *scope.variables, *scope.sizes}
    for tensor in variables.values():
        taken.update(str(find(d)) for d in tensor.shape)
    name_unknowns(shapes.values(), outlines.holes, taken)
    return outlines.holes


def _final_scope(
    scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], assumed: Mapping[str, frozenset[str]]
) -> Scope:
    variables = dict(scope.variables)
    nothing: frozenset[str] = frozenset()
    label = frozenset({"label"})
    for name, shape in shapes.items():
        words = assumed.get(name, nothing) | (label if name in scope.labels else nothing)
        variables[name] = expr.variable(name, tuple(find(d) for d in shape), words)  # type: ignore[misc]
    return replace(scope, variables=variables, values=dict(scope.values), functions=dict(scope.functions))


def _built(sources: Survey, scope: Scope, holes: list[Unknown] | None) -> tuple[Node, Scope, list[str]]:
    work = Elaborator(Expressions(holes), scope)
    value = _evaluate(work, sources)
    node: Node = value.node
    if value.row and len(node.shape) == 1:
        node = contract([(node, ("n",))], ("row", "n"), sizes={"row": 1})
        work.note("the result is a row")
    return node, scope, list(work.notes)


def _evaluate(work: Elaborator, sources: Survey) -> Value:
    """The definitions in order, then the function."""
    scope = work.scope
    for one in sources.definitions:
        if one.parameters is not None:
            scope.functions[one.name] = Function(one.parameters, one.body)
            if one.name in sources.uses.plain:
                _define(work, one)
        else:
            _define(work, one)
    function = sources.function
    value = _with_indices(work, function)
    present = tuple(name for name in function.indices if name in value.open)
    if present:
        value = close(work, value, present, function.body)
    if value.open:
        names = ", ".join(value.open)
        raise InputError(
            f"nothing binds the ind{'ex' if len(value.open) == 1 else 'ices'} {names}", source=scope.source,
            offset=function.body.start, end=function.body.end, code="UNBOUND",
            hint=f"sum over it, as in sum_{value.open[0]} (...), or put it on a left side, as in f_{value.open[0]} = ...",
        )  # fmt: skip
    return value


def _define(work: Elaborator, one: Definition) -> None:
    value = _with_indices(work, one)
    indices = tuple(name for name in one.indices if name not in work.scope.decorations)
    if indices:
        value = close(work, value, indices, one.body)
    work.scope.values[one.name] = value


def _with_indices(work: Elaborator, one: Definition) -> Value:
    for name in one.indices:
        work.bound[name] = None
    try:
        return work.visit(one.body)
    finally:
        for name in one.indices:
            work.bound.pop(name, None)


# --- claims and rules -------------------------------------------------------------------------------------------------


def read_claim(
    source: str,
    reading: Reading,
    *,
    intermediates: Mapping[str, Node] | None = None,
    syntax: str = "auto",
    shape: Shape | None = None,
) -> Reading:
    """A formula in the scope of another: its variables, definitions, and named intermediates.

    `shape` is the expected shape; it settles the size of an identity matrix that nothing else tells.
    """
    known = {*reading.variables, *(intermediates or ()), *reading.definitions}
    parsed = parse_tree(source, syntax=syntax, names=known, functions=tuple(reading.scope.functions))
    try:
        return _claimed(parsed, reading, intermediates or {}, shape)
    except RecursionError:
        raise LimitError("this is nested too deeply", source=source, code="LIMIT_DEPTH") from None
    except InputError as error:
        raise error.located(source) from None


def _claimed(parsed: Parsed, reading: Reading, intermediates: Mapping[str, Node], shape: Shape | None) -> Reading:
    names = {*reading.variables, *reading.scope.values, *intermediates}
    found = survey(parsed.tree, parsed.source, names)
    for stem, trees in found.uses.numbered.items():
        for tree in trees:
            if tree.head == "index" and subscripted(stem, str(tree.args[1].value)) in names:
                become_name(tree)
    values = {reading.name: Value(reading.node), **reading.scope.values}
    for name, node in intermediates.items():
        values.setdefault(name, Value(node))
    for name in reading.variables:
        values.pop(name, None)
    scope = replace(
        reading.scope, source=parsed.source, numpy=parsed.dialect == "numpy", values=values,
        sizes=reading.scope.sizes | _dimensions(reading) - reading.variables.keys() - values.keys(),
        zero_based=reading.scope.zero_based | zero_based(found.uses),
    )  # fmt: skip
    _known_names(found, scope, parsed)
    node, final, notes = _elaborated(found, scope, {}, {}, shape)
    own = {d.name for d in found.definitions}
    definitions = {name: value.node for name, value in final.values.items() if name in own}
    name = found.function.name or reading.name
    return Reading(
        node, reading.variables, definitions, name, (*found.notes, *notes), parsed, _differentiated(found.function), final
    )


def _dimensions(reading: Reading) -> set[str]:
    return {d for declared in reading.variables.values() for d in declared.shape if isinstance(d, str)}


def _known_names(found: Survey, scope: Scope, parsed: Parsed) -> None:
    """A claim may only use what the function has."""
    own = {d.name for d in found.definitions}
    indices = set(found.uses.bound) | found.uses.subscripts.keys()
    indices.update(*(d.indices for d in [*found.definitions, found.function]))
    for name, tree in found.uses.plain.items():
        stem, _, number = name.rpartition("_")
        if name in scope.variables or name in scope.values or name in own or name in indices or name in scope.sizes:
            continue
        if name not in UNIVERSAL and not (number.isdigit() and stem in {*scope.variables, *scope.values}):
            raise NameProblem(
                f"the function has no {name}", source=parsed.source, offset=tree.start, end=tree.end,
                hint="it has " + ", ".join([*scope.variables, *scope.values]),
            )  # fmt: skip


def read_rule(formula: str, variables: Mapping[str, Node]) -> Node:
    """A formula over given nodes; every name is one of them, and scalars go to every entry of a tensor."""
    parsed = parse_tree(formula, syntax="text", names=variables)
    sources = survey(parsed.tree, formula, variables)
    scope = Scope(source=formula, variables=dict(variables))
    scope.labels = {v.name for v in variables.values() if isinstance(v, Variable) and "label" in v.assumptions}
    node, _, _ = _elaborated(sources, scope, {}, {}, None)
    return node


__all__ = ["Reading", "read", "read_claim", "read_rule"]
