"""
The acknowledgement of replies to polls by number (protocol.md 2.2.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

from txwebqq.model import Event, KickNotice, Shake, StatusChange, Typing
from txwebqq.wire.events.envelope import CODECS, pollTypeOf

# Servers give these to the session that they came for, and to no later one.
_PASSING = frozenset(
    CODECS[kind].pollType for kind in (StatusChange, Typing, Shake, KickNotice)
)


def _isLasting(event: Event) -> bool:
    # By the name of the type, which an event that cannot be read has too.
    return pollTypeOf(event) not in _PASSING


class Acknowledgement:
    """
    The number of the last reply whose events were all handed over to the
    application. There is one for all sign-ons of an account, because servers
    go on counting through them.

    At most one reply is pending: from L{begin} until its last event is handed
    over, or the sign-on is over.

    @ivar number: what polls name, 0 when there was no such reply yet.
    """

    def __init__(self) -> None:
        self.number = 0
        # The reply that began last, and what of it was left to hand over.
        self._begun = 0
        self._events: list[Event] = []
        self._last: Event | None = None
        self._latest: Event | None = None
        # The reply that an end of a sign-on interrupted, how many lasting
        # events it had, and how many of them had been handed over.
        self._interrupted = 0
        self._lasting = 0
        self._handedOver = 0
        self._waiting: list[Deferred[None]] = []

    @property
    def isPending(self) -> bool:
        """
        Whether there are events that were not handed over yet.
        """
        return self._last is not None

    def isKnown(self, number: int | None) -> bool:
        """
        Whether a reply with this number has begun already: all of its events
        were handed over, or are about to be.
        """
        return number is not None and number <= self._begun

    def begin(self, number: int, events: list[Event]) -> list[Event]:
        """
        A reply with a number that is not known has come.

        @param events: those of its events that did not come in another reply,
            in the order in which they are handed over.

        @return: the events that are to be handed over.
        """
        if number == self._interrupted and _countLasting(events) == self._lasting:
            events = _withoutLasting(events, self._handedOver)
        else:
            self._handedOver = 0
        self._begun = number
        self._events = events
        if events:
            self._last = events[-1]
        else:
            self.finish()
        return events

    def handedOver(self, event: Event) -> None:
        """
        The application is about to be called with an event. An event counts
        from then on: it may sign off in that very call.
        """
        self._latest = event
        # Nothing overtakes on the way, so all the others came before it.
        if event is self._last:
            self.finish()

    def finish(self) -> None:
        """
        The reply that began last counts as handed over.
        """
        self.number = self._begun
        self._events = []
        self._last = None
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)

    def whenHandedOver(self) -> Deferred[None]:
        """
        Wait for the reply that is pending.

        @return: fires when its last event is about to be handed over; never
            when the sign-on is over before that.
        """
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def interrupt(self) -> None:
        """
        The sign-on is over: what of a reply was not handed over yet will not
        be before the server gives it again.
        """
        if self._last is None:
            return
        # When the server gives the reply again, in a later session, the events
        # that are not kept are missing, and people and groups have other ids.
        # All others come in the same order with the same times, and nothing
        # else decides in which order they are handed over (Inbox.sort). So
        # those that were handed over now are the first of them then, and it is
        # enough to count them. Are there more or fewer lasting events then,
        # because another client of the account has acknowledged some by their
        # ids or Inbox has dropped some now, all come once more: better twice
        # than never.
        places = (n for n, e in enumerate(self._events, 1) if e is self._latest)
        given = self._events[: next(places, 0)]
        self._lasting = self._handedOver + _countLasting(self._events)
        self._handedOver += _countLasting(given)
        self._interrupted = self._begun
        self._begun = self.number
        self._events = []
        self._last = None


def _countLasting(events: Iterable[Event]) -> int:
    return sum(map(_isLasting, events))


def _withoutLasting(events: Iterable[Event], count: int) -> list[Event]:
    """
    Drop events up to the last of so many lasting ones.
    """
    rest = []
    for event in events:
        if count == 0:
            rest.append(event)
        elif _isLasting(event):
            count -= 1
    return rest
