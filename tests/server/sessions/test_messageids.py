"""
Message ids and sequence numbers increase.
"""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock

from txwebqq.model import Number
from txwebqq.server.sessions.messageids import UNSTORED, MessageIdGenerator


def test_sequenceAfterRestart() -> None:
    """
    The sequence numbers of a group continue above those of the last run.
    """
    group, clock = Number(200001), Clock()
    first, second = (
        MessageIdGenerator(clock.seconds, Random(n), lambda _: 0) for n in (1, 2)
    )
    for _ in range(50):
        last = first.nextSequence(group)
    clock.advance(60)
    assert second.nextSequence(group) > last


def test_sequenceOfBusyGroup() -> None:
    """
    They do so too after more than one message a second, the last of which the
    database does not have, and when the clock was set back.
    """
    group, clock = Number(200001), Clock()
    clock.advance(1_700_000_000)
    busy = MessageIdGenerator(clock.seconds, Random(1), lambda _: 0)
    sent = [busy.nextSequence(group) for _ in range(3000)]
    stored = sent[-UNSTORED]
    clock.advance(-1000)
    restarted = MessageIdGenerator(
        clock.seconds, Random(2), {group: stored}.__getitem__
    )
    assert restarted.nextSequence(group) > sent[-1]
