"""Derivatives: with their steps, and as expressions alone; gradients, Jacobians, Hessians and products with them.

Contract: the derivative of a function by a variable has the axes of the function, then those of the variable; labels
and whole numbers have none, and a structured variable is taken by its independent entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from symgrad.api.objects import Derivation, Expr, laid_out
from symgrad.api.sources import WHOLE, Assumptions, Shapes, Source, parse
from symgrad.calculus import backward, refuse_curved_twice, structure_of, structured
from symgrad.calculus import jacobian as jacobian_of
from symgrad.calculus import jvp as _jvp
from symgrad.calculus import vjp as _vjp
from symgrad.derivation import Result, record
from symgrad.errors import ShapeError, UnsupportedError, UsageError
from symgrad.expr import Node, Shape, Variable
from symgrad.simplify.rules import Simplifier, simplify, simplify_result
from symgrad.simplify.trees import arranged


def derive(
    source: Source,
    *,
    wrt: str | Iterable[str] | None = None,
    order: int = 1,
    layout: str = "gradient",
    shapes: Shapes = None,
    assume: Assumptions = None,
    syntax: str = "auto",
) -> Any:
    """The derivative with its steps: one `Derivation` for one variable, a dict for several.

    At order 2 and above, as many variables as the order give one mixed derivative, by each in turn.  `layout` is
    gradient (the shape of the variable; a Jacobian function axes first), numerator, denominator, or vec
    (∂ vec F / ∂ (vec X)ᵀ, stacked column by column).

    >>> print(derive("||W x||^2", wrt="W").result.text)
    2 W x xᵀ
    """
    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    derived = [derivation_of(function, by, layout) for by in chosen_variables(function, wrt, order)]
    found = {d.wrt: d for d in derived}
    return next(iter(found.values())) if len(found) == 1 else found


def chosen_variables(function: Expr, wrt: str | Iterable[str] | None, order: int) -> list[tuple[Variable, ...]]:
    """The variables of every derivative asked for: one variable `order` times, or as many variables in turn."""
    if not isinstance(order, int) or not 1 <= order <= 4:
        raise UsageError(f"the order of a derivative is 1, 2, 3 or 4, not {order}")
    wrt = wrt if wrt is None or isinstance(wrt, str) else list(wrt)
    found = variables_of(function, wrt)
    if order > 1 and isinstance(wrt, list) and len(wrt) > 1:
        if len(wrt) != order:
            raise UsageError(f"a mixed derivative of order {order} is by {order} variables, not by {len(wrt)}")
        return [tuple(found)]
    return [(v,) * order for v in found]


def derivation_of(function: Expr, by: tuple[Variable, ...], layout: str) -> Derivation:
    refuse_curved_twice(by)
    stages = _stages(function.node, function.name, tuple(function.reading.definitions.items()), by)
    return Derivation(function, by, stages, layout)


@lru_cache(maxsize=64)
def _stages(
    node: Node, name: str, definitions: tuple[tuple[str, Node], ...], by: tuple[Variable, ...]
) -> tuple[Result, ...]:
    """The derivation by every variable in turn; one function is derived once, however many claims there are on it."""
    stages: list[Result] = []
    for stage, wrt in enumerate(by):
        stages.append(Result(record(node, wrt, {} if stage else dict(definitions)), name))
        node, name = stages[-1].node, "h" if stage else "g"
    return tuple(stages)


def variables_of(function: Expr, wrt: str | Iterable[str] | None) -> list[Variable]:
    """The variables to differentiate by; labels are integers and have no derivative."""
    if wrt is None:
        names = [name for name, v in function.variables.items() if not v.assumptions & WHOLE]
        if not names:
            raise UsageError("the function has no real variable to differentiate by")
    else:
        names = [wrt] if isinstance(wrt, str) else list(wrt)
    found = [function.variable(name) for name in names]
    for v in found:
        if v.assumptions & WHOLE:
            what = "label" if "label" in v.assumptions else "whole number"
            raise UsageError(f"{v.name} is a {what}: an integer has no derivative")
        structure_of(v)
    return found


def gradient(source: Source, wrt: str, **options: Any) -> Expr:
    """The gradient of a scalar function: the tensor of the shape of `wrt` with ⟨∇f, dx⟩ = df.

    Raises a `ShapeError` where the function is no scalar; the other options are those of `parse`.

    >>> gradient("log det(X)", "X", assume="X: invertible").text
    'inv(X)ᵀ'
    """
    function = parse(source, **options)
    if function.shape:
        raise ShapeError(f"a gradient needs a scalar function; this one has shape {'×'.join(map(str, function.shape))}")
    return jacobian(function, wrt)


def jacobian(source: Source, wrt: str, *, layout: str = "gradient", **options: Any) -> Expr:
    """∂f/∂wrt, of shape f.shape + wrt.shape as in JAX, or in another `layout` as in `derive`.

    >>> jacobian("softmax(s)", "s").text
    'diag(softmax(s)) - softmax(s) softmax(s)ᵀ'
    """
    function = parse(source, **options)
    by = tuple(variables_of(function, [wrt]))
    result = _derivative(function.node, by[0])
    return Expr(arranged(laid_out(result, function.node, by, layout)), function.reading)


def gradients(source: Source, wrt: Iterable[str] | None = None, **options: Any) -> dict[str, Expr]:
    """The derivatives by many variables (all real ones if none is named), from one reverse pass.

    >>> {name: found.text for name, found in gradients("||X w - y||^2", ["w", "y"]).items()}
    {'w': '2 Xᵀ (X w - y)', 'y': '2 y - 2 X w'}
    """
    function = parse(source, **options)
    chosen = variables_of(function, wrt)
    simplifier = Simplifier()
    found = backward(simplifier.simplify(function.node), chosen)
    return {v.name: Expr(simplifier.result(_restricted(found[v], v)), function.reading) for v in chosen}


def _derivative(function: Node, wrt: Variable) -> Node:
    """function.shape + wrt.shape, simplified; by a structured variable, that by its independent entries."""
    result = simplify_result(jacobian_of(simplify(function), wrt))
    return simplify_result(_restricted(result, wrt)) if structure_of(wrt) else result


def _restricted(derivative: Node, wrt: Variable) -> Node:
    structure = structure_of(wrt)
    return derivative if structure is None else structured(derivative, structure, wrt)


def hessian(source: Source, wrt: str | Iterable[str], *, layout: str = "gradient", **options: Any) -> Expr:
    """The second derivative by one variable, or mixed by two: shapes f + wrt[0] + wrt[1].

    >>> hessian("log(1 + exp(w^T x))", "w").text
    'sigmoid(wᵀ x) (1 - sigmoid(wᵀ x)) x xᵀ'
    """
    function = parse(source, **options)
    names = (wrt, wrt) if isinstance(wrt, str) else tuple(wrt)
    if len(names) != 2:
        raise UsageError(f"a second derivative is by one variable or by two, not by {len(names)}")
    by = tuple(variables_of(function, names))
    refuse_curved_twice(by)
    result = _derivative(_derivative(function.node, by[0]), by[1])
    return Expr(arranged(laid_out(result, function.node, by, layout)), function.reading)


def jvp(source: Source, wrt: str, tangent: str = "v", **options: Any) -> Expr:
    """The derivative of `source` in the direction `tangent`, a new variable of the shape of `wrt`.

    >>> jvp("A x", "x").text
    'A v'
    """
    function = parse(source, **options)
    node = function.variable(wrt)
    return _with_direction(function, tangent, node.shape, lambda v: _jvp(simplify(function.node), node, v))


def vjp(source: Source, wrt: str, cotangent: str = "g", **options: Any) -> Expr:
    """The transposed Jacobian applied to `cotangent`, a new variable of the shape of the function.

    >>> vjp("tanh(W x)", "W").text
    '(g ⊙ (1 - tanh(W x).^2)) xᵀ'
    """
    function = parse(source, **options)
    node = function.variable(wrt)
    return _with_direction(function, cotangent, function.shape, lambda v: _vjp(simplify(function.node), node, v))


def hvp(source: Source, wrt: str, tangent: str = "v", **options: Any) -> Expr:
    """The Hessian times `tangent`, a new variable of the shape of `wrt`: the directional derivative of the gradient.

    The Hessian itself is never made, so that code for it is as long as for two gradients (Pearlmutter, 1994).

    >>> hvp("||A x||^2", "x").text
    '2 Aᵀ A v'
    """
    function = parse(source, **options)
    if function.shape:
        raise ShapeError(f"a Hessian-vector product needs a scalar function; this one has shape {function.shape}")
    (node,) = variables_of(function, [wrt])
    if structure_of(node) is not None:
        raise UnsupportedError(f"{node.name} is structured, and no rule covers its Hessian-vector product yet")
    once = simplify(jacobian_of(simplify(function.node), node))
    return _with_direction(function, tangent, node.shape, lambda v: _jvp(once, node, v))


def _with_direction(function: Expr, name: str, shape: Shape, build: Callable[[Variable], Node]) -> Expr:
    reading, node = function.reading.with_variable(name, shape)
    return Expr(simplify(build(node)), reading)
