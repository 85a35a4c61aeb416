"""The cursor over tokens: Pratt's loop, brackets, conditions, depth, and errors that know their place.

Contract: a `Reader` owns one source.  Handlers live in tables that `parser` builds: a prefix handler takes (reader,
token, floor) with the cursor past the token; an infix handler takes (reader, left, token) with the cursor on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from symgrad.errors import InputError, LimitError
from symgrad.notation.bars import CLOSERS, OPENERS, OPERAND_START
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import (
    END,
    ENTRY,
    ERROR,
    MAX_DEPTH,
    MAX_LENGTH,
    NAME,
    NEWLINE,
    NEXT,
    NUM,
    Token,
    Vocabulary,
)

Prefix = Callable[["Reader", Token, int], Tree]
Infix = Callable[["Reader", Tree, Token], Tree]

#: Binding powers, loosest first.
ADD, PRODUCT, JUXTAPOSED, FACTOR, POWER, ARGUMENT, POSTFIX = 50, 60, 70, 71, 90, 95, 100

#: How many end tokens stand behind the last one, so that lookahead needs no bounds.
PADDING = 5
#: What ends a formula.
ENDS = frozenset((END, ",", ";", NEWLINE, "\\\\", "where"))
#: Begins a condition behind a whole formula, as in `p_k (k ≠ y)`.
GIVEN = "given"
RELATIONS = frozenset(("rel", "<", ">", "="))
PARTNER = {
    "(": ")", "[": "]", ENTRY: "]", "{": "}", "\\{": "\\}", "<(": ")>", "|(": ")|", "||(": ")||", "floor(": ")floor",
}  # fmt: skip
SHOWN = {
    "\\{": "\\{", "\\}": "\\}", ")>": "⟩", ")|": "|", ")||": "||", ")floor": "⌋", "rel": "a comparison", "}": "}",
}  # fmt: skip


class Reader:
    """One source being read."""

    __slots__ = (
        "_bare", "_partners", "applied", "bound", "defined", "depth", "infix", "last", "latex", "named", "notes", "pos",
        "prefix", "source", "tokens", "truncated", "vocabulary",
    )  # fmt: skip

    def __init__(self, source: str, tokens: list[Token], vocabulary: Vocabulary, latex: bool, truncated: bool) -> None:
        self.source = source
        self.tokens = tokens
        self.vocabulary = vocabulary
        self.latex = latex
        self.truncated = truncated
        self.pos = 0
        self.last = len(tokens) - PADDING  # the place of the end
        self.depth = 0
        self.bound: list[str] = []
        self.notes: list[str] = []
        self.named: list[Tree] = []  # definitions below braces
        self.defined: frozenset[str] = frozenset()  # functions of the source: g in g(z) = ...
        self.applied: frozenset[str] = frozenset()  # other names it defines: R in R = ||W||^2
        self.prefix: Mapping[str, Prefix] = {}
        self.infix: Mapping[str, tuple[int, Infix]] = {}
        self._partners: dict[int, int] | None = None
        self._bare: frozenset[str] | None = None

    # expressions

    def expression(self, floor: int) -> Tree:
        """The longest expression whose operators bind at least as tightly as `floor`."""
        tokens = self.tokens
        token = tokens[self.pos]
        prefix = self.prefix.get(token[0])
        if prefix is None:
            self.unexpected(token, "an expression")
        self.pos += 1
        left = prefix(self, token, floor)
        infix = self.infix
        for _ in range(MAX_DEPTH):
            token = tokens[self.pos]
            rule = infix.get(token[0])
            if rule is None or rule[0] < floor:
                return left
            left = rule[1](self, left, token)
        return self.too_deep(tokens[self.pos])

    def value(self) -> Tree:
        """An expression, or Python's `a if c else b`."""
        first = self.expression(0)
        kind = self.tokens[self.pos][0]
        if kind not in ("if", GIVEN):
            return first
        opened = self.tokens[self.pos]
        self.pos += 1
        condition = self.condition()
        if kind == GIVEN and self.source[opened[2]] == "(":
            self.expect(")", opened)
        if kind == GIVEN or (not self.depth and self.latex and self.tokens[self.pos][0] in ENDS):
            return Tree("restricted", (first, condition), None, first.start, condition.end)
        self.expect("else")
        other = self.value()
        otherwise = Tree("otherwise", (), None, other.end, other.end)
        return Tree("cases", (first, condition, other, otherwise), None, first.start, other.end)

    def condition(self, left: Tree | None = None) -> Tree:
        """Comparisons joined by `and`, `&` or chained as in `-1 < x < 1`."""
        first = self.comparison(left)
        found = [first]
        while self.tokens[self.pos][0] in ("and", "&"):
            self.pos += 1
            found.append(self.comparison())
        return found[0] if len(found) == 1 else Tree("and", _conjuncts(found), None, first.start, found[-1].end)

    def comparison(self, left: Tree | None = None) -> Tree:
        left = self.expression(0) if left is None else left
        found: list[Tree] = []
        while self.tokens[self.pos][0] in RELATIONS:
            kind, relation, _, _ = self.tokens[self.pos]
            if relation == NEXT:
                self.fail("a new value where a comparison is wanted", self.tokens[self.pos], hint="compare with =")
            self.pos += 1
            right = self.expression(0)
            found.append(Tree("compare", (left, right), relation or kind, left.start, right.end))
            left = right
        if not found:
            if left.head == "indicator":
                return left.args[0]
            self.fail("a condition needs a comparison", self.tokens[self.pos], hint="as in x > 0 or k = y_i")
        return found[0] if len(found) == 1 else Tree("and", tuple(found), None, found[0].start, found[-1].end)

    # brackets and lookahead

    def deeper(self, token: Token) -> None:
        """Count one more level; the caller subtracts it again."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.too_deep(token)

    def expect(self, kind: str, opened: Token | None = None) -> Token:
        token = self.tokens[self.pos]
        if token[0] != kind:
            hint = f"the bracket opened at column {self.column(opened)}" if opened is not None else ""
            self.unexpected(token, SHOWN.get(kind, kind), hint)
        self.pos += 1
        return token

    def partner(self, place: int) -> int:
        """The place of the token that closes the bracket at `place`, or of the end."""
        if self._partners is None:
            self._partners, stack = {}, []
            for k, token in enumerate(self.tokens):
                if token[0] in OPENERS:
                    stack.append(k)
                elif token[0] in CLOSERS and stack:
                    self._partners[stack.pop()] = k
        return self._partners.get(place, self.last)

    def inside(self, place: int) -> list[str]:
        """The kinds of the tokens directly inside the bracket at `place`, nested brackets left out."""
        kinds, stop, k = [], self.partner(place), place + 1
        while k < stop:
            kinds.append(self.tokens[k][0])
            k = self.partner(k) + 1 if self.tokens[k][0] in OPENERS else k + 1
        return kinds

    def compares(self, place: int) -> bool:
        """Whether the bracket at `place` holds a condition, perhaps between brackets of its own."""
        while self.tokens[place + 1][0] in OPENERS and self.partner(place + 1) == self.partner(place) - 1:
            place += 1
        return any(kind in RELATIONS for kind in self.inside(place))

    def signed(self, place: int) -> bool:
        """Whether + or - stands alone as a script: `[z]_+`, `k_{-}`; that of `x_-1` and `X^-T` does not."""
        braced = self.tokens[place][0] == "{"
        sign, following = self.tokens[place + braced], self.tokens[place + braced + 1]
        if sign[0] not in ("+", "-"):
            return False
        if braced:
            return following[0] == "}"
        return following[2] > sign[3] or following[0] in ("+", "-") or following[0] not in OPERAND_START | {"TOP", "'"}

    def bare(self, name: str) -> bool:
        """Whether the name also occurs without a bracket behind it."""
        if self._bare is None:
            pairs = zip(self.tokens, self.tokens[1:], strict=False)
            self._bare = frozenset(a[1] for a, b in pairs if a[0] == NAME and b[0] not in ("(", "'"))
        return name in self._bare

    # errors

    def column(self, token: Token) -> int:
        return token[2] - self.source.rfind("\n", 0, token[2])

    def shown(self, token: Token) -> str:
        if token[0] == END:
            return "the end"
        if token[0] == NEWLINE:
            return "the end of the line"
        return repr(self.source[token[2] : min(token[3], token[2] + 30)])

    def unexpected(self, token: Token, wanted: str, hint: str = "") -> NoReturn:
        """Complain that `wanted` is missing where `token` stands."""
        if token[0] == ERROR:
            raise token[1]
        if token[0] == END and self.truncated:
            raise too_long(self.source)
        self.fail(f"expected {wanted}, found {self.shown(token)}", token, hint=hint)

    def fail(
        self,
        message: str,
        place: Token | Tree,
        code: str = "PARSE",
        hint: str = "",
        kind: type[InputError] = InputError,
    ) -> NoReturn:
        start, end = (place.start, place.end) if isinstance(place, Tree) else (place[2], place[3])
        if not isinstance(place, Tree) and place[0] == ERROR:
            raise place[1]
        raise kind(message, source=self.source, offset=start, end=end, hint=hint, code=code)

    def too_deep(self, token: Token) -> NoReturn:
        self.fail(f"nested more than {MAX_DEPTH} levels deep", token, "LIMIT_DEPTH", kind=LimitError)


def _conjuncts(found: list[Tree]) -> tuple[Tree, ...]:
    return tuple(part for tree in found for part in (tree.args if tree.head == "and" else (tree,)))


def too_long(source: str) -> LimitError:
    message = f"a source may have {MAX_LENGTH} characters, this one has {len(source)}"
    return LimitError(message, source=source[:MAX_LENGTH], offset=0, end=1, code="LIMIT_LENGTH")


def is_number(tree: Tree, value: int) -> bool:
    return tree.head == "num" and tree.value == value


def widened(tree: Tree, start: int, end: int) -> Tree:
    """The tree with the span of the brackets around it: that is how later rules know it was bracketed."""
    tree.start, tree.end = start, end
    return tree


def bracketed(tree: Tree) -> bool:
    """Whether brackets stand around a product or sum."""
    return tree.start < tree.args[0].start if tree.args else False


__all__ = [
    "ADD", "ARGUMENT", "FACTOR", "JUXTAPOSED", "NAME", "NUM", "PADDING", "PARTNER", "POSTFIX", "POWER", "PRODUCT",
    "RELATIONS", "Infix",
    "Prefix", "Reader", "bracketed", "is_number", "too_long", "widened",
]  # fmt: skip
