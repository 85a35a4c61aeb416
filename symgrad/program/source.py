"""A program as it is named: `file.py:function`, `file.py:Gate`, or a callable.

Contract: `Program.of` finds it, without running it; `traced` and `run` give all that it returns, and `pick` the one
value that is about a variable: the key of a dict, the name in `return dW, db`, or the only one.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from symgrad.errors import UsageError
from symgrad.expr import Node, Variable
from symgrad.program.calling import description, is_gradient_of, spelled
from symgrad.program.sandbox import ProgramError, Sandbox

NAMED = re.compile(r"(?P<path>[^\n]*\.py):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")
#: A line of a docstring that gives a shape in brackets.
_DOCUMENTED = re.compile(
    r"(?:^|[,;*-])[ \t]*(?P<name>[^\W\d]\w*)[ \t]*:(?P<before>[^\n(]*)\((?P<shape>[^()\n]*)\)", re.MULTILINE
)
_NO_DIMENSIONS = ("optional", "float", "int", "array", "ndarray", "default")
_NUMBERS = ("", "float", "int", "scalar", "number")
MAX_FILE = 1_000_000


def is_program(source: Any) -> bool:
    """Whether a source names a program, or is one."""
    if isinstance(source, str):
        return NAMED.fullmatch(source.strip()) is not None
    return callable(source)


class Program:
    """One function, or one gate, of a file or of this process."""

    def __init__(self, label: str, text: str, name: str, target: Any = None, path: str = "") -> None:
        self.label = label
        self.text = text
        self.name = name
        self.target = target
        self.sandbox = Sandbox(path, name) if path else None

    @staticmethod
    def of(source: Any) -> Program:
        if not isinstance(source, str):
            return Program(getattr(source, "__name__", "program"), _source_of(source), "", source)
        match = NAMED.fullmatch(source.strip())
        if match is None:
            raise UsageError(f"{source!r} names no program", hint="write file.py:function")
        path = Path(match["path"]).expanduser()
        try:
            if path.stat().st_size > MAX_FILE:
                raise UsageError(f"{path} is longer than {MAX_FILE} bytes")
            text = path.read_text("utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8 text") from None
        return Program(source.strip(), text, match["name"], path=str(path.resolve()))

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """parameters, needed: names; gate: whether it is one; above: what its backward pass takes."""
        if self.sandbox is not None:
            return self.sandbox.ask(do="describe")
        return description(self.target)

    def traced(self, variables: Mapping[str, Variable], part: str = "") -> tuple[list[str] | None, list[Node]]:
        """What it returns, as expressions of the variables; `UnsupportedError` where it cannot be followed."""
        if self.sandbox is None:
            from symgrad.program.tracing import of_callable, trace

            return trace(of_callable(self.target), variables, part)
        from symgrad.program.wire import unpacked

        described = {n: {"shape": list(v.shape), "assumptions": sorted(v.assumptions)} for n, v in variables.items()}
        answer = self.sandbox.ask(do="trace", variables=described, part=part)
        return answer.get("keys"), unpacked(answer, variables)

    def run(self, values: Mapping[str, Any]) -> tuple[list[str] | None, list[Any]]:
        """What it returns at a point, as arrays."""
        from symgrad.program.wire import array_in, array_out

        if self.sandbox is None:
            from symgrad.program.calling import call

            return call(self.target, values)
        answer = self.sandbox.ask(do="run", values={name: array_out(value) for name, value in values.items()})
        try:
            return answer["keys"], [array_in(value) for value in answer["values"]]
        except Exception:  # noqa: BLE001 - whatever another process may have written
            raise ProgramError("the program wrote into the answers of its process", finding="returns") from None

    def close(self) -> None:
        if self.sandbox is not None:
            self.sandbox.close()

    @cached_property
    def documented(self) -> dict[str, tuple[int | str, ...]]:
        """The shapes that its docstring gives its arguments: `W: (m, n)`, `- X: an array of shape (N, D)`."""
        name = self.name or getattr(self.target, "__name__", "")
        body = _definition(self.text, name, "forward")
        text = ast.get_docstring(body) if isinstance(body, ast.FunctionDef | ast.ClassDef) else None
        found: dict[str, tuple[int | str, ...]] = {}
        for match in _DOCUMENTED.finditer(text or ""):
            words = [word.strip() for word in match["shape"].split(",") if word.strip()]
            if match["shape"].strip() in _NUMBERS:
                found[match["name"]] = ()
            elif ("," in match["shape"] or "shape" in match["before"]) and all(map(_is_dimension, words)):
                found[match["name"]] = tuple(int(w) if w.isdigit() else w for w in words)
        return found

    # --- which value is about which variable ----------------------------------------------------------------------

    @cached_property
    def returns(self) -> list[str]:
        """The names in its last `return`, as far as they are names."""
        body = _definition(self.text, self.name or getattr(self.target, "__name__", ""), "backward")
        last = [n for n in ast.walk(body) if isinstance(n, ast.Return) and n.value is not None] if body else []
        if not last:
            return []
        value = max(last, key=lambda n: n.lineno).value
        if isinstance(value, ast.Dict):
            return [str(key.value) if isinstance(key, ast.Constant) else "" for key in value.keys]
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        return [part.id if isinstance(part, ast.Name) else "" for part in parts]

    def about(self, variables: Sequence[str], keys: Sequence[str] | None = None) -> list[str]:
        """The variables that returned values are named after, in the order of the variables."""
        named = keys if keys is not None else self.returns
        return [v for v in variables if any(_is_about(name, v, keys is not None) for name in named)]

    def pick(self, keys: Sequence[str] | None, values: Sequence[Any], wrt: str) -> Any:
        """The value that is the gradient by `wrt`."""
        if len(values) == 1 and keys is None:
            return values[0]
        named = list(keys) if keys is not None else self.returns
        found = [k for k, name in enumerate(named) if _is_about(name, wrt, keys is not None)]
        if len(named) != len(values):
            found = []
        if not found and keys is None and self.described["gate"] and len(values) == len(self.described["parameters"]):
            found = [k for k, name in enumerate(self.described["parameters"]) if spelled(name) == spelled(wrt)]
        if len(found) != 1:
            raise UsageError(
                f"of {len(values)} values that the program returns {'several are' if found else 'none is'} named {wrt}",
                hint=f'return a dict with the key "{wrt}", or write: return d{wrt}, ...',
            )
        return values[found[0]]


def _is_about(name: str, variable: str, key: bool) -> bool:
    """Whether a returned name says gradient of a variable; the key of a dict may be the variable itself."""
    return is_gradient_of(name, variable) or (key and spelled(name) == spelled(variable))


def _is_dimension(word: str) -> bool:
    return word.isdigit() or (word.isidentifier() and word not in _NO_DIMENSIONS)


def _source_of(target: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(target))
    except Exception:  # noqa: BLE001 - what is no file has no source, and says so in many ways
        return ""


def _definition(text: str, name: str, method: str) -> ast.AST | None:
    """The definition of a function; of a class that of its method."""
    try:
        found: Any = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for part in name.split("."):
        found = next((n for n in getattr(found, "body", ()) if getattr(n, "name", None) == part), None)
        if found is None:
            return None
    if isinstance(found, ast.ClassDef):
        return next((n for n in found.body if getattr(n, "name", None) == method), None)
    return found if isinstance(found, ast.AST) else None
