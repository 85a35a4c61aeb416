"""What a gate is called, what it looks like, and how gradient flows through it.

Contract: `gate_of(tree, local)` is the gate of a part of the source whose expression over its inputs is `local`.
`rewritten(tree, gates)` turns the logistic function into one gate (σ) or into the four that it is made of.  One row of
`MARKS` a head of the surface tree, one row of `FLOWS` a pattern of the gradient; a function is called by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from symgrad.expr import Contraction, Node
from symgrad.notation.literals import indices, literal, signs
from symgrad.notation.names import to_text as spelled
from symgrad.notation.render import to_text
from symgrad.notation.syntax import Tree
from symgrad.ops import OPERATIONS

LONGEST = 9


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: the mark in its circle, its name in words, and how gradient flows back through it."""

    mark: str
    words: str
    flow: str = ""


#: How gradient flows back, as the lectures say it.
FLOWS = {
    "distributes": "add distributes: every input gets the gradient as it is",
    "swaps": "multiply swaps: every input gets the gradient times the other input",
    "routes": "max routes: the input that was taken gets the gradient, the others 0",
    "adds": "copy adds: a value that goes several ways gets the sum of what comes back",
}


def gate_of(tree: Tree, local: Node) -> Gate:
    """The gate that `tree` stands for."""
    if tree.head == "call":
        return _function(tree)
    make = MARKS.get(tree.head)
    return make(tree, local) if make is not None else Gate("f", "function")


def _constant(tree: Tree) -> tuple[int, str] | None:
    """The place and the text of the one argument that is a number."""
    found = [(k, to_text(arg)) for k, arg in enumerate(tree.args) if literal(arg) is not None]
    return found[0] if len(found) == 1 and len(tree.args) == 2 else None


def _short(mark: str, otherwise: str) -> str:
    return mark if len(mark) <= LONGEST else otherwise


def _add(tree: Tree, _local: Node) -> Gate:
    first, second = signs(tree)[:2] if len(tree.args) > 1 else (1, 1)
    number = _constant(tree)
    if number is not None:
        place, text = number
        sign = signs(tree)[place]
        if signs(tree)[1 - place] > 0:
            mark = ("+" if sign > 0 else "−") + text
            return Gate(_short(mark, "+c"), f"{'add' if sign > 0 else 'subtract'} {text}", "distributes")
        return Gate(_short(f"{text}−x", "c−x"), f"subtract from {text}", "distributes")
    mark = {(1, 1): "+", (1, -1): "−"}.get((first, second), "±")
    return Gate(mark, {"+": "add", "−": "subtract"}.get(mark, "signed sum"), "distributes")


def _mul(tree: Tree, local: Node) -> Gate:
    number = _constant(tree)
    if number is not None:
        return Gate(_short(f"×{number[1]}", "×c"), f"multiply by {number[1]}")
    if isinstance(local, Contraction) and local.summed:
        return Gate("@", "matrix product" if local.rank else "inner product", "swaps")
    ranks = {node.rank for node, _, _ in getattr(local, "factors", ())}
    if local.rank and (tree.value in {"odot", "star"} or ranks == {local.rank}):
        return Gate("⊙", "multiply entry by entry", "swaps")
    return Gate("⊗", "outer product", "swaps") if local.rank == 2 and ranks == {1} else Gate("×", "multiply", "swaps")


def _div(tree: Tree, _local: Node) -> Gate:
    top, bottom = tree.args
    if literal(top) is not None:
        return Gate(_short(f"{to_text(top)}/x", "c/x"), "reciprocal" if literal(top) == 1 else "divide a number by it")
    if literal(bottom) is not None:
        return Gate(_short(f"÷{to_text(bottom)}", "÷c"), f"divide by {to_text(bottom)}")
    return Gate("÷", "divide")


POWERS = {"2": "square", "3": "cube", "-1": "reciprocal", "1/2": "square root"}


def _pow(tree: Tree, _local: Node) -> Gate:
    base, exponent = tree.args
    if literal(exponent) is None:
        return Gate("xʸ", "power")
    inside = "‖x‖" if base.head == "norm" else "x"
    shown = to_text(Tree("pow", (Tree("name", (), inside), exponent), ""))
    words = POWERS.get(to_text(exponent), f"power {to_text(exponent)}")
    return Gate(_short(shown, "xⁿ"), "squared norm" if inside != "x" and words == "square" else words)


def _neg(_tree: Tree, _local: Node) -> Gate:
    return Gate("×−1", "negate")


def _norm(tree: Tree, _local: Node) -> Gate:
    return Gate("‖x‖", f"{tree.value or 2}-norm")


def _bars(_tree: Tree, local: Node) -> Gate:
    name = getattr(getattr(local, "op", None), "name", "abs")
    return Gate("det", "determinant") if name == "det" else Gate("|x|", "absolute value")


def _inner(_tree: Tree, _local: Node) -> Gate:
    return Gate("⟨·,·⟩", "inner product", "swaps")


def _pick(tree: Tree, _local: Node) -> Gate:
    places = ",".join(to_text(arg) for arg in tree.args[1:])
    return Gate(_short(f"[{places}]", "[·]"), f"pick entry {places}", "routes")


def _big(tree: Tree, _local: Node) -> Gate:
    below = ",".join(spelled(name) for binder in tree.args[1:] for name in indices(binder))
    sign, words = {"sum": ("Σ", "sum over"), "max": ("max", "maximum over")}.get(
        str(tree.value), (str(tree.value), str(tree.value) + " over")
    )
    flow = {"sum": "distributes", "max": "routes", "min": "routes"}.get(str(tree.value), "")
    return Gate(sign + (f"_{below}" if below else ""), f"{words} {below or 'all entries'}", flow)


def _cases(_tree: Tree, _local: Node) -> Gate:
    return Gate("cases", "definition by cases", "routes")


def _transpose(_tree: Tree, _local: Node) -> Gate:
    return Gate("xᵀ", "transpose")


def _indicator(_tree: Tree, _local: Node) -> Gate:
    return Gate("1[·]", "indicator")


MARKS: dict[str, Callable[[Tree, Node], Gate]] = {
    "add": _add, "mul": _mul, "div": _div, "pow": _pow, "neg": _neg, "norm": _norm, "bars": _bars, "inner": _inner,
    "index": _pick, "big": _big, "cases": _cases, "indicator": _indicator, "transpose": _transpose,
}  # fmt: skip
#: Functions with a usual sign, and how gradient flows through functions that are no chain of entries.
SIGNS = {"sigmoid": "σ", "relu": "ReLU"}
FUNCTION_FLOWS = {"max": "routes", "min": "routes", "relu": "routes", "sum": "distributes", "mean": "distributes"}


def _function(tree: Tree) -> Gate:
    name = str(tree.value)
    op = next((op.name for op in OPERATIONS.values() if name in (*op.text, *op.latex)), name)
    plain = {"maximum": "max", "minimum": "min", "amax": "max"}.get(op, op)
    flow = FUNCTION_FLOWS.get(plain, "")
    number = _constant(tree) if flow == "routes" else None
    mark = f"{plain}({number[1]},x)" if number is not None else SIGNS.get(plain, plain)
    return Gate(mark, {"log": "natural logarithm", "exp": "exponential"}.get(plain, plain.replace("_", " ")), flow)


# --- the logistic function --------------------------------------------------------------------------------------------

ONE = Tree("num", (), 1)


def rewritten(tree: Tree, gates: str, defined: Collection[str] = ()) -> Tree:
    """`1/(1 + e^{-z})` as one gate where gates are coarse, σ(z) as four where they are fine.

    A source that defines a function of that name itself (it is in `defined`) is taken at its word.
    """
    if "sigmoid" in defined:
        return tree
    if gates == "coarse" and tree.head == "div":
        inside = _logistic(tree)
        return tree if inside is None else Tree("call", (inside,), "sigmoid", tree.start, tree.end)
    if gates == "fine" and tree.head == "call" and tree.value in OPERATIONS["sigmoid"].text and len(tree.args) == 1:
        negated = Tree("neg", tree.args, None, tree.start, tree.end)
        power = Tree("call", (negated,), "exp", tree.start, tree.end)
        total = Tree("add", (ONE, power), (1, 1), tree.start, tree.end)
        return Tree("div", (ONE, total), "odot", tree.start, tree.end)
    return tree


def _logistic(tree: Tree) -> Tree | None:
    """z of a tree 1/(1 + exp(-z))."""
    top, bottom = tree.args
    if top != ONE or bottom.head != "add" or len(bottom.args) != 2 or signs(bottom) != (1, 1):
        return None
    powers = [arg for arg in bottom.args if arg != ONE]
    if len(powers) != 1 or powers[0].head != "call" or powers[0].value != "exp" or len(powers[0].args) != 1:
        return None
    return powers[0].args[0].args[0] if powers[0].args[0].head == "neg" else None
