r"""Lists with dots that say what they leave out: `(2x_1, \ldots, 2x_n)`, `[\ldots, 1/x_i, \ldots]`.

Contract: a list is a vector.  Its entries are one term with an index (dots on both sides), one number, or the terms
between a first one with the number 1 and a last one with the same bound in the same places, as `series` compares them;
every further written term must fit.  Anything else is refused: what a list leaves out is never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.notation.cursor import JUXTAPOSED, PARTNER, Reader
from symgrad.notation.series import body_of, differences, substituted
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import Token

DOTS = "dots"
#: Letters that count entries in a term between dots.
COUNTING = frozenset("ijklmnrst")


def is_list(p: Reader, place: int) -> bool:
    """Whether the bracket at `place` holds entries and dots for entries."""
    kinds = p.inside(place)
    if DOTS not in kinds:
        return False
    before = [",", *kinds]
    return any(kind == DOTS and before[k] in (",", ";") for k, kind in enumerate(kinds))


def entries(p: Reader) -> Tree:
    """The vector listed in the bracket that opens at the cursor; a transpose behind it changes nothing."""
    opened = p.tokens[p.pos]
    p.deeper(opened)
    floor = 0 if "," in p.inside(p.pos) else JUXTAPOSED + 1
    p.pos += 1
    items: list[Tree] = []
    while p.tokens[p.pos][0] != PARTNER[opened[0]]:
        items.append(item(p, floor))
        p.pos += p.tokens[p.pos][0] == ","
    closing = p.expect(PARTNER[opened[0]], opened)
    p.depth -= 1
    found = vector(p, items, opened, closing[3])
    _skip_transpose(p)
    return found


def item(p: Reader, floor: int = 0) -> Tree:
    """One entry, or dots."""
    token = p.tokens[p.pos]
    if token[0] == DOTS:
        p.pos += 1
        return Tree(DOTS, (), None, token[2], token[3])
    return p.expression(floor)


def _skip_transpose(p: Reader) -> None:
    kinds = [token[0] for token in p.tokens[p.pos : p.pos + 4]]
    top = kinds[:1] == ["^"] and p.tokens[p.pos + 1 + (kinds[1] == "{")]
    if kinds[:1] in (["'"], ["TOP"]):
        p.pos += 1
    elif top and (top[0] == "TOP" or top[1] == "T"):
        p.pos += 4 if kinds[1] == "{" else 2


def vector(p: Reader, items: Sequence[Tree], first: Token, end: int) -> Tree:
    """The tree of a list with dots."""
    written = [entry for entry in items if entry.head != DOTS]
    shape = [entry.head == DOTS for entry in items]
    found = None
    if shape == [True, False, True]:
        found = _of_one_term(written[0])
    elif shape.count(True) == 1 and not shape[0] and not shape[-1]:
        found = _of_terms(p, written, len(items) - 1 - shape.index(True))
    if found is None:
        p.fail("the dots leave out what nothing here says", first, "AMBIGUOUS", "write the entries with an index")
    found.start, found.end = first[2], end
    return found


def _of_one_term(term: Tree) -> Tree | None:
    """[…, a_i, …]: the index is the one letter that stands below names."""
    below = {str(t.value) for part in term.walk() if part.head == "index" for t in part.args[1:] if t.head == "name"}
    letters = [letter for letter in below if letter in COUNTING]
    return Tree("assemble", (term,), (letters[0],)) if len(letters) == 1 == len(below) else None


def _of_terms(p: Reader, written: Sequence[Tree], behind: int) -> Tree | None:
    """[a_1, a_2, …, a_n]; one term stands behind the dots, unless all are the same number."""
    first, last = written[0], written[-1]
    if all(term == first for term in written):
        if any(part.head == "name" for part in first.walk()):
            return None
        return Tree("mul", (first, Tree("call", (), "ones")), "")
    bounds: list[tuple[Tree, Tree]] = []
    if behind != 1 or not differences(first, last, bounds) or any(bound != bounds[0] for bound in bounds):
        return None
    lower, upper = bounds[0]
    used = {t.value for t in last.walk() if t.head == "name"} | set(p.bound)
    letter = next((letter for letter in sorted(COUNTING) if letter not in used), None)
    if lower.value != 1 or letter is None:
        return None
    index = Tree("name", (), letter, lower.start, lower.end)
    body = body_of(first, last, index)
    fits = (substituted(body, index, Tree("num", (), k)) == term for k, term in enumerate(written[:-1], 1))
    return Tree("assemble", (body, upper), (letter,)) if all(fits) else None
