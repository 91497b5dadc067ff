"""
Calls of bots, events of OneBot programs, and requests to the two HTTP servers beside
them.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from tests.fuzz.hostile import mutate, one, text, value, write
from tests.fuzz.http import Message, query, request, sent
from tests.onebot.surface.test_events import Scene
from tests.operation.test_service import Endpoint
from txwebqq.onebot.memory.program import MemoryOneBot
from txwebqq.onebot.surface.calls.dispatcher import HANDLERS
from txwebqq.onebot.surface.config import HTTPSettings
from txwebqq.onebot.surface.httpapi import HTTPListener
from txwebqq.testing import RecordingFactory

ACTIONS = (*HANDLERS, "x", "", "get_status_async", "send_msg_rate_limited", ".x")

PARAMS: dict[str, Any] = {
    "user_id": 10001,
    "group_id": 200001,
    "message_id": 1,
    "message": [{"type": "text", "data": {"text": "hi"}}],
    "message_type": "group",
    "auto_escape": False,
    "duration": 60,
    "enable": True,
    "flag": "1",
    "approve": True,
    "no_cache": True,
    "times": 1,
    "card": "x",
    "name": "x",
    "file": "base64://aGVsbG8=",
    "file_id": "x",
    "folder_id": "/",
    "count": 20,
    "emoji_id": "76",
    "set": True,
    "reject_add_request": False,
}

MESSAGES: tuple[Any, ...] = (
    "[CQ:at,qq=all][CQ:face,id=1]hi&#91;",
    "[CQ:image,file=base64://x,url=][CQ:reply,id=-1]",
    "[CQ:" * 50,
    [{"type": "at", "data": {"qq": "all"}}, {"type": "text", "data": {"text": "hi"}}],
    [{"type": "reply", "data": {"id": "1"}}, {"type": "face", "data": {"id": "76"}}],
    [{"type": "image", "data": {"file": "x.png", "url": "http://[", "summary": "x"}}],
    [{"type": "file", "data": {"file": "x", "file_id": "x", "file_size": "x"}}],
    [{"type": "forward", "data": {"id": "x"}}, {"type": "json", "data": {"data": "{"}}],
    [{"type": "node", "data": {"content": [{"type": "node", "data": {}}]}}],
    [{"type": "record", "data": {}}, {"type": "video"}, {}, [], None, 1],
    {"type": "text", "data": {"text": "hi"}},
)

EVENTS: tuple[dict[str, Any], ...] = (
    {
        "post_type": "message",
        "message_type": "private",
        "sub_type": "friend",
        "message_id": 5,
        "user_id": 10002,
        "message": [{"type": "text", "data": {"text": "hi"}}],
        "raw_message": "hi",
        "font": 0,
        "sender": {"user_id": 10002, "nickname": "Ali"},
    },
    {
        "post_type": "message",
        "message_type": "group",
        "sub_type": "normal",
        "message_id": 6,
        "group_id": 200001,
        "user_id": 10002,
        "anonymous": None,
        "message": "hi",
        "sender": {"user_id": 10002, "nickname": "Ali", "card": "", "role": "owner"},
    },
    {
        "post_type": "message_sent",
        "message_type": "group",
        "message_id": 7,
        "group_id": 200001,
        "user_id": 10001,
        "message": [],
    },
    {
        "post_type": "notice",
        "notice_type": "group_increase",
        "sub_type": "approve",
        "group_id": 200001,
        "operator_id": 10002,
        "user_id": 10003,
        "comment": "x",
        "flag": "x",
        "duration": 60,
        "message_id": 5,
        "target_id": 10001,
        "file": {"id": "/x", "name": "x", "size": 5, "busid": 1, "url": "x"},
        "likes": [{"emoji_id": "76", "count": 1}],
        "is_add": True,
    },
    {
        "post_type": "request",
        "request_type": "group",
        "sub_type": "invite",
        "group_id": 200001,
        "user_id": 10002,
        "comment": "x",
        "flag": "f",
    },
    {
        "post_type": "meta_event",
        "meta_event_type": "heartbeat",
        "sub_type": "connect",
        "status": {"online": True, "good": True},
        "interval": 5000,
    },
    {
        "status": "ok",
        "retcode": 0,
        "data": {},
        "echo": "1",
        "message": "",
        "wording": "",
    },
)

NAMES = (
    "group_upload",
    "group_admin",
    "group_decrease",
    "group_increase",
    "group_ban",
    "group_recall",
    "friend_recall",
    "friend_add",
    "notify",
    "group_msg_emoji_like",
    "group_card",
    "essence",
    "offline_file",
    "client_status",
    "bot_offline",
    "lifecycle",
    "poke",
    "lucky_king",
    "kick",
    "kick_me",
    "leave",
    "ban",
    "lift_ban",
    "add",
    "set",
)


def makeCall(random: Random) -> str:
    """
    Make a call of a bot.
    """
    names = [name for name in PARAMS if random.random() < 0.5]
    params = {name: PARAMS[name] for name in names}
    if random.random() < 0.4:
        params["message"] = one(random, MESSAGES)
    call = {"action": one(random, ACTIONS), "params": params, "echo": random.random()}
    if random.random() < 0.02:
        return write(random, value(random)).decode("utf-8", "replace")
    return write(random, mutate(random, call)).decode("utf-8", "surrogateescape")


def makeEvent(random: Random) -> str:
    """
    Make an event, or an answer, of a program.
    """
    event = dict(one(random, EVENTS))
    if "message" in event and random.random() < 0.5:
        event["message"] = one(random, MESSAGES)
    for name in ("notice_type", "sub_type"):
        if name in event and random.random() < 0.7:
            event[name] = one(random, NAMES)
    event |= {"time": 1366004047, "self_id": 10001}
    if random.random() < 0.02:
        return write(random, value(random)).decode("utf-8", "replace")
    return write(random, mutate(random, event)).decode("utf-8", "replace")


def makeCallRequest(random: Random) -> Message:
    """
    Make an HTTP request of a bot.
    """
    path = one(random, ACTIONS).encode()
    body = json.dumps(mutate(random, PARAMS)).encode()
    kind = one(random, (b"application/json", b"application/x-www-form-urlencoded"))
    if random.random() < 0.3:
        body = b"user_id=1&message=%ff&group_id=" + text(random).encode(
            "utf-8", "replace"
        )
    headers = {b"Authorization": b"Bearer s3cret", b"Content-Type": kind}
    return request(random, b"POST", b"/" + path + query(random), body, headers)


def makePageRequest(random: Random) -> Message:
    """
    Make a request of an operator.
    """
    path = one(random, (b"/healthz", b"/readyz", b"/metrics", b"/x"))
    headers = {b"Authorization": b"Bearer s3cret"}
    return request(random, b"GET", path + query(random), b"", headers)


class BotTarget:
    """
    An account with a bot.
    """

    def __init__(self) -> None:
        self._scene = Scene()
        self._scene.alice.run()
        self._scene.carol.run()

    def feed(self, item: str) -> None:
        scene = self._scene
        scene.bot.write(item)
        scene.web.settle(0.5)
        for frame in scene.bot.socket.sent:
            json.dumps(frame)
        scene.bot.socket.sent.clear()

    def check(self) -> None:
        self._scene.web.settle(120)
        self._scene.bot.socket.sent.clear()
        status = self._scene.bot.call("can_send_image")
        assert status == {"yes": True}

    def close(self) -> None:
        for person in (self._scene.alice, self._scene.carol, self._scene.person):
            person.stop()
        self._scene.web.stop()


class ProgramTarget:
    """
    An account of today's QQ, by a program in memory.
    """

    def __init__(self) -> None:
        self._onebot = MemoryOneBot()
        self._alice = self._onebot.addFriend("Alice", "Ali")
        self._onebot.addGroup("Twisted", self._alice)
        self._protocol = self._onebot.run(RecordingFactory())

    def feed(self, item: str) -> None:
        self._onebot.sendText(item.encode("utf-8", "replace").decode())
        self._onebot.settle(0.2)

    def check(self) -> None:
        service = self._onebot.service
        assert service is not None
        self._onebot.heartbeat()
        self._onebot.loseLink()
        # An account that was kicked waits for a person.
        service.signOn()
        self._onebot.settle(60)
        self._protocol = self._onebot.result(service.whenSignedOn(), 60)
        self._protocol.events.clear()
        self._onebot.tell(self._alice, "still here")
        self._onebot.settle(5)
        heard = [getattr(event, "text", "") for event in self._protocol.events]
        assert "still here" in heard, heard

    def close(self) -> None:
        self._onebot.stop()


class _Transport(StringTransport):
    """
    A transport that is closed in both ways.
    """

    def abortConnection(self) -> None:
        self.disconnecting = True


class _Connection:
    """
    A connection to an HTTP server.
    """

    def __init__(self, site: Site) -> None:
        self.transport = _Transport()
        self.protocol: Any = site.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def send(self, item: Message) -> bytes:
        """
        Send a request, and return the reply.
        """
        for segment in sent(item):
            if not self.transport.disconnecting:
                self.protocol.dataReceived(segment)
        data: bytes = self.transport.value()
        return data

    def lose(self) -> None:
        """
        Lose the connection.
        """
        self.protocol.connectionLost(Failure(ConnectionError("gone")))


class CallServerTarget(BotTarget):
    """
    The HTTP server for calls of bots.
    """

    def __init__(self) -> None:
        super().__init__()
        settings = HTTPSettings("tcp:3000", "s3cret")
        clock: Any = self._scene.web.clock
        self._site = HTTPListener(self._scene.bot.account, settings, clock).site

    def feed(self, item: Any) -> None:
        connection = _Connection(self._site)
        connection.send(item)
        self._scene.web.settle(0.5)
        connection.lose()

    def check(self) -> None:
        self._scene.web.settle(120)
        connection = _Connection(self._site)
        start = b"GET /get_status?access_token=s3cret HTTP/1.1\r\nHost: a\r\n\r\n"
        connection.send(("length", start, b"", ()))
        self._scene.web.settle(1)
        assert b"200 OK" in connection.transport.value()
        connection.lose()


class OperatorTarget:
    """
    The endpoint for operators.
    """

    def __init__(self) -> None:
        self._endpoint = Endpoint("s3cret")

    def feed(self, item: Message) -> None:
        connection = _Connection(self._endpoint.service.site)
        connection.send(item)
        self._endpoint.reactor.advance(0.01)
        connection.lose()

    def check(self) -> None:
        status, _ = self._endpoint.ask("/readyz", "Authorization: Bearer s3cret")
        assert status == 200

    def close(self) -> None:
        self._endpoint.service.stopService()
        assert self._endpoint.reactor.getDelayedCalls() == []
