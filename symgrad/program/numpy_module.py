"""The module `numpy` as a traced program sees it, and its built-in functions.

Contract: what takes arrays is NumPy's own, which hands traced arrays to their rules; what makes arrays from lengths is
here, so that the lengths keep their names.  Random numbers, files and the like are refused.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.expr import number
from symgrad.program.extent import Extent, dim_of, refuse
from symgrad.program.loops import together
from symgrad.program.rules import FUNCTIONS, METHODS, call_rule
from symgrad.program.traced import Traced, identity, labels_upto, lifted

REFUSED = {"random", "load", "save", "fromfile", "loadtxt", "genfromtxt", "memmap", "frompyfunc", "vectorize"}

OF_LISTS = {"sum", "mean", "max", "min", "amax", "amin", "prod", "transpose"}


class NumPy:
    """`np`, with lengths that keep their names."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        import numpy

        self._numpy = numpy
        self._sizes = sizes
        self._made = {
            "zeros": self._full(0), "empty": self._full(0), "ones": self._full(1), "full": self._filled,
            "eye": self._eye, "identity": self._eye, "arange": self._arange, "array": self._array,
            "asarray": self._asarray,
            "asanyarray": self._asarray, "ascontiguousarray": self._asarray, "atleast_1d": self._at_least(1),
            "atleast_2d": self._at_least(2), "float64": self._asarray,
            "ndarray": Traced,
            "indices": lambda *a, **k: refuse("np.indices cannot be followed", "use np.arange for each axis"),
        }  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name in REFUSED:
            refuse(f"np.{name} is not a function of the arguments")
        found: Any = self._made.get(name) or getattr(self._numpy, name)
        return self._of_lists(name, found) if name in OF_LISTS else found

    def _of_lists(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that NumPy would give a list as an array, before it asks what is in the list."""

        def run(a: Any, *args: Any, **options: Any) -> Any:
            listed = isinstance(a, list | tuple) and _holds_traced(a)
            return function(lifted(a, self._sizes) if listed else a, *args, **options)

        return run

    def _full(self, value: int) -> Callable[..., Any]:
        def make(shape: Any, dtype: Any = None, order: str = "C") -> Traced:
            boolean = dtype is not None and self._numpy.dtype(dtype).kind == "b"
            return Traced(number(value), (), self._sizes, "b" if boolean else "f").to_shape(_shape(shape))

        return make

    def _filled(self, shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> Traced:
        made = lifted(fill_value, self._sizes).to_shape(_shape(shape))
        return Traced(made.node, made.real, self._sizes)

    def _eye(self, N: int, M: int | None = None, k: int = 0, dtype: Any = None, order: str = "C") -> Traced:
        if k or (M is not None and dim_of(M) != dim_of(N)):
            refuse("np.eye is followed for the identity matrix")
        return identity(dim_of(N), self._sizes)

    def _arange(self, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
        if stop is None:
            start, stop = 0, start
        if not (all(isinstance(v, int | Extent) for v in (start, stop)) and step == 1):
            if any(isinstance(v, Extent | Traced) for v in (start, stop, step)):
                refuse("np.arange is followed in steps of one")
            return self._numpy.arange(start, stop, step)
        return labels_upto(dim_of(start), dim_of(stop), self._sizes)

    def _asarray(self, a: Any, dtype: Any = None, order: str = "K", **options: Any) -> Any:
        if isinstance(a, Traced):
            return a if dtype is None else call_rule(METHODS, "astype", self._sizes, (a, dtype), {})
        return lifted(a, self._sizes) if _holds_traced(a) else self._numpy.asarray(a, dtype=dtype)

    def _array(self, object: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0, **options: Any) -> Any:  # noqa: A002
        found = self._asarray(object, dtype)
        if isinstance(found, Traced):
            return call_rule(FUNCTIONS, "copy", self._sizes, (self._at_least(ndmin)(found),), {})
        return self._numpy.array(found, ndmin=ndmin)

    def _at_least(self, rank: int) -> Callable[[Any], Any]:
        def make(a: Any) -> Any:
            found = lifted(a, self._sizes)
            return found if found.ndim >= rank else found[(None,) * (rank - found.ndim)]

        return make


class Special:
    """`scipy.special`, with the functions that are no ufuncs as rules."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes

    def __getattr__(self, name: str) -> Any:
        if f"special.{name}" in FUNCTIONS:
            return lambda *args, **options: call_rule(FUNCTIONS, f"special.{name}", self._sizes, args, options)
        import scipy.special

        return getattr(scipy.special, name)


def _shape(shape: Any) -> tuple[Any, ...]:
    return tuple(shape) if isinstance(shape, tuple | list) else (shape,)


def _holds_traced(value: Any) -> bool:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Traced | Extent):
            return True
        waiting += part if isinstance(part, list | tuple) else []
    return False


# --- built-in functions -----------------------------------------------------------------------------------------------


def built_in(sizes: Mapping[str, int], load: Callable[..., Any]) -> dict[str, Any]:
    """The built-in functions of a traced program: lengths keep their names, and `import` is `load`."""

    def length(value: Any) -> Any:
        return value.shape[0] if isinstance(value, Traced) and value.ndim else len(value)

    def upto(*bounds: Any) -> Any:
        if not any(isinstance(bound, Extent) for bound in bounds):
            return range(*bounds)
        if len(bounds) > 2 and bounds[2] != 1:
            refuse("a loop in steps over an axis", "write it with whole arrays")
        start, stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
        return labels_upto(dim_of(start), dim_of(stop), sizes)

    def summed(values: Any, start: Any = 0) -> Any:
        return (
            call_rule(FUNCTIONS, "sum", sizes, (values, 0), {}) + start
            if isinstance(values, Traced)
            else sum(values, start)
        )

    def zipped(*values: Any, strict: bool = False) -> Any:
        return together(sizes, values) or zip(*values, strict=strict)

    def counted(values: Any, start: int = 0) -> Any:
        if isinstance(values, Traced) and not start and not isinstance(length(values), int):
            return zipped(upto(length(values)), values)
        return enumerate(values, start)

    return {
        **vars(builtins), "len": length, "zip": zipped, "enumerate": counted, "range": upto, "sum": summed,
        "float": _number(float), "int": _number(int), "__import__": load,
    }  # fmt: skip


class _Kind(type):
    """The type of a number type that lets lengths and traced numbers be what they are."""

    plain: type

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.plain) or (cls.plain is int and isinstance(value, Extent))

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if args and isinstance(args[0], Extent | Traced):
            if cls.plain is int and isinstance(args[0], Traced):
                refuse("a number is rounded to an integer")
            return args[0]
        return cls.plain(*args, **options)


def _number(plain: type) -> Any:
    """`float` or `int` as a traced program has it; NumPy takes it for the type that it stands for."""
    import numpy as np

    return _Kind(plain.__name__, (), {"plain": plain, "dtype": np.dtype(plain)})
