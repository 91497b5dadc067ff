"""
The relay between a WebQQ server and ngIRCd, and an IRC user.
"""

from __future__ import annotations

import socket
from collections import deque
from pathlib import Path

from tests.endtoend.daemons import PATIENCE, freePort
from tests.irc.programs import program
from tests.irc.servers import NGIRCD, RELAY, writeConfig
from tests.page.browser import PageServer, passwordFile
from tests.page.programs import TWISTD, Program
from txwebqq.irc.protocol.line import Line, LineBuffer, Overlong, parse, serialise


class Ngircd(Program):
    """
    An IRC server.
    """

    def __init__(self, folder: Path) -> None:
        self.port = freePort()
        file = folder / "ngircd.conf"
        file.write_text(NGIRCD.format(port=self.port), encoding="utf-8")
        argv = (program("ngircd"), "-n", "-f", str(file))
        super().__init__(folder, "ngircd", ["Now listening"], *argv)


class Relay(Program):
    """
    The relay of an account between the group C{cats} and C{#cats}. It is ready when it
    can send to both.
    """

    def __init__(
        self, folder: Path, server: PageServer, ircd: Ngircd, number: int
    ) -> None:
        config = RELAY.format(
            name="qqrelay",
            number=number,
            secret=passwordFile(folder, number).name,
            qq=server.port,
            port=ircd.port,
            milliseconds=20,
        )
        file = writeConfig(folder, config, "relay.toml")
        ready = ["is signed on", "joined #cats"]
        super().__init__(folder, "relay", ready, *TWISTD, "webqq-irc", "--config", file)


class ChannelUser:
    """
    An IRC user in C{#cats}, which waits for each line with a time limit.

    @ivar said: the messages of others, as C{nick: text}.
    """

    def __init__(self, ircd: Ngircd, nick: str) -> None:
        self.said: list[str] = []
        self._buffer = LineBuffer(100_000)
        self._lines: deque[Line] = deque()
        self._socket = socket.create_connection(("127.0.0.1", ircd.port), PATIENCE)
        self._send("NICK", nick)
        self._send("USER", nick, "0", "*", nick)
        self._until("001")
        self._send("JOIN", "#cats")
        self._until("366")

    def _send(self, command: str, *params: str) -> None:
        self._socket.sendall(serialise(Line(command, params)))

    def _next(self) -> Line:
        while not self._lines:
            data = self._socket.recv(65_536)
            assert data, "the IRC server has closed the connection"
            for raw in self._buffer.feed(data):
                assert not isinstance(raw, Overlong)
                self._lines.append(parse(raw))
        line = self._lines.popleft()
        if line.command == "PING":
            self._send("PONG", *line.params)
        elif line.command == "PRIVMSG":
            self.said.append(f"{line.nick}: {line.params[1]}")
        return line

    def _until(self, command: str) -> None:
        while self._next().command != command:
            pass

    def say(self, text: str) -> None:
        """
        Send a message to the channel.
        """
        self._send("PRIVMSG", "#cats", text)

    def hears(self, text: str) -> None:
        """
        Wait until a message of any sender has this text.
        """
        while not any(said.endswith(f"> {text}") for said in self.said):
            self._next()

    def close(self) -> None:
        """
        Close the connection.
        """
        self._socket.close()
