r"""Where a document says that two things are equal: its chains of equations, with exact places.

Contract: `read_document` finds the equations of a text, Markdown or LaTeX document and changes nothing else in it: a
side of an equation is a span of `Document.clean`, which has the length and the lines of the source, with markup,
comments and alignment replaced by spaces.  A chain runs on over rows that begin with a relation (`&= ... \\`), a side
over rows that begin with an operator.  What is not an equation is prose and is left alone.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from symgrad.errors import InputError, LimitError
from symgrad.review.macros import Expanded, expand

MAX_DOCUMENT = 200_000
MAX_EQUATIONS = 1000

_ENVIRONMENTS = (
    "equation|align|aligned|alignat|alignedat|gather|gathered|multline|split|flalign|eqnarray|displaymath|math"
)
_REGION = re.compile(
    rf"\\begin\s*\{{(?P<env>(?:{_ENVIRONMENTS})\*?)\}}(?:\{{\d+\}})?|(?P<fence>^[ \t]*```[ \t]*(?P<lang>\w*)[ \t]*$)"
    r"|(?P<dollars>\$\$)|(?P<display>\\\[)|(?P<paren>\\\()|(?P<dollar>(?<!\\)\$)",
    re.MULTILINE,
)
_HEADING = re.compile(
    r"^#{1,6} .*$|\\(?:chapter|(?:sub)*section|paragraph)\*?\s*\{"
    r"|\\begin\s*\{(?:example|exercise|problem|question)\*?\}",
    re.MULTILINE,
)
_BEGINS = r"(?:^|\\\\|\$|\\\[|\\\(|\\(?:begin|end)\{[a-z]+\*?\})\s*&?\s*"
_BELOW = r"(?:_(?:\\[A-Za-z]+|\w|\{[^{}]*\}))?"
_LOGARITHM = re.compile(_BEGINS + rf"\\(?:log|ln)\s*([A-Za-z]){_BELOW}\s*\(", re.MULTILINE)
_FUNCTION = re.compile(_BEGINS + r"([A-Za-z])\s*[(_=]", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_VERBATIM = re.compile(r"\\begin\{(verbatim|lstlisting|minted)\}.*?\\end\{\1\}", re.DOTALL)
_WRAPPER = re.compile(rf"\\(?:begin|end)\s*\{{(?:{_ENVIRONMENTS})\*?\}}(?:\{{\d+\}})?")
_ASIDE = re.compile(
    r"\\(?:label|tag\*?|hspace\*?|vspace\*?|eqref|ref|cite)\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z])"
)
_INTERTEXT = re.compile(r"\\(?:short)?intertext\s*\{(?:[^{}]|\{[^{}]*\})*\}")
_UPRIGHT = re.compile(r"\\(?:mathrm|operatorname|text|mathop|mathsf)\s*\{\s*d\s*\}")
_STACKED = re.compile(r"\\(?:stackrel|overset)\s*\{[^{}]*\}\s*\{\s*=\s*\}")
_TOKEN = re.compile(
    r"(?P<break>\\\\(?:\[[^\]\n]*\])?|\\(?:implies|impliedby|Rightarrow|Leftrightarrow|iff|therefore|because)(?![A-Za-z]))"
    r"|(?P<given>\\(?:text|mbox|textrm)\s*\{[\s,]*(?:if|for|when|where|whenever)(?:\s+(?:all|each|every|any))?\s*\}"
    r"|(?<![A-Za-z\\])(?:if|when|for)(?![A-Za-z]))"
    r"|(?P<gap>\\q?quad(?![A-Za-z])|[,;])"
    r"|(?P<about>\\approx(?![A-Za-z])|≈)"
    r"|(?P<equal>:=|(?<![<>!=:])=(?!=)|\\(?:equiv|triangleq|coloneqq|coloneq)(?![A-Za-z])|≡|≜)"
    r"|(?P<aside>\\(?:text|mbox|textrm)\s*\{[^{}]*\})"
    r"|(?P<open>\\begin\s*\{[A-Za-z]+\*?\}|\\[{]|[({\[])"
    r"|(?P<close>\\end\s*\{[A-Za-z]+\*?\}|\\[}]|[)}\]])"
    r"|(?P<column>&)|(?P<other>\\[A-Za-z]+\*?|\\.)"
)
#: A comparison that is no equation, as in `..., j \\neq y_i`.
_COMPARED = re.compile(r"\\(?:neq?|leq?|geq?|lt|gt)(?![A-Za-z])|[<>≠≤≥]|!=")
#: `where` before a definition begins another equation, and no condition.
_DEFINING = re.compile(
    r"\\(?:text|mbox|textrm)\s*\{[\s,]*where\s*\}\s*\\?[A-Za-z]+\s*(?:_\s*(?:\{\w+\}|\w)\s*)?="
    r"(?!\s*[A-Za-z0-9]\s*(?:[,.&$]|$))"
)
_OPERATOR = re.compile(r"\s*(?:[-+*/@⊙·]|\\(?:cdot|times|odot|circ|pm)(?![A-Za-z]))")
_LEAD = re.compile(
    r"\s*(?:[*>•]\s+|\d+[.)]\s+)?(?:(?:where|let|with|and|so|then|thus|hence|therefore|since|because|now|but|that is|"
    r"we (?:get|have|find|obtain))[,:]?\s+)*",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r",?\s(?:and|where|with|so|then|thus|hence|therefore)(?:\s+(?:let|so|then|thus))?\s(?=[^=]*=)")
_WORDS = r"[A-Za-z][a-z'-]+(?:[ ,]+[A-Za-z][a-z'-]+)*"
_REMARK = re.compile(rf"(?:\s\s|\t)(?:\({_WORDS}\)|\[{_WORDS}\])\s*$|\s(?:#|//).*$")
_PROSE = re.compile(r"(?:(?<![A-Za-z_\\])[A-Za-z][a-z']+[ ,]+){2,}[A-Za-z][a-z']+(?![A-Za-z_(])|[A-Za-z]{2,}[.:]\s*$")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a relation: a span of the document, and that of the condition behind it, if one stands there."""

    start: int
    end: int
    given: Side | None = None


@dataclass(slots=True)
class Chain:
    """`a = b = c`: the sides, and the relations between them, `"="` or `"≈"`."""

    sides: list[Side]
    relations: list[str] = field(default_factory=list)
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the equations found in it; `source` has its own commands written out, `original` has not."""

    source: str
    clean: str
    syntax: str
    chains: tuple[Chain, ...]
    original: str
    expanded: Expanded
    #: Where a chain is one of several that a statement about a layer stands for: what to say of it.
    instances: Mapping[int, str] = field(default_factory=dict)

    def text(self, side: Side) -> str:
        """What stands on a side, on one line."""
        return self.clean[side.start : side.end].replace("\n", " ")

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The same span in the original."""
        return self.expanded.start(start), self.expanded.end(end)

    def shown(self, side: Side) -> str:
        """What the writer wrote on a side."""
        start, end = self.span(side.start, side.end)
        return " ".join(self.original[start:end].replace("&", " ").split())

    def line(self, offset: int) -> int:
        return self.original.count("\n", 0, self.expanded.start(offset)) + 1

    def column(self, offset: int) -> int:
        place = self.expanded.start(offset)
        return place - (self.original.rfind("\n", 0, place) + 1) + 1

    def problem(self, error: InputError, side: Side) -> InputError:
        """The error of reading one side, placed in the document."""
        error.offset, error.end = error.offset + side.start, error.end + side.start
        error.source = self.source
        return error


def parts(document: Document) -> list[tuple[Chain, ...]]:
    """The chains between the headings of a document."""
    starts = [found.start() for found in _HEADING.finditer(document.clean)]
    groups: list[list[Chain]] = [[] for _ in range(len(starts) + 1)]
    for chain in document.chains:
        groups[bisect(starts, chain.sides[0].start)].append(chain)
    return [tuple(group) for group in groups if group]


def read_document(source: str, syntax: str = "auto") -> Document:
    """The equations of a document; LaTeX where it has a backslash or a dollar sign, one equation a line otherwise."""
    if len(source) > MAX_DOCUMENT:
        raise LimitError(f"a document of more than {MAX_DOCUMENT} characters", source=source, code="LIMIT_LENGTH")
    if syntax == "auto":
        syntax = "latex" if "\\" in source or "$" in source else "text"
    if syntax == "latex":
        expanded = expand(_without_comments(source))
        clean = _with_logarithms_named(_body(expanded.text))
        page = _Page(expanded.text, list(clean))
        regions = list(_regions(clean, expanded, source))
    else:
        expanded = Expanded(source, tuple((k, k + 1) for k in range(len(source))))
        page = _Page(source, list(source))
        regions = list(_lines(page))
    for start, end, inline in regions:
        _read_region(page, start, end, inline)
    if sum(len(chain.relations) for chain in page.chains) > MAX_EQUATIONS:
        raise LimitError(f"a document of more than {MAX_EQUATIONS} equations", source=source)
    return Document(expanded.text, "".join(page.text), syntax, tuple(page.chains), source, expanded)


class _Page:
    """A document while it is being read: its characters, some of them blanked, and the chains so far."""

    def __init__(self, source: str, text: list[str]) -> None:
        self.source = source
        self.text = text
        self.chains: list[Chain] = []

    def blank(self, start: int, end: int) -> None:
        for place in range(start, end):
            if self.text[place] != "\n":
                self.text[place] = " "

    def slice(self, start: int, end: int) -> str:
        return "".join(self.text[start:end])

    def trimmed(self, start: int, end: int) -> Side:
        """The span without the spaces and the punctuation around it."""
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and (self.text[end - 1].isspace() or self.text[end - 1] in ",;."):
            end -= 1
        return Side(start, end)


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _without_comments(source: str) -> str:
    """The source with comments and verbatim text as spaces."""
    return _VERBATIM.sub(_spaces, _COMMENT.sub(_spaces, source))


def _body(text: str) -> str:
    """The text with whatever is outside the body of the document as spaces."""
    begin, end = text.find(r"\begin{document}"), text.find(r"\end{document}")
    if begin < 0:
        return text
    stop = end if end >= 0 else len(text)
    return re.sub(r"[^\n]", " ", text[:begin]) + text[begin:stop] + re.sub(r"[^\n]", " ", text[stop:])


def _with_logarithms_named(text: str) -> str:
    r"""The text with `\log p(x)` as `logp(x)` where an equation begins with it, and no other says what p is."""
    named = {found[1] for found in _LOGARITHM.finditer(text)} - {found[1] for found in _FUNCTION.finditer(text)}
    for letter in named:
        uses = re.compile(rf"\\(?:log|ln)\s*{letter}{_BELOW}(?=\s*(\([^()]*\)))")
        for found in list(uses.finditer(text)):
            start, end = found.span(1)
            given = re.sub(r"\\mid|\||;", lambda bar: ",".ljust(len(bar[0])), found[1])
            name = f"log{letter}".ljust(len(found[0]))
            text = text[: found.start()] + name + text[found.end() : start] + given + text[end:]
    return text


# --- regions ----------------------------------------------------------------------------------------------------------


def _regions(text: str, expanded: Expanded, source: str) -> Iterator[tuple[int, int, bool]]:
    """(start, end, inline) of the mathematics in LaTeX or Markdown; the whole where nothing marks it."""
    place, found = 0, False
    while (opening := _REGION.search(text, place)) is not None:
        found = True
        close = _closing(opening)
        stop = re.compile(close, re.MULTILINE).search(text, opening.end())
        if stop is None:
            message = f"{opening[0].strip()} is not closed"
            place, end = expanded.start(opening.start()), expanded.end(opening.end())
            raise InputError(message, source=source, offset=place, end=end)
        if opening["fence"] is None or opening["lang"] in {"math", "latex", "tex"}:
            yield opening.end(), stop.start(), bool(opening["dollar"] or opening["paren"])
        place = stop.end()
    if not found:
        yield 0, len(text), False


def _closing(opening: re.Match[str]) -> str:
    if opening["env"]:
        return r"\\end\s*\{" + re.escape(opening["env"]) + r"\}"
    pairs = {"fence": r"^[ \t]*```[ \t]*$", "dollars": r"\$\$", "display": r"\\\]", "paren": r"\\\)"}
    return next((close for group, close in pairs.items() if opening[group]), r"(?<!\\)\$")


def _lines(page: _Page) -> Iterator[tuple[int, int, bool]]:
    """The lines of a text that may be equations, with their remarks and their leading words blanked."""
    place = 0
    for line in page.source.split("\n"):
        start, end = place, place + len(line)
        place = end + 1
        if line.lstrip().startswith(("#", "//", "%", "```")):
            continue
        remark = _REMARK.search(line)
        if remark:
            page.blank(start + remark.start(), end)
        lead = _LEAD.match(line)
        if lead:
            page.blank(start, start + lead.end())
        for between in _BETWEEN.finditer(line):
            page.blank(start + between.start(), start + between.end())
            page.text[start + between.start()] = ","
        if not _PROSE.search(page.slice(start, end)):
            yield start, end, False


# --- rows -------------------------------------------------------------------------------------------------------------


def _read_region(page: _Page, start: int, end: int, inline: bool) -> None:
    """Split a display into rows, and rows into the sides of their relations."""
    for found in _INTERTEXT.finditer(page.slice(start, end)):  # words between rows end a row
        page.blank(start + found.start(), start + found.end())
        page.text[start + found.start() : start + found.start() + 2] = "\\\\"
    for pattern in (_WRAPPER, _ASIDE):
        for found in pattern.finditer(page.slice(start, end)):
            page.blank(start + found.start(), start + found.end())
    for found in _STACKED.finditer(page.slice(start, end)):
        equals = found[0].rindex("=")
        page.blank(start + found.start(), start + found.start() + equals)
        page.blank(start + found.start() + equals + 1, start + found.end())
    for found in _UPRIGHT.finditer(page.slice(start, end)):
        page.blank(start + found.start(), start + found.end())
        page.text[start + found.end() - 1] = "d"
    marks = _marks(page, start, end)
    row_start = start
    row: list[tuple[str, int, int]] = []
    first = True
    for kind, at, stop in [*marks, ("break", end, end)]:
        if kind != "break":
            page.blank(at, stop)
            page.text[at] = " " if kind == "given" else "="
            row.append((kind, at, stop))
            continue
        first = _read_row(page, row_start, at, row, inline, first) and first
        page.blank(at, stop)
        row_start, row = stop, []


def _marks(page: _Page, start: int, end: int) -> list[tuple[str, int, int]]:
    """The ends of rows and the relations of a display, outside all brackets."""
    found: list[tuple[str, int, int]] = []
    depth = environments = 0
    for token in _TOKEN.finditer(page.slice(start, end)):
        kind, at, stop = token.lastgroup or "", start + token.start(), start + token.end()
        if kind == "open":
            depth += 1
            environments += token[0].startswith("\\begin")
        elif kind == "close":
            depth = max(0, depth - 1)
            environments -= token[0].startswith("\\end")
        elif kind == "given" and depth == 0 and _DEFINING.match(page.slice(start, end), token.start()):
            found.append(("break", at, stop))
        elif kind == "break" and environments <= 0:
            depth = 0
            found.append((kind, at, stop))
        elif depth == 0 and kind in {"gap", "about", "equal", "given"}:
            found.append((kind, at, stop))
        elif depth == 0 and kind in {"aside", "column"}:
            page.blank(at, stop)
    return _separated(page, found, end)


def _separated(page: _Page, marks: list[tuple[str, int, int]], end: int) -> list[tuple[str, int, int]]:
    """A comma or a wide space ends a row where an equation stands on both sides of it; elsewhere it is nothing."""
    kept: list[tuple[str, int, int]] = []
    related = False
    for k, (kind, at, stop) in enumerate(marks):
        if kind == "gap":
            following = next(((n, a) for n, a, _ in marks[k + 1 :] if n != "gap"), ("break", end))
            starts = bool(page.slice(stop, following[1]).strip(" \n,;"))
            if related and starts and following[0] in {"equal", "about"}:
                kept.append(("break", at, stop))
                related = False
            elif related and _COMPARED.search(page.slice(stop, following[1])):
                kept.append(("given", at, stop))
            elif page.text[at] == "\\":
                page.blank(at, stop)
            continue
        related = kind != "break"
        kept.append((kind, at, stop))
    return kept


def _read_row(
    page: _Page, start: int, end: int, relations: list[tuple[str, int, int]], inline: bool, first: bool
) -> bool:
    """Add a row to the chains; true where it was empty."""
    condition = None
    given = next((k for k, (kind, _, _) in enumerate(relations) if kind == "given"), None)
    if given is not None:  # what follows belongs to the condition, an `=` too
        condition = page.trimmed(relations[given][2], end)
        relations, end = relations[:given], relations[given][1]
    cuts = [start, *(stop for _, _, stop in relations)]
    ends = [*(at for _, at, _ in relations), end]
    sides = [page.trimmed(a, b) for a, b in zip(cuts, ends, strict=True)]
    if condition is not None and relations:
        sides[-1] = replace(sides[-1], given=condition)
    signs = ["=" if kind == "equal" else "≈" for kind, _, _ in relations]
    empty = sides[0].start == sides[0].end
    last = page.chains[-1] if page.chains else None
    if not relations and empty:
        return True
    if empty and last is not None and not inline:
        last.sides += sides[1:]
        last.relations += signs
    elif not relations and last is not None and not first and _OPERATOR.match(page.slice(start, end)):
        last.sides[-1] = Side(last.sides[-1].start, sides[0].end)
    elif not empty:
        page.chains.append(Chain(sides, signs, inline))
    return False
