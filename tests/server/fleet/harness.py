"""
Server processes with one database of PostgreSQL, in memory: the work of their threads
is done in the thread of the test.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from twisted.internet.task import Clock

from tests.postgresql.server import PostgreSQLServer
from tests.server.fleet.indexes import IndexCheck, isPlanned, recording
from tests.server.harness import POPULATION, START, ServerHarness, Wire, storeEvent
from txwebqq.databases.interface import Database as AnyDatabase
from txwebqq.databases.opening import openDatabase
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.postgresql.database import Database
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.server.commandresource import ResourceOptions
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.fleet.process import FleetProcess, FleetSettings
from txwebqq.server.fleet.state import FleetState
from txwebqq.server.fleet.worker import Backend, Outcome
from txwebqq.server.http.connections import WatchedSite
from txwebqq.server.http.signup import SignUpPage
from txwebqq.server.limits import DEFAULT_LIMITS, ConnectionLimits
from txwebqq.server.population import parse
from txwebqq.server.resource import POLL_TIMEOUT
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.sendinglimits import SendingLimiter, SendingLimits
from txwebqq.server.storage.store import SCHEMA, Store
from txwebqq.server.uploadquotas import FileLimits


class SettlingClock(Clock):
    """
    A clock that has all done that is due.
    """

    def __init__(self, settle: Callable[[], object]) -> None:
        super().__init__()
        self._settle = settle

    def advance(self, amount: float) -> None:
        super().advance(amount)
        self._settle()


class Databases:
    """
    Connections to one database, which are used for many tests.
    """

    def __init__(self, engine: PostgreSQLServer) -> None:
        self.engine = engine
        self.url = engine.newDatabase()
        self._idle: list[Database] = []
        # The statements that were executed and are not checked yet, and all of them.
        self._executed: dict[str, tuple[Any, ...]] = {}
        self._known: set[str] = set()
        self._checking: AnyDatabase | None = None

    def open(self, url: str, *arguments: Any, **named: Any) -> AnyDatabase:
        """
        Open a database (L{openDatabase}).
        """
        while url == self.url and self._idle:
            database = self._idle.pop()
            try:
                database.count("SELECT 1")
            except StatementFailed:
                database.close()
            else:
                return database
        return openDatabase(url, *arguments, **named)

    def release(self, database: AnyDatabase) -> None:
        """
        Be told that a connection is not used any more.
        """
        assert isinstance(database, Database)
        driver = database.connection.driver
        status = driver.info.transaction_status
        if driver.closed or status != TransactionStatus.IDLE:
            database.close()
        else:
            self._idle.append(database)

    def clear(self) -> None:
        """
        Delete all rows.
        """
        while self._idle:
            database = self._idle[-1]
            try:
                # TRUNCATE makes new files, which takes a second.
                database.connection.execute(self._deletions(database))
            except StatementFailed as e:
                if not e.isTemporary:
                    raise
                self._idle.pop().close()
            else:
                return

    @contextmanager
    def recording(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """
        Keep the statements that are executed for L{unindexed}.
        """
        with recording(patch) as statements:
            yield
        for sql, values in statements:
            if isPlanned(sql) and sql not in self._known:
                self._known.add(sql)
                self._executed[sql] = values

    def unindexed(self) -> list[tuple[str, str]]:
        """
        Return the tables that the statements since the last call have read as a whole,
        each with the statement.
        """
        executed, self._executed = self._executed, {}
        if not executed:
            return []
        if self._checking is None:
            self._checking = openDatabase(self.url, SCHEMA, hasPeers=True)
        assert isinstance(self._checking, Database)
        return IndexCheck(self._checking.connection).read(list(executed.items()))

    def _deletions(self, database: Database) -> str:
        rows = database.connection.execute(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = current_schema()::regnamespace"
            " AND relname <> 'webqq_schema'"
        )
        statements = " ".join(f"DELETE FROM {table};" for (table,) in rows)
        return f"DO $$ BEGIN {statements} END $$"

    def close(self) -> None:
        """
        Close all connections.
        """
        for database in self._idle:
            database.close()
        if self._checking is not None:
            self._checking.close()


class ReusedStore(Store):
    """
    A store whose connection is used again.
    """

    def close(self) -> None:
        FleetHarness.databases.release(self.database)


class Change:
    """
    Work that changes the state of the server.
    """

    def __init__(self, function: Callable[[Backend], object]) -> None:
        self._function = function
        self.result: Any = None
        self.outcome: Outcome | None = None

    def run(self, backend: Backend) -> Any:
        return self._function(backend)

    def done(self, result: Any) -> None:
        self.result = result

    def failed(self, outcome: Outcome) -> None:
        self.outcome = outcome


class FleetHarness(ServerHarness):
    """
    Processes with one database. Connections are made to them by turns, unless
    C{target} says to which one.

    @cvar databases: has the database.
    @cvar opened: the harnesses that are to be closed.

    @ivar processes: the processes.
    @ivar target: the process of new connections, L{None} for one after another.
    """

    databases: ClassVar[Databases]
    opened: ClassVar[list[FleetHarness]] = []

    def __init__(
        self,
        captcha: CaptchaMode = CaptchaMode.NEVER,
        store: Store | None = None,
        population: str = POPULATION,
        seed: int = 1,
        draw: Callable[[str], bytes] | None = None,
        pollTimeout: float = POLL_TIMEOUT,
        connections: ConnectionLimits = DEFAULT_LIMITS,
        proxies: Collection[str] = (),
        at: float = START,
        folder: Path | None = None,
        captchaText: str | None = None,
        hasSignUp: bool = False,
        file: Path | None = None,
        size: int = 1,
        **watching: Any,
    ) -> None:
        if store is not None:
            pytest.skip("the test has a database of its own")
        self.database = self.url = self.databases.url
        self.clock = SettlingClock(self.settle)
        self._random = Random(seed)
        self._limits: SendingLimits | None = None
        self._isSettling = True
        self._wires: list[Wire] = []
        self._folder = Path(tempfile.mkdtemp(prefix="txwebqq-fleet-"))
        self.processes: list[FleetProcess] = []
        self._sites: list[WatchedSite] = []
        self._turns = count()
        self.target: int | None = None
        self._heard: list[str] = []
        self.clock.advance(at)
        self.store = self.connect()
        self._state: FleetState = self._makeState()
        self._state.merge(parse(population))
        self._settings = FleetSettings(
            folder=folder or self._folder,
            pollTimeout=pollTimeout,
            limits=FileLimits(),
            captcha=captcha,
            captchaText=captchaText,
            sending=None,
            draw=draw,
            adjust=self._adjust,
            signUpPage=SignUpPage(str.encode) if hasSignUp else None,
        )
        self._options = ResourceOptions(
            proxies=proxies, connections=connections, **watching
        )
        self.listen()
        self.opened.append(self)
        for _ in range(size):
            self.startProcess()
        self._isSettling = False

    def connect(self) -> Store:
        """
        Open the database.
        """
        return ReusedStore(self.url, hasPeers=True)

    def _makeState(self) -> FleetState:
        return FleetState(
            self.store, self.clock, self._random, self._onError, process="harness"
        )

    def _onError(self, text: str, **fields: Any) -> None:
        raise AssertionError(text.format(**fields))

    def _adjust(self, state: FleetState) -> None:
        if self._limits is not None:
            state.sendingLimiter = SendingLimiter(state.makeLimiter, self._limits)

    def listen(self) -> None:
        """
        Hear of the commits from now on.
        """
        self._listening = self.connect()
        database = self._listening.database
        assert isinstance(database, Database)
        database.listen()
        database.connection.driver.add_notify_handler(self._notified)

    def _notified(self, notify: psycopg.Notify) -> None:
        self._heard.append(notify.payload)

    def startProcess(self) -> FleetProcess:
        """
        Start another process.
        """
        process = FleetProcess(
            self.connect,
            self.clock,
            lambda function, *arguments, **named: function(*arguments, **named),
            self._settings,
            self._options,
            self._random,
        )
        self.processes.append(process)
        self._sites.append(process.resource.site())
        process.beginSweeps()
        return process

    def kill(self, n: int) -> None:
        """
        End a process at once: it commits nothing more, and its connections are lost.
        """
        process = self.processes.pop(n)
        del self._sites[n]
        for worker in process.workers:
            worker._disconnect()
        process.endSweeps()

    @property
    def server(self) -> FleetProcess:
        """
        The first process.
        """
        return self.processes[0]

    @property
    def site(self) -> WatchedSite:
        """
        The factory for the next connection.
        """
        n = next(self._turns) if self.target is None else self.target
        return self._sites[n % len(self._sites)]

    @property
    def state(self) -> FleetState:
        """
        The state as the database has it. What is changed in it is not stored.
        """
        self._state.begin()
        return self._state

    def settle(self) -> None:
        if self._isSettling:
            return
        self._isSettling = True
        try:
            while self._work() or self.hear() or self._turn():
                pass
        finally:
            self._isSettling = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """
        Have the workers do nothing meanwhile.
        """
        self._isSettling = True
        yield
        self._isSettling = False

    def _work(self) -> bool:
        isBusy = False
        for process in self.processes:
            for worker in process.workers:
                while worker.isConnected and worker.handleBatch():
                    isBusy = True
        return isBusy

    def _turn(self) -> bool:
        calls = self.clock.getDelayedCalls()
        isDue = any(call.getTime() <= self.clock.seconds() for call in calls)
        if isDue:
            Clock.advance(self.clock, 0)
        return isDue

    def hear(self) -> bool:
        """
        Tell the processes of the commits that they have not heard of.
        """
        # Notifications come before the reply.
        self._listening.database.count("SELECT 1")
        heard, self._heard = self._heard, []
        for text in heard:
            numbers = [Number(int(n)) for n in text.split(",")]
            for process in self.processes:
                process.polls.wake(numbers)
        return bool(heard)

    def change(self, function: Callable[[Any], Any], n: int = 0) -> Any:
        work = Change(lambda backend: function(backend.state))
        self.processes[n].writing.submit(work)
        self.settle()
        assert work.outcome is None
        return work.result

    def storeEvent(self, event: QueuedEvent, numbers: Sequence[Number]) -> int:
        def store(state: FleetState) -> int:
            state.order()
            return storeEvent(state.store, event, numbers)

        serial: int = self.change(store)
        return serial

    def catchUp(self, number: Number) -> None:
        self.store.database.connection.execute(
            "DELETE FROM signal WHERE number = ?", (number,)
        )

    def limit(self, limits: SendingLimits) -> None:
        self._limits = limits
        for process in self.processes:
            for worker in process.workers:
                worker._backend = None

    def close(self) -> None:
        """
        End all processes.
        """
        self.opened.remove(self)
        self._isSettling = True
        for process in self.processes:
            with suppress(InvalidConfiguration):
                process.stop()
                process.join()
        database = self._listening.database
        assert isinstance(database, Database)
        database.connection.driver.remove_notify_handler(self._notified)
        database.connection.execute("UNLISTEN *")
        for store in (self.store, self._listening):
            store.close()
        shutil.rmtree(self._folder, ignore_errors=True)
