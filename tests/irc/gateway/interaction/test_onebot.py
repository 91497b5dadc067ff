"""
Recalls, mutes, pokes, reactions, mentions and replies between IRC clients and a
program that speaks OneBot 11.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.irc.memorygateway import Client, UserGateway
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.testing import MemoryOneBot

MODERN = ("message-tags", "draft/message-redaction", "echo-message", "batch")


class OneBotGateway(UserGateway):
    """
    The user Alice with an account of a OneBot program, and a group with Ming.
    """

    def __init__(self) -> None:
        self.program = MemoryOneBot(10001, "Alice")
        self.program.reportsOwn = True
        self.ming = self.program.addFriend("小明")
        self.group = self.program.addGroup("猫咪", self.ming)
        super().__init__(self.program, self.program.account, NickStyle.UTF8)
        self.program.run(AccountFactory(self.aliceUser.accounts[10001]))
        self.program.settle(3)
        self.source = f":小明!{self.ming}@qq.test"

    def calls(self, action: str) -> list[Any]:
        """
        Return the parameters of the calls of an action.
        """
        return [params for name, params in self.program.calls if name == action]

    def says(self, message: Any) -> int:
        """
        Have Ming send a message to the group.
        """
        messageId = self.program.tellGroup(self.group, self.ming, message)
        self.program.settle(1)
        return messageId


@pytest.fixture
def onebot() -> OneBotGateway:
    """
    A gateway whose account is signed on.
    """
    return OneBotGateway()


def msgidOf(client: Client) -> str:
    """
    The last msgid that a client has seen.
    """
    msgids: list[str] = re.findall(r"[@;]msgid=([0-9a-f-]+)", client.seen)
    return msgids[-1]


def segment(kind: str, **data: str) -> dict[str, Any]:
    """
    Return a segment.
    """
    return {"type": kind, "data": data}


def test_conversation(onebot: OneBotGateway) -> None:
    """
    Mentions and replies go both ways, and the reports of the user's own messages are
    not shown again.
    """
    client, other = onebot.client(*MODERN), onebot.client()
    question = onebot.says([segment("at", qq="10001"), segment("text", text=" 九点？")])
    assert f"{onebot.source} PRIVMSG #猫咪 :me: 九点？\r\n" in client.seen
    other.transport.clear()
    client.send(f"@+reply={msgidOf(client)} PRIVMSG #猫咪 :小明: 十点")
    own = msgidOf(client)
    [sent] = onebot.calls("send_group_msg")
    assert sent["message"] == [
        segment("reply", id=str(question)),
        segment("at", qq=str(onebot.ming)),
        segment("text", text=" 十点"),
    ]
    onebot.program.settle(3)
    assert client.seen.count("十点") == other.seen.count("十点") == 1
    [messages] = onebot.program.history.values()
    onebot.says([segment("reply", id=str(messages[-1]["message_id"])), "好"])
    assert f"+draft/reply={own} {onebot.source} PRIVMSG #猫咪 :好\r\n" in client.seen


def test_interactions(onebot: OneBotGateway) -> None:
    """
    Recalls, reactions, pokes and mutes of the group are shown, and messages from the
    user's phone as the user's own.
    """
    program = onebot.program
    client = onebot.client(*MODERN)
    said = onebot.says("茶好了")
    msgid = msgidOf(client)
    client.transport.clear()
    program.react(onebot.ming, said, 76)
    program.poke(onebot.ming, onebot.group, 10001)
    program.mute(onebot.group, onebot.ming, 600)
    program.recall(said)
    program.sendElsewhere(onebot.group, "on my phone", isGroup=True)
    program.settle(3)
    assert re.findall(r"(?:^|\n)(?:@\S+ )?(\S+ [A-Z]+ .*)\r", client.seen) == [
        f"{onebot.source} TAGMSG #猫咪",
        f"{onebot.source} PRIVMSG #猫咪 :\x01ACTION pokes me\x01",
        ":me!alice@qq.test MODE #猫咪 +q 小明!*@*",
        f"{onebot.source} REDACT #猫咪 {msgid}",
        ":me!alice@qq.test PRIVMSG #猫咪 :on my phone",
    ]
    assert "+draft/react=[赞]" in client.seen


def test_commands(onebot: OneBotGateway) -> None:
    """
    The commands of clients are calls of the program.
    """
    client = onebot.client(*MODERN)
    said = onebot.says("茶好了")
    msgid = msgidOf(client)
    client.send(f"@+draft/react=👍;+reply={msgid} TAGMSG #猫咪")
    [reaction] = onebot.calls("set_msg_emoji_like")
    assert str(reaction["message_id"]) == str(said)
    assert "ACTION pokes 小明" in client.send("PRIVMSG *qq :poke 小明 #猫咪")
    onebot.program.settle(3)
    assert client.seen.count("ACTION pokes 小明") == 1
    assert " MODE #猫咪 +m\r\n" in client.send("MODE #猫咪 +m")
    assert client.send("MODE #猫咪 +q 小明").count(" MODE #猫咪 +q 小明!*@*\r\n") == 1
    assert onebot.calls("set_group_whole_ban")
    [ban] = onebot.calls("set_group_ban")
    assert int(ban["user_id"]) == onebot.ming
    client.send("PRIVMSG #猫咪 :oops")
    own = msgidOf(client)
    assert f" REDACT #猫咪 {own}\r\n" in client.send(f"REDACT #猫咪 {own}")
    assert len(onebot.calls("delete_msg")) == 1
