"""
The sign-on machine: it decides everything and does nothing.

The happy path::

    Offline -start-> FetchingPage -signed-> Checking -passed-> LoggingIn
      -accepted-> Landing -landed-> Joining -joined-> Gathering -gathered-> Online

What it decides it asks for through its L{SignOnActions}. Inputs are facts; an answer
that can mean two things is sorted into one of several inputs by the functions
at the end of this module. No state holds a secret of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from automat import TypeMachineBuilder

from txwebqq.errors import (
    CaptchaUnsolved,
    Kicked,
    LoggedOut,
    LoginRefused,
    SessionExpired,
    WebQQError,
)
from txwebqq.model import Account, KickNotice, Status
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
from txwebqq.wire.digests import passwordDigest, passwordHash
from txwebqq.wire.form import Ticket

R = TypeVar("R")

MAX_CAPTCHAS = 5
"""The captchas that may be misread in one sign-on."""

MAX_RELINKS = 3
"""The times a server may put off a rejoin."""

MAX_REJOINS = 3
"""The rejoins without a good poll after them."""


class Era(Enum):
    """
    What a server of some year wants (protocol.md 0.2).

    @cvar E1: to early 2013, what all servers after it understood as well.
    @cvar E2: the friend list takes a hash.
    @cvar E3: from the summer of 2013, logins are signed by a login page too.
    """

    E1 = "E1"
    E2 = "E2"
    E3 = "E3"


class SignOnActions(Protocol):
    """
    What the machine has done for it.
    """

    def connecting(self) -> None:
        """
        A sign-on of a new protocol is to begin, unless one is waiting already.

        @raise LoginRefused: when the application has no protocol for it.
        """

    def begun(self) -> None:
        """
        It has begun: tell the protocol, if that is new. It may stop us there.
        """

    def issue(
        self,
        command: Command[R],
        answered: Callable[[R | Refusal], None],
        after: float = 0.0,
    ) -> None:
        """
        Ask the server, C{after} so many seconds. Either C{answered} is called
        with the reply or the input C{failed} is, once.
        """

    def ptwebqq(self) -> str:
        """
        The cookie that the login set.
        """

    def askForCaptcha(self, image: bytes) -> None:
        """
        Have a captcha read; the inputs C{solved} or C{unsolved} follow.
        """

    def loadRoster(self, ticket: Ticket) -> None:
        """
        Fetch the roster; C{gathered} or C{failed} follow.
        """

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        """
        Let time pass, more with every attempt; C{retry} follows.

        @param reason: why we wait, for the log.
        """

    def cancelPending(self) -> None:
        """
        Forget what was asked for and has not been answered.
        """

    def wentOnline(self, ticket: Ticket) -> None:
        """
        The channel is open with this ticket, for the first time or again.
        """

    def rotated(self, ticket: Ticket) -> None:
        """
        The ticket has a new C{ptwebqq}; the channel goes on.
        """

    def pausedOnline(self) -> None:
        """
        The channel is closed for now; C{wentOnline} or C{wentOffline} follow.
        """

    def signOff(self, command: Logout2) -> None:
        """
        Tell the server that we go; nothing follows.
        """

    def wentOffline(self, reason: WebQQError | None) -> None:
        """
        The sign-on is over: L{None} when we meant it.
        """


class SignOnInputs(Protocol):
    """
    The facts that move the machine.
    """

    def start(self) -> None:
        """
        Somebody wants us online.
        """

    def stop(self) -> None:
        """
        Somebody wants us offline.
        """

    def signed(self, signature: str) -> None:
        """
        The login page has given its signature.
        """

    def passed(self, challenge: Challenge) -> None:
        """
        C{check} asks for no captcha.
        """

    def challenged(self, challenge: Challenge) -> None:
        """
        C{check} asks for a captcha.
        """

    def captchaFetched(self, image: bytes) -> None:
        """
        Here is the captcha.
        """

    def captchaSolved(self, text: str) -> None:
        """
        Somebody read the captcha.
        """

    def captchaUnsolved(self, reason: str) -> None:
        """
        Nobody could read the captcha.
        """

    def accepted(self, landing: str) -> None:
        """
        The password is right.
        """

    def captchaRejected(self) -> None:
        """
        The captcha was misread.
        """

    def verifyCodeExpired(self) -> None:
        """
        The verify code that C{check} gave is no longer good.
        """

    def refused(self, reason: LoginRefused) -> None:
        """
        The server will not let us in.
        """

    def toldToWait(self, seconds: float, reason: str) -> None:
        """
        The server wants us to come back later.
        """

    def signatureChecked(self) -> None:
        """
        The landing page has been seen.
        """

    def joined(self, credentials: SessionCredentials) -> None:
        """
        The channel session exists.
        """

    def rosterLoaded(self) -> None:
        """
        The roster is there.
        """

    def pollAnswered(self) -> None:
        """
        A poll was answered as it should be: the session is good.
        """

    def rotate(self, ptwebqq: str) -> None:
        """
        The server has changed C{ptwebqq}.
        """

    def expired(self, seconds: float) -> None:
        """
        The ticket is dead; a rejoin may help, after so many seconds.
        """

    def invalidated(self, reason: SessionExpired) -> None:
        """
        The ticket is dead, and a rejoin will not help.
        """

    def kicked(self, notice: KickNotice) -> None:
        """
        Another sign-on took over.
        """

    def loggedOut(self) -> None:
        """
        The server says that we left.
        """

    def failed(self, reason: str) -> None:
        """
        Something went wrong on the way.
        """

    def retry(self) -> None:
        """
        Time has passed.
        """


@dataclass
class SignOnState:
    """
    What one account's machine works with.

    @ivar era: what the server wants.
    @ivar signature: what the login page gave.
    @ivar chance: a number from 0 to 1, to get past caches.
    @ivar status: how to appear, now and after a rejoin.
    @ivar failures: the sign-ons that failed since the last good poll.
    @ivar submissions: the logins sent in this sign-on.
    @ivar rejoins: those since the last good poll.
    """

    account: Account
    actions: SignOnActions
    clientid: str
    chance: Callable[[], float]
    era: Era = Era.E1
    signature: str = field(default="", repr=False)
    status: Status = Status.ONLINE
    ticket: Ticket = field(default_factory=Ticket)
    challenge: Challenge = field(default_factory=lambda: Challenge(False, "", b""))
    failures: int = 0
    submissions: int = 0
    misread: int = 0
    relinks: int = 0
    rejoins: int = 0
    retried: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.status = self.account.status


builder = TypeMachineBuilder(SignOnInputs, SignOnState)

offline = builder.state("Offline")
fetchingPage = builder.state("FetchingPage")
checking = builder.state("Checking")
fetchingCaptcha = builder.state("FetchingCaptcha")
awaitingCaptcha = builder.state("Solving")
loggingIn = builder.state("LoggingIn")
checkingSignature = builder.state("Landing")
joining = builder.state("Joining")
loadingRoster = builder.state("Gathering")
online = builder.state("Online")
rejoining = builder.state("Rejoining")
waiting = builder.state("Waiting")
kickedOut = builder.state("Kicked")
refused = builder.state("Refused")


# ---- outputs


def _connect(machine: SignOnInputs, state: SignOnState) -> None:
    try:
        state.actions.connecting()
    except LoginRefused as e:
        machine.refused(e)
        return
    if state.era is Era.E3:
        state.actions.issue(LoginPage(state.status), partial(_classifyPage, machine))
    else:
        # Earlier servers have no page to sign with.
        machine.signed("")
    state.actions.begun()


def _begin(machine: SignOnInputs, state: SignOnState) -> None:
    state.failures = state.misread = 0
    state.retried.clear()
    _connect(machine, state)


def _check(machine: SignOnInputs, state: SignOnState) -> None:
    number, chance = str(state.account.number), f"{state.chance():.16f}"
    command = Check(number, chance)
    if state.era is Era.E3:
        command = SignedCheck(number, chance, signature=state.signature)
    state.actions.issue(command, partial(_classifyCheck, machine))


def _fetchCaptcha(machine: SignOnInputs, state: SignOnState) -> None:
    make = SecureGetImage if state.era is Era.E3 else GetImage
    command = make(str(state.account.number), f"{state.chance():.16f}")
    state.actions.issue(command, partial(_classifyImage, machine))


def _logIn(machine: SignOnInputs, state: SignOnState, code: str) -> None:
    state.submissions += 1
    number = str(state.account.number)
    digest = passwordDigest(
        passwordHash(state.account.password), state.challenge.salt, code
    )
    tries = state.submissions
    command = Login(number, digest, code, state.status, tries)
    if state.era is Era.E3:
        command = SignedLogin(
            number, digest, code, state.status, tries, state.signature
        )
    state.actions.issue(command, partial(_classifyLogin, machine, state))


def _join(machine: SignOnInputs, state: SignOnState) -> None:
    state.ticket = Ticket(clientid=state.clientid, ptwebqq=state.actions.ptwebqq())
    state.actions.issue(
        Login2(state.ticket, state.status), partial(_classifyJoin, machine)
    )


def _rejoin(machine: SignOnInputs, state: SignOnState, seconds: float) -> None:
    state.actions.issue(
        Login2(state.ticket, state.status),
        partial(_classifyRejoin, machine, state),
        seconds,
    )


def _keep(state: SignOnState, credentials: SessionCredentials) -> None:
    state.relinks = 0
    state.ticket = replace(
        state.ticket, psessionid=credentials.psessionid, vfwebqq=credentials.vfwebqq
    )


def _wait(state: SignOnState, reason: str, seconds: float = 0.0) -> None:
    state.actions.cancelPending()
    state.actions.wait(state.failures, seconds, reason)
    state.failures += 1


# ---- rows


@offline.upon(SignOnInputs.start).to(fetchingPage)
def _start(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


@kickedOut.upon(SignOnInputs.start).to(fetchingPage)
def _startAfterKick(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


@refused.upon(SignOnInputs.start).to(fetchingPage)
def _startAfterRefusal(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


@waiting.upon(SignOnInputs.retry).to(fetchingPage)
def _retry(machine: SignOnInputs, state: SignOnState) -> None:
    state.submissions = 0
    _connect(machine, state)


@fetchingPage.upon(SignOnInputs.signed).to(checking)
def _signed(machine: SignOnInputs, state: SignOnState, signature: str) -> None:
    state.signature = signature
    _check(machine, state)


@checking.upon(SignOnInputs.passed).to(loggingIn)
def _passed(machine: SignOnInputs, state: SignOnState, challenge: Challenge) -> None:
    state.challenge = challenge
    _logIn(machine, state, challenge.code)


@checking.upon(SignOnInputs.challenged).to(fetchingCaptcha)
def _challenged(
    machine: SignOnInputs, state: SignOnState, challenge: Challenge
) -> None:
    state.challenge = challenge
    _fetchCaptcha(machine, state)


@fetchingCaptcha.upon(SignOnInputs.captchaFetched).to(awaitingCaptcha)
def _captchaFetched(machine: SignOnInputs, state: SignOnState, image: bytes) -> None:
    state.actions.askForCaptcha(image)


@awaitingCaptcha.upon(SignOnInputs.captchaSolved).to(loggingIn)
def _captchaSolved(machine: SignOnInputs, state: SignOnState, text: str) -> None:
    _logIn(machine, state, text)


@awaitingCaptcha.upon(SignOnInputs.captchaUnsolved).to(refused)
def _captchaUnsolved(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(CaptchaUnsolved(reason))


@loggingIn.upon(SignOnInputs.captchaRejected).to(fetchingCaptcha)
def _captchaRejected(machine: SignOnInputs, state: SignOnState) -> None:
    _fetchCaptcha(machine, state)


@loggingIn.upon(SignOnInputs.verifyCodeExpired).to(checking)
def _verifyCodeExpired(machine: SignOnInputs, state: SignOnState) -> None:
    _check(machine, state)


@loggingIn.upon(SignOnInputs.toldToWait).to(waiting)
def _toldToWait(
    machine: SignOnInputs, state: SignOnState, seconds: float, reason: str
) -> None:
    _wait(state, reason, seconds)


@loggingIn.upon(SignOnInputs.accepted).to(checkingSignature)
def _accepted(machine: SignOnInputs, state: SignOnState, landing: str) -> None:
    # Nobody else's page is any business of ours.
    if f".{_hostOf(landing)}".endswith(".qq.com"):
        state.actions.issue(CheckSig(landing), lambda reply: machine.signatureChecked())
    else:
        machine.signatureChecked()


@checkingSignature.upon(SignOnInputs.signatureChecked).to(joining)
def _signatureChecked(machine: SignOnInputs, state: SignOnState) -> None:
    _join(machine, state)


@checkingSignature.upon(SignOnInputs.failed).to(joining)
def _signatureCheckFailed(
    machine: SignOnInputs, state: SignOnState, reason: str
) -> None:
    # The page only adds cookies, which not every server wants; login2 says
    # whether this one does.
    _join(machine, state)


@joining.upon(SignOnInputs.joined).to(loadingRoster)
def _joined(
    machine: SignOnInputs, state: SignOnState, credentials: SessionCredentials
) -> None:
    state.rejoins = 0
    _keep(state, credentials)
    state.actions.loadRoster(state.ticket)


@loadingRoster.upon(SignOnInputs.rosterLoaded).to(online)
def _rosterLoaded(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.wentOnline(state.ticket)


@online.upon(SignOnInputs.pollAnswered).loop()
def _pollAnswered(machine: SignOnInputs, state: SignOnState) -> None:
    state.failures = state.misread = state.submissions = state.rejoins = 0
    state.retried.clear()


@online.upon(SignOnInputs.rotate).loop()
def _rotate(machine: SignOnInputs, state: SignOnState, ptwebqq: str) -> None:
    state.ticket = replace(state.ticket, ptwebqq=ptwebqq)
    state.actions.rotated(state.ticket)


@online.upon(SignOnInputs.expired).to(rejoining)
def _expired(machine: SignOnInputs, state: SignOnState, seconds: float) -> None:
    state.actions.pausedOnline()
    if state.rejoins >= MAX_REJOINS:
        machine.failed("no poll was answered after the last ones")
        return
    state.rejoins += 1
    _rejoin(machine, state, seconds)


@online.upon(SignOnInputs.kicked).to(kickedOut)
def _kicked(machine: SignOnInputs, state: SignOnState, notice: KickNotice) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(Kicked(notice.reason or "another sign-on took over"))


@online.upon(SignOnInputs.loggedOut).to(offline)
def _loggedOut(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(LoggedOut("the server says that we have logged out"))


@rejoining.upon(SignOnInputs.joined).to(online)
def _rejoined(
    machine: SignOnInputs, state: SignOnState, credentials: SessionCredentials
) -> None:
    _keep(state, credentials)
    state.actions.wentOnline(state.ticket)


@rejoining.upon(SignOnInputs.toldToWait).loop()
def _rejoinToldToWait(
    machine: SignOnInputs, state: SignOnState, seconds: float, reason: str
) -> None:
    state.relinks += 1
    _rejoin(machine, state, seconds)


def _lose(machine: SignOnInputs, state: SignOnState, reason: SessionExpired) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(reason)
    _wait(state, str(reason))


def _loseRejoining(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    _lose(machine, state, SessionExpired(f"could not rejoin: {reason}"))


def _fail(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    _wait(state, reason)


def _refuse(machine: SignOnInputs, state: SignOnState, reason: LoginRefused) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(reason)


def _leave(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.signOff(Logout2(state.ticket))
    state.actions.wentOffline(None)


def _giveUp(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.wentOffline(None)


def _stay(machine: SignOnInputs, state: SignOnState) -> None:
    """
    There is nothing to do.
    """


_entering = (
    fetchingPage,
    checking,
    fetchingCaptcha,
    awaitingCaptcha,
    loggingIn,
    checkingSignature,
    joining,
    waiting,
)
_busy = (*_entering, loadingRoster, online, rejoining)

online.upon(SignOnInputs.invalidated).to(waiting)(_lose)
rejoining.upon(SignOnInputs.invalidated).to(waiting)(_lose)
rejoining.upon(SignOnInputs.failed).to(waiting)(_loseRejoining)
for _state in (
    fetchingPage,
    checking,
    fetchingCaptcha,
    loggingIn,
    joining,
    loadingRoster,
):
    _state.upon(SignOnInputs.failed).to(waiting)(_fail)
for _state in (fetchingPage, loggingIn, joining):
    _state.upon(SignOnInputs.refused).to(refused)(_refuse)
for _state in (loadingRoster, online, rejoining):
    _state.upon(SignOnInputs.stop).to(offline)(_leave)
for _state in _entering:
    _state.upon(SignOnInputs.stop).to(offline)(_giveUp)
for _state in (offline, kickedOut, refused):
    _state.upon(SignOnInputs.stop).to(offline)(_stay)
for _state in _busy:
    _state.upon(SignOnInputs.start).loop()(_stay)

makeSignOn = builder.build()
"""Call with a L{SignOnState} for a machine that is offline."""


# ---- sorting answers into facts


def _hostOf(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _classifyPage(machine: SignOnInputs, reply: str | Refusal) -> None:
    # Clients went on without a signature, and were let in.
    machine.signed(reply if isinstance(reply, str) else "")


def _classifyCheck(machine: SignOnInputs, reply: Challenge | Refusal) -> None:
    match reply:
        case Challenge(captcha=True):
            machine.challenged(reply)
        case Challenge():
            machine.passed(reply)
        case Refusal():
            machine.failed(f"check was answered {reply.retcode}")


def _classifyImage(machine: SignOnInputs, reply: bytes | Refusal) -> None:
    if isinstance(reply, Refusal):
        machine.failed(f"getimage was answered {reply.retcode}")
    else:
        machine.captchaFetched(reply)


def _classifyLogin(
    machine: SignOnInputs, state: SignOnState, reply: LoginReply | Refusal
) -> None:
    if isinstance(reply, Refusal):
        machine.failed(f"login was answered {reply.retcode}")
        return
    match reply.code:
        case 0 if _hostOf(reply.url) == "aq.qq.com":
            machine.refused(LoginRefused("the account is locked: see aq.qq.com"))
        case 0:
            machine.accepted(reply.url)
        case 1 | 6:
            machine.failed(f"login was answered {reply.code}")
        case 4 if state.misread >= MAX_CAPTCHAS:
            machine.refused(CaptchaUnsolved("too many captchas were misread", 4))
        case 4:
            state.misread += 1
            if state.challenge.captcha:
                machine.captchaRejected()
            else:
                machine.verifyCodeExpired()
        case (7 | 19) as code if code not in state.retried:
            state.retried.add(code)
            seconds = 300.0 if code == 19 else 0.0
            machine.toldToWait(seconds, f"login was answered {code}")
        case _:
            machine.refused(LoginRefused(reply.message or "refused", reply.code))


def _classifyJoin(machine: SignOnInputs, reply: SessionCredentials | Refusal) -> None:
    match reply:
        case SessionCredentials():
            machine.joined(reply)
        case Refusal(retcode=106 | 111):
            machine.refused(LoginRefused("the account is not admitted", reply.retcode))
        case Refusal():
            machine.failed(f"login2 was answered {reply.retcode}")


def _classifyRejoin(
    machine: SignOnInputs, state: SignOnState, reply: SessionCredentials | Refusal
) -> None:
    match reply:
        case SessionCredentials():
            machine.joined(reply)
        case Refusal(retcode=112 | 113 | 115) if state.relinks < MAX_RELINKS:
            seconds = 10.0 if reply.seconds is None else reply.seconds
            machine.toldToWait(seconds, f"login2 was answered {reply.retcode}")
        case Refusal():
            code = reply.retcode
            machine.invalidated(SessionExpired(f"could not rejoin: {code}", code))
