"""
IRC servers that people use, and somebody who is on them.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from tests.daemons import INTERVAL, PATIENCE, Daemon, ProcessFolder, freePort
from tests.irc.clients import Terminal
from tests.irc.programs import program
from txwebqq.irc.protocol.line import Line, LineBuffer, Overlong, parse, serialise

NGIRCD = """
[Global]
Name = irc.test
Info = Test
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 30
[Options]
DNS = no
Ident = no
PAM = no
"""

INSPIRCD = """
<server name="irc.test" description="Test" network="Test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" commandrate="100000" fakelag="no"
         localmax="100" globalmax="100" resolvehostnames="no" recvq="64K">
<module name="cap"><module name="ircv3"><module name="ircv3_ctctags">
<module name="ircv3_msgid"><module name="ircv3_servertime">
<module name="ircv3_echomessage">
<pid file="{folder}/inspircd.pid">
<log method="file" type="*" level="default" target="{folder}/inspircd.log">
<performance clonesonconnect="no">
"""


class Ircd:
    """
    A server that can be killed and started again.
    """

    def __init__(self, processes: ProcessFolder, name: str) -> None:
        self._house = processes
        self.port = freePort()
        file = processes.folder / f"{name}.conf"
        template = {"ngircd": NGIRCD, "inspircd": INSPIRCD}[name]
        text = template.format(port=self.port, folder=processes.folder)
        file.write_text(text, encoding="utf-8")
        self._argv = {
            "ngircd": ("-n", "-f", str(file)),
            "inspircd": ("--runasroot", "--nofork", "--config", str(file)),
        }[name]
        self._program = program(name)
        self._daemon: Daemon | None = None

    async def start(self) -> None:
        """
        Start it, and wait until it listens.
        """
        self._daemon = self._house.run(self._program, *self._argv)
        await self._house.answers(self.port, self._daemon)

    async def kill(self) -> None:
        """
        End it, without a word to anybody.
        """
        assert self._daemon is not None
        self._daemon.signal("KILL")
        await self._daemon.exits()


class _Wire(Protocol):
    def __init__(self, person: Person) -> None:
        self._person = person
        self._lineBuffer = LineBuffer(100_000)

    def dataReceived(self, data: bytes) -> None:
        for raw in self._lineBuffer.feed(data):
            assert not isinstance(raw, Overlong)
            self._person.heard(raw)


class Person(Terminal):
    """
    Somebody on IRC; what they see is what others say, a line each.

    @ivar longest: the bytes of the longest line that came, without its tags.
    """

    def __init__(self, port: int, nick: str, *capabilities: str) -> None:
        self.nick = nick
        self.lines: list[Line] = []
        self.said: list[str] = []
        self.longest = 0
        self._port = port
        self._capabilities = capabilities
        self._wire: _Wire | None = None

    async def join(self, channel: str) -> None:
        """
        Come, and be in a channel.
        """
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self._port)
        factory = Factory.forProtocol(lambda: _Wire(self))
        wire = await endpoint.connect(factory)
        assert isinstance(wire, _Wire)
        self._wire = wire
        self.lines = []
        if self._capabilities:
            self.send("CAP", "REQ", " ".join(self._capabilities))
            self.send("CAP", "END")
        self.send("NICK", self.nick)
        self.send("USER", self.nick, "0", "*", self.nick)
        await self.gets("001")
        self.send("JOIN", channel)
        await self.gets("366")

    def send(self, command: str, *params: str) -> None:
        """
        Say something to the server.
        """
        assert self._wire is not None
        assert self._wire.transport is not None
        self._wire.transport.write(serialise(Line(command, params)))

    def say(self, channel: str, text: str) -> None:
        """
        Say something to all.
        """
        self.send("PRIVMSG", channel, text)

    def heard(self, raw: bytes) -> None:
        """
        Something came.
        """
        line = parse(raw)
        if line.command == "PING":
            self.send("PONG", *line.params)
            return
        self.lines.append(line)
        if line.command == "PRIVMSG":
            self.longest = max(self.longest, len(raw) - len(_tagsOf(raw)) + 2)
            self.said.append(f"{line.nick}: {line.params[1]}")

    async def gets(self, command: str) -> None:
        """
        Wait for a line of this kind.
        """
        deadline = reactor.seconds() + PATIENCE
        while command not in [line.command for line in self.lines]:
            assert reactor.seconds() < deadline, self.lines
            await deferLater(reactor, INTERVAL)

    async def meets(self, *nicks: str) -> None:
        """
        Wait until they have joined as well.
        """

        def areHere(seen: str) -> bool:
            joined = {line.nick for line in self.lines if line.command == "JOIN"}
            return joined.issuperset(nicks)

        await self.until(areHere, nicks)

    async def look(self) -> str:
        return "\n".join(self.said)

    async def stop(self) -> None:
        """
        Go.
        """
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.loseConnection()


def _tagsOf(raw: bytes) -> bytes:
    return raw[: raw.index(b" ") + 1] if raw.startswith(b"@") else b""


def config(folder: Path, text: str, name: str = "irc.toml") -> str:
    """
    Write a configuration file.
    """
    (folder / name).write_text(text, encoding="utf-8")
    return name
