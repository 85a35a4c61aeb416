"""Dimensions and declarations: what is declared is kept, what is guessed is always the same, what does not fit is shown."""

from __future__ import annotations

import pytest

from symgrad.errors import InputError, ShapeError
from symgrad.notation.names import canonical
from symgrad.notation.reading import read
from symgrad.shapes import Outlines, Unknown, find, name_unknowns, read_assumptions, read_shapes, unify

DECLARATIONS = [
    ("W: m n, x: n, lam:", {"W": ("m", "n"), "x": ("n",), "lam": ()}),
    ("W1: H D; b1: H\ny:", {"W_1": ("H", "D"), "b_1": ("H",), "y": ()}),
    (r"\theta: 3, \hat{y}: N×C", {"theta": (3,), "yhat": ("N", "C")}),
    ("W: (m, n)".replace(", ", " "), {"W": ("m", "n")}),
    ({"W": ("m", 2), "x": "n", "t": ()}, {"W": ("m", 2), "x": ("n",), "t": ()}),
    (None, {}),
]
BAD_DECLARATIONS = [
    ("W m n", "PARSE", 0),
    ("x: n, W: m 0", "DOMAIN", 6),
    ("x: n, W: m -1", "SHAPE", 6),
    ("x: n, x: m", "SHAPE", 6),
    ("x: a b c d e f g h k", "LIMIT", 0),
    ({"x": (1.5,)}, "SHAPE", 0),
    ({"x": (True,)}, "SHAPE", 0),
    ({"x": 1.5}, "SHAPE", 0),
]


@pytest.mark.parametrize(("given", "expected"), DECLARATIONS)
def test_declarations(given: object, expected: object) -> None:
    assert read_shapes(given, canonical) == expected


@pytest.mark.parametrize(("given", "code", "offset"), BAD_DECLARATIONS)
def test_bad_declarations(given: object, code: str, offset: int) -> None:
    with pytest.raises(InputError) as caught:
        read_shapes(given, canonical)
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_assumptions() -> None:
    expected = {"A": frozenset({"symmetric", "invertible"}), "y": frozenset({"label"})}
    assert read_assumptions("A: symmetric + invertible, y: label", canonical) == expected
    assert read_assumptions({"A": ["symmetric", "invertible"], "y": "label"}, canonical) == expected
    with pytest.raises(InputError, match="assumption"):
        read_assumptions("A: purple", canonical)


def test_unification() -> None:
    a, b, c = Unknown(), Unknown(), Unknown()
    assert unify(a, b)
    assert unify(b, "n")
    assert find(a) == "n"
    assert not unify(a, "m")
    assert not unify("m", "n")
    assert not unify(2, 3)
    assert unify(c, 3)
    assert not unify(c, a)


def test_names_of_unknown_dimensions() -> None:
    rows, inner, length = Unknown(), Unknown(), Unknown()
    given = name_unknowns([(length,), (rows, inner), (inner, inner)], [Unknown()], {"m"})
    assert find(inner) == "n"
    assert find(rows) == "p"
    assert find(length) == "q"
    assert given == ["p", "n", "q", "r"]


def test_outlines_have_the_shapes_of_expressions() -> None:
    outlines = Outlines()
    matrix = outlines.number(0, ("m", "n"))
    assert outlines.contract([(matrix, ("i", "j")), (matrix, ("k", "j"))], ("k", "i")).shape == ("m", "m")
    assert outlines.add([(1, matrix)]).shape == ("m", "n")
    assert outlines.delta("n").shape == ("n", "n")
    assert len(outlines.holes) == 0
    assert outlines.hole() is outlines.holes[0]


#: source, declared shapes, shapes of the variables as they are read.
GUESSES = [
    ("||W x||^2", "", "W: m n, x: n"),
    ("W x + b", "", "W: m n, x: n, b: m"),
    ("w^T x + b", "", "w: n, x: n, b:"),
    ("x^T A x", "", "x: n, A: n n"),
    ("a^T X b", "", "a: m, X: m n, b: n"),
    ("W_2 max(0, W_1 x)", "", "W_2: m n, W_1: n p, x: p"),
    ("W3 max(0, W2 max(0, W1 x))", "", "W_3: m n, W_2: n p, W_1: p q, x: q"),
    ("||X w - y||^2 + lam ||w||^2", "", "X: m n, w: n, y: m, lam:"),
    ("||X w - y||^2", "X: N D", "X: N D, w: D, y: N"),
    ("(x + y) z", "", "x:, y:, z:"),
    ("x .* y", "x: 3", "x: 3, y: 3"),
    ("sum(x .* y)", "", "x: n, y: n"),
    ("softmax(z)", "", "z: n"),
    ("tr(A^T B)", "", "A: m n, B: m n"),
    ("log(det(A))", "", "A: n n"),
    (r"\frac{1}{N} \sum_{i=1}^N (\hat{y}_i - y_i)^2", "", "yhat: N, y: N"),
    (r"\sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1)", "", "s: n, y:"),
    (r"-s_y + \log \sum_j e^{s_j}", "", "s: n, y:"),
    (r"\theta^T x", "", "theta: n, x: n"),
    (r"\sum_{i} \sum_{j} W_{ij}^2", "", "W: m n"),
    (r"\sum_k W_k^2", "", "W: m n"),
    (r"\mathbf{w} \cdot \mathbf{x} + b", "", "w: n, x: n, b:"),
    ("np.maximum(0, W1 @ x)", "", "W_1: m n, x: n"),
    ("sum(log(1 + exp(-y*(X @ w))))", "", "y: m, X: m n, w: n"),
    ("w_0 x_0 + w_1 x_1 + w_2", "", "w_0:, x_0:, w_1:, x_1:, w_2:"),
    ("||x||^2 + x_1", "x: n", "x: n"),
    ("q = W x; ||q||^2", "", "W: m n, x: n"),
    (r"\sum_{i=1}^N (w^T x_i - y_i)^2", "", "w: n, x: N n, y: N"),
    (r"\|W\|_F^2 + \Delta", "", "W: m n, Delta:"),
    ("m x^T x", "", "m:, x: n"),
    ("n x^T x", "", "n:, x: m"),
]


@pytest.mark.parametrize(("source", "declared", "expected"), GUESSES)
def test_shapes_are_inferred(source: str, declared: str, expected: str) -> None:
    reading = read(source, shapes=declared)
    assert {n: d.shape for n, d in reading.variables.items()} == read_shapes(expected, canonical)
    assert {n for n, d in reading.variables.items() if d.guessed} == reading.variables.keys() - read_shapes(
        declared, canonical
    )


#: source, declared shapes, code, the offending part, something the message or hint must say.
MISFITS = [
    ("W x", "W: m n, x: m", "SHAPE", "W x", "R^m"),
    ("x^T W", "W: m n, x: n", "SHAPE", "x^T W", "needs x^T ∈ R^{1×m}, but x^T ∈ R^{1×n}"),
    ("1 + (x + y)", "x: n, y: m", "SHAPE", "(x + y)", "R^m"),
    ("x .* y", "x: 3, y: 4", "SHAPE", "x .* y", "R^4"),
    ("x y", "x: n, y: n", "SHAPE", "x y", "xᵀ y"),
    ("x + y^T", "x: n, y: n", "SHAPE", "x + y^T", "row"),
    ("tr(W)", "W: m n", "SHAPE", "tr(W)", "square"),
    ("W^2", "W: m n", "SHAPE", "W^2", "square"),
    ("inv(W) x", "W: m n", "SHAPE", "inv(W)", "square"),
    (r"\sum_i x_i y_i", "x: n, y: m", "SHAPE", "y_i", "index i"),
    ("W_{ijk}", "W: m n", "SHAPE", "W_{ijk}", "3 indices"),
    ("softmax(t)", "t:", "SHAPE", "softmax(t)", "vector"),
    ("W + b", "W: m n, b: m", "SHAPE", "W + b", "b 1ᵀ"),
    ("x_7", "x: 3", "DOMAIN", "x_7", "axis of 3"),
]


@pytest.mark.parametrize(("source", "declared", "code", "part", "says"), MISFITS)
def test_misfits_show_their_place(source: str, declared: str, code: str, part: str, says: str) -> None:
    with pytest.raises(ShapeError) as caught:
        read(source, shapes=declared)
    error = caught.value
    assert error.code == code
    assert source[error.offset : error.end] == part
    assert says in str(error)


def test_a_wrong_expectation_fails() -> None:
    """The tables above can fail: a plausible but wrong guess is told apart."""
    reading = read("W x + b")
    assert {n: d.shape for n, d in reading.variables.items()} != read_shapes("W: m n, x: n, b: n", canonical)


def test_declared_but_unused_is_a_note() -> None:
    assert any("z is declared" in note for note in read("x^2", shapes="x:, z: n").notes)
