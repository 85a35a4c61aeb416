"""The lengths of axes in a traced program, and how a program is refused.

Contract: a length is a dimension; what is calculated from lengths keeps track of it, and a comparison is decided where
it is the same for every size.  `refuse` names the line of the program that was being run.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import walk_stack, walk_tb
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from symgrad import dims
from symgrad.errors import UnsupportedError
from symgrad.expr import Dim, size

if TYPE_CHECKING:
    from symgrad.program.traced import Traced

OURS = str(Path(__file__).resolve().parents[1])


def refuse(message: str, hint: str = "") -> NoReturn:
    """Raise an `UnsupportedError` that names the line of the program that was being run."""
    raise UnsupportedError(f"{place()}{message}", hint=hint)


def place(trace: TracebackType | None = None) -> str:
    """`file.py, line 3: "code": ` of the innermost frame that is neither ours nor NumPy's, now or of an error."""
    for path, line in _frames(trace):
        if not path.startswith((OURS, "<__array_function__")) and "/numpy/" not in path.replace("\\", "/"):
            code = linecache.getline(path, line).strip()
            return f"{Path(path).name}, line {line}: " + (f"{code!r}: " if code else "")
    return ""


def _frames(trace: TracebackType | None) -> list[tuple[str, int]]:
    """File and line of every frame, the innermost first."""
    if trace is not None:
        return [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)][::-1]
    return [(frame.f_code.co_filename, line) for frame, line in walk_stack(sys._getframe(1))]


# --- sizes ------------------------------------------------------------------------------------------------------------


class Extent:
    """The length of an axis: a whole number that remembers which dimension it is.

    Sums, products and whole quotients of lengths are lengths; a true quotient is a number of the expression.  It is no
    `int`, which would forget its dimension in 1.0 / n; where Python insists on one, it is that of the traced sizes.
    """

    __slots__ = ("dim", "sizes")
    dim: Dim
    sizes: Mapping[str, int]

    def __new__(cls, dim: Dim, sizes: Mapping[str, int]) -> Any:
        if isinstance(dim, int):
            return dim
        made = super().__new__(cls)
        made.dim, made.sizes = dim, sizes
        return made

    def __index__(self) -> int:
        return dims.value(self.dim, self.sizes)

    def __int__(self) -> int:
        return self.__index__()

    def __repr__(self) -> str:
        return str(self.dim)

    @property
    def number(self) -> Traced:
        from symgrad.program.traced import Traced

        return Traced(size(self.dim), (), self.sizes)

    def _linear(self, other: Any, mine: int, theirs: int) -> Any:
        if isinstance(other, int | Extent):
            return Extent(dims.combine([(mine, self.dim), (theirs, dim_of(other))]), self.sizes)
        return mine * self.number + theirs * other

    def __add__(self, other: Any) -> Any:
        return self._linear(other, 1, 1)

    def __radd__(self, other: Any) -> Any:
        return self._linear(other, 1, 1)

    def __sub__(self, other: Any) -> Any:
        return self._linear(other, 1, -1)

    def __rsub__(self, other: Any) -> Any:
        return self._linear(other, -1, 1)

    def __neg__(self) -> Any:
        return self._linear(0, -1, 0)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):
            refuse("a list is repeated as often as an axis is long", "use np.full, np.zeros or np.tile")
        if isinstance(other, int | Extent):
            return Extent(dims.times(self.dim, dim_of(other)), self.sizes)
        return self.number * other

    def __rmul__(self, other: Any) -> Any:
        return self.__mul__(other)

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, int | Extent):
            return Extent(dims.quotient(self.dim, dim_of(other)), self.sizes)
        return refuse("a size is divided by what is no size")

    def __truediv__(self, other: Any) -> Any:
        return self.number / other

    def __rtruediv__(self, other: Any) -> Any:
        return self.number.__rtruediv__(other)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        return self.number**other

    def __rpow__(self, other: Any, modulo: Any = None) -> Any:
        return self.number.__rpow__(other)

    # --- comparing: certain for every size, or refused ------------------------------------------------------------

    def _least(self, other: Any, more: int = 0) -> bool:
        """Whether this length is at least the other one, plus `more`, for certain."""
        if not isinstance(other, int | Extent):
            refuse("a length is compared with what is no length")
        return dims.at_least(self.dim, dims.combine([(1, dim_of(other))], more))

    def _most(self, other: Any, less: int = 0) -> bool:
        return dims.at_least(dims.combine([(1, dim_of(other))], -less), self.dim)

    def _decided(self, yes: bool, no: bool) -> bool:
        if not yes and not no:
            refuse(f"a branch on the size {self.dim}", "what holds for some sizes only is tested, not proved")
        return yes

    def __ge__(self, other: Any) -> bool:
        return self._decided(self._least(other), self._most(other, 1))

    def __gt__(self, other: Any) -> bool:
        return self._decided(self._least(other, 1), self._most(other))

    def __le__(self, other: Any) -> bool:
        return not self > other

    def __lt__(self, other: Any) -> bool:
        return not self >= other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Extent):
            return False
        same = dims.combine([(1, self.dim), (-1, dim_of(other))]) == 0
        return self._decided(same, self._least(other, 1) or self._most(other, 1))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return self != 0

    def __hash__(self) -> int:
        return hash(self.dim)

    def __float__(self) -> float:
        return refuse(f"the size {self.dim} is made a Python number", "calculate with NumPy, as np.sqrt(n)")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self.number.__array_ufunc__(ufunc, method, *inputs, **options)


def _unfollowed(name: str) -> Callable[..., Any]:
    return lambda self, *_: refuse(f"{name} of the size {self.dim} cannot be followed")


for _name in (
    "mod",
    "rmod",
    "divmod",
    "rdivmod",
    "rfloordiv",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "round",
    "invert",
):
    setattr(Extent, f"__{_name}__", _unfollowed(_name))


def dim_of(value: Any) -> Dim:
    """The dimension that a length is: its own, or the number."""
    if isinstance(value, Extent):
        return value.dim
    if isinstance(value, str):
        return value
    if not hasattr(value, "__index__") or hasattr(value, "node"):
        refuse(f"a length is a whole number, not {value!r}")
    return int(value)
