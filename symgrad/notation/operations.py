"""Calls of declared operations, by all their spellings, and what NumPy's names for them add: axes, max, where.

Contract: `spellings()` maps every spelling of a declared operation to its handler; what takes `axis=` acts along the
last axis unless told otherwise, and says so for a matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgrad.errors import InputError, UnsupportedError
from symgrad.notation.arguments import arguments, axis_option, dimension, kept, written
from symgrad.notation.conditions import condition
from symgrad.notation.literals import literal
from symgrad.notation.matrices import of_eigenvalues
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.ops import OPERATIONS
from symgrad.shapes import unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _operation(name: str) -> Handler:
    op = OPERATIONS[name]
    count, optional = len(op.args), len(op.defaults)

    def handler(work: Elaborator, tree: Tree) -> Value:
        values = arguments(work, tree, count - optional, count)
        values += [work.number(default) for default in op.defaults[len(values) - count + optional :]]
        return work.apply(name, values, tree)

    return handler


def _along_axis(name: str) -> Handler:
    """softmax and its like: over the last axis, or over axis=."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
        axis = axis_option(work, tree, value)
        if name in {"logsumexp", "prod"} and axis is None and work.scope.numpy and value.rank == 2:
            work.note(f"{work.text(tree)} goes over all entries, as NumPy does")
            whole = work.apply(name, [work.apply(name, [value], tree)], tree)
            return kept(work, tree, value, whole)
        result = over_axis(work, name, value, axis, tree)
        return kept(work, tree, value, result) if name in {"logsumexp", "prod"} else result

    return handler


def _of_entry(work: Elaborator, name: str, value: Value, tree: Tree) -> Value:
    """softmax(z_i) is entry i of softmax(z)."""
    if len(value.open) > 1:
        raise InputError(f"{work.text(tree)}: over which index?", code="AMBIGUOUS", hint=f"write {name}_j(...)")
    work.note(f"{work.text(tree)} is entry {value.open[0]} of the {name} over all entries")
    return Value(work.apply(name, [Value(value.node)], tree).node, value.open)


def over_axis(work: Elaborator, name: str, value: Value, axis: int | None, tree: Tree) -> Value:
    rank = value.rank
    if rank == 0 and value.open and name in {"softmax", "log_softmax"}:
        return _of_entry(work, name, value, tree)
    if axis is None and rank == 2 and not work.scope.numpy:
        work.note(f"{work.text(tree)} acts on each row of the matrix")
    if axis is None or axis == rank - 1:
        return work.apply(name, [value], tree)
    names = value.open
    order = (*(k for k in range(rank) if k != axis), axis)
    plain = tuple(range(rank))
    moved = Value(work.algebra.contract([(value.node, names + plain)], names + order), names)
    result = work.apply(name, [moved], tree)
    if result.rank < rank:
        return result
    return Value(work.algebra.contract([(result.node, names + order)], names + plain), names)


def _onehot(work: Elaborator, tree: Tree) -> Value:
    labelled, *given = written(tree, 1, 2)
    label = work.visit(labelled)
    dim = dimension(given[0]) if given else work.algebra.hole()
    node = work.algebra.call(OPERATIONS["onehot"], [label.node], (dim,))
    return Value(node, label.open)


def _lettered(name: str, letter: str) -> Handler:
    """A function that is written as a Greek letter: Φ(x), Γ(x)."""
    handler = _operation(name)

    def noted(work: Elaborator, tree: Tree) -> Value:
        value = handler(work, tree)
        if value.rank > 1:
            hint = f"write {OPERATIONS[name].text[0]}(...) for the function of every entry, or define {letter}"
            raise UnsupportedError(f"{work.text(tree)}: this letter is not read as a function of a matrix", hint=hint)
        work.note(f"{work.text(tree)} is read as {OPERATIONS[name].text[0]}")
        return value

    return noted


def _nullary(name: str) -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        arguments(work, tree, 0, 0)
        return Value(work.algebra.call(OPERATIONS[name], []))

    return handler


def _where(work: Elaborator, tree: Tree) -> Value:
    tested, *branches = written(tree, 3, 3)
    return work.apply("where", [condition(work, tested), *(work.visit(branch) for branch in branches)], tree)


def _extreme(pair: str, sign: int) -> Handler:
    """max and min: of several values entry by entry, of one over its last axis."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        plain = [arg for arg in tree.args if arg.head != "keyword"]
        if len(plain) == 1:
            found = of_eigenvalues(work, tree, "max" if sign > 0 else "min")
            return _extreme_entry(work, tree, sign) if found is None else found
        if sign > 0 and len(plain) == 2:
            for zero, other in (plain, plain[::-1]):
                if literal(zero) == 0:
                    return work.apply("relu", [work.visit(other)], tree)
        result, *others = arguments(work, tree, 2, 64)
        for value in others:
            result = work.apply(pair, [result, value], tree)
        return result

    return handler


def _extreme_entry(work: Elaborator, tree: Tree, sign: int) -> Value:
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    axis = axis_option(work, tree, value)
    if value.rank == 0:
        raise InputError(f"{work.text(tree)}: a single scalar has no {tree.value}", code="ARITY")
    if axis is None and work.scope.numpy and value.rank == 2:
        return kept(work, tree, value, _extreme_all(work, value, sign, tree))
    if sign > 0:
        return kept(work, tree, value, over_axis(work, "amax", value, axis, tree))
    best = over_axis(work, "amax", _negative(work, value), axis, tree)
    return kept(work, tree, value, _negative(work, best))


def _extreme_all(work: Elaborator, value: Value, sign: int, tree: Tree) -> Value:
    """NumPy's max of a matrix: the largest of all entries."""
    turned = value if sign > 0 else _negative(work, value)
    best = work.apply("amax", [work.apply("amax", [turned], tree)], tree)
    return best if sign > 0 else _negative(work, best)


def _negative(work: Elaborator, value: Value) -> Value:
    return Value(work.algebra.add([(-1, value.node)]), value.open, value.row)


def _product(work: Elaborator, tree: Tree) -> Value:
    return of_eigenvalues(work, tree, "prod") or _along_axis("prod")(work, tree)


def _exp(work: Elaborator, tree: Tree) -> Value:
    """exp(X) acts on every entry; e^X of a square matrix is the exponential of the matrix."""
    (value,) = arguments(work, tree, 1, 1)
    if value.rank != 2 or "^" not in work.scope.source[tree.start : tree.start + 3]:
        return work.apply("exp", [value], tree)
    if not unify(*value.shape):
        hint = "write exp(X) for the exponential of every entry"
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}", hint)
    work.note(f"{work.text(tree)} is the exponential of the matrix, not of its entries")
    return work.apply("expm", [value], tree)


_AXIS = ("softmax", "log_softmax", "logsumexp", "argmax", "prod", "products_of_others")


_SPECIAL = {"maximum", "minimum", "amax", "onehot", "where", "power", "pi", *_AXIS}


def _spellings() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for op in OPERATIONS.values():
        if op.name in _SPECIAL or op.symbol:
            handler = _along_axis(op.name) if op.name in _AXIS else None
        else:
            handler = _operation(op.name)
        if handler is not None:
            table.update(dict.fromkeys((op.name, *op.text, *op.latex), handler))
        if op.letter:
            table[op.letter] = _lettered(op.name, op.letter)
    return table


HANDLERS: dict[tuple[str, ...], Handler] = {
    **{(name,): handler for name, handler in _spellings().items()},
    ("max", "maximum", "amax"): _extreme("maximum", 1),
    ("min", "minimum", "amin"): _extreme("minimum", -1),
    ("onehot", "one_hot"): _onehot,
    ("where",): _where,
    ("exp",): _exp,
    ("pi",): _nullary("pi"),
    ("prod",): _product,
}
