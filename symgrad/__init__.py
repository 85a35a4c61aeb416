"""symgrad: derive a gradient as on paper, step by step, and check it.

>>> import symgrad as sg
>>> sg.gradient("||W x||^2", "W").text
'2 W x xᵀ'
"""

from symgrad.api.checking import assert_gradient, check, check_derivation
from symgrad.api.coding import compile, source_code
from symgrad.api.deriving import derive, gradient, gradients, hessian, hvp, jacobian, jvp, vjp
from symgrad.api.looking import compare, draw, trace
from symgrad.api.objects import Derivation, Expr
from symgrad.api.sources import catalog, from_sympy, parse, to_sympy
from symgrad.errors import DomainError, InputError, LimitError, ShapeError, SymgradError, UnsupportedError, UsageError

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The reports come with the witnesses, which nobody who only derives should wait for."""
    if name not in ("Report", "DerivationReport"):
        raise AttributeError(f"module 'symgrad' has no attribute {name!r}")
    from symgrad import review, verify

    return verify.Report if name == "Report" else review.DerivationReport


__all__ = [
    "Derivation",
    "DerivationReport",
    "DomainError",
    "Expr",
    "InputError",
    "LimitError",
    "Report",
    "ShapeError",
    "SymgradError",
    "UnsupportedError",
    "UsageError",
    "assert_gradient",
    "catalog",
    "check",
    "check_derivation",
    "compare",
    "compile",
    "derive",
    "draw",
    "from_sympy",
    "gradient",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "parse",
    "source_code",
    "to_sympy",
    "trace",
    "vjp",
]
