"""One Pratt parser over the tokens of both lexers.

Contract: `parse_tree(source)` gives a `Parsed` whose `tree` is made of the heads of `symgrad.notation.syntax`, or
raises an `InputError` that knows its place; no other exception escapes.  What a name means, its shape, and whether
`x_2` is an entry or a name is left to `symgrad.notation.elaborate`.  A call carries the first text spelling of its
operation (`ln` is ``log``, `maximum` is ``max``).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from symgrad.errors import InputError, LimitError
from symgrad.notation import brackets, calls, evaluations, heads, latex, quotients, restricted, sums, text
from symgrad.notation.bars import OPENERS, OPERAND_START, resolve
from symgrad.notation.claims import PLACEHOLDER
from symgrad.notation.cursor import (
    ADD,
    FACTOR,
    JUXTAPOSED,
    PADDING,
    POSTFIX,
    POWER,
    PRODUCT,
    RELATIONS,
    Infix,
    Prefix,
    Reader,
    bracketed,
    too_long,
)  # fmt: skip
from symgrad.notation.leftsides import SEPARATORS, settled
from symgrad.notation.names import GREEK, parts, subscripted, to_text
from symgrad.notation.scripts import check_transposed, index_item, scripts
from symgrad.notation.series import series
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import (
    END,
    ENTRY,
    ERROR,
    FUNC,
    MAX_GLANCE,
    MAX_LENGTH,
    NAME,
    NEWLINE,
    NEXT,
    NUM,
    ONE,
    OPERAND_END,
    WORD,
    Lexed,
    Token,
    Vocabulary,
    vocabulary,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """A source as it was read: the tree, `"text"` or `"latex"`, `"math"` or `"numpy"`, the fonts of the names, and what
    the reader took upon itself.
    """

    tree: Tree
    syntax: str
    dialect: str
    fonts: dict[str, set[str]]
    source: str
    notes: tuple[str, ...] = ()


def parse_tree(
    source: str,
    *,
    syntax: str = "auto",
    functions: Mapping[str, str] | Collection[str] | None = None,
    names: Collection[str] = (),
) -> Parsed:
    """Read one source; `functions` may be called besides the known ones, `names` are variables in any case."""
    words = vocabulary() if functions is None and not names else vocabulary().with_(functions or (), names)
    try:
        return _parse(source, syntax, words)
    except RecursionError:
        raise LimitError("nested too deeply", source=source, code="LIMIT_DEPTH") from None
    except InputError as error:
        raise error.located(source) from None


def _parse(source: str, syntax: str, words: Vocabulary) -> Parsed:
    if len(source) > MAX_GLANCE:
        raise too_long(source)
    truncated = len(source) > MAX_LENGTH
    if syntax == "auto":
        syntax = "latex" if "\\" in source or "$" in source else "text"
    lexed = (latex if syntax == "latex" else text).lex(source, words, MAX_LENGTH if truncated else None)
    kinds = {token[0] for token in lexed.tokens}
    tokens = _prepared(source, lexed, kinds, syntax == "latex", words.names)
    reader = Reader(source, tokens, words, syntax == "latex", truncated)
    numpy = lexed.numpy or ("*" in kinds and syntax == "text" and _stars_only(tokens))
    reader.prefix, reader.infix = PREFIX, INFIX_NUMPY if numpy else INFIX
    reader.defined = words.added
    if "=" in kinds:
        _define(reader)
    tree, dialect = _document(reader), "numpy" if numpy else "math"
    return Parsed(tree, syntax, dialect, lexed.fonts, source, (*lexed.notes, *reader.notes))


def _prepared(
    source: str, lexed: Lexed, kinds: AbstractSet[str], is_latex: bool, declared: Collection[str]
) -> list[Token]:
    """The tokens with line ends settled, the end put behind them, and the bars paired; `kinds` are what occurs."""
    tokens = lexed.tokens
    if is_latex and "\\mathcal" in source:
        tokens = _densities(tokens, source)
    if is_latex and ("=" in kinds or "<(" in kinds):
        tokens = heads.settled(tokens)
    if "=" in kinds:
        tokens = settled(tokens)
    if is_latex and "^" in kinds:
        tokens = _signs_above(tokens)
    if any(name.endswith("prime") or name.startswith("Delta") for name in declared):
        tokens = _together(tokens, declared)
    if is_latex and ":" in kinds:
        tokens = _colons(tokens)
    if "'" in kinds:
        tokens = _primed(tokens, {parts(name)[0] for name in declared})
    if NEWLINE in kinds:
        tokens = _joined(tokens, is_latex, lexed.numpy)
    if tokens and tokens[0][:2] in OBJECTIVES:
        tokens = _objective(tokens, lexed.notes)
    if "=" in kinds or "rel" in kinds:
        tokens = restricted.marked(tokens)
    end = tokens[-1][3] if tokens else 0
    tokens += [(END, None, end, end + 1)] * PADDING
    return _paired(source, tokens, kinds, is_latex)


def _paired(source: str, tokens: list[Token], kinds: AbstractSet[str], is_latex: bool) -> list[Token]:
    """The tokens with their bars told apart: evaluations, absolute values, norms."""
    bars = "=" in kinds and "_" in kinds and ("|" in kinds or ")|" in kinds)
    if bars or (is_latex and "\\left." in source):
        tokens = evaluations.marked(source, tokens)
    if "|" not in kinds and "||" not in kinds:
        return tokens
    try:
        return _entered(resolve(source, tokens))
    except InputError as error:
        # an unreadable token before the bars is the better complaint
        last = tokens[-PADDING - 1]
        if last[0] == ERROR and last[2] < error.offset:
            raise last[1] from None
        raise


def _together(tokens: list[Token], declared: Collection[str]) -> list[Token]:
    r"""The tokens with x' and \Delta u one name each, where such names are declared."""
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else (END, None, 0, 0)
        whole = f"{before[1]}{'prime' if token[0] == chr(39) else token[1]}"
        joins = before[0] == NAME and (token[0] == "'" or (token[0] == NAME and before[1] == "Delta"))
        if joins and whole in declared:
            found[-1] = (NAME, whole, before[2], token[3])
        else:
            found.append(token)
    return found


#: A colon between matrices, and not between the ends of a slice.
COLON = "colon"


def _colons(tokens: list[Token]) -> list[Token]:
    r"""The tokens with the colons of `A : B` told from those below a name and between square brackets."""
    found: list[Token] = []
    opened: list[str] = []
    for k, token in enumerate(tokens):
        kind = token[0]
        if kind in OPENERS:
            opened.append("_" if kind == "{" and k and tokens[k - 1][0] == "_" else kind)
        elif kind in CLOSING and opened:
            opened.pop()
        plain = not {"_", "[", ENTRY} & set(opened)
        found.append((COLON, *token[1:]) if kind == ":" and plain else token)
    return found


def _entered(tokens: list[Token]) -> list[Token]:
    """The tokens with the bracket of `|x|[0]`, which holds an index, as one."""
    closing = (")|", ")||")
    pairs = zip(tokens[:1] + tokens, tokens, strict=False)
    return [(ENTRY, *t[1:]) if t[0] == "[" and b[0] in closing and b[3] == t[2] else t for b, t in pairs]


def _densities(tokens: list[Token], source: str) -> list[Token]:
    r"""The tokens with `\mathcal{N}(x | \mu, \Sigma)` a function of three arguments."""
    found = list(tokens)
    for k, (kind, value, start, end) in enumerate(tokens[:-1]):
        if (kind, value) != (NAME, "N") or not source.startswith("\\mathcal", start) or tokens[k + 1][0] != "(":
            continue
        depth, bars = 0, []
        for j in range(k + 1, len(tokens)):
            depth += (tokens[j][0] in OPENERS) - (tokens[j][0] in CLOSING)
            if depth == 1 and tokens[j][0] in ("|", ";"):
                bars.append(j)
            if depth == 0:
                break
        if len(bars) == 1:
            found[k] = (FUNC, "gaussian", start, end)
            found[bars[0]] = (",", None, *tokens[bars[0]][2:])
    return found


OBJECTIVES = frozenset(((FUNC, "min"), (FUNC, "max")))
MAX_OBJECTIVES = 3


def _objective(tokens: list[Token], notes: list[str]) -> list[Token]:
    r"""The objective of `\min_w f(w)`: what stands below is a variable of the function and no index."""
    for _ in range(MAX_OBJECTIVES):
        if len(tokens) < 4 or tokens[0][:2] not in OBJECTIVES or tokens[1][0] != "_":
            break
        closing = "}" if tokens[2][0] == "{" else ""
        end = next((k for k in range(2, len(tokens)) if tokens[k][0] == closing or not closing), len(tokens))
        below = [str(token[1]) for token in tokens[2 : end + 1] if token[0] == NAME]
        if not below or not _plain(tokens[end + 1 :]).issuperset(below):
            break
        what = f"the {tokens[0][1]}imum over {', '.join(below)}"
        notes.append(f"{what} is not taken: the objective is the function")
        tokens = tokens[end + 1 :]
    return tokens


def _plain(tokens: list[Token]) -> set[object]:
    """The names that stand anywhere but below another name."""
    found: set[object] = set()
    k = 0
    while k < len(tokens):
        if tokens[k][0] == "_":
            closing = "}" if k + 1 < len(tokens) and tokens[k + 1][0] == "{" else ""
            k = next((j for j in range(k + 1, len(tokens)) if tokens[j][0] == closing or not closing), len(tokens))
        elif tokens[k][0] == NAME:
            found.add(tokens[k][1])
        k += 1
    return found


def _signs_above(tokens: list[Token]) -> list[Token]:
    r"""The tokens with `X^+` and the `x^-` of `(x^-)` in braces, as TeX sets them; `x^-1` stays."""
    kept: list[Token] = []
    for before, token, after in zip([tokens[0], *tokens], tokens, [*tokens[1:], tokens[-1]], strict=False):
        alone = token[0] == "+" or (token[0] == "-" and after[0] not in (NUM, NAME, WORD, "TOP", "(", "FRAC"))
        if before[0] == "^" and token is not tokens[0] and alone:
            _, _, start, end = token
            kept += [("{", None, start, start), token, ("}", None, end, end)]
        else:
            kept.append(token)
    return kept


def _primed(tokens: list[Token], stems: Collection[str]) -> list[Token]:
    r"""The tokens with k' one name wherever a sum runs over k', and s' one where it is declared."""
    runs = zip(tokens, tokens[1:], tokens[2:], tokens[3:], tokens[4:], strict=False)
    found = {
        letter[1] for sign, below, opened, letter, prime in runs
        if sign[0] in ("BIG", "FUNC") and (below[0], opened[0], letter[0], prime[0]) == ("_", "{", NAME, "'")
    }  # fmt: skip
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else token
        known = before[1] in found or f"{before[1]}prime" in stems
        if token[0] == "'" and before[0] == NAME and known and before[3] == token[2]:
            kept[-1] = (NAME, f"{kept[-1][1]}prime", kept[-1][2], token[3])
        else:
            kept.append(token)
    return kept


def _joined(tokens: list[Token], is_latex: bool, numpy: bool) -> list[Token]:
    """Without the line ends that end nothing: inside brackets, after and before an operator.

    In code a line that begins with a minus is a line of its own.
    """
    kept: list[Token] = []
    depth = 0
    starts = STARTS_LINE | {"-"} if numpy else STARTS_LINE
    for k, token in enumerate(tokens):
        kind = token[0]
        if kind in OPENERS or kind == "BEGIN":
            depth += 1
        elif kind in CLOSING:
            depth -= 1
        elif kind == NEWLINE:
            before = kept[-1][0] if kept else ""
            after = tokens[k + 1][0] if k + 1 < len(tokens) else END
            if depth > 0 or (before not in OPERAND_END and before not in BARS) or after not in starts:
                continue
            if is_latex and not _defines(tokens, k + 1):
                continue
        kept.append(token)
    return kept


CLOSING = frozenset([")", "]", "}", "\\}", ")>", ")|", ")||", ")floor", "END"])
BARS = frozenset(("|", "||", "FUNC"))
STARTS_LINE = OPERAND_START | {"|", "||", "partial", "nabla", ERROR}


def _stars_only(tokens: list[Token]) -> bool:
    """Whether `*` is used and no product is written by juxtaposition or sign of mathematics: then it is NumPy's."""
    star = False
    bounds = _bounds(tokens)
    for k, (kind, *_) in enumerate(tokens):
        if _is_transposed(tokens, k) or (kind in MATHEMATICAL and not (kind == "^" and k - 1 in bounds)):
            return False
    for k, (before, after) in enumerate(itertools.pairwise(tokens)):
        star = star or (after[0] == "*" and before[0] != "_")
        if k in bounds:
            continue
        if after[0] in OPERAND_START and before[0] in OPERAND_END and not _joins(before, after):
            return False
    return star


#: What NumPy has no sign for: beside it `*` is the product of matrices, as on paper and in MATLAB.
MATHEMATICAL = frozenset(("^", ".^", "odot", "./", "||", "||(", "TOP"))


def _is_transposed(tokens: list[Token], k: int) -> bool:
    """Whether a token is the mark of `x'`, and no quote of `'fro'`."""
    return k > 0 and tokens[k][0] == "'" and tokens[k - 1][0] in OPERAND_END and tokens[k - 1][3] == tokens[k][2]


def _bounds(tokens: list[Token]) -> set[int]:
    """Where what stands below and above a sum ends: its body follows, no factor."""
    ends: set[int] = set()
    for k, token in enumerate(tokens):
        if token[0] != "BIG":
            continue
        k += 1
        while k + 1 < len(tokens) and tokens[k][0] in ("_", "^"):
            opened = k + 1
            depth = 0
            for k in range(opened, len(tokens)):
                depth += (tokens[k][0] in OPENERS) - (tokens[k][0] in CLOSING)
                if depth == 0:
                    break
            ends.add(k)
            k += 1
    return ends


def _joins(before: Token, after: Token) -> bool:
    """Whether two operands side by side are one: an index in brackets, a call, a number and its indicator."""
    return (
        (before[0] in ("'", "TOP") and after[0] == "(")
        or (before[0] == NUM and after[0] == "[" and after[2] == before[3])
        or (after[0] == "(" and ((before[0] == NAME and len(str(before[1])) > 1) or before[0] == ONE))
    )


# what the source defines


def _define(p: Reader) -> None:
    """Find the left sides: `g(z) =` defines a function, `R =` a name; what may be called besides is defined too."""
    functions, names_ = set(p.defined), set[str]()
    for k, token in enumerate(p.tokens):
        if token[0] != "=" or k == 0:
            continue
        before = p.tokens[k - 1]
        if before[0] in (NAME, WORD) and (k == 1 or p.tokens[k - 2][0] in SEPARATORS):
            (functions if _aliases(p, k + 1) else names_).add(before[1])
        elif before[0] == ")":
            start = _opening(p.tokens, k - 1)
            if start == 1 or (start > 1 and p.tokens[start - 2][0] in SEPARATORS):
                if p.tokens[start - 1][0] in (NAME, WORD):
                    functions.add(p.tokens[start - 1][1])
            elif start > 2:
                functions |= _indexed_function(p.tokens, start - 1)
        else:
            base = _indexed_base(p.tokens, k - 1)
            if base is not None:
                names_.add(base)
    p.defined, p.applied = frozenset(functions), frozenset(names_)
    for token in p.tokens if names_ else ():
        if token[0] == FUNC and p.source[token[2] : token[3]].lstrip("\\") in names_:
            p.fail("the name that is defined, or the function?", token, "AMBIGUOUS", "give it another name")


def _indexed_function(tokens: list[Token], place: int) -> set[str]:
    r"""The function L in `L_i(x) =`, h_theta in `h_\theta(x) =`, E_D in `E_D(w) =`, or D_KL in `D_{KL}(p, q) =`."""
    base = _indexed_base(tokens, place)
    if base is None:
        return set()
    below = tokens[_opening(tokens, place) + 1 : place] if tokens[place][0] == "}" else tokens[place : place + 1]
    script = "".join(str(token[1]) for token in below if token[0] in (NAME, WORD))
    return {f"{base}_{script}"} if script in GREEK or len(script) > 1 or script.isupper() else {str(base)}


def _aliases(p: Reader, place: int) -> bool:
    r"""Whether the right side is nothing but a function's name, as in g = \sigma."""
    kind, value, _, _ = p.tokens[place]
    known = kind == FUNC or (kind == NAME and value in p.vocabulary.functions and value not in p.vocabulary.names)
    return known and place + 1 < len(p.tokens) and p.tokens[place + 1][0] in calls.ENDS


def _opening(tokens: list[Token], place: int) -> int:
    """Where the bracket closed at `place` opens; 0 if it is too far away to be a list of arguments."""
    depth = 0
    for k in range(place, max(-1, place - 80), -1):
        kind = tokens[k][0]
        depth += (kind in CLOSING) - (kind in OPENERS)
        if depth == 0:
            return k
    return 0


def _indexed_base(tokens: list[Token], place: int) -> str | None:
    """The name L in `L_i =` or `y_{nk} =`."""
    if tokens[place][0] == "}":
        place = _opening(tokens, place)
    if place < 2 or tokens[place - 1][0] != "_" or tokens[place - 2][0] != NAME:
        return None
    first = place == 2 or tokens[place - 3][0] in SEPARATORS
    return str(tokens[place - 2][1]) if first else None


def _defines(tokens: list[Token], place: int) -> bool:
    """Whether a new formula `name =`, `f(x) =`, `L_i =`, `x ∈` begins here."""
    if place >= len(tokens) or tokens[place][0] not in LEFT_SIDES:
        return False
    depth = 0
    for k, token in enumerate(tokens[place : place + 60], place):
        kind = token[0]
        if kind == "*" and tokens[k - 1][0] == "^":  # k^* = ...
            continue
        depth += (kind in OPENERS) - (kind in CLOSING)
        if depth == 0 and kind in ("=", "IN"):
            return True
        if depth < 0 or (depth == 0 and kind in BETWEEN):
            return False
    return False


LEFT_SIDES = frozenset((NAME, WORD, FUNC, "nabla", "partial", "FRAC", "(", "["))
BETWEEN = frozenset((",", ";", "+", "-", "*", ".", "@", "odot", END, ERROR, NEWLINE, "\\\\", "rel"))


# formulas


def _document(p: Reader) -> Tree:
    r"""Formulas separated by `;`, line ends, `\\`, or a comma before a definition."""
    found: list[Tree] = []
    plain: Tree | None = None
    last = p.tokens[0]
    if p.tokens[0][0] == END and not p.truncated:
        raise InputError("there is nothing to read", source=p.source, offset=0, code="EMPTY")
    while True:
        formula = _formula(p)
        separator = p.tokens[p.pos]
        if formula.head not in ("equation", "declare", "restricted"):
            if plain is not None:
                p.fail("two formulas where one is wanted", _second(last, formula), hint="name the first one: q = ...")
            plain = formula
        found.append(formula)
        last = separator
        if not _separates(p, restricted.is_restricted(formula)):
            break
    if p.latex and p.tokens[p.pos][0] in (",", ";") and p.tokens[p.pos + 1][0] == END:
        p.pos += 1  # the comma behind a formula in a sentence
    if p.tokens[p.pos][0] != END or p.truncated:
        p.unexpected(p.tokens[p.pos], "an operator or the end")
    found = restricted.joined(found, p.source)
    found += [one for one in p.named if _is_used(one.args[0], found)]
    if len(found) == 1:
        return found[0]
    return Tree("block", tuple(found), None, found[0].start, found[-1].end)


def _is_used(name: Tree, found: list[Tree]) -> bool:
    """Whether a name below a brace occurs anywhere else; spelled names, as W_1, are one tree here."""
    return any(tree == name for formula in found for tree in formula.walk())


def _second(separator: Token, formula: Tree) -> Token | Tree:
    return formula if separator[0] == NEWLINE else separator


def _separates(p: Reader, complete: bool) -> bool:
    """Step over what separates two formulas; False at the end, or where none begins behind one not `complete`."""
    kind = p.tokens[p.pos][0]
    if kind in (",", "where"):
        place = p.pos + 1
        while p.tokens[place][0] in ("where", ",", "\\\\"):
            place += 1
        if not (_defines(p.tokens, place) or (complete and p.tokens[place][0] != END)):
            return False
        p.pos = place
        return True
    if kind not in (";", NEWLINE, "\\\\"):
        return False
    while p.tokens[p.pos][0] in (";", NEWLINE, "\\\\", ","):
        p.pos += 1
    return p.tokens[p.pos][0] != END


def _formula(p: Reader) -> Tree:
    """An expression, an equation `left = right = ...`, or a declaration `x ∈ R^n`."""
    left = p.value()
    token = p.tokens[p.pos]
    if token[0] == "=":
        return _equation(p, left)
    if token[0] == "IN":
        return _declaration(p, left, token)
    if token[0] in RELATIONS:
        p.fail("a comparison where an expression is wanted", token, hint="write an indicator as 1[x > 0]")
    return left


def _equation(p: Reader, left: Tree) -> Tree:
    sides, kind = [left], p.tokens[p.pos][1]
    while p.tokens[p.pos][0] == "=":
        sign = p.tokens[p.pos]
        p.pos += 1
        if p.tokens[p.pos][0] in (END, ";", NEWLINE, "\\\\") and not p.truncated:
            p.fail("the right side is missing", sign)
        sides.append(p.value())
        if sign[1] == NEXT and sides[-1].head == "num":
            p.fail("this only gives a name a value: an expression is wanted", sign)
    return Tree("equation", tuple(sides), kind, left.start, sides[-1].end)


def _declaration(p: Reader, left: Tree, token: Token) -> Tree:
    r"""`W ∈ R^{m×n}`, `x \in \mathbb{R}^n`."""
    if left.head not in ("name", "index"):
        p.fail("only a name can be declared", left)
    p.pos += 1
    field = p.tokens[p.pos]
    if field[0] != NAME or field[1] != "R":
        p.unexpected(field, "R with its dimensions", "as in W ∈ R^{m×n}")
    p.pos += 1
    dimensions: list[str] = []
    if p.tokens[p.pos][0] == "^":
        p.pos += 1
        opened = p.tokens[p.pos]
        closing = {"{": "}", "(": ")"}.get(opened[0], "")
        p.pos += bool(closing)
        dimensions.append(_dimension(p))
        while closing and p.tokens[p.pos][0] in ("x", "*", ",", NAME) and p.tokens[p.pos][1] in (None, "x"):
            p.pos += 1
            dimensions.append(_dimension(p))
        if closing:
            p.expect(closing, opened)
    return Tree("declare", (left,), tuple(dimensions), left.start, p.tokens[p.pos - 1][3])


def _dimension(p: Reader) -> str:
    token = p.tokens[p.pos]
    if token[0] not in (NAME, NUM, WORD):
        p.unexpected(token, "a dimension")
    p.pos += 1
    return str(token[1])


# infix operators


def _add(p: Reader, left: Tree, token: Token) -> Tree:
    """A sum of any length, without recursion over its terms."""
    sign = 1
    if left.head == "neg" and p.source[left.start] in "-−":
        sign, first = -1, left.args[0]
    elif left.head == "num" and p.source[left.start] in "-−":
        sign, first = -1, Tree("num", (), -left.value, left.start + 1, left.end)  # type: ignore[operator]
    else:
        first = left
    signs, terms, tokens = [sign], [first], p.tokens
    while True:
        kind = tokens[p.pos][0]
        if kind != "+" and kind != "-":
            break
        p.pos += 1
        if tokens[p.pos][0] == "dots":
            terms = [series(p, terms, signs)]
            signs = [1]
            continue
        signs.append(1 if kind == "+" else -1)
        terms.append(p.expression(ADD + 1))
    if len(terms) == 1:
        return terms[0]
    return Tree("add", tuple(terms), tuple(signs), left.start, terms[-1].end)


def _juxtapose(p: Reader, left: Tree, token: Token) -> Tree:
    """Factors side by side."""
    factors = list(left.args) if left.head == "mul" and left.value == "" and not bracketed(left) else [left]
    tokens = p.tokens
    while True:
        token = tokens[p.pos]
        if token[0] not in OPERAND_START:
            break
        indicates = token[1] == 1 and tokens[p.pos + 1][0] in OPENERS and p.compares(p.pos + 1)
        if token[0] == NUM and not indicates and not _spaced(p, factors[-1].end, token[2]):
            p.fail("two factors side by side, the second a number", token, hint="write * between them")
        factors.append(p.expression(FACTOR))
    return Tree("mul", tuple(factors), "", left.start, factors[-1].end)


def _spaced(p: Reader, before: int, after: int) -> bool:
    r"""Whether a space is written between two factors, as in `h^T \, 2(y - t)`."""
    return p.latex and any(space in p.source[before:after] for space in ("\\,", "\\;", "\\:", "\\ "))


def _product(kind: str) -> Infix:
    """A product with its sign written; equal signs in a row make one product."""

    def read(p: Reader, left: Tree, token: Token) -> Tree:
        p.pos += 1
        right = p.expression(PRODUCT + 1)
        factors = (*_factors(left, kind), *_factors(right, kind)) if kind == "" else (*_factors(left, kind), right)
        return Tree("mul", factors, kind, left.start, right.end)

    return read


def _contracted(p: Reader, left: Tree, token: Token) -> Tree:
    """`A : B`, the sum of all products of entries."""
    p.pos += 1
    right = p.expression(PRODUCT + 1)
    return Tree("inner", (left, right), ":", left.start, right.end)


def _factors(tree: Tree, kind: str) -> tuple[Tree, ...]:
    return tree.args if tree.head == "mul" and tree.value == kind and not bracketed(tree) else (tree,)


def _kronecker(p: Reader, left: Tree, token: Token) -> Tree:
    p.pos += 1
    right = p.expression(PRODUCT + 1)
    return Tree("call", (left, right), "kron", left.start, right.end)


def _quotient(kind: str, floor: int) -> Infix:
    def read(p: Reader, left: Tree, token: Token) -> Tree:
        p.pos += 1
        right = p.expression(floor)
        following = p.tokens[p.pos]
        if not kind and quotients.reaches(p, left, right, token):
            p.fail(
                "is this factor below the line or behind it?", following, "AMBIGUOUS",
                f"write {p.source[left.start : right.end]} * ... or put brackets around what is below",
            )  # fmt: skip
        return quotients.divided(p, left, right, left.start, right.end, kind)

    return read


def _prime(p: Reader, left: Tree, token: Token) -> Tree:
    if token[0] == "'" and left.head == "transpose" and p.source[left.end - 1] in "'′" and not bracketed(left):
        hint = "write f''(x) for a derivative, and nothing for a transpose of a transpose"
        p.fail("two primes: a second derivative, or a transpose twice?", token, "AMBIGUOUS", hint)
    check_transposed(p, left, token)
    p.pos += 1
    return Tree("transpose", (left,), None, left.start, token[3])


def _placeholder(p: Reader, token: Token, _floor: int) -> Tree:
    r"""The dot of `\mathbf{1}[\cdot > 0]`, for what a claim leaves out; a dot anywhere else is a product."""
    if p.tokens[p.pos][0] not in RELATIONS or not p.depth:
        p.unexpected(token, "an expression")
    return Tree("name", (), PLACEHOLDER, token[2], token[3])


def _scripted(p: Reader, left: Tree, token: Token) -> Tree:
    """Scripts, and the arguments of a function that carries them."""
    tree = scripts(p, left)
    following = p.tokens[p.pos][0]
    if following == "(" and tree.head in ("index", "name"):
        return _scripted_call(p, tree, token)
    return tree


def _scripted_call(p: Reader, tree: Tree, token: Token) -> Tree:
    r"""`h_\theta(x)` and `L_i(x_i, y_i, W)`; a label such as `\lambda_{\max}(A)` makes an unknown function."""
    base = tree.args[0] if tree.head == "index" else tree
    value = str(base.value) if base.head == "name" else ""
    named = tree.head == "name" and value not in p.vocabulary.names and value not in p.defined
    if named and value in p.vocabulary.functions:
        return calls.call(p, (NAME, value, base.start, tree.end), p.vocabulary.functions[value])
    if tree.head == "name" and value not in p.vocabulary.names and value.rpartition("_")[2] in ("max", "min"):
        calls.unknown(p, token, value)
    if tree.head == "index" and is_declared(p, tree):
        return tree
    label = _parameter(tree)
    if label in p.defined:
        return calls.call(p, (NAME, label, base.start, tree.end), label)
    if value in p.vocabulary.names or not value or (value == "delta" and len(tree.args) == 3):
        return tree
    if tree.head == "index" and _is_eigenvalue(p, tree, value):
        call = calls.call(p, (NAME, "eigvals", base.start, tree.end), "eigvals")
        return Tree("index", (call, *tree.args[1:]), None, tree.start, call.end)
    if label in p.vocabulary.functions:
        return calls.call(p, (NAME, label, base.start, tree.end), label)
    plain = calls.lists_variables(p, p.pos) and ("," in p.inside(p.pos) or value in p.applied)
    if value in p.defined or value in p.vocabulary.functions or (tree.head == "index" and plain):
        call = calls.call(p, (NAME, value, base.start, base.end), value)
        return Tree("index", (call, *tree.args[1:]), None, tree.start, call.end) if tree.head == "index" else call
    stem = parts(value)[0]
    word = tree.head == "name" and len(stem) > 1 and to_text(stem) == stem
    if tree.head == "index" and _applies(p, tree):
        calls.unknown(p, (NAME, value, tree.start, tree.end), value)
    if "," in p.inside(p.pos) or word:
        calls.unknown(p, (NAME, value, tree.start, tree.end), value)
    return tree


def is_declared(p: Reader, tree: Tree) -> bool:
    """Whether N_0 is declared as a name of its own."""
    base, *below = tree.args
    plain = base.head == "name" and len(below) == 1 and below[0].head in ("name", "num")
    return plain and subscripted(str(base.value), str(below[0].value)) in p.vocabulary.names


def _applies(p: Reader, tree: Tree) -> bool:
    r"""Whether a bracket behind an index holds an argument: `\phi_i(x)` is no product, `W_Q(X W_K)` is one."""
    inner = p.tokens[p.pos + 1 : p.partner(p.pos)]
    indexed = all(s.head == "name" and str(s.value).islower() for s in tree.args[1:])
    one = len(inner) == 1 or (len(inner) == 3 and inner[1][0] == "_")
    return indexed and one and inner[0][0] == NAME and p.tokens[p.pos][2] == tree.end


def _is_eigenvalue(p: Reader, tree: Tree, value: str) -> bool:
    r"""`\lambda_i(X)` below a sum over i is an eigenvalue of X, where X is a capital letter."""
    inner = p.tokens[p.pos + 1 : p.partner(p.pos)]
    alone = len(inner) == 1 and inner[0][0] == NAME and inner[0][1][:1].isupper()
    return value == "lam" and alone and len(tree.args) == 2 and tree.args[1].value in p.bound


def _parameter(tree: Tree) -> str:
    r"""The name of the function `h_\theta` or `E_D`: a Greek letter or a capital below is a parameter, not an index."""
    if tree.head != "index" or len(tree.args) != 2 or tree.args[1].head != "name":
        return ""
    letter = str(tree.args[1].value)
    return f"{tree.args[0].value}_{letter}" if letter in GREEK or letter[:1].isupper() else ""


def _power(p: Reader, left: Tree, token: Token) -> Tree:
    """`**` and `.^`: entry by entry, right associative."""
    p.deeper(token)
    p.pos += 1
    right = p.expression(POWER)
    p.depth -= 1
    return Tree("pow", (left, right), "odot", left.start, right.end)


def _factorial(p: Reader, left: Tree, token: Token) -> Tree:
    p.pos += 1
    if p.tokens[p.pos][0] == "!":
        p.fail("a double factorial is not read", p.tokens[p.pos])
    return Tree("call", (left,), "factorial", left.start, token[3])


def _entry(p: Reader, left: Tree, token: Token) -> Tree:
    """`x[i, j]` without a space is an entry, with a space a product."""
    if left.head == "name" and left.value == "E" and "E" not in p.vocabulary.names and "E" not in p.applied:
        p.fail(
            "an expectation, or an entry of E?", token, "AMBIGUOUS", "write an average; or declare E to take entries"
        )
    p.deeper(token)
    p.pos += 1
    found = [index_item(p, True)]
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        found.append(index_item(p, True))
    closing = p.expect("]", token)
    p.depth -= 1
    if left.head == "call" and left.value == "slogdet":
        if len(found) > 1 or found[0].head != "num" or found[0].value != 1:
            p.fail("of slogdet(X) only the logarithm is read", token, hint="write slogdet(X)[1]")
        return Tree("call", left.args, "logdet", left.start, closing[3])
    return Tree("index", (left, *found), None, left.start, closing[3])


def _method(p: Reader, left: Tree, token: Token) -> Tree:
    """`x.dot(y)`, `x.sum(axis=1)`."""
    p.pos += 1
    if p.tokens[p.pos][0] != "(":
        p.unexpected(p.tokens[p.pos], "(")
    if p.tokens[p.pos + 1][0] == ")":
        p.pos += 2
        return Tree("call", (left,), _canonical(p, token[1]), left.start, p.tokens[p.pos - 1][3])
    args, last = calls.arguments(p, token)
    if token[1] == "dot":
        if len(args) != 1:
            p.fail("dot takes one argument", token, "ARITY")
        return Tree("mul", (*_factors(left, "@"), args[0]), "@", left.start, last[3])
    return Tree("call", (left, *args), _canonical(p, token[1]), left.start, last[3])


def _shape(p: Reader, left: Tree, token: Token) -> Tree:
    """`X.shape[0]`, a size."""
    p.pos += 1
    opened = p.tokens[p.pos]
    if opened[0] not in ("[", ENTRY):
        p.unexpected(opened, "[ and an axis, as in X.shape[0]")
    p.pos += 1
    axis = p.expression(0)
    closing = p.expect("]", opened)
    if axis.head != "num" or not isinstance(axis.value, int):
        p.fail("the axis of a shape is a whole number", axis)
    return Tree("call", (left, axis), "shape", left.start, closing[3])


def _canonical(p: Reader, method: str) -> str:
    return p.vocabulary.functions.get(method, method)


# prefix operators


def _minus(p: Reader, token: Token, floor: int) -> Tree:
    """A run of signs, without recursion; a negative number is a number."""
    signs = [token]
    while p.tokens[p.pos][0] in ("-", "+"):
        signs.append(p.tokens[p.pos])
        p.pos += 1
    tree = p.expression(max(floor, PRODUCT))
    minuses = [sign for sign in signs if sign[0] == "-"]
    if p.depth + len(minuses) > 100:
        p.too_deep(token)
    for sign in reversed(minuses):
        if tree.head == "num":
            tree = Tree("num", (), -tree.value, sign[2], tree.end)  # type: ignore[operator]
        else:
            tree = Tree("neg", (tree,), None, sign[2], tree.end)
    return tree


PREFIX: dict[str, Prefix] = {
    NUM: brackets.number, NAME: calls.name, WORD: calls.name, FUNC: calls.function, ONE: brackets.one,
    "const": calls.constant,
    "UNKNOWN": calls.unknown_operator,
    "(": brackets.group, "{": brackets.group, "\\{": brackets.group, "[": brackets.square,
    "|(": brackets.absolute, "||(": brackets.norm, "<": brackets.angles, "<(": brackets.angles,
    "floor(": brackets.floored,
    "-": _minus, "+": _minus, "BIG": sums.big, "FRAC": quotients.fraction, "SQRT": quotients.root,
    "BEGIN": brackets.environment, "BRACE": brackets.braced,
    "partial": quotients.partial, "nabla": quotients.gradient, "INT": quotients.integral, "dots": quotients.ellipsis,
    ".": _placeholder,
    "_": calls.underscore,
}  # fmt: skip

_JUXTAPOSED: dict[str, tuple[int, Infix]] = dict.fromkeys(OPERAND_START, (JUXTAPOSED, _juxtapose))
INFIX: dict[str, tuple[int, Infix]] = _JUXTAPOSED | {
    "+": (ADD, _add), "-": (ADD, _add), "*": (PRODUCT, _product("")), "x": (PRODUCT, _product("")),
    COLON: (PRODUCT, _contracted),
    ".": (PRODUCT, _product(".")), "@": (PRODUCT, _product("@")), "odot": (PRODUCT, _product("odot")),
    "star": (PRODUCT, _product("star")), "kron": (PRODUCT, _kronecker), "/": (JUXTAPOSED, _quotient("", FACTOR)),
    "./": (PRODUCT, _quotient("odot", PRODUCT + 1)), "'": (POSTFIX, _prime), "TOP": (POSTFIX, _prime),
    "_": (POSTFIX, _scripted), "^": (POSTFIX, _scripted), "**": (POWER, _power), ".^": (POWER, _power),
    "!": (POSTFIX, _factorial), ENTRY: (POSTFIX, _entry), "METHOD": (POSTFIX, _method),
    "SHAPE": (POSTFIX, _shape),
    "dots": (JUXTAPOSED, _juxtapose), evaluations.AT: (ADD - 5, evaluations.at),
    "UNKNOWN": (JUXTAPOSED, _juxtapose),
}  # fmt: skip
INFIX_NUMPY: dict[str, tuple[int, Infix]] = INFIX | {
    "*": (PRODUCT, _product("star")), "/": (PRODUCT, _quotient("", FACTOR)),
}  # fmt: skip
