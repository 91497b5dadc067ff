"""
Keeping an account online, against our own server and against its odd cousins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
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
    CallbackLogFactory,
    CapturedLog,
    Rig,
    batch,
    message,
)
from txwebqq.errors import (
    CaptchaUnsolved,
    Kicked,
    LoggedOut,
    LoginRefused,
    MessageTooLong,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
)
from txwebqq.model import Account, Message, Status, Uin
from txwebqq.protocol import WebQQFactory
from txwebqq.server.domain.state import Joined
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.session.polling import MAX_OUTAGE
from txwebqq.testing import PASSWORD

# The poll.


class Outage:
    """
    A server that ends in the reply to its first poll.
    """

    def __init__(self, rig: Rig) -> None:
        self._treq = rig.web.treq
        self._request = self._treq.request

        def end(request: Request) -> bytes:
            self._treq.request = lambda *args, **more: fail(
                error.ConnectionRefusedError()
            )
            return b'{"retcode":102,"errmsg":""}'

        rig.polls(end)

    def over(self) -> None:
        """
        Start the server again.
        """
        self._treq.request = self._request


@pytest.mark.parametrize("seconds", [5, 25])
def test_outage(rig: Rig, seconds: int) -> None:
    """
    While there is no server, polls are repeated; one that is started again knows the
    session.
    """
    outage = Outage(rig)
    rig.web.settle(seconds)
    outage.over()
    rig.web.settle(10)
    assert rig.server.requests.count(LOGIN2) == 1
    assert rig.server.requests.count(POLL) == 2
    assert rig.factory.logs == [["made", "on"]]


def test_longOutage(rig: Rig) -> None:
    """
    A session that is older than a server remembers is lost.
    """
    outage = Outage(rig)
    rig.web.settle(MAX_OUTAGE + 10)
    assert rig.factory.logs[0] == ["made", "on", "SessionExpired"]
    outage.over()
    rig.web.settle(120)
    assert rig.factory.logs[-1] == ["made", "on"]


@pytest.mark.parametrize("code", [108, 114, 122, 999])
def test_failureCodes(rig: Rig, code: int) -> None:
    """
    Retcodes without a meaning of their own count as failures. After the fourth
    in a row the same protocol rejoins.
    """
    answer = b'{"retcode":%d,"errmsg":""}' % code
    rig.polls(answer, answer, answer, answer)
    rig.web.settle(30)
    assert rig.server.requests.count(LOGIN2) == 2
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize("code", [108, 999])
def test_failuresApart(rig: Rig, code: int) -> None:
    """
    Failures with a good poll in between do not add up.
    """
    answer = b'{"retcode":%d,"errmsg":""}' % code
    good = b'{"retcode":102,"errmsg":""}'
    rig.polls(answer, answer, answer, good, answer, answer, answer)
    rig.web.settle(30)
    assert rig.server.requests.count(LOGIN2) == 1


@pytest.mark.parametrize("code", [120, 121, 100006])
def test_expired(rig: Rig, code: int) -> None:
    """
    A dead ticket is relinked after the seconds that the server wants; the
    protocol and its uins stay.
    """
    rig.polls(b'{"retcode":%d,"t":"3"}' % code)
    rig.web.settle(2)
    assert rig.server.requests.count(LOGIN2) == 1
    rig.web.settle(2)
    assert rig.server.requests.count(LOGIN2) == 2
    rig.bob.tell(rig.alice, "still there?")
    assert rig.factory.logs == [["made", "on", "still there?"]]
    rig.bob.stop()


@pytest.mark.parametrize("code", [100, 103, 100000])
def test_probedOnce(rig: Rig, code: int) -> None:
    """
    A doubtful code is probed once; the second in a row is believed, and another
    protocol signs on.
    """
    answer = b'{"retcode":%d,"errmsg":""}' % code
    rig.polls(answer, answer)
    rig.web.settle(20)
    # Twice for the rosters, once for the probe.
    assert rig.server.requests.count(PROBE) == 3
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


def test_probeSaves(rig: Rig) -> None:
    """
    A session whose probe succeeds goes on.
    """
    rig.polls(b'{"retcode":103,"errmsg":""}')
    rig.web.settle(20)
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize("code", [109, 110])
def test_loggedOut(rig: Rig, code: int) -> None:
    """
    After a logout by the server we stay offline until the application signs on.
    """
    gone = rig.service.whenSignedOff()
    rig.polls(b'{"retcode":%d,"errmsg":""}' % code)
    with pytest.raises(LoggedOut):
        rig.web.result(gone)
    rig.web.settle(600)
    assert rig.factory.logs == [["made", "on", "LoggedOut"]]


@pytest.mark.parametrize(
    "answer", [502, 504, b'{"retcode":1202}', b'{"retcode":100012}']
)
def test_ignored(rig: Rig, answer: bytes | int) -> None:
    """
    Some replies are ignored after a pause, any number of times.
    """
    rig.polls(*[answer] * 10)
    assert len(rig.server.replies[POLL]) == 9
    rig.web.settle(20)
    assert rig.server.replies[POLL] == []
    assert rig.server.requests.count(LOGIN2) == 1
    assert rig.factory.logs == [["made", "on"]]


def test_rotated(rig: Rig) -> None:
    """
    The server may replace ptwebqq, and a rejoin sends the new one.
    """
    rig.start()
    rig.web.state.rotate(rig.alice.number)
    rig.web.settle(60)
    rig.server.replies[POLL] = [b'{"retcode":121,"t":"0"}']
    rig.web.settle(60)
    assert rig.server.requests.count(LOGIN2) == 2
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        b"",
        b"[]",
        b'{"retcode":0,"result":"ok"}',
        b'{"retcode":0,"result":[1,{"poll_type":"news"}]}',
        500,
    ],
)
def test_oddAnswers(rig: Rig, answer: bytes | int) -> None:
    """
    After malformed replies to polls, messages are still received.
    """
    rig.polls(answer, answer)
    rig.web.settle(20)
    rig.bob.tell(rig.alice, "hi")
    assert rig.factory.logs == [["made", "on", "hi"]]
    rig.bob.stop()


def test_deaf(rig: Rig) -> None:
    """
    When no poll is ever answered though requests are, the log says so, and
    another protocol signs on.
    """
    with CapturedLog() as log:
        rig.polls(*[b"?"] * 16)
        rig.web.settle(100)
    assert "no poll was answered after 3 rejoins" in log.text
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


def test_order(rig: Rig) -> None:
    """
    A batch is delivered oldest first, events of the same time in reverse order,
    and a repeated message once.
    """
    first, second = message(100, 1, "a"), message(100, 2, "b")
    third = message(200, 3, "c")
    rig.polls(batch(third, second, first), batch(second), batch(first, third))
    assert rig.factory.logs == [["made", "on", "a", "b", "c"]]


def test_kickLast(rig: Rig) -> None:
    """
    A kick is the last event of its batch, and no poll follows.
    """
    rig.polls(batch(KICK, message(100, 1, "a")))
    rig.web.settle(600)
    assert rig.factory.logs == [["made", "on", "a", "kicked", "Kicked"]]
    assert rig.server.requests.count(POLL) == 1


# Signing on.


SIGN_ON = [
    "/check",
    "/login",
    "/check_sig",
    LOGIN2,
    "/api/get_user_friends2",
    "/api/get_group_name_list_mask2",
    PROBE,
]


@pytest.mark.parametrize("path", SIGN_ON)
@pytest.mark.parametrize(
    "answer", [HTML, b"", 500, b'{"retcode":100000,"errmsg":""}', NOT_DONE_YET]
)
def test_troubleOnTheWay(rig: Rig, path: str, answer: bytes | int) -> None:
    """
    A failure before signedOn is retried, and does not end the protocol.
    """
    rig.server.replies[path] = [answer, answer]
    rig.start()
    rig.web.settle(200)
    assert rig.factory.logs == [["made", "on"]]


def test_refused(rig: Rig) -> None:
    """
    A wrong password is reported once, and no request follows until signOn.
    """
    service = rig.serve(Account(rig.alice.number, "wrong"), rig.factory)
    on, off = service.whenSignedOn(), service.whenSignedOff()
    service.startService()
    with pytest.raises(LoginRefused, match="密码"):
        rig.web.result(on)
    with pytest.raises(LoginRefused):
        rig.web.result(off)
    asked = len(rig.server.requests)
    rig.web.settle(900)
    assert len(rig.server.requests) == asked
    assert rig.factory.logs == [["made", "LoginRefused"]]
    service.signOn()
    rig.web.settle()
    assert len(rig.factory.logs) == 2
    rig.web.result(service.stopService())


def test_kicked(rig: Rig) -> None:
    """
    A sign-on elsewhere ends ours, and we do not sign on again by ourselves.
    """
    rig.start()
    others = CallbackLogFactory()
    elsewhere = rig.serve(rig.alice.account, others)
    elsewhere.startService()
    off = rig.service.whenSignedOff()
    with pytest.raises(Kicked):
        rig.web.result(off)
    rig.web.settle(600)
    assert rig.factory.logs == [["made", "on", "kicked", "Kicked"]]
    assert others.logs == [["made", "on"]]
    rig.web.result(elsewhere.stopService())


async def reading(text: str) -> str:
    """
    A reading as a coroutine.
    """
    return text


async def nothing() -> str:
    """
    Fail to read the captcha.
    """
    raise ValueError("it is a smudge")


@pytest.mark.parametrize(
    ("readings", "log"),
    [
        (lambda: [reading("abcd")], ["made", "on"]),
        (lambda: [succeed("nope"), succeed("ABCD")], ["made", "on"]),
        (lambda: [succeed("")], ["made", "CaptchaUnsolved"]),
        (lambda: [nothing()], ["made", "CaptchaUnsolved"]),
    ],
)
def test_captcha(readings: Callable[[], list[Any]], log: list[str]) -> None:
    """
    A captcha is read by the application, again if it was misread, and given up
    when that fails.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    rig.factory.captchaTexts = readings()
    rig.start()
    rig.web.settle(10)
    assert rig.factory.logs == [log]
    rig.finish()


def test_captchaUnread() -> None:
    """
    Without captchaRequired in the application, the error says so.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    service = rig.serve(rig.alice.account, WebQQFactory())
    off = service.whenSignedOff()
    service.startService()
    with pytest.raises(CaptchaUnsolved, match="does not override captchaRequired"):
        rig.web.result(off)
    rig.web.result(service.stopService())
    rig.finish()


# Stopping.


@pytest.mark.parametrize("path", [*SIGN_ON, POLL])
def test_stopWhileAsking(path: str) -> None:
    """
    Stopping ends each request under way, and starting again works.
    """
    rig = Rig()
    rig.server.replies[path] = [NOT_DONE_YET]
    rig.start()
    rig.web.result(rig.service.stopService())
    [log] = rig.factory.logs
    assert log[-1] == ConnectionDone.__name__
    rig.start()
    assert rig.factory.logs[1] == ["made", "on"]
    rig.finish()
    assert rig.factory.logs[1] == ["made", "on", "ConnectionDone"]


def test_stopWhileReading() -> None:
    """
    A stop cancels the reading of a captcha.
    """
    rig = Rig(CaptchaMode.ALWAYS)
    cancelled: list[object] = []
    rig.factory.captchaTexts = [Deferred(cancelled.append)]
    rig.start()
    rig.finish()
    assert rig.factory.logs == [["made", "ConnectionDone"]]
    assert len(cancelled) == 1


def test_stopTellsServer(rig: Rig) -> None:
    """
    A stop tells the server, so friends see it at once.
    """
    rig.start()
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.ONLINE
    rig.web.result(rig.service.stopService())
    rig.web.settle()
    assert LOGOUT2 in rig.server.requests
    assert rig.bob.protocol.buddies[uin].status is Status.OFFLINE
    rig.bob.stop()


def test_signOffFromCallback(rig: Rig) -> None:
    """
    An application may sign off from within a callback.
    """
    off = rig.service.whenSignedOff()
    rig.factory.onMessage = lambda message: rig.factory.protocols[0].signOff()
    rig.start()
    rig.bob.tell(rig.alice, "go")
    rig.web.result(off)
    assert rig.factory.logs == [["made", "on", "go", "ConnectionDone"]]
    rig.bob.stop()


def test_startFails(rig: Rig) -> None:
    """
    A caller that waits for a session gets an error when the service is stopped
    instead.
    """
    rig.server.replies["/check"] = [NOT_DONE_YET]
    on = rig.service.whenSignedOn()
    rig.start()
    rig.web.result(rig.service.stopService())
    with pytest.raises(NotSignedOn):
        rig.web.result(on)


FRIENDS = "/api/get_user_friends2"
GROUPS = "/api/get_group_name_list_mask2"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (FRIENDS, b'{"retcode":0,"result":{"friends":null}}'),
        (FRIENDS, b'{"retcode":0,"result":{"friends":[],"categories":[{}]}}'),
        (GROUPS, b'{"retcode":0,"result":{"gmasklist":[]}}'),
        (GROUPS, b'{"retcode":0}'),
        (PROBE, b'{"retcode":0,"result":"ok"}'),
        (PROBE, b""),
        (PROBE, b'{"retcode":100000,"errmsg":""}'),
    ],
)
def test_incompleteRoster(rig: Rig, path: str, body: bytes) -> None:
    """
    An incomplete reply about friends and groups does not keep the account
    offline.
    """
    rig.server.replies[path] = [body]
    rig.start()
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (FRIENDS, b"?", "get_user_friends2 failed: not JSON"),
        (GROUPS, 503, "get_group_name_list_mask2 failed: the reply has status 503"),
        (
            GROUPS,
            '{"retcode":100001,"errmsg":"系统\\n忙"}'.encode(),
            "get_group_name_list_mask2 failed: 系统 忙 (retcode 100001)",
        ),
        ("/check", b"oops", "check failed: "),
        (
            LOGIN2,
            '{"retcode":100,"errmsg":"稍后"}'.encode(),
            "login2 was refused: 稍后 (retcode 100)",
        ),
        (
            "/login",
            "ptuiCB('19','0','','0','您的帐号\\t暂时无法登录', '');".encode(),
            "the login was refused: 您的帐号 暂时无法登录 (login code 19)",
        ),
        (
            "/login",
            "ptuiCB('1','0','','0','系统繁忙。', '');".encode(),
            "the server is busy: 系统繁忙。 (login code 1)",
        ),
        ("/login", b"ptuiCB('6','0','','0','', '');", "is busy: login code 6"),
    ],
)
def test_reasons(rig: Rig, path: str, body: bytes | int, text: str) -> None:
    """
    The log names the request that keeps an account offline, and repeats what
    the server said.
    """
    rig.server.replies[path] = [body]
    with CapturedLog() as log:
        rig.start()
    [line] = [s for s in log.text.splitlines() if s.startswith("Not signed on")]
    assert line.startswith(f"Not signed on (account {rig.alice.number}): ")
    assert text in line
    assert "; retrying in " in line


def test_refusedPolls(rig: Rig) -> None:
    """
    The same for polls.
    """
    with CapturedLog() as log:
        rig.polls('{"retcode":999,"errmsg":"维护中"}'.encode())
    assert "it was refused: 维护中 (retcode 999); retrying" in log.text


# Requests.


def test_sends(rig: Rig) -> None:
    """
    Sends fail with the reason of the refusal, and without a session at once.
    """
    rig.start()
    protocol = rig.factory.protocols[0]
    with pytest.raises(RequestRefused):
        rig.web.result(protocol.sendMessage(Uin(12345), "who?"))
    uin = next(iter(protocol.buddies))
    long = "x" * 20_000
    with pytest.raises(MessageTooLong):
        rig.web.result(protocol.sendMessage(uin, long, tooLong="refuse"))
    rig.server.replies[SEND] = [b'{"retcode":121,"t":"0"}']
    with pytest.raises(SessionExpired):
        rig.web.result(protocol.sendMessage(uin, "hi"))
    rig.web.result(rig.service.stopService())
    with pytest.raises(NotSignedOn):
        rig.web.result(protocol.sendMessage(uin, "hi"))


def test_sendWhileRejoining(rig: Rig) -> None:
    """
    A message that is sent during a rejoin is held until it has ended.
    """
    rig.polls(b'{"retcode":121,"t":"5"}')
    protocol = rig.factory.protocols[0]
    sent = protocol.sendMessage(next(iter(protocol.buddies)), "patience")
    rig.web.settle(10)
    rig.web.result(sent)
    rig.bob.run()
    rig.web.settle()
    assert rig.bob.heard == ["patience"]
    rig.bob.stop()


def test_setStatus(rig: Rig) -> None:
    """
    A status is set by its word, and survives a rejoin.
    """
    rig.start()
    protocol = rig.factory.protocols[0]
    with pytest.raises(ValueError, match="drowsy"):
        rig.web.result(protocol.setStatus("drowsy"))
    rig.web.result(protocol.setStatus("busy"))
    rig.server.replies[POLL] = [b'{"retcode":121,"t":"0"}']
    rig.web.settle(60)
    assert rig.server.requests.count(LOGIN2) == 2
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.BUSY
    rig.bob.stop()


def test_names(rig: Rig) -> None:
    """
    Inside a callback the roster is current.
    """
    seen: list[tuple[str, Status]] = []

    def look(message: Message) -> None:
        buddy = rig.factory.protocols[0].buddies[message.sender]
        seen.append((buddy.name, buddy.status))

    rig.factory.onMessage = look
    rig.start()
    rig.bob.tell(rig.alice, "hi")
    assert seen == [("Bob", Status.ONLINE)]
    rig.bob.stop()


async def stumble() -> None:
    """
    A coroutine that fails.
    """
    raise ZeroDivisionError("in a coroutine")


def raiseInCallback(message: Message) -> None:
    """
    Raise an exception.
    """
    raise ZeroDivisionError("in a callback")


@pytest.mark.parametrize("bug", [raiseInCallback, lambda message: stumble()])
def test_bugs(
    rig: Rig,
    bug: Callable[[Message], object],
    flushLoggedErrors: Callable[..., list[Failure]],
) -> None:
    """
    An exception of the application is logged, and the next message is received.
    """
    rig.factory.onMessage = bug
    rig.start()
    rig.bob.tell(rig.alice, "one")
    rig.bob.tell(rig.alice, "two")
    assert len(flushLoggedErrors(ZeroDivisionError)) == 2
    assert rig.factory.logs == [["made", "on", "one", "two"]]
    rig.bob.stop()


def test_heartbeat(rig: Rig) -> None:
    """
    A heartbeat is sent once a minute, and its failure has no effect.
    """
    rig.server.replies[HEARTBEAT] = [500, HTML]
    rig.start()
    rig.web.settle(200)
    assert rig.server.requests.count(HEARTBEAT) == 3
    assert rig.factory.logs == [["made", "on"]]


def test_noSecretsInLog(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    No log event of a whole sign-on, with its failures, holds a secret.
    """
    with CapturedLog() as logged:
        rig = Rig()
        secrets = [PASSWORD]
        join = rig.web.state.join

        def eavesdrop(ptwebqq: str, *others: Any) -> Any:
            joined = join(ptwebqq, *others)
            assert isinstance(joined, Joined)
            secrets.extend((ptwebqq, joined.psessionid, joined.vfwebqq))
            return joined

        monkeypatch.setattr(rig.web.state, "join", eavesdrop)
        rig.server.replies["/login"] = [500]
        rig.server.replies[LOGIN2] = [HTML]
        rig.start()
        rig.web.settle(30)
        rig.server.replies[POLL] = [b'{"retcode":121,"t":"0"}', HTML, 500]
        rig.web.settle(120)
        rig.finish()
    assert "Signed on (account " in logged.text
    assert len(secrets) == 7
    for secret in secrets:
        assert secret
        assert secret not in logged.text
