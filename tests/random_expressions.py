"""Random expressions over the whole table of operations, typed by shape, and the point they are compared at.

A rule of the grammar makes a tensor of one shape from tensors of others; every entrywise operation and every operation on
an axis or a matrix is a rule of its own, so that a new row of the table is exercised without a new line here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.expr import Node, Shape, add, contract, delta, multiply, number, power, variable
from symgrad.ops import OPERATIONS, Operation, apply

SIZES = {"m": 2, "n": 3}
VARIABLES = {"A": ("m", "n"), "B": ("n", "n"), "x": ("n",), "y": ("m",), "s": ()}
NODES = {name: variable(name, shape) for name, shape in VARIABLES.items()}
SHAPES: tuple[Shape, ...] = tuple(VARIABLES.values())
COEFFICIENTS = (1, -1, 2, Fraction(1, 2), -3)
LETTERS = "abcdef"
#: Operations that are differentiated by all their arguments, labels aside.
KNOWN = [op for op in OPERATIONS.values() if op.name != "onehot" and all(rule.kind != "unknown" for rule in op.rules)]


def point(rng: np.random.Generator) -> dict[str, Any]:
    return {name: rng.normal(size=tuple(SIZES[d] for d in shape)) for name, shape in VARIABLES.items()}


class Grammar:
    """Random tensors of a given shape and depth, from one source of randomness."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def tensor(self, shape: Shape, depth: int) -> Node:
        if depth == 0:
            return self.leaf(shape)
        return self.random.choice(self.rules(shape))(shape, depth - 1)

    def rules(self, shape: Shape) -> list[Callable[[Shape, int], Node]]:
        found = [self.sum, self.product, self.power, self.entrywise, self.entrywise]
        if shape:
            found += [self.spread, self.product_of_matrices, self.along_axis]
        else:
            found += [self.reduction, self.reduction, self.axis_to_scalar, self.matrix_to_scalar]
        if shape == ("n", "n"):
            found.append(self.matrix_to_matrix)
        return found

    def leaf(self, shape: Shape) -> Node:
        if self.random.random() < 0.1:
            return number(self.random.choice(COEFFICIENTS), shape)
        return next(node for node in NODES.values() if node.shape == shape)

    # --- the algebra --------------------------------------------------------------------------------------------------

    def sum(self, shape: Shape, depth: int) -> Node:
        return add([(self.random.choice(COEFFICIENTS), self.tensor(shape, depth)) for _ in range(2)])

    def product(self, shape: Shape, depth: int) -> Node:
        return multiply(self.tensor(shape, depth), self.tensor(shape, depth))

    def power(self, shape: Shape, depth: int) -> Node:
        exponent = self.random.choice((2, 3, -1, Fraction(1, 2)))
        inner = self.tensor(shape, depth)
        return power(inner if exponent in (2, 3) else self.within("positive", inner), exponent)

    def spread(self, shape: Shape, depth: int) -> Node:
        """A scalar times a tensor, or an outer product."""
        if len(shape) == 2:
            left, right = (self.tensor((dim,), depth) for dim in shape)
            return contract([(left, "a"), (right, "b")], ("a", "b"))
        labels = LETTERS[: len(shape)]
        return contract([(self.tensor((), depth), ()), (self.tensor(shape, depth), labels)], tuple(labels))

    def product_of_matrices(self, shape: Shape, depth: int) -> Node:
        inner = self.random.choice(("m", "n"))
        left = self.matrix(shape[0], inner, depth)
        right = self.tensor((inner,), depth) if len(shape) == 1 else None
        if right is not None:
            return contract([(left, "ab"), (right, "b")], ("a",))
        return contract([(left, "ab"), (self.matrix(inner, shape[1], depth), "bc")], ("a", "c"))

    def matrix(self, rows: Any, columns: Any, depth: int) -> Node:
        """A matrix of two of the sizes; those that are no shape of a variable as a transpose or an outer product."""
        if (rows, columns) in SHAPES:
            return self.tensor((rows, columns), depth)
        if (columns, rows) in SHAPES:
            return contract([(self.tensor((columns, rows), depth), "ba")], ("a", "b"))
        vector = self.tensor((rows,), depth)
        return contract([(vector, "a"), (vector, "b")], ("a", "b"))

    def reduction(self, _shape: Shape, depth: int) -> Node:
        inner = self.tensor(self.random.choice([shape for shape in SHAPES if shape]), depth)
        if inner.shape == ("n", "n") and self.random.random() < 0.5:
            return contract([(inner, "aa")])
        labels = LETTERS[: inner.rank]
        return contract([(inner, labels, self.random.choice((1, 2)))])

    # --- the table ----------------------------------------------------------------------------------------------------

    def entrywise(self, shape: Shape, depth: int) -> Node:
        op = self.random.choice([op for op in KNOWN if op.entrywise and op.args])
        return self.applied(op, [shape] * len(op.args), depth)

    def along_axis(self, shape: Shape, depth: int) -> Node:
        return self.applied(self.chosen("n -> n"), [shape], depth)

    def axis_to_scalar(self, _shape: Shape, depth: int) -> Node:
        return self.applied(self.chosen("n ->"), [self.random.choice((("n",), ("m",)))], depth)

    def matrix_to_scalar(self, _shape: Shape, depth: int) -> Node:
        return self.applied(self.chosen("n n ->"), [("n", "n")], depth)

    def matrix_to_matrix(self, shape: Shape, depth: int) -> Node:
        return self.applied(self.chosen("n n -> n n"), [shape], depth)

    def chosen(self, signature: str) -> Operation:
        return self.random.choice([op for op in KNOWN if op.signature == signature])

    def applied(self, op: Operation, shapes: list[Shape], depth: int) -> Node:
        usual = "real" if op.entrywise or not op.signature.startswith("n n") else "square"
        domains = (*op.domain, *[usual] * (len(op.args) - len(op.domain)))
        args = [self.tensor(shape, depth) for shape in shapes]
        return apply(op.name, *(self.within(domain, arg) for domain, arg in zip(domains, args, strict=True)))

    def within(self, domain: str, node: Node) -> Node:
        """`node` brought into a domain, and kept of moderate size."""
        if domain in ("positive", "nonzero"):
            return add([power(node, 2), number(Fraction(1, 2), node.shape)])
        if domain == "above one":
            return add([power(node, 2), number(Fraction(3, 2), node.shape)])
        if domain == "unit":
            return apply("sigmoid", apply("sin", node))  # away from 0 and 1, where no digits are left
        if domain == "condition":
            return apply("positive", node)
        if domain in ("invertible", "square", "principal", "definite", "symmetric", "positive_definite"):
            small = contract([(apply("sin", node), "ab")], ("a", "b"), Fraction(1, 3))
            both = add([small, contract([(small, "ba")], ("a", "b"))])
            return add([both if domain in ("symmetric", "positive_definite") else small, (2, delta("n"))])
        return node if self.random.random() < 0.5 else apply("sin", node)


def scalar(seed: int, depth: int = 3) -> Node:
    """The random scalar function number `seed`."""
    return Grammar(seed).tensor((), depth)
