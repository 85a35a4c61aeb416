"""What a check says: the verdict, who witnessed it with which numbers, and a counterexample where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.notebook import Bundle, bundle, code, table

SCHEMA = "symgrad/1"


@dataclass(frozen=True, slots=True)
class Witness:
    """One independent way to the derivative, and how far it was from the derived one, relative to its size."""

    name: str
    max_relative_error: float
    points: int
    agrees: bool
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name, "max_relative_error": self.max_relative_error, "points": self.points,
            "agrees": self.agrees, "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kink:
    """A point where the derivative is an interval, visited on purpose: who picked which value in it."""

    name: str
    symgrad: float
    low: float
    high: float
    jax: float

    @property
    def inside(self) -> bool:
        slack = 1e-6 * max(1.0, abs(self.low), abs(self.high))
        return min(self.low, self.high) - slack <= self.symgrad <= max(self.low, self.high) + slack

    def __str__(self) -> str:
        interval = f"[{min(self.low, self.high):.4g}, {max(self.low, self.high):.4g}]"
        return f"{self.name}: any value in {interval} is right; symgrad picked {self.symgrad:.4g}, JAX {self.jax:.4g}"

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "symgrad": self.symgrad, "low": self.low, "high": self.high, "jax": self.jax}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is certain about a wrong claim: a stable code, a sentence, and the numbers behind it."""

    code: str
    message: str
    evidence: str = ""

    def to_dict(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "evidence": self.evidence}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A point at which anyone can see that the claim is wrong."""

    variables: Mapping[str, Any]
    index: tuple[int, ...]
    expected: float
    claimed: float

    def to_dict(self) -> dict[str, object]:
        return {
            "variables": dict(self.variables), "index": list(self.index), "expected": self.expected,
            "claimed": self.claimed,
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The outcome of a check; true where the verdict is `correct`."""

    verdict: str
    certainty: str | None
    witnesses: tuple[Witness, ...]
    gradient: Any
    function: Any
    wrt: str
    variables: Mapping[str, object]
    reason: str = ""
    counterexample: Counterexample | None = None
    diagnosis: tuple[Finding, ...] = ()
    kinks: tuple[Kink, ...] = ()
    claim: str | None = None
    steps: tuple[Mapping[str, str], ...] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(str(self), markdown=self.markdown)

    @property
    def markdown(self) -> str:
        """The report for a notebook: the verdict, both gradients, the witnesses, and what was found wrong."""
        said = f"**{self.verdict}**{f' ({self.certainty})' if self.certainty else ''}"
        parts = [f"{said}: {code(self.reason)}" if self.reason else said]
        parts.append(f"derived: ${self.gradient.latex}$" + (f", claimed: {code(self.claim)}" if self.claim else ""))
        rows = [
            (w.name, f"{w.max_relative_error:.1e}", str(w.points), "✓" if w.agrees else "✗") for w in self.witnesses
        ]
        parts.append(table(("witness", "max. relative error", "points", "agrees"), rows))
        parts += [f"likely slip: {code(finding.message)}" for finding in self.diagnosis]
        if self.counterexample is not None:
            c = self.counterexample
            at = ", ".join(f"{name} = {value}" for name, value in c.variables.items()).replace("\n", "")
            entry = f"entry ({', '.join(str(i + 1) for i in c.index)})" if c.index else "the value"
            parts.append(f"at {code(at)} {entry} is {c.expected:.6g}, and the claim gives {c.claimed:.6g}")
        return "\n\n".join(parts)

    def __str__(self) -> str:
        lines = [f"{self.verdict}{f' ({self.certainty})' if self.certainty else ''}: {self.reason}"]
        lines += [
            f"  {w.name}: max relative error {w.max_relative_error:.1e} at {w.points} points" for w in self.witnesses
        ]
        lines += [f"  {finding.code}: {finding.message}" for finding in self.diagnosis]
        if self.counterexample is not None:
            c = self.counterexample
            lines.append(f"  at {dict(c.variables)} entry {c.index} is {c.expected:.6g}, claimed {c.claimed:.6g}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        return {
            "schema": SCHEMA,
            "function": self.function.to_dict(),
            "variables": dict(self.variables),
            "wrt": self.wrt,
            "gradient": self.gradient.to_dict() | {"steps": [dict(step) for step in self.steps]},
            "claim": self.claim,
            "verdict": self.verdict,
            "certainty": self.certainty,
            "witnesses": [w.to_dict() for w in self.witnesses],
            "counterexample": self.counterexample and self.counterexample.to_dict(),
            "diagnosis": [finding.to_dict() for finding in self.diagnosis],
            "kinks": [kink.to_dict() for kink in self.kinks],
            "reason": self.reason,
        }
