"""Programs: what is traced is what NumPy calculates, and what a file returns is judged, whatever it does."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.dims import value as size_of
from symgrad.expr import variable
from symgrad.notation.names import canonical
from symgrad.program import Program, ProgramError, confine, rules, sandbox
from symgrad.program.calling import is_gradient_of
from symgrad.program.wire import packed, unpacked
from symgrad.shapes import read_shapes
from symgrad.simplify.rules import same, simplify
from symgrad.verify.identity import identity
from symgrad.verify.interpret import interpret, numpy_arithmetic
from symgrad.verify.points import Sampler, dimensions
from tests import gates
from tests.conftest import Outcome
from tests.homework import HOMEWORK, LOSSES
from tests.mistakes import MISTAKES, Mistake
from tests.programs import PROGRAMS


def program(shapes: str, body: str) -> tuple[Any, dict[str, Any]]:
    """A function with this body, and its arguments as variables."""
    declared = read_shapes(shapes, canonical)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    scope: dict[str, Any] = {"np": np}
    exec(f"def f({', '.join(declared)}):\n{lines}", scope)
    labels = {"y": {"label"}}
    return scope["f"], {n: variable(n, tuple(s), labels.get(n, ())) for n, s in declared.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_traced_is_what_numpy_calculates(name: str) -> None:
    function, variables = program(*PROGRAMS[name])
    _, (node,) = Program.of(function).traced(variables)
    for sizes in ((4, 3, 5), (2, 5, 3)):
        sampler = Sampler(node, 1, tuple(variables.values()))
        point = sampler.draw({d: sizes[k % 3] for k, d in enumerate(dimensions(*variables.values()))})
        values = {n: np.array(v) if np.ndim(v) else v for n, v in point.values.items()}
        if "y" in values:
            values["y"] = np.arange(len(values["y"]))[::-1] % 2
        want = np.asarray(function(**{n: np.array(v) if np.ndim(v) else v for n, v in values.items()}))
        got = np.asarray(interpret(node, values, point.sizes, numpy_arithmetic()))
        assert tuple(size_of(d, point.sizes) for d in node.shape) == want.shape
        np.testing.assert_allclose(np.broadcast_to(got, want.shape), want, rtol=1e-9, atol=1e-9)


MUTATIONS = [
    ("tanh", "functions", rules.UFUNCS["sin"]),
    ("less", "comparisons", rules.UFUNCS["greater"]),
    ("subtract", "broadcasting a row", rules.UFUNCS["add"]),
    ("divide", "subtract one in place", rules.UFUNCS["multiply"]),
]


@pytest.mark.parametrize(
    ("ufunc", "name", "other"), MUTATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_wrong_rule_is_caught(ufunc: str, name: str, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.UFUNCS, ufunc, other)
    with pytest.raises(AssertionError):
        test_what_is_traced_is_what_numpy_calculates(name)


# --- what cannot be followed ------------------------------------------------------------------------------------------

REFUSED = {
    "a branch on values": ("x: n", "return x if x.sum() > 0 else -x", "a branch on the truth"),
    "a branch on a size": ("x: n", "return x if len(x) > 3 else 2 * x", "a branch on the size n"),
    "a remainder of a size": ("x: n", "return x * (len(x) % 2)", "mod of the size n"),
    "a loop that counts": ("x: n", "t, k = 0, 0\nfor v in x:\n    t += k * v\n    k += 1\nreturn t", "k changes from round to round"),
    "a loop that counts in a dict": ("x: n", "c = {'k': 0}\nfor v in x:\n    c['k'] += 1\nreturn x.sum() / c['k']", "changes from round to round"),
    "a loop that counts in a list": ("x: n", "c = [0]\nfor v in x:\n    c[0] += 1\nreturn x.sum() / c[0]", "changes from round to round"),
    "a loop with a limit": ("x: n", "t, k = 0, 0\nfor v in x:\n    k += 1\n    if k < 100:\n        t += v\nreturn t", "k changes from round to round"),
    "the same added in every round": ("x: n, s:", "t = 0\nfor v in x:\n    t += v + np.log(s)\nreturn t", "depends on the sizes"),
    "a loop that is left": ("x: n", "t = 0\nfor v in x:\n    t += v\n    break\nreturn t", "left early"),
    "rounds that depend on each other": ("x: n", "t = 0\nfor v in x:\n    t = np.tanh(t + v)\nreturn t", "used after it"),
    "a product of rounds": ("x: n", "t = 1\nfor v in x:\n    t = t * v\nreturn t", "used after it"),
    "a decaying sum": ("x: n", "t = 0\nfor v in x:\n    t = 0.9 * t + v\nreturn t", "used after it"),
    "the last round": ("x: n", "for v in x:\n    t = 2 * v\nreturn t", "used after it"),
    "the first round": ("x: n", "first = True\nfor v in x:\n    if first:\n        t = v\n    first = False\nreturn t", "used after it"),
    "rounds that differ": ("x: n", "t, s = 0, 1.0\nfor v in x:\n    t += s * v\n    s = -s\nreturn t", "changes from round to round"),
    "an index as a value": ("x: n", "t = 0\nfor i in range(len(x)):\n    t += i * x[i]\nreturn t", "used as values"),
    "an index of another axis": ("x: n, z: m", "t = 0\nfor i in range(len(x)):\n    t += z[i]\nreturn t", "for an axis of length m"),
    "an index after its loop": ("x: n", "for i in range(len(x)):\n    pass\nreturn x[i]", "used after it"),
    "a view of a round": ("A: m n", "B = A.copy()\nfor row in B:\n    last = row\nlast += 1\nreturn B", "used after it"),
    "a maximum over rounds": ("x: n", "t = 0\nfor v in x:\n    t = np.maximum(t, v)\nreturn t", "used after it"),
    "what a label overwrites": ("A: V D, G: N D, y: N", "B = np.zeros_like(A)\nfor i in range(len(y)):\n    B[y[i]] = G[i]\nreturn B", "used after it"),
    "things of two lengths": ("x: n, z: m", "return sum(a * b for a, b in zip(x, z))", "not all have one length"),
    "labels that may repeat": ("A: V D, y: N", "A = A.copy()\nA[y] += 1\nreturn A", "labels that may repeat"),
    "counting as values": ("x: n", "return x * np.arange(len(x))", "used as values"),
    "random numbers": ("x: n", "return x * np.random.rand(1)", "np.random is not a function"),
    "an unknown function": ("x: n", "return np.sort(x)", "np.sort cannot be followed"),
    "an unknown method": ("x: n", "return x.argsort()", ".argsort of an array cannot be followed"),
    "an unknown ufunc": ("x: n", "return np.spacing(x)", "np.spacing cannot be followed"),
    "an unknown option": ("x: n", "return np.sum(x, where=x > 0)", "np.sum: "),
    "shapes that do not fit": ("A: m n, b: k", "return A + b", "do not broadcast: (m, n) and (k,)"),
    "products that do not fit": ("A: m n, b: m", "return A @ b", "n against m"),
    "rounding": ("x: n", "return x.astype(int)", "rounded to integers"),
    "adding truth values": ("x: n", "return (x > 0) + (x > 1)", "truth values are added"),
    "a slice that may leave its axis": ("x: n", "return x[:5]", "may leave its axis"),
    "a Python number": ("x: n", "import math\nreturn math.exp(x[0])", "the Python number of what depends"),
    "a Python number of a size": ("x: n", "import math\nreturn x / math.sqrt(len(x))", "calculate with NumPy"),
    "a reshaped array in place": ("A: m n", "B = A.reshape(-1)\nB += 1\nreturn A", "a reshaped array is changed in place"),
    "an array under a mask": ("x: n", "z = x.copy()\nz[x > 0] = x\nreturn z", "written under a mask"),
    "two masks": ("x: n", "return x[x > 0] + x[x > 1]", "chosen by a mask"),
    "nothing returned": ("x: n", "x.sum()", "returns None"),
    "an error": ("x: n", "return x + undefined", "NameError"),
    "text": ("x: n", "return x + 'a'", "calculated with a str"),
    "an extreme of nothing known": ("A: m n", "return np.argmax(A) * 1.0", "give the axis"),
    "no label": ("S: N C, z: N", "return S[np.arange(len(S)), z]", "z is used as an index"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused(name: str) -> None:
    shapes, body, words = REFUSED[name]
    function, variables = program(shapes, body)
    with pytest.raises(sg.UnsupportedError) as caught:
        Program.of(function).traced(variables)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_a_refusal_names_file_line_and_code(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\n\ndef f(x):\n    if x.sum() > 0:\n        return x\n    return -x\n")
    with pytest.raises(sg.UnsupportedError, match=r"mine.py, line 4: 'if x.sum\(\) > 0:': a branch"):
        sg.parse(f"{path}:f", shapes="x: n")


# --- homework ---------------------------------------------------------------------------------------------------------

#: Right programs whose expression cannot be followed, or not be shown to be the gradient; they are tested by running them.
TESTED = {
    "a bias in the weights", "lasso", "stable sigmoid", "hinge in a loop", "hinge by a boolean index", "softmax in loops",
    "log-sum-exp", "softmax with put", "softmax Jacobian", "softmax Jacobian in loops", "svm in loops",
    "two layers, bias", "leaky", "convolution by np.convolve", "max pooling", "max pooling in a loop", "average pooling",
    "determinant", "a running total", "triplet", "contrastive pairs",
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_read_as_its_formula(name: str) -> None:
    formula, shapes, body = LOSSES[name]
    wanted = sg.parse(formula, shapes=shapes)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    scope: dict[str, Any] = {"np": np}
    exec(f"def loss({', '.join(wanted.variables)}):\n{lines}", scope)
    function = sg.parse(
        scope["loss"], shapes=shapes, assume="y: label" if "y: N" in shapes or "y:," in shapes else None
    )
    for wrt in [v for v in wanted.variables if "label" not in wanted.variables[v].assumptions][:1]:
        one, other = (sg.gradient(f, wrt).node for f in (function, wanted))
        assert same(one, other) or identity(one, other) is not None


def handed_in(name: str) -> tuple[Any, Any, str]:
    """A program of homework, the function that it is about, and the variable."""
    source, wrt, shapes, body = HOMEWORK[name]
    function = sg.parse(source, shapes=shapes)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    scope: dict[str, Any] = {"np": np}
    exec(f"def grad({', '.join(function.variables)}):\n{lines}", scope)
    return scope["grad"], function, wrt


@pytest.mark.parametrize("name", [name for name in HOMEWORK if name not in TESTED and "several" not in name])
def test_homework_is_proved(name: str) -> None:
    target, function, wrt = handed_in(name)
    variables = {n: function.variable(n) for n in function.variables}
    _, nodes = Program.of(target).traced(variables)
    right = sg.gradient(function, wrt).node
    fitting = [node for node in map(simplify, nodes) if node.shape == right.shape]
    assert any(same(node, right) or identity(node, right) is not None for node in fitting)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in HOMEWORK if name in TESTED])
def test_right_homework_is_accepted(name: str) -> None:
    target, function, wrt = handed_in(name)
    assert sg.check(function, wrt=wrt, claim=target).verdict == "correct"


# --- programs as functions --------------------------------------------------------------------------------------------

FILE = Path(__file__).with_name("gates.py")
FORMULAS = {
    "square": ("W: m n, x: n", "||W x||^2"),
    "softmax_loss": (
        "W: D C, X: N D, y: N, reg:",
        "S = X W; 1/N sum_i (log(sum_k exp(S_{ik})) - S_{i,y_i}) + reg ||W||_F^2",
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_code_is_read_as_the_formula_that_it_calculates(name: str) -> None:
    shapes, formula = FORMULAS[name]
    function = sg.parse(f"{FILE}:{name}", shapes=shapes)
    assert same(sg.gradient(function, "W").node, sg.gradient(formula, "W", shapes=shapes).node)


def test_a_callable_is_a_source() -> None:
    assert sg.gradient(gates.square, "W", shapes="W: m n, x: n").text == "2 W x xᵀ"


def test_a_docstring_declares_shapes() -> None:
    assert Program.of(gates.square).documented == {"W": ("m", "n"), "x": ("n",)}
    function = sg.parse(f"{FILE}:softmax_loss")
    assert {n: v.shape for n, v in function.variables.items()} == {
        "W": ("D", "C"),
        "X": ("N", "D"),
        "y": ("N",),
        "reg": (),
    }


def test_expressions_go_to_another_process_and_come_back() -> None:
    for shapes, body in PROGRAMS.values():
        function, variables = program(shapes, body)
        _, nodes = Program.of(function).traced(variables)
        assert unpacked(json.loads(json.dumps(packed(nodes))), variables) == nodes


@pytest.mark.parametrize(
    "data",
    [
        None, {}, {"nodes": [["variable", "z"]], "roots": [0]}, {"nodes": [["call", "system", [], []]], "roots": [0]},
        {"nodes": [["size", "secret"]], "roots": [0]}, {"nodes": [["sum", [[[1, 0], 0]]]], "roots": [0]},
        {"nodes": [["variable", "x"]], "roots": [3]}, {"nodes": [["delta", 10**400]] * 3, "roots": ["0"]},
        {"nodes": [["variable", "x"]] * 30_000, "roots": [0]}, {"nodes": [["__init__"]], "roots": [0]},
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(data: Any) -> None:
    with pytest.raises(sg.UnsupportedError):
        unpacked(data, {"x": variable("x", ("n",))})


# --- programs as claims -----------------------------------------------------------------------------------------------


def test_a_file_is_proved_by_its_trace_and_by_its_runs() -> None:
    report = sg.check("||W x||^2", wrt="W", claim=f"{FILE}:square_gradient")
    assert (report.verdict, report.certainty) == ("correct", "proved")
    assert "run, it agrees" in report.reason


def test_a_mistake_in_a_file_is_named() -> None:
    report = sg.check("||W x||^2", wrt="W", claim=f"{FILE}:square_half")
    assert (report.verdict, [f.code for f in report.diagnosis]) == ("wrong", ["factor"])
    assert report.counterexample is not None


@pytest.mark.slow
def test_a_loop_is_tested_and_says_why_it_is_not_proved() -> None:
    report = sg.check("||W x||^2", wrt="W", claim=f"{FILE}:by_counting")
    assert (report.verdict, report.certainty) == ("correct", "tested")
    assert "gates.py, line" in report.reason
    assert "k changes from round to round of a loop over an axis of length m" in report.reason


def test_a_loop_over_an_axis_is_proved() -> None:
    report = sg.check("||W x||^2", wrt="W", claim=f"{FILE}:by_loop")
    assert (report.verdict, report.certainty) == ("correct", "proved")


def test_several_gradients_are_told_apart_by_their_names() -> None:
    found = sg.check("||X W + ones b^T||_F^2", claim=f"{FILE}:affine", shapes="X: N D, W: D C, b: C")
    assert {name: report.verdict for name, report in found.items()} == {"W": "correct", "b": "wrong"}


@pytest.mark.parametrize(
    ("name", "shapes", "verdicts"),
    [
        ("MultiplyGate", "x:, y:", {"x": "proved", "y": "proved"}),
        pytest.param("SwappedGate", "x:, y:", {"x": "variable", "y": "variable"}, marks=pytest.mark.slow),
        pytest.param(
            "Hidden", "X: N D, W: D H, b: H", dict.fromkeys("XWb", "proved"), marks=pytest.mark.slow
        ),
        pytest.param("Linear", "W: m n, b: m, x: n", dict.fromkeys("Wbx", "proved"), marks=pytest.mark.slow),
        pytest.param("softmax_loss", "W: D C, X: N D, y: N, reg:", {"W": "proved"}, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_program_with_its_gradients_is_judged_by_itself(name: str, shapes: str, verdicts: dict[str, str]) -> None:
    found = sg.check(f"{FILE}:{name}", shapes=shapes)
    reports = found if isinstance(found, dict) else {found.wrt: found}
    assert {n: r.certainty if r else r.diagnosis[0].code for n, r in reports.items()} == verdicts


UNUSABLE = {
    "no name": lambda: sg.check("x^2", claim=str(FILE)),
    "no such file": lambda: sg.check("x^2", claim="nowhere.py:f"),
    "no such function": lambda: sg.check("x^2", claim=f"{FILE}:nothing"),
    "no shapes": lambda: sg.parse(f"{FILE}:affine"),
    "a shape of no argument": lambda: sg.parse(f"{FILE}:square", shapes="W: m n, x: n, z: n"),
    "another argument": lambda: sg.check("||A x||^2", wrt="A", claim=f"{FILE}:square_gradient"),
    "several values and no name": lambda: sg.check("x^2", wrt="x", claim=lambda x: (x, 2 * x)),
    "several values and no value": lambda: sg.parse(f"{FILE}:affine", shapes="X: N D, W: D C, b: C"),
    "a variable returned is no gradient": lambda: sg.check("a b", claim=lambda a, b: (a, b)),
    "no gradient named": lambda: sg.check("||A x||^2", claim=lambda A, x: A),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_is_no_such_program_is_a_usage_error(case: str) -> None:
    with pytest.raises((sg.UsageError, sg.UnsupportedError)):
        UNUSABLE[case]()


NAMES = {
    ("dW", "W"): True, ("grad_W", "W"): True, ("W_grad", "W"): True, ("dL_dW", "W"): True, ("dLdW", "W"): True,
    ("dW1", "W_1"): True, ("d_W", "W"): True, ("gW", "W"): True, ("W", "W"): False, ("loss", "W"): False,
    ("dW1", "W"): False, ("dW", "W_1"): False, ("grad", "r"): False, ("", "W"): False, ("dd", "d"): True,
}  # fmt: skip


@pytest.mark.parametrize(("name", "variable"), NAMES)
def test_a_name_says_whose_gradient_it_is(name: str, variable: str) -> None:
    assert is_gradient_of(name, variable) is NAMES[name, variable]


# --- programs that do what they should not ----------------------------------------------------------------------------

#: body of grad(x) for ‖x‖²: the finding, or none where it cannot be said who is to blame, and words of the reason.
HOSTILE: dict[str, tuple[str, str, str]] = {
    "raises": ("raise ValueError('no')", "raises", "ValueError in line 3: no"),
    "raises where it is not traced": ("return x.tolist()[0] / 0", "raises", "ZeroDivisionError in line 3"),
    "exits": ("import sys; sys.exit(0)", "raises", "exit(0)"),
    "ends its process": ("import os; os._exit(3)", "raises", "exit code 3"),
    "kills itself": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "raises", "signal 11"),
    "never returns": ("while True: pass", "", "no answer within"),
    "takes all memory": ("return np.ones(1 << 36)", "", "more memory"),
    "recurses": ("return grad(x)", "raises", "RecursionError"),
    "writes a file": ("open('x', 'w').write('a' * 10_000)", "raises", "OSError"),
    "returns nothing": ("pass", "returns", "NoneType"),
    "returns text": ("return 'x'", "returns", "str"),
    "returns rows of two lengths": ("return [[1.0], [1.0, 2.0]]", "returns", "it returns"),
    "returns complex numbers": ("return 2j * np.array(x.tolist())", "returns", "ndarray"),
    "returns objects": ("return np.array([None, 1])", "returns", "no array of real numbers"),
    "returns too much": ("return np.zeros(2_000_000 + 0 * int(x.tolist()[0]))", "returns", "too large"),
    "writes into the answers": (
        "import os\n    for n in range(3, 30):\n        try: os.write(n, b'}\\n' * 99)\n        except OSError: pass",
        "returns", "wrote into the answers",
    ),
    "needs what is not there": ("import nothing_of_this_name", "", "ModuleNotFoundError in line 3"),
    "does not compile": ("return return", "raises", "SyntaxError in line 3"),
}  # fmt: skip
#: Programs that are right, whatever else they do.
NOISY = {
    "prints": "print('x' * 1_000_000); return 2 * x",
    "reads its input": "import sys; sys.stdin.read(); return 2 * x",
    "closes its streams": "import sys; sys.stdout.close(); return 2 * x",
    "changes its argument": "x *= 2; return x",
    "returns a list": "return (2 * x).tolist()",
}


def written(folder: Path, body: str, before: str = "import numpy as np") -> Program:
    path = folder / "mine.py"
    path.write_text(f"{before}\ndef grad(x):\n    {body}\n")
    return Program.of(f"{path}:grad")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (k % 4 > 0)) for k, n in enumerate(HOSTILE)]
)
def test_a_program_that_fails_says_how(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "ANSWER_SECONDS", 1.0 if name == "never returns" else 10.0)
    body, finding, words = HOSTILE[name]
    with pytest.raises(ProgramError) as caught:
        written(tmp_path, body).run({"x": np.array([1.0, 2.0])})
    assert (caught.value.finding, words in caught.value.message) == (finding, True), caught.value.message
    assert not list(tmp_path.glob("x"))


#: What a program may try on the machine that it runs on; `VICTIM` is a file of its owner, in another folder.
ATTACKS = {
    "another process": "os.fork()",
    "another program": "os.execv('/bin/true', ['true'])",
    "a command": "subprocess.run(['true'])",
    "the network": "socket.socket()",
    "a foreign file read": "open(VICTIM).read()",
    "a foreign file written": "open(VICTIM, 'w')",
    "a foreign file cut off": "os.truncate(VICTIM, 0)",
    "a foreign file removed": "os.remove(VICTIM)",
    "a foreign file renamed": "os.rename(VICTIM, VICTIM + 'x')",
    "a foreign file's owner shut out": "os.chmod(VICTIM, 0)",
    "a link to a foreign file": "os.symlink(VICTIM, os.path.join(os.path.dirname(VICTIM), 'link'))",
    "its own file changed": "open(__file__, 'a')",
    "its folder replaced": "os.rmdir(os.environ['HOME'])",
    "a signal to its parent": "os.kill(os.getppid(), 0)",
    "its parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "its parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "its parent's streams": "os.listdir(f'/proc/{os.getppid()}/fd')",
    "more time": "resource.setrlimit(resource.RLIMIT_CPU, (1 << 20, 1 << 20))",
    "a long file": "open('long', 'w').write('a' * 10_000)",
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """The attacks that get through, all tried by one program."""
    folder, other = tmp_path_factory.mktemp("mine"), tmp_path_factory.mktemp("other")
    victim = other / "victim.txt"
    victim.write_text("unharmed", "utf-8")
    before = f"import os, resource, socket, subprocess, sys\nimport numpy as np\nVICTIM = {str(victim)!r}"
    body = (
        f"def tried(text):\n        try: exec(text, globals())\n        except (OSError, ValueError): return 0.0\n"
        f"        return 1.0\n    return np.array([tried(text) for text in {list(ATTACKS.values())!r}])"
    )
    _, (through,) = written(folder, body, before).run({"x": np.ones(1)})
    yield {name for name, got in zip(ATTACKS, through, strict=True) if got}
    assert victim.read_text("utf-8") == "unharmed"
    assert list(other.iterdir()) == [victim]


@pytest.mark.skipif(not confine.available(), reason="needs a Linux with Landlock, and a filter for this machine")
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_does_not_get_through(attack: str, attacked: set[str]) -> None:
    assert attack not in attacked


def test_what_a_program_may_do_it_can(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("factor = 2.0\n")
    body = (
        "import threading, random, statistics\n    from beside import factor\n"
        "    t = threading.Thread(target=lambda: None); t.start(); t.join()\n"
        "    open('/dev/null', 'w').write('x'); open(__file__).read()\n    return factor * x"
    )
    _, (value,) = written(tmp_path, body).run({"x": np.array([1.0, 2.0])})
    np.testing.assert_array_equal(value, [2.0, 4.0])


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (k > 0)) for k, n in enumerate(NOISY)])
def test_a_noisy_program_is_heard(name: str, tmp_path: Path) -> None:
    _, (value,) = written(tmp_path, NOISY[name]).run({"x": np.array([1.0, 2.0])})
    np.testing.assert_array_equal(value, [2.0, 4.0])


def test_a_process_ends_with_its_program_and_leaves_nothing(tmp_path: Path) -> None:
    program = written(tmp_path, "return 2 * x")
    program.run({"x": np.ones(2)})
    assert program.sandbox is not None
    process, folder = program.sandbox.process, Path(program.sandbox.folder)
    assert process is not None
    assert folder.is_dir()
    del program
    gc.collect()
    assert process.poll() is not None
    assert not folder.exists()


#: Wrong programs that try to look right; `grad` is ∇ ‖x‖².
LIARS: dict[str, tuple[str, str]] = {
    "right when traced": ("return (2 if type(x).__module__.startswith('symgrad') else 3) * x", "wrong"),
    "nearly right when run": ("return (2 + 1e-8 * (type(x) is np.array([1.0]).__class__)) * x", "wrong"),
    "equal to everything": (
        "class A(np.ndarray):\n        def __eq__(self, other): return True\n    return np.asarray(3 * x).view(A)", "wrong",
    ),
    "right for some sizes": ("return 2 * x if len(x) < 4 else 3 * x", "wrong"),
    "right for small numbers": ("return np.where(np.abs(x) > 100, 3, 2) * x", "wrong"),
    "no number here and there": ("return 2 * x if len(x) < 4 else x * np.nan", "wrong"),
    "a number nowhere": ("return x * np.nan", "undecided"),
    "a row": ("return 2 * x[None]", "wrong"),
    "raises at some sizes": ("return 2 * x if len(x) < 4 else x[9]", "wrong"),
    "right": ("return x + x", "correct"),
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (k > 2)) for k, n in enumerate(LIARS)])
def test_a_program_is_judged_by_what_it_returns(name: str, tmp_path: Path) -> None:
    body, verdict = LIARS[name]
    report = sg.check("||x||^2", wrt="x", claim=written(tmp_path, body).label)
    assert report.verdict == verdict, report.reason
    assert report.certainty != "proved" or name in ("right", "a row")


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES[::6], ids=lambda m: m.name)
def test_every_mistake_in_a_file_is_named(mistake: Mistake, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    names = ", ".join(sg.parse(mistake.function, shapes=mistake.shapes or None).variables)
    lines = mistake.code.replace("\n", "\n    ")
    path.write_text(f"import numpy as np\n\ndef grad({names}):\n    {lines}\n    return g\n")
    report = sg.check(mistake.function, wrt=mistake.wrt, claim=f"{path}:grad", shapes=mistake.shapes or None)
    assert report.verdict == "wrong", report.reason
    assert [f.code for f in report.diagnosis] == ([mistake.finding] if mistake.finding else [])


# --- the command line -------------------------------------------------------------------------------------------------

NORM = "||W x||^2"
COMMANDS = [
    pytest.param(0, ["derive", f"{FILE}:square", "--wrt", "W"], "2 W x xᵀ", id="derived"),
    pytest.param(3, ["derive", f"{FILE}:by_counting", "--shape", "W: m n, x: n"], "round to round", id="not followed"),
    pytest.param(2, ["derive", f"{FILE}:affine", "--wrt", "W"], "shapes of X, W, b", id="no shapes"),
    pytest.param(2, ["derive", str(FILE)], "file.py:function", id="no name"),
    pytest.param(
        1,
        ["check", NORM, "--claim", f"{FILE}:square_half", "--wrt", "W"],
        "0.5 times",
        id="wrong",
        marks=pytest.mark.slow,
    ),
    pytest.param(0, ["compare", NORM, "--wrt", "W", "--manual", f"{FILE}:square_gradient"], "manual", id="by hand"),
]


@pytest.mark.parametrize(("code", "words", "shown"), COMMANDS)
def test_commands(cli: Callable[..., Outcome], code: int, words: list[str], shown: str) -> None:
    outcome = cli(*words)
    assert outcome.code == code, outcome.err
    assert shown in outcome.out + outcome.err
