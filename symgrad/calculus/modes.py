"""The modes of differentiation: folds over nodes that name no operation.

Contract: `pullback` carries cotangents from an output down to chosen nodes (reverse mode), `pushforward` tangents from
chosen nodes up (forward mode).  Both keep what each node received as a `Record`, from which the printed steps are made,
so that what is shown is what was computed.  Gradients, Jacobians, Hessians, jvp and vjp are these two with a seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.calculus.local import pull, push
from symgrad.errors import ShapeError, UsageError
from symgrad.expr import Call, Label, N, Node, add, contract, delta, dependents, number, postorder, relabel


@dataclass(frozen=True, slots=True)
class Record:
    """One use of the chain rule: child number `k` of `node` got `contribution` from what `node` had received."""

    node: Node
    k: int
    received: Node
    contribution: Node

    @property
    def child(self) -> Node:
        return self.node.children[self.k]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a pass computed: the value at every node it visited, in order, and the records behind it."""

    values: Mapping[Node, Node]
    records: Sequence[Record]


def pullback(output: Node, targets: Iterable[Node], cotangent: Node) -> Trace:
    """Reverse mode: the cotangent of every node between `output` and `targets`.

    cotangent: seeds + output.shape; the value at a node has shape seeds + node.shape.
    """
    wanted = list(targets)
    below = dependents(output, wanted)
    stops = {node for node in wanted if not any(child in below for child in node.children)}
    seeds = cotangent.shape[: cotangent.rank - output.rank]
    received: dict[Node, list[list[Node]]] = {output: [[cotangent]]}
    values: dict[Node, Node] = {}
    records: list[Record] = []
    for node in reversed(postorder([output])):
        if node not in below or node not in received:
            continue
        # What was visited last was written first: its part comes first, as the reader expects.
        total = values[node] = add([part for group in reversed(received.pop(node)) for part in group])
        if node in stops:
            continue
        given: dict[Node, list[Node]] = {}
        for k, child in enumerate(node.children):
            if child in below and not _fixed(node, k):
                contribution = pull(node, k, total)
                given.setdefault(child, []).append(contribution)
                records.append(Record(node, k, total, contribution))
        for child, contributions in given.items():
            received.setdefault(child, []).append(contributions)
    for node in wanted:
        values.setdefault(node, number(0, seeds + node.shape))
    return Trace(values, records)


def pushforward(output: Node, tangents: Mapping[N, Node]) -> Trace:
    """Forward mode: the tangent of every node between the keys of `tangents` and `output`.

    Each tangent: seeds + node.shape, with the same seeds.
    """
    values: dict[Node, Node] = {node: tangent for node, tangent in tangents.items()}  # noqa: C416
    records: list[Record] = []
    for node in postorder([output]):
        if node in values:
            continue
        parts = []
        for k, child in enumerate(node.children):
            if child in values and not _fixed(node, k):
                parts.append(push(node, k, values[child]))
                records.append(Record(node, k, values[child], parts[-1]))
        if parts:
            values[node] = add(parts)
    if output not in values:
        node, tangent = next(iter(tangents.items()))
        values[output] = number(0, tangent.shape[: tangent.rank - node.rank] + output.shape)
    return Trace(values, records)


def _fixed(node: Node, k: int) -> bool:
    """Labels, conditions and comparisons pass no derivative."""
    return isinstance(node, Call) and (node.op.rules[k].kind == "fixed" or node.op.rules[k].formula == "0")


def identity(shape: tuple[int | str, ...]) -> Node:
    """The identity map on tensors of `shape`: shape + shape."""
    seeds: tuple[Label, ...] = tuple(("seed", k) for k in range(len(shape)))
    axes: tuple[Label, ...] = tuple(("axis", k) for k in range(len(shape)))
    return contract([(delta(d), (s, a)) for d, s, a in zip(shape, seeds, axes, strict=True)], seeds + axes)


def backward(function: Node, wrt: Iterable[Node]) -> Trace:
    """Reverse mode from the identity: the value at a node is d function / d node, function.shape + node.shape."""
    return pullback(function, wrt, identity(function.shape))


def gradient(function: Node, wrt: Node) -> Node:
    """∇ of a scalar function: the tensor of the shape of `wrt` with ⟨∇f, dx⟩ = df."""
    if function.shape:
        raise ShapeError(
            f"a gradient needs a scalar function, and this one has shape {function.shape}: take its Jacobian"
        )
    return backward(function, [wrt]).values[wrt]


def jacobian(function: Node, wrt: Node) -> Node:
    """∂ function / ∂ wrt: function.shape + wrt.shape; the gradient if the function is scalar."""
    return backward(function, [wrt]).values[wrt]


def jvp(function: Node, wrt: Node, tangent: Node) -> Node:
    """The directional derivative of `function` along `tangent`: shape of the function."""
    if tangent.shape != wrt.shape:
        raise ShapeError(f"a tangent has the shape of its variable: {wrt.shape}, not {tangent.shape}")
    return pushforward(function, {wrt: tangent}).values[function]


def vjp(function: Node, wrt: Node, cotangent: Node) -> Node:
    """The transposed Jacobian applied to `cotangent` (shape of the function): shape of `wrt`."""
    if cotangent.shape != function.shape:
        raise ShapeError(f"a cotangent has the shape of the function: {function.shape}, not {cotangent.shape}")
    return pullback(function, [wrt], cotangent).values[wrt]


def derivative(function: Node, wrt: Sequence[Node]) -> Node:
    """The derivative by each of `wrt` in turn: function.shape + wrt[0].shape + wrt[1].shape + ..."""
    for node in wrt:
        function = jacobian(function, node)
    return function


def arrange_layout(result: Node, function_rank: int, layout: str) -> Node:
    """A derivative in another layout.

    gradient: function axes, then variable axes (JAX); denominator: variable axes first; numerator: as gradient, except
    that the derivative of a scalar is transposed: a row for a vector, the transpose for a matrix.
    """
    axes = tuple(range(result.rank))
    function, rest = axes[:function_rank], axes[function_rank:]
    if layout == "gradient":
        return result
    if layout == "denominator":
        return relabel(result, axes, rest + function)
    if layout == "numerator":
        if function:
            return result
        if len(rest) == 1:
            return relabel(result, axes, ("row", *rest), {"row": 1})
        return relabel(result, axes, tuple(reversed(rest)))
    raise UsageError(f"unknown layout {layout!r}", hint="layouts: gradient, numerator, denominator")
