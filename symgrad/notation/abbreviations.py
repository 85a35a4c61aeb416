"""Functions that are short for a formula of others: one line each, in symgrad's own language.

Contract: `ABBREVIATIONS[name]` is (other spellings, "parameters: formula").  A call is its formula, expanded where it
stands; nothing after reading knows the name.  What has a derivative worth its own name is an operation instead.
"""

from __future__ import annotations

ABBREVIATIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "cot": ((), "x: cos(x) ./ sin(x)"),
    "sec": ((), "x: 1 ./ cos(x)"),
    "csc": ((), "x: 1 ./ sin(x)"),
    "coth": ((), "x: 1 ./ tanh(x)"),
    "sech": ((), "x: 1 ./ cosh(x)"),
    "csch": ((), "x: 1 ./ sinh(x)"),
    "logit": ((), "x: log(x ./ (1 - x))"),
    "logsigmoid": (("log_sigmoid", "LogSigmoid"), "x: -softplus(-x)"),
    "silu": (("SiLU", "swish", "Swish"), "x: x .* sigmoid(x)"),
    "gelu": (("GELU",), "x: x .* normcdf(x)"),
    "mish": (("Mish",), "x: x .* tanh(softplus(x))"),
    "softsign": ((), "x: x ./ (1 + abs(x))"),
    "relu6": (("ReLU6",), "x: min(max(0, x), 6)"),
    "hardsigmoid": (("hard_sigmoid",), "x: min(max(0, x + 3), 6) / 6"),
    "hardswish": (("hard_swish", "hard_silu"), "x: x .* min(max(0, x + 3), 6) / 6"),
    "logaddexp": ((), "x, y: x + softplus(y - x)"),
    "hypot": ((), "x, y: sqrt(x .^ 2 + y .^ 2)"),
    "betaln": ((), "x, y: gammaln(x) + gammaln(y) - gammaln(x + y)"),
    "adj": (("adjugate", "adjoint"), "X: det(X) inv(X)"),
    "solve": ((), "A, b: inv(A) b"),
    "specnorm": (("sigma_max",), "X: sqrt(eigmax(X^T X))"),
    "cond": ((), "X: sqrt(eigmax(X^T X) / eigmin(X^T X))"),
    "sigma_min": ((), "X: sqrt(eigmin(X^T X))"),
}
