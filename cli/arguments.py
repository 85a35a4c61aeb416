"""From the words on the command line to formulas and options.

Contract: a formula is taken as it stands, also one that begins with `-`: whatever is not an option of the command is a
formula, except a word such as `--fomr`, which is answered with the option it resembles.  `-` is standard input.
Values stay strings here; what they may be is decided by the tables of `symgrad_cli.app`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from symgrad.errors import InputError, LimitError, UsageError

#: Standard input is read up to this many bytes; a formula is bounded far below by the parser.
MAX_INPUT = 4_000_000
#: A word that ends like this is the name of a file with a written derivation, and no formula.
DOCUMENTS = (".tex", ".latex", ".md", ".markdown", ".txt")
_LOOKS_LIKE_AN_OPTION = re.compile(r"--[a-z]{2,}[a-z-]*(=|$)")


class FormulaCommand(TyperCommand):
    """A command whose arguments are formulas, which may begin with a dash.

    All values are strings, lists of strings or flags, so typer's conversion of types has nothing to do; skipping it
    keeps a cold start fast (it would import a validation library).
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options, formulas = separate(self.params, args)
        if ctx.resilient_parsing or any(option in ctx.help_option_names for option in options):
            return super().parse_args(ctx, [*options, "--", *formulas])
        values, _, _ = self.make_parser(ctx).parse_args([*options, "--", *formulas])
        for parameter in self.params:
            value = values.get(parameter.name)
            given = isinstance(value, str | bool | list | tuple) and value != ()
            default = False if getattr(parameter, "is_flag", False) else None
            ctx.params[parameter.name] = (list(value) if isinstance(value, tuple) else value) if given else default
        ctx.args = []
        return []


def separate(parameters: Iterable[Any], args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that are options or their values, and the words that are formulas."""
    takes_value = {name: not p.is_flag for p in parameters if p.param_type_name == "option" for name in p.opts}
    takes_value |= {"--help": False, "-h": False}
    options: list[str] = []
    formulas: list[str] = []
    words = iter(args)
    for word in words:
        name, has_value, _ = word.partition("=")
        if word == "--":
            formulas += words
        elif name not in takes_value:
            if _LOOKS_LIKE_AN_OPTION.match(word):
                raise UsageError(f"there is no option {name}", hint=resembling(name, takes_value))
            formulas.append(word)
        else:
            options.append(word)
            if takes_value[name] and not has_value:
                value = next(words, None)
                if value is None:
                    raise UsageError(f"{name} needs a value after it")
                options.append(value)
    return options, formulas


def resembling(word: str, words: Iterable[str]) -> str:
    """A hint that names what the writer may have meant."""
    known = list(words)
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else "there are " + ", ".join(sorted(known))


def one_of(option: str, value: str | None, choices: Sequence[str]) -> str:
    """The value of an option that is one of a few words; the first is the default."""
    if value is None:
        return choices[0]
    if value not in choices:
        raise UsageError(f"{option} is one of {', '.join(choices)}, not {value!r}", hint=resembling(value, choices))
    return value


def natural(option: str, value: str | None, default: int) -> int:
    """The value of an option that is a small natural number."""
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise UsageError(f"{option} is a number such as {default}, not {value!r}")
    return int(value)


def read(formulas: Sequence[str] | None, several: bool) -> list[str]:
    """The formulas, `-` replaced by standard input; several of them only where the answer has one line each."""
    if not formulas:
        raise UsageError("a formula is missing", hint='for example: symgrad derive "||W x||^2" --wrt W')
    if len(formulas) > 1 and not several:
        together = " ".join(formulas)
        raise UsageError(
            f"{len(formulas)} formulas were given, and one is expected",
            hint=f'put a formula with spaces in quotes: "{together}"; several formulas need --json',
        )
    return [_standard_input() if formula == "-" else formula for formula in formulas]


def document(word: str) -> str | None:
    """The text of a file that is named instead of a formula; None for a formula."""
    if not word.endswith(DOCUMENTS):
        return None
    try:
        with Path(word).open("rb") as file:
            return _decoded(file.read(MAX_INPUT + 1), word)
    except OSError as error:
        raise UsageError(f"{word} cannot be read: {error.strerror or error}") from None


def _standard_input() -> str:
    return _decoded(sys.stdin.buffer.read(MAX_INPUT + 1), "standard input").strip("\r\n")


def input_line() -> str | None:
    """The next line of standard input without its end; None where there is none."""
    data = sys.stdin.buffer.readline(MAX_INPUT + 1)
    return _decoded(data, "standard input").strip() if data else None


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MAX_INPUT:
        raise LimitError(f"{name} is longer than {MAX_INPUT} bytes")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text: see byte {error.start}", code="ENCODING") from None
