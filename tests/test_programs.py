"""Programs: what is traced is what NumPy calculates, and what a file returns is judged, whatever it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgrad.dims import value as size_of
from symgrad.expr import variable
from symgrad.notation.names import canonical
from symgrad.program import Program
from symgrad.shapes import read_shapes
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.points import Sampler, dimensions
from tests.programs import PROGRAMS


def program(shapes: str, body: str) -> tuple[Any, dict[str, Any]]:
    """A function with this body, and its arguments as variables."""
    declared = read_shapes(shapes, canonical)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    scope: dict[str, Any] = {"np": np}
    exec(f"def f({', '.join(declared)}):\n{lines}", scope)
    labels = {"y": {"label"}}
    return scope["f"], {n: variable(n, tuple(s), labels.get(n, ())) for n, s in declared.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_traced_is_what_numpy_calculates(name: str) -> None:
    function, variables = program(*PROGRAMS[name])
    _, (node,) = Program.of(function).traced(variables)
    for sizes in ((4, 3, 5), (2, 5, 3)):
        sampler = Sampler(node, 1, tuple(variables.values()))
        point = sampler.draw({d: sizes[k % 3] for k, d in enumerate(dimensions(*variables.values()))})
        values = {n: np.array(v) if np.ndim(v) else v for n, v in point.values.items()}
        if "y" in values:
            values["y"] = np.arange(len(values["y"]))[::-1] % 2
        want = np.asarray(function(**{n: np.array(v) if np.ndim(v) else v for n, v in values.items()}))
        got = np.asarray(interpret(node, values, point.sizes, numpy_arithmetic()))
        assert tuple(size_of(d, point.sizes) for d in node.shape) == want.shape
        np.testing.assert_allclose(np.broadcast_to(got, want.shape), want, rtol=1e-9, atol=1e-9)
