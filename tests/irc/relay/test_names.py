"""
The names of senders, as accounts and members choose them.
"""

from __future__ import annotations

import pytest

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.text.attribution import GAP

NAMES = [
    ("", "10002"),
    ("\u3000", "10002"),
    ("\u200b\u2060\ufeff", "10002"),
    ("\u3164\u2800", "10002"),
    ("\0\x01\x7f", "10002"),
    ("\ud800", "10002"),
    ("\u202e\u0628\u0648\u0628\u202c", "\u0628\u0648\u0628"),
    ("b\u200bo\u00adb", "bob"),
    ("\x0304\x02红\x0f", "04红"),
    ("bob> hi\r\n<eve", "bob) hi (eve"),
    ("bob＞ hi ＜eve", "bob) hi (eve"),
    ("\u0301bob", "bob"),
    ("o" + "\u0321" * 500, "o" + "\u0321" * 3),
    ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ("茶" * 500, "茶" * 20),
    (":", ":"),
]
"""Names of accounts, and how they are shown."""


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_member(name: str, shown: str) -> None:
    """
    With each name of a member of a group, messages, commands and notices name
    the member in a form that is no other sender's, and the connection stays.
    """
    relay = MemoryRelay()
    relay.start()
    relay.ming.tellGroup("猫咪", "第 0")
    relay.settle()
    relay.rename(name)
    relay.ming.tellGroup("猫咪", "第 1")
    relay.ming.tellGroup("猫咪", "/me 挥手")
    relay.server.bob("!users")
    relay.settle()
    relay.rename("小明")
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    word = shown.replace(" ", "_")
    assert [line.replace(GAP, "") for line in relay.irc()] == [
        "<小明> 第 0",
        f"小明 is now known as {word}",
        f"<{shown}> 第 1",
        f"* {word} 挥手",
        f"猫咪 (1): {word}",
        f"{word} is now known as 小明",
        "<小明> 第 2",
    ]
    assert len(relay.server.connections) == 1
    assert relay.outbox.queues() == {}


@pytest.mark.parametrize("name", [name for name, _ in NAMES])
def test_asNick(name: str) -> None:
    """
    A member of a group can have any name where names become nicks.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.server.offers = "draft/relaymsg=/ message-tags"
    relay.start()
    relay.rename(name)
    for n in range(3):
        relay.ming.tellGroup("猫咪", f"第 {n}")
        relay.settle()
    assert relay.outbox.queues() == {}
    first, *others = relay.server.connections
    assert first.isOpen
    assert len(others) == 1
    assert others[0].privmsgs() == ["第 1", "第 2"]


@pytest.mark.parametrize(
    ("nick", "shown"),
    [("b\u200bob", "bob"), ("<eve>", "(eve)"), ("\x02x", "x"), ("\u202ex", "x")],
)
def test_nick(nick: str, shown: str) -> None:
    """
    A nick that looks like another one on IRC is shown without the difference.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(
        Line("JOIN", ("#cats",), f"{nick}!x@host"),
        Line("PRIVMSG", ("#cats", "hello"), f"{nick}!x@host"),
        Line("QUIT", ("bye",), f"{nick}!x@host"),
    )
    relay.settle()
    assert relay.qq() == [f"<{shown}> hello", f"{shown} has quit"]


def test_secondSender() -> None:
    """
    A later line of a message to a group does not look like a message of another
    sender.
    """
    relay = MemoryRelay()
    relay.start()
    connection = relay.server.last
    room, link = relay.room, relay.link
    room.channelMessageReceived(link, "bob", "hi\n<eve> hello\nbye", False, "1", "")
    relay.settle(10)
    assert connection.isOpen
    assert relay.qq() == ["<bob> hi\n| <eve> hello\nbye"]
