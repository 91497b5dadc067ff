"""
Puppets.
"""

from __future__ import annotations

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.irc.protocol.line import Line

MING = "<小\u200b明>"


def test_stopUnregistered() -> None:
    """
    A puppet whose registration is not complete does not delay the end.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    relay.server._welcome = lambda connection: None  # type: ignore[method-assign]
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert len(relay.server.connections) == 2
    stopped = relay.network.stopService()
    relay.settle()
    assert stopped.called


def test_puppet() -> None:
    """
    A QQ user who sends a message gets a puppet, which sends the next one; its
    messages and joins are not relayed.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
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
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
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
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
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
