"""
The sign-on state machine: decides what to do next, and does nothing itself.

The happy path::

    Offline -start-> FetchingPage -signed-> Checking -passed-> LoggingIn
      -accepted-> CheckingSignature -signatureChecked-> Joining
      -joined-> LoadingRoster -rosterLoaded-> Online

and that of a session which an earlier process has left::

    Offline -resume-> Resuming -joined-> LoadingRoster -rosterLoaded-> Online

Its inputs and the actions that it asks for are in
L{txwebqq.session.interfaces}; L{txwebqq.session.replies} classifies replies.
No state holds a secret of its own.
"""

from __future__ import annotations

from functools import partial

from automat import TypeMachineBuilder
from msgspec.structs import replace

from txwebqq.errors import (
    CaptchaUnsolved,
    Kicked,
    LoggedOut,
    LoginRefused,
    SessionExpired,
)
from txwebqq.model import KickNotice
from txwebqq.session.interfaces import Era, SignOnInputs, SignOnState
from txwebqq.session.replies import (
    classifyCaptcha,
    classifyCheck,
    classifyJoin,
    classifyLogin,
    classifyPage,
    classifyRejoin,
    hostOf,
)
from txwebqq.wire.commands.signon import (
    Challenge,
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    LoginPage,
    Logout2,
    SecureGetImage,
    SessionCredentials,
    SignedCheck,
    SignedLogin,
)
from txwebqq.wire.digests import passwordDigest, passwordHash
from txwebqq.wire.form import Ticket

MAX_REJOINS = 3
"""Rejoins in a row without a poll that was answered."""

MAX_INTERCEPTED = 20
"""Attempts to resume a session that no WebQQ server has answered. With the pauses of
the service they take an hour, after which servers have forgotten the session."""


builder = TypeMachineBuilder(SignOnInputs, SignOnState)

offline = builder.state("Offline")
fetchingPage = builder.state("FetchingPage")
checking = builder.state("Checking")
fetchingCaptcha = builder.state("FetchingCaptcha")
awaitingCaptcha = builder.state("AwaitingCaptcha")
loggingIn = builder.state("LoggingIn")
checkingSignature = builder.state("CheckingSignature")
joining = builder.state("Joining")
loadingRoster = builder.state("LoadingRoster")
online = builder.state("Online")
rejoining = builder.state("Rejoining")
resuming = builder.state("Resuming")
awaitingServer = builder.state("AwaitingServer")
awaitingRejoin = builder.state("AwaitingRejoin")
waiting = builder.state("Waiting")
kickedOut = builder.state("Kicked")
refused = builder.state("Refused")


# Outputs that several transitions share.


def _connect(machine: SignOnInputs, state: SignOnState) -> None:
    try:
        isNew = state.actions.buildProtocol()
    except LoginRefused as e:
        machine.refused(e)
        return
    if state.era is Era.E3:
        state.actions.issue(LoginPage(state.status), partial(classifyPage, machine))
    else:
        # Earlier servers have no page that gives a signature.
        machine.signed("")
    # After the first request, which the protocol may cancel by signing off.
    if isNew:
        state.actions.connectProtocol()


def _begin(machine: SignOnInputs, state: SignOnState) -> None:
    _reset(state)
    _connect(machine, state)


def _reset(state: SignOnState) -> None:
    state.failures = state.misread = 0
    state.retried.clear()


def _check(machine: SignOnInputs, state: SignOnState) -> None:
    number, chance = str(state.account.number), f"{state.random():.16f}"
    command = Check(number, chance)
    if state.era is Era.E3:
        command = SignedCheck(number, chance, signature=state.signature)
    state.actions.issue(command, partial(classifyCheck, machine))


def _fetchCaptcha(machine: SignOnInputs, state: SignOnState) -> None:
    make = SecureGetImage if state.era is Era.E3 else GetImage
    command = make(str(state.account.number), f"{state.random():.16f}")
    state.actions.issue(command, partial(classifyCaptcha, machine))


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
    state.actions.issue(command, partial(classifyLogin, machine, state))


def _join(machine: SignOnInputs, state: SignOnState) -> None:
    state.ticket = Ticket(clientid=state.clientid, ptwebqq=state.actions.ptwebqq())
    state.actions.issue(
        Login2(state.ticket, state.status), partial(classifyJoin, machine)
    )


def _rejoin(machine: SignOnInputs, state: SignOnState, seconds: float) -> None:
    state.actions.issue(
        Login2(state.ticket, state.status),
        partial(classifyRejoin, machine, state),
        seconds,
    )


def _storeCredentials(state: SignOnState, credentials: SessionCredentials) -> None:
    state.relinks = 0
    state.ticket = replace(
        state.ticket, psessionid=credentials.psessionid, vfwebqq=credentials.vfwebqq
    )
    state.actions.keepSession()


def _wait(state: SignOnState, reason: str, seconds: float = 0.0) -> None:
    state.actions.cancelPending()
    state.actions.wait(state.failures, seconds, reason)
    state.failures += 1


# Transitions.


@offline.upon(SignOnInputs.start).to(fetchingPage)
def _start(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


@kickedOut.upon(SignOnInputs.start).to(fetchingPage)
def _startAfterKick(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


@refused.upon(SignOnInputs.start).to(fetchingPage)
def _startAfterRefusal(machine: SignOnInputs, state: SignOnState) -> None:
    _begin(machine, state)


def _resume(machine: SignOnInputs, state: SignOnState) -> None:
    _reset(state)
    state.relinks = 0
    try:
        isNew = state.actions.buildProtocol()
    except LoginRefused as e:
        machine.refused(e)
        return
    state.ticket = state.actions.restoreSession()
    _rejoin(machine, state, 0.0)
    if isNew:
        state.actions.connectProtocol()


@resuming.upon(SignOnInputs.invalidated).to(fetchingPage)
def _resumeRefused(
    machine: SignOnInputs, state: SignOnState, reason: SessionExpired
) -> None:
    state.actions.loseKeptSession(str(reason))
    _connect(machine, state)


@resuming.upon(SignOnInputs.failed).to(awaitingServer)
def _resumeFailed(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    # The server is away, and knows the session for an hour.
    _wait(state, reason)


@awaitingServer.upon(SignOnInputs.retry).to(resuming)
def _resumeAgain(machine: SignOnInputs, state: SignOnState) -> None:
    _rejoin(machine, state, 0.0)


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
    state.actions.endSignOn(CaptchaUnsolved(reason))


@awaitingCaptcha.upon(SignOnInputs.captchaLapsed).to(checking)
def _captchaLapsed(machine: SignOnInputs, state: SignOnState) -> None:
    # The server may not want one any more.
    _check(machine, state)


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
    # The server names the page; only those of WebQQ are fetched.
    if f".{hostOf(landing)}".endswith(".qq.com"):
        state.actions.issue(CheckSig(landing), lambda reply: machine.signatureChecked())
    else:
        machine.signatureChecked()


@checkingSignature.upon(SignOnInputs.signatureChecked).to(joining)
def _signatureChecked(machine: SignOnInputs, state: SignOnState) -> None:
    _join(machine, state)


@checkingSignature.upon(SignOnInputs.intercepted).to(joining)
@checkingSignature.upon(SignOnInputs.failed).to(joining)
def _signatureCheckFailed(
    machine: SignOnInputs, state: SignOnState, reason: str
) -> None:
    # The page only sets cookies, which not every server needs; the reply to
    # login2 tells whether this one does.
    _join(machine, state)


@resuming.upon(SignOnInputs.joined).to(loadingRoster)
@joining.upon(SignOnInputs.joined).to(loadingRoster)
def _joined(
    machine: SignOnInputs, state: SignOnState, credentials: SessionCredentials
) -> None:
    state.rejoins = 0
    _storeCredentials(state, credentials)
    state.actions.loadRoster()


@loadingRoster.upon(SignOnInputs.rosterLoaded).to(online)
def _rosterLoaded(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.openChannel()


@online.upon(SignOnInputs.pollAnswered).loop()
def _pollAnswered(machine: SignOnInputs, state: SignOnState) -> None:
    state.failures = state.misread = state.submissions = state.rejoins = 0
    state.retried.clear()


@online.upon(SignOnInputs.ticketRotated).loop()
def _ticketRotated(machine: SignOnInputs, state: SignOnState, ptwebqq: str) -> None:
    state.ticket = replace(state.ticket, ptwebqq=ptwebqq)
    state.actions.setPtwebqq(ptwebqq)
    state.actions.keepSession()


@online.upon(SignOnInputs.expired).to(rejoining)
def _expired(machine: SignOnInputs, state: SignOnState, seconds: float) -> None:
    state.actions.pauseChannel()
    if state.rejoins >= MAX_REJOINS:
        machine.failed(f"no poll was answered after {MAX_REJOINS} rejoins")
        return
    state.rejoins += 1
    _rejoin(machine, state, seconds)


@online.upon(SignOnInputs.kicked).to(kickedOut)
def _kicked(machine: SignOnInputs, state: SignOnState, notice: KickNotice) -> None:
    state.actions.cancelPending()
    # The server's own words are Chinese as a rule.
    words = f": {notice.reason}" if notice.reason else ""
    state.actions.endSignOn(Kicked(f"another sign-on took over{words}"))


@online.upon(SignOnInputs.loggedOut).to(offline)
def _loggedOut(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    reason = "the server says that this client has logged out"
    state.actions.endSignOn(LoggedOut(reason))


@rejoining.upon(SignOnInputs.joined).to(online)
def _rejoined(
    machine: SignOnInputs, state: SignOnState, credentials: SessionCredentials
) -> None:
    _storeCredentials(state, credentials)
    state.actions.openChannel()


@resuming.upon(SignOnInputs.toldToWait).loop()
@rejoining.upon(SignOnInputs.toldToWait).loop()
def _rejoinToldToWait(
    machine: SignOnInputs, state: SignOnState, seconds: float, reason: str
) -> None:
    state.relinks += 1
    _rejoin(machine, state, seconds)


@loadingRoster.upon(SignOnInputs.intercepted).to(awaitingServer)
@resuming.upon(SignOnInputs.intercepted).to(awaitingServer)
@rejoining.upon(SignOnInputs.intercepted).to(awaitingRejoin)
def _intercepted(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    if state.failures >= MAX_INTERCEPTED:
        machine.failed(reason)
    else:
        _wait(state, reason)


@awaitingRejoin.upon(SignOnInputs.retry).to(rejoining)
def _rejoinAgain(machine: SignOnInputs, state: SignOnState) -> None:
    _rejoin(machine, state, 0.0)


def _loseSession(
    machine: SignOnInputs, state: SignOnState, reason: SessionExpired
) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(reason)
    _wait(state, str(reason))


def _failRejoin(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    _loseSession(machine, state, SessionExpired(f"the rejoin failed: {reason}"))


def _fail(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    _wait(state, reason)


def _refuse(machine: SignOnInputs, state: SignOnState, reason: LoginRefused) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(reason)


def _logOut(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.sendLogout(Logout2(state.ticket))
    state.actions.endSignOn(None)


def _abandon(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(None)


def _suspend(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.suspendSignOn()


def _ignore(machine: SignOnInputs, state: SignOnState) -> None:
    pass


_withoutSession = (
    fetchingPage,
    checking,
    fetchingCaptcha,
    awaitingCaptcha,
    loggingIn,
    checkingSignature,
    joining,
    waiting,
)
_withSession = (
    loadingRoster,
    online,
    rejoining,
    awaitingRejoin,
    resuming,
    awaitingServer,
)
_underWay = (*_withoutSession, *_withSession)

online.upon(SignOnInputs.invalidated).to(waiting)(_loseSession)
rejoining.upon(SignOnInputs.invalidated).to(waiting)(_loseSession)
rejoining.upon(SignOnInputs.failed).to(waiting)(_failRejoin)
awaitingRejoin.upon(SignOnInputs.failed).to(waiting)(_failRejoin)
for _state in (loadingRoster, awaitingServer):
    _state.upon(SignOnInputs.failed).to(waiting)(_fail)
for _state in (fetchingPage, checking, fetchingCaptcha, loggingIn, joining):
    _state.upon(SignOnInputs.failed).to(waiting)(_fail)
    _state.upon(SignOnInputs.intercepted).to(waiting)(_fail)
for _state in (fetchingPage, loggingIn, joining, resuming):
    _state.upon(SignOnInputs.refused).to(refused)(_refuse)
for _state in _withSession:
    _state.upon(SignOnInputs.stop).to(offline)(_logOut)
    _state.upon(SignOnInputs.suspend).to(offline)(_suspend)
for _state in _withoutSession:
    _state.upon(SignOnInputs.stop).to(offline)(_abandon)
    _state.upon(SignOnInputs.suspend).to(offline)(_abandon)
for _state in (offline, kickedOut, refused):
    _state.upon(SignOnInputs.stop).to(offline)(_ignore)
    _state.upon(SignOnInputs.suspend).to(offline)(_ignore)
    _state.upon(SignOnInputs.resume).to(resuming)(_resume)
for _state in _underWay:
    _state.upon(SignOnInputs.start).loop()(_ignore)
    _state.upon(SignOnInputs.resume).loop()(_ignore)

makeSignOn = builder.build()
"""Make a machine in the state Offline, from a L{SignOnState}."""
