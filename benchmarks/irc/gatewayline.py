"""
C{gateway-line}: CPU time of the IRC gateway for a line that it sends to a client:
a message of a QQ group.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measures import Measure
from benchmarks.processes import PATIENCE, Running, daemon, find, freePort
from benchmarks.server.fanout import gidOf, groupMessage
from benchmarks.server.http import Socket, sessions
from benchmarks.servers import running

ROOT = Path(__file__).parents[2]

FIRST = 20
"""Number of lines before the measured ones."""

CHANNEL = "#cats"

GATEWAY = """
[gateway]
listen = ["tcp:{port}:interface=127.0.0.1"]
database = "gateway.sqlite"

[[gateway.user]]
name = "alice"
password-file = "password"

[[gateway.user.account]]
number = 20002
password-file = "password"
server = "{url}"
"""

NGIRCD = """
[Global]
Name = irc.test
Info = Test
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""


class IRCSocket:
    """
    A client of an IRC server, with a blocking socket.
    """

    def __init__(self, port: int, nick: str, password: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        if password:
            self.send(f"PASS {password}")
        self.send(f"NICK {nick}")
        self.send(f"USER {nick} 0 * :{nick}")
        self.readUntil("001")

    def send(self, line: str) -> None:
        """
        Send a line.
        """
        self._socket.sendall(f"{line}\r\n".encode())

    def readUntil(self, command: str) -> bytes:
        """
        Read lines until one of this command, and return that one.
        """
        wanted = command.encode()
        while True:
            line = self._readLine()
            words = line.split(b" ", 2)
            if words[0] == b"PING":
                # The gateway asks so whether its lines have arrived.
                self._socket.sendall(b"PONG " + line[5:] + b"\r\n")
            elif len(words) > 1 and words[1] == wanted:
                return line

    def _readLine(self) -> bytes:
        while b"\n" not in self._rest:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the IRC server has closed the connection")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.removesuffix(b"\r")

    def close(self) -> None:
        """
        Close the connection.
        """
        self._socket.close()


@contextmanager
def gateway(url: str) -> Iterator[Running]:
    """
    Run the gateway with the second account of a server during a C{with} block.
    """
    with tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name:
        folder = Path(name)
        secret = folder / "password"
        secret.touch(0o600)
        secret.write_text("p\n", encoding="utf-8")
        port = freePort()
        file = folder / "irc.toml"
        file.write_text(GATEWAY.format(port=port, url=url), encoding="utf-8")
        argv = [sys.executable, "-m", "twisted", "webqq-irc", "--config", str(file)]
        with daemon(argv, port, cwd=ROOT) as server:
            yield server


@contextmanager
def ngircd() -> Iterator[Running]:
    """
    Run ngIRCd during a C{with} block.
    """
    program = find("ngircd")
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name:
        port = freePort()
        file = Path(name) / "ngircd.conf"
        file.write_text(NGIRCD.format(port=port), encoding="utf-8")
        with daemon([program, "-n", "-f", str(file)], port) as server:
            yield server


def ours(lines: int, clients: int) -> float:
    """
    Measure the CPU time of the gateway for each line to each client, in
    microseconds. The next message is sent when all clients have read the one
    before.
    """
    with (
        running("webqq", accounts=2, members=2) as qq,
        gateway(qq.url) as server,
    ):
        users = [IRCSocket(server.port, f"alice{n}", "alice:p") for n in range(clients)]
        for user in users:
            user.readUntil("JOIN")
        [(ticket, vfwebqq)] = sessions(qq.port, 1)
        gid = gidOf(qq.port, vfwebqq)
        sender = Socket(qq.port)
        before = 0.0
        for n in range(FIRST + lines):
            if n == FIRST:
                before = server.cpu()
            sender.post("/channel/send_qun_msg2", groupMessage(gid, n, ticket, "0"))
            sender.read()
            for user in users:
                user.readUntil("PRIVMSG")
        return (server.cpu() - before) / lines / clients * 1e6


def ngircdLine(lines: int, clients: int) -> float:
    """
    Measure the same with ngIRCd, where an IRC client is the sender.
    """
    with ngircd() as server:
        users = [IRCSocket(server.port, f"user{n}") for n in range(clients)]
        sender = IRCSocket(server.port, "sender")
        for user in [sender, *users]:
            user.send(f"JOIN {CHANNEL}")
            user.readUntil("366")
        before = 0.0
        for n in range(FIRST + lines):
            if n == FIRST:
                before = server.cpu()
            sender.send(f"PRIVMSG {CHANNEL} :hello all {n}")
            for user in users:
                user.readUntil("PRIVMSG")
        return (server.cpu() - before) / lines / clients * 1e6


MEASURES = [
    Measure(
        "gateway-line",
        "benchmarks.irc.gatewayline:ours",
        "benchmarks.irc.gatewayline:ngircdLine",
        10.0,
        "us CPU/line",
        size={"lines": 1000, "clients": 1},
        quickSize={"lines": 200},
        program="ngircd",
    )
]
