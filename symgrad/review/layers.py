r"""Layers and steps of time in documents: `z^l = W^l a^{l-1} + b^l`, `z^{[2]}`, `h_t = \tanh(W h_{t-1})`.

Contract: `networks(document)` gives the document once for each network it is read of.  A document that runs over no
layer is given once, with the layers that it plainly numbers (`z^1`, `z^2`) written in brackets; one that speaks of a
layer `l` is written out for networks of 2 and 3 layers, or of as many as it numbers itself, and a statement about `l`
is repeated for every `l` at which all that it mentions exists.  A superscript is a layer where the document defines
`z^l` from a member with `l-1`, or several numbers of one name and never the name alone; everything else stays a power.
A loss that nobody defines is a linear function of the last layer with free coefficients: for first derivatives that is
any function.  An activation `g` that nobody defines is softplus, whose derivative is none of its
powers.  Places stay those of
the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symgrad.notation.names import LATEX_GREEK, canonical
from symgrad.review.document import Chain, Document, Side
from symgrad.review.macros import Expanded

DEPTHS = (2, 3)
MAX_DEPTH = 8
TOPS = {"l": "L", "ell": "L", "t": "T"}
#: Letters that are layers without brackets, if the document says so elsewhere.
OPEN = frozenset(("l", "ell", "L", "t"))
_GREEK = "|".join(sorted(LATEX_GREEK, key=len, reverse=True))
_FONT = r"\\(?:mathbf|boldsymbol|bm|mathrm|vec|hat|bar|tilde|mathit)\s*\{\s*\\?[A-Za-z]+\s*\}"
_STEM = rf"(?P<stem>{_FONT}|\\(?:{_GREEK})(?![A-Za-z])|(?:(?<![A-Za-z\\])|(?<=(?<![A-Za-z\\])d))[A-Za-z](?![A-Za-z])"
_STEM += "|[α-ωΑ-Ω])"
_BELOW = r"(?P<below>_(?:\{[^{}]*\}|[A-Za-z0-9]))?"
_NUMBER = r"(?P<letter>\\ell|[A-Za-z])?\s*(?P<sign>[+-])?\s*(?P<number>\d+)?"
_ABOVE = re.compile(
    rf"{_STEM}\s*{_BELOW}\s*\^\s*(?:\{{\s*(?P<open>[\[(])?\s*{_NUMBER}\s*(?(open)[\])])\s*"
    rf"(?P<mark>T|\\top|\\intercal)?\s*\}}"
    r"|(?P<bare>\\ell(?![A-Za-z])|[A-Za-z0-9]))"
)
_UNDER = re.compile(rf"{_STEM}\s*_\s*(?:\{{\s*{_NUMBER}\s*\}}|(?P<bare>[A-Za-z0-9]))(?P<power>\s*\^)?")
_TRAILING = re.compile(r"(?<=[}\w])\s*_\s*(?:\{[^{}]*\}|\w)$")
_SUM = (
    r"\\?sum\s*_\s*(?:\{{\s*{0}\s*(?:=\s*(?P<first>\d+)\s*)?\}}|{0}(?![A-Za-z]))"
    r"(?:\s*\^\s*(?:\{{\s*(?P<last>\w+)\s*\}}|(?P<end>\w)))?"
)
_LOSS = re.compile(
    r"\\frac\s*\{\s*\\partial\s*(\\mathcal\s*\{[A-Z]\}|\\ell|[A-Za-z])\s*\}|∂([A-Za-z])/∂|(?<![A-Za-z\\])d([A-Z])/d"
    r"|\\nabla\s*_\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|\w)\s*(\\mathcal\s*\{[A-Z]\}|\\ell|[A-Za-z])(?![A-Za-z^_])"
)
_SECOND = re.compile(r"\\partial\s*\^|\\nabla\s*(?:_\s*(?:\{[^{}]*\}|\w)\s*)?\^|∂\^|∂²")
_UNKNOWN = re.compile(r"(?<![A-Za-z\\])([gfh]|\\phi|\\varphi|φ)\s*'\s*\(")
ACTIVATION = "softplus"


@dataclass(frozen=True, slots=True)
class Member:
    """A name with a layer: its stem, the letter that runs (`""` for a number), and what is added to it."""

    stem: str
    letter: str
    shift: int
    start: int
    end: int
    below: str = ""
    mark: str = ""
    closed: bool = False


@dataclass(slots=True)
class Network:
    """How a document is written out: the letter, how members are spelled, and how many layers there are."""

    letter: str = ""
    under: bool = False
    numbered: frozenset[str] = frozenset()  # stems whose bare numbers are layers
    depth: int = 0
    top: str = ""
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # stems with members that the document numbers
    activations: tuple[str, ...] = ()  # that nobody defines

    def members(self, text: str) -> Iterator[Member]:
        """What carries a layer in a text, with anything that only may."""
        for found in (_UNDER if self.under else _ABOVE).finditer(text):
            member = _member(found)
            if member is not None and self.takes(member):
                yield member

    def takes(self, member: Member) -> bool:
        if member.stem == "e":
            return False
        if member.letter:
            return member.letter in (self.letter, self.top)
        return member.stem in self.numbered and not (member.closed and not self.letter)


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is read of one network, what to say of that, and the shapes that are guessed for it."""

    document: Document
    told: str = ""
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def networks(document: Document) -> list[Written]:
    """The document as it is read of each network."""
    chains = [_text(document, chain) for chain in document.chains]
    network = _network(chains, under=False) or _network(chains, under=True)
    if network is None:
        stems = _plainly_numbered(chains)
        return [Written(_spelled(document, Network(numbered=stems)) if stems else document)]
    if network.depth > MAX_DEPTH:
        return [Written(document)]
    depths = (network.depth,) if network.depth else DEPTHS
    thing = "steps" if network.under else "layers"
    told = f"checked for {' and '.join(map(str, depths))} {thing}"
    found = []
    for depth in depths:
        whole = replace(network, depth=depth, activations=_activations(chains))
        added = _added(chains, whole, document.syntax)
        said = [f"{name} as {ACTIVATION}, since nothing says what it is" for name in whole.activations]
        words = ", ".join([told, *(words for _, words in added), *said])
        found.append(Written(_spelled(document, whole, added), words, _weights(chains, whole)))
    return found


def _text(document: Document, chain: Chain) -> list[str]:
    return [document.text(side) for side in chain.sides]


def _member(found: re.Match[str]) -> Member | None:
    """The member that a match spells, in whatever way."""
    named = found.groupdict()
    stem = re.sub(r"\s", "", named["stem"])
    below, mark = named.get("below") or "", named.get("mark") or ""
    if named["bare"] is not None:
        bare = named["bare"].lstrip("\\")
        letter, shift = ("", int(bare)) if bare.isdigit() else (bare, 0)
        return Member(stem, letter, shift, *found.span(), below, mark)
    letter, sign, number = (named["letter"] or "").lstrip("\\"), named["sign"], named["number"]
    if (letter and bool(sign) != bool(number)) or (not letter and (sign or not number)):
        return None
    shift = int(number or 0) * (-1 if sign == "-" else 1)
    return Member(stem, letter, shift, *found.span(), below, mark, bool(named.get("open")))


def _left(sides: Sequence[str], pattern: re.Pattern[str]) -> Member | None:
    """The member that a chain says something about: `z^l` of `z^l = ...`."""
    if len(sides) < 2:
        return None
    side = sides[0].strip()
    found = pattern.fullmatch(side if pattern is _UNDER else _TRAILING.sub("", side))
    return _member(found) if found is not None else None


def _network(chains: Sequence[Sequence[str]], under: bool) -> Network | None:
    """The running letter of a document, if a definition with it needs the layer before, or numbers stand for it."""
    pattern = _UNDER if under else _ABOVE
    every = [m for sides in chains for side in sides for f in pattern.finditer(side) if (m := _member(f)) is not None]
    lefts = [m for sides in chains if (m := _left(sides, pattern)) is not None]
    for letter, top in TOPS.items():
        if under and letter != "t":
            continue
        running = {
            m.stem for m in lefts
            if m.letter == letter and m.shift in ((0,) if under else (0, 1)) and (m.closed or letter in OPEN)
        }  # fmt: skip
        before = any(m.stem in running for _, m in _handed(chains, pattern, letter))
        stems = frozenset(m.stem for m in every if m.letter in (letter, top) and m.stem != "e")
        numbers = {m.shift for m in every if not m.letter and m.stem in stems}
        defined = [m for m in lefts if not m.letter and m.shift > 0]
        if not running or not (before or (not under and len(defined) > 1)):
            continue
        stems |= _plainly_numbered(chains) if not under else frozenset()
        depth = max([*numbers, *(m.shift for m in defined if m.stem in stems)], default=0)
        limits = {
            stem: (min(own), max(own)) for stem in stems if (own := [m.shift for m in defined if m.stem == stem])
        }  # fmt: skip
        return Network(letter, under, stems, depth if depth > 1 else 0, top, {} if before else limits)
    return None


def _handed(
    chains: Sequence[Sequence[str]], pattern: re.Pattern[str], letter: str
) -> Iterator[tuple[Member, Member]]:  # fmt: skip
    """What is defined, with what it needs of the layer before: z^l and a^{l-1}, or z^{l+1} and a^l."""
    for sides in chains:
        left = _left(sides, pattern)
        for side in sides[1:] if left is not None and left.letter == letter else ():
            for found in pattern.finditer(side):
                member = _member(found)
                if left and member and (member.letter, member.shift) == (letter, left.shift - 1):
                    yield left, member


def _plainly_numbered(chains: Sequence[Sequence[str]]) -> frozenset[str]:
    """The stems whose bare numbers above are layers: several of one name are defined, and it never stands alone."""
    defined: dict[str, set[int]] = {}
    used: dict[str, set[int]] = {}
    alone: set[str] = set()
    for sides in chains:
        left = _left(sides, _ABOVE)
        if left is not None and not left.letter and not left.closed:
            defined.setdefault(left.stem, set()).add(left.shift)
        for side in sides:
            alone |= _alone(side)
            for found in _ABOVE.finditer(side):
                member = _member(found)
                if member is not None and not member.letter and not member.closed:
                    used.setdefault(member.stem, set()).add(member.shift)
    if not any(len(numbers) > 1 and stem not in alone for stem, numbers in defined.items()):
        return frozenset()
    largest = max(max(numbers) for stem, numbers in defined.items() if len(numbers) > 1)
    return frozenset(s for s, numbers in used.items() if s not in alone | {"e"} and max(numbers) <= largest)


def _alone(text: str) -> set[str]:
    """The letters that stand in a text without anything above them."""
    rest = _ABOVE.sub(lambda found: " " * len(found[0]), text)
    return {re.sub(r"\s", "", found[0]) for found in re.finditer(_STEM, rest)}


# --- writing out ------------------------------------------------------------------------------------------------------


class _Writer:
    """A text that grows, and where each of its characters came from."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.spans = document.expanded.spans
        self.pieces: list[str] = []
        self.origins: list[tuple[int, int]] = []

    @property
    def place(self) -> int:
        return len(self.origins)

    def text(self, side: Side) -> str:
        return "".join(self.pieces)[side.start : side.end].strip()

    def copy(self, start: int, end: int, activations: Sequence[str] = ()) -> None:
        for name in activations:
            called = re.compile(rf"(?<![A-Za-z\\]){re.escape(name)}(?=\s*'*\s*\()")
            found = called.search(self.document.clean, start, end)
            if found is not None:
                self.copy(start, found.start(), activations)
                said = rf"\operatorname{{{ACTIVATION}}}" if self.document.syntax == "latex" else ACTIVATION
                self.say(said, *found.span())
                return self.copy(found.end(), end, activations)
        self.pieces.append(self.document.clean[start:end])
        self.origins += self.spans[start:end]
        return None

    def say(self, text: str, start: int, end: int) -> None:
        """Something else in the place of a span."""
        last = max(start, end - 1)
        whole = (self.spans[start][0], self.spans[last][1]) if last < len(self.spans) else (0, 0)
        self.pieces.append(text)
        self.origins += [whole] * len(text)

    def side(self, side: Side, network: Network, value: int) -> Side:
        """A side with its members at the layer `value`."""
        before = self.place
        self.span(side.start, side.end, network, value)
        given, after = side.given, self.place
        if given is not None:
            start = self.place
            self.span(given.start, given.end, network, value)
            given = Side(start, self.place)
        return Side(before, after, given)

    def span(self, start: int, end: int, network: Network, value: int) -> None:
        text = self.document.clean[start:end]
        sums = re.search(_SUM.format(network.letter), text) if network.letter else None
        if sums is not None:
            self.members(start, start + sums.start(), network, value)
            stop = start + _term_end(text, sums.end())
            last = sums["last"] or sums["end"] or network.top
            final = network.depth if last == network.top else int(last) if last.isdigit() else 0
            for k in range(int(sums["first"] or 1), final + 1):
                self.say("(" if k == int(sums["first"] or 1) else " + ", start + sums.start(), start + sums.end())
                self.members(start + sums.end(), stop, network, k)
            self.say(")", stop - 1, stop)
            start = stop
        self.members(start, end, network, value)

    def members(self, start: int, end: int, network: Network, value: int) -> None:
        place = start
        for member in network.members(self.document.clean[start:end]):
            self.copy(place, start + member.start, network.activations)
            place = start + member.end
            at = {"": 0, network.letter: value, network.top: network.depth}[member.letter] + member.shift
            said = f"{member.stem}{member.below}^{{({at}){member.mark}}}"
            if self.document.clean[place - 1] == "^":  # h_t^2
                said = f"{{{said}}}^"
            self.say(said, start + member.start, place)
        self.copy(place, end, network.activations)


def _term_end(text: str, start: int) -> int:
    """Where the term ends that begins at `start`: at a sign or a bracket that closes more than opened."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth < 0 or (depth == 0 and text[place] in "+-" and text[start:place].strip()):
            return place
    return len(text)


def _spelled(document: Document, network: Network, added: Sequence[tuple[tuple[str, str], str]] = ()) -> Document:
    """The document with every member spelled with a number in brackets, statements about a layer repeated."""
    writer = _Writer(document)
    chains: list[Chain] = []
    instances: dict[int, str] = {}
    place = 0
    for (left, right), _ in added:
        writer.say(f"{left} = {right}", 0, 0)
        middle = writer.place - len(right)
        first = Side(writer.place - len(right) - len(left) - 3, middle - 3)
        chains.append(Chain([first, Side(middle, writer.place)], ["="]))
        instances[first.start] = ADDED
        writer.say("\n", 0, 0)
    for chain in document.chains:
        writer.copy(place, max(place, chain.sides[0].start))
        for value in _values(_text(document, chain), network):
            sides = []
            for side in chain.sides:
                sides.append(writer.side(side, network, value))
                writer.say(" = ", side.end - 1, side.end)
            if len(sides) == 2 and writer.text(sides[0]) == writer.text(sides[1]) and network.depth:
                continue  # a^L = a^3
            chains.append(Chain(sides, list(chain.relations), chain.inline))
            if value:
                instances[sides[0].start] = f"{network.letter} = {value} of {network.depth}"
        last = chain.sides[-1]
        place = max(place, (last.given or last).end)
    writer.copy(place, len(document.clean))
    text = "".join(writer.pieces)
    return replace(
        document, source=text, clean=text, chains=tuple(chains), expanded=Expanded(text, tuple(writer.origins)),
        instances=instances,
    )  # fmt: skip


ADDED = "added"


def _values(sides: Sequence[str], network: Network) -> list[int]:
    """The layers at which all that a chain mentions exists; 0 where it mentions no running layer."""
    if not network.letter:
        return [0]
    summed = [re.sub(_SUM.format(network.letter), "", side) for side in sides]
    whole = any(re.search(_SUM.format(network.letter), side) for side in sides)
    found = [m for side in summed for m in network.members(side) if m.letter == network.letter]
    if not found or whole:
        return [0]
    shifts = [m.shift for m in found]
    values = [n for n in range(1, network.depth + 1) if n + min(shifts) >= 0 and n + max(shifts) <= network.depth]
    within = [m for m in found if m.stem in network.limits]
    return [n for n in values if all(_exists(m, n, network) for m in within)]


def _exists(member: Member, value: int, network: Network) -> bool:
    low, high = network.limits[member.stem]
    return low <= value + member.shift <= high


def _activations(chains: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The functions whose derivative a document uses, and that it does not define."""
    text = "\n".join(side for sides in chains for side in sides)
    lefts = {re.sub(r"\s|\(.*", "", sides[0]) for sides in chains if len(sides) > 1}
    return tuple(sorted({found[1] for found in _UNKNOWN.finditer(text)} - lefts))


# --- what nobody defines ----------------------------------------------------------------------------------------------


def _added(chains: Sequence[Sequence[str]], network: Network, syntax: str) -> list[tuple[tuple[str, str], str]]:
    """Definitions of the loss and of the activation that a document leaves open, and what to say of them."""
    text = "\n".join(side for sides in chains for side in sides)
    found = []
    lefts = {re.sub(r"[\s]|\(.*", "", sides[0]) for sides in chains if len(sides) > 1}
    losses = {re.sub(r"\s", "", next(group for group in m.groups() if group)) for m in _LOSS.finditer(text)}
    open_ = sorted(losses - lefts - {m.stem for m in network.members(text)})
    state = _state(chains, network)
    if len(open_) == 1 and state and not _SECOND.search(text):
        free = next(name for name in ("\\omega", "\\xi", "\\zeta", "\\nu", "\\kappa") if name not in text)
        free = free if syntax == "latex" else free[1:]
        sign = "\\sum" if syntax == "latex" else "sum"
        body = f"{sign}_{{i}} {free}_{{i}} {state}^{{({network.depth})}}_{{i}}"
        told = f"{open_[0]} any function of the last {state}"
        found.append(((open_[0], body), told))
    return found


def _weights(chains: Sequence[Sequence[str]], network: Network) -> dict[str, tuple[str, ...]]:
    """Small letters before the last layer's values are matrices: the w of `z^l = w^l a^{l-1} + b^l`."""
    state, found = _state(chains, network), dict[str, tuple[str, ...]]()
    for sides in chains if state and not network.under else ():
        members = [m for m in network.members(sides[-1]) if len(sides) > 1]
        for weight, value in pairwise(members):
            beside = not sides[-1][weight.end : value.start].strip()
            layers = weight.letter == value.letter == network.letter and (weight.shift, value.shift) == (0, -1)
            if beside and layers and value.stem == state and weight.stem.islower() and not weight.below:
                for n in range(1, network.depth + 1):
                    found[canonical(f"{weight.stem}^{{({n})}}")] = (f"d_{n}", f"d_{n - 1}")
    return found


def _state(chains: Sequence[Sequence[str]], network: Network) -> str:
    """What one layer hands to the next: the only stem that is defined and used one layer before."""
    pattern = _UNDER if network.under else _ABOVE
    defined = {m.stem for sides in chains if (m := _left(sides, pattern)) is not None and m.letter == network.letter}
    before = {m.stem for _, m in _handed(chains, pattern, network.letter)}
    found = defined & before
    return found.pop() if len(found) == 1 else ""


__all__ = ["ADDED", "networks"]
