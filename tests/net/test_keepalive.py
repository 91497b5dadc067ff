"""
The connections for commands, byte by byte.
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
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.error import SchemeNotSupported

from txwebqq.errors import Unreachable
from txwebqq.net.httpresponse import MAX_HEAD, InvalidResponse, Response
from txwebqq.net.keepalive import IDLE_TIMEOUT, MAX_CONNECTIONS, KeepAliveClient

LIMIT = 1000
SERVER = "http://d.web2.qq.com"
REQUEST = b"POST /channel/poll2 HTTP/1.1\r\n\r\nr=1"
PATIENCE = 30.0


class Transport(StringTransport):
    """
    Knows whether it was cut off.
    """

    isAborted = False
    isLost = False

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
        # The attempts to connect, once they are to be kept.
        self.attempts: list[tuple[Deferred[Any], Any]] | None = None

    def connect(self, factory: Any) -> Deferred[Any]:
        if self.attempts is not None:
            attempt: Deferred[Any] = Deferred()
            self.attempts.append((attempt, factory))
            return attempt
        if self.waiting is not None:
            return self.waiting
        return succeed(self.make(factory))

    def make(self, factory: Any) -> Any:
        """
        Make a connection.
        """
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(Transport())
        self.protocols.append(protocol)
        return protocol


class Scene:
    """
    A client with its requests, and the server's end of its connections.
    """

    def __init__(self) -> None:
        self.endpoint = Endpoint()

        def find(server: str) -> Any:
            self.endpoint.servers.append(server)
            return self.endpoint

        self.clock = Clock()
        self.keepAlive = KeepAliveClient(find, LIMIT, self.clock)

    def ask(
        self, request: bytes = REQUEST, server: str = SERVER, mayRepeat: bool = True
    ) -> list[Any]:
        """
        Ask; what comes of it is put in the list.
        """
        results: list[Any] = []
        self.start(request, server, mayRepeat).addBoth(results.append)
        return results

    def start(
        self, request: bytes = REQUEST, server: str = SERVER, mayRepeat: bool = True
    ) -> Deferred[Response]:
        """
        Ask.
        """
        return self.keepAlive.send(server, [request], mayRepeat, PATIENCE)

    def warmUp(self) -> None:
        """
        Let the server show that it keeps a connection open.
        """
        for _ in range(2):
            self.ask()
            self.reply(ANSWERS[0][0])
        self.last.transport.clear()

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
        b"HTTP/1.1 200\r\n: x\r\nx-connection: close\r\nCONTENT-LENGTH:5\r\n\r\nhello",
        True,
    ),
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
    assert scene.last.transport.value() == REQUEST
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


@pytest.mark.parametrize("wanted", ANSWERS)
def test_byteByByte(wanted: tuple[bytes, bool]) -> None:
    """
    Answers are read when each byte comes alone.
    """
    raw, _ = wanted
    scene = Scene()
    results = scene.ask()
    for n in range(len(raw)):
        assert results == []
        scene.reply(raw[n : n + 1])
    assert results[0].body == b"hello"


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
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nno colon\r\nX: y\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n",
        b"HTTP/1.1 2000\r\n\r\n",
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
    Each server has its own connections.
    """
    other = "https://example.org:8443"
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    scene.ask(server=other)
    scene.reply(ANSWERS[0][0])
    assert scene.endpoint.servers == [SERVER, other]
    scene.ask()
    scene.ask(server=other)
    assert scene.endpoint.servers == [SERVER, other]
    values = [each.transport.value() for each in scene.endpoint.protocols]
    assert values == [REQUEST * 2] * 2


def test_cancel() -> None:
    """
    A cancelled request closes its connection, or stops the attempt to connect.
    """
    scene = Scene()
    asked = scene.start()
    results: list[Any] = []
    asked.addBoth(results.append)
    asked.cancel()
    assert reasonOf(results[0]) is CancelledError
    assert scene.last.transport.isAborted
    scene.lose()
    connecting: Deferred[Any] = Deferred()
    scene.endpoint.waiting = connecting
    asked = scene.start()
    asked.addBoth(results.append)
    asked.cancel()
    assert connecting.called
    assert reasonOf(results[1]) is CancelledError
    assert scene.clock.getDelayedCalls() == []


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
    asked = scene.start()
    results: list[Any] = []
    asked.addBoth(results.append)
    connecting: Deferred[Any] = Deferred()
    scene.endpoint.waiting = connecting
    scene.lose()
    asked.cancel()
    assert connecting.called
    assert reasonOf(results[0]) is CancelledError


def test_untried() -> None:
    """
    A request that must not be repeated takes no used connection until the server
    has answered twice on one.
    """
    scene = Scene()
    scene.ask()
    scene.reply(ANSWERS[0][0])
    scene.ask(b"once", mayRepeat=False)
    first, second = scene.endpoint.protocols
    assert first.transport.isAborted
    assert second.transport.value() == b"once"


def test_once() -> None:
    """
    Such a request is never sent again, also when it is lost with a used
    connection; after that a new one is used.
    """
    scene = Scene()
    scene.warmUp()
    results = scene.ask(b"once", mayRepeat=False)
    assert scene.last.transport.value() == b"once"
    scene.lose()
    assert reasonOf(results[0]) is ConnectionDone
    assert len(scene.endpoint.protocols) == 1
    scene.ask()
    scene.reply(ANSWERS[0][0])
    scene.ask(b"once", mayRepeat=False)
    assert len(scene.endpoint.protocols) == 3


def test_twoAtOnce() -> None:
    """
    Two requests at once have two connections, and each gets its own reply.
    """
    scene = Scene()
    one, two = scene.ask(b"1"), scene.ask(b"2")
    first, second = scene.endpoint.protocols
    assert (first.transport.value(), second.transport.value()) == (b"1", b"2")
    second.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo")
    assert one == []
    first.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")
    assert (one[0].body, two[0].body) == (b"one", b"two")


def test_waiting() -> None:
    """
    Requests for which there is no connection wait for those before them, in
    order; a cancelled one is not sent.
    """
    scene = Scene()
    for _ in range(MAX_CONNECTIONS):
        scene.ask()
    one, two, three = [scene.start(name) for name in (b"1", b"2", b"3")]
    lost: list[Any] = []
    one.addErrback(lost.append)
    assert len(scene.endpoint.protocols) == MAX_CONNECTIONS
    one.cancel()
    assert reasonOf(lost[0]) is CancelledError
    first, second, *_ = scene.endpoint.protocols
    first.dataReceived(ANSWERS[0][0])
    assert first.transport.value() == REQUEST + b"2"
    second.connectionLost(Failure(ConnectionLost()))
    assert scene.last.transport.value() == b"3"
    assert len(scene.endpoint.protocols) == MAX_CONNECTIONS + 1
    assert [each.called for each in (two, three)] == [False, False]


def test_patience() -> None:
    """
    The time of a request ends it, from when it waits for no other.
    """
    scene = Scene()
    busy = [scene.ask() for _ in range(MAX_CONNECTIONS)]
    results = scene.ask(b"1")
    scene.clock.advance(PATIENCE)
    for each in busy:
        assert "no complete reply within 30 s" in str(each[0].value)
        assert reasonOf(each[0]) is Unreachable
    assert results == []
    assert scene.last.transport.value() == b"1"
    scene.clock.advance(PATIENCE - 1)
    assert results == []
    scene.clock.advance(1)
    assert reasonOf(results[0]) is Unreachable
    assert all(each.transport.isAborted for each in scene.endpoint.protocols)
    assert scene.clock.getDelayedCalls() == []


def test_patienceToConnect() -> None:
    """
    The time ends an attempt to connect as well.
    """
    scene = Scene()
    scene.endpoint.waiting = Deferred()
    results = scene.ask()
    scene.clock.advance(PATIENCE)
    assert reasonOf(results[0]) is Unreachable
    assert scene.endpoint.waiting.called


def test_noEndpoint() -> None:
    """
    A server that has no endpoint fails the request, and keeps no other one
    waiting.
    """

    def find(server: str) -> Any:
        raise SchemeNotSupported

    keepAlive = KeepAliveClient(find, LIMIT, Clock())
    results: list[Any] = []
    for _ in range(2 * MAX_CONNECTIONS):
        keepAlive.send("ftp://x", [], False, PATIENCE).addBoth(results.append)
    assert [reasonOf(each) for each in results] == [SchemeNotSupported] * 16


def test_idle() -> None:
    """
    A connection that is not used for some time is closed, and no other one.
    """
    scene = Scene()
    scene.ask()
    scene.ask()
    first, second = scene.endpoint.protocols
    first.dataReceived(ANSWERS[0][0])
    scene.clock.advance(IDLE_TIMEOUT / 2)
    second.dataReceived(ANSWERS[0][0])
    scene.clock.advance(IDLE_TIMEOUT / 2)
    assert (first.transport.isAborted, second.transport.isAborted) == (True, False)
    scene.clock.advance(IDLE_TIMEOUT / 2)
    assert second.transport.isAborted
    assert scene.clock.getDelayedCalls() == []


def test_closeWhileBusy() -> None:
    """
    Closing leaves a request that waits for its reply alone.
    """
    scene = Scene()
    results = scene.ask()
    done: list[None] = []
    scene.keepAlive.close().addCallback(done.append)
    assert len(done) == 1
    assert not scene.last.transport.isAborted
    scene.reply(ANSWERS[0][0])
    assert results[0].body == b"hello"
    scene.keepAlive.close()
    assert scene.clock.getDelayedCalls() == []


class Chances:
    """
    A client in a world of chance, and how often each request was sent.
    """

    def __init__(self, data: st.DataObject) -> None:
        self.scene = Scene()
        self.attempts = self.scene.endpoint.attempts = []
        self._data = data
        self.asked: list[tuple[bytes, bool, Deferred[Any], list[Any]]] = []
        self.sent: dict[bytes, int] = {}

    @property
    def alive(self) -> list[Any]:
        """
        The connections that are not closed.
        """
        everyone = self.scene.endpoint.protocols
        return [each for each in everyone if not each.transport.isLost]

    def look(self) -> None:
        """
        Count what was sent, and the connections.
        """
        for each in self.alive:
            for name in each.transport.value().split():
                self.sent[name] = self.sent.get(name, 0) + 1
            each.transport.clear()
        usable = [each for each in self.alive if not each.transport.isAborted]
        assert len(usable) <= MAX_CONNECTIONS
        for name, mayRepeat, _, results in self.asked:
            assert self.sent.get(name, 0) <= (2 if mayRepeat else 1)
            assert len(results) <= 1

    def lose(self, connection: Any) -> None:
        """
        End a connection.
        """
        connection.transport.isLost = True
        connection.connectionLost(Failure(ConnectionDone()))

    def step(self) -> None:
        """
        Let one thing happen.
        """
        draw = self._data.draw
        kind = draw(st.integers(0, 8))
        if kind <= 2:
            name = b"%d\n" % len(self.asked)
            mayRepeat = draw(st.booleans())
            asked = self.scene.start(name, mayRepeat=mayRepeat)
            results: list[Any] = []
            asked.addBoth(results.append)
            self.asked.append((name.strip(), mayRepeat, asked, results))
        elif kind == 3 and self.attempts:
            waiting, factory = self.attempts.pop(0)
            if waiting.called:
                return
            if draw(st.booleans()):
                waiting.errback(ConnectError())
            else:
                waiting.callback(self.scene.endpoint.make(factory))
        elif kind == 4 and self.asked:
            draw(st.sampled_from(self.asked))[2].cancel()
        elif kind == 5:
            self.scene.clock.advance(draw(st.sampled_from([0.5, 10.0, 25.0])))
        elif self.alive:
            connection = draw(st.sampled_from(self.alive))
            if connection.transport.isAborted or kind == 6:
                self.lose(connection)
            else:
                connection.dataReceived(draw(st.sampled_from(ANSWERS))[0])


@given(st.data())
def test_anyOrder(data: st.DataObject) -> None:
    """
    In any order of events a request is sent once, or twice if it may be, and ends once;
    there are never too many connections, and nothing is left in the end.
    """
    chances = Chances(data)
    for _ in range(data.draw(st.integers(1, 60))):
        chances.step()
        chances.look()
    for _ in range(len(chances.asked) + 2):
        chances.scene.clock.advance(PATIENCE)
    assert all(len(results) == 1 for _, _, _, results in chances.asked)
    chances.scene.keepAlive.close()
    for connection in chances.alive:
        assert connection.transport.isAborted or connection.transport.disconnecting
        chances.lose(connection)
    assert chances.scene.clock.getDelayedCalls() == []


def test_renew() -> None:
    """
    Connections of before a sleep are not used again: idle ones are closed at once,
    busy ones after their reply.
    """
    scene = Scene()
    scene.warmUp()
    idle = scene.last
    scene.keepAlive.renew()
    assert idle.transport.isAborted
    idle.connectionLost(Failure(ConnectionDone()))
    [busy] = [scene.ask()]
    connection = scene.last
    assert connection is not idle
    scene.keepAlive.renew()
    assert not connection.transport.isAborted
    scene.reply(ANSWERS[0][0])
    assert isinstance(busy[0], Response)
    assert connection.transport.disconnecting
    scene.lose()
    scene.ask()
    assert scene.last is not connection
