"""Totals over entries: sum, mean, variance and standard deviation, over an axis or over all.

Contract: a total is a sum, with a size as its divisor; `axis=` and `keepdims=` mean what they mean in NumPy.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError
from symgrad.notation.arguments import arguments, axis_option, kept
from symgrad.notation.matrices import of_eigenvalues
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.shapes import Axis, find

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _summand(work: Elaborator, tree: Tree) -> Value:
    """The argument of a sum over entries, in which (Y - P)^2 is a square of entries."""
    outer, work.summed = work.summed, tree.args[0] if tree.args else None
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    work.summed = outer
    return value


def _sum(work: Elaborator, tree: Tree) -> Value:
    found = of_eigenvalues(work, tree, "sum")
    if found is not None:
        return found
    value = _summand(work, tree)
    axis = axis_option(work, tree, value)
    return kept(work, tree, value, work.sum_out(value, None if axis is None else [axis]))


def mean_of(work: Elaborator, value: Value, axis: int | None) -> Value:
    """The sum over an axis, or over all, divided by the number of terms."""
    axes = range(value.rank) if axis is None else [axis]
    names, out = value.open, tuple(k for k in range(value.rank) if k not in axes)
    sizes = [(work.algebra.size(find(value.shape[k])), (), -1) for k in axes]
    node = work.algebra.contract([*sizes, (value.node, names + tuple(range(value.rank)))], names + out)
    return Value(node, names)


def _mean(work: Elaborator, tree: Tree) -> Value:
    value = _summand(work, tree)
    return kept(work, tree, value, mean_of(work, value, axis_option(work, tree, value)))


def variance(work: Elaborator, value: Value, tree: Tree, axis: int | None = None) -> Value:
    """mean((x - mean(x))²), over an axis, or over all entries."""
    mean, rank = mean_of(work, value, axis), value.rank
    kept = tuple(k for k in range(rank) if axis is not None and k != axis)
    sizes: dict[Any, Axis] = dict(enumerate(value.shape))
    out = (*mean.open, *range(rank))
    whole = Value(work.algebra.contract([(mean.node, mean.open + kept)], out, 1, sizes), mean.open)
    centred = work.total([(1, value), (-1, whole)], tree)
    return mean_of(work, work.raised(centred, 2), axis)


def _var(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    return kept(work, tree, value, variance(work, value, tree, axis_option(work, tree, value)))


def _std(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    spread = work.raised(variance(work, value, tree, axis_option(work, tree, value)), Fraction(1, 2))
    return kept(work, tree, value, spread)


def _along(axis: int) -> Handler:
    """rowsum and colsum: the vector of the sums of every row, or column; the former goes along the rows it sums."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1)
        if value.rank != 2:
            raise work.misfit(tree, f"{tree.value} takes a matrix, not {work.shown(value)}")
        sums = work.sum_out(value, [axis])
        return Value(sums.node, sums.open, spreads=axis == 1)

    return handler


def _overline(work: Elaborator, tree: Tree) -> Value:
    r"""`\overline{g \odot x}`, the mean of the entries of a vector."""
    (value,) = arguments(work, tree, 1, 1)
    if value.rank != 1:
        raise InputError(
            f"{work.text(tree)} is the mean of {work.shown(value)}: over which axis?", code="AMBIGUOUS",
            source=work.scope.source, offset=tree.start, end=tree.end, hint="write the mean as a sum over an index",
        )  # fmt: skip
    work.note(f"{work.text(tree)} is the mean of the entries")
    return mean_of(work, value, None)


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("sum",): _sum,
    ("mean",): _mean,
    ("var",): _var,
    ("std",): _std,
    ("rowsum",): _along(1),
    ("colsum",): _along(0),
    ("overline",): _overline,
}
