"""The surface tree in words, as a mathematician reads a formula aloud.

Contract: `to_speech(t)` is one phrase for a screen reader; different trees are said differently.  Grouping is said with
one pair of words, "the quantity ... end quantity", and only where it is needed: letters side by side are a product that
"of" takes whole ("the squared two-norm of W x"), "times" and "plus" end what "of" began, and a sum over an index takes
the product behind it.  Capital and small are said where a formula has a letter in both.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from symgrad.notation import names
from symgrad.notation.render import pairs, written_number
from symgrad.notation.syntax import ENTRYWISE, Tree, fold
from symgrad.notation.tokens import vocabulary

#: How tightly a phrase holds together: a comparison, a sum, a product, "log of x", "W x", "x transpose".
LOOSE, ADDED, TIMES, OF, SIDE, ATOM = range(6)


class Phrase(NamedTuple):
    """Spoken words, and how tightly they hold together.

    They are `open` if they would take a product behind them as their own, as "the sum over j of x" does, and `trailing`
    if they would take a letter, as "x sub i" does.
    """

    text: str
    level: int = ATOM
    open: bool = False
    trailing: bool = False


Speaker = Callable[[Tree, list[Phrase], frozenset[str]], Phrase]


def to_speech(tree: Tree) -> str:
    """The tree in words."""
    both = _both_cases(tree)
    return fold(tree, lambda node, args: SPEAKERS[node.head](node, args, both)).text


def _both_cases(tree: Tree) -> frozenset[str]:
    """The letters that a formula uses as a capital and as a small letter."""
    cases: defaultdict[str, set[str]] = defaultdict(set)
    for stem in {letter for node in tree.walk() for letter in _stems(node)}:
        cases[stem.lower()].add(stem)
    return frozenset(stem for found in cases.values() if len(found) > 1 for stem in found)


def _stems(node: Tree) -> Iterator[str]:
    """The letters of the names that a node spells."""
    spelled: Any = {"name": [node.value], "call": [node.value], "assemble": node.value}.get(node.head, [])
    if node.head == "binder":
        spelled = node.value[0]  # type: ignore[index]
    for name in spelled:
        stem, label, _ = names.parts(str(name))
        yield from (names.decorated(stem)[0], label)


def _group(phrase: Phrase) -> Phrase:
    return Phrase(f"the quantity {phrase.text} end quantity")


def _held(phrase: Phrase, level: int) -> str:
    """The phrase where at least `level` is needed."""
    return (phrase if phrase.level >= level else _group(phrase)).text


def _of(words: str, phrase: Phrase) -> Phrase:
    """`log of W x`: takes letters side by side and another "of", nothing looser."""
    return Phrase(f"{words} of {_held(phrase, OF)}", OF)


def _said(words: str) -> Speaker:
    return lambda node, args, both: Phrase(words)


# --- numbers and names ------------------------------------------------------------------------------------------------

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_PARTS = dict(enumerate("half third quarter fifth sixth seventh eighth ninth tenth".split(), 2))


def number(value: object) -> str:
    """`two`, `minus three quarters`, `0.5`, `one over 24`."""
    shown = written_number(value)
    if isinstance(shown, str):
        sign, digits = ("minus ", shown[1:]) if shown[0] == "-" else ("", shown)
        whole = digits.isdigit() and int(digits) < len(NUMBERS)
        return sign + (NUMBERS[int(digits)] if whole else digits)
    value = Fraction(int(shown[0]), int(shown[1]))
    count, part = abs(value.numerator), _PARTS.get(value.denominator)
    sign = "minus " if value < 0 else ""
    if part is None:
        return f"{sign}{number(count)} over {number(value.denominator)}"
    return f"{sign}{number(count)} {part if count == 1 else {'half': 'halves'}.get(part, part + 's')}"


def _num(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    words = number(node.value)
    return Phrase(words, ATOM if " " not in words else TIMES if words.startswith("minus") else OF)


def name(canonical: str, both: frozenset[str] = frozenset()) -> str:
    """`W`, `y hat`, `W sub one`, `a super two`, `capital Sigma`."""
    if canonical.endswith("_"):
        return f"{canonical[:-1]} underscore"
    stem, label, above = names.parts(canonical)
    base, accent = names.decorated(stem)
    words = _letter(base, both) + (f" {accent}" if accent else "")
    if label:
        words += f" sub {number(int(label)) if label.isdigit() else _letter(label, both)}"
    inner = above.strip("()")
    shown = {"*": "star"}.get(inner, number(int(inner)) if inner.isdigit() else inner)
    return words + (f" super {shown}" if above else "")


def _letter(base: str, both: frozenset[str]) -> str:
    """A letter or a word; capital Greek is always said so, other letters where both cases occur."""
    spoken = {"lam": "lambda"}.get(base, base)
    if base in names.GREEK and base[0].isupper():
        return f"capital {spoken.lower()}"
    if base in both:
        return f"capital {spoken}" if base[0].isupper() else f"small {spoken}"
    return spoken


def _name(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase(name(str(node.value), both))


def _const(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase({"pi": "the number pi", "e": "the number e", "inf": "infinity"}[str(node.value)])


def _index(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    """`W sub i j`; what is not a letter is separated by commas, what is calculated is closed."""
    base = args[0].text if node.args[0].head == "name" and " " not in args[0].text else _group(args[0]).text
    letters = all(t.head == "name" and " " not in p.text for t, p in zip(node.args[1:], args[1:], strict=True))
    below = [(_group(p) if len(args) > 2 and " sub " in p.text else p).text for p in args[1:]]
    simple = all(t.head in ("num", "name", "slice") for t in node.args[1:])
    words = f"{base} sub {(' ' if letters else ' comma ').join(below)}{'' if simple else ' end sub'}"
    return Phrase(words, ATOM, trailing=simple and node.args[-1].head != "num")


def _part(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    lower, upper, step = ("" if t.head == "slice" else p.text for t, p in zip(node.args, args, strict=True))
    words = f"from {lower or 'the first'} to {upper or 'the last'}" + (f" by {step}" if step else "")
    return Phrase(words + (" as code counts" if node.value else ""))


# --- sums, products, powers -------------------------------------------------------------------------------------------


def _neg(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase(f"minus {_term(args[0])}", TIMES, args[0].open)


def _term(phrase: Phrase) -> str:
    """What may stand behind plus or minus: nothing that begins with a sign of its own."""
    return (_group(phrase) if phrase.level < TIMES or phrase.text.startswith("minus ") else phrase).text


def _add(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    signs = node.value if isinstance(node.value, tuple) else (1,) * len(args)
    words = ["minus" if sign < 0 else "plus" for sign in signs]
    shown = " ".join(f"{word} {_term(term)}" for word, term in zip(words, args, strict=True))
    return Phrase(shown.removeprefix("plus "), ADDED)


_SIGNS = {".": "dot", "@": "at", "odot": "elementwise times", "star": "star"}


def _mul(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    kind, last = str(node.value), len(args) - 1
    shown = []
    for k, (tree, phrase) in enumerate(zip(node.args, args, strict=True)):
        loose = tree.head == "mul" or phrase.level < OF or (phrase.open and (kind != "" or k < last))
        shown.append(_group(phrase) if loose else phrase)
    if kind:
        return Phrase(f" {_SIGNS[kind]} ".join(p.text for p in shown), TIMES)
    words, level = shown[0].text, min(shown[0].level, SIDE)
    for before, phrase in pairwise(shown):
        beside = before.level == phrase.level == ATOM and not before.trailing and not _spelled(phrase)
        words += f" {phrase.text}" if beside else f" times {phrase.text}"
        level = level if beside else TIMES
    return Phrase(words, min(level, TIMES) if level == OF else level, shown[-1].open, shown[-1].trailing)


def _spelled(phrase: Phrase) -> bool:
    """Whether it begins like something that goes on from what stands before it."""
    first = phrase.text.partition(" ")[0]
    return first in NUMBERS or first[0].isdigit()


def _div(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    over = "elementwise over" if node.value else "over"
    above, below = args
    counts = [t.value for t in node.args if t.head == "num" and isinstance(t.value, int) and t.value > 0]
    if len(counts) == 2 and not node.value:
        return Phrase(number(Fraction(*counts)), OF)
    if above.level >= SIDE and below.level == ATOM:
        return Phrase(f"{above.text} {over} {below.text}", OF, trailing=below.trailing)
    fraction = "elementwise fraction" if node.value else "fraction"
    return Phrase(f"the {fraction} with numerator {above.text} and denominator {below.text} end fraction")


def _pow(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    base, exponent = args
    elementwise = "elementwise " if node.value else ""
    whole = node.args[1].value if node.args[1].head == "num" and isinstance(node.args[1].value, int) else None
    if node.args[0].head == "norm" and whole == 2 and not node.value:
        return base._replace(text=base.text.replace("the ", "the squared ", 1))
    held = base.text if base.level == ATOM else _group(base).text
    short = {2: "squared", 3: "cubed", -1: "inverse"}.get(whole or 0)
    if short:
        return Phrase(f"{held} {elementwise}{short}")
    simple = node.args[1].head in ("num", "name") and exponent.level == ATOM
    return Phrase(f"{held} {elementwise}to the {exponent.text}{'' if simple else ' end power'}", trailing=simple)


def _transpose(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase(f"{args[0].text if args[0].level == ATOM else _group(args[0]).text} transpose")


# --- functions --------------------------------------------------------------------------------------------------------

#: Functions by the words for them, where these are not their names.
WORDS = {
    "det": "the determinant", "logdet": "the log determinant", "inv": "the inverse", "pinv": "the pseudoinverse",
    "tr": "the trace", "sqrt": "the square root", "abs": "the absolute value", "sign": "the sign",
    "sum": "the sum of the entries", "prod": "the product of the entries", "mean": "the mean", "var": "the variance",
    "std": "the standard deviation", "floor": "the floor", "ceil": "the ceiling", "factorial": "the factorial",
    "expm": "the matrix exponential", "logm": "the matrix logarithm", "sqrtm": "the matrix square root",
    "nucnorm": "the nuclear norm", "norm1": "the one-norm", "eigmax": "the largest eigenvalue",
    "eigmin": "the smallest eigenvalue", "sin": "the sine", "cos": "the cosine", "tan": "the tangent",
    "arcsin": "the arc sine", "arccos": "the arc cosine", "arctan": "the arc tangent", "sinh": "the hyperbolic sine",
    "cosh": "the hyperbolic cosine", "tanh": "the hyperbolic tangent", "logsumexp": "log sum exp",
    "log10": "the decimal log", "erf": "the error function", "gammaln": "the log gamma function",
    "onehot": "one-hot",
}  # fmt: skip
#: The same of one vector only.
OF_A_VECTOR = {"max": "the largest entry", "min": "the smallest entry"}


def _call(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    value = str(node.value)
    stem = value.removeprefix(ENTRYWISE).removesuffix("'")
    words = (
        "entrywise " * value.startswith(ENTRYWISE) + _function(stem, len(args), both) + " prime" * value.endswith("'")
    )
    if not args:
        return Phrase({"ones": "the vector of ones", "zeros": "the vector of zeros"}.get(stem, words))
    if stem == "kron" and len(args) == 2:
        left, right = (_group(p) if p.open else p for p in args)
        return Phrase(f"{_held(left, OF)} kronecker {_held(right, OF)}", TIMES)
    return _of(words, args[0]) if len(args) == 1 else _several(words, args)


def _function(stem: str, arguments: int, both: frozenset[str]) -> str:
    if arguments == 1 and stem in OF_A_VECTOR:
        return OF_A_VECTOR[stem]
    if stem in WORDS:
        return WORDS[stem]
    return stem.replace("_", " ") if stem in vocabulary().functions else name(stem, both)


def _several(words: str, args: list[Phrase]) -> Phrase:
    """`max of zero and s sub j minus one end max`: only letters alone need no end."""
    plain = all(p.level == ATOM for p in args)
    return Phrase(
        f"{words} of {' and '.join(p.text for p in args)}" + ("" if plain else f" end {words.rsplit(maxsplit=1)[-1]}"),
        OF,
    )


def _keyword(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase(f"{node.value} equal to {args[0].text}", LOOSE)


_NORMS = {
    "": "two-norm", "1": "one-norm", "2": "norm with subscript two", "F": "Frobenius norm", "inf": "infinity-norm",
    "*": "nuclear norm", "max": "max-norm", "op": "operator norm",
}  # fmt: skip


def _norm(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    words = f"{args[1].text}-norm" if len(args) > 1 else _NORMS[str(node.value)]
    return _of(f"the {words}", args[0])


def _bars(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return _of("the absolute value", args[0])


def _inner(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return _several("the inner product", args)


# --- sums over indices, conditions, arrays ----------------------------------------------------------------------------

_BIG = {
    "sum": "the sum",
    "prod": "the product",
    "max": "the maximum",
    "min": "the minimum",
    "logsumexp": "the log sum exp",
}


def _big(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    body, *binders = args
    over = " ".join(f"over {binder.text}" for binder in binders)
    return Phrase(f"{_BIG[str(node.value)]} {over} of {_term(body)}", OF, True, body.trailing)


def _binder(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    assert isinstance(node.value, tuple)
    indices, kind = node.value
    shown = " and ".join(name(index, both) for index in indices)
    if kind == "all":
        return Phrase(shown, LOOSE)
    if kind == "range":
        return Phrase(f"{shown} from {args[0].text} to {args[1].text}", LOOSE)
    return Phrase(" and ".join(p.text for p in args), LOOSE)


_RELATIONS = {
    "=": "equal to", "!=": "not equal to", "<": "less than", "<=": "less than or equal to", ">": "greater than",
    ">=": "greater than or equal to",
}  # fmt: skip


def _compare(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase(f" {_RELATIONS[str(node.value)]} ".join(_held(p, ADDED) for p in args), LOOSE)


def _cases(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    branches = (
        f"{value.text} otherwise" if condition.text == "otherwise" else f"{value.text} if {condition.text}"
        for value, condition in pairs(args)
    )
    return Phrase(f"the cases {', '.join(branches)}, end cases")


def _array(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    assert isinstance(node.value, tuple)
    rows, columns, *across = node.value  # a vector may be written across
    if columns is None:
        kind = "row" if across else "vector"
        return Phrase(f"the {kind} {', '.join(p.text for p in args)}, end {kind}")
    lines = (", ".join(p.text for p in args[k : k + columns]) for k in range(0, len(args), columns))
    shown = "; ".join(f"row {number(k)}: {line}" for k, line in enumerate(lines, 1))
    return Phrase(f"the {number(rows)} by {number(columns)} matrix, {shown}; end matrix")


def _assemble(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    letters = [name(i, both) for i in node.value]  # type: ignore[attr-defined]
    if len(args) > 1:
        letters = [f"{i} up to {end.text}" for i, end in zip(letters, args[1:], strict=True)]
    kind = {1: "vector", 2: "matrix"}.get(len(letters), "array")
    return Phrase(f"the {kind} whose entry {' '.join(letters)} is {args[0].text} end {kind}")


# --- derivatives ------------------------------------------------------------------------------------------------------

_ORDERS = {1: "", 2: "second ", 3: "third ", 4: "fourth "}


def _ordinal(order: object) -> str:
    return _ORDERS.get(order, f"{order}-fold ")  # type: ignore[call-overload, no-any-return]


def _derivative(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    of = _held(args[0], SIDE)
    if len(args) == 1:
        return Phrase(f"the {_ordinal(node.value)}gradient of {of}", OF)
    by = " and ".join(_held(p, ATOM) for p in args[1:])
    return Phrase(f"the {_ordinal(node.value)}partial derivative of {of} with respect to {by}", OF, trailing=True)


def _nabla(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    function, by = args
    words = "Hessian" if node.value == 2 else f"{_ordinal(node.value)}gradient"
    return Phrase(f"the {words} of {_held(function, SIDE)} with respect to {by.text}", OF, trailing=True)


def _declare(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    dimensions = node.value if isinstance(node.value, tuple) else ()
    kind = {0: "a real number", 1: "a real vector of size", 2: "a real matrix of size"}.get(
        len(dimensions), "a real array of size"
    )
    return Phrase(f"{args[0].text} is {kind} {' by '.join(dimensions)}".rstrip(), LOOSE)


def _equation(node: Tree, args: list[Phrase], both: frozenset[str]) -> Phrase:
    return Phrase((" becomes " if node.value else " equals ").join(p.text for p in args), LOOSE)


def _joined(words: str) -> Speaker:
    return lambda node, args, both: Phrase(words.join(p.text for p in args), LOOSE)


SPEAKERS: dict[str, Speaker] = {
    "num": _num, "name": _name, "const": _const, "index": _index, "slice": _said("all"), "part": _part,
    "newaxis": _said("a new axis"), "neg": _neg, "add": _add, "mul": _mul, "div": _div, "pow": _pow,
    "transpose": _transpose, "call": _call, "keyword": _keyword, "norm": _norm, "bars": _bars, "inner": _inner,
    "big": _big, "binder": _binder, "compare": _compare, "and": _joined(" and "),
    "indicator": lambda n, a, b: Phrase(f"one if {a[0].text} else zero end if"),
    "cases": _cases, "otherwise": _said("otherwise"), "array": _array, "assemble": _assemble, "derivative": _derivative,
    "nabla": _nabla, "declare": _declare, "equation": _equation,
    "change": lambda n, a, b: Phrase(f"d {a[0].text}"), "block": _joined("; "),
}  # fmt: skip


def spoken_digits(text: str) -> str:
    """Text with the signs of its numbers as words, since voices leave them out."""
    return re.sub(r"(?<![\w.])[-−](?=[\d.])", "minus ", text)
