"""Elementary functions that are short for powers, logarithms and gamma functions.

Contract: each is built from declared operations where it stands; nothing after reading knows its name.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

from symgrad.errors import LimitError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation.arguments import arguments
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _power(exponent: Rational) -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1)
        return work.raised(value, exponent)

    return handler


def _logarithm(base: int) -> Handler:
    """log to another base: log(x) / log(base)."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1)
        scale = work.apply("log", [work.number(base)], tree)
        return work.entrywise([work.apply("log", [value], tree), scale], [1, -1], tree)

    return handler


def _log_of_sum(work: Elaborator, tree: Tree) -> Value:
    """log1p(x) = log(1 + x)."""
    (value,) = arguments(work, tree, 1, 1)
    return work.apply("log", [work.total([(1, work.number(1)), (1, value)], tree)], tree)


def _exp_minus_one(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    return work.total([(1, work.apply("exp", [value], tree)), (-1, work.number(1))], tree)


def _clip(work: Elaborator, tree: Tree) -> Value:
    """clip(x, a, b) = max(a, min(x, b))."""
    value, low, high = arguments(work, tree, 3, 3)
    return work.apply("maximum", [low, work.apply("minimum", [value, high], tree)], tree)


def _factorial(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    number = literal(tree.args[0])
    if number is None:
        work.note(f"{work.text(tree)} is Γ of the next number")
        return work.apply("gammafn", [work.total([(1, value), (1, work.number(1))], tree)], tree)
    if Fraction(number).denominator != 1 or number < 0:
        raise UnsupportedError(f"{work.text(tree)}: only the factorial of a whole number is known")
    if number > 300:
        raise LimitError("this factorial is too large", code="LIMIT_NUMBER")
    return work.number(factorial(int(number)))


def _polygamma(work: Elaborator, tree: Tree) -> Value:
    """polygamma(n, x), the n-th derivative of the digamma function: (-1)^(n + 1) n! hurwitz(n + 1, x)."""
    order, value = arguments(work, tree, 2, 2)
    n = literal(tree.args[0])
    if n is None or Fraction(n).denominator != 1 or not 0 <= n <= 50:
        raise UnsupportedError(f"{work.text(tree)}: the order of a polygamma function is a whole number written out")
    if n < 2:
        return work.apply(("digamma", "trigamma")[int(n)], [value], tree)
    zeta = work.apply("hurwitz", [work.total([(1, order), (1, work.number(1))], tree), value], tree)
    return work.entrywise([zeta], [1], tree, (-1) ** (int(n) + 1) * factorial(int(n)))


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("sqrt",): _power(Fraction(1, 2)),
    ("square",): _power(2),
    ("reciprocal",): _power(-1),
    ("log10",): _logarithm(10),
    ("log2",): _logarithm(2),
    ("log1p",): _log_of_sum,
    ("expm1",): _exp_minus_one,
    ("factorial",): _factorial,
    ("polygamma",): _polygamma,
    ("clip",): _clip,
}
