r"""Matrices that books write without defining them: `I_n`, `\mathbf{1}_n`, `J^{ij}`, `K_{mn}`, `N_n`.

Contract: `customary` gives the value of such a name with its subscripts, or None where the subscripts are of another
kind.  It is asked only of names that nothing else defines.

Magnus and Neudecker, Matrix Differential Calculus, chapter 3; Petersen and Pedersen, The Matrix Cookbook, section 9.7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgrad.errors import DomainError
from symgrad.notation.arguments import dimension
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def customary(work: Elaborator, name: str, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """The matrix that is written as `name` with these subscripts, if it is one of those."""
    entry = MATRICES.get((name, len(subscripts)))
    found = None if entry is None else entry(work, subscripts, tree)
    if found is not None and name in NOTES:
        work.note(f"{work.text(tree)} is {NOTES[name]}")
    return found


def _are_dimensions(work: Elaborator, subscripts: Sequence[Tree]) -> bool:
    """Whether every subscript is a number, or made of names of dimensions and of no index."""
    parts = [part for subscript in subscripts for part in subscript.walk()]
    if any(part.head not in {"name", "num", "mul", "pow"} for part in parts):
        return False
    names = {str(part.value) for part in parts if part.head == "name"}
    return names <= work.scope.sizes and names.isdisjoint(work.bound)


def _identity(work: Elaborator, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """I_n, and I_{mn} and I_{n^2} of the product of the dimensions."""
    if not _are_dimensions(work, subscripts) or (len(subscripts) == 1 and literal(subscripts[0]) == 0):
        return None
    whole = subscripts[0] if len(subscripts) == 1 else Tree("mul", tuple(subscripts), "", tree.start, tree.end)
    return Value(work.algebra.delta(dimension(whole)))


def _ones(work: Elaborator, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    del tree
    if not _are_dimensions(work, subscripts):
        return None
    return Value(work.algebra.number(1, tuple(dimension(one) for one in subscripts)))


def _commutation(work: Elaborator, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """K_{mn} vec X = vec X^T for an m×n matrix X; K_n is K_{nn}."""
    if not _are_dimensions(work, subscripts):
        return None
    sizes = tuple(subscripts) * (3 - len(subscripts))
    return work.visit(Tree("call", sizes, "commutation", tree.start, tree.end))


def _symmetrizer(work: Elaborator, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """N_n = (I + K_{nn})/2, with N_n vec X = vec (X + X^T)/2."""
    if not _are_dimensions(work, subscripts):
        return None
    turned = _commutation(work, subscripts, tree)
    (size,) = subscripts
    square = _identity(work, (size, size), tree)
    assert turned is not None
    assert square is not None
    whole = work.total([(1, square), (1, turned)], tree)
    return work.combine([(whole, (0, 1), 1)], (0, 1), coefficient=Fraction(1, 2))


def _single_entry(work: Elaborator, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """J^{ij}, the matrix whose entry i, j is 1 and every other one 0."""
    if any(subscript.head != "name" for subscript in subscripts):
        return None
    row, column = (str(subscript.value) for subscript in subscripts)
    if row == column:
        raise DomainError(f"J with {row} twice: which row and which column?")
    units = [Value(work.algebra.delta(work.dimension(name, tree)), (name,)) for name in (row, column)]
    return work.combine([(units[0], (0,), 1), (units[1], (1,), 1)], (0, 1))


NOTES = {
    "K": "the commutation matrix, with K vec(X) = vec(Xᵀ)", "N": "the matrix (I + K)/2 of Magnus and Neudecker",
    "J": "the single-entry matrix",
}  # fmt: skip
MATRICES: dict[tuple[str, int], Callable[[Elaborator, Sequence[Tree], Tree], Value | None]] = {
    ("I", 1): _identity, ("I", 2): _identity, ("ones", 1): _ones, ("ones", 2): _ones, ("K", 1): _commutation,
    ("K", 2): _commutation, ("N", 1): _symmetrizer, ("J", 2): _single_entry,
}  # fmt: skip
