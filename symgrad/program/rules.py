"""What NumPy's functions mean for traced arrays: one table entry each, and the call of one by its name.

Contract: `UFUNCS`, `FUNCTIONS` and `METHODS` name all that is understood, with NumPy's argument names; anything else
raises an `UnsupportedError`.  The values agree with NumPy's at every size, broadcasting and axes included.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.program import indexing, linalg, reductions, shaping, ufuncs
from symgrad.program.extent import refuse
from symgrad.program.traced import Traced, lifted, total
from symgrad.program.ufuncs import UFUNCS, Rule, given

FUNCTIONS: dict[str, Rule] = {**ufuncs.FUNCTIONS, **reductions.FUNCTIONS, **linalg.FUNCTIONS, **shaping.FUNCTIONS}

#: Methods of arrays: functions of the same name, and those that are not.
METHODS: dict[str, Rule] = {
    **{name: FUNCTIONS[name] for name in (
        "sum", "mean", "var", "std", "prod", "max", "min", "argmax", "argmin", "any", "all", "dot", "reshape", "ravel",
        "swapaxes", "squeeze", "copy", "clip", "trace", "diagonal", "take",
    )},
    **shaping.METHODS,
}  # fmt: skip


def run_ufunc(
    sizes: Mapping[str, int], ufunc: Any, how: str, inputs: Sequence[Any], out: Any, options: Mapping[str, Any]
) -> Any:
    """A ufunc of NumPy or SciPy, called, reduced, or as an outer product."""
    name = ufunc.__name__
    if options.get("where", True) is not True or set(options) - {"axis", "keepdims", "dtype", "casting", "where"}:
        refuse(f"np.{name} with {', '.join(options)} is not covered")
    target = None if out is None else out[0]
    if how == "at" and name in ("add", "subtract"):
        value = lifted(inputs[2], sizes)
        return indexing.add_at(inputs[0], inputs[1], value if name == "add" else total((-1, value)))
    if how == "reduce" and name in _REDUCED:
        return given(
            FUNCTIONS[_REDUCED[name]](inputs[0], options.get("axis", 0), keepdims=options.get("keepdims", False)),
            target,
        )
    if how == "outer":
        one, other = (lifted(x, sizes) for x in inputs)
        return UFUNCS[name](one[(..., *(None,) * other.ndim)], other) if name in UFUNCS else _unknown(name)
    if how != "__call__" or name not in UFUNCS or options.get("axis") is not None:
        _unknown(name if how == "__call__" else f"{name}.{how}")
    if target is not None and not isinstance(target, Traced) and target is inputs[0]:
        target = None  # numbers += traced: the name is bound anew
    return given(UFUNCS[name](*(lifted(x, sizes) for x in inputs)), target)


_REDUCED = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}


def _unknown(name: str) -> Any:
    refuse(f"np.{name} cannot be followed", "a program that only runs is tested, not proved")


def run_function(sizes: Mapping[str, int], function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A function of NumPy by its name."""
    home = str(getattr(function, "__module__", "")).removeprefix("numpy").removeprefix(".")
    name = f"linalg.{function.__name__}" if home == "linalg" else function.__name__
    return call_rule(FUNCTIONS, name, sizes, args, options)


def call_rule(
    table: Mapping[str, Rule], name: str, sizes: Mapping[str, int], args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """The rule of a name, with its arrays lifted; arguments it does not know are refused."""
    rule = table.get(name)
    if rule is None:
        return _unknown(name)
    plain = {k: v for k, v in options.items() if not (k in _IGNORED and _plain(v))}
    known = {name for name in ("where", "einsum", "stack") if rule is FUNCTIONS.get(name)}
    values = list(args)
    if not known or "where" in known:
        lift = len(values) if "where" in known else _ARRAYS.get(name, 1)
        values = [lifted(v, sizes) if k < lift else v for k, v in enumerate(values)]
        plain = {k: lifted(v, sizes) if k in _ARRAY_NAMES and v is not None else v for k, v in plain.items()}
    try:
        inspect.signature(rule).bind(*values, **plain)
    except TypeError as error:
        refuse(f"np.{name}: {error}")
    return rule(*values, **plain)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool)


_IGNORED = {"order", "subok", "optimize", "casting", "initial", "hermitian"}


_ARRAYS = dict.fromkeys(("dot", "inner", "vdot", "outer", "tensordot", "linalg.solve", "take_along_axis"), 2)


_ARRAY_NAMES = {"a", "b", "x", "y", "v", "m", "arr"}


def method(array: Traced, name: str) -> Any:
    """A method of an array, as a function."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in METHODS:
        refuse(f".{name} of an array cannot be followed")

    def run(*args: Any, **options: Any) -> Any:
        return call_rule(METHODS, name, array.sizes, (array, *args), options)

    return run
