"""README and the documentation: every example says what is true, and the site is built of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from docs import build
from symgrad.ops import OPERATIONS
from tests import pages
from tests.conftest import Outcome
from tests.pages import Shown

#: Every command once, with the places that show it.
SESSIONS: dict[str, list[Shown]] = {}
for _shown in (shown for page in pages.PAGES for shown in pages.sessions(page)):
    SESSIONS.setdefault(_shown.source, []).append(_shown)


@pytest.mark.parametrize("places", SESSIONS.values(), ids=SESSIONS)
def test_sessions(cli: Callable[..., Outcome], places: list[Shown]) -> None:
    found = pages.said(places[0], cli)
    for shown in places:
        pages.agree(shown, found)


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.stem)
def test_programs(page: Path) -> None:
    names: dict[str, Any] = {}
    for shown in pages.programs(page):
        found = pages.printed(shown.source, names, page)
        if shown.output is not None:
            pages.agree(shown, found)


def test_a_wrong_output_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMGRAD_UPDATE_PAGES", raising=False)
    with pytest.raises(AssertionError):
        pages.agree(Shown(Path("page.md"), "print(2)", "3\n"), "2\n")


# --- the site ---------------------------------------------------------------------------------------------------------


class Structure(HTMLParser):
    """What is open at the end, the places, the links, and what would be fetched."""

    VOID = ("meta", "link", "br", "img", "hr", "rect", "polyline", "polygon", "circle")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.places: set[str] = set()
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if found.get("id"):
            self.places.add(str(found["id"]))
        if tag == "a":
            self.links.add(str(found["href"]))
        if tag in ("script", "link", "iframe") or "src" in found:
            self.fetched.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def site() -> dict[str, str]:
    return build.site()


def test_the_site_is_whole(site: dict[str, str]) -> None:
    parsed = {name: Structure(html) for name, html in site.items()}
    assert len(parsed) == len(build.PAGES) == len(pages.PAGES) - 1
    for name, page in parsed.items():
        assert not page.open, name
        assert not page.fetched, name
        for link in page.links:
            target, _, place = link.partition("#")
            assert (target or name) in parsed, (name, link)
            assert not place or place in parsed[target or name].places, (name, link)
        assert "://" not in re.sub(r'xmlns="[^"]*"', "", site[name]), name


def test_the_rules_are_all_there(site: dict[str, str]) -> None:
    rows = site["rules.html"].count("<tr>") - 3
    assert rows >= sum(bool(op.args) for op in OPERATIONS.values())


@pytest.mark.parametrize("source", ["$x^$", "```read\nx^\n```", "```drawing\nx\n```"])
def test_what_cannot_be_read_stops_the_build(source: str) -> None:
    every = build.pages()
    wrong = every[0]._replace(source=f"# A page\n\n{source}\n")
    with pytest.raises(SystemExit, match=r"docs/index\.md"):
        build._html(wrong, [wrong])


def test_the_command_writes_files(tmp_path: Path, site: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "site", lambda: site)
    assert build.main([str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "index.html").read_text("utf-8") == site["index.html"]
    assert build.main([]) == 2
