"""Before lowering: sums with what their terms share taken out, so that it is multiplied once.

Contract: `factored(roots)` maps every node to an equal one.  Where terms of a sum multiply the same tensor and sum over
the same labels of it, they are multiplied together if that is cheaper: P^T X - Y^T X is (P - Y)^T X.  Where a sum of
products need not be made whole, it is multiplied out.  A coefficient or scalar that all terms have is multiplied last:
2 A - 2 B is 2 (A - B).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symgrad.code.order import MOVE, cost, typical
from symgrad.code.stable import removable, stable
from symgrad.expr import (
    Contraction,
    Dim,
    Factor,
    Label,
    Node,
    Rational,
    Sum,
    Window,
    add,
    contract,
    magnitude,
    postorder,
    rebuild,
    scale,
)

Term = tuple[Rational, Node]
#: A sum is multiplied out only if it has no more terms, and if that costs less than this part.
MANY, MUCH = 4, 0.8


def factored(roots: Sequence[Node]) -> dict[Node, Node]:
    """An equal node, cheaper to compute, for every node below `roots`."""
    order = postorder(roots)
    uses: dict[Node, int] = dict.fromkeys(roots, 2)
    for node in order:
        for child in node.children:
            uses[child] = uses.get(child, 0) + 1
    memo: dict[Node, Node] = {}
    for node in order:
        changed = any(memo[child] is not child for child in node.children)
        result = rebuild(node, memo.__getitem__) if changed else node
        result = _spread(result, lambda child: uses.get(child, 1) < 2)
        result = stable(result) if isinstance(result, Sum) else result
        memo[node] = _content_out(_products_out(result)) if isinstance(result, Sum) else result
    return memo


@dataclass(frozen=True, slots=True)
class _Use:
    """One term seen as factor · rest; labels are axes of the sum, or ("own", k): the k-th axis of the factor."""

    coefficient: Rational
    node: Contraction
    place: int

    @property
    def factor(self) -> Factor:
        return self.node.factors[self.place]

    def name(self, label: int) -> Label:
        if label < self.node.rank:
            return label
        own = self.factor[1]
        return ("own", own.index(label)) if label in own else ("inner", label)

    def others(self) -> list[Factor]:
        return [factor for k, factor in enumerate(self.node.factors) if k != self.place]

    def outer(self) -> tuple[Label, ...]:
        """The labels that the rest has in common with the factor or the result."""
        named = [self.name(label) for _, labels, _ in self.others() for label in labels]
        return tuple(name for name in dict.fromkeys(named) if not (isinstance(name, tuple) and name[0] == "inner"))

    def key(self) -> tuple[object, ...]:
        base, labels, power = self.factor
        return base, power, tuple(map(self.name, labels)), frozenset(self.outer())

    def sizes(self) -> dict[Label, Dim]:
        return {self.name(label): dim for label, dim in enumerate(self.node.sizes)}

    def rest(self, out: tuple[Label, ...]) -> Node:
        factors = [(base, tuple(map(self.name, labels)), power) for base, labels, power in self.others()]
        sizes = self.sizes()
        used = {name: sizes[name] for _, labels, _ in factors for name in labels}
        return contract(factors, out, 1, used)


def _uses(node: Sum) -> dict[object, list[_Use]]:
    """The terms by what could be taken out of them: factors with a summed label of their own."""
    found: dict[object, list[_Use]] = {}
    for coefficient, term in node.terms:
        if not isinstance(term, Contraction) or not term.summed:
            continue
        keys = set()
        for place, (_, labels, _) in enumerate(term.factors):
            use = _Use(coefficient, term, place)
            if any(isinstance(f, Window) and not set(own).isdisjoint(labels) for f, own, _ in use.others()):
                continue  # a window and what is seen through it stay together
            if len(set(labels)) == len(labels) and any(label >= term.rank for label in labels):
                key = use.key()
                if key not in keys:
                    keys.add(key)
                    found.setdefault(key, []).append(use)
    return found


def _products_out(node: Node) -> Node:
    """Σ_k rest_k · factor as (Σ_k rest_k) · factor, the largest factor first."""
    while isinstance(node, Sum):
        shared = [uses for uses in _uses(node).values() if len(uses) > 1 and _worth(uses)]
        if not shared:
            return node
        uses = max(shared, key=lambda group: (_entries(group[0].factor[0].shape), len(group)))
        gone = {use.node for use in uses}
        joined: list[Node] = [_joined(uses)]
        terms: list[Term | Node] = []
        for coefficient, term in node.terms:
            if term not in gone:
                terms.append((coefficient, term))
            elif joined:
                terms.append(joined.pop())
        node = add(terms, node.shape)
    return node


def _joined(uses: list[_Use]) -> Node:
    first = uses[0]
    out = first.outer()
    rests = [(use.coefficient, use.rest(out)) for use in uses]
    base, labels, power = first.factor
    named = tuple(map(first.name, labels))
    axes = tuple(range(first.node.rank))
    inside = _content_out(_products_out(add(rests)))
    return contract([(inside, out), (base, named, power)], axes, 1, {k: first.sizes()[k] for k in axes})


def _worth(uses: list[_Use]) -> bool:
    """Whether adding the rests and multiplying once is cheaper than multiplying each."""
    first = uses[0]
    out = first.outer()
    sizes = first.sizes()
    own = tuple(map(first.name, first.factor[1]))
    adding = len(uses) * prod(typical(sizes[name]) for name in out)
    rests = sum(_cost([tuple(map(use.name, f[1])) for f in use.others()], out, use.sizes()) for use in uses)
    joined = _cost([out, own], tuple(range(first.node.rank)), sizes)
    return adding + rests + joined < sum(_product_cost(use.node) for use in uses)


def _product_cost(node: Node) -> float:
    if not isinstance(node, Contraction):
        return 0.0
    return _cost([labels for _, labels, _ in node.factors], tuple(range(node.rank)), dict(enumerate(node.sizes)))


def _cost(operands: Sequence[tuple[Label, ...]], out: tuple[Label, ...], sizes: Mapping[Label, Dim]) -> float:
    """The estimated cost of a product: of a single array nothing, for it is there."""
    groups = list(dict.fromkeys(frozenset(labels) for labels in operands if labels))
    if len(operands) < 2 and groups and groups[0] == frozenset(out):
        return 0.0
    bits = {name: k for k, name in enumerate(dict.fromkeys([*out, *(name for group in groups for name in group)]))}
    masks = [sum(1 << bits[name] for name in group) for group in groups]
    return cost(masks, sum(1 << bits[name] for name in out), [typical(sizes[name]) for name in bits])


def _spread(node: Node, single: Callable[[Node], bool]) -> Node:
    """A product with a sum multiplied out where that is much cheaper: (a b^T + c d^T) x is a (b^T x) + c (d^T x)."""
    if not isinstance(node, Contraction) or any(removable(factor, node.factors) for factor in node.factors):
        return node
    axes, sizes = tuple(range(node.rank)), dict(enumerate(node.sizes))
    for k, (base, labels, power) in enumerate(node.factors):
        if not isinstance(base, Sum) or power != 1 or base.rank < 2 or not single(base) or len(base.terms) > MANY:
            continue
        others = [factor for j, factor in enumerate(node.factors) if j != k]
        products = [contract([(term, labels), *others], axes, c * node.coefficient, sizes) for c, term in base.terms]
        made = sum(MOVE * _entries(base.shape) + _product_cost(term) for _, term in base.terms)
        if sum(map(_product_cost, products)) < MUCH * (made + _product_cost(node)):
            return add(products, node.shape)
    return node


def _entries(shape: tuple[Dim, ...]) -> float:
    return prod(map(typical, shape))


def _content_out(node: Node) -> Node:
    """A sum as (common coefficient and scalars) · sum."""
    if not isinstance(node, Sum):
        return node
    sizes = {magnitude(coefficient) for coefficient, _ in node.terms}
    common = next(iter(sizes)) if len(sizes) == 1 else 1
    scalars = set.intersection(*(_scalars(term) for _, term in node.terms))
    if common == 1 and not scalars:
        return node
    inverse = [(base, (), -power) for base, power in scalars]
    axes = tuple(range(node.rank))
    terms = [(_over(c, common), _times(term, inverse, axes)) for c, term in node.terms]
    inside = add(terms, node.shape)
    if not isinstance(inside, Sum):
        return node
    outside = [(base, (), power) for base, power in scalars]
    return scale(_times(inside, outside, axes), common)


def _over(coefficient: Rational, common: Rational) -> Rational:
    if common == 1:
        return coefficient
    return 1 if coefficient > 0 else -1


def _scalars(term: Node) -> set[tuple[Node, Rational]]:
    if not isinstance(term, Contraction) or not term.shape:
        return set()
    return {(base, power) for base, labels, power in term.factors if not labels}


def _times(node: Node, scalars: list[tuple[Node, tuple[Label, ...], Rational]], axes: tuple[Label, ...]) -> Node:
    if not scalars:
        return node
    if not isinstance(node, Contraction):
        return contract([(node, axes), *scalars], axes)
    return contract([*node.factors, *scalars], axes, node.coefficient, dict(enumerate(node.sizes)))
