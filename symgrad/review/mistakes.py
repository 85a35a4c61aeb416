"""The mistakes that people make in a gradient: how each comes about, and the sentence for whoever made it.

Contract: `suspects(function, wrt, gradient)` yields every way of going wrong that this function offers, as the exact
answer that it leads to: a `Suspect`, or a `Share` (two parts of the right answer, of which the second may be off by a
factor).  Nothing here looks at a claim; a suspect whose answer is the claim, at every point, is what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
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
    Window,
    add,
    broadcast,
    call,
    constant,
    contract,
    dependents,
    multiply,
    negate,
    number,
    postorder,
    power,
    scale,
    substitute,
    variable,
    variables,
    window,
)
from symgrad.notation.reading import read_rule
from symgrad.notation.render import to_text
from symgrad.notation.syntax import Tree
from symgrad.ops import OPERATIONS
from symgrad.simplify.parts import with_part
from symgrad.simplify.rules import simplify
from symgrad.simplify.trees import to_tree

#: Which arguments of an operation are its branches.
BRANCHES = {
    "where": ((1, "first"), (2, "second")),
    "maximum": ((0, "first"), (1, "second")),
    "minimum": ((0, "first"), (1, "second")),
}
#: Larger functions are diagnosed by their values alone.
MAX_NODES = 80


@dataclass(frozen=True, slots=True)
class Suspect:
    """A wrong answer, and what whoever gives it did."""

    code: str
    message: str
    answer: Node


@dataclass(frozen=True, slots=True)
class Share:
    """The right answer without what goes through a part of the function; a claim may have that share c times."""

    part: str
    rest: Node
    whole: Node
    term: bool


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
    scenes = [_Scene(root, wrt, dict(names or {})) for root in roots]
    for way in WAYS:
        for scene in scenes:
            yield from _safely(way(scene))
    raw = derivative(function, [wrt])
    for answer in dict.fromkeys([gradient, raw]):
        for change in CHANGES:
            yield from _safely(change(answer, scenes[0]))


def _safely(found: Iterator[Any]) -> Iterator[Any]:
    """What can be built; a mistake that makes no sense here is none."""
    with suppress(SymgradError):
        yield from found


@dataclass
class _Scene:
    """A function in one of its forms, and the parts of it through which a variable acts."""

    function: Node
    wrt: Variable
    names: dict[str, Node]
    parts: list[Node] = field(init=False)

    def __post_init__(self) -> None:
        order = postorder([self.function])
        touched = dependents(self.function, [self.wrt], order)
        self.parts = [n for n in reversed(order) if n in touched and n is not self.wrt and n is not self.function]

    def text(self, node: Node) -> str:
        given = {body: Tree("name", (), name) for name, body in self.names.items() if body is not self.function}
        return to_text(to_tree(node, given))

    def held(self, part: Node) -> Node:
        """The derivative with a part taken as a constant."""
        name = variable("held", part.shape)
        return _back(derivative(self.over(part, name), [self.wrt]), name, part)

    def upstream(self, part: Node) -> Node:
        """The derivative by a part."""
        name = variable("held", part.shape)
        return _back(derivative(self.over(part, name), [name]), name, part)

    def over(self, part: Node, name: Variable) -> Node:
        """The function with a name in the place of a part, also where the part is a factor of a longer product."""
        return with_part(substitute(self.function, {part: name}), part, name)

    def through(self, part: Node, argument: Node, local: Node | None) -> Node:
        """The derivative with the step from a part to an argument of its shape replaced by `local` (1 for None)."""
        above = self.upstream(part)
        direction = above if local is None else multiply(above, local)
        below = direction if argument is self.wrt else vjp(argument, self.wrt, direction)
        return add([self.held(part), below])

    def terms(self) -> list[Node]:
        """The parts that are added to make the function, whatever stands before them."""
        found: list[Node] = []
        waiting = [self.function]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Sum):
                waiting += [n for _, n in node.terms]
                found += [n for _, n in node.terms if n in self.parts]
            elif isinstance(node, Contraction):
                acting = [(f, power) for f, _, power in node.factors if f in self.parts or f is self.wrt]
                waiting += [f for f, power in acting if power == 1 and len(acting) == 1]
        return found


def _back(node: Node, name: Variable, part: Node) -> Node:
    return substitute(node, {name: part}) if name in variables(node) else node


Way = Callable[[_Scene], Iterator[Suspect | Share]]
Change = Callable[[Node, _Scene], Iterator[Suspect]]


# --- mistakes on the way through the function -------------------------------------------------------------------------


def _terms(scene: _Scene) -> Iterator[Suspect | Share]:
    """A term forgotten, with the wrong sign, or with the wrong factor; or not differentiated."""
    whole = derivative(scene.function, [scene.wrt])
    for term in scene.terms():
        rest = scene.held(term)
        yield Share(scene.text(term), rest, whole, True)
        if not term.shape:
            shown = multiply(broadcast(scene.upstream(term), scene.wrt.shape), broadcast(term, scene.wrt.shape))
            message = f"{scene.text(term)} itself stands in the place of its gradient, in every entry"
            yield Suspect("not-differentiated", message, add([rest, shown]))


def _local(scene: _Scene) -> Iterator[Suspect | Share]:
    """A known wrong derivative of an operation."""
    for part in scene.parts:
        if isinstance(part, Call) and part.args and part.args[0].shape == part.shape:
            x = part.args[0]
            for slip in SLIPS:
                if slip.op == part.op.name:
                    local = read_rule(slip.formula, {"x": x, "y": part})
                    yield Suspect(slip.code, slip.message, scene.through(part, x, local))


def _skipped(scene: _Scene) -> Iterator[Suspect | Share]:
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


def _powers(scene: _Scene, part: Contraction) -> Iterator[Suspect]:
    """The derivative of a power left out."""
    for k, (base, axes, exponent) in enumerate(part.factors):
        if exponent not in (1, -1) and (base is scene.wrt or base in scene.parts):
            factors: Sequence[Any] = [*part.factors[:k], (base, axes, 1), *part.factors[k + 1 :]]
            plain = contract(factors, tuple(range(part.rank)), part.coefficient, dict(enumerate(part.sizes)))
            answer = derivative(substitute(scene.function, {part: plain}), [scene.wrt])
            message = f"the derivative of the power {exponent} of {scene.text(base)} is missing as a factor"
            yield Suspect("chain", message, answer)


def _extra(scene: _Scene) -> Iterator[Suspect | Share]:
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


def _log_softmax(scene: _Scene) -> Iterator[Suspect | Share]:
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


def _constants(scene: _Scene) -> Iterator[Suspect | Share]:
    """A part taken as a constant, or its share with a wrong sign or factor."""
    whole = derivative(scene.function, [scene.wrt])
    for part in scene.parts:
        yield Share(scene.text(part), scene.held(part), whole, False)


def _neighbours(scene: _Scene) -> Iterator[Suspect | Share]:
    """The right gradient of a slightly different function."""
    for part in scene.parts:
        if isinstance(part, Call):
            for argument in part.args:
                if isinstance(argument, Sum):
                    yield from _without_constant(scene, part, argument)
            if part.op.name in BRANCHES:
                for k, which in BRANCHES[part.op.name]:
                    answer = derivative(substitute(scene.function, {part: part.args[k]}), [scene.wrt])
                    message = f"only the {which} branch of {scene.text(part)} was differentiated"
                    yield Suspect("branch", message, answer)
            if len(part.args) == 1:
                turned = call(part.op, [negate(part.args[0])], part.params)
                answer = derivative(substitute(scene.function, {part: turned}), [scene.wrt])
                yield Suspect("sign-inside", f"the sign inside {scene.text(part)} was lost", answer)


def _without_constant(scene: _Scene, part: Call, argument: Sum) -> Iterator[Suspect]:
    for place, (_, term) in enumerate(argument.terms):
        if constant(term) is not None or _ones(term):
            rest = add([t for k, t in enumerate(argument.terms) if k != place], argument.shape)
            answer = derivative(substitute(scene.function, {argument: rest}), [scene.wrt])
            yield Suspect("mask", f"the constant inside {scene.text(part)} was left out", answer)


def _ones(node: Node) -> bool:
    return isinstance(node, Contraction) and not node.factors


def _labels(scene: _Scene) -> Iterator[Suspect | Share]:
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


def _norms(scene: _Scene) -> Iterator[Suspect | Share]:
    """The gradient of a norm for that of its square."""
    for part in dict.fromkeys([scene.function, *scene.parts]):
        if isinstance(part, Contraction) and not part.shape and all(p % 2 == 0 for _, _, p in part.factors):
            answer = derivative(substitute(scene.function, {part: power(part, Fraction(1, 2))}), [scene.wrt])
            message = f"this is the gradient with the norm in the place of its square {scene.text(part)}"
            yield Suspect("power", message, answer)


def _counts(scene: _Scene) -> Iterator[Suspect | Share]:
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


def _scales(scene: _Scene) -> list[Node]:
    """What may stand before a sum over examples: nothing, or what stands before the function."""
    found: list[Node] = [number(1)]
    function = scene.function
    if isinstance(function, Contraction):
        outside = [(f, axes, p) for f, axes, p in function.factors if f not in scene.parts and not f.shape]
        coefficient = function.coefficient
        found.insert(0, contract(outside, (), max(coefficient, -coefficient)))
    return found


def _other_variables(scene: _Scene) -> Iterator[Suspect | Share]:
    """The gradient by another variable of the same shape, as by a gate that gives each input its own value."""
    for other in variables(scene.function):
        if other is not scene.wrt and other.shape == scene.wrt.shape and "label" not in other.assumptions:
            answer = derivative(scene.function, [other])
            yield Suspect("variable", f"this is the gradient by {scene.text(other)}", answer)


WAYS: tuple[Way, ...] = (
    _terms, _local, _skipped, _extra, _log_softmax, _counts, _constants, _neighbours, _labels, _norms, _other_variables,
)  # fmt: skip


# --- mistakes in the writing of the answer ----------------------------------------------------------------------------


def _transposed_factors(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """A square matrix in a product is transposed."""
    for node in postorder([answer]):
        if not isinstance(node, Contraction):
            continue
        for k, (factor, axes, exponent) in enumerate(node.factors):
            if factor.rank == 2 and factor.shape[0] == factor.shape[1] and axes[0] != axes[1]:
                turned: Sequence[Any] = [*node.factors[:k], (factor, axes[::-1], exponent), *node.factors[k + 1 :]]
                new = contract(turned, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))
                message = f"{scene.text(factor)} is transposed in the product"
                yield Suspect("transposed-factor", message, substitute(answer, {node: new}))


def _other_axis(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """softmax over the examples instead of the classes."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "softmax" and node.rank == 2:
            turned = _swapped(call(node.op, [_swapped(node.args[0])]))
            message = f"{scene.text(node)} is normalised over the wrong axis: every row sums to 1"
            yield Suspect("axis", message, substitute(answer, {node: turned}))


def _swapped(node: Node) -> Node:
    return contract([(node, (0, 1))], (1, 0))


def _not_normalised(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """exp(s) where softmax(s) should be."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "softmax":
            message = f"{scene.text(node)} is not divided by the sum of the exponentials"
            yield Suspect("normalisation", message, substitute(answer, {node: call(OPERATIONS["exp"], node.args)}))


def _other_base(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """A logarithm in the answer to another base."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "log":
            for base in (10, 2):
                factor = power(call(OPERATIONS["log"], [number(base)]), -1)
                other = multiply(node, broadcast(factor, node.shape))
                yield Suspect("log-base", f"the logarithm was taken to base {base}", substitute(answer, {node: other}))


def _scaled_arguments(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """A constant factor inside a function left out, such as 1/sqrt(d) in a softmax."""
    for node in postorder([answer]):
        if not isinstance(node, Call) or not node.shape:
            continue
        for place, x in enumerate(node.args):
            if not isinstance(x, Contraction):
                continue
            kept = [(f, axes, p) for f, axes, p in x.factors if f.shape or variables(f)]
            if not kept or (len(kept) == len(x.factors) and x.coefficient in (1, -1)):
                continue
            sign = 1 if x.coefficient > 0 else -1
            plain = contract(kept, tuple(range(x.rank)), sign, dict(enumerate(x.sizes)))
            args = [plain if k == place else a for k, a in enumerate(node.args)]
            message = f"the factor before the argument of {scene.text(node)} is missing"
            yield Suspect("argument", message, substitute(answer, {node: call(node.op, args, node.params)}))


def _flipped(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """The filter of a convolution turned around, or not."""
    for node in postorder([answer]):
        if not (isinstance(node, Contraction) and any(isinstance(f, Window) for f, _, _ in node.factors)):
            continue
        for k, (f, axes, p) in enumerate(node.factors):
            if isinstance(f, Variable) and f.shape and f is not scene.wrt:
                turned: Sequence[Any] = [*node.factors[:k], (_reversed(f), axes, p), *node.factors[k + 1 :]]
                new = contract(turned, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))
                message = f"{scene.text(f)} is turned around: a correlation stands for a convolution"
                yield Suspect("flipped", message, substitute(answer, {node: new}))


def _reversed(node: Node) -> Node:
    """Every axis from its end."""
    axes = tuple(range(node.rank))
    turns = [(window(d, (d,), (-1,), combine([(1, d)], -1)), (node.rank + k, k)) for k, d in enumerate(node.shape)]
    return contract([(node, tuple(node.rank + k for k in axes)), *turns], axes)


def _masks(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """An indicator left out, or on the other side."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name in {"positive", "nonnegative"}:
            text = scene.text(node)
            ones = number(1, node.shape)
            yield Suspect("mask", f"the mask {text} is missing", substitute(answer, {node: ones}))
            other = add([ones, negate(node)])
            yield Suspect("mask", f"the mask {text} is on the wrong side", substitute(answer, {node: other}))


def _arguments(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """A function evaluated at something else, or not at all."""
    for node in postorder([answer]):
        if isinstance(node, Call) and len(node.args) == 1 and node.args[0].shape == node.shape and not node.params:
            (x,) = node.args
            text = scene.text(node)
            yield Suspect("argument", f"{scene.text(x)} stands where {text} should", substitute(answer, {node: x}))
            twice = call(node.op, [node])
            message = f"{node.op.name} was applied twice: {text} is its value already"
            yield Suspect("argument", message, substitute(answer, {node: twice}))


def _one_factor(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """One factor of a product left out, to another power, or without its function."""
    for node in postorder([answer]):
        if not isinstance(node, Contraction) or len(node.factors) < 2:
            continue
        for k, (factor, axes, exponent) in enumerate(node.factors):
            rest = [*node.factors[:k], *node.factors[k + 1 :]]
            text = scene.text(factor)
            if set(axes) <= {label for _, labels, _ in rest for label in labels}:
                yield _product("missing-factor", f"the factor {text} is missing", rest, node, answer)
            for other in (exponent - 1, exponent + 1) if exponent not in (1, -1) else ():
                message = f"{text} stands there to the power {other} instead of {exponent}"
                if other:
                    yield _product("power", message, [*rest, (factor, axes, other)], node, answer)
            if isinstance(factor, Call) and len(factor.args) == 1 and factor.args[0].shape == factor.shape:
                x = factor.args[0]
                message = f"{scene.text(x)} stands where {text} should"
                yield _product("argument", message, [*rest, (x, axes, exponent)], node, answer)


def _product(code: str, message: str, factors: Sequence[Any], node: Contraction, answer: Node) -> Suspect:
    """The answer with other factors in one of its products."""
    new = contract(factors, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))
    return Suspect(code, message, substitute(answer, {node: new}))


def _answer_terms(answer: Node, scene: _Scene) -> Iterator[Suspect]:
    """A term of the answer, or of a sum in it, forgotten or with the wrong sign."""
    for node in reversed(postorder([answer])):
        if not isinstance(node, Sum):
            continue
        for place, (factor, term) in enumerate(node.terms):
            text = scene.text(scale(term, factor))
            rest = add([t for k, t in enumerate(node.terms) if k != place], node.shape)
            yield Suspect("missing-term", f"the term {text} is missing", substitute(answer, {node: rest}))
            turned = add([rest, scale(term, -factor)])
            yield Suspect("sign-of-term", f"the term {text} has the wrong sign", substitute(answer, {node: turned}))


CHANGES: tuple[Change, ...] = (
    _transposed_factors, _other_axis, _not_normalised, _other_base, _scaled_arguments, _flipped, _masks, _arguments,
    _answer_terms, _one_factor,
)  # fmt: skip
