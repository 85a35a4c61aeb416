"""Linear operations moved from one side of an inner product to the other: ⟨g, L e⟩ = ⟨Lᵀ g, e⟩.

Reverse mode gives the change of a matrix function as its transpose applied to unit matrices, contracted with what it
is the change along; applied to that directly it is shorter, and often no transpose is left at all.
"""

from __future__ import annotations

from symgrad.expr import Call, Contraction, Factor, Node, contract
from symgrad.notation.reading import read_rule


def moved(node: Contraction) -> list[Node]:
    """The product with one of its linear operations applied to the rest instead; every way to do so."""
    found = []
    for k, (base, labels, power) in enumerate(node.factors):
        if power == 1 and isinstance(base, Call) and base.op.signature:
            rest = [factor for j, factor in enumerate(node.factors) if j != k]
            for j, rule in enumerate(base.op.rules):
                other = _other_side(node, base, labels, rest, j) if rule.kind == "adjoint" else None
                found += [] if other is None else [other]
    return found


def _other_side(node: Contraction, base: Call, labels: tuple[int, ...], rest: list[Factor], j: int) -> Node | None:
    inputs, output = base.op.axes()
    cut = len(labels) - len(output)
    core, seeds = labels[cut:], labels[:cut]
    fixed = {*range(node.rank), *seeds}
    partners = _connected(rest, set(core))
    touched = {label for _, own, _ in partners for label in own}
    if len(set(core)) < len(core) or not partners or fixed & {*touched, *core} or not touched.issuperset(core):
        return None
    given = [_unseeded(arg, arg.rank - len(own)) for arg, own in zip(base.args, inputs, strict=True)]
    if any(arg is None for k, arg in enumerate(given) if k != j):
        return None
    sizes = dict(enumerate(node.sizes))
    names = {name: arg for name, arg in zip(base.op.args, given, strict=True) if arg is not None}
    names["g"] = contract(partners, core, 1, {label: sizes[label] for label in core})
    image = read_rule(base.op.rules[j].formula, names)
    inside = tuple(("inside", k) for k in range(image.rank))
    argument = base.args[j]
    kept = [factor for factor in rest if factor not in partners]
    within = (argument, (seeds if argument.rank > image.rank else ()) + inside)
    return contract([*kept, (image, inside), within], tuple(range(node.rank)), node.coefficient, {
        label: sizes[label] for label in fixed
    })  # fmt: skip


def _connected(factors: list[Factor], labels: set[int]) -> list[Factor]:
    """The factors that hang together with some labels."""
    found: list[Factor] = []
    waiting = list(factors)
    while True:
        more = [factor for factor in waiting if labels.intersection(factor[1])]
        if not more:
            return [factor for factor in factors if factor in found]
        found += more
        waiting = [factor for factor in waiting if factor not in more]
        labels = labels.union(*(factor[1] for factor in more))


def _unseeded(node: Node, extra: int) -> Node | None:
    """`node` without its first `extra` axes, if it is the same along them."""
    if not extra:
        return node
    if not isinstance(node, Contraction) or any(label < extra for _, labels, _ in node.factors for label in labels):
        return None
    out = tuple(range(extra, node.rank))
    sizes = {label: dim for label, dim in enumerate(node.sizes) if label >= extra}
    return contract(node.factors, out, node.coefficient, sizes)
