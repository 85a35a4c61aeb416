"""Index form to matrix form: one contraction as a product of matrices and vectors.

Contract: `layout(node, tree)` gives the surface tree of a contraction of rank at most 2 in matrix notation and the
order in which its factors appear there, or None where no such product exists (`trees` then writes Σ and subscripts).

The idea: every factor is a *chain*, a product with a free label at each end (a vector has one end).  A label summed
between two chains joins them (matrix product); chains over the same labels multiply entrywise; a label that ends
nowhere else is summed out; a vector that scales a matrix becomes a diagonal.  When one chain is left it is turned so
that its ends lie as the result's axes do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from symgrad.dims import Dim, fold
from symgrad.expr import (
    Call,
    Contraction,
    Delta,
    Factor,
    Node,
    Rational,
    Size,
    delta,
    magnitude,
    size,
    variable,
)
from symgrad.notation.syntax import Tree
from symgrad.simplify.symmetry import symmetric


@dataclass(frozen=True, slots=True)
class Link:
    """One matrix of a chain: its tree, whether it stands transposed, and the factors it was made of (~k: turned)."""

    tree: Tree
    turned: bool
    factors: tuple[int, ...]
    symmetric: bool = False

    def flip(self) -> Link:
        if self.symmetric:  # nothing is written, but a single factor is then read with its labels exchanged
            places = (~self.factors[0],) if len(self.factors) == 1 else self.factors
            return Link(self.tree, False, places, True)
        return Link(self.tree, not self.turned, self.factors)


@dataclass(frozen=True, slots=True)
class Chain:
    """A product of links; `left` and `right` are the labels at its ends, None at the closed end of a vector."""

    links: tuple[Link, ...]
    left: int | None
    right: int | None
    divides: bool = False

    def flip(self) -> Chain:
        return Chain(tuple(link.flip() for link in reversed(self.links)), self.right, self.left, self.divides)

    @property
    def ends(self) -> frozenset[int]:
        return frozenset(label for label in (self.left, self.right) if label is not None)

    @property
    def first(self) -> int:
        return min(max(k, ~k) for link in self.links for k in link.factors)

    def starting(self, label: int | None) -> Chain:
        return self if self.left == label else self.flip()

    def ending(self, label: int | None) -> Chain:
        return self if self.right == label else self.flip()


@dataclass(frozen=True, slots=True)
class Layout:
    """A contraction as a tree, the order of its factors there, and which symmetric ones are read turned."""

    tree: Tree
    order: tuple[int, ...]
    turned: frozenset[int] = frozenset()


def number_tree(value: Rational) -> Tree:
    """An exact number: an integer, a short decimal, or a fraction."""
    if value < 0:
        return Tree("neg", (number_tree(-value),))
    exact = Fraction(value)
    if exact.denominator == 1:
        return Tree("num", (), exact.numerator)
    if exact.denominator > 9 and _terminates(exact.denominator):
        return Tree("num", (), exact)
    return Tree("div", (number_tree(exact.numerator), number_tree(exact.denominator)), "")


def _terminates(denominator: int) -> bool:
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return denominator == 1


def transposed(tree: Tree) -> Tree:
    return tree.args[0] if tree.head == "transpose" else Tree("transpose", (tree,))


def product(trees: list[Tree], kind: str = "") -> Tree:
    """A product with nested products of the same kind opened."""
    flat: list[Tree] = []
    for tree in trees:
        flat.extend(tree.args if tree.head == "mul" and tree.value == kind == "" else [tree])
    return flat[0] if len(flat) == 1 else Tree("mul", tuple(flat), kind)


def dimension_tree(dim: Dim) -> Tree:
    """The tree of a dimension: a number, a name, or what is calculated."""
    return fold(dim, lambda name: Tree("name", (), name), _calculated, _dimension_sum)


def _calculated(operator: str, one: Tree, other: Tree) -> Tree:
    return product([one, other]) if operator == "*" else Tree("call", (Tree("div", (one, other), ""),), "floor")


def _dimension_sum(terms: list[tuple[int, Tree | None]]) -> Tree:
    """Names first, the constant last."""
    present = [term for term in terms if term[0]] if len(terms) > 1 else terms
    present.sort(key=lambda term: term[1] is None)
    trees: list[Tree] = []
    for coefficient, part in present:
        size = number_tree(magnitude(coefficient))
        trees.append(size if part is None else part if magnitude(coefficient) == 1 else product([size, part]))
    signs = tuple(1 if coefficient >= 0 else -1 for coefficient, _ in present)
    if len(trees) == 1:
        return trees[0] if signs[0] > 0 else Tree("neg", (trees[0],))
    return Tree("add", tuple(trees), signs)


def square_of(node: Node) -> Node | None:
    """u where `node` is Σ u² over all entries, else None."""
    if isinstance(node, Contraction) and node.coefficient == 1 and not node.shape and len(node.factors) == 1:
        base, labels, power = node.factors[0]
        if power == 2 and labels and len(set(labels)) == len(labels) and len(labels) <= 2:
            return base
    return None


def layout(node: Contraction, tree: Callable[[Node], Tree], coefficient: Rational | None = None) -> Layout | None:
    """`node` in matrix notation, with another coefficient if given."""
    work = _Arrangement(node.rank, node.sizes[:1] == (1,), node.factors, tree)
    return work.finish(node.coefficient if coefficient is None else coefficient)


def pattern(node: Contraction) -> Layout | None:
    """The layout of `node` with blanks for its factors: their order depends on how labels meet, and on little else."""
    blanks = tuple([(_blank(factor, len(labels)), labels, power) for factor, labels, power in node.factors])
    return _pattern(node.rank, node.sizes[:1] == (1,), blanks)


@lru_cache(4096)
def _pattern(rank: int, unit: bool, blanks: tuple[Factor, ...]) -> Layout | None:
    found = _Arrangement(rank, unit, blanks, _blank_tree).finish(1)
    if found is None or any(blank is _SYMMETRIC for blank, _, _ in blanks):
        return found
    return Layout(found.tree, found.order)  # the identity alone is not worth turning


def _blank(factor: Node, axes: int) -> Node:
    """What stands for a factor: all of a kind are laid out alike."""
    if isinstance(factor, Delta):
        return _IDENTITY
    if isinstance(factor, Size):
        return _SIZE
    return _SYMMETRIC if axes == 2 and symmetric(factor) else _tensor(axes)


_IDENTITY, _SIZE, _SYMMETRIC = delta("n"), size("n"), variable("x", ("n", "n"), ("symmetric",))


@cache
def _tensor(axes: int) -> Node:
    return variable("x", ("n",) * axes)


def _blank_tree(blank: Node) -> Tree:
    return Tree("name", (), "I" if isinstance(blank, Delta) else "x")


class _Arrangement:
    """The work on one contraction: scalars apart, chains joined until nothing is left to do.

    `unit` says that the first axis of the result has one entry.
    """

    def __init__(self, rank: int, unit: bool, factors: tuple[Factor, ...], tree: Callable[[Node], Tree]) -> None:
        self.rank = rank
        self.unit = unit
        self.factors = factors
        self.axes = frozenset(range(rank))
        self.above: list[tuple[Tree, int]] = []
        self.sizes: list[tuple[Tree, int]] = []
        self.below: list[tuple[Tree, int]] = []
        self.chains: list[Chain] = []
        self.possible = rank <= 2
        for k, (factor, labels, power) in enumerate(factors):
            if not labels:
                self._scalar(k, factor, power, tree)
            elif power == 2 and self._alone(k, labels):
                self.above.append((squared_norm(factor, tree), k))
            elif len(labels) <= 2:
                self._chain(k, factor, labels, power, tree)
            else:
                self.possible = False

    def _alone(self, k: int, labels: tuple[int, ...]) -> bool:
        """Whether the labels of the k-th factor are summed and nobody else's."""
        others = {label for j, (_, axes, _) in enumerate(self.factors) if j != k for label in axes}
        distinct = len(set(labels)) == len(labels) <= 2
        return distinct and not any(label in others or label in self.axes for label in labels)

    def _met(self, k: int, label: int) -> bool:
        """Whether a label of the k-th factor is an axis of the result or another factor's too."""
        return label in self.axes or any(label in f[1] for j, f in enumerate(self.factors) if j != k)

    def _scalar(self, k: int, factor: Node, power: Rational, tree: Callable[[Node], Tree]) -> None:
        side = self.above if power > 0 else self.sizes if isinstance(factor, Size) and power == -1 else self.below
        side.append((scalar_power(factor, magnitude(power), tree), k))

    def _chain(
        self, k: int, factor: Node, labels: tuple[int, ...], power: Rational, tree: Callable[[Node], Tree]
    ) -> None:
        body = tree(factor)
        if magnitude(power) != 1:
            body = entrywise_power(body, magnitude(power))
        if len(labels) == 2 and labels[0] == labels[1] and self._met(k, labels[0]):  # A_ii is the vector diag(A)
            self.chains.append(Chain((Link(Tree("call", (body,), "diag"), False, (k,)),), labels[0], None, power < 0))
            return
        right = labels[1] if len(labels) == 2 else None
        alike = len(labels) == 2 and symmetric(factor)
        self.chains.append(Chain((Link(body, False, (k,), alike),), labels[0], right, power < 0))

    # --- reductions -----------------------------------------------------------------------------------------------

    def reduce(self) -> bool:
        """Apply the first reduction that fits until one chain an axis is left; False if stuck."""
        if not self.possible:
            return False
        while True:
            if self._done():
                return True
            if not (self._join() or self._entrywise() or self._sum_out() or self._scale()):
                return False

    def _done(self) -> bool:
        """Only the result's own axes are left, each at the end of one chain."""
        ends = [label for chain in self.chains for label in (chain.left, chain.right) if label is not None]
        return (
            all(label in self.axes for label in ends)
            and len(ends) == len(set(ends))
            and not any(c.divides for c in self.chains)
        )

    def _at(self, label: int) -> list[Chain]:
        return [chain for chain in self.chains if label in chain.ends]

    def _open(self) -> list[int]:
        """Summed labels, in order."""
        return sorted({label for chain in self.chains for label in chain.ends} - self.axes)

    def _replace(self, old: list[Chain], new: list[Chain]) -> None:
        place = min(self.chains.index(chain) for chain in old)
        self.chains = [chain for chain in self.chains if all(chain is not o for o in old)]
        self.chains[place:place] = new

    def _join(self) -> bool:
        """Σ_k A_ik B_kj is A B."""
        for label in self._open():
            at = self._at(label)
            if len(at) != 2 or any(c.divides or c.left == c.right for c in at):
                continue
            one, other = at
            shared = (one.ends & other.ends) - {label}
            if shared and (shared & self.axes or len(self._at(next(iter(shared)))) != 2):
                continue
            left, right = self._direct(one, other, label)
            self._replace(at, [Chain(left.links + right.links, left.left, right.right)])
            return True
        return False

    def _direct(self, one: Chain, other: Chain, label: int) -> tuple[Chain, Chain]:
        """The order of the two: as the result's axes demand, else with fewer transposes, else as written."""
        ways = ((one.ending(label), other.starting(label)), (other.ending(label), one.starting(label)))

        def cost(way: tuple[Chain, Chain]) -> tuple[int, int]:
            left, right = way
            wrong = int(left.left is None and right.right is not None) if self.rank else 0
            wrong += int(left.left == 1 or right.right == 0) if self.rank == 2 else 0
            return wrong, sum(link.turned for chain in way for link in chain.links)

        return min(ways, key=cost)

    def _entrywise(self) -> bool:
        """Chains over the same labels multiply entry by entry; one that divides, divides."""
        for k, chain in enumerate(self.chains):
            same = [other for other in self.chains[k:] if other.ends == chain.ends and chain.left != chain.right]
            if len(same) > 1:
                self._replace(same, [self._hadamard(same)])
                return True
        for chain in self.chains:
            if chain.divides:
                whole = Tree("div", (number_tree(1), materialise(chain)), "odot")
                self._replace([chain], [Chain((self._atom(whole, [chain]),), chain.left, chain.right)])
                return True
        return False

    def _hadamard(self, chains: list[Chain]) -> Chain:
        lead = next((c for c in chains if not c.divides), chains[0])
        if lead.left is None:
            lead = lead.flip()
        aligned = [c.starting(lead.left) for c in chains]
        above = [materialise(c) for c in aligned if not c.divides]
        below = [materialise(c) for c in aligned if c.divides]
        tree = product(above, "odot") if len(above) > 1 else above[0] if above else number_tree(1)
        if below:
            bottom = product(below, "odot") if len(below) > 1 else below[0]
            tree = Tree("div", (tree, bottom), "odot")
        ordered = [c for c in aligned if not c.divides] + [c for c in aligned if c.divides]
        return Chain((self._atom(tree, ordered),), lead.left, lead.right)

    @staticmethod
    def _atom(tree: Tree, chains: list[Chain]) -> Link:
        return Link(tree, False, tuple(k for c in chains for link in c.links for k in link.factors))

    def _sum_out(self) -> bool:
        """A label that ends in one chain only: a trace, a sum of all entries, or of the rows."""
        for label in self._open():
            at = self._at(label)
            if len(at) != 1:
                continue
            chain = at[0]
            if chain.left == chain.right:
                self._close(_cycle(chain), Tree("call", (materialise(_cycle(chain)),), "tr"), chain)
            elif all(end not in self.axes and len(self._at(end)) == 1 for end in chain.ends):
                self._close(
                    chain, Tree("call", (materialise(chain if chain.left is not None else chain.flip()),), "sum")
                )
            else:
                ended = chain.ending(label)
                ones = Link(Tree("call", (), "ones"), False, ())
                self._replace([chain], [Chain((*ended.links, ones), ended.left, None)])
            return True
        return False

    def _close(self, chain: Chain, tree: Tree, old: Chain | None = None) -> None:
        self._replace([old or chain], [Chain((self._atom(tree, [chain]),), None, None)])

    def _scale(self) -> bool:
        """v_i A_ij is diag(v) A; a diagonal alone is diag(v)."""
        for vector in self.chains:
            if len(vector.ends) != 1 or vector.left == vector.right:
                continue
            (label,) = vector.ends
            for matrix in self.chains:
                if matrix is vector or label not in matrix.ends or len(matrix.ends) != 2:
                    continue
                upright = vector if vector.right is None else vector.flip()
                diagonal = self._atom(Tree("call", (materialise(upright),), "diag"), [upright])
                diagonal = Link(diagonal.tree, False, diagonal.factors, True)
                body = matrix.starting(label)
                links = body.links
                if len(links) == 1 and links[0].symmetric and links[0].tree.value == "I":
                    whole = _masked(upright) or diagonal.tree
                    diagonal = Link(whole, False, diagonal.factors + links[0].factors, True)
                    links = ()
                self._replace([vector, matrix], [Chain((diagonal, *links), label, body.right)])
                return True
        return False

    # --- the whole ------------------------------------------------------------------------------------------------

    def finish(self, coefficient: Rational) -> Layout | None:
        if not self.reduce():
            return None
        scalars = [c for c in self.chains if not c.ends]
        body = self._body([c for c in self.chains if c.ends])
        if body is None:
            return None
        front = self.above + [(materialise(c), c.first) for c in scalars]
        order = [k for _, k in self.sizes] + [k for _, k in self.above]
        order += [k for c in scalars for link in c.links for k in link.factors]
        order += [k for link in body for k in link.factors] + [k for _, k in self.below]
        links = [transposed(link.tree) if link.turned else link.tree for link in body]
        tree = self._assemble(coefficient, [t for t, _ in front], links)
        return Layout(tree, tuple(max(k, ~k) for k in order), frozenset(~k for k in order if k < 0))

    def _assemble(self, coefficient: Rational, front: list[Tree], links: list[Tree]) -> Tree:
        sign, size = coefficient < 0, magnitude(coefficient)
        factors: list[Tree] = []
        if self.sizes:
            below = product([t for t, _ in self.sizes])
            exact = Fraction(size)
            if exact.denominator != 1:
                below = product([number_tree(exact.denominator), below])
            factors.append(Tree("div", (number_tree(exact.numerator), below), ""))
        elif size != 1 or not (front or links):
            factors.append(number_tree(size))
        tree = product([*factors, *front, *links])
        for bottom, _ in self.below:
            tree = Tree("div", (tree, bottom), "")
        return Tree("neg", (tree,)) if sign else tree

    def _body(self, chains: list[Chain]) -> tuple[Link, ...] | None:
        """The chains as one product whose ends are the axes of the result."""
        ones = Link(Tree("call", (), "ones"), False, ())
        if self.rank == 0:
            return ()
        if self.rank == 1:
            if chains:
                return chains[0].starting(0).links
            return (ones,)
        if len(chains) == 1 and len(chains[0].ends) == 2:
            return chains[0].starting(0).links
        row = next((c.ending(1).links for c in chains if 1 in c.ends), None)
        column = next((c.starting(0).links for c in chains if 0 in c.ends), None)
        if column is None and self.unit and row is not None:
            return row
        if column is None:
            column = (ones,)
        return column + (row if row is not None else (ones.flip(),))


def _masked(vector: Chain) -> Tree | None:
    """A ⊙ I where the vector is diag(A)."""
    (link,) = vector.links if len(vector.links) == 1 else (None,)
    if link is None or link.turned or link.tree.head != "call" or link.tree.value != "diag":
        return None
    return product([link.tree.args[0], Tree("name", (), "I")], "odot")


def _cycle(chain: Chain) -> Chain:
    """A closed chain from its first factor on, which stands upright: tr(A B) is tr(B A), and tr(M) is tr(Mᵀ)."""
    for turned in (chain, chain.flip()):
        start = min(
            range(len(turned.links)), key=lambda k: min((max(f, ~f) for f in turned.links[k].factors), default=1 << 30)
        )
        links = turned.links[start:] + turned.links[:start]
        if not links[0].turned:
            break
    return Chain(links, chain.left, chain.right)


def materialise(chain: Chain) -> Tree:
    """A chain as one tree."""
    return product([transposed(link.tree) if link.turned else link.tree for link in chain.links])


def entrywise_power(tree: Tree, power: Rational) -> Tree:
    if power == Fraction(1, 2):
        return Tree("call", (tree,), "sqrt")
    return Tree("pow", (tree, number_tree(power)), "odot")


def squared_norm(node: Node, tree: Callable[[Node], Tree]) -> Tree:
    """‖u‖², with the F of Frobenius for a matrix."""
    norm = Tree("norm", (tree(node),), "F" if node.rank == 2 else "")
    return Tree("pow", (norm, number_tree(2)), "")


def scalar_power(node: Node, power: Rational, tree: Callable[[Node], Tree]) -> Tree:
    """node^power for a scalar and a positive power; (Σ u²)^(p/2) is ‖u‖^p."""
    squared = square_of(node)
    if squared is not None:
        base = Tree("norm", (tree(squared),), "F" if squared.rank == 2 else "")
        power = power * 2
    else:
        base = tree(node)
    if power == 1:
        return base
    if power == Fraction(1, 2):
        return Tree("call", (base,), "sqrt")
    return Tree("pow", (base, number_tree(power)), "")


def is_indicator(node: Node) -> bool:
    return isinstance(node, Call) and bool(node.op.symbol)
