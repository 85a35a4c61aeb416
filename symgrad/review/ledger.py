"""What the names of a document stand for, each kept apart from what it is made of.

Contract: every defined name, and every derivative that is written as a symbol, is a variable with a body; a side of an
equation is read over these variables.  `expand` puts the bodies in.  So ∂L/∂s can be used before it is known, and what
somebody claimed of a name can be put in the place of what is true of it (`beliefs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.calculus import derivative, pushforward, structure_of, structured
from symgrad.calculus.structure import STRUCTURES
from symgrad.errors import InputError, NameProblem, ShapeError, SymgradError, UnsupportedError
from symgrad.expr import Node, Variable, add, contract, relabel, substitute, variable, variables
from symgrad.notation import ranges
from symgrad.notation.applications import close
from symgrad.notation.elaborate import Elaborator
from symgrad.notation.names import canonical, subscripted
from symgrad.notation.reading import Reading, read
from symgrad.notation.roles import UNIVERSAL, zero_based
from symgrad.notation.scope import become_name, definition, survey
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Expressions, NeedOutline, Scope, Value
from symgrad.review.equality import compare
from symgrad.review.spellings import Spellings, primed
from symgrad.shapes import Outline, Outlines, describe, find, name_unknowns, read_assumptions, read_shapes, unify
from symgrad.simplify.parts import with_part
from symgrad.simplify.rules import simplify

Bodies = Mapping[Variable, Node]
#: How derivatives stand in products; see `_Symbols.turned`.
LAYOUTS = ("gradient", "numerator", "denominator")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A derivative as a symbol: ∂ function / ∂ wrt, where the function is a defined name or an expression."""

    function: Node
    wrt: tuple[Variable, ...]


@dataclass(slots=True)
class Piece:
    """A formula on the way into the ledger, with the reason why it could not be taken."""

    text: str
    name: str = ""
    error: SymgradError | None = None


@dataclass
class Ledger:
    """The names of a document; `tied` differentiates by the free entries of a structured variable.  See the module."""

    reading: Reading
    syntax: str
    scope: Scope
    spellings: Spellings
    bodies: dict[Variable, Node] = field(default_factory=dict)
    symbols: dict[Variable, Symbol] = field(default_factory=dict)
    calls: dict[str, Tree] = field(default_factory=dict)
    tied: bool = False
    forms: list[tuple[Node, Node]] = field(default_factory=list)  # right equations of names: f = u^4

    # --- names ----------------------------------------------------------------------------------------------------

    def parsed(self, text: str) -> Tree:
        names = [name for name in (*self.scope.variables, *self.scope.values) if name not in self.calls]
        functions = self.spellings.functions | self.scope.functions.keys()
        return replace(self.spellings, functions=functions).parse(text, self.syntax, names)

    def reach(self, text: str) -> list[int]:
        """Where a derivative stands before a bracket that something follows."""
        names = [name for name in (*self.scope.variables, *self.scope.values) if name not in self.calls]
        functions = self.spellings.functions | self.scope.functions.keys()
        try:
            return replace(self.spellings, functions=functions).reaching(text, self.syntax, names)[1]
        except InputError:
            return []

    def define(self, name: str, body: Node) -> Variable:
        node = variable(name, body.shape)
        self.scope.variables[name] = node
        self.scope.values.pop(name, None)
        self.bodies[node] = body
        return node

    def define_late(self, chains: Sequence[Any]) -> None:
        """Names that stand for derivatives, or for what is made of them, as far as they can be told."""
        waiting = list(chains)
        while waiting:
            left = [one for one in waiting if not self.defined_by(one)]
            if len(left) == len(waiting):
                return
            waiting = left

    def defined_by(self, one: Any) -> bool:
        first, piece = one.first, one.piece
        try:
            tree = self.prepared(piece.text, first.body)
            self.define(first.name, self.closed(piece.text, tree, first.indices))
        except SymgradError as error:
            piece.error = error
            return False
        piece.error = None
        return True

    def assigned(self) -> list[Variable]:
        """The names that are defined as numbers."""
        numeric = (v for v in self.bodies if all(isinstance(d, int) for d in v.shape))
        return [v for v in numeric if not variables(self.bodies[v])]

    def expand(self, root: Node, beliefs: Bodies | None = None, keep: Iterable[Variable] = ()) -> Node:
        """`root` over the variables that nobody defined, and those of `keep`."""
        kept = set(keep)
        for _ in range(len(self.bodies) + len(self.symbols) + 1):
            found = {v: self.body(v, beliefs or {}) for v in variables(root) if v not in kept and self.defined(v)}
            if not found:
                return root
            root = substitute(root, found)
        raise UnsupportedError("what is believed of these names goes in a circle")

    def defined(self, v: Variable) -> bool:
        return v in self.bodies or v in self.symbols

    def body(self, v: Variable, beliefs: Bodies) -> Node:
        if v in beliefs:
            return beliefs[v]
        return self.bodies[v] if v in self.bodies else self.differentiated(self.symbols[v], beliefs)

    # --- derivatives ----------------------------------------------------------------------------------------------

    def differentiated(self, symbol: Symbol, beliefs: Bodies) -> Node:
        """The derivative that a symbol stands for; through what is believed of a derivative on the way."""
        for name in reversed(list(beliefs)):
            known = self.symbols.get(name)
            if known is not None and known.function is symbol.function and len(symbol.wrt) == len(known.wrt) == 1:
                (middle,), (wrt,) = known.wrt, symbol.wrt
                if middle is not wrt and wrt in variables(self.expand(middle, keep=[wrt])):
                    rest = self.derivative(symbol.function, (wrt,), keep=(middle,))
                    return add([rest, _chained(beliefs[name], self.derivative(middle, (wrt,)), middle, wrt)])
        return self.derivative(symbol.function, symbol.wrt, beliefs=beliefs)

    def derivative(
        self, function: Node, wrt: tuple[Variable, ...], keep: Sequence[Variable] = (), beliefs: Bodies | None = None
    ) -> Node:
        """∂ function / ∂ wrt over the names that stand between them."""
        whole = simplify(self.expand(function, beliefs, [*wrt, *keep]))
        for v in wrt:
            if v not in variables(whole) and v in self.bodies and not keep:
                whole = self.in_terms_of(v, function, whole, beliefs, wrt)
        found = derivative(whole, wrt)
        structure = structure_of(wrt[0]) if self.tied and len(wrt) == 1 else None
        return found if structure is None else structured(found, structure, wrt[0])

    def in_terms_of(
        self, v: Variable, function: Node, whole: Node, beliefs: Bodies | None, wrt: Sequence[Variable]
    ) -> Node:  # fmt: skip
        """A function over a name that its definition does not mention: as the document writes it, or by parts."""
        written = (form for name, form in self.forms if name is function)
        over = [simplify(self.expand(form, beliefs, wrt)) for form in written]
        raw, part = self.expand(function, beliefs, [w for w in wrt if w is not v]), self.expand(v)
        over += [with_part(raw, part, v), with_part(self.expand(whole), simplify(part), v)]
        for found in over:
            if v in variables(found):
                return found
        raise UnsupportedError(f"what is differentiated is not written in terms of {v.name}")

    def symbol(self, function: Node, wrt: tuple[Variable, ...], label: str) -> Variable:
        """The variable that stands for a derivative."""
        key = Symbol(function, wrt)
        for node, known in self.symbols.items():
            if known == key:
                return node
        shape = (*function.shape, *(d for v in wrt for d in v.shape))
        node = variable(f"∂{label}/" + "".join(f"∂{v.name}" for v in wrt), shape)
        self.symbols[node] = key
        self.scope.variables[node.name] = node
        return node

    def change(self, node: Node, label: str) -> Variable:
        """The differential of a name or an expression: its derivative along the changes of what changes."""
        if not isinstance(node, Variable) or self.defined(node):
            names = (self.scope.variables.get(name) for name in self.spellings.changing)
            free = [v for v in names if v is not None and not self.defined(v)]
            whole = self.expand(node)
            tangents = {v: self.change(v, f"d {v.name}") for v in free if v in variables(whole)}
            body = pushforward(whole, tangents)[whole] if tangents else add([], node.shape)
            return self.define(label, body)
        kept = node.assumptions & {word for row in STRUCTURES for word in row.words}
        known: Variable = self.scope.variables.setdefault(label, variable(label, node.shape, kept))
        return known

    # --- reading --------------------------------------------------------------------------------------------------

    def prepared(self, text: str, tree: Tree, layout: str = "gradient") -> Tree:
        """A tree whose derivatives are symbols, and whose names are those of the ledger; as a new tree."""
        tree = self.without_calls(_copied(tree), text)
        _Symbols(self, text, layout).replace(tree)
        found = survey(tree, text, {*self.scope.variables, *self.scope.values})
        for stem, trees in found.uses.numbered.items():
            for inner in trees:
                if inner.head == "index" and subscripted(stem, str(inner.args[1].value)) in self.scope.variables:
                    become_name(inner)
        letters = _letters(tree, self.scope)
        for name, place in found.uses.plain.items():
            if not self.knows(name, letters | set(found.uses.bound)):
                known = ", ".join(v for v in self.scope.variables if not v.startswith("∂"))
                raise NameProblem(
                    f"nothing says what {name} is", source=text, offset=place.start, end=place.end,
                    hint=f"the document has {known}" if known else "",
                )  # fmt: skip
        self.scope.zero_based |= zero_based(found.uses, text)
        return tree

    def without_calls(self, tree: Tree, text: str) -> Tree:
        """A tree in which f(x) is f where f was defined as f(x)."""
        for inner in tree.walk():
            if inner.head == "call" and inner.value in self.calls:
                if inner != self.calls[str(inner.value)]:
                    message = f"{inner.value} is defined for one argument, and here has another"
                    raise NameProblem(message, source=text, offset=inner.start, end=inner.end)
                inner.head, inner.args = "name", ()
        return tree

    def knows(self, name: str, letters: set[str]) -> bool:
        s = self.scope
        return name in s.variables or name in s.values or name in s.sizes or name in letters or name in UNIVERSAL

    def nodes(self, sides: Sequence[tuple[str, Tree]]) -> list[Node]:
        """Several sides as tensors of one shape: the open indices of all of them, then their own axes."""
        letters = sorted(set().union(*(_letters(tree, self.scope) for _, tree in sides)))
        work, values = _elaborated(self.scope, sides, letters)
        first, *others = values
        for value in others:
            if not _same_shape(first, value):
                message = f"the sides have different shapes: {work.shown(first)} and {work.shown(value)}"
                raise ShapeError(message, code="SIDES")
        extents = work.merge(values)
        return [work.spread(value, extents, value.shape) for value in values]

    def closed(self, text: str, tree: Tree, indices: Sequence[str]) -> Node:
        """One formula with its open indices as leading axes, in the order given."""
        work, (value,) = _elaborated(self.scope, [(text, tree)], [*indices, *_letters(tree, self.scope)])
        try:
            value = close(work, value, tuple(indices), tree) if indices else value
        except NeedOutline:
            raise UnsupportedError(f"nothing says how far {', '.join(indices)} runs") from None
        if value.open or value.row:
            raise UnsupportedError("a name for a row, or with an index that nothing binds, is not kept")
        return value.node  # type: ignore[no-any-return]


def _chained(outer: Node, inner: Node, middle: Variable, wrt: Variable) -> Node:
    """outer[..., middle] · inner[middle, wrt]."""
    lead = tuple(f"f{k}" for k in range(outer.rank - middle.rank))
    along = tuple(f"m{k}" for k in range(middle.rank))
    out = tuple(f"w{k}" for k in range(wrt.rank))
    return contract([(outer, lead + along), (inner, along + out)], lead + out)


def _by_entries(derived: Node, rank: int) -> Node | None:
    """The derivative of a function that is applied to each entry alone: what stands on the diagonal of all axes."""
    axes = tuple(f"a{k}" for k in range(rank))
    times, rest = divmod(derived.rank, rank)
    if rest or len(set(zip(*[iter(derived.shape)] * rank, strict=True))) != 1:
        return None
    diagonal = contract([(derived, axes * times)], axes)
    whole = contract([(diagonal, axes)], axes * times)
    return diagonal if compare(whole, derived) else None


def _same_shape(one: Value, other: Value) -> bool:
    if one.rank != other.rank or (one.rank == 1 and one.row != other.row):
        return False
    return all(unify(a, b) for a, b in zip(one.shape, other.shape, strict=True))


def _copied(tree: Tree) -> Tree:
    """A tree that may be changed; iterative, children first."""
    copies: dict[int, Tree] = {}
    for node in reversed(list(tree.walk())):
        copies[id(node)] = Tree(node.head, tuple(copies[id(a)] for a in node.args), node.value, node.start, node.end)
    return copies[id(tree)]


def _letters(tree: Tree, scope: Scope) -> set[str]:
    """The letters that stand below names or are compared, and are no names themselves."""
    below = [lower for part in tree.walk() if part.head == "index" for lower in part.args[1:]]
    equations = [part for part in tree.walk() if part.head == "compare" and part.value in {"=", "!="}]
    below += [side for part in equations for side in part.args]
    found = {str(inner.value) for part in below for inner in part.walk() if inner.head == "name"}
    bound = {name for part in tree.walk() if part.head in {"binder", "assemble"} for name in _bound(part)}
    return found - bound - scope.variables.keys() - scope.values.keys() - scope.decorations


def _bound(tree: Tree) -> tuple[str, ...]:
    value: Any = tree.value
    names: tuple[str, ...] = value[0] if tree.head == "binder" else value
    return names


def _elaborated(
    scope: Scope, sides: Sequence[tuple[str, Tree]], letters: Iterable[str]
) -> tuple[Elaborator, list[Value]]:
    """The values of several trees with common indices; dimensions that only the others tell are found first."""
    letters = list(letters)
    whole = Tree("add", tuple(tree for _, tree in sides))
    calculates = any(ranges.is_calculated(s) for tree in whole.walk() if tree.head == "index" for s in tree.args[1:])
    scope = replace(scope, calculates=True) if calculates else scope

    def run(algebra: Any, over: Scope) -> tuple[Elaborator, list[Value]]:
        work = Elaborator(algebra, over)
        work.bound.update(dict.fromkeys(letters))
        if calculates:
            ranges.bind(work, whole, letters)
        values = []
        for text, tree in sides:
            over.source = text
            values.append(work.visit(tree))
        return work, values

    try:
        return run(Expressions(), scope)
    except NeedOutline:
        outlines = Outlines()
        values = {n: Value(Outline(v.node.shape), v.open, v.row) for n, v in scope.values.items()}
        outline = {name: Outline(node.shape) for name, node in scope.variables.items()}
        work, found = run(outlines, scope.over(outline, values))
        if all(_same_shape(found[0], other) for other in found[1:]):
            work.merge(found)
        taken = {*scope.variables, *scope.sizes, *(str(find(d)) for t in outline.values() for d in t.shape)}
        if scope.calculates:
            ranges.settle(work.ledger, taken, scope.tops, outlines.holes)
        name_unknowns((), outlines.holes, taken)
        return run(Expressions(outlines.holes), scope)


class _Symbols:
    """Puts names in the places of the derivatives of one tree."""

    def __init__(self, ledger: Ledger, text: str, layout: str) -> None:
        self.ledger = ledger
        self.text = text
        self.layout = layout

    def replace(self, tree: Tree) -> None:
        """Innermost first, in place."""
        for inner in reversed(list(tree.walk())):
            if inner.head == "derivative":
                self.become_symbol(inner)
            elif primed(inner)[1]:
                self.become_value(inner)
            elif inner.head == "change":
                self.become_change(inner)

    def become_symbol(self, tree: Tree) -> None:
        of, *by = tree.args
        if [part.head for part in by] == ["pow"]:
            self.become_quotient(tree, by[0])
            return
        of = self.applied(of)
        order = tree.value if isinstance(tree.value, int) else 1
        named = [self.variable(part) for part in by or self.arguments(of)]
        if len(named) == 1 and order > 1:
            named *= order
        function, label, inner = self.function(of)
        wrt = tuple(v for v, _ in named)
        node = self.ledger.symbol(function, wrt, label)
        if tree.args[0].start == tree.start and 0 < wrt[0].rank == function.rank and self.become_entries(tree, node):
            return
        places = [*self.places(inner, function.rank, of)]
        for v, below in named:
            row = v is wrt[-1] and below and not any(p.head == "slice" for p in places)
            places += below if row and len(below) < v.rank else self.places(below, v.rank, tree)
        name = Tree("name", (), node.name, tree.start, tree.end)
        if any(p.head != "slice" for p in places):
            tree.head, tree.args, tree.value = "index", (name, *places), None
        elif self.turned(function.rank, node.rank - function.rank):
            tree.head, tree.args, tree.value = "transpose", (name,), None
        else:
            tree.head, tree.args, tree.value = "name", (), node.name

    def become_entries(self, tree: Tree, node: Variable) -> bool:
        """f'(x) of a function that is applied to each entry of x: as the entries it has."""
        wrt = self.ledger.symbols[node].wrt[0]
        value = _by_entries(self.ledger.expand(node), wrt.rank)
        if value is None:
            return False
        label = " ".join(self.text[tree.start : tree.end].split())
        self.ledger.define(label, value)
        tree.head, tree.args, tree.value = "name", (), label
        return True

    def become_quotient(self, tree: Tree, square: Tree) -> None:
        """∂f/∂(σ²), the derivative by a square as a variable, is ∂f/∂σ / (2 σ)."""
        base = square.args[0]
        node, below = self.variable(base)
        if len(below) != node.rank or any(part.head == "slice" for part in below):
            raise UnsupportedError(f"a derivative by the squares of {node.name}: write it with indices")
        inner = Tree("derivative", (tree.args[0], base), 1, tree.start, tree.end)
        self.become_symbol(inner)
        twice = Tree("mul", (Tree("num", (), 2, base.start, base.start), _copied(base)), "", base.start, base.end)
        tree.head, tree.args, tree.value = "div", (inner, twice), ""

    def applied(self, of: Tree) -> Tree:
        """f(x) for the f of `f(x) = ...`, where f is applied to other things too."""
        function = self.ledger.scope.functions.get(str(of.value)) if of.head == "name" else None
        if function is None or any(p not in self.ledger.scope.variables for p in function.parameters):
            return of
        arguments = tuple(Tree("name", (), p, of.start, of.end) for p in function.parameters)
        return Tree("call", arguments, of.value, of.start, of.end)

    def become_value(self, tree: Tree) -> None:
        """f'(3): the derivative of f(x) by x at x = 3, kept as a name."""
        name, order = primed(tree)
        known, function = self.ledger.calls.get(name), self.ledger.scope.functions.get(name)
        parameters = [str(arg.value) for arg in known.args] if known is not None else function and function.parameters
        if not parameters:
            return
        if len(parameters) != 1 or len(tree.args) != 1:
            raise UnsupportedError(f"{self.text[tree.start : tree.end]} is read of a function of one variable")
        at = self.ledger.closed(self.text, self.ledger.prepared(self.text, tree.args[0]), ())
        wrt: Variable = self.ledger.scope.variables.setdefault(parameters[0], variable(parameters[0], at.shape))
        of = Tree("call", (Tree("name", (), wrt.name),), name)
        symbol = self.ledger.symbol(self.function(of)[0], (wrt,) * order, name)
        if at.shape != wrt.shape:
            raise ShapeError(f"{name} takes {describe(wrt.shape)}, not {describe(at.shape)}")
        label = " ".join(self.text[tree.start : tree.end].split())
        value = substitute(self.ledger.expand(symbol), {wrt: at})
        if at.rank and symbol.rank > at.rank:
            entries = _by_entries(value, at.rank)
            if entries is None:
                raise UnsupportedError("a function that mixes entries, at a place: write it with a name for that")
            value = entries
        self.ledger.define(label, value)
        tree.head, tree.args, tree.value = "name", (), label

    def become_change(self, tree: Tree) -> None:
        """dX, a name of its own; df, what f changes by with all that changes."""
        function, label, below = self.function(tree.args[0])
        node = self.ledger.change(function, f"d {label}")
        name = Tree("name", (), node.name, tree.start, tree.end)
        if below:
            tree.head, tree.args = "index", (name, *below)
        else:
            tree.head, tree.args, tree.value = "name", (), node.name

    def arguments(self, of: Tree) -> tuple[Tree, ...]:
        """What ∇f is taken by where it does not say so: the one argument of f(x), or all that f is made of."""
        call = self.ledger.calls.get(str(of.value), of)
        if call.head == "call" and len(call.args) == 1:
            return call.args
        before = self.ledger.symbols.get(self.ledger.scope.variables.get(str(of.value)))  # type: ignore[arg-type]
        if before is not None:  # the second ∇ of ∇∇f
            return (Tree("name", (), before.wrt[-1].name, of.start, of.end),)
        function, _, _ = self.function(of)
        found = {v.name for v in variables(self.ledger.expand(function)) if "label" not in v.assumptions}
        if len(found) == 1:
            return (Tree("name", (), found.pop(), of.start, of.end),)
        raise NameProblem(
            f"∇ does not say by what: by {', '.join(sorted(found))}?", source=self.text, offset=of.start, end=of.end,
            hint="write ∇_x f",
        )  # fmt: skip

    def turned(self, function: int, rest: int) -> bool:
        """Whether the layout transposes a derivative of these ranks."""
        if self.layout == "numerator":
            return function == 0 and rest in {1, 2}
        return self.layout == "denominator" and function == rest == 1

    def places(self, below: Sequence[Tree], rank: int, tree: Tree) -> list[Tree]:
        if below and len(below) != rank:
            raise ShapeError(
                f"{rank} indices are needed here, not {len(below)}", source=self.text, offset=tree.start, end=tree.end
            )
        return list(below) or [Tree("slice", (), None, tree.start, tree.end) for _ in range(rank)]

    def variable(self, tree: Tree) -> tuple[Variable, tuple[Tree, ...]]:
        name, below = self.named(tree)
        name = (
            name if name in self.ledger.scope.variables else self.ledger.scope.rows.get(name, name) if below else name
        )
        node = self.ledger.scope.variables.get(name)
        if node is None:
            raise NameProblem(
                f"nothing says what {name or 'this'} is", source=self.text, offset=tree.start, end=tree.end
            )
        if "label" in node.assumptions:
            raise UnsupportedError(f"{name} is a label: an integer has no derivative")
        return node, below

    def named(self, tree: Tree) -> tuple[str, tuple[Tree, ...]]:
        """A name and what stands below it; W_1 is a name where the document has it."""
        if tree.head == "index" and tree.args[0].head == "name":
            stem, below = str(tree.args[0].value), tree.args[1:]
            whole = subscripted(stem, str(below[0].value)) if len(below) == 1 else ""
            if whole and whole in self.ledger.scope.variables:
                return whole, ()
            if len(below) == 1 and below[0].value in self.ledger.scope.decorations:
                return stem, ()
            return stem, below
        return (str(tree.value), ()) if tree.head in {"name", "call"} else ("", ())

    def function(self, tree: Tree) -> tuple[Node, str, tuple[Tree, ...]]:
        """What is differentiated: a name of the ledger, or an expression."""
        name, below = self.named(tree)
        known = self.ledger.scope.variables.get(name)
        if known is not None:
            return known, name, below
        if name and tree.head != "call" and name not in self.ledger.scope.values:
            raise NameProblem(f"nothing says what {name} is", source=self.text, offset=tree.start, end=tree.end)
        inner = self.ledger.prepared(self.text, tree)
        letters = sorted(_letters(inner, self.ledger.scope))
        node = self.ledger.closed(self.text, inner, letters)
        return node, " ".join(self.text[tree.start : tree.end].split()), tuple(Tree("name", (), x) for x in letters)


# --- making a ledger --------------------------------------------------------------------------------------------------


def open_ledger(
    pieces: Sequence[Piece], extra: Sequence[Piece], shapes: Any, assume: Any, syntax: str, spellings: Spellings
) -> Ledger:
    """The ledger of the definitions of a document; `extra` are formulas that only tell of more names.

    A piece that cannot be read beside the others keeps its error and stays out.
    """
    kept = list(pieces)
    reading = _read(kept, shapes, assume, syntax)
    if reading is None:
        kept, reading = _readable([], pieces, shapes, assume, syntax)
    kept, reading = _readable(kept, extra, shapes, assume, syntax, reading)
    assert reading is not None
    ledger = ledger_of(reading, syntax, spellings)
    assumed = read_assumptions(assume, canonical)
    for name, shape in read_shapes(shapes, canonical).items():
        if name not in ledger.scope.variables and name not in reading.scope.values:
            ledger.scope.variables[name] = variable(name, shape, assumed.get(name, ()))
            ledger.scope.sizes |= {d for d in shape if isinstance(d, str)}
    return ledger


def ledger_of(reading: Reading, syntax: str, spellings: Spellings) -> Ledger:
    """The ledger of the definitions of a source."""
    ledger = Ledger(reading, syntax, _scope(reading), spellings)
    assert reading.parsed is not None
    found = survey(reading.parsed.tree, reading.parsed.source, reading.variables)
    for one in found.definitions:
        if one.parameters is not None and one.name in reading.scope.functions:
            continue
        value = reading.scope.values.get(one.name)
        if value is None:  # an entry, as in mu_j = 0 beside a declared mu
            continue
        try:
            indices = tuple(name for name in one.indices if name not in ledger.scope.decorations)
            if not set(indices) <= {str(t.value) for t in one.body.walk() if t.head == "name"}:
                continue  # S_w, where w is no index of anything: what it is is not known
            told = reading.scope.calculates and not value.open  # n - m + 1 is told by the whole document only
            body = value.node if told else ledger.closed(reading.parsed.source, one.body, indices)
            ledger.define(one.name, body)
        except SymgradError:
            ledger.scope.values[one.name] = value
    return ledger


def _scope(reading: Reading) -> Scope:
    """The scope of a reading without the values of its definitions."""
    dims = {d for declared in reading.variables.values() for d in declared.shape if isinstance(d, str)}
    names = reading.variables.keys() | reading.scope.values.keys()
    return replace(
        reading.scope, variables={name: reading.node_of(name) for name in reading.variables}, values={},
        sizes=(reading.scope.sizes | dims) - names, functions=dict(reading.scope.functions),
        zero_based=set(reading.scope.zero_based),
    )  # fmt: skip


def _read(pieces: Sequence[Piece], shapes: Any, assume: Any, syntax: str) -> Reading | None:
    try:
        return read(_joined(pieces), shapes=shapes, assume=assume, syntax=syntax)
    except InputError:
        return None


def _readable(
    kept: list[Piece], more: Sequence[Piece], shapes: Any, assume: Any, syntax: str, reading: Reading | None = None
) -> tuple[list[Piece], Reading]:
    """The pieces that can be read together, taken one by one in order."""
    kept = list(kept)
    for piece in more:
        try:
            reading = read(_joined([*kept, piece]), shapes=shapes, assume=assume, syntax=syntax)
            kept.append(piece)
        except InputError as error:
            error.offset -= len(_joined(kept)) - len(END)
            error.end -= len(_joined(kept)) - len(END)
            piece.error = error
    return kept, reading or read(_joined(kept), shapes=shapes, assume=assume, syntax=syntax)


#: Every source needs a function: one that depends on nothing.
END = "0"


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(f"{piece.text};\n" for piece in pieces) + END


__all__ = ["LAYOUTS", "Bodies", "Ledger", "Piece", "Symbol", "definition", "open_ledger", "relabel"]
