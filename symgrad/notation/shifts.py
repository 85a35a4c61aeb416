r"""Entries that look back: `h_t = \omega + \alpha \varepsilon_{t-1}^2`.

Contract: `looked_back` writes out the entries of such a definition where another formula uses them by an index, so that
`h_t` is that of the letter t: the first entry that there is is not h_1, and as an array h would be counted from it.
Definitions that look at no entry before their own are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symgrad.errors import InputError
from symgrad.notation.literals import indices, literal, signs
from symgrad.notation.syntax import Tree, fold


def looked_back(tree: Tree, source: str) -> Tree:
    """The formulas of a source with the entries of such definitions written out where they are used."""
    if tree.head != "block":
        return tree
    found = {name: formula for formula in tree.args for name in _looks_back(formula)}
    formulas = tree.args
    for name, formula in found.items():
        formulas = tuple(one if one is formula else _written_out(one, name, formula, source) for one in formulas)
    if not found:
        return tree
    kept = [one for one in formulas if not _is_unused(one, found.values(), formulas)]
    return kept[0] if len(kept) == 1 else Tree("block", tuple(kept), None, tree.start, tree.end)


def _looks_back(formula: Tree) -> Iterator[str]:
    """The name h of `h_t = ...` with a t-1 below something on the right."""
    left = formula.args[0] if formula.head == "equation" and len(formula.args) == 2 else formula
    if left is formula or left.head != "index" or any(part.head != "name" for part in left.args):
        return
    name, *letters = (str(part.value) for part in left.args)
    below = [s for part in formula.args[1].walk() if part.head == "index" for s in part.args[1:]]
    uses_itself = any(part.head == "name" and part.value == name for part in formula.args[1].walk())
    if not uses_itself and any(_is_before(s, letter) for s in below for letter in letters):
        yield name


def _is_before(subscript: Tree, letter: str) -> bool:
    """t - 1, and not i + k - 1 with a k that runs."""
    if subscript.head != "add" or [part.value for part in subscript.args if part.head == "name"] != [letter]:
        return False
    numbers = [(sign, literal(part)) for sign, part in zip(signs(subscript), subscript.args, strict=True)]
    return sum(sign * number for sign, number in numbers if number is not None) < 0


def _written_out(formula: Tree, name: str, definition: Tree, source: str) -> Tree:
    """A formula with the right side of the definition for every entry of `name`."""
    left, body = definition.args

    def entry(tree: Tree, args: list[Tree]) -> Tree:
        node = _with(tree, args)
        if node.head != "index" or node.args[0].head != "name" or node.args[0].value != name:
            return node
        if len(node.args) != len(left.args):
            return node
        given = {str(letter.value): s for letter, s in zip(left.args[1:], node.args[1:], strict=True)}
        return _placed(body, given, node, source)

    if formula.head != "equation":
        return fold(formula, entry)
    return _with(formula, [formula.args[0], *(fold(side, entry) for side in formula.args[1:])])


def _placed(body: Tree, given: dict[str, Tree], use: Tree, source: str) -> Tree:
    """The body with subscripts in the place of its letters."""
    letters = {str(part.value) for s in given.values() for part in s.walk() if part.head == "name"}
    bound = {name for part in body.walk() if part.head in {"binder", "assemble"} for name in indices(part)}
    if bound & (letters | given.keys()):
        raise InputError(
            "a letter of this entry is bound in its definition", source=source, offset=use.start, end=use.end,
            code="AMBIGUOUS", hint="call the summation index differently",
        )  # fmt: skip

    def letter(tree: Tree, args: list[Tree]) -> Tree:
        return given.get(str(tree.value), tree) if tree.head == "name" else _with(tree, args)

    return fold(body, letter)


def _with(tree: Tree, args: Sequence[Tree]) -> Tree:
    return Tree(tree.head, tuple(args), tree.value, tree.start, tree.end)


def _is_unused(formula: Tree, written: Iterable[Tree], formulas: Sequence[Tree]) -> bool:
    """Whether nothing mentions any more what this formula, one of the `written`, defines."""
    if not any(formula is one for one in written):
        return False
    name = formula.args[0].args[0].value
    others = (side for one in formulas if one is not formula for side in one.walk())
    return len(formulas) > 1 and not any(part.head == "name" and part.value == name for part in others)
