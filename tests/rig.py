"""
An account at a server that answers as a test wants.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Self

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from txwebqq.interfaces import IWebQQFactory
from txwebqq.model import Account, Event, KickNotice, Message
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.service import WebQQService
from txwebqq.testing import MemoryTreq, MemoryWebQQ
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.events.envelope import encodeEvent
from txwebqq.wire.form import Form
from txwebqq.wire.jsontext import encodeJSON

POLL = "/channel/poll2"
LOGIN2 = "/channel/login2"
LOGOUT2 = "/channel/logout2"
PROBE = "/channel/get_online_buddies2"
SEND = "/channel/send_buddy_msg2"
BEAT = "/web2/get_msg_tip"
HTML = b"<html>502 Bad Gateway</html>"
NOTHING = b'{"retcode":102,"errmsg":""}'

Answer = bytes | int | Callable[[Request], bytes | int]
"""A body, an HTTP status, L{NOT_DONE_YET} for silence, or what does more."""


class Life(WebQQProtocol):
    """
    Writes down what happens to it.
    """

    factory: Lives

    def __init__(self) -> None:
        self.log: list[str] = []

    def connectionMade(self) -> None:
        self.factory.lived.append(self)
        self.log.append("made")

    def signedOn(self) -> object:
        self.log.append("on")
        return self.factory.onSignedOn(self)

    def captchaRequired(self, image: bytes) -> Awaitable[str]:
        return self.factory.readings.pop(0)

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


class Lives(WebQQFactory):
    """
    Remembers whom it built, and does what a test wants.
    """

    protocol = Life

    def __init__(self) -> None:
        self.lived: list[Life] = []
        self.readings: list[Awaitable[str]] = []
        self.onMessage: Callable[[Message], object] = lambda message: None
        self.onSignedOn: Callable[[Life], object] = lambda life: None
        self.onKicked: Callable[[Life], object] = lambda life: None
        self.onLost: Callable[[Life], object] = lambda life: None

    @property
    def logs(self) -> list[list[str]]:
        return [life.log for life in self.lived]


class OddServer(Resource):
    """
    Our server, with other answers to some questions.

    @ivar scripted: for a path, what to answer next.
    @ivar gone: the paths of questions whose connection was closed on us.
    """

    isLeaf = True

    def __init__(self, web: MemoryWebQQ) -> None:
        super().__init__()
        self._web = web
        self.asked: list[str] = []
        self.gone: list[str] = []
        self.scripted: dict[str, list[Answer]] = {}

    def render(self, request: Request) -> bytes | int:
        path = request.path.decode()
        self.asked.append(path)
        answers = self.scripted.get(path)
        if not answers:
            return self._web.server.render(request)
        answer = answers.pop(0)
        if callable(answer):
            return answer(request)
        if answer == NOT_DONE_YET:
            request.notifyFinish().addErrback(lambda _: self.gone.append(path))
        elif isinstance(answer, int):
            request.setResponseCode(answer)
            return HTML
        return answer


def cut(request: Request) -> int:
    """
    Promise more than is sent.
    """
    request.setHeader(b"content-length", b"1000")
    request.write(b'{"retcode":0,')
    hangUp(request)
    return NOT_DONE_YET


def hangUp(request: Request) -> int:
    """
    Close the connection instead of an answer.
    """
    assert request.transport is not None
    request.transport.loseConnection()
    return NOT_DONE_YET


class Rig:
    """
    Alice with a service, and Bob, at an odd server.
    """

    def __init__(self, captcha: CaptchaMode = CaptchaMode.NEVER) -> None:
        self.web = MemoryWebQQ(captcha)
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        self.odd = OddServer(self.web)
        self.web.treq = MemoryTreq(self.odd)
        self.lives = Lives()
        self.service = self.serve(self.alice.account, self.lives)

    def serve(
        self, account: Account, factory: IWebQQFactory, heartbeat: float = 60.0
    ) -> WebQQService:
        return WebQQService(
            account,
            factory,
            self.web.client(),
            self.web.clock,
            heartbeat=heartbeat,
            backoff=lambda n: 2.0,
        )

    @property
    def life(self) -> Life:
        """
        The last protocol.
        """
        return self.lives.lived[-1]

    def start(self) -> None:
        self.service.startService()
        self.web.settle()

    def polls(self, *answers: Answer) -> None:
        """
        Start, and have the first polls answered so.
        """
        self.odd.scripted[POLL] = list(answers)
        self.start()

    def finish(self) -> None:
        """
        Stop everything; nothing may be left.
        """
        self.web.result(self.service.stopService())
        self.web.stop()
        assert self.web.clock.getDelayedCalls() == []


def message(seconds: int, number: int, text: str) -> str:
    """
    Make a message from a friend, as the server sends it.
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
    An event as it comes.
    """
    return encodeJSON(encodeEvent(event))


def batch(*events: str, ack: int | None = None) -> bytes:
    """
    The answer that holds events.
    """
    number = "" if ack is None else f',"ack":{ack}'
    return f'{{"retcode":0,"result":[{",".join(events)}]{number}}}'.encode()


class Polls:
    """
    Answers polls, and remembers what was asked.
    """

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.polls: list[Poll2] = []

    def __call__(self, request: Request) -> bytes | int:
        assert request.content is not None
        form = Form.parse(b"", request.content.read())
        self.polls.append(Poll2.decodeFields(form))
        return self.answers.pop(0) if self.answers else NOT_DONE_YET


class Logged:
    """
    Everything that is logged in a C{with} block.
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
        All text that any log observer could make of the events.
        """
        lines = []
        for event in self.events:
            failure = event.get("log_failure")
            lines += [formatEvent(event), str(event)]
            if failure is not None:
                lines.append(failure.getTraceback(detail="verbose"))
        return "\n".join(lines)
