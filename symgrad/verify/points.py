"""Where to look: sample points chosen to expose mistakes.

Contract: seeded, several shapes (unequal sizes, batch > 1, each dimension once 1, 2, 3 and beyond), both signs, several
magnitudes, of all variables and of each one alone; fixed stress points beside random ones; assumptions hold; labels lie
within their classes; points where the function does not exist are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

from symgrad.dims import is_name, linear, names, value
from symgrad.expr import Call, Contraction, Dim, Node, Size, Variable, Window, postorder, variables

SIZES = ((2, 3, 4, 5, 6, 7), (3, 2, 5, 4, 7, 6), (5, 4, 2, 3, 6, 7))
TINY = (2, 3, 2, 3, 2, 3)
ONES = (1, 2, 1, 3, 1, 2)
#: Sizes that claims see beside those of the witnesses, so that each dimension is once 1, 2, 3, and beyond 7.
MORE = ((4, 1, 3, 2, 5, 6), (6, 5, 4, 1, 2, 3), (5, 6, 2, 4, 3, 1), (9, 8, 11, 10, 13, 12))
MAGNITUDES = (1.0, 1e-3, 30.0, 1e3, 1e7)
#: One variable alone is so many times as large as the others: a term that is hidden elsewhere shows at 0.
LOPSIDED = (0.0, 1e-6, 1e5)
MAX_CONDITION = 1e6


@dataclass(frozen=True, slots=True)
class Point:
    """Named arrays and the sizes of their dimensions."""

    values: Mapping[str, Any]
    sizes: Mapping[str, int]
    magnitude: float = 1.0


def dimensions(*roots: Node) -> list[str]:
    """The symbolic dimensions of some expressions, in order of appearance."""
    found: dict[str, None] = {}
    for inner in postorder(roots):
        found.update((name, None) for d in inner.shape for name in names(d))
        if isinstance(inner, Call):
            found.update((name, None) for p in inner.params if isinstance(p, str) for name in names(p))
        if isinstance(inner, Size):
            found.update((name, None) for name in names(inner.dim))
        if isinstance(inner, Window):
            found.update((name, None) for d in (inner.offset, *inner.strides) for name in names(d))
    return list(found)


def classes(*roots: Node) -> dict[str, Dim]:
    """How many classes each label variable has."""
    return {
        inner.args[0].name: inner.params[0]
        for inner in postorder(roots)
        if isinstance(inner, Call) and inner.op.name == "onehot" and isinstance(inner.args[0], Variable)
    }


class Sampler:
    """Draws points of a function and of the expressions beside it, for one seed."""

    def __init__(self, function: Node, seed: int, beside: tuple[Node, ...] = (), stream: int = 0) -> None:
        """`stream` tells apart the uses of one seed."""
        import numpy as np

        self.rng = np.random.default_rng([seed, 20_260_101, stream] if stream else [seed, 20_260_101])
        self.variables = list(dict.fromkeys(v for root in (function, *beside) for v in variables(root)))
        self.dims = dimensions(function, *beside)
        self.classes = classes(function, *beside)
        shapes = [node.shape for node in postorder((function, *beside))]
        self.calculated = list(dict.fromkeys(d for s in shapes for d in s if isinstance(d, str) and not is_name(d)))

    def shapes(self) -> Iterator[dict[str, int]]:
        """Sizes to use: all different in each set, and one set with sizes of one."""
        for row in SIZES:
            yield self.assign(row)
        if self.dims:
            yield self.assign(ONES)

    def assign(self, row: tuple[int, ...]) -> dict[str, int]:
        sizes = {d: row[k % len(row)] for k, d in enumerate(self.dims)}
        self.make_room(sizes)
        for v in self.variables:
            if "orthogonal" in v.assumptions and v.rank == 2 and value(v.shape[0], sizes) < value(v.shape[1], sizes):
                sizes.update((name, value(v.shape[1], sizes) + 1) for name in names(v.shape[0]))
        # A label needs at least two classes for its loss to be one.
        for dim in self.classes.values():
            if isinstance(dim, str) and sizes.get(dim, 2) < 2:
                sizes[dim] = 2
        return sizes

    def make_room(self, sizes: dict[str, int]) -> None:
        """Enlarge what calculated dimensions are calculated from until each has an entry at least."""
        for _ in range(200):
            small = next((d for d in self.calculated if value(d, sizes) < 1), None)
            if small is None:
                return
            growing = [name for name in names(small) if linear(small).get(name, 1) > 0]
            for name in growing:
                sizes[name] += 1

    def draw(self, sizes: Mapping[str, int], magnitude: float = 1.0, way: str = "normal") -> Point:
        return Point({v.name: self._value(v, sizes, magnitude, way) for v in self.variables}, sizes, magnitude)

    def _value(self, v: Variable, sizes: Mapping[str, int], magnitude: float, way: str) -> Any:
        import numpy as np

        shape = tuple(value(d, sizes) for d in v.shape)
        if "label" in v.assumptions:
            count = self.classes.get(v.name, 2)
            return self.rng.integers(0, value(count, sizes), shape)
        if "natural" in v.assumptions:
            return self.rng.integers(2, 5, shape)
        if way == "mixed":
            way = str(self.rng.choice(MIXED))
        array = np.asarray((WAYS | STRESSES)[way](self.rng, shape)) * (magnitude if way != "unit" else 1.0)
        for word in sorted(v.assumptions):
            if word in STRUCTURES:
                array = STRUCTURES[word](array)
        return array

    def rounded(self, point: Point, steps: int = 16) -> Point:
        """The point with every real value at a multiple of 1/steps: exact everywhere, and readable.

        An orthogonal matrix becomes a permutation with signs, and a distribution keeps its sum, so that they stay so.
        """
        import numpy as np

        short = {}
        for v in self.variables:
            value = np.asarray(point.values[v.name])
            if "orthogonal" in v.assumptions and value.ndim == 2:
                signs = np.where(value[0] < 0, -1.0, 1.0)
                short[v.name] = np.roll(np.eye(*value.shape), 1, axis=0) * signs
            elif "distribution" in v.assumptions:
                largest = np.eye(value.shape[-1])[np.argmax(value, axis=-1)]
                below = np.floor(value * steps) / steps
                short[v.name] = below + largest * (1 - np.sum(below, axis=-1, keepdims=True))
            else:
                short[v.name] = (
                    point.values[v.name] if value.dtype.kind in "iu" else np.round(value * steps) / steps + 0.0
                )
        return Point(short, point.sizes)

    def stressed(self, sizes: Mapping[str, int]) -> Iterator[Point]:
        """Fixed points, the same for every seed but for labels; where the function exists is not asked."""
        for way in STRESSES:
            yield self.draw(sizes, 1.0, way)

    def lopsided(self, sizes: Mapping[str, int], accept: Callable[[Point], bool]) -> Iterator[Point]:
        """Points at which one variable is zero, or much smaller or larger than the others."""
        movable = [v for v in self.variables if not v.assumptions & {"label", "natural"}]
        for v in movable if len(movable) > 1 else []:
            for times in LOPSIDED:
                point = self.valid(sizes, lambda p, v=v, times=times: accept(_scaled(p, v, times)))  # type: ignore[misc]
                if point is not None:
                    yield _scaled(point, v, times)

    def mirrored(self, point: Point) -> Point:
        """The point with the sign of every free entry turned."""
        values = {
            v.name: point.values[v.name] if v.assumptions - {"symmetric", "toeplitz"} else -point.values[v.name]
            for v in self.variables
        }
        return Point(values, point.sizes, point.magnitude)

    def valid(self, sizes: Mapping[str, int], accept: Callable[[Point], bool], magnitude: float = 1.0) -> Point | None:
        """A point that `accept` takes, from ever tamer distributions; None if there is none to be found."""
        for way in chain(["normal"] * 20, ["mixed"] * 20, ["positive"] * 10, ["unit"] * 10, ["dominant"] * 10):
            point = self.draw(sizes, magnitude, way)
            if accept(point):
                return point
        return None


def _scaled(point: Point, v: Variable, times: float) -> Point:
    import numpy as np

    value = np.asarray(point.values[v.name]) * times
    for word in sorted(v.assumptions):
        value = STRUCTURES[word](value) if word in STRUCTURES else value
    return Point({**point.values, v.name: value}, point.sizes, max(1.0, times))


def inverted(*roots: Node) -> list[Node]:
    """The matrices whose inverses occur in some expressions."""
    calls = (node for node in postorder(roots) if isinstance(node, Call))
    return [node.args[0] for node in calls if node.op.name == "inverse"]


def entries(sizes: Mapping[str, int], *roots: Node) -> int:
    """How many entries the largest array or product of some expressions has."""
    largest = 1
    for node in postorder(roots):
        dims = node.sizes if isinstance(node, Contraction) else node.shape
        largest = max(largest, prod(value(d, sizes) for d in dims))
    return largest


def _positive_definite(value: Any) -> Any:
    import numpy as np

    return value @ np.swapaxes(value, -1, -2) + np.eye(value.shape[-1])


def _orthogonal(value: Any) -> Any:
    import numpy as np

    return np.linalg.qr(value)[0]


def _diagonal(value: Any) -> Any:
    import numpy as np

    return np.diag(np.diag(value))


def _toeplitz(value: Any) -> Any:
    import numpy as np

    n = value.shape[-1]
    along = np.concatenate([value[:0:-1, 0], value[0]])
    return along[np.arange(n) - np.arange(n)[:, None] + n - 1]


def _lower_triangular(value: Any) -> Any:
    import numpy as np

    return np.tril(value)


def _distribution(value: Any) -> Any:
    """Weights along the last axis that are positive and sum to one."""
    import numpy as np

    weights = np.abs(value) + 1e-3
    return weights / np.sum(weights, axis=-1, keepdims=True)


def _invertible(value: Any) -> Any:
    import numpy as np

    return value + 3 * np.max(np.abs(value)) * np.eye(value.shape[-1])


def _filled(shape: tuple[int, ...], entry: Callable[[Any], Any]) -> Any:
    import numpy as np

    return np.asarray(entry(np.arange(prod(shape))), dtype=float).reshape(shape)


def _dominant(value: Any) -> Any:
    """Square matrices with large diagonals: definite symmetric parts, and eigenvalues that are positive."""
    import numpy as np

    square = value.ndim > 1 and value.shape[-1] == value.shape[-2]
    return value + 3 * value.shape[-1] * np.eye(value.shape[-1]) if square else abs(value)


WAYS: dict[str, Callable[[Any, tuple[int, ...]], Any]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 2.5, size=shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "dominant": lambda rng, shape: _dominant(rng.normal(size=shape)),
}
#: The same numbers at every seed: all equal, of either sign, in turn, growing along each axis.
STRESSES: dict[str, Callable[[Any, tuple[int, ...]], Any]] = {
    "ones": lambda rng, shape: _filled(shape, lambda k: 1.0 + 0 * k),
    "minus ones": lambda rng, shape: _filled(shape, lambda k: -1.0 + 0 * k),
    "alternating": lambda rng, shape: _filled(shape, lambda k: (0.5 + k % 3) * (-1) ** k),
    "growing": lambda rng, shape: _filled(shape, lambda k: (k + 1) / 2),
    "tenths": lambda rng, shape: _filled(shape, lambda k: (1 + k % 7) / 10),
}
MIXED = ("normal", "positive", "unit")
STRUCTURES: dict[str, Callable[[Any], Any]] = {
    "positive": lambda value: abs(value) + 1e-3,
    "symmetric": lambda value: (value + value.swapaxes(-1, -2)) / 2,
    "symmetric_values": lambda value: (value + value.swapaxes(-1, -2)) / 2,
    "positive_definite": _positive_definite,
    "toeplitz": _toeplitz,
    "lower_triangular": _lower_triangular,
    "orthogonal": _orthogonal,
    "diagonal": _diagonal,
    "distribution": _distribution,
    "invertible": _invertible,
}
