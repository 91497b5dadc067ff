"""
The base of both sides of an IRC connection: received lines, time-outs, PING,
and closing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from txwebqq.irc.protocol.line import (
    MAX_LINE,
    Line,
    LineBuffer,
    MalformedLine,
    Overlong,
    encodingOf,
    parse,
    serialise,
)

REGISTRATION_TIMEOUT = 60.0
"""Time for the registration, in seconds."""

CLOSE_TIMEOUT = 5.0
"""Time that the peer has to read the last lines before a connection that we
close is aborted, in seconds."""

TIMER_ACCURACY = 0.001
"""The time by which a timer may fire too early, in seconds."""


class LineConnection(Protocol):
    """
    One IRC connection.

    @cvar pingInterval: silence of the peer after which it is sent a C{PING}, in
        seconds; after the same time without data L{pingTimedOut} is called.
    @cvar followsEncoding: whether lines are sent in the encoding that the
        received lines have by clear evidence.
    @cvar readsUntilLost: whether lines that come after L{disconnect} are
        received.

    @ivar encoding: the encoding of the lines sent.
    @ivar isOpen: whether lines can be sent: from L{connectionMade} to
        L{disconnect} or L{connectionLost}.

    @param pingToken: the parameter of our C{PING}.
    @param maxReceived: maximum length of a received line without its tags, in
        bytes.
    """

    pingInterval = 60.0
    followsEncoding = False
    readsUntilLost = False

    def __init__(
        self,
        clock: IReactorTime,
        pingToken: str,
        encoding: str = "utf-8",
        maxReceived: int = MAX_LINE,
    ) -> None:
        self.encoding = encoding
        self.isOpen = False
        self._clock = clock
        self._pingToken = pingToken
        self._lineBuffer = LineBuffer(maxReceived)
        self._timer: IDelayedCall | None = None
        self._isRegistered = False
        self._isPinged = False
        self._heardAt = 0.0
        # ITransport promises neither producers nor aborting.
        self._wire: Any = None

    @abstractmethod
    def lineReceived(self, line: Line) -> None:
        """
        Called with each received line.
        """

    @abstractmethod
    def lineRefused(self, reason: str, isLong: bool) -> None:
        """
        Called with the error of a received line that cannot be parsed.

        @param isLong: whether the line was longer than a line may be.
        """

    @abstractmethod
    def registrationTimedOut(self) -> None:
        """
        Called when L{startPinging} was not called in time.
        """

    @abstractmethod
    def pingTimedOut(self) -> None:
        """
        Called when the peer has not answered a C{PING}.
        """

    def connectionMade(self) -> None:
        self._wire = self.transport
        self.isOpen = True
        self._setTimer(REGISTRATION_TIMEOUT, self.registrationTimedOut)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isOpen = False
        self._cancelTimer()

    def disconnect(self) -> None:
        """
        Close the connection, and abort it when the peer does not read the last
        lines within L{CLOSE_TIMEOUT}.
        """
        self.isOpen = False
        self._wire.loseConnection()
        # loseConnection waits as long as there are data that the peer has not read.
        self._setTimer(CLOSE_TIMEOUT, self._wire.abortConnection)

    def startPinging(self) -> None:
        """
        End the time-out of the registration, and start that of silence.
        """
        self._isRegistered = True
        self._heard()
        if self.isOpen:
            self._setTimer(self.pingInterval, self._silenceTimedOut)

    def _heard(self) -> None:
        self._isPinged = False
        self._heardAt = self._clock.seconds()

    def _silenceTimedOut(self) -> None:
        # The timer is not moved when data come, which would cost as much as
        # reading them.
        rest = self._heardAt + self.pingInterval - self._clock.seconds()
        if rest > TIMER_ACCURACY and not self._isPinged:
            self._setTimer(rest, self._silenceTimedOut)
            return
        if self._isPinged:
            self.pingTimedOut()
            return
        self._isPinged = True
        self.sendLine(Line("PING", (self._pingToken,)))
        self._setTimer(self.pingInterval, self._silenceTimedOut)

    def _setTimer(self, seconds: float, call: Callable[[], object]) -> None:
        self._cancelTimer()
        self._timer = self._clock.callLater(seconds, call)

    def _cancelTimer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def dataReceived(self, data: bytes) -> None:
        if self._isRegistered:
            self._heard()
        for raw in self._lineBuffer.feed(data):
            if not (self.isOpen or self.readsUntilLost):
                return
            if isinstance(raw, Overlong):
                self.lineRefused("Input line was too long", True)
                continue
            if self.followsEncoding and not raw.isascii():
                self.encoding = encodingOf(raw, self.encoding)
            try:
                line = parse(raw, self.encoding)
            except MalformedLine as e:
                self.lineRefused(str(e), False)
                continue
            self.lineReceived(line)

    def sendLine(self, line: Line) -> None:
        """
        Send a line; no effect while the connection is not open.
        """
        if self.isOpen:
            self._wire.write(serialise(line, self.encoding))
