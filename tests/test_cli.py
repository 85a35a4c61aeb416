"""The command line: what it prints, where it prints it, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import symgrad as sg
from symgrad.errors import UsageError
from symgrad.export import FORMS
from symgrad_cli import app, report
from symgrad_cli.arguments import one_of, separate
from symgrad_cli.terminal import Ink, columns, table
from tests.conftest import ROOT, Outcome

Cli = Callable[..., Outcome]
COMMAND = "import sys; from symgrad_cli.app import main; sys.exit(main())"
NORM = "||W x||^2"


# --- exit codes -----------------------------------------------------------------------------------------------------

EXIT_CODES = [
    pytest.param(0, ["derive", NORM, "--wrt", "W"], id="derived"),
    pytest.param(0, ["derive", NORM], id="every variable"),
    pytest.param(0, ["derive", "-log(p)"], id="leading minus"),
    pytest.param(0, ["derive", "--wrt", "p", "-log(p)"], id="leading minus after an option"),
    pytest.param(0, ["derive", "--", "-log(p)"], id="leading minus after two dashes"),
    pytest.param(0, ["derive", "-x^2", "--form", "index", "--wrt", "x"], id="options after a leading minus"),
    pytest.param(0, ["derive", "--wrt=x", "-x^2", "--form=differential"], id="options with an equals sign"),
    pytest.param(0, ["derive", "x^3", "--order", "2"], id="second order"),
    pytest.param(0, ["check", NORM, "--wrt", "W", "--claim", "2 W x x^T"], id="right claim"),
    pytest.param(1, ["check", NORM, "--wrt", "W", "--claim", "2 x x^T W"], id="wrong claim"),
    pytest.param(1, ["check", "-x^2", "--wrt", "x", "--claim", "-3 x"], id="wrong claim with a leading minus"),
    pytest.param(2, ["derive", "||W x - y|^2"], id="unreadable"),
    pytest.param(2, ["derive", ""], id="empty"),
    pytest.param(2, ["derive"], id="no formula"),
    pytest.param(2, ["derive", NORM, "--wrt", "Q"], id="no such variable"),
    pytest.param(2, ["derive", NORM, "--wrt"], id="option without value"),
    pytest.param(2, ["derive", NORM, "--form", "matrices"], id="no such form"),
    pytest.param(2, ["derive", NORM, "--fomr", "matrix"], id="no such option"),
    pytest.param(2, ["derive", NORM, "--order", "two"], id="order is not a number"),
    pytest.param(2, ["derive", "W", "x"], id="two formulas"),
    pytest.param(2, ["derive", NORM, "--shape", "W: m n, x: k"], id="shapes that do not fit"),
    pytest.param(2, ["derivate", NORM], id="no such command"),
    pytest.param(2, ["catalog", "no-such-entry"], id="no such entry"),
    pytest.param(0, ["catalog"], id="catalog"),
    pytest.param(0, ["--version"], id="version"),
    pytest.param(0, [], id="nothing asked"),
]


@pytest.mark.parametrize(("code", "words"), EXIT_CODES)
def test_exit_code(cli: Cli, code: int, words: list[str]) -> None:
    outcome = cli(*words)
    assert outcome.code == code, outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    assert (outcome.err == "") == (code in (0, 1)), outcome.err


# --- derive ---------------------------------------------------------------------------------------------------------


def test_derive_reads_back_steps_and_result(cli: Cli) -> None:
    out = cli("derive", NORM, "--wrt", "W").out
    assert "read as  f = ‖W x‖" in out
    assert "W ∈ ℝ^(m×n)   x ∈ ℝ^n   f ∈ ℝ" in out
    assert 'change with --shape "W: m n, x: n"' in out
    assert "∇_W f  =  2 W x xᵀ        shape m×n ✓ same as W" in out


def test_declared_shapes_are_not_called_guessed(cli: Cli) -> None:
    assert "guessed" not in cli("derive", NORM, "--wrt", "W", "--shape", "W: m n, x: n").out


def test_shape_may_be_repeated(cli: Cli) -> None:
    assert "ℝ^(2×3)" in cli("derive", NORM, "--wrt", "W", "--shape", "W: 2 3", "--shape", "x: 3").out


@pytest.mark.parametrize("form", app.FORMS)
def test_every_form_has_steps(cli: Cli, form: str) -> None:
    lines = cli("derive", NORM, "--wrt", "W", "--form", form).out.splitlines()
    assert any(line.split()[:1] == ["1"] for line in lines), lines


@pytest.mark.parametrize("formula", ["x[i]", "[x > 0]", "[bold]x"])
def test_brackets_are_not_markup(cli: Cli, formula: str) -> None:
    outcome = cli("derive", formula, "--wrt", "x", "--shape", "x: n")
    shown = outcome.out if outcome.code == 0 else outcome.err
    assert outcome.code in (0, 2, 3)
    assert formula in shown or outcome.code == 0


def test_latex_is_one_align_block_with_the_reading_as_comment(cli: Cli) -> None:
    out = cli("derive", NORM, "--wrt", "W", "--latex").out
    assert out.startswith("% read as")
    assert out.count(r"\begin{align*}") == out.count(r"\end{align*}") == 1
    assert r"\nabla_{W} f &= 2" in out


@pytest.mark.parametrize("backend", app.BACKENDS)
def test_code_is_a_module(cli: Cli, backend: str) -> None:
    out = cli("derive", NORM, "--wrt", "W", "--code", backend).out
    assert out.startswith("# read as")
    compile(out, "<generated>", "exec")


@pytest.mark.parametrize("program", app.PROGRAMS)
def test_programs_are_modules(cli: Cli, program: str) -> None:
    out = cli("derive", NORM, "--wrt", "W", "--as", program).out
    assert out.startswith("# read as")
    compile(out, "<generated>", "exec")


def test_the_forms_of_programs_are_those_of_the_library() -> None:
    assert tuple(app.PROGRAMS) == tuple(FORMS)


def test_standard_input_is_a_formula(cli: Cli) -> None:
    assert "∇_W f  =  2 W x xᵀ" in cli("derive", "-", "--wrt", "W", stdin=NORM + "\n").out


def test_standard_input_must_be_text(cli: Cli) -> None:
    outcome = cli("derive", "-", stdin=b"x^\xff2")
    assert outcome.code == app.UNREADABLE
    assert "byte 2" in outcome.err


def test_a_catalog_name_is_a_formula(cli: Cli) -> None:
    name, entry = next((name, entry) for name, entry in sg.catalog().items() if entry.gradients)
    wrt = next(iter(entry.gradients))
    outcome = cli("derive", name, "--wrt", wrt)
    assert outcome.code == 0, outcome.err
    assert "read as" in outcome.out


# --- check ----------------------------------------------------------------------------------------------------------


def test_check_prints_a_number_for_every_witness(cli: Cli) -> None:
    outcome = cli("check", NORM, "--wrt", "W")
    report_ = sg.check(NORM, wrt="W")
    lines = outcome.out.splitlines()
    for witness in report_.witnesses:
        line = next(line for line in lines if witness.name in line)
        assert "max rel. error" in line
        assert f"{witness.points} points" in line
    assert "✓ correct" in outcome.out


def test_check_shows_where_a_claim_fails(cli: Cli) -> None:
    out = cli("check", "x^T A x", "--wrt", "x", "--claim", "2 A x").out
    assert "✗ wrong" in out
    assert "claimed  2 A x" in out
    assert "the claim gives" in out


# --- JSON -----------------------------------------------------------------------------------------------------------

DERIVE_KEYS = {"schema", "function", "variables", "wrt", "gradient"}
CHECK_KEYS = DERIVE_KEYS | {
    "claim", "verdict", "certainty", "witnesses", "counterexample", "diagnosis", "reason",
}  # fmt: skip


def parsed(outcome: Outcome) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in outcome.out.splitlines()]


def test_derive_json(cli: Cli) -> None:
    (document,) = parsed(cli("derive", NORM, "--wrt", "W", "--json"))
    assert document.keys() >= DERIVE_KEYS
    assert document["schema"] == "symgrad/1"
    assert document["wrt"] == "W"
    assert document["gradient"]["text"] == "2 W x xᵀ"
    assert document["gradient"]["shape"] == ["m", "n"]
    assert document["variables"]["W"] == {"shape": ["m", "n"], "assumptions": [], "guessed": True}
    assert all(step.keys() >= {"rule", "before", "after"} for step in document["gradient"]["steps"])


def test_derive_json_of_several_variables_is_one_object(cli: Cli) -> None:
    (document,) = parsed(cli("derive", NORM, "--json"))
    assert document["wrt"] == ["W", "x"]
    assert document["gradient"]["x"]["text"] == "2 Wᵀ W x"


def test_check_json(cli: Cli) -> None:
    (document,) = parsed(cli("check", NORM, "--wrt", "W", "--claim", "2 x x^T W", "--json"))
    assert document.keys() >= CHECK_KEYS
    assert document["verdict"] == "wrong"


def test_one_object_a_line_and_the_gravest_exit_code(cli: Cli) -> None:
    outcome = cli("check", "x^2", "||x", "x^3", "--wrt", "x", "--claim", "2 x", "--json")
    first, second, third = parsed(outcome)
    assert (first["verdict"], third["verdict"]) == ("correct", "wrong")
    assert second["error"].keys() >= {"kind", "message", "line", "column", "hint"}
    assert outcome.code == app.UNREADABLE


def test_bad_usage_is_an_object_too(cli: Cli) -> None:
    (document,) = parsed(cli("derive", "--json", "--form", "matrices", NORM))
    assert document["error"]["kind"] == "usage"


def test_catalog_json_lists_every_entry(cli: Cli) -> None:
    (document,) = parsed(cli("catalog", "--json"))
    assert [entry["name"] for entry in document["catalog"]] == list(sg.catalog())
    assert all(entry["source"] for entry in document["catalog"])


# --- errors ---------------------------------------------------------------------------------------------------------


def test_an_error_shows_the_place(cli: Cli) -> None:
    err = cli("derive", "x + * y").err
    assert "error:" in err
    assert "(column " in err
    line = next(i for i, text in enumerate(err.splitlines()) if text.endswith("x + * y"))
    assert set(err.splitlines()[line + 1].strip()) == {"^"}


@pytest.mark.parametrize("formula", ["x\x1b]0;pwn\x07", "x\ry", "\x00"])
def test_errors_carry_no_control_characters(cli: Cli, formula: str) -> None:
    outcome = cli("derive", formula)
    assert outcome.code == app.UNREADABLE
    assert all(c.isprintable() or c == "\n" for c in outcome.err)


def test_unsupported_mathematics_exits_3(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def derive(*_: object, **__: object) -> None:
        raise sg.UnsupportedError("no rule for this yet")

    monkeypatch.setattr(sg, "derive", derive)
    outcome = cli("derive", "x")
    assert (outcome.code, "no rule for this yet" in outcome.err) == (app.UNSUPPORTED, True)


def test_undecided_exits_4(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    undecided = sg.check("x^2", wrt="x")
    monkeypatch.setitem(app.EXIT_CODES, undecided.verdict, app.UNDECIDED)
    assert cli("check", "x^2", "--wrt", "x").code == app.UNDECIDED


@pytest.mark.parametrize("failure", [RuntimeError("secret"), RecursionError(), MemoryError(), AssertionError()])
def test_the_unexpected_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def derive(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(sg, "derive", derive)
    outcome = cli("derive", "x")
    assert outcome.code == app.INTERNAL
    assert len(outcome.err.splitlines()) == 1
    assert type(failure).__name__ in outcome.err
    assert "secret" not in outcome.err
    monkeypatch.setenv("SYMGRAD_DEBUG", "1")
    assert "Traceback" in cli("derive", "x").err


def test_ctrl_c_exits_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def derive(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sg, "derive", derive)
    assert cli("derive", "x").code == app.INTERRUPTED


# --- the terminal ---------------------------------------------------------------------------------------------------

ENVIRONMENTS = [
    pytest.param({"COLUMNS": "1"}, id="one column"),
    pytest.param({"NO_COLOR": "1"}, id="no colour"),
    pytest.param({"LANG": "C", "LC_ALL": "C"}, id="C locale"),
    pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii"),
    pytest.param({"PYTHONIOENCODING": "latin-1", "TERM": "dumb"}, id="latin-1"),
]


@pytest.mark.parametrize("variables", ENVIRONMENTS)
def test_any_environment_will_do(python: Cli, variables: dict[str, str]) -> None:
    outcome = python("-c", COMMAND, "derive", "||W x||^2 + σ", "--wrt", "W", **variables)
    assert outcome.code == 0, outcome.err
    assert "\x1b" not in outcome.out
    assert outcome.err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, "derive", "x^2"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the answer could not be written")
    assert len(done.stderr.splitlines()) == 1


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "catalog"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_an_interrupt_leaves_no_traceback() -> None:
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # jobs in the background ignore it
    )
    process = subprocess.Popen(
        [sys.executable, "-c", f"{heard}; {COMMAND}", "derive", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)  # it waits for its standard input
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == app.INTERRUPTED
    assert b"Traceback" not in err


def test_completion_is_offered(python: Cli) -> None:
    variables = {"_SYMGRAD_COMPLETE": "complete_bash", "COMP_WORDS": "symgrad de", "COMP_CWORD": "1"}
    assert "derive" in python("-c", COMMAND, **variables).out


@pytest.mark.parametrize("command", ["derive", "check", "catalog"])
def test_help_shows_examples_that_run(cli: Cli, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    monkeypatch.chdir(ROOT)
    out = cli(command, "--help").out
    examples = [line.strip() for line in out.splitlines() if line.strip().startswith("symgrad ")]
    assert len(examples) >= 2
    for example in examples:
        outcome = cli(*shlex.split(example)[1:])
        assert outcome.code in (0, 1), f"{example}\n{outcome.err}"


# --- the parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "options", "formulas"),
    [
        (["-x"], [], ["-x"]),
        (["--x"], [], ["--x"]),
        (["-x", "--wrt", "-y"], ["--wrt", "-y"], ["-x"]),
        (["-", "--json"], ["--json"], ["-"]),
        (["--claim=-2 x", "x^2"], ["--claim=-2 x"], ["x^2"]),
        (["--json", "--", "--wrt", "-h"], ["--json"], ["--wrt", "-h"]),
        (["-2*x", "-1"], [], ["-2*x", "-1"]),
    ],
)
def test_separate(words: list[str], options: list[str], formulas: list[str]) -> None:
    import typer

    parameters = typer.main.get_command(app.app).commands["check"].params  # type: ignore[attr-defined]
    assert separate(parameters, words) == (options, formulas)


def test_one_of_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        one_of("--form", "indx", app.FORMS)
    assert caught.value.hint == "did you mean index?"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("xᵀ", 2), ("ŷ", 1), ("y\u0302", 1), ("数", 2), ("∂f/∂W", 5)])
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width


def test_a_long_cell_is_never_cut() -> None:
    rows = [[("", "1"), ("", "x" * 300), ("", "why")], [("", "2"), ("", "y"), ("", "because")]]
    text = "\n".join(table(rows, Ink(coloured=False, width=40)))
    assert "x" * 300 in text
    assert "  2  y" in text


@pytest.mark.parametrize(("shape", "text"), [((), "ℝ"), (("n",), "ℝ^n"), (("m", "n"), "ℝ^(m×n)"), ((2, 3), "ℝ^(2×3)")])
def test_space(shape: tuple[object, ...], text: str) -> None:
    assert report.space(shape) == text
