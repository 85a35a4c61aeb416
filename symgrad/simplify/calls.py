"""Rules for functions of what is settled: logarithms, selections, shifts, inverses, what an argument need not have.

Contract: `RULES` are tried in this order on a call whose arguments are settled.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Label,
    Node,
    Rational,
    Size,
    Sum,
    Variable,
    add,
    constant,
    contract,
    magnitude,
    negate,
    number,
    relabel,
    scale,
    split,
    substitute,
)
from symgrad.ops import apply
from symgrad.simplify.form import Again, Rewrite, named, one_plus_exp, remake, sum_of_exp, turn_of


def _inverse(node: Node, _: Again) -> Node | None:
    """Q⁻¹ = Qᵀ for an orthogonal Q, and (A⁻¹)⁻¹ = A."""
    assert isinstance(node, Call)
    arg = node.args[0] if node.op.name == "inverse" else None
    if arg is not None and named(arg) == "inverse":
        return arg.children[0]
    if isinstance(arg, Variable) and "orthogonal" in arg.assumptions:
        return relabel(arg, (0, 1), (1, 0))
    return None


def _log(node: Node, again: Again) -> Node | None:
    """log exp u = u; log Π = Σ log where every factor is positive; log Σ exp = logsumexp; log(1 + exp u) = softplus."""
    assert isinstance(node, Call)
    if node.op.name != "log":
        return None
    arg = node.args[0]
    if named(arg) == "exp":
        return arg.args[0]  # type: ignore[attr-defined,no-any-return]
    if named(arg) == "softmax":
        return apply("log_softmax", arg.args[0])  # type: ignore[attr-defined]
    if named(arg) == "abs" and named(arg.args[0]) == "det":  # type: ignore[attr-defined]
        return apply("logdet", arg.args[0].args[0])  # type: ignore[attr-defined]
    if (u := one_plus_exp(arg)) is not None:
        return apply("softplus", u)
    if (found := sum_of_exp(arg)) is not None:
        exponential, place = found
        axes = tuple(range(exponential.rank))
        order = axes[:place] + axes[place + 1 :] + (place,)
        return apply("logsumexp", relabel(exponential.args[0], axes, order))  # type: ignore[attr-defined]
    return _log_of_product(arg, again)


def _log_of_product(arg: Node, again: Again) -> Node | None:
    if not isinstance(arg, Contraction) or arg.summed or arg.coefficient < 0 or not arg.factors:
        return None
    known = any(named(f) in ("exp", "softmax") or sum_of_exp(f) for f, _, _ in arg.factors)
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
    if turn_of(node.args[0]) != 1 or len(node.args[0].factors) != 1:
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
    if node.op.symbol in (">", ">=") and named(rest) == "relu":
        return _of_rectified(node.op.symbol, coefficient, rest)
    if node.op.symbol in (">", ">=") and (clipped := _of_clipped(node)) is not None:
        return clipped
    size = magnitude(coefficient)
    return None if size in (0, 1) else apply(node.op.name, scale(rest, 1 if coefficient > 0 else -1))


def _of_rectified(symbol: str, coefficient: Rational, rectified: Node) -> Node | None:
    """1[max(0, u) > 0] is 1[u > 0], and 1[-max(0, u) >= 0] is 1[u <= 0]."""
    (inside,) = rectified.children
    if coefficient > 0 and symbol == ">":
        return apply("positive", inside)
    return apply("nonnegative", negate(inside)) if coefficient < 0 and symbol == ">=" else None


def _of_clipped(node: Call) -> Node | None:
    """1[c - max(0, u) > 0] is 1[c - u > 0] for a number c > 0, and 1[max(0, u) - c > 0] is 1[u - c > 0]."""
    arg = node.args[0]
    if not isinstance(arg, Sum) or len(arg.terms) != 2:
        return None
    for (a, one), (b, rectified) in (arg.terms, arg.terms[::-1]):
        c = constant(one)
        if c is not None and named(rectified) == "relu" and a * c * b < 0:
            return apply(node.op.name, add([(a, one), (b, rectified.children[0])]))
    return None


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
        if len(rest) + 1 == len(part.factors) and all(named(f) == "onehot" or isinstance(f, Delta) for f, _, _ in rest):
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
    matrix = remake(inner, [factor for factor in inner.factors if factor[1]], 1)
    axes = tuple(range(node.rank))
    return contract([(apply("inverse", matrix), axes), *scalars], axes, Fraction(1) / inner.coefficient)


def _chosen(node: Node, _: Again) -> Node | None:
    """Where c chooses between p and q, c is 1 in p and 0 in q, for a scalar condition c."""
    assert isinstance(node, Call)
    if node.op.name != "where":
        return None
    condition = node.args[0]
    if condition.shape or not isinstance(condition, Call):
        return None
    branches = [substitute(arg, {condition: number(k)}) for arg, k in zip(node.args[1:], (1, 0), strict=True)]
    return None if tuple(branches) == node.args[1:] else apply("where", condition, *branches)


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
        if named(hot) == "onehot" and p == q == 1 and hot_labels[-1] == arg.rank and whole and named(v) == "softmax":
            inner = apply(node.op.name, v)
            return remake(arg, [(inner, labels, 1), (hot, hot_labels, 1)])
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


RULES: tuple[Rewrite, ...] = (
    _log,
    _selected,
    _unscaled,
    _turned,
    _inverse,
    _shifted,
    _chosen,
    _outside,
)
