"""Somebody's work: right derivations pass, broken ones are found at their line, and nothing is read past in silence."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import InputError, LimitError, UsageError
from symgrad.review.document import read_document
from tests.conftest import Outcome
from tests.derivations import RIGHT, Written
from tests.mutants import Mutant, blamed, mutants

BY_NAME = {written.name: written for written in RIGHT}


def judged(written: Written) -> sg.DerivationReport:
    return sg.check_derivation(written.text, shapes=written.shapes or None, assume=written.assume or None)


@pytest.mark.parametrize("written", RIGHT, ids=lambda w: w.name)
def test_a_right_derivation_is_right_line_by_line(written: Written) -> None:
    report = judged(written)
    assert report, str(report)
    assert report.first_wrong_line is None
    assert all(line.verdict in {"correct", "definition"} for line in report.lines)


# --- the lectures' own mistakes -------------------------------------------------------------------------------------

#: (document, first wrong line, codes of what was found there)
WRONG: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "the sign in the expanded hinge loss": (
        r"""
Let $s = W x$.
\begin{align}
  L &= \sum_{j \neq y} \max(0, s_j - s_y + 1) \\
    &= \sum_{j \neq y} \max(0, W_{j,:} x + W_{y,:} x + 1)
\end{align}""",
        5,
        (),
    ),
    "the logarithm to base 10": ("exp(-1) = 0.368\n-log(0.353) = 0.452", 2, ("log-base",)),
    "the first entry of the softmax": (r"$$ \frac{e^{-2.85}}{e^{-2.85} + e^{0.86} + e^{0.28}} = 0.016 $$", 1, ()),
    "the gradient of a bilinear form": ("f = w^T A x\n∂f/∂w = 2 A w", 2, ()),
    "the case of a condition": (
        "p_i = exp(z_i) / sum_k exp(z_k)\ndp_i/dz_j = -p_i p_j  if i != j\ndp_i/dz_j = p_i (1 - p_i)  if i != j",
        3,
        (),
    ),
    "a derivative at a place": ("f(x) = x^3\nf'(x) = 3 x^2\nf'(2) = 6", 3, ()),
    "a differential": ("f = x^T A x\ndf = 2 x^T A dx", 2, ()),
    "a new value": ("J = (w x - y)^2\nw := w - η ∂J/∂w = w - η (w x - y) x", 2, ()),
    "written with the commands of a paper": (
        r"""\newcommand{\vx}{\mathbf{x}} \newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\def\W{\mathbf{W}} \newcommand{\T}{^{\top}} % \newcommand{\T}{^{2}}
\newcommand\sq[2][2]{\norm{#2}^#1} \DeclarePairedDelimiter{\norm}{\lVert}{\rVert} \DeclareMathOperator{\softmax}{softmax}
\begin{document}
\begin{align}
  q &= \W \vx \\
  p &= \softmax(q) \\
  f &= \sq{q} = \norm*{q}^2 \\
  \pd{f}{\W} &= \pd fq \vx\T = 2 q \vx\T \\
  \pd{f}{\vx} &= \W\T q
\end{align}
\end{document}""",
        10,
        ("factor",),
    ),
    "the logarithm of a density": (
        r"""\begin{align*}
\log p(x \mid \mu) &= -\frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu) \\
\nabla_x \log p(x \mid \mu) &= -\Sigma^{-1}(x-\mu) \\
\nabla_\mu \log p(x \mid \mu) &= -\Sigma^{-1}(x-\mu)
\end{align*}""",
        4,
        ("sign",),
    ),
    "a name before what it names": (r"$$s = f(x; W) = Wx, \quad L = \|s\|^2$$ $$\nabla_W L = s x^T$$", 1, ("factor",)),
    "a second derivative": ("f = z^3\nd^2f/dz^2 = 6 z\n∂²f/∂z² = 6", 3, ()),
    "a whole number": ("σ(-10) = 0\nσ(-1) = 0", 2, ()),
    "never zero": ("f = z^2\n∂²f/∂z² = 0", 2, ()),
    "factor 2 lost": ("q = W x\nf = ||q||^2\n∂f/∂q = 2 q\n∂f/∂W = q x^T", 4, ("factor",)),
    "sign": ("L = -log(p)\n∂L/∂p = 1/p", 2, ("sign",)),
    "transposed": ("f = u^T A v\n∂f/∂A = v u^T", 2, ("transposed",)),
    "the shape of a product": (
        r"""$W_1 \in \mathbb{R}^{H\times D}$, $W_2 \in \mathbb{R}^{C\times H}$
$W_3 = W_2 W_1$
$W_3 \in \mathbb{R}^{C\times H}$""",
        3,
        ("shape",),
    ),
    "a solution that solves nothing": (
        "f = 1/2 ||X w - y||^2\n∂f/∂w = X^T (X w - y)\n∂f/∂w = 0\nw = (X^T X)^{-1} y_1 X^T y",
        4,
        (),
    ),
    "a solution does not make other lines right": (
        "f = 1/2 ||X w - y||^2\n∂f/∂w = 5 X^T (X w - y)\n∂f/∂w = 0\nw = (X^T X)^{-1} X^T y",
        2,
        ("factor",),
    ),
    "a value is not a formula": ("f = x^2\nx = 3\n∂f/∂x = x + 3", 3, ()),
    "a value put in": ("x = 3\nf = x^2\n = 10", 3, ()),
    "pi": (r"$$ \pi \approx 3.15 $$", 1, ()),
    "a term of the chain rule": ("a = sigmoid(X w)\nL = 1/2 ||a - t||^2\n∂L/∂w = X^T (a - t)", 3, ("chain",)),
    "the softmax": ("p = softmax(s)\nL = u^T p\n∂L/∂s = u .* p .* (1 - p)", 3, ("diagonal",)),
    "shapes": ("s = W x\nf = ||s||^2\n∂f/∂W = 2 x s^T", 3, ("layout",)),
    "shapes that fit nowhere": ("s = W x\nf = ||s||^2\n∂f/∂W = 2 x x^T", 3, ("shape",)),
    "in the middle of a line": (r"$$ f = \|x\|^2 = x^T x = \sum_i x_i = x^T x $$", 1, ()),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "transposed": {"shapes": "A: n n, u: n, v: n"},
    "the logarithm of a density": {"assume": "Sigma: positive_definite"},
    "the gradient of a bilinear form": {"shapes": "A: n n, w: n, x: n"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_found_at_its_line(case: str) -> None:
    document, line, codes = WRONG[case]
    report = sg.check_derivation(document, **OPTIONS.get(case, {}))
    assert report.verdict == "wrong"
    assert report.first_wrong_line == line, str(report)
    (first, *_) = [found for found in report.lines if found.verdict == "wrong"]
    assert tuple(finding.code for finding in first.diagnosis) == codes
    assert first.reason


SOFTMAX = """s = W x
L = -s_y + log(sum_j exp(s_j))
p = softmax(s)
"""
#: (document, verdicts of its last lines, which of them are carried)
#: Documents in which nothing is wrong, beyond those of `derivations`.
CORRECT = {
    "layers by number": r"""$z^{(2)} = W^{(1)} x + b^{(1)}$, $a^{(2)} = \tanh(z^{(2)})$, $J = \frac{1}{2}\|a^{(2)} - y\|_2^2$
$$\delta^{(2)} := \frac{\partial J}{\partial z^{(2)}} = (a^{(2)} - y) \odot (1 - a^{(2)} \odot a^{(2)})$$
$$\frac{\partial J}{\partial W^{(1)}} = \delta^{(2)} x^\top, \quad \frac{\partial J}{\partial b^{(1)}} = \delta^{(2)}$$""",
    "case distinctions": r"""$$f(x) = \begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}$$
$$\frac{\partial f}{\partial x} = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases} = \mathbf{1}[x > 0]$$""",
    "cases of indices": r"""$p_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$
\[ \frac{\partial p_i}{\partial s_j} = \begin{cases} p_i (1 - p_i) & i = j \\ -p_i p_j & i \neq j \end{cases} \]""",
    "a sum over examples": r"""$$L = \frac{1}{N} \sum_{i=1}^N \|W x_i - t_i\|^2$$
$$\nabla_W L = \frac{2}{N} \sum_{i=1}^N (W x_i - t_i) x_i^\top$$""",
    "a function of one's own": "g(z) = 1/(1+exp(-z))\nf = g(w^T x)\n∂f/∂w = g(w^T x) (1 - g(w^T x)) x",
    "a function that is a value": "f(x) = ||x||^2\nh = f(x)^2\n∂h/∂x = 4 f(x) x",
    "identities": r"\begin{align} (A B)^T &= B^T A^T \\ \mathrm{tr}(AB) &= \mathrm{tr}(BA) \end{align}",
    "second order": r"""$$f = \frac12 x^T A x, \quad \frac{\partial f}{\partial x} = \frac12 (A + A^T) x$$
$$\frac{\partial^2 f}{\partial x^2} = \frac12 (A + A^T)$$""",
    "an expression differentiated": r"$$\frac{\partial}{\partial W} \|W x\|^2 = 2 W x x^T$$",
    "values put in": "x = 3\nf = x^2 + 1 = 10\n∂f/∂x = 2 x = 6",
    "used before it is defined": r"$$\|q\|^2 = x^T W^T W x \quad \text{where} \quad q = W x$$",
    "a condition and its solution": r"""$f = \frac12 \|X w - y\|^2$
\begin{align}
\frac{\partial f}{\partial w} &= X^T (X w - y) = 0 \\
X^T X w &= X^T y \\
w &= (X^T X)^{-1} X^T y
\end{align}""",
    "names used again under another heading": (
        "# one\nc = 2 a\nL = c ||x||^2\n∂L/∂x = 2 c x\n# two\nL = ||W x||^2 + c\n∂L/∂x = 2 W^T W x\n# three\ns = L^2\n"
        "∂s/∂x = 4 L W^T W x"
    ),
    "rounded": r"$$\sqrt{2} \approx 1.414 \quad e = 2.718$$",
}


@pytest.mark.parametrize("case", CORRECT)
def test_other_right_derivations(case: str) -> None:
    report = sg.check_derivation(CORRECT[case])
    assert report, str(report)


def test_in_another_layout() -> None:
    document = "s = W x\nL = ||s||^2\n∂L/∂s = 2 s^T\n∂L/∂x = (∂L/∂s) (∂s/∂x)\n = 2 s^T W"
    assert sg.check_derivation(document, layout="numerator")
    assert sg.check_derivation(document).lines[2].diagnosis[0].code == "layout"


CARRIED: dict[str, tuple[str, str, str]] = {
    "through the chain rule": (
        SOFTMAX + "∂L/∂s = p\n∂L/∂W = ∂L/∂s x^T\n = p x^T\n = (p - onehot(y)) x^T",
        "wrong correct wrong correct",
        "  c ",
    ),
    "along a chain": ("f = ||x||^2\n∂f/∂x = x\n = 1/2 (x + x)\n = 3 x", "wrong wrong wrong", " c "),
    "a second mistake": (SOFTMAX + "∂L/∂s = p\n∂L/∂W = p x^T\n∂L/∂x = W^T p + x", "wrong wrong wrong", " c "),
    "through two layers": (
        "z = W x\nh = tanh(z)\nL = 1/2 ||h||^2\n∂L/∂h = 2 h\n∂L/∂z = 2 h .* (1 - h .* h)\n∂L/∂W = ∂L/∂z x^T\n"
        "  = (2 h .* (1 - h .* h)) x^T",
        "wrong wrong correct wrong",
        " c c",
    ),
}


@pytest.mark.parametrize("case", CARRIED)
def test_an_error_carried_forward_is_marked(case: str) -> None:
    document, verdicts, carried = CARRIED[case]
    lines = [line for line in sg.check_derivation(document).lines if line.verdict != "definition"]
    assert " ".join(line.verdict for line in lines) == verdicts
    assert "".join("c" if line.carried else " " for line in lines) == carried
    assert all(line.diagnosis[0].code == "carried" for line in lines if line.carried)


def test_lines_that_follow_from_a_wrong_one_earn_their_marks() -> None:
    report = sg.check_derivation(CARRIED["along a chain"][0])
    assert report.marks == (1, 3)
    assert report.to_dict()["marks"] == [1, 3]


# --- nothing is read past in silence ----------------------------------------------------------------------------------

UNDECIDED = {
    "an unknown name": ("f = ||x||^2\n∂f/∂x = 2 v", "nothing says what v is"),
    "an unknown function": ("s = W x\n∂L/∂W = ∂L/∂s x^T", "nothing says what L is"),
    "not written in terms of": ("f = ||x||^2\nq = W x\nq = W x\n∂f/∂q = q", "not written in terms of q"),
    "no mathematics": (r"$$ f = \|x\|^2 = \foo $$", "foo"),
    "three dots": (r"$$ f = x_1 + \dots + x_n $$", ""),
    "a name that needs itself": ("f = f + 1", ""),
    "an update": ("f = ||w||^2\nw = w - 1/2 ∂f/∂w", "new value"),
    "a layer or a power": (r"$$z^l = W^l x$$ $$a^l = \sigma(z^l)$$", "a power, or the z of a layer"),
    "by what": ("f = (w x - y)^2\n∇f = 2 (w x - y) x", "by what"),
    "too large": ("W ∈ R^{100000×100000}\nf = ||W x||^2\nf = ||W x||^2 + 1", "too large"),
    "a circle": ("f = g\ng = h\nh = f\n∂f/∂g = 1", ""),
    "nothing": ("There is nothing to see here.", ""),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_cannot_be_decided_is_said(case: str) -> None:
    document, words = UNDECIDED[case]
    report = sg.check_derivation(document)
    assert report.verdict == "undecided", str(report)
    assert not report
    assert words in " ".join(line.reason for line in report.lines)


def test_errors_know_their_place_in_the_document() -> None:
    report = sg.check_derivation("f = ||x||^2\n∂f/∂x = 2 v + x")
    line = report.lines[-1]
    assert (line.number, report.source[line.offset : line.end]) == (2, "v")


def test_places_are_those_of_the_source() -> None:
    source = r"\newcommand{\vx}{\mathbf{x}} $f = \|\vx\|^2$ $\frac{\partial f}{\partial \vx} = 3 \vx$"
    line = sg.check_derivation(source).lines[-1]
    assert (line.verdict, source[line.offset : line.end], line.column) == ("wrong", r"3 \vx", source.index("3") + 1)


@pytest.mark.parametrize("body", [r"\loop", r"\loop\loop", r"\other \loop"])
def test_a_command_without_end(body: str) -> None:
    with pytest.raises(LimitError, match="without end"):
        sg.check_derivation(rf"\newcommand{{\loop}}{{{body}}}\newcommand{{\other}}{{\loop}} $x = \loop$")


def test_a_definition_that_cannot_be_read() -> None:
    with pytest.raises(InputError, match=r"definition of \\vx") as raised:
        sg.check_derivation("$y = 1$\n" + r"\newcommand{\vx}{\mathbf{x}")
    assert (raised.value.line, raised.value.column) == (2, 1)


def test_a_display_that_is_not_closed() -> None:
    with pytest.raises(InputError) as raised:
        sg.check_derivation("text\n$$ f = x")
    assert (raised.value.line, raised.value.column) == (2, 1)
    with pytest.raises(UsageError):
        sg.check_derivation(3)  # type: ignore[arg-type]


HOSTILE = {
    "deep": "f = " + "(" * 5000 + "x" + ")" * 5000,
    "words": "x  (" + "a" * 5000 + "!",
    "equals": "=" * 3000,
    "rows": "$$" + "\\\\ &= " * 2000 + "$$",
    "circle": "a = b\nb = c\nc = a",
    "control": "f = \x00x\n\u202e = 3",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_documents_end_in_a_verdict_or_a_clear_error(case: str) -> None:
    try:
        assert not sg.check_derivation(HOSTILE[case])
    except InputError as error:
        assert error.message


def test_too_long() -> None:
    with pytest.raises(LimitError):
        sg.check_derivation("x" * 300_000)


# --- documents --------------------------------------------------------------------------------------------------------

#: A document, and the sides of its chains.
DOCUMENTS: dict[str, tuple[str, list[list[str]]]] = {
    "text": ("so we write this down: it = helps a lot here\nwhere a = b\n  = c   (by symmetry)\n", [["a", "b", "c"]]),
    "markdown": ("Let $a = b$.\n\n$$\nc = d\n$$\n```python\nx = 1\n```\n", [["a", "b"], ["c", "d"]]),
    "comments": ("$$ a = b % = c\n = d $$", [["a", "b", "d"]]),
    "rows": (r"\begin{align} a &= b \label{x=y} \\ &= c \nonumber \\ &\quad + d \end{align}", [["a", "b", "c + d"]]),
    "nested": (r"\[ \begin{aligned} a &= b \\ &= c \end{aligned} \]", [["a", "b", "c"]]),
    "several in a row": (
        r"$$ a = b, \qquad c = d \quad \text{with} \quad e = f $$",
        [["a", "b"], ["c", "d"], ["e", "f"]],
    ),
    "brackets": (r"$$ a = \sum_{i=1}^n \mathbf{1}[i = y] $$", [["a", r"\sum_{i=1}^n \mathbf{1}[i = y]"]]),
    "stacked": (r"$$ a \stackrel{(1)}{=} b \overset{!}{=} c $$", [["a", "b", "c"]]),
    "implications": (r"\[ a = b \implies c = d \]", [["a", "b"], ["c", "d"]]),
    "not an equation": (r"\[ a \neq b, c \leq d \]", [[r"a \neq b, c \leq d"]]),
    "body": (r"a = 1 \begin{document} $b = c$ \end{document} d = 2", [["b", "c"]]),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_equations_are_found_where_they_stand(case: str) -> None:
    source, sides = DOCUMENTS[case]
    document = read_document(source)
    found = [[" ".join(document.text(side).split()) for side in chain.sides] for chain in document.chains]
    assert found == sides
    assert len(document.clean) == len(source)
    assert [len(line) for line in document.clean.split("\n")] == [len(line) for line in source.split("\n")]


# --- mutants ----------------------------------------------------------------------------------------------------------


def sample(written: Written) -> list[Mutant]:
    return list(islice(mutants(written), 3, None, 14))


@pytest.mark.parametrize("written", RIGHT, ids=lambda w: w.name)
def test_the_broken_line_is_blamed(written: Written) -> None:
    for mutant in sample(written):
        assert blamed(mutant) == mutant.line, mutant


@pytest.mark.slow
def test_of_all_broken_lines_nearly_all_are_found_and_no_later_one_is_blamed() -> None:
    found: Counter[str] = Counter()
    for written in RIGHT:
        for mutant in mutants(written):
            line = blamed(mutant)
            found["all"] += 1
            found["found"] += line == mutant.line
            found["later"] += line is not None and line > mutant.line
    assert found["all"] >= 300
    assert found["found"] >= 0.98 * found["all"]
    assert found["later"] == 0


# --- the command line -------------------------------------------------------------------------------------------------


def test_a_file_is_reviewed_as_a_compiler_would(cli: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("Let\n$$ f = \\|x\\|^2 $$\nthen\n$$ \\nabla_x f = 3 x $$\n", "utf-8")
    outcome: Outcome = cli("check", str(notes))
    assert outcome.code == 1
    place, excerpt, caret, *rest = outcome.out.splitlines()
    assert place == f"{notes}:4:17: wrong: the two sides differ"
    assert caret.index("^") == excerpt.index("3 x")
    assert any("1.5 times" in line for line in rest)
    assert rest[-1].endswith("first wrong: line 4")


def test_a_right_file_a_missing_file_and_an_unfit_option(cli: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("f = ||x||^2\n∂f/∂x = 2 x\n", "utf-8")
    assert cli("check", str(notes)).code == 0
    assert cli("check", str(tmp_path / "other.tex")).code == 2
    assert "--claim" in cli("check", str(notes), "--claim", "2 x").err


# --- assertions for tests -----------------------------------------------------------------------------------------------


def square(W: np.ndarray, x: np.ndarray) -> float:
    return float(np.sum((W @ x) ** 2))


AT = {"W": np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), "x": np.array([1.0, -2.0, 0.5])}
GRADIENTS: dict[str, Any] = {
    "W": lambda W, x: 2 * np.outer(W @ x, x),
    "x": lambda W, x: 2 * W.T @ (W @ x),
}
#: (function, gradient, point, options, words of the complaint or "")
ASSERTED: dict[str, tuple[Any, Any, Any, dict[str, Any], str]] = {
    "a formula": ("||W x||^2", "2 W x x^T", None, {"wrt": "W"}, ""),
    "a wrong formula": ("||W x||^2", "W x x^T", None, {"wrt": "W"}, "factor"),
    "a program": (square, GRADIENTS, AT, {}, ""),
    "one variable": (square, GRADIENTS["W"], AT, {"wrt": "W"}, ""),
    "one array": (lambda x: float(np.sum(x**3)), lambda x: 3 * x**2, np.array([1.0, 2.0]), {}, ""),
    "values": (lambda x: float(np.sum(x**2)), np.array([2.0, 4.0]), np.array([1.0, 2.0]), {}, ""),
    "in place": (lambda x: float(np.sum(x**2)), lambda x: np.multiply(x, 2, out=x), np.array([1.0, 2.0]), {}, ""),
    "a wrong program": (square, {"W": lambda W, x: np.outer(W @ x, x)}, AT, {}, "numerical differentiation"),
    "a part in a million": (square, lambda W, x: 2.000002 * np.outer(W @ x, x), AT, {"wrt": "W"}, "entry"),
    "a shape": (square, lambda W, x: 2 * np.outer(x, W @ x), AT, {"wrt": "W"}, "(3, 2) instead of (2, 3)"),
    "no number": (square, lambda W, x: np.full(W.shape, np.nan), AT, {"wrt": "W"}, "nan"),
}


@pytest.mark.parametrize("case", ASSERTED)
def test_assert_gradient(case: str) -> None:
    function, gradient, point, options, words = ASSERTED[case]
    if not words:
        sg.assert_gradient(function, gradient, point, **options)
        return
    with pytest.raises(AssertionError) as raised:
        sg.assert_gradient(function, gradient, point, **options)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("gradient", "point", "options"),
    [(GRADIENTS, None, {}), (GRADIENTS["W"], AT, {}), (GRADIENTS["W"], AT, {"wrt": "V"})],
)
def test_assert_gradient_says_what_it_needs(gradient: Any, point: Any, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        sg.assert_gradient(square, gradient, point, **options)
