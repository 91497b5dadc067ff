"""
Incoming messages: their senders and their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.irc.qq.holding import HoldingTransport
from txwebqq.errors import SessionExpired, Unreachable
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.accountprotocol import AccountFactory, AccountProtocol
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Account,
    Font,
    FriendshipNotice,
    FriendshipStep,
    Message,
    Number,
    StrangerMessage,
    Text,
    Uin,
)
from txwebqq.service import WebQQService
from txwebqq.sessionfile import SessionFile
from txwebqq.testing import PASSWORD, MemoryPerson, MemoryWebQQ


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


class Process:
    """
    A process that keeps a person signed on for IRC.

    @param file: the file that keeps the session for the next process, L{None} for
        none.
    """

    def __init__(
        self, web: MemoryWebQQ, person: MemoryPerson, file: Path | None = None
    ) -> None:
        self.web = web
        self.listener = RecordingListener()
        self.account = QQAccount(person.number, self.listener)
        account = Account(person.number, PASSWORD)
        seconds = web.clock.seconds
        self.service = WebQQService(
            account,
            AccountFactory(self.account),
            web.client(),
            web.clock,
            backoff=lambda n: 2.0,
            keeper=SessionFile(file, account, "ours", seconds) if file else None,
        )
        self.service.startService()
        web.settle()

    def blockLookUps(self, monkeypatch: pytest.MonkeyPatch) -> Deferred[Number]:
        """
        Have all look-ups of numbers wait for the returned one.
        """
        lookup: Deferred[Number] = Deferred()
        account = self.account
        monkeypatch.setattr(account.contacts, "numberOf", lambda uin: None)
        monkeypatch.setattr(account.online, "fetchNumber", lambda uin: lookup)
        return lookup

    def stop(self) -> None:
        """
        End by SIGTERM.
        """
        self.web.result(self.service.stopService())

    @property
    def heard(self) -> list[tuple[int, str]]:
        """
        The author and the text of each message.
        """
        return [
            (message.author, str(message.content[0].text))
            for message in self.listener.messages
            if isinstance(message.content[0], Text)
        ]


@pytest.mark.parametrize("isKept", [False, True])
@pytest.mark.parametrize("isAnswered", [False, True])
def test_stopDuringLookUp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, isKept: bool, isAnswered: bool
) -> None:
    """
    The server keeps a message whose sender is being looked up when the process is
    ended, and those behind it, for the next process, which may resume the session. It
    does not give it what was delivered before.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    file = tmp_path / "bob" if isKept else None
    first = Process(web, bob, file)
    alice.tell(bob, "one")
    web.settle(5)
    lookup = first.blockLookUps(monkeypatch)
    alice.tell(bob, "two")
    alice.tell(bob, "three")
    web.settle(5)
    stopped = first.service.stopService()
    if isAnswered:
        lookup.callback(alice.number)
    else:
        lookup.errback(Unreachable("the account signs off"))
    web.result(stopped)
    assert first.heard == [(alice.number, "one")]
    second = Process(web, bob, file)
    web.settle(5)
    assert second.heard == [(alice.number, "two"), (alice.number, "three")]
    second.stop()


def test_killDuringLookUp(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    So it does when the process was killed, which has said nothing to the server.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    first = Process(web, bob)
    first.blockLookUps(monkeypatch)
    alice.tell(bob, "one")
    web.settle(5)
    second = Process(web, bob)
    web.settle(5)
    assert (first.heard, second.heard) == ([], [(alice.number, "one")])
    second.stop()


def test_requestDuringLookUp(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A friend request is held while its sender is being looked up.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    first = Process(web, bob)
    lookup = first.blockLookUps(monkeypatch)
    request = FriendshipNotice(FriendshipStep.REQUESTED, Uin(1), text="let me in")
    said: list[FriendshipNotice] = []
    monkeypatch.setattr(
        first.listener, "friendshipChanged", lambda account, n, each: said.append(each)
    )
    hold = HoldingTransport()
    transport: Any = hold
    first.account.online.transport = transport
    first.account.online.friendshipRequested(request)
    assert (hold.held, said) == (1, [])
    lookup.callback(alice.number)
    assert (hold.held, said) == (0, [request])
    first.stop()


def test_sessionLostDuringLookUp(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose sender is being looked up when the session is lost has its sender
    after the next sign-on.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    process = Process(web, bob)
    lookup = process.blockLookUps(monkeypatch)
    alice.tell(bob, "one")
    web.settle(5)
    process.service._driver._machine.invalidated(SessionExpired("gone", 103))
    lookup.errback(Unreachable("the session is over"))
    monkeypatch.undo()
    web.settle(10)
    assert process.heard == [(alice.number, "one")]
    process.stop()


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
