"""Functions of a whole axis or matrix: softmax, log-sum-exp, maximum, one-hot labels, inverse, determinant.

They act on the trailing axes of their arguments; leading axes are a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symgrad.errors import DomainError, LimitError
from symgrad.expr import Call, Contraction, Delta, Node, add, call, constant, contract, delta, number
from symgrad.ops.entrywise import EXPONENTIAL
from symgrad.ops.operation import FIXED, UNKNOWN, Operation, adjoint, differential

COOKBOOK = "Petersen and Pedersen, The Matrix Cookbook, 2012"

MAX_POWER = 100


def _multiple_of_identity(node: Node) -> Node | None:
    """c where `node` is c times the identity, else None."""
    if isinstance(node, Delta):
        return number(1)
    if not isinstance(node, Contraction) or node.summed:
        return None
    rest = [factor for factor in node.factors if not isinstance(factor[0], Delta)]
    if len(rest) == len(node.factors) or any(labels for _, labels, _ in rest):
        return None
    return contract(rest, (), node.coefficient)


def _power_rewrite(X: Node, k: Node) -> Node | None:
    """A number of copies that is written out is a product."""
    exponent = constant(k)
    if exponent is None or k.shape or X.rank != 2:
        return None
    if not isinstance(exponent, int):
        raise DomainError(f"the power of a matrix is a whole number, not {exponent}")
    if abs(exponent) > MAX_POWER:
        raise LimitError("this power of a matrix is too large", code="LIMIT_NUMBER")
    if exponent == 0:
        return delta(X.shape[0])
    base = X if exponent > 0 else call(INVERSE, [X])
    count = abs(exponent)
    return contract([(base, (j, j + 1)) for j in range(count)], (0, count))


def _det_rewrite(X: Node) -> Node | None:
    """det(X^k) = det(X)^k."""
    if isinstance(X, Call) and X.op.name == "matrix_power":
        return call(POWER, [call(DET, [X.args[0]]), X.args[1]])
    return None


def _power_change_rewrite(X: Node, k: Node, E: Node) -> Node | None:
    """Where E is c I, all terms of the sum are equal: c k X^(k - 1)."""
    scalar = _multiple_of_identity(E) if X.rank == 2 else None
    if scalar is None:
        return None
    below = call(MATRIX_POWER, [X, add([(1, k), (-1, number(1))])])
    return contract([(scalar, ()), (k, ()), (below, (0, 1))], (0, 1))


def _ray(node: Node) -> tuple[Node, Node]:
    """A matrix as (scalar, matrix), all that is scalar in the first."""
    if not isinstance(node, Contraction) or node.summed:
        return number(1), node
    scalars = [factor for factor in node.factors if not factor[1]]
    rest = [factor for factor in node.factors if factor[1]]
    if not rest:
        return number(1), node
    labels = (0, 1)
    return contract(scalars, (), node.coefficient), contract(rest, labels, 1, dict(enumerate(node.shape)))


def _commuting(X: Node, E: Node) -> tuple[Node, Node] | None:
    """(c, M) where E is c M, and M the identity or the matrix that X is a multiple of: E then commutes with X."""
    if X.rank != 2 or E.rank != 2:
        return None
    scalar = _multiple_of_identity(E)
    if scalar is not None:
        return scalar, delta(X.shape[0])
    scalar, matrix = _ray(E)
    return (scalar, matrix) if matrix is _ray(X)[1] else None


def _change_rewrite(sign: int, slope: str) -> Callable[[Node, Node], Node | None]:
    """Where E commutes with X, the change of f(X) along E is f'(X) E; f' is `sign` times the operation `slope`."""

    def rewrite(X: Node, E: Node) -> Node | None:
        found = _commuting(X, E)
        if found is None:
            return None
        scalar, matrix = found
        derivative = call(next(op for op in ARRAYS if op.name == slope), [X])
        return contract([(scalar, ()), (matrix, (0, "k")), (derivative, ("k", 1))], (0, 1), sign)

    return rewrite


def _sylvester_rewrite(A: Node, B: Node, C: Node) -> Node | None:
    """A X + X A = c I has the solution c/2 A^{-1}."""
    scalar = _multiple_of_identity(C) if C.rank == 2 and A is B else None
    return None if scalar is None else contract([(scalar, ()), (call(INVERSE, [A]), (0, 1))], (0, 1), Fraction(1, 2))


def _matrix_function(
    name: str, slope: tuple[int, str], source: str, domain: str = "", modules: tuple[str, str] = ("", ""),
    torch: str = "", analytic: bool = False,
) -> tuple[Operation, Operation, Operation]:  # fmt: skip
    """A function f of a square matrix by its series, and its first and second Fréchet derivative, operations too.

    slope: f' as a sign and an operation; modules: where NumPy and JAX code find f, else helpers of its name; torch: its
    code there.
    """
    change = f"{name}_change"
    numpy, jax = (f"{module}.{name}({{X}})" if module else f"{name}({{X}})" for module in modules)
    function = Operation(
        name, ("X",), (differential(f"{change}(X, dX)"),), "n n -> n n", text=(name,), latex=(name,), turns=True,
        numpy=numpy, jax=jax, torch=torch, helper="" if all(modules) else name, domain=(domain,) if domain else (),
        analytic=analytic, source=source,
    )  # fmt: skip
    along = Operation(
        change, ("X", "E"), (differential(f"{name}_change2(X, E, dX)"), adjoint(f"{change}(X^T, g)")), "n n, n n -> n n", text=(change,),
        latex=(change.replace("_", ""),), numpy=change + "({X}, {E})", jax=change + "({X}, {E})", helper=change,
        domain=(domain, "real") if domain else (), rewrite=_change_rewrite(*slope), analytic=analytic,
        source="Higham, Functions of Matrices, 3: the Fréchet derivative, a block of f([[X, E], [0, X]])",
    )  # fmt: skip
    twice = f"{name}_change2"
    rules = (UNKNOWN, adjoint(f"{twice}(X^T, g, F^T)"), adjoint(f"{twice}(X^T, E^T, g)"))
    second = Operation(
        twice, ("X", "E", "F"), rules, "n n, n n, n n -> n n", text=(twice,), latex=(f"{name}secondchange",),
        numpy=twice + "({X}, {E}, {F})", jax=twice + "({X}, {E}, {F})", helper=twice,
        domain=(domain, "real", "real") if domain else (), analytic=analytic,
        source="Higham and Relton, SIAM J. Matrix Anal. Appl. 35, 2014: the second Fréchet derivative, a block of f of "
        "[[X, E, F, 0], [0, X, 0, F], [0, 0, X, E], [0, 0, 0, X]]",
    )  # fmt: skip
    return function, along, second


# fmt: off
AXIS = (
    Operation(
        "softmax", ("x",), (differential("s = softmax(x); s .* dx - s (s^T dx)"),), "n -> n",
        definition="exp(x) / sum(exp(x))", text=("softmax",), latex=("softmax", "Softmax", "SoftMax"),
        numpy="softmax({x})", helper="softmax",
        jax="jax.nn.softmax({x})",
        torch="torch.softmax({x}, dim=-1)", source="Bridle, 1990; CS231n, Linear classification",
    ),
    Operation(
        "log_softmax", ("x",), (differential("dx - softmax(x)^T dx"),), "n -> n", definition="x - log(sum(exp(x)))",
        text=("log_softmax",), latex=("logsoftmax",), numpy="log_softmax({x})", helper="log_softmax",
        jax="jax.nn.log_softmax({x})",
        torch="torch.log_softmax({x}, dim=-1)", source="Goodfellow, Bengio and Courville, Deep Learning, 6.2.2.3",
    ),
    Operation(
        "logsumexp", ("x",), (differential("softmax(x)^T dx"),), "n ->", definition="log(sum(exp(x)))",
        text=("logsumexp", "lse"), latex=("logsumexp", "LSE"), numpy="logsumexp({x})", helper="logsumexp",
        jax="jax.nn.logsumexp({x}, axis=-1)",
        torch="torch.logsumexp({x}, dim=-1)", source="Boyd and Vandenberghe, Convex Optimization, 3.1.5",
    ),
    Operation(
        "amax", ("x",), (differential("argmax(x)^T dx"),), "n ->", text=("max", "amax"), latex=("max",), command=True,
        numpy="np.max({x}, axis=-1)", jax="jnp.max({x}, axis=-1)", analytic=False,
        kinks=("amax(x) - amax(x + log(1 - argmax(x)))",),
        torch="torch.amax({x}, dim=-1)", source="Boyd and Vandenberghe, Convex Optimization, 3.2.3: a subgradient is any convex combination at a tie",
    ),
    Operation(
        "argmax", ("x",), (FIXED,), "n -> n", text=("argmax",), latex=("argmax",), numpy="argmax({x})", helper="argmax",
        jax="jax.nn.one_hot(jnp.argmax({x}, axis=-1), {x}.shape[-1], dtype={x}.dtype)", analytic=False,
        source="the one-hot vector of the (first) largest entry",
    ),
    Operation(
        "prod", ("x",), (differential("products_of_others(x)^T dx"),), "n ->", text=("prod",), latex=("prod",),
        numpy="{x}.prod(axis=-1)", jax="jnp.prod({x}, axis=-1)",
        source="Magnus and Neudecker, Matrix Differential Calculus, 1988, 8.3: each factor in turn",
    ),
    Operation(
        "products_of_others", ("x",),
        (differential("products_of_others(x) .* (ones ones^T (dx ./ x) - dx ./ x)"),), "n -> n",
        text=("products_of_others",), latex=("others",), numpy="products_of_others({x})", helper="products_of_others",
        jax="jnp.stack([jnp.prod(jnp.delete({x}, k, axis=-1), axis=-1) for k in range({x}.shape[-1])], axis=-1)",
        domain=("nonzero",), source="the product of all entries but one, for each entry",
    ),
    Operation(
        "onehot", ("y",), (FIXED,), "-> C", params=("C",), text=("onehot", "one_hot"), latex=("onehot",),
        domain=("label",), numpy="onehot({y}, {C})", helper="onehot", jax="jax.nn.one_hot({y}, {C}, dtype=float)",
        torch="onehot({y}, {C}).to(_like_)", analytic=False, source="e_y, the y-th unit vector; labels count from 0 in code",
    ),
    Operation(
        "counting", (), (), "-> n", params=("n",), text=("counting",), latex=("counting",),
        numpy="np.arange(1.0, {n} + 1)", torch="torch.arange(1, {n} + 1).to(_like_)", jax="jnp.arange(1.0, {n} + 1)",
        analytic=False, source="the numbers 1, ..., n: an index in the place of a number",
    ),
)

ALGEBRA = (
    Operation(
        "inverse", ("X",), (differential("-inv(X) dX inv(X)"),), "n n -> n n", text=("inv",), latex=("inv",),
        numpy="np.linalg.inv({X})", turns=True, jax="jnp.linalg.inv({X})", domain=("invertible",), source=COOKBOOK + ", eq. 59",
    ),
    Operation(
        "det", ("X",), (differential("det(X) tr(inv(X) dX)"),), "n n ->", text=("det",), latex=("det",), command=True,
        numpy="np.linalg.det({X})", turns=True, jax="jnp.linalg.det({X})",
        rewrite=_det_rewrite, domain=("invertible",), source=COOKBOOK + ", eq. 46",
    ),
    Operation(
        "logdet", ("X",), (differential("tr(inv(X) dX)"),), "n n ->", text=("logdet",), latex=("logdet",),
        numpy="np.linalg.slogdet({X})[1]", turns=True, jax="jnp.linalg.slogdet({X})[1]", domain=("invertible",), analytic=False,
        definition="log(abs(det(X)))", source=COOKBOOK + ", eq. 57: the logarithm of |det X|",
    ),
)

SPECTRUM = (
    Operation(
        "nucnorm", ("X",), (differential("tr(polar(X)^T dX)"),), "m n ->", text=("nucnorm",), latex=("nucnorm",),
        numpy="np.linalg.norm({X}, 'nuc', axis=(-2, -1))", jax="jnp.linalg.norm({X}, 'nuc', axis=(-2, -1))",
        turns=True, analytic=False,
        torch="torch.linalg.matrix_norm({X}, 'nuc')", source="Watson, Characterization of the subdifferential of some matrix norms, 1992: the sum of "
        "the singular values; of the subgradients U V^T + W the one with W = 0",
    ),
    Operation(
        "polar", ("X",), (UNKNOWN,), "m n -> m n", text=("polar",), latex=("polar",), numpy="polar({X})", helper="polar",
        jax="jnp.matmul(*jnp.linalg.svd({X}, full_matrices=False)[::2])", turns=True, analytic=False,
        source="Higham, Functions of Matrices, 8: U V^T of the thin singular value decomposition X = U S V^T",
    ),
    Operation(
        "eigmax", ("X",), (differential("v = maxeigvec(X); v^T dX v"),), "n n ->", text=("eigmax", "lambda_max", "lam_max"),
        latex=("eigmax",), numpy="eigmax({X})", helper="eigmax", jax="jnp.linalg.eigvalsh({X})[..., -1]", turns=True, analytic=False,
        source=COOKBOOK + ", eq. 67: the largest eigenvalue of a symmetric matrix; of others, of (X + X^T)/2",
    ),
    Operation(
        "eigmin", ("X",), (differential("v = mineigvec(X); v^T dX v"),), "n n ->", text=("eigmin", "lambda_min", "lam_min"),
        latex=("eigmin",), definition="-eigmax(-X)", numpy="eigmin({X})", helper="eigmin",
        jax="jnp.linalg.eigvalsh({X})[..., 0]", turns=True, analytic=False, source=COOKBOOK + ", eq. 67: the smallest eigenvalue",
    ),
    Operation(
        "maxeigvec", ("X",), (differential("pinv(eigmax(X) I - (X + X^T)/2) (dX + dX^T)/2 maxeigvec(X)"),), "n n -> n",
        text=("maxeigvec",), latex=("maxeigvec",), numpy="maxeigvec({X})", helper="maxeigvec",
        jax="(lambda V: V * jnp.sign(jnp.take_along_axis(V, jnp.argmax(jnp.abs(V), axis=-1, keepdims=True), axis=-1)))"
        "(jnp.linalg.eigh({X})[1][..., -1])", turns=True, analytic=False,
        source=COOKBOOK + ", eq. 68: the unit eigenvector of eigmax(X), its largest entry in size positive",
    ),
    Operation(
        "mineigvec", ("X",), (differential("pinv(eigmin(X) I - (X + X^T)/2) (dX + dX^T)/2 mineigvec(X)"),), "n n -> n",
        text=("mineigvec",), latex=("mineigvec",), definition="maxeigvec(-X)", numpy="maxeigvec(-{X})",
        helper="maxeigvec", jax="(lambda V: V * jnp.sign(jnp.take_along_axis(V, jnp.argmax(jnp.abs(V), axis=-1, "
        "keepdims=True), axis=-1)))(jnp.linalg.eigh({X})[1][..., 0])", turns=True, analytic=False,
        source=COOKBOOK + ", eq. 68: the unit eigenvector of eigmin(X), its largest entry in size positive",
    ),
    Operation(
        "pinv", ("X",), (differential(
            "P = pinv(X); (I - P X) dX^T P^T P + P P^T dX^T (I - X P) - P dX P"
        ),), "m n -> n m", text=("pinv",), latex=("pinv",), numpy="np.linalg.pinv({X}, 1e-10)", turns=True,
        jax="jnp.linalg.pinv({X}, 1e-10)", analytic=False,
        torch="torch.linalg.pinv({X}, rtol=1e-10)", source="Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973: while the rank stays the same",
    ),
)

POWERS = (
    Operation(
        "matrix_power", ("X", "k"), (differential("power_change(X, k, dX)"), UNKNOWN), "n n, -> n n",
        text=("matrix_power",), latex=("matrixpower",), numpy="np.linalg.matrix_power({X}, {k})", turns=True,
        jax="jnp.linalg.matrix_power({X}, {k})", domain=("real", "natural"), rewrite=_power_rewrite,
        source=COOKBOOK + ", eq. 91: the product of k copies of X, for a whole number k",
    ),
    Operation(
        "power_change", ("X", "k", "E"), (
            differential("power_change2(X, k, E, dX)"), UNKNOWN, adjoint("power_change(X^T, k, g)")
        ),
        "n n, , n n -> n n", text=("power_change",), latex=("powerchange",),
        numpy="power_change({X}, {k}, {E})", helper="power_change",
        jax="jnp.vectorize(lambda x, e: jax.jvp(lambda z: jnp.linalg.matrix_power(z, {k}), (x,), (e,))[1], "
        "signature='(n,n),(n,n)->(n,n)')({X}, {E})", domain=("real", "natural", "real"), rewrite=_power_change_rewrite,
        source=COOKBOOK + ", eq. 91: the sum of X^r E X^(k - 1 - r) over r from 0 to k - 1",
    ),
    Operation(
        "power_change2", ("X", "k", "E", "F"), (
            UNKNOWN, UNKNOWN, adjoint("power_change2(X^T, k, g, F^T)"), adjoint("power_change2(X^T, k, E^T, g)")
        ),
        "n n, , n n, n n -> n n", text=("power_change2",), latex=("powersecondchange",),
        numpy="power_change2({X}, {k}, {E}, {F})", jax="power_change2({X}, {k}, {E}, {F})", helper="power_change2",
        domain=("real", "natural", "real", "real"),
        source=COOKBOOK + ", eq. 91, applied twice: the sum of X^a E X^b F X^c + X^a F X^b E X^c over a + b + c = k - 2",
    ),
)

FUNCTIONS = (
    *_matrix_function(
        "expm", (1, "expm"), "Higham, Functions of Matrices, 10: the sum of X^k / k!",
        modules=("scipy.linalg", "jax.scipy.linalg"), torch="torch.linalg.matrix_exp({X})", analytic=True,
    ),
    *_matrix_function(
        "logm", (1, "inverse"),
        "Higham, Functions of Matrices, 11: the principal logarithm; X has no eigenvalue ≤ 0", "principal",
    ),
    *_matrix_function(
        "sinm", (1, "cosm"), "Higham, Functions of Matrices, 12: the sine of a matrix, by its series",
    ),
    *_matrix_function(
        "cosm", (-1, "sinm"),
        "Higham, Functions of Matrices, 12: the cosine of a matrix, by its series",
    ),
)

ROOTS = (
    Operation(
        "chol", ("A",), (differential(
            "L = chol(A); L halftril(inv(L) (dA + dA^T) / 2 inv(L)^T)"
        ),), "n n -> n n", text=("chol", "cholesky"), latex=("chol", "cholesky"), numpy="chol({A})", helper="chol",
        jax="jnp.linalg.cholesky({A})", domain=("definite",), analytic=False,
        source="Murray, Differentiation of the Cholesky decomposition, 2016: the lower triangular L with L L^T = A; where A "
        "is not symmetric, of (A + A^T)/2",
    ),
    Operation(
        "sqrtm", ("X",), (differential("S = sqrtm(X); sylvester(S, S, dX)"),), "n n -> n n", text=("sqrtm",),
        latex=("sqrtm",), numpy="sqrtm({X})", helper="sqrtm", turns=True,
        jax="sqrtm({X})", domain=("principal",),
        analytic=False, source="Higham, Functions of Matrices, 6: the principal square root; X has no eigenvalue ≤ 0",
    ),
    Operation(
        "sylvester", ("A", "B", "C"), (
            differential("X = sylvester(A, B, C); -sylvester(A, B, dA X)"),
            differential("X = sylvester(A, B, C); -sylvester(A, B, X dB)"),
            adjoint("sylvester(A^T, B^T, g)"),
        ), "m m, n n, m n -> m n", text=("sylvester",), latex=("sylvester",), numpy="sylvester({A}, {B}, {C})",
        helper="sylvester", jax="sylvester({A}, {B}, {C})",
        domain=("principal", "principal", "real"), rewrite=_sylvester_rewrite, analytic=False,
        source="Bartels and Stewart, Commun. ACM 15, 1972: the X with A X + X B = C",
    ),
)

PATTERNS = (
    Operation(
        "tril", ("X",), (adjoint("tril(g)"),), "n n -> n n", text=("tril",), latex=("tril",), numpy="np.tril({X})",
        jax="jnp.tril({X})", source="Golub and Van Loan, Matrix Computations: the lower triangle, zero above the diagonal",
    ),
    Operation(
        "halftril", ("X",), (adjoint("halftril(g)"),), "n n -> n n", definition="tril(X) - 1/2 X .* I", text=("halftril",),
        latex=("halftril",), numpy="(np.tril({X}) + np.tril({X}, -1)) / 2", jax="(jnp.tril({X}) + jnp.tril({X}, -1)) / 2",
        source="Murray, Differentiation of the Cholesky decomposition, 2016: Φ, the lower triangle with half its diagonal",
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

INVERSE, DET, _ = ALGEBRA
POWER = next(op for op in EXPONENTIAL if op.name == "power")
MATRIX_POWER = POWERS[0]
ARRAYS: tuple[Operation, ...] = AXIS + ALGEBRA + SPECTRUM + POWERS + FUNCTIONS + ROOTS + PATTERNS + CONSTANTS
