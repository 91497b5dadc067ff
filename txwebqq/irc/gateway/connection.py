"""
Lines to and from an IRC client, with an end to every patience.
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

PATIENCE = 60.0
"""The seconds to register in."""

QUIET = 120.0
"""The seconds of silence until a client is asked whether it is there."""

FAREWELL = 5.0
"""The seconds that a client has to read why it is shown out."""


class ClientConnection(Protocol):
    """
    One connection: bounded in both directions, answered in the encoding in
    which it is spoken to, and never with a line that is too long.

    @ivar address: where the client is.
    @ivar encoding: what it reads.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, address: str) -> None:
        self.address = address
        self.encoding = "utf-8"
        self._clock = clock
        self._lineBuffer = LineBuffer()
        self._timer: IDelayedCall | None = None
        self._asked = False
        self._settled = False
        self._sendQueue: SendQueue | None = None
        self._wire: Any = None

    @abstractmethod
    def lineReceived(self, line: Line) -> None:
        """
        The client said something.
        """

    @abstractmethod
    def lineRefused(self, reason: str, isLong: bool) -> None:
        """
        What it said cannot be read.
        """

    @abstractmethod
    def ask(self) -> None:
        """
        Ask whether it is still there.
        """

    def connectionMade(self) -> None:
        assert self.transport is not None
        # ITransport promises neither producers nor aborting.
        self._wire = self.transport
        self._sendQueue = SendQueue(self.transport, self._overflowed)
        self._wire.registerProducer(self._sendQueue, True)
        self._timer = self._clock.callLater(
            PATIENCE, self.leave, "You took too long to register"
        )

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._rest()
        self._sendQueue = None

    def _rest(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _overflowed(self) -> None:
        self._log.info("A client of {address} reads too slowly.", address=self.address)
        self._wire.abortConnection()

    def leave(self, reason: str) -> None:
        """
        End the connection, and say why.
        """
        if self._sendQueue is None:
            return
        self.sendLine(Line("ERROR", (reason,)))
        self._sendQueue = None
        self._wire.unregisterProducer()
        self._wire.loseConnection()
        # Who does not read would stay for ever.
        self._rest()
        self._timer = self._clock.callLater(FAREWELL, self._wire.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        if self._settled and self._sendQueue is not None:
            self.settle()
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
                # Whoever writes GBK can read nothing else.
                self.encoding = encodingOf(raw)
            self.lineReceived(line)

    def settle(self) -> None:
        """
        The client is registered, and from now on may be silent for a while.
        """
        self._settled = True
        self._asked = False
        self._rest()
        self._timer = self._clock.callLater(QUIET, self._quiet)

    def _quiet(self) -> None:
        if self._asked:
            self.leave("Ping timeout")
            return
        self._asked = True
        self.ask()
        self._timer = self._clock.callLater(QUIET, self._quiet)

    def sendLine(self, line: Line) -> None:
        """
        Send a line; what is too long loses its end. Nothing is sent to who is
        gone.
        """
        if self._sendQueue is None:
            return
        *middle, last = line.params or ("",)
        over = encodedLength(line, self.encoding) - MAX_LINE
        if over > 0:
            # Words are cut where they are said; this is a topic, or a reason.
            room = max(len(last.encode(self.encoding, "replace")) - over, 1)
            cut = splitText(last, room, self.encoding)[0]
            line = line._replace(params=(*middle, cut))
        self._sendQueue.write(serialise(line, self.encoding))
