"""
The service: what it promises to applications, and how it begins and ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from tests.rig import (
    BEAT,
    HTML,
    KICK,
    LOGIN2,
    LOGOUT2,
    POLL,
    PROBE,
    SEND,
    Answer,
    Life,
    Lives,
    Logged,
    OddServer,
    Rig,
    batch,
    cut,
    hangUp,
    message,
)
from txwebqq.errors import (
    CaptchaUnsolved,
    LoginRefused,
    MalformedReply,
    MessageTooLong,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
    Unreachable,
    WebQQError,
)
from txwebqq.model import Account, Message, Status, Uin
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.testing import PASSWORD, MemoryTreq
from txwebqq.wire.form import Form

Flush = Callable[..., list[Failure]]


@pytest.fixture
def rig() -> Iterator[Rig]:
    """
    A rig that has to end clean.
    """
    rig = Rig()
    yield rig
    rig.finish()


# ---- callbacks


def test_inSignedOn(rig: Rig) -> None:
    """
    Inside signedOn the roster is there, statuses and all, and one can send.
    """
    seen: list[object] = []
    sent: list[Deferred[None]] = []

    def look(life: Life) -> None:
        [buddy] = life.buddies.values()
        seen.append((buddy.name, buddy.status, life.status))
        seen.append([group.name for group in life.groups.values()])
        sent.append(life.sendMessage(buddy.uin, "morning"))

    rig.web.group("cats", rig.alice, rig.bob)
    rig.bob.run()
    rig.lives.onSignedOn = look
    rig.start()
    assert seen == [("Bob", Status.ONLINE, Status.ONLINE), ["cats"]]
    rig.web.result(sent[0])
    rig.web.settle()
    assert rig.bob.heard == ["morning"]
    rig.bob.stop()


def test_lostOutside(rig: Rig) -> None:
    """
    connectionLost is not called from within another callback.
    """
    inside: list[str] = []

    def leave(message: Message) -> None:
        inside.append("begin")
        rig.life.signOff()
        inside.append("end")

    rig.lives.onMessage = leave
    rig.lives.onLost = lambda life: inside.append("lost")
    rig.start()
    rig.bob.tell(rig.alice, "go")
    assert inside == ["begin", "end", "lost"]
    rig.bob.stop()


def test_nothingAfterLost(rig: Rig) -> None:
    """
    Once an application has signed off it gets nothing more of the same batch;
    nor does the protocol after it.
    """

    def leave(message: Message) -> None:
        rig.life.signOff()
        rig.service.signOn()

    rig.lives.onMessage = leave
    rig.polls(batch(message(200, 2, "later"), message(100, 1, "go")))
    rig.web.settle(5)
    assert rig.lives.logs == [["made", "on", "go", "ConnectionDone"], ["made", "on"]]


def test_signOnInLost(rig: Rig) -> None:
    """
    A sign-off has ended also when connectionLost signs on again at once.
    """
    rig.lives.onLost = lambda life: rig.service.signOn()
    rig.start()
    rig.web.result(rig.service.signOff())
    rig.web.settle()
    assert rig.lives.logs == [["made", "on", "ConnectionDone"], ["made", "on"]]


@pytest.mark.parametrize("where", ["onSignedOn", "onKicked", "onLost"])
def test_signOffAnywhere(rig: Rig, where: str) -> None:
    """
    An application may sign off in any callback, and is told when that is done.
    """
    done: list[int] = []

    def leave(life: Life) -> None:
        gone = life.signOff()
        gone.addCallback(lambda _: done.append(rig.odd.asked.count(LOGOUT2)))

    setattr(rig.lives, where, leave)
    rig.polls(batch(KICK))
    rig.web.settle(5)
    assert len(done) == 1
    if where == "onSignedOn":
        assert done == [1], "it was told before the server was"
        assert rig.lives.logs == [["made", "on", "ConnectionDone"]]
    rig.web.settle(100)
    assert len(rig.lives.lived) == 1


def test_signOffAtOnce(rig: Rig) -> None:
    """
    An application may give up as soon as it is made.
    """

    class Quitter(Life):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.signOff()

    rig.lives.protocol = Quitter
    off = rig.service.whenSignedOff()
    rig.start()
    rig.web.result(off)
    rig.web.settle(100)
    assert rig.lives.logs == [["made", "ConnectionDone"]]
    assert rig.odd.asked.count("/login") == 0


def fail(*args: object) -> None:
    raise ZeroDivisionError("in an application")


class Clumsy(Life):
    """
    Fails wherever it is called.
    """

    def connectionMade(self) -> None:
        super().connectionMade()
        fail()


def test_bugsEverywhere(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    An application that raises in every callback is kept online all the same,
    and each bug is logged with the account's number.
    """
    rig.lives.protocol = Clumsy
    rig.lives.onSignedOn = rig.lives.onMessage = rig.lives.onLost = fail
    with Logged() as logged:
        rig.start()
        rig.bob.tell(rig.alice, "hi")
        rig.web.result(rig.service.stopService())
    assert rig.lives.logs == [["made", "on", "hi", "ConnectionDone"]]
    assert len(flushLoggedErrors(ZeroDivisionError)) == 4
    for name in ("makeConnection", "signedOn", "eventReceived", "connectionLost"):
        raised = f"Callback {name} raised an exception (account {rig.alice.number})"
        assert raised in logged.text
    rig.bob.stop()


def test_failingDeferred(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    A callback's Deferred that fails later is logged then, and holds nothing up.
    """
    late: Deferred[None] = Deferred()
    rig.lives.onMessage = lambda message: late
    rig.start()
    rig.bob.tell(rig.alice, "one")
    rig.bob.tell(rig.alice, "two")
    assert rig.life.log == ["made", "on", "one", "two"]
    assert flushLoggedErrors() == []
    late.errback(ZeroDivisionError("late"))
    assert flushLoggedErrors(ZeroDivisionError)
    rig.bob.stop()


def test_sendCutShort(rig: Rig) -> None:
    """
    Stopping while a callback waits for the server is no bug of the callback.
    """

    async def answer(message: Message) -> None:
        rig.odd.scripted[SEND] = [NOT_DONE_YET]
        await rig.life.sendMessage(message.sender, "hm")

    rig.lives.onMessage = answer
    rig.start()
    rig.bob.tell(rig.alice, "well?")
    stopped = rig.service.stopService()
    rig.web.settle(2)
    rig.web.result(stopped)
    assert rig.life.log[-1] == "ConnectionDone"
    rig.bob.stop()


# ---- building


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
    with Logged() as logged:
        service.startService()
        rig.web.settle(600)
    with pytest.raises(LoginRefused, match="factory"):
        rig.web.result(on)
    with pytest.raises(LoginRefused, match="factory"):
        rig.web.result(off)
    assert len(flushLoggedErrors(ZeroDivisionError, TypeError)) == 1
    assert str(rig.alice.number) in logged.text
    assert rig.odd.asked == []
    factory.able = True
    service.signOn()
    assert isinstance(rig.web.result(service.whenSignedOn()), WebQQProtocol)
    rig.web.result(service.stopService())


# ---- waiting for it


def test_whenSignedOn(rig: Rig) -> None:
    """
    A caller that waits for a sign-on is given the protocol, before and after it
    is signed on.
    """
    early, other = rig.service.whenSignedOn(), rig.service.whenSignedOn()
    given_up = rig.service.whenSignedOn()
    given_up.addErrback(lambda _: None)
    given_up.cancel()
    rig.start()
    late = rig.service.whenSignedOn()
    for waiting in (early, other, late):
        assert rig.web.result(waiting) is rig.life
    assert rig.life.log == ["made", "on"]


def test_whenSignedOff(rig: Rig) -> None:
    """
    A caller that waits for the end is told of it, and not of a lost session
    before.
    """
    off = rig.service.whenSignedOff()
    ended: list[object] = []
    off.addBoth(ended.append)
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(30)
    assert rig.lives.logs == [["made", "on", "SessionExpired"], ["made", "on"]]
    assert ended == []
    rig.web.result(rig.service.stopService())
    assert ended == [None]


def test_signOffThenOn(rig: Rig) -> None:
    """
    After a sign-off nothing happens until the application signs on again.
    """
    rig.start()
    rig.web.result(rig.service.signOff())
    asked = len(rig.odd.asked)
    rig.web.settle(1000)
    assert len(rig.odd.asked) == asked
    rig.service.signOn()
    rig.web.settle()
    rig.bob.tell(rig.alice, "back?")
    assert rig.lives.logs == [
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
    assert rig.odd.asked == []
    rig.start()
    rig.web.result(rig.service.stopService())
    rig.odd.asked.clear()
    rig.service.signOn()
    rig.web.settle(10)
    assert rig.odd.asked == []


def test_signOnTwice(rig: Rig) -> None:
    """
    A second sign-on of an account that is online does nothing.
    """
    rig.start()
    rig.service.signOn()
    rig.web.settle(10)
    assert rig.odd.asked.count("/login") == 1
    assert rig.lives.logs == [["made", "on"]]


# ---- stopping


def test_inApplication(rig: Rig) -> None:
    """
    A service can be the child of any L{MultiService}.
    """
    application = MultiService()
    rig.service.setServiceParent(application)
    application.startService()
    rig.web.settle()
    assert rig.lives.logs == [["made", "on"]]
    rig.web.result(application.stopService())
    assert rig.lives.logs == [["made", "on", "ConnectionDone"]]
    rig.service.disownServiceParent()


def test_stopUnstarted(rig: Rig) -> None:
    """
    Stopping what was never started is done at once.
    """
    rig.web.result(rig.service.stopService())
    assert rig.odd.asked == []
    assert rig.lives.logs == []


def test_stopWhileWaiting(rig: Rig) -> None:
    """
    Stopping between two attempts ends the protocol.
    """
    rig.odd.scripted["/check"] = [500]
    rig.start()
    rig.web.result(rig.service.stopService())
    assert rig.lives.logs == [["made", "ConnectionDone"]]
    rig.web.settle(100)
    assert rig.odd.asked.count("/check") == 1


def test_stopAfterExpiry(rig: Rig) -> None:
    """
    Stopping while there is no protocol calls none.
    """
    rig.polls(*[b'{"retcode":100,"errmsg":""}'] * 2)
    rig.web.settle(1.5)
    assert rig.lives.logs == [["made", "on", "SessionExpired"]]
    rig.web.result(rig.service.stopService())
    assert rig.lives.logs == [["made", "on", "SessionExpired"]]


@pytest.mark.parametrize("seconds", [b"0", b"20"])
def test_stopWhileRejoining(rig: Rig, seconds: bytes) -> None:
    """
    Stopping a rejoin, asked or put off, tells the server and fails what was
    held.
    """
    rig.start()
    uin = next(iter(rig.life.buddies))
    rig.odd.scripted[LOGIN2] = [NOT_DONE_YET]
    rig.odd.scripted[POLL] = [b'{"retcode":121,"t":"%s"}' % seconds]
    rig.web.settle(60)
    if seconds == b"20":
        rig.odd.scripted[POLL] = []
    held = rig.life.sendMessage(uin, "hm")
    rig.web.result(rig.service.stopService())
    assert rig.life.log == ["made", "on", "ConnectionDone"]
    assert LOGOUT2 in rig.odd.asked
    with pytest.raises(NotSignedOn):
        rig.web.result(held)


@pytest.mark.parametrize("ending", ["kicked", "refused", "logged out"])
def test_stopWhenOver(rig: Rig, ending: str) -> None:
    """
    Stopping what waits for a person is done at once, and starting it again
    signs on.
    """
    wrong = b"ptuiCB('3','0','','0','no', '');\r\n"
    if ending == "refused":
        rig.odd.scripted["/login"] = [wrong]
    answer = {"kicked": batch(KICK), "logged out": b'{"retcode":110}'}.get(ending)
    rig.polls(*([answer] if answer else []))
    before = rig.life.log[:]
    asked = len(rig.odd.asked)
    rig.web.result(rig.service.stopService())
    assert rig.life.log == before
    assert len(rig.odd.asked) == asked
    rig.start()
    assert rig.lives.logs[1:] == [["made", "on"]]


def test_stopWithDeafServer(rig: Rig) -> None:
    """
    A server that does not answer delays the end by no more than two seconds.
    """
    rig.start()
    rig.odd.scripted[LOGOUT2] = [NOT_DONE_YET]
    ended: list[object] = []
    rig.service.stopService().addBoth(ended.append)
    rig.web.settle(1)
    assert ended == []
    rig.web.settle(1)
    assert ended == [None]
    assert rig.odd.gone == [LOGOUT2]


def test_stopClosesConnections(rig: Rig) -> None:
    """
    Requests under way are closed by a stop: the held poll at once, calls of the
    application after two seconds of grace.
    """
    rig.polls(NOT_DONE_YET)
    rig.odd.scripted[SEND] = [NOT_DONE_YET]
    sent = rig.life.sendMessage(next(iter(rig.life.buddies)), "hm")
    with Logged() as logged:
        stopped = rig.service.stopService()
        rig.web.settle()
        assert rig.odd.gone == [POLL]
        rig.web.settle(2)
    assert "Polling failed" not in logged.text
    assert rig.odd.gone == [POLL, SEND]
    rig.web.result(stopped)
    with pytest.raises((NotSignedOn, Unreachable)):
        rig.web.result(sent)


def test_startBeforeStopped(rig: Rig) -> None:
    """
    Starting again does not have to wait, and what stops does not reach into
    what starts.
    """
    rig.start()
    rig.odd.scripted[LOGOUT2] = [NOT_DONE_YET]
    ended: list[object] = []
    rig.service.stopService().addBoth(ended.append)
    rig.start()
    assert rig.lives.logs[1] == ["made", "on"]
    polls = rig.odd.asked.count(POLL)
    with Logged() as logged:
        rig.web.settle(10)
    assert ended == [None]
    assert rig.odd.asked.count(POLL) == polls
    assert "Polling failed" not in logged.text


# ---- trouble


@pytest.mark.parametrize("path", ["/check", "/login", LOGIN2, PROBE])
@pytest.mark.parametrize("trouble", [cut, hangUp])
def test_brokenOnTheWay(rig: Rig, path: str, trouble: Any) -> None:
    """
    A connection that breaks before we are signed on is told once, as a
    warning, and tried again by the same protocol.
    """
    rig.odd.scripted[path] = [trouble]
    with Logged() as logged:
        rig.start()
        rig.web.settle(10)
    assert rig.lives.logs == [["made", "on"]]
    assert logged.text.count("Not signed on (account ") <= 2
    assert [e for e in logged.events if e["log_level"].name == "warn"][1:] == []
    assert [e for e in logged.events if e["log_level"].name == "error"] == []


def test_rejoinRefused(rig: Rig) -> None:
    """
    When the server does not take us back, the protocol ends with
    SessionExpired and another one signs on; calls that were held fail.
    """
    rig.start()
    uin = next(iter(rig.life.buddies))
    rig.odd.scripted[LOGIN2] = [b'{"retcode":103,"errmsg":""}']
    rig.odd.scripted[POLL] = [b'{"retcode":121,"t":"5"}']
    rig.web.settle(51)
    held = rig.life.sendMessage(uin, "hm")
    rig.web.settle(20)
    assert rig.lives.logs == [["made", "on", "SessionExpired"], ["made", "on"]]
    with pytest.raises(NotSignedOn):
        rig.web.result(held)


def test_rejoinKeeps(rig: Rig) -> None:
    """
    A rejoin asks with what we have, and keeps uins and roster.
    """
    rig.start()
    before = dict(rig.life.buddies)
    rig.odd.asked.clear()
    rig.odd.scripted[POLL] = [b'{"retcode":120,"errmsg":""}']
    rig.web.settle(60)
    assert LOGIN2 in rig.odd.asked
    assert "/login" not in rig.odd.asked
    assert "/api/get_user_friends2" not in rig.odd.asked
    assert dict(rig.life.buddies) == before
    rig.bob.tell(rig.alice, "hi")
    assert rig.life.log == ["made", "on", "hi"]
    rig.bob.stop()


@pytest.mark.parametrize("answer", [112, 113, 115])
def test_rejoinPutOff(rig: Rig, answer: int) -> None:
    """
    A server may put a rejoin off three times.
    """
    rig.start()
    rig.odd.scripted[LOGIN2] = [b'{"retcode":%d,"t":"4"}' % answer] * 3
    rig.odd.scripted[POLL] = [b'{"retcode":121,"t":"0"}']
    rig.web.settle(55)
    assert rig.odd.asked.count(LOGIN2) == 3
    rig.web.settle(20)
    assert rig.odd.asked.count(LOGIN2) == 5
    assert rig.lives.logs == [["made", "on"]]


def test_freshCookies(rig: Rig) -> None:
    """
    Each sign-on begins with no other cookie than who signs on.
    """
    cookies: list[str | None] = []

    def remember(request: Request) -> bytes | int:
        cookies.append(request.getHeader("Cookie"))
        return rig.web.server.render(request)

    rig.odd.scripted["/check"] = [remember, remember]
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
    old, new = rig.lives.lived
    with pytest.raises(NotSignedOn):
        rig.web.result(old.sendMessage(next(iter(new.buddies)), "hm"))
    rig.web.result(old.signOff())
    assert rig.lives.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


def test_bugOfSending(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    A callback that does not heed how its send fails is told so.
    """

    async def answer(message: Message) -> None:
        rig.odd.scripted[SEND] = [b'{"retcode":99,"errmsg":"no"}']
        await rig.life.sendMessage(message.sender, "hm")

    rig.lives.onMessage = answer
    rig.start()
    rig.bob.tell(rig.alice, "well?")
    rig.web.settle()
    assert len(flushLoggedErrors(RequestRefused)) == 1
    rig.bob.stop()


# ---- captchas


class Blind(Life):
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
    rig.lives.protocol = Blind
    off = rig.service.whenSignedOff()
    rig.start()
    with pytest.raises(CaptchaUnsolved, match="smudge"):
        rig.web.result(off)
    rig.lives.protocol = Life
    rig.lives.readings = [succeed("ABCD")]
    rig.service.signOn()
    rig.web.settle()
    assert rig.lives.logs == [["made", "CaptchaUnsolved"], ["made", "on"]]
    rig.finish()


def test_captchaLater() -> None:
    """
    A person may take hours, and is shown a picture.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    shown: list[bytes] = []
    answer: Deferred[str] = Deferred()

    class Slow(Life):
        def captchaRequired(self, image: bytes) -> Deferred[str]:
            shown.append(image)
            return answer

    rig.lives.protocol = Slow
    rig.start()
    assert [image[:3] for image in shown] == [b"\xff\xd8\xff"]
    rig.web.settle(200)
    answer.callback("abcd")
    rig.web.settle()
    assert rig.life.log == ["made", "on"]
    rig.finish()


def test_captchaMisread() -> None:
    """
    Five captchas may be misread, then a person decides.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.lives.readings = [succeed("nope") for _ in range(9)]
    rig.start()
    rig.web.settle(600)
    assert rig.lives.logs == [["made", "CaptchaUnsolved"]]
    assert len(rig.lives.readings) == 3
    rig.finish()


# ---- the rest


def test_heartbeatInterval(rig: Rig) -> None:
    """
    The heart beats as often as was asked for, and not while we are offline.
    """
    service = rig.serve(rig.alice.account, rig.lives, heartbeat=10.0)
    service.startService()
    rig.web.settle(95)
    assert rig.odd.asked.count(BEAT) == 9
    rig.web.result(service.signOff())
    rig.web.settle(95)
    assert rig.odd.asked.count(BEAT) == 9
    rig.web.result(service.stopService())


def test_setStatusBySending(rig: Rig) -> None:
    """
    A status that the server refuses is not taken for ours.
    """
    rig.start()
    rig.odd.scripted["/channel/change_status2"] = [b'{"retcode":108,"errmsg":""}']
    with pytest.raises(SessionExpired):
        rig.web.result(rig.life.setStatus(Status.BUSY))
    seen = [rig.life.status]
    rig.web.result(rig.life.setStatus(Status.AWAY))
    seen.append(rig.life.status)
    assert seen == [Status.ONLINE, Status.AWAY]


def test_twoAccounts(rig: Rig) -> None:
    """
    Two accounts in one process have nothing to do with each other.
    """
    others = Lives()
    other = rig.serve(rig.bob.account, others)
    other.startService()
    rig.start()
    theirs = others.lived[0]
    [alice] = theirs.buddies
    rig.web.result(theirs.sendMessage(alice, "from Bob"))
    rig.web.settle()
    assert rig.life.log == ["made", "on", "from Bob"]
    rig.web.result(rig.service.stopService())
    rig.web.settle(120)
    assert others.logs == [["made", "on"]]
    rig.start()
    rig.web.result(theirs.sendMessage(alice, "again"))
    rig.web.settle()
    assert rig.life.log == ["made", "on", "again"]
    rig.web.result(other.stopService())


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

    rig.odd.scripted["/login"] = [mislead]
    rig.start()
    rig.web.settle(5)
    assert rig.life.log == ["made", "on"]
    isOurs = landing.startswith(("ftp:", "http://ptlogin4.web2.qq.com:"))
    assert rig.odd.asked[2] == ("/check_sig" if isOurs else LOGIN2)


# ---- sends


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"retcode":123,"errmsg":""}', MessageTooLong),
        (b'{"retcode":99,"errmsg":"no"}', RequestRefused),
        (b'{"retcode":108,"errmsg":""}', SessionExpired),
        (b'{"retcode":121,"t":"0"}', SessionExpired),
        (HTML, MalformedReply),
        (b"", MalformedReply),
        (502, Unreachable),
        (hangUp, Unreachable),
        (cut, Unreachable),
    ],
)
def test_sendFails(rig: Rig, answer: Answer, kind: type[WebQQError]) -> None:
    """
    A send that fails says why, is not sent again by us, and changes nothing
    else.
    """
    rig.start()
    uin = next(iter(rig.life.buddies))
    rig.odd.scripted[SEND] = [answer]
    with pytest.raises(kind):
        rig.web.result(rig.life.sendMessage(uin, "hm"))
    assert rig.odd.asked.count(SEND) == 1
    rig.web.result(rig.life.sendMessage(uin, "hm"))
    rig.web.settle(60)
    assert rig.lives.logs == [["made", "on"]]


def test_sendUnanswered(rig: Rig) -> None:
    """
    A send that is not answered for half a minute fails.
    """
    rig.start()
    rig.odd.scripted[SEND] = [NOT_DONE_YET]
    sent = rig.life.sendMessage(next(iter(rig.life.buddies)), "hm")
    rig.web.settle(31)
    with pytest.raises(Unreachable, match="30 s"):
        rig.web.result(sent)
    assert rig.odd.gone == [SEND]


def test_heldInOrder(rig: Rig) -> None:
    """
    Messages that are sent during a rejoin go out after it in their order, but
    for the cancelled ones.
    """
    rig.polls(b'{"retcode":121,"t":"5"}')
    uin = next(iter(rig.life.buddies))
    sends = [rig.life.sendMessage(uin, text) for text in ("one", "two", "three")]
    sends[1].addErrback(lambda failure: None)
    sends[1].cancel()
    rig.web.settle(3)
    assert rig.odd.asked.count(SEND) == 0
    rig.web.settle(5)
    rig.bob.run()
    rig.web.settle()
    assert rig.bob.heard == ["one", "three"]
    rig.bob.stop()


def test_sendTooEarly(rig: Rig) -> None:
    """
    Before a session there is none to send in.
    """
    sent: list[Failure] = []

    class Eager(Life):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.sendMessage(Uin(5), "hi").addErrback(sent.append)

    rig.lives.protocol = Eager
    rig.start()
    assert [failure.type for failure in sent] == [NotSignedOn]
    assert rig.life.log == ["made", "on"]


def test_statusHeld(rig: Rig) -> None:
    """
    A status that is set during a rejoin is set after it.
    """
    rig.polls(b'{"retcode":121,"t":"5"}')
    changed = rig.life.setStatus("away")
    rig.web.settle(8)
    rig.web.result(changed)
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.AWAY
    rig.bob.stop()


def test_statusAfterExpiry(rig: Rig) -> None:
    """
    The status that was set is shown after a full sign-on, too.
    """
    rig.start()
    rig.web.result(rig.life.setStatus(Status.BUSY))
    rig.odd.scripted[POLL] = [b'{"retcode":100,"errmsg":""}'] * 2
    rig.web.settle(70)
    assert len(rig.lives.lived) == 2
    assert rig.life.status is Status.BUSY
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.BUSY
    rig.bob.stop()


# ---- anything at all

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


@settings(max_examples=60)
@given(st.lists(ANSWERS, max_size=6))
def test_anyAnswers(answers: list[bytes]) -> None:
    """
    With any answers to its polls the service reports no bug of ours, is online
    afterwards and receives messages.
    """
    rig = Rig()
    with Logged() as logged:
        rig.polls(*answers)
        rig.web.settle(120)
        rig.bob.tell(rig.alice, "hi")
        rig.web.settle(120)
    assert rig.life.log[-1] == "hi"
    assert not [event for event in logged.events if "log_failure" in event]
    rig.bob.stop()
    rig.finish()


# ---- secrets


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
        for line in (request.getHeader("Cookie") or "").split(";"):
            name, _, value = line.strip().partition("=")
            if name in ("ptwebqq", "skey", "verifysession"):
                secrets.add(value)
        for session in rig.web.state.sessions:
            secrets.update((session.psessionid, session.vfwebqq, session.ptwebqq))
        return rig.web.server.render(request)

    class Everywhere(OddServer):
        def render(self, request: Request) -> bytes | int:
            path = request.path.decode()
            return (
                super().render(request)
                if self.scripted.get(path)
                else eavesdrop(request)
            )

    with Logged() as logged:
        rig.odd = Everywhere(rig.web)
        rig.web.treq = MemoryTreq(rig.odd)
        rig.service = rig.serve(rig.alice.account, rig.lives)
        rig.lives.readings = [succeed("ABCD") for _ in range(40)]
        rig.lives.readings[5] = succeed("nope")
        rig.lives.onMessage = fail
        for path in ("/check", "/login", LOGIN2, PROBE):
            rig.odd.scripted[path] = [500, HTML, cut, b'{"retcode":100000}']
        rig.start()
        rig.web.settle(60)
        assert rig.life.log[-1] == "on"
        rig.web.state.rotate(rig.alice.number)
        uin = next(iter(rig.life.buddies))
        rig.odd.scripted[SEND] = [500, cut, b'{"retcode":121}', HTML]
        for _ in range(4):
            rig.life.sendMessage(uin, "hm").addErrback(
                lambda failure: fail_(failure, secrets)
            )
        rig.odd.scripted[POLL] = [
            HTML,
            cut,
            batch(message(1, 2, "hi")),
            b'{"retcode":121,"t":"0"}',
            b'{"retcode":103,"errmsg":""}',
            b'{"retcode":103,"errmsg":""}',
        ]
        rig.web.settle(200)
        rig.web.result(rig.service.stopService())
        wrong = rig.serve(Account(rig.alice.number, "wrong horse"), rig.lives)
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


def fail_(failure: Failure, secrets: set[str]) -> None:
    """
    Check that an application's log of a failure holds no secret.
    """
    text = f"{failure!r} {failure.getTraceback(detail='verbose')}"
    assert not [secret for secret in secrets if secret in text]
