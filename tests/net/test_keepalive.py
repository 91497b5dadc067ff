"""
The connection for what is asked over and over, byte by byte.
"""

from __future__ import annotations

import gzip
import itertools
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import (
    ConnectError,
    ConnectionDone,
    ConnectionLost,
)
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from txwebqq.net.keepalive import MAX_HEAD, InvalidResponse, KeepAliveClient, Response

LIMIT = 1000
URL = "http://d.web2.qq.com/channel/poll2"


class Transport(StringTransport):
    """
    Knows whether it was cut off.
    """

    isAborted = False

    def abortConnection(self) -> None:
        self.isAborted = True


class Endpoint:
    """
    Connects at once, or when it is told to.
    """

    def __init__(self) -> None:
        self.protocols: list[Any] = []
        self.servers: list[str] = []
        self.waiting: Deferred[Any] | None = None

    def connect(self, factory: Any) -> Deferred[Any]:
        if self.waiting is not None:
            return self.waiting
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(Transport())
        self.protocols.append(protocol)
        return succeed(protocol)


class Scene:
    """
    A client with its requests, and the server's end of its connections.
    """

    def __init__(self) -> None:
        self.endpoint = Endpoint()

        def find(server: str) -> Any:
            self.endpoint.servers.append(server)
            return self.endpoint

        self.keepAlive = KeepAliveClient(find, LIMIT)

    def ask(self, url: str = URL) -> list[Any]:
        """
        Ask; what comes of it is put in the list.
        """
        results: list[Any] = []
        self.keepAlive.post(url, b"X: y\r\n", b"r=1").addBoth(results.append)
        return results

    @property
    def last(self) -> Any:
        """
        The connection that was made last.
        """
        return self.endpoint.protocols[-1]

    def reply(self, data: bytes) -> None:
        """
        Give the client these bytes, as the server.
        """
        self.last.dataReceived(data)

    def lose(self, reason: type[Exception] = ConnectionDone) -> None:
        """
        The connection ends.
        """
        self.last.connectionLost(Failure(reason()))


def reasonOf(result: Any) -> type[BaseException]:
    assert isinstance(result, Failure)
    assert result.type is not None
    return result.type


SQUEEZED = gzip.compress(b"hello", mtime=0)
ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", True),
    (b"HTTP/1.1 200 OK\r\ncontent-length:5\r\nSet-Cookie: a=b\r\n\r\nhello", True),
    (
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
        ),
        True,
    ),
    (
        (
            b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        ),
        True,
    ),
    (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        False,
    ),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
    (
        b"HTTP/1.0 200\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        True,
    ),
    # As treq reads them: lines that end with LF, or go on with a space, a length
    # that is repeated, and a body that nobody asked to be compressed.
    (b"HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Length: 5\n\nhello", True),
    (b"HTTP/1.1 200 OK\nConnection: Close\nContent-Length: 5\n\r\nhello", False),
    (b"HTTP/1.1 200 OK\r\nX: y\r\n\tz: 1\r\nContent-Length:\r\n 5\r\n\r\nhello", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", True),
    (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: GZip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(SQUEEZED), SQUEEZED),
        True,
    ),
]


@given(st.sampled_from(ANSWERS), st.sets(st.integers(1, 130)))
def test_answers(wanted: tuple[bytes, bool], cuts: set[int]) -> None:
    """
    Answers are read however they come, and a connection that may be kept is
    asked again.
    """
    raw, keeps = wanted
    scene = Scene()
    results = scene.ask()
    sent = scene.last.transport.value()
    assert sent == (
        b"POST /channel/poll2 HTTP/1.1\r\nHost: d.web2.qq.com\r\nX: y\r\n"
        b"Content-Length: 3\r\n\r\nr=1"
    )
    marks = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    for start, end in itertools.pairwise(marks):
        assert results == []
        scene.reply(raw[start:end])
    [answer] = results
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.cookies == (["a=b"] if b"Cookie" in raw else [])
    scene.ask()
    assert len(scene.endpoint.protocols) == (1 if keeps else 2)


def test_toTheEnd() -> None:
    """
    An answer without a length ends with the connection; one that is cut off
    is none.
    """
    scene = Scene()
    results = scene.ask()
    scene.reply(b"HTTP/1.0 502 Bad\r\n\r\nhel")
    scene.reply(b"lo")
    scene.lose()
    assert (results[0].status, results[0].body) == (502, b"hello")
    results = scene.ask()
    scene.reply(b"HTTP/1.0 200 OK\r\n\r\nhel")
    scene.lose(ConnectionLost)
    assert reasonOf(results[0]) is ConnectionLost


def test_noBody() -> None:
    """
    Some answers have no body.
    """
    scene = Scene()
    results = scene.ask()
    scene.reply(b"HTTP/1.1 204 No\r\n\r\n")
    assert (results[0].status, results[0].body) == (204, b"")


COMPRESSED = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
)
BOMB = gzip.compress(bytes(LIMIT + 1), mtime=0)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        COMPRESSED % (5, b"hello"),
        COMPRESSED % (len(SQUEEZED) - 1, SQUEEZED[:-1]),
        COMPRESSED % (len(BOMB), BOMB),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000,
    ],
)
def test_noAnswer(raw: bytes) -> None:
    """
    An invalid answer, or one that is too large, fails the request and closes
    the connection.
    """
    scene = Scene()
    results = scene.ask()
    scene.reply(raw)
    assert reasonOf(results[0]) is InvalidResponse
    assert scene.last.transport.isAborted
    scene.lose()
    scene.ask()
    assert len(scene.endpoint.protocols) == 2


def test_memory() -> None:
    """
    A compressed reply that is too large is not decompressed whole.
    """
    body = gzip.compress(bytes(800 * LIMIT), mtime=0)
    assert len(body) < LIMIT
    scene = Scene()
    results = scene.ask()
    tracemalloc.start()
    try:
        scene.reply(COMPRESSED % (len(body), body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reasonOf(results[0]) is InvalidResponse
    assert peak < 200 * LIMIT


def test_unasked() -> None:
    """
    A connection is not used again when its server has sent unrequested bytes,
    more bytes than the answer has, or has closed it.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    scene.reply(b"more")
    assert scene.last.transport.isAborted
    scene.ask()
    scene.reply(ANSWERS[0][0] + b"more")
    assert scene.last.transport.disconnecting
    scene.ask()
    scene.reply(ANSWERS[0][0])
    scene.lose()
    scene.ask()
    assert len(scene.endpoint.protocols) == 4


def test_elsewhere() -> None:
    """
    A request to another server closes the connection and makes a new one.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    first = scene.last
    scene.ask("https://example.org:8443/channel/poll2")
    assert scene.endpoint.servers == [
        "http://d.web2.qq.com",
        "https://example.org:8443",
    ]
    assert first.transport.isAborted
    assert b"Host: example.org:8443\r\n" in scene.last.transport.value()


def test_cancel() -> None:
    """
    A cancelled request closes its connection, or stops the attempt to connect.
    """
    scene = Scene()
    asked = scene.keepAlive.post(URL, b"", b"")
    results: list[Any] = []
    asked.addBoth(results.append)
    asked.cancel()
    assert reasonOf(results[0]) is CancelledError
    assert scene.last.transport.isAborted
    scene.lose()
    connecting: Deferred[Any] = Deferred()
    scene.endpoint.waiting = connecting
    asked = scene.keepAlive.post(URL, b"", b"")
    asked.addBoth(results.append)
    asked.cancel()
    assert connecting.called
    assert reasonOf(results[1]) is CancelledError


def test_refused() -> None:
    """
    A refused connection fails the request with the reason.
    """
    scene = Scene()
    scene.endpoint.waiting = Deferred()
    results = scene.ask()
    scene.endpoint.waiting.errback(ConnectError())
    assert reasonOf(results[0]) is ConnectError


def test_close() -> None:
    """
    Closing waits for the connections to be closed.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    done: list[None] = []
    scene.keepAlive.close().addCallback(done.append)
    assert scene.last.transport.isAborted
    assert done == []
    scene.lose()
    assert len(done) == 1
    scene.keepAlive.close().addCallback(done.append)
    assert len(done) == 2


def test_stale() -> None:
    """
    A request that is lost with a kept connection, before the first byte of a
    reply, is sent once more on a new one.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    results = scene.ask()
    scene.lose(ConnectionLost)
    assert len(scene.endpoint.protocols) == 2
    assert results == []
    assert scene.last.transport.value().endswith(b"\r\n\r\nr=1")
    scene.reply(ANSWERS[0][0])
    assert results[0].body == b"hello"


def test_staleTwice() -> None:
    """
    It is not sent a third time, nor when a reply has begun.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    results = scene.ask()
    scene.lose()
    scene.lose()
    assert reasonOf(results[0]) is ConnectionDone
    scene.ask()
    scene.reply(ANSWERS[0][0])
    results = scene.ask()
    scene.reply(b"H")
    scene.lose()
    assert reasonOf(results[0]) is ConnectionDone
    assert len(scene.endpoint.protocols) == 3


def test_cancelRepeated() -> None:
    """
    A request that is cancelled while it is repeated is given up.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    asked = scene.keepAlive.post(URL, b"", b"")
    results: list[Any] = []
    asked.addBoth(results.append)
    connecting: Deferred[Any] = Deferred()
    scene.endpoint.waiting = connecting
    scene.lose()
    asked.cancel()
    assert connecting.called
    assert reasonOf(results[0]) is CancelledError
