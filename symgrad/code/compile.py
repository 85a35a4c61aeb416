"""Source and callables: `emit` writes a function, `compile_nodes` makes it callable with named arrays.

Contract: the only text that is compiled is the text `emit` wrote.  A call checks its arrays first: names, ranks, and
sizes, each dimension having one size throughout; nothing broadcasts silently.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from symgrad.code.lower import Lowering
from symgrad.code.writing import IMPORTS, Writer
from symgrad.dims import is_name
from symgrad.dims import names as names_of
from symgrad.dims import value as size_of
from symgrad.errors import ShapeError, UnsupportedError, UsageError, printable
from symgrad.expr import Call, Dim, Node, Variable, postorder


def emit(
    outputs: Mapping[str, Node],
    *,
    backend: str = "numpy",
    name: str = "f",
    arguments: Sequence[Variable] | None = None,
    doc: str = "",
    names: Mapping[Node, str] | None = None,
) -> str:
    """Source of a function of the variables that returns the outputs in order (a tuple if there are several).

    Sizes that are the dimension of no variable are further arguments, after the variables.
    names: what intermediate results are called.  Raises `UsageError` for an unknown backend or missing arguments.

    >>> from symgrad.expr import contract, variable
    >>> W, x = variable("W", ("m", "n")), variable("x", ("n",))
    >>> print(emit({"q": contract([(W, ("i", "j")), (x, ("j",))], ("i",))}, name="q"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def q(W, x):
        \"\"\"W: (m, n), x: (n,)\"\"\"
        return W @ x
    <BLANKLINE>
    """  # fmt: skip
    return _writer(outputs, backend, name, _arguments(outputs, arguments), names or {}).write(doc)


def _writer(
    outputs: Mapping[str, Node], backend: str, name: str, arguments: Sequence[Variable], names: Mapping[Node, str]
) -> Writer:
    if backend not in IMPORTS:
        raise UsageError(f"no backend is called {printable(backend)!r}", hint=f"backends: {', '.join(IMPORTS)}")
    lowering = Lowering(outputs.values())
    values = {key: lowering.whole(node) for key, node in outputs.items()}
    given = {}
    for node, word in names.items():
        value = lowering.named(node)
        if value is not None:
            given[value] = word
    return Writer(values, arguments, backend, name, given)


def _arguments(outputs: Mapping[str, Node], chosen: Sequence[Variable] | None) -> list[Variable]:
    needed = [node for node in postorder(outputs.values()) if isinstance(node, Variable)]
    if chosen is None:
        chosen = needed
    missing = [v.name for v in needed if v not in chosen]
    if missing:
        raise UsageError(f"the code needs {printable(', '.join(missing))}, which is no argument")
    if len({v.name for v in chosen}) < len(chosen):
        raise UsageError("two different variables have the same name")
    return list(chosen)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A function of named arrays.

    source     its code
    arguments  its variables, in the order in which `function` takes them
    sizes      the dimensions that no variable has: they are given by name too, and follow the variables
    backend    "numpy", "jax" or "torch"
    function   the plain function: positional, unchecked, and for JAX pure, so that JAX can transform it
    """

    source: str
    arguments: tuple[Variable, ...]
    sizes: tuple[str, ...]
    backend: str
    function: Callable[..., Any]
    run: Callable[..., Any]
    labels: Mapping[str, Dim | None]
    several: bool

    def __call__(self, /, **arrays: Any) -> Any:
        """The value, or a tuple of values; raises `UsageError` for wrong names and `ShapeError` for wrong shapes."""
        given = self.prepared(arrays)
        with _precision(self.backend):
            result = self.run(*given)
        return tuple(map(_real, result)) if self.several else _real(result)

    def prepared(self, arrays: Mapping[str, Any]) -> list[Any]:
        """The arrays in order, as floats (labels as integers), after all checks."""
        import numpy as np

        names = [v.name for v in self.arguments]
        if set(arrays) != {*names, *self.sizes}:
            raise UsageError(_names_message([*names, *self.sizes], arrays))
        values: list[Any] = []
        for name in names:
            value = np.asarray(arrays[name])
            if value.dtype.kind not in "biufc":
                raise UsageError(f"{printable(name)} is no array of numbers")
            if name in self.naturals:
                values.append(_size(name, value[()], "power of a matrix"))
            else:
                values.append(self._label(name, value) if name in self.labels else _floats(value))
        sizes = bind(self.arguments, [np.shape(v) for v in values])
        chosen = {dim: _size(dim, arrays[dim]) for dim in self.sizes}
        known = sizes | chosen
        if all(name in known for v in self.arguments for dim in v.shape for name in names_of(dim)):
            check_calculated(self.arguments, [np.shape(v) for v in values], known)
        for name, value in zip(names, values, strict=True):
            self._check_labels(name, value, sizes | chosen)
        return [*values, *chosen.values()]

    @property
    def naturals(self) -> set[str]:
        """The scalars that are whole numbers."""
        return {v.name for v in self.arguments if "natural" in v.assumptions}

    def _label(self, name: str, value: Any) -> Any:
        whole = value.astype(int)
        if (whole != value).any():
            raise UsageError(f"{printable(name)} is a label: a whole number, counted from 0")
        return whole

    def _check_labels(self, name: str, value: Any, sizes: Mapping[str, int]) -> None:
        dim = self.labels.get(name)
        count = dim if dim is None or any(n not in sizes for n in names_of(dim)) else size_of(dim, sizes)
        count = count if isinstance(count, int) else None
        if count is not None and value.size and not (value.min() >= 0 and value.max() < count):
            what = f"{printable(name)} counts labels from 0 to {count - 1}"
            raise UsageError(f"{what}, and has {value.min()} to {value.max()}")


def compile_nodes(
    outputs: Mapping[str, Node], backend: str = "numpy", *, arguments: Sequence[Variable] | None = None
) -> Compiled:
    """The outputs as one function of named arrays."""
    chosen = _arguments(outputs, arguments)
    writer = _writer(outputs, backend, "f", chosen, {})
    source = writer.write("")
    clash = {v.name for v in chosen} & set(writer.sizes)
    if clash:
        raise UsageError(f"{printable(clash.pop())} is the name of a variable and of a size that code must be given")
    namespace: dict[str, Any] = {"__name__": "symgrad_generated"}
    exec(compile(source, "<symgrad>", "exec"), namespace)  # noqa: S102 - our own text, see the module
    function = namespace["f"]
    run = function
    if backend == "jax":
        import jax

        naturals = [k for k, v in enumerate(chosen) if "natural" in v.assumptions]
        run = jax.jit(function, static_argnums=(*naturals, *range(len(chosen), len(chosen) + len(writer.sizes))))
    elif backend == "torch":
        run = _of_tensors(function)
    labels = _labels(outputs.values(), chosen)
    return Compiled(source, tuple(chosen), writer.sizes, backend, function, run, labels, len(outputs) > 1)


def bind(arguments: Sequence[Variable], shapes: Iterable[tuple[int, ...]]) -> dict[str, int]:
    """The size of each dimension; raises `ShapeError` that shows where the sizes come from."""
    sizes: dict[str, int] = {}
    origin: dict[str, str] = {}
    for variable, shape in zip(arguments, shapes, strict=True):
        name, wanted = printable(variable.name), "×".join(map(str, variable.shape)) or "a scalar"
        if len(shape) != variable.rank:
            raise ShapeError(f"{name} is {wanted}, and the array given has shape {shape}")
        for axis, (dim, size) in enumerate(zip(variable.shape, shape, strict=True)):
            if isinstance(dim, int) and dim != size:
                raise ShapeError(f"{name} is {wanted}, and the array given is {_shown(shape)}")
            if isinstance(dim, str) and is_name(dim) and sizes.setdefault(dim, size) != size:
                here = (
                    f"{name} has {size}"
                    if len(shape) == 1
                    else f"{name} is {_shown(shape)} and has {size} on axis {axis}"
                )
                raise ShapeError(f"{origin[dim]}, so {printable(dim)} = {sizes[dim]}, but {here}")
            if isinstance(dim, str):
                origin.setdefault(dim, f"{name} is {_shown(shape)}")
    return sizes


def check_calculated(
    arguments: Sequence[Variable], shapes: Iterable[tuple[int, ...]], sizes: Mapping[str, int]
) -> None:
    """Raise `ShapeError` where an axis has not the size that is calculated for it."""
    for variable, shape in zip(arguments, shapes, strict=True):
        for dim, size in zip(variable.shape, shape, strict=True):
            if isinstance(dim, str) and not is_name(dim) and size_of(dim, sizes) != size:
                message = (
                    f"{printable(variable.name)} has {size} entries along {printable(dim)} = {size_of(dim, sizes)}"
                )
                raise ShapeError(message)


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if len(shape) != 1 else f"a vector of {shape[0]}"


def _names_message(names: Sequence[str], arrays: Mapping[str, Any]) -> str:
    missing = [printable(n) for n in names if n not in arrays]
    unknown = [printable(n) for n in arrays if n not in names]
    parts = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unknown: {', '.join(unknown)}"] * bool(unknown)
    return f"this function takes {', '.join(map(printable, names)) or 'no arguments'} ({'; '.join(parts)})"


def _labels(roots: Iterable[Node], arguments: Sequence[Variable]) -> dict[str, Dim | None]:
    """The variables that are labels, with the number of classes where that is known."""
    labels: dict[str, Dim | None] = {v.name: None for v in arguments if "label" in v.assumptions}
    for node in postorder(roots):
        if isinstance(node, Call) and node.op.name == "onehot" and isinstance(node.args[0], Variable):
            labels[node.args[0].name] = node.params[0]
    return labels


def _size(name: str, value: Any, what: str = "size") -> int:
    if isinstance(value, bool) or bool(getattr(value, "shape", ())) or not value >= 0 or int(value) != value:
        raise UsageError(f"{printable(name)} is a {what}: a whole number")
    return int(value)


def _floats(value: Any) -> Any:
    """An array as floats; complex numbers stay, for the complex step.  A scalar is a NumPy scalar."""
    return value.astype(complex if value.dtype.kind == "c" else float)[()]


def _of_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors as one of NumPy arrays; whole numbers, such as sizes, stay what they are."""
    try:
        import torch
    except ImportError:
        raise UnsupportedError("PyTorch is not installed", hint='install "symgrad[torch]"') from None

    def run(*given: Any) -> Any:
        return function(*(value if isinstance(value, int) else torch.as_tensor(value) for value in given))

    return run


def _real(value: Any) -> Any:
    """A result as an array (or scalar) of numbers: counts as floats too."""
    import numpy as np

    array = np.asarray(value)
    return array.astype(complex if array.dtype.kind == "c" else float)[()]


def _precision(backend: str) -> AbstractContextManager[Any]:
    """JAX computes in double precision inside of our calls, whatever the user's setting."""
    if backend != "jax":
        return nullcontext()
    import jax

    owner: Any = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")
    manager: AbstractContextManager[Any] = owner.enable_x64(True)
    return manager
