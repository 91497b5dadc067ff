"""
Order of events, and recognition of messages that have come before.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from math import inf
from operator import attrgetter
from typing import Any

from txwebqq.model import (
    DiscussionMessage,
    Event,
    GroupMessage,
    KickNotice,
    Message,
    StrangerMessage,
)

REMEMBERED = 500
"""Messages that are remembered at least, to recognise duplicates; twice as many
at most."""

MAX_SHOWN = 500
"""Messages that one poll can confirm to the server."""

# The ids of each kind of message. No two kinds have equally many, so messages
# of different kinds are never taken for the same.
_IDS: Mapping[type[object], Callable[[object], tuple[int, ...]]] = {
    Message: attrgetter("sender", "messageId", "messageId2"),
    GroupMessage: attrgetter("group", "sender", "messageId", "messageId2"),
    DiscussionMessage: attrgetter(
        "discussion", "kind", "sender", "messageId", "messageId2"
    ),
    StrangerMessage: attrgetter(
        "place", "service", "kind", "sender", "messageId", "messageId2"
    ),
}


class EventFilter:
    """
    Puts the events of a poll reply into the order in which they happened, and
    drops messages that have come before (protocol.md 2.2.1 and 4.11). There is
    one for each sign-on.

    @ivar shown: the ids of messages that the application was given, or is about to
        be given, and that no poll has confirmed yet.
    """

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._seen: set[tuple[int, ...]] = set()
        self._seenBefore: Container[tuple[int, ...]] = ()

    def filterBatch(self, batch: Sequence[Event]) -> list[Event]:
        """
        Return the new events of a batch, oldest first, a kick last of all. Nothing
        comes after the first kick, not even another one.
        """
        events = []
        seen, before = self._seen, self._seenBefore
        # Servers put the newest first; several events may have the same time.
        for event in reversed(batch):
            idsOf = _IDS.get(type(event))
            if idsOf is not None:
                ids = idsOf(event)
                if ids in seen or ids in before:
                    continue
                # Messages without ids may be the same and yet be several.
                if ids[-1] or ids[-2]:
                    seen.add(ids)
                    if len(seen) >= REMEMBERED:
                        before = self._seenBefore = seen
                        seen = self._seen = set()
            events.append(event)
        try:
            # Nearly all batches have messages only.
            events.sort(key=_messageTime)
        except AttributeError:
            events.sort(key=_timeOf)
            while len(events) > 1 and isinstance(events[-2], KickNotice):
                del events[-1]
        return events

    def markShown(self, events: Iterable[Any]) -> None:
        """
        Remember that the application is given some events.
        """
        self.shown += _messageIds(events)
        del self.shown[:-MAX_SHOWN]

    def delivered(self, waiting: Iterable[Any]) -> tuple[str, ...]:
        """
        Return the ids of C{shown} whose messages the application was given.

        @param waiting: the events that still wait for their delivery, all of which
            were marked as shown after those that do not.
        """
        return tuple(self.shown[: max(0, len(self.shown) - len(_messageIds(waiting)))])

    def markDropped(self, events: Iterable[Any]) -> None:
        """
        Forget events that were marked as shown, but which the application is not
        given after all.
        """
        for dropped in _messageIds(events):
            if dropped in self.shown:
                self.shown.remove(dropped)

    def acknowledged(self, ids: Iterable[str]) -> None:
        """
        Forget ids of C{shown} that a poll has confirmed.
        """
        for known in ids:
            # Ids that were added during the poll are behind these.
            if self.shown and self.shown[0] == known:
                del self.shown[0]


def _messageIds(events: Iterable[Any]) -> list[str]:
    return [str(event.messageId) for event in events if type(event) in _IDS]


_messageTime = attrgetter("time")


def _timeOf(event: Event) -> float:
    if isinstance(event, KickNotice):
        return inf
    return getattr(event, "time", 0)
