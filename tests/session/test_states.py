"""
The state of an account, and those who are told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from tests.rig import (
    HTML,
    KICK,
    LOGIN2,
    NO_EVENTS,
    CallbackLog,
    CallbackLogFactory,
    CapturedLog,
    Rig,
    batch,
    disconnect,
    raiseError,
)
from txwebqq.model import Account, AccountState, StateChange
from txwebqq.operation.accounts import CountedFactory, MessageCounts
from txwebqq.server.sessions.captchas import CaptchaMode

EXPIRED = b'{"retcode":121,"t":"0"}'

Flush = Callable[..., list[Failure]]


class StateLogFactory(CallbackLogFactory):
    """
    Writes the states into the logs of its protocols as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[StateChange] = []
        self.onState: Callable[[StateChange], object] = lambda change: None

    def stateChanged(self, account: Account, change: StateChange) -> object:
        self.changes.append(change)
        if self.protocols:
            self.protocols[-1].log.append(change.state.value)
        return self.onState(change)


class StateRig(Rig):
    """
    Alice, whose states are recorded. Her factory is wrapped, as in daemons.
    """

    def __init__(self, captcha: CaptchaMode = CaptchaMode.NEVER) -> None:
        super().__init__(captcha)
        self.states = self.factory = StateLogFactory()
        counted = CountedFactory(self.states, MessageCounts())
        self.service = self.serve(self.alice.account, counted)

    @property
    def names(self) -> list[str]:
        return [change.state.value for change in self.states.changes]


@pytest.fixture
def states() -> Iterator[StateRig]:
    """
    Make an account whose states are recorded.
    """
    rig = StateRig()
    yield rig
    rig.finish()


def test_callback(states: StateRig) -> None:
    """
    The factory is told of each state, before the protocol is of the same.
    """
    states.start()
    states.web.result(states.service.signOff())
    assert states.names == ["signing_on", "online", "offline"]
    befores = [change.before.value for change in states.states.changes]
    assert befores == ["offline", "signing_on", "online"]
    log = ["made", "online", "on", "offline", "ConnectionDone"]
    assert states.protocol.log == log


def test_interrupted(states: StateRig) -> None:
    """
    Polls that fail one after the other are one change, with the first reason.
    """
    states.polls(500, HTML)
    assert states.names[2:] == ["interrupted"]
    assert "500" in states.states.changes[-1].reason
    states.web.settle(1)
    states.web.settle(60)
    assert states.names[2:] == ["interrupted", "online"]
    assert states.states.changes[-1].reason == ""


def test_rejoin(states: StateRig) -> None:
    """
    A session that is resumed is a state of its own.
    """
    states.polls(NO_EVENTS, EXPIRED)
    states.web.settle(5)
    assert states.names[2:] == ["rejoining", "online"]


def test_waiting(states: StateRig) -> None:
    """
    Sign-ons that fail one after the other are one change.
    """
    states.server.replies[LOGIN2] = [disconnect, disconnect]
    states.start()
    for _ in range(3):
        states.web.settle(2)
    assert states.names == ["signing_on", "waiting", "online"]
    assert states.states.changes[1].reason


def test_kicked(states: StateRig) -> None:
    """
    The reason of a kick is that of the server.
    """
    states.polls(batch(KICK))
    change = states.states.changes[-1]
    assert change.state is AccountState.KICKED
    assert "elsewhere" in change.reason


def test_log(states: StateRig) -> None:
    """
    A line with fields is logged for each change.
    """
    number = states.alice.number
    with CapturedLog() as log:
        states.polls(batch(KICK))
    fields = ("account", "state", "before", "reason")
    found = [
        tuple(event[name] for name in fields)
        for event in log.events
        if all(name in event for name in fields)
    ]
    reason = states.states.changes[-1].reason
    assert found == [
        (number, "signing_on", "offline", ""),
        (number, "online", "signing_on", ""),
        (number, "kicked", "online", reason),
    ]
    assert f"State of account {number}: online (before: signing_on)." in log.text
    assert f"kicked (before: online): {reason}" in log.text


def test_raises(states: StateRig, flushLoggedErrors: Flush) -> None:
    """
    An exception of the callback is logged with its name, and has no other effect.
    """
    states.states.onState = raiseError
    with CapturedLog() as log:
        states.start()
    assert states.protocol.log == ["made", "online", "on"]
    assert len(flushLoggedErrors(ZeroDivisionError)) == 2
    assert "Callback stateChanged raised" in log.text
    states.states.onState = lambda change: None


def test_failsLater(states: StateRig, flushLoggedErrors: Flush) -> None:
    """
    An awaitable that the callback returns is checked and not waited for.
    """
    results: list[Deferred[None]] = []

    def later(change: StateChange) -> Deferred[None]:
        results.append(Deferred())
        return results[-1]

    states.states.onState = later
    states.start()
    assert states.protocol.log == ["made", "online", "on"]
    states.states.onState = lambda change: None
    results[0].errback(ZeroDivisionError("later"))
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1


@pytest.mark.parametrize("state", ["signing_on", "online", "interrupted"])
def test_signOff(states: StateRig, state: str) -> None:
    """
    The callback may sign off.
    """

    def leave(change: StateChange) -> object:
        return states.service.signOff() if change.state.value == state else None

    states.states.onState = leave
    states.polls(500)
    states.web.settle(10)
    assert states.names[-1] == "offline"
    assert states.service.signOns.state is AccountState.OFFLINE
    for protocol in states.states.protocols:
        assert protocol.log[-1] == "ConnectionDone"


def test_order(states: StateRig) -> None:
    """
    The callback is not called from within another one.
    """
    inside: list[str] = []

    def leave(protocol: CallbackLog) -> None:
        states.service.signOff()
        inside.extend(states.names)

    states.states.onSignedOn = leave
    states.start()
    assert inside == ["signing_on", "online"]
    assert states.names == ["signing_on", "online", "offline"]


def test_captcha() -> None:
    """
    While a captcha waits for its text the account has a state of its own.
    """
    rig = StateRig(CaptchaMode.ALWAYS)
    answer: Deferred[str] = Deferred()
    rig.states.captchaTexts = [succeed("nope"), answer]
    rig.start()
    assert rig.names[-1] == "awaiting_captcha"
    answer.callback(rig.web.captchaText)
    rig.web.settle()
    names = ["awaiting_captcha", "signing_on"]
    assert rig.names == ["signing_on", *names, *names, "online"]
    rig.finish()
