r"""A claim that goes through other derivatives: `\frac{\partial L}{\partial s} x^T`, `(dL/dq) x^T`, `g'(z) y`.

Contract: `through_derivatives` is what such a claim says, over the variables of the function: each derivative in it is
taken from the function and its definitions, as in a written derivation.  A derivative in its own formula is refused:
a claim ∇_W f = ∇_W f says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.expr import Node, Variable, variables
from symgrad.notation.reading import Reading
from symgrad.notation.scope import survey
from symgrad.notation.syntax import Tree
from symgrad.review.ledger import Ledger, ledger_of
from symgrad.review.spellings import Spellings, primed


def through_derivatives(
    source: str, reading: Reading, wrt: Variable, syntax: str, intermediates: Mapping[str, Node]
) -> Node:
    """The node of a claim about the derivative of a function by `wrt`."""
    ledger = ledger_of(reading, syntax, Spellings(frozenset(reading.scope.functions)))
    tree = ledger.parsed(source)
    unknown = _differentiated(tree) - ledger.scope.variables.keys()
    names = {reading.name} | (unknown if len(unknown) == 1 and not _is_named(reading) else set())
    whole = _over_names(ledger, reading)
    own = {ledger.define(name, whole) for name in names - ledger.scope.variables.keys()}
    for name, node in intermediates.items():
        if name not in ledger.scope.variables:
            ledger.define(name, node)
    found = survey(tree, source, {*ledger.scope.variables, *ledger.scope.values})
    for one in found.definitions:
        ledger.define(one.name, ledger.closed(source, ledger.prepared(source, one.body), one.indices))
    body = ledger.prepared(source, found.function.body)
    claim = ledger.closed(source, body, found.function.indices)
    symbols = (ledger.symbols[v] for v in variables(claim) if v in ledger.symbols)
    if any(symbol.function in own and symbol.wrt == (wrt,) for symbol in symbols):
        raise UnsupportedError(
            f"this claim is made of the derivative by {wrt.name} itself", hint="write out what it is"
        )
    return ledger.expand(claim)


def _over_names(ledger: Ledger, reading: Reading) -> Node:
    """The function over the names that its source defines, so that it can be differentiated by them."""
    assert reading.parsed is not None
    function = survey(reading.parsed.tree, reading.parsed.source, reading.variables).function
    with suppress(SymgradError):
        found = ledger.closed(reading.parsed.source, function.body, function.indices)
        if found.shape == reading.node.shape and ledger.expand(found).shape == reading.node.shape:
            return found
    return reading.node


def _is_named(reading: Reading) -> bool:
    """Whether the function has a left side."""
    if reading.parsed is None:
        return False
    tree = reading.parsed.tree
    return (tree.args[-1] if tree.head == "block" else tree).head == "equation"


def _differentiated(tree: Tree) -> set[str]:
    """The names whose derivatives a claim takes: of a function without a name, any is its name."""
    taken = [part.args[0] for part in tree.walk() if part.head == "derivative"]
    return {str(of.value) for of in taken if of.head == "name"}


def names_derivatives(source: str, reading: Reading, syntax: str) -> bool:
    """Whether a derivative stands in a claim, beside its left side."""
    spellings = Spellings(frozenset(reading.scope.functions))
    try:
        tree = spellings.parse(source, syntax, [*reading.variables, *reading.definitions])
    except SymgradError:
        return False
    lefts = [id(part.args[0]) for part in tree.walk() if part.head == "equation"]
    inside = [part for part in tree.walk() if id(part) not in lefts]
    return any(
        part.head == "derivative" or (primed(part)[1] and primed(part)[0] in spellings.functions) for part in inside
    )
