"""Every operation, declared once: `OPERATIONS[name]`; see `symgrad.ops.operation` for the columns.

Contract: one entry holds all that symgrad knows of an operation.  What can be written as a contraction (matrix
products, transposes, traces, sums over axes, norms) is no operation: `symgrad.expr` has it.
"""

from __future__ import annotations

from symgrad.expr import Node, call
from symgrad.ops.arrays import ARRAYS
from symgrad.ops.entrywise import ENTRYWISE
from symgrad.ops.operation import FIXED, UNKNOWN, Operation, Rule, adjoint, differential, partial

OPERATIONS: dict[str, Operation] = {op.name: op for op in ENTRYWISE + ARRAYS}
#: The indicator operations by the comparison with 0 that they write.
INDICATORS: dict[str, Operation] = {op.symbol: op for op in OPERATIONS.values() if op.symbol}


def apply(name: str, *args: Node, params: tuple[object, ...] = ()) -> Node:
    """The operation called `name`, applied."""
    return call(OPERATIONS[name], args, params)


__all__ = [
    "FIXED",
    "INDICATORS",
    "OPERATIONS",
    "UNKNOWN",
    "Operation",
    "Rule",
    "adjoint",
    "apply",
    "differential",
    "partial",
]
