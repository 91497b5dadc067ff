"""
Rate limiter for sending, which delays instead of refusing.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


class Pacer:
    """
    Lets a burst of lines pass at once, and then one line per interval.

    @param burst: the number of lines of the burst.
    @param seconds: the interval.
    """

    def __init__(self, clock: IReactorTime, burst: int, seconds: float) -> None:
        self._clock = clock
        self._burst = burst
        self._seconds = seconds
        self._order = DeferredLock()
        # The time at which the whole burst is available again.
        self._full = clock.seconds()
        self._waiting: Deferred[None] | None = None
        self._isStopped = False

    def acquire(self) -> Deferred[None]:
        """
        Wait until a line may be sent; callers are served in order.

        @return: fires when the line may be sent; fails with L{CancelledError}
            after L{stop}.
        """
        return self._order.run(lambda: Deferred.fromCoroutine(self._wait()))

    async def _wait(self) -> None:
        now = self._clock.seconds()
        delay = self._full - (self._burst - 1) * self._seconds - now
        if delay > 0 and not self._isStopped:
            self._waiting = deferLater(self._clock, delay)
            with suppress(CancelledError):
                await self._waiting
            self._waiting = None
        if self._isStopped:
            raise CancelledError
        self._full = max(self._full, self._clock.seconds()) + self._seconds

    def stop(self) -> None:
        """
        Fail all callers that wait now or later.
        """
        self._isStopped = True
        if self._waiting is not None:
            self._waiting.cancel()
