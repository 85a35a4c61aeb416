"""Hints, explained rules, and the quiz: what they say is what the derivations say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

import symgrad as sg
from symgrad.errors import UsageError
from symgrad.ops import OPERATIONS
from symgrad.practice import RULES, Explanation, explain, explained
from tests.conftest import Outcome

Cli = Callable[..., Outcome]
NORM = "||W x||^2"

# --- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["matrix", "index", "differential"])
@pytest.mark.parametrize("name", ["wx2", "softmax-loss", "sigmoid"])
def test_hints_are_the_derivation_one_line_at_a_time(name: str, form: str) -> None:
    found = sg.derive(name)
    derivation = next(iter(found.values())) if isinstance(found, dict) else found
    lines = derivation.lines(form)
    for shown in range(len(lines) + 2):
        hint = derivation.hint(shown, form)
        assert list(hint.lines) == lines[:shown]
        assert (hint.next is None) == (shown >= len(lines))
        if hint.next is not None:
            left, _, right = lines[shown].formula_text.partition(" = ")
            assert hint.advice.startswith(f"{left} = ?")
            assert len(right) < 4 or right not in hint.advice


def test_the_last_hint_is_the_whole() -> None:
    derivation = sg.derive(NORM, wrt="W")
    assert derivation.hint(99).text.endswith("that is all of it    (6 of 6 steps)")
    assert "?" in derivation.hint(1)._repr_mimebundle_()["text/latex"]


@pytest.mark.parametrize("wrong", [-1, 1.5, "2", True])
def test_a_hint_is_a_number_of_steps(wrong: object) -> None:
    with pytest.raises(UsageError):
        sg.derive(NORM, wrt="W").hint(wrong)  # type: ignore[attr-defined]


def test_hints_on_the_command_line(cli: Cli) -> None:
    out = cli("derive", NORM, "--wrt", "W", "--hint", "3").out
    assert "∂f/∂q = 2 q" in out
    assert "next  ∂f/∂W = ?   by: matrix product   (3 of 6 steps)" in out
    assert "2 W x xᵀ" not in out
    document = json.loads(cli("derive", NORM, "--wrt", "W", "--hint", "0", "--json").out)
    assert document["hints"]["W"]["shown"] == []
    assert "gradient" not in document
    assert cli("derive", NORM, "--wrt", "W", "--hint", "soon").code == 2
    assert cli("derive", NORM, "--wrt", "W", "--hint", "1", "--code", "numpy").code == 2


# --- rules ------------------------------------------------------------------------------------------------------------


def unshown(rule: Explanation) -> str:
    """What is wrong with an explanation: no words, no source, or an example that does not use the rule."""
    if not rule.source or not (rule.statement or rule.words):
        return "nothing is said"
    found = rule.derived()
    if found is None:
        kinds = {r.kind for r in OPERATIONS[rule.name].rules}
        return "" if kinds <= {"fixed", "unknown"} else "no example"
    used = {word for line in found.lines(rule.form) for word in line.rule.split(" + ")}
    return "" if rule.name in used else f"the example uses {', '.join(sorted(used))}"


@pytest.mark.parametrize("name", RULES)
def test_an_example_uses_its_rule(name: str) -> None:
    assert not unshown(RULES[name])


def test_an_example_of_another_rule_is_caught() -> None:
    assert unshown(replace(RULES["squared norm"], example="b^T x", wrt="x", shapes=""))
    assert unshown(replace(RULES["softmax"], source=""))


@pytest.mark.parametrize("name", ["two-layer-softmax", "svm-loss-batch", "sigmoid-net", "prelu-cases", "l1"])
def test_every_rule_of_a_derivation_is_explained(name: str) -> None:
    found = sg.derive(name)
    for derivation in found.values() if isinstance(found, dict) else [found]:
        for form in ("matrix", "index", "differential"):
            for line in derivation.lines(form):
                assert set(line.rule.split(" + ")) <= set(RULES)


def test_rules_are_found_by_any_spelling() -> None:
    assert explain("ln").name == "log"
    assert explain("σ").name == "sigmoid"
    assert explain("squared-norm") is explain("squared  norm") is RULES["squared norm"]
    assert set(OPERATIONS) <= set(RULES)
    with pytest.raises(UsageError) as caught:
        explain("softmx")
    assert "softmax" in str(caught.value.hint)


def test_explain_on_the_command_line(cli: Cli) -> None:
    out = cli("explain", "squared", "norm").out
    assert "d‖q‖² = 2 qᵀ dq" in out
    assert "∂f/∂q = 2 q" in out
    listing = cli("explain").out
    assert all(f"  {rule.name}  " in listing for rule in explained())
    assert json.loads(cli("explain", "tanh", "--json").out)["example"]["function"] == "tanh(x)"
    assert cli("explain", "nothing").code == 2


# --- quiz -------------------------------------------------------------------------------------------------------------


def test_a_quiz_reviews_every_answer_until_one_is_right(cli: Cli) -> None:
    given = "hint\n2 a\n2 a (\n\na\n3 a\n"
    outcome = cli("quiz", "scale-gate", "--wrt", "x", stdin=given)
    assert outcome.code == 0
    assert "find     ∇_x f   of shape a scalar" in outcome.out
    assert "next  f = ?" in outcome.out
    assert "the claim is 2 times what is right" in outcome.out
    assert "error:" in outcome.out
    assert "✓ correct (proved)" in outcome.out
    assert "3 a" not in outcome.out


QUIZ_CODES = {"": 0, "x\n": 1, "2 a (\n": 2, "stop\n": 0}


@pytest.mark.parametrize(("given", "code"), QUIZ_CODES.items(), ids=["nothing", "wrong", "unreadable", "stop"])
def test_the_exit_code_is_that_of_the_last_answer(cli: Cli, given: str, code: int) -> None:
    outcome = cli("quiz", "scale-gate", "--wrt", "x", stdin=given)
    assert outcome.code == code
    assert ("∇_x f  =  a" in outcome.out) == (given == "stop\n")


def test_a_quiz_in_json(cli: Cli) -> None:
    document = json.loads(cli("quiz", "scale-gate", "--wrt", "x", "--json", stdin="hint\nx\na\n").out)
    assert document["quiz"]["name"] == "scale-gate"
    assert [answer["verdict"] for answer in document["answers"]] == ["wrong", "correct"]
    assert (document["verdict"], document["hints"]) == ("correct", 1)


def test_a_seed_chooses_the_question(cli: Cli) -> None:
    asked = {seed: cli("quiz", "--seed", seed).out for seed in ("1", "2", "3")}
    assert len(set(asked.values())) > 1
    assert cli("quiz", "--seed", "1").out == asked["1"]


@pytest.mark.parametrize("words", [["nothing"], ["wx2", "mse"], ["wx2", "--wrt", "z"]])
def test_a_question_that_cannot_be_asked(cli: Cli, words: list[str]) -> None:
    assert cli("quiz", *words).code == 2
