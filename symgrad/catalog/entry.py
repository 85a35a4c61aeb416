"""What the catalog says of a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One known function.

    name       how it is asked for
    title      what the field calls it
    text       the function in symgrad's text, definitions first
    latex      the same as lectures print it
    source     where it is stated
    shapes     shapes of its variables, in the form of `--shape`
    assume     assumptions, in the form of `--assume`
    gradients  the expected derivative by each variable, as the field writes it
    """

    name: str
    title: str
    text: str
    latex: str
    source: str
    shapes: str = ""
    assume: str = ""
    gradients: Mapping[str, str] = field(default_factory=dict)
