"""Every rule of a derivation explained: its statement, its source, and a small example that is derived on the spot.

Contract: the rules of operations are read from the table of operations, those of the calculus from `CALCULUS`; an
example is text that symgrad reads, so what it shows is what the library does today.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from symgrad.calculus.structure import STRUCTURES
from symgrad.derivation import Result, record
from symgrad.errors import UsageError
from symgrad.expr import Node, Variable, call, contract, variable
from symgrad.notation.reading import read
from symgrad.notation.render import to_text
from symgrad.ops import OPERATIONS, Operation, Rule
from symgrad.simplify.trees import arranged, to_tree

COOKBOOK = "Petersen and Pedersen, The Matrix Cookbook, 2012"
EDELMAN = "Edelman, Arias and Smith, SIAM J. Matrix Anal. Appl. 20, 1998"
MAGNUS = "Magnus and Neudecker, Matrix Differential Calculus, 1988"
GOODFELLOW = "Goodfellow, Bengio and Courville, Deep Learning, 6.5"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule.

    name      what derivations call it
    statement the rule as formulas, one a line
    words     the rule in a sentence
    source    where it can be looked up
    example   a function in text, the variable it is derived by, shapes, assumptions, and the form of its steps; where
              it is "", the operation of that name is the example
    """

    name: str
    statement: tuple[str, ...]
    words: str
    source: str
    example: str = ""
    wrt: str = ""
    shapes: str = ""
    assume: str = ""
    form: str = "matrix"

    def derived(self) -> Result | None:
        """The example, derived now."""
        if not self.example:
            return _applied(OPERATIONS[self.name])
        reading = read(self.example, shapes=self.shapes or None, assume=self.assume or None)
        return Result(record(arranged(reading.node), reading.node_of(self.wrt), reading.definitions), reading.name)

    def to_dict(self) -> dict[str, object]:
        found = self.derived()
        steps = [] if found is None else [{"step": x.formula_text, "rule": x.rule} for x in found.lines(self.form)]
        shown = {"function": text_of(found), "steps": steps} if found is not None else None
        return {
            "rule": self.name, "statement": list(self.statement), "words": self.words, "source": self.source,
            "example": shown,
        }  # fmt: skip


def text_of(found: Result) -> str:
    """The function of an example, as it is read."""
    return to_text(to_tree(arranged(found.record.read)))


def _row(name: str, statement: str, words: str, source: str, example: str, wrt: str, **more: str) -> Explanation:
    return Explanation(name, (statement,) if statement else (), words, source, example, wrt, **more)


#: The rules of the calculus, by the names that the lines of a derivation carry.
CALCULUS = (
    _row("linear", "d(c x) = c dx", "a constant factor stays", f"{COOKBOOK}, eq. 34", "3 x", "x", shapes="x:"),
    _row("sum", "d(a + b) = da + db", "the differential of a sum is the sum of the differentials; a value that is used twice gets the sum of both gradients", f"{COOKBOOK}, eq. 35", "b^T x + x^T x", "x"),
    _row("product", "d(a ⊙ b) = da ⊙ b + a ⊙ db", "each factor in turn, of numbers or entry by entry", f"{COOKBOOK}, eq. 38", "x y", "x", shapes="x:, y:"),
    _row("matrix product", "d(A B) = dA B + A dB", "each factor in turn; so the gradient by W of what q = W x goes into is (∂f/∂q) xᵀ, and that by x is Wᵀ (∂f/∂q)", f"{COOKBOOK}, eq. 37", "||W x||^2", "W"),
    _row("power", "d(x^p) = p x^(p-1) dx", "entry by entry; by a variable exponent the derivative is log(x) x^p", "Abramowitz and Stegun, Handbook of Mathematical Functions, 4.2", "z = W x; sum(z^3)", "x"),
    _row("squared norm", "d‖q‖² = 2 qᵀ dq", "the squares of all entries, summed", f"{COOKBOOK}, eq. 131", "||q||^2", "q"),
    _row("identity", "dx = dx", "the derivative of a variable by itself: 1 for a scalar, the identity else", f"{MAGNUS}, 8.1", "x", "x", shapes="x:"),
    _row("name", "q = W x", "intermediates get names, so that each step is one rule: that is the forward pass", GOODFELLOW, "||W x||^2", "W"),
    _row("substitute", "∂f/∂W = (∂f/∂q) xᵀ = 2 q xᵀ", "what is known already is put in: the gradient from above, then the names written out", GOODFELLOW, "||W x||^2", "W"),
    _row("recognise", "log Σ exp(s) = logsumexp(s)", "the same function, written shorter; its rule is known and does not overflow", "Boyd and Vandenberghe, Convex Optimization, 3.1.5", "log(sum(exp(s)))", "s"),
    _row("chain rule", "∂f/∂x_j = Σ_k (∂f/∂q_k) (∂q_k/∂x_j)", "upstream times local, summed over what lies between", f"{GOODFELLOW}.2", "||W x||^2", "x", form="index"),
    _row("collect", "[Σ_k W_kj g_k]_j = Wᵀ g", "the entries, read as a matrix or a vector again", COOKBOOK, "||W x||^2", "x", form="index"),
    _row("read off", "df = tr(Gᵀ dX)  ⇒  ∇_X f = G", "what the differential is multiplied by is the gradient", f"{MAGNUS}: the first identification theorem", "||W x||^2", "W", form="differential"),
)  # fmt: skip


def _structures() -> tuple[Explanation, ...]:
    """What a structured variable asks for: the derivative by its independent entries."""
    found: dict[str, Explanation] = {}
    for row in STRUCTURES:
        where = (
            "along the matrices with Aᵀ A = I"
            if row.curved
            else f"the entries of a {row.name} matrix are not independent"
        )
        statement = f"∂f/∂A = {row.formula.replace('X', 'A')}"
        assume = "A: " + "+".join(sorted(row.words))
        found.setdefault(row.rule, Explanation(
            row.rule, (statement,), f"{where}; from the derivative G by all entries",
            EDELMAN if row.curved else f"{COOKBOOK}, 2.8", "x^T A x", "A", "A: n n, x: n", assume,
        ))  # fmt: skip
    return tuple(found.values())


def _of_operation(op: Operation) -> Explanation:
    """The entry of an operation, as an explanation."""
    written = f"{op.name}({', '.join((*op.args, *op.params))})" if op.args else op.name
    statement = [f"{written} = {op.definition}"] if op.definition else []
    statement += [said for arg, rule in zip(op.args, op.rules, strict=True) if (said := _said(written, arg, rule))]
    places = "entries tie" if "a tie" in map(op.at_kink, op.kinks) else f"{' or '.join(op.kinks)} is 0"
    kinks = f"at a kink, where {places}, any value between the slopes is right" if op.kinks else ""
    return Explanation(op.name, tuple(statement), kinks if op.args else "a constant", op.source)


def _said(written: str, arg: str, rule: Rule) -> str:
    kind = rule.kind
    *given, formula = (part.strip() for part in rule.formula.split(";"))
    formula += f", where {'; '.join(given)}" if given else ""
    return {
        "partial": f"∂ {written} / ∂{arg} = {formula}   (entry by entry)",
        "differential": f"d {written} = {formula}   (for a change d{arg})",
        "adjoint": f"linear in {arg}; its transpose sends g to {formula}",
        "fixed": f"constant in {arg} wherever it is smooth",
    }.get(kind, f"no rule for {arg}: a derivative that needs one is refused")


def _rules() -> dict[str, Explanation]:
    """All of them by name; a power is one rule, whatever its exponent."""
    found = {rule.name: rule for rule in (*CALCULUS, *_structures())}
    return found | {name: _of_operation(op) for name, op in OPERATIONS.items() if name not in found}


RULES = _rules()


def explain(name: str) -> Explanation:
    """The rule called `name`, in any of its spellings; `UsageError` with the nearest name for others."""
    wanted = " ".join(name.split()).replace("-", " ")
    spelled = {word: op.name for op in OPERATIONS.values() for word in (*op.text, *op.latex)}
    for key in (name, wanted, wanted.replace(" ", "_"), spelled.get(name, "")):
        if key in RULES:
            return RULES[key]
    close = get_close_matches(wanted, [*RULES, *spelled], n=1)
    hint = f"did you mean {close[0]}?" if close else "symgrad explain lists them"
    raise UsageError(f"no rule is called {name!r}", hint=hint)


def explained() -> list[Explanation]:
    """All rules: those of the calculus, of structures, and of every operation."""
    return list(RULES.values())


# --- examples of operations -------------------------------------------------------------------------------------------


def _applied(op: Operation) -> Result | None:
    """A scalar function made of the operation alone, derived by its first argument that has a rule."""
    derivable = [k for k, rule in enumerate(op.rules) if rule.kind not in ("fixed", "unknown")]
    if not derivable:
        return None
    inputs, _ = op.axes() if op.signature else (((),) * len(op.args), ())
    args = [_argument(op, k, axes) for k, axes in enumerate(inputs)]
    node = call(op, args, op.params)
    return Result(record(arranged(_weighed(node, {a.name for a in args})), args[derivable[0]]))


def _argument(op: Operation, k: int, axes: tuple[str, ...]) -> Variable:
    domain = op.domain[k] if op.domain else "real"
    assumed = [domain] if domain in {"positive", "invertible", "natural", "label"} else []
    return variable(op.args[k], axes, assumed)


def _weighed(node: Node, taken: set[str]) -> Node:
    """gᵀ y for a vector y, tr(Gᵀ Y) for a matrix: a scalar whose gradient shows the rule."""
    if not node.shape:
        return node
    word = "G" if node.rank > 1 else "g"
    weight = variable(word if word not in taken else word + "_1", node.shape)
    labels = tuple(range(node.rank))
    return contract([(weight, labels), (node, labels)], ())
