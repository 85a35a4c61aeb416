"""Fractions, roots and derivatives.

Contract: a literal zero below a line is a `DomainError`; a derivative's order must be the number of its variables
(PARSE), and a variable must be a name or an entry (TYPE).
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.errors import DomainError
from symgrad.notation import names, scripts
from symgrad.notation.bars import OPERAND_START
from symgrad.notation.cursor import ARGUMENT, ENDS, JUXTAPOSED, POSTFIX, Reader, is_number
from symgrad.notation.syntax import Tree
from symgrad.notation.tokens import END, NAME, NUM, WORD, Token

#: What may stand below a line without brackets, behind another factor.
FACTORS = frozenset((NAME, WORD, "const", "SQRT", "(", "||(", "|("))


def divided(p: Reader, above: Tree, below: Tree, start: int, end: int, kind: str = "") -> Tree:
    """A quotient; two integers are one exact number, and a literal zero below is refused."""
    if is_number(below, 0):
        p.fail("division by zero", below, "DOMAIN", kind=DomainError)
    if not kind and isinstance(above.value, int) and isinstance(below.value, int) and above.head == below.head == "num":
        value = Fraction(above.value, below.value)
        return Tree("num", (), value.numerator if value.denominator == 1 else value, start, end)
    return Tree("div", (above, below), kind, start, end)


def reaches(p: Reader, above: Tree, below: Tree, slash: Token) -> bool:
    r"""Whether the factor behind a slash and its denominator may stand below the line as well.

    `x^2/2\sigma^2` and `x^T y/\|x\|\|y\|` mean it, `1/n X^T` does not: there the spaces say so.  Brackets around the
    denominator, and a number below before a bracket or a norm, leave no doubt.
    """
    kind, _, start, _ = p.tokens[p.pos]
    if p.source[below.start] in "([" or kind not in FACTORS:
        return False
    if kind == "||(" or kind == "|(":
        return below.head in ("norm", "bars", "pow") and p.source[below.start] in "|\\‖∥"
    between, wide = p.source[below.end : start], p.source[slash[2] - 1] == " "
    glued = not between.strip() and (not between or (p.latex and _ends_in_command(p.source[: below.end])))
    if kind == "(":
        return glued and below.head in ("name", "index", "pow")
    heavy = above.head in ("pow", "neg", "norm", "mul") and below.head == "num"
    return glued or wide or heavy or below.head == "transpose"


def _ends_in_command(source: str) -> bool:
    """Whether a source ends in a command, behind which TeX wants a space that is none."""
    return source.rpartition("\\")[2].isalpha()


def fraction(p: Reader, token: Token, _floor: int) -> Tree:
    r"""`\frac{a}{b}`, `\frac12`, and derivatives `\frac{\partial f}{\partial x}`, `\frac{d}{dx}`."""
    p.deeper(token)
    if p.tokens[p.pos][0] == "{" and _differential_fraction(p, p.pos):
        tree = _derivative_fraction(p, token)
    else:
        above = tex_argument(p)
        below = tex_argument(p)
        tree = divided(p, above, below, token[2], p.tokens[p.pos - 1][3])
    p.depth -= 1
    return tree


def tex_argument(p: Reader) -> Tree:
    """What TeX takes as one argument: a group in braces, a digit, a letter or a symbol."""
    token = p.tokens[p.pos]
    kind, value, start, end = token
    p.pos += 1
    if kind == "{":
        tree = p.value()
        p.expect("}", token)
        return tree
    if kind == NUM and end - start > 1 and p.source[start:end].isdigit():
        p.tokens[p.pos - 1] = (NUM, int(p.source[start + 1 : end]), start + 1, end)
        p.pos -= 1
        return Tree("num", (), int(p.source[start]), start, start + 1)
    if kind in (NUM, WORD, "const", "ONE"):
        return p.prefix[kind](p, token, POSTFIX + 1)
    if kind == NAME:
        constant_ = value in ("pi", "e") and value not in p.vocabulary.names and value not in p.applied
        return Tree("const" if constant_ else "name", (), value, start, end)
    p.pos -= 1
    return p.unexpected(token, "an argument in braces")


def _mark(p: Reader, place: int) -> bool:
    """Whether a differential mark stands at `place`: ∂, or an upright or plain d before something."""
    kind, value, _, _ = p.tokens[place]
    if kind == "partial":
        return True
    following = p.tokens[place + 1][0] if place + 1 < len(p.tokens) else END
    return kind in (NAME, WORD) and value == "d" and following not in ("_", "'", "(")


def _differential_fraction(p: Reader, place: int) -> bool:
    below = p.partner(place) + 1
    return _mark(p, place + 1) and below < len(p.tokens) - 1 and p.tokens[below][0] == "{" and _mark(p, below + 1)


def _derivative_fraction(p: Reader, token: Token) -> Tree:
    opened = p.tokens[p.pos]
    p.pos += 2
    order = _order(p)
    function_tree = None if p.tokens[p.pos][0] == "}" else p.expression(0)
    p.expect("}", opened)
    opened = p.tokens[p.pos]
    p.pos += 1
    variables: list[Tree] = []
    total = 0
    while p.tokens[p.pos][0] != "}":
        if not _mark(p, p.pos):
            p.unexpected(p.tokens[p.pos], "a differential")
        p.pos += 1
        total += _variable(p, variables)
    p.expect("}", opened)
    if function_tree is None:
        return _operator(p, token, order, variables, total)
    return _derivative(p, token, function_tree, order, variables, total)


def _order(p: Reader) -> object:
    """The order written above the mark, 1 if there is none."""
    if p.tokens[p.pos][0] != "^":
        return 1
    p.pos += 1
    power = scripts.exponent(p)
    return power.value if power.head == "num" else power


def _variable(p: Reader, variables: list[Tree]) -> int:
    """One variable of differentiation with the order above it."""
    token = p.tokens[p.pos]
    if token[0] not in (NAME, WORD, "("):
        p.unexpected(token, "a variable")
    tree = p.expression(POSTFIX)
    order = tree.args[1].value if tree.head == "pow" and tree.args[1].head == "num" else None
    if order is not None:
        tree = tree.args[0]
    if tree.head not in ("name", "index", "transpose"):
        p.fail("a derivative is taken by a variable", tree, "TYPE")
    variables.append(tree)
    return order if isinstance(order, int) else 1 if order is None else 0


def _below_variables(p: Reader, order: object) -> tuple[list[Tree], int]:
    """As many variables of `/dx dy` as the order says: in text `dx` is one word, in LaTeX two letters."""
    variables: list[Tree] = []
    total = 0
    while True:
        if total == order:  # df/dq dq/dx is a product
            return variables, total
        kind, value, start, end = p.tokens[p.pos]
        if p.latex:
            if kind != NAME or value != "d" or p.tokens[p.pos + 1][0] != NAME:
                return variables, total
            p.pos += 1
        elif _is_differential(p.tokens[p.pos]):
            p.tokens[p.pos] = (NAME, _differentiated(p.source[start + 1 : end]), start + 1, end)
        else:
            return variables, total
        total += _variable(p, variables)


def _operator(p: Reader, token: Token, order: object, variables: list[Tree], total: int) -> Tree:
    """`d/dx` before the function."""
    opened = p.tokens[p.pos]
    if opened[0] not in OPERAND_START:
        p.unexpected(opened, "the function to differentiate")
    if opened[0] in ("(", "["):
        end = p.partner(p.pos)
        following = p.tokens[end + 1]
        if opened[0] == "(" and following[0] in OPERAND_START:
            p.fail(
                "does the derivative reach beyond this bracket?", opened, "REACH",
                "write d/dx [u] v for the derivative of u, and d/dx [u v] for that of the product",
            )  # fmt: skip
        if opened[0] == "[" and following[0] in OPERAND_START:
            return _derivative(p, token, p.expression(ARGUMENT), order, variables, total)
    return _derivative(p, token, p.expression(JUXTAPOSED), order, variables, total)


def _derivative(p: Reader, token: Token, of: Tree, order: object, variables: list[Tree], total: int) -> Tree:
    if not variables:
        p.fail("the variable of this derivative is missing", token)
    if order == 1 and total == 2 and len(variables) == 1:
        (base,) = variables  # by the square as a variable: the sigma^2 of a variance
        two = Tree("num", (), 2, base.end, base.end)
        variables, total = [Tree("pow", (base, two), "", base.start, base.end)], 1
    if not isinstance(order, int) or order < 1 or order != total:
        p.fail(f"a derivative of order {order if isinstance(order, int) else '?'} by {total} variables", token)
    return Tree("derivative", (of, *variables), order, token[2], p.tokens[p.pos - 1][3])


def partial(p: Reader, token: Token, _floor: int) -> Tree:
    """`∂f/∂x`, `∂^2 f/∂x∂y`, `∂/∂x f`."""
    p.deeper(token)
    order = _order(p)
    of = None if p.tokens[p.pos][0] == "/" else p.expression(POSTFIX)
    p.expect("/")
    variables: list[Tree] = []
    total = 0
    while p.tokens[p.pos][0] == "partial" and not (total == order and _slash_follows(p)):
        p.pos += 1
        total += _variable(p, variables)
    if not variables:
        p.unexpected(p.tokens[p.pos], "∂ and a variable")
    tree = (
        _operator(p, token, order, variables, total)
        if of is None
        else _derivative(p, token, of, order, variables, total)
    )
    p.depth -= 1
    return tree


def _slash_follows(p: Reader) -> bool:
    """Whether the ∂ here begins another fraction, as in ∂f/∂q ∂q/∂x."""
    place = p.pos + 1
    while p.tokens[place][0] in (NAME, WORD, NUM, "_", "^", "{", "}", ",", "(", ")"):
        place += 1
    return p.tokens[place][0] == "/"


def gradient(p: Reader, token: Token, _floor: int) -> Tree:
    r"""`\nabla_W f`, `\nabla f`, `\nabla_x^2 f`."""
    p.deeper(token)
    variables: list[Tree] = []
    order = 1
    while p.tokens[p.pos][0] in ("_", "^"):
        p.pos += 1
        if p.tokens[p.pos - 1][0] == "^":
            power = scripts.exponent(p)
            if not isinstance(power.value, int) or power.value < 1:
                p.fail("the order of a derivative is a positive integer", power)
            order = power.value
        else:
            variables.append(_gradient_variable(p))
    if p.tokens[p.pos][0] not in OPERAND_START:
        p.unexpected(p.tokens[p.pos], "the function to differentiate")
    of = _applied(p) or p.expression(ARGUMENT)
    p.depth -= 1
    if of.head == "call" and len(of.args) == 1 and of.args[0].head == "name":
        variables = variables or [of.args[0]]
    return Tree("derivative", (of, *variables[:1]), order, token[2], of.end)


def _applied(p: Reader) -> Tree | None:
    """The E(w) of `∇E(w)`: a name before a list of names is a function of them; None for anything else."""
    kind, value, start, _ = p.tokens[p.pos]
    opening = p.pos + 1
    if kind not in (NAME, WORD) or p.tokens[opening][0] != "(" or p.tokens[opening - 1][3] != p.tokens[opening][2]:
        return None
    closing = p.partner(opening)
    inner = p.tokens[opening + 1 : closing]
    plain = inner[::2] and all(t[0] in (NAME, WORD) for t in inner[::2]) and all(t[0] == "," for t in inner[1::2])
    if not plain or value in p.vocabulary.functions or p.tokens[closing + 1][0] not in ENDS | {"="}:
        return None
    p.pos = closing + 1
    arguments = tuple(Tree("name", (), *t[1:]) for t in inner[::2])
    return Tree("call", arguments, value, start, p.tokens[closing][3])


def _gradient_variable(p: Reader) -> Tree:
    token = p.tokens[p.pos]
    p.pos += 1
    if token[0] == "{":
        tree = p.expression(0)
        p.expect("}", token)
        if tree.head not in ("name", "index", "transpose"):
            p.fail("a derivative is taken by a variable", tree, "TYPE")
        return tree
    if token[0] in (NAME, WORD):
        return Tree("name", (), token[1], token[2], token[3])
    p.pos -= 1
    return p.unexpected(token, "the variable of the gradient")


def differential(p: Reader, token: Token) -> Tree | None:
    """`d/dx f`, `d^2/dx^2 f`, `d^2 f/dx^2`: only if a fraction of differentials follows."""
    tokens, place = p.tokens, p.pos
    order: object = 1
    if tokens[place][0] == "^":
        if tokens[place + 1][0] == "-" and tokens[place + 3][0] == "/":
            p.fail("the order of a derivative is a positive integer", tokens[place + 1])
        braced = tokens[place + 1][0] == "{"
        order, place = tokens[place + 1 + braced][1], place + 2 + 2 * braced
    of = Tree("name", (), *tokens[place][1:]) if place > p.pos and tokens[place][0] in (NAME, WORD) else None
    place += of is not None
    if tokens[place][0] != "/":
        return None
    p.pos, before = place + 1, p.pos
    variables, total = _below_variables(p, order)
    if not variables:
        p.pos = before
        return None
    if of is not None:
        return _derivative(p, token, of, order, variables, total)
    return _operator(p, token, order, variables, total)


def slashed(p: Reader, token: Token, value: str) -> Tree | None:
    """`dL/dW`: in text a word over a word, in LaTeX d and a letter over d and a letter."""
    tokens, place = p.tokens, p.pos
    if p.latex:
        if value != "d" or tokens[place][0] != NAME or tokens[place + 1][0] != "/":
            return None
        of, after = Tree("name", (), tokens[place][1], tokens[place][2], tokens[place][3]), place + 2
    elif len(value) > 1 and _is_differential(token) and tokens[_behind_script(p, place)][0] == "/":
        of = Tree("name", (), _differentiated(p.source[token[2] + 1 : token[3]]), token[2] + 1, token[3])
        of = scripts.scripts(p, of) if tokens[place][0] == "_" else of
        after = p.pos + 1
    else:
        return None
    p.pos = after
    variables, total = _below_variables(p, 1)
    if not variables:
        p.pos = place
        return None
    return _derivative(p, token, of, 1, variables, total)


def _behind_script(p: Reader, place: int) -> int:
    """The place behind the subscript at `place`, or `place` itself."""
    if p.tokens[place][0] != "_":
        return place
    return (p.partner(place + 1) if p.tokens[place + 1][0] == "{" else place + 1) + 1


def _differentiated(word: str) -> str:
    """The name behind the d of a word: W_1 of dW1."""
    return names.numbered(names.word(word))


def _is_differential(token: Token) -> bool:
    return (
        token[0] == NAME and len(token[1]) > 1 and token[1][0] == "d" and token[1][1].isalpha() and token[1] != "delta"
    )


def root(p: Reader, token: Token, _floor: int) -> Tree:
    r"""`\sqrt{x}`, `\sqrt[3]{x}`, `√x`."""
    p.deeper(token)
    degree: Tree | None = None
    if p.source[token[2]] == "\\":
        if p.tokens[p.pos][0] == "[":
            opened = p.tokens[p.pos]
            p.pos += 1
            degree = p.expression(0)
            p.expect("]", opened)
        argument = tex_argument(p)
    else:
        argument = p.expression(ARGUMENT)
    p.depth -= 1
    end = p.tokens[p.pos - 1][3]
    if degree is None:
        return Tree("call", (argument,), "sqrt", token[2], end)
    if is_number(degree, 0):
        p.fail("there is no zeroth root", degree, "DOMAIN", kind=DomainError)
    upper = divided(p, Tree("num", (), 1, degree.start, degree.start), degree, degree.start, degree.end)
    return Tree("pow", (argument, upper), "", token[2], end)


def integral(p: Reader, token: Token, _floor: int) -> Tree:
    p.fail("integrals are not read: an integral would need its differential", p.tokens[-1])


def ellipsis(p: Reader, token: Token, _floor: int) -> Tree:
    p.fail(
        "an ellipsis leaves out what a computer must know",
        token,
        hint="write the sum with its index: \\sum_{i=1}^n x_i^2",
    )
