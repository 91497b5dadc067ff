"""
The send queue of a slow client.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import StringTransport
from zope.interface.verify import verifyObject

from txwebqq.irc.gateway.sendqueue import SendQueue


class Rig:
    """
    A send queue with its transport.
    """

    def __init__(self, limit: int = 10) -> None:
        self.transport = StringTransport()
        self.overflows = 0
        self.sendQueue = SendQueue(self.transport, self.overflowed, limit)
        self.transport.registerProducer(self.sendQueue, True)

    def overflowed(self) -> None:
        self.overflows += 1


def test_order() -> None:
    """
    Queued lines are written first, in order.
    """
    rig = Rig()
    verifyObject(IPushProducer, rig.sendQueue)
    rig.sendQueue.write(b"1")
    rig.sendQueue.pauseProducing()
    rig.sendQueue.write(b"2")
    rig.sendQueue.write(b"3")
    assert rig.transport.value() == b"1"
    rig.sendQueue.resumeProducing()
    rig.sendQueue.write(b"4")
    assert rig.transport.value() == b"1234"


def test_overflow() -> None:
    """
    A full queue calls C{overflowed} once, and is emptied.
    """
    rig = Rig(limit=10)
    rig.sendQueue.pauseProducing()
    rig.sendQueue.write(b"x" * 10)
    assert rig.overflows == 0
    for _ in range(3):
        rig.sendQueue.write(b"x")
    rig.sendQueue.resumeProducing()
    rig.sendQueue.write(b"x")
    assert rig.overflows == 1
    assert rig.transport.value() == b""


def test_emptied() -> None:
    """
    The limit is that of the waiting bytes, not of all that were ever queued.
    """
    rig = Rig(limit=10)
    for _ in range(5):
        rig.sendQueue.pauseProducing()
        rig.sendQueue.write(b"x" * 6)
        rig.sendQueue.resumeProducing()
    assert rig.overflows == 0
    assert rig.transport.value() == b"x" * 30
