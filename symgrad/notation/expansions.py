"""Calls of functions that are short for a formula: the abbreviations, and the normal density.

Contract: a call is its formula with the arguments put in, and every part of it stands where the call does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from symgrad.notation.abbreviations import ABBREVIATIONS
from symgrad.notation.arguments import arguments
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.values import Function, Handler, Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


@cache
def _written(definition: str) -> Function:
    """A function as one of the source would be, from "parameters: formula"."""
    parameters, _, formula = definition.partition(": ")
    return Function(tuple(parameters.split(", ")), parse_tree(formula, syntax="text").tree)


def _abbreviation(name: str) -> Handler:
    """A function by its definition, whose parts all stand where the call does."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        function = _written(ABBREVIATIONS[name][1])
        count = len(function.parameters)
        return _expanded(work, function, arguments(work, tree, count, count), tree)

    return handler


def _expanded(work: Elaborator, function: Function, values: Sequence[Value], tree: Tree) -> Value:
    """A function at given values, every part of it where the call stands."""
    given = dict(zip(function.parameters, values, strict=True))
    body = fold(function.body, lambda node, args: Tree(node.head, tuple(args), node.value, tree.start, tree.end))
    outer, work.arguments = work.arguments, given
    bound, work.bound = work.bound, {}
    try:
        return work.visit(body)
    finally:
        work.arguments, work.bound = outer, bound


#: The density of the normal distribution by the mean and the variance, of a number and of a vector.
_DENSITIES = (
    "x, m, v: exp(-(x - m)^2 / (2 v)) / sqrt(2 pi v)",
    "x, m, S: exp(-(x - m)^T inv(S) (x - m) / 2) / sqrt(det(2 pi S))",
)


def _gaussian(work: Elaborator, tree: Tree) -> Value:
    """gaussian(x, m, S): the density of the normal distribution with mean m and variance or covariance S at x."""
    values = arguments(work, tree, 3, 3)
    rank = min(values[0].rank, 1)
    if values[0].rank > 1 or values[1].rank != rank or values[2].rank != 2 * rank:
        message = f"{work.text(tree)} needs a number, its mean and variance, or a vector, its mean and covariance"
        raise work.misfit(tree, message)
    return _expanded(work, _written(_DENSITIES[rank]), values, tree)


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("gaussian",): _gaussian,
    **{(name,): _abbreviation(name) for name in ABBREVIATIONS},
}
