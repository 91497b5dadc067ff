"""
What is on its way to an IRC client, and never too much of it.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

MAX_WAITING = 1 << 20


@implementer(IPushProducer)
class SendQueue:
    """
    Lines that wait for a slow client; register it as a streaming producer of
    the transport, whose own buffer has no limit.

    @param overflowed: called once, when more than C{limit} bytes wait; they
        are forgotten, and nothing is written any more.
    """

    def __init__(
        self,
        transport: ITransport,
        overflowed: Callable[[], object],
        limit: int = MAX_WAITING,
    ) -> None:
        self._transport = transport
        self._overflowed = overflowed
        self._limit = limit
        self._waiting: list[bytes] = []
        self._size = 0
        self._paused = False
        self._closed = False

    def write(self, line: bytes) -> None:
        """
        Send a line now, or when the client has read what it has got.
        """
        if self._closed:
            return
        if not self._paused:
            self._transport.write(line)
            return
        self._waiting.append(line)
        self._size += len(line)
        if self._size > self._limit:
            self.stopProducing()
            self._overflowed()

    def pauseProducing(self) -> None:
        """
        The client does not read as fast as we write.
        """
        self._paused = True

    def resumeProducing(self) -> None:
        """
        The client has read it all.
        """
        self._paused = False
        waiting, self._waiting, self._size = self._waiting, [], 0
        # A write may pause us again, and what is left must stay bounded.
        for line in waiting:
            self.write(line)

    def stopProducing(self) -> None:
        """
        The client is gone.
        """
        self._closed = True
        self._waiting, self._size = [], 0
