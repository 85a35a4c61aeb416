"""SymPy in and out.

Contract: `to_sympy(node)` is a SymPy expression of the same value.  Scalars are plain expressions; an entry of an
array is an `Indexed`, a summed label a `Sum` from 0, an identity matrix a `KroneckerDelta`; an array is a `Lambda` from
its indices to its entry.  `from_sympy` reads these back, and ordinary scalar and matrix expressions besides.  What
cannot be said raises `UnsupportedError` and names the part.  No text is ever handed to SymPy's parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import count
from typing import Any

from symgrad.dims import evaluated
from symgrad.errors import UnsupportedError
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Dim,
    Label,
    Node,
    Rational,
    Size,
    Stacking,
    Sum,
    Variable,
    Window,
    add,
    contract,
    delta,
    number,
    size,
    variable,
    window,
)
from symgrad.notation.names import canonical
from symgrad.notation.reading import read_rule
from symgrad.ops import INDICATORS, OPERATIONS, apply
from symgrad.shapes import read_assumptions, read_shapes

# --- out --------------------------------------------------------------------------------------------------------------


def to_sympy(node: Node) -> Any:
    """`node` in SymPy; see the module for how arrays are written."""
    import sympy as sp

    writer = _Writer(sp)
    indices = writer.fresh(node.rank)
    entry = writer.entry(node, indices)
    return sp.Lambda(indices, entry) if indices else entry


class _Writer:
    def __init__(self, sp: Any) -> None:
        self.sp = sp
        self.numbers = count()

    def fresh(self, many: int) -> tuple[Any, ...]:
        names = (f"i_{next(self.numbers)}" for _ in range(many))
        return tuple(self.sp.Symbol(name, integer=True, nonnegative=True) for name in names)

    def rational(self, value: Rational) -> Any:
        return self.sp.Rational(value.numerator, value.denominator)

    def dim(self, dim: Dim) -> Any:
        """A dimension as an integer, a symbol, or what is calculated from these."""
        return evaluated(dim, lambda name: self.sp.Symbol(name, integer=True, positive=True), self.sp.Integer)

    def entry(self, node: Node, indices: tuple[Any, ...]) -> Any:
        """The entry of `node` at `indices`."""
        sp = self.sp
        if isinstance(node, Variable):
            return self.variable(node, indices)
        if isinstance(node, Size):
            return self.dim(node.dim)
        if isinstance(node, Delta):
            return sp.KroneckerDelta(*indices)
        if isinstance(node, Stacking):
            row, column, place = indices
            return sp.KroneckerDelta(place, row + self.dim(node.shape[0]) * column)
        if isinstance(node, Window):
            steps = (self.dim(s) * k for s, k in zip(node.strides, indices[1:], strict=True))
            return sp.KroneckerDelta(indices[0], sp.Add(self.dim(node.offset), *steps))
        if isinstance(node, Sum):
            return sp.Add(*(self.rational(c) * self.entry(term, indices) for c, term in node.terms))
        if isinstance(node, Contraction):
            return self.product(node, indices)
        assert isinstance(node, Call)
        return self.call(node, indices)

    def variable(self, node: Variable, indices: tuple[Any, ...]) -> Any:
        label = "label" in node.assumptions
        if indices:
            shape = tuple(self.dim(d) for d in node.shape)
            return self.sp.IndexedBase(node.name, shape=shape, integer=label or None, real=True)[indices]
        positive = True if "positive" in node.assumptions else None
        return self.sp.Symbol(node.name, real=True, positive=positive, integer=label or None)

    def product(self, node: Contraction, indices: tuple[Any, ...]) -> Any:
        summed = self.fresh(len(node.sizes) - node.rank)
        labels = indices + summed
        factors = [self.entry(f, tuple(labels[k] for k in axes)) ** self.rational(p) for f, axes, p in node.factors]
        body = self.sp.Mul(*factors)
        limits = [(index, 0, self.dim(d) - 1) for index, d in zip(summed, node.sizes[node.rank :], strict=True)]
        return self.rational(node.coefficient) * (self.sp.Sum(body, *limits) if limits else body)

    def call(self, node: Call, indices: tuple[Any, ...]) -> Any:
        if node.op.name == "onehot":
            return self.sp.KroneckerDelta(self.entry(node.args[0], indices[:-1]), indices[-1])
        if node.op.name == "counting":
            return indices[0] + 1
        if node.op.entrywise and node.op.sympy is not None:
            return node.op.sympy(self.sp, *(self.entry(arg, indices if arg.shape else ()) for arg in node.args))
        plain = all(arg.rank == len(axes) for arg, axes in zip(node.args, node.op.axes()[0], strict=True))
        if node.op.definition and plain:
            meaning = read_rule(node.op.definition, dict(zip(node.op.args, node.args, strict=True)))
            return self.entry(meaning, indices)
        raise UnsupportedError(f"SymPy has no entry-by-entry form of {node.op.name}")


# --- in ---------------------------------------------------------------------------------------------------------------


def from_sympy(expression: Any, *, shapes: Any = None, assume: Any = None) -> Node:
    """A SymPy expression as a node; shapes of `IndexedBase`s and `MatrixSymbol`s are taken from SymPy if not given."""
    reader = _Reader(read_shapes(shapes, canonical), read_assumptions(assume, canonical))
    return reader.read(expression)


#: A value with its open indices: axes of the node by SymPy index symbol, then the axes of a matrix expression.
Value = tuple[Node, tuple[Any, ...]]


class _Reader:
    """One SymPy expression on its way to a node."""

    def __init__(self, shapes: Mapping[str, Any], assumed: Mapping[str, frozenset[str]]) -> None:
        import sympy as sp

        self.sp = sp
        self.shapes = shapes
        self.assumed = assumed
        self.extent: dict[Any, Dim] = {}
        self.sizes: set[Any] = set()

    def read(self, expression: Any) -> Node:
        sp = self.sp
        expression = sp.sympify(expression)
        self.survey(expression)
        if isinstance(expression, sp.Lambda):
            node, open_ = self.value(expression.expr)
            wanted = tuple(expression.variables)
            if not self.extent.keys() >= set(wanted):
                raise UnsupportedError("an index that only calculated places have: how far it runs is not said")
            return contract([(node, open_)], wanted, 1, {i: self.extent[i] for i in wanted})
        if getattr(expression, "is_Matrix", False):
            return _squeezed(self.matrix(expression))
        node, open_ = self.value(expression)
        if open_:
            raise UnsupportedError(f"nothing binds the index {open_[0]}: wrap the entry in a Lambda of its indices")
        return node

    def survey(self, expression: Any) -> None:
        """Which index runs over which dimension, and which symbols are dimensions."""
        sp = self.sp
        for part in sp.preorder_traversal(expression):
            if isinstance(part, sp.Indexed):
                for index, dim in zip(part.indices, part.base.shape or (), strict=False):
                    self.extent.setdefault(index, self.dim(dim))
            elif isinstance(part, sp.Sum):
                for index, low, high in part.limits:
                    self.extent[index] = self.dim(sp.simplify(high - low + 1))
            elif isinstance(part, sp.MatrixSymbol):
                for dim in part.shape:
                    self.dim(dim)

    def dim(self, dim: Any) -> Dim:
        if dim.is_Integer:
            return int(dim)
        if isinstance(dim, self.sp.Symbol):
            self.sizes.add(dim)
            return str(dim.name)
        raise UnsupportedError(f"the dimension {dim} is no name and no number")

    # --- scalars and entries --------------------------------------------------------------------------------------

    def value(self, e: Any) -> Value:
        for kind, read in self.readers().items():
            if isinstance(e, kind):
                return read(e)
        raise UnsupportedError(f"no rule reads SymPy's {type(e).__name__}: {e}")

    def readers(self) -> dict[Any, Callable[[Any], Value]]:
        sp = self.sp
        return {
            sp.Rational: lambda e: (number(_fraction(e)), ()),
            sp.Float: lambda e: (number(Fraction(str(e))), ()),
            sp.Symbol: self.symbol,
            sp.Indexed: self.indexed,
            sp.Add: self.sum,
            sp.Mul: self.product,
            sp.Pow: self.power,
            sp.exp: lambda e: self.called("exp", e.args),
            sp.Sum: self.summed,
            sp.KroneckerDelta: self.kronecker,
            sp.Piecewise: self.cases,
            sp.Max: lambda e: self.chained("maximum", e.args),
            sp.Min: lambda e: self.chained("minimum", e.args),
            sp.Heaviside: lambda e: self.called("positive", e.args[:1]),
            sp.Trace: lambda e: (_trace(self.matrix(e.arg)), ()),
            sp.Determinant: lambda e: (apply("det", self.matrix(e.arg)), ()),
            type(sp.pi): lambda _: (apply("pi"), ()),
            type(sp.E): lambda _: (apply("exp", number(1)), ()),
            sp.Function: self.function,
        }

    def symbol(self, e: Any) -> Value:
        if e in self.extent:
            raise UnsupportedError(f"the index {e} is used as a number")
        if e in self.sizes:
            return size(str(e.name)), ()
        return self.named(e.name, (), e), ()

    def named(self, name: str, shape: tuple[Dim, ...], e: Any) -> Variable:
        name = canonical(name)
        found = set(self.assumed.get(name, ()))
        if not found and not shape and e.is_positive and not e.is_integer:
            found.add("positive")
        if e.is_integer:
            found.add("label")
        return variable(name, tuple(self.shapes.get(name, shape)), found)

    def indexed(self, e: Any) -> Value:
        shape = tuple(self.dim(d) for d in e.base.shape or ())
        node = self.named(str(e.base.label), shape, e)
        return node, tuple(e.indices)

    def together(self, values: list[tuple[Value, Rational]], coefficient: Rational = 1) -> Value:
        """The product of powers of values; equal indices are one axis."""
        out: tuple[Any, ...] = tuple(dict.fromkeys(i for (_, open_), _ in values for i in open_))
        factors = [(node, open_, power) for (node, open_), power in values]
        return contract(factors, out, coefficient, {i: self.extent[i] for i in out}), out

    def sum(self, e: Any) -> Value:
        values = [self.value(term) for term in e.args]
        out: tuple[Any, ...] = tuple(dict.fromkeys(i for _, open_ in values for i in open_))
        sizes: dict[Label, Dim] = {i: self.extent[i] for i in out}
        return add([contract([(node, open_)], out, 1, sizes) for node, open_ in values]), out

    def product(self, e: Any) -> Value:
        return self.together([(self.value(factor), 1) for factor in e.args])

    def power(self, e: Any) -> Value:
        base, exponent = e.args
        if base == self.sp.E:
            return self.called("exp", (exponent,))
        if exponent.is_Rational:
            return self.together([(self.value(base), _fraction(exponent))])
        return self.called("power", (base, exponent))

    def summed(self, e: Any) -> Value:
        node, open_ = self.value(e.function)
        bound = {index for index, _, _ in e.limits}
        out = tuple(i for i in open_ if i not in bound)
        sizes: dict[Label, Dim] = {i: self.extent[i] for i in {*open_, *bound}}
        return contract([(node, open_)], out, 1, sizes), out

    def kronecker(self, e: Any) -> Value:
        left, right = e.args
        if left in self.extent and right in self.extent:
            return delta(self.extent[left]), (left, right)
        label, index = (left, right) if right in self.extent else (right, left)
        if index in self.extent and not label.has(self.sp.Indexed) and label.free_symbols & self.extent.keys():
            return self.window(index, label)
        node, open_ = self.value(label)
        return apply("onehot", node, params=(self.extent[index],)), (*open_, index)

    def window(self, index: Any, place: Any) -> Value:
        """1 where an index is 2 i + j - 1."""
        steps = {i: place.coeff(i) for i in sorted(place.free_symbols & self.extent.keys(), key=str)}
        offset = self.sp.expand(place - sum(step * i for i, step in steps.items()))
        if not all(number.is_Integer for number in (offset, *steps.values())):
            raise UnsupportedError(f"the index {place} is no sum of indices and numbers")
        extents = [self.extent[i] for i in steps]
        strides = [int(step) for step in steps.values()]
        return window(self.extent[index], extents, strides, int(offset)), (index, *steps)

    def called(self, name: str, args: Any) -> Value:
        """An entrywise operation: its arguments brought to the same axes, scalars left alone."""
        values = [self.value(arg) for arg in args]
        out: tuple[Any, ...] = tuple(dict.fromkeys(i for _, open_ in values for i in open_))
        sizes: dict[Label, Dim] = {i: self.extent[i] for i in out}
        nodes = [contract([(node, open_)], out, 1, sizes) if open_ else node for node, open_ in values]
        if name == "maximum" and any(node is number(0) for node in nodes):
            return apply("relu", next(node for node in nodes if node is not number(0))), out
        return apply(name, *nodes), out

    def chained(self, name: str, args: Any) -> Value:
        first, *rest = sorted(args, key=self.sp.default_sort_key)
        for arg in rest[:-1]:
            first = self.sp.Function(name)(first, arg, evaluate=False)
        return self.called(name, (first, rest[-1]))

    def cases(self, e: Any) -> Value:
        *branches, (last, certain) = e.args
        if certain != True:  # noqa: E712 - SymPy's own truth
            raise UnsupportedError(f"these cases do not cover everything: {e}")
        for then, condition in reversed(branches):
            last = self.sp.Function("where")(self.condition(condition), then, last, evaluate=False)
        return self.value(last)

    def condition(self, e: Any) -> Any:
        sp = self.sp
        kinds = {sp.Gt: (">", 1), sp.Ge: (">=", 1), sp.Lt: (">", -1), sp.Le: (">=", -1), sp.Eq: ("=", 1)}
        found = kinds.get(type(e))
        if found is None:
            raise UnsupportedError(f"this condition cannot be read: {e}")
        symbol, sign = found
        return sp.Function(INDICATORS[symbol].name)(sign * (e.lhs - e.rhs), evaluate=False)

    def function(self, e: Any) -> Value:
        name = NAMES.get(type(e).__name__, type(e).__name__)
        operation = OPERATIONS.get(name)
        if operation is None or not operation.entrywise or len(operation.args) != len(e.args):
            raise UnsupportedError(f"no operation is SymPy's {type(e).__name__}")
        return self.called(name, e.args)

    # --- matrices -------------------------------------------------------------------------------------------------

    def matrix(self, e: Any) -> Node:
        """A matrix expression as a node of rank 2; a vector is a matrix of one column until the end."""
        sp = self.sp
        if isinstance(e, sp.MatrixSymbol):
            shape = tuple(self.dim(d) for d in e.shape)
            name = canonical(str(e.name))
            if shape[1] == 1:
                return contract(
                    [(variable(name, shape[:1], self.assumed.get(name, ())), ("i",))], ("i", "j"), 1, {"j": 1}
                )
            return variable(name, shape, self.assumed.get(name, ()))
        if isinstance(e, sp.Identity):
            return delta(self.dim(e.shape[0]))
        if isinstance(e, sp.MatAdd):
            return add([self.matrix(term) for term in e.args])
        if isinstance(e, sp.Transpose):
            return contract([(self.matrix(e.arg), ("i", "j"))], ("j", "i"))
        if isinstance(e, sp.Inverse):
            return apply("inverse", self.matrix(e.arg))
        if isinstance(e, sp.MatMul):
            return self.matrix_product(e)
        raise UnsupportedError(f"no rule reads the matrix expression {e}")

    def matrix_product(self, e: Any) -> Node:
        scalars = [self.value(arg)[0] for arg in e.args if not arg.is_Matrix]
        matrices = [self.matrix(arg) for arg in e.args if arg.is_Matrix]
        chain = [(node, (k, k + 1)) for k, node in enumerate(matrices)]
        return contract([*((s, ()) for s in scalars), *chain], (0, len(matrices)))


NAMES = {"Abs": "abs", "sign": "sign", "atan": "arctan"}


def _fraction(e: Any) -> Fraction:
    return Fraction(int(e.p), int(e.q))


def _trace(node: Node) -> Node:
    return contract([(node, ("i", "i"))])


def _squeezed(node: Node) -> Node:
    """n×1 is a vector and 1×1 a scalar here."""
    kept: tuple[Label, ...] = tuple(k for k, d in enumerate(node.shape) if d != 1)
    return node if len(kept) == node.rank else contract([(node, tuple(range(node.rank)))], kept)
