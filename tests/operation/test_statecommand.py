"""
The program that is run when the state of an account changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.rig import CapturedLog
from txwebqq.accounts import WebQQAccess
from txwebqq.model import Account, AccountState, Number, StateChange
from txwebqq.operation.maker import OperatedAccounts
from txwebqq.operation.statecommand import (
    GRACE,
    MAX_LINES,
    MAX_WAITING,
    PIPE_TIMEOUT,
    STOP_TIMEOUT,
    TIME_LIMIT,
    CommandProcess,
    StateCommand,
    environmentOf,
)
from txwebqq.protocol import WebQQFactory

NUMBER = Number(10001)
ACCOUNT = Account(NUMBER, "s3cret")
ONLINE = StateChange(AccountState.ONLINE, AccountState.SIGNING_ON)
KICKED = StateChange(AccountState.KICKED, AccountState.ONLINE, "elsewhere")
OFFLINE = StateChange(AccountState.OFFLINE, AccountState.ONLINE)


class FakeProcess:
    """
    A run of the program, which ends when a test says so.
    """

    def __init__(
        self, protocol: CommandProcess, arguments: list[str], env: dict[str, str]
    ) -> None:
        self.protocol = protocol
        self.arguments = arguments
        self.env = env
        self.signals: list[str] = []
        self.lost: list[bool] = []
        self.isStdinClosed = self.hasExited = False

    def closeStdin(self) -> None:
        self.isStdinClosed = True

    def signalProcess(self, name: str) -> None:
        if self.hasExited:
            raise ProcessExitedAlready
        self.signals.append(name)

    def loseConnection(self) -> None:
        self.lost.append(True)

    def exit(self, code: int = 0) -> None:
        """
        End the program; its pipes stay open.
        """
        self.hasExited = True
        error = ProcessTerminated(code) if code else ProcessDone(0)
        self.reason = Failure(error)
        self.protocol.processExited(self.reason)

    def end(self, code: int = 0) -> None:
        self.exit(code)
        self.protocol.processEnded(self.reason)


class ProcessClock(Clock):
    """
    A clock that makes such processes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.error: Exception | None = None

    def spawnProcess(
        self,
        protocol: CommandProcess,
        executable: str,
        args: list[str],
        env: dict[str, str],
    ) -> None:
        if self.error is not None:
            raise self.error
        assert executable == args[0]
        process = FakeProcess(protocol, args, env)
        self.processes.append(process)
        transport: Any = process
        protocol.makeConnection(transport)


class Runs:
    """
    The runs of a program.
    """

    def __init__(self, program: str = sys.executable) -> None:
        self.clock = ProcessClock()
        self.command = StateCommand(NUMBER, (program, "-c", ""), self.clock)
        self.command.startService()

    def tell(self, *changes: StateChange) -> None:
        for change in changes:
            self.command.stateChanged(ACCOUNT, change)

    @property
    def states(self) -> list[str]:
        return [each.env["TXWEBQQ_STATE"] for each in self.clock.processes]

    def stop(self) -> Deferred[None]:
        return self.command.stopService()


@pytest.fixture
def runs() -> Iterator[Runs]:
    """
    Make a program, which has ended when the test has.
    """
    runs = Runs()
    yield runs
    stopped = runs.stop()
    runs.clock.advance(0)
    assert stopped.called
    assert runs.clock.getDelayedCalls() == []


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The program is told by its environment, in which there is no secret of ours, and
    which accepts all reasons.
    """
    inherited = {
        "PATH": "/bin",
        "TXWEBQQ_PASSWORD": "s3cret",
        "TXWEBQQ_OPERATE_TOKEN": "s3cret",
        "CREDENTIALS_DIRECTORY": "/run/credentials/webqq",
        "NOTIFY_SOCKET": "/run/notify",
        "LISTEN_FDS": "1",
    }
    reason = "a\0b\n\ud800" + "x" * 1000
    change = StateChange(AccountState.KICKED, AccountState.ONLINE, reason)
    found = environmentOf(inherited, NUMBER, change)
    assert found.pop("TXWEBQQ_REASON").startswith("a b ?xxx")
    assert found == {
        "PATH": "/bin",
        "TXWEBQQ_ACCOUNT": "10001",
        "TXWEBQQ_STATE": "kicked",
        "TXWEBQQ_BEFORE": "online",
    }


def test_inOrder(runs: Runs) -> None:
    """
    The program runs once for each change, one run after the other.
    """
    runs.tell(ONLINE, KICKED, OFFLINE)
    assert runs.states == ["online"]
    [first] = runs.clock.processes
    assert first.arguments == [sys.executable, "-c", ""]
    assert first.isStdinClosed
    first.end()
    assert runs.states == ["online", "kicked"]
    runs.clock.processes[1].end()
    runs.clock.processes[2].end()
    assert runs.states == ["online", "kicked", "offline"]


def test_bounded(runs: Runs) -> None:
    """
    Of many changes that wait the oldest are dropped, which is logged.
    """
    runs.tell(ONLINE, KICKED)
    with CapturedLog() as log:
        runs.tell(*[OFFLINE] * MAX_WAITING)
    assert log.text.count("is not told of the state kicked") >= 1
    for process in runs.clock.processes:
        process.end()
    assert runs.states == ["online"] + ["offline"] * MAX_WAITING


def test_failure(runs: Runs) -> None:
    """
    A program that fails is logged, and the next change runs it again.
    """
    runs.tell(ONLINE, KICKED)
    with CapturedLog() as log:
        runs.clock.processes[0].end(3)
    assert f"{sys.executable} of --on-state failed (account 10001)" in log.text
    assert "exit code 3" in log.text
    runs.clock.processes[1].end()


def test_cannotBeStarted(runs: Runs) -> None:
    """
    So is one that the system does not start.
    """
    runs.clock.error = BlockingIOError(11, "Resource temporarily unavailable")
    with CapturedLog() as log:
        runs.tell(ONLINE, KICKED)
        runs.clock.advance(0)
        runs.clock.error = None
        runs.clock.advance(0)
    assert log.text.count("Resource temporarily unavailable") >= 2
    runs.tell(OFFLINE)
    runs.clock.processes[-1].end()


def test_missing(tmp_path: Path) -> None:
    """
    A program that was removed is logged.
    """
    runs = Runs(str(tmp_path / "gone"))
    with CapturedLog() as log:
        runs.tell(*[ONLINE] * 3)
        for _ in range(3):
            runs.clock.advance(0)
    assert len([e for e in log.events if "no such program" in str(e)]) == 3
    assert runs.clock.processes == []
    stopped = runs.stop()
    runs.clock.advance(0)
    assert stopped.called


def test_output(runs: Runs) -> None:
    """
    The output of the program is in the log, line by line and not without limit.
    """
    runs.tell(ONLINE)
    [process] = runs.clock.processes
    with CapturedLog() as log:
        process.protocol.childDataReceived(1, b"one\ntw")
        process.protocol.childDataReceived(2, b"\x1b[2Jred\n\n")
        process.protocol.childDataReceived(1, b"o\xff\n" + b"x" * 9000)
        process.protocol.childDataReceived(1, b"y\n" * 200)
        process.end()
    lines = [event["line"] for event in log.events if "line" in event]
    assert lines[:3] == ["one", "\ufffd[2Jred", "two\ufffd"]
    assert lines[3] == "x" * 1000
    assert len(lines) == MAX_LINES
    assert "not shown" in lines[-1]


def test_timeLimit(runs: Runs) -> None:
    """
    A program that does not end is told to, and then killed.
    """
    runs.tell(ONLINE, OFFLINE)
    [process] = runs.clock.processes
    runs.clock.advance(TIME_LIMIT)
    assert process.signals == ["TERM"]
    runs.clock.advance(GRACE)
    assert process.signals == ["TERM", "KILL"]
    process.end(1)
    assert runs.states == ["online", "offline"]
    runs.clock.processes[1].end()


def test_background(runs: Runs) -> None:
    """
    A program that has ended is not waited for longer because another one, which it
    has started, has its output open.
    """
    runs.tell(ONLINE)
    [process] = runs.clock.processes
    process.exit()
    runs.clock.advance(PIPE_TIMEOUT / 2)
    assert process.lost == []
    runs.clock.advance(PIPE_TIMEOUT / 2)
    assert process.lost == [True]
    process.protocol.processEnded(process.reason)


def test_stop() -> None:
    """
    The end of the service waits for the program, and for the run that is due for the
    sign-off, of which it hears afterwards.
    """
    runs = Runs()
    runs.tell(ONLINE)
    stopped = runs.stop()
    runs.tell(OFFLINE)
    runs.clock.advance(0)
    runs.clock.processes[0].end()
    ends = [stopped.called]
    runs.clock.processes[1].end()
    assert [*ends, stopped.called] == [False, True]
    runs.tell(OFFLINE)
    assert len(runs.clock.processes) == 2
    assert runs.clock.getDelayedCalls() == []


def test_stopKills() -> None:
    """
    After a time the program is killed.
    """
    runs = Runs()
    runs.tell(ONLINE, KICKED)
    stopped = runs.stop()
    runs.clock.advance(STOP_TIMEOUT)
    [process] = runs.clock.processes
    assert process.signals == ["KILL"]
    ends = [stopped.called]
    process.end(1)
    assert [*ends, stopped.called] == [False, True]
    assert runs.states == ["online"]
    assert runs.clock.getDelayedCalls() == []


def test_maker() -> None:
    """
    The program of each account is run, and another one after a reload, which may also
    add one or remove it.
    """
    clock: Any = ProcessClock()

    def make(account: Account, access: Any, factory: Any, reactor: Any) -> Any:
        service: Any = MultiService()
        service.factory = factory
        return service

    accounts = OperatedAccounts(make, {NUMBER: (sys.executable,), Number(10002): ()})
    factory = WebQQFactory()
    with_: Any = accounts.makeAccount(ACCOUNT, WebQQAccess(), factory, clock)
    other = Account(Number(10002), "x")
    without: Any = accounts.makeAccount(other, WebQQAccess(), factory, clock)
    assert [type(each) for each in with_.services] == [StateCommand]

    def change() -> list[tuple[str, str]]:
        with_.factory.stateChanged(ACCOUNT, ONLINE)
        without.factory.stateChanged(other, ONLINE)
        started, clock.processes = clock.processes, []
        for process in started:
            process.end()
        return [(p.env["TXWEBQQ_ACCOUNT"], p.arguments[-1]) for p in started]

    first, second = str(ACCOUNT.number), str(other.number)
    assert change() == [(first, sys.executable)]
    tree: dict[str, Any] = {"gateway": {"user a": {"account 10001": {}}}, "relay": {}}
    shell = ("/bin/sh", "-e")
    applied = accounts.reload({NUMBER: shell, other.number: shell}, tree)
    assert "gateway.user a.account 10001.on-state" in applied
    assert change() == [(first, "-e"), (second, "-e")]
    accounts.reload({NUMBER: (), other.number: shell}, tree)
    assert change() == [(second, "-e")]
