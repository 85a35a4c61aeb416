"""Reading and writing entries of traced arrays, by NumPy's rules.

Contract: `get(array, key)` and `put(array, key, value)` cover numbers, slices, `...`, `None`, arrays of labels and
masks.  A key that picks whole axes, entries and slices gives a view.  Writing through labels needs labels that cannot
repeat, as in `scores[np.arange(N), y]`: NumPy would otherwise write only the last of several values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad import dims
from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Dim, Label, Node, Variable, constant, window
from symgrad.program.extent import Extent, dim_of, refuse
from symgrad.program.traced import Traced, entrywise, labels_of, labels_upto, lifted, opposite, product, total, unit


class LabelNeeded(UnsupportedError):
    """A variable is used as an index, and nobody said that it holds labels."""

    code = "LABEL"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is used as an index, and is not known to hold labels", hint=f'assume "{name}: label"')
        self.name = name


@dataclass(slots=True)
class Pick:
    """A key as a product: entry `out` of the result is Σ array[axes] · Π selectors."""

    axes: list[Label] = field(default_factory=list)
    out: list[Label] = field(default_factory=list)
    selectors: list[tuple[Traced, tuple[Label, ...]]] = field(default_factory=list)
    basic: bool = True
    distinct: bool = True

    def read(self, array: Traced) -> Traced:
        factors = [(array, tuple(self.axes)), *self.selectors]
        return product(factors, tuple(self.out), sizes=self.lengths)

    def spread(self, value: Traced, into: Traced) -> Traced:
        """An array of the shape of `into` that has `value` where the key points, else zero."""
        labels = tuple(self.out[len(self.out) - value.ndim :])
        shape = dict(zip(self.axes, into.dims, strict=True))
        lengths = {label: dim for label, dim in shape.items() if dim != 1} | self.lengths
        return product([(value, labels), *self.selectors], tuple(self.axes), sizes=lengths)

    @property
    def lengths(self) -> dict[Label, Dim]:
        return {
            label: dim
            for array, labels in self.selectors
            for label, dim in zip(labels, array.dims, strict=True)
            if dim != 1
        }


def get(array: Traced, key: Any) -> Traced:
    """array[key]."""
    mask = _mask(key)
    if mask is not None:
        return _chosen(array, mask)
    pick = _pick(array, key)
    if array.kind == "i":
        return _labels(array, pick)
    found = pick.read(array)
    found.kind = array.kind
    if not pick.basic:
        return found

    def back(changed: Traced) -> None:
        put(array, key, changed)

    return array.view(found.node, found.real, lambda source: pick.read(source).node, back)


def put(array: Traced, key: Any, value: Traced) -> None:
    """array[key] = value, in place."""
    mask = _mask(key)
    if mask is not None:
        array.assign(_replaced(array, mask, value))
        return
    pick = _pick(array, key)
    if not pick.distinct:
        refuse("labels that may repeat are written to", "use np.add.at, or one label for each row")
    before = pick.read(array)
    if value.ndim > before.ndim:
        refuse("the value has more axes than the entries it is written to")
    found = _written(array, pick, before, value)
    found.kind = "b" if array.kind == value.kind == "b" else "f"
    array.assign(found)


def _written(array: Traced, pick: Pick, before: Traced, value: Traced) -> Traced:
    """The array with a value where the key points: x - E x + E value for a number, where E is 1 there."""
    if pick.selectors and not any(value.real) and constant(value.node) is not None:
        there = pick.spread(lifted(1, array.sizes).to_shape(before.shape), array)
        (labels, others), out = labels_of([array, there])
        kept = total((1, array), (-1, product([(array, labels), (there, others)], out)))
        return total((1, kept), (1, product([(value, ()), (there, others)], out)))
    change = total((1, value), (-1, before))
    if not pick.selectors:
        return total((1, array), (1, change))
    return total((1, array), (1, pick.spread(change.to_shape(before.shape), array)))


def add_at(array: Traced, key: Any, value: Traced) -> None:
    """np.add.at: every value is added, also where labels repeat."""
    pick = _pick(array, key)
    shape = pick.read(array).shape
    array.assign(total((1, array), (1, pick.spread(value.to_shape(shape), array))))


# --- masks ------------------------------------------------------------------------------------------------------------


def _mask(key: Any) -> Traced | None:
    """The mask that a key is."""
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if isinstance(key, tuple) and any(isinstance(part, Traced) and part.kind == "b" for part in key):
        refuse("a mask stands beside other indices")
    return key if isinstance(key, Traced) and key.kind == "b" else None


def _widened(mask: Traced, array: Traced) -> Traced:
    """A mask over the first axes of an array, as one over all of them."""
    if mask.ndim > array.ndim or any(one != other for one, other in zip(mask.dims, array.dims, strict=False)):
        refuse("the mask does not fit the array")
    missing = array.ndim - mask.ndim
    if not missing:
        return mask
    made = mask.like(mask.node, (*mask.real, *(False,) * missing), "b")
    return product([(made, tuple(range(array.ndim)))], tuple(range(array.ndim)), sizes=_all(array))


def _all(array: Traced) -> dict[Label, Dim]:
    return {k: dim for k, dim in enumerate(array.dims) if dim != 1}


def _chosen(array: Traced, mask: Traced) -> Traced:
    mask = _widened(mask, array)
    return Traced(array.node, array.real, array.sizes, array.kind, within=mask.node)


def _replaced(array: Traced, mask: Traced, value: Traced) -> Traced:
    """Entries under the mask from `value`, the others as they were."""
    wide = _widened(mask, array)
    if value.within is not None:
        if value.within is not wide.node:
            refuse("entries chosen by one mask are written under another")
        value = Traced(value.node, value.real, value.sizes)
    elif any(value.real):
        refuse("an array is written under a mask", "write a number, array[mask], or use np.where")
    labels = tuple(range(array.ndim))
    others = Traced(opposite(wide.node), wide.real, array.sizes)
    if is_positive(others.node, array.node):
        kept = entrywise("relu", array)
    else:
        kept = product([(array, labels), (others, labels)], labels)
    (value_labels,), _ = labels_of([value])
    return total((1, kept), (1, product([(value, value_labels), (wide, labels)], labels)))


def is_positive(condition: Node, node: Node) -> bool:
    """Whether a condition is that `node` is positive, or not negative."""
    return isinstance(condition, Call) and condition.op.symbol in (">", ">=") and condition.args[0] is node


# --- keys -------------------------------------------------------------------------------------------------------------


def _pick(array: Traced, key: Any) -> Pick:
    parts = _expanded(array, key)
    pick = Pick()
    advanced = [lifted_labels(part, array) for part in parts if _is_labels(part)]
    names, shared = labels_of(advanced) if advanced else ([], ())
    places = (
        [k for k, part in enumerate(parts) if _is_labels(part) or isinstance(part, int | Extent)] if advanced else []
    )
    together = not places or places == list(range(places[0], places[-1] + 1))
    waiting = iter(zip(advanced, names, strict=True))
    common = [("labels", k) for k in shared]
    axis, placed = 0, False
    if advanced and not together:
        pick.out += common
        placed = True
    for part in parts:
        if part is None:
            pick.out.append(("new", len(pick.out)))
            continue
        if _is_labels(part):
            labels, own = next(waiting)
            _pick_labels(pick, array, axis, labels, tuple(("labels", k) for k in own))
            if not placed:
                pick.out += common
                placed = True
        else:
            _pick_basic(pick, array, axis, part)
        axis += 1
    if advanced:
        _say_distinct(pick, advanced)
    return pick


def _expanded(array: Traced, key: Any) -> list[Any]:
    """The parts of a key, one for every axis of the array, and None for new axes."""
    parts = list(key) if isinstance(key, tuple) else [key]
    given = sum(part is not None and part is not Ellipsis for part in parts)
    if given > array.ndim:
        refuse(f"{given} indices for an array of {array.ndim} axes")
    dots = [k for k, part in enumerate(parts) if part is Ellipsis]
    rest = [slice(None)] * (array.ndim - given)
    place = dots[0] if dots else len(parts)
    return [*parts[:place], *rest, *parts[place + bool(dots) :]]


def _is_labels(part: Any) -> bool:
    return isinstance(part, list | range | Traced) or hasattr(part, "dtype")


def lifted_labels(part: Any, array: Traced) -> Traced:
    """Labels as an array of labels: 0, 1, 2, ..., the entries of a variable, or written out."""
    if isinstance(part, Traced):
        if part.kind != "i":
            if isinstance(part.node, Variable):
                raise LabelNeeded(part.node.name)
            refuse("this index is no label")
        return part
    if isinstance(part, range) and part.step == 1:
        return labels_upto(part.start, part.stop, array.sizes)
    values = part.tolist() if hasattr(part, "tolist") else list(part)
    if isinstance(values, int):
        return written_labels([values], array)[0]
    return written_labels(values, array)


def written_labels(values: Sequence[Any], array: Traced) -> Traced:
    """Labels that the program lists."""
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        refuse("this index is no list of whole numbers")
    numbers = lifted(list(values), array.sizes)

    def chosen(dim: Dim) -> Node:
        units = [Traced(unit(value, dim), (True,), array.sizes) for value in values]
        return lifted(units, array.sizes).node if len(units) > 1 else units[0].node

    return Traced(numbers.node, numbers.real, array.sizes, "i", chosen, distinct=len(set(values)) == len(values))


def _pick_labels(pick: Pick, array: Traced, axis: int, labels: Traced, names: tuple[Label, ...]) -> None:
    dim = array.dims[axis]
    if dim == 1 or labels.chosen is None:
        refuse("an axis of length one is indexed with labels" if dim == 1 else "these labels cannot be followed")
    one_hot = Traced(labels.chosen(dim), (*(real for real in labels.real), True), array.sizes)
    name = ("axis", axis)
    pick.axes.append(name)
    pick.selectors.append((one_hot, (*names, name)))
    pick.basic = pick.basic and not labels.ndim


def _say_distinct(pick: Pick, advanced: Sequence[Traced]) -> None:
    """No entry is picked twice if every axis of the labels is one along which some label array never repeats."""
    rank = max(labels.ndim for labels in advanced)
    covered: set[int] = set()
    for labels in advanced:
        along = [rank - labels.ndim + k for k, real in enumerate(labels.real) if real]
        if labels.distinct and len(along) == 1:
            covered.add(along[0])
    needed = {rank - labels.ndim + k for labels in advanced for k, real in enumerate(labels.real) if real}
    pick.distinct = needed <= covered


def _pick_basic(pick: Pick, array: Traced, axis: int, part: Any) -> None:
    """A slice or an entry of one axis."""
    name: Label = ("axis", axis)
    dim = array.dims[axis]
    pick.axes.append(name)
    if isinstance(part, slice):
        start, length, step = _range(part, dim)
        if (start, length, step) == (0, dim, 1):
            pick.out.append(name)
            return
        selector = window(dim, (length,), (step,), start) if length != 1 else _entry(start, dim)
        pick.selectors.append((Traced(selector, (True, length != 1), array.sizes), (name, ("slice", axis))))
        pick.out.append(("slice", axis))
        return
    if isinstance(part, bool) or not isinstance(part, int | Extent):
        refuse(f"an index is a number, a slice, labels or a mask, not a {type(part).__name__}")
    if dim == 1:
        if int(part) not in (0, -1):
            refuse(f"the index {part} is out of an axis of length one")
        return
    selector = _entry(dim_of(part), dim) if isinstance(part, Extent) else unit(int(part), dim)
    pick.selectors.append((Traced(selector, (True,), array.sizes), (name,)))


def _entry(place: Dim, dim: Dim) -> Node:
    return unit(place, dim) if isinstance(place, int) else window(dim, (), (), place)


def _range(part: slice, dim: Dim) -> tuple[Dim, Dim, int]:
    """(first, how many, step) of a slice."""
    step = 1 if part.step is None else int(part.step)
    if step == -1 and part.start is None and part.stop is None:
        return dims.combine([(1, dim)], -1), dim, -1
    if step < 1:
        refuse("a slice that runs backwards covers the whole axis only")
    start = _bound(part.start, dim, 0)
    stop = _bound(part.stop, dim, dim)
    if not dims.at_least(dim, stop):
        refuse(f"the slice from {start} to {stop} may leave its axis of length {dim}")
    if dims.at_least(start, stop):
        refuse(f"the slice from {start} to {stop} is empty")
    return start, dims.quotient(dims.combine([(1, stop), (-1, start)], step - 1), step), step


def _bound(value: Any, dim: Dim, default: Dim) -> Dim:
    if value is None:
        return default
    if not isinstance(value, int | Extent):
        refuse("the bounds of a slice are whole numbers")
    bound = dim_of(value)
    if isinstance(bound, int) and bound < 0:
        return dims.combine([(1, dim)], bound)
    return min(bound, dim) if isinstance(bound, int) and isinstance(dim, int) else bound


def _labels(array: Traced, pick: Pick) -> Traced:
    """Labels with axes added; nothing else is done with labels."""
    if pick.selectors or [label for label in pick.out if label in pick.axes] != pick.axes:
        return _picked_labels(array, pick)
    real = dict(zip(pick.axes, array.real, strict=True))
    return array.view(array._node, tuple(real.get(label, False) for label in pick.out), None, None)


def _picked_labels(array: Traced, pick: Pick) -> Traced:
    """Some of an array of labels: their one-hot vectors are those of the picked ones."""
    if array.counting or array.chosen is None:
        refuse("an entry of 0, 1, 2, ... is taken")
    found = pick.read(Traced(array.node, array.real, array.sizes))
    of = array.chosen

    def chosen(dim: Dim) -> Node:
        wide = Traced(of(dim), (*array.real, True), array.sizes)
        return product([(wide, (*pick.axes, "class")), *pick.selectors], (*pick.out, "class")).node

    return Traced(found.node, found.real, array.sizes, "i", chosen)
