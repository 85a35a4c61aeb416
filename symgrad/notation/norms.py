"""Norms of numbers, vectors and matrices.

Contract: `norm(work, value, kind, tree)` is the norm of that kind; what could mean the norm of the entries as well as
an induced one is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgrad.errors import UnsupportedError
from symgrad.notation.arguments import arguments
from symgrad.notation.literals import literal
from symgrad.notation.matrices import refuse_functions
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def norm(work: Elaborator, value: Value, kind: str, tree: Tree) -> Value:
    """A norm of a scalar, a vector or a matrix."""
    if value.rank == 0:
        return work.apply("abs", [value], tree)
    if kind == "F" or (kind == "" and value.rank == 2) or (kind in {"", "2"} and value.rank == 1):
        refuse_functions(work, tree.args[0], tree)
        if value.rank == 2 and kind == "":
            work.note(f"{work.text(tree)} is the Frobenius norm")
        return work.raised(work.sum_out(value, power=2), Fraction(1, 2))
    found = _NORMS.get((value.rank, kind))
    # ||W||_1 and ||W||_2 are also written for what goes over the entries; norm(W, 1) and norm(W, 2) are NumPy's
    called = "norm" in work.scope.source[tree.start : tree.args[0].start]
    if found is None or (value.rank == 2 and kind in {"1", "2", "inf"} and not called):
        hint = (
            "write ||W||_F or sum(abs(W)) for the norm of all entries, norm(W, 1), norm(W, 2) or norm(W, inf) for the "
        )
        raise UnsupportedError(f"{work.text(tree)}: which norm of a matrix?", hint=hint + "induced norm")
    return found(work, value, tree)


def _absolute_sum(work: Elaborator, value: Value, tree: Tree) -> Value:
    return work.sum_out(work.apply("abs", [value], tree))


def _largest(work: Elaborator, value: Value, tree: Tree) -> Value:
    """The largest entry in size."""
    return work.apply("amax", [work.apply("abs", [value], tree)], tree)


def _largest_sum(axis: int) -> Callable[[Elaborator, Value, Tree], Value]:
    """The largest sum of sizes along an axis: the norms induced by ‖x‖_1 and ‖x‖_∞."""

    def build(work: Elaborator, value: Value, tree: Tree) -> Value:
        return work.apply("amax", [work.sum_out(work.apply("abs", [value], tree), [axis])], tree)

    return build


def _spectral(work: Elaborator, value: Value, tree: Tree) -> Value:
    """The largest singular value: the square root of the largest eigenvalue of Xᵀ X."""
    work.note(f"{work.text(tree)} is the largest singular value")
    gram = work.combine([(value, (0, 1), 1), (value, (0, 2), 1)], (1, 2))
    return work.raised(work.apply("eigmax", [gram], tree), Fraction(1, 2))


def _p_norm(work: Elaborator, value: Value, tree: Tree) -> Value:
    """(Σ |x_i|^p)^(1/p)."""
    sizes = work.apply("abs", [value], tree)
    power = literal(tree.args[1])
    if power is not None:
        return work.raised(work.sum_out(sizes, power=power), 1 / Fraction(power))
    order = work.visit(tree.args[1])
    if order.rank or order.open:
        raise UnsupportedError(f"{work.text(tree)}: the order of a norm is a number")
    total = work.sum_out(work.apply("power", [sizes, order], tree))
    return work.apply("power", [total, work.entrywise([order], [-1], tree)], tree)


_NORMS: dict[tuple[int, str], Callable[[Elaborator, Value, Tree], Value]] = {
    (1, "1"): _absolute_sum, (1, "inf"): _largest, (1, "max"): _largest, (1, "p"): _p_norm,
    (2, "1"): _largest_sum(0), (2, "inf"): _largest_sum(1), (2, "2"): _spectral, (2, "op"): _spectral,
    (2, "max"): lambda work, value, tree: work.apply("amax", [_largest(work, value, tree)], tree),
    (2, "*"): lambda work, value, tree: work.apply("nucnorm", [value], tree),
}  # fmt: skip


def _norm1(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    return _absolute_sum(work, value, tree)


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("norm1",): _norm1,
}
