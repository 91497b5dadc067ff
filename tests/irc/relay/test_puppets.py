"""
Puppets.
"""

from __future__ import annotations

import pytest
from twisted.logger import capturedLogs, formatEvent

from tests.irc.memoryrelay import MemoryRelay, ServerConnection, digits
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.puppets import IDLE, SUFFIX

MING = "<小\u200b明>"


def startWithPuppet() -> tuple[MemoryRelay, ServerConnection, ServerConnection]:
    """
    Start a relay, and let Ming send a message, after which she has a puppet.

    @return: the relay, its own connection and that of the puppet.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    return relay, main, relay.server.last


def test_stopUnregistered() -> None:
    """
    A puppet whose registration is not complete does not delay the end, and is not
    logged as one that failed.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    relay.server._welcome = lambda connection: None  # type: ignore[method-assign]
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert len(relay.server.connections) == 2
    with capturedLogs() as events:
        stopped = relay.network.stopService()
        relay.settle()
    assert stopped.called
    assert not [text for text in map(formatEvent, events) if "no puppet" in text]


def test_puppet() -> None:
    """
    A QQ user who sends a message gets a puppet, which sends the next one; its
    messages and joins are not relayed.
    """
    relay, main, puppet = startWithPuppet()
    assert puppet is not main
    assert puppet.nick == "小明|qq"
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1"]
    assert puppet.privmsgs() == ["第 2"]
    main.send(
        Line("JOIN", ("#cats",), "小明|qq!q@host"),
        Line("PRIVMSG", ("#cats", "第 2"), "小明|qq!q@host"),
    )
    relay.settle()
    assert relay.qq() == []
    puppet.close()
    relay.ming.tellGroup("猫咪", "第 3")
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 3"]
    relay.settle(2000)
    assert not relay.server.last.isOpen
    relay.stop()
    assert not main.isOpen


def test_lost() -> None:
    """
    When a puppet is disconnected while it sends, the relay sends the message in
    its place.
    """
    relay, main, puppet = startWithPuppet()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert puppet.privmsgs() == ["第 2"]
    relay.server.isMute = False
    puppet.close()
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 2"]
    assert relay.outbox.queues() == {}


def test_refused() -> None:
    """
    When a channel refuses a puppet's message, the relay sends it in its place.
    """
    relay, main, puppet = startWithPuppet()
    answer = relay.server.answer

    def moderate(connection: object, line: Line) -> None:
        if connection is puppet and line.command == "PRIVMSG":
            puppet.send(Line("404", ("x", "#cats", "moderated")))
        else:
            answer(connection, line)  # type: ignore[arg-type]

    relay.server.answer = moderate  # type: ignore[method-assign]
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert digits(main.privmsgs()) == [1, 2]


def test_latin() -> None:
    """
    On a network of ASCII nicks a puppet has its name in pinyin; its nick is not
    longer than the server allows.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.server.support = "NICKLEN=9"

    def refuse(connection: ServerConnection, line: Line) -> bool:
        isForbidden = line.command == "NICK" and not line.params[0].isascii()
        if isForbidden:
            connection.send(Line("432", ("*", line.params[0], "Erroneous Nickname")))
        return isForbidden

    relay.server.override = refuse
    relay.start()
    for n in range(2):
        relay.ming.tellGroup("猫咪", f"第 {n}")
        relay.settle()
    puppet = relay.server.last
    assert puppet.nick == "XiaoMi|qq"
    assert digits(puppet.privmsgs()) == [1]


@pytest.mark.parametrize("isPuppetFirst", [True, False])
def test_renamed(isPuppetFirst: bool) -> None:
    """
    A puppet that is given another nick is not used any more, and what it has sent
    is not relayed, whichever connection hears of the nick first.
    """
    relay, main, puppet = startWithPuppet()
    source = "小明|qq!q@host"
    renamed = Line("NICK", ("Guest1",), source)
    if isPuppetFirst:
        puppet.send(renamed)
    main.send(
        Line("PRIVMSG", ("#cats", "第 2"), source),
        renamed,
        Line("PRIVMSG", ("#cats", "第 3"), "Guest1!q@host"),
    )
    if not isPuppetFirst:
        puppet.send(renamed)
    assert not puppet.isOpen
    relay.ming.tellGroup("猫咪", "第 4")
    relay.settle()
    assert relay.qq() == []
    assert digits(main.privmsgs()) == [1, 4]
    main.send(Line("PRIVMSG", ("#cats", "hello"), source))
    relay.settle()
    assert relay.qq() == ["<小明|qq> hello"]


def test_refusedNames() -> None:
    """
    The names whose puppet could not connect are not remembered longer than they
    are used without one.
    """
    relay = MemoryRelay({"puppets": 1})

    def refuse(connection: ServerConnection, line: Line) -> bool:
        isPuppet = line.command == "NICK" and line.params[0].endswith(SUFFIX)
        if isPuppet:
            connection.close()
        return isPuppet

    relay.server.override = refuse
    relay.start()
    puppets = relay.link.puppets
    for name in ("一号", "二号", "三号"):
        relay.rename(name)
        relay.ming.tellGroup("猫咪", "茶好了")
        relay.settle()
        assert list(puppets._refused) == [name]
        relay.settle(IDLE)
