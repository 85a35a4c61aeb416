"""Which matrices equal their transpose: by assumption, or by how they are made.

Contract: `symmetric(node)` is a proof; False says nothing.  It looks a few levels deep only, so that it costs little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

from symgrad.expr import Call, Contraction, Delta, Factor, Node, Rational, Sum, Variable

#: Assumptions that make a matrix equal to its transpose.
ASSUMED = frozenset({"symmetric", "positive_definite", "diagonal"})
DEPTH, MANY = 3, 16


def symmetric(node: Node, depth: int = DEPTH) -> bool:
    """Whether the matrix `node` equals its transpose."""
    if node.rank != 2 or node.shape[0] != node.shape[1] or not depth:
        return False
    if isinstance(node, Variable):
        return bool(node.assumptions & ASSUMED)
    if isinstance(node, Delta):
        return True
    if isinstance(node, Call):
        whole = node.op.entrywise or node.op.turns
        return whole and all(arg.rank == 0 or symmetric(arg, depth - 1) for arg in node.args)
    if len(node.children) > MANY:
        return False
    terms: tuple[tuple[Rational, Node], ...] = node.terms if isinstance(node, Sum) else ((1, node),)
    bases = {f for _, term in terms for f in (term.children if isinstance(term, Contraction) else (term,))}
    known = frozenset(f for f in bases if f is not node and symmetric(f, depth - 1))
    upright = Counter((c, product_key(term, known=known)) for c, term in terms)
    return upright == Counter((c, product_key(term, known=known, swapped=True)) for c, term in terms)


def product_key(
    node: Node, keys: Mapping[Node, int] | None = None, known: frozenset[Node] = frozenset(), swapped: bool = False
) -> Hashable:
    """A key that is equal only for equal products, whatever the order of factors and names of summed labels.

    known: factors that are symmetric; swapped: the key of the transpose.
    """
    factors: tuple[Factor, ...] = ((node, tuple(range(node.rank)), 1),)
    sizes = node.shape
    if isinstance(node, Contraction):
        factors, sizes = node.factors, node.sizes
    exchange = {0: 1, 1: 0} if swapped else {}
    own_factors = [(f, tuple(exchange.get(k, k) for k in labels), p) for f, labels, p in factors]
    of = {f: id(f) if keys is None else keys[f] for f, _, _ in own_factors}
    places: dict[int, list[tuple[object, ...]]] = {}
    for base, labels, power in own_factors:
        # Where the result's own axes meet the factor tells summed labels of equal factors apart.
        own = tuple(label if label < node.rank else -1 for label in labels)
        own = tuple(sorted(own)) if base in known else own
        for position, label in enumerate(labels):
            places.setdefault(label, []).append((of[base], 0 if base in known else position, power, own))
    summed = sorted(range(node.rank, len(sizes)), key=lambda label: sorted(places.get(label, [])))
    names = {label: k for k, label in enumerate([*range(node.rank), *summed])}

    def named(base: Node, labels: tuple[int, ...]) -> tuple[int, ...]:
        found = tuple(names[k] for k in labels)
        return tuple(sorted(found)) if base in known else found

    found = Counter((of[base], named(base, labels), power) for base, labels, power in own_factors)
    return frozenset(found.items()), tuple(sizes[label] for label in names), node.rank
