"""
Real processes for end-to-end tests, and a folder with what they need.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import Signals
from typing import Any, NoReturn

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ProcessDone
from twisted.internet.protocol import (
    Factory,
    ProcessProtocol,
    Protocol,
    connectionDone,
)
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.endtoend.forkedprocess import ForkedProcess

ROOT = Path(__file__).resolve().parents[2]
TWISTD = Path(sys.executable).with_name("twistd")
PATIENCE = 120.0
"""
Seconds to wait for what should come at once, on machines that are busy: only a test
that fails takes them.
"""

# A port or screen of another process gives no event when it changes.
INTERVAL = 0.1

ALICE = """
[[account]]
number = 10001
password = "correct horse"
nick = "Alice"
"""

POPULATION = f"""{ALICE}
[[account]]
number = 10002
password = "battery staple"
nick = "Bot"

[[friendship]]
between = [10001, 10002]
"""

TELLER = """
from txwebqq.protocol import WebQQFactory, WebQQProtocol

class Teller(WebQQProtocol):
    async def signedOn(self):
        for buddy in self.buddies.values():
            await self.sendMessage(buddy.uin, "the \\u8336 is ready")
        await self.signOff()

class TellerFactory(WebQQFactory):
    protocol = Teller
"""


class Daemon(ProcessProtocol):
    """
    A process, its output so far, and who waits for more of it.
    """

    def __init__(self) -> None:
        self.output = ""
        self.hasEnded = False
        self.ended: Deferred[None] = Deferred()
        self.code = 0
        self._awaited: list[tuple[str, Deferred[None]]] = []

    def outReceived(self, data: bytes) -> None:
        self.output += data.decode()
        for text, waiting in self._awaited[:]:
            if text in self.output:
                self._awaited.remove((text, waiting))
                waiting.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        self.hasEnded = True
        done = reason.check(ProcessDone)
        self.code = 0 if done else getattr(reason.value, "exitCode", -1)
        for text, waiting in self._awaited:
            waiting.errback(AssertionError(f"no {text!r} in:\n{self.output}"))
        self.ended.callback(None)

    async def says(self, text: str, patience: float = PATIENCE) -> None:
        """
        Wait until it has put this out.

        @param patience: the number of seconds to wait.
        """
        if text in self.output:
            return
        waiting: Deferred[None] = Deferred()
        self._awaited.append((text, waiting))
        await waiting.addTimeout(patience, reactor, self._late)

    async def exits(self, patience: float = PATIENCE) -> int:
        """
        Wait for its end.

        @param patience: the number of seconds to wait.
        @return: the exit code, L{None} when a signal ended it.
        """
        await self.ended.addTimeout(patience, reactor, self._late)
        return self.code

    def type(self, line: str) -> None:
        """
        Type a line.
        """
        assert self.transport is not None
        self.transport.write(f"{line}\n".encode())

    def signal(self, name: str) -> None:
        """
        Send a signal, if it is still there.
        """
        # After a wait that was too long, C{ended} has fired, and the process runs.
        if not self.hasEnded:
            assert self.transport is not None
            # Twisted knows few of them by name.
            self.transport.signalProcess(Signals[f"SIG{name}"].value)

    def _late(self, result: object, seconds: float) -> NoReturn:
        raise AssertionError(f"nothing within {seconds} s, after:\n{self.output}")


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("TXWEBQQ_PASSWORD", None)
    return environment


class ProcessFolder:
    """
    A folder with what the daemons need, and the daemons.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[Daemon] = []
        (folder / "people.toml").write_text(POPULATION, encoding="utf-8")
        (folder / "teller.py").write_text(TELLER, encoding="utf-8")
        for name, password in (("alice", "correct horse"), ("bot", "battery staple")):
            self.secret(name, password)
        self.port = freePort()

    def secret(self, name: str, password: str, mode: int = 0o600) -> None:
        """
        Write a password file.
        """
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(password + "\n", encoding="utf-8")
        path.chmod(mode)

    def run(self, *argv: str, **variables: str) -> Daemon:
        """
        Start a process in the folder, with more environment variables.
        """
        return self._spawn(argv, variables, usePTY=False)

    def runInTerminal(self, *argv: str) -> Daemon:
        """
        Start a process in the folder, in a terminal of its own.
        """
        return self._spawn(argv, {}, usePTY=True)

    def _spawn(
        self, argv: Sequence[str], variables: Mapping[str, str], *, usePTY: bool
    ) -> Daemon:
        daemon = Daemon()
        environment = {**_environment(), **variables}
        folder = str(self.folder)
        reactor.spawnProcess(
            daemon, argv[0], argv, env=environment, path=folder, usePTY=usePTY
        )
        self.daemons.append(daemon)
        return daemon

    def twistd(self, *argv: str, **variables: str) -> Daemon:
        """
        Start twistd, with more environment variables; without them, the fork server
        forks it.
        """
        command = (str(TWISTD), "-n", "--pidfile=", *argv)
        if variables:
            return self.run(*command, **variables)
        daemon = Daemon()
        ForkedProcess(daemon, command, self.folder, _environment())
        self.daemons.append(daemon)
        return daemon

    def server(self, *argv: str) -> Daemon:
        """
        Start the server.
        """
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        return self.twistd("webqq-server", "--listen", listen, *argv)

    def client(self, number: int, secret: str, *argv: str, **variables: str) -> Daemon:
        """
        Start a client for an account.
        """
        return self.twistd(
            "webqq",
            "--account",
            str(number),
            "--password-file",
            secret,
            "--server",
            f"http://127.0.0.1:{self.port}",
            *argv,
            **variables,
        )

    async def answers(
        self, port: int, daemon: Daemon, patience: float = PATIENCE
    ) -> None:
        """
        Wait until a daemon listens.

        @param patience: the number of seconds to wait.
        """
        deadline = reactor.seconds() + patience
        while not await _answers(port):
            assert not daemon.ended.called, daemon.output
            assert reactor.seconds() < deadline, daemon.output
            await deferLater(reactor, INTERVAL)

    def clear(self) -> None:
        """
        End the processes that still run; a failed test shows their output.
        """
        for daemon in self.daemons:
            sys.stdout.write(daemon.output)
            daemon.signal("KILL")


# The tests run in several processes, each with ports of its own.
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_FIRST = 10240 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

# Nobody listens on them yet when the next one is asked for.
_given: set[int] = set()


def freePort() -> int:
    """
    A port that nobody has at the moment, and that no outgoing connection is
    given meanwhile: systems take those from further up.
    """
    while True:
        port = random.SystemRandom().randrange(_FIRST, 16000, _PROCESSES)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


class _Caller(Protocol):
    """
    Says that it has nothing to say, and waits for the other end to hang up.
    """

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.loseWriteConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)


async def _answers(port: int) -> bool:
    """
    Tell if the process at a port accepts a connection and closes it: the system
    accepts connections before the reactor runs, when a signal still ends a
    process at once.
    """
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    try:
        caller = await endpoint.connect(Factory.forProtocol(_Caller))
    except ConnectError:
        return False
    assert isinstance(caller, _Caller)
    await caller.lost
    return True
