r"""Matrices whose subscript is part of their name: `K_y` in `K_y^{-1}` and `\log |K_y|`.

Contract: `become_names` rewrites what stands where only a square matrix can (below a power of -1, inside of the bars of
a determinant, in `inv`) from an entry `K_y` to the name it is, everywhere in the source.  An index that something binds
stays one, and so does the subscript of a name that is declared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from symgrad.notation.names import GREEK
from symgrad.notation.scope import become_name, bound_letters
from symgrad.notation.syntax import Tree

#: Functions that take square matrices only.
OF_MATRICES = frozenset({
    "inv", "inverse", "det", "logdet", "chol", "cholesky", "sqrtm", "logm", "expm", "pinv", "adj", "adjugate", "solve",
})  # fmt: skip


def become_names(tree: Tree, declared: Collection[str]) -> None:
    """Rewrite the subscripted matrices of a source; see the module."""
    holders = [part for part in tree.walk() if part.head in {"pow", "call"}]
    inside = [inner for part in holders for inner in _matrices(part) if inner.head == "index"]
    if not inside:
        return
    formulas = tree.args if tree.head == "block" else (tree,)
    known = {*declared, *bound_letters(_binding(formula) for formula in formulas)}
    found = {_key(inner, known) for inner in inside} - {None}
    for part in tree.walk():
        if _key(part, known) in found:
            become_name(part)


def _binding(formula: Tree) -> Tree:
    """A definition, or its right side alone where the left side's letter does not occur in it: K_y = K + c I."""
    if formula.head != "equation" or formula.args[0].head != "index" or len(formula.args) != 2:
        return formula
    below = {arg.value for arg in formula.args[0].args[1:]}
    used = any(part.head == "name" and part.value in below for part in formula.args[1].walk())
    return formula if used else formula.args[1]


def _key(tree: Tree, known: Collection[str]) -> tuple[str, str] | None:
    """(K, y) for K_y with a capital K, where neither is known."""
    if tree.head != "index" or len(tree.args) != 2 or any(arg.head != "name" for arg in tree.args):
        return None
    stem, below = (str(arg.value) for arg in tree.args)
    return None if {stem, below} & set(known) or not _capital(stem) else (stem, below)


def _capital(name: str) -> bool:
    return name[:1].isupper() and (len(name) == 1 or name in GREEK)


def _matrices(tree: Tree) -> Iterator[Tree]:
    """The parts of a node that must be square matrices."""
    if tree.head == "pow" and _is_negative(tree.args[1]):
        yield tree.args[0]
        if tree.args[0].head == "bars":
            yield tree.args[0].args[0]
    if tree.head == "call" and tree.value in OF_MATRICES:
        yield from tree.args[:1]
    if tree.head == "call" and tree.value in {"log", "sqrt"}:
        yield from _barred(tree.args)


def _barred(trees: Iterable[Tree]) -> Iterator[Tree]:
    """What stands between bars in products and quotients."""
    for tree in trees:
        if tree.head == "bars":
            yield tree.args[0]
        elif tree.head in {"mul", "div"}:
            yield from _barred(tree.args)


def _is_negative(exponent: Tree) -> bool:
    """-1, -1/2, -T."""
    return exponent.head == "neg" or (exponent.head == "div" and exponent.args[0].head == "neg") or (
        exponent.head == "num" and isinstance(exponent.value, int) and exponent.value < 0
    )  # fmt: skip
