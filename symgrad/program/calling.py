"""How a program is called: a function of arrays by name, or a gate, a class with forward and backward.

Contract: `call(target, values)` gives what the program returns, as `(keys, values)`: keys are those of a dict, else
None.  A gate is made with the values that its constructor takes, runs forward, keeps what it keeps, and then backward
with what comes from above: the value of that name where there is one, else 1.  Gradients that it leaves in itself, as
`self.dW`, count as returned.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgrad.errors import UsageError
from symgrad.notation.names import canonical

#: How programs call a gradient: dW, grad_W, dL_dW, W_grad.
_GRADIENT = re.compile(r"(?:d[A-Za-z]+_?d|grad_?|nabla_?|d_?|g_?)(?P<name>.+)|(?P<other>.+?)_?(?:grad|bar)")
Returned = tuple[list[str] | None, list[Any]]


def is_gate(target: Any) -> bool:
    return (
        isinstance(target, type)
        and callable(getattr(target, "forward", None))
        and callable(getattr(target, "backward", None))
    )


def call(target: Any, values: Mapping[str, Any], part: str = "") -> Returned:
    """What a program returns; of a gate `part` may ask for `forward` alone."""
    if not is_gate(target):
        return returned(target(**arguments(target, values)))
    gate = target(**arguments(target, values))
    out = gate.forward(**arguments(gate.forward, values))
    if part == "forward":
        return returned(out)
    found = gate.backward(**from_above(gate.backward, values))
    keys, given = (None, list(found)) if isinstance(found, tuple | list) else returned(found)
    return _with_kept(gate, keys, given, values)


def _with_kept(gate: Any, keys: list[str] | None, given: list[Any], values: Mapping[str, Any]) -> Returned:
    """What backward returns, and the gradients that it keeps in the gate."""
    kept = {a: v for a, v in vars(gate).items() if any(is_gradient_of(a, n) for n in values)}
    if keys is None and kept:
        inputs = [p.name for p in parameters(gate.forward)]
        given = [] if len(given) == 1 and given[0] is None else given
        if given and len(given) != len(inputs):
            return keys, given
        keys = inputs[: len(given)]
    kept = {a: v for a, v in kept.items() if a not in (keys or ())}
    return (None, given) if keys is None else ([*keys, *kept], [*given, *kept.values()])


def description(target: Any) -> dict[str, Any]:
    """parameters, needed: the names of its arguments; gate: whether it is one; above: what its backward pass takes."""
    gate = is_gate(target)
    taken = parameters(target)
    above: list[str] = []
    if gate:
        taken += parameters(target.forward)[1:]
        above = [p.name for p in parameters(target.backward)[1:] if p.default is p.empty]
    needed = [p.name for p in taken if p.default is p.empty]
    return {"parameters": [p.name for p in taken], "needed": needed, "above": above, "gate": gate}


def parameters(target: Any) -> list[inspect.Parameter]:
    """The parameters of a program that are called by name."""
    try:
        found = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        raise UsageError(f"{getattr(target, '__name__', 'this')} has no signature that can be read") from None
    return [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def arguments(target: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a program takes, by its own spelling of their names; variables it has no use for are left out."""
    known = {spelled(name): value for name, value in values.items()}
    found = {}
    for parameter in parameters(target):
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise UsageError(f"{parameter.name} can be given by position only", hint="take the / out of the signature")
        if spelled(parameter.name) in known:
            found[parameter.name] = known[spelled(parameter.name)]
        elif parameter.default is parameter.empty:
            raise UsageError(
                f"the program takes {parameter.name}, and the function has no such variable",
                hint=f"its variables are: {', '.join(values) or 'none'}",
            )
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(target).parameters.values()):
        named = {spelled(name) for name in found}
        found |= {name: value for name, value in values.items() if spelled(name) not in named}
    return found


def from_above(backward: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a gate's backward pass."""
    known = {spelled(name): value for name, value in values.items()}
    own = [p for p in parameters(backward) if p.default is p.empty or spelled(p.name) in known]
    missing = [p.name for p in own if spelled(p.name) not in known]
    if len(missing) > 1:
        raise UsageError(f"backward takes {', '.join(missing)}, and only one gradient comes from above")
    return {p.name: known.get(spelled(p.name), 1.0) for p in own}


def spelled(name: str) -> str:
    """One spelling for all ways to write a name: W1 is W_1."""
    return canonical(name).replace("_", "")


def is_gradient_of(name: str, variable: str) -> bool:
    """Whether a name says gradient of a variable; that of the variable itself does not."""
    wanted = spelled(variable)
    match = _GRADIENT.fullmatch(name)
    if match is None or spelled(name) == wanted:
        return False
    names = {part for part in match.groups() if part}
    if name.startswith("d"):
        names.add(name[1:].lstrip("_"))
    return any(spelled(part) == wanted for part in names if part.isidentifier())


def returned(value: Any) -> Returned:
    """What was returned as keys and values."""
    if isinstance(value, Mapping):
        return [str(key) for key in value], list(value.values())
    if isinstance(value, tuple | list) and not _is_array(value):
        return None, list(value)
    return None, [value]


def _is_array(value: Sequence[Any]) -> bool:
    """Whether a list is an array of plain numbers, written as a list."""
    waiting: list[Any] = list(value)
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif type(part) not in (int, float):
            return False
    return isinstance(value, list) and bool(value)
