"""
Notices about members.
"""

from __future__ import annotations

from dataclasses import replace

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.protocol.line import Line
from txwebqq.model import Code, Gid, GroupNotice, GroupStep, Number


def test_inChannel(relay: MemoryRelay) -> None:
    """
    Joins, parts and new nicks of active users are announced, not those of
    others.
    """
    last = relay.server.last
    last.send(Line("JOIN", ("#cats",), "eve!e@host"))
    last.send(Line("PART", ("#cats",), "eve!e@host"))
    relay.server.bob("hello")
    last.send(Line("NICK", ("bobby",), "bob!b@host"))
    last.send(Line("QUIT", ("bye",), "bobby!b@host"))
    last.send(Line("JOIN", ("#cats",), "bobby!b@host"))
    relay.settle()
    assert relay.qq() == [
        "<bob> hello",
        "bob is now known as bobby",
        "bobby has quit",
        "bobby has joined",
    ]


def test_netsplit(relay: MemoryRelay) -> None:
    """
    When hundreds of active users quit at once, a few are named and the others
    counted.
    """
    for n in range(300):
        said = Line("PRIVMSG", ("#cats", "hi"), f"user{n}!u@host")
        relay.server.last.send(Line("JOIN", ("#cats",), f"user{n}!u@host"), said)
    relay.settle(400)
    before = len(relay.qq())
    for n in range(300):
        gone = Line("QUIT", ("a.example b.example",), f"user{n}!u@host")
        relay.server.last.send(gone)
    relay.settle(70)
    told = relay.qq()[before:]
    assert told[0] == "user0 has quit"
    assert told[-1] == f"{300 - len(told) + 1} more joined or left"
    assert len(told) == 6
    relay.server.last.send(Line("BATCH", ("+s", "netjoin", "a", "b")))
    back = Line("JOIN", ("#cats",), "user1!u@host", {"batch": "s"})
    relay.server.last.send(back)
    relay.settle()
    assert relay.qq()[before:] == told


def test_inGroup(relay: MemoryRelay) -> None:
    """
    Joins and new names of active QQ members are announced.
    """
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    target = relay.groupLink.group.target
    conversation = relay.account.qq.contacts.conversations[target]
    [ming] = [m for m in conversation.members if m.number == relay.ming.number]
    renamed = replace(conversation, members=(replace(ming, name="大明"),))
    relay.account.qq.contacts.conversations[target] = renamed
    relay.groupLink.refresh()
    left = replace(conversation, members=())
    relay.account.qq.contacts.conversations[target] = left
    relay.groupLink.refresh()
    notice = GroupNotice(
        GroupStep.JOINED,
        Gid(1),
        Code(1),
        Number(target.number),
        memberNumber=relay.ming.number,
    )
    relay.account.groupChanged(relay.account.qq, notice)
    relay.settle()
    assert relay.irc()[1:] == [
        "小\u200b明 is now known as 大明",
        "小\u200b明 has joined",
    ]


def test_unreachable(relay: MemoryRelay) -> None:
    """
    A membership notice is not queued for an unreachable target.
    """
    relay.server.bob("hello")
    relay.settle()
    relay.alice.stop()
    relay.server.last.send(Line("QUIT", ("bye",), "bob!b@host"))
    relay.settle()
    assert relay.outbox.queues() == {}
