"""
What waits for its place.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.outbox import EnqueueResult, MessageKind, Outbox, OutboxMessage
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.sqlite.database import MEMORY, Database


def piece(
    origin: str, queue: str = "a", time: int = 0, isReady: bool = True
) -> OutboxMessage:
    return OutboxMessage(
        queue, origin, time, "bob", f"words of {origin}", isReady=isReady
    )


def take(outbox: Outbox, *origins: str, limit: int = 100) -> list[EnqueueResult]:
    return [outbox.enqueue(piece(o), limit, OverflowPolicy.REFUSE_NEW) for o in origins]


@pytest.fixture
def outbox() -> Outbox:
    """
    An empty one.
    """
    return Outbox(Database(MEMORY, RELAY_SCHEMA))


def drain(outbox: Outbox, queue: str = "a") -> list[str]:
    """
    What is said in a lane until there is nothing left.
    """
    said = []
    while (first := outbox.first(queue)) is not None:
        said.append(first.origin)
        outbox.acknowledge(first, "")
    return said


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20))))
def test_order(taken: list[tuple[str, int]]) -> None:
    """
    Each lane keeps its order, and takes nothing twice.
    """
    outbox = Outbox(Database(MEMORY, RELAY_SCHEMA))
    for queue, origin in taken:
        outbox.enqueue(piece(str(origin), queue), 100, OverflowPolicy.REFUSE_NEW)
    for queue in "ab":
        ours = [str(origin) for where, origin in taken if where == queue]
        assert drain(outbox, queue) == list(dict.fromkeys(ours))


def test_known(outbox: Outbox) -> None:
    """
    What was said is not taken again, until it is forgotten; what waits is not
    forgotten.
    """
    assert take(outbox, "x", "x") == [EnqueueResult.ADDED, EnqueueResult.KNOWN]
    outbox.forget(1)
    assert take(outbox, "x") == [EnqueueResult.KNOWN]
    drain(outbox)
    assert take(outbox, "x") == [EnqueueResult.KNOWN]
    outbox.forget(1)
    assert take(outbox, "x") == [EnqueueResult.ADDED]


def test_rest(outbox: Outbox) -> None:
    """
    The rest of a piece comes before the next one.
    """
    take(outbox, "x", "y")
    first = outbox.first("a")
    assert first is not None
    outbox.markSending(first, 5)
    outbox.acknowledge(first, "the rest")
    rest = outbox.first("a")
    assert rest is not None
    assert (rest.text, rest.begun, rest.serial) == ("the rest", 0, first.serial)


def test_restart(tmp_path: Path) -> None:
    """
    After a restart nobody is there any more to complete what is not: it is
    said as it is. What was begun is still known to be.
    """
    database = Database(tmp_path / "relay.sqlite", RELAY_SCHEMA)
    outbox = Outbox(database)
    outbox.enqueue(piece("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    first = outbox.first("a")
    assert first is not None
    assert not first.isReady
    outbox.markSending(first, 5)
    database.close()
    again = Outbox(Database(tmp_path / "relay.sqlite", RELAY_SCHEMA))
    first = again.first("a")
    assert first is not None
    assert (first.isReady, first.begun, first.kind) == (True, 5, MessageKind.TEXT)


def test_limits(outbox: Outbox) -> None:
    """
    Where too many wait, the new ones or the oldest but one are lost, and
    counted until that is told.
    """
    result = take(outbox, "x", "y", "z", limit=2)
    assert result == [EnqueueResult.ADDED, EnqueueResult.ADDED, EnqueueResult.REFUSED]
    assert (
        outbox.enqueue(piece("w"), 2, OverflowPolicy.DROP_OLDEST)
        is EnqueueResult.REPLACED
    )
    assert outbox.lost("a") == 2
    assert drain(outbox) == ["x", "w"]
    outbox.clearLostCount("a")
    assert outbox.lost("a") == 0


def test_complete(outbox: Outbox) -> None:
    """
    Who said it and how may be known later, and that it is not to be said; not
    so when it may have been said by then.
    """
    outbox.enqueue(piece("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
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
    outbox.enqueue(piece("y", "b", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    outbox.withdraw("b", "y")
    assert outbox.queues() == {"a": 1}


def test_smallerLimit(outbox: Outbox) -> None:
    """
    Where more wait than may, since the limit was larger, so many are left out.
    """
    take(outbox, *"uvwxy")
    assert (
        outbox.enqueue(piece("z"), 2, OverflowPolicy.DROP_OLDEST)
        is EnqueueResult.REPLACED
    )
    assert drain(outbox) == ["u", "z"]
    assert outbox.lost("a") == 4
