"""
Keeping of events at the server until the bots have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.interfaces import IWebQQTransport

MAX_ANSWER_TIME = 5.0
"""Seconds for which events wait at the server because a bot has not answered the post
of one."""


class Handover:
    """
    Has the server keep the events that the bots are being given, so that those which
    they do not have come again after a kill.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[IDelayedCall] = set()
        self._releases: set[Callable[[], None]] = set()
        # Whether an event of this turn of the reactor is kept.
        self._isBegun = False

    def begin(
        self, transport: IWebQQTransport, answers: Sequence[Deferred[None]]
    ) -> None:
        """
        Keep the event that is being delivered until it is written to the sockets.

        @param answers: fire when bots have answered the posts of the event, for which
            it is kept as well.
        """
        if self._isBegun and not answers:
            return
        self._isBegun = True
        release = transport.holdEvents()
        self._releases.add(release)
        left = 1 + len(answers)

        def arrived(result: object = None) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                end()

        def end() -> None:
            if limit in self._calls:
                self._calls.remove(limit)
                limit.cancel()
            if release in self._releases:
                self._releases.remove(release)
                release()

        def turned() -> None:
            self._isBegun = False
            # The reactor writes to the sockets between the two.
            self._later(0, arrived)

        limit = self._later(MAX_ANSWER_TIME, end)
        self._later(0, turned)
        for answer in answers:
            answer.addCallback(arrived)

    def stop(self) -> None:
        """
        Keep no event any longer, since the sign-on is over.
        """
        calls, self._calls = self._calls, set()
        for call in calls:
            call.cancel()
        self._isBegun = False
        releases, self._releases = self._releases, set()
        for release in releases:
            release()

    def _later(self, seconds: float, function: Callable[[], None]) -> IDelayedCall:
        def due() -> None:
            self._calls.discard(call)
            function()

        call = self._clock.callLater(seconds, due)
        self._calls.add(call)
        return call
