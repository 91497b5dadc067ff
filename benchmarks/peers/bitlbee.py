"""
BitlBee with an account of Prosody for each user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.irc.gatewayline import IRCSocket
from benchmarks.peers.bosh import DOMAIN, PASSWORD
from benchmarks.peers.chat import Population
from benchmarks.peers.processes import (
    ServerProcess,
    program,
    running,
    temporaryFolder,
)
from benchmarks.peers.relays import FRIENDS, RELAYS, Attachable, close
from benchmarks.peers.xmpp import ProsodyStarter
from benchmarks.processes import freePort

CONFIGURATION = """
[settings]
RunMode = Daemon
DaemonInterface = 127.0.0.1
DaemonPort = {port}
ConfigDir = {folder}
AuthMode = Open
"""

ACCOUNT = (
    "account add jabber u{{n}}@{domain} {password}",
    "account jabber set server 127.0.0.1",
    "account jabber set port {{port}}",
    "account jabber set tls false",
)


CLIENT_PORTS = range(5220, 5230)
"""The ports of XMPP that BitlBee connects to."""


class BitlBee:
    """
    BitlBee in one process for all users
    (L{Attachable<benchmarks.peers.relays.Attachable>}).
    """

    def check(self) -> None:
        program("bitlbee", "bitlbee")
        program("prosody", "prosody")

    @contextmanager
    def users(self, count: int) -> Iterator[ServerProcess]:
        population = Population(accounts=max(count, 2 * FRIENDS), friendCount=FRIENDS)
        with (
            ProsodyStarter(CLIENT_PORTS)(population) as server,
            temporaryFolder() as folder,
        ):
            port = freePort()
            file = folder / "bitlbee.conf"
            file.write_text(CONFIGURATION.format(port=port, folder=folder))
            argv = [program("bitlbee", "bitlbee"), "-D", "-n", "-c", str(file)]
            with running(argv, folder) as process:
                process.awaitPort(port)
                sockets = [_attached(port, n, server.clientPort) for n in range(count)]
                yield process
                close(sockets)


def _attached(port: int, n: int, server: int) -> IRCSocket:
    """
    Connect a client, and sign its account on.
    """
    client = IRCSocket(port, f"u{n}")
    for line in ACCOUNT:
        text = line.format(domain=DOMAIN, password=PASSWORD)
        client.send(f"PRIVMSG &bitlbee :{text.format(n=n, port=server)}")
    client.send("PRIVMSG &bitlbee :account jabber on")
    while b"Logged in" not in client.readUntil("PRIVMSG"):
        pass
    return client


ATTACHABLE: dict[str, Attachable] = {**RELAYS, "bitlbee": BitlBee()}
