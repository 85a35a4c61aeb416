"""Plots of a comparison through matplotlib, an optional extra: the V of finite differences, and what growth costs.

Contract: `to_file(comparison, kind)` gives the bytes of a PNG or SVG file with the numbers of the comparison and no
others; without matplotlib it is an `UnsupportedError` that says how to get it.
"""

from __future__ import annotations

import io
from typing import Any

from symgrad.errors import UnsupportedError
from symgrad.graph.svg import THEMES
from symgrad.graph.ways import BEST_STEPS, Comparison

#: Curves are told apart by mark as well as by colour.
STYLES = ({"color": "#b3261e", "marker": "o"}, {"color": "#1a5fb4", "marker": "s"}, {"color": "#11722f", "marker": "^"})
DIFFERENCES = {"forward": "forward difference", "central": "central difference", "complex": "complex step"}
COSTS = {
    "numerical": "numerical: n + 1 runs of f",
    "forward": "forward mode: n passes",
    "reverse": "reverse mode: 1 pass",
}
FLOOR = 1e-17


def to_file(found: Comparison, kind: str) -> bytes:
    """The plots as the bytes of a file of this kind, "png" or "svg"."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UnsupportedError("plots need matplotlib", hint='install "symgrad[plot]"') from None
    count = 2 if found.growth else 1
    figure = Figure((6.4 * count, 4.6), dpi=150, facecolor=THEMES["light"]["paper"], layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, count, squeeze=False)[0]
    _steps(panels[0], found)
    if found.growth:
        _growth(panels[1], found)
    file = io.BytesIO()
    figure.savefig(file, format=kind, metadata={"Title": f"Five ways to the gradient by {found.wrt}"})
    return file.getvalue()


def _steps(axes: Any, found: Comparison) -> None:
    """Error against step, both logarithmic."""
    for (kind, label), style in zip(DIFFERENCES.items(), STYLES, strict=True):
        pairs = [(step.h, getattr(step, kind)) for step in found.steps if getattr(step, kind) is not None]
        if pairs:
            steps, errors = zip(*pairs, strict=True)
            heights = [max(error, FLOOR) for error in errors]
            axes.loglog(steps, heights, markersize=4, label=label, color=style["color"], marker=style["marker"])
    for name, mark in (("forward difference", "√ε"), ("central difference", "∛ε")):
        axes.axvline(BEST_STEPS[name], color="#5b6470", linestyle=":", linewidth=1)
        axes.annotate(mark, (BEST_STEPS[name], 1), xycoords=("data", "axes fraction"), xytext=(3, -12),
                      textcoords="offset points", color="#5b6470")  # fmt: skip
    axes.set_xlabel("step h")
    axes.set_ylabel("relative error of the derivative")
    axes.set_title("truncation on the right, rounding on the left")
    axes.legend(loc="best")
    axes.grid(visible=True, alpha=0.3)


def _growth(axes: Any, found: Comparison) -> None:
    """Operations for a whole gradient against the number of inputs, both logarithmic."""
    inputs = [cost.inputs for cost in found.growth]
    for (name, label), style in zip(COSTS.items(), STYLES, strict=True):
        counts = [cost.operations[name] for cost in found.growth]
        axes.loglog(inputs, counts, markersize=4, label=label, color=style["color"], marker=style["marker"])
    axes.set_xlabel(f"inputs n (entries of {found.wrt})")
    axes.set_ylabel("operations for the whole gradient")
    axes.set_title("what a gradient costs as inputs grow")
    axes.legend()
    axes.grid(visible=True, alpha=0.3)
