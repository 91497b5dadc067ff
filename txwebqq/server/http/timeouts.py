"""
Things that wait equally long, with one timer for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T")


class TimeoutQueue(Generic[T]):
    """
    @param expired: called with each thing whose time is over; it is no longer
        among them then.
    """

    def __init__(
        self, clock: IReactorTime, seconds: float, expired: Callable[[T], None]
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._expired = expired
        # Oldest first, since all wait equally long.
        self._things: dict[T, float] = {}
        self._timer: IDelayedCall | None = None

    def add(self, thing: T) -> None:
        """
        Let a thing wait.
        """
        self._things[thing] = self._clock.seconds() + self._seconds
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._tick)

    def discard(self, thing: T) -> None:
        """
        It waits no longer.
        """
        self._things.pop(thing, None)

    def clear(self) -> list[T]:
        """
        Nothing waits any longer.

        @return: what did, oldest first.
        """
        things, self._things = list(self._things), {}
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return things

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        due = []
        for thing, deadline in self._things.items():
            if deadline > now:
                # Reckoned from what was left of the oldest, which may be gone.
                self._timer = self._clock.callLater(deadline - now, self._tick)
                break
            due.append(thing)
        for thing in due:
            # An earlier one may have ended this one's waiting.
            if self._things.pop(thing, None) is not None:
                self._expired(thing)
