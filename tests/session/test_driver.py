"""
The driver of the sign-on machine, against a scripted server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.web.server import Request

from tests.rig import (
    LOGIN2,
    POLL,
    PROBE,
    CallbackLog,
    CapturedLog,
    Rig,
    disconnect,
    truncate,
)
from txwebqq.errors import (
    CaptchaUnsolved,
    LoginRefused,
    NotSignedOn,
)
from txwebqq.model import Account
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.signon import Login, LoginReply

Flush = Callable[..., list[Failure]]


class FailingFactory(WebQQFactory):
    """
    Builds no protocols until it is repaired.
    """

    def __init__(self, made: object = None) -> None:
        self.made = made
        self.isRepaired = False

    def buildProtocol(self, account: Account) -> Any:
        if self.isRepaired:
            return super().buildProtocol(account)
        if self.made is None:
            raise ZeroDivisionError("in a factory")
        return self.made


@pytest.mark.parametrize("made", [None, "a protocol"])
def test_factoryBug(rig: Rig, flushLoggedErrors: Flush, made: object) -> None:
    """
    A factory that makes no protocol is reported to the callers that wait; the
    service may be started again.
    """
    factory = FailingFactory(made)
    service = rig.serve(rig.alice.account, factory)
    on, off = service.whenSignedOn(), service.whenSignedOff()
    with CapturedLog() as logged:
        service.startService()
        rig.web.settle(600)
    with pytest.raises(LoginRefused, match="factory"):
        rig.web.result(on)
    with pytest.raises(LoginRefused, match="factory"):
        rig.web.result(off)
    assert len(flushLoggedErrors(ZeroDivisionError, TypeError)) == 1
    assert str(rig.alice.number) in logged.text
    assert rig.server.requests == []
    factory.isRepaired = True
    service.signOn()
    assert isinstance(rig.web.result(service.whenSignedOn()), WebQQProtocol)
    rig.web.result(service.stopService())


@pytest.mark.parametrize("path", ["/check", "/login", LOGIN2, PROBE])
@pytest.mark.parametrize("trouble", [truncate, disconnect])
def test_brokenOnTheWay(rig: Rig, path: str, trouble: Any) -> None:
    """
    A connection that breaks during a sign-on is logged once, as a warning, and
    the same protocol is kept for the next attempt.
    """
    rig.server.replies[path] = [trouble]
    with CapturedLog() as logged:
        rig.start()
        rig.web.settle(10)
    assert rig.factory.logs == [["made", "on"]]
    assert logged.text.count("Not signed on (account ") <= 2
    assert [e for e in logged.events if e["log_level"].name == "warn"][1:] == []
    assert [e for e in logged.events if e["log_level"].name == "error"] == []


def test_rejoinRefused(rig: Rig) -> None:
    """
    When the server refuses a rejoin, the protocol ends with SessionExpired,
    another one signs on, and requests that were held fail.
    """
    rig.start()
    uin = next(iter(rig.protocol.buddies))
    rig.server.replies[LOGIN2] = [b'{"retcode":103,"errmsg":""}']
    rig.server.replies[POLL] = [b'{"retcode":121,"t":"5"}']
    rig.web.settle(51)
    held = rig.protocol.sendMessage(uin, "hm")
    rig.web.settle(20)
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]
    with pytest.raises(NotSignedOn):
        rig.web.result(held)


def test_rejoinKeeps(rig: Rig) -> None:
    """
    A rejoin sends the ticket of the session, and keeps uins and roster.
    """
    rig.start()
    before = dict(rig.protocol.buddies)
    rig.server.requests.clear()
    rig.server.replies[POLL] = [b'{"retcode":120,"errmsg":""}']
    rig.web.settle(60)
    assert LOGIN2 in rig.server.requests
    assert "/login" not in rig.server.requests
    assert "/api/get_user_friends2" not in rig.server.requests
    assert dict(rig.protocol.buddies) == before
    rig.bob.tell(rig.alice, "hi")
    assert rig.protocol.log == ["made", "on", "hi"]
    rig.bob.stop()


@pytest.mark.parametrize("answer", [112, 113, 115])
def test_rejoinPutOff(rig: Rig, answer: int) -> None:
    """
    A server may put a rejoin off three times.
    """
    rig.start()
    rig.server.replies[LOGIN2] = [b'{"retcode":%d,"t":"4"}' % answer] * 3
    rig.server.replies[POLL] = [b'{"retcode":121,"t":"0"}']
    rig.web.settle(55)
    assert rig.server.requests.count(LOGIN2) == 3
    rig.web.settle(20)
    assert rig.server.requests.count(LOGIN2) == 5
    assert rig.factory.logs == [["made", "on"]]


def test_freshCookies(rig: Rig) -> None:
    """
    Each sign-on begins with one cookie, the number of the account.
    """
    cookies: list[str | None] = []

    def remember(request: Request) -> bytes | int:
        cookies.append(request.getHeader("Cookie"))
        return rig.web.server.render(request)

    rig.server.replies["/check"] = [remember, remember]
    rig.start()
    rig.web.result(rig.service.signOff())
    rig.service.signOn()
    rig.web.settle()
    assert cookies == [f"chkuin={rig.alice.number}"] * 2


def test_oldProtocol(rig: Rig) -> None:
    """
    A protocol whose sign-on is over can neither send nor end the next sign-on.
    """
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(10)
    old, new = rig.factory.protocols
    with pytest.raises(NotSignedOn):
        rig.web.result(old.sendMessage(next(iter(new.buddies)), "hm"))
    rig.web.result(old.signOff())
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


class FailingCaptcha(CallbackLog):
    """
    Raises an exception when a captcha is required.
    """

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        raise ValueError("a smudge")


def test_captchaRaises() -> None:
    """
    An exception of captchaRequired ends the sign-on with its text, and signOn
    begins another.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.protocol = FailingCaptcha
    off = rig.service.whenSignedOff()
    rig.start()
    with pytest.raises(CaptchaUnsolved, match="smudge"):
        rig.web.result(off)
    rig.factory.protocol = CallbackLog
    rig.factory.captchaTexts = [succeed("ABCD")]
    rig.service.signOn()
    rig.web.settle()
    assert rig.factory.logs == [["made", "CaptchaUnsolved"], ["made", "on"]]
    rig.finish()


def test_captchaLater() -> None:
    """
    captchaRequired is called with a picture, and may take hours.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    shown: list[bytes] = []
    answer: Deferred[str] = Deferred()

    class Slow(CallbackLog):
        def captchaRequired(self, image: bytes) -> Deferred[str]:
            shown.append(image)
            return answer

    rig.factory.protocol = Slow
    rig.start()
    assert [image[:3] for image in shown] == [b"\xff\xd8\xff"]
    rig.web.settle(200)
    answer.callback("abcd")
    rig.web.settle()
    assert rig.protocol.log == ["made", "on"]
    rig.finish()


def test_captchaMisread() -> None:
    """
    After the sixth wrong text of a captcha the sign-on ends.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.captchaTexts = [succeed("nope") for _ in range(9)]
    rig.start()
    rig.web.settle(600)
    assert rig.factory.logs == [["made", "CaptchaUnsolved"]]
    assert len(rig.factory.captchaTexts) == 3
    rig.finish()


@pytest.mark.parametrize(
    "landing",
    [
        "http://evil.example/check_sig?ptsigx=1",
        "http://ptlogin4.web2.qq.com.evil.example/check_sig",
        "http://evilqq.com/check_sig",
        "http://qq.com@evil.example/check_sig",
        "ftp://ptlogin4.web2.qq.com/check_sig",
        "http://ptlogin4.web2.qq.com:port/check_sig",
        "//ptlogin4.web2.qq.com/check_sig",
        "",
    ],
)
def test_foreignLanding(
    rig: Rig, landing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A landing page on another host than WebQQ's is not fetched, and the sign-on
    succeeds.
    """

    encodeReply = Login.encodeReply

    def mislead(reply: LoginReply | Refusal) -> bytes:
        parts = encodeReply(reply).split(b"'")
        parts[5] = landing.encode()
        return b"'".join(parts)

    monkeypatch.setattr(Login, "encodeReply", mislead)
    rig.start()
    rig.web.settle(5)
    assert rig.protocol.log == ["made", "on"]
    isOurs = landing.startswith(("ftp:", "http://ptlogin4.web2.qq.com:"))
    assert rig.server.requests[2] == ("/check_sig" if isOurs else LOGIN2)
