"""
Being on an IRC network: getting in, staying in, coming back.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.relay.channel import SETTLED, UNANSWERED
from txwebqq.irc.relay.connection import PING_INTERVAL
from txwebqq.irc.relay.network import REGAIN
from txwebqq.net.endpoints import clientEndpoint


def commands(relay: MemoryRelay, *names: str) -> list[tuple[str, ...]]:
    """
    What was said to the server, of some kinds.
    """
    return [
        (line.command, *line.params)
        for line in relay.server.last.said
        if line.command in names
    ]


def test_sasl() -> None:
    """
    With an account it signs on by SASL before all else.
    """
    secret = "oolong" * 60
    relay = MemoryRelay({"saslUser": "relay", "saslPassword": secret})
    relay.server.offers = "sasl=PLAIN server-time"
    relay.start()
    blob = b64encode(f"relay\0relay\0{secret}".encode()).decode()
    assert commands(relay, "AUTHENTICATE") == [
        ("AUTHENTICATE", "PLAIN"),
        ("AUTHENTICATE", blob[:400]),
        ("AUTHENTICATE", blob[400:]),
    ]
    assert commands(relay, "JOIN") == [("JOIN", "#cats")]
    assert relay.link.isUp


@pytest.mark.parametrize("offers", ["sasl=PLAIN", "server-time"])
def test_saslRefused(offers: str) -> None:
    """
    Without the account it stays out, and tries again later and later.
    """
    relay = MemoryRelay({"saslUser": "relay", "saslPassword": "oolong"})
    relay.server.offers = offers
    relay.server.refuse["AUTHENTICATE"] = "904"
    relay.start()
    assert not relay.link.isUp
    assert commands(relay, "JOIN") == []
    relay.settle(100)
    soon = len(relay.server.connections)
    assert 2 <= soon <= 10
    relay.settle(400)
    assert len(relay.server.connections) < soon + 6


def test_nickserv() -> None:
    """
    With a password it identifies, and gets its nick back from a ghost.
    """
    relay = MemoryRelay({"nickserv": "oolong"})
    relay.server.taken = {"qqrelay"}
    relay.start()
    assert relay.server.last.nick == "qqrelay_"
    words = [line[2] for line in commands(relay, "PRIVMSG") if line[1] == "NickServ"]
    assert words == ["IDENTIFY qqrelay oolong", "GHOST qqrelay oolong"]
    relay.server.taken = set()
    relay.settle(REGAIN + 5)
    assert relay.server.last.nick == "qqrelay"


def test_regain() -> None:
    """
    It takes its nick when the other one leaves.
    """
    relay = MemoryRelay()
    relay.server.taken = {"qqrelay"}
    relay.start()
    relay.server.taken = set()
    relay.server.last.send(Line("QUIT", ("bye",), "QQRelay!x@host"))
    assert relay.server.last.nick == "qqrelay"


def test_banned() -> None:
    """
    A channel that does not let it in is asked again, less and less often.
    """
    relay = MemoryRelay()
    relay.server.refuse["#cats"] = "474"
    relay.start()
    relay.settle(40)
    asked = len(commands(relay, "JOIN"))
    assert 3 <= asked <= 5
    del relay.server.refuse["#cats"]
    relay.settle(100)
    assert relay.link.isUp


def test_kicked() -> None:
    """
    Kicked, it comes back.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    assert not relay.link.isUp
    relay.settle(8)
    assert relay.link.isUp


def test_silent() -> None:
    """
    A server that is silent is asked, and left when it does not answer.
    """
    relay = MemoryRelay()
    relay.start()
    first = relay.server.last
    relay.settle(PING_INTERVAL * 4)
    assert relay.server.last is first
    relay.server.isMute = True
    relay.settle(PING_INTERVAL * 8)
    assert not first.isOpen
    assert relay.server.last is not first


def test_hostile() -> None:
    """
    A server may say what it likes.
    """
    relay = MemoryRelay()
    relay.start()
    protocol = relay.server.last.protocol
    for raw in (
        b"JOIN\r\n",
        b":x PRIVMSG #cats\r\n",
        b"353\r\n",
        b":irc.test 366\r\n",
        b"KICK #cats\r\n",
        b"\0\r\n",
        b"@" + b"a;" * 100_000 + b" PRIVMSG #cats :x\r\n",
        b"x" * 100_000,
        b"\r\n:bob!b@h PRIVMSG #cats :\xff\xfe\r\n",
        b":bob!b@h PRIVMSG #cats :after\r\n",
    ):
        protocol.dataReceived(raw)
    relay.settle()
    assert relay.qq()[-1] == "<bob> after"


def test_tagsFromElsewhere() -> None:
    """
    Words with the origin of another group are for us.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.bob("<x> far away", **{"+txwebqq/origin": "qq/group/999"})
    relay.settle(10)
    assert relay.qq() == ["<bob> <x> far away"]


def test_stop() -> None:
    """
    It says goodbye, and is done when the connection is.
    """
    relay = MemoryRelay()
    relay.start()
    relay.room.stop()
    stopped = relay.network.stopService()
    assert not stopped.called
    assert commands(relay, "QUIT") == [("QUIT", "The relay is stopping")]
    relay.settle()
    relay.web.result(stopped)
    assert len(relay.server.connections) == 1


def test_stopUnread() -> None:
    """
    A server that closes nothing does not keep it.
    """
    relay = MemoryRelay()
    relay.start()
    connection = relay.server.last
    connection._transport.loseConnection = lambda: None  # type: ignore[method-assign]
    stopped = relay.network.stopService()
    relay.server.bob("still here")
    relay.settle(1)
    assert not stopped.called
    relay.server.bob("still here")
    relay.settle(CLOSE_TIMEOUT)
    relay.web.result(stopped)
    assert not connection.isOpen


def test_stopComing() -> None:
    """
    A puppet that is not welcomed yet does not keep it, either.
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


def test_backSoon() -> None:
    """
    After a long time on a network it comes back as fast as the first time,
    however often it was cut off before.
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


def test_joinUnanswered() -> None:
    """
    A server that has not heard that we want to join is asked again.
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
    Sent to another channel than it asked for, it leaves that, and asks again.
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
    assert commands(relay, "PART") == [("PART", "##overflow")]
    assert not relay.link.isUp
    relay.server.answer = answer  # type: ignore[method-assign]
    relay.settle(30)
    assert relay.link.isUp


def test_refusedElsewhere() -> None:
    """
    That RELAYMSG is refused has nothing to do with what is said without it.
    """
    relay = MemoryRelay()
    relay.start()
    connection = relay.network._connection
    assert connection is not None
    relay.server.isMute = True
    said = connection.sendConfirmed("#dogs", Line("PRIVMSG", ("#dogs", "x")))
    relay.server.last.send(Line("FAIL", ("RELAYMSG", "INVALID_NICK", "No")))
    assert not said.called
    relay.server.last.close()
    relay.settle()
    said.addErrback(lambda failure: None)


@pytest.mark.parametrize("kind", ["chathistory", "znc.in/playback"])
def test_playback(kind: str) -> None:
    """
    What a bouncer plays back was heard before.
    """
    relay = MemoryRelay()
    relay.server.offers = "batch message-tags"
    relay.start()
    assert ("CAP", "REQ", "batch message-tags") in commands(relay, "CAP")
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
    When services call it otherwise it does not fight, and asks later.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(Line("NICK", ("Guest1",), "qqrelay!q@host"))
    relay.server.last.nick = "Guest1"
    relay.settle()
    assert commands(relay, "NICK") == [("NICK", "qqrelay")]
    relay.settle(REGAIN)
    assert relay.server.last.nick == "qqrelay"


def test_cutNick() -> None:
    """
    A nick that the server has cut is ours all the same.
    """
    relay = MemoryRelay({"nick": "abcdefghijkl"})
    relay.start()
    relay.server.last.send(Line("005", ("x", "NICKLEN=9", "are supported")))
    relay.server.last.send(Line("NICK", ("abcdefghi",), "abcdefghijkl!q@host"))
    relay.server.last.nick = "abcdefghi"
    asked = len(commands(relay, "NICK"))
    relay.settle(REGAIN * 3)
    assert len(commands(relay, "NICK")) == asked


def test_hostileNames() -> None:
    """
    A nick or an address that would break our lines is not believed.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.last.send(
        Line("396", ("qqrelay", "a b")),
        Line("396", ("qqrelay", "a b@c d")),
        Line("NICK", ("a b",), "qqrelay!q@host"),
    )
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert relay.irc() == ["<小\u200b明> 第 1"]


def test_reception() -> None:
    """
    Who asks the relay itself is answered in notices, so often a minute, and
    nothing of that is relayed.
    """
    relay = MemoryRelay()
    relay.start()

    def ask(text: str, who: str = "bob") -> list[str]:
        before = len(commands(relay, "NOTICE"))
        said = Line("PRIVMSG", ("qqrelay", text), f"{who}!x@host")
        relay.server.last.send(said)
        return [line[2] for line in commands(relay, "NOTICE")[before:]]

    assert ask("\x01VERSION\x01") == ["\x01VERSION txwebqq, a relay to QQ\x01"]
    assert ask("\x01PING 12 34\x01") == ["\x01PING 12 34\x01"]
    assert [line.split(",")[0] for line in ask("!status")] == [
        "猫咪: online",
        "#cats: online",
    ]
    [words] = ask("hello")
    assert "between #cats and QQ" in words
    [words] = ask("!status", "eve")
    assert "猫咪" not in words
    assert ask("hello") == []
    relay.settle(60)
    assert ask("\x01DCC SEND x\x01") == []
    assert len(ask("hello")) == 1
    assert relay.qq() == []


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("ssl:irc.example.org:6697", "does not verify the server"),
        ("tls:irc.example.org", "tls:HOST:PORT"),
        ("carrier:pigeon", "not a client endpoint"),
        ("tcp:host:port", "not a client endpoint"),
    ],
)
def test_endpoints(endpoint: str, problem: str) -> None:
    """
    What cannot be dialled, or would not be verified, is refused.
    """
    settings = NetworkSettings("home", endpoint, "qqrelay")
    with pytest.raises(InvalidConfiguration, match=problem):
        clientEndpoint(settings.endpoint, settings.caFile, MemoryRelay().server.reactor)
