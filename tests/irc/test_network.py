"""
Being on an IRC network: getting in, staying in, coming back.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.irc.relays import Scene
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.guest import QUIET
from txwebqq.irc.line import Line
from txwebqq.irc.network import REGAIN, endpointOf
from txwebqq.irc.relayconfig import NetworkSettings


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
    assert scene.seat.isUp


@pytest.mark.parametrize("offers", ["sasl=PLAIN", "server-time"])
def test_saslRefused(offers: str) -> None:
    """
    Without the account it stays out, and tries again later and later.
    """
    scene = Scene({"saslUser": "relay", "saslPassword": "oolong"})
    scene.server.offers = offers
    scene.server.refuse["AUTHENTICATE"] = "904"
    scene.start()
    assert not scene.seat.isUp
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
    assert scene.seat.isUp


def test_kicked() -> None:
    """
    Kicked, it comes back.
    """
    scene = Scene()
    scene.start()
    scene.server.last.send(Line("KICK", ("#cats", "qqrelay", "out"), "bob!b@host"))
    assert not scene.seat.isUp
    scene.settle(8)
    assert scene.seat.isUp


def test_silent() -> None:
    """
    A server that is silent is asked, and left when it does not answer.
    """
    scene = Scene()
    scene.start()
    first = scene.server.last
    scene.settle(QUIET * 4)
    assert scene.server.last is first
    scene.server.isMute = True
    scene.settle(QUIET * 8)
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


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("ssl:irc.example.org:6697", "verifies nobody"),
        ("tls:irc.example.org", "tls:HOST:PORT"),
        ("carrier:pigeon", "no client endpoint"),
        ("tcp:host:port", "no client endpoint"),
    ],
)
def test_endpoints(endpoint: str, problem: str) -> None:
    """
    What cannot be dialled, or would not be verified, is refused.
    """
    settings = NetworkSettings("home", endpoint, "qqrelay")
    with pytest.raises(InvalidConfiguration, match=problem):
        endpointOf(settings, Scene().server.reactor)
