"""
The commands of README and tutorial, typed one after another into a shell, print
what the pages say.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import treq
from pytest_twisted import ensureDeferred
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

README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")

_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(
    r"^[^`\n]*`([\w.]+)`[:：]\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


class Terminal:
    """
    A user who begins with a page, saves its files and types its commands.

    The virtual environment is there already, and servers have ports of their own, so
    that tests run side by side. Everything else is typed as the page shows it.
    """

    def __init__(self, home: Path) -> None:
        self._processes = ProcessFolder(home)
        self._home = home
        self._commands: list[str] = []
        self._typed: list[str] = []
        self._folder = home
        self.web = freePort()

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
        for name, code in _FILE.findall(page):
            code = code.replace("8890", str(self._processes.port))
            (self._folder / name).write_text(code, encoding="utf-8")
        return self._folder

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

    async def stop(self, *daemons: Daemon) -> None:
        """
        Press Ctrl-C in the terminals of these daemons.
        """
        for daemon in daemons:
            daemon.signal("INT")
            await daemon.exits()

    def _next(self, part: str) -> Daemon:
        commands = self._commands.pop(0)
        assert part in commands
        self._typed.append(commands)
        return self._start(commands)

    def _start(self, commands: str) -> Daemon:
        folder, port = TWISTD.parent, self._processes.port
        commands = commands.replace(". .venv/bin/activate", f". {folder}/activate")
        commands = re.sub(r"^pip install .*\n", "", commands, flags=re.MULTILINE)
        commands = re.sub(
            r"webqq-server(.*)",
            rf"webqq-server\1 --listen tcp:{port}:interface=127.0.0.1",
            commands,
        )
        # A person would read the picture.
        commands = commands.replace("always", "always --captcha-text ABCD")
        commands = re.sub(
            r"--account \d+", rf"\g<0> --server http://127.0.0.1:{port}", commands
        )
        # Signals go to the daemon, not to its shell.
        commands = re.sub(r"^(.*=.* |)(?=twistd)", r"\1exec ", commands, flags=re.M)
        where = ROOT if "examples/" in commands else self._folder
        return self._processes.run(
            *("/usr/bin/env", f"HOME={self._home}", f"PATH={folder}:/usr/bin:/bin"),
            f"EMBED_SERVER=http://127.0.0.1:{port}",
            f"EMBED_LISTEN=tcp:{self.web}:interface=127.0.0.1",
            *("sh", "-c", f"cd {where}\n{commands}"),
        )

    def close(self) -> list[str]:
        """
        End all processes.

        @return: the commands of the page that were not typed.
        """
        self._processes.clear()
        return self._commands


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """
    A user whose home is empty; all commands of the page have to be typed.
    """
    terminal = Terminal(tmp_path)
    yield terminal
    assert terminal.close() == []


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


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    """
    Wait until a condition holds that has no event.
    """
    deadline = reactor.seconds() + PATIENCE
    while not await holds():
        assert reactor.seconds() < deadline
        await deferLater(reactor, INTERVAL)
