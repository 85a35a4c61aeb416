"""Parts of products: where a product contains another one, it can be written with the name of that one.

Contract: `with_part(root, part, name)` is `root` with `part` itself, or else every product that contains the factors of
`part`, joined in the same way, written over `name` instead; `part` and `name` have the same shape and, by definition,
the same value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgrad.expr import Contraction, Factor, Node, contract, postorder, rebuild


def with_part(root: Node, part: Node, name: Node) -> Node:
    """`root` over `name` wherever the product `part` occurs in it.

    >>> from symgrad.expr import variable
    >>> W, x, u, s = variable("W", ("m", "n")), variable("x", ("n",)), variable("u", ("m",)), variable("s", ("m",))
    >>> score = contract([(W, ("i", "j")), (x, ("j",))], ("i",))
    >>> with_part(contract([(u, ("i",)), (W, ("i", "j")), (x, ("j",))]), score, s)
    <u[m]_0 s[m]_0 ->0>
    """
    if part is root or not part.children:
        return root
    if part in postorder([root]):
        return _exchanged(root, part, name)
    if not isinstance(part, Contraction) or not part.summed or part.coefficient != 1:
        return root
    wanted = set(part.children)
    memo: dict[Node, Node] = {}
    for node in postorder([root]):
        new = rebuild(node, memo.__getitem__) if node.children else node
        if isinstance(new, Contraction) and wanted.issubset(new.children):
            new = _replaced(new, part, name)
        memo[node] = new
    return memo[root]


def _exchanged(root: Node, part: Node, name: Node) -> Node:
    """`root` with `name` where `part` stands as it is."""
    memo: dict[Node, Node] = {part: name}
    for node in postorder([root]):
        if node is not part:
            memo[node] = rebuild(node, memo.__getitem__) if node.children else node
    return memo[root]


def _replaced(node: Contraction, part: Contraction, name: Node) -> Node:
    for labels, used in _matches(node.factors, part.factors, 0, {}, ()):
        rest = [factor for k, factor in enumerate(node.factors) if k not in used]
        outside, inner = _labels_of(part, labels)
        inside = set(inner)
        # What the part sums must be summed here, each sum a sum of its own (a trace is no sum over all entries), and by
        # nobody else.
        if len(inside) < len(inner) or not inside.isdisjoint(outside):
            continue
        if any(k < node.rank for k in inside) or any(k in inside for _, axes, _ in rest for k in axes):
            continue
        place = min(used)
        factors = [*rest[:place], (name, outside, 1), *rest[place:]]
        sizes = {k: d for k, d in enumerate(node.sizes) if k not in inside}
        return contract(factors, tuple(range(node.rank)), node.coefficient, sizes)
    return node


def _labels_of(part: Contraction, labels: Mapping[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The labels in the product of the axes of a part, and of what it sums over."""
    return tuple(labels[k] for k in range(part.rank)), tuple(labels[k] for k in range(part.rank, len(part.sizes)))


def _matches(
    factors: tuple[Factor, ...], part: tuple[Factor, ...], k: int, labels: Mapping[int, int], used: tuple[int, ...]
) -> Iterator[tuple[Mapping[int, int], tuple[int, ...]]]:
    """Every way to find the factors of a part from the k-th on, as (its labels in the product, places used)."""
    if k == len(part):
        yield labels, used
        return
    base, axes, power = part[k]
    for place, (other, other_axes, other_power) in enumerate(factors):
        if other is not base or other_power != power or place in used:
            continue
        bound = dict(labels)
        if all(bound.setdefault(a, b) == b for a, b in zip(axes, other_axes, strict=True)):
            yield from _matches(factors, part, k + 1, bound, (*used, place))
