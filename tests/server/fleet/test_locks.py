"""
Transactions of two processes that change the same rows at one moment.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import ALICE, BOB, HTTPClient, Wire, textsOf
from txwebqq.postgresql.connection import Connection
from txwebqq.server.fleet.worker import Worker
from txwebqq.server.sessions.sendinglimits import SendingLimits


class Race:
    """
    Two workers that handle their requests in threads. The second begins when the first
    has executed a statement, and the first goes on when the second has executed one of
    these too, waits for a lock, or is done.

    @param part: a part of this statement.
    """

    def __init__(
        self,
        harness: FleetHarness,
        monkeypatch: pytest.MonkeyPatch,
        workers: Sequence[Worker],
        part: str,
    ) -> None:
        self._harness = harness
        self._part = part
        self._reached = [threading.Event(), threading.Event()]
        self._calls: list[tuple[Any, ...]] = []
        self._threads = [
            threading.Thread(target=self._handle, args=(n, worker))
            for n, worker in enumerate(workers)
        ]
        self._before = {worker: worker._call for worker in workers}
        execute = Connection.execute

        def executed(connection: Connection, sql: str, values: Any = (), /) -> Any:
            result = execute(connection, sql, values)
            if part in sql:
                self._executed()
            return result

        monkeypatch.setattr(Connection, "execute", executed)

    def _handle(self, n: int, worker: Worker) -> None:
        worker._call = lambda *call: self._calls.append(call)
        worker.handleBatch()
        self._reached[n].set()

    def _executed(self) -> None:
        for n, thread in enumerate(self._threads):
            if thread is threading.current_thread() and not self._reached[n].is_set():
                self._reached[n].set()
                if n == 0:
                    self._waitForSecond()

    def _waitForSecond(self) -> None:
        database = self._harness._listening.database
        while not self._reached[1].is_set() and not database.count(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
        ):
            pass

    def run(self) -> None:
        """
        Have both handle what they have, and tell the results.
        """
        first, second = self._threads
        first.start()
        self._reached[0].wait()
        second.start()
        first.join()
        second.join()
        for worker, call in self._before.items():
            worker._call = call
        for function, *arguments in self._calls:
            function(*arguments)
        self._harness.settle()


def unsettled(harness: FleetHarness, ask: Callable[[], Wire]) -> Wire:
    """
    Send a request, and leave it to the workers.
    """
    harness._isSettling = True
    try:
        return ask()
    finally:
        harness._isSettling = False


def poll(client: HTTPClient, n: int, ack: int | None = None) -> Wire:
    """
    Send a poll to a process, and leave it to its worker.
    """
    harness = client.harness
    assert isinstance(harness, FleetHarness)
    harness.target = n
    return unsettled(harness, lambda: client.poll(ack))


def repeats(harness: FleetHarness) -> int:
    return sum(w.counts.repeats for p in harness.processes for w in p.workers)


def test_oppositeOrder(
    pair: FleetHarness,
    alice: HTTPClient,
    bob: HTTPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Two processes that take the polls of two accounts in opposite order do not wait for
    each other.
    """
    for client, n in ((alice, 0), (bob, 0), (bob, 1), (alice, 1)):
        poll(client, n)
    workers = [process.polling for process in pair.processes]
    assert [worker.length for worker in workers] == [2, 2]
    Race(pair, monkeypatch, workers, "FOR UPDATE").run()
    assert repeats(pair) == 0


def test_twoPolls(
    pair: FleetHarness,
    alice: HTTPClient,
    bob: HTTPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Of two polls of a client that two processes begin at one moment, the later one is
    answered, and the other is over.
    """
    polls = [poll(alice, n) for n in (0, 1)]
    workers = [process.polling for process in pair.processes]
    Race(pair, monkeypatch, workers, "FOR UPDATE").run()
    pair.target = None
    pair.clock.advance(2)
    assert [each.isAnswered for each in polls] == [True, False]
    assert polls[0].response.json["retcode"] == 102
    bob.tell(ALICE, "hi")
    assert textsOf(polls[1].response) == ["hi"]


def test_relink(
    pair: FleetHarness,
    alice: HTTPClient,
    bob: HTTPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A relink and a poll of one client do not wait for each other.
    """
    pair.target = 0
    ids = {"ptwebqq": alice.ptwebqq, "psessionid": alice.psessionid}
    unsettled(pair, lambda: alice.ask("/channel/login2", status="online", **ids))
    poll(alice, 1)
    workers = pair.processes[0].writing, pair.processes[1].polling
    Race(pair, monkeypatch, workers, "UPDATE poll_state").run()
    assert repeats(pair) == 0


def test_limits(
    pair: FleetHarness,
    alice: HTTPClient,
    bob: HTTPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Two messages that two processes accept at one moment are both counted.
    """
    pair.limit(SendingLimits(messages=4))
    uin = alice.uin(BOB)
    content = json.dumps(["hi", ["font", {}]])
    for n in (0, 1):
        pair.target = n
        unsettled(
            pair,
            lambda: alice.ask(
                "/channel/send_buddy_msg2",
                psessionid=alice.psessionid,
                to=uin,
                content=content,
            ),
        )
    workers = [process.writing for process in pair.processes]
    Race(pair, monkeypatch, workers, "FROM allowance").run()
    pair.target = None
    codes = [alice.tell(BOB, "more").json["retcode"] for _ in range(3)]
    assert codes == [0, 0, 112]
