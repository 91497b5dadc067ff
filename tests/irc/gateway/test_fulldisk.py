"""
A gateway whose disk is full.
"""

from __future__ import annotations

import pytest
from twisted.logger import capturedLogs, formatEvent

from tests.irc.memorygateway import MemoryGateway
from txwebqq.model import Number


def fill(gateway: MemoryGateway, isFull: bool) -> None:
    """
    Limit the database to its present size, or remove the limit.
    """
    db = gateway.database.connection
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages if isFull else 1_000_000}")


@pytest.fixture
def gateway() -> MemoryGateway:
    gateway = MemoryGateway()
    for person in (gateway.alice, gateway.ming):
        gateway.signOn(person)
    # What follows does not fit into the pages that the database has.
    history = gateway.aliceUser.conversations
    while gateway.database.count("PRAGMA freelist_count"):
        history.notify("x" * 1000)
    return gateway


LONG = "x" * 4000


def waiting(gateway: MemoryGateway) -> int:
    """
    The number of messages that the server keeps for Alice.
    """
    number: Number = gateway.alice.number
    gateway.web.settle(1)
    store = gateway.web.state.store
    messages = store.messages
    return len(messages.unacknowledged(number)) + len(messages.waiting(number, 0, 99))


def test_shown(gateway: MemoryGateway) -> None:
    """
    A message that cannot be stored is shown with one notice, and the server
    keeps it and what follows; when there is room, all of it is stored once, in
    order, and shown once.
    """
    client = gateway.client()
    fill(gateway, isFull=True)
    client.transport.clear()
    with capturedLogs() as events:
        gateway.ming.tell(gateway.alice, "one " + LONG)
        gateway.web.settle(1)
        gateway.ming.tell(gateway.alice, "two " + LONG)
        gateway.web.settle(40)
    seen = client.seen
    assert seen.count(":one x") == 1
    assert "two" not in seen
    assert seen.count("Messages cannot be stored now (database or disk is full)") == 1
    lines = [formatEvent(e) for e in events if "Storing" in formatEvent(e)]
    (line,) = lines
    assert "(user alice): database or disk is full; it is shown, and" in line
    assert waiting(gateway) == 2
    client.transport.clear()
    fill(gateway, isFull=False)
    gateway.aliceUser.conversations.storeAgain()
    gateway.web.settle(3)
    assert "Messages are stored again" in client.seen
    assert ":one" not in client.seen
    assert client.seen.count(":two x") == 1
    assert waiting(gateway) == 0
    client.close()
    assert " PRIVMSG " not in gateway.client().seen


def test_signOn(gateway: MemoryGateway) -> None:
    """
    A client signs on, speaks and sets its preferences meanwhile, and sees what
    could not be stored when it is.
    """
    fill(gateway, isFull=True)
    gateway.ming.tell(gateway.alice, "one " + LONG)
    gateway.web.settle(3)
    client = gateway.client()
    assert " 001 " in client.seen
    assert "is now on" in client.send("PRIVMSG *qq :set formatting on")
    client.send("PRIVMSG 小明 :hello " + "y" * 300)
    assert gateway.ming.heard[-1].startswith("hello y")
    client.send("PART #猫咪", "JOIN #猫咪")
    client.transport.clear()
    fill(gateway, isFull=False)
    gateway.aliceUser.conversations.storeAgain()
    assert client.seen.count(":one x") == 1
    assert "hello" not in client.seen
