"""The forms that have a shape of their own: functions, sums, fractions, derivatives, cases, matrices, bars.

Contract: every function here is a prefix handler of the parser's table, or helps one.  `DomainError` is raised for a
literal division by zero, `ShapeError` for ragged rows, code ARITY for an empty argument list.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction

from symgrad.errors import DomainError, NameProblem, ShapeError
from symgrad.notation import names, scripts
from symgrad.notation.bars import OPENERS, OPERAND_START
from symgrad.notation.cursor import (
    ARGUMENT, FACTOR, JUXTAPOSED, PARTNER, POSTFIX, PRODUCT, RELATIONS, Reader, bracketed, is_number, widened,
)  # fmt: skip
from symgrad.notation.syntax import Tree
from symgrad.notation.text import BIG_WORDS
from symgrad.notation.tokens import END, ERROR, MAX_ARGUMENTS, NAME, NUM, WORD, Token

#: Names that would bring infinities, undefined values or truth values into a formula.
FORBIDDEN = frozenset(("nan", "NaN", "inf", "Inf", "infinity", "Infinity", "zoo", "oo", "None", "True", "False"))
#: Letters that are read as functions before a bracket, so they must be defined or occur elsewhere as variables.
FUNCTION_LETTERS = frozenset(("f", "g", "h", "Phi", "phi", "Gamma", "psi", "zeta", "F", "G"))
KEYWORDS = frozenset(("axis", "keepdims", "dim", "ddof", "ord", "n"))
BRACKETS = frozenset(("(", "[", "\\{"))
CONDITIONAL = RELATIONS | {"and", "&"}
ENDS = frozenset((END, ",", ";", "newline", "\\\\"))
#: Linear functions of a matrix that take a whole product without brackets.
GREEDY = frozenset(("tr",))
NORMS = {"1": "1", "2": "2", "F": "F", "fro": "F", "Fro": "F", "inf": "inf", "nuc": "*", "*": "*"}


# brackets


def group(p: Reader, token: Token, floor: int) -> Tree:
    """`( )`, `{ }`, `\\{ \\}`: neutral, except that a condition inside is its indicator."""
    kind = token[0]
    p.deeper(token)
    if p.tokens[p.pos][0] == PARTNER[kind]:
        p.fail("these brackets are empty", token)
    inner = p.value()
    if p.tokens[p.pos][0] in CONDITIONAL and kind != "{":
        inner = _indicator(p.condition(inner), token[2], 0)
    if p.tokens[p.pos][0] in (",", ";") and kind == "(":
        p.fail("a comma between brackets", p.tokens[p.pos], hint="write a vector as [a, b]")
    closing = p.expect(PARTNER[kind], token)
    p.depth -= 1
    return widened(inner, token[2], closing[3])


def _indicator(condition: Tree, start: int, end: int) -> Tree:
    return Tree("indicator", (condition,), None, start, max(end, condition.end))


def square(p: Reader, token: Token, floor: int) -> Tree:
    """`[a, b; c, d]` is a literal; `[expression]` a bracket, or with indices below the tensor with those entries."""
    p.deeper(token)
    if p.tokens[p.pos][0] == "]":
        p.fail("these brackets are empty", token)
    rows = _nested_rows(p) if p.tokens[p.pos][0] == "[" and not p.latex else None
    if rows is not None:
        closing = p.expect("]", token)
        p.depth -= 1
        return matrix(p, rows, token, closing, False)
    rows = [[p.value()]]
    if p.tokens[p.pos][0] in CONDITIONAL:
        condition = p.condition(rows[0][0])
        closing = p.expect("]", token)
        p.depth -= 1
        return _indicator(condition, token[2], closing[3])
    while p.tokens[p.pos][0] in (",", ";"):
        if p.tokens[p.pos][0] == ";":
            rows.append([])
        p.pos += 1
        rows[-1].append(p.value())
    closing = p.expect("]", token)
    p.depth -= 1
    if len(rows) > 1 or len(rows[0]) > 1:
        return matrix(p, rows, token, closing, True)
    inner = widened(rows[0][0], token[2], closing[3])
    return _assembled(p, inner) if p.tokens[p.pos][0] == "_" else inner


def _nested_rows(p: Reader) -> list[list[Tree]] | None:
    """The rows of `[[1, 2], [3, 4]]`, or None if the brackets are not that."""
    place = p.pos
    while p.tokens[place][0] == "[":
        place = p.partner(place) + 1
        if place >= len(p.tokens) or p.tokens[place][0] not in (",", "]"):
            return None
        if p.tokens[place][0] == "]":
            break
        place += 1
    if place >= len(p.tokens) or p.tokens[place][0] != "]":
        return None
    rows: list[list[Tree]] = []
    while True:
        opened = p.expect("[")
        p.deeper(opened)
        rows.append([p.value()])
        while p.tokens[p.pos][0] == ",":
            p.pos += 1
            rows[-1].append(p.value())
        p.expect("]", opened)
        p.depth -= 1
        if p.tokens[p.pos][0] != ",":
            return rows
        p.pos += 1


def matrix(p: Reader, rows: list[list[Tree]], first: Token, last: Token, flat: bool) -> Tree:
    """An array literal; one row or one column of a `flat` literal is a plain vector."""
    width = len(rows[0])
    for k, row in enumerate(rows, 1):
        if len(row) != width:
            message = f"row {k} has {len(row)} of {width} entries"
            place = row[0] if row else first
            p.fail(message, place, "SHAPE", kind=ShapeError)
    entries = tuple(entry for row in rows for entry in row)
    shape = (len(entries), None) if flat and 1 in (len(rows), width) else (len(rows), width)
    return Tree("array", entries, shape, first[2], last[3])


def _assembled(p: Reader, body: Tree) -> Tree:
    """`[body]_{ij}`: with plain letters below, the tensor whose entries are `body`."""
    place = p.pos
    p.pos += 1
    label, indices = scripts.subscripts(p)
    if label is None and all(t.head == "name" for t in indices):
        end = p.tokens[p.pos - 1][3]
        return Tree("assemble", (body,), tuple(str(t.value) for t in indices), body.start, end)
    p.pos = place
    return body


def absolute(p: Reader, token: Token, floor: int) -> Tree:
    p.deeper(token)
    inner = p.value()
    closing = p.expect(")|", token)
    p.depth -= 1
    return Tree("bars", (inner,), None, token[2], closing[3])


def norm(p: Reader, token: Token, floor: int) -> Tree:
    """`||x||_2^2`, also with the square before the subscript."""
    p.deeper(token)
    inner = p.value()
    closing = p.expect(")||", token)
    p.depth -= 1
    tree = Tree("norm", (inner,), "", token[2], closing[3])
    if p.tokens[p.pos][0] == "^" and not p.latex:
        return tree
    power: Tree | None = None
    if p.tokens[p.pos][0] == "^" and _norm_below(p):
        p.pos += 1
        power = scripts.exponent(p)
    if p.tokens[p.pos][0] == "_":
        tree = Tree("norm", (inner,), norm_order(p), token[2], p.tokens[p.pos - 1][3])
    return tree if power is None else Tree("pow", (tree, power), "", token[2], p.tokens[p.pos - 1][3])


def _norm_below(p: Reader) -> bool:
    """Whether the order of the norm comes after its exponent, as in `\\|x\\|^2_2`."""
    place = p.pos + 1
    place = p.partner(place) + 1 if p.tokens[place][0] in OPENERS else place + 1
    return place < len(p.tokens) and p.tokens[place][0] == "_"


def norm_order(p: Reader) -> str:
    """The order written below a norm."""
    p.pos += 1
    opened = p.tokens[p.pos]
    braces = opened[0] == "{"
    p.pos += braces
    token = p.tokens[p.pos]
    raw = "inf" if token[0] == "const" else str(token[1]) if token[1] is not None else token[0]
    if raw not in NORMS or token[0] == ERROR:
        if token[0] == END:
            p.unexpected(token, "the order of the norm")
        p.fail(f"the norm with {p.shown(token)} below is not known", token, hint="norms are 1, 2, F, \\infty and *")
    p.pos += 1
    if braces:
        p.expect("}", opened)
    return NORMS[raw]


def angles(p: Reader, token: Token, floor: int) -> Tree:
    p.deeper(token)
    left = p.expression(0)
    p.expect(",", token)
    right = p.expression(0)
    closing = p.tokens[p.pos]
    if closing[0] not in (")>", ">"):
        p.unexpected(closing, "⟩")
    p.pos += 1
    p.depth -= 1
    return Tree("inner", (left, right), None, token[2], closing[3])


def floored(p: Reader, token: Token, floor: int) -> Tree:
    p.deeper(token)
    inner = p.expression(0)
    closing = p.expect(")floor", token)
    p.depth -= 1
    return Tree("call", (inner,), "floor", token[2], closing[3])


# names and numbers


def number(p: Reader, token: Token, floor: int) -> Tree:
    _, value, start, end = token
    if value == 1 and p.tokens[p.pos][0] in OPENERS and p.source[start:end] == "1" and p.compares(p.pos):
        return indicator(p, token)
    return Tree("num", (), value, start, end)


def indicator(p: Reader, token: Token) -> Tree:
    """The bracket after 1 holds a condition."""
    opened = p.tokens[p.pos]
    p.pos += 1
    p.deeper(opened)
    condition = p.condition()
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        other = p.condition()
        condition = Tree("and", (*_parts(condition), *_parts(other)), None, condition.start, other.end)
    closing = p.expect(PARTNER[opened[0]], opened)
    p.depth -= 1
    return _indicator(condition, token[2], closing[3])


def _parts(condition: Tree) -> tuple[Tree, ...]:
    return condition.args if condition.head == "and" else (condition,)


def one(p: Reader, token: Token, floor: int) -> Tree:
    """A bold one: an indicator if a condition follows, else the vector of ones."""
    following = p.tokens[p.pos]
    if following[0] == "_" and p.tokens[p.pos + 1][0] == "{" and p.compares(p.pos + 1):
        p.pos += 1
        return indicator(p, token)
    if following[0] in BRACKETS and p.compares(p.pos):
        return indicator(p, token)
    return Tree("call", (), "ones", token[2], token[3])


def constant(p: Reader, token: Token, floor: int) -> Tree:
    if token[1] == "e":
        return _e(p, token) or Tree("name", (), "e", token[2], token[3])
    if token[1] == "inf":
        p.fail("infinity is not a number", token, "DOMAIN", kind=DomainError)
    return Tree("const", (), token[1], token[2], token[3])


def name(p: Reader, token: Token, floor: int) -> Tree:
    """A variable, a constant, or a function of the source before its bracket."""
    kind, value, start, end = token
    following = p.tokens[p.pos][0]
    if value not in p.vocabulary.names:
        if value[0] == "d" and following in ("/", NAME) and kind == NAME:
            derivative = _slashed(p, token, value)
            if derivative is not None:
                return derivative
        special = _SPECIAL_NAMES.get(value)
        if special is not None:
            tree = special(p, token)
            if tree is not None:
                return tree
        if following in ("(", "'") and value not in p.applied or value in p.defined:
            tree = _application(p, token, value, following)
            if tree is not None:
                return tree
        elif following == "(" and value in p.applied and _plain_arguments(p, p.pos):
            return call(p, token, value)
    if kind == WORD and value == "d" and following in (NAME, WORD):
        p.fail("a differential outside a fraction", token, hint="write \\frac{dL}{dx}")
    return Tree("name", (), value, start, end)


def _application(p: Reader, token: Token, value: str, following: str) -> Tree | None:
    """What a name before a bracket is: a call, entries of an array, or (None) a factor."""
    if value in p.defined:
        if following == "(":
            return call(p, token, value)
        if following == "'" and p.tokens[p.pos + 1][0] == "(":
            p.pos += 1
            return call(p, token, value + "'")
        return None
    if following != "(":
        return None
    kinds = p.inside(p.pos)
    if value == "I" and any(kind in RELATIONS for kind in kinds):
        return indicator(p, token)
    commas = kinds.count(",") + kinds.count(";")
    if commas >= MAX_ARGUMENTS:
        p.fail(f"a function takes at most {MAX_ARGUMENTS} arguments", token, "ARITY")
    stem = names.parts(value)[0]
    letter = len(stem) == 1 or names.to_text(stem) != stem or not stem.isascii()
    if letter and commas and _bound_arguments(p, p.pos):
        return _entries(p, token, value)
    if not letter or commas or value in FUNCTION_LETTERS and not p.bare(value):
        unknown(p, token, value)
    return None


def _bound_arguments(p: Reader, place: int) -> bool:
    """Whether everything in the bracket is made of summation indices: `K(m, n)` is an entry of K."""
    inner = p.tokens[place + 1 : p.partner(place)]
    allowed = all(t[0] in (NAME, NUM, ",", "+", "-") for t in inner)
    return allowed and any(t[0] == NAME for t in inner) and all(t[1] in p.bound for t in inner if t[0] == NAME)


def _plain_arguments(p: Reader, place: int) -> bool:
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


def unknown(p: Reader, token: Token, value: str) -> None:
    """Refuse a function nobody knows, with the nearest one that exists."""
    if p.tokens[p.last - 1][0] == ERROR:
        raise p.tokens[p.last - 1][1]  # what cannot be read at all is the better complaint
    near = get_close_matches(value, p.vocabulary.functions, 1)
    if near:
        hint = f"did you mean {near[0]}?"
    elif len(value) > 1:
        hint = "for a product put a space or * between the factors"
    else:
        hint = f"define it, as in {names.to_text(value)}(z) = ...; or write {names.to_text(value)} * (...) for a product"
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
        if shown[0] in ("TOP", "'", "*") or shown[0] == NAME and shown[1] == "T":
            return None
        p.pos += 1
        p.deeper(token)
        power = scripts.exponent(p)
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


def _forbidden(p: Reader, token: Token) -> Tree | None:
    p.fail(f"{token[1]} is not a value a formula may hold", token, "NAME", kind=NameProblem)


def _differential(p: Reader, token: Token) -> Tree | None:
    """`d/dx f`, `d^2/dx^2 f`, `d/dx`: only if a fraction of differentials follows."""
    tokens, place = p.tokens, p.pos
    order: object = 1
    if tokens[place][0] == "^":
        if tokens[place + 1][0] == "-" and tokens[place + 3][0] == "/":
            p.fail("the order of a derivative is a positive integer", tokens[place + 1])
        order, place = tokens[place + 1][1], place + 2
    if tokens[place][0] != "/" or not _is_differential(tokens[place + 1]):
        return None
    p.pos = place + 1
    variables, total = _below_variables(p, token)
    return _operator(p, token, order, variables, total)


def _slashed(p: Reader, token: Token, value: str) -> Tree | None:
    """`dL/dW`: in text a word over a word, in LaTeX d and a letter over d and a letter."""
    tokens, place = p.tokens, p.pos
    if p.latex:
        kinds = [t[0] for t in tokens[place : place + 4]]
        if value != "d" or kinds != [NAME, "/", NAME, NAME] or tokens[place + 2][1] != "d":
            return None
        of = Tree("name", (), tokens[place][1], tokens[place][2], tokens[place][3])
        p.pos = place + 3
        variables: list[Tree] = []
        total = _variable(p, variables)
        return _derivative(p, token, of, 1, variables, total)
    if len(value) < 2 or tokens[place][0] != "/" or not _is_differential(tokens[place + 1]) or not _is_differential(token):
        return None
    p.pos = place + 1
    variables, total = _below_variables(p, token)
    of = Tree("name", (), names.word(p.source[token[2] + 1 : token[3]]), token[2] + 1, token[3])
    return _derivative(p, token, of, 1, variables, total)


def _is_differential(token: Token) -> bool:
    return token[0] == NAME and len(token[1]) > 1 and str(token[1])[0] == "d" and token[1] not in ("dot", "delta", "det", "diag")


_SPECIAL_NAMES: dict[object, Callable[[Reader, Token], Tree | None]] = {"e": _e, "pi": _pi, "d": _differential}
_SPECIAL_NAMES |= dict.fromkeys(FORBIDDEN, _forbidden)


# functions


def arguments(p: Reader, token: Token) -> tuple[list[Tree], Token]:
    """The arguments in the brackets at the cursor, and the closing bracket."""
    opened = p.tokens[p.pos]
    p.deeper(opened)
    p.pos += 1
    closing = PARTNER[opened[0]]
    if p.tokens[p.pos][0] == closing:
        p.fail(f"{p.source[token[2] : token[3]]} needs an argument", opened, "ARITY")
    found = [_argument(p)]
    while p.tokens[p.pos][0] in (",", ";"):
        if len(found) >= MAX_ARGUMENTS:
            p.fail(f"a function takes at most {MAX_ARGUMENTS} arguments", p.tokens[p.pos], "ARITY")
        p.pos += 1
        found.append(_argument(p))
    last = p.expect(closing, opened)
    p.depth -= 1
    return found, last


def _argument(p: Reader) -> Tree:
    token, following = p.tokens[p.pos], p.tokens[p.pos + 1] if p.pos + 1 < len(p.tokens) else p.tokens[p.pos]
    if token[0] in (NAME, WORD) and following[0] == "=" and token[1] in KEYWORDS:
        p.pos += 2
        value = _keyword_value(p)
        return Tree("keyword", (value,), token[1], token[2], value.end)
    if token[0] == "'" and following[0] == NAME and p.tokens[p.pos + 2][0] == "'":
        p.pos += 3
        return Tree("name", (), following[1], token[2], p.tokens[p.pos - 1][3])
    if token[0] in (NAME, "const") and token[1] == "inf" and following[0] == ")":
        p.pos += 1
        return Tree("const", (), "inf", token[2], token[3])
    tree = p.value()
    if p.tokens[p.pos][0] in CONDITIONAL:
        tree = _indicator(p.condition(tree), tree.start, 0)
    return tree


def _keyword_value(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    if token[0] == NAME and token[1] in ("True", "False"):
        p.pos += 1
        return Tree("num", (), int(token[1] == "True"), token[2], token[3])
    return p.expression(0)


def call(p: Reader, token: Token, value: str) -> Tree:
    args, last = arguments(p, token)
    return Tree("call", tuple(args), value, token[2], last[3])


def function(p: Reader, token: Token, floor: int) -> Tree:
    """A known function: with brackets, with an index or power of its own, or before a single factor."""
    value, kind = token[1], p.tokens[p.pos][0]
    if kind == "_" and value in ("ones", "zeros"):
        return Tree("call", (), value, token[2], token[3])
    if kind in BRACKETS:
        return _applied(p, token, value)
    if kind == "_":
        return _indexed_function(p, token, value)
    if kind == "^":
        return _powered_function(p, token, value)
    if kind == "'" and p.tokens[p.pos + 1][0] == "(":
        p.pos += 1
        return call(p, token, value + "'")
    return _unbracketed(p, token, value)


def _applied(p: Reader, token: Token, value: str) -> Tree:
    custom = _CUSTOM.get(value)
    if custom is not None:
        return custom(p, token)
    opened = p.tokens[p.pos]
    args, last = arguments(p, token)
    if value == "sum" and opened[2] > token[3] and p.tokens[p.pos][0] in ("^", "**") and not p.latex:
        p.fail("the square of the sum, or the sum of squares?", token, "AMBIGUOUS", "write sum(x)^2 or sum(x^2)")
    build = _BUILT.get(value)
    if build is not None:
        return build(p, token, args, last)
    return Tree("call", tuple(args), value, token[2], last[3])


def _unbracketed(p: Reader, token: Token, value: str) -> Tree:
    """`log x`, `sin 2 x`, `tr A B`: one factor, unless the function is linear; more is refused."""
    following = p.tokens[p.pos]
    if value in ("ones", "zeros"):
        return Tree("call", (), value, token[2], token[3])
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
        clear = following[0] in OPENERS or argument.head == "big"
        if not clear and p.tokens[p.pos][0] in OPERAND_START and p.tokens[p.pos][0] != "FUNC":
            shown = p.source[token[2] : token[3]]
            p.fail(f"does {shown} apply to one factor or to the product?", token, "AMBIGUOUS", f"write {shown}(...)")
    p.depth -= 1
    build = _BUILT.get(value)
    if build is not None:
        return build(p, token, [argument], p.tokens[p.pos - 1])
    return Tree("call", (argument,), value, token[2], argument.end)


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
    p.unexpected(token, "the base in braces, as in \\log_{10}")


def _powered_function(p: Reader, token: Token, value: str) -> Tree:
    """`sin^2 x` is (sin x)^2; `sin^{-1} x` could be two things."""
    p.pos += 1
    power = scripts.exponent(p)
    if power.head == "num" and isinstance(power.value, (int, Fraction)) and power.value < 0:
        shown = p.source[token[2] : token[3]]
        p.fail("the inverse function or one over it?", token, "AMBIGUOUS", f"write arc{shown.lstrip(chr(92))}(x) or 1/{shown}(x)")
    inner = _applied(p, token, value) if p.tokens[p.pos][0] in BRACKETS else _unbracketed(p, token, value)
    return Tree("pow", (inner, power), "", token[2], inner.end)


# functions with a form of their own


def _norm_function(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    order = ""
    if len(args) > 1:
        given = args[1].args[0] if args[1].head == "keyword" and args[1].value == "ord" else args[1]
        order = NORMS.get("inf" if given.head == "const" else str(given.value), "?")
        if order == "?" or len(args) > 2:
            p.fail("this norm is not known", args[1], hint="norms are 1, 2, 'fro', 'nuc' and inf")
    elif p.tokens[p.pos][0] == "_":
        order = norm_order(p)
    return Tree("norm", (args[0],), order, token[2], p.tokens[p.pos - 1][3])


def _norm_of(order: str) -> Callable[[Reader, Token, list[Tree], Token], Tree]:
    def build(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
        if len(args) != 1:
            p.fail("a norm takes one argument", args[1], "ARITY")
        return Tree("norm", (args[0],), order, token[2], last[3])

    return build


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
    return widened(args[0], token[2], last[3])


def _product_of(kind: str) -> Callable[[Reader, Token, list[Tree], Token], Tree]:
    def build(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
        if len(args) != 2:
            p.fail("this product takes two arguments", args[-1], "ARITY")
        return Tree("mul", tuple(args), kind, token[2], last[3])

    return build


def _diff(p: Reader, token: Token, args: list[Tree], last: Token) -> Tree:
    """`diff(f, x)`, `diff(f, x, 2)`, `diff(f, x, y)`."""
    order, variables = 0, []
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
    "norm1": _norm_of("1"), "nucnorm": _norm_of("*"), "matmul": _product_of("@"), "multiply": _product_of("odot"),
}  # fmt: skip


def _text_cases(p: Reader, token: Token) -> Tree:
    """`cases(x if x > 0; a otherwise)`."""
    opened = p.tokens[p.pos]
    p.deeper(opened)
    p.pos += 1
    found: list[Tree] = []
    while True:
        found.append(p.expression(0))
        found.append(_case_condition(p))
        if p.tokens[p.pos][0] not in (",", ";"):
            break
        p.pos += 1
    closing = p.expect(PARTNER[opened[0]], opened)
    p.depth -= 1
    return Tree("cases", tuple(found), None, token[2], closing[3])


def _case_condition(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    if token[0] == "otherwise" or token[0] == "else":
        p.pos += 1
        return Tree("otherwise", (), None, token[2], token[3])
    if token[0] != "if":
        p.unexpected(token, "if and a condition, or otherwise")
    p.pos += 1
    return p.condition()


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


_CUSTOM: dict[str, Callable[[Reader, Token], Tree]] = {
    "cases": _text_cases, "ones": _shaped("ones"), "zeros": _shaped("zeros"),
}  # fmt: skip


# sums


def big(p: Reader, token: Token, floor: int) -> Tree:
    """A sum or product over indices; the body is a product and stops at + and -."""
    p.deeper(token)
    binders, bound = _binders(p, token)
    if not binders:
        return _whole_sum(p, token)
    before = len(p.bound)
    p.bound += bound
    body = p.expression(PRODUCT)
    del p.bound[before:]
    p.depth -= 1
    return Tree("big", (body, *binders), token[1], token[2], body.end)


def _whole_sum(p: Reader, token: Token) -> Tree:
    """`\\sum (...)` and `\\sum A \\odot B` are sums of all entries; a sum of anything else needs its index."""
    following = p.tokens[p.pos]
    body = p.expression(PRODUCT) if following[0] in OPERAND_START else None
    if body is None or not (following[0] in OPENERS or body.head == "mul" and body.value == "odot"):
        place = ("", None, token[3], token[3] + 1)
        p.fail(f"the index of this {token[1]} is missing", place, hint="as in \\sum_i x_i or \\sum_{i=1}^n x_i")
    p.depth -= 1
    return Tree("call", (body,), token[1], token[2], body.end)


def _binders(p: Reader, token: Token) -> tuple[list[Tree], list[str]]:
    lower: tuple[list[Tree], list[str]] | None = None
    upper: Tree | None = None
    while p.tokens[p.pos][0] in ("_", "^"):
        mark = p.tokens[p.pos]
        p.pos += 1
        if mark[0] == "_" and lower is None:
            lower = _binder(p, token)
        elif mark[0] == "^" and upper is None:
            upper = _bound_above(p)
        else:
            p.fail("a second bound", mark)
    if lower is None:
        if upper is not None:
            p.fail("the index of this sum is missing", upper, hint="as in \\sum_{i=1}^n")
        return [], []
    binders, bound = lower
    _close_range(p, token, binders, upper)
    return binders, bound


def _close_range(p: Reader, token: Token, binders: list[Tree], upper: Tree | None) -> None:
    """Put the upper bound where it belongs."""
    last = binders[-1]
    indices, kind = last.value  # type: ignore[misc]
    if kind == "range":
        if upper is None:
            p.fail("the upper bound of this sum is missing", last, hint="as in \\sum_{i=1}^n")
        binders[-1] = Tree("binder", (last.args[0], upper), last.value, last.start, upper.end)
    elif upper is not None:
        if kind != "all" or len(indices) != 1:
            p.fail("this sum has no lower bound to go with it", upper)
        start = Tree("num", (), 1, last.start, last.end)
        binders[-1] = Tree("binder", (start, upper), (indices, "range"), last.start, upper.end)


def _bound_above(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    p.pos += 1
    if token[0] == "{":
        tree = p.expression(0)
        p.expect("}", token)
        return tree
    if token[0] in (NUM, NAME, "const", WORD):
        head = {NUM: "num", "const": "const"}.get(token[0], "name")
        return Tree(head, (), token[1], token[2], token[3])
    p.pos -= 1
    p.unexpected(token, "an upper bound")


def _binder(p: Reader, token: Token) -> tuple[list[Tree], list[str]]:
    """What stands below a sum: indices, a range, or conditions."""
    opened = p.tokens[p.pos]
    if opened[0] != "{":
        if opened[0] != NAME:
            p.unexpected(opened, "an index")
        p.pos += 1
        letters = _letters(p, [opened])
        return [Tree("binder", (), (letters, "all"), opened[2], opened[3])], list(letters)
    stop = p.partner(p.pos)
    inner = p.tokens[p.pos + 1 : stop]
    if inner and p.tokens[stop][0] == "}" and all(t[0] in (NAME, ",") for t in inner):
        p.pos = stop + 1
        letters = _letters(p, [t for t in inner if t[0] == NAME])
        return [Tree("binder", (), (letters, "all"), inner[0][2], inner[-1][3])], list(letters)
    p.pos += 1
    binder, bound = _conditions(p)
    p.expect("}", opened)
    return [binder], bound


def _letters(p: Reader, found: list[Token]) -> tuple[str, ...]:
    """Every index once; a word of small letters is one index a letter."""
    letters: list[str] = []
    for _, value, start, end in found:
        raw = p.source[start:end]
        split = not p.latex and raw.isascii() and raw.isalpha() and raw.islower() and 1 < len(raw) <= 4
        letters += raw if split else [str(value)]
    if not letters:
        p.fail("an index is missing", p.tokens[p.pos - 1])
    return tuple(letters)


def _conditions(p: Reader) -> tuple[Tree, list[str]]:
    """`i=1` begins a range; `j \\neq y_i`, `i < j`, `j \\neq y, j > 0` are conditions."""
    start = p.tokens[p.pos]
    left = p.expression(0)
    if p.tokens[p.pos][0] == "=" and left.head == "name":
        p.pos += 1
        lower = p.expression(0)
        if p.tokens[p.pos][0] in RELATIONS or p.tokens[p.pos][0] == ",":
            p.fail("one range at a time", p.tokens[p.pos], hint="write two sums")
        return Tree("binder", (lower,), ((str(left.value),), "range"), start[2], lower.end), [str(left.value)]
    if p.tokens[p.pos][0] == "IN":
        p.fail("a sum over a set cannot be read", p.tokens[p.pos], hint="write a range, as in \\sum_{i=1}^n")
    if p.tokens[p.pos][0] not in RELATIONS:
        p.unexpected(p.tokens[p.pos], "an index, a range or a condition")
    found = list(_parts(p.condition(left)))
    while p.tokens[p.pos][0] in (",", ";"):
        p.pos += 1
        found += _parts(p.condition())
    indices = _bound_by(p, found)
    if not indices:
        p.fail("which index does this sum run over?", start, hint="the condition should begin with it, as in j \\neq i")
    return Tree("binder", tuple(found), (indices, "where"), start[2], found[-1].end), list(indices)


def _bound_by(p: Reader, found: list[Tree]) -> tuple[str, ...]:
    """The indices that conditions introduce: the names on the left, and on the right of an ordering."""
    indices: dict[str, None] = {}
    for tree in found:
        left, right = tree.args
        if left.head == "name" and left.value not in p.bound:
            indices[str(left.value)] = None
        ordering = tree.value in ("<", "<=", ">", ">=")
        if ordering and right.head == "name" and right.value in scripts.INDEX_LETTERS - {"n", "m"} and right.value not in p.bound:
            indices[str(right.value)] = None
    return tuple(indices)


# fractions, roots, derivatives


def divided(p: Reader, above: Tree, below: Tree, start: int, end: int, kind: str = "") -> Tree:
    """A quotient; two integers are one exact number, and a literal zero below is refused."""
    if is_number(below, 0):
        p.fail("division by zero", below, "DOMAIN", kind=DomainError)
    if not kind and isinstance(above.value, int) and isinstance(below.value, int) and above.head == below.head == "num":
        value = Fraction(above.value, below.value)
        return Tree("num", (), value.numerator if value.denominator == 1 else value, start, end)
    return Tree("div", (above, below), kind, start, end)


def fraction(p: Reader, token: Token, floor: int) -> Tree:
    r"""`\frac{a}{b}`, `\frac12`, and derivatives `\frac{\partial f}{\partial x}`, `\frac{d}{dx}`."""
    p.deeper(token)
    if p.tokens[p.pos][0] == "{" and _differential_fraction(p, p.pos):
        tree = _derivative_fraction(p, token)
    else:
        above = tex_argument(p)
        below = tex_argument(p)
        tree = divided(p, above, below, token[2], p.tokens[p.pos - 1][3])
    p.depth -= 1
    return tree


def tex_argument(p: Reader) -> Tree:
    """What TeX takes as one argument: a group in braces, a digit, a letter or a symbol."""
    token = p.tokens[p.pos]
    kind, value, start, end = token
    p.pos += 1
    if kind == "{":
        tree = p.value()
        p.expect("}", token)
        return tree
    if kind == NUM and end - start > 1 and p.source[start:end].isdigit():
        p.tokens[p.pos - 1] = (NUM, int(p.source[start + 1 : end]), start + 1, end)
        p.pos -= 1
        return Tree("num", (), int(p.source[start]), start, start + 1)
    if kind in (NUM, WORD, "const", "ONE"):
        return p.prefix[kind](p, token, POSTFIX + 1)
    if kind == NAME:
        return Tree("const", (), "pi", start, end) if value == "pi" else Tree("name", (), value, start, end)
    p.pos -= 1
    p.unexpected(token, "an argument in braces")


def _mark(p: Reader, place: int) -> bool:
    """Whether a differential mark stands at `place`: ∂, or an upright or plain d before something."""
    kind, value, _, _ = p.tokens[place]
    if kind == "partial":
        return True
    following = p.tokens[place + 1][0] if place + 1 < len(p.tokens) else END
    return kind in (NAME, WORD) and value == "d" and following not in ("_", "'", "(")


def _differential_fraction(p: Reader, place: int) -> bool:
    below = p.partner(place) + 1
    return _mark(p, place + 1) and below < len(p.tokens) - 1 and p.tokens[below][0] == "{" and _mark(p, below + 1)


def _derivative_fraction(p: Reader, token: Token) -> Tree:
    opened = p.tokens[p.pos]
    p.pos += 2
    order = _order(p)
    function_tree = None if p.tokens[p.pos][0] == "}" else p.expression(0)
    p.expect("}", opened)
    opened = p.tokens[p.pos]
    p.pos += 1
    variables: list[Tree] = []
    total = 0
    while p.tokens[p.pos][0] != "}":
        if not _mark(p, p.pos):
            p.unexpected(p.tokens[p.pos], "a differential")
        p.pos += 1
        total += _variable(p, variables)
    p.expect("}", opened)
    if function_tree is None:
        return _operator(p, token, order, variables, total)
    return _derivative(p, token, function_tree, order, variables, total)


def _order(p: Reader) -> object:
    """The order written above the mark, 1 if there is none."""
    if p.tokens[p.pos][0] != "^":
        return 1
    p.pos += 1
    power = scripts.exponent(p)
    return power.value if power.head == "num" else power


def _variable(p: Reader, variables: list[Tree]) -> int:
    """One variable of differentiation with the order above it."""
    token = p.tokens[p.pos]
    if token[0] not in (NAME, WORD, "("):
        p.unexpected(token, "a variable")
    tree = p.expression(POSTFIX)
    if tree.head == "pow" and tree.args[1].head == "num" and isinstance(tree.args[1].value, int):
        tree, order = tree.args[0], tree.args[1].value
    else:
        order = 1
    if tree.head not in ("name", "index", "transpose"):
        p.fail("a derivative is taken by a variable", tree, "TYPE")
    variables.append(tree)
    return order


def _below_variables(p: Reader, token: Token) -> tuple[list[Tree], int]:
    """The variables of `/dx`, `/dx dy` in text, where `dx` is one word."""
    variables: list[Tree] = []
    total = 0
    while _is_differential(p.tokens[p.pos]):
        kind, value, start, end = p.tokens[p.pos]
        p.tokens[p.pos] = (NAME, names.word(p.source[start + 1 : end]), start + 1, end)
        total += _variable(p, variables)
    return variables, total


def _operator(p: Reader, token: Token, order: object, variables: list[Tree], total: int) -> Tree:
    """`d/dx` before the function."""
    if p.tokens[p.pos][0] not in OPERAND_START:
        p.unexpected(p.tokens[p.pos], "the function to differentiate")
    return _derivative(p, token, p.expression(JUXTAPOSED), order, variables, total)


def _derivative(p: Reader, token: Token, of: Tree, order: object, variables: list[Tree], total: int) -> Tree:
    if not variables:
        p.fail("the variable of this derivative is missing", token)
    if not isinstance(order, int) or order < 1 or order != total:
        p.fail(f"a derivative of order {order if isinstance(order, int) else '?'} by {total} variables", token)
    return Tree("derivative", (of, *variables), order, token[2], p.tokens[p.pos - 1][3])


def partial(p: Reader, token: Token, floor: int) -> Tree:
    """`∂f/∂x`, `∂^2 f/∂x∂y`, `∂/∂x f`."""
    p.deeper(token)
    order = _order(p)
    of = None if p.tokens[p.pos][0] == "/" else p.expression(POSTFIX)
    p.expect("/")
    variables: list[Tree] = []
    total = 0
    while p.tokens[p.pos][0] == "partial":
        p.pos += 1
        total += _variable(p, variables)
    if not variables:
        p.unexpected(p.tokens[p.pos], "∂ and a variable")
    tree = (
        _operator(p, token, order, variables, total)
        if of is None
        else _derivative(p, token, of, order, variables, total)
    )
    p.depth -= 1
    return tree


def gradient(p: Reader, token: Token, floor: int) -> Tree:
    r"""`\nabla_W f`, `\nabla f`, `\nabla_x^2 f`."""
    p.deeper(token)
    variables: list[Tree] = []
    order = 1
    while p.tokens[p.pos][0] in ("_", "^"):
        p.pos += 1
        if p.tokens[p.pos - 1][0] == "^":
            power = scripts.exponent(p)
            if not isinstance(power.value, int) or power.value < 1:
                p.fail("the order of a derivative is a positive integer", power)
            order = power.value
        else:
            variables.append(_gradient_variable(p))
    if p.tokens[p.pos][0] not in OPERAND_START:
        p.unexpected(p.tokens[p.pos], "the function to differentiate")
    of = p.expression(ARGUMENT)
    p.depth -= 1
    return Tree("derivative", (of, *variables[:1]), order, token[2], of.end)


def _gradient_variable(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    p.pos += 1
    if token[0] == "{":
        tree = p.expression(0)
        p.expect("}", token)
        return tree
    if token[0] in (NAME, WORD):
        return Tree("name", (), token[1], token[2], token[3])
    p.pos -= 1
    p.unexpected(token, "the variable of the gradient")


def root(p: Reader, token: Token, floor: int) -> Tree:
    r"""`\sqrt{x}`, `\sqrt[3]{x}`, `√x`."""
    p.deeper(token)
    degree: Tree | None = None
    if p.source[token[2]] == "\\":
        if p.tokens[p.pos][0] == "[":
            opened = p.tokens[p.pos]
            p.pos += 1
            degree = p.expression(0)
            p.expect("]", opened)
        argument = tex_argument(p)
    else:
        argument = p.expression(ARGUMENT)
    p.depth -= 1
    end = p.tokens[p.pos - 1][3]
    if degree is None:
        return Tree("call", (argument,), "sqrt", token[2], end)
    if is_number(degree, 0):
        p.fail("there is no zeroth root", degree, "DOMAIN", kind=DomainError)
    upper = divided(p, Tree("num", (), 1, degree.start, degree.start), degree, degree.start, degree.end)
    return Tree("pow", (argument, upper), "", token[2], end)


def integral(p: Reader, token: Token, floor: int) -> Tree:
    p.fail("integrals are not read: an integral would need its differential", p.tokens[-1])


def ellipsis(p: Reader, token: Token, floor: int) -> Tree:
    p.fail("an ellipsis leaves out what a computer must know", token, hint="write the sum with its index: \\sum_{i=1}^n x_i^2")


def underscore(p: Reader, token: Token, floor: int) -> Tree:
    p.fail("a name starts with a letter", token, "NAME", kind=NameProblem)


def unknown_operator(p: Reader, token: Token, floor: int) -> Tree:
    unknown(p, token, token[1])
    raise AssertionError


# environments


def environment(p: Reader, token: Token, floor: int) -> Tree:
    p.deeper(token)
    rows: list[list[Tree]] = [[]]
    cases = "cases" in token[1]
    while True:
        if p.tokens[p.pos][0] == "END" and not rows[-1] and len(rows) > 1:
            rows.pop()
            break
        rows[-1].append(_cell(p, cases and len(rows[-1]) == 1))
        kind = p.tokens[p.pos][0]
        if kind == "\\\\":
            rows.append([])
        elif kind != "&":
            break
        p.pos += 1
    closing = p.expect("END", token)
    p.depth -= 1
    if cases:
        return _latex_cases(p, rows, token, closing)
    tree = matrix(p, rows, token, closing, len(rows[0]) == 1)
    heads = {"vmatrix": "bars", "Vmatrix": "norm"}
    if token[1] in heads:
        return Tree(heads[token[1]], (tree,), "" if token[1] == "Vmatrix" else None, token[2], closing[3])
    return tree


def _cell(p: Reader, condition: bool) -> Tree:
    if not condition:
        tree = p.value()
        if p.tokens[p.pos][0] == "," and p.tokens[p.pos + 1][0] in ("&", "\\\\", "END"):
            p.pos += 1
        return tree
    token = p.tokens[p.pos]
    if token[0] == "otherwise":
        p.pos += 1
        return Tree("otherwise", (), None, token[2], token[3])
    p.pos += token[0] == "if"
    found = p.condition()
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        if p.tokens[p.pos][0] in ("\\\\", "END"):
            break
        other = p.condition()
        found = Tree("and", (*_parts(found), *_parts(other)), None, found.start, other.end)
    return found


def _latex_cases(p: Reader, rows: list[list[Tree]], first: Token, last: Token) -> Tree:
    for row in rows:
        if len(row) != 2:
            p.fail("each case needs a value and a condition", row[0], hint="as in x & x > 0 \\\\ 0 & \\text{otherwise}")
    return Tree("cases", tuple(tree for row in rows for tree in row), None, first[2], last[3])


__all__ = ["FACTOR", "Tree", "bracketed"]
