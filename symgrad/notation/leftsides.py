r"""Left sides that only name what follows: `p(y|X) =`, `KL(p \| q) =`, `\operatorname{Attention}(Q, K, V) =`.

Contract: `settled` gives the tokens in which the bars of such a list of arguments are commas, a logarithm before it is
part of the name, and a word that stands on a left side is a name wherever it occurs.  Nothing right of a `=` changes
otherwise.
"""

from __future__ import annotations

from symgrad.notation.bars import CLOSERS, OPENERS
from symgrad.notation.tokens import NAME, NUM, WORD, Token

UNKNOWN = "UNKNOWN"
#: What a name before a list of arguments is made of, subscripts included.
NAMING = frozenset((NAME, WORD, UNKNOWN, NUM, "_", "{", "}"))
SEPARATORS = frozenset((",", ";", "=", "newline", "\\\\", "where"))
BARS = frozenset(("|", "||"))


def settled(tokens: list[Token]) -> list[Token]:
    """The tokens with left sides put in the form in which they are read."""
    sides = [_left_side(tokens, k) for k, token in enumerate(tokens) if token[0] == "="]
    defined = {tokens[first][1] for first, _, _ in sides if tokens[first][0] == UNKNOWN}
    dropped: set[int] = set()
    commas: set[int] = set()
    for first, opening, end in sides:
        bars = {k for k in range(opening + 1, end) if tokens[k][0] in BARS}
        if opening and bars and all(token[0] in NAMING for token in tokens[first + _is_log(tokens[first]) : opening]):
            commas |= bars
            if _is_log(tokens[first]):
                dropped.add(first)
    if not (defined or commas):
        return tokens
    found = []
    for k, (kind, value, start, stop) in enumerate(tokens):
        if k in commas:
            found.append((",", value, start, stop))
        elif kind == UNKNOWN and value in defined:
            found.append((WORD, value, start, stop))
        elif k not in dropped:
            found.append((kind, value, start, stop))
    return found


def _is_log(token: Token) -> bool:
    return token[0] == "FUNC" and token[1] == "log"


def _left_side(tokens: list[Token], equals: int) -> tuple[int, int, int]:
    """Where the left side before a `=` begins, where its list of arguments opens (0 if it has none) and ends."""
    depth, opening = 0, 0
    end = equals - 1
    for k in range(end, -1, -1):
        kind = tokens[k][0]
        depth += (kind in CLOSERS) - (kind in OPENERS)
        if depth == 0 and kind in SEPARATORS:
            return k + 1, opening, end
        if depth == 0 and kind == "(" and tokens[end][0] == ")" and not opening:
            opening = k
    return 0, opening, end
