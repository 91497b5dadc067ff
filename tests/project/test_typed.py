"""
The commands of README, the tutorial and the pages for administrators, typed one
after another into a shell, do what the pages say.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import treq
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.endtoend.daemons import (
    INTERVAL,
    PATIENCE,
    ROOT,
    TWISTD,
    Daemon,
    ProcessFolder,
    freePort,
)
from tests.irc.qqfriends import QQFriend
from tests.irc.servers import Ircd, IRCUser
from tests.network.authority import LOCALHOST, Authority
from tests.postgresql.server import PostgreSQLServer
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.model import Number
from txwebqq.server.population import parse
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import Database

README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
SERVER = (ROOT / "docs/server.md").read_text(encoding="utf-8")
ADMIN = (ROOT / "docs/admin.md").read_text(encoding="utf-8")
GATEWAY = (ROOT / "docs/irc-gateway.md").read_text(encoding="utf-8")
RELAY = (ROOT / "docs/irc-relay.md").read_text(encoding="utf-8")
UPGRADE = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")

TYPED = {README, CHINESE, TUTORIAL, SERVER, ADMIN, GATEWAY, RELAY, UPGRADE}
NOT_TYPED = {
    "compatibility.md": "port 80 needs root, and the address is one of documentation",
    "chat-page.md": "its command is the one of server.md; tests/page opens the page",
    "benchmarks.md": "it takes an hour",
    "fleet.md": "make demo-fleet and tests/fleet run what it describes",
    "today-qq.md": "it needs an account of QQ",
    "sending.md": "tests/endtoend/test_end_to_end_queue.py kills real processes",
    "operations.md": "tests/endtoend/test_end_to_end_operation.py asks real daemons",
    "running.md": "it needs systemd or podman; tests/project/test_units.py reads them",
    "configuration.md": "tests/commands/test_configcheck.py checks its keys and files",
    "onebot-bots.md": "it installs NoneBot; tests/onebot types the rest with its own",
}
"""Pages with commands that no test types, and why."""

CAROL = """
[[account]]
number = 10004
password = "open sesame"
"""

_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(
    r"^[^`\n]*`([\w.]+)`[:：]\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


class Terminal:
    """
    A user who begins with a page, saves its files and types its commands.

    The virtual environment is there already, and servers have ports of their own, so
    that tests run side by side. Everything else is typed as the page shows it.

    @ivar web: a port for a web server.
    @ivar irc: the port of the gateway.
    """

    def __init__(self, home: Path) -> None:
        self.processes = ProcessFolder(home)
        self._home = home
        self._commands: list[str] = []
        self._typed: list[str] = []
        self._folder = home
        self._clients: list[IRCUser | QQFriend] = []
        self.web = freePort()
        self.irc = freePort()

    async def open(self, page: str) -> Path:
        """
        Type the first commands of a page, and save its files.

        @param page: its text.
        @return: the folder that the commands changed to.
        """
        self._commands = _COMMANDS.findall(page)
        first = self._start(self._commands.pop(0) + "pwd\n")
        assert await first.exits() == 0, first.output
        self._folder = Path(first.output.strip())
        self._save(page, {})
        return self._folder

    def read(self, page: str, addresses: Mapping[str, str] | None = None) -> None:
        """
        Go on with another page in the same folder, and save its files.

        @param page: its text.
        @param addresses: for addresses of the page, those of servers that run here.
        """
        assert self._commands == []
        self._commands = _COMMANDS.findall(page)
        self._save(page, addresses or {})

    async def serve(self) -> None:
        """
        Start a server with the population of its page.
        """
        self._save(SERVER, {})
        server = self.processes.server("--population", "people.toml")
        await server.says("The WebQQ server listens on")

    def certify(self) -> Path:
        """
        Save a certificate, and its key, by the names of the server's page.

        @return: the file of the certificate authority.
        """
        authority = Authority(self._folder, "ours")
        text = authority.issue(LOCALHOST).read_text(encoding="ascii")
        key, begin, certificate = text.partition("-----BEGIN CERTIFICATE")
        (self._folder / "key.pem").write_text(key, encoding="ascii")
        (self._folder / "cert.pem").write_text(begin + certificate, encoding="ascii")
        return authority.file

    async def friend(
        self, number: int, password: str, authority: Path | None = None
    ) -> QQFriend:
        """
        Sign on an account.

        @param authority: the file of the certificate authority when the server
            uses TLS.
        """
        scheme, host, file = "http", "127.0.0.1", None
        if authority is not None:
            scheme, host, file = "https", "localhost", str(authority)
        url = f"{scheme}://{host}:{self.processes.port}"
        friend = QQFriend(url, number, password, file)
        self._clients.append(friend)
        await friend.start()
        return friend

    async def user(self, port: int, nick: str, password: str = "") -> IRCUser:
        """
        Connect an IRC client, and join the channel of the pages.
        """
        user = IRCUser(port, nick, password=password)
        self._clients.append(user)
        await user.join("#cats")
        return user

    async def type(self, part: str, line: str) -> Daemon:
        """
        Type the next commands of the page, and wait for a line of output.

        @param part: a part of these commands.
        """
        daemon = self._next(part)
        await daemon.says(line)
        return daemon

    async def again(self, part: str, line: str) -> Daemon:
        """
        Type commands again, and wait for a line of output.

        @param part: a part of these commands.
        """
        [commands] = [typed for typed in self._typed if part in typed]
        daemon = self._start(commands)
        await daemon.says(line)
        return daemon

    async def run(self, part: str) -> str:
        """
        Type the next commands of the page, and wait for their success.

        @param part: a part of these commands.
        @return: the output.
        """
        daemon = self._next(part)
        assert await daemon.exits() == 0, daemon.output
        return daemon.output

    async def answer(self, part: str, *answers: tuple[str, str]) -> str:
        """
        Type the next commands of the page, answer what they ask for, and wait for
        their success.

        @param part: a part of these commands.
        @param answers: each question, and its answer.
        @return: the output.
        """
        daemon = self._next(part, usePTY=True)
        for question, answer in answers:
            await daemon.says(question)
            daemon.type(answer)
        assert await daemon.exits() == 0, daemon.output
        return daemon.output

    def has(self, pattern: str) -> bool:
        """
        Tell if there is a file of such a name in the folder of the commands.
        """
        return any(self._folder.glob(pattern))

    async def stop(self, *daemons: Daemon) -> None:
        """
        Press Ctrl-C in the terminals of these daemons.
        """
        for daemon in daemons:
            daemon.signal("INT")
            await daemon.exits()

    def _save(self, page: str, addresses: Mapping[str, str]) -> None:
        port = self.processes.port
        listen = f'listen = ["tcp:{self.irc}:interface=127.0.0.1"]\n'
        for name, code in _FILE.findall(page):
            code = code.replace("8890", str(port))
            code = code.replace("[gateway]\n", f"[gateway]\n{listen}")
            # The address of the server is left out where it is the usual one.
            code = re.sub(
                r"^number = \d+\npassword-file = .*\n",
                rf'\g<0>server = "http://127.0.0.1:{port}"\n',
                code,
                flags=re.MULTILINE,
            )
            for address, here in addresses.items():
                assert address in code
                code = code.replace(address, here)
            (self._folder / name).write_text(code, encoding="utf-8")

    def _next(self, part: str, *, usePTY: bool = False) -> Daemon:
        commands = self._commands.pop(0)
        assert part in commands
        self._typed.append(commands)
        return self._start(commands, usePTY=usePTY)

    def _start(self, commands: str, *, usePTY: bool = False) -> Daemon:
        folder, port = TWISTD.parent, self.processes.port
        commands = commands.replace(". .venv/bin/activate", f". {folder}/activate")
        commands = re.sub(r"^pip install .*\n", "", commands, flags=re.MULTILINE)
        if "--listen" not in commands:
            commands = re.sub(
                r"webqq-server(.*)",
                rf"webqq-server\1 --listen tcp:{port}:interface=127.0.0.1",
                commands,
            )
        commands = commands.replace("ssl:8443", f"ssl:{port}")
        commands = commands.replace("=0.0.0.0", "=127.0.0.1")
        # A person would read the picture.
        commands = commands.replace("always", "always --captcha-text ABCD")
        commands = re.sub(
            r"--account \d+", rf"\g<0> --server http://127.0.0.1:{port}", commands
        )
        # Signals go to the daemon, not to its shell.
        commands = re.sub(r"^(.*=.* |)(?=twistd)", r"\1exec ", commands, flags=re.M)
        where = ROOT if "examples/" in commands else self._folder
        start = self.processes.runInTerminal if usePTY else self.processes.run
        return start(
            *("/usr/bin/env", f"HOME={self._home}", f"PATH={folder}:/usr/bin:/bin"),
            f"EMBED_SERVER=http://127.0.0.1:{port}",
            f"EMBED_LISTEN=tcp:{self.web}:interface=127.0.0.1",
            # A line that fails ends the commands, as a reader would.
            *("sh", "-e", "-c", f"cd {where}\n{commands}"),
        )

    async def close(self) -> list[str]:
        """
        End all clients and processes.

        @return: the commands of the page that were not typed.
        """
        for client in self._clients:
            await client.stop()
        self.processes.clear()
        return self._commands


@async_yield_fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    """
    A user whose home is empty; all commands of the page have to be typed.
    """
    terminal = Terminal(tmp_path)
    yield terminal
    assert await terminal.close() == []


def test_pages() -> None:
    """
    All pages with commands are typed, but for those that cannot be.
    """
    pages = {
        path.name: text
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
        if _COMMANDS.search(text := path.read_text(encoding="utf-8"))
    }
    assert {name for name, text in pages.items() if text not in TYPED} == {*NOT_TYPED}


@ensureDeferred
@pytest.mark.parametrize("page", [README, CHINESE], ids=["README", "README.zh"])
async def test_readme(terminal: Terminal, page: str) -> None:
    """
    The bot answers, and its test passes; nothing is left in the checkout.
    """
    folder = await terminal.open(page)
    assert not folder.is_relative_to(ROOT)
    await terminal.type("webqq-server", "The WebQQ server listens on")
    await terminal.type("--account 10002", "Signed on (account 10002).")
    if page is README:
        await terminal.type("--account 10001", "Bot says: hello")
        assert await terminal.run("python test_echo.py") == ""


@ensureDeferred
async def test_tutorial(terminal: Terminal) -> None:
    """
    All that the tutorial makes works: the test, the bots, the captcha, and the
    applications with a service.
    """
    folder = await terminal.open(TUTORIAL)
    assert not folder.is_relative_to(ROOT)
    assert "1 passed" in (await terminal.run("pytest")).splitlines()[-1]
    server = await terminal.type("webqq-server", "The WebQQ server listens on")
    bot = await terminal.type("--app echo", "Signed on (account 10002).")
    alice = await terminal.type("--app alice", "Bot says: hello")
    await terminal.stop(bot, alice)
    clerk = await terminal.type("--app clerk", "Signed on (account 10002).")
    alice = await terminal.again("--app alice", "Bot says: That would be too long.")
    await terminal.stop(clerk, alice, server)
    server = await terminal.type("--captcha always", "The WebQQ server listens on")
    reader = await terminal.type("--app reader", "Signing on (account 10002).")
    await reader.says("Captcha required (account 10002).")

    async def isSaved() -> bool:
        return (folder / "captcha.jpg").exists()

    await _until(isSaved)
    (folder / "captcha.txt").write_text("ABCD\n", encoding="utf-8")
    await reader.says("Signed on (account 10002).")
    await terminal.stop(reader, server)
    await terminal.again("--population people.toml\n", "The WebQQ server listens on")
    mine = await terminal.type("mine.tac", "Signed on (account 10002).")
    await terminal.stop(mine)
    await terminal.type("examples/embed.py", "Signed on (account 10002).")
    await terminal.again("--app alice", "Signed on (account 10001).")
    url = f"http://127.0.0.1:{terminal.web}/"

    async def isShown() -> bool:
        response = await treq.get(url, persistent=False)
        return "<li>Alice: hello" in await response.text()

    await _until(isShown)


@ensureDeferred
# What Twisted passes there is not ours to change.
@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")
async def test_administration(
    terminal: Terminal, postgreSQL: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The server of its page runs, also with TLS; an account that C{webqq-admin} adds
    meanwhile signs on and has its friend. Then all is copied to PostgreSQL and back.
    """
    for name, value in (("HOST", "127.0.0.1"), ("USER", "webqq")):
        monkeypatch.setenv(f"PG{name}", value)
    monkeypatch.setenv("PGPORT", str(postgreSQL.port))
    terminal.read(SERVER)
    server = await terminal.type("people.toml", "The WebQQ server listens on")
    assert await terminal.run("backup webqq-backup.db") == ""
    assert terminal.has("webqq-backup.db")
    await terminal.stop(server)
    assert "others can read" not in server.output
    authority = terminal.certify()
    server = await terminal.type("--listen ssl:", "The WebQQ server listens on")
    alice = await terminal.friend(10001, "correct horse", authority)

    terminal.read(ADMIN)
    password = "open sesame"
    asked = ("Password: ", password), ("Repeat the password: ", password)
    assert password not in await terminal.answer("account add", *asked)
    assert await terminal.run("friendship add") == (
        "10001\tAlice\n10002\tBob\n10003\t10003\n10004\tCarol\n"
    )
    assert await terminal.run("backup webqq-") == ""
    assert terminal.has("webqq-*-*-*.db")
    carol = await terminal.friend(10004, password, authority)
    await carol.tell("Alice", "good evening")
    await alice.shows("good evening")
    await terminal.stop(server)
    copied = await terminal.run("copy-database")
    assert copied.count("account: 4\n") == 2
    assert terminal.has("again.db")


@ensureDeferred
async def test_upgrade(terminal: Terminal, tmp_path: Path) -> None:
    """
    A backup of a server that runs is restored: sessions go on, and an account that
    was added since then is gone. After an upgrade, the copy of the old database takes
    its place again.
    """
    for name, schema in (("gateway", GATEWAY_SCHEMA), ("relay", RELAY_SCHEMA)):
        Database(tmp_path / f"{name}.sqlite", schema).close()
    terminal.read(UPGRADE)
    server = await terminal.type("webqq-server", "The WebQQ server listens on")
    bob = await terminal.friend(10002, "battery staple")
    assert await terminal.run("backup backup/webqq.db") == ""
    database = tmp_path / "webqq.db"
    store = Store(database, shared=True)
    importPopulation(store, parse(CAROL))
    store.close()
    await terminal.stop(server)
    assert await terminal.run("mkdir -m 700 before") == ""
    server = await terminal.again("webqq-server", "The WebQQ server listens on")
    store = Store(database, shared=True)
    assert not store.accounts.exists(Number(10004))
    store.close()
    alice = await terminal.friend(10001, "correct horse")
    await alice.tell("Bot", "good evening")
    await bob.shows("good evening")
    await terminal.stop(server)

    def setVersion(version: int) -> None:
        with closing(sqlite3.connect(database)) as db:
            db.execute(f"PRAGMA user_version = {version}")

    setVersion(8)
    server = await terminal.again("webqq-server", "a copy of the old one is in")
    await alice.tell("Bot", "after the upgrade")
    await bob.shows("after the upgrade")
    await terminal.stop(server)
    setVersion(99)
    await terminal.again("webqq-server", "written by a newer txwebqq: its schema is 99")
    assert await terminal.run("v8-backup") == ""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (8,)
    await terminal.again("webqq-server", "The WebQQ server listens on")


@ensureDeferred
async def test_gateway(terminal: Terminal) -> None:
    """
    The user of the gateway's page logs in, and reads and writes in a group.
    """
    await terminal.serve()
    bob = await terminal.friend(10002, "battery staple")
    terminal.read(GATEWAY)
    gateway = await terminal.type("irc.toml", f"starting on {terminal.irc}")
    alice = await terminal.user(terminal.irc, "alice", "alice:oolong")
    await bob.tellGroup("cats", "good evening")
    await alice.shows("good evening")
    alice.say("#cats", "hello")
    await bob.shows("200001: hello")
    await terminal.stop(gateway)
    assert terminal.has("gateway.sqlite")
    twice = (("Password:", "oolong"), ("Repeat the password:", "oolong"))
    assert "$scrypt$" in await terminal.answer("hash-password", *twice)


@ensureDeferred
async def test_relay(terminal: Terminal) -> None:
    """
    The relay of its page relays between its group and its channel.
    """
    ircd = Ircd(terminal.processes, "ngircd")
    await ircd.start()
    dave = await terminal.user(ircd.port, "dave")
    await terminal.serve()
    bob = await terminal.friend(10002, "battery staple")
    endpoint = "tls:irc.example.org:6697"
    terminal.read(RELAY, {endpoint: f"tcp:127.0.0.1:{ircd.port}"})
    relay = await terminal.type("relay.toml", "Account 10001 is signed on.")
    await dave.seesJoin("qqrelay")
    await bob.tellGroup("cats", "good evening")
    await dave.shows("good evening")
    dave.say("#cats", "hello")
    await bob.shows("200001: <dave> hello")
    await terminal.stop(relay)
    assert terminal.has("relay.sqlite")


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    """
    Wait until a condition holds that has no event.
    """
    deadline = reactor.seconds() + PATIENCE
    while not await holds():
        assert reactor.seconds() < deadline
        await deferLater(reactor, INTERVAL)
