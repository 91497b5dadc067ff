"""
A room of a channel and a group behind a program that speaks OneBot 11.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.irc.memoryrelay import IRCServer
from txwebqq.irc.config.relay import ChannelRef, GroupRef, NetworkSettings, RoomSettings
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.relay.account import RelayAccount
from txwebqq.irc.relay.network import IRCNetwork
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.irc.relay.storage.messageids import MessageIds
from txwebqq.irc.relay.storage.outbox import Outbox
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import MEMORY, Database
from txwebqq.testing import MemoryOneBot

MING = "<小\u200b明>"


class OneBotRelay:
    """
    A relay between a group of a OneBot program and a channel with ids of messages.
    """

    def __init__(self) -> None:
        self.program = MemoryOneBot(10001, "Alice")
        self.program.reportsOwn = True
        self.ming = self.program.addFriend("小明")
        self.group = self.program.addGroup("猫咪", self.ming)
        clock: Any = self.program.clock
        self.server = IRCServer(clock)
        self.server.offers = "message-tags echo-message"
        database = Database(MEMORY, RELAY_SCHEMA)
        outbox = Outbox(database)
        ref = GroupRef(10001, Target(TargetKind.GROUP, self.group))
        settings = RoomSettings((ref,), (ChannelRef("home", "#cats"),))
        room = BridgedRoom(settings, outbox, MessageIds(database), clock, None)
        account = RelayAccount(self.program.number, clock, outbox)
        room.add(account.link(ref, room))
        network = IRCNetwork(
            NetworkSettings("home", "tcp:127.0.0.1:6667", "qqrelay", burst=100),
            self.server.reactor,
        )
        room.add(network.joinChannel("#cats", "", room))
        self.program.run(AccountFactory(account.qq))
        network.startService()
        self.settle()

    def settle(self) -> None:
        """
        Process what is due, and what the relay sends.
        """
        for _ in range(6):
            self.program.settle(1)
            self.server.accept()
            for connection in self.server.connections:
                connection.turn()

    def calls(self, action: str) -> list[Any]:
        """
        Return the parameters of the calls of an action.
        """
        return [params for name, params in self.program.calls if name == action]

    def said(self) -> list[Any]:
        """
        Return the messages that the relay has sent to the group.
        """
        return [params["message"] for params in self.calls("send_group_msg")]


@pytest.fixture
def relay() -> OneBotRelay:
    """
    A relay whose account is signed on and whose channel is joined.
    """
    return OneBotRelay()


def text(words: str) -> dict[str, Any]:
    """
    Return a segment of text.
    """
    return {"type": "text", "data": {"text": words}}


def reply(messageId: int) -> dict[str, Any]:
    """
    Return a segment that refers to a message.
    """
    return {"type": "reply", "data": {"id": str(messageId)}}


def mention(number: int) -> dict[str, Any]:
    """
    Return a segment that mentions a member.
    """
    return {"type": "at", "data": {"qq": str(number)}}


def test_references(relay: OneBotRelay) -> None:
    """
    Replies and mentions go both ways.
    """
    said = relay.program.tellGroup(relay.group, relay.ming, "茶好了")
    relay.settle()
    relay.server.bob("小明: thanks", msgid="b1", **{"+draft/reply": "m1"})
    relay.settle()
    [thanks] = relay.said()
    assert thanks == [reply(said), text("<bob> "), mention(relay.ming), text(" thanks")]
    [(_, copy)] = [
        (place, messages[-1]["message_id"])
        for place, messages in relay.program.history.items()
    ]
    answer = [reply(copy), mention(10001), text(" 不客气")]
    relay.program.tellGroup(relay.group, relay.ming, answer)
    relay.settle()
    first, second = relay.server.last.received[-2:]
    assert first.params[1] == f"{MING} 茶好了"
    assert second.params[1] == f"{MING} (re 小明: thanks) bob: 不客气"
    assert second.tags["+draft/reply"] == "b1"


def test_ownMessages(relay: OneBotRelay) -> None:
    """
    The messages of the relay that the program reports are not relayed, those from the
    owner's phone are.
    """
    relay.server.bob("hello")
    relay.settle()
    relay.program.sendElsewhere(relay.group, "on my phone", isGroup=True)
    relay.settle()
    assert relay.server.last.privmsgs() == ["<A\u200blice> on my phone"]
    assert relay.said() == [[text("<bob> hello")]]


def test_interactions(relay: OneBotRelay) -> None:
    """
    Recalls, reactions, pokes and mutes of the group are shown in the channel; those
    of the channel reach the group.
    """
    program = relay.program
    said = program.tellGroup(relay.group, relay.ming, "茶好了")
    relay.settle()
    program.react(relay.ming, said, 76)
    program.poke(relay.ming, relay.group, 10001)
    program.mute(relay.group, relay.ming, 600)
    relay.settle()
    relay.server.tag(react="👍", reply="m1")
    relay.settle()
    program.recall(said)
    relay.settle()
    [tags] = [
        line.tags for line in relay.server.last.received if line.command == "TAGMSG"
    ]
    assert (tags["+draft/react"], tags["+draft/reply"]) == ("[赞]", "m1")
    assert relay.server.last.privmsgs() == [
        f"{MING} 茶好了",
        "* 小\u200b明 pokes Alice",
        "小\u200b明 is muted in 猫咪 for 10 minutes by A\u200blice",
        "* 小\u200b明 recalled: 茶好了",
    ]
    [reaction] = relay.calls("set_msg_emoji_like")
    assert str(reaction["message_id"]) == str(said)
    assert relay.said() == []
