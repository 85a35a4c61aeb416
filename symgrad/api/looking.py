"""A function looked at: its graph with values, its tables of automatic differentiation, five ways compared.

Contract: what is drawn and traced is the formula as it was written, before anything was simplified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from symgrad.api.checking import program_of
from symgrad.api.deriving import variables_of
from symgrad.api.objects import Expr
from symgrad.api.sources import Source, parse
from symgrad.errors import ShapeError, UsageError
from symgrad.expr import Node, Variable
from symgrad.notation.reading import Reading, read, read_claim
from symgrad.simplify.rules import simplify
from symgrad.simplify.trees import arranged

if TYPE_CHECKING:
    from symgrad.graph import Graph, Trace
    from symgrad.graph.ways import Comparison


def draw(
    source: Source,
    at: str | Mapping[str, Any] | None = None,
    *,
    gates: str = "coarse",
    digits: int = 3,
    down: bool = False,
    **options: Any,
) -> Graph:
    """The computational graph of a function, with values and gradients at the numbers `at`.

    `at` is text or a mapping of names to numbers and nested lists; labels count from 0.  `gates="fine"` draws the
    logistic function as the four gates that it is made of; `down` draws from top to bottom, for a phone.  The graph
    shows itself in a notebook, and gives `svg()`, `png()`, `text` and `description`.

    >>> print(draw("(x + y) z", at="x=-2, y=5, z=-4").text)
       -2
    x ────┐       3
       -4 ├──(+)─────┐
       5  │      -4  │
    y ────┘          │      -12
       -4            ├──(×)───────→ f
       -4            │       1
    z ───────────────┘
       3
    """
    from symgrad.graph import Graph

    return Graph(as_written(parse(source, **options)), at, gates=gates, digits=digits, down=down)


def trace(source: Source, at: str | Mapping[str, Any] | None = None, *, gates: str = "coarse", **options: Any) -> Trace:
    """The primal, adjoint and tangent tables of a function: `primal`, `reverse` and `forward(direction)`.

    >>> for line in trace("ln(x1) + x1 x2 - sin(x2)", at="x1=2, x2=5").reverse[-2:]:
    ...     print(line.name, "=", line.formula, "=", round(float(line.value), 3))
    x̄₁ = v̄₋₁ = 5.5
    x̄₂ = v̄₀ = 1.716
    """
    from symgrad.graph import Trace, point_of, record

    return Trace(record(as_written(parse(source, **options)), gates), point_of(at))


def compare(
    source: Source,
    wrt: str | None = None,
    *,
    at: str | Mapping[str, Any] | None = None,
    manual: Any = None,
    grow: bool = True,
    progress: Callable[[str], None] = lambda message: None,
    **options: Any,
) -> Comparison:
    """The gradient of a scalar function in five ways: manual, symbolic, numerical, forward and reverse automatic.

    Each way is measured against the exact gradient: `ways` has error and cost, `steps` the error of finite differences
    against the step, and `growth` the cost as the variable grows.  Without `at` the point is drawn at random.
    `manual` is a formula, a callable that takes the variables by name, or `file.py:name`.

    >>> found = compare("||W x||^2", "W", at="W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4]", grow=False)
    >>> [way.name for way in found.ways if way.error is not None and way.error > 1e-12]
    ['numerical, forward difference', 'numerical, central difference']
    """
    from symgrad.graph import point_of
    from symgrad.graph.tape import record
    from symgrad.graph.ways import compared

    function = parse(source, **options)
    if function.shape:
        raise ShapeError("the five ways are compared on a scalar function")
    chosen = variables_of(function, wrt)[0]
    claim, program = _manual(function, chosen, manual)
    given = point_of(at)
    values = _random_point(function, chosen) if given is None else given
    tape = record(as_written(function))
    found = compared(
        tape, simplify(function.node), chosen, values, claim=claim, program=program, grow=grow, progress=progress
    )
    found.chosen = given is not None
    return found


def _manual(function: Expr, wrt: Variable, manual: Any) -> tuple[Node | None, Callable[..., Any] | None]:
    """Somebody's gradient as an expression, and as a program where it is one."""
    if manual is None or manual == "":
        return None, None
    program = program_of(function, function, manual)
    if isinstance(program, Expr):
        return program.node, None
    if isinstance(program, str):
        return read_claim(program, function.reading, shape=wrt.shape).node, None
    claim = program.about((wrt,), wrt)
    return claim.traced, claim.function


def _random_point(function: Expr, wrt: Variable) -> Mapping[str, Any]:
    """Numbers in few digits at which a function exists, away from its kinks.

    No two entries of an array are equal, if so few digits can tell them apart: a maximum has a kink where they are.
    """
    import math

    import numpy as np

    from symgrad.verify.points import TINY, Point, Sampler
    from symgrad.verify.witnesses import Problem

    problem = Problem(function.node, (wrt,))

    def accepts(point: Point) -> bool:
        short = sampler.rounded(point)
        return bool(math.isfinite(problem.value(short))) and problem.clear_of_kinks(short, 0.03)

    def differ(point: Point) -> bool:
        short = sampler.rounded(point).values
        return all(
            len(np.unique(short[v.name])) == np.size(short[v.name]) for v in sampler.variables if not v.assumptions
        )

    sampler = Sampler(function.node, 0)
    sizes = sampler.assign(TINY)
    point = sampler.valid(sizes, lambda p: differ(p) and accepts(p)) or sampler.valid(sizes, accepts)
    if point is None:
        raise UsageError("no numbers were found at which the function exists", hint="give them: --at")
    return sampler.rounded(point).values


def as_written(function: Expr) -> Reading:
    """The reading whose source writes this very expression: its own, or that of its text."""
    reading = function.reading
    if reading.parsed is not None and arranged(reading.node) is function.node:
        return reading
    shapes = {name: v.shape for name, v in function.variables.items()}
    assume = {name: "+".join(sorted(v.assumptions)) for name, v in function.variables.items() if v.assumptions}
    return read(function.text, shapes=shapes, assume=assume)
