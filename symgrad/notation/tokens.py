"""What both lexers produce and the parser reads: tokens, limits, and the spellings of functions.

Contract: a token is a tuple (kind, value, start, end) with offsets in the source.  A lexer never raises for what it
meets halfway: it ends its list with an ``error`` token that carries the exception, so the leftmost complaint wins.
The kinds are the printed operators themselves (``"+"``, ``"("``, ``"odot"``) and the words in capitals below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

from symgrad.errors import InputError, LimitError
from symgrad.notation.abbreviations import ABBREVIATIONS
from symgrad.ops import OPERATIONS

Token = tuple[str, Any, int, int]

END, ERROR, NEWLINE = "end", "error", "newline"
NUM, NAME, WORD, FUNC, ONE = "NUM", "NAME", "WORD", "FUNC", "ONE"
#: The value of an `=` that gives a name its next value: x ← x - η g.
NEXT = "next"
#: The value of the bracket that `\\left.` opens.
INVISIBLE = "left."

#: A square bracket that opens the indices of what stands directly before it.
ENTRY = "entry["
#: What an operand may end with.
OPERAND_END = frozenset((
    ")", "]", "}", "\\}", ")>", ")|", ")||", ")floor", "NUM", "NAME", "WORD", "ONE", "const", "'", "!", "SUP",
    "SUB", "TOP", "slice",
))  # fmt: skip

MAX_LENGTH = 20_000
#: Up to here the beginning of an over-long source is read, because its first mistake says more than its length.
MAX_GLANCE = 250_000
MAX_DEPTH = 100
MAX_DIGITS = 400
MAX_EXPONENT = 308
MAX_ARGUMENTS = 64
MAX_MARKS = 2


@dataclass(slots=True)
class Lexed:
    """The tokens of one source, and what the lexer noticed on the way."""

    source: str
    tokens: list[Token] = field(default_factory=list)
    numpy: bool = False
    fonts: dict[str, set[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fail(self, message: str, start: int, end: int, code: str = "PARSE", hint: str = "") -> None:
        """End the tokens with a complaint that the parser raises if it gets that far."""
        kind = LimitError if code.startswith("LIMIT") else InputError
        error = kind(message, source=self.source, offset=start, end=end, code=code, hint=hint)
        self.tokens.append((ERROR, error, start, end))


#: Functions that are no operations: contractions, reductions and forms that `elaborate` rewrites.
FORMS: dict[str, tuple[str, ...]] = {
    "sum": ("sum",), "prod": ("prod",), "mean": ("mean", "average"), "var": ("var",), "std": ("std",),
    "tr": ("tr", "trace", "Tr"), "diag": ("diag", "Diag"), "outer": ("outer",),
    "cross": ("cross",), "kron": ("kron",), "vec": ("vec",),
    "unfold": ("unfold",), "stacking": ("stacking",), "commutation": ("commutation",),
    "norm": ("norm",), "norm1": ("norm1",), "nucnorm": ("nucnorm",), "dot": ("dot",),
    "inner": ("inner", "vdot"), "matmul": ("matmul",), "multiply": ("multiply", "hadamard"),
    "transpose": ("transpose",), "sqrt": ("sqrt",), "square": ("square",), "log10": ("log10", "lg"),
    "floor": ("floor",), "slogdet": ("slogdet",), "gaussian": ("gaussian",),
    "eye": ("eye", "identity"), "ones": ("ones",), "zeros": ("zeros",), "matrix_power": ("matrix_power",),
    "where": ("where",), "cases": ("cases",), "diff": ("diff",), "array": ("array", "asarray"),
    "factorial": ("factorial",), "reciprocal": ("reciprocal",), "log1p": ("log1p",), "expm1": ("expm1",),
    "log2": ("log2",), "polygamma": ("polygamma",), "range": ("range", "arange"), "len": ("len",),
    "einsum": ("einsum",), "counting": ("counting",),
    "rowsum": ("rowsum",), "colsum": ("colsum",), "overline": ("overline",),
    "concatenate": ("concatenate", "concat", "Concat", "CONCAT"), "hstack": ("hstack",), "vstack": ("vstack",),
    "conv": ("conv", "convolve"), "correlate": ("correlate",), "conv1d": ("conv1d",),
    "conv2d": ("conv2d",), "conv3d": ("conv3d",), "eigvals": ("eigvals", "eig", "eigvalsh"), "clip": ("clip",),
    **{name: (name, *spellings) for name, (spellings, _) in ABBREVIATIONS.items()},
}  # fmt: skip
#: Those that are functions only where an argument in brackets follows: elsewhere they are ordinary names.
SOFT = frozenset((
    "var", "std", "vec", "diff", "dot", "eye", "ones", "zeros", "mean", "cases", "where", "array", "kron", "outer",
    "cross",
    "unfold", "stacking", "commutation", "rowsum", "colsum", "overline",
    "inner", "square",
    "lambda_max", "lambda_min", "lam_max", "lam_min", "sigma_max", "sigma_min", "polar", "adj", "eig", "adjoint",
    "round", "solve", "cdf", "pdf", "logcdf", "cond",
    "floor", "gaussian", "identity", "average", "sigma", "σ", "logistic", "positive", "factorial", "one_hot", "onehot",
    "multiply", "lg", "concat", "Concat", "CONCAT", "range", "len", "conv", "correlate", "counting", "sg",
))  # fmt: skip

#: Greek letters that are functions where they are applied, and are no variables of the source.
LETTERS = frozenset(op.letter for op in OPERATIONS.values() if op.letter)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The functions a source may call: every spelling with the name a call carries; `added` are the source's own."""

    functions: Mapping[str, str]
    soft: frozenset[str] = SOFT
    names: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()

    def with_(self, functions: Mapping[str, str] | Collection[str], names: Collection[str]) -> Vocabulary:
        """The same with more functions, and with names that are variables whatever they look like."""
        variables = self.names.union(names)
        if not functions:
            return Vocabulary(self.functions, self.soft, variables, self.added)
        more = functions if isinstance(functions, Mapping) else {f: f for f in functions}
        added = self.added | (more.keys() - self.functions.keys())
        return Vocabulary({**self.functions, **more}, self.soft | more.keys(), variables, added)


@cache
def vocabulary() -> Vocabulary:
    """Everything `symgrad.ops` declares and the forms above; a call carries the first text spelling."""
    return Vocabulary(dict(_spellings()))


def _spellings() -> Iterator[tuple[str, str]]:
    for op in OPERATIONS.values():
        name = op.text[0] if op.text else op.name
        if op.args:
            yield from ((spelling, name) for spelling in (op.name, *op.text, *op.latex))
    for name, spellings in FORMS.items():
        yield from ((spelling, name) for spelling in spellings)


def number(text: str) -> int | Fraction | None:
    """The exact value of a decimal literal, or None beyond the limits."""
    if len(text) > MAX_DIGITS:
        return None
    if text.isdigit():
        return int(text)
    _, _, exponent = text.lower().partition("e")
    if exponent and (len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT):
        return None
    value = Fraction(text)
    return value.numerator if value.denominator == 1 else value


def reads_as_number(lexed: Lexed, text: str, start: int, end: int) -> bool:
    """Append the number token; False after a complaint."""
    value = number(text)
    if value is None:
        shown = text if len(text) <= 40 else text[:20] + "..."
        lexed.fail(
            f"the number {shown} is too large: {MAX_DIGITS} digits and exponents up to {MAX_EXPONENT} are read",
            start, end, "LIMIT_NUMBER",
        )  # fmt: skip
        return False
    lexed.tokens.append((NUM, value, start, end))
    return True


def bad_character(lexed: Lexed, char: str, place: int) -> None:
    """Complain about a character no lexer knows: printed ASCII is a PARSE error, everything else CHAR."""
    if char.isascii() and char.isprintable():
        lexed.fail(f"unexpected {char!r}", place, place + 1)
    else:
        lexed.fail(
            f"the character U+{ord(char):04X} is not part of the language", place, place + 1, "CHAR",
            "write letters a-z, A-Z and Greek, digits and the usual operators",
        )  # fmt: skip
