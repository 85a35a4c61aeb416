r"""What a source says before its formulas can be read: numbers such as `T = 3`, and recursions of functions.

Contract: `counted` puts the number of a name that is defined as one where such a name counts: the ends of sums, layers,
calculated indices and slices; elsewhere it stays what it is.  `entered` reads `\alpha_t(j)` as the entry j of
\alpha_t where this is a recursion.  `without_zeros` leaves out the terms of a recursion that begins with 0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from symgrad.errors import InputError
from symgrad.notation.literals import indices, kind, literal, signs
from symgrad.notation.names import subscripted
from symgrad.notation.syntax import Tree, fold


def _parts(tree: Tree) -> tuple[Tree, ...]:
    return tree.args if tree.head == "block" else (tree,)


def _block(tree: Tree, formulas: list[Tree]) -> Tree:
    return formulas[0] if len(formulas) == 1 else Tree("block", tuple(formulas), None, tree.start, tree.end)


def _same(node: Tree, args: list[Tree]) -> Tree:
    if all(one is other for one, other in zip(node.args, args, strict=True)):
        return node
    return Tree(node.head, tuple(args), node.value, node.start, node.end)


# --- numbers ----------------------------------------------------------------------------------------------------------


def counted(tree: Tree, known: Collection[str]) -> Tree:
    """The formulas with numbers in the place of names that are defined as positive whole numbers."""
    formulas = _parts(tree)
    counts: dict[str, Tree] = {}
    for formula in formulas:
        name = _name(formula.args[0]) if formula.head == "equation" and len(formula.args) == 2 else ""
        number = literal(formula.args[1]) if name and name not in known else None
        if number is not None and number.denominator == 1 and number > 0:
            counts[name] = formula.args[1]
    if not counts:
        return tree
    found = [formula if _defines(formula, counts) else _with(formula, counts) for formula in formulas]
    rest = [part for formula in found if not _defines(formula, counts) for part in formula.walk()]
    used = {str(part.value) if part.head == "call" else _name(part) for part in rest}
    kept = [f for f in found if not _defines(f, counts) or _name(f.args[0]) in used or len(found) == 1]
    return _block(tree, kept) if kept else tree


def _defines(formula: Tree, counts: Mapping[str, Tree]) -> bool:
    return formula.head == "equation" and _name(formula.args[0]) in counts


def _name(tree: Tree) -> str:
    """The name of `T`, or of `T_x`."""
    if tree.head == "name":
        return str(tree.value)
    lettered = tree.head == "index" and len(tree.args) == 2 and all(arg.head == "name" for arg in tree.args)
    return subscripted(str(tree.args[0].value), str(tree.args[1].value)) if lettered else ""


def _with(formula: Tree, counts: Mapping[str, Tree]) -> Tree:
    def number(node: Tree, args: list[Tree]) -> Tree:
        found = counts.get(_name(node))
        return _same(node, args) if found is None else Tree("num", (), literal(found), node.start, node.end)

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "binder" and kind(node) == "range":
            args = [fold(arg, number) for arg in args]
        elif node.head == "index":
            args = [args[0], *(fold(arg, number) if _counts(arg) else arg for arg in args[1:])]
        return _same(node, args)

    return fold(formula, combine)


def _counts(subscript: Tree) -> bool:
    """Whether a name in a subscript can be a number of entries or of layers, and no label."""
    return subscript.head in {"add", "mul", "part"} or _name(subscript)[:1].isupper()


# --- recursions of functions ------------------------------------------------------------------------------------------


def entered(tree: Tree, known: Collection[str]) -> Tree:
    r"""`\alpha_t(j)` as the entry j of \alpha_t where \alpha_t needs \alpha_{t-1}; `T_k(L)` of a known L is T_k."""
    calls = [part for part in tree.walk() if _lettered(part)]
    stems = {part.args[0].value for part in calls if part.args[1].head == "add"}
    stems &= {f.args[0].args[0].value for f in _parts(tree) if f.head == "equation" and _lettered(f.args[0])}
    if not stems:
        return tree
    said = {part.args[0].value for part in calls if all(arg.value in known for arg in part.args[0].args)}
    said -= {part.args[0].value for part in calls if not all(arg.value in known for arg in part.args[0].args)}

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if not _lettered(node) or node.args[0].value not in stems:
            return _same(node, args)
        call = node.args[0]
        base = Tree("name", (), call.value, call.start, call.start)
        letters = () if call.value in said else call.args
        return Tree("index", (base, *args[1:], *letters), None, node.start, node.end)

    return fold(tree, combine)


def _lettered(tree: Tree) -> bool:
    """A call with one number below and letters in its brackets."""
    if tree.head != "index" or len(tree.args) != 2 or tree.args[0].head != "call" or not tree.args[0].args:
        return False
    return all(arg.head in {"name", "num"} for arg in tree.args[0].args)


# --- beginning with nothing -------------------------------------------------------------------------------------------


def without_zeros(formulas: list[Tree], starts: Collection[str]) -> list[Tree]:
    """The formulas without what is multiplied by a start that is defined as 0."""
    zeros = {_name(f.args[0]) for f in formulas if f.head == "equation" and literal(f.args[1]) == 0} & set(starts)
    if not zeros:
        return formulas

    def combine(node: Tree, args: list[Tree]) -> Tree:
        zero = Tree("num", (), 0, node.start, node.end)
        if node.head == "name":
            return zero if node.value in zeros else node
        gone = [literal(arg) == 0 and literal(old) != 0 for arg, old in zip(args, node.args, strict=True)]
        if not any(gone):
            return _same(node, args)
        if node.head in {"mul", "neg", "transpose"} or (node.head == "index" and gone[0]):
            return zero
        if node.head == "add":
            kept = [(s, arg) for s, arg, drop in zip(signs(node), args, gone, strict=True) if not drop]
            if len(kept) == 1:
                return kept[0][1] if kept[0][0] > 0 else Tree("neg", (kept[0][1],), None, node.start, node.end)
            if kept:
                return Tree("add", tuple(a for _, a in kept), tuple(s for s, _ in kept), node.start, node.end)
            return zero
        return _same(node, args)

    starts_zero = [f.head == "equation" and _name(f.args[0]) in zeros for f in formulas]
    return [fold(f, combine) for f, zero in zip(formulas, starts_zero, strict=True) if not zero]


# --- dimensions -------------------------------------------------------------------------------------------------------


def sized(tree: Tree, sizes: Collection[str], source: str) -> Tree:
    r"""The formulas with `|B|` as the declared dimension B, and with a sum over `i \in B` as one from 1 to B."""

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "bars" and node.args[0].head == "name" and node.args[0].value in sizes:
            return Tree("name", (), node.args[0].value, node.start, node.end)
        if node.head == "binder" and kind(node) == "set":
            (whole,) = node.args
            if whole.value not in sizes:
                raise InputError(
                    "a sum over a set cannot be read", source=source, offset=whole.start, end=whole.end,
                    hint="write a range, as in \\sum_{i=1}^n; or declare the set as the dimension that i counts",
                )  # fmt: skip
            one = Tree("num", (), 1, node.start, node.start)
            return Tree("binder", (one, whole), (indices(node), "range"), node.start, node.end)
        return _same(node, args)

    return fold(tree, combine)
