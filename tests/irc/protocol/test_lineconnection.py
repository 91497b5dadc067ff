"""
The base of both sides of an IRC connection.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.lineconnection import (
    CLOSE_TIMEOUT,
    REGISTRATION_TIMEOUT,
    LineConnection,
)


class Connection(LineConnection):
    """
    Records what happens to it.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(self.clock, "token", maxReceived=30)
        self.events: list[object] = []
        self.wire = StringTransport()
        self.makeConnection(self.wire)

    def lineReceived(self, line: Line) -> None:
        self.events.append(line.params[-1])
        if line.command == "QUIT":
            self.disconnect()

    def lineRefused(self, reason: str, isLong: bool) -> None:
        self.events.append(isLong)

    def registrationTimedOut(self) -> None:
        self.events.append("registration timed out")

    def pingTimedOut(self) -> None:
        self.events.append("ping timed out")


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_registrationTimeout(connection: Connection) -> None:
    """
    Lines do not extend the time for the registration.
    """
    connection.clock.advance(REGISTRATION_TIMEOUT - 1)
    connection.dataReceived(b"NICK x\r\n")
    connection.clock.advance(1)
    assert connection.events == ["x", "registration timed out"]


def test_ping(connection: Connection) -> None:
    """
    After silence a PING is sent, and silence after the PING is a time-out; any
    data ends the silence.
    """
    connection.startPinging()
    for _ in range(3):
        connection.clock.advance(connection.pingInterval - 1)
        connection.dataReceived(b":")
    assert connection.wire.value() == b""
    connection.clock.advance(connection.pingInterval)
    assert connection.wire.value() == b"PING :token\r\n"
    connection.dataReceived(b"x PONG token\r\n")
    connection.clock.advance(connection.pingInterval)
    assert connection.events == ["token"]
    connection.clock.advance(connection.pingInterval)
    assert connection.events == ["token", "ping timed out"]


@pytest.mark.parametrize(("readsUntilLost", "lines"), [(False, 1), (True, 2)])
def test_disconnect(connection: Connection, readsUntilLost: bool, lines: int) -> None:
    """
    After disconnect nothing is sent, and lines are received only with
    readsUntilLost. A peer that does not read is aborted, also when it sends.
    """
    connection.readsUntilLost = readsUntilLost
    connection.startPinging()
    connection.dataReceived(b"QUIT bye\r\nPING x\r\n")
    connection.sendLine(Line("PONG", ("x",)))
    assert connection.events == ["bye", "x"][:lines]
    assert connection.wire.value() == b""
    assert connection.wire.disconnecting
    connection.startPinging()
    assert not connection.wire.disconnected
    connection.clock.advance(CLOSE_TIMEOUT)
    assert connection.wire.disconnected


def test_lost(connection: Connection) -> None:
    """
    A lost connection leaves nothing on the clock, and sends nothing.
    """
    connection.connectionLost()
    connection.sendLine(Line("PING", ("x",)))
    assert connection.clock.getDelayedCalls() == []
    assert connection.wire.value() == b""


def test_refused(connection: Connection) -> None:
    """
    Overlong and malformed lines are reported, and the line after them is
    received.
    """
    connection.dataReceived(b"x" * 100 + b"\r\nPING \0\r\nPING a\r\n")
    assert connection.events == [True, False, "a"]


@pytest.mark.parametrize("followsEncoding", [False, True])
def test_followsEncoding(connection: Connection, followsEncoding: bool) -> None:
    """
    Lines are sent in the encoding of the last line that was not ASCII, or in
    the one that was given.
    """
    connection.followsEncoding = followsEncoding
    connection.dataReceived("PING 茶\r\n".encode("gb18030") + b"PING x\r\n")
    connection.sendLine(Line("PONG", ("茶",)))
    expected = "gb18030" if followsEncoding else "utf-8"
    assert connection.wire.value() == "PONG :茶\r\n".encode(expected)


def test_cutLine(connection: Connection) -> None:
    """
    A line that was cut inside a character does not change the encoding.
    """
    connection.followsEncoding = True
    connection.dataReceived(b"PING " + "茶好".encode()[:-1] + b"\r\n")
    assert connection.events == ["茶"]
    connection.sendLine(Line("PONG", ("茶",)))
    assert connection.wire.value() == "PONG :茶\r\n".encode()


def test_ambiguousLine(connection: Connection) -> None:
    """
    A line that is a word in both encodings is read in the encoding of those before
    it, which is kept.
    """
    connection.followsEncoding = True
    for word in ("你好", "模"):
        connection.dataReceived(f"PING {word}\r\n".encode("gb18030"))
    assert connection.events == ["你好", "模"]
    connection.sendLine(Line("PONG", ("茶",)))
    assert connection.wire.value() == "PONG :茶\r\n".encode("gb18030")
