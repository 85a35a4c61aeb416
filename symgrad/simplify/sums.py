"""Rules for sums: like terms collected, common factors taken out, known functions and complements recognised.

Contract: `RULES` are tried in this order on a sum whose terms are settled.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations

from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Label,
    Node,
    Rational,
    Sum,
    Window,
    add,
    constant,
    contract,
    delta,
    is_zero,
    magnitude,
    negate,
    number,
    postorder,
    scale,
    split,
)
from symgrad.ops import apply
from symgrad.simplify.form import (
    LONG,
    MAX_TERMS,
    Again,
    Rewrite,
    axes,
    content_of,
    factors_of,
    length,
    named,
    remake,
    replaced,
)
from symgrad.simplify.stacked import commutation, stacked_rows, uncommuted
from symgrad.simplify.symmetry import product_key, symmetric

#: Complementary conditions are looked for among so few only.
MAX_GATES = 4


def _positive_first(node: Node, _: Again) -> Node | None:
    """b - a rather than -a + b."""
    assert isinstance(node, Sum)
    if node.terms[0][0] > 0 or all(c < 0 for c, _ in node.terms):
        return None
    return add([*(t for t in node.terms if t[0] > 0), *(t for t in node.terms if t[0] < 0)])


def _collected(node: Node, _: Again) -> Node | None:
    """Terms that differ only in the order of their factors become one."""
    assert isinstance(node, Sum)
    groups: dict[Hashable, tuple[Rational, Node]] = {}
    for coefficient, term in node.terms:
        known = frozenset(f for f, labels, _ in factors_of(term) if len(labels) == 2 and symmetric(f))
        key = product_key(term, known=known)
        total, first = groups.get(key, (0, term))
        groups[key] = (total + coefficient, first)
    if len(groups) == len(node.terms):
        return None
    return add(groups.values(), node.shape)


def _expanded(node: Node, again: Again) -> Node | None:
    """The sum multiplied out, if that is shorter: y (1 - p) - (1 - y) p is y - p."""
    assert isinstance(node, Sum)
    terms: list[tuple[Rational, Node]] = []
    opened = 0
    for coefficient, term in node.terms:
        parts = _distributed(term)
        opened += len(parts) > 1
        terms.extend((coefficient * c, part) for c, part in parts)
        if len(terms) > MAX_TERMS:
            return None
    if not opened or (opened == 1 and len(node.terms) == 1) or (own := length(node)) > LONG:
        return None
    flat = add(terms, node.shape)
    better = (_collected(flat, again) or flat) if isinstance(flat, Sum) else flat
    factored = _best_factoring(better) if isinstance(better, Sum) else None
    best = min((b for b in (better, factored) if b is not None), key=length)
    return best if length(best) < own else None


def _distributed(term: Node) -> list[tuple[Rational, Node]]:
    """A product over one sum as the sum of its products."""
    if isinstance(term, Contraction):
        for k, (base, labels, power) in enumerate(term.factors):
            if power == 1 and isinstance(base, Sum):
                return [(c, remake(term, replaced(term, k, [(t, labels, 1)]))) for c, t in base.terms]
    return [(1, term)]


def _factored(node: Node, _: Again) -> Node | None:
    """Common factors taken out where that is shorter: A x + Aᵀ x is (A + Aᵀ) x."""
    assert isinstance(node, Sum)
    return _best_factoring(node)


def _best_factoring(node: Sum) -> Node | None:
    if len(node.terms) > MAX_TERMS or (own := length(node)) > 5 * LONG:
        return None
    common = content_of(node)
    best: Node | None = None
    plain = all(len(factors_of(term)) == 1 or (common.denominator > 1 and constant(term)) for _, term in node.terms)
    halves = common.denominator > 1 and all(c in (common, -common) for c, _ in node.terms)
    if common not in (1, -1) and (plain or halves) and all(magnitude(c) != 1 for c, _ in node.terms):
        best = scale(add([(Fraction(c) / common, t) for c, t in node.terms]), common)
    shortest = own if best is None else length(best)
    for candidate in _shared_factors(node):
        long = length(candidate)
        if long < shortest:
            best, shortest = candidate, long
    return best


def _complements(node: Node, again: Again) -> Node | None:
    """p 1[u > 0] + q 1[u ≤ 0] is q + (p - q) 1[u > 0] where p - q is ±1: τ - 1[r ≤ 0]; else p if u > 0, q otherwise."""
    assert isinstance(node, Sum)
    for (k, j), (m, i), labels in _complementary(node, again):
        (c, one), (d, two) = node.terms[k], node.terms[m]
        gate, other = factors_of(one)[j][0], factors_of(two)[i][0]
        p, q = scale(_left_out(one, j), c), scale(_left_out(two, i), d)
        rest = [term for n, term in enumerate(node.terms) if n not in (k, m)]
        for always, often, hot in ((q, p, gate), (p, q, other)):
            gap = again(add([often, (-1, always)]))
            if constant(gap) not in (1, -1) or constant(always) is not None:
                continue
            better = add([*rest, always, _gated_by(gap, hot, labels)], node.shape)
            if length(better) < length(node):
                return better
        if labels in ((), axes(node)):
            chosen = (gate, p, q) if named(gate) == "positive" else (other, q, p)
            return add([*rest, apply("where", *chosen)], node.shape)
    return None


def _complementary(node: Sum, again: Again) -> Iterator[tuple[tuple[int, int], tuple[int, int], tuple[int, ...]]]:
    """Where 1[u > 0] and 1[u ≤ 0] are: of each the place of its term, and its own in the term; and their labels."""
    gates = [(k, j) for k, (_, t) in enumerate(node.terms) for j, f in enumerate(factors_of(t)) if _is_gate(f)]
    if not 2 <= len(gates) <= MAX_GATES:
        return
    for (k, j), (m, i) in combinations(gates, 2):
        (gate, labels, _), (other, own, _) = factors_of(node.terms[k][1])[j], factors_of(node.terms[m][1])[i]
        assert isinstance(gate, Call)
        assert isinstance(other, Call)
        apart = m > k and own == labels and other.op is not gate.op
        if apart and is_zero(again(add([gate.args[0], other.args[0]]))):
            yield (k, j), (m, i), labels


def _is_gate(factor: Factor) -> bool:
    return factor[2] == 1 and named(factor[0]) in ("positive", "nonnegative")


def _left_out(term: Node, j: int) -> Node:
    """A product without one factor, of the same shape."""
    rest = [factor for k, factor in enumerate(factors_of(term)) if k != j]
    sizes: dict[Label, int | str] = dict(enumerate(term.sizes if isinstance(term, Contraction) else term.shape))
    coefficient = term.coefficient if isinstance(term, Contraction) else 1
    return contract(rest, axes(term), coefficient, sizes)


def _gated_by(node: Node, gate: Node, labels: tuple[int, ...]) -> Node:
    return contract([(gate, labels), (node, axes(node))], axes(node), 1, dict(enumerate(node.shape)))


def _entries_opened(node: Node, _: Again) -> Node | None:
    """A tensor of more than two axes is written by its entries, multiplied out: 2 p_i p_j p_k - p_i δ_ij p_k."""
    assert isinstance(node, Sum)
    if node.rank < 3:
        return None
    terms = [(c * d, part) for c, term in node.terms for d, part in _tensors_opened(term)]
    if len(terms) == len(node.terms) or len(terms) > MAX_TERMS:
        return None
    return add(terms, node.shape)


def _tensors_opened(term: Node) -> list[tuple[Rational, Node]]:
    """A product over a sum of tensors, or of such with an identity among them, as its terms."""
    if isinstance(term, Contraction):
        for k, (base, labels, power) in enumerate(term.factors):
            if power == 1 and isinstance(base, Sum) and (base.rank > 2 or (base.rank == 2 and _spread(base))):
                return [(c, remake(term, replaced(term, k, [(t, labels, 1)]))) for c, t in base.terms]
    return [(1, term)]


def _spread(node: Sum) -> bool:
    """Whether an identity, or a product that is no product of matrices, is among the terms."""
    return any(
        isinstance(part, Contraction) and (len(part.factors) > 1 and not part.summed) for _, part in node.terms
    ) or any(isinstance(part, Delta) for _, part in node.terms)


def _commutation_out(node: Node, _: Again) -> Node | None:
    """K A + K B = K (A + B) and A + K A = (I + K) A, for Kronecker products A and B and the commutation matrix K."""
    assert isinstance(node, Sum)
    if node.rank != 2:
        return None
    found = [(c, t, uncommuted(t)) for c, t in node.terms]
    turned = [(c, upright) for c, _, upright in found if upright is not None]
    if not turned or len(node.terms) < 2:
        return None
    K = next(commutation(*rows) for _, t, upright in found if upright is not None and (rows := stacked_rows(upright)))
    straight = add([(c, t) for c, t, upright in found if upright is None], node.shape)
    if len(turned) == len(node.terms):
        return contract([(K, (0, "k")), (add(turned), ("k", 1))], (0, 1))
    if 2 * len(turned) == len(node.terms) and _collected_whole(add(turned)) == _collected_whole(straight):
        both = add([delta(node.shape[0]), K])
        return contract([(both, (0, "k")), (straight, ("k", 1))], (0, 1))
    return None


def _collected_whole(node: Node) -> Hashable:
    """A key of a sum whatever the order of its terms and of their factors."""
    terms = node.terms if isinstance(node, Sum) else ((1, node),)
    return frozenset((c, product_key(t)) for c, t in terms)


def _common_denominator(node: Node, again: Again) -> Node | None:
    """1/d - u/d² = (d - u)/d², if d then vanishes above: 1/(1 + u) - u/(1 + u)² = 1/(1 + u)²."""
    assert isinstance(node, Sum)
    if len(node.terms) > MAX_TERMS:
        return None
    powers: dict[tuple[Node, tuple[int, ...]], dict[int, Rational]] = {}
    for k, (_, term) in enumerate(node.terms):
        for base, labels, power in factors_of(term):
            if power < 0 and isinstance(base, Sum) and all(label < node.rank for label in labels):
                powers.setdefault((base, labels), {})[k] = power
    everywhere = tuple(range(node.rank))
    for (base, labels), of in powers.items():
        least = min(of.values())
        if len(set(of.values())) < 2:
            continue
        terms = [
            (c, contract([(t, everywhere), (base, labels, -least)], everywhere))
            for k, (c, t) in enumerate(node.terms)
            if k in of
        ]
        top = again(add(terms, node.shape))
        rest = [pair for k, pair in enumerate(node.terms) if k not in of]
        better = add([*rest, contract([(top, everywhere), (base, labels, least)], everywhere)], node.shape)
        if length(better) < length(node) and base not in postorder([top]):
            return better
    return None


def _shared_factors(node: Sum) -> Iterable[Node]:
    """For every factor of the first terms, the sum with that factor taken out of all terms that have it."""
    tried: set[Hashable] = set()
    for _, term in node.terms:
        for seed in factors_of(term):
            numbered = named(seed[0]) == "onehot" and constant(seed[0].children[0]) is not None
            if isinstance(seed[0], Window) or numbered:
                continue  # the blocks and the entries of a matrix stay apart
            key = (seed[0], seed[2], tuple(k if k < node.rank else -1 for k in seed[1]))
            if key in tried:
                continue
            tried.add(key)
            sharing = [(c, t) for c, t in node.terms if _match(t, seed, node.rank) is not None]
            if len(sharing) < 2:
                continue
            taken = _take_out(sharing, seed, node.shape)
            some = node.rank > 2 and len(sharing) < len(node.terms)
            if taken is not None and not (some and len(_tensors_opened(taken)) > 1):
                shared = {t for _, t in sharing}
                place = next(k for k, (_, t) in enumerate(node.terms) if t in shared)
                rest: list[Node | tuple[Rational, Node]] = [pair for pair in node.terms if pair[1] not in shared]
                yield add([*rest[:place], taken, *rest[place:]])


def _match(term: Node, seed: Factor, rank: int) -> int | None:
    """The place of a factor of `term` that is `seed` up to the names of summed labels; of a divisor, to any power."""
    base, labels, power = seed
    for k, (other, other_labels, p) in enumerate(factors_of(term)):
        if (
            other is base
            and (p == power or (p < 0 and power < 0))
            and all(a == b or (a >= rank and b >= rank) for a, b in zip(labels, other_labels, strict=True))
        ):
            return k
    return None


def _take_out(sharing: list[tuple[Rational, Node]], seed: Factor, shape: tuple[int | str, ...]) -> Node | None:
    """Σ seed·rest = seed·Σ rest, if every rest is a tensor over the same labels."""
    rank = len(shape)
    base, labels, power = seed
    sizes: dict[Label, int | str] = dict(enumerate(shape))
    bound = [label for label in dict.fromkeys(labels) if label >= rank]
    parts: list[tuple[Rational, list[tuple[Node, tuple[Label, ...], Rational]], frozenset[Label]]] = []
    for coefficient, term in sharing:
        place = _match(term, seed, rank)
        factors = factors_of(term)
        assert place is not None
        rename: dict[int, Label] = {
            b: ("bound", a) for a, b in zip(labels, factors[place][1], strict=True) if a >= rank
        }
        left = [(f, i, p - power if j == place else p) for j, (f, i, p) in enumerate(factors)]
        rest = [(f, tuple(rename.get(k, k) for k in i), p) for f, i, p in left if p != 0]
        if any(isinstance(f, Window) and ("bound", b) in i for f, i, _ in rest for b in bound):
            return None  # x_{i+1} stays an entry of x
        inner = frozenset(k for _, i, _ in rest for k in i if not isinstance(k, int) or k < rank)
        parts.append((coefficient, rest, inner))
        if isinstance(term, Contraction):
            sizes.update({rename.get(k, ("own", id(term), k) if k >= rank else k): d for k, d in enumerate(term.sizes)})
    # What one rest lacks of the result's own axes is repeated along them: p g - p (pᵀ g) is p ⊙ (g - pᵀ g).
    interface: frozenset[Label] = frozenset().union(*(inner for _, _, inner in parts))
    lacking = frozenset().union(*(interface - inner for _, _, inner in parts))
    if any(isinstance(label, tuple) for label in lacking) or any(("bound", b) not in interface for b in bound):
        return None
    whole = set(labels) == set(range(rank)) and all(rest for _, rest, _ in parts) and named(base) != "onehot"
    if lacking and not whole:
        return None
    if len(interface) > max(2, rank):
        return None  # the sum would be no matrix, and the whole could only be written with indices
    order = tuple(sorted(interface, key=lambda k: (isinstance(k, tuple), str(k))))
    total = add([(c, contract(rest, order, 1, {k: sizes[k] for k in order})) for c, rest, _ in parts])
    if is_zero(total):
        return number(0, shape)
    if isinstance(total, Sum) and any(p > 0 for _, rest, _ in parts for f, _, p in rest if f is base and power < 0):
        return None  # it would only be multiplied out again
    outer = tuple(k if k < rank else ("bound", k) for k in labels)
    return contract([(total, order), (base, outer, power)], tuple(range(rank)), 1, {k: sizes[k] for k in range(rank)})


def _repeated_sigmoid(node: Node, _: Again) -> Node | None:
    """1 - sigmoid(-u) is sigmoid(u), where the negative is the longer one."""
    assert isinstance(node, Sum)
    if len(node.terms) != 2:
        return None
    for (a, one), (b, other) in (node.terms, node.terms[::-1]):
        if constant(one) is not None and (a, b) == (1, -1) and named(other) == "sigmoid":
            inner = other.args[0]  # type: ignore[attr-defined]
            if split(inner)[0] < 0:
                return apply("sigmoid", negate(inner))
    return None


def _saturating(node: Node, _: Again) -> Node | None:
    """s - s² is s (1 - s) for a sigmoid s, and so for every function that saturates at 1: the form that is stable."""
    assert isinstance(node, Sum)
    present = {term: c for c, term in node.terms}
    for c, term in node.terms:
        for k, (base, labels, power) in enumerate(factors_of(term)):
            if not isinstance(base, Call) or base.op.complement is None or not isinstance(term, Contraction):
                continue
            known = base.op.complement[0]
            if power <= known:
                continue
            lower = remake(term, replaced(term, k, [(base, labels, power - known)]))
            if present.get(lower) == -c:
                gap = add([number(1, base.shape), negate(contract([(base, axes(base), known)], axes(base)))])
                both = remake(term, replaced(term, k, [(base, labels, power - known), (gap, labels, 1)]))
                return add([(a, t) if t is not lower else (-c, both) for a, t in node.terms if t is not term])
    return None


RULES: tuple[Rewrite, ...] = (
    _collected,
    _complements,
    _repeated_sigmoid,
    _expanded,
    _saturating,
    _entries_opened,
    _commutation_out,
    _common_denominator,
    _factored,
    _positive_first,
)
