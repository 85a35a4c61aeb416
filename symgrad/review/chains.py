"""What the chains of a document are: definitions, declarations, and equations of expressions.

Contract: `classify(document)` parses the chains; the first equation of a name defines it.  `f(x) = ...` defines the
value f where f is called in no other way anywhere, and a function otherwise.  `open_document` makes the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import InputError
from symgrad.notation.functions import BUILTIN
from symgrad.notation.parser import parse_tree
from symgrad.notation.roles import name_of
from symgrad.notation.scope import Definition, definition
from symgrad.notation.syntax import Tree
from symgrad.review.document import Chain, Document, Side, parts
from symgrad.review.ledger import Ledger, Piece, open_ledger

#: Letters that count something: `i = 1` in the text defines nothing.
COUNTERS = frozenset("ijkltnmN")
_BRACKET = re.compile(r"\s*(?:\\left\s*)?\(")


@dataclass(slots=True)
class ReadChain:
    """A chain with what its first equation is; `declared` is what a chain of one side says of a shape."""

    chain: Chain
    first: Definition | None = None
    error: InputError | None = None
    piece: Piece | None = None
    defined: bool = False
    declared: Tree | None = None

    @property
    def name(self) -> str:
        return self.first.name if self.first is not None else ""

    @property
    def updates(self) -> bool:
        """`w = w - g` gives a new value to a name."""
        return self.first is not None and bool(self.name) and _mentions(self.first.body, self.name)

    @property
    def differential(self) -> bool:
        return self.first is not None and any(t.head == "derivative" for t in self.first.whole.walk())


def classify(document: Document) -> tuple[list[ReadChain], dict[str, Tree]]:
    """The chains that are not prose, and the calls, such as f(x), that are nothing but names."""
    found = _parsed(document, ())
    functions = {one.name for one in found if one.first is not None and one.first.parameters is not None}
    calls: dict[str, Tree] = {}
    if functions:
        found = _parsed(document, functions)
        calls = _names(document, found, functions)
        for one in found:
            if one.piece is not None and one.first is not None:
                one.piece.text = _without_brackets(one.piece.text, one.first.whole, calls)
    taken: set[str] = set()
    for one in found:
        if one.first is not None and one.name and one.name not in taken and not _mentions(one.first.body, one.name):
            taken.add(one.name)
            one.defined = True
        taken |= _unknowns(document, one)
    return found, calls


def _unknowns(document: Document, one: ReadChain) -> set[str]:
    """What an equation with zero is to be solved for: a later equation of such a name does not define it."""
    if one.first is None or all(document.text(side).strip() != "0" for side in one.chain.sides[1:]):
        return set()
    left = one.first.whole.args[0]
    trees = left.args[1:] if left.head == "derivative" else [t for t in left.walk() if t.head in {"name", "index"}]
    return {name_of(tree) for tree in trees} - {one.name}


@dataclass(frozen=True, slots=True)
class Part:
    """Some chains of a document: the first `known` only define names for the others; `anew` are defined once more."""

    document: Document
    known: int = 0
    anew: frozenset[str] = frozenset()


def separate(document: Document) -> list[Part]:
    """The parts of a document in which names are defined anew, each with the definitions before it that still stand.

    A document that defines nothing anew under a later heading is one part.
    """
    groups = parts(document)
    named = [{chain.sides[0]: name for chain, name in _first_names(document, group)} for group in groups]
    defined = [set(names.values()) for names in named]
    if len({name for names in defined for name in names}) == sum(len(names) for names in defined):
        return [Part(document)]
    found = []
    for k, group in enumerate(groups):
        taken, before = set(defined[k]), list[Chain]()
        for earlier, names in reversed(list(zip(groups[:k], named[:k], strict=True))):
            standing = [c for c in earlier if names.get(c.sides[0], "") not in taken | {""}]
            taken |= set(names.values())
            before = [*standing, *before]
        anew = defined[k] & set().union(*defined[:k])
        found.append(Part(replace(document, chains=(*before, *group)), len(before), frozenset(anew)))
    return found


def _first_names(document: Document, group: Sequence[Chain]) -> Iterator[tuple[Chain, str]]:
    """The chains of a part that define a name there."""
    seen: set[str] = set()
    for one in _parsed(replace(document, chains=tuple(group)), ()):
        if one.name and one.name not in seen and not _mentions(one.first.body, one.name):  # type: ignore[union-attr]
            seen.add(one.name)
            yield one.chain, one.name


def _parsed(document: Document, functions: Collection[str]) -> list[ReadChain]:
    found = (_read(document, chain, functions) for chain in document.chains)
    return [one for one in found if one is not None]


def _read(document: Document, chain: Chain, functions: Collection[str]) -> ReadChain | None:
    """A chain with its first equation parsed; None for what is prose."""
    sides = chain.sides
    text = document.text(Side(sides[0].start, sides[min(1, len(sides) - 1)].end))
    if "dots" in text:
        return None if chain.inline else ReadChain(chain)
    try:
        tree = parse_tree(text, syntax=document.syntax, functions=functions).tree
    except InputError as error:
        return None if chain.inline else ReadChain(chain, error=error)
    if tree.head == "declare":
        return ReadChain(chain, piece=Piece(text), declared=tree)
    if len(sides) > 1 and tree.head == "equation":
        return None if chain.inline and _counts(tree) else ReadChain(chain, _first(tree), piece=Piece(text))
    return None if chain.inline or len(sides) == 1 else ReadChain(chain)


def _first(tree: Tree) -> Definition:
    """The first equation of a chain; a value of a known function, such as exp(1), is no name to define."""
    found = definition(tree, [])
    value = found.name and found.parameters is not None and (not found.parameters or found.name in BUILTIN)
    if value or (found.name in {"e", "pi"} and found.body.head == "num"):
        found.name, found.parameters = "", None
    return found


def _counts(tree: Tree) -> bool:
    """`i = 1` or `N = 5` between words counts something."""
    left, right = tree.args[0], tree.args[1]
    return left.head == "name" and left.value in COUNTERS and right.head in {"num", "name"}


def _mentions(tree: Tree, name: str) -> bool:
    return any(t.head in {"name", "call"} and t.value == name for t in tree.walk())


# --- functions that are values ----------------------------------------------------------------------------------------


def _names(document: Document, found: list[ReadChain], functions: Collection[str]) -> dict[str, Tree]:
    """The functions that are called in one way only, in any side of any chain."""
    calls: dict[str, list[Tree]] = {name: [] for name in functions}
    for one in found:
        trees = [one.first.whole] if one.first is not None else []
        trees += _others(document, one, functions)
        for tree in trees:
            for inner in tree.walk():
                if inner.head == "call" and inner.value in calls:
                    calls[str(inner.value)].append(inner)
    return {name: same[0] for name, same in calls.items() if same and all(call == same[0] for call in same)}


def _others(document: Document, one: ReadChain, functions: Collection[str]) -> Iterator[Tree]:
    for side in one.chain.sides[2 if one.first is not None else 0 :]:
        try:
            yield parse_tree(document.text(side), syntax=document.syntax, functions=functions).tree
        except InputError:
            continue


def _without_brackets(text: str, tree: Tree, calls: dict[str, Tree]) -> str:
    """`f(x)` as f and spaces, wherever it is nothing but a name."""
    for inner in tree.walk():
        if inner.head == "call" and inner.value in calls:
            opening = _BRACKET.search(text, inner.start)
            if opening is not None:
                text = text[: opening.start()] + " " * (inner.end - opening.start()) + text[inner.end :]
    return text


# --- the ledger -------------------------------------------------------------------------------------------------------


def open_document(
    document: Document, found: list[ReadChain], calls: dict[str, Tree], shapes: Any, assume: Any
) -> Ledger:
    """The ledger of a document: first what needs no derivative, then the names that stand for derivatives."""
    pieces: list[Piece] = []
    extra: list[Piece] = []
    names = {one.name for one in found if one.defined}
    for one in found:
        if one.piece is None:
            continue
        if one.declared is not None:
            if name_of(one.declared.args[0]) not in names:
                pieces.append(one.piece)
        elif one.defined and not one.differential:
            one.piece.name = one.name
            pieces.append(one.piece)
        elif not one.name:
            extra += _aside(one, len(extra))
    ledger = open_ledger(pieces, extra, shapes, assume, document.syntax)
    ledger.declare(shapes, assume, names)
    ledger.calls.update({name: call for name, call in calls.items() if name not in ledger.scope.functions})
    ledger.define_late([one for one in found if one.defined and one.differential])
    return ledger


def _aside(one: ReadChain, count: int) -> Iterator[Piece]:
    """A formula without a name, as a definition that nobody uses: its names are then known."""
    assert one.first is not None
    assert one.piece is not None
    left = one.first.whole.args[0]
    tree = left.args[0] if left.head == "derivative" else left
    if tree.head not in {"name", "index"} and not any(t.head == "derivative" for t in tree.walk()):
        yield Piece(f"side_{{{count + 1}}} = {one.piece.text[tree.start : tree.end]}")
