"""
The parser tests shared by IRC implementations
(U{https://github.com/ircdocs/parser-tests}).
"""

from __future__ import annotations

from typing import Any

import pytest
from parser_tests import data

from txwebqq.irc.protocol.line import Line, parse, serialise

SPLIT: list[dict[str, Any]] = data.msg_split["tests"]
JOIN: list[dict[str, Any]] = data.msg_join["tests"]
USERHOST: list[dict[str, Any]] = data.userhost_split["tests"]


@pytest.mark.parametrize("case", SPLIT, ids=lambda case: case["input"])
def test_parse(case: dict[str, Any]) -> None:
    """
    A line is parsed as the shared tests expect.
    """
    atoms = case["atoms"]
    line = parse(case["input"].encode())
    assert line.command == atoms["verb"].upper()
    assert list(line.params) == atoms.get("params", [])
    assert line.source == atoms.get("source", "")
    assert dict(line.tags) == {k: v or "" for k, v in atoms.get("tags", {}).items()}


@pytest.mark.parametrize("case", JOIN, ids=lambda case: case["desc"])
def test_serialise(case: dict[str, Any]) -> None:
    """
    A line is serialised in one of the accepted forms.
    """
    atoms = case["atoms"]
    line = Line(
        atoms["verb"].upper(),
        tuple(atoms.get("params", ())),
        atoms.get("source", ""),
        {k: v or "" for k, v in atoms.get("tags", {}).items()},
    )
    serialised = serialise(line).decode().removesuffix("\r\n")
    matches = {match.replace(atoms["verb"], line.command) for match in case["matches"]}
    assert serialised in matches


@pytest.mark.parametrize("case", USERHOST, ids=lambda case: case["source"])
def test_nick(case: dict[str, Any]) -> None:
    """
    The nick of a source is its first part.
    """
    assert Line("PING", (), case["source"]).nick == case["atoms"].get("nick", "")
