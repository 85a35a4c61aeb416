"""Convolutions, and sums written with letters of their own: einsum.

Contract: what deep learning calls a convolution is the valid cross-correlation, (θ * x)_i = Σ_j θ_j x_{i+j} with i as
far as the filter fits (Goodfellow, Bengio and Courville, Deep Learning, 9.1); each is a product with a `Window` for
every axis that the filter moves along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, UnsupportedError
from symgrad.notation.ranges import Terms, place
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.shapes import unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _correlation(rank: int, moving: int, filter_first: bool) -> Handler:
    """The valid cross-correlation of two tensors of `rank` axes; the filter moves along the first `moving` ones."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        if len(tree.args) != 2 or any(arg.head == "keyword" for arg in tree.args):
            raise InputError(f"{tree.value} takes a filter and what it moves over", code="ARITY")
        first, second = (work.visit(arg) for arg in tree.args)
        kernel, signal = (first, second) if filter_first else (second, first)
        for value, arg in zip((first, second), tree.args, strict=True):
            if value.rank != rank:
                raise work.misfit(tree, f"{tree.value} needs {rank} axes, and {work.text(arg)} is {work.shown(value)}")
        factors: list[tuple[Any, tuple[Any, ...], int]] = []
        for axis in range(moving):
            length, reach = signal.shape[axis], kernel.shape[axis]
            count: Terms = [(1, length), (-1, reach), (1, 1)]
            extent = place(work, count)
            node = work.algebra.window(length, (extent, reach), (1, 1), [(0, 1)])
            factors.append((node, (("signal", axis), axis, ("filter", axis)), 1))
        for axis in range(moving, rank):
            if not unify(signal.shape[axis], kernel.shape[axis]):
                raise work.misfit(tree, f"{tree.value} needs as many channels in both arguments")
        names = tuple(work.merge([first, second]))
        for name, value in (("filter", kernel), ("signal", signal)):
            labels = tuple((name if axis < moving else "channel", axis) for axis in range(rank))
            factors.append((value.node, value.open + labels, 1))
        work.note(f"{tree.value} is the valid cross-correlation, as in deep learning: the filter is not turned round")
        return Value(work.algebra.contract(factors, names + tuple(range(moving))), names)

    return handler


def _ambiguous(work: Elaborator, tree: Tree) -> Value:
    raise UnsupportedError(
        f"{work.text(tree)}: with or without turning the filter round, and what lies beyond the ends?",
        hint="write conv1d(theta, x) for Σ_j θ_j x_{i+j}, or the sum itself",
    )


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("conv1d",): _correlation(1, 1, True),
    ("conv2d",): _correlation(2, 2, False),
    ("conv3d",): _correlation(3, 2, True),
    ("correlate",): _correlation(1, 1, False),
    ("conv", "convolve"): _ambiguous,
}
