"""The computational graph of a function: its gates, the values and gradients on it, its drawing and its traces."""

from symgrad.graph.tape import Row, Tape, record
from symgrad.graph.trace import Line, Trace
from symgrad.graph.views import GATES, Graph, point_of

__all__ = ["GATES", "Graph", "Line", "Row", "Tape", "Trace", "point_of", "record"]
