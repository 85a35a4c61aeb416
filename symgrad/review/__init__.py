"""Somebody's work: a written derivation, judged line by line, and what is wrong with it."""

from symgrad.review.written import DerivationReport, Line, check_derivation

__all__ = ["DerivationReport", "Line", "check_derivation"]
