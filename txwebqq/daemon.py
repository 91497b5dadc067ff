"""
Start and end of a daemon that runs under C{twistd}.
"""

from __future__ import annotations

import io
import os
import pwd
import signal
import stat
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized


class StartupError(SystemExit, Exception):
    """
    Ends the process with one line and no traceback. It is an L{Exception} too,
    since C{twistd} passes only those from the background process to the
    foreground process that waits for it.
    """


def escapeUnencodable() -> None:
    """
    Have characters that the encoding of the terminal lacks written as escapes.
    By default a log line with one of them is lost, and servers write Chinese.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def listenErrorText(error: object) -> str:
    """
    Make the text for an error of listening at a port.
    """
    if isinstance(error, CannotListenError):
        error = error.socketError
    return str(getattr(error, "strerror", None) or error)


def handleSignals(
    reactor: Any, isForeground: bool, reload: Callable[[], object] | None = None
) -> None:
    """
    Handle the signals of an operator. Call this when the reactor runs.

    SIGTERM stops the reactor and ends the process with exit code 0; by default
    C{twistd} ends by the signal itself. Signals after the first one do not
    disturb the end. SIGHUP starts a new log file, and has the settings read again; a
    process in the foreground, which has lost its terminal then, stops as after
    SIGTERM.

    @param isForeground: whether the process runs under C{twistd -n}.
    @param reload: reads the settings again, L{None} when they are not in a file. A
        process in the foreground that has them there stops at SIGHUP only if it had a
        terminal, which is gone.
    """

    def stop() -> None:
        with suppress(ReactorNotRunning):
            reactor.stop()

    def terminate(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(stop)

    def interrupt(number: int, frame: FrameType | None) -> None:
        # Again: the end has begun already.
        signal.signal(signal.SIGINT, terminate)
        if callable(interruptBefore):
            interruptBefore(number, frame)

    def hangUp(number: int, frame: FrameType | None) -> None:
        rotate = signal.getsignal(signal.SIGUSR1)
        if isForeground and (reload is None or (hadTerminal and not _hasTerminal())):
            terminate(number, frame)
            return
        if callable(rotate):
            # The log's own handler, which is there if it writes a file.
            rotate(number, frame)
        if reload is not None:
            reactor.callFromThread(reload)

    hadTerminal = isForeground and _hasTerminal()

    interruptBefore = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, interrupt)
    # nohup has the signal ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hangUp)


def _hasTerminal() -> bool:
    try:
        termios.tcgetattr(0)
    except (termios.error, OSError):
        return False
    return True


class Daemon(MultiService):
    """
    The services of a process, which ends with one line when one of them cannot listen.

    @param twistd: the options of twistd.
    @param makeObserver: opens the log, L{None} for that of twistd.
    """

    def __init__(
        self,
        twistd: Mapping[str, Any] | None,
        makeObserver: Callable[[], ILogObserver] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._makeObserver = makeObserver
        LogFileOwner(twistd).setServiceParent(self)  # type: ignore[no-untyped-call]

    def setServiceParent(self, parent: Any) -> None:
        """
        Set the parent. An application has our log installed by twistd, which asks
        for it next.
        """
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]
        if self._makeObserver is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._makeObserver())

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except CannotListenError as e:
            where = f"{e.interface}:{e.port}" if e.port else e.interface
            raise StartupError(f"Cannot listen on {where}: {listenErrorText(e)}") from e


@contextmanager
def asDaemonUser(twistd: Mapping[str, Any]) -> Iterator[None]:
    """
    Switch to the user of C{twistd --uid}, who must own the files that are
    written: twistd itself switches only after the privileged start.

    @param twistd: the options of twistd.
    """
    ids = _daemonIds(twistd)
    if ids is None:
        yield
        return
    uid, gid = ids
    oldGid, oldGroups = os.getegid(), os.getgroups()
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(oldGid)
        os.setgroups(oldGroups)


def _daemonIds(twistd: Mapping[str, Any]) -> tuple[int, int] | None:
    uid, gid = twistd.get("uid"), twistd.get("gid")
    if uid is None or os.geteuid() != 0:
        return None
    if gid is None:
        try:
            gid = pwd.getpwuid(uid).pw_gid
        except KeyError:
            gid = os.getegid()
    return uid, gid


class LogFileOwner(Service):
    """
    Gives the log file to the user of C{twistd --uid}: twistd creates it as root
    and could not begin another one later.

    @param twistd: the options of twistd.
    """

    _log = Logger()

    def __init__(self, twistd: Mapping[str, Any] | None) -> None:
        self._twistd = twistd = twistd or {}
        path: str | None = twistd.get("logfile")
        if not path and not twistd.get("nodaemon"):
            path = "twistd.log"
        isFile = path is not None and path != "-" and not twistd.get("syslog")
        # twistd opens the file before it goes to --rundir, this runs after it.
        self._path = Path(path).absolute() if path and isFile else None

    def privilegedStartService(self) -> None:
        """
        Change the owner, while the process is still root's.
        """
        ids, path = _daemonIds(self._twistd), self._path
        if ids is None or path is None:
            return
        try:
            # A user who can write to the folder could have put a link there.
            file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                found = os.fstat(file)
                if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                    os.fchown(file, *ids)
            finally:
                os.close(file)
        except OSError as e:
            self._log.warn(
                "The log file {path} stays root's: {reason}; it will grow without end.",
                path=path,
                reason=e.strerror,
            )
