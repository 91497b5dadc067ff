"""
WebSockets to bots, with wsproto as the other side.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from tests.rig import CapturedLog
from txwebqq.model import Number
from txwebqq.onebot.authorization import GUESS_WINDOW, MAX_GUESSES
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.config import ForwardSettings, ReverseSettings
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.websockets import (
    MAX_CONNECTIONS,
    ForwardListener,
    ReverseDialler,
)

TOKEN = "s3cret"


class Transport(StringTransport):
    """
    A transport that notes how it is closed.
    """

    isAborted = False

    def abortConnection(self) -> None:
        self.isAborted = True
        self.loseConnection()

    def setTcpNoDelay(self, enabled: bool) -> None: ...


class Peer:
    """
    The other side of a connection.
    """

    def __init__(self, kind: ConnectionType, protocol: Any) -> None:
        self.wire = WSConnection(kind)
        self.protocol = protocol
        self.transport = Transport()
        protocol.makeConnection(self.transport)
        self.request: Request | None = None

    def write(self, event: Any) -> None:
        """
        Send an event.
        """
        self.protocol.dataReceived(self.wire.send(event))

    def read(self) -> list[Any]:
        """
        Return what was received.
        """
        data = self.transport.value()
        self.transport.clear()
        if data:
            self.wire.receive_data(data)
        return list(self.wire.events())

    def texts(self) -> list[dict[str, Any]]:
        """
        Return the messages that were received.
        """
        found = [e for e in self.read() if isinstance(e, TextMessage)]
        return [json.loads(each.data) for each in found]

    def lose(self) -> None:
        """
        Lose the connection.
        """
        self.protocol.connectionLost(Failure(error.ConnectionRefusedError()))


class Rig:
    """
    An account that is not signed on.
    """

    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.account = SurfaceAccount(
            Number(10002), self.reactor, PictureLoader(self.reactor)
        )

    def listen(self, token: str = TOKEN) -> ForwardListener:
        """
        Listen for bots.
        """
        settings = ForwardSettings("tcp:3001:interface=127.0.0.1", token)
        self.listener = ForwardListener(self.account, settings, self.reactor)
        return self.listener

    def connect(self, target: str = "/", **headers: str) -> tuple[Peer, list[Any]]:
        """
        Open a WebSocket.

        @return: the peer, and what it received.
        """
        protocol = self.listener.factory.buildProtocol(None)
        peer = Peer(ConnectionType.CLIENT, protocol)
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        peer.write(Request(host="127.0.0.1", target=target, extra_headers=extra))
        return peer, peer.read()

    def dial(self, url: str = "ws://127.0.0.1:8080/onebot?a=b") -> ReverseDialler:
        """
        Connect to a bot.
        """
        settings = ReverseSettings(url, TOKEN)
        return ReverseDialler(self.account, settings, self.reactor, float)

    def accept(self) -> tuple[Peer, Request]:
        """
        Accept the connection that was asked for last.
        """
        *_, factory, _, _ = self.reactor.tcpClients[-1]
        peer = Peer(ConnectionType.SERVER, factory.buildProtocol(None))
        (request,) = peer.read()
        return peer, request


@pytest.fixture
def rig() -> Rig:
    """
    The rig.
    """
    return Rig()


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/", {}, 401),
        ("/", {"Authorization": "Basic s3cret"}, 401),
        ("/", {"Authorization": "Bearer wrong"}, 403),
        ("/?access_token=wrong", {}, 403),
        ("/?access_token=%E9", {}, 403),
        ("/other", {"Authorization": "Bearer s3cret"}, 404),
        ("/", {"Authorization": "Bearer s3cret"}, 101),
        ("/", {"authorization": "token s3cret"}, 101),
        ("/event/?access_token=s3cret", {}, 101),
    ],
)
def test_token(rig: Rig, target: str, headers: dict[str, str], status: int) -> None:
    """
    A token is needed, in the header or in the query, and is in no answer or log
    line.
    """
    rig.listen()
    with CapturedLog() as log:
        peer, events = rig.connect(target, **headers)
    if status == 101:
        assert isinstance(events[0], AcceptConnection)
        return
    assert isinstance(events[0], RejectConnection)
    assert events[0].status_code == status
    assert isinstance(events[1], RejectData)
    assert peer.transport.disconnecting
    assert TOKEN not in log.text + str(events)


def test_guesses(rig: Rig) -> None:
    """
    Wrong tokens of an address are limited.
    """
    rig.listen()
    for n in range(MAX_GUESSES):
        assert rig.connect(f"/?access_token={n}")[1][0].status_code == 403
    refusal, data, *_ = rig.connect(f"/?access_token={TOKEN}")[1]
    assert (refusal.status_code, TOKEN in str(data)) == (429, False)
    rig.reactor.advance(GUESS_WINDOW)
    assert isinstance(rig.connect(f"/?access_token={TOKEN}")[1][0], AcceptConnection)


def test_noToken(rig: Rig) -> None:
    """
    Without a token programs are let in, but no page in a browser.
    """
    rig.listen("")
    assert isinstance(rig.connect()[1][0], AcceptConnection)
    refusal, data, *_ = rig.connect(origin="http://evil.example")[1]
    assert refusal.status_code == 403
    assert b"browsers need a token" in data.data


@pytest.mark.parametrize(
    "header",
    [
        b"Host: \xff",
        b"Host: x\r\nConnection: \xff",
        b"Host: x\r\nUpgrade: \xff",
        b"Host: x\r\nSec-WebSocket-Extensions: \xff",
        b"Host: x\r\nSec-WebSocket-Protocol: \xff",
        b"Host: x\r\nSec-WebSocket-Version: \xff",
    ],
)
def test_unreadable(rig: Rig, header: bytes) -> None:
    """
    A handshake with bytes that are no text closes the connection.
    """
    rig.listen()
    protocol: Any = rig.listener.factory.buildProtocol(None)
    transport = Transport()
    protocol.makeConnection(transport)
    protocol.dataReceived(b"GET / HTTP/1.1\r\n" + header + b"\r\n\r\n")
    assert transport.disconnecting
    protocol.connectionLost()
    assert rig.reactor.getDelayedCalls() == []


def test_roles(rig: Rig) -> None:
    """
    One path is for calls, one for events, and one for both.
    """
    rig.listen("")
    event, api, both = (rig.connect(path)[0] for path in ("/event", "/api", "/"))
    (first, second) = (peer.texts() for peer in (api, both))
    assert first == []
    call = Message(data='{"action":"get_status","echo":1}')
    for peer in (event, api, both):
        peer.write(call)
    assert event.texts() == []
    assert api.texts()[0]["echo"] == both.texts()[0]["echo"] == 1
    rig.account.notice("friend_add", user_id=1)
    assert event.texts()[0]["user_id"] == both.texts()[0]["user_id"] == 1
    assert api.texts() == []
    assert second == []


def test_fragments(rig: Rig) -> None:
    """
    Calls may come divided into any frames and bytes.
    """
    rig.listen("")
    peer, _ = rig.connect()
    peer.write(Message(data='{"action":"get_st', message_finished=False))
    data = peer.wire.send(Message(data='atus","echo":1}'))
    data += peer.wire.send(Message(data='{"action":"get_status","echo":2}'))
    for at in range(len(data)):
        peer.protocol.dataReceived(data[at : at + 1])
    assert [each["echo"] for each in peer.texts()] == [1, 2]


def test_tooManyConnections(rig: Rig) -> None:
    """
    There is a limit of connections.
    """
    rig.listen("")
    peers = [rig.connect()[0] for _ in range(MAX_CONNECTIONS)]
    refused = rig.connect()[1][0]
    assert refused.status_code == 503
    peers[0].lose()
    assert isinstance(rig.connect()[1][0], AcceptConnection)


def test_withoutHandshake(rig: Rig) -> None:
    """
    Connections that have said nothing yet keep no bot out.
    """
    rig.listen()
    for _ in range(MAX_CONNECTIONS + 1):
        Peer(ConnectionType.CLIENT, rig.listener.factory.buildProtocol(None))
    events = rig.connect(Authorization="Bearer s3cret")[1]
    assert isinstance(events[0], AcceptConnection)


def test_slowPeer(rig: Rig) -> None:
    """
    A bot that does not read holds nobody else up.
    """
    rig.listen("")
    slow, _ = rig.connect()
    other, _ = rig.connect()
    slow.protocol.pauseProducing()
    for n in range(100):
        rig.account.notice("friend_add", user_id=n)
    assert len(other.texts()) == 100
    assert slow.transport.value() == b""
    slow.protocol.resumeProducing()
    assert len(slow.texts()) == 100


def test_stop(rig: Rig) -> None:
    """
    Stopping closes the connections, and leaves nothing on the clock.
    """
    listener = rig.listen("")
    listener.startService()
    peer, _ = rig.connect()
    stopped = listener.stopService()
    (close,) = [e for e in peer.read() if isinstance(e, CloseConnection)]
    assert close.code == 1001
    peer.write(close.response())
    peer.lose()
    assert stopped.called
    assert rig.reactor.getDelayedCalls() == []


def test_reverse(rig: Rig) -> None:
    """
    A bot that we connect to is told the account, the role and the token, and gets
    events and replies on the same connection.
    """
    dialler = rig.dial()
    dialler.startService()
    peer, request = rig.accept()
    assert request.target == "/onebot?a=b"
    headers = {bytes(k).lower(): bytes(v) for k, v in request.extra_headers}
    assert headers[b"x-self-id"] == b"10002"
    assert headers[b"x-client-role"] == b"Universal"
    assert headers[b"authorization"] == b"Bearer s3cret"
    assert headers[b"user-agent"] == b"OneBot/11"
    peer.write(AcceptConnection())
    peer.write(Message(data='{"action":"get_status","echo":{"seq":1}}'))
    first, reply = peer.texts()
    assert first["meta_event_type"] == "lifecycle"
    assert reply["echo"] == {"seq": 1}


def test_notASCII(rig: Rig) -> None:
    """
    A URL need not be ASCII.
    """
    dialler = rig.dial("ws://127.0.0.1:8080/机器人?a=%20b")
    dialler.startService()
    _, request = rig.accept()
    assert request.target == "/%E6%9C%BA%E5%99%A8%E4%BA%BA?a=%20b"


def test_reconnect(rig: Rig) -> None:
    """
    A bot that is not there, refuses, or goes away is connected to again, later each
    time, until it has answered.
    """
    dialler = rig.dial("ws://127.0.0.1:8080")
    dialler.startService()
    host, port, factory, _, _ = rig.reactor.tcpClients[-1]
    factory.clientConnectionFailed(None, Failure(error.ConnectionRefusedError()))
    rig.reactor.advance(0)
    assert len(rig.reactor.tcpClients) == 2
    peer, _ = rig.accept()
    peer.write(RejectConnection(status_code=403))
    peer.lose()
    rig.reactor.advance(0.5)
    assert len(rig.reactor.tcpClients) == 2
    rig.reactor.advance(0.5)
    assert len(rig.reactor.tcpClients) == 3
    peer, _ = rig.accept()
    peer.write(AcceptConnection())
    peer.lose()
    rig.reactor.advance(0)
    assert len(rig.reactor.tcpClients) == 4
    stopped = dialler.stopService()
    assert stopped.called
    rig.reactor.advance(60)
    assert len(rig.reactor.tcpClients) == 4
    assert rig.reactor.getDelayedCalls() == []
    assert host == "127.0.0.1"
    assert port == 8080
