"""
The server of the ledger's chat: one process after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed

from tests.endtoend.daemons import Daemon, ProcessFolder
from tests.ledger.people import population
from tests.network.authority import LOCALHOST, LOOPBACK, Authority

POLL_TIMEOUT = 1.3
"""More than the second for which a server holds what it gives over and over."""

STARTUP = 120.0
"""The seconds that a server may take to listen, on a machine with other work."""


class Signal:
    """
    Lets coroutines wait until L{fire} is called next.
    """

    def __init__(self) -> None:
        self._waiting: list[Deferred[None]] = []

    def wait(self) -> Deferred[None]:
        """
        Return a Deferred that fires at the next L{fire}.
        """
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def fire(self) -> None:
        """
        Resume the coroutines that wait.
        """
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)


class Site:
    """
    A server on one port and one database, over and over.

    @ivar boot: how many processes there were.
    @ivar isUp: whether there is one that listens.
    @ivar authority: a file with the certificate of the authority that signed the
        server's; L{None} without TLS.
    @ivar certificate: a file with the server's own, and its key.
    @ivar options: more options of the processes that are started from now on.
    @param people: the population file, by default that of the ledger.
    """

    def __init__(self, folder: Path, isSecure: bool, people: str = "") -> None:
        self.processes = ProcessFolder(folder)
        self.port = self.processes.port
        self.boot = 0
        self.isUp = False
        self.authority: Path | None = None
        self.certificate: Path | None = None
        if isSecure:
            authority = Authority(folder, "ours")
            self.authority = authority.file
            self.certificate = authority.issue(LOCALHOST, LOOPBACK)
        file = folder / "ledger.toml"
        file.touch(mode=0o600)
        file.write_text(people or population(), encoding="utf-8")
        self.options: Sequence[str] = ()
        self._daemon: Daemon | None = None

    async def start(self) -> None:
        """
        Start a server, and wait until it listens.
        """
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        if self.certificate is not None:
            listen = f"ssl{listen[3:]}:privateKey={self.certificate}"
        self.boot += 1
        self._daemon = daemon = self.processes.twistd(
            "webqq-server",
            "--message-rate",
            "0",
            f"--listen={listen}",
            "--database=ledger.db",
            "--population=ledger.toml",
            "--captcha=never",
            f"--poll-timeout={POLL_TIMEOUT}",
            *self.options,
        )
        await daemon.says("listens on", STARTUP)
        self.isUp = True

    @property
    def daemon(self) -> Daemon | None:
        """
        The process, if there is one.
        """
        return self._daemon

    def kill(self) -> Deferred[None]:
        """
        Kill the server with -9.

        @return: fires when it is gone.
        """
        daemon, self._daemon = self._daemon, None
        self.isUp = False
        if daemon is None or daemon.ended.called:
            return succeed(None)
        daemon.signal("KILL")
        return daemon.ended

    def bugs(self) -> list[str]:
        """
        The first traceback that each server has put out.
        """
        return firstTracebacks(self.processes)


def firstTracebacks(processes: ProcessFolder) -> list[str]:
    """
    Return the first traceback that each process has put out.
    """
    return [
        daemon.output[daemon.output.index("Traceback") :][:3000]
        for daemon in processes.daemons
        if "Traceback" in daemon.output
    ]
