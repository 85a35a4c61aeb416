"""Verification: four witnesses of a derivative, and verdicts on claims; see `check`."""

from symgrad.verify.check import Claim, Subject, check_gradient
from symgrad.verify.report import Counterexample, Finding, Kink, Report, Witness

__all__ = ["Claim", "Counterexample", "Finding", "Kink", "Report", "Subject", "Witness", "check_gradient"]
