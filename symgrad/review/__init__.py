"""Somebody's work: a written derivation, judged line by line, and what is wrong with it."""

from symgrad.review.written import DerivationReport, Line, judge

__all__ = ["DerivationReport", "Line", "judge"]
