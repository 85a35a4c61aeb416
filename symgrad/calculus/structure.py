"""Derivatives by structured variables: matrices whose entries are not independent of each other.

Contract: where several entries of X are one number, the derivative by that number is the sum of the derivatives by each
of these entries, and stands at all of them; an entry that is fixed at zero has derivative zero.  Each structure is one
row of the table: what is assumed, and its derivative from the derivative `G` by independent entries.
Source: Petersen and Pedersen, The Matrix Cookbook, 2.8 (eq. 138 to 144).

Matrices X with orthonormal columns, XᵀX = I, have no entries to choose: their derivative is the Riemannian gradient on
the Stiefel manifold in the Euclidean metric, the tangent R with ⟨R, ξ⟩ = df(ξ) for every tangent ξ.
Source: Edelman, Arias and Smith, SIAM J. Matrix Anal. Appl. 20, 1998; Absil, Mahony and Sepulchre, Optimization
Algorithms on Matrix Manifolds, 2008, 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from symgrad.calculus.local import BATCH, NONE, SEEDED, instantiate
from symgrad.dims import at_least
from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import Node, Variable, variable
from symgrad.notation.reading import read_rule


@dataclass(frozen=True, slots=True)
class Structure:
    """`words`: the assumptions that make it; `formula`: the derivative from the derivative G by independent entries.

    curved: whether the matrices are a manifold that is no linear space, so that the formula holds to first order only.
    """

    name: str
    words: frozenset[str]
    formula: str
    curved: bool = False

    @property
    def rule(self) -> str:
        """The name of the step."""
        return "Riemannian gradient" if self.curved else f"{self.name} variable"

    @property
    def reason(self) -> str:
        """Why the derivative by independent entries, G, is not the answer, and what is."""
        if self.curved:
            return f"along the matrices with X^T X = I, in the Euclidean metric: {self.formula}"
        return f"the entries of a {self.name} matrix are not independent: {self.formula}"


def _row(name: str, words: str, formula: str, curved: bool = False) -> Structure:
    return Structure(name, frozenset(words.split()), formula, curved)


#: The first row whose words are all assumed is meant.
STRUCTURES = (
    _row("diagonal", "diagonal", "G .* I"),
    _row("symmetric Toeplitz", "symmetric toeplitz", "D = diagsum(G); D + D^T - D .* I"),
    _row("Toeplitz", "toeplitz", "diagsum(G)"),
    _row("symmetric", "symmetric", "G + G^T - G .* I"),
    _row("symmetric", "positive_definite", "G + G^T - G .* I"),
    _row("lower triangular", "lower_triangular", "tril(G)"),
    _row("orthogonal", "orthogonal", "G - X (X^T G + G^T X) / 2", curved=True),
)


def structure_of(wrt: Node) -> Structure | None:
    """The structure that is assumed of a variable, if any."""
    if not isinstance(wrt, Variable):
        return None
    found = next((row for row in STRUCTURES if row.words <= wrt.assumptions), None)
    if found is not None and (wrt.rank != 2 or (wrt.shape[0] != wrt.shape[1] and not found.curved)):
        raise ShapeError(f"{wrt.name} is {found.name}, so it must be a square matrix")
    if found is not None and not at_least(*wrt.shape) and all(isinstance(dim, int) for dim in wrt.shape):
        raise ShapeError(f"{wrt.name} has more columns than rows: they cannot be orthonormal")
    return found


def structured(derivative: Node, structure: Structure, wrt: Node) -> Node:
    """The derivative by a structured variable (its axes last) from that by independent entries."""
    generic, own, template = _template(structure)
    seeds, (rows, columns) = derivative.shape[:-2], derivative.shape[-2:]
    values: dict[Node, tuple[Node, int]] = {generic: (derivative, SEEDED if seeds else BATCH), own: (wrt, NONE)}
    return instantiate(template, values, {"m": rows, "n": columns}, seeds, ())


def refuse_curved_twice(by: Sequence[Node]) -> None:
    """A second derivative along a manifold needs more than its tangents: no rule covers it."""
    for wrt in {node for node in by if by.count(node) > 1}:
        structure = structure_of(wrt)
        if structure is not None and structure.curved:
            raise UnsupportedError(
                f"no rule covers a second derivative along the {structure.name} matrices {getattr(wrt, 'name', '')}",
                hint="the Hessian there has a term from the curvature of the manifold",
            )


@cache
def _template(structure: Structure) -> tuple[Variable, Variable, Node]:
    shape = ("m", "n") if structure.curved else ("n", "n")
    generic, own = variable("G", shape), variable("X", shape)
    return generic, own, read_rule(structure.formula, {"G": generic, "X": own})
