"""What the commands print: derivations, verdicts, the catalog and errors, as lines of text.

Contract: every answer begins with how the input was read and which shapes were guessed.  Formulas are printed as the
library prints them, never re-read and never marked up.  These functions compute nothing about mathematics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symgrad.errors import InputError, SymgradError, printable
from symgrad.notation.names import to_text as spelled

from .terminal import Cell, Ink, columns, pad, table

if TYPE_CHECKING:
    from symgrad import Derivation, Expr
    from symgrad.catalog import Entry
    from symgrad.review import DerivationReport, Line
    from symgrad.verify import Report

INDENT = "  "
#: Verdict -> (mark, style); the verdicts of `check`.
MARKS = {"correct": ("✓", "good"), "wrong": ("✗", "bad"), "undecided": ("?", "warn")}
GUESS_RULE = "capital = matrix, small = vector"
#: An example in a counterexample is printed in full up to this many characters.
MAX_VALUE = 200


def space(shape: Sequence[object]) -> str:
    """`ℝ`, `ℝ^n`, `ℝ^(m×n)`."""
    if not shape:
        return "ℝ"
    dims = "×".join(map(str, shape))
    return f"ℝ^{dims}" if len(shape) == 1 else f"ℝ^({dims})"


def declaration(variables: Mapping[str, Any]) -> str:
    """The shapes as `--shape` takes them: `W: m n, x: n`."""
    return ", ".join(f"{spelled(name)}: {' '.join(map(str, v.shape))}".rstrip() for name, v in variables.items())


def reading(function: Expr, ink: Ink) -> Iterator[str]:
    """How the input was read, and what was guessed."""
    name = spelled(function.name)
    yield f"{INDENT}{ink('dim', 'read as')}  {name} = {function.text}"
    for note in function.notes:
        yield f"{INDENT}{ink('dim', 'note')}     {printable(note)}"
    members = [_membership(symbol, v) for symbol, v in function.variables.items()]
    members.append(f"{name} ∈ {space(function.shape)}")
    guessed = {symbol: v for symbol, v in function.variables.items() if v.guessed and v.shape}
    remark = ""
    if guessed:
        names = "" if len(guessed) == len(function.variables) else ", ".join(map(spelled, guessed)) + " "
        remark = f'({names}guessed: {GUESS_RULE}; change with --shape "{declaration(function.variables)}")'
    yield from _flow(f"{INDENT}{ink('dim', 'shapes')}   ", 11, members, remark, ink)


def _membership(name: str, variable: Any) -> str:
    name = spelled(name)
    assumed = "".join(f" {word.replace('_', ' ')}" for word in sorted(variable.assumptions))
    return f"{name}{assumed}" if "label" in variable.assumptions else f"{name} ∈ {space(variable.shape)}{assumed}"


def _flow(head: str, indent: int, words: Sequence[str], remark: str, ink: Ink) -> Iterator[str]:
    """Words after a heading, wrapped between words, the remark on the same line where it fits."""
    line, used = head, indent
    for word in words:
        if used > indent and used + columns(word) > ink.width:
            yield line.rstrip()
            line, used = " " * indent, indent
        line += word + "   "
        used += columns(word) + 3
    if remark and used + 3 + columns(remark) > ink.width:
        yield line.rstrip()
        line = " " * indent
    yield (line + ink("dim", remark)).rstrip()


# --- derive ---------------------------------------------------------------------------------------------------------


def derivations(found: Mapping[str, Derivation], form: str, ink: Ink, more: str = "") -> Iterator[str]:
    """The reading, then for each variable its steps and its result."""
    function = next(iter(found.values())).function
    yield ""
    yield from reading(function, ink)
    for derivation in found.values():
        yield ""
        yield from steps(derivation, form, ink)
        yield ""
        yield result(derivation.heading[0], derivation.result, function, derivation.wrt, ink)
    if more:
        yield ""
        yield f"{INDENT}{ink('dim', 'more:')} {more}"
    yield ""


def steps(derivation: Derivation, form: str, ink: Ink) -> Iterator[str]:
    """The table of steps: number, formula, rule, and why."""
    rows: list[list[Cell]] = [[("dim", "#"), ("dim", "step"), ("dim", "rule")]]
    for line in derivation.lines(form):
        why = [("rule", line.rule), ("", line.explanation)] if line.rule else [("", line.explanation)]
        rows.append([("dim", str(line.number)), ("", line.formula_text), *why])
    return table(rows, ink)


def result(heading: str, found: Expr, function: Expr, wrt: str, ink: Ink) -> str:
    """`∇_W f  =  2 W x xᵀ        shape m×n ✓ same as W`."""
    size = "×".join(map(str, found.shape)) or "scalar"
    same = (
        ink("good", f"✓ same as {spelled(wrt)}") if tuple(found.shape) == tuple(function.variables[wrt].shape) else ""
    )
    return f"{INDENT}{ink('bold', f'{heading}  =  {found.text}')}        {ink('dim', 'shape')} {size} {same}".rstrip()


def latex(found: Mapping[str, Derivation], form: str) -> Iterator[str]:
    """The derivations as LaTeX `align*`, ready to paste; how the input was read stands above as a comment."""
    for comment in _comments(found):
        yield f"% {comment}"
    for derivation in found.values():
        yield r"\begin{align*}"
        for line in derivation.lines(form):
            why = printable(": ".join(filter(None, (line.rule, line.explanation))))
            yield f"  {_aligned(line.formula_latex)} \\\\  % {why}"
        yield f"  {derivation.heading[1]} &= {derivation.result.latex}"
        yield r"\end{align*}"


def _aligned(formula: str) -> str:
    left, equals, right = formula.partition(" = ")
    return f"{left} &= {right}" if equals else f"& {formula}"


def commented_code(found: Mapping[str, Derivation], source: str) -> str:
    """Generated code under a comment that says how the input was read."""
    return "\n".join([*(f"# {comment}" for comment in _comments(found)), "", source.rstrip()])


def _comments(found: Mapping[str, Derivation]) -> Iterator[str]:
    function = next(iter(found.values())).function
    for line in reading(function, Ink(coloured=False, width=10_000)):
        yield printable(line.strip())


# --- check ----------------------------------------------------------------------------------------------------------


def feedback(found: Iterable[Any], form: str) -> Iterator[str]:
    """What whoever did the work should hear, in a format."""
    for checked in found:
        yield getattr(checked, form)


def reports(found: Mapping[str, Report], ink: Ink) -> Iterator[str]:
    """The reading, then for each variable the gradient, every witness with its number, and the verdict."""
    function = next(iter(found.values())).function
    yield ""
    yield from reading(function, ink)
    for wrt, checked in found.items():
        yield ""
        if checked.gradient is not None:
            below, above = spelled(wrt), spelled(function.name)
            heading = f"∂{above}/∂{below}" if function.shape else f"∇_{below} {above}"
            yield result(heading, checked.gradient, function, wrt, ink)
        if checked.claim is not None:
            yield f"{INDENT}{ink('dim', 'claimed')}  {_claim(checked.claim)}"
        yield ""
        yield from witnesses(checked.witnesses, ink)
        for kink in checked.kinks:
            yield f"{INDENT}{ink('warn', 'kink')}  {printable(str(kink))}"
        yield ""
        yield from verdict(checked, ink)
    yield ""


def _claim(claim: Any) -> str:
    return printable(str(getattr(claim, "text", claim)))


def witnesses(found: Sequence[Any], ink: Ink) -> Iterator[str]:
    """`✓ central differences   max rel. error 2.3e-11   12 points   note`."""
    rows = []
    for w in found:
        error = "no number" if w.max_relative_error is None else f"max rel. error {w.max_relative_error:.1e}"
        rows.append((w.agrees, w.name, error, f"{w.points} points", printable(w.note)))
    widths = [max((columns(row[i]) for row in rows), default=0) for i in range(1, 4)]
    for agrees, name, error, points, note in rows:
        mark, style = MARKS["correct" if agrees else "undecided" if agrees is None else "wrong"]
        cells = f"{pad(name, widths[0])}   {pad(error, widths[1])}   "
        detail = ink("dim", f"{pad(points, widths[2])}   {note}".rstrip())
        yield f"{INDENT}{ink(style, mark)} {cells}{detail}".rstrip()


def verdict(checked: Report, ink: Ink) -> Iterator[str]:
    """The verdict, what it rests on, the counterexample and the likely slip."""
    mark, style = MARKS[checked.verdict]
    certainty = f" ({checked.certainty})" if checked.certainty else ""
    reason = f"   {printable(checked.reason)}" if checked.reason else ""
    yield f"{INDENT}{ink(style, f'{mark} {checked.verdict}{certainty}')}{reason}"
    if checked.counterexample is not None:
        yield from counterexample(checked.counterexample, ink)
    for finding in checked.diagnosis:
        told = str(finding.evidence) in checked.reason
        evidence = "" if told else f"  ({printable(str(finding.evidence))})"
        yield f"{INDENT}{ink('warn', 'likely slip')}  {printable(finding.message)}{ink('dim', evidence)}"


def counterexample(example: Any, ink: Ink) -> Iterator[str]:
    """Where the claim fails: the values of the variables, the entry, and both numbers."""
    for name, value in example.variables.items():
        yield f"{INDENT}  {ink('dim', 'at')} {spelled(name)} = {_short(value)}"
    entry = f"entry ({', '.join(str(i + 1) for i in example.index)})" if example.index else "the value"
    yield f"{INDENT}  {entry} is {_short(example.expected)}, and the claim gives {_short(example.claimed)}"


def _short(value: Any) -> str:
    """A number to six digits, an array as nested lists, cut where it is long."""
    text = _digits(value.tolist() if hasattr(value, "tolist") else value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "..."


def _digits(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_digits, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


# --- written derivations --------------------------------------------------------------------------------------------


def review(name: str, found: DerivationReport, ink: Ink) -> Iterator[str]:
    """Each line that is wrong or undecided, or worth a note, as a compiler prints errors, and the count of all."""
    for line in found.lines:
        if line.verdict in {"wrong", "undecided"} or (line.verdict == "definition" and line.reason):
            yield from _remark(name, found.source, line, ink)
    style = MARKS[found.verdict][1]
    first = f"; first wrong: line {found.first_wrong_line}" if found.first_wrong_line else ""
    yield f"{name}: {ink(style, found.verdict)}: {found.reason}{first}"


def _remark(name: str, source: str, line: Line, ink: Ink) -> Iterator[str]:
    """`notes.tex:4:12: wrong: ...`, the line with a caret under the place, and the reasons."""
    word = "carried" if line.carried else line.verdict
    word, style = ("note", "dim") if line.verdict == "definition" else (word, MARKS[line.verdict][1])
    style = "warn" if line.carried else style
    yield f"{name}:{line.number}:{line.column}: {ink(style, word)}: {printable(line.reason)}"
    place = InputError("", source=source, offset=line.offset, end=line.end)
    text, _, caret = place.excerpt(max(20, ink.width - 4)).rpartition("\n")
    yield f"{INDENT}{INDENT}{text}"
    yield f"{INDENT}{INDENT}{ink(style, caret)}"
    if line.counterexample is not None and not line.carried:
        yield from _disagreement(line.counterexample, ink)
    for finding in line.diagnosis:
        label = "because" if finding.code == "carried" else "likely slip"
        told = finding.evidence in line.reason
        evidence = "" if told else f"  ({printable(finding.evidence)})"
        yield f"{INDENT}{ink('warn', label)}  {printable(finding.message)}{ink('dim', evidence)}"
    yield ""


def _disagreement(example: Any, ink: Ink) -> Iterator[str]:
    """The values of the variables, the entry, and what stands on either side."""
    for name, value in example.variables.items():
        yield f"{INDENT}  {ink('dim', 'at')} {spelled(name)} = {_short(value)}"
    entry = f"entry ({', '.join(str(i + 1) for i in example.index)})" if example.index else "the value"
    yield f"{INDENT}  {entry} is {_short(example.expected)}, and here it is {_short(example.claimed)}"


# --- catalog --------------------------------------------------------------------------------------------------------


def catalog(entries: Iterable[Entry], ink: Ink) -> Iterator[str]:
    """One line an entry: name, title, source."""
    head = [("dim", "name"), ("dim", "function"), ("dim", "source")]
    return table([head, *([("bold", e.name), ("", e.title), ("dim", e.source)] for e in entries)], ink)


def entry(found: Entry, ink: Ink) -> Iterator[str]:
    """Everything the catalog knows of one function."""
    rows = [("title", found.title), ("text", found.text), ("latex", found.latex), ("shapes", found.shapes)]
    rows += [("assume", found.assume), ("source", found.source)]
    rows += [(f"∂/∂{name}", gradient) for name, gradient in found.gradients.items()]
    yield ""
    yield f"{INDENT}{ink('bold', found.name)}"
    for key, value in rows:
        if value:
            yield f"{INDENT}{ink('dim', pad(key, 8))} {value}"
    wrt = next((f" --wrt {name}" for name in found.gradients), "")
    yield f"{INDENT}{ink('dim', pad('try', 8))} symgrad derive {found.name}{wrt}"
    yield ""


def entry_document(found: Entry) -> dict[str, Any]:
    """An entry of the catalog for JSON."""
    fields = ("name", "title", "text", "latex", "source", "shapes", "assume")
    return {field: getattr(found, field) for field in fields} | {"gradients": dict(found.gradients)}


# --- errors ---------------------------------------------------------------------------------------------------------


def problem(error: SymgradError, ink: Ink) -> Iterator[str]:
    """The message, the line with a caret under the place, and the hint."""
    place = ""
    if isinstance(error, InputError) and error.source:
        several = "\n" in error.source.strip()
        place = f" (line {error.line}, column {error.column})" if several else f" (column {error.column})"
    yield ""
    yield f"{INDENT}{ink('bad', 'error:')} {printable(error.message)}{place}"
    if isinstance(error, InputError) and error.source:
        line, _, caret = error.excerpt(max(20, ink.width - 4)).rpartition("\n")
        yield ""
        yield f"{INDENT}{INDENT}{line}"
        yield f"{INDENT}{INDENT}{ink('bad', caret)}"
    if error.hint:
        yield f"{INDENT}{INDENT}{ink('rule', 'hint:')} {printable(error.hint)}"
    yield ""
