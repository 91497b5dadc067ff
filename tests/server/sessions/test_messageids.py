"""
Message ids and sequence numbers increase.
"""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock

from txwebqq.model import Number
from txwebqq.server.sessions.messageids import MessageIdGenerator


def test_sequenceAfterRestart() -> None:
    """
    The sequence numbers of a group continue above those of the last run.
    """
    group, clock = Number(200001), Clock()
    first, second = (MessageIdGenerator(clock.seconds, Random(n)) for n in (1, 2))
    for _ in range(50):
        last = first.nextSequence(group)
    clock.advance(60)
    assert second.nextSequence(group) > last
