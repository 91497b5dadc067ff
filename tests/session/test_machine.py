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
from txwebqq.session.interfaces import Era, SignOnInputs, SignOnState
from txwebqq.session.machine import MAX_INTERCEPTED, makeSignOn
from txwebqq.session.replies import MAX_CAPTCHAS
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
KEPT = Ticket("12345678", "kept", "vf0", "pt0")
AGAIN = SessionCredentials(Number(300100200), "ps2", "vf2")


class RecordingActions:
    """
    Records the actions of the machine, and their tickets.
    """

    state: SignOnState

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.asked: Command[Any] | None = None
        self.answered: Callable[[Any], None] | None = None
        self.after = 0.0

    def buildProtocol(self) -> bool:
        self.done.append("build")
        return True

    def connectProtocol(self) -> None:
        self.done.append("connect")

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
        self.done.append(("captcha", image))

    def restoreSession(self) -> Ticket:
        self.done.append("restore")
        return KEPT

    def keepSession(self) -> None:
        self.done.append(("keep", self.state.ticket))

    def loseKeptSession(self, reason: str) -> None:
        self.done.append("lose")

    def setPtwebqq(self, ptwebqq: str) -> None:
        self.done.append(("ptwebqq", ptwebqq))

    def loadRoster(self) -> None:
        self.done.append(("roster", self.state.ticket))

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        self.done.append(("wait", attempt, atLeast))

    def cancelPending(self) -> None:
        self.answered = None

    def openChannel(self) -> None:
        self.done.append(("open", self.state.ticket))

    def pauseChannel(self) -> None:
        self.done.append("pause")

    def sendLogout(self, command: Logout2) -> None:
        self.done.append(command)

    def suspendSignOn(self) -> None:
        self.done.append("suspend")

    def endSignOn(self, reason: WebQQError | None) -> None:
        self.done.append(("end", reason if reason is None else type(reason)))


class Machine:
    """
    A sign-on machine that is brought into a state for a test.
    """

    def __init__(self, era: Era = Era.E1) -> None:
        self.actions = RecordingActions()
        account = Account(Number(300100200), "webqq-2013")
        self.state = SignOnState(account, self.actions, "47283951", lambda: 0.5, era)
        self.actions.state = self.state
        self.inputs: SignOnInputs = makeSignOn(self.state)

    def to(self, state: str) -> Machine:
        getattr(self, f"to_{state}")()
        self.actions.done.clear()
        return self

    def to_Offline(self) -> None:
        """
        Do nothing: a machine starts offline.
        """

    def to_Checking(self) -> None:
        self.inputs.start()

    def to_LoggingIn(self) -> None:
        self.to_Checking()
        self.actions.answer(Challenge(False, "!K7Q", SALT))

    def to_FetchingCaptcha(self) -> None:
        self.to_Checking()
        self.actions.answer(Challenge(True, "ticket", SALT))

    def to_AwaitingCaptcha(self) -> None:
        self.to_FetchingCaptcha()
        self.actions.answer(b"GIF8")

    def to_CaptchaLoggingIn(self) -> None:
        self.to_AwaitingCaptcha()
        self.inputs.captchaSolved("hxWd")

    def to_CheckingSignature(self) -> None:
        self.to_LoggingIn()
        self.actions.answer(LoginReply(0, url=LANDING))

    def to_Joining(self) -> None:
        self.to_CheckingSignature()
        self.actions.answer(None)

    def to_LoadingRoster(self) -> None:
        self.to_Joining()
        self.actions.answer(SESSION)

    def to_Online(self) -> None:
        self.to_LoadingRoster()
        self.inputs.rosterLoaded()

    def to_Rejoining(self) -> None:
        self.to_Online()
        self.inputs.expired(0.0)

    def to_AwaitingRejoin(self) -> None:
        self.to_Rejoining()
        self.inputs.intercepted("a portal")

    def to_Resuming(self) -> None:
        self.inputs.resume()

    def to_AwaitingServer(self) -> None:
        self.to_Resuming()
        self.inputs.failed("no answer")

    def to_Waiting(self) -> None:
        self.to_Checking()
        self.inputs.failed("no answer")

    def to_Kicked(self) -> None:
        self.to_Online()
        self.inputs.kicked(KickNotice("elsewhere"))

    def to_Refused(self) -> None:
        self.to_LoggingIn()
        self.actions.answer(LoginReply(3, message="wrong"))


def at(state: str) -> Machine:
    """
    Make a machine in a state, with no actions recorded.
    """
    return Machine().to(state)


@pytest.mark.parametrize("state", ["Offline", "Kicked", "Refused"])
def test_start(state: str) -> None:
    """
    If no sign-on is under way, start requests check.
    """
    machine = at(state)
    machine.inputs.start()
    assert machine.actions.done == ["build", "connect"]
    assert machine.actions.lastAsked() == Check("300100200", "0.5000000000000000")


BUSY = [
    "Checking",
    "FetchingCaptcha",
    "AwaitingCaptcha",
    "LoggingIn",
    "CheckingSignature",
    "Joining",
    "LoadingRoster",
    "Online",
    "Rejoining",
    "AwaitingRejoin",
    "Resuming",
    "AwaitingServer",
    "Waiting",
]


@pytest.mark.parametrize("state", BUSY)
def test_startAgain(state: str) -> None:
    """
    A start during a sign-on changes nothing.
    """
    machine = at(state)
    asked = machine.actions.asked
    machine.inputs.start()
    machine.inputs.resume()
    assert machine.actions.done == []
    assert machine.actions.asked is asked


def test_passed() -> None:
    """
    Without a captcha, the digest contains the verify code of check.
    """
    machine = at("LoggingIn")
    # The second test vector of protocol.md 3.3.
    assert machine.actions.lastAsked() == Login(
        "300100200", "0CE222F5AA3D8D56A83AB1BADB577652", "!K7Q", attempt=1
    )


def test_challenged() -> None:
    """
    A captcha is fetched and read, and the digest contains its text in upper
    case.
    """
    machine = at("FetchingCaptcha")
    assert machine.actions.lastAsked() == GetImage("300100200", "0.5000000000000000")
    machine.actions.answer(b"GIF8")
    assert machine.actions.done == [("captcha", b"GIF8")]
    machine.inputs.captchaSolved("hxWd")
    assert machine.actions.lastAsked() == Login(
        "300100200", "4478EAD60FDFF7B0CA9230C94AA70977", "hxWd", attempt=1
    )


def test_unsolved() -> None:
    """
    A captcha that is not solved ends the sign-on.
    """
    machine = at("AwaitingCaptcha")
    machine.inputs.captchaUnsolved("nobody here")
    assert machine.actions.done == [("end", CaptchaUnsolved)]


def test_captchaRejected() -> None:
    """
    A misread captcha brings another picture, a limited number of times.
    """
    machine = at("CaptchaLoggingIn")
    for _ in range(MAX_CAPTCHAS):
        machine.actions.answer(LoginReply(4))
        assert isinstance(machine.actions.asked, GetImage)
        machine.actions.answer(b"GIF8")
        machine.inputs.captchaSolved("abcd")
    machine.actions.done.clear()
    machine.actions.answer(LoginReply(4))
    assert machine.actions.done == [("end", CaptchaUnsolved)]


def test_verifyCodeExpired() -> None:
    """
    Code 4 without a captcha before requests check again.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(4, 2))
    assert isinstance(machine.actions.asked, Check)


@pytest.mark.parametrize("code", [1, 6])
def test_busy(code: int) -> None:
    """
    A login at a busy server is repeated later.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(code))
    assert machine.actions.done == [("wait", 0, 0.0)]


@pytest.mark.parametrize(("code", "seconds"), [(7, 0.0), (19, 300.0)])
def test_retriedOnce(code: int, seconds: float) -> None:
    """
    After the codes 7 and 19 the login is repeated once.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(code))
    assert machine.actions.done == [("wait", 0, seconds)]
    machine.inputs.retry()
    machine.actions.answer(Challenge(False, "!AAA", SALT))
    machine.actions.done.clear()
    machine.actions.answer(LoginReply(code))
    assert machine.actions.done == [("end", LoginRefused)]


@pytest.mark.parametrize("code", [2, 3, 5, 8, 24, 71, 10005])
def test_refused(code: int) -> None:
    """
    The other codes of a login end the sign-on.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(code, message="no"))
    assert machine.actions.done == [("end", LoginRefused)]


def test_locked() -> None:
    """
    A login that succeeds with the page for locked accounts ends the sign-on.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(0, url="http://aq.qq.com/007"))
    assert machine.actions.done == [("end", LoginRefused)]


def test_accepted() -> None:
    """
    The landing page is fetched before the channel is joined.
    """
    machine = at("CheckingSignature")
    assert machine.actions.lastAsked() == CheckSig(LANDING)
    machine.actions.answer(None)
    ticket = Ticket("47283951", ptwebqq="pt")
    assert machine.actions.lastAsked() == Login2(ticket)


@pytest.mark.parametrize("url", ["", "http://[", "http://qq.com.example/check_sig"])
def test_pageElsewhere(url: str) -> None:
    """
    A landing page of another host is not fetched.
    """
    machine = at("LoggingIn")
    machine.actions.answer(LoginReply(0, url=url))
    assert isinstance(machine.actions.asked, Login2)


def test_signatureCheckFailed() -> None:
    """
    login2 follows also when the landing page cannot be fetched.
    """
    machine = at("CheckingSignature")
    machine.inputs.failed("no answer")
    assert isinstance(machine.actions.asked, Login2)


def test_joined() -> None:
    """
    The roster is loaded with the new session, and then the channel is opened.
    """
    machine = at("Joining")
    machine.actions.answer(SESSION)
    ticket = Ticket("47283951", "ps", "vf", "pt")
    assert machine.actions.done[1:] == [("roster", ticket)]
    machine.inputs.rosterLoaded()
    assert machine.actions.done[2:] == [("open", ticket)]


@pytest.mark.parametrize("code", [106, 111])
def test_notAdmitted(code: int) -> None:
    """
    A login2 of an account that is not admitted ends the sign-on.
    """
    machine = at("Joining")
    machine.actions.answer(Refusal(code))
    assert machine.actions.done == [("end", LoginRefused)]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("Checking", 1), ("FetchingCaptcha", 1), ("LoggingIn", 1), ("Joining", 103)],
)
def test_refusalOnTheWay(state: str, refusal: int) -> None:
    """
    A refusal of a request that is never refused is retried.
    """
    machine = at(state)
    machine.actions.answer(Refusal(refusal))
    assert machine.actions.done == [("wait", 0, 0.0)]


@pytest.mark.parametrize(
    "state", ["Checking", "FetchingCaptcha", "LoggingIn", "Joining", "LoadingRoster"]
)
def test_failed(state: str) -> None:
    """
    After a failure the sign-on begins again at check, with growing delays.
    """
    machine = at(state)
    machine.inputs.failed("no answer")
    assert machine.actions.done == [("wait", 0, 0.0)]
    machine.inputs.retry()
    assert isinstance(machine.actions.asked, Check)
    machine.inputs.failed("no answer")
    assert machine.actions.done[-1] == ("wait", 1, 0.0)


def test_pollAnswered() -> None:
    """
    A poll that was answered resets the delays.
    """
    machine = at("Waiting")
    machine.inputs.retry()
    machine.actions.answer(Challenge(False, "!K7Q", SALT))
    machine.actions.answer(LoginReply(0))
    machine.actions.answer(SESSION)
    machine.inputs.rosterLoaded()
    machine.inputs.pollAnswered()
    machine.inputs.invalidated(SessionExpired("gone"))
    assert machine.actions.done[-1] == ("wait", 0, 0.0)


def test_rotate() -> None:
    """
    A new ptwebqq is in the ticket, and in the next rejoin.
    """
    machine = at("Online")
    machine.inputs.ticketRotated("pt2")
    ticket = Ticket("47283951", "ps", "vf", "pt2")
    assert machine.actions.done == [("ptwebqq", "pt2"), ("keep", ticket)]
    assert machine.state.ticket == ticket
    machine.inputs.expired(3.0)
    assert machine.actions.lastAsked() == Login2(ticket)
    assert machine.actions.after == 3.0


def test_rejoined() -> None:
    """
    A rejoin sends the ticket of the old session and stores that of the new one.
    """
    machine = at("Online")
    machine.inputs.expired(0.0)
    assert machine.actions.done == ["pause"]
    assert machine.actions.lastAsked() == Login2(Ticket("47283951", "ps", "vf", "pt"))
    machine.actions.answer(AGAIN)
    online = ("open", Ticket("47283951", "ps2", "vf2", "pt"))
    assert machine.actions.done[-1] == online


@pytest.mark.parametrize("code", [112, 113, 115])
def test_rejoinToldToWait(code: int) -> None:
    """
    A rejoin that is put off is repeated three times.
    """
    machine = at("Rejoining")
    for _ in range(3):
        machine.actions.answer(Refusal(code, seconds=4.0))
        assert isinstance(machine.actions.asked, Login2)
        assert machine.actions.after == 4.0
    machine.actions.answer(Refusal(code))
    assert machine.actions.done[-2:] == [("end", SessionExpired), ("wait", 0, 0.0)]


@pytest.mark.parametrize("code", [100, 103, 108, 100000])
def test_rejoinRefused(code: int) -> None:
    """
    A refused rejoin ends the protocol and leads to a full sign-on.
    """
    machine = at("Rejoining")
    machine.actions.answer(Refusal(code))
    assert machine.actions.done == [("end", SessionExpired), ("wait", 0, 0.0)]
    machine.inputs.retry()
    assert isinstance(machine.actions.asked, Check)


def test_rejoinFailed() -> None:
    """
    A failure of a rejoin leads to a full sign-on too.
    """
    machine = at("Rejoining")
    machine.inputs.failed("no answer")
    assert machine.actions.done == [("end", SessionExpired), ("wait", 0, 0.0)]


def test_rejoinIntercepted() -> None:
    """
    A rejoin that no WebQQ server has answered is tried again with growing delays, and
    given up after many attempts.
    """
    machine = at("Rejoining")
    for n in range(MAX_INTERCEPTED):
        machine.inputs.intercepted("a portal")
        assert machine.actions.done == [("wait", n, 0.0)]
        machine.actions.done.clear()
        machine.inputs.retry()
        assert machine.actions.lastAsked() == Login2(
            Ticket("47283951", "ps", "vf", "pt")
        )
    machine.inputs.intercepted("a portal")
    assert machine.actions.done[0] == ("end", SessionExpired)


@pytest.mark.parametrize("state", ["LoadingRoster", "Resuming"])
def test_intercepted(state: str) -> None:
    """
    A session without a roster is resumed after such replies, and given up as well.
    """
    machine = at(state)
    for _ in range(MAX_INTERCEPTED):
        machine.inputs.intercepted("a portal")
        machine.inputs.retry()
        assert isinstance(machine.actions.asked, Login2)
    machine.inputs.intercepted("a portal")
    machine.inputs.retry()
    assert isinstance(machine.actions.asked, Check)


def test_invalidated() -> None:
    """
    A session that cannot be rejoined ends the protocol.
    """
    machine = at("Online")
    machine.inputs.invalidated(SessionExpired("gone"))
    assert machine.actions.done == [("end", SessionExpired), ("wait", 0, 0.0)]


def test_kicked() -> None:
    """
    After a kick no request is sent.
    """
    machine = at("Online")
    machine.inputs.kicked(KickNotice("elsewhere"))
    assert machine.actions.done == [("end", Kicked)]


def test_loggedOut() -> None:
    """
    After a logout that we did not ask for nothing is requested until the next
    start.
    """
    machine = at("Online")
    machine.inputs.loggedOut()
    assert machine.actions.done == [("end", LoggedOut)]
    machine.inputs.start()
    assert isinstance(machine.actions.asked, Check)


@pytest.mark.parametrize(
    "state", ["LoadingRoster", "Online", "Rejoining", "AwaitingRejoin"]
)
def test_stopWithSession(state: str) -> None:
    """
    A stop with a session tells the server that we leave.
    """
    machine = at(state)
    machine.inputs.stop()
    ticket = Ticket("47283951", "ps", "vf", "pt")
    assert machine.actions.done == [Logout2(ticket), ("end", None)]
    machine.inputs.start()
    assert isinstance(machine.actions.asked, Check)


@pytest.mark.parametrize(
    "state",
    [
        "Checking",
        "FetchingCaptcha",
        "AwaitingCaptcha",
        "LoggingIn",
        "CheckingSignature",
        "Joining",
        "Waiting",
    ],
)
def test_stopOnTheWay(state: str) -> None:
    """
    A stop before there is a session ends the sign-on, and cancels the request.
    """
    machine = at(state)
    machine.inputs.stop()
    assert machine.actions.done == [("end", None)]
    assert machine.actions.answered is None


@pytest.mark.parametrize("state", ["Offline", "Kicked", "Refused"])
def test_resume(state: str) -> None:
    """
    If no sign-on is under way, the session of an earlier process is resumed by its
    ticket; then the roster is loaded.
    """
    machine = at(state)
    machine.inputs.resume()
    assert machine.actions.done == ["build", "restore", "connect"]
    assert machine.actions.lastAsked() == Login2(KEPT)
    machine.actions.done.clear()
    machine.actions.answer(SESSION)
    ticket = Ticket("12345678", "ps", "vf", "pt0")
    assert machine.actions.done == [("keep", ticket), ("roster", ticket)]
    machine.inputs.rosterLoaded()
    assert machine.actions.done[2:] == [("open", ticket)]


def test_resumeRefused() -> None:
    """
    A ticket that is no longer valid leads to a full sign-on.
    """
    machine = at("Resuming")
    machine.actions.answer(Refusal(103))
    assert machine.actions.done[0] == "lose"
    assert isinstance(machine.actions.asked, Check)


def test_resumeAgain() -> None:
    """
    While the server is away or puts it off, the session is resumed later.
    """
    machine = at("Resuming")
    machine.inputs.failed("no answer")
    assert machine.actions.done == [("wait", 0, 0.0)]
    machine.inputs.retry()
    assert machine.actions.lastAsked() == Login2(KEPT)
    machine.actions.answer(Refusal(112, seconds=7.0))
    assert machine.actions.lastAsked() == Login2(KEPT)
    assert machine.actions.after == 7.0


@pytest.mark.parametrize("state", ["Resuming", "AwaitingServer"])
def test_stopResuming(state: str) -> None:
    """
    A sign-off while a session is being resumed ends that session.
    """
    machine = at(state)
    machine.inputs.stop()
    assert machine.actions.done == [Logout2(KEPT), ("end", None)]


@pytest.mark.parametrize(
    "state",
    [
        "LoadingRoster",
        "Online",
        "Rejoining",
        "AwaitingRejoin",
        "Resuming",
        "AwaitingServer",
    ],
)
def test_suspend(state: str) -> None:
    """
    A process that ends keeps its session, and tells the server nothing.
    """
    machine = at(state)
    machine.inputs.suspend()
    assert machine.actions.done == ["suspend"]
    assert machine.actions.answered is None
    machine.inputs.resume()
    assert machine.actions.lastAsked() == Login2(KEPT)


@pytest.mark.parametrize("state", ["Checking", "AwaitingCaptcha", "Joining", "Waiting"])
def test_suspendOnTheWay(state: str) -> None:
    """
    A process that ends before there is a session keeps none.
    """
    machine = at(state)
    machine.inputs.suspend()
    assert machine.actions.done == [("end", None)]
    assert machine.actions.answered is None


@pytest.mark.parametrize("state", ["Offline", "Kicked", "Refused"])
def test_stopAtRest(state: str) -> None:
    """
    Stopping what is over does nothing.
    """
    machine = at(state)
    machine.inputs.stop()
    machine.inputs.suspend()
    assert machine.actions.done == []
    with pytest.raises(NoTransition):
        machine.inputs.retry()


def test_laterEra() -> None:
    """
    Servers of era E3 want a login page, whose signature the later requests
    contain.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    assert machine.actions.lastAsked() == LoginPage()
    machine.actions.answer("sig")
    check = SignedCheck("300100200", "0.5000000000000000", signature="sig")
    assert machine.actions.lastAsked() == check
    machine.actions.answer(Challenge(True, "ticket", SALT))
    captcha = SecureGetImage("300100200", "0.5000000000000000")
    assert machine.actions.lastAsked() == captcha
    machine.actions.answer(b"GIF8")
    machine.inputs.captchaSolved("hxWd")
    digest = "4478EAD60FDFF7B0CA9230C94AA70977"
    login = SignedLogin("300100200", digest, "hxWd", attempt=1, signature="sig")
    assert machine.actions.lastAsked() == login


def test_unsignedPage() -> None:
    """
    A page that gives no signature does not stop a sign-on.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.actions.answer(Refusal(100000))
    assert isinstance(machine.actions.asked, SignedCheck)


def test_pageFailed() -> None:
    """
    A login page that cannot be fetched is requested again later.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.actions.done.clear()
    machine.inputs.failed("no answer")
    assert machine.actions.done == [("wait", 0, 0.0)]
    machine.inputs.retry()
    assert machine.actions.lastAsked() == LoginPage()


def test_stopWhilePageIsFetched() -> None:
    """
    Stopping while the page is fetched forgets it; another start does nothing.
    """
    machine = Machine(Era.E3)
    machine.inputs.start()
    machine.inputs.start()
    machine.actions.done.clear()
    machine.inputs.stop()
    assert machine.actions.done == [("end", None)]


def test_noSecrets() -> None:
    """
    The representations of the machine, its inputs and its requests show no
    secret.
    """
    machine = at("Rejoining")
    shown = repr(machine.state) + repr(machine.inputs) + repr(machine.actions.asked)
    for secret in ("webqq-2013", "'ps'", "'vf'", "'pt'"):
        assert secret not in shown
