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


class TrackerScene:
    """
    A tracker and its clock, which starts at noon.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(MIDNIGHT + DAY / 2)
        self.store = store or Store()
        self.onlineTime = OnlineTimeTracker(self.store.accounts, self.clock.seconds)

    def known(self, number: Number = ALICE) -> tuple[int, int]:
        """
        The days and the seconds that the database holds.
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
    scene = TrackerScene()
    for seconds in (10, 20):
        scene.onlineTime.came(ALICE)
        scene.clock.advance(seconds)
        scene.onlineTime.went(ALICE)
        scene.clock.advance(60)
    assert scene.known() == (1, 30)
    assert scene.store.accounts.onlineTime(BOB) == OnlineTime()


def test_midnight() -> None:
    """
    Days begin at midnight in China.
    """
    scene = TrackerScene()
    scene.clock.advance(DAY / 2 - 1)
    scene.onlineTime.came(ALICE)
    assert scene.known() == (1, 0)
    scene.clock.advance(2)
    scene.onlineTime.went(ALICE)
    assert scene.known() == (2, 2)


def test_longSession() -> None:
    """
    A session that lasts for days counts each of them, without a tick between.
    """
    scene = TrackerScene()
    scene.onlineTime.came(ALICE)
    scene.clock.advance(3 * DAY)
    assert scene.onlineTime.level(ALICE) == levelAfter(4, 3 * DAY)
    scene.onlineTime.went(ALICE)
    assert scene.known() == (4, 3 * DAY)


def test_tick() -> None:
    """
    A tick stores the days of the accounts that are online, once a day.
    """
    scene = TrackerScene()
    scene.onlineTime.came(ALICE)
    scene.onlineTime.came(BOB)
    scene.clock.advance(2 * DAY)
    assert scene.known() == (1, 0)
    scene.onlineTime.tick()
    scene.onlineTime.tick()
    assert scene.known() == (3, 0)
    assert scene.known(BOB) == (3, 0)


def test_again() -> None:
    """
    Two starts without an end are one session, and a second end changes nothing.
    """
    scene = TrackerScene()
    scene.onlineTime.came(ALICE)
    scene.clock.advance(100)
    scene.onlineTime.came(ALICE)
    scene.clock.advance(100)
    scene.onlineTime.went(ALICE)
    scene.onlineTime.went(ALICE)
    scene.onlineTime.went(BOB)
    assert scene.known() == (1, 200)
    assert scene.known(BOB) == (0, 0)


def test_restart() -> None:
    """
    The next run of the server continues from the stored days, and the day of
    the restart counts once.
    """
    before = TrackerScene()
    before.onlineTime.came(ALICE)
    before.onlineTime.went(ALICE)
    after = TrackerScene(before.store)
    after.onlineTime.came(ALICE)
    assert after.known() == (1, 0)
    after.clock.advance(3600)
    assert after.onlineTime.level(ALICE) == levelAfter(1, 3600)
    assert after.known() == (1, 0)
