"""
Bounded send queue of one IRC client.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

MAX_WAITING = 16 << 20
"""Maximum size of a send queue, in bytes. A client is sent the members of all
its channels at once: 1.2 MB for 100 groups of 500 members."""

MAX_UNREGISTERED = 1 << 16
"""The maximum size before the registration, in bytes: without a password nobody
can fill the memory."""


@implementer(IPushProducer)
class SendQueue:
    """
    Lines that wait until a slow client reads. Register it as a streaming
    producer of the transport, whose own buffer is not bounded.

    @param overflowed: called once, when more than C{limit} bytes wait; these
        are dropped, and nothing is written afterwards.

    @ivar limit: as the parameter.
    """

    def __init__(
        self,
        transport: ITransport,
        overflowed: Callable[[], object],
        limit: int = MAX_UNREGISTERED,
    ) -> None:
        self._transport = transport
        self._overflowed = overflowed
        self.limit = limit
        self._waiting: list[bytes] = []
        self._size = 0
        self._isPaused = False
        self._isClosed = False

    def write(self, line: bytes) -> None:
        """
        Write a line now, or append it to the queue while the transport is
        paused.
        """
        if self._isClosed:
            return
        if not self._isPaused:
            self._transport.write(line)
            return
        self._waiting.append(line)
        self._size += len(line)
        if self._size > self.limit:
            self.stopProducing()
            self._overflowed()

    def pauseProducing(self) -> None:
        self._isPaused = True

    def resumeProducing(self) -> None:
        self._isPaused = False
        waiting, self._waiting, self._size = self._waiting, [], 0
        # A write may pause the queue again, so the rest must be counted again.
        for line in waiting:
            self.write(line)

    def stopProducing(self) -> None:
        self._isClosed = True
        self._waiting, self._size = [], 0
