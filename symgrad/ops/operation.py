"""What an operation is: one entry that says everything symgrad knows of it.

Contract: names, shape rule, definition, derivative, code, domain, kinks and source are columns of one declaration;
reading, printing, both modes of differentiation, code and the tests are generated from it.  For each argument there is
exactly one rule, written in symgrad's own language:

* `partial`: of an entrywise operation, the derivative of an entry of the result by the same entry of the argument;
* `differential`: d(result) as an expression linear in d(argument), written `dx` for the argument `x`;
* `adjoint`: of an operation that is linear in the argument, its transpose, applied to `g` of the shape of the result;
* `fixed`: the operation is constant where it is smooth, by this argument (a label, a condition);
* `unknown`: there is no rule, and a derivative that needs it is refused.

Reverse mode is the transpose of the differential, so the two modes cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr import Dim, Node, Rational, Shape, constant, number


@dataclass(frozen=True, slots=True)
class Rule:
    """The derivative by one argument; `formula` is in symgrad's own language."""

    kind: str
    formula: str = ""


def partial(formula: str) -> Rule:
    return Rule("partial", formula)


def differential(formula: str) -> Rule:
    return Rule("differential", formula)


def adjoint(formula: str) -> Rule:
    return Rule("adjoint", formula)


FIXED = Rule("fixed")
UNKNOWN = Rule("unknown")


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation; see the module for the rules and `symgrad.ops.table` for the entries.

    name        its name in symgrad, and in text if `text` is empty
    args        the names its formulas use
    rules       one a argument
    signature   "" for an entrywise operation; else the trailing axes it needs, as in "n -> n" or "m n, n -> m";
                all leading axes of the arguments are a batch
    definition  the same function through simpler ones (what SymPy expands and the tests compare with), or ""
    text        its spellings in text, the printed one first
    latex       its spellings in LaTeX without the backslash, the printed one first
    command     whether the printed LaTeX spelling is a command of its own (`\\exp`) or needs `\\operatorname`
    letter      a Greek letter that is this function where it is applied, and is no variable of the source; printed
                where `latex` is empty
    numpy, jax  code with the arguments in braces; `helper` names a function of `symgrad.code.helpers` it needs
    torch       the same in PyTorch, where it is not the NumPy code with other names; `_like_` is an argument
    sympy       the function on SymPy scalars, given the module; None where `definition` serves
    exact       its value on exact numbers where that is one, else None
    domain      where each argument may be sampled: real, positive, nonzero, unit, label, condition
    held        whether its value is its argument's, and its derivative is not: the argument counts as fixed
    kinks       formulas over the arguments; the operation has a kink where one of them is 0
    defaults    values of trailing arguments that may be left out
    symbol      for indicators the comparison with 0 they write, else ""
    complement  (p, formula): what 1 - op(x)^p is without cancellation, for code where op saturates at 1
    turns       whether it does not see a transposition: f(X^T) is f(X), or f(X)^T where that is a matrix
    analytic    whether the complex step may be used
    source      where the definition and the derivative can be looked up
    """

    name: str
    args: tuple[str, ...]
    rules: tuple[Rule, ...]
    signature: str = ""
    definition: str = ""
    text: tuple[str, ...] = ()
    latex: tuple[str, ...] = ()
    command: bool = False
    letter: str = ""
    numpy: str = ""
    jax: str = ""
    torch: str = ""
    helper: str = ""
    sympy: Callable[..., Any] | None = None
    exact: Callable[..., Rational | None] | None = None
    rewrite: Callable[..., Node | None] | None = None
    domain: tuple[str, ...] = ()
    kinks: tuple[str, ...] = ()
    defaults: tuple[Fraction, ...] = ()
    params: tuple[str, ...] = ()
    symbol: str = ""
    complement: tuple[int, str] | None = None
    turns: bool = False
    held: bool = False
    analytic: bool = True
    source: str = ""

    @property
    def entrywise(self) -> bool:
        return not self.signature

    def fold(self, args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        """The simpler node that op(args) is by definition, if any: a number, or another operation."""
        if self.rewrite is not None:
            rewritten = self.rewrite(*args)
            if rewritten is not None:
                return rewritten
        if self.exact is None:
            return None
        values = [constant(arg) for arg in args]
        if None in values:
            return None
        value = self.exact(*values)
        return None if value is None else number(value, self.shape(args, params))

    def shape(self, args: tuple[Node, ...], params: tuple[Any, ...]) -> Shape:
        """Shape of the result; scalars go with any shape in an entrywise operation, else nothing broadcasts."""
        if len(args) != len(self.args):
            raise ShapeError(f"{self.name} takes {len(self.args)} arguments, not {len(args)}", code="ARITY")
        if not self.signature:
            return self._entrywise_shape(args)
        inputs, output = self.axes()
        bound: dict[str, Dim] = dict(zip(self.params, params, strict=True))
        batch: Shape = ()
        for arg, axes in zip(args, inputs, strict=True):
            cut = len(arg.shape) - len(axes)
            if cut < 0:
                raise ShapeError(f"{self.name} needs {_needs(axes)}, not {_describe(arg.shape)}")
            batch = max(batch, arg.shape[:cut], key=len)
            for axis, dim in zip(axes, arg.shape[cut:], strict=True):
                if bound.setdefault(axis, dim) != dim:
                    raise ShapeError(f"{self.name} needs equal sizes, not {bound[axis]} and {dim}")
        return batch + tuple(bound[axis] for axis in output)

    def _entrywise_shape(self, args: tuple[Node, ...]) -> Shape:
        shape = max((arg.shape for arg in args), key=len, default=())
        for arg in args:
            if arg.shape and arg.shape != shape:
                raise ShapeError(
                    f"{self.name} works entry by entry: {_describe(arg.shape)} does not fit {_describe(shape)}"
                )
        return shape

    def at_kink(self, formula: str) -> str:
        """Where one of its kinks is, in words: a formula of the function itself compares its entries."""
        if f"{self.name}(" in formula:
            return "a tie"
        return "0" if formula == "x" else f"{formula} = 0"

    def axes(self) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        """The signature as (axes of each argument, axes of the result)."""
        left, right = self.signature.split("->")
        inputs = left.split(",") if self.args else []
        return tuple(tuple(part.split()) for part in inputs), tuple(right.split())


def _needs(axes: tuple[str, ...]) -> str:
    return {0: "a scalar", 1: "a vector", 2: "a matrix"}.get(len(axes), f"{len(axes)} axes")


def _describe(shape: Shape) -> str:
    return "a scalar" if not shape else "×".join(map(str, shape))
