"""
Writes to a database that are repeated until they succeed.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

INTERVAL = 5.0
"""The seconds between two attempts."""


class WriteQueue:
    """
    Writes that have failed, and those behind them, in order.

    @param limit: the maximum number of writes that wait; those after them are
        dropped.
    @param written: is called when all have succeeded.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, limit: int, written: Callable[[], object]
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._written = written
        self._writes: deque[tuple[str, Callable[[], object]]] = deque()
        self._reason = ""
        self._dropped = 0
        self._retry: IDelayedCall | None = None
        self._isStopped = False

    def run(self, key: str, write: Callable[[], object]) -> str:
        """
        Make a write, now or after those that wait.

        @param key: names the write for L{discard}.

        @return: the reason why it waits, C{""} when it was made.
        """
        if not self._writes:
            try:
                write()
            except sqlite3.Error as e:
                self._reason = str(e)
            else:
                return ""
        if len(self._writes) >= self._limit:
            self._drop()
            return self._reason
        self._writes.append((key, write))
        if self._retry is None and not self._isStopped:
            self._retry = self._clock.callLater(INTERVAL, self._cbRetry)
        return self._reason

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped == 1:
            self._log.error(
                "Writing to the database failed: {reason}; {limit} messages wait in"
                " memory, later ones are dropped.",
                reason=self._reason,
                limit=self._limit,
            )

    def discard(self, key: str) -> None:
        """
        Forget the writes with a key.
        """
        self._writes = deque(each for each in self._writes if each[0] != key)

    def stop(self) -> None:
        """
        Try once more, and leave nothing on the clock.
        """
        self._isStopped = True
        if self._retry is not None:
            self._retry.cancel()
            self._cbRetry()

    def _cbRetry(self) -> None:
        self._retry = None
        while self._writes:
            _, write = self._writes[0]
            try:
                write()
            except sqlite3.Error:
                if not self._isStopped:
                    self._retry = self._clock.callLater(INTERVAL, self._cbRetry)
                return
            self._writes.popleft()
        if self._dropped:
            self._log.error("{count} messages were dropped.", count=self._dropped)
            self._dropped = 0
        self._written()
