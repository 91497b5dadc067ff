"""
RELAYMSG, and its refusals.
"""

from __future__ import annotations

import pytest

from tests.irc.memoryrelay import MemoryRelay, ServerConnection
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.client.relaymsg import RETRY

MING = "<小\u200b明>"


def start(code: str, *names: str) -> MemoryRelay:
    """
    Start a relay on a server that refuses RELAYMSG for some names.
    """
    relay = MemoryRelay(joins=False)
    relay.server.offers = "draft/relaymsg=/ message-tags"

    def refuse(connection: ServerConnection, line: Line) -> bool:
        if line.command != "RELAYMSG" or line.params[1] not in names:
            return False
        if code == "421":
            connection.send(Line(code, ("qqrelay", "RELAYMSG", "Unknown command")))
        elif code.isdigit():
            connection.send(Line(code, ("qqrelay", line.params[0], "No")))
        else:
            connection.send(Line("FAIL", ("RELAYMSG", code, "No")))
        return True

    relay.server.override = refuse
    relay.start()
    return relay


def sent(relay: MemoryRelay, name: str) -> str:
    """
    Send a message under a name, and return the command by which it was sent.
    """
    relay.rename(name)
    before = len(relay.received("RELAYMSG", "PRIVMSG"))
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.settle()
    return " ".join(line[0] for line in relay.received("RELAYMSG", "PRIVMSG")[before:])


def test_refusedName() -> None:
    """
    A refused name is not tried again for a time; other names are.
    """
    relay = start("INVALID_NICK", "小明/qq")
    assert sent(relay, "小明") == "RELAYMSG PRIVMSG"
    assert sent(relay, "小明") == "PRIVMSG"
    assert sent(relay, "大明") == "RELAYMSG"
    relay.settle(RETRY)
    assert sent(relay, "小明") == "RELAYMSG PRIVMSG"
    assert relay.outbox.queues() == {}


def test_manyRefusedNames() -> None:
    """
    When all names are refused, RELAYMSG is not tried for each of them.
    """
    relay = start("INVALID_NICK", *(f"{n}号/qq" for n in "一二三四"))
    assert [sent(relay, f"{n}号") for n in "一二三四"] == [
        "RELAYMSG PRIVMSG",
        "RELAYMSG PRIVMSG",
        "RELAYMSG PRIVMSG",
        "PRIVMSG",
    ]


@pytest.mark.parametrize("code", ["PRIVS_NEEDED", "482", "421"])
def test_privileges(code: str) -> None:
    """
    Without the privileges RELAYMSG is not tried for anybody, until the relay
    becomes an operator.
    """
    relay = start(code, "小明/qq", "大明/qq")
    assert sent(relay, "小明") == "RELAYMSG PRIVMSG"
    assert sent(relay, "大明") == "PRIVMSG"
    relay.server.last.send(Line("MODE", ("#cats", "+v-o", "eve", "bob"), "op!o@host"))
    assert sent(relay, "大明") == "PRIVMSG"
    relay.server.last.send(Line("MODE", ("#cats", "+o", "qqrelay"), "op!o@host"))
    assert sent(relay, "大明") == "RELAYMSG PRIVMSG"
    relay.server.last.send(Line("381", ("qqrelay", "You are now an IRC operator")))
    assert sent(relay, "大明") == "RELAYMSG PRIVMSG"
    assert relay.outbox.queues() == {}


def test_moderated() -> None:
    """
    A channel that refuses all messages does not end the use of RELAYMSG.
    """
    relay = start("404", "小明/qq")
    assert sent(relay, "小明") == "RELAYMSG"
    assert relay.qq() == ["A message to #cats is delayed: No"]
    assert sent(relay, "小明") == ""
    relay.settle(5)
    commands = [line[0] for line in relay.received("RELAYMSG", "PRIVMSG")]
    assert set(commands) == {"RELAYMSG"}
