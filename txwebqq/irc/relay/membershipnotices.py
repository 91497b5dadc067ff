"""
Comings and goings, told one by one unless they are many.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.ratelimit import RateLimiter

TOLD, WINDOW = 5, 60.0
"""So many are told in so many seconds."""


class MembershipNotices:
    """
    Those of one place. When a network falls apart hundreds leave at once.

    @param tell: called with a name and with what follows it.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._limiter = RateLimiter(clock.seconds, TOLD, WINDOW)
        self._more = 0
        self._timer: IDelayedCall | None = None
        self._isStopped = False

    def moved(self, name: str, how: str) -> None:
        """
        Somebody came or went.
        """
        if self._isStopped:
            return
        if self._limiter.take("all"):
            self._tell(name, how)
            return
        self._more += 1
        if self._timer is None:
            self._timer = self._clock.callLater(WINDOW, self._sum)

    def _sum(self) -> None:
        more, self._more, self._timer = self._more, 0, None
        self._tell(str(more), "more came or went")

    def stop(self) -> None:
        """
        Tell nobody any more.
        """
        self._isStopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
