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
    tokens = _unlabelled(_primed(tokens))
    sides = [left_side(tokens, k) for k, token in enumerate(tokens) if token[0] == "="]
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


def _primed(tokens: list[Token]) -> list[Token]:
    r"""The tokens with q' one name everywhere, if q' or q_k' stands alone on a left side."""
    stems: dict[object, None] = {}
    for k, token in enumerate(tokens):
        place = _stem(tokens, k - 2) if token[0] == "=" and k > 1 and tokens[k - 1][0] == "'" else -1
        if token[0] == "=" and k > 1 and tokens[k - 1][0] == ")":
            place = _primed_head(tokens, k)
        if place == 0 or (place > 0 and tokens[place - 1][0] in SEPARATORS):
            stems.setdefault(tokens[place][1])
    if not stems:
        return tokens
    found = list(tokens)
    marks = [k for k, token in enumerate(tokens) if token[0] == "'"]
    for k in marks:
        place = _stem(tokens, k - 1)
        if place >= 0 and tokens[place][1] in stems:
            kind, value, start, end = tokens[place]
            found[place] = (kind, f"{value}prime", start, end)
    gone = {k for k in marks if _stem(tokens, k - 1) >= 0 and tokens[_stem(tokens, k - 1)][1] in stems}
    return [token for k, token in enumerate(found) if k not in gone]


def _primed_head(tokens: list[Token], equals: int) -> int:
    """Where the q of `q'(k) =` stands, if q' is called elsewhere, and q is no function itself; -1 for all else."""
    first, opening, _ = left_side(tokens, equals)
    if opening != first + 2 or tokens[first][0] != NAME or tokens[first + 1][0] != "'":
        return -1
    stem = tokens[first][1]
    after = [tokens[k + 1][0] for k, token in enumerate(tokens[:-1]) if token[:2] == (NAME, stem)]
    return first if "(" not in after and after.count("'") > 1 else -1


def _unlabelled(tokens: list[Token]) -> list[Token]:
    r"""The tokens without the label of a defined word, as in `\operatorname{smooth}_{L_1}(x) =`."""
    if not tokens or tokens[0][0] not in (UNKNOWN, WORD) or len(tokens) < 5 or tokens[1][0] != "_":
        return tokens
    end = next((k for k, token in enumerate(tokens) if token[0] == "}"), 0)
    group = tokens[1 : end + 1]
    if (
        not end
        or tokens[2][0] != "{"
        or tokens[end + 1][0] != "("
        or not any(t[0] in ("_", NUM, ",", WORD) for t in group[1:])
    ):
        return tokens
    return tokens[:1] + tokens[end + 1 :]


def _stem(tokens: list[Token], place: int) -> int:
    """Where the name stands that ends at `place`, its subscript included; -1 if there is none."""
    if place > 1 and tokens[place][0] == "}":
        while place > 0 and tokens[place][0] != "{":
            place -= 1
        place -= 2 if tokens[place - 1][0] == "_" else 0
    elif place > 1 and tokens[place - 1][0] == "_":
        place -= 2
    return place if place >= 0 and tokens[place][0] == NAME else -1


def _is_log(token: Token) -> bool:
    return token[0] == "FUNC" and token[1] == "log"


def left_side(tokens: list[Token], equals: int) -> tuple[int, int, int]:
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
