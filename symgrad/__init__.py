"""symgrad: derive a gradient as on paper, step by step, and check it.

    >>> import symgrad as sg
    >>> sg.gradient("||W x||^2", "W").text
    '2 W x xᵀ'

Everything public is here; see the README for what each promises.
"""

from symgrad.api import (
    Derivation,
    Expr,
    catalog,
    check,
    code,
    compile,
    derive,
    from_sympy,
    gradient,
    hessian,
    jacobian,
    jvp,
    parse,
    to_sympy,
    vjp,
)
from symgrad.errors import (
    DomainError,
    InputError,
    LimitError,
    ShapeError,
    SymgradError,
    UnsupportedError,
    UsageError,
)

__version__ = "0.1.0"

__all__ = [
    "Derivation",
    "DomainError",
    "Expr",
    "InputError",
    "LimitError",
    "ShapeError",
    "SymgradError",
    "UnsupportedError",
    "UsageError",
    "catalog",
    "check",
    "code",
    "compile",
    "derive",
    "from_sympy",
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "parse",
    "to_sympy",
    "vjp",
]
