"""
Joining many channels.
"""

from __future__ import annotations

import pytest

from tests.irc.memoryrelay import MemoryRelay, ServerConnection
from txwebqq.irc.config.relay import ChannelRef, RoomSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.client.joinqueue import MAX_CHANNELS, targetLimit
from txwebqq.irc.relay.room import BridgedRoom

COUNT = 30


def joinMany(relay: MemoryRelay, support: str = "") -> None:
    """
    Configure more channels, some with a key, and answer JOIN for each.
    """
    answer = relay.server.answer

    def each(connection: ServerConnection, line: Line) -> bool:
        if line.command != "JOIN":
            return False
        keys = "".join(line.params[1:]).split(",")
        for at, channel in enumerate(line.params[0].split(",")):
            if channel.endswith("5"):
                assert keys[at] == f"key{channel}"
            answer(connection, Line("JOIN", (channel,)))
        return True

    relay.server.override = each
    relay.server.support = support or relay.server.support
    for n in range(COUNT):
        name = f"#channel{n}"
        room = BridgedRoom(
            RoomSettings((), (ChannelRef("home", name),)),
            relay.outbox,
            relay.room.ids,
            relay.clock,
            None,
        )
        key = f"key{name}" if name.endswith("5") else ""
        room.add(relay.network.joinChannel(name, key, room))


@pytest.mark.parametrize(("support", "limit"), [("", 10), ("TARGMAX=JOIN:4,KICK:1", 4)])
def test_many(support: str, limit: int) -> None:
    """
    Many channels are joined by few lines, at the pace of the network, those with
    a key first.
    """
    relay = MemoryRelay({"burst": 3, "seconds": 2.0, "nickserv": "oolong"})
    joinMany(relay, support)
    relay.start()
    sent = relay.received("JOIN", "PRIVMSG", "NICK")
    assert len(sent) <= 1 + 3
    assert sent[1][:2] == ("PRIVMSG", "NickServ")
    relay.settle(30)
    joins = relay.received("JOIN")
    assert len(joins) <= 3 + COUNT // limit
    assert all(len(line[1].split(",")) <= limit for line in joins)
    assert all(link.isUp for link in relay.network._links)


def test_targetLimit() -> None:
    """
    The limit of the server counts, and one without a limit is not trusted.
    """
    assert targetLimit({"TARGMAX": "KICK:1,JOIN:2"}, "JOIN", MAX_CHANNELS) == 2
    assert targetLimit({"TARGMAX": "KICK:1,JOIN:"}, "JOIN", 7) == 7
    assert targetLimit({"TARGMAX": "JOIN:x"}, "JOIN", 7) == 7
    assert targetLimit({}, "JOIN", 7) == 7
