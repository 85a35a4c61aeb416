"""Polynomial identity testing: two expressions are equal because they are so modulo a large prime at random points.

Contract: `identity(left, right)` is a bound on the probability that two expressions which agreed at random points of
the field of 2^61 - 1 elements are different, or None where they did not agree or cannot be judged so.  Both are taken
as rational functions of their atoms: the entries of variables, and the values of every function that is not rational
(an exponential, a comparison, a root), where equal arguments have equal values and nothing else is known.  By the lemma
of Schwartz and Zippel a rational function of degree d that is not zero vanishes with a probability of at most d / p.
This holds for the sizes that were looked at, all of them different.  `distinct(left, right)` is the other direction,
and no matter of chance: rational functions of the entries alone that differ at a point of the field are not the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from symgrad.dims import value as size_of
from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Contraction, Node, Rational, Sum, Variable, postorder
from symgrad.ops import OPERATIONS
from symgrad.verify.interpret import Arithmetic, ObjectArrays, interpret, object_einsum
from symgrad.verify.points import SIZES, TINY, Sampler

PRIME = 2**61 - 1
TRIALS = 2
#: Contractions over more entries than this are not worth the exact arithmetic.
MAX_ENTRIES = 5000
#: Operations that are rational functions, and assumptions under which entries are free to vary.
RATIONAL = frozenset({"inverse", "det", "onehot"})
FREE = frozenset({"label", "positive", "invertible", "symmetric", "symmetric_values", "positive_definite", "diagonal"})


def identity(left: Node, right: Node, seed: int = 0) -> float | None:
    """A bound on the probability that `left` and `right` differ though they agreed, or None."""
    import numpy as np

    sampler = Sampler(left, seed, (right,))
    if any("orthogonal" in v.assumptions for v in sampler.variables):
        return None
    worst = 0.0
    for sizes in (sampler.assign(TINY), sampler.assign(SIZES[0])):
        if any(_volume(node, sizes) > MAX_ENTRIES for node in postorder([left, right])):
            return None
        missed = 1.0
        for _ in range(TRIALS):
            field = _Field(int(sampler.rng.integers(2**62)))
            values = {v.name: field.point(v, sizes, sampler) for v in sampler.variables}
            try:
                one, other = (interpret(node, values, sizes, field.arithmetic()) for node in (left, right))
            except (ZeroDivisionError, UnsupportedError):
                return None
            if np.any(np.asarray(one - other, dtype=object) % PRIME != 0):
                return None
            count = len(field.atoms)
            missed *= (1 + count * count) * max(_degree(left, sizes), _degree(right, sizes)) * 2 / PRIME
        worst = max(worst, missed)
    return worst if worst < 1e-9 else None


def distinct(left: Node, right: Node, seed: int = 0) -> bool:
    """Whether two expressions are certainly different: rational functions of free entries, with unequal values."""
    import numpy as np

    sampler = Sampler(left, seed, (right,))
    free = all(v.assumptions <= FREE for v in sampler.variables)
    sizes = sampler.assign(TINY)
    nodes = postorder([left, right])
    if not free or not all(map(_is_rational, nodes)) or any(_volume(node, sizes) > MAX_ENTRIES for node in nodes):
        return False
    field = _Field(int(sampler.rng.integers(2**62)))
    values = {v.name: field.point(v, sizes, sampler) for v in sampler.variables}
    try:
        one, other = (interpret(node, values, sizes, field.arithmetic()) for node in (left, right))
    except (ZeroDivisionError, UnsupportedError):
        return False
    return not field.atoms and bool(np.any(np.asarray(one - other, dtype=object) % PRIME != 0))


def _is_rational(node: Node) -> bool:
    if isinstance(node, Call):
        return node.op.name in RATIONAL
    return not isinstance(node, Contraction) or all(power.denominator == 1 for _, _, power in node.factors)


def certificate(chance: float) -> str:
    """What an identity says, in words."""
    return f"both are the same rational function, modulo 2^61 - 1 at random points; the chance of error is {chance:.0e}"


def _volume(node: Node, sizes: Mapping[str, int]) -> int:
    volume = 1
    for dim in node.sizes if isinstance(node, Contraction) else node.shape:
        volume *= size_of(dim, sizes)
    return volume


def _degree(root: Node, sizes: Mapping[str, int]) -> int:
    """A bound on the degrees of numerator and denominator of every entry, in the atoms."""
    degrees: dict[Node, int] = {}
    for node in postorder([root]):
        inner = [degrees[child] for child in node.children]
        if isinstance(node, Sum):
            degrees[node] = sum(inner)
        elif isinstance(node, Contraction):
            each = sum(degrees[f] * max(1, abs(p.numerator)) for f, _, p in node.factors)
            # A sum of quotients has the product of their denominators.
            summed = 1
            for dim in node.sizes[node.rank :]:
                summed *= size_of(dim, sizes)
            degrees[node] = each * summed
        elif isinstance(node, Call) and node.op.name in {"inverse", "det"}:
            n = node.args[0].shape[-1]
            degrees[node] = inner[0] * size_of(n, sizes) ** 2
        else:
            degrees[node] = 1
    return max(degrees.values())


class _Field:
    """Arithmetic modulo the prime; what is not rational has random values, the same for the same argument."""

    def __init__(self, seed: int) -> None:
        import numpy as np

        self.rng = np.random.default_rng(seed)
        self.atoms: dict[tuple[Any, ...], int] = {}

    def atom(self, *key: Any) -> int:
        if key not in self.atoms:
            self.atoms[key] = int(self.rng.integers(1, PRIME))
        return self.atoms[key]

    def point(self, v: Variable, sizes: Mapping[str, int], sampler: Sampler) -> Any:
        """Random entries; labels are those of the sampler."""
        import numpy as np

        if "label" in v.assumptions:
            return sampler.draw(sizes).values[v.name]
        shape = tuple(size_of(d, sizes) for d in v.shape)
        value = np.empty(shape, dtype=object)
        for index in np.ndindex(*shape):
            value[index] = int(self.rng.integers(1, PRIME))
        if "distribution" in v.assumptions:
            value[..., -1] = (1 - np.sum(value[..., :-1], axis=-1)) % PRIME
        if v.assumptions & {"symmetric", "positive_definite", "symmetric_values"}:
            value = value + value.T
        return value * np.eye(shape[0], dtype=int).astype(object) if "diagonal" in v.assumptions else value

    def arithmetic(self) -> Arithmetic:
        functions = {op.name: self.function(op.name, len(op.signature) > 0) for op in OPERATIONS.values()}
        functions |= {"inverse": _matrices(_inverse), "det": _matrices(lambda rows: _eliminated(rows)[1])}
        return Arithmetic(ObjectArrays(), functions, _residue, self.power, object_einsum, _onehot)

    def function(self, name: str, whole: bool) -> Any:
        """An operation with random values: of each entry, or (where it looks at whole axes) not known here."""
        import numpy as np

        def entrywise(*args: Any) -> Any:
            if not args:
                return self.atom(name)
            reduced = [np.asarray(a, dtype=object) % PRIME for a in args]
            return np.frompyfunc(lambda *entries: self.atom(name, *entries), len(args), 1)(*reduced)

        def unknown(*args: Any) -> Any:
            raise UnsupportedError(f"{name} looks at whole axes and is no rational function")

        return unknown if whole else entrywise

    def power(self, x: Any, exponent: Rational) -> Any:
        import numpy as np

        value = np.asarray(x, dtype=object) % PRIME
        whole, part = divmod(Fraction(exponent), 1)
        if part:
            root = np.frompyfunc(lambda entry: self.atom("root", part, entry), 1, 1)(value)
            return root if not whole else root * self.power(x, whole)
        return np.frompyfunc(lambda entry: _powered(entry, whole), 1, 1)(value)


def _powered(entry: int, exponent: int) -> int:
    if exponent < 0 and entry % PRIME == 0:
        raise ZeroDivisionError
    return pow(int(entry), int(exponent), PRIME)


def _residue(value: Rational) -> int:
    if value.denominator % PRIME == 0:
        raise ZeroDivisionError
    return value.numerator * pow(value.denominator, -1, PRIME) % PRIME


def _onehot(labels: Any, classes: int) -> Any:
    import numpy as np

    return np.eye(classes, dtype=int)[np.asarray(labels).astype(int)].astype(object)


# --- matrices ---------------------------------------------------------------------------------------------------------


def _matrices(function: Any) -> Any:
    """A function of one matrix on stacks of them."""
    import numpy as np

    def mapped(x: Any) -> Any:
        flat = (np.asarray(x, dtype=object) % PRIME).reshape(-1, *x.shape[-2:])
        found = [function(matrix.tolist()) for matrix in flat]
        values = np.array(found, dtype=object)
        return values.reshape((*x.shape[:-2], *values.shape[1:]))[()]

    return mapped


def _inverse(rows: list[list[int]]) -> list[list[int]]:
    return _eliminated(rows)[0]


def _eliminated(rows: list[list[int]]) -> tuple[list[list[int]], int]:
    """The inverse and the determinant, by elimination."""
    n, determinant = len(rows), 1
    work = [[*row, *(int(k == i) for k in range(n))] for i, row in enumerate(rows)]
    for column in range(n):
        pivot = next((i for i in range(column, n) if work[i][column] % PRIME), None)
        if pivot is None:
            raise ZeroDivisionError
        if pivot != column:
            work[column], work[pivot] = work[pivot], work[column]
            determinant = -determinant
        head = work[column][column]
        determinant = determinant * head % PRIME
        scale = pow(head, -1, PRIME)
        work[column] = [entry * scale % PRIME for entry in work[column]]
        for i in range(n):
            if i != column and work[i][column]:
                times = work[i][column]
                work[i] = [(a - times * b) % PRIME for a, b in zip(work[i], work[column], strict=True)]
    return [row[n:] for row in work], determinant % PRIME


__all__ = ["PRIME", "certificate", "distinct", "identity"]
