"""
Confirmation of what IRC clients have received.
"""

from __future__ import annotations

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.irc.gateway.connection import CONFIRM_INTERVAL, CONFIRM_TOKEN


def test_deadConnection(gateway: MemoryGateway) -> None:
    """
    Messages that were written to a dead connection are played back to the
    client's next one; those that it had received are not.
    """
    client = gateway.client()
    gateway.ming.tell(gateway.alice, "received")
    gateway.web.settle(3)
    client.vanish()
    gateway.ming.tell(gateway.alice, "lost one")
    gateway.web.settle(3)
    gateway.ming.tell(gateway.alice, "lost two")
    gateway.ming.tellGroup("猫咪", "lost three")
    gateway.web.settle(300)
    # The gateway gave up: the peer has not answered for minutes.
    client.close()
    again = gateway.client()
    for text in ("lost one", "lost two", "lost three"):
        assert again.seen.count(text) == 1
    assert ":received" not in again.seen
    gateway.web.settle(3)
    again.close()
    assert "lost" not in gateway.client().seen


def test_deadBesideLive(gateway: MemoryGateway) -> None:
    """
    A client that has come again before the loss of its former connection was
    noticed is played back what went there.
    """
    dead = gateway.client()
    dead.vanish()
    gateway.ming.tell(gateway.alice, "where are you")
    gateway.web.settle(3)
    again = gateway.client()
    assert "where are you" in again.seen
    gateway.web.settle(3)
    dead.close()
    again.close()
    assert "where are you" not in gateway.client().seen


def test_playBackUnread(gateway: MemoryGateway) -> None:
    """
    A play-back that was not received is repeated.
    """
    gateway.client().close()
    gateway.ming.tell(gateway.alice, "while you were away")
    gateway.web.settle(3)
    client = Client(gateway)
    client.vanish()
    client.send("PASS alice:oolong", "NICK me", "USER me 0 * :Me")
    assert "while you were away" in client.seen
    client.close()
    assert "while you were away" in gateway.client().seen


def test_ownMessage(gateway: MemoryGateway) -> None:
    """
    A client is not played back what it has said itself just before it left.
    """
    client = gateway.client()
    client.vanish()
    client.send("PRIVMSG 小明 :bye", "QUIT")
    client.close()
    assert ":bye" not in gateway.client().seen


def test_onePing(gateway: MemoryGateway) -> None:
    """
    A client is asked at once, then once a second at most and not before it has
    answered; a connection that is closed is asked no more.
    """
    client = gateway.client()
    asked: list[bytes] = []
    client.transport.pong = asked.append
    for text in ("one", "two", "three"):
        gateway.ming.tell(gateway.alice, text)
    gateway.web.settle(10)
    # The next one waits for the answer.
    assert len(asked) == 1
    client.connection.dataReceived(asked[0])
    for text in ("four", "five"):
        gateway.ming.tell(gateway.alice, text)
        gateway.web.settle(CONFIRM_INTERVAL / 4)
    client.connection.dataReceived(asked[-1])
    gateway.ming.tell(gateway.alice, "six")
    gateway.web.settle(CONFIRM_INTERVAL / 4)
    assert len(asked) == 2
    gateway.web.settle(CONFIRM_INTERVAL)
    assert len(asked) == 3
    client.send(f"PONG {CONFIRM_TOKEN}999", "PONG", "PONG nonsense")
    client.close()
    gateway.web.settle(10)
    assert len(asked) == 3
    again = gateway.client()
    assert "six" in again.seen
    assert "three" not in again.seen


def test_leftAtOnce(gateway: MemoryGateway) -> None:
    """
    A client that leaves as soon as it has read what was played back is not
    played back the same again.
    """
    gateway.client().close()
    gateway.ming.tell(gateway.alice, "while you were away")
    gateway.web.settle(3)
    client = Client(gateway)
    for line in ("PASS alice:oolong", "NICK me", "USER me 0 * :Me"):
        client.connection.dataReceived(f"{line}\r\n".encode())
    gateway.web.settle(0)
    assert "while you were away" in client.seen
    client.close()
    assert "while you were away" not in gateway.client().seen


def test_fullDisk(gateway: MemoryGateway) -> None:
    """
    A confirmation that cannot be stored leaves the client connected, and the
    next one stores it.
    """
    client = gateway.client()
    asked: list[bytes] = []
    client.transport.pong = asked.append
    gateway.ming.tell(gateway.alice, "one")
    gateway.web.settle(3)
    database = gateway.database.connection
    database.execute("PRAGMA query_only = ON")
    client.connection.dataReceived(asked[0])
    database.execute("PRAGMA query_only = OFF")
    assert " PONG " in client.send("PING x")
    gateway.ming.tell(gateway.alice, "two")
    gateway.web.settle(3)
    client.connection.dataReceived(asked[1])
    client.close()
    again = gateway.client()
    assert ":one" not in again.seen
    assert ":two" not in again.seen
