"""Brackets, bars, literals and environments: everything with a left and a right end.

Contract: each public function is a prefix handler of the parser's table, or helps one.  Brackets are neutral and
widen the span of what they hold; a condition between them is its indicator; ragged rows are a `ShapeError`.
"""

from __future__ import annotations

from symgrad.errors import ShapeError
from symgrad.notation import listed, scripts
from symgrad.notation.bars import OPENERS, OPERAND_START
from symgrad.notation.cursor import PARTNER, POSTFIX, RELATIONS, Reader, bracketed, widened
from symgrad.notation.literals import indices, literal
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import END, ERROR, NAME, NUM, Token

CONDITIONAL = RELATIONS | {"and", "&"}


NORMS = {
    "1": "1", "2": "2", "F": "F", "fro": "F", "Fro": "F", "inf": "inf", "nuc": "*", "*": "*", "max": "max", "op": "op",
}  # fmt: skip
#: Letters that stand for the order of a norm.
ORDERS = frozenset(("p", "q"))


def group(p: Reader, token: Token, _floor: int) -> Tree:
    r"""`( )`, `{ }`, `\{ \}`: neutral, except that a condition inside is its indicator."""
    return _grouped(p, token, printed=token[0] != "{" or not p.latex)


def _grouped(p: Reader, token: Token, *, printed: bool) -> Tree:
    kind = token[0]
    if kind == "(" and listed.is_list(p, p.pos - 1):
        p.pos -= 1
        return listed.entries(p)
    p.deeper(token)
    if p.tokens[p.pos][0] == PARTNER[kind]:
        p.fail("these brackets are empty", token)
    inner = p.value()
    if p.tokens[p.pos][0] in CONDITIONAL and kind != "{":
        inner = indicated(p.condition(inner), token[2], 0)
    if p.tokens[p.pos][0] in (",", ";") and kind == "(":
        p.fail("a comma between brackets", p.tokens[p.pos], hint="write a vector as [a, b]")
    closing = p.expect(PARTNER[kind], token)
    if not printed:
        _check_grouping(p, token, inner)
    p.depth -= 1
    return widened(inner, token[2], closing[3])


def _check_grouping(p: Reader, token: Token, inner: Tree) -> None:
    """Braces are not printed: a power behind {-x} or {a b} shows as one of the last factor."""
    signed = p.source[inner.start] in "-−{"
    if inner.head not in ("add", "neg", "mul", "div", "num") or (bracketed(inner) and not signed):
        return
    total = inner.head in ("add", "neg") or (inner.head == "num" and signed)
    following = p.tokens[p.pos][0]
    raised = following == "^" and (total or inner.head != "num")
    if raised or (total and following in OPERAND_START and p.tokens[p.tokens.index(token) - 1][0] != "FUNC"):
        hint = "write \\left( \\right) around what belongs together"
        p.fail("these braces are not printed: what do they group?", token, "AMBIGUOUS", hint)


def braced(p: Reader, token: Token, _floor: int) -> Tree:
    r"""`\underbrace{W x}_{z}`: what stands over the brace; a name below it is defined by that, words are a remark."""
    opened = p.tokens[p.pos]
    if opened[0] != "{":
        p.unexpected(opened, "braces")
    p.pos += 1
    body = _grouped(p, opened, printed=True)
    if p.tokens[p.pos][0] != token[1]:
        return body
    opening, p.pos = p.pos + 1, p.pos + 1
    if p.tokens[opening][0] != "{":
        p.fail("what stands at a brace belongs into braces", p.tokens[opening], hint="as in \\underbrace{W x}_{z}")
    stop = p.partner(opening)
    if p.tokens[opening + 1][0] == NAME:
        p.pos = opening + 1
        name = p.expression(POSTFIX)
        if p.pos == stop and name.head in ("name", "index"):
            p.named.append(Tree("equation", (name, body), None, name.start, name.end))
    p.pos = stop
    p.expect("}", p.tokens[opening])
    return body


def indicated(condition: Tree, start: int, end: int) -> Tree:
    return Tree("indicator", (condition,), None, start, max(end, condition.end))


def indicator(p: Reader, token: Token) -> Tree:
    """The bracket after 1 holds a condition."""
    opened = p.tokens[p.pos]
    p.pos += 1
    p.deeper(opened)
    condition = p.condition()
    while p.tokens[p.pos][0] == ",":
        p.pos += 1
        other = p.condition()
        condition = Tree("and", (*conjuncts(condition), *conjuncts(other)), None, condition.start, other.end)
    closing = p.expect(PARTNER[opened[0]], opened)
    p.depth -= 1
    return indicated(condition, token[2], closing[3])


def conjuncts(condition: Tree) -> tuple[Tree, ...]:
    return condition.args if condition.head == "and" else (condition,)


def number(p: Reader, token: Token, _floor: int) -> Tree:
    _, value, start, end = token
    if value == 1 and p.tokens[p.pos][0] in OPENERS and p.source[start:end] == "1" and p.compares(p.pos):
        return indicator(p, token)
    return Tree("num", (), value, start, end)


def one(p: Reader, token: Token, _floor: int) -> Tree:
    """A bold one: an indicator if a condition follows, else the vector of ones; the words ones and zeros."""
    following = p.tokens[p.pos]
    if token[1] is not None:
        return Tree("call", (), token[1], token[2], token[3])
    if following[0] == "_" and p.tokens[p.pos + 1][0] == "{" and p.compares(p.pos + 1):
        p.pos += 1
        return indicator(p, token)
    if following[0] in BRACKETS and p.compares(p.pos):
        return indicator(p, token)
    return Tree("call", (), "ones", token[2], token[3])


def square(p: Reader, token: Token, _floor: int) -> Tree:
    """`[a, b; c, d]` is a literal; `[expression]` a bracket, or with indices below the tensor with those entries."""
    if listed.is_list(p, p.pos - 1):
        p.pos -= 1
        return listed.entries(p)
    p.deeper(token)
    if p.tokens[p.pos][0] == "]":
        p.fail("these brackets are empty", token)
    rows = _nested_rows(p) if p.tokens[p.pos][0] == "[" and not p.latex else None
    if rows is not None:
        closing = p.expect("]", token)
        p.depth -= 1
        return matrix(p, rows, token, closing, False)
    rows = [[p.value()]]
    if p.tokens[p.pos][0] == "for":
        return _listed(p, rows[0][0], token)
    if p.tokens[p.pos][0] in CONDITIONAL:
        condition = p.condition(rows[0][0])
        closing = p.expect("]", token)
        p.depth -= 1
        return indicated(condition, token[2], closing[3])
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
    indexed = p.tokens[p.pos][0] == "_" and not p.signed(p.pos + 1)
    return _assembled(p, inner) if indexed else inner


def _listed(p: Reader, body: Tree, token: Token) -> Tree:
    """`[f(i) for i in range(n)]`: the tensor with these entries."""
    from symgrad.notation.calls import comprehension

    run = comprehension(p, body)
    closing = p.expect("]", token)
    p.depth -= 1
    names: list[str] = []
    for binder in run.args[1:]:
        if binder.args[0].value != 0:
            p.fail("a list that begins later than at 0 is not read", binder)
        names += indices(binder)
    if len(names) > 1:
        p.fail("one for in a list", run, hint="write lists inside of lists")
    bounds = [binder.args[1].args[0] for binder in run.args[1:]]
    return Tree("assemble", (body, *bounds), tuple(names), token[2], closing[3])


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
    shape: tuple[object, ...] = (len(rows), width)
    if flat and 1 in shape:
        beside = width > 1 and any(literal(entry) is None for entry in entries)
        shape = (len(entries), None, "row") if beside else (len(entries), None)
    return Tree("array", entries, shape, first[2], last[3])


def _assembled(p: Reader, body: Tree) -> Tree:
    """`[body]_{ij}`: with plain letters below, the tensor whose entries are `body`."""
    place = p.pos
    p.pos += 1
    bounded = _bounded(p)
    if bounded is not None:
        names, bounds = bounded
        return Tree("assemble", (body, *bounds), names, body.start, p.tokens[p.pos - 1][3])
    label, indices = scripts.subscripts(p)
    if label is None and all(t.head == "name" for t in indices):
        end = p.tokens[p.pos - 1][3]
        used = {t.value for t in body.walk() if t.head == "name"}
        if used and body.head in ("name", "call", "mul", "transpose") and used.isdisjoint(t.value for t in indices):
            return Tree("index", (body, *indices), None, body.start, end)  # [W x]_i, in which i does not occur
        return Tree("assemble", (body,), tuple(str(t.value) for t in indices), body.start, end)
    p.pos = place
    return body


def _bounded(p: Reader) -> tuple[tuple[str, ...], list[Tree]] | None:
    r"""`{i \le n - 1, j \le m}` below a bracket: the letters and how far each runs; None for anything else."""
    opened = p.tokens[p.pos]
    if opened[0] != "{" or not p.compares(p.pos):
        return None
    p.pos += 1
    names: list[str] = []
    bounds: list[Tree] = []
    while True:
        name = p.tokens[p.pos]
        if name[0] != NAME:
            p.unexpected(name, "an index")
        p.pos += 1
        relation = p.tokens[p.pos]
        if relation[1] != "<=":
            p.unexpected(relation, "≤ and how far the index runs")
        p.pos += 1
        names.append(str(name[1]))
        bounds.append(p.expression(0))
        if p.tokens[p.pos][0] != ",":
            break
        p.pos += 1
    p.expect("}", opened)
    return tuple(names), bounds


def absolute(p: Reader, token: Token, _floor: int) -> Tree:
    p.deeper(token)
    inner = p.value()
    closing = p.expect(")|", token)
    p.depth -= 1
    return Tree("bars", (inner,), None, token[2], closing[3])


def norm(p: Reader, token: Token, _floor: int) -> Tree:
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
        tree = ordered_norm(p, inner, token[2])
    return tree if power is None else Tree("pow", (tree, power), "", token[2], p.tokens[p.pos - 1][3])


def _norm_below(p: Reader) -> bool:
    r"""Whether the order of the norm comes after its exponent, as in `\|x\|^2_2`."""
    place = p.pos + 1
    place = p.partner(place) + 1 if p.tokens[place][0] in OPENERS else place + 1
    return place < len(p.tokens) and p.tokens[place][0] == "_"


def ordered_norm(p: Reader, inner: Tree, start: int) -> Tree:
    """The norm whose order is written below: one of `NORMS`, or p for Σ|x_i|^p."""
    p.pos += 1
    opened = p.tokens[p.pos]
    braces = opened[0] == "{"
    p.pos += braces
    token = p.tokens[p.pos]
    raw = "inf" if token[0] == "const" else str(token[1]) if token[1] is not None else token[0]
    metric = token[0] == NAME and raw[:1].isupper() and (raw not in NORMS or raw in p.vocabulary.names)
    if metric:
        return _metric_norm(p, inner, opened if braces else None, start)
    if braces and p.tokens[p.pos + 1][0] == ",":
        return _mixed_norm(p, inner, opened, start)
    order = None if raw in NORMS and token[0] != ERROR else _order(p, token)
    p.pos += 1
    if braces:
        p.expect("}", opened)
    end = p.tokens[p.pos - 1][3]
    return (
        Tree("norm", (inner,), NORMS[raw], start, end)
        if order is None
        else Tree("norm", (inner, order), "p", start, end)
    )


def _metric_norm(p: Reader, inner: Tree, opened: Token | None, start: int) -> Tree:
    r"""`\|x\|_A` and `\|x\|_{\Sigma^{-1}}`, the root of x^T A x."""
    if opened is None:
        token = p.tokens[p.pos]
        metric = Tree("name", (), token[1], token[2], token[3])
        p.pos += 1
    else:
        metric = p.expression(0)
        p.expect("}", opened)
    end = p.tokens[p.pos - 1][3]
    row = Tree("transpose", (inner,), None, inner.start, inner.end)
    return Tree("call", (Tree("mul", (row, metric, inner), "", start, end),), "sqrt", start, end)


def _mixed_norm(p: Reader, inner: Tree, opened: Token, start: int) -> Tree:
    r"""`\|W\|_{2,1}` can stand on a left side; by itself it is of rows or of columns, as the paper has it."""
    order = p.expression(0)
    p.pos += 1
    other = p.expression(0)
    p.expect("}", opened)
    end = p.tokens[p.pos - 1][3]
    return Tree("norm", (inner, order, other), "mixed", start, end)


def _order(p: Reader, token: Token) -> Tree:
    """The p of a p-norm."""
    if token[0] == END:
        p.unexpected(token, "the order of the norm")
    if token[0] == NUM and token[1] > 0:
        return Tree("num", (), token[1], token[2], token[3])
    if token[0] == NAME and token[1] in ORDERS and token[1] not in p.bound:
        return Tree("name", (), token[1], token[2], token[3])
    hint = "norms are 1, 2, p, F, \\infty, * and max"
    return p.fail(f"the norm with {p.shown(token)} below is not known", token, hint=hint)


def angles(p: Reader, token: Token, _floor: int) -> Tree:
    p.deeper(token)
    left = p.expression(0)
    p.expect(",", token)
    right = p.expression(0)
    closing = p.tokens[p.pos]
    if closing[0] not in (")>", ">"):
        p.unexpected(closing, "⟩")
    p.pos += 1
    p.depth -= 1
    if p.tokens[p.pos][0] == "_" and p.tokens[p.pos + 1][1] == "F":
        p.pos += 2
    return Tree("inner", (left, right), None, token[2], closing[3])


def floored(p: Reader, token: Token, _floor: int) -> Tree:
    p.deeper(token)
    inner = p.expression(0)
    closing = p.expect(")floor", token)
    p.depth -= 1
    return Tree("call", (inner,), "floor", token[2], closing[3])


def environment(p: Reader, token: Token, _floor: int) -> Tree:
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
    if any(cell.head == listed.DOTS for row in rows for cell in row):
        flat = [cell for row in rows for cell in row] if len(rows[0]) == 1 else []
        return listed.vector(p, flat, token, closing[3])
    tree = matrix(p, rows, token, closing, len(rows[0]) == 1)
    heads = {"vmatrix": "bars", "Vmatrix": "norm"}
    if token[1] in heads:
        return Tree(heads[token[1]], (tree,), "" if token[1] == "Vmatrix" else None, token[2], closing[3])
    return tree


def _cell(p: Reader, condition: bool) -> Tree:
    if not condition:
        tree = listed.item(p) if p.tokens[p.pos][0] == listed.DOTS else p.value()
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
        found = Tree("and", (*conjuncts(found), *conjuncts(other)), None, found.start, other.end)
    return found


def _latex_cases(p: Reader, rows: list[list[Tree]], first: Token, last: Token) -> Tree:
    for row in rows:
        if len(row) != 2:
            p.fail("each case needs a value and a condition", row[0], hint="as in x & x > 0 \\\\ 0 & \\text{otherwise}")
    return Tree("cases", tuple(tree for row in rows for tree in row), None, first[2], last[3])


def text_cases(p: Reader, token: Token) -> Tree:
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


BRACKETS = frozenset(("(", "[", "\\{"))
