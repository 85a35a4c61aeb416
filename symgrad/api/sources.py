"""Any source as an expression: text, LaTeX, a SymPy expression, a catalog name or a program.

Contract: an input error is an `InputError` with its place, a program that cannot be followed an `UnsupportedError`;
SymPy is loaded only for what comes from it or goes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.api.objects import Expr
from symgrad.catalog import CATALOG, Entry
from symgrad.errors import UnsupportedError, UsageError
from symgrad.expr import Node
from symgrad.notation.names import canonical
from symgrad.notation.reading import Reading, read
from symgrad.shapes import read_shapes
from symgrad.simplify.trees import arranged

SYNTAXES = ("auto", "text", "latex", "latex2sympy2")
#: Assumptions of whole numbers: they are not differentiated by.
WHOLE = frozenset({"label", "natural"})
Shapes = str | Mapping[str, Any] | None
Assumptions = str | Mapping[str, Any] | None
Source = Any


def parse(source: Source, *, shapes: Shapes = None, assume: Assumptions = None, syntax: str = "auto") -> Expr:
    """Read a function from text, LaTeX, an expression, a SymPy expression, a catalog name or a program.

    Definitions are separated by `;` or lines; the last formula is the function.  A program is a NumPy function, itself
    or as `file.py:name`, of arguments whose `shapes` are given or stand in its docstring; it is run on arrays that
    remember how they were calculated, and what it returns is the function.

    Raises an `InputError` where a formula cannot be read, with its place; an `UnsupportedError` where a program cannot
    be followed, with its line; a `UsageError` for anything else that is no source.

    >>> parse("q = W x; ||q||^2") == parse(r"\\|W x\\|^2")
    True
    """
    if isinstance(source, Expr):
        return source
    if syntax not in SYNTAXES:
        raise UsageError(f"unknown syntax {syntax!r}", hint="syntaxes: " + ", ".join(SYNTAXES))
    if is_program(source):
        from symgrad.review.programs import function_of

        node, arguments = function_of(source, shapes, assume)
        return Expr(arranged(node), Reading.of(node, arguments))
    if not isinstance(source, str):
        if not any(str(base.__module__).startswith("sympy.") for base in type(source).__mro__):
            kind = type(source).__name__
            raise UsageError(f"a source is text, LaTeX, an expression or a SymPy expression, not {kind}")
        from symgrad.interop import from_sympy as convert

        return _from_node(convert(source, shapes=shapes, assume=assume))
    if syntax == "latex2sympy2":
        return _second_reader(source, shapes, assume)
    entry = CATALOG.get(source.strip())
    if entry is not None:
        source, shapes, assume = entry.text, shapes or entry.shapes, assume or entry.assume
    reading = read(source, shapes=shapes, assume=assume, syntax=syntax)
    return Expr(arranged(reading.node), reading)


def is_program(source: Any) -> bool:
    """Whether a source is a callable, or names one as `file.py:name`."""
    if isinstance(source, str):
        return "\n" not in source and (".py:" in source or source.rstrip().endswith(".py"))
    return callable(source) and not isinstance(source, Expr) and not hasattr(source, "free_symbols")


def _second_reader(source: str, shapes: Shapes, assume: Assumptions) -> Expr:
    """Scalar LaTeX through the package latex2sympy2_extended."""
    from symgrad.interop import from_sympy as convert
    from symgrad.latex2sympy import read_latex

    if any(read_shapes(shapes, canonical).values()):
        raise UnsupportedError("latex2sympy2 is asked about scalar formulas only", hint="leave the syntax out")
    return _from_node(convert(read_latex(source), assume=assume))


def _from_node(node: Node) -> Expr:
    return Expr(arranged(node), Reading.of(node))


def catalog() -> Mapping[str, Entry]:
    """The known functions of the field by name, each with its formula, source and expected gradients.

    >>> catalog()["softmax"].text
    'softmax(s)'
    """
    return CATALOG


def to_sympy(source: Source, **options: Any) -> Any:
    """The expression in SymPy: scalars as they are, matrices as matrix expressions where SymPy has them.

    Raises an `UnsupportedError` where SymPy has no such expression.

    >>> to_sympy("x^2 + sin(x)")
    x**2 + sin(x)
    """
    from symgrad.interop import to_sympy as convert

    return convert(parse(source, **options).node)


def from_sympy(expression: Any, *, shapes: Shapes = None, assume: Assumptions = None) -> Expr:
    """A SymPy expression as an expression of symgrad; its symbols are the variables.

    >>> import sympy
    >>> from_sympy(sympy.sin(sympy.Symbol("x")) ** 2).text
    'sin(x)²'
    """
    return parse(expression, shapes=shapes, assume=assume)
