"""
The threat model names, in each line, tests that exist.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "docs/threat-model.md"

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def namesIn(module: str) -> frozenset[str]:
    """
    Return the names of the tests in a module, also of those in classes.
    """
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    return frozenset(name for name in found if name.startswith("test_"))


def threats() -> list[str]:
    """
    Return the lines of the tables, without their heads.
    """
    lines = MODEL.read_text(encoding="utf-8").splitlines()
    tables = [line for line in lines if line.startswith("|")]
    return [line for line in tables if not line.startswith(("| threat |", "|---"))]


@pytest.mark.parametrize("line", threats(), ids=lambda line: line.split("|")[1].strip())
def test_threat(line: str) -> None:
    """
    A threat has an answer, and tests that exist.
    """
    _, threat, answer, tests, _ = line.split("|")
    assert threat.strip()
    assert answer.strip()
    named = _TEST.findall(tests)
    assert named, "no test is named"
    assert _TEST.sub("", tests).strip(" ,") == "", "there is more than tests"
    for module, name in named:
        assert name in namesIn(module), f"{module} has no {name}"


def test_boundaries() -> None:
    """
    Each boundary has threats, and SECURITY.md leads to the model.
    """
    text = MODEL.read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    plain = {"Assets", "Limits"}
    for section in sections:
        title = section.partition("\n")[0]
        assert (title in plain) is ("| threat |" not in section), title
    assert len(sections) == len(plain) + 8
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "](docs/threat-model.md)" in policy
