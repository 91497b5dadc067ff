"""
The versions that C{make test-lowest} installs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.lowest import constraints

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

EXAMPLE = """
[project]
dependencies = ["one>=1.2", "two[tls]>=25.5"]

[project.optional-dependencies]
irc = ["three==3"]
postgresql = []
metrics = []
bench = ["four>=4,<5"]
test = [{test}]
"""


def test_lowest() -> None:
    """
    Of each requirement the lowest version is taken, without its extras.
    """
    lines = constraints(EXAMPLE.format(test=""))
    assert lines == ["one==1.2", "two==25.5", "three==3", "four==4"]


def test_noLowest() -> None:
    """
    A requirement without a lowest version is an error that names it.
    """
    with pytest.raises(ValueError, match="five has no lowest version"):
        constraints(EXAMPLE.format(test='"five"'))


def test_project() -> None:
    """
    All requirements of the project have a lowest version.
    """
    lines = constraints(PROJECT.read_text(encoding="utf-8"))
    assert {line.partition("==")[0] for line in lines} >= {"twisted", "treq", "pytest"}
