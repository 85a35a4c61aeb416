"""Feedback on somebody's work, worth sending: one sequence of parts, written as text, Markdown or LaTeX.

Contract: a part says what it is (`ROLES`), and holds words, or what a student wrote; nothing in it is markup, and each
format escapes it, so that no input can write into the document.  `FORMATS` is the table of formats.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.errors import printable
from symgrad.notebook import Bundle, bundle

#: What a part is: the verdict on all of it, one line of it, what was written, why, a number, a mistake.
ROLES = ("verdict", "line", "written", "reason", "example", "finding")
MAX_VALUE = 200


@dataclass(frozen=True, slots=True)
class Part:
    role: str
    words: str


@dataclass(frozen=True, slots=True)
class Format:
    """How words are escaped, and how a part of each role is set."""

    escape: Callable[[str], str]
    verbatim: Callable[[str], str]
    roles: Mapping[str, str]
    before: str = ""
    after: str = ""


def written(parts: Iterable[Part], kind: str) -> str:
    """The parts in one of `FORMATS`."""
    style = FORMATS[kind]
    lines = [
        style.roles[part.role].format((style.verbatim if part.role == "written" else style.escape)(part.words))
        for part in parts
    ]
    return "\n".join([*filter(None, [style.before]), *lines, *filter(None, [style.after])])


class Told:
    """What has feedback is told as text, Markdown or LaTeX, and shown by a notebook."""

    @property
    def feedback(self) -> Sequence[Part]:
        raise NotImplementedError

    @property
    def text(self) -> str:
        return written(self.feedback, "text")

    @property
    def markdown(self) -> str:
        return written(self.feedback, "markdown")

    @property
    def latex(self) -> str:
        return written(self.feedback, "latex")

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(str(self), markdown=self.markdown)


def example_words(example: Any) -> str:
    """`at x = [1, 2] entry (1) is 3, and 4 is claimed`."""
    at = ", ".join(f"{name} = {_short(value)}" for name, value in example.variables.items())
    entry = f"entry ({', '.join(str(i + 1) for i in example.index)})" if example.index else "the value"
    return f"at {at}: {entry} is {_short(example.expected)}, and {_short(example.claimed)} is claimed"


def finding_words(findings: Sequence[Any]) -> Iterable[Part]:
    for finding in findings:
        evidence = f" ({finding.evidence})" if finding.evidence else ""
        yield Part("finding", f"{finding.message}{evidence}")


def _short(value: Any) -> str:
    text = _digits(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "..."


def _digits(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_digits, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown(words: str) -> str:
    r"""Words that Markdown prints as they are.

    >>> markdown("2*x <b>_i_</b>")
    '2\\*x &lt;b&gt;\\_i\\_&lt;/b&gt;'
    """
    plain = printable(" ".join(words.split()))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = re.sub(r"([\\`*_{}\[\]#!|~$^])", r"\\\1", plain)
    return re.sub(r"^([-+=]|\d+(?=[.)]))", lambda begin: f"<!-- -->{begin.group()}", plain)


def markdown_code(source: str) -> str:
    """A span of code that no run of backticks in it can end."""
    plain = printable(" ".join(source.split()))
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{space}{plain}{space}{fence}"


# --- LaTeX ------------------------------------------------------------------------------------------------------------

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\textasciigrave{}",
}  # fmt: skip
#: Characters of printed formulas beyond ASCII, as commands of mathematics.
SYMBOLS = {
    "∇": r"\nabla", "∂": r"\partial", "‖": r"\|", "⊙": r"\odot", "⊗": r"\otimes", "∑": r"\sum", "∏": r"\prod",
    "∈": r"\in", "×": r"\times", "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "→": r"\to", "∞": r"\infty",
    "ᵀ": r"^{\top}", "⁻": "^{-}", "⁰": "^0", "¹": "^1", "²": "^2", "³": "^3", "⁴": "^4", "√": r"\surd",
    "ℝ": r"\mathbf{R}", "−": "-", "½": r"\frac{1}{2}", "…": r"\ldots", "σ": r"\sigma",
}  # fmt: skip


def latex(words: str) -> str:
    r"""Words that LaTeX prints as they are, in ASCII; a character that it has no command for is its code point.

    >>> latex("100% of \\input{x}, λ ≥ 0")
    '100\\% of \\textbackslash{}input\\{x\\}, \\ensuremath{\\lambda} \\ensuremath{\\geq} 0'
    """
    return "".join(map(_latex_character, printable(" ".join(words.split())))).replace("--", "-{}-")


def _latex_character(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if character.isascii():
        return character
    if character in SYMBOLS:
        return rf"\ensuremath{{{SYMBOLS[character]}}}"
    script, _, letter = unicodedata.name(character, "").partition(" LETTER ")
    if script.startswith("GREEK ") and letter.isalpha() and letter != "OMICRON":
        name = letter.lower().replace("lamda", "lambda")
        capital = {"gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"}
        if script == "GREEK SMALL" or name in capital:
            return rf"\ensuremath{{\{name if script == 'GREEK SMALL' else name.capitalize()}}}"
    return rf"\texttt{{U+{ord(character):04X}}}"


FORMATS: dict[str, Format] = {
    "text": Format(
        printable, printable,
        {
            "verdict": "{}", "line": "  {}", "written": "    {}", "reason": "    {}", "example": "    {}",
            "finding": "    likely slip: {}",
        },
    ),
    "markdown": Format(
        markdown, markdown_code,
        {
            "verdict": "**{}**\n", "line": "- {}", "written": "  {}", "reason": "  - {}", "example": "  - {}",
            "finding": "  - *likely slip:* {}",
        },
    ),
    "latex": Format(
        latex, lambda source: rf"\texttt{{{latex(source)}}}",
        {
            "verdict": r"\item[] \textbf{{{}}}", "line": r"\item{{}} {}", "written": r"\newline {}",
            "reason": r"\newline {}", "example": r"\newline {}", "finding": r"\newline \emph{{likely slip:}} {}",
        },
        r"\begin{itemize}", r"\end{itemize}",
    ),
}  # fmt: skip
