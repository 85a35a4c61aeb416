"""The arguments and options of a call: `axis=`, `keepdims=`, dimensions.

Contract: each helper returns what was written, or raises the error that names the call; none changes what it is given.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad.dims import product
from symgrad.errors import DomainError, InputError, ShapeError
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Value
from symgrad.shapes import Axis

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator

#: Dimensions are multiplied no more often than this.
MAX_POWER = 4


def arguments(work: Elaborator, tree: Tree, least: int, most: int, *keywords: str) -> list[Value]:
    """The positional arguments of a call, so many of them; only these keywords may stand beside them."""
    plain = [arg for arg in tree.args if arg.head != "keyword"]
    for arg in tree.args:
        if arg.head == "keyword" and arg.value not in keywords:
            message = f"{tree.value} has no option {arg.value}"
            raise InputError(message, source=work.scope.source, offset=arg.start, end=arg.end)
    _counted(tree, len(plain), least, most)
    return [work.visit(arg) for arg in plain]


def written(tree: Tree, least: int, most: int) -> tuple[Tree, ...]:
    """The arguments of a call as they stand, so many of them."""
    _counted(tree, len(tree.args), least, most)
    return tree.args


def _counted(tree: Tree, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        needed = str(least) if least == most else f"{least} {'or' if most == least + 1 else 'to'} {most}"
        raise InputError(f"{tree.value} takes {needed} argument{'s' * (most != 1)}, not {count}", code="ARITY")


def option(tree: Tree, name: str) -> Tree | None:
    """The keyword argument `name` of a call, or None."""
    return next((arg.args[0] for arg in tree.args if arg.head == "keyword" and arg.value == name), None)


def axis_option(work: Elaborator, tree: Tree, value: Value) -> int | None:
    """The axis= option as a non-negative axis of `value`, or None where it is absent or None."""
    given = option(tree, "axis")
    if given is None or (given.head == "name" and given.value == "None"):
        return None
    axis = literal(given)
    rank = value.rank
    if axis is None or Fraction(axis).denominator != 1 or not -rank <= axis < rank:
        raise ShapeError(f"{work.text(tree)}: {work.shown(value)} has no such axis", code="SHAPE")
    return int(axis) % rank


def kept(work: Elaborator, tree: Tree, value: Value, result: Value) -> Value:
    """`result` with axes of one entry where `value` had those that keepdims= keeps."""
    given = option(tree, "keepdims")
    if given is None or literal(given) == 0:
        return result
    axis = axis_option(work, tree, value)
    gone = range(value.rank) if axis is None else [axis]
    labels = tuple(k for k in range(value.rank) if k not in gone)
    out, names = tuple(range(value.rank)), result.open
    sizes: dict[Any, Axis] = dict.fromkeys(gone, 1)
    return Value(work.algebra.contract([(result.node, names + labels)], names + out, 1, sizes), names)


def dimension(tree: Tree) -> Axis:
    """An argument that names a dimension: a number, or the name of one."""
    exact = literal(tree)
    if exact is not None:
        if Fraction(exact).denominator != 1 or not 1 <= exact <= 10**9:
            raise DomainError(f"{exact} is no dimension")
        return int(exact)
    if tree.head == "mul":
        return product(*(dimension(factor) for factor in tree.args))  # type: ignore[arg-type]
    power = literal(tree.args[1]) if tree.head == "pow" else None
    if isinstance(power, int) and 1 <= power <= MAX_POWER:
        return product(*[dimension(tree.args[0])] * power)  # type: ignore[arg-type]
    if tree.head != "name":
        raise DomainError("a dimension is a name, a whole number, or a product of them")
    return str(tree.value)
