"""
HTTP connections that are watched for the arrival of replies.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from zope.interface import implementer

from txwebqq.net.site import SiteWithoutAccessLog
from txwebqq.server.http.channel import LimitedChannel
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.limits import AddressLimits
from txwebqq.server.sessions.acknowledgement import Outcome

LINGER = 20
"""Time for which a connection that is closed for writing may stay open, in
seconds."""

ACKNOWLEDGED_WITHIN = 1.0
"""Time after which a client's system has acknowledged the data that has reached
it, in seconds: systems delay TCP acknowledgements, but not as long."""


class HTTPReply:
    """
    A reply that was written to a connection, and what is known of its arrival.

    @param isKept: whether the connection is persistent.
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
        Check whether the reply was written to this connection, and the
        connection is open.
        """
        return connection is not None and connection is self._connection

    def ended(self, outcome: Outcome) -> None:
        """
        Record the end of the connection; only the first call has an effect.
        """
        if self._outcome is None:
            if outcome is Outcome.CLOSED and not self._isKept:
                # The client asked for the connection to be closed.
                outcome = Outcome.ARRIVED
            self._outcome = outcome
        self._connection = None

    def lost(self, isClean: bool, isSecure: bool) -> None:
        """
        Record that the connection is closed, if nothing else is known of its
        end.
        """
        if isClean:
            self.ended(Outcome.CLOSED)
        elif isSecure and not self._isKept:
            # Without close_notify, which many clients do not send, a normal end
            # cannot be told from a reset.
            self.ended(Outcome.SILENT)
        else:
            self.ended(Outcome.BROKEN)

    def outcome(self) -> Outcome:
        """
        Return the present state.
        """
        if self._outcome is not None:
            return self._outcome
        connection = self._connection
        isOld = self._seconds() - self._written >= ACKNOWLEDGED_WITHIN
        if connection is not None and isOld and connection.hasUnreceived():
            return Outcome.UNRECEIVED
        return Outcome.ARRIVED


@implementer(IHalfCloseableProtocol)
class WatchedConnection(LimitedChannel):
    """
    A connection whose last reply can be watched.

    A connection that is not persistent is closed for writing only after a
    watched reply, until the client closes it, so that the number of
    unacknowledged bytes shows whether the reply has arrived. This does not work
    for TLS connections and behind a proxy.
    """

    _watched: HTTPReply | None = None
    _isLingering = False

    def watch(self, seconds: Callable[[], float]) -> HTTPReply:
        """
        Watch the reply that is written next.
        """
        self._watched = HTTPReply(self, bool(self.persistent), seconds)
        return self._watched

    def dataReceived(self, data: bytes) -> None:
        if self._isLingering:
            return
        # The client sends its next request, so it has received the reply.
        self._watched = None
        super().dataReceived(data)

    def loseConnection(self) -> None:
        """
        Close the connection after all written data has been sent.
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
        Close the connection of a client that has not closed it in time.
        """
        if not self._isLingering:
            super().timeoutConnection()
            return
        if self._watched is not None:
            isWhole = not self.hasUnreceived()
            self._watched.ended(Outcome.ARRIVED if isWhole else Outcome.UNRECEIVED)
        transport: Any = self.transport
        transport.abortConnection()

    def writeConnectionLost(self) -> None:
        """
        Do nothing when the connection is closed for writing
        (L{IHalfCloseableProtocol}).
        """

    def readConnectionLost(self) -> None:
        """
        Close the connection when the client has closed its side
        (L{IHalfCloseableProtocol}).
        """
        if self._watched is not None:
            isWhole = not self.hasUnreceived()
            self._watched.ended(Outcome.CLOSED if isWhole else Outcome.UNRECEIVED)
        transport: Any = self.transport
        transport.connectionLost(Failure(ConnectionDone()))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Record the end for the watched reply, and end the requests on the
        connection.
        """
        watched, self._watched = self._watched, None
        if watched is not None:
            isClean = reason.check(ConnectionDone) is not None
            if self.hasUnreceived():
                watched.ended(Outcome.UNRECEIVED)
            watched.lost(isClean, bool(self.isSecure()))  # type: ignore[no-untyped-call]
        super().connectionLost(reason)

    def hasUnreceived(self) -> bool:
        """
        Check whether the client's system has not acknowledged all written data.
        """
        transport: Any = self.transport
        # Data that was written in this turn of the reactor is not sent yet.
        if getattr(transport, "dataBuffer", b"") or getattr(
            transport, "_tempDataBuffer", ()
        ):
            return True
        handle = getattr(transport, "socket", None)
        if not isinstance(handle, socket.socket):
            return False
        try:
            # SIOCOUTQ: the number of bytes that are not acknowledged.
            answer = fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            return False
        # Closing for writing counts as one byte.
        return bool(struct.unpack("i", answer)[0] > self._isLingering)


class WatchedSite(SiteWithoutAccessLog):
    """
    A L{SiteWithoutAccessLog} whose connections are limited, and whose replies can be
    watched.

    @param addresses: the counts of all connections.
    @param timeout: the time after which an idle connection is closed, in seconds.
    """

    name = "WebQQ server"

    protocol = WatchedConnection

    def __init__(
        self,
        resource: IResource,
        addresses: AddressLimits,
        timeout: float,
        **options: Any,
    ) -> None:
        base: Any = super()
        base.__init__(resource, timeout=timeout, **options)
        self._addresses = addresses
        reactor: Any = self.reactor
        self._callLater = reactor.callLater
        self._idle = TimeoutQueue[LimitedChannel](
            reactor, timeout, LimitedChannel.timeoutConnection
        )

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Make the protocol of a connection.
        """
        base: Any = super()
        channel = base.buildProtocol(addr)
        channel.addresses = self._addresses
        channel.idle = self._idle
        # Not a bound method of its own for each connection.
        channel.callLater = self._callLater
        return channel

    def close(self) -> None:
        """
        Close the connections that wait for a request, and each other one after its
        next reply, so that no proxy sends another request on them.
        """
        self._addresses.isClosing = True
        for channel in self._idle.clear():
            untyped: Any = channel
            untyped.loseConnection()
