"""Numbers for the variables: reading `x=-2, W=[[0.1, 0.5], [-0.3, 0.8]]`, and fitting them to the shapes.

Contract: `read_point` turns text into nested lists and never evaluates anything; `fitted` gives float64 arrays and the
size of every dimension, or says which variable has no value, too many axes, or a size that contradicts another one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from symgrad.errors import DomainError, InputError, LimitError, ShapeError, UsageError
from symgrad.expr import Call, Node, Shape, Variable, postorder
from symgrad.notation.names import canonical, to_text

MAX_NUMBERS = 10_000
_NUMBER = r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(rf"\s*(?:(?P<number>{_NUMBER})|(?P<mark>[\[\],;]))\s*")
_NAME = re.compile(r"\s*(?P<name>[^=\[\],;]+?)\s*=\s*")
_BETWEEN = re.compile(r"[\s,;]*")
Values = Mapping[str, Any]


def read_point(text: str) -> dict[str, Any]:
    """`x=-2, y=[1, 2]` as {"x": -2.0, "y": [1.0, 2.0]}; names in any spelling."""
    if len(text) > 40 * MAX_NUMBERS:
        raise LimitError("these are too many numbers", source=text[:80])
    found: dict[str, Any] = {}
    place = _past(_BETWEEN, text, 0)
    while place < len(text):
        match = _NAME.match(text, place)
        if match is None:
            raise _unreadable(text, place, "a name and its value, as in x=2")
        name = canonical(match.group("name"))
        if name in found:
            raise InputError(f"{to_text(name)} is given twice", source=text, offset=place, end=match.end())
        found[name], place = _value(text, match.end())
        following = _past(_BETWEEN, text, place)
        if following == place < len(text):
            raise _unreadable(text, place, "a comma, or the end")
        place = following
    return found


def _past(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _unreadable(text: str, place: int, expected: str) -> InputError:
    place = min(place, max(len(text) - 1, 0))
    hint = 'values are written "x=-2, b=[1, 2], W=[[0.1, 0.5], [-0.3, 0.8]]"'
    return InputError(f"here should be {expected}", source=text, offset=place, hint=hint)


def _value(text: str, place: int) -> tuple[Any, int]:
    """The number or nested list that begins at `place`, and where it ends."""
    open_lists: list[list[Any]] = []
    wanted = True  # whether a value comes next
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unreadable(text, place, "a number" if wanted else "a comma or a closing bracket")
        number, mark = match.group("number"), match.group("mark")
        done: Any = None
        if wanted and number is not None:
            done = _number(number, text, place)
        elif wanted and mark == "[" and len(open_lists) < 8:
            open_lists.append([])
        elif open_lists and mark == "]" and (not wanted or not open_lists[-1]):
            done = open_lists.pop()
        elif open_lists and not wanted and mark in (",", ";"):
            wanted = True
        else:
            raise _unreadable(text, place, "a number or an opening bracket" if wanted else "a comma or a bracket")
        if done is not None:
            if not open_lists:
                return done, match.end() - (len(match.group()) - len(match.group().rstrip()))
            open_lists[-1].append(done)
            wanted = False
        place = match.end()


def _number(digits: str, text: str, place: int) -> float:
    value = float(digits.replace("−", "-"))
    if not math.isfinite(value):
        raise _unreadable(text, place, "a number that float64 can hold")
    return value


# --- fitting to shapes ------------------------------------------------------------------------------------------------


def fitted(
    variables: Iterable[Variable], given: Values, dimensions: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, int]]:
    """Arrays for all variables, and the size of every dimension; a dimension that no variable has is given by name."""
    import numpy as np

    variables = list(variables)
    spelled = {canonical(name): value for name, value in given.items()}
    sizes = {dim: _size(dim, spelled.pop(dim)) for dim in dimensions if dim in spelled}
    for name in spelled.keys() - {v.name for v in variables}:
        hint = f"its variables are: {', '.join(to_text(v.name) for v in variables) or 'none'}"
        raise UsageError(f"the function has no variable {to_text(name)}", hint=hint)
    arrays: dict[str, Any] = {}
    for v in variables:
        if v.name not in spelled:
            raise UsageError(f"{to_text(v.name)} has no value", hint=f'give it as in --at "{_example(v)}"')
        try:
            array = np.asarray(spelled[v.name], dtype=float)
        except (ValueError, TypeError):
            raise ShapeError(f"the rows of {to_text(v.name)} have different lengths, or hold no numbers") from None
        _fit(v, array.shape, sizes)
        if not np.isfinite(array).all():
            raise DomainError(f"{to_text(v.name)} is not finite")
        arrays[v.name] = _label(v, array) if "label" in v.assumptions else array
    return arrays, sizes


def _fit(v: Variable, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    name = to_text(v.name)
    if len(shape) != len(v.shape):
        raise ShapeError(f"{name} is {_described(v.shape)}, and its value is {_described(shape)}")
    for dim, length in zip(v.shape, shape, strict=True):
        known = dim if isinstance(dim, int) else sizes.setdefault(dim, length)
        if known != length:
            raise ShapeError(f"{name} is {_described(v.shape)}: {dim} is {known} elsewhere, and {length} here")
        if not length:
            raise ShapeError(f"{name} has no entries")


def _size(dim: str, value: Any) -> int:
    """A size given by name, as in n=3."""
    if isinstance(value, int | float) and value == int(value) and 0 < value <= MAX_NUMBERS:
        return int(value)
    raise DomainError(f"{dim} is a dimension: a whole number from 1")


def _described(shape: Shape) -> str:
    return f"an array of {'×'.join(map(str, shape))}" if shape else "a scalar"


def _example(v: Variable) -> str:
    value = {0: "1", 1: "[1, 2]", 2: "[[1, 2], [3, 4]]"}.get(len(v.shape), "[...]")
    return f"{to_text(v.name)}={value}"


def _label(v: Variable, array: Any) -> Any:
    """Labels as integers from 0."""
    import numpy as np

    rounded = np.rint(array)
    if (rounded != array).any() or (rounded < 0).any():
        raise DomainError(f"{to_text(v.name)} is a label: a whole number from 0")
    return rounded.astype(int)


def check_labels(nodes: Iterable[Node], arrays: Values, sizes: Mapping[str, int]) -> None:
    """Refuse labels beyond their number of classes."""
    for node in postorder(nodes):
        if isinstance(node, Call) and node.op.name == "onehot" and isinstance(node.args[0], Variable):
            (dim,) = node.params
            count = dim if isinstance(dim, int) else sizes.get(dim)
            name = node.args[0].name
            if count is not None and name in arrays and arrays[name].max() >= count:
                message = f"{to_text(name)} is a label of {count} classes, counted from 0: at most {count - 1}"
                raise DomainError(message)
