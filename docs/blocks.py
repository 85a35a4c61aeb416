"""The fenced blocks of a page, by the word behind the fence: sessions, programs, formulas, derivations, graphs, tables.

Contract: `BLOCKS[kind](text, about)` is the HTML of one block.  What shows mathematics shows what symgrad computes from
the text of the block while the site is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import symgrad as sg
from docs.tables import TABLES, table
from symgrad.derivation import Line
from symgrad.notation.mathml import to_mathml
from symgrad.notation.parser import parse_tree
from symgrad.simplify.trees import to_tree

#: Pictures wider than this, in pixels, would be too small in a column of text.
BROADEST = 1000


def _preformatted(kind: str) -> Callable[[str, str], str]:
    def block(text: str, about: str) -> str:
        return f'<pre class="{kind}" tabindex="0"><code>{escape(text, quote=False)}</code></pre>'

    return block


def _console(text: str, about: str) -> str:
    """A session: what is typed stands out, and verdicts have their colour."""
    shown = escape(text, quote=False)
    shown = re.sub(r"^\$ (.*)$", r'<span class="prompt">$</span> <b>\1</b>', shown, flags=re.MULTILINE)
    shown = re.sub(r"✓", '<span class="right">✓</span>', shown)
    shown = re.sub(r"✗( wrong)?", r'<span class="wrong">✗\1</span>', shown)
    return f'<pre class="console" tabindex="0"><code>{shown}</code></pre>'


def _formula(text: str, about: str) -> str:
    """Every line is one displayed formula."""
    return "".join(f'<p class="formula">{to_mathml(parse_tree(line).tree)}</p>' for line in text.splitlines())


def _options(text: str) -> tuple[str, dict[str, str]]:
    """The formula in the first line, and `name: value` in the others."""
    formula, *more = text.strip().splitlines()
    return formula, {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in more)}


def _derivation(text: str, about: str) -> str:
    """The steps to a gradient, each with its rule; `about` is the form."""
    formula, options = _options(text)
    found = sg.derive(formula, **options)  # type: ignore[arg-type]
    rows = "".join(_step(line) for line in found.lines(about or "matrix"))
    caption = f"<figcaption>{found.mathml}<p>{escape(found.shape_note)}</p></figcaption>"
    return f'<figure class="derivation"><ol>{rows}</ol>{caption}</figure>'


def _step(line: Line) -> str:
    why = f"<b>{escape(line.rule.replace('_', ' '))}</b> <span>{escape(line.explanation)}</span>"
    return f'<li><div class="step">{line.formula_mathml}</div><div class="why">{why}</div></li>'


def _graph(text: str, about: str) -> str:
    """A computational graph, from left to right where there is room, else from top to bottom."""
    formula, options = _options(text)
    e = sg.parse(formula, assume=options.pop("assume", None))
    broad, narrow = (sg.draw(e, down=down, **options) for down in (False, True))  # type: ignore[arg-type]
    if broad.picture.width > BROADEST:
        broad = narrow
    caption = f"<figcaption><code>{escape(formula)}</code></figcaption>"
    drawn = "".join(
        f'<div class="{kind}" tabindex="0" style="--natural: {graph.picture.width:.0f}px">{graph.svg()}</div>'
        for kind, graph in (("broad", broad), ("narrow", narrow))
    )
    return f'<figure class="graph">{drawn}{caption}</figure>'


def _read(text: str, about: str) -> str:
    """How every line is read: typeset, and in words."""
    rows = []
    for line in text.strip().splitlines():
        source, _, options = line.partition("  |  ")
        e = sg.parse(source, **dict([options.split(": ", 1)]) if options else {})
        written = f"<code>{escape(source)}</code>" + (f"<br><small>{escape(options)}</small>" if options else "")
        rows.append((written, to_mathml(to_tree(e.node), display=False), escape(e.speech)))
    return table(("written", "read as", "said"), rows)


BLOCKS: dict[str, Callable[[str, str], str]] = {
    **{kind: _preformatted(kind) for kind in ("sh", "text", "python", "output")},
    "console": _console,
    "formula": _formula,
    "derivation": _derivation,
    "graph": _graph,
    "read": _read,
    "table": lambda text, about: TABLES[about](),
}
