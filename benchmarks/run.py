"""How fast symgrad is, beside what it is measured against.  `python benchmarks/run.py [SECTION]...` prints one table.

Contract: both sides of a comparison run in this process (or, for a cold start, as processes) in turn, so that a busy
machine disturbs both; every repeat sees input that no memo of symgrad has seen.  Nothing here is a test.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import symgrad as sg

REPEATS = 15
#: Seconds after which a growing series is cut short.
PATIENCE = 5.0


@dataclass(frozen=True)
class Row:
    """One line of the table; `limit` is what `value` should stay below, in the same unit."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    beside: str = ""


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(*works: Callable[[], object], repeats: int = REPEATS, least: float = 0.2) -> list[float]:
    """The best time of each work, the works taking turns: `repeats` times, and short ones for `least` seconds."""
    for work in works:
        work()
    once = max(map(timed, works))
    gc.collect()
    best = [float("inf")] * len(works)
    for _ in range(max(repeats, min(10_000, int(least / once)))):
        best = [min(b, timed(work)) for b, work in zip(best, works, strict=True)]
    return best


def fresh(entry: Any, repeat: int) -> dict[str, Any]:
    """The source and shapes of a catalog entry, never seen before: spaces added, dimensions renamed."""
    variables = sg.parse(entry.text, shapes=entry.shapes, assume=entry.assume).variables
    shapes = {n: tuple(d if isinstance(d, int) else f"{d}{repeat}" for d in v.shape) for n, v in variables.items()}
    return {"source": entry.text + " " * repeat, "shapes": shapes, "assume": entry.assume}


def differentiated(entry: Any) -> str:
    """The variable of a catalog entry that is differentiated by: the first expected, else the first real one."""
    variables = sg.parse(entry.name).variables
    return next(iter(entry.gradients), None) or next(n for n, v in variables.items() if "label" not in v.assumptions)


# --- symgrad itself -------------------------------------------------------------------------------------------------


def parsing() -> Iterator[Row]:
    """Median over the catalog of the time to read one formula."""
    medians = {}
    for name, entry in sg.catalog().items():
        inputs = [fresh(entry, k) for k in range(1, REPEATS)]
        medians[name] = statistics.median(timed(lambda i=i: sg.parse(**i)) for i in inputs)
    yield _over_catalog("read a formula", medians, "ms", 0.3)


def deriving() -> Iterator[Row]:
    """Median over the catalog of the time to derive a gradient and print its matrix form; SymPy's beside it."""
    ours, theirs = {}, {}
    for name, entry in sg.catalog().items():
        wrt = differentiated(entry)
        inputs = [fresh(entry, k) for k in range(1, REPEATS)]
        ours[name] = statistics.median(timed(lambda i=i, wrt=wrt: sg.derive(wrt=wrt, **i).text) for i in inputs)
        theirs[name] = _entry_by_entry(entry, wrt)
    beside = f"SymPy, entry by entry at sizes 2 and 3: {statistics.median(theirs.values()) * 1e3:.1f} ms"
    yield _over_catalog("derive and print, warm", ours, "ms", 5, beside)


def _entry_by_entry(entry: Any, wrt: str) -> float:
    """Seconds SymPy takes to differentiate the function, written out at sizes 2 and 3, by each entry of a variable."""
    import numpy as np
    import sympy

    from symgrad.verify.interpret import interpret, sympy_arithmetic

    expression = sg.parse(entry.name)
    shapes = {name: v.shape for name, v in expression.variables.items()}
    names = sorted({d for shape in shapes.values() for d in shape if isinstance(d, str)})
    sizes = {name: 2 + k % 2 for k, name in enumerate(names)}
    values: dict[str, Any] = {}
    for name, shape in shapes.items():
        dims = tuple(sizes.get(d, d) for d in shape)
        symbols = [sympy.Symbol(f"{name}_{k}", real=True) for k in range(int(np.prod(dims, dtype=int)))]
        label = "label" in expression.variables[name].assumptions
        values[name] = np.zeros(dims, int) if label else np.array(symbols, dtype=object).reshape(dims)
    outputs = np.ravel(interpret(expression.node, values, sizes, sympy_arithmetic()))
    entries = np.ravel(values[wrt])
    return timed(lambda: [sympy.diff(output, symbol) for output in outputs for symbol in entries])


def judging() -> Iterator[Row]:
    """A claim on each mission function of the catalog, right and twice too large, judged warm and without JAX."""
    right, wrong = {}, {}
    for name, entry in sg.catalog().items():
        wrt = differentiated(entry)
        claims = sg.jacobian(entry.name, wrt).text
        for times, claim in ((right, claims), (wrong, f"2 ({claims})")):
            work = lambda claim=claim, name=name, wrt=wrt: sg.check(name, wrt=wrt, claim=claim).verdict  # noqa: E731
            work()
            times[name] = statistics.median(timed(work) for _ in range(5))
    yield _over_catalog("judge a right claim, warm", right, "ms", 10)
    yield _over_catalog("judge a wrong claim, warm", wrong, "ms", 10)


def _over_catalog(what: str, seconds: Mapping[str, float], unit: str, limit: float, beside: str = "") -> Row:
    slowest = max(seconds, key=lambda name: seconds[name])
    beside = "; ".join(filter(None, [beside, f"slowest: {slowest} {seconds[slowest] * 1e3:.2f} ms"]))
    return Row(f"{what} (median of {len(seconds)})", statistics.median(seconds.values()) * 1e3, unit, limit, beside)


def cold() -> Iterator[Row]:
    """A cold `symgrad derive` beside the import of the command-line library alone, both from compiled bytecode."""
    program = "import sys; from symgrad_cli.app import main; sys.exit(main(['derive', '||W x||^2', '--wrt', 'W']))"
    commands = [[sys.executable, "-c", "import typer"], [sys.executable, "-c", program]]
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder

        def run(command: list[str]) -> float:
            return timed(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment))

        for command in commands:
            run(command)
        times = [[run(command) for command in commands] for _ in range(REPEATS)]
    base, ours = (statistics.median(column) for column in zip(*times, strict=True))
    beside = f"{ours * 1e3:.0f} ms; python -c 'import typer': {base * 1e3:.0f} ms"
    yield Row("cold symgrad derive", ours / base, "x", 3.5, beside)


def network(depth: int, repeat: int) -> str:
    """A ReLU network under a squared norm, one definition a layer."""
    layers = [f"h_{k} = max(0, W_{k} {f'h_{k - 1}' if k > 1 else 'x'})" for k in range(1, depth + 1)]
    return "; ".join([*layers, f"L = ||h_{depth}||^2" + " " * repeat])


def deep() -> Iterator[Row]:
    """All gradients of ReLU networks of growing depth, read from their definitions, in one reverse pass."""
    depths = [16, 32, 64, 128, 256]
    times = {}
    for depth in depths:
        wrt = [f"W_{k}" for k in range(1, depth + 1)]
        shapes = {name: (f"d{k}", f"d{k - 1}") for k, name in enumerate(wrt, 1)} | {"x": ("d0",)}

        def work(repeat: int, depth: int = depth, wrt: list[str] = wrt, shapes: dict[str, Any] = shapes) -> None:
            renamed = {name: tuple(f"{d}_{repeat}" for d in dims) for name, dims in shapes.items()}
            for gradient in sg.gradients(network(depth, repeat), wrt, shapes=renamed).values():
                assert gradient.shape

        times[depth] = timed(lambda work=work: work(1))
        if times[depth] > PATIENCE:
            break
        times[depth] = min(times[depth], *(timed(lambda work=work, k=k: work(k)) for k in (2, 3)))
    growth = [times[b] / times[a] for a, b in pairwise(times)]
    beside = "" if 128 in times else f"given up at depth {max(times)}: {times[max(times)]:.1f} s"
    yield Row("ReLU network of depth 128, all gradients", times.get(128, float("inf")), "s", 0.3, beside)
    yield Row("  growth when the depth doubles (worst)", max(growth), "x", 2.2, " ".join(f"{g:.2f}" for g in growth))


def _layers(layer: str, depth: int, last: str) -> str:
    """`depth` layers, each of the one before, and a loss of the last."""
    made = [layer.format(k=k, h=f"h_{k - 1}" if k > 1 else "x") for k in range(1, depth + 1)]
    return "; ".join([*made, last.format(k=depth)])


def _terms(term: str, count: int) -> str:
    return " + ".join(term.format(k=k) for k in range(1, count + 1))


#: What grows: the source with n layers, heads or terms, the variable, its shape, and the shapes of what is numbered.
GROWING: dict[str, tuple[Callable[[int], str], str, tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "sigmoid network": (
        lambda n: _layers("h_{k} = sigmoid(W_{k} {h} + b_{k})", n, "||h_{k}||^2"),
        "x", ("d",), {"W": ("d", "d"), "b": ("d",)},
    ),
    "layer normalisation": (
        lambda n: _layers(
            "m_{k} = mean({h}); v_{k} = mean(({h} - m_{k})^2); h_{k} = g_{k} .* ({h} - m_{k}) / sqrt(v_{k} + 1)",
            n, "||h_{k}||^2",
        ),
        "x", ("d",), {"g": ("d",)},
    ),
    "RMS normalisation": (
        lambda n: _layers("u_{k} = W_{k} {h}; h_{k} = u_{k} / sqrt(mean(u_{k}^2) + 1)", n, "||h_{k}||^2"),
        "x", ("d",), {"W": ("d", "d")},
    ),
    "attention layers": (
        lambda n: _layers("h_{k} = softmax({h} A_{k} {h}^T) {h} V_{k}", n, "||h_{k}||^2"),
        "x", ("T", "d"), {"A": ("d", "d"), "V": ("d", "d")},
    ),
    "attention heads": (
        lambda n: f"o = {_terms('softmax(x A_{k} x^T) x V_{k}', n)}; ||o||^2",
        "x", ("T", "d"), {"A": ("d", "d"), "V": ("d", "d")},
    ),
    "sum of terms": (lambda n: _terms("log(1 + exp(a_{k}^T x))", n), "x", ("d",), {"a": ("d",)}),
    "product of matrices": (
        lambda n: f"tr({' '.join(f'A_{k}' for k in range(1, n + 1))} x)", "x", ("d", "d"), {"A": ("d", "d")}
    ),
}  # fmt: skip


def growth() -> Iterator[Row]:
    """The time and the size of a derivative when the expression doubles: 2 is linear."""
    from symgrad.expr import count

    for what, (source, wrt, shape, numbered) in GROWING.items():
        times, sizes = [], []
        for n in (8, 16, 32):
            shapes = {f"{name}_{k}": dims for name, dims in numbered.items() for k in range(1, n + 1)} | {wrt: shape}
            function = sg.parse(source(n), shapes=shapes)
            times.append(timed(lambda function=function, wrt=wrt: sg.gradients(function, [wrt])))
            sizes.append(count(sg.gradients(function, [wrt])[wrt].node))
        beside = "time " + " ".join(f"{b / a:.2f}" for a, b in pairwise(times)) + f"; {times[-1]:.2f} s at 32"
        yield Row(f"{what}: growth of the size", max(b / a for a, b in pairwise(sizes)), "x", 2.1, beside)


def chain() -> Iterator[Row]:
    """20,000 definitions, each of the one before, as expressions: a source is bounded, expressions are not."""
    from symgrad.calculus import gradient
    from symgrad.expr import add, call, variable
    from symgrad.ops import OPERATIONS

    length = 20_000
    x = variable("x")
    node = x
    for _ in range(length):
        node = call(OPERATIONS["tanh"], [add([node, x])])
    yield Row(f"differentiate a chain of {length:,} definitions", timed(lambda: gradient(node, x)), "s", 1)


# --- emitted code ---------------------------------------------------------------------------------------------------


def emitted_numpy() -> Iterator[Row]:
    """Emitted NumPy gradients beside hand-written ones, over the catalog."""
    import numpy as np
    from handwritten import CASES

    ratios = []
    for case in CASES:
        arrays = sample(case)
        function, values = _positional(case, "numpy", arrays)
        by_hand, given = case.gradient, [arrays[name] for name in inspect.signature(case.gradient).parameters]
        np.testing.assert_allclose(function(*values), by_hand(*given), rtol=1e-8, atol=1e-10)
        a, b = in_turn(lambda f=function, v=values: f(*v), lambda f=by_hand, v=given: f(*v))
        ratios.append(a / b)
        yield Row(f"  {case.name} by {case.wrt}", a / b, "x", None, f"{a * 1e6:.1f} us; by hand {b * 1e6:.1f} us")
    yield Row("NumPy gradients / by hand (geometric mean)", statistics.geometric_mean(ratios), "x", 1.1)


def emitted_jax() -> Iterator[Row]:
    """Emitted JAX derivatives, compiled, beside `jax.jit(jax.grad(loss))` (or `jax.jacobian`), over the catalog."""
    import jax
    import numpy as np
    from handwritten import CASES

    jax.config.update("jax_enable_x64", True)
    ratios = []
    for case in CASES:
        arrays = {name: jax.device_put(value) for name, value in sample(case).items()}
        function, values = _positional(case, "jax", arrays)
        ours, theirs = jax.jit(function), jax.jit(_derivative(case, arrays))
        given = list(arrays.values())
        np.testing.assert_allclose(ours(*values), theirs(*given), rtol=1e-8, atol=1e-10)
        a, b = in_turn(
            lambda f=ours, v=values: f(*v).block_until_ready(), lambda f=theirs, v=given: f(*v).block_until_ready()
        )
        ratios.append(a / b)
        yield Row(f"  {case.name} by {case.wrt}", a / b, "x", None, f"{a * 1e6:.1f} us; jax.grad {b * 1e6:.1f} us")
    yield Row("JAX gradients / jax.jit(jax.grad) (geometric mean)", statistics.geometric_mean(ratios), "x", 1.05)


def _derivative(case: Any, arrays: Mapping[str, Any]) -> Callable[..., Any]:
    """What JAX makes of the loss: its gradient, or the Jacobian of what is no scalar."""
    import jax

    names = list(arrays)
    loss = lambda *v: case.loss(**dict(zip(names, v, strict=True)))  # noqa: E731
    scalar = jax.eval_shape(loss, *arrays.values()).shape == ()
    return (jax.grad if scalar else jax.jacobian)(loss, argnums=names.index(case.wrt))


def _positional(case: Any, backend: str, arrays: Mapping[str, Any]) -> tuple[Callable[..., Any], list[Any]]:
    """The emitted function as it stands in the source, without the checks of a named call, and its arguments."""
    from handwritten import SIZES

    compiled = sg.compile(sg.jacobian(case.name, case.wrt), backend)
    return compiled.function, [arrays[v.name] for v in compiled.arguments] + [SIZES[d] for d in compiled.sizes]


def sample(case: Any) -> dict[str, Any]:
    """Arrays of the catalog's shapes, a batch of numbers for every variable of a scalar function, labels for labels."""
    import numpy as np
    from handwritten import SIZES

    random = np.random.default_rng(0)
    variables = sg.parse(case.name).variables
    shapes = {name: tuple(SIZES.get(d, d) for d in v.shape) for name, v in variables.items()}
    batch = () if any(shapes.values()) else (SIZES["N"] * SIZES["C"],)
    classes = min((SIZES[d] for v in variables.values() for d in v.shape if d in ("C", "n")), default=1)
    arrays: dict[str, Any] = {}
    for name, shape in shapes.items():
        if "label" in variables[name].assumptions:
            arrays[name] = random.integers(classes, size=shape)
        else:
            arrays[name] = random.normal(size=shape or batch) / (np.sqrt(shape[-1]) if len(shape) > 1 else 1)
    return arrays


# --- the table ------------------------------------------------------------------------------------------------------

SECTIONS: dict[str, Callable[[], Iterator[Row]]] = {
    "parse": parsing,
    "derive": deriving,
    "judge": judging,
    "cold": cold,
    "deep": deep,
    "growth": growth,
    "chain": chain,
    "numpy": emitted_numpy,
    "jax": emitted_jax,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)}; default: all")
    chosen = parser.parse_args().sections or list(SECTIONS)
    print(f"{'':52}{'measured':>12}{'at most':>10}")
    for name in chosen:
        for row in SECTIONS[name]():
            limit = f"{row.limit:g} {row.unit}" if row.limit is not None else ""
            mark = "" if row.limit is None else " ok" if row.value <= row.limit else " OVER"
            print(f"{row.what:52}{f'{row.value:.3g} {row.unit}':>12}{limit:>10}{mark:5}  {row.beside}", flush=True)


if __name__ == "__main__":
    main()
