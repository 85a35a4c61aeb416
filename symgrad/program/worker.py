"""The process in which somebody's file runs: it reads requests and answers them, one JSON object a line.

Contract: limits are set before a line of the file is executed; what the file prints goes nowhere, and its standard
input is empty.  A request says at which numbers, or with which variables, the program is called; nothing that is
expected of it comes here.  Whatever the program does, raises or returns becomes one answer.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.expr import variable
from symgrad.program.calling import call, description, is_gate
from symgrad.program.confine import confine
from symgrad.program.tracing import named, of_code, trace
from symgrad.program.wire import array_in, array_out, packed


def main(path: str, name: str, seconds: str, megabytes: str) -> None:
    """Answer until there is no more to answer."""
    requests, answers = _own_streams()
    import numpy  # noqa: F401 - before the limits, which its threads and tables would count against

    confine(int(seconds), int(megabytes), _readable(path), str(Path.cwd()))
    served = _Served(path, name)
    for line in requests:
        answer = served.answer(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _own_streams() -> tuple[Any, Any]:
    """The streams of the parent, out of the program's way."""
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    return requests, answers


def _readable(path: str) -> list[str]:
    """What Python, its libraries and the program are made of."""
    system = [
        "/usr",
        "/lib",
        "/lib64",
        "/etc/localtime",
        "/etc/ld.so.cache",
        "/proc/self",
        "/proc/cpuinfo",
        "/proc/meminfo",
    ]
    root = str(Path(__file__).resolve().parents[2])
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [
        *system,
        *filter(None, libraries),
        sys.prefix,
        sys.base_prefix,
        *filter(None, sys.path),
        root,
        str(Path(path).parent),
    ]


class _Served:
    """One program of one file."""

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name = path, name
        self.target: Any = None
        self.code: types.CodeType | None = None

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return getattr(self, "do_" + request["do"])(request)  # type: ignore[no-any-return]
        except SymgradError as error:
            kind = "unsupported" if isinstance(error, UnsupportedError) else "usage"
            return {"error": {"kind": kind, "message": error.message, "hint": error.hint, "code": error.code}}
        except MemoryError:
            return {"error": {"kind": "memory", "message": "it needs more memory than it may have"}}
        except ImportError as error:
            return {"error": {"kind": "missing", "message": self.told(error)}}
        except BaseException as error:  # noqa: BLE001 - somebody else's code, which may also try to exit
            return {"error": {"kind": "raised", "message": self.told(error)}}

    def told(self, error: BaseException) -> str:
        """`ValueError in line 3: message`."""
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.path]
        if isinstance(error, SyntaxError) and error.filename == self.path:
            lines = [error.lineno]
        text = str(error) if not isinstance(error, SystemExit) else f"exit({error.code!r})"
        return f"{type(error).__name__}{f' in line {lines[-1]}' if lines else ''}: {text}"[:500]

    def compiled(self) -> types.CodeType:
        if self.code is None:
            sys.path.insert(0, str(Path(self.path).parent))
            text = Path(self.path).read_text("utf-8")
            linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)
            self.code = compile(text, self.path, "exec")
        return self.code

    def loaded(self) -> Any:
        """The program itself, with NumPy as it is."""
        if self.target is None:
            module = types.ModuleType("program")
            module.__file__ = self.path
            sys.modules["program"] = module
            exec(self.compiled(), module.__dict__)  # noqa: S102 - what this process is for
            self.target = named(module.__dict__, self.name)
        return self.target

    def do_describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self.loaded()
        if not callable(target):
            raise UnsupportedError(f"{self.name} is a {type(target).__name__}, not a function or a class")
        if isinstance(target, type) and not is_gate(target):
            raise UnsupportedError(f"the class {self.name} has no forward and backward")
        return description(target)

    def do_run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        import numpy as np

        values = {name: array_in(value) for name, value in request["values"].items()}
        with np.errstate(all="ignore"):
            keys, found = call(self.loaded(), values, request.get("part", ""))
        try:
            return {"keys": keys, "values": [array_out(value) for value in found]}
        except (TypeError, ValueError, OverflowError) as error:
            return {"error": {"kind": "returned", "message": f"it returns {_kind(found)}: {error}"[:300]}}

    def do_trace(self, request: Mapping[str, Any]) -> dict[str, Any]:
        variables = {
            name: variable(name, tuple(v["shape"]), v["assumptions"]) for name, v in request["variables"].items()
        }
        keys, nodes = trace(of_code(self.compiled(), self.path, self.name), variables, request.get("part", ""))
        return {"keys": keys} | packed(nodes)


def _kind(values: list[Any]) -> str:
    return ", ".join(type(value).__name__ for value in values)
