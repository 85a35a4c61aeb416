"""What README and the documentation show, run: sessions of the command line, and programs with their output.

Contract: `sessions(page)` are the commands of its console blocks, `programs(page)` its Python blocks in order, each with the
output that is shown behind it, if any.  With SYMGRAD_UPDATE_PAGES=1 the tests write what is true instead of comparing.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import ROOT, Outcome

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"^```python\n(.*?)^```\n(?:\n```output\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
#: Rounding errors differ between machines; everything else in an output does not.
NOISE = re.compile(r"\d\.\d+e[-+]\d+")


class Shown(NamedTuple):
    """A command or a program of a page, and the output that stands behind it."""

    page: Path
    source: str
    output: str | None


def sessions(page: Path) -> list[Shown]:
    """Every `$ symgrad ...` in the console blocks."""
    texts = [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == "console"]
    parts = [part for text in texts for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return [Shown(page, command, output) for command, _, output in (part.partition("\n") for part in parts)]


def programs(page: Path) -> list[Shown]:
    found = _PROGRAM.finditer(page.read_text("utf-8"))
    return [Shown(page, match.group(1), match.group(2)) for match in found]


def said(shown: Shown, cli: Callable[..., Outcome]) -> str:
    """What the command prints, its errors and, where the page asks for it, its exit code."""
    command, echo, _ = shown.source.partition("; echo")
    command, redirected = re.subn(r" > [\w.]+$", "", command)
    program, *words = shlex.split(command)
    assert program == "symgrad"
    outcome = cli(*words)
    return (outcome.out + outcome.err) * (not redirected) + (f"exit {outcome.code}\n" if echo else "")


def printed(program: str, names: dict[str, Any], page: Path) -> str:
    """What a program prints; the programs of a page share their names."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, str(page), "exec"), names)
    return out.getvalue()


def agree(shown: Shown, found: str) -> None:
    """The page says what is true; or, when updating, it does from now on."""
    assert shown.output is not None
    if not os.environ.get("SYMGRAD_UPDATE_PAGES"):
        assert NOISE.sub("#", found).split() == NOISE.sub("#", shown.output).split()
        return
    source = shown.page.read_text("utf-8")
    mark = "```output\n" if f"```python\n{shown.source}" in source else ""
    lead = f"```python\n{shown.source}```\n\n" if mark else f"$ {shown.source}\n"
    shown.page.write_text(source.replace(lead + mark + shown.output, lead + mark + found, 1), "utf-8")
