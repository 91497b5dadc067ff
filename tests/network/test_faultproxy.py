"""
Each fault of the proxy does what its name says, over real sockets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from tests.messages import Asker, Lost, Message, MessageReader
from tests.network.authority import LOCALHOST, LOOPBACK, Authority
from tests.network.faultproxy import MAX_LEFT, FaultProxy, endpointTo, listenOn
from tests.network.faults import (
    Ending,
    Exchange,
    Fault,
    Lottery,
    Manner,
    Script,
    manners,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

# What Twisted passes there is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

BOTH_WAYS = (Ending.CLOSED, Ending.RESET)


class Ended(Protocol):
    """
    A connection that tells how it ended.
    """

    def __init__(self) -> None:
        self.heard = b""
        self.ended: Deferred[object] = Deferred()
        self.spoken = Heard()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self.spoken.add()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(reason.value)


class Heard:
    """
    A count of events for which a test can wait.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def add(self) -> None:
        """
        Count one event.
        """
        self.count += 1
        due = [one for one in self._waiting if one[0] <= self.count]
        self._waiting = [one for one in self._waiting if one[0] > self.count]
        for _, waiting in due:
            waiting.callback(None)

    async def times(self, count: int) -> None:
        """
        Wait until this number of events was counted.
        """
        if self.count < count:
            waiting: Deferred[None] = Deferred()
            self._waiting.append((count, waiting))
            await waiting


class Serving(Ended):
    """
    One connection of a server that answers each request, or holds it.
    """

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._reader = MessageReader(isAnswers=False)

    def connectionMade(self) -> None:
        self._server.connections.append(self)

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        for request in self._reader.feed(data):
            self._server.requests.append(request)
            self._server.asked.add()
            if not self._server.isHolding:
                self.answer()

    def answer(self) -> None:
        """
        Answer.
        """
        assert self.transport is not None
        self.transport.write(self._server.answer)
        if self._server.isClosing:
            self.transport.loseConnection()


class Server:
    """
    A server, a proxy before it, and a client.
    """

    def __init__(self, certificate: Path | None, authority: Path | None) -> None:
        self.answer = ANSWER
        self.isHolding = self.isClosing = False
        self.requests: list[Message] = []
        self.connections: list[Serving] = []
        self.asked = Heard()
        self.authority = authority
        self.port: Any = None
        self._certificate = certificate
        self.proxy: FaultProxy
        self.asker: Asker

    async def begin(self, *script: Manner | None, **more: Any) -> FaultProxy:
        """
        Listen, and put the proxy before it.
        """
        factory = Factory.forProtocol(lambda: Serving(self))
        factory.noisy = False
        self.port = await listenOn(0, self._certificate).listen(factory)
        self.proxy = FaultProxy(
            self.port.getHost().port,
            more.pop("plan", Script(*script)),
            self._certificate,
            self.authority,
            more.pop("delays", (0.0, 0.01)),
        )
        await self.proxy.listen()
        self.asker = Asker(self.endpoint, **more)
        return self.proxy

    def endpoint(self) -> Any:
        """
        The way to the proxy.
        """
        return endpointTo(self.proxy.port, self.authority)

    async def ask(self) -> bytes:
        """
        Ask through the proxy.
        """
        message = await self.asker.ask("POST", "/channel/poll2?t=1", b"r=1")
        return message.body

    async def shout(self) -> Ended:
        """
        Ask on a connection that is only listened to.
        """
        ended = await self.endpoint().connect(Factory.forProtocol(Ended))
        ended.transport.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert isinstance(ended, Ended)
        return ended

    async def clear(self) -> None:
        """
        Leave nothing behind.
        """
        self.asker.close()
        await self.proxy.close()
        for connection in self.connections:
            if not connection.ended.called:
                connection.transport.abortConnection()  # type: ignore[union-attr]
            await connection.ended
        await self.stop()

    async def stop(self) -> None:
        """
        Stop listening.
        """
        await maybeDeferred(self.port.stopListening)


Play = Callable[[Callable[[Server], Awaitable[None]]], Deferred[None]]


@pytest.fixture(params=["tcp", "tls"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """
    Plays a scene with a server over TCP, and over TLS.
    """
    certificate = authority = None
    if request.param == "tls":
        ours = Authority(tmp_path, "ours")
        certificate, authority = ours.issue(LOCALHOST, LOOPBACK), ours.file

    async def run(scene: Callable[[Server], Awaitable[None]]) -> None:
        server = Server(certificate, authority)
        try:
            await scene(server)
        finally:
            await server.clear()

    return lambda scene: Deferred.fromCoroutine(run(scene))


async def howEnded(ended: Deferred[object]) -> Ending:
    """
    Wait for an end, and tell which one it was.
    """
    reason = await ended
    if isinstance(reason, ConnectionDone):
        return Ending.CLOSED
    assert isinstance(reason, ConnectionLost), reason
    return Ending.RESET


def expected(ending: Ending, server: Server) -> Ending:
    """
    The ending that the other side sees: only TLS has a goodbye that can be
    missing, and Twisted takes that for a lost connection.
    """
    if ending is not Ending.TORN:
        return ending
    return Ending.CLOSED if server.authority is None else Ending.RESET


@ensureDeferred
async def test_clean(play: Play) -> None:
    """
    Without a fault everything passes, several exchanges on one connection.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin()
        assert [await server.ask() for _ in range(3)] == [b"hello"] * 3
        assert len(server.connections) == server.asker.opened == 1
        assert [each.body for each in server.requests] == [b"r=1"] * 3
        assert [e.isClean for e in proxy.exchanges] == [True] * 3
        assert [e.connection for e in proxy.exchanges] == [1, 1, 1]
        assert proxy.exchanges[0].request.path == "/channel/poll2"
        assert not proxy.counts

    await play(scene)


@ensureDeferred
@pytest.mark.parametrize("ending", BOTH_WAYS)
async def test_requestLost(play: Play, ending: Ending) -> None:
    """
    A lost request never reaches the server; the client's connection ends.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin(Manner(Fault.REQUEST_LOST, ending))
        client = await server.shout()
        assert await howEnded(client.ended) is ending
        assert not server.connections
        assert proxy.counts == {Fault.REQUEST_LOST: 1}
        assert await server.ask() == b"hello"

    await play(scene)


@ensureDeferred
@pytest.mark.parametrize("client", [*BOTH_WAYS, Ending.TORN])
@pytest.mark.parametrize("end", [*BOTH_WAYS, Ending.TORN])
async def test_answerLost(play: Play, client: Ending, end: Ending) -> None:
    """
    A lost answer is read to its end, and the client gets none of it; both
    connections end as they are told to.
    """

    async def scene(server: Server) -> None:
        manner = Manner(Fault.ANSWER_LOST, client, end)
        proxy = await server.begin(manner)
        asking = await server.shout()
        assert await howEnded(asking.ended) is expected(client, server)
        assert asking.heard == b""
        (connection,) = server.connections
        assert await howEnded(connection.ended) is expected(end, server)
        (exchange,) = proxy.exchanges
        assert exchange.answer is not None
        assert exchange.answer.raw == ANSWER
        assert exchange.isSwallowed
        assert exchange.manner == manner
        assert "0 of 43 bytes passed on" in str(exchange)

    await play(scene)


@ensureDeferred
async def test_answerLostLeft(play: Play) -> None:
    """
    A connection to the server that is left open looks well to it.
    """

    async def scene(server: Server) -> None:
        await server.begin(Manner(Fault.ANSWER_LOST, server=Ending.LEFT))
        client = await server.shout()
        await client.ended
        assert await server.ask() == b"hello"
        first, _ = server.connections
        assert not first.ended.called

    await play(scene)


@ensureDeferred
async def test_clientLeft(play: Play) -> None:
    """
    A client whose connection is left open waits until it loses patience.
    """

    async def scene(server: Server) -> None:
        await server.begin(
            Manner(Fault.ANSWER_LOST, Ending.LEFT, Ending.LEFT), patience=0.2
        )
        with pytest.raises(Lost):
            await server.ask()
        assert await server.ask() == b"hello"

    await play(scene)


@ensureDeferred
async def test_leftAreFew() -> None:
    """
    The number of connections that are left open is limited.
    """
    server = Server(None, None)
    left = Manner(Fault.ANSWER_LOST, server=Ending.LEFT)
    await server.begin(*[left] * (MAX_LEFT + 1))
    for _ in range(MAX_LEFT + 1):
        await (await server.shout()).ended
    first, *others = server.connections
    await first.ended
    assert not any(other.ended.called for other in others)
    await server.clear()


@ensureDeferred
@pytest.mark.parametrize("client", BOTH_WAYS)
@pytest.mark.parametrize("end", BOTH_WAYS)
async def test_answerCut(play: Play, client: Ending, end: Ending) -> None:
    """
    The client gets the beginning of an answer that is cut.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin(Manner(Fault.ANSWER_CUT, client, end))
        asking = await server.shout()
        assert await howEnded(asking.ended) is client
        (exchange,) = proxy.exchanges
        assert 0 < exchange.passed < len(ANSWER)
        assert asking.heard == ANSWER[: exchange.passed]
        (connection,) = server.connections
        assert await howEnded(connection.ended) is end
        assert exchange.isSwallowed

    await play(scene)


@ensureDeferred
@pytest.mark.parametrize("client", BOTH_WAYS)
@pytest.mark.parametrize("end", BOTH_WAYS)
async def test_endedAfter(play: Play, client: Ending, end: Ending) -> None:
    """
    The client gets all of an answer behind which the connections end.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin(Manner(Fault.ENDED_AFTER, client, end))
        asking = await server.shout()
        assert await howEnded(asking.ended) is client
        assert asking.heard == ANSWER
        (connection,) = server.connections
        assert await howEnded(connection.ended) is end
        (exchange,) = proxy.exchanges
        assert not exchange.isSwallowed
        assert not exchange.isClean

    await play(scene)


@ensureDeferred
@pytest.mark.parametrize("client", BOTH_WAYS)
@pytest.mark.parametrize("end", BOTH_WAYS)
async def test_abandoned(play: Play, client: Ending, end: Ending) -> None:
    """
    An exchange is abandoned while the server holds the request; it is told no
    goodbye over TLS.
    """

    async def scene(server: Server) -> None:
        server.isHolding = True
        proxy = await server.begin(Manner(Fault.ABANDONED, client, end))
        asking = await server.shout()
        assert await howEnded(asking.ended) is client
        (connection,) = server.connections
        torn = Ending.TORN if end is Ending.CLOSED else end
        assert await howEnded(connection.ended) is expected(torn, server)
        (exchange,) = proxy.exchanges
        assert exchange.answer is None
        assert len(server.requests) == 1

    await play(scene)


@ensureDeferred
async def test_abandonedLeft(play: Play) -> None:
    """
    The answer to an abandoned request whose connection was left open is noted.
    """

    async def scene(server: Server) -> None:
        server.isHolding = True
        proxy = await server.begin(Manner(Fault.ABANDONED, server=Ending.LEFT))
        noted: Deferred[Exchange] = Deferred()
        proxy.answerRead = noted.callback
        await (await server.shout()).ended
        server.connections[0].answer()
        exchange = await noted
        assert exchange.isSwallowed
        assert exchange.passed == 0

    await play(scene)


@ensureDeferred
async def test_notAbandoned(play: Play) -> None:
    """
    An exchange that is answered before it would be abandoned is passed on.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin(Manner(Fault.ABANDONED), delays=(60, 60))
        assert await server.ask() == b"hello"
        assert proxy.exchanges[0].manner is None
        assert not proxy.counts

    await play(scene)


@ensureDeferred
async def test_halfClosed() -> None:
    """
    Behind the request the server finds the end of what it can read, and can
    answer still.
    """
    server = Server(None, None)
    server.isHolding = True
    proxy = await server.begin(Manner(Fault.HALF_CLOSED))
    asking = await server.shout()
    await server.asked.times(1)
    (connection,) = server.connections
    # A protocol that knows nothing of half a close sees the whole one.
    assert await howEnded(connection.ended) is Ending.CLOSED
    assert await howEnded(asking.ended) is Ending.CLOSED
    assert proxy.counts == {Fault.HALF_CLOSED: 1}
    await server.clear()


@ensureDeferred
@pytest.mark.parametrize("fault", [Fault.REQUEST_DELAYED, Fault.ANSWER_DELAYED])
async def test_delayed(play: Play, fault: Fault) -> None:
    """
    A delay harms nothing.
    """

    async def scene(server: Server) -> None:
        proxy = await server.begin(Manner(fault))
        assert await server.ask() == b"hello"
        assert proxy.counts == {fault: 1}
        assert proxy.exchanges[0].isClean

    await play(scene)


@ensureDeferred
async def test_delayedEnd(play: Play) -> None:
    """
    An answer that is delayed arrives though the server has closed meanwhile.
    """

    async def scene(server: Server) -> None:
        server.isClosing = True
        await server.begin(Manner(Fault.ANSWER_DELAYED))
        assert await server.ask() == b"hello"

    await play(scene)


@ensureDeferred
async def test_connectionClose(play: Play) -> None:
    """
    A client that asks for it gets the connection closed after each answer.
    """

    async def scene(server: Server) -> None:
        server.isClosing = True
        server.answer = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        await server.begin(isKept=False)
        assert [await server.ask() for _ in range(2)] == [b"hello"] * 2
        assert len(server.connections) == server.asker.opened == 2

    await play(scene)


@ensureDeferred
async def test_clientReset(play: Play) -> None:
    """
    A client that resets its connection resets the server's, too.
    """

    async def scene(server: Server) -> None:
        server.isHolding = True
        await server.begin()
        client = await server.shout()
        await server.asked.times(1)
        client.transport.abortConnection()  # type: ignore[union-attr]
        (connection,) = server.connections
        assert await howEnded(connection.ended) is Ending.RESET

    await play(scene)


@ensureDeferred
async def test_absentServer() -> None:
    """
    Without a server the client's connection is closed.
    """
    server = Server(None, None)
    await server.begin()
    await server.stop()
    with pytest.raises(Lost):
        await server.ask()
    await server.clear()


def test_lottery() -> None:
    """
    A seed decides which exchanges go wrong and in what manner, on some paths
    only.
    """
    poll = Message("POST /channel/poll2 HTTP/1.1", (), b"", b"")
    other = Message("GET /check HTTP/1.1", (), b"", b"")
    kinds = manners(Fault)

    def draws(seed: int, rate: float = 0.3) -> list[Manner | None]:
        lottery = Lottery(Random(seed), rate, kinds, ("/channel/poll2",))
        assert lottery.draw(other) is None
        return [lottery.draw(poll) for _ in range(1000)]

    assert draws(1) == draws(1) != draws(2)
    hits = [manner for manner in draws(1) if manner is not None]
    assert 200 < len(hits) < 400
    assert {manner.fault for manner in hits} == set(Fault)
    assert draws(1, 0.0) == [None] * 1000
    assert None not in draws(1, 1.0)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_reader(size: int) -> None:
    """
    A stream is taken apart into messages, however it comes.
    """
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    last = b"HTTP/1.0 200 OK\r\n\r\nto the end"
    stream = ANSWER + chunked + b"HTTP/1.1 304 No\r\n\r\n" + last
    reader = MessageReader(isAnswers=True)
    found: list[Message] = []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    end = reader.end()
    assert end is not None
    assert [each.body for each in [*found, end]] == [
        b"hello",
        b"abcde",
        b"",
        b"to the end",
    ]
    assert b"".join(each.raw for each in [*found, end]) == stream


def test_cutAnswer() -> None:
    """
    Half an answer with a length is none.
    """
    reader = MessageReader(isAnswers=True)
    assert list(reader.feed(ANSWER[:-1])) == []
    assert reader.end() is None
