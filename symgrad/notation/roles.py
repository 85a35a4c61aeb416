"""What names stand for in one source, and how many axes each has.

Contract: `Roles` settles, once for a source, which letters are indices, labels, sizes, entries and variables, and the
shape of every variable: as declared, or with unknown dimensions where `ranks` had to tell.  Trees whose meaning turns
out to be a name (`W_1`) or an entry (`x_2`) are rewritten here, so that nobody after has to ask again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symgrad.errors import InputError, ShapeError
from symgrad.expr import Shape
from symgrad.notation.counts import sized
from symgrad.notation.names import GREEK, subscripted
from symgrad.notation.parser import Parsed
from symgrad.notation.ranks import Ranks
from symgrad.notation.scope import (
    LABEL_LETTERS,
    Definition,
    Survey,
    Uses,
    become_entry,
    become_name,
    free_indices,
    is_numbered,
    survey,
)  # fmt: skip
from symgrad.notation.scripts import INDEX_LETTERS
from symgrad.notation.syntax import Tree
from symgrad.notation.values import Scope
from symgrad.notation.wholes import become_names
from symgrad.shapes import SQUARE, Axis, Unknown

#: Names that mean something of their own where they are not declared: the identity, unit vectors, Kronecker's delta.
UNIVERSAL = frozenset({"I", "e", "delta"})

#: How vectors are set.
VECTORS = frozenset({"bold", "vec", "underline", "overrightarrow"})

#: Functions whose result has calculated dimensions.
CALCULATING = frozenset(
    {"concatenate", "hstack", "vstack", "conv", "conv1d", "conv2d", "conv3d", "correlate", "convolve"}
)


class Roles:
    """The names of one source; see the module."""

    def __init__(self, parsed: Parsed, declared: Mapping[str, Shape], assumed: Mapping[str, frozenset[str]]) -> None:
        self.parsed = parsed
        self.declared = {**declared, **_declared_inside(parsed, declared)}
        self.assumed = dict(assumed)
        self.dims = {d for shape in self.declared.values() for d in shape if isinstance(d, str)}
        self.parsed = parsed = replace(parsed, tree=sized(parsed.tree, self.dims - self.declared.keys(), parsed.source))
        become_names(parsed.tree, {*self.declared, *self.assumed, *self.dims})
        self.survey: Survey = survey(parsed.tree, parsed.source, self.declared, self.dims)
        self.notes: dict[str, None] = dict.fromkeys((*parsed.notes, *self.survey.notes))
        self.scope = Scope(source=parsed.source, numpy=parsed.dialect == "numpy")
        self.indices: set[str] = set()
        self.unknown: dict[str, int] = {}
        self.shapes: dict[str, tuple[Axis, ...]] = {}

    def settle(self) -> None:
        self.sort_names()
        self.guess_ranks()
        for name in self.declared:
            if name not in self.shapes:
                self.notes.setdefault(f"{name} is declared but does not occur")

    # --- what names are -------------------------------------------------------------------------------------------

    def sort_names(self) -> None:
        """Tell indices, labels, sizes, entries and variables apart."""
        self._set_aside_values()
        uses, scope, declared = self.survey.uses, self.scope, self.declared
        formulas = [*self.survey.definitions, self.survey.function]
        defined = {d.name for d in self.survey.definitions}
        self._refuse_loose()
        _drop_decorations(formulas, uses)
        self.indices = set(uses.bound).union(*(d.indices for d in formulas))
        scope.sizes = (self.dims | uses.tops.keys()) - declared.keys() - defined
        scope.tops = {name: Unknown() for name in uses.tops if name in scope.sizes and name not in self.dims}
        scope.labels = {name for name in uses.labelled if name not in self.indices}
        usual = LABEL_LETTERS | declared.keys()
        scope.labels |= {name for name in uses.subscripts if name in usual and name not in self.indices}
        scope.labels |= {name for name in uses.marked if name not in self.indices}
        scope.labels |= {name for name, words in self.assumed.items() if "label" in words}
        if uses.labelled:
            scope.decorations = free_indices(uses, self.survey.definitions, declared)
            self._refuse_several()
        scope.decorations |= self._named_vectors(formulas)
        scope.padded = {name for name, words in self.assumed.items() if "zero_padded" in words}
        scope.zero_based = zero_based(uses, self.parsed.source)
        scope.calculates = calculates(uses)
        self._variables(defined)

    def _refuse_several(self) -> None:
        """s_{y_w} - s_{y_l}, where nothing declares the two labels: as decorations of one label they would be equal."""
        carriers = self.survey.uses.carriers
        for name in sorted(self.scope.labels & self.survey.uses.labelled):
            marks = sorted(letter for letter in self.scope.decorations if name in carriers.get(letter, ()))
            if len(marks) > 1 and not self.declared.get(name):
                several = [f"{name}_{mark}" for mark in marks]
                tree = self.survey.uses.subscripts.get(name) or self.survey.function.body
                raise InputError(
                    f"are {' and '.join(several)} different labels?", source=self.parsed.source, offset=tree.start,
                    end=tree.end, code="AMBIGUOUS", hint=f'declare each of them as a label: "{several[0]}:"',
                )  # fmt: skip

    def _named_vectors(self, formulas: Iterable[Definition]) -> set[str]:
        """c of v_c, where v is declared as a vector, c is bound nowhere, and u^T v_c needs a vector."""
        uses = self.survey.uses
        letters = {
            letter: name for letter, carriers in uses.carriers.items() for name in carriers
            if len(carriers) == 1 and len(self.declared.get(name, ())) == 1 and name not in uses.plain
            and letter not in self.indices and letter not in self.declared and letter not in self.dims
        }  # fmt: skip
        if not letters:
            return set()
        trees = [tree for one in formulas for tree in one.body.walk()]
        needed = [
            part for tree in trees if tree.head == "mul" and any(arg.head == "transpose" for arg in tree.args)
            for part in (arg.args[0] if arg.head == "transpose" else arg for arg in tree.args)
        ]  # fmt: skip
        found = set()
        for letter, name in letters.items():
            wanted = Tree("index", (Tree("name", (), name), Tree("name", (), letter)))
            uses_of = [tree for tree in trees if tree.head == "index" and tree.args[0].value == name]
            if all(tree == wanted and any(tree is part for part in needed) for tree in uses_of):
                found.add(letter)
                self.notes.setdefault(f"{name}_{letter} is the vector {name}: {letter} is only part of its name")
        return found

    def _refuse_loose(self) -> None:
        r"""\sum_{i \neq j} x_i x_j: j could run as well, or be a given label."""
        uses = self.survey.uses
        for name in uses.marked:
            loose = name in INDEX_LETTERS and name not in self.declared and name not in self.assumed
            if loose and name in uses.carriers and name in uses.subscripts:
                tree = uses.subscripts[name]
                raise InputError(
                    f"does {name} run, too, or is it given?", source=self.parsed.source, offset=tree.start,
                    end=tree.end, code="AMBIGUOUS",
                    hint=f"write \\sum_{name} in front of it, or assume that {name} is a label",
                )  # fmt: skip

    def _set_aside_values(self) -> None:
        """`W = 0` beside a declared matrix W says where to look, not what W is."""
        values = [d for d in self.survey.definitions if d.body.head == "num" and self.declared.get(str(d.name))]
        for definition in values:
            tree = definition.whole
            written = self.parsed.source[tree.start : tree.end].strip()
            self.notes.setdefault(f"{written} is a point, no definition: {definition.name} stays a variable")
        self.survey.definitions = [d for d in self.survey.definitions if d not in values]

    def _variables(self, defined: set[str]) -> None:
        """The names that stand for variables, in the order of the source, each with the indices it carries."""
        uses, declared, scope = self.survey.uses, self.declared, self.scope
        free = {name for name in uses.subscripts if name not in declared and name not in scope.labels}
        taken = self.indices | defined | scope.sizes | (free - uses.indexed.keys())
        places: dict[str, int] = {}
        for name, tree in uses.plain.items():
            places[name] = tree.start
        for name in uses.indexed:
            places.setdefault(name, 1 << 30)
        for name in scope.labels & uses.subscripts.keys():
            places.setdefault(name, uses.subscripts[name].start)
        for name, trees in uses.numbered.items():
            self._numbered(name, trees, defined, places)
        entries: set[str] = set()
        for name in self._in_order(places):
            if not name or name in taken or name in declared or self._is_universal(name):
                continue
            if self._is_entry(name, defined):
                entries.add(name)
            elif not self._is_row(name):
                self.unknown[name] = self._carried(name)
        if entries:
            self._make_entries(entries)

    def _in_order(self, places: Mapping[str, int]) -> list[str]:
        """Names as they come when the definitions are written out."""
        if not self.survey.definitions:
            return sorted(places, key=lambda name: (places[name], name))
        bodies = {d.name: d.body for d in self.survey.definitions}
        order: dict[str, None] = {}
        stack = [self.survey.function.body]
        while stack:
            tree = stack.pop()
            if tree.head in {"name", "call"}:
                name = str(tree.value)
                if name in bodies:
                    stack.append(bodies.pop(name))
                elif name in places:
                    order.setdefault(name)
            stack.extend(reversed(tree.args))
        order.update(dict.fromkeys(sorted(places.keys() - order.keys())))
        return list(order)

    def _is_universal(self, name: str) -> bool:
        """The identity I, a unit vector e_k, Kronecker's δ_ij: where nobody declares them otherwise."""
        if name not in UNIVERSAL or name in self.assumed:
            return False
        uses = self.survey.uses
        return name == "I" or (name not in uses.plain and uses.indexed.get(name) == (2 if name == "delta" else 1))

    def _carried(self, name: str) -> int:
        """How many indices a name carries; a label's decoration does not count."""
        count = self.survey.uses.indexed.get(name, 0)
        if name in self.scope.labels and count == 1:
            carriers = self.survey.uses.carriers
            if any(name in carriers.get(letter, ()) for letter in self.scope.decorations):
                return 0
        return count

    def _numbered(self, stem: str, trees: list[Tree], defined: set[str], places: dict[str, int]) -> None:
        """w_0 and w_1 are names of their own unless w is a vector that is used as a whole, too."""
        uses, declared = self.survey.uses, self.declared
        small = not stem[:1].isupper()
        whole = stem in defined or bool(declared.get(stem)) or (stem not in declared and self._is_row(stem))
        whole = whole or (small and stem not in declared and (stem in uses.plain or uses.indexed.get(stem, 0) == 1))
        bracketed = any(is_bracketed(tree, self.parsed.source) for tree in trees)
        if whole and not bracketed and all(tree.args and tree.args[1].value == 0 for tree in trees):
            whole = False
            self.notes.setdefault(f"{stem}_0 is a name of its own, no entry of {stem}")
        whole = whole or bracketed
        for tree in trees:
            if tree.head != "index":
                continue  # a chain of comparisons shares its middle term
            name = subscripted(stem, str(tree.args[1].value))
            if whole and name not in declared and name not in defined:
                places[stem] = min(places.get(stem, 1 << 30), tree.start)
                uses.indexed[stem] = max(1, uses.indexed.get(stem, 0))
                self.notes.setdefault(f"{name} is an entry of {stem}; declare {name} to make it a variable")
            else:
                become_name(tree)
                uses.plain.setdefault(name, tree)
                places[name] = min(places.get(name, 1 << 30), tree.start)

    def _is_entry(self, name: str, defined: set[str]) -> bool:
        """x_2 in text is an entry where x is a declared vector or a definition."""
        stem, _, number = name.rpartition("_")
        if self.parsed.syntax != "text" or not number.isdigit() or len(number) > 9:
            return False
        return len(self.declared.get(stem, ())) == 1 or stem in defined

    def _make_entries(self, entries: set[str]) -> None:
        """Rewrite names that turned out to be entries."""
        for formula in (*self.survey.definitions, self.survey.function):
            for tree in formula.body.walk():
                if tree.head == "name" and tree.value in entries:
                    name = str(tree.value)
                    stem, _, number = name.rpartition("_")
                    become_entry(tree, stem, int(number))
                    self.survey.uses.numbered.setdefault(stem, []).append(tree)
                    self.notes.setdefault(f"{name} is an entry of {stem}; declare {name} to make it a variable")
        self.scope.zero_based = zero_based(self.survey.uses, self.parsed.source)

    def _is_row(self, name: str) -> bool:
        """x_i where only X is declared: a row of X."""
        uses = self.survey.uses
        if name in uses.plain or name not in uses.indexed or name not in {*GREEK, name[:1]}:
            return False
        capital = name[:1].upper() + name[1:]
        rank, count = len(self.declared.get(capital, ())), uses.indexed[name]
        defined = count == 2 and any(d.name == capital and not d.indices for d in self.survey.definitions)
        if capital == name or not (defined or rank == 2 or (rank > 2 and rank == count)):
            return False
        self.scope.rows[name] = capital
        return True

    # --- shapes ---------------------------------------------------------------------------------------------------

    def guess_ranks(self) -> None:
        """Shapes of all variables: declared, or with as many unknown dimensions as the uses tell."""
        self.shapes = {name: shape for name, shape in self.declared.items() if self._occurs(name)}
        if not self.unknown:
            return
        roots = [*(d.body for d in self.survey.definitions if d.parameters is None), self.survey.function.body]
        bold = {name for name, fonts in self.parsed.fonts.items() if fonts & VECTORS and name[:1].islower()}
        known = {name: len(shape) for name, shape in self.declared.items()}
        known |= {name: max(2, self.survey.uses.indexed.get(name, 0)) for name in self.scope.rows}
        known |= {name: self.unknown[name] for name in self.scope.labels if name in self.unknown}
        square = {name for name in self.unknown if self.assumed.get(name, frozenset()) & SQUARE}
        known |= dict.fromkeys(square, 2)
        ranks = Ranks(known, self.survey.definitions, self.scope.numpy, self.unknown, bold, self.unknown)
        found = ranks.settle(roots)
        for name in self.unknown:
            self.shapes[name] = (Unknown(),) * 2 if name in square else tuple(Unknown() for _ in range(found[name]))

    def _occurs(self, name: str) -> bool:
        uses = self.survey.uses
        if name in uses.plain or name in uses.indexed or name in uses.labelled or name in uses.subscripts:
            return name not in self.indices or name in uses.plain
        entry = any(tree.head == "index" for tree in uses.numbered.get(name, ()))  # not the name w_2
        return entry or name in self.scope.rows.values() or name in uses.called


def calculates(uses: Uses) -> bool:
    """Whether dimensions are calculated: by subscripts, slices, partial sums, convolutions."""
    return uses.calculates or not CALCULATING.isdisjoint(uses.called)


def is_bracketed(tree: Tree, source: str) -> bool:
    """Whether an entry is taken as in code, x[2]."""
    return bool(tree.args) and source[tree.args[0].end : tree.args[0].end + 1] == "["


def zero_based(uses: Uses, source: str) -> set[str]:
    """Names whose entries are counted from 0 in the source: x_0 occurs, or x[2] as in code."""
    entries = ((name, tree) for name, trees in uses.numbered.items() for tree in trees if tree.args)
    return uses.zeros | {name for name, tree in entries if tree.args[1].value == 0 or is_bracketed(tree, source)}


def _drop_decorations(formulas: list[Definition], uses: Uses) -> None:
    """h_θ(x) on a left side: θ is part of the name, not an index."""
    for one in formulas:
        if one.indices:
            one.indices = tuple(
                name for name in one.indices if name in uses.subscripts or (len(name) == 1 and name not in uses.plain)
            )


def _declared_inside(parsed: Parsed, outside: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shapes that the source itself declares, as in W ∈ R^{m×n}."""
    found: dict[str, Shape] = {}
    for tree in parsed.tree.args if parsed.tree.head == "block" else (parsed.tree,):
        if tree.head == "declare":
            name = name_of(tree.args[0])
            shape = _shape_of(tree)
            if outside.get(name, shape) != shape or found.setdefault(name, shape) != shape:
                message = f"{name} is declared twice, with different shapes"
                raise ShapeError(message, source=parsed.source, offset=tree.start, end=tree.end)
    return found


def _shape_of(declaration: Tree) -> Shape:
    dimensions: tuple[str, ...] = declaration.value  # type: ignore[assignment]
    return tuple(int(d) if d.isdigit() else d for d in dimensions)


def name_of(tree: Tree) -> str:
    """The name that a declaration or a derivative is about: W, W_1 or W of W_{ij}."""
    while tree.head in {"index", "transpose"}:
        if is_numbered(tree):
            return subscripted(str(tree.args[0].value), str(tree.args[1].value))
        tree = tree.args[0]
    return str(tree.value) if tree.head == "name" else ""
