"""In which order to multiply the factors of a product with sums: the cheapest for arrays of typical sizes.

Contract: operands are sets of labels, as bit masks.  `pairwise` gives the multiplications as pairs of operands, a
result being appended as a new operand: exact (a dynamic program over subsets) for few operands, greedy for many.
Costs count entries: an entrywise operation or a matrix product moves its arrays through memory, and a matrix product
also does a fast multiplication for each combination of labels.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from math import prod

from symgrad.dims import factors as dim_factors
from symgrad.expr import Dim

EXACT = 7
#: Costs of one entry: moved through memory, multiplied inside a matrix product, gathered by an index.
MOVE, FLOP, BATCHED, GATHER = 1.0, 0.1, 0.5, 3.0
NEVER = 1e30
#: How much the cost counts beside the size of a result, so that it decides between equal ones.
TIE = 1e-3
TYPICAL = {
    "N": 1000.0, "B": 1000.0, "b": 1000.0, "D": 1000.0, "d": 1000.0, "H": 100.0, "h": 100.0, "C": 10.0, "c": 10.0,
    "K": 10.0, "k": 10.0, "T": 50.0,
}  # fmt: skip
UNKNOWN = 100.0


def typical(dim: Dim) -> float:
    """How large a dimension usually is."""
    return prod(float(d) if isinstance(d, int) else TYPICAL.get(d, UNKNOWN) for d in dim_factors(dim))


class Costs:
    """What operations on sets of labels cost; `sizes[k]` belongs to bit k."""

    def __init__(self, sizes: Sequence[float]) -> None:
        self.sizes = sizes
        self.known: dict[int, float] = {0: 1.0}

    def size(self, labels: int) -> float:
        result = self.known.get(labels)
        if result is None:
            low = labels & -labels
            result = self.known[labels] = self.sizes[low.bit_length() - 1] * self.size_below(labels ^ low)
        return result

    def size_below(self, labels: int) -> float:
        result = 1.0
        while labels:
            low = labels & -labels
            result *= self.sizes[low.bit_length() - 1]
            labels ^= low
        return result

    def merge(self, a: int, b: int, kept: int) -> float:
        """The cost of multiplying operands with labels `a` and `b` into one with labels `kept`."""
        size, union = self.size, a | b
        if union == kept:
            return MOVE * size(union)
        if a & b & kept == 0:
            return FLOP * size(union) + MOVE * (size(a) + size(b) + size(kept))
        if union in (a, b):
            return 2 * MOVE * size(union)
        return BATCHED * size(union) + MOVE * (size(a) + size(b) + size(kept))


class Operands:
    """The operands of one product: their labels, which of them are label vectors, and what is free already.

    chosen  the class label of each operand that is a one-hot: it may only select entries of what carries that label
    free    whether the product of a set of operands is computed anyway
    """

    def __init__(
        self, labels: Sequence[int], out: int, costs: Costs, chosen: Mapping[int, int], free: Callable[[int], bool]
    ) -> None:
        self.labels, self.out, self.costs, self.chosen, self.free = labels, out, costs, chosen, free

    def merge(self, left: int, right: int, a: int, b: int, kept: int) -> float:
        """The cost of multiplying the operand sets `left` and `right`, with labels `a` and `b`."""
        for operands, other in ((left, b), (right, a)):
            label = self.chosen.get(operands)
            if label is not None:
                return GATHER * self.costs.size(kept) if other & label and not kept & label else NEVER
        return self.costs.merge(a, b, kept)


def pairwise(operands: Operands) -> list[tuple[int, int]]:
    """The multiplications, in order."""
    count = len(operands.labels)
    return _exact(operands, count) if count <= EXACT else _greedy(operands, count)


def cost(labels: Sequence[int], out: int, sizes: Sequence[float]) -> float:
    """What the cheapest order for operands with these labels costs; of one operand, what it costs to pass over it."""
    costs = Costs(sizes)
    operands = Operands(labels, out, costs, {}, lambda _: False)
    if len(labels) < 2:
        return MOVE * sum(map(costs.size, labels))
    alive = {k: (1 << k, mask) for k, mask in enumerate(labels)}
    uses = _Uses(operands)
    total = 0.0
    for new, (i, j) in enumerate(pairwise(operands), start=len(labels)):
        (left, a), (right, b) = alive.pop(i), alive.pop(j)
        alive[new] = (left | right, uses.join(a, b))
        total += operands.merge(left, right, a, b, alive[new][1])
    return total


def _exact(operands: Operands, count: int) -> list[tuple[int, int]]:
    """Dynamic programming over the subsets of operands, as bit masks."""
    full = (1 << count) - 1
    union = [0] * (full + 1)
    for subset in range(1, full + 1):
        low = subset & -subset
        union[subset] = union[subset ^ low] | operands.labels[low.bit_length() - 1]
    kept = [union[s] & (operands.out | union[full ^ s]) for s in range(full + 1)]
    cost = [0.0] * (full + 1)
    split = [0] * (full + 1)
    for subset in range(1, full + 1):
        if subset & (subset - 1) == 0:
            continue
        low, best, where = subset & -subset, float("inf"), 0
        left = (subset - 1) & subset
        while left:
            if left & low:
                right = subset ^ left
                total = cost[left] + cost[right]
                if total < best:
                    total += operands.merge(left, right, kept[left], kept[right], kept[subset])
                    if total < best:
                        best, where = total, left
            left = (left - 1) & subset
        split[subset] = where
        cost[subset] = 0.0 if subset != full and operands.free(subset) else best
    return _steps(split, full, count)


def _steps(split: Sequence[int], full: int, count: int) -> list[tuple[int, int]]:
    """The tree of splits as a list of multiplications, inner ones first."""
    number = {1 << k: k for k in range(count)}
    steps: list[tuple[int, int]] = []
    stack = [full] if count > 1 else []
    while stack:
        subset = stack[-1]
        left = split[subset]
        missing = [part for part in (left, subset ^ left) if part not in number]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        number[subset] = count + len(steps)
        steps.append((number[left], number[subset ^ left]))
    return steps


def _greedy(operands: Operands, count: int) -> list[tuple[int, int]]:
    """The better of two greedy orders: smallest results first, and cheapest multiplications first."""
    size = operands.costs.size

    def shrinks(kept: int, cost: float) -> float:
        return cost if cost >= NEVER else size(kept) + TIE * cost

    def saves(_: int, cost: float) -> float:
        return cost

    return min((_best_first(operands, count, score) for score in (shrinks, saves)), key=lambda found: found[0])[1]


def _best_first(
    operands: Operands, count: int, score: Callable[[int, float], float]
) -> tuple[float, list[tuple[int, int]]]:
    """Always the pair with the best score less its sizes; pairs without a common label only when no other is left.

    Scores are not renewed when other pairs change what a pair must keep: that is what makes it fast.
    """
    alive = {k: (1 << k, labels) for k, labels in enumerate(operands.labels)}
    uses = _Uses(operands)
    size = operands.costs.size
    heap: list[tuple[float, int, int]] = []

    def offer(i: int, j: int) -> None:
        (left, a), (right, b) = alive[i], alive[j]
        if a & b or not a or not b:
            kept = uses.kept(a, b)
            value = score(kept, operands.merge(left, right, a, b, kept)) - size(a) - size(b)
            heapq.heappush(heap, (-NEVER if operands.free(left | right) else value, i, j))

    for j in range(1, count):
        for i in range(j):
            offer(i, j)
    total = 0.0
    steps: list[tuple[int, int]] = []
    while len(alive) > 1:
        i, j = _next_pair(heap, alive)
        (left, a), (right, b) = alive.pop(i), alive.pop(j)
        kept = uses.join(a, b)
        if not operands.free(left | right):
            total += operands.merge(left, right, a, b, kept)
        new = count + len(steps)
        alive[new] = (left | right, kept)
        steps.append((i, j))
        for k in alive:
            if k != new:
                offer(k, new)
    return total, steps


def _next_pair(heap: list[tuple[float, int, int]], alive: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    while heap:
        _, i, j = heapq.heappop(heap)
        if i in alive and j in alive:
            return i, j
    first, second, *_ = alive
    return first, second


class _Uses:
    """How many living operands carry each label, the result counting as one."""

    def __init__(self, operands: Operands) -> None:
        self.count: dict[int, int] = {}
        for labels in (*operands.labels, operands.out):
            for bit in _bits(labels):
                self.count[bit] = self.count.get(bit, 0) + 1

    def kept(self, a: int, b: int) -> int:
        """The labels of a product of two operands that are still needed after it."""
        kept = a | b
        for bit in _bits(a & b):
            if self.count[bit] == 2:
                kept ^= bit
        return kept

    def join(self, a: int, b: int) -> int:
        kept = self.kept(a, b)
        for bit in _bits(a & b):
            self.count[bit] -= 1 if kept & bit else 2
        return kept


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low)
        mask ^= low
    return found
