"""The public functions: read, derive, look, compile and check, from one source in text, LaTeX, SymPy or the catalog.

Contract: names, arguments and fields are those of the README, and stand in `symgrad/__init__.py`; an input error is an
`InputError` with its place, a request beyond the rules an `UnsupportedError`; nothing else escapes.  Nothing heavy is
imported before it is needed.
"""
