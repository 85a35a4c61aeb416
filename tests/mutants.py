"""Broken derivations: one line of a right one changed, in every way that a slip of the pen changes one.

Contract: `mutants(written)` yields documents that differ from a right one in the right side of one judged line.  A
mutant that still says something true, by an evaluation of its own, is none and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import symgrad as sg
from symgrad.dims import value as size_of
from symgrad.errors import ShapeError, SymgradError
from symgrad.expr import Node, postorder, variables
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree
from symgrad.review import Line
from symgrad.review.document import read_document
from symgrad.review.written import _Links, _Review
from symgrad.verify.points import dimensions
from tests.derivations import Written
from tests.evaluate import evaluate

#: (what, begin, end, replacement) inside one side.
Edit = tuple[str, int, int, str]


@dataclass(frozen=True)
class Mutant:
    """A broken document, where it is broken, and how."""

    name: str
    text: str
    line: int
    slip: str
    shapes: str


def mutants(written: Written) -> Iterator[Mutant]:
    report = sg.check_derivation(written.text, shapes=written.shapes or None)
    syntax = "latex" if "\\" in written.text else "text"
    seen: set[str] = set()
    for line in report.lines:
        if line.verdict != "correct":
            continue
        side = written.text[line.offset : line.end]
        plain = side.replace(r"\mathrm{d}", "d".rjust(len(r"\mathrm{d}")))
        for slip, begin, end, new in edits(side, parse_tree(plain, syntax=syntax, names=[*report.variables, "T"]).tree):
            broken = side[:begin] + new + side[end:]
            text = written.text[: line.offset] + broken + written.text[line.end :]
            if text not in seen and not still_right(written, text, line):
                seen.add(text)
                yield Mutant(written.name, text, line.number, slip, written.shapes)


def edits(side: str, root: Tree) -> Iterator[Edit]:
    yield "factor 2", 0, len(side), f"2 ({side})"
    yield "sign", 0, len(side), f"-({side})"
    for tree in root.walk():
        begin, end = tree.start, tree.end
        if tree.head == "num" and isinstance(tree.value, int):
            yield "another number", begin, end, f"{tree.value + 1}"
        elif tree.head == "num":
            yield "another number", begin, end, f"{side[begin:end]}7".replace("07", "17")
        elif tree.head == "add":
            yield from _terms(side, tree)
        elif tree.head == "transpose":
            yield "not transposed", begin, end, side[tree.args[0].start : tree.args[0].end]
        elif tree.head == "neg":
            yield "sign lost", begin, tree.args[0].start, " "
        elif tree.head == "index" and len(tree.args) == 3:
            yield from _swapped(side, "indices swapped", tree.args[1], tree.args[2])
        elif tree.head == "mul":
            yield from _factors(side, tree)
        elif tree.head == "call" and tree.value == "sigmoid":
            yield "another function", begin, end, side[begin:end].replace("sigma", "tanh").replace("igmoid", "tanh")


def _terms(side: str, tree: Tree) -> Iterator[Edit]:
    for before, after in zip(tree.args, tree.args[1:], strict=False):
        between = side[before.end : after.start]
        for one, other in ("+-", "-+"):
            if one in between:
                place = before.end + between.index(one)
                yield "sign of a term", place, place + 1, other
        yield "term lost", before.end, after.end, ""


def _factors(side: str, tree: Tree) -> Iterator[Edit]:
    for before, after in zip(tree.args, tree.args[1:], strict=False):
        yield from _swapped(side, "factors swapped", before, after)
        yield "factor lost", before.end, after.end, ""


def _swapped(side: str, slip: str, one: Tree, other: Tree) -> Iterator[Edit]:
    first, second = side[one.start : one.end], side[other.start : other.end]
    yield slip, one.start, other.end, second + side[one.end : other.start] + first


def still_right(written: Written, text: str, line: Line) -> bool:
    """Whether the changed side is still equal to what it should be at random points, by the tests' own interpreter.

    What cannot be read is no derivation, and counts as right; shapes that do not fit are a slip.
    """
    review = _Review(read_document(text), written.shapes or None, None, 0)
    places = [(one, k) for one in review.read for k, s in enumerate(one.chain.sides) if s.start == line.offset]
    if not places:
        return True
    one, k = places[0]
    links = _Links(review, one)
    if links.anchor not in links.trees or k not in links.trees:
        return True
    try:
        left, right = (review.ledger.expand(node) for node in links.pair(links.anchor, k))
    except ShapeError:
        return False
    except SymgradError:
        return True
    return all(_equal(left, right, seed) for seed in range(3))


def _sizes(left: Node, right: Node) -> dict[str, int]:
    """Sizes from 2 on, in the order in which every calculated dimension, such as n - m, is one."""
    names = dimensions(left, right)
    orders = [{dim: 2 + k for k, dim in enumerate(order)} for order in (names, names[::-1])]
    calculated = [d for node in postorder([left, right]) for d in node.shape]
    return next((dims for dims in orders if all(size_of(d, dims) > 0 for d in calculated)), orders[0])


def _equal(left: Node, right: Node, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    dims = _sizes(left, right)
    values = {}
    for v in dict.fromkeys([*variables(left), *variables(right)]):
        shape = tuple(size_of(d, dims) for d in v.shape)
        label = "label" in v.assumptions
        values[v.name] = rng.integers(0, 2, shape) if label else rng.uniform(0.2, 0.9, shape) * rng.choice([1, 1, -1])
    with np.errstate(all="ignore"):
        one, other = (np.asarray(evaluate(node, values, dims)) for node in (left, right))
    if not (np.all(np.isfinite(one)) and np.all(np.isfinite(other))):
        return True
    return bool(np.allclose(one, other, rtol=6e-3 if not values else 1e-9))


def blamed(mutant: Mutant) -> int | None:
    """The line that a review of the mutant blames first; None where nothing is wrong."""
    return sg.check_derivation(mutant.text, shapes=mutant.shapes or None).first_wrong_line
