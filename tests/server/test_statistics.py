"""
The counts of a server for its operator.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from twisted.python.failure import Failure

from tests.server.harness import ALICE, BOB, HTTPClient, ServerHarness
from txwebqq.operation.metrics import Histogram
from txwebqq.server.statistics import MAX_CODES, ServerStatistics
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import SendBuddyMsg2


class CountedHarness(ServerHarness):
    """
    A server that is counted.
    """

    def __init__(self, file: Path) -> None:
        self.isListening = True
        self.statistics = ServerStatistics(lambda: self.isListening)
        store = Store(file)
        self.statistics.watchStore(store)
        super().__init__(
            store=store,
            send=self.statistics.send,
            makeRequest=self.statistics.makeRequest,
        )
        self.statistics.opened(self.state, self.server.handlers)

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """
        Return the samples of a metric that are not 0.
        """
        return {
            labels: value
            for metric, labels, value in self.statistics.samples()
            if metric.name == f"txwebqq_server_{name}"
            and not isinstance(value, Histogram)
            and value
        }

    def commits(self) -> float:
        """
        Return the number of writes that were timed.
        """
        [found] = [
            value
            for _, _, value in self.statistics.samples()
            if isinstance(value, Histogram)
        ]
        return found.buckets()[-1][1]


Flush = Callable[..., list[Failure]]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[CountedHarness]:
    """
    Make a counted server with a database file.
    """
    harness = CountedHarness(tmp_path / "s.db")
    yield harness
    harness.disconnectAll()
    harness.server.stop()
    harness.store.close()
    assert harness.clock.getDelayedCalls() == []


def test_sessions(harness: CountedHarness) -> None:
    """
    Sessions, held polls and sign-ons are counted.
    """
    assert harness.values("sessions") == {}
    harness.client(ALICE)
    bob = harness.client(BOB)
    bob.poll()
    assert harness.values("sessions") == {("online",): 2}
    assert harness.values("polls_held") == {(): 1}
    assert harness.values("sign_ons_total") == {("signed_on",): 2}
    harness.clock.advance(30)
    for _ in range(12):
        harness.clock.advance(15)
    assert harness.values("sessions") == {("lapsed",): 2}
    assert harness.values("polls_held") == {}


def test_refusedSignOns(harness: CountedHarness) -> None:
    """
    Refused sign-ons are counted by outcome.
    """
    client = HTTPClient(harness, ALICE)
    client.tryLogin("wrong", client.check()[1])
    client.tryLogin("wrong", "XXXX")
    harness.get("/login?u=1")
    client.ptwebqq = "unknown"
    client.login2()
    assert harness.values("sign_ons_total") == {
        ("wrong_password",): 1,
        ("wrong_captcha",): 1,
        ("malformed",): 2,
    }
    assert harness.values("refusals_total") == {("103",): 1}


def test_messages(harness: CountedHarness) -> None:
    """
    Messages are counted by kind when they are accepted, and events when they are
    stored and when they are acknowledged.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    harness.clock.advance(1)
    before = harness.commits()
    queued = harness.values("events_queued_total").get((), 0)
    delivered = harness.values("events_delivered_total").get((), 0)
    waiting = harness.values("events_waiting").get((), 0)
    assert alice.tell(BOB, "one").json["retcode"] == 0
    assert alice.tellCats("two").json["retcode"] == 0
    assert alice.tell(ALICE, "three").json["retcode"] != 0
    assert harness.values("messages_accepted_total") == {
        ("friend",): 1,
        ("group",): 1,
    }
    # The group has two other members.
    assert harness.values("events_queued_total")[()] == queued + 3
    assert harness.values("events_waiting")[()] == waiting + 3
    assert harness.commits() > before
    bob.poll()
    harness.clock.advance(1)
    bob.poll()
    harness.clock.advance(1)
    assert harness.values("events_delivered_total")[()] == delivered + 2
    assert harness.values("database_failures_total") == {}


def test_failedWrite(harness: CountedHarness, flushLoggedErrors: Flush) -> None:
    """
    A write that fails is counted, and not timed.
    """
    alice = harness.client(ALICE)
    harness.clock.advance(1)
    before = harness.commits()
    harness.store.database.connection.execute("DROP TABLE waiting")
    assert alice.tell(BOB, "one").json["retcode"] == 100000
    assert harness.values("database_failures_total") == {(): 1}
    assert harness.commits() == before
    assert harness.values("messages_accepted_total") == {}
    assert flushLoggedErrors(sqlite3.OperationalError)


def test_requests(harness: CountedHarness) -> None:
    """
    Requests are counted by the class of their path, never by the path itself, and by
    status; one whose client has gone is lost.
    """
    harness.client(BOB).poll()
    harness.get("/nowhere/1")
    harness.get("/nowhere/2")
    harness.send(b"DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n")
    head = (
        b"POST /channel/login2 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
    )
    harness.send(head)
    harness.send(b"GET /cut HTTP/1.1\r\nHo").close()
    harness.disconnectAll()
    assert harness.values("http_requests_total") == {
        ("signon", "200"): 3,
        ("signon", "413"): 1,
        ("other", "404"): 2,
        ("other", "405"): 1,
        ("other", "lost"): 1,
        ("poll", "lost"): 1,
    }


def test_uncounted() -> None:
    """
    Without the option nothing is counted, and replies are written as they are.
    """
    harness = ServerHarness()
    assert type(harness.server.site().requestFactory) is type
    harness.server.stop()


def test_codes(harness: CountedHarness) -> None:
    """
    A poll without events is no refusal, and the number of codes is bounded.
    """
    for code in (102, *range(1000, 1000 + 2 * MAX_CODES)):
        harness.statistics._countRefusal(SendBuddyMsg2, Refusal(code))
    found = harness.values("refusals_total")
    assert ("102",) not in found
    assert len(found) == MAX_CODES + 1
    assert found["other",] == MAX_CODES


def test_ready(harness: CountedHarness, tmp_path: Path) -> None:
    """
    The server is ready when it listens and its database can be written to.
    """
    assert list(harness.statistics.problems()) == []
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        problem = "the database cannot be written to: database is locked"
        assert list(harness.statistics.problems()) == [problem]
        other.execute("ROLLBACK")
    assert list(harness.statistics.problems()) == []
    harness.isListening = False
    assert list(harness.statistics.problems()) == ["the server does not listen yet"]
    harness.statistics.closed()
    assert list(harness.statistics.problems()) == ["the server is not running"]
    assert harness.values("sessions") == {}


def test_closedDatabase(tmp_path: Path) -> None:
    """
    The metrics can be read when the database cannot.
    """
    harness = CountedHarness(tmp_path / "s.db")
    harness.server.stop()
    harness.store.close()
    assert harness.values("events_waiting") == {}
    [problem] = harness.statistics.problems()
    assert problem.startswith("the database cannot be written to")
