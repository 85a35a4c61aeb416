"""Functions beyond the elementary ones: both notations read as one node, which has the value and gradient JAX says.

A case is (text, LaTeX, shapes, assumptions, the function in JAX); its first variable is differentiated by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy import special
from jax.scipy.stats import norm

import symgrad as sg
from symgrad.verify.points import STRUCTURES
from symgrad.verify.witnesses import double_precision

SIZES = {"m": 4, "n": 3, "p": 2, "q": 2}
Shapes = dict[str, tuple[str, ...]]
S, V, M, A = (), ("n",), ("m", "n"), ("n", "n")


def series(X: Any, turn: complex = 1) -> Any:
    """Σ (turn X)^k / k!: quick to compile, and enough of it for small matrices."""
    total = term = jnp.eye(len(X), dtype=jnp.asarray(turn * X).dtype)
    for k in range(1, 45):
        term = term @ X * turn / k
        total += term
    return total


def expm(X: Any) -> Any:
    return series(X)


def logm(X: Any) -> Any:
    """The integral of (X - I) (I + t (X - I))⁻¹ over t from 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    rest = X - jnp.eye(len(X))
    inner = jnp.linalg.inv(jnp.eye(len(X)) + (nodes[:, None, None] + 1) / 2 * rest)
    return rest @ jnp.einsum("k,kij->ij", weights / 2, inner)


def sqrtm(X: Any) -> Any:
    """Newton's iteration, whose limit is the principal root."""
    root = jnp.eye(len(X))
    for _ in range(10):
        root = (root + jnp.linalg.solve(root, X)) / 2
    return root


class Case(NamedTuple):
    text: str
    latex: str
    shapes: Shapes
    function: Callable[..., Any]
    assume: dict[str, str] = {}  # noqa: RUF012 - never changed
    domain: tuple[float, float] = (-2.0, 2.0)


CASES = [
    Case("erf(x)", r"\operatorname{erf}(x)", {"x": S}, special.erf),
    Case("sum(erfc(x))", r"\sum_i \operatorname{erfc}(x_i)", {"x": V}, lambda x: jnp.sum(special.erfc(x))),
    Case("sum(log(Phi(x)))", r"\sum_i \log\Phi(x_i)", {"x": V}, lambda x: jnp.sum(norm.logcdf(x))),
    Case("phi(x)", r"\phi(x)", {"x": S}, norm.pdf),
    Case("gammaln(x)", r"\ln\Gamma\left(x\right)", {"x": S}, special.gammaln, domain=(0.5, 3)),
    Case("Gamma(x)", r"\Gamma(x)", {"x": S}, special.gamma, domain=(0.5, 3)),
    Case("sum(digamma(x))", r"\sum_i \psi(x_i)", {"x": V}, lambda x: jnp.sum(special.digamma(x)), domain=(0.5, 3)),
    Case("polygamma(2, x)", r"\operatorname{polygamma}(2, x)", {"x": S}, lambda x: special.polygamma(2, x), domain=(1, 3)),
    Case("x/2 (1 + erf(x/sqrt(2)))", r"\frac{x}{2}\left(1+\operatorname{erf}\left(\frac{x}{\sqrt2}\right)\right)",
         {"x": S}, lambda x: jax.nn.gelu(x, approximate=False)),
    Case("gelu(x)", r"\operatorname{GELU}(x)", {"x": V}, lambda x: jax.nn.gelu(x, approximate=False)),
    Case("logsigmoid(x)", r"\operatorname{LogSigmoid}(x)", {"x": V}, jax.nn.log_sigmoid),
    Case("softplus(x)", r"\zeta(x)", {"x": S}, jax.nn.softplus),
    Case("silu(x)", r"\operatorname{swish}(x)", {"x": V}, jax.nn.silu),
    Case("sec(x)", r"\sec x", {"x": S}, lambda x: 1 / jnp.cos(x), domain=(-1, 1)),
    Case("asinh(x)", r"\operatorname{arsinh}(x)", {"x": S}, jnp.arcsinh),
    Case("np.arccos(x)", r"\arccos(x)", {"x": S}, jnp.arccos, domain=(-0.9, 0.9)),
    Case("log1p(exp(x))", r"\ln(1+e^x)", {"x": S}, jax.nn.softplus),
    Case("nucnorm(X)", r"\|X\|_*", {"X": M}, lambda X: jnp.sum(jnp.linalg.svd(X, compute_uv=False))),
    Case("norm(X, 2)", r"\|X\|_{\mathrm{op}}", {"X": M}, lambda X: jnp.linalg.svd(X, compute_uv=False)[0]),
    Case("specnorm(X)", r"\sigma_{\max}(X)", {"X": M}, lambda X: jnp.linalg.svd(X, compute_uv=False)[0]),
    Case("np.linalg.norm(X, 1)", r"\max_j \sum_i |X_{ij}|", {"X": M}, lambda X: jnp.max(jnp.sum(jnp.abs(X), 0))),
    Case("norm(X, inf)", r"\max_i \sum_j |X_{ij}|", {"X": M}, lambda X: jnp.max(jnp.sum(jnp.abs(X), 1))),
    Case("||X||_max", r"\|X\|_{\max}", {"X": M}, lambda X: jnp.max(jnp.abs(X))),
    Case("norm(x, p)", r"\|x\|_p=\left(\sum_i|x_i|^p\right)^{1/p}", {"x": V, "p": S},
         lambda x, p: jnp.sum(jnp.abs(x) ** p) ** (1 / p), domain=(1, 3)),
    Case("norm(x, 3)", r"\|x\|_3", {"x": V}, lambda x: jnp.sum(jnp.abs(x) ** 3) ** (1 / 3)),
    Case("det(matrix_power(X, k))", r"\det(\mathbf{X}^{k})", {"X": A, "k": S}, lambda X, k: jnp.linalg.det(X) ** 3),
    Case("a @ matrix_power(X, k) @ b", r"a^{\top} X^{k} b", {"X": A, "a": V, "b": V, "k": S},
         lambda X, a, b, k: a @ X @ X @ X @ b),
    Case("tr(A @ matrix_power(X, k - 1))", r"\operatorname{tr}(A X^{k-1})", {"X": A, "A": A, "k": S},
         lambda X, A, k: jnp.trace(A @ X @ X)),
    Case("tr(X^{-k})", r"\operatorname{Tr}(\mathbf{X}^{-k})", {"X": A, "k": S},
         lambda X, k: jnp.trace(jnp.linalg.inv(X @ X @ X)), {"X": "invertible"}),
    Case("tr(expm(X))", r"\operatorname{tr}(e^{X})", {"X": A}, lambda X: jnp.trace(expm(X))),
    Case("a @ expm(X) @ b", r"a^{\top} e^{\mathbf{X}} b", {"X": A, "a": V, "b": V}, lambda X, a, b: a @ expm(X) @ b),
    Case("b @ np.linalg.cholesky(X) @ a", r"b^{\top} \operatorname{chol}(X)\, a", {"X": A, "a": V, "b": V},
         lambda X, a, b: b @ jnp.linalg.cholesky(X) @ a, {"X": "invertible"}),
    Case("chol(A + t B)", r"\operatorname{cholesky}(A + tB)", {"t": S, "A": A, "B": A},
         lambda t, A, B: jnp.linalg.cholesky(A + t * B), {"A": "positive_definite", "B": "positive_definite"}, (0.1, 1)),
    Case("b @ sqrtm(X) @ a", r"b^{\top} X^{1/2} a", {"X": A, "a": V, "b": V},
         lambda X, a, b: b @ sqrtm(X) @ a, {"X": "invertible"}),
    Case("||X^(-1/2) b||^2", r"\|\mathbf{X}^{-\frac12} b\|^2", {"X": A, "b": V},
         lambda X, b: jnp.sum(jnp.linalg.solve(sqrtm(X), b) ** 2), {"X": "invertible"}),
    Case("tr(X^(3/2) A)", r"\operatorname{tr}(X^{3/2} A)", {"X": A, "A": A},
         lambda X, A: jnp.trace(X @ sqrtm(X) @ A), {"X": "invertible"}),
    Case("tr(sqrtm(X))", r"\operatorname{tr} (X^{\frac{1}{2}})", {"X": A}, lambda X: jnp.trace(sqrtm(X)), {"X": "invertible"}),
    Case("tr(A sylvester(X, B, C))", r"\operatorname{tr}(A \operatorname{sylvester}(X, B, C))", {"X": A, "A": A, "B": A, "C": A},
         lambda X, A, B, C: jnp.trace(A @ jnp.linalg.solve(
             jnp.kron(X, jnp.eye(3)) + jnp.kron(jnp.eye(3), B.T), C.ravel()).reshape(3, 3)),
         {"X": "invertible", "B": "invertible"}),
    Case("b @ logm(X) @ a", r"b^{\top} \operatorname{logm}(X)\, a", {"X": A, "a": V, "b": V},
         lambda X, a, b: b @ logm(X) @ a, {"X": "invertible"}),
    Case("tr(logm(X))", r"\operatorname{tr} \operatorname{logm}(X)", {"X": A}, lambda X: jnp.trace(logm(X)),
         {"X": "invertible"}),
    Case("b @ sinm(X) @ a", r"b^{\top} \operatorname{sinm}(X)\, a", {"X": A, "a": V, "b": V},
         lambda X, a, b: b @ series(X, 1j).imag @ a),
    Case("b @ cosm(t X) @ a", r"b^{\top} \operatorname{cosm}(t X)\, a", {"t": S, "X": A, "a": V, "b": V},
         lambda t, X, a, b: b @ series(t * X, 1j).real @ a),
    Case("expm(t X)", r"e^{t X}", {"t": S, "X": A}, lambda t, X: expm(t * X)),
    Case("tr(A @ np.linalg.pinv(X))", r"\operatorname{tr}(A \operatorname{pinv}(X))", {"X": M, "A": M},
         lambda X, A: jnp.trace(A @ jnp.linalg.pinv(X))),
    Case("tr(adjugate(X))", r"\operatorname{tr}(\operatorname{adj}(X))", {"X": A},
         lambda X: jnp.linalg.det(X) * jnp.trace(jnp.linalg.inv(X)), {"X": "invertible"}),
    Case("b @ np.linalg.solve(X, b)", r"b^{\top} X^{-1} b", {"X": A, "b": V},
         lambda X, b: b @ jnp.linalg.solve(X, b), {"X": "invertible"}),
    Case("eigmax(X)", r"\lambda_{\max}(X)", {"X": A}, lambda X: jnp.linalg.eigvalsh(X)[-1]),
    Case("lambda_min(X)", r"\lambda_{\min}(\mathbf X)", {"X": A}, lambda X: jnp.linalg.eigvalsh(X)[0]),
    Case("eigmax(A + t*B)", r"\lambda_{\max}(\mathbf{A}+t\mathbf{B})", {"t": S, "A": A, "B": A},
         lambda t, A, B: jnp.linalg.eigvalsh(A + t * B)[-1], {"A": "symmetric", "B": "symmetric"}),
    Case("prod(eigvals(X))", r"\prod \operatorname{eig}(\mathbf{X})", {"X": A}, jnp.linalg.det),
    Case("sum(eigvals(X))", r"\sum \operatorname{eig}(\mathbf{X})", {"X": A}, jnp.trace),
    Case("sum(np.linalg.eigvals(X)**2)", r"\sum \operatorname{eig}(X)^2", {"X": A}, lambda X: jnp.trace(X @ X)),
    Case("x*log(lam) - lam - log(x!)", r"x\log\lambda-\lambda-\log x!", {"lam": S, "x": S},
         lambda lam, x: x * jnp.log(lam) - lam - special.gammaln(x + 1), domain=(0.5, 3)),
    Case("sum(norm.logcdf(y * (X @ w)))", r"\sum_i \log\Phi(y_i x_i^{\top} w)", {"w": V, "X": M, "y": ("m",)},
         lambda w, X, y: jnp.sum(norm.logcdf(y * (X @ w)))),
    Case("norm(x, p)**p", r"\|x\|_p^p", {"x": V, "p": S}, lambda x, p: jnp.sum(jnp.abs(x) ** p), domain=(1, 3)),
    Case("sum(eigvals(X)**3)", r"\sum_i \lambda_i(X)^3", {"X": A}, lambda X: jnp.trace(X @ X @ X)),
    Case("cond(X)", r"\frac{\sigma_{\max}(X)}{\sigma_{\min}(X)}", {"X": A},
         lambda X: jnp.linalg.cond(X), {"X": "invertible"}),
    Case("sum(x - floor(x))", r"\sum_i (x_i - \lfloor x_i\rfloor)", {"x": V}, lambda x: jnp.sum(x - jnp.floor(x))),
]  # fmt: skip


def point(case: Case) -> dict[str, Any]:
    """Random values of the variables: they keep the assumptions."""
    rng = np.random.default_rng(3)
    values: dict[str, Any] = {}
    for name, shape in case.shapes.items():
        values[name] = 3 if name == "k" else rng.uniform(*case.domain, size=tuple(SIZES[d] for d in shape))
        for word in case.assume.get(name, "").split("+"):
            values[name] = STRUCTURES[word](values[name]) if word in STRUCTURES else values[name]
    return values


def value(expression: Any, at: dict[str, Any]) -> Any:
    fn = sg.compile(expression)
    return fn(**{v.name: at[v.name] for v in fn.arguments}, **{d: SIZES[d] for d in fn.sizes})


def error(got: Any, want: Any) -> float:
    want = np.asarray(want)
    assert np.shape(got) == want.shape
    return float(np.max(np.abs(got - want)) / max(1.0, np.max(np.abs(want))))


@pytest.mark.parametrize("case", CASES, ids=[case.text for case in CASES])
@pytest.mark.parametrize("form", ["text", "latex"])
def test_read_and_differentiated(case: Case, form: str) -> None:
    at = point(case)
    wrt = next(iter(case.shapes))
    expression = sg.parse(getattr(case, form), shapes=case.shapes, assume=case.assume, syntax=form)
    result = sg.jacobian(expression, wrt)
    with double_precision():
        want = np.asarray(case.function(*(jnp.asarray(v) for v in at.values())))
        slope = np.asarray(jax.jacobian(case.function)(*(jnp.asarray(v) for v in at.values())))
    assert error(value(expression, at), want) < 1e-10
    assert error(value(result, at), slope) < 1e-8
    assert error(value(result, at) + 1e-3, slope) > 1e-5


@pytest.mark.parametrize("case", CASES, ids=[case.text for case in CASES])
def test_printed_form_is_read_again(case: Case) -> None:
    expression = sg.parse(case.text, shapes=case.shapes, assume=case.assume)
    for node in (expression, sg.jacobian(expression, next(iter(case.shapes)))):
        for form in (node.text, node.latex):
            again = sg.parse(form, shapes=case.shapes, assume=case.assume)
            assert again.node is node.node or again.text == node.text


@pytest.mark.parametrize(
    "source", ["Phi(X) w", r"\Gamma(a, b)", "polygamma(x, x)", "||x||_0", r"\|W\|_{2,1}", "||W||_1 + tr(W)"]
)
def test_refused(source: str) -> None:
    with pytest.raises(sg.SymgradError):
        sg.parse(source)


def test_a_letter_of_the_source_is_no_function() -> None:
    """φ(x) is a product where φ also stands alone, and a function of the source where that defines it."""
    assert sg.parse(r"\phi(x) + \phi").text == "φ x + φ"
    assert sg.parse("Phi(z) = z^2; Phi(x)").text == "x²"
    assert sg.parse("Phi(x)", shapes="Phi:, x:").text == "Φ x"
