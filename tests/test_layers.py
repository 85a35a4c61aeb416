"""Updates, layers with a running number, and how papers write parts, brackets and places: read alike, printed back.

A row is a source and the same function in plain notation, over the same shapes; both must be one expression.
"""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.expr import substitute, variable

Row = tuple[str, str, str]

UPDATES: list[Row] = [
    (r"x \leftarrow x + \eta x^2", "x + eta x^2", "x:, eta:"),
    ("w ← w - η X^T (X w - y)", "w - eta X^T (X w - y)", "w: n, eta:, X: m n, y: m"),
    ("w := w - eta X^T (X w - y)", "w - eta X^T (X w - y)", "w: n, eta:, X: m n, y: m"),
    (r"w_j \gets w_j - \eta (w^T x - t) x_j", "w - eta (w^T x - t) x", "w: n, eta:, t:, x: n"),
    (r"W \leftarrow W - \eta \delta x^T, \delta = W x - t", "W - eta (W x - t) x^T", "W: m n, eta:, x: n, t: m"),
    ("q := W x; f = ||q||^2", "||W x||^2", "W: m n, x: n"),
    ("f(x) := x^2", "x^2", "x:"),
]
RNN = "W: n n, U: n m, h_0: n, x_1: m, x_2: m, y: n"
NET = "W^(1): p q, W^(2): m p, b^(1): p, b^(2): m, x: q, y: m"
NET_PLAIN = r"\|\sigma(W^{(2)} \sigma(W^{(1)} x + b^{(1)}) + b^{(2)}) - y\|^2"
RECURSIONS: list[Row] = [
    (
        r"z^{(l+1)} = W^{(l+1)} a^{(l)} + b^{(l+1)}, a^{(l)} = \sigma(z^{(l)}), a^{(0)} = x, L = \|a^{(2)} - y\|^2",
        NET_PLAIN,
        NET,
    ),
    (r"L = \|a^{[2]} - y\|^2, a^{[l]} = \sigma(W^{[l]} a^{[l-1]} + b^{[l]}), a^{[0]} = x", NET_PLAIN, NET),
    (
        r"a^{(1)} = x, z^{(l+1)} = \Theta^{(l)} a^{(l)}, a^{(l+1)} = g(z^{(l+1)}), \hat{y} = a^{(3)}, g = \sigma",
        r"\sigma(\Theta^{(2)} \sigma(\Theta^{(1)} x))",
        "\\Theta^(1): p q, \\Theta^(2): m p, x: q",
    ),
    (
        r"a^{(l)} = \sigma(W^{(l)} a^{(l-1)}), f = \mathbf{1}^T a^{(2)}",
        r"\mathbf{1}^T \sigma(W^{(2)} \sigma(W^{(1)} a^{(0)}))",
        "W^(1): p q, W^(2): m p, a^(0): q",
    ),
    (
        r"h_i^{(l)} = \tanh(\sum_j W_{ij}^{(l)} h_j^{(l-1)}), h^{(0)} = x, f = \sum_i h_i^{(2)}",
        r"\sum_i \tanh(W^{(2)} \tanh(W^{(1)} x))_i",
        "W^(1): p q, W^(2): m p, x: q",
    ),
    (r"h_t = \tanh(W h_{t-1} + U x_t), L = \|h_2 - y\|^2", r"\|\tanh(W \tanh(W h_0 + U x_1) + U x_2) - y\|^2", RNN),
    ("h_t = tanh(W h_{t-1} + U x_t); o_t = y .* h_t; sum(o_2)", "sum(y .* tanh(W tanh(W h_0 + U x_1) + U x_2))", RNN),
    (
        r"h_t = \tanh(W h_{t-1} + U x_t), L = \sum_{t=1}^{2} y^T h_t",
        r"y^T \tanh(W h_0 + U x_1) + y^T \tanh(W \tanh(W h_0 + U x_1) + U x_2)",
        RNN,
    ),
    (
        r"h_t = \tanh(W h_{t-1} + U x_t), h_0 = \mathbf{0}, L = y^T h_2",
        r"y^T \tanh(W \tanh(U x_1) + U x_2)",
        RNN.replace("h_0: n, ", ""),
    ),
    ("f_n = f_{n-1} + f_{n-2}; f_0 = a; f_1 = b; f_5", "5 b + 3 a", "a:, b:"),
    (
        r"x^{(k+1)} = x^{(k)} - \eta A x^{(k)}, f = c^T x^{(1)}",
        r"c^T (x^{(0)} - \eta A x^{(0)})",
        "x^(0): n, eta:, A: n n, c: n",
    ),
]
CELL = ", ".join(f"W_{g}: n m, U_{g}: n n, b_{g}: n" for g in "fiog")
GATE = {g: rf"({s}(W_{g} X + U_{g} H + b_{g}))" for g, s in zip("fiog", (*[r"\sigma"] * 3, r"\tanh"), strict=True)}
GATES = ", ".join(
    rf"{g}_t = {s}(W_{g} x_t + U_{g} h_{{t-1}} + b_{g})"
    for g, s in zip("fiog", (*[r"\sigma"] * 3, r"\tanh"), strict=True)
)
#: One step: names with a running number are compared by hand.
STEPS: list[tuple[str, str, str]] = [
    (r"h_t = \tanh(W h_{t-1} + U x_t + b)", "tanh(W H + U X + b)", "W: n n, U: n m, b: n"),
    ("h_t = tanh(W h_{t-1} + U x_t + b)", "tanh(W H + U X + b)", "W: n n, U: n m, b: n"),
    (r"h_t = \tanh(W h_{t-1} + U x_t + b), h_0 = v", "tanh(W H + U X + b)", "W: n n, U: n m, b: n"),
    (
        r"h_{t,i} = \tanh(\sum_j W_{ij} h_{t-1,j} + \sum_k U_{ik} x_{t,k} + b_i)",
        "tanh(W H + U X + b)",
        "W: n n, U: n m, b: n",
    ),
    (
        GATES + r", c_t = f_t \odot c_{t-1} + i_t \odot g_t, h_t = o_t \odot \tanh(c_t)",
        rf"{GATE['o']} \odot \tanh({GATE['f']} \odot C + {GATE['i']} \odot {GATE['g']})",
        CELL,
    ),
]
NUMBERED: list[tuple[str, str, str]] = [
    (r"z^{(l+1)} = W^{(l+1)} a^{(l)} + b^{(l+1)}, a^{(l)} = \sigma(z^{(l)})", r"V \sigma(Z) + B", ""),
    (r"x^{(t+1)} = x^{(t)} - \eta A x^{(t)}", r"Z - \eta A Z", "eta:, A: n n"),
]
PARTS: list[Row] = [
    ("[1 - y s]_+", "max(0, 1 - y s)", "y:, s:"),
    (r"\sum_i (x_i)_+^2", "sum(max(0, x).^2)", "x: n"),
    (r"\sum_{j \neq y} [s_j - s_y + 1]_{+}", "sum_{j != y} max(0, s_j - s_y + 1)", "s: C, y:"),
    ("k_+^T q - k_-^T q", "(k_+)^T q - (k_{-})^T q", "k_+: d, k_-: d, q: d"),
    (r"\exp(q^T k_{+})", "exp(q^T k_plus)", "k_+: d, q: d"),
    ("A^+ b", "pinv(A) b", "A: m n, b: m"),
    (r"\alpha A^{+}b", "alpha pinv(A) b", "A: m n, b: m, alpha:"),
    (r"f_j = W_{j:} x", "W x", "W: m n, x: n"),
    (r"f_j = W_{j\cdot} x", "W x", "W: m n, x: n"),
    (r"f_k = W_{\cdot, k}^T x", "W^T x", "W: m n, x: m"),
    (r"f_k = W_{:k}^T x", "W^T x", "W: m n, x: m"),
    (r"L = \|q\|^2 \quad q = W x", "||W x||^2", "W: m n, x: n"),
    (r"L = \|q\|^2 \quad \text{where} \quad q = W x", "||W x||^2", "W: m n, x: n"),
    (r"\|\underbrace{W x}_{z} - y\|^2 + \lambda z^T z", "||W x - y||^2 + lam ||W x||^2", "W: m n, x: n, y: m, lam:"),
    (
        r"\underbrace{\|x\|^2}_{\text{data loss}} + \overbrace{\lambda \|w\|^2}^{R(w)}",
        "||x||^2 + lam ||w||^2",
        "x: n, w: m, lam:",
    ),
    (r"-\log p_{\hat{k}}, \hat{k} = \operatorname*{arg\,max}_k s_k", "-log(p_{argmax(s)})", "p: n, s: n"),
    (r"p_{k^*}, \ k^* = \arg\max_j s_j", "p_{argmax(s)}", "p: n, s: n"),
    (r"\frac{1}{m} \mathbf{1}^T (X w - y)", "1/m sum(X w - y)", "X: n d, w: d, y: n, m:"),
]
EVALUATED: list[Row] = [
    (r"a x^2 \big|_{x=3}", "9 a", "a:"),
    (r"\left. x^2 + y \right|_{x=3}", "9 + y", "y:"),
    (r"(x y^2) \Big|_{x=y, y=a}", "y a^2", "y:, a:"),
    ("x^2 |_{x=3} ", "9", ""),
    (r"\|W x\|^2 \bigr|_{x=U v}", "||W U v||^2", "W: m n, U: n d, v: d"),
    (r"\sum_i x_i^2 \big|_{x=u}", "||u||^2", "u: n"),
    ("|x| |_{x=a}", "|a|", "a:"),
]
ROWS = [*UPDATES, *RECURSIONS, *PARTS, *EVALUATED]
#: What a name of a step is called where the same step is written by hand, and its shape.
CALLED = {"h_t-1": ("H", "n"), "x_t": ("X", "m"), "c_t-1": ("C", "n")}
ABOVE = {"W^(l+1)": ("V", "m n"), "z^(l)": ("Z", "n"), "b^(l+1)": ("B", "m"), "x^(t)": ("Z", "n")}

REFUSED = [
    (r"z \leftarrow z - \eta \frac{\partial L}{\partial z}", "gradient as a formula"),
    (r"L = \|z\|^2, z \leftarrow z - \eta z", "old value"),
    ("x := 5", "only gives a name a value"),
    ("1[x := 3]", "comparison"),
    (r"x \leftarrow x + v, x \leftarrow x - v", "two formulas"),
    (r"a^{(l)} = \sigma(W^{(l)} a^{(l-1)}), L = \|a^{(L)} - y\|^2", "what number is L"),
    (r"h_t = \tanh(W h_{t-1}), L = \sum_{t=1}^{T} \|h_t\|^2", "how many t"),
    (r"h_t = \tanh(W h_{t-1}), L = \|h_{1000}\|^2", "written out up to"),
    (r"h_t = \tanh(W h_{t-1}), L = \sum_{t=1}^{999} \|h_t\|^2", "written out up to"),
    (r"h_n = h_{n-1} + h_{n-2}, f = h_3", "where does this recursion of h begin"),
    (r"a^{(l+1)} = \sigma(a^{(l)}), a^{(k)} = x, f = \|a^{(2)}\|^2", "defined twice"),
    (r"z^{(l+1)} = W a^{(l)}, a^{(k)} = \sigma(z^{(k)})", "use one letter"),
    (r"x^{(t+1)} = x^{(t)} - \eta \nabla f", "derivatives are what"),
    ("c_i = x_{i+1} - c_i", ""),
    ("[x]_-", "with or without its sign"),
    ("(z)^+", "a part, a pseudo-inverse, or a name"),
    ("x^+ y", "a part, a pseudo-inverse, or a name"),
    (r"\underbrace{W x}_n + n", "belongs into braces"),
    (r"\underbrace{a}_{u} + \underbrace{b}_{u} u", "defined twice"),
    (r"\mathbb{E}_{x}[f(x)]", "an average"),
    ("W_{j:} x", "nothing binds the index j"),
    (r"x^2 + y \Big|_{x=3}", "the whole sum evaluated"),
    (r"\frac{\partial f}{\partial x} \big|_{x=3}", "evaluate the result"),
    (r"\sum_i x_i^2 \big|_{i=3}", "an index of a sum"),
    (r"z \big|_{x=3}", "does not occur"),
    (r"\left. x \right)", "closes it"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_is_the_same_function(row: Row) -> None:
    source, plain, shapes = row
    found = sg.parse(source, shapes=shapes)
    assert found.node is sg.parse(plain, shapes=shapes).node, found.text
    assert all(not declared.guessed for declared in found.variables.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_prints_back(row: Row) -> None:
    found = sg.parse(row[0], shapes=row[2])
    shapes = {name: declared.shape for name, declared in found.variables.items()}
    for shown, syntax in ((found.text, "text"), (found.latex, "latex")):
        assert sg.parse(shown, shapes=shapes, syntax=syntax) == found, shown


@pytest.mark.parametrize("row", [*STEPS, *NUMBERED], ids=lambda row: row[0][:60])
def test_one_step(row: tuple[str, str, str]) -> None:
    """h_{t-1}, x_t and z^{(l)} are variables of their own: the step by hand has other names for them."""
    source, plain, shapes = row
    names = {**CALLED, **ABOVE}
    given = {new: shape for new, shape in names.values() if new in plain}
    by_hand = sg.parse(plain, shapes=", ".join([*filter(None, [shapes]), *(f"{k}: {s}" for k, s in given.items())]))
    found = sg.parse(source, shapes=by_hand_shapes(by_hand, names))
    renamed = substitute(
        found.node,
        {
            variable(old, v.shape): variable(names[old][0], v.shape)
            for old, v in found.variables.items()
            if old in names
        },
    )
    assert renamed is by_hand.node, found.text
    for shown, syntax in ((found.text, "text"), (found.latex, "latex")):
        shape = {name: declared.shape for name, declared in found.variables.items()}
        assert sg.parse(shown, shapes=shape, syntax=syntax) == found, shown


def by_hand_shapes(by_hand: sg.Expr, names: dict[str, tuple[str, str]]) -> dict[str, tuple[object, ...]]:
    """The shapes of a step written by hand, under the names that the running number makes."""
    shapes = {name: declared.shape for name, declared in by_hand.variables.items()}
    return {name: shapes.get(name, ()) for name in shapes} | {
        old: shapes[new] for old, (new, _) in names.items() if new in shapes
    }


def test_a_step_is_derived_checked_and_claimed() -> None:
    step = sg.parse(r"h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t)")
    assert set(step.variables) == {"W_hh", "h_t-1", "W_xh", "x_t"}
    assert sg.check(step, claim=r"\operatorname{diag}(1 - h_t \odot h_t) W_{hh}", wrt="h_{t-1}").verdict == "correct"
    assert sg.check(step, claim=r"W_{hh} \operatorname{diag}(1 - h_t \odot h_t)", wrt="h_{t-1}").verdict == "wrong"


def test_another_function_is_told_apart() -> None:
    assert sg.parse(UPDATES[0][0], shapes="x:, eta:").node is not sg.parse("x - eta x^2", shapes="x:, eta:").node


@pytest.mark.parametrize(("source", "part"), REFUSED)
def test_refusals(source: str, part: str) -> None:
    with pytest.raises(SymgradError) as caught:
        sg.parse(source)
    assert part in str(caught.value)
