"""Products with sums, pair by pair: the operands of one product, and the array operation for any two of them.

Contract: factors with equal labels are one operand, an operand's own labels are summed, a one-hot stays an index, and
two operands are multiplied by what a practitioner would write: a matrix product, an outer product, an entrywise
product, an index; `einsum` where there is no such form.  `assembly` decides on the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from symgrad.code.operands import (
    Built,
    Chooser,
    Labels,
    Leaf,
    Operand,
    Scalar,
    Shared,
    dim_value,
    index_of,
    mask_of,
    take,
)
from symgrad.code.order import Costs, typical
from symgrad.code.values import BOOL, INT, Value
from symgrad.expr import Dim, magnitude

LETTERS = "abcdefghijklmnopqrstuvwxyz"


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
            alone = (
                leaf.power == 1
                and first not in self.out
                and not any(first in o.labels for o in leaves if o is not leaf)
            )
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
            if (
                chooser
                and chooser.place not in self.out
                and not any(chooser.place in other.labels for other in leaves if other is not leaf)
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
                target.append(self.make.power(leaf.value, magnitude(leaf.power)))
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
            self.make.transpose(
                self.make.power(f.value, magnitude(f.power)), [f.labels.index(label) for label in labels]
            )
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
        if len(a.labels) == 1:
            return Built(self.make.matmul(a.value, b.value), ())
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
        entries, labels = index_of(self.make, built.labels, (chooser,), self.sizes)
        chosen = take(self.make, built.value, entries)
        value = self.make.sum(chosen, [k for k, label in enumerate(labels) if not kept >> label & 1])
        return Built(value, tuple(label for label in labels if kept >> label & 1))
