"""MathML and speech: what they say, that MathML tells what LaTeX tells, and that speech tells formulas apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.catalog import CATALOG
from symgrad.graph.words import described
from symgrad.notation import names
from symgrad.notation.mathml import PRINTERS, to_mathml
from symgrad.notation.parser import parse_tree
from symgrad.notation.render import LATEX, TEXT, normal, to_latex, to_text
from symgrad.notation.speech import SPEAKERS, to_speech
from symgrad.notation.syntax import Tree
from symgrad.simplify.trees import to_tree
from tests.test_notation_render import LEAVES, PRINTED, plain

#: what is written, and how it is said
SAID = [
    ("||W x||^2", "the squared two-norm of W x"),
    ("2 W x x^T", "two W x x transpose"),
    ("(W x)^T y", "the quantity W x end quantity transpose y"),
    (r"\nabla_W f", "the partial derivative of f with respect to W"),
    ("sum_{j != y} max(0, s_j - s_y + 1)",
     "the sum over j not equal to y of max of zero and s sub j minus s sub y plus one end max"),
    ("1/N sum_{i=1}^N L_i + lam ||W||_F^2",
     "one over N times the sum over i from one to N of L sub i plus lambda times the squared Frobenius norm of W"),
    ("1/2 x' A x - 3/4", "one half times x transpose A x minus three quarters"),
    ("W_{ij} x_j", "W sub i j times x sub j"),
    ("x_{i + 1}", "x sub i plus one end sub"),
    ("W_2 max(0, W_1 x + b)", "W sub two times max of zero and W sub one x plus b end max"),
    (r"-\log\frac{e^{s_y}}{\sum_j e^{s_j}}",
     "minus log of the fraction with numerator exp of s sub y and denominator the sum over j of exp of s sub j "
     "end fraction"),
    ("x^T X", "small x transpose capital X"),
    (r"\Sigma^{-1} (\hat{y} - \mu)", "capital sigma inverse the quantity y hat minus mu end quantity"),
    ("x ⊙ y", "x elementwise times y"),
    ("a^{(2)}_1", "the quantity a super two end quantity sub one"),
    ("1[x > 0]", "one if x greater than zero else zero end if"),
    ("cases(x if x > 0; 0 otherwise)", "the cases x if x greater than zero, zero otherwise, end cases"),
    ("[a, b; c, d]", "the two by two matrix, row one: a, b; row two: c, d; end matrix"),
    ("log(sigmoid(x)) y", "log of sigmoid of x times y"),
    ("(a + b)^3 / (c - 1)",
     "the fraction with numerator the quantity a plus b end quantity cubed and denominator c minus one end fraction"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "said"), SAID, ids=[source for source, _ in SAID])
def test_said(source: str, said: str) -> None:
    assert to_speech(parse_tree(source).tree) == said


def test_every_head_is_printed_in_every_way() -> None:
    assert set(TEXT) == set(LATEX) == set(PRINTERS) == set(SPEAKERS)


# --- speech tells formulas apart --------------------------------------------------------------------------------------


def letter(name: str) -> Tree:
    return Tree("name", (), name)


ZERO, TWO = Tree("num", (), 0), Tree("num", (), 2)
ALL = Tree("binder", (), (("i",), "all"))
SMALLEST = [letter("x"), letter("W"), letter("i"), TWO]
ONE_ARGUMENT: list[Callable[[Tree], Tree]] = [
    lambda a: Tree("neg", (a,)),
    lambda a: Tree("pow", (a, TWO), ""),
    lambda a: Tree("pow", (a, TWO), "odot"),
    lambda a: Tree("pow", (a, letter("i")), ""),
    lambda a: Tree("transpose", (a,)),
    lambda a: Tree("call", (a,), "log"),
    lambda a: Tree("norm", (a,), ""),
    lambda a: Tree("bars", (a,)),
    lambda a: Tree("index", (a, letter("i"))),
    lambda a: Tree("index", (letter("x"), a)),
    lambda a: Tree("big", (a, ALL), "sum"),
    lambda a: Tree("indicator", (Tree("compare", (a, ZERO), ">"),)),
    lambda a: Tree("assemble", (a,), ("i",)),
    lambda a: Tree("derivative", (a, letter("x")), 1),
]
TWO_ARGUMENTS: list[Callable[[Tree, Tree], Tree]] = [
    lambda a, b: Tree("add", (a, b), (1, 1)),
    lambda a, b: Tree("add", (a, b), (1, -1)),
    lambda a, b: Tree("mul", (a, b), ""),
    lambda a, b: Tree("mul", (a, b), "odot"),
    lambda a, b: Tree("mul", (a, b), "."),
    lambda a, b: Tree("mul", (a, b, letter("x")), ""),
    lambda a, b: Tree("div", (a, b), ""),
    lambda a, b: Tree("pow", (a, b), ""),
    lambda a, b: Tree("call", (a, b), "max"),
    lambda a, b: Tree("inner", (a, b)),
    lambda a, b: Tree("index", (letter("x"), a, b)),
]


def grown(left: list[Tree], right: list[Tree]) -> Iterator[Tree]:
    for a in left:
        yield from (build(a) for build in ONE_ARGUMENT)
        yield from (build(a, b) for build in TWO_ARGUMENTS for b in right)


def test_different_formulas_are_said_differently() -> None:
    small = {to_text(normal(tree)): tree for tree in (*SMALLEST, *grown(SMALLEST, SMALLEST))}
    trees = list(small.values())
    said: defaultdict[str, set[str]] = defaultdict(set)
    for tree in (*grown(trees[::2], SMALLEST[:2]), *grown(SMALLEST[:2], trees[1::2]), *grown(trees[::11], trees[::9])):
        said[to_speech(tree)].add(to_text(normal(tree)))
    assert not {words: texts for words, texts in said.items() if len(texts) > 1}
    assert len(said) > 5000


def test_a_voice_that_drops_the_grouping_is_seen() -> None:
    first, second = (
        to_speech(parse_tree(s).tree).replace(" end quantity", "") for s in ("log(a + b) c", "log(a + b c)")
    )
    assert first.replace("times ", "") == second.replace("times ", "")


# --- MathML tells what LaTeX tells ------------------------------------------------------------------------------------

NAMED = {
    "cdot": "⋅", "odot": "⊙", "oslash": "⊘", "otimes": "⊗", "times": "×", "top": "⊤", "lVert": "‖", "rVert": "‖",
    "lvert": "|", "rvert": "|", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "sum": "∑", "prod": "∏",
    "neq": "≠", "leq": "≤", "le": "≤", "geq": "≥", "land": "∧", "partial": "∂", "nabla": "∇", "infty": "∞", "in": "∈",
    "leftarrow": "←",
    "hat": "^", "tilde": "~", "bar": "¯", "dot": "˙", "check": "ˇ", "|": "‖", "{": "{", "}": "}", "_": "_",
}  # fmt: skip
SILENT = {
    "left", "right", "frac", "sqrt", "mathbf", "mathrm", "operatorname", "mathbin", "mathbb", "text", "quad", ",", "\\",
}  # fmt: skip


def symbols_of_latex(latex: str) -> Counter[str]:
    found: Counter[str] = Counter()
    latex = re.sub(r"\\begin\{cases\}", "\\{", re.sub(r"\\end\{cases\}", "", latex))
    latex = re.sub(r"\\begin\{bmatrix\}", "[", re.sub(r"\\end\{bmatrix\}", "]", latex))
    for command, char in re.findall(r"\\([A-Za-z]+|.)|([^\s{}^_&\\])", latex):
        if command in SILENT:
            continue
        greek = names.GREEK.get(names.LATEX_GREEK.get(command, ""), "")
        found.update(NAMED.get(command) or greek or command or char)
    return found


def symbols_of_mathml(mathml: str) -> Counter[str]:
    shown = "".join(ElementTree.fromstring(mathml).itertext())
    return Counter(shown.translate(str.maketrans("−′𝟏𝟎ℝ", "-'10R", " \u2061\u2062")))


def agree(tree: Tree) -> None:
    assert symbols_of_mathml(to_mathml(tree)) == symbols_of_latex(to_latex(tree)), (to_latex(tree), to_mathml(tree))


@pytest.mark.parametrize("source", [row[0] for row in PRINTED + SAID])
def test_mathml_tells_what_latex_tells(source: str) -> None:
    agree(parse_tree(source).tree)


def test_the_catalog_in_mathml_and_in_words() -> None:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for name, entry in CATALOG.items():
        lines = (line.formula for wrt in entry.gradients for line in sg.derive(name, wrt=wrt).lines())
        for tree in (to_tree(sg.parse(name).node), *lines):
            agree(tree)
            said[to_speech(tree)].add(to_text(normal(tree)))
    assert not [texts for texts in said.values() if len(texts) > 1]


@settings(max_examples=60, deadline=None)
@given(st.recursive(LEAVES, plain, max_leaves=8))
def test_random_trees(tree: Tree) -> None:
    agree(tree)
    assert to_speech(tree)


def test_deep_and_wide_trees_without_recursion() -> None:
    deep = letter("x")
    for _ in range(1200):
        deep = Tree("call", (deep,), "tanh")
    assert to_mathml(deep).count("tanh") == to_speech(deep).count("tangent") == 1200
    wide = Tree("add", (letter("x"),) * 3000, (1,) * 3000)
    assert to_speech(wide).count("plus") == to_mathml(wide).count("+") == 2999


def test_a_lost_symbol_is_seen() -> None:
    tree = parse_tree("x^T A x").tree
    assert symbols_of_mathml(to_mathml(tree).replace("<mi>⊤</mi>", "<mi></mi>")) != symbols_of_latex(to_latex(tree))


#: source, a part of its MathML: what stretches, and what stands above and below what
SHAPES = [
    ("||x||", '<mo form="prefix" stretchy="false">‖</mo><mi>x</mi><mo form="postfix" stretchy="false">‖</mo>'),
    ("||x/y||", '<mo form="prefix" stretchy="true">‖</mo><mfrac><mi>x</mi><mi>y</mi></mfrac><mo form="postfix"'),
    ("W_1^T x", '<msubsup><mi>W</mi><mn>1</mn><mi>⊤</mi></msubsup><mo rspace="0.12em">\u2062</mo><mi>x</mi>'),
    ("sum_{i=1}^N x_i", "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>N</mi></munderover>"),
    ("log(x)", "<mi>log</mi><mo>\u2061</mo>"),
    ("loss_1 a", "<msub><mi>loss</mi><mn>1</mn></msub>"),
    (r"\hat{y}", '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'),
    ("a < b", "<mo>&lt;</mo>"),
]


@pytest.mark.parametrize(("source", "part"), SHAPES)
def test_shapes_of_mathml(source: str, part: str) -> None:
    shown = to_mathml(parse_tree(f"1[{source}]").tree if "<" in source else parse_tree(source).tree)
    assert part in shown
    assert shown.startswith('<math display="block">')


def test_derivations_and_graphs_speak() -> None:
    d = sg.derive("||W x||^2", wrt="W")
    assert d.speech.splitlines()[2] == (
        "Step 3, squared norm: the partial derivative of f with respect to q equals two q."
    )
    assert d.speech.endswith("Result: the gradient of f with respect to W equals two W x x transpose.")
    assert d.result.speech == "two W x x transpose"
    assert "<msub>" in d.mathml
    assert sg.derive("x^T A x", wrt="x", order=2).speech.endswith(
        "Result: the Hessian of f with respect to x equals A plus A transpose."
    )
    graph = sg.draw("w_1 x_1", at="w_1=-2, x_1=3")
    assert "value minus 2" in described(graph.passes)
