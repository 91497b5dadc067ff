"""
Slow IRC clients.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import StringTransport
from zope.interface.verify import verifyObject

from txwebqq.irc.gateway.sendqueue import Outbox


class Rig:
    """
    An outbox and what comes out of it.
    """

    def __init__(self, limit: int = 10) -> None:
        self.transport = StringTransport()
        self.overflows = 0
        self.outbox = Outbox(self.transport, self.overflowed, limit)
        self.transport.registerProducer(self.outbox, True)

    def overflowed(self) -> None:
        self.overflows += 1


def test_order() -> None:
    """
    What waited for a slow client comes first, in order.
    """
    rig = Rig()
    verifyObject(IPushProducer, rig.outbox)
    rig.outbox.write(b"1")
    rig.outbox.pauseProducing()
    rig.outbox.write(b"2")
    rig.outbox.write(b"3")
    assert rig.transport.value() == b"1"
    rig.outbox.resumeProducing()
    rig.outbox.write(b"4")
    assert rig.transport.value() == b"1234"


def test_overflow() -> None:
    """
    Who does not read at all is given up, once, and holds no memory.
    """
    rig = Rig(limit=10)
    rig.outbox.pauseProducing()
    rig.outbox.write(b"x" * 10)
    assert rig.overflows == 0
    for _ in range(3):
        rig.outbox.write(b"x")
    rig.outbox.resumeProducing()
    rig.outbox.write(b"x")
    assert rig.overflows == 1
    assert rig.transport.value() == b""


def test_emptied() -> None:
    """
    The limit counts what waits, not all that ever did.
    """
    rig = Rig(limit=10)
    for _ in range(5):
        rig.outbox.pauseProducing()
        rig.outbox.write(b"x" * 6)
        rig.outbox.resumeProducing()
    assert rig.overflows == 0
    assert rig.transport.value() == b"x" * 30
