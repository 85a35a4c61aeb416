r"""A written derivation, judged line by line.

Contract: `judge(document, ...)` reads every chain of equations of a text, Markdown or LaTeX document.  The first
equation of a name defines it; every other side is compared with what its chain stands for: the name, the derivative
that symgrad takes itself, or the first expression.  A side that differs is wrong with a counterexample; one that
follows from an earlier wrong one says so (`carried`).  What cannot be read or compared is `undecided` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

from symgrad.errors import InputError, ShapeError, SymgradError
from symgrad.expr import Call, Node, Variable, add, negate, postorder, relabel, substitute, variables
from symgrad.notation.names import canonical
from symgrad.notation.roles import name_of
from symgrad.notation.syntax import Tree
from symgrad.review.chains import ReadChain, classify, open_document, separate
from symgrad.review.conditions import follows, normalised
from symgrad.review.diagnosis import explain, proportional, slips
from symgrad.review.document import Document, Side, read_document
from symgrad.review.equality import Judgement, Printed, compare, evaluated, is_number, number_value
from symgrad.review.layers import ADDED, networks
from symgrad.review.ledger import LAYOUTS
from symgrad.review.prose import Case, assumptions, cases, layout_named, solutions
from symgrad.review.spellings import beyond
from symgrad.schema import SCHEMA
from symgrad.shapes import describe, read_assumptions, read_shapes
from symgrad.verify.feedback import Part, Told, example_words, finding_words
from symgrad.verify.interpret import numpy_arithmetic
from symgrad.verify.points import Point
from symgrad.verify.report import Counterexample, Finding

#: What a condition has; `for all i` has none, and `i = 1, ..., n` is no condition.
COMPARED = re.compile(r"^(?!.*(?:dots|\.\.\.)).*(?:[=<>≠≤≥]|\\(?:neq?|leq?|geq?|lt|gt)(?![A-Za-z]))", re.DOTALL)
MAX_REACHES = 3
VERDICTS = ("correct", "wrong", "undecided", "definition")
#: What a statement is that was judged several times: the first of these that occurs.
WORST = ("wrong", "undecided", "correct", "definition")


@dataclass(frozen=True, slots=True)
class Line:
    """One equation of a document and the verdict on it.

    `carried` says that a wrong line follows correctly from an earlier wrong one: nothing new is wrong in it.
    """

    number: int
    source: str
    verdict: str
    certainty: str | None = None
    diagnosis: tuple[Finding, ...] = ()
    counterexample: Counterexample | None = None
    kind: str = "equality"
    reason: str = ""
    carried: bool = False
    column: int = 1
    offset: int = 0
    end: int = 0

    def to_dict(self) -> dict[str, object]:
        return {
            "number": self.number, "column": self.column, "source": self.source, "kind": self.kind,
            "verdict": self.verdict, "certainty": self.certainty, "carried": self.carried, "reason": self.reason,
            "diagnosis": [finding.to_dict() for finding in self.diagnosis],
            "counterexample": self.counterexample and self.counterexample.to_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class DerivationReport(Told):
    """The verdicts on a document; true where nothing in it is wrong or undecided, and something was judged."""

    lines: tuple[Line, ...]
    source: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        found = {line.verdict for line in self.lines}
        order = ("wrong", "undecided", "correct")
        return next((verdict for verdict in order if verdict in found), "undecided")

    @property
    def first_wrong_line(self) -> int | None:
        return next((line.number for line in self.lines if line.verdict == "wrong"), None)

    @property
    def marks(self) -> tuple[int, int]:
        """Lines that earn a mark, of those that can: right ones, and those that follow from an earlier wrong one."""
        judged = [line for line in self.lines if line.verdict in {"correct", "wrong"}]
        return sum(line.verdict == "correct" or line.carried for line in judged), len(judged)

    @property
    def credit(self) -> dict[str, object]:
        """What earns marks, as data: the numbers of lines by what became of them."""
        right = [line.number for line in self.lines if line.verdict == "correct"]
        carried = [line.number for line in self.lines if line.carried]
        wrong = [line.number for line in self.lines if line.verdict == "wrong" and not line.carried]
        undecided = [line.number for line in self.lines if line.verdict == "undecided"]
        earned, possible = self.marks
        return {
            "right": right, "carried": carried, "wrong": wrong, "undecided": undecided, "earned": earned,
            "of": possible,
        }  # fmt: skip

    @property
    def feedback(self) -> tuple[Part, ...]:
        """What the writer should hear: the marks, and every line that is not simply right."""
        earned, possible = self.marks
        parts = [Part("verdict", f"{self.verdict}: {earned} of {possible} lines")]
        for line in self.lines:
            if line.verdict in {"correct", "definition"}:
                continue
            word = "follows from an earlier mistake" if line.carried else line.verdict
            parts += [Part("line", f"line {line.number}: {word}"), Part("written", line.source)]
            parts += [Part("reason", line.reason)] if line.reason else []
            if line.counterexample is not None and not line.carried:
                parts.append(Part("example", example_words(line.counterexample)))
            said = line.reason
            parts += finding_words(tuple(f for f in line.diagnosis if not f.evidence or f.evidence not in said))
        return tuple(parts)

    @property
    def reason(self) -> str:
        counts = {v: sum(line.verdict == v for line in self.lines) for v in VERDICTS}
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        return told or "no equation was found"

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        return "\n".join([f"{self.verdict}: {self.reason}", *(_told(line) for line in self.lines)])

    def to_dict(self) -> dict[str, object]:
        return {
            "schema": SCHEMA, "verdict": self.verdict, "first_wrong_line": self.first_wrong_line,
            "marks": list(self.marks), "credit": self.credit,
            "variables": dict(self.variables), "lines": [line.to_dict() for line in self.lines], "reason": self.reason,
        }  # fmt: skip


def _told(line: Line) -> str:
    certainty = f" ({line.certainty})" if line.certainty else ""
    carried = " [carried]" if line.carried else ""
    return f"  {line.number}: {line.verdict}{certainty}{carried}  {line.source}  {line.reason}".rstrip()


def judge(document: str, shapes: Any, assume: Any, syntax: str, layout: str, seed: int) -> DerivationReport:
    r"""The report of `symgrad.check_derivation`, whose options these are.

    >>> report = judge("q = W x\nf = ||q||^2\n∂f/∂W = 2 q x^T\n  = 2 x x^T W", None, None, "auto", "gradient", 0)
    >>> report.first_wrong_line, [line.verdict for line in report.lines]
    (4, ['definition', 'definition', 'correct', 'wrong'])
    """
    found: list[list[Line]] = []
    seen: dict[str, Any] = {}
    told = ""
    read = read_document(document, syntax)
    layout = layout_named(read) or layout if layout == LAYOUTS[0] else layout
    assumed = {**assumptions(read), **read_assumptions(assume, canonical)} or None
    for network in networks(read):
        known, told = {**network.shapes, **read_shapes(shapes, canonical)} or None, network.told
        reports = [
            _Review(part.document, known, assumed, seed, layout, part.anew).report(part.known)
            for part in separate(network.document)
        ]
        seen |= {name: shown for report in reports for name, shown in report.variables.items()}
        found.append([line for report in reports for line in report.lines])
    lines = found[0] if not told else gathered([line for lines in found for line in lines], told)
    return DerivationReport(tuple(lines), document, seen)


def gathered(lines: Sequence[Line], told: str) -> list[Line]:
    """One line for all the instances of a statement about a layer: the worst of them."""
    same: dict[tuple[int, str], list[Line]] = {}
    for line in lines:
        same.setdefault((line.number, line.source), []).append(line)
    found = []
    for instances in same.values():
        worst = min(instances, key=lambda line: WORST.index(line.verdict))
        if len(instances) > 1 and worst.verdict == "correct":
            worst = replace(worst, certainty="tested", reason=told)
        elif worst.verdict == "wrong":
            worst = replace(worst, reason=f"{worst.reason}; {told}")
        found.append(worst)
    return sorted(found, key=lambda line: (line.number, line.offset))


class _Review:
    def __init__(
        self, document: Document, shapes: Any, assume: Any, seed: int, layout: str = "gradient",
        anew: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.document = document
        self.anew = anew
        self.layout = layout
        self.seed = seed
        self.beliefs: dict[Variable, Node] = {}
        self.conditions: list[tuple[int, Node]] = []
        self.assumed: list[tuple[str, Mapping[Variable, Node]]] = []
        self.cases = cases(document)
        self.solutions = solutions(document)
        classified = classify(document, self.solutions)
        self.read = classified.chains
        self.ledger = open_document(document, classified, shapes, assume)

    # --- judging --------------------------------------------------------------------------------------------------

    def report(self, known: int = 0) -> DerivationReport:
        """The verdicts on all chains but the first `known`, which belong to an earlier part."""
        instances = self.document.instances
        own = {id(c) for c in self.document.chains[known:] if instances.get(c.sides[0].start) != ADDED}
        lines = [line for one in self.read if id(one.chain) in own for line in self.judged(one)]
        reading = self.ledger.reading
        shown = {
            name: {"shape": list(v.shape), "assumptions": sorted(v.assumptions), "guessed": v.guessed}
            for name, v in reading.variables.items()
        }
        return DerivationReport(tuple(lines), self.document.original, shown)

    def judged(self, one: ReadChain) -> Iterator[Line]:
        """The lines of one chain."""
        if one.declared is not None:
            yield from self.declared(one, one.declared)
            return
        links = _Links(self, one)
        for k in range(1, len(one.chain.sides)):
            yield links.line(k)

    def declared(self, one: ReadChain, tree: Tree) -> Iterator[Line]:
        """A line for a shape that is declared and does not fit; dimensions that nobody declared take any name."""
        (side,) = one.chain.sides
        name, wanted = name_of(tree.args[0]), dimensions_of(tree)
        node = self.ledger.scope.variables.get(name)
        told = {d for other in self.read if other.declared is not None for d in dimensions_of(other.declared)}
        said = "" if one.piece is None or one.piece.error is None else one.piece.error.message
        if node is not None and node in self.ledger.bodies:
            pairs = dict(zip(node.shape, wanted, strict=False))
            fits = all(have == want or have not in told for have, want in pairs.items())
            if len(node.shape) != len(wanted) or not fits or [pairs[d] for d in node.shape] != list(wanted):
                said = f"{name} is {describe(node.shape)}, not {describe(wanted)}"
        if said:
            place, text = side.start, self.document.text(side)
            offset, end = self.document.span(place, side.end)
            yield Line(
                self.document.line(place), " ".join(text.split()), "wrong", "proved", (Finding("shape", said),),
                kind="declaration", reason=said, column=self.document.column(place), offset=offset, end=end,
            )  # fmt: skip


class _Links:
    """The equations of one chain, each compared with what the chain stands for."""

    def __init__(self, review: _Review, one: ReadChain) -> None:
        self.review = review
        self.document = review.document
        self.ledger = review.ledger
        self.one = one
        self.sides = one.chain.sides
        self.anchor = 0
        self.wrong: dict[int, Judgement] = {}
        self.trees: dict[int, Tree] = {}
        self.texts: dict[int, str] = {}  # what is read in the place of a side
        self.given: dict[int, Tree] = {}
        self.errors: dict[int, SymgradError] = {}
        for k, side in enumerate(self.sides):
            self.parse(k, side)
        first = 1 if one.updates and 1 in self.trees else 0  # the old value is no other side of the new one
        self.anchor = next((k for k in range(first, len(self.sides)) if k in self.trees), 0)

    def parse(self, k: int, side: Side) -> None:
        try:
            self.trees[k] = self.ledger.parsed(self.document.text(side))
            if k == 0:
                self.ledger.prepared(self.document.text(side), self.trees[k])
            if side.given is not None and COMPARED.search(self.document.text(side.given)):
                self.given[k] = self.ledger.parsed(f"1[{self.document.text(side.given)}]")
        except SymgradError as error:
            self.trees.pop(k, None)
            self.errors[k] = self.placed(error, side)

    def placed(self, error: SymgradError, side: Side) -> SymgradError:
        if isinstance(error, InputError) and error.source != self.document.source:
            return self.document.problem(error, side)
        return error

    def line(self, k: int) -> Line:
        side = self.sides[k]
        if k == 1 and self.one.defined:
            return self.definition(side)
        if k == 1 and self.one.updates and k in self.trees:
            return self.update(side)
        for needed in (self.anchor, k):
            if needed not in self.trees:
                return self.unread(k, self.errors[needed])
        if k == self.anchor:
            return self.unread(k, self.errors[0])
        try:
            judgement = self.compared(k)
        except ShapeError as error:
            if error.code not in {"SIDES", ShapeError.code}:
                return self.unread(k, self.placed(error, side))
            misfit = Finding("shape", "the shapes do not fit", error.message)
            self.wrong[k] = Judgement("wrong", "proved", error.message)
            return self.made(k, self.wrong[k], self.other_layout(k) or (misfit,))
        except SymgradError as error:
            return self.unread(k, self.placed(error, side))
        if judgement.verdict == "wrong":
            found = self.tied(k) or self.reached(k) or self.cased(k)
            judgement = found or self.excused(k, self.conditional(k, judgement))
        if judgement.verdict != "wrong":
            if judgement:
                self.forget()
                self.remember(k)
            return self.made(k, judgement)
        return self.refuted(k, judgement)

    def update(self, side: Side) -> Line:
        """w := w - g, where g must have a meaning."""
        try:
            self.pair(1, 1)
        except SymgradError as error:
            return self.unread(1, self.placed(error, side))
        return self.made(1, Judgement("definition", None, "this gives a new value to a name, and is no equation"))

    def definition(self, side: Side) -> Line:
        piece = self.one.piece
        assert piece is not None
        if piece.error is not None and self.ledger.scope.variables.get(self.one.name) not in self.ledger.bodies:
            whole = Side(self.sides[0].start, side.end)
            return self.unread(1, self.placed(piece.error, whole))
        again = "defined anew: it was also defined under an earlier heading, and is not compared with that"
        return self.made(1, Judgement("definition", None, again if self.one.name in self.review.anew else ""))

    def unread(self, k: int, error: SymgradError) -> Line:
        return self.made(k, Judgement("undecided", None, error.message), place=error)

    def made(
        self, k: int, judgement: Judgement, diagnosis: tuple[Finding, ...] = (), carried: bool = False,
        place: SymgradError | None = None,
    ) -> Line:  # fmt: skip
        document, side = self.document, self.sides[k]
        start, end = side.start, side.end
        text = f"{self.one.chain.relations[k - 1]} {document.shown(side)}"
        if k == 1:
            text = f"{document.shown(self.sides[0])} {text}"
        shown = (start, end)
        if isinstance(place, InputError) and place.source == document.source:
            shown = (place.offset, place.end)
        where = document.instances.get(self.sides[0].start, "") if judgement.verdict in {"wrong", "undecided"} else ""
        reason = "; ".join(part for part in (judgement.reason, f"this is at {where}" if where else "") if part)
        return Line(
            document.line(shown[0]), " ".join(text.split()), judgement.verdict, judgement.certainty, diagnosis,
            judgement.counterexample, self.kind(k), reason, carried, document.column(shown[0]),
            *document.span(*shown),
        )  # fmt: skip

    def kind(self, k: int) -> str:
        if k == 1 and self.one.defined:
            return "definition"
        if any(number == self.document.line(self.sides[k].start) for number, _ in self.review.conditions):
            return "condition"
        anchor = self.trees.get(self.anchor)
        return "derivative" if anchor is not None and anchor.head == "derivative" else "equality"

    # --- comparing ------------------------------------------------------------------------------------------------

    def pair(self, one: int, other: int, layout: str = "gradient") -> tuple[Node, Node]:
        """Two sides as tensors over the names of the document."""
        sides = []
        for k in (one, other):
            text, tree = self.texts.get(k) or self.document.text(self.sides[k]), self.trees[k]
            if other in self.given:  # a condition: outside it, both sides are 0
                tree = Tree("mul", (self.given[other], tree), "", tree.start, tree.end)
            try:
                sides.append((text, self.ledger.prepared(text, tree, layout)))
            except InputError as error:
                raise self.placed(error, self.sides[k]) from None
        if sides[1][0].strip() == "0":  # zero has any shape
            (left,) = self.ledger.nodes(sides[:1])
            return left, add([], left.shape)
        left, right = self.ledger.nodes(sides)
        return left, right

    def compared(
        self, k: int, with_side: int | None = None, beliefs: Mapping[Variable, Node] | None = None
    ) -> Judgement:
        """Whether a side is equal to the anchor, or to another side."""
        anchor = self.anchor if with_side is None else with_side
        sides = self.pair(anchor, k, self.review.layout)
        assigned = self.ledger.assigned()
        left, right = (self.ledger.expand(node, beliefs, assigned) for node in sides)
        if not is_number(right):
            found = compare(left, right, self.review.seed)
            if found or not any(v in assigned for v in (*variables(left), *variables(right))):
                return found
            assigned = [v for v in assigned if v in self.differentiated_by(anchor)]
        else:
            assigned = []
        left, right = (self.ledger.expand(node, beliefs, assigned) for node in sides)
        printed = self.number(left, right, k)
        return compare(left, right, self.review.seed) if printed is None else printed

    def conditional(self, k: int, judgement: Judgement) -> Judgement:
        """An equation with zero is a condition; what comes after it may say what follows from the condition."""
        sides = self.pair(self.anchor, k, self.review.layout)
        left, right = (self.ledger.expand(node, keep=self.ledger.assigned()) for node in sides)
        solved = self.solves and any(left is v for symbol in self.ledger.symbols.values() for v in symbol.wrt)
        if self.document.text(self.sides[k]).strip() == "0" and variables(left) and not solved:
            self.review.conditions.append((self.document.line(self.sides[k].start), left))
            return Judgement("definition", None, "an equation to be solved: it is not always so")
        given = self.one.defined or self.differentiates(self.anchor)
        if given or not variables(left):
            return judgement
        conditions = [(f"line {number}", node) for number, node in reversed(self.review.conditions)]
        if not conditions and self.solves and not (isinstance(sides[0], Variable) and self.ledger.defined(sides[0])):
            conditions = self.derivatives(left)
        return self.solved(left, right, conditions) if conditions else judgement

    @property
    def solves(self) -> bool:
        """Whether the words say that this chain comes of setting a derivative to zero."""
        return self.sides[0].start in self.review.solutions

    def solved(self, left: Node, right: Node, conditions: Sequence[tuple[str, Node]]) -> Judgement:
        """Whether an equation follows from the conditions before it, or from a derivative that is set to zero."""
        difference = add([left, negate(right)])
        verdicts = []
        for words, condition in conditions:
            if isinstance(left, Variable) and left in variables(condition) and left not in variables(right):
                found = compare(substitute(condition, {left: right}), add([], condition.shape), self.review.seed)
                if found:
                    self.review.assumed.append((words, {left: right}))
                elif len(conditions) > 1 and not self.review.conditions:
                    continue
                reason = f"this makes {words} zero" if found else f"this does not make {words} zero"
                return Judgement(found.verdict, found.certainty, reason, found.counterexample)
            if left.shape == condition.shape and proportional(condition, difference, self.review.seed):
                return Judgement("correct", "tested", f"this is {words}, rearranged")
            verdicts.append(follows(condition, difference, self.review.seed))
            if verdicts[-1]:
                return Judgement("correct", "tested", f"this holds where {words} is zero")
        if verdicts == [False] and not self.review.assumed:
            return Judgement("wrong", "tested", f"this does not hold where {conditions[0][0]} is zero")
        return Judgement("undecided", None, "this is not always so, and may follow from a condition or not")

    def derivatives(self, left: Node) -> list[tuple[str, Node]]:
        """The derivatives of numbers that were written so far: one of them is meant by `setting it to zero`."""
        found = []
        for node, symbol in self.ledger.symbols.items():
            if len(symbol.wrt) == 1 and not symbol.function.shape:
                found.append((node.name, symbol.wrt[0], self.ledger.expand(node, keep=self.ledger.assigned())))
        own = [one for one in found if one[1] is left]
        return [(name, node) for name, _, node in own or found]

    def excused(self, k: int, judgement: Judgement) -> Judgement:
        """A line that is not always right: is it in the case that it is stated for, or with what is given?"""
        if judgement.verdict != "wrong":
            return judgement
        if self.anchor == 0 and not self.differentiates(0) and k == 1 and len(self.sides) == 2:
            taken = self.taken_as_given(k)
            if taken is not None:
                return taken
        for words, values in self.review.assumed:
            left, right = (self.ledger.expand(node) for node in self.pair(self.anchor, k, self.review.layout))
            left, right = substitute(left, values), substitute(right, values)
            nothing = add([], left.shape)
            if compare(left, right, self.review.seed) and not compare(left, nothing, self.review.seed):
                return Judgement("correct", "tested", f"right with {words}")
        return judgement

    def taken_as_given(self, k: int) -> Judgement | None:
        """`sum(y) = 1` of something that nobody defined says what y is."""
        left, right = self.pair(self.anchor, k, self.review.layout)
        if any(self.ledger.defined(v) for v in variables(left)):
            return None
        found = normalised(left, right, self.review.seed)
        if found is None:
            return None
        line = self.document.line(self.sides[k].start)
        self.review.assumed.append((f"what line {line} says of {found[0].name}", dict([found])))
        return Judgement("definition", None, f"taken as given of {found[0].name}: nothing else says what it is")

    def cased(self, k: int) -> Judgement | None:
        """The verdict in the case that a side is stated for, where that says something of it."""
        case = self.review.cases.get(self.sides[0].start)
        found = self.in_case(k, case) if case is not None and k not in self.given else None
        if case is None or found is None:
            return None
        words = f"{self.document.shown(case.side)} (line {self.document.line(case.side.start)})"
        if found and case.plain:
            return Judgement("correct", "tested", f"right for {words}, the case that it is stated for")
        if self.document.text(self.sides[k]).strip() == "0":
            return None
        if found:
            return Judgement("undecided", None, f"right for {words}: does that case still hold here?")
        return replace(found, reason=f"{found.reason} for {words}") if case.plain else None

    def in_case(self, k: int, case: Case) -> Judgement | None:
        """Whether a side is right where the comparison of letters holds; None where that says nothing of it."""
        try:
            condition = self.ledger.parsed(f"1[{case.text}]")
            letters = {t.value for t in condition.walk() if t.head == "name"} - self.ledger.scope.variables.keys()
            said = {t.value for side in (self.anchor, k) for t in self.trees[side].walk() if t.head == "name"}
            if not letters <= said or not (letters or self.document.text(case.side).strip().count("=") == 0):
                return None
            self.given[k] = condition
            found = self.compared(k)
        except SymgradError:
            self.given.pop(k, None)
            return None
        if found or not case.plain:
            self.given.pop(k)
        return found if found.verdict != "undecided" else None

    def tied(self, k: int) -> Judgement | None:
        """Whether a side is right with the entries of a structured variable tied to each other."""
        sides = self.pair(self.anchor, k, self.review.layout)
        ledger = replace(self.ledger, tied=True)
        try:
            left, right = (ledger.expand(node, keep=ledger.assigned()) for node in sides)
        except SymgradError:
            return None
        if left is self.ledger.expand(sides[0], keep=ledger.assigned()):
            return None
        found = compare(left, right, self.review.seed)
        told = "right with the tied entries of this structured matrix differentiated as one"
        return replace(found, reason=f"{told}; {found.reason}") if found else None

    def reached(self, k: int) -> Judgement | None:
        """Whether a side is right with derivatives that reach beyond the bracket behind them, d/dx (u) v."""
        places = [
            (side, at) for side in (self.anchor, k) for at in self.ledger.reach(self.document.text(self.sides[side]))
        ]
        if len(places) > MAX_REACHES:
            return Judgement("undecided", None, "how far do these derivatives reach?")
        before = dict(self.trees)
        for count in range(1, len(places) + 1):
            for chosen in combinations(places, count):
                try:
                    for side in {side for side, _ in chosen}:
                        text = beyond(self.document.text(self.sides[side]), [at for one, at in chosen if one == side])
                        self.trees[side], self.texts[side] = self.ledger.parsed(text), text
                    if self.compared(k):
                        return Judgement("correct", "tested", "right where a derivative reaches beyond its bracket")
                except SymgradError:
                    continue
                finally:
                    self.trees.update(before)
                    self.texts.clear()
        return None

    def differentiated_by(self, k: int) -> set[Variable]:
        """What a side is differentiated by: a value given for it is for afterwards."""
        text = self.document.text(self.sides[k])
        side = self.ledger.prepared(text, self.trees[k])
        symbols = (self.ledger.scope.variables.get(str(t.value)) for t in side.walk() if t.head == "name")
        return {v for s in symbols if s in self.ledger.symbols for v in self.ledger.symbols[s].wrt}

    def other_layout(self, k: int) -> tuple[Finding, ...]:
        """The layout in which a wrong side would be right."""
        assigned = self.ledger.assigned()
        for layout in LAYOUTS if self.differentiates(self.anchor, k) else ():
            try:
                left, right = (self.ledger.expand(node, keep=assigned) for node in self.pair(self.anchor, k, layout))
                if layout != self.review.layout and compare(left, right, self.review.seed):
                    message = f"this is right in {layout} layout, not in {self.review.layout} layout"
                    return (Finding("layout", message, "the axes stand in another order"),)
            except SymgradError:
                continue
        return ()

    def differentiates(self, *sides: int) -> bool:
        return any(t.head == "derivative" for k in sides for t in self.trees[k].walk())

    def number(self, left: Node, right: Node, k: int) -> Judgement | None:
        """A printed number is right where the exact one rounds to it."""
        import numpy as np

        if not (is_number(left) and is_number(right)):
            return None
        about = "≈" in self.one.chain.relations[:k]
        text = self.document.text(self.sides[k])
        printed = _printed(self.trees[k], text)
        if printed is None:
            return None
        exact = np.ravel(number_value(left))
        rational = not any(isinstance(node, Call) for node in postorder([left]))
        if all(p.admits(float(v), about, rational) for p, v in zip(printed, exact, strict=True)):
            return Judgement("correct", "proved", "the number rounds to what is printed")
        place = next(
            i for i, (p, v) in enumerate(zip(printed, exact, strict=True)) if not p.admits(float(v), about, rational)
        )
        index = tuple(int(i) for i in np.unravel_index(place, np.shape(number_value(left))))
        example = Counterexample({}, index, float(exact[place]), float(printed[place].value))
        reason = f"the value is {float(exact[place]):.6g}, not {float(printed[place].value):.6g}"
        return Judgement("wrong", "proved", reason, example)

    # --- what is wrong --------------------------------------------------------------------------------------------

    def refuted(self, k: int, judgement: Judgement) -> Line:
        """A wrong side: does it follow from an earlier wrong one, and if not, what is the slip?"""
        self.wrong[k] = judgement
        carried = self.follows(k)
        if carried:
            found: tuple[Finding, ...] = (Finding("carried", "this follows from an earlier wrong line", carried),)
        else:
            sides = self.pair(self.anchor, k, self.review.layout)
            keep = () if is_number(self.ledger.expand(sides[1])) else self.ledger.assigned()
            left, right = (self.ledger.expand(node, keep=keep) for node in sides)
            found = slips(left, right, self.review.seed) or self.other_layout(k)
            if not found and self.review.layout == LAYOUTS[0]:
                found = self.explained(k)
        self.believe(k)
        return self.made(k, judgement, found, bool(carried))

    def explained(self, k: int) -> tuple[Finding, ...]:
        """The mistake behind a wrong gradient of a scalar."""
        anchor = self.ledger.prepared(self.document.text(self.sides[self.anchor]), self.trees[self.anchor])
        base = anchor.args[0] if anchor.head == "index" and len(anchor.args) == 2 else anchor
        symbol = self.ledger.symbols.get(self.ledger.scope.variables.get(str(base.value)))  # type: ignore[arg-type]
        if symbol is None or symbol.function.shape or len(symbol.wrt) != 1:
            return ()
        (wrt,) = symbol.wrt
        function = self.ledger.expand(symbol.function, keep=[wrt])
        gradient, claimed = (self.ledger.expand(node, keep=[wrt]) for node in self.pair(self.anchor, k))
        names = {v.name: self.ledger.expand(body, keep=[wrt]) for v, body in self.ledger.bodies.items()}
        arithmetic = numpy_arithmetic()

        def value(point: Point) -> Any:
            return evaluated(claimed, point, arithmetic)

        return explain(function, wrt, gradient, value, seed=self.review.seed, names=names, beside=(claimed,))

    def follows(self, k: int) -> str:
        """The earlier wrong line that a wrong side follows from, in words."""
        attempts: list[tuple[str, int | None, Mapping[Variable, Node]]] = []
        if k - 1 in self.wrong:
            attempts.append((f"line {self.document.line(self.sides[k - 1].start)}", k - 1, {}))
        if self.review.beliefs:
            attempts.append((", ".join(v.name for v in self.review.beliefs), None, self.review.beliefs))
            attempts += [(v.name, None, {v: node}) for v, node in reversed(self.review.beliefs.items())]
        for words, side, beliefs in attempts:
            try:
                if self.compared(k, side, self.without_own(beliefs)):
                    return words
            except SymgradError:
                continue
        return ""

    def without_own(self, beliefs: Mapping[Variable, Node]) -> Mapping[Variable, Node]:
        own = {v for v, _ in self.named_sides()}
        return {v: node for v, node in beliefs.items() if v not in own}

    def named_sides(self) -> Iterator[tuple[Variable, tuple[str, ...]]]:
        """The sides of the chain that are right and a bare name or symbol, with their index letters."""
        for k, tree in self.trees.items():
            if k in self.wrong:
                continue
            try:
                text = self.document.text(self.sides[k])
                side = self.ledger.prepared(text, tree)
            except SymgradError:
                continue
            base = side.args[0] if side.head == "index" else side
            node = self.ledger.scope.variables.get(str(base.value)) if base.head == "name" else None
            letters = tuple(str(a.value) for a in side.args[1:]) if side.head == "index" else ()
            if node is not None and (not letters or len(set(letters)) == node.rank):
                yield node, letters

    def believe(self, k: int) -> None:
        """Remember what was claimed of a name: later lines may follow from it."""
        for node, letters in self.named_sides():
            try:
                _, claimed = self.pair(self.anchor, k)
            except SymgradError:
                return
            if letters:
                opened = sorted(letters)
                claimed = relabel(claimed, tuple(opened), letters) if claimed.rank == len(letters) else claimed
            if claimed.shape == node.shape and node not in variables(claimed):
                self.review.beliefs.pop(node, None)
                self.review.beliefs[node] = claimed

    def remember(self, k: int) -> None:
        """A right equation of a name is one more way to write it."""
        if self.trees[self.anchor].head == "name":
            left, right = self.pair(self.anchor, k)
            if isinstance(left, Variable) and self.ledger.defined(left) and left is not right:
                self.ledger.forms.append((left, right))

    def forget(self) -> None:
        for node, _ in self.named_sides():
            self.review.beliefs.pop(node, None)


# --- helpers ----------------------------------------------------------------------------------------------------------


def dimensions_of(tree: Tree) -> tuple[Any, ...]:
    """The dimensions that a declaration W ∈ R^{m×n} gives."""
    value: Any = tree.value
    return tuple(value)


def _printed(tree: Tree, text: str) -> list[Printed] | None:
    """The numbers of a side that is nothing but numbers, with how many decimals they have."""
    entries: Sequence[Tree] = tree.args if tree.head == "array" else (tree,)
    found: list[Printed] = []
    for entry in entries:
        negative = entry.head == "neg"
        inner = entry.args[0] if negative else entry
        if inner.head != "num":
            return None
        digits = text[inner.start : inner.end].strip()
        mantissa, _, exponent = digits.lower().partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
        value = Fraction(str(inner.value)) if not isinstance(inner.value, int | Fraction) else Fraction(inner.value)
        found.append(Printed(-value if negative else value, decimals))
    return found


__all__ = ["DerivationReport", "Line", "judge"]
