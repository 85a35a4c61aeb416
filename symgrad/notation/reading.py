"""From a source to an expression: what was typed, how it was understood, and what was guessed.

Contract: `read` gives a `Reading` of a function or raises a `SymgradError`, whatever the source; `read_claim` reads a
second formula in the scope of a first one; `read_rule` reads a formula over tensors of known shapes, as the rules of
the operations are.  The same source always gives the same reading.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, NoReturn

from symgrad import expr
from symgrad.errors import InputError, LimitError, NameProblem, ShapeError
from symgrad.expr import Node, Shape, Variable, contract
from symgrad.notation import ranges
from symgrad.notation.applications import close
from symgrad.notation.claims import (
    About,
    derivative_of,
    places,
    refuse_another,
    refuse_placeholder,
    spelled,
    written_order,
)
from symgrad.notation.counts import sized
from symgrad.notation.elaborate import Elaborator
from symgrad.notation.literals import kind, literal
from symgrad.notation.names import canonical, subscripted
from symgrad.notation.parser import Parsed, parse_tree
from symgrad.notation.roles import UNIVERSAL, Roles, calculates, name_of, zero_based
from symgrad.notation.scope import Definition, Survey, Uses, become_name, survey
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import NEXT
from symgrad.notation.values import Expressions, Function, NeedOutline, Scope, Value
from symgrad.shapes import (
    READINGS,
    Axis,
    Declared,
    Named,
    Outline,
    Outlines,
    Unknown,
    find,
    name_unknowns,
    read_assumptions,
    read_shapes,
    unify,
)  # fmt: skip

#: Open indices of a claim that are tried in every order.
MAX_OPEN = 4
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
    def of(cls, node: Node, arguments: Mapping[str, Variable] | None = None) -> Reading:
        """The reading of an expression that nobody had to read, of these arguments or of the variables in it."""
        found = expr.variables(node) if arguments is None else list(arguments.values())
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


def read(source: str, *, shapes: Declarations = None, assume: Declarations = None, syntax: str = "auto") -> Reading:
    """The function that `source` writes, with the shapes that are declared or can be told."""
    declared = read_shapes(shapes, canonical)
    assumed = read_assumptions(assume, canonical)
    try:
        return _read(source, syntax, declared, assumed)
    except RecursionError:
        raise LimitError("this is nested too deeply", source=source, code="LIMIT_DEPTH") from None
    except InputError as error:
        raise error.located(source) from None


def _read(source: str, syntax: str, declared: Mapping[str, Shape], assumed: Mapping[str, frozenset[str]]) -> Reading:
    """The reading; where x_i is of a matrix X and cannot be its row, x_i is its column."""
    misfit: ShapeError | None = None
    for columns in (False, True):
        parsed = parse_tree(source, syntax=syntax, names=declared)
        _refuse_gradients(parsed)
        refuse_placeholder(parsed.tree, source)
        roles = Roles(parsed, declared, assumed)
        _refuse_assignment(roles.survey.function, parsed)
        roles.settle()
        roles.scope.columns = columns
        try:
            return _settled(roles)
        except ShapeError as error:
            misfit = misfit or error
            if not roles.scope.rows or columns:
                break
    assert misfit is not None
    raise misfit


def _settled(roles: Roles) -> Reading:
    """The reading of a source whose names are settled."""
    function = roles.survey.function
    node, scope, notes = _elaborated(roles.survey, roles.scope, roles.shapes, roles.assumed, None)
    roles.notes.update(dict.fromkeys(notes))
    for top, axis in scope.tops.items():
        if find(axis) != top:
            roles.notes.setdefault(f"{top} is {find(axis)}, by the shapes")
    variables = {
        name: Declared(variable.shape, variable.assumptions, name not in roles.declared)
        for name, variable in scope.variables.items()
    }
    name, told = function.name or "f", tuple(roles.notes)
    return Reading(node, variables, _nodes(scope), name, told, roles.parsed, _differentiated(function), scope)


def _refuse_assignment(function: Definition, parsed: Parsed) -> None:
    """`x = 5` gives a value to a name and is no function."""
    whole = function.whole
    if parsed.tree is not whole or whole.head != "equation":
        return
    if function.body.head == "num" and whole.args[0].head == "name":
        place = parsed.source.find("=", whole.args[0].end)
        raise InputError(
            f"this only says what {function.name} is: an equation where a function is wanted", source=parsed.source,
            offset=max(place, 0), hint="write the expression alone",
        )  # fmt: skip


def _refuse_gradients(parsed: Parsed) -> None:
    """z ← z - η ∂L/∂z: an update is read where its gradient is a formula or a name."""
    formulas = parsed.tree.args if parsed.tree.head == "block" else (parsed.tree,)
    for formula in formulas:
        if formula.head == "equation" and formula.value == NEXT:
            for tree in formula.args[1].walk():
                if tree.head == "derivative":
                    raise InputError(
                        "an update takes its gradient as a formula or as a name", source=parsed.source,
                        offset=tree.start, end=tree.end,
                        hint="derive the function first, then write z ← z - η g with that gradient for g",
                    )  # fmt: skip


def _differentiated(function: Definition) -> str | None:
    """W of a left side ∇_W f or ∂f/∂W_{ij}."""
    if function.whole.head != "equation" or function.whole.args[0].head != "derivative":
        return None
    variables = function.whole.args[0].args[1:]
    if len(variables) != 1:
        return None
    return name_of(variables[0]) or None


def _nodes(scope: Scope) -> dict[str, Node]:
    return {name: value.node for name, value in scope.values.items()}


# --- two runs of one elaborator ---------------------------------------------------------------------------------------


def _elaborated(
    sources: Survey, scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], assumed: Mapping[str, frozenset[str]],
    wanted: Shape | None,
) -> tuple[Node, Scope, list[str]]:  # fmt: skip
    """The node of the function, the scope it was read in, and the notes."""
    holes: list[Unknown] | None = None
    if scope.calculates:
        shapes = _replaceable(shapes, scope)
    if scope.tops or any(isinstance(d, Unknown) for shape in shapes.values() for d in shape):
        holes = _outlined(sources, scope, shapes, wanted)
    naturals = set(scope.naturals)
    final = _final_scope(scope, shapes, assumed)
    try:
        found = _built(sources, final, holes)
    except NeedOutline:
        holes = _outlined(sources, scope, shapes, wanted)
        naturals = set(scope.naturals)
        found = _built(sources, _final_scope(scope, shapes, assumed), holes)
    if scope.naturals == naturals:
        return found
    return _built(sources, _final_scope(scope, shapes, assumed), holes)  # once more, knowing which are whole numbers


def _outlined(
    sources: Survey, scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], wanted: Shape | None
) -> list[Unknown]:
    """First run: shapes alone; every unknown dimension has a name afterwards."""
    outlines = Outlines()
    values = {n: Value(Outline(v.node.shape), v.open, v.row, v.spreads) for n, v in scope.values.items()}
    variables: dict[str, Any] = {name: Outline(node.shape) for name, node in scope.variables.items()}
    variables.update((name, Outline(shape)) for name, shape in shapes.items())
    work = Elaborator(outlines, scope.over(variables, values))
    value = _evaluate(work, sources)
    axes = value.node.shape
    if wanted is not None and (len(wanted) == len(axes) or (value.row and len(axes) == 1 and wanted)):
        for one, other in zip(reversed(axes), reversed(wanted), strict=False):
            unify(one, other)
    taken = {*shapes, *scope.variables, *scope.sizes}
    for tensor in variables.values():
        taken.update(str(find(d)) for d in tensor.shape)
    if scope.calculates:
        ranges.settle(work.ledger, taken, scope.tops, outlines.holes)
    for name, top in scope.tops.items():
        root = find(top)
        if isinstance(root, Unknown):
            root.same_as = name
    for axis in {d for shape in shapes.values() for d in shape if isinstance(d, Named)}:
        axis.same_as = axis.name if axis.same_as is None else axis.same_as
    name_unknowns(shapes.values(), outlines.holes, taken)
    return outlines.holes


def _replaceable(shapes: Mapping[str, tuple[Axis, ...]], scope: Scope) -> dict[str, tuple[Axis, ...]]:
    """The same shapes with declared dimensions that calculated ones may replace."""
    named: dict[Axis, Axis] = {}
    for shape in shapes.values():
        for dim in shape:
            if isinstance(dim, str):
                named.setdefault(dim, Named(dim))
    for name in scope.sizes & named.keys():
        scope.tops[name] = named[name]
    return {name: tuple(named.get(d, d) for d in shape) for name, shape in shapes.items()}


def _final_scope(scope: Scope, shapes: Mapping[str, tuple[Axis, ...]], assumed: Mapping[str, frozenset[str]]) -> Scope:
    variables = dict(scope.variables)
    nothing: frozenset[str] = frozenset()
    label, natural = frozenset({"label"}), frozenset({"natural"})
    for name, shape in shapes.items():
        words = (assumed.get(name, nothing) - READINGS) | (label if name in scope.labels else nothing)
        words |= natural if name in scope.naturals else nothing
        variables[name] = expr.variable(name, tuple(find(d) for d in shape), words)  # type: ignore[misc]
    return scope.over(variables, dict(scope.values))


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
    bodies = [sources.function.body, *(one.body for one in sources.definitions)]
    begin = {literal(t.args[0]) for b in bodies for t in b.walk() if t.head == "binder" and kind(t) == "range"} & {0, 1}
    if begin:
        work.first = int(begin.pop() or 0) if len(begin) == 1 else None
    for one in sources.definitions:
        if one.parameters is not None:
            scope.functions[one.name] = Function(one.parameters, one.body)
            if one.name in sources.uses.plain:
                _define(work, one)
        else:
            _define(work, one)
    function = sources.function
    value = _on_the_left(work, function, _with_indices(work, function))
    present = tuple(name for name in function.indices if name in value.open)
    if present:
        value = close(work, value, present, function.body)
    if value.open and _is_entry(function.body) and (scope.about is None or len(value.open) == 1):
        work.note(f"{work.text(function.body)} stands for all its entries: nothing binds {', '.join(value.open)}")
        value = close(work, value, value.open, function.body)
    if len(value.open) == scope.about == 1 and not value.rank:
        work.note(f"{value.open[0]} counts the entries of what this is about")
        value = close(work, value, value.open, function.body)
    if value.open:
        names = ", ".join(value.open)
        error = Unbound(
            f"nothing binds the ind{'ex' if len(value.open) == 1 else 'ices'} {names}", source=scope.source,
            offset=function.body.start, end=function.body.end, code="UNBOUND",
            hint="sum over it, as in sum_{0} (...), or put it on a left side, as in f_{0} = ...".format(value.open[0]),
        )  # fmt: skip
        error.names = value.open
        raise error
    return value


class Unbound(InputError):
    """Nothing binds the indices `names` of a formula."""

    names: tuple[str, ...] = ()


def _on_the_left(work: Elaborator, function: Definition, value: Value) -> Value:
    """A claimed derivative with its axes where the left side puts their indices; it is constant along absent ones."""
    axes = places(function.whole, work.scope.asked, work.scope.source)
    if axes is None or value.row or not any(letter for letter, _ in axes):
        return value
    letters = {letter for letter, _ in axes if letter}
    if not letters.issuperset(value.open) or value.rank != sum(not letter for letter, _ in axes):
        return value
    places_ = iter(range(value.rank))
    out = tuple(letter or next(places_) for letter, _ in axes)
    sizes: dict[Any, Axis] = {letter: dim for letter, dim in axes if letter and letter not in value.open}
    given = [(value.node, (*value.open, *range(value.rank)))]
    return Value(work.algebra.contract(given, out, 1, sizes))


def _is_entry(tree: Tree) -> bool:
    """Whether a formula is nothing but an entry of a variable, as y_ij."""
    while tree.head == "index":
        tree = tree.args[0]
    return tree.head == "name"


def _define(work: Elaborator, one: Definition) -> None:
    value = _with_indices(work, one)
    indices = tuple(name for name in one.indices if name not in work.scope.decorations)
    if indices:
        value = close(work, value, indices, one.body)
    work.scope.values[one.name] = value


def _with_indices(work: Elaborator, one: Definition) -> Value:
    for name in one.indices:
        work.bound[name] = None
    if work.scope.calculates:
        ranges.bind(work, one.body, one.indices)
    try:
        return work.visit(one.body)
    finally:
        for name in one.indices:
            work.bound.pop(name, None)
            work.ranges.pop(name, None)


def replay(reading: Reading, elaborator: Callable[[Any, Scope], Elaborator]) -> tuple[Value, Elaborator]:
    """The value that another elaborator gives to a reading's source, over the shapes that are settled."""
    assert reading.parsed is not None
    sources = survey(reading.parsed.tree, reading.parsed.source, reading.variables, _dimensions(reading))
    holes = _outlined(sources, reading.scope.over(dict(reading.scope.variables), {}), {}, None)
    work = elaborator(Expressions(holes), reading.scope.over(dict(reading.scope.variables), {}))
    return _evaluate(work, sources), work


# --- claims and rules -------------------------------------------------------------------------------------------------


def read_claim(
    source: str,
    reading: Reading,
    *,
    intermediates: Mapping[str, Node] | None = None,
    syntax: str = "auto",
    shape: Shape | None = None,
    by: Sequence[Variable] = (),
    alike: Callable[[Node, Node], bool] = operator.is_,
) -> Reading:
    """A formula in the scope of another: its variables, definitions, and named intermediates.

    `shape` is the expected shape; it settles the size of an identity matrix that nothing else tells.  `by` says which
    derivative is in question: a left side that names another one is an error.  Where the shapes allow several orders of
    open indices, they have to give `alike` readings.
    """
    known = {*reading.variables, *(intermediates or ()), *reading.definitions}
    own = {reading.name} - known if _is_called(reading) else ()  # J(θ) in a claim about J is its value
    parsed = parse_tree(source, syntax=syntax, names=known, functions=(*reading.scope.functions, *own))
    try:
        return _claimed(parsed, reading, intermediates or {}, shape, tuple(by), alike)
    except RecursionError:
        raise LimitError("this is nested too deeply", source=source, code="LIMIT_DEPTH") from None
    except InputError as error:
        raise error.located(source) from None


def _is_called(reading: Reading) -> bool:
    """Whether the left side of the function is J(θ), not J."""
    if reading.parsed is None:
        return False
    tree = reading.parsed.tree
    function = tree.args[-1] if tree.head == "block" else tree
    return function.head == "equation" and any(part.head == "call" for part in function.args[0].walk())


def _claimed(
    parsed: Parsed, reading: Reading, intermediates: Mapping[str, Node], shape: Shape | None, by: tuple[Variable, ...],
    alike: Callable[[Node, Node], bool],
) -> Reading:  # fmt: skip
    names = {*reading.variables, *reading.scope.values, *intermediates}
    if not {"_", "^"}.isdisjoint(reading.name):  # h_t is one name, where a recursion defines it
        names.add(reading.name)
    function = None if reading.parsed is None else reading.parsed.tree
    tree = sized(parsed.tree, _dimensions(reading) - names, parsed.source)
    parsed = replace(parsed, tree=spelled(tree, function, names, parsed.source))
    found = survey(parsed.tree, parsed.source, names, _dimensions(reading))
    if by:
        own = {reading.name} | ({reading.node.name} if isinstance(reading.node, Variable) else set())
        about = About(own, tuple(v.name for v in by), names)
        refuse_another(found.function.whole, about, parsed.source)
    names |= {d.name for d in found.definitions}
    for stem, trees in found.uses.numbered.items():
        for tree in trees:
            if tree.head == "index" and subscripted(stem, str(tree.args[1].value)) in names:
                become_name(tree)
    rows = _rows_of(found.uses, reading, names)
    scope = _claim_scope(found, parsed, reading, intermediates, shape, by)
    scope = replace(scope, rows=reading.scope.rows | rows)
    _known_names(found, scope, parsed)
    try:
        node, final, notes = _elaborated(found, scope, {}, {}, shape)
    except ShapeError:
        if rows:
            _refuse_rows(rows, parsed.source)
        raise
    except Unbound as error:
        name = by[0].name if by else ""
        written = [written_order(tree, name, set(error.names)) if tree else () for tree in (function, parsed.tree)]
        node, final, notes = _bound_by_shape(error, found, scope, shape, written, alike)
    defined = {d.name for d in found.definitions}
    definitions = {name: value.node for name, value in final.values.items() if name in defined}
    name = found.function.name or reading.name
    told = (*found.notes, *notes)
    return Reading(node, reading.variables, definitions, name, told, parsed, _differentiated(found.function), final)


def _claim_scope(
    found: Survey, parsed: Parsed, reading: Reading, intermediates: Mapping[str, Node], shape: Shape | None,
    by: tuple[Variable, ...],
) -> Scope:  # fmt: skip
    """What names stand for in a claim: as in the function, and its intermediates by their names."""
    values = {reading.name: Value(reading.node), **reading.scope.values}
    for name, node in intermediates.items():
        values.setdefault(name, Value(node))
    for name in reading.variables:
        values.pop(name, None)
    uses = found.uses
    if reading.name in uses.subscripts and reading.name not in {*uses.plain, *uses.called, *uses.indexed}:
        values.pop(reading.name, None)  # the f of v_if is an index
    asked = (reading.node.shape, *(v.shape for v in by))
    return replace(
        reading.scope, source=parsed.source, numpy=parsed.dialect == "numpy", values=values,
        asked=asked if by and shape == tuple(d for part in asked for d in part) else (),
        sizes=reading.scope.sizes | _dimensions(reading) - reading.variables.keys() - values.keys(),
        zero_based=reading.scope.zero_based | zero_based(uses, parsed.source),
        calculates=calculates(uses), about=None if shape is None else len(shape),
    )  # fmt: skip


def _rows_of(uses: Uses, reading: Reading, names: Collection[str]) -> dict[str, str]:
    """The matrices whose rows a claim writes as u_i, where the function writes no such row."""
    rows = {}
    for stem, count in uses.indexed.items():
        capital = stem[:1].upper() + stem[1:]
        shape = reading.variables[capital].shape if capital in reading.variables else ()
        if stem not in names and capital != stem and stem not in reading.scope.rows and (count, len(shape)) == (1, 2):
            rows[stem] = capital
            if shape[0] == shape[1]:
                _refuse_rows(rows, "")
    return rows


def _refuse_rows(rows: Mapping[str, str], source: str) -> NoReturn:
    stem, capital = list(rows.items())[-1]
    raise InputError(
        f"is {stem} with an index a row or a column of {capital}?", source=source, code="AMBIGUOUS",
        hint=f"write {capital}_{{i,:}} or {capital}_{{:,i}}",
    )  # fmt: skip


def _bound_by_shape(
    error: Unbound, found: Survey, scope: Scope, shape: Shape | None, written: Sequence[tuple[str, ...]],
    alike: Callable[[Node, Node], bool],
) -> tuple[Node, Scope, list[str]]:  # fmt: skip
    """The reading of a formula with open indices and no left side, if there is only one.

    That is so where the function itself writes the entries of the variable with these indices, or where the shapes
    allow no other.  The indices have to be in the order of the alphabet then, or in that of the entries in the claim:
    2 x_i q_j of a matrix that only fits as its transpose stays an error.  `written` are both orders of entries.
    """
    letters = sorted(error.names)
    if shape is None or len(letters) != len(shape) or derivative_of(found.function.whole) is not None:
        raise error
    fits = {}
    for order in permutations(letters) if len(letters) <= MAX_OPEN else ():
        found.function.indices = order
        with suppress(ShapeError):
            read_so = _elaborated(found, scope, {}, {}, shape)
            if read_so[0].shape == shape:
                fits[order] = read_so
    given, *others = written
    chosen = next((order for order in (given, *others, tuple(letters)) if order in fits), None)
    one = chosen == given or all(alike(fits[chosen][0], node) for node, _, _ in fits.values()) if chosen else False
    if chosen is None or not one:
        raise error
    node, final, notes = fits[chosen]
    return node, final, [*notes, f"{', '.join(chosen)} count the axes of the derivative, in this order"]


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
