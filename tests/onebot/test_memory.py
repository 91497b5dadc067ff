"""
The program in memory with which applications test their bots on today's QQ.
"""

from __future__ import annotations

from operator import attrgetter

import pytest
from twisted.internet.defer import Deferred

from txwebqq import testing
from txwebqq.model import (
    GroupFile,
    GroupMessage,
    GroupNotice,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    Reaction,
    Sent,
)
from txwebqq.onebot.memory.program import MemoryOneBot
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.testing import MemoryWebQQ, RecordingFactory


class Echo(WebQQProtocol):
    """
    A bot that knows no network.
    """

    def messageReceived(self, message: Message) -> Deferred[Sent]:
        return self.sendMessage(message.sender, message.text)

    def groupMessageReceived(self, message: GroupMessage) -> Deferred[Sent]:
        return self.sendGroupMessage(message.group, message.text)


class EchoFactory(WebQQFactory):
    """
    Builds echo bots.
    """

    protocol = Echo


def test_bothKinds() -> None:
    """
    One bot is tested on both networks.
    """
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(EchoFactory())
    alice.tell(bot, "hello")
    web.settle()
    assert alice.heard == ["hello"]
    for person in (alice, bot):
        person.stop()
    web.stop()

    onebot = testing.MemoryOneBot()
    friend = onebot.addFriend("Alice")
    group = onebot.addGroup("Twisted", friend)
    onebot.run(EchoFactory())
    onebot.tell(friend, "hello")
    onebot.tellGroup(group, friend, "all")
    assert onebot.said == ["hello", "all"]
    onebot.stop()
    assert onebot.clock.getDelayedCalls() == []


def test_happenings() -> None:
    """
    The actions of other people and other clients are events.
    """
    onebot = MemoryOneBot()
    alice = onebot.addFriend("Alice")
    group = onebot.addGroup("Tea", alice)
    protocol = onebot.run(RecordingFactory())
    message = onebot.tellGroup(group, alice, "hello")
    onebot.react(alice, message, "👍")
    onebot.mute(group, alice, seconds=60)
    onebot.poke(alice, group)
    onebot.shareFile(group, alice, "tea.txt", b"oolong")
    onebot.recall(message)
    onebot.sendElsewhere(alice, "from the phone")
    onebot.invite(alice, 30001)
    assert [type(event) for event in protocol.events] == [
        GroupMessage,
        Reaction,
        MemberMuted,
        MemberPoked,
        GroupFile,
        MessageRecalled,
        MessageSent,
        GroupNotice,
    ]
    assert onebot.reactions == {(message, "128077"): {alice}}
    assert (group, alice) in onebot.muted
    onebot.stop()


def test_names() -> None:
    """
    C{txwebqq.testing} has the class, and no other names.
    """
    assert testing.MemoryOneBot is MemoryOneBot
    with pytest.raises(AttributeError, match="MemoryTwoBot"):
        attrgetter("MemoryTwoBot")(testing)


def test_groups() -> None:
    """
    A group has its members, by default with the account as the owner.
    """
    onebot = MemoryOneBot()
    alice = onebot.addFriend("Alice")
    group = onebot.addGroup("A", alice)
    other = onebot.addGroup("B", alice, owner=alice)
    onebot.addMember(other, 5, "admin")
    roles = [
        [member["role"] for member in onebot.members[number].values()]
        for number in (group, other)
    ]
    assert roles == [["owner", "member"], ["member", "owner", "admin"]]


def test_result() -> None:
    """
    A Deferred that has not fired, and one that has failed, fail the test.
    """
    onebot = MemoryOneBot()
    with pytest.raises(AssertionError, match="not fired"):
        onebot.result(Deferred())
    failing: Deferred[None] = Deferred()
    failing.errback(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        onebot.result(failing)
