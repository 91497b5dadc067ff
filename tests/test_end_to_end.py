"""
The daemons as an operator runs them: real processes, real sockets.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

ROOT = Path(__file__).resolve().parent.parent
TWISTD = Path(sys.executable).with_name("twistd")
PATIENCE = 45.0

POPULATION = """
[[account]]
number = 10001
password = "correct horse"
nick = "Alice"

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
        done = reason.check(ProcessDone)
        self.code = 0 if done else getattr(reason.value, "exitCode", -1)
        for text, waiting in self._awaited:
            waiting.errback(AssertionError(f"no {text!r} in:\n{self.output}"))
        self.ended.callback(None)

    async def says(self, text: str) -> None:
        """
        Wait until it has put this out.
        """
        if text in self.output:
            return
        waiting: Deferred[None] = Deferred()
        self._awaited.append((text, waiting))
        await waiting.addTimeout(PATIENCE, reactor, self._late)

    async def exits(self) -> int:
        """
        Wait for its end.

        @return: the exit code, L{None} when a signal ended it.
        """
        await self.ended.addTimeout(PATIENCE, reactor, self._late)
        return self.code

    def signal(self, name: str) -> None:
        """
        Send a signal, if it is still there.
        """
        if not self.ended.called:
            assert self.transport is not None
            self.transport.signalProcess(name)

    def _late(self, result: object, seconds: float) -> NoReturn:
        raise AssertionError(f"nothing within {seconds} s, after:\n{self.output}")


class House:
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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def secret(self, name: str, password: str, mode: int = 0o600) -> None:
        """
        Write a password file.
        """
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(password + "\n", encoding="utf-8")
        path.chmod(mode)

    def run(self, *argv: str) -> Daemon:
        """
        Start a process in the folder.
        """
        daemon = Daemon()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        environment.pop("TXWEBQQ_PASSWORD", None)
        reactor.spawnProcess(
            daemon, argv[0], argv, env=environment, path=str(self.folder)
        )
        self.daemons.append(daemon)
        return daemon

    def twistd(self, *argv: str) -> Daemon:
        """
        Start twistd.
        """
        return self.run(str(TWISTD), "-n", "--pidfile=", *argv)

    def server(self, *argv: str) -> Daemon:
        """
        Start the server.
        """
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        return self.twistd("webqq-server", "--listen", listen, *argv)

    def client(self, number: int, secret: str, *argv: str) -> Daemon:
        """
        Sign somebody on.
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
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """
    A house whose daemons are gone afterwards.
    """
    house = House(tmp_path)
    yield house
    for daemon in house.daemons:
        daemon.signal("KILL")


@ensureDeferred
async def test_demo(house: House) -> None:
    """
    The demo plays its whole conversation and leaves.
    """
    demo = house.run(sys.executable, str(ROOT / "examples" / "demo.py"), "--once")
    assert await demo.exits() == 0, demo.output
    for line in (
        "Echo is online",
        "Alice -> Echo: Hello",
        "Echo -> Alice: Hello",
        "Echo -> Teahouse: The tea is good indeed",
        "Alice sees that Echo is busy.",
        "Echo is kicked: ",
        "Alice has signed off.",
        "Everybody has left.",
    ):
        assert line in demo.output


@ensureDeferred
async def test_terminate(house: House) -> None:
    """
    A client that is told to stop signs off, and that is a success.
    """
    server = house.server("--population", "people.toml")
    await server.says("listens on")
    bot = house.client(10002, "bot")
    await bot.says("Signed on: 1 buddies, 0 groups.")
    bot.signal("TERM")
    assert await bot.exits() == 0
    assert "has signed off" in bot.output
    assert "not told" not in bot.output


@ensureDeferred
async def test_refused(house: House) -> None:
    """
    A wrong password ends the process with the server's words.
    """
    await house.server("--population", "people.toml").says("listens on")
    house.secret("guess", "tr0ub4dor&3")
    bot = house.client(10002, "guess")
    assert await bot.exits() == 1
    assert "密码" in bot.output
    assert "tr0ub4dor" not in bot.output


@ensureDeferred
async def test_kicked(house: House) -> None:
    """
    A second sign-on ends the first process, and only that.
    """
    await house.server("--population", "people.toml").says("listens on")
    first = house.client(10002, "bot")
    await first.says("Signed on")
    second = house.client(10002, "bot")
    await second.says("Signed on")
    assert await first.exits() == 1
    assert not second.ended.called


@ensureDeferred
async def test_killedServer(house: House) -> None:
    """
    What a server with a database has accepted outlives its being killed, and
    arrives once.
    """
    database = ("--database", "webqq.db")
    server = house.server(*database, "--population", "people.toml")
    await server.says("listens on")
    teller = house.client(10001, "alice", "--app", "teller.TellerFactory")
    assert await teller.exits() == 0, teller.output
    server.signal("KILL")
    await server.exits()
    await house.server(*database).says("listens on")
    bot = house.client(10002, "bot", "--log-text")
    await bot.says("Text: the 茶 is ready")
    bot.signal("TERM")
    await bot.exits()
    again = house.client(10002, "bot", "--log-text")
    await again.says("Signed on")
    again.signal("TERM")
    await again.exits()
    assert "Text:" not in again.output


@ensureDeferred
async def test_restartedServer(house: House) -> None:
    """
    A client comes back by itself when its server does.
    """
    people = ("--database", "webqq.db", "--population", "people.toml")
    server = house.server(*people)
    await server.says("listens on")
    bot = house.client(10002, "bot")
    await bot.says("Signed on")
    server.signal("KILL")
    await server.exits()
    await bot.says("Polling failed")
    bot.output = ""
    await house.server(*people).says("listens on")
    await bot.says("Signed on")


@ensureDeferred
@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["webqq"], "--account is missing"),
        (["webqq", "--account", "x"], "--account is not a QQ number: x"),
        (["webqq", "--account", "10002"], "no password"),
        (
            ["webqq", "--account", "10002", "--password-file", "open"],
            "others can read the password file: chmod 600 open",
        ),
        (
            ["webqq", "--account=1", "--password-file=bot", "--app=no.Such"],
            "--app no.Such cannot be used",
        ),
        (["webqq-server", "--population", "none.toml"], "none.toml"),
        (["webqq-server", "--captcha", "perhaps"], "perhaps"),
        (["webqq-server", "--listen", "carrier:pigeon"], "carrier"),
    ],
)
async def test_usage(house: House, argv: list[str], complaint: str) -> None:
    """
    Bad usage ends with 1 and one clear line last.
    """
    house.secret("open", "x", 0o644)
    daemon = house.twistd(*argv)
    assert await daemon.exits() == 1
    assert complaint in daemon.output.rstrip().splitlines()[-1]
    assert "Traceback" not in daemon.output
