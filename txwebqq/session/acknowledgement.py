"""
Acknowledgement of poll replies by number (protocol.md 2.2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred

from txwebqq.model import Event, KickNotice, Shake, StatusChange, Typing
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

    @ivar number: the number that polls acknowledge, 0 before the first reply
        with a number.
    """

    def __init__(self, seen: SeenEvents | None = None) -> None:
        self._seen = seen
        self.number = 0
        # The reply that began last, its events, and the last of them as long as
        # it was not delivered.
        self._begun = 0
        self._events: list[Event] = []
        self._last: Event | None = None
        # The event that was delivered last, of this reply or an earlier one.
        self._latest: Event | None = None
        # The application's holds that have not ended, and whether the pending
        # reply waits for them alone, since all of its events were delivered.
        self._holds = 0
        self._isHeld = False
        # The number before the last reply was finished: a hold that begins
        # while its last event is being delivered brings it back.
        self._former = 0
        # The reply that the end of a sign-on interrupted, the number of its
        # lasting events, and how many of them had been delivered.
        self._interrupted = 0
        self._lasting = 0
        self._delivered = 0
        self._waiting: list[Deferred[None]] = []

    def kept(self) -> Acknowledged:
        """
        Return what another process needs to go on. No reply may be pending.
        """
        return Acknowledged(
            self.number, self._interrupted, self._lasting, self._delivered
        )

    def restore(self, kept: Acknowledged) -> None:
        """
        Go on where another process, or another session, has ended.
        """
        self.number = self._begun = self._former = kept.number
        self._interrupted, self._lasting = kept.interrupted, kept.lasting
        self._delivered = kept.delivered

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
            events = _withoutLasting(events, self._delivered)
        else:
            self._delivered = 0
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
        if self._holds:
            self._isHeld = True
        else:
            self._finish()

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
        if not self.isPending and self.number == self._begun:
            # Its last event is being delivered, and no poll was sent yet.
            self.number = self._former
            self._isHeld = True
        isOver = False

        def release() -> None:
            nonlocal isOver
            if not isOver:
                isOver = True
                self._holds -= 1
                if self._seen is not None and not self._holds:
                    self._seen.release()
                if self._isHeld and not self._holds:
                    self.finish()

        return release

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
        # (EventFilter.filterBatch). So the events that were delivered now are
        # the first ones then, and it is enough to count them. When the number
        # of lasting events differs then, because another client of the account
        # has acknowledged some by their ids or EventFilter has dropped some
        # now, all are delivered once more: a message that comes twice is
        # better than a lost one.
        ends = (n for n, e in enumerate(self._events, 1) if e is self._latest)
        delivered = self._events[: next(ends, 0)] if self._last else self._events
        self._lasting = self._delivered + _countLasting(self._events)
        self._delivered += _countLasting(delivered)
        self._interrupted = self._begun
        self._begun = self.number
        self._events = []
        self._last = None
        self._isHeld = False


def _countLasting(events: Iterable[Event]) -> int:
    return sum(map(_isLasting, events))


def _withoutLasting(events: Iterable[Event], count: int) -> list[Event]:
    """
    Drop the first lasting events, and the transient events before the last of
    them.

    @param count: the number of lasting events to drop.
    """
    rest = []
    for event in events:
        if count == 0:
            rest.append(event)
        elif _isLasting(event):
            count -= 1
    return rest
