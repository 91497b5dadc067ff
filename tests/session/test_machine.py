"""
The sign-on machine: every row of its table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from automat import NoTransition

from txwebqq.errors import (
    CaptchaUnsolved,
    Kicked,
    LoggedOut,
    LoginRefused,
    SessionExpired,
    WebQQError,
)
from txwebqq.model import Account, KickNotice, Number
from txwebqq.session.machine import (
    MAX_CAPTCHAS,
    Era,
    SignOnInputs,
    SignOnState,
    makeSignOn,
)
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import (
    Challenge,
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    LoginPage,
    LoginReply,
    Logout2,
    SecureGetImage,
    SessionCredentials,
    SignedCheck,
    SignedLogin,
)
from txwebqq.wire.form import Ticket

SALT = b"\x00\x00\x00\x00\x11\xe3\x2a\x68"
LANDING = "http://ptlogin4.web2.qq.com/check_sig?ptsigx=1"
SESSION = SessionCredentials(Number(300100200), "ps", "vf")
AGAIN = SessionCredentials(Number(300100200), "ps2", "vf2")


class RecordingPort:
    """
    Remembers what the machine decided.
    """

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.asked: Command[Any] | None = None
        self.answered: Callable[[Any], None] | None = None
        self.after = 0.0

    def connecting(self) -> None:
        self.done.append("connecting")

    def begun(self) -> None:
        self.done.append("begun")

    def issue(
        self,
        command: Command[Any],
        answered: Callable[[Any], None],
        after: float = 0.0,
    ) -> None:
        self.asked, self.answered, self.after = command, answered, after

    def lastAsked(self) -> Command[Any] | None:
        return self.asked

    def answer(self, reply: object) -> None:
        answered, self.answered = self.answered, None
        assert answered is not None
        answered(reply)

    def ptwebqq(self) -> str:
        return "pt"

    def askForCaptcha(self, image: bytes) -> None:
        self.done.append(("solve", image))

    def loadRoster(self, ticket: Ticket) -> None:
        self.done.append(("gather", ticket))

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        self.done.append(("wait", attempt, atLeast))

    def cancelPending(self) -> None:
        self.answered = None

    def wentOnline(self, ticket: Ticket) -> None:
        self.done.append(("online", ticket))

    def rotated(self, ticket: Ticket) -> None:
        self.done.append(("rotated", ticket))

    def pausedOnline(self) -> None:
        self.done.append("paused")

    def signOff(self, command: Logout2) -> None:
        self.done.append(command)

    def wentOffline(self, reason: WebQQError | None) -> None:
        self.done.append(("offline", reason if reason is None else type(reason)))


class Machine:
    """
    A machine, brought into the state that a test is about.
    """

    def __init__(self, era: Era = Era.E1) -> None:
        self.port = RecordingPort()
        account = Account(Number(300100200), "webqq-2013")
        self.state = SignOnState(account, self.port, "47283951", lambda: 0.5, era)
        self.inputs: SignOnInputs = makeSignOn(self.state)

    def to(self, state: str) -> Machine:
        getattr(self, f"to_{state}")()
        self.port.done.clear()
        return self

    def to_Offline(self) -> None:
        """
        It starts there.
        """

    def to_Checking(self) -> None:
        self.inputs.start()

    def to_LoggingIn(self) -> None:
        self.to_Checking()
        self.port.answer(Challenge(False, "!K7Q", SALT))

    def to_FetchingCaptcha(self) -> None:
        self.to_Checking()
        self.port.answer(Challenge(True, "ticket", SALT))

    def to_Solving(self) -> None:
        self.to_FetchingCaptcha()
        self.port.answer(b"GIF8")

    def to_CaptchaLoggingIn(self) -> None:
        self.to_Solving()
        self.inputs.captchaSolved("hxWd")

    def to_Landing(self) -> None:
        self.to_LoggingIn()
        self.port.answer(LoginReply(0, url=LANDING))

    def to_Joining(self) -> None:
        self.to_Landing()
        self.port.answer(None)

    def to_Gathering(self) -> None:
        self.to_Joining()
        self.port.answer(SESSION)

    def to_Online(self) -> None:
        self.to_Gathering()
        self.inputs.rosterLoaded()

    def to_Rejoining(self) -> None:
        self.to_Online()
        self.inputs.expired(0.0)

    def to_Waiting(self) -> None:
        self.to_Checking()
        self.inputs.failed("no answer")

    def to_Kicked(self) -> None:
        self.to_Online()
        self.inputs.kicked(KickNotice("elsewhere"))

    def to_Refused(self) -> None:
        self.to_LoggingIn()
        self.port.answer(LoginReply(3, message="wrong"))


def at(state: str) -> Machine:
    """
    A machine in a state, with nothing recorded yet.
    """
    return Machine().to(state)


@pytest.mark.parametrize("state", ["Offline", "Kicked", "Refused"])
def test_start(state: str) -> None:
    """
    A start where nothing is under way asks check.
    """
    machine = at(state)
    machine.inputs.start()
    assert machine.port.done == ["connecting", "begun"]
    assert machine.port.lastAsked() == Check("300100200", "0.5000000000000000")


BUSY = [
    "Checking",
    "FetchingCaptcha",
    "Solving",
    "LoggingIn",
    "Landing",
    "Joining",
    "Gathering",
    "Online",
    "Rejoining",
    "Waiting",
]


@pytest.mark.parametrize("state", BUSY)
def test_startAgain(state: str) -> None:
    """
    A start while one is under way changes nothing.
    """
    machine = at(state)
    asked = machine.port.asked
    machine.inputs.start()
    assert machine.port.done == []
    assert machine.port.asked is asked


def test_passed() -> None:
    """
    Without a captcha the verify code of check goes into the digest.
    """
    machine = at("LoggingIn")
    # The second test vector of protocol.md 3.3.
    assert machine.port.lastAsked() == Login(
        "300100200", "0CE222F5AA3D8D56A83AB1BADB577652", "!K7Q", attempt=1
    )


def test_challenged() -> None:
    """
    A captcha is fetched, read, and goes into the digest in upper case.
    """
    machine = at("FetchingCaptcha")
    assert machine.port.lastAsked() == GetImage("300100200", "0.5000000000000000")
    machine.port.answer(b"GIF8")
    assert machine.port.done == [("solve", b"GIF8")]
    machine.inputs.captchaSolved("hxWd")
    assert machine.port.lastAsked() == Login(
        "300100200", "4478EAD60FDFF7B0CA9230C94AA70977", "hxWd", attempt=1
    )


def test_unsolved() -> None:
    """
    A captcha that nobody reads ends the sign-on.
    """
    machine = at("Solving")
    machine.inputs.captchaUnsolved("nobody here")
    assert machine.port.done == [("offline", CaptchaUnsolved)]


def test_captchaRejected() -> None:
    """
    A misread captcha brings another picture, a limited number of times.
    """
    machine = at("CaptchaLoggingIn")
    for _ in range(MAX_CAPTCHAS):
        machine.port.answer(LoginReply(4))
        assert isinstance(machine.port.asked, GetImage)
        machine.port.answer(b"GIF8")
        machine.inputs.captchaSolved("abcd")
    machine.port.done.clear()
    machine.port.answer(LoginReply(4))
    assert machine.port.done == [("offline", CaptchaUnsolved)]


def test_outdated() -> None:
    """
    Code 4 where no captcha was shown asks check anew.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(4, 2))
    assert isinstance(machine.port.asked, Check)


@pytest.mark.parametrize("code", [1, 6])
def test_busy(code: int) -> None:
    """
    A busy server is asked again later.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(code))
    assert machine.port.done == [("wait", 0, 0.0)]


@pytest.mark.parametrize(("code", "seconds"), [(7, 0.0), (19, 300.0)])
def test_retriedOnce(code: int, seconds: float) -> None:
    """
    Codes 7 and 19 are believed the second time.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(code))
    assert machine.port.done == [("wait", 0, seconds)]
    machine.inputs.retry()
    machine.port.answer(Challenge(False, "!AAA", SALT))
    machine.port.done.clear()
    machine.port.answer(LoginReply(code))
    assert machine.port.done == [("offline", LoginRefused)]


@pytest.mark.parametrize("code", [2, 3, 5, 8, 24, 71, 10005])
def test_refused(code: int) -> None:
    """
    The other codes of a login are for a person.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(code, message="no"))
    assert machine.port.done == [("offline", LoginRefused)]


def test_locked() -> None:
    """
    A success that leads to the page for locked accounts is none.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(0, url="http://aq.qq.com/007"))
    assert machine.port.done == [("offline", LoginRefused)]


def test_accepted() -> None:
    """
    The landing page is fetched before the channel is joined.
    """
    machine = at("Landing")
    assert machine.port.lastAsked() == CheckSig(LANDING)
    machine.port.answer(None)
    ticket = Ticket("47283951", ptwebqq="pt")
    assert machine.port.lastAsked() == Login2(ticket)


@pytest.mark.parametrize("url", ["", "http://[", "http://qq.com.example/check_sig"])
def test_landingElsewhere(url: str) -> None:
    """
    A landing page of somebody else is not fetched.
    """
    machine = at("LoggingIn")
    machine.port.answer(LoginReply(0, url=url))
    assert isinstance(machine.port.asked, Login2)


def test_landingFailed() -> None:
    """
    Without the landing page login2 is tried all the same.
    """
    machine = at("Landing")
    machine.inputs.failed("no answer")
    assert isinstance(machine.port.asked, Login2)


def test_joined() -> None:
    """
    The roster is fetched with the new session, and then we are online.
    """
    machine = at("Joining")
    machine.port.answer(SESSION)
    ticket = Ticket("47283951", "ps", "vf", "pt")
    assert machine.port.done == [("gather", ticket)]
    machine.inputs.rosterLoaded()
    assert machine.port.done[1:] == [("online", ticket)]


@pytest.mark.parametrize("code", [106, 111])
def test_notAdmitted(code: int) -> None:
    """
    Lists of who may join are for a person.
    """
    machine = at("Joining")
    machine.port.answer(Refusal(code))
    assert machine.port.done == [("offline", LoginRefused)]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("Checking", 1), ("FetchingCaptcha", 1), ("LoggingIn", 1), ("Joining", 103)],
)
def test_refusalOnTheWay(state: str, refusal: int) -> None:
    """
    An answer in WebQQ's error form where none belongs is tried again.
    """
    machine = at(state)
    machine.port.answer(Refusal(refusal))
    assert machine.port.done == [("wait", 0, 0.0)]


@pytest.mark.parametrize(
    "state", ["Checking", "FetchingCaptcha", "LoggingIn", "Joining", "Gathering"]
)
def test_failed(state: str) -> None:
    """
    Trouble on the way waits, longer each time, and begins at check.
    """
    machine = at(state)
    machine.inputs.failed("no answer")
    assert machine.port.done == [("wait", 0, 0.0)]
    machine.inputs.retry()
    assert isinstance(machine.port.asked, Check)
    machine.inputs.failed("no answer")
    assert machine.port.done[-1] == ("wait", 1, 0.0)


def test_proven() -> None:
    """
    A good poll makes the next trouble the first again.
    """
    machine = at("Waiting")
    machine.inputs.retry()
    machine.port.answer(Challenge(False, "!K7Q", SALT))
    machine.port.answer(LoginReply(0))
    machine.port.answer(SESSION)
    machine.inputs.rosterLoaded()
    machine.inputs.pollAnswered()
    machine.inputs.invalidated(SessionExpired("gone"))
    assert machine.port.done[-1] == ("wait", 0, 0.0)


def test_rotate() -> None:
    """
    A new ptwebqq is in the ticket, and in the next rejoin.
    """
    machine = at("Online")
    machine.inputs.rotate("pt2")
    ticket = Ticket("47283951", "ps", "vf", "pt2")
    assert machine.port.done == [("rotated", ticket)]
    machine.inputs.expired(3.0)
    assert machine.port.lastAsked() == Login2(ticket)
    assert machine.port.after == 3.0


def test_rejoined() -> None:
    """
    A rejoin sends the old session and goes on with the new one.
    """
    machine = at("Online")
    machine.inputs.expired(0.0)
    assert machine.port.done == ["paused"]
    assert machine.port.lastAsked() == Login2(Ticket("47283951", "ps", "vf", "pt"))
    machine.port.answer(AGAIN)
    online = ("online", Ticket("47283951", "ps2", "vf2", "pt"))
    assert machine.port.done[-1] == online


@pytest.mark.parametrize("code", [112, 113, 115])
def test_rejoinPutOff(code: int) -> None:
    """
    A rejoin that is put off is tried a few times more.
    """
    machine = at("Rejoining")
    for _ in range(3):
        machine.port.answer(Refusal(code, seconds=4.0))
        assert isinstance(machine.port.asked, Login2)
        assert machine.port.after == 4.0
    machine.port.answer(Refusal(code))
    assert machine.port.done[-2:] == [("offline", SessionExpired), ("wait", 0, 0.0)]


@pytest.mark.parametrize("code", [100, 103, 108, 100000])
def test_rejoinRefused(code: int) -> None:
    """
    A refused rejoin ends the protocol and leads to a full sign-on.
    """
    machine = at("Rejoining")
    machine.port.answer(Refusal(code))
    assert machine.port.done == [("offline", SessionExpired), ("wait", 0, 0.0)]
    machine.inputs.retry()
    assert isinstance(machine.port.asked, Check)


def test_rejoinFailed() -> None:
    """
    Trouble during a rejoin leads to a full sign-on too.
    """
    machine = at("Rejoining")
    machine.inputs.failed("no answer")
    assert machine.port.done == [("offline", SessionExpired), ("wait", 0, 0.0)]


def test_invalidated() -> None:
    """
    A session that is not worth a rejoin ends the protocol.
    """
    machine = at("Online")
    machine.inputs.invalidated(SessionExpired("gone"))
    assert machine.port.done == [("offline", SessionExpired), ("wait", 0, 0.0)]


def test_kicked() -> None:
    """
    After a kick nothing is asked any more.
    """
    machine = at("Online")
    machine.inputs.kicked(KickNotice("elsewhere"))
    assert machine.port.done == [("offline", Kicked)]


def test_loggedOut() -> None:
    """
    Neither is it after a logout that we did not ask for.
    """
    machine = at("Online")
    machine.inputs.loggedOut()
    assert machine.port.done == [("offline", LoggedOut)]
    machine.inputs.start()
    assert isinstance(machine.port.asked, Check)


@pytest.mark.parametrize("state", ["Gathering", "Online", "Rejoining"])
def test_stopWithSession(state: str) -> None:
    """
    Where there is a session the server is told that we leave.
    """
    machine = at(state)
    machine.inputs.stop()
    ticket = Ticket("47283951", "ps", "vf", "pt")
    assert machine.port.done == [Logout2(ticket), ("offline", None)]
    machine.inputs.start()
    assert isinstance(machine.port.asked, Check)


@pytest.mark.parametrize(
    "state",
    [
        "Checking",
        "FetchingCaptcha",
        "Solving",
        "LoggingIn",
        "Landing",
        "Joining",
        "Waiting",
    ],
)
def test_stopOnTheWay(state: str) -> None:
    """
    Where there is none yet, what was asked is forgotten.
    """
    machine = at(state)
    machine.inputs.stop()
    assert machine.port.done == [("offline", None)]
    assert machine.port.answered is None


@pytest.mark.parametrize("state", ["Offline", "Kicked", "Refused"])
def test_stopAtRest(state: str) -> None:
    """
    Stopping what is over does nothing.
    """
    machine = at(state)
    machine.inputs.stop()
    assert machine.port.done == []
    with pytest.raises(NoTransition):
        machine.inputs.retry()


def test_laterEra() -> None:
    """
    Later servers want a login page, whose signature goes into what follows.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    assert machine.port.lastAsked() == LoginPage()
    machine.port.answer("sig")
    check = SignedCheck("300100200", "0.5000000000000000", signature="sig")
    assert machine.port.lastAsked() == check
    machine.port.answer(Challenge(True, "ticket", SALT))
    captcha = SecureGetImage("300100200", "0.5000000000000000")
    assert machine.port.lastAsked() == captcha
    machine.port.answer(b"GIF8")
    machine.inputs.captchaSolved("hxWd")
    digest = "4478EAD60FDFF7B0CA9230C94AA70977"
    login = SignedLogin("300100200", digest, "hxWd", attempt=1, signature="sig")
    assert machine.port.lastAsked() == login


def test_unsignedPage() -> None:
    """
    A page that gives no signature does not stop a sign-on.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.port.answer(Refusal(100000))
    assert isinstance(machine.port.asked, SignedCheck)


def test_pageFailed() -> None:
    """
    A page that does not come is waited for.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.port.done.clear()
    machine.inputs.failed("no answer")
    assert machine.port.done == [("wait", 0, 0.0)]
    machine.inputs.retry()
    assert machine.port.lastAsked() == LoginPage()


def test_stopWhilePageIsFetched() -> None:
    """
    Stopping while the page is fetched forgets it; another start does nothing.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.inputs.start()
    machine.port.done.clear()
    machine.inputs.stop()
    assert machine.port.done == [("offline", None)]


def test_noSecrets() -> None:
    """
    Neither the machine nor what it works with shows a secret.
    """
    machine = at("Rejoining")
    shown = repr(machine.state) + repr(machine.inputs) + repr(machine.port.asked)
    for secret in ("webqq-2013", "'ps'", "'vf'", "'pt'"):
        assert secret not in shown
