"""The documentation as static HTML: `python -m docs.build OUT`.

Contract: one file a page, each with its styles inside; no scripts, nothing fetched from anywhere.  Between dollar
signs, and in the blocks of `docs.blocks`, stands symgrad's own language: it is read and typeset by symgrad itself, so a
page cannot show a formula, a derivation or a table that the library would not.  What cannot be read stops the build.
"""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from markdown_it import MarkdownIt

from docs.blocks import BLOCKS
from symgrad.errors import SymgradError, UsageError
from symgrad.notation.mathml import to_mathml
from symgrad.notation.parser import parse_tree

HERE = Path(__file__).parent
#: The pages in the order in which they are read.
PAGES = (
    "index", "student", "assistant", "researcher", "language", "rules", "verdicts", "command-line", "errors",
)  # fmt: skip
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Page(NamedTuple):
    """One page: its name, and its Markdown."""

    name: str
    source: str

    @property
    def headings(self) -> list[tuple[int, str]]:
        return [(len(marks), words) for marks, words in _HEADING.findall(_FENCE.sub("", self.source))]

    @property
    def title(self) -> str:
        return self.headings[0][1]


def pages() -> list[Page]:
    """All pages, in order."""
    return [Page(name, (HERE / f"{name}.md").read_text("utf-8")) for name in PAGES]


def site() -> dict[str, str]:
    """The HTML of every page, by file name."""
    every = pages()
    return {f"{page.name}.html": _html(page, every) for page in every}


def _html(page: Page, every: list[Page]) -> str:
    place = every.index(page)
    turns = [("←", other) for other in every[:place][-1:]] + [("→", other) for other in every[place + 1 :][:1]]
    try:
        body = markdown().render(page.source)
    except SymgradError as error:
        raise SystemExit(f"docs/{page.name}.md: {error}") from error
    return Template((HERE / "page.html").read_text("utf-8")).substitute(
        title=escape(page.title),
        style=(HERE / "style.css").read_text("utf-8"),
        pages="".join(_link(other, other.title, ' aria-current="page"' * (other is page)) for other in every),
        contents="".join(
            f'<li><a href="#{slug(words)}">{escape(words)}</a></li>' for level, words in page.headings if level == 2
        ),
        body=body,
        turning="".join(_link(other, f"{sign} {other.title}") for sign, other in turns),
    )


def _link(page: Page, words: str, current: str = "") -> str:
    return f'<li><a href="{page.name}.html"{current}>{escape(words)}</a></li>'


def _place(heading: str) -> str:
    return f'<li><a href="#{slug(heading)}">{escape(heading)}</a></li>'


def slug(words: str) -> str:
    """A heading as the name of a place."""
    return "-".join(re.findall(r"\w+", words.lower()))


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown() -> MarkdownIt:
    """CommonMark with tables, formulas between dollar signs, the blocks of `docs.blocks`, and named headings."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.inline.ruler.before("escape", "formula", _formula)
    for name, rule in RULES.items():
        reader.add_render_rule(name, rule)
    return reader


def _formula(state: Any, silent: bool) -> bool:
    """`$x^T A x$` is read as symgrad reads it."""
    found = re.compile(r"\$([^$]+)\$").match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = found.group(1)
    state.pos = found.end()
    return True


def _formula_html(_self: Any, tokens: Any, place: int, *_: Any) -> str:
    return to_mathml(parse_tree(tokens[place].content).tree, display=False)


def _fence(_self: Any, tokens: Any, place: int, *_: Any) -> str:
    kind, _, about = tokens[place].info.partition(" ")
    if kind not in BLOCKS:
        raise UsageError(f"a page has no blocks of kind {kind!r}", hint=f"kinds: {', '.join(BLOCKS)}")
    return BLOCKS[kind](tokens[place].content, about)


def _heading_open(_self: Any, tokens: Any, place: int, *_: Any) -> str:
    return f'<{tokens[place].tag} id="{slug(tokens[place + 1].content)}">'


def _page_link(self: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    """A link to another page of these: to its HTML."""
    address = str(tokens[place].attrs.get("href", ""))
    tokens[place].attrs["href"] = re.sub(r"^([\w-]+)\.md\b", r"\1.html", address)
    return str(self.renderToken(tokens, place, options, env))


RULES = {
    "formula": _formula_html,
    "fence": _fence,
    "heading_open": _heading_open,
    "link_open": _page_link,
    "table_open": lambda *_: '<div class="wide" tabindex="0" role="region" aria-label="table"><table>',
    "table_close": lambda *_: "</table></div>",
}


def main(words: list[str]) -> int:
    """Writes the site into the folder named by the one argument."""
    if len(words) != 1:
        sys.stderr.write("usage: python -m docs.build OUT\n")
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, html in site().items():
        (folder / name).write_text(html, "utf-8")
    sys.stdout.write(f"{len(PAGES)} pages in {folder}; begin with {folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
