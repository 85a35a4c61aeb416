"""Local derivatives: how one node passes a tangent up or a cotangent down.

Contract: `push(node, k, tangent)` is the part of the differential of `node` that comes from its k-th child, and
`pull(node, k, cotangent)` its transpose.  Tangents and cotangents carry extra leading axes, the *seeds*: none for the
gradient of a scalar, one for each axis of the output for a Jacobian.  Sums and contractions have the product rule
built in; every operation brings its own rule in symgrad's language, read once.  Reverse rules of whole-axis operations
are the forward ones transposed by this very module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from symgrad.errors import UnsupportedError
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Dim,
    Label,
    Node,
    Rational,
    Shape,
    Size,
    Sum,
    Variable,
    add,
    call,
    contract,
    delta,
    dependents,
    is_zero,
    number,
    postorder,
    rebuild,
    scale,
    size,
    variable,
)
from symgrad.notation.reading import read_rule
from symgrad.ops import Operation

NONE, BATCH, SEEDED = 0, 1, 2
Leveled = tuple[Node, int]
Term = tuple[Node, tuple[Label, ...], Rational]


@dataclass(frozen=True, slots=True)
class Template:
    """A rule over generic variables: the derivative by one argument, forward and reverse."""

    args: tuple[Variable, ...]
    tangent: Variable
    cotangent: Variable
    forward: Node
    reverse: Node


# --- the two directions -----------------------------------------------------------------------------------------------


def push(node: Node, k: int, tangent: Node) -> Node:
    """d(node) for a change `tangent` of its k-th child alone; tangent: seeds + child.shape."""
    seeds = tangent.shape[: tangent.rank - node.children[k].rank]
    if isinstance(node, Sum):
        return scale(tangent, node.terms[k][0])
    if isinstance(node, Contraction):
        names = _seed_labels(seeds)
        factors, coefficient = _product_rule(node, k)
        _, labels, _ = node.factors[k]
        out = names + tuple(range(node.rank))
        sizes = dict(zip(names, seeds, strict=True)) | dict(enumerate(node.sizes))
        return contract([*factors, (tangent, names + labels)], out, coefficient, sizes)
    assert isinstance(node, Call)
    return _apply(node, k, tangent, seeds, forward=True)


def pull(node: Node, k: int, cotangent: Node) -> Node:
    """The transpose of `push`: cotangent: seeds + node.shape, result: seeds + child.shape."""
    seeds = cotangent.shape[: cotangent.rank - node.rank]
    if isinstance(node, Sum):
        return scale(cotangent, node.terms[k][0])
    if isinstance(node, Contraction):
        names = _seed_labels(seeds)
        factors, coefficient = _product_rule(node, k)
        _, labels, _ = node.factors[k]
        given = (cotangent, names + tuple(range(node.rank)))
        return contract([given, *factors], names + labels, coefficient, dict(enumerate(node.sizes)))
    assert isinstance(node, Call)
    return _apply(node, k, cotangent, seeds, forward=False)


def _product_rule(node: Contraction, k: int) -> tuple[list[Term], Rational]:
    """The factors and coefficient that stay when the k-th factor is differentiated: d(x^p) = p x^(p-1) dx."""
    factors: list[Term] = list(node.factors)
    base, labels, exponent = node.factors[k]
    if exponent == 1:
        del factors[k]
    else:
        factors[k] = (base, labels, exponent - 1)
    return factors, node.coefficient * exponent


def _seed_labels(seeds: Shape) -> tuple[Label, ...]:
    return tuple(("seed", k) for k in range(len(seeds)))


# --- operations -------------------------------------------------------------------------------------------------------


def _apply(node: Call, k: int, direction: Node, seeds: Shape, *, forward: bool) -> Node:
    """The rule of an operation at its actual arguments."""
    rule = node.op.rules[k]
    if rule.kind in ("fixed", "unknown"):
        raise UnsupportedError(f"{node.op.name} is not differentiated by its argument {node.op.args[k]}")
    template = rule_of(node.op, k)
    if not node.shape and not direction.shape and not node.op.signature:
        values: dict[Node, Node] = dict(zip(template.args, node.args, strict=True))
        values[template.tangent if forward else template.cotangent] = direction
        return _plainly(template.forward if forward else template.reverse, values, {})
    return _apply_batched(node, k, direction, seeds, forward=forward)


def _apply_batched(node: Call, k: int, direction: Node, seeds: Shape, *, forward: bool) -> Node:
    """The rule of an operation whose arguments have axes: seeds and a batch in front of its own."""
    template = rule_of(node.op, k)
    core = len(node.op.axes()[0][k]) if node.op.signature else 0
    batch = max((a.shape[: a.rank - _core(node.op, j)] for j, a in enumerate(node.args)), key=len)
    values: dict[Node, Leveled] = {}
    for j, (generic, arg) in enumerate(zip(template.args, node.args, strict=True)):
        values[generic] = (arg, BATCH if arg.rank > _core(node.op, j) else NONE)
    child = node.args[k]
    batched = child.rank > core
    if forward:
        values[template.tangent] = _level_up(direction, seeds, batch, core, batched)
        body = template.forward
    else:
        values[template.cotangent] = (direction, SEEDED)
        body = template.reverse
    result = instantiate(body, values, _bind(node, template), seeds, batch)
    if forward or batched or not batch:
        return result
    names = _seed_labels(seeds)
    inner = tuple(("batch", j) for j in range(len(batch)))
    cores = tuple(range(core))
    return contract([(result, names + inner + cores)], names + cores)


def _core(op: Operation, j: int) -> int:
    return len(op.axes()[0][j]) if op.signature else 0


def _level_up(tangent: Node, seeds: Shape, batch: Shape, core: int, batched: bool) -> Leveled:
    """A tangent of an unbatched argument repeated over the batch of the others."""
    if batched or not batch:
        return tangent, SEEDED
    names = _seed_labels(seeds)
    cores = tuple(range(core))
    inner = tuple(("batch", j) for j in range(len(batch)))
    return contract([(tangent, names + cores)], names + inner + cores, 1, dict(zip(inner, batch, strict=True))), SEEDED


def _bind(node: Call, template: Template) -> dict[str, Dim]:
    """What the generic dimensions of the rule are at this call."""
    bound: dict[str, Dim] = {}
    for generic, arg in zip(template.args, node.args, strict=True):
        if generic.rank:
            bound.update(zip((str(d) for d in generic.shape), arg.shape[arg.rank - generic.rank :], strict=True))
    bound.update(zip(node.op.params, node.params, strict=True))
    return bound


@cache
def rule_of(op: Operation, k: int) -> Template:
    """The rule of an operation by its k-th argument, read from its declaration and transposed."""
    inputs, output = op.axes() if op.signature else (((),) * len(op.args), ())
    args = tuple(variable(name, axes) for name, axes in zip(op.args, inputs, strict=True))
    rule = op.rules[k]
    tangent = variable("d" + args[k].name, args[k].shape)
    cotangent = variable("cotangent", output)
    names: dict[str, Node] = {v.name: v for v in args}
    if rule.kind in ("fixed", "unknown"):
        forward: Node = number(0, output)
    elif rule.kind == "adjoint":
        given: list[Node] = [tangent if j == k else arg for j, arg in enumerate(args)]
        reverse = read_rule(rule.formula, names | {"g": cotangent})
        return Template(args, tangent, cotangent, call(op, given, op.params), reverse)
    elif rule.kind == "partial":
        forward = contract([(read_rule(rule.formula, names), ()), (tangent, ())])
    else:
        forward = read_rule(rule.formula, names | {tangent.name: tangent})
    return Template(args, tangent, cotangent, forward, transpose(forward, tangent, cotangent))


def transpose(linear: Node, tangent: Variable, cotangent: Node) -> Node:
    """The transpose of a linear map: `linear` is a sum of contractions, linear in `tangent`; shapes swap."""
    if is_zero(linear):
        return number(0, tangent.shape)
    below = dependents(linear, [tangent])
    received: dict[Node, list[Node]] = {linear: [cotangent]}
    for node in reversed(postorder([linear])):
        if node not in below or node is tangent:
            continue
        incoming = add(received[node])
        for k, child in enumerate(node.children):
            if child in below:
                received.setdefault(child, []).append(pull(node, k, incoming))
    return add(received[tangent])


# --- templates at work ------------------------------------------------------------------------------------------------


def instantiate(
    template: Node, values: Mapping[Node, Leveled], dims: Mapping[str, Dim], seeds: Shape, batch: Shape
) -> Node:
    """`template` with its variables replaced by tensors that have seeds and a batch in front.

    Each value is (node, level): NONE has neither, BATCH the batch axes, SEEDED seeds and batch.
    """
    if not seeds and not batch:
        return _plainly(template, {node: value for node, (value, _) in values.items()}, dims)
    work = _Levels(values, dims, seeds, batch)
    for node in _order(template):
        if node not in work.memo:
            level = max((work.memo[child][1] for child in node.children), default=NONE)
            work.memo[node] = (work.made(node, level), level)
    return work.lifted(template, SEEDED)


class _Levels:
    """The parts of a template at work: every one as a tensor, and the axes that stand in front of it there."""

    def __init__(self, values: Mapping[Node, Leveled], dims: Mapping[str, Dim], seeds: Shape, batch: Shape) -> None:
        names = tuple(("batch", k) for k in range(len(batch)))
        self.memo: dict[Node, Leveled] = dict(values)
        self.dims = dims
        self.front: dict[int, tuple[Label, ...]] = {NONE: (), BATCH: names, SEEDED: _seed_labels(seeds) + names}
        self.extent: dict[Label, Dim] = dict(zip(self.front[SEEDED], seeds + batch, strict=True))

    def sizes(self, level: int) -> dict[Label, Dim]:
        return {label: self.extent[label] for label in self.front[level]}

    def lifted(self, node: Node, level: int) -> Node:
        """A part with the axes of a level in front, repeated along those that it does not have."""
        value, own = self.memo[node]
        front = self.front
        if own == level or front[own] == front[level]:
            return value
        core = tuple(range(node.rank))
        return contract([(value, front[own] + core)], front[level] + core, 1, self.sizes(level))

    def made(self, node: Node, level: int) -> Node:
        """A part over its children, which are made already."""
        memo, front = self.memo, self.front
        if isinstance(node, Sum):
            return add([(c, self.lifted(child, level)) for c, child in node.terms])
        if isinstance(node, Contraction):
            factors = [(memo[f][0], front[memo[f][1]] + labels, p) for f, labels, p in node.factors]
            sizes: dict[Label, Dim] = {k: _dim(d, self.dims) for k, d in enumerate(node.sizes)}
            out = front[level] + tuple(range(node.rank))
            return contract(factors, out, node.coefficient, sizes | self.sizes(level))
        if isinstance(node, Call):
            args = [self.lifted(a, level) if a.rank or memo[a][1] else memo[a][0] for a in node.args]
            return call(node.op, args, node.params)
        if isinstance(node, Delta):
            return delta(_dim(node.shape[0], self.dims))
        return size(_dim(node.dim, self.dims)) if isinstance(node, Size) else node


def _plainly(template: Node, memo: dict[Node, Node], dims: Mapping[str, Dim]) -> Node:
    """`instantiate` where nothing is in front: a plain substitution of what is in `memo`."""
    for node in _order(template):
        if node in memo:
            continue
        if isinstance(node, Contraction) and node.sizes:
            factors = [(memo[f], labels, p) for f, labels, p in node.factors]
            sizes = {k: _dim(d, dims) for k, d in enumerate(node.sizes)}
            memo[node] = contract(factors, tuple(range(node.rank)), node.coefficient, sizes)
        elif isinstance(node, Delta):
            memo[node] = delta(_dim(node.shape[0], dims))
        elif isinstance(node, Size):
            memo[node] = size(_dim(node.dim, dims))
        else:
            memo[node] = rebuild(node, memo.__getitem__) if node.children else node
    return memo[template]


@cache
def _order(template: Node) -> tuple[Node, ...]:
    return tuple(postorder([template]))


def _dim(dim: Dim, dims: Mapping[str, Dim]) -> Dim:
    return dims.get(dim, dim) if isinstance(dim, str) else dim
