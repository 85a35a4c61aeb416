"""What a diagnosis looks at: a function, its parts, and the wrong answers that a slip leads to.

Contract: a `Suspect` is a wrong answer with what whoever gives it did; a `Share` is a part of the right answer that may
be there a wrong number of times.  A `Scene` answers what the derivative would be if a part were treated otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symgrad.calculus import derivative, vjp
from symgrad.expr import (
    Contraction,
    Node,
    Sum,
    Variable,
    add,
    dependents,
    multiply,
    postorder,
    substitute,
    variable,
    variables,
)
from symgrad.notation.render import to_text
from symgrad.notation.syntax import Tree
from symgrad.simplify.parts import with_part
from symgrad.simplify.trees import to_tree


@dataclass(frozen=True, slots=True)
class Suspect:
    """A wrong answer, and what whoever gives it did."""

    code: str
    message: str
    answer: Node


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the right answer, `whole` with it and `rest` without, that a claim may have c times.

    `code` and `message` say what happened where it is not there at all.
    """

    code: str
    message: str
    part: str
    rest: Node
    whole: Node


@dataclass
class Scene:
    """A function in one of its forms, and the parts of it through which a variable acts."""

    function: Node
    wrt: Variable
    names: dict[str, Node]
    parts: list[Node] = field(init=False)

    def __post_init__(self) -> None:
        order = postorder([self.function])
        touched = dependents(self.function, [self.wrt], order)
        self.parts = [n for n in reversed(order) if n in touched and n is not self.wrt and n is not self.function]

    def text(self, node: Node) -> str:
        given = {body: Tree("name", (), name) for name, body in self.names.items() if body is not self.function}
        return to_text(to_tree(node, given))

    def held(self, part: Node) -> Node:
        """The derivative with a part taken as a constant."""
        name = variable("held", part.shape)
        return back(derivative(self.over(part, name), [self.wrt]), name, part)

    def upstream(self, part: Node) -> Node:
        """The derivative by a part."""
        name = variable("held", part.shape)
        return back(derivative(self.over(part, name), [name]), name, part)

    def over(self, part: Node, name: Variable) -> Node:
        """The function with a name in the place of a part, also where the part is a factor of a longer product."""
        return with_part(substitute(self.function, {part: name}), part, name)

    def through(self, part: Node, argument: Node, local: Node | None) -> Node:
        """The derivative with the step from a part to an argument of its shape replaced by `local` (1 for None)."""
        above = self.upstream(part)
        direction = above if local is None else multiply(above, local)
        below = direction if argument is self.wrt else vjp(argument, self.wrt, direction)
        return add([self.held(part), below])

    def without(self, parts: Iterable[Node]) -> Node:
        """The derivative with several parts taken as constants."""
        function, held = self.function, {}
        for k, part in enumerate(sorted(parts, key=self.parts.index)):
            name = variable(f"held_{k}", part.shape)
            function, held[name] = with_part(substitute(function, {part: name}), part, name), part
        answer = derivative(function, [self.wrt])
        for name in variables(answer):  # an outer part is written over the inner ones
            answer = back(answer, name, held[name]) if name in held else answer
        return answer

    def alike(self, node: Node) -> list[Node]:
        """What else of the function has the shape of a node, and could stand in its place."""
        given = set(variables(self.function))
        names = [b for b in self.names.values() if b is not self.function and given.issuperset(variables(b))]
        found = dict.fromkeys([*variables(self.function), *names, *self.parts])
        return [other for other in found if other.shape == node.shape and other is not node and not is_label(other)]

    def terms(self) -> list[Node]:
        """The parts that are added to make the function, whatever stands before them."""
        found: list[Node] = []
        waiting = [self.function]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Sum):
                waiting += [n for _, n in node.terms]
                found += [n for _, n in node.terms if n in self.parts]
            elif isinstance(node, Contraction):
                acting = [(f, power) for f, _, power in node.factors if f in self.parts or f is self.wrt]
                waiting += [f for f, power in acting if power == 1 and len(acting) == 1]
        return found


def back(node: Node, name: Variable, part: Node) -> Node:
    return substitute(node, {name: part}) if name in variables(node) else node


def is_label(node: Node) -> bool:
    return isinstance(node, Variable) and "label" in node.assumptions
