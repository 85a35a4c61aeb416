"""From a Python function to expressions: it is run on traced arrays.

Contract: `trace(prepare, variables)` runs a program at two sets of sizes and gives what it returns as expressions that
hold for all sizes; where the two differ, or anything cannot be followed, it raises an `UnsupportedError`.  `prepare`
gives the program in a namespace with the traced NumPy: `of_callable` copies a function, `of_code` executes a file,
which is for the process with limits alone to do.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.dims import names as names_of
from symgrad.errors import SymgradError, UnsupportedError, UsageError
from symgrad.expr import Dim, Node, Variable, contract
from symgrad.expr import variables as of_nodes
from symgrad.ops import apply
from symgrad.program.calling import call, is_gate
from symgrad.program.extent import Extent, place
from symgrad.program.loops import Run
from symgrad.program.numpy_module import NumPy, Special, built_in
from symgrad.program.traced import Traced, lifted

#: Two sets of sizes, all unequal, in opposite order: code that asks for a size gets two answers.
SIZES = ((7, 11, 13, 17, 19, 23, 29, 31), (36, 26, 22, 18, 14, 12, 10, 8))
Namespace = Callable[[Mapping[str, int]], Any]
Outputs = tuple[list[str] | None, list[Node]]


def trace(prepare: Namespace, variables: Mapping[str, Variable], part: str = "") -> Outputs:
    """What a program returns, as expressions; of a gate `part` may ask for `forward` alone."""
    found = [_once(prepare, variables, Run(sizes, 2 + k), part) for k, sizes in enumerate(_sizes(variables))]
    if any(one != found[0] for one in found):
        raise UnsupportedError(
            "what the program calculates depends on the sizes in a way that cannot be followed",
            hint="take sizes from X.shape or len(X), and calculate with NumPy",
        )
    return found[0]


def _sizes(variables: Mapping[str, Variable]) -> list[dict[str, int]]:
    names = list(dict.fromkeys(name for v in variables.values() for d in v.shape for name in names_of(d)))
    return [{name: row[k % len(row)] for k, name in enumerate(names)} for row in SIZES]


def _once(prepare: Namespace, variables: Mapping[str, Variable], sizes: Run, part: str) -> Outputs:
    inputs = {name: _input(v, sizes) for name, v in variables.items()}
    try:
        keys, values = call(prepare(sizes), inputs, part)
        nodes = [_output(value, sizes) for value in values]
        if sizes.left or not {v.name for node in nodes for v in of_nodes(node)} <= {v.name for v in variables.values()}:
            raise UnsupportedError("a loop over an axis is left early, or one round of it is returned")
    except SymgradError:
        raise
    except RecursionError:
        raise UnsupportedError("the program is nested too deeply to be followed") from None
    except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
        where = place(error.__traceback__)
        raise UnsupportedError(f"{where}tracing the program ended in {type(error).__name__}: {error}") from None
    return keys, nodes


def _input(v: Variable, sizes: Mapping[str, int]) -> Any:
    """A variable as the program gets it: axes of length one are for NumPy to broadcast."""
    real = tuple(dim != 1 for dim in v.shape)
    labels = tuple(range(v.rank))
    node = v if all(real) else contract([(v, labels)], tuple(k for k in labels if real[k]))
    if not v.assumptions & {"label", "natural"}:
        return Traced(node, real, sizes)

    def chosen(dim: Dim) -> Node:
        return apply("onehot", node, params=(dim,))

    return Traced(node, real, sizes, "i", chosen if "label" in v.assumptions else None)


def _output(value: Any, sizes: Mapping[str, int]) -> Node:
    if value is None:
        raise UnsupportedError("the program returns None")
    if isinstance(value, Extent):
        value = value.number
    array = lifted(value, sizes)
    if array.within is not None or array.kind == "i":
        raise UnsupportedError("the program returns labels, or entries chosen by a mask")
    return array.full


# --- namespaces -------------------------------------------------------------------------------------------------------


def of_callable(target: Any) -> Namespace:
    """A function or class of this process, and the functions beside it, in a copy of their namespace."""

    def prepare(sizes: Mapping[str, int]) -> Any:
        function = target.forward if is_gate(target) else target
        function = getattr(function, "__func__", function)
        if not isinstance(function, types.FunctionType):
            return target
        scope: dict[str, Any] = {}
        importing = _importing(sizes)
        scope["__builtins__"] = built_in(sizes, importing)
        for name, value in function.__globals__.items():
            if name != "__builtins__":
                scope[name] = _moved(value, function.__globals__, scope, sizes)
        return _moved(target, function.__globals__, scope, sizes)

    return prepare


def _moved(value: Any, home: Mapping[str, Any], scope: dict[str, Any], sizes: Mapping[str, int]) -> Any:
    """A value of a namespace in its copy."""
    if isinstance(value, types.ModuleType) and value.__name__ == "numpy":
        return NumPy(sizes)
    if str(getattr(value, "__module__", "")).startswith("scipy.special") and hasattr(value, "__name__"):
        return getattr(Special(sizes), value.__name__)
    if isinstance(value, types.FunctionType) and value.__globals__ is home:
        cells = tuple(_cell(cell, home, scope, sizes) for cell in value.__closure__ or ())
        made = types.FunctionType(value.__code__, scope, value.__name__, value.__defaults__, cells or None)
        made.__kwdefaults__ = value.__kwdefaults__
        return made
    if is_gate(value) and value.__module__ == home.get("__name__"):
        body = {
            name: _moved(part, home, scope, sizes)
            for name, part in vars(value).items()
            if name not in ("__dict__", "__weakref__")
        }
        return type(value.__name__, value.__bases__, body)
    return value


def _cell(cell: Any, home: Mapping[str, Any], scope: dict[str, Any], sizes: Mapping[str, int]) -> Any:
    try:
        content = cell.cell_contents
    except ValueError:
        return cell
    moved = content if isinstance(content, types.FunctionType) else _moved(content, home, scope, sizes)
    return cell if moved is content else types.CellType(moved)


def of_code(code: types.CodeType, path: str, name: str) -> Namespace:
    """A file's code, executed anew; for the process with limits."""

    def prepare(sizes: Mapping[str, int]) -> Any:
        scope = {"__name__": "program", "__file__": path, "__builtins__": built_in(sizes, _importing(sizes))}
        exec(code, scope)  # noqa: S102 - in the process with limits, see the module
        return named(scope, name)

    return prepare


def named(scope: Mapping[str, Any], name: str) -> Any:
    """What a dotted name means in a namespace."""
    first, *rest = name.split(".")
    if first not in scope:
        raise UsageError(f"the file has no {first}")
    found = scope[first]
    for part in rest:
        if not hasattr(found, part):
            raise UsageError(f"{first} has no {part}")
        found = getattr(found, part)
    return found


def _importing(sizes: Mapping[str, int]) -> Callable[..., Any]:
    """`import` that gives the traced NumPy for NumPy, and so for SciPy's functions."""
    numpy, special = NumPy(sizes), Special(sizes)

    def load(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        if name == "numpy" and not level:
            return numpy
        if name == "scipy.special" and fromlist:
            return special
        if name == "scipy" and fromlist == ("special",):
            return types.SimpleNamespace(special=special)
        return builtins.__import__(name, globals, locals, fromlist, level)

    return load
