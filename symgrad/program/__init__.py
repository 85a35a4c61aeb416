"""Programs: a NumPy function as an expression, or run in a process of its own.

Contract: `Program.of(source)` is a file and a name in it, or a callable; `traced` gives what it returns as expressions,
`runner` runs it at points.  A file runs only in a process with limits (`sandbox`), tracing included, which never holds
an expected answer; a callable is the caller's own code, and runs where it was made.
"""

from symgrad.program.sandbox import ProgramError
from symgrad.program.source import Program, is_program

__all__ = ["Program", "ProgramError", "is_program"]
