"""
The counts of a worker, and its delays, for an operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from txwebqq.operation.metrics import Histogram

SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

SLOW = 5.0
"""Time of a transaction after which the requests count as delayed, in seconds."""

QUIET = 30.0
"""Time without failures after which they no longer do, in seconds: a request that takes
too long is often sent again."""


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


class Delay:
    """
    Whether requests wait though the database is there. The worker's thread tells of its
    transactions, and the reactor's thread reads it.

    @param now: returns the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began: float | None = None
        self._reason = ""
        self._since = self._failedAt = 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """
        Be told of a transaction.
        """
        self._began = self._now()
        try:
            yield
        finally:
            self._began = None

    def failed(self, reason: str) -> bool:
        """
        Be told that a transaction has failed.

        @return: whether it is the first one of this delay.
        """
        isFirst = not self._reason
        self._failedAt = self._now()
        if isFirst:
            self._since = self._failedAt
        self._reason = reason
        return isFirst

    def succeeded(self) -> float | None:
        """
        Be told that a transaction was committed.

        @return: the time between the first and the last failure, in seconds, if the
            delay is over by that, L{None} if not.
        """
        if not self._reason or self._now() - self._failedAt < QUIET:
            return None
        self._reason = ""
        return self._failedAt - self._since

    @property
    def reason(self) -> str:
        """
        Why requests wait, and for how long they do, C{""} if they do not.
        """
        now, began, reason = self._now(), self._began, self._reason
        if reason and now - self._failedAt < QUIET:
            return f"for {now - self._since:.0f} s: {reason}"
        if began is not None and now - began >= SLOW:
            return f"for {now - began:.0f} s: a transaction takes long"
        return ""
