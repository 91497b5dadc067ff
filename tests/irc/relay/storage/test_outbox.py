"""
The outbox.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.irc.relay.storage.outbox import (
    EnqueueResult,
    MessageKind,
    Outbox,
    OutboxMessage,
)
from txwebqq.sqlite.database import MEMORY, Database

OLDER = """
CREATE TABLE piece (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    origin TEXT NOT NULL,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    ready INTEGER NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX piece_by_lane ON piece (lane, serial);
CREATE TABLE known (
    lane TEXT NOT NULL,
    origin TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (lane, origin)
) WITHOUT ROWID;
CREATE INDEX known_by_time ON known (time);
CREATE TABLE lost (lane TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE link (
    name TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX link_by_time ON link (time);
CREATE TABLE link_key (value BLOB NOT NULL);
INSERT INTO piece (lane, origin, time, kind, author, text, ready, begun) VALUES
    ('a', 'qq 1', 1000, 0, '', 'hello', 0, 0),
    ('b', 'irc 2', 2000, 1, 'bob', 'waves', 1, 2500),
    ('a', 'qq 3', 3000, 0, 'Ming', 'good morning', 0, 0);
INSERT INTO known SELECT lane, origin, time FROM piece;
INSERT INTO lost VALUES ('b', 4);
PRAGMA user_version = 1;
PRAGMA application_id = 1903260279;
"""
"""A database of the first version that had an outbox."""


def message(
    origin: str, queue: str = "a", time: int = 0, isReady: bool = True
) -> OutboxMessage:
    return OutboxMessage(
        queue, origin, time, "bob", f"text of {origin}", isReady=isReady
    )


def enqueue(outbox: Outbox, *origins: str, limit: int = 100) -> list[EnqueueResult]:
    return [
        outbox.enqueue(message(o), limit, OverflowPolicy.REFUSE_NEW) for o in origins
    ]


@pytest.fixture
def outbox() -> Outbox:
    """
    An empty outbox.
    """
    return Outbox(Database(MEMORY, RELAY_SCHEMA))


def drain(outbox: Outbox, queue: str = "a") -> list[str]:
    """
    Deliver all messages of a queue, and list their origins.
    """
    said = []
    while (first := outbox.first(queue)) is not None:
        said.append(first.origin)
        outbox.acknowledge(first, "")
    return said


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20))))
def test_order(taken: list[tuple[str, int]]) -> None:
    """
    Each queue keeps its order, and takes no message twice.
    """
    outbox = Outbox(Database(MEMORY, RELAY_SCHEMA))
    for queue, origin in taken:
        outbox.enqueue(message(str(origin), queue), 100, OverflowPolicy.REFUSE_NEW)
    for queue in "ab":
        ours = [str(origin) for where, origin in taken if where == queue]
        assert drain(outbox, queue) == list(dict.fromkeys(ours))


def test_known(outbox: Outbox) -> None:
    """
    A delivered message is not taken again until its origin is forgotten; the
    origin of a queued message is not forgotten.
    """
    assert enqueue(outbox, "x", "x") == [EnqueueResult.ADDED, EnqueueResult.KNOWN]
    outbox.forget(1)
    assert enqueue(outbox, "x") == [EnqueueResult.KNOWN]
    drain(outbox)
    assert enqueue(outbox, "x") == [EnqueueResult.KNOWN]
    outbox.forget(1)
    assert enqueue(outbox, "x") == [EnqueueResult.ADDED]


def test_rest(outbox: Outbox) -> None:
    """
    The rest of a message comes before the next message.
    """
    enqueue(outbox, "x", "y")
    first = outbox.first("a")
    assert first is not None
    outbox.markSending(first, 5, "", False)
    outbox.acknowledge(first, "the rest")
    rest = outbox.first("a")
    assert rest is not None
    assert (rest.text, rest.begun, rest.serial) == ("the rest", 0, first.serial)


def test_restart(tmp_path: Path) -> None:
    """
    After a restart an incomplete message is ready, since it will not be
    completed; that its sending had begun is still known.
    """
    database = Database(tmp_path / "relay.sqlite", RELAY_SCHEMA)
    outbox = Outbox(database)
    outbox.enqueue(message("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    first = outbox.first("a")
    assert first is not None
    assert not first.isReady
    outbox.markSending(first, 5, "", False)
    database.close()
    database = Database(tmp_path / "relay.sqlite", RELAY_SCHEMA)
    first = Outbox(database).first("a")
    assert first is not None
    assert (first.isReady, first.begun, first.kind) == (True, 5, MessageKind.TEXT)
    database.close()


def test_olderVersion(tmp_path: Path) -> None:
    """
    In the database of an older version, which wrote each group message incomplete
    first, messages keep their order, are ready, and are known.
    """
    path = tmp_path / "relay.sqlite"
    path.touch(0o600)
    older = sqlite3.connect(path)
    older.executescript(OLDER)
    older.close()
    database = Database(path, RELAY_SCHEMA)
    outbox = Outbox(database)
    assert outbox.queues() == {"a": 2, "b": 1}
    first = outbox.first("a")
    assert first == OutboxMessage("a", "qq 1", 1000, "", "hello", serial=1)
    assert enqueue(outbox, "qq 1", "qq 3") == [EnqueueResult.KNOWN] * 2
    assert outbox.first("a") == first
    assert drain(outbox) == ["qq 1", "qq 3"]
    begun = outbox.first("b")
    assert begun is not None
    assert (begun.kind, begun.begun) == (MessageKind.ACTION, 2500)
    assert outbox.lost("b") == 4
    database.close()


def test_limits(outbox: Outbox) -> None:
    """
    A full queue drops the new message, or the oldest but one, and counts it.
    """
    result = enqueue(outbox, "x", "y", "z", limit=2)
    assert result == [EnqueueResult.ADDED, EnqueueResult.ADDED, EnqueueResult.REFUSED]
    assert (
        outbox.enqueue(message("w"), 2, OverflowPolicy.DROP_OLDEST)
        is EnqueueResult.REPLACED
    )
    assert outbox.lost("a") == 2
    assert drain(outbox) == ["x", "w"]
    outbox.clearLostCount("a")
    assert outbox.lost("a") == 0


def test_complete(outbox: Outbox) -> None:
    """
    An incomplete message is completed or withdrawn; not one that was ready,
    since part of it may have been sent.
    """
    outbox.enqueue(message("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    whole = OutboxMessage("a", "x", 0, "ming", "waves", MessageKind.ACTION)
    result = outbox.enqueue(whole, 100, OverflowPolicy.REFUSE_NEW)
    assert result is EnqueueResult.KNOWN
    first = outbox.first("a")
    assert first is not None
    assert (first.author, first.text, first.kind) == (
        "ming",
        "waves",
        MessageKind.ACTION,
    )
    outbox.withdraw("a", "x")
    assert outbox.queues() == {"a": 1}
    outbox.enqueue(message("y", "b", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    outbox.withdraw("b", "y")
    assert outbox.queues() == {"a": 1}


def test_smallerLimit(outbox: Outbox) -> None:
    """
    A queue that is longer than a reduced limit is shortened to it.
    """
    enqueue(outbox, *"uvwxy")
    assert (
        outbox.enqueue(message("z"), 2, OverflowPolicy.DROP_OLDEST)
        is EnqueueResult.REPLACED
    )
    assert drain(outbox) == ["u", "z"]
    assert outbox.lost("a") == 4
