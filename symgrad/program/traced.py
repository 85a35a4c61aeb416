"""Arrays that remember how they were calculated: NumPy code run on them writes an expression.

Contract: a `Traced` stands for an array of numbers, truth values or labels.  Its node has an axis for every axis of
the array that is longer than one; axes of length one, which NumPy broadcasts, are only in `real`.  Whatever cannot be
followed for every value and every size (a branch on values, a loop over an axis, an index that may repeat where it is
written to) raises an `UnsupportedError` that names the line of the program.  Arrays are changed in place as in NumPy: a
view writes to what it views, and sees what others write there.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad import dims
from symgrad.errors import SymgradError, UnsupportedError
from symgrad.expr import Call, Dim, Label, Node, Rational, add, constant, contract, delta, negate, number, window
from symgrad.ops import OPERATIONS, apply
from symgrad.program.extent import Extent, dim_of, refuse
from symgrad.program.loops import AFTER, Loop, entry, rounds

#: Exact numbers are looked for among fractions of at most this denominator.
MAX_DENOMINATOR = 1_000_000
#: An axis of fixed length is walked through, and a list made an array, up to this many entries.
MAX_ENTRIES = 64


# --- numbers ----------------------------------------------------------------------------------------------------------

#: What a constant may be besides a fraction: the square root of one, or either times or over π.
_FORMS: tuple[tuple[Callable[[float], float], Rational, Rational], ...] = (
    (lambda v: v, 1, 0),
    (lambda v: v * v, Fraction(1, 2), 0),
    (lambda v: v / math.pi, 1, 1),
    (lambda v: v * math.pi, 1, -1),
    (lambda v: v * v / math.pi, Fraction(1, 2), Fraction(1, 2)),
    (lambda v: v * v * math.pi, Fraction(1, 2), -Fraction(1, 2)),
)


def exact(value: float) -> Node:
    """A float as what its writer meant: a decimal, a small fraction, a square root of one, or such with π.

    Whatever is chosen rounds to this very float; a float of which nothing simple is known stands for itself.
    """
    if not math.isfinite(value):
        refuse(f"{value} is no number")
    short = Fraction(repr(value))
    if short.denominator <= MAX_DENOMINATOR or value == 0:
        return number(short)
    for form, root, pi in _FORMS:
        inner = form(abs(value))
        near = Fraction(inner).limit_denominator(10_000 if pi or root != 1 else MAX_DENOMINATOR)
        if not near or abs(float(near) - inner) > 4e-16 * inner or (near.numerator > 10_000 and (pi or root != 1)):
            continue
        if root == 1 and not pi and float(near) != abs(value):
            continue
        factors: list[Any] = [(number(near), (), root)] + ([(apply("pi"), (), pi)] if pi else [])
        found = contract(factors)
        return found if value > 0 else negate(found)
    return number(short)


def lifted(value: Any, sizes: Mapping[str, int]) -> Traced:
    """A value of a program as a traced array: numbers, lengths, small arrays and lists of these."""
    if isinstance(value, Traced):
        return value
    if isinstance(value, Extent):
        return value.number
    if isinstance(value, bool):
        return Traced(number(int(value)), (), sizes, "b")
    if isinstance(value, int):
        return Traced(number(value), (), sizes)
    if isinstance(value, float):
        return Traced(exact(float(value)), (), sizes)
    if isinstance(value, Fraction):
        return Traced(number(value), (), sizes)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return _lifted_array(value, sizes)
    if isinstance(value, list | tuple):
        return stacked([lifted(part, sizes) for part in value], sizes)
    return refuse(f"this is calculated with a {type(value).__name__}", "numbers and NumPy arrays can be followed")


def _lifted_array(value: Any, sizes: Mapping[str, int]) -> Traced:
    """An array of numbers that the program made itself."""
    if value.dtype.kind not in "biuf":
        refuse(f"an array of {value.dtype} is no array of numbers")
    if value.ndim == 0:
        return lifted(value.item(), sizes)
    if value.size == 0 or value.size > MAX_ENTRIES:
        first = value.reshape(-1)[:1].tolist()
        if not first or (value != first[0]).any():
            refuse(f"an array of {value.size} constants is too large to follow")
        return Traced(lifted(first[0], sizes).node, (), sizes).to_shape(value.shape)
    return stacked([lifted(row.tolist() if row.ndim == 0 else row, sizes) for row in value], sizes)


def stacked(parts: Sequence[Traced], sizes: Mapping[str, int]) -> Traced:
    """Arrays of one shape along a new first axis."""
    loop = parts[0].lost if parts else None
    if loop is not None and all(part.lost is loop and part.real == parts[0].real for part in parts):
        whole = loop.listed([part._node for part in parts])
        if whole is None:
            refuse("a list of what the rounds of a loop leave cannot be followed")
        return Traced(whole, (True, *parts[0].real), sizes, parts[0].kind)
    if not parts or len(parts) > MAX_ENTRIES:
        refuse(f"a list of {len(parts)} entries cannot be followed")
    if any(part.real != parts[0].real or part.node.shape != parts[0].node.shape for part in parts):
        refuse("the parts of a list have different shapes")
    if len(parts) == 1:
        return parts[0][None]
    axes = tuple(range(1, parts[0].node.rank + 1))
    rows = [contract([(unit(k, len(parts)), (0,)), (part.node, axes)], (0, *axes)) for k, part in enumerate(parts)]
    return Traced(add(rows), (True, *parts[0].real), sizes, parts[0].kind)


def unit(k: int, dim: Dim) -> Node:
    """The k-th unit vector; counted from the end where k is negative."""
    if isinstance(dim, int):
        if not -dim <= k < dim:
            refuse(f"the index {k} is out of an axis of {dim}")
        k %= dim
    if k < 0:
        return window(dim, (), (), dims.combine([(1, dim)], k))
    return apply("onehot", number(k), params=(dim,))


# --- arrays -----------------------------------------------------------------------------------------------------------


Reader = Callable[["Traced"], Node]
Writer = Callable[["Traced"], None]


class Traced:
    """An array with the expression of its entries.

    node    the expression, with an axis for every axis of the array that is not of length one
    real    for every axis of the array whether the node has it
    kind    f for numbers, b for truth values, i for labels
    chosen  for labels, given the length of the axis that they point into, their one-hot vectors; `distinct` if no two
            labels are equal; `counting` if they are 0, 1, 2, ..., whose node has the shape only
    within  the condition under which entries are there, in x[x > 0]
    lost    the loop that is over, of one round of which this is a value
    """

    __slots__ = (
        "__weakref__", "_node", "back", "base", "chosen", "counting", "distinct", "kind", "lost", "read", "real",
        "seen", "sizes", "version", "within",
    )  # fmt: skip
    __array_priority__ = 1000.0

    def __init__(
        self, node: Node, real: tuple[bool, ...], sizes: Mapping[str, int], kind: str = "f",
        chosen: Callable[[Dim], Node] | None = None, distinct: bool = False, within: Node | None = None,
    ) -> None:  # fmt: skip
        self._node = node
        self.real = real
        self.sizes = sizes
        self.kind = kind
        self.chosen = chosen
        self.distinct = distinct
        self.within = within
        self.counting = False
        self.version = 0
        self.base: Traced | None = None
        self.seen = 0
        self.read: Callable[[Traced], Node] | None = None
        self.back: Callable[[Traced], None] | None = None
        self.lost: Loop | None = None
        self.touch()

    # --- what it is -----------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        """The expression, as it is now."""
        if self.counting:
            refuse("the numbers 0, 1, 2, ... are used as values", "they can be followed as an index only")
        self.look()
        if self.lost is not None:
            refuse(AFTER, "add up over the rounds, write entries at the index, or collect a list")
        return self._node

    def touch(self) -> None:
        """Let the loop that is running know."""
        loops = getattr(self.sizes, "loops", None)
        if loops:
            loops[-1].touched.append(weakref.ref(self))

    def look(self) -> None:
        """Of a view: see what was written to what it views."""
        if self.base is not None:
            self.base.look()
            if self.base.version != self.seen and self.read is not None:
                self._node, self.seen = self.read(self.base), self.base.version
                self.version += 1
                self.touch()

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The dimension of every axis."""
        own = iter(self._node.shape)
        return tuple(next(own) if real else 1 for real in self.real)

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(Extent(dim, self.sizes) for dim in self.dims)

    @property
    def ndim(self) -> int:
        return len(self.real)

    @property
    def size(self) -> Any:
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        import numpy as np

        return np.dtype({"f": float, "b": bool, "i": int}[self.kind])

    @property
    def full(self) -> Node:
        """The expression with all axes, those of length one included."""
        labels = tuple(k for k, real in enumerate(self.real) if real)
        once: dict[Label, Dim] = {k: 1 for k, real in enumerate(self.real) if not real}
        return contract([(self.node, labels)], tuple(range(self.ndim)), sizes=once) if once else self.node

    def __len__(self) -> int:
        if not self.real:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Traced]:
        if not self.real:
            raise TypeError("iteration over a 0-d array")
        first = self.dims[0]
        if not isinstance(first, int) or first > MAX_ENTRIES:
            return rounds(self.sizes, first, lambda index: entry(self, index))
        return (self[k] for k in range(first))

    def _scalar(self, what: str) -> Any:
        value = constant(self.node) if not any(self.real) else None
        if value is None:
            refuse(f"{what} of what depends on the values", "use np.where, or a function of NumPy")
        return value

    def __bool__(self) -> bool:
        return bool(self._scalar("a branch on the truth"))

    def __float__(self) -> float:
        return float(self._scalar("the Python number"))

    def __int__(self) -> int:
        return int(self._scalar("the Python integer"))

    def __index__(self) -> int:
        return int(self._scalar("the index"))

    def __hash__(self) -> int:
        return id(self)

    # --- calculating ----------------------------------------------------------------------------------------------

    if TYPE_CHECKING:  # the operators are made from a table below

        def __add__(self, other: Any) -> Traced: ...
        def __mul__(self, other: Any) -> Traced: ...
        def __rmul__(self, other: Any) -> Traced: ...
        def __truediv__(self, other: Any) -> Traced: ...
        def __pow__(self, other: Any) -> Traced: ...
        def __rtruediv__(self, other: Any) -> Traced: ...
        def __rpow__(self, other: Any) -> Traced: ...

    def like(self, node: Node, real: tuple[bool, ...] | None = None, kind: str = "f") -> Traced:
        return Traced(node, self.real if real is None else real, self.sizes, kind)

    def to_shape(self, shape: Any) -> Traced:
        """Broadcast to a shape of lengths."""
        wanted = tuple(dim_of(d) for d in (shape if isinstance(shape, tuple | list) else (shape,)))
        out = tuple(k for k, dim in enumerate(wanted) if dim != 1)
        labels = tuple(len(wanted) - self.ndim + k for k, real in enumerate(self.real) if real)
        for label, dim in zip(labels, self.node.shape, strict=True):
            if label < 0 or wanted[label] != dim:
                refuse(f"an array of shape {show(self.dims)} does not broadcast to {show(wanted)}")
        node = contract([(self.node, labels)], out, sizes={k: wanted[k] for k in out})
        return self.like(node, tuple(dim != 1 for dim in wanted), self.kind)

    def assign(self, value: Traced) -> None:
        """Become `value`, in place."""
        if self.base is not None and self.back is None:
            refuse("a reshaped array is changed in place", "change the array itself, or a copy")
        if value.ndim > self.ndim:
            refuse(f"an array of shape {show(value.dims)} does not fit into one of {show(self.dims)}")
        if self.kind == "i" or (self.kind == "b" and value.kind != "b"):
            refuse("an array of labels or truth values is changed in place")
        self._node = value.to_shape(self.shape).node if value.within is None else value.node
        self.version += 1
        self.touch()
        if self.back is not None:
            self.back(self)
            assert self.base is not None
            self.base.look()
            self.seen = self.base.version

    def view(self, node: Node, real: tuple[bool, ...], read: Reader | None, back: Writer | None) -> Traced:
        """An array that shows entries of this one: `read` finds them again, `back` writes them."""
        made = self.like(node, real, self.kind)
        made.base, made.seen, made.read, made.back = self, self.version, read, back
        made.chosen, made.distinct, made.counting = self.chosen, self.distinct, self.counting
        return made

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        from symgrad.program.rules import run_ufunc

        return run_ufunc(self.sizes, ufunc, method, inputs, out, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from symgrad.program.rules import run_function

        return run_function(self.sizes, function, args, options)

    def __getattr__(self, name: str) -> Any:
        from symgrad.program.rules import method

        return method(self, name)

    def __getitem__(self, key: Any) -> Traced:
        from symgrad.program.indexing import get

        return get(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        from symgrad.program.indexing import put

        put(self, key, lifted(value, self.sizes))

    @property
    def T(self) -> Traced:  # noqa: N802 - NumPy's name
        return transposed(self, tuple(reversed(range(self.ndim))))


def _operator(name: str, ufunc: str, swapped: bool = False, in_place: bool = False) -> None:
    def run(self: Traced, *others: Any) -> Any:
        from symgrad.program.ufuncs import UFUNCS

        args = [lifted(other, self.sizes) for other in others]
        result = UFUNCS[ufunc](*((*args, self) if swapped else (self, *args)))
        if not in_place:
            return result
        self.assign(result)
        return self

    setattr(Traced, name, run)


_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "matmul": "matmul",
    "floordiv": "floor_divide", "mod": "remainder",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
for _name, _ufunc in _BINARY.items():
    _operator(f"__{_name}__", _ufunc)
    _operator(f"__r{_name}__", _ufunc, swapped=True)
    _operator(f"__i{_name}__", _ufunc, in_place=True)
for _name, _ufunc in {
    "gt": "greater",
    "ge": "greater_equal",
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
}.items():
    _operator(f"__{_name}__", _ufunc)
for _name, _ufunc in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "logical_not"}.items():
    _operator(f"__{_name}__", _ufunc)


# --- products: all that is done with axes -----------------------------------------------------------------------------


def show(shape: Sequence[Dim]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


Factor = tuple[Any, ...]


def product(
    factors: Sequence[Factor],
    out: Sequence[Label],
    coefficient: Rational = 1,
    sizes: Mapping[Label, Dim] | None = None,
) -> Traced:
    """coefficient · Σ Π factor^power over the axes `out`: a factor is (array, one label an axis, power).

    A label of length one goes with any length, as NumPy broadcasts.
    """
    known: dict[Label, Dim] = dict(sizes or {})
    parts: list[Any] = []
    for array, labels, *power in factors:
        for label, dim, real in zip(labels, array.dims, array.real, strict=True):
            if real and known.setdefault(label, dim) != dim:
                refuse(f"axes of length {known[label]} and {dim} do not fit: {_shapes(factors)}")
        kept = tuple(label for label, real in zip(labels, array.real, strict=True) if real)
        parts.append((array.node, kept, *power))
    axes = tuple(label for label in out if label in known)
    carried = {label for _, labels, *_ in parts for label in labels}
    given = {label: dim for label, dim in known.items() if label in axes or label in carried}
    try:
        node = contract(parts, axes, coefficient, given)
    except UnsupportedError:
        raise
    except SymgradError as error:
        refuse(error.message)
    return Traced(node, tuple(label in known for label in out), _sizes(factors), within=_within(factors))


def _shapes(factors: Sequence[Factor]) -> str:
    return " and ".join(show(array.dims) for array, *_ in factors)


def _sizes(factors: Sequence[Factor]) -> Mapping[str, int]:
    found: Mapping[str, int] = factors[0][0].sizes
    return found


def _within(factors: Sequence[Factor]) -> Node | None:
    """The condition that arrays of a product have in common; arrays under another one do not fit."""
    found = {array.within for array, *_ in factors if array.within is not None}
    if len(found) > 1 or (found and any(array.within is None and any(array.real) for array, *_ in factors)):
        refuse("entries chosen by a mask are calculated with other ones", "use np.where, or multiply by the mask")
    return next(iter(found), None)


def labels_of(arrays: Sequence[Traced]) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """The labels of arrays that NumPy broadcasts together, and those of the result."""
    rank = max(array.ndim for array in arrays)
    return [tuple(range(rank - array.ndim, rank)) for array in arrays], tuple(range(rank))


def together(*arrays: Traced) -> tuple[list[Traced], tuple[bool, ...]]:
    """Arrays broadcast to one shape, numbers left as they are."""
    labels, out = labels_of(arrays)
    known: dict[Label, Dim] = {}
    for array, names in zip(arrays, labels, strict=True):
        for label, dim, real in zip(names, array.dims, array.real, strict=True):
            if real and known.setdefault(label, dim) != dim:
                refuse(f"these shapes do not broadcast: {' and '.join(show(a.dims) for a in arrays)}")
    wide = [
        product([(array, names)], out, sizes=known) if any(array.real) else array
        for array, names in zip(arrays, labels, strict=True)
    ]
    _within([(array,) for array in wide])
    return wide, tuple(label in known for label in out)


def entrywise(name: str, *arrays: Traced) -> Traced:
    """An operation of the table, entry by entry."""
    wide, real = together(*arrays)
    try:
        node = apply(name, *(array.node for array in wide))
    except UnsupportedError:
        raise
    except SymgradError as error:
        refuse(error.message)
    within = next((array.within for array in wide if array.within is not None), None)
    kind = "b" if OPERATIONS[name].symbol else "f"
    return Traced(node, real, arrays[0].sizes, kind, within=within)


def total(*terms: tuple[Rational, Traced]) -> Traced:
    """Σ coefficient · array, broadcast."""
    wide, real = together(*(array for _, array in terms))
    shape = next((array.node.shape for array in wide if any(array.real)), ())
    nodes = [
        (c, array.node if array.node.shape == shape else Traced(array.node, (), array.sizes).to_shape(shape).node)
        for (c, _), array in zip(terms, wide, strict=True)
    ]
    within = next((array.within for array in wide if array.within is not None), None)
    return Traced(add(nodes, shape), real, terms[0][1].sizes, within=within)


def transposed(array: Traced, order: tuple[int, ...]) -> Traced:
    """The axes of an array in another order, as a view."""

    def turned(source: Traced) -> Traced:
        return product([(source, tuple(range(source.ndim)))], order)

    def back(changed: Traced) -> None:
        array.assign(product([(changed, order)], tuple(range(array.ndim))))

    made = turned(array)
    plain = order == tuple(range(array.ndim))
    if array.kind == "i" and not plain:
        refuse("labels are transposed")
    return array.view(made.node, made.real, lambda source: turned(source).node, back)


def identity(dim: Dim, sizes: Mapping[str, int]) -> Traced:
    return Traced(delta(dim), (True, True), sizes) if dim != 1 else Traced(number(1), (False, False), sizes)


def labels_upto(start: Dim, stop: Dim, sizes: Mapping[str, int]) -> Traced:
    """The labels start, start + 1, ..., stop - 1."""
    many = dims.combine([(1, stop), (-1, start)])

    def chosen(dim: Dim) -> Node:
        return window(dim, (many,), (1,), start) if many != 1 else unit(int(start), dim)

    made = Traced(number(0, (many,) if many != 1 else ()), (many != 1,), sizes, "i", chosen, distinct=True)
    made.counting = True
    return made


def opposite(condition: Node) -> Node:
    """1 - condition, as a condition where that is one."""
    other = {"positive": "nonnegative", "nonnegative": "positive"}
    if isinstance(condition, Call) and condition.op.name in other:
        return apply(other[condition.op.name], negate(condition.args[0]))
    return add([number(1, condition.shape), (-1, condition)])
