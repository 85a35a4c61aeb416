"""Rows to lines of code: one writer for both passes, so that what the first computed the second only names.

Contract: `Blocks(...)` holds the lines of the forward and of the backward pass, a name with its shape in a comment for
every row; `kept` are the names that the second takes from the first, `sized(...)` lines that read sizes from shapes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from symgrad.code.lower import Lowering
from symgrad.code.values import Value, is_host
from symgrad.code.writing import Text, Writer, reachable, shape_note
from symgrad.errors import UnsupportedError, printable
from symgrad.export.backprop import Backprop, Row

#: Comments stand below each other where lines are no longer than this.
COMMENT_COLUMN = 44
#: Names of the programs themselves.
RESERVED = ("loss", "layer", "forward", "backward", "cache", "ctx", "rng", "rate", "step", "loss_and_gradients", "Gate")


class Blocks(Writer):
    """Both passes, written."""

    def __init__(self, passes: Backprop, backend: str) -> None:
        rows = (*passes.forward, *passes.backward)
        lowering = Lowering([row.value for row in rows])
        outputs = {row.variable.name: lowering.whole(row.value) for row in rows}
        arguments = [*passes.inputs, *([passes.upstream] if passes.upstream is not None else [])]
        super().__init__(outputs, arguments, backend, "f", {}, RESERVED)
        self.like = self.example(passes.inputs)  # the gradient from above is not there yet in the forward pass
        if self.sizes:
            raise UnsupportedError(f"{printable(self.sizes[0])} is the size of no variable, and no program can know it")
        self.results = {key: self.names.unique(key) for key in outputs}
        self.words |= self.results
        self.passes = passes
        self.bound = set(self.dims.values())
        self.inputs = [self.words[v.name] for v in passes.inputs]
        self.seed = self.words[passes.upstream.name] if passes.upstream is not None else ""
        self.forward = self.block(passes.forward)
        self.backward = self.block(passes.backward)
        self.gradients = [self.words[v.name] for v in passes.gradients]
        self.output = self.words[passes.output.name]

    # --- lines --------------------------------------------------------------------------------------------------------

    def block(self, rows: Sequence[Row]) -> list[str]:
        """The lines of one pass, comments below each other."""
        self.lines = []
        notes: dict[int, str] = {}
        for row in rows:
            name, value = row.variable.name, self.outputs[row.variable.name]
            for part in reachable([value]):
                if part not in self.texts:
                    self.texts[part] = self.text(part)
            word = self.words[name]
            if self.texts[value].text != word:
                self.lines.append(f"{word} = {self.returned(value)}")
            first = next((k for k, line in enumerate(self.lines) if line.startswith(f"{word} = ")), None)
            if row.variable.shape and first is not None:
                notes[first] = shape_note(row.variable)
        width = max(
            [len(line) for k, line in enumerate(self.lines) if k in notes and len(line) <= COMMENT_COLUMN] or [0]
        )
        return [f"{line:<{width}}  # {notes[k]}" if k in notes else line for k, line in enumerate(self.lines)]

    def fresh(self, value: Value) -> str:
        """A row has its own name, if it has not been given yet."""
        for key, output in self.outputs.items():
            if output is value and not any(line.startswith(f"{self.results[key]} = ") for line in self.lines):
                return self.results[key]
        return super().fresh(value)

    def placed(self, value: Value, text: Text) -> Text:
        """Numbers that Python computes are written where they are used: no pass keeps them for the other."""
        rows = any(value is output for output in self.outputs.values())
        return text if is_host(value) and not rows else super().placed(value, text)

    # --- what the passes have in common -------------------------------------------------------------------------------

    @property
    def kept(self) -> list[str]:
        """What the backward pass uses of the inputs and of the forward pass, in order of appearance."""
        known = [*self.inputs, *assigned(self.forward)]
        used = loaded(self.backward)
        found = [name for name in known if name in used]
        for size in sorted(used & self.bound):
            if not self.carrier(size, [*found, self.seed]):
                found.append(self.carrier(size, self.inputs))
        return found

    def carrier(self, size: str, names: Iterable[str]) -> str:
        """The first of some arrays that has an axis of this size."""
        given = set(names)
        return next((word for word, shape in self.shapes() if word in given and size in shape), "")

    def shapes(self) -> list[tuple[str, list[str]]]:
        """Every array with the words for its sizes."""
        rows = (*self.passes.forward, *self.passes.backward)
        arrays = [*self.arguments, *(row.variable for row in rows)]
        return [(self.words[v.name], [self.dims.get(str(d), "") for d in v.shape]) for v in arrays]

    def sized(self, lines: Iterable[str], names: Sequence[str]) -> list[str]:
        """The lines before `lines` that read the sizes they use from the shapes of `names`."""
        needed = loaded(lines) & self.bound
        found: list[str] = []
        for word, sizes in self.shapes():
            new = [size for size in dict.fromkeys(sizes) if size in needed] if word in names else []
            if len(new) == len(sizes) > 1:
                found.append(f"{', '.join(sizes)} = {word}.shape")
            else:
                found += [f"{size} = {word}.shape[{sizes.index(size)}]" for size in new]
            needed -= set(new)
        return found


def assigned(lines: Iterable[str]) -> list[str]:
    """The names that lines assign to, in order."""
    tree = ast.parse("\n".join(lines))
    targets = (node.targets[0] for node in ast.walk(tree) if isinstance(node, ast.Assign))
    return list(dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name)))


def loaded(lines: Iterable[str]) -> set[str]:
    """The names that lines use."""
    return {node.id for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Name)}
