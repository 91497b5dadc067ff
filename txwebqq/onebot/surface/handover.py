"""
Keeping of events at the server until the bots have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.interfaces import IEventHold

MAX_ANSWER_TIME = 5.0
"""Seconds for which events wait at the server because a bot has not answered the post
of one that another bot has."""

MAX_POST_TIME = 60.0
"""Seconds for which they wait when no bot has it."""


class Delivery:
    """
    An event of the server on its way to the bots, for which it is any number of events.

    @ivar isLeft: whether it is left to the server, which gives it again.
    """

    def __init__(self, hold: IEventHold, handover: Handover) -> None:
        self.isLeft = False
        self._hold = hold
        self._handover = handover
        # Its events are being made.
        self._left = 1
        self._isEmitted = False
        self._hasBot = False
        self._isUnposted = False
        self._limit: IDelayedCall | None = None

    def emitted(self, isGiven: bool, answers: Sequence[Deferred[bool]]) -> None:
        """
        An event was passed to the bots.

        @param isGiven: whether it is on its way to the sockets of a bot.
        @param answers: fire with whether a bot was posted the event.
        """
        self._isEmitted = True
        if isGiven:
            self._hasBot = True
            self._left += 1
            self._handover.written(self)
        if answers:
            self._left += len(answers)
            seconds = MAX_ANSWER_TIME if self._hasBot else MAX_POST_TIME
            if self._limit is None:
                self._limit = self._handover.later(seconds, self.end)
            for answer in answers:
                answer.addCallback(self._answered)

    def _answered(self, isPosted: bool) -> None:
        if isPosted:
            self._hasBot = True
        else:
            self._isUnposted = True
        self.arrived()

    def arrived(self) -> None:
        """
        One of those who are waited for has the event, or does not get it.
        """
        self._left -= 1
        if self._left == 0:
            self.end()

    def end(self) -> None:
        """
        Wait no longer: the event was delivered, unless it could be posted to no bot
        before the end of the process.
        """
        limit, self._limit = self._limit, None
        if limit is not None:
            self._handover.cancel(limit)
        self._handover.ended(self)
        if self._isUnposted and not self._hasBot:
            self._hold.notDelivered()
        else:
            self._hold.delivered()

    def stop(self) -> None:
        """
        Wait no longer, since the process ends.
        """
        self._isUnposted = True
        self.end()

    def leave(self) -> None:
        """
        Leave the event to the server, if that gives it again and no bot knows of it.
        """
        if self._hold.isKept and not self._isEmitted:
            self.isLeft = True
            self._hold.notDelivered()


# Of the coroutine that makes the events.
_current: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


def currentDelivery() -> Delivery | None:
    """
    Return the event of the server whose events the running coroutine makes, L{None}
    where it makes others.
    """
    return _current.get()


def setCurrentDelivery(delivery: Delivery) -> None:
    """
    Note that the running coroutine makes the events of an event of the server.
    """
    _current.set(delivery)


class Handover:
    """
    Has the server keep the events that the bots are being given, so that those which
    they do not have come again in the next process.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[IDelayedCall] = set()
        # A dict keeps the order.
        self._deliveries: dict[Delivery, None] = {}
        # Those of this turn of the reactor.
        self._written: list[Delivery] = []

    def begin(self, hold: IEventHold) -> Delivery:
        """
        Begin with an event, which the server keeps.
        """
        delivery = Delivery(hold, self)
        self._deliveries[delivery] = None
        return delivery

    def written(self, delivery: Delivery) -> None:
        """
        Call L{Delivery.arrived} when the events of now are written to the sockets.
        """
        self._written.append(delivery)
        if len(self._written) == 1:
            self.later(0, self._turned)

    def _turned(self) -> None:
        written, self._written = self._written, []

        def arrived() -> None:
            for delivery in written:
                delivery.arrived()

        # The reactor writes to the sockets between the two.
        self.later(0, arrived)

    def ended(self, delivery: Delivery) -> None:
        """
        Forget an event.
        """
        self._deliveries.pop(delivery, None)

    def stop(self) -> None:
        """
        Wait for nothing any longer, since the process ends.
        """
        for delivery in list(self._deliveries):
            delivery.stop()
        self._written.clear()
        calls, self._calls = self._calls, set()
        for call in calls:
            call.cancel()

    def later(self, seconds: float, function: Callable[[], None]) -> IDelayedCall:
        """
        Call a function later, unless L{stop} is called before.
        """

        def due() -> None:
            self._calls.discard(call)
            function()

        call = self._clock.callLater(seconds, due)
        self._calls.add(call)
        return call

    def cancel(self, call: IDelayedCall) -> None:
        """
        Do not call a function.
        """
        if call in self._calls:
            self._calls.remove(call)
            call.cancel()
