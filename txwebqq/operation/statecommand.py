"""
The program that is run when the state of an account has changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.interfaces import FactoryOf
from txwebqq.model import Account, Number, StateChange
from txwebqq.operation.factories import FactoryWrapper

TIME_LIMIT = 60.0
"""Seconds after which the program is told to end (SIGTERM)."""

GRACE = 5.0
"""Seconds after which it is killed then (SIGKILL)."""

STOP_TIMEOUT = 10.0
"""Seconds for which the end of the daemon waits for the program."""

PIPE_TIMEOUT = 1.0
"""Seconds for which output is read after the end of the program: what it has started
in the background may keep the pipes open."""

MAX_WAITING = 20
"""Maximum number of changes that wait for the program. Of more, the oldest are
dropped."""

MAX_LINES, MAX_LINE = 100, 1000
"""Maximum number of lines of output that are logged, and of characters in one."""

MAX_REASON = 500
"""Maximum length of the reason that the program is told, in characters."""

_OURS = ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""Variables of the service manager that are for the daemon itself."""


def environmentOf(
    environment: Mapping[str, str], number: Number, change: StateChange
) -> dict[str, str]:
    """
    Make the environment of the program. All other variables of ours are left out,
    since one of them is a password.

    @param environment: that of the daemon.
    """
    inherited = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("TXWEBQQ_", "LISTEN_")) and name not in _OURS
    }
    # Neither a NUL nor a lone surrogate can be in the environment.
    reason = " ".join(change.reason.replace("\0", " ").split())[:MAX_REASON]
    return inherited | {
        "TXWEBQQ_ACCOUNT": str(number),
        "TXWEBQQ_STATE": change.state.value,
        "TXWEBQQ_BEFORE": change.before.value,
        "TXWEBQQ_REASON": reason.encode("utf-8", "replace").decode(),
    }


class CommandProcess(ProcessProtocol):
    """
    One run of the program.

    @param log: called with each line of its output.
    @param ended: called when it has ended and its output is read.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        ended: Callable[[Failure], None],
        reactor: Any,
    ) -> None:
        self._logLine = log
        self._ended = ended
        self._clock = reactor
        self._rest: dict[int, bytes] = {}
        self._lines = 0
        self._delay: IDelayedCall | None = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.closeStdin()
        self._later(TIME_LIMIT, self._terminate)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if self._delay is not None and self._delay.active():
            self._delay.cancel()
        self._delay = self._clock.callLater(seconds, call)

    def _terminate(self) -> None:
        self._logLine(f"(ended after {TIME_LIMIT:g} s)")
        self._signal("TERM")
        self._later(GRACE, self.kill)

    def kill(self) -> None:
        """
        Kill the program.
        """
        self._signal("KILL")

    def _signal(self, name: str) -> None:
        transport: Any = self.transport
        with suppress(ProcessExitedAlready):
            transport.signalProcess(name)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *lines, rest = (self._rest.get(childFD, b"") + data).split(b"\n")
        for line in lines:
            self._log(line)
        # The rest of a line that is too long.
        self._rest[childFD] = rest[: 4 * MAX_LINE]

    def _log(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")[:MAX_LINE].strip()
        if not text:
            return
        self._lines += 1
        if self._lines < MAX_LINES:
            self._logLine("".join(c if c.isprintable() else "\ufffd" for c in text))
        elif self._lines == MAX_LINES:
            self._logLine("(more lines are not shown)")

    def processExited(self, reason: Failure) -> None:
        transport: Any = self.transport
        self._later(PIPE_TIMEOUT, transport.loseConnection)

    def processEnded(self, reason: Failure) -> None:
        if self._delay is not None and self._delay.active():
            self._delay.cancel()
        for rest in self._rest.values():
            self._log(rest)
        self._ended(reason)


class StateCommand(Service):
    """
    Runs a program for each change of the state of an account: one at a time, in the
    order of the changes. Its failures are logged.

    It is a child of the service of the account, so that it hears of the sign-off at
    the end, and is waited for.

    @param arguments: the path of the program, and its arguments; none for no program.
    """

    _log = Logger()

    def __init__(self, number: Number, arguments: Sequence[str], reactor: Any) -> None:
        self._number = number
        self._arguments = list(arguments)
        # That of the last run.
        self._program = ""
        self._reactor = reactor
        # There is one for each account.
        self._waiting: list[StateChange] = []
        self._running: CommandProcess | None = None
        self._isClosed = False
        self._whenIdle: Deferred[None] | None = None
        self._limit: IDelayedCall | None = None

    def startService(self) -> None:
        base: Any = super()
        base.startService()
        self._isClosed = False

    def stopService(self) -> Deferred[None]:
        """
        Wait for the program, and for the runs that are due.

        @return: fires when they have ended, or were killed after L{STOP_TIMEOUT}
            seconds.
        """
        base: Any = super()
        base.stopService()
        if not self._arguments and self._running is None:
            return succeed(None)
        waiting = self._whenIdle = Deferred[None]()
        self._limit = self._reactor.callLater(STOP_TIMEOUT, self._abandon)
        # The account signs off after its children were stopped.
        self._reactor.callLater(0, self._checkIdle)
        return waiting

    def reload(self, arguments: Sequence[str]) -> None:
        """
        Run another program from now on.
        """
        self._arguments = list(arguments)
        if not arguments:
            self._waiting.clear()

    def stateChanged(self, account: Account, change: StateChange) -> None:
        """
        Run the program for a change, when it has ended for those before.
        """
        if self._isClosed or not self._arguments:
            return
        if len(self._waiting) == MAX_WAITING:
            dropped = self._waiting.pop(0)
            self._log.warn(
                "The program of --on-state is too slow (account {account}): it is not"
                " told of the state {state}.",
                account=self._number,
                state=dropped.state.value,
            )
        self._waiting.append(change)
        if self._running is None:
            self._runNext()

    def _runNext(self) -> None:
        change = self._waiting.pop(0)
        program = self._program = self._arguments[0]
        process = CommandProcess(self._logOutput, self._ended, self._reactor)
        problem = "" if os.access(program, os.X_OK) else "there is no such program"
        if not problem:
            self._running = process
            try:
                self._reactor.spawnProcess(
                    process,
                    program,
                    self._arguments,
                    env=environmentOf(os.environ, self._number, change),
                )
            except (OSError, ValueError) as e:
                self._running = None
                problem = str(e)
        if problem:
            self._logFailure(problem)
            # Not at once, since all that wait may fail.
            self._reactor.callLater(0, self._continue)

    def _continue(self) -> None:
        if self._running is None and self._waiting:
            self._runNext()
        elif self._whenIdle is not None:
            self._checkIdle()

    def _ended(self, reason: Failure) -> None:
        self._running = None
        if not reason.check(ProcessDone):
            self._logFailure(reason.getErrorMessage())
        self._continue()

    def _logFailure(self, reason: str) -> None:
        self._log.error(
            "The program {program} of --on-state failed (account {account}): {reason}",
            program=self._program,
            account=self._number,
            reason=reason,
        )

    def _logOutput(self, line: str) -> None:
        self._log.info(
            "{program} (account {account}): {line}",
            program=Path(self._program).name,
            account=self._number,
            line=line,
        )

    def _checkIdle(self) -> None:
        if self._running is not None or self._waiting:
            return
        self._isClosed = True
        waiting, self._whenIdle = self._whenIdle, None
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        if waiting is not None:
            waiting.callback(None)

    def _abandon(self) -> None:
        self._isClosed = True
        self._waiting.clear()
        if self._running is not None:
            self._log.warn(
                "The program of --on-state is killed (account {account}): the daemon"
                " ends.",
                account=self._number,
            )
            self._running.kill()


class StateCommandFactory(FactoryWrapper):
    """
    Runs a program for the changes that the application is told of.
    """

    def __init__(self, factory: FactoryOf[Any], command: StateCommand) -> None:
        super().__init__(factory)
        self._command = command

    def stateChanged(self, account: Account, change: StateChange) -> object:
        self._command.stateChanged(account, change)
        return super().stateChanged(account, change)
