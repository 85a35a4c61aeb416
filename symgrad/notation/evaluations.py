r"""Evaluation bars: `x^2 + y \big|_{x=3}`, `\left. x^2 \right|_{x=3, y=1}`.

Contract: `marked` finds the bars that say where something is evaluated and gives them a kind of their own (`AT`), so
that nobody pairs them; `at` puts the values in the places of the names.  What is evaluated is a product, or stands in
brackets.
"""

from __future__ import annotations

from symgrad.errors import InputError
from symgrad.notation.bars import CLOSERS, OPENERS
from symgrad.notation.cursor import POSTFIX, Reader, bracketed
from symgrad.notation.literals import indices
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.tokens import END, INVISIBLE, Token

AT = "AT"


def marked(source: str, tokens: list[Token]) -> list[Token]:
    """The tokens with evaluation bars marked, and with brackets in the place of `\\left.` and its bar."""
    opened: list[int] = []
    found = list(tokens)
    added: set[int] = set()
    for k, (kind, _, start, end) in enumerate(tokens):
        bar = kind in ("|", ")|") and _says_where(tokens, k + 1)
        if kind in OPENERS:
            opened.append(k)
        elif kind in CLOSERS:
            place = opened.pop() if opened else -1
            invisible = place >= 0 and tokens[place][1] == INVISIBLE
            if invisible and not bar:
                raise _unread(source, tokens[place])
            bar = bar and (invisible or place < 0)
            if invisible:
                added.add(k)
        if bar:
            found[k] = (AT, None, start, end)
    for place in opened:
        if tokens[place][1] == INVISIBLE:
            raise _unread(source, tokens[place])
    for k in sorted(added, reverse=True):
        found.insert(k, (")", None, found[k][2], found[k][2]))
    return found


def _unread(source: str, token: Token) -> InputError:
    message = "\\left. is read where \\right|_{x=...} closes it"
    return InputError(message, source=source, offset=token[2], end=token[3])


def _says_where(tokens: list[Token], place: int) -> bool:
    """Whether `_{x = ...}` stands at a place."""
    if place + 1 >= len(tokens) or tokens[place][0] != "_" or tokens[place + 1][0] != "{":
        return False
    depth = 0
    for kind, *_ in tokens[place + 1 : place + 40]:
        depth += (kind in OPENERS) - (kind in CLOSERS)
        if depth == 1 and kind == "=":
            return True
        if depth == 0 or kind == END:
            return False
    return False


def at(p: Reader, left: Tree, token: Token) -> Tree:
    """The infix handler: what stands before the bar, with the values below it."""
    if left.head == "add" and not bracketed(left):
        p.fail("is the whole sum evaluated, or its last term?", token, "AMBIGUOUS", "put brackets around it")
    if any(tree.head == "derivative" for tree in left.walk()):
        p.fail("derivatives are what symgrad computes: evaluate the result", token)
    opened = p.tokens[p.pos + 2]
    p.pos += 3
    values = [_value(p)]
    while p.tokens[p.pos][0] in (",", ";"):
        p.pos += 1
        values.append(_value(p))
    closing = p.expect("}", opened)
    found = _replaced(p, left, values)
    return Tree(found.head, found.args, found.value, left.start, closing[3])


def _value(p: Reader) -> tuple[Tree, Tree]:
    """`x = 3`: a name and its value."""
    name = p.expression(POSTFIX)
    if name.head not in ("name", "index"):
        p.fail("a name gets a value here, as in x = 3", name)
    p.expect("=")
    return name, p.expression(0)


def _replaced(p: Reader, tree: Tree, values: list[tuple[Tree, Tree]]) -> Tree:
    """The tree with the values for every occurrence of their names, all at once."""
    seen: list[Tree] = []
    names = {str(part.value) for pair in values for side in pair for part in side.walk() if part.head == "name"}

    def combine(node: Tree, args: list[Tree]) -> Tree:
        parts = (node, *node.args) if node.head in ("big", "assemble") else ()
        letters = {letter for part in parts if part.head in ("binder", "assemble") for letter in indices(part)}
        if letters & names:
            p.fail("an index of a sum gets a value here", values[0][0], "AMBIGUOUS")
        for name, value in values:
            if node == name:
                seen.append(name)
                return Tree(value.head, value.args, value.value, node.start, node.end)
        return Tree(node.head, tuple(args), node.value, node.start, node.end) if args else node

    found = fold(tree, combine)
    for name, _ in values:
        if not any(name is one for one in seen):
            p.fail("this does not occur in what is evaluated", name)
    return found
