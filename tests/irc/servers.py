"""
ngIRCd and InspIRCd, and a simple IRC client for them.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from tests.endtoend.daemons import INTERVAL, PATIENCE, Daemon, ProcessFolder, freePort
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


RELAY = """
[relay]
database = "{name}.sqlite"

[[relay.account]]
number = {number}
password-file = "{secret}"
server = "http://127.0.0.1:{qq}"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:{port}"
nick = "{name}"
milliseconds = {milliseconds}

[[relay.room]]
groups = ["{number}/200001"]
channels = ["home/#cats"]
"""
"""The relay of an account of a server on this machine, with a channel."""


class Ircd:
    """
    An IRC server that can be killed and started again.

    @param more: more of its configuration.
    """

    def __init__(self, processes: ProcessFolder, name: str, more: str = "") -> None:
        self._processes = processes
        self.port = freePort()
        file = processes.folder / f"{name}.conf"
        template = {"ngircd": NGIRCD, "inspircd": INSPIRCD}[name]
        text = template.format(port=self.port, folder=processes.folder)
        file.write_text(text + more, encoding="utf-8")
        self._argv = {
            "ngircd": ("-n", "-f", str(file)),
            "inspircd": ("--runasroot", "--nofork", "--config", str(file)),
        }[name]
        self._program = program(name)
        self._daemon: Daemon | None = None

    async def start(self) -> None:
        """
        Start the server, and wait until it listens.
        """
        self._daemon = self._processes.run(self._program, *self._argv)
        await self._processes.answers(self.port, self._daemon)

    @property
    def daemon(self) -> Daemon | None:
        """
        The latest process, if there was one.
        """
        return self._daemon

    async def kill(self) -> None:
        """
        Kill the server.
        """
        assert self._daemon is not None
        self._daemon.signal("KILL")
        await self._daemon.exits()


class _Connection(Protocol):
    def __init__(self, user: IRCUser) -> None:
        self._user = user
        self._lineBuffer = LineBuffer(100_000)

    def dataReceived(self, data: bytes) -> None:
        for raw in self._lineBuffer.feed(data):
            assert not isinstance(raw, Overlong)
            self._user.lineReceived(raw)


class IRCUser(Terminal):
    """
    A simple IRC client; its text is the messages of others, one on each line.

    @param password: for C{PASS}, if not empty.
    @ivar lines: the received lines, but for C{PING}.
    @ivar said: the received messages as C{nick: text}.
    @ivar longest: length of the longest received message line without its tags,
        in bytes.
    """

    def __init__(
        self, port: int, nick: str, *capabilities: str, password: str = ""
    ) -> None:
        self.nick = nick
        self.lines: list[Line] = []
        self.said: list[str] = []
        self.longest = 0
        self._port = port
        self._capabilities = capabilities
        self._password = password
        self._connection: _Connection | None = None

    async def join(self, channel: str) -> None:
        """
        Connect, register and join a channel.
        """
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self._port)
        factory = Factory.forProtocol(lambda: _Connection(self))
        connection = await endpoint.connect(factory)
        assert isinstance(connection, _Connection)
        self._connection = connection
        self.lines = []
        if self._capabilities:
            self.send("CAP", "REQ", " ".join(self._capabilities))
            self.send("CAP", "END")
        if self._password:
            self.send("PASS", self._password)
        self.send("NICK", self.nick)
        self.send("USER", self.nick, "0", "*", self.nick)
        await self.receives("001")
        self.send("JOIN", channel)
        await self.receives("366")

    def send(self, command: str, *params: str) -> None:
        """
        Send a line.
        """
        self._write(Line(command, params))

    def _write(self, line: Line) -> None:
        assert self._connection is not None
        assert self._connection.transport is not None
        self._connection.transport.write(serialise(line))

    def say(self, channel: str, text: str) -> None:
        """
        Send a message to a channel.
        """
        self.send("PRIVMSG", channel, text)

    def reply(self, channel: str, to: Line, text: str) -> None:
        """
        Send a message to a channel that is a reply to a received line.
        """
        tags = {"+draft/reply": to.tags["msgid"]}
        self._write(Line("PRIVMSG", (channel, text), tags=tags))

    def lineReceived(self, raw: bytes) -> None:
        """
        Record a line, or answer a C{PING}.
        """
        line = parse(raw)
        if line.command == "PING":
            self.send("PONG", *line.params)
            return
        self.lines.append(line)
        if line.command == "PRIVMSG":
            self.longest = max(self.longest, len(raw) - len(_tagsOf(raw)) + 2)
            self.said.append(f"{line.nick}: {line.params[1]}")

    async def receives(self, command: str) -> None:
        """
        Wait until a line with this command has been received.
        """
        deadline = reactor.seconds() + PATIENCE
        while command not in [line.command for line in self.lines]:
            assert reactor.seconds() < deadline, self.lines
            await deferLater(reactor, INTERVAL)

    async def seesJoin(self, *nicks: str) -> None:
        """
        Wait until all of these nicks have joined.
        """

        def haveJoined(seen: str) -> bool:
            joined = {line.nick for line in self.lines if line.command == "JOIN"}
            return joined.issuperset(nicks)

        await self.until(haveJoined, nicks)

    async def look(self) -> str:
        return "\n".join(self.said)

    async def stop(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.loseConnection()


def _tagsOf(raw: bytes) -> bytes:
    return raw[: raw.index(b" ") + 1] if raw.startswith(b"@") else b""


def writeConfig(folder: Path, text: str, name: str = "irc.toml") -> str:
    """
    Write a configuration file, and return its name.
    """
    (folder / name).write_text(text, encoding="utf-8")
    return name
