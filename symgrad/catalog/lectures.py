"""The functions of the five lecture decks."""

from symgrad.catalog.entry import Entry

LECTURES: tuple[Entry, ...] = (
    Entry("wx2", "squared norm of a linear map", "||W x||^2", r"\|W \cdot x\|^2 = \sum_{i=1}^n (W \cdot x)_i^2", "CS231n"),
)
