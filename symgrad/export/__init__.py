"""Programs to show: a function with its forward and backward pass, in the forms in which the field writes them."""

from symgrad.export.forms import Subject
from symgrad.export.program import FORMS, program

__all__ = ["FORMS", "Subject", "program"]
