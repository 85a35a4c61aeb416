"""Array programs to text: which values get a name, in which order, and how they are spelt in each backend.

Contract: `write` gives the source of one function.  A value used twice, or too long to read, is assigned to a name
first; what is used once and short stands where it is used.  Parentheses follow from the templates' own syntax trees.
All words of the text come from templates, from exact numbers, and from identifiers checked by `names`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from symgrad.code.names import Names, identifier
from symgrad.code.pytorch import LIKE, in_torch, operands
from symgrad.code.values import (
    BOOL,
    CALL,
    DIM,
    HOST,
    MATMUL,
    NUMBER,
    SCATTER,
    SHAPE,
    VARIABLE,
    Value,
    literal,
)
from symgrad.dims import is_name
from symgrad.errors import UnsupportedError, printable
from symgrad.expr import Variable
from symgrad.ops import OPERATIONS

#: How tightly Python binds: 0 is anything, ATOM a name or a call.
ATOM, POWER, UNARY, TIMES, PLUS, COMPARE, ANY = 16, 14, 13, 12, 11, 6, 0
BINDING: dict[type, int] = {
    ast.FloorDiv: TIMES, ast.Mult: TIMES, ast.Div: TIMES, ast.MatMult: TIMES,
    ast.Add: PLUS, ast.Sub: PLUS, ast.Pow: POWER,
}  # fmt: skip
#: Longest text, and deepest nesting, that is written inside of another expression.
WIDE, RETURNED, DEEP = 52, 96, 24
IMPORTS = {
    "numpy": "import numpy as np",
    "jax": "import jax\nimport jax.numpy as jnp",
    "torch": "import torch",
}
#: What a backend calls the module of its array functions.
MODULES = {"numpy": "np", "jax": "jnp", "torch": "torch"}
#: What Python computes of numbers, beside the operators.
PLAIN = (CALL + "power", CALL + "pi", "{0}**2", "float({0})")
HELPERS = {"numpy": "helpers.py", "jax": "helpers_jax.py", "torch": "helpers_torch.py"}
#: What temporaries are called, by what they are.
STEMS = {
    CALL + "softmax": "p", CALL + "sigmoid": "a", CALL + "tanh": "a", CALL + "relu": "h", CALL + "positive": "mask",
    CALL + "nonnegative": "mask", "np.arange({0})": "rows", SCATTER: "g", "{0} @ {1}": "q",
    **{f"{{0}} {sign} {{1}}": "mask" for sign in (">", "<", ">=", "<=", "==")},
}  # fmt: skip
QUOTIENTS = {"{0} * {1}", "{0} / {1}"}
VIEW = re.compile(r"\{0\}(\.T|\.swapaxes|\.transpose|\[)|np\.(broadcast_to|diagonal)\(")
SLOT = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """Code with slots: how tightly it binds, and how tightly what fills each slot must.

    repeated   slots that stand there more than once
    passed     slots that are arguments of a function of arrays, which PyTorch gives no Python number
    calls      the functions without a module: the helpers
    """

    text: str
    binding: int
    slots: tuple[int, ...]
    repeated: frozenset[int]
    passed: frozenset[int]
    calls: frozenset[str]


@cache
def template(text: str) -> Template:
    tree = ast.parse(SLOT.sub(r"_\1_", text), mode="eval").body
    need: dict[int, int] = {}
    passed: set[int] = set()
    calls: set[str] = set()
    for parent in ast.walk(tree):
        if isinstance(parent, ast.Call):
            arguments = [arg.operand if isinstance(arg, ast.UnaryOp) else arg for arg in parent.args]
            words = [arg.id for arg in arguments if isinstance(arg, ast.Name)]
            passed.update(int(word[1:-1]) for word in words if re.fullmatch(r"_\d+_", word))
            calls.update([parent.func.id] if isinstance(parent.func, ast.Name) else ())
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.Name) and re.fullmatch(r"_\d+_", child.id):
                slot = int(child.id[1:-1])
                need[slot] = max(need.get(slot, ANY), _needed(parent, child))
    found = [int(k) for k in SLOT.findall(text)]
    repeated = frozenset(k for k in found if found.count(k) > 1)
    slots = tuple(need.get(k, ANY) for k in range(max(found, default=-1) + 1))
    return Template(text, _binding(tree), slots, repeated, frozenset(passed), frozenset(calls))


def _binding(tree: ast.AST) -> int:
    if isinstance(tree, ast.BinOp):
        return BINDING[type(tree.op)]
    return {ast.UnaryOp: UNARY, ast.Compare: COMPARE}.get(type(tree), ATOM)


def _needed(parent: ast.AST, child: ast.AST) -> int:
    """How tightly `child` must bind inside of `parent`."""
    if isinstance(parent, ast.BinOp):
        own = BINDING[type(parent.op)]
        if own == POWER:
            return ATOM if child is parent.left else UNARY
        return own if child is parent.left else own + 1
    if isinstance(parent, (ast.Attribute, ast.Subscript)) and child is parent.value:
        return ATOM
    return {ast.UnaryOp: UNARY, ast.Compare: COMPARE + 1}.get(type(parent), ANY)


@cache
def operation(name: str, backend: str) -> Template:
    """The code of an operation, its slots numbered."""
    op = OPERATIONS[name]
    code: str = {"numpy": op.numpy, "jax": op.jax, "torch": op.torch or in_torch(op.numpy)}[backend]
    if not code:
        raise UnsupportedError(f"{name} has no {backend} code yet")
    for k, arg in enumerate(op.args + op.params):
        code = code.replace(f"{{{arg}}}", f"{{{k}}}")
    return template(code)


@cache
def helpers(backend: str = "numpy") -> dict[str, str]:
    """The source of each helper function, without annotations; the module itself is not imported."""
    tree = ast.parse((Path(__file__).parent / HELPERS[backend]).read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for arg in node.args.args:
                arg.annotation = None
            found[node.name] = ast.unparse(node)
    return found


@dataclass(slots=True)
class Text:
    """A value as text."""

    text: str
    binding: int = ATOM
    depth: int = 0


class Writer:
    """One function being written."""

    def __init__(
        self, outputs: Mapping[str, Value], arguments: Sequence[Variable], backend: str, name: str,
        given: Mapping[Value, str], reserved: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.outputs, self.arguments, self.backend, self.given = outputs, arguments, backend, given
        self.helpers = helpers(backend)
        known = {*helpers(), *self.helpers}
        self.function = Names(known).unique(name)
        self.names = Names([*known, *reserved])
        self.words = {v.name: self.names.unique(v.name) for v in arguments}
        self.results = {key: self.result_name(key) for key in outputs}
        self.order = reachable(outputs.values())
        self.uses = self.count_uses()
        self.lines: list[str] = []
        self.texts: dict[Value, Text] = {}
        self.used: set[str] = set()
        self.dims = self.bind_dims()
        self.numbers = self.python_numbers()
        self.like = self.example(arguments)

    def write(self, doc: str) -> str:
        for value in self.order:
            self.texts[value] = self.text(value)
        returned = ", ".join(self.returned(value) for value in self.outputs.values())
        body = "\n".join(f"    {line}" for line in [*self.docstring(doc), *self.lines, f"return {returned}"])
        taken = [self.words[v.name] for v in self.arguments] + [self.dims[dim] for dim in self.sizes]
        head = f"def {self.function}({', '.join(taken)}):"
        wanted = self.needed_helpers()
        needed = [source for name, source in self.helpers.items() if name in wanted]
        imports = IMPORTS[self.backend]
        if self.backend == "numpy" and any("scipy." in text for text in [*needed, body]):
            imports += "\nimport scipy"
        return "\n\n\n".join([imports, *needed, f"{head}\n{body}"]) + "\n"

    def needed_helpers(self) -> set[str]:
        """The helpers used, and those that these use."""
        found, waiting = set[str](), set(self.used)
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= {word for word in re.findall(r"\w+", self.helpers[name]) if word in self.helpers} - found
        return found

    def docstring(self, doc: str) -> list[str]:
        shapes = ", ".join(f"{self.words[v.name]}: {shape_note(v)}" for v in self.arguments if v.shape)
        parts = [quoted(line) for line in doc.splitlines() if line.strip()] + ([shapes] if shapes else [])
        if not parts:
            return []
        parts[0] = '"""' + parts[0]
        if len(parts) > 1:
            parts.insert(1, "")
            return [*parts, '"""']
        return [parts[0] + '"""']

    # --- names --------------------------------------------------------------------------------------------------------

    def result_name(self, key: str) -> str:
        """Where an output has the name of an argument, it is the derivative by it."""
        name = identifier(key)
        return "d" + name if name in self.words.values() else name

    def count_uses(self) -> dict[Value, int]:
        uses = dict.fromkeys(self.order, 0)
        for value in self.order:
            repeated = self.template(value).repeated if value.op not in SPECIAL else frozenset()
            for k, arg in enumerate(value.args):
                uses[arg] += 2 if k in repeated else 1
        for value in self.outputs.values():
            uses[value] += 1
        return uses

    def bind_dims(self) -> dict[str, str]:
        """The lines that read the sizes that are needed from the arguments' shapes; others become arguments."""
        missing = [v.fields[0] for v in self.order if v.op == DIM]
        words: dict[str, str] = {}
        for variable in self.arguments:
            new = [k for k, dim in enumerate(variable.shape) if dim in missing and variable.shape.index(dim) == k]
            for k in new:
                words[str(variable.shape[k])] = self.names.unique(str(variable.shape[k]))
                missing.remove(str(variable.shape[k]))
            own = self.words[variable.name]
            if len(new) == variable.rank > 1:
                self.lines.append(f"{', '.join(words[str(d)] for d in variable.shape)} = {own}.shape")
            else:
                self.lines += [f"{words[str(variable.shape[k])]} = {own}.shape[{k}]" for k in new]
        self.sizes = tuple(missing)
        return words | {dim: self.names.unique(dim) for dim in missing}

    def fresh(self, value: Value) -> str:
        """A name for a temporary."""
        if value in self.given:
            return self.names.unique(self.given[value])
        for key, output in self.outputs.items():
            if output is value and self.results[key] not in self.names.taken and len(self.outputs) > 1:
                return self.names.unique(self.results[key])
        stem = STEMS.get(value.op)
        return self.names.numbered("t") if stem is None else self.names.unique(stem)

    # --- text ---------------------------------------------------------------------------------------------------------

    def template(self, value: Value) -> Template:
        if value.op.startswith(CALL):
            return operation(value.op.removeprefix(CALL), self.backend)
        return template(in_torch(value.op) if self.backend == "torch" else value.op)

    def text(self, value: Value) -> Text:
        special = SPECIAL.get(value.op)
        if special is not None:
            return special(self, value)
        idiom = IDIOMS.get(value.op)
        written = idiom(self, value) if idiom is not None else None
        if written is not None:
            return self.placed(value, written)
        form = self.template(value)
        if value.op.startswith(CALL):
            self.used |= form.calls & self.helpers.keys()
        filled = self.filled(value, form)
        depth = 1 + max((self.texts[a].depth for a in value.args), default=0)
        return self.placed(value, Text(filled, form.binding, depth))

    def product(self, value: Value) -> Text | None:
        """In JAX v @ x, not x.T @ v: XLA does not turn one into the other, and it is several times faster."""
        left, vector = value.args
        if self.is_inverse(left) and left.rank == 2 and vector.rank in (1, 2):
            return self.solved(left.args[0], vector)
        if self.is_inverse(vector) and vector.rank == 2 and left.rank == 1:
            return self.solved(vector.args[0], left, turned=True)
        if self.backend != "jax" or left.op != "{0}.T" or vector.rank != 1:
            return None
        text = self.fill(MATMUL, (vector, left.args[0]), (TIMES, TIMES + 1))
        return Text(text, TIMES, 1 + max(self.texts[a].depth for a in (vector, left.args[0])))

    def is_inverse(self, value: Value) -> bool:
        """Whether a value is an inverse that stands in one product only, and has no name."""
        return value.op == CALL + "inverse" and self.uses[value] == 1 and "linalg.inv(" in self.texts[value].text

    def solved(self, matrix: Value, right: Value, turned: bool = False) -> Text:
        """A^{-1} B as the solution of A X = B, and b^T A^{-1} as that of A^T x = b."""
        module = MODULES[self.backend]
        whole = self.inside(matrix, ATOM) + ".T" if turned else self.texts[matrix].text
        depth = 1 + max(self.texts[v].depth for v in (matrix, right))
        return Text(f"{module}.linalg.solve({whole}, {self.texts[right].text})", ATOM, depth)

    def negative(self, value: Value) -> Text | None:
        """-a * b without parentheses; but -a @ b would negate all of a, and a mask has no negative."""
        (inner,) = value.args
        first = inner
        while first.op in QUOTIENTS:
            first = first.args[0]
        text = self.texts[inner]
        if inner.op not in QUOTIENTS or first.kind == BOOL or "@" in text.text or text.text.startswith("-"):
            return None
        return Text(f"-{text.text}", min(UNARY, text.binding), text.depth + 1)

    def fill(self, text: str, args: Sequence[Value], slots: Sequence[int]) -> str:
        if self.backend == "jax":
            text = re.sub(r"\bnp\.", "jnp.", text)
        words = [self.inside(arg, need) for arg, need in zip(args, slots, strict=True)]
        return SLOT.sub(lambda match: words[int(match[1])], text)

    def filled(self, value: Value, form: Template) -> str:
        if self.backend != "torch":
            return self.fill(form.text, value.args, form.slots)
        kinds = operands(value, self.numbers, form.passed)
        words = []
        for arg, need, kind in zip(value.args, form.slots, kinds, strict=True):
            text = self.texts[arg].text
            word = self.inside(arg, ATOM if kind == "cast" else need)
            words.append({"": word, "cast": f"{word}.to({LIKE})", "number": self.tensor(text)}[kind])
        return self.alike(SLOT.sub(lambda match: words[int(match[1])], form.text))

    def tensor(self, number: str) -> str:
        """A Python number as a tensor of the type and on the device of the arguments."""
        return f"{self.like}.new_tensor({number})" if self.like else f"torch.tensor({number}, dtype=torch.float64)"

    def example(self, arguments: Sequence[Variable]) -> str:
        """An argument whose type and device new tensors take, an array where there is one."""
        arrays = sorted((v for v in arguments if not v.assumptions & {"label", "natural"}), key=lambda v: not v.rank)
        return self.words[arrays[0].name] if arrays else ""

    def alike(self, text: str) -> str:
        return text.replace(LIKE, self.like or "torch.float64")

    def python_numbers(self) -> set[Value]:
        """The values that Python computes: numbers, sizes, and what operators make of them."""
        whole = {v.name for v in self.arguments if "natural" in v.assumptions}
        numbers: set[Value] = set()
        for value in self.order:
            computed = value.op in HOST or value.op in PLAIN
            given = value.op in (NUMBER, DIM) or (value.op == VARIABLE and value.fields[0] in whole)
            if given or (computed and all(arg in numbers for arg in value.args)):
                numbers.add(value)
        return numbers

    def inside(self, value: Value, need: int) -> str:
        text = self.texts[value]
        return text.text if text.binding >= need else f"({text.text})"

    def placed(self, value: Value, text: Text) -> Text:
        """The text itself, or a name that it was assigned to."""
        wide = RETURNED if len(self.outputs) == 1 and value in self.outputs.values() else WIDE
        single = self.uses[value] < 2 or (
            bool(VIEW.match(value.op)) and self.is_word(value.args) and len(text.text) < 16
        )
        result = len(self.outputs) > 1 and any(value is output for output in self.outputs.values())
        if single and len(text.text) <= wide and text.depth <= DEEP and value not in self.given and not result:
            return text
        return self.assign(value, text.text)

    def assign(self, value: Value, text: str) -> Text:
        name = self.fresh(value)
        self.lines.append(f"{name} = {text}")
        return Text(name)

    def is_word(self, args: Sequence[Value]) -> bool:
        return all(self.texts[a].text.isidentifier() for a in args)

    def returned(self, value: Value) -> str:
        if value.op == NUMBER:
            return repr(float(Fraction(value.fields[0])))
        return self.texts[value].text

    def number(self, value: Value) -> Text:
        number, *kind = value.fields
        text = repr(float(Fraction(number))) if kind else literal(Fraction(number))
        return Text(text, UNARY if text.startswith("-") else ATOM)

    def shape(self, value: Value) -> Text:
        sizes = [self.texts[a].text for a in value.args]
        if len(sizes) == 1:
            return Text(f"({sizes[0]},)" if self.backend == "torch" else sizes[0])
        return Text(f"({', '.join(sizes)})")

    def scatter(self, value: Value) -> Text:
        """Entries added in place, in a copy unless nobody else sees the array."""
        base, update, *index = value.args
        sign, subscript, meeting = value.fields
        whole = subscript.replace(":", "slice(None)") if meeting and self.backend == "numpy" else subscript
        where = SLOT.sub(lambda match: self.texts[index[int(match[1]) - 2]].text, whole)
        if self.backend == "jax":
            amount = self.texts[update].text if sign == "+" else f"-{self.inside(update, UNARY)}"
            text = f"{self.inside(base, ATOM)}.at[{where}].add({amount})"
            return self.placed(value, Text(text, ATOM, 1 + self.texts[base].depth))
        name = self.own_copy(value, base)
        amount = self.texts[update].text
        if meeting and self.backend == "torch":
            self.lines.append(self.met(name, where, update, sign))
        elif meeting:
            place = f"({where})" if "," in whole else where
            self.lines.append(f"np.{'add' if sign == '+' else 'subtract'}.at({name}, {place}, {amount})")
        else:
            self.lines.append(f"{name}[{where}] {sign}= {amount}")
        return Text(name)

    def met(self, name: str, where: str, update: Value, sign: str) -> str:
        """Entries added where several may meet at one place."""
        amount = self.inside(update, UNARY if sign == "-" else ANY)
        amount = ("" if sign == "+" else "-") + (self.tensor(amount) if update in self.numbers else amount)
        parts = split_outside(where)
        if ":" not in parts:
            return f"{name}.index_put_(({where},), {amount}, accumulate=True)"
        places = ", ".join("None" if part == ":" else part for part in parts)
        return f"torch.ops.aten.index_put_({name}, [{places}], {amount}, True)"

    def own_copy(self, value: Value, base: Value) -> str:
        """The name of an array like `base` that may be changed."""
        text = self.texts[base]
        alone = self.uses[base] == 1 and base.op != VARIABLE and not VIEW.match(base.op)
        if alone and text.text.isidentifier():
            return text.text
        copied = f"{self.inside(base, ATOM)}.{'clone' if self.backend == 'torch' else 'copy'}()"
        return self.assign(value, text.text if alone else copied).text


SPECIAL: dict[str, Callable[[Writer, Value], Text]] = {
    VARIABLE: lambda writer, value: Text(writer.words[value.fields[0]]),
    DIM: lambda writer, value: Text(writer.dims[value.fields[0]]),
    NUMBER: Writer.number,
    SHAPE: Writer.shape,
    SCATTER: Writer.scatter,
}

#: How some operations are written in some places; None leaves it to the template.
IDIOMS: dict[str, Callable[[Writer, Value], Text | None]] = {MATMUL: Writer.product, "-{0}": Writer.negative}


def reachable(roots: Iterable[Value]) -> list[Value]:
    """Every value below `roots`, operands first."""
    seen: set[Value] = set()
    order: list[Value] = []
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            stack.append((value, True))
            stack.extend((arg, False) for arg in reversed(value.args) if arg not in seen)
    return order


def split_outside(text: str) -> list[str]:
    """The parts of an index between the commas that are in no brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def quoted(line: str) -> str:
    """A line of text as it may stand in a docstring."""
    return printable(line).replace("\\", "\\\\").replace('"', '\\"')


def shape_note(variable: Variable) -> str:
    sizes = [identifier(d) if isinstance(d, str) and is_name(d) else str(d) for d in variable.shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
