"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import symgrad

MODULES = ["symgrad", *(m.name for m in pkgutil.walk_packages(symgrad.__path__, "symgrad."))]
#: Modules that import what an extra installs.
EXTRAS = {"symgrad.code.helpers_torch": "torch"}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not say what it is for"
    assert doctest.testmod(module).failed == 0


def test_a_wrong_example_is_seen() -> None:
    parser = doctest.DocTestParser()
    wrong = parser.get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda _: None).failed == 1
