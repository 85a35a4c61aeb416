r"""Layers and steps with a running number: `h_t = tanh(W h_{t-1} + U x_t)`, `a^{(l)} = σ(z^{(l)})`.

Contract: `unrolled` gives the formulas of a source without running numbers.  Where a family of definitions that need
each other is used at given numbers (`a^{(3)}`, a sum over t = 1..3), its members are written out, from those uses down
to a start that is defined, declared, or has the number 0.  Where it is not, one step is meant: `h_{t-1}` and `h_t` are
names.  Everything else is left as it is: `c_i = x_{i+1} - x_i` defines the entries of c.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.errors import InputError, LimitError
from symgrad.notation.counts import counted, entered, without_zeros
from symgrad.notation.literals import indices, kind, literal
from symgrad.notation.names import subscripted
from symgrad.notation.syntax import Tree, fold

#: How many members of recursions one source may have written out, and how many definitions may form recursions.
MAX_MEMBERS = 200
BEGIN = "define its start, as a^{(0)} = x"
#: What stands before a number above a name.
ABOVE = ("(", "[", "^", "^{", "\\langle")
_NUMBERED = re.compile(r"(.+)\^\(([0-9]+)\)")
#: Letters that count layers, not examples, above a name.
LAYERS = frozenset(("l", "ell"))
#: A name that carries a letter with a number: h_t-1, z^(l), z^(l+1).
_PLACED = re.compile(r"_[A-Za-z]+[+-][0-9]+|\^\([A-Za-z]")


@dataclass(frozen=True, slots=True)
class Place:
    """The number that a member of a family has: `letter` + `offset`, or `offset` alone; above its name or below."""

    base: str
    letter: str
    offset: int
    above: bool

    def at(self, value: int | None) -> str:
        """The name of the member where the letter has a value, or of the letter itself."""
        number = str(self.offset + (value or 0))
        if self.letter and value is None:
            number = self.letter + (f"{self.offset:+}" if self.offset else "")
        return f"{self.base}^({number})" if self.above else subscripted(self.base, number)


@dataclass(slots=True)
class _Family:
    """The definitions with a running number that need each other, among the formulas of a source."""

    source: str
    formulas: list[Tree]
    running: dict[str, tuple[Place, Tree]]
    starts: set[str] = field(default_factory=set)  # members that the source defines
    states: set[str] = field(default_factory=set)  # families that the next number needs

    def member(self, tree: Tree) -> Place | None:
        """The place of a member of one of the families."""
        place = place_of(tree, self.source)
        return place if place is not None and place.base in self.running else None

    def problem(self, tree: Tree, message: str, hint: str) -> InputError:
        return InputError(message, source=self.source, offset=tree.start, end=tree.end, hint=hint, code="AMBIGUOUS")

    def too_many(self) -> LimitError:
        return LimitError(
            f"a recursion is written out up to {MAX_MEMBERS} times", source=self.source, code="LIMIT_LENGTH"
        )


def unrolled(
    tree: Tree, source: str, known: Collection[str], sizes: Collection[str] = ()
) -> tuple[Tree, list[str]]:  # fmt: skip
    """The formulas without running numbers, and what was done; `known` names are variables, or else `sizes`."""
    tree = entered(counted(tree, {*known, *sizes}), known)
    family = _family(tree.args if tree.head == "block" else (tree,), source, known)
    notes: list[str] = []
    if family.running:
        family.formulas = [_expanded(formula, family) for formula in family.formulas]
        _label_gates(family)
        given = [formula for formula in family.formulas if not _runs(formula, family)]
        wanted = [part for formula in given for part in _right(formula) if _number(part, family) is not None]
        written = _members(family, wanted, known, notes) if wanted else _one_step(family, notes)
        tree = written[0] if len(written) == 1 else Tree("block", tuple(written), None, tree.start, tree.end)
    return _stacked(with_known(tree, source, known), known), notes


def _stacked(tree: Tree, known: Collection[str]) -> Tree:
    """`W^{(2)}` as the second of the matrices in W, where W is declared, and W^{(2)} is not known."""
    formulas = tree.args if tree.head == "block" else (tree,)
    own = {str(f.args[0].value) for f in formulas if f.head == "equation" and f.args[0].head == "name"}

    def combine(node: Tree, args: list[Tree]) -> Tree:
        match = _NUMBERED.fullmatch(str(node.value)) if node.head == "name" else None
        if match is not None and match.group(1) in known and node.value not in known and node.value not in own:
            base = Tree("name", (), match.group(1), node.start, node.start)
            number = Tree("num", (), int(match.group(2)), node.end, node.end)
            return Tree("index", (base, number), None, node.start, node.end)
        if node.head == "index" and node.args[0].head == "name" and args[0].head == "index":
            return Tree("index", (*args[0].args, *args[1:]), None, node.start, node.end)
        return _with(node, tuple(args))

    return fold(tree, combine)


def with_known(tree: Tree, source: str, known: Collection[str]) -> Tree:
    """`h_{t-1}` is a name where it is known as one."""
    if not any(_PLACED.search(name) for name in known):
        return tree

    def combine(node: Tree, args: list[Tree]) -> Tree:
        place = place_of(node, source)
        if place is None or not place.letter or place.at(None) not in known:
            return _with(node, tuple(args))
        return _named(node, place.at(None), args[2:])

    return fold(tree, combine)


def place_of(tree: Tree, source: str) -> Place | None:
    r"""The place of `h_{t-1}`, `a_j^{(l+1)}`, `h_3`, `a^{(3)}`; None for everything else."""
    if tree.head == "name":
        match = _NUMBERED.fullmatch(str(tree.value))
        return None if match is None else Place(match.group(1), "", int(match.group(2)), True)
    if tree.head != "index" or tree.args[0].head != "name":
        return None
    base, number = tree.args[:2]
    found = _shift(number)
    if found is None or source[base.end : base.end + 1] == "[":
        return None
    above = source[max(0, number.start - 8) : number.start].rstrip().endswith(ABOVE)
    return Place(str(base.value), *found, above)


def _shift(subscript: Tree) -> tuple[str, int] | None:
    """(letter, number) of `t`, `t - 1`, `3`."""
    if subscript.head == "name":
        return str(subscript.value), 0
    letter = ""
    if subscript.head == "add" and len(subscript.args) == 2 and subscript.args[0].head == "name":
        letter = str(subscript.args[0].value)
        subscript = Tree("add", (Tree("num", (), 0), subscript.args[1]), subscript.value)
    number = literal(subscript)
    return (letter, int(number)) if number is not None and number.denominator == 1 else None


def _right(formula: Tree) -> Iterator[Tree]:
    """Everything on the right sides of a formula."""
    for side in formula.args[1:] if formula.head == "equation" else (formula,):
        yield from side.walk()


# --- families ---------------------------------------------------------------------------------------------------------


def _family(formulas: Sequence[Tree], source: str, known: Collection[str]) -> _Family:
    """The definitions of a source that form recursions, with those that are made of them."""
    running: dict[str, tuple[Place, Tree]] = {}
    twice: list[Tree] = []
    for formula in formulas:
        place = place_of(formula.args[0], source) if formula.head == "equation" else None
        if place is not None and place.letter and place.base not in known:
            if place.base in running:
                twice.append(formula)
            running.setdefault(place.base, (place, formula))
    if not running or len(running) > MAX_MEMBERS:
        return _Family(source, list(formulas), {})
    everything = _Family(source, list(formulas), running)
    needs = {base: _needs(place, formula, everything) for base, (place, formula) in running.items()}
    above = {
        place.base for formula in formulas for tree in _right(formula)
        if tree.head == "name" and (place := everything.member(tree)) is not None
    }  # fmt: skip
    core = {base for base in running if base in _reached(base, needs) or base in above}
    core |= {base for base, (place, formula) in running.items() if _is_layer(place, formula, source)}
    chosen = core | {base for base in running if _reached(base, needs) & core}
    family = _Family(source, list(formulas), {base: one for base, one in running.items() if base in chosen})
    again = next((formula for formula in twice if family.member(formula.args[0])), None)
    if again is not None:
        raise family.problem(again, "this family is defined twice", "give one formula with a running number")
    for formula in formulas:
        left = family.member(formula.args[0]) if formula.head == "equation" else None
        if left is not None and not left.letter:
            family.starts.add(left.at(0))
    for place, formula in family.running.values():
        uses = [use for tree in _right(formula) if (use := family.member(tree)) is not None]
        family.states |= {use.base for use in uses if use.letter == place.letter and use.offset < place.offset}
    return family


def _is_layer(place: Place, formula: Tree, source: str) -> bool:
    r"""Whether `z^{(l)} = W^{(l)} a^{(l-1)}` is of a layer, by its letter or as it looks at another one.

    The i of `L^{(i)} = f(x^{(i)})` is an example's.
    """
    uses = [use for tree in _right(formula) if (use := place_of(tree, source)) and use.above]
    offsets = {use.offset for use in uses if use.letter == place.letter}
    return place.above and bool(offsets) and (place.letter in LAYERS or offsets != {place.offset})


def _needs(place: Place, formula: Tree, family: _Family) -> set[str]:
    """The families that a definition uses at its own running number, or beside it."""
    found = (family.member(tree) for tree in _right(formula))
    return {use.base for use in found if use is not None and use.letter == place.letter}


def _reached(base: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [base]
    while waiting:
        new = needs[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _runs(formula: Tree, family: _Family) -> bool:
    return any(formula is one for _, one in family.running.values())


def _number(tree: Tree, family: _Family) -> Place | None:
    """The place of a member whose number is given."""
    place = family.member(tree)
    return place if place is not None and not place.letter else None


def _label_gates(family: _Family) -> None:
    """W_f beside f_t, U_{hi} beside i_t and h_t: letters that nothing binds, and that say what a weight is for."""
    trees = [tree for formula in family.formulas for tree in formula.walk()]
    steps = {place.letter for place, _ in family.running.values()}
    places = [place for tree in trees if (place := place_of(tree, family.source)) is not None]
    labels = {place.base for place in places if place.letter in steps and len(place.base) == 1} - steps
    labels -= {letter for tree in trees if tree.head == "binder" for letter in indices(tree)}
    labels -= {str(tree.value) for place, formula in family.running.values() for tree in formula.args[0].args[1:]}
    for tree in trees:
        below = tree.args[1:] if tree.head == "index" and tree.args[0].head == "name" else ()
        if below and all(part.head == "name" and part.value in labels for part in below):
            label = "".join(str(part.value) for part in below)
            tree.head, tree.value = "name", subscripted(str(tree.args[0].value), label)
            tree.args = ()


# --- members at given numbers -----------------------------------------------------------------------------------------


def _expanded(formula: Tree, family: _Family) -> Tree:
    """The formula with sums over members written out."""
    if _runs(formula, family):
        return formula

    def combine(node: Tree, args: list[Tree]) -> Tree:
        tree = _with(node, tuple(args))
        if node.head != "big":
            return tree
        letters = {letter for binder in node.args[1:] for letter in indices(binder)}
        found = (family.member(part) for part in tree.args[0].walk())
        letter = next((use.letter for use in found if use is not None and use.letter in letters), None)
        return tree if letter is None else _terms(tree, letter, family)

    return fold(formula, combine)


def _terms(tree: Tree, letter: str, family: _Family) -> Tree:
    """A sum of members from t = 1 to 3 as a sum of three terms."""
    body, binder, *more = tree.args
    ends = [literal(end) for end in binder.args] if kind(binder) == "range" and not more else []
    if tree.value != "sum" or len(ends) != 2 or ends[0] is None or ends[1] is None:
        hint = f"write the numbers, as in \\sum_{{{letter}=1}}^{{3}}"
        raise family.problem(tree, f"how many {letter} does the recursion have?", hint)
    first, last = int(ends[0]), int(ends[1])
    if not 0 <= last - first < MAX_MEMBERS:
        raise family.too_many()
    terms = tuple(_at(body, letter, value, family) for value in range(first, last + 1))
    return terms[0] if len(terms) == 1 else Tree("add", terms, (1,) * len(terms), tree.start, tree.end)


def _members(family: _Family, wanted: Sequence[Tree], known: Collection[str], notes: list[str]) -> list[Tree]:
    """The source with every member that it needs written out, one definition each."""
    written: dict[str, Tree] = {}
    done = {*family.starts, *known}
    waiting = [(place.base, place.offset, tree) for tree in wanted if (place := _number(tree, family)) is not None]
    while waiting:
        base, number, tree = waiting.pop()
        place, formula = family.running[base]
        name = Place(base, "", number, place.above).at(0)
        if name in done:
            continue
        done.add(name)
        if number == 0 and base in family.states:
            notes.append(f"{name} is where the recursion begins")
            continue
        if number < 0:
            raise family.problem(tree, f"where does this recursion of {base} begin?", BEGIN)
        if len(written) == MAX_MEMBERS:
            raise family.too_many()
        value = number - place.offset
        written[name] = _at(_at(formula, place.letter, value, family), "", 0, family)
        for part in _right(formula):
            use = family.member(part)
            if use is not None and use.letter in ("", place.letter):
                waiting.append((use.base, use.offset + (value if use.letter else 0), part))
    for formula in family.formulas:
        if not _runs(formula, family):
            written[f" {len(written)}"] = _at(formula, "", 0, family)
    found = [name for name in written if name[0] != " "]
    notes.append(f"the recursion is written out: {', '.join(found[::-1][:6])}{', ...' if len(found) > 6 else ''}")
    _refuse_open(family)
    return without_zeros(list(written.values()), family.starts)


def _refuse_open(family: _Family) -> None:
    """a^{(L)} beside a^{(l)} = ...: how many layers?"""
    steps = {place.letter for place, _ in family.running.values()}
    for formula in family.formulas:
        for tree in _right(formula):
            use = family.member(tree)
            if use is not None and use.letter not in ("", *steps):
                hint = f"write the number, as {use.base}^{{(3)}}" if use.above else f"write the number, as {use.base}_3"
                raise family.problem(tree, f"what number is {use.letter} here?", hint)


def _at(tree: Tree, letter: str, value: int | None, family: _Family) -> Tree:
    """The formula where a letter has a value; without one, what carries the letter is a name."""

    def combine(node: Tree, args: list[Tree]) -> Tree:
        if node.head == "big" and any(letter in indices(binder) for binder in node.args[1:]):
            return node
        if node.head == "name" and node.value == letter and value is not None:
            return Tree("num", (), value, node.start, node.end)
        if node.head != "index":
            return _with(node, tuple(args))
        place = place_of(node, family.source)
        base = node.args[0] if node.args[0].head == "name" else args[0]
        numbers = [_counted(subscript) for subscript in args[1:]]
        named = place is not None and place.letter == letter
        if place is not None and named and place.above and value is not None and value + place.offset < 0:
            raise family.problem(node, f"where does this recursion of {place.base} begin?", BEGIN)
        if place is not None and named and (value is None or place.above or (not letter and family.member(node))):
            return _named(node, place.at(value), numbers[1:])
        return _with(node, (base, *numbers))

    return fold(tree, combine)


def _counted(subscript: Tree) -> Tree:
    """A subscript that has become a number."""
    number = literal(subscript) if subscript.head == "add" else None
    return subscript if number is None else Tree("num", (), int(number), subscript.start, subscript.end)


def _one_step(family: _Family, notes: list[str]) -> list[Tree]:
    """One step of the recursion: h_{t-1} and h_t are names."""
    places = [place for place, _ in family.running.values()]
    letter = places[0].letter
    for place, formula in family.running.values():
        if place.letter != letter:
            raise family.problem(formula, f"{letter} and {place.letter} count the same steps", "use one letter")
    kept = [
        formula for formula in family.formulas
        if formula.head != "equation" or (left := family.member(formula.args[0])) is None or left.letter
    ]  # fmt: skip
    if len(kept) < len(family.formulas):
        notes.append("one step of the recursion is read; where it begins does not matter to it")
    _refuse_open(family)
    notes.append(f"one step of a recursion: what carries {letter} is a name")
    return [_at(formula, letter, None, family) for formula in kept]


# --- trees ------------------------------------------------------------------------------------------------------------


def _with(node: Tree, args: tuple[Tree, ...]) -> Tree:
    """The tree with other subtrees, or itself where they are the same."""
    if all(one is other for one, other in zip(node.args, args, strict=True)):
        return node
    return Tree(node.head, args, node.value, node.start, node.end)


def _named(node: Tree, name: str, rest: Sequence[Tree]) -> Tree:
    """A name in the place of an index, with the subscripts that are left."""
    base = Tree("name", (), name, node.start, node.end)
    return Tree("index", (base, *rest), None, node.start, node.end) if rest else base
