"""Differentiation: local rules (`local`) and the two modes (`modes`)."""

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

__all__ = [
    "LAYOUTS",
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
