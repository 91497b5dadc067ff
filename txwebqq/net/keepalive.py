"""
HTTP client for short requests: a few connections to each server, which are kept
open, and the requests that wait for one.

treq spends most of the time of a request on redirects, headers, content encodings
and the parsing of URLs, none of which these requests need. Uploads and downloads do,
and are sent with treq.

The server may have closed a connection that is kept open, and the client does not
know it yet. So a request that is lost with a used connection before the first byte
of its reply is sent once more, on a new one, if that does no harm. All others take a
used connection only when the server has shown before that it keeps connections open,
and are never sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from txwebqq.errors import NotSent, Unreachable
from txwebqq.net.directwrite import writeNow
from txwebqq.net.httpresponse import InvalidResponse, Response, ResponseReader

MAX_CONNECTIONS = 8
"""Connections to each server; more requests wait for one."""

IDLE_TIMEOUT = 20.0
"""Seconds for which an idle connection is kept; servers close theirs after a
minute or more."""

NO_ADDRESS = "the address is not a URL"
"""The reason of a failure for a text in the place of a URL."""


class _Exchange:
    """
    A request that waits for a connection or for its reply.

    @ivar isIdempotent: whether the request may be sent twice.
    @ivar isReused: whether its connection was used before.
    """

    __slots__ = (
        "_limit",
        "_replied",
        "_timeout",
        "connecting",
        "connection",
        "host",
        "isIdempotent",
        "isReused",
        "request",
    )

    def __init__(
        self,
        host: _Host,
        request: Sequence[bytes],
        isIdempotent: bool,
        timeout: float,
    ) -> None:
        self.host = host
        self.request = request
        self.isIdempotent = isIdempotent
        self.isReused = False
        self.connecting: Deferred[Any] | None = None
        self.connection: _Connection | None = None
        # Until it fires: a reference to it longer than that would be a cycle.
        self._replied: Deferred[Response] | None = None
        self._timeout = timeout
        self._limit: IDelayedCall | None = None

    def whenReplied(self) -> Deferred[Response]:
        """
        Make the Deferred of the request, which fires with the reply, or fails.
        Cancelling it closes the connection.
        """
        self._replied = Deferred(self._cancelled)
        return self._replied

    def begin(self, clock: IReactorTime) -> None:
        """
        Let the time run, from when the request does not wait for others.
        """
        if self._limit is None:
            self._limit = clock.callLater(self._timeout, self._expired)

    def succeed(self, response: Response) -> None:
        """
        End with a reply.
        """
        replied = self._end()
        if replied is not None:
            replied.callback(response)

    def fail(self, failure: Failure) -> None:
        """
        End with a failure, unless this has ended before.
        """
        replied = self._end()
        if replied is not None:
            replied.errback(failure)

    def _end(self) -> Deferred[Response] | None:
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.cancel()
        self.connection = None
        replied, self._replied = self._replied, None
        return replied

    def _expired(self) -> None:
        self._limit = None
        replied, self._replied = self._replied, None
        assert replied is not None
        self._drop()
        reason = f"no complete reply within {self._timeout:g} s"
        replied.errback(Unreachable(reason))

    def _cancelled(self, replied: Deferred[Response]) -> None:
        self._drop()
        self._end()

    def _drop(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.abort()
        elif self.connecting is not None:
            self.connecting.cancel()
        elif self in self.host.waiting:
            self.host.waiting.remove(self)


class _Host:
    """
    The connections to one server, and the requests that wait for one.

    @ivar server: the part of a URL before its path.
    @ivar connections: those that can be used, busy or idle.
    @ivar idle: those that can be used at once, the last used one at the end.
    @ivar connecting: the number of connections that are being opened.
    @ivar keepsOpen: whether the server has answered twice on one connection, and
        has closed none early since then.
    """

    __slots__ = ("connecting", "connections", "idle", "keepsOpen", "server", "waiting")

    def __init__(self, server: str) -> None:
        self.server = server
        self.connections: list[_Connection] = []
        self.idle: list[_Connection] = []
        self.waiting: list[_Exchange] = []
        self.connecting = 0
        self.keepsOpen = False

    @property
    def isBelowLimit(self) -> bool:
        """
        Whether one more connection may be opened.
        """
        return len(self.connections) + self.connecting < MAX_CONNECTIONS


class _Connection(Protocol):
    """
    A connection, and the request that waits for its reply.

    @ivar idleSince: the time at which its last request ended.
    @ivar isOld: whether it may not be used again.
    """

    def __init__(self, owner: KeepAliveClient, host: _Host) -> None:
        self._owner = owner
        self._host = host
        self._reader = ResponseReader(owner.limit)
        self._exchange: _Exchange | None = None
        self._lost: Deferred[None] | None = None
        self.idleSince = 0.0
        self.isOld = False

    def send(self, exchange: _Exchange) -> None:
        """
        Send a request. The connection must be idle.
        """
        self._exchange = exchange
        exchange.connection = self
        writeNow(self.transport, b"".join(exchange.request))

    def dataReceived(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            # Nothing was asked.
            self.abort()
            return
        try:
            response = self._reader.feed(data)
        except InvalidResponse as e:
            self.abort()
            exchange.fail(Failure(e))
            return
        if response is not None:
            self._replied(exchange, response)

    def _replied(self, exchange: _Exchange, response: Response) -> None:
        self._exchange = None
        if exchange.isReused:
            self._host.keepsOpen = True
        if self._reader.keeps and not self.isOld:
            self._owner.connectionIdle(self, self._host)
        else:
            self._owner.connectionUnusable(self, self._host)
            assert self.transport is not None
            self.transport.loseConnection()
        exchange.succeed(response)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        exchange, self._exchange = self._exchange, None
        problem = getattr(self.transport, "certificateProblem", "")
        if problem:
            reason = Failure(NotSent(f"certificate verify failed: {problem}"))
        if exchange is None:
            self._owner.connectionUnusable(self, self._host)
        elif exchange.isReused and not self._reader.isBegun:
            self._owner.connectionStale(self, self._host, exchange, reason)
        else:
            self._owner.connectionUnusable(self, self._host)
            self._end(exchange, reason)
        self._owner.connectionClosed(self)
        if self._lost is not None:
            self._lost.callback(None)

    def _end(self, exchange: _Exchange, reason: Failure) -> None:
        response = None
        if reason.check(ConnectionDone):
            try:
                response = self._reader.end()
            except InvalidResponse as e:
                reason = Failure(e)
        if response is None:
            exchange.fail(reason)
        else:
            exchange.succeed(response)

    def whenLost(self) -> Deferred[None]:
        """
        Wait until the connection, which is open, is closed.
        """
        if self._lost is None:
            self._lost = Deferred()
        return self._lost

    @property
    def isBusy(self) -> bool:
        """
        Whether a request waits for its reply.
        """
        return self._exchange is not None

    def abort(self) -> None:
        """
        Close the connection at once. The Deferred of its request does not fire.
        """
        self._exchange = None
        self._owner.connectionUnusable(self, self._host)
        transport: Any = self.transport
        transport.abortConnection()


class _ConnectionFactory(Factory):
    """
    Makes the connections to one server.
    """

    noisy = False

    def __init__(self, owner: KeepAliveClient, host: _Host) -> None:
        self._owner = owner
        self._host = host

    def buildProtocol(self, address: IAddress | None) -> _Connection:
        return self._owner.newConnection(self._host)


class KeepAliveClient:
    """
    Sends requests over connections that are kept open.

    @param endpoint: returns the endpoint of a server, given the part of a URL
        before its path.
    @param limit: the maximum size of the body of a reply, in bytes.
    """

    def __init__(
        self,
        endpoint: Callable[[str], IStreamClientEndpoint],
        limit: int,
        clock: IReactorTime,
    ) -> None:
        self.limit = limit
        self._endpoint = endpoint
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        # Those that are not closed yet, also when they cannot be used any more.
        self._open: list[_Connection] = []
        # Closes what has been idle for long.
        self._sweep: IDelayedCall | None = None

    def send(
        self,
        server: str,
        request: Sequence[bytes],
        isIdempotent: bool,
        timeout: float,
    ) -> Deferred[Response]:
        """
        Send a request. Requests for which there is no connection wait for those
        before them.

        @param server: the part of a URL before its path.
        @param request: the request in parts, from its first line to the end of its
            body.
        @param isIdempotent: whether the request may be sent twice.
        @param timeout: the seconds within which the whole reply has to come, after
            those before it have ended.

        @return: fires with the reply, also with an error status; fails with
            L{InvalidResponse}, with L{Unreachable} when there is no reply in time,
            with L{NotSent} when the host has no valid name, or as connecting or the
            connection failed. Cancel it to close the connection.
        """
        host = self._hosts.get(server)
        if host is None:
            host = self._hosts[server] = _Host(server)
        exchange = _Exchange(host, request, isIdempotent, timeout)
        replied = exchange.whenReplied()
        self._start(host, exchange)
        return replied

    def _start(self, host: _Host, exchange: _Exchange) -> None:
        if host.idle and not (exchange.isIdempotent or host.keepsOpen):
            self._closeIdle(host)
        if host.idle:
            exchange.begin(self._clock)
            exchange.isReused = True
            host.idle.pop().send(exchange)
        elif host.isBelowLimit:
            exchange.begin(self._clock)
            self._connect(host, exchange)
        else:
            host.waiting.append(exchange)

    def _startWaiting(self, host: _Host) -> None:
        while host.waiting and (host.idle or host.isBelowLimit):
            self._start(host, host.waiting.pop(0))

    def _connect(self, host: _Host, exchange: _Exchange) -> None:
        exchange.isReused = False
        host.connecting += 1
        factory = _ConnectionFactory(self, host)
        connecting = exchange.connecting = maybeDeferred(self._dial, host, factory)
        connecting.addCallbacks(
            self._connected,
            self._notConnected,
            (host, exchange),
            errbackArgs=(host, exchange),
        )

    def _dial(self, host: _Host, factory: _ConnectionFactory) -> Deferred[Any]:
        return self._endpoint(host.server).connect(factory)

    def newConnection(self, host: _Host) -> _Connection:
        """
        Make the protocol of a connection.
        """
        connection = _Connection(self, host)
        self._open.append(connection)
        return connection

    def _connected(
        self, connection: _Connection, host: _Host, exchange: _Exchange
    ) -> None:
        host.connecting -= 1
        exchange.connecting = None
        host.connections.append(connection)
        connection.send(exchange)

    def _notConnected(self, failure: Failure, host: _Host, exchange: _Exchange) -> None:
        host.connecting -= 1
        exchange.connecting = None
        self._startWaiting(host)
        if failure.check(ValueError):
            # The endpoint does not accept the name of the host.
            failure = Failure(NotSent(NO_ADDRESS))
        exchange.fail(failure)

    def connectionIdle(self, connection: _Connection, host: _Host) -> None:
        """
        Keep a connection that can take another request.
        """
        connection.idleSince = self._clock.seconds()
        host.idle.append(connection)
        self._startWaiting(host)
        if self._sweep is None:
            self._sweep = self._clock.callLater(IDLE_TIMEOUT, self._closeOld)

    def connectionUnusable(self, connection: _Connection, host: _Host) -> None:
        """
        Forget a connection that cannot take another request.
        """
        if connection in host.connections:
            host.connections.remove(connection)
            if connection in host.idle:
                host.idle.remove(connection)
            self._startWaiting(host)

    def connectionStale(
        self,
        connection: _Connection,
        host: _Host,
        exchange: _Exchange,
        reason: Failure,
    ) -> None:
        """
        Take back a request whose connection was lost before the first byte of
        the reply, although it had been answered before.
        """
        host.keepsOpen = False
        self._closeIdle(host)
        exchange.connection = None
        if exchange.isIdempotent:
            # In the place of the lost connection, whose request is sent next.
            host.connections.remove(connection)
            self._connect(host, exchange)
        else:
            self.connectionUnusable(connection, host)
            exchange.fail(reason)

    def connectionClosed(self, connection: _Connection) -> None:
        """
        Forget a connection that is closed.
        """
        self._open.remove(connection)

    def _closeIdle(self, host: _Host) -> None:
        idle, host.idle = host.idle, []
        for connection in idle:
            host.connections.remove(connection)
            connection.abort()

    def _closeOld(self) -> None:
        self._sweep = None
        now, oldest = self._clock.seconds(), None
        for host in self._hosts.values():
            for connection in host.idle[:]:
                if now - connection.idleSince >= IDLE_TIMEOUT:
                    connection.abort()
                elif oldest is None or connection.idleSince < oldest:
                    oldest = connection.idleSince
        if oldest is not None:
            left = oldest + IDLE_TIMEOUT - now
            self._sweep = self._clock.callLater(left, self._closeOld)

    def renew(self) -> None:
        """
        Use no connection again that is open now.
        """
        for host in self._hosts.values():
            self._closeIdle(host)
        for connection in self._open:
            connection.isOld = True

    def close(self) -> Deferred[None]:
        """
        Close the connections that are not busy.

        @return: fires when they are closed.
        """
        sweep, self._sweep = self._sweep, None
        if sweep is not None:
            sweep.cancel()
        closing = []
        for connection in self._open[:]:
            if not connection.isBusy:
                closing.append(connection.whenLost())
                connection.abort()
        return gatherResults(closing).addCallback(lambda _: None)
