"""How many axes an undeclared name has: read off the ways in which it is used.

Contract: `Ranks(...).settle(roots)` gives every undeclared name a rank.  Capital letters are matrices and bold small
letters vectors; any other name becomes a vector, or more, only where something asks for it: a transpose, a place
directly behind a matrix, a norm, a softmax, an index, a sum with something that is known.  The rest are scalars.  The
walk is repeated until nothing new is learnt, which is seldom more than twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from symgrad.notation.literals import RANGES, extent, indices, kind, literal
from symgrad.notation.names import GREEK
from symgrad.notation.scope import Definition
from symgrad.notation.syntax import Tree

#: Ranks as they are passed around: None is not known yet, -1 is a row.
Rank = int | None
#: Capital letters that are scalars all the same: a margin.
SCALAR_CAPITALS = frozenset({"Delta"})
ACCENTS = ("hat", "tilde", "bar", "dot", "check")
MAX_PASSES = 8
MAX_CALLS = 5000


def is_matrix_name(name: str) -> bool:
    """W, W_1, Theta^(2) and Xhat are written as matrices; MSE and Loss are words."""
    stem = name.partition("_")[0].partition("^")[0].rstrip("0123456789")
    for accent in ACCENTS:
        if len(stem) > len(accent):
            stem = stem.removesuffix(accent)
    return stem[:1].isupper() and (len(stem) == 1 or stem in GREEK) and stem not in SCALAR_CAPITALS


class Ranks:
    """What is known of the ranks of names; see the module."""

    def __init__(
        self, known: Mapping[str, int], definitions: Sequence[Definition], numpy: bool, unknown: Collection[str],
        bold: Collection[str], least: Mapping[str, int],
    ) -> None:  # fmt: skip
        self.known: dict[str, int] = dict(known)
        self.definitions = {d.name: d for d in definitions}
        self.numpy = numpy
        self.unknown = set(unknown)
        self.least = least
        self.guessed: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.results: dict[str, Rank] = {}
        self.parameters: dict[str, Tree] = {}
        self.depth = 0
        self.calls = 0
        for name in unknown:
            if is_matrix_name(name):
                self.known[name] = 2
                self.guessed.add(name)
            elif name in bold and not least.get(name):
                self.known[name] = 1

    def settle(self, roots: Sequence[Tree]) -> dict[str, int]:
        """The rank of every name, given all formulas, definitions before their uses."""
        trees = [tree for root in roots for tree in root.walk()]
        self.counts = Counter(str(tree.value) for tree in trees if tree.head == "name")
        for tree in trees:
            if tree.head == "bars":
                self._determinant(tree.args[0])
        self._walk(roots)
        indexed = {name: self.least[name] for name in self.unknown - self.known.keys() if self.least.get(name)}
        if indexed:
            self.known |= indexed
            self._walk(roots)
        for name in self.unknown:
            self.known.setdefault(name, 0)
        return self.known

    def _determinant(self, inside: Tree) -> None:
        """|Σ_k| with a capital letter: no row of a matrix stands between bars, so Σ is a stack of matrices."""
        if inside.head == "index" and inside.args[0].value in self.guessed and _taken(inside.args[1:]) == 1:
            self.known[str(inside.args[0].value)] = 3

    def _walk(self, roots: Sequence[Tree]) -> None:
        for _ in range(MAX_PASSES):
            before = len(self.known)
            if before >= len(self.unknown) and self.unknown <= self.known.keys():
                return
            self.results.clear()
            for root in roots:
                self.rank(root)
            if len(self.known) == before:
                return

    # --- what a tree has ------------------------------------------------------------------------------------------

    def rank(self, tree: Tree) -> Rank:
        handler = _RANKS.get(tree.head)
        return handler(self, tree) if handler is not None else self.inside(tree, 0)

    def inside(self, tree: Tree, result: Rank) -> Rank:
        """Look into every part; the whole has a rank of its own."""
        for arg in tree.args:
            self.rank(arg)
        return result

    def of_name(self, name: str) -> Rank:
        if name in self.parameters:
            return self._argument(name)
        if name in self.known:
            return self.known[name]
        found = self.definitions.get(name)
        if found is None or found.parameters is not None:
            return None if name in self.unknown else 2 if name == "I" else 0
        if name not in self.results:
            self.results[name] = None
            inner = self.rank(found.body)
            self.results[name] = None if inner is None else abs(inner) + len(found.indices)
        return self.results[name]

    def _argument(self, name: str) -> Rank:
        tree = self.parameters[name]
        outer, self.parameters = self.parameters, {}
        try:
            return self.rank(tree)
        finally:
            self.parameters = outer

    # --- what a tree should have ------------------------------------------------------------------------------------

    def want(self, tree: Tree, rank: int) -> None:
        """Something asks `tree`, of unknown rank, to have this one."""
        head = tree.head
        if head == "name":
            self.want_name(str(tree.value), rank)
        elif head == "index":
            base, *subscripts = tree.args
            self.want(base, rank + _taken(subscripts))
        elif head == "mul":
            unknown = [arg for arg in tree.args if self.rank(arg) is None]
            for arg in unknown if tree.value in {"odot", "star"} else unknown[-1:]:
                self.want(arg, rank)
        elif head in {"add", "cases"}:
            for arg in tree.args if head == "add" else tree.args[::2]:
                if literal(arg) is None and self.rank(arg) is None:
                    self.want(arg, rank)
        elif head in _LIKE_FIRST or (head == "call" and tree.args and tree.value not in _TO_SCALAR):
            self.want(tree.args[0], rank)

    def want_name(self, name: str, rank: int) -> None:
        if name in self.parameters:
            tree, outer = self.parameters[name], self.parameters
            self.parameters = {}
            self.want(tree, rank)
            self.parameters = outer
        elif name in self.unknown:
            self.known.setdefault(name, max(rank, self.least.get(name, 0)))
        elif name in self.definitions and self.depth < 50:
            found = self.definitions[name]
            self.depth += 1
            self.want(found.body, max(0, rank - len(found.indices)))
            self.depth -= 1

    def agree(self, trees: Sequence[Tree]) -> Rank:
        """Parts that have one rank, numbers and known scalars aside."""
        ranks = [self.rank(tree) for tree in trees]
        best: Rank = None
        for tree, rank in zip(trees, ranks, strict=True):
            if rank is not None and (best is None or abs(rank) > abs(best)) and tree.head != "num":
                best = rank
        if best is None:
            return 0 if all(rank is not None for rank in ranks) else None
        if best:
            for tree, rank in zip(trees, ranks, strict=True):
                if rank is None:
                    self.want(tree, abs(best))
        elif None in ranks:
            return None
        return best

    def need(self, tree: Tree) -> int:
        """The rank of something that cannot be a scalar."""
        rank = self.rank(tree)
        if rank is None:
            self.want(tree, 1)
            return 1
        return rank


# --- heads ------------------------------------------------------------------------------------------------------------


def _name(self: Ranks, tree: Tree) -> Rank:
    return self.of_name(str(tree.value))


def _index(self: Ranks, tree: Tree) -> Rank:
    base, *subscripts = tree.args
    rank = self.rank(base)
    for subscript in subscripts:
        if _rows(subscripts) and subscript.head == "name":
            self.want(subscript, 1)
    if rank is None:
        return None
    return max(0, abs(rank) - _taken(subscripts))


def _rows(subscripts: Sequence[Tree]) -> bool:
    """Whether range(N) stands among the subscripts: the others are labels of as many rows."""
    return any(s.head == "call" and s.value in RANGES for s in subscripts)


def _taken(subscripts: Sequence[Tree]) -> int:
    """How many axes the subscripts take away: a letter one, a slice none, None gives one."""
    counted = sum(s.head not in {"slice", "part", "newaxis"} for s in subscripts)
    return counted - sum(s.head == "newaxis" for s in subscripts) - _rows(subscripts)


def _add(self: Ranks, tree: Tree) -> Rank:
    if self.guessed and any(literal(arg) is None and self.rank(arg) == 0 for arg in tree.args):
        for arg in tree.args:
            _weigh(self, arg)
    return self.agree(tree.args)


def _weigh(self: Ranks, term: Tree) -> None:
    """In ½ ‖w‖² + C Σ_i ξ_i the capital C is a weight: the other terms and factors are scalars."""
    factors = term.args if term.head == "mul" else ()
    capitals = [arg for arg in factors if arg.head == "name" and arg.value in self.guessed]
    if len(capitals) != 1 or self.counts[str(capitals[0].value)] > 1:
        return
    if all(
        arg is capitals[0] or (not self.rank(arg) and (arg.head == "big" or self.rank(arg) == 0)) for arg in factors
    ):
        self.known[str(capitals[0].value)] = 0
        self.guessed.discard(str(capitals[0].value))


#: Rank of a product from left to right: (so far, next) by absolute rank and -1 for a row.
_TIMES: dict[tuple[int, int], int] = {
    (2, 2): 2, (2, 1): 1, (-1, 2): -1, (-1, 1): 0, (1, -1): 2, (1, 2): 1, (1, 1): 0, (-1, -1): 0, (2, -1): -1,
}  # fmt: skip


def _mul(self: Ranks, tree: Tree) -> Rank:
    if tree.value in {"odot", "star"}:
        return self.agree(tree.args)
    so_far, certain = 0, True
    for arg in tree.args:
        rank = self.rank(arg)
        if rank is None:
            if so_far in {2, -1} or tree.value == "@" or (tree.value == "." and so_far):
                self.want(arg, 1)
                rank = 1
            else:
                certain = False
                continue
        if rank:
            so_far = rank if so_far == 0 else _TIMES.get((so_far, rank), rank)
    return so_far if so_far or certain else None


def _div(self: Ranks, tree: Tree) -> Rank:
    top, bottom = tree.args
    for part in bottom.args if bottom.head in {"mul", "pow"} else (bottom,):
        if part.head == "name" and part.value in self.guessed and not self.least.get(str(part.value)):
            self.known[str(part.value)] = 0
    if tree.value == "odot":
        return self.agree(tree.args)
    above, below = self.rank(top), self.rank(bottom)
    return above if above is None or above else below


def _pow(self: Ranks, tree: Tree) -> Rank:
    self.rank(tree.args[1])
    return self.rank(tree.args[0])


def _neg(self: Ranks, tree: Tree) -> Rank:
    return self.rank(tree.args[0])


def _transpose(self: Ranks, tree: Tree) -> Rank:
    rank = self.need(tree.args[0])
    return -rank if abs(rank) == 1 and not self.numpy else rank


def _norm(self: Ranks, tree: Tree) -> Rank:
    self.need(tree.args[0])
    for order in tree.args[1:]:
        self.rank(order)
    return 0


def _inner(self: Ranks, tree: Tree) -> Rank:
    for arg in tree.args:
        self.need(arg)
    return 0


def _bars(self: Ranks, tree: Tree) -> Rank:
    rank = self.rank(tree.args[0])
    return 0 if rank == 2 else rank


def _big(self: Ranks, tree: Tree) -> Rank:
    rank = self.rank(tree.args[0])
    for binder in tree.args[1:]:
        if kind(binder) == "where":
            for compare in binder.args:
                self.rank(compare)
    if tree.value != "sum" or not any(indices(binder) for binder in tree.args[1:]):
        return 0
    return 0 if rank and tree.args[0].head in {"pow", "bars"} else rank


def _cases(self: Ranks, tree: Tree) -> Rank:
    for tested in tree.args[1::2]:
        self.rank(tested)
    return self.agree(tree.args[::2])


def _array(self: Ranks, tree: Tree) -> Rank:
    """A matrix or vector of scalars, or of blocks: beside a matrix a letter is a column."""
    ranks = [self.rank(arg) for arg in tree.args]
    if any(rank == 2 for rank in ranks):
        for arg, rank in zip(tree.args, ranks, strict=True):
            if rank is None and literal(arg) is None:
                self.want(arg, 1)
        return 2
    if any(ranks) and extent(tree)[1] is None:
        return 1 if 1 in ranks or len(tree.value) == 2 else -1  # type: ignore[arg-type]
    return 1 if extent(tree)[1] in {None, 1} else 2


def _assemble(self: Ranks, tree: Tree) -> Rank:
    rank = self.rank(tree.args[0])
    return None if rank is None else len(indices(tree)) + abs(rank)


def _call(self: Ranks, tree: Tree) -> Rank:
    name = str(tree.value)
    found = self.definitions.get(name)
    if found is not None:
        return self.of_name(name) if found.parameters is None else _user_call(self, found, tree)
    args = [arg for arg in tree.args if arg.head != "keyword"]
    handler = _CALLS.get(name)
    return handler(self, args) if handler is not None else self.agree(args) if args else 0


def _user_call(self: Ranks, found: Definition, tree: Tree) -> Rank:
    if self.depth > 20 or len(tree.args) != len(found.parameters or ()):
        return None
    self.calls += 1
    if self.calls > MAX_CALLS:  # calls in calls: each is walked again for every use of a parameter
        return None
    for arg in tree.args:
        self.rank(arg)
    outer, self.parameters = self.parameters, dict(zip(found.parameters or (), tree.args, strict=True))
    self.depth += 1
    try:
        return self.rank(found.body)
    finally:
        self.parameters = outer
        self.depth -= 1


def _whole(self: Ranks, args: Sequence[Tree]) -> Rank:
    """softmax: of a vector or the rows of a matrix."""
    for arg in args:
        rank: Rank = self.need(arg)
    return rank if args else 0


def _to_scalar(self: Ranks, args: Sequence[Tree]) -> Rank:
    for arg in args:
        self.need(arg)
    return 0


def _lower(self: Ranks, args: Sequence[Tree]) -> Rank:
    return max(0, abs(self.need(args[0])) - 1) if args else 0


def _extreme(self: Ranks, args: Sequence[Tree]) -> Rank:
    return _lower(self, args) if len(args) == 1 else self.agree(args)


def _matrix_power(self: Ranks, args: Sequence[Tree]) -> Rank:
    for arg in args[1:]:
        self.rank(arg)
    return _matrix(self, args[:1])


def _eigenvector(self: Ranks, args: Sequence[Tree]) -> Rank:
    _matrix(self, args)
    return 1


def _of_matrix(self: Ranks, args: Sequence[Tree]) -> Rank:
    _matrix(self, args)
    return 0


def _solved(self: Ranks, args: Sequence[Tree]) -> Rank:
    return self.need(args[-1]) if args else None


def _matrix(self: Ranks, args: Sequence[Tree]) -> Rank:
    for arg in args:
        self.need(arg)
    return 2


def _filled(self: Ranks, args: Sequence[Tree]) -> Rank:
    return (len(args[0].args) if args[0].head == "array" else len(args)) if args else 1


def _joined(self: Ranks, args: Sequence[Tree]) -> Rank:
    """Vectors one after the other are a vector, matrices a matrix."""
    parts = args[0].args if args and args[0].head == "array" else args
    return max((abs(self.need(arg)) for arg in parts if arg.head != "keyword"), default=1)


def _onehot(self: Ranks, args: Sequence[Tree]) -> Rank:
    return 1 + (abs(self.rank(args[0]) or 0) if args else 0)


def _matmul(self: Ranks, args: Sequence[Tree]) -> Rank:
    return _mul(self, Tree("mul", tuple(args), "@"))


def _vec(self: Ranks, args: Sequence[Tree]) -> Rank:
    _to_scalar(self, args)
    return 1


def _kron(self: Ranks, args: Sequence[Tree]) -> Rank:
    """Two matrices give a matrix, two columns a column."""
    return max((abs(self.need(arg)) for arg in args), default=2)


def _diag(self: Ranks, args: Sequence[Tree]) -> Rank:
    return 1 if args and abs(self.need(args[0])) == 2 else 2


def _of_rank(rank: int, result: int) -> Callable[[Ranks, Sequence[Tree]], Rank]:
    """A function of tensors of one rank."""

    def handler(self: Ranks, args: Sequence[Tree]) -> Rank:
        for arg in args:
            if self.rank(arg) is None:
                self.want(arg, rank)
        return result

    return handler


#: Heads that have the rank of their first part.
_LIKE_FIRST = frozenset({"neg", "pow", "div", "transpose", "bars", "big"})
_TO_SCALAR = frozenset({"sum", "mean", "var", "std", "norm", "norm1", "tr", "Tr", "trace", "det", "logdet", "overline"})
_CALLS: dict[str, Callable[[Ranks, Sequence[Tree]], Rank]] = {
    **dict.fromkeys(_TO_SCALAR, _to_scalar),
    **dict.fromkeys(("softmax", "log_softmax", "logsoftmax", "argmax", "products_of_others"), _whole),
    **dict.fromkeys(("logsumexp", "lse", "LSE", "amax", "amin", "prod"), _lower),
    **dict.fromkeys(("max", "min", "maximum", "minimum"), _extreme),
    **dict.fromkeys(("inv", "inverse", "outer", "eye", "identity", "pinv", "polar", "adj"), _matrix),
    **dict.fromkeys(
        ("expm", "logm", "sinm", "cosm", "sqrtm", "chol", "tril", "halftril", "diagsum", "sylvester"), _matrix
    ),
    **dict.fromkeys(("nucnorm", "eigmax", "eigmin", "specnorm", "sigma_min", "eigvals"), _of_matrix),
    **dict.fromkeys(("maxeigvec", "mineigvec"), _eigenvector),
    "matrix_power": _matrix_power,
    "solve": _solved,
    **dict.fromkeys(("ones", "zeros"), _filled),
    **dict.fromkeys(("onehot", "one_hot"), _onehot),
    "counting": lambda _self, _args: 1,
    **dict.fromkeys(("dot", "matmul", "inner"), _matmul),
    **dict.fromkeys(("rowsum", "colsum"), _of_rank(2, 1)),
    "diag": _diag,
    **dict.fromkeys(("conv1d", "correlate"), _of_rank(1, 1)),
    "cross": _of_rank(1, 1),
    "conv2d": _of_rank(2, 2),
    "conv3d": _of_rank(3, 2),
    "vec": _vec,
    **dict.fromkeys(("concatenate", "hstack"), _joined),
    "vstack": lambda self, args: _joined(self, args) and 2,
    "unfold": lambda self, args: _matrix(self, args[:1]),
    "commutation": lambda self, args: 2,
    "kron": _kron,
    "stacking": lambda self, args: 3,
    "transpose": lambda self, args: _transpose(self, Tree("transpose", tuple(args[:1]))) if args else 0,
}
_RANKS: dict[str, Callable[[Ranks, Tree], Rank]] = {
    "name": _name, "index": _index, "add": _add, "mul": _mul, "div": _div, "pow": _pow, "neg": _neg,
    "transpose": _transpose, "norm": _norm, "inner": _inner, "bars": _bars, "big": _big, "cases": _cases,
    "compare": _add, "and": _add, "indicator": _neg, "array": _array, "assemble": _assemble, "call": _call,
}  # fmt: skip
