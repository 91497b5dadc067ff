"""
The messages that were missed while there was no link: OneBot 11 gives no event a
second time, but many programs have a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from txwebqq.errors import RequestRefused, Unreachable, WebQQError
from txwebqq.net.failures import raiseTimedOut
from txwebqq.net.pacing import Pacer
from txwebqq.onebot.actions.calls import NO_SUCH_ACTION, Calls
from txwebqq.onebot.actions.history import cursorOf, fetchPage
from txwebqq.onebot.reading import idIn, numberIn, timeIn

MAX_PLACES = 30
"""Groups and friends whose history is asked for, those heard of last."""

PAGE = 50
"""Messages that are asked for at one time."""

MAX_PAGES = 4
"""Pages that are asked for of one group or friend."""

BURST, INTERVAL = 10, 0.5
"""The calls that are made at once, and the seconds between two after that."""

TIMEOUT = 10.0
"""Seconds that one call may take."""

DEADLINE = 30.0
"""Seconds after which no further call is made: new events wait for the missed ones."""

Place = tuple[bool, int]
"""Whether it is a group, and its number or that of the friend."""


@dataclass
class _Last:
    """
    The last message of a place.
    """

    time: int
    cursor: int


class Missed:
    """
    Knows the last message of each group and friend, through all sign-ons of an
    account, and asks for those after it.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        # The place that was heard of last is the last.
        self._places: dict[Place, _Last] = {}

    @property
    def isEmpty(self) -> bool:
        """
        Whether no group and no friend was heard of.
        """
        return not self._places

    def heard(self, event: Mapping[str, Any]) -> None:
        """
        Remember a message as the last of its group or friend.
        """
        isGroup = event.get("message_type") == "group"
        # A temporary chat has no history of its own.
        if event.get("post_type") != "message" or (
            not isGroup and event.get("sub_type") == "group"
        ):
            return
        place = isGroup, idIn(event, "group_id" if isGroup else "user_id")
        time, cursor = timeIn(event), numberIn(event, "message_id")
        known = self._places.pop(place, None)
        if known is not None and known.time > time:
            self._places[place] = known
        elif place[1] and cursor:
            self._places[place] = _Last(time, cursor)
            if len(self._places) > MAX_PLACES:
                del self._places[next(iter(self._places))]

    async def fetch(self, calls: Calls) -> list[Mapping[str, Any]]:
        """
        Fetch the messages after the last ones, of all places, the oldest first.
        """
        pacer = Pacer(self._clock, BURST, INTERVAL)
        deadline = self._clock.seconds() + DEADLINE
        found: list[Mapping[str, Any]] = []
        for place, last in list(self._places.items())[::-1]:
            if self._clock.seconds() >= deadline:
                self._failed(calls, place, Unreachable("there was no time left"))
                continue
            try:
                found += await self._fetchPlace(calls, pacer, place, last)
            except WebQQError as e:
                self._failed(calls, place, e)
                if not isinstance(e, RequestRefused) or e.retcode in NO_SUCH_ACTION:
                    # It has no history, or does not answer.
                    break
        found.sort(key=timeIn)
        return found

    async def _fetchPlace(
        self, calls: Calls, pacer: Pacer, place: Place, last: _Last
    ) -> list[Mapping[str, Any]]:
        isGroup, number = place
        found: dict[int, Mapping[str, Any]] = {}
        before = 0
        for _ in range(MAX_PAGES):
            await pacer.acquire()
            asked: Deferred[list[Mapping[str, Any]]] = Deferred.fromCoroutine(
                fetchPage(calls, isGroup, number, PAGE, before)
            )
            page = await asked.addTimeout(TIMEOUT, self._clock, raiseTimedOut)
            ids = [numberIn(each, "message_id") for each in page]
            new = [
                each
                for each in page
                if numberIn(each, "message_id") not in found
                and timeIn(each) >= last.time
            ]
            if last.cursor in ids:
                # Several may have its time.
                after = set(ids[ids.index(last.cursor) + 1 :])
                new = [each for each in new if numberIn(each, "message_id") in after]
            found = {numberIn(each, "message_id"): each for each in new} | found
            isEnough = last.cursor in ids or any(
                timeIn(each) < last.time for each in page
            )
            if isEnough or not new:
                break
            before = cursorOf(page[0])
        kind = "group" if isGroup else "private"
        return [
            {"post_type": "message", "message_type": kind, **_withPlace(each, place)}
            for each in found.values()
        ]

    def _failed(self, calls: Calls, place: Place, error: WebQQError) -> None:
        self._log.info(
            "Missed messages of {place} not fetched (account {number}): {reason}.",
            place=f"group {place[1]}" if place[0] else f"friend {place[1]}",
            number=calls.number,
            reason=str(error),
        )


def _withPlace(message: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    name = "group_id" if place[0] else "target_id"
    return message if idIn(message, name) else {**message, name: place[1]}
