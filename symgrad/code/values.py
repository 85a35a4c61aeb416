"""Array programs: what generated code computes, before it is text.

Contract: a `Value` is an operation on arrays: a template of NumPy code with slots `{0}`, `{1}`, ... and the values that
fill them.  Values of one `Builder` are interned, so that equal computations are one and are written once.  The
constructors know NumPy's semantics (broadcasting, what booleans do in arithmetic) and fold what costs nothing to fold;
they know nothing of symgrad's expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations

from symgrad.errors import LimitError
from symgrad.expr import Rational, magnitude

BOOL, INT, FLOAT = 0, 1, 2
VARIABLE, DIM, NUMBER, SHAPE, SCATTER, CALL = "variable", "dim", "number", "shape", "scatter", "call "
MATMUL = "{0} @ {1}"
SUMS = ("{0} + {1}", "{0} - {1}")
QUOTIENTS = ("{0} * {1}", "{0} / {1}")
HOST = frozenset(f"{{0}} {sign} {{1}}" for sign in ("+", "-", "*", "/", "**", ">", ">=", "<", "<=", "==")) | {"-{0}"}
MIRRORED = {">": "<", ">=": "<=", "==": "=="}
#: Entries of a large exact number that a float still holds exactly.
_EXACT = 1 << 53


class Value:
    """`op`: a template, or one of the special names above; `fields`: text that is part of the operation."""

    __slots__ = ("args", "fields", "index", "kind", "op", "rank")

    def __init__(
        self, op: str, args: tuple[Value, ...], fields: tuple[str, ...], rank: int, kind: int, index: int
    ) -> None:
        self.op = op
        self.args = args
        self.fields = fields
        self.rank = rank
        self.kind = kind
        self.index = index

    def __repr__(self) -> str:
        return f"v{self.index}: {self.op} {self.fields} {[a.index for a in self.args]}"


def is_host(value: Value) -> bool:
    """Whether Python itself computes the value: a number, a size, or an operator between such."""
    return value.op in (NUMBER, DIM) or (value.op in HOST and all(map(is_host, value.args)))


def literal(value: Rational) -> str:
    """The Python literal of an exact number: a whole number, or the nearest float."""
    if value.denominator == 1 and magnitude(value) < _EXACT:
        return str(value)
    try:
        return repr(float(value))
    except OverflowError:
        raise LimitError("this number is too large for a float", code="LIMIT_NUMBER") from None


def is_decimal(value: Rational) -> bool:
    """Whether a fraction is written better as a decimal number: 0.01, 0.5, not 1 / 3."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1 or value.denominator >= 10_000


class Builder:
    """Makes and interns values."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[int, ...], tuple[str, ...]], Value] = {}
        self._numbers: dict[int, Rational] = {}

    def make(
        self, op: str, args: Sequence[Value] = (), rank: int = 0, kind: int = FLOAT, fields: tuple[str, ...] = ()
    ) -> Value:
        key = (op, tuple([a.index for a in args]), fields)
        value = self._known.get(key)
        if value is None:
            value = self._known[key] = Value(op, tuple(args), fields, rank, kind, len(self._known))
        return value

    # --- numbers ------------------------------------------------------------------------------------------------------

    def number(self, value: Rational) -> Value:
        result = self.make(NUMBER, (), 0, INT if value.denominator == 1 else FLOAT, (str(value),))
        self._numbers[result.index] = value
        return result

    def number_of(self, value: Value) -> Rational | None:
        return self._numbers.get(value.index)

    # --- entrywise ----------------------------------------------------------------------------------------------------

    def as_float(self, a: Value) -> Value:
        if a.kind != BOOL:
            return a
        return self.make("float({0})" if is_host(a) else "{0}.astype(float)", (a,), a.rank)

    def floating(self, a: Value) -> Value:
        """A whole number, or a size, as the float that a function of a library insists on."""
        if a.op == NUMBER:
            return self.make(NUMBER, (), 0, FLOAT, (*a.fields[:1], "float"))
        return self.make("float({0})", (a,)) if is_host(a) else a

    def mul(self, a: Value, b: Value) -> Value:
        x, y = self.number_of(a), self.number_of(b)
        if x is not None and y is not None:
            return self.number(_tidy(Fraction(x) * y))
        if x == 1:
            return b
        if y == 1:
            return a
        if x == -1:
            return self.neg(b)
        if y == -1:
            return self.neg(a)
        if y is not None:
            a, b = b, a
        return self.make("{0} * {1}", (a, b), max(a.rank, b.rank), max(a.kind, b.kind))

    def div(self, a: Value, b: Value) -> Value:
        x, y = self.number_of(a), self.number_of(b)
        if x is not None and y and is_decimal(ratio := Fraction(x) / y):
            return self.number(_tidy(ratio))
        return a if y == 1 else self.make("{0} / {1}", (a, b), max(a.rank, b.rank))

    def neg(self, a: Value) -> Value:
        x = self.number_of(a)
        if x is not None:
            return self.number(-x)
        a = self.as_float(a)
        return self.make("-{0}", (a,), a.rank, a.kind)

    def add(self, a: Value, b: Value) -> Value:
        return self._plus("{0} + {1}", a, b)

    def sub(self, a: Value, b: Value) -> Value:
        return self._plus("{0} - {1}", a, b)

    def _plus(self, op: str, a: Value, b: Value) -> Value:
        if a.kind == BOOL and b.kind == BOOL:  # True + True is True, and True - True is an error
            a = self.as_float(a)
        return self.make(op, (a, b), max(a.rank, b.rank), max(a.kind, b.kind, INT))

    def product(self, values: Iterable[Value]) -> Value:
        """What was computed first, in that order, so that products are shared; then variables, then masks."""
        values, result = list(values), self.number(1)
        for one, other in combinations([v for v in values if v.op == CALL + "sigmoid"], 2):
            if self.opposite(one.args[0], other.args[0]) and one in values and other in values:
                values = [v for v in values if v is not one and v is not other]
                result = self.mul(result, self.slope(one.args[0]))
        for value in sorted(values, key=lambda v: (v.kind == BOOL, v.op == VARIABLE, v.index)):
            result = self.mul(result, value)
        return result

    def opposite(self, a: Value, b: Value) -> bool:
        """Whether one is written as minus the other."""
        x, y = self.number_of(a), self.number_of(b)
        if x is not None and y is not None:
            return x == -y
        if self.neg(a) is b or self.neg(b) is a:
            return True
        if {a.op, b.op} == {"{0} + {1}", "{0} - {1}"}:  # q + b and -q - b
            return a.args[1] is b.args[1] and self.opposite(a.args[0], b.args[0])
        if a.op == b.op == "{0} - {1}":
            return a.args == b.args[::-1]
        return a.op == b.op and a.op in QUOTIENTS and a.args[1] is b.args[1] and self.opposite(a.args[0], b.args[0])

    def slope(self, a: Value) -> Value:
        """σ(a) σ(-a) = e/(1 + e)² with e = exp(-|a|): one exponential, and no digits lost at either end."""
        size = self.make("np.abs({0})", (a,), a.rank)
        e = self.make("np.exp({0})", (self.neg(size),), a.rank)
        return self.div(e, self.power(self.add(self.number(1), e), 2))

    def power(self, a: Value, exponent: Rational) -> Value:
        """a^exponent, exponent > 0, by squaring where that is what NumPy does fast."""
        if exponent == 1 or a.kind == BOOL:
            return a
        if exponent == 2:
            return self.make("{0}**2", (a,), a.rank, a.kind)
        if isinstance(exponent, int) and exponent <= 64:
            half = self.power(a, exponent // 2)
            square = self.power(half, 2)
            return self.mul(square, a) if exponent % 2 else square
        if isinstance(exponent, Fraction) and exponent.denominator == 2 and exponent < 64:
            root = self.make("np.sqrt({0})", (a,), a.rank)
            whole = exponent.numerator // 2
            return self.mul(self.power(a, whole), root) if whole else root
        return self.make("{0} ** {1}", (a, self.scalar(exponent)), a.rank)

    def scalar(self, value: Rational) -> Value:
        """A number as it is best written: 2, 0.5, 1 / 3."""
        if value.denominator == 1 or is_decimal(value):
            return self.number(value)
        return self.make("{0} / {1}", (self.number(value.numerator), self.number(value.denominator)))

    def compare(self, a: Value, symbol: str) -> Value | None:
        """`a` compared with 0, what is added or subtracted on the other side; None if it is best as it stands."""
        last = self.number_of(a.args[1]) if a.op in SUMS else None
        left, right = a, self.number(0)
        if last is not None:
            left, right = a.args[0], self.number(-last if a.op == "{0} + {1}" else last)
        elif a.op == "{0} - {1}":
            left, right = a.args
        if self.number_of(left) is not None:
            left, right, symbol = right, left, MIRRORED[symbol]
        elif left.op == "-{0}" and self.number_of(right) is not None:
            left, right, symbol = left.args[0], self.neg(right), MIRRORED[symbol]
        if left is a and not is_host(a):
            return None
        return self.make(f"{{0}} {symbol} {{1}}", (left, right), max(left.rank, right.rank), BOOL)

    # --- shape --------------------------------------------------------------------------------------------------------

    def transpose(self, a: Value, order: Sequence[int]) -> Value:
        """Axis k of the result is axis order[k] of `a`."""
        if list(order) == list(range(a.rank)):
            return a
        if a.rank == 2:
            return a.args[0] if a.op == "{0}.T" else self.make("{0}.T", (a,), 2, a.kind)
        moved = [k for k, axis in enumerate(order) if k != axis]
        if len(moved) == 2:
            return self.make(f"{{0}}.swapaxes({moved[0]}, {moved[1]})", (a,), a.rank, a.kind)
        return self.make(f"{{0}}.transpose({', '.join(map(str, order))})", (a,), a.rank, a.kind)

    def expand(self, a: Value, present: Sequence[bool]) -> Value:
        """New axes of size 1 where `present` is False; those in front are left to broadcasting."""
        first = next((k for k, here in enumerate(present) if here), len(present))
        return a if all(present[first:]) else self.index_new(a, present[first:])

    def index_new(self, a: Value, present: Sequence[bool]) -> Value:
        index = ", ".join(":" if here else "None" for here in present)
        return self.make(f"{{0}}[{index}]", (a,), len(present), a.kind)

    def shape(self, dims: Sequence[Value]) -> Value:
        return self.make(SHAPE, dims)

    def fill(self, a: Value, dims: Sequence[Value]) -> Value:
        """`a`, a scalar or an array to be broadcast, in every entry of a new array."""
        exact, rank = self.number_of(a), len(dims)
        if not dims:
            return a
        shape = self.shape(dims)
        if exact in (0, 1):
            return self.make("np.ones({0})" if exact else "np.zeros({0})", (shape,), rank)
        if a.rank == 0:
            return self.make("np.full({0}, {1}, dtype=float)", (shape, a), rank)
        return self.make("np.broadcast_to({0}, {1})", (a, shape), rank, a.kind)

    # --- sums and products --------------------------------------------------------------------------------------------

    def sum(self, a: Value, axes: Sequence[int]) -> Value:
        if not axes:
            return a
        kind = max(a.kind, INT)
        if len(axes) == a.rank:
            return self.make("np.sum({0})", (a,), 0, kind)
        which = str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
        return self.make(f"{{0}}.sum(axis={which})", (a,), a.rank - len(axes), kind)

    def multiplied(self, op: str, a: Value, b: Value, rank: int) -> Value:
        """A product with sums inside; of two masks it would be a logical one."""
        if a.kind == BOOL and b.kind == BOOL:
            a = self.as_float(a)
        return self.make(op, (a, b), rank, max(a.kind, b.kind))

    def matmul(self, a: Value, b: Value) -> Value:
        rank = a.rank + b.rank - 2 if min(a.rank, b.rank) < 2 else max(a.rank, b.rank)
        return self.multiplied(MATMUL, a, b, rank)


def _tidy(value: Fraction) -> Rational:
    return value.numerator if value.denominator == 1 else value
