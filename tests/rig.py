"""
A client at a server whose replies a test scripts.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.python.usage import Options
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from txwebqq.interfaces import FactoryOf
from txwebqq.model import Account, Event, KickNotice, Message
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.service import WebQQService
from txwebqq.testing import MemoryTreq, MemoryWebQQ
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.events.envelope import encodeEvent
from txwebqq.wire.form import Form
from txwebqq.wire.jsontext import encodeJSON

P = TypeVar("P")

POLL = "/channel/poll2"
LOGIN2 = "/channel/login2"
LOGOUT2 = "/channel/logout2"
PROBE = "/channel/get_online_buddies2"
SEND = "/channel/send_buddy_msg2"
HEARTBEAT = "/web2/get_msg_tip"
HTML = b"<html>502 Bad Gateway</html>"
NO_EVENTS = b'{"retcode":102,"errmsg":""}'

Reply = bytes | int | Callable[[Request], bytes | int]
"""A body, an HTTP status, L{NOT_DONE_YET} for no reply, or a handler."""


class CallbackLog(WebQQProtocol):
    """
    A protocol that logs its callbacks.
    """

    factory: CallbackLogFactory

    def __init__(self) -> None:
        self.log: list[str] = []

    def connectionMade(self) -> None:
        self.factory.protocols.append(self)
        self.log.append("made")

    def signedOn(self) -> object:
        self.log.append("on")
        return self.factory.onSignedOn(self)

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self.factory.captchaTexts.pop(0)

    def messageReceived(self, message: Message) -> object:
        self.log.append(message.text)
        return self.factory.onMessage(message)

    def kicked(self, notice: KickNotice) -> object:
        self.log.append("kicked")
        return self.factory.onKicked(self)

    def connectionLost(self, reason: Failure) -> object:
        assert reason.type is not None
        self.log.append(reason.type.__name__)
        return self.factory.onLost(self)


class CallbackLogFactory(WebQQFactory):
    """
    Keeps the protocols of all sign-ons, and does in their callbacks what a test
    wants.
    """

    protocol = CallbackLog

    def __init__(self) -> None:
        self.protocols: list[CallbackLog] = []
        self.captchaTexts: list[Awaitable[str]] = []
        self.onMessage: Callable[[Message], object] = lambda message: None
        self.onSignedOn: Callable[[CallbackLog], object] = lambda protocol: None
        self.onKicked: Callable[[CallbackLog], object] = lambda protocol: None
        self.onLost: Callable[[CallbackLog], object] = lambda protocol: None

    @property
    def logs(self) -> list[list[str]]:
        return [protocol.log for protocol in self.protocols]


class ScriptedServer(Resource):
    """
    Our server, with scripted replies to some requests.

    @ivar requests: the paths of all requests.
    @ivar replies: by path, the replies to the next requests.
    @ivar disconnected: the paths of requests whose connection the client has
        closed.
    """

    isLeaf = True

    def __init__(self, web: MemoryWebQQ) -> None:
        super().__init__()
        self._web = web
        self.requests: list[str] = []
        self.disconnected: list[str] = []
        self.replies: dict[str, list[Reply]] = {}

    def render(self, request: Request) -> bytes | int:
        path = request.path.decode()
        self.requests.append(path)
        replies = self.replies.get(path)
        if not replies:
            return self._web.server.render(request)
        reply = replies.pop(0)
        if callable(reply):
            return reply(request)
        if reply == NOT_DONE_YET:
            request.notifyFinish().addErrback(lambda _: self.disconnected.append(path))
        elif isinstance(reply, int):
            request.setResponseCode(reply)
            return HTML
        return reply


def truncate(request: Request) -> int:
    """
    Close the connection in the middle of a reply.
    """
    request.setHeader(b"content-length", b"1000")
    request.write(b'{"retcode":0,')
    disconnect(request)
    return NOT_DONE_YET


def disconnect(request: Request) -> int:
    """
    Close the connection without a reply.
    """
    assert request.transport is not None
    request.transport.loseConnection()
    return NOT_DONE_YET


class Rig:
    """
    Alice with a service, and her friend Bob, at a scripted server.
    """

    def __init__(self, captcha: CaptchaMode = CaptchaMode.NEVER) -> None:
        self.web = MemoryWebQQ(captcha)
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        self.server = ScriptedServer(self.web)
        self.web.treq = MemoryTreq(self.server)
        self.factory = CallbackLogFactory()
        self.service = self.serve(self.alice.account, self.factory)

    def serve(
        self, account: Account, factory: FactoryOf[P], heartbeat: float = 60.0
    ) -> WebQQService[P]:
        return WebQQService(
            account,
            factory,
            self.web.client(),
            self.web.clock,
            heartbeat=heartbeat,
            backoff=lambda n: 2.0,
        )

    @property
    def protocol(self) -> CallbackLog:
        """
        The latest protocol of Alice's service.
        """
        return self.factory.protocols[-1]

    def start(self) -> None:
        self.service.startService()
        self.web.settle()

    def polls(self, *replies: Reply) -> None:
        """
        Start, with scripted replies to the first polls.
        """
        self.server.replies[POLL] = list(replies)
        self.start()

    def finish(self) -> None:
        """
        Stop client and server, and check that no delayed call is left.
        """
        self.web.result(self.service.stopService())
        self.web.stop()
        assert self.web.clock.getDelayedCalls() == []


def configurationIn(options: Options, file: Path) -> Any:
    """
    Return the configuration that a daemon reads from a file.

    @param options: the options of the daemon's plugin.
    """
    options.parseOptions(["--config", str(file)])
    return options["configuration"]


def raiseError(*args: object) -> None:
    """
    Raise an exception, in place of a callback.
    """
    raise ZeroDivisionError("in an application")


def message(seconds: int, number: int, text: str) -> str:
    """
    A message from a friend, in JSON.
    """
    value = {
        "msg_id": number,
        "from_uin": 2963008411,
        "to_uin": 300100200,
        "msg_id2": 158459,
        "msg_type": 9,
        "time": seconds,
        "content": [["font", {}], f"{text} "],
    }
    return json.dumps({"poll_type": "message", "value": value})


KICK = (
    '{"poll_type":"kick_message","value":{"msg_id":30519,"from_uin":10000,'
    '"to_uin":300100200,"msg_id2":30520,"msg_type":48,"reply_ip":0,'
    '"show_reason":1,"reason":"elsewhere"}}'
)


def envelope(event: Event) -> str:
    """
    An event in JSON.
    """
    return encodeJSON(encodeEvent(event))


def batch(*events: str, ack: int | None = None) -> bytes:
    """
    A poll reply with events.
    """
    number = "" if ack is None else f',"ack":{ack}'
    return f'{{"retcode":0,"result":[{",".join(events)}]{number}}}'.encode()


class RecordedPolls:
    """
    Replies to polls, and records them.
    """

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.polls: list[Poll2] = []

    def __call__(self, request: Request) -> bytes | int:
        assert request.content is not None
        form = Form.parse(b"", request.content.read())
        self.polls.append(Poll2.decodeFields(form))
        return self.replies.pop(0) if self.replies else NOT_DONE_YET


class CapturedLog:
    """
    The log events of a C{with} block.
    """

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __enter__(self) -> Self:
        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            self.events.append(event)

        self._observer = observe
        globalLogPublisher.addObserver(observe)
        return self

    def __exit__(self, *args: object) -> None:
        globalLogPublisher.removeObserver(self._observer)

    @property
    def text(self) -> str:
        """
        All that observers could print, formatted and raw.
        """
        lines = []
        for event in self.events:
            failure = event.get("log_failure")
            lines += [formatEvent(event), str(event)]
            if failure is not None:
                lines.append(failure.getTraceback(detail="verbose"))
        return "\n".join(lines)
