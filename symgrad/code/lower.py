"""Expressions to array programs: one value for each node, products by `assembly`.

Contract: an array has only the axes it needs: what is merely broadcast along an axis stays small until something wants
it whole (`Dense.axes`).  A tensor that is zero but for labelled entries is kept as those (`Sparse`) and added in place;
a one-hot is an index.  Nodes are visited by level, products with many factors first, so that small products find the
parts of large ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.code.assembly import assemble
from symgrad.code.factoring import factored
from symgrad.code.operands import (
    SPAN,
    STEPS,
    Chooser,
    Leaf,
    Scalar,
    Shared,
    canonical,
    dim_value,
    index_of,
    subscript,
    take,
)
from symgrad.code.products import Product
from symgrad.code.stable import removable
from symgrad.code.values import BOOL, CALL, FLOAT, INT, SCATTER, VARIABLE, Builder, Value, is_host
from symgrad.dims import combine
from symgrad.dims import times as product_of
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Dim,
    Factor,
    Label,
    Node,
    Rational,
    Shape,
    Size,
    Stacking,
    Sum,
    Variable,
    Window,
    contract,
    magnitude,
    postorder,
)

#: Operations whose result is a one-hot vector, and how the label is computed from the argument.
ONE_HOT = {"onehot": "{0}", "argmax": "np.argmax({0}, axis=-1)"}
#: Arguments that may stay booleans or labels.
SEEN = CALL + "onehot"
AS_IS = {("where", 0), ("onehot", 0)}


@dataclass(frozen=True, slots=True)
class Dense:
    """An array with the axes `axes` of its node; along the others it is constant."""

    value: Value
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Zero but where the place of each chooser is its label: there `update`, over `labels`, is to be added.

    Labels that are no axes of the node are summed: several entries may meet at one place.
    """

    choosers: tuple[Chooser, ...]
    update: Value
    labels: tuple[int, ...]
    sizes: Mapping[int, Dim]


Item = tuple[Node, Rational]


class Lowering:
    """The array program of some nodes; ask `whole(node)` for each root, `named(node)` for others."""

    def __init__(self, roots: Iterable[Node]) -> None:
        self.make = Builder()
        self.shared = Shared(self.make)
        self.table: dict[Item, Dense | Sparse] = {}
        self.windows: set[int] = set()
        given = list(roots)
        self.equal = factored(given)
        items = _items([self.equal[root] for root in given])
        for node, coefficient in items:
            if isinstance(node, Contraction) and coefficient == 1:
                self.plan(node)
        for node, coefficient in items:
            if (node, coefficient) not in self.table:
                self.table[node, coefficient] = self.lower(node, coefficient)

    def lower(self, node: Node, coefficient: Rational) -> Dense | Sparse:
        if isinstance(node, Contraction):
            return self.contraction(node, coefficient)
        return Dense(self.plain(node), tuple(range(node.rank))) if not node.children else self.compound(node)

    def plain(self, node: Node) -> Value:
        if isinstance(node, Variable):
            kind = INT if "label" in node.assumptions else FLOAT
            return self.make.make(VARIABLE, (), node.rank, kind, (node.name,))
        if isinstance(node, Size):
            return dim_value(self.make, node.dim)
        if isinstance(node, Delta):
            return self.make.make("np.eye({0})", (dim_value(self.make, node.shape[0]),), 2)
        if isinstance(node, Window):
            value = self.make.make(SEEN, (self.places(node), self.dim(node.shape[0])), node.rank)
            return self.make.transpose(value, (node.rank - 1, *range(node.rank - 1)))
        if isinstance(node, Stacking):
            rows, columns, both = map(self.dim, node.shape)
            template = "np.eye({0}).reshape({1}, {2}, {0}).transpose(1, 0, 2)"
            return self.make.make(template, (both, columns, rows), 3)
        assert isinstance(node, Call)
        return self.make.make(CALL + node.op.name, [self.dim(p) for p in node.params], node.rank)

    def compound(self, node: Node) -> Dense:
        return self.sum(node) if isinstance(node, Sum) else self.call(node)

    def dim(self, dim: Dim) -> Value:
        return dim_value(self.make, dim)

    # --- what others see of a node ------------------------------------------------------------------------------------

    def dense(self, node: Node, coefficient: Rational = 1) -> Dense:
        """The array of a node that was lowered, or of a one-hot, which is made only when asked for."""
        entry = self.table.get((node, coefficient))
        if entry is None:
            entry = self.table[node, coefficient] = self.lower(node, coefficient)
        if isinstance(entry, Sparse):
            zeros = self.make.fill(self.make.number(0), [self.dim(d) for d in node.shape])
            entry = Dense(self.scatter(zeros, entry, 1, node.rank), tuple(range(node.rank)))
            self.table[node, coefficient] = entry
        return entry

    def whole(self, node: Node) -> Value:
        """The array of a root with all its axes, as numbers."""
        node = self.equal[node]
        entry = self.dense(node)
        value = self.aligned(entry, tuple(range(node.rank)))
        if len(entry.axes) < node.rank:
            value = self.make.fill(value, [self.dim(d) for d in node.shape])
        return self.make.as_float(value)

    def named(self, node: Node) -> Value | None:
        """The array of a node, if there is one."""
        node = self.equal.get(node, node)
        entry = self.table.get((node, 1))
        return entry.value if isinstance(entry, Dense) and node.children else None

    def aligned(self, entry: Dense, axes: Sequence[int]) -> Value:
        """The array broadcastable over `axes`, which include its own."""
        return self.make.expand(entry.value, [axis in entry.axes for axis in axes])

    # --- products -----------------------------------------------------------------------------------------------------

    def plan(self, node: Contraction) -> None:
        """Remember that this product will be computed."""
        if node.coefficient == 1 and all(labels for _, labels, _ in node.factors):
            leaves = [(self.shared.number((child, power)), labels) for child, labels, power in node.factors]
            self.shared.planned.add(canonical(leaves, range(node.rank))[0])

    def contraction(self, node: Contraction, coefficient: Rational) -> Dense | Sparse:
        stacked = self.stacked(node, coefficient)
        if stacked is not None:
            return stacked
        rank, sizes = node.rank, dict(enumerate(node.sizes))
        factors = self.stairs(node) if any(isinstance(child, Window) for child in node.children) else node.factors
        for child, labels, _ in node.factors:
            if isinstance(child, Window) and (child, labels) not in [(f, axes) for f, axes, _ in factors]:
                sizes.pop(labels[2], None)
        found, gone = self.leaves(node, factors)
        for label in gone:
            sizes.pop(label, None)
        leaves = self.seen_through(found, rank, sizes)
        scalar = Scalar(node.coefficient * coefficient)
        axes = tuple(range(rank))
        chooser = next((f.chooser for f in leaves if f.chooser and f.chooser.place < rank), None)
        if chooser is not None:
            return self.labelled(chooser, leaves, axes, sizes, scalar)
        if rank == 2 and any(isinstance(child, Delta) for child, _, _ in node.factors):
            return self.on_diagonal(leaves, sizes, scalar)
        carried = tuple(axis for axis in axes if any(axis in leaf.labels for leaf in leaves))
        return self.finished(Product(self.shared, leaves, carried, self.inside(sizes, axes, carried), scalar))

    def stairs(self, node: Contraction) -> list[Factor]:
        """The factors with Σ_k 1[s = i + k + c] as the comparison s ≥ i + c that it is."""
        uses = Counter(label for _, labels, _ in node.factors for label in labels)
        factors: list[Factor] = []
        for child, labels, power in node.factors:
            if isinstance(child, Window) and child.stairs and uses[labels[2]] == 1 and labels[2] >= node.rank:
                self.table[child, 0] = self.staircase(child)
                factors.append((child, labels[:2], 0))
            else:
                factors.append((child, labels, power))
        return factors

    def staircase(self, node: Window) -> Dense:
        rows, columns = (self.make.make("np.arange({0})", (self.dim(d),), 1, INT) for d in node.shape[:2])
        first = self.make.expand(rows, [True, False])
        start = columns if node.offset == 0 else self.make.add(columns, self.dim(node.offset))
        return Dense(self.make.make("{0} >= {1}", (first, start), 2, BOOL), (0, 1))

    def seen_through(self, leaves: list[Leaf], rank: int, sizes: dict[int, Dim]) -> list[Leaf]:
        """Arrays indexed at once where a window is all that reads one of their axes: x_s 1[s = i + j] is x_{i+j}."""
        for leaf in [leaf for leaf in leaves if leaf.chooser and leaf.number in self.windows]:
            assert leaf.chooser is not None
            place = leaf.chooser.place
            others = [other for other in leaves if place in other.labels and other is not leaf]
            if (
                place < rank
                or len(others) != 1
                or others[0].chooser
                or len(set(others[0].labels)) < len(others[0].labels)
            ):
                continue
            (other,) = others
            entries, labels = index_of(self.make, other.labels, (leaf.chooser,), sizes)
            names = {label: k for k, label in enumerate(dict.fromkeys(other.labels + leaf.chooser.by))}
            pattern = tuple(names[k] for k in other.labels + leaf.chooser.by + labels)
            number = self.shared.number(("seen", other.number, leaf.number, pattern))
            taken = Leaf(number, take(self.make, other.value, entries), labels, other.power)
            leaves = [taken if one is other else one for one in leaves if one is not leaf]
            sizes.pop(place)
        return leaves

    def stacked(self, node: Contraction, coefficient: Rational) -> Dense | None:
        """A product with stacked axes in the result: the array with these axes apart, reshaped."""
        for k, (base, labels, _) in enumerate(node.factors):
            others = [factor for j, factor in enumerate(node.factors) if j != k]
            if not isinstance(base, Stacking) or labels[2] >= node.rank or any(labels[2] in f[1] for f in others):
                continue
            axes: list[Label] = list(range(node.rank))
            axes[labels[2] : labels[2] + 1] = [labels[1], labels[0]]
            sizes: dict[Label, Dim] = {label: dim for label, dim in enumerate(node.sizes) if label != labels[2]}
            apart = contract(others, tuple(axes), node.coefficient, sizes)
            entry = self.dense(apart, coefficient)
            value = self.aligned(entry, range(apart.rank))
            if len(entry.axes) < apart.rank:
                value = self.make.fill(value, [self.dim(d) for d in apart.shape])
            template = "{0}.reshape(" + ", ".join(f"{{{j + 1}}}" for j in range(node.rank)) + ")"
            whole = [self.dim(d) for d in node.shape]
            return Dense(self.make.make(template, (value, *whole), node.rank, value.kind), tuple(range(node.rank)))
        return None

    def leaves(self, node: Contraction, factors: Sequence[Factor]) -> tuple[list[Leaf], set[int]]:
        """The factors of a product; an array whose stacked axis is summed over is reshaped, and that label is gone."""
        gone: set[int] = set()
        found = {k: self.leaf(*factor) for k, factor in enumerate(factors)}
        for k, factor in enumerate(factors):
            if factor[2] < 0 and removable(factor, factors):
                found[k] = self.apart_from_zero(found[k])
        for k, (_, (row, column, both), _) in [(k, f) for k, f in enumerate(factors) if isinstance(f[0], Stacking)]:
            with_it = [j for j, leaf in found.items() if both in leaf.labels and j != k]
            if both < node.rank or len(with_it) != 1:
                continue
            leaf = found[with_it[0]]
            if leaf.chooser or leaf.labels.count(both) != 1 or isinstance(factors[with_it[0]][0], Stacking):
                continue
            place = leaf.labels.index(both)
            labels = (*leaf.labels[:place], column, row, *leaf.labels[place + 1 :])
            sizes = [self.dim(node.sizes[label]) for label in labels]
            template = "{0}.reshape(" + ", ".join(f"{{{j + 1}}}" for j in range(len(sizes))) + ")"
            value = self.make.make(template, (leaf.value, *sizes), len(sizes), leaf.value.kind)
            found[with_it[0]] = Leaf(self.shared.number((leaf.number, "apart", place)), value, labels, leaf.power)
            del found[k]
            gone.add(both)
        return list(found.values()), gone

    def inside(self, sizes: Mapping[int, Dim], axes: Iterable[int], carried: Sequence[int]) -> dict[int, Dim]:
        """The dimensions of all labels but those axes that are only broadcast along."""
        return {label: dim for label, dim in sizes.items() if label in carried or label not in axes}

    def finished(self, product: Product) -> Dense:
        built = assemble(product)
        axes = tuple(sorted(built.labels))
        return Dense(product.arranged(built, axes), axes)

    def leaf(self, child: Node, labels: tuple[int, ...], power: Rational) -> Leaf:
        """A factor, with the labels of the axes that its array has."""
        number = self.shared.number((child, power))
        if power == 0:
            return Leaf(number, self.table[child, 0].value, labels)  # type: ignore[union-attr]
        if power > 0 and (found := self.chooser(child, labels)) is not None:
            if isinstance(child, Window):
                self.windows.add(number)
                value = self.make.make(SEEN, (found.index, self.dim(child.shape[0])), child.rank)
            else:
                value = self.dense(child).value
            return Leaf(number, value, (*found.by, found.place), 1, found)
        entry = self.dense(child)
        return Leaf(number, entry.value, tuple([labels[axis] for axis in entry.axes]), power)

    def apart_from_zero(self, leaf: Leaf) -> Leaf:
        """A negative power that is 0 where its base is 0."""
        value = self.make.make("np.where({0} > 0, {0}, np.inf)", (leaf.value,), leaf.value.rank)
        return Leaf(self.shared.number((leaf.number, "apart from zero")), value, leaf.labels, leaf.power)

    def places(self, node: Window) -> Value:
        """Where a window has its ones: offset + Σ stride · index, over all indices but the first."""
        stride, extent = node.strides[0], node.shape[1]
        if len(node.strides) == 1 and isinstance(stride, int) and stride > 0:
            stop = combine([(1, node.offset), (1, product_of(stride, extent))])
            if stride == 1:
                return self.make.make(SPAN, (self.dim(node.offset), self.dim(stop)), 1, INT)
            return self.make.make(STEPS, (self.dim(node.offset), self.dim(stop), self.dim(stride)), 1, INT)
        total = self.dim(node.offset)
        for k, (stride, extent) in enumerate(zip(node.strides, node.shape[1:], strict=True)):
            counted = self.make.make("np.arange({0})", (self.dim(extent),), 1, INT)
            part = self.make.mul(self.dim(stride), self.make.expand(counted, [j == k for j in range(node.rank - 1)]))
            total = part if self.make.number_of(total) == 0 else self.make.add(total, part)
        return total

    def chooser(self, node: Node, labels: tuple[int, ...]) -> Chooser | None:
        """A one-hot as an index; only where its labels are different."""
        if isinstance(node, Window) and len(set(labels)) == len(labels) and node.inside:
            return Chooser(self.places(node), labels[1:], labels[0])
        if not isinstance(node, Call) or node.op.name not in ONE_HOT or len(set(labels)) < len(labels):
            return None
        entry = self.dense(node.args[0])
        by = entry.axes if node.op.name == "onehot" else entry.axes[:-1]
        if by != tuple(range(node.rank - 1)) or (node.op.name == "argmax" and len(entry.axes) < node.rank):
            return None
        index = self.make.make(ONE_HOT[node.op.name], (entry.value,), len(by), INT)
        return Chooser(entry.value if node.op.name == "onehot" else index, labels[:-1], labels[-1])

    def labelled(
        self, chooser: Chooser, leaves: list[Leaf], axes: tuple[int, ...], sizes: Mapping[int, Dim], scalar: Scalar
    ) -> Sparse:
        """A product with a one-hot along an axis of the result: only the chosen entries are computed."""
        others = [leaf for leaf in leaves if leaf.chooser is not chooser]
        shared = any(chooser.place in leaf.labels for leaf in others)
        choosers: tuple[Chooser, ...] = (chooser,)
        if not shared:
            for leaf in list(others):
                if leaf.chooser is not None and self.apart(choosers, leaf, others, len(axes)):
                    choosers += (leaf.chooser,)
                    others.remove(leaf)
        kept = [axis for axis in axes if all(axis != c.place for c in choosers)]
        inner = leaves if shared else others
        wanted = tuple(dict.fromkeys((*kept, *(label for c in choosers for label in c.by))))
        carried = tuple(label for label in wanted if any(label in leaf.labels for leaf in inner))
        reduced = {label: dim for label, dim in sizes.items() if label in carried or label not in wanted}
        if not shared:
            for one in choosers:
                reduced.pop(one.place, None)
        built = assemble(Product(self.shared, inner, carried, reduced, scalar))
        return Sparse(choosers, built.value, built.labels, sizes)

    @staticmethod
    def apart(choosers: Sequence[Chooser], leaf: Leaf, others: Iterable[Leaf], rank: int) -> bool:
        """Whether a further one-hot chooses along an axis of the result by labels of its own."""
        own = leaf.chooser
        assert own is not None
        taken = {label for c in choosers for label in (*c.by, c.place)}
        alone = not any(own.place in other.labels for other in others if other is not leaf)
        return own.place < rank and alone and taken.isdisjoint((*own.by, own.place))

    def on_diagonal(self, leaves: list[Leaf], sizes: Mapping[int, Dim], scalar: Scalar) -> Dense:
        """A product with an identity between the two axes of the result: a diagonal matrix."""
        inner = [leaf for leaf in leaves if leaf.value.op != "np.eye({0})" or set(leaf.labels) != {0, 1}]
        eye = next(leaf.value for leaf in leaves if leaf not in inner)
        joined = [_tied(leaf) for leaf in inner]
        carried = (0,) if any(0 in leaf.labels for leaf in joined) else ()
        rest = {label: dim for label, dim in sizes.items() if label in carried or label > 1}
        built = assemble(Product(self.shared, joined, carried, rest, scalar))
        if built.labels:
            value = self.make.as_float(built.value)
            return Dense(self.make.make("np.diag({0})", (value,), 2, value.kind), (0, 1))
        return Dense(self.make.mul(built.value, eye), (0, 1))

    # --- sums ---------------------------------------------------------------------------------------------------------

    def sum(self, node: Sum) -> Dense:
        """Dense terms added, what is positive first; then the labelled entries, in place."""
        dense: list[tuple[int, Dense]] = []
        sparse: list[tuple[int, Sparse]] = []
        for coefficient, child in node.terms:
            sign = 1 if coefficient > 0 else -1
            term = self.term(magnitude(coefficient), child)
            if isinstance(term, Sparse):
                sparse.append((sign, term))
            else:
                dense.append((sign, term))
        axes = tuple(sorted({axis for _, term in dense for axis in term.axes}))
        total = self.added([(sign, self.aligned(term, axes)) for sign, term in dense])
        if not sparse:
            return Dense(total, axes)
        everywhere = tuple(range(node.rank))
        if axes != everywhere:
            total = self.make.expand(total, [axis in axes for axis in everywhere])
            total = self.make.fill(total, [self.dim(d) for d in node.shape])
        for sign, entries in sparse:
            total = self.scatter(total, entries, sign, node.rank)
        return Dense(total, everywhere)

    def term(self, coefficient: Rational, child: Node) -> Dense | Sparse:
        """coefficient · child, the coefficient inside of a product where that is cheaper."""
        if isinstance(child, Contraction):
            return self.table[child, coefficient]
        if isinstance(child, Call) and (chosen := self.chooser(child, tuple(range(child.rank)))) is not None:
            sizes = dict(enumerate(child.shape))
            return Sparse((chosen,), self.make.scalar(coefficient), (), sizes)
        entry = self.dense(child)
        return Dense(Scalar(coefficient).times(self.make, entry.value), entry.axes)

    def added(self, terms: list[tuple[int, Value]]) -> Value:
        if not terms:
            return self.make.number(0)
        first = next((k for k, (sign, _) in enumerate(terms) if sign > 0), 0)
        sign, total = terms.pop(first)
        if sign < 0:
            total = self.make.neg(total)
        for sign, value in terms:
            total = self.make.add(total, value) if sign > 0 else self.make.sub(total, value)
        return total

    def scatter(self, base: Value, sparse: Sparse, sign: int, rank: int) -> Value:
        """`base` with labelled entries added."""
        entries, labels = index_of(self.make, tuple(range(rank)), sparse.choosers, sparse.sizes)
        own = tuple(label for label in labels if label in sparse.labels)
        update = self.make.transpose(sparse.update, [sparse.labels.index(label) for label in own])
        present = [label in own for label in labels]
        text, values = subscript(entries, 2)
        injective = all(c.index.op in (SPAN, STEPS) for c in sparse.choosers)
        meeting = not injective and any(label >= rank for c in sparse.choosers for label in c.by)
        if meeting and own and own != labels:  # NumPy's add.at reads past the end of values that it must broadcast
            update = self.make.index_new(update, present)
        else:
            update = self.make.expand(update, present)
        fields = ("+" if sign > 0 else "-", text, "meeting" if meeting else "")
        if base.kind != FLOAT:
            base = self.make.make("{0}.astype(float)", (base,), base.rank)
        return self.make.make(SCATTER, (base, self.make.as_float(update), *values), rank, FLOAT, fields)

    # --- operations ---------------------------------------------------------------------------------------------------

    def call(self, node: Node) -> Dense:
        assert isinstance(node, Call)
        op = node.op
        entries = [self.dense(arg) for arg in node.args]
        inputs, output = op.axes() if op.signature else (((),) * len(entries), ())
        ranks = [arg.rank - len(core) for arg, core in zip(node.args, inputs, strict=True)]
        batch = tuple(sorted({a for e, r in zip(entries, ranks, strict=True) for a in e.axes if a < r}))
        args = []
        for k, (arg, entry, rank) in enumerate(zip(node.args, entries, ranks, strict=True)):
            core = tuple(range(rank, arg.rank))
            own = tuple(a for a in entry.axes if a < rank)
            value = self.with_core(entry, own, core, arg.shape)
            present = [a in own for a in batch] if rank else []
            value = self.make.expand(value, [*present, *(True for _ in core)])
            args.append(value if (op.name, k) in AS_IS else self.make.as_float(value))
        if args and (op.name, 0) not in AS_IS and not op.symbol and all(map(is_host, args)):
            args = [self.make.floating(arg) for arg in args]
        args += [self.dim(p) for p in node.params]
        compared = self.make.compare(args[0], "==" if op.symbol == "=" else op.symbol) if op.symbol else None
        kind = BOOL if op.symbol else FLOAT
        value = compared or self.make.make(CALL + op.name, args, len(batch) + len(output), kind)
        cores = range(node.rank - len(output), node.rank)
        return Dense(value, (*batch, *cores))

    def with_core(self, entry: Dense, own: tuple[int, ...], core: tuple[int, ...], shape: Shape) -> Value:
        """The array with all the axes that an operation works on."""
        if all(axis in entry.axes for axis in core):
            return entry.value
        axes = (*own, *core)
        value = self.make.expand(entry.value, [axis in entry.axes for axis in axes])
        return self.make.fill(value, [self.dim(shape[axis]) for axis in axes])


def _tied(leaf: Leaf) -> Leaf:
    """The leaf with label 1 renamed to 0."""
    labels = tuple([0 if label == 1 else label for label in leaf.labels])
    chooser = leaf.chooser
    if chooser is not None:
        apart = len(set(labels)) == len(labels)
        chooser = Chooser(chooser.index, labels[:-1], labels[-1]) if apart else None
    return Leaf(leaf.number, leaf.value, labels, leaf.power, chooser)


def _items(roots: list[Node]) -> list[Item]:
    """The nodes to lower with their coefficients, by level; at one level products with many factors first."""
    order = postorder(roots)
    level: dict[Node, int] = {}
    wanted: dict[Item, int] = {}
    for node in order:
        level[node] = 1 + max([level[child] for child in node.children], default=-1)
        if isinstance(node, Sum):
            for coefficient, child in node.terms:
                if isinstance(child, Contraction):
                    wanted.setdefault((child, magnitude(coefficient)), len(wanted))
                elif not _is_one_hot(child):
                    wanted.setdefault((child, 1), len(wanted))
        else:
            for child in node.children:
                if not _is_one_hot(child):
                    wanted.setdefault((child, 1), len(wanted))
    for root in roots:
        wanted.setdefault((root, 1), len(wanted))

    def rank(item: Item) -> tuple[int, int, int]:
        node, _ = item
        return level[node], -len(node.factors) if isinstance(node, Contraction) else 0, wanted[item]

    return sorted(wanted, key=rank)


def _is_one_hot(node: Node) -> bool:
    return isinstance(node, Call) and node.op.name in ONE_HOT
