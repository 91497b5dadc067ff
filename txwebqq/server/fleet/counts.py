"""
The counts of a worker.
"""

from __future__ import annotations

from txwebqq.operation.metrics import Histogram

SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class WorkerCounts:
    """
    The counts of a worker, which its thread makes and the reactor's thread reads.

    @ivar sizes: the numbers of requests of the transactions that were committed.
    @ivar seconds: the times of these transactions.
    @ivar repeats: transactions that were not committed, and tried again.
    @ivar failures: requests whose handler has failed.
    @ivar connections: connections that were made to the database again.
    """

    __slots__ = ("connections", "failures", "repeats", "seconds", "sizes")

    def __init__(self) -> None:
        self.sizes = Histogram(SIZES)
        self.seconds = Histogram(SECONDS)
        self.repeats = self.failures = self.connections = 0
