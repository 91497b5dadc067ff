"""
Commands in rooms and in private messages.
"""

from __future__ import annotations

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.protocol.line import Line


def test_private() -> None:
    """
    Private messages are answered by notices, a limited number a minute, and not
    relayed.
    """
    relay = MemoryRelay()
    relay.start()

    def ask(text: str, who: str = "bob") -> list[str]:
        before = len(relay.received("NOTICE"))
        said = Line("PRIVMSG", ("qqrelay", text), f"{who}!x@host")
        relay.server.last.send(said)
        return [line[2] for line in relay.received("NOTICE")[before:]]

    assert ask("\x01VERSION\x01") == ["\x01VERSION txwebqq, a relay to QQ\x01"]
    assert ask("\x01PING 12 34\x01") == ["\x01PING 12 34\x01"]
    assert [line.split(",")[0] for line in ask("!status")] == [
        "猫咪: online",
        "#cats: online",
    ]
    [answer] = ask("hello")
    assert "between #cats and QQ" in answer
    [answer] = ask("!status", "eve")
    assert "猫咪" not in answer
    assert ask("hello") == []
    relay.settle(60)
    assert ask("\x01DCC SEND x\x01") == []
    assert len(ask("hello")) == 1
    assert relay.qq() == []


def test_room(relay: MemoryRelay) -> None:
    """
    Both sides can ask for the users and the state of the other, a limited
    number of times a minute.
    """
    relay.server.bob("!users")
    relay.ming.tellGroup("猫咪", "!users")
    relay.ming.tellGroup("猫咪", "!status")
    relay.settle()
    assert relay.irc() == ["猫咪 (1): 小\u200b明"]
    users, *status = relay.qq()
    assert users == "#cats (1): bob"
    assert [line.partition(",")[0] for line in status] == [
        "猫咪: online",
        "#cats: online",
    ]
    for _ in range(10):
        relay.server.bob("!users")
    relay.settle()
    assert len(relay.irc()) == 3
