"""The mistakes that people make in writing an answer down: a factor, a mask or an argument that is another one.

Contract: each of `CHANGES` takes an answer, right as it stands, and yields what becomes of it by a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from symgrad.dims import combine
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
    contract,
    delta,
    multiply,
    negate,
    number,
    postorder,
    power,
    rebuild,
    scale,
    size,
    substitute,
    variables,
    window,
)
from symgrad.ops import OPERATIONS
from symgrad.review.scenes import Scene, Share, Suspect, is_label

Change = Callable[[Node, Scene], Iterator[Suspect | Share]]


def _transposed_factors(answer: Node, scene: Scene) -> Iterator[Suspect]:
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


def _other_axis(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """softmax over the examples instead of the classes."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "softmax" and node.rank == 2:
            turned = _swapped(call(node.op, [_swapped(node.args[0])]))
            message = f"{scene.text(node)} is normalised over the wrong axis: every row sums to 1"
            yield Suspect("axis", message, substitute(answer, {node: turned}))
            entries = call(OPERATIONS["exp"], node.args)
            whole = contract([(entries, (0, 1))])
            flat = multiply(entries, broadcast(power(whole, -1), node.shape))
            message = f"{scene.text(node)} is normalised over all entries: every row sums to 1"
            yield Suspect("axis", message, substitute(answer, {node: flat}))


def _swapped(node: Node) -> Node:
    return contract([(node, (0, 1))], (1, 0))


def _not_normalised(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """exp(s) where softmax(s) should be."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "softmax":
            message = f"{scene.text(node)} is not divided by the sum of the exponentials"
            yield Suspect("normalisation", message, substitute(answer, {node: call(OPERATIONS["exp"], node.args)}))


def _other_base(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """A logarithm in the answer to another base."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "log":
            for base in (10, 2):
                factor = power(call(OPERATIONS["log"], [number(base)]), -1)
                other = multiply(node, broadcast(factor, node.shape))
                yield Suspect("log-base", f"the logarithm was taken to base {base}", substitute(answer, {node: other}))


def _scaled_arguments(answer: Node, scene: Scene) -> Iterator[Suspect]:
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


def _flipped(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """The filter of a convolution turned around, or not, or what comes out of it."""
    if answer.shape and any(isinstance(node, Window) for node in postorder([answer])):
        yield Suspect("flipped", "the entries stand in the opposite order", _reversed(answer))
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


#: The functions that choose entries, in answers.
MASKS = {"positive", "nonnegative", "argmax"}


def _masks(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """An indicator left out, on the other side, of something else, or in the wrong place of a product."""
    for node in postorder([answer]):
        if not isinstance(node, Call) or node.op.name not in MASKS:
            continue
        text, (x, *rest) = scene.text(node), node.args
        ones = number(1, node.shape)
        missing = substitute(answer, {node: ones})
        yield Suspect("mask", f"the mask {text} is missing", missing)
        turned = call(node.op, [negate(x)], node.params) if node.op.name == "argmax" else add([ones, negate(node)])
        yield Suspect("mask", f"the mask {text} is on the wrong side", substitute(answer, {node: turned}))
        for other in scene.alike(x):
            message = f"the mask {text} is of {scene.text(other)} instead of {scene.text(x)}"
            new = call(node.op, [other, *rest], node.params)
            yield Suspect("mask", message, substitute(answer, {node: new}))
        if node.shape and node.shape == answer.shape:
            message = f"the mask {text} is multiplied with the finished product, not with what comes from above"
            yield Suspect("mask", message, multiply(missing, node))


def _arguments(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """A function evaluated at something else, or not at all."""
    for node in postorder([answer]):
        if isinstance(node, Call) and len(node.args) == 1 and node.args[0].shape == node.shape and not node.params:
            (x,) = node.args
            text = scene.text(node)
            yield Suspect("argument", f"{scene.text(x)} stands where {text} should", substitute(answer, {node: x}))
            twice = call(node.op, [node])
            message = f"{node.op.name} was applied twice: {text} is its value already"
            yield Suspect("argument", message, substitute(answer, {node: twice}))


def _one_factor(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """One factor of a product left out, another one, to another power, or without its function."""
    for node in postorder([answer]):
        if not isinstance(node, Contraction):
            continue
        for k, (factor, axes, exponent) in enumerate(node.factors):
            rest = [*node.factors[:k], *node.factors[k + 1 :]]
            text = scene.text(factor)
            for left in _left(node, rest, axes):
                yield _product("missing-factor", f"the factor {text} is missing", left, node, answer)
            for other in _powers(exponent):
                message = f"{text} stands there to the power {other} instead of {exponent}"
                yield _product("power", message, [*rest, (factor, axes, other)], node, answer)
            if isinstance(factor, Call) and len(factor.args) == 1 and factor.args[0].shape == factor.shape:
                x = factor.args[0]
                message = f"{scene.text(x)} stands where {text} should"
                yield _product("argument", message, [*rest, (x, axes, exponent)], node, answer)
            for stranger in scene.alike(factor):
                message = f"{scene.text(stranger)} stands where {text} should"
                yield _product("other-factor", message, [*rest, (stranger, axes, exponent)], node, answer)


def _left(node: Contraction, rest: Sequence[Any], axes: tuple[int, ...]) -> Iterator[Sequence[Any]]:
    """What is left of a product without a factor: a square matrix that joins two others leaves them joined."""
    held = {label for _, labels, _ in rest for label in labels}
    if rest and all(k in held or k < node.rank for k in axes):
        yield rest
    if rest and len(axes) == 2 and axes[0] != axes[1] and node.sizes[axes[0]] == node.sizes[axes[1]]:
        yield [*rest, (delta(node.sizes[axes[0]]), axes)]


def _powers(exponent: Any) -> list[Any]:
    """The exponents that stand for another one by a slip: turned, one step off, or without a square root."""
    near = [-exponent] if exponent != 1 else []
    if exponent not in (1, -1):
        near += [exponent - 1, exponent + 1]
    if Fraction(exponent).denominator == 2:
        near += [2 * exponent, exponent - Fraction(1, 2), exponent + Fraction(1, 2)]
    return [other for other in dict.fromkeys(near) if other]


def _product(code: str, message: str, factors: Sequence[Any], node: Contraction, answer: Node) -> Suspect:
    """The answer with other factors in one of its products."""
    new = contract(factors, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))
    return Suspect(code, message, substitute(answer, {node: new}))


def _answer_terms(answer: Node, scene: Scene) -> Iterator[Suspect | Share]:
    """A term of the answer, or of a sum in it, forgotten, with the wrong sign or factor, or another one."""
    for node in reversed(postorder([answer])):
        if not isinstance(node, Sum):
            continue
        where = "" if node is answer else f" in {scene.text(node)}"
        for place, (factor, term) in enumerate(node.terms):
            text = scene.text(scale(term, factor)) + where
            kept = [t for k, t in enumerate(node.terms) if k != place]
            rest, message = substitute(answer, {node: add(kept, node.shape)}), f"the term {text} is missing"
            yield Suspect("missing-term", message, rest)
            yield Share("missing-term", message, f"the term {text}", rest, answer)
            turned = add([*kept, (-factor, term)], node.shape)
            message = f"the term {text} has the wrong sign"
            yield Suspect("sign-of-term", message, substitute(answer, {node: turned}))
            for other in scene.alike(term):
                message = f"{scene.text(other)} stands where {scene.text(term)} should"
                swapped = add([*kept, (factor, other)], node.shape)
                if isinstance(swapped, Sum) and len(swapped.terms) == len(node.terms):  # else: a term cancelled
                    yield Suspect("other-factor", message, substitute(answer, {node: swapped}))


def _left_out(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """A variable forgotten wherever it stands: as a factor, or as a term."""
    for v in variables(answer):
        if v is not scene.wrt and not is_label(v):
            text = scene.text(v)
            yield Suspect(
                "missing-factor", f"the factor {text} is missing", substitute(answer, {v: number(1, v.shape)})
            )
            yield Suspect("missing-term", f"the term {text} is missing", substitute(answer, {v: number(0, v.shape)}))


def _penalties(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """The gradient of a penalty of the variable, which the function has for another one only."""
    for weight in variables(scene.function):
        if weight.shape or weight is scene.wrt or is_label(weight):
            continue
        term = multiply(broadcast(weight, scene.wrt.shape), scene.wrt)
        for factor in (2, 1):
            text = scene.text(scale(term, factor))
            message = f"the term {text} does not belong there: the function has no penalty of {scene.text(scene.wrt)}"
            yield Suspect("extra-term", message, add([answer, scale(term, factor)]))


def _label_values(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """A label where its one-hot vector should stand, or one class alone where all have a gradient."""
    for node in postorder([answer]):
        if isinstance(node, Call) and node.op.name == "onehot":
            label, axes = node.args[0], tuple(range(node.rank))
            itself = contract([(label, axes[:-1])], axes, 1, dict(enumerate(node.shape)))
            message = f"the label {scene.text(label)} itself stands where its one-hot vector should"
            yield Suspect("label", message, substitute(answer, {node: itself}))
    for node in postorder([answer]):
        if isinstance(node, Sum):
            for _, term in node.terms:
                if isinstance(term, Call) and term.op.name == "onehot":
                    message = "only the class of the label was given a gradient: the scores of the others have one too"
                    yield Suspect("label", message, substitute(answer, {node: multiply(node, term)}))


def _repeated(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """Rows added by label where a label that comes again overwrites what was there: `g[y] += d`."""
    for node in postorder([answer]):
        if not isinstance(node, Contraction):
            continue
        for base, axes, _ in node.factors:
            if isinstance(base, Call) and base.op.name == "onehot" and base.rank == 2 and axes[0] >= node.rank:
                examples = base.shape[0]
                lower = call(OPERATIONS["tril"], [number(1, (examples, examples))])
                later = add([number(1, (examples, examples)), negate(lower)])
                again = contract([(base, ("i", "c")), (base, ("j", "c")), (later, ("i", "j"))], ("i",))
                last = add([number(1, (examples,)), negate(call(OPERATIONS["positive"], [again]))])
                message = f"where {scene.text(base.args[0])} repeats a label only the last one counts: use np.add.at"
                yield _product("repeated", message, [*node.factors, (last, axes[:1])], node, answer)


def _roots(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """sqrt(v) + ε where sqrt(v + ε) should be, or a root too many."""
    roots = {
        base
        for node in postorder([answer])
        if isinstance(node, Contraction)
        for base, _, exponent in node.factors
        if isinstance(base, Sum) and Fraction(exponent).denominator == 2
    }
    for base in sorted(roots, key=scene.text):
        for place, (factor, term) in enumerate(base.terms):
            if scene.wrt in variables(term):
                continue
            rest = add([t for k, t in enumerate(base.terms) if k != place], base.shape)
            moved = add([power(rest, Fraction(1, 2)), (factor, term)], base.shape)
            text = scene.text(scale(term, factor))
            message = f"{text} stands outside of the root of {scene.text(base)}"
            yield Suspect("argument", message, _rooted(answer, base, moved))
        for exponent in (Fraction(-1, 2), Fraction(1, 2)):
            if base.shape in ((), answer.shape[-1:]):
                message = f"the power {exponent} of {scene.text(base)} is there once too often"
                axes = tuple(range(answer.rank))
                once_more = contract([(answer, axes), (base, axes[answer.rank - base.rank :], exponent)], axes)
                yield Suspect("power", message, once_more)


def _rooted(answer: Node, base: Node, moved: Node) -> Node:
    """The answer with base^p as moved^(2 p)."""
    memo: dict[Node, Node] = {}
    for node in postorder([answer]):
        new = rebuild(node, memo.__getitem__) if node.children else node
        if isinstance(new, Contraction) and base in new.children:
            factors = [(moved, axes, 2 * p) if f is base else (f, axes, p) for f, axes, p in new.factors]
            new = contract(factors, tuple(range(new.rank)), new.coefficient, dict(enumerate(new.sizes)))
        memo[node] = new
    return memo[answer]


def _broadcasts(answer: Node, scene: Scene) -> Iterator[Suspect]:
    """(n, 1) against (n,): every entry of one against every entry of the other, and the mean or the sum taken."""
    for node in postorder([answer]):
        if not isinstance(node, Sum) or node.rank != 1:
            continue
        length = size(node.shape[0])
        for place, (factor, term) in enumerate(node.terms):
            mean = broadcast(multiply(power(length, -1), contract([(term, (0,))])), node.shape)
            spread = add([*(t for k, t in enumerate(node.terms) if k != place), (factor, mean)], node.shape)
            message = f"in {scene.text(node)} a column (n, 1) meets a row (n,): every entry is taken with every other"
            yield Suspect("broadcast", message, substitute(answer, {node: spread}))
            summed = multiply(broadcast(length, node.shape), spread)
            yield Suspect("broadcast", message, substitute(answer, {node: summed}))


CHANGES: tuple[Change, ...] = (
    _transposed_factors, _other_axis, _not_normalised, _other_base, _scaled_arguments, _flipped, _masks, _arguments,
    _answer_terms, _one_factor, _left_out, _penalties, _label_values, _repeated, _roots, _broadcasts,
)  # fmt: skip
