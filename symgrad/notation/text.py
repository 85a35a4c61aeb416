"""The text lexer: what is typed on a keyboard, Unicode mathematics, and the NumPy dialect.

Contract: `lex(source, vocabulary)` gives the tokens of `symgrad.notation.tokens`; it never raises.  A word is one
name (`Wx` is a name, `W x` a product); letters that are not Latin are one name each (`λx` is λ times x).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from symgrad.errors import InputError
from symgrad.notation import names
from symgrad.notation.tokens import (
    ENTRY,
    FUNC,
    MAX_MARKS,
    NAME,
    NEWLINE,
    NEXT,
    NUM,
    ONE,
    OPERAND_END,
    Lexed,
    Vocabulary,
    bad_character,
    reads_as_number,
)  # fmt: skip

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u1e00-\u1eff"
MASTER = re.compile(
    rf"""(?P<space>[ \t\u00a0\u2009\u202f]+)
    |(?P<hex>0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+)
    |(?P<number>(?:[0-9]+(?:\.(?![*/^T'])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<module>(?:np|jnp|numpy|math|torch|scipy|jax|norm|special|linalg)
            (?:\.(?:linalg|special|nn|numpy|scipy|stats|norm|functional))*\.[A-Za-z_][A-Za-z0-9_]*)
    |(?P<word>[{_LATIN}][{_LATIN}0-9]*(?:_[{_LATIN}0-9]+)*(?:_(?=[\s.,;)\]*@/\u1d40]|[+-](?![\s)\],;^'+*/-]|$)|$))?)
    |(?P<string>'[A-Za-z, ]+->[A-Za-z ]*'|"[A-Za-z, ]+->[A-Za-z ]*")
    |(?P<operator>\.\.\.|\*\*|\.\*|\./|\.\^|<=|>=|!=|==|:=|\|\||[-+*/^_'()\[\]{{}}|,;=<>@!:&])
    |(?P<attribute>\.[A-Za-z_][A-Za-z0-9_]*)
    |(?P<newline>\r\n?|\n)
    |(?P<comment>\#[^\r\n]*)
    |(?P<greek>[\u0370-\u03ff\u00b5\u2113])
    |(?P<marks>[\u0300-\u036f\u20d0-\u20ff]+)
    |(?P<raised>[\u00b2\u00b3\u00b9\u2070-\u207f]+)
    |(?P<lowered>[\u2080-\u209c\u1d62-\u1d6a\u2c7c]+)
    |(?P<symbol>[^\x00-\x7f])""",
    re.VERBOSE,
)
OPERATORS = {
    "...": "dots", "**": "**", ".*": "odot", "./": "./", ".^": ".^", "||": "||", "<=": "rel", ">=": "rel",
    "!=": "rel", "==": "rel", ":=": "=",
}  # fmt: skip
RELATIONS = {"<=": "<=", ">=": ">=", "!=": "!=", "==": "=", ":=": NEXT}
SYMBOLS: dict[str, tuple[str, object]] = {
    "·": (".", None), "⋅": (".", None), "∙": (".", None), "•": (".", None), "⊙": ("odot", None), "∘": ("odot", None),
    "⊘": ("./", None), "×": ("x", None), "−": ("-", None), "⊗": ("kron", None), "‖": ("||", None), "∥": ("||", None),
    "≤": ("rel", "<="), "≥": ("rel", ">="), "≠": ("rel", "!="), "⩽": ("rel", "<="), "⩾": ("rel", ">="),
    "∈": ("IN", None), "←": ("=", NEXT), "≔": ("=", NEXT), "≜": ("=", None),
    "∑": ("BIG", "sum"), "∏": ("BIG", "prod"), "√": ("SQRT", None), "∂": ("partial", None), "∇": ("nabla", None),
    "⊤": ("TOP", None), "ᵀ": ("'", None), "ᵗ": ("'", None), "′": ("'", None), "∞": ("const", "inf"),
    "ℝ": (NAME, "R"), "⟨": ("<(", None), "⟩": (")>", None), "𝟏": (ONE, None), "⌊": ("floor(", None),
    "⌋": (")floor", None),
    "…": ("dots", None), "⋯": ("dots", None), "𝟙": (ONE, None), "∧": ("and", None),
}  # fmt: skip
#: An index below, a space, and the beginning of what is added.
_ADDED = re.compile(
    r"(?:_[a-z]|_\{[a-z](?:,? ?[a-z])*\}|[\u2090-\u209c\u1d62-\u1d6a\u2c7c])[ ]*[A-Za-z(|‖\u0370-\u03ff]"
)
FRACTIONS = {
    "½": Fraction(1, 2), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5), "⅙": Fraction(1, 6), "⅛": Fraction(1, 8),
}  # fmt: skip
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢᵣᵤᵥⱼ", "0123456789+-()aeoxhklmnpstiruvj")
KEYWORDS = {
    "if": "if",
    "otherwise": "otherwise",
    "else": "else",
    "and": "and",
    "in": "IN",
    "where": "where",
    "for": "for",
}
BIG_WORDS = frozenset(("sum", "prod", "max", "min", "logsumexp"))
METHODS = frozenset(("dot", "sum", "mean", "max", "min", "prod", "std", "var", "trace"))
#: Words that only code writes.
PYTHON = frozenset(("None", "range", "keepdims", "arange", "len"))
GRADIENTS = frozenset(("nabla", "grad"))


def lex(source: str, vocabulary: Vocabulary, tokens_end: int | None = None) -> Lexed:
    """All tokens up to the first thing that cannot be read."""
    lexed = Lexed(source)
    append = lexed.tokens.append
    place, stop = 0, len(source) if tokens_end is None else tokens_end
    for match in MASTER.finditer(source, 0, stop):
        start, end = match.span()
        if start != place:
            break
        place = end
        kind = match.lastgroup
        if kind == "space":
            continue
        if kind == "operator":
            text = match.group()
            if text == "**" or text == "@":
                lexed.numpy = True
            elif text == "[" and indexes(lexed, start):
                text = ENTRY
            append((OPERATORS.get(text, text), RELATIONS.get(text), start, end))
        elif not _READERS[kind or ""](lexed, vocabulary, match.group(), start, end):
            return lexed
    if place < stop:
        bad_character(lexed, source[place], place)
    return lexed


def indexes(lexed: Lexed, start: int) -> bool:
    """Whether a square bracket at `start` touches an operand that can have entries."""
    if not lexed.tokens:
        return False
    kind, _, _, end = lexed.tokens[-1]
    below = len(lexed.tokens) > 1 and lexed.tokens[-2][0] == "_"  # the 2 of W_2[k] is no number of its own
    return end == start and kind in OPERAND_END and (below or kind not in (NUM, ONE))


def _word(lexed: Lexed, vocabulary: Vocabulary, text: str, start: int, end: int) -> bool:
    if text in vocabulary.names:
        lexed.tokens.append((NAME, names.canonical(text), start, end))
        return True
    if text.isalpha() and text.isascii() and _plain(lexed, vocabulary, text, start, end):
        return True
    if len(text) > names.MAX_NAME:
        lexed.fail(f"a name may have {names.MAX_NAME} characters", start, end, "LIMIT_NAME")
        return False
    if text in vocabulary.functions and _calls(lexed, vocabulary, text, end):
        lexed.tokens.append((FUNC, vocabulary.functions[text], start, end))
        return True
    if text[-1] == "_":  # a trailing underscore is part of the name, as in Python
        return _named(lexed, names.canonical, text, start)
    for k, part in enumerate(text.split("_")):
        if k:
            lexed.tokens.append(("_", None, start, start + 1))
            start += 1
        if not _part(lexed, vocabulary, part, start):
            return False
        start += len(part)
    return True


def _plain(lexed: Lexed, vocabulary: Vocabulary, text: str, start: int, end: int) -> bool:
    """Append a word of ASCII letters; False where it needs a closer look."""
    if end - start > names.MAX_NAME:
        return False
    if text in PYTHON:
        lexed.numpy = True
    if text in vocabulary.functions and _calls(lexed, vocabulary, text, end):
        lexed.tokens.append((FUNC, vocabulary.functions[text], start, end))
    elif text in ("ones", "zeros"):
        lexed.tokens.append((ONE, text, start, end))
    elif text in KEYWORDS and not _is_name(lexed, text, end):
        lexed.tokens.append((KEYWORDS[text], None, start, end))
    elif text in GRADIENTS and lexed.source[end : end + 1] == "_":
        lexed.tokens.append(("nabla", None, start, end))
    elif len(text) > 1 and vocabulary.names.issuperset(text):
        lexed.notes.append(f"{text} is the product {' '.join(text)}, as no {text} is declared")
        lexed.tokens += [(NAME, letter, place, place + 1) for place, letter in enumerate(text, start)]
    else:
        lexed.tokens.append((NAME, names.ALIASES.get(text, text), start, end))
    return True


def _is_name(lexed: Lexed, text: str, end: int) -> bool:
    """Whether a keyword is the function `where` or a label here."""
    below = bool(lexed.tokens) and lexed.tokens[-1][0] == "_"
    return below or (text == "where" and lexed.source[end : end + 1] == "(")


def _calls(lexed: Lexed, vocabulary: Vocabulary, text: str, end: int) -> bool:
    """Whether a function's spelling is the function here: soft ones only before a bracket."""
    if text not in vocabulary.soft:
        return True
    rest = lexed.source[end : end + 8].lstrip(" ")
    return rest[:1] in ("(", "'") and (rest[:1] == "(" or rest[:2] == "'(")


def _part(lexed: Lexed, vocabulary: Vocabulary, part: str, start: int) -> bool:
    """A piece of a word between underscores; digits before letters are a number of their own."""
    if not part:
        return True
    digits = len(part) - len(part.lstrip("0123456789"))
    if digits:
        lexed.tokens.append((NUM, int(part[:digits]), start, start + digits))
        part, start = part[digits:], start + digits
    if not part:
        return True
    if part in ("ones", "zeros"):
        lexed.tokens.append((ONE, part, start, start + len(part)))
    elif part in BIG_WORDS:
        lexed.tokens.append((FUNC, part, start, start + len(part)))
    elif part in GRADIENTS and lexed.source[start + len(part) :].startswith("_"):
        lexed.tokens.append(("nabla", None, start, start + len(part)))
    else:
        stem = part.rstrip("0123456789")
        if (
            stem != part
            and stem in vocabulary.functions
            and stem not in vocabulary.soft
            and stem not in vocabulary.names
        ):
            lexed.fail(f"{part} looks like a function", start, start + len(part), "NAME", f"there is {stem}(...)")
            return False
        return _named(lexed, _numbered_word, part, start)
    return True


def _numbered_word(part: str) -> str:
    return names.numbered(names.word(unicodedata.normalize("NFC", part)))


def _named(lexed: Lexed, read: Callable[[str], str], text: str, start: int) -> bool:
    """Append a name, or the complaint that it is none."""
    try:
        lexed.tokens.append((NAME, read(text), start, start + len(text)))
    except InputError as problem:
        lexed.fail(problem.message, start, start + len(text), problem.code)
        return False
    return True


def _string(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    """'ij,jk->ik' of einsum: the only text between quotes."""
    lexed.numpy = True
    lexed.tokens.append(("STRING", text[1:-1], start, end))
    return True


def _number(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    following = lexed.source[end : end + 1]
    if following in ("e", "E") and following and not lexed.source[end + 1 : end + 3].lstrip(" ")[:1].isalpha():
        rest = lexed.source[end + 1 : end + 4].lstrip(" ")
        if following == "E" or not rest.startswith(("^", "**", "_", "'")):
            lexed.fail(
                "the exponent of this number is missing", start, end + 1, hint="write 1e-3, or 2 e^x for the constant e"
            )
            return False
    return reads_as_number(lexed, text, start, end)


def _hexadecimal(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    lexed.fail(f"{text} is not a decimal number", start, end)
    return False


def _module(lexed: Lexed, vocabulary: Vocabulary, text: str, start: int, end: int) -> bool:
    """`np.exp` is exp; the prefix marks the NumPy dialect."""
    lexed.numpy = True
    name = text.rpartition(".")[2]
    if name in vocabulary.functions:
        lexed.tokens.append((FUNC, vocabulary.functions[name], start, end))
    elif name == "newaxis":
        lexed.tokens.append((NAME, "None", start, end))
    elif name in ("pi", "e", "inf"):
        lexed.tokens.append(("const", name, start, end))
    else:
        lexed.fail(f"the function {text} is not known", start, end, "NAME")
        return False
    return True


def _attribute(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    if text == ".T":
        lexed.tokens.append(("'", None, start, end))
    elif text[1:] in METHODS:
        lexed.tokens.append(("METHOD", text[1:], start, end))
    elif text == ".shape":
        lexed.tokens.append(("SHAPE", None, start, end))
    else:
        lexed.fail(
            f"{text} is not part of the language", start, end, hint="after a dot only .T and a few methods are read"
        )
        return False
    lexed.numpy = True
    return True


def _newline(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    if lexed.tokens and lexed.tokens[-1][0] != NEWLINE:
        lexed.tokens.append((NEWLINE, None, start, end))
    return True


def _comment(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    return True


def _greek(lexed: Lexed, vocabulary: Vocabulary, text: str, start: int, end: int) -> bool:
    name = names.LETTERS.get(text)
    if name is None:
        bad_character(lexed, text, start)
        return False
    if text in vocabulary.functions and text not in vocabulary.names and _calls(lexed, vocabulary, text, end):
        lexed.tokens.append((FUNC, vocabulary.functions[text], start, end))
    elif text == "Σ" and (_sums(lexed, vocabulary, end) or _has_range(lexed.source, end)):
        lexed.tokens.append(("BIG", "sum", start, end))
    else:
        lexed.tokens.append((NAME, name, start, end))
    return True


def _has_range(source: str, place: int) -> bool:
    inner = source[place + 2 : place + 60].partition("}")[0]
    return source[place : place + 2] == "_{" and any(c in inner for c in "=≠<>≤≥!")


def _sums(lexed: Lexed, vocabulary: Vocabulary, end: int) -> bool:
    """Whether Σ_i is a sum: no Σ is declared, no sum is written otherwise, and something follows to add."""
    source, known = lexed.source, "Sigma" in vocabulary.names or "Σ" in vocabulary.names
    return not known and "∑" not in source and "sum" not in source and bool(_ADDED.match(source, end))


def _marks(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    """Combining accents belong to the name before them."""
    if len(text) > MAX_MARKS:
        lexed.fail(f"a letter may carry {MAX_MARKS} marks", start, end, "LIMIT_NAME")
        return False
    last = lexed.tokens[-1] if lexed.tokens else None
    if last is None or last[0] != NAME or last[3] != start:
        bad_character(lexed, text[0], start)
        return False
    if any(c not in names.MARKS for c in text):
        composed = unicodedata.normalize("NFC", str(last[1]) + text)
        if not composed.isalpha():
            bad_character(lexed, text[0], start)
            return False
        lexed.tokens[-1] = (NAME, composed, last[2], end)
        return True
    lexed.tokens[-1] = (NAME, str(last[1]) + "".join(names.MARKS[c] for c in text), last[2], end)
    return True


def _raised(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    return _script(lexed, "^", text.translate(RAISED), start, end)


def _lowered(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    return _script(lexed, "_", text.translate(LOWERED), start, end)


def _script(lexed: Lexed, mark: str, text: str, start: int, end: int) -> bool:
    """Raised and lowered characters are the same tokens as `^{...}` and `_{...}`."""
    if not text.isascii() or not text.replace("+", "").replace("-", "").isalnum():
        bad_character(lexed, lexed.source[start], start)
        return False
    lexed.tokens += [(mark, None, start, start), ("{", None, start, start)]
    for k, piece in enumerate(re.findall(r"[0-9]+|[a-z]|[-+]", text)):
        kind = NUM if piece.isdigit() else NAME if piece.isalpha() else piece
        if kind == NUM and not reads_as_number(lexed, piece, start + k, end):
            return False
        if kind != NUM:
            lexed.tokens.append((kind, piece, start + k, end))
    lexed.tokens.append(("}", None, end, end))
    return True


def _symbol(lexed: Lexed, _: Vocabulary, text: str, start: int, end: int) -> bool:
    if text in FRACTIONS:
        lexed.tokens.append((NUM, FRACTIONS[text], start, end))
        return True
    if text not in SYMBOLS:
        bad_character(lexed, text, start)
        return False
    kind, value = SYMBOLS[text]
    lexed.tokens.append((kind, value, start, end))
    return True


_READERS = {
    "string": _string,
    "word": _word, "number": _number, "hex": _hexadecimal, "module": _module, "attribute": _attribute,
    "newline": _newline,
    "comment": _comment, "greek": _greek, "marks": _marks, "raised": _raised, "lowered": _lowered, "symbol": _symbol,
}  # fmt: skip


def lex_one(lexed: Lexed, vocabulary: Vocabulary, match: re.Match[str]) -> None:
    """The tokens of one Unicode match, for the LaTeX lexer."""
    _READERS[match.lastgroup or ""](lexed, vocabulary, match.group(), *match.span())
