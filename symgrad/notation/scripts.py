r"""Subscripts and superscripts: entries, labels, transposes, powers and numbered names.

Contract: `scripts` reads every `_` and `^` behind a base in the order TeX allows and gives one tree.  What is above
in brackets belongs to the name (`a^{(2)}`) or picks an example (`x^{(i)}`), then come entries (`W_{ij}`), then
transposes and powers.  `^T`, `^\top`, `^{-1}` and `^{-T}` are known here and nowhere else.
"""

from __future__ import annotations

import itertools
import re

from symgrad.errors import InputError
from symgrad.notation import names
from symgrad.notation.cursor import POSTFIX, Reader, bracketed
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import END, NAME, NUM, WORD, Token

#: A bracket, however large it is set.
_OPENED = re.compile(r"(?:\\(?:left|[bB]igg?l?)\s*)?(?:[(\[]|\\\{)")
#: What a + above a bracket makes: the positive part of a number, the pseudo-inverse of a matrix.
PLUS = "plus above"
#: Letters that stand for an index when they are written side by side.
INDEX_LETTERS = frozenset("ijklmnpqrst") | {"c"}
MAX_INDICES = 4
#: Words that papers write above a name without saying that they are words.
SUPERSCRIPTS = frozenset((
    "old", "new", "ref", "in", "out", "enc", "dec", "src", "tgt", "pos", "neg", "true", "pred", "obs", "prev", "next",
))  # fmt: skip
#: What a star below a name makes of it: k_*, of a test point.
STARS = {"*": "star", "**": "starstar"}
#: Index letters that are a word all the same.
LABELS = frozenset((
    "in", "it", "is", "min", "tr", "sim", "link", "tip", "top", "tot", "cls", "int", "pt", "ln", "mil", "list", "test",
    "init",
))  # fmt: skip


def scripts(p: Reader, base: Tree) -> Tree:
    """The base with all its scripts."""
    below: list[Tree] | None = None
    done: list[tuple[str, Tree | None]] = []  # transposes and powers in order
    example: Tree | None = None
    while p.tokens[p.pos][0] in ("_", "^"):
        token = p.tokens[p.pos]
        p.deeper(token)
        p.pos += 1
        if token[0] == "_" and p.signed(p.pos) and _is_closed(p, base):
            base = _positive_part(p, base)
        elif token[0] == "^" and (signed := _signed_name(p, base, below)) is not None:
            base, below = signed, None
            _sign(p)
        elif token[0] == "_":
            if below is not None or (base.head == "index" and not bracketed(base)):
                p.fail("a second subscript", token, hint="write several indices as W_{i,j}")
            base, below = _below(p, base, token)
        else:
            base, example = _above(p, base, token, done, example)
        p.depth -= 1
    end = p.tokens[p.pos - 1][3]
    return _assembled(base, below, example, done, end)


def _signed_name(p: Reader, base: Tree, below: list[Tree] | None) -> Tree | None:
    r"""The name P_k^- where it is declared, of a base with a sign above at the cursor."""
    alone = p.signed(p.pos) or (p.latex and p.tokens[p.pos][0] == "-")
    if (
        not alone
        or base.head != "name"
        or len(below or ()) > 1
        or any(s.head not in ("name", "num") for s in below or ())
    ):
        return None
    sign = p.tokens[p.pos + (p.tokens[p.pos][0] == "{")][0]
    name = str(base.value)
    for subscript in below or ():
        name = names.subscripted(name, str(subscript.value))
    whole = names.superscripted(name, str(sign))
    return Tree("name", (), whole, base.start, p.tokens[p.pos][3]) if whole in p.vocabulary.names else None


def _is_closed(p: Reader, base: Tree) -> bool:
    """Whether brackets stand around the base."""
    return _OPENED.match(p.source, base.start) is not None and p.source[base.end - 1 : base.end] in (")", "]", "}")


def _sign(p: Reader) -> str:
    braced = p.tokens[p.pos][0] == "{"
    p.pos += braced
    sign = p.tokens[p.pos][0]
    p.pos += 1 + braced
    return str(sign)


def _positive_part(p: Reader, base: Tree) -> Tree:
    """`[z]_+` is max(0, z)."""
    token = p.tokens[p.pos]
    if _sign(p) != "+":
        p.fail("the negative part: with or without its sign?", token, "AMBIGUOUS", "write max(0, -z) or min(0, z)")
    zero = Tree("num", (), 0, base.start, base.start)
    return Tree("call", (zero, base), "max", base.start, p.tokens[p.pos - 1][3])


def _assembled(
    base: Tree, below: list[Tree] | None, example: Tree | None, done: list[tuple[str, Tree | None]], end: int
) -> Tree:
    indices = ([example] if example is not None else []) + (below or [])
    if indices and len(below or []) > 1 and done and done[0][0] == "transpose before":
        base, done = Tree("transpose", (base,), None, base.start, end), done[1:]
    if indices:
        inner, outer = (base.args[0], base.args[1:]) if example is not None and _indexed(base) else (base, ())
        base = Tree("index", (inner, *indices, *outer), None, base.start, end)
    for kind, exponent in done:
        if exponent is None:
            base = Tree("transpose", (base,), None, base.start, end)
        else:
            base = Tree("pow", (base, exponent), "odot" if kind == "odot" else "", base.start, end)
    return base


def _indexed(base: Tree) -> bool:
    return base.head == "index" and not bracketed(base)


# below


def _below(p: Reader, base: Tree, token: Token) -> tuple[Tree, list[Tree] | None]:
    """Labels go into the name, indices are kept."""
    if base.head == "num":
        p.fail("a number has no subscript", token)
    begin = p.pos
    label, indices = (names.SIGNS[_sign(p)], []) if p.signed(p.pos) else subscripts(p)
    pair = base.value == "delta" and label is not None and len(label) == 2 and label.isalpha() and label.islower()
    pair = pair or _of_capital(p, base, label)
    if label is not None and (_declared_letters(p, base, label) or (pair and _is_free(p, base, label))):
        inner = [t for t in p.tokens[begin : p.pos] if t[0] == NAME]
        start = inner[0][2]
        return base, [Tree("name", (), letter, start + k, start + k + 1) for k, letter in enumerate(label)]
    if label is None:
        return base, indices
    if base.head != "name":
        p.fail(f"the label {label!r} can only stand on a name", token)
    return Tree(
        "name", (), named(p, names.subscripted(str(base.value), label), token), base.start, p.tokens[p.pos - 1][3]
    ), None


def _declared_letters(p: Reader, base: Tree, label: str) -> bool:
    """Whether the letters of the label ab of T_ab are all declared, and T, but not T_ab."""
    known = p.vocabulary.names
    whole = names.subscripted(str(base.value), label)
    return (
        len(label) == 2 and label.isalpha() and base.value in known and known.issuperset(label) and whole not in known
    )


def _of_capital(p: Reader, base: Tree, label: str | None) -> bool:
    """Whether two letters stand below a declared matrix, or its small letter: W_dc is an entry of W, v_if one of V."""
    stem, known = str(base.value), p.vocabulary.names
    small = len(stem) == 1 and stem.islower() and stem not in known and stem.upper() in known
    large = len(stem) == 1 and stem.isupper() and stem in known and label is not None and known.isdisjoint(label)
    pair = label is not None and len(set(label)) == len(label) == 2 and label.isalpha() and label.islower()
    return (small or large) and pair and label not in LABELS


def _is_free(p: Reader, base: Tree, label: str) -> bool:
    r"""Whether no name is declared as `\delta_{in}`: it is an entry of the identity then."""
    return p.latex and names.subscripted(str(base.value), label) not in p.vocabulary.names


def named(p: Reader, name: str, token: Token) -> str:
    if len(name) > names.MAX_NAME:
        p.fail(f"a name may have {names.MAX_NAME} characters", token, "LIMIT_NAME")
    return name


def subscripts(p: Reader) -> tuple[str | None, list[Tree]]:
    """What stands behind `_`: (label, []) or (None, indices)."""
    token = p.tokens[p.pos]
    kind, value, start, end = token
    p.pos += 1
    if kind == "{" and p.latex and p.tokens[p.pos][0] in STARS and p.tokens[p.pos + 1][0] == "}":
        p.pos += 2
        return STARS[p.tokens[p.pos - 2][0]], []
    if kind == "{":
        return _braced(p, token)
    if kind == "*" and p.latex:
        return STARS[kind], []
    if kind == NAME:
        return read_letters(p, str(value), p.source[start:end], token)
    if kind == NUM:
        if p.latex and end - start > 1:
            p.fail("only the first digit would stand below", token, "AMBIGUOUS", f"write _{{{p.source[start:end]}}}")
        return None, [Tree("num", (), value, start, end)]
    if kind in (WORD, "FUNC", "UNKNOWN"):
        return _function_word(p, token) if kind == "FUNC" else str(value), []
    p.pos -= 1
    return p.unexpected(token, "a subscript")


def read_letters(p: Reader, value: str, raw: str, token: Token) -> tuple[str | None, list[Tree]]:
    """Letters below a name: one index each, or a label."""
    if len(raw) == 1 or raw[0] == "\\" or not raw.isascii() or value in names.GREEK:
        return None, [Tree("name", (), value, token[2], token[3])]
    if not raw.isalpha():
        stem, digits = raw.rstrip("0123456789"), raw[len(raw.rstrip("0123456789")) :]
        if len(stem) == 1 and digits:
            parts = (
                Tree("name", (), stem, token[2], token[2] + 1),
                Tree("num", (), int(digits), token[2] + 1, token[3]),
            )
            return None, [Tree("index", parts, None, token[2], token[3])]
        return raw, []
    if _is_indices(p, raw):
        return None, [Tree("name", (), letter, token[2] + k, token[2] + k + 1) for k, letter in enumerate(raw)]
    return raw, []


def _is_indices(p: Reader, raw: str) -> bool:
    """Whether letters side by side are one index each: `ij` always, `jf` where j or f is summed over, `train` never."""
    if len(raw) > MAX_INDICES:
        return False
    bound = [letter in p.bound for letter in raw]
    if all(bound) or (len(raw) == 2 and any(bound)):
        return True
    return raw not in LABELS and all(letter in INDEX_LETTERS for letter in raw)


def _braced(p: Reader, opened: Token) -> tuple[str | None, list[Tree]]:
    stop, tokens = p.partner(p.pos - 1), p.tokens
    inner = tokens[p.pos : stop]
    if inner and all(t[0] == NAME for t in inner) and tokens[stop][0] == "}":
        start, end = inner[0][2], inner[-1][3]
        raw = p.source[start:end]
        if raw.isascii() and raw.isalpha() and (len(inner) > 1 or len(raw) > 1):
            p.pos = stop + 1
            return read_letters(p, raw, raw, (NAME, raw, start, end))
    whole = _whole_axis(inner)
    if whole and tokens[stop][0] == "}":
        p.pos = stop + 1
        return None, whole
    if len(inner) == 1 and inner[0][0] in (WORD, "FUNC", "UNKNOWN"):
        p.pos = stop
        p.expect("}", opened)
        return _function_word(p, inner[0]) if inner[0][0] == "FUNC" else str(inner[0][1]), []
    found = [*_spread(_short(p, index_item(p)))]
    while p.tokens[p.pos][0] in (",", ";"):
        p.pos += 1
        found += _spread(index_item(p))
    p.expect("}", opened)
    return None, found


def _short(p: Reader, tree: Tree) -> Tree:
    """`j:` or `:k` alone between braces: perhaps the row j, or the column k."""
    heads = [part.head for part in tree.args] if tree.head == "part" and p.tokens[p.pos][0] == "}" else []
    if heads in (["name", "slice", "slice"], ["slice", "name", "slice"]):
        return Tree("part", tree.args, "short", tree.start, tree.end)
    return tree


def _whole_axis(inner: list[Token]) -> list[Tree]:
    r"""`j\cdot`, `\cdot, k`, `*k` below a name: a row or a column; nothing for everything else."""
    items = [token for token in inner if token[0] != ","]
    if len(items) != 2 or {items[0][0], items[1][0]} not in ({NAME, "."}, {NAME, "*"}):
        return []
    return [
        Tree("name" if kind == NAME else "slice", (), value if kind == NAME else None, start, end)
        for kind, value, start, end in items
    ]


def _function_word(p: Reader, token: Token) -> str:
    raw = p.source[token[2] : token[3]]
    return raw.partition("{")[2].rstrip("}") if "{" in raw else raw.lstrip("\\")


def index_item(p: Reader, code: bool = False) -> Tree:
    """One index: an expression, `:` for a whole axis, `a:b` for a part of it (counted as in code or not), or None."""
    token = p.tokens[p.pos]
    if token[0] in (NAME, WORD) and token[1] == "None":
        p.pos += 1
        return Tree("newaxis", (), None, token[2], token[3])
    tree = Tree("slice", (), None, token[2], token[2]) if token[0] == ":" else p.expression(0)
    if tree.head == "const" and tree.value == "e":
        tree = Tree("name", (), "e", tree.start, tree.end)
    if p.tokens[p.pos][0] != ":":
        return tree
    parts = [tree]
    while p.tokens[p.pos][0] == ":" and len(parts) < 3:
        place = p.tokens[p.pos]
        p.pos += 1
        stop = p.tokens[p.pos][0] in ("]", "}", ",", ";", ":")
        parts.append(Tree("slice", (), None, place[3], place[3]) if stop else p.expression(0))
    end = p.tokens[p.pos - 1][3]
    if all(part.head == "slice" for part in parts):
        return Tree("slice", (), None, token[2], end)
    parts += [Tree("slice", (), None, end, end)] * (3 - len(parts))
    return Tree("part", tuple(parts), code or any(part.head == "slice" for part in parts[:2]), token[2], end)


def _spread(tree: Tree) -> list[Tree]:
    """`i y_i` below a name are two indices; `2 k` is one."""
    if (
        tree.head == "mul"
        and tree.value == ""
        and not bracketed(tree)
        and all(a.head in ("name", "index") for a in tree.args)
    ):
        return list(tree.args)
    return [tree]


# above


def _above(
    p: Reader, base: Tree, token: Token, done: list[tuple[str, Tree | None]], example: Tree | None
) -> tuple[Tree, Tree | None]:
    following = p.tokens[p.pos]
    if p.signed(p.pos) and _is_closed(p, base) and p.latex:
        plus = Tree("call", (base,), PLUS, base.start, following[3])
        if _sign(p) == "+":
            return plus, example
        p.pos -= 1 if p.tokens[p.pos - 1][0] != "}" else 3
    if p.signed(p.pos):
        return _pseudo_inverse(p, base, following), example
    named_above = following[0] == "-" and p.tokens[p.pos + 1][0] == NAME and not _transposes(p, base, p.pos + 1)
    if p.latex and (following[0] == "+" or named_above):
        p.fail("only the sign would stand above", following, "AMBIGUOUS", "write A^{+} b, or x^{2}")
    if following[0] == "{":
        special = _braced_above(p, base, following, done)
        if special is not None:
            if special[1] is not None and example is not None:
                p.fail("a second superscript in brackets", following)
            return special[0], special[1] or example
    elif _transposes(p, base, p.pos):
        check_transposed(p, base, following)
        p.pos += 1
        done.append(("transpose before" if p.tokens[p.pos][0] == "_" else "transpose", None))
        return base, example
    elif following[0] == "*" and base.head in ("name", "index"):
        p.pos += 1
        return _relabelled(p, base, "^*", following), example
    elif following[0] == "dagger":
        p.pos += 1
        return _pseudoinverse(base, following), example
    elif following[0] == "-" and _transposes(p, base, p.pos + 1):
        p.pos += 2
        done += [("", Tree("num", (), -1, following[2], following[3])), ("", None)]
        return base, example
    _check_word(p, following)
    label = _word_above(p, base, [following])
    if label:
        p.pos += 1
        return _relabelled(p, base, f"^({label})", following), example
    if p.latex and any(kind in ("", "odot") and e is not None for kind, e in done):
        p.fail("a second superscript", token, hint="write {x^2}^3 or x^{2^3}")
    done.append(("", _power(p, base, following)))
    return base, example


def _power(p: Reader, base: Tree, token: Token) -> Tree:
    if token[1] == "T" and "T" not in p.vocabulary.names:
        check_transposed(p, base, token)
    return exponent(p)


def check_transposed(p: Reader, base: Tree, token: Token) -> None:
    """A 1 with a transpose is meant as the vector of ones, and no other number has one."""
    if base.head == "num":
        hint = "write \\mathbf{1}^T x or sum(x) for a vector of ones; declare T to make it an exponent"
        p.fail("a number has no transpose", token, "AMBIGUOUS", hint)


def _pseudo_inverse(p: Reader, base: Tree, token: Token) -> Tree:
    """`A^+` of a capital letter is the pseudo-inverse; of anything else it could be the positive part as well.

    Where the name is declared with its sign, it is that name.
    """
    stem = base.args[0] if base.head == "index" else base
    sign = p.tokens[p.pos + (p.tokens[p.pos][0] == "{")][0]
    if f"{stem.value}^{sign}" in p.vocabulary.names:
        _sign(p)
        return _relabelled(p, base, f"^{sign}", token)
    if _sign(p) != "+" or base.head != "name" or not str(base.value)[:1].isupper():
        hint = "write [z]_+ or max(0, z) for the positive part, pinv(A) for the pseudo-inverse, x_+ for a name"
        p.fail("a sign above: a part, a pseudo-inverse, or a name?", token, "AMBIGUOUS", hint)
    return Tree("call", (base,), "pinv", base.start, p.tokens[p.pos - 1][3])


def _transposes(p: Reader, base: Tree, place: int) -> bool:
    kind, value, start, _ = p.tokens[place]
    if kind == "TOP" or kind == "'":
        return True
    upright = kind == WORD or p.source.startswith("\\math", start)
    if upright and value == "H" and "H" not in p.vocabulary.names:  # the transpose of a real matrix
        return base.head != "num"
    return kind in (NAME, WORD) and value == "T" and base.head != "num"


def _check_word(p: Reader, token: Token) -> None:
    """`x^TA x` in text: a transpose, or a power by the name TA?  `x^H A x`: a transpose, or a power by H?"""
    unknown = "H" not in p.vocabulary.names | p.applied and p.vocabulary.names
    if p.latex and token[:2] == (NAME, "H") and unknown:
        p.fail("a transpose or a power by a name?", token, "AMBIGUOUS", "write ^{\\mathrm{H}} or ^T, or declare H")
    raw = p.source[token[2] : token[3]]
    glued = token[0] == NAME and not p.latex and len(raw) > 1 and raw[0] == "T" and raw.isascii()
    if glued and token[1] not in p.vocabulary.names:
        p.fail("a transpose or a power by a name?", token, "AMBIGUOUS", f"write ^T {raw[1:]}")


def _braced_above(
    p: Reader, base: Tree, opened: Token, done: list[tuple[str, Tree | None]]
) -> tuple[Tree, Tree | None] | None:
    r"""`^{T}`, `^{-T}`, `^{(2)}`, `^{(i)}`, `^{*}`, `^{\odot 2}`; None for an ordinary exponent."""
    place, stop = p.pos + 1, p.partner(p.pos)
    if p.tokens[stop][0] != "}":
        return None
    kinds = [t[0] for t in p.tokens[place : stop + 1]]
    first = kinds[0]
    if _transposes(p, base, place) and len(kinds) == 2:
        check_transposed(p, base, p.tokens[place])
        p.pos = stop + 1
        done.append(("transpose before" if p.tokens[p.pos][0] == "_" else "transpose", None))
        return base, None
    if len(kinds) == 2 and base.head == "num" and p.tokens[place][1] == "T" and "T" not in p.vocabulary.names:
        check_transposed(p, base, p.tokens[place])
    if first == "-" and len(kinds) == 3 and _transposes(p, base, place + 1):
        done += [("", Tree("num", (), -1, p.tokens[place][2], p.tokens[place + 1][2])), ("", None)]
        p.pos = stop + 1
        return base, None
    if first == "*" and len(kinds) == 2 and base.head in ("name", "index"):
        p.pos = stop + 1
        return _relabelled(p, base, "^*", opened), None
    if first in ("+", "-", "dagger") and len(kinds) == 2:
        p.pos = stop + 1
        matrix = first == "dagger" or (first == "+" and str(base.value or "A")[:1].isupper())
        return _pseudoinverse(base, opened) if matrix else _relabelled(p, base, f"^{first}", opened), None
    label = _word_above(p, base, p.tokens[place:stop])
    if label:
        p.pos = stop + 1
        return _relabelled(p, base, f"^({label})", opened), None
    if first == "odot" and len(kinds) > 2:
        p.pos = place + 1
        done.append(("odot", p.expression(0)))
        p.expect("}", opened)
        return base, None
    if first in ("(", "[") and base.head in ("name", "index", "call"):
        closing = p.partner(place)
        if closing in (stop - 1, stop - 2) or (closing < stop and p.tokens[closing + 1][0] in ("(", "[")):
            return _numbered(p, base, place, stop, done)
    return None


def _word_above(p: Reader, base: Tree, inner: list[Token]) -> str:
    r"""The label old of `\theta^{\text{old}}`, or Q of `W^Q`: a word, or a capital that is used as nothing else."""
    if base.head not in ("name", "index") or not inner:
        return ""
    if not all(t[0] in (NAME, WORD) for t in inner):
        return _declared_above(p, base, inner)
    word = "".join(str(t[1]) for t in inner)
    glued = all(a[3] == b[2] for a, b in itertools.pairwise(inner))
    if len(inner) == 1 and inner[0][0] == WORD:
        return "" if word in p.vocabulary.names or len(word) == 1 else word
    stem = base.args[0] if base.head == "index" else base
    known = f"{stem.value}^({word})" in p.vocabulary.names
    if known or (len(word) > 1 and word in SUPERSCRIPTS and glued and p.latex):
        return word
    capital = len(word) == 1 and word.isupper() and word not in p.vocabulary.names
    return word if capital and p.latex and word in _capitals_above(p, str(stem.value)) else ""


def _declared_above(p: Reader, base: Tree, inner: list[Token]) -> str:
    """The label L-1 or 2 of a name that is declared with it."""
    stem = base.args[0] if base.head == "index" else base
    label = "".join(p.source[t[2] : t[3]] for t in inner)
    return label if f"{stem.value}^({label})" in p.vocabulary.names else ""


def _capitals_above(p: Reader, stem: str) -> set[str]:
    """The capitals above a name that is not declared, if there are several: W^Q and W^K are no powers of W."""
    if stem in p.vocabulary.names or not stem[:1].isupper():
        return set()
    found = set()
    for k, token in enumerate(p.tokens[:-2]):
        if token[:2] == (NAME, stem) and p.tokens[k + 1][0] == "^":
            above = p.tokens[k + 2 + (p.tokens[k + 2][0] == "{")]
            found |= {str(above[1])} if above[0] == NAME and str(above[1]).isupper() and above[1] != "T" else set()
    return found if len(found) > 1 else set()


def _numbered(
    p: Reader, base: Tree, place: int, stop: int, done: list[tuple[str, Tree | None]]
) -> tuple[Tree, Tree | None] | None:
    """A superscript in brackets: part of the name if it is a number, else the index of an example."""
    closing = p.partner(place)
    rest = p.tokens[closing + 1 : stop]
    if rest and not _transposes(p, base, closing + 1):
        return _numbered_twice(p, base, place, stop, done)
    inner = p.tokens[place + 1 : closing]
    if len(inner) == 1 and inner[0][0] == NUM:
        base, example = _relabelled(p, base, f"^({inner[0][1]})", p.tokens[place]), None
        p.pos = stop
    else:
        p.pos = place + 1
        example = p.expression(0)
        p.expect(p.tokens[closing][0], p.tokens[place])
        p.pos += len(rest)
    p.expect("}")
    if rest:
        done.append(("transpose", None))
    return base, example


def _numbered_twice(
    p: Reader, base: Tree, place: int, stop: int, done: list[tuple[str, Tree | None]]
) -> tuple[Tree, Tree | None] | None:
    r"""`a^{[2](i)}` is example i of layer 2, `W^{[l]2}` the square of W^{[l]}; None for everything else."""
    closing = p.partner(place)
    rest = p.tokens[closing + 1 : stop]
    power = len(rest) == 1 and rest[0][0] == NUM
    again = rest[0][0] in ("(", "[") and p.partner(closing + 1) == stop - 1
    inner = p.tokens[place + 1 : closing]
    number = len(inner) == 1 and inner[0][0] == NUM
    if not power and not (again and number):
        return None
    example = None
    if number:
        base = _relabelled(p, base, f"^({inner[0][1]})", p.tokens[place])
        p.pos = closing + 1
    else:
        p.pos = place + 1
        example = p.expression(0)
        p.expect(p.tokens[closing][0], p.tokens[place])
    if power:
        done.append(("", Tree("num", (), rest[0][1], rest[0][2], rest[0][3])))
        p.pos += 1
    else:
        p.pos += 1
        example = p.expression(0)
        p.pos += 1
    p.expect("}")
    return base, example


def _pseudoinverse(base: Tree, token: Token) -> Tree:
    r"""`X^{+}` of a capital and `X^\dagger`."""
    return Tree("call", (base,), "pinv", base.start, token[3])


def _relabelled(p: Reader, base: Tree, suffix: str, token: Token) -> Tree:
    """The name, or the name that is indexed, with a superscript of its own."""
    if base.head == "index":
        return Tree("index", (_relabelled(p, base.args[0], suffix, token), *base.args[1:]), None, base.start, base.end)
    if base.head != "name":
        p.fail("only a name can be numbered like this", token)
    return Tree("name", (), named(p, str(base.value) + suffix, token), base.start, base.end)


def exponent(p: Reader) -> Tree:
    """What stands above, as an ordinary exponent; in text `^` is right associative."""
    token = p.tokens[p.pos]
    if token[0] == "-" and not p.latex and p.tokens[p.pos + 1][0] != END:
        p.pos += 1
        p.deeper(token)
        inner = exponent(p)
        p.depth -= 1
        if inner.head == "num":
            return Tree("num", (), -inner.value, token[2], inner.end)  # type: ignore[operator]
        return Tree("neg", (inner,), None, token[2], inner.end)
    p.deeper(token)
    tree = _exponent_operand(p, token)
    following = p.tokens[p.pos]
    if following[0] == "^" and not p.latex and tree.head != "transpose":
        p.pos += 1
        if _transposes(p, tree, p.pos):
            p.fail("a power or a transpose of the exponent?", following, "AMBIGUOUS", "use brackets")
        upper = exponent(p)
        tree = Tree("pow", (tree, upper), "", tree.start, upper.end)
    p.depth -= 1
    return tree


def _exponent_operand(p: Reader, token: Token) -> Tree:
    kind, value, start, end = token
    p.pos += 1
    if kind == "{":
        tree = p.expression(0)
        p.expect("}", token)
        return tree
    if kind == NUM:
        if p.latex and end - start > 1:
            p.fail("only the first digit would stand above", token, "AMBIGUOUS", f"write ^{{{p.source[start:end]}}}")
        return Tree("num", (), value, start, end)
    if kind == NAME:
        following = p.tokens[p.pos]
        if not p.latex and following[0] == "_" and following[2] == end:
            p.fail("does the subscript belong to the exponent?", following, "AMBIGUOUS", "write p^{y_i} or p_i^y")
        if value in ("pi", "e") and value not in p.vocabulary.names and value not in p.applied:
            return Tree("const", (), value, start, end)
        return Tree("name", (), value, start, end)
    if kind in ("-", "+"):
        operand = _exponent_operand(p, p.tokens[p.pos])
        if kind == "+":
            return operand
        if operand.head == "num" and isinstance(operand.value, int):
            return Tree("num", (), -operand.value, start, operand.end)
        return Tree("neg", (operand,), None, start, operand.end)
    p.pos -= 1
    if kind == END or p.prefix.get(kind) is None:
        p.unexpected(token, "an exponent")
    return p.expression(POSTFIX + 1)


__all__ = ["InputError", "exponent", "index_item", "read_letters", "scripts", "subscripts"]
