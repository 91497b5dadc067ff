"""
The rate limit of outgoing lines.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from txwebqq.net.pacing import Pacer


def test_stop() -> None:
    """
    Stopping fails all who wait for their turn, at once, and leaves no timer.
    """
    clock = Clock()
    pacer = Pacer(clock, 1, 60.0)
    turns: list[Deferred[None]] = [pacer.acquire() for _ in range(3)]
    failed: list[Failure] = []
    for turn in turns:
        turn.addErrback(failed.append)
    pacer.stop()
    assert [failure.type for failure in failed] == [CancelledError, CancelledError]
    assert clock.getDelayedCalls() == []


def test_cancel() -> None:
    """
    A caller that gives up does not get its turn at once; the next one waits in its
    place.
    """
    clock = Clock()
    pacer = Pacer(clock, 1, 60.0)
    pacer.acquire()
    first, second = pacer.acquire(), pacer.acquire()
    ended: list[str] = []
    first.addCallback(lambda _: ended.append("first"))
    first.addErrback(lambda failure: ended.append(type(failure.value).__name__))
    second.addCallback(lambda _: ended.append("second"))
    first.cancel()
    assert ended == ["CancelledError"]
    clock.advance(60.0)
    assert ended == ["CancelledError", "second"]
    assert clock.getDelayedCalls() == []
