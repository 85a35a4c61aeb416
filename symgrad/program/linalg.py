"""NumPy's products of arrays and functions of matrices, on traced arrays.

Contract: summed axes have one length, and nothing broadcasts along them; a function of a matrix is an operation of
symgrad's own table.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symgrad.errors import SymgradError
from symgrad.expr import Label
from symgrad.ops import apply
from symgrad.program.extent import refuse
from symgrad.program.reductions import Axis, axes_of, extreme, sum_over
from symgrad.program.shaping import ravel
from symgrad.program.traced import (
    Traced,
    entrywise,
    lifted,
    product,
    show,
    transposed,
)
from symgrad.program.ufuncs import OnTraced, Rule, given, matmul, meet, raised, times


def _dot(a: Traced, b: Traced, out: Any = None) -> Traced:
    if not a.ndim or not b.ndim:
        return given(times(a, b), out)
    left: tuple[Label, ...] = (*(("a", k) for k in range(a.ndim - 1)), "k")
    right: list[Label] = [("b", k) for k in range(b.ndim)]
    right[-2 if b.ndim > 1 else 0] = "k"
    meet((a, left), (b, tuple(right)), "k")
    rest = tuple(label for label in (*left, *right) if label != "k")
    return given(product([(a, left), (b, tuple(right))], rest), out)


def _inner(a: Traced, b: Traced) -> Traced:
    return (
        times(a, b)
        if not a.ndim or not b.ndim
        else _dot(a, transposed(b, tuple(range(b.ndim))[:-2] + tuple(range(b.ndim))[-2:][::-1]))
    )


def _vdot(a: Traced, b: Traced) -> Traced:
    return sum_over(times(ravel(a), ravel(b)))


def _outer(a: Traced, b: Traced, out: Any = None) -> Traced:
    a, b = ravel(a), ravel(b)
    return given(product([(a, ("i",)), (b, ("j",))], ("i", "j")), out)


def _einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = None) -> Traced:
    if not isinstance(subscripts, str):
        refuse("np.einsum is followed with its letters in a string")
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if "..." in subscripts or len(terms) != len(operands):
        refuse(f"the letters {subscripts!r} do not fit {len(operands)} arrays", "write every axis as a letter")
    sizes = next(a.sizes for a in operands if isinstance(a, Traced))
    arrays = [lifted(a, sizes) for a in operands]
    if any(len(term) != a.ndim for term, a in zip(terms, arrays, strict=True)):
        refuse(f"the letters {subscripts!r} do not fit arrays of {', '.join(str(a.ndim) for a in arrays)} axes")
    letters = "".join(terms)
    if not arrow:
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return given(product([(a, tuple(t)) for a, t in zip(arrays, terms, strict=True)], tuple(result)), out)


def _tensordot(a: Traced, b: Traced, axes: Any = 2) -> Traced:
    if isinstance(axes, int):
        pairs = list(zip(range(a.ndim - axes, a.ndim), range(axes), strict=True))
    else:
        one, other = (([k] if isinstance(k, int) else list(k)) for k in axes)
        pairs = [(i % a.ndim, j % b.ndim) for i, j in zip(one, other, strict=True)]
    left: list[Label] = [("a", k) for k in range(a.ndim)]
    right: list[Label] = [("b", k) for k in range(b.ndim)]
    out = [x for k, x in enumerate(left) if k not in {i for i, _ in pairs}]
    out += [x for k, x in enumerate(right) if k not in {j for _, j in pairs}]
    for i, j in pairs:
        right[j] = left[i]
        meet((a, tuple(left)), (b, tuple(right)), left[i])
    return product([(a, tuple(left)), (b, tuple(right))], out)


def _trace(a: Traced, offset: int = 0) -> Traced:
    return product([(a, ("i", "i"))], ()) if not offset and a.ndim == 2 else refuse("np.trace is followed for a matrix")


def _diag(v: Traced, k: int = 0) -> Traced:
    if k or v.ndim not in (1, 2):
        refuse("np.diag is followed for the main diagonal of a vector or a matrix")
    return product([(v, ("i",))], ("i", "i")) if v.ndim == 1 else product([(v, ("i", "i"))], ("i",))


def _matrix(name: str) -> OnTraced:
    def rule(a: Traced) -> Traced:
        if a.ndim < 2 or not all(a.real[-2:]):
            refuse(f"{name} needs a matrix, not an array of shape {show(a.dims)}")
        try:
            node = apply(name, a.node)
        except SymgradError as error:
            refuse(error.message)
        return a.like(node, (*a.real[:-2], *(True for _ in range(node.rank - sum(a.real[:-2])))))

    return rule


def _solve(a: Traced, b: Traced) -> Traced:
    return matmul(_matrix("inverse")(a), b)


def _slogdet(a: Traced) -> tuple[Traced, Traced]:
    return entrywise("sign", _matrix("det")(a)), _matrix("logdet")(a)


def _matrix_power(a: Traced, n: int) -> Traced:
    power = lifted(n, a.sizes)
    return a.like(apply("matrix_power", a.node, power.node))


def _tri(lower: bool) -> OnTraced:
    def rule(m: Traced, k: int = 0) -> Traced:
        if k or m.ndim != 2:
            refuse("a triangle is followed for a matrix and k=0")
        turn = (0, 1) if lower else (1, 0)
        return product([(_matrix("tril")(product([(m, turn)], (0, 1))), turn)], (0, 1))

    return rule


def _norm(x: Traced, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Traced:  # noqa: A002
    axes = axes_of(x, axis)
    if len(axes) == 2 and ord == "nuc" and x.ndim == 2:
        return _matrix("nucnorm")(x)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return raised(Fraction(1, 2))(sum_over(times(x, x), axes, keepdims=keepdims))
    if len(axes) == 1 and ord == 1:
        return sum_over(entrywise("abs", x), axes, keepdims=keepdims)
    if len(axes) == 1 and isinstance(ord, float) and ord == float("inf"):
        return extreme("amax", 1)(entrywise("abs", x), axes, keepdims=keepdims)
    return refuse(f"the norm {ord!r} over {len(axes)} axes is not covered")


#: Functions by NumPy's name, those of np.linalg with that before it.
FUNCTIONS: dict[str, Rule] = {
    "dot": _dot, "inner": _inner, "vdot": _vdot, "outer": _outer, "einsum": _einsum, "tensordot": _tensordot,
    "trace": _trace, "diag": _diag, "diagonal": _diag, "tril": _tri(True), "triu": _tri(False),
    "linalg.norm": _norm, "linalg.inv": _matrix("inverse"), "linalg.det": _matrix("det"), "linalg.solve": _solve,
    "linalg.slogdet": _slogdet, "linalg.pinv": _matrix("pinv"), "linalg.matrix_power": _matrix_power,
}  # fmt: skip
