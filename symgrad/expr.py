"""Indexed expressions: immutable, interned tensors in seven kinds.

=============  ==========================================  ============================================================
kind           written                                     mathematics
=============  ==========================================  ============================================================
`Variable`     W                                           a named tensor
`Size`         n                                           the size of a dimension, as a scalar
`Delta`        I                                           1 where both indices agree, else 0 (the identity matrix)
`Window`       1[s = i+j]                                  1 where the first index is a linear one of the others
`Stacking`     vec                                         1 where (i, j) is the k-th entry of a stacked matrix, else 0
`Sum`          2 A - B                                     a linear combination of tensors of one shape
`Contraction`  2 Σ_j W_ij x_j²                             a coefficient times powers of factors, some indices summed
`Call`         softmax(z)                                  one of the declared operations, applied
=============  ==========================================  ============================================================

Contract: a node is made only by the functions below (`variable`, `number`, `add`, `contract`, `call`, ...), which keep
a light normal form: numbers are exact, coefficients are collected, nested products are one product, identity matrices
and equal factors are absorbed, nothing is zero inside.  Equal nodes are the same object, so equality is `is` and every
pass is a fold with a memo.  Nothing here knows an operation by name, and nothing recurses: a chain of 20,000
definitions is as welcome as one.

A factor of a contraction is `(node, labels, power)`: one label an axis.  Labels 0..rank-1 are the axes of the result,
the others are summed.  A label of the result that no factor carries is broadcast along.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import combinations
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from symgrad import dims
from symgrad.dims import at_least, combine, linear
from symgrad.dims import factors as dim_factors
from symgrad.dims import product as dim_product
from symgrad.errors import DomainError, LimitError

Dim = dims.Dim
Shape = tuple[Dim, ...]
Rational = int | Fraction
#: A label is any hashable value.
Label = Any
Factor = tuple["Node", tuple[int, ...], Rational]
#: Terms of a sum with their coefficients.
Terms = Sequence[tuple[Rational, "Node"]]
T = TypeVar("T")
N = TypeVar("N", bound="Node")

#: A product is not merged into another beyond this many factors, so that M_{k+1} = M_k M_k stays small.
MAX_FACTORS = 12
#: A sum is not written out in another one beyond this many terms, so that h + f(h) stays small however often.
MAX_TERMS = 12
#: Exact numbers stay below this many bits; beyond it is a mistake or an attack, not a formula.
MAX_BITS = 4096
_SMALL = 1 << 62


class Operator(Protocol):
    """What an expression must know of an operation: a name to show and the shape of the result."""

    @property
    def name(self) -> str: ...

    def shape(self, args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape: ...

    def fold(self, args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None: ...


class Node:
    """A tensor expression; see the module for the kinds."""

    __slots__ = ("__weakref__", "children", "shape")
    children: tuple[Node, ...]
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("expressions are interned and cannot be pickled; keep their text or LaTeX instead")


class Variable(Node):
    """A named tensor, with what is assumed of it."""

    __slots__ = ("name", "assumptions")  # noqa: RUF023 - the order of the fields
    name: str
    assumptions: frozenset[str]

    def __repr__(self) -> str:
        return f"{self.name}[{' '.join(map(str, self.shape))}]" if self.shape else self.name


class Size(Node):
    """The size of a dimension, as a scalar."""

    __slots__ = ("dim",)
    dim: str

    def __repr__(self) -> str:
        return f"|{self.dim}|"


class Delta(Node):
    """The identity matrix of a dimension: entry (i, j) is 1 where i = j, else 0."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"I[{self.shape[0]}]"


class Window(Node):
    """Entry (s, i, j, ...) is 1 where s = offset + strides[0]·i + strides[1]·j + ..., else 0.

    x_{i+j} is x_s times this, summed over s: shifts, strides, slices and convolutions are products with it.
    """

    __slots__ = ("offset", "strides")
    strides: tuple[Dim, ...]
    offset: Dim

    @property
    def inside(self) -> bool:
        """Whether the first index never leaves its axis, so that every column has its 1."""
        steps = [s for s in self.strides if isinstance(s, int)]
        if len(steps) < len(self.strides):
            return False
        spans = [(s, combine([(s, d)], -s)) for s, d in zip(steps, self.shape[1:], strict=True)]
        top = combine([(1, self.offset), *((1, span) for s, span in spans if s > 0)])
        low = combine([(1, self.offset), *((1, span) for s, span in spans if s < 0)])
        return at_least(combine([(1, self.shape[0])], -1), top) and at_least(low, 0)

    @property
    def stairs(self) -> bool:
        """Whether the last index runs to the end of the axis: summed over it, 1[s = i + k + c] is 1[s ≥ i + c]."""
        if self.strides != (1, 1) or self.offset not in (0, 1) or self.shape[0] != self.shape[1]:
            return False
        return self.shape[2] == combine([(1, self.shape[0])], -self.offset)

    def __repr__(self) -> str:
        return f"window{self.shape}{self.strides}+{self.offset}"


class Stacking(Node):
    """How a matrix is stacked column by column: entry (i, j, k) is 1 where k = i + m j, else 0.

    vec(X)_k = Σ_ij X_ij S_ijk; a constant like the identity, so that derivatives need no rule for it.  Two of them make
    Kronecker products: (B ⊗ A)_pq = Σ A_ik B_jl S_ijp S_klq.  Source: Magnus and Neudecker, chapter 2.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"vec[{self.shape[0]} {self.shape[1]}]"


class Sum(Node):
    """Σ coefficient · term, terms of one shape."""

    __slots__ = ("terms",)
    terms: tuple[tuple[Rational, Node], ...]

    def __repr__(self) -> str:
        return "(" + " + ".join(f"{c}*{n!r}" if c != 1 else repr(n) for c, n in self.terms) + ")"


class Contraction(Node):
    """coefficient · Σ_(summed labels) Π factor^power; `sizes[label]` is the dimension of a label."""

    __slots__ = ("coefficient", "factors", "sizes")
    coefficient: Rational
    factors: tuple[Factor, ...]
    sizes: tuple[Dim, ...]

    @property
    def summed(self) -> bool:
        return len(self.sizes) > len(self.shape)

    def __repr__(self) -> str:
        parts = [] if self.coefficient == 1 and self.factors else [str(self.coefficient)]
        for node, labels, power in self.factors:
            index = f"_{','.join(map(str, labels))}" if labels else ""
            parts.append(f"{node!r}{index}" + (f"^{power}" if power != 1 else ""))
        return f"<{' '.join(parts)} ->{len(self.shape)}>"


class Call(Node):
    """An operation applied to arguments; `params` are what is not differentiable, such as a number of classes."""

    __slots__ = ("op", "args", "params")  # noqa: RUF023 - the order of the fields
    op: Any
    args: tuple[Node, ...]
    params: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{self.op.name}({', '.join(map(repr, (*self.args, *self.params)))})"


# --- interning --------------------------------------------------------------------------------------------------------

_interned: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()


def _intern(kind: type[Any], shape: Shape, children: tuple[Node, ...], *fields: Any) -> Any:
    """The one node of this kind with these fields, in the order of its slots."""
    key = (kind, shape, *fields)
    node = _interned.get(key)
    if node is None:
        node = object.__new__(kind)
        node.shape = shape
        node.children = children
        for name, value in zip(kind.__slots__, fields, strict=True):
            setattr(node, name, value)
        _interned[key] = node
    return node


def variable(name: str, shape: Shape = (), assumptions: Iterable[str] = ()) -> Variable:
    """The variable `name`."""
    result: Variable = _intern(Variable, tuple(shape), (), name, frozenset(assumptions))
    return result


def size(dim: Dim) -> Node:
    """The size of `dim` as a scalar; a number where the dimension is one."""
    if isinstance(dim, int):
        return number(dim)
    parts = linear(dim)
    if len(parts) > 1 or 1 not in parts.values():
        return add([(k, size(atom) if atom else number(1)) for atom, k in parts.items() if k], ())
    if len(dim_factors(dim)) > 1:
        return contract([(size(part), ()) for part in dim_factors(dim)])
    result: Node = _intern(Size, (), (), dim)
    return result


def delta(dim: Dim) -> Node:
    """The identity matrix over `dim`."""
    result: Node = _intern(Delta, (dim, dim), ())
    return result


def window(dim: Dim, others: Sequence[Dim], strides: Sequence[Dim], offset: Dim = 0) -> Node:
    """The tensor over (dim, *others) that is 1 where the first index is offset + Σ stride · the others.

    >>> window("n", ("n-m+1", "m"), (1, 1))
    window('n', 'n-m+1', 'm')(1, 1)+0
    """
    if tuple(strides) == (1,) and offset == 0 and (dim,) == tuple(others):
        return delta(dim)
    result: Node = _intern(Window, (dim, *others), (), offset, tuple(strides))
    return result


def stacking(rows: Dim, columns: Dim) -> Node:
    """The tensor by which a matrix of `rows` times `columns` is stacked column by column; see `Stacking`."""
    result: Node = _intern(Stacking, (rows, columns, dim_product(rows, columns)), ())
    return result


def stack(node: Node, groups: Iterable[tuple[int, ...]]) -> Node:
    """`node` with every group of axes stacked into one, its first axis running fastest."""
    factors: list[tuple[Node, tuple[Label, ...]]] = [(node, tuple(range(node.rank)))]
    out: list[Label] = []
    for axes in groups:
        label: Label = axes[0] if axes else None
        dim = node.shape[axes[0]] if axes else 1
        for axis in axes[1:]:
            joined = ("stacked", label, axis)
            factors.append((stacking(dim, node.shape[axis]), (label, axis, joined)))
            label, dim = joined, dim_product(dim, node.shape[axis])
        out += [label] if axes else []
    return contract(factors, tuple(out))


def call(op: Operator, args: Iterable[Node], params: Iterable[Any] = ()) -> Node:
    """`op` applied to `args`; raises `ShapeError` where the shapes do not fit its signature."""
    arguments, parameters = tuple(args), tuple(params)
    shape = op.shape(arguments, parameters)
    folded = op.fold(arguments, parameters)
    if folded is not None:
        return folded
    result: Node = _intern(Call, shape, arguments, op, arguments, parameters)
    return result


def number(value: Rational, shape: Shape = ()) -> Contraction:
    """The exact constant `value` in every entry of `shape`."""
    exact = _exact(value)
    result: Contraction = _intern(Contraction, tuple(shape), (), exact, (), tuple(shape))
    return result


def _exact(value: Rational) -> Rational:
    if value.__class__ is int and -_SMALL < value < _SMALL:
        return value
    if isinstance(value, Fraction):
        if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
            raise LimitError("this number is too large to keep exactly", code="LIMIT_NUMBER")
        return value.numerator if value.denominator == 1 else value
    if value.bit_length() > MAX_BITS:
        raise LimitError("this number is too large to keep exactly", code="LIMIT_NUMBER")
    return value


# --- reading nodes ----------------------------------------------------------------------------------------------------


def constant(node: Node) -> Rational | None:
    """The number that `node` is in every entry, or None."""
    return node.coefficient if isinstance(node, Contraction) and not node.factors else None


def is_zero(node: Node) -> bool:
    return isinstance(node, Contraction) and node.coefficient == 0


def split(node: Node) -> tuple[Rational, Node]:
    """`node` as (coefficient, rest), the rest having coefficient 1."""
    if isinstance(node, Contraction) and node.coefficient not in (0, 1):
        return node.coefficient, _contraction(1, node.factors, node.sizes, node.shape)
    return 1, node


def magnitude(value: Rational) -> Rational:
    """|value|."""
    return -value if value < 0 else value


# --- sums -------------------------------------------------------------------------------------------------------------


def add(terms: Iterable[Node | tuple[Rational, Node]], shape: Shape | None = None) -> Node:
    """Σ terms; a term is a node or (coefficient, node).  `shape` is needed only where there may be no term."""
    collected: dict[Node, Rational] = {}
    given = [term if isinstance(term, tuple) else (1, term) for term in terms]
    if shape is None and given:
        shape = given[0][1].shape
    parts: Sequence[Terms] = [_linear(factor, node) for factor, node in given]
    if sum(map(len, parts)) > MAX_TERMS and len(given) > 1:
        parts = _shared_sums(given, parts)
    for part in parts:
        for coefficient, rest in part:
            collected[rest] = collected.get(rest, 0) + coefficient
    if shape is None:
        raise ValueError("the shape of an empty sum must be given")
    kept = tuple([(_exact(c), node) for node, c in collected.items() if c != 0])
    if not kept:
        return number(0, shape)
    if len(kept) == 1:
        return scale(kept[0][1], kept[0][0])
    result: Node = _intern(Sum, shape, tuple([node for _, node in kept]), kept)
    return result


def _shared_sums(given: Sequence[tuple[Rational, Node]], parts: Sequence[Terms]) -> Sequence[Terms]:
    """The parts of a long sum with the long sums among them left whole, unless they have terms to collect.

    So x + f(x) + g(x + f(x)) + ... does not write out every sum in the next one.
    """
    if len({rest for part in parts for _, rest in part}) < sum(map(len, parts)):
        return parts
    longest = max(len(part) for part in parts)
    kept: list[Terms] = []
    for (factor, node), part in zip(given, parts, strict=True):
        whole = len(part) == longest > 1
        coefficient, rest = split(node) if whole else (1, node)
        kept.append([(factor * coefficient, rest)] if whole else part)
    return kept


def _linear(factor: Rational, node: Node) -> Terms:
    """`factor · node` as coefficient-term pairs, nested sums opened."""
    if isinstance(node, Sum):
        return node.terms if factor == 1 else [(factor * c, n) for c, n in node.terms]
    if not isinstance(node, Contraction):
        return ((factor, node),)
    coefficient, rest = split(node)
    if isinstance(rest, Sum):
        return [(factor * coefficient * c, n) for c, n in rest.terms]
    return () if coefficient == 0 or is_zero(node) else ((factor * coefficient, rest),)


def scale(node: Node, coefficient: Rational) -> Node:
    """`coefficient · node`."""
    if coefficient == 1:
        return node
    if isinstance(node, Contraction):
        return _contraction(_exact(node.coefficient * coefficient), node.factors, node.sizes, node.shape)
    labels = tuple(range(len(node.shape)))
    return _contraction(_exact(coefficient), ((node, labels, 1),), node.shape, node.shape)


def negate(node: Node) -> Node:
    return scale(node, -1)


# --- products ---------------------------------------------------------------------------------------------------------


def contract(
    factors: Sequence[tuple[Node, tuple[Label, ...]] | tuple[Node, tuple[Label, ...], Rational]],
    out: tuple[Label, ...] = (),
    coefficient: Rational = 1,
    sizes: Mapping[Label, Dim] | None = None,
) -> Node:
    """coefficient · Σ Π factor^power, as a tensor over the labels `out`; all other labels are summed.

    Labels are any hashable values.  `sizes` gives the dimension of labels that no factor carries.  A label that
    occurs twice in `out` puts the result on a diagonal.

    >>> W, x = variable("W", ("m", "n")), variable("x", ("n",))
    >>> contract([(W, ("i", "j")), (x, ("j",))], ("i",))
    <W[m n]_0,1 x[n]_1 ->1>
    """
    if not out and not sizes and not any(factor[1] for factor in factors):
        product = _scalar_product(factors, coefficient)
        if product is not None:
            return product
    work = _Product(coefficient, dict(sizes or {}))
    work.out = work.separate(out)
    for node, labels, *power in factors:
        work.put(node, labels, power[0] if power else 1)
    return work.finish()


def _scalar_product(factors: Sequence[Any], coefficient: Rational) -> Node | None:
    """A product of scalars, the common case in deep chains: powers of equal factors add, and nothing else happens.

    None where a factor is a sum over something, a power of a product, or too long to open.
    """
    kept: dict[Node, Rational] = {}
    for node, _, *exponent in factors:
        power = exponent[0] if exponent else 1
        if not isinstance(node, Contraction):
            kept[node] = kept.get(node, 0) + power
        elif power == 1 and not node.sizes and len(kept) + len(node.factors) <= MAX_FACTORS:
            coefficient *= node.coefficient
            for inner, _, inner_power in node.factors:
                kept[inner] = kept.get(inner, 0) + inner_power
        else:
            return None
    found = tuple([(node, (), _exact(power)) for node, power in kept.items() if power != 0])
    return _contraction(_exact(coefficient), found, (), ())


class _Product:
    """The one place that builds contractions: collects factors, absorbs what it can, renumbers the labels."""

    def __init__(self, coefficient: Rational, sizes: dict[Label, Dim]) -> None:
        self.coefficient = coefficient
        self.sizes = sizes
        self.given: dict[tuple[Node, tuple[Label, ...]], Rational] = {}
        self.factors: dict[tuple[Node, tuple[Label, ...]], Rational] = {}
        self.deltas: list[tuple[Node, Label, Label]] = []
        self.out: tuple[Label, ...] = ()
        self.tied: list[tuple[Label, Label]] = []
        self.absorbed: set[Label] = set()
        self.fresh = 0

    def separate(self, out: tuple[Label, ...]) -> tuple[Label, ...]:
        """`out` without repetitions: a repeated label becomes a new one, tied to the first by a delta."""
        if len(set(out)) == len(out):
            return out
        seen: list[Label] = []
        for label in out:
            if label in seen:
                self.fresh += 1
                self.tied.append((label, ("twin", self.fresh)))
                label = ("twin", self.fresh)
            seen.append(label)
        return tuple(seen)

    def put(self, node: Node, labels: tuple[Label, ...], power: Rational) -> None:
        """Multiply by node^power; equal factors gather before any is opened, so that q q is q²."""
        sizes = self.sizes
        for label, dim in zip(labels, node.shape, strict=True):
            sizes.setdefault(label, dim)
        if isinstance(node, Delta):
            self.deltas.append((node, labels[0], labels[1]))
        else:
            key = (node, labels)
            self.given[key] = self.given.get(key, 0) + power

    def open_given(self) -> None:
        for (node, labels), power in self.given.items():
            if power == 0:
                continue
            if isinstance(node, Contraction):
                self.open(node, labels, power)
            else:
                self.multiply(node, labels, power)

    def multiply(self, node: Node, labels: tuple[Label, ...], power: Rational) -> None:
        key = (node, labels)
        total = self.factors.get(key, 0) + power
        if total == 0:
            del self.factors[key]
        else:
            self.factors[key] = _exact(total)

    def open(self, node: Contraction, labels: tuple[Label, ...], power: Rational) -> None:
        """Multiply by a product: factor by factor where that is the same function and stays small."""
        if node.coefficient == 0 and power < 0:
            raise DomainError("this divides by zero at every point")
        crowded = len(self.factors) + len(node.factors) > MAX_FACTORS
        if power != 1 and node.coefficient != 0:
            root = _rational_power(node.coefficient, power)
            whole = isinstance(power, int) or not node.factors
            if root is None or not whole or node.summed or crowded:
                self.multiply(node, labels, power)
                return
            self.coefficient = _exact(self.coefficient * root)
        elif crowded and node.factors:
            self.multiply(node, labels, power)
            return
        else:
            self.coefficient = _exact(self.coefficient * node.coefficient)
        names: list[Label] = list(labels)
        for dim in node.sizes[len(labels) :]:
            self.fresh += 1
            names.append(("sum", self.fresh))
            self.sizes[names[-1]] = dim
        for inner, inner_labels, inner_power in node.factors:
            renamed = tuple(names[k] for k in inner_labels)
            if isinstance(inner, Delta):
                self.deltas.append((inner, renamed[0], renamed[1]))
            else:
                self.multiply(inner, renamed, inner_power * power)

    def finish(self) -> Node:
        out, sizes = self.out, self.sizes
        self.open_given()
        shape = tuple([sizes[label] if label in sizes else self._tied_size(label) for label in out])
        if self.coefficient == 0:
            return number(0, shape)
        if any(isinstance(node, Stacking) for node, _ in self.factors):
            self._absorb_stackings()
        if self.deltas or self.tied:
            self._absorb_deltas()
        numbers: dict[Label, int] = {label: k for k, label in enumerate(out)}
        number_of = numbers.setdefault
        kept: list[Factor] = [
            (node, tuple([number_of(label, len(numbers)) for label in labels]), power)
            for (node, labels), power in self.factors.items()
        ]
        kept += [(node, (number_of(i, len(numbers)), number_of(j, len(numbers))), 1) for node, i, j in self.deltas]
        dims = (
            shape if len(numbers) == len(out) else shape + tuple([sizes[label] for label in list(numbers)[len(out) :]])
        )
        if len(sizes) > len(numbers):
            for label in self._lost(numbers):
                self._times_size(kept, sizes[label])
        return _contraction(self.coefficient, tuple(kept), dims, shape)

    def _absorb_stackings(self) -> None:
        """What is stacked and taken apart is as it was: S_ijp S_klp is I_ik I_jl, and S_ijp S_ijq is S_ijp I_pq."""
        while found := self._meeting_stackings():
            node, one, other, alone = found
            del self.factors[node, other]
            ends = [(dim, a, b) for dim, a, b in zip(node.shape, one, other, strict=True) if a != b]
            self.deltas += [(delta(dim), a, b) for dim, a, b in ends]
            if alone:
                del self.factors[node, one]
                self.absorbed.update(label for label in one if label in other)
            self._absorb_deltas()

    def _meeting_stackings(self) -> tuple[Node, tuple[Label, ...], tuple[Label, ...], bool] | None:
        """Two equal stackings that share their last axis, or the other two; whether nothing else meets them there."""
        stackings = [(node, labels) for node, labels in self.factors if isinstance(node, Stacking)]
        if len(stackings) < 2:
            return None
        uses = Counter(label for _, labels in self.factors for label in labels)
        for (node, one), (twin, other) in combinations(stackings, 2):
            if node is not twin or self.factors[node, one] != 1 or self.factors[node, other] != 1:
                continue
            met = frozenset(one).intersection(other)
            alone = not met.intersection(self.out) and all(uses[label] == 2 for label in met)
            if (met == {one[2]} == {other[2]} and alone) or (one[:2] == other[:2] and met == set(one[:2])):
                return node, one, other, alone
        return None

    def _times_size(self, kept: list[Factor], dim: Dim) -> None:
        if isinstance(dim, int):
            self.coefficient = _exact(self.coefficient * dim)
        else:
            kept[:] = _merge_equal([*kept, (size(dim), (), 1)])

    def _tied_size(self, label: Label) -> Dim:
        first = next(a for a, b in self.tied if b == label)
        return self.sizes[first]

    def _lost(self, numbers: Mapping[Label, int]) -> list[Label]:
        """Summed labels that no factor carries any more: each multiplies the result by its dimension."""
        return [label for label in self.sizes if label not in numbers and label not in self.absorbed]

    def _absorb_deltas(self) -> None:
        """Rename labels so that identity matrices disappear; one between two axes of the result stays."""
        for first, twin in self.tied:
            self.deltas.append((delta(self.sizes[first]), first, twin))
            self.sizes[twin] = self.sizes[first]
        rename: dict[Label, Label] = {}
        axes = set(self.out)

        def root(label: Label) -> Label:
            while label in rename:
                label = rename[label]
            return label

        kept = []
        for node, left, right in self.deltas:
            left, right = root(left), root(right)
            if left == right:
                continue
            if left in axes and right in axes:
                kept.append((node, left, right))
                continue
            gone, stays = (right, left) if left in axes else (left, right)
            rename[gone] = stays
            self.absorbed.add(gone)
        self.deltas = _spanning(kept)
        for _, left, right in self.deltas:
            # v_i δ_ij and v_j δ_ij are the same: everything else carries the first of the two.
            first, second = sorted((left, right), key=self.out.index)
            rename[second] = first
        if rename:
            factors, self.factors = self.factors, {}
            for (node, labels), power in factors.items():
                self.multiply(node, tuple(root(label) for label in labels), power)


def _spanning(deltas: list[tuple[Node, Label, Label]]) -> list[tuple[Node, Label, Label]]:
    """Deltas without repetitions: I_ij I_ji is I_ij, and I_ij I_jk I_ik needs only two of them."""
    group: dict[Label, Label] = {}

    def root(label: Label) -> Label:
        while label in group:
            label = group[label]
        return label

    kept = []
    for node, left, right in deltas:
        a, b = root(left), root(right)
        if a != b:
            group[b] = a
            kept.append((node, left, right))
    return kept


def _merge_equal(factors: list[Factor]) -> list[Factor]:
    """Factors with the powers of equal ones added."""
    merged: dict[tuple[Node, tuple[int, ...]], Rational] = {}
    for node, labels, power in factors:
        key = (node, labels)
        merged[key] = merged.get(key, 0) + power
    return [(node, labels, power) for (node, labels), power in merged.items() if power != 0]


def _contraction(coefficient: Rational, factors: tuple[Factor, ...], sizes: tuple[Dim, ...], shape: Shape) -> Node:
    if coefficient == 0:
        return number(0, shape)
    if len(factors) == 1 and coefficient == 1:
        node, labels, power = factors[0]
        if power == 1 and labels == tuple(range(len(shape))) and len(labels) == len(sizes):
            return node
    children = tuple([factor[0] for factor in factors])
    result: Node = _intern(Contraction, shape, children, coefficient, factors, sizes)
    return result


def _rational_power(value: Rational, power: Rational) -> Rational | None:
    """value^power where that is rational and small, else None."""
    if isinstance(power, int):
        if value == 0 and power < 0:
            raise DomainError("this divides by zero")
        bits = max(abs(value.numerator).bit_length(), value.denominator.bit_length()) if value not in (0, 1, -1) else 0
        if bits * abs(power) > MAX_BITS:
            return None
        result = Fraction(value) ** power
        return result.numerator if result.denominator == 1 else result
    if value < 0:
        return None
    top, bottom = (_root(n, power.denominator) for n in (value.numerator, value.denominator))
    return None if top is None or bottom is None else _rational_power(Fraction(top, bottom), power.numerator)


def _root(value: int, degree: int) -> int | None:
    """The exact integer root, or None."""
    if value in (0, 1):
        return value
    if value.bit_length() > 1000 or degree > 64:
        return None
    guess = round(value ** (1 / degree))
    return next((r for r in (guess - 1, guess, guess + 1) if r > 0 and r**degree == value), None)


def multiply(*nodes: Node) -> Node:
    """The entrywise product of tensors of one shape; scalars multiply every entry."""
    shape = max((node.shape for node in nodes), key=len)
    labels = tuple(range(len(shape)))
    sizes: dict[Label, Dim] = dict(enumerate(shape))
    return contract([(node, labels if node.shape else ()) for node in nodes], labels, sizes=sizes)


def power(node: Node, exponent: Rational) -> Node:
    """node^exponent, entry by entry."""
    labels = tuple(range(len(node.shape)))
    return contract([(node, labels, exponent)], labels, sizes=dict(enumerate(node.shape)))


def broadcast(node: Node, shape: Shape) -> Node:
    """A scalar repeated over `shape`."""
    return contract([(node, ())], tuple(range(len(shape))), sizes=dict(enumerate(shape)))


def relabel(
    node: Node, labels: tuple[Label, ...], out: tuple[Label, ...], sizes: Mapping[Label, Dim] | None = None
) -> Node:
    """`node` with its axes named by `labels`, as a tensor over `out`: transposes, broadcasts, sums, takes diagonals."""
    return contract([(node, labels)], out, sizes=sizes)


def squeezed(root: Node, axis: int) -> Node:
    """`root` without an axis of one entry, nor its parts: sums, products and entrywise operations are made without.

    >>> squeezed(variable("x", ("n", 1)), 1)
    <x[n 1]_0,1 ->1>
    """
    memo: dict[tuple[Node, int], Node] = {}
    stack = [(root, axis)]
    while stack:
        node, place = stack[-1]
        parts = _along(node, place)
        waiting = [part for part in parts if part not in memo]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        memo[node, place] = _without(node, place, memo)
    return memo[root, axis]


def _along(node: Node, axis: int) -> list[tuple[Node, int]]:
    """The parts of a node that have its axis, each with the place that the axis has there."""
    if isinstance(node, Sum):
        return [(term, axis) for _, term in node.terms]
    if isinstance(node, Contraction):
        return [(factor, labels.index(axis)) for factor, labels, _ in node.factors if labels.count(axis) == 1]
    if isinstance(node, Call) and getattr(node.op, "entrywise", False):
        return [(arg, axis) for arg in node.args if arg.shape]
    return []


def _without(node: Node, axis: int, memo: Mapping[tuple[Node, int], Node]) -> Node:
    kept = tuple(k for k in range(node.rank) if k != axis)
    if isinstance(node, Sum):
        return add([(c, memo[term, axis]) for c, term in node.terms])
    if isinstance(node, Call) and getattr(node.op, "entrywise", False):
        return call(node.op, [memo[arg, axis] if arg.shape else arg for arg in node.args], node.params)
    if isinstance(node, Contraction) and all(labels.count(axis) < 2 for _, labels, _ in node.factors):
        factors = [
            (memo[f, labels.index(axis)], tuple(k for k in labels if k != axis), p)
            if axis in labels
            else (f, labels, p)
            for f, labels, p in node.factors
        ]
        return contract(factors, kept, node.coefficient, {k: d for k, d in enumerate(node.sizes) if k != axis})
    return contract([(node, tuple(range(node.rank)))], kept)


# --- passes -----------------------------------------------------------------------------------------------------------


@contextmanager
def building() -> Iterator[None]:
    """Pause the cyclic garbage collector while many nodes are made.

    Expressions have no cycles, so its passes over them find nothing, and in a long pass they are a third of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def postorder(roots: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """Every node below `roots` once, children first; nodes in `known` are left out with all below them."""
    seen: set[Node] = set()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen and node not in known:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children) if child not in seen)
    return order


def fold(root: Node, combine: Callable[[Node, Callable[[Node], T]], T]) -> T:
    """Bottom-up value: `combine(node, value)` may ask `value(child)` of any child."""
    memo: dict[Node, T] = {}
    for node in postorder([root]):
        memo[node] = combine(node, memo.__getitem__)
    return memo[root]


def rebuild(node: Node, value: Callable[[Node], Node]) -> Node:
    """The same kind of node over new children."""
    if isinstance(node, Sum):
        return add([(c, value(n)) for c, n in node.terms])
    if isinstance(node, Contraction):
        rank = len(node.shape)
        factors = [(value(n), labels, p) for n, labels, p in node.factors]
        return contract(factors, tuple(range(rank)), node.coefficient, dict(enumerate(node.sizes)))
    if isinstance(node, Call):
        return call(node.op, [value(a) for a in node.args], node.params)
    return node


def substitute(root: Node, replacements: Mapping[N, Node]) -> Node:
    """`root` with nodes replaced by others of the same shape; a replacement is not searched again."""
    memo: dict[Node, Node] = {old: new for old, new in replacements.items()}  # noqa: C416 - keys of a wider type
    for node in postorder([root], replacements):
        if node not in memo:
            children = node.children
            changed = any(memo[child] is not child for child in children)
            memo[node] = rebuild(node, memo.__getitem__) if changed else node
    return memo[root]


def variables(root: Node) -> list[Variable]:
    """The variables below `root`, in order of first appearance."""
    return [node for node in postorder([root]) if isinstance(node, Variable)]


def dependents(root: Node, sources: Iterable[Node], order: Iterable[Node] | None = None) -> set[Node]:
    """The nodes of `root` whose value depends on one of `sources`; `order` is the postorder of `root` if known."""
    found = set(sources)
    for node in postorder([root]) if order is None else order:
        for child in node.children:
            if child in found:
                found.add(node)
                break
    return found


def count(root: Node) -> int:
    """How many different nodes `root` has."""
    return len(postorder([root]))
