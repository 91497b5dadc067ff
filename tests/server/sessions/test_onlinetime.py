"""
The online time of accounts.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from txwebqq.model import Level, Number
from txwebqq.server.records import OnlineTime
from txwebqq.server.sessions.onlinetime import CHINA, DAY, OnlineTimeTracker, levelAfter
from txwebqq.server.storage.store import Store

ALICE, BOB = Number(10001), Number(10002)

MIDNIGHT = 15810 * DAY - CHINA
"""A day begins in China."""


class Town:
    """
    A register, and the time, from noon on.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(MIDNIGHT + DAY / 2)
        self.store = store or Store()
        self.onlineTime = OnlineTimeTracker(self.store.accounts, self.clock.seconds)

    def known(self, number: Number = ALICE) -> tuple[int, int]:
        """
        The days and the seconds that a server which is killed now has kept.
        """
        kept = self.store.accounts.onlineTime(number)
        return kept.days, kept.seconds


@pytest.mark.parametrize(
    ("days", "level", "remaining"),
    [
        (0, 0, 5),
        (4, 0, 1),
        (5, 1, 7),
        (11, 1, 1),
        (12, 2, 9),
        (20, 2, 1),
        (21, 3, 11),
        (320, 16, 37),
    ],
)
def test_level(days: int, level: int, remaining: int) -> None:
    """
    Level N takes N * (N + 4) days.
    """
    assert levelAfter(days, 7199) == Level(level, days, 1, remaining)


def test_shortSession() -> None:
    """
    Each day counts once, however short the sessions; their seconds add up.
    """
    town = Town()
    for seconds in (10, 20):
        town.onlineTime.came(ALICE)
        town.clock.advance(seconds)
        town.onlineTime.went(ALICE)
        town.clock.advance(60)
    assert town.known() == (1, 30)
    assert town.store.accounts.onlineTime(BOB) == OnlineTime()


def test_midnight() -> None:
    """
    Days begin at midnight in China.
    """
    town = Town()
    town.clock.advance(DAY / 2 - 1)
    town.onlineTime.came(ALICE)
    assert town.known() == (1, 0)
    town.clock.advance(2)
    town.onlineTime.went(ALICE)
    assert town.known() == (2, 2)


def test_longSession() -> None:
    """
    A session that lasts for days counts each of them, without a tick between.
    """
    town = Town()
    town.onlineTime.came(ALICE)
    town.clock.advance(3 * DAY)
    assert town.onlineTime.level(ALICE) == levelAfter(4, 3 * DAY)
    town.onlineTime.went(ALICE)
    assert town.known() == (4, 3 * DAY)


def test_tick() -> None:
    """
    A tick stores the days of the accounts that are online, once a day.
    """
    town = Town()
    town.onlineTime.came(ALICE)
    town.onlineTime.came(BOB)
    town.clock.advance(2 * DAY)
    assert town.known() == (1, 0)
    town.onlineTime.tick()
    town.onlineTime.tick()
    assert town.known() == (3, 0)
    assert town.known(BOB) == (3, 0)


def test_again() -> None:
    """
    Two starts without an end are one session, and a second end changes nothing.
    """
    town = Town()
    town.onlineTime.came(ALICE)
    town.clock.advance(100)
    town.onlineTime.came(ALICE)
    town.clock.advance(100)
    town.onlineTime.went(ALICE)
    town.onlineTime.went(ALICE)
    town.onlineTime.went(BOB)
    assert town.known() == (1, 200)
    assert town.known(BOB) == (0, 0)


def test_restart() -> None:
    """
    The next run of the server goes on from what is kept, and the day of the
    restart counts once.
    """
    before = Town()
    before.onlineTime.came(ALICE)
    before.onlineTime.went(ALICE)
    after = Town(before.store)
    after.onlineTime.came(ALICE)
    assert after.known() == (1, 0)
    after.clock.advance(3600)
    assert after.onlineTime.level(ALICE) == levelAfter(1, 3600)
    assert after.known() == (1, 0)
