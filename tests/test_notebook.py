"""What notebooks show: typeset mathematics, pictures and tables, safe wherever the text came from; and the lesson runs."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad.notebook import code, picture, table
from symgrad.verify.feedback import markdown_code
from tests.conftest import ROOT

LESSON = ROOT / "examples" / "lesson.ipynb"
POINT = "W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4]"
SHOWN = {
    "a function": lambda: sg.parse("||W x||^2"),
    "a derivation": lambda: sg.derive("||W x||^2", wrt="W"),
    "a hint": lambda: sg.derive("||W x||^2", wrt="W").hint(2),
    "a drawing": lambda: sg.draw("||W x||^2", at=POINT),
    "a trace": lambda: sg.trace("||W x||^2", at=POINT),
    "a trace of a vector": lambda: sg.trace("W x", at=POINT),
    "a review": lambda: sg.check_derivation("q = W x\nf = ||q||^2\n∂f/∂W = q x^T", shapes="W: m n, x: n"),
    "a report": lambda: sg.check("a x", wrt="x", claim="2 a"),
}


class Tags(HTMLParser):
    """The tags and attributes of some HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_a_display_has_text_and_one_rich_form(make: Any) -> None:
    shown = make()._repr_mimebundle_(include=None, exclude=None)
    assert shown["text/plain"]
    (rich,) = set(shown) - {"text/plain"}
    assert rich in {"text/latex", "text/markdown", "text/html"}
    assert {tag for tag, _ in Tags(shown[rich]).found} <= {"img", "code"}
    assert "<math" not in shown[rich]
    if rich == "text/latex":
        assert (shown[rich][0], shown[rich][-1]) == ("$", "$")


def test_a_drawing_is_an_image_with_its_description() -> None:
    drawn = sg.draw("||W x||^2", at=POINT)
    ((tag, attributes),) = Tags(drawn._repr_mimebundle_()["text/html"]).found
    assert tag == "img"
    head, _, data = str(attributes["src"]).partition(",")
    assert head == "data:image/svg+xml;base64"
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
    assert drawn.description in str(attributes["alt"])


HOSTILE = '<script>alert(1)</script> $x$ | **b** `c` [l](javascript:1) "&'


def test_foreign_text_is_only_text() -> None:
    """Neither HTML, Markdown, a table nor mathematics is read in it."""
    shown = code(HOSTILE)
    assert not set(re.sub(r"&#\d+;", "", shown.removeprefix("<code>").removesuffix("</code>"))) & set('<>$|*`[]()"&')
    assert [tag for tag, _ in Tags(shown).found] == ["code"]
    assert table(["a"], [[shown]]).count("|") == 6
    ((_, attributes),) = Tags(picture("<svg/>", HOSTILE)).found
    assert attributes["alt"] == HOSTILE


def test_a_claim_cannot_mark_up_the_report() -> None:
    report = sg.check("a x", wrt="x", claim="2 a")
    shown = report._repr_mimebundle_()["text/markdown"]
    assert markdown_code("2 a") in shown
    assert "wrong" in shown
    assert shown == report.markdown


def lesson() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LESSON.read_text("utf-8"))
    return found


def test_the_lesson_is_kept_without_outputs() -> None:
    for cell in lesson()["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
def test_the_lesson_runs() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    book = nbformat.read(LESSON, as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(LESSON.parent)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"text/latex", "text/markdown", "text/html"} <= kinds
    assert not any(output.output_type == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    text = "".join(output.get("text", "") for output in outputs)
    assert "def backward(self, df=1.0):" in text
