"""
The counts of one of several server processes for its operator, beside those of
L{ServerStatistics<txwebqq.server.statistics.ServerStatistics>}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from txwebqq.operation.metrics import Sample, counter, gauge, histogram
from txwebqq.server.fleet.process import FleetProcess
from txwebqq.server.statistics import POLLS, SESSIONS

WAITING = gauge(
    "txwebqq_server_worker_requests_waiting",
    "Requests that wait for a worker.",
    "worker",
)
SIZES = histogram(
    "txwebqq_server_worker_batch_requests",
    "Requests that a worker has handled in one transaction.",
    "worker",
)
SECONDS = histogram(
    "txwebqq_server_worker_batch_seconds",
    "Time of such a transaction.",
    "worker",
)
REPEATS = counter(
    "txwebqq_server_worker_repeats_total",
    "Transactions that were not committed, and tried again.",
    "worker",
)
FAILURES = counter(
    "txwebqq_server_worker_failures_total",
    "Requests whose handler has failed.",
    "worker",
)
CONNECTIONS = counter(
    "txwebqq_server_worker_reconnects_total",
    "Connections of a worker to the database after the first one.",
    "worker",
)


class FleetStatistics:
    """
    The counts of a process (L{Source<txwebqq.operation.metrics.Source>}). It is ready
    while its threads reach the database: one of them asks it all the time.
    """

    metrics = (WAITING, SIZES, SECONDS, REPEATS, FAILURES, CONNECTIONS)

    def __init__(self) -> None:
        self._process: FleetProcess | None = None

    def opened(self, process: FleetProcess | None) -> None:
        """
        Be told of the process, L{None} when it ends.
        """
        self._process = process

    def samples(self) -> Iterator[Sample]:
        process = self._process
        if process is None:
            return
        yield POLLS, (), process.polls.count
        if process.onlineCount is not None:
            yield SESSIONS, ("online",), process.onlineCount
        for worker in process.workers:
            label, counts = (worker.name,), worker.counts
            yield WAITING, label, worker.length
            yield SIZES, label, counts.sizes
            yield SECONDS, label, counts.seconds
            yield REPEATS, label, counts.repeats
            yield FAILURES, label, counts.failures
            yield CONNECTIONS, label, counts.connections

    def problems(self) -> Iterable[str]:
        process = self._process
        if process is None:
            return ()
        reasons = {each.problem for each in process.workers if not each.isConnected}
        if process.listener.problem:
            reasons.add(process.listener.problem)
        away = [f"the database is away: {reason}" for reason in sorted(reasons)]
        delays = [each.delay for each in process.workers if each.delay]
        return [*away, *(f"requests wait for the database ({each})" for each in delays)]
