"""The surface tree as Unicode text and as LaTeX, with as few brackets as the grammar allows.

Contract: `parse_tree(to_text(t)).tree == t` and `parse_tree(to_latex(t)).tree == t` for every tree the parser makes,
up to `normal` (which says what two spellings share one print).  Each head has one printer in each of two tables; a
printed piece knows how tightly it binds, whether it ends in an open sum, and whether it ends in a name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from symgrad.errors import InputError
from symgrad.notation import names, text
from symgrad.notation.bars import resolve
from symgrad.notation.calls import FUNCTION_LETTERS
from symgrad.notation.cursor import ADD, FACTOR, JUXTAPOSED, POSTFIX, PRODUCT
from symgrad.notation.syntax import ENTRYWISE, T, Tree, fold
from symgrad.notation.tokens import END, NEXT, vocabulary
from symgrad.ops import OPERATIONS

LOOSE, ATOM = 0, 200


class Piece(NamedTuple):
    """A printed subtree: its binding power; `open` if a sum at its end would swallow what follows; `name` if a bracket
    behind it would be read as its argument.
    """

    text: str
    level: int = ATOM
    open: bool = False
    name: bool = False


class Style(NamedTuple):
    """What the printers of one tree need to know of the whole of it."""

    numpy: bool
    safe: bool
    defined: frozenset[str]


Printer = Callable[[Tree, list[Piece], Style], Piece]


def to_text(tree: Tree) -> str:
    """The tree as Unicode text."""
    return _printed(tree, TEXT, _ambiguous_text)


def to_latex(tree: Tree) -> str:
    """The tree as LaTeX that KaTeX and MathJax accept."""
    return _printed(tree, LATEX, lambda shown: False)


def _printed(tree: Tree, table: Mapping[str, Printer], ambiguous: Callable[[str], bool]) -> str:
    bars = sum(node.head in ("norm", "bars") for node in tree.walk())
    style = style_of(tree)
    shown = _fold(tree, table, style)
    if bars > 1 and ambiguous(shown):
        shown = _fold(tree, table, style._replace(safe=True))
    return shown


def style_of(tree: Tree) -> Style:
    """How the tree as a whole is printed."""
    kinds = {(node.head, node.value) for node in tree.walk() if node.head in ("mul", "pow")}
    numpy = not kinds.isdisjoint(_NUMPY) or (("pow", "odot") in kinds and not any(head == "mul" for head, _ in kinds))
    return Style(numpy, False, _defined(tree))


_NUMPY = (("mul", "@"), ("mul", "star"))


def _fold(tree: Tree, table: Mapping[str, Printer], style: Style) -> str:
    return fold(tree, lambda node, args: table[node.head](node, args, style)).text


def _defined(tree: Tree) -> frozenset[str]:
    """The names that a source defines: a bracket behind one of them is read as its argument."""
    sides = [side for node in tree.walk() if node.head == "equation" for side in node.args[:-1]]
    found = (side.args[0] if side.head == "index" else side for side in sides)
    return frozenset(str(side.value) for side in found if side.head in ("name", "call"))


def _ambiguous_text(shown: str) -> bool:
    """Whether the bars of a text can be paired in more than one way."""
    tokens = text.lex(shown, vocabulary()).tokens
    try:
        resolve(shown, [*tokens, (END, None, len(shown), len(shown))])
    except InputError:
        return True
    return False


def normal(tree: Tree) -> Tree:
    """The tree without the differences that one print shares: `W1` and `W_1`, `-(2)` and `-2`, 2/4 and 1/2."""
    return fold(tree, _normal)


def _normal(node: Tree, args: list[Tree]) -> Tree:
    head, value = node.head, node.value
    if head == "index" and len(args) == 2 and args[0].head == "name" and args[1].head in ("num", "name"):
        return Tree("name", (), f"{args[0].value}_{args[1].value}")
    if head == "assemble" and len(args) == 1 and args[0].head in ("name", "call", "mul", "transpose"):
        used = {part.value for part in args[0].walk() if part.head == "name"}
        if used and used.isdisjoint(value):  # type: ignore[arg-type]
            return Tree("index", (*args, *(Tree("name", (), letter) for letter in value)))  # type: ignore[attr-defined]
    if head == "neg" and args[0].head == "num":
        return Tree("num", (), -args[0].value)  # type: ignore[operator]
    if (
        head == "div"
        and not value
        and all(a.head == "num" and isinstance(a.value, int) for a in args)
        and args[1].value
    ):
        return Tree("num", (), Fraction(args[0].value, args[1].value))  # type: ignore[call-overload]
    return Tree(head, tuple(args), value)


# shared by both tables


def _bracket(piece: Piece, left: str = "(", right: str = ")") -> Piece:
    return Piece(f"{left}{piece.text}{right}")


def fitted(piece: Piece, level: int, brackets: Callable[[Piece], Piece]) -> Piece:
    """The piece, in brackets if it binds more loosely than `level` or would swallow what follows."""
    return piece if piece.level >= level and not piece.open else brackets(piece)


def written_number(value: object) -> tuple[str, str] | str:
    """A number as decimal text, or as (numerator, denominator) where that is shorter."""
    if not isinstance(value, Fraction) or value.denominator == 1:
        return str(value)
    rest = value.denominator
    while rest % 10 == 0:
        rest //= 10
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    decimal = rest == 1 and (value.denominator % 5 == 0 or value.denominator > 64)
    if not decimal:
        return str(value.numerator), str(value.denominator)
    return _decimal(value)


def _decimal(value: Fraction) -> str:
    """A fraction whose denominator divides a power of ten, written out."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    scaled = abs(int(value * 10**digits))
    sign = "-" if value < 0 else ""
    if digits > 20:
        return f"{sign}{scaled}e-{digits}"
    whole, part = divmod(scaled, 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


def _terms(node: Tree, args: list[Piece], minus: str, brackets: Callable[[Piece], Piece]) -> Piece:
    signs = node.value if isinstance(node.value, tuple) else (1,) * len(args)
    shown = []
    for k, (sign, term) in enumerate(zip(signs, args, strict=True)):
        loose = term.level < PRODUCT or term.text.startswith(minus)
        piece = brackets(term).text if loose else term.text
        if k == 0:
            shown.append((minus if sign < 0 else "") + piece)
        else:
            shown.append(f"{'+' if sign > 0 else minus} {piece}")
    return Piece(" ".join(shown), ADD)


def _negated(args: list[Piece], minus: str, brackets: Callable[[Piece], Piece]) -> Piece:
    operand = args[0]
    loose = operand.level < PRODUCT or operand.text.startswith(minus)
    inner = brackets(operand) if loose else operand
    return Piece(minus + inner.text, PRODUCT, inner.open)


def fitted_factors(node: Tree, args: list[Piece], style: Style, brackets: Callable[[Piece], Piece]) -> list[Piece]:
    """The factors of a product by juxtaposition, bracketed as far as needed."""
    last = len(args) - 1
    shown = []
    for k, (tree, piece) in enumerate(zip(node.args, args, strict=True)):
        quotient = k == 0 and piece.level == JUXTAPOSED and (tree.head == "num" or _stands_before(node))
        trailing = k == last and tree.head == "big" and not style.numpy
        if not ((piece.level >= FACTOR and not piece.open) or quotient or trailing):
            piece = brackets(piece)
        shown.append(piece)
    return shown


def _stands_before(node: Tree) -> bool:
    """Whether a product may begin with a quotient: only where its next factor cannot be taken as below the line."""
    first = node.args[0]
    if first.head != "div" or first.args[0].head not in ("num", "name"):
        return False
    return first.args[1].head in ("num", "name") or node.args[1].head in ("call", "big")


def _juxtaposed(shown: list[Piece], times: str, digits: str) -> Piece:
    """Factors side by side; a sign where a number or an argument would be read otherwise."""
    out, level = shown[0].text, JUXTAPOSED
    for before, piece in itertools.pairwise(shown):
        first = piece.text[0]
        indicator = piece.text.startswith("1[")
        if (
            (first.isdigit() and not indicator)
            or first == "."
            or (first == "(" and before.name)
            or (piece.text[:6] == "\\left(" and before.name)
        ):
            out += f" {times} {piece.text}"
            level = PRODUCT
        elif digits and before.text[-1].isdigit() and not first.isdigit():
            out += digits + piece.text
        else:
            out += f" {piece.text}"
    return Piece(out, level, shown[-1].open, shown[-1].name)


def takes_argument(value: str, style: Style) -> bool:
    """Whether a bracket behind this name would make it a function."""
    stem, label, _ = names.parts(value)
    letter = len(stem) == 1 or names.to_text(stem) != stem or not stem.isascii()
    risky = value in FUNCTION_LETTERS or value in style.defined or stem in style.defined or value == "I"
    symbol = names.to_text(value)
    return (
        not letter
        or label in ("max", "min")
        or risky
        or value in vocabulary().functions
        or symbol in vocabulary().functions
    )


def defines(node: Tree, style: Style) -> bool:
    """Whether the name that is indexed is one the source defines: then a bracket behind it lists its arguments."""
    return node.args[0].head == "name" and node.args[0].value in style.defined


# text


def _round(piece: Piece) -> Piece:
    return _bracket(piece)


def _t_num(node: Tree, args: list[Piece], style: Style) -> Piece:
    shown = written_number(node.value)
    if (
        style.numpy
        and isinstance(shown, tuple)
        and isinstance(node.value, Fraction)
        and node.value.denominator in (2, 4, 8)
    ):
        shown = _decimal(node.value)
    if isinstance(shown, tuple):
        return Piece("/".join(shown), PRODUCT if style.numpy or shown[0][0] == "-" else JUXTAPOSED)
    return Piece(shown, PRODUCT if shown[0] == "-" else ATOM)


def _t_name(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(names.to_text(str(node.value)), name=takes_argument(str(node.value), style))


def _t_const(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece({"pi": "π", "e": "e", "inf": "∞"}[str(node.value)])


def _t_index(node: Tree, args: list[Piece], style: Style) -> Piece:
    base, subs = args[0], node.args[1:]
    inner = ", ".join(f"({p.text})" if t.head == "mul" else p.text for t, p in zip(subs, args[1:], strict=True))
    head = node.args[0].head
    if head == "call" and str(node.args[0].value) not in vocabulary().functions:
        return Piece(_argued(base.text, "{" + inner.replace(", ", ",") + "}"))
    labelled = head == "name" and ("_" in str(node.args[0].value))
    if any(t.head == "part" and not t.value for t in subs):  # counted from 1: braces, not the brackets of code
        base = _round(base) if labelled or head not in ("name", "call") else base
        return Piece(f"{base.text}_{{{inner.replace(', ', ',')}}}", name=defines(node, style))
    if any(t.head in ("part", "newaxis", "call") for t in subs):
        base = base if head in ("name", "call") and base.level == ATOM else _round(base)
        return Piece(f"{base.text}[{inner}]", name=defines(node, style))
    lone = len(subs) == 1 and ((subs[0].head == "name" and len(args[1].text) == 1) or _is_digits(subs[0]))
    words = any(t.head == "name" and len(names.to_text(str(t.value))) > 1 for t in subs)
    if labelled or (words and head in ("name", "call")):
        return Piece(f"{base.text}[{inner}]", name=defines(node, style))
    if head not in ("name", "call") or base.level < ATOM:
        base = _round(base)
    if words:
        return Piece(f"{base.text}[{inner}]", name=defines(node, style))
    below = inner if lone else "{" + inner.replace(", ", ",") + "}"
    return Piece(f"{base.text}_{below}", name=defines(node, style))


def _argued(call: str, below: str) -> str:
    """`L_{i}(x, W)`: the index of a function of the source stands at its name."""
    name, bracket, rest = call.partition("\\left(" if "\\left(" in call.partition("(")[0] + "(" else "(")
    return f"{name}_{below}{bracket}{rest}"


def _is_digits(tree: Tree) -> bool:
    return tree.head == "num" and isinstance(tree.value, int) and tree.value >= 0


def _t_mul(node: Tree, args: list[Piece], style: Style) -> Piece:
    kind = str(node.value)
    if kind == "":
        shown = fitted_factors(node, args, style, _round)
        if style.numpy:
            return Piece(" × ".join(p.text for p in shown), PRODUCT)
        return _juxtaposed(shown, "×", "")
    sign = {".": "·", "@": "@", "odot": "⊙", "star": "*"}[kind]
    return Piece(_explicit(node, args, f" {sign} ", _round, style.numpy), PRODUCT)


def _explicit(node: Tree, args: list[Piece], sign: str, brackets: Callable[[Piece], Piece], chain: bool = False) -> str:
    """Factors with a sign; products of another kind in brackets, because they look alike, except in NumPy text."""
    shown = []
    for k, (tree, piece) in enumerate(zip(node.args, args, strict=True)):
        other = chain and tree.head == "mul" and tree.value != node.value
        quotient = k == 0 and (tree.head == "div" or other)
        shown.append(fitted(piece, PRODUCT if quotient else JUXTAPOSED, brackets).text)
    return sign.join(shown)


def _t_div(node: Tree, args: list[Piece], style: Style) -> Piece:
    if node.value == "odot":
        return Piece(
            f"{fitted(args[0], JUXTAPOSED, _round).text} ⊘ {fitted(args[1], JUXTAPOSED, _round).text}", PRODUCT
        )
    chain = style.numpy and node.args[0].head == "mul"
    above = fitted(args[0], PRODUCT if chain else JUXTAPOSED, _round)
    if node.args[0].head == "div" or (args[0].text.count("/") and node.args[0].head == "num"):
        above = _round(args[0])
    below = fitted(args[1], FACTOR, _round)
    wide = " " if " " in above.text else ""
    return Piece(f"{above.text}{wide}/{wide}{below.text}", PRODUCT if style.numpy else JUXTAPOSED)


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _t_pow(node: Tree, args: list[Piece], style: Style) -> Piece:
    base, exponent = args
    if (
        node.args[0].head in ("pow", "transpose")
        or base.level < ATOM
        or (node.args[0].head == "const" and base.text == "e")
    ):
        base = _round(base)
    value = node.args[1].value
    if node.value == "odot":
        inner = exponent if exponent.level >= ATOM else _round(exponent)
        return Piece(f"{base.text}{'**' if style.numpy else '.^'}{inner.text}", POSTFIX - 10)
    if isinstance(value, int) and node.args[1].head == "num" and abs(value) < 1000:
        return Piece(base.text + str(value).translate(_RAISED), POSTFIX)
    bare = (node.args[1].head == "name" and exponent.text.isalnum() and exponent.text[0] != "T") or _is_digits(
        node.args[1]
    )
    return Piece(base.text + "^" + (exponent.text if bare else "{" + exponent.text + "}"), POSTFIX)


def _is_trace(tree: Tree) -> bool:
    """What is read on behind its bracket: tr(A)ᵀ(B) is that of Aᵀ B."""
    return tree.head == "call" and tree.value == "tr"


def _t_transpose(node: Tree, args: list[Piece], style: Style) -> Piece:
    base = args[0]
    if node.args[0].head == "pow" or base.level < ATOM or (_is_trace(node.args[0]) and not style.numpy):
        base = _round(base)
    return Piece(base.text + (".T" if style.numpy else "ᵀ"))


def _t_call(node: Tree, args: list[Piece], style: Style) -> Piece:
    value = str(node.value).removeprefix(ENTRYWISE)
    if value in ("ones", "zeros") and not args:
        return Piece(value, name=True)
    if value == "factorial" and len(args) == 1:
        base = args[0] if args[0].level == ATOM and node.args[0].head in ("name", "num") else _round(args[0])
        return Piece(base.text + "!")
    if value == "kron" and len(args) == 2:
        return Piece(_explicit(node, args, " ⊗ ", _round), PRODUCT)
    shown = value if value in vocabulary().functions else _user_function(value, names.to_text)
    return Piece(f"{shown}({', '.join(p.text for p in args)})")


def _user_function(value: str, show: Callable[[str], str]) -> str:
    primed = value.endswith("'")
    stem = value[:-1] if primed else value
    shown = stem if primed and stem in vocabulary().functions else show(stem)
    return shown + "'" * primed


def _t_keyword(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"{node.value}={args[0].text}", LOOSE)


def _t_norm(node: Tree, args: list[Piece], style: Style) -> Piece:
    order = args[1].text if len(args) > 1 else str(node.value)
    below = {"": "", "inf": "_∞"}.get(order, f"_{order}")
    if style.numpy:  # bars are no Python, and would make `*` the product of matrices
        return Piece(f"norm({args[0].text}){below}")
    if style.safe:
        return Piece(f"(‖{args[0].text}‖{below})")
    return Piece(f"‖{args[0].text}‖{below}")


def _t_bars(node: Tree, args: list[Piece], style: Style) -> Piece:
    if "|" in (args[0].text[0], args[0].text[-1]):
        return Piece(f"| {args[0].text} |")
    return Piece(f"(|{args[0].text}|)" if style.safe else f"|{args[0].text}|")


def _t_inner(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"⟨{args[0].text}, {args[1].text}⟩")


_BIG_TEXT = {"sum": "∑", "prod": "∏"}


def _t_big(node: Tree, args: list[Piece], style: Style) -> Piece:
    body = args[0] if args[0].level >= PRODUCT and not args[0].text.startswith("-") else _round(args[0])
    binders = "".join(piece.text for piece in args[1:])
    shown = _BIG_TEXT.get(str(node.value), str(node.value))
    return Piece(f"{shown}{binders} {body.text}", PRODUCT, True)


def _binder(node: Tree, args: list[Piece], show: Callable[[str], str], short: bool) -> Piece:
    """`_i`, `_{i,j}`, `_{i=1}^n`, `_{j ≠ y_i}`."""
    assert isinstance(node.value, tuple)
    indices, kind = node.value
    shown = ",".join(show(index) for index in indices)
    if kind == "all":
        return Piece(f"_{shown}" if len(shown) == 1 and short else f"_{{{shown}}}", LOOSE)
    if kind == "range":
        upper = node.args[1]
        bare = short and ((upper.head == "name" and args[1].text.isalnum()) or _is_digits(upper))
        above = args[1].text if bare else "{" + args[1].text + "}"
        return Piece(f"_{{{shown}={args[0].text}}}^{above}", LOOSE)
    return Piece(f"_{{{', '.join(piece.text for piece in args)}}}", LOOSE)


def _t_binder(node: Tree, args: list[Piece], style: Style) -> Piece:
    return _binder(node, args, names.to_text, True)


_RELATIONS_TEXT = {"!=": "≠", "<=": "≤", ">=": "≥"}


def _t_compare(node: Tree, args: list[Piece], style: Style) -> Piece:
    relation = _RELATIONS_TEXT.get(str(node.value), str(node.value))
    return Piece(f"{args[0].text} {relation} {args[1].text}", LOOSE)


def _t_and(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(" and ".join(p.text for p in args), LOOSE)


def _t_indicator(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"1[{args[0].text}]")


def pairs(args: list[T]) -> Iterable[tuple[T, T]]:
    """The values and conditions of cases."""
    return zip(args[::2], args[1::2], strict=True)


def _t_cases(node: Tree, args: list[Piece], style: Style) -> Piece:
    shown = (f"{v.text} {c.text}" if c.text == "otherwise" else f"{v.text} if {c.text}" for v, c in pairs(args))
    return Piece(f"cases({'; '.join(shown)})")


def _t_array(node: Tree, args: list[Piece], style: Style) -> Piece:
    assert isinstance(node.value, tuple)
    rows, columns = node.value[:2]
    if columns is None:
        between = ", " if len(node.value) > 2 else "; "
        return Piece(f"[{between.join(p.text for p in args)}]")
    lines = [", ".join(p.text for p in args[k : k + columns]) for k in range(0, len(args), columns)]
    if rows == 1 or columns == 1:
        return Piece("[" + ", ".join(f"[{line}]" for line in lines) + "]")
    return Piece(f"[{'; '.join(lines)}]")


def _t_assemble(node: Tree, args: list[Piece], style: Style) -> Piece:
    body = _round(args[0]) if args[0].text[0] == "[" else args[0]
    below = [names.to_text(i) for i in node.value]  # type: ignore[attr-defined]
    if len(args) > 1:
        below = [f"{i} ≤ {end.text}" for i, end in zip(below, args[1:], strict=True)]
    return Piece(f"[{body.text}]_{{{(', ' if len(args) > 1 else ',').join(below)}}}", name=True)


def _t_derivative(node: Tree, args: list[Piece], style: Style) -> Piece:
    simple = node.args[0].head in ("name", "index", "call") and args[0].level == ATOM
    of = args[0].text if simple else _round(args[0]).text
    order = "" if node.value == 1 else str(node.value).translate(_RAISED)
    if len(args) == 1:
        return Piece(f"∇{order}{of}", PRODUCT)
    power = order if len(args) == 2 else ""
    return Piece(f"∂{order}{of}/" + "".join(f"∂{p.text}{power}" for p in args[1:]), PRODUCT)


def _t_nabla(node: Tree, args: list[Piece], style: Style) -> Piece:
    order = "" if node.value == 1 else str(node.value).translate(_RAISED)
    return Piece(f"∇{order}_{args[1].text} {args[0].text}", PRODUCT)


def _joined(separator: str) -> Printer:
    return lambda node, args, style: Piece(separator.join(p.text for p in args), LOOSE)


def _equation(arrow: str) -> Printer:
    """a = b = c, and x ← x - η g."""
    return lambda node, args, style: _joined(arrow if node.value == NEXT else " = ")(node, args, style)


def _t_declare(node: Tree, args: list[Piece], style: Style) -> Piece:
    dimensions = node.value if isinstance(node.value, tuple) else ()
    return Piece(f"{args[0].text} ∈ R" + (f"^{{{'×'.join(dimensions)}}}" if dimensions else ""), LOOSE)


def _change(node: Tree, args: list[Piece], style: Style) -> Piece:
    """dq, one symbol."""
    return Piece("d" + args[0].text)


def _part(node: Tree, args: list[Piece], style: Style) -> Piece:
    """a:b or a:b:s; what is missing is left out."""
    shown = ["" if tree.head == "slice" else piece.text for tree, piece in zip(node.args, args, strict=True)]
    return Piece(":".join(shown[: 3 if shown[2] else 2]))


def _literal(shown: str) -> Printer:
    return lambda node, args, style: Piece(shown)


TEXT: dict[str, Printer] = {
    "num": _t_num, "name": _t_name, "const": _t_const, "index": _t_index, "slice": _literal(":"), "part": _part,
    "newaxis": _literal("None"), "nabla": _t_nabla,
    "neg": lambda n, a, s: _negated(a, "-", _round), "add": lambda n, a, s: _terms(n, a, "-", _round), "mul": _t_mul,
    "div": _t_div, "pow": _t_pow, "transpose": _t_transpose, "call": _t_call, "keyword": _t_keyword, "norm": _t_norm,
    "bars": _t_bars, "inner": _t_inner, "big": _t_big, "binder": _t_binder, "compare": _t_compare, "and": _t_and,
    "indicator": _t_indicator, "cases": _t_cases, "otherwise": _literal("otherwise"), "array": _t_array,
    "assemble": _t_assemble, "derivative": _t_derivative, "declare": _t_declare, "equation": _equation(" ← "),
    "change": _change, "block": _joined("; "),
}  # fmt: skip


# LaTeX


_TALL = ("\\frac", "\\sum", "\\prod", "\\begin", "\\left")


def _fenced(piece: Piece, left: str, right: str) -> str:
    if any(mark in piece.text for mark in _TALL):
        return f"\\left{left} {piece.text} \\right{right}"
    return f"{left}{piece.text}{right}"


def _curved(piece: Piece) -> Piece:
    return Piece(_fenced(piece, "(", ")"))


def _l_num(node: Tree, args: list[Piece], style: Style) -> Piece:
    shown = written_number(node.value)
    if isinstance(shown, tuple):
        sign = "-" if shown[0][0] == "-" else ""
        return Piece(f"{sign}\\frac{{{shown[0].lstrip('-')}}}{{{shown[1]}}}", PRODUCT if sign else FACTOR)
    return Piece(shown, PRODUCT if shown[0] == "-" else ATOM)


def _l_name(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(names.to_latex(str(node.value)), name=takes_argument(str(node.value), style))


def _l_const(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece({"pi": "\\pi", "e": "e", "inf": "\\infty"}[str(node.value)])


def _l_index(node: Tree, args: list[Piece], style: Style) -> Piece:
    base, head = args[0], node.args[0].head
    if head == "name" and "_" in base.text:
        base = Piece(f"{{{base.text}}}")
    elif head not in ("name", "call") or base.level < ATOM:
        base = _curved(base)
    shown = [_l_subscript(t, p) for t, p in zip(node.args[1:], args[1:], strict=True)]
    if any((t.head == "part" and t.value) or t.head in ("newaxis", "call") for t in node.args[1:]):
        return Piece(f"{base.text}[{', '.join(shown)}]", name=defines(node, style))
    if head == "call" and str(node.args[0].value) not in vocabulary().functions:
        return Piece(_argued(base.text, f"{{{','.join(shown)}}}"))
    return Piece(f"{base.text}_{{{','.join(shown)}}}", name=defines(node, style))


def _l_subscript(tree: Tree, piece: Piece) -> str:
    word = tree.head == "name" and piece.text.startswith("\\mathrm")
    return f"({piece.text})" if word or tree.head == "mul" else piece.text


def _l_mul(node: Tree, args: list[Piece], style: Style) -> Piece:
    kind = str(node.value)
    if kind == "":
        shown = fitted_factors(node, args, style, _curved)
        if style.numpy:
            return Piece(" \\times ".join(p.text for p in shown), PRODUCT)
        return _juxtaposed(shown, "\\times", "\\,")
    sign = {".": "\\cdot", "@": "\\mathbin{@}", "odot": "\\odot", "star": "\\mathbin{*}"}[kind]
    return Piece(_explicit(node, args, f" {sign} ", _curved), PRODUCT)


def _l_div(node: Tree, args: list[Piece], style: Style) -> Piece:
    if node.value == "odot":
        return Piece(
            f"{fitted(args[0], JUXTAPOSED, _curved).text} \\oslash {fitted(args[1], JUXTAPOSED, _curved).text}", PRODUCT
        )
    return Piece(f"\\frac{{{args[0].text}}}{{{args[1].text}}}", FACTOR)


def _grouped(tree: Tree, piece: Piece) -> str:
    """A base for something above it: a second superscript needs braces or brackets."""
    if tree.head in ("pow", "transpose") or piece.level < ATOM or (tree.head == "const" and piece.text == "e"):
        return _curved(piece).text
    named = tree.head in ("name", "index") and "^" in piece.text
    return f"{{{piece.text}}}" if named else piece.text


def _l_pow(node: Tree, args: list[Piece], style: Style) -> Piece:
    mark = "\\odot " if node.value == "odot" else ""
    return Piece(f"{_grouped(node.args[0], args[0])}^{{{mark}{args[1].text}}}", POSTFIX)


def _l_transpose(node: Tree, args: list[Piece], style: Style) -> Piece:
    base = _curved(args[0]).text if _is_trace(node.args[0]) else _grouped(node.args[0], args[0])
    return Piece(f"{base}^{{\\top}}", POSTFIX)


@cache
def latex_functions() -> dict[str, str]:
    """How a call is spelled in LaTeX."""
    shown: dict[str, str] = {}
    for op in OPERATIONS.values():
        if op.latex:
            word = op.latex[0]
            shown.setdefault(
                op.text[0] if op.text else op.name, f"\\{word}" if op.command else f"\\operatorname{{{word}}}"
            )
    return shown


def _l_call(node: Tree, args: list[Piece], style: Style) -> Piece:
    value = str(node.value)
    special = _LATEX_CALLS.get(value)
    if special is not None and len(args) == special[0]:
        return special[1](node, args)
    value = value.removeprefix(ENTRYWISE)
    if value.endswith("'") and value[:-1] in vocabulary().functions:
        shown = latex_functions().get(value[:-1], f"\\operatorname{{{value[:-1]}}}") + "'"
    elif value in vocabulary().functions:
        word = value.replace("_", "\\_")
        shown = latex_functions().get(value, f"\\operatorname{{{word}}}")
    else:
        shown = _user_function(value, names.to_latex)
    inner = Piece(", ".join(p.text for p in args))
    return Piece(f"{shown}{_fenced(inner, '(', ')')}")


def _l_exp(node: Tree, args: list[Piece]) -> Piece:
    simple = node.args[0].head in ("name", "index", "neg", "num", "mul") and not any(m in args[0].text for m in _TALL)
    if simple and len(args[0].text) < 30 and node.args[0].value != "T":
        return Piece(f"e^{{{args[0].text}}}", POSTFIX)
    return Piece(f"\\exp{_fenced(args[0], '(', ')')}")


def _l_factorial(node: Tree, args: list[Piece]) -> Piece:
    base = args[0] if args[0].level == ATOM and node.args[0].head in ("name", "num") else _curved(args[0])
    return Piece(base.text + "!")


_LATEX_CALLS: dict[str, tuple[int, Callable[[Tree, list[Piece]], Piece]]] = {
    "ones": (0, lambda node, args: Piece("\\mathbf{1}")),
    "zeros": (0, lambda node, args: Piece("\\mathbf{0}")),
    "sqrt": (1, lambda node, args: Piece(f"\\sqrt{{{args[0].text}}}")),
    "floor": (1, lambda node, args: Piece(f"\\lfloor {args[0].text} \\rfloor")),
    "log10": (1, lambda node, args: Piece(f"\\log_{{10}}{_fenced(args[0], '(', ')')}")),
    "kron": (2, lambda node, args: Piece(_explicit(node, args, " \\otimes ", _curved), PRODUCT)),
    "exp": (1, _l_exp),
    "factorial": (1, _l_factorial),
}


def _l_keyword(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"\\mathrm{{{node.value}}}={args[0].text}", LOOSE)


def _l_norm(node: Tree, args: list[Piece], style: Style) -> Piece:
    order = args[1].text if len(args) > 1 else str(node.value)
    below = {"": "", "inf": "_{\\infty}", "max": "_{\\max}", "op": "_{\\mathrm{op}}"}.get(order, f"_{{{order}}}")
    plain = "\\|" not in args[0].text and "\\rVert" not in args[0].text and not any(m in args[0].text for m in _TALL)
    return Piece(f"\\lVert {args[0].text} \\rVert{below}" if plain else f"\\left\\| {args[0].text} \\right\\|{below}")


def _l_bars(node: Tree, args: list[Piece], style: Style) -> Piece:
    tall = any(mark in args[0].text for mark in _TALL)
    return Piece(f"\\left| {args[0].text} \\right|" if tall else f"\\lvert {args[0].text} \\rvert")


def _l_inner(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"\\langle {args[0].text}, {args[1].text} \\rangle")


_BIG_LATEX = {"sum": "\\sum", "prod": "\\prod", "max": "\\max", "min": "\\min"}


def _l_big(node: Tree, args: list[Piece], style: Style) -> Piece:
    body = args[0] if args[0].level >= PRODUCT and not args[0].text.startswith("-") else _curved(args[0])
    shown = _BIG_LATEX.get(str(node.value), f"\\operatorname{{{node.value}}}")
    return Piece(f"{shown}{''.join(p.text for p in args[1:])} {body.text}", PRODUCT, True)


def _l_binder(node: Tree, args: list[Piece], style: Style) -> Piece:
    return _binder(node, args, names.to_latex, False)


_RELATIONS_LATEX = {"!=": "\\neq", "<=": "\\leq", ">=": "\\geq"}


def _l_compare(node: Tree, args: list[Piece], style: Style) -> Piece:
    relation = _RELATIONS_LATEX.get(str(node.value), str(node.value))
    return Piece(f"{args[0].text} {relation} {args[1].text}", LOOSE)


def _l_indicator(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(f"\\mathbf{{1}}{_fenced(args[0], '[', ']')}")


def _l_cases(node: Tree, args: list[Piece], style: Style) -> Piece:
    rows = " \\\\ ".join(f"{value.text} & {condition.text}" for value, condition in pairs(args))
    return Piece(f"\\begin{{cases}} {rows} \\end{{cases}}")


def _l_array(node: Tree, args: list[Piece], style: Style) -> Piece:
    assert isinstance(node.value, tuple)
    if node.value[-1] == "row":
        return Piece(f"[{', '.join(p.text for p in args)}]")
    width = node.value[1] or (len(args) if node.value[-1] == "across" else 1)
    rows = " \\\\ ".join(" & ".join(p.text for p in args[k : k + width]) for k in range(0, len(args), width))
    return Piece(f"\\begin{{bmatrix}} {rows} \\end{{bmatrix}}")


def _l_assemble(node: Tree, args: list[Piece], style: Style) -> Piece:
    below = [names.to_latex(i) for i in node.value]  # type: ignore[attr-defined]
    if len(args) > 1:
        below = [f"{i} \\le {end.text}" for i, end in zip(below, args[1:], strict=True)]
    return Piece(f"{_fenced(args[0], '[', ']')}_{{{','.join(below)}}}", name=True)


def _l_derivative(node: Tree, args: list[Piece], style: Style) -> Piece:
    power = "" if node.value == 1 else f"^{{{node.value}}}"
    if len(args) == 1:
        simple = node.args[0].head in ("name", "index", "call") and args[0].level == ATOM
        return Piece(f"\\nabla{power} {args[0].text if simple else _curved(args[0]).text}", PRODUCT)
    below = " ".join(f"\\partial {p.text}{power if len(args) == 2 else ''}" for p in args[1:])
    return Piece(f"\\frac{{\\partial{power} {args[0].text}}}{{{below}}}", FACTOR)


def _l_nabla(node: Tree, args: list[Piece], style: Style) -> Piece:
    power = "" if node.value == 1 else f"^{{{node.value}}}"
    return Piece(f"\\nabla{power}_{{{args[1].text}}} {args[0].text}", PRODUCT)


def _l_declare(node: Tree, args: list[Piece], style: Style) -> Piece:
    dimensions = node.value if isinstance(node.value, tuple) else ()
    above = " \\times ".join(dimensions)
    return Piece(f"{args[0].text} \\in \\mathbb{{R}}" + (f"^{{{above}}}" if above else ""), LOOSE)


LATEX: dict[str, Printer] = {
    "num": _l_num, "name": _l_name, "const": _l_const, "index": _l_index, "slice": _literal(":"), "part": _part,
    "newaxis": _literal("\\mathrm{None}"), "nabla": _l_nabla,
    "neg": lambda n, a, s: _negated(a, "-", _curved), "add": lambda n, a, s: _terms(n, a, "-", _curved), "mul": _l_mul,
    "div": _l_div, "pow": _l_pow, "transpose": _l_transpose, "call": _l_call, "keyword": _l_keyword, "norm": _l_norm,
    "bars": _l_bars, "inner": _l_inner, "big": _l_big, "binder": _l_binder, "compare": _l_compare,
    "and": _joined(" \\land "), "indicator": _l_indicator, "cases": _l_cases,
    "otherwise": _literal("\\text{otherwise}"),
    "array": _l_array, "assemble": _l_assemble, "derivative": _l_derivative, "declare": _l_declare,
    "equation": _equation(" \\leftarrow "), "change": _change, "block": _joined(";\\quad "),
}  # fmt: skip
