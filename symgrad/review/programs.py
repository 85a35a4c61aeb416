"""Programs as sources and as claims: what a function computes, and whether the gradients that it returns are right.

Contract: `function_of` gives the expression that a program calculates; `ProgramClaim` gives a `Claim` for each variable
whose gradient a program returns.  Such a claim is judged by running the program; where it could be traced, what it was
traced to can prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from symgrad.errors import ClaimError, UnsupportedError, UsageError
from symgrad.expr import Node, Variable, contract, variable
from symgrad.notation.names import canonical
from symgrad.program import Program
from symgrad.shapes import read_assumptions, read_shapes
from symgrad.simplify.rules import same, simplify
from symgrad.verify import Claim

#: What the value of a function is called among several returned ones.
VALUES = ("loss", "L", "f", "J", "cost", "value", "out")


def judges_itself(source: Any, variables: Sequence[str]) -> bool:
    """Whether a program returns gradients beside its value, as a gate does, or `return loss, dW`."""
    program = Program.of(source)
    try:
        return bool(program.described["gate"] or (len(program.returns) > 1 and program.about(variables)))
    finally:
        program.close()


def function_of(source: Any, shapes: Any, assume: Any) -> tuple[Node, dict[str, Variable]]:
    """The expression that a program calculates, and its arguments.

    Of a gate it is the output times what comes from above, summed.
    """
    program = Program.of(source)
    try:
        variables = _declared(program, shapes, assume)
        gate = bool(program.described["gate"])
        node = _single(program, *_labelled(program, variables, "forward" if gate else ""))
        if gate:
            node = _with_above(program, node, variables)
        return simplify(node), variables
    except ClaimError as error:
        raise UnsupportedError(error.message) from None
    finally:
        program.close()


def _declared(program: Program, shapes: Any, assume: Any) -> dict[str, Variable]:
    """A variable for every argument; shapes must be told, by the caller or by the docstring."""
    declared, assumed = read_shapes(shapes, canonical), read_assumptions(assume, canonical)
    documented = {canonical(name): shape for name, shape in program.documented.items()}
    declared = {**{n: s for n, s in documented.items() if n not in declared}, **declared}
    wanted = {canonical(name): name for name in program.described["parameters"]}
    needed = [canonical(name) for name in program.described["needed"]]
    missing = [wanted[name] for name in needed if name not in declared]
    if missing:
        example = ", ".join(f"{name}: ..." for name in missing)
        hint = f'declare them: "{example}", where X: N D is a matrix, w: D a vector, lam: a number'
        raise UsageError(f"the shapes of {', '.join(missing)} are not known", hint=hint)
    unknown = next((name for name in declared if name not in wanted and name not in documented), None)
    if unknown is not None:
        raise UsageError(f"the program has no argument {unknown}", hint=f"it takes {', '.join(wanted.values())}")
    return {n: variable(n, tuple(declared[n]), assumed.get(n, ())) for n in wanted if n in declared}


def _labelled(program: Program, variables: dict[str, Variable], part: str) -> tuple[list[str] | None, list[Node]]:
    """What a program calculates; variables that it uses as an index are labels."""
    for _ in range(len(variables) + 1):
        try:
            return program.traced(variables, part)
        except UnsupportedError as error:
            name = next((n for n in variables if error.code == "LABEL" and error.message.startswith(f"{n} is ")), None)
            if name is None:
                raise
            variables[name] = variable(name, variables[name].shape, {*variables[name].assumptions, "label"})
    raise UsageError("the labels of this program could not be settled")


def _single(program: Program, keys: Sequence[str] | None, nodes: Sequence[Node]) -> Node:
    """The function among the values that a program returns."""
    if len(nodes) == 1:
        return nodes[0]
    names = keys if keys is not None else program.returns
    called = [k for k, name in enumerate(names) if name in VALUES] if len(names) == len(nodes) else []
    scalars = [k for k, node in enumerate(nodes) if not node.shape]
    chosen = called or scalars
    if len(chosen) != 1:
        raise UsageError(f"the program returns {len(nodes)} values", hint="name the function's value loss")
    return nodes[chosen[0]]


def _with_above(program: Program, node: Node, variables: dict[str, Variable]) -> Node:
    """⟨g, forward⟩ for what backward takes from above, which is one more variable."""
    above = program.described["above"]
    if len(above) > 1:
        raise UsageError(f"backward takes {', '.join(above)}, and only one gradient comes from above")
    if not above:
        return node
    axes = tuple(range(node.rank))
    name = canonical(above[0])
    variables[name] = variable(name, node.shape)
    return contract([(variables[name], axes), (node, axes)])


class ProgramClaim:
    """A program that returns gradients."""

    def __init__(self, source: Any, variables: Mapping[str, Variable]) -> None:
        self.program = Program.of(source)
        self.inputs = variables
        self.note = ""
        self.failed: ClaimError | None = None
        try:
            self.program.described  # noqa: B018 - what cannot be found or called is said at once
        except ClaimError as error:
            self.failed = error

    @cached_property
    def traced(self) -> tuple[list[str] | None, list[Node]] | None:
        """What it was traced to; None, and a note, where it could not be."""
        if self.failed is not None:
            return None
        try:
            return self.program.traced(self.inputs)
        except UnsupportedError as error:
            self.note = f"; not proved: {error.message}"
        except ClaimError as error:
            self.failed = error
        return None

    def variables(self, real: Sequence[str]) -> list[str] | None:
        """The variables whose gradients it returns, by their names; None for all there are."""
        keys = self.traced[0] if self.traced is not None else None
        found = self.program.about(real, keys)
        if not found and self.program.described["gate"]:
            taken = {canonical(name) for name in self.program.described["parameters"]}
            found = [name for name in real if name in taken]
        if found or len(real) == 1:
            return found or None
        raise UsageError("the program does not say which gradient it returns", hint='say it with wrt, as in wrt="W"')

    def about(self, by: Sequence[Variable], gradient: Node) -> Claim:
        """The claim about the gradient by a variable."""
        wrt = by[0].name
        node = None
        if self.traced is not None:
            node = simplify(self.program.pick(*self.traced, wrt))
        if node is not None and node.shape != gradient.shape:
            node = None
        proved = node is not None and same(node, gradient)
        return Claim(self.program.label, None, self._runner(wrt), proved, traced=node, note=self.note)

    def _runner(self, wrt: str) -> Callable[..., Any]:
        def run(**values: Any) -> Any:
            if self.failed is not None:
                raise self.failed
            keys, found = self.program.run(values)
            return self.program.pick(keys, found, wrt)

        return run
