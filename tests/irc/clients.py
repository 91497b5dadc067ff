"""
irssi and WeeChat, controlled by tests: commands are typed, and the screen or the
logs are read.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue

from tests.endtoend.daemons import INTERVAL, PATIENCE, Daemon
from tests.irc.programs import missing, program

_CLOCK = re.compile(r"^ \[\d\d:\d\d\] ", re.MULTILINE)
"""The status line, which irssi draws when it has started to read keys."""

_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TERM": "screen-256color",
    "PATH": os.environ.get("PATH", ""),
}


class Terminal(ABC):
    """
    A chat client that a test controls.
    """

    @abstractmethod
    async def look(self) -> str:
        """
        Return all text that the client shows now.
        """

    @abstractmethod
    async def stop(self) -> None:
        """
        End the client without C{QUIT}.
        """

    async def shows(self, *texts: str) -> str:
        """
        Wait until the client shows all of these texts.

        @return: fires with all text that the client shows then; fails after
            L{PATIENCE} seconds.
        """
        return await self.until(lambda seen: all(t in seen for t in texts), texts)

    async def until(self, accept: Callable[[str], object], wanted: object) -> str:
        """
        Wait until the text that the client shows is accepted.

        @param wanted: names the condition in the error.
        """
        deadline = reactor.seconds() + PATIENCE
        while True:
            seen = await self.look()
            if accept(seen):
                return seen
            if reactor.seconds() > deadline:
                _late(wanted, seen)
            await deferLater(reactor, INTERVAL)


def _late(wanted: object, seen: str) -> NoReturn:
    raise AssertionError(f"no {wanted!r} within {PATIENCE} s, but:\n{seen}")


class Irssi(Terminal):
    """
    irssi in a tmux session, with all text in one window.

    @param folder: its home, which must not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._tmux = program("tmux")
        self._irssi = program("irssi")
        self._folder = folder
        self._socket = folder / "tmux"
        self._process: Path | None = None

    async def start(self, *settings: str) -> None:
        """
        Start irssi, which executes these commands first.
        """
        self._folder.mkdir(parents=True)
        startup = self._folder / "startup"
        # One window, high enough that nothing scrolls away.
        commands = ["/set autocreate_windows OFF", "/set autoclose_windows OFF"]
        startup.write_text("\n".join([*commands, *settings]) + "\n", encoding="utf-8")
        await self._run(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "180",
            "-y",
            "300",
            self._irssi,
            f"--home={self._folder}",
        )
        pid = await self._run("display-message", "-p", "#{pane_pid}")
        # Exists as long as the process does, on Linux.
        self._process = Path("/proc", pid.strip(), "exe")
        await self.until(_CLOCK.search, "clock")

    async def type(self, text: str) -> None:
        """
        Type a line and Enter.
        """
        await self._run("send-keys", "-l", "--", text)
        await self._run("send-keys", "Enter")

    async def look(self) -> str:
        return await self._run("capture-pane", "-p", "-J")

    async def stop(self) -> None:
        """
        End the tmux session, and wait until the process of irssi has ended.
        """
        if self._process is not None:
            process, self._process = self._process, None
            await self._run("kill-server")
            while process.exists():
                await deferLater(reactor, INTERVAL)

    async def _run(self, *argv: str) -> str:
        out, err, code = await getProcessOutputAndValue(
            self._tmux, ("-u", "-S", str(self._socket), *argv), _ENVIRONMENT
        )
        if code:
            raise AssertionError(f"tmux {argv}: {err.decode()}")
        text: str = out.decode("utf-8", "replace")
        return text


class WeeChat(Terminal):
    """
    WeeChat without a screen; its logs are read instead.

    @param folder: its home, which must not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._program = program("weechat-headless")
        self._folder = folder
        self._pipe = folder / "fifo"
        self._daemon = Daemon()

    async def start(self, *commands: str) -> None:
        """
        Start WeeChat, which executes these commands first.
        """
        self._folder.mkdir(parents=True)
        settings = (
            f"/set fifo.file.path {self._pipe}",
            "/set logger.file.flush_delay 0",
            "/set logger.file.mask $plugin.$name.weechatlog",
            "/set logger.mask.irc $plugin.$name.weechatlog",
            "/set irc.server_default.autoreconnect_delay 1",
        )
        argv = [self._program, "--dir", str(self._folder)]
        for command in (*settings, *commands):
            argv += ["--run-command", command]
        reactor.spawnProcess(
            self._daemon, argv[0], argv, {**os.environ, **_ENVIRONMENT}
        )
        absent = '"fifo.file.path" not found'
        seen = await self.until(
            lambda seen: self._pipe.exists() or absent in seen, "pipe"
        )
        if absent in seen:
            missing("WeeChat's plugin fifo")

    async def type(self, text: str, buffer: str = "core.weechat") -> None:
        """
        Type a line in a buffer, for example C{irc.qq.#cats}.
        """
        with self._pipe.open("w", encoding="utf-8") as pipe:
            pipe.write(f"{buffer} *{text}\n")

    async def look(self) -> str:
        logs = sorted((self._folder / "logs").glob("*.weechatlog"))
        return "\n".join(
            f"== {log.stem}\n{log.read_text(encoding='utf-8', errors='replace')}"
            for log in logs
        )

    async def stop(self) -> None:
        if self._daemon.transport is not None:
            self._daemon.signal("KILL")
            await self._daemon.exits()
