"""What the public functions return: a function or a derivative, and a derivation with its steps.

Contract: an `Expr` prints in every notation and reads back from its text and its LaTeX; a `Derivation` is the fold of
its steps, so what it prints cannot disagree with its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from symgrad.calculus import LAYOUTS, arrange_layout
from symgrad.derivation import Line, Result, Step
from symgrad.errors import UsageError
from symgrad.expr import Node, Shape, Variable
from symgrad.notation.mathml import to_mathml
from symgrad.notation.names import canonical
from symgrad.notation.names import to_text as name_to_text
from symgrad.notation.reading import Reading
from symgrad.notation.render import to_latex, to_text
from symgrad.notation.speech import to_speech
from symgrad.notation.syntax import Tree
from symgrad.notebook import Bundle, bundle
from symgrad.schema import SCHEMA
from symgrad.shapes import Declared
from symgrad.simplify.naming import named
from symgrad.simplify.rules import simplify_result
from symgrad.simplify.trees import arranged, to_tree

if TYPE_CHECKING:
    from symgrad.practice import Hint


class Expr:
    """A function or a derivative: an expression, with what is known of its variables.

    >>> import symgrad as sg
    >>> e = sg.parse("||W x||^2")
    >>> e.text, e.shape, e.variables["W"].shape
    ('‖W x‖²', (), ('m', 'n'))
    """

    __slots__ = ("name", "node", "notes", "reading", "variables")

    def __init__(self, node: Node, reading: Reading) -> None:
        self.node = node
        self.reading = reading
        self.variables: Mapping[str, Declared] = reading.variables
        self.notes: tuple[str, ...] = reading.notes
        self.name: str = reading.name

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def text(self) -> str:
        """Text that reads back to this expression."""
        return to_text(to_tree(self.node))

    @property
    def latex(self) -> str:
        """LaTeX that reads back to this expression."""
        return to_latex(to_tree(self.node))

    @property
    def mathml(self) -> str:
        """One `<math>` element, which browsers typeset and screen readers walk through."""
        return to_mathml(to_tree(self.node))

    @property
    def speech(self) -> str:
        """The expression in words.

        >>> import symgrad as sg
        >>> sg.parse("||W x||^2").speech
        'the squared two-norm of W x'
        """
        return to_speech(to_tree(self.node))

    @property
    def named(self) -> str:
        """The text with parts that occur several times named first, where that is shorter; it reads back as well.

        >>> import symgrad as sg
        >>> sg.gradient("sum(sigmoid(W x)^2)", "W").named
        'p = sigmoid(W x); 2 (p.^2 ⊙ (1 - p)) xᵀ'
        """
        definitions, tree = named(self.node)
        short = "; ".join([*(f"{name_to_text(name)} = {to_text(part)}" for name, part in definitions), to_text(tree)])
        return min(self.text, short, key=len)

    def variable(self, name: str) -> Variable:
        """The variable called `name`, in any spelling."""
        wanted = canonical(name)
        declared = self.variables.get(wanted)
        if declared is None:
            hint = f"its variables are: {', '.join(self.variables) or 'none'}"
            word = next((v for v in self.variables if len(v) > 1 and v.isalpha() and wanted in v), None)
            if word is not None:
                hint += f"; a word is one name, so for a product write {' '.join(word)}"
            raise UsageError(f"the function has no variable {name!r}", hint=hint)
        return self.reading.node_of(wanted)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.node is other.node

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"Expr({self.text!r})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self.text, latex=self._repr_latex_())

    def to_dict(self) -> dict[str, object]:
        return {"text": self.text, "latex": self.latex, "shape": list(self.shape)}


class Derivation:
    """The derivative of one function by one variable (or by several in turn), with the steps that led to it.

    `function`, `wrt`, `layout` and `result` say what was derived; `steps` how; `text` and `latex` print the whole.
    """

    def __init__(
        self, function: Expr, by: tuple[Variable, ...], stages: tuple[Result, ...], layout: str = "gradient"
    ) -> None:
        self.function = function
        self.stages = stages
        self.by = by
        self.layout = layout
        self.wrt = ", ".join(dict.fromkeys(v.name for v in by))
        self.variable = by[0]
        self.result = Expr(arranged(laid_out(stages[-1].node, function.node, by, layout)), function.reading)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    def lines(self, form: str = "matrix") -> list[Line]:
        """The printed lines in matrix, index or differential form."""
        found = [line for stage in self.stages for line in stage.lines(form)]
        if self.layout != "gradient":
            found.append(Line(len(found) + 1, self.conclusion, f"{self.layout} layout", LAYOUTS[self.layout]))
        return found

    def hint(self, shown: int = 0, form: str = "matrix") -> Hint:
        """The first `shown` lines, and what to do next without its result.

        >>> import symgrad as sg
        >>> print(sg.derive("||W x||^2", wrt="W").hint(2))
        1. q = W x    [name]
        2. f = ‖q‖²    [squared norm]
        next: ∂f/∂q = ?   by: squared norm    (2 of 6 steps)
        """
        from symgrad.practice import Hint

        return Hint.of(self.lines(form), shown)

    @property
    def left_side(self) -> Tree:
        """The left side of the result, such as ∇_W f."""
        if len(set(self.by)) == 1:
            return self.stages[0].heading(len(self.stages))
        left = Tree("name", (), self.function.name)
        for v in self.by:
            left = Tree("nabla", (left, Tree("name", (), v.name)), 1)
        return left

    @property
    def heading(self) -> tuple[str, str]:
        """The left side of the result in text and LaTeX."""
        return to_text(self.left_side), to_latex(self.left_side)

    @property
    def shape_note(self) -> str:
        """What the shape of the result says: a gradient has the shape of its variable."""
        shape = "×".join(map(str, self.result.shape)) or "scalar"
        same = self.result.shape == self.variable.shape
        layout = f", {self.layout} layout" if self.layout != "gradient" else ""
        return f"shape {shape}" + (f", the same as {name_to_text(self.variable.name)}" if same else "") + layout

    @property
    def text(self) -> str:
        body = [f"{line.number}. {line.formula_text}    [{line.rule}]" for line in self.lines()]
        return "\n".join([*body, f"{self.heading[0]} = {self.result.text}    {self.shape_note}"])

    @property
    def latex(self) -> str:
        rows = [line.formula_latex.replace("=", "&=", 1) for line in self.lines()]
        rows.append(f"{self.heading[1]} &= {self.result.latex}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    @property
    def conclusion(self) -> Tree:
        """∇_W f = 2 W x xᵀ."""
        return Tree("equation", (self.left_side, to_tree(self.result.node)))

    @property
    def mathml(self) -> str:
        """The result as MathML; `lines` has that of every step."""
        return to_mathml(self.conclusion)

    @property
    def speech(self) -> str:
        """Every step and the result in sentences.

        >>> import symgrad as sg
        >>> print(sg.derive("||W x||^2", wrt="W").speech.splitlines()[-1])
        Result: the gradient of f with respect to W equals two W x x transpose.
        """
        steps = (f"Step {line.number}, {line.rule.replace('_', ' ')}: {line.speech}." for line in self.lines())
        return "\n".join([*steps, f"Result: {to_speech(self.conclusion)}."])

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self.text, latex=self._repr_latex_())

    def __repr__(self) -> str:
        return f"Derivation({self.heading[0]} = {self.result.text})"

    def to_dict(self) -> dict[str, object]:
        return {
            "schema": SCHEMA,
            "function": self.function.to_dict(),
            "variables": variables_dict(self.function),
            "wrt": self.wrt,
            "gradient": self.result.to_dict()
            | {"layout": self.layout, "steps": [step.to_dict() for step in self.steps]},
        }


def variables_dict(function: Expr) -> dict[str, object]:
    return {
        name: {"shape": list(v.shape), "assumptions": sorted(v.assumptions), "guessed": v.guessed}
        for name, v in function.variables.items()
    }


def laid_out(derivative: Node, function: Node, by: tuple[Variable, ...], layout: str) -> Node:
    """A derivative (function axes, then the axes of every variable) in one of `LAYOUTS`."""
    if layout == "gradient":
        return derivative
    return simplify_result(arrange_layout(derivative, function.rank, layout, [v.rank for v in by]))
