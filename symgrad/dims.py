"""Dimensions: whole numbers, names, and what is calculated from names, such as `n-m+1` or `(n-k)//2+1`.

Contract: a dimension is an `int` or a `str` in one canonical spelling, so that equal dimensions are equal objects to
every dictionary.  `combine` and `quotient` calculate with them, `value` puts numbers in, `names` says which.  A
dimension is linear in its atoms; an atom is a name or a quotient rounded down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

Dim = int | str
T = TypeVar("T")
#: A sum: the coefficient of each atom, the constant under the empty name.
Linear = dict[str, int]


#: What a calculated dimension is made of; any other string is a name, whatever it looks like.
_CALCULATED = re.compile(r"(?=.*[-+*/])-?[^\W_][\w+*/()-]*|-?\([\w+*/()-]*\)//[\w+*/()-]*")
_COEFFICIENT = re.compile(r"([+-]?)(?:(\d+)(?![\d*])|(?:(\d+)\*)?)")


def is_name(dim: Dim) -> bool:
    """Whether a dimension is a single name."""
    return isinstance(dim, str) and _CALCULATED.fullmatch(dim) is None


def combine(terms: Iterable[tuple[int, Dim]], constant: int = 0) -> Dim:
    """Σ coefficient · dimension + constant.

    >>> combine([(1, "n"), (-1, "m")], 1)
    'n-m+1'
    >>> combine([(1, "n-m+1"), (1, "m")])
    'n+1'
    """
    total: Linear = {"": constant}
    for coefficient, dim in terms:
        for atom, times in linear(dim).items():
            total[atom] = total.get(atom, 0) + coefficient * times
    return _written(total)


def quotient(dim: Dim, divisor: Dim) -> Dim:
    """⌊dim / divisor⌋, both at least 0 where it is used."""
    if divisor == 1:
        return dim
    if isinstance(dim, int) and isinstance(divisor, int):
        return dim // divisor
    if not isinstance(divisor, int):
        return f"({dim})//{divisor}"
    whole = {atom: k // divisor for atom, k in linear(dim).items() if k % divisor == 0 or not atom}
    rest = combine([(1, dim), (-divisor, _written(whole))])
    return _written(whole) if rest == 0 else combine([(1, f"({rest})//{divisor}"), (1, _written(whole))])


def times(one: Dim, other: Dim) -> Dim:
    """The product of two dimensions, multiplied out; `ValueError` for one of a quotient that is rounded."""
    parts: list[tuple[int, Dim]] = []
    for left, k in linear(one).items():
        for right, j in linear(other).items():
            if left and right and "(" in (left[0], right[0]):
                raise ValueError(f"the product of {one} and {other} is no dimension")
            factors = sorted(atom for part in (left, right) if part for atom in _factors(part))
            parts.append((k * j, "*".join(factors) if factors else 1))
    return combine(parts)


def product(*dims: Dim) -> Dim:
    """The dimension of stacked axes.

    >>> product("n", "m"), product(2, "m", 3)
    ('m*n', '6*m')
    """
    found: Dim = 1
    for dim in dims:
        found = times(found, dim)
    return found


def factors(dim: Dim) -> tuple[Dim, ...]:
    """The dimensions whose product `dim` is: 6·m is (6, m); what is no product is itself."""
    parts = linear(dim)
    if isinstance(dim, int) or len(parts) != 1:
        return (dim,)
    ((atom, coefficient),) = parts.items()
    return (*(() if coefficient == 1 else (coefficient,)), *_factors(atom))


def _factors(atom: str) -> list[str]:
    return [atom] if atom.startswith("(") else atom.split("*")


@lru_cache(maxsize=4096)
def _linear(dim: str) -> tuple[tuple[str, int], ...]:
    total: Linear = {}
    place = 0
    while place < len(dim):
        match = _COEFFICIENT.match(dim, place)
        assert match is not None
        sign = -1 if match[1] == "-" else 1
        place = match.end()
        if match[2]:
            total[""] = total.get("", 0) + sign * int(match[2])
            continue
        end = _atom_end(dim, place)
        atom = dim[place:end]
        total[atom] = total.get(atom, 0) + sign * int(match[3] or 1)
        place = end
    return tuple(total.items())


def _atom_end(dim: str, place: int) -> int:
    depth = 0
    for k in range(place, len(dim)):
        depth += (dim[k] == "(") - (dim[k] == ")")
        if depth == 0 and dim[k] in "+-" and k > place:
            return k
    return len(dim)


def linear(dim: Dim) -> Linear:
    """A dimension as coefficients of its atoms; the constant is under the empty name."""
    if isinstance(dim, int):
        return {"": dim}
    return {dim: 1} if is_name(dim) else dict(_linear(dim))


def _written(total: Linear) -> Dim:
    atoms = [(atom, k) for atom, k in total.items() if atom and k]
    constant = total.get("", 0)
    if not atoms:
        return constant
    atoms.sort(key=lambda term: (term[1] < 0, term[0]))
    parts = [("-" if k < 0 else "+") + (atom if abs(k) == 1 else f"{abs(k)}*{atom}") for atom, k in atoms]
    text = "".join(parts) + (f"{constant:+d}" if constant else "")
    return text.removeprefix("+")


def split(atom: str) -> tuple[str, str, str]:
    """(operator, left, right) of an atom; no operator for a name."""
    if atom.startswith("("):
        left, _, right = atom.rpartition(")//")
        return "//", left[1:], right
    left, star, right = atom.partition("*")
    return ("*", left, right) if star else ("", atom, "")


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"//": lambda a, b: a // b, "*": lambda a, b: a * b}


def value(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number that a dimension is, given those of its names; `KeyError` where one is missing."""
    if isinstance(dim, int):
        return dim
    found = sizes.get(dim)
    return int(found) if found is not None else evaluated(dim, lambda name: int(sizes[name]), int)


def evaluated(dim: Dim, of: Callable[[str], Any], whole: Callable[[int], Any]) -> Any:
    """A dimension in any numbers that add, multiply and divide rounding down, given those of names and of integers.

    >>> evaluated("(n-k)//2+1", {"n": 9, "k": 2}.__getitem__, int)
    4
    """

    def total(terms: list[tuple[int, Any]]) -> Any:
        return sum((whole(k) if part is None else k * part for k, part in terms), whole(0))

    return fold(dim, of, lambda operator, one, other: _OPERATORS[operator](one, other), total)


def fold(
    dim: Dim, of: Callable[[str], T], atom: Callable[[str, T, T], T], total: Callable[[list[tuple[int, T | None]]], T]
) -> T:
    """Bottom-up value of a dimension: `of` a name, of an `atom` made by * or //, and the `total` of terms.

    A term is a coefficient and its part; the constant has none.

    >>> fold("2*n+1", str, lambda operator, one, other: f"{one} {operator} {other}", str)
    "[(2, 'n'), (1, None)]"
    """
    terms: list[tuple[int, T | None]] = []
    for name, coefficient in linear(dim).items():
        operator, left, right = split(name)
        if operator:
            part: T | None = atom(operator, *(fold(number(side), of, atom, total) for side in (left, right)))
        else:
            part = of(name) if name else None
        terms.append((coefficient, part))
    return total(terms)


def at_least(dim: Dim, other: Dim) -> bool:
    """Whether dim ≥ other for certain: a quotient ⌊a/k⌋ is at least (a-k+1)/k and at most a/k, and names are ≥ 1."""
    terms = linear(combine([(1, dim), (-1, other)]))
    for atom in [a for a in terms if a.startswith("(")]:
        _, left, right = split(atom)
        if not right.isdigit():
            return _same_divisor(dim, other)
        if terms[atom] % int(right):
            if _same_divisor(dim, other):
                return True
            terms = {name: k * int(right) for name, k in terms.items()}
        coefficient = terms.pop(atom)
        divisor, times = int(right), coefficient // int(right)
        inner = linear(number(left)) if coefficient < 0 else linear(combine([(1, number(left))], 1 - divisor))
        for name, k in inner.items():
            terms[name] = terms.get(name, 0) + times * k
    if any(k < 0 for name, k in terms.items() if name):
        return False
    return terms.get("", 0) + sum(k for name, k in terms.items() if name) >= 0


def _same_divisor(dim: Dim, other: Dim) -> bool:
    """⌊a/k⌋ + c ≥ ⌊b/k⌋ + c where a ≥ b."""
    parts = [linear(d) for d in (dim, other)]
    atoms = [[a for a in p if a.startswith("(")] for p in parts]
    if any(len(a) != 1 for a in atoms) or any(p[a[0]] != 1 for p, a in zip(parts, atoms, strict=True)):
        return False
    (_, one, divisor), (_, two, other_divisor) = (split(a[0]) for a in atoms)
    rest = [
        combine([(k, name or 1) for name, k in p.items() if name != a[0]]) for p, a in zip(parts, atoms, strict=True)
    ]
    return divisor == other_divisor and at_least(number(one), number(two)) and at_least(*rest)


def number(text: str) -> Dim:
    """A part of an atom as a dimension."""
    return int(text) if text.isdigit() else text


def names(dim: Dim) -> tuple[str, ...]:
    """The names that a dimension is made of."""
    found: dict[str, None] = {}
    waiting: list[Dim] = [dim]
    while waiting:
        for atom in linear(waiting.pop()):
            operator, left, right = split(atom)
            if operator:
                waiting += [number(right), number(left)]
            elif atom:
                found[atom] = None
    return tuple(found)


def rename(dim: Dim, others: Mapping[str, Dim]) -> Dim:
    """A dimension with other dimensions in place of some of its names."""
    if isinstance(dim, int) or dim in others:
        return dim if isinstance(dim, int) else others[dim]
    total: list[tuple[int, Dim]] = []
    for atom, coefficient in linear(dim).items():
        operator, left, right = split(atom)
        if not atom:
            total.append((coefficient, 1))
        elif operator:
            inner = [rename(number(part), others) for part in (left, right)]
            total.append((coefficient, (quotient if operator == "//" else times)(*inner)))
        else:
            total.append((coefficient, others.get(atom, atom)))
    return combine(total)
