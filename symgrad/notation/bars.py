r"""Which bars open and which close.

Contract: `resolve` turns every neutral bar token (``|`` and ``||``) into an opening or a closing one, by counting the
balanced readings of each bracket level: one reading is taken, several are refused (AMBIGUOUS), none is an error.
Explicit bars (`\lVert`, `\left|`) need no such care and never reach this module.
"""

from __future__ import annotations

from typing import Any

from symgrad.errors import InputError
from symgrad.notation.tokens import ENTRY, OPERAND_END, Token

MAX_NESTING = 6
OPENERS = frozenset(["(", "[", ENTRY, "{", "\\{", "<(", "|(", "||(", "floor("])
CLOSERS = frozenset([")", "]", "}", "\\}", ")>", ")|", ")||", ")floor"])
#: Bars do not reach across these.
FENCES = frozenset((
    ",", ";", "=", "rel", "<", ">", "newline", "&", "\\\\", "end", "error", "IN", "and", "if", "otherwise",
))  # fmt: skip
OPERAND_START = frozenset((
    "(", "[", "{", "\\{", "<(", "|(", "||(", "floor(", "NUM", "NAME", "WORD", "ONE", "FUNC", "BIG", "const", "FRAC",
    "SQRT", "BEGIN", "nabla", "partial", "BRACE",
))  # fmt: skip
HEADS = frozenset(("BIG", "FUNC", "nabla"))
MAX_SCRIPT = 60

OPEN, CLOSE, SPLIT = "open", "close", "split"
Stack = tuple[str, ...]
#: A reading so far: the newest role and the reading before it.
Reading = tuple[str, Any] | None


def resolve(source: str, tokens: list[Token]) -> list[Token]:
    """The tokens with every neutral bar replaced by the opening or closing bar it is."""
    roles: dict[int, str] = {}
    levels: list[list[int]] = [[]]
    for place, token in enumerate(tokens):
        kind = token[0]
        if kind in OPENERS or kind == "BEGIN":
            levels.append([])
        elif kind in CLOSERS or kind == "END":
            _settle(source, tokens, levels.pop() if len(levels) > 1 else [], roles)
        elif kind in FENCES:
            _settle(source, tokens, levels[-1], roles)
            levels[-1] = []
        elif kind in ("|", "||"):
            levels[-1].append(place)
    for level in levels:
        _settle(source, tokens, level, roles)
    return [piece for place, token in enumerate(tokens) for piece in _spelled(token, roles.get(place, ""))]


def _spelled(token: Token, role: str) -> list[Token]:
    kind, value, start, end = token
    if role == SPLIT:
        return [(")|", value, start, start + 1), ("|(", value, start + 1, end)]
    return [{OPEN: (kind + "(", value, start, end), CLOSE: (")" + kind, value, start, end)}.get(role, token)]


def _choices(tokens: list[Token], place: int) -> list[str]:
    """What the bar at `place` can be, from its two neighbours."""
    kind, before, after = tokens[place][0], tokens[place - 1][0] if place else "", tokens[place + 1][0]
    if (before not in OPERAND_END and before not in ("|", "||")) or _heads(tokens, place - 1):
        return [OPEN]
    starts = after in OPERAND_START or after in ("|", "||")
    return [CLOSE] + [OPEN] * starts + [SPLIT] * (starts and kind == "||")


def _heads(tokens: list[Token], place: int) -> bool:
    """Whether the scripts ending at `place` belong to a sum or a function: what follows is its body."""
    while place > 1:
        place -= 1 if tokens[place][0] != "}" else _width(tokens, place)
        if place < 1 or tokens[place][0] not in ("_", "^"):
            return False
        place -= 1
        if tokens[place][0] in HEADS:
            return True
    return False


def _width(tokens: list[Token], place: int) -> int:
    """How far back the brace closed at `place` begins, plus the mark before it; bounded, for scripts are short."""
    depth = 0
    for back in range(min(place, MAX_SCRIPT)):
        kind = tokens[place - back][0]
        depth += (kind == "}") - (kind == "{")
        if depth == 0:
            return back + 1
    return MAX_SCRIPT


def _settle(source: str, tokens: list[Token], places: list[int], roles: dict[int, str]) -> None:
    """Find the one balanced reading of the bars of a level."""
    if not places:
        return
    # stack of open bars -> two of the readings that lead to it: enough to tell one from many
    states: dict[Stack, list[Reading]] = {(): [None]}
    for k, place in enumerate(places):
        touching = k > 0 and places[k - 1] == place - 1
        following: dict[Stack, list[Reading]] = {}
        for stack, readings in states.items():
            for role in _choices(tokens, place):
                grown = _step(stack, tokens[place][0], role)
                if grown is None:
                    continue
                empty = touching and role != OPEN
                kept: list[Reading] = [(role, r) for r in readings if not (empty and r is not None and r[0] != CLOSE)]
                following.setdefault(grown, []).extend(kept)
        states = {stack: readings[:2] for stack, readings in following.items() if readings}
    found = states.get((), [])
    start, end = tokens[places[0]][2], tokens[places[-1]][3]
    if len(found) > 1:
        raise InputError(
            "these bars can be paired in more than one way", source=source, offset=start, end=end, code="AMBIGUOUS",
            hint="put brackets around the inner bars, as in |(|x| y)| or (|x|) y |z|",
        )  # fmt: skip
    if not found:
        raise _unbalanced(source, tokens, places)
    reading = found[0]
    for place in reversed(places):
        assert reading is not None
        roles[place], reading = reading


def _step(stack: Stack, kind: str, role: str) -> Stack | None:
    if role == OPEN:
        return (*stack, kind) if len(stack) < MAX_NESTING else None
    wanted = "|" if role == SPLIT else kind
    if not stack or stack[-1] != wanted:
        return None
    return stack if role == SPLIT else stack[:-1]


def _unbalanced(source: str, tokens: list[Token], places: list[int]) -> InputError:
    """Point at the bar that makes the level hopeless: the last one, or the lone one."""
    kinds = {tokens[place][0] for place in places}
    if len(kinds) == 2:
        hint = "a norm opens and closes with two bars: ||W x - y||^2"
    elif kinds == {"||"}:
        hint = "a norm needs an opening and a closing pair of bars"
    else:
        hint = "an absolute value needs an opening and a closing bar"
    kind, _, start, end = tokens[places[-1]]
    return InputError(f"the bars {kind!r} do not match", source=source, offset=start, end=end, hint=hint)
