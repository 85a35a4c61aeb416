r"""Sums with an ellipsis: `q_1^2 + \cdots + q_n^2` is a sum over an index.

Contract: `series` compares the first and the last written term; where the first has the number 1 (or 0) the last must
have one and the same bound everywhere, and every further written term must fit.  Anything else is refused.
"""

from __future__ import annotations

from symgrad.notation.cursor import ADD, Reader
from symgrad.notation.syntax import Tree, fold

LETTERS = ("i", "j", "k", "l", "r", "s")


def series(p: Reader, terms: list[Tree], signs: list[int]) -> Tree:
    """The sum meant by the terms before the ellipsis and the one behind it; the cursor is on the dots."""
    dots = p.tokens[p.pos]
    p.pos += 1
    p.expect("+")
    last = p.expression(ADD + 1)
    bounds: list[tuple[Tree, Tree]] = []
    alike = differences(terms[0], last, bounds)
    clear = alike and bounds and all(b == bounds[0] for b in bounds) and set(signs) == {1}
    if not clear or not isinstance(bounds[0][0].value, int):
        p.fail(
            "an ellipsis leaves out what a computer must know",
            dots,
            hint="write the sum with its index: \\sum_{i=1}^n x_i^2",
        )
    lower, upper = bounds[0]
    used = {t.value for t in last.walk() if t.head == "name"} | set(p.bound)
    index = next(letter for letter in (*LETTERS, "index") if letter not in used)
    variable = Tree("name", (), index, dots[2], dots[3])
    body = body_of(terms[0], last, variable)
    for k, term in enumerate(terms[1:], 1):
        wanted = Tree("num", (), lower.value + k)  # type: ignore[operator]
        if substituted(body, variable, wanted) != term:
            p.fail("this term does not continue the series", term)
    binder = Tree("binder", (lower, upper), ((index,), "range"), dots[2], dots[3])
    return Tree("big", (body, binder), "sum", terms[0].start, last.end)


def differences(first: Tree, last: Tree, found: list[tuple[Tree, Tree]]) -> bool:
    """Collect where two terms differ: a number in the first against anything in the last."""
    stack = [(first, last)]
    while stack:
        a, b = stack.pop()
        if a == b:
            continue
        if a.head == "num" and a.value in (0, 1):
            found.append((a, b))
        elif a.head != b.head or a.value != b.value or len(a.args) != len(b.args):
            return False
        else:
            stack.extend(zip(a.args, b.args, strict=True))
    return True


def body_of(first: Tree, last: Tree, variable: Tree) -> Tree:
    """The first term with the index where it differs from the last."""
    if first == last:
        return first
    if first.head == "num":
        return variable
    args = tuple(body_of(a, b, variable) for a, b in zip(first.args, last.args, strict=True))
    return Tree(first.head, args, first.value, first.start, first.end)


def substituted(tree: Tree, variable: Tree, value: Tree) -> Tree:
    def combine(node: Tree, args: list[Tree]) -> Tree:
        return value if node == variable else Tree(node.head, tuple(args), node.value)

    return fold(tree, combine)
