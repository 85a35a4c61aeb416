"""Common parts of a long expression, named: p = softmax(W x); (p - onehot(y)) xᵀ.

Contract: `named(root)` is a list of definitions and the tree of `root` in their terms; written one after the other they
read back to `root`.  Only what occurs more than once and is long enough to be worth a name gets one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, count

from symgrad.expr import Node, postorder, variables
from symgrad.notation.syntax import Tree
from symgrad.simplify.form import length
from symgrad.simplify.trees import to_tree

#: Names for parts, in the order in which they are used.
NAMES = ("p", "h", "z", "s", "u", "v", "q", "r", "t", "a", "b", "c", "g", "e")
#: Shorter parts are written out.
LEAST = 6


def named(root: Node) -> tuple[list[tuple[str, Tree]], Tree]:
    """The definitions, in order, and the tree of `root` over the names they define."""
    order = postorder([root])
    uses = Counter(child for node in order for child in node.children)
    free = _free(root)
    given: dict[Node, Tree] = {}
    definitions: list[tuple[str, Tree]] = []
    taken: list[str] = []
    for node in order:
        if uses[node] < 2 or not node.children or node.rank > 2 or length(node) < LEAST:
            continue
        tree = to_tree(node, given, taken)
        taken.append(next(free))
        definitions.append((taken[-1], tree))
        given[node] = Tree("name", (), taken[-1])
    return definitions, to_tree(root, given, taken)


def _free(root: Node) -> Iterator[str]:
    used = {v.name for v in variables(root)} | {str(d) for node in postorder([root]) for d in node.shape} | {"f"}
    return (name for name in chain(NAMES, (f"t_{k}" for k in count(1))) if name not in used)
