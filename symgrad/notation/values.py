"""What a formula stands for while it is being read: a tensor whose leading axes may be named indices.

Contract: a `Value` is a tensor whose first axes are the open indices, in the order of `open`, and whose other axes are
positional: none for a scalar, one for a vector (a row where `row` is set), two for a matrix.  A vector of sums of rows
`spreads`: beside a matrix it goes to every column.  The tensor is an expression, or an `Outline` while shapes are still
being inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad import expr
from symgrad.dims import Dim, combine
from symgrad.errors import ShapeError
from symgrad.expr import Node, Shape
from symgrad.notation.literals import indices, kind
from symgrad.notation.syntax import Tree, fold
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

    def below(self) -> set[str]:
        """The parameters that stand below names: what is given for them is an index."""
        subscripts = (s for tree in self.body.walk() if tree.head == "index" for s in tree.args[1:])
        named = {str(part.value) for s in subscripts for part in s.walk() if part.head == "name"}
        compared = (side for tree in self.body.walk() if tree.head == "compare" for side in tree.args)
        return named.intersection(self.parameters) | self._ends(str(s.value) for s in compared if s.head == "name")

    def _ends(self, names: Iterable[str]) -> set[str]:
        """Those of the names that are compared with an index of the body, as in k \\neq i."""
        bound = {name for tree in self.body.walk() if tree.head == "binder" for name in indices(tree)}
        return set(names).intersection(self.parameters) if bound else set()


def at_places(tree: Tree, places: Mapping[str, Tree], letters: Collection[str]) -> Tree:
    """The body of a function with indices put in; its own indices give way to `letters`."""
    own = {name for part in tree.walk() if part.head == "binder" for name in indices(part)}
    clash = {name: f"{name}prime" for name in own & set(letters)}

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "name":
            return places.get(str(node.value), node)
        return Tree(node.head, tuple(args), node.value, node.start, node.end)

    return fold(_renamed(tree, clash) if clash else tree, combine)


def _renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    """A formula with other letters for the indices of its sums."""

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "name" and node.value in names:
            return Tree("name", (), names[str(node.value)], node.start, node.end)
        value = node.value
        if node.head == "binder":
            value = (tuple(names.get(name, name) for name in indices(node)), kind(node))
        return Tree(node.head, tuple(args), value, node.start, node.end)

    return fold(tree, combine)


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
