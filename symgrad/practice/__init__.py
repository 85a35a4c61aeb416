"""Practice: hints that show one step at a time, and rules explained with their source and an example."""

from symgrad.practice.hints import Hint
from symgrad.practice.rules import RULES, Explanation, explain, explained

__all__ = ["RULES", "Explanation", "Hint", "explain", "explained"]
