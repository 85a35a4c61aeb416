r"""The sums that powers of a matrix have as their derivatives: `\sum_{r=0}^{k-1} X^r A X^{k-1-r}`.

Contract: `power_sum(work, tree)` is the value of such a sum, or None for any other one.  Its powers may be transposed,
one by one or together, and other factors may stand on either side.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from symgrad.notation.literals import indices, kind, literal, signs
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


class Power(NamedTuple):
    """One factor of the body: `base^exponent`, with no exponent where the index does not occur."""

    base: Tree
    exponent: Tree | None


def power_sum(work: Elaborator, tree: Tree) -> Value | None:
    """The value of a sum over powers of one matrix that add up to k - 1."""
    if tree.value != "sum" or len(tree.args) != 2 or kind(tree.args[1]) != "range":
        return None
    (index,), (lower, upper) = indices(tree.args[1]), tree.args[1].args
    factors = _factors(tree.args[0], index, turned=False)
    powers = [place for place, factor in enumerate(factors) if factor.exponent is not None]
    if literal(lower) != 0 or len(powers) != 2 or any(_mentions(f.base, index) for f in factors):
        return None
    first, last = powers
    one, other = factors[first], factors[last]
    assert one.exponent is not None
    assert other.exponent is not None
    both = Tree("add", (one.exponent, other.exponent), (1, 1))
    if one.base != other.base or _linear(both) is None or _linear(both) != _linear(upper):
        return None
    count = Tree("add", (upper, Tree("num", (), 1, tree.start, tree.end)), (1, 1), tree.start, tree.end)
    middle = [f.base for f in factors[first + 1 : last]] or [Tree("name", (), "I", tree.start, tree.end)]
    inside = middle[0] if len(middle) == 1 else Tree("mul", tuple(middle), "", tree.start, tree.end)
    change = Tree("call", (one.base, count, inside), "power_change", tree.start, tree.end)
    whole = [*(f.base for f in factors[:first]), change, *(f.base for f in factors[last + 1 :])]
    return work.visit(whole[0] if len(whole) == 1 else Tree("mul", tuple(whole), "", tree.start, tree.end))


def _factors(tree: Tree, index: str, turned: bool) -> list[Power]:
    """The factors of a product in order, transposes brought inside."""
    if tree.head == "transpose":
        return _factors(tree.args[0], index, not turned)
    if tree.head == "mul" and tree.value in ("", "@", "."):
        found = [_factors(arg, index, turned) for arg in tree.args]
        return [factor for part in (found[::-1] if turned else found) for factor in part]
    if _is_power(tree) and _mentions(tree.args[1], index):
        base, exponent = tree.args
        while base.head == "transpose":
            base, turned = base.args[0], not turned
        return [Power(_transposed(base, turned), exponent)]
    return [Power(_transposed(tree, turned), None)]


def _is_power(tree: Tree) -> bool:
    called = tree.head == "call" and tree.value == "matrix_power" and len(tree.args) == 2
    return called or (tree.head == "pow" and not tree.value)


def _transposed(tree: Tree, turned: bool) -> Tree:
    return Tree("transpose", (tree,), None, tree.start, tree.end) if turned else tree


def _mentions(tree: Tree, index: str) -> bool:
    return any(part.head == "name" and part.value == index for part in tree.walk())


def _linear(tree: Tree) -> Counter[str] | None:
    """A sum of names and whole numbers as the coefficient of each name, that of "" being the number."""
    value = literal(tree)
    if isinstance(value, int):
        return Counter({"": value} if value else {})
    if tree.head == "name":
        return Counter({str(tree.value): 1})
    if tree.head != "add":
        return None
    total: Counter[str] = Counter()
    for sign, arg in zip(signs(tree), tree.args, strict=True):
        part = _linear(arg)
        if part is None:
            return None
        total.update({name: sign * count for name, count in part.items()})
    return Counter({name: count for name, count in total.items() if count})
