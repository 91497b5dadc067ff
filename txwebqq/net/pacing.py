"""
Rate limiter for sending, which delays instead of refusing.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

MAX_FACTOR = 8
"""The number by which the interval is multiplied, at most."""


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
        # The time until which no burst passes, and each interval is longer.
        self._slowUntil = 0.0
        self._factor = 1

    def slowDown(self, seconds: float) -> float:
        """
        For a time let no burst pass, and double the interval; at each call in that
        time again, up to L{MAX_FACTOR} times the interval.

        @return: the interval, in seconds.
        """
        now = self._clock.seconds()
        factor = self._factor if now < self._slowUntil else 1
        self._factor = min(factor * 2, MAX_FACTOR)
        self._slowUntil = now + seconds
        return self._seconds * self._factor

    def _pace(self) -> tuple[int, float]:
        if self._clock.seconds() < self._slowUntil:
            return 1, self._seconds * self._factor
        return self._burst, self._seconds

    def acquire(self) -> Deferred[None]:
        """
        Wait until a line may be sent; callers are served in order.

        @return: fires when the line may be sent; fails with L{CancelledError}
            after L{stop}. Cancel it to give up.
        """
        return self._order.run(lambda: Deferred.fromCoroutine(self._wait()))

    async def _wait(self) -> None:
        now = self._clock.seconds()
        burst, seconds = self._pace()
        delay = self._full - (burst - 1) * seconds - now
        if delay > 0 and not self._isStopped:
            self._waiting = deferLater(self._clock, delay)
            try:
                await self._waiting
            finally:
                self._waiting = None
        if self._isStopped:
            raise CancelledError
        self._full = max(self._full, self._clock.seconds()) + seconds

    def stop(self) -> None:
        """
        Fail all callers that wait now or later.
        """
        self._isStopped = True
        if self._waiting is not None:
            self._waiting.cancel()
