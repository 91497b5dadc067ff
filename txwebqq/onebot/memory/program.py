"""
A program that speaks OneBot 11, in memory, for tests of applications: an account of
today's QQ, with friends and groups, and a clock.

Nothing in this module opens a socket or sleeps::

    onebot = MemoryOneBot()
    alice = onebot.addFriend("Alice")
    onebot.run(EchoFactory())
    onebot.tell(alice, "hello")
    assert onebot.said == ["hello"]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect
from zope.interface import implementer

from txwebqq.interfaces import FactoryOf
from txwebqq.onebot.connectors import Connector, EndpointDialler
from txwebqq.onebot.driver import Pace
from txwebqq.onebot.handshakes import (
    ClientWebSocket,
    Handshake,
    Refused,
    WebSocketFactory,
)
from txwebqq.onebot.memory.account import CallRefused
from txwebqq.onebot.memory.calls import carryOut
from txwebqq.onebot.memory.events import MemoryEvents
from txwebqq.onebot.reading import textIn
from txwebqq.onebot.segments import readSegments
from txwebqq.onebot.service import OneBotService
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed, WebSocketHandler

P = TypeVar("P")
T = TypeVar("T")

NO_PACE = Pace(1_000_000, 0.001)
"""A pace that makes no message wait."""

MAX_ROUNDS = 10_000
"""Rounds of work at one time after which L{MemoryOneBot.settle} gives up."""

_ADDRESS = IPv4Address("TCP", "127.0.0.1", 3001)

Warp = Callable[[Any], Any]
"""Makes another frame of one."""


def numbersAsTexts(value: Any) -> Any:
    """
    Write all numbers of a frame as texts, as some programs do. For
    L{MemoryOneBot.warp}.
    """
    if isinstance(value, dict):
        return {name: numbersAsTexts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [numbersAsTexts(each) for each in value]
    isNumber = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if isNumber else value


class _Peer:
    """
    One WebSocket, as the program sees it.
    """

    def __init__(self, program: MemoryOneBot, role: str) -> None:
        self._program = program
        self.role = role
        self.socket: WebSocket | None = None
        # Set when it is closed.
        self.end: WebSocketClosed | None = None

    def opened(self, socket: WebSocket) -> None:
        self.socket = socket
        self._program._opened(self)

    def textReceived(self, socket: WebSocket, text: str) -> None:
        self._program._asked(self, text)

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        self.socket = None
        self.end = reason
        self._program._closed(self)

    def send(self, frame: Any) -> None:
        if self.socket is not None:
            self.socket.sendText(json.dumps(frame, ensure_ascii=False))


@implementer(IStreamClientEndpoint)
class _Endpoint:
    def __init__(self, program: MemoryOneBot) -> None:
        self._program = program

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        return self._program._connect(factory)


class MemoryOneBot(MemoryEvents):
    """
    A program that speaks OneBot 11, and the account that it is signed on with.

    The attributes may be changed at any time.

    @ivar clock: the clock of the program and of the account's service, which only
        L{settle} advances.
    @ivar isListening: whether connections are accepted.
    @ivar saysHello: whether it sends C{lifecycle} after the handshake.
    @ivar refusal: how it refuses a wrong token: C{"http"}, or C{"frame"} after it has
        accepted the handshake, as NapCat and LLOneBot do.
    @ivar delay: seconds before it answers a call.
    @ivar unanswered: actions that it does not answer.
    @ivar warp: changes each frame that it sends.
    @ivar calls: the calls that came, with their parameters.
    @ivar connections: the number of WebSockets that were opened so far.
    """

    def __init__(self, number: int = 10001, nick: str = "Bot", token: str = "") -> None:
        super().__init__(number, nick)
        self.token = token
        self.isListening = True
        self.saysHello = True
        self.refusal = "frame"
        self.delay = 0.0
        self.unanswered: set[str] = set()
        self.warp: Warp | None = None
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.connections = 0
        self._peers: list[_Peer] = []
        self._pumps: list[Any] = []
        self._factory = WebSocketFactory(self._accept, self.clock)
        self.service: OneBotService[Any] | None = None

    # The account's service.

    def connector(self) -> Connector:
        """
        Make a connector to the program.
        """
        return EndpointDialler(_Endpoint(self), self.clock, self.number, self.token)

    def makeService(
        self, factory: FactoryOf[P], connector: Connector | None = None, **options: Any
    ) -> OneBotService[P]:
        """
        Make the service of the account, which is not started.

        @param options: as of L{OneBotService}.
        """
        service = OneBotService(
            self.account,
            factory,
            connector or self.connector(),
            self.clock,
            **{"pace": NO_PACE, "backoff": lambda attempt: 1.0, **options},
        )
        self.service = service
        return service

    def run(self, factory: FactoryOf[P], **options: Any) -> P:
        """
        Sign on with an application.

        @return: the protocol, which is signed on.
        """
        service = self.makeService(factory, **options)
        service.startService()
        return self.result(service.whenSignedOn())

    def stop(self) -> None:
        """
        Stop the service.
        """
        assert self.service is not None
        self.result(self.service.stopService())

    def settle(self, seconds: float = 0.0) -> None:
        """
        Advance the clock, and do everything that is due by then.
        """
        self._settle()
        until = self.clock.seconds() + seconds
        while (left := until - self.clock.seconds()) > 0:
            self.clock.advance(min(left, 1.0))
            self._settle()

    def _settle(self) -> None:
        for _ in range(MAX_ROUNDS):
            self.clock.advance(0)
            isMoved = False
            for pump in list(self._pumps):
                isMoved = pump.pump(advanceClock=False) or isMoved
                if pump.clientIO.disconnected and pump.serverIO.disconnected:
                    self._pumps.remove(pump)
            calls = self.clock.getDelayedCalls()
            isDue = any(call.getTime() <= self.clock.seconds() for call in calls)
            if not isMoved and not isDue:
                return
        raise AssertionError("the work never ends")

    def result(self, deferred: Deferred[T], seconds: float = 0.0) -> T:
        """
        Settle, and return the result of a Deferred.

        @raise Exception: the failure of the Deferred, or L{AssertionError} when it
            has not fired.
        """
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        self.settle(seconds)
        if not results:
            raise AssertionError("this Deferred has not fired")
        result = results[0]
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def send(self, event: Mapping[str, Any]) -> None:
        self.emit(event)
        self.settle()

    def emit(self, event: Mapping[str, Any]) -> None:
        now = int(self.clock.seconds())
        frame: Any = {"time": now, "self_id": self.number, **event}
        if self.warp is not None:
            frame = self.warp(frame)
        for peer in self._peers:
            if peer.role != "api":
                peer.send(frame)

    def sendText(self, text: str) -> None:
        """
        Send any text in one frame, such as one that is not JSON.
        """
        for peer in self._peers:
            if peer.socket is not None:
                peer.socket.sendText(text)
        self.settle()

    def write(self, data: bytes) -> None:
        """
        Write bytes to the connections: half a frame, or what is none.
        """
        for peer in self._peers:
            if peer.socket is not None and peer.socket.transport is not None:
                peer.socket.transport.write(data)
        self.settle()

    # The end of connections.

    def closeLink(self, code: int = 1000, reason: str = "") -> None:
        """
        Close the connections with a close frame.
        """
        for peer in list(self._peers):
            if peer.socket is not None:
                peer.socket.close(code, reason)
        self.settle()

    def loseLink(self, half: bytes = b"") -> None:
        """
        Lose the connections.

        @param half: bytes that come before.
        """
        for peer in list(self._peers):
            socket = peer.socket
            if socket is not None and socket.transport is not None:
                socket.transport.write(half)
                socket.abort()
        self.settle()

    @property
    def isLinked(self) -> bool:
        """
        Whether a connection is open.
        """
        return bool(self._peers)

    # Messages that the account has sent.

    @property
    def sent(self) -> list[Mapping[str, Any]]:
        """
        The parameters of the calls that sent a message.
        """
        return [
            params
            for action, params in self.calls
            if action.startswith("send_") and action.endswith("_msg")
        ]

    @property
    def said(self) -> list[str]:
        """
        The texts of the messages that the account has sent.
        """
        return [_textOf(params.get("message")) for params in self.sent]

    # Connections.

    def _connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        client: Any = factory.buildProtocol(_ADDRESS)
        if not self.isListening or client is None:
            return fail(ConnectError())
        self._join(self._factory.buildProtocol(_ADDRESS), client)
        return succeed(client)

    def dial(
        self, factory: IProtocolFactory, role: str = "Universal", **headers: str
    ) -> _Peer:
        """
        Connect to a service that listens.

        @param factory: L{Listener.factory<txwebqq.onebot.connectors.Listener>}.
        @param role: C{Universal}, C{API} or C{Event}.
        @param headers: others of the handshake, with C{_} for C{-}.
        """
        peer = _Peer(self, role.lower())
        given = {"X_Self_ID": str(self.number), "X_Client_Role": role}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        pairs = [
            (name.replace("_", "-"), value)
            for name, value in {**given, **headers}.items()
            if value
        ]
        server: Any = factory.buildProtocol(_ADDRESS)
        client = ClientWebSocket(peer, self.clock, "localhost", "/", pairs, set())
        self._join(server, client)
        self.settle()
        return peer

    def _join(self, server: Any, client: Any) -> None:
        pump = connect(
            server,
            FakeTransport(server, isServer=True),
            client,
            FakeTransport(client, isServer=False),
            greet=False,
            clock=self.clock,
        )
        self._pumps.append(pump)

    def _accept(self, handshake: Handshake) -> WebSocketHandler:
        given = handshake.headers.get("authorization", "")
        isRight = not self.token or given == f"Bearer {self.token}"
        if not isRight and self.refusal == "http":
            raise Refused(403 if given else 401, "token")
        return _Peer(self, "universal" if isRight else "refused")

    def _opened(self, peer: _Peer) -> None:
        assert peer.socket is not None
        if peer.role == "refused":
            peer.send(_answer("failed", 1403, None, "token验证失败", None))
            peer.socket.close(1000)
            return
        self.connections += 1
        self._peers.append(peer)
        if self.saysHello and peer.role != "api":
            hello = {
                "time": int(self.clock.seconds()),
                "self_id": self.number,
                "post_type": "meta_event",
                "meta_event_type": "lifecycle",
                "sub_type": "connect",
            }
            peer.send(hello if self.warp is None else self.warp(hello))

    def _closed(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)

    # Calls.

    def _asked(self, peer: _Peer, text: str) -> None:
        call = json.loads(text)
        action, params = call["action"], call.get("params") or {}
        self.calls.append((action, params))
        if action in self.unanswered:
            return
        frame = self._answerTo(action, params, call.get("echo"))
        if self.warp is not None:
            # Programs give the echo as it came.
            frame = {**self.warp(frame), "echo": frame["echo"]}
        if self.delay:
            self.clock.callLater(self.delay, peer.send, frame)
        else:
            peer.send(frame)

    def _answerTo(self, action: str, params: Mapping[str, Any], echo: Any) -> Any:
        try:
            data = carryOut(self, action, params)
        except CallRefused as e:
            return _answer("failed", e.retcode, None, str(e), echo)
        return _answer("ok", 0, data, "", echo)


def _textOf(message: Any) -> str:
    return "".join(
        textIn(segment.get("data") or {}, "text")
        for segment in readSegments(message)
        if segment["type"] == "text"
    )


def _answer(status: str, retcode: int, data: Any, reason: str, echo: Any) -> Any:
    return {
        "status": status,
        "retcode": retcode,
        "data": data,
        "message": reason,
        "wording": reason,
        "echo": echo,
    }
