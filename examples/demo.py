"""
The demo: a server, a bot and a friend, each a process of its own, and what
they say to each other over HTTP on this machine.
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
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ProcessDone
from twisted.internet.interfaces import IReactorCore, IReactorProcess, IReactorTime
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.internet.task import deferLater, react
from twisted.python.failure import Failure
from twisted.web.client import Agent

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
password-file = "10003.secret"
server = "{url}"
"""

PATIENCE = 60.0
"""The seconds that the conversation may take."""

CUE = "*"
"""What a line begins with by which the script asks for somebody."""


class Player(ProcessProtocol):
    """
    A process that shows its lines.

    @ivar ended: fires with the exit code.
    @ivar spoke: fires at the first line.
    @ivar cues: fire when the process asks for somebody, by their name.
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.ended: Deferred[Any] = Deferred()
        self.spoke: Deferred[Any] = Deferred()
        self.cues: dict[str, Deferred[Any]] = defaultdict(Deferred)
        self.exitCode: int | None = None
        self._rest = b""

    def outReceived(self, data: bytes) -> None:
        """
        Show whole lines.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.decode().startswith(CUE):
                self.cues[line.decode().removeprefix(CUE)].callback(None)
            else:
                print(line.decode(), flush=True)
                if not self.spoke.called:
                    self.spoke.callback(None)

    def errReceived(self, data: bytes) -> None:
        """
        Show complaints.
        """
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Failure) -> None:
        """
        Tell who waits for the end.
        """
        done = reason.check(ProcessDone)
        self.exitCode = 0 if done else (getattr(reason.value, "exitCode", 1) or 1)
        self.ended.callback(self.exitCode)

    async def until(self, event: Deferred[Any]) -> None:
        """
        Wait for an event, but not for one that cannot come any more.
        """
        await DeferredList([event, self.ended], fireOnOneCallback=True)
        if not event.called:
            raise RuntimeError(f"{self.name} has ended")

    async def stop(self) -> int:
        """
        End the process as an operator would.
        """
        if self.exitCode is None and self.transport is not None:
            self.transport.signalProcess("TERM")
            await self.ended
        return self.exitCode or 0


class Stage:
    """
    Starts processes, and ends them all.
    """

    def __init__(self, reactor: IReactorProcess, folder: Path, port: int) -> None:
        self._reactor = reactor
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._players: list[Player] = []
        with POPULATION.open("rb") as f:
            accounts = tomllib.load(f)["account"]
        self.passwords = {entry["number"]: entry["password"] for entry in accounts}

    def server(self) -> Player:
        """
        Start the server.
        """
        listen = f"tcp:{self._port}:interface=127.0.0.1"
        return self._start(
            "server",
            "webqq-server",
            "--listen",
            listen,
            "--population",
            str(POPULATION),
        )

    def client(self, name: str, number: int, factory: str) -> Player:
        """
        Sign somebody on.
        """
        secret = self._folder / f"{number}.password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(self.passwords[number], encoding="utf-8")
        return self._start(
            name,
            "webqq",
            "--account",
            str(number),
            "--password-file",
            str(secret),
            "--server",
            self.url,
            "--app",
            f"demo_people.{factory}",
        )

    async def gateway(self, reactor: IReactorTime) -> int:
        """
        Start the gateway for the account that is still free.

        @return: the port where it listens.
        """
        port = freePort(IRC_PORT)
        for name, secret in (("irc", IRC_PASSWORD), ("10003", self.passwords[10003])):
            path = self._folder / f"{name}.secret"
            path.touch(mode=0o600)
            path.write_text(secret, encoding="utf-8")
        config = self._folder / "irc.toml"
        config.write_text(IRC.format(port=port, url=self.url), encoding="utf-8")
        player = self._start("gateway", "webqq-irc", "--config", str(config))
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        while player.exitCode is None:
            try:
                probe: Any = await endpoint.connect(Factory.forProtocol(Protocol))
            except ConnectError:
                await deferLater(reactor, 0.1)
            else:
                probe.transport.loseConnection()
                return port
        raise RuntimeError("the gateway has ended")

    def _start(self, name: str, *command: str) -> Player:
        log = self._folder / f"{name}.log"
        player = Player(name, log)
        logged = ["--pidfile=", f"--logfile={log}"]
        argv = [str(TWISTD), "-n", *logged, *command]
        self._reactor.spawnProcess(
            player, argv[0], argv, env=dict(os.environ), path=str(HERE)
        )
        self._players.append(player)
        return player

    async def clear(self) -> None:
        """
        End whoever is still there, the server last.
        """
        for player in reversed(self._players):
            await player.stop()

    def report(self) -> None:
        """
        Show how the logs end.
        """
        for player in self._players:
            if player.log.exists():
                print(f"---- the end of {player.name}'s log", file=sys.stderr)
                lines = player.log.read_text(encoding="utf-8").splitlines()
                print("\n".join(lines[-15:]), file=sys.stderr)


async def answering(reactor: IReactorTime, url: str, server: Player) -> None:
    """
    Wait until a server answers.
    """
    agent = Agent(reactor)
    while server.exitCode is None:
        try:
            await agent.request(b"GET", f"{url}/web2/get_msg_tip".encode())
        except Exception:
            await deferLater(reactor, 0.1)
        else:
            return
    raise RuntimeError("the server has ended")


async def play(reactor: IReactorTime, stage: Stage) -> None:
    """
    The conversation, from sign-on to sign-off.
    """
    server = stage.server()
    await answering(reactor, stage.url, server)
    print(f"A WebQQ server is at {stage.url}.", flush=True)
    echo = stage.client("echo", 10002, "EchoFactory")
    await echo.until(echo.spoke)
    alice = stage.client("alice", 10001, "AliceFactory")
    await alice.until(alice.cues["Carol"])
    carol = stage.client("carol", 10004, "CarolFactory")
    await alice.until(alice.cues["Echo"])
    print("Echo signs on a second time, elsewhere.", flush=True)
    again = stage.client("echo2", 10002, "EchoFactory")
    codes = await gatherResults([echo.ended, alice.ended])
    if codes != [1, 0]:
        raise RuntimeError(f"Echo and Alice ended with {codes}, and not with 1 and 0")
    for player in (server, carol, again):
        if player.exitCode is not None:
            raise RuntimeError(f"{player.name} has ended by itself")


def freePort(usual: int) -> int:
    """
    The usual port, or another when somebody else has that.
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


def invite(stage: Stage, irc: int) -> None:
    """
    Say how to join.
    """
    password = shlex.quote(stage.passwords[10001])
    print(
        f"""
The server and Echo stay up. Join them as Alice, from another terminal:

    cd {shlex.quote(str(HERE))}
    TXWEBQQ_PASSWORD={password} {TWISTD} -n webqq --account 10001 \\
        --server {stage.url} --log-text

or with your own bot: --app MODULE.Factory. Ctrl-C ends everything.
Or as You with irssi: type irssi, and there

    /connect -notls 127.0.0.1 {irc} you:{IRC_PASSWORD} you
    /msg Echo hello
    /msg *qq help""",
        flush=True,
    )


async def run(reactor: IReactorCore, once: bool) -> None:
    """
    Play, and stay if wanted.
    """
    with tempfile.TemporaryDirectory(prefix="txwebqq-demo-") as folder:
        stage = Stage(reactor, Path(folder), freePort(PORT))  # type: ignore[arg-type]
        reactor.addSystemEventTrigger(
            "before", "shutdown", lambda: Deferred.fromCoroutine(stage.clear())
        )
        conversation = Deferred.fromCoroutine(play(reactor, stage))  # type: ignore[arg-type]
        try:
            await conversation.addTimeout(PATIENCE, reactor)  # type: ignore[arg-type]
            irc = await stage.gateway(reactor)  # type: ignore[arg-type]
            if not once:
                invite(stage, irc)
                await Deferred()
        except Exception:
            stage.report()
            raise
        finally:
            await stage.clear()
        print("Everybody has left.", flush=True)


def main() -> None:
    """
    Read the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave after the play")
    once = parser.parse_args().once
    react(lambda reactor: Deferred.fromCoroutine(run(reactor, once)))


if __name__ == "__main__":
    main()
