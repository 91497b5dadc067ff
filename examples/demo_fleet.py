"""
The demo of several server processes: three of them with one PostgreSQL database behind
HAProxy, and the conversation of C{make demo} with clients at different processes. One
process is killed in the middle.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys

from demo import (
    HERE,
    POPULATION,
    DemoProcess,
    DemoProcesses,
    firstOf,
    freePort,
    invite,
    run,
    untilLogged,
)
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import react

sys.path.insert(0, str(HERE.parent))

from tests.fleet.loadbalancer import configuration
from tests.irc.programs import PROGRAMS
from tests.postgresql.server import PostgreSQLServer

COUNT = 3
"""The number of server processes."""

NAMES = {"o0000010001": "Alice", "o0000010002": "Echo"}
"""The accounts that connect through HAProxy, by their cookie."""

_PLACE = re.compile(r"^\S+ \S+ (?P<path>\S+) .* (?P<port>\d+) \S+ (?P<owner>o\d+)$")


class Fleet:
    """
    The processes of the server, by their ports.

    @param database: the URL of the database.
    """

    def __init__(
        self, reactor: IReactorTime, processes: DemoProcesses, database: str
    ) -> None:
        self._reactor = reactor
        self._processes = processes
        self._database = database
        self._log = processes.folder / "haproxy-requests.log"
        self.servers: dict[int, DemoProcess] = {}

    async def start(self) -> None:
        """
        Start the processes, and HAProxy.
        """
        for n in range(COUNT):
            port = freePort(0)
            self.servers[port] = server = self._processes.twistd(
                f"server{n + 1}",
                "webqq-server",
                f"--listen=tcp:{port}:interface=127.0.0.1",
                f"--database={self._database}",
                f"--files={self._processes.folder / 'files'}",
                f"--population={POPULATION}",
                "--trusted-proxy=127.0.0.1",
            )
            await untilLogged(self._reactor, server, "listens on")
            print(f"Server process {n + 1} listens on port {port}.", flush=True)
        port = int(self._processes.url.rpartition(":")[2])
        text = configuration(port, list(self.servers), "unix@haproxy.sock")
        # With the account, so that the demo can tell who is where.
        text = text.replace("%tsc", "%tsc %[var(txn.client)]")
        file = self._processes.folder / "haproxy.cfg"
        file.write_text(text, encoding="utf-8")
        script = 'cd "$1" && exec "$2" -W -db -f haproxy.cfg >"$3" 2>&1'
        haproxy = shutil.which("haproxy", path=PROGRAMS)
        if haproxy is None:
            raise RuntimeError("HAProxy is not installed")
        folder, log = str(self._processes.folder), str(self._log)
        self._processes.run("haproxy", "sh", "-c", script, "sh", folder, haproxy, log)
        print(f"HAProxy listens at {self._processes.url}.", flush=True)

    def url(self, port: int) -> str:
        """
        Return the address of a process.
        """
        return f"http://127.0.0.1:{port}"

    def number(self, port: int) -> int:
        """
        Return the number of a process, from 1.
        """
        return list(self.servers).index(port) + 1

    def places(self) -> dict[str, int]:
        """
        Return the ports of the processes that have answered the last requests of
        accounts, by their names.
        """
        found: dict[str, int] = {}
        for line in self._log.read_text(encoding="utf-8").splitlines():
            place = _PLACE.match(line)
            if place is not None and place["owner"] in NAMES:
                found[NAMES[place["owner"]]] = int(place["port"])
        return found

    async def kill(self, port: int) -> None:
        """
        Kill a process, and wait until it is gone.
        """
        server = self.servers[port]
        assert server.transport is not None
        server.transport.signalProcess(signal.SIGKILL.value)
        await firstOf(server.ended)


async def converse(
    reactor: IReactorTime, processes: DemoProcesses, database: str
) -> None:
    """
    Run the conversation, from sign-on to sign-off.

    @param database: the URL of the database.
    """
    fleet = Fleet(reactor, processes, database)
    await fleet.start()
    echo = processes.client("echo", 10002, "EchoFactory")
    await echo.until(echo.firstLine)
    alice = processes.client("alice", 10001, "AliceFactory")
    await alice.until(alice.cues["Carol"])
    places = fleet.places()
    for name, port in sorted(places.items()):
        print(f"({name} is at process {fleet.number(port)}.)", flush=True)
    killed = places["Alice"]
    await fleet.kill(killed)
    print(
        f"Process {fleet.number(killed)}, where Alice was, is killed with -9.",
        flush=True,
    )
    first, second = [port for port in fleet.servers if port != killed]
    print(f"Carol signs on, directly at process {fleet.number(first)}.", flush=True)
    carol = processes.client("carol", 10004, "CarolFactory", fleet.url(first))
    await alice.until(alice.cues["Echo"])
    place = fleet.number(fleet.places()["Alice"])
    print(f"(Alice has gone on at process {place}, with the same session.)", flush=True)
    print(
        "Echo signs on a second time, from another client, directly at process"
        f" {fleet.number(second)}.",
        flush=True,
    )
    other = processes.client("echo2", 10002, "EchoFactory", fleet.url(second))
    await firstOf(echo.ended)
    await firstOf(alice.ended)
    codes = [echo.exitCode, alice.exitCode]
    if codes != [1, 0]:
        raise RuntimeError(f"Echo and Alice ended with {codes} instead of 1 and 0")
    for process in (fleet.servers[first], fleet.servers[second], carol, other):
        if process.exitCode is not None:
            raise RuntimeError(f"{process.name} has ended by itself")
    if fleet.places()["Alice"] == killed:
        raise RuntimeError("HAProxy has not given Alice to another process")


def main() -> None:
    """
    Run the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end after the conversation"
    )
    once = parser.parse_args().once
    server = PostgreSQLServer({"max_connections": "60"})
    try:
        server.start()
        print(f"PostgreSQL listens on port {server.port}.", flush=True)

        async def play(reactor: IReactorTime, processes: DemoProcesses) -> None:
            await converse(reactor, processes, server.url("postgres"))

        react(lambda reactor: Deferred.fromCoroutine(run(reactor, once, play, invite)))
    finally:
        server.stop()
        print("PostgreSQL has ended.", flush=True)


if __name__ == "__main__":
    main()
