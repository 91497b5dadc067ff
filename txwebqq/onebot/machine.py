"""
The sign-on state machine of an account of today's QQ: decides what to do next, and
does nothing itself.

The happy path::

    Offline -start-> Connecting -linked-> Greeting -identified-> LoadingRoster
      -rosterLoaded-> Online

Its inputs and the actions that it asks for are in L{txwebqq.onebot.interfaces}.
"""

from __future__ import annotations

from automat import TypeMachineBuilder

from txwebqq.errors import Kicked, LoginRefused, SessionExpired
from txwebqq.model import KickNotice, Number
from txwebqq.onebot.interfaces import SignOnInputs, SignOnState

builder = TypeMachineBuilder(SignOnInputs, SignOnState)

offline = builder.state("Offline")
connecting = builder.state("Connecting")
greeting = builder.state("Greeting")
loadingRoster = builder.state("LoadingRoster")
online = builder.state("Online")
waiting = builder.state("Waiting")


# Outputs that several transitions share.


def _connect(machine: SignOnInputs, state: SignOnState) -> None:
    try:
        isNew = state.actions.buildProtocol()
    except LoginRefused as e:
        machine.refused(e)
        return
    state.actions.connect()
    # After the attempt has begun, which the protocol may cancel by signing off.
    if isNew:
        state.actions.connectProtocol()


def _begin(machine: SignOnInputs, state: SignOnState) -> None:
    state.failures = 0
    _connect(machine, state)


def _wait(state: SignOnState, reason: str) -> None:
    state.actions.cancelPending()
    state.actions.wait(state.failures, reason)
    state.failures += 1


def _fail(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    _wait(state, reason)


def _refuse(machine: SignOnInputs, state: SignOnState, reason: LoginRefused) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(reason)


def _abandon(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(None)


def _ignore(machine: SignOnInputs, state: SignOnState) -> None:
    pass


# Transitions.


@waiting.upon(SignOnInputs.retry).to(connecting)
def _retry(machine: SignOnInputs, state: SignOnState) -> None:
    _connect(machine, state)


@connecting.upon(SignOnInputs.linked).to(greeting)
def _linked(machine: SignOnInputs, state: SignOnState) -> None:
    state.actions.identify()


@greeting.upon(SignOnInputs.identified).to(loadingRoster)
def _identified(machine: SignOnInputs, state: SignOnState, number: Number) -> None:
    if number == state.account.number:
        state.actions.loadRoster()
    else:
        reason = f"the OneBot program is signed on with the account {number}"
        machine.refused(LoginRefused(reason))


@loadingRoster.upon(SignOnInputs.rosterLoaded).to(online)
def _rosterLoaded(machine: SignOnInputs, state: SignOnState) -> None:
    state.failures = 0
    state.actions.openChannel()


@online.upon(SignOnInputs.failed).to(waiting)
def _loseLink(machine: SignOnInputs, state: SignOnState, reason: str) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(SessionExpired(reason))
    _wait(state, reason)


@online.upon(SignOnInputs.kicked).to(offline)
def _kicked(machine: SignOnInputs, state: SignOnState, notice: KickNotice) -> None:
    state.actions.cancelPending()
    state.actions.endSignOn(Kicked(f"QQ has signed the account off: {notice.reason}"))


offline.upon(SignOnInputs.start).to(connecting)(_begin)
for _state in (connecting, greeting, loadingRoster):
    _state.upon(SignOnInputs.failed).to(waiting)(_fail)
for _state in (connecting, greeting, loadingRoster, online):
    _state.upon(SignOnInputs.refused).to(offline)(_refuse)
for _state in (connecting, greeting, loadingRoster, online, waiting):
    _state.upon(SignOnInputs.stop).to(offline)(_abandon)
    _state.upon(SignOnInputs.start).loop()(_ignore)
offline.upon(SignOnInputs.stop).to(offline)(_ignore)

makeSignOn = builder.build()
"""Make a machine in the state Offline, from a L{SignOnState}."""
