"""
A bot on an account of a WebQQ server, all in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.connection import BotConnection
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.protocol import SurfaceFactory
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed
from txwebqq.testing import MemoryPerson, MemoryWebQQ

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc`\0\0\0\2\0\1\xe2!\xbc3\0\0\0\0IEND\xaeB`\x82"
)


class RecordingSocket:
    """
    The side of a WebSocket that a connection writes to.
    """

    isOpen = True

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def sendText(self, text: str) -> None:
        """
        Record a message.
        """
        self.sent.append(json.loads(text))


class MemoryBot:
    """
    A bot.

    @ivar sent: all that the bot has received.
    """

    def __init__(self, web: MemoryWebQQ, person: MemoryPerson, **options: Any) -> None:
        self._web = web
        self.person = person
        self.number = person.number
        self.account = SurfaceAccount(
            person.number, web.clock, PictureLoader(web.clock)
        )
        self._options = {"heartbeat": 0.0, **options}
        self.socket, self.connection = self.connect()

    def signOn(self) -> None:
        """
        Sign the account on.
        """
        self.person.run(SurfaceFactory(self.account))
        self._web.settle()

    def connect(self) -> tuple[RecordingSocket, BotConnection]:
        """
        Open a connection of the bot.
        """
        connection = BotConnection(self.account, "in memory", **self._options)
        socket = RecordingSocket()
        connection.opened(cast(WebSocket, socket))
        return socket, connection

    def disconnect(self) -> None:
        """
        Lose the connection.
        """
        self.connection.closed(cast(WebSocket, self.socket), WebSocketClosed("lost"))

    def write(self, text: str) -> None:
        """
        Send a text message.
        """
        self.connection.textReceived(cast(WebSocket, self.socket), text)

    def reply(self, action: str, **params: Any) -> dict[str, Any]:
        """
        Call, and return the reply.
        """
        self.write(json.dumps({"action": action, "params": params, "echo": action}))
        self._web.settle()
        (reply,) = [each for each in self.socket.sent if each.get("echo") == action]
        self.socket.sent.remove(reply)
        return reply

    def call(self, action: str, **params: Any) -> Any:
        """
        Call with success, and return the data.
        """
        reply = self.reply(action, **params)
        assert reply["status"] == "ok", reply
        assert reply["retcode"] == 0
        return reply["data"]

    def refused(self, action: str, **params: Any) -> str:
        """
        Call without success, and return the reason.
        """
        reply = self.reply(action, **params)
        assert reply["status"] == "failed", reply
        assert reply["data"] is None
        assert reply["message"] == reply["wording"]
        return f"{reply['retcode']} {reply['message']}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """
        The events other than meta events.
        """
        return [
            each
            for each in self.socket.sent
            if each.get("post_type") not in (None, "meta_event")
        ]


class PostedTreq:
    """
    Records the requests, which a test answers.
    """

    def __init__(self) -> None:
        self.posted: list[tuple[dict[str, Any], dict[str, str], bytes]] = []
        self.waiting: list[Deferred[Any]] = []

    @property
    def request(self) -> Callable[..., Deferred[Any]]:
        """
        Record a request.
        """
        return self._request

    def _request(
        self, method: str, url: str, *, data: bytes, headers: Any, **options: Any
    ) -> Deferred[Any]:
        assert (method, url) == ("POST", "http://bot.test/")
        self.posted.append((json.loads(data), headers, data))
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def answer(self, code: int = 204, body: bytes = b"") -> None:
        """
        Answer the oldest request.
        """

        def deliver(protocol: Any) -> None:
            protocol.makeConnection(StringTransport())
            for byte in BytesIO(body).read().splitlines(keepends=True):
                protocol.dataReceived(byte)
            protocol.connectionLost(Failure(ResponseDone()))

        self.waiting.pop(0).callback(
            SimpleNamespace(code=code, deliverBody=deliver, length=len(body))
        )
