"""What a check says: the verdict, who witnessed it with which numbers, and a counterexample where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeVar, overload

from symgrad.schema import SCHEMA
from symgrad.verify.feedback import Part, Told, example_words, finding_words

T = TypeVar("T")


class Heard(Sequence[T], Generic[T]):
    """A sequence that is found when somebody looks at it: witnesses that take seconds are not called for nothing."""

    def __init__(self, ask: Callable[[], Sequence[T]]) -> None:
        self._ask = ask

    @cached_property
    def _found(self) -> tuple[T, ...]:
        return tuple(self._ask())

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return self._found[place]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[T]:
        return iter(self._found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._found == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._found)


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
    claimed: float | None = None

    @property
    def inside(self) -> bool:
        slack = 1e-6 * max(1.0, abs(self.low), abs(self.high))
        return min(self.low, self.high) - slack <= self.symgrad <= max(self.low, self.high) + slack

    def __str__(self) -> str:
        interval = f"[{min(self.low, self.high):.4g}, {max(self.low, self.high):.4g}]"
        claim = "" if self.claimed is None else f", the claim {self.claimed:.4g}"
        picked = f"symgrad picked {self.symgrad:.4g}, JAX {self.jax:.4g}{claim}"
        return f"{self.name}: any value in {interval} is right; {picked}"

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name, "symgrad": self.symgrad, "low": self.low, "high": self.high, "jax": self.jax,
            "claimed": self.claimed if self.claimed is not None and math.isfinite(self.claimed) else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is certain about a wrong claim: a stable code, a sentence, and the numbers behind it."""

    code: str
    message: str
    evidence: str = ""

    def to_dict(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "evidence": self.evidence}


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the right gradient, and how many times a claim has it: once is right."""

    text: str
    times: float

    @property
    def right(self) -> bool:
        return abs(self.times - 1) < 1e-9

    def to_dict(self) -> dict[str, object]:
        return {"text": self.text, "times": self.times, "right": self.right}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A point at which anyone can see that the claim is wrong; in JSON a value that is no number is null."""

    variables: Mapping[str, Any]
    index: tuple[int, ...]
    expected: float
    claimed: float

    def to_dict(self) -> dict[str, object]:
        return {
            "variables": dict(self.variables), "index": list(self.index), "expected": self.expected,
            "claimed": self.claimed if math.isfinite(self.claimed) else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Report(Told):
    """The outcome of a check; true where the verdict is `correct`.

    The verdict on a claim rests on those witnesses that NumPy alone can call; `witnesses` and `kinks` call all of them
    when they are looked at, and `heard()` is the report after that; `diagnosis` and `terms` are found likewise.
    """

    verdict: str
    certainty: str | None
    witnesses: Sequence[Witness]
    gradient: Any
    function: Any
    wrt: str
    variables: Mapping[str, object]
    reason: str = ""
    counterexample: Counterexample | None = None
    diagnosis: Sequence[Finding] = ()
    kinks: Sequence[Kink] = ()
    claim: str | None = None
    steps: Sequence[Mapping[str, str]] = ()
    terms: Sequence[Term] = ()

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def heard(self) -> Report:
        """The report after every witness is heard: nothing is decided where one speaks against the derived gradient."""
        against = [w.name for w in self.witnesses if w.points and not w.agrees]
        if self.claim is None or not against or self.verdict == "undecided":
            return self
        reason = f"the derived gradient itself disagrees with {', '.join(against)}"
        return replace(self, verdict="undecided", certainty=None, reason=reason, counterexample=None, diagnosis=())

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

    @property
    def feedback(self) -> tuple[Part, ...]:
        """What whoever made the claim should hear; the right gradient is not told."""
        certainty = f" ({self.certainty})" if self.certainty else ""
        parts = [Part("verdict", f"∂/∂{self.wrt}: {self.verdict}{certainty}")]
        parts += [Part("line", "claimed:"), Part("written", self.claim)] if self.claim is not None else []
        parts += [Part("line", self.reason)] if self.reason else []
        if self.counterexample is not None:
            parts.append(Part("example", example_words(self.counterexample)))
        wrong = [term for term in self.terms if not term.right]
        if wrong and len(wrong) < len(self.terms):
            parts.append(Part("reason", f"{len(self.terms) - len(wrong)} of {len(self.terms)} terms are right"))
        return (*parts, *finding_words(self.diagnosis))

    def to_dict(self) -> dict[str, object]:
        settled = self.heard()
        if settled is not self:
            return settled.to_dict()
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
            "terms": [term.to_dict() for term in self.terms],
            "kinks": [kink.to_dict() for kink in self.kinks],
            "reason": self.reason,
        }
