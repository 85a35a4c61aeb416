"""Calls, norms, bars, and arrays written out.

Contract: a call is a function of the user, expanded, or one of `functions.BUILTIN`; `[body]_{ij}` and a left side with
indices turn open indices into axes by `close`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, LimitError, NameProblem, UnsupportedError
from symgrad.expr import Node, variables
from symgrad.notation import ranges
from symgrad.notation.blocks import array_of_blocks
from symgrad.notation.calls import CONVENTIONAL
from symgrad.notation.functions import BUILTIN
from symgrad.notation.literals import extent, indices
from symgrad.notation.names import to_text
from symgrad.notation.norms import norm
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree
from symgrad.notation.values import PLACES, Handler, Value, at_places
from symgrad.ops import OPERATIONS
from symgrad.shapes import Axis

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator

#: The operations by every spelling.
SPELLED = {spelling: op for op in OPERATIONS.values() for spelling in (op.name, *op.text, *op.latex)}
MAX_ENTRIES = 400
MAX_CALLS = 40


def _norm(work: Elaborator, tree: Tree) -> Value:
    if tree.value == "mixed":
        raise UnsupportedError(
            f"{work.text(tree)}: of rows or of columns?", hint="write it out, as in \\sum_i \\|w_i\\|_2"
        )
    return norm(work, work.visit(tree.args[0]), str(tree.value or ""), tree)


def _bars(work: Elaborator, tree: Tree) -> Value:
    entries = tree is work.summed
    value = work.visit(tree.args[0])
    if value.rank == 2 and entries:
        work.note(f"{work.text(tree)} takes the absolute value of every entry")
    elif value.rank == 2:
        return work.apply("det", [value], tree)
    elif value.rank == 1 and not entries and _is_bold(work, tree.args[0]):
        raise InputError(
            f"{work.text(tree)}: the length of the vector, or the size of every entry?", code="AMBIGUOUS",
            hint="write \\|x\\| for the length, abs(x) for the entries",
        )  # fmt: skip
    return work.apply("abs", [value], tree)


def _is_bold(work: Elaborator, tree: Tree) -> bool:
    """Whether vectors are set in bold or with arrows between these bars, as where |v| is a length."""
    return any(
        mark in work.scope.source[tree.start : tree.end] for mark in ("\\mathbf", "\\boldsymbol", "\\bm", "\\vec")
    )


def _inner(work: Elaborator, tree: Tree) -> Value:
    left, right = (work.visit(arg) for arg in tree.args)
    if tree.value == ":" and (left.rank < 2 or right.rank < 2):
        raise work.misfit(tree, f"{work.text(tree)}: a colon stands between two matrices")
    left, right = Value(left.node, left.open), Value(right.node, right.open)
    return work.sum_out(work.entrywise([left, right], [1, 1], tree))


def _array(work: Elaborator, tree: Tree) -> Value:
    """A vector or matrix written out: entries times unit vectors, or blocks."""
    rows, columns = extent(tree)
    if rows * (columns or 1) > MAX_ENTRIES:
        raise LimitError("this array is too large to be written out", code="LIMIT_LENGTH")
    values = [work.visit(arg) for arg in tree.args]
    if any(value.rank for value in values):
        return array_of_blocks(work, tree, values)
    terms = []
    for k, entry in enumerate(values):
        places = [(work.onehot(work.number(k if columns is None else k // columns), rows), (0,), 1)]
        if columns is not None:
            places.append((work.onehot(work.number(k % columns), columns), (1,), 1))
        terms.append((1, work.combine([(entry, (), 1), *places], PLACES[: len(places)])))
    value = work.total(terms, tree)
    if columns is not None and 1 in {rows, columns}:
        flat = work.algebra.contract([(value.node, (*value.open, 0, 1))], (*value.open, 1 if rows == 1 else 0))
        return Value(flat, value.open, rows == 1 and columns != 1)
    return value


def _assemble(work: Elaborator, tree: Tree) -> Value:
    names, body = indices(tree), tree.args[0]
    outer, work.bound = work.bound, {**work.bound, **dict.fromkeys(names)}
    outside, work.ranges = work.ranges, {k: r for k, r in work.ranges.items() if k not in names}
    if work.scope.calculates:
        ranges.bind(work, tree.args[0], names, [_run(work, name, end) for name, end in _bounds(tree)])
    try:
        value = work.visit(body)
        if len(tree.args) > 1 or value.rank < len(names) or _mentions(body, names):
            return close(work, value, names, tree)
    finally:
        work.bound, work.ranges = outer, outside
    letters = (Tree("name", (), name, tree.end, tree.end) for name in names)  # [A x]_i is an entry of what stands there
    return work.visit(Tree("index", (body, *letters), None, tree.start, tree.end))


def _mentions(tree: Tree, names: tuple[str, ...]) -> bool:
    return any(part.head == "name" and part.value in names for part in tree.walk())


def _bounds(tree: Tree) -> list[tuple[str, Tree]]:
    return list(zip(indices(tree), tree.args[1:], strict=False))


def _run(work: Elaborator, name: str, bound: Tree) -> Tree:
    """How an index below a bracket runs: from 1 to its bound, in code from 0 to the one before."""
    start, end = bound.start, bound.end
    first, one = Tree("num", (), int(not work.scope.numpy), start, end), Tree("num", (), 1, start, end)
    last = Tree("add", (bound, one), (1, -1), start, end) if work.scope.numpy else bound
    return Tree("binder", (first, last), ((name,), "range"), start, end)


def close(work: Elaborator, value: Value, names: tuple[str, ...], tree: Tree) -> Value:
    """`value` with the open indices `names` made its first positional axes."""
    if value.open == names and names:
        return Value(value.node)
    rest = tuple(name for name in value.open if name not in names)
    places = PLACES[: value.rank]
    sizes: dict[Any, Axis] = {name: work.dimension(name, tree) for name in names if name not in value.open}
    return Value(work.algebra.contract([(value.node, value.open + places)], rest + names + places, 1, sizes), rest)


def _call(work: Elaborator, tree: Tree) -> Value:
    name = str(tree.value)
    scope = work.scope
    function = scope.functions.get(name)
    if function is not None:
        return _user_call(work, name, tree)
    if name in scope.values or name in work.arguments:
        if any(part.head not in {"name", "index", "num"} for arg in tree.args for part in arg.walk()):
            raise NameProblem(
                f"{name} was given for one argument, and is no function of another", hint=f"a product is {name} * (...)"
            )
        _check_arguments(work, name, tree)
        work.note(f"{work.text(tree)} is {name}: what it depends on was given above")
        return work.arguments.get(name) or scope.values[name]
    if name.endswith("'"):
        return _derived_call(work, name.rstrip("'"), len(name) - len(name.rstrip("'")), tree)
    known = CONVENTIONAL.get(name, name)
    if known != name:
        work.note(
            f"{name} is defined nowhere, and read as {known}, as in logistic regression; to change: {name}(z) = ..."
        )
    handler = BUILTIN.get(known)
    if handler is None:
        raise NameProblem(f"there is no function {name}", hint="known are exp, log, max, softmax, sum, tr, ...")
    return handler(work, tree)


def _check_arguments(work: Elaborator, name: str, tree: Tree) -> None:
    """`f(y)` is f only where f depends on y, or on what y was given as."""
    value = work.arguments.get(name) or work.scope.values[name]
    if not isinstance(value.node, Node):
        return  # shapes alone say nothing of it
    known = {v.name for v in variables(value.node)}
    for part in (arg.args[0] if arg.head == "index" else arg for arg in tree.args):
        stem = str(part.value)
        given = work.scope.values.get(stem)
        within = {v.name for v in variables(given.node)} if given is not None else {work.scope.rows.get(stem, stem)}
        if part.head == "name" and known and not (within and within <= known):
            label = to_text(str(part.value))
            hint = f"for its value at {label} define {name}(x) = ...; a product is {name} * ({label})"
            raise NameProblem(f"{name} was given above, and does not depend on {label}", hint=hint)


def _derived_call(work: Elaborator, name: str, order: int, tree: Tree) -> Value:
    """g'(z) of a known function g of one variable, entry by entry: its rule, read at z."""
    function = work.scope.functions.get(name)
    body = function.body if function is not None else None
    while body is not None:
        plain = body.head == "call" and len(body.args) == 1 and body.args[0].head == "name"
        name, inner = (str(body.value), work.scope.functions.get(str(body.value))) if plain else ("", None)
        body = inner.body if inner is not None else None
    op = SPELLED.get(name)
    if op is None or len(op.args) != 1 or op.rules[0].kind != "partial" or order != 1:
        shown = f"{tree.value}(...)"
        raise UnsupportedError(f"{shown} is read of a known function of one variable, and once", hint="write it out")
    (argument,) = op.args
    rule = parse_tree(op.rules[0].formula, syntax="text").tree
    (value,) = (work.visit(arg) for arg in tree.args)
    entries = tuple(f"entry {k}" for k in range(value.rank))
    outer, work.arguments = work.arguments, {argument: Value(value.node, value.open + entries)}
    bound, work.bound = work.bound, {}
    notes, work.notes = work.notes, {}
    try:
        found = work.visit(rule)
    finally:
        work.arguments, work.bound, work.notes = outer, bound, notes
    whole = work.spread(found, work.merge([Value(value.node, value.open + entries)]), ())
    return Value(whole, value.open, value.row)


def _user_call(work: Elaborator, name: str, tree: Tree) -> Value:
    """A function that the user defined, expanded."""
    function = work.scope.functions[name]
    if len(tree.args) != len(function.parameters):
        raise InputError(f"{name} takes {len(function.parameters)} arguments, not {len(tree.args)}", code="ARITY")
    if work.calls >= MAX_CALLS:
        raise LimitError(f"the definition of {name} never ends", code="LIMIT_DEPTH")
    below = function.below()
    places = {p: arg for p, arg in zip(function.parameters, tree.args, strict=True) if p in below}
    given = {p: work.visit(arg) for p, arg in zip(function.parameters, tree.args, strict=True) if p not in below}
    letters = {str(part.value) for arg in places.values() for part in arg.walk() if part.head == "name"}
    body = at_places(function.body, places, letters) if places else function.body
    outer, work.arguments = work.arguments, {**{k: v for k, v in work.arguments.items() if k in letters}, **given}
    bound, work.bound = work.bound, {k: v for k, v in work.bound.items() if k in letters}
    work.calls += 1
    try:
        return work.visit(body)
    finally:
        work.arguments, work.bound = outer, bound
        work.calls -= 1


HANDLERS: dict[str, Handler] = {
    "call": _call, "norm": _norm, "bars": _bars, "inner": _inner, "array": _array, "assemble": _assemble,
}  # fmt: skip
