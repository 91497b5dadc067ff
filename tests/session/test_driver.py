"""
The driver of the sign-on machine: what it asks the server, and when.
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

Flush = Callable[..., list[Failure]]


class Unable(WebQQFactory):
    """
    Builds no protocols, at first.
    """

    def __init__(self, made: object = None) -> None:
        self.made = made
        self.able = False

    def buildProtocol(self, account: Account) -> Any:
        if self.able:
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
    factory = Unable(made)
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
    factory.able = True
    service.signOn()
    assert isinstance(rig.web.result(service.whenSignedOn()), WebQQProtocol)
    rig.web.result(service.stopService())


@pytest.mark.parametrize("path", ["/check", "/login", LOGIN2, PROBE])
@pytest.mark.parametrize("trouble", [truncate, disconnect])
def test_brokenOnTheWay(rig: Rig, path: str, trouble: Any) -> None:
    """
    A connection that breaks before we are signed on is told once, as a
    warning, and tried again by the same protocol.
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
    When the server does not take us back, the protocol ends with
    SessionExpired and another one signs on; calls that were held fail.
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
    A rejoin asks with what we have, and keeps uins and roster.
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
    Each sign-on begins with no other cookie than who signs on.
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
    A protocol whose sign-on is over can do nothing to the one after it.
    """
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(10)
    old, new = rig.factory.protocols
    with pytest.raises(NotSignedOn):
        rig.web.result(old.sendMessage(next(iter(new.buddies)), "hm"))
    rig.web.result(old.signOff())
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


class Blind(CallbackLog):
    """
    Cannot read.
    """

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        raise ValueError("a smudge")


def test_captchaRaises() -> None:
    """
    A captchaRequired that raises gives the sign-on up, with its words; then a
    person may try again.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.protocol = Blind
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
    A person may take hours, and is shown a picture.
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
    Five captchas may be misread, then a person decides.
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
def test_foreignLanding(rig: Rig, landing: str) -> None:
    """
    A login that leads elsewhere is followed nowhere, and works all the same.
    """

    def mislead(request: Request) -> bytes:
        body = rig.web.server.render(request)
        assert isinstance(body, bytes)
        parts = body.split(b"'")
        parts[5] = landing.encode()
        misled = b"'".join(parts)
        request.setHeader("Content-Length", str(len(misled)))
        return misled

    rig.server.replies["/login"] = [mislead]
    rig.start()
    rig.web.settle(5)
    assert rig.protocol.log == ["made", "on"]
    isOurs = landing.startswith(("ftp:", "http://ptlogin4.web2.qq.com:"))
    assert rig.server.requests[2] == ("/check_sig" if isOurs else LOGIN2)
