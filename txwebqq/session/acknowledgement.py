"""
Acknowledgement of poll replies by number (protocol.md 2.2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import count, islice

from twisted.internet.defer import Deferred

from txwebqq.model import Event, KickNotice, Shake, StatusChange, Typing
from txwebqq.session.incoming.holds import EventHold
from txwebqq.session.incoming.seenevents import SeenEvents
from txwebqq.sessionfile import Acknowledged
from txwebqq.wire.events.envelope import CODECS, pollTypeOf

# Servers give these events to the session that they came for, and to no later
# session.
_TRANSIENT = frozenset(
    CODECS[kind].pollType for kind in (StatusChange, Typing, Shake, KickNotice)
)


def _isLasting(event: Event) -> bool:
    # By poll type, because an UnknownEvent has one as well.
    return pollTypeOf(event) not in _TRANSIENT


class Acknowledgement:
    """
    The number of the last poll reply whose events were all delivered to the
    application. There is one for all sign-ons of an account, because servers
    go on counting from one session to the next.

    At most one reply is pending: from L{begin} until its last event is
    delivered and the application holds it no longer, or the sign-on is over.

    @param seen: is told what the application holds.
    @param keptChanged: called when a hold has ended after the end of its sign-on, so
        that L{kept} may return another value.

    @ivar number: the number that polls acknowledge, 0 before the first reply
        with a number.
    """

    def __init__(
        self,
        seen: SeenEvents | None = None,
        keptChanged: Callable[[], None] = lambda: None,
    ) -> None:
        self._seen = seen
        self._keptChanged = keptChanged
        self.number = 0
        # The reply that began last, its events, and the last of them as long as
        # it was not delivered.
        self._begun = 0
        self._events: list[Event] = []
        self._last: Event | None = None
        # The event that was delivered last, of this reply or an earlier one.
        self._latest: Event | None = None
        # The application's holds that have not ended: how many of whole replies, and
        # those of single events of the reply that began last or was interrupted, with
        # their places among its lasting events; a transient event has none.
        self._holds = 0
        self._held: dict[EventHold, int | None] = {}
        # The places of its lasting events that were not delivered, as their holds
        # have said.
        self._undelivered: set[int] = set()
        # Whether the pending reply waits for the holds alone, since the application
        # was given all of its events.
        self._isHeld = False
        # The number before the last reply was finished: a hold that begins
        # while its last event is being delivered brings it back.
        self._former = 0
        # The reply that the end of a sign-on interrupted, the number of its lasting
        # events, and the places of those that are not delivered again.
        self._interrupted = 0
        self._lasting = 0
        self._done: frozenset[int] = frozenset()
        # Whether it is the one that began last.
        self._isInterrupted = False
        self._waiting: list[Deferred[None]] = []

    def kept(self) -> Acknowledged:
        """
        Return what another process needs to go on. No reply may be pending. What the
        application holds is not delivered for that process.
        """
        done = set() if self._holds else self._done.difference(self._held.values())
        delivered = max(done, default=-1) + 1
        missing = tuple(place for place in range(delivered) if place not in done)
        return Acknowledged(
            self.number, self._interrupted, self._lasting, delivered, missing
        )

    def restore(self, kept: Acknowledged) -> None:
        """
        Go on where another process, or another session, has ended.
        """
        self.number = self._begun = self._former = kept.number
        self._interrupted, self._lasting = kept.interrupted, kept.lasting
        # The numbers come from a file.
        delivered = range(min(kept.delivered, kept.lasting))
        self._done = frozenset(delivered).difference(kept.missing)
        self._held.clear()
        self._isInterrupted = False

    @property
    def isPending(self) -> bool:
        """
        Whether there are events that were not delivered yet.
        """
        return self._last is not None or self._isHeld

    def isKnown(self, number: int | None) -> bool:
        """
        Tell whether a reply with this number has begun already: all of its
        events were delivered, or are about to be.
        """
        return number is not None and number <= self._begun

    def begin(self, number: int, events: list[Event]) -> list[Event]:
        """
        Begin a reply whose number is not known.

        @param events: those of its events that did not come in another reply,
            in the order of delivery.

        @return: the events that are to be delivered.
        """
        if number == self._interrupted and _countLasting(events) == self._lasting:
            events = _withoutLasting(events, self._done)
        else:
            self._done = frozenset()
            # Their events are not those of this reply.
            self._held.clear()
        self._isInterrupted = False
        self._undelivered.clear()
        self._begun = number
        self._events = events
        if events:
            self._last = events[-1]
        else:
            self._complete()
        return events

    def delivering(self, event: Event) -> None:
        """
        Count an event as delivered. This is called just before the application
        is, because the application may sign off within that call.
        """
        self._latest = event
        # Events stay in order, so the events before the last were delivered.
        if event is self._last:
            self._complete()

    def _complete(self) -> None:
        self._last = None
        if self._isAwaited:
            self._isHeld = True
        else:
            self._finish()

    @property
    def _isAwaited(self) -> bool:
        return bool(self._holds or self._held or self._undelivered)

    def delivered(self) -> None:
        """
        Fire L{whenDelivered} if no event is pending. This is called after the
        application was, which may have scheduled the storing of the event: the next
        poll, which acknowledges it, has to come after that.
        """
        if not self.isPending:
            self._fire()

    def hold(self) -> Callable[[], None]:
        """
        Do not acknowledge the reply of the event that is being delivered, nor
        a later one.

        @return: ends this.
        """
        self._holds += 1
        if self._seen is not None:
            self._seen.hold()
        self._reopen()
        isOver = False

        def release() -> None:
            nonlocal isOver
            if not isOver:
                isOver = True
                self._holds -= 1
                if self._seen is not None and not self._holds:
                    self._seen.release()
                self._holdEnded()

        return release

    def _reopen(self) -> None:
        if not self.isPending and self.number == self._begun:
            # Its last event is being delivered, and no poll was sent yet.
            self.number = self._former
            self._isHeld = True

    def _holdEnded(self) -> None:
        if self._isHeld and not self._isAwaited:
            self.finish()
        elif self._isInterrupted:
            self._keptChanged()

    def holdEvent(self, event: object) -> EventHold:
        """
        Do not acknowledge the reply of an event.

        @param event: the event that is being delivered.
        """
        places = self._places()
        place = next((n for n, each in places if each is event), None)
        hold = EventHold(place is not None, partial(self._eventHoldEnded, event))
        self._held[hold] = place
        if self._seen is not None:
            self._seen.holdEvent(event)
        self._reopen()
        return hold

    def _eventHoldEnded(
        self, event: object, hold: EventHold, isDelivered: bool
    ) -> None:
        if self._seen is not None:
            self._seen.eventHoldEnded(event, isDelivered)
        if hold not in self._held:
            # That of an earlier reply.
            return
        place = self._held.pop(hold)
        if not isDelivered and place is not None:
            if self._isInterrupted:
                self._done -= {place}
            else:
                self._undelivered.add(place)
        self._holdEnded()

    def _places(self) -> Iterator[tuple[int, Event]]:
        """
        Yield the lasting events of the reply that began last, each with its place
        among all lasting events of the reply.
        """
        free = (place for place in count() if place not in self._done)
        lasting = (event for event in self._events if _isLasting(event))
        return ((place, event) for event, place in zip(lasting, free, strict=False))

    def finish(self) -> None:
        """
        Count all events of the pending reply as delivered.
        """
        self._finish()
        self._fire()

    def _finish(self) -> None:
        self._former = self.number
        self.number = self._begun
        self._last = None
        self._isHeld = False

    def _fire(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)

    def whenDelivered(self) -> Deferred[None]:
        """
        Wait for the pending reply.

        @return: fires when its last event was delivered; never when the sign-on is
            over before that.
        """
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def interrupt(self) -> None:
        """
        Forget the pending reply at the end of a sign-on. The server gives it
        again in a later session.
        """
        if not self.isPending:
            return
        # When the server gives the reply again, in a later session, its
        # transient events are missing, and all session ids (uin, gid) have
        # changed. Its lasting events come in the same order with the same
        # times, and nothing else decides the order of delivery
        # (EventFilter.filterBatch). So their places tell which were delivered now.
        # When the number of lasting events differs then, because another client of
        # the account has acknowledged some by their ids or EventFilter has dropped
        # some now, all are delivered once more: a message that comes twice is better
        # than a lost one.
        ends = (n for n, e in enumerate(self._events, 1) if e is self._latest)
        given = self._events[: next(ends, 0)] if self._last else self._events
        done = {place for place, _ in islice(self._places(), _countLasting(given))}
        self._lasting = len(self._done) + _countLasting(self._events)
        self._done = self._done.union(done) - self._undelivered
        self._undelivered.clear()
        self._isInterrupted = True
        self._interrupted = self._begun
        self._begun = self.number
        self._events = []
        self._last = None
        self._isHeld = False


def _countLasting(events: Iterable[Event]) -> int:
    return sum(map(_isLasting, events))


def _withoutLasting(events: Iterable[Event], places: Collection[int]) -> list[Event]:
    """
    Drop some lasting events, and the transient events before the last of them.

    @param places: the places of the events to drop among the lasting ones.
    """
    rest = []
    place, last = 0, max(places, default=-1)
    for event in events:
        if _isLasting(event):
            if place not in places:
                rest.append(event)
            place += 1
        elif place > last:
            rest.append(event)
    return rest
