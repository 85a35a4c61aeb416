"""What trees carry: names, indices, signs, and exact numbers written without names, such as -1/2 or 2^10.

Contract: `literal(tree)` is the number, or None for anything else; numbers past the bound on their size are refused.
The other functions give the payload of a head its type; `symgrad.notation.syntax` says which head carries what.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from symgrad.errors import DomainError, LimitError
from symgrad.expr import MAX_BITS, Rational
from symgrad.notation.syntax import Tree

#: Functions that count the rows of an array, as in X[range(N), y].
RANGES = frozenset({"range", "arange"})


def exact(tree: Tree) -> Rational:
    """The number of a `num`."""
    return tree.value  # type: ignore[return-value]


def indices(tree: Tree) -> tuple[str, ...]:
    """The index names of a `binder` or an `assemble`."""
    payload: Any = tree.value
    names: tuple[str, ...] = payload[0] if tree.head == "binder" else payload
    return names


def kind(binder: Tree) -> str:
    """How a `binder` runs: "all", "range" or "where"."""
    payload: Any = binder.value
    return str(payload[1])


def is_whole(binder: Tree) -> bool:
    """Whether a sum runs from 1 to N, from 0 to N - 1, or between numbers from one of these."""
    first, last = (literal(end) for end in binder.args)
    if first not in (0, 1):
        return False
    if last is not None:
        return True
    upper = binder.args[1]
    return upper.head == "name" if first == 1 else _top(upper) is not None and upper.head == "add"


def _top(upper: Tree) -> Tree | None:
    """N of an upper end N or N - 1."""
    if upper.head == "name":
        return upper
    if upper.head == "add" and upper.args[0].head == "name" and len(upper.args) == 2:
        return upper.args[0]
    return None


def extent(array: Tree) -> tuple[int, int | None]:
    """Rows and columns of an `array`."""
    payload: Any = array.value
    return payload[0], payload[1]


def signs(tree: Tree) -> tuple[int, ...]:
    """The signs of the terms of an `add`."""
    payload: Any = tree.value
    return tuple(payload)


def literal(tree: Tree) -> Rational | None:
    """The exact number that a tree without names is, or None."""
    head = tree.head
    if head == "num":
        return exact(tree)
    if head == "neg":
        inner = literal(tree.args[0])
        return None if inner is None else -inner
    if head not in _FOLDS:
        return None
    values = []
    for arg in tree.args:
        value = literal(arg)
        if value is None:
            return None
        values.append(value)
    return _FOLDS[head](tree, values)


def _small(value: Rational) -> Rational:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise LimitError("this number is too large to keep exactly", code="LIMIT_NUMBER")
    return value


def _quotient(_: Tree, values: list[Rational]) -> Rational:
    if values[1] == 0:
        raise DomainError("this divides by zero")
    return _small(Fraction(values[0]) / values[1])


def _product(_: Tree, values: list[Rational]) -> Rational:
    result: Rational = 1
    for value in values:
        result = _small(result * value)
    return result


def _sum(tree: Tree, values: list[Rational]) -> Rational:
    return _small(sum((sign * value for sign, value in zip(signs(tree), values, strict=True)), Fraction(0)))


def _literal_power(_: Tree, values: list[Rational]) -> Rational | None:
    base, exponent = values
    if base == 0 and exponent <= 0:
        raise DomainError("0 to the power 0 or less does not exist")
    if Fraction(exponent).denominator != 1:
        return None
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) if base not in {0, 1, -1} else 0
    if bits * abs(int(exponent)) > MAX_BITS:
        raise LimitError("this number is too large to keep exactly", code="LIMIT_NUMBER")
    return Fraction(base) ** int(exponent)


_FOLDS: dict[str, Callable[[Tree, list[Rational]], Rational | None]] = {
    "div": _quotient, "mul": _product, "add": _sum, "pow": _literal_power,
}  # fmt: skip
