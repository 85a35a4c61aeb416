"""The functions a formula may call, by name: operations, reductions, shapes of constants, small abbreviations.

Contract: `BUILTIN[name](work, tree)` is the value of a call.  Declared operations are found by all their spellings;
what is written with products and sums alone (traces, means, norms) is built here and is no operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Any

from symgrad.errors import DomainError, InputError, LimitError, ShapeError, UnsupportedError
from symgrad.expr import Rational
from symgrad.notation import convolutions
from symgrad.notation.conditions import condition
from symgrad.notation.literals import literal
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value
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


def over_axis(work: Elaborator, name: str, value: Value, axis: int | None, tree: Tree) -> Value:
    rank = value.rank
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
            return _extreme_entry(work, tree, sign)
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


def _sum(work: Elaborator, tree: Tree) -> Value:
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


def _trace(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 0:
        return value
    if value.rank != 2 or not unify(*value.shape):
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}")
    names = value.open
    return Value(work.algebra.contract([(value.node, (*names, 0, 0))], names), names)


def norm(work: Elaborator, value: Value, kind: str, tree: Tree) -> Value:
    """A norm of a scalar, a vector or (Frobenius only) a matrix."""
    if value.rank == 0:
        return work.apply("abs", [value], tree)
    if kind in {"", "2", "F"}:
        if value.rank == 2 and kind == "2" and not work.scope.numpy:
            hint = "write ||W||_F for Frobenius"
            raise UnsupportedError(f"{work.text(tree)}: the spectral norm is not known yet", hint=hint)
        if value.rank == 2 and kind == "":
            work.note(f"{work.text(tree)} is the Frobenius norm")
        return work.raised(work.sum_out(value, power=2), Fraction(1, 2))
    if value.rank == 1 and kind == "1":
        return work.sum_out(work.apply("abs", [value], tree))
    if value.rank == 1 and kind == "inf":
        return work.apply("amax", [work.apply("abs", [value], tree)], tree)
    hint = "write sum(abs(W)) for Σ|W_ij|"
    raise UnsupportedError(f"{work.text(tree)}: this norm of a matrix is not known", hint=hint)


def _norm(work: Elaborator, tree: Tree) -> Value:
    plain = [arg for arg in tree.args if arg.head != "keyword"]
    kind = option(tree, "ord") or (plain[1] if len(plain) == 2 else None)
    if not 1 <= len(plain) <= 2:
        raise InputError(f"norm takes 1 or 2 arguments, not {len(plain)}", code="ARITY")
    spelled = "" if kind is None else str(kind.value)
    return norm(work, work.visit(plain[0]), {"fro": "F"}.get(spelled, spelled), tree)


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
    """diag(v) is the matrix with v on its diagonal, diag(A) the vector of the diagonal of A."""
    (value,) = arguments(work, tree, 1, 1)
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
    power = literal(tree.args[1])
    if power is None or Fraction(power).denominator != 1:
        raise UnsupportedError("the power of a matrix must be a whole number written out")
    value = work.visit(tree.args[0])
    if value.rank != 2:
        raise work.misfit(tree, f"matrix_power needs a matrix, not {work.shown(value)}")
    return matrix_power(work, value, int(power), tree)


def matrix_power(work: Elaborator, value: Value, power: int, tree: Tree) -> Value:
    """The product of |power| copies of a square matrix, or of its inverse."""
    if not unify(*value.shape):
        raise work.misfit(tree, f"{work.text(tree)} needs a square matrix, not {work.shown(value)}",
                          hint="write .^ for the power of every entry")  # fmt: skip
    if abs(power) > 100:
        raise LimitError("this power of a matrix is too large", code="LIMIT_NUMBER")
    if power == 0:
        return Value(work.algebra.delta(find(value.shape[0])))
    if power < 0:
        value = work.apply("inverse", [value], tree)
    count = abs(power)
    factors = [(value, (k, k + 1), 1) for k in range(count)]
    return work.combine([(v, labels, p) for v, labels, p in factors], (0, count)) if count > 1 else value


# --- constant arrays --------------------------------------------------------------------------------------------------


def dimension(work: Elaborator, tree: Tree) -> Axis:
    """An argument that names a dimension: a number, or the name of one."""
    exact = literal(tree)
    if exact is not None:
        if Fraction(exact).denominator != 1 or not 1 <= exact <= 10**9:
            raise DomainError(f"{exact} is no dimension")
        return int(exact)
    if tree.head != "name":
        raise ShapeError("a dimension is a name or a whole number")
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
    number = literal(tree.args[0]) if len(tree.args) == 1 else None
    if number is None or Fraction(number).denominator != 1 or number < 0:
        raise UnsupportedError(f"{work.text(tree)}: only the factorial of a whole number is known")
    if number > 300:
        raise LimitError("this factorial is too large", code="LIMIT_NUMBER")
    return work.number(factorial(int(number)))


def _refused(reason: str, hint: str = "") -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        raise UnsupportedError(f"{work.text(tree)}: {reason}", hint=hint)

    return handler


def _exp(work: Elaborator, tree: Tree) -> Value:
    (value,) = arguments(work, tree, 1, 1)
    if value.rank == 2 and not work.scope.source.startswith("xp", tree.start + 1) and "^" in work.text(tree)[:3]:
        hint = "write exp(X) for the exponential of every entry"
        raise UnsupportedError(f"{work.text(tree)}: the exponential of a matrix is not known yet", hint=hint)
    return work.apply("exp", [value], tree)


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
    return table


_NAMED: dict[tuple[str, ...], Handler] = {
    ("max", "maximum", "amax"): _extreme("maximum", 1),
    ("min", "minimum", "amin"): _extreme("minimum", -1),
    ("onehot", "one_hot"): _onehot,
    ("where",): _where,
    ("exp",): _exp,
    ("pi",): _nullary("pi"),
    ("sum",): _sum,
    ("mean",): _mean,
    ("len", "shape"): _size_of,
    ("var",): _var,
    ("std",): _std,
    ("tr", "Tr", "trace"): _trace,
    ("norm",): _norm,
    ("norm1",): _norm1,
    ("transpose",): _transposed,
    ("diag",): _diag,
    ("outer",): _outer,
    ("dot", "matmul", "inner"): _matmul,
    ("matrix_power",): _matrix_power,
    ("ones",): _filled(1),
    ("zeros",): _filled(0),
    ("eye", "identity", "I"): _identity,
    ("sqrt",): _power(Fraction(1, 2)),
    ("square",): _power(2),
    ("log10",): _logarithm(10),
    ("log2",): _logarithm(2),
    ("log1p",): _log_of_sum,
    ("expm1",): _exp_minus_one,
    ("factorial",): _factorial,
    ("clip",): _hyperbolic_clip,
    ("kron", "vec", "expm", "eig", "pinv", "svd", "floor"): _refused("no rule is known for this function yet"),
}

BUILTIN: dict[str, Handler] = _spellings() | {
    name: handler for table in (_NAMED, convolutions.HANDLERS) for names, handler in table.items() for name in names
}
