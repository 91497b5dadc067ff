"""
The demo: a server, a bot and two more clients, each in its own process, and
their conversation over HTTP on this machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ProcessDone
from twisted.internet.interfaces import IReactorCore, IReactorProcess, IReactorTime
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.internet.task import deferLater, react
from twisted.python.failure import Failure

from txwebqq.daemon import handleSignals

HERE = Path(__file__).resolve().parent
TWISTD = Path(sys.executable).with_name("twistd")
POPULATION = HERE / "demo.toml"
PORT, IRC_PORT = 8890, 6667
IRC_PASSWORD = "oolong"
IRC = """
[gateway]
listen = ["tcp:{port}:interface=127.0.0.1"]

[[gateway.user]]
name = "you"
password-file = "irc.secret"

[[gateway.user.account]]
number = 10003
password-file = "10003.password"
server = "{url}"
"""

TIMEOUT = 120.0
"""Seconds that the conversation may take."""

CUE = "*"
"""Prefix of a line by which the script asks for another client, by name."""


def firstOf(*events: Deferred[Any]) -> Deferred[None]:
    """
    Wait for the first of several events. A wait that is cancelled leaves the
    events alone, so that others can still wait for them.
    """
    waiting: Deferred[None] = Deferred()

    def fire(result: object) -> object:
        if not waiting.called:
            waiting.callback(None)
        return result

    for event in events:
        event.addCallback(fire)
    return waiting


class DemoProcess(ProcessProtocol):
    """
    A process whose output is shown.

    @ivar ended: fires with the exit code.
    @ivar firstLine: fires at the first line of output.
    @ivar cues: fire when the process asks for another client, by its name.
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.ended: Deferred[Any] = Deferred()
        self.firstLine: Deferred[Any] = Deferred()
        self.cues: dict[str, Deferred[Any]] = defaultdict(Deferred)
        self.exitCode: int | None = None
        self._rest = b""

    def outReceived(self, data: bytes) -> None:
        """
        Show complete lines.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.decode().startswith(CUE):
                self.cues[line.decode().removeprefix(CUE)].callback(None)
            else:
                print(line.decode(), flush=True)
                if not self.firstLine.called:
                    self.firstLine.callback(None)

    def errReceived(self, data: bytes) -> None:
        """
        Show error output.
        """
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Failure) -> None:
        """
        Fire L{ended}.
        """
        done = reason.check(ProcessDone)
        self.exitCode = 0 if done else (getattr(reason.value, "exitCode", 1) or 1)
        self.ended.callback(self.exitCode)

    async def until(self, event: Deferred[Any]) -> None:
        """
        Wait for an event.

        @raise RuntimeError: when the process ends before.
        """
        await firstOf(event, self.ended)
        if not event.called:
            raise RuntimeError(f"{self.name} has ended")

    async def stop(self) -> int:
        """
        End the process with SIGTERM.

        @return: the exit code.
        """
        if self.exitCode is None and self.transport is not None:
            self.transport.signalProcess("TERM")
            await self.ended
        return self.exitCode or 0


class DemoProcesses:
    """
    Starts the processes of the demo, and ends them.

    @ivar folder: for files of theirs.
    @ivar areEnding: whether no more of them are started.
    """

    def __init__(self, reactor: IReactorProcess, folder: Path, port: int) -> None:
        self._reactor = reactor
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._processes: list[DemoProcess] = []
        self.areEnding = False
        with POPULATION.open("rb") as f:
            accounts = tomllib.load(f)["account"]
        self.passwords = {entry["number"]: entry["password"] for entry in accounts}

    def server(self) -> DemoProcess:
        """
        Start the server.
        """
        listen = f"tcp:{self._port}:interface=127.0.0.1"
        return self.twistd(
            "server",
            "webqq-server",
            "--listen",
            listen,
            "--population",
            str(POPULATION),
        )

    def client(
        self, name: str, number: int, factory: str, url: str = ""
    ) -> DemoProcess:
        """
        Start a client.

        @param url: the server, if it is another one than that of L{url}.
        """
        return self.twistd(
            name,
            "webqq",
            "--account",
            str(number),
            "--password-file",
            str(self.password(number)),
            "--server",
            url or self.url,
            "--app",
            f"demo_bots.{factory}",
        )

    async def gateway(self, reactor: IReactorTime) -> int:
        """
        Start the gateway for the account that no client uses.

        @return: the port that it listens at.
        """
        port = freePort(IRC_PORT)
        self.secret("irc.secret", IRC_PASSWORD)
        self.password(10003)
        config = self.folder / "irc.toml"
        config.write_text(IRC.format(port=port, url=self.url), encoding="utf-8")
        process = self.twistd("gateway", "webqq-irc", "--config", str(config))
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        while process.exitCode is None:
            try:
                probe: Any = await endpoint.connect(Factory.forProtocol(Protocol))
            except ConnectError:
                await deferLater(reactor, 0.1)
            else:
                probe.transport.loseConnection()
                return port
        raise RuntimeError("the gateway has ended")

    def secret(self, name: str, text: str) -> Path:
        """
        Write a file that no other user can read.
        """
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return path

    def password(self, number: int) -> Path:
        """
        Write the password file of an account.
        """
        return self.secret(f"{number}.password", self.passwords[number])

    def twistd(self, name: str, *command: str) -> DemoProcess:
        """
        Start a daemon.
        """
        log = self.folder / f"{name}.log"
        logged = ["--pidfile=", f"--logfile={log}"]
        return self.run(name, str(TWISTD), "-n", *logged, *command)

    def run(self, name: str, *argv: str, **variables: str) -> DemoProcess:
        """
        Start a process, with more environment variables.
        """
        if self.areEnding:
            raise RuntimeError("the demo is ending")
        process = DemoProcess(name, self.folder / f"{name}.log")
        environment = {**os.environ, **variables}
        self._reactor.spawnProcess(
            process, argv[0], argv, env=environment, path=str(HERE)
        )
        self._processes.append(process)
        return process

    async def clear(self) -> None:
        """
        End the processes that still run, the server last.
        """
        self.areEnding = True
        for process in reversed(self._processes):
            await process.stop()

    def report(self) -> None:
        """
        Show the last lines of the logs.
        """
        for process in self._processes:
            if process.log.exists():
                print(f"---- the end of {process.name}'s log", file=sys.stderr)
                lines = process.log.read_text(encoding="utf-8").splitlines()
                print("\n".join(lines[-15:]), file=sys.stderr)


async def untilLogged(reactor: IReactorTime, process: DemoProcess, *texts: str) -> None:
    """
    Wait until the log of a process has all of several texts.
    """
    while process.exitCode is None:
        if process.log.exists():
            log = process.log.read_text("utf-8")
            if all(text in log for text in texts):
                return
        await deferLater(reactor, 0.1)
    raise RuntimeError(f"the {process.name} has ended")


async def converse(reactor: IReactorTime, processes: DemoProcesses) -> None:
    """
    Run the conversation, from sign-on to sign-off.
    """
    server = processes.server()
    # A reply at its port could be that of another server.
    await untilLogged(reactor, server, "listens on")
    print(f"A WebQQ server is at {processes.url}.", flush=True)
    echo = processes.client("echo", 10002, "EchoFactory")
    await echo.until(echo.firstLine)
    alice = processes.client("alice", 10001, "AliceFactory")
    await alice.until(alice.cues["Carol"])
    carol = processes.client("carol", 10004, "CarolFactory")
    await alice.until(alice.cues["Echo"])
    print("Echo signs on a second time, from another client.", flush=True)
    second = processes.client("echo2", 10002, "EchoFactory")
    await firstOf(echo.ended)
    await firstOf(alice.ended)
    codes = [echo.exitCode, alice.exitCode]
    if codes != [1, 0]:
        raise RuntimeError(f"Echo and Alice ended with {codes} instead of 1 and 0")
    for process in (server, carol, second):
        if process.exitCode is not None:
            raise RuntimeError(f"{process.name} has ended by itself")


def freePort(usual: int) -> int:
    """
    Return the usual port, or another one when it is in use.
    """
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise RuntimeError("no port is free")


async def invite(reactor: IReactorTime, processes: DemoProcesses, once: bool) -> None:
    """
    Start the gateway, and print the commands to join the demo.

    @param once: whether nobody joins it.
    """
    irc = await processes.gateway(reactor)
    if once:
        return
    password = shlex.quote(processes.passwords[10001])
    print(
        f"""
The server and Echo keep running. Open this address in a browser, and sign in with
the number 10001 and the password "{processes.passwords[10001]}":

    {processes.url}/

Or join them as Alice from another terminal:

    cd {shlex.quote(str(HERE))}
    TXWEBQQ_PASSWORD={password} {TWISTD} -n webqq --account 10001 \\
        --server {processes.url} --log-text

or with your own bot: --app MODULE.Factory.
To join as Guest with IRC, start irssi and type

    /connect -notls 127.0.0.1 {irc} you:{IRC_PASSWORD} you
    /msg Echo hello
    /msg *qq help

Press Ctrl-C to end the demo.""",
        flush=True,
    )


async def run(
    reactor: IReactorCore,
    once: bool,
    converse: Callable[[IReactorTime, DemoProcesses], Coroutine[Any, Any, None]],
    invite: Callable[[IReactorTime, DemoProcesses, bool], Coroutine[Any, Any, None]],
) -> None:
    """
    Run a demo.

    @param once: whether to end after the conversation.
    """
    reactor.callWhenRunning(handleSignals, reactor, isForeground=True)
    with tempfile.TemporaryDirectory(prefix="txwebqq-demo-") as folder:
        # With --once nobody joins the demo, so that any port will do.
        port = freePort(0 if once else PORT)
        processes = DemoProcesses(reactor, Path(folder), port)  # type: ignore[arg-type]
        reactor.addSystemEventTrigger(
            "before", "shutdown", lambda: Deferred.fromCoroutine(processes.clear())
        )
        playing = Deferred.fromCoroutine(converse(reactor, processes))  # type: ignore[arg-type]
        try:
            await playing.addTimeout(TIMEOUT, reactor)  # type: ignore[arg-type]
            await invite(reactor, processes, once)  # type: ignore[arg-type]
            if not once:
                await Deferred()
        except Exception:
            # The conversation cannot go on after Ctrl-C.
            if not processes.areEnding:
                processes.report()
                raise
        finally:
            await processes.clear()
        print("All processes have ended.", flush=True)


def main() -> None:
    """
    Run the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end after the conversation"
    )
    once = parser.parse_args().once
    react(lambda reactor: Deferred.fromCoroutine(run(reactor, once, converse, invite)))


if __name__ == "__main__":
    main()
