"""
How fast we may speak.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


class Pacer:
    """
    So many lines at once, then one in so many seconds.
    """

    def __init__(self, clock: IReactorTime, burst: int, seconds: float) -> None:
        self._clock = clock
        self._burst = burst
        self._seconds = seconds
        self._order = DeferredLock()
        # When all of the burst may be said again.
        self._full = clock.seconds()
        self._waiting: Deferred[None] | None = None
        self._isStopped = False

    def acquire(self) -> Deferred[None]:
        """
        Wait for one's turn.

        @return: fires when a line may be said; fails with L{CancelledError}
            when nothing is to be said any more.
        """
        return self._order.run(lambda: Deferred.fromCoroutine(self._wait()))

    async def _wait(self) -> None:
        now = self._clock.seconds()
        early = self._full - (self._burst - 1) * self._seconds - now
        if early > 0 and not self._isStopped:
            self._waiting = deferLater(self._clock, early)
            with suppress(CancelledError):
                await self._waiting
            self._waiting = None
        if self._isStopped:
            raise CancelledError
        self._full = max(self._full, self._clock.seconds()) + self._seconds

    def stop(self) -> None:
        """
        Nobody gets a turn any more.
        """
        self._isStopped = True
        if self._waiting is not None:
            self._waiting.cancel()
