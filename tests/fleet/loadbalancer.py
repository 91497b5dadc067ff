"""
HAProxy with the configuration of examples/fleet, at ports of a test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tests.endtoend.daemons import ROOT, Daemon, ProcessFolder, freePort
from tests.irc.programs import program

CONFIGURATION = ROOT / "examples/fleet/haproxy.cfg"

_SERVER = re.compile(r"^    server (\d+) 127\.0\.0\.1:\1$", re.MULTILINE)

_LOGGED = re.compile(
    r"^\S+ (?:GET|POST) (?P<path>/\S*) (?P<status>\S+) \S+ \S+ \S+ \S+$"
)


def configuration(port: int, ports: Sequence[int], socket: str) -> str:
    """
    Return the configuration with other ports.

    @param port: the port of clients.
    @param ports: those of the server processes.
    @param socket: the path of the socket for commands.
    """
    text = CONFIGURATION.read_text(encoding="utf-8")
    servers = "".join(f"    server {n} 127.0.0.1:{n}\n" for n in ports)
    text, count = _SERVER.subn("", text)
    assert count
    text = text.rstrip("\n") + f"\n{servers}"
    for usual, own in (
        ("bind 127.0.0.1:8890", f"bind 127.0.0.1:{port}"),
        ("/run/haproxy/webqq.sock", socket),
    ):
        assert usual in text
        text = text.replace(usual, own)
    return text


class LoadBalancer:
    """
    HAProxy in a folder.

    @ivar port: the port of clients.
    @param ports: the ports of the server processes.
    """

    def __init__(self, processes: ProcessFolder, ports: Sequence[int]) -> None:
        self._program = program("haproxy")
        self._processes = processes
        self.port = freePort()
        self._file = processes.folder / "haproxy.cfg"
        self._log = processes.folder / "haproxy.log"
        text = configuration(self.port, ports, "unix@haproxy.sock")
        self._file.write_text(text, encoding="utf-8")
        self._daemon: Daemon | None = None

    async def start(self) -> None:
        """
        Start it, and wait until it listens.
        """
        # Its log is long.
        script = f'exec "$@" >>{self._log.name} 2>&1'
        argv = (self._program, "-W", "-db", "-f", self._file.name)
        self._daemon = self._processes.run("sh", "-c", script, "sh", *argv)
        await self._processes.answers(self.port, self._daemon)

    def reload(self) -> None:
        """
        Have a new process take the place of the present one, which ends when its
        requests have.
        """
        assert self._daemon is not None
        self._daemon.signal("USR2")

    async def end(self, signal: str = "TERM") -> None:
        """
        End it at once, with all its connections.
        """
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            daemon.signal(signal)
            await daemon.ended

    def requests(self) -> Counter[tuple[str, str]]:
        """
        Count the requests so far, by path and status.
        """
        counts: Counter[tuple[str, str]] = Counter()
        if self._log.exists():
            for line in self._log.read_text(errors="replace").splitlines():
                logged = _LOGGED.match(line)
                if logged is not None:
                    counts[logged["path"], logged["status"]] += 1
        return counts
