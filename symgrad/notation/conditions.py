"""Conditions as numbers: indicators, comparisons, definitions by cases.

Contract: a condition is 1 where it holds and 0 elsewhere; `k = i` between indices is an identity matrix, `k = y` with a
label a one-hot vector, every other comparison an indicator of a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.errors import InputError
from symgrad.notation.entries import label_value
from symgrad.notation.literals import literal
from symgrad.notation.ranges import is_calculated, place, window
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.ops import INDICATORS
from symgrad.shapes import unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def condition(work: Elaborator, tree: Tree) -> Value:
    """The 0/1 value of a condition."""
    if tree.head == "compare":
        return _compare(work, tree)
    if tree.head == "and":
        return work.entrywise([condition(work, arg) for arg in tree.args], [1] * len(tree.args), tree)
    if tree.head == "indicator":
        return condition(work, tree.args[0])
    return work.visit(tree)


def _is_position(work: Elaborator, tree: Tree) -> bool:
    """Whether a side of `=` names a position on an axis: a bound or free index letter."""
    if tree.head == "name" and tree.value in work.bound and tree.value not in work.arguments:
        return True
    if tree.head != "name" or tree.value in work.scope.variables or tree.value in work.scope.values:
        return False
    return tree.value not in work.scope.sizes and tree.value not in work.arguments


def _compare(work: Elaborator, tree: Tree) -> Value:
    left, right = tree.args
    sign = str(tree.value)
    if sign in {"=", "!="}:
        if _is_position(work, right) and not _is_position(work, left):
            left, right = right, left
        if left.head == "name" and is_calculated(right) and _is_position(work, left):
            return _inverted(work, _calculated_position(work, left, right, tree), sign)
        if _is_position(work, left):
            return _inverted(work, _same_position(work, left, right, tree), sign)
    elif _is_bound(work, left) and _is_bound(work, right):
        return _in_order(work, left, right, sign, tree)
    one, other = work.visit(left), work.visit(right)
    if sign in {"<", "<="}:
        one, other, sign = other, one, sign.replace("<", ">")
    difference = work.total([(1, one), (-1, other)], tree)
    return _inverted(work, work.apply(INDICATORS["=" if sign == "!=" else sign].name, [difference], tree), sign)


def _is_bound(work: Elaborator, tree: Tree) -> bool:
    return tree.head == "name" and tree.value in work.bound and tree.value not in work.arguments


def _in_order(work: Elaborator, left: Tree, right: Tree, sign: str, tree: Tree) -> Value:
    """1[i < j] = Σ_k 1[j = i + k + 1], and without the 1 for ≤, between two indices of one dimension."""
    if sign in {">", ">="}:
        left, right, sign = right, left, sign.replace(">", "<")
    small, large = str(left.value), str(right.value)
    dim = work.dimension(small, tree)
    if not unify(dim, work.dimension(large, tree)):
        raise work.misfit(tree, f"{small} and {large} run over different dimensions")
    apart = int(sign == "<")
    steps = place(work, [(1, dim), (-apart, 1)])
    node = work.algebra.window(dim, (dim, steps), (1, 1), [(apart, 1)])
    return Value(work.algebra.contract([(node, (large, small, "step"))], (small, large)), (small, large))


def _inverted(work: Elaborator, value: Value, sign: str) -> Value:
    if sign != "!=":
        return value
    one = Value(work.algebra.number(1, value.node.shape), value.open)
    return Value(work.algebra.add([(1, one.node), (-1, value.node)]), value.open)


def _calculated_position(work: Elaborator, left: Tree, right: Tree, tree: Tree) -> Value:
    """1[s = i + j]: 1 where one index is calculated from others; outside of the axis it never is."""
    name = str(left.value)
    node, letters = window(work, work.dimension(name, tree), right, tree, inside=False)
    return Value(node, (name, *letters))


def _same_position(work: Elaborator, left: Tree, right: Tree, tree: Tree) -> Value:
    """1 where an index equals another index, a label, or a number."""
    name = str(left.value)
    if _is_position(work, right) and not work.ranges.keys().isdisjoint((name, str(right.value))):
        return _calculated_position(work, left, right, tree)
    dim = work.dimension(name, tree)
    if _is_position(work, right):
        other = str(right.value)
        if not unify(dim, work.dimension(other, tree)):
            raise work.misfit(tree, f"{name} and {other} run over different dimensions")
        return Value(work.algebra.delta(dim), (name, other))
    place = literal(right)
    label = work.number(int(place) - (not work.scope.numpy)) if place is not None else label_value(work, right)
    unit = work.onehot(label, dim)
    return Value(unit.node, (*unit.open, name))


def _padded(work: Elaborator, tree: Tree) -> Value | None:
    """`x[i + j] if 0 <= i + j < n else 0`: an entry, and 0 beyond the ends; None for other cases."""
    if len(tree.args) != 4 or tree.args[0].head != "index" or literal(tree.args[2]) != 0 or not work.scope.numpy:
        return None
    entry, tested = tree.args[0], tree.args[1]
    found = tested.args if tested.head == "and" else (tested,)
    sides = {_side(work, compare, entry.args[1:]) for compare in found if compare.head == "compare"}
    if None in sides or len(entry.args) != 2 or not sides:
        return None
    work.padded = frozenset(side for side in sides if side is not None)
    try:
        return work.visit(entry)
    finally:
        work.padded = frozenset()


def _side(work: Elaborator, compare: Tree, subscripts: Sequence[Tree]) -> str | None:
    """Which end of an axis a comparison with a subscript keeps away from."""
    left, right = compare.args
    if left in subscripts and compare.value == "<" and right.head == "name" and right.value in work.scope.sizes:
        return "above"
    return "below" if right in subscripts and compare.value == "<=" and literal(left) == 0 else None


def _cases(work: Elaborator, tree: Tree) -> Value:
    padded = _padded(work, tree)
    if padded is not None:
        return padded
    branches = [work.visit(arg) for arg in tree.args[::2]]
    conditions = tree.args[1::2]
    result = branches[-1]
    if conditions[-1].head != "otherwise":
        if len(branches) == 1:
            raise InputError("these cases do not say what holds otherwise", hint="add a last case `otherwise`")
        work.note(LAST_CASE)
    for branch, tested in zip(branches[-2::-1], conditions[-2::-1], strict=True):
        result = work.apply("where", [condition(work, tested), branch, result], tree)
    return result


def _comparison(work: Elaborator, tree: Tree) -> Value:
    return _compare(work, tree) if work.scope.numpy else _number_wanted()


def _number_wanted() -> Value:
    raise InputError("a comparison is no number", hint="it makes one only as an indicator, 1[x > 0]")


#: What is said of cases that leave places out.
LAST_CASE = "the last case is taken wherever the others do not hold"

HANDLERS: dict[str, Handler] = {
    "indicator": condition, "and": _comparison, "compare": _comparison, "cases": _cases,
}  # fmt: skip
