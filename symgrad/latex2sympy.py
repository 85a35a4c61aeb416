"""Scalar LaTeX read by latex2sympy2_extended: a second reader, kept on a short leash.

Contract: `read_latex(source)` is the SymPy expression that the package makes of `source`, with symgrad's names.  The
package reads the notation of machine learning silently wrong (it drops `^T` and takes `\\log` to base 10), so symgrad's
own parser reads the source too, and the result is refused unless the formula is a scalar one and every symbol and every
function that was written is in it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from symgrad.errors import InputError, NameProblem, UnsupportedError, UsageError
from symgrad.notation.names import canonical, subscripted, to_text
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree

#: Parts of a formula that say the same for scalars in both readers.
SCALAR = frozenset(("num", "const", "name", "index", "add", "mul", "div", "neg", "pow", "call", "bars"))
#: What SymPy calls functions that symgrad calls otherwise; a root is a power, and the exponential may be one.
SYMPY = {"maximum": "max", "minimum": "min", "arctan": "atan", "Abs": "abs", "ln": "log"}
PLAIN = frozenset(("exp", "sqrt"))


def read_latex(source: str) -> Any:
    """The SymPy expression of a scalar formula; raises `UnsupportedError` if anything was lost on the way.

    >>> read_latex(r"\\frac{x_1}{1 + x_2^2}")
    x_1/(x_2**2 + 1)
    """
    tree = parse_tree(source, syntax="latex").tree
    names, functions = _written(tree, source)
    expression = _converted(source)
    renamed = {symbol: _name(symbol) for symbol in expression.free_symbols}
    lost, added = names - set(renamed.values()), set(renamed.values()) - names
    if lost or added:
        told = [f"lost {_list(lost)}"] * bool(lost) + [f"invented {_list(added)}"] * bool(added)
        raise _refused(source, f"latex2sympy2 {' and '.join(told)}")
    plain = _natural(expression, source)
    found = _functions(plain) - PLAIN
    if found != functions - PLAIN:
        raise _refused(source, f"latex2sympy2 read the functions {_list(found)}, not {_list(functions - PLAIN)}")
    return _with_names(plain, renamed)


def _written(tree: Tree, source: str) -> tuple[set[str], set[str]]:
    """The variables and the functions of a scalar formula, as symgrad's own parser reads them."""
    names: set[str] = set()
    functions: set[str] = set()
    stack = [tree]
    while stack:
        part = stack.pop()
        if part.head not in SCALAR:
            message = "latex2sympy2 is asked about scalar formulas only"
            raise UnsupportedError(message, hint=f"{source[part.start : part.end]!r} is none: leave the syntax out")
        if part.head == "index":
            names.add(_indexed(part, source))
            continue
        if part.head == "name":
            names.add(str(part.value))
        elif part.head == "call":
            functions.add(SYMPY.get(str(part.value), str(part.value)))
        elif part.head == "bars":
            functions.add("abs")
        stack.extend(part.args)
    return names, functions


def _indexed(part: Tree, source: str) -> str:
    base, *subscripts = part.args
    if base.head != "name" or not all(s.head in ("num", "name") for s in subscripts):
        raise UnsupportedError(f"{source[part.start : part.end]} is an entry, and only scalars are read here")
    return subscripted(str(base.value), "".join(str(s.value) for s in subscripts))


def _converted(source: str) -> Any:
    """What the package reads; its own errors are plain exceptions that draw their place."""
    import sympy as sp

    try:
        from latex2sympy2_extended import latex2sympy
        from latex2sympy2_extended.latex2sympy2 import ConversionConfig
    except ImportError:
        hint = 'install it with: pip install "symgrad[latex2sympy2]"'
        raise UsageError("the syntax latex2sympy2 needs the package latex2sympy2_extended", hint=hint) from None
    exactly = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)
    try:
        expression = latex2sympy(source, normalization_config=None, conversion_config=exactly)
    except Exception as error:  # noqa: BLE001 - the package raises bare Exceptions
        reason = (str(error).strip() or "it cannot be read").splitlines()[0]
        raise InputError(f"latex2sympy2: {reason}", source=source, code="PARSE") from None
    if not isinstance(expression, sp.Expr):
        raise _refused(source, "latex2sympy2 made no expression of it")
    return expression


def _name(symbol: Any) -> str:
    written = str(symbol.name)
    for spelling in (written, "\\" + written):
        try:
            return canonical(spelling)
        except NameProblem:
            continue
    return written


def _natural(expression: Any, source: str) -> Any:
    """`log` as symgrad writes it: natural; a base that nobody wrote is refused."""
    import sympy as sp

    based = [e for e in expression.atoms(sp.log) if len(e.args) == 2 and e.args[1] != sp.E]
    if based and not any(mark in source for mark in (r"\log_", r"\lg")):
        hint = r"write \ln, or leave the syntax out"
        raise _refused(source, f"latex2sympy2 took a logarithm to base {based[0].args[1]}", hint)
    has_base = lambda e: isinstance(e, sp.log) and len(e.args) == 2  # noqa: E731
    return expression.replace(has_base, lambda e: sp.log(e.args[0]) / (1 if e.args[1] == sp.E else sp.log(e.args[1])))


def _functions(expression: Any) -> set[str]:
    import sympy as sp

    kinds = (sp.Function, sp.Max, sp.Min)
    found = {type(part).__name__ for part in sp.preorder_traversal(expression) if isinstance(part, kinds)}
    return {SYMPY.get(name, name.lower()) for name in found}


def _with_names(expression: Any, renamed: dict[Any, str]) -> Any:
    import sympy as sp

    return expression.xreplace({symbol: sp.Symbol(name, real=True) for symbol, name in renamed.items()})


def _refused(source: str, message: str, hint: str = "leave the syntax out: symgrad reads LaTeX itself") -> InputError:
    return InputError(message, source=source, code="LOST", hint=hint)


def _list(names: AbstractSet[str]) -> str:
    return ", ".join(sorted(map(to_text, names))) or "none"
