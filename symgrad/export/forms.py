"""The frames in which both passes of a function are handed out: a function, a gate, custom gradients of frameworks.

Contract: a frame takes what a program is of and the written passes, and gives the lines of its body.  It adds no
mathematics: names of arguments, what is kept between the passes, what is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.code.writing import IMPORTS, helpers, quoted, shape_note
from symgrad.export.writer import Blocks
from symgrad.expr import Node, Variable

INDENT = "    "
#: A formula longer than this is left out of a docstring.
LONGEST_TEXT = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """What a program is of: a function with its name, its text, its variables, and those to differentiate by."""

    node: Node
    name: str
    text: str
    inputs: tuple[Variable, ...]
    wrt: tuple[Variable, ...]
    definitions: Mapping[str, Node]

    @property
    def real(self) -> tuple[Variable, ...]:
        return tuple(v for v in self.inputs if not v.assumptions & {"label", "natural"})


def module(blocks: Blocks, body: Iterable[str]) -> str:
    """Imports, helpers, and the program."""
    text = "\n".join(body)
    wanted = blocks.needed_helpers()
    needed = [source for name, source in helpers(blocks.backend).items() if name in wanted]
    heads = [IMPORTS[blocks.backend]]
    if blocks.backend == "numpy" and any("scipy." in part for part in [*needed, text]):
        heads.append("import scipy")
    if blocks.backend != "numpy" and "np." in text.replace("jnp.", ""):
        heads.insert(0, "import numpy as np")
    if "@once_differentiable" in text:
        heads.append("from torch.autograd.function import once_differentiable")
    return "\n\n\n".join(["\n".join(heads), *needed, text]) + "\n"


# --- parts ------------------------------------------------------------------------------------------------------------


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    return [INDENT * depth + line if line else "" for line in lines]


def listed(words: Sequence[str]) -> str:
    """Words as a tuple that is returned, assigned or unpacked."""
    return f"({words[0]},)" if len(words) == 1 else ", ".join(words)


def docstring(subject: Subject, blocks: Blocks, says: str) -> list[str]:
    """One line on what the program is, and the shapes of its arguments."""
    text = f"{subject.name} = {subject.text}"
    first = f"{text}: {says}" if len(text) <= LONGEST_TEXT else says[0].upper() + says[1:]
    shapes = ", ".join(f"{blocks.words[v.name]}: {shape_note(v)}" for v in subject.inputs if v.shape)
    if not shapes:
        return [f'"""{quoted(first)}."""']
    return [f'"""{quoted(first)}.', "", shapes, '"""']


def forward_lines(blocks: Blocks) -> list[str]:
    return [*blocks.sized(blocks.forward, blocks.inputs), *blocks.forward]


def backward_lines(blocks: Blocks) -> list[str]:
    return [*blocks.sized(blocks.backward, [*blocks.kept, blocks.seed]), *blocks.backward]


def returned(subject: Subject, blocks: Blocks) -> list[str]:
    """A gradient for every argument; a label has none."""
    names = dict(zip((v.name for v in blocks.passes.wrt), blocks.gradients, strict=True))
    return [names.get(v.name, "None") for v in subject.inputs]


# --- forms ------------------------------------------------------------------------------------------------------------


def as_function(subject: Subject, blocks: Blocks) -> list[str]:
    """`loss_and_gradients(W, x)`: the value and the gradients, both passes after each other."""
    sizes = blocks.sized([*blocks.forward, *blocks.backward], blocks.inputs)
    names = [v.name for v in subject.wrt]
    body = [
        *docstring(subject, blocks, f"the value, and the gradient{'s' * (len(names) > 1)} by {', '.join(names)}"),
        *sizes,
        "# forward",
        *blocks.forward,
        "# backward",
        *blocks.backward,
        f"return {', '.join([blocks.output, *blocks.gradients])}",
    ]
    return [f"def loss_and_gradients({', '.join(blocks.inputs)}):", *indented(body)]


def as_gate(subject: Subject, blocks: Blocks) -> list[str]:
    """A class with `forward` and `backward`, as the lectures draw a gate."""
    kept, default = blocks.kept, "" if subject.node.shape else "=1.0"
    forward = [*forward_lines(blocks), *([f"self.cache = {listed(kept)}"] if kept else []), f"return {blocks.output}"]
    backward = [
        f'"""The gradients by {", ".join(v.name for v in subject.wrt)}, given that by the output."""',
        *([f"{listed(kept)} = self.cache"] if kept else []),
        *backward_lines(blocks),
        f"return {', '.join(blocks.gradients)}",
    ]
    return [
        "class Gate:",
        *indented(docstring(subject, blocks, "forward keeps what backward needs")),
        "",
        *indented([f"def forward(self, {', '.join(blocks.inputs)}):", *indented(forward)]),
        "",
        *indented([f"def backward(self, {blocks.seed}{default}):", *indented(backward)]),
    ]


def title(subject: Subject) -> str:
    return "layer" if subject.node.shape else "loss"


def as_custom_vjp(subject: Subject, blocks: Blocks) -> list[str]:
    """A function whose gradient JAX takes from us."""
    name, kept = title(subject), blocks.kept
    arguments = ", ".join(blocks.inputs)
    cache = f"({', '.join(kept)}{',' * (len(kept) == 1)})"
    forward = [*forward_lines(blocks), f"return {blocks.output}, {cache}"]
    gradients = returned(subject, blocks)
    backward = [
        *([f"{listed(kept)} = cache"] if kept else []),
        *backward_lines(blocks),
        f"return {listed(gradients)}",
    ]
    return [
        "@jax.custom_vjp",
        f"def {name}({arguments}):",
        *indented(
            [*docstring(subject, blocks, "JAX takes its gradients from backward"), f"return forward({arguments})[0]"]
        ),
        "",
        "",
        f"def forward({arguments}):",
        *indented(forward),
        "",
        "",
        f"def backward(cache, {blocks.seed}):",
        *indented(backward),
        "",
        "",
        f"{name}.defvjp(forward, backward)",
    ]


def as_autograd_function(subject: Subject, blocks: Blocks) -> list[str]:
    """A function whose gradient PyTorch takes from us; it is called by `apply`."""
    kept = blocks.kept
    forward = [
        *forward_lines(blocks),
        *([f"ctx.save_for_backward({', '.join(kept)})"] if kept else []),
        f"return {blocks.output}",
    ]
    backward = [
        *([f"{listed(kept)} = ctx.saved_tensors"] if kept else []),
        *backward_lines(blocks),
        f"return {', '.join(returned(subject, blocks))}",
    ]
    return [
        f"class {title(subject).capitalize()}(torch.autograd.Function):",
        *indented(docstring(subject, blocks, "PyTorch takes its gradients from backward")),
        "",
        *indented(["@staticmethod", f"def forward(ctx, {', '.join(blocks.inputs)}):", *indented(forward)]),
        "",
        *indented(["@staticmethod", "@once_differentiable"]),
        *indented([f"def backward(ctx, {blocks.seed}):", *indented(backward)]),
        "",
        "",
        f"{title(subject)} = {title(subject).capitalize()}.apply",
    ]
