"""What a formula stands for while it is being read: a tensor whose leading axes may be named indices.

Contract: a `Value` is a tensor whose first axes are the open indices, in the order of `open`, and whose other axes are
positional: none for a scalar, one for a vector (a row where `row` is set), two for a matrix.  A vector of sums of rows
`spreads`: beside a matrix it goes to every column.  The tensor is an expression, or an `Outline` while shapes are still
being inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad import expr
from symgrad.dims import Dim, combine
from symgrad.errors import ShapeError
from symgrad.expr import Node, Shape
from symgrad.notation.syntax import Tree
from symgrad.shapes import Axis, Unknown, find

#: Labels of positional axes.
PLACES = tuple(range(16))
Tensor = Any  # expr.Node, or shapes.Outline: both have a shape


class Value:
    """A tensor with open indices in front; see the module."""

    __slots__ = ("node", "open", "row", "spreads")

    def __init__(self, node: Tensor, names: tuple[str, ...] = (), row: bool = False, spreads: bool = False) -> None:
        self.node = node
        self.open = names
        self.row = row
        self.spreads = spreads

    @property
    def rank(self) -> int:
        return len(self.node.shape) - len(self.open)

    @property
    def shape(self) -> tuple[Axis, ...]:
        shape: tuple[Axis, ...] = self.node.shape
        return shape[len(self.open) :] if self.open else shape

    @property
    def extents(self) -> tuple[Axis, ...]:
        """The dimensions of the open indices."""
        shape: tuple[Axis, ...] = self.node.shape
        return shape[: len(self.open)]


def different_ranges(name: str, one: Axis, other: Axis) -> ShapeError:
    return ShapeError(f"the index {name} runs over {find(one)} in one place and {find(other)} in another")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the user defined: `g(z) = 1/(1 + e^{-z})`."""

    parameters: tuple[str, ...]
    body: Tree


@dataclass(slots=True)
class Scope:
    """What names mean in one reading; filled by `scope` and `reading`, looked up by the elaborator."""

    source: str = ""
    numpy: bool = False
    variables: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    sizes: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    zero_based: set[str] = field(default_factory=set)
    naturals: set[str] = field(default_factory=set)
    decorations: set[str] = field(default_factory=set)
    padded: set[str] = field(default_factory=set)  # arrays with zeros beyond their ends
    rows: dict[str, str] = field(default_factory=dict)
    tops: dict[str, Axis] = field(default_factory=dict)
    calculates: bool = False
    asked: tuple[Shape, ...] = ()  # of a claim: the shapes of the function and of each variable in question
    about: int | None = None  # how many axes a claim has to have
    columns: bool = False  # whether x_i of a matrix X is a column

    def over(self, variables: dict[str, Tensor], values: dict[str, Value]) -> Scope:
        """The same names over other tensors."""
        return replace(self, variables=variables, values=values, functions=dict(self.functions))


class NeedOutline(Exception):
    """A dimension is asked for that only an outline can tell; never leaves `reading`."""


class Expressions:
    """The constructors of `symgrad.expr`, with the dimensions that an outline found for what has none of its own."""

    contract = staticmethod(expr.contract)
    add = staticmethod(expr.add)
    call = staticmethod(expr.call)
    number = staticmethod(expr.number)
    delta = staticmethod(expr.delta)
    size = staticmethod(expr.size)
    stacking = staticmethod(expr.stacking)
    squeezed = staticmethod(expr.squeezed)

    def __init__(self, holes: list[Unknown] | None = None) -> None:
        self.holes = None if holes is None else iter(holes)

    @staticmethod
    def window(dim: Dim, others: Iterable[Dim], strides: tuple[Dim, ...], offset: Iterable[tuple[int, Dim]]) -> Node:
        return expr.window(dim, tuple(others), strides, combine(offset))

    def hole(self) -> Axis:
        if self.holes is None:
            raise NeedOutline
        return find(next(self.holes))


#: What makes the value of a tree with a certain head: takes the elaborator and the tree.
Handler = Callable[[Any, Tree], Value]
