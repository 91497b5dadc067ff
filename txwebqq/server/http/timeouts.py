"""
Queue of items with the same time limit, and one timer for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T")


class TimeoutQueue(Generic[T]):
    """
    Calls a function for each item that has been in the queue for a fixed time.

    @param seconds: the time limit.
    @param expired: is called with each item after the time limit; the item is
        no longer in the queue then.
    """

    def __init__(
        self, clock: IReactorTime, seconds: float, expired: Callable[[T], None]
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._expired = expired
        # The deadlines of the items, oldest first, since all limits are equal.
        self._items: dict[T, float] = {}
        self._timer: IDelayedCall | None = None

    def add(self, item: T) -> None:
        """
        Add an item, which must not be in the queue.
        """
        self._items[item] = self._clock.seconds() + self._seconds
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._tick)

    def setSeconds(self, seconds: float) -> None:
        """
        Change the time limit, that of the items in the queue only if it gets shorter.
        """
        self._seconds = seconds
        latest = self._clock.seconds() + seconds
        # They stay in the order of their deadlines.
        self._items = {item: min(at, latest) for item, at in self._items.items()}
        if self._timer is not None and self._items:
            self._timer.cancel()
            first = next(iter(self._items.values()))
            delay = max(0.0, first - self._clock.seconds())
            self._timer = self._clock.callLater(delay, self._tick)

    def discard(self, item: T) -> None:
        """
        Remove an item, if it is in the queue.
        """
        if self._items.pop(item, None) is None or self._items:
            return
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def clear(self) -> list[T]:
        """
        Remove all items.

        @return: the items, oldest first.
        """
        items, self._items = list(self._items), {}
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return items

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        due = []
        for item, deadline in self._items.items():
            if deadline > now:
                # The oldest item at the last tick may have been removed since.
                self._timer = self._clock.callLater(deadline - now, self._tick)
                break
            due.append(item)
        for item in due:
            # The call for an earlier item may have removed this one.
            if self._items.pop(item, None) is not None:
                self._expired(item)
