"""Functions of one entry at a time: exponentials, trigonometry, activations, comparisons, choices."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symgrad.errors import DomainError
from symgrad.expr import Node, Rational, constant
from symgrad.expr import power as rational_power
from symgrad.ops.operation import FIXED, Operation, partial

REFERENCE = "Abramowitz and Stegun, Handbook of Mathematical Functions"
CS231N = "CS231n, Neural Networks Part 1, commonly used activation functions"
SELU_SCALE = "1.0507009873554805"
SELU_ALPHA = "1.6732632423543772"


def _at(point: int, value: int) -> Callable[[Rational], Rational | None]:
    """The function known exactly at one point only."""
    return lambda x: value if x == point else None


def _log_exact(x: Rational) -> Rational | None:
    if x <= 0:
        raise DomainError(f"the logarithm of {x} does not exist")
    return 0 if x == 1 else None


def _power_rewrite(x: Node, p: Node) -> Node | None:
    """A constant exponent is a power of a product, not a call."""
    exponent = constant(p)
    return rational_power(x, exponent) if exponent is not None and not p.shape else None


def _max_rewrite(x: Node, y: Node) -> Node | None:
    return x if x is y else None


def _where_rewrite(c: Node, x: Node, y: Node) -> Node | None:
    truth = constant(c)
    if truth is None:
        return x if x is y else None
    chosen = x if truth else y
    return chosen if chosen.shape == max((n.shape for n in (c, x, y)), key=len) else None


# fmt: off
EXPONENTIAL = (
    Operation(
        "exp", ("x",), (partial("exp(x)"),), text=("exp",), latex=("exp",), command=True,
        numpy="np.exp({x})", jax="jnp.exp({x})", sympy=lambda sp, x: sp.exp(x), exact=_at(0, 1), source=REFERENCE + " 4.2",
    ),
    Operation(
        "log", ("x",), (partial("1/x"),), text=("log", "ln"), latex=("log", "ln"), command=True, domain=("positive",),
        numpy="np.log({x})", jax="jnp.log({x})", sympy=lambda sp, x: sp.log(x), exact=_log_exact,
        source=REFERENCE + " 4.1: natural, always",
    ),
    Operation(
        "power", ("x", "p"), (partial("p x^(p - 1)"), partial("log(x) x^p")), domain=("positive", "real"),
        numpy="{x} ** {p}", jax="{x} ** {p}", sympy=lambda sp, x, p: x**p, rewrite=_power_rewrite,
        source=REFERENCE + " 4.2",
    ),
)

TRIGONOMETRIC = (
    Operation(
        "sin", ("x",), (partial("cos(x)"),), text=("sin",), latex=("sin",), command=True,
        numpy="np.sin({x})", jax="jnp.sin({x})", sympy=lambda sp, x: sp.sin(x), exact=_at(0, 0), source=REFERENCE + " 4.3",
    ),
    Operation(
        "cos", ("x",), (partial("-sin(x)"),), text=("cos",), latex=("cos",), command=True,
        numpy="np.cos({x})", jax="jnp.cos({x})", sympy=lambda sp, x: sp.cos(x), exact=_at(0, 1), source=REFERENCE + " 4.3",
    ),
    Operation(
        "tan", ("x",), (partial("1 + tan(x)^2"),), text=("tan",), latex=("tan",), command=True,
        numpy="np.tan({x})", jax="jnp.tan({x})", sympy=lambda sp, x: sp.tan(x), exact=_at(0, 0), domain=("unit",),
        source=REFERENCE + " 4.3",
    ),
    Operation(
        "arctan", ("x",), (partial("1/(1 + x^2)"),), text=("arctan", "atan"), latex=("arctan",), command=True,
        numpy="np.arctan({x})", jax="jnp.arctan({x})", sympy=lambda sp, x: sp.atan(x), exact=_at(0, 0),
        source=REFERENCE + " 4.4",
    ),
    Operation(
        "sinh", ("x",), (partial("cosh(x)"),), text=("sinh",), latex=("sinh",), command=True,
        numpy="np.sinh({x})", jax="jnp.sinh({x})", sympy=lambda sp, x: sp.sinh(x), exact=_at(0, 0), source=REFERENCE + " 4.5",
    ),
    Operation(
        "cosh", ("x",), (partial("sinh(x)"),), text=("cosh",), latex=("cosh",), command=True,
        numpy="np.cosh({x})", jax="jnp.cosh({x})", sympy=lambda sp, x: sp.cosh(x), exact=_at(0, 1), source=REFERENCE + " 4.5",
    ),
)

ACTIVATIONS = (
    Operation(
        "sigmoid", ("x",), (partial("sigmoid(x) (1 - sigmoid(x))"),), definition="1/(1 + exp(-x))",
        text=("sigmoid", "σ", "expit", "sigma", "logistic"), latex=("sigma", "sigmoid"), command=True,
        numpy="sigmoid({x})", helper="sigmoid", jax="jax.nn.sigmoid({x})", sympy=lambda sp, x: 1 / (1 + sp.exp(-x)),
        exact=lambda x: Fraction(1, 2) if x == 0 else None, complement=(1, "sigmoid(-x)"), source=CS231N,
    ),
    Operation(
        "tanh", ("x",), (partial("1 - tanh(x)^2"),), definition="2 sigmoid(2 x) - 1", text=("tanh",), latex=("tanh",),
        command=True, numpy="np.tanh({x})", jax="jnp.tanh({x})", sympy=lambda sp, x: sp.tanh(x), exact=_at(0, 0),
        complement=(2, "4 sigmoid(2 x) .* sigmoid(-2 x)"), source=REFERENCE + " 4.5; " + CS231N,
    ),
    Operation(
        "softplus", ("x",), (partial("sigmoid(x)"),), definition="log(1 + exp(x))", text=("softplus",),
        latex=("softplus",), numpy="softplus({x})", helper="softplus", jax="jax.nn.softplus({x})",
        sympy=lambda sp, x: sp.log(1 + sp.exp(x)), source="Dugas et al., NIPS 2000",
    ),
    Operation(
        "relu", ("x",), (partial("1[x > 0]"),), definition="max(0, x)", text=("relu", "ReLU"), latex=("ReLU", "relu"),
        numpy="np.maximum(0, {x})", jax="jax.nn.relu({x})", sympy=lambda sp, x: sp.Max(0, x), exact=lambda x: max(x, 0),
        kinks=("x",), analytic=False, source=CS231N,
    ),
    Operation(
        "leaky_relu", ("x", "alpha"), (partial("where(x > 0, 1, alpha)"), partial("min(0, x)")),
        definition="max(0, x) + alpha min(0, x)", text=("leaky_relu", "prelu", "LeakyReLU", "PReLU"),
        latex=("LeakyReLU", "PReLU"), numpy="np.where({x} > 0, {x}, {alpha} * {x})",
        jax="jnp.where({x} > 0, {x}, {alpha} * {x})", sympy=lambda sp, x, a: sp.Piecewise((x, x > 0), (a * x, True)),
        kinks=("x",), defaults=(Fraction(1, 100),), analytic=False,
        source=CS231N + "; PReLU: He et al., ICCV 2015",
    ),
    Operation(
        "elu", ("x", "alpha"), (partial("where(x > 0, 1, alpha exp(x))"), partial("where(x > 0, 0, exp(x) - 1)")),
        definition="where(x > 0, x, alpha (exp(x) - 1))", text=("elu", "ELU"), latex=("ELU", "elu"),
        numpy="np.where({x} > 0, {x}, {alpha} * np.expm1(np.minimum({x}, 0)))", jax="jax.nn.elu({x}, {alpha})",
        sympy=lambda sp, x, a: sp.Piecewise((x, x > 0), (a * (sp.exp(x) - 1), True)),
        kinks=("x",), defaults=(Fraction(1),), analytic=False, source="Clevert, Unterthiner and Hochreiter, ICLR 2016",
    ),
    Operation(
        "selu", ("x",), (partial(f"{SELU_SCALE} where(x > 0, 1, {SELU_ALPHA} exp(x))"),),
        definition=f"{SELU_SCALE} where(x > 0, x, {SELU_ALPHA} (exp(x) - 1))", text=("selu", "SELU"), latex=("SELU", "selu"),
        numpy=f"{SELU_SCALE} * np.where({{x}} > 0, {{x}}, {SELU_ALPHA} * np.expm1(np.minimum({{x}}, 0)))",
        jax="jax.nn.selu({x})", kinks=("x",), analytic=False, source="Klambauer et al., NeurIPS 2017",
        sympy=lambda sp, x: sp.Rational(SELU_SCALE) * sp.Piecewise((x, x > 0), (sp.Rational(SELU_ALPHA) * (sp.exp(x) - 1), True)),
    ),
    Operation(
        "hardtanh", ("x",), (partial("1[x > -1] 1[x < 1]"),), definition="max(-1, min(1, x))",
        text=("hardtanh", "hard_tanh"), latex=("hardtanh",), numpy="np.clip({x}, -1, 1)", jax="jnp.clip({x}, -1, 1)",
        sympy=lambda sp, x: sp.Max(-1, sp.Min(1, x)), exact=lambda x: max(-1, min(1, x)), kinks=("x + 1", "x - 1"),
        analytic=False, source="Collobert, 2004",
    ),
)

COMPARISONS = (
    Operation(
        "positive", ("x",), (partial("0"),), symbol=">", numpy="{x} > 0", jax="{x} > 0",
        sympy=lambda sp, x: sp.Piecewise((1, x > 0), (0, True)), exact=lambda x: int(x > 0), kinks=("x",), analytic=False,
        source="Iverson bracket; Knuth, Two Notes on Notation, 1992",
    ),
    Operation(
        "nonnegative", ("x",), (partial("0"),), symbol=">=", numpy="{x} >= 0", jax="{x} >= 0",
        sympy=lambda sp, x: sp.Piecewise((1, x >= 0), (0, True)), exact=lambda x: int(x >= 0), kinks=("x",), analytic=False,
        source="Iverson bracket; Knuth, Two Notes on Notation, 1992",
    ),
    Operation(
        "zero", ("x",), (partial("0"),), symbol="=", numpy="{x} == 0", jax="{x} == 0",
        sympy=lambda sp, x: sp.Piecewise((1, sp.Eq(x, 0)), (0, True)), exact=lambda x: int(x == 0), kinks=("x",),
        analytic=False, source="Iverson bracket; Knuth, Two Notes on Notation, 1992",
    ),
    Operation(
        "abs", ("x",), (partial("sign(x)"),), text=("abs",), latex=("abs",), numpy="np.abs({x})", jax="jnp.abs({x})",
        sympy=lambda sp, x: sp.Abs(x), exact=abs, kinks=("x",), analytic=False, definition="max(x, -x)", source=REFERENCE,
    ),
    Operation(
        "sign", ("x",), (partial("0"),), text=("sign", "sgn"), latex=("sign", "sgn"), numpy="np.sign({x})",
        jax="jnp.sign({x})", sympy=lambda sp, x: sp.sign(x), exact=lambda x: (x > 0) - (x < 0), kinks=("x",),
        analytic=False, definition="1[x > 0] - 1[x < 0]", source=REFERENCE,
    ),
    Operation(
        "maximum", ("x", "y"), (partial("1[x > y]"), partial("1[y >= x]")), text=("max", "maximum"), latex=("max",),
        command=True, numpy="np.maximum({x}, {y})", jax="jnp.maximum({x}, {y})", sympy=lambda sp, x, y: sp.Max(x, y),
        exact=max, rewrite=_max_rewrite, kinks=("x - y",), analytic=False, source="Goodfellow et al., Maxout Networks, 2013",
    ),
    Operation(
        "minimum", ("x", "y"), (partial("1[x < y]"), partial("1[y <= x]")), text=("min", "minimum"), latex=("min",),
        command=True, numpy="np.minimum({x}, {y})", jax="jnp.minimum({x}, {y})", sympy=lambda sp, x, y: sp.Min(x, y),
        exact=min, rewrite=_max_rewrite, definition="-max(-x, -y)", kinks=("x - y",), analytic=False, source=REFERENCE,
    ),
    Operation(
        "where", ("c", "x", "y"), (FIXED, partial("c"), partial("1 - c")), text=("where",), latex=("where",),
        numpy="np.where({c}, {x}, {y})", jax="jnp.where({c}, {x}, {y})",
        sympy=lambda sp, c, x, y: sp.Piecewise((x, sp.Gt(c, 0)), (y, True)), rewrite=_where_rewrite,
        domain=("condition", "real", "real"), analytic=False, source="definition by cases",
    ),
)

# fmt: on

ENTRYWISE = EXPONENTIAL + TRIGONOMETRIC + ACTIVATIONS + COMPARISONS
