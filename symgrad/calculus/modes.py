"""The modes of differentiation: folds over nodes that name no operation.

Contract: `pullback` carries cotangents from an output down to chosen nodes (reverse mode), `pushforward` tangents from
chosen nodes up (forward mode); both give the value at every node they pass.  Gradients, Jacobians, Hessians, jvp and
vjp are these two with a seed, and so are the printed steps of a derivation (see `symgrad.derivation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symgrad.calculus.local import pull, push
from symgrad.errors import ShapeError, UsageError
from symgrad.expr import (
    Call,
    Label,
    N,
    Node,
    add,
    building,
    contract,
    delta,
    dependents,
    number,
    postorder,
    relabel,
    stack,
)


def pullback(output: Node, targets: Iterable[Node], cotangent: Node) -> Mapping[Node, Node]:
    """Reverse mode: the cotangent of every node between `output` and `targets`.

    cotangent: seeds + output.shape; the value at a node has shape seeds + node.shape.
    """
    wanted = list(targets)
    with building():
        values = _cotangents(output, wanted, cotangent)
    seeds = cotangent.shape[: cotangent.rank - output.rank]
    for node in wanted:
        values.setdefault(node, number(0, seeds + node.shape))
    return values


def _cotangents(output: Node, wanted: list[Node], cotangent: Node) -> dict[Node, Node]:
    order = postorder([output])
    below = dependents(output, wanted, order)
    stops = {node for node in wanted if not any(child in below for child in node.children)}
    received: dict[Node, list[list[Node]]] = {output: [[cotangent]]}
    values: dict[Node, Node] = {}
    for node in reversed(order):
        if node not in below or node not in received:
            continue
        # What was visited last was written first: its part comes first, as the reader expects.
        total = values[node] = add([part for group in reversed(received.pop(node)) for part in group])
        if node in stops:
            continue
        given: dict[Node, list[Node]] = {}
        for k, child in enumerate(node.children):
            if child in below and not _fixed(node, k):
                given.setdefault(child, []).append(pull(node, k, total))
        for child, contributions in given.items():
            received.setdefault(child, []).append(contributions)
    return values


def pushforward(output: Node, tangents: Mapping[N, Node]) -> Mapping[Node, Node]:
    """Forward mode: the tangent of every node between the keys of `tangents` and `output`.

    Each tangent: seeds + node.shape, with the same seeds.
    """
    values: dict[Node, Node] = {node: tangent for node, tangent in tangents.items()}  # noqa: C416 - keys of a wider type
    for node in postorder([output]):
        if node in values:
            continue
        children = enumerate(node.children)
        parts = [push(node, k, values[child]) for k, child in children if child in values and not _fixed(node, k)]
        if parts:
            values[node] = add(parts)
    if output not in values:
        node, tangent = next(iter(tangents.items()))
        values[output] = number(0, tangent.shape[: tangent.rank - node.rank] + output.shape)
    return values


def _fixed(node: Node, k: int) -> bool:
    """Labels, conditions and comparisons pass no derivative."""
    return isinstance(node, Call) and (node.op.rules[k].kind == "fixed" or node.op.rules[k].formula == "0")


def identity(shape: tuple[int | str, ...]) -> Node:
    """The identity map on tensors of `shape`: shape + shape."""
    seeds: tuple[Label, ...] = tuple(("seed", k) for k in range(len(shape)))
    axes: tuple[Label, ...] = tuple(("axis", k) for k in range(len(shape)))
    return contract([(delta(d), (s, a)) for d, s, a in zip(shape, seeds, axes, strict=True)], seeds + axes)


def backward(function: Node, wrt: Iterable[Node]) -> Mapping[Node, Node]:
    """Reverse mode from the identity: the value at a node is d function / d node, function.shape + node.shape."""
    return pullback(function, wrt, identity(function.shape))


def gradient(function: Node, wrt: Node) -> Node:
    """∇ of a scalar function: the tensor of the shape of `wrt` with ⟨∇f, dx⟩ = df."""
    if function.shape:
        raise ShapeError(
            f"a gradient needs a scalar function, and this one has shape {function.shape}: take its Jacobian"
        )
    return backward(function, [wrt])[wrt]


def jacobian(function: Node, wrt: Node) -> Node:
    """∂ function / ∂ wrt: function.shape + wrt.shape; the gradient if the function is scalar."""
    return backward(function, [wrt])[wrt]


def jvp(function: Node, wrt: Node, tangent: Node) -> Node:
    """The directional derivative of `function` along `tangent`: shape of the function."""
    if tangent.shape != wrt.shape:
        raise ShapeError(f"a tangent has the shape of its variable: {wrt.shape}, not {tangent.shape}")
    return pushforward(function, {wrt: tangent})[function]


def vjp(function: Node, wrt: Node, cotangent: Node) -> Node:
    """The transposed Jacobian applied to `cotangent` (shape of the function): shape of `wrt`."""
    if cotangent.shape != function.shape:
        raise ShapeError(f"a cotangent has the shape of the function: {function.shape}, not {cotangent.shape}")
    return pullback(function, [wrt], cotangent)[wrt]


def derivative(function: Node, wrt: Sequence[Node]) -> Node:
    """The derivative by each of `wrt` in turn: function.shape + wrt[0].shape + wrt[1].shape + ..."""
    for node in wrt:
        function = jacobian(function, node)
    return function


#: The layouts of a derivative: name and meaning.
LAYOUTS = {
    "gradient": "the shape of the variable; of a tensor, its axes first",
    "numerator": "the axes of the function first; of a scalar, the transpose",
    "denominator": "the axes of the variable first",
    "vec": "tensors stacked column by column: ∂ vec F / ∂ (vec X)ᵀ",
}


def arrange_layout(result: Node, function_rank: int, layout: str, variable_ranks: Sequence[int] = ()) -> Node:
    """A derivative (function axes, then the axes of every variable) in another layout.

    gradient     as it is: a gradient has the shape of its variable, a Jacobian function axes first, as in JAX
    denominator  variable axes first
    numerator    as gradient, but the first derivative of a scalar is transposed: a row for a vector, else the transpose
    vec          every tensor stacked column by column: ∂ vec F / ∂ (vec X)ᵀ, and vec of the gradient of a scalar

    variable_ranks: of each variable, in order of differentiation; one variable if left out.
    Source: Magnus and Neudecker, Matrix Differential Calculus, 5.4 and 9.2.
    """
    axes = tuple(range(result.rank))
    function, rest = axes[:function_rank], axes[function_rank:]
    if layout == "gradient":
        return result
    if layout == "denominator":
        return relabel(result, axes, rest + function)
    if layout == "numerator":
        if function or len(variable_ranks) > 1:
            return result
        if len(rest) == 1:
            return relabel(result, axes, ("row", *rest), {"row": 1})
        return relabel(result, axes, tuple(reversed(rest)))
    if layout == "vec":
        groups, place = [function], function_rank
        for rank in variable_ranks or (len(rest),):
            groups.append(axes[place : place + rank])
            place += rank
        return stack(result, groups)
    raise UsageError(f"unknown layout {layout!r}", hint="layouts: " + ", ".join(LAYOUTS))
