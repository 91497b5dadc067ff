"""
Lines of IRC clients to the gateway, and of IRC networks to the relay.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from random import Random

from tests.fuzz.hostile import damage, one, text
from tests.irc.gateway.test_hostile import ALL
from tests.irc.memorygateway import Client, MemoryGateway
from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.gateway.dispatcher import COMMANDS

WORDS = (
    "#猫咪",
    "#cats",
    "小明",
    "*qq",
    "me",
    "qqrelay",
    "bob",
    "bob!b@host",
    "@bob,+me",
    "+",
    "-",
    "+o",
    "-m",
    "+ovbk",
    "+qqqqqqqqqq",
    "*!*@*",
    "*",
    "0",
    "302",
    "LS",
    "REQ",
    "ACK",
    "NAK",
    "NEW",
    "DEL",
    "LIST",
    "END",
    "PLAIN",
    "sasl",
    "sasl=PLAIN -batch",
    "draft/multiline server-time",
    "LATEST",
    "BEFORE",
    "AFTER",
    "AROUND",
    "BETWEEN",
    "TARGETS",
    "5",
    "-5",
    "99999999999999999999",
    "timestamp=2013-04-15T05:33:23.000Z",
    "timestamp=9999-99-99T99:99:99.999Z",
    "timestamp=0000-00-00",
    "msgid=1-1",
    "msgid=",
    "+1",
    "-1",
    "draft/multiline",
    "chathistory",
    "netsplit",
    "labeled-response",
    "help",
    "set strangers off",
    "list",
    "mute 小明 -1",
    "mute 小明 99999999999999999999",
    "history 小明 99999999999",
    "rename 小明 #",
    "captcha",
    "小明: hi",
    "\x01ACTION\x01",
    "\x01ACTION waves",
    "\x01SHAKE\x01",
    "\x01VERSION\x01",
    "\x0399,99\x02x\x0f",
    ":",
    "",
    "#a,#b,,",
    "#" + "x" * 300,
    "CHANMODES=,,,, PREFIX=(ov PREFIX=( CASEMAPPING=x",
    "PREFIX=(qaohv)~&@%+",
    "NICKLEN=-1",
    "NETWORK=\\x00\\xff",
    "CHANTYPES=",
    "MONITOR=x",
    b64encode(b"\0alice\0oolong").decode(),
    "!users",
    "!who",
)

TAGS = (
    "label=7",
    "batch=1",
    "batch=",
    "msgid=m1",
    "+typing=active",
    "+draft/reply=m1",
    "+reply=1-1",
    "+draft/react=\\:\\s\\\\\\",
    "+draft/unreact",
    "time=2013-04-15T05:33:23.000Z",
    "time=2013-99-15T05:33:23.000Z",
    "time=",
    "account=*",
    "account",
    "draft/multiline-concat",
    "a" * 600,
    "=;=",
    "+",
    "\\",
)

NETWORK = (
    "PRIVMSG",
    "NOTICE",
    "TAGMSG",
    "JOIN",
    "PART",
    "QUIT",
    "KICK",
    "NICK",
    "MODE",
    "TOPIC",
    "CAP",
    "AUTHENTICATE",
    "BATCH",
    "FAIL",
    "WARN",
    "NOTE",
    "ERROR",
    "INVITE",
    "PING",
    "PONG",
    "ACCOUNT",
    "AWAY",
    "CHGHOST",
    "SETNAME",
    "REDACT",
    "RELAYMSG",
    "001",
    "005",
    "324",
    "332",
    "353",
    "366",
    "376",
    "401",
    "404",
    "422",
    "432",
    "433",
    "437",
    "471",
    "473",
    "474",
    "475",
    "477",
    "900",
    "903",
    "904",
    "908",
    "730",
    "731",
    "000",
    "X",
)

CLIENT = (*COMMANDS, "X", "X_Y", "123", "PRIVMSG", "CHATHISTORY", "BATCH", "CAP")


def _line(random: Random, commands: tuple[str, ...], source: str) -> bytes:
    words = [one(random, WORDS) for _ in range(random.randrange(5))]
    if random.random() < 0.2:
        words.append(text(random))
    if random.random() < 0.7:
        words.append(":" + one(random, (one(random, WORDS), text(random), "hi " * 200)))
    tags = [one(random, TAGS) for _ in range(random.randrange(1, 4))]
    start = f"@{';'.join(tags)} " if random.random() < 0.3 else ""
    line = f"{start}{source}{one(random, commands)} {' '.join(words)}"
    encoding = "utf-8" if random.random() < 0.95 else "gb18030"
    raw = line.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
    raw = raw.replace(b"\r", b"").replace(b"\n", b"")
    if random.random() < 0.1:
        raw = damage(random, raw)
    return raw + one(random, (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\n\r\n", b""))


def makeClient(random: Random) -> tuple[bytes, ...]:
    """
    Make lines of a client.
    """
    return tuple(_line(random, CLIENT, "") for _ in range(random.randrange(1, 4)))


def makeNetwork(random: Random) -> tuple[bytes, ...]:
    """
    Make lines of a network.
    """
    sources = ("", ":irc.test ", ":bob!b@host ", ":bob ", ":qqrelay!~relay@h ", ": ")
    return tuple(
        _line(random, NETWORK, one(random, sources))
        for _ in range(random.randrange(1, 4))
    )


class GatewayTarget:
    """
    A gateway with a client that is registered, and one that is not.
    """

    def __init__(self) -> None:
        self._gateway = MemoryGateway()
        self._gateway.signOn(self._gateway.ming)
        self._gateway.signOn(self._gateway.alice)
        self._clients: list[Client] = []

    def _connect(self) -> None:
        registered = self._gateway.client(*ALL)
        self._clients = [registered, Client(self._gateway, "192.0.2.1")]

    def feed(self, item: tuple[bytes, ...]) -> None:
        if not self._clients:
            self._connect()
        for client in self._clients:
            for raw in item:
                if not client.transport.disconnecting:
                    client.connection.dataReceived(raw)
            client.transport.clear()
        self._gateway.web.settle(0.2)
        if any(each.transport.disconnecting for each in self._clients):
            self._disconnect()

    def _disconnect(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()

    def check(self) -> None:
        self._disconnect()
        self._gateway.web.settle(100)
        client = self._gateway.client(*ALL)
        assert "PONG qq.test :still" in client.send("PING still")
        client.close()

    def close(self) -> None:
        self._disconnect()
        self._gateway.web.settle(1)
        for person in (self._gateway.alice, self._gateway.ming):
            person.stop()
        self._gateway.web.stop()
        self._gateway.database.close()


class RelayTarget:
    """
    A relay that is connected to a network.
    """

    def __init__(self) -> None:
        self._relay = MemoryRelay()
        self._relay.server.offers = "batch message-tags server-time echo-message"
        self._relay.start()

    def feed(self, item: tuple[bytes, ...]) -> None:
        relay = self._relay
        for raw in item:
            if relay.server.connections and relay.server.last.isOpen:
                relay.server.last.protocol.dataReceived(raw)
        relay.settle(0.2)

    def check(self) -> None:
        relay = self._relay
        relay.web.settle(600)
        relay.server.last.close()
        for _ in range(40):
            relay.settle(30)
            if relay.server.last.isOpen and relay.link.isUp:
                break
        relay.server.bob("still here")
        relay.settle(30)
        assert any("still here" in each.text for each in relay.messages()), "not heard"
        relay.ming.events.clear()

    def close(self) -> None:
        with suppress(AttributeError):
            self._relay.stop()
        for person in (self._relay.alice, self._relay.ming):
            person.stop()
        self._relay.web.stop()
        self._relay.database.close()
