"""Code: NumPy and JAX source for expressions, and callables of named arrays."""

from symgrad.code.compile import Compiled, compile_nodes, emit

__all__ = ["Compiled", "compile_nodes", "emit"]
