"""Before lowering: what would cancel in floating point, written so that it does not.

Contract: `stable(node)` is an equal sum, or `node` itself.  Where a function saturates at 1, `1 - σ(u)` has no digits
left and `σ(-u)` has all of them; the operation's own entry says how (`Operation.complement`).  The Jacobian of softmax,
diag(p) - p pᵀ, has rows that sum to zero, so its diagonal is made of the entries beside it.
`removable` tells where u/‖u‖ is 0/0 whatever the variables are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, permutations

from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Label,
    Node,
    Rational,
    Sum,
    add,
    constant,
    contract,
    delta,
    is_zero,
    number,
    scale,
)
from symgrad.notation.reading import read_rule


def stable(node: Sum) -> Node:
    """`node` with the differences that cancel rewritten."""
    return _complemented(node) or _softmax_jacobian(node) or node


def _complemented(node: Sum) -> Node | None:
    """c - c f(u)^p by the complement of f."""
    if len(node.terms) != 2:
        return None
    for (a, one), (b, term) in (node.terms, node.terms[::-1]):
        value, (base, power) = constant(one), _power(term)
        if value is None or b != -a * value or not isinstance(base, Call) or base.op.complement is None:
            continue
        known, formula = base.op.complement
        if power == known:
            arguments = dict(zip(base.op.args, base.args, strict=True))
            return scale(read_rule(formula, arguments), -b)
    return None


def removable(factor: Factor, factors: Iterable[Factor]) -> bool:
    """Whether u/‖u‖ among these factors is 0/0 at some entries whatever the variables are, as for u_ij = x_i - x_j.

    There the norm has the subgradient 0: `factor` is ‖u‖^p, p negative and odd.
    """
    base, _, power = factor
    if power > 0 or power.denominator != 2 or not isinstance(base, Contraction) or len(base.factors) != 1:
        return False
    ((u, axes, square),) = base.factors
    if square != 2 or not isinstance(u, Sum) or not any(_is_numerator(f, factor, u, axes) for f in factors):
        return False
    pairs = [(axes.index(i), axes.index(j)) for i, j in combinations(range(base.rank), 2) if {i, j} <= {*axes}]
    return any(_vanishes(u, i, j) for i, j in pairs if u.shape[i] == u.shape[j])


def _is_numerator(factor: Factor, below: Factor, u: Sum, axes: tuple[int, ...]) -> bool:
    """Whether a factor is u or -u at the very indices at which `below`, the norm over axes of u, is taken."""
    node, labels, power = factor
    base, at, _ = below
    if power < 1 or not isinstance(node, Sum) or node.rank != u.rank or len(node.terms) != len(u.terms):
        return False
    for order in permutations(range(node.rank)):
        fits = all(axes[a] >= base.rank or at[axes[a]] == labels[m] for m, a in enumerate(order))
        if not fits or any(node.shape[m] != u.shape[a] for m, a in enumerate(order)):
            continue
        turned = add([(c, contract([(term, order)], tuple(range(node.rank)))) for c, term in node.terms])
        if turned is u or scale(turned, -1) is u:
            return True
    return False


def _vanishes(node: Sum, i: int, j: int) -> bool:
    """Whether a sum is zero where its axes i and j are at the same index."""
    labels = tuple(i if k == j else k for k in range(node.rank))
    out = tuple(k for k in range(node.rank) if k != j)
    return is_zero(add([(c, contract([(term, labels)], out)) for c, term in node.terms]))


def _power(node: Node) -> tuple[Node, Rational]:
    """`node` as a plain power of one tensor."""
    if isinstance(node, Contraction) and len(node.factors) == 1 and node.coefficient == 1:
        base, labels, power = node.factors[0]
        if labels == tuple(range(node.rank)) and not node.summed:
            return base, power
    return node, 1


def _softmax_jacobian(node: Sum) -> Node | None:
    """diag(p) - p pᵀ as diag(O 1) - O, where O is p pᵀ with a zero diagonal: rows of a Jacobian of softmax sum to 0."""
    for c, term in node.terms:
        p = _softmax_on_diagonal(term)
        if p is None:
            continue
        batch: tuple[Label, ...] = tuple(range(p.rank - 1))
        i, j = p.rank - 1, p.rank
        outer = contract([(p, (*batch, i)), (p, (*batch, j))], (*batch, i, j))
        if (-c, outer) not in node.terms:
            continue
        n = p.shape[-1]
        beside = add([number(1, (n, n)), (-1, delta(n))])
        off = contract([(outer, (*batch, i, j)), (beside, (i, j))], (*batch, i, j))
        rows = contract([(off, (*batch, i, "k")), (delta(n), (i, j))], (*batch, i, j))
        rest = [(a, t) for a, t in node.terms if t not in (term, outer)]
        return add([*rest, (c, rows), (-c, off)])
    return None


def _softmax_on_diagonal(term: Node) -> Node | None:
    """softmax(u) where `term` is diag(softmax(u)) over its last two axes."""
    if not isinstance(term, Contraction) or len(term.factors) != 2 or term.coefficient != 1 or term.rank < 2:
        return None
    (p, labels, power), (eye, _, _) = sorted(term.factors, key=lambda f: isinstance(f[0], Delta))
    whole = isinstance(p, Call) and p.op.name == "softmax" and isinstance(eye, Delta) and power == 1
    return p if whole and labels == tuple(range(term.rank - 1)) else None
