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
    stacking,
    variable,
)
from symgrad.notation.syntax import Tree
from symgrad.simplify.matrix import dimension_tree

#: Places of factors, and the labels of their product.
Part = tuple[tuple[int, ...], tuple[int, ...]]
Clusters = list[tuple[tuple[int, ...], tuple[int, ...]]]
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
        return self._pair(slow, tuple(group[0] for group in self.groups))

    def commuted(self) -> tuple[Part, Part, Part] | None:
        """s, A and B where the product is s K (A ⊗ B), K the commutation matrix."""
        if sorted(map(len, self.groups)) != [2, 2]:
            return None
        (fast, slow), (first, second) = self.groups
        return self._pair((fast, second), (slow, first))

    def outer(self) -> tuple[Part, Part, Part] | None:
        """s, A and B where the product is s vec(A) vec(B)ᵀ."""
        return self._pair(*self.groups) if len(self.groups) == 2 else None

    def diagonal(self) -> bool:
        """Whether the product is diag(vec(A))."""
        return len(self.groups) == 2 and self.groups[0] == self.groups[1]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Places and labels of what is written one after the other."""
        whole = (self.plain, self.groups[0] if self.diagonal() else tuple(k for group in self.groups for k in group))
        return self.kronecker() or self.commuted() or self.outer() or (whole,)

    @property
    def named(self) -> bool:
        """Whether vec, ⊗ and K say it, without the entries of a tensor."""
        return len(self.parts) > 1 or self.diagonal() or len(self.groups) == 1

    def _pair(self, slow: tuple[int, ...], fast: tuple[int, ...]) -> tuple[Part, Part, Part] | None:
        scalars = tuple(place for place in self.plain if not self.node.factors[place][1])
        left, right = self._reached(slow), self._reached(fast)
        if set(left) & set(right) or len(left) + len(right) + len(scalars) < len(self.plain):
            return None
        # A side without factors is an identity, or else the product does not depend on it.
        if not all(places or len(set(labels)) < len(labels) for places, labels in ((left, slow), (right, fast))):
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
        places: list[int] = []
        for own, labels in self.parts:
            tensor = self.over(own, labels)
            whole = isinstance(tensor, Contraction) and len(tensor.factors) == len(own)
            within = (written(tensor) if whole else None) or tuple(range(len(own)))
            places += [own[k] for k in within]
        return (*places, *self.stackings)

    def tree(self, write: Callable[[Node], Tree]) -> tuple[Node, Tree]:
        """The scalar factor and the tree of the rest."""
        if len(self.parts) < 2:
            return self.over((), ()), self._whole(write)
        scalars, left, right = self.parts
        if not self.kronecker() and not self.commuted():
            column, row = (self._stacked(part, write) for part in (left, right))
            return self.over(*scalars), Tree("mul", (column, Tree("transpose", (row,))), "")
        flat = len(left[1]) == 1 and len(self.groups[1]) == 2
        first, second = (_sized(self.over(*part), write) for part in (left, right))
        tree = Tree("call", (Tree("transpose", (first,)) if flat else first, second), "kron")
        if not self.kronecker():
            sizes = (dimension_tree(self.node.sizes[label]) for label in reversed(self.groups[0]))
            tree = Tree("mul", (Tree("call", tuple(sizes), "commutation"), tree), "")
        return self.over(*scalars), tree

    def _stacked(self, part: Part, write: Callable[[Node], Tree]) -> Tree:
        tree = write(self.over(*part))
        return tree if len(part[1]) == 1 else Tree("call", (tree,), "vec")

    def _whole(self, write: Callable[[Node], Tree]) -> Tree:
        if self.diagonal():
            return Tree("call", (Tree("call", (write(self.over(self.plain, self.groups[0])),), "vec"),), "diag")
        whole = write(self.tensor)
        if len(self.groups) == 1:
            return Tree("call", (whole,), "vec")
        return Tree("call", (whole, Tree("num", (), len(self.groups[0]))), "unfold")


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


def cluster_parts(node: Contraction, groups: Clusters) -> list[Node]:
    """Every group of factors as a tensor of its own."""
    return [
        contract([node.factors[place] for place in places], ends, 1, {k: node.sizes[k] for k in ends})
        for places, ends in groups
    ]


def stand_in_product(node: Contraction, groups: Clusters, parts: list[Node]) -> Contraction:
    """The product with a name for each of its groups; an identity stays one."""
    names = [part if isinstance(part, Delta) else variable(f"stacked {k}", part.shape) for k, part in enumerate(parts)]
    factors = [(name, ends) for name, (_, ends) in zip(names, groups, strict=True)]
    sizes: dict[Label, Dim] = dict(enumerate(node.sizes[: node.rank]))
    whole = contract(factors, tuple(range(node.rank)), node.coefficient, sizes)
    assert isinstance(whole, Contraction)
    return whole


def clusters(node: Contraction) -> Clusters | None:
    """The factors of a product of stacked matrices, in groups: the places of each, and the labels where it ends.

    Factors hang together by labels that are no axis of stacked entries; None where there is only one group.
    """
    stacked = {labels[2] for base, labels, _ in node.factors if isinstance(base, Stacking)}
    if not stacked:
        return None
    whole = stacked | set(range(node.rank))
    groups: list[tuple[set[int], list[int]]] = []
    for place, (_, labels, _) in enumerate(node.factors):
        known, members = set(labels) - whole, [place]
        for other in [group for group in groups if group[0] & known]:
            groups.remove(other)
            known, members = known | other[0], other[1] + members
        groups.append((known, members))
    if len(groups) < 2 or len(groups) == len(node.factors):
        return None
    ends = [sorted({k for p in members for k in node.factors[p][1]} & whole) for _, members in groups]
    if any(len(own) > 2 for own in ends):
        return None
    turned = (own[::-1] if 1 in own and node.rank == 2 and 0 not in own else own for own in ends)
    return [(tuple(members), tuple(own)) for (_, members), own in zip(groups, turned, strict=True)]


def commutation(rows: Dim, columns: Dim) -> Node:
    """The matrix K with K vec(X) = vec(Xᵀ) for X of so many rows and columns."""
    turned, own = (stacking(columns, rows), ("j", "i", "turned")), (stacking(rows, columns), ("i", "j", "own"))
    return contract([turned, own], ("turned", "own"))


def uncommuted(node: Node) -> Node | None:
    """A ⊗ B where `node` is K (A ⊗ B), else None."""
    apart = unstacked(node)
    if apart is None or apart.kronecker() or not apart.commuted():
        return None
    rows = commutation(*(apart.node.sizes[label] for label in apart.groups[0]))
    return contract([(rows, (0, "row")), (node, ("row", 1))], (0, 1))


def stacked_rows(node: Node) -> tuple[Dim, ...]:
    """The sizes of the axes that are stacked in the rows of a Kronecker product."""
    apart = unstacked(node)
    return () if apart is None else tuple(apart.node.sizes[label] for label in apart.groups[0])


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
