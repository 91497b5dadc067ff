"""
Setup of treq: a connection pool that does not log, and a cookie jar that stays
empty. Both are made when they are first needed: most accounts never send a file.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseNeverReceived,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse

IDLE_TIMEOUT = 45
"""Seconds for which an idle connection is kept; servers close theirs after a
minute or more."""

MAX_CONNECTIONS = 8
"""Idle connections kept to each host."""

# Its methods have no annotations.
_Pool: Any = HTTPConnectionPool

# The factory logs each connection that is opened or closed.
_QuietFactory: Any = type("_QuietFactory", (_Pool._factory,), {"noisy": False})


class StaleConnection(ResponseNeverReceived):
    """
    A connection that had been used before was lost before the first byte of the
    reply. The server has usually closed it after the reply before, and has not
    seen the request.
    """

    def __init__(self, reasons: list[Failure]) -> None:
        Exception.__init__(self, reasons)
        self.reasons = reasons


class _ReusedConnection:
    """
    A connection of the pool that has been used before, for one request.
    """

    def __init__(self, connection: Any, pool: ConnectionPool, key: Hashable) -> None:
        self._connection = connection
        self._pool = pool
        self._key = key

    def request(self, request: Any) -> Deferred[IResponse]:
        """
        Send a request.

        @return: fires with the response; fails with L{StaleConnection} when the
            connection is lost before it.
        """
        asked: Deferred[IResponse] = self._connection.request(request)
        return asked.addCallbacks(self._responded, self._failed)

    def _responded(self, response: IResponse) -> IResponse:
        self._pool.keepsOpen(self._key)
        return response

    def _failed(self, failure: Failure) -> Failure:
        error = failure.value
        if not isinstance(error, (RequestTransmissionFailed, ResponseNeverReceived)):
            return failure
        if any(reason.check(CancelledError) for reason in error.reasons):
            return failure
        self._pool.closesEarly(self._key)
        return Failure(StaleConnection(error.reasons))


class ConnectionPool(HTTPConnectionPool):
    """
    Persistent connections that are used again only if the server keeps them
    open. A request is never sent twice.

    A server says that it closes a connection by C{Connection: close}, in upper
    or lower case, or by speaking HTTP/1.0; some do not say it. So a server
    counts as one that keeps connections open from the first time that one of
    them was used twice.
    """

    _factory = _QuietFactory
    retryAutomatically = False
    cachedConnectionTimeout = IDLE_TIMEOUT
    maxPersistentPerHost = MAX_CONNECTIONS

    def __init__(self, reactor: Any) -> None:
        _Pool.__init__(self, reactor)
        # The servers that have kept a connection open.
        self._keeping: set[Hashable] = set()
        self._isReused = False

    def getConnection(
        self, key: Hashable, endpoint: IStreamClientEndpoint
    ) -> Deferred[Any]:
        self._isReused = True
        found: Deferred[Any] = super().getConnection(key, endpoint)
        if not self._isReused:
            return found
        return found.addCallback(_ReusedConnection, self, key)

    def _newConnection(
        self, key: Hashable, endpoint: IStreamClientEndpoint
    ) -> Deferred[Any]:
        self._isReused = False
        return super()._newConnection(key, endpoint)

    def _putConnection(self, key: Hashable, connection: Any) -> None:
        # Twisted looks for "close" in lower case only, and not at the version.
        parser = connection._parser
        if _isPersistent(parser.response.version, parser.connHeaders):
            _Pool._putConnection(self, key, connection)
        else:
            connection.transport.loseConnection()

    def closeCachedConnections(self) -> Deferred[None]:
        closed: Deferred[None] = _Pool.closeCachedConnections(self)
        return closed

    def keepsOpen(self, key: Hashable) -> None:
        """
        Remember that a server has answered twice on one connection.
        """
        self._keeping.add(key)

    def closesEarly(self, key: Hashable) -> None:
        """
        Close the idle connections to a server that has closed one, and forget
        that it keeps connections open.
        """
        self._keeping.discard(key)
        for connection in list(self._connections.get(key, ())):
            self._timeouts[connection].cancel()
            _Pool._removeConnection(self, key, connection)

    def closeUntried(self) -> None:
        """
        Close the idle connections to servers that have not kept a connection
        open so far, because the request that follows must not be lost with one.
        """
        for key, idle in self._connections.items():
            if idle and key not in self._keeping:
                self.closesEarly(key)


def _isPersistent(version: tuple[bytes, int, int], headers: Headers) -> bool:
    """
    Tell whether a server keeps a connection open after a response.

    @param headers: the headers of the response that are about the connection.
    """
    values = headers.getRawHeaders(b"Connection", ())
    words = {word.strip() for word in b",".join(values).lower().split(b",")}
    if b"close" in words:
        return False
    return version[1:] >= (1, 1) or b"keep-alive" in words


class NullCookieJar(IndexableCookieJar):
    """
    A cookie jar for treq that neither sends nor keeps cookies: treq has one jar
    for all requests, and each account has its own
    L{CookieStore<txwebqq.net.cookies.CookieStore>}.
    """

    def add_cookie_header(self, request: Any) -> None: ...

    def extract_cookies(self, response: Any, request: Any) -> None: ...


class LazyTreq:
    """
    treq with its own connections, which is made with the first request.

    @param endpoints: makes the endpoints of the servers.
    """

    def __init__(self, reactor: Any, endpoints: IAgentEndpointFactory) -> None:
        self._reactor = reactor
        self._endpoints = endpoints
        self._pool: ConnectionPool | None = None
        self._request: Callable[..., Deferred[Any]] | None = None

    @property
    def request(self) -> Callable[..., Deferred[Any]]:
        """
        The method of treq's C{HTTPClient}.
        """
        if self._request is None:
            self._pool = ConnectionPool(self._reactor)
            agent = Agent.usingEndpointFactory(
                self._reactor, self._endpoints, self._pool
            )
            self._request = HTTPClient(agent, NullCookieJar()).request
        return self._request

    def closeUntried(self) -> None:
        """
        See L{ConnectionPool.closeUntried}.
        """
        if self._pool is not None:
            self._pool.closeUntried()

    def close(self) -> Deferred[None]:
        """
        Close the idle connections.

        @return: fires when they are closed.
        """
        if self._pool is None:
            return succeed(None)
        return self._pool.closeCachedConnections()
