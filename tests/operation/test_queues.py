"""
The metrics of queues.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from txwebqq.model import Number, QueuePolicy, ToFriend
from txwebqq.operation.queues import WatchedQueues
from txwebqq.sqlite.database import MEMORY
from txwebqq.testing import MemoryWebQQ, RecordingFactory


def values(watched: WatchedQueues, name: str) -> dict[tuple[str, ...], Any]:
    """
    Return the samples of a metric that are not 0.
    """
    return {
        labels: value
        for metric, labels, value in watched.samples()
        if metric.name == name and value
    }


def test_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The messages that wait and those that were sent are counted, and a file that
    cannot be written to is a problem.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    alice.run(RecordingFactory())
    queue = alice.service.addQueue(MEMORY, policy=QueuePolicy(burst=1, seconds=60.0))
    watched = WatchedQueues()
    watched.watch(queue)
    queue.send(ToFriend(Number(99)), "x")
    for text in "abc":
        queue.send(ToFriend(bob.number), text)
    web.settle(61)
    account = str(alice.number)
    assert values(watched, "txwebqq_queue_messages") == {(account, "friend"): 2}
    assert values(watched, "txwebqq_queue_oldest_seconds") == {(account,): 61.0}
    assert values(watched, "txwebqq_queue_outcomes_total") == {
        (account, "friend", "delivered"): 1,
        (account, "friend", "failed"): 1,
    }
    assert list(watched.problems()) == []
    store = queue._store

    def begin(serial: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "begin", begin)
    web.settle(60)
    problem = f"the queue of account {account} cannot be written to"
    assert list(watched.problems()) == [problem]
    monkeypatch.undo()
    web.settle(240)
    assert list(watched.problems()) == []
    assert values(watched, "txwebqq_queue_messages") == {}
    alice.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []
