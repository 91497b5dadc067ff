"""
The nick of the relay, when another user has it.
"""

from __future__ import annotations

from tests.irc.memoryrelay import MemoryRelay, ServerConnection
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.client.nickrecovery import REGAIN


def test_ghost() -> None:
    """
    The nick is taken when NickServ answers that it has disconnected the user.
    """
    relay = MemoryRelay({"nickserv": "oolong"})
    relay.server.taken = {"qqrelay"}

    def services(connection: ServerConnection, line: Line) -> bool:
        if line.command == "PRIVMSG" and line.params[1].startswith("GHOST"):
            relay.server.taken.clear()
            text = "qqrelay has been ghosted."
            connection.send(Line("NOTICE", ("qqrelay_", text), "NickServ!s@services"))
        return False

    relay.server.override = services
    relay.start()
    assert relay.server.last.nick == "qqrelay"
    texts = [line[2] for line in relay.received("PRIVMSG")]
    assert texts == [
        "IDENTIFY qqrelay oolong",
        "GHOST qqrelay oolong",
        "IDENTIFY oolong",
    ]
    before = len(relay.server.last.received)
    relay.settle(REGAIN * 3)
    assert len(relay.server.last.received) == before


def test_soon() -> None:
    """
    The nick is tried again soon, and then at growing intervals.
    """
    relay = MemoryRelay()
    relay.server.taken = {"qqrelay"}
    relay.start()
    relay.settle(10)
    assert 3 <= len(relay.received("NICK")) <= 6
    relay.settle(600)
    assert len(relay.received("NICK")) <= 20
    relay.server.taken = set()
    relay.settle(REGAIN)
    assert relay.server.last.nick == "qqrelay"


def test_monitor() -> None:
    """
    With MONITOR, the nick is taken when its user is gone.
    """
    relay = MemoryRelay()
    relay.server.taken = {"qqrelay"}
    relay.server.support = "MONITOR=100"
    relay.start()
    assert relay.received("MONITOR") == [("MONITOR", "+", "qqrelay")]
    relay.settle(200)
    relay.server.taken = set()
    relay.server.last.send(Line("731", ("qqrelay_", "eve,QQRelay")))
    assert relay.server.last.nick == "qqrelay"
    relay.settle()
    assert relay.received("MONITOR")[1:] == [("MONITOR", "-", "qqrelay")]


def test_noServices() -> None:
    """
    With a NickServ password the nick is also tried when NickServ does not answer,
    as long as it takes.
    """
    relay = MemoryRelay({"nickserv": "oolong"})
    relay.server.taken = {"qqrelay"}
    relay.start()
    relay.settle(REGAIN * 5)
    relay.server.taken = set()
    relay.settle(REGAIN + 5)
    assert relay.server.last.nick == "qqrelay"
