"""Fixtures: the command line run in this process, and Python run in a fresh one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """`cli("derive", "x^2", stdin="...")` as the terminal would run it, without starting a process."""
    from symgrad_cli.app import main

    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str, stdin: str | bytes = "") -> Outcome:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capsys.readouterr()
        code = main(list(words))
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def python() -> Callable[..., Outcome]:
    """`python("-c", program, NAME="value")`: a fresh interpreter with those environment variables."""

    def run(*words: str, stdin: str = "", **variables: str) -> Outcome:
        environment = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}} | variables
        done = subprocess.run(
            [sys.executable, *words], input=stdin.encode(), capture_output=True, cwd=ROOT, env=environment, check=False
        )
        return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    return run


# The same examples in every run; SYMGRAD_EXPLORE=1 looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("explore" if os.environ.get("SYMGRAD_EXPLORE") else "repeatable")
