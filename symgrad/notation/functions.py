"""The functions a formula may call, by name: operations, reductions, shapes of constants, small abbreviations.

Contract: `BUILTIN[name](work, tree)` is the value of a call.  Declared operations are found by all their spellings;
what is written with products and sums alone (traces, means, norms) is built here and is no operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import factorial
from typing import TYPE_CHECKING, Any

from symgrad.errors import DomainError, InputError, LimitError, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation import blocks, convolutions
from symgrad.notation.abbreviations import ABBREVIATIONS
from symgrad.notation.conditions import condition
from symgrad.notation.literals import literal
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.values import Function, Handler, Value
from symgrad.ops import OPERATIONS
from symgrad.shapes import Axis, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def arguments(work: Elaborator, tree: Tree, least: int, most: int, *keywords: str) -> list[Value]:
    """The positional arguments of a call, so many of them; only these keywords may stand beside them."""
    plain = [arg for arg in tree.args if arg.head != "keyword"]
    for arg in tree.args:
        if arg.head == "keyword" and arg.value not in keywords:
            message = f"{tree.value} has no option {arg.value}"
            raise InputError(message, source=work.scope.source, offset=arg.start, end=arg.end)
    if not least <= len(plain) <= most:
        needed = str(least) if least == most else f"{least} to {most}"
        raise InputError(f"{tree.value} takes {needed} argument{'s' * (most != 1)}, not {len(plain)}", code="ARITY")
    return [work.visit(arg) for arg in plain]


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


# --- declared operations ----------------------------------------------------------------------------------------------


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
            return _kept(work, tree, value, whole)
        result = over_axis(work, name, value, axis, tree)
        return _kept(work, tree, value, result) if name in {"logsumexp", "prod"} else result

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
    plain = [arg for arg in tree.args if arg.head != "keyword"]
    if not 1 <= len(plain) <= 2:
        raise InputError(f"onehot takes 1 or 2 arguments, not {len(plain)}", code="ARITY")
    label = work.visit(plain[0])
    dim = dimension(work, plain[1]) if len(plain) == 2 else work.algebra.hole()
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
    if len(tree.args) != 3:
        raise InputError(f"where takes 3 arguments, not {len(tree.args)}", code="ARITY")
    tested, *branches = tree.args
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
        return _kept(work, tree, value, _extreme_all(work, value, sign, tree))
    if sign > 0:
        return _kept(work, tree, value, over_axis(work, "amax", value, axis, tree))
    best = over_axis(work, "amax", _negative(work, value), axis, tree)
    return _kept(work, tree, value, _negative(work, best))


def _extreme_all(work: Elaborator, value: Value, sign: int, tree: Tree) -> Value:
    """NumPy's max of a matrix: the largest of all entries."""
    turned = value if sign > 0 else _negative(work, value)
    best = work.apply("amax", [work.apply("amax", [turned], tree)], tree)
    return best if sign > 0 else _negative(work, best)


def _negative(work: Elaborator, value: Value) -> Value:
    return Value(work.algebra.add([(-1, value.node)]), value.open, value.row)


# --- sums, means, norms, traces ---------------------------------------------------------------------------------------


def _summand(work: Elaborator, tree: Tree) -> Value:
    """The argument of a sum over entries, in which (Y - P)^2 is a square of entries."""
    outer, work.summed = work.summed, tree.args[0] if tree.args else None
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    work.summed = outer
    return value


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


def _trace_of(work: Elaborator, value: Value, tree: Tree) -> Value:
    if value.rank != 2 or not unify(*value.shape):
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}")
    return Value(work.algebra.contract([(value.node, (*value.open, 0, 0))], value.open), value.open)


_SPECTRAL: dict[tuple[str, str], Callable[[Elaborator, Value, Tree, Tree], Value]] = {
    ("prod", ""): lambda work, value, _, tree: work.apply("det", [value], tree),
    ("max", ""): lambda work, value, _, tree: work.apply("eigmax", [value], tree),
    ("min", ""): lambda work, value, _, tree: work.apply("eigmin", [value], tree),
    ("sum", ""): lambda work, value, _, tree: _trace_of(work, value, tree),
    ("sum", "log"): lambda work, value, _, tree: work.apply("logdet", [value], tree),
    ("sum", "exp"): lambda work, value, _, tree: _trace_of(work, work.apply("expm", [value], tree), tree),
    ("sum", "power"): lambda work, value, k, tree: _trace_of(work, matrix_power(work, value, k, tree), tree),
}


def _product(work: Elaborator, tree: Tree) -> Value:
    return of_eigenvalues(work, tree, "prod") or _along_axis("prod")(work, tree)


def _sum(work: Elaborator, tree: Tree) -> Value:
    found = of_eigenvalues(work, tree, "sum")
    if found is not None:
        return found
    value = _summand(work, tree)
    axis = axis_option(work, tree, value)
    return _kept(work, tree, value, work.sum_out(value, None if axis is None else [axis]))


def mean_of(work: Elaborator, value: Value, axis: int | None) -> Value:
    """The sum over an axis, or over all, divided by the number of terms."""
    axes = range(value.rank) if axis is None else [axis]
    names, out = value.open, tuple(k for k in range(value.rank) if k not in axes)
    sizes = [(work.algebra.size(find(value.shape[k])), (), -1) for k in axes]
    node = work.algebra.contract([*sizes, (value.node, names + tuple(range(value.rank)))], names + out)
    return Value(node, names)


def _size_of(work: Elaborator, tree: Tree) -> Value:
    """len(y) and X.shape[0]: a size as a number."""
    return Value(work.algebra.size(find(work.visit_dimension(tree))))


def _kept(work: Elaborator, tree: Tree, value: Value, result: Value) -> Value:
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


def _mean(work: Elaborator, tree: Tree) -> Value:
    value = _summand(work, tree)
    return _kept(work, tree, value, mean_of(work, value, axis_option(work, tree, value)))


def variance(work: Elaborator, value: Value, tree: Tree, axis: int | None = None) -> Value:
    """mean((x - mean(x))²), over an axis, or over all entries."""
    mean, rank = mean_of(work, value, axis), value.rank
    kept = tuple(k for k in range(rank) if axis is not None and k != axis)
    sizes: dict[Any, Axis] = dict(enumerate(value.shape))
    out = (*mean.open, *range(rank))
    whole = Value(work.algebra.contract([(mean.node, mean.open + kept)], out, 1, sizes), mean.open)
    centred = work.total([(1, value), (-1, whole)], tree)
    return mean_of(work, work.raised(centred, 2), axis)


def _var(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    return _kept(work, tree, value, variance(work, value, tree, axis_option(work, tree, value)))


def _std(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1, "axis", "keepdims")
    spread = work.raised(variance(work, value, tree, axis_option(work, tree, value)), Fraction(1, 2))
    return _kept(work, tree, value, spread)


#: Functions that have a meaning for a matrix as such, too.
_OF_MATRICES = frozenset(("exp", "log", "sin", "cos", "sinh", "cosh", "tan", "tanh"))


def _trace(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 0:
        return value
    inner = tree.args[0]
    written = inner.head == "call" and work.scope.source.startswith((str(inner.value), f"\\{inner.value}"), inner.start)
    if written and inner.value in _OF_MATRICES and not work.scope.numpy:
        hint = f"write np.{inner.value}(X) for the {inner.value} of every entry"
        hint = (
            "write expm(X) for the exponential of the matrix, np.exp(X) for every entry's" * (inner.value == "exp")
            or hint
        )
        raise InputError(f"{work.text(tree)}: of the matrix, or of every entry?", code="AMBIGUOUS", hint=hint)
    return _trace_of(work, value, tree)


def norm(work: Elaborator, value: Value, kind: str, tree: Tree) -> Value:
    """A norm of a scalar, a vector or a matrix."""
    if value.rank == 0:
        return work.apply("abs", [value], tree)
    if kind == "F" or (kind == "" and value.rank == 2) or (kind in {"", "2"} and value.rank == 1):
        if value.rank == 2 and kind == "":
            work.note(f"{work.text(tree)} is the Frobenius norm")
        return work.raised(work.sum_out(value, power=2), Fraction(1, 2))
    found = _NORMS.get((value.rank, kind))
    # ||W||_1 and ||W||_2 are also written for what goes over the entries; norm(W, 1) and norm(W, 2) are NumPy's
    called = "norm" in work.scope.source[tree.start : tree.args[0].start]
    if found is None or (value.rank == 2 and kind in {"1", "2", "inf"} and not called):
        hint = (
            "write ||W||_F or sum(abs(W)) for the norm of all entries, norm(W, 1), norm(W, 2) or norm(W, inf) for the "
        )
        raise UnsupportedError(f"{work.text(tree)}: which norm of a matrix?", hint=hint + "induced norm")
    return found(work, value, tree)


def _absolute_sum(work: Elaborator, value: Value, tree: Tree) -> Value:
    return work.sum_out(work.apply("abs", [value], tree))


def _largest(work: Elaborator, value: Value, tree: Tree) -> Value:
    """The largest entry in size."""
    return work.apply("amax", [work.apply("abs", [value], tree)], tree)


def _largest_sum(axis: int) -> Callable[[Elaborator, Value, Tree], Value]:
    """The largest sum of sizes along an axis: the norms induced by ‖x‖_1 and ‖x‖_∞."""

    def build(work: Elaborator, value: Value, tree: Tree) -> Value:
        return work.apply("amax", [work.sum_out(work.apply("abs", [value], tree), [axis])], tree)

    return build


def _spectral(work: Elaborator, value: Value, tree: Tree) -> Value:
    """The largest singular value: the square root of the largest eigenvalue of Xᵀ X."""
    work.note(f"{work.text(tree)} is the largest singular value")
    gram = work.combine([(value, (0, 1), 1), (value, (0, 2), 1)], (1, 2))
    return work.raised(work.apply("eigmax", [gram], tree), Fraction(1, 2))


def _p_norm(work: Elaborator, value: Value, tree: Tree) -> Value:
    """(Σ |x_i|^p)^(1/p)."""
    sizes = work.apply("abs", [value], tree)
    power = literal(tree.args[1])
    if power is not None:
        return work.raised(work.sum_out(sizes, power=power), 1 / Fraction(power))
    order = work.visit(tree.args[1])
    if order.rank or order.open:
        raise UnsupportedError(f"{work.text(tree)}: the order of a norm is a number")
    total = work.sum_out(work.apply("power", [sizes, order], tree))
    return work.apply("power", [total, work.entrywise([order], [-1], tree)], tree)


_NORMS: dict[tuple[int, str], Callable[[Elaborator, Value, Tree], Value]] = {
    (1, "1"): _absolute_sum, (1, "inf"): _largest, (1, "max"): _largest, (1, "p"): _p_norm,
    (2, "1"): _largest_sum(0), (2, "inf"): _largest_sum(1), (2, "2"): _spectral, (2, "op"): _spectral,
    (2, "max"): lambda work, value, tree: work.apply("amax", [_largest(work, value, tree)], tree),
    (2, "*"): lambda work, value, tree: work.apply("nucnorm", [value], tree),
}  # fmt: skip


def _norm1(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    return norm(work, value, "1", tree)


# --- matrices ---------------------------------------------------------------------------------------------------------


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


def _matmul(work: Elaborator, tree: Tree) -> Value:
    if len(tree.args) != 2:
        raise InputError(f"{tree.value} takes 2 arguments, not {len(tree.args)}", code="ARITY")
    return work.visit(Tree("mul", tree.args, "@", tree.start, tree.end))


def _matrix_power(work: Elaborator, tree: Tree) -> Value:
    if len(tree.args) != 2:
        raise InputError(f"matrix_power takes 2 arguments, not {len(tree.args)}", code="ARITY")
    value = work.visit(tree.args[0])
    if value.rank != 2:
        raise work.misfit(tree, f"matrix_power needs a matrix, not {work.shown(value)}")
    return matrix_power(work, value, tree.args[1], tree)


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


def _power_change(work: Elaborator, tree: Tree) -> Value:
    """power_change(X, k, E) is Σ_{r=0}^{k-1} X^r E X^{k-1-r}."""
    if len(tree.args) != 3:
        raise InputError(f"power_change takes 3 arguments, not {len(tree.args)}", code="ARITY")
    base, exponent, inside = tree.args
    power = _natural(work, exponent, tree)
    return work.apply("power_change", [work.visit(base), power, work.visit(inside)], tree)


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


# --- stacked axes -----------------------------------------------------------------------------------------------------


def stacked(work: Elaborator, value: Value, groups: Sequence[Sequence[int]]) -> Value:
    """The value with every group of its axes stacked into one, the first of a group running fastest."""
    names = value.open
    factors: list[Any] = [(value.node, names + tuple(range(value.rank)))]
    out: list[Any] = []
    for axes in groups:
        label: Any = axes[0]
        dim = find(value.shape[label])
        for axis in axes[1:]:
            tensor = work.algebra.stacking(dim, find(value.shape[axis]))
            factors.append((tensor, (label, axis, ("stacked", axis))))
            label, dim = ("stacked", axis), find(tensor.shape[2])
        out.append(label)
    return Value(work.algebra.contract(factors, names + tuple(out)), names)


def _vec(work: Elaborator, tree: Tree) -> Value:
    """vec(X): the columns of X in one vector."""
    (value,) = arguments(work, tree, 1, 1)
    return stacked(work, value, [range(value.rank)]) if value.rank else value


def _unfold(work: Elaborator, tree: Tree) -> Value:
    """unfold(T, k): the matrix whose rows are the first k axes of T, stacked, and whose columns are the others."""
    if len(tree.args) != 2:
        raise InputError(f"{tree.value} takes 2 arguments, not {len(tree.args)}", code="ARITY")
    value, cut = work.visit(tree.args[0]), literal(tree.args[1])
    if cut is None or Fraction(cut).denominator != 1 or not 0 < cut < value.rank:
        raise ShapeError(f"{work.text(tree)}: the second argument says how many axes of the first are rows")
    return stacked(work, value, [range(int(cut)), range(int(cut), value.rank)])


def _kron(work: Elaborator, tree: Tree) -> Value:
    """A ⊗ B: entry ((i, k), (j, l)) is A_ij B_kl, and k and l run fastest; a column or row is a matrix of one."""
    left, right = arguments(work, tree, 2, 2)
    if left.rank == right.rank == 1 and left.row == right.row:
        work.note(f"{work.text(tree)} is the Kronecker product, neither the outer product nor the product of entries")
    if not left.rank or not right.rank:
        raise work.misfit(
            tree, f"{work.text(tree)} needs two matrices or vectors, not {work.shown(left)} and {work.shown(right)}"
        )
    sides = (_sides(left), tuple(None if k is None else left.rank + k for k in _sides(right)))
    places = tuple(range(left.rank)), tuple(range(left.rank, left.rank + right.rank))
    outer = work.combine([(left, places[0], 1), (right, places[1], 1)], places[0] + places[1])
    pairs = [[k for k in (slow, fast) if k is not None] for fast, slow in zip(*sides, strict=True)]
    found = stacked(work, outer, [pair for pair in pairs if pair])
    return Value(found.node, found.open, left.row and right.row)


def _sides(value: Value) -> tuple[int | None, int | None]:
    """The axes that are rows and columns."""
    if value.rank == 2:
        return 0, 1
    return (None, 0) if value.row else (0, None)


def _stacking(work: Elaborator, tree: Tree) -> Value:
    """stacking(m, n): the tensor by which an m×n matrix is stacked, entry (i, j, i + m j)."""
    if len(tree.args) != 2:
        raise InputError(f"{tree.value} takes 2 arguments, not {len(tree.args)}", code="ARITY")
    return Value(work.algebra.stacking(*(dimension(work, arg) for arg in tree.args)))


def _commutation(work: Elaborator, tree: Tree) -> Value:
    """commutation(m, n) vec(X) = vec(X^T) for an m×n matrix X."""
    if len(tree.args) != 2:
        raise InputError(f"{tree.value} takes 2 arguments, not {len(tree.args)}", code="ARITY")
    rows, columns = (dimension(work, arg) for arg in tree.args)
    pair = [
        (work.algebra.stacking(columns, rows), (1, 0, "turned")),
        (work.algebra.stacking(rows, columns), (0, 1, "own")),
    ]
    return Value(work.algebra.contract(pair, ("turned", "own")))


# --- constant arrays --------------------------------------------------------------------------------------------------


def dimension(work: Elaborator, tree: Tree) -> Axis:
    """An argument that names a dimension: a number, or the name of one."""
    exact = literal(tree)
    if exact is not None:
        if Fraction(exact).denominator != 1 or not 1 <= exact <= 10**9:
            raise DomainError(f"{exact} is no dimension")
        return int(exact)
    if tree.head != "name":
        raise DomainError("a dimension is a name or a whole number")
    return str(tree.value)


def _filled(value: Rational) -> Handler:
    """ones and zeros: of given dimensions, or a vector as long as the context asks."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        given: Sequence[Tree] = tree.args
        if len(given) == 1 and given[0].head == "array":
            given = given[0].args
        if len(given) > 4:
            raise InputError(f"{tree.value} takes at most 4 dimensions", code="ARITY")
        dims: tuple[Any, ...] = tuple(dimension(work, arg) for arg in given) or (work.algebra.hole(),)
        return Value(work.algebra.number(value, dims))

    return handler


def _identity(work: Elaborator, tree: Tree) -> Value:
    if len(tree.args) > 1:
        raise InputError(f"{tree.value} takes 1 argument, not {len(tree.args)}", code="ARITY")
    return Value(work.algebra.delta(dimension(work, tree.args[0]) if tree.args else work.algebra.hole()))


# --- abbreviations ----------------------------------------------------------------------------------------------------


def _power(exponent: Rational) -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1)
        return work.raised(value, exponent)

    return handler


def _logarithm(base: int) -> Handler:
    """log to another base: log(x) / log(base)."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        (value,) = arguments(work, tree, 1, 1)
        scale = work.apply("log", [work.number(base)], tree)
        return work.entrywise([work.apply("log", [value], tree), scale], [1, -1], tree)

    return handler


def _log_of_sum(work: Elaborator, tree: Tree) -> Value:
    """log1p(x) = log(1 + x)."""
    (value,) = arguments(work, tree, 1, 1)
    return work.apply("log", [work.total([(1, work.number(1)), (1, value)], tree)], tree)


def _exp_minus_one(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    return work.total([(1, work.apply("exp", [value], tree)), (-1, work.number(1))], tree)


def _hyperbolic_clip(work: Elaborator, tree: Tree) -> Value:
    """clip(x, a, b) = max(a, min(x, b))."""
    value, low, high = arguments(work, tree, 3, 3)
    return work.apply("maximum", [low, work.apply("minimum", [value, high], tree)], tree)


def _factorial(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    number = literal(tree.args[0])
    if number is None:
        work.note(f"{work.text(tree)} is Γ of the next number")
        return work.apply("gammafn", [work.total([(1, value), (1, work.number(1))], tree)], tree)
    if Fraction(number).denominator != 1 or number < 0:
        raise UnsupportedError(f"{work.text(tree)}: only the factorial of a whole number is known")
    if number > 300:
        raise LimitError("this factorial is too large", code="LIMIT_NUMBER")
    return work.number(factorial(int(number)))


def _polygamma(work: Elaborator, tree: Tree) -> Value:
    """polygamma(n, x), the n-th derivative of the digamma function: (-1)^(n + 1) n! hurwitz(n + 1, x)."""
    order, value = arguments(work, tree, 2, 2)
    n = literal(tree.args[0])
    if n is None or Fraction(n).denominator != 1 or not 0 <= n <= 50:
        raise UnsupportedError(f"{work.text(tree)}: the order of a polygamma function is a whole number written out")
    if n < 2:
        return work.apply(("digamma", "trigamma")[int(n)], [value], tree)
    zeta = work.apply("hurwitz", [work.total([(1, order), (1, work.number(1))], tree), value], tree)
    return work.entrywise([zeta], [1], tree, (-1) ** (int(n) + 1) * factorial(int(n)))


def _refused(reason: str, hint: str = "") -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        raise UnsupportedError(f"{work.text(tree)}: {reason}", hint=hint)

    return handler


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


@cache
def _written(definition: str) -> Function:
    """A function as one of the source would be, from "parameters: formula"."""
    parameters, _, formula = definition.partition(": ")
    return Function(tuple(parameters.split(", ")), parse_tree(formula, syntax="text").tree)


def _abbreviation(name: str) -> Handler:
    """A function by its definition, whose parts all stand where the call does."""

    def handler(work: Elaborator, tree: Tree) -> Value:
        function = _written(ABBREVIATIONS[name][1])
        count = len(function.parameters)
        return _expanded(work, function, arguments(work, tree, count, count), tree)

    return handler


def _expanded(work: Elaborator, function: Function, values: Sequence[Value], tree: Tree) -> Value:
    """A function at given values, every part of it where the call stands."""
    given = dict(zip(function.parameters, values, strict=True))
    body = fold(function.body, lambda node, args: Tree(node.head, tuple(args), node.value, tree.start, tree.end))
    outer, work.arguments = work.arguments, given
    bound, work.bound = work.bound, {}
    try:
        return work.visit(body)
    finally:
        work.arguments, work.bound = outer, bound


#: The density of the normal distribution by the mean and the variance, of a number and of a vector.
_DENSITIES = (
    "x, m, v: exp(-(x - m)^2 / (2 v)) / sqrt(2 pi v)",
    "x, m, S: exp(-(x - m)^T inv(S) (x - m) / 2) / sqrt(det(2 pi S))",
)


def _gaussian(work: Elaborator, tree: Tree) -> Value:
    """gaussian(x, m, S): the density of the normal distribution with mean m and variance or covariance S at x."""
    values = arguments(work, tree, 3, 3)
    rank = min(values[0].rank, 1)
    if values[0].rank > 1 or values[1].rank != rank or values[2].rank != 2 * rank:
        message = f"{work.text(tree)} needs a number, its mean and variance, or a vector, its mean and covariance"
        raise work.misfit(tree, message)
    return _expanded(work, _written(_DENSITIES[rank]), values, tree)


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


_NAMED: dict[tuple[str, ...], Handler] = {
    ("max", "maximum", "amax"): _extreme("maximum", 1),
    ("min", "minimum", "amin"): _extreme("minimum", -1),
    ("onehot", "one_hot"): _onehot,
    ("where",): _where,
    ("exp",): _exp,
    ("pi",): _nullary("pi"),
    ("sum",): _sum,
    ("prod",): _product,
    ("mean",): _mean,
    ("len", "shape"): _size_of,
    ("var",): _var,
    ("std",): _std,
    ("tr", "Tr", "trace"): _trace,
    ("norm1",): _norm1,
    ("transpose",): _transposed,
    ("diag",): _diag,
    ("outer",): _outer,
    ("dot", "matmul", "inner"): _matmul,
    ("matrix_power",): _matrix_power,
    ("power_change",): _power_change,
    ("ones",): _filled(1),
    ("zeros",): _filled(0),
    ("eye", "identity", "I"): _identity,
    ("sqrt",): _power(Fraction(1, 2)),
    ("square",): _power(2),
    ("reciprocal",): _power(-1),
    ("log10",): _logarithm(10),
    ("log2",): _logarithm(2),
    ("log1p",): _log_of_sum,
    ("expm1",): _exp_minus_one,
    ("factorial",): _factorial,
    ("polygamma",): _polygamma,
    ("clip",): _hyperbolic_clip,
    ("vec",): _vec,
    ("kron",): _kron,
    ("unfold",): _unfold,
    ("stacking",): _stacking,
    ("commutation",): _commutation,
    ("gaussian",): _gaussian,
    ("slogdet",): _refused("this is a sign and a logarithm", "write slogdet(X)[1] or logdet(X)"),
    ("eig", "eigvals", "svd"): _refused("no rule is known for this function yet"),
}

BUILTIN: dict[str, Handler] = (
    _spellings()
    | {
        name: handler
        for table in (_NAMED, convolutions.HANDLERS, blocks.HANDLERS)
        for names, handler in table.items()
        for name in names
    }
    | {name: _abbreviation(name) for name in ABBREVIATIONS}
)
