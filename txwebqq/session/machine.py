"""
The sign-on machine: it decides everything and does nothing.

The happy path::

    Offline -start-> FetchingPage -signed-> Checking -passed-> LoggingIn
      -accepted-> Landing -landed-> Joining -joined-> Gathering -gathered-> Online

What it decides it asks for through its L{Port}. Inputs are facts; an answer
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
    Session,
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


class Port(Protocol):
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

    def solve(self, image: bytes) -> None:
        """
        Have a captcha read; the inputs C{solved} or C{unsolved} follow.
        """

    def gather(self, ticket: Ticket) -> None:
        """
        Fetch the roster; C{gathered} or C{failed} follow.
        """

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        """
        Let time pass, more with every attempt; C{retry} follows.

        @param reason: why we wait, for the log.
        """

    def abandon(self) -> None:
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


class SignOn(Protocol):
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

    def pictured(self, image: bytes) -> None:
        """
        Here is the captcha.
        """

    def solved(self, text: str) -> None:
        """
        Somebody read the captcha.
        """

    def unsolved(self, reason: str) -> None:
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

    def outdated(self) -> None:
        """
        The verify code that C{check} gave is no longer good.
        """

    def refused(self, reason: LoginRefused) -> None:
        """
        The server will not let us in.
        """

    def putOff(self, seconds: float, reason: str) -> None:
        """
        The server wants us to come back later.
        """

    def landed(self) -> None:
        """
        The landing page has been seen.
        """

    def joined(self, session: Session) -> None:
        """
        The channel session exists.
        """

    def gathered(self) -> None:
        """
        The roster is there.
        """

    def proven(self) -> None:
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
class Core:
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
    port: Port
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


builder = TypeMachineBuilder(SignOn, Core)

offline = builder.state("Offline")
fetchingPage = builder.state("FetchingPage")
checking = builder.state("Checking")
fetchingCaptcha = builder.state("FetchingCaptcha")
solving = builder.state("Solving")
loggingIn = builder.state("LoggingIn")
landing = builder.state("Landing")
joining = builder.state("Joining")
gathering = builder.state("Gathering")
online = builder.state("Online")
rejoining = builder.state("Rejoining")
waiting = builder.state("Waiting")
kickedOut = builder.state("Kicked")
turnedAway = builder.state("Refused")


# ---- outputs


def _connect(machine: SignOn, core: Core) -> None:
    try:
        core.port.connecting()
    except LoginRefused as e:
        machine.refused(e)
        return
    if core.era is Era.E3:
        core.port.issue(LoginPage(core.status), partial(_sortPage, machine))
    else:
        # Earlier servers have no page to sign with.
        machine.signed("")
    core.port.begun()


def _begin(machine: SignOn, core: Core) -> None:
    core.failures = core.misread = 0
    core.retried.clear()
    _connect(machine, core)


def _check(machine: SignOn, core: Core) -> None:
    number, chance = str(core.account.number), f"{core.chance():.16f}"
    command = Check(number, chance)
    if core.era is Era.E3:
        command = SignedCheck(number, chance, signature=core.signature)
    core.port.issue(command, partial(_sortCheck, machine))


def _fetchCaptcha(machine: SignOn, core: Core) -> None:
    make = SecureGetImage if core.era is Era.E3 else GetImage
    command = make(str(core.account.number), f"{core.chance():.16f}")
    core.port.issue(command, partial(_sortImage, machine))


def _logIn(machine: SignOn, core: Core, code: str) -> None:
    core.submissions += 1
    number = str(core.account.number)
    digest = passwordDigest(
        passwordHash(core.account.password), core.challenge.salt, code
    )
    tries = core.submissions
    command = Login(number, digest, code, core.status, tries)
    if core.era is Era.E3:
        command = SignedLogin(number, digest, code, core.status, tries, core.signature)
    core.port.issue(command, partial(_sortLogin, machine, core))


def _join(machine: SignOn, core: Core) -> None:
    core.ticket = Ticket(clientid=core.clientid, ptwebqq=core.port.ptwebqq())
    core.port.issue(Login2(core.ticket, core.status), partial(_sortJoin, machine))


def _rejoin(machine: SignOn, core: Core, seconds: float) -> None:
    core.port.issue(
        Login2(core.ticket, core.status), partial(_sortRejoin, machine, core), seconds
    )


def _keep(core: Core, session: Session) -> None:
    core.relinks = 0
    core.ticket = replace(
        core.ticket, psessionid=session.psessionid, vfwebqq=session.vfwebqq
    )


def _wait(core: Core, reason: str, seconds: float = 0.0) -> None:
    core.port.abandon()
    core.port.wait(core.failures, seconds, reason)
    core.failures += 1


# ---- rows


@offline.upon(SignOn.start).to(fetchingPage)
def _start(machine: SignOn, core: Core) -> None:
    _begin(machine, core)


@kickedOut.upon(SignOn.start).to(fetchingPage)
def _startAfterKick(machine: SignOn, core: Core) -> None:
    _begin(machine, core)


@turnedAway.upon(SignOn.start).to(fetchingPage)
def _startAfterRefusal(machine: SignOn, core: Core) -> None:
    _begin(machine, core)


@waiting.upon(SignOn.retry).to(fetchingPage)
def _retry(machine: SignOn, core: Core) -> None:
    core.submissions = 0
    _connect(machine, core)


@fetchingPage.upon(SignOn.signed).to(checking)
def _signed(machine: SignOn, core: Core, signature: str) -> None:
    core.signature = signature
    _check(machine, core)


@checking.upon(SignOn.passed).to(loggingIn)
def _passed(machine: SignOn, core: Core, challenge: Challenge) -> None:
    core.challenge = challenge
    _logIn(machine, core, challenge.code)


@checking.upon(SignOn.challenged).to(fetchingCaptcha)
def _challenged(machine: SignOn, core: Core, challenge: Challenge) -> None:
    core.challenge = challenge
    _fetchCaptcha(machine, core)


@fetchingCaptcha.upon(SignOn.pictured).to(solving)
def _pictured(machine: SignOn, core: Core, image: bytes) -> None:
    core.port.solve(image)


@solving.upon(SignOn.solved).to(loggingIn)
def _solved(machine: SignOn, core: Core, text: str) -> None:
    _logIn(machine, core, text)


@solving.upon(SignOn.unsolved).to(turnedAway)
def _unsolved(machine: SignOn, core: Core, reason: str) -> None:
    core.port.abandon()
    core.port.wentOffline(CaptchaUnsolved(reason))


@loggingIn.upon(SignOn.captchaRejected).to(fetchingCaptcha)
def _captchaRejected(machine: SignOn, core: Core) -> None:
    _fetchCaptcha(machine, core)


@loggingIn.upon(SignOn.outdated).to(checking)
def _outdated(machine: SignOn, core: Core) -> None:
    _check(machine, core)


@loggingIn.upon(SignOn.putOff).to(waiting)
def _putOff(machine: SignOn, core: Core, seconds: float, reason: str) -> None:
    _wait(core, reason, seconds)


@loggingIn.upon(SignOn.accepted).to(landing)
def _accepted(machine: SignOn, core: Core, landing: str) -> None:
    # Nobody else's page is any business of ours.
    if f".{_hostOf(landing)}".endswith(".qq.com"):
        core.port.issue(CheckSig(landing), lambda reply: machine.landed())
    else:
        machine.landed()


@landing.upon(SignOn.landed).to(joining)
def _landed(machine: SignOn, core: Core) -> None:
    _join(machine, core)


@landing.upon(SignOn.failed).to(joining)
def _landingFailed(machine: SignOn, core: Core, reason: str) -> None:
    # The page only adds cookies, which not every server wants; login2 says
    # whether this one does.
    _join(machine, core)


@joining.upon(SignOn.joined).to(gathering)
def _joined(machine: SignOn, core: Core, session: Session) -> None:
    core.rejoins = 0
    _keep(core, session)
    core.port.gather(core.ticket)


@gathering.upon(SignOn.gathered).to(online)
def _gathered(machine: SignOn, core: Core) -> None:
    core.port.wentOnline(core.ticket)


@online.upon(SignOn.proven).loop()
def _proven(machine: SignOn, core: Core) -> None:
    core.failures = core.misread = core.submissions = core.rejoins = 0
    core.retried.clear()


@online.upon(SignOn.rotate).loop()
def _rotate(machine: SignOn, core: Core, ptwebqq: str) -> None:
    core.ticket = replace(core.ticket, ptwebqq=ptwebqq)
    core.port.rotated(core.ticket)


@online.upon(SignOn.expired).to(rejoining)
def _expired(machine: SignOn, core: Core, seconds: float) -> None:
    core.port.pausedOnline()
    if core.rejoins >= MAX_REJOINS:
        machine.failed("no poll was answered after the last ones")
        return
    core.rejoins += 1
    _rejoin(machine, core, seconds)


@online.upon(SignOn.kicked).to(kickedOut)
def _kicked(machine: SignOn, core: Core, notice: KickNotice) -> None:
    core.port.abandon()
    core.port.wentOffline(Kicked(notice.reason or "another sign-on took over"))


@online.upon(SignOn.loggedOut).to(offline)
def _loggedOut(machine: SignOn, core: Core) -> None:
    core.port.abandon()
    core.port.wentOffline(LoggedOut("the server says that we have logged out"))


@rejoining.upon(SignOn.joined).to(online)
def _rejoined(machine: SignOn, core: Core, session: Session) -> None:
    _keep(core, session)
    core.port.wentOnline(core.ticket)


@rejoining.upon(SignOn.putOff).loop()
def _rejoinPutOff(machine: SignOn, core: Core, seconds: float, reason: str) -> None:
    core.relinks += 1
    _rejoin(machine, core, seconds)


def _lose(machine: SignOn, core: Core, reason: SessionExpired) -> None:
    core.port.abandon()
    core.port.wentOffline(reason)
    _wait(core, str(reason))


def _loseRejoining(machine: SignOn, core: Core, reason: str) -> None:
    _lose(machine, core, SessionExpired(f"could not rejoin: {reason}"))


def _fail(machine: SignOn, core: Core, reason: str) -> None:
    _wait(core, reason)


def _refuse(machine: SignOn, core: Core, reason: LoginRefused) -> None:
    core.port.abandon()
    core.port.wentOffline(reason)


def _leave(machine: SignOn, core: Core) -> None:
    core.port.abandon()
    core.port.signOff(Logout2(core.ticket))
    core.port.wentOffline(None)


def _giveUp(machine: SignOn, core: Core) -> None:
    core.port.abandon()
    core.port.wentOffline(None)


def _stay(machine: SignOn, core: Core) -> None:
    """
    There is nothing to do.
    """


_entering = (
    fetchingPage,
    checking,
    fetchingCaptcha,
    solving,
    loggingIn,
    landing,
    joining,
    waiting,
)
_busy = (*_entering, gathering, online, rejoining)

online.upon(SignOn.invalidated).to(waiting)(_lose)
rejoining.upon(SignOn.invalidated).to(waiting)(_lose)
rejoining.upon(SignOn.failed).to(waiting)(_loseRejoining)
for _state in (
    fetchingPage,
    checking,
    fetchingCaptcha,
    loggingIn,
    joining,
    gathering,
):
    _state.upon(SignOn.failed).to(waiting)(_fail)
for _state in (fetchingPage, loggingIn, joining):
    _state.upon(SignOn.refused).to(turnedAway)(_refuse)
for _state in (gathering, online, rejoining):
    _state.upon(SignOn.stop).to(offline)(_leave)
for _state in _entering:
    _state.upon(SignOn.stop).to(offline)(_giveUp)
for _state in (offline, kickedOut, turnedAway):
    _state.upon(SignOn.stop).to(offline)(_stay)
for _state in _busy:
    _state.upon(SignOn.start).loop()(_stay)

makeSignOn = builder.build()
"""Call with a L{Core} for a machine that is offline."""


# ---- sorting answers into facts


def _hostOf(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _sortPage(machine: SignOn, reply: str | Refusal) -> None:
    # Clients went on without a signature, and were let in.
    machine.signed(reply if isinstance(reply, str) else "")


def _sortCheck(machine: SignOn, reply: Challenge | Refusal) -> None:
    match reply:
        case Challenge(captcha=True):
            machine.challenged(reply)
        case Challenge():
            machine.passed(reply)
        case Refusal():
            machine.failed(f"check was answered {reply.retcode}")


def _sortImage(machine: SignOn, reply: bytes | Refusal) -> None:
    if isinstance(reply, Refusal):
        machine.failed(f"getimage was answered {reply.retcode}")
    else:
        machine.pictured(reply)


def _sortLogin(machine: SignOn, core: Core, reply: LoginReply | Refusal) -> None:
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
        case 4 if core.misread >= MAX_CAPTCHAS:
            machine.refused(CaptchaUnsolved("too many captchas were misread", 4))
        case 4:
            core.misread += 1
            if core.challenge.captcha:
                machine.captchaRejected()
            else:
                machine.outdated()
        case (7 | 19) as code if code not in core.retried:
            core.retried.add(code)
            seconds = 300.0 if code == 19 else 0.0
            machine.putOff(seconds, f"login was answered {code}")
        case _:
            machine.refused(LoginRefused(reply.message or "refused", reply.code))


def _sortJoin(machine: SignOn, reply: Session | Refusal) -> None:
    match reply:
        case Session():
            machine.joined(reply)
        case Refusal(retcode=106 | 111):
            machine.refused(LoginRefused("the account is not admitted", reply.retcode))
        case Refusal():
            machine.failed(f"login2 was answered {reply.retcode}")


def _sortRejoin(machine: SignOn, core: Core, reply: Session | Refusal) -> None:
    match reply:
        case Session():
            machine.joined(reply)
        case Refusal(retcode=112 | 113 | 115) if core.relinks < MAX_RELINKS:
            seconds = 10.0 if reply.seconds is None else reply.seconds
            machine.putOff(seconds, f"login2 was answered {reply.retcode}")
        case Refusal():
            code = reply.retcode
            machine.invalidated(SessionExpired(f"could not rejoin: {code}", code))
