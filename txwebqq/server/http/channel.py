"""
HTTP connections that are limited in time, and counted by address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import Request

from txwebqq.net.wholerequest import WholeRequestChannel
from txwebqq.ratelimit import networkOf
from txwebqq.server.http.proxies import isTrusted
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.limits import AddressLimits

HEADERS = {
    b"Cache-Control": (b"no-store",),
    b"X-Content-Type-Options": (b"nosniff",),
}
"""The headers of all replies that do not set them: replies are for one account, and
no browser should take them for a page or a script."""


class LimitedChannel(WholeRequestChannel):
    """
    A connection that a client cannot use to keep the server busy: it handles one
    request in a turn of the reactor, also if the client has sent many, and ends when
    a request or the reading of a reply takes too long.

    @ivar addresses: the counts of all connections; set by the site.
    @ivar idle: the persistent connections that wait for a request; set by the site.
    @ivar network: the text by which the address of the peer is counted.
    """

    # Instances with too many attributes have a dictionary of their own, which costs
    # more memory than a held poll.
    __slots__ = (
        "_bodyBefore",
        "_hasReceived",
        "_isBetween",
        "_isReading",
        "_next",
        "_unread",
        "addresses",
        "idle",
        "network",
    )

    addresses: AddressLimits
    idle: TimeoutQueue[LimitedChannel]
    usualHeaders = HEADERS

    def __init__(self) -> None:
        base: Any = super()
        base.__init__()
        self.network = ""
        self._hasReceived = False
        # Whether a request is complete and no next one has begun.
        self._isBetween = False
        self._isReading = True
        self._bodyBefore = 0
        self._next: IDelayedCall | None = None
        self._unread: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """
        Count the connection, and close it if its address has too many.
        """
        base: Any = super()
        base.connectionMade()
        self._limit(self.addresses.limits.seconds)
        self._enter(self._peer())

    def _peer(self) -> str:
        untyped: Any = self
        host = getattr(untyped.getPeer(), "host", "")
        # The addresses of its clients are in the requests.
        return "" if isTrusted(host, self.addresses.proxies) else networkOf(host)

    def _later(self, seconds: float, function: Callable[[], None]) -> IDelayedCall:
        untyped: Any = self
        call: IDelayedCall = untyped.callLater(seconds, function)
        return call

    def _limit(self, seconds: float) -> None:
        untyped: Any = self
        untyped.setTimeout(seconds)

    def _enter(self, network: str) -> bool:
        self.network = network
        isAdmitted = self.addresses.connected(network, self)
        if not isAdmitted:
            self.drop()
        return isAdmitted

    def _isReceivingBody(self) -> bool:
        return bool(self.requests) and not (self.line_mode or self._handlingRequest)

    def isIdle(self) -> bool:
        """
        Check whether no request of the connection is being answered.
        """
        return not self._handlingRequest

    def drop(self) -> None:
        """
        Close the connection at once.
        """
        transport: Any = self.transport
        transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """
        Handle data of the client.
        """
        if not self._hasReceived:
            self._hasReceived = True
            # The PROXY protocol has told the address of the client by now.
            peer = self._peer()
            if peer != self.network:
                self.addresses.disconnected(self.network, self)
                if not self._enter(peer):
                    return
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        base: Any = super()
        base.dataReceived(data)
        # Nearly all requests arrive whole, and then need no time.
        hasBegun = self._buffer or self.requests
        if hasBegun and self._isBetween and not self._handlingRequest:
            self._isBetween = False
            self.idle.discard(self)
            self._bodyBefore = 0
            self._limit(self.addresses.limits.seconds)

    def resetTimeout(self) -> None:
        """
        Do nothing: the time of a request begins with its first bytes, and further
        ones do not postpone its end.
        """

    def allContentReceived(self) -> None:
        """
        Handle a complete request.
        """
        self.idle.discard(self)
        base: Any = super()
        base.allContentReceived()

    def requestDone(self, request: Request) -> None:
        """
        Wait for the next request, or handle one that has arrived already in the next
        turn of the reactor.
        """
        self._isBetween = True
        if self.addresses.isClosing:
            self.persistent = False
        # One call on the clock for all idle connections.
        self._savedTimeOut = None
        if self.persistent:
            self.idle.add(self)
        if self.isUndisturbed and not self._dataBuffer:
            super().requestDone(request)
            return
        # Stops the loop over the lines that have been received.
        self.paused = True
        base: Any = super()
        base.requestDone(request)
        if not self._buffer or not self.persistent:
            self.paused = False
        elif self._next is None:
            producer: Any = self._networkProducer
            producer.pauseProducing()
            self._next = self._later(0, self._cbNext)

    def _cbNext(self) -> None:
        self._next = None
        self.paused = False
        if not self._waitingForTransport:
            producer: Any = self._networkProducer
            producer.resumeProducing()
        self._receive(b"")

    def pauseProducing(self) -> None:
        """
        Stop reading and writing, because the client does not read, or the recipient
        of its upload does not.
        """
        self._isReading = False
        base: Any = super()
        base.pauseProducing()
        if self._handlingRequest and self._unread is None:
            seconds = self.addresses.limits.unread
            self._unread = self._later(seconds, self._cbUnread)

    def resumeProducing(self) -> None:
        """
        Read and write again.
        """
        if not self._isReading and self._isReceivingBody():
            # The time that has passed was not the client's.
            self._limit(self.addresses.limits.seconds)
        self._isReading = True
        self._stopUnread()
        base: Any = super()
        base.resumeProducing()

    def _cbUnread(self) -> None:
        self._unread = None
        self.drop()

    def _stopUnread(self) -> None:
        unread, self._unread = self._unread, None
        if unread is not None:
            unread.cancel()

    def timeoutConnection(self) -> None:
        """
        Close a connection that is idle, or whose request arrives too slowly.
        """
        limits = self.addresses.limits
        if self._isReceivingBody():
            received = self.requests[-1].receivedSize
            more, self._bodyBefore = received - self._bodyBefore, received
            if not self._isReading or more >= limits.bytesASecond * limits.seconds:
                self._limit(limits.seconds)
                return
        if self._isBetween:
            self._abortingCall = self._later(self.abortTimeout, self.forceAbortClient)
            untyped: Any = self
            untyped.loseConnection()
        else:
            self.drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Count the connection no longer, and end its requests.
        """
        self.addresses.disconnected(self.network, self)
        self._stopUnread()
        self.idle.discard(self)
        following, self._next = self._next, None
        if following is not None:
            following.cancel()
        base: Any = super()
        base.connectionLost(reason)
