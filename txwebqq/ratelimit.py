"""
Rate limiter that refuses.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, IPv6Network, ip_address

HOUR = 3600.0
"""An hour in seconds."""

MAX_REMEMBERED = 10_000
"""Maximum number of addresses or accounts that are counted at a time."""


class RateLimiter:
    """
    Limits the number of actions of each address or account within a window of
    time, which begins with the first action.

    @param now: returns the time in seconds.
    @param times: the number of actions that are allowed in a window.
    @param window: the length of a window in seconds.
    """

    def __init__(self, now: Callable[[], float], times: int, window: float) -> None:
        self._now = now
        self._times = times
        self._window = window
        # The number of actions and the start of the window, the oldest first.
        self._spent: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def allow(self, times: int) -> None:
        """
        Change the number of actions that are allowed; those that were counted stay.
        """
        self._times = times

    def hasCapacity(self, who: Hashable) -> bool:
        """
        Check that another action is allowed, without counting one.
        """
        return self._recent(who)[0] < self._times

    def take(self, who: Hashable) -> bool:
        """
        Count an action.

        @return: whether it is allowed; only then it is counted.
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
        Forget the actions of an address or account.
        """
        self._spent.pop(who, None)

    def _recent(self, who: Hashable) -> tuple[int, float]:
        now = self._now()
        times, since = self._spent.get(who, (0, now))
        return (times, since) if now - since < self._window else (0, now)


def networkOf(address: str) -> str:
    """
    Return the text by which the actions of an address are counted: the address, or
    the /64 network of an IPv6 address, all of which one subscriber has.

    @param address: C{""} for a UNIX socket.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or IPv6Network((int(parsed) >> 64 << 64, 64)))


LimiterMaker = Callable[[str, int, float], RateLimiter]
"""Makes a counter by its name, the number of actions that are allowed in a window, and
the length of a window in seconds."""


def limitersOf(now: Callable[[], float]) -> LimiterMaker:
    """
    Return a function that makes counters in memory.

    @param now: returns the time in seconds.
    """
    return lambda name, times, window: RateLimiter(now, times, window)
