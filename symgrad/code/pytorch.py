"""Where PyTorch differs from NumPy: names, the types that mix, and numbers that are no tensors.

Contract: `in_torch` turns a template of NumPy code into one of PyTorch code; `operands` says which arguments of a value
must be made tensors of floats first: PyTorch multiplies no matrix of counts or booleans by one of floats, computes
quotients of counts in single precision, and its functions take no Python numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from symgrad.code.values import BOOL, CALL, FLOAT, SUMS, Value

#: Stands in a template for a tensor whose type and device new tensors have; no identifier is spelt so.
LIKE = "_like_"
NAMES = (
    (r"np\.(zeros|ones|eye)\(\{0\}\)", rf"torch.\1({{0}}).to({LIKE})"),
    (r"np\.full\(\{0\}, \{1\}, dtype=float\)", rf"{{1}} * torch.ones({{0}}).to({LIKE})"),
    (r"axes=\((\d+), (\d+)\)", r"axes=([\1], [\2])"),
    (r"\bnp\.sum\(", "torch.sum("),
    (r"\.astype\(float\)", f".to({LIKE})"),
    (r"\.transpose\(", ".permute("),
    (r"\baxes=", "dims="),
    (r"\baxis=", "dim="),
    (r"\bnp\.", "torch."),
)
#: Products with sums inside.
PRODUCTS = re.compile(r"\{0\} @ |np\.(tensordot|einsum)\(")
#: Functions that are no operation of ours.
FUNCTIONS = re.compile(r"np\.(sqrt|exp|abs)\(")
#: An index, or another view of an array.
VIEW = re.compile(r"\{0\}(\[|\.)|np\.(broadcast_to|diagonal|diag|trace|sum|argmax|arange)\(")


@cache
def in_torch(code: str) -> str:
    """A template of NumPy code in PyTorch."""
    for pattern, replacement in NAMES:
        code = re.sub(pattern, replacement, code)
    return code


def operands(value: Value, numbers: Collection[Value], passed: Collection[int]) -> list[str]:
    """What each argument needs: nothing, a cast to floats ("cast"), or to be made a tensor ("number")."""
    calling, product = value.op.startswith(CALL), bool(PRODUCTS.match(value.op))
    tensors = [arg for arg in value.args if arg not in numbers]
    counts = value.kind == FLOAT and not VIEW.match(value.op) and all(arg.kind < FLOAT for arg in tensors)
    unlike = product and len({arg.kind for arg in tensors}) > 1
    alone = calling and all(arg in numbers for k, arg in enumerate(value.args) if _array(value, k))
    kinds = []
    for k, arg in enumerate(value.args):
        if arg in numbers:
            wanted = _wants_tensor(value, k, alone, k in passed)
            kinds.append("number" if wanted and value not in numbers else "")
        elif arg.kind < FLOAT and not (calling and not _array(value, k)):
            cast = unlike or counts or (value.op in SUMS and arg.kind == BOOL)
            kinds.append("cast" if cast else "")
        else:
            kinds.append("")
    return kinds


def _wants_tensor(value: Value, k: int, alone: bool, passed: bool) -> bool:
    """Whether a number must be a tensor there: `alone` if no other argument is one, `passed` as it is to a function."""
    if value.op.startswith(CALL):
        return (value.op, k) == (CALL + "where", 0) or (_array(value, k) and (alone or passed))
    return passed and FUNCTIONS.match(value.op) is not None


def _array(value: Value, k: int) -> bool:
    """Whether an operation takes floats there: not a label, a size, a condition or a whole exponent."""
    name = value.op.removeprefix(CALL)
    return (name, k) not in {("where", 0), ("onehot", 0), ("onehot", 1), ("matrix_power", 1), ("power_change", 1)}
