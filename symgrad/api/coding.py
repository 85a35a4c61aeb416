"""Functions and derivations as code: compiled, as source, or as a program to show.

Contract: what runs and what is shown are the same emitted source; the function is simplified first, for stability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgrad.api.objects import Derivation
from symgrad.api.sources import Source, parse
from symgrad.errors import UsageError
from symgrad.simplify.rules import simplify

if TYPE_CHECKING:
    from symgrad.code import Compiled


def compile(expr: Source, backend: str = "numpy", **options: Any) -> Compiled:
    """A callable that takes the variables as named arrays; `.source` is its code.

    The function is simplified first, so that log(exp(s_y) / Σ exp(s)) is computed as stably as JAX does it.

    >>> import numpy as np
    >>> float(compile("||W x||^2")(W=np.eye(2), x=np.array([3.0, 4.0])))
    25.0
    """
    from symgrad.code import compile_nodes

    function = parse(expr, **options)
    arguments = [function.reading.node_of(name) for name in function.variables]
    return compile_nodes({function.name: simplify(function.node)}, backend, arguments=arguments)


def source_code(found: Any, backend: str = "numpy", form: str = "") -> str:
    """The source of one function that returns the value and the derivatives of a derivation (or a dict of them).

    With a `form` it is a program to show, forward and backward pass line by line: "function", "gate" (a class),
    "custom-vjp" (of JAX), "autograd-function" (of PyTorch) or "training" (gradient descent on random data).

    >>> import symgrad as sg
    >>> print(source_code(sg.derive("||W x||^2", wrt="W"), form="function"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def loss_and_gradients(W, x):
        \"\"\"f = ‖W x‖²: the value, and the gradient by W.
    <BLANKLINE>
        W: (m, n), x: (n,)
        \"\"\"
        # forward
        q = W @ x  # (m,)
        f = q @ q
        # backward
        dq = 2 * q            # (m,)
        dW = np.outer(dq, x)  # (m, n)
        return f, dW
    <BLANKLINE>
    """
    from symgrad.code import emit

    several = {found.wrt: found} if isinstance(found, Derivation) else dict(found)
    function = next(iter(several.values())).function
    if form:
        return _exported(list(several.values()), backend, form)
    outputs = {function.name: simplify(function.node)} | {f"grad_{n}": d.result.node for n, d in several.items()}
    return emit(outputs, backend=backend, name="value_and_grad")


def _exported(found: list[Derivation], backend: str, form: str) -> str:
    from symgrad.export import Subject, program

    function = found[0].function
    if any(len(d.by) > 1 or d.layout != "gradient" for d in found):
        raise UsageError("a program is of first derivatives in the shape of their variables", hint="leave --order out")
    if any(d.function != function for d in found):
        raise UsageError("a program is of one function")
    inputs = tuple(function.reading.node_of(name) for name in function.variables)
    wrt = tuple(d.variable for d in found)
    subject = Subject(function.node, function.name, function.text, inputs, wrt, function.reading.definitions)
    return program(subject, backend, form)
