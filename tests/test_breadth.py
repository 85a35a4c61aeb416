"""Functions of the literature and hostile sources, each in one file: read, derived, and equal to what is stored.

`data/breadth.json` and `data/classic.json` are corpora as `benchmarks/corpus.py` reads them (which prints the table of
each); `expected` is the oracle's derivative at the first point of the case.  A case is tested in both of its forms, a part of them always, all in
the slow suite.  A row of `data/hostile_breadth.json` is a source and how it `reads`, or the `code` of its refusal.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

import symgrad as sg

DATA = Path(__file__).parent / "data"
CORPORA = ("breadth", "classic")
CASES: list[dict[str, Any]] = [
    case for name in CORPORA for case in json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
]
HOSTILE: list[dict[str, Any]] = json.loads((DATA / "hostile_breadth.json").read_text(encoding="utf-8"))
#: Cases that are refused in LaTeX, with the code of the refusal: what is written could be two things.
REFUSED = {
    # a function, or the logarithm, of the matrix or of every entry
    "cookbook-128": "AMBIGUOUS", "mi-matrix-exp": "AMBIGUOUS", "spd-affine-inv": "AMBIGUOUS",
    "von-neumann": "AMBIGUOUS",
    # a power of the trace, or of the matrix
    "mn-17-factor": "AMBIGUOUS", "gl-effective": "AMBIGUOUS", "ot-bures": "AMBIGUOUS",
    # the 1-norm of the entries, or the induced one
    "htf-17-glasso": "UNSUPPORTED", "pca-robust": "UNSUPPORTED",
    # the length of a vector, or the size of every entry
    "spring-energy": "AMBIGUOUS", "coulomb": "AMBIGUOUS",
    # the inverse of a function, or one over it; a zero block whose size nothing tells
    "rw-nn-kernel": "AMBIGUOUS", "lin-block-sum": "SHAPE",
    # three equations, and none of them needs another
    "lorenz": "AMBIGUOUS",
    # one bracket for an average over t, d(n) for the value d at the time n, p(x) and p(y) for different arrays
    "slow-features": "PARSE", "lms-leaky": "NAME", "mutual-info": "NAME",
}  # fmt: skip
#: Read and derived, but 0/0 in compiled code: a distance that 1[i < j] masks where i = j.
MASKED = {"sammon"}
EVERY = 10
FORMS = ("text", "latex")


@cache
def corpus() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus", Path(__file__).parents[1] / "benchmarks" / "corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def check(case: dict[str, Any], form: str) -> None:
    """The derivative of one form, compiled, has the expected entries at the first point of the case."""
    bench = corpus()
    called = bench.names(case, form)
    compiled = sg.compile(bench.derivative(case, form, called))
    known = bench._known(case, called, compiled, bench.point(case, 0))
    given = {v.name: known[v.name] for v in compiled.arguments} | {d: case["dims"][d] for d in compiled.sizes}
    got, want = np.asarray(compiled(**given)), np.asarray(case["expected"])
    if case["layout"] == "numerator" and got.shape == (1, *want.shape):
        got = got[0]
    assert got.shape == want.shape
    scale = max(np.max(np.abs(want), initial=0), 1e-6)
    assert np.max(np.abs(got - want), initial=0) <= 1e-8 * scale


def told(case: dict[str, Any]) -> str:
    return case["id"]


READ = [case for case in CASES if case["id"] not in REFUSED.keys() | MASKED]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", READ[::EVERY], ids=told)
def test_case(case: dict[str, Any], form: str) -> None:
    check(case, form)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", [case for k, case in enumerate(READ) if k % EVERY], ids=told)
def test_every_case(case: dict[str, Any], form: str) -> None:
    check(case, form)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_the_text_of_what_is_refused_in_latex(name: str) -> None:
    check(next(case for case in CASES if case["id"] == name), "text")


@pytest.mark.slow
@pytest.mark.parametrize("case", READ[5 :: 2 * EVERY], ids=told)
def test_what_is_expected_is_what_jax_derives(case: dict[str, Any]) -> None:
    """The stored values are the oracle's, and the table of the benchmark says so of both forms."""
    bench = corpus()
    with jax.enable_x64(True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space: dict[str, Any] = {}
        exec(case["jax_fn"], space)
        want = np.asarray(bench.oracle(case, space["f"], bench.point(case, 0)))
        assert np.allclose(want, np.asarray(case["expected"]), rtol=1e-9, atol=1e-11)
        assert {row.outcome for row in bench.rows([case])} == {"right"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused(name: str) -> None:
    case = next(case for case in CASES if case["id"] == name)
    with pytest.raises(sg.SymgradError) as problem:
        corpus().derivative(case, "latex", corpus().names(case, "latex"))
    assert getattr(problem.value, "code", "") == REFUSED[name]


def test_a_wrong_value_is_seen() -> None:
    case = next(case for case in CASES if case["id"] == "norm-cosine")
    wrong = {**case, "expected": [1.000001 * v for v in case["expected"]]}
    with pytest.raises(AssertionError):
        check(wrong, "text")
    with pytest.raises(AssertionError):
        check({**case, "text": "(u @ v) / (norm(u) * norm(u))"}, "text")


# --- hostile sources --------------------------------------------------------------------------------------------------


def outcome(row: dict[str, Any]) -> dict[str, str]:
    """How a source reads, or the code of its refusal; any other exception escapes."""
    try:
        return {"reads": sg.parse(row["source"], syntax=row["syntax"]).text}
    except sg.SymgradError as problem:
        str(problem).encode()
        return {"code": getattr(problem, "code", "") or type(problem).__name__}


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in HOSTILE}))
def test_hostile_sources(kind: str) -> None:
    rows = [row for row in HOSTILE if row["kind"] == kind]
    assert len(rows) >= 45
    other = {row["source"]: found for row in rows if not (found := outcome(row)).items() <= row.items()}
    assert other == {}


@pytest.mark.parametrize(
    ("piece", "times", "rest"),
    [
        ("f(", 60, "f(x) = x + 1; {}y"), ("f(", 39, "f(x) = x * x; {}y"), ("(", 20_000, "{}x"), ("\\min_x ", 900, "{}x^2"),
        ("x_i ", 4000, "{}"), ("|x|", 4000, "{}"), ("Σ_i ", 300, "{}x_i"), ("Ax", 3000, "{}"), ("q' ", 3000, "q' = 2 q; {}"),
        ("\\mathcal{N}(x|", 300, "{}"), ("\\left(\\begin{array}{cc}", 300, "{}"), ("E_D(", 90, "{}"),
    ],
)  # fmt: skip
def test_long_hostile_sources(piece: str, times: int, rest: str) -> None:
    """Read or refused; nothing else, and without exponential time (which would never end)."""
    outcome({"source": rest.format(piece * times), "syntax": "auto"})


def test_a_wrong_outcome_is_seen() -> None:
    row = {"source": "e^-x^2", "syntax": "text", "reads": "exp(x²)"}
    assert not outcome(row).items() <= row.items()


# --- readings that were wrong once ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "shapes", "same"),
    [
        ("x^T*A*x", "x: n, A: n n", "x^T A x"), ("||X*w - y||^2", "X: m n, w: n, y: m", "||X w - y||^2"),
        (r"L = D_W^2,\ D_W = \|a - b\|", "a: n, b: n", "||a - b||^2"), ("1/2 x.T @ x", "x: n", "(1/2) x^T x"),
        (r"\mathbf{w}^{\mathrm{T}} \mathbf{x}", "w: n, x: n", "w^T x"), ("Ax + b", "A: n n, x: n, b: n", "A x + b"),
        (r"\|x\|_F^2", "x: n, F: n n", "x^T F x"), (r"-\log p_y, p = \operatorname{softmax}(z)", "z: n", "-log softmax(z)_y"),
    ],
)  # fmt: skip
def test_reading(source: str, shapes: str, same: str) -> None:
    assert sg.parse(source, shapes=shapes).node is sg.parse(same, shapes=shapes).node


@pytest.mark.parametrize(
    ("source", "shapes", "same"),
    [
        (r"c^T (a \times b)", "a: 3, b: 3, c: 3", r"c^T cross(a, b)"),
        (r"\mathbf{A} : \mathbf{B} C", "A: m n, B: m k, C: k n", "sum(A .* (B C))"),
        (r"\sum_{i \in \mathcal{E}} x_i^2", "x: n", "||x||^2"),
        (r"\sum_{t=2}^{T} h_t y_t,\ h_t = y_{t-1}^2", "y: T", r"\sum_{t=2}^{T} y_{t-1}^2 y_t"),
        (r"\operatorname{tr}(A)'(B)", "A: m n, B: m n", "tr(A^T B)"), (r"|\mathbf{x}|^2", "x: n", "||x||^2"),
        (r"\left[z - 1\right]^+", "z:", "max(0, z - 1)"), (r"\log \mathbf{b}^T \mathbf{x}", "b: n, x: n", "log(b^T x)"),
        (r"\sum_i y_i \log \mu_i,\ \log \mu_i = a_i", "y: n, a: n", "sum(y .* log(exp(a)))"),
        (r"\sum_{ij} ([W H]_{ij})^3", "W: m k, H: k n", "sum((W H) .^ 3)"), ("norm1(X)", "X: n n", "sum(abs(X))"),
        (r"f(x) \stackrel{\mathrm{def}}{=} x^2", "x:", "x^2"), (r"x^{\mathsf H} A x", "x: n, A: n n", "x^T A x"),
        (r"\phi_1(x; \mu) = \mu x", "x: n, mu:", "mu x"), (r"k_{\nu = 3/2}(r) = r^2", "r:", "r^2"),
        (r"\sum_i r_i^2(x),\ r_i(x) = a_i x", "x:, a: n", "sum((a x) .^ 2)"), (r"\ln \Phi\left[x\right]", "x:", "log(Phi(x))"),
        (r"s_p(x)^T s_p(y),\ s_p(x) = P x", "P: n n, x: n, y: n", "(P x)^T (P y)"), (r"\sin a \, (b + 1)", "a:, b:", "sin(a) (b + 1)"),
    ],
)  # fmt: skip
def test_notation_of_the_handbooks(source: str, shapes: str, same: str) -> None:
    assert sg.parse(source, shapes=shapes, syntax="auto").node is sg.parse(same, shapes=shapes).node


@pytest.mark.parametrize(
    ("source", "shapes"),
    [
        (r"\operatorname{tr}(A)^{-1} B", "A: n n, B: n n"), (r"\operatorname{tr}(X \log X)", "X: n n"),
        (r"\|\log A - \log B\|_F^2", "A: n n, B: n n"), (r"x^H \cdot A x", "A: n n, x: n"),
        (r"a \times b \times c", "a: 3, b: 3, c: 3"), (r"(|\mathbf{x}| - d)^2", "x: n, d:"), (r"P^-H \cdot x", "P: n n, H: n n, x: n"),
    ],
)  # fmt: skip
def test_what_could_be_two_things_is_refused(source: str, shapes: str) -> None:
    with pytest.raises(sg.SymgradError) as problem:
        sg.parse(source, shapes=shapes)
    assert getattr(problem.value, "code", "") == "AMBIGUOUS"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("sum_{t=1}^T t c_t", 1 + 4 + 9), ("sum_{k=0}^{2} c[k] * 2^k", 1 + 4 + 12),
        (r"\sum_{t=2}^{T} t (c_t - c_{t-1})", 2 + 3), (r"\sum_{i=1}^T \sum_{j=1}^T (i - j)^2 c_i c_j", 2 * (2 + 12 + 6)),
    ],
)  # fmt: skip
def test_an_index_is_the_number_it_counts(source: str, value: float) -> None:
    read = sg.compile(sg.parse(source, shapes={"c": (3,) if "k" in source else ("T",)}))
    assert read(c=np.array([1.0, 2.0, 3.0])) == value


@pytest.mark.parametrize("name", [r"\mathbf{x}'", r"P_k^-", r"\mathbf{k}_*", r"\Delta u", r"\mathbf{X}_{(1)}"])
def test_declared_names(name: str) -> None:
    read = sg.parse(
        rf"{name}^T {name}" if "^" not in name else rf"({name})^T {name}", shapes={name: ("n",)}, syntax="latex"
    )
    assert len(read.variables) == 1
    assert read.shape == ()


def test_a_power_stays_inside_of_a_function_of_a_transpose() -> None:
    gradient = sg.gradient("tr(expm(W .* W))", "W", shapes="W: n n")
    assert "expm(W.^2)" in gradient.text
