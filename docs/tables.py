"""The tables of the documentation that are generated from the library's own: `TABLES[name]()` is HTML."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from html import escape
from typing import Any

import typer

import symgrad as sg
from symgrad import errors
from symgrad.expr import call, variable
from symgrad.notation.abbreviations import ABBREVIATIONS
from symgrad.notation.mathml import to_mathml
from symgrad.notation.parser import parse_tree
from symgrad.notation.syntax import Tree, fold
from symgrad.notation.tokens import FORMS
from symgrad.ops import OPERATIONS, Operation, Rule
from symgrad.shapes import ASSUMPTIONS, SQUARE
from symgrad.simplify.trees import to_tree
from symgrad_cli import app


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls by itself where it is too wide, its cells below each other on a phone; cells are HTML."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide{" stack" * (len(heads) > 2)}" tabindex="0" role="region" aria-label="table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def math(source: str, changes: Collection[str] = ()) -> str:
    """A formula of the library's own tables, typeset, before what it defines; `dx` is a change of one of `changes`."""

    def told(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "name" and str(node.value)[1:] in changes and str(node.value)[0] == "d":
            return Tree("change", (Tree("name", (), str(node.value)[1:]),))
        return Tree(node.head, tuple(args), node.value)

    tree = fold(parse_tree(source).tree, told)
    *definitions, formula = tree.args if tree.head == "block" else (tree,)
    where = ", ".join(to_mathml(part, display=False) for part in definitions)
    return to_mathml(formula, display=False) + (f" where {where}" if where else "")


def codes(words: Iterable[str]) -> str:
    return " ".join(f"<code>{escape(word)}</code>" for word in words)


# --- operations -------------------------------------------------------------------------------------------------------


def _applied(op: Operation) -> str:
    """The operation as it is printed, of arguments with the names that its rules use."""
    shapes: Iterable[tuple[str, ...]] = [()] * len(op.args) if op.entrywise else op.axes()[0]
    node = call(op, [variable(arg, shape) for arg, shape in zip(op.args, shapes, strict=True)], op.params)
    return to_mathml(to_tree(node), display=False)


_KINDS = {"fixed": "constant where it is smooth", "unknown": "none: a derivative that needs it is refused"}


def _rule(op: Operation, arg: str, rule: Rule) -> str:
    f, x = Tree("name", (), "f"), Tree("name", (), arg)
    by = f"by {to_mathml(x, display=False)}: " if len(op.args) > 1 and rule.kind not in ("partial", "adjoint") else ""
    if rule.kind in _KINDS:
        return by + _KINDS[rule.kind]
    left = {
        "partial": Tree("derivative", (f, x), 1),
        "differential": Tree("change", (f,)),
        "adjoint": Tree("nabla", (f, x), 1),
    }[rule.kind]
    return f"{by}{to_mathml(left, display=False)} = {math(rule.formula, op.args)}"


def _operation(op: Operation) -> Iterator[str]:
    yield _applied(op)
    yield "".join(
        f'<div class="rule">{_rule(op, arg, rule)}</div>' for arg, rule in zip(op.args, op.rules, strict=True)
    )
    kinks = ", ".join(f"{math(kink)} = 0" for kink in op.kinks)
    yield f"{escape(op.source)}" + (f"<br>kink where {kinks}" if kinks else "")


def operations(kind: Callable[[Operation], bool]) -> str:
    rows = (tuple(_operation(op)) for op in OPERATIONS.values() if op.args and kind(op))
    return table((f"function {math('f')}", "derivative", "source"), rows)


def spellings() -> str:
    """Every function that a formula may call, with its other names."""
    rows = [
        (codes(op.text), codes("\\" + word for word in op.latex), _sized(op))
        for op in OPERATIONS.values()
        if op.args and op.text
    ]
    return table(("text", "LaTeX", "takes and gives"), sorted(rows))


def _sized(op: Operation) -> str:
    if op.entrywise:
        return "entry by entry"
    inputs, output = op.axes()
    words = [_shaped(axes) for axes in inputs]
    return f"{' and '.join(words) or 'nothing'} to {_shaped(output)}"


def _shaped(axes: tuple[str, ...]) -> str:
    return {0: "scalar", 1: f"vector {''.join(axes)}"}.get(len(axes), f"matrix {'×'.join(axes)}")


def assumptions() -> str:
    return f"<p>{codes(sorted(SQUARE))} · {codes(sorted(ASSUMPTIONS - SQUARE))}</p>"


def forms() -> str:
    """What is read as sums and products of others."""
    return f"<p>{' '.join(codes(spelled) for name, spelled in sorted(FORMS.items()) if name not in ABBREVIATIONS)}</p>"


def abbreviations() -> str:
    rows = []
    for name, (others, definition) in ABBREVIATIONS.items():
        parameters, _, formula = definition.partition(":")
        rows.append((f"{codes([f'{name}({parameters})'])} {codes(others)}", math(formula)))
    return table(("written", "is short for"), rows)


def catalog() -> str:
    entries = sg.catalog().values()
    rows = (
        (f"<code>{e.name}</code><br>{escape(e.title)}", f'<div class="rule">{math(e.text)}</div>', escape(e.source))
        for e in entries
    )
    return table(("name", "function", "source"), rows)


# --- the command line -------------------------------------------------------------------------------------------------


def _commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app.app)
    return dict(group.commands)


def commands() -> str:
    rows = ((f"<code>symgrad {name}</code>", escape(str(c.help).partition("\n")[0])) for name, c in _commands().items())
    return table(("command", "does"), rows)


def options() -> str:
    """Every option, with the commands that take it."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for name, command in _commands().items():
        for option in command.params:
            if option.param_type_name == "option" and option.opts[0].startswith("--"):
                shown = option.opts[0] + (f" {option.metavar}" if option.metavar else "")
                found.setdefault(shown, (shown, str(option.help or ""), []))[2].append(name)
    every = len(_commands())
    rows = (
        (f"<code>{escape(shown)}</code>", escape(words), "all" if len(of) == every else ", ".join(of))
        for shown, words, of in found.values()
    )
    return table(("option", "means", "of"), rows)


EXITS = {
    app.OK: "right, or derived",
    app.WRONG: "wrong; also: the answer could not be written",
    app.UNREADABLE: "the input cannot be read, or the usage is bad",
    app.UNSUPPORTED: "readable, but no rule covers it yet",
    app.UNDECIDED: "undecided, and the reason is printed",
    app.INTERNAL: "a bug in symgrad: please report it; SYMGRAD_DEBUG=1 shows the traceback",
    app.INTERRUPTED: "interrupted",
}


def exits() -> str:
    return table(("code", "means"), ((str(code), escape(words)) for code, words in EXITS.items()))


def problems() -> str:
    """Every error that is raised on purpose."""
    classes = (kind for kind in vars(errors).values() if isinstance(kind, type))
    rows = (
        (codes((kind.__name__, kind.kind, kind.code)), escape(str(kind.__doc__).strip()))
        for kind in classes
        if issubclass(kind, errors.SymgradError)
    )
    return table(("class, kind in JSON, usual code", "raised for"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "entrywise": lambda: operations(lambda op: op.entrywise),
    "arrays": lambda: operations(lambda op: not op.entrywise),
    "spellings": spellings,
    "forms": forms,
    "assumptions": assumptions,
    "abbreviations": abbreviations,
    "catalog": catalog,
    "commands": commands,
    "options": options,
    "exits": exits,
    "errors": problems,
}
