"""Every claim of a corpus of identities, judged.  `python benchmarks/claims.py FILE.json` prints one table.

Contract: the corpus is that of `corpus.py`.  Each case claims a derivative (or a value) three times: as text, as LaTeX,
and as Python code, which is judged as a callable; its field `true_or_false` says what the verdict must be.  A true
claim that is `wrong` is a false reject, a false one that is `correct` a false accept, and a `wrong` without a witness
(a counterexample, or shapes that do not fit) counts as one.  What cannot be read is `refused`.  The exit code is 0 if
no verdict is false.
"""

from __future__ import annotations

import argparse
import builtins
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import scipy.linalg
import scipy.special
from corpus import Case, declared, names

import symgrad as sg
from symgrad.notation.names import canonical
from symgrad.review.equality import compare

FORMS = ("text", "latex", "code")


# --- claims as code ---------------------------------------------------------------------------------------------------


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims) if isinstance(x, np.ndarray | float | int) else builtins.sum(x)


def _largest(*values: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.maximum.reduce(values) if len(values) > 1 else np.max(values[0], axis=axis, keepdims=keepdims)


def _softmax(x: Any, axis: int = -1) -> Any:
    return scipy.special.softmax(x, axis=axis)


def _commutation(m: int, n: int) -> Any:
    """K with K vec(X) = vec(Xᵀ) for X of m rows and n columns, where vec stacks columns."""
    place = np.arange(m * n).reshape(n, m).T.ravel()
    return np.eye(m * n)[place]


def _adjugate(x: Any) -> Any:
    n = len(x)
    minor = lambda i, j: np.linalg.det(np.delete(np.delete(x, i, 0), j, 1))  # noqa: E731
    return np.array([[(-1) ** (i + j) * minor(j, i) for j in range(n)] for i in range(n)])


def _correlation(small: Any, large: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(large, small.shape)
    return np.einsum(
        windows, list(range(windows.ndim)), small, list(range(large.ndim, windows.ndim)), list(range(large.ndim))
    )


#: What the code of a corpus may call beside NumPy's own functions.
DIALECT: dict[str, Callable[..., Any]] = {
    "sum": _sum, "max": _largest, "min": lambda *values: np.minimum.reduce(values),
    "softmax": _softmax, "sigmoid": scipy.special.expit,
    "relu": lambda x: np.maximum(0, x), "phi": lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
    "softplus": lambda x: np.logaddexp(0, x), "logsumexp": scipy.special.logsumexp, "erf": scipy.special.erf,
    "log_softmax": lambda x, axis=-1: scipy.special.log_softmax(x, axis=axis), "gammaln": scipy.special.gammaln,
    "digamma": scipy.special.digamma, "Phi": scipy.special.ndtr,
    "tr": np.trace, "det": np.linalg.det, "inv": np.linalg.inv, "pinv": np.linalg.pinv, "expm": scipy.linalg.expm,
    "logdet": lambda x: np.linalg.slogdet(x)[1], "matrix_power": np.linalg.matrix_power, "cosm": scipy.linalg.cosm,
    "sinm": scipy.linalg.sinm, "norm": lambda x, p=None: np.linalg.norm(x, p) if p else np.sqrt(np.sum(x * x)),
    "norm1": lambda x: np.sum(np.abs(x)), "nucnorm": lambda x: np.linalg.norm(x, "nuc"), "adj": _adjugate,
    "eigmax": lambda x: np.linalg.eigvalsh((x + x.T) / 2)[-1], "vec": lambda x: np.ravel(x, order="F"),
    "onehot": lambda y, count: np.eye(int(count))[np.asarray(y, dtype=int)], "commutation": _commutation,
    "conv1d": _correlation, "I": np.eye,
    "conv2d": lambda image, kernel: _correlation(kernel, image),
    "conv3d": lambda kernel, image: _correlation(kernel, image)[..., 0],
}  # fmt: skip


def program(case: Case, called: Mapping[str, str]) -> Callable[..., Any]:
    """The claimed code of a case as a function of its variables; sizes are those of the arrays it is given."""
    own = {canonical(spelled): name for name, spelled in called.items()}

    def claimed(**given: Any) -> Any:
        arrays = {own[name]: value for name, value in given.items()}
        sizes = dict(case["dims"])
        for name, dims in case["variables"].items():
            sizes |= {d: n for d, n in zip(dims, np.shape(arrays.get(name, 0.0)), strict=False) if not d.isdigit()}
        space: dict[str, Any] = {**vars(np), **DIALECT, "np": np, **sizes, **arrays}
        try:
            if "\n" in case["claimed_text"]:
                exec(case["claimed_text"], space)
                return space["result"]
            return eval(case["claimed_text"], space)
        except ValueError:  # arrays that do not fit have no product, and the claim no value
            return np.zeros((0,) * 7)

    return claimed


# --- verdicts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What became of one claim; `outcome` is right, a false verdict, or none."""

    case: str
    form: str
    outcome: str
    verdict: str
    certainty: str
    seconds: float
    reason: str


def judged(case: Case, form: str) -> Row:
    """One form of the claim of a case, judged."""
    start = time.perf_counter()
    try:
        report = verdict(case, form)
    except sg.SymgradError as error:
        return Row(case["id"], form, "refused", "", "", time.perf_counter() - start, str(error).splitlines()[0])
    except Exception as error:  # noqa: BLE001 - a crash is a line of the table, not the end of it
        told = f"{type(error).__name__}: {error}"[:160]
        return Row(case["id"], form, "crash", "", "", time.perf_counter() - start, told)
    seconds = time.perf_counter() - start
    rank = len(case["variables"].get(str(case["wrt"]), ()))
    row = bool(case["order"]) and not report.function.shape and (rank == 1 or case["layout"] == "vec")
    outcome = outcome_of(report, case["true_or_false"], row)
    return Row(case["id"], form, outcome, report.verdict, report.certainty or "", seconds, report.reason)


def outcome_of(report: Any, true: bool, row: bool) -> str:
    """What a verdict is worth; `row` says that a row may be written as a vector, as the corpus does."""
    if report.verdict == "undecided":
        return "undecided"
    codes = {finding.code for finding in getattr(report, "diagnosis", ())}
    if true != (report.verdict == "correct" or (row and "layout" in codes)):
        return "false reject" if true else "false accept"
    witnessed = true or report.counterexample is not None or codes & {"shape", "layout"}
    return "right" if witnessed else "no witness"


def verdict(case: Case, form: str) -> Any:
    """The report on a claim: a derivative through `check`, an identity of values through `compare`."""
    written = "latex" if form == "latex" else "text"
    called = names(case, written)
    shapes, assume = declared(case, called)
    wrt = case["wrt"]
    if case["oracle"] == "plain" and case["domains"].get(str(wrt)) in ("spd", "symmetric"):
        assume[called[wrt]] = "symmetric_values"
    function = sg.parse(case[written], shapes=shapes, assume=assume, syntax=written)
    claim = {"text": case["claimed_text"], "latex": case["claimed_latex"], "code": program(case, called)}[form]
    if not case["order"]:
        node = sg.parse(claim, shapes=shapes, assume=assume, syntax=written).node
        return compare(function.node, node)
    layout = case["layout"]
    by = [called[name] for name in wrt] if isinstance(wrt, list) else called[wrt]
    if layout == "gradient" and function.shape:
        layout = "denominator"
    options: dict[str, Any] = {"order": case["order"], "layout": layout}
    return sg.check(function, wrt=by, claim=claim, syntax=written if isinstance(claim, str) else "auto", **options)


def judgeable(case: Case, form: str) -> bool:
    """Whether there is something to judge: code is no text, and printed numbers belong to written derivations."""
    if case.get("at") is not None:
        return False
    return form != "text" or case["claimed_form"] == "expr"


def rows(cases: list[Case], forms: tuple[str, ...]) -> Iterator[Row]:
    for case in cases:
        for form in forms:
            if judgeable(case, form) and (case["order"] or form != "code"):
                yield judged(case, form)


# --- the table --------------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a corpus: a JSON list of cases")
    parser.add_argument("--only", default="", metavar="ID", help="cases whose id begins so")
    parser.add_argument("--form", default="", metavar="|".join(FORMS), help="one form of the claims alone")
    parser.add_argument("--quiet", action="store_true", help="print what is not right, and the totals")
    options = parser.parse_args()
    cases = [c for c in json.loads(options.file.read_text(encoding="utf-8")) if c["id"].startswith(options.only)]
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore")
    found = []
    for row in rows(cases, (options.form,) if options.form else FORMS):
        found.append(row)
        if not (options.quiet and row.outcome == "right"):
            told = f"{row.outcome:12} {row.verdict:9} {row.certainty:7} {row.seconds * 1e3:6.0f} ms"
            print(f"{row.case:32} {row.form:5} {told}  {row.reason[:160]}", flush=True)
    return summary(found)


def summary(found: list[Row]) -> int:
    """Print the totals; 0 if no verdict is false."""
    print()
    for form in FORMS:
        mine = [row for row in found if row.form == form]
        counts = Counter(row.outcome for row in mine)
        proved = sum(row.certainty == "proved" for row in mine if row.outcome == "right")
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        seconds = sorted(row.seconds for row in mine) or [0.0]
        median = seconds[len(seconds) // 2] * 1e3
        print(
            f"{form:6} {len(mine)} claims: {told}; {proved} proved; median {median:.0f} ms, {sum(seconds):.0f} s in all"
        )
    return int(any(row.outcome in ("false accept", "false reject", "no witness", "crash") for row in found))


if __name__ == "__main__":
    sys.exit(main())
