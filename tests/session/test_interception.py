"""
Sessions in networks where another one answers in the place of the server.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError
from twisted.web.client import ResponseFailed
from twisted.web.server import Request

from tests.rig import (
    HTML,
    LOGIN2,
    LOGOUT2,
    NO_EVENTS,
    POLL,
    PROBE,
    CapturedLog,
    Reply,
    Rig,
)
from txwebqq.client import WebQQClient
from txwebqq.errors import NotSent, Unreachable
from txwebqq.model.states import AccountState
from txwebqq.net.failures import unreachable
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.session.machine import MAX_INTERCEPTED

FRIENDS = "/api/get_user_friends2"


def portal(request: Request) -> bytes:
    """
    Lead to the page of a network that wants a login.
    """
    request.setResponseCode(302)
    request.setHeader("Location", "http://login.hotel.example/?next=webqq")
    return b""


@pytest.mark.parametrize("reply", [HTML, portal, 511])
def test_portal(rig: Rig, reply: Reply) -> None:
    """
    While a network answers for the server, for as long as an hour, the session is
    kept, and no other sign-on is tried; the polls become rare.
    """
    replies: list[Reply] = [reply] * 200
    with CapturedLog() as logged:
        rig.polls(NO_EVENTS, *replies)
        rig.server.replies[PROBE] = replies[:]
        rig.web.settle(3600)
    lines = [e for e in logged.events if e["log_level"].name == "warn"]
    assert 115 < len(lines) < 140
    assert "instead of a reply" in logged.text or "status 511" in logged.text
    assert rig.server.requests.count(LOGIN2) == 1
    assert rig.server.requests.count("/check") == 1
    assert rig.factory.logs == [["made", "on"]]
    assert rig.service.signOns.state is AccountState.INTERRUPTED


def test_portalEnds(rig: Rig) -> None:
    """
    When the server answers again, the account is on line again, with its session if
    that has not lapsed.
    """
    rig.polls(NO_EVENTS, *[HTML] * 5)
    rig.web.settle(60)
    rig.bob.tell(rig.alice, "hi")
    rig.web.settle(1)
    assert rig.factory.logs == [["made", "on", "hi"]]
    assert rig.service.signOns.state is AccountState.ONLINE
    rig.bob.stop()


GARBAGE = b"\x00\xff{]"
JSON = b'{"error":"log in first"}'
EXPIRED = b'{"retcode":121,"t":"0"}'
OTHERS: list[Reply] = [HTML, portal, 511, 404, 503, GARBAGE, JSON, b"", b"[]"]
"""Replies that are none of a WebQQ server."""


@pytest.mark.parametrize("reply", OTHERS)
def test_rejoin(rig: Rig, reply: Reply) -> None:
    """
    While a rejoin is answered by another one than a WebQQ server, it is tried again:
    protocol object and uins stay, requests wait, and the password is not sent.
    """
    rig.server.replies[LOGIN2] = [rig.web.server.render, *[reply] * 5]
    with CapturedLog() as logged:
        rig.polls(NO_EVENTS, EXPIRED)
        sent = rig.protocol.sendMessage(next(iter(rig.protocol.buddies)), "hm")
        rig.web.settle(3)
    assert rig.service.signOns.state.value == "rejoining"
    assert rig.service.signOns.reason
    assert "Rejoining failed (account 10001): login2 failed: " in logged.text
    assert "retrying in 2.0 s." in logged.text
    rig.web.settle(10)
    rig.web.result(sent)
    assert rig.factory.logs == [["made", "on"]]
    assert rig.server.requests.count("/login") == 1
    assert rig.service.signOns.state is AccountState.ONLINE


def test_rejoinForEver(rig: Rig) -> None:
    """
    A session that no WebQQ server resumes is given up after many attempts: a full
    sign-on may help.
    """
    rig.server.replies[LOGIN2] = [rig.web.server.render, *[GARBAGE] * 30]
    rig.polls(NO_EVENTS, EXPIRED)
    rig.web.settle(2 * MAX_INTERCEPTED - 1)
    assert rig.factory.logs == [["made", "on"]]
    rig.web.settle(60)
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]
    assert rig.service.signOns.state is AccountState.ONLINE


def test_stopWhileRejoining(rig: Rig) -> None:
    """
    A sign-off between two attempts of a rejoin ends the session.
    """
    rig.server.replies[LOGIN2] = [rig.web.server.render, *[HTML] * 5]
    rig.polls(NO_EVENTS, EXPIRED)
    rig.web.settle(1)
    rig.web.result(rig.service.signOff())
    rig.web.settle(60)
    assert rig.factory.logs == [["made", "on", "ConnectionDone"]]
    assert rig.server.requests[-1] == LOGOUT2


def test_rejoinNotHTTP(rig: Rig) -> None:
    """
    A rejoin whose answer is none of HTTP is tried again.
    """
    rig.start()
    rig.server.replies[POLL] = [EXPIRED]
    request = rig.web.treq.request
    answers: list[object] = []

    def garbled(*args: Any, **more: Any) -> Deferred[Any]:
        if LOGIN2 not in str(args) or len(answers) > 3:
            return request(*args, **more)
        answers.append(args)
        return fail(ResponseFailed([Failure(ParseError("unexpected", b"220 ESMTP"))]))

    rig.web.treq.request = garbled
    rig.web.settle(90)
    assert len(answers) == 4
    assert rig.factory.logs == [["made", "on"]]
    assert rig.service.signOns.state is AccountState.ONLINE


@pytest.mark.parametrize("reply", OTHERS)
def test_probe(rig: Rig, reply: Reply) -> None:
    """
    The probe of a session that such a network answers says nothing of the session.
    """
    rig.server.replies[PROBE] = [rig.web.server.render, reply]
    rig.polls(NO_EVENTS, b'{"retcode":100,"errmsg":""}')
    rig.web.settle(5)
    assert rig.server.replies[PROBE] == []
    assert rig.factory.logs == [["made", "on"]]
    assert rig.server.requests.count("/login") == 1


@pytest.mark.parametrize("path", ["/check", "/login", LOGIN2, FRIENDS])
def test_signOn(rig: Rig, path: str) -> None:
    """
    A sign-on in such a network is tried again, and is never taken as refused.
    """
    rig.server.replies[path] = OTHERS[:]
    with CapturedLog() as logged:
        rig.start()
        rig.web.settle(60)
    assert "instead of a reply: a captive portal or a proxy?; retrying" in logged.text
    assert rig.server.replies[path] == []
    assert rig.factory.logs == [["made", "on"]]
    # The session that it has is not opened twice.
    assert path != FRIENDS or rig.server.requests.count("/login") == 1


def test_captchaPicture() -> None:
    """
    Nobody is asked for the text of a page that came in the place of a captcha.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.captchaTexts = [succeed(rig.web.captchaText)]
    rig.server.replies["/getimage"] = OTHERS[:]
    rig.start()
    rig.web.settle(60)
    assert rig.factory.captchaTexts == []
    assert rig.factory.logs == [["made", "on"]]
    rig.finish()


@pytest.mark.parametrize(
    "error",
    [
        unreachable(DNSLookupError("no results for hostname lookup: webqq.test")),
        NotSent("certificate verify failed: the certificate of webqq.test has expired"),
    ],
)
def test_afterSignOn(
    rig: Rig, error: Unreachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A name that is found no longer, or a certificate that has expired, does not end the
    service when it was signed on before: it tries again until there is a server.
    """
    rig.polls(NO_EVENTS)
    rig.web.settle(10)
    assert isinstance(error, NotSent)
    with CapturedLog() as logged:
        with monkeypatch.context() as patch:
            patch.setattr(WebQQClient, "ask", lambda client, command: fail(error))
            rig.server.replies[POLL] = [502]
            rig.web.settle(600)
            assert rig.factory.logs[0] == ["made", "on", "SessionExpired"]
            assert rig.service.signOns.state.value == "waiting"
        rig.web.settle(300)
    assert f"{error}; retrying in" in logged.text
    assert rig.service.signOns.state is AccountState.ONLINE
