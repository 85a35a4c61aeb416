"""Products with sums as array code: one `Contraction` at a time, sharing partial products with all others.

Contract: the factors of a product become operands (equal labels grouped, own labels summed, one-hots kept as indices),
`order` says which to multiply first, and every pair becomes the array operation a practitioner would write: a matrix
product, an outer product, an entrywise product, an index; `einsum` where there is no such form.  Partial products are
remembered by what they are products of, so that X W hidden inside a gradient is found again.  The coefficient goes
where it costs least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.code.order import MOVE, Costs, Operands, pairwise, typical
from symgrad.code.values import BOOL, INT, VARIABLE, Builder, Value, is_decimal
from symgrad.expr import Dim, Rational

Labels = tuple[int, ...]
LeafKey = tuple[int, Labels]
Key = tuple[tuple[LeafKey, ...], Labels]
#: Scaling a variable gives an array that nothing else needs: only worth it where it is this much smaller.
VARIABLE_PENALTY = 16.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


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


class Product:
    """Σ scalar · Π leaf over the labels `out`, being built."""

    def __init__(
        self, shared: Shared, leaves: Sequence[Leaf], out: Labels, sizes: Mapping[int, Dim], scalar: Scalar
    ) -> None:
        self.shared, self.make, self.out, self.scalar = shared, shared.make, out, scalar
        self.sizes = sizes
        self.costs = Costs([typical(sizes.get(k, 1)) for k in range(max(sizes, default=-1) + 1)])
        self.out_mask = mask_of(out)
        self.operands = self.group(self.without_idle(leaves))
        self.votes = self.vote()

    def build(self) -> Built:
        """The product; its labels are those of `out` that a factor carries, in any order."""
        if not self.operands:
            above, below = self.scalar.parts(self.make)
            return Built(self.make.div(above, below), ())
        built = Assembly(self).build()
        return self.upright(built)

    # --- factors ------------------------------------------------------------------------------------------------------

    def diagonals(self, leaves: Iterable[Leaf]) -> list[Leaf]:
        """Leaves with no label twice."""
        result = []
        for leaf in leaves:
            once = tuple(dict.fromkeys(leaf.labels))
            result.append(leaf if len(once) == len(leaf.labels) else self.diagonal(leaf, once, leaves))
        return result

    def diagonal(self, leaf: Leaf, once: Labels, leaves: Iterable[Leaf]) -> Leaf:
        make = self.make
        (first, *_) = leaf.labels
        number = self.shared.number(("diagonal", leaf.number, tuple(once.index(k) for k in leaf.labels)))
        if len(leaf.labels) == 2:
            alone = leaf.power == 1 and first not in self.out and not any(first in o.labels for o in leaves if o is not leaf)
            if alone:
                return Leaf(number, make.make("np.trace({0})", (leaf.value,), 0, max(leaf.value.kind, INT)), ())
            return Leaf(number, make.make("np.diagonal({0})", (leaf.value,), 1, leaf.value.kind), once, leaf.power)
        spelt = "".join(LETTERS[once.index(k)] for k in leaf.labels)
        template = f"np.einsum('{spelt}->{LETTERS[: len(once)]}', {{0}})"
        return Leaf(number, make.make(template, (make.as_float(leaf.value),), len(once)), once, leaf.power)

    def without_idle(self, leaves: Sequence[Leaf]) -> list[Leaf]:
        """Scalars join the coefficient; a one-hot summed alone is 1; a label nobody carries counts its dimension."""
        carried = set(self.out)
        kept = []
        for leaf in leaves:
            chooser = leaf.chooser
            if chooser and chooser.place not in self.out and not any(
                chooser.place in other.labels for other in leaves if other is not leaf
            ):
                carried.add(chooser.place)
            else:
                carried.update(leaf.labels)
                kept.append(leaf)
        for label, dim in self.sizes.items():
            if label not in carried:
                self.scalar.top.append(dim_value(self.make, dim))
        arrays = []
        for leaf in self.diagonals(kept):
            if leaf.labels:
                arrays.append(leaf)
            else:
                target = self.scalar.top if leaf.power > 0 else self.scalar.bottom
                target.append(self.make.power(leaf.value, abs(leaf.power)))
        return arrays

    def group(self, leaves: Iterable[Leaf]) -> list[Operand]:
        groups: dict[object, Operand] = {}
        for leaf in leaves:
            key = leaf if leaf.chooser else frozenset(leaf.labels)
            if key in groups:
                groups[key].leaves.append(leaf)
            else:
                groups[key] = Operand([leaf], leaf.labels)
        operands = list(groups.values())
        uses: dict[int, int] = dict.fromkeys(self.out, 2)
        for operand in operands:
            for label in operand.labels:
                uses[label] = uses.get(label, 0) + 1
        for operand in operands:
            operand.kept = mask_of(label for label in operand.labels if uses[label] > 1)
        return operands

    def vote(self) -> dict[tuple[int, int], float]:
        """In which order arrays already have two labels, by size: temporaries should come out the same way."""
        votes: dict[tuple[int, int], float] = {}
        arrays = [(o.labels, 1.0) for o in self.operands if o.chooser is None] + [(self.out, 0.5)]
        for labels, weight in arrays:
            for j in range(1, len(labels)):
                for i in range(j):
                    pair = (labels[i], labels[j])
                    size = weight * self.costs.size(mask_of(pair))
                    votes[pair] = votes.get(pair, 0.0) + size
        return votes

    # --- one operand --------------------------------------------------------------------------------------------------

    def realise(self, operand: Operand) -> Built:
        """The product of the factors of an operand, its own labels summed."""
        make = self.make
        summed = [k for k, label in enumerate(operand.labels) if not operand.kept >> label & 1]
        top = [leaf for leaf in operand.leaves if leaf.power > 0]
        bottom = [leaf for leaf in operand.leaves if leaf.power < 0]
        if not bottom and len(operand.labels) == 1 and summed and (dot := self.dot(top)) is not None:
            return Built(dot, ())
        above = make.product(self.powers(top, operand.labels))
        below = make.product(self.powers(bottom, operand.labels))
        if not top and not summed:
            return Built(below, operand.labels, inverse=True)
        value = make.sum(make.div(above, below), summed)
        return Built(value, tuple(label for label in operand.labels if operand.kept >> label & 1))

    def powers(self, leaves: Iterable[Leaf], labels: Labels) -> list[Value]:
        return [
            self.make.transpose(self.make.power(f.value, abs(f.power)), [f.labels.index(label) for label in labels])
            for f in leaves
        ]

    def dot(self, leaves: list[Leaf]) -> Value | None:
        """Σ_i of a product of vectors: x @ y."""
        make = self.make
        if len(leaves) == 1:
            leaf = leaves[0]
            if leaf.power % 2 or leaf.value.kind == BOOL:
                return None
            half = make.power(leaf.value, leaf.power / 2 if isinstance(leaf.power, Fraction) else leaf.power // 2)
            return make.matmul(half, half)
        values = sorted((make.power(f.value, f.power) for f in leaves), key=lambda v: (v.kind == BOOL, v.index))
        return make.matmul(make.product(values[:-1]), values[-1])

    def upright(self, built: Built) -> Built:
        """The array itself where its reciprocal was kept."""
        if not built.inverse:
            return built
        return Built(self.make.div(self.make.number(1), built.value), built.labels)

    # --- two operands -------------------------------------------------------------------------------------------------

    def merge(self, a: Built, b: Built, kept: int) -> Built:
        """The product of two arrays, the labels they share and nobody else needs summed."""
        summed = [label for label in a.labels if label in b.labels and not kept >> label & 1]
        if not summed:
            return self.entrywise(a, b)
        a, b = self.upright(a), self.upright(b)
        batch = [label for label in a.labels if label in b.labels and kept >> label & 1]
        left = [label for label in a.labels if label not in b.labels]
        right = [label for label in b.labels if label not in a.labels]
        if not left and not right:
            return self.entrywise_sum(a, b, summed)
        if batch:
            single = len(summed) == len(left) == len(right) == 1
            return self.stacked(a, b, batch, left[0], right[0], summed[0]) if single else self.einsum(a, b, kept)
        if len(summed) == 1 and len(left) < 2 and len(right) < 2:
            return self.matrix_product(a, b, summed[0])
        return self.tensordot(a, b, summed, left, right)

    def matrix_product(self, a: Built, b: Built, summed: int) -> Built:
        """A @ B, x @ y, or A @ x, with what must be transposed transposed."""
        if len(b.labels) > len(a.labels) or (len(a.labels) == 2 == len(b.labels) and self.swapped(a, b, summed)):
            a, b = b, a
        left = tuple(label for label in a.labels if label != summed)
        right = tuple(label for label in b.labels if label != summed)
        value = self.make.matmul(self.arranged(a, (*left, summed)), self.arranged(b, (summed, *right)))
        return Built(value, left + right)

    def swapped(self, a: Built, b: Built, summed: int) -> bool:
        """Whether B A reads or fits better than A B."""
        p = next(label for label in a.labels if label != summed)
        q = next(label for label in b.labels if label != summed)
        before, after = self.votes.get((p, q), 0.0), self.votes.get((q, p), 0.0)
        if before != after:
            return after > before
        turned = (a.labels[0] == summed) + (b.labels[1] == summed)
        if turned != 1:
            return turned == 2
        return self.costs.sizes[q] > self.costs.sizes[p]

    def stacked(self, a: Built, b: Built, batch: list[int], left: int, right: int, summed: int) -> Built:
        """A matrix product for each value of the batch labels."""
        if self.votes.get((right, left), 0.0) > self.votes.get((left, right), 0.0):
            a, b, left, right = b, a, right, left
        value = self.make.matmul(self.arranged(a, (*batch, left, summed)), self.arranged(b, (*batch, summed, right)))
        return Built(value, (*batch, left, right))

    def tensordot(self, a: Built, b: Built, summed: list[int], left: list[int], right: list[int]) -> Built:
        """Sums over several labels, or arrays of more than two."""
        if len(summed) == 1 and len(right) < 2 and a.labels[-1] == summed[0]:
            value = self.make.matmul(a.value, self.arranged(b, (summed[0], *right)))
            return Built(value, (*left, *right))
        if len(summed) == 1 and len(left) < 2 and b.labels[-1] == summed[0]:
            return self.tensordot(b, a, summed, right, left)
        axes = [[k.labels.index(label) for label in summed] for k in (a, b)]
        spelt = f"({axes[0][0]}, {axes[1][0]})" if len(summed) == 1 else f"({axes[0]}, {axes[1]})"
        template = f"np.tensordot({{0}}, {{1}}, axes={spelt})"
        value = self.make.multiplied(template, a.value, b.value, len(left) + len(right))
        return Built(value, (*left, *right))

    def einsum(self, a: Built, b: Built, kept: int) -> Built:
        labels = [label for label in dict.fromkeys(a.labels + b.labels) if kept >> label & 1]
        letters = {label: LETTERS[k] for k, label in enumerate(dict.fromkeys(a.labels + b.labels))}
        words = ["".join(letters[label] for label in part) for part in (a.labels, b.labels, labels)]
        template = f"np.einsum('{words[0]},{words[1]}->{words[2]}', {{0}}, {{1}})"
        return Built(self.make.multiplied(template, a.value, b.value, len(labels)), tuple(labels))

    def entrywise_sum(self, a: Built, b: Built, summed: list[int]) -> Built:
        value = self.make.mul(a.value, self.arranged(b, a.labels))
        labels = tuple(label for label in a.labels if label not in summed)
        return Built(self.make.sum(value, [a.labels.index(label) for label in summed]), labels)

    def entrywise(self, a: Built, b: Built) -> Built:
        """a b entry by entry, broadcast where their labels differ; a / b where one is a reciprocal."""
        if a.inverse and not b.inverse:
            a, b = b, a
        if len(a.labels) == len(b.labels) == 1 and a.labels != b.labels and a.inverse == b.inverse:
            if b.labels + a.labels == self.out or (a.labels + b.labels != self.out and b.value.index < a.value.index):
                a, b = b, a
            outer = self.make.make("np.outer({0}, {1})", (a.value, b.value), 2, max(a.value.kind, b.value.kind))
            return Built(outer, a.labels + b.labels, a.inverse)
        labels = self.union(a, b)
        x, y = self.aligned(a, labels), self.aligned(b, labels)
        if b.inverse and not a.inverse:
            return Built(self.make.div(x, y), labels)
        if (x.kind == BOOL) > (y.kind == BOOL):
            x, y = y, x
        return Built(self.make.mul(x, y), labels, a.inverse)

    def union(self, a: Built, b: Built) -> Labels:
        """The labels of an entrywise product, ordered as the larger array has them."""
        for one, other in ((a, b), (b, a)):
            if set(other.labels) < set(one.labels):
                return one.labels
        if set(a.labels) == set(b.labels):
            return b.labels if b.labels == self.out else a.labels
        labels = dict.fromkeys(a.labels + b.labels)
        ranked = {label: k for k, label in enumerate(self.out)}
        return tuple(sorted(labels, key=ranked.__getitem__)) if set(labels) <= set(ranked) else tuple(labels)

    def arranged(self, built: Built, labels: Labels) -> Value:
        """The array with its axes in the order of `labels`."""
        return self.make.transpose(built.value, [built.labels.index(label) for label in labels])

    def aligned(self, built: Built, labels: Labels) -> Value:
        """The array with its axes in the order of `labels`, and new ones where it has none."""
        own = tuple(label for label in labels if label in built.labels)
        return self.make.expand(self.arranged(built, own), [label in built.labels for label in labels])

    # --- one-hots -----------------------------------------------------------------------------------------------------

    def choose(self, chooser: Chooser, built: Built, kept: int) -> Built:
        """Σ over the place of a one-hot: the entries of `built` that it chooses; what is not kept is summed too."""
        built = self.upright(built)
        entries, labels = index_of(self.make, built.labels, chooser, self.sizes)
        chosen = take(self.make, built.value, entries)
        value = self.make.sum(chosen, [k for k, label in enumerate(labels) if not kept >> label & 1])
        return Built(value, tuple(label for label in labels if kept >> label & 1))


class Assembly:
    """The pairs of a product, the place of its coefficient, and the building of it all."""

    def __init__(self, product: Product) -> None:
        self.product, self.shared, self.costs = product, product.shared, product.costs
        operands = product.operands
        self.count = len(operands)
        self.keys: dict[int, tuple[Key, list[int]]] = {}
        self.scale = None if product.scalar.trivial else product.scalar.key
        choosers = {1 << k: 1 << o.chooser.place for k, o in enumerate(operands) if o.chooser}
        self.rules = Operands([o.kept for o in operands], product.out_mask, self.costs, choosers, self.free)
        self.steps = pairwise(self.rules)
        self.sets = [1 << k for k in range(self.count)]
        self.kept = [o.kept for o in operands]
        for i, j in self.steps:
            self.sets.append(self.sets[i] | self.sets[j])
            self.kept.append(self.needed(self.sets[-1]))

    def needed(self, subset: int) -> int:
        """The labels of a set of operands that the result or other operands need."""
        inside, outside = 0, self.product.out_mask
        for k, operand in enumerate(self.product.operands):
            if subset >> k & 1:
                inside |= operand.kept
            else:
                outside |= operand.kept
        return inside & outside

    def key(self, subset: int) -> tuple[Key, list[int]]:
        found = self.keys.get(subset)
        if found is None:
            operands = [o for k, o in enumerate(self.product.operands) if subset >> k & 1]
            leaves = [(leaf.number, leaf.labels) for o in operands for leaf in o.leaves]
            kept = self.needed(subset)
            labels = [label for o in operands for label in o.labels if kept >> label & 1]
            found = self.keys[subset] = canonical(leaves, set(labels))
        return found

    def free(self, subset: int) -> bool:
        return self.shared.free(self.key(subset)[0], self.scale)

    # --- the coefficient ----------------------------------------------------------------------------------------------

    def path(self) -> list[int]:
        """The items from the result down to the one that is multiplied by the coefficient."""
        if self.scale is None:
            return []
        plain: list[float] = []
        best: list[float] = []
        towards: list[int] = []
        for item, subset in enumerate(self.sets):
            key = self.key(subset)[0]
            done = (key, None) in self.shared.done
            work = 0.0 if item < self.count or done else self.work(item) + sum(plain[k] for k in self.steps[item - self.count])
            cost, place = self.scaling(item, key, work), item
            if item >= self.count and cost > 0:
                i, j = self.steps[item - self.count]
                merging = self.work(item)
                for here, other in ((i, j), (j, i)):
                    if best[here] + plain[other] + merging < cost:
                        cost, place = best[here] + plain[other] + merging, here
            plain.append(work)
            best.append(cost)
            towards.append(place)
        path = [len(self.sets) - 1]
        while towards[path[-1]] != path[-1]:
            path.append(towards[path[-1]])
        return path

    def work(self, item: int) -> float:
        i, j = self.steps[item - self.count]
        return self.rules.merge(self.sets[i], self.sets[j], self.kept[i], self.kept[j], self.kept[item])

    def scaling(self, item: int, key: Key, work: float) -> float:
        """What it costs to have an item multiplied by the coefficient, multiplied after it was built."""
        if (key, self.scale) in self.shared.done:
            return 0.0
        operand = self.product.operands[item] if item < self.count else None
        if operand is not None and operand.chooser:
            return float("inf")
        ready = operand is not None and len(operand.leaves) == 1 and operand.leaves[0].value.op == VARIABLE
        return work + MOVE * self.costs.size(self.kept[item]) * (VARIABLE_PENALTY if ready else 1.0)

    # --- building -----------------------------------------------------------------------------------------------------

    def build(self) -> Built:
        path = self.path()
        scaled = set(path)
        built: dict[int, Built] = {}
        for item in self.wanted(path):
            scale = self.scale if item in scaled else None
            found = self.load(item, scale)
            if found is None:
                found = self.load(item, None) if path and item == path[-1] else None
                if found is None:
                    found = self.compute(item, built)
                    if not path or item == path[-1] or item not in scaled:
                        self.store(item, None, found)
                if path and item == path[-1]:
                    found = self.multiplied(found)
                if scale is not None:
                    self.store(item, scale, found)
            built[item] = found
        return built[len(self.sets) - 1]

    def wanted(self, path: list[int]) -> list[int]:
        """The items that must be made, in order: not those inside of what is known already."""
        scaled = set(path)
        wanted, stack = set(), [len(self.sets) - 1]
        while stack:
            item = stack.pop()
            wanted.add(item)
            key = self.key(self.sets[item])[0]
            known = (key, self.scale if item in scaled else None) in self.shared.done
            known = known or (bool(path) and item == path[-1] and (key, None) in self.shared.done)
            if item >= self.count and not known:
                stack.extend(self.steps[item - self.count])
        return sorted(wanted)

    def compute(self, item: int, built: Mapping[int, Built]) -> Built:
        product = self.product
        if item < self.count:
            operand = product.operands[item]
            return Built(operand.leaves[0].value, operand.labels) if operand.chooser else product.realise(operand)
        i, j = self.steps[item - self.count]
        for one, other in ((i, j), (j, i)):
            chooser = product.operands[one].chooser if one < self.count else None
            if chooser and chooser.place in built[other].labels and not self.kept[item] >> chooser.place & 1:
                return product.choose(chooser, built[other], self.kept[item])
        return product.merge(built[i], built[j], self.kept[item])

    def multiplied(self, built: Built) -> Built:
        scalar = self.product.scalar
        turn = scalar.over if built.inverse else scalar.times
        return Built(turn(self.product.make, built.value), built.labels)

    def load(self, item: int, scale: object) -> Built | None:
        key, names = self.key(self.sets[item])
        known = self.shared.done.get((key, scale))
        if known is None:
            return None
        return Built(known.value, tuple(names[k] for k in known.labels), known.inverse)

    def store(self, item: int, scale: object, built: Built) -> None:
        key, names = self.key(self.sets[item])
        labels = tuple(names.index(label) for label in built.labels)
        self.shared.done[key, scale] = Built(built.value, labels, built.inverse)


# --- indexing ---------------------------------------------------------------------------------------------------------


def index_of(
    make: Builder, labels: Labels, chooser: Chooser, sizes: Mapping[int, Dim]
) -> tuple[list[Value | None], Labels]:
    """The index that chooses from an array over `labels` (None is a whole axis), and the labels of what it gives.

    NumPy puts the axes of the index where the index is, or in front if there is a whole axis in between.
    """
    entries: list[Value | None] = []
    for label in labels:
        if label == chooser.place:
            entries.append(chooser.index)
        elif label in chooser.by:
            rows = make.make("np.arange({0})", (dim_value(make, sizes[label]),), 1, INT)
            entries.append(make.expand(rows, [other == label for other in chooser.by]))
        else:
            entries.append(None)
    places = [k for k, entry in enumerate(entries) if entry is not None]
    plain = tuple(label for label, entry in zip(labels, entries, strict=True) if entry is None)
    adjacent = places[-1] - places[0] == len(places) - 1
    front = places[0] if adjacent else 0
    return entries, plain[:front] + chooser.by + plain[front:]


def subscript(entries: Sequence[Value | None], first: int) -> tuple[str, list[Value]]:
    """The text between the brackets, with slots from number `first` on, and what fills them."""
    while entries and entries[-1] is None:
        entries = entries[:-1]
    words, values = [], []
    for entry in entries:
        words.append(":" if entry is None else f"{{{first + len(values)}}}")
        if entry is not None:
            values.append(entry)
    return ", ".join(words), values


def take(make: Builder, array: Value, entries: Sequence[Value | None]) -> Value:
    """array[entries]"""
    text, values = subscript(entries, 1)
    rank = array.rank - len(values) + max((v.rank for v in values), default=0)
    return make.make(f"{{0}}[{text}]", (array, *values), rank, array.kind)


def dim_value(make: Builder, dim: Dim) -> Value:
    return make.number(dim) if isinstance(dim, int) else make.make("dim", (), 0, INT, (dim,))


def mask_of(labels: Iterable[int]) -> int:
    mask = 0
    for label in labels:
        mask |= 1 << label
    return mask
