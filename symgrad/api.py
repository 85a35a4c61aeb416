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
from symgrad.calculus import arrange_layout, backward, derivative
from symgrad.calculus import jvp as _jvp
from symgrad.calculus import vjp as _vjp
from symgrad.catalog import CATALOG, Entry
from symgrad.derivation import Line, Result, Step
from symgrad.errors import ShapeError, UnsupportedError, UsageError
from symgrad.expr import Node, Shape, Variable
from symgrad.notation.names import canonical
from symgrad.notation.names import to_text as name_to_text
from symgrad.notation.reading import Reading, read, read_claim
from symgrad.notation.render import to_latex, to_text
from symgrad.shapes import Declared
from symgrad.simplify.rules import Simplifier, same, simplify, simplify_result
from symgrad.simplify.trees import arranged, to_tree

if TYPE_CHECKING:
    from symgrad.code import Compiled
    from symgrad.review import DerivationReport
    from symgrad.verify import Claim, Report

SCHEMA = "symgrad/1"
LAYOUTS = ("gradient", "numerator", "denominator")
SYNTAXES = ("auto", "text", "latex", "latex2sympy2")
#: What ties the entries of a variable to each other, so that it cannot be differentiated by entry for entry.
STRUCTURED = frozenset({"symmetric", "positive_definite", "diagonal", "orthogonal"})
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

    def to_dict(self) -> dict[str, object]:
        return {"text": self.text, "latex": self.latex, "shape": list(self.shape)}


class Derivation:
    """The derivative of one function by one variable, with the steps that led to it.

    `function`, `wrt` and `result` say what was derived; `steps` how; `text` and `latex` print the whole.
    """

    def __init__(self, function: Expr, wrt: Variable, stages: tuple[Result, ...]) -> None:
        self.function = function
        self.stages = stages
        self.wrt = wrt.name
        self.variable = wrt
        self.result = Expr(arranged(stages[-1].node), function.reading)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    def lines(self, form: str = "matrix") -> list[Line]:
        """The printed lines in matrix, index or differential form."""
        return [line for stage in self.stages for line in stage.lines(form)]

    @property
    def heading(self) -> tuple[str, str]:
        """The left side of the result, such as ∇_W f, in text and LaTeX."""
        text, latex = self.stages[0].heading()
        order = len(self.stages)
        if order == 1:
            return text, latex
        raised = "".join("⁰¹²³⁴"[int(digit)] for digit in str(order))
        return text.replace("∇", "∇" + raised, 1), latex.replace(r"\nabla", rf"\nabla^{{{order}}}", 1)

    @property
    def shape_note(self) -> str:
        """What the shape of the result says: a gradient has the shape of its variable."""
        shape = "×".join(map(str, self.result.shape)) or "scalar"
        same = self.result.shape == self.variable.shape
        return f"shape {shape}" + (f", the same as {name_to_text(self.wrt)}" if same else "")

    @property
    def text(self) -> str:
        body = [f"{line.number}. {line.formula_text}    [{line.rule}]" for line in self.lines()]
        return "\n".join([*body, f"{self.heading[0]} = {self.result.text}    {self.shape_note}"])

    @property
    def latex(self) -> str:
        rows = [line.formula_latex.replace("=", "&=", 1) for line in self.lines()]
        rows.append(f"{self.heading[1]} &= {self.result.latex}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        return f"Derivation({self.heading[0]} = {self.result.text})"

    def to_dict(self) -> dict[str, object]:
        described = [{"rule": s.rule, "before": s.before, "after": s.after} for s in self.steps]
        return {
            "schema": SCHEMA,
            "function": self.function.to_dict(),
            "variables": variables_dict(self.function),
            "wrt": self.wrt,
            "gradient": self.result.to_dict() | {"steps": described},
        }


def variables_dict(function: Expr) -> dict[str, object]:
    return {
        name: {"shape": list(v.shape), "assumptions": sorted(v.assumptions), "guessed": v.guessed}
        for name, v in function.variables.items()
    }


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(source: Source, *, shapes: Shapes = None, assume: Assumptions = None, syntax: str = "auto") -> Expr:
    """Read a function from text, LaTeX, an expression, a SymPy expression or a catalog name.

    Definitions are separated by `;` or lines; the last formula is the function.

    >>> parse("q = W x; ||q||^2") == parse(r"\\|W x\\|^2")
    True
    """
    if isinstance(source, Expr):
        return source
    if syntax not in SYNTAXES:
        raise UsageError(f"unknown syntax {syntax!r}", hint="syntaxes: " + ", ".join(SYNTAXES))
    if syntax == "latex2sympy2":
        raise UnsupportedError(
            "reading through latex2sympy2 is not built yet", hint="symgrad reads LaTeX itself: leave the syntax out"
        )
    if not isinstance(source, str):
        if not any(str(base.__module__).startswith("sympy.") for base in type(source).__mro__):
            kind = type(source).__name__
            raise UsageError(f"a source is text, LaTeX, an expression or a SymPy expression, not {kind}")
        from symgrad.interop import from_sympy as convert

        return _from_node(convert(source, shapes=shapes, assume=assume))
    entry = CATALOG.get(source.strip())
    if entry is not None:
        source, shapes, assume = entry.text, shapes or entry.shapes, assume or entry.assume
    reading = read(source, shapes=shapes, assume=assume, syntax=syntax)
    return Expr(arranged(reading.node), reading)


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

    >>> print(derive("||W x||^2", wrt="W").result.text)
    2 W x xᵀ
    """
    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    found = {v.name: _derivation(function, v, order, layout) for v in _variables(function, wrt)}
    return next(iter(found.values())) if len(found) == 1 else found


def _derivation(function: Expr, wrt: Variable, order: int, layout: str) -> Derivation:
    if not isinstance(order, int) or not 1 <= order <= 4:
        raise UsageError(f"the order of a derivative is 1, 2, 3 or 4, not {order}")
    stages: list[Result] = []
    node, name = function.node, function.name
    for stage in range(order):
        record = steps.record(node, wrt, function.reading.definitions if stage == 0 else {})
        stages.append(Result(record, name, layout if stage == order - 1 else "gradient"))
        node, name = record.result, "g" if stage == 0 else "h"
    return Derivation(function, wrt, tuple(stages))


def _variables(function: Expr, wrt: str | Iterable[str] | None) -> list[Variable]:
    """The variables to differentiate by; labels are integers and have no derivative."""
    if wrt is None:
        names = [name for name, v in function.variables.items() if "label" not in v.assumptions]
        if not names:
            raise UsageError("the function has no real variable to differentiate by")
    else:
        names = [wrt] if isinstance(wrt, str) else list(wrt)
    found = [function.variable(name) for name in names]
    for v in found:
        if "label" in v.assumptions:
            raise UsageError(f"{v.name} is a label: an integer has no derivative")
        structure = ", ".join(sorted(v.assumptions & STRUCTURED))
        if structure:
            raise UnsupportedError(
                f"{v.name} is {structure}: its entries are not independent, and no rule covers that yet",
                hint="leave the assumption out for the gradient over all entries",
            )
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
    result = simplify_result(derivative(simplify(function.node), [function.variable(wrt)]))
    return Expr(arranged(arrange_layout(result, function.node.rank, layout)), function.reading)


def gradients(source: Source, wrt: Iterable[str] | None = None, **options: Any) -> dict[str, Expr]:
    """The derivatives by many variables (all real ones if none is named), from one reverse pass."""
    function = parse(source, **options)
    chosen = _variables(function, wrt)
    simplifier = Simplifier()
    found = backward(simplifier.simplify(function.node), chosen)
    return {v.name: Expr(simplifier.result(found[v]), function.reading) for v in chosen}


def hessian(source: Source, wrt: str | tuple[str, str], **options: Any) -> Expr:
    """The second derivative by one variable, or mixed by two: shapes f + wrt[0] + wrt[1]."""
    function = parse(source, **options)
    first, second = (wrt, wrt) if isinstance(wrt, str) else wrt
    once = simplify(derivative(simplify(function.node), [function.variable(first)]))
    return Expr(simplify_result(derivative(once, [function.variable(second)])), function.reading)


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


def _with_direction(function: Expr, name: str, shape: Shape, build: Callable[[Variable], Node]) -> Expr:
    reading, node = function.reading.with_variable(name, shape)
    return Expr(simplify(build(node)), reading)


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


def source_code(found: Any, backend: str = "numpy") -> str:
    """The source of one function that returns the value and the derivatives of a derivation (or a dict of them)."""
    from symgrad.code import emit

    several = {found.wrt: found} if isinstance(found, Derivation) else dict(found)
    function = next(iter(several.values())).function
    outputs = {function.name: simplify(function.node)} | {f"grad_{n}": d.result.node for n, d in several.items()}
    return emit(outputs, backend=backend, name="value_and_grad")


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

    `claim` is a formula or a callable that takes the variables by name.  One `Report` for one variable, a dict for
    several; a report is true where its verdict is `correct`.
    """
    from symgrad.verify import Subject, check_gradient

    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    chosen = _variables(function, wrt if wrt is not None else _claimed_variable(function, claim))
    if claim is not None and len(chosen) != 1:
        raise UsageError("a claim is about one variable", hint='say which with wrt, as in wrt="W"')
    reports: dict[str, Report] = {}
    for variable in chosen:
        found = _derivation(function, variable, order, layout)
        described = tuple({"rule": s.rule, "before": s.before, "after": s.after} for s in found.steps)
        subject = Subject(function, variable, found.result, order, layout, described, variables_dict(function))
        understood = _claim(function, found, claim, syntax)
        report = check_gradient(subject, understood, seed=seed)
        reports[variable.name] = _explained(report, found, understood, seed) if understood is not None else report
    return next(iter(reports.values())) if len(reports) == 1 else reports


def _explained(report: Report, found: Derivation, claim: Claim, seed: int) -> Report:
    """A report on a wrong claim with the mistake, where that is certain; what the checker found stands."""
    settled = any(finding.code != "shape" for finding in report.diagnosis) or claim.misfit
    if report.verdict != "wrong" or settled or len(found.stages) > 1:
        return report
    from symgrad.review.diagnosis import explain
    from symgrad.verify.check import caller, evaluator

    claimed = evaluator(claim.node) if claim.node is not None else caller(claim.function)
    names = dict(found.function.reading.definitions)
    slip = explain(found.function.node, found.variable, found.result.node, claimed, seed=seed, names=names)
    return replace(report, diagnosis=slip) if slip else report


def _claimed_variable(function: Expr, claim: Any) -> str | None:
    """The variable a claim names on its left side, as in ∇_W f = ..."""
    if not isinstance(claim, str):
        return None
    return read_claim(claim, function.reading).wrt


def _claim(function: Expr, found: Derivation, claim: Any, syntax: str) -> Claim | None:
    """A claim as a node, in the names of the function, its definitions and its derivation, or as a callable."""
    from symgrad.verify import Claim

    if claim is None:
        return None
    if isinstance(claim, str):
        named = {v.name: node for stage in found.stages for node, v in stage.record.names.items()}
        try:
            understood = read_claim(
                claim, function.reading, intermediates=named, syntax=syntax, shape=found.result.shape
            )
        except ShapeError as error:
            if error.code != ShapeError.code:
                raise
            return Claim(claim, misfit=error.message)
        return Claim(claim, understood.node, proved=same(simplify(understood.node), found.result.node))
    if isinstance(claim, Expr):
        return Claim(claim.text, claim.node, proved=same(simplify(claim.node), found.result.node))
    if callable(claim):
        return Claim(getattr(claim, "__name__", "claim"), None, claim)
    raise UsageError("a claim is a formula or a function of the variables by name")


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
    from symgrad.review import check_derivation as judged

    if not isinstance(document, str):
        raise UsageError(f"a document is text, not {type(document).__name__}")
    if syntax not in SYNTAXES[:3]:
        raise UsageError(f"unknown syntax {syntax!r}", hint="syntaxes: " + ", ".join(SYNTAXES[:3]))
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}", hint="layouts: " + ", ".join(LAYOUTS))
    return judged(document, shapes=shapes, assume=assume, syntax=syntax, layout=layout, seed=seed)


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
