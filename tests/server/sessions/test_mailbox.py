"""
A mailbox keeps the order of events, and a limited number of them in memory.
"""

from __future__ import annotations

from txwebqq.model import Number, Text
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds, QueuedEvent
from txwebqq.server.sessions.mailbox import MAX_TOGETHER, Mailbox

ALICE, BOB = Number(10001), Number(10002)


def message(n: int, sender: Number = ALICE) -> QueuedEvent:
    return FRIEND_MESSAGE.new(MessageIds(sender, 1, n, n), (Text(str(n)),))


def test_conversations() -> None:
    """
    A mailbox gives the first queued event of each conversation, and keeps the
    order.
    """
    mailbox = Mailbox()
    mailbox.load([], 100)
    for n, sender in enumerate((ALICE, BOB, ALICE, BOB, BOB)):
        mailbox.add(n, message(n, sender))
    taken = [[each for _, each in mailbox.take(False)] for _ in range(4)]
    assert taken == [
        [message(0, ALICE), message(1, BOB)],
        [message(2, ALICE), message(3, BOB)],
        [message(4, BOB)],
        [],
    ]


def test_sorted() -> None:
    """
    For a client that sorts, the mailbox gives all events in order, up to a
    message whose id is among them.
    """
    mailbox = Mailbox()
    mailbox.load([], 100)
    for n, sender in enumerate((ALICE, BOB, ALICE, BOB)):
        mailbox.add(n, message(n, sender))
    mailbox.add(4, message(1, ALICE))
    mailbox.add(5, message(5, BOB))
    assert [n for n, _ in mailbox.take(True)] == [0, 1, 2, 3]
    assert [n for n, _ in mailbox.take(True)] == [4, 5]


def test_bound() -> None:
    """
    Events that do not fit into a mailbox stay in the store.
    """
    mailbox = Mailbox()
    mailbox.load([], 100)
    for serial in range(1, MAX_TOGETHER + 50):
        mailbox.add(serial, message(serial))
    assert mailbox.room == 0
    assert mailbox.more
    for _ in range(MAX_TOGETHER // 2):
        mailbox.take(False)
    assert mailbox.room == 0
    mailbox.take(False)
    assert mailbox.room == MAX_TOGETHER
    mailbox.load([(7, message(7))], MAX_TOGETHER)
    assert [serial for serial, _ in mailbox.take(False)] == [7]
    assert not mailbox.more


def test_outdated() -> None:
    """
    An event of a conversation that is not in memory has the mailbox read again.
    """
    mailbox = Mailbox()
    mailbox.load([(n, message(n)) for n in range(MAX_TOGETHER)], MAX_TOGETHER)
    mailbox.add(200, message(200))
    assert mailbox.room == 0
    mailbox.add(201, message(201, BOB))
    assert mailbox.room == MAX_TOGETHER
    mailbox.load([(n, message(n)) for n in range(MAX_TOGETHER)], MAX_TOGETHER)
    assert mailbox.room == 0


def test_later() -> None:
    """
    A new event does not overtake those that are in the database only.
    """
    mailbox = Mailbox()
    mailbox.load([(n, message(n)) for n in range(MAX_TOGETHER)], MAX_TOGETHER)
    assert [n for n, _ in mailbox.take(False)] == [0]
    mailbox.add(200, message(200))
    assert [n for n, _ in mailbox.take(True)] == list(range(1, MAX_TOGETHER))
