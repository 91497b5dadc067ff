"""
Line transport of one IRC client: a bounded send queue, and lines of bounded
length in the client's encoding.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.gateway.sendqueue import SendQueue
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


class ClientConnection(LineConnection):
    """
    The connection of one IRC client. The buffers in both directions are
    bounded. No line sent is longer than L{MAX_LINE}, since clients do not
    expect more; a line received may have L{MAX_RECEIVED}.

    @ivar address: the client's IP address.
    """

    _log = Logger()
    pingInterval = PING_INTERVAL
    # A client that writes GB18030 does not read UTF-8.
    followsEncoding = True

    def __init__(self, clock: IReactorTime, address: str, serverName: str) -> None:
        super().__init__(clock, serverName, maxReceived=MAX_RECEIVED)
        self.address = address
        self._sendQueue: SendQueue | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._sendQueue = SendQueue(self._wire, self._overflowed)
        self._wire.registerProducer(self._sendQueue, True)

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
        self._sendQueue = None
        self._wire.unregisterProducer()
        self.disconnect()

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
        part = splitText(last, space, self.encoding)[0]
        return line._replace(params=(*middle, part))
