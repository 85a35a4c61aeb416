"""Products in index form: which of their factors are a matrix, a vector or a number together.

Contract: `joined(node)` is the factors of a product, those that are summed to something in matrix notation as one:
Σ_p B_kp X_pj is (B X)_kj.  `index_order(node)` is the order in which they are then written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from symgrad.expr import Contraction, Delta, Factor, Node, Rational, Stacking, Window, contract
from symgrad.notation.syntax import Tree
from symgrad.simplify.matrix import pattern


@dataclass(frozen=True, slots=True)
class Joined:
    """Factors that are `node` together, of which the product has the entry at `labels`; their places, as written."""

    node: Node
    labels: tuple[int, ...]
    places: tuple[int, ...]


def joined(node: Contraction) -> list[Factor | Joined]:
    """The factors of a product in index form, in order, those together that are one in matrix notation."""
    edges = set(range(node.rank, len(node.sizes)))
    found: list[Factor | Joined] = []
    for component in components(node.factors, edges):
        summed = any(not edges.isdisjoint(labels) for _, labels, _ in component)
        whole = _as_matrix(node, component, edges) if summed else None
        found += component if whole is None else [whole]
    return found


def index_order(node: Contraction) -> tuple[int, ...]:
    """What is joined to a matrix together, what divides last."""
    place = {factor: k for k, factor in enumerate(node.factors)}
    groups = joined(node)
    order: list[int] = []
    for group, twin in zip(groups, _in_order_of_labels(groups), strict=True):
        order += group.places if isinstance(group, Joined) else [place[twin]]
    return tuple(sorted(order, key=lambda k: node.factors[k][2] < 0))


def _in_order_of_labels(groups: list[Factor | Joined]) -> list[Any]:
    """Equal factors by their labels: p_i p_j p_k rather than p_k p_i p_j."""
    twins: dict[tuple[Node, Rational], list[Factor]] = {}
    for group in groups:
        if not isinstance(group, Joined):
            twins.setdefault((group[0], group[2]), []).append(group)
    queues = {key: iter(sorted(found, key=lambda factor: factor[1])) for key, found in twins.items()}
    return [group if isinstance(group, Joined) else next(queues[group[0], group[2]]) for group in groups]


def _as_matrix(node: Contraction, component: list[Factor], edges: set[int]) -> Joined | None:
    ends = sorted({k for _, labels, _ in component for k in labels} - edges)
    apart = any(isinstance(f, (Window, Delta, Stacking)) or p < 0 for f, _, p in component)
    if len(ends) > 2 or apart or (len(component) == 1 and ends):
        return None
    place = {factor: k for k, factor in enumerate(node.factors)}
    best: tuple[int, Joined] | None = None
    for out in {tuple(ends): 0, tuple(reversed(ends)): 0}:
        part = contract(component, out, 1, {k: node.sizes[k] for k in ends})
        if not isinstance(part, Contraction) or len(part.factors) != len(component):
            continue
        found = pattern(part)
        if found is None:
            continue
        turns = _transposes(found.tree)
        if best is None or turns < best[0]:
            best = turns, Joined(part, out, tuple(place[component[k]] for k in found.order))
    return None if best is None else best[1]


def _transposes(tree: Tree) -> int:
    waiting, count = [tree], 0
    while waiting:
        one = waiting.pop()
        count += one.head == "transpose"
        waiting += one.args
    return count


def components(factors: Iterable[Factor], edges: set[int]) -> list[list[Factor]]:
    """The factors in groups that share none of `edges`, in order."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in factors:
        own = edges.intersection(factor[1])
        touching = [g for g in groups if g[0] & own]
        if touching:
            touching[0][0].update(own, *(g[0] for g in touching))
            touching[0][1].extend(f for g in touching[1:] for f in g[1])
            touching[0][1].append(factor)
            groups = [g for g in groups if all(g is not t for t in touching[1:])]
        else:
            groups.append((own, [factor]))
    return [members for _, members in groups]
