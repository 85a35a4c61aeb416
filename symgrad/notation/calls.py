"""Names, and functions with their arguments.

Contract: a name before a bracket is a call if the source or the vocabulary knows the function, a factor if it is a
variable, and an error (NAME) if it can only be an unknown function.  Without brackets a function takes one factor;
what could also mean a product is refused (AMBIGUOUS).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn

from symgrad.errors import DomainError, NameProblem
from symgrad.notation import names, scripts
from symgrad.notation.bars import OPENERS, OPERAND_START
from symgrad.notation.brackets import (
    BRACKETS,
    CONDITIONAL,
    NORMS,
    indicated,
    indicator,
    ordered_norm,
    text_cases,
)
from symgrad.notation.cursor import (
    ARGUMENT,
    JUXTAPOSED,
    PARTNER,
    POSTFIX,
    PRODUCT,
    RELATIONS,
    Reader,
    is_number,
    widened,
)
from symgrad.notation.listed import entries, is_list
from symgrad.notation.literals import indices, kind
from symgrad.notation.quotients import differential, slashed
from symgrad.notation.sums import big
from symgrad.notation.syntax import Tree
from symgrad.notation.text import BIG_WORDS
from symgrad.notation.tokens import END, ERROR, LETTERS, MAX_ARGUMENTS, NAME, NUM, WORD, Token

#: Names that would bring infinities, undefined values or truth values into a formula.
FORBIDDEN = frozenset(("nan", "NaN", "inf", "Inf", "infinity", "Infinity", "zoo", "oo", "None", "True", "False"))


#: Letters that are read as functions before a bracket, so they must be defined or occur elsewhere as variables.
FUNCTION_LETTERS = frozenset(("f", "g", "h", "F", "G")) | LETTERS


#: The one letter that the field reads as a known function where nothing defines it: elaboration says so in a note.
CONVENTIONAL = {"g": "sigmoid"}


KEYWORDS = frozenset(("axis", "keepdims", "dim", "ddof", "ord", "n"))


BOLD = ("\\boldsymbol", "\\mathbf", "\\bm", "\\pmb")


ENDS = frozenset((END, ",", ";", "newline", "\\\\"))


#: Linear functions of a matrix that take a whole product without brackets.
GREEDY = frozenset(("tr",))


def constant(p: Reader, token: Token, _floor: int) -> Tree:
    if token[1] == "e":
        return _e(p, token) or Tree("name", (), "e", token[2], token[3])
    if token[1] == "inf":
        p.fail("infinity is not a number", token, "DOMAIN", kind=DomainError)
    return Tree("const", (), token[1], token[2], token[3])


def name(p: Reader, token: Token, _floor: int) -> Tree:
    """A variable, a constant, or a function of the source before its bracket."""
    kind, value, start, end = token
    following = p.tokens[p.pos][0]
    if following == "(" and value in p.vocabulary.names and _bound_arguments(p, p.pos):
        return _entries(p, token, value)
    _refuse_brackets(p, token)
    if following == "(" and p.vocabulary.names and value not in p.defined:
        found = _at_examples(p, token, value)
        if found is not None:
            return found
    if value == "pi" and _is_number_pi(p, token):
        return Tree("const", (), "pi", start, end)
    if value not in p.vocabulary.names:
        if value[0] == "d" and following in ("/", "_", NAME) and kind == NAME:
            derivative = slashed(p, token, value)
            if derivative is not None:
                return derivative
        special = _SPECIAL_NAMES.get(value)
        if special is not None:
            tree = special(p, token)
            if tree is not None:
                return tree
        if (following in CALLING and value not in p.applied) or value in p.defined:
            tree = _application(p, token, value, following)
            if tree is not None:
                return tree
        elif following == "(" and value in p.applied:
            return _given(p, token, value)
    if kind == WORD and value == "d" and following in (NAME, WORD):
        p.fail("a differential outside a fraction", token, hint="write \\frac{dL}{dx}")
    return Tree("name", (), value, start, end)


def _refuse_brackets(p: Reader, token: Token) -> None:
    """x[i + 1] in LaTeX: an entry, counted from 0 or from 1, or a product?"""
    opened = p.tokens[p.pos]
    if p.latex and opened[0] == "[" and opened[2] == token[3] and _bound_arguments(p, p.pos):
        shown = p.source[token[2] : token[3]]
        p.fail(f"an entry of {shown}, or a product?", token, "AMBIGUOUS", f"write {shown}_{{...}} for an entry")


def _given(p: Reader, token: Token, value: str) -> Tree:
    """A name that was given without its arguments, before a bracket: `f(2)` is no product, and what is 2 there?"""
    if lists_variables(p, p.pos):
        return call(p, token, value)
    inner = [t[0] for t in p.tokens[p.pos + 1 : p.partner(p.pos)]]
    if inner in (["NUM"], ["-", "NUM"]) and p.tokens[p.pos][2] == token[3]:
        name = names.to_text(value)
        hint = f"define {name}(x) = ... for its value there, or write {name} * 2 for a product"
        p.fail(f"a value of {name}, or a product?", token, "AMBIGUOUS", hint)
    return Tree("name", (), value, token[2], token[3])


#: What may stand between a name and its argument.
CALLING = frozenset(("(", "'", "[", "\\{"))


def _is_applied(p: Reader, value: str) -> bool:
    r"""Whether a bracket stands behind every Φ, as in `\Phi\left[x\right]`."""
    pairs = zip(p.tokens, p.tokens[1:], strict=False)
    return p.latex and all(after[0] in BRACKETS for one, after in pairs if one[:2] == (NAME, value))


def _application(p: Reader, token: Token, value: str, following: str) -> Tree | None:
    """What a name before a bracket is: a call, entries of an array, or (None) a factor."""
    if value in p.defined:
        if following == "(":
            return call(p, token, value)
        return _primed_call(p, token, value)
    primed = following == "'" and p.source[p.tokens[p.pos][2]] == "'" and p.tokens[p.pos + 1][0] == "("
    if primed and value in FUNCTION_LETTERS - LETTERS and not p.bare(value):
        unknown(p, token, value)
    if following in ("[", "\\{") and value in LETTERS and _is_applied(p, value):
        return call(p, token, value)
    if following != "(":
        return None
    kinds = p.inside(p.pos)
    if value == "I" and any(kind in RELATIONS for kind in kinds):
        return indicator(p, token)
    if value == "P" and any(kind in RELATIONS for kind in kinds) and value not in p.vocabulary.names:
        p.fail("probabilities of events are not read", token, hint="write the distribution function, as in \\Phi(x)")
    commas = kinds.count(",") + kinds.count(";")
    if commas >= MAX_ARGUMENTS:
        p.fail(f"a function takes at most {MAX_ARGUMENTS} arguments", token, "ARITY")
    bold = p.source.startswith(BOLD, token[2])  # a vector of functions, not the density or the distribution
    if value in LETTERS and not commas and not bold and not p.bare(value):
        return call(p, token, value)
    stem = names.parts(value)[0]
    letter = len(stem) == 1 or names.to_text(stem) != stem or not stem.isascii()
    if letter and commas and _bound_arguments(p, p.pos):
        return _entries(p, token, value)
    if value in CONVENTIONAL and not commas and not p.bare(value):
        return call(p, token, value)
    if not letter or commas or (value in FUNCTION_LETTERS and not p.bare(value)):
        unknown(p, token, value)
    return None


def _at_examples(p: Reader, token: Token, value: str) -> Tree | None:
    r"""`\phi(x_n)` and `k(x_n, x_m)` of undeclared x: entries of the declared array of these values."""
    known, end = p.vocabulary.names, p.partner(p.pos)
    name = next((name for name in (value, value[:1].upper() + value[1:]) if name in known), None)
    inner = p.tokens[p.pos + 1 : end]
    bases, letters = inner[0::4], inner[2::4]
    marks = [t[0] for k, t in enumerate(inner) if k % 2]
    wanted = ["_", ","] * len(bases)
    if name is None or len(inner) % 4 != 3 or marks != wanted[:-1] or any(t[0] != NAME for t in bases + letters):
        return None
    if any(t[1] in known or t[1] in p.applied for t in bases) or any(t[1] not in p.bound for t in letters):
        return None
    p.pos = end + 1
    places = (Tree("name", (), t[1], t[2], t[3]) for t in letters)
    return Tree("index", (Tree("name", (), name, token[2], token[3]), *places), None, token[2], p.tokens[end][3])


def _bound_arguments(p: Reader, place: int) -> bool:
    """Whether everything in the bracket is made of summation indices: `K(m, n)` is an entry of K."""
    inner = p.tokens[place + 1 : p.partner(place)]
    allowed = all(t[0] in (NAME, NUM, ",", "+", "-", "*", ".") for t in inner)
    return allowed and any(t[0] == NAME for t in inner) and all(t[1] in p.bound for t in inner if t[0] == NAME)


def lists_variables(p: Reader, place: int) -> bool:
    """Whether the bracket only lists variables: `R(W)` says what R depends on."""
    inner = p.tokens[place + 1 : p.partner(place)]
    return bool(inner) and all(t[0] in (NAME, ",", ";", "_", "{", "}", NUM) for t in inner) and inner[0][0] == NAME


def _entries(p: Reader, token: Token, value: str) -> Tree:
    opened = p.tokens[p.pos]
    p.pos += 1
    found = [p.expression(0)]
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        found.append(p.expression(0))
    closing = p.expect(")", opened)
    base = Tree("name", (), value, token[2], token[3])
    return Tree("index", (base, *found), None, token[2], closing[3])


def unknown(p: Reader, token: Token, value: str) -> NoReturn:
    """Refuse a function nobody knows, with the nearest one that exists."""
    if p.tokens[p.last - 1][0] == ERROR:
        raise p.tokens[p.last - 1][1]  # what cannot be read at all is the better complaint
    near = get_close_matches(value, p.vocabulary.functions, 1)
    if near:
        hint = f"did you mean {near[0]}?"
    elif len(value) > 1:
        hint = "for a product put a space or * between the factors"
    else:
        hint = (
            f"define it, as in {names.to_text(value)}(z) = ...; or write {names.to_text(value)} * (...) for a product"
        )
    p.fail(f"the function {names.to_text(value)} is not known", token, "NAME", hint, NameProblem)


def _e(p: Reader, token: Token) -> Tree | None:
    """Euler's number: with a power the function exp, with scripts or a transpose a name."""
    if token[0] != "const" and "e" in p.applied:
        return None
    following, start = p.tokens[p.pos][0], token[2]
    if following == "^":
        place = p.pos + 1
        inner = p.tokens[place][0] == "{" and p.partner(place) == place + 2
        shown = p.tokens[place + 1] if inner else p.tokens[place]
        if shown[0] in ("TOP", "'", "*") or (shown[0] == NAME and shown[1] == "T"):
            return None
        p.pos += 1
        p.deeper(token)
        power = scripts.exponent(p)
        if p.latex and p.tokens[p.pos][0] == "^":
            p.fail("a second superscript", p.tokens[p.pos], hint="write {e^x}^2 or e^{x^2}")
        p.depth -= 1
        return Tree("call", (power,), "exp", start, p.tokens[p.pos - 1][3])
    if following == "**":
        p.pos += 1
        power = p.expression(POSTFIX - 10)
        return Tree("call", (power,), "exp", start, power.end)
    if following in ("_", "'", "TOP"):
        return None
    return Tree("const", (), "e", start, token[3])


def _pi(p: Reader, token: Token) -> Tree | None:
    if "pi" in p.applied or p.tokens[p.pos][0] == "_":
        return None
    return Tree("const", (), "pi", token[2], token[3])


def _is_number_pi(p: Reader, token: Token) -> bool:
    r"""The \pi of 2\pi, where \pi_k are weights: plain, behind a number, and without an index or a transposition."""
    plain = p.source[token[2] : token[3]] in ("\\pi", "π", "pi")
    if not plain or p.tokens[p.pos - 2][0] != NUM or p.tokens[p.pos][0] in ("_", "'", "TOP"):
        return False
    if p.tokens[p.pos][0] == "^" and {t[0] for t in p.tokens[p.pos + 1 : p.pos + 3]} & {"TOP", "'"}:
        return False
    if p.tokens[p.pos][0] == "^" and any(t[1] == "T" for t in p.tokens[p.pos + 1 : p.pos + 3]):
        return False
    return any(one[:2] == (NAME, "pi") and two[0] == "_" for one, two in itertools.pairwise(p.tokens))


def _forbidden(p: Reader, token: Token) -> NoReturn:
    p.fail(f"{token[1]} is not a value a formula may hold", token, "NAME", kind=NameProblem)


_SPECIAL_NAMES: dict[object, Callable[[Reader, Token], Tree | None]] = {"e": _e, "pi": _pi, "d": differential}


_SPECIAL_NAMES |= dict.fromkeys(FORBIDDEN, _forbidden)


def _logical(p: Reader, token: Token) -> NoReturn:
    p.fail(f"{token[1]} is no operator here", token, hint="conditions are joined by and")


_SPECIAL_NAMES |= dict.fromkeys(("not", "or"), _logical)


def underscore(p: Reader, token: Token, _floor: int) -> Tree:
    p.fail("a name starts with a letter", token, "NAME", kind=NameProblem)


def unknown_operator(p: Reader, token: Token, _floor: int) -> Tree:
    unknown(p, token, token[1])


def arguments(p: Reader, token: Token) -> tuple[list[Tree], Token]:
    """The arguments in the brackets at the cursor, and the closing bracket."""
    opened = p.tokens[p.pos]
    if is_list(p, p.pos):
        found = [entries(p)]
        return found, p.tokens[p.pos - 1]
    p.deeper(opened)
    p.pos += 1
    closing = PARTNER[opened[0]]
    if p.tokens[p.pos][0] == closing:
        p.fail(f"{p.source[token[2] : token[3]]} needs an argument", opened, "ARITY")
    found = [_argument(p)]
    if p.tokens[p.pos][0] == "for":
        found = [comprehension(p, found[0])]
    while p.tokens[p.pos][0] in (",", ";"):
        if len(found) >= MAX_ARGUMENTS:
            p.fail(f"a function takes at most {MAX_ARGUMENTS} arguments", p.tokens[p.pos], "ARITY")
        p.pos += 1
        found.append(_argument(p))
    last = p.expect(closing, opened)
    p.depth -= 1
    return found, last


def comprehension(p: Reader, body: Tree) -> Tree:
    """`f(i) for i in range(n)`: the body and how its letters run, as a big operator without a name."""
    binders: list[Tree] = []
    while p.tokens[p.pos][0] == "for":
        start = p.tokens[p.pos]
        p.pos += 1
        letter = p.tokens[p.pos]
        if letter[0] != NAME:
            p.unexpected(letter, "an index, as in for i in range(n)")
        p.pos += 1
        p.expect("IN")
        ends = p.expression(0)
        if ends.head != "call" or ends.value != "range" or not 1 <= len(ends.args) <= 2:
            p.fail("only range(n) and range(a, b) are run over", ends)
        zero, one = (Tree("num", (), k, ends.start, ends.end) for k in (0, 1))
        first, stop = ends.args if len(ends.args) == 2 else (zero, ends.args[0])
        last = Tree("add", (stop, one), (1, -1), stop.start, stop.end)
        binders.append(Tree("binder", (first, last), ((str(letter[1]),), "range"), start[2], ends.end))
    if p.tokens[p.pos][0] == "if":
        p.fail("a condition after for is not read", p.tokens[p.pos], hint="write (a if c else 0) for ...")
    return Tree("big", (body, *binders), "", body.start, binders[-1].end)


def _argument(p: Reader) -> Tree:
    token, following = p.tokens[p.pos], p.tokens[p.pos + 1] if p.pos + 1 < len(p.tokens) else p.tokens[p.pos]
    if token[0] in (NAME, WORD) and following[0] == "=" and token[1] in KEYWORDS:
        p.pos += 2
        value = _quoted(p) or _keyword_value(p)
        return Tree("keyword", (value,), token[1], token[2], value.end)
    quoted = _quoted(p)
    if quoted is not None:
        return quoted
    if token[0] in (NAME, "const") and token[1] == "inf" and following[0] == ")":
        p.pos += 1
        return Tree("const", (), "inf", token[2], token[3])
    tree = p.value()
    if p.tokens[p.pos][0] in CONDITIONAL:
        tree = indicated(p.condition(tree), tree.start, 0)
    return tree


def _quoted(p: Reader) -> Tree | None:
    """A word in quotes, as in `'fro'`."""
    opened, word, closed = p.tokens[p.pos : p.pos + 3]
    if opened[0] != "'" or word[0] != NAME or closed[0] != "'":
        return None
    p.pos += 3
    return Tree("name", (), word[1], opened[2], closed[3])


def _keyword_value(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    if token[0] == NAME and token[1] in ("True", "False"):
        p.pos += 1
        return Tree("num", (), int(token[1] == "True"), token[2], token[3])
    return p.expression(0)


def call(p: Reader, token: Token, value: str) -> Tree:
    args, last = arguments(p, token)
    return Tree("call", tuple(args), value, token[2], last[3])


def function(p: Reader, token: Token, _floor: int) -> Tree:
    """A known function: with brackets, with an index or power of its own, or before a single factor."""
    value, kind = token[1], p.tokens[p.pos][0]
    if kind in BRACKETS:
        return _applied(p, token, value)
    if kind == "_":
        return _indexed_function(p, token, value)
    if kind == "^":
        return _powered_function(p, token, value)
    return _primed_call(p, token, value) or _unbracketed(p, token, value)


def _primed_call(p: Reader, token: Token, value: str) -> Tree | None:
    """g'(z), g''(z): a call of the function with its primes."""
    count = next(k for k, t in enumerate(p.tokens[p.pos :]) if t[0] != "'")
    if not count or p.tokens[p.pos + count][0] != "(":
        return None
    p.pos += count
    return call(p, token, value + "'" * count)


def _applied(p: Reader, token: Token, value: str) -> Tree:
    custom = _CUSTOM.get(value)
    if custom is not None:
        return custom(p, token)
    opened, begin = p.tokens[p.pos], p.pos
    args, last = arguments(p, token)
    if value in GREEDY and len(args) == 1 and _goes_on(p, token):
        p.pos = begin
        return _unbracketed(p, token, value)
    if len(args) == 1 and args[0].head == "big" and not args[0].value:
        if value not in ("sum", "prod", "max", "min"):
            p.fail(f"{value} of values that for runs through is not read", token, hint="sum, prod, max and min are")
        body, *binders = args[0].args
        for binder in reversed(binders):
            body = Tree("big", (body, binder), value, token[2], last[3])
        return body
    if value == "sum" and opened[2] > token[3] and p.tokens[p.pos][0] in ("^", "**") and not p.latex:
        p.fail("the square of the sum, or the sum of squares?", token, "AMBIGUOUS", "write sum(x)^2 or sum(x^2)")
    build = _BUILT.get(value)
    if build is not None:
        return build(p, token, args, last)
    return Tree("call", tuple(args), value, token[2], last[3])


def _goes_on(p: Reader, token: Token) -> bool:
    r"""Whether a bracket behind tr is the first factor only, as in `\operatorname{tr}(A - I)'(A - I)`.

    A number is not transposed; a power that numbers and matrices have could be of either.
    """
    mark = p.tokens[p.pos]
    if mark[0] in ("'", "TOP"):
        return p.source[mark[2]] != "."  # tr(A).T is a program's
    if mark[0] != "^":
        return False
    above = [t for t in p.tokens[p.pos + 1 : p.pos + 7] if t[0] != "{"]
    if above[0][0] in ("TOP", "'") or (above[0][0] in (NAME, WORD) and above[0][1] == "T"):
        return True
    if p.latex and (above[0][0] in ("-", "FRAC") or (above[0][0] == NUM and above[1][0] == "/")):
        hint = "put brackets around the trace, or around the matrix and its power"
        p.fail("a power of the trace, or of the matrix?", mark, "AMBIGUOUS", hint)
    return False


def _unbracketed(p: Reader, token: Token, value: str) -> Tree:
    """`log x`, `sin 2 x`, `tr A B`: one factor, unless the function is linear; more is refused."""
    following = p.tokens[p.pos]
    if p.pos > 1 and p.tokens[p.pos - 2][0] == "=" and following[0] in ENDS:
        return Tree("name", (), value, token[2], token[3])  # g = \\sigma: another name for a function
    if following[0] == END or following[0] == ERROR:
        p.unexpected(following, f"an argument of {p.source[token[2] : token[3]]}")
    if following[0] not in OPERAND_START:
        message = f"{p.source[token[2] : token[3]]} is a function and needs an argument"
        p.fail(message, token, "NAME" if following[0] in (")", "]", "}", ",") else "PARSE", kind=NameProblem)
    p.deeper(token)
    if value in GREEDY:
        argument = p.expression(JUXTAPOSED)
    else:
        argument = p.expression(ARGUMENT)
        if following[0] == NUM:
            argument = _numeric_product(p, argument)
        if following[0] == "FRAC" and p.tokens[p.pos][0] == "BIG":  # \log \frac{1}{n} \sum_i: of the average
            rest = p.expression(PRODUCT)
            argument = Tree("mul", (argument, rest), "", argument.start, rest.end)
        elif argument.head == "transpose" and p.tokens[p.pos][0] == NAME:  # log w^T x: a row is never alone
            row, column = argument, p.expression(ARGUMENT)
            argument = Tree("mul", (row, column), "", row.start, column.end)
        clear = following[0] in OPENERS or argument.head == "big" or _is_spaced(p, argument)
        if not clear and p.tokens[p.pos][0] in OPERAND_START and p.tokens[p.pos][0] != "FUNC":
            shown = p.source[token[2] : token[3]]
            p.fail(f"does {shown} apply to one factor or to the product?", token, "AMBIGUOUS", f"write {shown}(...)")
    p.depth -= 1
    build = _BUILT.get(value)
    if build is not None:
        return build(p, token, [argument], p.tokens[p.pos - 1])
    return Tree("call", (argument,), value, token[2], argument.end)


def _is_spaced(p: Reader, argument: Tree) -> bool:
    r"""Whether a space of LaTeX sets the argument apart from a bracket behind it: `\sin\theta\,(a + b)`."""
    following = p.tokens[p.pos]
    between = p.source[argument.end : following[2]].strip()
    return p.latex and following[0] in OPENERS and between in ("\\,", "\\;", "\\:", "\\ ")


def _numeric_product(p: Reader, first: Tree) -> Tree:
    """`log 2 pi`, `sin 2 x`: a number takes the names behind it along."""
    factors = [first]
    while p.tokens[p.pos][0] in (NAME, "const"):
        factors.append(p.expression(ARGUMENT))
    return first if len(factors) == 1 else Tree("mul", tuple(factors), "", first.start, factors[-1].end)


def _indexed_function(p: Reader, token: Token, value: str) -> Tree:
    """`max_j s_j` is a maximum over j; `log_{10}` and `log_2` are logarithms to that base."""
    if value in BIG_WORDS:
        return big(p, ("BIG", value, token[2], token[3]), 0)
    if value == "argmax":
        return _largest(p, token)
    if value in ("softmax", "log_softmax"):
        return _over_index(p, token, value)
    if value == "silu":
        return _swish(p, token)
    if value != "log":
        p.fail("an index at a function name", p.tokens[p.pos], hint="put the index behind the bracket: softmax(x)_i")
    place = p.tokens[p.pos + 1]
    p.pos += 1
    base = _log_base(p)
    if is_number(base, 1):
        p.fail("there is no logarithm to the base 1", place, "DOMAIN", kind=DomainError)
    log = function(p, token, 0)
    if log.head != "call" or log.value != "log":
        p.fail("this logarithm has too many scripts", token)
    if is_number(base, 10):
        return Tree("call", log.args, "log10", log.start, log.end)
    if base.head == "const" and base.value == "e":
        return log
    return Tree("div", (log, Tree("call", (base,), "log", base.start, base.end)), "", log.start, log.end)


def _largest(p: Reader, token: Token) -> Tree:
    r"""`\arg\max_j t_j` is the label argmax([t_j]_j)."""
    run = big(p, ("BIG", "max", token[2], token[3]), 0)
    body, *binders = run.args
    if len(binders) != 1 or kind(binders[0]) != "all":
        p.fail("an argmax runs over whole axes", run)
    listed = Tree("assemble", (body,), indices(binders[0]), body.start, body.end)
    return Tree("call", (listed,), "argmax", token[2], run.end)


def _swish(p: Reader, token: Token) -> Tree:
    r"""`Swish_\beta(x)` is x σ(β x)."""
    p.pos += 1
    slope = _log_base(p)
    args, last = arguments(p, token)
    if len(args) != 1:
        p.fail("Swish takes one argument", token, "ARITY")
    start, end = token[2], last[3]
    inner = args[0] if is_number(slope, 1) else Tree("mul", (slope, args[0]), "", start, end)
    return Tree("mul", (args[0], Tree("call", (inner,), "sigmoid", start, end)), "odot", start, end)


def _over_index(p: Reader, token: Token, value: str) -> Tree:
    r"""`softmax_j(e_{ij})` is entry j of softmax([e_{ij}]_j)."""
    body, *binders = big(p, ("BIG", value, token[2], token[3]), 0).args
    if len(binders) != 1 or kind(binders[0]) != "all" or len(indices(binders[0])) != 1:
        p.fail(f"a {value} runs over one axis", token)
    (letter,) = indices(binders[0])
    listed = Tree("assemble", (body,), (letter,), body.start, body.end)
    place = Tree("name", (), letter, binders[0].start, binders[0].end)
    return Tree("index", (Tree("call", (listed,), value, token[2], body.end), place), None, token[2], body.end)


def _einsum(p: Reader, token: Token) -> Tree:
    """`einsum('ij,jk->ik', A, B)` is [Σ_j A_ij B_jk]_ik."""
    opened = p.tokens[p.pos]
    pattern = p.tokens[p.pos + 1]
    if pattern[0] != "STRING":
        p.unexpected(pattern, "what is summed, as in 'ij,jk->ik'")
    inputs, _, output = str(pattern[1]).replace(" ", "").partition("->")
    p.pos += 2
    operands: list[Tree] = []
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        operands.append(p.value())
    closing = p.expect(")", opened)
    words = inputs.split(",")
    if len(words) != len(operands) or not set(output) <= set(inputs) or len(set(output)) < len(output):
        p.fail(f"{pattern[1]} does not fit {len(operands)} arrays", pattern, "ARITY")
    start, end = token[2], closing[3]
    factors = tuple(
        Tree("index", (operand, *(Tree("name", (), letter, start, end) for letter in word)), None, start, end)
        if word else operand for word, operand in zip(words, operands, strict=True)
    )  # fmt: skip
    body = factors[0] if len(factors) == 1 else Tree("mul", factors, "", start, end)
    summed = tuple(dict.fromkeys(letter for word in words for letter in word if letter not in output))
    if summed:
        body = Tree("big", (body, Tree("binder", (), (summed, "all"), start, end)), "sum", start, end)
    return Tree("assemble", (body,), tuple(output), start, end) if output else body


def _log_base(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    p.pos += 1
    if token[0] == "{":
        base = p.expression(0)
        p.expect("}", token)
        return base
    if token[0] == NUM and (not p.latex or token[3] - token[2] == 1):
        return Tree("num", (), token[1], token[2], token[3])
    if token[0] == NAME:
        return name(p, token, 0)
    return p.unexpected(token, "the base in braces, as in \\log_{10}")


def _powered_function(p: Reader, token: Token, value: str) -> Tree:
    """`sin^2 x` is (sin x)^2; `sin^{-1} x` could be two things."""
    p.pos += 1
    power = scripts.exponent(p)
    if power.head == "name" and power.value == "T":
        p.fail("the transpose of a function", token, "AMBIGUOUS", "put it behind the argument")
    if power.head == "num" and isinstance(power.value, (int, Fraction)) and power.value < 0:
        shown = p.source[token[2] : token[3]]
        p.fail(
            "the inverse function or one over it?",
            token,
            "AMBIGUOUS",
            f"write arc{shown.lstrip(chr(92))}(x) or 1/{shown}(x)",
        )
    inner = _applied(p, token, value) if p.tokens[p.pos][0] in BRACKETS else _unbracketed(p, token, value)
    return Tree("pow", (inner, power), "", token[2], inner.end)


def _norms_along(p: Reader, token: Token, args: list[Tree], along: list[Tree], last: Token) -> Tree:
    """`norm(W, axis=1)`: the 2-norm or 1-norm of each row."""
    inner, *order = [arg for arg in args if arg not in along]
    kind = order[0].value if order else 2
    if len(order) > 1 or kind not in (1, 2):
        p.fail("along an axis the norms 1 and 2 are read", token)
    start, end = token[2], last[3]
    power = Tree("pow", (inner, Tree("num", (), 2, start, end)), "odot", start, end)
    entries = power if kind == 2 else Tree("call", (inner,), "abs", start, end)
    whole = Tree("call", (entries, *along), "sum", start, end)
    return Tree("call", (whole,), "sqrt", start, end) if kind == 2 else whole


def _norm_function(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    along = [arg for arg in args[1:] if arg.head == "keyword" and arg.value in ("axis", "keepdims")]
    if along:
        return _norms_along(p, token, args, along, last)
    if len(args) == 1 and p.tokens[p.pos][0] == "_":
        return ordered_norm(p, args[0], token[2])
    if len(args) == 1:
        return Tree("norm", (args[0],), "", token[2], last[3])
    given = args[1].args[0] if args[1].head == "keyword" and args[1].value == "ord" else args[1]
    order = NORMS.get("inf" if given.head == "const" else str(given.value))
    if len(args) > 2 or given.head == "keyword" or (given.head == "num" and not given.value):
        p.fail("this norm is not known", args[1], hint="norms are 1, 2, p, 'fro', 'nuc' and inf")
    if order is None and p.source[given.start] in "'\"":
        p.fail("this norm is not known", args[1], hint="norms are 1, 2, p, 'fro', 'nuc' and inf")
    if order is None:
        return Tree("norm", (args[0], given), "p", token[2], last[3])
    return Tree("norm", (args[0],), order, token[2], last[3])


def _norm_of(order: str) -> Callable[[Reader, Token, list[Tree], Token], Tree]:
    def build(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
        if len(args) != 1:
            p.fail("a norm takes one argument", args[1], "ARITY")
        return Tree("norm", (args[0],), order, token[2], last[3])

    return build


def _absolute_sum(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    """`norm1(X)` is the sum of the sizes of all entries, of a matrix as of a vector."""
    if len(args) != 1:
        p.fail("a norm takes one argument", args[1], "ARITY")
    sizes = Tree("call", (args[0],), "abs", token[2], last[3])
    return Tree("call", (sizes,), "sum", token[2], last[3])


def _where(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    if len(args) != 3 or args[0].head != "indicator":
        return Tree("call", tuple(args), "where", token[2], last[3])
    condition, yes, no = args
    otherwise = Tree("otherwise", (), None, no.end, no.end)
    return Tree("cases", (yes, condition.args[0], no, otherwise), None, token[2], last[3])


def _transpose(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    if len(args) != 1:
        p.fail("transpose takes one argument", args[1], "ARITY")
    return Tree("transpose", (args[0],), None, token[2], last[3])


def _square(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    if len(args) != 1:
        p.fail("square takes one argument", args[1], "ARITY")
    return Tree("pow", (args[0], Tree("num", (), 2, last[2], last[3])), "odot", token[2], last[3])


def _array(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    if args[0].head == "big" and not args[0].value:
        p.fail("an array needs square brackets around what for runs through", token)
    return widened(args[0], token[2], last[3])


def _product_of(kind: str) -> Callable[[Reader, Token, list[Tree], Token], Tree]:
    def build(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
        if len(args) != 2:
            p.fail("this product takes two arguments", args[-1], "ARITY")
        return Tree("mul", tuple(args), kind, token[2], last[3])

    return build


def _diff(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    """`diff(f, x)`, `diff(f, x, 2)`, `diff(f, x, y)`."""
    order = 0
    variables: list[Tree] = []
    for arg in args[1:]:
        if arg.head == "num":
            if not isinstance(arg.value, int) or arg.value < 1 or not variables:
                p.fail("the order of a derivative is a positive integer", arg, "TYPE")
            order += arg.value - 1
        elif arg.head in ("name", "index", "transpose"):
            variables.append(arg)
            order += 1
        else:
            p.fail("a derivative is taken by a variable", arg, "TYPE")
    if not variables:
        p.fail("diff needs a variable", token, "ARITY", "as in diff(f, x)")
    return Tree("derivative", (args[0], *variables), order, token[2], last[3])


_BUILT: dict[str, Callable[[Reader, Token, list[Tree], Token], Tree]] = {
    "norm": _norm_function, "where": _where, "transpose": _transpose, "square": _square, "array": _array, "diff": _diff,
    "norm1": _absolute_sum, "nucnorm": _norm_of("*"), "matmul": _product_of("@"), "multiply": _product_of("odot"),
}  # fmt: skip


def _shaped(value: str) -> Callable[[Reader, Token], Tree]:
    """`ones((m, n))` is `ones(m, n)`."""

    def read(p: Reader, token: Token) -> Tree:
        opened = p.tokens[p.pos]
        if p.tokens[p.pos + 1][0] != "(":
            return call(p, token, value)
        p.pos += 1
        args, _ = arguments(p, token)
        closing = p.expect(PARTNER[opened[0]], opened)
        return Tree("call", tuple(args), value, token[2], closing[3])

    return read


def _joined(value: str) -> Callable[[Reader, Token], Tree]:
    """`np.hstack((x, y))`: a tuple of arrays is the list of them."""

    def read(p: Reader, token: Token) -> Tree:
        opened = p.tokens[p.pos]
        if p.tokens[p.pos + 1][0] != "(" or "," not in p.inside(p.pos + 1):
            args, last = arguments(p, token)
            return Tree("call", tuple(args), value, token[2], last[3])
        p.pos += 1
        args, _ = arguments(p, token)
        options = []
        while p.tokens[p.pos][0] == ",":
            p.pos += 1
            options.append(_argument(p))
        last = p.expect(PARTNER[opened[0]], opened)
        return Tree("call", (*args, *options), value, token[2], last[3])

    return read


_CUSTOM: dict[str, Callable[[Reader, Token], Tree]] = {
    "cases": text_cases, "einsum": _einsum, "ones": _shaped("ones"), "zeros": _shaped("zeros"),
    **{name: _joined(name) for name in ("concatenate", "hstack", "vstack")},
}  # fmt: skip
