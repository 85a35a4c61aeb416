r"""Heads of functions and names with scripts, as they are printed: `a^{\langle t \rangle}`, `a^l`, `\pi_\theta(a|s)`.

Contract: `settled` gives the LaTeX tokens in which a superscript in angles stands in round brackets, the running number
above a layer (`a^l = \sigma(w^l a^{l-1})`) too, a capital above a name that is defined with it is part of the name, and
the head of a function that is defined with scripts (`\epsilon_\theta^{(t)}(x) =`) is one name wherever it is called;
where its list of arguments is written with bars, they are commas.
"""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.notation.leftsides import BARS, SEPARATORS, left_side
from symgrad.notation.names import GREEK, subscripted
from symgrad.notation.scripts import INDEX_LETTERS
from symgrad.notation.tokens import NAME, NUM, WORD, Token

Tokens = list[Token]
OPEN = frozenset(("(", "[", "{", "\\{", "<(", "|(", "||(", "floor("))
CLOSE = frozenset((")", "]", "}", "\\}", ")>", ")|", ")||", ")floor"))


def settled(tokens: Tokens) -> Tokens:
    """The tokens with heads put in the form in which they are read."""
    tokens = _unangled(tokens)
    if any(token[0] == "=" for token in tokens):
        tokens = _unlisted(tokens)
        tokens = _capitals(_layers(tokens))
        for name, barred in list(_heads(tokens)):
            tokens = _one_name(tokens, name, barred)
    return tokens


def _unangled(tokens: Tokens) -> Tokens:
    r"""`a^{\langle t \rangle}` as `a^{(t)}`, `h_{\langle t-1 \rangle}` as `h_{t-1}`."""
    kept: Tokens = []
    closing: list[tuple[int, str]] = []
    for k, token in enumerate(tokens):
        before = [t[0] for t in tokens[max(0, k - 2) : k]]
        if token[0] == "<(" and before in (["^", "{"], ["_", "{"]):
            end = _partner(tokens, k)
            alone = tokens[end][0] == ")>" and end + 1 < len(tokens) and tokens[end + 1][0] == "}"
            if alone and all(t[0] != "," for t in tokens[k:end]):  # with a comma it is an inner product
                closing.append((end, before[0]))
                kept += [("(", *token[1:])] if before[0] == "^" else []
                continue
        if closing and closing[-1][0] == k:
            kept += [(")", *token[1:])] if closing.pop()[1] == "^" else []
            continue
        kept.append(token)
    return kept


def _unlisted(tokens: Tokens) -> Tokens:
    r"""The tokens without the list of `f(x_1, \ldots, x_n) =`, which only says what f depends on."""
    sides = [left_side(tokens, k) for k, token in enumerate(tokens) if token[0] == "="]
    gone: set[int] = set()
    for first, opening, end in sides:
        if opening > first and any(tokens[k][0] == "dots" for k in range(opening, end)):
            gone.update(range(opening, end + 1))
    return [token for k, token in enumerate(tokens) if k not in gone]


def _partner(tokens: Tokens, place: int) -> int:
    """Where the bracket that opens at `place` closes; the last token if nowhere."""
    depth = 0
    for k in range(place, len(tokens)):
        depth += (tokens[k][0] in OPEN) - (tokens[k][0] in CLOSE)
        if depth == 0:
            return k
    return len(tokens) - 1


# --- layers -----------------------------------------------------------------------------------------------------------


def _scripts(tokens: Tokens, place: int) -> Iterator[tuple[str, int, int]]:
    """The scripts of the name at `place`: the mark, and where its body begins and ends."""
    k = place + 1
    for _ in range(2):
        if k + 1 >= len(tokens) or tokens[k][0] not in ("^", "_"):
            return
        end = _partner(tokens, k + 1) if tokens[k + 1][0] == "{" else k + 1
        yield tokens[k][0], k + 1, end
        k = end + 1


def _above(tokens: Tokens, place: int) -> tuple[int, int, Tokens]:
    """Where the superscript of the name at `place` begins and ends, and what it is; nothing where it has none."""
    for mark, first, last in _scripts(tokens, place):
        if mark == "^":
            inner = tokens[first + 1 : last] if tokens[first][0] == "{" else tokens[first : last + 1]
            return first, last, inner
    return 0, 0, []


def _defined_above(tokens: Tokens) -> Iterator[tuple[object, Tokens]]:
    """The names that stand alone on a left side with a superscript, and the superscript."""
    for k, token in enumerate(tokens):
        if token[0] != NAME or (k and tokens[k - 1][0] not in SEPARATORS):
            continue
        end = max((last for _, _, last in _scripts(tokens, k)), default=k)
        if end + 1 < len(tokens) and tokens[end + 1][0] == "=" and (inner := _above(tokens, k)[2]):
            yield token[1], inner


def _shifted(inner: Tokens, letters: set[object]) -> bool:
    """Whether a superscript is l, l-1 or l+1 for one of the letters."""
    kinds = [token[0] for token in inner]
    return kinds[:1] == [NAME] and inner[0][1] in letters and kinds[1:] in ([], ["-", NUM], ["+", NUM])


def _layers(tokens: Tokens) -> Tokens:
    """The tokens with `a^l` as `a^{(l)}` where l runs: it stands above a left side, and l - 1 or l + 1 above a name."""
    left = {inner[0][1] for _, inner in _defined_above(tokens) if len(inner) == 1 and inner[0][0] == NAME}
    left = {letter for letter in left if isinstance(letter, str) and letter.islower()}
    places = [(k, _above(tokens, k)) for k, token in enumerate(tokens) if token[0] == NAME]
    runs = {inner[0][1] for _, (_, _, inner) in places if len(inner) == 3 and _shifted(inner, left)}
    if not runs:
        return tokens
    stems = {tokens[k][1] for k, (_, _, inner) in places if inner and _shifted(inner, runs)}
    opened: dict[int, int] = {}
    for k, (first, last, inner) in places:
        count = len(inner) == 1 and (inner[0][0] == NUM or (str(inner[0][1]).isupper() and inner[0][1] != "T"))
        if tokens[k][1] in stems and inner and (count or _shifted(inner, runs)):
            opened[first] = last
    kept: Tokens = []
    ends = set(opened.values())
    for k, (kind, value, start, end) in enumerate(tokens):
        braced = kind in ("{", "}") and (k in opened or k in ends)
        before = [("{", None, start, start), ("(", None, start, start)] if k in opened else []
        after = [(")", None, end, end), ("}", None, end, end)] if k in ends else []
        kept += [*before, *([] if braced else [(kind, value, start, end)]), *after]
    return kept


def _capitals(tokens: Tokens) -> Tokens:
    """The tokens with `a_j^L` as an entry of the name a^(L), where a name is defined with this capital above."""
    labels = {
        (stem, inner[0][1]) for stem, inner in _defined_above(tokens)
        if len(inner) == 1 and inner[0][0] == NAME and str(inner[0][1]).isupper() and inner[0][1] != "T"
    }  # fmt: skip
    gone: set[int] = set()
    found = list(tokens)
    for k, (kind, value, start, end) in enumerate(tokens if labels else ()):
        first, last, inner = _above(tokens, k) if kind == NAME else (0, 0, [])
        if len(inner) == 1 and (value, inner[0][1]) in labels:
            found[k] = (kind, f"{value}^({inner[0][1]})", start, end)
            gone.update(range(first - 1, last + 1))
    return [token for k, token in enumerate(found) if k not in gone]


# --- functions --------------------------------------------------------------------------------------------------------


def _heads(tokens: Tokens) -> Iterator[tuple[str, bool]]:
    """The functions that are defined by a head with scripts or bars: the name they get, and whether bars occur."""
    sides = [left_side(tokens, k) for k, token in enumerate(tokens) if token[0] == "="]
    sides = [side for side in sides if side[1] > side[0] and tokens[side[0]][0] in (NAME, WORD)]
    families = {tokens[first][1] for first, opening, _ in sides if not _name(tokens, first, opening)}
    for first, opening, end in sides:
        if tokens[first][1] in families:
            continue
        name = _name(tokens, first, opening)
        barred = any(tokens[k][0] in BARS for k in range(opening + 1, end))
        if name and (barred or opening > first + 1):
            yield name, barred


def _name(tokens: Tokens, first: int, opening: int) -> str:
    """The name of a head, or nothing where its scripts are indices."""
    name, place = str(tokens[first][1]), first
    for mark, begin, end in _scripts(tokens, first):
        inner = tokens[begin + 1 : end] if tokens[begin][0] == "{" else tokens[begin : end + 1]
        words = [str(t[1]) for t in inner if t[0] in (NAME, WORD, NUM)]
        plain = [token for token in inner if token[0] not in ("(", ")", "[", "]")]
        if len(words) != len(plain) or not words:
            return ""
        label = "".join(words)
        index = mark == "_" and len(label) == 1 and label in INDEX_LETTERS
        if index or (mark == "_" and label not in GREEK and not _is_label(label, inner)):
            return ""
        name = subscripted(name, label) if mark == "_" else f"{name}^({label})"
        place = end
    return name if place + 1 == opening else ""


def _is_label(label: str, inner: Tokens) -> bool:
    """Whether what stands below the head of a function belongs to its name."""
    return len(label) > 1 or label.isdigit() or (inner[0][0] == NAME and label not in INDEX_LETTERS)


def _one_name(tokens: Tokens, name: str, barred: bool) -> Tokens:
    """The tokens with every call of a head as a call of its name."""
    kept: Tokens = []
    commas: set[int] = set()
    skip = 0
    for k, (kind, value, start, stop) in enumerate(tokens):
        if k < skip:
            continue
        end = max((last for _, _, last in _scripts(tokens, k)), default=k) + 1 if kind in (NAME, WORD) else 0
        if end and end < len(tokens) and tokens[end][0] == "(" and _name(tokens, k, end) == name:
            kept.append((NAME, name, start, tokens[end - 1][3]))
            commas |= set(_outer_bars(tokens, end)) if barred else set()
            skip = end
        else:
            kept.append((",", value, start, stop) if k in commas else (kind, value, start, stop))
    return kept


def _outer_bars(tokens: Tokens, place: int) -> Iterator[int]:
    """The bars inside of a bracket, and of no other inside of it."""
    depth = 0
    for k in range(place, _partner(tokens, place) + 1):
        depth += (tokens[k][0] in OPEN) - (tokens[k][0] in CLOSE)
        if depth == 1 and tokens[k][0] in BARS:
            yield k
