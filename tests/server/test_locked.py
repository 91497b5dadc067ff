"""
A server whose database another process is writing to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel, capturedLogs, formatEvent
from twisted.python.failure import Failure

from tests.server.harness import ALICE, BOB, CAROL, HTTPClient, ServerHarness, Wire
from txwebqq.server.errorlog import INTERVAL, ErrorLog
from txwebqq.server.resource import NOT_STORED
from txwebqq.server.storage.messages.eventwriter import LOCK_PATIENCE
from txwebqq.server.storage.store import Store


class LockedServer:
    """
    A server with a database file, Alice, and her friend Bob.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "q.db"
        self.harness = ServerHarness(store=Store(self.path))
        self.alice, self.bob = map(self.harness.client, (ALICE, BOB))
        self.clock = self.harness.clock
        for client in (self.alice, self.bob):
            client.poll(ack=0)
            self.clock.advance(1)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Lock the database as C{webqq-admin} does while it writes.
        """
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    def tell(self, text: str) -> Wire:
        session = self.harness.state.sessions.online(ALICE)
        assert session is not None
        return self.alice.ask(
            "/channel/send_buddy_msg2",
            psessionid=self.alice.psessionid,
            to=session.sessionIds.uin(BOB),
            content=f'["{text}",[]]',
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LockedServer]:
    server = LockedServer(tmp_path)
    yield server
    server.harness.server.stop()
    server.harness.store.close()


def texts(client: HTTPClient, ack: int) -> tuple[list[str], int]:
    """
    The texts in the reply to a poll, and its number.
    """
    poll = client.poll(ack=ack)
    client.harness.clock.advance(0)
    answer = poll.response.json
    found = [each["value"]["content"][1].strip() for each in answer["result"]]
    return found, answer["ack"]


def test_waits(server: LockedServer) -> None:
    """
    A message that is sent meanwhile is accepted and delivered when the other
    process has ended; pages are served at once.
    """
    poll = server.bob.poll(ack=2**51)
    with server.locked():
        sending = server.tell("one")
        server.clock.advance(LOCK_PATIENCE / 2)
        assert not sending.isAnswered
        assert not poll.isAnswered
        assert server.harness.get("/crossdomain.xml").isAnswered
        number, _ = server.bob.check()
        assert number == "0"
    server.clock.advance(1)
    server.clock.advance(0)
    assert sending.response.json["retcode"] == 0
    assert [e["value"]["content"][1] for e in poll.response.result] == ["one "]
    # It was given once, so the next poll is not throttled.
    assert server.tell("two").response.json["retcode"] == 0
    assert texts(server.bob, poll.response.json["ack"])[0] == ["two"]


def test_refused(
    server: LockedServer, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    A message that cannot be stored for ten seconds is refused, and is not
    delivered.
    """
    poll = server.bob.poll(ack=2**51)
    with server.locked():
        sending = server.tell("one")
        server.clock.advance(LOCK_PATIENCE + 1)
        for _ in range(3):
            server.clock.advance(0)
        answer = sending.response.json
        assert answer["retcode"] == NOT_STORED.retcode
    assert len(flushLoggedErrors(sqlite3.OperationalError)) == 1
    assert server.tell("two").response.json["retcode"] == 0
    assert [e["value"]["content"][1] for e in poll.response.result] == ["two "]


def test_signOn(server: LockedServer) -> None:
    """
    Accounts sign on and off meanwhile, and what a client has acknowledged by
    then is not given again.
    """
    server.tell("one")
    found, ack = texts(server.bob, 0)
    assert found == ["one"]
    with server.locked():
        server.bob.channel("logout2", ids="", clientid=server.bob.clientid, ack=ack)
        carol = server.harness.client(CAROL)
        carol.poll(ack=0)
        assert server.harness.state.sessions.online(CAROL) is not None
        server.clock.advance(1)
    server.clock.advance(1)
    assert server.harness.store.messages.unacknowledged(BOB) == []
    assert server.harness.store.accounts.onlineTime(CAROL).days == 0
    server.harness.state.sweep()
    assert server.harness.store.accounts.onlineTime(CAROL).days == 1


def test_history(server: LockedServer) -> None:
    """
    Messages that were recorded meanwhile are in the history afterwards.
    """
    assert server.tell("one").response.json["retcode"] == 0
    with server.locked():
        server.clock.advance(2)
    server.clock.advance(2)
    db = server.harness.store.database
    assert db.count("SELECT count(*) FROM history") == 1


def test_errorLog() -> None:
    """
    A database that fails is one line a minute without a traceback; other
    failures keep theirs.
    """
    clock = Clock()
    errors = ErrorLog(Logger(), clock.seconds)

    def fail(error: Exception) -> None:
        try:
            raise error
        except Exception as e:
            errors.failure("Writing failed: {reason}.", reason=str(e))

    full = sqlite3.OperationalError("database or disk is full")
    with capturedLogs() as events:
        fail(full)
        fail(full)
        clock.advance(INTERVAL)
        fail(full)
    assert [formatEvent(event) for event in events] == [
        "Writing failed: database or disk is full."
    ] * 2
    assert {event["log_level"] for event in events} == {LogLevel.error}


def test_recall(
    server: LockedServer, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    A recall is refused at once and changes nothing; sent again later, it is done, and
    the message that waited for its recipient is not delivered.
    """
    held = server.bob.poll(ack=0)
    server.tell("one")
    sent = server.tell("oops").response.json["msg_id2"]
    server.clock.advance(1)
    session = server.harness.state.sessions.online(ALICE)
    assert session is not None
    members = {"to": session.sessionIds.uin(BOB), "msg_id2": sent}
    with server.locked():
        reply = server.alice.channel("recall_buddy_msg2", **members)
        assert reply.status == 500
        server.clock.advance(1)
    assert len(server.harness.store.messages.waiting(BOB, 0, 5)) == 1
    reply = server.alice.channel("recall_buddy_msg2", **members)
    assert reply.json["retcode"] == 0
    poll = server.bob.poll(ack=held.response.json["ack"])
    server.clock.advance(1)
    assert not poll.isAnswered
    assert flushLoggedErrors(sqlite3.OperationalError)
