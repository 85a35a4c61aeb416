"""Derivatives by structured variables: matrices whose entries are not independent of each other.

Contract: where several entries of X are one number, the derivative by that number is the sum of the derivatives by each
of these entries, and stands at all of them; an entry that is fixed at zero has derivative zero.  Each structure is one
row of the table: what is assumed, and its derivative from the derivative `G` by independent entries.
Source: Petersen and Pedersen, The Matrix Cookbook, 2.8 (eq. 138 to 144).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from symgrad.calculus.local import BATCH, SEEDED, instantiate
from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import Node, Variable, variable
from symgrad.notation.reading import read_rule


@dataclass(frozen=True, slots=True)
class Structure:
    """`words`: the assumptions that make it; `formula`: the derivative from the derivative G by independent entries."""

    name: str
    words: frozenset[str]
    formula: str


def _row(name: str, words: str, formula: str) -> Structure:
    return Structure(name, frozenset(words.split()), formula)


#: The first row whose words are all assumed is meant.
STRUCTURES = (
    _row("diagonal", "diagonal", "G .* I"),
    _row("symmetric Toeplitz", "symmetric toeplitz", "D = diagsum(G); D + D^T - D .* I"),
    _row("Toeplitz", "toeplitz", "diagsum(G)"),
    _row("symmetric", "symmetric", "G + G^T - G .* I"),
    _row("symmetric", "positive_definite", "G + G^T - G .* I"),
    _row("lower triangular", "lower_triangular", "tril(G)"),
)


def structure_of(wrt: Node) -> Structure | None:
    """The structure that is assumed of a variable, if any; `UnsupportedError` where no row covers it."""
    if not isinstance(wrt, Variable):
        return None
    found = next((row for row in STRUCTURES if row.words <= wrt.assumptions), None)
    if found is None and "orthogonal" in wrt.assumptions:
        raise UnsupportedError(
            f"{wrt.name} is orthogonal: its entries cannot be changed one by one, and it has no gradient by entries",
            hint="leave the assumption out for the gradient over all entries, G; along the orthogonal matrices it is "
            "G - X (XᵀG + GᵀX) / 2",
        )
    if found is not None and (wrt.rank != 2 or wrt.shape[0] != wrt.shape[1]):
        raise ShapeError(f"{wrt.name} is {found.name}, so it must be a square matrix")
    return found


def structured(derivative: Node, structure: Structure) -> Node:
    """The derivative by a structured variable (its axes last) from that by independent entries."""
    generic, template = _template(structure)
    seeds, dim = derivative.shape[:-2], derivative.shape[-1]
    return instantiate(template, {generic: (derivative, SEEDED if seeds else BATCH)}, {"n": dim}, seeds, ())


@cache
def _template(structure: Structure) -> tuple[Variable, Node]:
    generic = variable("G", ("n", "n"))
    return generic, read_rule(structure.formula, {"G": generic})
