"""
The metrics of accounts of client daemons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.rig import (
    HTML,
    KICK,
    LOGIN2,
    NO_EVENTS,
    POLL,
    SEND,
    CallbackLog,
    Rig,
    batch,
    disconnect,
)
from txwebqq.accounts import WebQQAccess
from txwebqq.errors import (
    CaptchaUnsolved,
    LoggedOut,
    LoginRefused,
    MalformedReply,
    MessageTooLong,
    NotSent,
    NotSignedOn,
    PartlySent,
    RequestRefused,
    SessionExpired,
    Unreachable,
)
from txwebqq.model import Account, AccountState, Number, StateChange
from txwebqq.operation.accounts import CountedFactory, MessageCounts, WatchedAccounts
from txwebqq.operation.metrics import Histogram
from txwebqq.protocol import WebQQFactory
from txwebqq.session.application import Application
from txwebqq.session.signoncounts import SignOnCounts

EXPIRED = b'{"retcode":121,"t":"0"}'


class WatchedRig(Rig):
    """
    Alice with a service whose messages are counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.watched = WatchedAccounts()
        counts = MessageCounts()
        counted = CountedFactory(self.factory, counts)
        self.service = self.serve(self.alice.account, counted)
        self.watched.watch(self.alice.number, self.service.signOns, counts)

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """
        Return the samples of a metric that are not 0, without the account.
        """
        return {
            labels[1:]: value
            for metric, labels, value in self.watched.samples()
            if metric.name == name and value and not isinstance(value, Histogram)
        }

    @property
    def states(self) -> list[str]:
        return [state for (state,) in self.values("txwebqq_account_state")]


@pytest.fixture
def rig() -> Iterator[WatchedRig]:
    """
    Make a watched account.
    """
    rig = WatchedRig()
    yield rig
    rig.finish()


def test_signOn(rig: WatchedRig) -> None:
    """
    The daemon is ready when the account is signed on.
    """
    assert rig.states == ["offline"]
    number = rig.alice.number
    problem = f"account {number} is not signed on (offline)"
    assert list(rig.watched.problems()) == [problem]
    rig.start()
    assert rig.states == ["online"]
    assert list(rig.watched.problems()) == []
    assert rig.values("txwebqq_sign_ons_total") == {("signed_on",): 1}
    assert rig.values("txwebqq_reconnects_total") == {}
    rig.web.result(rig.service.signOff())
    assert rig.states == ["offline"]


def test_failed(rig: WatchedRig) -> None:
    """
    A sign-on that fails is counted, with its reason among those of the daemon.
    """
    rig.server.replies[LOGIN2] = [disconnect, disconnect]
    rig.start()
    assert rig.states == ["waiting"]
    [problem] = rig.watched.problems()
    assert "(waiting): " in problem
    rig.web.settle(2)
    rig.web.settle(2)
    assert rig.states == ["online"]
    counts = {("signed_on",): 1, ("failed",): 2}
    assert rig.values("txwebqq_sign_ons_total") == counts


def test_interrupted(rig: WatchedRig) -> None:
    """
    While polls fail the account cannot be reached, so the daemon is not ready.
    """
    rig.polls(500, HTML)
    assert rig.states == ["interrupted"]
    [problem] = rig.watched.problems()
    assert "(interrupted): " in problem
    rig.web.settle(1)
    rig.web.settle(60)
    assert rig.states == ["online"]
    assert rig.values("txwebqq_poll_failures_total") == {(): 2}


def test_rejoin(rig: WatchedRig) -> None:
    """
    A session that is resumed is a reconnect, and no sign-on.
    """
    rig.polls(NO_EVENTS, EXPIRED)
    rig.web.settle(5)
    assert rig.states == ["online"]
    assert rig.values("txwebqq_reconnects_total") == {("rejoin",): 1}
    assert rig.values("txwebqq_sign_ons_total") == {("signed_on",): 1}


def test_lost(rig: WatchedRig) -> None:
    """
    A session that is lost is followed by a sign-on, which is a reconnect.
    """
    rig.start()
    rig.server.replies[POLL] = [b'{"retcode":103,"errmsg":""}'] * 2
    rig.server.replies["/channel/get_online_buddies2"] = [
        b'{"retcode":103,"errmsg":""}'
    ]
    rig.web.settle(60)
    rig.web.settle(10)
    assert rig.states == ["online"]
    assert rig.values("txwebqq_sessions_lost_total") == {("expired",): 1}
    assert rig.values("txwebqq_reconnects_total") == {("sign_on",): 1}


def test_kicked(rig: WatchedRig) -> None:
    """
    An account that another client has replaced stays offline.
    """
    rig.polls(batch(KICK))
    assert rig.states == ["kicked"]
    [problem] = rig.watched.problems()
    assert "(kicked)" in problem
    assert rig.values("txwebqq_sessions_lost_total") == {("kicked",): 1}


def test_messages(rig: WatchedRig) -> None:
    """
    Messages are counted by kind and outcome.
    """
    rig.start()
    rig.bob.run(WebQQFactory())
    rig.bob.tell(rig.alice, "one")
    rig.bob.tell(rig.alice, "two")
    rig.bob.stop()
    assert rig.values("txwebqq_messages_received_total") == {("friend",): 2}
    assert rig.protocol.log[-2:] == ["one", "two"]
    uin = next(iter(rig.protocol.buddies))
    rig.web.result(rig.protocol.sendMessage(uin, "three"))
    rig.server.replies[SEND] = [b'{"retcode":1000,"errmsg":"no"}', disconnect]
    for error in (RequestRefused, Unreachable):
        with pytest.raises(error):
            rig.web.result(rig.protocol.sendMessage(uin, "four"))
    rig.web.result(rig.service.signOff())
    with pytest.raises(NotSignedOn):
        rig.web.result(rig.protocol.sendMessage(uin, "five"))
    assert rig.values("txwebqq_messages_sent_total") == {
        ("friend", "accepted"): 1,
        ("friend", "refused"): 1,
        ("friend", "uncertain"): 1,
        ("friend", "not_signed_on"): 1,
    }


def test_ownFactory(rig: WatchedRig) -> None:
    """
    The protocol is that of the application, and so is its factory.
    """
    rig.start()
    assert type(rig.protocol) is CallbackLog
    assert rig.protocol.factory is rig.factory


def test_noProtocol(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    A factory that builds no protocol is named as without the counts.
    """

    class Broken(WebQQFactory):
        def buildProtocol(self, account: Account) -> Any:
            return None

    counted = CountedFactory(Broken(), MessageCounts())
    application = Application(Account(Number(10001), "x"), counted, Clock())
    with pytest.raises(LoginRefused, match="the factory built no protocol"):
        application.buildProtocol()
    [failure] = flushLoggedErrors()
    assert str(failure.value) == "buildProtocol returned NoneType"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PartlySent(1, 2, (), Unreachable("x")), "partly_sent"),
        (MessageTooLong(1, "x"), "refused"),
        (SessionExpired("x"), "not_signed_on"),
        (NotSent("x"), "not_sent"),
        (MalformedReply("x"), "uncertain"),
        (PartlySent(1, 2, (), NotSent("x")), "partly_sent"),
        (CancelledError(), "uncertain"),
        (TypeError("x"), "error"),
    ],
)
def test_outcomes(error: Exception, outcome: str) -> None:
    """
    Each failure of a send has one outcome.
    """
    counts = MessageCounts()
    failure = Failure(error)
    assert counts.countSent(failure, "group") is failure
    assert counts.sent == {("group", outcome): 1}


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (LoggedOut("x"), AccountState.LOGGED_OUT),
        (CaptchaUnsolved("x"), AccountState.CAPTCHA_UNSOLVED),
        (LoginRefused("x"), AccountState.REFUSED),
        (None, AccountState.OFFLINE),
    ],
)
def test_ends(reason: Any, state: AccountState) -> None:
    """
    The state tells how a sign-on has ended.
    """
    changes: list[StateChange] = []
    counts = SignOnCounts(changes.append)
    counts.begin()
    assert counts.state is AccountState.SIGNING_ON
    counts.end(reason)
    assert counts.state is state
    text = "" if reason is None else "x"
    assert changes[1:] == [StateChange(state, AccountState.SIGNING_ON, text)]
    watched = WatchedAccounts()
    watched.watch(Number(10001), counts, MessageCounts())
    [problem] = watched.problems()
    assert state.value.replace("_", " ") in problem


def test_makeAccount() -> None:
    """
    The account of a daemon is watched.
    """
    watched = WatchedAccounts()
    account = Account(Number(10001), "x")
    reactor: Any = MemoryReactorClock()
    watched.makeAccount(account, WebQQAccess(), WebQQFactory(), reactor)
    assert [each[:13] for each in watched.problems()] == ["account 10001"]
