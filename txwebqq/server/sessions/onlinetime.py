"""
How long people have been around, which is what levels are made of.

Somebody is around while they have a session that has not lapsed. Each day on
which they are counts, however short; days are those in China. Level N takes
N * (N + 4) days.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from txwebqq.model import Level, Number
from txwebqq.server.storage.accounts import AccountStore

DAY = 86400
CHINA = 8 * 3600
"""Where days begin."""


def levelAfter(days: int, seconds: int) -> Level:
    """
    The level of somebody who was around so long.
    """
    level = isqrt(days + 4) - 2
    following = level + 1
    return Level(level, days, seconds // 3600, following * (following + 4) - days)


class OnlineTimeTracker:
    """
    Who is around, and since when.

    @param now: the time in Unix seconds.
    """

    def __init__(self, accounts: AccountStore, now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._now = now
        # Since when, and the last day that was counted.
        self._present: dict[Number, tuple[float, int]] = {}
        self._day = 0

    @property
    def _today(self) -> int:
        return int(self._now() + CHINA) // DAY

    def came(self, number: Number) -> None:
        """
        Somebody has a session now.
        """
        if number not in self._present:
            self._present[number] = self._now(), self._today
            self._accounts.addOnlineDays(number, self._today, 1)

    def went(self, number: Number) -> None:
        """
        Somebody has none any more.
        """
        if number in self._present:
            self._count(number)
            since, _ = self._present.pop(number)
            self._accounts.addOnlineSeconds(number, int(self._now() - since))

    def tick(self) -> None:
        """
        Count a new day for those who are around, lest a server that is killed
        forget it.
        """
        if self._day != self._today:
            self._day = self._today
            for number in list(self._present):
                self._count(number)

    def _count(self, number: Number) -> None:
        since, counted = self._present[number]
        if counted < self._today:
            self._accounts.addOnlineDays(number, self._today, self._today - counted)
            self._present[number] = since, self._today

    def level(self, number: Number) -> Level:
        """
        Somebody's level, with the time until now.
        """
        if number in self._present:
            self._count(number)
        known = self._accounts.onlineTime(number)
        since, _ = self._present.get(number, (self._now(), 0))
        return levelAfter(known.days, known.seconds + int(self._now() - since))
