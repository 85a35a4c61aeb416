"""A training loop: gradient descent on random data of stated shapes, with steps that are halved until the loss falls.

Contract: the data hold what is assumed of each variable, and are drawn where the loss exists: the program is tried
before it is handed out.  A variable that must stay within an open set, such as a positive one, is not trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from symgrad.code.writing import shape_note
from symgrad.dims import value as size_of
from symgrad.errors import LimitError, UnsupportedError
from symgrad.export.forms import Subject, as_function, indented, module
from symgrad.export.writer import Blocks
from symgrad.expr import Variable
from symgrad.verify.points import Sampler

#: Sizes of the dimensions, in order of appearance.
SIZES = (4, 3, 6, 5, 2, 7)
#: How many seeds are tried, and how much larger than at first a loss is that has no minimum.
SEEDS, UNBOUNDED = 4, 1e4
#: An array of data has no more entries.
LARGEST = 1_000_000
#: Where entries without an assumption are drawn: the first at which the loss exists and falls.
WAYS = (
    "rng.normal({size})",
    "rng.uniform(0.5, 1.5, {size})",
    "rng.uniform(0.1, 0.4, {size})",
    "rng.uniform(1.5, 2.5, {size})",
)
#: What is assumed of a variable -> how it is drawn, the strongest first; `draw` is one of the ways.
DRAWN: dict[str, tuple[str, ...]] = {
    "label": ("{name} = rng.integers(0, {classes}, {size})",),
    "natural": ("{name} = 2",),
    "orthogonal": ("{name} = np.linalg.qr(rng.normal({size}))[0]",),
    "diagonal": ("{name} = np.diag(rng.normal(size={n}))",),
    "positive_definite": ("{name} = rng.normal({size})", "{name} = {name} @ {name}.T + np.eye({n})"),
    "symmetric": ("{name} = {draw}", "{name} = ({name} + {name}.T) / 2"),
    "lower_triangular": ("{name} = np.tril({draw})",),
    "positive": ("{name} = rng.uniform(0.5, 1.5, {size})",),
    "invertible": ("{name} = rng.normal({size}) + {n} * np.eye({n})",),
    "": ("{name} = {draw}",),
}
#: Sets that a step of gradient descent may leave.
OPEN = ("positive", "positive_definite", "invertible")
ARRAYS = {"numpy": "", "jax": "jnp.asarray", "torch": "torch.as_tensor"}


def as_training(subject: Subject, blocks: Blocks) -> list[str]:
    """The function, the data, and the loop."""
    for v in subject.wrt:
        kept = next((word for word in OPEN if word in v.assumptions), None)
        if kept is not None:
            hint = "train another variable, or leave the assumption out"
            raise UnsupportedError(f"gradient descent does not keep {v.name} {kept.replace('_', ' ')}", hint=hint)
    trial = Blocks(blocks.passes, "numpy")
    choices = ((way, seed) for seed in range(SEEDS) for way in WAYS)
    data = next(
        (found for way, seed in choices if falls(subject, trial, found := drawn(subject, trial, way, seed))), None
    )
    if data is None:
        hint = "it may have no minimum, or be flat where it was tried; --wrt says what is trained"
        raise UnsupportedError("gradient descent on random data does not lower this loss", hint=hint)
    return [*as_function(subject, blocks), "", "", *_descent(subject, blocks, data)]


def _descent(subject: Subject, blocks: Blocks, data: Sequence[str]) -> list[str]:
    return ["# random data", *data, *_arrays(subject, blocks), "", *_loop(subject, blocks)]


def _loop(subject: Subject, blocks: Blocks) -> list[str]:
    names = dict(zip((blocks.words[v.name] for v in subject.wrt), blocks.gradients, strict=True))
    stepped = ", ".join(f"{word} - rate * {names[word]}" if word in names else word for word in blocks.inputs)
    body = [
        f"{', '.join([blocks.output, *blocks.gradients])} = loss_and_gradients({', '.join(blocks.inputs)})",
        "if step % 20 == 0:",
        f'    print(f"step {{step:3d}}   loss {{{blocks.output}:.6f}}")',
        f"while rate > 1e-9 and not loss_and_gradients({stepped})[0] <= {blocks.output}:",
        "    rate /= 2  # too long a step",
        "if rate <= 1e-9:",
        "    break",
        *(f"{word} = {word} - rate * {gradient}" for word, gradient in names.items()),
    ]
    last = f'print(f"final      loss {{loss_and_gradients({", ".join(blocks.inputs)})[0]:.6f}}")'
    return ["# gradient descent", "rate = 0.1", "for step in range(100):", *indented(body), last]


def _arrays(subject: Subject, blocks: Blocks) -> list[str]:
    """The data as arrays of the backend."""
    make = ARRAYS[blocks.backend]
    words = [blocks.words[v.name] for v in subject.inputs if "natural" not in v.assumptions]
    return [f"{word} = {make}({word})" for word in words] if make else []


def drawn(subject: Subject, blocks: Blocks, way: str, seed: int) -> list[str]:
    """The lines that draw every variable."""
    sampler = Sampler(subject.node, 0)
    sizes = sampler.assign(SIZES)
    lines = [f"rng = np.random.default_rng({seed})"]
    for v in subject.inputs:
        lines += _drawn(v, blocks.words[v.name], sizes, way, sampler.classes.get(v.name, 2))
    return lines


def _drawn(v: Variable, name: str, sizes: Mapping[str, int], way: str, classes: Any) -> list[str]:
    shape = tuple(size_of(dim, sizes) for dim in v.shape)
    size = f"size={shape[0] if len(shape) == 1 else shape}"
    if prod(shape) > LARGEST:
        raise LimitError(f"{v.name} has {prod(shape)} entries: too many to draw and to try", code="LIMIT_SIZE")
    if "toeplitz" in v.assumptions:
        raise UnsupportedError(f"no data are drawn for {v.name}, a Toeplitz matrix")
    templates = next(lines for word, lines in DRAWN.items() if not word or word in v.assumptions)
    fields = {"name": name, "size": size, "n": shape[-1] if shape else 1, "classes": size_of(classes, sizes)}
    found = [line.format(**fields, draw=way.format(size=size)) for line in templates]
    return [f"{found[0]}  # {shape_note(v)}", *found[1:]] if v.shape else found


def falls(subject: Subject, blocks: Blocks, data: Sequence[str]) -> bool:
    """Whether the program, run, lowers its loss to a number that is not out of all proportion."""
    import numpy as np

    printed: list[float] = []
    source = module(blocks, [*as_function(subject, blocks), *_descent(subject, blocks, data)])
    namespace: dict[str, Any] = {"__name__": "symgrad_generated", "print": lambda line: printed.append(_loss(line))}
    try:
        with np.errstate(all="ignore"):
            exec(compile(source, "<symgrad>", "exec"), namespace)  # noqa: S102 - our own text, see `symgrad.code.compile`
    except (np.linalg.LinAlgError, ArithmeticError):
        return False
    first, last = printed[0], printed[-1]
    return bool(np.isfinite(last)) and last < first - 1e-4 * abs(first) and abs(last) < UNBOUNDED * max(1.0, abs(first))


def _loss(line: str) -> float:
    return float(line.rsplit(maxsplit=1)[-1])
