"""Differentiation: local rules (`local`) and the two modes (`modes`)."""

from symgrad.calculus.modes import (
    Record,
    Trace,
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

__all__ = [
    "Record",
    "Trace",
    "arrange_layout",
    "backward",
    "derivative",
    "gradient",
    "identity",
    "jacobian",
    "jvp",
    "pullback",
    "pushforward",
    "vjp",
]
