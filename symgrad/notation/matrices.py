"""Functions of matrices: traces, diagonals, products, powers, and sums over eigenvalues.

Contract: what products and sums alone write is built from them here, so that derivatives need no rule for it; the rest
is an operation.  A matrix that must be square is checked where the formula says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgrad.errors import InputError, LimitError, UnsupportedError
from symgrad.notation.arguments import arguments, written
from symgrad.notation.literals import literal
from symgrad.notation.scripts import PLUS
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
from symgrad.shapes import find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def of_eigenvalues(work: Elaborator, tree: Tree, total: str) -> Value | None:
    """Sums and products over all eigenvalues are functions of the matrix: Π λ = det X, Σ λ^k = tr X^k, max λ."""
    body = tree.args[0] if tree.args else tree
    kind, eigenvalues = (str(body.value), body.args[0]) if body.head == "call" and body.args else ("", body)
    power = Tree("num", (), 1)
    if body.head == "pow":
        kind, (eigenvalues, power) = "power", body.args
    if kind == "eigvals":
        kind, eigenvalues = "", body
    if eigenvalues.head != "call" or eigenvalues.value != "eigvals" or (total, kind) not in _SPECTRAL:
        return None
    (value,) = arguments(work, eigenvalues, 1, 1)
    return _SPECTRAL[total, kind](work, value, power, tree)


def trace_of(work: Elaborator, value: Value, tree: Tree) -> Value:
    if value.rank != 2 or not unify(*value.shape):
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}")
    return Value(work.algebra.contract([(value.node, (*value.open, 0, 0))], value.open), value.open)


_SPECTRAL: dict[tuple[str, str], Callable[[Elaborator, Value, Tree, Tree], Value]] = {
    ("prod", ""): lambda work, value, _, tree: work.apply("det", [value], tree),
    ("max", ""): lambda work, value, _, tree: work.apply("eigmax", [value], tree),
    ("min", ""): lambda work, value, _, tree: work.apply("eigmin", [value], tree),
    ("sum", ""): lambda work, value, _, tree: trace_of(work, value, tree),
    ("sum", "log"): lambda work, value, _, tree: work.apply("logdet", [value], tree),
    ("sum", "exp"): lambda work, value, _, tree: trace_of(work, work.apply("expm", [value], tree), tree),
    ("sum", "power"): lambda work, value, k, tree: trace_of(work, matrix_power(work, value, k, tree), tree),
}


#: Functions that have a meaning for a matrix as such, too.
_OF_MATRICES = frozenset(("exp", "log", "sin", "cos", "sinh", "cosh", "tan", "tanh"))


def _trace(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 0:
        return value
    refuse_functions(work, tree.args[0], tree)
    return trace_of(work, value, tree)


def refuse_functions(work: Elaborator, argument: Tree, tree: Tree) -> None:
    """tr(X log X), ||log A - log B||_F of square matrices: what is meant is the function of a matrix, or of entries."""
    stack = [] if work.scope.numpy else [argument]
    while stack:
        part = stack.pop()
        if part.head in {"add", "neg", "transpose"} or (part.head == "mul" and part.value == ""):
            stack.extend(part.args)
        written = part.head == "call" and work.scope.source.startswith((str(part.value), f"\\{part.value}"), part.start)
        if not written or part.value not in _OF_MATRICES or not _is_square(work.visit(part.args[0])):
            continue
        hint = _HINTS.get(str(part.value), f"write np.{part.value}(X) for the {part.value} of every entry")
        raise InputError(f"{work.text(tree)}: of the matrix, or of every entry?", code="AMBIGUOUS", hint=hint)


#: How what is meant is written, where a function has a name for matrices.
_HINTS = {
    "exp": "write expm(X) for the exponential of the matrix, np.exp(X) for every entry's",
    "log": "write logm(X) for the logarithm of the matrix, np.log(X) for every entry's",
}


def _is_square(value: Value) -> bool:
    return value.rank == 2 and find(value.shape[0]) == find(value.shape[1])


def _transposed(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 2:
        return work.swapped(value)
    return value if value.rank == 0 or work.scope.numpy else Value(value.node, value.open, not value.row)


def _diag(work: Elaborator, tree: Tree) -> Value:
    """diag(v) is the matrix with v on its diagonal, diag(A) the vector of the diagonal of A; diag(v_i) is diag(v)."""
    (value,) = arguments(work, tree, 1, 1)
    free = [name for name in value.open if name not in work.bound]
    if value.rank == 0 and len(value.open) == len(free) == 1:
        work.note(f"{work.text(tree)} has these entries on its diagonal for all {free[0]}")
        value = Value(value.node)
    names = value.open
    if value.rank == 1:
        return Value(work.algebra.contract([(value.node, (*names, 0))], (*names, 0, 0)), names)
    if value.rank == 2 and unify(*value.shape):
        return Value(work.algebra.contract([(value.node, (*names, 0, 0))], (*names, 0)), names)
    raise work.misfit(tree, f"{work.text(tree)} needs a vector or a square matrix, not {work.shown(value)}")


def _outer(work: Elaborator, tree: Tree) -> Value:
    left, right = arguments(work, tree, 2, 2)
    if left.rank != 1 or right.rank != 1:
        raise work.misfit(tree, f"outer needs two vectors, not {work.shown(left)} and {work.shown(right)}")
    return work.combine([(left, (0,), 1), (right, (1,), 1)], (0, 1))


def crossed(work: Elaborator, values: Sequence[Value], tree: Tree) -> Value:
    """a × b of two vectors with three entries."""
    left, right = (Value(value.node, value.open) for value in values)
    if left.rank != 1 or right.rank != 1 or not (unify(left.shape[0], 3) and unify(right.shape[0], 3)):
        shown = f"{work.shown(left)} and {work.shown(right)}"
        raise work.misfit(tree, f"{work.text(tree)} needs two vectors with 3 entries, not {shown}")
    unit = [work.onehot(work.number(k), 3) for k in range(3)]
    a, b = ([work.combine([(v, (0,), 1), (one, (0,), 1)], ()) for one in unit] for v in (left, right))
    terms = []
    for k in range(3):
        first, second = (k + 1) % 3, (k + 2) % 3
        for sign, one, other in ((1, first, second), (-1, second, first)):
            terms.append((sign, work.combine([(a[one], (), 1), (b[other], (), 1), (unit[k], (0,), 1)], (0,))))
    return work.total(terms, tree)


def _cross(work: Elaborator, tree: Tree) -> Value:
    return crossed(work, arguments(work, tree, 2, 2), tree)


def _plus(work: Elaborator, tree: Tree) -> Value:
    """`[z]^+` of a number is max(0, z), `(A)^+` of a matrix the pseudo-inverse; of a vector it could be either."""
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 0:
        return work.apply("relu", [value], tree)
    if value.rank == 2:
        return work.apply("pinv", [value], tree)
    hint = "write max(0, z) for the positive part of every entry"
    raise InputError(f"{work.text(tree)}: the positive part, or a pseudo-inverse?", code="AMBIGUOUS", hint=hint)


def _matmul(work: Elaborator, tree: Tree) -> Value:
    return work.visit(Tree("mul", written(tree, 2, 2), "@", tree.start, tree.end))


def _matrix_power(work: Elaborator, tree: Tree) -> Value:
    base, exponent = written(tree, 2, 2)
    value = work.visit(base)
    if value.rank != 2:
        raise work.misfit(tree, f"matrix_power needs a matrix, not {work.shown(value)}")
    return matrix_power(work, value, exponent, tree)


def matrix_power(work: Elaborator, value: Value, exponent: Tree, tree: Tree) -> Value:
    """The product of k copies of a square matrix, or of its inverse; k may be a name."""
    power = literal(exponent)
    if power is None:
        return _symbolic_power(work, value, exponent, tree)
    halves = 2 * Fraction(power)
    if halves.denominator != 1:
        raise UnsupportedError(
            f"{work.text(tree)}: only whole and half powers of a matrix are known",
            hint="write .^ for the power of every entry",
        )
    if halves % 2:
        _square(work, value, tree)
        work.note(f"{work.text(tree)} is a power of the principal square root of the matrix")
        return _whole_power(work, work.apply("sqrtm", [value], tree), int(halves), tree)
    return _whole_power(work, value, int(power), tree)


def _symbolic_power(work: Elaborator, value: Value, exponent: Tree, tree: Tree) -> Value:
    if exponent.head == "neg":
        value, exponent = work.apply("inverse", [value], tree), exponent.args[0]
    return work.apply("matrix_power", [value, _natural(work, exponent, tree)], tree)


def _natural(work: Elaborator, exponent: Tree, tree: Tree) -> Value:
    """The power of a matrix, whose variables are whole numbers."""
    power = work.visit(exponent)
    if power.rank or power.open:
        raise UnsupportedError(f"{work.text(tree)}: the power of a matrix is one whole number")
    for part in exponent.walk():
        if part.head == "name" and part.value in work.scope.variables:
            work.scope.naturals.add(str(part.value))
            work.note(f"{part.value} is a whole number, the power of a matrix")
    return power


def _power_change(name: str, count: int) -> Handler:
    """power_change(X, k, E) is Σ_{r=0}^{k-1} X^r E X^{k-1-r}, and power_change2(X, k, E, F) its change along F."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        base, exponent, *inside = written(tree, count, count)
        power = _natural(work, exponent, tree)
        return work.apply(name, [work.visit(base), power, *(work.visit(arg) for arg in inside)], tree)

    return handler


def _square(work: Elaborator, value: Value, tree: Tree) -> None:
    if not unify(*value.shape):
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}",
                          hint="write .^ for the power of every entry")  # fmt: skip


def _whole_power(work: Elaborator, value: Value, power: int, tree: Tree) -> Value:
    """The product of |power| copies of a square matrix, or of its inverse."""
    _square(work, value, tree)
    if abs(power) > 100:
        raise LimitError("this power of a matrix is too large", code="LIMIT_NUMBER")
    if power == 0:
        return Value(work.algebra.delta(find(value.shape[0])))
    if power < 0:
        value = work.apply("inverse", [value], tree)
    count = abs(power)
    factors = [(value, (k, k + 1), 1) for k in range(count)]
    return work.combine([(v, labels, p) for v, labels, p in factors], (0, count)) if count > 1 else value


HANDLERS: dict[tuple[str, ...], Handler] = {
    ("tr", "Tr", "trace"): _trace,
    ("transpose",): _transposed,
    ("diag",): _diag,
    ("outer",): _outer,
    ("cross",): _cross,
    (PLUS,): _plus,
    ("dot", "matmul", "inner"): _matmul,
    ("matrix_power",): _matrix_power,
    ("power_change",): _power_change("power_change", 3),
    ("power_change2",): _power_change("power_change2", 4),
}
