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
    tokens = _unlabelled(_primed(_plain_sides(_lettered(tokens))))
    sides = [left_side(tokens, k) for k, token in enumerate(tokens) if token[0] == "="]
    defined = {tokens[first][1] for first, _, _ in sides if tokens[first][0] == UNKNOWN}
    dropped: set[int] = set()
    commas: set[int] = set()
    for first, opening, end in sides:
        bars = {k for k in range(opening + 1, end) if tokens[k][0] in BARS} if opening else set()
        if bars and all(token[0] in NAMING for token in tokens[first + _is_log(tokens[first]) : opening]):
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


def _lettered(tokens: list[Token]) -> list[Token]:
    r"""The tokens with s_p one name, where `s_p(x) =` defines a function and p stands nowhere but below such an s."""
    found: dict[object, object] = {}
    for k, token in enumerate(tokens):
        side = _applied_side(tokens, k) if token[0] == "=" else None
        if side is not None and side[1] == side[0] + 3 and _is_letter(tokens[side[0] + 2]):
            found.setdefault(tokens[side[0]][1], tokens[side[0] + 2][1])
    for name, letter in list(found.items()):
        places = [j for j, t in enumerate(tokens) if t[:2] == (NAME, letter)]
        uses = [j for j, t in enumerate(tokens) if t[:2] == (NAME, name)]
        if [j + 2 for j in uses] != places or any(tokens[j + 1][0] != "_" or tokens[j + 3][0] != "(" for j in uses):
            del found[name]
    named = {j for j, t in enumerate(tokens) if t[0] == NAME and t[1] in found}
    return [
        (t[0], f"{t[1]}_{found[t[1]]}", t[2], tokens[k + 2][3]) if k in named else t
        for k, t in enumerate(tokens) if not {k - 1, k - 2} & named
    ]  # fmt: skip


def _is_letter(token: Token) -> bool:
    return token[0] == NAME and len(str(token[1])) == 1 and str(token[1]).islower()


def _plain_sides(tokens: list[Token]) -> list[Token]:
    r"""The tokens without the arguments of a function that always stands with the same ones, or nowhere else.

    `\phi_1(x; \mu) =`, `T(\theta, \theta) =`, `\operatorname{clr}(x)_i =`, `D_\alpha[p : q] =` name what follows; in
    `r_j^2(x)` beside `r_j(x) =` the argument says again what r_j depends on.
    """
    gone: set[int] = set()
    named: dict[int, Token] = {}
    for k, token in enumerate(tokens):
        if token[0] != "=":
            continue
        side = _applied_side(tokens, k)
        if side is None:
            continue
        first, opening, closing = side
        kind, value, start, end = tokens[first]
        places = [j for j, t in enumerate(tokens) if t[1] == value and t[0] in (NAME, WORD, UNKNOWN) and j != first]
        lists = [_arguments(tokens, j) for j in places]
        given = [t[:2] for t in tokens[opening : closing + 1]]
        alone = all(c < 0 for _, c in lists) and _is_unusual(tokens, first, opening, closing, k)
        same = any(_is_raised(tokens, j, o) for j, (o, _) in zip(places, lists, strict=True)) and all(
            [t[:2] for t in tokens[o : c + 1]] == given for o, c in lists
        )
        if alone or same:
            gone.update(range(opening, closing + 1), *(range(o, c + 1) for o, c in lists))
            named[first] = (WORD if kind == UNKNOWN else NAME, value, start, end)
    return [named.get(k, token) for k, token in enumerate(tokens) if k not in gone]


def _applied_side(tokens: list[Token], equals: int) -> tuple[int, int, int] | None:
    """(name, opening, closing) of a left side `name_i(arguments)_j =`; None for other left sides."""
    first = equals - 1
    depth = 0
    while first >= 0 and (depth or tokens[first][0] not in SEPARATORS):
        depth += (tokens[first][0] in CLOSERS) - (tokens[first][0] in OPENERS)
        first -= 1
    first += 1
    if first >= equals or tokens[first][0] not in (NAME, WORD, UNKNOWN):
        return None
    opening, closing = _arguments(tokens, first)
    if not opening:
        return None
    rest = [t[0] for t in tokens[closing + 1 : equals]]
    plain = not rest or (rest[0] == "_" and set(rest) <= {"_", "{", "}", NAME, ","})
    names = {t[0] for t in tokens[opening + 1 : closing]} <= NAMING | {",", ";", ":"}
    return (first, opening, closing) if plain and names else None


def _arguments(tokens: list[Token], place: int) -> tuple[int, int]:
    """Where the bracket behind a name and its scripts opens and closes; (0, -1) if there is none."""
    place += 1
    while place + 1 < len(tokens) and tokens[place][0] in ("_", "^"):
        place = _closing(tokens, place + 1) + 1
    if place >= len(tokens) or tokens[place][0] not in ("(", "["):
        return 0, -1
    return place, _closing(tokens, place)


def _closing(tokens: list[Token], place: int) -> int:
    depth = 0
    for k in range(place, len(tokens)):
        depth += (tokens[k][0] in OPENERS) - (tokens[k][0] in CLOSERS)
        if depth <= 0:
            return k
    return len(tokens) - 1


def _is_unusual(tokens: list[Token], first: int, opening: int, closing: int, equals: int) -> bool:
    """Whether a left side is more than `f(x, y) =`, `L_i(x) =`, `E_D(w) =`: what those say is read elsewhere."""
    inner = [t[1] for t in tokens[opening + 1 : closing] if t[0] == NAME]
    numbered = opening > first + 1 and tokens[first + 2][0] == NUM
    return closing + 1 < equals or tokens[opening][0] == "[" or numbered or len(set(inner)) < len(inner)


def _is_raised(tokens: list[Token], place: int, opening: int) -> bool:
    """Whether scripts stand between a name and its arguments, one of them a power: `r_j^2(x)`, `c_i(x)` of c(x)."""
    return opening > place + 1


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
    if len(tokens) > 3 and tokens[0][0] == NAME and (tokens[1][0], tokens[2][0]) == ("_", "{"):
        end = _closing(tokens, 2)
        chosen = any(t[0] == "=" for t in tokens[3:end])  # the k_{\nu = 3/2} that is meant
        return tokens[:1] + tokens[end + 1 :] if chosen else tokens
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
