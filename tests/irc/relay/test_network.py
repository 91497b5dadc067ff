"""
The connection to an IRC network: registration, nick, reconnection.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.channel import SETTLED
from txwebqq.irc.relay.client.nickrecovery import REGAIN
from txwebqq.irc.relay.network import SLOW


def test_sasl() -> None:
    """
    With an account the relay authenticates by SASL before it joins.
    """
    secret = "oolong" * 60
    relay = MemoryRelay({"saslUser": "relay", "saslPassword": secret})
    relay.server.offers = "sasl=PLAIN server-time"
    relay.start()
    blob = b64encode(f"relay\0relay\0{secret}".encode()).decode()
    assert relay.received("AUTHENTICATE") == [
        ("AUTHENTICATE", "PLAIN"),
        ("AUTHENTICATE", blob[:400]),
        ("AUTHENTICATE", blob[400:]),
    ]
    assert relay.received("JOIN") == [("JOIN", "#cats")]
    assert relay.link.isUp


@pytest.mark.parametrize("offers", ["sasl=PLAIN", "server-time"])
def test_saslRefused(offers: str) -> None:
    """
    Without SASL the relay does not join, and reconnects at growing intervals.
    """
    relay = MemoryRelay({"saslUser": "relay", "saslPassword": "oolong"})
    relay.server.offers = offers
    relay.server.refuse["AUTHENTICATE"] = "904"
    relay.start()
    assert not relay.link.isUp
    assert relay.received("JOIN") == []
    relay.settle(100)
    soon = len(relay.server.connections)
    assert 2 <= soon <= 10
    relay.settle(400)
    assert len(relay.server.connections) < soon + 6


def test_nickserv() -> None:
    """
    With a NickServ password the relay identifies, and takes its nick back from
    a ghost.
    """
    relay = MemoryRelay({"nickserv": "oolong"})
    relay.server.taken = {"qqrelay"}
    relay.start()
    assert relay.server.last.nick == "qqrelay_"
    texts = [line[2] for line in relay.received("PRIVMSG") if line[1] == "NickServ"]
    assert texts == ["IDENTIFY qqrelay oolong", "GHOST qqrelay oolong"]
    relay.server.taken = set()
    relay.settle(REGAIN + 5)
    assert relay.server.last.nick == "qqrelay"


def test_regain() -> None:
    """
    The relay takes its nick when the user who has it quits.
    """
    relay = MemoryRelay()
    relay.server.taken = {"qqrelay"}
    relay.start()
    relay.server.taken = set()
    relay.server.last.send(Line("QUIT", ("bye",), "QQRelay!x@host"))
    assert relay.server.last.nick == "qqrelay"


def test_stop() -> None:
    """
    Stopping sends QUIT, and has ended when the connection is closed.
    """
    relay = MemoryRelay()
    relay.start()
    relay.room.stop()
    stopped = relay.network.stopService()
    assert not stopped.called
    assert relay.received("QUIT") == [("QUIT", "The relay is stopping")]
    relay.settle()
    relay.web.result(stopped)
    assert len(relay.server.connections) == 1


def test_backSoon() -> None:
    """
    After a long connection the next reconnection is fast, however often the
    connection was lost before.
    """
    relay = MemoryRelay()
    relay.start()
    for _ in range(8):
        relay.server.last.close()
        relay.settle(400)
    relay.settle(SETTLED)
    before = len(relay.server.connections)
    relay.server.last.close()
    relay.settle(20)
    assert len(relay.server.connections) == before + 1


@pytest.mark.parametrize("kind", ["chathistory", "znc.in/playback"])
def test_playback(kind: str) -> None:
    """
    Messages that a bouncer plays back are not relayed.
    """
    relay = MemoryRelay()
    relay.server.offers = "batch message-tags"
    relay.start()
    assert ("CAP", "REQ", "batch message-tags") in relay.received("CAP")
    relay.server.last.send(Line("BATCH", ("+1", kind, "#cats")))
    relay.server.last.send(Line("BATCH", ("+2", "other"), tags={"batch": "1"}))
    relay.server.bob("long ago", batch="1")
    relay.server.bob("longer ago", batch="2")
    relay.server.bob("now", batch="3")
    relay.server.last.send(Line("BATCH", ("-1",)))
    relay.settle()
    assert relay.qq() == ["<bob> now"]


def test_renamed() -> None:
    """
    The relay does not at once take back a nick that services have changed.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(Line("NICK", ("Guest1",), "qqrelay!q@host"))
    relay.server.last.nick = "Guest1"
    relay.settle()
    assert relay.received("NICK") == [("NICK", "qqrelay")]
    relay.settle(REGAIN)
    assert relay.server.last.nick == "qqrelay"


def test_cutNick() -> None:
    """
    A nick that the server has truncated counts as the configured one.
    """
    relay = MemoryRelay({"nick": "abcdefghijkl"})
    relay.start()
    relay.server.last.send(Line("005", ("x", "NICKLEN=9", "are supported")))
    relay.server.last.send(Line("NICK", ("abcdefghi",), "abcdefghijkl!q@host"))
    relay.server.last.nick = "abcdefghi"
    asked = len(relay.received("NICK"))
    relay.settle(REGAIN * 3)
    assert len(relay.received("NICK")) == asked


def test_changingHost() -> None:
    """
    A user whose host changes has neither quit nor joined.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.bob("hello")
    relay.server.last.send(
        Line("QUIT", ("Changing host",), "bob!b@host"),
        Line("JOIN", ("#cats",), "bob!b@other"),
        Line("MODE", ("#cats", "+o", "bob"), "services"),
    )
    relay.settle(10)
    assert relay.qq() == ["<bob> hello"]
    relay.server.last.send(Line("QUIT", ("bye",), "bob!b@other"))
    relay.settle(1)
    relay.server.last.send(Line("JOIN", ("#cats",), "bob!b@other"))
    relay.settle()
    assert relay.qq()[1:] == ["bob has quit", "bob has joined"]


def test_ownHost() -> None:
    """
    Lines stay within 512 bytes when the relay gets a longer host.
    """
    relay = MemoryRelay()
    relay.server.offers = "chghost"
    relay.start()
    assert ("CAP", "REQ", "chghost") in relay.received("CAP")
    host = "a-very-long-host." * 3 + "example.org"
    changed = Line("CHGHOST", ("relayuser", host), "qqrelay!~relay@relay.example.org")
    relay.server.last.send(changed)
    relay.ming.tellGroup("猫咪", "茶" * 600)
    relay.settle(10)
    prefix = f":qqrelay!relayuser@{host} PRIVMSG #cats :"
    lengths = [len(f"{prefix}{line}\r\n".encode()) for line in relay.irc()]
    assert 505 < max(lengths) <= 512


@pytest.mark.parametrize("mapping", ["rfc1459", "ascii", "rfc8265", "rfc7613"])
def test_casemapping(mapping: str) -> None:
    """
    A channel whose name the server writes in upper case is the channel that
    was joined.
    """
    relay = MemoryRelay(channel="#bücher")
    relay.server.answersUpper = True
    relay.server.support = f"CASEMAPPING={mapping}"
    relay.start()
    assert relay.link.isUp
    relay.server.bob("hallo", "#BÜCHER")
    relay.settle()
    assert relay.qq() == ["<bob> hallo"]


@pytest.mark.parametrize(("mapping", "heard"), [("ascii", 1), ("rfc1459", 0)])
def test_similarNick(mapping: str, heard: int) -> None:
    """
    Whether a nick is that of the relay itself is decided by the casemapping of
    the server.
    """
    relay = MemoryRelay({"nick": "qqrelay["})
    relay.server.support = f"CASEMAPPING={mapping}"
    relay.start()
    line = Line("PRIVMSG", ("#cats", "hello"), "QQRelay{!x@host")
    relay.server.last.send(line)
    relay.settle()
    assert relay.qq() == ["<QQRelay{> hello"] * heard


def test_prefixes() -> None:
    """
    The symbols before the nicks of members are those that the server names.
    """
    relay = MemoryRelay()
    relay.server.support = "PREFIX=(qov)^@+"
    relay.server.members = "^@bob +eve ~tilde"
    relay.start()
    assert list(relay.link.members.names.values()) == ["bob", "eve", "~tilde"]


def test_invited() -> None:
    """
    The relay joins at once when it is invited to one of its channels, and no
    other channel.
    """
    relay = MemoryRelay()
    relay.server.refuse["#cats"] = "473"
    relay.start()
    relay.settle(100)
    del relay.server.refuse["#cats"]
    before = len(relay.received("JOIN"))
    relay.server.last.send(Line("INVITE", ("qqrelay", "#dogs"), "bob!b@host"))
    relay.server.last.send(Line("INVITE", ("qqrelay", "#CATS"), "bob!b@host"))
    relay.settle()
    assert relay.received("JOIN")[before:] == [("JOIN", "#cats")]
    assert relay.link.isUp


def test_flood() -> None:
    """
    After the server has disconnected the relay for its pace, lines are sent at a
    slower pace for a time.
    """
    relay = MemoryRelay({"burst": 4, "seconds": 1.0})
    relay.start()
    for _ in range(2):
        relay.settle(20)
        relay.server.last.send(Line("ERROR", ("Closing link: (Excess Flood)",)))
        relay.server.last.close()
    relay.settle(30)
    for n in range(5):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle(9)
    assert digits(relay.irc()) == [0, 1, 2]
    relay.settle(SLOW)
    for n in range(5):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle(0)
    assert digits(relay.irc())[5:] == [0, 1, 2, 3]
