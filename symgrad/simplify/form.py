"""What the rules of simplification share: what a rule is, the measure of a form, and hands for products and sums.

Contract: a rule gets a node whose children are settled, and a way to settle what it builds; it gives another form
of the node, or None.  Forms compete by `length`, the number of symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm
from weakref import WeakKeyDictionary

from symgrad.expr import (
    Call,
    Contraction,
    Factor,
    Label,
    Node,
    Rational,
    Sum,
    add,
    constant,
    contract,
    magnitude,
    postorder,
)

#: A rule gets a node with settled children, and a way to settle what it builds.
Again = Callable[[Node], Node]
Rewrite = Callable[[Node, Again], Node | None]
#: Products are multiplied out only up to this many terms.
MAX_TERMS = 16
#: Decimals such as 0.044715 are left where they are: only small denominators are taken out of a sum.
MAX_DENOMINATOR = 100
#: Nothing longer is multiplied out: nobody reads it, and parts that are shared would no longer be.
LONG = 400
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


def remake(node: Contraction, factors: Iterable[Factor], coefficient: Rational | None = None) -> Node:
    """The contraction with other factors; a label that no factor carries any more is not summed."""
    kept = list(factors)
    used = {label for _, labels, _ in kept for label in labels} | set(range(node.rank))
    sizes: dict[Label, int | str] = {k: d for k, d in enumerate(node.sizes) if k in used}
    return contract(kept, tuple(range(node.rank)), node.coefficient if coefficient is None else coefficient, sizes)


def named(node: Node) -> str:
    return node.op.name if isinstance(node, Call) else ""


def replaced(node: Contraction, k: int, new: list[Factor]) -> list[Factor]:
    return [*node.factors[:k], *new, *node.factors[k + 1 :]]


def one_plus_exp(node: Node) -> Node | None:
    """u where `node` is 1 + exp(u), else None."""
    if not isinstance(node, Sum) or len(node.terms) != 2:
        return None
    (a, one), (b, other) = node.terms
    if constant(one) is None:
        (a, one), (b, other) = (b, other), (a, one)
    if a == b == 1 and constant(one) == 1 and named(other) == "exp":
        return other.args[0]  # type: ignore[attr-defined,no-any-return]
    return None


def sum_of_exp(node: Node) -> tuple[Node, int] | None:
    """(exp(u), axis) where `node` is the sum of exp(u) over one axis."""
    if not isinstance(node, Contraction) or len(node.factors) != 1 or len(node.sizes) != node.rank + 1:
        return None
    base, labels, power = node.factors[0]
    if named(base) != "exp" or power != 1 or node.coefficient != 1 or len(set(labels)) != len(labels):
        return None
    place = labels.index(node.rank)
    return (base, place) if labels[:place] + labels[place + 1 :] == tuple(range(node.rank)) else None


def negate_sum(node: Node) -> Node:
    """-node, the sign inside."""
    assert isinstance(node, Sum)
    return add([(-c, t) for c, t in node.terms])


def turn_of(term: Node) -> int:
    """1 for a transpose, -1 for a matrix as it stands, 0 for what is neither."""
    axes = {labels for _, labels, _ in factors_of(term) if len(labels) == 2}
    return int(axes == {(1, 0)}) - int(axes == {(0, 1)})


def content_of(node: Sum) -> Rational:
    """The rational that all coefficients share; its sign makes the first one positive where all are negative."""
    values = [Fraction(c) for c, _ in node.terms]
    below = lcm(*(v.denominator for v in values))
    common = Fraction(gcd(*(v.numerator for v in values)), below if below <= MAX_DENOMINATOR else 1)
    if all(v < 0 for v in values):
        common = -common
    return common.numerator if common.denominator == 1 else common


def factors_of(term: Node) -> tuple[Factor, ...]:
    if isinstance(term, Contraction):
        return term.factors
    return ((term, tuple(range(term.rank)), 1),)


def axes(node: Node) -> tuple[int, ...]:
    return tuple(range(node.rank))
