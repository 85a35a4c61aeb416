"""Claims judged: a derivative by its witnesses, a formula or a program against it, a whole written derivation.

Contract: a report is true where its verdict is `correct`; the verdict needs NumPy alone, and a mistake is named where
that is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from symgrad.api.deriving import chosen_variables, derivation_of
from symgrad.api.objects import Derivation, Expr, variables_dict
from symgrad.api.sources import SYNTAXES, WHOLE, Assumptions, Shapes, Source, is_program, parse
from symgrad.calculus import LAYOUTS
from symgrad.errors import InputError, ShapeError, UnsupportedError, UsageError
from symgrad.expr import Node, Sum, constant, number, scale
from symgrad.notation.claims import differentiated
from symgrad.notation.conditions import LAST_CASE
from symgrad.notation.reading import Reading, read_claim
from symgrad.simplify.rules import same, simplify

if TYPE_CHECKING:
    from symgrad.review import DerivationReport
    from symgrad.review.programs import ProgramClaim
    from symgrad.verify import Claim, Report
    from symgrad.verify.points import Point


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
    function = parse(source, shapes=shapes, assume=assume, syntax=syntax)
    if isinstance(claim, Mapping):
        options: dict[str, Any] = {"order": order, "layout": layout, "syntax": syntax, "seed": seed}
        return {name: check(function, wrt=name, claim=each, **options) for name, each in claim.items()}
    claim = program_of(function, source, claim)
    chosen = chosen_variables(function, wrt if wrt is not None else _claimed_variable(function, claim), order)
    if claim is not None and len(chosen) != 1 and isinstance(claim, str | Expr):
        raise UsageError("a claim is about one variable", hint='say which with wrt, as in wrt="W"')
    derived = [derivation_of(function, by, layout) for by in chosen]
    reports = {found.wrt: _report(found, _claim(function, found, claim, syntax), seed) for found in derived}
    return next(iter(reports.values())) if len(reports) == 1 else reports


def _report(found: Derivation, claim: Claim | None, seed: int) -> Report:
    """The report on one derivative, or on a claim about it."""
    from symgrad.verify import Subject, check_gradient
    from symgrad.verify.report import Heard

    function, steps = found.function, Heard(partial(_steps, found))
    subject = Subject(function, found.by, found.result, found.layout, steps, variables_dict(function))
    report = check_gradient(subject, claim, seed=seed)
    return report if claim is None else _explained(report, found, claim, seed)


def _steps(found: Derivation) -> list[dict[str, str]]:
    return [step.to_dict() for step in found.steps]


def program_of(function: Expr, source: Source, claim: Any) -> Any:
    """A claim that is a program, read once; a source that returns gradients beside its value makes its own claim."""
    if claim is None and is_program(source):
        from symgrad.review.programs import judges_itself

        claim = source if judges_itself(source, list(function.variables)) else None
    if not is_program(claim):
        if claim is not None and not isinstance(claim, str | Expr):
            raise UsageError("a claim is a formula or a function of the variables by name")
        return claim
    from symgrad.review.programs import ProgramClaim

    return ProgramClaim(claim, {name: function.reading.node_of(name) for name in function.variables})


def _explained(report: Report, found: Derivation, claim: Claim, seed: int) -> Report:
    """A report on a wrong claim with the mistake, where that is certain; what the checker found stands.

    The mistake and the terms are looked for when somebody asks: the verdict does not rest on them.
    """
    settled = any(finding.code != "shape" for finding in report.diagnosis) or claim.misfit
    if report.verdict != "wrong" or settled:
        return report
    from symgrad.review.diagnosis import explain, shares
    from symgrad.verify.report import Finding, Heard, Term

    claimed, names = _values(claim), dict(found.function.reading.definitions)
    gradient, function = found.result.node, found.function.node

    def diagnosis() -> Sequence[Finding]:
        return explain(function, found.variable, gradient, claimed, seed=seed, names=names) or report.diagnosis

    def terms() -> Sequence[Term]:
        times = shares(gradient, claimed, seed=seed, beside=(function, found.variable))
        parts = zip(gradient.terms, times, strict=True) if isinstance(gradient, Sum) and times else ()
        return [Term(Expr(scale(t, c), found.function.reading).text, count) for (c, t), count in parts]

    return replace(report, diagnosis=Heard(diagnosis), terms=Heard(terms))


def _values(claim: Claim) -> Callable[[Point], Any]:
    """The values of a claim as a mistake is looked for: a formula as plainly calculated as the gradient."""
    from symgrad.review.equality import evaluated
    from symgrad.verify.check import caller
    from symgrad.verify.interpret import numpy_arithmetic

    node = claim.node
    return caller(claim.function) if node is None else lambda point: evaluated(node, point, numpy_arithmetic())


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
        understood = read_claim(
            claim, reading, intermediates=named, syntax=syntax, shape=found.result.shape, by=found.by,
            alike=lambda one, other: same(simplify(one), simplify(other)),
        )  # fmt: skip
        _refuse_another_function(understood, reading)
    except (InputError, UnsupportedError) as error:
        if error.code == "ANOTHER" or len(found.by) != 1 or not names_derivatives(claim, reading, syntax):
            raise
        try:
            return through_derivatives(claim, reading, found.by[0], syntax, named), ()
        except ShapeError:
            raise error from None  # the shapes of derivatives in products are a matter of layout
    return understood.node, understood.notes


def _refuse_another_function(claim: Reading, reading: Reading) -> None:
    """An error where the left side of a claim differentiates an expression that is not the function."""
    parsed = claim.parsed
    of = None if parsed is None else differentiated(parsed.tree)
    if parsed is None or of is None or any(part.value == reading.name for part in of.walk()):
        return
    try:
        node = read_claim(parsed.source[of.start : of.end], reading, syntax=parsed.syntax).node
    except (InputError, UnsupportedError):
        return
    if not same(simplify(node), simplify(reading.node)):
        raise InputError(
            "this is a claim about the derivative of another function", source=parsed.source, offset=of.start,
            end=of.end, code="ANOTHER", hint="give the function that it is about",
        )  # fmt: skip


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
