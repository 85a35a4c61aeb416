"""Big operators: sums, maxima and log-sum-exp over an index, a range, or under a condition.

Contract: the index of a sum is summed out by name; where it does not occur the term is multiplied by the number of its
values; a condition such as j ≠ y_i is a 0/1 factor.  Nothing here ever loops over a range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, UnsupportedError
from symgrad.notation import ranges
from symgrad.notation.conditions import condition
from symgrad.notation.literals import indices, is_whole, kind, literal
from symgrad.notation.matrices import of_eigenvalues
from symgrad.notation.powersums import power_sum
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.values import PLACES, Handler, Value
from symgrad.shapes import Axis, find, unify

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _big(work: Elaborator, tree: Tree) -> Value:
    known = power_sum(work, tree) or _over_eigenvalues(work, tree)
    if known is not None:
        return known
    body, *binders = tree.args
    names = [name for binder in binders for name in indices(binder)]
    for name in names:
        if name in work.bound:
            raise InputError(f"the index {name} is bound twice", code="UNBOUND")
    if len(set(names)) < len(names):
        raise InputError("an index is bound twice", code="UNBOUND")
    ends = {name: end for binder in binders for name, end in _ends(work, binder)}
    binders = [_plainly(work, binder) for binder in binders]
    for binder in binders:
        for name in indices(binder):
            work.bound[name] = ends.get(name)
        low = literal(binder.args[0]) if kind(binder) == "range" else None
        if low is not None and low == int(low):
            work.firsts[indices(binder)[0]] = int(low)
        if kind(binder) == "range" and not work.scope.calculates:
            work.bound[indices(binder)[0]] = _range(work, binder)
    if work.scope.calculates:
        _calculated(work, body, names, binders)
    try:
        if body.head == "name" and body.value in names:
            return _sum_of_index(work, tree)
        value = work.visit(body)
        weights = [weight for binder in binders for weight in _conditions(work, binder)]
        return _BIG[str(tree.value)](work, tree, value, names, weights)
    finally:
        for name in names:
            del work.bound[name]
            work.ranges.pop(name, None)
            work.firsts.pop(name, None)


def _ends(work: Elaborator, binder: Tree) -> Iterator[tuple[str, Axis]]:
    """The dimensions that conditions such as j ≤ n, or a range from i + 1 to n, say."""
    if kind(binder) == "range" and binder.args[1].head == "name":
        first = ranges.affine(work, binder.args[0])
        if first is not None and first.strides and binder.args[1].value in work.scope.sizes:
            yield indices(binder)[0], work.counted(binder.args[1])
    elif kind(binder) == "where":
        for compare in binder.args:
            left, right = compare.args
            if _says_nothing(work, compare) and left.head == right.head == "name":
                yield str(left.value), work.counted(right)


def _plainly(work: Elaborator, binder: Tree) -> Tree:
    """A range that begins or ends at another index as a condition: j = i + 1, ..., n is j > i.

    Conditions that only say where an axis begins and ends are dropped.
    """
    if kind(binder) == "where":
        kept = tuple(c for c in binder.args if not _says_nothing(work, c))
        return Tree("binder", kept, (indices(binder), "where"), binder.start, binder.end)
    ends = [ranges.affine(work, end) for end in binder.args] if kind(binder) == "range" else []
    for end, other, sign in zip(ends, ends[::-1], (">=", "<="), strict=False):
        if end is None or not end.strides:
            continue
        step = end.constant if sign == ">=" else -end.constant
        whole = _ends_there(other) if sign == ">=" else _begins_there(other)
        if tuple(end.strides.values()) != (1,) or end.sizes or step not in (0, 1) or not whole:
            raise UnsupportedError("a sum that begins or ends at another index begins or ends there or next to it")
        names = (indices(binder)[0], *end.strides)
        letters = tuple(Tree("name", (), name, binder.start, binder.end) for name in names)
        compare = Tree("compare", letters, sign if step == 0 else sign[0], binder.start, binder.end)
        return Tree("binder", (compare,), (indices(binder), "where"), binder.start, binder.end)
    return binder


def _begins_there(first: ranges.Affine | None) -> bool:
    """Whether a lower end is 0 or 1."""
    return first is not None and not first.strides and not first.sizes and first.constant in (0, 1)


def _ends_there(last: ranges.Affine | None) -> bool:
    """Whether an upper end is a dimension."""
    return last is not None and not last.strides and bool(last.sizes)


def _says_nothing(work: Elaborator, compare: Tree) -> bool:
    """Whether a condition only repeats where an index begins, as 1 ≤ i, or ends, as j ≤ n."""
    left, right = compare.args
    begins = compare.value == "<=" and literal(left) in (0, 1)
    return begins or (compare.value == "<=" and right.head == "name" and right.value in work.scope.sizes)


def _calculated(work: Elaborator, body: Tree, names: list[str], binders: list[Tree]) -> None:
    """Ranges where indices are calculated: whole axes as ever, the others as far as they fit."""
    for binder in binders:
        if kind(binder) == "range" and is_whole(binder):
            work.bound[indices(binder)[0]] = _range(work, binder)
    ranges.bind(work, body, names, binders)


def _over_eigenvalues(work: Elaborator, tree: Tree) -> Value | None:
    """Σ_i λ_i(X)^k, Π_i λ_i(X): without their index, sums and products over all eigenvalues."""
    if len(tree.args) != 2 or kind(tree.args[1]) != "all":
        return None
    index = indices(tree.args[1])

    def without(node: Tree, args: list[Tree]) -> Tree:
        picked = node.head == "index" and args[0].head == "call" and args[0].value == "eigvals"
        same = picked and tuple(str(arg.value) for arg in args[1:]) == index
        return args[0] if same else Tree(node.head, tuple(args), node.value, node.start, node.end)

    body = fold(tree.args[0], without)
    return of_eigenvalues(work, Tree("call", (body,), tree.value, tree.start, tree.end), str(tree.value))


def _sum_of_index(work: Elaborator, tree: Tree) -> Value:
    """1 + 2 + ... + N = N (N + 1) / 2; other sums of the index itself are not known."""
    binder = tree.args[1]
    known = tree.value == "sum" and len(tree.args) == 2 and kind(binder) == "range"
    dim = work.bound[str(tree.args[0].value)]
    if not known or dim is None or literal(binder.args[0]) != 1:
        return work.visit(tree.args[0])
    count = Value(work.algebra.size(find(dim)))
    following = work.total([(1, count), (1, work.number(1))], tree)
    return work.entrywise([count, following], [1, 1], tree, Fraction(1, 2))


def _range(work: Elaborator, binder: Tree) -> Axis:
    """The dimension that `i = 1 .. N` or `i = 0 .. N-1` says."""
    lower, upper = binder.args
    first, last = literal(lower), literal(upper)
    if first is not None and last is not None and Fraction(first).denominator == Fraction(last).denominator == 1:
        count = int(last) - int(first) + 1
        if count < 1 or first not in {0, 1}:
            raise UnsupportedError(f"sums from {first} to {last} are not read yet", hint="sums run over a whole axis")
        return count
    top = upper
    if first == 0 and upper.head == "add" and upper.value == (1, -1) and literal(upper.args[1]) == 1:
        top = upper.args[0]
    elif first != 1:
        raise UnsupportedError("a sum must run over a whole axis, as from 1 to N")
    if top.head != "name" or (top.value in work.scope.variables and top.value not in work.scope.sizes):
        raise UnsupportedError("the upper end of a sum must be the name of a dimension or a number")
    return find(work.scope.tops.get(str(top.value), str(top.value)))


def _conditions(work: Elaborator, binder: Tree) -> list[Value]:
    """The 0/1 weights that the conditions under a sum stand for."""
    return [condition(work, compare) for compare in binder.args] if kind(binder) == "where" else []


def _sum_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if not names:
        if not value.rank:
            hint = r"write \sum_i, or sum(x) for the sum of all entries"
            raise InputError("a sum needs its index: over what does it run?", hint=hint)
        work.note(f"{work.text(tree)} sums all entries")
        return work.sum_out(value)
    flat = value.rank and _is_flat(work, tree.args[0], names)
    if flat:
        work.note(f"{work.text(tree)} runs over all entries")
    rank = value.rank
    extents = work.merge([value, *weights])
    sizes: dict[Any, Axis] = dict(extents)
    for name in names:
        dim = work.bound[name]
        if name in extents:
            if dim is not None and not unify(dim, extents[name]):
                raise work.misfit(tree, f"the index {name} runs over {find(dim)} and over {find(extents[name])}")
        else:
            sizes[name] = work.algebra.hole() if dim is None else find(dim)
            work.note(f"the sum over {name} has no term with {name}")
    out = tuple(name for name in extents if name not in names)
    factors = [(value.node, value.open + PLACES[:rank], 1), *[(w.node, w.open, 1) for w in weights]]
    places = () if flat else PLACES[:rank]
    return Value(work.algebra.contract(factors, out + places, 1, sizes), out, value.row and not flat)


def _is_flat(work: Elaborator, tree: Tree, names: list[str]) -> bool:
    """Whether the body is W_k² or |W_k|, times numbers: one index for both axes of a matrix."""
    if tree.head in {"add", "mul", "neg"}:
        return any(_is_flat(work, arg, names) for arg in tree.args)
    if tree.head not in {"pow", "bars"} or tree.args[0].head != "index":
        return False
    entry = tree.args[0]
    return len(entry.args) == 2 and entry.args[1].value in names


def _last(work: Elaborator, value: Value, names: list[str], tree: Tree) -> Value:
    """`value` with its one bound index as its last axis."""
    if len(names) != 1 or value.rank:
        raise UnsupportedError("this needs a single index and a scalar for each")
    (name,) = names
    dim = work.bound[name]
    if name not in value.open:
        raise InputError(f"the index {name} does not occur in what follows")
    for known, extent in zip(value.open, value.extents, strict=True):
        if known == name and dim is not None and not unify(dim, extent):
            raise work.misfit(tree, f"the index {name} runs over {find(dim)} and over {find(extent)}")
    rest = tuple(n for n in value.open if n != name)
    return Value(work.algebra.contract([(value.node, value.open)], (*rest, name)), rest)


def _max_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if weights:
        raise UnsupportedError("a maximum under a condition is not read yet")
    if not names:
        return work.apply("amax", [value], tree)
    return work.apply("amax", [_last(work, value, names, tree)], tree)


def _min_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    negative = Value(work.algebra.add([(-1, value.node)]), value.open)
    best = _max_over(work, tree, negative, names, weights)
    return Value(work.algebra.add([(-1, best.node)]), best.open)


def _lse_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    if weights:
        raise UnsupportedError("logsumexp under a condition is not read yet")
    return work.apply("logsumexp", [_last(work, value, names, tree) if names else value], tree)


def _product_over(work: Elaborator, tree: Tree, value: Value, names: list[str], weights: list[Value]) -> Value:
    """Π_i f_i; a factor is 1 where a condition does not hold."""
    if not names:
        return work.apply("prod", [value], tree)
    for weight in weights:
        less = work.total([(1, value), (-1, work.number(1))], tree)
        value = work.total([(1, work.number(1)), (1, work.entrywise([weight, less], [1, 1], tree))], tree)
    constant = [name for name in names if name not in value.open]
    if constant:
        raise InputError(f"the index {constant[0]} does not occur in this product", hint="write it as a power")
    for name in reversed(names):
        value = work.apply("prod", [_last(work, value, [name], tree)], tree)
    return value


_BIG: dict[str, Callable[[Elaborator, Tree, Value, list[str], list[Value]], Value]] = {
    "sum": _sum_over, "max": _max_over, "min": _min_over, "logsumexp": _lse_over, "prod": _product_over,
}  # fmt: skip


HANDLERS: dict[str, Handler] = {"big": _big}
