"""Fixtures for pytest, found through its entry point: `assert_gradient` and `assert_derivation`.

Contract: nothing but pytest is imported before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def assert_gradient() -> Callable[..., None]:
    """`symgrad.assert_gradient`: an AssertionError with the report where a gradient is wrong.

    def test_my_gradient(assert_gradient):
        assert_gradient("||W x||^2", "2 W x x^T", wrt="W")
    """
    import symgrad

    return symgrad.assert_gradient


@pytest.fixture
def assert_derivation() -> Callable[..., None]:
    """An AssertionError with the feedback where a written derivation is not right; options of `check_derivation`."""
    import symgrad

    def verified(document: str, **options: Any) -> None:
        report = symgrad.check_derivation(document, **options)
        if not report:
            raise AssertionError(report.text)

    return verified
