"""
Timers that are not late when the clock of the machine is set back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger
from twisted.python.runtime import seconds as wallSeconds

JUMP = 5.0
"""Seconds by which the clock has to be set back; less makes no difference."""


class SteadyTimers:
    """
    The time of a reactor, which is that of the machine.

    A reactor's calls are due at a time of day, so when the clock is set back by an
    hour they are an hour late. This notices it by a clock that only counts, and then
    moves all calls by the same time. When the clock is set forward nothing is moved:
    calls that are due then are made, as after a machine that slept.

    @param reactor: its calls are moved.
    @param wall: returns the time of day.
    @param monotonic: returns the seconds since any time, never fewer than before.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._monotonic = monotonic
        self._difference = wall() - monotonic()
        self._isMoving = False

    def seconds(self) -> float:
        """
        Return the time of day in Unix seconds.
        """
        now = self._wall()
        difference = now - self._monotonic()
        back = self._difference - difference
        self._difference = difference
        if back > JUMP:
            self._move(back)
        return now

    def _move(self, back: float) -> None:
        calls = self._reactor.getDelayedCalls()
        for call in calls:
            call.delay(-back)
        # It may have read the time of the next call already.
        self._reactor.wakeUp()
        self._log.warn(
            "The clock was set back by {seconds:.0f} s; {count} delayed calls were"
            " moved.",
            seconds=back,
            count=len(calls),
        )


def steadyTimers(reactor: Any) -> None:
    """
    Have the calls of a reactor of Twisted in time, in the process of a daemon. Other
    clocks, such as those of tests, stay as they are.
    """
    if getattr(reactor, "seconds", None) is wallSeconds:
        reactor.seconds = SteadyTimers(reactor).seconds
