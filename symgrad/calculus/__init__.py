"""Differentiation: local rules (`local`) and the two modes (`modes`)."""

from symgrad.calculus.modes import (
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
