"""
A connection to an IRC server.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.python.failure import Failure

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.relay.connection import GREETING_TIMEOUT, PING_INTERVAL
from txwebqq.irc.relay.room import BridgedRoom


def test_silent() -> None:
    """
    A silent server is sent PING, and the connection aborted when no PONG comes.
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
    Malformed lines do not disturb the connection.
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


def test_stopUnread() -> None:
    """
    A server that does not close the connection does not delay the end.
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


def test_refusedElsewhere() -> None:
    """
    A refused RELAYMSG does not fail a PRIVMSG.
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


def test_hostileNames() -> None:
    """
    A nick or host that would break our lines is not taken over.
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


def test_noMotd() -> None:
    """
    A server that does not end its message of the day delays the relay for some
    seconds only.
    """
    relay = MemoryRelay()
    relay.server.hasEnd = False
    relay.start()
    assert relay.received("JOIN") == []
    relay.settle(GREETING_TIMEOUT)
    assert relay.received("JOIN") == [("JOIN", "#cats")]
    relay.server.last.close()
    relay.settle(10)
    relay.server.last.close()
    relay.stop()
    assert relay.received("JOIN") == []


@pytest.mark.parametrize(
    ("encoding", "raw", "text"),
    [
        ("utf-8", "茶好了".encode()[:-1], "茶好"),
        ("utf-8", "茶好了".encode()[:-2], "茶好"),
        ("utf-8", "茶好了 hello 在吗".encode("gb18030"), "茶好了 hello 在吗"),
        ("utf-8", "茶好了".encode(), "茶好了"),
        ("gb18030", "茶好了".encode("gb18030")[:-1], "茶好"),
        ("gb18030", "联通".encode("gb18030"), "联通"),
        ("gb18030", "茶好了，在吗".encode(), "茶好了，在吗"),
    ],
)
def test_encodings(encoding: str, raw: bytes, text: str) -> None:
    """
    A line is read in the configured encoding of the network, but for clear
    evidence of the other one; a character that a server has cut is dropped. What
    is sent stays in the configured encoding.
    """
    relay = MemoryRelay({"encoding": encoding})
    relay.start()
    line = b":bob!b@h PRIVMSG #cats :" + raw + b"\r\n"
    relay.server.last.protocol.dataReceived(line)
    relay.settle()
    assert relay.qq() == [f"<bob> {text}"]
    assert relay.network._connection is not None
    assert relay.network._connection.encoding == encoding


def test_faulty(
    monkeypatch: pytest.MonkeyPatch, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    A line or a QQ message whose processing raises an unexpected error costs
    neither the connection nor the messages behind it.
    """
    relay = MemoryRelay()
    relay.start()
    isIgnored = BridgedRoom.isIgnored

    def failForOne(room: BridgedRoom, name: str, text: str) -> bool:
        if text.endswith("1"):
            raise ValueError("not this one")
        return isIgnored(room, name, text)

    monkeypatch.setattr(BridgedRoom, "isIgnored", failForOne)
    lines = [f":bob!b@h PRIVMSG #cats :number {n}\r\n" for n in range(3)]
    relay.server.last.protocol.dataReceived("".join(lines).encode())
    for n in range(3):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle()
    assert digits(relay.qq()) == digits(relay.irc()) == [0, 2]
    assert len(relay.server.connections) == 1
    assert len(flushLoggedErrors(ValueError)) == 2


@pytest.mark.parametrize("limit", ["NICKLEN=", "MAXTARGETS=", "TARGMAX=JOIN:"])
def test_longNumber(limit: str) -> None:
    """
    A limit of the server that is too long for a number counts as none.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.server.support = f"{limit}{'9' * 5000}"
    relay.server.taken = {"qqrelay"}
    relay.start()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle(5)
    assert digits(relay.server.connections[0].privmsgs()) == [1]
    assert relay.outbox.queues() == {}
