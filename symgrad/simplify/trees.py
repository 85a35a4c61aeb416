"""Expressions to surface trees: matrix form where one exists, index form elsewhere or on demand.

Contract: `to_tree(node)` is a tree whose text and LaTeX read back to the same expression; `entry(node, names)` is the
tree of one entry, with sums and subscripts.  What a whole-array operation is applied to is always in matrix form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from symgrad.dims import Dim, combine, linear
from symgrad.dims import factors as dim_factors
from symgrad.dims import times as product_of
from symgrad.errors import LimitError
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Node,
    Rational,
    Size,
    Stacking,
    Sum,
    Variable,
    Window,
    add,
    constant,
    contract,
    is_zero,
    magnitude,
    number,
    postorder,
    rebuild,
    relabel,
    variable,
    variables,
    window,
)
from symgrad.notation.syntax import ENTRYWISE, Tree
from symgrad.simplify.blocks import Grid, Placed, grid, numbered_entry, placed
from symgrad.simplify.entries import Joined, components, index_order, joined
from symgrad.simplify.matrix import (
    dimension_tree,
    is_indicator,
    layout,
    number_tree,
    pattern,
    product,
    scalar_power,
    square_of,
)
from symgrad.simplify.stacked import (
    Clusters,
    cluster_parts,
    clusters,
    is_commutation,
    stand_in_product,
    unstacked,
)

LETTERS = "ijklpqrstuvabcdeghmnoxyz"
#: Trees larger than this are not written out: they would fill screens, and an expression with shared parts could
#: be exponentially longer than itself.
MAX_TREE = 20_000
#: Arrays of more entries are not written out.
MAX_WRITTEN = 16


def to_tree(root: Node, given: Mapping[Node, Tree] | None = None, avoid: Iterable[str] = ()) -> Tree:
    """The tree of `root` in matrix form, or as entries `[...]_{ij}` where it has no matrix form.

    `given` are the trees of nodes that are to be written in a way of their own, `avoid` names that no index may have.
    """
    return number_tree(0) if is_zero(root) else _Writer(root, given, avoid).tree(root)


def index_tree(
    root: Node, names: Iterable[str] = (), given: Mapping[Node, Tree] | None = None, avoid: Iterable[str] = ()
) -> tuple[Tree, tuple[str, ...]]:
    """The tree of one entry of `root`, and the index names it uses (`names` if given, never one of `avoid`)."""
    names = tuple(names)
    writer = _Writer(root, given, (*avoid, *names), whole=False)
    chosen = names or writer.fresh(root.rank)
    return writer.entry(root, chosen), chosen


def arranged(root: Node, memo: dict[Node, Node] | None = None) -> Node:
    """The same expression with the factors of every product in the order in which they are written.

    `memo` may be kept for other expressions that share parts with this one.
    """
    memo = {} if memo is None else memo
    for node in postorder([root], memo):
        unchanged = all(memo[child] is child for child in node.children)
        made = node if unchanged else rebuild(node, memo.__getitem__)
        memo[node] = _in_written_order(powers_gathered(made)) if isinstance(made, Contraction) else made
    return memo[root]


def _with_upright_sums(node: Contraction) -> Node:
    """The same with the axes of sums of more than two in the order of their labels, as entries are read."""
    upright: list[Factor] = []
    for base, labels, power in node.factors:
        own = tuple(sorted(labels))
        entries = len(labels) > 2 or (node.rank > 2 and len(labels) == 2 and labels[0] < node.rank > labels[1])
        if isinstance(base, Sum) and entries and labels != own and len(set(labels)) == len(labels):
            base = add([(c, _in_written_order(relabel(term, labels, own))) for c, term in base.terms])
            labels = own
        upright.append((base, labels, power))
    if all(one is other for (one, _, _), (other, _, _) in zip(upright, node.factors, strict=True)):
        return node
    return contract(upright, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))


def _with_turned_windows(node: Contraction) -> Node:
    """The same with the axis of the result before the summed one in windows of both: x_{i+j} is x_{j+i}."""
    factors: list[Factor] = []
    for base, labels, power in node.factors:
        if isinstance(base, Window) and base.strides == (1, 1) and labels[2] < node.rank <= labels[1]:
            base = window(base.shape[0], (base.shape[2], base.shape[1]), base.strides, base.offset)
            labels = (labels[0], labels[2], labels[1])
        factors.append((base, labels, power))
    if factors == list(node.factors):
        return node
    return contract(factors, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))


def correlation(node: Contraction) -> tuple[int, ...] | None:
    """The places of windows, filter and signal, where a product is a correlation Σ_kl G_kl I_{i+k,j+l} of two names."""
    windows = [k for k, (f, _, _) in enumerate(node.factors) if isinstance(f, Window)]
    others = [k for k, (f, _, p) in enumerate(node.factors) if isinstance(f, Variable) and p == 1]
    if node.rank not in (1, 2) or len(windows) != node.rank or len(others) != 2 or len(node.factors) != node.rank + 2:
        return None
    by = {node.factors[k][1][1]: k for k in windows}
    if set(by) != set(range(node.rank)):
        return None
    found = [(node.factors[by[axis]], by[axis]) for axis in range(node.rank)]
    if any(w.strides != (1, 1) or w.offset or not w.inside for (w, _, _), _ in found if isinstance(w, Window)):
        return None
    signal, kernel = (tuple(labels[k] for (_, labels, _), _ in found) for k in (0, 2))
    labelled = {node.factors[k][1]: k for k in others}
    if set(labelled) != {signal, kernel} or len({*signal, *kernel}) < 2 * node.rank:
        return None
    return (*(place for _, place in found), labelled[kernel], labelled[signal])


def _in_written_order(node: Node) -> Node:
    if isinstance(node, Contraction) and any(isinstance(base, Window) for base, _, _ in node.factors):
        node = _with_turned_windows(node)
    if isinstance(node, Contraction) and (node.rank > 2 or any(len(labels) > 2 for _, labels, _ in node.factors)):
        node = _with_upright_sums(node)
    if not isinstance(node, Contraction) or len(node.factors) < 2:
        return node
    apart = unstacked(node)
    if apart is not None:
        node = apart.upright()
        assert isinstance(node, Contraction)
    order, turned = _written(node)
    if order is None or (order == tuple(range(len(order))) and not turned):
        return node
    factors = [(f, labels[::-1] if k in turned else labels, p) for k, (f, labels, p) in enumerate(node.factors)]
    factors = [factors[k] for k in order]
    return contract(factors, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes)))


def _written(node: Contraction) -> tuple[tuple[int, ...] | None, frozenset[int]]:
    """The order in which the factors of a product are written (None where indices are calculated), and the symmetric
    ones that are read the other way round there.
    """
    upright: frozenset[int] = frozenset()
    if any(isinstance(factor, Window) for factor, _, _ in node.factors):
        return correlation(node) or tuple(sorted(range(len(node.factors)), key=lambda k: _is_window(node, k))), upright
    apart = unstacked(node)
    if apart is not None:
        return apart.order(_order_of), upright
    chosen = selection(node) if node.rank <= 2 else None
    if chosen is not None:
        return chosen[2], upright
    groups = clusters(node)
    if groups is not None:
        return _clustered_order(node, groups), upright
    found = pattern(node)
    return (index_order(node), upright) if found is None else (found.order, found.turned)


def _is_window(node: Contraction, place: int) -> bool:
    return isinstance(node.factors[place][0], Window)


def _order_of(node: Node) -> tuple[int, ...] | None:
    return _written(node)[0] if isinstance(node, Contraction) else None


def _clustered_order(node: Contraction, groups: Clusters) -> tuple[int, ...] | None:
    parts = cluster_parts(node, groups)
    found = pattern(stand_in_product(node, groups, parts))
    if found is None:
        return None
    order: list[int] = []
    for k in found.order:
        part, (places, _) = parts[k], groups[k]
        whole = isinstance(part, Contraction) and len(part.factors) == len(places)
        within = _order_of(part) if whole else None
        order += [places[j] for j in within or range(len(places))]
    return tuple(order)


def selection(node: Contraction) -> tuple[int, Node, tuple[int, ...]] | None:
    """Where a product picks entries by a label: the one-hot factor, the table it picks from, the order of factors."""
    carried = {label for _, labels, _ in node.factors for label in labels if label < node.rank}
    for k, (hot, labels, power) in enumerate(node.factors):
        if not isinstance(hot, Call) or hot.op.name != "onehot" or power != 1 or len(labels) > 2:
            continue
        if labels[-1] < node.rank or set(labels[:-1]) - {labels[0]} or (carried and set(labels[:-1]) != carried):
            continue
        rest = [j for j, f in enumerate(node.factors) if j != k and f[1]]
        if not all(any(label in node.factors[j][1] for j in rest) for label in labels):
            continue
        table = contract([node.factors[j] for j in rest], labels, 1, {label: node.sizes[label] for label in labels})
        if isinstance(table, Contraction) and len(table.factors) == len(rest):
            found = pattern(table)
            if found is None:
                continue
            rest = [rest[j] for j in found.order]
        return k, table, (*(j for j, f in enumerate(node.factors) if not f[1]), *rest, k)
    return None


def _constant_tensor(value: Rational, rank: int) -> Tree:
    """A number in every entry: 2, 2 ones, 2 ones onesᵀ."""
    if rank == 0 or rank > 2:
        return number_tree(value)
    ones = Tree("call", (), "ones")
    return product([*([] if value == 1 else [number_tree(value)]), *[ones, Tree("transpose", (ones,))][:rank]])


def _repeated(tree: Tree, rank: int, axes: tuple[int, ...]) -> Tree:
    """A scalar (axes ()) or a vector along one axis, repeated along the other axes of the result."""
    ones = Tree("call", (), "ones")
    row = Tree("transpose", (ones,))
    if rank == 2 and axes == (1,):
        return product([ones, Tree("transpose", (tree,))])
    if any(axis < rank for axis in axes):
        return product([tree, row]) if rank == 2 else tree
    return product([tree, ones, row][: rank + 1])


def _summed(body: Tree, names: tuple[str, ...]) -> Tree:
    return Tree("big", (body, Tree("binder", (), (names, "all"))), "sum")


def powers_gathered(node: Node) -> Node:
    """Equal parts of a product as one power: x ⊙ (A y) ⊙ (A y) is x ⊙ (A y)²."""
    if not isinstance(node, Contraction):
        return node
    bases = [f for f, labels, _ in node.factors if any(k >= node.rank for k in labels)]
    if len(set(bases)) == len(bases):
        return node
    incidence = Counter(k for _, labels, _ in node.factors for k in set(labels))
    edges = {k for k, times in incidence.items() if k >= node.rank and times <= 2}
    parts: Counter[tuple[Node, tuple[int, ...]]] = Counter()
    for component in components(node.factors, edges):
        axes = tuple(sorted({k for _, labels, _ in component for k in labels if k not in edges}))
        sizes = {k: node.sizes[k] for _, labels, _ in component for k in labels}
        parts[_in_written_order(contract(component, axes, 1, sizes)), axes] += 1
    if all(times == 1 for times in parts.values()):
        return node
    powers = [(part, axes, times) for (part, axes), times in parts.items()]
    return contract(powers, tuple(range(node.rank)), node.coefficient, dict(enumerate(node.sizes[: node.rank])))


class _Writer:
    """One expression being written: trees are shared, index names are fresh."""

    def __init__(
        self, root: Node, given: Mapping[Node, Tree] | None = None, avoid: Iterable[str] = (), whole: bool = True
    ) -> None:
        """whole: whether entries of products of matrices are written as such, (A B)_ij, rather than as sums."""
        self.used = {v.name for v in variables(root)} | _dimension_names(root) | set(avoid)
        self.given = given or {}
        self.trees: dict[Node, Tree] = dict(self.given)
        self.weights: dict[Node, int] = dict.fromkeys(self.trees, 1)
        self.windows = any(isinstance(node, Window) for node in postorder([root]))
        self.whole = whole

    def fresh(self, count: int, scope: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Index names that nothing in the expression and no enclosing sum uses; sums side by side share theirs."""
        free = (letter for letter in LETTERS if letter not in self.used and letter not in scope)
        names = tuple(islice(free, count))
        if len(names) < count:
            raise LimitError("this has more indices than there are letters", code="LIMIT_LENGTH")
        return names

    # --- matrix form ----------------------------------------------------------------------------------------------

    def tree(self, root: Node) -> Tree:
        for node in postorder([root]):
            if node not in self.trees:
                self.trees[node] = self._node(node)
                weight = self.weights[node] = 1 + sum(self.weights[child] for child in node.children)
                if weight > MAX_TREE:
                    raise LimitError("this expression is too long to write out in one formula", code="LIMIT_LENGTH")
        return self.trees[root]

    def _node(self, node: Node) -> Tree:
        if isinstance(node, Variable):
            return Tree("name", (), node.name)
        if isinstance(node, Size):
            return dimension_tree(node.dim)
        if isinstance(node, Window):
            names = self.fresh(node.rank)
            return self._bracketed(self.entry(node, names), names, node)
        if isinstance(node, Delta):
            return Tree("name", (), "I")
        if isinstance(node, Stacking):
            return Tree("call", tuple(map(dimension_tree, node.shape[:2])), "stacking")
        if isinstance(node, Call):
            return self._call(node, [self.trees[arg] for arg in node.args])
        if isinstance(node, Sum):
            return self._sum(node)
        assert isinstance(node, Contraction)
        return self._scaled(node.coefficient, node)

    def _scaled(self, coefficient: Rational, node: Node) -> Tree:
        """coefficient · node; here a contraction takes the coefficient instead of its own."""
        named = correlation(node) if self.windows and isinstance(node, Contraction) else None
        if named is not None and isinstance(node, Contraction):
            return self._correlation(coefficient, node, named)
        if self.windows and isinstance(node, Contraction):
            node = self._with_slices(node)
        if not isinstance(node, Contraction):
            body = self.trees[node]
            return body if coefficient == 1 else _signed(coefficient, lambda c: product([number_tree(c), body]))
        squared = square_of(node)
        if not node.factors:
            return _signed(coefficient, lambda c: _constant_tensor(c, node.rank))
        if squared is not None:
            norm = scalar_power(node, 1, lambda n: self.trees[n])
            return _signed(coefficient, lambda c: product([number_tree(c), norm]) if c != 1 else norm)
        if is_commutation(node):
            rows = Tree("call", tuple(map(dimension_tree, node.factors[1][0].shape[:2])), "commutation")
            return _signed(coefficient, lambda c: self._times(number(c), rows))
        apart = unstacked(node)
        if apart is not None:
            scalars, tree = apart.tree(self._known_tree)
            return _signed(coefficient, lambda c: self._times(contract([(scalars, ())], (), c), tree))
        groups = clusters(node)
        if groups is not None:
            return self._clustered(coefficient, node, groups)
        chosen = self._selection(coefficient, node)
        if chosen is not None:
            return chosen
        sliced = self._sliced(coefficient, node) if self.windows else None
        if sliced is not None:
            return sliced
        plain = not any(isinstance(factor, Window) for factor, _, _ in node.factors)
        found = layout(node, lambda n: self.trees[n], coefficient) if plain else None
        return found.tree if found is not None else self._assembled(coefficient, node)

    def _correlation(self, coefficient: Rational, node: Contraction, places: tuple[int, ...]) -> Tree:
        """conv1d(filter, signal), conv2d(signal, filter)."""
        kernel, signal = (self._known_tree(node.factors[place][0]) for place in places[-2:])
        pair = (kernel, signal) if node.rank == 1 else (signal, kernel)
        tree = Tree("call", pair, f"conv{node.rank}d")
        return _signed(coefficient, lambda c: self._times(number(c), tree))

    def _clustered(self, coefficient: Rational, node: Contraction, groups: Clusters) -> Tree:
        """A product of matrices of stacked entries, each written on its own: (I + K) (I ⊗ X)."""
        parts = cluster_parts(node, groups)
        whole = stand_in_product(node, groups, parts)
        assert isinstance(whole, Contraction)
        trees = {f: self._known_tree(part) for (f, _, _), part in zip(whole.factors, parts, strict=True)}
        found = layout(whole, trees.__getitem__, coefficient)
        return found.tree if found is not None else self._assembled(coefficient, node)

    def _with_slices(self, node: Contraction) -> Node:
        """The same product, its coefficient left out, with x_{s} 1[s = i + 1] as one factor, the slice of x."""
        windows = [(w, labels) for w, labels, p in node.factors if isinstance(w, Window) and p == 1 and _is_slice(w)]
        moves = {labels[0]: (w, labels[1]) for w, labels in windows}
        uses = Counter(k for _, labels, _ in node.factors for k in labels)
        moves = {s: to for s, to in moves.items() if s >= node.rank and uses[s] == 2}
        lone = {s for s, (w, to) in moves.items() if w.shape[1] == 1 and to >= node.rank and uses[to] == 1}
        used: set[int] = set()
        factors: list[Factor] = []
        for factor, labels, power in node.factors:
            here = {s for s in labels if s in moves} if not isinstance(factor, Window) and power == 1 else set()
            if not here or not isinstance(factor, Variable):
                factors.append((factor, labels, power))
                continue
            used |= here
            subscripts = [_subscript(moves[s][0], s in lone) if s in here else Tree("slice") for s in labels]
            pairs = [(s, d) for s, d in zip(labels, factor.shape, strict=True) if s not in lone]
            shape = tuple(moves[s][0].shape[1] if s in here else d for s, d in pairs)
            stand_in = variable(f"{factor.name} {subscripts}", shape)
            self.trees[stand_in] = Tree("index", (self.trees[self._known(factor)], *subscripts))
            self.weights[stand_in] = 1 + len(subscripts)
            factors.append((stand_in, tuple(moves[s][1] if s in here else s for s, _ in pairs), power))
        factors = [f for f in factors if not (isinstance(f[0], Window) and f[1][0] in used)]
        if not used:
            return node
        gone = used | {moves[s][1] for s in lone & used}
        sizes = {k: d for k, d in enumerate(node.sizes) if k not in gone}
        return contract(factors, tuple(range(node.rank)), 1, sizes)

    def _sliced(self, coefficient: Rational, node: Contraction) -> Tree | None:
        """A part of a whole that is written in matrix form: (exp(W x))_{1:n}."""
        moves: dict[int, tuple[Window, int]] = {}
        places: dict[int, Window] = {}
        rest: list[Factor] = []
        for factor, labels, power in node.factors:
            whole = isinstance(factor, Window) and power == 1 and _is_slice(factor) and labels[0] >= node.rank
            if whole and isinstance(factor, Window) and labels[1] < node.rank and labels[1] not in moves:
                moves[labels[1]] = (factor, labels[0])
            elif whole and isinstance(factor, Window) and factor.shape[1] == 1 and len(node.factors) > 1:
                places[labels[0]] = factor
            else:
                rest.append((factor, labels, power))
        taken = [label for _, labels, _ in rest for label in labels]
        out = [moves[axis][1] if axis in moves else axis for axis in range(node.rank)] + list(places)
        if not (moves or places) or not rest or any(axis in taken for axis in moves) or len(out) > 2:
            return None
        if len(set(out)) < len(out) or any(label not in taken for label in out):
            return None
        body = self._known_tree(arranged(contract(rest, tuple(out), magnitude(coefficient))))
        if body.head == "assemble":
            return None
        subscripts = [_part(moves[axis][0]) if axis in moves else Tree("slice") for axis in range(node.rank)]
        subscripts += [_subscript(window, True) for window in places.values()]
        tree = Tree("index", (body, *subscripts))
        return Tree("neg", (tree,)) if coefficient < 0 else tree

    def _selection(self, coefficient: Rational, node: Contraction) -> Tree | None:
        """Σ_ic S_ic 1[c = y_i] is Σ_i S_{i, y_i}; the vector of these is [S_{i, y_i}]_i; without a batch, s_y.

        Along axes that nothing depends on, the selected entries are repeated.
        """
        chosen = selection(node)
        if chosen is None or node.rank > 2:
            return None
        hot, table, _ = chosen
        label, labels, _power = node.factors[hot]
        names = self.fresh(len(labels) - 1)
        at = _indexed(self._known_tree(label.children[0]), names)
        place, whole = constant(label.children[0]), self._known_tree(table)
        if place is not None and whole.head != "name":
            at = number_tree(place + 1)  # only the entries of a name can be seen to be counted from 0
        body = Tree("index", (whole, *(Tree("name", (), n) for n in names), at), None)
        if names:
            body = Tree("assemble", (body,), names) if labels[0] < node.rank else _summed(body, names)
        scalars = contract([f for f in node.factors if not f[1]], (), magnitude(coefficient))
        tree = self._times(scalars, body)
        tree = _repeated(tree, node.rank, labels[:-1])
        return Tree("neg", (tree,)) if coefficient < 0 else tree

    def _times(self, scalars: Node, tree: Tree) -> Tree:
        return tree if constant(scalars) == 1 else product([self._known_tree(scalars), tree])

    def _known_tree(self, node: Node) -> Tree:
        return self.trees[self._known(node)]

    def _assembled(self, coefficient: Rational, node: Contraction) -> Tree:
        names = self.fresh(node.rank)
        body = self._product_entry(node, names, names, coefficient)
        return self._bracketed(body, names, node) if names else body

    def _bracketed(self, body: Tree, names: tuple[str, ...], node: Node) -> Tree:
        """[body]_{ij}; where indices are calculated, with how far they run."""
        bounds = [dimension_tree(d) for d in node.shape] if self.windows or _repeats(node) else []
        return Tree("assemble", (body, *bounds), names)

    def _sum(self, node: Sum) -> Tree:
        """Terms with their signs; a scalar repeated in every entry is written once."""
        if node.rank > 2:
            names = self.fresh(node.rank)
            return self._bracketed(self._sum_entry(node, names, names), names, node)
        written = self._written_out(node)
        if written is not None:
            return written
        blocks, rest = self._blocks(node.terms) if self.windows else (None, node.terms)
        if blocks is not None and not rest:
            return blocks
        signs, terms = ([], []) if blocks is None else ([1], [blocks])
        for coefficient, term in rest:
            inner = _repeated_scalar(term)
            term = term if inner is None else inner
            signs.append(1 if coefficient > 0 else -1)
            if constant(term) is not None:
                terms.append(number_tree(magnitude(coefficient)))
            else:
                terms.append(self._scaled(magnitude(coefficient), self._known(term)))
        return Tree("add", tuple(terms), tuple(signs))

    def _written_out(self, node: Sum) -> Tree | None:
        """Entries times unit vectors of a few numbered places: [2/x; 3 cos(3 x)], [a, b; 0, d]."""
        if not node.rank or not all(isinstance(dim, int) for dim in node.shape):
            return None
        cells: dict[tuple[int, ...], list[tuple[Rational, Node]]] = {}
        for coefficient, term in node.terms:
            found = numbered_entry(term)
            if found is None:
                return None
            cells.setdefault(found[0], []).append((coefficient, found[1]))
        counts = [int(dim) for dim in node.shape] + [1]
        places = [(i, j)[: node.rank] for i in range(counts[0]) for j in range(counts[1])]
        if len(places) > MAX_WRITTEN or 2 * len(cells) < len(places):
            return None
        entries = tuple(self._known_tree(add(cells.get(place, ()), ())) for place in places)
        return Tree("array", entries, (counts[0], counts[1]) if node.rank == 2 else (counts[0], None))

    def _blocks(self, terms: Sequence[tuple[Rational, Node]]) -> tuple[Tree | None, list[tuple[Rational, Node]]]:
        """The terms that are moved to their places as an array of blocks, and the other terms."""
        parts = [(placed(c, term), (c, term)) for c, term in terms]
        found = [part for part, _ in parts if part is not None]
        whole = grid(found) if found else None
        if whole is None:
            return None, list(terms)
        rest = [term for part, term in parts if part is None]
        return self._array(whole, len(found[0].windows)), rest

    def _array(self, whole: Grid, rank: int) -> Tree:
        """[A, B; C, D]; [x; y] for a vector; a zero fills its block where another one tells how large that is."""
        counts = [len(along) for along in whole.extents] + [1] * (2 - rank)
        entries = []
        for row, column in ((i, j) for i in range(counts[0]) for j in range(counts[1])):
            cell = (row, column)[:rank]
            if cell in whole.cells:
                entries.append(self._cell(whole.cells[cell], rank))
                continue
            lone = any(all(other[axis] != cell[axis] for other in whole.cells) for axis in range(rank))
            dims = [along[k] for along, k in zip(whole.extents, cell, strict=True)]
            entries.append(Tree("call", tuple(map(dimension_tree, dims)), "zeros") if lone else number_tree(0))
        if counts[1] == 1:
            return Tree("array", tuple(entries), (counts[0], None))
        vectors = all(part.axes == (0,) for parts in whole.cells.values() for part in parts)
        plain = counts[0] == 1 and not vectors
        return Tree("array", tuple(entries), (counts[1], None, "across") if plain else (counts[0], counts[1]))

    def _cell(self, parts: list[Placed], rank: int) -> Tree:
        trees = []
        for part in parts:
            tree = self._known_tree(part.block)
            trees.append(Tree("transpose", (tree,)) if part.axes == (1,) and rank == 2 else tree)
        if len(trees) == 1:
            return trees[0]
        return Tree("add", tuple(trees), (1,) * len(trees))

    def _known(self, node: Node) -> Node:
        if node not in self.trees:
            self.tree(node)
        return node

    def _call(self, node: Call, args: list[Tree]) -> Tree:
        write = CALLS.get(node.op.name)
        if node.op.name == "power_change":
            last = self._known_tree(add([(1, node.args[1]), (-1, number(1))]))
            return _power_sum(args[0], last, args[2], self.fresh(1)[0])
        if is_indicator(node):
            return _indicator(node.op.symbol, args[0])
        if write is not None:
            return write(node, args)
        op = node.op
        lettered = op.letter and not op.latex and op.letter not in self.used and all(arg.rank < 2 for arg in node.args)
        return Tree("call", tuple(args), op.letter if lettered else _spelling(node))

    # --- index form -----------------------------------------------------------------------------------------------
    # `names` are the indices of the entry, `scope` all index names in use around it.

    def entry(self, node: Node, names: tuple[str, ...], scope: tuple[str, ...] | None = None) -> Tree:
        """The entry of `node` at the indices `names`."""
        scope = names if scope is None else scope
        if node in self.given:
            return _indexed(self.given[node], names)
        if isinstance(node, Sum):
            return self._sum_entry(node, names, scope)
        if isinstance(node, Contraction):
            return self._product_entry(node, names, scope, node.coefficient)
        if isinstance(node, Delta):
            left, right = (Tree("name", (), name) for name in names)
            return Tree("indicator", (Tree("compare", (left, right), "="),))
        if isinstance(node, Window):
            place = _affine_tree(node, [Tree("name", (), name) for name in names[1:]])
            return Tree("indicator", (Tree("compare", (Tree("name", (), names[0]), place), "="),))
        if isinstance(node, Call):
            return self._call_entry(node, names, scope)
        return _indexed(self.tree(node), names)

    def _sum_entry(self, node: Sum, names: tuple[str, ...], scope: tuple[str, ...]) -> Tree:
        signs, terms = [], []
        for coefficient, term in node.terms:
            signs.append(1 if coefficient > 0 else -1)
            size = magnitude(coefficient)
            if constant(term) is not None:
                terms.append(number_tree(size))
            elif isinstance(term, Contraction):
                terms.append(self._product_entry(term, names, scope, size))
            else:
                body = self.entry(term, names, scope)
                terms.append(body if size == 1 else product([number_tree(size), body]))
        return Tree("add", tuple(terms), tuple(signs))

    def _call_entry(self, node: Call, names: tuple[str, ...], scope: tuple[str, ...]) -> Tree:
        if node.op.name == "onehot":
            place = constant(node.args[0])
            label = self.entry(node.args[0], names[:-1], scope) if place is None else number_tree(place + 1)
            return Tree("indicator", (Tree("compare", (Tree("name", (), names[-1]), label), "="),))
        if node.op.name == "counting":
            return Tree("name", (), names[0])
        if node.op.entrywise:
            return self._call(node, [self.entry(arg, names if arg.shape else (), scope) for arg in node.args])
        return _indexed(self.tree(node), names)

    def _product_entry(
        self, node: Contraction, names: tuple[str, ...], scope: tuple[str, ...], coefficient: Rational
    ) -> Tree:
        """Σ over the summed labels of the product of the factors' entries."""
        if self.whole and not self.windows:
            joint = self._with_matrices(node)
            if not isinstance(joint, Contraction):
                return self._signed_entry(coefficient, joint, names)
            node = joint
        calculated = _calculated(node)
        steps = _stairs(node)
        hidden = [k for k in range(node.rank, len(node.sizes)) if k not in calculated and k not in steps]
        summed = self.fresh(len(hidden), scope)
        labels: dict[int, str] = dict(enumerate(names)) | dict(zip(hidden, summed, strict=True))
        inside = scope + summed
        places = {
            k: _affine_tree(w, [Tree("name", (), labels[j]) for j in axes[1:]]) for k, (w, axes) in calculated.items()
        }
        above: list[Tree] = []
        below: list[Tree] = []
        for factor, axes, power in node.factors:
            if isinstance(factor, Window) and axes[0] in places:
                continue
            if isinstance(factor, Window) and axes[-1] in steps:
                ordered = (Tree("name", (), labels[axes[1]]), Tree("name", (), labels[axes[0]]))
                sign = "<" if factor.offset else "<="
                above.append(Tree("indicator", (Tree("compare", ordered, sign),)))
                continue
            others = {k for f, other, _ in node.factors if (f, other) != (factor, axes) for k in other}
            alone = self.whole and isinstance(factor, Delta) and "I" not in self.used and others.isdisjoint(axes)
            body = self._entry_at(factor, axes, labels, places, inside)
            body = _sized_entry(factor, body) if alone else body
            if magnitude(power) != 1:
                body = Tree("pow", (body, number_tree(magnitude(power))), "")
            (above if power > 0 else below).append(body)
        tree = product(above) if above else number_tree(1)
        if below:
            tree = Tree("div", (tree, product(below)), "")
        if summed:
            plain = {k for f, axes, _ in node.factors if isinstance(f, Variable) for k in axes}
            falling = any(isinstance(s, str) or s < 0 for window, _ in calculated.values() for s in window.strides)
            known = plain.issuperset(hidden) and not falling
            for binder in reversed(self._binders(summed, [node.sizes[k] for k in hidden], known)):
                tree = Tree("big", (tree, binder), "sum")
        return _signed(coefficient, lambda c: product([number_tree(c), tree]) if c != 1 else tree)

    def _signed_entry(self, coefficient: Rational, node: Node, names: tuple[str, ...]) -> Tree:
        tree = _indexed(self.trees[node], names)
        return _signed(coefficient, lambda c: product([number_tree(c), tree]) if c != 1 else tree)

    def _with_matrices(self, node: Contraction) -> Node:
        """The same product with Σ_p B_kp X_pj as one factor, (B X)_kj."""
        groups = joined(node)
        if not any(isinstance(group, Joined) for group in groups):
            return node
        factors: list[Factor] = []
        for k, group in enumerate(groups):
            if not isinstance(group, Joined):
                factors.append(group)
                continue
            part = arranged(group.node)
            stand_in = variable(f"{k} {part!r}", part.shape)
            self.trees[stand_in], self.weights[stand_in] = self._known_tree(part), self.weights[part]
            factors.append((stand_in, group.labels, 1))
        axes = dict(enumerate(node.sizes[: node.rank]))
        if len(factors) == 1 and factors[0][1] == tuple(range(node.rank)):
            return factors[0][0]
        return contract(factors, tuple(range(node.rank)), node.coefficient, axes)

    def _binders(self, names: tuple[str, ...], sizes: list[Dim], known: bool) -> list[Tree]:
        """Over what a sum runs; where indices are calculated, from where to where, if they are `known` by no name."""
        if not self.windows or known:
            return [Tree("binder", (), (names, "all"))]
        ends = [(number_tree(1), dimension_tree(d)) for d in sizes]
        return [Tree("binder", end, ((name,), "range")) for name, end in zip(names, ends, strict=True)]

    def _entry_at(
        self, factor: Node, axes: tuple[int, ...], labels: Mapping[int, str], places: Mapping[int, Tree],
        scope: tuple[str, ...],
    ) -> Tree:  # fmt: skip
        """The entry of a factor at indices of which some are calculated."""
        if isinstance(factor, Call) and factor.op.name == "counting" and axes[0] in places:
            return places[axes[0]]
        if not any(k in places for k in axes):
            return self.entry(factor, tuple(labels[k] for k in axes), scope)
        subscripts = [places[k] if k in places else Tree("name", (), labels[k]) for k in axes]
        return Tree("index", (self.tree(factor), *subscripts))


def _repeats(node: Node) -> bool:
    """Whether a tensor is the same along some axis, of which then nothing tells how long it is."""
    if not isinstance(node, Contraction):
        return False
    return len({k for _, labels, _ in node.factors for k in labels if k < node.rank}) < node.rank


def _sized_entry(identity: Node, entry: Tree) -> Tree:
    """(I_n)_{ij} rather than 1[i = j], where nothing else tells the size."""
    dim = identity.shape[0]
    if not isinstance(dim, int) and len(dim_factors(dim)) > 1:
        return entry
    whole = Tree("index", (Tree("name", (), "I"), dimension_tree(dim)), None)
    return Tree("index", (whole, *entry.args[0].args), None)


def _indicator(symbol: str, arg: Tree) -> Tree:
    """1[x > 0]; 1[-x > 0] is written 1[x < 0], 1[x - y > 0] is 1[x > y], and 1[x + 3 > 0] is 1[x > -3]."""
    if arg.head == "add" and symbol in (">", ">=", "=") and _last_apart(arg):
        *terms, right = arg.args
        left = terms[0] if len(terms) == 1 else Tree("add", tuple(terms), arg.value[:-1])  # type: ignore[index]
        if arg.value[-1] > 0:  # type: ignore[index]
            right = Tree("neg", (right,))
        if left.head == "num" and symbol in TURNED:
            return Tree("indicator", (Tree("compare", (right, left), TURNED[symbol]),))
        return Tree("indicator", (Tree("compare", (left, right), symbol),))
    if arg.head == "neg" and symbol in TURNED:
        return Tree("indicator", (Tree("compare", (arg.args[0], number_tree(0)), TURNED[symbol]),))
    return Tree("indicator", (Tree("compare", (arg, number_tree(0)), symbol),))


def _last_apart(arg: Tree) -> bool:
    """Whether the last term of a sum can stand on the other side of a comparison, and come back as the last one."""
    signs: tuple[int, ...] = tuple(arg.value)  # type: ignore[arg-type]
    return signs[0] > 0 and (signs[-1] < 0 or (len(signs) == 2 and arg.args[-1].head == "num"))


TURNED = {">": "<", ">=": "<="}


def _affine_tree(window: Window, indices: list[Tree]) -> Tree:
    """Where a window has its ones, counted from 1: offset + Σ stride (i - 1) + 1."""
    shift = combine([(1, window.offset), *((-1, s) for s in window.strides)], 1)
    terms: list[Tree] = []
    signs: list[int] = []
    for stride, index in zip(window.strides, indices, strict=True):
        size = magnitude(stride) if isinstance(stride, int) else stride
        terms.append(index if size == 1 else product([dimension_tree(size), index]))  # type: ignore[arg-type]
        signs.append(-1 if isinstance(stride, int) and stride < 0 else 1)
    for atom, k in linear(shift).items():
        if k:
            inner = number_tree(magnitude(k)) if not atom else dimension_tree(combine([(abs(k), atom)]))
            terms.append(inner)
            signs.append(1 if k > 0 else -1)
    return terms[0] if len(terms) == 1 and signs[0] > 0 else Tree("add", tuple(terms), tuple(signs))


def _calculated(node: Contraction) -> dict[int, tuple[Window, tuple[int, ...]]]:
    """The summed labels that a window determines, and that stand below named tensors otherwise."""
    found: dict[int, tuple[Window, tuple[int, ...]]] = {}
    steps = _stairs(node)
    for move, labels, power in node.factors:
        if not isinstance(move, Window) or not move.inside or power != 1 or labels[-1] in steps:
            continue
        place = labels[0]
        others = [f for f, axes, _ in node.factors if place in axes and f is not move]
        free = place >= node.rank and place not in labels[1:] and place not in found
        if free and others and all(isinstance(f, Variable) for f in others):
            found[place] = (move, labels)
    return {k: (w, axes) for k, (w, axes) in found.items() if not any(j in found for j in axes[1:])}


def _stairs(node: Contraction) -> set[int]:
    """The summed labels k of Σ_k 1[j = i + k + 1], which is 1[i < j]."""
    uses = Counter(k for _, labels, _ in node.factors for k in labels)
    return {
        labels[2] for w, labels, _ in node.factors
        if isinstance(w, Window) and w.stairs and labels[2] >= node.rank and uses[labels[2]] == 1
    }  # fmt: skip


def _is_slice(window: Window) -> bool:
    """Whether a window only moves along an axis, and stays inside."""
    stride, *more = window.strides
    return not more and window.inside and isinstance(stride, int) and stride > 0


def _subscript(window: Window, lone: bool) -> Tree:
    """Where a window reads: a part of an axis, or the one place where it has no other entry."""
    return dimension_tree(combine([(1, window.offset)], 1)) if lone else _part(window)


def _part(window: Window) -> Tree:
    """The slice a:b of a window, counted from 1 with its end included."""
    (stride,) = window.strides
    first = combine([(1, window.offset)], 1)
    last = combine([(1, window.offset), (1, product_of(stride, combine([(1, window.shape[1])], -1)))], 1)
    step = Tree("slice") if stride == 1 else dimension_tree(stride)
    return Tree("part", (dimension_tree(first), dimension_tree(last), step), False)


def _signed(coefficient: Rational, build: Callable[[Rational], Tree]) -> Tree:
    tree = build(magnitude(coefficient))
    return Tree("neg", (tree,)) if coefficient < 0 else tree


def _indexed(tree: Tree, names: tuple[str, ...]) -> Tree:
    if not names:
        return tree
    return Tree("index", (tree, *(Tree("name", (), name) for name in names)), None)


def _repeated_scalar(node: Node) -> Node | None:
    """The scalar that `node` repeats in every entry, if it does."""
    if not isinstance(node, Contraction) or not node.shape:
        return None
    if any(label < node.rank for _, labels, _ in node.factors for label in labels):
        return None
    return contract(node.factors, (), node.coefficient, {k: d for k, d in enumerate(node.sizes) if k >= node.rank})


def _dimension_names(root: Node) -> set[str]:
    return {str(d) for node in postorder([root]) for dim in node.shape for d in dim_factors(dim)}


def _spelling(node: Call) -> str:
    return str(node.op.text[0] if node.op.text else node.op.name)


# --- operations with a notation of their own --------------------------------------------------------------------------


def _relu(_node: Call, args: list[Tree]) -> Tree:
    return Tree("call", (number_tree(0), args[0]), "max")


def _onehot(node: Call, args: list[Tree]) -> Tree:
    """onehot(y); the number of classes is written where it is a number, since nothing else may tell it."""
    (classes,) = node.params
    return Tree("call", (*args, number_tree(classes)) if isinstance(classes, int) else tuple(args), "onehot")


def _counting(node: Call, _args: list[Tree]) -> Tree:
    return Tree("call", (dimension_tree(node.params[0]),), "counting")


def _power(node: Call, args: list[Tree]) -> Tree:
    return Tree("pow", tuple(args), "odot" if node.args[0].shape else "")


def _absolute(node: Call, args: list[Tree]) -> Tree:
    """|x|, but abs(W): bars around a matrix are its determinant."""
    return Tree("call", (args[0],), "abs") if node.rank > 1 else Tree("bars", (args[0],))


def _chained(node: Call, args: list[Tree]) -> Tree:
    """max(max(a, b), c) is max(a, b, c)."""
    spelling = _spelling(node)
    first = node.args[0]
    if isinstance(first, Call) and first.op is node.op:
        return Tree("call", (*args[0].args, args[1]), spelling)
    return Tree("call", tuple(args), spelling)


def _choice(_node: Call, args: list[Tree]) -> Tree:
    """Cases: where(c, a, where(d, b, e)) is one list of branches."""
    condition, then, otherwise = args
    if condition.head != "indicator":
        return Tree("call", tuple(args), "where")
    rest = otherwise.args if otherwise.head == "cases" else (otherwise, Tree("otherwise"))
    return Tree("cases", (then, condition.args[0], *rest))


def _power_sum(base: Tree, last: Tree, inside: Tree, index: str) -> Tree:
    """Σ_{r=0}^{last} base^r inside base^{last - r}."""
    r = Tree("name", (), index)
    terms, signs = (last.args, last.value) if last.head == "add" else ((last,), (1,))
    rest = Tree("add", (*terms, r), (*signs, -1))  # type: ignore[misc]
    body = product([Tree("pow", (base, r), ""), inside, Tree("pow", (base, rest), "")])
    return Tree("big", (body, Tree("binder", (number_tree(0), last), ((index,), "range"))), "sum")


def _constant(node: Call, _args: list[Tree]) -> Tree:
    return Tree("const", (), node.op.name)


CALLS: dict[str, Callable[[Call, list[Tree]], Tree]] = {
    "onehot": _onehot,
    "counting": _counting,
    "relu": _relu,
    "power": _power,
    "abs": _absolute,
    "maximum": _chained,
    "minimum": _chained,
    "where": _choice,
    "pi": _constant,
    "exp": lambda node, args: Tree("call", tuple(args), "exp" if node.rank < 2 else ENTRYWISE + "exp"),
    "matrix_power": lambda _node, args: Tree("pow", tuple(args), ""),
}
