"""Graphs and traces: the numbers of the lectures, the tape against the expression, and pictures that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import InputError, SymgradError
from symgrad.graph import Graph
from symgrad.graph.numbers import block, inline, number
from symgrad.graph.picture import ADVANCE, TEXT, Mark, Picture
from symgrad.graph.point import read_point
from symgrad.verify.points import Sampler
from tests.conftest import Outcome

Cli = Callable[..., Outcome]
NEURON = "1/(1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)})"
NEURON_AT = "w_0=2, x_0=-1, w_1=-3, x_1=-2, w_2=-3"
NORM_AT = "W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4]"
AUTODIFF = "ln(x1) + x1 x2 - sin(x2)"
NET = "h = max(0, W_1 x); s = W_2 h; -log softmax(s)_y"
NET_AT = "W_1=[[1, 2], [-1, 0.5], [0.3, 0.1]], x=[1, -1], W_2=[[1, 2, 3], [0.1, -0.2, 0.4]], y=1"
HINGE = r"s = W x; \sum_{j \neq y} \max(0, s_j - s_y + 1)"
HINGE_AT = "W=[[1, 2], [3, 1], [0, 1]], x=[1, 0.5], y=2"

# --- the numbers of the lectures ------------------------------------------------------------------------------------

#: function, numbers -> value, and the gradient by every input, to the digits that the lectures print.
LECTURES: dict[str, tuple[str, str, float, dict[str, Any]]] = {
    "xyz": ("(x + y) z", "x=-2, y=5, z=-4", -12, {"x": -4, "y": -4, "z": 3}),
    "neuron": (NEURON, NEURON_AT, 0.73, {"w_0": -0.2, "x_0": 0.39, "w_1": -0.39, "x_1": -0.59, "w_2": 0.2}),
    "gates": ("2 (x y + max(z, w))", "x=3, y=-4, z=2, w=-1", -20, {"x": -8, "y": 6, "z": 2, "w": 0}),
    "autodiff": (AUTODIFF, "x1=2, x2=5", 11.652, {"x_1": 5.5, "x_2": 1.716}),
    "norm": (
        "q = W x; ||q||^2", NORM_AT, 0.116,
        {"q": [0.44, 0.52], "W": [[0.088, 0.176], [0.104, 0.208]], "x": [-0.112, 0.636]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("gates", ["coarse", "fine"])
@pytest.mark.parametrize(("source", "at", "value", "gradients"), LECTURES.values(), ids=LECTURES)
def test_the_numbers_of_the_lectures(source: str, at: str, value: float, gradients: dict[str, Any], gates: str) -> None:
    passes = sg.draw(source, at, gates=gates).passes
    digits = max(len(str(value).partition(".")[2]), 2)
    assert round(float(passes.values[passes.tape.output.variable]), digits) == value
    for name, expected in gradients.items():
        assert np.allclose(passes.gradient(_row(passes, name)), expected, atol=0.0051 if digits == 2 else 5e-4), name


def _row(passes: Any, name: str) -> Any:
    shown = name.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")).replace("_", "")
    return next(row for row in passes.tape.rows if row.shown == shown)


def test_the_neuron_in_four_gates_and_in_one() -> None:
    fine, coarse = (sg.draw(NEURON, NEURON_AT, gates=gates).passes.tape for gates in ("fine", "coarse"))
    assert [row.gate.mark for row in coarse.gates if row.gate] == ["×", "×", "+", "+", "σ"]
    assert [row.gate.mark for row in fine.gates if row.gate] == ["×", "×", "+", "+", "×−1", "exp", "+1", "1/x"]
    written = sg.draw(r"\sigma(w_0 x_0 + w_1 x_1 + w_2)", NEURON_AT, gates="fine").passes.tape
    assert [row.gate for row in written.gates] == [row.gate for row in fine.gates]


def test_a_logistic_function_that_the_source_defines_stays_as_it_is_defined() -> None:
    tape = sg.draw("sigmoid(z) = 1/(1 + exp(-2 z)); sigmoid(w x)", {"w": 1.0, "x": 0.5}).passes.tape
    assert "σ" not in [row.gate.mark for row in tape.gates if row.gate]


AUTODIFF_TRACE = """
v₋₁ = x₁ = 2
v₀ = x₂ = 5
v₁ = log(v₋₁) = 0.693
v₂ = v₋₁ v₀ = 10
v₃ = sin(v₀) = -0.959
v₄ = v₁ + v₂ = 10.693
v₅ = v₄ - v₃ = 11.652
f = v₅ = 11.652
v̄₅ = f̄ = 1
v̄₄ = v̄₅ = 1
v̄₃ = -v̄₅ = -1
v̄₁ = v̄₄ = 1
v̄₂ = v̄₄ = 1
v̄₀ = v̄₃ cos(v₀) = -0.284
v̄₋₁ = v̄₂ v₀ = 5
v̄₀ = v̄₀ + v̄₂ v₋₁ = 1.716
v̄₋₁ = v̄₋₁ + v̄₁/v₋₁ = 5.5
x̄₁ = v̄₋₁ = 5.5
x̄₂ = v̄₀ = 1.716
"""
TANGENT_TRACE = """
v̇₋₁ = ẋ₁ = 1
v̇₀ = ẋ₂ = 0
v̇₁ = v̇₋₁/v₋₁ = 0.5
v̇₂ = v₀ v̇₋₁ + v₋₁ v̇₀ = 5
v̇₃ = cos(v₀) v̇₀ = 0
v̇₄ = v̇₁ + v̇₂ = 5.5
v̇₅ = v̇₄ - v̇₃ = 5.5
ḟ = v̇₅ = 5.5
"""
NORM_TRACE = """
W = [[0.1, 0.5], [-0.3, 0.8]]
x = [0.2, 0.4]
q = W x = [0.22, 0.26]
v₂ = ‖q‖² = 0.116
f = v₂ = 0.116
v̄₂ = f̄ = 1
q̄ = 2 v̄₂ q = [0.44, 0.52]
W̄ = q̄ xᵀ = [[0.088, 0.176], [0.104, 0.208]]
x̄ = Wᵀ q̄ = [-0.112, 0.636]
"""


def lines(found: list[Any]) -> str:
    rows = [(line.name, line.formula, "" if line.value is None else inline(line.value)) for line in found]
    return "\n".join(" = ".join(filter(None, row)) for row in rows)


def test_the_traces_of_the_lectures() -> None:
    traced = sg.trace(AUTODIFF, "x1=2, x2=5")
    assert lines(traced.primal + traced.reverse) == AUTODIFF_TRACE.strip()
    assert lines(traced.forward({"x1": 1})) == TANGENT_TRACE.strip()
    traced = sg.trace("q = W x; ||q||^2", NORM_AT)
    assert lines(traced.primal + traced.reverse) == NORM_TRACE.strip()


def test_a_trace_without_numbers_has_the_same_formulas() -> None:
    bare, full = sg.trace(AUTODIFF), sg.trace(AUTODIFF, "x1=2, x2=5")
    for one, other in ((bare.primal, full.primal), (bare.reverse, full.reverse)):
        assert [(a.name, a.formula) for a in one] == [(b.name, b.formula) for b in other]
        assert all(line.value is None and not line.numbers for line in one)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("v₂", "2 × 5"), ("v₅", "10.693 - (-0.959)"), ("v̄₀", "-0.284 + 1 × 2"), ("v̄₋₁", "5 + 1/2")],
)
def test_numbers_put_into_formulas(name: str, numbers: str) -> None:
    traced = sg.trace(AUTODIFF, "x1=2, x2=5")
    assert [line.numbers for line in traced.primal + traced.reverse if line.name == name][-1] == numbers


# --- the tape against the expression --------------------------------------------------------------------------------


def passes_of(source: str) -> tuple[Any, Any, Any]:
    """A function, a point it is defined at, and the passes there."""
    function = sg.parse(source)
    sampler = Sampler(function.node, 0)
    point = sampler.draw(sampler.assign((2, 3, 4, 5, 6, 7)), way="unit").values
    return function, point, sg.draw(function, point).passes


def wrong_parts(source: str, spoil: Callable[[Any], None] = lambda passes: None) -> list[str]:
    """Where the passes disagree with the compiled function and its compiled gradients."""
    function, point, passes = passes_of(source)
    spoil(passes)
    value = passes.values[passes.tape.output.variable]
    wrong = [] if np.allclose(value, np.asarray(sg.compile(function)(**point)).reshape(value.shape)) else ["value"]
    if function.shape:
        return wrong
    assert passes.backward is not None
    for name, gradient in sg.gradients(function).items():
        expected = np.asarray(sg.compile(gradient)(**point))
        if not np.allclose(expected, passes.adjoints.get(function.variable(name), 0.0)):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("name", sg.catalog())
def test_passes_agree_with_the_compiled_gradients(name: str) -> None:
    assert not wrong_parts(name)


def test_a_wrong_gate_would_be_noticed() -> None:
    def spoil(passes: Any) -> None:
        first, *others = passes.tape.gates
        tape = replace(passes.tape, gates=(replace(first, local=sg.parse("x y").node), *others))
        passes.__init__(tape, {"x": 0.5, "y": 0.25, "z": 2.0})

    assert wrong_parts("(x + y) z", spoil)


WRITTEN_OUT = [
    "(x + y) z", AUTODIFF, "||W x||^2", NET, HINGE, "x + y - z + w", "-x + y - 2 z", "W_3 W_2 W_1 x", "x^T A x + b^T x",
    "A B - C + I", "sum(log(1 + exp(-y*(X @ w))))", r"\sum_i X_i w b", r"x-\frac{1}{n}\mathbf{1}\mathbf{1}^{\top}x", "g(z) = z^2; g(x) g(y)",
]  # fmt: skip


@pytest.mark.parametrize("source", WRITTEN_OUT)
def test_writing_the_gates_out_gives_the_function_again(source: str) -> None:
    from symgrad.graph import record
    from symgrad.simplify.rules import same

    reading = sg.parse(source).reading
    for gates in ("coarse", "fine"):
        assert same(record(reading, gates).written_out(), reading.node)


MARKS = {
    "x + y + z": "+ +", "x - y": "−", "-x + y": "×−1 +", "-x - y + z": "×−1 − +", "-1 + x": "−1", "x + 1": "+1", "1 - x": "1−x", "x - 1/2": "−1/2", "2 x": "×2", "-x": "×−1",
    "x/2": "÷2", "x/y": "÷", "3/x": "3/x", "x^3": "x³", "x^y": "xʸ", "|x|": "|x|", "max(x, y)": "max",
    "max(0, x)": "max(0,x)", "ReLU(x)": "ReLU", "||x||": "‖x‖", "||x||^2": "‖x‖²", "sum(x .* y)": "⊙ sum", "A B x": "@ @",
    "tanh(W x + b)": "@ + tanh", "sum_i x_i": "Σ_i", "x^T y": "@", "log det A": "det log", "softmax(s)_y": "softmax [y]",
    "1/(1 + exp(-x))": "σ", "e^{-x}": "×−1 exp", "(x + y) (x + y)": "+ ×", "<x, y>": "⟨·,·⟩", "(U x) (V x)^T": "@ @ ⊗", "a (W x)": "@ ×", "A + A^T": "xᵀ +",
}  # fmt: skip


@pytest.mark.parametrize(("source", "marks"), MARKS.items())
def test_gates_look_as_they_are_written(source: str, marks: str) -> None:
    assert " ".join(row.gate.mark for row in sg.draw(source).passes.tape.gates if row.gate) == marks


def test_results_without_a_source_are_drawn_from_their_text() -> None:
    import sympy

    a, b = sympy.symbols("a b")
    assert sg.draw(a * b + sympy.sin(a), {"a": 1, "b": 2}).passes.numeric
    assert "x²" in sg.draw(sg.gradient("x^3 y", "x")).text


def test_drawing_without_numbers_loads_nothing_heavy(python: Callable[..., Outcome]) -> None:
    program = (
        "import sys, symgrad as sg; g = sg.draw('||W x||^2'); g.text, g.svg(), g.to_dict(); sg.trace('||W x||^2').reverse;"
        "print(*[m for m in ('numpy', 'sympy', 'jax', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    outcome = python("-c", program)
    assert not outcome.err
    assert not outcome.out.strip()


# --- pictures -------------------------------------------------------------------------------------------------------

PICTURES = {name: (source, at) for name, (source, at, _, _) in LECTURES.items()} | {
    "net": (NET, NET_AT), "hinge": (HINGE, HINGE_AT), "bare": ("||W x||^2", None), "input": ("x", "x=1"),
    "tangle": ("(x + y) (x - y) + sin(x y) max(x, y)", "x=1.25, y=-2.125"),
    "wide": ("x^T A x + tr(A A^T)", {"x": np.arange(1.0, 8), "A": np.arange(49.0).reshape(7, 7)}),
}  # fmt: skip
Rectangle = tuple[float, float, float, float]


def rectangle(mark: Mark) -> Rectangle:
    """Where a text is, as the widest usual font sets it."""
    (x, y), size = mark.points[0], 0.8 if mark.anchor == "small" else 1.0
    width, height = len(mark.text) * ADVANCE * size, 0.9 * TEXT * size
    left = {"start": x, "small": x, "middle": x - width / 2, "end": x - width}[mark.anchor]
    return left, y - height / 2, left + width, y + height / 2


def meets(one: Rectangle, other: Rectangle, slack: float = 1.0) -> bool:
    return (
        one[0] + slack < other[2] and other[0] + slack < one[2]
        and one[1] + slack < other[3] and other[1] + slack < one[3]
    )  # fmt: skip


def crosses(wire: Mark, box: Rectangle) -> bool:
    """Whether a wire runs through a rectangle, looked at in small steps."""
    for (x0, y0), (x1, y1) in zip(wire.points, wire.points[1:], strict=False):
        for t in np.linspace(0.0, 1.0, 200):
            x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
            if box[0] + 1 < x < box[2] - 1 and box[1] + 1 < y < box[3] - 1:
                return True
    return False


def faults(picture: Picture) -> list[str]:
    """Texts on top of each other, cut texts, wires through texts and gates."""
    texts = [(mark, rectangle(mark)) for mark in picture.marks if mark.kind == "text"]
    found = [f"{a.text!r} on {b.text!r}" for (a, one), (b, other) in combinations(texts, 2) if meets(one, other)]
    for mark, (left, top, right, bottom) in texts:
        if left < 0 or top < 0 or right > picture.width or bottom > picture.height:
            found.append(f"{mark.text!r} is cut")
    wires = [mark for mark in picture.marks if mark.kind in {"line", "arrow"} and mark.role == "wire"]
    found += [f"a wire through {mark.text!r}" for mark, box in texts for wire in wires if crosses(wire, box)]
    for gate in (mark for mark in picture.marks if mark.kind == "gate"):
        (left, top), (right, bottom) = gate.points
        inside = (left + 6, top + 6, right - 6, bottom - 6)
        found += ["a wire through a gate" for wire in wires if crosses(wire, inside)]
    return found


@pytest.mark.parametrize("down", [False, True], ids=["right", "down"])
@pytest.mark.parametrize(("source", "at"), PICTURES.values(), ids=PICTURES)
def test_nothing_overlaps_and_nothing_is_cut(source: str, at: Any, down: bool) -> None:
    assert not faults(sg.draw(source, at, down=down).picture)


def test_a_bad_picture_would_be_noticed() -> None:
    picture = sg.draw("(x + y) z", "x=-2, y=5, z=-4").picture
    texts = [k for k, mark in enumerate(picture.marks) if mark.kind == "text"]
    for k, points in ((texts[0], picture.marks[texts[3]].points), (texts[1], ((picture.width, 5.0),))):
        bad = Picture("", "", list(picture.marks), picture.width, picture.height)
        bad.marks[k] = replace(bad.marks[k], points=points)
        assert faults(bad)


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize(("source", "at"), PICTURES.values(), ids=PICTURES)
def test_svg_is_well_formed_and_tells_what_it_shows(source: str, at: Any, theme: str) -> None:
    drawn = sg.draw(source, at)
    root = ElementTree.fromstring(drawn.svg(theme))
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert [root.find(name + tag).get("id") for tag in ("title", "desc")] == root.get("aria-labelledby").split()  # type: ignore[union-attr]
    assert root.find(name + "desc").text == drawn.description  # type: ignore[union-attr]
    assert ("prefers-color-scheme" in drawn.svg(theme)) == (theme == "auto")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_told_from_the_paper() -> None:
    from symgrad.graph.svg import THEMES

    assert all(contrast(colour, theme["paper"]) >= 4.5 for theme in THEMES.values() for colour in
               theme.values() if colour != theme["paper"])  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_png(theme: str) -> None:
    pytest.importorskip("matplotlib")
    data = sg.draw("(x + y) z", "x=-2, y=5, z=-4").png(theme)
    assert data.startswith(b"\x89PNG")
    assert b"Computational graph of f" in data


def test_a_graph_in_words() -> None:
    told = sg.draw("q = W x; ||q||^2", NORM_AT).description
    assert "Gate 1, called q: matrix product of W and x, value [0.22, 0.26], gradient [0.44, 0.52]." in told
    assert "gradient [minus 0.112, 0.636]" in told


XYZ = """
   -2
x ────┐       3
   -4 ├──(+)─────┐
   5  │      -4  │
y ────┘          │      -12
   -4            ├──(×)───────→ f
   -4            │       1
z ───────────────┘
   3
"""


def test_the_drawing_in_characters() -> None:
    assert sg.draw("(x + y) z", "x=-2, y=5, z=-4").text == XYZ.strip("\n")


@pytest.mark.parametrize(("source", "at"), PICTURES.values(), ids=PICTURES)
def test_every_number_is_in_the_drawing(source: str, at: Any) -> None:
    drawn = sg.draw(source, at)
    cells = drawn.text.split()
    for row in drawn.passes.tape.rows:
        if row.gate is not None:
            assert f"({row.gate.mark})" in drawn.text
        for value in (drawn.passes.values.get(row.variable), drawn.passes.gradient(row)):
            if value is not None and not value.shape:
                assert any(number(float(value)) in cell for cell in cells)


# --- numbers --------------------------------------------------------------------------------------------------------

POINTS = {
    "": {}, "x=1 y=2": {"x": 1.0, "y": 2.0}, "x=-2": {"x": -2.0}, "x=.5;y=1e-3": {"x": 0.5, "y": 1e-3}, "x = −2 , y = 5": {"x": -2.0, "y": 5.0},
    "W1=[[1, 2], [3, 4]], b = [1; 2]": {"W_1": [[1.0, 2.0], [3.0, 4.0]], "b": [1.0, 2.0]}, "λ=1": {"lam": 1.0},
}  # fmt: skip
BAD_POINTS = {
    "x": 1, "x=": 2, "x=y": 3, "x=1y=2": 4, "x=[1, 2": 7, "x=[1 2]": 6, "x=[,]": 4, "x=1, x=2": 6, "x=]": 3, "=3": 1,
    "x=1e999": 3, "x=__import__('os')": 3, "x=[[[[[[[[[1]]]]]]]]]": 11, "x=1]": 4,
}  # fmt: skip


@pytest.mark.parametrize(("text", "values"), POINTS.items())
def test_points(text: str, values: dict[str, Any]) -> None:
    assert read_point(text) == values


@pytest.mark.parametrize(("text", "column"), BAD_POINTS.items())
def test_unreadable_points_show_their_place(text: str, column: int) -> None:
    with pytest.raises(InputError) as caught:
        read_point(text)
    assert caught.value.column == column


REFUSED = {
    "no value": ("x + y", "x=1", "y has no value"),
    "unknown name": ("x + y", "x=1, y=1, z=1", "no variable z"),
    "a matrix for a scalar": ("x + y", "x=1, y=[1]", "a scalar"),
    "sizes that differ": ("W x", "W=[[1, 2]], x=[1]", "n is 2 elsewhere"),
    "ragged rows": ("W x", "W=[[1, 2], [1]], x=[1, 2]", "different lengths"),
    "outside the domain": ("log(x)", "x=-1", "no finite value at x = -1"),
    "no gradient": ("sqrt(x)", "x=0", "gradient"),
    "singular": ("log(det(A))", "A=[[1, 1], [1, 1]]", "no finite value"),
    "label too large": (NET, NET_AT.replace("y=1", "y=2"), "at most 1"),
    "label between": (NET, NET_AT.replace("y=1", "y=0.5"), "whole number"),
    "no variable": ("1 + 2", "", "no variable"),
    "too large": ("+".join(f"x^{k}" for k in range(2, 500)), "x=1", "400 gates"),
}


@pytest.mark.parametrize(("source", "at", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_numbers_is_refused(source: str, at: str, message: str) -> None:
    with pytest.raises(SymgradError, match=message):
        assert sg.draw(source, at).picture


def test_sizes_that_no_variable_has_are_given_by_name() -> None:
    passes = sg.draw("x/n", "x=6, n=3", shapes="x:, y: n").passes
    assert float(passes.values[passes.tape.output.variable]) == 2


def test_kinks_are_told() -> None:
    assert "kink" in sg.draw("max(0, x)", "x=0").passes.notes[0]
    assert not sg.draw("max(0, x)", "x=1").passes.notes


NUMBERS = {0.0: "0", 1e-17: "0", -12.0: "-12", 11.6519: "11.652", 0.25: "0.25", -0.0012: "-0.0012", 1.25e9: "1.25e+09"}


@pytest.mark.parametrize(("value", "text"), NUMBERS.items())
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_arrays() -> None:
    assert block(np.array([[1.0, -2.5], [10.0, 0.0]])) == ["⎡ 1  -2.5⎤", "⎣10     0⎦"]
    assert block(np.array([7.0])) == ["[7]"]
    assert block(np.arange(9.0)) == ["⎡0⎤", "⎢1⎥", "⎢2⎥", "⎢⋮⎥", "⎣8⎦"]
    assert block(np.zeros((2, 3, 4))) == ["2×3×4 array"]


# --- the commands ---------------------------------------------------------------------------------------------------

COMMANDS = [
    pytest.param(0, ["graph", "(x+y) z", "--at", "x=-2, y=5, z=-4"], "-12", id="graph"),
    pytest.param(0, ["graph", "||W x||^2"], "--at", id="graph without numbers"),
    pytest.param(0, ["graph", NEURON, "--gates", "fine", "--at", NEURON_AT], "wider than this terminal", id="too wide"),
    pytest.param(0, ["graph", "softmax-loss"], "(Σ_j)", id="a name of the catalog"),
    pytest.param(0, ["graph", "max(0, x)", "--at", "x=0"], "kink", id="a kink"),
    pytest.param(0, ["graph", HINGE, "--at", HINGE_AT], "y counts from 0", id="labels"),
    pytest.param(0, ["trace", AUTODIFF, "--at", "x1=2, x2=5"], "1.716", id="trace"),
    pytest.param(0, ["trace", AUTODIFF, "--at", "x1=2, x2=5", "--direction", "x1=1"], "5.5", id="tangents"),
    pytest.param(0, ["trace", "x^2", "--forward", "--at", "x=3"], "= 6", id="only one input can move"),
    pytest.param(2, ["trace", AUTODIFF, "--forward"], "which of x₁, x₂ moves", id="which direction"),
    pytest.param(2, ["trace", AUTODIFF, "--at", "x1=2, x2=5", "--direction", "z=1"], "no variable", id="no such input"),
    pytest.param(2, ["trace", "W x", "--at", "W=[[1]], x=[1]"], "starts from a scalar", id="no scalar"),
    pytest.param(2, ["graph", "x y", "--at", "x=1"], "y has no value", id="a value is missing"),
    pytest.param(2, ["graph", "x y", "--at", "x=1, y=("], "column 8", id="unreadable numbers"),
    pytest.param(2, ["graph", "x y", "--gates", "medium"], "coarse, fine", id="no such gates"),
    pytest.param(2, ["graph", "x y", "--out", "graph.pdf"], ".svg or .png", id="no such kind of file"),
    pytest.param(2, ["graph", "x y", "--out", "no/such/folder/graph.svg"], "could not be written", id="no such folder"),
    pytest.param(2, ["graph", "log(x)", "--at", "x=-1"], "no finite value", id="outside the domain"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "words", "shown"), COMMANDS)
def test_commands(cli: Cli, code: int, words: list[str], shown: str) -> None:
    outcome = cli(*words)
    assert outcome.code == code, outcome.err
    assert shown in (outcome.out if code == 0 else outcome.err)


def test_graph_as_a_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "graph.svg"
    outcome = cli("graph", "(x+y) z", "--at", "x=-2, y=5, z=-4", "--out", str(path), "--theme", "dark", "--down")
    assert outcome.code == 0, outcome.err
    ElementTree.fromstring(path.read_text("utf-8"))


def test_documents(cli: Cli) -> None:
    document = json.loads(cli("graph", "(x+y) z", "--at", "x=-2, y=5, z=-4", "--json").out)
    last = document["graph"]["nodes"][-1]
    assert document["schema"] == "symgrad/1"
    assert (last["mark"], last["inputs"], last["value"], last["gradient"]) == ("×", ["v₁", "z"], -12, 1)
    document = json.loads(cli("trace", "||W x||^2", "--at", NORM_AT, "--json").out)
    line = next(line for line in document["trace"]["reverse"] if line["name"] == "W̄")
    assert line["formula"] == "v̄₁ xᵀ"
    assert np.allclose(line["value"], [[0.088, 0.176], [0.104, 0.208]])
    document = json.loads(cli("trace", AUTODIFF, "--at", "x1=2, x2=5", "--direction", "x1=1", "--json").out)
    assert document["trace"]["forward"][-1]["value"] == 5.5


def test_a_notebook_shows_the_graph() -> None:
    drawn = sg.draw("x y")
    assert isinstance(drawn, Graph)
    assert drawn._repr_mimebundle_()["text/html"].startswith("<img alt=")
    assert repr(drawn) == "<Computational graph of f: 2 inputs, 1 gate>"


def test_the_command_knows_the_same_words_as_the_library() -> None:
    from symgrad.graph import GATES
    from symgrad.graph.svg import THEMES
    from symgrad_cli import app

    assert app.GATES == GATES
    assert ("auto", *THEMES) == app.THEMES
