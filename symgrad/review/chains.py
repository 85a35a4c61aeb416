"""What the chains of a document are: definitions, declarations, and equations of expressions.

Contract: `classify(document)` parses the chains; the first equation of a name defines it.  `f(x) = ...` defines the
value f where f is called in no other way anywhere, and a function otherwise.  `open_document` makes the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.errors import InputError
from symgrad.notation.functions import BUILTIN
from symgrad.notation.roles import name_of
from symgrad.notation.scope import Definition, definition
from symgrad.notation.syntax import Tree
from symgrad.review.document import Chain, Document, Side, parts
from symgrad.review.ledger import Ledger, Piece, open_ledger
from symgrad.review.spellings import MARK, Spellings, differentials, layered, primed

#: Letters that count something: `i = 1` in the text defines nothing.
COUNTERS = frozenset("ijkltnmN")
#: Functions by convention that a document may have of its own.
OWN = frozenset(("phi", "Phi"))
_DEPENDS = re.compile(r"(\\?[A-Za-z]+)\s*\(\s*[A-Za-z0-9\\_{},; ]+\)")
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
        return self.first is not None and any(t.head in {"derivative", "change"} for t in self.first.whole.walk())


@dataclass(slots=True)
class Classified:
    """The chains that are not prose, and the calls, such as f(x), that are nothing but names."""

    chains: list[ReadChain]
    spellings: Spellings
    calls: dict[str, Tree] = field(default_factory=dict)


def classify(document: Document, solutions: Collection[int] = ()) -> Classified:
    """What the chains of a document are; `solutions` begin chains that come of setting a derivative to zero."""
    spellings, found = Spellings(), _parsed(document, Spellings())
    while (more := _spelled(document, found, spellings)) != spellings:
        spellings, found = more, _parsed(document, more)  # what calls the functions can be read now
    found = [one for one in found if not _only_depends(document, one, found)]
    named = [chain for chain in document.chains if _only_names(document, chain, spellings)]
    for chain in named:
        del chain.sides[1], chain.relations[0]
    found = _parsed(document, spellings) if named else found
    calls: dict[str, Tree] = {}
    if spellings.functions:
        calls = _names(document, found, spellings)
        for one in found:
            if one.piece is not None and one.first is not None:
                one.piece.text = _without_brackets(one.piece.text, one.first.whole, calls)
    taken: set[str] = set()
    by: set[str] = set()
    for one in found:
        if one.chain.sides[0].start in solutions:
            taken |= by & {one.name}
        if one.first is not None and one.name and one.name not in taken and not _mentions(one.first.body, one.name):
            taken.add(one.name)
            one.defined = True
        taken |= _unknowns(document, one)
        by |= _differentiated_by(document, one, spellings)
    return Classified(found, spellings, calls)


def _spelled(document: Document, found: list[ReadChain], spellings: Spellings) -> Spellings:
    """What is known of functions and differentials once these chains are read."""
    trees = [tree for one in found for tree in _trees(document, one, spellings)]
    changing = spellings.changing | differentials(trees)
    functions = {one.name for one in found if one.first is not None and one.first.parameters is not None}
    functions -= {MARK} if changing else set()
    applied = {
        (one.name, str((one.first.parameters or ("",))[0])) for one in found
        if one.first is not None and (one.first.parameters is None) == _is_function(one.first.body)
        and (one.first.parameters is None or len(one.first.parameters) == 1)
    }  # fmt: skip
    aliases = {name for name, own in applied if not own}
    return Spellings(
        spellings.functions | functions | aliases, changing, spellings.layered | layered(trees),
        spellings.elsewhere | applied,
    )  # fmt: skip


def _is_function(tree: Tree) -> bool:
    r"""The \tanh of g = \tanh."""
    return tree.head == "name" and tree.value in BUILTIN and len(str(tree.value)) > 1


def _unknowns(document: Document, one: ReadChain) -> set[str]:
    """What an equation with zero is to be solved for: a later equation of such a name does not define it."""
    if one.first is None or all(document.text(side).strip() != "0" for side in one.chain.sides[1:]):
        return set()
    left = one.first.whole.args[0]
    trees = left.args[1:] if left.head == "derivative" else [t for t in left.walk() if t.head in {"name", "index"}]
    return {name_of(tree) for tree in trees} - {one.name}


def _differentiated_by(document: Document, one: ReadChain, spellings: Spellings) -> set[str]:
    """The names that a chain differentiates by."""
    trees = [t for tree in _trees(document, one, spellings) for t in tree.walk() if t.head == "derivative"]
    return {name_of(by) for tree in trees for by in tree.args[1:]}


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
    for one in _parsed(replace(document, chains=tuple(group)), Spellings()):
        if one.name and one.name not in seen and not _mentions(one.first.body, one.name):  # type: ignore[union-attr]
            seen.add(one.name)
            yield one.chain, one.name


def _parsed(document: Document, spellings: Spellings) -> list[ReadChain]:
    found = (_read(document, chain, spellings) for chain in document.chains)
    return [one for one in found if one is not None]


def _read(document: Document, chain: Chain, spellings: Spellings) -> ReadChain | None:
    """A chain with its first equation parsed; None for what is prose."""
    sides = chain.sides
    text = document.text(Side(sides[0].start, sides[min(1, len(sides) - 1)].end))
    if "dots" in text:
        return None if chain.inline else ReadChain(chain)
    try:
        tree = spellings.parse(text, document.syntax)
    except InputError as error:
        return None if chain.inline else ReadChain(chain, error=error)
    if tree.head == "declare":
        return ReadChain(chain, piece=Piece(text), declared=tree)
    if len(sides) > 1 and tree.head == "equation":
        return None if chain.inline and _counts(tree) else ReadChain(chain, _first(tree), piece=Piece(text))
    return None if chain.inline or len(sides) == 1 else ReadChain(chain)


def _only_names(document: Document, chain: Chain, spellings: Spellings) -> bool:
    """Whether the f(x; W) of `s = f(x; W) = W x` only names what follows: nothing else says what f is."""
    if len(chain.sides) < 3:
        return False
    with suppress(InputError):
        tree = spellings.parse(document.text(Side(chain.sides[0].start, chain.sides[2].end)), document.syntax)
        parts = [part for part in tree.args for part in (part.args if part.head == "equation" else (part,))]
        call = parts[1] if tree.head == "equation" else tree
        known = call.value in spellings.functions or call.value in BUILTIN
        return call.head == "call" and not known and all(arg.head == "name" for arg in call.args)
    return False


def _only_depends(document: Document, one: ReadChain, found: Sequence[ReadChain]) -> bool:
    r"""Whether `L = \ell(v)` only says what L depends on: another chain says what it is, and nothing what \ell is."""
    if one.first is None or not one.name or len(one.chain.sides) != 2:
        return False
    said = _DEPENDS.fullmatch(document.text(one.chain.sides[1]).strip())
    again = [other for other in found if other is not one and other.name == one.name and other.first is not None]
    if said is None or not again:
        return False
    letter = re.compile(rf"(?<![A-Za-z\\]){re.escape(said[1])}(?![A-Za-z])")
    uses = [side for other in found if other is not one for side in other.chain.sides]
    return not any(letter.search(document.text(side)) for side in uses)


def _first(tree: Tree) -> Definition:
    """The first equation of a chain; a value of a known function, such as exp(1), is no name to define."""
    found = definition(tree, [])
    known = found.name.rstrip("'") in BUILTIN and found.name not in OWN
    value = found.name and found.parameters is not None and (not found.parameters or known)
    if value or (found.name in {"e", "pi"} and found.body.head == "num"):
        found.name, found.parameters = "", None
    return found


def _counts(tree: Tree) -> bool:
    """`i = 1` or `N = 5` between words counts something."""
    left, right = tree.args[0], tree.args[1]
    return left.head == "name" and left.value in COUNTERS and right.head in {"num", "name"}


def _mentions(tree: Tree, name: str) -> bool:
    """Whether a name stands in a tree as a value; the i of z_i is a label or a letter."""
    stack = [tree]
    while stack:
        part = stack.pop()
        if part.head in {"name", "call"} and part.value == name:
            return True
        stack += part.args[:1] if part.head == "index" else part.args
    return False


# --- functions that are values ----------------------------------------------------------------------------------------


def _names(document: Document, found: list[ReadChain], spellings: Spellings) -> dict[str, Tree]:
    """The functions that are called in one way only, in any side of any chain; h_theta is none beside another h."""
    others = {one.name for one in found}
    calls: dict[str, list[Tree]] = {
        name: [] for name in spellings.functions if name.partition("_")[0] not in others - {name}
    }
    for one in found:
        for tree in _trees(document, one, spellings):
            for inner in tree.walk():
                if inner.head == "call" and inner.value in calls:
                    calls[str(inner.value)].append(inner)
    return {name: same[0] for name, same in calls.items() if same and all(call == same[0] for call in same)}


def _trees(document: Document, one: ReadChain, spellings: Spellings) -> Iterator[Tree]:
    """All that a chain says: its first equation, then the other sides."""
    if one.first is not None:
        yield one.first.whole
    for side in one.chain.sides[2 if one.first is not None else 0 :]:
        try:
            yield spellings.parse(document.text(side), document.syntax)
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


def open_document(document: Document, classified: Classified, shapes: Any, assume: Any) -> Ledger:
    """The ledger of a document: first what needs no derivative, then the names that stand for derivatives."""
    found, calls = classified.chains, classified.calls
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
        elif not one.name and one.first is not None:
            extra += _aside(one.piece.text, one.first.whole.args[0], len(extra), calls)
    for one in found:  # last, so that what may be wrong says nothing of the shapes that others tell
        for text, tree in _right_sides(document, one, classified.spellings):
            extra += _aside(text, tree, len(extra), calls)
    ledger = open_ledger(pieces, extra, shapes, assume, document.syntax, classified.spellings)
    ledger.calls.update({name: call for name, call in calls.items() if name not in ledger.scope.functions})
    ledger.define_late([one for one in found if one.defined and one.differential])
    return ledger


def _right_sides(document: Document, one: ReadChain, spellings: Spellings) -> Iterator[tuple[str, Tree]]:
    """The right sides of an equation without a name, and of a new value; those of a derivative tell of no names."""
    if one.first is None or one.declared is not None or (one.name and not one.updates):
        return
    if one.updates or not one.differential:
        for side in one.chain.sides[1:]:
            with suppress(InputError):
                text = document.text(side)
                yield text, spellings.parse(text, document.syntax)


def _aside(text: str, tree: Tree, count: int, calls: Collection[str]) -> Iterator[Piece]:
    """A side of an equation as a definition that nobody uses: its names are then known."""
    tree = tree.args[0] if tree.head == "derivative" else tree
    text = text[tree.start : tree.end]
    if tree.head == "call":  # the primes of f'(x) stand within it
        text = "" if primed(tree)[0] in calls else text.replace("'", "")
    if text and tree.head not in {"name", "index"} and not any(t.head in {"derivative", "change"} for t in tree.walk()):
        yield Piece(f"side_{{{count + 1}}} = {text}")
