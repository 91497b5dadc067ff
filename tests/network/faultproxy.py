"""
An HTTP proxy that loses, cuts, delays and resets what passes through it, on
purpose and by a seed, and remembers what it did.

It takes whole requests and whole answers, one exchange after another on each
connection, as HTTP/1.1 keeps them; so a fault always hits a known exchange.
Over TLS it has a certificate of its own towards clients, and is a client of the
server.
"""

from __future__ import annotations

import socket
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    serverFromString,
    wrapClientTLS,
)
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IPullProducer,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.messages import Message, MessageReader
from tests.network.faults import Ending, Exchange, Fault, Manner, Plan

READING = 0.01
"""The seconds that an end has to read what comes before a reset: a system that
is told of one throws away what was not read."""

MAX_LEFT = 8
"""The connections of endings that leave one open that are kept; the oldest are
closed."""


class FaultProxy:
    """
    The proxy: listens on 127.0.0.1, and connects to a server there.

    @param port: the server's.
    @param certificate: a file with a certificate and its key, for TLS towards
        clients.
    @param authority: a file with an authority's certificate, for TLS towards
        the server.
    @param delays: the least and the most seconds that delays take, and that
        the server may hold what is abandoned.
    @param moment: counts moments, for C{began} and C{answered}.
    @ivar exchanges: all so far.
    @ivar counts: how often each fault was done.
    @ivar answerRead: is called when an answer has been read, and before it is
        passed on.
    @ivar faultDone: is called when a fault was done.
    """

    def __init__(
        self,
        port: int,
        plan: Plan,
        certificate: Path | None = None,
        authority: Path | None = None,
        delays: tuple[float, float] = (0.0, 0.3),
        moment: Callable[[], int] | None = None,
    ) -> None:
        self.plan = plan
        self.exchanges: list[Exchange] = []
        self.counts: Counter[Fault] = Counter()
        self.answerRead: Callable[[Exchange], object] = lambda exchange: None
        self.faultDone: Callable[[Exchange], object] = lambda exchange: None
        self.port = 0
        self._serverPort = port
        self._certificate = certificate
        self._authority = authority
        self._delays = delays
        self._moments = 0
        self._moment = moment or self._count
        self._pairs: set[_Pair] = set()
        self._left: deque[_Side] = deque()
        self._opened = 0
        self._listening: Any = None

    async def listen(self) -> None:
        """
        Begin; C{port} is where.
        """
        factory = Factory.forProtocol(self._accept)
        factory.noisy = False
        self._listening = await listenOn(0, self._certificate).listen(factory)
        self.port = self._listening.getHost().port

    async def close(self) -> None:
        """
        End, with all connections.
        """
        ending: list[Deferred[Any]] = [self._listening.stopListening()]
        for pair in list(self._pairs):
            ending.append(pair.ended)
            pair.abort()
        await gatherResults(ending)

    def endpoint(self) -> IStreamClientEndpoint:
        """
        The way to the server.
        """
        return endpointTo(self._serverPort, self._authority)

    def delay(self) -> float:
        """
        Draw the seconds of a delay.
        """
        return self.plan.random.uniform(*self._delays)

    def _count(self) -> int:
        self._moments += 1
        return self._moments

    def _accept(self) -> _Side:
        self._opened += 1
        pair = _Pair(self, self._opened)
        self._pairs.add(pair)
        return pair.client

    def begin(
        self, connection: int, request: Message
    ) -> tuple[Exchange, Manner | None]:
        """
        Note a request, and draw its fault.
        """
        exchange = Exchange(
            len(self.exchanges) + 1, connection, request, self._moment()
        )
        self.exchanges.append(exchange)
        return exchange, self.plan.draw(request)

    def read(self, exchange: Exchange, answer: Message) -> None:
        """
        Note an answer.
        """
        exchange.answer = answer
        exchange.answered = self._moment()
        self.answerRead(exchange)

    def did(self, exchange: Exchange, manner: Manner) -> None:
        """
        Note a fault.
        """
        exchange.manner = manner
        self.counts[manner.fault] += 1
        self.faultDone(exchange)

    def leave(self, side: _Side) -> None:
        """
        Keep a connection open that leads nowhere.
        """
        self._left.append(side)
        if len(self._left) > MAX_LEFT:
            self._left.popleft().end(Ending.CLOSED)

    def forget(self, pair: _Pair) -> None:
        """
        Both connections are closed.
        """
        self._pairs.discard(pair)


def listenOn(port: int, certificate: Path | None) -> IStreamServerEndpoint:
    """
    Make an endpoint that listens on this machine.

    @param port: 0 for any.
    @param certificate: a file with a certificate and its key, for TLS.
    """
    where = f"tcp:{port}:interface=127.0.0.1"
    if certificate is not None:
        where = f"ssl{where[3:]}:privateKey={certificate}"
    endpoint: IStreamServerEndpoint = serverFromString(reactor, where)
    return endpoint


def endpointTo(port: int, authority: Path | None = None) -> IStreamClientEndpoint:
    """
    Make an endpoint that connects to a server on this machine.

    @param authority: a file with the certificate of the authority that signed
        the server's; without one it does not use TLS.
    """
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    if authority is None:
        return endpoint
    trusted = Certificate.loadPEM(authority.read_bytes())
    options = optionsForClientTLS("localhost", trustRoot=trusted)
    return wrapClientTLS(options, endpoint)


@implementer(IHandshakeListener)
class _Side(Protocol):
    """
    One connection of a pair.

    @ivar ready: fires when there is one, over TLS with the handshake.
    """

    def __init__(
        self,
        isAnswers: bool,
        heard: Callable[[Message], None],
        gone: Callable[[bool], None],
    ) -> None:
        self._reader = MessageReader(isAnswers)
        self._heard = heard
        self._gone = gone
        self.isOpen = False
        self.ready: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.isOpen = True
        # What the system keeps back would be lost with a reset.
        self.lowest.setTcpNoDelay(True)
        if self.lowest is self.transport:
            self.ready.callback(None)

    def handshakeCompleted(self) -> None:
        self.ready.callback(None)

    def dataReceived(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._heard(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isOpen = False
        last = self._reader.end()
        if last is not None:
            self._heard(last)
        self._gone(reason.check(ConnectionDone) is not None)

    @property
    def lowest(self) -> Any:
        """
        The transport below TLS.
        """
        transport: Any = self.transport
        return getattr(transport, "transport", transport)

    def write(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.write(data)

    def flushed(self) -> Deferred[None]:
        """
        Wait until the system has all that was written.
        """
        # TLS collects what is written in one turn of the reactor.
        later: Deferred[None] = deferLater(reactor, 0)
        return later.addCallback(lambda _: _Flush(self.lowest).done)

    def isHeard(self) -> bool:
        """
        Tell if the other side has sent bytes or closed, and these were not read
        yet.
        """
        try:
            self.lowest.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def end(self, ending: Ending) -> None:
        """
        End the connection.
        """
        if not self.isOpen:
            return
        transport: Any = self.transport
        match ending:
            case Ending.CLOSED:
                transport.loseConnection()
            case Ending.TORN:
                self.lowest.loseConnection()
            case Ending.RESET:
                transport.abortConnection()

    def drop(self, ending: Ending) -> None:
        """
        End the connection at once, not in a later turn of the reactor: what
        the other side sends meanwhile would be lost without being noted.
        Nobody says goodbye over TLS.
        """
        if ending is not Ending.LEFT:
            isReset = ending is Ending.RESET
            reason = ConnectionAborted() if isReset else ConnectionDone()
            self.lowest.connectionLost(Failure(reason))


@implementer(IPullProducer)
class _Flush:
    """
    Waits for the moment in which a transport has nothing left to write.
    """

    def __init__(self, transport: Any) -> None:
        self.done: Deferred[None] = Deferred()
        self._transport = transport
        self._isFirst = True
        if transport.connected:
            transport.registerProducer(self, False)
        else:
            self._finish()

    def resumeProducing(self) -> None:
        # It is called once at once, and then when all is written.
        if self._isFirst:
            self._isFirst = False
            self._transport.startWriting()
            return
        self._transport.unregisterProducer()
        self._finish()

    def stopProducing(self) -> None:
        self._finish()

    def _finish(self) -> None:
        if not self.done.called:
            self.done.callback(None)


class _Pair:
    """
    The connection of a client, and the one to the server that belongs to it.

    @ivar ended: fires when both are closed.
    """

    def __init__(self, proxy: FaultProxy, number: int) -> None:
        self.client = _Side(False, self._asked, self._clientGone)
        self.ended: Deferred[None] = Deferred()
        self._proxy = proxy
        self._number = number
        self._server: _Side | None = None
        self._connecting: Deferred[Any] | None = None
        self._waiting: deque[Message] = deque()
        self._exchange: Exchange | None = None
        self._manner: Manner | None = None
        self._later: IDelayedCall | None = None
        # Nothing is passed on any more.
        self._isOver = False

    # ---- towards the server

    def _asked(self, request: Message) -> None:
        if not self._isOver:
            self._waiting.append(request)
            self._next()

    def _next(self) -> None:
        if self._exchange is not None or not self._waiting:
            return
        request = self._waiting.popleft()
        self._exchange, self._manner = self._proxy.begin(self._number, request)
        match self._manner:
            case Manner(fault=Fault.REQUEST_LOST):
                self._end(self._manner)
            case Manner(fault=Fault.REQUEST_DELAYED):
                self._proxy.did(self._exchange, self._manner)
                self._after(self._forward)
            case _:
                self._forward()

    def _after(self, call: Callable[[], None], more: float = 0.0) -> None:
        def run() -> None:
            self._later = None
            call()

        self._later = reactor.callLater(self._proxy.delay() + more, run)

    def _forward(self) -> None:
        if self._server is not None:
            self._write()
            return
        server = _Side(True, self._answered, self._serverGone)
        factory = Factory.forProtocol(lambda: server)
        factory.noisy = False
        self._connecting = self._proxy.endpoint().connect(factory)
        self._connecting.addCallbacks(self._connected, self._refused)

    def _connected(self, server: _Side) -> None:
        self._connecting = None
        self._server = server
        server.ready.addCallback(lambda _: self._begun(server))

    def _begun(self, server: _Side) -> None:
        if self._isOver:
            server.end(Ending.CLOSED)
        else:
            self._write()

    def _refused(self, failure: Failure) -> None:
        self._connecting = None
        self._isOver = True
        self.client.end(Ending.CLOSED)
        self._check()

    def _write(self) -> None:
        assert self._exchange is not None
        assert self._server is not None
        self._server.write(self._exchange.request.raw)
        match self._manner:
            case Manner(fault=Fault.ABANDONED):
                self._server.flushed().addCallback(self._abandonLater)
            case Manner(fault=Fault.HALF_CLOSED):
                self._proxy.did(self._exchange, self._manner)
                self._server.flushed().addCallback(self._halfClose)

    def _halfClose(self, _: None) -> None:
        server = self._server
        if server is not None and server.isOpen:
            server.lowest.loseWriteConnection()

    def _abandonLater(self, _: None) -> None:
        isAnswered = self._exchange is None or self._exchange.answer is not None
        if not (self._isOver or isAnswered):
            self._after(self._abandon, READING)

    def _abandon(self) -> None:
        assert self._manner is not None
        assert self._server is not None
        # An answer that is there already was not held, and would be lost
        # without anybody knowing.
        if self._server.isHeard():
            return
        self._isOver = True
        self._server.drop(self._manner.server)
        self._end(self._manner)

    # ---- towards the client

    def _answered(self, answer: Message) -> None:
        exchange, manner = self._exchange, self._manner
        if exchange is None:
            return
        if answer.status == 100:
            return
        self._stopWaiting()
        self._proxy.read(exchange, answer)
        if self._isOver:
            # It comes after the exchange was abandoned.
            self._exchange = None
            return
        match manner:
            case Manner(fault=Fault.ANSWER_LOST):
                self._end(manner)
            case Manner(fault=Fault.ANSWER_CUT):
                size = self._proxy.plan.random.randrange(1, len(answer.raw))
                self._pass(exchange, answer.raw[:size])
                self._endFlushed(manner)
            case Manner(fault=Fault.ENDED_AFTER):
                self._pass(exchange, answer.raw)
                self._endFlushed(manner)
            case Manner(fault=Fault.ANSWER_DELAYED):
                self._proxy.did(exchange, manner)
                self._after(lambda: self._finish(answer))
            case _:
                self._finish(answer)

    def _pass(self, exchange: Exchange, data: bytes) -> None:
        if self.client.isOpen:
            self.client.write(data)
            exchange.passed = len(data)

    def _finish(self, answer: Message) -> None:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        self._pass(exchange, answer.raw)
        if answer.isLast or self._server is None or not self._server.isOpen:
            self.client.end(Ending.CLOSED)
        else:
            self._next()

    # ---- endings

    def _end(self, manner: Manner) -> None:
        # The server first: the client may ask again at once.
        self._endSide(self._server, manner.server)
        self._endClient(manner)

    def _endFlushed(self, manner: Manner) -> None:
        self._endSide(self._server, manner.server)
        if not self.client.isOpen:
            self._endClient(manner)
            return
        # What a reset finds unwritten is not written any more.
        flushed = self.client.flushed()
        if manner.client is Ending.RESET:
            flushed.addCallback(lambda _: deferLater(reactor, READING))
        flushed.addCallback(lambda _: self._endClient(manner))

    def _endClient(self, manner: Manner) -> None:
        assert self._exchange is not None
        self._endSide(self.client, manner.client)
        self._proxy.did(self._exchange, manner)
        self._check()

    def _endSide(self, side: _Side | None, ending: Ending) -> None:
        self._isOver = True
        if side is None:
            return
        if ending is Ending.LEFT:
            self._proxy.leave(side)
        side.end(ending)

    def _clientGone(self, isClean: bool) -> None:
        self._stopWaiting()
        if not self._isOver:
            self._isOver = True
            if self._server is not None:
                self._server.end(Ending.CLOSED if isClean else Ending.RESET)
        self._check()

    def _serverGone(self, isClean: bool) -> None:
        # An answer that is delayed is there already.
        isAnswered = self._exchange is not None and self._exchange.answer is not None
        if not self._isOver and not isAnswered:
            self._isOver = True
            self._stopWaiting()
            self.client.end(Ending.CLOSED if isClean else Ending.RESET)
        self._check()

    def _stopWaiting(self) -> None:
        later, self._later = self._later, None
        if later is not None:
            later.cancel()

    def abort(self) -> None:
        """
        Close both.
        """
        self._isOver = True
        self._stopWaiting()
        if self._connecting is not None:
            self._connecting.cancel()
        for side in (self.client, self._server):
            if side is not None:
                side.end(Ending.RESET)
        self._check()

    def _check(self) -> None:
        isOpen = self.client.isOpen or (
            self._server is not None and self._server.isOpen
        )
        if not isOpen and self._connecting is None and not self.ended.called:
            self._proxy.forget(self)
            self.ended.callback(None)
