"""
A database that fails, is away, or ends a connection in the middle of a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure

from tests.postgresql.server import PostgreSQLServer
from tests.server.fleet.harness import Change, FleetHarness
from tests.server.fleet.stillprocess import problems
from tests.server.harness import ALICE, BOB, HTTPClient, Wire, textsOf
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.postgresql.database import Database
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.server.fleet import worker as working
from txwebqq.server.fleet.counts import QUIET
from txwebqq.server.fleet.exchange import AWAY, PATIENCE
from txwebqq.server.fleet.worker import REPEATS, Backend, Job, Outcome, Worker
from txwebqq.server.resource import SWEEP
from txwebqq.server.sessions.sessions import LAPSE
from txwebqq.server.storage.conversations.history import HistoryStore
from txwebqq.server.storage.store import Store


@pytest.fixture(autouse=True)
def _noWaiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "RETRY", 0)


@pytest.fixture
def harness(fleetEngine: None) -> FleetHarness:
    return FleetHarness()


@pytest.fixture
def alice(harness: FleetHarness) -> HTTPClient:
    return harness.client(ALICE)


@pytest.fixture
def bob(harness: FleetHarness, alice: HTTPClient) -> HTTPClient:
    bob = harness.client(BOB)
    alice.catchUp()
    return bob


LONG = "canceling statement due to statement timeout"
LOCKED = "canceling statement due to lock timeout"


def quick(backend: Backend) -> str:
    return "done"


def terminate(harness: FleetHarness, worker: Worker) -> None:
    """
    End the connection of a worker, on the side of the database.
    """
    assert worker._store is not None
    database = worker._store.database
    assert isinstance(database, Database)
    pid = database.connection.driver.info.backend_pid
    harness.databases.engine.execute(
        "postgres", f"SELECT pg_terminate_backend({pid}, 5000)"
    )


class Away:
    """
    A database that a process can make no connection to.
    """

    def __init__(self, harness: FleetHarness, n: int = 0) -> None:
        self._harness = harness
        self._connect = {w: w._connect for w in harness.processes[n].workers}
        for worker in self._connect:
            terminate(harness, worker)
            worker._connect = self._refuse

    def _refuse(self) -> Any:
        raise InvalidConfiguration("connection refused")

    def end(self) -> None:
        """
        Have connections made again.
        """
        for worker, connect in self._connect.items():
            worker._connect = connect
            while worker.length:
                worker.handleBatch()
        self._harness.settle()


def greet(client: HTTPClient) -> Wire:
    """
    Send a message to Bob, which may have no reply.
    """
    return client.ask(
        "/channel/send_buddy_msg2",
        psessionid=client.psessionid,
        to=client.uin(BOB),
        content='["hi",["font",{}]]',
        msg_id=1,
    )


def heard(client: HTTPClient) -> list[str]:
    """
    Return all texts that wait for a client.
    """
    texts: list[str] = []
    ack = 0
    while (poll := client.poll(ack)).isAnswered:
        texts += textsOf(poll.response)[::-1]
        ack = poll.response.json["ack"]
    poll.close()
    return texts


def test_oneFails(
    harness: FleetHarness, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    A request that fails leaves nothing behind, and the others of its batch are done.
    """
    store = harness.store

    def add(name: str) -> Change:
        def run(backend: Backend) -> str:
            backend.store.settings.update(ALICE, 1, {name: "1"})
            if name == "bad":
                raise KeyError(name)
            return name

        return Change(run)

    changes = [add(name) for name in ("first", "bad", "last")]
    for change in changes:
        harness.processes[0].writing.submit(change)
    harness.settle()
    assert [each.result for each in changes] == ["first", None, "last"]
    assert changes[1].outcome is Outcome.FAILED
    assert set(store.settings.get(ALICE, 1)) == {"first", "last"}
    assert len(flushLoggedErrors(KeyError)) == 1


def test_statementFails(
    harness: FleetHarness,
    alice: HTTPClient,
    bob: HTTPClient,
    monkeypatch: pytest.MonkeyPatch,
    flushLoggedErrors: Callable[..., list[Failure]],
) -> None:
    """
    A statement that fails where a server with SQLite goes on, that of the history,
    fails its request alone, of which nothing is stored.
    """

    def fail(history: HistoryStore, messages: object) -> None:
        history._db.execute("SELECT 1 FROM nowhere")

    def run(backend: Backend) -> str:
        backend.store.settings.update(ALICE, 1, {"kept": "1"})
        return "done"

    change = Change(run)
    with monkeypatch.context() as patch:
        patch.setattr(HistoryStore, "record", fail)
        harness.processes[0].writing.submit(change)
        response = alice.tell(BOB, "lost")
    assert response.status == 500
    assert len(flushLoggedErrors(StatementFailed)) == 1
    assert change.result == "done"
    assert set(harness.store.settings.get(ALICE, 1)) == {"kept"}
    assert alice.tell(BOB, "kept").json["retcode"] == 0
    assert heard(bob) == ["kept"]


def test_fullDisk(harness: FleetHarness) -> None:
    """
    A transaction that fails again and again, as on a full disk, is not repeated
    without a pause, in which its requests can be refused.
    """
    attempts: list[Backend] = []

    def run(backend: Backend) -> str:
        attempts.append(backend)
        assert len(attempts) <= 2 * REPEATS + 2
        if len(attempts) < 2 * REPEATS:
            raise StatementFailed("no space left on the device", "53100")
        return "done"

    change, refused = Change(run), Change(lambda backend: "done")
    writing = harness.processes[0].writing
    writing.submit(change)
    writing.submit(refused)
    writing.handleBatch()
    assert len(attempts) == REPEATS + 1
    assert writing.withdraw(refused)
    writing.handleBatch()
    assert (change.result, change.outcome) == ("done", None)
    assert refused.result is None


def test_tooLong(harness: FleetHarness) -> None:
    """
    A request whose statement takes too long is refused when it has failed alone, and
    the others of its batch are done. The operator is told once that requests wait,
    and when it is over.
    """
    writing = harness.processes[0].writing
    attempts: list[str] = []

    def run(backend: Backend) -> None:
        attempts.append("long")
        execute = backend.store.database.connection.execute
        execute("SET LOCAL statement_timeout = '50ms'")
        execute("SELECT pg_sleep(600)")

    first, bad, last = (Change(each) for each in (quick, run, quick))
    with capturedLogs() as logs:
        for change in (first, bad, last):
            writing.submit(change)
        harness.settle()
        assert (first.result, last.result) == ("done", "done")
        assert bad.outcome is Outcome.NOT_DONE
        assert len(attempts) == 2
        (problem,) = problems(harness.processes[0])
        assert problem == f"requests wait for the database (writes, for 0 s: {LONG})"
        harness.clock.advance(QUIET)
        harness.change(lambda state: None)
    assert problems(harness.processes[0]) == []
    began, ended = [formatEvent(event) for event in logs]
    assert began.startswith(f"Requests wait for the database (writes): {LONG};")
    assert ended.startswith("Requests no longer wait for the database (writes)")


def test_tooLongForJob(harness: FleetHarness) -> None:
    """
    A job is repeated some times after the work that waits, since no client sends it
    again.
    """
    writing = harness.processes[0].writing
    attempts: list[int] = []
    found: list[object] = []

    def run(backend: Backend) -> None:
        attempts.append(writing.length)
        if len(attempts) <= REPEATS:
            raise StatementFailed(LONG, "57014")

    writing.submit(Job(run, found.append))
    writing.submit(Change(quick))
    harness.settle()
    assert found == [None]
    assert len(attempts) == REPEATS + 1


def test_locked(harness: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    While a table is locked, a message is refused so that its client sends it again,
    also when its time is over during an attempt, and is not sent later.
    """
    process = harness.processes[0]
    writing: Any = process.writing
    attempt, attempts = writing._attempt, []

    def locked(batch: list[Any], results: list[Any]) -> None:
        attempts.append(batch)
        writing._isInDoubt = False
        if len(attempts) == 2:
            writing._attempt = attempt
        harness._isSettling = True
        harness.clock.advance(10.5)
        harness._isSettling = False
        raise StatementFailed(LOCKED, "55P03")

    writing._attempt = locked
    wire = greet(alice)
    assert wire.response.json["retcode"] == AWAY.retcode
    assert len(attempts) == 2
    assert LOCKED in problems(process)[0]
    assert heard(bob) == []
    assert alice.tell(BOB, "again").json["retcode"] == 0


@pytest.mark.parametrize("isCommitted", [True, False])
def test_connectionLostAtCommit(
    harness: FleetHarness, alice: HTTPClient, bob: HTTPClient, isCommitted: bool
) -> None:
    """
    When the connection is lost while a message is committed, it is delivered once, and
    its sender is told so, whether the commit took effect or not.
    """
    writing = harness.processes[0].writing
    assert writing._store is not None
    connection: Any = writing._store.database.connection
    execute = connection.execute
    commits = []

    def lose(sql: str, *arguments: Any) -> Any:
        if sql != "COMMIT":
            return execute(sql, *arguments)
        commits.append(sql)
        del connection.execute
        if isCommitted:
            execute(sql)
        terminate(harness, writing)
        return execute(sql)

    connection.execute = lose
    poll = bob.poll(0)
    reply = alice.tell(BOB, "hi")
    assert commits == ["COMMIT"]
    assert reply.json["retcode"] == 0
    assert textsOf(poll.response) == ["hi"]
    assert not bob.poll(poll.response.json["ack"]).isAnswered


class _State:
    """
    The state of a server that has nothing but its store.
    """

    def begin(self) -> None:
        pass

    def now(self) -> float:
        return 1366004047.0

    def write(self) -> frozenset[Number]:
        return frozenset()


def test_crashAtCommit(postgreSQL: PostgreSQLServer) -> None:
    """
    A transaction that PostgreSQL has lost in a crash is repeated, also when another one
    was given its id since.
    """
    # A server of its own, with settings that keep what was committed.
    server = PostgreSQLServer({"max_connections": "30"})
    try:
        server.start()
        url = server.url("postgres")
        store = Store(url, hasPeers=True)
        state: Any = _State()
        worker = Worker(
            "writes",
            lambda: Store(url, hasPeers=True),
            lambda opened: Backend(opened, state),
            lambda function, *arguments, **named: function(*arguments, **named),
            "only writes",
            time.monotonic,
        )
        worker.open(store)
        connection: Any = store.database.connection
        execute = connection.execute

        def crash(sql: str, *arguments: Any) -> Any:
            if sql == "COMMIT":
                del connection.execute
                server.crash()
                other = Store(url, hasPeers=True)
                for n in range(5):
                    other.settings.update(BOB, 1, {f"{n}": "1"})
                other.close()
            return execute(sql, *arguments)

        def add(backend: Backend) -> str:
            backend.store.settings.update(ALICE, 1, {"lost": "1"})
            return "done"

        change = Change(add)
        connection.execute = crash
        worker.submit(change)
        worker.handleBatch()
        found = Store(url, hasPeers=True)
        assert (change.result, set(found.settings.get(ALICE, 1))) == ("done", {"lost"})
        found.close()
        worker.end()
        assert worker.join(0.0)
    finally:
        server.stop()


def test_away(harness: FleetHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    While the database is away polls are held, and a message is refused with the reason
    after some seconds, and is not sent later.
    """
    poll = bob.poll(0)
    uin = alice.uin(BOB)
    away = Away(harness)

    def tell(text: str) -> Any:
        content = f'["{text}",["font",{{}}]]'
        members = {"to": uin, "content": content, "msg_id": 1}
        return alice.ask(
            "/channel/send_buddy_msg2", psessionid=alice.psessionid, **members
        )

    early = tell("early")
    harness.clock.advance(PATIENCE - 1)
    late = tell("late")
    assert not early.isAnswered
    harness.clock.advance(1)
    assert early.response.json["retcode"] == AWAY.retcode
    assert early.response.json["errmsg"] == AWAY.errmsg
    assert not poll.isAnswered
    assert not late.isAnswered
    away.end()
    assert late.response.json["retcode"] == 0
    assert textsOf(poll.response) == ["late"]
    assert heard(bob) == ["late"]


def test_awayForLong(pair: FleetHarness) -> None:
    """
    After a long time without the database, a process that has it back before another
    one ends no session whose poll the other one holds; those without polls lapse as
    late as after a restart.
    """
    alice, bob = pair.client(ALICE), pair.client(BOB)
    alice.catchUp()
    pair.target = 0
    bob.poll(0)
    gone, back = Away(pair, 0), Away(pair, 1)
    for _ in range(20):
        pair.clock.advance(SWEEP)
        bob.poll(0)
    back.end()
    pair.clock.advance(SWEEP)
    gone.end()
    assert bob.channel("get_online_buddies2").json["retcode"] == 0
    pair.target = 1
    assert alice.channel("get_online_buddies2").json["retcode"] == 0
    pair.clock.pump([SWEEP] * int(LAPSE / SWEEP))
    assert alice.channel("get_online_buddies2").json["retcode"] == 121


def test_workWhileAway(pair: FleetHarness) -> None:
    """
    However long the database is away, a process has the regular work wait once.
    """
    pair.target = 0
    pair.client(BOB).poll(0)
    process = pair.processes[0]
    gone = Away(pair, 0)
    for _ in range(10):
        pair.clock.advance(SWEEP)
    waiting = [worker.length for worker in process.workers]
    gone.end()
    assert max(waiting) == 1
    pair.clock.advance(SWEEP)
    assert [worker.length for worker in process.workers] == [0, 0, 0]


def test_awayAtCommit(
    harness: FleetHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A message whose commit was lost is not sent when the database comes back after its
    sender was given up, who may have sent it again by then.
    """
    writing = harness.processes[0].writing
    assert writing._store is not None
    connection: Any = writing._store.database.connection
    execute, connect = connection.execute, writing._connect

    def lose(sql: str, *arguments: Any) -> Any:
        if sql == "COMMIT":
            del connection.execute
            terminate(harness, writing)
        return execute(sql, *arguments)

    def connectLate() -> Any:
        writing._connect = connect
        harness.clock.advance(PATIENCE)
        return connect()

    connection.execute = lose
    writing._connect = connectLate
    wire = greet(alice)
    assert wire.transport.disconnecting
    assert wire.raw == b""
    assert heard(bob) == []
    assert alice.tell(BOB, "again").json["retcode"] == 0
    assert heard(bob) == ["again"]


def test_lostWhileOpening(
    harness: FleetHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A worker goes on when a new connection is lost before it could be used.
    """
    writing = harness.processes[0].writing
    connect = writing._connect

    def lose() -> Any:
        writing._connect = connect
        raise StatementFailed("the connection is lost")

    terminate(harness, writing)
    writing._connect = lose
    wire = bob.ask(
        "/channel/change_status2", psessionid=bob.psessionid, newstatus="away"
    )
    assert (wire.raw, writing.length, writing.isConnected) == (b"", 1, False)
    writing.handleBatch()
    assert wire.isAnswered
    assert alice.tell(BOB, "hi").json["retcode"] == 0
