"""
Signals and files of the daemons.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ReactorNotRunning

from txwebqq import daemon
from txwebqq.daemon import LogFileOwner, handleSignals

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class StoppingReactor:
    """
    A reactor that can be stopped once.
    """

    def __init__(self) -> None:
        self.stops = 0

    def callFromThread(self, call: Callable[[], object]) -> None:
        call()

    def stop(self) -> None:
        self.stops += 1
        if self.stops > 1:
            raise ReactorNotRunning("Can't stop reactor that isn't running.")


@pytest.fixture
def reactor() -> Iterator[StoppingReactor]:
    """
    A reactor; the handlers of signals are put back afterwards.
    """
    before = {each: signal.getsignal(each) for each in SIGNALS}
    yield StoppingReactor()
    for each, handler in before.items():
        signal.signal(each, handler)


def test_terminatedTwice(reactor: StoppingReactor) -> None:
    """
    SIGTERM stops the reactor; a second one does no harm.
    """
    handleSignals(reactor, isForeground=True)
    for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
    assert reactor.stops == 2


def test_interruptedTwice(reactor: StoppingReactor) -> None:
    """
    SIGINT is left to the reactor, but for the second time.
    """
    numbers: list[int] = []

    def interrupted(number: int, frame: object) -> None:
        numbers.append(number)
        reactor.stop()

    signal.signal(signal.SIGINT, interrupted)
    handleSignals(reactor, isForeground=True)
    for _ in range(3):
        signal.raise_signal(signal.SIGINT)
    assert numbers == [signal.SIGINT]
    assert reactor.stops == 3


def test_hangUp(reactor: StoppingReactor) -> None:
    """
    SIGHUP stops a process in the foreground, unless it is ignored there, and has
    another one begin a new log file, if it has one.
    """
    # The tests may run where it is ignored, as under nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    handleSignals(reactor, isForeground=True)
    signal.raise_signal(signal.SIGHUP)
    assert reactor.stops == 1
    rotated: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: rotated.append(number))
    handleSignals(reactor, isForeground=False)
    signal.raise_signal(signal.SIGHUP)
    assert (reactor.stops, len(rotated)) == (1, 1)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    signal.raise_signal(signal.SIGHUP)
    assert reactor.stops == 1
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handleSignals(reactor, isForeground=True)
    signal.raise_signal(signal.SIGHUP)
    assert reactor.stops == 1


def test_reload(reactor: StoppingReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With settings in a file SIGHUP begins a new log file and has the settings read
    again, also in the foreground; it stops a process that had a terminal, which is
    gone.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    calls: list[str] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: calls.append("rotated"))
    terminals = iter([False, True, True, True, False])
    monkeypatch.setattr(daemon, "_hasTerminal", lambda: next(terminals))
    handleSignals(reactor, True, lambda: calls.append("reloaded"))
    signal.raise_signal(signal.SIGHUP)
    assert calls == ["rotated", "reloaded"]
    handleSignals(reactor, True, lambda: calls.append("again"))
    signal.raise_signal(signal.SIGHUP)
    assert (calls[2:], reactor.stops) == (["rotated", "again"], 0)
    handleSignals(reactor, True, lambda: calls.append("never"))
    signal.raise_signal(signal.SIGHUP)
    assert (calls[4:], reactor.stops) == ([], 1)
    handleSignals(reactor, False, lambda: calls.append("background"))
    signal.raise_signal(signal.SIGHUP)
    assert calls[4:] == ["rotated", "background"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can switch users")
def test_logFile(tmp_path: Path) -> None:
    """
    The log file belongs to the user of C{twistd --uid}, but a file that a link in
    its place leads to does not.
    """

    def owner(path: Path, **twistd: Any) -> int:
        options = {"uid": 65534, "gid": 65534, "logfile": str(path), **twistd}
        LogFileOwner(options).privilegedStartService()
        return path.stat().st_uid

    log = tmp_path / "q.log"
    log.touch()
    assert owner(log, syslog=True) == 0
    assert owner(log, uid=None) == 0
    assert owner(log, gid=None) == 65534
    secret = tmp_path / "secret"
    secret.touch()
    link = tmp_path / "link.log"
    link.symlink_to(secret)
    assert owner(link) == 0
    hard = tmp_path / "hard.log"
    os.link(secret, hard)
    assert owner(hard) == 0
    owner(log, logfile="-")
    owner(log, logfile=None, nodaemon=True)
