"""
The log of a process: the observer that C{twistd} installs.
"""

from __future__ import annotations

import signal
import sys
import syslog
from collections.abc import Callable, Mapping
from os import fstat
from pathlib import Path
from types import FrameType
from typing import Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LegacyLogObserverWrapper,
    LogEvent,
    LogLevel,
    textFileLogObserver,
)
from twisted.python.logfile import LogFile
from twisted.python.syslog import SyslogObserver
from zope.interface import implementer

from txwebqq.daemon import StartupError
from txwebqq.logs.jsonlines import jsonLine
from txwebqq.logs.levels import LogLevels

MEGABYTE = 1_000_000

_PRIORITIES = {
    LogLevel.debug: syslog.LOG_DEBUG,
    LogLevel.info: syslog.LOG_INFO,
    LogLevel.warn: syslog.LOG_WARNING,
    LogLevel.error: syslog.LOG_ERR,
    LogLevel.critical: syslog.LOG_CRIT,
}


class RotatedLogFile(LogFile):
    """
    A log file that goes on in a new file when it is too large, or when another
    program has moved it away.
    """

    def rotate(self) -> None:
        """
        Begin a new file: the one that is there is kept under another name, unless it
        was moved already.
        """
        own: Any = self
        base: Any = super()
        if not self._isMoved():
            base.rotate()
            return
        before = own._file
        try:
            own._openFile()
        except OSError:
            # The folder cannot be written to: go on as long as the file is there.
            return
        before.close()

    def _isMoved(self) -> bool:
        try:
            found = Path(self.path).stat()
        except OSError:
            return True
        here = fstat(self._file.fileno())
        return (found.st_dev, found.st_ino) != (here.st_dev, here.st_ino)


@implementer(ILogObserver)
class JSONSyslogObserver:
    """
    Sends lines of JSON to syslog, with the priorities of the levels.

    @param send: sends a priority and a line.
    """

    def __init__(self, send: Callable[[int, str], object]) -> None:
        self._send = send

    def __call__(self, event: LogEvent) -> None:
        """
        Send an event.
        """
        line = jsonLine(event)
        if line is not None:
            level = event.get("log_level")
            self._send(_PRIORITIES.get(level, syslog.LOG_INFO), line.rstrip())


class LogSettings:
    """
    The settings of the log.

    @param twistd: the options of twistd, which name the place of the log.
    @param isJSON: whether events are lines of JSON.
    @param size: the size in megabytes at which a file is ended, 0 for any size.

    @ivar levels: the levels of the events that are logged, which may be changed at
        any time.
    """

    def __init__(
        self,
        twistd: Mapping[str, Any],
        isJSON: bool = False,
        levels: LogLevels | None = None,
        size: float = 1.0,
    ) -> None:
        self._twistd = twistd
        self._isJSON = isJSON
        self._size = size
        self.levels = levels or LogLevels()

    def makeObserver(self, reactor: Any) -> ILogObserver:
        """
        Open the log at the place that the options of twistd name.

        @raise StartupError: when it is the standard output, which a process in the
            background does not have.
        """
        return FilteringLogObserver(self._observer(reactor), [self.levels.predicate])

    def _observer(self, reactor: Any) -> ILogObserver:
        if self._twistd.get("syslog"):
            sender: Any = SyslogObserver(self._twistd.get("prefix") or "twisted")
            if self._isJSON:
                return JSONSyslogObserver(sender.syslog)
            return LegacyLogObserverWrapper(sender.emit)
        file = self._file(reactor)
        if self._isJSON:
            return FileLogObserver(file, jsonLine)
        return textFileLogObserver(file)

    def _file(self, reactor: Any) -> Any:
        path, isForeground = self._twistd.get("logfile"), self._twistd.get("nodaemon")
        if path == "-" and not isForeground:
            raise StartupError("Daemons cannot log to stdout, exiting!")
        if path == "-" or (isForeground and not path):
            return sys.stdout
        size = int(self._size * MEGABYTE) or None
        openFile: Callable[..., Any] = RotatedLogFile.fromFullPath
        file = openFile(path or "twistd.log", size)
        if not signal.getsignal(signal.SIGUSR1):

            def rotate(number: int, frame: FrameType | None) -> None:
                reactor.callFromThread(file.rotate)

            signal.signal(signal.SIGUSR1, rotate)
        return file
