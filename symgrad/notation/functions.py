"""The functions a formula may call, by name: operations, reductions, shapes of constants, small abbreviations.

Contract: `BUILTIN[name](work, tree)` is the value of a call.  Every module of functions gives its own `HANDLERS`, the
spellings of a function and what it means; where two name the same, the later one in `BUILTIN` is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgrad.errors import UnsupportedError
from symgrad.notation import (
    arrays,
    blocks,
    convolutions,
    elementary,
    expansions,
    matrices,
    norms,
    operations,
    totals,
)
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Handler, Value

if TYPE_CHECKING:
    from symgrad.notation.elaborate import Elaborator


def _refused(reason: str, hint: str = "") -> Handler:
    def handler(work: Elaborator, tree: Tree) -> Value:
        raise UnsupportedError(f"{work.text(tree)}: {reason}", hint=hint)

    return handler


_REFUSED: dict[tuple[str, ...], Handler] = {
    ("slogdet",): _refused("this is a sign and a logarithm", "write slogdet(X)[1] or logdet(X)"),
    ("eig", "eigvals", "svd"): _refused("no rule is known for this function yet"),
}

_MODULES = (operations, totals, norms, matrices, arrays, elementary, convolutions, blocks, expansions)

BUILTIN: dict[str, Handler] = {
    name: handler
    for table in (_REFUSED, *(module.HANDLERS for module in _MODULES))
    for spellings, handler in table.items()
    for name in spellings
}
