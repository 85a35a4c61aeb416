"""The witnesses: SymPy entry by entry, numerical differentiation, and JAX in both modes.

Contract: each takes a `Problem` (a function, a variable, an order) and a point and returns the derivative in the layout
function axes, then variable axes, computed from the function alone.  None of them sees the derived gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from symgrad.expr import Call, Node, Variable, postorder, substitute, variables
from symgrad.expr import variable as named
from symgrad.notation.reading import read_rule
from symgrad.verify.interpret import interpret, jax_arithmetic, numpy_arithmetic, sympy_arithmetic
from symgrad.verify.points import Point
from symgrad.verify.tied import is_orthonormal, moved, pattern, retracted, spread, tie

STEP = 2e-3
TINY_STEP = 1e-30
MAX_ENTRIES = 8


@dataclass(frozen=True)
class Problem:
    """The derivative to witness: of `function` by each variable of `by` in turn."""

    function: Node
    by: tuple[Variable, ...]

    @property
    def order(self) -> int:
        return len(self.by)

    @property
    def wrt(self) -> Variable:
        """The variable by which is differentiated last."""
        return self.by[-1]

    @cached_property
    def lower(self) -> Problem:
        """The derivative of one order less."""
        return Problem(self.function, self.by[:-1])

    @cached_property
    def compiled(self) -> dict[Hashable, Callable[..., Any]]:
        """What JAX compiled already, by mode and sizes."""
        return {}

    @cached_property
    def analytic(self) -> bool:
        """Whether the complex step may be used: every operation extends to complex numbers near the real ones."""
        calls = [node for node in postorder([self.function]) if isinstance(node, Call)]
        return all(node.op.analytic for node in calls if node.op.name not in ("onehot", "argmax"))

    @cached_property
    def margins(self) -> list[tuple[str, Node]]:
        """What is zero exactly at a kink of the function, with the operation and where that is."""
        found: dict[Node, str] = {}
        for node in postorder([self.function]):
            if isinstance(node, Call):
                for formula in node.op.kinks:
                    margin = read_rule(formula, dict(zip(node.op.args, node.args, strict=True)))
                    found.setdefault(margin, f"{node.op.name} at {node.op.at_kink(formula)}")
        return [(name, node) for node, name in found.items()]

    def value(self, point: Point) -> Any:
        """The function at a point, in NumPy."""
        return interpret(self.function, point.values, point.sizes, numpy_arithmetic())

    def crossings(self, point: Point) -> dict[str, int]:
        """How many entries lie exactly on a kink, by where that is."""
        import numpy as np

        arithmetic = numpy_arithmetic()
        found: dict[str, int] = {}
        for name, node in self.margins:
            times = np.count_nonzero(np.asarray(interpret(node, point.values, point.sizes, arithmetic)) == 0)
            found[name] = found.get(name, 0) + int(times)
        return found

    def clear_of_kinks(self, point: Point, distance: float) -> bool:
        import numpy as np

        arithmetic = numpy_arithmetic()
        return all(
            np.min(np.abs(interpret(node, point.values, point.sizes, arithmetic)), initial=np.inf) > distance
            for _, node in self.margins
        )


def _held(problem: Problem, point: Point) -> tuple[Problem, Point]:
    """The problem with the value of every sg(u) in its place: moving the variable does not move it."""
    found: dict[Node, Node] = {}
    values = dict(point.values)
    for node in postorder([problem.function]):
        if isinstance(node, Call) and node.op.held:
            fixed = named(f"held_{len(found)}_", node.shape)
            found[node] = fixed
            values[fixed.name] = interpret(node, point.values, point.sizes, numpy_arithmetic())
    if not found:
        return problem, point
    return Problem(substitute(problem.function, found), problem.by), Point(values, point.sizes)


# --- numerical --------------------------------------------------------------------------------------------------------


def central(problem: Problem, point: Point) -> tuple[Any, Any]:
    """Central differences, extrapolated once (Richardson); also an estimate of the error of every entry."""
    import numpy as np

    problem, point = _held(problem, point)
    base = np.asarray(point.values[problem.wrt.name], dtype=float)

    def at(change: Any) -> Any:
        moved_to = retracted(problem.wrt, base + change)
        there = Point({**point.values, problem.wrt.name: moved_to}, point.sizes)
        return np.asarray(_lower(problem, there), dtype=float)

    shape = np.shape(at(0.0))
    found, error = np.zeros((*shape, *base.shape)), np.zeros((*shape, *base.shape))
    for index in product(*(range(n) for n in base.shape)):
        h = STEP * max(1.0, abs(float(base[index])))
        step = h * moved(problem.wrt, base, index)
        slopes = [(at(step / n) - at(-step / n)) * n / (2 * h) for n in (1, 2, 4)]
        wide, narrow = ((4 * fine - coarse) / 3 for coarse, fine in itertools.pairwise(slopes))
        place: Any = (..., *index)
        found[place] = narrow
        rounding = 1e-15 * np.max(np.abs(at(step)), initial=0.0) / h
        error[place] = np.abs(narrow - wide) + 50 * rounding
    return found, error


def _lower(problem: Problem, point: Point) -> Any:
    """The derivative of one order less, which is differentiated numerically: for a gradient the function itself."""
    if problem.order == 1:
        return problem.value(point)
    return jax_derivative(problem.lower, "reverse", point)


def complex_step(problem: Problem, point: Point) -> Any:
    """Im f(x + ih) / h: no subtraction, so exact to rounding, for analytic functions of order 1."""
    import numpy as np

    base = np.asarray(point.values[problem.wrt.name], dtype=float)
    columns = {}
    for index in product(*(range(n) for n in base.shape)):
        there = base + 1j * TINY_STEP * moved(problem.wrt, base, index)
        at = Point({**point.values, problem.wrt.name: there}, point.sizes)
        columns[index] = np.imag(problem.value(at)) / TINY_STEP
    shape = np.shape(next(iter(columns.values())))
    found = np.zeros((*shape, *base.shape))
    for index, column in columns.items():
        place: Any = (..., *index)
        found[place] = column
    return found


# --- JAX --------------------------------------------------------------------------------------------------------------


@contextmanager
def double_precision() -> Iterator[None]:
    """JAX in float64 within this block only."""
    import jax
    import jax.experimental

    place: Any = jax if hasattr(jax, "enable_x64") else jax.experimental  # the latter before jax 0.8
    with place.enable_x64(True):
        yield


def jax_derivative(problem: Problem, mode: str, point: Point) -> Any:
    """The derivative that JAX takes of the interpreted function, forward or reverse."""
    import jax
    import numpy as np

    moving = list(dict.fromkeys(v.name for v in problem.by))
    naturals = {v.name for v in variables(problem.function) if "natural" in v.assumptions}
    whole = {k: int(v) for k, v in point.values.items() if k in naturals}  # how often a loop runs is compiled in
    key = mode, tuple(sorted(point.sizes.items())), tuple(sorted(whole.items()))
    if key not in problem.compiled:
        problem.compiled[key] = _transformed(problem, mode, moving, point.sizes, whole)
    with double_precision():
        fixed = {k: jax.numpy.asarray(v) for k, v in point.values.items() if k not in moving and k not in whole}
        at = tuple(jax.numpy.asarray(np.asarray(point.values[name], dtype=float)) for name in moving)
        found = np.asarray(problem.compiled[key](at, fixed))
    axis = problem.function.rank
    for variable in problem.by:
        found = spread(variable, found, axis)
        axis += variable.rank
    return found


def _transformed(
    problem: Problem, mode: str, moving: list[str], sizes: Mapping[str, int], whole: Mapping[str, int]
) -> Callable[..., Any]:
    """The derivative as JAX takes it, compiled as a whole: several times faster than operation by operation."""
    import jax

    arithmetic = jax_arithmetic()
    transform = jax.jacfwd if mode == "forward" else jax.jacrev

    named = {v.name: v for v in problem.by}

    def function(x: tuple[Any, ...], fixed: Mapping[str, Any]) -> Any:
        given = {
            name: tie(named[name], value, jax.numpy, jax.lax.stop_gradient(value))
            for name, value in zip(moving, x, strict=True)
        }
        return interpret(problem.function, {**whole, **fixed, **given}, sizes, arithmetic)

    def by(derivative: Callable[..., Any], place: int) -> Callable[..., Any]:
        inner = transform(lambda v, x, fixed: derivative((*x[:place], v, *x[place + 1 :]), fixed))
        return lambda x, fixed: inner(x[place], x, fixed)

    derivative: Callable[..., Any] = function
    for variable in problem.by:
        derivative = by(derivative, moving.index(variable.name))
    compiled: Callable[..., Any] = jax.jit(derivative)
    return compiled


# --- SymPy ------------------------------------------------------------------------------------------------------------


def sympy_entries(problem: Problem, point: Point, seed: int) -> dict[tuple[int, ...], float]:
    """Some entries of the derivative, by SymPy: the function over symbols, differentiated, at the (rational) point."""
    import numpy as np
    import sympy as sp

    problem, point = _held(problem, point)
    rng = np.random.default_rng(seed)
    values = {k: exact(v) for k, v in point.values.items()}
    symbols = {v.name: _symbols(v, np.shape(values[v.name])) for v in problem.by}
    at = {s: x for name, array in symbols.items() for s, x in zip(array.ravel(), np.ravel(values[name]), strict=True)}
    given = {name: array if array.shape else array[()] for name, array in symbols.items()}
    bent = [v for v in problem.by if is_orthonormal(v)]
    given |= {v.name: tie(v, symbols[v.name], np, values[v.name]) for v in bent}
    whole = np.asarray(interpret(problem.function, values | given, point.sizes, sympy_arithmetic()), dtype=object)
    places = [
        (*out, *inner)
        for out in np.ndindex(*whole.shape)
        for inner in product(*(np.ndindex(*symbols[v.name].shape) for v in problem.by))
    ]
    chosen = [places[k] for k in rng.permutation(len(places))[:MAX_ENTRIES]]
    found = {}
    for place in chosen:
        out, inner = place[: whole.ndim], place[whole.ndim :]
        expression = sp.sympify(whole[out])
        for variable, index in zip(problem.by, inner, strict=True):
            symbol = symbols[variable.name][index]
            expression = sp.diff(expression, symbol) if symbol.is_Symbol else sp.S.Zero
        found[(*out, *(i for index in inner for i in index))] = float(expression.subs(at).doit().evalf(30))
    return found


def _symbols(variable: Variable, shape: tuple[int, ...]) -> Any:
    """A symbol for every entry; one for those that are one number, and none for what is fixed at zero."""
    import numpy as np
    import sympy as sp

    numbers = pattern(variable, shape)
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        place = index if numbers is None else (numbers[index],)
        found[index] = sp.Symbol("_".join(map(str, (variable.name, *place))), real=True)
    return found if numbers is None else np.where(numbers >= 0, found, sp.S.Zero)


def exact(value: Any) -> Any:
    """An array of integers or floats as SymPy rationals of the same value."""
    import numpy as np
    import sympy as sp

    if np.asarray(value).dtype.kind in "iu":
        return np.asarray(value)
    return np.frompyfunc(lambda x: sp.Rational(*float(x).as_integer_ratio()), 1, 1)(np.asarray(value, dtype=float))


def high_precision(node: Node, values: Mapping[str, Any], sizes: Mapping[str, int], digits: int = 60) -> Any:
    """`node` at a point to many digits, as an array of SymPy floats."""
    import numpy as np
    import sympy as sp

    precise = {}
    for name, value in values.items():
        if np.asarray(value).dtype.kind in "iu":
            precise[name] = value
        else:
            precise[name] = np.frompyfunc(lambda x: sp.Float(x, digits), 1, 1)(exact(value))
    found = interpret(node, precise, sizes, sympy_arithmetic())
    return np.asarray(np.frompyfunc(lambda x: sp.sympify(x).evalf(digits), 1, 1)(np.asarray(found, dtype=object)))
