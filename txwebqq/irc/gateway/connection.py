"""
Line transport of one IRC client: a bounded send queue, lines of bounded length
in the client's encoding, and confirmation of what was received.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.gateway.sendqueue import MAX_WAITING, OutputTurn, SendQueue
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength, serialise
from txwebqq.irc.protocol.lineconnection import LineConnection
from txwebqq.irc.protocol.splitting import splitText

MAX_RECEIVED = 4096
"""Maximum length of a received line without its tags but with CR LF, in bytes:
C{LINELEN} of C{RPL_ISUPPORT}. A QQ message may be far longer than the 512 bytes
that are sent in a line."""

PING_INTERVAL = 120.0
"""Silence of a client after which it is sent a PING, in seconds; a PING that is
not answered in the same time closes the connection."""

CONFIRM_INTERVAL = 1.0
"""Least time between two PINGs that ask whether messages were received, in
seconds; one PING confirms all messages before it."""

CONFIRM_TOKEN = "received-"
"""Beginning of the tokens of these PINGs."""


class ClientConnection(LineConnection):
    """
    The connection of one IRC client. The buffers in both directions are
    bounded. No line sent is longer than L{MAX_LINE}, since clients do not
    expect more; a line received may have L{MAX_RECEIVED}.

    @param turn: writes the lines of a turn, as in L{SendQueue}.

    @ivar clock: the clock of all time-outs.
    """

    _log = Logger()
    pingInterval = PING_INTERVAL
    # A client that writes GB18030 does not read UTF-8.
    followsEncoding = True

    def __init__(
        self, clock: IReactorTime, serverName: str, turn: OutputTurn | None = None
    ) -> None:
        super().__init__(clock, serverName, maxReceived=MAX_RECEIVED)
        self.clock = clock
        self._turn = turn
        self._sendQueue: SendQueue | None = None

    @property
    def address(self) -> str:
        """
        The client's IP address, C{""} if it has none. Behind a C{haproxy:}
        endpoint it is known when the first line has come.
        """
        return str(getattr(self._wire.getPeer(), "host", ""))

    @property
    def waitingBytes(self) -> int:
        """
        The size of what waits until the client reads, in bytes.
        """
        return 0 if self._sendQueue is None else self._sendQueue.size

    def connectionMade(self) -> None:
        super().connectionMade()
        self._sendQueue = SendQueue(self._wire, self._overflowed, turn=self._turn)
        self._wire.registerProducer(self._sendQueue, True)

    def startPinging(self) -> None:
        super().startPinging()
        if self._sendQueue is not None:
            self._sendQueue.limit = MAX_WAITING

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._sendQueue = None

    def _overflowed(self) -> None:
        self._log.info(
            "Aborting the connection of a client at {address}: its send queue is full.",
            address=self.address,
        )
        self._wire.abortConnection()

    def registrationTimedOut(self) -> None:
        self.close("Registration timed out")

    def pingTimedOut(self) -> None:
        self.close("Ping timeout")

    def close(self, reason: str) -> None:
        """
        Send C{ERROR :<reason>} and close the connection.
        """
        if self._sendQueue is None:
            return
        self.sendLine(Line("ERROR", (reason,)))
        self._sendQueue.giveCollected()
        self._sendQueue = None
        self._wire.unregisterProducer()
        self.disconnect()

    def sendLine(self, line: Line) -> None:
        """
        Send a line; the last parameter of one that is too long is truncated.
        No effect after the connection was closed.
        """
        if self._sendQueue is not None:
            self._sendQueue.write(self.encoded(line))

    def sendEncoded(self, lines: bytes) -> None:
        """
        Send lines that L{encoded} has returned. No effect after the connection
        was closed.
        """
        if self._sendQueue is not None:
            self._sendQueue.write(lines)

    def encoded(self, line: Line) -> bytes:
        """
        Return a line as L{sendLine} sends it.
        """
        data = serialise(line, self.encoding)
        # Tags do not count, so measure the rest only when the whole is too long.
        if len(data) > MAX_LINE:
            over = encodedLength(line, self.encoding) - MAX_LINE
            if over > 0:
                data = serialise(self._truncated(line, over), self.encoding)
        return data

    def _truncated(self, line: Line, over: int) -> Line:
        # Messages have been split before; this is a topic or a reason.
        *middle, last = line.params or ("",)
        space = max(len(last.encode(self.encoding, "replace")) - over, 1)
        part = splitText(last, space, self.encoding)[0]
        return replace(line, params=(*middle, part))


class ReceiptConfirmation:
    """
    Asks a client whether it has received the messages that it was sent: with a
    PING behind them, which it answers after it has read them. That a message
    was written means nothing, since a connection may be dead for minutes
    before its loss is noticed.

    @param received: the serial of the last message that the client has
        received before.
    @param ping: sends a PING with a token.
    @param confirmed: called with the serial of the last message that the client
        has certainly received.
    """

    def __init__(
        self,
        clock: IReactorTime,
        received: int,
        ping: Callable[[str], object],
        confirmed: Callable[[int], object],
    ) -> None:
        self._clock = clock
        self._ping = ping
        self._confirmed = confirmed
        self._sent = received
        self._asked = received
        self._received = received
        self._mayAskAt = 0.0
        self._timer: IDelayedCall | None = None
        self._isStopped = False

    @property
    def isComplete(self) -> bool:
        """
        Whether the client has received all messages.
        """
        return self._received == self._sent

    def sent(self, serial: int) -> None:
        """
        Ask for the receipt of a message that was sent, and of those before it.
        """
        self._sent = max(self._sent, serial)
        self._schedule()

    def received(self, serial: int) -> None:
        """
        Confirm a message, and those before it, without asking.
        """
        self._sent = max(self._sent, serial)
        if serial > self._received:
            self._received = serial
            self._confirmed(serial)

    def ponged(self, params: Sequence[str]) -> None:
        """
        Called with the parameters of a PONG.
        """
        if self._asked > self._received and f"{CONFIRM_TOKEN}{self._asked}" in params:
            self.received(self._asked)
            self._schedule()

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._isStopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        # One PING at a time: the next one follows the answer.
        isWaiting = self._timer is not None or self._asked > self._received
        if not (isWaiting or self.isComplete or self._isStopped):
            delay = max(self._mayAskAt - self._clock.seconds(), 0)
            self._timer = self._clock.callLater(delay, self._ask)

    def _ask(self) -> None:
        self._timer = None
        if self.isComplete:
            return
        self._asked = self._sent
        self._mayAskAt = self._clock.seconds() + CONFIRM_INTERVAL
        self._ping(f"{CONFIRM_TOKEN}{self._asked}")
