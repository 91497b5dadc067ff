"""
Confirmation of the messages that the relay sends to a channel.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred

from tests.irc.memoryrelay import MemoryRelay, ServerConnection, digits
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.client.confirmation import ECHO_TIMEOUT, PROBE_TIMEOUT
from txwebqq.irc.relay.errors import DeliveryRefused

MASK = "qqrelay!~relay@relay.example.org"


def echo(relay: MemoryRelay) -> None:
    """
    Let the server echo the messages of the relay, also C{NOTICE} to itself.
    """

    def withEcho(connection: ServerConnection, line: Line) -> bool:
        if line.command in ("PRIVMSG", "NOTICE"):
            connection.send(replace(line, source=MASK, tags={}))
        return False

    relay.server.override = withEcho


def test_lostPong() -> None:
    """
    A lost PONG delays the channel for a time only: the PING is sent once more,
    and the message is not.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert digits(relay.irc()) == [1]
    relay.server.isMute = False
    relay.settle(PROBE_TIMEOUT + 5)
    assert digits(relay.irc()) == [1, 2]
    assert len(relay.server.connections) == 1
    assert relay.outbox.queues() == {}


def test_noPong() -> None:
    """
    A connection on which nothing is confirmed is given up, though lines come.
    """
    relay = MemoryRelay()
    relay.start()
    first = relay.server.last
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    for _ in range(8):
        relay.settle(PROBE_TIMEOUT / 3)
        if first.isOpen:
            first.send(Line("NOTICE", ("#cats", "hello"), "bob!b@host"))
    assert not first.isOpen
    relay.server.isMute = False
    relay.settle(20)
    assert digits(relay.irc()) == [1]


def test_otherOrder() -> None:
    """
    A PONG with its parameters the other way round is understood.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    relay.server.last.send(Line("PONG", ("txwebqq1", "irc.test"), "irc.test"))
    relay.settle()
    assert relay.outbox.queues() == {}


def test_echo() -> None:
    """
    The echo of a message confirms it, and no PING is sent; an echo is not
    relayed.
    """
    relay = MemoryRelay()
    relay.server.offers = "echo-message"
    echo(relay)
    relay.start()
    relay.server.isMute = True
    for n in range(5):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle()
    assert digits(relay.irc()) == [0, 1, 2, 3, 4]
    assert relay.outbox.queues() == {}
    assert relay.qq() == []


def test_noEcho() -> None:
    """
    A message that the server does not echo is confirmed by a PING after some
    seconds; after two of them each message is.
    """
    relay = MemoryRelay()
    relay.server.offers = "echo-message"
    relay.start()
    for n in range(4):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle(0)
    assert digits(relay.irc()) == [0]
    relay.settle(2 * ECHO_TIMEOUT + 2)
    assert digits(relay.irc()) == [0, 1, 2, 3]
    assert relay.outbox.queues() == {}


@pytest.mark.parametrize("support", ["TARGMAX=JOIN:1,PRIVMSG:4", "MAXTARGETS=4"])
def test_copy(support: str) -> None:
    """
    When a server takes several targets, the relay sends itself a copy of each
    message, which confirms it without a PING.
    """
    relay = MemoryRelay()
    relay.server.support = support

    def copy(connection: ServerConnection, line: Line) -> bool:
        if line.command == "PRIVMSG":
            assert line.params[0] == "#cats,qqrelay"
            connection.send(Line("PRIVMSG", ("qqrelay", line.params[1]), MASK))
        return False

    relay.server.override = copy
    relay.start()
    relay.server.isMute = True
    for n in range(5):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.ming.tellGroup("猫咪", "/me 挥手")
    relay.settle()
    assert digits(relay.irc()) == [0, 1, 2, 3, 4]
    assert relay.outbox.queues() == {}
    assert relay.received("NOTICE") == []


def test_copyRefused() -> None:
    """
    A message that the channel refuses is not confirmed by the copy of it.
    """
    relay = MemoryRelay()
    relay.server.support = "MAXTARGETS=4"

    def refuse(connection: ServerConnection, line: Line) -> bool:
        if line.command == "PRIVMSG":
            connection.send(
                Line("404", ("qqrelay", "#cats", "moderated")),
                Line("PRIVMSG", ("qqrelay", line.params[1]), MASK),
            )
        return False

    relay.server.override = refuse
    relay.start()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert relay.outbox.count(relay.link.source) == 1
    assert relay.qq() == ["A message to #cats is delayed: moderated"]


def test_bouncer() -> None:
    """
    Behind a bouncer a message is confirmed by what comes back from the network,
    not by the bouncer's PONG: while it has no connection, messages are kept.
    """
    relay = MemoryRelay()
    relay.server.offers = "znc.in/self-message"
    relay.start()
    first = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle(5)
    assert digits(relay.irc()) == [1]
    assert relay.outbox.count(relay.link.source) == 1
    relay.settle(2 * PROBE_TIMEOUT)
    assert not first.isOpen
    echo(relay)
    relay.settle(30)
    assert digits(relay.irc()) == [1]
    assert relay.outbox.queues() == {}


def test_configuredBouncer() -> None:
    """
    A bouncer that is not recognised can be configured as one.
    """
    relay = MemoryRelay({"bouncer": True})
    relay.start()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    [notice] = relay.received("NOTICE")
    assert notice[1] == "qqrelay"
    assert relay.outbox.count(relay.link.source) == 1


def test_bouncerRefuses() -> None:
    """
    A bouncer that refuses PRIVMSG while it has no connection delays the message.
    """
    relay = MemoryRelay({"bouncer": True})
    relay.start()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    relay.server.last.send(Line("400", ("qqrelay", "PRIVMSG", "Disconnected")))
    relay.settle()
    assert relay.qq() == ["A message to #cats is delayed: Disconnected"]
    echo(relay)
    relay.settle(20)
    assert relay.outbox.queues() == {}


def test_copyAfterRefusal() -> None:
    """
    The copy of a message that a channel has refused does not confirm a message
    to another channel.
    """
    relay = MemoryRelay()
    relay.server.support = "MAXTARGETS=4"
    relay.start()
    connection = relay.network._connection
    assert connection is not None
    relay.server.isMute = True
    refused, accepted = (
        connection.sendConfirmed(channel, Line("PRIVMSG", (channel, "hello")))
        for channel in ("#cats", "#dogs")
    )
    copy = Line("PRIVMSG", ("qqrelay", "hello"), MASK)
    relay.server.last.send(Line("404", ("qqrelay", "#cats", "moderated")), copy)
    with pytest.raises(DeliveryRefused, match="moderated"):
        relay.web.result(refused)
    assert not accepted.called
    relay.server.last.send(copy)
    assert accepted.called


def test_refusedWithoutCopy() -> None:
    """
    A refused message of which no copy comes disturbs neither those behind it nor
    the end of the connection.
    """
    relay = MemoryRelay()
    relay.server.support = "MAXTARGETS=4"
    relay.start()

    def send() -> Deferred[str]:
        connection = relay.network._connection
        assert connection is not None
        return connection.sendConfirmed("#cats", Line("PRIVMSG", ("#cats", "hello")))

    def refuse(reason: str) -> None:
        sent = send()
        relay.server.last.send(Line("404", ("qqrelay", "#cats", reason)))
        with pytest.raises(DeliveryRefused, match=reason):
            relay.web.result(sent)

    refuse("moderated")
    relay.server.last.close()
    relay.settle(30)
    assert len(relay.server.connections) == 2
    refuse("moderated")
    refuse("banned")
    accepted = send()
    relay.settle(ECHO_TIMEOUT + 1)
    assert accepted.called
