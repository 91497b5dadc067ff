"""
Tests that need a program are skipped without it, or fail.
"""

from __future__ import annotations

import pytest

from tests.irc.programs import program


def test_found() -> None:
    """
    An installed program is found.
    """
    assert program("sh").endswith("/sh")


def test_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the program the test is skipped, with the program's name.
    """
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such is not installed"):
        program("no-such")


def test_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the program the test fails in continuous integration.
    """
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such is not installed"):
        program("no-such")
