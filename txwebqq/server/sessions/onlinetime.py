"""
The time for which accounts have been online, and their levels.

An account is online while it has a session that has not lapsed. Each day on
which it is online counts, however short the time; days are those in China.
Level N takes N * (N + 4) days.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from math import isqrt

from txwebqq.model import Level, Number
from txwebqq.server.storage.accounts import AccountStore

DAY = 86400
CHINA = 8 * 3600
"""Offset of the time zone in which days begin, in seconds."""


def levelAfter(days: int, seconds: int) -> Level:
    """
    Return the level for a number of days and seconds online.
    """
    level = isqrt(days + 4) - 2
    following = level + 1
    return Level(level, days, seconds // 3600, following * (following + 4) - days)


class OnlineTimeTracker:
    """
    Counts the days and seconds for which accounts are online.

    @param now: returns the time in Unix seconds.
    """

    def __init__(self, accounts: AccountStore, now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._now = now
        # The start of the time online, and the last day that was counted.
        self._present: dict[Number, tuple[float, int]] = {}
        # Not in the database yet: for each account the last day online and the
        # number of days, and the seconds.
        self._days: dict[Number, tuple[int, int]] = {}
        self._seconds: dict[Number, int] = {}
        self._day = 0
        self._listed: dict[Number, int] | None = None

    @property
    def _today(self) -> int:
        return int(self._now() + CHINA) // DAY

    def came(self, number: Number) -> None:
        """
        Record that an account is online.
        """
        if number not in self._present:
            self._present[number] = self._now(), self._today
            self._addDays(number, 1)
            self._write()

    def went(self, number: Number) -> None:
        """
        Record that an account is no longer online.
        """
        if number in self._present:
            self._count(number)
            since, _ = self._present.pop(number)
            seconds = int(self._now() - since)
            self._seconds[number] = self._seconds.get(number, 0) + seconds
            if self._present:
                self._write()
            else:
                # No tick may follow.
                self.tick()

    def tick(self) -> None:
        """
        Count a new day for all accounts that are online, so that it is not
        lost when the server is killed.
        """
        if self._day != self._today:
            self._day = self._today
            for number in list(self._present):
                self._count(number)
        self._write()
        self._list()

    def _list(self) -> None:
        """
        Write who is online, for administrators.
        """
        online = {number: int(since) for number, (since, _) in self._present.items()}
        if online != self._listed:
            with suppress(sqlite3.Error):
                self._accounts.writeOnline(online)
                self._listed = online

    def _count(self, number: Number) -> None:
        since, counted = self._present[number]
        if counted < self._today:
            self._addDays(number, self._today - counted)
            self._present[number] = since, self._today

    def _addDays(self, number: Number, days: int) -> None:
        _, before = self._days.get(number, (0, 0))
        self._days[number] = self._today, before + days

    def _write(self) -> None:
        """
        Write what is not in the database, as far as that is possible now.
        """
        accounts = self._accounts
        try:
            for number, (day, days) in list(self._days.items()):
                accounts.addOnlineDays(number, day, days)
                del self._days[number]
            for number, seconds in list(self._seconds.items()):
                accounts.addOnlineSeconds(number, seconds)
                del self._seconds[number]
        except sqlite3.Error:
            # A session must not fail because its time is not counted yet.
            return

    def level(self, number: Number) -> Level:
        """
        Return the level of an account, including the current time online.
        """
        if number in self._present:
            self._count(number)
            self._write()
        known = self._accounts.onlineTime(number)
        since, _ = self._present.get(number, (self._now(), 0))
        return levelAfter(known.days, known.seconds + int(self._now() - since))
