"""
Several server processes with one PostgreSQL database behind HAProxy; or, to compare,
one process with an SQLite database behind it.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.endtoend.daemons import INTERVAL, TWISTD, Daemon, ProcessFolder, freePort
from tests.fleet.loadbalancer import LoadBalancer
from tests.ledger.site import STARTUP, firstTracebacks
from tests.postgresql.server import PostgreSQLServer

POLL_TIMEOUT = 5.0
"""The seconds for which polls are held."""

SETTINGS = {"shared_buffers": "64MB", "max_connections": "60"}
"""The settings of PostgreSQL: those of a server that keeps what it has committed."""

LIMITS = ("--message-rate=0", "--address-requests=100000", "--captcha=never")
"""The options of processes whose clients are all at one address."""


class FleetSite:
    """
    The processes, by their numbers from 0.

    @param folder: for their files.
    @param people: the population file.
    @param count: the number of server processes.
    @param isSQLite: whether the database is one of SQLite, for one process.
    @ivar processes: the daemons.
    @ivar balancer: HAProxy.
    @ivar ports: the ports of the server processes.
    """

    def __init__(
        self, folder: Path, people: str, count: int, isSQLite: bool = False
    ) -> None:
        assert count == 1 or not isSQLite
        self._folder = folder
        self.processes = ProcessFolder(folder)
        self.ports = [freePort() for _ in range(count)]
        self.balancer = LoadBalancer(self.processes, self.ports)
        self._postgreSQL = None if isSQLite else PostgreSQLServer(SETTINGS)
        self._servers: list[Daemon | None] = [None] * count
        file = folder / "fleet.toml"
        file.touch(mode=0o600)
        file.write_text(people, encoding="utf-8")

    @property
    def port(self) -> int:
        """
        The port of clients.
        """
        return self.balancer.port

    @property
    def database(self) -> str:
        """
        The database, as an option has it.
        """
        if self._postgreSQL is None:
            return "webqq.db"
        return self._postgreSQL.url("postgres")

    async def start(self) -> None:
        """
        Start all.
        """
        if self._postgreSQL is not None:
            self._postgreSQL.start()
        importing = self.processes.run(
            *(str(TWISTD.with_name("webqq-admin")), "--database", self.database),
            *("import", "fleet.toml"),
        )
        assert await importing.exits(STARTUP) == 0, importing.output
        for n in range(len(self.ports)):
            self.launch(n)
        for n in range(len(self.ports)):
            await self.listens(n)
        await self.balancer.start()

    # ---- the server processes

    def launch(self, n: int) -> None:
        """
        Start a server process, without waiting for it.
        """
        self._servers[n] = self.processes.twistd(
            "webqq-server",
            f"--listen=tcp:{self.ports[n]}:interface=127.0.0.1:backlog=1000",
            f"--database={self.database}",
            *(["--files=files"] if self._postgreSQL else []),
            "--trusted-proxy=127.0.0.1",
            f"--poll-timeout={POLL_TIMEOUT}",
            *LIMITS,
        )

    async def listens(self, n: int) -> None:
        """
        Wait until a server process listens.
        """
        await self.serverOf(n).says("listens on", STARTUP)

    def serverOf(self, n: int) -> Daemon:
        """
        Return the latest server process of a number.
        """
        daemon = self._servers[n]
        assert daemon is not None
        return daemon

    # ---- PostgreSQL

    async def restartPostgreSQL(self, number: signal.Signals) -> None:
        """
        Restart PostgreSQL.

        @param number: SIGINT for the mode C{fast}, SIGQUIT for C{immediate}.
        """
        server = self._postgreSQL
        assert server is not None
        server.signal(number)
        while not server.hasEnded():
            await deferLater(reactor, INTERVAL)
        server.launch()
        while not server.isReady():
            assert not server.hasEnded()
            await deferLater(reactor, INTERVAL)

    # ---- the end

    def bugs(self) -> Sequence[str]:
        """
        Return the first traceback of each process.
        """
        return firstTracebacks(self.processes)

    def requests(self) -> Counter[tuple[str, str]]:
        """
        Count the requests that HAProxy has passed on, by path and status.
        """
        return self.balancer.requests()

    async def clear(self) -> None:
        """
        End what still runs, and write the logs.
        """
        for daemon in self.processes.daemons:
            daemon.signal("CONT")
            daemon.signal("KILL")
            await daemon.ended
        for n, daemon in enumerate(self.processes.daemons):
            (self._folder / f"{n}.log").write_text(daemon.output, encoding="utf-8")
        if self._postgreSQL is not None:
            self._postgreSQL.stop()
