"""
Line transport of one IRC client: buffering, encoding, time-outs and PING.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.gateway.sendqueue import SendQueue
from txwebqq.irc.protocol.line import (
    MAX_LINE,
    Line,
    LineBuffer,
    MalformedLine,
    Overlong,
    encodedLength,
    encodingOf,
    parse,
    serialise,
)
from txwebqq.irc.protocol.splitting import splitText

REGISTRATION_TIMEOUT = 60.0
"""Time that a client has for registration, in seconds."""

PING_INTERVAL = 120.0
"""Silence of a client after which it is sent a PING, in seconds; a PING that is
not answered in the same time closes the connection."""

CLOSE_TIMEOUT = 5.0
"""Time that a client has to read the last lines before the connection is
aborted, in seconds."""


class ClientConnection(Protocol):
    """
    The connection of one IRC client. The buffers in both directions are
    bounded, and no line sent is longer than L{MAX_LINE}.

    @ivar address: the client's IP address.
    @ivar encoding: the encoding of the lines sent: that of the last line
        received that was not ASCII.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, address: str) -> None:
        self.address = address
        self.encoding = "utf-8"
        self._clock = clock
        self._lineBuffer = LineBuffer()
        self._timer: IDelayedCall | None = None
        self._isPinged = False
        self._isRegistered = False
        self._sendQueue: SendQueue | None = None
        self._wire: Any = None

    @abstractmethod
    def lineReceived(self, line: Line) -> None:
        """
        A line has been received.
        """

    @abstractmethod
    def lineRefused(self, reason: str, isLong: bool) -> None:
        """
        A line has been received that cannot be parsed.

        @param isLong: whether it was longer than a line may be.
        """

    @abstractmethod
    def sendPing(self) -> None:
        """
        Send a PING.
        """

    def connectionMade(self) -> None:
        assert self.transport is not None
        # ITransport promises neither producers nor aborting.
        self._wire = self.transport
        self._sendQueue = SendQueue(self.transport, self._overflowed)
        self._wire.registerProducer(self._sendQueue, True)
        self._timer = self._clock.callLater(
            REGISTRATION_TIMEOUT, self.close, "Registration timed out"
        )

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._cancelTimer()
        self._sendQueue = None

    def _cancelTimer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _overflowed(self) -> None:
        self._log.info(
            "Aborting the connection of a client at {address}: its send queue is full.",
            address=self.address,
        )
        self._wire.abortConnection()

    def close(self, reason: str) -> None:
        """
        Send C{ERROR :<reason>} and close the connection.
        """
        if self._sendQueue is None:
            return
        self.sendLine(Line("ERROR", (reason,)))
        self._sendQueue = None
        self._wire.unregisterProducer()
        self._wire.loseConnection()
        # loseConnection waits for a client that does not read.
        self._cancelTimer()
        self._timer = self._clock.callLater(CLOSE_TIMEOUT, self._wire.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        if self._isRegistered and self._sendQueue is not None:
            self.startPinging()
        for raw in self._lineBuffer.feed(data):
            if self._sendQueue is None:
                return
            if isinstance(raw, Overlong):
                self.lineRefused("Input line was too long", True)
                continue
            try:
                line = parse(raw)
            except MalformedLine as e:
                self.lineRefused(str(e), False)
                continue
            if not raw.isascii():
                # A client that writes GB18030 does not read UTF-8.
                self.encoding = encodingOf(raw)
            self.lineReceived(line)

    def startPinging(self) -> None:
        """
        End the time-out of registration, and start that of silence anew.
        """
        self._isRegistered = True
        self._isPinged = False
        self._cancelTimer()
        self._timer = self._clock.callLater(PING_INTERVAL, self._silenceTimedOut)

    def _silenceTimedOut(self) -> None:
        if self._isPinged:
            self.close("Ping timeout")
            return
        self._isPinged = True
        self.sendPing()
        self._timer = self._clock.callLater(PING_INTERVAL, self._silenceTimedOut)

    def sendLine(self, line: Line) -> None:
        """
        Send a line; the last parameter of one that is too long is truncated.
        No effect after the connection was closed.
        """
        if self._sendQueue is None:
            return
        data = serialise(line, self.encoding)
        # Tags do not count, so measure the rest only when the whole is too long.
        if len(data) > MAX_LINE:
            over = encodedLength(line, self.encoding) - MAX_LINE
            if over > 0:
                data = serialise(self._truncated(line, over), self.encoding)
        self._sendQueue.write(data)

    def _truncated(self, line: Line, over: int) -> Line:
        # Messages have been split before; this is a topic or a reason.
        *middle, last = line.params or ("",)
        space = max(len(last.encode(self.encoding, "replace")) - over, 1)
        piece = splitText(last, space, self.encoding)[0]
        return line._replace(params=(*middle, piece))
