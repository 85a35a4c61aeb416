"""The command `symgrad`: what the words on the command line ask, answered by the library.

Contract: exit codes are those of `EXIT_CODES`, whatever happens; no traceback reaches a user unless `SYMGRAD_DEBUG`
asks for it; with `--json` every answer, errors included, is one JSON object a line on standard output.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

import symgrad as sg
from symgrad.api.objects import variables_dict
from symgrad.errors import SymgradError, UnsupportedError, UsageError
from symgrad.schema import SCHEMA

from . import report
from .arguments import FormulaCommand, document, natural, one_of, read, resembling
from .terminal import Ink, prepare_streams, silence_stdout

if TYPE_CHECKING:
    from symgrad import Derivation
    from symgrad.verify import Report

OK, WRONG, UNREADABLE, UNSUPPORTED, UNDECIDED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
EXIT_CODES = {"correct": OK, "wrong": WRONG, "undecided": UNDECIDED}
#: Of several answers the gravest decides the exit code.
GRAVITY = (UNREADABLE, UNSUPPORTED, WRONG, UNDECIDED, OK)

FORMS = ("matrix", "index", "differential")
FORMATS = ("text", "markdown", "latex", "json")
LAYOUTS = ("gradient", "numerator", "denominator", "vec")
SYNTAXES = ("auto", "text", "latex", "latex2sympy2")
BACKENDS = ("numpy", "jax", "torch")
#: Forms of a program, and the backend that each is written in where none is asked for.
PROGRAMS = {
    "function": "numpy", "gate": "numpy", "custom-vjp": "jax", "autograd-function": "torch", "training": "numpy",
}  # fmt: skip
GATES = ("coarse", "fine")
THEMES = ("auto", "light", "dark")

#: Typer's own complaints about usage, wherever this version of typer defines their class.
TyperUsageError: type[Any] = typer.BadParameter.__bases__[0]

HELP_OPTIONS = {"help_option_names": ["--help", "-h"]}


def _help(purpose: str, detail: str, *examples: str) -> str:
    """The help of a command; the backspace is how typer is told to keep the lines of its examples."""
    return "\n\n".join([purpose, detail, "\b\n" + "\n".join(["Examples:", *(f"  symgrad {e}" for e in examples)])])


HELP = {
    "derive": _help(
        "Derive a gradient step by step.",
        "A capital letter is a matrix, a small one a vector where the formula needs one. What was guessed is printed, "
        "and --shape says otherwise.",
        'derive "||W x||^2" --wrt W',
        'derive "W_2 max(0, W_1 x)" --wrt W_1 --form index',
        'derive "-log(p)" --order 2',
        r'derive "s = W x; \sum_{j \neq y} \max(0, s_j - s_y + 1)" --wrt W --latex',
        "derive softmax-loss --wrt W --code numpy",
        "derive softmax-loss --wrt W --as gate",
        'derive "||W x||^2" --wrt W --hint 2',
        "derive examples/layers.py:softmax_loss --wrt W",
    ),
    "check": _help(
        "Check a gradient: ours by independent witnesses, and yours against it; or a written derivation, line by line.",
        "A word that ends in .tex, .md or .txt is a file with a derivation: its equations are checked one by one. "
        "file.py:name is a program: a gate, or a function that returns its gradients, is judged as a whole. "
        "The exit code is 0 if it is right, 1 if it is wrong, 2 if the input cannot be read, 3 if no rule covers it "
        "yet, 4 if it is undecided.",
        'check "||W x||^2" --wrt W',
        'check "||W x||^2" --wrt W --claim "2 W x x^T"',
        'check "x^T A x" --wrt x --claim "2 A x" --assume "A: symmetric"',
        'check examples/layers.py:MultiplyGate --shape "x:, y:"',
        "check softmax-loss --json",
    ),
    "graph": _help(
        "Draw the computational graph, with values and gradients on it.",
        "Values stand above the wires, gradients below. Labels count from 0.",
        'graph "(x + y) z" --at "x=-2, y=5, z=-4"',
        'graph "sigmoid(w_0 x_0 + w_1 x_1 + w_2)" --gates fine --out neuron.svg',
        'graph "q = W x; ||q||^2" --at "W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4]"',
    ),
    "trace": _help(
        "Print the forward and reverse traces of automatic differentiation.",
        "One line a value: its formula, the numbers in it, its value; then the adjoints, from the function back to the "
        "inputs, or with --direction the tangents.",
        'trace "ln(x1) + x1 x2 - sin(x2)" --at "x1=2, x2=5"',
        'trace "ln(x1) + x1 x2 - sin(x2)" --at "x1=2, x2=5" --direction "x1=1"',
    ),
    "compare": _help(
        "Compare five ways to one gradient: manual, symbolic, numerical, forward and reverse automatic.",
        "Error and cost of each, the V of finite differences against the step, and the cost as the inputs grow.",
        'compare "||W x||^2" --wrt W --manual "2 W x x^T"',
        'compare "ln(x1) + x1 x2 - sin(x2)" --wrt x2 --at "x1=2, x2=5" --out ways.png',
    ),
    "catalog": _help(
        "List the known functions with their source, or show one.",
        "Every command takes one of these names where it takes a formula.",
        "catalog",
        "catalog softmax-loss",
    ),
    "explain": _help(
        "Explain a rule of derivations: what it says, its source, and an example derived on the spot.",
        "Rules are called as in the last column of a derivation. Without a name all are listed.",
        "explain softmax",
        "explain matrix product",
    ),
    "quiz": _help(
        "Practice: a function of the catalog is posed, and your answers are reviewed.",
        "One answer a line: a gradient in text or LaTeX, hint for a step of the derivation, or stop for all of it. "
        "The exit code is that of check for the last answer.",
        "quiz",
        "quiz wx2 --wrt W",
    ),
}

app = typer.Typer(
    name="symgrad",
    help="Derives gradients step by step, checks yours, and says why.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTIONS,
    epilog='Try: symgrad derive "||W x||^2" --wrt W',
)


def _names(incomplete: str) -> list[str]:
    return [name for name in sg.catalog() if name.startswith(incomplete)]


def _choice(flag: str, words: Iterable[str], purpose: str) -> Any:
    """An option that takes one of some words."""
    known = tuple(words)
    return typer.Option(
        flag,
        metavar="|".join(known),
        help=purpose,
        autocompletion=lambda incomplete: [word for word in known if word.startswith(incomplete)],
    )


Formulas = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="EXPR",
        help="A function: text, LaTeX, a name of the catalog, file.py:name, or - for standard input. "
        "Definitions are separated by ;",
        autocompletion=_names,
        show_default=False,
    ),
]
Wrt = Annotated[
    list[str] | None,
    typer.Option("--wrt", metavar="NAME", help="The variable to differentiate by; may be repeated. Default: all."),
]
Shape = Annotated[
    list[str] | None, typer.Option("--shape", metavar="SHAPES", help='Shapes, as in "W: m n, x: n, lam:, y: 10".')
]
Assume = Annotated[
    list[str] | None,
    typer.Option("--assume", metavar="FACTS", help='Assumptions, as in "A: symmetric, X: invertible, y: label".'),
]
Order = Annotated[str | None, typer.Option("--order", metavar="N", help="Differentiate this many times. Default: 1.")]
Layout = Annotated[str | None, _choice("--layout", LAYOUTS, "Where the axes of a Jacobian go.")]
Syntax = Annotated[str | None, _choice("--syntax", SYNTAXES, "How the input is written.")]
Form = Annotated[str | None, _choice("--form", FORMS, "How steps are shown.")]
Code = Annotated[str | None, _choice("--code", BACKENDS, "Print source of function and gradient.")]
Program = Annotated[str | None, _choice("--as", PROGRAMS, "Print a program, forward and backward pass, in this form.")]
Shown = Annotated[
    str | None,
    typer.Option("--hint", metavar="N", help="Show the first N steps only, and what to do next. 0 is the least."),
]
Claim = Annotated[
    str | None, typer.Option("--claim", metavar="CLAIM", help="A gradient to be judged: text, LaTeX, or file.py:name.")
]
Seed = Annotated[str | None, typer.Option("--seed", metavar="N", help="Where sampling starts. Default: 0.")]
Feedback = Annotated[str | None, _choice("--format", FORMATS, "Feedback in this format, to be sent to somebody.")]
Latex = Annotated[bool, typer.Option("--latex", help="Print the derivation in LaTeX.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a formula.")]


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["derive"])
def derive(
    formulas: Formulas = None,
    wrt: Wrt = None,
    shape: Shape = None,
    assume: Assume = None,
    form: Form = None,
    order: Order = None,
    layout: Layout = None,
    syntax: Syntax = None,
    latex: Latex = False,
    code: Code = None,
    program: Program = None,
    hint: Shown = None,
    as_json: Json = False,
) -> int:
    """Derives, and prints the steps."""
    form = one_of("--form", form, FORMS)
    program = one_of("--as", program, tuple(PROGRAMS)) if program else ""
    backend = one_of("--code", code, BACKENDS) if code else PROGRAMS.get(program, "")
    options = _options(shape, assume, order, layout, syntax)
    shown = None if hint is None else natural("--hint", hint, 0)
    if shown is not None and (backend or latex):
        raise UsageError("--hint shows steps, and goes with no other output")

    def answer(source: str) -> Answer:
        found = _by_variable(sg.derive(source, wrt=wrt, **options))
        if shown is not None:
            return _hinted(found, shown, form)
        source_code = sg.source_code(found, backend, program) if backend else ""
        document = _document(found) | ({"code": source_code} if backend else {})
        return document, lambda ink: _derived(found, form, latex, source_code, ink), OK

    return _answers(formulas, as_json, answer)


def _hinted(found: Mapping[str, Derivation], shown: int, form: str) -> Answer:
    """The first steps, and nothing of the others."""
    from . import practice

    given = {name: derivation.hint(shown, form).to_dict() for name, derivation in found.items()}
    document = _described(next(iter(found.values())).function) | {"wrt": list(found), "hints": given}
    return document, lambda ink: practice.hints(found, shown, form, ink), OK


def _derived(found: Mapping[str, Derivation], form: str, latex: bool, source_code: str, ink: Ink) -> Iterable[str]:
    if source_code:
        return [report.commented_code(found, source_code)]
    if latex:
        return report.latex(found, form)
    more = "--form index   --form differential   --code numpy   --latex" if sys.stdout.isatty() else ""
    return report.derivations(found, form, ink, more)


def _document(found: Mapping[str, Any]) -> dict[str, Any]:
    """One object: that of the one variable, or with several a list of names and the gradients by name."""
    documents = {name: answer.to_dict() for name, answer in found.items()}
    first: dict[str, Any] = next(iter(documents.values()))
    if len(documents) == 1:
        return first
    return first | {"wrt": list(documents), "gradient": {name: d["gradient"] for name, d in documents.items()}}


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["check"])
def check(
    formulas: Formulas = None,
    wrt: Wrt = None,
    claim: Claim = None,
    shape: Shape = None,
    assume: Assume = None,
    order: Order = None,
    layout: Layout = None,
    syntax: Syntax = None,
    seed: Seed = None,
    form: Feedback = None,
    as_json: Json = False,
) -> int:
    """Checks, and prints what the witnesses saw."""
    as_json = as_json or form == "json"
    form = one_of("--format", form, FORMATS) if form else None
    options = _options(shape, assume, order, layout, syntax) | {"seed": natural("--seed", seed, 0)}

    def answer(source: str) -> Answer:
        text = document(source)
        if text is not None:
            unfit = {"--wrt": wrt, "--claim": claim, "--order": order}
            return _reviewed(source, text, unfit, options, form)
        checked = _by_variable(sg.check(source, wrt=_single(wrt), claim=claim, **options))
        found = {name: one.heard() for name, one in checked.items()}
        codes = [EXIT_CODES[one.verdict] for one in found.values()]
        if form:
            return _judged(found), lambda ink: report.feedback(found.values(), form), _gravest(codes)
        return _judged(found), lambda ink: report.reports(found, ink), _gravest(codes)

    return _answers(formulas, as_json, answer)


def _reviewed(name: str, text: str, unfit: Mapping[str, Any], options: Mapping[str, Any], form: str | None) -> Answer:
    """The verdicts on a written derivation; what only a formula can be asked for is refused."""
    given = next((option for option, value in unfit.items() if value is not None), None)
    if given is not None:
        raise UsageError(f"{given} is about a formula, and {name} is a written derivation")
    taken = {key: options[key] for key in ("shapes", "assume", "syntax", "layout", "seed")}
    found = sg.check_derivation(text, **taken)
    document, code = found.to_dict() | {"file": name}, EXIT_CODES[found.verdict]
    if form:
        return document, lambda ink: report.feedback([found], form), code
    return document, lambda ink: report.review(name, found, ink), code


def _judged(found: Mapping[str, Report]) -> dict[str, Any]:
    """The report of the one variable; with several, the gravest verdict, and the reports by name."""
    if len(found) == 1:
        return _document(found)
    reports = {name: checked.to_dict() for name, checked in found.items()}
    verdict = max((checked.verdict for checked in found.values()), key=EXIT_CODES.__getitem__)
    common = ("schema", "function", "variables")
    first = next(iter(reports.values()))
    return {key: first[key] for key in common} | {"wrt": list(found), "verdict": verdict, "reports": reports}


At = Annotated[
    str | None,
    typer.Option("--at", metavar="NUMBERS", help='Numbers, as in "x=-2, b=[1, 2], W=[[0.1, 0.5], [-0.3, 0.8]]".'),
]
Theme = Annotated[str | None, _choice("--theme", THEMES, "Colours of the file; auto follows the reader's screen.")]
Gates = Annotated[str | None, _choice("--gates", GATES, "The logistic function as one gate, or as four.")]


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["graph"])
def graph(
    formulas: Formulas = None,
    at: At = None,
    gates: Gates = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write the drawing to FILE.svg or FILE.png instead.")
    ] = None,
    theme: Theme = None,
    down: Annotated[bool, typer.Option("--down", help="Draw the file from top to bottom, for a phone.")] = False,
    shape: Shape = None,
    assume: Assume = None,
    syntax: Syntax = None,
    as_json: Json = False,
) -> int:  # fmt: skip
    """Draws the computational graph."""
    from . import graphs

    gates = one_of("--gates", gates, GATES)
    theme = one_of("--theme", theme, THEMES)
    graphs.suffix(out)
    reading = _reading(shape, assume, syntax)

    def answer(source: str) -> Answer:
        function = sg.parse(source, **reading)
        drawn = sg.draw(function, at, gates=gates, down=down)
        written = graphs.write(drawn, out, theme) if out else ""
        document = _described(function) | {"graph": drawn.to_dict()} | ({"file": out} if out else {})
        return document, lambda ink: [written] if written else graphs.graph(function, drawn, ink), OK

    return _answers(formulas, as_json, answer)


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["trace"])
def trace(
    formulas: Formulas = None,
    at: At = None,
    gates: Gates = None,
    forward: Annotated[bool, typer.Option("--forward", help="Tangents (forward mode) instead of adjoints.")] = False,
    direction: Annotated[
        str | None,
        typer.Option(
            "--direction", metavar="NUMBERS", help='What moves in forward mode, as in "x1=1". Implies --forward.'
        ),
    ] = None,
    shape: Shape = None,
    assume: Assume = None,
    syntax: Syntax = None,
    as_json: Json = False,
) -> int:
    """Prints the traces of automatic differentiation."""
    from . import graphs

    gates = one_of("--gates", gates, GATES)
    reading = _reading(shape, assume, syntax)

    def answer(source: str) -> Answer:
        function = sg.parse(source, **reading)
        traced = sg.trace(function, at, gates=gates)
        along = traced.direction(direction) if forward or direction else None
        document = _described(function) | {"trace": graphs.trace_document(traced, along)}
        return document, lambda ink: graphs.trace(function, traced, along, ink), OK

    return _answers(formulas, as_json, answer)


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["compare"])
def compare(
    formulas: Formulas = None,
    wrt: Wrt = None,
    at: At = None,
    manual: Annotated[
        str | None, typer.Option("--manual", metavar="CLAIM", help="Your own gradient: text, LaTeX, or file.py:name.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Plot to FILE.svg or FILE.png; needs matplotlib.")
    ] = None,
    shape: Shape = None,
    assume: Assume = None,
    syntax: Syntax = None,
    as_json: Json = False,
) -> int:
    """Compares the five ways to a gradient."""
    from . import graphs, ways

    graphs.suffix(out)
    reading = _reading(shape, assume, syntax)
    if wrt and len(wrt) > 1:
        raise UsageError("the five ways are compared for one variable", hint="give --wrt once")

    def answer(source: str) -> Answer:
        function = sg.parse(source, **reading)
        found = sg.compare(function, wrt[0] if wrt else None, at=at, manual=manual, progress=ways.progress)
        ways.progress("")
        written = [ways.write(found, out)] if out else []
        document = _described(function) | {"comparison": found.to_dict()} | ({"file": out} if out else {})
        return document, lambda ink: written or ways.comparison(function, found, ink), OK

    return _answers(formulas, as_json, answer)


def _reading(shape: list[str] | None, assume: list[str] | None, syntax: str | None) -> dict[str, Any]:
    """The options that say how a formula is read."""
    options = _options(shape, assume, None, None, syntax)
    return {name: options[name] for name in ("shapes", "assume", "syntax")}


def _described(function: Any) -> dict[str, Any]:
    """The first keys of every document about a function."""
    return {"schema": SCHEMA, "function": function.to_dict(), "variables": variables_dict(function)}


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["catalog"])
def catalog(
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="One function.", autocompletion=_names),
    ] = None,
    as_json: Json = False,
) -> int:
    """Prints the catalog, or one entry of it."""
    entries = sg.catalog()
    unknown = next((word for word in name or () if word not in entries), None)
    if unknown is not None:
        raise UsageError(f"the catalog has no function named {unknown!r}", hint=resembling(unknown, entries))
    chosen = [entries[word] for word in name or entries]
    ink = Ink.of(sys.stdout)
    if as_json:
        documents = [report.entry_document(entry) for entry in chosen]
        _print([_json({"schema": SCHEMA, "catalog": documents})])
    elif name:
        _print(line for entry in chosen for line in report.entry(entry, ink))
    else:
        _print(report.catalog(chosen, ink))
    return OK


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["explain"])
def explain(
    rule: Annotated[
        list[str] | None, typer.Argument(metavar="RULE", help="A rule, as in the last column of a derivation.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Explains a rule, or lists all."""
    from symgrad.practice import explain as explained
    from symgrad.practice import explained as every

    from . import practice

    ink = Ink.of(sys.stdout)
    if rule:
        found = explained(" ".join(rule))
        _print([_json({"schema": SCHEMA} | found.to_dict())] if as_json else practice.explanation(found, ink))
    elif as_json:
        _print([_json({"schema": SCHEMA, "rules": [one.to_dict() for one in every()]})])
    else:
        _print(practice.rules(ink))
    return OK


@app.command(cls=FormulaCommand, context_settings=HELP_OPTIONS, help=HELP["quiz"])
def quiz(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="A function of the catalog.", autocompletion=_names)
    ] = None,
    wrt: Annotated[str | None, typer.Option("--wrt", metavar="NAME", help="The variable to differentiate by.")] = None,
    seed: Annotated[str | None, typer.Option("--seed", metavar="N", help="Which question. Default: any.")] = None,
    as_json: Json = False,
) -> int:
    """Poses a question, and reviews the answers on standard input."""
    from . import practice

    if name and len(name) > 1:
        raise UsageError("one function is asked for at a time", hint="symgrad catalog lists them")
    asked = practice.pose(name[0] if name else None, wrt, None if seed is None else natural("--seed", seed, 0))
    if as_json:
        for _ in practice.hold(asked, practice.answers(), Ink(coloured=False)):
            pass
        _print([_json({"schema": SCHEMA} | asked.to_dict())])
    else:
        for line in practice.hold(asked, practice.answers(), Ink.of(sys.stdout)):
            _print([line])
    return {"unanswered": OK, "unreadable": UNREADABLE}.get(asked.verdict, EXIT_CODES.get(asked.verdict, OK))


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> int:
    if version:
        _print([f"symgrad {sg.__version__}"])
    return OK


# --- answering ------------------------------------------------------------------------------------------------------


def _options(
    shape: list[str] | None, assume: list[str] | None, order: str | None, layout: str | None, syntax: str | None
) -> dict[str, Any]:
    return {
        "shapes": ", ".join(shape) if shape else None,
        "assume": ", ".join(assume) if assume else None,
        "order": natural("--order", order, 1),
        "layout": one_of("--layout", layout, LAYOUTS),
        "syntax": one_of("--syntax", syntax, SYNTAXES),
    }


def _single(names: list[str] | None) -> str | list[str] | None:
    return names[0] if names and len(names) == 1 else names


def _by_variable(found: Any) -> dict[str, Any]:
    """Answers by variable, also where there is one only."""
    return dict(found) if isinstance(found, Mapping) else {found.wrt: found}


def _gravest(codes: Sequence[int]) -> int:
    return next(code for code in GRAVITY if code in codes)


#: The document for JSON, the lines for a reader, and the exit code.
Answer = tuple[Mapping[str, Any], Callable[[Ink], Iterable[str]], int]


def _answers(formulas: Sequence[str] | None, as_json: bool, answer: Callable[[str], Answer]) -> int:
    """Answers every formula; with JSON an unreadable one does not keep the others from theirs."""
    codes = []
    for source in read(formulas, several=as_json):
        try:
            document, lines, code = answer(source)
        except SymgradError as error:
            if not as_json:
                raise
            document, lines, code = _error_document(error), lambda _: (), _exit_code(error)
        _print([_json(document)] if as_json else lines(Ink.of(sys.stdout)))
        codes.append(code)
    return _gravest(codes)


class _UnwritableError(Exception):
    """The answer could not be written."""


def _print(lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever was reading has read enough; the exit code still tells the verdict
        silence_stdout()
    except OSError as error:
        silence_stdout()
        raise _UnwritableError(error.strerror or str(error)) from error


def _json(document: Mapping[str, Any]) -> str:
    """One line of JSON; numbers that JSON lacks (infinite, not a number) are null."""
    return json.dumps(_plain(document), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _error_document(error: SymgradError) -> dict[str, Any]:
    return {"schema": SCHEMA, "error": error.to_dict()}


def _exit_code(error: SymgradError) -> int:
    return UNSUPPORTED if isinstance(error, UnsupportedError) else UNREADABLE


# --- the way in and the ways out ------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    try:
        return _run(words)
    except SymgradError as error:
        return _complain(error, words)
    except TyperUsageError as error:
        return _complain(UsageError(error.format_message(), hint="symgrad --help shows what there is"), words)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("\n")
        return INTERRUPTED
    except _UnwritableError as error:
        sys.stderr.write(f"error: the answer could not be written: {error}\n")
        return WRONG
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line for the user, never a traceback
        return _apologise(error)


def _run(words: list[str]) -> int:
    group: Any = typer.main.get_command(app)
    # A subcommand is started directly: the group would import typer's validation library to read no options.
    if words and words[0] in group.commands and "_SYMGRAD_COMPLETE" not in os.environ:
        command, words, program = group.commands[words[0]], words[1:], f"symgrad {words[0]}"
    else:
        command, words, program = group, words or ["--help"], "symgrad"
    status = command.main(args=words, prog_name=program, standalone_mode=False)
    return status if isinstance(status, int) else OK


def _complain(error: SymgradError, words: Sequence[str]) -> int:
    if "--json" in words:
        _print([_json(_error_document(error))])
    else:
        sys.stderr.write("".join(f"{line}\n" for line in report.problem(error, Ink.of(sys.stderr))))
    return _exit_code(error)


def _apologise(error: Exception) -> int:
    if os.environ.get("SYMGRAD_DEBUG"):
        import traceback

        traceback.print_exception(error)
    what = "there is not enough memory for this" if isinstance(error, MemoryError) else "symgrad failed unexpectedly"
    sys.stderr.write(
        f"error: {what} ({type(error).__name__}). Please report it with the command; SYMGRAD_DEBUG=1 shows where.\n"
    )
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
