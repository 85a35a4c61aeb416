"""What a product is made of: factors with labels, coefficients, one-hots as indices, and the names of partial products.

Contract: a label is a small number; an array has one an axis.  `Shared` is what the products of one program have in
common: it knows factors by number, so that a partial product is known by what it is a product of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.code.values import CALL, INT, Builder, Value, is_decimal
from symgrad.dims import Dim, fold
from symgrad.expr import Rational, magnitude
from symgrad.ops import OPERATIONS

#: Places in a row, which as an index alone are a slice.
SPAN, STEPS = "np.arange({0}, {1})", "np.arange({0}, {1}, {2})"
Labels = tuple[int, ...]
LeafKey = tuple[int, Labels]
Key = tuple[tuple[LeafKey, ...], Labels]


@dataclass(frozen=True, slots=True)
class Chooser:
    """A one-hot kept as an index: entry 1 where label `place` is `index`, an array over the labels `by`."""

    index: Value
    by: Labels
    place: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A factor: value^power over `labels`; `number` identifies value and power across products."""

    number: int
    value: Value
    labels: Labels
    power: Rational = 1
    chooser: Chooser | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """An array over `labels`; if `inverse`, what is meant is 1 / array."""

    value: Value
    labels: Labels
    inverse: bool = False


@dataclass(slots=True)
class Scalar:
    """A coefficient: number · Π top / Π bottom."""

    number: Rational
    top: list[Value] = field(default_factory=list)
    bottom: list[Value] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        return self.number, tuple(sorted(v.index for v in self.top)), tuple(sorted(v.index for v in self.bottom))

    @property
    def trivial(self) -> bool:
        return self.number == 1 and not self.top and not self.bottom

    def parts(self, make: Builder) -> tuple[Value, Value]:
        """Numerator and denominator as values."""
        number = Fraction(self.number)
        plain = not self.bottom and number.denominator != 1 and is_decimal(number)
        above: Rational = number if plain else number.numerator
        below = make.number(1 if plain else number.denominator)
        for value in sorted(self.bottom, key=lambda v: v.index):
            below = make.mul(below, value)
        return make.mul(make.number(above), make.product(self.top)), below

    def times(self, make: Builder, value: Value) -> Value:
        """This number times an array: one pass over the array."""
        above, below = self.parts(make)
        if make.number_of(above) in (1, -1):
            return make.mul(above, make.div(value, below))
        return make.mul(make.div(above, below), value)

    def over(self, make: Builder, value: Value) -> Value:
        above, below = self.parts(make)
        return make.div(make.div(above, below), value)


class Shared:
    """What products have in common: the builder, names of factors, and partial products that exist or will."""

    def __init__(self, make: Builder) -> None:
        self.make = make
        self.numbers: dict[object, int] = {}
        self.done: dict[tuple[Key, object], Built] = {}
        self.planned: set[Key] = set()

    def number(self, factor: object) -> int:
        return self.numbers.setdefault(factor, len(self.numbers))

    def free(self, key: Key, scale: object) -> bool:
        """Whether a partial product, or that times `scale`, is computed anyway."""
        return key in self.planned or (key, None) in self.done or (key, scale) in self.done


def canonical(leaves: Iterable[LeafKey], kept: Iterable[int]) -> tuple[Key, list[int]]:
    """What a partial product is, whatever its labels are called; and its labels in the order of the key."""
    names: dict[int, int] = {}
    parts = []
    for number, labels in sorted(leaves):
        parts.append((number, tuple([names.setdefault(label, len(names)) for label in labels])))
    return (tuple(parts), tuple(sorted([names[label] for label in kept if label in names]))), list(names)


@dataclass(slots=True)
class Operand:
    """Factors over the same labels, to be multiplied entry by entry."""

    leaves: list[Leaf]
    labels: Labels
    kept: int = 0

    @property
    def chooser(self) -> Chooser | None:
        return self.leaves[0].chooser


# --- indexing ---------------------------------------------------------------------------------------------------------


def index_of(
    make: Builder, labels: Labels, choosers: Sequence[Chooser], sizes: Mapping[int, Dim]
) -> tuple[list[Value | None], Labels]:
    """The index that chooses from an array over `labels` (None is a whole axis), and the labels of what it gives.

    NumPy puts the axes of the index where the index is, or in front if there is a whole axis in between.
    Several choosers depend on labels of their own.
    """
    by = tuple(label for chooser in choosers for label in chooser.by)
    places = {chooser.place: chooser for chooser in choosers}
    entries: list[Value | None] = []
    for label in labels:
        if label in places:
            chooser = places[label]
            alone = len(choosers) == 1
            entries.append(chooser.index if alone else make.expand(chooser.index, [k in chooser.by for k in by]))
        elif label in by:
            rows = make.make("np.arange({0})", (dim_value(make, sizes[label]),), 1, INT)
            entries.append(make.expand(rows, [other == label for other in by]))
        else:
            entries.append(None)
    found = [k for k, entry in enumerate(entries) if entry is not None]
    plain = tuple(label for label, entry in zip(labels, entries, strict=True) if entry is None)
    adjacent = found[-1] - found[0] == len(found) - 1
    front = found[0] if adjacent else 0
    return entries, plain[:front] + by + plain[front:]


def subscript(entries: Sequence[Value | None], first: int) -> tuple[str, list[Value]]:
    """The text between the brackets, with slots from number `first` on, and what fills them."""
    while entries and entries[-1] is None:
        entries = entries[:-1]
    words: list[str] = []
    values: list[Value] = []
    alone = sum(entry is not None for entry in entries) == 1
    for entry in entries:
        if entry is None:
            words.append(":")
        elif alone and entry.op in (SPAN, STEPS):
            words.append(":".join(f"{{{first + k}}}" for k in range(len(entry.args))))
            values += entry.args
        else:
            words.append(f"{{{first + len(values)}}}")
            values.append(entry)
    return ", ".join(words), values


def take(make: Builder, array: Value, entries: Sequence[Value | None]) -> Value:
    """array[entries]; of a function of one array, the function of the entries only."""
    text, values = subscript(entries, 1)
    chosen_axes = [entry for entry in entries if entry is not None]
    rank = array.rank - len(chosen_axes) + max((v.rank for v in chosen_axes), default=0)
    op = OPERATIONS[array.op.removeprefix(CALL)] if array.op.startswith(CALL) else None
    inner = array.args[0] if op is not None and op.entrywise and len(array.args) == 1 else None
    chosen = make.make(f"{{0}}[{text}]", (inner or array, *values), rank, (inner or array).kind)
    return chosen if inner is None else make.make(array.op, (chosen,), rank, array.kind)


def dim_value(make: Builder, dim: Dim) -> Value:
    """A dimension as a value: a number, a size, or what is calculated from sizes."""

    def total(terms: list[tuple[int, Value | None]]) -> Value:
        found = make.number(0)
        for coefficient, part in terms:
            term = make.mul(make.number(magnitude(coefficient)), part or make.number(1))
            if make.number_of(found) == 0:
                found = term if coefficient >= 0 else make.neg(term)
            else:
                found = make.add(found, term) if coefficient >= 0 else make.sub(found, term)
        return found

    return fold(
        dim,
        lambda name: make.make("dim", (), 0, INT, (name,)),
        lambda operator, one, other: make.make(_CALCULATED[operator], (one, other), 0, INT),
        total,
    )


_CALCULATED = {"//": "{0} // {1}", "*": "{0} * {1}"}


def mask_of(labels: Iterable[int]) -> int:
    mask = 0
    for label in labels:
        mask |= 1 << label
    return mask
