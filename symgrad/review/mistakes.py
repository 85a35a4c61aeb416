"""The mistakes that people make in a gradient: how each comes about, and the sentence for whoever made it.

Contract: `suspects(function, wrt, gradient)` yields every way of going wrong that this function offers, as the exact
answer that it leads to: a `Suspect`, or a `Share` (two parts of the right answer, of which the second may be off by a
factor).  Nothing here looks at a claim; a suspect whose answer is the claim, at every point, is what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

from symgrad.calculus import derivative, structure_of, structured, vjp
from symgrad.dims import combine
from symgrad.errors import SymgradError
from symgrad.expr import (
    Call,
    Contraction,
    Node,
    Sum,
    Variable,
    add,
    broadcast,
    call,
    constant,
    contract,
    multiply,
    negate,
    number,
    postorder,
    power,
    substitute,
    variable,
    variables,
    window,
)
from symgrad.notation.reading import read_rule
from symgrad.ops import OPERATIONS
from symgrad.review.misprints import CHANGES
from symgrad.review.scenes import Scene, Share, Suspect, back
from symgrad.simplify.rules import simplify

#: Which arguments of an operation are its branches.
BRANCHES = {
    "where": ((1, "first"), (2, "second")),
    "maximum": ((0, "first"), (1, "second")),
    "minimum": ((0, "first"), (1, "second")),
}
#: So many parts of a function are taken as constants in pairs.
MAX_PAIRED = 8
#: Larger functions are diagnosed by their values alone.
MAX_NODES = 80


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong derivative of one operation, as a formula in its argument x and its value y."""

    op: str
    formula: str
    message: str
    code: str = "rule"


#: What is written down instead of the derivative of an operation.
SLIPS = (
    Slip(
        "sigmoid", "x .* (1 - x)", "y (1 - y) was applied to the argument of the sigmoid, not to its value", "argument"
    ),
    Slip(
        "sigmoid", "sigmoid(y) .* (1 - sigmoid(y))", "the derivative of the sigmoid was taken at its value", "argument"
    ),
    Slip("sigmoid", "y", "the factor 1 - σ of the derivative of the sigmoid is missing", "chain"),
    Slip("sigmoid", "1 - y", "the factor σ of the derivative of the sigmoid is missing", "chain"),
    Slip("sigmoid", "y.^2 .* (1 - y).^2", "the derivative of the sigmoid was applied twice", "extra"),
    Slip("sigmoid", "y .* (1 + y)", "the derivative of the sigmoid is σ (1 - σ), not σ (1 + σ)"),
    Slip("tanh", "1 + y.^2", "the derivative of tanh is 1 - tanh^2, not 1 + tanh^2"),
    Slip("tanh", "y .* (1 - y)", "the derivative of the sigmoid was taken for that of tanh"),
    Slip("sigmoid", "1 - y.^2", "the derivative of tanh was taken for that of the sigmoid"),
    Slip("tanh", "1 - x.^2", "1 - y^2 was applied to the argument of tanh, not to its value", "argument"),
    Slip("tanh", "1 - y", "the square in 1 - tanh^2 is missing"),
    Slip("tanh", "1 - tanh(y).^2", "the derivative of tanh was taken at its value", "argument"),
    Slip("relu", "1[x < 0]", "the mask of the ReLU is on the wrong side", "mask"),
    Slip("relu", "y", "the value of the ReLU stands in the place of its mask", "mask"),
    Slip("abs", "y", "|x| stands in the place of its derivative, the sign of x"),
    Slip("log", "y.^(-1)", "1/log x stands in the place of 1/x"),
    Slip("log", "x.^(-1) / log(10)", "the logarithm was taken to base 10", "log-base"),
    Slip("log", "x.^(-1) / log(2)", "the logarithm was taken to base 2", "log-base"),
    Slip("exp", "x .* y", "the power rule was applied to an exponential"),
    Slip("sin", "-cos(x)", "the derivative of sin has the wrong sign", "sign-of-term"),
    Slip("cos", "sin(x)", "the derivative of cos has the wrong sign", "sign-of-term"),
    Slip("leaky_relu", "1[x > 0]", "the negative branch of the leaky ReLU has a slope too", "branch"),
    Slip("elu", "1[x > 0]", "the negative branch of the ELU has a slope too", "branch"),
    Slip("softplus", "1 - sigmoid(x)", "the derivative of softplus is σ(x), not σ(-x)", "sign-inside"),
    Slip("softplus", "y", "softplus was not differentiated", "chain"),
    Slip("softmax", "y .* (1 - y)", "of the derivative of softmax only the diagonal p (1 - p) was used", "diagonal"),
    Slip("softmax", "y", "of the derivative of softmax the part -p pᵀ is missing", "diagonal"),
)


def suspects(
    function: Node, wrt: Variable, gradient: Node, names: Mapping[str, Node] | None = None
) -> Iterator[Suspect | Share]:
    """Every wrong answer to ∂ function / ∂ wrt that a known mistake leads to, the likeliest first."""
    if function.shape or len(postorder([function])) > MAX_NODES:
        return
    structure = structure_of(wrt)
    found = _suspects(function, wrt, gradient, names)
    if structure is None:
        yield from found
        return
    message = f"the entries of {wrt.name} are differentiated as if it were not {structure.name}"
    yield Suspect("structure", message, derivative(function, [wrt]))
    for one in found:  # of somebody who knows the structure
        if isinstance(one, Suspect):
            yield replace(one, answer=structured(one.answer, structure, wrt))
        else:
            rest, whole = (structured(side, structure, wrt) for side in (one.rest, one.whole))
            yield replace(one, rest=rest, whole=whole)


def _suspects(
    function: Node, wrt: Variable, gradient: Node, names: Mapping[str, Node] | None
) -> Iterator[Suspect | Share]:
    roots = list(dict.fromkeys([function, simplify(function)]))
    scenes = [Scene(root, wrt, dict(names or {})) for root in roots]
    for way in WAYS:
        for scene in scenes:
            yield from _safely(way(scene))
    raw = derivative(function, [wrt])
    for answer in dict.fromkeys([gradient, raw]):
        for change in CHANGES:
            yield from _safely(change(answer, scenes[0]))
    for way in REMOTE:
        for scene in scenes:
            yield from _safely(way(scene))


def _safely(found: Iterator[Any]) -> Iterator[Any]:
    """What can be built; a mistake that makes no sense here is none."""
    with suppress(SymgradError):
        yield from found


Way = Callable[[Scene], Iterator[Suspect | Share]]


# --- mistakes on the way through the function -------------------------------------------------------------------------


def _terms(scene: Scene) -> Iterator[Suspect | Share]:
    """A term forgotten, with the wrong sign, or with the wrong factor; or not differentiated."""
    whole = derivative(scene.function, [scene.wrt])
    for term in scene.terms():
        rest = scene.held(term)
        text = scene.text(term)
        yield Share("missing-term", f"the gradient of {text} is missing", text, rest, whole)
        if not term.shape:
            shown = multiply(broadcast(scene.upstream(term), scene.wrt.shape), broadcast(term, scene.wrt.shape))
            message = f"{scene.text(term)} itself stands in the place of its gradient, in every entry"
            yield Suspect("not-differentiated", message, add([rest, shown]))


def _summands(scene: Scene) -> Iterator[Suspect | Share]:
    """The terms of a sum over entries, each in the place of its derivative."""
    for part in [scene.function, *scene.parts]:
        if not isinstance(part, Contraction) or part.shape:
            continue
        rest, above = scene.held(part) if part in scene.parts else None, scene.upstream(part)
        for _, axes, _ in part.factors:
            if tuple(part.sizes[k] for k in axes) == scene.wrt.shape and set(axes) == set(range(len(part.sizes))):
                entries = multiply(broadcast(above, scene.wrt.shape), contract(part.factors, axes, part.coefficient))
                answer = entries if rest is None else add([rest, entries])
                message = f"the terms of {scene.text(part)} stand where their derivatives should"
                yield Suspect("not-differentiated", message, answer)


def _local(scene: Scene) -> Iterator[Suspect | Share]:
    """A known wrong derivative of an operation."""
    for part in scene.parts:
        if isinstance(part, Call) and part.args and part.args[0].shape == part.shape:
            x = part.args[0]
            for slip in SLIPS:
                if slip.op == part.op.name:
                    local = read_rule(slip.formula, {"x": x, "y": part})
                    yield Suspect(slip.code, slip.message, scene.through(part, x, local))


def _skipped(scene: Scene) -> Iterator[Suspect | Share]:
    """A step of the chain rule left out: the derivative of a part by an argument of its shape."""
    for part in [scene.function, *scene.parts]:
        if isinstance(part, Contraction):
            yield from _powers(scene, part)
        if isinstance(part, Sum) or part is scene.function or (isinstance(part, Call) and len(part.args) != 1):
            continue
        for argument in dict.fromkeys(part.children):
            if argument.shape != part.shape or not (argument is scene.wrt or argument in scene.parts):
                continue
            message = f"the chain rule was left out at {scene.text(part)}: its derivative is missing as a factor"
            yield Suspect("chain", message, scene.through(part, argument, None))


def _leapt(scene: Scene) -> Iterator[Suspect | Share]:
    """Several steps of the chain rule left out: what comes from above a part was given to one far below it."""
    for part in scene.parts:
        below = set(postorder([part]))
        for argument in scene.parts:
            if part.shape and isinstance(argument, Call) and argument.shape == part.shape and argument in below:
                message = f"the chain rule was left out on the way from {scene.text(part)} to {scene.text(argument)}"
                if argument is not part and argument not in part.children[:1]:
                    yield Suspect("chain", message, scene.through(part, argument, None))


def _inside(scene: Scene) -> Iterator[Suspect | Share]:
    """f'(g'(x)) g'(x) where f'(g(x)) g'(x) should be."""
    for part in [scene.function, *scene.parts]:
        if not (isinstance(part, Call) and len(part.args) == 1 and not part.params):
            continue
        (x,) = part.args
        if x is scene.wrt or x not in scene.parts or not part.shape == x.shape == scene.wrt.shape:
            continue
        name, ones = variable("held", x.shape), number(1, x.shape)
        outer = vjp(call(part.op, [name]), name, ones)
        local = substitute(outer, {name: vjp(x, scene.wrt, ones)})
        message = f"the derivative of {part.op.name} was taken at the derivative of {scene.text(x)}, not at its value"
        yield Suspect("argument", message, scene.through(part, x, local))


def _powers(scene: Scene, part: Contraction) -> Iterator[Suspect]:
    """The derivative of a power left out."""
    for k, (base, axes, exponent) in enumerate(part.factors):
        if exponent not in (1, -1) and (base is scene.wrt or base in scene.parts):
            factors: Sequence[Any] = [*part.factors[:k], (base, axes, 1), *part.factors[k + 1 :]]
            plain = contract(factors, tuple(range(part.rank)), part.coefficient, dict(enumerate(part.sizes)))
            answer = derivative(substitute(scene.function, {part: plain}), [scene.wrt])
            message = f"the derivative of the power {exponent} of {scene.text(base)} is missing as a factor"
            yield Suspect("chain", message, answer)


def _extra(scene: Scene) -> Iterator[Suspect | Share]:
    """The derivative of a sigmoid or softmax where the loss has cancelled it."""
    for part in [*scene.parts, scene.wrt]:
        for name in ("sigmoid", "softmax"):
            if name == "softmax" and not part.shape:
                continue
            p = call(OPERATIONS[name], [part])
            p_q = multiply(p, add([number(1, part.shape), negate(p)]))
            above = multiply(scene.upstream(part), p_q)
            answer = above if part is scene.wrt else add([scene.held(part), vjp(part, scene.wrt, above)])
            message = f"the derivative of {name} was applied once more: the loss has cancelled it"
            yield Suspect("extra", message, answer)


def _extra_masks(scene: Scene) -> Iterator[Suspect | Share]:
    """The mask of a ReLU where there is none."""
    for part in scene.parts:
        if part.shape and not (isinstance(part, Call) and part.op.name in BRANCHES):
            above = multiply(scene.upstream(part), call(OPERATIONS["positive"], [part]))
            message = f"the mask {scene.text(part)} > 0 is one too many"
            yield Suspect("mask", message, add([scene.held(part), vjp(part, scene.wrt, above)]))


def _log_softmax(scene: Scene) -> Iterator[Suspect | Share]:
    """Of ∂/∂s gᵀ log softmax(s) = g - p Σ g the second part written otherwise."""
    for part in scene.parts:
        if not (isinstance(part, Call) and part.op.name == "log_softmax" and part.rank == 1):
            continue
        (scores,) = part.args
        above, p = scene.upstream(part), call(OPERATIONS["softmax"], [scores])
        for wrong, message in (
            (add([above, p]), "p was added where p times the sum of what comes from above is subtracted"),
            (add([above, negate(p)]), "p is not multiplied with the sum of what comes from above"),
            (multiply(above, add([number(1, part.shape), negate(p)])), "only the diagonal 1 - p was used"),
        ):
            below = wrong if scores is scene.wrt else vjp(scores, scene.wrt, wrong)
            yield Suspect("rule", f"in the derivative of log softmax {message}", add([scene.held(part), below]))


def _constants(scene: Scene) -> Iterator[Suspect | Share]:
    """A part taken as a constant, or its share with a wrong sign or factor."""
    whole = derivative(scene.function, [scene.wrt])
    for part in scene.parts:
        text = scene.text(part)
        yield Share("constant", f"{text} was taken as a constant", text, scene.held(part), whole)


def _pairs_of_constants(scene: Scene) -> Iterator[Suspect | Share]:
    """Two parts taken as constants, such as a mean and a variance."""
    for one, other in combinations(scene.parts[:MAX_PAIRED], 2):
        message = f"{scene.text(one)} and {scene.text(other)} were taken as constants"
        yield Suspect("constant", message, scene.without((one, other)))


def _occurrences(scene: Scene) -> Iterator[Suspect | Share]:
    """One of the places at which the variable, or a part, is used was overlooked."""
    whole = derivative(scene.function, [scene.wrt])
    places = [(node, child) for node in [scene.function, *scene.parts] for child in uses(node)]
    times = Counter(child for _, child in places)
    for node, child in places:
        if times[child] < 2 or not (child is scene.wrt or child in scene.parts):
            continue
        name = variable("held", child.shape)
        for other in dict.fromkeys(put(node, child, name)):
            rest = back(derivative(substitute(scene.function, {node: other}), [scene.wrt]), name, child)
            text = f"{scene.text(child)} in {scene.text(node)}"
            yield Share("constant", f"{text} was taken as a constant", text, rest, whole)


def uses(node: Node) -> list[Node]:
    """What a node is made of, each as often as it is used."""
    if isinstance(node, Contraction):
        return [base for base, _, power in node.factors for _ in range(int(power) if power in (1, 2, 3) else 1)]
    return list(node.children)


def put(node: Node, child: Node, name: Node) -> Iterator[Node]:
    """The node with a name in one of the places of a child."""
    if isinstance(node, Sum):
        for k, (factor, term) in enumerate(node.terms):
            if term is child:
                yield add([*node.terms[:k], (factor, name), *node.terms[k + 1 :]], node.shape)
    elif isinstance(node, Contraction):
        sizes = dict(enumerate(node.sizes))
        for k, (base, axes, power) in enumerate(node.factors):
            if base is child:
                rest: list[Any] = [*node.factors[:k], *node.factors[k + 1 :], (name, axes, 1)]
                left = [(base, axes, power - 1)] if power != 1 else []
                yield contract([*rest, *left], tuple(range(node.rank)), node.coefficient, sizes)
    elif isinstance(node, Call):
        for k, argument in enumerate(node.args):
            if argument is child:
                yield call(node.op, [*node.args[:k], name, *node.args[k + 1 :]], node.params)


def _neighbours(scene: Scene) -> Iterator[Suspect | Share]:
    """The right gradient of a slightly different function."""
    for part in scene.parts:
        if isinstance(part, Call):
            if part.op.name in BRANCHES:
                for k, which in BRANCHES[part.op.name]:
                    answer = derivative(substitute(scene.function, {part: part.args[k]}), [scene.wrt])
                    message = f"only the {which} branch of {scene.text(part)} was differentiated"
                    yield Suspect("branch", message, answer)
            if len(part.args) == 1:
                turned = call(part.op, [negate(part.args[0])], part.params)
                answer = derivative(substitute(scene.function, {part: turned}), [scene.wrt])
                yield Suspect("sign-inside", f"the sign inside {scene.text(part)} was lost", answer)
    for part in scene.parts:
        if isinstance(part, Sum):
            yield from _complement(scene, part)
    for part in scene.parts:
        for argument in part.children if isinstance(part, Call) else ():
            if isinstance(part, Call) and isinstance(argument, Sum):
                yield from _without_constant(scene, part, argument)


def _complement(scene: Scene, part: Sum) -> Iterator[Suspect]:
    """p where 1 - p should be."""
    ones = [k for k, (c, term) in enumerate(part.terms) if c == 1 and (constant(term) == 1 or _ones(term))]
    if len(part.terms) == 2 and len(ones) == 1:
        factor, term = part.terms[1 - ones[0]]
        if factor == -1:
            answer = derivative(substitute(scene.function, {part: term}), [scene.wrt])
            yield Suspect("sign-inside", f"{scene.text(term)} stands where {scene.text(part)} should", answer)


def _without_constant(scene: Scene, part: Call, argument: Sum) -> Iterator[Suspect]:
    for place, (_, term) in enumerate(argument.terms):
        if constant(term) is not None or _ones(term):
            rest = add([t for k, t in enumerate(argument.terms) if k != place], argument.shape)
            answer = derivative(substitute(scene.function, {argument: rest}), [scene.wrt])
            yield Suspect("mask", f"the constant inside {scene.text(part)} was left out", answer)


def _ones(node: Node) -> bool:
    return isinstance(node, Contraction) and not node.factors


def _labels(scene: Scene) -> Iterator[Suspect | Share]:
    """A label counted from 1 where it is counted from 0, or the other way round; below 0 it counts from the end."""
    for node in postorder([scene.function]):
        if not _is_onehot(node):
            continue
        dim = node.shape[-1]
        last = combine([(1, dim)], -1)
        before: tuple[Any, ...] = (-1, last)
        after: tuple[Any, ...] = (1, combine([(-1, last)]))
        for offsets, step in ((before, "y - 1"), (before[:1], "y - 1"), (after, "y + 1"), (after[:1], "y + 1")):
            shift = add([window(dim, (dim,), (1,), offset) for offset in offsets])
            axes = tuple(range(node.rank))
            moved = contract([(node, (*axes[:-1], "j")), (shift, (axes[-1], "j"))], axes)
            answer = derivative(substitute(scene.function, {node: moved}), [scene.wrt])
            yield Suspect("label", f"the label is off by one: {step} stands where the label y should", answer)


def _norms(scene: Scene) -> Iterator[Suspect | Share]:
    """The gradient of a norm for that of its square."""
    for part in dict.fromkeys([scene.function, *scene.parts]):
        if isinstance(part, Contraction) and not part.shape and all(p % 2 == 0 for _, _, p in part.factors):
            answer = derivative(substitute(scene.function, {part: power(part, Fraction(1, 2))}), [scene.wrt])
            message = f"this is the gradient with the norm in the place of its square {scene.text(part)}"
            yield Suspect("power", message, answer)


def _counts(scene: Scene) -> Iterator[Suspect | Share]:
    """In a hinge loss: the correct class counted once, or once too often."""
    whole = derivative(scene.function, [scene.wrt])
    for part in scene.parts:
        if not (isinstance(part, Contraction) and any(_is_onehot(f) for f, _, _ in part.factors)):
            continue
        rest = scene.held(part)
        for lead in _scales(scene):
            once = multiply(broadcast(lead, scene.wrt.shape), derivative(_picked(part), [scene.wrt]))
            message = "the correct class is counted once, not once for every violated margin"
            yield Suspect("count", message, add([rest, negate(once)]))
            message = "the correct class is counted among the violated margins"
            yield Suspect("count", message, add([whole, negate(once)]))


def _is_onehot(node: Node) -> bool:
    return isinstance(node, Call) and node.op.name == "onehot"


def _picked(part: Contraction) -> Node:
    """Σ of the picked entries, each once, whatever they are repeated over."""
    used = {k for _, axes, _ in part.factors for k in axes}
    return contract(part.factors, (), part.coefficient, {k: part.sizes[k] for k in used})


def _scales(scene: Scene) -> list[Node]:
    """What may stand before a sum over examples: nothing, or what stands before the function."""
    found: list[Node] = [number(1)]
    function = scene.function
    if isinstance(function, Contraction):
        outside = [(f, axes, p) for f, axes, p in function.factors if f not in scene.parts and not f.shape]
        coefficient = function.coefficient
        found.insert(0, contract(outside, (), max(coefficient, -coefficient)))
    return found


def _other_variables(scene: Scene) -> Iterator[Suspect | Share]:
    """The gradient by another variable of the same shape, as by a gate that gives each input its own value."""
    for other in variables(scene.function):
        if other is not scene.wrt and other.shape == scene.wrt.shape and "label" not in other.assumptions:
            answer = derivative(scene.function, [other])
            yield Suspect("variable", f"this is the gradient by {scene.text(other)}", answer)


WAYS: tuple[Way, ...] = (
    _terms, _local, _skipped, _extra, _log_softmax, _counts, _constants, _neighbours, _labels, _norms, _other_variables,
)  # fmt: skip
#: What explains much, and so is asked last.
REMOTE: tuple[Way, ...] = (_occurrences, _summands, _inside, _leapt, _extra_masks, _pairs_of_constants)
