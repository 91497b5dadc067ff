"""
A channel of a room: joining, and the lines that are sent.
"""

from __future__ import annotations

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.channel import UNANSWERED

MING = "<小\u200b明>"


def test_banned() -> None:
    """
    A channel that refuses the relay is joined again at growing intervals.
    """
    relay = MemoryRelay()
    relay.server.refuse["#cats"] = "474"
    relay.start()
    relay.settle(40)
    asked = len(relay.received("JOIN"))
    assert 3 <= asked <= 5
    del relay.server.refuse["#cats"]
    relay.settle(100)
    assert relay.link.isUp


def test_kicked() -> None:
    """
    The relay joins again after a kick.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    assert not relay.link.isUp
    relay.settle(8)
    assert relay.link.isUp


def test_joinUnanswered() -> None:
    """
    An unanswered JOIN is sent again.
    """
    relay = MemoryRelay()
    answer = relay.server.answer

    def ignore(connection: object, line: Line) -> None:
        if line.command != "JOIN":
            answer(connection, line)  # type: ignore[arg-type]

    relay.server.answer = ignore  # type: ignore[method-assign]
    relay.start()
    assert not relay.link.isUp
    relay.server.answer = answer  # type: ignore[method-assign]
    relay.settle(UNANSWERED)
    assert relay.link.isUp


def test_forwarded() -> None:
    """
    The relay leaves a channel that the server forwards it to, and joins the
    configured one again.
    """
    relay = MemoryRelay()
    answer = relay.server.answer

    def forward(connection: object, line: Line) -> None:
        if line.command == "JOIN":
            relay.server.last.send(
                Line("470", ("qqrelay", "#cats", "##overflow", "Forwarding")),
                Line("JOIN", ("##overflow",), "qqrelay!q@h"),
            )
        else:
            answer(connection, line)  # type: ignore[arg-type]

    relay.start()
    relay.server.answer = forward  # type: ignore[method-assign]
    relay.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    relay.settle(7)
    assert relay.received("PART") == [("PART", "##overflow")]
    assert not relay.link.isUp
    relay.server.answer = answer  # type: ignore[method-assign]
    relay.settle(30)
    assert relay.link.isUp


def test_long(relay: MemoryRelay) -> None:
    """
    Each line has less than 512 bytes with the prefix that users see, and begins
    with the name; joined they are the text.
    """
    text = "，".join(f"第{n}句很长很长的话" for n in range(200))
    relay.ming.tellGroup("猫咪", text)
    relay.settle(30)
    said = relay.irc()
    prefix = ":qqrelay!~relay@relay.example.org PRIVMSG #cats :"
    assert len(said) > 5
    assert all(len(f"{prefix}{line}\r\n".encode()) <= 512 for line in said)
    assert max(len(f"{prefix}{line}\r\n".encode()) for line in said) > 505
    assert "".join(line.removeprefix(f"{MING} ") for line in said) == text


def test_pace() -> None:
    """
    After a burst lines are sent at the configured rate, in order.
    """
    relay = MemoryRelay({"burst": 3, "seconds": 2.0})
    relay.start()
    relay.settle(10)
    for n in range(8):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle(0)
    assert digits(relay.irc()) == [0, 1, 2]
    relay.settle(4)
    assert digits(relay.irc()) == [0, 1, 2, 3, 4]
    relay.settle(30)
    assert digits(relay.irc()) == list(range(8))


def test_relaymsg() -> None:
    """
    RELAYMSG is used where the server offers it, and not any more when it is
    refused.
    """
    relay = MemoryRelay()
    relay.server.offers = "draft/relaymsg=/ message-tags"
    relay.start()
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.settle()
    [line] = [each for each in relay.server.last.received if each.command == "RELAYMSG"]
    assert line.params == ("#cats", "小明/qq", "茶好了")
    assert line.tags == {"+txwebqq/origin": "qq/group/200001"}
    relay.server.last.send(
        Line(
            "PRIVMSG",
            ("#cats", "茶好了"),
            "小明/qq!q@host",
            {"draft/relaymsg": "qqrelay"},
        )
    )
    relay.server.refuse["RELAYMSG"] = "FAIL"
    relay.ming.tellGroup("猫咪", "再来")
    relay.ming.tellGroup("猫咪", "又来")
    relay.settle()
    assert relay.qq() == []
    assert relay.irc() == [f"{MING} 再来", f"{MING} 又来"]
    asked = [line for line in relay.server.last.received if line.command == "RELAYMSG"]
    assert len(asked) == 2
    assert relay.outbox.queues() == {}
