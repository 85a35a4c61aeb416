"""Dimensions: declared, unknown until something tells, or guessed at the end.

Contract: `unify` makes two dimensions equal or says that they are not; `Outlines` does with shapes alone what
`symgrad.expr` does with expressions, so that one elaborator serves both; `read_shapes` and `read_assumptions` read what
users declare; `name_unknowns` gives the dimensions that nobody named their usual letters, always the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from symgrad.dims import is_name, names
from symgrad.dims import product as dim_product
from symgrad.errors import InputError, LimitError, ShapeError
from symgrad.expr import Dim, Shape

#: Letters for dimensions that nobody named, in the order in which they are used up.
LETTERS = ("m", "n", "p", "q", "r", "k", "d", "h", "s", "t")
#: Assumptions that only a square matrix can meet, and all there are.  `symmetric_values` are those of a matrix whose
#: entries are differentiated as if they were free, as the covariance of a Gaussian often is.
SQUARE = frozenset(
    {
        "symmetric", "invertible", "positive_definite", "diagonal", "toeplitz", "lower_triangular", "orthogonal",
        "symmetric_values",
    }
)  # fmt: skip
#: Assumptions that say how a source is meant, not what its values are.
READINGS = frozenset({"zero_padded"})
ASSUMPTIONS = SQUARE | READINGS | {"positive", "label", "natural", "distribution"}
MAX_RANK = 8
MAX_DIM = 10**9
Spelling = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of a variable: its shape, what is assumed, and whether the shape is a guess."""

    shape: Shape
    assumptions: frozenset[str] = frozenset()
    guessed: bool = False


# --- unknown dimensions -----------------------------------------------------------------------------------------------


class Unknown:
    """A dimension that nobody has named yet; `same_as` is what it turned out to equal."""

    __slots__ = ("same_as",)

    def __init__(self) -> None:
        self.same_as: Axis | None = None

    def __str__(self) -> str:
        return "?"


class Named(Unknown):
    """A declared dimension that a calculated one may replace: `a` of G turns out to be `n-m+1`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __str__(self) -> str:
        return self.name


Axis = Dim | Unknown


def find(axis: Axis) -> Axis:
    """What `axis` is known to be: a dimension, or the unknown that stands for all equal ones."""
    while isinstance(axis, Unknown) and axis.same_as is not None:
        axis = axis.same_as
    return axis


def unify(one: Axis, other: Axis) -> bool:
    """Make two dimensions equal; False where they are known to differ."""
    if one is other:
        return True
    one, other = find(one), find(other)
    if one is other or one == other:
        return True
    if isinstance(one, Named) or isinstance(other, Named):
        return _unify_named(one, other)
    if isinstance(other, Unknown):
        other.same_as = one
        return True
    if isinstance(one, Unknown):
        one.same_as = other
        return True
    return False


def _unify_named(one: Axis, other: Axis) -> bool:
    """A declared name equals itself, what is unknown, and what is calculated from other names."""
    if not isinstance(one, Named):
        one, other = other, one
    assert isinstance(one, Named)
    if isinstance(other, Named):
        return one.name == other.name
    if isinstance(other, Unknown):
        other.same_as = one
        return True
    if isinstance(other, str) and not is_name(other) and one.name not in names(other):
        one.same_as = other
        return True
    return other == one.name


def may_equal(one: Axis, other: Axis) -> bool:
    """Whether two dimensions are equal or could still become so."""
    one, other = find(one), find(other)
    return one == other or any(isinstance(a, Unknown) and not isinstance(a, Named) for a in (one, other))


def describe(shape: Iterable[Axis], *, row: bool = False) -> str:
    """`∈ R^{m×n}` as people write it, `a scalar` for no axes."""
    dims = [str(find(d)) for d in shape]
    if not dims:
        return "a scalar"
    if row:
        dims = ["1", *dims]
    return "R^" + (dims[0] if len(dims) == 1 else "{" + "×".join(dims) + "}")


class Outline:
    """A tensor of which only the shape is known."""

    __slots__ = ("shape",)

    def __init__(self, shape: tuple[Axis, ...]) -> None:
        self.shape = shape


class Outlines:
    """Expressions without contents: the same constructors as in `symgrad.expr`, with shapes that may be unknown."""

    def __init__(self) -> None:
        self.holes: list[Unknown] = []

    def hole(self) -> Axis:
        """A dimension that the context must tell, such as that of an identity matrix."""
        self.holes.append(Unknown())
        return self.holes[-1]

    @staticmethod
    def contract(
        factors: Iterable[Any], out: tuple[Any, ...] = (), coefficient: Any = 1, sizes: Mapping[Any, Any] | None = None
    ) -> Outline:
        del coefficient
        dims = dict(sizes or {})
        for factor in factors:
            dims.update(zip(factor[1], factor[0].shape, strict=True))
        return Outline(tuple([dims[label] for label in out]))

    @staticmethod
    def add(terms: Iterable[Any]) -> Outline:
        return Outline(next(iter(terms))[1].shape)

    @staticmethod
    def call(op: Any, args: Iterable[Any], params: Iterable[Any] = ()) -> Outline:
        shapes = [arg.shape for arg in args]
        if not op.signature:
            return Outline(max(shapes, key=len, default=()))
        inputs, output = op.axes()
        bound: dict[str, Axis] = dict(zip(op.params, params, strict=True))
        batch: tuple[Axis, ...] = ()
        for shape, axes in zip(shapes, inputs, strict=True):
            cut = len(shape) - len(axes)
            batch = max(batch, shape[:cut], key=len)
            bound.update(zip(axes, shape[cut:], strict=True))
        return Outline(batch + tuple(bound[axis] for axis in output))

    @staticmethod
    def number(value: Any, shape: tuple[Axis, ...] = ()) -> Outline:
        del value
        return Outline(shape)

    @staticmethod
    def delta(dim: Axis) -> Outline:
        return Outline((dim, dim))

    @staticmethod
    def squeezed(node: Outline, axis: int) -> Outline:
        return Outline(node.shape[:axis] + node.shape[axis + 1 :])

    @staticmethod
    def window(dim: Axis, others: Iterable[Axis], strides: Any, offset: Any) -> Outline:
        del strides, offset
        return Outline((dim, *others))

    @staticmethod
    def stacking(rows: Axis, columns: Axis) -> Outline:
        one, other = find(rows), find(columns)
        known = not isinstance(one, Unknown) and not isinstance(other, Unknown)
        both = dim_product(one, other) if known else Unknown()  # type: ignore[arg-type]
        return Outline((rows, columns, both))

    @staticmethod
    def size(dim: Axis) -> Outline:
        del dim
        return Outline(())


def name_unknowns(shapes: Iterable[tuple[Axis, ...]], rest: Iterable[Axis], taken: Iterable[str]) -> list[str]:
    """Name every unknown dimension: matrices have m rows and n columns, square ones n, vectors n entries; the names."""
    used = set(taken)
    given: list[str] = []

    def settle(axis: Axis, wish: str) -> None:
        root = find(axis)
        if isinstance(root, Unknown):
            letter = next(x for x in chain((wish,), _letters() if wish == "n" else _beyond()) if x not in used)
            used.add(letter)
            given.append(letter)
            root.same_as = letter

    ordered = sorted(shapes, key=lambda shape: len(shape) < 2)
    for shape in ordered:
        square = len(shape) == 2 and find(shape[0]) is find(shape[1])
        for k, axis in enumerate(shape):
            settle(axis, "n" if square or len(shape) == 1 else LETTERS[min(k, len(LETTERS) - 1)])
    for axis in rest:
        settle(axis, "n")
    return given


def _letters() -> Iterator[str]:
    return chain(LETTERS, (f"d_{k}" for k in range(1, 10**6)))


def _beyond() -> Iterator[str]:
    """The letters that are left to rows: n is for columns."""
    return (letter for letter in _letters() if letter != "n")


# --- declarations -----------------------------------------------------------------------------------------------------

_DIM = re.compile(r"[^\W\d_]\w*|\d+")


def read_shapes(given: str | Mapping[str, Any] | None, canonical: Spelling) -> dict[str, Shape]:
    """`"W: m n, x: n, lam:"` or the same as a dict: the shape of each variable."""
    if not given:
        return {}
    if not isinstance(given, str | Mapping):
        raise ShapeError("shapes are declared as 'W: m n, x: n' or as a dict")
    shapes: dict[str, Shape] = {}
    for name, body, source, place in _declared(given, canonical):
        shape = _shape(body, source, place)
        if shapes.setdefault(name, shape) != shape:
            raise ShapeError(f"{name} is declared twice, with different shapes", source=source, offset=place)
    return shapes


def _declared(given: str | Mapping[str, Any], canonical: Spelling) -> Iterator[tuple[str, Any, str, int]]:
    """The canonical names of a declaration, each with what is said of it, and the source and place of that."""
    if isinstance(given, str):
        for spelling, body, place in _entries(given):
            yield _named(spelling, canonical, given, place), body, given, place
    else:
        for spelling, body in given.items():
            yield _named(str(spelling), canonical, "", 0), body, "", 0


def _named(spelling: str, canonical: Spelling, source: str, place: int) -> str:
    try:
        return canonical(spelling)
    except InputError as error:
        if source:
            error.source, error.offset, error.end = source, place, place + max(1, len(spelling))
        raise


def _entries(text: str) -> Iterator[tuple[str, str, int]]:
    """`name: body` pairs of a declaration with the place of each name; separated by commas, semicolons or lines."""
    if len(text) > 10_000:
        raise LimitError("this declaration is too long", source=text, code="LIMIT_LENGTH")
    for part in re.finditer(r"[^,;\n]+", text):
        whole = part.group()
        if not whole.strip():
            continue
        place = part.start() + len(whole) - len(whole.lstrip())
        name, colon, body = whole.partition(":")
        if not colon or not name.strip():
            raise InputError(
                "a declaration is a name, a colon and what it declares", source=text, offset=place,
                end=place + len(whole.strip()), hint='write "W: m n, x: n, lam:"',
            )  # fmt: skip
        yield name.strip(), body.strip(), place


def _shape(body: Any, source: str, place: int) -> Shape:
    """One shape: words separated by spaces or ×, or a sequence of dimensions."""
    if isinstance(body, str):
        body = [word for word in re.split(r"[\s×*()\[\]]+|\bx\b", body) if word]
    elif isinstance(body, int):
        body = [body]
    if not isinstance(body, Iterable):
        raise ShapeError(f"{body!r} is no shape", source=source, offset=place, hint='write "W: m n"')
    dims = tuple(_dim(word, source, place) for word in body)
    if len(dims) > MAX_RANK:
        raise LimitError(f"a tensor may have {MAX_RANK} axes", source=source, offset=place)
    return dims


def _dim(word: Any, source: str, place: int) -> Dim:
    text = str(word)
    if isinstance(word, bool) or not isinstance(word, int | str) or not _DIM.fullmatch(text) or len(text) > 64:
        raise ShapeError(
            f"{text[:40]!r} is no dimension", source=source, offset=place,
            hint="a dimension is a name or a whole number",
        )  # fmt: skip
    if not text[0].isdigit():
        return text
    if int(text) < 1 or int(text) > MAX_DIM:
        raise ShapeError(f"a dimension must be at least 1, not {text}", source=source, offset=place, code="DOMAIN")
    return int(text)


def read_assumptions(given: str | Mapping[str, Any] | None, canonical: Spelling) -> dict[str, frozenset[str]]:
    """`"A: symmetric + invertible, y: label"` or the same as a dict."""
    if not given:
        return {}
    if not isinstance(given, str | Mapping):
        raise InputError("assumptions are declared as 'A: symmetric, y: label' or as a dict")
    found: dict[str, frozenset[str]] = {}
    for name, body, source, place in _declared(given, canonical):
        words = re.split(r"[+\s]+", body) if isinstance(body, str) else [str(word) for word in body]
        for word in words:
            if word and word not in ASSUMPTIONS:
                raise InputError(
                    f"nothing is known of the assumption {word[:40]!r}", source=source, offset=place,
                    hint="known are " + ", ".join(sorted(ASSUMPTIONS)),
                )  # fmt: skip
        found[name] = found.get(name, frozenset()) | frozenset(word for word in words if word)
    return found
