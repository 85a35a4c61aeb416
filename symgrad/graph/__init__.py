"""The computational graph of a function: its gates, the values and gradients on it, its drawing and its traces."""

from symgrad.graph.tape import Row, Tape, record

__all__ = ["Row", "Tape", "record"]
