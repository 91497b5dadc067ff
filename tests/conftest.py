"""
The settings of all tests: Hypothesis' profile, a log whose failures count, and
databases that have to be closed.

Trial looks at the log after each test case, pytest does not look after a plain
function: here it does.
"""

from __future__ import annotations

import gc
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import treq.testing
from hypothesis import settings
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.python.urlpath import URLPath
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.distribution import spread

if TYPE_CHECKING:
    from tests.postgresql.server import PostgreSQLServer
    from tests.rig import Rig
    from tests.scheduling import UnitScheduling

# A slow machine is no bug; a run that nobody watches must be repeatable.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """
    Two processes for each core, since tests with real programs mostly wait.
    """
    return min(8, 2 * (os.cpu_count() or 1))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """
    Keep the garbage collector away from the thousands of collected tests.

    They live until the end of the run, and looking at them again and again costs
    a quarter of the time of all tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Put the tests in the order in which several processes are busy all the time.
    """
    items[:] = spread(items, lambda item: item.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> UnitScheduling:
    """
    Distribute the tests by units.
    """
    from tests.scheduling import UnitScheduling

    return UnitScheduling(config, log)


@implementer(ILogObserver)
class LoggedFailures:
    """
    A log observer that keeps what nobody expected.
    """

    def __init__(self) -> None:
        self._events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_failure") is not None or event.get("isError"):
            self._events.append(event)

    def flush(self, *types: type[BaseException]) -> list[Failure]:
        """
        Take out the failures of these types, or all of them.
        """
        flushed, kept = [], []
        for event in self._events:
            failure = event.get("log_failure")
            if failure is not None and (not types or failure.check(*types)):
                flushed.append(failure)
            elif types:
                kept.append(event)
        self._events = kept
        return flushed

    def report(self) -> str:
        """
        Take out everything, as text; C{""} when there is nothing.
        """
        events, self._events = self._events, []
        return "\n".join(map(_describe, events))


def _describe(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return f"{formatEvent(event)}\n{failure.getTraceback() if failure else ''}"


@pytest.fixture(scope="session")
def _log() -> Iterator[LoggedFailures]:
    """
    One observer for the whole run, so that nothing falls between two tests.
    """
    log = LoggedFailures()
    globalLogPublisher.addObserver(log)
    yield log
    # A Deferred that failed unheard tells when it is collected.
    gc.collect()
    globalLogPublisher.removeObserver(log)
    report = log.report()
    if report:
        pytest.fail(f"logged after the last test:\n{report}", pytrace=False)


@pytest.fixture(autouse=True)
def _failOnLoggedFailures(
    request: pytest.FixtureRequest, _log: LoggedFailures
) -> Iterator[None]:
    yield
    report = _log.report()
    isTrial = request.cls is not None and issubclass(request.cls, SynchronousTestCase)
    # Trial has judged what its own test cases logged.
    if report and not isTrial:
        pytest.fail(f"logged, and not flushed:\n{report}", pytrace=False)


_PLAIN_URL = re.compile(rb"(https?)://[\w.:-]+(?:/(?!/)|$)")


class _Scheme:
    """
    The scheme of a URL.
    """

    def __init__(self, scheme: bytes) -> None:
        self.scheme = scheme

    @classmethod
    def fromBytes(cls, url: bytes) -> Any:
        plain = _PLAIN_URL.match(url)
        # The parser refuses some of the others.
        return cls(plain[1]) if plain else URLPath.fromBytes(url)


@pytest.fixture(scope="session", autouse=True)
def _fastMemory() -> Iterator[None]:
    """
    Have treq read the scheme of each URL without parsing it once more, which takes a
    quarter of the time of a request in memory.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treq.testing, "URLPath", _Scheme, raising=False)
        yield


@pytest.fixture(scope="session")
def _connections() -> Iterator[list[sqlite3.Connection]]:
    """
    The connections to database files that were opened since the list was emptied.
    """
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(path: str | Path, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(path, **options)
        # A database in memory may be dropped: it closes its connection then.
        if str(path) != ":memory:":
            opened.append(connection)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", remember)
        yield opened


@pytest.fixture(autouse=True)
def _failOnOpenDatabases(_connections: list[sqlite3.Connection]) -> Iterator[None]:
    """
    Fail a test that leaves a connection open. Python 3.13 warns of it, but only
    when the connection is collected, which may be in the middle of a later test.
    """
    _connections.clear()
    yield
    left = [connection for connection in _connections if _isOpen(connection)]
    for connection in left:
        connection.close()
    if left:
        pytest.fail(f"databases left open: {len(left)}", pytrace=False)


def _isOpen(connection: sqlite3.Connection) -> bool:
    try:
        return connection.total_changes >= 0
    except sqlite3.ProgrammingError:
        return False


@pytest.fixture
def flushLoggedErrors(_log: LoggedFailures) -> Callable[..., list[Failure]]:
    """
    Call with exception types (or none, for all of them) for the failures that
    the test has logged so far; they no longer fail it.
    """
    return _log.flush


@pytest.fixture
def rig() -> Iterator[Rig]:
    """
    A client at a scripted server. It must stop without a delayed call left.
    """
    from tests.rig import Rig

    rig = Rig()
    yield rig
    rig.finish()


@pytest.fixture(scope="session")
def postgreSQL() -> Iterator[PostgreSQLServer]:
    """
    A PostgreSQL server, started for the first test that wants it. Without PostgreSQL
    the test is skipped, in continuous integration it fails.
    """
    from tests.postgresql.server import PostgreSQLServer, programs

    if programs() is None:
        from tests.irc.programs import missing

        missing("PostgreSQL")
    server = PostgreSQLServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()
