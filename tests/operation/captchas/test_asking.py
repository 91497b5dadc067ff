"""
Captchas that are shown in several ways at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from tests.rig import CallbackLog, CapturedLog, Rig
from txwebqq.errors import CaptchaLapsed, CaptchaUnsolved
from txwebqq.model import Number
from txwebqq.operation.captchas.asking import TIME_LIMIT, CaptchaFactory
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.session.driver import MIN_CAPTCHA_LIFE

Flush = Callable[..., list[Failure]]


class MemoryWay:
    """
    A way in which a test answers.

    @ivar withdrawn: the number of captchas that needed no answer any more.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.images: list[bytes] = []
        self.answers: list[Deferred[str]] = []
        self.withdrawn = 0
        self.error: Exception | None = None

    def ask(self, number: Number, image: bytes) -> Deferred[str]:
        if self.error is not None:
            return fail(self.error)
        self.images.append(image)
        self.answers.append(Deferred(self._withdraw))
        return self.answers[-1]

    def _withdraw(self, answer: Deferred[str]) -> None:
        self.withdrawn += 1


class AskingRig(Rig):
    """
    Alice, whose captchas are shown in two ways and to her application.
    """

    def __init__(self) -> None:
        super().__init__(CaptchaMode.ALWAYS)
        self.ways = [MemoryWay("one"), MemoryWay("two")]
        self.application: Deferred[str] = Deferred()
        self.factory.captchaTexts = [self.application]
        asking = CaptchaFactory(self.factory, self.ways, self.web.clock)
        self.service = self.serve(self.alice.account, asking)

    @property
    def state(self) -> str:
        return self.service.signOns.state.value

    def answer(self, way: int, text: str) -> None:
        self.ways[way].answers[-1].callback(text)
        self.web.settle()


@pytest.fixture
def asking() -> Iterator[AskingRig]:
    """
    Make an account whose captchas are shown in several ways.
    """
    rig = AskingRig()
    yield rig
    rig.finish()


@pytest.mark.parametrize("way", [0, 1])
def test_first(asking: AskingRig, way: int) -> None:
    """
    The first answer signs the account on, and the other ways are told.
    """
    withdrawn: list[Failure] = []
    asking.application.addErrback(withdrawn.append)
    asking.start()
    assert asking.state == "awaiting_captcha"
    assert [len(each.images) for each in asking.ways] == [1, 1]
    with CapturedLog() as log:
        asking.answer(way, asking.web.captchaText)
    assert asking.state == "online"
    assert [each.withdrawn for each in asking.ways] == [way, 1 - way]
    assert len(withdrawn) == 1
    assert f"was answered: {asking.ways[way].name}." in log.text
    assert asking.web.captchaText not in log.text


def test_application(asking: AskingRig) -> None:
    """
    The application takes part, and may answer at once.
    """
    asking.factory.captchaTexts = [succeed(asking.web.captchaText)]
    asking.start()
    assert asking.state == "online"
    assert [each.withdrawn for each in asking.ways] == [1, 1]


def test_wrong(asking: AskingRig) -> None:
    """
    After a wrong answer all ways have a new captcha.
    """
    later: Deferred[str] = Deferred()
    asking.factory.captchaTexts.append(later)
    asking.start()
    asking.answer(0, "wrong")
    assert [len(each.answers) for each in asking.ways] == [2, 2]
    assert [each.withdrawn for each in asking.ways] == [0, 1]
    assert asking.state == "awaiting_captcha"
    later.callback(asking.web.captchaText)
    asking.web.settle()
    assert asking.state == "online"


@pytest.mark.parametrize(
    "reply", [fail(CaptchaUnsolved("no screen")), succeed(""), succeed(" \n")]
)
def test_noApplication(asking: AskingRig, reply: Deferred[str]) -> None:
    """
    An application that cannot read captchas does not end the sign-on while there is
    another way.
    """
    asking.factory.captchaTexts = [reply]
    asking.ways[0].error = CaptchaUnsolved("the disk is full")
    asking.start()
    assert asking.state == "awaiting_captcha"
    asking.answer(1, asking.web.captchaText)
    assert asking.state == "online"


def test_noWay(asking: AskingRig) -> None:
    """
    Without a way that is left the sign-on ends, with the reasons.
    """
    asking.factory.captchaTexts = [fail(CaptchaUnsolved("no screen"))]
    for way, text in zip(asking.ways, ("the disk is full", "nobody"), strict=True):
        way.error = CaptchaUnsolved(text)
    asking.start()
    assert asking.state == "captcha_unsolved"
    assert asking.service.signOns.reason == "the disk is full; nobody; no screen"


def test_bug(asking: AskingRig, flushLoggedErrors: Flush) -> None:
    """
    A bug of the application is logged, and the other ways go on.
    """

    class Broken(CallbackLog):
        def captchaRequired(self, image: bytes) -> Deferred[str]:
            raise ZeroDivisionError("in an application")

    asking.factory.protocol = Broken
    asking.start()
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1
    asking.answer(0, asking.web.captchaText)
    assert asking.state == "online"


def test_signOff(asking: AskingRig) -> None:
    """
    A sign-off tells all ways that no answer is needed, and nothing is left.
    """
    asking.application.addErrback(lambda failure: None)
    asking.start()
    asking.web.result(asking.service.stopService())
    assert [each.withdrawn for each in asking.ways] == [1, 1]
    assert asking.state == "offline"
    asking.web.clock.advance(0)
    assert asking.web.clock.getDelayedCalls() == []


def test_lapsed(asking: AskingRig) -> None:
    """
    A captcha that nobody has answered for long is replaced, without a change of the
    state.
    """
    replies: Sequence[Deferred[str]] = [Deferred(), Deferred()]
    for reply in replies:
        reply.addErrback(lambda failure: None)
    asking.factory.captchaTexts = [*replies]
    asking.start()
    asking.web.settle(TIME_LIMIT)
    assert [len(each.images) for each in asking.ways] == [2, 2]
    assert [each.withdrawn for each in asking.ways] == [1, 1]
    assert asking.factory.logs == [["made"]]
    asking.answer(1, asking.web.captchaText)
    assert asking.state == "online"
    assert asking.service.signOns.unsolved == 0


def test_lapsedApplication() -> None:
    """
    An application can ask for a new captcha as well; the server may want none any
    more.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    first: Deferred[str] = Deferred()
    rig.factory.captchaTexts = [first]
    rig.start()
    check = b"ptui_checkVC('0','!ABC','\\x00\\x00\\x00\\x00\\x00\\x01\\x02\\x03');"
    rig.server.replies["/check"] = [check]
    before = rig.server.requests.count("/check")
    rig.web.settle(MIN_CAPTCHA_LIFE)
    first.errback(CaptchaLapsed("too late"))
    rig.web.settle()
    assert rig.server.requests.count("/check") > before
    rig.factory.captchaTexts = [succeed(rig.web.captchaText)]
    rig.finish()


def test_lapsedAtOnce() -> None:
    """
    An application that gives up at once does not ask the server without end.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.captchaTexts = [fail(CaptchaLapsed("no time"))]
    rig.start()
    rig.web.settle(10)
    assert rig.service.signOns.state.value == "captcha_unsolved"
    rig.finish()
