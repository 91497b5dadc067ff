"""
irssi, finch, WeeChat, ii, sic and pydle, controlled by tests: commands are typed,
and the screen, the output or the logs are read.
"""

from __future__ import annotations

import os
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue

from tests.endtoend.daemons import INTERVAL, PATIENCE, ROOT, Daemon
from tests.irc.programs import missing, program

_CLOCK = re.compile(r"^ \[\d\d:\d\d\] ", re.MULTILINE)
"""The status line, which irssi draws when it has started to read keys."""

_ACCOUNT = """<?xml version="1.0" encoding="UTF-8" ?>
<account version="1.0">
 <account>
  <protocol>prpl-irc</protocol>
  <name>{nick}@127.0.0.1</name>
  <password>{password}</password>
  <settings>
   <setting name="port" type="int">{port}</setting>
   <setting name="ssl" type="bool">0</setting>
   <setting name="sasl" type="bool">{sasl}</setting>
   <setting name="auth_plain_in_clear" type="bool">1</setting>
   <setting name="username" type="string">{nick}</setting>
  </settings>
  <settings ui="gnt-purple">
   <setting name="auto-login" type="bool">1</setting>
  </settings>
 </account>
</account>
"""

_PREFERENCES = """<?xml version="1.0" encoding="UTF-8" ?>
<pref version="1" name="/"><pref name="purple"><pref name="logging">
 <pref name="log_ims" type="bool" value="1"/>
 <pref name="log_chats" type="bool" value="1"/>
 <pref name="format" type="string" value="txt"/>
</pref></pref></pref>
"""
"""finch writes what it shows to text files."""

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
        return await _until(self.look, accept, wanted)


async def _until(
    look: Callable[[], Awaitable[str]], accept: Callable[[str], object], wanted: object
) -> str:
    deadline = reactor.seconds() + PATIENCE
    while True:
        seen = await look()
        if accept(seen):
            return seen
        if reactor.seconds() > deadline:
            _late(wanted, seen)
        await deferLater(reactor, INTERVAL)


def _late(wanted: object, seen: str) -> NoReturn:
    raise AssertionError(f"no {wanted!r} within {PATIENCE} s, but:\n{seen}")


class ScreenClient(Terminal):
    """
    A client in a tmux session.

    @param folder: its home, which must not exist.
    @param name: the name of the program.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._tmux = program("tmux")
        self._program = program(name)
        self._folder = folder
        self._socket = folder / "tmux"
        self._process: Path | None = None

    async def _open(self, width: int, height: int, *argv: str) -> None:
        """
        Start the program on a screen.

        @param argv: its arguments.
        """
        size = ("-x", str(width), "-y", str(height))
        command = ("new-session", "-d", *size, self._program, *argv)
        await self._run("-f", "/dev/null", *command)
        pid = await self._run("display-message", "-p", "#{pane_pid}")
        # Exists as long as the process does, on Linux.
        self._process = Path("/proc", pid.strip(), "exe")

    async def _sendKeys(self, text: str) -> None:
        """
        Type a line and Enter.
        """
        await self._run("send-keys", "-l", "--", text)
        await self._run("send-keys", "Enter")

    async def _capture(self) -> str:
        return await self._run("capture-pane", "-p", "-J")

    async def stop(self) -> None:
        """
        End the tmux session, and wait until the process has ended.
        """
        if self._process is not None:
            process, self._process = self._process, None
            await self._run("kill-server")
            while process.exists():
                await deferLater(reactor, INTERVAL)

    async def _run(self, *argv: str) -> str:
        environment = {**_ENVIRONMENT, "HOME": str(self._folder)}
        out, err, code = await getProcessOutputAndValue(
            self._tmux, ("-u", "-S", str(self._socket), *argv), environment
        )
        if code:
            raise AssertionError(f"tmux {argv}: {err.decode()}")
        text: str = out.decode("utf-8", "replace")
        return text


class Irssi(ScreenClient):
    """
    irssi, with all text in one window.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "irssi")

    async def start(self, *settings: str) -> None:
        """
        Start irssi, which executes these commands first.
        """
        self._folder.mkdir(parents=True)
        startup = self._folder / "startup"
        # One window, high enough that nothing scrolls away.
        commands = ["/set autocreate_windows OFF", "/set autoclose_windows OFF"]
        startup.write_text("\n".join([*commands, *settings]) + "\n", encoding="utf-8")
        await self._open(180, 300, f"--home={self._folder}")
        await self.until(_CLOCK.search, "clock")

    async def type(self, text: str) -> None:
        """
        Type a line and Enter.
        """
        await self._sendKeys(text)

    async def look(self) -> str:
        return await self._capture()


class Finch(ScreenClient):
    """
    finch, the terminal program of libpurple; its logs are read, since its windows
    cover each other.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "finch")

    async def start(
        self, nick: str, password: str, port: int, *, sasl: bool = False
    ) -> None:
        """
        Start finch, which connects to a port of this machine at once.

        @param sasl: whether the password is sent by SASL, and not by PASS.
        """
        purple = self._folder / "purple"
        purple.mkdir(parents=True)
        (purple / "accounts.xml").write_text(
            _ACCOUNT.format(nick=nick, password=password, port=port, sasl=int(sasl)),
            encoding="utf-8",
        )
        (purple / "prefs.xml").write_text(_PREFERENCES, encoding="utf-8")
        await self._open(150, 50, f"--config={purple}")

    async def type(self, text: str, window: str) -> None:
        """
        Type a line and Enter in the window of a channel or a nick, when there is
        one.
        """

        def position(screen: str) -> int | None:
            # The titles of all windows are at the bottom, as they were opened.
            titles = (screen.rstrip().splitlines() or [""])[-1].split("│")
            found = [n for n, title in enumerate(titles, 1) if f"{window} (" in title]
            return found[0] if found else None

        screen = await _until(self._capture, position, window)
        await self._run("send-keys", f"M-{position(screen)}")
        await self._sendKeys(text)

    async def look(self) -> str:
        logs = sorted(self._folder.glob("purple/logs/irc/*/*/*.txt"))
        return "\n".join(
            f"== {unquote(log.parent.name)}\n{log.read_text(encoding='utf-8')}"
            for log in logs
        )


class ScreenlessClient(Terminal):
    """
    A client that needs no screen.

    @param name: the name of the program.
    """

    def __init__(self, name: str) -> None:
        self._program = program(name)
        self._daemon = Daemon()

    def _open(self, argv: Iterable[str], **variables: str) -> None:
        """
        Start the program with arguments and more environment variables.
        """
        environment = {**os.environ, **_ENVIRONMENT, **variables}
        command = (self._program, *argv)
        reactor.spawnProcess(self._daemon, self._program, command, environment)

    async def stop(self) -> None:
        """
        Kill the process, and wait until it has ended.
        """
        if self._daemon.transport is not None:
            self._daemon.signal("KILL")
            await self._daemon.exits()


class Ii(ScreenlessClient):
    """
    ii, which has a folder for each channel and nick: lines are written to a pipe
    there, and a file shows what was said.

    @param folder: its home, which must not exist.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("ii")
        self._folder = folder
        self._pipes: dict[Path, int] = {}

    def start(self, nick: str, password: str, port: int) -> None:
        """
        Start ii, which connects to a port of this machine at once.
        """
        self._folder.mkdir(parents=True)
        address = ("-s", "127.0.0.1", "-p", str(port), "-n", nick)
        argv = (*address, "-k", "IRC_PASSWORD", "-i", str(self._folder))
        self._open(argv, IRC_PASSWORD=password)

    async def type(self, text: str, window: str = "") -> None:
        """
        Write a line in the folder of a channel or a nick, when there is one, or in
        that of the server.
        """
        folder = self._window(window)

        async def pipe() -> str:
            # ii opens a pipe before it writes to the file beside it.
            return str(folder) if (folder / "out").exists() else await self.look()

        await _until(pipe, lambda seen: seen == str(folder), folder)
        # When its writer closes it, ii opens a pipe again, and loses what comes then.
        if folder not in self._pipes:
            self._pipes[folder] = os.open(folder / "in", os.O_WRONLY | os.O_NONBLOCK)
        os.write(self._pipes[folder], f"{text}\n".encode())

    async def leave(self, window: str) -> None:
        """
        Leave a channel, and wait until its pipe is gone.
        """
        await self.type("/l", window)
        folder = self._window(window)
        await self.until(lambda _: not (folder / "in").exists(), "end of the pipe")
        os.close(self._pipes.pop(folder))

    def _window(self, name: str) -> Path:
        # ii replaces all other bytes in the name of a folder.
        plain = re.sub(rb"[^#0-9A-Za-z]", b"_", name.encode()).decode()
        return self._folder / "127.0.0.1" / plain

    async def look(self) -> str:
        logs = sorted(self._folder.rglob("out"))
        return "\n".join(
            f"== {log.parent.name}\n{log.read_text(encoding='utf-8')}" for log in logs
        )

    async def stop(self) -> None:
        for pipe in self._pipes.values():
            os.close(pipe)
        self._pipes.clear()
        await super().stop()


class LineClient(ScreenlessClient):
    """
    A client that reads lines, and writes what was said.
    """

    def type(self, text: str) -> None:
        """
        Type a line and Enter.
        """
        assert self._daemon.transport is not None
        self._daemon.transport.write(f"{text}\n".encode())

    async def look(self) -> str:
        return self._daemon.output


class Sic(LineClient):
    """
    sic, for which a line that starts with C{:} is a command.
    """

    def __init__(self) -> None:
        super().__init__("sic")

    def start(self, nick: str, password: str, port: int) -> None:
        """
        Start sic, which connects to a port of this machine at once.
        """
        address = ("-h", "127.0.0.1", "-p", str(port), "-n", nick)
        self._open((*address, "-k", password))


class Pydle(LineClient):
    """
    pydle, a Python library, in a program of the tests: a line is a target, a space
    and a text.
    """

    def __init__(self) -> None:
        super().__init__(sys.executable)

    def start(self, nick: str, password: str, port: int) -> None:
        """
        Start the program, which connects to a port of this machine at once.
        """
        argv = ("-m", "tests.irc.pydleprogram", nick, str(port))
        self._open(argv, IRC_PASSWORD=password, PYTHONPATH=str(ROOT))


class WeeChat(ScreenlessClient):
    """
    WeeChat without a screen; its logs are read instead.

    @param folder: its home, which must not exist.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("weechat-headless")
        self._folder = folder
        self._pipe = folder / "fifo"

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
        argv = ["--dir", str(self._folder)]
        for command in (*settings, *commands):
            argv += ["--run-command", command]
        self._open(argv)
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
