"""Rules for products: factors that cancel, join or are known functions together.

Contract: `RULES` are tried in this order on a contraction whose factors are settled.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction

from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Node,
    Rational,
    Stacking,
    Sum,
    Variable,
    Window,
    add,
    constant,
    contract,
    delta,
    negate,
    number,
    postorder,
    relabel,
    scale,
    size,
    split,
)
from symgrad.ops import apply
from symgrad.simplify import blocks
from symgrad.simplify.form import (
    LONG,
    MAX_TERMS,
    Again,
    Rewrite,
    content_of,
    factors_of,
    length,
    named,
    negate_sum,
    one_plus_exp,
    remake,
    replaced,
    sum_of_exp,
    turn_of,
)
from symgrad.simplify.stacked import cluster_parts, clusters, is_commutation, unstacked
from symgrad.simplify.symmetry import symmetric
from symgrad.simplify.transposes import moved
from symgrad.simplify.trees import powers_gathered


def _idempotent(node: Node, _: Again) -> Node | None:
    """1[c]^p = 1[c], onehot^p = onehot, |x|² = x²."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if power != 1 and isinstance(base, Call):
            if (base.op.symbol or base.op.name in ("onehot", "argmax")) and power > 0:
                return remake(node, replaced(node, k, [(base, labels, 1)]))
            if base.op.name == "abs" and isinstance(power, int) and power % 2 == 0:
                return remake(node, replaced(node, k, [(base.args[0], labels, power)]))
            if base.op.name == "exp":
                return remake(node, replaced(node, k, [(apply("exp", scale(base.args[0], power)), labels, 1)]))
    return None


def _symmetric(node: Node, _: Again) -> Node | None:
    """Aᵀ = A for a matrix that is symmetric, by assumption or as it is made."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if len(labels) == 2 and labels[0] > labels[1] and symmetric(base):
            return remake(node, replaced(node, k, [(base, labels[::-1], power)]))
    return None


def _orthogonal(node: Node, _: Again) -> Node | None:
    """QᵀQ = I for a matrix that is assumed orthogonal, and Q Qᵀ = I for a square one."""
    assert isinstance(node, Contraction)
    found: dict[tuple[Node, int, int], int] = {}
    for k, (base, labels, power) in enumerate(node.factors):
        if not isinstance(base, Variable) or "orthogonal" not in base.assumptions or power != 1:
            continue
        for axis, label in enumerate(labels):
            other = found.setdefault((base, axis, label), k)
            uses = sum(f[1].count(label) for f in node.factors)
            if other != k and label >= node.rank and uses == 2 and (axis == 0 or base.shape[0] == base.shape[1]):
                ends = (node.factors[other][1][1 - axis], labels[1 - axis])
                rest = [f for j, f in enumerate(node.factors) if j not in (other, k)]
                return remake(node, [*rest, (delta(base.shape[1 - axis]), ends, 1)])
    return None


def _inverted(node: Node, _: Again) -> Node | None:
    """(A B)⁻¹ A = B⁻¹ and B (A B)⁻¹ = A⁻¹ for square matrices A and B, and A⁻¹ A = I."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if named(base) != "inverse" or base.rank != 2 or power != 1 or labels[0] == labels[1]:
            continue
        for side in (0, 1):
            met, end = labels[1 - side], labels[side]
            at = [j for j, f in enumerate(node.factors) if j != k and met in f[1]]
            if met < node.rank or len(at) != 1:
                continue
            factor, own, times = node.factors[at[0]]
            rest = _without(base.children[0], factor, side, own.index(met))
            if rest is not None and own.count(met) == times == 1:
                ends = (end, own[1 - own.index(met)])
                inverse = (
                    (rest, ends, 1) if isinstance(rest, Delta) else (apply("inverse", rest), ends[:: 1 - 2 * side], 1)
                )
                return remake(node, [*(f for j, f in enumerate(node.factors) if j not in (at[0], k)), inverse])
    return None


def _without(matrix: Node, factor: Node, side: int, axis: int) -> Node | None:
    """The matrix without its first (side 0) or last factor, if that is `factor`, square, met at its outer `axis`."""
    if factor.rank != 2 or factor.shape[0] != factor.shape[1]:
        return None
    factors = factors_of(matrix)
    for k, (base, labels, power) in enumerate(factors):
        if base is not factor or power != 1 or labels[axis] != side:
            continue
        inner = labels[1 - axis]
        if len(factors) == 1 and not isinstance(matrix, Contraction):
            return delta(factor.shape[0])
        joints = [f for j, f in enumerate(factors) if j != k and inner in f[1]]
        if inner > 1 and len(joints) == 1 and joints[0][1].count(inner) == 1 and isinstance(matrix, Contraction):
            others = [f for j, f in enumerate(factors) if j != k]
            out = (inner, 1) if side == 0 else (0, inner)
            return contract(others, out, matrix.coefficient)
    return None


def _blocks(node: Node, _: Again) -> Node | None:
    """Parts of block matrices: windows that meet, and windows of a sum of blocks."""
    assert isinstance(node, Contraction)
    if not any(isinstance(factor, Window) for factor, _, _ in node.factors):
        return None
    return blocks.met(node) or blocks.taken(node)


def _sums_to_one(node: Node, _: Again) -> Node | None:
    """Σ_c softmax_c = 1 and Σ_c onehot_c = 1 where nothing else depends on c."""
    assert isinstance(node, Contraction)
    if not node.summed:
        return None
    for k, (base, labels, power) in enumerate(node.factors):
        if power == 1 and named(base) in ("softmax", "onehot", "argmax") and labels[-1] >= node.rank:
            rest = [f for j, f in enumerate(node.factors) if j != k]
            if labels.count(labels[-1]) == 1 and all(labels[-1] not in other for _, other, _ in rest):
                return remake(node, [*rest, *_ones_over(node, labels[:-1], rest)])
    return None


def _ones_over(node: Contraction, labels: tuple[int, ...], rest: list[Factor]) -> list[Factor]:
    """Sizes of summed labels that only the dropped factor carried."""
    carried = {label for _, other, _ in rest for label in other} | set(range(node.rank))
    return [(size(node.sizes[label]), (), 1) for label in labels if label not in carried]


def _gated(node: Node, _: Again) -> Node | None:
    """relu(u) 1[u > 0] = relu(u);  sigmoid(u) exp(-u) = 1 - sigmoid(u)."""
    assert isinstance(node, Contraction)
    present = {(f, labels): k for k, (f, labels, p) in enumerate(node.factors) if p > 0}
    for k, (base, labels, power) in enumerate(node.factors):
        if named(base) == "relu" and power > 0:
            gate = present.get((apply("positive", base.args[0]), labels))  # type: ignore[attr-defined]
            if gate is not None:
                return remake(node, [f for j, f in enumerate(node.factors) if j != gate])
        if named(base) == "sigmoid" and power > 0:
            partner = present.get((apply("exp", negate(base.args[0])), labels))  # type: ignore[attr-defined]
            if partner is not None and node.factors[partner][2] == 1:
                one = apply("sigmoid", negate(base.args[0]))  # type: ignore[attr-defined]
                factors = [(b, i, p - 1 if j == k else p) for j, (b, i, p) in enumerate(node.factors) if j != partner]
                return remake(node, [*(f for f in factors if f[2] != 0), (one, labels, 1)])
    return None


def _sigmoid_quotient(node: Node, _: Again) -> Node | None:
    """1/(1 + exp(u)) = sigmoid(-u)."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if isinstance(power, int) and power < 0 and (u := one_plus_exp(base)) is not None:
            return remake(node, replaced(node, k, [(apply("sigmoid", negate(u)), labels, -power)]))
    return None


def _tanh_quotient(node: Node, _: Again) -> Node | None:
    """sinh(u)/cosh(u) = (e^u - e^(-u))/(e^u + e^(-u)) = tanh(u)."""
    assert isinstance(node, Contraction)
    below = {(u, i, -p): k for k, (f, i, p) in enumerate(node.factors) if p < 0 and (u := _hyperbolic(f, "cosh", 1))}
    for k, (base, labels, power) in enumerate(node.factors):
        u = _hyperbolic(base, "sinh", -1)
        if u is not None and (u, labels, power) in below:
            other = below[u, labels, power]
            rest = [factor for j, factor in enumerate(node.factors) if j not in (k, other)]
            return remake(node, [*rest, (apply("tanh", u), labels, power)])
    return None


def _hyperbolic(node: Node, name: str, sign: int) -> Node | None:
    """u where `node` is cosh(u), or e^u + e^(-u); with the sign -1, sinh(u) or e^u - e^(-u)."""
    if isinstance(node, Call) and node.op.name == name:
        return node.args[0]
    if not isinstance(node, Sum) or len(node.terms) != 2 or any(named(term) != "exp" for _, term in node.terms):
        return None
    (a, one), (b, other) = node.terms
    assert isinstance(one, Call)
    assert isinstance(other, Call)
    u, v = one.args[0], other.args[0]
    if negate(u) is not v or (a, b) not in ((1, sign), (sign, 1)):
        return None
    return u if a == 1 and (sign == -1 or split(u)[0] > 0) else v


def _exponents(node: Node, again: Again) -> Node | None:
    """Exponentials whose exponents cancel: e^x e^(-x) = 1."""
    assert isinstance(node, Contraction)
    groups: dict[tuple[int, ...], list[Factor]] = {}
    for factor in node.factors:
        if isinstance(factor[0], Call) and factor[0].op.name == "exp":
            groups.setdefault(factor[1], []).append(factor)
    for labels, group in groups.items():
        if len(group) > 1:
            parts = [f for f, _, _ in group if isinstance(f, Call)]
            exponent = again(add([(p, f.args[0]) for f, (_, _, p) in zip(parts, group, strict=True)]))
            if length(exponent) < sum(length(f.args[0]) for f in parts):
                rest = [factor for factor in node.factors if factor not in group]
                return remake(node, [*rest, (apply("exp", exponent), labels, 1)])
    return None


def _signs(node: Node, _: Again) -> Node | None:
    """u sign(u) = |u| and |u|^p sign(u) = u |u|^(p-1)."""
    assert isinstance(node, Contraction)
    present = {(f, labels): k for k, (f, labels, p) in enumerate(node.factors)}
    for k, (base, labels, power) in enumerate(node.factors):
        if named(base) != "sign" or power != 1:
            continue
        u: Node = base.args[0]  # type: ignore[attr-defined]
        size = apply("abs", u)
        for partner, more in ((u, [(size, labels, 1)]), (size, [(u, labels, 1)])):
            j = present.get((partner, labels))
            if j is not None:
                left = [(f, i, p - 1 if m == j else p) for m, (f, i, p) in enumerate(node.factors) if m != k]
                return remake(node, [*(f for f in left if f[2] != 0), *more])
    return None


def _softmax_quotient(node: Node, _: Again) -> Node | None:
    """exp(u)_c / Σ_c exp(u)_c = softmax(u)_c, along whichever axis is summed."""
    assert isinstance(node, Contraction)
    for k, (below, below_labels, power) in enumerate(node.factors):
        if power != -1 or (found := sum_of_exp(below)) is None:
            continue
        exponential, place = found
        for j, (base, labels, p) in enumerate(node.factors):
            if base is exponential and p == 1 and labels[:place] + labels[place + 1 :] == below_labels:
                probability = _softmax_along(exponential.args[0], place)  # type: ignore[attr-defined]
                rest = [f for i, f in enumerate(node.factors) if i not in (j, k)]
                return remake(node, [*rest[:j], (probability, labels, 1), *rest[j:]])
    return None


def _softmax_along(u: Node, place: int) -> Node:
    axes = tuple(range(u.rank))
    order = axes[:place] + axes[place + 1 :] + (place,)
    return relabel(apply("softmax", relabel(u, axes, order)), order, axes)


def _joined_power(node: Node, _: Again) -> Node | None:
    """x^p x^q is x^(p + q) for a power p that is no number, where that is shorter."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if named(base) != "power" or power != 1:
            continue
        x, p = base.args  # type: ignore[attr-defined]
        for j, (other, other_labels, q) in enumerate(node.factors):
            if other is x and other_labels == labels and not p.shape:
                joined = apply("power", x, add([(1, p), (q, number(1))]))
                factors = replaced(node, k, [(joined, labels, 1)])
                better = remake(node, [f for i, f in enumerate(factors) if i != j])
                return better if length(better) < length(node) else None
    return None


def _multiplied_out(node: Node, again: Again) -> Node | None:
    """A product over a sum, multiplied out where terms then cancel and the result is shorter."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if power != 1 or not isinstance(base, Sum) or len(base.terms) > MAX_TERMS:
            continue
        others = {(f, i): p for j, (f, i, p) in enumerate(node.factors) if j != k}
        alone = any(label >= node.rank and all(label not in axes for _, axes in others) for label in labels)
        cancels = _may_cancel(base, labels, others)
        if not alone and not cancels:
            continue
        own = length(node)
        if own > LONG:
            return None
        terms = [(c, remake(node, replaced(node, k, [(t, labels, 1)]))) for c, t in base.terms]
        better = again(add(terms, node.shape))
        if length(better) < own - (0 if cancels else 2):
            return better
    return None


def _may_cancel(base: Sum, labels: tuple[int, ...], others: dict[tuple[Node, tuple[int, ...]], Rational]) -> bool:
    """Whether some term of the sum divides by, or is divided by, a factor beside it (or that with its sign changed)."""
    beside: dict[Hashable, Rational] = {}
    for (f, i), p in others.items():
        beside[f, i] = p
        if isinstance(f, Sum):
            beside[frozenset(f.terms), i] = beside[_opposite(f), i] = p
    for _, term in base.terms:
        for f, inner, p in factors_of(term):
            outer = tuple(labels[i] if i < len(labels) else -1 for i in inner)
            key: Hashable = (frozenset(f.terms), outer) if isinstance(f, Sum) else (f, outer)
            if beside.get(key, 0) * p < 0:
                return True
    return False


def _sign_inside(node: Node, _: Again) -> Node | None:
    """-(a - b) is b - a; a sum without a number is turned first, so that 1 - p stays."""
    assert isinstance(node, Contraction)
    if node.coefficient >= 0:
        return None
    mixed = [
        k
        for k, (f, _, p) in enumerate(node.factors)
        if p == 1 and isinstance(f, Sum) and any(c < 0 for c, _ in f.terms)
    ]
    if not mixed:
        return None
    k = min(mixed, key=lambda k: any(constant(t) is not None for t in node.factors[k][0].children))
    base, labels, _power = node.factors[k]
    return remake(node, replaced(node, k, [(negate_sum(base), labels, 1)]), -node.coefficient)


def _opposites(node: Node, _: Again) -> Node | None:
    """(p - 1)/(1 - p) is -1: of two sums that differ in sign or order only, one is written as the other."""
    assert isinstance(node, Contraction)
    seen: dict[Hashable, tuple[Node, int]] = {}
    for k, (base, labels, power) in enumerate(node.factors):
        if not isinstance(base, Sum) or not isinstance(power, int):
            continue
        found = seen.get((frozenset(base.terms), labels))
        if found is not None:
            first, sign = found
            turned = replaced(node, k, [(first, labels, power)])
            return remake(node, turned, node.coefficient * (sign if power % 2 else 1))
        seen[frozenset(base.terms), labels] = base, 1
        seen[_opposite(base), labels] = base, -1
    return None


def _opposite(node: Sum) -> Hashable:
    return frozenset((-c, t) for c, t in node.terms)


def _turned_sum(node: Node, _: Again) -> Node | None:
    """(Pᵀ - Yᵀ) X is (P - Y)ᵀ X: a sum of transposes is the transpose of a sum."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if isinstance(base, Sum) and base.rank == 2:
            turned = sum(turn_of(term) for _, term in base.terms)
            if turned > 0:
                upright = add([(c, relabel(t, (0, 1), (1, 0))) for c, t in base.terms])
                return remake(node, replaced(node, k, [(upright, labels[::-1], power)]))
    return None


def _entries_opened(node: Node, _: Again) -> Node | None:
    """A sum of tensors of more than two axes in a longer product, multiplied out: it is written by its entries."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        entries = min(node.rank, base.rank) > 2 and power == 1 and any(label >= node.rank for label in labels)
        if entries and isinstance(base, Sum) and len(base.terms) <= MAX_TERMS and length(node) < LONG:
            return add([(c, remake(node, replaced(node, k, [(t, labels, 1)]))) for c, t in base.terms])
    return None


def _stacked_terms(node: Node, _: Again) -> Node | None:
    """A stacked sum as the sum of its terms where ⊗, vec and K say each of them: X ⊗ I + K (I ⊗ X)."""
    assert isinstance(node, Contraction)
    if not any(isinstance(base, Stacking) for base, _, _ in node.factors) or _is_named(node):
        return None
    terms: list[tuple[Rational, Node]] = [(1, node)]
    while (unnamed := next((k for k, (_, term) in enumerate(terms) if not _is_named(term)), None)) is not None:
        coefficient, term = terms[unnamed]
        opened = _opened(term)
        if len(opened) < 2 or len(terms) + len(opened) > MAX_TERMS:
            return None
        terms[unnamed : unnamed + 1] = [(coefficient * c, part) for c, part in opened]
    return add(terms)


def _is_named(node: Node) -> bool:
    """Whether nothing is stacked, or it is a product that ⊗, vec and K say."""
    apart = unstacked(node)
    if apart is not None:
        return apart.named
    groups = clusters(node) if isinstance(node, Contraction) and node.rank <= 2 else None
    if groups is None or not isinstance(node, Contraction):
        return not any(isinstance(child, Stacking) for child in node.children)
    return all(is_commutation(part) or _is_named(part) for part in cluster_parts(node, groups))


def _opened(node: Node) -> list[tuple[Rational, Node]]:
    """A product over a sum as its terms."""
    if isinstance(node, Contraction):
        for k, (base, labels, power) in enumerate(node.factors):
            if isinstance(base, Sum) and power == 1:
                return [(c, remake(node, replaced(node, k, [(t, labels, 1)]))) for c, t in base.terms]
    return []


def _gathered(node: Node, _: Again) -> Node | None:
    """Equal parts of a product are one power."""
    assert isinstance(node, Contraction)
    return powers_gathered(node)


def _one_scalar_out(node: Node, _: Again) -> Node | None:
    """A factor 2 x + 4 y gives its 2 to the coefficient, so that numbers meet."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if isinstance(base, Sum) and isinstance(power, int):
            common = content_of(base)
            if common != 1:
                reduced = add([(Fraction(c) / common, t) for c, t in base.terms])
                factors = replaced(node, k, [(reduced, labels, power)])
                return remake(node, factors, node.coefficient * Fraction(common) ** power)
    return None


def _transposed(node: Node, again: Again) -> Node | None:
    """A linear operation is applied to the other side of an inner product where that is shorter."""
    assert isinstance(node, Contraction)
    if not node.summed:
        return None
    others = [again(other) for other in moved(node)]
    if not others:
        return None
    found = min(others, key=_effort)
    return found if _effort(found) < _effort(node) else None


def _effort(node: Node) -> int:
    """The length of a node, operations that are linear in an argument (changes of functions) counted twice."""
    calls = (part for part in postorder([node]) if isinstance(part, Call))
    return length(node) + sum(2 for part in calls if any(rule.kind == "adjoint" for rule in part.op.rules))


RULES: tuple[Rewrite, ...] = (
    _idempotent,
    _symmetric,
    _orthogonal,
    _inverted,
    _blocks,
    _sums_to_one,
    _sigmoid_quotient,
    _tanh_quotient,
    _signs,
    _gated,
    _softmax_quotient,
    _exponents,
    _one_scalar_out,
    _joined_power,
    _multiplied_out,
    _opposites,
    _sign_inside,
    _turned_sum,
    _stacked_terms,
    _entries_opened,
    _transposed,
    _gathered,
)
