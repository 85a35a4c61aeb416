"""Products with stacked axes: taken apart again, as vec(X), A ⊗ B or unfold(T, k).

Contract: `unstacked(node)` finds the tensor whose axes `node` stacks, or None where a stacking is used otherwise; every
`Apart` knows in which order its factors are written, so that what is printed reads back to the same node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.dims import factors as dim_factors
from symgrad.expr import (
    Contraction,
    Delta,
    Dim,
    Factor,
    Label,
    Node,
    Stacking,
    Sum,
    add,
    contract,
    relabel,
)
from symgrad.notation.syntax import Tree

#: Places of factors, and the labels of their product.
Part = tuple[tuple[int, ...], tuple[int, ...]]
Order = Callable[[Node], tuple[int, ...] | None]


@dataclass(frozen=True, slots=True)
class Apart:
    """`groups`: the labels that make every axis of the result; `plain`, `stackings`: places of the factors."""

    node: Contraction
    groups: tuple[tuple[int, ...], ...]
    plain: tuple[int, ...]
    stackings: tuple[int, ...]

    def over(self, places: tuple[int, ...], out: tuple[int, ...]) -> Node:
        """The product of some factors, as a tensor over `out`."""
        sizes: dict[Label, Dim] = {label: self.node.sizes[label] for label in out}
        return contract([self.node.factors[k] for k in places], out, 1, sizes)

    @property
    def tensor(self) -> Node:
        """The tensor whose axes are stacked."""
        return self.over(self.plain, tuple(label for group in self.groups for label in group))

    def upright(self) -> Node:
        """The same with a sum turned so that its axes lie in the order in which they are stacked."""
        labels = tuple(label for group in self.groups for label in group)
        if len(self.plain) != 1 or len(set(labels)) < len(labels):
            return self.node
        base, own, power = self.node.factors[self.plain[0]]
        if not isinstance(base, Sum) or power != 1 or own == labels or set(own) != set(labels):
            return self.node
        turned = add([(c, relabel(term, own, labels)) for c, term in base.terms])
        stackings = [self.node.factors[k] for k in self.stackings]
        return contract([(turned, labels), *stackings], tuple(range(self.node.rank)), self.node.coefficient)

    def kronecker(self) -> tuple[Part, Part, Part] | None:
        """s, A and B where the product is s A ⊗ B: the places of their factors, and their labels."""
        if sorted(map(len, self.groups)) not in ([1, 2], [2, 2]):
            return None
        slow = tuple(group[1] for group in self.groups if len(group) == 2)
        fast = tuple(group[0] for group in self.groups)
        scalars = tuple(place for place in self.plain if not self.node.factors[place][1])
        left, right = self._reached(slow), self._reached(fast)
        if set(left) & set(right) or len(left) + len(right) + len(scalars) < len(self.plain):
            return None
        if not (left or len(set(slow)) < len(slow)) or not (right or fast[0] == fast[1]):
            return None
        return (scalars, ()), (left, slow), (right, fast)

    def _reached(self, labels: tuple[int, ...]) -> tuple[int, ...]:
        """The factors that are connected to any of `labels`."""
        known, found = set(labels), set[int]()
        while more := {k for k in self.plain if known.intersection(self.node.factors[k][1])} - found:
            found |= more
            known.update(label for k in more for label in self.node.factors[k][1])
        return tuple(sorted(found))

    def order(self, written: Order) -> tuple[int, ...]:
        """The places of all factors in the order in which they are read back."""
        everything = (self.plain, tuple(label for group in self.groups for label in group))
        places: list[int] = []
        for own, labels in self.kronecker() or (everything,):
            tensor = self.over(own, labels)
            whole = isinstance(tensor, Contraction) and len(tensor.factors) == len(own)
            within = (written(tensor) if whole else None) or tuple(range(len(own)))
            places += [own[k] for k in within]
        return (*places, *self.stackings)

    def tree(self, write: Callable[[Node], Tree]) -> tuple[Node, Tree]:
        """The scalar factor and the tree of the rest."""
        one = self.over((), ())
        split = self.kronecker()
        if split is not None:
            scalars, left, right = split
            row = len(left[1]) == 1 and len(self.groups[1]) == 2
            first = _sized(self.over(*left), write)
            pair = (Tree("transpose", (first,)) if row else first, _sized(self.over(*right), write))
            return self.over(*scalars), Tree("call", pair, "kron")
        whole = write(self.tensor)
        if len(self.groups) == 1:
            return one, Tree("call", (whole,), "vec")
        return one, Tree("call", (whole, Tree("num", (), len(self.groups[0]))), "unfold")


def _sized(node: Node, write: Callable[[Node], Tree]) -> Tree:
    """I_n with its size, which nothing beside it tells."""
    dim = node.shape[0]
    if not isinstance(node, Delta) or (isinstance(dim, str) and len(dim_factors(dim)) > 1):
        return write(node)
    size = Tree("num", (), dim) if isinstance(dim, int) else Tree("name", (), dim)
    return Tree("index", (Tree("name", (), "I"), size), None)


def unstacked(node: Node) -> Apart | None:
    """How `node` stacks the axes of a tensor, if stacking is all that happens to them."""
    if not isinstance(node, Contraction) or not 1 <= node.rank <= 2:
        return None
    by: dict[int, int] = {f[1][2]: k for k, f in enumerate(node.factors) if isinstance(f[0], Stacking)}
    plain = tuple(k for k, f in enumerate(node.factors) if not isinstance(f[0], Stacking))
    if not by or len(by) + len(plain) < len(node.factors) or not plain:
        return None
    used: list[int] = []
    groups = tuple(_opened(node.factors, by, axis, used) for axis in range(node.rank))
    elsewhere = {label for k in plain for label in node.factors[k][1]}
    if len(used) < len(by) or elsewhere & by.keys():
        return None
    return Apart(node, groups, plain, tuple(used))


def is_commutation(node: Node) -> bool:
    """Whether `node` is the matrix K with K vec(X) = vec(Xᵀ)."""
    if not isinstance(node, Contraction) or node.rank != 2 or len(node.factors) != 2:
        return False
    (one, turned, _), (other, own, _) = node.factors
    stackings = isinstance(one, Stacking) and isinstance(other, Stacking)
    return stackings and turned == (own[1], own[0], 0) and own[2] == 1 and min(own[:2]) > 1


def _opened(factors: tuple[Factor, ...], by: dict[int, int], axis: int, used: list[int]) -> tuple[int, ...]:
    """The labels stacked in `axis`, and in `used` the stackings, innermost first."""
    if axis not in by or by[axis] in used:
        return (axis,)
    row, column, _ = factors[by[axis]][1]
    inner = _opened(factors, by, row, used)
    if column in by:
        return (axis,)
    used.append(by[axis])
    return (*inner, column)
