"""
HTTP connections that tell what became of the answers written to them.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.net.site import HTTP11Channel, SiteWithoutAccessLog
from txwebqq.server.sessions.acknowledgement import Outcome

LINGER = 20
"""The seconds for which a client may leave a connection open that we have
closed for writing."""

ACKNOWLEDGED_WITHIN = 1.0
"""The seconds after which the client's system has acknowledged what reached
it; systems delay that, but not so long."""


class WatchedAnswer:
    """
    An answer on a connection, and what is known of its arrival.

    @param isKept: whether the connection is to stay open after the answer.
    """

    __slots__ = ("_connection", "_isKept", "_outcome", "_seconds", "_written")

    def __init__(
        self,
        connection: WatchedConnection,
        isKept: bool,
        seconds: Callable[[], float],
    ) -> None:
        self._connection: WatchedConnection | None = connection
        self._isKept = isKept
        self._seconds = seconds
        self._written = seconds()
        self._outcome: Outcome | None = None

    def isOn(self, connection: object) -> bool:
        """
        Whether the answer was written to this connection, and it is open.
        """
        return connection is not None and connection is self._connection

    def ended(self, outcome: Outcome) -> None:
        """
        The connection is closed; the first of several reports counts.
        """
        if self._outcome is None:
            if outcome is Outcome.CLOSED and not self._isKept:
                # A client that asked for the connection to be closed closes
                # it, too.
                outcome = Outcome.ARRIVED
            self._outcome = outcome
        self._connection = None

    def lost(self, isClean: bool, isSecure: bool) -> None:
        """
        The connection is closed, and nothing more can be learned of it.
        """
        if isClean:
            self.ended(Outcome.CLOSED)
        elif isSecure and not self._isKept:
            # Many clients send no close_notify, and a reset looks alike.
            self.ended(Outcome.SILENT)
        else:
            self.ended(Outcome.BROKEN)

    def outcome(self) -> Outcome:
        """
        What is known now.
        """
        if self._outcome is not None:
            return self._outcome
        connection = self._connection
        isOld = self._seconds() - self._written >= ACKNOWLEDGED_WITHIN
        if connection is not None and isOld and connection.hasUnreceived():
            return Outcome.UNRECEIVED
        return Outcome.ARRIVED


@implementer(IHalfCloseableProtocol)
class WatchedConnection(HTTP11Channel):
    """
    A connection whose last answer may be watched.

    A connection that is to be closed after a watched answer is closed for
    writing only, until the client closes it: what is reported then, or the
    lack of it, tells whether the answer has arrived. That is not known of TLS
    connections, and not beyond a proxy.
    """

    _watched: WatchedAnswer | None = None
    _isLingering = False

    def watch(self, seconds: Callable[[], float]) -> WatchedAnswer:
        """
        Watch the answer that is written now.
        """
        self._watched = WatchedAnswer(self, bool(self.persistent), seconds)
        return self._watched

    def dataReceived(self, data: bytes) -> None:
        if self._isLingering:
            return
        # The client goes on, so it has got the answer.
        self._watched = None
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def loseConnection(self) -> None:
        """
        Close the connection, when all that was written has left.
        """
        transport: Any = self.transport
        closeWriting: Any = getattr(transport, "loseWriteConnection", None)
        isTold = closeWriting is not None and not self.isSecure()  # type: ignore[no-untyped-call]
        if self._watched is None or not isTold or self._isLingering:
            super().loseConnection()  # type: ignore[no-untyped-call]
            return
        self._isLingering = True
        producer: Any = self._networkProducer
        producer.unregisterProducer()
        transport.resumeProducing()
        self.setTimeout(LINGER)  # type: ignore[no-untyped-call]
        closeWriting()

    def timeoutConnection(self) -> None:
        """
        Give up a client that is silent.
        """
        if not self._isLingering:
            super().timeoutConnection()  # type: ignore[no-untyped-call]
            return
        if self._watched is not None:
            isWhole = not self.hasUnreceived()
            self._watched.ended(Outcome.ARRIVED if isWhole else Outcome.UNRECEIVED)
        transport: Any = self.transport
        transport.abortConnection()

    def writeConnectionLost(self) -> None:
        """
        All of a last answer has left (L{IHalfCloseableProtocol}).
        """

    def readConnectionLost(self) -> None:
        """
        The client has closed its side; a connection that is half open is of
        use to nobody (L{IHalfCloseableProtocol}).
        """
        if self._watched is not None:
            isWhole = not self.hasUnreceived()
            self._watched.ended(Outcome.CLOSED if isWhole else Outcome.UNRECEIVED)
        transport: Any = self.transport
        transport.connectionLost(Failure(ConnectionDone()))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Tell what is watched, and the requests on the connection, that it is
        over.
        """
        watched, self._watched = self._watched, None
        if watched is not None:
            isClean = reason.check(ConnectionDone) is not None
            if self.hasUnreceived():
                watched.ended(Outcome.UNRECEIVED)
            watched.lost(isClean, bool(self.isSecure()))  # type: ignore[no-untyped-call]
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def hasUnreceived(self) -> bool:
        """
        Whether the client's system has not acknowledged all that was written.
        """
        transport: Any = self.transport
        # What was written in this turn of the reactor has not left yet.
        if getattr(transport, "dataBuffer", b"") or getattr(
            transport, "_tempDataBuffer", ()
        ):
            return True
        handle = getattr(transport, "socket", None)
        if not isinstance(handle, socket.socket):
            return False
        try:
            # SIOCOUTQ: what was written and is not acknowledged.
            answer = fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            return False
        # The end of what we write counts as one.
        return bool(struct.unpack("i", answer)[0] > self._isLingering)


class WatchedSite(SiteWithoutAccessLog):
    """
    A L{SiteWithoutAccessLog} whose answers can be watched.
    """

    protocol = WatchedConnection
