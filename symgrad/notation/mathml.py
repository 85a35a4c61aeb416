"""The surface tree as MathML: what a browser typesets and a screen reader walks through.

Contract: `to_mathml(t)` is one `<math>` element of MathML Core, well-formed XML, whose visible leaves are the symbols
of `to_latex(t)` in the same brackets; products and applications carry the invisible operators that voices read out.
Each head has one printer; a piece is a row of elements, bracketed by the same levels as in text and LaTeX.
Source: MathML Core, W3C; the operator dictionary of its appendix B says which brackets stretch by themselves.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from html import escape

from symgrad.notation import names
from symgrad.notation.cursor import ADD, FACTOR, JUXTAPOSED, POSTFIX, PRODUCT
from symgrad.notation.names import GREEK
from symgrad.notation.render import (
    ATOM,
    LOOSE,
    Piece,
    Printer,
    Style,
    defines,
    fitted,
    fitted_factors,
    latex_functions,
    pairs,
    style_of,
    takes_argument,
    written_number,
)
from symgrad.notation.syntax import ENTRYWISE, Tree, fold
from symgrad.notation.tokens import vocabulary


def to_mathml(tree: Tree, *, display: bool = True) -> str:
    """The tree as one `<math>` element, set on a line of its own unless `display` is false."""
    style = style_of(tree)
    row = fold(tree, lambda node, args: PRINTERS[node.head](node, args, style)).text
    return f'<math display="block">{_one(row)}</math>' if display else f"<math>{_one(row)}</math>"


# --- elements ---------------------------------------------------------------------------------------------------------

_LEAF = re.compile(r"<m[ino](?: [^>]*)?>[^<]*</m[ino]>")
_FIRST = re.compile(r"(?:<(?:mrow|msup|msub|msubsup)>)*<m[ino][^>]*>([^<]*)")
#: Read aloud, and not seen; a thin space keeps the factors apart.
TIMES, APPLIED = '<mo rspace="0.12em">\u2062</mo>', "<mo>\u2061</mo>"


#: The sign of one term, not between two.
MINUS = '<mo form="prefix">−</mo>'


def _mi(symbol: str) -> str:
    return f"<mi>{escape(symbol)}</mi>"


def _mn(digits: str) -> str:
    return f"<mn>{digits}</mn>"


def _mo(symbol: str) -> str:
    return f"<mo>{escape(symbol)}</mo>"


def _one(row: str) -> str:
    """A row as a single element, as scripts and fractions need it."""
    single = _LEAF.fullmatch(row) or (row.startswith("<mrow>") and _closes(row))
    return row if single else f"<mrow>{row}</mrow>"


def _closes(row: str) -> bool:
    """Whether the row that a text begins with ends only where the text ends."""
    depth = 0
    for tag in re.finditer(r"</?mrow>", row):
        depth += 1 if tag.group() == "<mrow>" else -1
        if depth == 0:
            return tag.end() == len(row)
    return False


def _around(row: str, left: str, right: str) -> str:
    """The row between brackets that grow with what is tall; bars, alike on both sides, say which side they are."""
    grows = "true" if re.search("<m(frac|sqrt|under|table)", row) else "false"
    return (
        f'<mrow><mo form="prefix" stretchy="{grows}">{left}</mo>{row}'
        f'<mo form="postfix" stretchy="{grows}">{right}</mo></mrow>'
    )


def _round(piece: Piece) -> Piece:
    return Piece(_around(piece.text, "(", ")"))


def _listed(rows: Iterable[str], sign: str = ",") -> str:
    return _mo(sign).join(rows)


def _below(base: str, below: str) -> str:
    return f"<msub>{_one(base)}{_one(below)}</msub>"


_SUBSCRIPTED = re.compile(r"<msub>(.*)</msub>", re.DOTALL)


def _above(base: str, above: str) -> str:
    """A superscript, set over the subscript where the base has one."""
    match = _SUBSCRIPTED.fullmatch(base)
    if match and "<msub>" not in match.group(1):
        return f"<msubsup>{match.group(1)}{_one(above)}</msubsup>"
    return f"<msup>{_one(base)}{_one(above)}</msup>"


def _starts(piece: Piece) -> str:
    """The symbol a row begins with, unless that is part of a fraction or another drawing."""
    match = _FIRST.match(piece.text)
    return match.group(1) if match else ""


def _literal(row: str) -> Printer:
    return lambda node, args, style: Piece(row)


def _joined(row: str) -> Printer:
    return lambda node, args, style: Piece(row.join(p.text for p in args), LOOSE)


# --- names and numbers ------------------------------------------------------------------------------------------------

_MARKS = {"hat": "^", "tilde": "~", "bar": "¯", "dot": "˙", "check": "ˇ"}


def name(canonical: str) -> str:
    """A variable: an italic letter, an upright word, with its accent, label and layer."""
    if canonical.endswith("_"):
        return _mi(canonical)
    stem, label, above = names.parts(canonical)
    base, accent = names.decorated(stem)
    shown = _mi(GREEK.get(base, base))
    if accent:
        shown = f'<mover accent="true">{shown}<mo stretchy="false">{_MARKS[accent]}</mo></mover>'
    if label:
        shown = _below(shown, _mn(label) if label.isdigit() else _mi(GREEK.get(label, label)))
    return _above(shown, _layer(above)) if above else shown


def _layer(above: str) -> str:
    inner = above.strip("()")
    row = _mn(inner) if inner.isdigit() else _mi(inner)
    return f"{_mo('(')}{row}{_mo(')')}" if inner != above else _mo(above)


def _name(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(name(str(node.value)), name=takes_argument(str(node.value), style))


def _num(node: Tree, args: list[Piece], style: Style) -> Piece:
    shown = written_number(node.value)
    if isinstance(shown, tuple):
        sign = MINUS if shown[0][0] == "-" else ""
        fraction = f"<mfrac>{_mn(shown[0].lstrip('-'))}{_mn(shown[1])}</mfrac>"
        return Piece(sign + fraction, PRODUCT if sign else FACTOR)
    if shown[0] == "-":
        return Piece(MINUS + _mn(shown[1:]), PRODUCT)
    return Piece(_mn(shown))


def _const(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece({"pi": _mi("π"), "e": _mi("e"), "inf": _mn("∞")}[str(node.value)])


def _index(node: Tree, args: list[Piece], style: Style) -> Piece:
    base, head = args[0], node.args[0].head
    if head not in ("name", "call") or base.level < ATOM:
        base = _round(base)
    shown = [
        _around(p.text, "(", ")") if _needs_bracket(t) else p.text for t, p in zip(node.args[1:], args[1:], strict=True)
    ]
    if any((t.head == "part" and t.value) or t.head in ("newaxis", "call") for t in node.args[1:]):
        return Piece(f"{base.text}{_around(_listed(shown), '[', ']')}", name=defines(node, style))
    if head == "call" and str(node.args[0].value) not in vocabulary().functions:
        function, _, rest = base.text.partition(APPLIED)
        return Piece(f"{_below(function, _listed(shown))}{APPLIED}{rest}")
    return Piece(_below(base.text, _listed(shown)), name=defines(node, style))


def _needs_bracket(subscript: Tree) -> bool:
    """W_{(hh)} is an entry at hh, W_{hh} a name."""
    word = subscript.head == "name" and len(names.to_text(str(subscript.value))) > 1
    return subscript.head == "mul" or (word and names.to_latex(str(subscript.value)).startswith("\\mathrm"))


def _part(node: Tree, args: list[Piece], style: Style) -> Piece:
    shown = ["" if tree.head == "slice" else piece.text for tree, piece in zip(node.args, args, strict=True)]
    return Piece(_mo(":").join(shown[: 3 if shown[2] else 2]))


# --- sums, products, powers -------------------------------------------------------------------------------------------


def _neg(node: Tree, args: list[Piece], style: Style) -> Piece:
    inner = args[0]
    if inner.level < PRODUCT or _starts(inner) == "−":
        inner = _round(inner)
    return Piece(MINUS + inner.text, PRODUCT, inner.open)


def _sign(sign: int, first: bool) -> str:
    return _mo("+" if sign > 0 else "−") if not first else MINUS if sign < 0 else ""


def _add(node: Tree, args: list[Piece], style: Style) -> Piece:
    signs = node.value if isinstance(node.value, tuple) else (1,) * len(args)
    shown = ""
    for k, (sign, term) in enumerate(zip(signs, args, strict=True)):
        loose = term.level < PRODUCT or _starts(term) == "−"
        shown += _sign(sign, k == 0) + (_round(term) if loose else term).text
    return Piece(shown, ADD)


def _mul(node: Tree, args: list[Piece], style: Style) -> Piece:
    kind = str(node.value)
    if kind == "":
        shown = fitted_factors(node, args, style, _round)
        return Piece(_mo("×").join(p.text for p in shown), PRODUCT) if style.numpy else _juxtaposed(shown)
    return Piece(_explicit(node, args, {".": "⋅", "@": "@", "odot": "⊙", "star": "*"}[kind]), PRODUCT)


def _juxtaposed(shown: list[Piece]) -> Piece:
    """Factors side by side; a sign where a number or an argument would be read otherwise."""
    out, level = shown[0].text, JUXTAPOSED
    for before, piece in itertools.pairwise(shown):
        first = _starts(piece)[:1]
        if (first.isascii() and first.isdigit()) or (first == "(" and before.name):
            out, level = out + _mo("×") + piece.text, PRODUCT
        else:
            out += TIMES + piece.text
    return Piece(out, level, shown[-1].open, shown[-1].name)


def _explicit(node: Tree, args: list[Piece], sign: str) -> str:
    rows = (
        fitted(piece, PRODUCT if k == 0 and tree.head == "div" else JUXTAPOSED, _round).text
        for k, (tree, piece) in enumerate(zip(node.args, args, strict=True))
    )
    return _listed(rows, sign)


def _div(node: Tree, args: list[Piece], style: Style) -> Piece:
    if node.value == "odot":
        return Piece(_listed((fitted(a, JUXTAPOSED, _round).text for a in args), "⊘"), PRODUCT)
    return Piece(f"<mfrac>{_one(args[0].text)}{_one(args[1].text)}</mfrac>", FACTOR)


def _raised(tree: Tree, piece: Piece, above: str) -> str:
    layered = tree.head in ("name", "index") and "sup>" in piece.text
    power = tree.head in ("pow", "transpose") or piece.level < ATOM or (tree.head, tree.value) == ("const", "e")
    base = _round(piece).text if power else piece.text
    return f"<msup>{_one(base)}{_one(above)}</msup>" if layered else _above(base, above)


def _pow(node: Tree, args: list[Piece], style: Style) -> Piece:
    mark = _mo("⊙") if node.value == "odot" else ""
    return Piece(_raised(node.args[0], args[0], mark + args[1].text), POSTFIX)


def _transpose(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(_raised(node.args[0], args[0], _mi("⊤")), POSTFIX)


# --- functions --------------------------------------------------------------------------------------------------------


def _call(node: Tree, args: list[Piece], style: Style) -> Piece:
    value = str(node.value)
    special = _CALLS.get(value)
    if special is not None and len(args) == special[0]:
        return special[1](node, args)
    value = value.removeprefix(ENTRYWISE)
    inner = _around(_listed(p.text for p in args), "(", ")")
    return Piece(f"{_function(value)}{APPLIED}{inner}")


def _function(value: str) -> str:
    """The sign of a function: that of LaTeX where it has one, its name elsewhere."""
    stem = value.removesuffix("'")
    if stem in vocabulary().functions:
        spelled = latex_functions().get(stem, stem)
        word = re.sub(r"\\operatorname\{(.*)\}|\\(\w+)", lambda m: m.group(1) or m.group(2), spelled)
        letter = names.LATEX_GREEK.get(word, word)
        shown = _mi(GREEK.get(letter, word))
    else:
        shown = name(stem)
    return f"<msup>{shown}{_mo('′')}</msup>" if stem != value else shown


def _exp(node: Tree, args: list[Piece]) -> Piece:
    simple = node.args[0].head in ("name", "index", "neg", "num", "mul") and not re.search(
        "<m(frac|under)", args[0].text
    )
    if simple and node.args[0].value != "T":
        return Piece(_above(_mi("e"), args[0].text), POSTFIX)
    return Piece(_mi("exp") + APPLIED + _around(args[0].text, "(", ")"))


def _factorial(node: Tree, args: list[Piece]) -> Piece:
    base = args[0] if args[0].level == ATOM and node.args[0].head in ("name", "num") else _round(args[0])
    return Piece(base.text + _mo("!"))


_CALLS: dict[str, tuple[int, Callable[[Tree, list[Piece]], Piece]]] = {
    "ones": (0, lambda node, args: Piece(_mn("𝟏"))),
    "zeros": (0, lambda node, args: Piece(_mn("𝟎"))),
    "sqrt": (1, lambda node, args: Piece(f"<msqrt>{args[0].text}</msqrt>")),
    "floor": (1, lambda node, args: Piece(_around(args[0].text, "⌊", "⌋"))),
    "log10": (1, lambda node, args: Piece(_below(_mi("log"), _mn("10")) + APPLIED + _around(args[0].text, "(", ")"))),
    "kron": (2, lambda node, args: Piece(_explicit(node, args, "⊗"), PRODUCT)),
    "exp": (1, _exp),
    "factorial": (1, _factorial),
}  # fmt: skip


def _keyword(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(_mi(str(node.value)) + _mo("=") + args[0].text, LOOSE)


def _norm(node: Tree, args: list[Piece], style: Style) -> Piece:
    order = args[1].text if len(args) > 1 else _order(str(node.value))
    shown = _around(args[0].text, "‖", "‖")
    return Piece(_below(shown, order) if order else shown)


def _order(value: str) -> str:
    special = {"": "", "inf": _mn("∞"), "max": _mi("max"), "op": _mi("op"), "*": _mo("*")}
    return special.get(value, _mn(value) if value.isdigit() else _mi(value))


# --- sums over indices, conditions, arrays ----------------------------------------------------------------------------

_BIG = {"sum": "∑", "prod": "∏"}


def _big(node: Tree, args: list[Piece], style: Style) -> Piece:
    body = args[0] if args[0].level >= PRODUCT and _starts(args[0]) != "−" else _round(args[0])
    kind = str(node.value)
    sign = _mo(_BIG[kind]) if kind in _BIG else f'<mo movablelimits="true" rspace="0.17em">{kind}</mo>'
    for binder, limits in zip(node.args[1:], args[1:], strict=True):
        assert isinstance(binder.value, tuple)
        below, cut, above = limits.text.partition(_UPPER)
        sign = (
            f"<munderover>{sign}{_one(below)}{_one(above)}</munderover>"
            if cut
            else f"<munder>{sign}{_one(below)}</munder>"
        )
    return Piece(sign + body.text, PRODUCT, True)


#: Between the two limits of a sum, until the sum is printed; no element has this text.
_UPPER = "\0"


def _binder(node: Tree, args: list[Piece], style: Style) -> Piece:
    assert isinstance(node.value, tuple)
    indices, kind = node.value
    shown = _listed(name(index) for index in indices)
    if kind == "all":
        return Piece(shown, LOOSE)
    if kind == "range":
        return Piece(f"{shown}{_mo('=')}{args[0].text}{_UPPER}{args[1].text}", LOOSE)
    return Piece(_listed(p.text for p in args), LOOSE)


_RELATIONS = {"!=": "≠", "<=": "≤", ">=": "≥"}


def _compare(node: Tree, args: list[Piece], style: Style) -> Piece:
    return Piece(_listed((p.text for p in args), _RELATIONS.get(str(node.value), str(node.value))), LOOSE)


def _table(rows: Iterable[Iterable[str]], cell_attributes: str = "") -> str:
    shown = ("".join(f"<mtd{cell_attributes}>{cell}</mtd>" for cell in row) for row in rows)
    return f"<mtable>{''.join(f'<mtr>{row}</mtr>' for row in shown)}</mtable>"


def _cases(node: Tree, args: list[Piece], style: Style) -> Piece:
    rows = _table(((value.text, condition.text) for value, condition in pairs(args)), ' style="text-align: left"')
    return Piece(f'<mrow><mo form="prefix" stretchy="true">{{</mo>{rows}</mrow>')


def _array(node: Tree, args: list[Piece], style: Style) -> Piece:
    assert isinstance(node.value, tuple)
    _, columns, *across = node.value  # a vector may be written across
    if across == ["row"]:
        return Piece(_around(_listed(p.text for p in args), "[", "]"))
    width = columns or (len(args) if across else 1)
    rows = ([p.text for p in args[k : k + width]] for k in range(0, len(args), width))
    return Piece(_around(_table(rows), "[", "]"))


def _assemble(node: Tree, args: list[Piece], style: Style) -> Piece:
    below = [name(i) for i in node.value]  # type: ignore[attr-defined]
    if len(args) > 1:
        below = [f"{i}{_mo('≤')}{end.text}" for i, end in zip(below, args[1:], strict=True)]
    return Piece(_below(_around(args[0].text, "[", "]"), _listed(below)), name=True)


# --- derivatives ------------------------------------------------------------------------------------------------------

_NABLA, _PARTIAL = '<mo form="prefix" rspace="0">∇</mo>', '<mo form="prefix" rspace="0">∂</mo>'


def _ordered(sign: str, order: object) -> str:
    return sign if order == 1 else _above(sign, _mn(str(order)))


def _derivative(node: Tree, args: list[Piece], style: Style) -> Piece:
    if len(args) == 1:
        simple = node.args[0].head in ("name", "index", "call") and args[0].level == ATOM
        return Piece(_ordered(_NABLA, node.value) + (args[0] if simple else _round(args[0])).text, PRODUCT)
    lone = len(args) == 2
    below = "".join(
        _PARTIAL + (_above(p.text, _mn(str(node.value))) if lone and node.value != 1 else p.text) for p in args[1:]
    )
    above = _ordered(_PARTIAL, node.value) + args[0].text
    return Piece(f"<mfrac>{_one(above)}{_one(below)}</mfrac>", FACTOR)


def _nabla(node: Tree, args: list[Piece], style: Style) -> Piece:
    sign = _below(_NABLA, args[1].text)
    return Piece((sign if node.value == 1 else _above(sign, _mn(str(node.value)))) + args[0].text, PRODUCT)


def _equation(node: Tree, args: list[Piece], style: Style) -> Piece:
    """a = b = c, and x ← x - η g."""
    return Piece(_listed((p.text for p in args), "←" if node.value else "="), LOOSE)


def _declare(node: Tree, args: list[Piece], style: Style) -> Piece:
    dimensions = node.value if isinstance(node.value, tuple) else ()
    above = _listed((_mn(d) if d.isdigit() else _mi(d) for d in dimensions), "×")
    return Piece(args[0].text + _mo("∈") + (_above(_mi("ℝ"), above) if above else _mi("ℝ")), LOOSE)


PRINTERS: dict[str, Printer] = {
    "num": _num, "name": _name, "const": _const, "index": _index, "slice": _literal(_mo(":")), "part": _part,
    "newaxis": _literal(_mi("None")), "neg": _neg, "add": _add, "mul": _mul, "div": _div, "pow": _pow,
    "transpose": _transpose, "call": _call, "keyword": _keyword, "norm": _norm,
    "bars": lambda n, a, s: Piece(_around(a[0].text, "|", "|")),
    "inner": lambda n, a, s: Piece(_around(_listed(p.text for p in a), "⟨", "⟩")),
    "big": _big, "binder": _binder, "compare": _compare, "and": _joined(_mo("∧")),
    "indicator": lambda n, a, s: Piece(_mn("𝟏") + _around(a[0].text, "[", "]")),
    "cases": _cases, "otherwise": _literal("<mtext>otherwise</mtext>"), "array": _array, "assemble": _assemble,
    "derivative": _derivative, "nabla": _nabla, "declare": _declare, "equation": _equation,
    "change": lambda n, a, s: Piece(_mi("d") + a[0].text), "block": _joined(_mo(";")),
}  # fmt: skip
