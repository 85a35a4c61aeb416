"""Derivations: the steps are what computed the result, and read as a lecturer writes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symgrad as sg
from symgrad.catalog import CATALOG
from symgrad.derivation import Record, in_names, intermediates
from symgrad.expr import Node, Variable, postorder, scale, substitute
from symgrad.simplify.rules import Simplifier, same, simplify
from tests.random_expressions import scalar

PAIRS = [
    (name, v)
    for name in CATALOG
    for v, declared in sg.parse(name).variables.items()
    if "label" not in declared.assumptions
]


def folded(record: Record) -> Node | None:
    """The result by the steps alone: every upstream replaced by its value, then the names written out."""
    values: dict[Node, Node] = {}
    last = None
    for equation in record.equations:
        last = simplify(substitute(equation.local, values))
        values[record.upstream[equation.target]] = last
    return (
        None
        if last is None
        else substitute(last, {name: node for node, name in record.names.items() if node is not name})
    )


def folds_to_result(record: Record) -> bool:
    found = folded(record)
    return found is not None and same(simplify(found), simplify(record.result))


@pytest.mark.parametrize(("name", "wrt"), PAIRS)
def test_the_result_is_the_fold_of_the_steps(name: str, wrt: str) -> None:
    found = sg.derive(name, wrt=wrt)
    for stage in found.stages:
        assert folds_to_result(stage.record)
    assert found.steps
    for step in found.steps:
        assert step.rule
        assert step.before
        assert step.after
    assert found.steps[-1].shapes == found.result.shape


def test_a_tampered_step_is_seen() -> None:
    record = sg.derive("||W x||^2", wrt="W").stages[0].record
    first = record.equations[0]
    tampered = replace(record, equations=(replace(first, local=scale(first.local, 2)), *record.equations[1:]))
    assert folds_to_result(record)
    assert not folds_to_result(tampered)


LINES: dict[tuple[str, str, str], list[str]] = {
    ("||W x||^2", "W", "matrix"): [
        "q = W x", "f = ‖q‖²", "∂f/∂q = 2 q", "∂f/∂W = (∂f/∂q) xᵀ", "∂f/∂W = 2 q xᵀ", "∂f/∂W = 2 W x xᵀ",
    ],
    ("||W x||^2", "W", "index"): [
        "q = W x", "f = ‖q‖²", "∂q_i/∂W_{j,k} = x_k 1[i = j]", "∂f/∂q_i = 2 q_i", "∂f/∂q_i = 2 q_i",
        "∂f/∂W_{i,j} = (∂f/∂q)_i x_j", "∂f/∂W_{i,j} = 2 q_i x_j", "∂f/∂W = 2 W x xᵀ",
    ],
    ("||W x||^2", "W", "differential"): [
        "q = W x", "f = ‖q‖²", "dq = dW x", "df = 2 qᵀ dq", "df = 2 qᵀ dW x", "∂f/∂W = 2 W x xᵀ",
    ],
    ("||W x||^2", "x", "index"): [
        "q = W x", "f = ‖q‖²", "∂q_i/∂x_j = W_{i,j}", "∂f/∂q_i = 2 q_i", "∂f/∂q_i = 2 q_i",
        "∂f/∂x_i = ∑_j W_{j,i} (∂f/∂q)_j", "∂f/∂x_i = 2 ∑_j W_{j,i} q_j", "∂f/∂x = 2 Wᵀ W x",
    ],
    ("softmax-loss", "W", "matrix"): [
        "f = logsumexp(W x) - (W x)_y", "s = W x", "f = logsumexp(s) - s_y", "∂f/∂s = softmax(s) - onehot(y)",
        "∂f/∂W = (∂f/∂s) xᵀ", "∂f/∂W = (softmax(s) - onehot(y)) xᵀ", "∂f/∂W = (softmax(W x) - onehot(y)) xᵀ",
    ],
    ("two-layer-vjp", "W_1", "matrix"): [
        "q = W_1 x", "h = max(0, q)", "f = gᵀ W_2 h", "∂f/∂h = W_2ᵀ g", "∂f/∂q = (∂f/∂h) ⊙ 1[q > 0]",
        "∂f/∂q = W_2ᵀ g ⊙ 1[q > 0]", "∂f/∂W_1 = (∂f/∂q) xᵀ", "∂f/∂W_1 = (W_2ᵀ g ⊙ 1[q > 0]) xᵀ",
        "∂f/∂W_1 = (W_2ᵀ g ⊙ 1[W_1 x > 0]) xᵀ",
    ],
    ("log-likelihood", "theta", "matrix"): [
        "q = θᵀ x", "ŷ = sigmoid(q)", "f = y log(ŷ) + (1 - y) log(1 - ŷ)", "∂f/∂ŷ = y/ŷ - (1 - y) / (1 - ŷ)",
        "∂f/∂q = (∂f/∂ŷ) ŷ (1 - ŷ)", "∂f/∂q = y - ŷ", "∂f/∂θ = (∂f/∂q) x", "∂f/∂θ = (y - ŷ) x",
        "∂f/∂θ = (y - sigmoid(θᵀ x)) x",
    ],
    ("svm-loss", "W", "matrix"): [
        "s = W x", "q = s - s_y + 1", "h = max(0, q)", "f = hᵀ (1 - onehot(y))", "∂f/∂h = 1 - onehot(y)",
        "∂f/∂q = (∂f/∂h) ⊙ 1[q > 0]", "∂f/∂q = (1 - onehot(y)) ⊙ 1[q > 0]",
        "∂f/∂s = ∂f/∂q - sum(∂f/∂q) onehot(y)",
        "∂f/∂s = (1 - onehot(y)) ⊙ 1[q > 0] - (1 - onehot(y))ᵀ 1[q > 0] onehot(y)", "∂f/∂W = (∂f/∂s) xᵀ",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("source", "wrt", "form"), LINES)
def test_lines(source: str, wrt: str, form: str) -> None:
    want = LINES[source, wrt, form]
    assert [line.formula_text for line in sg.derive(source, wrt=wrt).lines(form)][: len(want)] == want


#: Products that resemble an intermediate and are not it: a trace is no sum over all entries.
RESEMBLING = {
    "trace beside a sum": ("sum(B)^4 + tr(B)", "B: n n", "B"),
    "trace beside row sums": ("q = B ones; ||q||^4 + tr(B)", "B: n n", "B"),
    "diagonal beside a product": ("q = B x; sum(exp(q)) + sum_i B_ii x_i", "B: n n, x: n", "B"),
    "inside a function": ("exp(sum(B)^2) + tr(B)", "B: n n", "B"),
}


@pytest.mark.parametrize(("text", "shapes", "wrt"), RESEMBLING.values(), ids=RESEMBLING)
def test_an_intermediate_is_not_found_where_it_is_not(text: str, shapes: str, wrt: str) -> None:
    assert sg.derive(text, wrt=wrt, shapes=shapes).result == sg.gradient(text, wrt, shapes=shapes)


def misnamed(first: int, count: int) -> list[int]:
    """The random functions whose lines, the names written out, are not the function."""
    found = []
    for seed in range(first, first + count):
        simplifier = Simplifier()
        function = simplifier.simplify(scalar(seed))
        wrt = [node for node in postorder([function]) if isinstance(node, Variable)]
        names = intermediates(function, wrt, {})
        back = {name: node for node, name in names.items()}
        for node, form in in_names(function, names).items():
            written = substitute(form, back)
            if written is not node and not same(simplifier.simplify(written), simplifier.simplify(node)):
                found.append(seed)
    return found


def test_names_written_out_give_the_function() -> None:
    assert not misnamed(3200, 300)


def test_a_wrong_name_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symgrad.simplify.parts._labels_of", lambda part, labels: (
        tuple(labels[k] for k in range(part.rank)), tuple({labels[k] for k in range(part.rank, len(part.sizes))}),
    ))  # fmt: skip
    assert misnamed(3275, 1) == [3275]


def test_the_last_line_says_that_the_shape_is_that_of_the_variable() -> None:
    text = sg.derive("||W x||^2", wrt="W").text
    assert text.splitlines()[-1] == "∇_W f = 2 W x xᵀ    shape m×n, the same as W"


def test_json() -> None:
    found = sg.derive("||W x||^2", wrt="W").to_dict()
    assert list(found) == ["schema", "function", "variables", "wrt", "gradient"]
    gradient = found["gradient"]
    assert isinstance(gradient, dict)
    assert gradient["steps"][0] == {"rule": "squared norm", "before": "2 q", "after": "2 q"}


def test_a_derivation_in_latex() -> None:
    latex = sg.derive("||W x||^2", wrt="W").latex
    assert latex.startswith("\\begin{aligned}")
    assert r"\nabla_{W} f &= 2\,W x x^{\top}" in latex
