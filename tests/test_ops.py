"""Every operation, tested from its own declaration; a mutated rule must be caught by every test of rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from symgrad.calculus import jacobian, jvp, vjp
from symgrad.expr import Call, Node, Variable, call, number, variable
from symgrad.notation.reading import read, read_rule
from symgrad.notation.render import to_latex, to_text
from symgrad.ops import OPERATIONS, Operation
from symgrad.simplify.trees import arranged, to_tree
from tests.evaluate import FUNCTIONS, evaluate

SIZES = {"n": 3, "m": 2, "b": 4}
DIFFERENTIABLE = [
    (op.name, k)
    for op in OPERATIONS.values()
    for k, rule in enumerate(op.rules)
    if rule.kind not in ("fixed", "unknown")
]
BATCHES: tuple[tuple[str, ...], ...] = ((), ("b",))
DRAW = {
    "positive": lambda rng, shape: rng.uniform(0.3, 2.5, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.3, 2.5, shape) * rng.choice([-1.0, 1.0], shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    "condition": lambda rng, shape: rng.integers(0, 2, shape).astype(float),
    "invertible": lambda rng, shape: rng.normal(size=shape) + 3 * np.eye(shape[-1]),
    "principal": lambda rng, shape: 0.4 * rng.normal(size=shape) + 2 * np.eye(shape[-1]),
    "definite": lambda rng, shape: (z := rng.normal(size=shape)) @ z.swapaxes(-1, -2) + np.eye(shape[-1]),
    "above one": lambda rng, shape: rng.uniform(1.2, 3.0, shape),
    "natural": lambda rng, shape: rng.integers(2, 5, shape),
    "real": lambda rng, shape: rng.normal(size=shape) * 2,
}


def arguments(op: Operation, batch: tuple[str, ...] = ()) -> list[Variable]:
    axes = op.axes()[0] if op.signature else ((),) * len(op.args)
    single = [domain == "natural" for domain in op.domain or ("",) * len(op.args)]  # one power for the whole batch
    shapes = [core if one else batch + core for core, one in zip(axes, single, strict=True)]
    words = [["natural"] if one else [] for one in single]
    return [variable(name, shape, word) for name, shape, word in zip(op.args, shapes, words, strict=True)]


def applied(op: Operation, batch: tuple[str, ...] = ()) -> Call:
    node = call(op, arguments(op, batch))
    assert isinstance(node, Call)
    return node


def point(args: list[Variable], op: Operation, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    domains = op.domain or ("real",) * len(args)
    return {
        v.name: DRAW[domain](rng, tuple(SIZES[d] for d in v.shape)) for v, domain in zip(args, domains, strict=True)
    }


def difference(node: Node, wrt: Variable, at: dict[str, Any]) -> np.ndarray:
    """Central differences of every entry, function axes first."""
    base = np.asarray(at[wrt.name], dtype=float)
    rows = np.zeros((*np.shape(evaluate(node, at, SIZES)), *base.shape))
    for index in product(*(range(n) for n in base.shape)):
        step = np.zeros_like(base)
        step[index] = 1e-6
        high = evaluate(node, at | {wrt.name: base + step}, SIZES)
        low = evaluate(node, at | {wrt.name: base - step}, SIZES)
        rows[(..., *index)] = (high - low) / 2e-6
    return rows


def rule_error(op: Operation, k: int, batch: tuple[str, ...]) -> float:
    """How far the rule is from the difference quotient, relative to its size."""
    node = applied(op, batch)
    wrt = arguments(op, batch)[k]
    worst = 0.0
    for seed in range(8):
        at = point(arguments(op, batch), op, seed)
        got, want = evaluate(jacobian(node, wrt), at, SIZES), difference(node, wrt, at)
        worst = max(worst, float(np.max(np.abs(got - want)) / max(1.0, np.max(np.abs(want)))))
    return worst


def transpose_error(op: Operation, k: int, batch: tuple[str, ...]) -> float:
    """⟨g, J t⟩ - ⟨Jᵀ g, t⟩."""
    node, wrt = applied(op, batch), arguments(op, batch)[k]
    rng = np.random.default_rng(7)
    at = point(arguments(op, batch), op)
    tangent, cotangent = variable("tangent", wrt.shape), variable("cotangent_", node.shape)
    at["tangent"] = rng.normal(size=tuple(SIZES[d] for d in wrt.shape))
    at["cotangent_"] = rng.normal(size=tuple(SIZES[d] for d in node.shape))
    left = np.sum(at["cotangent_"] * evaluate(jvp(node, wrt, tangent), at, SIZES))
    right = np.sum(at["tangent"] * evaluate(vjp(node, wrt, cotangent), at, SIZES))
    return float(abs(left - right) / max(1.0, abs(left)))


def mutants(op: Operation, k: int) -> list[Operation]:
    """The operation with its k-th rule wrong: doubled, negated, and gone."""
    formula, kind = op.rules[k].formula, op.rules[k].kind
    wrong = ["1"] if formula == "0" else ["0"]
    if kind == "partial" and formula != "0":
        wrong = [f"2 ({formula})", f"-({formula})", f"({formula}) + 1/100"]
    elif kind == "adjoint":
        wrong = [f"2 {formula}", f"-{formula}", "g"]
    elif kind == "differential":
        last = formula.rsplit(";", 1)
        wrong = [";".join([*last[:-1], f" 2 ({last[-1]})"]), ";".join([*last[:-1], f" -({last[-1]})"])]
    rules = [(*op.rules[:k], replace(op.rules[k], formula=f), *op.rules[k + 1 :]) for f in wrong]
    return [replace(op, rules=r) for r in rules]


@pytest.mark.parametrize("batch", BATCHES, ids=["single", "batch"])
@pytest.mark.parametrize(("name", "k"), DIFFERENTIABLE)
def test_rule(name: str, k: int, batch: tuple[str, ...]) -> None:
    assert rule_error(OPERATIONS[name], k, batch) < 1e-7
    assert transpose_error(OPERATIONS[name], k, batch) < 1e-12


@pytest.mark.parametrize(("name", "k"), DIFFERENTIABLE)
def test_wrong_rule_is_caught(name: str, k: int) -> None:
    for mutant in mutants(OPERATIONS[name], k):
        assert rule_error(mutant, k, ()) > 1e-4


@pytest.mark.parametrize("name", [op.name for op in OPERATIONS.values() if op.definition])
def test_definition(name: str) -> None:
    op = OPERATIONS[name]
    args = arguments(op)
    meant = read_rule(op.definition, {v.name: v for v in args})
    for seed in range(3):
        at = point(args, op, seed)
        assert np.allclose(evaluate(meant, at, SIZES), evaluate(applied(op), at, SIZES), rtol=1e-12)
        assert not np.allclose(
            evaluate(meant, at, SIZES), evaluate(applied(op), at, SIZES) * (1 + 1e-6) + 1e-9, rtol=1e-12
        )


@pytest.mark.parametrize("name", [op.name for op in OPERATIONS.values() if op.sympy])
def test_sympy_agrees(name: str) -> None:
    """The value on SymPy's numbers, and for smooth operations the derivative that SymPy itself takes."""
    import sympy

    op = OPERATIONS[name]
    args = arguments(op)
    symbols = [sympy.Symbol(v.name, real=True) for v in args]
    assert op.sympy is not None
    formula = op.sympy(sympy, *symbols)
    at = point(args, op)
    numbers = {symbol: sympy.Float(float(at[str(symbol)])) for symbol in symbols}
    assert np.isclose(float(sympy.sympify(formula).subs(numbers)), evaluate(applied(op), at, SIZES) if args else np.pi)
    for k, rule in enumerate(op.rules):
        if rule.kind == "partial":
            theirs = sympy.diff(formula, symbols[k]).subs(numbers).evalf()
            ours = evaluate(jacobian(applied(op), args[k]), at, SIZES)
            assert np.isclose(float(theirs.doit()), float(ours), rtol=1e-10), rule.formula


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if not op.params])
@pytest.mark.parametrize("write", [to_text, to_latex], ids=["text", "latex"])
def test_round_trip(name: str, write: Any) -> None:
    op = OPERATIONS[name]
    node = arranged(applied(op))
    shapes = {v.name: v.shape for v in arguments(op)}
    assert arranged(read(write(to_tree(node)), shapes=shapes).node) is node


@pytest.mark.parametrize("name", OPERATIONS)
def test_declaration_is_complete(name: str) -> None:
    op = OPERATIONS[name]
    assert op.source
    assert op.numpy
    assert op.jax
    assert len(op.rules) == len(op.args)
    assert not op.domain or len(op.domain) == len(op.args)
    assert len(op.defaults) <= len(op.args)
    if op.args and all(rule.kind == "partial" and rule.formula != "0" for rule in op.rules):
        assert op.sympy is not None
    assert op.name in FUNCTIONS or op.name == "onehot"


@pytest.mark.parametrize("name", [op.name for op in OPERATIONS.values() if op.exact])
def test_exact_values(name: str) -> None:
    op = OPERATIONS[name]
    assert op.exact is not None
    for values in product((-2, -1, 0, 1, 3), repeat=len(op.args)):
        if name == "log" and values[0] <= 0:
            continue
        got = call(op, [number(v) for v in values])
        with np.errstate(invalid="ignore", divide="ignore"):
            raw = FUNCTIONS[name](*(np.float64(v) for v in values))
        if not np.isfinite(raw):  # outside of the domain
            assert isinstance(got, Call)
            continue
        assert np.isclose(evaluate(got, {}, {}), raw)


@pytest.mark.parametrize("name", [op.name for op in OPERATIONS.values() if op.complement])
def test_complement(name: str) -> None:
    """1 - f^p by the complement: the same function where f is far from 1, and with all its digits where f is 1."""
    op = OPERATIONS[name]
    assert op.complement is not None
    power, formula = op.complement
    meant = read_rule(formula, {v.name: v for v in arguments(op)})
    for x in (-2.0, 0.3, 1.5):
        assert np.isclose(evaluate(meant, {"x": x}, {}), 1 - evaluate(applied(op), {"x": x}, {}) ** power, rtol=1e-12)
    assert evaluate(applied(op), {"x": 40.0}, {}) == 1
    high, higher = (evaluate(meant, {"x": x}, {}) for x in (40.0, 41.0))
    assert 0 < high < 1e-15
    assert np.isclose(higher / high, np.exp(-power), rtol=1e-9)
