"""Simplification: known functions recognised, like terms collected, common factors taken out, the shortest form kept.

Contract: `simplify(node)` is the same function (on the domain of `node`) in the form of a textbook, by one pass from
the leaves up in which the rules for its kind rewrite every node.  A rule is a function from a node to a node or None;
the table `RULES` holds all of them.  Forms compete by `length`, the number of symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from weakref import WeakKeyDictionary

from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Label,
    Node,
    Rational,
    Size,
    Stacking,
    Sum,
    Variable,
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
    rebuild,
    relabel,
    scale,
    size,
    split,
)
from symgrad.ops import apply
from symgrad.simplify import blocks
from symgrad.simplify.symmetry import product_key, symmetric
from symgrad.simplify.transposes import moved
from symgrad.simplify.trees import arranged, powers_gathered

#: A rule gets a node with settled children, and a way to settle what it builds.
Again = Callable[[Node], Node]
Rewrite = Callable[[Node, Again], Node | None]
#: Products are multiplied out only up to this many terms.
MAX_TERMS = 16
#: Decimals such as 0.044715 are left where they are: only small denominators are taken out of a sum.
MAX_DENOMINATOR = 100
#: Nothing longer is multiplied out: nobody reads it, and parts that are shared would no longer be.
LONG = 400
#: Complementary conditions are looked for among so few only.
MAX_GATES = 4
#: How often one node may be rewritten; the rules shorten, so this is only reached by a mistake in them.
MAX_ROUNDS = 12


def simplify(root: Node) -> Node:
    """`root` in its shortest known form, factors in the order in which they are written."""
    return Simplifier().simplify(root)


def simplify_result(root: Node) -> Node:
    """`simplify` for a derivative; see `Simplifier.result`."""
    return Simplifier().result(root)


def same(one: Node, other: Node) -> bool:
    """Whether two expressions are equal up to the order of terms and factors and the names of summed labels.

    True is a proof; False says nothing.
    """
    if one is other:
        return True
    numbers: dict[Hashable, int] = {}
    keys: dict[Node, int] = {}
    for node in postorder([one, other]):
        keys[node] = numbers.setdefault(_key(node, keys), len(numbers))
    return keys[one] == keys[other]


def _key(node: Node, keys: Mapping[Node, int]) -> Hashable:
    """What `node` is, given the keys of its children; equal keys mean equal values."""
    if isinstance(node, Sum):
        return "sum", frozenset((c, keys[t]) for c, t in node.terms)
    if isinstance(node, Contraction):
        return "product", node.coefficient, product_key(node, keys)
    if isinstance(node, Call):
        return node.op, tuple(keys[a] for a in node.args), node.params
    return node


class Simplifier:
    """Simplification with a memory: expressions that share parts share the work."""

    def __init__(self) -> None:
        self.memo: dict[Node, Node] = {}
        self.order: dict[Node, Node] = {}

    def simplify(self, root: Node) -> Node:
        """`root` in its shortest known form, factors in the order in which they are written."""
        return arranged(self.settled(root), self.order)

    def result(self, root: Node) -> Node:
        """`simplify`, and of a plain sum the longer terms first: a derivative has data before regularisation."""
        node = self.simplify(root)
        if not isinstance(node, Sum) or any(c < 0 for c, _ in node.terms):
            return node
        terms: list[tuple[Rational, Node]] = sorted(node.terms, key=lambda term: -length(term[1]))
        return add(terms)

    def settled(self, root: Node) -> Node:
        for node in postorder([root], self.memo):
            if node not in self.memo:
                self.memo[node] = self.rewritten(rebuild(node, self.memo.__getitem__) if node.children else node)
        return self.memo[root]

    def rewritten(self, node: Node) -> Node:
        """`node`, whose children are settled, by the first rule that applies, until none does.

        While a rule tries another form of it, the node stands for itself: two rules that undo each other then end.
        """
        self.memo[node] = node
        for _ in range(MAX_ROUNDS):
            better = next(
                (b for rule in RULES.get(type(node), ()) if (b := rule(node, self.settled)) is not None), node
            )
            if better is node:
                break
            node = rebuild(better, self.settled)
        self.memo[node] = node
        return node


#: The lengths of expressions that are alive; a length is a property of its node.
_LENGTHS: WeakKeyDictionary[Node, int] = WeakKeyDictionary()


def length(root: Node) -> int:
    """How long the written form of `root` is: 2 a name, number, function or operator, 1 a pair of brackets."""
    memo = _LENGTHS
    for node in postorder([root], memo):
        own = 2
        if isinstance(node, Sum):
            own = 2 * sum(1 + (magnitude(c) != 1) for c, _ in node.terms) - 2
        elif isinstance(node, Contraction):
            own = 2 * int(magnitude(node.coefficient) != 1 or not node.factors)
            # σ(u)² counts as much as σ(u) and a pair of brackets, so that σ(u) (1 - σ(u)) stays.
            own += sum(2 + isinstance(f, Call) for f, _, p in node.factors if p != 1)
            own += sum(isinstance(f, Sum) for f, _, _ in node.factors)
        memo[node] = own + sum(memo[child] for child in node.children)
    return memo[root]


# --- products ---------------------------------------------------------------------------------------------------------


def _remake(node: Contraction, factors: Iterable[Factor], coefficient: Rational | None = None) -> Node:
    """The contraction with other factors; a label that no factor carries any more is not summed."""
    kept = list(factors)
    used = {label for _, labels, _ in kept for label in labels} | set(range(node.rank))
    sizes: dict[Label, int | str] = {k: d for k, d in enumerate(node.sizes) if k in used}
    return contract(kept, tuple(range(node.rank)), node.coefficient if coefficient is None else coefficient, sizes)


def _name(node: Node) -> str:
    return node.op.name if isinstance(node, Call) else ""


def _idempotent(node: Node, _: Again) -> Node | None:
    """1[c]^p = 1[c], onehot^p = onehot, |x|² = x²."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if power != 1 and isinstance(base, Call):
            if (base.op.symbol or base.op.name in ("onehot", "argmax")) and power > 0:
                return _remake(node, _replaced(node, k, [(base, labels, 1)]))
            if base.op.name == "abs" and isinstance(power, int) and power % 2 == 0:
                return _remake(node, _replaced(node, k, [(base.args[0], labels, power)]))
            if base.op.name == "exp":
                return _remake(node, _replaced(node, k, [(apply("exp", scale(base.args[0], power)), labels, 1)]))
    return None


def _replaced(node: Contraction, k: int, new: list[Factor]) -> list[Factor]:
    return [*node.factors[:k], *new, *node.factors[k + 1 :]]


def _symmetric(node: Node, _: Again) -> Node | None:
    """Aᵀ = A for a matrix that is symmetric, by assumption or as it is made."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if len(labels) == 2 and labels[0] > labels[1] and symmetric(base):
            return _remake(node, _replaced(node, k, [(base, labels[::-1], power)]))
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
                return _remake(node, [*rest, (delta(base.shape[1 - axis]), ends, 1)])
    return None


def _inverse(node: Node, _: Again) -> Node | None:
    """Q⁻¹ = Qᵀ for an orthogonal Q."""
    assert isinstance(node, Call)
    arg = node.args[0] if node.op.name == "inverse" else None
    if isinstance(arg, Variable) and "orthogonal" in arg.assumptions:
        return relabel(arg, (0, 1), (1, 0))
    return None


def _unstacked(node: Node, _: Again) -> Node | None:
    """What is stacked and taken apart again is as it was: of two equal stackings along one summed axis, identities."""
    assert isinstance(node, Contraction)
    stackings = [k for k, (base, _, _) in enumerate(node.factors) if isinstance(base, Stacking)]
    for first, second in combinations(stackings, 2):
        (base, one, _p), (twin, other, _q) = node.factors[first], node.factors[second]
        rest = [f for k, f in enumerate(node.factors) if k not in (first, second)]
        elsewhere = {label for _, labels, _ in rest for label in labels} | set(range(node.rank))
        if base is not twin:
            continue
        if one[2] == other[2] and one[2] not in elsewhere:
            pairs = [(delta(base.shape[0]), (one[0], other[0]), 1), (delta(base.shape[1]), (one[1], other[1]), 1)]
            return _remake(node, [*rest, *pairs])
        if one[:2] == other[:2] and not elsewhere.intersection(one[:2]):
            return _remake(node, [*rest, (delta(base.shape[2]), (one[2], other[2]), 1)])
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
        if power == 1 and _name(base) in ("softmax", "onehot", "argmax") and labels[-1] >= node.rank:
            rest = [f for j, f in enumerate(node.factors) if j != k]
            if labels.count(labels[-1]) == 1 and all(labels[-1] not in other for _, other, _ in rest):
                return _remake(node, [*rest, *_ones_over(node, labels[:-1], rest)])
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
        if _name(base) == "relu" and power > 0:
            gate = present.get((apply("positive", base.args[0]), labels))  # type: ignore[attr-defined]
            if gate is not None:
                return _remake(node, [f for j, f in enumerate(node.factors) if j != gate])
        if _name(base) == "sigmoid" and power > 0:
            partner = present.get((apply("exp", negate(base.args[0])), labels))  # type: ignore[attr-defined]
            if partner is not None and node.factors[partner][2] == 1:
                one = apply("sigmoid", negate(base.args[0]))  # type: ignore[attr-defined]
                factors = [(b, i, p - 1 if j == k else p) for j, (b, i, p) in enumerate(node.factors) if j != partner]
                return _remake(node, [*(f for f in factors if f[2] != 0), (one, labels, 1)])
    return None


def _sigmoid_quotient(node: Node, _: Again) -> Node | None:
    """1/(1 + exp(u)) = sigmoid(-u)."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if isinstance(power, int) and power < 0 and (u := _one_plus_exp(base)) is not None:
            return _remake(node, _replaced(node, k, [(apply("sigmoid", negate(u)), labels, -power)]))
    return None


def _one_plus_exp(node: Node) -> Node | None:
    """u where `node` is 1 + exp(u), else None."""
    if not isinstance(node, Sum) or len(node.terms) != 2:
        return None
    (a, one), (b, other) = node.terms
    if constant(one) is None:
        (a, one), (b, other) = (b, other), (a, one)
    if a == b == 1 and constant(one) == 1 and _name(other) == "exp":
        return other.args[0]  # type: ignore[attr-defined,no-any-return]
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
            return _remake(node, [*rest, (apply("tanh", u), labels, power)])
    return None


def _hyperbolic(node: Node, name: str, sign: int) -> Node | None:
    """u where `node` is cosh(u), or e^u + e^(-u); with the sign -1, sinh(u) or e^u - e^(-u)."""
    if isinstance(node, Call) and node.op.name == name:
        return node.args[0]
    if not isinstance(node, Sum) or len(node.terms) != 2 or any(_name(term) != "exp" for _, term in node.terms):
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
                return _remake(node, [*rest, (apply("exp", exponent), labels, 1)])
    return None


def _signs(node: Node, _: Again) -> Node | None:
    """u sign(u) = |u| and |u|^p sign(u) = u |u|^(p-1)."""
    assert isinstance(node, Contraction)
    present = {(f, labels): k for k, (f, labels, p) in enumerate(node.factors)}
    for k, (base, labels, power) in enumerate(node.factors):
        if _name(base) != "sign" or power != 1:
            continue
        u: Node = base.args[0]  # type: ignore[attr-defined]
        size = apply("abs", u)
        for partner, more in ((u, [(size, labels, 1)]), (size, [(u, labels, 1)])):
            j = present.get((partner, labels))
            if j is not None:
                left = [(f, i, p - 1 if m == j else p) for m, (f, i, p) in enumerate(node.factors) if m != k]
                return _remake(node, [*(f for f in left if f[2] != 0), *more])
    return None


def _softmax_quotient(node: Node, _: Again) -> Node | None:
    """exp(u)_c / Σ_c exp(u)_c = softmax(u)_c, along whichever axis is summed."""
    assert isinstance(node, Contraction)
    for k, (below, below_labels, power) in enumerate(node.factors):
        if power != -1 or (found := _sum_of_exp(below)) is None:
            continue
        exponential, place = found
        for j, (base, labels, p) in enumerate(node.factors):
            if base is exponential and p == 1 and labels[:place] + labels[place + 1 :] == below_labels:
                probability = _softmax_along(exponential.args[0], place)  # type: ignore[attr-defined]
                rest = [f for i, f in enumerate(node.factors) if i not in (j, k)]
                return _remake(node, [*rest[:j], (probability, labels, 1), *rest[j:]])
    return None


def _sum_of_exp(node: Node) -> tuple[Node, int] | None:
    """(exp(u), axis) where `node` is the sum of exp(u) over one axis."""
    if not isinstance(node, Contraction) or len(node.factors) != 1 or len(node.sizes) != node.rank + 1:
        return None
    base, labels, power = node.factors[0]
    if _name(base) != "exp" or power != 1 or node.coefficient != 1 or len(set(labels)) != len(labels):
        return None
    place = labels.index(node.rank)
    return (base, place) if labels[:place] + labels[place + 1 :] == tuple(range(node.rank)) else None


def _softmax_along(u: Node, place: int) -> Node:
    axes = tuple(range(u.rank))
    order = axes[:place] + axes[place + 1 :] + (place,)
    return relabel(apply("softmax", relabel(u, axes, order)), order, axes)


def _joined_power(node: Node, _: Again) -> Node | None:
    """x^p x^q is x^(p + q) for a power p that is no number, where that is shorter."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if _name(base) != "power" or power != 1:
            continue
        x, p = base.args  # type: ignore[attr-defined]
        for j, (other, other_labels, q) in enumerate(node.factors):
            if other is x and other_labels == labels and not p.shape:
                joined = apply("power", x, add([(1, p), (q, number(1))]))
                factors = _replaced(node, k, [(joined, labels, 1)])
                better = _remake(node, [f for i, f in enumerate(factors) if i != j])
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
        terms = [(c, _remake(node, _replaced(node, k, [(t, labels, 1)]))) for c, t in base.terms]
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
        for f, inner, p in _factors(term):
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
    return _remake(node, _replaced(node, k, [(negate_sum(base), labels, 1)]), -node.coefficient)


def negate_sum(node: Node) -> Node:
    """-node, the sign inside."""
    assert isinstance(node, Sum)
    return add([(-c, t) for c, t in node.terms])


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
            turned = _replaced(node, k, [(first, labels, power)])
            return _remake(node, turned, node.coefficient * (sign if power % 2 else 1))
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
            turned = sum(_turn(term) for _, term in base.terms)
            if turned > 0:
                upright = add([(c, relabel(t, (0, 1), (1, 0))) for c, t in base.terms])
                return _remake(node, _replaced(node, k, [(upright, labels[::-1], power)]))
    return None


def _turn(term: Node) -> int:
    """1 for a transpose, -1 for a matrix as it stands, 0 for what is neither."""
    axes = {labels for _, labels, _ in _factors(term) if len(labels) == 2}
    return int(axes == {(1, 0)}) - int(axes == {(0, 1)})


def _gathered(node: Node, _: Again) -> Node | None:
    """Equal parts of a product are one power."""
    assert isinstance(node, Contraction)
    return powers_gathered(node)


def _one_scalar_out(node: Node, _: Again) -> Node | None:
    """A factor 2 x + 4 y gives its 2 to the coefficient, so that numbers meet."""
    assert isinstance(node, Contraction)
    for k, (base, labels, power) in enumerate(node.factors):
        if isinstance(base, Sum) and isinstance(power, int):
            common = _content(base)
            if common != 1:
                reduced = add([(Fraction(c) / common, t) for c, t in base.terms])
                factors = _replaced(node, k, [(reduced, labels, power)])
                return _remake(node, factors, node.coefficient * Fraction(common) ** power)
    return None


# --- calls ------------------------------------------------------------------------------------------------------------


def _log(node: Node, again: Again) -> Node | None:
    """log exp u = u; log Π = Σ log where every factor is positive; log Σ exp = logsumexp; log(1 + exp u) = softplus."""
    assert isinstance(node, Call)
    if node.op.name != "log":
        return None
    arg = node.args[0]
    if _name(arg) == "exp":
        return arg.args[0]  # type: ignore[attr-defined,no-any-return]
    if _name(arg) == "softmax":
        return apply("log_softmax", arg.args[0])  # type: ignore[attr-defined]
    if _name(arg) == "abs" and _name(arg.args[0]) == "det":  # type: ignore[attr-defined]
        return apply("logdet", arg.args[0].args[0])  # type: ignore[attr-defined]
    if (u := _one_plus_exp(arg)) is not None:
        return apply("softplus", u)
    if (found := _sum_of_exp(arg)) is not None:
        exponential, place = found
        axes = tuple(range(exponential.rank))
        order = axes[:place] + axes[place + 1 :] + (place,)
        return apply("logsumexp", relabel(exponential.args[0], axes, order))  # type: ignore[attr-defined]
    return _log_of_product(arg, again)


def _log_of_product(arg: Node, again: Again) -> Node | None:
    if not isinstance(arg, Contraction) or arg.summed or arg.coefficient < 0 or not arg.factors:
        return None
    known = any(_name(f) in ("exp", "softmax") or _sum_of_exp(f) for f, _, _ in arg.factors)
    if not known or not all(_positive(f) for f, _, _ in arg.factors):
        return None
    axes = tuple(range(arg.rank))
    sizes: dict[Label, int | str] = dict(enumerate(arg.sizes))
    terms: list[tuple[Rational, Node]] = []
    for base, labels, power in arg.factors:
        logarithm = again(apply("log", base))
        terms.append((power, contract([(logarithm, labels)], axes, 1, sizes)))
    if arg.coefficient != 1:
        terms.append((1, contract([(apply("log", number(arg.coefficient)), ())], axes, 1, sizes)))
    return add(terms)


def _positive(node: Node) -> bool:
    """Whether `node` is positive wherever it is defined, for certain."""
    if isinstance(node, Call):
        return node.op.name in ("exp", "softmax", "sigmoid", "softplus", "cosh")
    if isinstance(node, Size):
        return True
    if isinstance(node, Sum):
        return all(c > 0 and (_positive(t) or (constant(t) or 0) > 0) for c, t in node.terms)
    if isinstance(node, Contraction):
        return node.coefficient > 0 and all(_positive(f) for f, _, _ in node.factors)
    return False


def _turned(node: Node, _: Again) -> Node | None:
    """f(Xᵀ) is f(X), or f(X)ᵀ where that is a matrix, for the functions that say so."""
    assert isinstance(node, Call)
    if not node.op.turns or not isinstance(node.args[0], Contraction) or node.args[0].coefficient != 1:
        return None
    if _turn(node.args[0]) != 1 or len(node.args[0].factors) != 1:
        return None
    upright = apply(node.op.name, relabel(node.args[0], (0, 1), (1, 0)), *node.args[1:])
    return relabel(upright, (0, 1), (1, 0)) if node.rank == 2 else upright


def _unscaled(node: Node, _: Again) -> Node | None:
    """1[c u > 0] is 1[u > 0] for c > 0, sign(c u) is sign(u), and (c A)⁻¹ is A⁻¹/c."""
    assert isinstance(node, Call)
    if node.op.name == "inverse":
        return _inverse_unscaled(node)
    if not (node.op.symbol or node.op.name == "sign"):
        return None
    coefficient, rest = split(node.args[0])
    if node.op.symbol in (">", ">=") and _name(rest) == "relu":
        return _of_rectified(node.op.symbol, coefficient, rest)
    size = magnitude(coefficient)
    return None if size in (0, 1) else apply(node.op.name, scale(rest, 1 if coefficient > 0 else -1))


def _of_rectified(symbol: str, coefficient: Rational, rectified: Node) -> Node | None:
    """1[max(0, u) > 0] is 1[u > 0], and 1[-max(0, u) >= 0] is 1[u <= 0]."""
    (inside,) = rectified.children
    if coefficient > 0 and symbol == ">":
        return apply("positive", inside)
    return apply("nonnegative", negate(inside)) if coefficient < 0 and symbol == ">=" else None


def _outside(node: Node, _: Again) -> Node | None:
    """1[u - E u > 0] = 1[u > 0] - E 1[u > 0], where E is 1 in some places and 0 elsewhere: u is set to zero there."""
    assert isinstance(node, Call)
    if node.op.symbol != ">":
        return None
    arg = node.args[0]
    if not isinstance(arg, Sum) or len(arg.terms) != 2:
        return None
    axes = tuple(range(node.rank))
    for (c, whole), (d, part) in (arg.terms, arg.terms[::-1]):
        if c <= 0 or c + d != 0 or not isinstance(part, Contraction) or part.summed or part.coefficient != 1:
            continue
        rest = [f for f in part.factors if f != (whole, axes, 1)]
        if len(rest) + 1 == len(part.factors) and all(_name(f) == "onehot" or isinstance(f, Delta) for f, _, _ in rest):
            inside = apply("positive", whole)
            return add([inside, (-1, contract([(inside, axes), *rest], axes))])
    return None


def _inverse_unscaled(node: Call) -> Node | None:
    inner = node.args[0]
    if not isinstance(inner, Contraction):
        return None
    scalars = [(f, (), -p) for f, i, p in inner.factors if not i]
    if not scalars and magnitude(inner.coefficient) == 1:
        return None
    matrix = _remake(inner, [factor for factor in inner.factors if factor[1]], 1)
    axes = tuple(range(node.rank))
    return contract([(apply("inverse", matrix), axes), *scalars], axes, Fraction(1) / inner.coefficient)


def _selected(node: Node, _: Again) -> Node | None:
    """log(v_y) = (log v)_y: a function of a selected entry is the selected entry of the function."""
    assert isinstance(node, Call)
    if node.op.name not in ("log", "exp") or not isinstance(node.args[0], Contraction):
        return None
    arg = node.args[0]
    if arg.coefficient != 1 or len(arg.factors) != 2 or len(arg.sizes) != arg.rank + 1:
        return None
    for (v, labels, p), (hot, hot_labels, q) in (arg.factors, arg.factors[::-1]):
        whole = len(set(labels)) == len(labels) and arg.rank in labels
        if _name(hot) == "onehot" and p == q == 1 and hot_labels[-1] == arg.rank and whole and _name(v) == "softmax":
            inner = apply(node.op.name, v)
            return _remake(arg, [(inner, labels, 1), (hot, hot_labels, 1)])
    return None


def _shifted(node: Node, _: Again) -> Node | None:
    """softmax(u + c 1) = softmax(u), and log-sum-exp(u + c 1) = c + log-sum-exp(u): what code does against overflow."""
    assert isinstance(node, Call)
    if node.op.name not in ("softmax", "log_softmax", "logsumexp") or not isinstance(node.args[0], Sum):
        return None
    arg = node.args[0]
    last = arg.rank - 1
    level = [(c, t) for c, t in arg.terms if isinstance(t, Contraction) and not any(last in i for _, i, _ in t.factors)]
    if not level or len(level) == len(arg.terms):
        return None
    rest = apply(node.op.name, add([term for term in arg.terms if term not in level]))
    if node.op.name != "logsumexp":
        return rest
    axes = tuple(range(last))
    flat = [
        (c, contract([*t.factors], axes, t.coefficient, {k: d for k, d in enumerate(t.sizes) if k != last}))
        for c, t in level
        if isinstance(t, Contraction)
    ]
    return add([*flat, rest])


# --- sums -------------------------------------------------------------------------------------------------------------


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
        known = frozenset(f for f, labels, _ in _factors(term) if len(labels) == 2 and symmetric(f))
        key = product_key(term, known=known)
        total, first = groups.get(key, (0, term))
        groups[key] = (total + coefficient, first)
    if len(groups) == len(node.terms):
        return None
    return add(groups.values(), node.shape)


def _content(node: Sum) -> Rational:
    """The rational that all coefficients share; its sign makes the first one positive where all are negative."""
    values = [Fraction(c) for c, _ in node.terms]
    below = lcm(*(v.denominator for v in values))
    common = Fraction(gcd(*(v.numerator for v in values)), below if below <= MAX_DENOMINATOR else 1)
    if all(v < 0 for v in values):
        common = -common
    return common.numerator if common.denominator == 1 else common


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
                return [(c, _remake(term, _replaced(term, k, [(t, labels, 1)]))) for c, t in base.terms]
    return [(1, term)]


def _factored(node: Node, _: Again) -> Node | None:
    """Common factors taken out where that is shorter: A x + Aᵀ x is (A + Aᵀ) x."""
    assert isinstance(node, Sum)
    return _best_factoring(node)


def _best_factoring(node: Sum) -> Node | None:
    if len(node.terms) > MAX_TERMS or (own := length(node)) > 5 * LONG:
        return None
    common = _content(node)
    best: Node | None = None
    plain = all(len(_factors(term)) == 1 or (common.denominator > 1 and constant(term)) for _, term in node.terms)
    if common not in (1, -1) and plain and all(magnitude(c) != 1 for c, _ in node.terms):
        best = scale(add([(Fraction(c) / common, t) for c, t in node.terms]), common)
    shortest = own if best is None else length(best)
    for candidate in _shared_factors(node):
        long = length(candidate)
        if long < shortest:
            best, shortest = candidate, long
    return best


def _complements(node: Node, again: Again) -> Node | None:
    """p 1[u > 0] + q 1[u ≤ 0] = q + (p - q) 1[u > 0] where p - q is ±1: τ - 1[r ≤ 0]."""
    assert isinstance(node, Sum)
    gates = [(k, j) for k, (_, t) in enumerate(node.terms) for j, f in enumerate(_factors(t)) if _is_gate(f)]
    if not 2 <= len(gates) <= MAX_GATES:
        return None
    for k, j in gates:
        (c, one), (gate, labels, _) = node.terms[k], _factors(node.terms[k][1])[j]
        assert isinstance(gate, Call)
        for m, i in gates:
            d, two = node.terms[m]
            other, own, _ = _factors(two)[i]
            assert isinstance(other, Call)
            if m <= k or own != labels or other.op is gate.op:
                continue
            if not is_zero(again(add([gate.args[0], other.args[0]]))):
                continue
            p, q = scale(_left_out(one, j), c), scale(_left_out(two, i), d)
            rest = [term for n, term in enumerate(node.terms) if n not in (k, m)]
            for always, often, hot in ((q, p, gate), (p, q, other)):
                gap = again(add([often, (-1, always)]))
                if constant(gap) not in (1, -1) or constant(always) is not None:
                    continue
                better = add([*rest, always, _gated_by(gap, hot, labels)], node.shape)
                if length(better) < length(node):
                    return better
    return None


def _is_gate(factor: Factor) -> bool:
    return factor[2] == 1 and _name(factor[0]) in ("positive", "nonnegative")


def _left_out(term: Node, j: int) -> Node:
    """A product without one factor, of the same shape."""
    rest = [factor for k, factor in enumerate(_factors(term)) if k != j]
    sizes: dict[Label, int | str] = dict(enumerate(term.sizes if isinstance(term, Contraction) else term.shape))
    coefficient = term.coefficient if isinstance(term, Contraction) else 1
    return contract(rest, axes(term), coefficient, sizes)


def _gated_by(node: Node, gate: Node, labels: tuple[int, ...]) -> Node:
    return contract([(gate, labels), (node, axes(node))], axes(node), 1, dict(enumerate(node.shape)))


def _common_denominator(node: Node, again: Again) -> Node | None:
    """1/d - u/d² = (d - u)/d², if d then vanishes above: 1/(1 + u) - u/(1 + u)² = 1/(1 + u)²."""
    assert isinstance(node, Sum)
    if len(node.terms) > MAX_TERMS:
        return None
    powers: dict[tuple[Node, tuple[int, ...]], dict[int, Rational]] = {}
    for k, (_, term) in enumerate(node.terms):
        for base, labels, power in _factors(term):
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
        for seed in _factors(term):
            numbered = _name(seed[0]) == "onehot" and constant(seed[0].children[0]) is not None
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
            if taken is not None:
                shared = {t for _, t in sharing}
                place = next(k for k, (_, t) in enumerate(node.terms) if t in shared)
                rest: list[Node | tuple[Rational, Node]] = [pair for pair in node.terms if pair[1] not in shared]
                yield add([*rest[:place], taken, *rest[place:]])


def _factors(term: Node) -> tuple[Factor, ...]:
    if isinstance(term, Contraction):
        return term.factors
    return ((term, tuple(range(term.rank)), 1),)


def _match(term: Node, seed: Factor, rank: int) -> int | None:
    """The place of a factor of `term` that is `seed` up to the names of summed labels; of a divisor, to any power."""
    base, labels, power = seed
    for k, (other, other_labels, p) in enumerate(_factors(term)):
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
        factors = _factors(term)
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
    whole = set(labels) == set(range(rank)) and all(rest for _, rest, _ in parts) and _name(base) != "onehot"
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
        if constant(one) is not None and (a, b) == (1, -1) and _name(other) == "sigmoid":
            inner = other.args[0]  # type: ignore[attr-defined]
            if split(inner)[0] < 0:
                return apply("sigmoid", negate(inner))
    return None


def _saturating(node: Node, _: Again) -> Node | None:
    """s - s² is s (1 - s) for a sigmoid s, and so for every function that saturates at 1: the form that is stable."""
    assert isinstance(node, Sum)
    present = {term: c for c, term in node.terms}
    for c, term in node.terms:
        for k, (base, labels, power) in enumerate(_factors(term)):
            if not isinstance(base, Call) or base.op.complement is None or not isinstance(term, Contraction):
                continue
            known = base.op.complement[0]
            if power <= known:
                continue
            lower = _remake(term, _replaced(term, k, [(base, labels, power - known)]))
            if present.get(lower) == -c:
                gap = add([number(1, base.shape), negate(contract([(base, axes(base), known)], axes(base)))])
                both = _remake(term, _replaced(term, k, [(base, labels, power - known), (gap, labels, 1)]))
                return add([(a, t) if t is not lower else (-c, both) for a, t in node.terms if t is not term])
    return None


def _transposed(node: Node, again: Again) -> Node | None:
    """A linear operation is applied to the other side of an inner product where that is shorter."""
    assert isinstance(node, Contraction)
    if not node.summed:
        return None
    found = min((again(other) for other in moved(node)), key=_effort, default=node)
    return found if _effort(found) < _effort(node) else None


def _effort(node: Node) -> int:
    """The length of a node, operations that are linear in an argument (changes of functions) counted twice."""
    calls = (part for part in postorder([node]) if isinstance(part, Call))
    return length(node) + sum(2 for part in calls if any(rule.kind == "adjoint" for rule in part.op.rules))


def axes(node: Node) -> tuple[int, ...]:
    return tuple(range(node.rank))


RULES: dict[type, tuple[Rewrite, ...]] = {
    Contraction: (
        _idempotent,
        _symmetric,
        _orthogonal,
        _unstacked,
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
        _transposed,
        _gathered,
    ),
    Call: (_log, _selected, _unscaled, _turned, _inverse, _shifted, _outside),
    Sum: (
        _collected,
        _complements,
        _repeated_sigmoid,
        _expanded,
        _saturating,
        _common_denominator,
        _factored,
        _positive_first,
    ),
}
