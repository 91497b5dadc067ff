"""
Sessions in networks where another one answers in the place of the server.
"""

from __future__ import annotations

import pytest
from twisted.internet.defer import fail
from twisted.internet.error import DNSLookupError
from twisted.web.server import Request

from tests.rig import HTML, LOGIN2, NO_EVENTS, POLL, PROBE, CapturedLog, Reply, Rig
from txwebqq.client import WebQQClient
from txwebqq.errors import NotSent, Unreachable
from txwebqq.model.states import AccountState
from txwebqq.net.failures import unreachable


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


@pytest.mark.parametrize("path", ["/check", "/login", LOGIN2])
def test_signOn(rig: Rig, path: str) -> None:
    """
    A sign-on in such a network is tried again, and is never taken as refused.
    """
    rig.server.replies[path] = [HTML, portal, 511]
    with CapturedLog() as logged:
        rig.start()
        rig.web.settle(30)
    assert "instead of a reply: a captive portal or a proxy?; retrying" in logged.text
    assert rig.factory.logs == [["made", "on"]]


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
