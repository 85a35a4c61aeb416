"""Loops over an axis whose length is a symbol: what every round adds, summed over all of them.

Contract: `rounds` runs the body of a loop a few times, each time with an index of its own that stands for any; what the
program holds after the last round is written for all rounds where it is a sum, t + f(i) + f(j) + ... of one f, which
then is t + Σ f.  Entries written at the index are such sums too, since e_i ⊙ e_j = 0 for i ≠ j.  Everything else is
lost with the round, and using it is refused, but for lists: one with an entry a round has an axis.  A trace is made
with two rounds and again with three, and numbers of Python that change from round to round are refused, so that what
only seems to be such a sum is found out.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.expr import (
    Call,
    Contraction,
    Dim,
    Label,
    Node,
    Rational,
    Sum,
    Variable,
    add,
    call,
    contract,
    delta,
    postorder,
    scale,
    substitute,
    variable,
    variables,
)
from symgrad.ops import apply
from symgrad.program.extent import refuse

#: A sum that is multiplied out may have so many terms.
MAX_TERMS = 200
AFTER = "a value of one round of a loop is used after it"
_WHOLE = "add up over the rounds, write entries at the index, or collect a list"


class Run(dict[str, int]):
    """The sizes of a trace, how many rounds its loops have, and which of them are running."""

    def __init__(self, sizes: Mapping[str, int], rounds: int) -> None:
        super().__init__(sizes)
        self.rounds = rounds
        self.loops: list[Loop] = []
        self.started = 0
        self.left = False


@dataclass(frozen=True, slots=True)
class Index:
    """The one-hot vector of the index of a loop, as labels give theirs."""

    loop: Loop
    name: Variable

    def __call__(self, dim: Dim) -> Node:
        if self.loop.done:
            refuse(AFTER, _WHOLE)
        if dim != self.loop.dim:
            refuse(f"the index of a loop over {self.loop.dim} is used for an axis of length {dim}")
        return apply("onehot", self.name, params=(dim,))


class Loop:
    """One loop that runs: its indices, and the arrays that were made or changed in it."""

    def __init__(self, run: Run, dim: Dim) -> None:
        self.dim = dim
        self.indices = [variable(f"round_{run.started}_{k}", (), ["label"]) for k in range(run.rounds)]
        self.touched: list[weakref.ref[Any]] = []
        self.done = False
        run.started += 1

    def index(self, v: Variable, sizes: Run) -> Any:
        """An index that stands for any, as a label."""
        from symgrad.program.traced import Traced

        made = Traced(v, (), sizes, "i", Index(self, v), distinct=True)
        made.counting = True
        return made

    def end(self, outer: Loop | None) -> None:
        """Write what is there for all rounds, or mark it as lost."""
        self.done = True
        for reference in self.touched:
            array = reference()
            if array is None or array.lost is not None:
                continue
            if not self.depends(array._node):
                continue
            node = self.closed(array._node) if array.base is None and array.kind != "i" else None
            if node is None:
                array.lost = self
            else:
                array._node = node
                array.version += 1
        if outer is not None:
            outer.touched += self.touched

    def depends(self, node: Node) -> bool:
        return not set(self.indices).isdisjoint(variables(node))

    # --- sums over the rounds -------------------------------------------------------------------------------------

    def closed(self, node: Node) -> Node | None:
        """t + Σ f for t + f(i) + f(j) + ..., None for anything else."""
        parts: dict[Variable | None, list[Node]] = {}
        for term in self.summed(node) or ():
            used = [v for v in self.indices if v in variables(term)]
            if len(used) > 1:
                return None
            parts.setdefault(used[0] if used else None, []).append(term)
        each = [add(parts.get(v, ()), node.shape) for v in self.indices]
        first = self.of_first(each)
        if first is None or not self.depends(first):
            return None
        axes = tuple(range(node.rank))
        whole = self.along(first)
        if whole is None:
            return None
        return add([*parts.get(None, ()), contract([(whole, ("round", *axes))], axes)], node.shape)

    def of_first(self, each: Sequence[Node]) -> Node | None:
        """What is the same in every round, written with the first index."""
        from symgrad.simplify.rules import same

        first, v = each[0], self.indices[0]
        others = [substitute(node, {w: v}) for node, w in zip(each[1:], self.indices[1:], strict=True)]
        return first if all(other is first or same(other, first) for other in others) else None

    def summed(self, node: Node) -> list[Node] | None:
        """Those terms that do not cancel."""
        terms = self.terms(node)
        whole = None if terms is None else add(terms, node.shape)
        return [scale(term, c) for c, term in whole.terms] if isinstance(whole, Sum) else terms and [add(terms)]

    def terms(self, node: Node) -> list[Node] | None:
        """A node as a sum of products, as far as it depends on the indices; None for too many."""
        found: list[Node] = []
        waiting = [node]
        while waiting:
            if len(waiting) + len(found) > MAX_TERMS:
                return None
            current = self.merged(waiting.pop())
            opened = self.opened(current) if self.depends(current) else None
            if opened is None:
                found.append(current)
            else:
                waiting += opened
        return found

    def opened(self, node: Node) -> list[Node] | None:
        """The terms of a sum, or of a product with one."""
        if isinstance(node, Sum):
            return [scale(term, c) for c, term in node.terms]
        if not isinstance(node, Contraction):
            return None
        for k, (base, axes, power) in enumerate(node.factors):
            if isinstance(base, Sum) and power == 1 and self.depends(base):
                return [self._with(node, k, [(term, axes, 1)], c) for c, term in base.terms]
        return None

    def _with(self, node: Contraction, k: int, factors: Sequence[Any], c: Rational = 1) -> Node:
        given: list[Any] = [*node.factors[:k], *factors, *node.factors[k + 1 :]]
        return contract(given, tuple(range(node.rank)), node.coefficient * c, dict(enumerate(node.sizes)))

    def merged(self, node: Node) -> Node:
        """A product without doubles: e_i[a] e_i[b] = e_i[a] δ_ab and e_i[a] e_j[a] = 0; one-hot vectors sum to 1."""
        while isinstance(node, Contraction):
            picks = [(k, f, axes, p) for k, (f, axes, p) in enumerate(node.factors) if _is_onehot(f)]
            mine = [(f, axes) for _, f, axes, _ in picks if self.picks(f)]
            if any(f is not g and a == b for f, a in mine for g, b in mine):
                return scale(node, 0)
            tried = (self._merged(node, picks, m) for m in range(len(picks)))
            new = next((other for other in tried if other is not None), None)
            if new is None:
                break
            node = new
        return node

    def _merged(self, node: Contraction, picks: Sequence[Any], m: int) -> Node | None:
        """The product with a one-hot factor put together with another one, or summed; None where neither can be."""
        k, f, axes, power = picks[m]
        for _, g, others, _ in picks[:m]:
            if g is f and others[:-1] == axes[:-1] and others != axes:
                return self._with(node, k, [(delta(node.sizes[axes[-1]]), (others[-1], axes[-1]), 1)])
        if power > 1:
            return self._with(node, k, [(f, axes, 1)])
        alone = sum(labels.count(axes[-1]) for _, labels, _ in node.factors) == 1 and axes[-1] >= node.rank
        if alone and power == 1:
            sizes = {label: d for label, d in enumerate(node.sizes) if label != axes[-1]}
            given = [*node.factors[:k], *node.factors[k + 1 :]]
            return contract(given, tuple(range(node.rank)), node.coefficient, sizes)
        return None

    def picks(self, node: Node) -> bool:
        return _is_onehot(node) and node.children[0] in self.indices

    # --- all rounds at once ---------------------------------------------------------------------------------------

    def along(self, root: Node) -> Node | None:
        """The node for every value of the first index, along a new first axis; None where it is no function of one."""
        v = self.indices[0]
        made: dict[Node, Node] = {}
        for node in postorder([root]):
            if v not in variables(node):
                continue
            new = self._along(node, made)
            if new is None and node is not v:
                return None
            if new is not None:
                made[node] = new
        return made.get(root)

    def _along(self, node: Node, made: Mapping[Node, Node]) -> Node | None:
        if isinstance(node, Call) and self.picks(node):
            return delta(self.dim) if node.params == (self.dim,) else None
        if isinstance(node, Sum):
            return add([(c, self.widened(term, made)) for c, term in node.terms])
        if isinstance(node, Contraction):
            factors = [(made[f], ("round", *axes), p) if f in made else (f, axes, p) for f, axes, p in node.factors]
            sizes: dict[Label, Dim] = dict(enumerate(node.sizes))
            sizes["round"] = self.dim
            return contract(factors, ("round", *range(node.rank)), node.coefficient, sizes)
        if isinstance(node, Call) and all(a in made or self.indices[0] not in variables(a) for a in node.args):
            return call(node.op, [self.widened(argument, made) for argument in node.args], node.params)
        return None

    def widened(self, node: Node, made: Mapping[Node, Node]) -> Node:
        """A node along the new axis, repeated where it is the same in every round."""
        axes = tuple(range(node.rank))
        if node in made:
            return made[node]
        once: dict[Label, Dim] = {"round": self.dim}
        return contract([(node, axes)], ("round", *axes), sizes=once)

    def listed(self, nodes: Sequence[Node]) -> Node | None:
        """One entry a round as an array with an axis for the rounds."""
        if len(nodes) != len(self.indices) or any(
            w in variables(node) for k, node in enumerate(nodes) for w in self.indices[:k] + self.indices[k + 1 :]
        ):
            return None
        first = self.of_first(nodes)
        return self.along(first) if first is not None and self.depends(first) else None


def _is_onehot(node: Node) -> bool:
    return isinstance(node, Call) and node.op.name == "onehot"


def rounds(sizes: Mapping[str, int], dim: Dim, item: Callable[[Any], Any]) -> Iterator[Any]:
    """The rounds of a loop over an axis: `item` of an index that stands for any, a few times."""
    if not isinstance(sizes, Run):
        refuse(f"a loop over an axis of length {dim}", "write it with whole arrays, so that it holds for every size")
    loop = Loop(sizes, dim)
    sizes.loops.append(loop)
    seen: list[dict[str, Any]] = []
    try:
        for v in loop.indices:
            yield item(loop.index(v, sizes))
            seen.append(_plain(sys._getframe(1)))
            if seen[0] != seen[-1]:
                changed = next(name for name in seen[-1] if seen[0].get(name) != seen[-1][name])
                refuse(f"{changed} changes from round to round of a loop over an axis of length {dim}", _WHOLE)
    except GeneratorExit:
        sizes.left = True
        raise
    sizes.loops.remove(loop)
    loop.end(sizes.loops[-1] if sizes.loops else None)


def _plain(frame: types.FrameType) -> dict[str, Any]:
    """The numbers of Python that a running program holds, by themselves, in lists, in dicts, and in its own objects."""
    held = {**frame.f_globals, **frame.f_locals}
    own = frame.f_globals.get("__name__")
    inside: dict[str, Any] = {}
    for name, value in held.items():
        if type(value) is dict and not name.startswith("__"):
            inside |= {f"{name}[{key!r}]": part for key, part in value.items()}
        elif type(value) is list:
            inside |= {f"{name}[{k}]": part for k, part in enumerate(value)}
        elif type(value).__module__ == own and hasattr(value, "__dict__"):
            inside |= {f"{name}.{key}": part for key, part in vars(value).items()}
    return {name: value for name, value in {**held, **inside}.items() if type(value) in (int, float, bool, str)}


def together(sizes: Mapping[str, int], iterables: Sequence[Any]) -> Iterator[tuple[Any, ...]] | None:
    """`zip` of arrays with a first axis of one unknown length; None where there is none."""
    from symgrad.program.traced import Traced

    long = [a for a in iterables if isinstance(a, Traced) and a.real and not isinstance(a.dims[0], int)]
    if not long:
        return None
    if len(long) < len(iterables) or len({a.dims[0] for a in long}) > 1:
        raise UnsupportedError("a loop over several things, of which not all have one length")
    return rounds(sizes, long[0].dims[0], lambda index: tuple(entry(a, index) for a in iterables))


def entry(array: Any, index: Any) -> Any:
    return index if array.counting else array[index]
