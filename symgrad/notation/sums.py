r"""Sums, products and maxima over indices.

Contract: `big` reads `\sum_{i=1}^N`, `\sum_{j \neq y_i}`, `sum_j` and their bodies; a body is a product and stops at
+ and -.
"""

from __future__ import annotations

from symgrad.notation import scripts
from symgrad.notation.bars import OPENERS, OPERAND_START
from symgrad.notation.brackets import conjuncts
from symgrad.notation.cursor import PRODUCT, RELATIONS, Reader, is_number
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import NAME, NUM, WORD, Token


def big(p: Reader, token: Token, _floor: int) -> Tree:
    """A sum or product over indices; the body is a product and stops at + and -."""
    p.deeper(token)
    binders, bound = _binders(p)
    if not binders:
        return _whole_sum(p, token)
    before = len(p.bound)
    p.bound += bound
    body = p.expression(PRODUCT)
    del p.bound[before:]
    p.depth -= 1
    return Tree("big", (body, *binders), token[1], token[2], body.end)


def _whole_sum(p: Reader, token: Token) -> Tree:
    r"""`\sum (...)` and `\sum A \odot B` are sums of all entries; a sum of anything else needs its index."""
    following = p.tokens[p.pos]
    body = p.expression(PRODUCT) if following[0] in OPERAND_START else None
    if body is None or not (following[0] in OPENERS or _over_entries(body)):
        place = ("", None, token[3], token[3] + 1)
        p.fail(f"the index of this {token[1]} is missing", place, hint="as in \\sum_i x_i or \\sum_{i=1}^n x_i")
    p.depth -= 1
    return Tree("call", (body,), token[1], token[2], body.end)


def _over_entries(body: Tree) -> bool:
    r"""Whether it is clear without an index what is added up: `A \odot B`, `\operatorname{eig}(X)`."""
    inner = body.args[0] if body.head in ("pow", "call") and body.args else body
    eigenvalues = any(tree.head == "call" and tree.value == "eigvals" for tree in (body, inner))
    return eigenvalues or (body.head == "mul" and body.value == "odot")


def _binders(p: Reader) -> tuple[list[Tree], list[str]]:
    lower: tuple[list[Tree], list[str]] | None = None
    upper: Tree | None = None
    while p.tokens[p.pos][0] in ("_", "^"):
        mark = p.tokens[p.pos]
        p.pos += 1
        if mark[0] == "_" and lower is None:
            lower = _binder(p)
        elif mark[0] == "^" and upper is None:
            upper = _bound_above(p)
        else:
            p.fail("a second bound", mark)
    if lower is None:
        if upper is not None:
            p.fail("the index of this sum is missing", upper, hint="as in \\sum_{i=1}^n")
        return [], []
    binders, bound = lower
    _close_range(p, binders, upper)
    return binders, bound


def _close_range(p: Reader, binders: list[Tree], upper: Tree | None) -> None:
    """Put the upper bound where it belongs."""
    last = binders[-1]
    indices, kind = _index_kind(last)
    if kind == "range" and len(last.args) < 2:
        if upper is None:
            p.fail("the upper bound of this sum is missing", last, hint="as in \\sum_{i=1}^n")
        for k, one in enumerate(binders):
            binders[k] = Tree("binder", (one.args[0], upper), one.value, one.start, upper.end)
    elif upper is not None and kind == "where" and len(indices) == 1:
        index = Tree("name", (), indices[0], last.start, last.end)
        within = Tree("compare", (index, upper), "<=", last.start, upper.end)
        binders[-1] = Tree("binder", (*last.args, within), last.value, last.start, upper.end)
    elif upper is not None:
        if kind != "all" or len(indices) != 1:
            p.fail("this sum has no lower bound to go with it", upper)
        start = Tree("num", (), 1, last.start, last.end)
        binders[-1] = Tree("binder", (start, upper), (indices, "range"), last.start, upper.end)


def _index_kind(binder: Tree) -> tuple[tuple[str, ...], str]:
    assert isinstance(binder.value, tuple)
    indices, kind = binder.value
    return indices, kind


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
    return p.unexpected(token, "an upper bound")


def _binder(p: Reader) -> tuple[list[Tree], list[str]]:
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
    together = _together(p, inner)
    if together:
        p.pos += 2 * len(together)
        start = p.tokens[p.pos]
        p.pos += 1
        lower = p.expression(0)
        p.expect("}", opened)
        return [Tree("binder", (lower,), ((name,), "range"), start[2], lower.end) for name in together], together
    p.pos += 1
    binder, bound = _conditions(p)
    p.expect("}", opened)
    return [binder], bound


def _together(p: Reader, inner: list[Token]) -> list[str]:
    """The indices of `i,j=1`, which run alike."""
    end = next((k for k, token in enumerate(inner) if token[0] == "="), 0)
    pattern = [NAME, ","] * end
    if end < 3 or [t[0] for t in inner[:end]] != pattern[:end] or any(t[0] == "=" for t in inner[end + 1 :]):
        return []
    return [str(token[1]) for token in inner[:end:2]]


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
    r"""`i=1` begins a range; `j \neq y_i`, `i < j`, `j \neq y, j > 0` are conditions."""
    start = p.tokens[p.pos]
    left = p.expression(0)
    if p.tokens[p.pos][0] == "=" and left.head == "name":
        p.pos += 1
        lower = p.expression(0)
        if p.tokens[p.pos][0] in (",", "\\\\") and _excludes(p):
            return _excluding(p, left, lower, start)
        if p.tokens[p.pos][0] in RELATIONS or p.tokens[p.pos][0] == ",":
            p.fail("one range at a time", p.tokens[p.pos], hint="write two sums")
        return Tree("binder", (lower,), ((str(left.value),), "range"), start[2], lower.end), [str(left.value)]
    if p.tokens[p.pos][0] == "IN" and left.head == "name":
        last = _counting(p)
        if last is not None:
            ends = (Tree("num", (), 1, last.start, last.end), last)
            return Tree("binder", ends, ((str(left.value),), "range"), start[2], last.end), [str(left.value)]
    if p.tokens[p.pos][0] == "IN" and left.head == "name" and _is_whole_set(p):
        p.pos += 2
        name = str(left.value)
        p.notes.append(f"{name} runs over its whole axis: the set below the sum is given nowhere else")
        return Tree("binder", (), ((name,), "all"), start[2], p.tokens[p.pos - 1][3]), [name]
    if p.tokens[p.pos][0] == "IN":
        p.fail("a sum over a set cannot be read", p.tokens[p.pos], hint="write a range, as in \\sum_{i=1}^n")
    if p.tokens[p.pos][0] not in RELATIONS:
        p.unexpected(p.tokens[p.pos], "an index, a range or a condition")
    found = list(conjuncts(p.condition(left)))
    while p.tokens[p.pos][0] in (",", ";"):
        p.pos += 1
        found += conjuncts(p.condition())
    indices = _bound_by(p, found)
    if not indices:
        p.fail("which index does this sum run over?", start, hint="the condition should begin with it, as in j \\neq i")
    return Tree("binder", tuple(found), (indices, "where"), start[2], found[-1].end), list(indices)


def _excludes(p: Reader) -> bool:
    """Whether a condition follows the beginning of a range, as in `j=1, j \\neq i`."""
    following = p.tokens[p.pos + 2 : p.pos + 4]
    return any(token[0] in RELATIONS and token[0] != "=" and token[1] != "=" for token in following)


def _excluding(p: Reader, index: Tree, lower: Tree, start: Token) -> tuple[Tree, list[str]]:
    """The conditions of a range that leaves something out; where it begins is one of them."""
    name = str(index.value)
    found = [Tree("compare", (index, lower), ">=", start[2], lower.end)] if not is_number(lower, 1) else []
    while p.tokens[p.pos][0] in (",", "\\\\"):
        p.pos += 1
        found += conjuncts(p.condition())
    return Tree("binder", tuple(found), ((name,), "where"), start[2], found[-1].end), [name]


def _is_whole_set(p: Reader) -> bool:
    r"""Whether a calligraphic letter stands for all there is, as the E of `\sum_{i \in \mathcal{E}}`."""
    token = p.tokens[p.pos + 1]
    calligraphic = p.source.startswith(("\\mathcal", "\\mathscr"), token[2])
    once = all(t[1] != token[1] or t[0] != NAME or p.source.startswith("\\math", t[2]) for t in p.tokens)
    known = token[1] in p.vocabulary.names or token[1] in p.defined or token[1] in p.applied
    return token[0] == NAME and p.tokens[p.pos + 2][0] == "}" and calligraphic and once and not known


def _counting(p: Reader) -> Tree | None:
    r"""The n of `\in [n]`, the numbers from 1 to n; None for other sets."""
    opened, top, closed = p.tokens[p.pos + 1 : p.pos + 4]
    if opened[0] not in ("[", "entry[") or closed[0] != "]" or top[0] not in (NAME, NUM):
        return None
    p.pos += 4
    return Tree("num" if top[0] == NUM else "name", (), top[1], top[2], top[3])


def _bound_by(p: Reader, found: list[Tree]) -> tuple[str, ...]:
    """The indices that conditions introduce: the names on the left, and on the right of an ordering."""
    indices: dict[str, None] = {}
    for tree in found:
        left, right = tree.args
        if left.head == "name" and left.value not in p.bound:
            indices[str(left.value)] = None
        ordering = tree.value in ("<", "<=", ">", ">=")
        if (
            ordering
            and right.head == "name"
            and right.value in scripts.INDEX_LETTERS - {"n", "m"}
            and right.value not in p.bound
        ):
            indices[str(right.value)] = None
    return tuple(indices) or tuple(str(tree.args[0].value) for tree in found if tree.args[0].head == "name")
