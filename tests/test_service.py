"""
The service of one account: start, stop, and the Deferreds that it returns.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.application.service import MultiService
from twisted.internet.defer import fail, succeed
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from tests.rig import (
    HEARTBEAT,
    HTML,
    KICK,
    LOGIN2,
    LOGOUT2,
    POLL,
    PROBE,
    SEND,
    CallbackLog,
    CallbackLogFactory,
    CapturedLog,
    Rig,
    ScriptedServer,
    batch,
    message,
    raiseError,
    truncate,
)
from txwebqq.errors import (
    CaptchaUnsolved,
    NotSignedOn,
    Unreachable,
)
from txwebqq.model import Account
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.service import CAPTCHA_RETRY, WebQQService
from txwebqq.testing import PASSWORD, MemoryTreq
from txwebqq.wire.form import Form

Flush = Callable[..., list[Failure]]


def test_whenSignedOn(rig: Rig) -> None:
    """
    A caller that waits for a sign-on is given the protocol, before and after it
    is signed on.
    """
    early, other = rig.service.whenSignedOn(), rig.service.whenSignedOn()
    cancelled = rig.service.whenSignedOn()
    cancelled.addErrback(lambda _: None)
    cancelled.cancel()
    rig.start()
    late = rig.service.whenSignedOn()
    for waiting in (early, other, late):
        assert rig.web.result(waiting) is rig.protocol
    assert rig.protocol.log == ["made", "on"]


def test_whenSignedOff(rig: Rig) -> None:
    """
    whenSignedOff fires at the end, and not for a lost session before.
    """
    off = rig.service.whenSignedOff()
    ended: list[object] = []
    off.addBoth(ended.append)
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(30)
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]
    assert ended == []
    rig.web.result(rig.service.stopService())
    assert ended == [None]


def test_signOffThenOn(rig: Rig) -> None:
    """
    After a sign-off nothing happens until the application signs on again.
    """
    rig.start()
    rig.web.result(rig.service.signOff())
    asked = len(rig.server.requests)
    rig.web.settle(1000)
    assert len(rig.server.requests) == asked
    rig.service.signOn()
    rig.web.settle()
    rig.bob.tell(rig.alice, "back?")
    assert rig.factory.logs == [
        ["made", "on", "ConnectionDone"],
        ["made", "on", "back?"],
    ]
    rig.bob.stop()


def test_signOnWhenStopped(rig: Rig) -> None:
    """
    A service that is stopped does not sign on.
    """
    rig.service.signOn()
    rig.web.settle(10)
    assert rig.server.requests == []
    rig.start()
    rig.web.result(rig.service.stopService())
    rig.server.requests.clear()
    rig.service.signOn()
    rig.web.settle(10)
    assert rig.server.requests == []


def test_signOnTwice(rig: Rig) -> None:
    """
    A second sign-on of an account that is online does nothing.
    """
    rig.start()
    rig.service.signOn()
    rig.web.settle(10)
    assert rig.server.requests.count("/login") == 1
    assert rig.factory.logs == [["made", "on"]]


def test_inApplication(rig: Rig) -> None:
    """
    A service can be the child of any L{MultiService}.
    """
    application = MultiService()
    rig.service.setServiceParent(application)
    application.startService()
    rig.web.settle()
    assert rig.factory.logs == [["made", "on"]]
    rig.web.result(application.stopService())
    assert rig.factory.logs == [["made", "on", "ConnectionDone"]]
    rig.service.disownServiceParent()


def test_stopUnstarted(rig: Rig) -> None:
    """
    A service that was never started stops at once.
    """
    rig.web.result(rig.service.stopService())
    assert rig.server.requests == []
    assert rig.factory.logs == []


def test_stopWhileWaiting(rig: Rig) -> None:
    """
    Stopping between two attempts ends the protocol.
    """
    rig.server.replies["/check"] = [500]
    rig.start()
    rig.web.result(rig.service.stopService())
    assert rig.factory.logs == [["made", "ConnectionDone"]]
    rig.web.settle(100)
    assert rig.server.requests.count("/check") == 1


def test_stopAfterExpiry(rig: Rig) -> None:
    """
    A stop between two protocols calls neither.
    """
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(1.5)
    assert rig.factory.logs == [["made", "on", "SessionExpired"]]
    rig.web.result(rig.service.stopService())
    assert rig.factory.logs == [["made", "on", "SessionExpired"]]


@pytest.mark.parametrize("seconds", [b"0", b"20"])
def test_stopWhileRejoining(rig: Rig, seconds: bytes) -> None:
    """
    A stop during a rejoin, requested or delayed, tells the server and fails the
    requests that were held.
    """
    rig.start()
    uin = next(iter(rig.protocol.buddies))
    rig.server.replies[LOGIN2] = [NOT_DONE_YET]
    rig.server.replies[POLL] = [b'{"retcode":121,"t":"%s"}' % seconds]
    rig.web.settle(60)
    if seconds == b"20":
        rig.server.replies[POLL] = []
    held = rig.protocol.sendMessage(uin, "hm")
    rig.web.result(rig.service.stopService())
    assert rig.protocol.log == ["made", "on", "ConnectionDone"]
    assert LOGOUT2 in rig.server.requests
    with pytest.raises(NotSignedOn):
        rig.web.result(held)


@pytest.mark.parametrize("ending", ["kicked", "refused", "logged out"])
def test_stopWhenOver(rig: Rig, ending: str) -> None:
    """
    A service that stays offline stops at once, and signs on when it is started
    again.
    """
    wrong = b"ptuiCB('3','0','','0','no', '');\r\n"
    if ending == "refused":
        rig.server.replies["/login"] = [wrong]
    answer = {"kicked": batch(KICK), "logged out": b'{"retcode":110}'}.get(ending)
    rig.polls(*([answer] if answer else []))
    before = rig.protocol.log[:]
    asked = len(rig.server.requests)
    rig.web.result(rig.service.stopService())
    assert rig.protocol.log == before
    assert len(rig.server.requests) == asked
    rig.start()
    assert rig.factory.logs[1:] == [["made", "on"]]


def test_stopWithDeafServer(rig: Rig) -> None:
    """
    A server that does not reply delays the stop by at most two seconds.
    """
    rig.start()
    rig.server.replies[LOGOUT2] = [NOT_DONE_YET]
    ended: list[object] = []
    rig.service.stopService().addBoth(ended.append)
    rig.web.settle(1)
    assert ended == []
    rig.web.settle(1)
    assert ended == [None]
    assert rig.server.disconnected == [LOGOUT2]


def test_stopClosesConnections(rig: Rig) -> None:
    """
    Requests under way are closed by a stop: the held poll at once, calls of the
    application after two seconds of grace.
    """
    rig.polls(NOT_DONE_YET)
    rig.server.replies[SEND] = [NOT_DONE_YET]
    sent = rig.protocol.sendMessage(next(iter(rig.protocol.buddies)), "hm")
    with CapturedLog() as logged:
        stopped = rig.service.stopService()
        rig.web.settle()
        assert rig.server.disconnected == [POLL]
        rig.web.settle(2)
    assert "Polling failed" not in logged.text
    assert rig.server.disconnected == [POLL, SEND]
    rig.web.result(stopped)
    with pytest.raises((NotSignedOn, Unreachable)):
        rig.web.result(sent)


def test_startBeforeStopped(rig: Rig) -> None:
    """
    A service may be started before it has stopped, and the end of the stop does
    not affect the new session.
    """
    rig.start()
    rig.server.replies[LOGOUT2] = [NOT_DONE_YET]
    ended: list[object] = []
    rig.service.stopService().addBoth(ended.append)
    rig.start()
    assert rig.factory.logs[1] == ["made", "on"]
    polls = rig.server.requests.count(POLL)
    with CapturedLog() as logged:
        rig.web.settle(10)
    assert ended == [None]
    assert rig.server.requests.count(POLL) == polls
    assert "Polling failed" not in logged.text


def test_heartbeatInterval(rig: Rig) -> None:
    """
    Heartbeats have the interval of the option, and stop while offline.
    """
    service = rig.serve(rig.alice.account, rig.factory, heartbeat=10.0)
    service.startService()
    rig.web.settle(95)
    assert rig.server.requests.count(HEARTBEAT) == 9
    rig.web.result(service.signOff())
    rig.web.settle(95)
    assert rig.server.requests.count(HEARTBEAT) == 9
    rig.web.result(service.stopService())


def test_twoAccounts(rig: Rig) -> None:
    """
    Two accounts in one process do not affect each other.
    """
    others = CallbackLogFactory()
    other = rig.serve(rig.bob.account, others)
    other.startService()
    rig.start()
    theirs = others.protocols[0]
    [alice] = theirs.buddies
    rig.web.result(theirs.sendMessage(alice, "from Bob"))
    rig.web.settle()
    assert rig.protocol.log == ["made", "on", "from Bob"]
    rig.web.result(rig.service.stopService())
    rig.web.settle(120)
    assert others.logs == [["made", "on"]]
    rig.start()
    rig.web.result(theirs.sendMessage(alice, "again"))
    rig.web.settle()
    assert rig.protocol.log == ["made", "on", "again"]
    rig.web.result(other.stopService())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=8,
)

FIELDS = st.sampled_from(
    ["uin", "status", "type", "from_uin", "content", "msg_id", "time", "send_uin"]
)

ENVELOPES = st.fixed_dictionaries(
    {
        "poll_type": st.sampled_from(
            ["message", "group_message", "buddies_status_change", "sys_g_msg", "news"]
        ),
        "value": st.dictionaries(FIELDS, JSON) | JSON,
    }
)

CODES = st.sampled_from([0, 102, 116, 999]) | st.integers(200, 300)

ANSWERS = st.binary(max_size=20) | st.fixed_dictionaries(
    {"retcode": CODES | JSON},
    optional={"result": st.lists(ENVELOPES | JSON, max_size=3) | JSON, "p": JSON},
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=25)
@given(st.lists(ANSWERS, max_size=6))
def test_anyAnswers(answers: list[bytes]) -> None:
    """
    After any replies to its polls the service is online and receives messages,
    and logs no internal error.
    """
    rig = Rig()
    with CapturedLog() as logged:
        rig.polls(*answers)
        rig.web.settle(120)
        rig.bob.tell(rig.alice, "hi")
        rig.web.settle(120)
    assert rig.protocol.log[-1] == "hi"
    assert not [event for event in logged.events if "log_failure" in event]
    rig.bob.stop()
    rig.finish()


def test_noSecrets(flushLoggedErrors: Flush) -> None:
    """
    No failure puts a secret into a log event of any level, nor into a traceback
    in one.
    """
    secrets = {PASSWORD}
    rig = Rig(CaptchaMode.ALWAYS)

    def eavesdrop(request: Request) -> bytes | int:
        body = b"" if request.content is None else request.content.read()
        if request.content is not None:
            request.content.seek(0)
        form = Form.parse(request.uri.partition(b"?")[2], body)
        if request.path == b"/login":
            secrets.add(form["p"])
        if request.path == b"/channel/poll2":
            secrets.add(form.ticket.psessionid)
        for line in (request.getHeader("Cookie") or "").split(";"):
            name, _, value = line.strip().partition("=")
            if name in ("ptwebqq", "skey", "verifysession"):
                secrets.add(value)
        for session in rig.web.state.sessions:
            secrets.add(session.vfwebqq)
        return rig.web.server.render(request)

    class Everywhere(ScriptedServer):
        def render(self, request: Request) -> bytes | int:
            path = request.path.decode()
            return (
                super().render(request)
                if self.replies.get(path)
                else eavesdrop(request)
            )

    with CapturedLog() as logged:
        rig.server = Everywhere(rig.web)
        rig.web.treq = MemoryTreq(rig.server)
        rig.service = rig.serve(rig.alice.account, rig.factory)
        rig.factory.captchaTexts = [succeed("ABCD") for _ in range(40)]
        rig.factory.captchaTexts[5] = succeed("nope")
        rig.factory.onMessage = raiseError
        for path in ("/check", "/login", LOGIN2, PROBE):
            rig.server.replies[path] = [500, HTML, truncate, b'{"retcode":100000}']
        rig.start()
        rig.web.settle(60)
        assert rig.protocol.log[-1] == "on"
        rig.web.state.rotate(rig.alice.number)
        uin = next(iter(rig.protocol.buddies))
        rig.server.replies[SEND] = [500, truncate, b'{"retcode":121}', HTML]
        for _ in range(4):
            rig.protocol.sendMessage(uin, "hm").addErrback(
                lambda failure: checkNoSecret(failure, secrets)
            )
        rig.server.replies[POLL] = [
            HTML,
            truncate,
            batch(message(1, 2, "hi")),
            b'{"retcode":121,"t":"0"}',
            b'{"retcode":103,"errmsg":""}',
            b'{"retcode":103,"errmsg":""}',
        ]
        rig.web.settle(200)
        rig.web.result(rig.service.stopService())
        wrong = rig.serve(Account(rig.alice.number, "wrong horse"), rig.factory)
        secrets.add("wrong horse")
        wrong.startService()
        rig.web.settle(10)
        rig.web.result(wrong.stopService())
        rig.finish()
    assert len(flushLoggedErrors(ZeroDivisionError)) >= 1
    assert len(secrets) > 10
    text = logged.text
    assert "raised" in text
    for secret in secrets:
        assert secret
        assert secret not in text


def checkNoSecret(failure: Failure, secrets: set[str]) -> None:
    """
    Check that an application's log of a failure holds no secret.
    """
    text = f"{failure!r} {failure.getTraceback(detail='verbose')}"
    assert not [secret for secret in secrets if secret in text]


def persistent(rig: Rig) -> WebQQService[CallbackLog]:
    """
    A service that signs on again after a captcha that was not solved.
    """
    return WebQQService(
        rig.alice.account,
        rig.factory,
        rig.web.client(),
        rig.web.clock,
        captchaRetry=CAPTCHA_RETRY,
    )


def test_captchaRetry() -> None:
    """
    An account whose captcha was not solved is signed on again after the time for
    which the server wants one; by default it stays offline.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    service = persistent(rig)
    failed = service.whenSignedOn()
    rig.factory.captchaTexts = [
        fail(CaptchaUnsolved("nobody reads it")),
        succeed("ABCD"),
    ]
    service.startService()
    with pytest.raises(CaptchaUnsolved):
        rig.web.result(failed)
    rig.web.clock.advance(CAPTCHA_RETRY - 1)
    rig.web.settle()
    assert rig.factory.logs == [["made", "CaptchaUnsolved"]]
    rig.web.clock.advance(1)
    rig.web.settle()
    assert rig.factory.logs == [["made", "CaptchaUnsolved"], ["made", "on"]]
    rig.web.result(service.stopService())
    rig.finish()


def test_captchaRetryEnds() -> None:
    """
    A sign-on by the application and the end of the service leave no later attempt.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    service = persistent(rig)
    rig.factory.captchaTexts = [
        fail(CaptchaUnsolved("nobody reads it")),
        succeed("ABCD"),
        fail(CaptchaUnsolved("nobody reads it")),
    ]
    service.startService()
    rig.web.settle()
    service.signOn()
    rig.web.settle()
    assert rig.factory.logs[1:] == [["made", "on"]]
    rig.web.result(service.signOff())
    rig.web.clock.advance(2 * CAPTCHA_RETRY)
    rig.web.settle()
    assert len(rig.factory.logs) == 2
    service.signOn()
    rig.web.settle()
    assert rig.factory.logs[2:] == [["made", "CaptchaUnsolved"]]
    rig.web.result(service.stopService())
    rig.web.clock.advance(2 * CAPTCHA_RETRY)
    assert len(rig.factory.logs) == 3
    rig.finish()


def test_captchaRetryAfterSignOff() -> None:
    """
    An application that signs off has no later attempt either.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    service = persistent(rig)
    rig.factory.captchaTexts = [fail(CaptchaUnsolved("nobody reads it"))]
    service.startService()
    rig.web.settle()
    assert rig.factory.logs == [["made", "CaptchaUnsolved"]]
    rig.web.result(service.signOff())
    rig.web.clock.advance(2 * CAPTCHA_RETRY)
    rig.web.settle()
    assert len(rig.factory.logs) == 1
    rig.web.result(service.stopService())
    rig.finish()
