"""Simplification: known functions recognised, like terms collected, common factors taken out, the shortest form kept.

Contract: `simplify(node)` is the same function (on the domain of `node`) in the form of a textbook, by one pass from
the leaves up in which the rules for its kind rewrite every node; the table `RULES` holds all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from symgrad.expr import Call, Contraction, Node, Rational, Sum, add, postorder, rebuild
from symgrad.simplify import calls, products, sums
from symgrad.simplify.form import Rewrite, length
from symgrad.simplify.symmetry import product_key
from symgrad.simplify.trees import arranged

#: How often one node may be rewritten; the rules shorten, so this is only reached by a mistake in them.
MAX_ROUNDS = 12
#: For each kind of node, its rules.
RULES: dict[type, tuple[Rewrite, ...]] = {Contraction: products.RULES, Call: calls.RULES, Sum: sums.RULES}


def simplify(root: Node) -> Node:
    """`root` in its shortest known form, factors in the order in which they are written."""
    return Simplifier().simplify(root)


def simplify_result(root: Node) -> Node:
    """`simplify` for a derivative; see `Simplifier.result`."""
    return Simplifier().result(root)


def same(one: Node, other: Node) -> bool:
    """Whether two expressions are equal up to the order of terms and factors and the names of summed labels.

    True is a proof; False says nothing.
    """
    if one is other:
        return True
    numbers: dict[Hashable, int] = {}
    keys: dict[Node, int] = {}
    for node in postorder([one, other]):
        keys[node] = numbers.setdefault(_key(node, keys), len(numbers))
    return keys[one] == keys[other]


def _key(node: Node, keys: Mapping[Node, int]) -> Hashable:
    """What `node` is, given the keys of its children; equal keys mean equal values."""
    if isinstance(node, Sum):
        return "sum", frozenset((c, keys[t]) for c, t in node.terms)
    if isinstance(node, Contraction):
        return "product", node.coefficient, product_key(node, keys)
    if isinstance(node, Call):
        return node.op, tuple(keys[a] for a in node.args), node.params
    return node


class Simplifier:
    """Simplification with a memory: expressions that share parts share the work."""

    def __init__(self) -> None:
        self.memo: dict[Node, Node] = {}
        self.order: dict[Node, Node] = {}

    def simplify(self, root: Node) -> Node:
        """`root` in its shortest known form, factors in the order in which they are written."""
        return arranged(self.settled(root), self.order)

    def result(self, root: Node) -> Node:
        """`simplify`, and of a plain sum the longer terms first: a derivative has data before regularisation."""
        node = self.simplify(root)
        if not isinstance(node, Sum) or any(c < 0 for c, _ in node.terms):
            return node
        terms: list[tuple[Rational, Node]] = sorted(node.terms, key=lambda term: -length(term[1]))
        return add(terms)

    def settled(self, root: Node) -> Node:
        for node in postorder([root], self.memo):
            if node not in self.memo:
                self.memo[node] = self.rewritten(rebuild(node, self.memo.__getitem__) if node.children else node)
        return self.memo[root]

    def rewritten(self, node: Node) -> Node:
        """`node`, whose children are settled, by the first rule that applies, until none does.

        While a rule tries another form of it, the node stands for itself: two rules that undo each other then end.
        """
        self.memo[node] = node
        for _ in range(MAX_ROUNDS):
            better = next(
                (b for rule in RULES.get(type(node), ()) if (b := rule(node, self.settled)) is not None), node
            )
            if better is node:
                break
            node = rebuild(better, self.settled)
        self.memo[node] = node
        return node
