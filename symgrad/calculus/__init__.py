"""Differentiation: local rules (`local`), the two modes (`modes`), structured variables (`structure`)."""

from symgrad.calculus.modes import (
    LAYOUTS,
    arrange_layout,
    backward,
    derivative,
    gradient,
    identity,
    jacobian,
    jvp,
    pullback,
    pushforward,
    vjp,
)
from symgrad.calculus.structure import Structure, refuse_curved_twice, structure_of, structured

__all__ = [
    "LAYOUTS",
    "Structure",
    "arrange_layout",
    "backward",
    "derivative",
    "gradient",
    "identity",
    "jacobian",
    "jvp",
    "pullback",
    "pushforward",
    "refuse_curved_twice",
    "structure_of",
    "structured",
    "vjp",
]
