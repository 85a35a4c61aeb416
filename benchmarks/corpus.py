"""Every case of a corpus of identities: read, derived, compiled, compared.  `python benchmarks/corpus.py FILE.json`.

Contract: a corpus is a JSON list of cases.  A case states one function twice (`text`, and `latex` in the names of
`latex_names`), its `variables` with shapes, the `domains` they are drawn from, and what is asked: the derivative of
`order` by `wrt` in `layout`.  The function `f` that the case's own Python code `jax_fn` defines is the oracle, and JAX
differentiates it; so a corpus is code, to be run only from people one trusts.  Each reading that is
refused or wrong or long-winded is a line, then come the totals.  The exit code is 0 if every reading is right.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import symgrad as sg
from symgrad.notation.names import canonical

Case = Mapping[str, Any]
Point = dict[str, Any]

POINTS = 3
TOLERANCE = 1e-8
#: A printed derivative is readable if it has at most this many times the tokens of the form in the corpus.
READABLE = 4 / 3
#: What is compared with what.
COMPARED = {
    "text": "the text with the case's text",
    "braces": "the same, braces around indices counted",
    "latex": "the LaTeX with the case's LaTeX",
}
#: In text: a name, a number, an operator; round and square brackets, commas and points count nothing.
TOKEN = re.compile(r"[^\W\d]\w*(?:\.[A-Za-z]\w*)*|\d+\.?\d*(?:e-?\d+)?|\*\*|[^\s\w()\[\],.]")
#: In LaTeX: a command, a letter, a number, an operator; brackets, spaces, sizes and typefaces count nothing.
LATEX_TOKEN = re.compile(r"\\[A-Za-z]+|[^\W\d_]|\d+\.?\d*|[^\s\w(){}\[\],.&\\]")
LATEX_NAME = re.compile(r"\\(?:operatorname|mathrm|text|mathbf|boldsymbol|mathbb|mathcal)\*?\s*\{\\?(\w+)\}")
LATEX_SPACE = re.compile(r"\\(?:left|right|quad|qquad|big|bigg|Big|Bigg|bigl|bigr|,|;|!| |\\)(?![A-Za-z])")


# --- points -----------------------------------------------------------------------------------------------------------


def _definite(rng: np.random.Generator, n: int) -> Any:
    a = rng.normal(size=(n, n))
    return a @ a.T / n + 0.5 * np.eye(n)


def _regular(rng: np.random.Generator, n: int, *, positive: bool = False) -> Any:
    while True:
        a = rng.normal(size=(n, n))
        det = np.linalg.det(a)
        if (det if positive else abs(det)) > 0.3:
            return a


def _banded(rng: np.random.Generator, n: int, *, symmetric: bool = False) -> Any:
    place = np.arange(n)[None, :] - np.arange(n)[:, None]
    return rng.normal(size=2 * n - 1)[abs(place) if symmetric else place + n - 1]


def _joint(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    a = rng.uniform(0.2, 1, size=shape)
    a = (a + a.T) * (1 - np.eye(len(a)))
    return a / a.sum()


def _lower(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    a = np.tril(rng.normal(size=shape))
    np.fill_diagonal(a, np.abs(np.diag(a)) + 0.5)
    return a


def _halved(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Zeros and ones, as many of each as can be."""
    return np.asarray(rng.permutation(np.arange(int(np.prod(shape))) % 2 * 1.0)).reshape(shape)


#: How a value of some shape is drawn.
DOMAINS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "small": lambda rng, shape: 0.3 * rng.normal(size=shape),
    "large": lambda rng, shape: 30 * rng.normal(size=shape),
    "nonzero": lambda rng, shape: (z := rng.normal(size=shape)) + 0.2 * np.sign(z),
    "positive": lambda rng, shape: rng.uniform(0.3, 2, size=shape),
    "negative": lambda rng, shape: -rng.uniform(0.3, 2, size=shape),
    "gt1": lambda rng, shape: rng.uniform(1.2, 3, size=shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "open1": lambda rng, shape: rng.uniform(-0.9, 0.9, size=shape),
    "count": lambda rng, shape: rng.integers(0, 6, size=shape).astype(float),
    "pm1": lambda rng, shape: 2.0 * rng.integers(0, 2, size=shape) - 1,
    "binary": _halved,
    "mask": _halved,
    "onehot": lambda rng, shape: np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])],
    "simplex": lambda rng, shape: (z := np.exp(rng.normal(size=shape))) / z.sum(-1, keepdims=True),
    "const5": lambda _rng, shape: np.full(shape, 5.0),
    "symmetric": lambda rng, shape: (z := rng.normal(size=shape)) + np.swapaxes(z, -1, -2),
    "spd": lambda rng, shape: _definite(rng, shape[-1]),
    "spdstack": lambda rng, shape: np.stack([_definite(rng, shape[-1]) for _ in range(shape[0])]),
    "dominant": lambda rng, shape: 0.4 * rng.normal(size=shape) + 2 * np.eye(shape[-1]),
    "invertible": lambda rng, shape: _regular(rng, shape[0]),
    "posdet": lambda rng, shape: _regular(rng, shape[0], positive=True),
    "diagonal": lambda rng, shape: np.diag(rng.normal(size=shape[0])),
    "lowertri": _lower,
    "orthonormal": lambda rng, shape: np.linalg.qr(rng.normal(size=shape))[0],
    "toeplitz": lambda rng, shape: _banded(rng, shape[0]),
    "symtoeplitz": lambda rng, shape: _banded(rng, shape[0], symmetric=True),
    "psym": _joint,
}
#: Domains that a formula may make use of: what is fixed and known to be symmetric.
ASSUMED = {
    "symmetric": "symmetric", "spd": "positive_definite", "onehot": "distribution", "simplex": "distribution",
}  # fmt: skip
#: An entry that a case's text says is 0 beyond the ends: its LaTeX leaves that to the words around it.
PADDED = re.compile(r"(\w+)\[[^\]]*\] if [^()]*<[^()]* else 0")
LABELS = frozenset(("label", "index"))


def point(case: Case, trial: int) -> Point:
    """One value for every variable, or the given ones of `at`."""
    rng = np.random.default_rng([zlib.crc32(case["id"].encode()), trial])
    found: Point = {}
    for name, dims in case["variables"].items():
        shape = tuple(_size(case, d) for d in dims)
        kind, *rest = (case["domains"].get(name) or "real").split()
        if kind == "const":
            found[name] = int(rest[0]) if rest[0].lstrip("-").isdigit() else float(rest[0])
        elif kind in LABELS:
            found[name] = rng.integers(0, _size(case, rest[0]), size=shape)
        else:
            found[name] = np.asarray(DOMAINS[kind](rng, shape))
    given = {name: np.asarray(value, dtype=float) for name, value in (case.get("at") or {}).items()}
    return found | given


def _size(case: Case, dim: str) -> int:
    return int(case["dims"].get(dim, 0) or dim)


# --- the oracle -------------------------------------------------------------------------------------------------------


def oracle(case: Case, f: Callable[..., Any], at: Point) -> Any:
    """The derivative that JAX takes of the case's own function, in the layout of the case."""
    fixed = {k: (v if isinstance(v, (int, float)) else jnp.asarray(v)) for k, v in at.items()}
    wrt, order = case["wrt"], case["order"]
    if order == 0:
        return f(**fixed)
    if isinstance(wrt, list):
        first, second = wrt
        return jax.jacfwd(lambda b: jax.grad(lambda a: f(**fixed | {first: a, second: b}))(fixed[first]))(fixed[second])
    of = lambda v: f(**fixed | {wrt: v})  # noqa: E731
    x = jnp.asarray(at[wrt], dtype=float)
    if case["oracle"] != "plain":
        return _structured(case["oracle"], of, x)
    if order == 2:
        return _vec_hessian(jax.hessian(of)(x)) if case["layout"] == "vec" else jax.hessian(of)(x)
    return _laid_out(case["layout"], jax.jacobian(of)(x), jnp.ndim(of(x)), x.ndim)


def _laid_out(layout: str, jacobian: Any, rank: int, rest: int) -> Any:
    if layout == "vec":
        rows = int(np.prod(jacobian.shape[:rank]))
        axes = (*reversed(range(rank)), *reversed(range(rank, rank + rest)))
        flat = np.transpose(jacobian, axes).reshape(rows, -1)
        return flat if rank else flat[0]
    if layout == "numerator":
        return jacobian if rank else jacobian.T
    return np.moveaxis(jacobian, range(rank), range(-rank, 0))


def _vec_hessian(hessian: Any) -> Any:
    if hessian.ndim != 4:
        return hessian
    m, n = hessian.shape[:2]
    return np.transpose(hessian, (1, 0, 3, 2)).reshape(m * n, m * n)


def _structured(kind: str, of: Callable[[Any], Any], x: Any) -> Any:
    """The gradient by the independent entries, put where each of them stands."""
    rows, columns = np.indices(x.shape)
    place = {
        "symmetric": np.maximum(rows, columns) * len(x) + np.minimum(rows, columns),
        "diagonal": np.where(rows == columns, rows, len(x)),
        "toeplitz": columns - rows,
        "symtoeplitz": abs(columns - rows),
    }[kind]
    _, first, group = np.unique(place, return_index=True, return_inverse=True)
    group = group.reshape(x.shape)
    gradient = jax.grad(lambda entries: of(entries[group]))(x.reshape(-1)[first])[group]
    return gradient * np.eye(len(x)) if kind == "diagonal" else gradient


# --- symgrad ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What became of one reading of one case."""

    case: str
    form: str
    outcome: str  # right, wrong, refused or crash
    reason: str
    seconds: float
    lengths: Mapping[
        str, float
    ]  # tokens of the printed derivative over those of the corpus's own form, by what was compared


def names(case: Case, form: str) -> dict[str, str]:
    """What each variable is declared as: in LaTeX, `X` may be written by its rows x_i, and `y` by its entries y_i."""
    if form == "text":
        return {name: name for name in case["variables"]}
    return {name: _latex_name(case, name, case["latex_names"].get(name, name)) for name in case["variables"]}


def _latex_name(case: Case, name: str, written: str) -> str:
    """The name that `written` has: x_i is a row of X or an entry of x, and y_i a label that belongs to example i."""
    stem, _, script = written.partition("_")
    script, rank = script.strip("{}"), len(case["variables"][name])
    if stem == r"\boldsymbol{\phi}":
        return "Phi"
    if _is_label(case, name):
        return name if script == name else canonical(stem)
    same = canonical(stem).lower() == canonical(name).lower()
    indices = script.isalpha() and script.islower() and len(script) <= rank
    return name if same and (indices or (script.isdigit() and rank == 1)) else canonical(written)


def _is_label(case: Case, name: str) -> bool:
    return (case["domains"].get(name) or "").split()[:1] in (["label"], ["index"])


def attempt(case: Case, form: str) -> Row:
    """Read one form of a case, derive what it asks for, and compare it with the oracle at every point."""
    start = time.perf_counter()
    try:
        called = names(case, form)
        result = derivative(case, form, called)
        seconds = time.perf_counter() - start
        problem = difference(case, result, called)
    except sg.SymgradError as error:
        return Row(case["id"], form, "refused", str(error).splitlines()[0], time.perf_counter() - start, {})
    except Exception as error:  # noqa: BLE001 - a crash is a line of the table, not the end of it
        return Row(case["id"], form, "crash", f"{type(error).__name__}: {error}"[:200], time.perf_counter() - start, {})
    told = problem or (f"{result.text}  for  {case.get('claimed_text', '')}" if form == "text" else
                       f"{result.latex}  for  {case.get('claimed_latex', '')}")  # fmt: skip
    return Row(case["id"], form, "wrong" if problem else "right", told, seconds, lengths(case, result))


def declared(case: Case, called: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The shapes and the assumptions of the variables of a case, by the names they are called."""
    shapes = {
        called[name]: tuple(int(d) if d.isdigit() else d for d in dims) for name, dims in case["variables"].items()
    }
    assume = {called[name]: "label" for name in case["variables"] if _is_label(case, name)}
    fixed = case["variables"].keys() - {case["wrt"] if isinstance(case["wrt"], str) else ""}
    assume |= {called[name]: word for name in fixed if (word := ASSUMED.get(case["domains"].get(name) or ""))}
    if case["oracle"] != "plain":
        assume[called[case["wrt"]]] = {"symtoeplitz": "symmetric+toeplitz"}.get(case["oracle"], case["oracle"])
    return shapes, assume


def derivative(case: Case, form: str, called: Mapping[str, str]) -> sg.Expr:
    shapes, assume = declared(case, called)
    if form == "latex":
        assume |= {called[name]: "zero_padded" for name in PADDED.findall(case["text"]) if name in called}
    function = sg.parse(case[form], shapes=shapes, assume=assume, syntax=form)
    wrt, order, layout = case["wrt"], case["order"], case["layout"]
    if order == 0:
        return function
    if isinstance(wrt, list):
        return sg.hessian(function, tuple(called[name] for name in wrt))
    if layout == "gradient" and function.shape:
        layout = "denominator"
    return sg.derive(function, wrt=called[wrt], order=order, layout=layout).result


def difference(case: Case, result: sg.Expr, called: Mapping[str, str]) -> str:
    """Where the compiled derivative and the oracle differ; empty if nowhere."""
    space: dict[str, Any] = {}
    exec(case["jax_fn"], space)  # the oracle is code, see above
    compiled = sg.compile(result)
    trials = 1 if case.get("at") else POINTS
    for trial in range(trials):
        at = point(case, trial)
        want = np.asarray(oracle(case, space["f"], at))
        known = _known(case, called, compiled, at)
        given = {v.name: known[v.name] for v in compiled.arguments} | {d: case["dims"][d] for d in compiled.sizes}
        got = np.asarray(compiled(**given))
        if case["layout"] == "numerator" and got.shape == (1, *want.shape):
            got = got[0]
        if got.shape != want.shape:
            return f"shape {got.shape}, not {want.shape}"
        scale = max(np.max(np.abs(got), initial=0), np.max(np.abs(want), initial=0), 1e-6)
        error = np.max(np.abs(got - want), initial=0) / scale
        if not error <= TOLERANCE:
            return f"off by {error:.1e}: {result.text}"[:200]
    return ""


def _known(case: Case, called: Mapping[str, str], compiled: Any, at: Point) -> Point:
    """The values by the names that were read; a name that the case does not give is the one variable left over."""
    known = {canonical(called[name]): at[name] for name in case["variables"]}
    read = {v.name for v in compiled.arguments}
    unknown, spare = read - known.keys(), known.keys() - read
    if len(unknown) == len(spare) == 1:
        known[unknown.pop()] = known[spare.pop()]
    return known


def lengths(case: Case, result: sg.Expr) -> dict[str, float]:
    """How many times the tokens of the corpus's own form the printed derivative has, by what was compared.

    `braces` counts the braces around indices too, which code writes as square brackets or as the string of an einsum;
    `latex` is there where the case has its derivative in LaTeX: the last side of an equation, and definitions after it.
    """
    if not (case["true_or_false"] and case.get("claimed_form") == "expr" and case["order"]) or case.get("at"):
        return {}
    own, text = (TOKEN.findall(form) for form in (result.text, case["claimed_text"]))
    bare = [token for token in own if token not in "{}"]
    found = {"text": len(bare) / max(1, len(text)), "braces": len(own) / max(1, len(text))}
    if case.get("claimed_latex") and "prose" not in case["claimed_tags"]:
        first, *definitions = re.split(r",\\[ ,;]|,\\q?quad", case["claimed_latex"])
        written = " ".join([re.split(r"=(?![^{]*\})", first)[-1], *definitions])
        found["latex"] = len(latex_tokens(result.latex)) / max(1, len(latex_tokens(written)))
    return found


def latex_tokens(source: str) -> list[str]:
    """The tokens of LaTeX: a name in letters of its own is one."""
    return LATEX_TOKEN.findall(
        LATEX_SPACE.sub(" ", LATEX_NAME.sub(lambda m: " \\" + re.sub(r"\W|\d|_", "", m[1]) + "n ", source))
    )


# --- the table --------------------------------------------------------------------------------------------------------


def rows(cases: list[Case]) -> Iterator[Row]:
    for case in cases:
        for form in ("text", "latex"):
            yield attempt(case, form)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a corpus: a JSON list of cases")
    parser.add_argument("--only", default="", metavar="ID", help="cases whose id begins so")
    options = parser.parse_args()
    cases = [c for c in json.loads(options.file.read_text(encoding="utf-8")) if c["id"].startswith(options.only)]
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore")
    found = []
    for row in rows(cases):
        found.append(row)
        if row.outcome != "right":
            print(f"{row.case:32} {row.form:6} {row.outcome:8} {row.reason}", flush=True)
        elif row.lengths.get(row.form, 0) > READABLE:
            print(f"{row.case:32} {row.form:6} long     {row.lengths[row.form]:.1f} times: {row.reason}", flush=True)
    return summary(cases, found)


def summary(cases: list[Case], found: list[Row]) -> int:
    """Print the totals; 0 if everything is right."""
    right = {
        form: {row.case for row in found if row.form == form and row.outcome == "right"} for form in ("text", "latex")
    }
    print()
    for form in ("text", "latex"):
        counts = Counter(row.outcome for row in found if row.form == form)
        told = ", ".join(f"{counts[k]} {k}" for k in ("right", "wrong", "refused", "crash"))
        print(f"{form:6} {told}; {len(cases)} in all")
    for compared, meaning in COMPARED.items():
        form = "latex" if compared == "latex" else "text"
        ratios = sorted(row.lengths[compared] for row in found if row.form == form and compared in row.lengths)
        if ratios:
            readable, median = sum(ratio <= READABLE for ratio in ratios), ratios[len(ratios) // 2]
            print(f"readable {readable} of {len(ratios)}, {meaning}; median {median:.2f} times its tokens")
    seconds = sorted(row.seconds for row in found)
    median, slowest = seconds[len(seconds) // 2] * 1e3, seconds[-1] * 1e3
    print(f"read and derived in {sum(seconds):.1f} s, median {median:.1f} ms, slowest {slowest:.0f} ms")
    both = len(right["text"] & right["latex"])
    print(f"right in both forms: {both} of {len(cases)}")
    return int(both < len(cases))


if __name__ == "__main__":
    sys.exit(main())
