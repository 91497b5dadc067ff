"""
Errors in configuration files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from txwebqq.config.toml import ConfigTable
from txwebqq.config.tomlfile import Problem, TOMLFile
from txwebqq.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = 1\nb = yes", 2, "Invalid value (column 5); texts are in quotes"),
        ("a = 1\n\na = 2\n", 3, "Cannot overwrite a value"),
        ("a = [1,\n\n", 2, "Invalid value (at end of document); texts are"),
        ("a b = 1", 1, "Expected '=' after a key"),
        ('a = "C:\\qq"', 1, "Unescaped '\\' in a string"),
        ("a = " + "[" * 10_000, 0, "too many lists within each other"),
    ],
)
def test_syntax(text: str, line: int, words: str) -> None:
    """
    A file that is not TOML is refused with the line, the error and advice.
    """
    with pytest.raises(InvalidConfiguration) as caught:
        TOMLFile(Path("/tea.toml"), text)
    where = f"/tea.toml:{line}: " if line else "/tea.toml: "
    assert str(caught.value).startswith(f"{where}not TOML: ")
    assert words in str(caught.value)


def test_all() -> None:
    """
    All errors of a file are collected, with their lines and suggestions, and the
    reading goes on with defaults; the first one is raised.
    """
    file = TOMLFile(
        Path("/tea.toml"),
        'name = 5\ncups = "3"\nhot = "yes"\nsize = "smal"\nwith = "milk"\n'
        "colour = 1\n[[leaf]]\nkind = 1\n[[leaf]]\n[pot]\nlitre = 1\n",
    )
    tea = ConfigTable.of(file)
    assert tea.string("name") == ""
    assert tea.number("cups", 1, 9) == 1
    assert tea.boolean("hot", True) is True
    assert tea.choice("size", ("small", "large"), "large") == "large"
    assert tea.stringList("with", ("x",)) == ("x",)
    assert tea.passwordFile("secret") == ""
    assert tea.string("color", "red") == "red"
    assert tea.each("leaf", lambda leaf: leaf.string("kind")) == ("", "")
    pot = tea.table("pot")
    assert pot is not None
    pot.integer("litres", 1)
    assert pot.isSound()
    pot.close()
    assert not pot.isSound()
    assert tea.isSound("color")
    assert not tea.isSound("color", "name")
    tea.close()
    assert file.problems == [
        Problem(0, "secret is missing"),
        Problem(1, 'name is not a text; write name = "..."'),
        Problem(2, "cups is not a number from 1 to 9: '3'; write it without quotes"),
        Problem(3, "hot is neither true nor false; write it without quotes"),
        Problem(4, "size is none of small, large; did you mean small?"),
        Problem(5, 'with is not a list of texts; write with = ["milk"]'),
        Problem(6, "'colour' is not known here; did you mean color?"),
        Problem(8, 'leaf 1: kind is not a text; write kind = "..."'),
        Problem(9, "leaf 2: kind is missing"),
        Problem(11, "pot: 'litre' is not known here; did you mean litres?"),
    ]
    with pytest.raises(InvalidConfiguration) as caught:
        file.check()
    assert str(caught.value) == (
        "/tea.toml: secret is missing (and 9 more: webqq-admin check-config /tea.toml"
        " lists all)"
    )


def test_oneError() -> None:
    """
    An error that follows from another one of the same key is left out.
    """
    file = TOMLFile(Path("/tea.toml"), "name = 5")
    tea = ConfigTable.of(file)
    if not tea.string("name"):
        tea.refuse("name", "is too short")
    assert [str(each.shown(file.path)) for each in file.problems] == [
        '/tea.toml:1: name is not a text; write name = "..."'
    ]


def test_secret(tmp_path: Path) -> None:
    """
    A password that stands in the place of its file is not shown.
    """
    file = TOMLFile(tmp_path / "tea.toml", 'password-file = "correct horse"')
    ConfigTable.of(file).passwordFile("password-file")
    [problem] = file.problems
    assert "there is no such file" in problem.text
    assert "horse" not in problem.text
