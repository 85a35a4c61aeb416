"""A derivation one step at a time: what is known so far, and what to do next without its result.

Contract: hint n shows the first n lines of the derivation itself, and of the next only its left side and its rule, so a
hint cannot disagree with the answer; the last hint is the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.derivation import Line
from symgrad.errors import UsageError
from symgrad.notebook import Bundle, bundle

#: What names a step, where its rule alone says too little.
ADVICE = {
    "name": "give the intermediate a name",
    "substitute": "put in what is known already",
    "recognise": "write the function shorter",
    "chain rule": "upstream times local, summed over what lies between",
    "collect": "read the entries as a matrix",
    "read off": "read the gradient off the differential",
}


@dataclass(frozen=True, slots=True)
class Hint:
    """The first lines of a derivation; `total` counts all of them, `next` is the one to find."""

    lines: tuple[Line, ...]
    total: int
    next: Line | None = None

    @classmethod
    def of(cls, lines: Sequence[Line], shown: int) -> Hint:
        if isinstance(shown, bool) or not isinstance(shown, int) or shown < 0:
            raise UsageError("a hint is a number of steps: 0, 1, 2, ...")
        following = lines[shown] if shown < len(lines) else None
        return cls(tuple(lines[:shown]), len(lines), following)

    @property
    def advice(self) -> str:
        """What to do next, without the result: `∂f/∂q = ?   by: squared norm`."""
        if self.next is None:
            return ""
        left = self.next.formula_text.partition(" = ")[0]
        rule = self.next.rule
        if self.next.explanation == "the function":
            return f"{left} = ?   write down the function"
        return f"{left} = ?   by: {rule}" + (f", {ADVICE[rule]}" if rule in ADVICE else "")

    @property
    def text(self) -> str:
        body = [f"{line.number}. {line.formula_text}    [{line.rule}]" for line in self.lines]
        last = f"next: {self.advice}" if self.next is not None else "that is all of it"
        return "\n".join([*body, f"{last}    ({len(self.lines)} of {self.total} steps)"])

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        rows = [line.formula_latex.replace("=", "&=", 1) for line in self.lines]
        if self.next is not None:
            left = self.next.formula_latex.partition(" = ")[0]
            rows.append(rf"{left} &= \;?")
        return bundle(
            self.text, latex="$\\displaystyle \\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$"
        )

    def to_dict(self) -> dict[str, object]:
        lines = [{"step": line.formula_text, "latex": line.formula_latex, "rule": line.rule} for line in self.lines]
        return {"shown": lines, "total": self.total, "next": self.advice or None}
