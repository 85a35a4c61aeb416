"""Formulas in and out: text and LaTeX to trees (`parser`), to expressions (`reading`), and back (`render`)."""
