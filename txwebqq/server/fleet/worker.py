"""
A thread that handles requests with a connection of its own to the database.

The requests that wait are handled together, in one transaction, whose commit is told to
all processes with the accounts whose polls are to be looked at. So the reactor never
waits for the database, and a commit is shared by all requests that came during the one
before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Protocol

from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import InvalidConfiguration
from txwebqq.postgresql.database import Database
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.server.fleet.counts import Delay, WorkerCounts
from txwebqq.server.fleet.state import FleetState
from txwebqq.server.storage.store import Store

MAX_BATCH = 100
"""Maximum number of requests of a transaction."""

RETRY = 0.5
"""Time between two attempts to reach the database, in seconds."""

REPEATS = 3
"""Number of repeats of a transaction at once, such as after a deadlock; if the last one
has failed as well, such as on a full disk, its requests wait for L{RETRY}."""

_NUMBERS = 500
"""Maximum number of accounts in a notification, which has at most 8000 bytes."""


class Outcome(Enum):
    """
    The way a request that was not handled has failed.
    """

    NOT_DONE = "it was not handled"
    UNKNOWN = "it may have been handled"
    FAILED = "its handler has failed"


class Work(Protocol):
    """
    A request, or other work.
    """

    def run(self, backend: Backend) -> Any:
        """
        Do it, in the thread, and return its result. It may be called again when the
        transaction has to be repeated.
        """

    def done(self, result: Any) -> None:
        """
        Be told that it was committed, in the reactor's thread.
        """

    def failed(self, outcome: Outcome) -> None:
        """
        Be told that there is no result, in the reactor's thread.
        """


class Backend:
    """
    The open database, and what handles requests with it.

    @ivar store: the database.
    @ivar state: the state of the server.
    @ivar handlers: the handlers of commands, for workers that have them.
    @ivar signUpForms: the handling of the sign-up page, for workers that have it.
    """

    def __init__(
        self,
        store: Store,
        state: FleetState,
        handlers: Any = None,
        signUpForms: Any = None,
    ) -> None:
        self.store = store
        self.state = state
        self.handlers = handlers
        self.signUpForms = signUpForms

    def arrange(self, batch: Sequence[Work]) -> Iterable[int]:
        """
        Prepare for requests.

        @return: their indices, in the order in which they are to be handled.
        """
        return range(len(batch))


class Job:
    """
    Work that no client waits for.

    @param function: is called with the backend, in the thread.
    @param then: is called with its result when that was committed.
    @param over: is called before that, or when it was given up.
    """

    def __init__(
        self,
        function: Callable[[Backend], object],
        then: Callable[[Any], object] = lambda result: None,
        over: Callable[[], object] = lambda: None,
    ) -> None:
        self._function = function
        self._then = then
        self._over = over

    def run(self, backend: Backend) -> object:
        return self._function(backend)

    def done(self, result: object) -> None:
        self._over()
        self._then(result)

    def failed(self, outcome: Outcome) -> None:
        self._over()


class Worker:
    """
    Work that is done in its order, in batches. That of a batch in which a statement
    took too long is done one after another, and refused when it has failed alone.

    @param name: the name for the log.
    @param connect: opens the database.
    @param build: makes the rest of a backend.
    @param call: calls a function with arguments in the reactor's thread.
    @param identity: the name for the database, which no other worker has ever had.
    @param now: returns the time in seconds.

    @ivar isConnected: whether the database was reached when it was used last.
    @ivar problem: the reason why it was not.
    @ivar counts: the counts for an operator.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        connect: Callable[[], Store],
        build: Callable[[Store], Backend],
        call: Callable[..., object],
        identity: str,
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self._identity = identity
        self._connect = connect
        self._build = build
        self._call = call
        self._waiting: deque[Work] = deque()
        self._condition = threading.Condition()
        self._isStopped = False
        self._thread: threading.Thread | None = None
        self._store: Store | None = None
        self._backend: Backend | None = None
        # The number of the last batch, and whether its commit may have been asked for.
        self._batch = 0
        self._isInDoubt = False
        # Work that is done alone, and how often it has failed so.
        self._alone: dict[Work, int] = {}
        # Whether the last transaction has waited too long for a lock.
        self._wasLocked = False
        self._delay = Delay(now)
        self.isConnected = False
        self.problem = ""
        self.counts = WorkerCounts()

    def open(self, store: Store) -> None:
        """
        Set the open database.
        """
        self._store = store
        self.isConnected = True

    def start(self) -> None:
        """
        Start the thread.
        """
        thread = threading.Thread(target=self._work, name=f"webqq {self.name}")
        thread.daemon = True
        self._thread = thread
        thread.start()

    def submit(self, work: Work) -> None:
        """
        Have work done.
        """
        with self._condition:
            self._waiting.append(work)
            self._condition.notify()

    def withdraw(self, work: Work) -> bool:
        """
        Have work not done.

        @return: L{False} if it is being done.
        """
        with self._condition:
            try:
                self._waiting.remove(work)
            except ValueError:
                return False
            self._alone.pop(work, None)
            return True

    @property
    def length(self) -> int:
        """
        The number of requests that wait.
        """
        return len(self._waiting)

    @property
    def delay(self) -> str:
        """
        The reason why requests wait though the database is there, C{""} if they do not.
        """
        reason = self._delay.reason
        return f"{self.name}, {reason}" if reason else ""

    def end(self) -> None:
        """
        Have the thread end when it has done all work; while the database is away, at
        once.
        """
        with self._condition:
            self._isStopped = True
            self._condition.notify()

    def join(self, seconds: float) -> bool:
        """
        Wait until the thread has ended.

        @return: L{False} if it has not within a time.
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(seconds)
            return not thread.is_alive()
        while self.handleBatch():
            pass
        self._disconnect()
        return True

    def _work(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._isStopped:
                    self._condition.wait()
            if not self.handleBatch():
                break
        self._disconnect()

    def handleBatch(self) -> bool:
        """
        Handle the requests that wait, as the thread does.

        @return: L{False} if there was none.
        """
        with self._condition:
            batch = self._nextBatch()
        if batch:
            self._handle(batch)
        return bool(batch)

    def _nextBatch(self) -> list[Work]:
        batch: list[Work] = []
        while self._waiting and len(batch) < MAX_BATCH:
            isAlone = self._waiting[0] in self._alone
            if isAlone and batch:
                break
            batch.append(self._waiting.popleft())
            if isAlone:
                break
        return batch

    def _handle(self, batch: list[Work]) -> None:
        """
        Do work, and tell the results.
        """
        repeats = 0
        while True:
            if repeats > REPEATS or not self._connected():
                self._postpone(batch)
                return
            results: list[Any] = []
            try:
                with self._delay.attempt():
                    self._attempt(batch, results)
            except StatementFailed as e:
                if e.isTemporary:
                    self.counts.repeats += 1
                    repeats += 1
                    wasCommitted = self._wasCommitted()
                    if wasCommitted is None:
                        self._tell(batch, [Outcome.UNKNOWN] * len(batch))
                        return
                    if wasCommitted:
                        break
                    if e.isLocked or e.isTooLong or repeats > REPEATS:
                        self._delayed(str(e))
                    if e.isTooLong or (e.isLocked and self._wasLocked):
                        self._separate(batch)
                        return
                    if e.isLocked:
                        # All together once more: many wait at the most busy times.
                        self._wasLocked = True
                        self._postpone(batch)
                        return
                    continue
                self._backend = None
                self._apart(batch)
                return
            except Exception:
                self._backend = None
                self._apart(batch)
                return
            break
        self._succeeded(batch)
        self._tell(batch, results)

    def _postpone(self, batch: list[Work]) -> None:
        """
        Have work wait for the database; that of a process which ends is not done.
        """
        if self._isStopped:
            self._tell(batch, [Outcome.NOT_DONE] * len(batch))
            return
        with self._condition:
            # While it waits it can be withdrawn.
            self._waiting.extendleft(reversed(batch))
            if not self._isStopped:
                self._condition.wait(RETRY)

    def _separate(self, batch: list[Work]) -> None:
        """
        Have the work of a batch done one after another, because one of its statements
        took too long. A request that was alone is refused.
        """
        with self._condition:
            if not self._isStopped:
                if len(batch) > 1:
                    self._alone.update(dict.fromkeys(batch, 0))
                    self._waiting.extendleft(reversed(batch))
                    return
                (work,) = batch
                failures = self._alone.pop(work, 0) + 1
                # No client sends a job again.
                if isinstance(work, Job) and failures <= REPEATS:
                    self._alone[work] = failures
                    self._waiting.append(work)
                    return
        self._tell(batch, [Outcome.NOT_DONE] * len(batch))

    def _delayed(self, reason: str) -> None:
        if self._delay.failed(reason):
            self._call(
                self._log.warn,
                "Requests wait for the database ({worker}): {reason}; they are repeated"
                " or refused.",
                worker=self.name,
                reason=reason,
            )

    def _succeeded(self, batch: list[Work]) -> None:
        self._wasLocked = False
        with self._condition:
            for work in batch:
                self._alone.pop(work, None)
        seconds = self._delay.succeeded()
        if seconds is not None:
            self._call(
                self._log.info,
                "Requests no longer wait for the database ({worker}): the last failure"
                " was {seconds} s after the first.",
                worker=self.name,
                seconds=round(seconds),
            )

    def _apart(self, batch: list[Work]) -> None:
        """
        Do work one after another, because one request has failed.
        """
        if len(batch) > 1:
            for work in batch:
                self._handle([work])
            return
        failure = Failure()
        self.counts.failures += 1
        self._call(
            self._log.failure,
            "A request could not be handled ({worker}).",
            failure,
            worker=self.name,
        )
        self._tell(batch, [Outcome.FAILED])

    def _tell(self, batch: list[Work], results: list[Any]) -> None:
        self._call(_tell, batch, results)

    def _attempt(self, batch: list[Work], results: list[Any]) -> None:
        assert self._store is not None
        self._isInDoubt = False
        self._batch += 1
        if self._backend is None:
            self._backend = self._build(self._store)
        state, database = self._backend.state, self._store.database
        assert isinstance(database, Database)
        state.begin()
        began = time.perf_counter()
        with database.transaction():
            results.extend([None] * len(batch))
            for n in self._backend.arrange(batch):
                results[n] = batch[n].run(self._backend)
            woken = sorted(state.write())
            texts = [
                ",".join(map(str, woken[n : n + _NUMBERS]))
                for n in range(0, len(woken), _NUMBERS)
            ]
            if database.notify(texts):
                now = int(state.now())
                self._store.fleet.counters.writeBatch(self._identity, self._batch, now)
                self._isInDoubt = True
        self.counts.sizes.observe(len(batch))
        self.counts.seconds.observe(time.perf_counter() - began)

    def _wasCommitted(self) -> bool | None:
        """
        Check whether a transaction was committed whose commit was not answered.

        @return: L{None} when the server stops before the database is back.
        """
        isInDoubt, self._isInDoubt = self._isInDoubt, False
        now = 0 if self._backend is None else int(self._backend.state.now())
        self._disconnect()
        if not isInDoubt:
            return False
        while not self._isStopped:
            if self._connected():
                assert self._store is not None
                try:
                    last = self._store.fleet.counters.lastBatch(self._identity, now)
                except StatementFailed:
                    self._disconnect()
                else:
                    return last == self._batch
            time.sleep(RETRY)
        return None

    def _connected(self) -> bool:
        if self._store is not None:
            return True
        try:
            self._store = self._connect()
        except (InvalidConfiguration, StatementFailed) as e:
            if self.isConnected:
                self._call(
                    self._log.error,
                    "The database is away ({worker}): {reason}; requests wait for it.",
                    worker=self.name,
                    reason=str(e),
                )
            self.isConnected, self.problem = False, str(e)
            return False
        self.counts.connections += 1
        if not self.isConnected:
            self._call(
                self._log.info, "The database is back ({worker}).", worker=self.name
            )
        self.isConnected = True
        return True

    def _disconnect(self) -> None:
        store, self._store = self._store, None
        self._backend = None
        if store is not None:
            store.close()


def _tell(batch: list[Work], results: list[Any]) -> None:
    for work, result in zip(batch, results, strict=True):
        try:
            if isinstance(result, Outcome):
                work.failed(result)
            else:
                work.done(result)
        except Exception:
            Worker._log.failure("The result of a request could not be given.")
