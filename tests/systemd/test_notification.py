"""
Notification of the service manager.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.application.service import MultiService, Service
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.systemd.notification import (
    NotificationService,
    ServiceManager,
    notifyServiceManager,
    reloading,
    takeServiceManager,
)


class RunningClock(Clock):
    """
    A clock, and a reactor that runs.
    """

    def callWhenRunning(self, call: Callable[[], object]) -> None:
        call()


class Manager:
    """
    A service manager, at a socket.
    """

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)

    def heard(self) -> list[str]:
        """
        Return what has come since the last call.
        """
        heard = []
        while True:
            try:
                heard.append(self.socket.recv(1000).decode())
            except BlockingIOError:
                return heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.socket.close()


def test_life(manager: Manager, tmp_path: Path) -> None:
    """
    The manager hears that the daemon runs, each new status once, the watchdog at
    half of its time, and that the daemon stops; then nothing is left on the clock.
    """
    clock, daemon, status = RunningClock(), MultiService(), ["one\ntwo"]
    ours = ServiceManager(str(tmp_path / "notify"), watchdog=6.0)
    notifyServiceManager(ours, daemon, lambda: status[0], clock)
    daemon.startService()
    assert manager.heard() == ["READY=1\nSTATUS=one two", "WATCHDOG=1"]
    clock.pump([1.0] * 3)
    assert manager.heard() == ["WATCHDOG=1"]
    status[0] = "three"
    clock.pump([1.0] * 3)
    assert manager.heard() == ["STATUS=three", "WATCHDOG=1"]
    daemon.stopService()
    assert manager.heard() == ["STOPPING=1"]
    assert clock.getDelayedCalls() == []


def test_withoutWatchdog(manager: Manager, tmp_path: Path) -> None:
    """
    Without WATCHDOG_USEC nothing is sent while nothing changes.
    """
    clock, daemon = RunningClock(), MultiService()
    ours = ServiceManager(str(tmp_path / "notify"))
    notifyServiceManager(ours, daemon, lambda: "fine", clock)
    daemon.startService()
    clock.pump([5.0] * 20)
    assert manager.heard() == ["READY=1\nSTATUS=fine"]
    daemon.stopService()


def test_stopsFirst(manager: Manager, tmp_path: Path) -> None:
    """
    The manager hears that the daemon stops before the other services stop.
    """
    heard = []

    class Slow(Service):
        def stopService(self) -> None:
            heard.extend(manager.heard())

    clock, daemon = RunningClock(), MultiService()
    Slow().setServiceParent(daemon)
    ours = ServiceManager(str(tmp_path / "notify"))
    notifyServiceManager(ours, daemon, lambda: "", clock)
    daemon.startService()
    daemon.stopService()
    assert heard[-1] == "STOPPING=1"


def test_reloading(manager: Manager, tmp_path: Path) -> None:
    """
    A reload is told with its time, and its end, also when it fails.
    """
    clock, daemon = RunningClock(), MultiService()
    ours = ServiceManager(str(tmp_path / "notify"))
    notification = NotificationService(ours, lambda: "", clock, lambda: 7_000_000)
    notification.setServiceParent(daemon)
    daemon.startService()
    manager.heard()

    def reload() -> None:
        with reloading(daemon):
            assert manager.heard() == ["RELOADING=1\nMONOTONIC_USEC=7000"]
            raise KeyError

    with pytest.raises(KeyError):
        reload()
    assert manager.heard() == ["READY=1"]
    daemon.stopService()
    with reloading(MultiService()):
        assert manager.heard() == ["STOPPING=1"]


def test_abstract() -> None:
    """
    The name of an abstract socket begins with @.
    """
    manager = Manager(f"\0txwebqq-{os.getpid()}")
    ServiceManager(f"@txwebqq-{os.getpid()}").send("READY=1")
    assert manager.heard() == ["READY=1"]
    manager.socket.close()


def test_environment() -> None:
    """
    The variables are taken away; a watchdog of another process is none of ours.
    """
    for process, expected in (("", 2.5), (str(os.getpid()), 2.5), ("1", 0.0)):
        environ = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "2500000", "A": "b"}
        if process:
            environ["WATCHDOG_PID"] = process
        found = takeServiceManager(environ)
        assert found is not None
        assert found.watchdog == expected
        assert environ == {"A": "b"}


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "relative"])
def test_noManager(address: str | None) -> None:
    """
    Without a socket that we can send to there is no manager, and no service.
    """
    environ = {} if address is None else {"NOTIFY_SOCKET": address}
    environ["WATCHDOG_USEC"] = "no number"
    manager = takeServiceManager(environ)
    assert manager is None
    assert environ == {}
    daemon = MultiService()
    notifyServiceManager(manager, daemon, lambda: "", Clock())
    assert list(daemon) == []


def test_gone(tmp_path: Path, flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    A manager that is not there is one line in the log, and a status that fails one
    traceback.
    """
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    def fail() -> str:
        raise KeyError("status")

    clock, daemon = RunningClock(), MultiService()
    ours = ServiceManager(str(tmp_path / "nowhere"), watchdog=2.0)
    notifyServiceManager(ours, daemon, fail, clock)
    globalLogPublisher.addObserver(observe)
    daemon.startService()
    clock.pump([1.0] * 30)
    daemon.stopService()
    globalLogPublisher.removeObserver(observe)
    assert len(flushLoggedErrors(KeyError)) == 1
    assert sum("Notifying the service manager failed" in each for each in lines) == 1
