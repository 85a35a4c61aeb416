"""Known functions of the field by name, each with its source: `CATALOG["softmax-loss"]`."""

from symgrad.catalog.convolutions import CONVOLUTIONS
from symgrad.catalog.entry import Entry
from symgrad.catalog.lectures import LECTURES

CATALOG: dict[str, Entry] = {entry.name: entry for entry in (*LECTURES, *CONVOLUTIONS)}

__all__ = ["CATALOG", "Entry"]
