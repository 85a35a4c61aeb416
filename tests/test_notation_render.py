"""What is printed, and that it is read back: the same tree from its text and from its LaTeX."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import InputError
from symgrad.notation.parser import parse_tree
from symgrad.notation.render import normal, to_latex, to_text
from symgrad.notation.syntax import Tree
from symgrad.ops import OPERATIONS

SHARED = Path(__file__).resolve().parents[2] / "shared" / "cases"
HOSTILE = json.loads((Path(__file__).parent / "data" / "hostile_reading.json").read_text())

#: source, its text, its LaTeX
PRINTED = [
    (r"2Wxx^{\top}", "2 W x xᵀ", r"2\,W x x^{\top}"),
    (r"(\operatorname{softmax}(Wx)-\operatorname{onehot}(y))x^{\top}", "(softmax(W x) - onehot(y)) xᵀ",
     r"(\operatorname{softmax}(W x) - \operatorname{onehot}(y)) x^{\top}"),
    (r"\|Wx\|^2", "‖W x‖²", r"\lVert W x \rVert^{2}"),
    (r"\|x\|_2^2", "‖x‖_2²", r"\lVert x \rVert_{2}^{2}"),
    ("W_2' g ⊙ 1[W_1 x > 0]", "W_2ᵀ g ⊙ 1[W_1 x > 0]", r"W_{2}^{\top} g \odot \mathbf{1}[W_{1} x > 0]"),
    ("sum_{j != y} max(0, s_j - s_y + 1)", "∑_{j ≠ y} max(0, s_j - s_y + 1)", r"\sum_{j \neq y} \max(0, s_{j} - s_{y} + 1)"),
    ("1/N sum_{i=1}^N L_i + lam ||W||^2", "1/N ∑_{i=1}^N L_i + λ ‖W‖²",
     r"\frac{1}{N} \sum_{i=1}^{N} L_{i} + \lambda \lVert W \rVert^{2}"),
    ("1/2 x' A x", "1/2 xᵀ A x", r"\frac{1}{2} x^{\top} A x"),
    (r"\frac{e^{s_i}}{\sum_je^{s_j}}", "exp(s_i)/(∑_j exp(s_j))", r"\frac{e^{s_{i}}}{\sum_{j} e^{s_{j}}}"),
    ("a (b + c)", "a (b + c)", "a (b + c)"),
    ("x (1/2)", "x (1/2)", r"x \frac{1}{2}"),
    ("x × 2", "x × 2", r"x \times 2"),
    ("loss × (a + b)", "loss × (a + b)", r"\mathrm{loss} \times (a + b)"),
    ("-(a + b)", "-(a + b)", "-(a + b)"),
    ("a - (b - c)", "a - (b - c)", "a - (b - c)"),
    ("(a b)' c", "(a b)ᵀ c", r"(a b)^{\top} c"),
    ("(x^2)^3", "(x²)³", "(x^{2})^{3}"),
    ("x^(i + 1)", "x^{i + 1}", "x^{i + 1}"),
    ("X^-1 y", "X⁻¹ y", "X^{-1} y"),
    ("(∑_i x_i) y", "(∑_i x_i) y", r"\left( \sum_{i} x_{i} \right) y"),
    ("a^{(2)}_1", "a^{(2)}_1", "a^{(2)}_{1}"),
    (r"\hat{y}^{\top}\lambda", "ŷᵀ λ", r"\hat{y}^{\top} \lambda"),
    (r"\frac{\partial L}{\partial W_1}", "∂L/∂W_1", r"\frac{\partial L}{\partial W_{1}}"),
    (r"\begin{cases}x&x>0\\0&\text{otherwise}\end{cases}", "cases(x if x > 0; 0 otherwise)",
     r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}"),
    ("[a, b; c, d]", "[a, b; c, d]", r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}"),
    ("2 * X.T @ (X @ w - y) / n", "2 * X.T @ (X @ w - y) / n", None),
    ("-0.0", "0", "0"),
    ("0.044715 x", "0.044715 x", r"0.044715\,x"),
    ("‖a (‖x‖) b‖", "(‖a (‖x‖) b‖)", None),
]  # fmt: skip


def own_sources() -> list[tuple[str, str]]:
    rules = {f for op in OPERATIONS.values() for f in (*(r.formula for r in op.rules), op.definition, *op.kinks) if f}
    rows = [(row["source"], row["syntax"]) for row in HOSTILE if "source" in row]
    return [(formula, "text") for formula in sorted(rules)] + rows + [(row[0], "auto") for row in PRINTED]


def check_round_trip(tree: Tree) -> None:
    for shown, syntax in ((to_text(tree), "text"), (to_latex(tree), "latex")):
        try:
            again = parse_tree(shown, syntax=syntax).tree
        except InputError as error:
            raise AssertionError(f"{tree!r} prints as {shown}, which cannot be read: {error}") from error
        assert normal(again) == normal(tree), f"{tree!r} prints as {shown}, which is {again!r}"
    check_latex(to_latex(tree))


def check_latex(shown: str) -> None:
    """Balanced groups and environments, paired \\left and \\right, no double scripts: what TeX insists on."""
    depth = 0
    for token in re.findall(r"\\[A-Za-z]+|\\.|.", shown, re.DOTALL):
        depth += (token == "{") - (token == "}")
        assert depth >= 0, shown
    assert depth == 0, shown
    assert len(re.findall(r"\\left(?![A-Za-z])", shown)) == len(re.findall(r"\\right(?![A-Za-z])", shown)), shown
    assert re.findall(r"\\begin\{(\w+)\}", shown).sort() == re.findall(r"\\end\{(\w+)\}", shown).sort()
    flat = shown
    while True:  # replace innermost groups until scripts stand side by side
        inner = re.sub(r"\{[^{}]*\}", "•", flat)
        if inner == flat:
            break
        flat = inner
    assert not re.search(r"\^(\\?[A-Za-z]+|.)\^|_(\\?[A-Za-z]+|.)_|\^(\\?[A-Za-z]+|.)_(\\?[A-Za-z]+|.)\^", flat), shown
    assert not re.search("[α-ωΑ-Ω∑‖²ᵀ⊙≠]", shown), shown


@pytest.mark.parametrize(("source", "text", "latex"), PRINTED, ids=[ascii(row[0]) for row in PRINTED])
def test_print(source: str, text: str, latex: str | None) -> None:
    tree = parse_tree(source).tree
    assert to_text(tree) == text
    assert latex is None or to_latex(tree) == latex
    check_round_trip(tree)


@pytest.mark.parametrize(("source", "syntax"), own_sources(), ids=lambda value: ascii(value)[:50])
def test_round_trip(source: str, syntax: str) -> None:
    try:
        tree = parse_tree(source, syntax=syntax).tree
    except InputError:
        pytest.skip("refused")
    check_round_trip(tree)


def test_round_trip_of_the_corpus() -> None:
    if not (SHARED / "corpus.json").exists():
        pytest.skip("no corpus here")
    sources = [
        (case[field], field.removeprefix("claimed_"))
        for case in json.loads((SHARED / "corpus.json").read_text())
        for field in ("text", "latex", "claimed_text", "claimed_latex")
        if case.get(field) and (not field.startswith("claimed") or case["claimed_form"] == "expr")
    ]
    read = 0
    for source, syntax in dict.fromkeys(sources):
        try:
            tree = parse_tree(source, syntax=syntax).tree
        except InputError:
            continue
        read += 1
        check_round_trip(tree)
    assert read > 800


def test_the_checks_can_fail() -> None:
    with pytest.raises(AssertionError):  # a name the parser cannot spell
        check_round_trip(Tree("name", (), "x + y"))
    with pytest.raises(AssertionError):
        check_latex("x^{2}^{3}")
    with pytest.raises(AssertionError):
        check_latex(r"\left( x \right) \left( y )")
    with pytest.raises(AssertionError):
        check_latex("{x}}{")


# trees nobody wrote

SMALL = st.integers(0, 12).map(lambda n: Tree("num", (), n))
NUMBERS = SMALL | st.sampled_from([Fraction(1, 2), Fraction(3, 10), Fraction(1, 3), Fraction(44715, 10**6)]).map(
    lambda value: Tree("num", (), value)
)
NAMES = st.sampled_from(
    "x y W A b lam theta Sigma yhat W_hh W_1 a^(2) loss alpha sigma f Phi mu_train xbar S_B ell".split()
).map(lambda name: Tree("name", (), name))
INDICES = st.sampled_from("i j k l".split()).map(lambda name: Tree("name", (), name))
LEAVES = NUMBERS | NAMES | st.just(Tree("const", (), "pi")) | st.just(Tree("call", (), "ones"))
CALLS = st.sampled_from("log exp sin softmax sigmoid tanh det tr inv sqrt abs sum relu diag g".split())


def plain(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """What a mathematician writes."""
    subscripts = st.lists(
        INDICES | SMALL | INDICES.map(lambda i: Tree("add", (i, Tree("num", (), 1)), (1, 1))), min_size=1, max_size=3
    )
    conditions = st.tuples(children, children, st.sampled_from(["<", ">", "<=", ">=", "!=", "="])).map(
        lambda t: Tree("compare", t[:2], t[2])
    )
    several = st.lists(children, min_size=2, max_size=4).map(tuple)
    signs = st.lists(st.sampled_from([1, -1]), min_size=4, max_size=4)
    return st.one_of(
        children.filter(lambda t: t.head != "num").map(lambda t: Tree("neg", (t,))),
        st.tuples(several, signs).map(lambda t: Tree("add", t[0], tuple(t[1][: len(t[0])]))),
        several.map(lambda args: Tree("mul", args, "")),
        st.tuples(children, children, st.sampled_from([".", "odot"])).map(lambda t: Tree("mul", t[:2], t[2])),
        st.tuples(children.filter(no_number), children.filter(nonzero), st.sampled_from(["", "odot"])).map(lambda t: Tree("div", t[:2], t[2])),
        st.tuples(children, children.filter(no_array), st.sampled_from(["", "odot"])).map(lambda t: Tree("pow", t[:2], t[2])),
        children.filter(lambda t: t.head != "num").map(lambda t: Tree("transpose", (t,))),
        st.tuples(CALLS, children).map(lambda t: Tree("call", (t[1],), t[0])).filter(lambda t: t.value != "g"),
        st.tuples(children, children).map(lambda t: Tree("call", t, "max")),
        st.tuples(children, children).map(lambda t: Tree("call", t, "kron")),
        st.tuples(children, st.sampled_from(["", "1", "2", "F", "inf", "*"])).map(lambda t: Tree("norm", (t[0],), t[1])),
        children.map(lambda t: Tree("bars", (t,))),
        st.tuples(children, children).map(lambda t: Tree("inner", t)),
        st.tuples(NAMES | children.filter(lambda t: t.head != "num"), subscripts).map(lambda t: Tree("index", (t[0], *t[1]))),
        st.tuples(children, children).map(lambda t: big(t[0], Tree("binder", (Tree("num", (), 1), t[1]), (("i",), "range")))),
        children.map(lambda t: big(t, Tree("binder", (), (("i", "j"), "all")))),
        children.map(lambda t: big(t, Tree("binder", (Tree("compare", (letter("j"), letter("y")), "!="),), (("j",), "where")))),
        conditions.map(lambda t: Tree("indicator", (t,))),
        st.tuples(children, conditions, children).map(lambda t: Tree("cases", (*t, Tree("otherwise")))),
        st.lists(children.filter(no_array), min_size=2, max_size=4).map(lambda a: Tree("array", tuple(a), (len(a), None))),
        st.tuples(*[children.filter(no_array)] * 4).map(lambda args: Tree("array", args, (2, 2))),
        children.map(lambda t: Tree("assemble", (t,), ("i", "j"))),
        st.tuples(children, NAMES).map(lambda t: Tree("derivative", t, 1)),
    )  # fmt: skip


def program(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """What NumPy text holds."""
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.tuples(several, st.sampled_from(["star", "@"])).map(lambda t: Tree("mul", t[0], t[1])),
        st.tuples(children.filter(no_number), children.filter(nonzero)).map(lambda t: Tree("div", t, "")),
        st.tuples(children, children).map(lambda t: Tree("pow", t, "odot")),
        st.tuples(several, st.lists(st.sampled_from([1, -1]), min_size=3, max_size=3)).map(
            lambda t: Tree("add", t[0], tuple(t[1][: len(t[0])]))
        ),
        children.filter(lambda t: t.head != "num").map(lambda t: Tree("transpose", (t,))),
        st.tuples(CALLS, children).map(lambda t: Tree("call", (t[1],), t[0])).filter(lambda t: t.value != "g"),
        children.map(lambda t: Tree("call", (t, Tree("keyword", (Tree("num", (), 1),), "axis")), "sum")),
    )


def no_number(tree: Tree) -> bool:
    return tree.head != "num"


def no_array(tree: Tree) -> bool:
    """x^{[1, 2]} is a name with a layer above it, not a power, and rows of rows are a matrix."""
    return tree.head not in ("array", "assemble")


def nonzero(tree: Tree) -> bool:
    return tree.head != "num" or bool(tree.value)


def letter(name: str) -> Tree:
    return Tree("name", (), name)


def big(body: Tree, binder: Tree) -> Tree:
    return Tree("big", (body, binder), "sum")


@settings(max_examples=600, deadline=None)
@given(st.recursive(LEAVES, plain, max_leaves=8))
def test_random_trees(tree: Tree) -> None:
    check_round_trip(tree)


@settings(max_examples=300, deadline=None)
@given(st.recursive(NUMBERS | NAMES, program, max_leaves=8).map(lambda t: Tree("mul", (t, letter("x")), "@")))
def test_random_programs(tree: Tree) -> None:
    check_round_trip(tree)


def test_deep_and_wide_trees_print_without_recursion() -> None:
    deep = letter("x")
    for _ in range(3000):
        deep = Tree("call", (deep,), "exp")
    assert to_text(deep).count("exp(") == 3000
    wide = Tree("add", (letter("x"),) * 3000, (1,) * 3000)
    assert to_latex(wide).count("x") == 3000
