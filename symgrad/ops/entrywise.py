"""Functions of one entry at a time: exponentials, trigonometry, special functions, activations, comparisons, choices."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, factorial, floor

from symgrad.errors import DomainError
from symgrad.expr import Call, Node, Rational, call, constant, multiply
from symgrad.expr import power as rational_power
from symgrad.ops.operation import FIXED, UNKNOWN, Operation, partial

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


def _log_rewrite(x: Node) -> Node | None:
    """log Γ(x) has a function of its own: Γ(x) overflows where its logarithm is small."""
    return call(GAMMALN, x.args) if isinstance(x, Call) and x.op.name == "gammafn" else None


def _power_rewrite(x: Node, p: Node) -> Node | None:
    """A constant exponent is a power of a product, not a call; (x^q)^p is x^(q p), for x > 0."""
    if isinstance(x, Call) and x.op.name == "power" and not p.shape and not x.args[1].shape:
        return call(x.op, (x.args[0], multiply(x.args[1], p)))
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
        rewrite=_log_rewrite,
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
        "arcsin", ("x",), (partial("1/sqrt(1 - x^2)"),), text=("arcsin", "asin"), latex=("arcsin",), command=True,
        numpy="np.arcsin({x})", jax="jnp.arcsin({x})", sympy=lambda sp, x: sp.asin(x), exact=_at(0, 0), domain=("unit",),
        source=REFERENCE + " 4.4",
    ),
    Operation(
        "arccos", ("x",), (partial("-1/sqrt(1 - x^2)"),), text=("arccos", "acos"), latex=("arccos",), command=True,
        numpy="np.arccos({x})", jax="jnp.arccos({x})", sympy=lambda sp, x: sp.acos(x), exact=_at(1, 0), domain=("unit",),
        source=REFERENCE + " 4.4",
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
    Operation(
        "arcsinh", ("x",), (partial("1/sqrt(1 + x^2)"),), text=("arcsinh", "asinh"), latex=("arcsinh", "arsinh"),
        numpy="np.arcsinh({x})", jax="jnp.arcsinh({x})", sympy=lambda sp, x: sp.asinh(x), exact=_at(0, 0),
        source=REFERENCE + " 4.6",
    ),
    Operation(
        "arccosh", ("x",), (partial("1/sqrt(x^2 - 1)"),), text=("arccosh", "acosh"), latex=("arccosh", "arcosh"),
        numpy="np.arccosh({x})", jax="jnp.arccosh({x})", sympy=lambda sp, x: sp.acosh(x), exact=_at(1, 0),
        domain=("above one",), source=REFERENCE + " 4.6",
    ),
    Operation(
        "arctanh", ("x",), (partial("1/(1 - x^2)"),), text=("arctanh", "atanh"), latex=("arctanh", "artanh"),
        numpy="np.arctanh({x})", jax="jnp.arctanh({x})", sympy=lambda sp, x: sp.atanh(x), exact=_at(0, 0),
        domain=("unit",), source=REFERENCE + " 4.6",
    ),
)

GAMMALN = Operation(
    "gammaln", ("x",), (partial("digamma(x)"),), text=("gammaln", "lgamma", "loggamma"), latex=("gammaln",),
    numpy="scipy.special.gammaln({x})", jax="jax.scipy.special.gammaln({x})", sympy=lambda sp, x: sp.loggamma(x),
    exact=lambda x: 0 if x in (1, 2) else None, domain=("positive",), analytic=False,
    torch="torch.lgamma({x})", source=REFERENCE + " 6.1",
)
SPECIAL = (
    Operation(
        "erf", ("x",), (partial("2 exp(-x^2)/sqrt(pi)"),), text=("erf",), latex=("erf",),
        numpy="scipy.special.erf({x})", jax="jax.scipy.special.erf({x})", sympy=lambda sp, x: sp.erf(x), exact=_at(0, 0),
        torch="torch.special.erf({x})", source=REFERENCE + " 7.1",
    ),
    Operation(
        "erfc", ("x",), (partial("-2 exp(-x^2)/sqrt(pi)"),), text=("erfc",), latex=("erfc",),
        numpy="scipy.special.erfc({x})", jax="jax.scipy.special.erfc({x})", sympy=lambda sp, x: sp.erfc(x),
        exact=_at(0, 1),
        torch="torch.special.erfc({x})", source=REFERENCE + " 7.1: 1 - erf(x), without cancellation",
    ),
    Operation(
        "normcdf", ("x",), (partial("normpdf(x)"),), definition="(1 + erf(x/sqrt(2)))/2", text=("normcdf", "ndtr", "cdf"), letter="Phi", numpy="scipy.special.ndtr({x})", jax="jax.scipy.special.ndtr({x})",
        sympy=lambda sp, x: sp.erfc(-x / sp.sqrt(2)) / 2, exact=lambda x: Fraction(1, 2) if x == 0 else None,
        torch="torch.special.ndtr({x})", source=REFERENCE + " 26.2: the distribution function of the standard normal",
    ),
    Operation(
        "log_normcdf", ("x",), (partial("exp(-x^2/2 - log_normcdf(x))/sqrt(2 pi)"),), definition="log(normcdf(x))",
        text=("log_normcdf", "log_ndtr", "logcdf"), latex=("lognormcdf",), numpy="scipy.special.log_ndtr({x})",
        jax="jax.scipy.special.log_ndtr({x})", sympy=lambda sp, x: sp.log(sp.erfc(-x / sp.sqrt(2)) / 2),
        torch="torch.special.log_ndtr({x})", source=REFERENCE + " 26.2: where the distribution function itself is 0 in floating point",
    ),
    Operation(
        "normpdf", ("x",), (partial("-x normpdf(x)"),), definition="exp(-x^2/2)/sqrt(2 pi)", text=("normpdf", "pdf"), letter="phi", numpy="np.exp(-0.5 * {x} ** 2) / np.sqrt(2 * np.pi)",
        jax="jnp.exp(-0.5 * {x} ** 2) / jnp.sqrt(2 * jnp.pi)",
        sympy=lambda sp, x: sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi),
        torch="torch.exp(-0.5 * {x} ** 2) / (2 * torch.pi) ** 0.5", source=REFERENCE + " 26.2: the density of the standard normal",
    ),
    Operation(
        "gammafn", ("x",), (partial("gammafn(x) digamma(x)"),), text=("gammafn",), letter="Gamma",
        numpy="scipy.special.gamma({x})", jax="jax.scipy.special.gamma({x})", sympy=lambda sp, x: sp.gamma(x),
        exact=lambda x: factorial(x - 1) if isinstance(x, int) and 0 < x <= 20 else None, domain=("positive",),
        analytic=False,
        torch="gammafn({x})", source=REFERENCE + " 6.1",
    ),
    GAMMALN,
    Operation(
        "digamma", ("x",), (partial("polygamma(1, x)"),), text=("digamma",), letter="psi",
        numpy="scipy.special.digamma({x})", jax="jax.scipy.special.digamma({x})", sympy=lambda sp, x: sp.digamma(x),
        domain=("positive",),
        torch="torch.digamma({x})", source=REFERENCE + " 6.3: the derivative of log Γ",
    ),
    Operation(
        "trigamma", ("x",), (partial("-2 hurwitz(3, x)"),), text=("trigamma",), latex=("trigamma",),
        numpy="scipy.special.polygamma(1, {x})", jax="jax.scipy.special.polygamma(1, {x})",
        sympy=lambda sp, x: sp.polygamma(1, x), definition="hurwitz(2, x)", domain=("positive",), analytic=False,
        torch="torch.polygamma(1, {x})", source=REFERENCE + " 6.4: the derivative of the digamma function",
    ),
    Operation(
        "hurwitz", ("s", "x"), (UNKNOWN, partial("-s hurwitz(s + 1, x)")), text=("hurwitz",), latex=("hurwitz",),
        numpy="scipy.special.zeta({s}, {x})", jax="jax.scipy.special.zeta({s}, {x})",
        sympy=lambda sp, s, x: sp.zeta(sp.nsimplify(s), x), domain=("above one", "positive"), analytic=False,
        torch="torch.special.zeta({s}, {x})", source="Hurwitz zeta function, the sum of (k + x)^(-s); " + REFERENCE + " 6.4.10: polygamma functions",
    ),
)

ACTIVATIONS = (
    Operation(
        "sigmoid", ("x",), (partial("sigmoid(x) (1 - sigmoid(x))"),), definition="1/(1 + exp(-x))",
        text=("sigmoid", "σ", "expit", "sigma", "logistic"), latex=("sigma", "sigmoid"), command=True,
        numpy="sigmoid({x})", helper="sigmoid", jax="jax.nn.sigmoid({x})", sympy=lambda sp, x: 1 / (1 + sp.exp(-x)),
        exact=lambda x: Fraction(1, 2) if x == 0 else None, complement=(1, "sigmoid(-x)"),
        torch="torch.sigmoid({x})", source=CS231N,
    ),
    Operation(
        "tanh", ("x",), (partial("1 - tanh(x)^2"),), definition="2 sigmoid(2 x) - 1", text=("tanh",), latex=("tanh",),
        command=True, numpy="np.tanh({x})", jax="jnp.tanh({x})", sympy=lambda sp, x: sp.tanh(x), exact=_at(0, 0),
        complement=(2, "4 sigmoid(2 x) .* sigmoid(-2 x)"), source=REFERENCE + " 4.5; " + CS231N,
    ),
    Operation(
        "softplus", ("x",), (partial("sigmoid(x)"),), definition="log(1 + exp(x))", text=("softplus",),
        latex=("softplus",), letter="zeta", numpy="softplus({x})", helper="softplus", jax="jax.nn.softplus({x})",
        sympy=lambda sp, x: sp.log(1 + sp.exp(x)),
        torch="-torch.nn.functional.logsigmoid(-{x})", source="Dugas et al., NIPS 2000",
    ),
    Operation(
        "relu", ("x",), (partial("1[x > 0]"),), definition="max(0, x)", text=("relu", "ReLU"), latex=("ReLU", "relu"),
        numpy="np.maximum(0, {x})", jax="jax.nn.relu({x})", sympy=lambda sp, x: sp.Max(0, x), exact=lambda x: max(x, 0),
        kinks=("x",), analytic=False,
        torch="torch.relu({x})", source=CS231N,
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
        kinks=("x",), defaults=(Fraction(1),), analytic=False,
        torch="torch.where({x} > 0, {x}, {alpha} * torch.expm1(torch.clamp({x}, max=0)))", source="Clevert, Unterthiner and Hochreiter, ICLR 2016",
    ),
    Operation(
        "selu", ("x",), (partial(f"{SELU_SCALE} where(x > 0, 1, {SELU_ALPHA} exp(x))"),),
        definition=f"{SELU_SCALE} where(x > 0, x, {SELU_ALPHA} (exp(x) - 1))", text=("selu", "SELU"), latex=("SELU", "selu"),
        numpy=f"{SELU_SCALE} * np.where({{x}} > 0, {{x}}, {SELU_ALPHA} * np.expm1(np.minimum({{x}}, 0)))",
        jax="jax.nn.selu({x})", kinks=("x",), analytic=False,
        torch=f"{SELU_SCALE} * torch.where({{x}} > 0, {{x}}, {SELU_ALPHA} * torch.expm1(torch.clamp({{x}}, max=0)))", source="Klambauer et al., NeurIPS 2017",
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
        "floor", ("x",), (partial("0"),), text=("floor",), latex=("floor",), numpy="np.floor({x})", jax="jnp.floor({x})",
        exact=floor, kinks=("sin(pi x)",), analytic=False, source="Iverson; Knuth, Two Notes on Notation, 1992",
    ),
    Operation(
        "ceil", ("x",), (partial("0"),), text=("ceil",), latex=("ceil",), numpy="np.ceil({x})", jax="jnp.ceil({x})",
        exact=ceil, kinks=("sin(pi x)",), analytic=False, definition="-floor(-x)",
        source="Iverson; Knuth, Two Notes on Notation, 1992",
    ),
    Operation(
        "round", ("x",), (partial("0"),), text=("round",), latex=("round",), numpy="np.round({x})", jax="jnp.round({x})",
        exact=round, kinks=("cos(pi x)",), analytic=False, source="IEEE 754: to the nearest, halves to even",
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
        "stop_gradient", ("x",), (FIXED,), text=("sg", "stopgrad", "stop_gradient", "stopgradient", "stop_grad"),
        latex=("sg", "stopgrad", "stop\\_gradient", "stopgradient", "stop\\_grad"), numpy="{x}",
        jax="jax.lax.stop_gradient({x})", torch="({x}).detach()", held=True, analytic=False,
        source="van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017, section 3.2",
    ),
    Operation(
        "where", ("c", "x", "y"), (FIXED, partial("c"), partial("1 - c")), text=("where",), latex=("where",),
        numpy="np.where({c}, {x}, {y})", jax="jnp.where({c}, {x}, {y})",
        sympy=lambda sp, c, x, y: sp.Piecewise((x, sp.Gt(c, 0)), (y, True)), rewrite=_where_rewrite,
        domain=("condition", "real", "real"), analytic=False,
        torch="torch.where({c} != 0, {x}, {y})", source="definition by cases",
    ),
)

# fmt: on

ENTRYWISE = EXPONENTIAL + TRIGONOMETRIC + SPECIAL + ACTIVATIONS + COMPARISONS
