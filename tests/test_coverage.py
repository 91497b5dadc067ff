"""
The table of docs/coverage.md says what there is, and nothing is left out.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import treq

from tests.wire.rows import commands
from txwebqq.protocol import WebQQProtocol
from txwebqq.testing import BASE, MemoryWebQQ
from txwebqq.wire.events.envelope import CODECS

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
CODE = re.compile(r"`([^`]+)`")
# Endings for the paths in the table that are only a beginning.
SUCH_AS = {"/v2": "/10001/10002/1/0/0/1/f/1/0/0", "/": "?ver=2173&rkey=00"}
# Requests of the service, for which there is no method.
BY_ITSELF = {"sign-on", "poll", "heartbeat", "roster", "old clients"}


def tableAfter(heading: str) -> list[list[str]]:
    """
    The cells of the table under a heading.
    """
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1]
    lines = text.split("\n## ", 1)[0].splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


ENDPOINTS = tableAfter("Endpoints")
EVENTS = tableAfter("Events")


def test_complete() -> None:
    """
    Every exchange of the wire is in the table, and the table has no other.
    """
    listed = {path for row in ENDPOINTS for path in CODE.findall(row[1])}
    known = set()
    for command in commands():
        known |= {command.path, *command.aliases}
    assert known - listed == set(), "not in docs/coverage.md"
    assert listed - known == set(), "in docs/coverage.md alone"


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: str(row[1]))
def test_asked(row: list[str]) -> None:
    """
    Each method that the page names for a request exists.
    """
    names = CODE.findall(row[2])
    assert names or row[2] in BY_ITSELF, row[2]
    for name in names:
        assert callable(getattr(WebQQProtocol, name, None)), name


def test_answered() -> None:
    """
    Our server answers all these requests.
    """
    web = MemoryWebQQ()
    for command in commands():
        rest = SUCH_AS.get(command.path, "")
        for path in (command.path + rest, *command.aliases):
            asked = web.treq.request(command.method, BASE + path)
            # Bad news to a poll is held a while.
            web.settle(2)
            body = web.result(asked.addCallback(treq.content))
            assert b"no such path" not in body, path
    web.stop()


def test_events() -> None:
    """
    Each kind of event has a type and a callback, and none is left out.
    """
    *rows, unknown = EVENTS
    listed = {}
    for row in rows:
        [pollType], [typeName], [callback] = map(CODE.findall, row[1:])
        listed[typeName] = pollType
        assert callable(getattr(WebQQProtocol, callback, None)), callback
    assert listed == {kind.__name__: codec.pollType for kind, codec in CODECS.items()}
    assert unknown[2:] == ["`UnknownEvent`", "`unknownEventReceived`"]


def test_namesAlone() -> None:
    """
    No command of ours has a path that the page lists as missing.
    """
    rows = tableAfter("Names alone")
    missing = {path for row in rows for path in CODE.findall(row[1])}
    for command in commands():
        assert not missing & {command.path, *command.aliases}
