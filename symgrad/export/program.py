"""A function and its gradients as a program, in one of the forms that the field writes: `FORMS`.

Contract: `program(subject, backend, form)` is the source of a module that runs by itself.  Both passes are those of
`backprop`, line by line; a form only says how they are framed: one function, a gate with `forward` and `backward`, the
custom gradients of JAX and PyTorch, or a loop of gradient descent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.code.writing import IMPORTS
from symgrad.errors import ShapeError, UnsupportedError, UsageError, printable
from symgrad.export.backprop import backprop, unstructured
from symgrad.export.forms import Subject, as_autograd_function, as_custom_vjp, as_function, as_gate, module
from symgrad.export.training import as_training
from symgrad.export.writer import Blocks


@dataclass(frozen=True, slots=True)
class Form:
    """One frame: how it is written, the one backend that has it (or ""), and whether a gradient comes from above.

    every  whether the framework asks for the gradient by every real variable
    """

    write: Callable[[Subject, Blocks], list[str]]
    backend: str = ""
    seeded: bool = True
    every: bool = False


FORMS: dict[str, Form] = {
    "function": Form(as_function, seeded=False),
    "gate": Form(as_gate),
    "custom-vjp": Form(as_custom_vjp, "jax", every=True),
    "autograd-function": Form(as_autograd_function, "torch", every=True),
    "training": Form(as_training, seeded=False),
}


def program(subject: Subject, backend: str, form: str) -> str:
    """The source of a module that runs by itself; raises `UsageError` for what does not go together.

    Raises `UnsupportedError` for what no form can say: sizes that no variable has, structured variables in frameworks.
    """
    chosen = FORMS.get(form)
    if chosen is None:
        raise UsageError(f"no form of a program is called {printable(form)!r}", hint=f"forms: {', '.join(FORMS)}")
    if backend not in IMPORTS:
        raise UsageError(f"no backend is called {printable(backend)!r}", hint=f"backends: {', '.join(IMPORTS)}")
    if chosen.backend and backend != chosen.backend:
        raise UsageError(f"{form} is of {chosen.backend}, and has no form in {backend}")
    if not chosen.seeded and subject.node.shape:
        shape = "×".join(map(str, subject.node.shape))
        raise ShapeError(f"a loss is a scalar; this function has shape {shape}", hint="the form gate takes any shape")
    wrt = subject.real if chosen.every else subject.wrt
    if chosen.every:
        unstructured(wrt, form)
        whole = next((v for v in subject.inputs if "natural" in v.assumptions), None)
        if whole is not None:
            raise UnsupportedError(f"{whole.name} is a whole number that shapes the computation: no {form} takes it")
    passes = backprop(subject.node, subject.name, subject.inputs, wrt, subject.definitions, seeded=chosen.seeded)
    blocks = Blocks(passes, backend)
    return module(blocks, chosen.write(subject, blocks))
