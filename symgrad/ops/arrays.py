"""Functions of a whole axis or matrix: softmax, log-sum-exp, maximum, one-hot labels, inverse, determinant.

They act on the trailing axes of their arguments; leading axes are a batch.
"""

from __future__ import annotations

from symgrad.ops.operation import FIXED, Operation, adjoint, differential

COOKBOOK = "Petersen and Pedersen, The Matrix Cookbook, 2012"

# fmt: off
AXIS = (
    Operation(
        "softmax", ("x",), (differential("s = softmax(x); s .* dx - s (s^T dx)"),), "n -> n",
        definition="exp(x) / sum(exp(x))", text=("softmax",), latex=("softmax",), numpy="softmax({x})", helper="softmax",
        jax="jax.nn.softmax({x})", source="Bridle, 1990; CS231n, Linear classification",
    ),
    Operation(
        "log_softmax", ("x",), (differential("dx - softmax(x)^T dx"),), "n -> n", definition="x - log(sum(exp(x)))",
        text=("log_softmax",), latex=("logsoftmax",), numpy="log_softmax({x})", helper="log_softmax",
        jax="jax.nn.log_softmax({x})", source="Goodfellow, Bengio and Courville, Deep Learning, 6.2.2.3",
    ),
    Operation(
        "logsumexp", ("x",), (differential("softmax(x)^T dx"),), "n ->", definition="log(sum(exp(x)))",
        text=("logsumexp", "lse"), latex=("logsumexp", "LSE"), numpy="logsumexp({x})", helper="logsumexp",
        jax="jax.nn.logsumexp({x}, axis=-1)", source="Boyd and Vandenberghe, Convex Optimization, 3.1.5",
    ),
    Operation(
        "amax", ("x",), (differential("argmax(x)^T dx"),), "n ->", text=("max", "amax"), latex=("max",), command=True,
        numpy="np.max({x}, axis=-1)", jax="jnp.max({x}, axis=-1)", analytic=False,
        source="Boyd and Vandenberghe, Convex Optimization, 3.2.3: a subgradient is any convex combination at a tie",
    ),
    Operation(
        "argmax", ("x",), (FIXED,), "n -> n", text=("argmax",), latex=("argmax",), numpy="argmax({x})", helper="argmax",
        jax="jax.nn.one_hot(jnp.argmax({x}, axis=-1), {x}.shape[-1], dtype={x}.dtype)", analytic=False,
        source="the one-hot vector of the (first) largest entry",
    ),
    Operation(
        "onehot", ("y",), (FIXED,), "-> C", params=("C",), text=("onehot", "one_hot"), latex=("onehot",),
        domain=("label",), numpy="onehot({y}, {C})", helper="onehot", jax="jax.nn.one_hot({y}, {C}, dtype=float)",
        analytic=False, source="e_y, the y-th unit vector; labels count from 0 in code",
    ),
)

ALGEBRA = (
    Operation(
        "inverse", ("X",), (differential("-inv(X) dX inv(X)"),), "n n -> n n", text=("inv",), latex=("inv",),
        numpy="np.linalg.inv({X})", jax="jnp.linalg.inv({X})", domain=("invertible",), source=COOKBOOK + ", eq. 59",
    ),
    Operation(
        "det", ("X",), (differential("det(X) tr(inv(X) dX)"),), "n n ->", text=("det",), latex=("det",), command=True,
        numpy="np.linalg.det({X})", jax="jnp.linalg.det({X})", domain=("invertible",), source=COOKBOOK + ", eq. 46",
    ),
    Operation(
        "logdet", ("X",), (differential("tr(inv(X) dX)"),), "n n ->", text=("logdet",), latex=("logdet",),
        numpy="np.linalg.slogdet({X})[1]", jax="jnp.linalg.slogdet({X})[1]", domain=("invertible",), analytic=False,
        definition="log(abs(det(X)))", source=COOKBOOK + ", eq. 57: the logarithm of |det X|",
    ),
)

PATTERNS = (
    Operation(
        "tril", ("X",), (adjoint("tril(g)"),), "n n -> n n", text=("tril",), latex=("tril",), numpy="np.tril({X})",
        jax="jnp.tril({X})", source="Golub and Van Loan, Matrix Computations: the lower triangle, zero above the diagonal",
    ),
    Operation(
        "diagsum", ("X",), (adjoint("diagsum(g)"),), "n n -> n n", text=("diagsum",), latex=("diagsum",),
        numpy="diagsum({X})", helper="diagsum", source=COOKBOOK + ", eq. 143: the sum of each diagonal, all along it",
        jax="jnp.stack([jnp.trace({X}, d, -2, -1) for d in range(1 - {X}.shape[-1], {X}.shape[-1])], -1)"
            "[..., jnp.arange({X}.shape[-1]) - jnp.arange({X}.shape[-1])[:, None] + {X}.shape[-1] - 1]",
    ),
)

CONSTANTS = (
    Operation(
        "pi", (), (), text=("pi",), latex=("pi",), command=True, numpy="np.pi", jax="jnp.pi",
        sympy=lambda sp: sp.pi, source="the ratio of a circle's circumference to its diameter",
    ),
)

# fmt: on

ARRAYS = AXIS + ALGEBRA + PATTERNS + CONSTANTS
