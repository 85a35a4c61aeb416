r"""The commands that a LaTeX document defines for itself, written out.

Contract: `expand(source)` reads `\newcommand`, `\renewcommand`, `\providecommand`, `\def`, `\DeclareMathOperator` and
`\DeclarePairedDelimiter`, blanks them, and puts their bodies in the places where they are used.  The result knows where
in the source each of its characters came from.  `LimitError` where a command would grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.errors import InputError, LimitError

MAX_EXPANDED = 400_000
MAX_PASSES = 20
_DEFINED = re.compile(
    r"\\(?:new|renew|provide)command\*?|\\def(?![A-Za-z])"
    r"|\\DeclareMathOperator(?P<star>\*)?|\\DeclarePairedDelimiter(?![A-Za-z])"
)
_NAME = re.compile(r"\s*\{?\s*\\([A-Za-z]+)\s*\}?")
_COUNT = re.compile(r"\s*\[(\d)\]")
_PARAMETERS = re.compile(r"((?:#\d)*)\s*")
_WORD = re.compile(r"\\([A-Za-z]+)\*?")
_ARGUMENT = re.compile(r"\\(?:[A-Za-z]+|.)|[^\s{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Macro:
    """A command: how many arguments it takes, what stands for the first one where it is left out, and its body."""

    arguments: int
    body: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text, and for each of its characters the span of the source that it came from."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def start(self, offset: int) -> int:
        """Where in the source the character at `offset` comes from."""
        if offset < len(self.spans):
            return self.spans[offset][0]
        return self.spans[-1][1] if self.spans else 0

    def end(self, offset: int) -> int:
        """Where in the source what comes before `offset` ends."""
        return self.spans[offset - 1][1] if 0 < offset <= len(self.spans) else self.start(offset)


def expand(source: str) -> Expanded:
    """A document without commands of its own.

    >>> expand(r"\\newcommand{\\vx}{\\mathbf{x}}$f = \\|\\vx\\|^2$").text.strip()
    '$f = \\\\|\\\\mathbf{x}\\\\|^2$'
    """
    text, macros = _definitions(source)
    spans = [(k, k + 1) for k in range(len(text))]
    for _ in range(MAX_PASSES):
        if not any(found[1] in macros for found in _WORD.finditer(text)):
            return Expanded(text, tuple(spans))
        text, spans = _once(text, spans, macros)
        if len(text) > MAX_EXPANDED:
            break
    raise LimitError("the commands of this document grow without end when they are written out", source=source)


def _definitions(source: str) -> tuple[str, Mapping[str, Macro]]:
    """The source with its definitions as spaces, and the commands they define."""
    macros: dict[str, Macro] = {}
    place, text = 0, source
    while (found := _DEFINED.search(source, place)) is not None:
        place = found.end()
        name = _NAME.match(source, place)
        if name is None:
            continue
        read = _paired if found[0].endswith("Delimiter") else _plain
        try:
            macros[name[1]], place = read(source, name.end(), "Operator" in found[0])
        except ValueError:
            raise InputError(
                f"the definition of \\{name[1]} cannot be read", source=source, offset=found.start(), end=name.end()
            ) from None
        blank = re.sub(r"[^\n]", " ", source[found.start() : place])
        text = text[: found.start()] + blank + text[place:]
    return text, macros


def _plain(source: str, place: int, operator: bool) -> tuple[Macro, int]:
    """The rest of a `\\newcommand`, a `\\def` or a `\\DeclareMathOperator` behind the name."""
    count, default = 0, None
    found = _COUNT.match(source, place)
    if found is not None:
        count, place = int(found[1]), found.end()
        if source[place : place + 1] == "[":
            stop = source.index("]", place)
            default, place = source[place + 1 : stop], stop + 1
    parameters = _PARAMETERS.match(source, place)
    if parameters is not None and parameters[1]:
        count, place = len(parameters[1]) // 2, parameters.end()
    start, place = _braced(source, place)
    body = source[start : place - 1]
    return Macro(count, rf"\operatorname{{{body}}}" if operator else body, default), place


def _paired(source: str, place: int, _operator: bool) -> tuple[Macro, int]:
    r"""`\DeclarePairedDelimiter{\norm}{\lVert}{\rVert}`."""
    first, middle = _braced(source, place)
    last, end = _braced(source, middle)
    return Macro(1, f"{source[first : middle - 1]} #1 {source[last : end - 1]}"), end


def _braced(source: str, place: int) -> tuple[int, int]:
    """(start of what is in the braces, end behind them); ValueError where none open here."""
    opening = re.compile(r"\s*\{").match(source, place)
    if opening is None:
        raise ValueError
    depth = 1
    for k in range(opening.end(), len(source)):
        if source[k] in "{}" and source[k - 1] != "\\":
            depth += 1 if source[k] == "{" else -1
            if depth == 0:
                return opening.end(), k + 1
    raise ValueError


def _once(text: str, spans: list[tuple[int, int]], macros: Mapping[str, Macro]) -> tuple[str, list[tuple[int, int]]]:
    """Each outermost use replaced by its body."""
    pieces: list[str] = []
    origins: list[tuple[int, int]] = []
    place = 0
    for found in _WORD.finditer(text):
        macro = macros.get(found[1])
        if macro is None or found.start() < place:
            continue
        end = found.end() - (found[0].endswith("*") and macro.arguments != 1)
        arguments, end = _arguments(text, end, macro)
        pieces.append(text[place : found.start()])
        origins += spans[place : found.start()]
        whole = (spans[found.start()][0], spans[end - 1][1])
        for start, stop, said in _filled(macro, arguments):
            pieces.append(text[start:stop] if said is None else said)
            origins += spans[start:stop] if said is None else [whole] * len(said)
        place = end
    pieces.append(text[place:])
    return "".join(pieces), origins + spans[place:]


def _arguments(text: str, place: int, macro: Macro) -> tuple[list[tuple[int, int] | str], int]:
    """The arguments behind a command, as spans of the text or as the default, and where they end."""
    found: list[tuple[int, int] | str] = []
    if macro.default is not None:
        optional = re.compile(r"\s*\[([^\]]*)\]").match(text, place)
        found.append(optional.span(1) if optional else macro.default)
        place = optional.end() if optional else place
    while len(found) < macro.arguments:
        try:
            start, stop = _braced(text, place)
            found.append((start, stop - 1))
        except ValueError:
            token = _ARGUMENT.search(text, place)
            start, stop = token.span() if token is not None else (place, place)
            found.append((start, stop))
        place = stop
    return found, place


def _filled(macro: Macro, arguments: list[tuple[int, int] | str]) -> Iterator[tuple[int, int, str | None]]:
    """The body in pieces: spans of the text for arguments, and what the body itself says."""
    for k, part in enumerate(re.split(r"#(\d)", macro.body)):
        given = arguments[int(part) - 1] if k % 2 and 0 < int(part) <= len(arguments) else part
        yield (0, 0, given) if isinstance(given, str) else (*given, None)
