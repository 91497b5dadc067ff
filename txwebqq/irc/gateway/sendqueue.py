"""
Bounded send queues of the IRC clients, and what they are sent at the end of a turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from twisted.internet.interfaces import IPushProducer, IReactorTime, ITransport
from twisted.internet.tcp import Connection
from zope.interface import implementer

from txwebqq.net.directwrite import writeNow

MAX_WAITING = 16 << 20
"""Maximum size of a send queue, in bytes. A client is sent the members of all
its channels at once: 1.2 MB for 100 groups of 500 members."""

MAX_UNREGISTERED = 1 << 16
"""The maximum size before the registration, in bytes: without a password nobody
can fill the memory."""

MAX_COLLECTED = 1 << 16
"""Size of what a client is sent in one turn of the reactor from which on the
transport is given it at once, and can pause the queue, in bytes."""


class OutputTurn:
    """
    Writes what the clients are sent in one turn of the reactor at its end, each
    client's lines together, and without waiting for the transport to be writable.

    @param commit: commits what was stored in the turn, before anything is written.
    """

    def __init__(self, clock: IReactorTime, commit: Callable[[], object]) -> None:
        self._clock = clock
        self._commit = commit
        self._queues: list[SendQueue] = []

    def add(self, sendQueue: SendQueue) -> None:
        """
        Have a queue write at the end of the turn what it has collected.
        """
        if not self._queues:
            self._clock.callLater(0, self._end)
        self._queues.append(sendQueue)

    def _end(self) -> None:
        try:
            # Those whose writes are lost have been told, and may show that.
            with suppress(sqlite3.Error):
                self._commit()
        finally:
            # Also after an internal error: none of these would write again.
            queues, self._queues = self._queues, []
            for each in queues:
                each.writeCollected()


@implementer(IPushProducer)
class SendQueue:
    """
    Lines that wait until a slow client reads. Register it as a streaming
    producer of the transport, whose own buffer is not bounded.

    @param overflowed: called once, when more than C{limit} bytes wait; these
        are dropped, and nothing is written afterwards.
    @param turn: writes the lines of a turn together; without it, and for transports
        other than plain TCP, each line is given to the transport.

    @ivar limit: as the parameter.
    """

    def __init__(
        self,
        transport: ITransport,
        overflowed: Callable[[], object],
        limit: int = MAX_UNREGISTERED,
        turn: OutputTurn | None = None,
    ) -> None:
        self._transport = transport
        self._overflowed = overflowed
        self.limit = limit
        self._waiting: list[bytes] = []
        self._size = 0
        self._isPaused = False
        self._isClosed = False
        self._turn = turn if isinstance(transport, Connection) else None
        self._collected: list[bytes] = []
        self._collectedSize = 0

    @property
    def size(self) -> int:
        """
        The size of the lines that wait, in bytes.
        """
        return self._size + self._collectedSize

    def write(self, line: bytes) -> None:
        """
        Write a line now, or append it to the queue while the transport is
        paused.
        """
        if self._isClosed:
            return
        if not self._isPaused:
            if self._turn is None:
                self._transport.write(line)
            else:
                self._collect(self._turn, line)
            return
        self._waiting.append(line)
        self._size += len(line)
        if self._size > self.limit:
            self.stopProducing()
            self._overflowed()

    def _collect(self, turn: OutputTurn, line: bytes) -> None:
        if not self._collected:
            turn.add(self)
        self._collected.append(line)
        self._collectedSize += len(line)
        if self._collectedSize > MAX_COLLECTED:
            self.giveCollected()

    def giveCollected(self) -> None:
        """
        Give the transport what was collected in this turn, to be written in the
        next one.
        """
        collected = self._takeCollected()
        if collected:
            self._transport.write(collected)

    def writeCollected(self) -> None:
        """
        Write what was collected in this turn.
        """
        collected = self._takeCollected()
        if collected:
            writeNow(self._transport, collected)

    def _takeCollected(self) -> bytes:
        collected, self._collected = self._collected, []
        self._collectedSize = 0
        return collected[0] if len(collected) == 1 else b"".join(collected)

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
        self._collected, self._collectedSize = [], 0
