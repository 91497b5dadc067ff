"""
How often somebody may do something.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

HOUR = 3600.0

MAX_REMEMBERED = 10_000


class RateLimiter:
    """
    So many times in a while, for each address or account; the while begins
    with the first time.

    @param now: the time in seconds.
    @param window: how many seconds that while has.
    """

    def __init__(self, now: Callable[[], float], times: int, window: float) -> None:
        self._now = now
        self._times = times
        self._window = window
        # How often, and since when; the oldest first.
        self._spent: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def hasCapacity(self, who: Hashable) -> bool:
        """
        Whether they may once more.
        """
        return self._recent(who)[0] < self._times

    def take(self, who: Hashable) -> bool:
        """
        Do it.

        @return: whether that is allowed.
        """
        times, since = self._recent(who)
        if times >= self._times:
            return False
        self._spent.pop(who, None)
        self._spent[who] = times + 1, since
        if len(self._spent) > MAX_REMEMBERED:
            self._spent.popitem(last=False)
        return True

    def reset(self, who: Hashable) -> None:
        """
        What they did does not count.
        """
        self._spent.pop(who, None)

    def _recent(self, who: Hashable) -> tuple[int, float]:
        now = self._now()
        times, since = self._spent.get(who, (0, now))
        return (times, since) if now - since < self._window else (0, now)
