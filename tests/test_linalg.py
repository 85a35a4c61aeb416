"""Linear algebra as it is written: determinants between bars, block matrices, matrices on a manifold."""

from __future__ import annotations

import pytest

import symgrad as sg

#: What is written, by what it is differentiated, the function as it was read, and the derivative.
DETERMINANTS = [
    (r"\log |K|", "K", "log(det(K))", "inv(K)ᵀ"),
    (r"\log |2\pi K|", "K", "log(det(2 π K))", "inv(K)ᵀ"),
    (r"\tfrac12 \log |K_y|", "K_y", "1/2 log(det(K_y))", "1/2 inv(K_y)ᵀ"),
    (r"K = s I + X X^\top; \log |K|", "X", "log(det(s I + X Xᵀ))", "2 inv(s I + X Xᵀ) X"),
    (
        r"-\frac12 y^\top K_y^{-1} y - \frac12 \log |K_y| - \frac n2 \log 2\pi",
        "K_y",
        "-1/2 yᵀ inv(K_y) y - 1/2 log(det(K_y)) - 1/2 n log(2 π)",
        "1/2 inv(K_y)ᵀ y yᵀ inv(K_y)ᵀ - 1/2 inv(K_y)ᵀ",
    ),
    (
        r"K_y = K + \sigma^2 I; -\tfrac12 y^\top K_y^{-1} y - \tfrac12 \log |K_y|",
        "y",
        "-1/2 yᵀ inv(K + σ² I) y - 1/2 log(det(K + σ² I))",
        "-1/2 (inv(K + σ² I) + inv(K + σ² I)ᵀ) y",
    ),
    (r"\sum_{k=1}^C \log |\Sigma_k|", "Sigma", "sum(log(det(Σ)))", "[inv(Σ)_{i,k,j}]_{i,j,k}"),
    (r"-\log s_y", "s", "-log(s_y)", "-onehot(y)/s_y"),
]


@pytest.mark.parametrize(("source", "wrt", "read", "derivative"), DETERMINANTS)
def test_bars_around_a_matrix(source: str, wrt: str, read: str, derivative: str) -> None:
    """A capital letter with a label below is a name where only a matrix can stand; s_y of a label is an entry."""
    found = sg.derive(source, wrt=wrt)
    assert (found.function.text, found.result.text) == (read, derivative)
