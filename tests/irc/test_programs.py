"""
Tests that need a program say so, and never pass without it.
"""

from __future__ import annotations

import pytest

from tests.irc.programs import program


def test_there() -> None:
    """
    What is installed is found.
    """
    assert program("sh").endswith("/sh")


def test_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On somebody's machine a test is skipped, with the name of what is missing.
    """
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such is not installed"):
        program("no-such")


def test_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where nobody reads what was skipped, it fails.
    """
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such is not installed"):
        program("no-such")
