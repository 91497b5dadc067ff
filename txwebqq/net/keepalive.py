"""
HTTP client for one request that is repeated, such as a poll: a connection that
is kept open, and the part of HTTP/1.1 that its replies need.

treq spends most of the time of a poll on redirects, content encodings and the
parsing of URLs, none of which a poll has. Other requests need them and are sent
with treq.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

MAX_HEAD = 64 * 1024
"""Maximum size of the head of a reply, and of a line between chunks, in bytes."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: |\Z)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
# A line that begins with a space continues the line before.
_FOLD = re.compile(rb"\n[ \t]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|\Z)")


class InvalidResponse(Exception):
    """
    The data received is not an HTTP reply, or the reply is too long.
    """


class Response:
    """
    A reply.

    @ivar cookies: the values of C{Set-Cookie}.
    """

    __slots__ = ("body", "cookies", "status")

    def __init__(self, status: int, cookies: list[str], body: bytes) -> None:
        self.status = status
        self.cookies = cookies
        self.body = body


class _Exchange:
    """
    A request that waits for a connection or for its reply.

    @ivar mayRepeat: whether the request is sent again, on a new connection, when
        the present one is lost before the first byte of the reply: a connection
        that was used before may have been closed already.
    @ivar waiting: gets the reply, or the failure. Cancelling it closes the
        connection.
    """

    __slots__ = (
        "connecting",
        "connection",
        "mayRepeat",
        "request",
        "server",
        "waiting",
    )

    def __init__(self, server: str, request: bytes) -> None:
        self.server = server
        self.request = request
        self.mayRepeat = False
        self.connecting: Deferred[Any] | None = None
        self.connection: _KeepAliveConnection | None = None
        self.waiting: Deferred[Response] = Deferred(self._cancel)

    def _cancel(self, waiting: Deferred[Response]) -> None:
        if self.connection is not None:
            self.connection.abort()
        elif self.connecting is not None:
            self.connecting.cancel()


class _State(Enum):
    IDLE = "idle"
    HEAD = "head"
    LENGTH = "body of known length"
    CHUNKS = "body in chunks"
    END = "body up to the end of the connection"


class _KeepAliveConnection(Protocol):
    """
    A connection, and the request that waits for its reply.
    """

    def __init__(self, owner: KeepAliveClient) -> None:
        self._owner = owner
        self._state = _State.IDLE
        self._buffer = b""
        self._status = 0
        self._cookies: list[str] = []
        self._keeps = True
        # The length of the body, or of the current chunk, in bytes.
        self._length = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._isLast = False
        self._isCompressed = False
        self._exchange: _Exchange | None = None
        self._isAnswered = False
        self._lost: Deferred[None] | None = None

    def send(self, exchange: _Exchange) -> None:
        """
        Send a request. The connection must be idle.
        """
        self._exchange = exchange
        exchange.connection = self
        self._state = _State.HEAD
        self._isAnswered = False
        assert self.transport is not None
        self.transport.write(exchange.request)

    def dataReceived(self, data: bytes) -> None:
        self._isAnswered = True
        self._buffer = self._buffer + data if self._buffer else data
        try:
            self._read()
        except InvalidResponse as e:
            self._fail(Failure(e))

    def _read(self) -> None:
        if self._state is _State.IDLE:
            raise InvalidResponse("a reply without a request")
        while self._state is _State.HEAD:
            found = _HEAD_END.search(self._buffer)
            if found is None:
                if len(self._buffer) > MAX_HEAD:
                    raise InvalidResponse("the head of the reply has no end")
                return
            head = self._buffer[: found.start()]
            self._buffer = self._buffer[found.end() :]
            self._readHead(head)
        if self._state is _State.LENGTH:
            if len(self._buffer) >= self._length:
                body, rest = self._buffer[: self._length], self._buffer[self._length :]
                self._done(body, rest)
        elif self._state is _State.CHUNKS:
            self._readChunks()
        elif len(self._buffer) > self._owner.limit:
            raise InvalidResponse("the reply is too long")

    def _readHead(self, head: bytes) -> None:
        head = head.replace(b"\r\n", b"\n")
        if b"\n " in head or b"\n\t" in head:
            head = _FOLD.sub(b" ", head)
        first, *lines = head.split(b"\n")
        found = _STATUS.match(first)
        if found is None:
            raise InvalidResponse("the reply is not HTTP")
        self._status = int(found[2])
        if self._status < 200:
            # An interim response; the reply follows.
            return
        self._keeps = found[1] == b"1"
        self._cookies = []
        self._isCompressed = False
        state, length = _State.END, -1
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon:
                raise InvalidResponse("a header without a value")
            name, value = name.lower(), value.strip()
            if name == b"content-length":
                # Proxies repeat the number.
                for number in value.split(b","):
                    number = number.strip()
                    isLength = _LENGTH.fullmatch(number) is not None
                    if not isLength or length not in (-1, int(number)):
                        raise InvalidResponse("the length of the reply is not a number")
                    length = int(number)
            elif name == b"content-encoding":
                # Some proxies compress without being asked to.
                self._isCompressed = value.lower() in (b"gzip", b"x-gzip")
            elif name == b"transfer-encoding":
                if value.lower() != b"chunked":
                    raise InvalidResponse("the reply has an unknown encoding")
                state = _State.CHUNKS
            elif name == b"connection":
                words = [word.strip() for word in value.lower().split(b",")]
                self._keeps = b"close" not in words and (
                    self._keeps or b"keep-alive" in words
                )
            elif name == b"set-cookie":
                self._cookies.append(value.decode("latin-1"))
        if state is not _State.CHUNKS and length >= 0:
            state = _State.LENGTH
        if self._status in (204, 304):
            state, length = _State.LENGTH, 0
        if length > self._owner.limit:
            raise InvalidResponse("the reply is too long")
        self._state, self._length = state, length
        self._parts, self._size, self._isLast = [], 0, False
        if state is _State.CHUNKS:
            self._length = -1

    def _readChunks(self) -> None:
        while self._state is _State.CHUNKS:
            if self._length > 0:
                # The chunk and the line end after it.
                if len(self._buffer) < self._length + 2:
                    return
                chunk = self._buffer[: self._length]
                if self._buffer[self._length : self._length + 2] != b"\r\n":
                    raise InvalidResponse("a chunk has another length than announced")
                self._buffer = self._buffer[self._length + 2 :]
                self._parts.append(chunk)
                self._length = -1
                continue
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                if len(self._buffer) > MAX_HEAD:
                    raise InvalidResponse("a line between chunks has no end")
                return
            self._buffer = rest
            if self._isLast:
                # Trailers, which are ignored, up to an empty line.
                if not line:
                    self._done(b"".join(self._parts), self._buffer)
                continue
            found = _CHUNK.match(line)
            if found is None:
                raise InvalidResponse("a chunk has no length")
            self._length = int(found[1], 16)
            self._size += self._length
            if self._size > self._owner.limit:
                raise InvalidResponse("the reply is too long")
            self._isLast = self._length == 0

    def _response(self, body: bytes) -> Response:
        if self._isCompressed and body:
            body = _decompressed(body, self._owner.limit)
        return Response(self._status, self._cookies, body)

    def _done(self, body: bytes, rest: bytes) -> None:
        response = self._response(body)
        exchange, self._exchange = self._exchange, None
        self._state, self._buffer = _State.IDLE, b""
        if self._keeps and not rest:
            self._owner.connectionIdle(self)
        else:
            assert self.transport is not None
            self.transport.loseConnection()
        if exchange is not None:
            exchange.waiting.callback(response)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._owner.connectionUnusable(self)
        self._owner.connectionClosed(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._end(exchange, reason)
        if self._lost is not None:
            self._lost.callback(None)

    def _end(self, exchange: _Exchange, reason: Failure) -> None:
        if self._state is _State.END and reason.check(ConnectionDone):
            try:
                response = self._response(self._buffer)
            except InvalidResponse as e:
                exchange.waiting.errback(Failure(e))
            else:
                exchange.waiting.callback(response)
        elif exchange.mayRepeat and not self._isAnswered:
            self._owner.connect(exchange)
        else:
            exchange.waiting.errback(reason)

    def _fail(self, failure: Failure) -> None:
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.waiting.errback(failure)

    def whenLost(self) -> Deferred[None]:
        """
        Wait until the connection, which is open, is closed.
        """
        if self._lost is None:
            self._lost = Deferred()
        return self._lost

    def abort(self) -> None:
        """
        Close the connection at once. The Deferred of the request does not fire.
        """
        self._exchange, self._state = None, _State.IDLE
        self._owner.connectionUnusable(self)
        transport: Any = self.transport
        transport.abortConnection()


class KeepAliveClient:
    """
    Sends requests one after the other, and keeps the connection open as long as
    they go to the same server. The requests must be idempotent.

    @param endpoint: returns the endpoint of a server, given the part of a URL
        before its path.
    @param limit: the maximum size of a body, in bytes.
    """

    def __init__(
        self, endpoint: Callable[[str], IStreamClientEndpoint], limit: int
    ) -> None:
        self.limit = limit
        self._endpoint = endpoint
        self._factory = Factory.forProtocol(self._newConnection)
        self._factory.noisy = False
        self._idle: _KeepAliveConnection | None = None
        self._live: list[_KeepAliveConnection] = []
        # The server of the idle connection.
        self._server = ""

    def _newConnection(self) -> _KeepAliveConnection:
        connection = _KeepAliveConnection(self)
        self._live.append(connection)
        return connection

    def post(self, url: str, headers: bytes, body: bytes) -> Deferred[Response]:
        """
        Send a C{POST} request.

        @param headers: complete lines, except C{Host} and C{Content-Length}.

        @return: fires with the reply, also with an error status; fails with
            L{InvalidResponse}, or as connecting or the connection failed.
            Cancel it to close the connection.
        """
        server, path = split(url)
        host = server.partition("//")[2].encode("ascii")
        request = b"POST %b HTTP/1.1\r\nHost: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (
            path.encode("ascii"),
            host,
            headers,
            len(body),
            body,
        )
        exchange = _Exchange(server, request)
        connection, self._idle = self._idle, None
        if connection is not None and self._server == server:
            exchange.mayRepeat = True
            connection.send(exchange)
            return exchange.waiting
        if connection is not None:
            connection.abort()
        self._server = server
        self.connect(exchange)
        return exchange.waiting

    def connect(self, exchange: _Exchange) -> None:
        """
        Open a connection, and send a request over it.
        """
        exchange.mayRepeat = False
        exchange.connection = None
        connecting = self._endpoint(exchange.server).connect(self._factory)
        exchange.connecting = connecting

        def connected(connection: Any) -> None:
            connection.send(exchange)

        def failed(failure: Failure) -> None:
            if not exchange.waiting.called:
                exchange.waiting.errback(failure)

        connecting.addCallbacks(connected, failed)

    def connectionIdle(self, connection: _KeepAliveConnection) -> None:
        """
        Keep a connection that can take another request.
        """
        if self._idle is None:
            self._idle = connection
        else:
            connection.abort()

    def connectionUnusable(self, connection: _KeepAliveConnection) -> None:
        """
        Forget a connection that cannot take another request.
        """
        if self._idle is connection:
            self._idle = None

    def connectionClosed(self, connection: _KeepAliveConnection) -> None:
        """
        Forget a connection that is closed.
        """
        self._live.remove(connection)

    def close(self) -> Deferred[None]:
        """
        Close all connections.

        @return: fires when they are closed.
        """
        closing = []
        for connection in list(self._live):
            closing.append(connection.whenLost())
            connection.abort()
        return gatherResults(closing).addCallback(lambda _: None)


def _decompressed(body: bytes, limit: int) -> bytes:
    """
    Decompress a body.

    @raise InvalidResponse: when the body is not in the format of gzip, or
        becomes longer than C{limit}.
    """
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = reader.decompress(body, limit + 1)
    except zlib.error as e:
        raise InvalidResponse("the reply cannot be decompressed") from e
    if len(data) > limit:
        raise InvalidResponse("the reply is too long")
    if not reader.eof:
        raise InvalidResponse("the compressed reply has no end")
    return data


def split(url: str) -> tuple[str, str]:
    """
    Divide a URL into its server and its path.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", f"{slash or '/'}{path}"
