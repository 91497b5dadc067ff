"""
The readiness and the counts of one of several server processes, and its limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.postgresql.server import PostgreSQLServer
from tests.server.fleet.stillprocess import StillProcess, problems
from txwebqq.operation.metrics import Histogram
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.server.domain.state import ServerState
from txwebqq.server.fleet.process import FleetProcess
from txwebqq.server.fleet.statistics import FleetStatistics
from txwebqq.server.fleet.worker import Backend, Job
from txwebqq.server.limits import DEFAULT_LIMITS
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.uploadquotas import FileLimits


@pytest.fixture
def process(postgreSQL: PostgreSQLServer, tmp_path: Path) -> Iterator[StillProcess]:
    """
    A process with a database of its own.
    """
    process = StillProcess(postgreSQL.newDatabase(), tmp_path / "files")
    yield process
    process.stop()
    for worker in process.workers:
        worker._disconnect()


def values(process: FleetProcess) -> dict[tuple[str, ...], float]:
    """
    Return the samples that are not 0, and how many values each histogram has.
    """
    statistics = FleetStatistics()
    statistics.opened(process)
    found = {}
    for metric, labels, value in statistics.samples():
        number = value.buckets()[-1][1] if isinstance(value, Histogram) else value
        if number:
            found[metric.name.removeprefix("txwebqq_server_"), *labels] = number
    return found


def test_counts(process: StillProcess) -> None:
    """
    Each worker counts its transactions and their requests, those that were repeated
    and those that have failed.
    """
    process.writing.submit(Job(lambda backend: backend.state.sweep()))
    process.writing.submit(Job(lambda backend: None))
    assert values(process) == {("worker_requests_waiting", "writes"): 2}
    process.work()
    found = values(process)
    assert found["worker_batch_requests", "writes"] == 1
    assert found["worker_batch_seconds", "writes"] == 1
    assert process.writing.counts.sizes.total == 2

    attempts = []

    def once(backend: Backend) -> str:
        attempts.append(backend)
        if len(attempts) == 1:
            raise StatementFailed("the connection is lost")
        return "done"

    assert process.result(process.writing, once) == "done"
    found = values(process)
    assert found["worker_repeats_total", "writes"] == 1
    assert found["worker_reconnects_total", "writes"] == 1


def test_failures(process: StillProcess, flushLoggedErrors: Any) -> None:
    """
    A handler that fails is counted, and the process stays ready.
    """
    process.reading.submit(Job(lambda backend: 1 / 0))
    process.work()
    assert values(process)["worker_failures_total", "reads"] == 1
    assert problems(process) == []
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1


def test_online(process: StillProcess) -> None:
    """
    The number of sessions is that of the last sweep: no reading asks the database.
    """
    assert values(process) == {}
    process._cbSweep()
    process.work()
    assert ("sessions", "online") not in values(process)
    process.onlineCount = 7
    assert values(process)["sessions", "online"] == 7


def test_away(process: StillProcess) -> None:
    """
    The process is not ready while a worker does not reach the database.
    """
    assert problems(process) == []
    worker, process.isAway = process.reading, True
    worker._disconnect()
    worker._isStopped = True
    worker._handle([Job(lambda backend: None)])
    assert problems(process) == ["the database is away: nobody listens"]
    process.isAway = False
    worker._handle([Job(lambda backend: None)])
    assert problems(process) == []


def test_reload(process: StillProcess) -> None:
    """
    Changed limits count for the states that workers have, and for those that they
    make after the connection was lost.
    """

    def limits(backend: Backend) -> tuple[int, int]:
        state, limiter = backend.state, backend.state.sendingLimiter
        files: FileLimits = backend.handlers.offlineFiles.limits
        assert limiter is not None
        return state.recorder.keep, files.dailyCount

    def keep(state: ServerState) -> None:
        state.recorder.keep = 7

    assert process.result(process.writing, limits)[1] == FileLimits().dailyCount
    process.reload(
        replace(
            process.settings,
            limits=FileLimits(dailyCount=5),
            sending=SendingLimits(messages=3),
            adjust=keep,
        ),
        DEFAULT_LIMITS,
    )
    process.work()
    assert process.result(process.writing, limits) == (7, 5)
    assert process.resource._uploads._uploads.quotas.limits.dailyCount == 5
    process.writing._disconnect()
    assert process.result(process.writing, limits) == (7, 5)
