r"""Indices that are calculated: `x_{i+1}`, `x_{i+j}`, `x_{2i}`, slices, and sums over a part of an axis.

Contract: a calculated subscript is a product with a `Window`, summed over the axis it reads.  How far its letters run
is not written anywhere: an unknown extent stands for it while shapes are inferred, each use is recorded as a `Read`,
and `settle` finds the largest extents that stay inside of every axis.  What would leave an axis is an error, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from symgrad import dims
from symgrad.dims import Dim
from symgrad.errors import InputError, ShapeError, UnsupportedError
from symgrad.notation.literals import indices, kind, literal, signs
from symgrad.notation.syntax import Tree
from symgrad.shapes import LETTERS, Axis, Named, Unknown, find

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator

#: Zeros beyond both ends of an axis, and as many entries of what is calculated as the axis has.
ZEROS = frozenset({"below", "above", "same"})
#: A linear form: coefficients of letters, coefficients of sizes, and a number.
Coefficients = dict[str, Dim]
Terms = list[tuple[int, Axis]]


@dataclass(frozen=True, slots=True)
class Affine:
    """Σ stride · letter + Σ coefficient · size + constant."""

    strides: Mapping[str, Dim]
    sizes: tuple[tuple[int, Dim], ...]
    constant: int


@dataclass(slots=True)
class Range:
    """How a letter runs: over `extent` values from `first` (None: from wherever it fits), counted from `base`."""

    extent: Axis
    first: Affine | None
    base: int
    skipped: int = 0


@dataclass(slots=True)
class Read:
    """A use of an axis `dim` at offset + Σ stride · letter, each letter below its extent."""

    dim: Axis
    strides: tuple[Dim, ...]
    extents: tuple[Axis, ...]
    offset: Terms
    tree: Tree
    source: str
    padded: frozenset[str] = frozenset()


@dataclass(slots=True)
class Ledger:
    """What one reading found out: the extents it left open, and where they are used."""

    extents: list[Unknown] = field(default_factory=list)
    given: list[tuple[Unknown, Terms]] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


# --- linear forms -----------------------------------------------------------------------------------------------------


def affine(work: Elaborator, tree: Tree) -> Affine | None:
    """The linear form that a subscript or a bound is, or None."""
    try:
        return _affine(work, tree)
    except ValueError:  # a product that no dimension can hold
        return None


def _affine(work: Elaborator, tree: Tree) -> Affine | None:
    strides: Coefficients = {}
    sizes: list[tuple[int, Dim]] = []
    constant = 0
    waiting: list[tuple[int, Tree]] = [(1, tree)]
    while waiting:
        sign, part = waiting.pop(0)
        number = literal(part)
        if number is not None:
            if number.denominator != 1:
                return None
            constant += sign * int(number)
        elif part.head == "add":
            waiting += [(sign * s, term) for s, term in zip(signs(part), part.args, strict=True)]
        elif part.head == "neg":
            waiting.append((-sign, part.args[0]))
        elif part.head == "call" and part.value == "floor":
            quotient = _rounded(work, part)
            if quotient is None:
                return None
            sizes.append((sign, quotient))
        elif (spread := _spread(part)) is not None:
            waiting.append((sign * spread[0], spread[1]))
        elif part.head in {"name", "mul"}:
            found = _term(work, part)
            if found is None:
                return None
            times, size, letter = found
            if letter is None:
                sizes.append((sign * times, size))
            else:
                stride = dims.times(sign * times, size) if size else sign * times
                strides[letter] = dims.combine([(1, strides.get(letter, 0)), (1, stride)])
        else:
            return None
    return Affine({k: s for k, s in strides.items() if s != 0}, tuple(sizes), constant)


def _spread(tree: Tree) -> tuple[int, Tree] | None:
    """(number, sum) of `2 (i - 1)`."""
    sums = [factor for factor in tree.args if factor.head in {"add", "neg"} and literal(factor) is None]
    numbers = [literal(factor) for factor in tree.args if factor not in sums]
    if tree.head != "mul" or len(sums) != 1 or not numbers or None in numbers:
        return None
    times = math.prod(Fraction(n) for n in numbers if n is not None)
    return (int(times), sums[0]) if times.denominator == 1 else None


def _rounded(work: Elaborator, tree: Tree) -> Dim | None:
    """The dimension ⌊a / k⌋."""
    if len(tree.args) != 1 or tree.args[0].head != "div":
        return None
    parts = [affine(work, part) for part in tree.args[0].args]
    counts = [None if part is None or part.strides else total(_terms(work, part)) for part in parts]
    if counts[0] is None or counts[1] is None:
        return None
    return dims.quotient(counts[0], counts[1])


def _term(work: Elaborator, tree: Tree) -> tuple[int, Dim, str | None] | None:
    """(number, size, letter) of `2 i`, `S i`, `n`: at most one of each."""
    times, letter = 1, None
    size: Dim = ""
    for factor in tree.args if tree.head == "mul" else (tree,):
        number = literal(factor)
        name = str(factor.value) if factor.head == "name" else ""
        if number is not None and number.denominator == 1:
            times *= int(number)
        elif name in work.bound or (name and name not in work.scope.sizes and is_letter(work, name)):
            if letter is not None:
                return None
            letter = name
        elif name in work.scope.sizes:
            size = dims.times(size, name) if size else name
        elif factor.head == "call" and factor.value == "floor" and not size:
            rounded = _rounded(work, factor)
            if rounded is None:
                return None
            size = rounded
        else:
            return None
    return (times, size, letter) if letter is not None or size else None


def is_letter(work: Elaborator, name: str) -> bool:
    """Whether a name below another can only be an index."""
    scope = work.scope
    known = name in scope.labels or name in scope.variables or name in scope.values or name in work.arguments
    return not known


def _size(work: Elaborator, dim: Dim) -> Axis:
    return find(work.scope.tops.get(dim, dim)) if isinstance(dim, str) else dim


def _terms(work: Elaborator, form: Affine) -> Terms:
    """A form without letters over the axes that its sizes are."""
    return [*((k, _size(work, name)) for k, name in form.sizes), (form.constant, 1)]


# --- binding letters --------------------------------------------------------------------------------------------------


def is_calculated(subscript: Tree) -> bool:
    return subscript.head in {"add", "mul", "neg"}


def bind(work: Elaborator, body: Tree, names: Sequence[str], binders: Iterable[Tree] = ()) -> None:
    """Give the letters that occur in calculated subscripts, or run over a part of an axis, a range of their own."""
    lower: dict[str, tuple[Tree, Tree]] = {}
    for binder in binders:
        if kind(binder) == "range":
            lower[indices(binder)[0]] = (binder.args[0], binder.args[1])
    found = _subscripts(body)
    used = {t.value for s in found if is_calculated(s) for t in s.walk() if t.head == "name"}
    for name in names:
        if name not in used and (name not in lower or work.bound.get(name) is not None):
            continue
        extent = work.algebra.hole()
        first = None
        if name in lower:
            first, last = (affine(work, part) for part in lower[name])
            if first is None or last is None or first.strides or last.strides:
                raise UnsupportedError("the ends of a sum are numbers and dimensions, as in n - 1")
            if isinstance(extent, Unknown):
                length = [*_terms(work, last), *((-k, axis) for k, axis in _terms(work, first)), (1, 1)]
                work.ledger.given.append((extent, length))
        elif isinstance(extent, Unknown):
            work.ledger.extents.append(extent)
        work.bound[name] = extent
        work.ranges[name] = Range(extent, first, 0)
    own = [name for name in names if name in work.ranges]
    if own:
        for name in own:
            forms = [f for s in found if (f := affine(work, s)) is not None and name in f.strides]
            if work.ranges[name].first is not None:  # where zeros lie beyond the ends, a low index tells nothing
                kept = _subscripts(body, work.scope.padded)
                forms = [f for s in kept if (f := affine(work, s)) is not None and name in f.strides]
            _place(work, name, forms, _firsts(work, body))


def _firsts(work: Elaborator, body: Tree) -> dict[str, int | None]:
    """The first values of the letters, as far as they are numbers; of letters without an end None."""
    firsts: dict[str, int | None] = {}
    for tree in body.walk():
        if tree.head == "binder" and kind(tree) == "range":
            low = literal(tree.args[0])
            firsts[indices(tree)[0]] = None if low is None else int(low)
    for name, one in work.ranges.items():
        firsts[name] = one.first.constant if one.first is not None and not one.first.sizes else None
    for name, dim in work.bound.items():
        if name not in firsts and dim is not None:
            firsts[name] = 0 if work.scope.numpy else 1
    return firsts


def _place(work: Elaborator, name: str, forms: Sequence[Affine], firsts: Mapping[str, int | None]) -> None:
    """Settle from where a letter counts, by all subscripts that it occurs in."""
    own = work.ranges[name]
    if own.first is not None:
        lowest = own.first.constant if not own.first.sizes else 1
        known = [form for form in forms if not form.sizes and all(firsts.get(k) is not None for k in form.strides)]
        for form in known:
            low = form.constant + sum(int(s) * (firsts[k] or 0) for k, s in form.strides.items() if isinstance(s, int))
            lowest = min(lowest, low)
        own.base = 0 if work.scope.numpy else max(0, min(1, lowest))
        return
    alone = [form.constant for form in forms if len(form.strides) == 1 and form.strides[name] == 1 and not form.sizes]
    own.skipped = max(0, -min(alone, default=0))
    others = [form for form in forms if len(form.strides) > 1 or form.strides[name] != 1]
    own.base = int(not work.scope.numpy and any(form.constant < 0 for form in others))
    evident = {k for form in others for k in form.strides if firsts.get(k) is not None}
    if evident:
        own.base = min(1, *(max(0, firsts[k] or 0) for k in evident))


def _subscripts(body: Tree, without: Collection[str] = ()) -> list[Tree]:
    """What stands below names, but for some of them."""
    indexed = (tree for tree in body.walk() if tree.head == "index" and tree.args[0].value not in without)
    return [s for tree in indexed for s in tree.args[1:]]


# --- reading at calculated places -------------------------------------------------------------------------------------


def window(
    work: Elaborator, dim: Axis, subscript: Tree, tree: Tree, code: bool = False, inside: bool = True,
    padding: frozenset[str] = frozenset(),
) -> tuple[Any, tuple[str, ...]]:  # fmt: skip
    """The `Window` tensor of one subscript over an axis `dim`, and its letters.

    It must stay `inside` of the axis, but for the ends beyond which there is `padding`.
    """
    form = affine(work, subscript)
    if form is None or not (form.strides or form.sizes):
        raise UnsupportedError("an index is a letter, a number, a label, or a sum of letters and numbers")
    if not form.strides:
        return _at(work, dim, form, tree, code), ()
    letters = tuple(form.strides)
    base = 0 if code or work.scope.numpy else min((_base(work, k) for k in letters), default=0)
    offset: Terms = [*((k, _size(work, name)) for k, name in form.sizes), (form.constant - base, 1)]
    extents: list[Axis] = []
    for letter in letters:
        stride, one = form.strides[letter], work.ranges.get(letter)
        if one is not None and one.first is not None:
            offset += [(int(k), axis) for k, axis in _times(stride, _terms(work, one.first))]
        else:
            skipped = one.skipped if one is not None else 0
            offset += _times(stride, [(base + skipped, 1)])
        extents.append(work.dimension(letter, tree))
    strides = tuple(form.strides.values())
    if inside:
        read = Read(dim, strides, tuple(extents), offset, tree, work.scope.source, work.padded | padding)
        work.ledger.reads.append(read)
    return work.algebra.window(dim, extents, strides, offset), letters


def _at(work: Elaborator, dim: Axis, form: Affine, tree: Tree, code: bool) -> Any:
    """The unit vector of a place that is calculated from sizes: x_{n+1}."""
    offset = [*_terms(work, form), (0 if code or work.scope.numpy else -1, 1)]
    work.ledger.reads.append(Read(dim, (1,), (1,), offset, tree, work.scope.source))
    return work.algebra.contract([(work.algebra.window(dim, [1], (1,), offset), (0, 1))], (0,))


def _base(work: Elaborator, letter: str) -> int:
    one = work.ranges.get(letter)
    return 1 if one is None else one.base


def _times(stride: Dim, terms: Terms) -> Terms:
    if isinstance(stride, int):
        return [(stride * k, axis) for k, axis in terms]
    return [(k * int(axis), stride) for k, axis in terms if isinstance(axis, int)]


def place(work: Elaborator, length: Terms) -> Axis:
    """An extent that is calculated: the dimension that a sum of others is."""
    extent = work.algebra.hole()
    if isinstance(extent, Unknown):
        work.ledger.given.append((extent, length))
    return extent  # type: ignore[no-any-return]


def slice_of(work: Elaborator, dim: Axis, part: Tree, tree: Tree) -> tuple[Any, Axis]:
    """The `Window` of a slice `a:b:s` over an axis `dim`, and the extent of the slice."""
    lower, upper, step = part.args
    code = bool(part.value)
    stride = 1 if step.head == "slice" else literal(step)
    if not isinstance(stride, int) or stride < 1:
        raise UnsupportedError("the step of a slice is a positive number")
    start = _bound(work, lower, dim, [(0, 1)])
    stop = _bound(work, upper, dim, [(1, dim)])
    if not code and upper.head != "slice" and lower.head != "slice":
        first = literal(lower)
        if first is not None and first < 1:
            raise InputError("is the end of this range included?", hint="write x[0:n] as in code, or x_{1:n}")
        start = [*start, (-1, 1)]
    extent = work.algebra.hole()
    if isinstance(extent, Unknown):
        length = [*stop, *((-k, axis) for k, axis in start)]
        work.ledger.given.append((extent, _Quotient(length, stride)))
    work.ledger.reads.append(Read(dim, (stride,), (extent,), start, tree, work.scope.source))
    return work.algebra.window(dim, [extent], (stride,), start), extent


class _Quotient(list[tuple[int, Axis]]):
    """The number of steps in a sum of terms."""

    def __init__(self, terms: Terms, step: int) -> None:
        super().__init__(terms)
        self.step = step


def _bound(work: Elaborator, tree: Tree, dim: Axis, missing: Terms) -> Terms:
    """An end of a slice; negative numbers count from the end of the axis."""
    if tree.head == "slice":
        return missing
    form = affine(work, tree)
    if form is None or form.strides:
        raise UnsupportedError("the ends of a slice are numbers and dimensions, as in 1: or :-1")
    terms = _terms(work, form)
    return [(1, dim), *terms] if not form.sizes and form.constant < 0 else terms


# --- settling ---------------------------------------------------------------------------------------------------------


def known(axis: Axis) -> Dim | None:
    """The dimension that an axis is, a declared one that nothing has replaced included; None where it is open."""
    axis = find(axis)
    if isinstance(axis, Named):
        return axis.name
    return None if isinstance(axis, Unknown) else axis


def total(terms: Iterable[tuple[int, Axis]]) -> Dim | None:
    """The dimension that a sum of axes is, or None where one is open."""
    found: list[tuple[int, Dim]] = []
    for k, axis in terms:
        dim = known(axis)
        if dim is None:
            return None
        found.append((k, dim))
    return dims.combine(found)


def settle(ledger: Ledger, taken: Collection[str], tops: Mapping[str, Axis], holes: Iterable[Unknown]) -> None:
    """Give every extent its dimension: those that are given, then the largest that every use allows.

    Axes that are read and have no name get one that is not `taken`.
    """
    try:
        _settle(ledger, taken, tops, holes)
    except ValueError:
        raise UnsupportedError("these dimensions are products that cannot be calculated with") from None


def _settle(ledger: Ledger, taken: Collection[str], tops: Mapping[str, Axis], holes: Iterable[Unknown]) -> None:
    spare = chain(LETTERS[1:], LETTERS[:1], (f"d_{k}" for k in count(1)))
    letters = (letter for letter in spare if letter not in taken)
    fixed = [extent for extent, _ in ledger.given]
    open_ = [e for e in dict.fromkeys(_root(e) for e in ledger.extents) if e is not None]
    steps: tuple[Callable[[], bool], ...] = (
        lambda: _define(ledger), lambda: _fit(ledger, open_, wait=True), lambda: _reach(ledger),
        lambda: _whole_axis(ledger, tops), lambda: _name_top(ledger, tops), lambda: _name_base(ledger, open_, letters),
        lambda: _fit(ledger, open_, wait=False),
    )  # fmt: skip
    while any(step() for step in steps):
        pass
    _complete(ledger, open_)
    for read in ledger.reads:
        _inside(read, fixed)
    replaced = {n.name: n.same_as for n in _declared(ledger) if n.same_as is not None}
    for hole in holes:
        if isinstance(hole.same_as, str):
            hole.same_as = dims.rename(hole.same_as, replaced)  # type: ignore[arg-type]


def _complete(ledger: Ledger, open_: list[Unknown]) -> None:
    """Refuse what is still open: letters that only occur together."""
    for read in ledger.reads:
        if any(find(e) in open_ for e in read.extents):
            raise InputError(
                "how far do these indices run?", source=read.source, offset=read.tree.start, end=read.tree.end,
                hint="say it, as in \\sum_{j=0}^{m-1}", code="AMBIGUOUS",
            )  # fmt: skip
    if ledger.given:
        raise UnsupportedError("the dimensions that this calculates with cannot be told")


def _declared(ledger: Ledger) -> list[Named]:
    axes = [axis for read in ledger.reads for axis in (read.dim, *read.extents)]
    chains = [_chain(axis) for axis in axes]
    return [axis for chain in chains for axis in chain if isinstance(axis, Named)]


def _chain(axis: Axis | None) -> list[Axis]:
    """What an axis is said to be the same as, step by step."""
    found: list[Axis] = []
    while isinstance(axis, Unknown):
        found.append(axis)
        axis = axis.same_as
    return found


def _root(axis: Axis) -> Unknown | None:
    axis = find(axis)
    return axis if isinstance(axis, Unknown) and not isinstance(axis, Named) else None


def _define(ledger: Ledger) -> bool:
    for place, (extent, terms) in enumerate(ledger.given):
        length = total(terms)
        if length is None:
            continue
        if isinstance(terms, _Quotient):
            length = dims.quotient(dims.combine([(1, length)], terms.step - 1), terms.step)
        named = [k for name, k in dims.linear(length).items() if name and k]
        if (named and all(k < 0 for k in named)) or (isinstance(length, int) and length < 1):
            raise ShapeError("this range ends before it begins")
        _agree(extent, length)
        del ledger.given[place]
        return True
    return False


def _agree(extent: Axis, count: Dim) -> None:
    """An extent is a dimension; a declared dimension of that place takes its value."""
    root = find(extent)
    if isinstance(root, Named):
        if root.name != count:
            if root.name in dims.names(count):
                raise ShapeError(f"{root.name} and {count} are different dimensions here")
            root.same_as = count
    elif isinstance(root, Unknown):
        root.same_as = count
    elif root != count:
        raise ShapeError(f"a range of {root} and one of {count} entries go together here")


def _fit(ledger: Ledger, open_: list[Unknown], wait: bool) -> bool:
    """Solve one extent from the uses in which it is the only thing open."""
    for extent in open_:
        if _root(extent) is not extent:
            continue
        uses = [read for read in ledger.reads if any(find(e) is extent for e in read.extents)]
        limits = [limit for read in uses if (limit := _limit(read, extent)) is not None]
        if len(limits) < len(uses):
            limits = [] if wait else [limit for r in uses if len(r.extents) == 1 and (limit := _limit(r, extent))]
            limits = limits if wait else limits or _same_length(uses, extent)
        if not limits:
            continue
        best = _smallest(limits)
        extent.same_as = next((find(read.dim) for read in uses if known(read.dim) == best), best)
        return True
    return False


def _same_length(uses: Iterable[Read], extent: Unknown) -> list[Dim]:
    """The lengths of axes with zeros beyond their ends: what is read from one in steps of 1 has as many entries."""
    strides = {s for read in uses for s, e in zip(read.strides, read.extents, strict=True) if find(e) is extent}
    padded = [read.dim for read in uses if "same" in read.padded]
    return [dim for axis in padded if strides == {1} and (dim := known(axis)) is not None]


def _limit(read: Read, extent: Unknown) -> Dim | None:
    """How far a letter may run in one use: ⌊(dim - 1 - offset - the others) / stride⌋ + 1.

    Where there are zeros beyond the ends, a use says nothing.
    """
    mine = [k for k, e in enumerate(read.extents) if find(e) is extent]
    if len(mine) != 1 or read.strides[mine[0]] == 0 or read.padded:
        return None
    rest: Terms = [(1, read.dim), *((-k, axis) for k, axis in read.offset), (-1, 1)]
    for k, (stride, other) in enumerate(zip(read.strides, read.extents, strict=True)):
        if k != mine[0]:
            span = _span(stride, other)
            if span is None:
                return None
            rest.append((-1, span))
    room = total(rest)
    stride = read.strides[mine[0]]
    if room is None or (isinstance(stride, int) and stride < 0):
        return None
    return dims.combine([(1, dims.quotient(room, stride))], 1)


def _span(stride: Dim, extent: Axis) -> Dim | None:
    """How much a letter adds at most."""
    dim = known(extent)
    if dim is None:
        return None
    if isinstance(stride, int):
        return dims.combine([(stride, dim)], -stride) if stride > 0 else 0
    last = dims.combine([(1, dim)], -1)
    if isinstance(last, str) and last.endswith(f")//{stride}"):
        return dims.number(last[1:].removesuffix(f")//{stride}"))
    if dims.is_name(dim):
        return dims.combine([(1, dims.times(stride, dim)), (-1, stride)])
    return dims.times(stride, last) if isinstance(last, int) else None


def _smallest(limits: Sequence[Dim]) -> Dim:
    """The least of several limits; of those that cannot be compared a declared one, which `_inside` then judges."""
    best = limits[0]
    for other in limits[1:]:
        if dims.at_least(best, other):
            best = other
        elif dims.at_least(other, best):
            continue
        elif not _plain(best) and _plain(other):
            best = other
    return best


def _plain(dim: Dim) -> bool:
    return isinstance(dim, int) or dims.is_name(dim)


def _reach(ledger: Ledger) -> bool:
    """An axis that nobody named has as many entries as are read, if every use says how many."""
    for read in ledger.reads:
        root = _root(read.dim)
        uses = [other for other in ledger.reads if find(other.dim) is root]
        if root is None or not all(total((1, e) for e in other.extents) is not None for other in uses):
            continue
        ends = [total([*other.offset, (1, 1), *((1, s) for s in _spans(other))]) for other in uses]
        if None not in ends:
            best = ends[0]
            for end in ends:
                best = end if best is not None and end is not None and dims.at_least(end, best) else best
            root.same_as = best
            return True
    return False


def _whole_axis(ledger: Ledger, tops: Mapping[str, Axis]) -> bool:
    """The end m of a sum over θ_j that nothing tells is where θ ends, if all axes that j alone reads end there."""
    roots = [root for top in tops.values() if (root := _root(top)) is not None]
    for extent, terms in ledger.given:
        ends = [root for _, axis in terms if (root := _root(axis)) is not None]
        if len(ends) != 1 or (1, ends[0]) not in [(k, find(axis)) for k, axis in terms] or ends[0] not in roots:
            continue
        rest = [(-k, axis) for k, axis in terms if find(axis) is not ends[0]]
        alone = [r for r in ledger.reads if r.strides == (1,) and find(r.extents[0]) is find(extent) and not r.padded]
        found = [total([(1, r.dim), *((-k, axis) for k, axis in r.offset), *rest]) for r in alone]
        if found and found[0] is not None and all(end == found[0] for end in found):
            ends[0].same_as = found[0]
            return True
    return False


def _name_top(ledger: Ledger, tops: Mapping[str, Axis]) -> bool:
    """The end of a sum that nothing else tells is a dimension by its own name."""
    for _, terms in ledger.given:
        for _, axis in terms:
            root = _root(axis)
            name = next((name for name, top in tops.items() if root is not None and find(top) is root), None)
            if root is not None and name is not None:
                root.same_as = name
                return True
    return False


def _name_base(ledger: Ledger, open_: list[Unknown], letters: Iterator[str]) -> bool:
    """Name an axis that is read and that nobody named."""
    for read in ledger.reads:
        root = _root(read.dim)
        if root is not None and root not in open_:
            root.same_as = next(letters)
            return True
    for _, terms in ledger.given:
        for _, axis in terms:
            root = _root(axis)
            if root is not None and root not in open_ and all(find(e) is not root for e, _ in ledger.given):
                root.same_as = next(letters)
                return True
    return False


def _spans(read: Read) -> list[Axis]:
    spans = [_span(s, e) for s, e in zip(read.strides, read.extents, strict=True)]
    return [Unknown() if span is None else span for span in spans]


def _inside(read: Read, fixed: Collection[Axis]) -> None:
    """Refuse a use that leaves its axis; a declared extent that is too free is tied to the others."""
    room = total([(1, read.dim), *((-k, a) for k, a in read.offset), (-1, 1), *((-1, s) for s in _spans(read))])
    first = total([*read.offset, *((s, e) for s, e in _below(read))])
    room = 0 if "above" in read.padded else room
    first = 0 if "below" in read.padded else first
    if room is not None and first is not None and dims.at_least(room, 0) and dims.at_least(first, 0):
        return
    if isinstance(room, str):
        for extent in read.extents:
            if extent in fixed:
                continue
            root = find(extent)
            times = -dims.linear(room).get(root.name, 0) if isinstance(root, Named) else 0
            if isinstance(root, Named) and times > 0:
                root.same_as = dims.quotient(dims.combine([(1, room), (times, root.name)]), times)
                return
    dim = known(read.dim)
    message = f"this index leaves its axis of {dim}" if isinstance(room, int) else f"does this index stay inside {dim}?"
    if isinstance(first, int) and first < 0:
        message = "this index begins before the first entry, and nothing says what stands there"
    base = read.tree.args[0] if read.tree.args else read.tree
    zeros = f", or assume {base.value}: zero_padded for zeros beyond the ends" if base.head == "name" else ""
    raise ShapeError(
        message,
        source=read.source, offset=read.tree.start, end=read.tree.end,
        hint=f"say from where to where the indices run, as in \\sum_{{i=1}}^{{n-1}}{zeros}",
    )  # fmt: skip


def _below(read: Read) -> list[tuple[int, Axis]]:
    """What letters with negative strides take away at most."""
    return [
        (s, dims.combine([(1, dim)], -1))
        for s, e in zip(read.strides, read.extents, strict=True)
        if isinstance(s, int) and s < 0 and (dim := known(e)) is not None
    ]
