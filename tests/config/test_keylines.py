"""
The lines of keys in TOML files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from txwebqq.config.keylines import KeyPath, keyLines

ROOT = Path(__file__).parents[2]

HARD = r"""# a comment = 1
plain = 1
"quoted key" . 'literal' = 2 # another = 3
text = QQQ
not = a key
\QQQ nor = this QQQ
list = [ # of
  1, [2, "]"],
  {in = 1, "in line".table = 'a'},
]
ended = QQQ"two more"QQQ
[dotted.table]
literal = '''it's
key = 1'''
[[array]]
number = 1
[[array.inner]]
number = 11
[[array]]
number = 2
[array.table]
day = 1990-10-01 10:00:00
[[array.inner]]
number = 21
[[array.inner]]
number = 22
""".replace("QQQ", '"' * 3)


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """
    Iterate over all keys and positions of a file.
    """
    inner: Any = []
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        yield (*path, key)
        yield from paths(each, (*path, key))


def test_hard() -> None:
    """
    Keys are found in tables, arrays of tables and inline tables, dotted, quoted, and
    after strings and lists of several lines.
    """
    lines = keyLines(HARD)
    assert set(lines) == set(paths(tomllib.loads(HARD)))
    assert {path: lines[path] for path in lines if path[0] == "array"} == {
        ("array",): 15,
        ("array", 0): 15,
        ("array", 0, "number"): 16,
        ("array", 0, "inner"): 17,
        ("array", 0, "inner", 0): 17,
        ("array", 0, "inner", 0, "number"): 18,
        ("array", 1): 19,
        ("array", 1, "number"): 20,
        ("array", 1, "table"): 21,
        ("array", 1, "table", "day"): 22,
        ("array", 1, "inner"): 23,
        ("array", 1, "inner", 0): 23,
        ("array", 1, "inner", 0, "number"): 24,
        ("array", 1, "inner", 1): 25,
        ("array", 1, "inner", 1, "number"): 26,
    }
    assert lines["quoted key", "literal"] == 3
    assert lines["text",] == 4
    assert lines["list", 2, "in line", "table"] == 9
    assert lines["ended",] == 11
    assert lines["dotted", "table", "literal"] == 13


@pytest.mark.parametrize(
    "file", [ROOT / "pyproject.toml", *sorted(ROOT.glob("examples/*.toml"))], ids=str
)
def test_files(file: Path) -> None:
    """
    Each key of a file is found in a line that has its name.
    """
    text = file.read_text(encoding="utf-8")
    lines, rows = keyLines(text), text.splitlines()
    found = list(paths(tomllib.loads(text)))
    assert set(lines) == set(found)
    for path in found:
        assert isinstance(path[-1], int) or path[-1] in rows[lines[path] - 1]


@pytest.mark.parametrize("text", ["", "x", "[", "x = [", "= 1", '"', "x = {", "[[a]"])
def test_noTOML(text: str) -> None:
    """
    A text that is no TOML has fewer keys, and raises nothing.
    """
    assert len(keyLines(text)) <= 2


def test_deep() -> None:
    """
    A list that is too deep ends the search.
    """
    assert keyLines("a = 1\nb = " + "[" * 100_000)["a",] == 1
