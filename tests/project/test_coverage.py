"""
The tables of docs/coverage.md: they are what the code generates, and complete.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import treq

from tests.wire.rows import commands
from txwebqq.protocol import WebQQProtocol
from txwebqq.testing import BASE, MemoryWebQQ
from txwebqq.wire.events.envelope import CODECS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "coverage.md").read_text(encoding="utf-8")
GENERATOR: dict[str, Any] = runpy.run_path(str(DOCS / "coverage.py"))
ENDPOINTS: list[list[str]] = GENERATOR["endpoints"]()
EVENTS: list[list[str]] = GENERATOR["events"]()

CODE = re.compile(r"`([^`]+)`")
# The rest of paths that the server finds by their beginning.
SUCH_AS = {"/v2": "/10001/10002/1/0/0/1/f/1/0/0", "/": "?ver=2173&rkey=00"}


def test_generated() -> None:
    """
    The page is what the code generates; C{make docs} writes it.
    """
    assert GENERATOR["page"]() == PAGE


def test_complete() -> None:
    """
    Every path of the wire is in the table, and the table has no other.
    """
    listed = {path for row in ENDPOINTS for path in CODE.findall(row[1])}
    known = set()
    for command in commands():
        known |= {command.path, *command.aliases}
    assert listed == known


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: str(row[2]))
def test_asked(row: list[str]) -> None:
    """
    The methods exist that are said to send a command.
    """
    names = CODE.findall(row[4])
    assert names or row[4] in GENERATOR["BY_SERVICE"], row[4]
    for name in names:
        assert callable(getattr(WebQQProtocol, name, None)), name


def test_answered() -> None:
    """
    The server answers the requests of all paths.
    """
    web = MemoryWebQQ()
    for command in commands():
        rest = SUCH_AS.get(command.path, "")
        for path in (command.path + rest, *command.aliases):
            asked = web.treq.request(command.method, BASE + path)
            # The server delays its refusal of a poll.
            web.settle(2)
            body = web.result(asked.addCallback(treq.content))
            assert b"no such path" not in body, path
    web.stop()


def test_events() -> None:
    """
    Each kind of event has a type and a callback, and the table has all of them.
    """
    listed = {}
    for row in EVENTS:
        [pollType], [typeName], [callback] = map(CODE.findall, row)
        listed[typeName] = pollType
        assert callable(getattr(WebQQProtocol, callback, None)), callback
    assert listed == {kind.__name__: codec.pollType for kind, codec in CODECS.items()}


def test_namesAlone() -> None:
    """
    The paths that are said to be missing are missing.
    """
    table = PAGE.split("## Names alone\n", 1)[1]
    missing = set(re.findall(r"`(/[^`]+)`", table))
    assert missing
    for command in commands():
        assert not missing & {command.path, *command.aliases}
