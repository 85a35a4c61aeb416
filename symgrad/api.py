"""The public functions: read, derive, compile and check, from one source in text, LaTeX, SymPy or the catalog.

Contract: names, arguments and fields are those of the README; an input error is an `InputError` with its place, a
request beyond the rules an `UnsupportedError`; nothing else escapes.  Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symgrad import derivation as steps
from symgrad.calculus import LAYOUTS, arrange_layout, backward, refuse_curved_twice, structure_of, structured
from symgrad.calculus import jacobian as jacobian_of
from symgrad.calculus import jvp as _jvp
from symgrad.calculus import vjp as _vjp
from symgrad.catalog import CATALOG, Entry
from symgrad.derivation import Line, Result, Step
from symgrad.errors import InputError, ShapeError, UnsupportedError, UsageError
from symgrad.expr import Node, Shape, Sum, Variable, constant, number, scale
from symgrad.notation.conditions import LAST_CASE
from symgrad.notation.mathml import to_mathml
from symgrad.notation.names import canonical
from symgrad.notation.names import to_text as name_to_text
from symgrad.notation.reading import Reading, read, read_claim
from symgrad.notation.render import to_latex, to_text
from symgrad.notation.speech import to_speech
from symgrad.notation.syntax import Tree
from symgrad.notebook import Bundle, bundle
from symgrad.shapes import Declared, read_shapes
from symgrad.simplify.naming import named
from symgrad.simplify.rules import Simplifier, same, simplify, simplify_result
from symgrad.simplify.trees import arranged, to_tree

if TYPE_CHECKING:
    from symgrad.code import Compiled
    from symgrad.graph import Graph, Trace
    from symgrad.graph.ways import Comparison
    from symgrad.practice import Hint
    from symgrad.review import DerivationReport
    from symgrad.review.programs import ProgramClaim
    from symgrad.verify import Claim, Report

SCHEMA = "symgrad/1"
SYNTAXES = ("auto", "text", "latex", "latex2sympy2")
#: Assumptions of whole numbers: they are not differentiated by.
WHOLE = frozenset({"label", "natural"})
Shapes = str | Mapping[str, Any] | None
Assumptions = str | Mapping[str, Any] | None
Source = Any


class Expr:
    """A function or a derivative: an expression, with what is known of its variables.

    >>> e = parse("||W x||^2")
    >>> e.text, e.shape, e.variables["W"].shape
    ('‖W x‖²', (), ('m', 'n'))
    """

    __slots__ = ("name", "node", "notes", "reading", "variables")

    def __init__(self, node: Node, reading: Reading) -> None:
        self.node = node
        self.reading = reading
        self.variables: Mapping[str, Declared] = reading.variables
        self.notes: tuple[str, ...] = reading.notes
        self.name: str = reading.name

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def text(self) -> str:
        """Text that reads back to this expression."""
        return to_text(to_tree(self.node))

    @property
    def latex(self) -> str:
        """LaTeX that reads back to this expression."""
        return to_latex(to_tree(self.node))

    @property
    def mathml(self) -> str:
        """One `<math>` element, which browsers typeset and screen readers walk through."""
        return to_mathml(to_tree(self.node))

    @property
    def speech(self) -> str:
        """The expression in words.

        >>> parse("||W x||^2").speech
        'the squared two-norm of W x'
        """
        return to_speech(to_tree(self.node))

    @property
    def named(self) -> str:
        """The text with parts that occur several times named first, where that is shorter; it reads back as well.

        >>> gradient("sum(sigmoid(W x)^2)", "W").named
        'p = sigmoid(W x); 2 (p.^2 ⊙ (1 - p)) xᵀ'
        """
        definitions, tree = named(self.node)
        short = "; ".join([*(f"{name_to_text(name)} = {to_text(part)}" for name, part in definitions), to_text(tree)])
        return min(self.text, short, key=len)

    def variable(self, name: str) -> Variable:
        """The variable called `name`, in any spelling."""
        wanted = canonical(name)
        declared = self.variables.get(wanted)
        if declared is None:
            hint = f"its variables are: {', '.join(self.variables) or 'none'}"
            word = next((v for v in self.variables if len(v) > 1 and v.isalpha() and wanted in v), None)
            if word is not None:
                hint += f"; a word is one name, so for a product write {' '.join(word)}"
            raise UsageError(f"the function has no variable {name!r}", hint=hint)
        return self.reading.node_of(wanted)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.node is other.node

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"Expr({self.text!r})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self.text, latex=self._repr_latex_())

    def to_dict(self) -> dict[str, object]:
        return {"text": self.text, "latex": self.latex, "shape": list(self.shape)}


class Derivation:
    """The derivative of one function by one variable (or by several in turn), with the steps that led to it.

    `function`, `wrt`, `layout` and `result` say what was derived; `steps` how; `text` and `latex` print the whole.
    """

    def __init__(
        self, function: Expr, by: tuple[Variable, ...], stages: tuple[Result, ...], layout: str = "gradient"
    ) -> None:
        self.function = function
        self.stages = stages
        self.by = by
        self.layout = layout
        self.wrt = ", ".join(dict.fromkeys(v.name for v in by))
        self.variable = by[0]
        self.result = Expr(arranged(laid_out(stages[-1].node, function.node, by, layout)), function.reading)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    def lines(self, form: str = "matrix") -> list[Line]:
        """The printed lines in matrix, index or differential form."""
        found = [line for stage in self.stages for line in stage.lines(form)]
        if self.layout != "gradient":
            found.append(Line(len(found) + 1, self.conclusion, f"{self.layout} layout", LAYOUTS[self.layout]))
        return found

    def hint(self, shown: int = 0, form: str = "matrix") -> Hint:
        """The first `shown` lines, and what to do next without its result.

        >>> print(derive("||W x||^2", wrt="W").hint(2))
        1. q = W x    [name]
        2. f = ‖q‖²    [squared norm]
        next: ∂f/∂q = ?   by: squared norm    (2 of 6 steps)
        """
        from symgrad.practice import Hint

        return Hint.of(self.lines(form), shown)

    @property
    def left_side(self) -> Tree:
        """The left side of the result, such as ∇_W f."""
        if len(set(self.by)) == 1:
            return self.stages[0].heading(len(self.stages))
        left = Tree("name", (), self.function.name)
        for v in self.by:
            left = Tree("nabla", (left, Tree("name", (), v.name)), 1)
        return left

    @property
    def heading(self) -> tuple[str, str]:
        """The left side of the result in text and LaTeX."""
        return to_text(self.left_side), to_latex(self.left_side)

    @property
    def shape_note(self) -> str:
        """What the shape of the result says: a gradient has the shape of its variable."""
        shape = "×".join(map(str, self.result.shape)) or "scalar"
        same = self.result.shape == self.variable.shape
        layout = f", {self.layout} layout" if self.layout != "gradient" else ""
        return f"shape {shape}" + (f", the same as {name_to_text(self.variable.name)}" if same else "") + layout

    @property
    def text(self) -> str:
        body = [f"{line.number}. {line.formula_text}    [{line.rule}]" for line in self.lines()]
        return "\n".join([*body, f"{self.heading[0]} = {self.result.text}    {self.shape_note}"])

    @property
    def latex(self) -> str:
        rows = [line.formula_latex.replace("=", "&=", 1) for line in self.lines()]
        rows.append(f"{self.heading[1]} &= {self.result.latex}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    @property
    def conclusion(self) -> Tree:
        """∇_W f = 2 W x xᵀ."""
        return Tree("equation", (self.left_side, to_tree(self.result.node)))

    @property
    def mathml(self) -> str:
        """The result as MathML; `lines` has that of every step."""
        return to_mathml(self.conclusion)

    @property
    def speech(self) -> str:
        """Every step and the result in sentences.

        >>> print(derive("||W x||^2", wrt="W").speech.splitlines()[-1])
        Result: the gradient of f with respect to W equals two W x x transpose.
        """
        steps = (f"Step {line.number}, {line.rule.replace('_', ' ')}: {line.speech}." for line in self.lines())
        return "\n".join([*steps, f"Result: {to_speech(self.conclusion)}."])

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self.text, latex=self._repr_latex_())

    def __repr__(self) -> str:
        return f"Derivation({self.heading[0]} = {self.result.text})"

    def to_dict(self) -> dict[str, object]:
        described = [{"rule": s.rule, "before": s.before, "after": s.after} for s in self.steps]
        return {
            "schema": SCHEMA,
            "function": self.function.to_dict(),
            "variables": variables_dict(self.function),
            "wrt": self.wrt,
            "gradient": self.result.to_dict() | {"layout": self.layout, "steps": described},
        }


def variables_dict(function: Expr) -> dict[str, object]:
    return {
        name: {"shape": list(v.shape), "assumptions": sorted(v.assumptions), "guessed": v.guessed}
        for name, v in function.variables.items()
    }


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(source: Source, *, shapes: Shapes = None, assume: Assumptions = None, syntax: str = "auto") -> Expr:
    """Read a function from text, LaTeX, an expression, a SymPy expression, a catalog name or a program.

    Definitions are separated by `;` or lines; the last formula is the function.  A program is a NumPy function, itself
    or as `file.py:name`, of arguments whose `shapes` are given or stand in its docstring; it is run on arrays that
    remember how they were calculated, and what it returns is the function.

    Raises an `InputError` where a formula cannot be read, with its place; an `UnsupportedError` where a program cannot
    be followed, with its line; a `UsageError` for anything else that is no source.

    >>> parse("q = W x; ||q||^2") == parse(r"\\|W x\\|^2")
    True
    """
    if isinstance(source, Expr):
        return source
    if syntax not in SYNTAXES:
        raise UsageError(f"unknown syntax {syntax!r}", hint="syntaxes: " + ", ".join(SYNTAXES))
    if _is_program(source):
        from symgrad.review.programs import function_of

        node, arguments = function_of(source, shapes, assume)
        return Expr(arranged(node), Reading.of(node, arguments))
    if not isinstance(source, str):
        if not any(str(base.__module__).startswith("sympy.") for base in type(source).__mro__):
            kind = type(source).__name__
            raise UsageError(f"a source is text, LaTeX, an expression or a SymPy expression, not {kind}")
        from symgrad.interop import from_sympy as convert

        return _from_node(convert(source, shapes=shapes, assume=assume))
    if syntax == "latex2sympy2":
        return _second_reader(source, shapes, assume)
    entry = CATALOG.get(source.strip())
    if entry is not None:
        source, shapes, assume = entry.text, shapes or entry.shapes, assume or entry.assume
    reading = read(source, shapes=shapes, assume=assume, syntax=syntax)
    return Expr(arranged(reading.node), reading)


def _is_program(source: Any) -> bool:
    """Whether a source is a callable, or names one as `file.py:name`."""
    if isinstance(source, str):
        return "\n" not in source and (".py:" in source or source.rstrip().endswith(".py"))
    return callable(source) and not isinstance(source, Expr) and not hasattr(source, "free_symbols")


def _second_reader(source: str, shapes: Shapes, assume: Assumptions) -> Expr:
    """Scalar LaTeX through the package latex2sympy2_extended."""
    from symgrad.interop import from_sympy as convert
    from symgrad.latex2sympy import read_latex

    if any(read_shapes(shapes, canonical).values()):
        raise UnsupportedError("latex2sympy2 is asked about scalar formulas only", hint="leave the syntax out")
    return _from_node(convert(read_latex(source), assume=assume))


def _from_node(node: Node) -> Expr:
    return Expr(arranged(node), Reading.of(node))


def catalog() -> Mapping[str, Entry]:
    """The known functions of the field by name."""
    return CATALOG


# --- deriving ---------------------------------------------------------------------------------------------------------


def derive(
    source: Source,
    *,
    wrt: str | Iterable[str] | None = None,
    order: int = 1,
    layout: str = "gradient",
    shapes: Shapes = None,
    assume: Assumptions = None,
    syntax: str = "auto",
) -> Any:
    """The derivative with its steps: one `Derivation` for one variable, a dict for several.

    At order 2 and above, as many variables as the order give one mixed derivative, by each in turn.  `layout` is
    gradient (the shape of the variable; a Jacobian function axes first), numerator, denominator, or vec
    (∂ vec F / ∂ (vec X)ᵀ, stacked column by column).

    >>> print(derive("||W x||^2", wrt="W").result.text)
    2 W x xᵀ
    """
    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    derived = [_derivation(function, by, layout) for by in _chosen(function, wrt, order)]
    found = {d.wrt: d for d in derived}
    return next(iter(found.values())) if len(found) == 1 else found


def _chosen(function: Expr, wrt: str | Iterable[str] | None, order: int) -> list[tuple[Variable, ...]]:
    """The variables of every derivative asked for: one variable `order` times, or as many variables in turn."""
    if not isinstance(order, int) or not 1 <= order <= 4:
        raise UsageError(f"the order of a derivative is 1, 2, 3 or 4, not {order}")
    wrt = wrt if wrt is None or isinstance(wrt, str) else list(wrt)
    found = _variables(function, wrt)
    if order > 1 and isinstance(wrt, list) and len(wrt) > 1:
        if len(wrt) != order:
            raise UsageError(f"a mixed derivative of order {order} is by {order} variables, not by {len(wrt)}")
        return [tuple(found)]
    return [(v,) * order for v in found]


def _derivation(function: Expr, by: tuple[Variable, ...], layout: str) -> Derivation:
    refuse_curved_twice(by)
    stages: list[Result] = []
    node, name = function.node, function.name
    for stage, wrt in enumerate(by):
        record = steps.record(node, wrt, function.reading.definitions if stage == 0 else {})
        stages.append(Result(record, name))
        node, name = stages[-1].node, "g" if stage == 0 else "h"
    return Derivation(function, by, tuple(stages), layout)


def laid_out(derivative: Node, function: Node, by: tuple[Variable, ...], layout: str) -> Node:
    """A derivative (function axes, then the axes of every variable) in one of `LAYOUTS`."""
    if layout == "gradient":
        return derivative
    return simplify_result(arrange_layout(derivative, function.rank, layout, [v.rank for v in by]))


def _variables(function: Expr, wrt: str | Iterable[str] | None) -> list[Variable]:
    """The variables to differentiate by; labels are integers and have no derivative."""
    if wrt is None:
        names = [name for name, v in function.variables.items() if not v.assumptions & WHOLE]
        if not names:
            raise UsageError("the function has no real variable to differentiate by")
    else:
        names = [wrt] if isinstance(wrt, str) else list(wrt)
    found = [function.variable(name) for name in names]
    for v in found:
        if v.assumptions & WHOLE:
            what = "label" if "label" in v.assumptions else "whole number"
            raise UsageError(f"{v.name} is a {what}: an integer has no derivative")
        structure_of(v)
    return found


def gradient(source: Source, wrt: str, **options: Any) -> Expr:
    """The gradient of a scalar function: the tensor of the shape of `wrt` with ⟨∇f, dx⟩ = df."""
    function = parse(source, **options)
    if function.shape:
        raise ShapeError(f"a gradient needs a scalar function; this one has shape {'×'.join(map(str, function.shape))}")
    return jacobian(function, wrt)


def jacobian(source: Source, wrt: str, *, layout: str = "gradient", **options: Any) -> Expr:
    """∂f/∂wrt, of shape f.shape + wrt.shape as in JAX."""
    function = parse(source, **options)
    by = tuple(_variables(function, [wrt]))
    result = _derivative(function.node, by[0])
    return Expr(arranged(laid_out(result, function.node, by, layout)), function.reading)


def gradients(source: Source, wrt: Iterable[str] | None = None, **options: Any) -> dict[str, Expr]:
    """The derivatives by many variables (all real ones if none is named), from one reverse pass."""
    function = parse(source, **options)
    chosen = _variables(function, wrt)
    simplifier = Simplifier()
    found = backward(simplifier.simplify(function.node), chosen)
    return {v.name: Expr(simplifier.result(_restricted(found[v], v)), function.reading) for v in chosen}


def _derivative(function: Node, wrt: Variable) -> Node:
    """function.shape + wrt.shape, simplified; by a structured variable, that by its independent entries."""
    result = simplify_result(jacobian_of(simplify(function), wrt))
    return simplify_result(_restricted(result, wrt)) if structure_of(wrt) else result


def _restricted(derivative: Node, wrt: Variable) -> Node:
    structure = structure_of(wrt)
    return derivative if structure is None else structured(derivative, structure, wrt)


def hessian(source: Source, wrt: str | Iterable[str], *, layout: str = "gradient", **options: Any) -> Expr:
    """The second derivative by one variable, or mixed by two: shapes f + wrt[0] + wrt[1].

    >>> hessian("log(1 + exp(w^T x))", "w").text
    'sigmoid(wᵀ x) (1 - sigmoid(wᵀ x)) x xᵀ'
    """
    function = parse(source, **options)
    names = (wrt, wrt) if isinstance(wrt, str) else tuple(wrt)
    if len(names) != 2:
        raise UsageError(f"a second derivative is by one variable or by two, not by {len(names)}")
    by = tuple(_variables(function, names))
    refuse_curved_twice(by)
    result = _derivative(_derivative(function.node, by[0]), by[1])
    return Expr(arranged(laid_out(result, function.node, by, layout)), function.reading)


def jvp(source: Source, wrt: str, tangent: str = "v", **options: Any) -> Expr:
    """The derivative of `source` in the direction `tangent`, a new variable of the shape of `wrt`."""
    function = parse(source, **options)
    node = function.variable(wrt)
    return _with_direction(function, tangent, node.shape, lambda v: _jvp(simplify(function.node), node, v))


def vjp(source: Source, wrt: str, cotangent: str = "g", **options: Any) -> Expr:
    """The transposed Jacobian applied to `cotangent`, a new variable of the shape of the function."""
    function = parse(source, **options)
    node = function.variable(wrt)
    return _with_direction(function, cotangent, function.shape, lambda v: _vjp(simplify(function.node), node, v))


def hvp(source: Source, wrt: str, tangent: str = "v", **options: Any) -> Expr:
    """The Hessian times `tangent`, a new variable of the shape of `wrt`: the directional derivative of the gradient.

    The Hessian itself is never made, so that code for it is as long as for two gradients (Pearlmutter, 1994).

    >>> hvp("||A x||^2", "x").text
    '2 Aᵀ A v'
    """
    function = parse(source, **options)
    if function.shape:
        raise ShapeError(f"a Hessian-vector product needs a scalar function; this one has shape {function.shape}")
    (node,) = _variables(function, [wrt])
    if structure_of(node) is not None:
        raise UnsupportedError(f"{node.name} is structured, and no rule covers its Hessian-vector product yet")
    once = simplify(jacobian_of(simplify(function.node), node))
    return _with_direction(function, tangent, node.shape, lambda v: _jvp(once, node, v))


def _with_direction(function: Expr, name: str, shape: Shape, build: Callable[[Variable], Node]) -> Expr:
    reading, node = function.reading.with_variable(name, shape)
    return Expr(simplify(build(node)), reading)


# --- looking ----------------------------------------------------------------------------------------------------------


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

    return Graph(_as_written(parse(source, **options)), at, gates=gates, digits=digits, down=down)


def trace(source: Source, at: str | Mapping[str, Any] | None = None, *, gates: str = "coarse", **options: Any) -> Trace:
    """The primal, adjoint and tangent tables of a function: `primal`, `reverse` and `forward(direction)`.

    >>> for line in trace("ln(x1) + x1 x2 - sin(x2)", at="x1=2, x2=5").reverse[-2:]:
    ...     print(line.name, "=", line.formula, "=", round(float(line.value), 3))
    x̄₁ = v̄₋₁ = 5.5
    x̄₂ = v̄₀ = 1.716
    """
    from symgrad.graph import Trace, point_of, record

    return Trace(record(_as_written(parse(source, **options)), gates), point_of(at))


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
    chosen = _variables(function, wrt)[0]
    claim, program = _manual(function, chosen, manual)
    given = point_of(at)
    values = _random_point(function, chosen) if given is None else given
    tape = record(_as_written(function))
    found = compared(
        tape, simplify(function.node), chosen, values, claim=claim, program=program, grow=grow, progress=progress
    )
    found.chosen = given is not None
    return found


def _manual(function: Expr, wrt: Variable, manual: Any) -> tuple[Node | None, Callable[..., Any] | None]:
    """Somebody's gradient as an expression, and as a program where it is one."""
    if manual is None or manual == "":
        return None, None
    program = _program(function, function, manual)
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


def _as_written(function: Expr) -> Reading:
    """The reading whose source writes this very expression: its own, or that of its text."""
    reading = function.reading
    if reading.parsed is not None and arranged(reading.node) is function.node:
        return reading
    shapes = {name: v.shape for name, v in function.variables.items()}
    assume = {name: "+".join(sorted(v.assumptions)) for name, v in function.variables.items() if v.assumptions}
    return read(function.text, shapes=shapes, assume=assume)


# --- code -------------------------------------------------------------------------------------------------------------


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

    >>> print(source_code(derive("||W x||^2", wrt="W"), form="function"))
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


# --- checking ---------------------------------------------------------------------------------------------------------


def check(
    source: Source,
    *,
    wrt: str | Iterable[str] | None = None,
    claim: Any = None,
    order: int = 1,
    layout: str = "gradient",
    shapes: Shapes = None,
    assume: Assumptions = None,
    syntax: str = "auto",
    seed: int = 0,
) -> Any:
    """Check the derivative against SymPy, numerical differentiation and JAX, and a claim against the derivative.

    `claim` is a formula, a callable that takes the variables by name, or `file.py:name`: a function that returns the
    gradient, or several by name (`return dW, db` or a dict), or a gate, a class with `forward` and `backward`.  A
    program that returns its gradients beside its value needs no claim.  Programs are judged by what they return, and
    proved where they can be traced; a file runs in a process of its own, with limits.

    A mapping of variables to claims gives a dict.  One `Report` for one variable, a dict for several; a report is true
    where its verdict is `correct`.  The verdict on a claim needs NumPy alone; SymPy and JAX are called when somebody
    looks at `witnesses`.

    >>> report = check("||W x||^2", wrt="W", claim=lambda W, x: (W @ x)[:, None] * x)
    >>> report.verdict, report.diagnosis[0].code
    ('wrong', 'factor')
    >>> report = check("||X w - y||^2 + lam ||w||^2", wrt="w", claim="2 X^T (X w - y) + lam w", shapes="lam:")
    >>> report.verdict, report.certainty, report.diagnosis[0].code, [term.right for term in report.terms]
    ('wrong', 'proved', 'factor-of-term', [True, False])
    """
    from symgrad.verify import Subject, check_gradient

    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    if isinstance(claim, Mapping):
        options: dict[str, Any] = {"order": order, "layout": layout, "syntax": syntax, "seed": seed}
        return {name: check(function, wrt=name, claim=each, **options) for name, each in claim.items()}
    claim = _program(function, source, claim)
    chosen = _chosen(function, wrt if wrt is not None else _claimed_variable(function, claim), order)
    if claim is not None and len(chosen) != 1 and isinstance(claim, str | Expr):
        raise UsageError("a claim is about one variable", hint='say which with wrt, as in wrt="W"')
    reports: dict[str, Report] = {}
    for by in chosen:
        found = _derivation(function, by, layout)
        described = tuple({"rule": s.rule, "before": s.before, "after": s.after} for s in found.steps)
        subject = Subject(function, by, found.result, layout, described, variables_dict(function))
        understood = _claim(function, found, claim, syntax)
        report = check_gradient(subject, understood, seed=seed)
        reports[found.wrt] = _explained(report, found, understood, seed) if understood is not None else report
    return next(iter(reports.values())) if len(reports) == 1 else reports


def _program(function: Expr, source: Source, claim: Any) -> Any:
    """A claim that is a program, read once; a source that returns gradients beside its value makes its own claim."""
    if claim is None and _is_program(source):
        from symgrad.review.programs import judges_itself

        claim = source if judges_itself(source, list(function.variables)) else None
    if not _is_program(claim):
        if claim is not None and not isinstance(claim, str | Expr):
            raise UsageError("a claim is a formula or a function of the variables by name")
        return claim
    from symgrad.review.programs import ProgramClaim

    return ProgramClaim(claim, {name: function.reading.node_of(name) for name in function.variables})


def _explained(report: Report, found: Derivation, claim: Claim, seed: int) -> Report:
    """A report on a wrong claim with the mistake, where that is certain; what the checker found stands."""
    settled = any(finding.code != "shape" for finding in report.diagnosis) or claim.misfit
    if report.verdict != "wrong" or settled:
        return report
    from symgrad.review.diagnosis import explain, shares
    from symgrad.verify.check import caller
    from symgrad.verify.ground import evaluator
    from symgrad.verify.report import Term

    claimed = caller(claim.function) if claim.function is not None else evaluator(claim.node)
    names = dict(found.function.reading.definitions)
    gradient, function = found.result.node, found.function.node
    slip = explain(function, found.variable, gradient, claimed, seed=seed, names=names)
    times = shares(gradient, claimed, seed=seed, beside=(function, found.variable))
    terms = zip(gradient.terms, times, strict=True) if isinstance(gradient, Sum) and times else ()
    told = tuple(Term(Expr(scale(t, c), found.function.reading).text, count) for (c, t), count in terms)
    return replace(report, diagnosis=slip or report.diagnosis, terms=told)


def _claimed_variable(function: Expr, claim: Any) -> str | list[str] | None:
    """The variable a claim names on its left side, as in ∇_W f = ..., or those that a program returns gradients of."""
    if claim is None or isinstance(claim, Expr):
        return None
    if not isinstance(claim, str):
        program: ProgramClaim = claim
        return program.variables([n for n, v in function.variables.items() if not v.assumptions & WHOLE])
    return read_claim(claim, function.reading).wrt


def _claim(function: Expr, found: Derivation, claim: Any, syntax: str) -> Claim | None:
    """A claim as a node, in the names of the function, its definitions and its derivation, or as a callable."""
    from symgrad.verify import Claim

    if claim is None:
        return None
    if isinstance(claim, str):
        named = {v.name: node for stage in found.stages for node, v in stage.record.names.items()}
        try:
            node, notes = _read_claim(claim, found, named, syntax)
        except ShapeError as error:
            if error.code != ShapeError.code:
                raise
            return Claim(claim, misfit=error.message)
        if not node.shape and constant(node) == 0:  # 0 is the zero of every shape
            node = number(0, found.result.shape)
        return Claim(claim, node, proved=same(simplify(node), found.result.node), gaps=LAST_CASE in notes)
    if isinstance(claim, Expr):
        return Claim(claim.text, claim.node, proved=same(simplify(claim.node), found.result.node))
    program: ProgramClaim = claim
    return program.about(found.by, found.result.node)


def _read_claim(claim: str, found: Derivation, named: Mapping[str, Node], syntax: str) -> tuple[Node, tuple[str, ...]]:
    """What a claim says, and what was guessed; where it goes through other derivatives, they are taken."""
    from symgrad.review.claims import names_derivatives, through_derivatives

    reading = found.function.reading
    try:
        understood = read_claim(claim, reading, intermediates=named, syntax=syntax, shape=found.result.shape)
    except (InputError, UnsupportedError) as error:
        if len(found.by) != 1 or not names_derivatives(claim, reading, syntax):
            raise
        try:
            return through_derivatives(claim, reading, found.by[0], syntax, named), ()
        except ShapeError:
            raise error from None  # the shapes of derivatives in products are a matter of layout
    return understood.node, understood.notes


def check_derivation(
    document: str,
    *,
    shapes: Shapes = None,
    assume: Assumptions = None,
    syntax: str = "auto",
    layout: str = "gradient",
    seed: int = 0,
) -> DerivationReport:
    r"""Judge a written derivation, a text, Markdown or LaTeX document, line by line.

    Text has one equation a line; in LaTeX and Markdown equations stand in displays or between dollar signs.  The first
    equation of a name defines it, a chain a = b = c may run over lines, and derivatives may be written as symbols
    before they are known; `layout` says how they stand in products.  The report names the first wrong line; a line that
    follows correctly from a wrong one is marked as `carried`.

    Raises an `InputError` where a display is not closed or the shapes or assumptions cannot be read.

    >>> report = check_derivation("q = W x\nf = ||q||^2\n∂f/∂W = q x^T")
    >>> report.first_wrong_line, report.lines[2].diagnosis[0].message
    (3, 'the claim is 0.5 times what is right')
    """
    from symgrad.review import judge

    if not isinstance(document, str):
        raise UsageError(f"a document is text, not {type(document).__name__}")
    if syntax not in SYNTAXES[:3]:
        raise UsageError(f"unknown syntax {syntax!r}", hint="syntaxes: " + ", ".join(SYNTAXES[:3]))
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}", hint="layouts: " + ", ".join(LAYOUTS))
    return judge(document, shapes, assume, syntax, layout, seed)


def assert_gradient(
    function: Any,
    gradient: Any,
    point: Any = None,
    *,
    wrt: str | None = None,
    shapes: Shapes = None,
    assume: Assumptions = None,
    rtol: float = 1e-7,
) -> None:
    """Raise an `AssertionError` that says what is wrong with a gradient; for tests.

    A formula is checked as by `check`, at points of its own.  A program needs a point, an array or a mapping of names
    to arrays, and is compared with its numerical differentiation there; `gradient` is then a program, an array, or a
    mapping of names to either.

    >>> assert_gradient("||W x||^2", "2 W x x^T", wrt="W")
    >>> assert_gradient(lambda x: (x ** 2).sum(), lambda x: 2 * x, [1.0, 2.0])
    """
    if not callable(function) or isinstance(function, Expr):
        report = check(function, wrt=wrt, claim=gradient, shapes=shapes, assume=assume)
        if not report:
            raise AssertionError(str(report))
        return
    from symgrad.verify.numeric import disagreement

    named, program, claimed = _by_name(function, gradient, point)
    chosen = [wrt] if wrt is not None else list(claimed) or list(named)
    missing = next((name for name in chosen if name not in named), None)
    if missing is not None:
        raise UsageError(f"the point has no {missing}", hint="it has " + ", ".join(named))
    if not claimed and len(chosen) != 1:
        raise UsageError("one gradient is about one variable", hint='say which with wrt, as in wrt="W"')
    for name in chosen:
        said = disagreement(program, claimed.get(name, gradient), named, name, rtol)
        if said is not None:
            raise AssertionError(said)


def _by_name(function: Any, gradient: Any, point: Any) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """The point, the program and its gradients by name; a point that is one array belongs to the first argument."""
    if point is None:
        raise UsageError("the gradient of a program needs a point", hint="give the arrays by name")
    if isinstance(point, Mapping):
        return dict(point), function, dict(gradient) if isinstance(gradient, Mapping) else {}

    def program(x: Any) -> Any:
        return function(x)

    def claimed(x: Any) -> Any:
        return gradient(x)

    return {"x": point}, program, {"x": claimed if callable(gradient) else gradient}


# --- SymPy ------------------------------------------------------------------------------------------------------------


def to_sympy(source: Source, **options: Any) -> Any:
    """The expression in SymPy: scalars as they are, matrices as matrix expressions where SymPy has them."""
    from symgrad.interop import to_sympy as convert

    return convert(parse(source, **options).node)


def from_sympy(expression: Any, *, shapes: Shapes = None, assume: Assumptions = None) -> Expr:
    """A SymPy expression as an expression of symgrad."""
    return parse(expression, shapes=shapes, assume=assume)
