"""Products with sums as a whole: in which order to multiply, where the coefficient goes, and what is known already.

Contract: `assemble(product)` builds the array of a product.  Partial products are remembered by what they are products
of, so that X W hidden inside a gradient is found again; the coefficient goes where it costs least.
"""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.code.operands import Built, Key, canonical
from symgrad.code.order import MOVE, Operands, pairwise
from symgrad.code.products import Product
from symgrad.code.values import VARIABLE

#: Scaling a variable gives an array that nothing else needs: only worth it where it is this much smaller.
VARIABLE_PENALTY = 16.0


def assemble(product: Product) -> Built:
    """The product; its labels are those of the result that a factor carries, in any order."""
    if not product.operands:
        above, below = product.scalar.parts(product.make)
        return Built(product.make.div(above, below), ())
    return product.upright(Assembly(product).build())


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
            work = (
                0.0
                if item < self.count or done
                else self.work(item) + sum(plain[k] for k in self.steps[item - self.count])
            )
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
