"""
Lines that clients are sent in one turn of the reactor, over TCP.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection

from txwebqq.irc.gateway.connection import ClientConnection
from txwebqq.irc.gateway.sendqueue import MAX_COLLECTED, OutputTurn, SendQueue
from txwebqq.irc.protocol.line import Line


class Client(ClientConnection):
    """
    A connection that does nothing with what it receives.
    """

    def lineReceived(self, line: Line) -> None: ...

    def lineRefused(self, reason: str, isLong: bool) -> None: ...


class Reactor(Clock):
    """
    A clock, and the writers of the reactor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[Any] = set()

    def addReader(self, reader: object) -> None: ...

    def removeReader(self, reader: object) -> None: ...

    def addWriter(self, writer: object) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)


class Rig:
    """
    A TCP connection, what the other end has read, and a turn whose commit adds to
    C{commits} what had been read before.
    """

    def __init__(self) -> None:
        # Any, since it is no IReactorFDSet in full.
        reactor: Any = Reactor()
        self.reactor = reactor
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.theirs.setblocking(False)
        self.transport = Connection(self.ours, Protocol(), reactor)
        self.transport.connected = True
        self.commits: list[bytes] = []
        self.failure: Exception | None = None
        self.turn = OutputTurn(self.reactor, self.commit)
        self.overflows = 0

    def commit(self) -> None:
        self.commits.append(self.read())
        if self.failure is not None:
            raise self.failure

    def overflowed(self) -> None:
        self.overflows += 1

    def read(self) -> bytes:
        """
        Read what has arrived.
        """
        received = b""
        with suppress(BlockingIOError):
            while data := self.theirs.recv(1 << 20):
                received += data
        return received

    def readAll(self) -> bytes:
        """
        Read what has arrived, and what arrives when the reactor has written all.
        """
        received = self.read()
        while self.reactor.writers:
            self.transport.doWrite()
            received += self.read()
        return received


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.ours.close()
    rig.theirs.close()


def test_together(rig: Rig) -> None:
    """
    The lines of a turn are written together, after they were committed, and those
    of the next turn after another commit.
    """
    sendQueue = SendQueue(rig.transport, rig.overflowed, turn=rig.turn)
    sendQueue.write(b"1")
    sendQueue.write(b"2")
    assert rig.read() == b""
    rig.reactor.advance(0)
    assert rig.commits == [b""]
    assert rig.read() == b"12"
    assert rig.reactor.writers == set()
    sendQueue.write(b"3")
    rig.reactor.advance(0)
    assert rig.read() == b"3"
    assert rig.commits == [b"", b""]
    assert rig.reactor.getDelayedCalls() == []


def test_uncommitted(rig: Rig) -> None:
    """
    Lines are written also when the commit fails.
    """
    rig.failure = sqlite3.OperationalError("disk full")
    sendQueue = SendQueue(rig.transport, rig.overflowed, turn=rig.turn)
    sendQueue.write(b"1")
    rig.reactor.advance(0)
    assert rig.read() == b"1"


def test_afterInternalError(rig: Rig) -> None:
    """
    An internal error at the end of a turn stops neither its lines nor those of later
    turns.
    """
    rig.failure = ZeroDivisionError()
    sendQueue = SendQueue(rig.transport, rig.overflowed, turn=rig.turn)
    for line in (b"1", b"2"):
        sendQueue.write(line)
        with pytest.raises(ZeroDivisionError):
            rig.reactor.advance(0)
        assert rig.read() == line


def test_much(rig: Rig) -> None:
    """
    The transport pauses a client that is sent much in one turn; all arrives in
    order, and what waits is counted.
    """
    limit = 4 * MAX_COLLECTED
    sendQueue = SendQueue(rig.transport, rig.overflowed, limit, rig.turn)
    rig.transport.registerProducer(sendQueue, True)
    lines = [b"%8d\n" % n * 100 for n in range(3 * MAX_COLLECTED // 900)]
    for line in lines:
        sendQueue.write(line)
    rig.reactor.advance(0)
    sendQueue.write(b"end")
    rig.reactor.advance(0)
    received = b""
    for _ in range(4):
        received += rig.readAll()
        rig.reactor.advance(0)
    assert received == b"".join(lines) + b"end"
    assert rig.overflows == 0
    for line in lines * 2:
        sendQueue.write(line)
    assert rig.overflows == 1
    rig.readAll()
    rig.reactor.advance(0)
    assert rig.read() == b""


def test_close(rig: Rig) -> None:
    """
    Lines that a client was sent in the turn in which its connection is closed are
    written before the connection ends.
    """
    connection = Client(rig.reactor, "qq.test", rig.turn)
    connection.makeConnection(rig.transport)
    connection.sendLine(Line("NOTICE", ("me", "first")))
    connection.close("enough")
    connection.sendLine(Line("NOTICE", ("me", "later")))
    assert rig.readAll() == b"NOTICE me :first\r\nERROR :enough\r\n"
    rig.reactor.advance(0)
    assert rig.commits == [b""]
