"""Names, numbers and subscripts: variables, entries, rows, labels, unit vectors.

Contract: a letter below a name opens an index, a label variable picks its entry by a one-hot vector, a number a fixed
place; what a letter is was settled by `scope`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symgrad.errors import DomainError, NameProblem, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation.literals import exact
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.ops import OPERATIONS
from symgrad.shapes import Axis, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _num(work: Elaborator, tree: Tree) -> Value:
    return Value(work.algebra.number(tree.value))


def _const(work: Elaborator, tree: Tree) -> Value:
    if tree.value == "e":
        return work.apply("exp", [work.number(1)], tree)
    if tree.value == "pi":
        return Value(work.algebra.call(OPERATIONS["pi"], []))
    raise DomainError("infinity is not a number to calculate with")


def _name(work: Elaborator, tree: Tree) -> Value:
    name = str(tree.value)
    scope = work.scope
    found = work.arguments.get(name) or scope.values.get(name)
    if found is not None:
        return found
    if name in work.bound:
        hint = f"use {name} in subscripts and conditions only"
        raise UnsupportedError(f"the index {name} is used as a number", hint=hint)
    node = scope.variables.get(name)
    if node is not None:
        return Value(node)
    if name in scope.sizes:
        return Value(work.algebra.size(find(scope.tops.get(name, name))))
    if name == "I":
        return Value(work.algebra.delta(work.algebra.hole()))
    raise NameProblem(f"the name {name} means nothing here")


def _in_range(place: int, dim: Axis) -> None:
    dim = find(dim)
    if place < 0 or (isinstance(dim, int) and place >= dim):
        raise ShapeError(f"there is no entry {place} (counted from 0) in an axis of {dim}", code="DOMAIN")


SLICE, INDEX, LABEL, PLACE = "slice", "index", "label", "place"


def kind_of_subscript(work: Elaborator, tree: Tree) -> str:
    """How a subscript is meant: every entry, an index, a label variable, or a fixed place."""
    head = tree.head
    if head == "slice":
        return SLICE
    if head == "num":
        return PLACE
    if head == "name":
        name = str(tree.value)
        if name in work.bound:
            return INDEX
        known = name in work.scope.labels or name in work.scope.variables or name in work.scope.values
        return LABEL if known or name in work.arguments else INDEX
    if head == "index" or head == "call":
        return LABEL
    hint = "shifted indices are not read yet"
    raise UnsupportedError("an index can only be a letter, a number or a label", hint=hint)


def _index(work: Elaborator, tree: Tree) -> Value:
    base, *subscripts = tree.args
    scope = work.scope
    special = _special_index(work, base, subscripts, tree)
    if special is not None:
        return special
    if scope.decorations and len(subscripts) == 1 and subscripts[0].value in scope.decorations and base.head == "name":
        return work.visit(base)
    value = work.visit(base)
    rank = value.rank
    if len(subscripts) > rank:
        raise work.misfit(tree, f"{work.text(base)} is {work.shown(value)}: it cannot have {len(subscripts)} indices")
    kinds = [kind_of_subscript(work, subscript) for subscript in subscripts]
    names = tuple([str(s.value) for s in subscripts])
    if all(kind is INDEX for kind in kinds) and len({*value.open, *names}) == len(value.open) + len(names):
        for name, dim in zip(names, value.shape, strict=False):
            _same_range(work, name, dim, tree)
        return Value(value.node, value.open + names)
    return _pick(work, value, subscripts, kinds, tree)


def _same_range(work: Elaborator, name: str, dim: Axis, tree: Tree) -> None:
    """An index runs over one dimension wherever it occurs."""
    given = work.bound.get(name)
    if given is None:
        if name in work.bound:
            work.bound[name] = dim
    elif not unify(given, dim):
        raise work.misfit(tree, f"the index {name} runs over {find(given)}, but {work.text(tree)} needs {find(dim)}")


def _pick(work: Elaborator, value: Value, subscripts: Sequence[Tree], kinds: Sequence[str], tree: Tree) -> Value:
    """Entries, rows and columns of a value, chosen by indices, labels and numbers."""
    zero = 0 if work.scope.numpy or tree.args[0].value in work.scope.zero_based else 1
    labels: list[Any] = []
    names: dict[str, None] = dict.fromkeys(value.open)
    factors: list[tuple[Value, tuple[Any, ...], Rational]] = []
    out: list[Any] = []
    shape = value.shape
    for axis, dim in enumerate(shape):
        kind = kinds[axis] if axis < len(kinds) else SLICE
        if kind is INDEX:
            name = str(subscripts[axis].value)
            _same_range(work, name, dim, tree)
            names.setdefault(name)
            labels.append(name)
            continue
        labels.append(axis)
        if kind is SLICE:
            out.append(axis)
            continue
        if kind is PLACE:
            place = int(exact(subscripts[axis])) - zero
            _in_range(place, dim)
            factors.append((work.onehot(work.number(place), dim), (axis,), 1))
        else:
            factors.append((work.onehot(label_value(work, subscripts[axis]), dim), (axis,), 1))
    for unit, _, _ in factors:
        names.update(dict.fromkeys(unit.open))
    given = [(value.node, value.open + tuple(labels), 1)]
    given += [(unit.node, unit.open + axes, power) for unit, axes, power in factors]  # type: ignore[misc]
    row = len(out) == 1 and len(shape) == 2 and out[0] == 1 and len(kinds) == 2 and not work.scope.numpy
    return Value(work.algebra.contract(given, tuple(names) + tuple(out)), tuple(names), row)


def label_value(work: Elaborator, tree: Tree) -> Value:
    """The value of a label subscript such as y or y_i."""
    if tree.head == "index" and tree.args[0].head == "name":
        node = work.scope.variables.get(str(tree.args[0].value))
        if node is not None and not node.shape:
            work.note(f"{tree.args[0].value} is one label: its index is only part of its name")
            return Value(node)
    value = work.visit(tree)
    if value.rank:
        raise work.misfit(tree, f"{work.text(tree)} is {work.shown(value)}: a label must be a scalar")
    return value


def _special_index(work: Elaborator, base: Tree, subscripts: Sequence[Tree], tree: Tree) -> Value | None:
    """Unit vectors e_k, identities I_n and their entries, rows x_i of a matrix X, and functions of an index."""
    if base.head == "const" and base.value == "e" and len(subscripts) == 1:
        return _unit(work, subscripts[0], tree)
    if base.head != "name":
        return None
    name = str(base.value)
    if name == "e" and len(subscripts) == 1 and not _known(work, name):
        return _unit(work, subscripts[0], tree)
    if name in ("delta", "I") and len(subscripts) == 2 and not _known(work, name):
        equal = Tree("compare", tuple(subscripts), "=", tree.start, tree.end)
        return work.visit(Tree("indicator", (equal,), None, tree.start, tree.end))
    if name == "I" and name not in work.scope.variables and subscripts[0].head == "name":
        return Value(work.algebra.delta(str(subscripts[0].value)))
    if name in work.scope.rows and name not in work.scope.variables:
        capital = work.scope.rows[name]
        work.note(f"{work.text(tree)} is a row of {capital}")
        matrix = Tree("name", (), capital, base.start, base.end)
        return _index(work, Tree("index", (matrix, *subscripts), None, tree.start, tree.end))
    return None


def _known(work: Elaborator, name: str) -> bool:
    return name in work.arguments or name in work.scope.values or name in work.scope.variables


def _unit(work: Elaborator, subscript: Tree, tree: Tree) -> Value:
    """e_k, the k-th unit vector."""
    if kind_of_subscript(work, subscript) is INDEX:
        dim = work.dimension(str(subscript.value), tree)
        return Value(work.algebra.delta(dim), (str(subscript.value),))
    if subscript.head == "num":
        return work.onehot(work.number(int(exact(subscript)) - 1), work.algebra.hole())
    return work.onehot(label_value(work, subscript), work.algebra.hole())


HANDLERS: dict[str, Handler] = {"num": _num, "const": _const, "name": _name, "index": _index}
