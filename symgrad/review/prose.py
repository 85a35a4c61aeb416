r"""What the words between the equations of a document say of them: cases, solutions, layouts.

Contract: `cases(document)` gives for a chain the comparison of letters that its case is (`Case $i \neq j$:`), and
whether it is plain that the case still holds there; `solutions(document)` are the chains that come of setting a
derivative to zero; `layout_named(document)` is the layout that the document says it uses, and
`assumptions(document)` what it says of matrices.  Words never make a line
wrong: they only say under what condition it may be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.notation.names import canonical
from symgrad.review.document import Chain, Document, Side

_CASE = re.compile(r"(?:cases?|if|for|when|where|suppose|assume|that)\b\W*(?:[a-z]+\W+){0,2}$", re.IGNORECASE)
_AFTER = re.compile(r"^[\s$,.\])]*(?:\\[\])]|\$*)\s*,?\s*(?:if|for|when|where|whenever)\W+(?:all\W+)?$")
_COMPARED = re.compile(
    r"^\s*(?:[A-Za-z]\s*(?:=|\\neq?(?![A-Za-z])|≠|!=)\s*[A-Za-z]"
    r"|[^=<>]{1,40}(?:[<>≤≥]|\\(?:l|g)(?:t|eq?)(?![A-Za-z]))[^=<>]{1,20})\s*$"
)
_WITHIN = re.compile(r"\$([^$]+)\$")
_COMMAND = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}|\\[A-Za-z]+|\\.")
_WORD = re.compile(r"[A-Za-z]{2,}")
_ALL = re.compile(
    r"\b(?:both|together|combin\w+|general|altogether|overall|hence|therefore|thus|either)\b", re.IGNORECASE
)
_SOLVED = re.compile(
    r"\b(?:zero|vanish\w*|stationary|optim\w+|minimi\w+|maximi\w+|maximum|minimum|solv\w+)\b|=\s*0\b", re.IGNORECASE
)
_LAYOUT = re.compile(r"\b(numerator|denominator)[\s-]+layout", re.IGNORECASE)
_KIND = r"(?P<word>symmetric|diagonal|orthogonal|invertible|positive[\s-]definite)"
_NAMED = r"\$(?P<name>[A-Z]|\\(?:Sigma|Lambda|Omega|Gamma|Phi|Theta)|\\math(?:bf|rm)\{[A-Z]\})\$"
_ASSUMED = (
    re.compile(rf"\b{_KIND}\s+(?:matrix\s+)?{_NAMED}", re.IGNORECASE),
    re.compile(rf"{_NAMED},?\s+(?:is\s+|be\s+|being\s+)?(?:a\s+)?{_KIND}\b", re.IGNORECASE),
)
MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """A comparison of letters under which a chain is stated; `plain` where no other words stand between them."""

    side: Side
    plain: bool
    text: str


def cases(document: Document) -> Mapping[int, Case]:
    """The case of each chain that has one, by the start of its first side."""
    found: dict[int, Case] = {}
    last: Side | None = None
    source = document.source
    plain = False
    chains = document.chains
    for k, chain in enumerate(chains):
        before = chains[k - 1] if k else None
        gap = document.source[_end(before) if before else 0 : chain.sides[0].start]
        side = _compared(document, chain)
        if side is not None:
            after = before is not None and _AFTER.match(gap)
            if after and before is not None:
                found[before.sides[0].start] = Case(side, True, source[side.start : side.end])
            elif _CASE.search(gap):
                last, plain = side, True
            continue
        words = _WORD.findall(_COMMAND.sub(" ", gap))
        behind = before is not None and _compared(document, before) is not None
        plain = plain and len(words) <= (MAX_WORDS if behind else 0)
        last = None if _ALL.search(gap) and not behind else last
        for within in _WITHIN.finditer(gap) if "intertext" in gap else ():
            if _COMPARED.match(within[1]) and _CASE.search(gap[: within.start()]):
                start = chain.sides[0].start - len(gap) + within.start(1)
                last, plain = Side(start, start + len(within[1])), True
        if last is not None:
            found[chain.sides[0].start] = Case(last, plain, source[last.start : last.end])
    return found


def _compared(document: Document, chain: Chain) -> Side | None:
    """The whole of a chain that is nothing but `i = j` or `i \\neq j`."""
    if len(chain.sides) > 2 or not chain.inline:
        return None
    whole = Side(chain.sides[0].start, chain.sides[-1].end)
    return whole if _COMPARED.match(document.source[whole.start : whole.end]) else None


def _end(chain: Chain) -> int:
    last = chain.sides[-1]
    return (last.given or last).end


def solutions(document: Document) -> set[int]:
    """The chains that are said to come of setting something to zero, by the start of their first side."""
    found: set[int] = set()
    for before, chain in zip(document.chains, document.chains[1:], strict=False):
        gap = document.source[_end(before) : chain.sides[0].start]
        start = chain.sides[0].start
        zero = any(document.text(side).strip() == "0" for side in before.sides[1:])
        goes_on = before.sides[0].start in found and not re.search(r"[.;:]\s|\n\s*\n", gap)
        if zero or _SOLVED.search(gap) or goes_on:
            found.add(start)
    return found


def assumptions(document: Document) -> dict[str, tuple[str, ...]]:
    """What the words say of matrices: `symmetric $S$`, `where $Q$ is positive definite`."""
    found: dict[str, tuple[str, ...]] = {}
    for pattern in _ASSUMED:
        for match in pattern.finditer(document.original):
            name, word = canonical(match["name"]), re.sub(r"[\s-]+", "_", match["word"].lower())
            found[name] = (*found.get(name, ()), word)
    return {name: tuple(dict.fromkeys(words)) for name, words in found.items()}


def layout_named(document: Document) -> str:
    """The layout that the words name, if they name one."""
    named = {found[1].lower() for found in _LAYOUT.finditer(document.source)}
    return named.pop() if len(named) == 1 else ""
