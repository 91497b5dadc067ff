"""
Recalls, mutes, pokes, reactions, mentions and replies between IRC clients and another
account, by the server.
"""

from __future__ import annotations

import re
from typing import TypeVar

import pytest

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Code,
    Face,
    Gid,
    GroupMessage,
    MemberMuted,
    MemberPoked,
    Mention,
    Message,
    MessageRecalled,
    Reaction,
    Reply,
    Sent,
    Text,
    Uin,
)

MODERN = ("message-tags", "draft/message-redaction", "echo-message", "batch")
E = TypeVar("E")


class Room:
    """
    A group of which Alice, with IRC clients, is the owner, and Ming a member.
    """

    def __init__(self, gateway: MemoryGateway) -> None:
        gateway.alice.stop()
        gateway.ming.stop()
        gateway.web.group("狗", gateway.alice, gateway.ming)
        gateway.signOn(gateway.ming)
        gateway.signOn(gateway.alice)
        self.web, self.alice, self.ming = gateway.web, gateway.alice, gateway.ming
        self.protocol = gateway.ming.protocol
        self.modern: Client = gateway.client(*MODERN)
        self.plain: Client = gateway.client()
        self.source = f":{self.ming.nick}!{self.ming.number}@qq.test"

    @property
    def gid(self) -> Gid:
        return self.ming.groupCalled("狗").gid

    @property
    def code(self) -> Code:
        return self.ming.groupCalled("狗").code

    def last(self, kind: type[E]) -> E:
        """
        Return the last event of Ming, which has this type.
        """
        self.web.settle(3)
        event = self.ming.events[-1]
        assert isinstance(event, kind)
        return event

    def says(self, *content: Mention | Reply | Text) -> Sent:
        """
        Have Ming send a message to the group.
        """
        for client in (self.modern, self.plain):
            client.transport.clear()
        sent = self.web.result(self.protocol.sendGroupMessage(self.gid, content))
        self.web.settle(3)
        return sent

    def msgid(self) -> str:
        """
        The last msgid that the modern client has seen.
        """
        msgids: list[str] = re.findall(r"[@;]msgid=([0-9a-f-]+)", self.modern.seen)
        return msgids[-1]


@pytest.fixture
def room(gateway: MemoryGateway) -> Room:
    """
    A group with two members.
    """
    return Room(gateway)


def test_conversation(room: Room) -> None:
    """
    Mentions and replies go both ways.
    """
    room.modern.send("PRIVMSG #狗 :小明: at nine?")
    own = room.msgid()
    question = room.last(GroupMessage)
    assert question.content[0] == Mention(room.ming.number, "小明")
    assert question.text == "@小明 at nine?"
    reply = Reply(question.id)
    sent = room.says(reply, Mention(room.alice.number, "Alice"), Text(" yes"))
    assert f"+draft/reply={own} {room.source} PRIVMSG #狗 :me: yes" in room.modern.seen
    assert "PRIVMSG #狗 :me: yes (re me: 小明: at nine?)" in room.plain.seen
    room.modern.send(f"@+reply={room.msgid()} PRIVMSG #狗 :fine")
    assert room.last(GroupMessage).content == (Reply(sent.messageId), Text("fine"))


def test_recall(room: Room) -> None:
    """
    A recall of the other side is shown, and that of a client is one on the other
    side.
    """
    sent = room.says(Text("oops"))
    msgid = room.msgid()
    room.web.result(room.protocol.recallGroupMessage(room.gid, sent.messageId))
    room.web.settle(3)
    assert f"{room.source} REDACT #狗 {msgid}\r\n" in room.modern.seen
    assert "NOTICE #狗 :has recalled a message: oops\r\n" in room.plain.seen
    room.modern.send("PRIVMSG #狗 :mine")
    mine = room.last(GroupMessage)
    assert " REDACT #狗 " in room.modern.send(f"REDACT #狗 {room.msgid()}")
    recalled = room.last(MessageRecalled)
    assert (recalled.id, recalled.sender) == (mine.id, mine.sender)


def test_recallByOwner(room: Room) -> None:
    """
    The owner of the group recalls a message of another member; in a group of another
    owner, C{REDACT} is forbidden.
    """
    sent = room.says(Text("spam"))
    msgid = room.msgid()
    seen = room.modern.send(f"REDACT #狗 {msgid} spam")
    assert f" REDACT #狗 {msgid} :spam\r\n" in seen
    assert room.last(MessageRecalled).id == sent.messageId
    room.ming.tellGroup("猫咪", "stays")
    room.web.settle(3)
    refused = room.modern.send(f"REDACT #猫咪 {room.msgid()}")
    assert "FAIL REDACT REDACT_FORBIDDEN #猫咪 " in refused


def test_recallOfFriend(room: Room) -> None:
    """
    Messages between friends are recalled in both directions.
    """
    room.modern.send("PRIVMSG 小明 :mine")
    mine = room.last(Message)
    assert " REDACT 小明 " in room.modern.send(f"REDACT 小明 {room.msgid()}")
    assert room.last(MessageRecalled).id == mine.id
    uin = room.ming.uinOf(room.alice)
    sent = room.web.result(room.protocol.sendMessage(uin, "oops"))
    room.web.settle(3)
    msgid = room.msgid()
    room.web.result(room.protocol.recallMessage(uin, sent.messageId))
    room.web.settle(3)
    assert f"{room.source} REDACT me {msgid}\r\n" in room.modern.seen


def test_reaction(room: Room) -> None:
    """
    Reactions go both ways.
    """
    sent = room.says(Text("tea?"))
    msgid = room.msgid()
    room.modern.send(f"@+draft/react=👍;+reply={msgid} TAGMSG #狗")
    reaction = room.last(Reaction)
    assert (reaction.id, reaction.face) == (sent.messageId, Text("👍"))
    room.modern.send(f"@+draft/unreact=👍;+reply={msgid} TAGMSG #狗")
    assert not room.last(Reaction).isSet
    setting = room.protocol.setReaction(room.gid, sent.messageId, Face(14))
    room.web.result(setting)
    room.web.settle(3)
    tags = f"@+draft/react=[微笑];+reply={msgid};+draft/reply={msgid}"
    assert f"{tags} {room.source} TAGMSG #狗\r\n" in room.modern.seen


def test_mute(room: Room) -> None:
    """
    C{MODE} of the owner mutes the member and the whole group, shown once to each
    client; then the server refuses the messages of the member.
    """
    for mode, shown in (("+q 小明", "+q 小明!*@*"), ("+m", "+m")):
        room.plain.transport.clear()
        room.modern.send(f"MODE #狗 {mode}")
        room.web.settle(3)
        for client in (room.modern, room.plain):
            assert client.seen == f":me!alice@qq.test MODE #狗 {shown}\r\n"
        assert room.last(MemberMuted).seconds
        with pytest.raises(RequestRefused):
            room.says(Text("hello"))
        room.modern.send(f"MODE #狗 {mode.replace('+', '-')}")
        room.says(Text("hello"))
    assert " 482 me #猫咪 " in room.modern.send("MODE #猫咪 +m")


def test_muted(room: Room) -> None:
    """
    A client is shown that the user is muted by another one, and why its messages are
    refused then.
    """
    protocol = room.protocol
    code = room.ming.groupCalled("猫咪").code
    uin = room.ming.memberOf("猫咪", room.alice)
    room.web.result(protocol.muteMember(code, uin, 60))
    room.web.settle(3)
    assert f"{room.source} MODE #猫咪 +q me!*@*\r\n" in room.modern.seen
    assert "404 me #猫咪 :Cannot send to channel: " in room.modern.send(
        "PRIVMSG #猫咪 :hello"
    )


def test_poke(room: Room) -> None:
    """
    Pokes go both ways.
    """
    assert "ACTION pokes 小明" in room.modern.send("PRIVMSG *qq :poke 小明 #狗")
    poked = room.last(MemberPoked)
    assert poked.target == Uin(room.ming.number)
    uin = room.ming.memberOf("狗", room.alice)
    room.web.result(room.protocol.pokeMember(room.gid, uin))
    room.web.settle(3)
    assert f"{room.source} PRIVMSG #狗 :\x01ACTION pokes me\x01\r\n" in room.plain.seen
