"""Identifiers of generated code: from any name a user may write to one that is safe in Python.

Contract: the result is an ASCII identifier, no keyword, no dunder, and clashes with nothing already taken: not with
another name, not with a module alias, a helper or a builtin that generated code uses.  The same requests in the same
order give the same identifiers.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

#: Words that generated code means something else by.
RESERVED = frozenset({"np", "jnp", "jax", "torch", "float", "int", "bool", "complex", "range", "len", "self", "print"})
#: How names that are no identifiers are spelt in code.
SPELT = {
    "lambda": "lam", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ϵ": "eps", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lam", "μ": "mu", "ν": "nu", "ξ": "xi",
    "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "ℓ": "ell", "∂": "d", "∇": "grad_",
}  # fmt: skip
LONGEST = 40


class Names:
    """The identifiers of one generated function."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken: set[str] = {*RESERVED, *taken}
        self.last: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """A free identifier like `name`; it is taken from now on."""
        base = identifier(name)
        if base in RESERVED:
            base += "_"
        if base not in self.taken:
            self.taken.add(base)
            return base
        return self._count(f"{base}_" if base[-1].isdigit() else base, 2)

    def numbered(self, stem: str) -> str:
        """The next free of stem1, stem2, ..."""
        return self._count(stem, 1)

    def _count(self, stem: str, first: int) -> str:
        k = self.last.get(stem, first - 1) + 1
        while f"{stem}{k}" in self.taken:
            k += 1
        self.last[stem] = k
        self.taken.add(f"{stem}{k}")
        return f"{stem}{k}"


def identifier(name: str) -> str:
    """An identifier like `name`, clashes not considered."""
    spelt = SPELT.get(name) or "".join(SPELT.get(c, c) for c in name[: 4 * LONGEST])
    word = re.sub(r"[^A-Za-z0-9]+", "_", spelt).strip("_")[:LONGEST].rstrip("_") or "v"
    if word[0].isdigit():
        word = "v" + word
    return word + "_" if keyword.iskeyword(word) or keyword.issoftkeyword(word) else word
