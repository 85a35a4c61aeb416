"""What the parser reads: one row, one source, one tree; sources that must agree; errors with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symgrad.errors import InputError
from symgrad.notation import names
from symgrad.notation.parser import Parsed, parse_tree
from symgrad.ops import OPERATIONS

SHARED = Path(__file__).resolve().parents[2] / "shared" / "cases" / "corpus.json"

#: source, its tree.  LaTeX is what holds a backslash or a dollar sign.
TREES = [
    ("||W x||^2", "(pow '' (norm '' (mul '' (name 'W') (name 'x'))) (num 2))"),
    (r"\|Wx\|_2^2", "(pow '' (norm '2' (mul '' (name 'W') (name 'x'))) (num 2))"),
    (r"\|x\|^2_2", "(pow '' (norm '2' (name 'x')) (num 2))"),
    (r"\lVert X \rVert_F", "(norm 'F' (name 'X'))"),
    ("||X||_*", "(norm '*' (name 'X'))"),
    (r"\left\|x\right\|_\infty", "(norm 'inf' (name 'x'))"),
    ("1/N||X w - y||^2", "(mul '' (div '' (num 1) (name 'N')) (pow '' (norm '' (add (1, -1) (mul '' (name 'X') (name 'w')) "
     "(name 'y'))) (num 2)))"),
    ("|A||B|", "(mul '' (bars (name 'A')) (bars (name 'B')))"),
    (r"\log|X|", "(call 'log' (bars (name 'X')))"),
    ("W_2 max(0, W_1 x)", "(mul '' (index (name 'W') (num 2)) (call 'max' (num 0) (mul '' (index (name 'W') (num 1)) (name 'x'))))"),
    ("max(0, W1 @ x)", "(call 'max' (num 0) (mul '@' (name 'W_1') (name 'x')))"),
    ("a b/c d", "(mul '' (div '' (mul '' (name 'a') (name 'b')) (name 'c')) (name 'd'))"),
    ("a * b @ c / d", "(div '' (mul '@' (mul 'star' (name 'a') (name 'b')) (name 'c')) (name 'd'))"),
    ("2 * a b", "(mul '' (num 2) (name 'a') (name 'b'))"),
    ("x .* y ./ z", "(div 'odot' (mul 'odot' (name 'x') (name 'y')) (name 'z'))"),
    (r"A x\odot b c", "(mul 'odot' (mul '' (name 'A') (name 'x')) (mul '' (name 'b') (name 'c')))"),
    (r"w\cdot x+b", "(add (1, 1) (mul '.' (name 'w') (name 'x')) (name 'b'))"),
    (r"A\otimes X", "(call 'kron' (name 'A') (name 'X'))"),
    ("-a + b - c", "(add (-1, 1, -1) (name 'a') (name 'b') (name 'c'))"),
    ("-1 + x", "(add (-1, 1) (num 1) (name 'x'))"),
    ("-2 x", "(neg (mul '' (num 2) (name 'x')))"),
    ("x^2^3", "(pow '' (name 'x') (pow '' (num 2) (num 3)))"),
    ("-x^2", "(neg (pow '' (name 'x') (num 2)))"),
    ("x**2", "(pow 'odot' (name 'x') (num 2))"),
    ("x²", "(pow '' (name 'x') (num 2))"),
    ("X⁻¹", "(pow '' (name 'X') (num -1))"),
    ("X^-T", "(transpose (pow '' (name 'X') (num -1)))"),
    (r"W_{ij}", "(index (name 'W') (name 'i') (name 'j'))"),
    (r"W_{hh}", "(name 'W_hh')"),
    (r"y_{\text{train}}", "(name 'y_train')"),
    (r"W_{12}", "(index (name 'W') (num 12))"),
    (r"$s_{iy_i}$", "(index (name 's') (name 'i') (index (name 'y') (name 'i')))"),
    (r"\sum_f v_{jf}", "(big 'sum' (index (name 'v') (name 'j') (name 'f')) (binder (('f',), 'all')))"),
    (r"W_{j,:}", "(index (name 'W') (name 'j') (slice))"),
    ("x[i, j]", "(index (name 'x') (name 'i') (name 'j'))"),
    ("x [1, 2]", "(mul '' (name 'x') (array (2, None) (num 1) (num 2)))"),
    (r"x_{i+j}", "(index (name 'x') (add (1, 1) (name 'i') (name 'j')))"),
    (r"a^{(2)}_1", "(index (name 'a^(2)') (num 1))"),
    (r"a_1^{(2)}", "(index (name 'a^(2)') (num 1))"),
    (r"W^{[1]\top}", "(transpose (name 'W^(1)'))"),
    (r"\hat{y}_{i,j}^{(t)}", "(index (name 'yhat') (name 't') (name 'i') (name 'j'))"),
    (r"X^{(i)}w", "(mul '' (index (name 'X') (name 'i')) (name 'w'))"),
    (r"x_i^{\top}", "(transpose (index (name 'x') (name 'i')))"),
    (r"[x_i]_{i}", "(assemble ('i',) (index (name 'x') (name 'i')))"),
    (r"$(AB)_{ij}$", "(index (mul '' (name 'A') (name 'B')) (name 'i') (name 'j'))"),
    (r"\operatorname{softmax}(x)_i", "(index (call 'softmax' (name 'x')) (name 'i'))"),
    (r"\sum_i a_ib_i+c", "(add (1, 1) (big 'sum' (mul '' (index (name 'a') (name 'i')) (index (name 'b') (name 'i'))) "
     "(binder (('i',), 'all'))) (name 'c'))"),
    (r"\sum_{t=1}^T x_t", "(big 'sum' (index (name 'x') (name 't')) (binder (('t',), 'range') (num 1) (name 'T')))"),
    (r"\sum_{j\neq y_i}s_j", "(big 'sum' (index (name 's') (name 'j')) (binder (('j',), 'where') "
     "(compare '!=' (name 'j') (index (name 'y') (name 'i')))))"),
    (r"\sum_{i<j}x_ix_j", "(big 'sum' (mul '' (index (name 'x') (name 'i')) (index (name 'x') (name 'j'))) "
     "(binder (('i', 'j'), 'where') (compare '<' (name 'i') (name 'j'))))"),
    (r"\sum_{ij}x_{ij}", "(big 'sum' (index (name 'x') (name 'i') (name 'j')) (binder (('i', 'j'), 'all')))"),
    (r"\sum G\odot H", "(call 'sum' (mul 'odot' (name 'G') (name 'H')))"),
    (r"\sum(a-b)^2", "(call 'sum' (pow '' (add (1, -1) (name 'a') (name 'b')) (num 2)))"),
    ("sum(a - b)^2", "(pow '' (call 'sum' (add (1, -1) (name 'a') (name 'b'))) (num 2))"),
    ("sum(x, axis=1)", "(call 'sum' (name 'x') (keyword 'axis' (num 1)))"),
    ("max_j s_j", "(big 'max' (index (name 's') (name 'j')) (binder (('j',), 'all')))"),
    (r"q_1^2+\cdots+q_n^2", "(big 'sum' (pow '' (index (name 'q') (name 'i')) (num 2)) (binder (('i',), 'range') (num 1) (name 'n')))"),
    (r"\sum_{i,j}G_{ij}\sum_m\sum_n I(i+m,j+n)K(m,n)", None),
    ("log x + 1", "(add (1, 1) (call 'log' (name 'x')) (num 1))"),
    (r"\log 2\pi", "(call 'log' (mul '' (num 2) (const 'pi')))"),
    (r"\sin^2 x", "(pow '' (call 'sin' (name 'x')) (num 2))"),
    (r"\ln\det(A)", "(call 'log' (call 'det' (name 'A')))"),
    (r"\operatorname{tr}XAXB", "(call 'tr' (mul '' (name 'X') (name 'A') (name 'X') (name 'B')))"),
    (r"\log_{10}(p)", "(call 'log10' (name 'p'))"),
    (r"\log_2 p", "(div '' (call 'log' (name 'p')) (call 'log' (num 2)))"),
    ("exp(x)**2", "(pow 'odot' (call 'exp' (name 'x')) (num 2))"),
    (r"e^{-x}", "(call 'exp' (neg (name 'x')))"),
    (r"e_k^{\top}x", "(mul '' (transpose (index (name 'e') (name 'k'))) (name 'x'))"),
    ("e x", "(mul '' (const 'e') (name 'x'))"),
    ("e = y - x; e^T e", "(block (equation (name 'e') (add (1, -1) (name 'y') (name 'x'))) (mul '' (transpose (name 'e')) (name 'e')))"),
    (r"\frac12x", "(mul '' (num Fraction(1, 2)) (name 'x'))"),
    (r"\frac{a}{b}", "(div '' (name 'a') (name 'b'))"),
    (r"\sqrt[3]{x}", "(pow '' (name 'x') (num Fraction(1, 3)))"),
    ("√x", "(call 'sqrt' (name 'x'))"),
    ("0.1", "(num Fraction(1, 10))"),
    ("0777", "(num 777)"),
    ("24!", "(call 'factorial' (num 24))"),
    ("<u, v>", "(inner (name 'u') (name 'v'))"),
    (r"\langle u, v\rangle", "(inner (name 'u') (name 'v'))"),
    ("1[x > 0]", "(indicator (compare '>' (name 'x') (num 0)))"),
    (r"\mathbf{1}_{k=i}", "(indicator (compare '=' (name 'k') (name 'i')))"),
    (r"\mathbb{1}(k=y_i)", "(indicator (compare '=' (name 'k') (index (name 'y') (name 'i'))))"),
    ("I(x > 0)", "(indicator (compare '>' (name 'x') (num 0)))"),
    ("1.0 * ((x > -1) & (x < 1))", None),
    (r"\mathbf{1}[-1<x<1]", "(indicator (and (compare '<' (num -1) (name 'x')) (compare '<' (name 'x') (num 1))))"),
    (r"\mathbf{1}^{\top}x", "(mul '' (transpose (call 'ones')) (name 'x'))"),
    ("(w @ x > 0)*x", "(mul 'star' (indicator (compare '>' (mul '@' (name 'w') (name 'x')) (num 0))) (name 'x'))"),
    (r"\begin{cases}x & \text{if } x>0 \\ 0 & \text{otherwise}\end{cases}",
     "(cases (name 'x') (compare '>' (name 'x') (num 0)) (num 0) (otherwise))"),
    ("cases(x if x > 0; 0 otherwise)", "(cases (name 'x') (compare '>' (name 'x') (num 0)) (num 0) (otherwise))"),
    ("where(x > 0, x, 0)", "(cases (name 'x') (compare '>' (name 'x') (num 0)) (num 0) (otherwise))"),
    ("x if x > 0 else 0", "(cases (name 'x') (compare '>' (name 'x') (num 0)) (num 0) (otherwise))"),
    ("[1, 2; 3, 4]", "(array (2, 2) (num 1) (num 2) (num 3) (num 4))"),
    ("np.array([[1, 2], [3, 4]])", "(array (2, 2) (num 1) (num 2) (num 3) (num 4))"),
    (r"\begin{bmatrix}a\\b\end{bmatrix}", "(array (2, None) (name 'a') (name 'b'))"),
    ("x.T.dot(y).sum()", "(call 'sum' (mul '@' (transpose (name 'x')) (name 'y')))"),
    ("q = W x; f = ||q||^2", "(block (equation (name 'q') (mul '' (name 'W') (name 'x'))) (equation (name 'f') "
     "(pow '' (norm '' (name 'q')) (num 2))))"),
    ("g(z) = 1/(1 + exp(-z))\ng(W x)", "(block (equation (call 'g' (name 'z')) (div '' (num 1) (add (1, 1) (num 1) (call 'exp' "
     "(neg (name 'z')))))) (call 'g' (mul '' (name 'W') (name 'x'))))"),
    (r"h_\theta(x)=\theta^{T}x", "(equation (call 'h_theta' (name 'x')) (mul '' (transpose (name 'theta')) (name 'x')))"),
    (r"J=CE(y,\hat{y})=-y\hat{y}", "(equation (name 'J') (call 'CE' (name 'y') (name 'yhat')) (neg (mul '' (name 'y') (name 'yhat'))))"),
    (r"L=\frac{1}{N}\sum_iL_i(x_i,W)+R(W),\ R=\|W\|^2", None),
    (r"\log g'(x),\ g=\sigma", "(block (call 'log' (call \"g'\" (name 'x'))) (equation (name 'g') (name 'sigma')))"),
    (r"\nabla_W f=2W", "(equation (derivative 1 (name 'f') (name 'W')) (mul '' (num 2) (name 'W')))"),
    (r"\frac{\partial L}{\partial W_{ij}}=1", "(equation (derivative 1 (name 'L') (index (name 'W') (name 'i') (name 'j'))) (num 1))"),
    (r"\frac{\partial^2f}{\partial x\partial y}", "(derivative 2 (name 'f') (name 'x') (name 'y'))"),
    ("dL/dW = 2 W", "(equation (derivative 1 (name 'L') (name 'W')) (mul '' (num 2) (name 'W')))"),
    ("∂L/∂W = 2 W", "(equation (derivative 1 (name 'L') (name 'W')) (mul '' (num 2) (name 'W')))"),
    ("d/dx x^2", "(derivative 1 (pow '' (name 'x') (num 2)) (name 'x'))"),
    ("diff(x^3, x, 2)", "(derivative 2 (pow '' (name 'x') (num 3)) (name 'x'))"),
    ("W ∈ R^{m×n}; W x", "(block (declare ('m', 'n') (name 'W')) (mul '' (name 'W') (name 'x')))"),
    (r"x\in\mathbb{R}^n", "(declare ('n',) (name 'x'))"),
    ("x'Ax", "(mul '' (transpose (name 'x')) (name 'Ax'))"),
    (r"$x'Ax$", "(mul '' (transpose (name 'x')) (name 'A') (name 'x'))"),
    ("λx", "(mul '' (name 'lam') (name 'x'))"),
]  # fmt: skip

#: Sources that say the same thing.
ALIKE = [
    ("x^T A x", "x' A x", "xᵀ A x", r"x^{\top}Ax", r"x^\intercal A x", r"$x^TAx$", "x^⊤ A x", r"\mathbf{x}^{T}\mathbf{A}\mathbf{x}"),
    ("x ⊙ y", "x .* y", r"x\odot y", r"x \circ y", "x ∘ y"),
    ("||x||", "‖x‖", r"\|x\|", r"\Vert x\Vert", r"\lVert x \rVert", r"\left\| x \right\|", r"\bigl\|x\bigr\|", "norm(x)"),
    (r"\max(0,x)", "max(0, x)", "np.maximum(0, x)", r"\max\{0, x\}", r"\max\left(0,x\right)", "max(0; x)", r"\mathrm{max}(0,x)"),
    (r"\lambda\hat{y}", "λ ŷ", "lam yhat", "lambda y_hat", r"\lambda \hat y"),
    (r"\operatorname{softmax}(Wx)", "softmax(W x)", r"\mathrm{softmax}(W x)", r"\text{softmax}(Wx)", r"\softmax(Wx)"),
    ("x^2 + 1", "  x ^ 2+1 # comment", "x\u00a0^2 +\n1", "(x^2 + 1)", "x^{2} + 1"),
    (r"\frac{x}{y}", r"\tfrac{x}{y}", r"\dfrac xy", "x/y"),
    (r"\, x % comment", "$x$", r"\[x\]", r"\(x\)", "$$ x $$", r"\ x"),
    ("1[x≤1]", "1[x <= 1]", r"\mathbf{1}[x\leq 1]", r"\mathbb 1\{x \le 1\}", r"\mathbf{1}_{x \leqslant 1}"),
    (r"f = x \\ g = y", "f = x; g = y", "f = x\ng = y", r"f = x,\ g = y", "\\begin{align} f &= x \\\\ g &= y \\end{align}"),
    ("∑_{i=1}^n x_i", "sum_{i=1}^n x_i", r"\sum_{i=1}^nx_i", r"\sum_i^n x_i", "Σ_{i=1}^{n} x_i", r"x_1+x_2+\cdots+x_n"),
]  # fmt: skip

#: source, code, offset, and words of the message or hint.
ERRORS = [
    ("f = x^2; f(2)", "AMBIGUOUS", 9, "a value of f"),
    (r"f = \mu^2; f(-1)", "AMBIGUOUS", 11, "a value of f"),
    (r"\sigma = x^2; \sigma(2)", "AMBIGUOUS", 14, "the name that is defined"),
    (r"e^{-x^2/2\sigma^2}", "AMBIGUOUS", 9, "below the line"),
    (r"x^T y/\|x\|\|y\|", "AMBIGUOUS", 11, "below the line"),
    (r"1/\sqrt{2\pi}\sigma", "AMBIGUOUS", 13, "below the line"),
    (r"\lambda/\mu x", "AMBIGUOUS", 12, "below the line"),
    (r"1/n(n-1)\pi", "AMBIGUOUS", 3, "below the line"),
    ("x / y z", "AMBIGUOUS", 6, "below the line"),
    ("exp(-x^2/2 s^2)", "AMBIGUOUS", 11, "below the line"),
    ("x^T A x/x^T x", "AMBIGUOUS", 12, "below the line"),
    (r"\pi{-x}^2", "AMBIGUOUS", 3, "not printed"),
    (r"\exp{-x}^2", "AMBIGUOUS", 4, "not printed"),
    (r"\pi{a+b}c", "AMBIGUOUS", 3, "not printed"),
    (r"{W \mathbf{x}}^T y", "AMBIGUOUS", 0, "not printed"),
    (r"\pi e^x^2", "PARSE", 7, "second superscript"),
    ("x''", "AMBIGUOUS", 2, "two primes"),
    ("1^T x", "AMBIGUOUS", 2, "no transpose"),
    (r"1^\top x", "AMBIGUOUS", 2, "no transpose"),
    ("1' x", "AMBIGUOUS", 1, "no transpose"),
    ("||W x - y|^2", "PARSE", 9, "two bars"),
    ("|x|y|z|", "AMBIGUOUS", 0, "brackets"),
    ("(x]", "PARSE", 2, "expected )"),
    ("[x)", "PARSE", 2, "expected ]"),
    ("x +", "PARSE", 3, "found the end"),
    ("x=", "PARSE", 1, "right side"),
    ("2 3", "PARSE", 2, "two factors"),
    ("x^TA x", "AMBIGUOUS", 2, "write ^T A"),
    (r"x^10", "PARSE", None, None),
    (r"\pi x^10", "AMBIGUOUS", 6, "^{10}"),
    (r"\log x y", "AMBIGUOUS", 0, "one factor"),
    (r"\sin^{-1} x", "AMBIGUOUS", 0, "arcsin"),
    ("1/2n", "AMBIGUOUS", 3, "below"),
    ("sum (x)^2", "AMBIGUOUS", 0, "sum of squares"),
    (r"\sum x", "PARSE", 4, "index"),
    (r"\sum_{i=1} x_i", "PARSE", 6, "upper bound"),
    (r"\frac{1}{0}", "DOMAIN", 9, "zero"),
    (r"\sqrt[0]{x}", "DOMAIN", 6, "root"),
    (r"\begin{matrix}1&2\\3\end{matrix}", "SHAPE", 19, "row 2 has 1 of 2"),
    (r"\foo x", "COMMAND", 0, "\\foo"),
    (r"\begin{foo}x\end{foo}", "COMMAND", 0, "foo"),
    ("softmx(x)", "NAME", 0, "softmax"),
    ("f(x, y)", "NAME", 0, "not known"),
    ("nan", "NAME", 0, "nan"),
    ("sin()", "ARITY", 3, "argument"),
    ("x ≤ y", "PARSE", 2, "1[x > 0]"),
    ("x\ny", "PARSE", 2, "two formulas"),
    (r"x\\y", "PARSE", 1, "two formulas"),
    ("x\u200by", "CHAR", 1, "U+200B"),
    ("x°", "CHAR", 1, "U+00B0"),
    ("𝐱 - x", "CHAR", 0, "U+1D431"),
    ("1e400", "LIMIT_NUMBER", 0, "too large"),
    ("x" * 65, "LIMIT_NAME", 0, "64"),
    ("(" * 101 + "x" + ")" * 101, "LIMIT_DEPTH", 100, "100"),
    ("x" + "'" * 200, "AMBIGUOUS", 2, "two primes"),
    ("a" * 300_000, "LIMIT_LENGTH", 0, "20000"),
]  # fmt: skip


def read(source: str) -> Parsed:
    return parse_tree(source)


def check_tree(source: str, tree: str | None) -> None:
    found = repr(read(source).tree)
    if tree is not None:
        assert found == tree


def check_error(source: str, code: str, offset: int | None, words: str | None) -> None:
    try:
        read(source)
    except InputError as error:
        assert error.code == code
        assert offset is None or error.offset == offset
        assert words is None or words in error.message + error.hint
    else:
        assert words is None, "no error"


@pytest.mark.parametrize(("source", "tree"), TREES, ids=[ascii(source) for source, _ in TREES])
def test_tree(source: str, tree: str | None) -> None:
    check_tree(source, tree)


@pytest.mark.parametrize("sources", ALIKE, ids=[ascii(sources[0]) for sources in ALIKE])
def test_spellings_agree(sources: tuple[str, ...]) -> None:
    first, *others = (repr(read(source).tree) for source in sources)
    assert others == [first] * len(others)


@pytest.mark.parametrize(("source", "code", "offset", "words"), ERRORS, ids=[ascii(row[0])[:40] for row in ERRORS])
def test_error(source: str, code: str, offset: int | None, words: str | None) -> None:
    check_error(source, code, offset, words)


def test_the_checks_can_fail() -> None:
    with pytest.raises(AssertionError):
        check_tree("x y", "(mul '' (name 'y') (name 'x'))")
    with pytest.raises(AssertionError):
        check_error("x +", "PARSE", 0, "found")
    with pytest.raises(AssertionError):
        check_error("x y", "PARSE", 0, "found")


@pytest.mark.parametrize(
    "formula",
    sorted({f for op in OPERATIONS.values() for f in (*(r.formula for r in op.rules), op.definition, *op.kinks) if f}),
)
def test_every_rule_of_the_operations_is_read(formula: str) -> None:
    read(formula)


def test_the_corpus_of_papers_is_read() -> None:
    """At least nine of ten formulas as papers write them; the others are refused by name, not misread."""
    if not SHARED.exists():
        pytest.skip("no corpus here")
    cases = json.loads(SHARED.read_text())
    sources = {(case[syntax], syntax) for case in cases for syntax in ("latex", "text")}
    refused = {}
    for source, syntax in sources:
        try:
            parse_tree(source, syntax=syntax)
        except InputError as error:
            refused[source] = error.code
    assert len(refused) < len(sources) / 10
    assert set(refused.values()) <= {"NAME", "PARSE", "AMBIGUOUS"}


@pytest.mark.parametrize(
    ("source", "syntax", "dialect"),
    [
        ("W @ x", "text", "numpy"), ("x**2", "text", "numpy"), ("X.T", "text", "numpy"), ("np.exp(x)", "text", "numpy"),
        ("a*x + b", "text", "numpy"), ("2 a * x", "text", "math"), ("W x", "text", "math"), ("max(0, x)", "text", "math"),
        (r"\theta * a", "latex", "math"), ("$a b$", "latex", "math"),
    ],
)  # fmt: skip
def test_dialect(source: str, syntax: str, dialect: str) -> None:
    parsed = read(source)
    assert (parsed.syntax, parsed.dialect) == (syntax, dialect)


def test_fonts_are_kept_beside_the_tree() -> None:
    parsed = read(r"\mathbf{x}^{\top}\boldsymbol{\Sigma}\vec{y}")
    assert {name: set(fonts) for name, fonts in parsed.fonts.items()} == {
        "x": {"bold"},
        "Sigma": {"bold"},
        "y": {"vec"},
    }


def test_functions_and_names_of_the_caller() -> None:
    assert repr(parse_tree("f(x, y)", functions={"f": "f"}).tree) == "(call 'f' (name 'x') (name 'y'))"
    assert repr(parse_tree(r"\sigma(x + 1)", names={"sigma"}).tree).startswith("(mul '' (name 'sigma')")
    assert repr(parse_tree("e^T e", names={"e"}).tree) == "(mul '' (transpose (name 'e')) (name 'e'))"
    assert repr(parse_tree("W_1 x", names={"W_1"}).tree) == "(mul '' (name 'W_1') (name 'x'))"


def test_spans_lie_over_what_was_written() -> None:
    source = "y + (a b) / x_2"
    tree = read(source).tree
    assert source[tree.args[1].start : tree.args[1].end] == "(a b) / x_2"
    assert source[tree.args[1].args[1].start : tree.args[1].args[1].end] == "x_2"


@pytest.mark.parametrize("terms", [3000])
def test_long_sums_are_flat(terms: int) -> None:
    tree = read("+".join(["x"] * terms)).tree
    assert len(tree.args) == terms


#: spellings of one variable, its canonical name, its text, its LaTeX
NAMES = [
    ((r"\theta", "θ", "theta", r"\mathbf{\theta}", r"\boldsymbol\theta"), "theta", "θ", r"\theta"),
    ((r"\lambda", "λ", "lambda", "lam"), "lam", "λ", r"\lambda"),
    ((r"\hat{y}", "ŷ", "y\u0302", "y_hat", "yhat", r"\hat y", r"\hat{\mathbf{y}}", r"\widehat{y}"), "yhat", "ŷ", r"\hat{y}"),
    ((r"\tilde h", r"\tilde{h}", "h_tilde"), "htilde", "h̃", r"\tilde{h}"),
    (("x̄", r"\bar{x}", r"\overline{x}", "xbar"), "xbar", "x̄", r"\bar{x}"),
    (("W1", "W_1", "W_{1}", r"\mathbf{W}_1"), "W_1", "W_1", "W_{1}"),
    (("W_hh", "W_{hh}", r"W_{\text{hh}}", r"W_{\mathrm{hh}}"), "W_hh", "W_hh", r"W_{\mathrm{hh}}"),
    ((r"\mathbf{x}", r"\boldsymbol{x}", r"\vec{x}", r"\mathrm{x}", "x"), "x", "x", "x"),
    ((r"\ell", "ℓ", "ell"), "ell", "ℓ", r"\ell"),
    (("a^{(2)}", "a^{[2]}", "a^(2)"), "a^(2)", "a^{(2)}", "a^{(2)}"),
    (("loss",), "loss", "loss", r"\mathrm{loss}"),
    (("X",), "X", "X", "X"),
    ((r"\Sigma_1", "Sigma_1", "Σ_1", "Sigma1"), "Sigma_1", "Σ_1", r"\Sigma_{1}"),
]  # fmt: skip


@pytest.mark.parametrize(("spellings", "name", "text", "latex"), NAMES, ids=[row[1] for row in NAMES])
def test_name(spellings: tuple[str, ...], name: str, text: str, latex: str) -> None:
    assert [names.canonical(spelling) for spelling in spellings] == [name] * len(spellings)
    assert (names.to_text(name), names.to_latex(name)) == (text, latex)
    assert names.canonical(text) == names.canonical(latex) == name


@pytest.mark.parametrize("spelling", ["", "1x", "x y", "x+1", r"\frac{1}{2}", "_x", "x" * 70, "x\u200b", "𝐱"])
def test_no_name(spelling: str) -> None:
    with pytest.raises(InputError):
        names.canonical(spelling)
