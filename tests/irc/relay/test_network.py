"""
Being on an IRC network: getting in, staying in, coming back.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.irc.relays import Scene
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.relay.channel import SETTLED, UNANSWERED
from txwebqq.irc.relay.connection import PING_INTERVAL
from txwebqq.irc.relay.network import REGAIN
from txwebqq.net.endpoints import clientEndpoint


def commands(scene: Scene, *names: str) -> list[tuple[str, ...]]:
    """
    What was said to the server, of some kinds.
    """
    return [
        (line.command, *line.params)
        for line in scene.server.last.said
        if line.command in names
    ]


def test_sasl() -> None:
    """
    With an account it signs on by SASL before all else.
    """
    secret = "oolong" * 60
    scene = Scene({"saslUser": "relay", "saslPassword": secret})
    scene.server.offers = "sasl=PLAIN server-time"
    scene.start()
    blob = b64encode(f"relay\0relay\0{secret}".encode()).decode()
    assert commands(scene, "AUTHENTICATE") == [
        ("AUTHENTICATE", "PLAIN"),
        ("AUTHENTICATE", blob[:400]),
        ("AUTHENTICATE", blob[400:]),
    ]
    assert commands(scene, "JOIN") == [("JOIN", "#cats")]
    assert scene.link.isUp


@pytest.mark.parametrize("offers", ["sasl=PLAIN", "server-time"])
def test_saslRefused(offers: str) -> None:
    """
    Without the account it stays out, and tries again later and later.
    """
    scene = Scene({"saslUser": "relay", "saslPassword": "oolong"})
    scene.server.offers = offers
    scene.server.refuse["AUTHENTICATE"] = "904"
    scene.start()
    assert not scene.link.isUp
    assert commands(scene, "JOIN") == []
    scene.settle(100)
    soon = len(scene.server.connections)
    assert 2 <= soon <= 10
    scene.settle(400)
    assert len(scene.server.connections) < soon + 6


def test_nickserv() -> None:
    """
    With a password it identifies, and gets its nick back from a ghost.
    """
    scene = Scene({"nickserv": "oolong"})
    scene.server.taken = {"qqrelay"}
    scene.start()
    assert scene.server.last.nick == "qqrelay_"
    words = [line[2] for line in commands(scene, "PRIVMSG") if line[1] == "NickServ"]
    assert words == ["IDENTIFY qqrelay oolong", "GHOST qqrelay oolong"]
    scene.server.taken = set()
    scene.settle(REGAIN + 5)
    assert scene.server.last.nick == "qqrelay"


def test_regain() -> None:
    """
    It takes its nick when the other one leaves.
    """
    scene = Scene()
    scene.server.taken = {"qqrelay"}
    scene.start()
    scene.server.taken = set()
    scene.server.last.send(Line("QUIT", ("bye",), "QQRelay!x@host"))
    assert scene.server.last.nick == "qqrelay"


def test_banned() -> None:
    """
    A channel that does not let it in is asked again, less and less often.
    """
    scene = Scene()
    scene.server.refuse["#cats"] = "474"
    scene.start()
    scene.settle(40)
    asked = len(commands(scene, "JOIN"))
    assert 3 <= asked <= 5
    del scene.server.refuse["#cats"]
    scene.settle(100)
    assert scene.link.isUp


def test_kicked() -> None:
    """
    Kicked, it comes back.
    """
    scene = Scene()
    scene.start()
    scene.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    assert not scene.link.isUp
    scene.settle(8)
    assert scene.link.isUp


def test_silent() -> None:
    """
    A server that is silent is asked, and left when it does not answer.
    """
    scene = Scene()
    scene.start()
    first = scene.server.last
    scene.settle(PING_INTERVAL * 4)
    assert scene.server.last is first
    scene.server.isMute = True
    scene.settle(PING_INTERVAL * 8)
    assert not first.isOpen
    assert scene.server.last is not first


def test_hostile() -> None:
    """
    A server may say what it likes.
    """
    scene = Scene()
    scene.start()
    protocol = scene.server.last.protocol
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
    scene.settle()
    assert scene.qq()[-1] == "<bob> after"


def test_tagsFromElsewhere() -> None:
    """
    Words with the origin of another group are for us.
    """
    scene = Scene()
    scene.start()
    scene.server.bob("<x> far away", **{"+txwebqq/origin": "qq/group/999"})
    scene.settle(10)
    assert scene.qq() == ["<bob> <x> far away"]


def test_stop() -> None:
    """
    It says goodbye, and is done when the connection is.
    """
    scene = Scene()
    scene.start()
    scene.room.stop()
    stopped = scene.network.stopService()
    assert not stopped.called
    assert commands(scene, "QUIT") == [("QUIT", "The relay is stopping")]
    scene.settle()
    scene.web.result(stopped)
    assert len(scene.server.connections) == 1


def test_stopUnread() -> None:
    """
    A server that closes nothing does not keep it.
    """
    scene = Scene()
    scene.start()
    connection = scene.server.last
    connection._transport.loseConnection = lambda: None  # type: ignore[method-assign]
    stopped = scene.network.stopService()
    scene.server.bob("still here")
    scene.settle(1)
    assert not stopped.called
    scene.server.bob("still here")
    scene.settle(CLOSE_TIMEOUT)
    scene.web.result(stopped)
    assert not connection.isOpen


def test_stopComing() -> None:
    """
    A puppet that is not welcomed yet does not keep it, either.
    """
    scene = Scene({"puppets": 1})
    scene.start()
    scene.server._welcome = lambda connection: None  # type: ignore[method-assign]
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    assert len(scene.server.connections) == 2
    stopped = scene.network.stopService()
    scene.settle()
    assert stopped.called


def test_backSoon() -> None:
    """
    After a long time on a network it comes back as fast as the first time,
    however often it was cut off before.
    """
    scene = Scene()
    scene.start()
    for _ in range(8):
        scene.server.last.close()
        scene.settle(400)
    scene.settle(SETTLED)
    before = len(scene.server.connections)
    scene.server.last.close()
    scene.settle(20)
    assert len(scene.server.connections) == before + 1


def test_joinUnanswered() -> None:
    """
    A server that has not heard that we want to join is asked again.
    """
    scene = Scene()
    answer = scene.server.answer

    def ignore(connection: object, line: Line) -> None:
        if line.command != "JOIN":
            answer(connection, line)  # type: ignore[arg-type]

    scene.server.answer = ignore  # type: ignore[method-assign]
    scene.start()
    assert not scene.link.isUp
    scene.server.answer = answer  # type: ignore[method-assign]
    scene.settle(UNANSWERED)
    assert scene.link.isUp


def test_forwarded() -> None:
    """
    Sent to another channel than it asked for, it leaves that, and asks again.
    """
    scene = Scene()
    answer = scene.server.answer

    def forward(connection: object, line: Line) -> None:
        if line.command == "JOIN":
            scene.server.last.send(
                Line("470", ("qqrelay", "#cats", "##overflow", "Forwarding")),
                Line("JOIN", ("##overflow",), "qqrelay!q@h"),
            )
        else:
            answer(connection, line)  # type: ignore[arg-type]

    scene.start()
    scene.server.answer = forward  # type: ignore[method-assign]
    scene.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    scene.settle(7)
    assert commands(scene, "PART") == [("PART", "##overflow")]
    assert not scene.link.isUp
    scene.server.answer = answer  # type: ignore[method-assign]
    scene.settle(30)
    assert scene.link.isUp


def test_refusedElsewhere() -> None:
    """
    That RELAYMSG is refused has nothing to do with what is said without it.
    """
    scene = Scene()
    scene.start()
    connection = scene.network._connection
    assert connection is not None
    scene.server.isMute = True
    said = connection.sendConfirmed("#dogs", Line("PRIVMSG", ("#dogs", "x")))
    scene.server.last.send(Line("FAIL", ("RELAYMSG", "INVALID_NICK", "No")))
    assert not said.called
    scene.server.last.close()
    scene.settle()
    said.addErrback(lambda failure: None)


@pytest.mark.parametrize("kind", ["chathistory", "znc.in/playback"])
def test_playback(kind: str) -> None:
    """
    What a bouncer plays back was heard before.
    """
    scene = Scene()
    scene.server.offers = "batch message-tags"
    scene.start()
    assert ("CAP", "REQ", "batch message-tags") in commands(scene, "CAP")
    scene.server.last.send(Line("BATCH", ("+1", kind, "#cats")))
    scene.server.last.send(Line("BATCH", ("+2", "other"), tags={"batch": "1"}))
    scene.server.bob("long ago", batch="1")
    scene.server.bob("longer ago", batch="2")
    scene.server.bob("now", batch="3")
    scene.server.last.send(Line("BATCH", ("-1",)))
    scene.settle()
    assert scene.qq() == ["<bob> now"]


def test_renamed() -> None:
    """
    When services call it otherwise it does not fight, and asks later.
    """
    scene = Scene()
    scene.start()
    scene.server.last.send(Line("NICK", ("Guest1",), "qqrelay!q@host"))
    scene.server.last.nick = "Guest1"
    scene.settle()
    assert commands(scene, "NICK") == [("NICK", "qqrelay")]
    scene.settle(REGAIN)
    assert scene.server.last.nick == "qqrelay"


def test_cutNick() -> None:
    """
    A nick that the server has cut is ours all the same.
    """
    scene = Scene({"nick": "abcdefghijkl"})
    scene.start()
    scene.server.last.send(Line("005", ("x", "NICKLEN=9", "are supported")))
    scene.server.last.send(Line("NICK", ("abcdefghi",), "abcdefghijkl!q@host"))
    scene.server.last.nick = "abcdefghi"
    asked = len(commands(scene, "NICK"))
    scene.settle(REGAIN * 3)
    assert len(commands(scene, "NICK")) == asked


def test_hostileNames() -> None:
    """
    A nick or an address that would break our lines is not believed.
    """
    scene = Scene()
    scene.start()
    scene.server.last.send(
        Line("396", ("qqrelay", "a b")),
        Line("396", ("qqrelay", "a b@c d")),
        Line("NICK", ("a b",), "qqrelay!q@host"),
    )
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    assert scene.irc() == ["<小\u200b明> 第 1"]


def test_reception() -> None:
    """
    Who asks the relay itself is answered in notices, so often a minute, and
    nothing of that is relayed.
    """
    scene = Scene()
    scene.start()

    def ask(text: str, who: str = "bob") -> list[str]:
        before = len(commands(scene, "NOTICE"))
        said = Line("PRIVMSG", ("qqrelay", text), f"{who}!x@host")
        scene.server.last.send(said)
        return [line[2] for line in commands(scene, "NOTICE")[before:]]

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
    scene.settle(60)
    assert ask("\x01DCC SEND x\x01") == []
    assert len(ask("hello")) == 1
    assert scene.qq() == []


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
        clientEndpoint(settings.endpoint, settings.caFile, Scene().server.reactor)
