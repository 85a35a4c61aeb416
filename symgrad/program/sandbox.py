"""A process of its own for somebody's file: started once, asked many times, stopped for certain.

Contract: the file runs confined (see `confine`), in an empty folder, with an environment of its own and no inherited
descriptor, in a session that is ended as a whole; requests carry names and numbers only.  Whatever happens there comes
back as an answer or as a `ProgramError`, which says whether the program is to blame for certain.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from symgrad.errors import ClaimError, UnsupportedError, UsageError

#: Seconds of wall clock for one answer, of processor time in all; megabytes of memory and of an answer.
ANSWER_SECONDS, CPU_SECONDS, MEMORY, ANSWER_MEGABYTES = 10.0, 60, 1024, 64
_OWN = "import the function, and give the function itself"
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from symgrad.program.worker import main; main(*sys.argv[1:])"


class ProgramError(ClaimError):
    """A program that gave no answer: it raised, ended, took too long, or returned what is no array."""

    code = "PROGRAM"


class Sandbox:
    """One file's process; `ask` starts it when it is needed, and again after it ended."""

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name, self.seconds = path, name, ANSWER_SECONDS
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = ""
        self.stop: Any = None

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to one request."""
        process = self.started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise self.ended(process) from None
        try:
            answer = json.loads(self.line(process))
        except ValueError:
            self.close()
            raise ProgramError("the program wrote into the answers of its process", finding="returns") from None
        if not isinstance(answer, dict):
            raise ProgramError("the program wrote into the answers of its process", finding="returns")
        if "error" in answer:
            raise _as_error(answer["error"])
        return answer

    def started(self) -> subprocess.Popen[bytes]:
        if os.name != "posix":
            raise UnsupportedError("a file runs in a process with limits, and this system sets none", hint=_OWN)
        if self.process is None:
            self.folder = tempfile.mkdtemp(prefix="symgrad-")
            root = str(Path(__file__).resolve().parents[2])
            command = [sys.executable, "-I", "-c", _START, root, self.path, self.name, str(CPU_SECONDS), str(MEMORY)]
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, and no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder,
                env=_environment(self.folder), start_new_session=True, close_fds=True,
            )  # fmt: skip
            self.stop = weakref.finalize(self, _stop, self.process, self.folder)
        return self.process

    def line(self, process: subprocess.Popen[bytes]) -> bytes:
        """One line of the answers, in time and of bounded length."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        until, found = time.monotonic() + self.seconds, bytearray()
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                left = until - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    self.close()
                    raise ProgramError(f"the program gave no answer within {self.seconds:g} seconds")
                part = os.read(descriptor, 1 << 16)
                if not part:
                    raise self.ended(process)
                found += part
                if len(found) > ANSWER_MEGABYTES << 20:
                    self.close()
                    raise ProgramError(f"the program's answer is longer than {ANSWER_MEGABYTES} MB", finding="returns")
        return bytes(found)

    def ended(self, process: subprocess.Popen[bytes]) -> ProgramError:
        """Why the process is no more."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
        code = process.returncode
        self.close()
        if code == -getattr(signal, "SIGXCPU", 24) or code == -getattr(signal, "SIGKILL", 9):
            return ProgramError(f"the program took more than {CPU_SECONDS} seconds of processor time, or was killed")
        how = f"with signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return ProgramError(f"the program ended its process {how}", finding="raises")

    def close(self) -> None:
        if self.stop is not None:
            self.stop()
        self.process = None


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return kept | one | {"HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


def _stop(process: subprocess.Popen[bytes], folder: str) -> None:
    """End the process with all that it started, and remove its folder."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    shutil.rmtree(folder, ignore_errors=True)


def _as_error(error: Any) -> Exception:
    """An answer that is an error, as one."""
    kind, message = str(error.get("kind")), str(error.get("message", ""))[:1000]
    hint = str(error.get("hint", ""))[:1000]
    if kind == "unsupported":
        made: Exception = UnsupportedError(message, hint=hint)
        made.code = str(error.get("code", UnsupportedError.code))  # type: ignore[attr-defined]
        return made
    if kind == "usage":
        return UsageError(message, hint=hint)
    if kind == "memory":
        return ProgramError(f"the program was stopped: {message}")
    if kind == "missing":
        return ProgramError(f"the program could not be loaded: {message}")
    if kind == "raised":
        return ProgramError(f"the program raised {message}", finding="raises")
    return ProgramError(message, finding="returns")
