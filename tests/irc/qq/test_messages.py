"""
Incoming messages: their senders and their order.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.irc.qq.holding import HoldingTransport
from txwebqq.errors import Unreachable
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.accountprotocol import AccountFactory, AccountProtocol
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Font, Message, Number, StrangerMessage, Text, Uin
from txwebqq.testing import MemoryPerson, MemoryWebQQ


class RecordingListener(AccountListener):
    """
    Records the messages of an account.
    """

    def __init__(self) -> None:
        self.messages: list[IncomingMessage] = []

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        self.messages.append(message)


def test_numbers() -> None:
    """
    Targets and senders are permanent numbers, the same after another sign-on.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    cats = web.group("cats", alice, bob)
    listener = RecordingListener()
    account = QQAccount(bob.number, listener)
    for _ in range(2):
        bob.run(AccountFactory(account))
        alice.tell(bob, "hello")
        alice.tellGroup("cats", "meow")
        web.settle(5)
        bob.stop()
    targets = [Target(TargetKind.CONTACT, alice.number), Target(TargetKind.GROUP, cats)]
    assert [message.target for message in listener.messages] == targets * 2
    assert {message.author for message in listener.messages} == {alice.number}


class SlowProtocol(AccountProtocol):
    """
    A protocol whose number lookups are answered by the test.
    """

    def __init__(self, listener: RecordingListener) -> None:
        super().__init__(QQAccount(Number(10001), listener))
        self.holding = HoldingTransport()
        transport: Any = self.holding
        self.transport = transport
        self.asked: dict[Uin, Deferred[Number]] = {
            Uin(1): Deferred(),
            Uin(2): Deferred(),
        }

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        return self.asked[uin]


def test_order() -> None:
    """
    A message whose sender takes long to look up is delivered before the next
    message, and also when the lookup fails.
    """
    listener = RecordingListener()
    protocol = SlowProtocol(listener)
    for uin in (1, 2):
        content = (Text("hello"),)
        message = Message(Uin(uin), Number(10001), content, 0, 1, 1, Font())
        protocol.messageReceived(message)
    protocol.asked[Uin(2)].callback(Number(10002))
    assert listener.messages == []
    assert protocol.holding.held == 2
    protocol.asked[Uin(1)].errback(Unreachable("gone"))
    assert [message.author for message in listener.messages] == [0, 10002]
    assert protocol.holding.held == 0


def test_knownBehindUnknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose sender is known is not delivered before an earlier one whose
    sender is being looked up.
    """
    listener = RecordingListener()
    protocol = SlowProtocol(listener)
    numbers = {Uin(2): Number(10002)}
    monkeypatch.setattr(protocol._contacts, "numberOf", numbers.get)
    for uin in (1, 2):
        content = (Text("hello"),)
        message = Message(Uin(uin), Number(10001), content, 0, 1, 1, Font())
        protocol.messageReceived(message)
    assert listener.messages == []
    protocol.asked[Uin(1)].callback(Number(10001))
    assert [message.author for message in listener.messages] == [10001, 10002]


def test_stranger() -> None:
    """
    The sender of a temporary chat message is not looked up, because the message
    has its number.
    """
    listener = RecordingListener()
    content = (Text("hello"),)
    me, stranger = Number(10001), Number(10003)
    message = StrangerMessage(Uin(3), me, 7, 0, stranger, content, 0, 1, 1)
    SlowProtocol(listener).strangerMessageReceived(message)
    assert [message.target for message in listener.messages] == [
        Target(TargetKind.CONTACT, stranger)
    ]


def lookingUp(
    person: MemoryPerson, account: QQAccount, monkeypatch: pytest.MonkeyPatch
) -> Deferred[Number]:
    """
    Sign an account on, whose lookups of numbers all wait for the returned one.
    """
    person.run(AccountFactory(account))
    lookup: Deferred[Number] = Deferred()
    monkeypatch.setattr(account.contacts, "numberOf", lambda uin: None)
    monkeypatch.setattr(account.online, "fetchNumber", lambda uin: lookup)
    return lookup


@pytest.mark.parametrize("isStopped", [False, True])
def test_keptUntilDelivered(monkeypatch: pytest.MonkeyPatch, isStopped: bool) -> None:
    """
    The server keeps a message whose sender is being looked up, and gives it to the
    next process once if this one is killed, or stops, before.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    listener = RecordingListener()
    account = QQAccount(bob.number, listener)
    lookup = lookingUp(bob, account, monkeypatch)
    alice.tell(bob, "hello")
    web.settle(5)
    alice.tell(bob, "hello again")
    web.settle(5)
    assert listener.messages == []
    account.isStopping = isStopped
    if isStopped:
        bob.stop()
        lookup.errback(Unreachable("the account signs off"))
    # One that was killed has said nothing to the server.
    bob.run(AccountFactory(QQAccount(bob.number, listener)))
    web.settle(5)
    texts = [message.content for message in listener.messages]
    assert texts == [(Text("hello"),), (Text("hello again"),)]


def test_acknowledgedAfterDelivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The server forgets a message when its sender has been looked up.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    listener = RecordingListener()
    lookup = lookingUp(bob, QQAccount(bob.number, listener), monkeypatch)
    alice.tell(bob, "hello")
    web.settle(40)

    def kept() -> int:
        messages = web.state.store.messages
        waiting = messages.waiting(bob.number, 0, 99)
        return len(messages.unacknowledged(bob.number)) + len(waiting)

    assert kept() == 1
    lookup.callback(alice.number)
    web.settle(5)
    assert kept() == 0
    assert [message.author for message in listener.messages] == [alice.number]
