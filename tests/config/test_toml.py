"""
Tables of TOML files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from txwebqq.config.toml import ConfigTable, parseTOML, readTOML
from txwebqq.errors import InvalidConfiguration


def table(text: str) -> ConfigTable:
    """
    Return the table C{tea} with some keys.
    """
    return ConfigTable("tea", parseTOML(text))


def test_values() -> None:
    """
    Each key is read once, with its type, and a missing key has its default.
    """
    tea = table("name = 'Oolong'\ncups = 3\nhot = true\nwith = ['milk']")
    assert tea.string("name") == "Oolong"
    assert tea.number("cups", 1, 9) == 3
    assert tea.boolean("hot", False)
    assert tea.stringList("with", ()) == ("milk",)
    tea.close()
    assert not tea.has("name")
    assert tea.string("name", "Green") == "Green"
    assert tea.string("name", "") == ""
    assert tea.integer("cups", 0) == 0
    assert tea.choice("size", ("small", "large"), "small") == "small"
    assert tea.path("folder") is None
    assert tea.passwordFile("secret", "x") == "x"
    assert list(tea.tables("cup")) == []


@pytest.mark.parametrize(
    ("text", "read", "problem"),
    [
        ("", lambda tea: tea.string("name"), "tea: name is missing"),
        ("name = 1", lambda tea: tea.string("name"), "tea: name is not a text"),
        ("name = ''", lambda tea: tea.string("name"), "tea: name is empty"),
        ("cups = true", lambda tea: tea.integer("cups"), "tea: cups is not a number"),
        (
            "cups = 7",
            lambda tea: tea.number("cups", 1, 5),
            "tea: cups is not a number from 1 to 5: 7",
        ),
        (
            "hot = 1",
            lambda tea: tea.boolean("hot", True),
            "tea: hot is neither true nor false",
        ),
        (
            "size = 'x'",
            lambda tea: tea.choice("size", ("s", "l"), "s"),
            "tea: size is none of s, l",
        ),
        (
            "with = [1]",
            lambda tea: tea.stringList("with", ()),
            "tea: with has 1, which is not a text",
        ),
        (
            "cup = 1",
            lambda tea: list(tea.tables("cup")),
            "tea: cup is written [[tea.cup]]",
        ),
        ("cup = [1]", lambda tea: list(tea.tables("cup")), "tea.cup 1 is not a table"),
        ("colour = 1", lambda tea: tea.close(), "tea: 'colour' is not known here"),
    ],
)
def test_problems(
    text: str, read: Callable[[ConfigTable], object], problem: str
) -> None:
    """
    An error names the table, the key and the problem.
    """
    with pytest.raises(InvalidConfiguration) as caught:
        read(table(text))
    assert str(caught.value) == problem


def test_tables() -> None:
    """
    A table of an array is named by its position and, if wanted, a key.
    """
    cups = list(table("[[cup]]\nnumber = 5\n[[cup]]").tables("cup", "number"))
    assert [cup.name for cup in cups] == ["tea.cup 1 (number 5)", "tea.cup 2"]
    [inner] = ConfigTable("", parseTOML("[[cup]]")).tables("cup")
    assert str(inner.error("size", "is missing")) == "cup 1: size is missing"


def test_files(tmp_path: Path) -> None:
    """
    A file that cannot be read or parsed is refused with the reason.
    """
    path = tmp_path / "tea.toml"
    with pytest.raises(InvalidConfiguration, match="No such file"):
        readTOML(path)
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidConfiguration, match="not UTF-8"):
        readTOML(path)
    path.write_text("x = ")
    with pytest.raises(InvalidConfiguration, match="not TOML"):
        readTOML(path)
    path.write_text("x = 1")
    assert readTOML(path) == {"x": 1}
