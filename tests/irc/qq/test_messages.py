"""
Letters, and whom they are from.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from txwebqq.errors import Unreachable
from txwebqq.irc.qq.messages import IncomingMessage, MessageProtocol
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Account, Font, Message, Number, StrangerMessage, Text, Uin
from txwebqq.protocol import WebQQFactory
from txwebqq.testing import MemoryWebQQ


class LetterFactory(WebQQFactory):
    """
    Builds protocols that write letters down.
    """

    def __init__(self, letters: list[IncomingMessage]) -> None:
        self._letters = letters

    def buildProtocol(self, account: Account) -> MessageProtocol:
        return MessageProtocol(self._letters.append)


def test_numbers() -> None:
    """
    Places and authors are numbers that stay, also after another sign-on.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    cats = web.group("cats", alice, bob)
    letters: list[IncomingMessage] = []
    for _ in range(2):
        bob.run(LetterFactory(letters))
        alice.tell(bob, "hello")
        alice.tellGroup("cats", "meow")
        web.settle(5)
        bob.stop()
    targets = [Target(TargetKind.PERSON, alice.number), Target(TargetKind.GROUP, cats)]
    assert [message.target for message in letters] == targets * 2
    assert {letter.author for letter in letters} == {alice.number}


class SlowProtocol(MessageProtocol):
    """
    Gets numbers when the test wants it to.
    """

    def __init__(self, letters: list[IncomingMessage]) -> None:
        super().__init__(letters.append)
        self.asked: dict[Uin, Deferred[Number]] = {
            Uin(1): Deferred(),
            Uin(2): Deferred(),
        }

    def fetchNumber(self, uin: Uin) -> Deferred[Number]:
        return self.asked[uin]


def test_order() -> None:
    """
    A letter whose author is hard to find stays before the next, and is not
    lost when nobody is found.
    """
    letters: list[IncomingMessage] = []
    protocol = SlowProtocol(letters)
    for uin in (1, 2):
        words = (Text("hello"),)
        message = Message(Uin(uin), Number(10001), words, 0, 1, 1, Font())
        protocol.messageReceived(message)
    protocol.asked[Uin(2)].callback(Number(10002))
    assert letters == []
    protocol.asked[Uin(1)].errback(Unreachable("gone"))
    assert [letter.author for letter in letters] == [0, 10002]


def test_stranger() -> None:
    """
    A stranger's number is in the message, so nobody is asked for it.
    """
    letters: list[IncomingMessage] = []
    words = (Text("hello"),)
    me, stranger = Number(10001), Number(10003)
    message = StrangerMessage(Uin(3), me, 7, 0, stranger, words, 0, 1, 1)
    SlowProtocol(letters).strangerMessageReceived(message)
    assert [letter.target for letter in letters] == [
        Target(TargetKind.PERSON, stranger)
    ]
