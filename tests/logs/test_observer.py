"""
The log of a process: its levels, its places and its files.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import syslog
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import Application
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python.usage import UsageError

from txwebqq.daemon import Daemon, StartupError
from txwebqq.errors import InvalidConfiguration
from txwebqq.logs import observer
from txwebqq.logs.levels import LogLevels
from txwebqq.logs.observer import LogSettings, RotatedLogFile
from txwebqq.logs.options import LogOptions


class CallingReactor:
    """
    A reactor that calls at once.
    """

    def callFromThread(self, call: Callable[[], object]) -> None:
        call()


class ClosedLogFile(RotatedLogFile):
    """
    A log file that is closed after the test.
    """

    opened: list[Any] = []

    def _openFile(self) -> None:
        base: Any = super()
        base._openFile()
        self.opened.append(self._file)


@pytest.fixture(autouse=True)
def rotation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Put the handler of SIGUSR1 back, and close the files.
    """
    monkeypatch.setattr(observer, "RotatedLogFile", ClosedLogFile)
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGUSR1, before)
    while ClosedLogFile.opened:
        ClosedLogFile.opened.pop().close()


def loggerOf(settings: LogSettings) -> Logger:
    made = settings.makeObserver(CallingReactor())
    return Logger(namespace="txwebqq.test", observer=made)


def parsed(*argv: str) -> LogOptions:
    options = LogOptions()
    options.parseOptions(argv)
    options.readLogs()
    return options


def test_foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    In the foreground the log goes to the standard output: as twistd writes it, or as
    JSON.
    """
    for options, isJSON in (({}, False), ({"logfile": "-"}, True)):
        stdout = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stdout)
        log = loggerOf(LogSettings({"nodaemon": True, **options}, isJSON))
        log.info("It is {what}.", what="茶")
        log.debug("More.")
        (line,) = stdout.getvalue().splitlines()
        if isJSON:
            assert json.loads(line)["what"] == "茶"
        else:
            assert line.endswith(" [txwebqq.test#info] It is 茶.")


def test_background() -> None:
    """
    A process in the background has no standard output.
    """
    with pytest.raises(StartupError, match="stdout"):
        LogSettings({"logfile": "-"}).makeObserver(CallingReactor())


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a name the file is C{twistd.log}. It is ended at its size, and at SIGUSR1.
    """
    monkeypatch.chdir(tmp_path)
    log = loggerOf(LogSettings({}, isJSON=True, size=0.001))
    for number in range(10):
        log.info("{text}", text=f"{number}" * 200)
    signal.raise_signal(signal.SIGUSR1)
    log.info("last")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"twistd.log", "twistd.log.1", "twistd.log.2"} <= names
    (line,) = (tmp_path / "twistd.log").read_text().splitlines()
    assert json.loads(line)["message"] == "last"


def test_endless(tmp_path: Path) -> None:
    """
    With the size 0 a file is not ended by its size.
    """
    file = tmp_path / "q.log"
    log = loggerOf(LogSettings({"logfile": str(file)}, size=0.0))
    for _ in range(3):
        log.info("{text}", text="a" * 700_000)
    assert [path.name for path in tmp_path.iterdir()] == ["q.log"]


def test_moved(tmp_path: Path) -> None:
    """
    After logrotate has moved the file, SIGUSR1 begins a new one of that name and
    moves nothing; also when logrotate has created it.
    """
    file = tmp_path / "q.log"
    log = loggerOf(LogSettings({"logfile": str(file)}))
    for number in range(2):
        log.info("before {number}", number=number)
        file.rename(moved := tmp_path / f"q.log-{number}")
        if number:
            file.touch()
        log.info("moved {number}", number=number)
        signal.raise_signal(signal.SIGUSR1)
        log.info("after {number}", number=number)
        assert "moved" in moved.read_text()
        assert "after" in file.read_text()
        assert f"after {number}" not in moved.read_text()
    assert len(list(tmp_path.iterdir())) == 3


def test_movedAway(tmp_path: Path) -> None:
    """
    A log goes on in the file that was moved when no new one can be made.
    """
    folder = tmp_path / "old"
    folder.mkdir()
    made: Any = RotatedLogFile.fromFullPath(str(folder / "q.log"))
    folder.rename(tmp_path / "new")
    made.rotate()
    made.write("still here")
    made.close()
    assert (tmp_path / "new/q.log").read_text() == "still here"


def test_syslog(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Syslog is given lines of JSON with the priorities of their levels.
    """
    sent: list[tuple[int, str]] = []
    opened: list[str] = []

    def openlog(self: object, prefix: str, *args: int) -> None:
        opened.append(prefix)

    def send(self: object, priority: int, line: str) -> None:
        sent.append((priority, line))

    monkeypatch.setattr("twisted.python.syslog.SyslogObserver.openlog", openlog)
    monkeypatch.setattr("twisted.python.syslog.SyslogObserver.syslog", send)
    twistd = {"syslog": True, "prefix": "qq", "logfile": "ignored"}
    log = loggerOf(LogSettings(twistd, isJSON=True, levels=LogLevels("debug")))
    for level in LogLevel.iterconstants():
        log.emit(level, "a\nb")
    assert [priority for priority, _ in sent] == [
        syslog.LOG_DEBUG,
        syslog.LOG_INFO,
        syslog.LOG_WARNING,
        syslog.LOG_ERR,
        syslog.LOG_CRIT,
    ]
    assert {json.loads(line)["message"] for _, line in sent} == {"a\nb"}
    assert opened == ["qq"]
    del sent[:]
    loggerOf(LogSettings(twistd)).error("It is\nred.")
    assert len(sent) == 2
    assert sent[0][1].endswith("It is")


def test_levels(tmp_path: Path) -> None:
    """
    Levels hold for all namespaces, or for one and those below it, and are changed
    while the process runs. A wrong one changes nothing.
    """
    file = tmp_path / "q.log"
    settings = LogSettings(
        {"logfile": str(file)}, levels=LogLevels("warn,txwebqq.session=debug")
    )
    outer = loggerOf(settings)
    inner = Logger("txwebqq.session.polling.Poll", observer=outer.observer)

    def logged() -> list[str]:
        for log, name in ((outer, "outer"), (inner, "inner")):
            for level in LogLevel.iterconstants():
                log.emit(level, "{name} {word}", name=name, word=level.name)
        lines = [line.split("] ")[1] for line in file.read_text().splitlines()]
        # The process begins a new file.
        file.unlink()
        signal.raise_signal(signal.SIGUSR1)
        return lines

    every = [level.name for level in LogLevel.iterconstants()]
    inside = [f"inner {level}" for level in every]
    first = [f"outer {level}" for level in every[2:]] + inside
    assert logged() == first
    for text in ("loud", "info,txwebqq", "info,=debug", "info,txwebqq=loud", ""):
        with pytest.raises(InvalidConfiguration, match="--log-level"):
            settings.levels.set(text)
    assert logged() == first
    settings.levels.set("error")
    assert logged() == [
        f"{name} {level}" for name in ("outer", "inner") for level in every[3:]
    ]


def test_installed(tmp_path: Path) -> None:
    """
    The application of a daemon has our log, which twistd installs.
    """
    settings = LogSettings({"logfile": str(tmp_path / "q.log")}, isJSON=True)
    daemon = Daemon({}, lambda: settings.makeObserver(CallingReactor()))
    application = Application("a")
    daemon.setServiceParent(application)
    made = application.getComponent(ILogObserver)
    Logger(observer=made).info("It is installed.")
    assert "It is installed." in (tmp_path / "q.log").read_text()


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["--log-format", "xml"], "--log-format is none of text, json: xml"),
        (
            ["--log-level", "loud"],
            "--log-level is none of debug, info, warn, error: loud",
        ),
        (["--log-size", "-1"], "--log-size is not 0"),
        (["--log-size", "nan"], "--log-size is not 0"),
    ],
)
def test_wrongOptions(argv: list[str], error: str) -> None:
    """
    An option that is wrong is named.
    """
    with pytest.raises(UsageError, match=error):
        parsed(*argv)


def test_logger() -> None:
    """
    The format and the level are those of our log, so twistd cannot name another one.
    """
    options: Any = LogOptions()
    options.parent = {"logger": "elsewhere.observer"}
    options.parseOptions([])
    options.readLogs()
    options["log-format"] = "json"
    with pytest.raises(UsageError, match="--logger"):
        options.readLogs()
