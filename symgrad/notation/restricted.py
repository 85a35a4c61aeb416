r"""Formulas for some indices only: `m_{ij} = a_{ij}\ (j \neq y_i), m_{i y_i} = -\sum_{j \neq y_i} m_{ij}`.

Contract: `marked` finds the tokens that begin such a restriction (a condition on an index in brackets behind a whole
formula), and `joined` makes one formula by cases of each pair of `restricted` ones that covers every index.  What holds
for some indices alone, with nothing said of the others, is an `InputError`.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import InputError
from symgrad.notation.bars import OPENERS
from symgrad.notation.cursor import ENDS, GIVEN
from symgrad.notation.literals import indices, kind
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.tokens import NAME, NUM, OPERAND_END, Token

PARTS = frozenset((NAME, NUM, "_", "{", "}"))


def marked(tokens: list[Token]) -> list[Token]:
    r"""The tokens with the bracket of `... (j \neq y_i)`, or the comma of `..., j \neq y_i`, as `GIVEN`."""
    found = list(tokens)
    depth = 0
    for k, token in enumerate(tokens):
        opens = token[0] in OPENERS
        apart = k and tokens[k - 1][0] in OPERAND_END and (token[0] == "," or token[2] > tokens[k - 1][3])
        if depth == 0 and apart and token[0] in ("(", ","):
            end = _condition_ends(tokens, k + 1, token[0] == ",")
            if token[0] == "(":
                whole = end and tokens[end][0] == ")" and _is_end(tokens, end + 1)
            else:
                whole = end and _is_end(tokens, end)
            if whole:
                found[k] = (GIVEN, *token[1:])
        depth += opens - (token[0] in (")", "]", "}", "\\}"))
    return found


def _is_end(tokens: Sequence[Token], place: int) -> bool:
    return place >= len(tokens) or tokens[place][0] in ENDS or tokens[place][0] == "."


def _condition_ends(tokens: Sequence[Token], place: int, strict: bool) -> int:
    r"""Where a condition j = y_i or j \neq y_i begun at `place` ends, 0 if there is none; `strict` takes ≠ alone."""
    if place + 2 >= len(tokens) or tokens[place][0] != NAME or tokens[place][3] - tokens[place][2] != 1:
        return 0
    sign = tokens[place + 1]
    if not (sign[1] == "!=" or (sign[0] in ("=", "rel") and sign[1] in (None, "=") and not strict)):
        return 0
    end = place + 2
    if tokens[end][0] != NAME:
        return 0
    while end < len(tokens) and tokens[end][0] in PARTS:
        end += 1
    return end


def is_restricted(formula: Tree) -> bool:
    return formula.head == "restricted" or (formula.head == "equation" and formula.args[-1].head == "restricted")


def joined(formulas: list[Tree], source: str) -> list[Tree]:
    """The formulas with those for some indices joined to formulas for all."""
    waiting = [formula for formula in formulas if is_restricted(formula) and _condition(formula).value == "!="]
    for formula in waiting:
        other = next((one for one in formulas if one is not formula and _complements(formula, one)), None)
        if other is not None:
            whole = _by_cases(formula, other)
            formulas = [whole if one is formula else one for one in formulas if one is not other]
    alone = next((formula for formula in formulas if is_restricted(formula)), None)
    if alone is not None:
        condition = _condition(alone)
        shown = source[condition.start : condition.end]
        raise InputError(
            f"this holds for {shown} alone, and nothing says what holds otherwise", source=source, offset=alone.start,
            end=alone.end, code="AMBIGUOUS", hint="write both formulas, one for j = y and one for j ≠ y, or use cases",
        )  # fmt: skip
    return formulas


def _condition(formula: Tree) -> Tree:
    restricted = formula if formula.head == "restricted" else formula.args[-1]
    return restricted.args[1]


def _value(formula: Tree) -> Tree:
    last = formula.args[-1] if formula.head == "equation" else formula
    return last.args[0] if last.head == "restricted" else last


def _left(formula: Tree) -> Tree | None:
    return formula.args[0] if formula.head == "equation" else None


def _complements(formula: Tree, other: Tree) -> bool:
    """Whether `other` says what holds where the condition j ≠ y of `formula` does not."""
    condition, left = _condition(formula), _left(formula)
    if condition.head != "compare" or (formula.head == "equation" and len(formula.args) != 2):
        return False
    if is_restricted(other):
        there = _condition(other)
        same = there.head == "compare" and there.value == "=" and _sides(there, condition)
        return same and (left == _left(other) if left is not None else _left(other) is None)
    if left is None or other.head != "equation" or len(other.args) != 2:
        return False
    letter, label = condition.args
    return other.args[0] == replaced(left, letter, label) != left


def _sides(one: Tree, other: Tree) -> bool:
    return one.args == other.args or one.args == other.args[::-1]


def _by_cases(formula: Tree, other: Tree) -> Tree:
    condition, left = _condition(formula), _left(formula)
    value, rest = _value(formula), _value(other)
    if left is not None and left.head == "index":
        rest = _without(rest, left, value, condition)
    rest = _apart(rest, str(condition.args[0].value))
    otherwise = Tree("otherwise", (), None, other.start, other.end)
    whole = Tree("cases", (value, condition, rest, otherwise), None, formula.start, other.end)
    if left is None:
        return whole
    return Tree("equation", (left, whole), formula.value, formula.start, formula.end)


def _without(tree: Tree, entry: Tree, value: Tree, condition: Tree) -> Tree:
    """A formula with `value` for the entry, below the sums over the indices for which that holds."""

    def combine(node: Tree, args: list[Tree]) -> Tree:
        node = Tree(node.head, tuple(args), node.value, node.start, node.end)
        if node.head != "big" or not any(kind(b) == "where" and condition in b.args for b in node.args[1:]):
            return node
        return Tree("big", (replaced(node.args[0], entry, value), *node.args[1:]), node.value, node.start, node.end)

    return fold(tree, combine)


def _apart(tree: Tree, letter: str) -> Tree:
    """A formula whose sums run over another index than `letter`, which is bound around it."""
    inner, other = Tree("name", (), letter), Tree("name", (), f"{letter}prime")

    def combine(node: Tree, args: list[Tree]) -> Tree:
        node = Tree(node.head, tuple(args), node.value, node.start, node.end)
        if node.head != "big" or not any(letter in indices(binder) for binder in node.args[1:]):
            return node
        node = replaced(node, inner, other)
        for binder in node.args[1:]:
            names = tuple(str(other.value) if name == letter else name for name in indices(binder))
            binder.value = (names, kind(binder))
        return node

    return fold(tree, combine)


def replaced(tree: Tree, part: Tree, value: Tree) -> Tree:
    """The tree with `value` wherever `part` stands."""

    def combine(node: Tree, args: list[Tree]) -> Tree:
        node = Tree(node.head, tuple(args), node.value, node.start, node.end)
        return value if node == part else node

    return fold(tree, combine)
