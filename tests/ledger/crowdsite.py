"""
The daemons of C{make chaos} and C{make soak}, each with an endpoint for operators: a
server, a gateway, a relay with an IRC server, and an account for bots.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.endtoend.daemons import Daemon, freePort
from tests.irc.servers import Ircd, writeConfig
from tests.ledger.crowd import (
    BOT,
    GATEWAY,
    GATEWAY_CONFIG,
    IRC_PASSWORD,
    RELAY,
    RELAY_CONFIG,
)
from tests.ledger.measures import Measure, Reading, fetch, least, read
from tests.ledger.people import passwordOf
from tests.ledger.site import STARTUP, Site
from tests.messages import Lost

CONFIGS = {"gateway": GATEWAY_CONFIG, "relay": RELAY_CONFIG}
"""The configurations of daemons of C{twistd webqq-irc}."""

QUIET = 5
"""The readings of which the least counts."""


class CrowdSite:
    """
    The daemons, by their names: C{server}, C{ircd}, C{gateway}, C{relay}, C{bots}.

    @param folder: for their files.
    @param people: the population file.
    @param configs: the configuration files of daemons; they name ports.
    @ivar irc: the port of the gateway.
    @ivar faults: options of the server from its next start on.
    """

    def __init__(
        self, folder: Path, people: str, configs: Mapping[str, str] = CONFIGS
    ) -> None:
        self._folder = folder
        self._site = Site(folder, False, people)
        self.processes = self._site.processes
        self.ircd = Ircd(self.processes, "ngircd")
        self.irc = freePort()
        self.ports = {
            "qq": self._site.port,
            "irc": self.irc,
            "ircd": self.ircd.port,
            "pictures": freePort(),
            "http": freePort(),
            "post": freePort(),
        }
        self.faults: Sequence[str] = ()
        self._operators = {
            name: freePort() for name in ("server", "gateway", "relay", "bots")
        }
        self._daemons: dict[str, Daemon] = {}
        for name, text in configs.items():
            writeConfig(folder, text.format(**self.ports), f"{name}.toml")
        for name, password in (
            ("alice.irc", IRC_PASSWORD),
            ("gateway.qq", passwordOf(GATEWAY)),
            ("relay.qq", passwordOf(RELAY)),
            ("bot.qq", passwordOf(BOT)),
        ):
            self.processes.secret(name, password)

    @property
    def port(self) -> int:
        """
        The port of the server.
        """
        return self._site.port

    @property
    def boot(self) -> int:
        """
        The number of servers so far.
        """
        return self._site.boot

    async def start(self, name: str) -> None:
        """
        Start a daemon. The server and the IRC server listen then.
        """
        match name:
            case "server":
                self._site.options = (*self._operate("server"), *self.faults)
                await self._site.start()
            case "ircd":
                await self.ircd.start()
            case _:
                plugin = "webqq-onebot" if name == "bots" else "webqq-irc"
                argv = (plugin, "--config", f"{name}.toml", *self._operate(name))
                self._daemons[name] = self.processes.twistd(*argv)

    def _operate(self, name: str) -> tuple[str, str]:
        port = self._operators[name]
        return "--operate", f"tcp:{port}:interface=127.0.0.1"

    def daemonOf(self, name: str) -> Daemon:
        """
        Return the latest process of a name.
        """
        match name:
            case "server":
                daemon = self._site.daemon
            case "ircd":
                daemon = self.ircd.daemon
            case _:
                daemon = self._daemons[name]
        assert daemon is not None
        return daemon

    async def end(self, name: str, signal: str = "TERM") -> str:
        """
        End a daemon by a signal.

        @return: the complaint, if it was told to end and ended otherwise.
        """
        daemon = self.daemonOf(name)
        daemon.signal(signal)
        code = await daemon.exits(STARTUP)
        if signal == "TERM" and code != 0:
            return f"the {name} has stopped with exit code {code}"
        return ""

    async def problem(self, name: str) -> str:
        """
        Return the reasons why a daemon is not ready, C{""} if it is.
        """
        try:
            answer = await fetch(self._operators[name], "/readyz")
        except Lost as e:
            return str(e)
        return "" if answer.status == 200 else answer.body.decode().strip()

    async def answers(self, name: str) -> None:
        """
        Wait until a daemon runs.
        """
        daemon = self.daemonOf(name)
        await self.processes.answers(self._operators[name], daemon, STARTUP)

    def bugs(self) -> list[str]:
        """
        Return the first traceback of each process.
        """
        return self._site.bugs()

    async def clear(self) -> None:
        """
        Kill what still runs, and write the logs.
        """
        for daemon in self.processes.daemons:
            daemon.signal("KILL")
            await daemon.ended
        for n, daemon in enumerate(self.processes.daemons):
            (self._folder / f"{n}.log").write_text(daemon.output, encoding="utf-8")

    # ---- sizes

    async def reading(self, name: str) -> Reading:
        """
        Read the sizes of a daemon. The descriptors of the server do not include the
        connections that clients keep open, whose number follows the work.
        """
        reading = dict(await read(self._operators[name]))
        if name == "server":
            reading[Measure.DESCRIPTORS] -= openConnections(self.port)
        return reading

    async def quiet(self, *names: str) -> dict[str, Reading]:
        """
        Read the sizes of daemons several times, and return the least ones.
        """
        readings: dict[str, list[Reading]] = {name: [] for name in names}
        for _ in range(QUIET):
            await deferLater(reactor, 0.4)
            for name in names:
                readings[name].append(await self.reading(name))
        return {name: least(found) for name, found in readings.items()}


def openConnections(port: int) -> int:
    """
    Count the connections at a port of this machine that both ends keep open.
    """
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    rows = [line.split()[1:4] for line in table]
    # 01 is ESTABLISHED in Linux' include/net/tcp_states.h.
    return sum(
        local.endswith(f":{port:04X}") and state == "01" for local, _, state in rows
    )


def ownFiles() -> Counter[str]:
    """
    Count the descriptors of this process, by the kinds or names of their files.
    """
    files: Counter[str] = Counter()
    for link in Path(f"/proc/{os.getpid()}/fd").iterdir():
        # The one that lists them is gone by now.
        with suppress(OSError):
            files[str(link.readlink()).partition(":[")[0]] += 1
    return files
