"""
Recalls, mutes, pokes, reactions and messages of other clients: their numbers and
their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.irc.qq.holding import HoldingTransport
from txwebqq.errors import NotSignedOn, RequestRefused, Unreachable
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.accountprotocol import AccountProtocol
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Code,
    Face,
    Gid,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    Reaction,
    Text,
    Uin,
)

ME = Number(10001)
GROUP = (Gid(7), Code(8), Number(200001))
NO_GROUP = (Gid(0), Code(0), Number(0))
CATS = Target(TargetKind.GROUP, 200001)
BOB = Target(TargetKind.CONTACT, 10002)
SMILE = Reaction(*GROUP, Uin(2), 77, Face(14))
HELLO = (Text("hello"),)


class RecordingListener(AccountListener):
    """
    Records the names of the callbacks and their arguments but the account.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        self.seen.append(("received", message.author, message.id))

    def messageSent(self, account: QQAccount, message: IncomingMessage) -> None:
        sent = (message.target, message.author, message.content, message.id)
        self.seen.append(("sent", *sent))

    def messageRecalled(
        self, account: QQAccount, target: Target | None, operator: int, messageId: int
    ) -> None:
        self.seen.append(("recalled", target, operator, messageId))

    def memberMuted(
        self,
        account: QQAccount,
        target: Target,
        member: int,
        operator: int,
        seconds: int,
    ) -> None:
        self.seen.append(("muted", target, member, operator, seconds))

    def memberPoked(
        self, account: QQAccount, target: Target, sender: int, poked: int, time: int
    ) -> None:
        self.seen.append(("poked", target, sender, poked, time))

    def reactionChanged(
        self, account: QQAccount, target: Target, sender: int, reaction: Reaction
    ) -> None:
        self.seen.append(("reaction", target, sender, reaction))


class SlowProtocol(AccountProtocol):
    """
    A protocol that knows the number of uin 2, and asks for all others.
    """

    def __init__(self, listener: AccountListener) -> None:
        account = QQAccount(ME, listener)
        super().__init__(account)
        account.contacts._numbers = {Uin(2): Number(10002)}
        self.asked: list[Deferred[Number]] = []
        transport: Any = HoldingTransport()
        self.transport = transport

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        self.asked.append(Deferred())
        return self.asked[-1]


EVENTS = [
    (MessageRecalled(*GROUP, Uin(2), Uin(2), 77), ("recalled", CATS, 10002, 77)),
    (MessageRecalled(*NO_GROUP, Uin(2), Uin(2), 77), ("recalled", BOB, 10002, 77)),
    (MessageRecalled(*NO_GROUP, Uin(ME), Uin(ME), 77), ("recalled", None, ME, 77)),
    (MemberMuted(*GROUP, Uin(2), Uin(ME), 60), ("muted", CATS, 10002, ME, 60)),
    (MemberMuted(*GROUP, Uin(0), Uin(2), 0), ("muted", CATS, 0, 10002, 0)),
    (MemberPoked(*GROUP, Uin(2), Uin(ME), 5), ("poked", CATS, 10002, ME, 5)),
    (SMILE, ("reaction", CATS, 10002, SMILE)),
    (MessageSent(*GROUP, Uin(0), HELLO, 77), ("sent", CATS, ME, HELLO, 77)),
    (MessageSent(*NO_GROUP, Uin(2), HELLO, 77), ("sent", BOB, ME, HELLO, 77)),
]


@pytest.mark.parametrize(("event", "expected"), EVENTS)
def test_numbers(event: Any, expected: tuple[Any, ...]) -> None:
    """
    The accounts of an event are told by permanent numbers, and at once.
    """
    listener = RecordingListener()
    SlowProtocol(listener).eventReceived(event)
    assert listener.seen == [expected]


@pytest.mark.parametrize(("event", "expected"), EVENTS)
def test_order(event: Any, expected: tuple[Any, ...]) -> None:
    """
    An event is told after a message before it whose sender is being looked up.
    """
    listener = RecordingListener()
    protocol = SlowProtocol(listener)
    protocol.messageReceived(Message(Uin(1), ME, HELLO, 0, 1, 77))
    protocol.eventReceived(event)
    assert listener.seen == []
    protocol.asked[0].callback(Number(10003))
    assert listener.seen == [("received", 10003, 77), expected]


def test_unknown() -> None:
    """
    A number that cannot be fetched is 0; but a mute of an unknown member is not
    told, since 0 are all members.
    """
    listener = RecordingListener()
    protocol = SlowProtocol(listener)
    protocol.eventReceived(MemberMuted(*GROUP, Uin(3), Uin(2), 60))
    protocol.eventReceived(MemberPoked(*GROUP, Uin(3), Uin(2)))
    for _ in range(2):
        protocol.asked.pop(0).errback(Unreachable("gone"))
    assert listener.seen == [("poked", CATS, 0, 10002, 0)]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (lambda actions: actions.recall(BOB, 1), NotSignedOn),
        (lambda actions: actions.recall(CATS, 1), NotSignedOn),
        (lambda actions: actions.poke(CATS, 10002), NotSignedOn),
        (lambda actions: actions.poke(BOB, 10002), RequestRefused),
        (lambda actions: actions.mute(BOB, 10002, 5), RequestRefused),
        (lambda actions: actions.muteAll(BOB, True), RequestRefused),
        (lambda actions: actions.react(BOB, 1, Face(14)), RequestRefused),
    ],
)
def test_refused(action: Callable[..., Any], error: type[Exception]) -> None:
    """
    An action fails while the account is not signed on, and where no group is.
    """
    actions = QQAccount(ME, AccountListener()).actions
    failed: list[Any] = []
    Deferred.fromCoroutine(action(actions)).addErrback(failed.append)
    assert [failure.type for failure in failed] == [error]
