"""
The ids of relayed messages.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.irc.relay.storage import messageids
from txwebqq.irc.relay.storage.messageids import MessageIds, RelayedMessage
from txwebqq.sqlite.database import MEMORY, Database


def message(number: int, author: str = "bob") -> RelayedMessage:
    return RelayedMessage(f"irc|{number}", "irc", author, f"text {number}", False)


@pytest.fixture
def ids() -> MessageIds:
    """
    The ids in an empty database.
    """
    return MessageIds(Database(MEMORY, RELAY_SCHEMA))


def test_found(ids: MessageIds) -> None:
    """
    A message is found by each of its ids; the parts of a copy keep their order, and a
    target without ids has the message as well.
    """
    ids.record(message(1, author=""), "", 0)
    ids.record(message(1), "m1", 0)
    ids.recordSent("qq", "irc|1", ["9"])
    ids.recordSent("qq", "irc|1", ["8", "7"])
    ids.recordSent("other", "irc|1", [])
    ids.recordSent("other", "irc|1", [])
    ids.recordSent("qq", "irc|2", ["6"])
    assert ids.find("irc", "m1") == ids.find("qq", "7") == message(1)
    assert ids.find("irc", "9") is ids.find("qq", "6") is ids.get("irc|2") is None
    assert ids.idsIn("qq", "irc|1") == ["9", "8", "7"]
    assert ids.idsIn("other", "irc|1") == []
    assert ids.isIn("other", "irc|1")
    assert not ids.isIn("third", "irc|1")


def test_recalled(ids: MessageIds) -> None:
    """
    Of a recalled message, the text is forgotten for good.
    """
    ids.record(message(1), "m1", 0)
    ids.markRecalled("irc|1")
    ids.record(message(1), "m1", 0)
    found = ids.get("irc|1")
    assert found == RelayedMessage("irc|1", "irc", "bob", "", True)


def test_forgotten(ids: MessageIds, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Messages are forgotten after a time, and when there are too many.
    """
    monkeypatch.setattr(messageids, "MAX_MESSAGES", 3)
    for number in range(8):
        ids.record(message(number), f"m{number}", number)
    ids.forget(2)
    known = [number for number in range(8) if ids.find("irc", f"m{number}")]
    assert known == [5, 6, 7]
    assert ids.idsIn("irc", "irc|1") == []
    ids.forget(7)
    assert [number for number in range(8) if ids.get(f"irc|{number}")] == [7]
