"""Expressions and arrays between processes, as JSON: no pickle, and nothing that is executed.

Contract: `packed` lists the nodes of expressions, children first; `unpacked` makes them again from what is declared and
nothing else: known variables, known operations, known dimensions.  What does not fit raises an `UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgrad import dims, expr
from symgrad.errors import UnsupportedError
from symgrad.expr import Call, Contraction, Delta, Dim, Node, Rational, Size, Stacking, Sum, Variable, Window, postorder
from symgrad.ops import OPERATIONS

MAX_NODES = 20_000
MAX_ENTRIES = 1_000_000


def packed(roots: Sequence[Node]) -> dict[str, Any]:
    """Expressions as lists and numbers."""
    order = postorder(roots)
    places = {node: k for k, node in enumerate(order)}
    return {"nodes": [_packed(node, places) for node in order], "roots": [places[root] for root in roots]}


def _packed(node: Node, places: Mapping[Node, int]) -> list[Any]:
    if isinstance(node, Variable):
        return ["variable", node.name]
    if isinstance(node, Size):
        return ["size", node.dim]
    if isinstance(node, Delta):
        return ["delta", node.shape[0]]
    if isinstance(node, Stacking):
        return ["stacking", *node.shape[:2]]
    if isinstance(node, Window):
        return ["window", node.shape[0], list(node.shape[1:]), list(node.strides), node.offset]
    if isinstance(node, Sum):
        return ["sum", [[_pair(c), places[term]] for c, term in node.terms]]
    if isinstance(node, Contraction):
        factors = [[places[f], list(labels), _pair(power)] for f, labels, power in node.factors]
        return ["product", _pair(node.coefficient), factors, list(node.sizes), node.rank]
    assert isinstance(node, Call)
    return ["call", node.op.name, [places[arg] for arg in node.args], list(node.params)]


def _pair(value: Rational) -> list[int]:
    return [value.numerator, value.denominator]


def unpacked(data: Any, variables: Mapping[str, Variable]) -> list[Node]:
    """The expressions again, over these variables and their dimensions."""
    known = {name for v in variables.values() for d in v.shape for name in dims.names(d)}
    try:
        if len(data["nodes"]) > MAX_NODES:
            raise UnsupportedError(f"the program makes an expression of more than {MAX_NODES} parts")
        made: list[Node] = []
        for kind, *fields in data["nodes"]:
            made.append(_MAKERS[kind](_Reader(made, variables, known), *fields))
        return [made[k] for k in data["roots"]]
    except UnsupportedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever another process may have written
        raise UnsupportedError(f"the traced program cannot be read ({type(error).__name__})") from None


class _Reader:
    def __init__(self, made: list[Node], variables: Mapping[str, Variable], known: set[str]) -> None:
        self.made, self.variables, self.known = made, variables, known

    def dim(self, dim: Any) -> Dim:
        whole = isinstance(dim, int) and not isinstance(dim, bool)
        if not whole and not (isinstance(dim, str) and len(dim) < 500 and set(dims.names(dim)) <= self.known):
            raise ValueError("a dimension")
        if dims.combine([(1, dim)]) != dim:
            raise ValueError("a dimension in another spelling")
        found: Dim = dim
        return found

    def variable(self, name: str) -> Node:
        return self.variables[name]

    def size(self, dim: Any) -> Node:
        return expr.size(self.dim(dim))

    def delta(self, dim: Any) -> Node:
        return expr.delta(self.dim(dim))

    def stacking(self, rows: Any, columns: Any) -> Node:
        return expr.stacking(self.dim(rows), self.dim(columns))

    def window(self, dim: Any, others: Any, strides: Any, offset: Any) -> Node:
        return expr.window(
            self.dim(dim), [self.dim(d) for d in others], [self.dim(s) for s in strides], self.dim(offset)
        )

    def sum(self, terms: Any) -> Node:
        return expr.add([(_rational(c), self.made[k]) for c, k in terms])

    def product(self, coefficient: Any, factors: Any, sizes: Any, rank: int) -> Node:
        parts = [(self.made[k], tuple(labels), _rational(power)) for k, labels, power in factors]
        lengths = {k: self.dim(dim) for k, dim in enumerate(sizes)}
        return expr.contract(parts, tuple(range(rank)), _rational(coefficient), lengths)

    def call(self, name: str, args: Any, params: Any) -> Node:
        return expr.call(OPERATIONS[name], [self.made[k] for k in args], [self.dim(p) for p in params])


_MAKERS = {
    name: getattr(_Reader, name)
    for name in ("variable", "size", "delta", "stacking", "window", "sum", "product", "call")
}


def _rational(pair: Any) -> Rational:
    top, bottom = pair
    value = Fraction(top, bottom)
    return value.numerator if value.denominator == 1 else value


# --- arrays -----------------------------------------------------------------------------------------------------------


def array_out(value: Any) -> dict[str, Any]:
    """An array of numbers as its shape and its entries; `TypeError` for anything else."""
    import numpy as np

    array = np.array(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{type(value).__name__} is no array of real numbers")
    if array.size > MAX_ENTRIES:
        raise TypeError(f"an array of {array.size} entries is too large")
    kind = "i" if array.dtype.kind in "iu" else "f"
    entries = array.astype(int if kind == "i" else float).ravel().tolist()
    return {"shape": list(array.shape), "kind": kind, "data": entries}


def array_in(data: Any) -> Any:
    """The array again."""
    import numpy as np

    kind = {"i": np.int64, "f": np.float64}[data["kind"]]
    array = np.array(data["data"], dtype=kind).reshape([int(n) for n in data["shape"]])
    return array if array.ndim else array[()]
