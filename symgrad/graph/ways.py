"""One gradient in five ways: by hand, symbolic, numerical, forward and reverse automatic differentiation.

Contract: `compared(...)` computes the gradient of a scalar function by one variable at one point in every way there is,
each by its own code, and measures each against the exact gradient evaluated to 60 digits.  Operations are counted on
the expressions (one an addition, multiplication or function value; equal parts once), not timed.  `steps` is the error
of finite differences against the step; `growth` is what each way costs as the variable grows, counted and timed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from symgrad.calculus import gradient, jvp
from symgrad.errors import SymgradError
from symgrad.expr import Contraction, Delta, Node, Size, Sum, Variable, postorder, variable
from symgrad.graph.passes import Passes
from symgrad.graph.tape import Tape
from symgrad.notebook import Bundle, bundle, code, table
from symgrad.simplify.rules import simplify_result

EPSILON = 2.0**-52
#: Steps of finite differences: 1, 10^-1/2, ..., 10^-16.
STEPS = tuple(10.0 ** (-k / 2) for k in range(33))
#: SymPy works entry by entry: beyond so many entries it is left out.
MOST_ENTRIES = 36
GROWTH = (2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the gradient, and what it cost.

    error       largest difference from the exact gradient, relative to its largest entry; None if there is no value
    runs        how often the function was evaluated (numerical), or passes over the graph (automatic)
    operations  additions, multiplications and function values in all
    size        of the symbolic result: distinct parts (symgrad), operations written out (SymPy)
    """

    name: str
    value: Any = None
    error: float | None = None
    runs: str = ""
    operations: int | None = None
    size: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        value = None if self.value is None else self.value.tolist()
        shown = {"error": self.error, "runs": self.runs, "operations": self.operations, "size": self.size}
        return {"name": self.name, "value": value} | shown | {"note": self.note}


@dataclass(frozen=True, slots=True)
class Step:
    """The error of finite differences at one step h; None where the complex step cannot be used."""

    h: float
    forward: float
    central: float
    complex: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the ways cost at one number of inputs: operations, seconds, and numbers that reverse mode keeps."""

    inputs: int
    operations: Mapping[str, int]
    seconds: Mapping[str, float]
    stored: int


@dataclass(slots=True)
class Comparison:
    """The five ways at one point."""

    wrt: str
    at: Mapping[str, Any]
    exact: Any
    ways: list[Way]
    steps: list[Step]
    growth: list[Cost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    chosen: bool = True  # whether somebody chose the point

    def best(self, kind: str) -> Step:
        """The step at which a kind of difference is most accurate."""
        return min(self.steps, key=lambda step: getattr(step, kind))

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        rows = [
            (
                way.name,
                "" if way.error is None else f"{way.error:.0e}" if way.error else "0",
                way.runs,
                "" if way.operations is None else str(way.operations),
                code(way.size or way.note) if way.size or way.note else "",
            )
            for way in self.ways
        ]
        return bundle(repr(self), markdown=table(("way", "error", "runs", "operations", "size"), rows))

    def to_dict(self) -> dict[str, object]:
        steps = [{"h": s.h, "forward": s.forward, "central": s.central, "complex": s.complex} for s in self.steps]
        growth = [
            {"inputs": c.inputs, "operations": dict(c.operations), "seconds": dict(c.seconds), "stored": c.stored}
            for c in self.growth
        ]
        ways = [way.to_dict() for way in self.ways]
        at = {name: value.tolist() for name, value in self.at.items()}
        head = {"wrt": self.wrt, "at": at, "gradient": self.exact.tolist()}
        return head | {"ways": ways, "steps": steps, "growth": growth, "notes": self.notes}


def operations(roots: Iterable[Node], sizes: Mapping[str, int]) -> int:
    """Additions, multiplications and function values in expressions, equal parts once."""

    def count(dims: Iterable[Any]) -> int:
        return math.prod(d if isinstance(d, int) else sizes[d] for d in dims)

    total = 0
    for node in postorder(roots):
        if isinstance(node, Sum):
            total += count(node.shape) * (len(node.terms) - 1 + sum(abs(c) != 1 for c, _ in node.terms))
        elif isinstance(node, Contraction):
            factors = sum(1 + (power != 1) for _, _, power in node.factors)
            each = max(factors - 1, 0) + (abs(node.coefficient) != 1 and bool(node.factors)) + node.summed
            total += each * count(node.sizes)
        elif not isinstance(node, Variable | Size | Delta):
            total += max(count(child.shape) for child in (node, *node.children))
    return total


# --- the five ways ----------------------------------------------------------------------------------------------------


def compared(
    tape: Tape,
    function: Node,
    wrt: Variable,
    at: Mapping[str, Any],
    *,
    claim: Node | None = None,
    program: Callable[..., Any] | None = None,
    grow: bool = True,
    progress: Callable[[str], None] = lambda message: None,
) -> Comparison:
    """The gradient of a scalar function by `wrt` at a point, in every way; `claim` is the manual one, or `program`.

    A program takes the variables by name; its operations are counted on `claim` where that is what it was traced to.
    """
    study = _Study(tape, function, wrt, at, claim)
    study.program = program
    progress("symbolic")
    ways = [study.manual(), study.symbolic()]
    progress("SymPy")
    ways.append(study.by_sympy())
    progress("numerical")
    ways += study.numerical()
    progress("automatic")
    ways += [study.forward(), study.reverse()]
    found = Comparison(wrt.name, study.point, study.exact, ways, study.steps(), notes=study.passes.notes)
    if grow:
        found.growth = _growth(tape, function, wrt, progress)
    return found


class _Study:
    """The ways at one point; each method is one."""

    def __init__(self, tape: Tape, function: Node, wrt: Variable, at: Mapping[str, Any], claim: Node | None) -> None:
        import numpy as np

        self.passes = Passes(tape, at, [wrt])
        self.function, self.wrt, self.claim = function, wrt, claim
        self.program: Callable[..., Any] | None = None
        self.sizes = self.passes.sizes
        self.point = {row.variable.name: self.passes.arrays[row.variable.name] for row in tape.inputs}
        self.base = np.asarray(self.point[wrt.name], dtype=float)
        self.result = simplify_result(gradient(function, wrt))
        self.exact = self._exact()
        self.evaluations = 0

    def _exact(self) -> Any:
        """The gradient to 60 digits, rounded; in float64 where an operation has no exact arithmetic."""
        import numpy as np

        from symgrad.verify.witnesses import high_precision

        try:
            precise = high_precision(self.result, self.point, self.sizes)
            return np.asarray(np.broadcast_to(precise, self.base.shape), dtype=float)
        except (SymgradError, NotImplementedError, TypeError, ValueError, KeyError):
            return self._value(self.result)

    def _value(self, node: Node, **replaced: Any) -> Any:
        import numpy as np

        from symgrad.verify.interpret import interpret, numpy_arithmetic

        with np.errstate(all="ignore"):
            return np.asarray(interpret(node, {**self.point, **replaced}, self.sizes, numpy_arithmetic()))

    def f(self, x: Any) -> Any:
        self.evaluations += 1
        return self._value(self.function, **{self.wrt.name: x})

    def error(self, value: Any) -> float:
        import numpy as np

        scale = float(np.max(np.abs(self.exact), initial=0.0)) or 1.0
        return float(np.max(np.abs(value - self.exact), initial=0.0)) / scale

    def way(self, name: str, value: Any, **cost: Any) -> Way:
        import numpy as np

        return Way(name, np.asarray(value), self.error(value), **cost)

    def manual(self) -> Way:
        if self.claim is None and self.program is None:
            return Way("manual", note="none given")
        try:
            value = self._claimed()
        except SymgradError as error:
            return Way("manual", note=error.message)
        if value.shape != self.exact.shape:
            wrong = "×".join(map(str, value.shape)) or "scalar"
            return Way("manual", value, note=f"it has shape {wrong}, not that of the variable")
        count = None if self.claim is None else operations([self.claim], self.sizes)
        return self.way("manual", value, operations=count)

    def _claimed(self) -> Any:
        import numpy as np

        if self.program is None:
            assert self.claim is not None
            return self._value(self.claim)
        given = {name: np.array(value) if np.ndim(value) else value for name, value in self.point.items()}
        return np.asarray(self.program(**given), dtype=float)

    def symbolic(self) -> Way:
        size = f"{len(postorder([self.result]))} parts"
        count = operations([self.result], self.sizes)
        return self.way("symbolic, symgrad", self._value(self.result), operations=count, size=size)

    def by_sympy(self) -> Way:
        """Entry by entry: every input a symbol, the function written out, differentiated."""
        import numpy as np

        name, entries = "symbolic, SymPy", self.base.size
        if entries > MOST_ENTRIES:
            return Way(name, note=f"left out: {entries} entries")
        import sympy as sp

        from symgrad.verify.interpret import interpret, sympy_arithmetic

        real = {v: value for v, value in self.point.items() if np.asarray(value).dtype.kind == "f"}
        symbols = {v: _symbols(sp, v, np.shape(value)) for v, value in real.items()}
        at = {s: sp.Float(float(x), 30) for v in real for s, x in zip(_flat(symbols[v]), _flat(real[v]), strict=True)}
        try:
            given = {**self.point, **symbols}
            whole = np.asarray(interpret(self.function, given, self.sizes, sympy_arithmetic()), dtype=object).item()
            parts = [sp.diff(whole, s) for s in _flat(symbols[self.wrt.name])]
            value = np.reshape([float(part.subs(at).doit().evalf(30)) for part in parts], self.base.shape)
        except (SymgradError, NotImplementedError, TypeError, ValueError) as error:
            return Way(name, note=f"SymPy gave up: {type(error).__name__}")
        count = int(sum(sp.count_ops(part) for part in parts))
        return self.way(name, value, operations=count, size=f"{count} operation{'' if count == 1 else 's'}")

    def numerical(self) -> list[Way]:
        """Forward, central and complex-step differences, one entry of the variable after the other."""
        cost = operations([self.function], self.sizes)
        found = []
        for name, difference in DIFFERENCES.items():
            if name == "complex step" and not self.analytic:
                found.append(Way(f"numerical, {name}", note="the function does not extend to complex numbers"))
                continue
            self.evaluations = 0
            value = self._differences(difference, BEST_STEPS[name])
            runs = self.evaluations
            found.append(self.way(f"numerical, {name}", value, runs=f"{runs} of f", operations=runs * cost))
        return found

    @property
    def analytic(self) -> bool:
        from symgrad.verify.witnesses import Problem

        return Problem(self.function, (self.wrt,)).analytic

    def _differences(self, difference: Difference, h: float) -> Any:
        import numpy as np

        here = self.f(self.base) if difference is _forward else None
        value = np.zeros(self.base.shape)
        for index in np.ndindex(*self.base.shape):
            unit = np.zeros(self.base.shape)
            unit[index] = 1.0
            value[index] = difference(self.f, self.base, unit, h * max(1.0, abs(float(self.base[index]))), here)
        return value

    def forward(self) -> Way:
        """One pass for every entry of the variable."""
        import numpy as np

        value = np.zeros(self.base.shape)
        for index in np.ndindex(*self.base.shape):
            unit = np.zeros(self.base.shape)
            unit[index] = 1.0
            value[index] = [v for _, _, v in self.passes.forward({self.wrt.name: unit})][-1]
        passes = self.base.size
        count = passes * operations(_tangent_work(self.passes), self.sizes)
        return self.way("automatic, forward", value, runs=_passes(passes), operations=count)

    def reverse(self) -> Way:
        """One pass for all."""
        import numpy as np

        parts = self.passes.backward
        count = operations(_adjoint_work(self.passes), self.sizes)
        assert parts or not self.passes.tape.gates
        value = self.passes.adjoints.get(self.wrt, np.zeros(self.base.shape))
        return self.way("automatic, reverse", value, runs=_passes(1), operations=count)

    def steps(self) -> list[Step]:
        """The error of the derivative in one direction, against the step."""
        import numpy as np

        direction = np.random.default_rng(0).uniform(0.5, 1.0, size=self.base.shape)
        direction *= np.random.default_rng(1).choice([-1.0, 1.0], size=self.base.shape) / max(1.0, self.base.size**0.5)
        exact = float(np.sum(self.exact * direction))
        scale = max(abs(exact), float(np.max(np.abs(self.exact), initial=0.0))) or 1.0
        here = self.f(self.base)

        def error(difference: Difference, h: float) -> float:
            found = abs(float(difference(self.f, self.base, direction, h, here)) - exact) / scale
            return found if math.isfinite(found) else math.inf

        analytic = self.analytic
        return [
            Step(h, error(_forward, h), error(_central, h), error(_complex, h) if analytic else None) for h in STEPS
        ]


def _passes(count: int) -> str:
    return "1 pass" if count == 1 else f"{count} passes"


def _symbols(sp: Any, name: str, shape: tuple[int, ...]) -> Any:
    """Real symbols for the entries of a variable."""
    import numpy as np

    if not shape:
        return sp.Symbol(name, real=True)
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        found[index] = sp.Symbol(f"{name}_{'_'.join(map(str, index))}", real=True)
    return found


def _flat(value: Any) -> list[Any]:
    import numpy as np

    return list(np.ravel(np.asarray(value, dtype=object)))


def _tangent_work(passes: Passes) -> list[Node]:
    """What one pass of forward mode computes: values and tangents."""
    moving = [formula for row, formula in passes.tangents if not row.is_input and row.variable in passes.live]
    return [row.local for row in passes.tape.gates] + moving


def _adjoint_work(passes: Passes) -> list[Node]:
    """What reverse mode computes: values, then what every gate hands back."""
    return [row.local for row in passes.tape.gates] + [part.formula for part in passes.backward]


# --- differences ------------------------------------------------------------------------------------------------------

Difference = Callable[[Callable[[Any], Any], Any, Any, float, Any], Any]


def _forward(f: Callable[[Any], Any], x: Any, d: Any, h: float, here: Any) -> Any:
    return (f(x + h * d) - here) / h


def _central(f: Callable[[Any], Any], x: Any, d: Any, h: float, here: Any) -> Any:
    del here
    return (f(x + h * d) - f(x - h * d)) / (2 * h)


def _complex(f: Callable[[Any], Any], x: Any, d: Any, h: float, here: Any) -> Any:
    import numpy as np

    del here
    return np.imag(f(x + 1j * h * d)) / h


DIFFERENCES: dict[str, Difference] = {
    "forward difference": _forward,
    "central difference": _central,
    "complex step": _complex,
}
#: The steps at which truncation and rounding balance (Nocedal and Wright, Numerical Optimization, 8.1).
BEST_STEPS = {"forward difference": EPSILON**0.5, "central difference": EPSILON ** (1 / 3), "complex step": 1e-30}
EXPLANATION = (
    "truncation grows with h (like h for forward, like h² for central differences), rounding like ε/h: the error is "
    "a V, lowest near √ε = 1.5e-08 for forward and ∛ε = 6.1e-06 for central differences; the complex step subtracts "
    "nothing and has no rounding side"
)


# --- growth -----------------------------------------------------------------------------------------------------------


def _growth(tape: Tape, function: Node, wrt: Variable, progress: Callable[[str], None]) -> list[Cost]:
    """The cost of the ways as all dimensions grow together."""
    from symgrad.code import compile_nodes
    from symgrad.verify.points import Sampler

    dims = [d for d in dict.fromkeys(d for v in tape.inputs for d in v.variable.shape) if isinstance(d, str)]
    if not any(d in dims for d in wrt.shape):
        return []
    direction = variable("direction", wrt.shape)
    forward = jvp(function, wrt, direction)
    programs = {
        "function": compile_nodes({"f": function}),
        "forward": compile_nodes({"f": function, "d": forward}),
        "reverse": compile_nodes({"f": function, "g": simplify_result(gradient(function, wrt))}),
    }
    symbolic = Passes(tape, by=[wrt])
    work = {
        "function": [function], "forward": _tangent_work(symbolic), "reverse": _adjoint_work(symbolic),
    }  # fmt: skip
    sampler = Sampler(function, 0)
    found = []
    for n in GROWTH:
        sizes = dict.fromkeys(sampler.dims, n)
        inputs = math.prod(d if isinstance(d, int) else sizes[d] for d in wrt.shape)
        progress(f"{inputs} inputs")
        values = dict(sampler.draw(sizes, way="unit").values)
        counts = {name: operations(nodes, sizes) for name, nodes in work.items()}
        given = {**values, "direction": values[wrt.name]}
        seconds = {name: _timed(program, given) for name, program in programs.items()}
        stored = sum(math.prod(d if isinstance(d, int) else sizes[d] for d in r.variable.shape) for r in tape.gates)
        found.append(Cost(inputs, _per_gradient(counts, inputs), _per_gradient(seconds, inputs), stored))
    return found


def _per_gradient(cost: Mapping[str, Any], inputs: int) -> dict[str, Any]:
    """The cost of a whole gradient from that of one run: n + 1 runs of f, n forward passes, one reverse pass."""
    return {
        "numerical": (inputs + 1) * cost["function"],
        "forward": inputs * cost["forward"],
        "reverse": cost["reverse"],
    }


def _timed(program: Any, values: Mapping[str, Any]) -> float:
    """Seconds that one run takes: the best of a few."""
    given = program.prepared({v.name: values[v.name] for v in program.arguments})
    best = math.inf
    for _ in range(5):
        start = perf_counter()
        program.run(*given)
        best = min(best, perf_counter() - start)
    return best
