"""
The children of a service that is online: the poll chain and the heartbeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf
from operator import attrgetter
from typing import Any, cast

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import SessionExpired, Unreachable, WebQQError
from txwebqq.model import (
    DiscussionMessage,
    Event,
    GroupMessage,
    KickNotice,
    Message,
    Presence,
    StrangerMessage,
)
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.interfaces import SignOnInputs
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import (
    GetMsgTip,
    GetOnlineBuddies2,
    Poll2,
    PollResult,
)
from txwebqq.wire.form import Ticket

MAX_FAILURES = 4
"""The polls that may fail in a row before the session is doubted."""

REMEMBERED = 500
"""The messages that are remembered at least, to recognise those that come
twice; twice as many at most."""

MAX_SHOWN = 500
"""The messages that one poll tells the server of."""

LULL = 1.0
"""The seconds to wait after an answer that is to be ignored."""

HELD = 0.5
"""A poll that was answered in fewer seconds was not held."""

MAX_PAUSE = 30.0
"""The seconds that a poll may wait for the events of the last reply to be
handed over: a session lapses after 120 s without a poll."""

pollBackoff = backoffPolicy(initialDelay=0.5, maxDelay=30.0, factor=2.0)


# What tells one from others: of words, as nearly all events are.
# No two kinds have as many members, so none is taken for another.
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
    Puts a batch of events into the order in which they happened, and drops
    messages that have come before (protocol.md 2.2.1 and 4.11).

    @ivar shown: the ids of messages that the application was given, and the
        server was not told of yet.
    """

    def __init__(self) -> None:
        self.shown: deque[str] = deque(maxlen=MAX_SHOWN)
        self._seen: set[tuple[int, ...]] = set()
        self._seenBefore: set[tuple[int, ...]] = set()

    def filterBatch(self, batch: Iterable[Event]) -> list[Event]:
        """
        The new events of a batch, oldest first, a kick last of all.
        """
        # Servers put the newest first; among equals that is all we know.
        events = [event for event in reversed(list(batch)) if self._isNew(event)]
        events.sort(key=_when)
        return events

    def _isNew(self, event: Event) -> bool:
        idsOf = _IDS.get(type(event))
        if idsOf is None:
            return True
        ids = idsOf(event)
        if not (ids[-1] or ids[-2]):
            return True
        if ids in self._seen or ids in self._seenBefore:
            return False
        self._seen.add(ids)
        if len(self._seen) >= REMEMBERED:
            self._seenBefore, self._seen = self._seen, set()
        return True

    def markShown(self, event: Event) -> None:
        """
        The application was given an event.
        """
        if type(event) in _IDS:
            self.shown.append(str(cast(Any, event).messageId))

    def acknowledged(self, ids: Iterable[str]) -> None:
        """
        The server knows of these.
        """
        for known in ids:
            # Those that came meanwhile are behind them.
            if self.shown and self.shown[0] == known:
                self.shown.popleft()


def _when(event: Event) -> float:
    if isinstance(event, KickNotice):
        return inf
    return getattr(event, "time", 0)


class PollService(Service):
    """
    Asks for events, over and over: each answer schedules the next question.

    What an answer means for the session is told to the sign-on machine
    (protocol.md 6).

    @param deliver: is called with each event, in order; it does not raise.
    """

    _log = Logger()

    def __init__(
        self,
        ticket: Ticket,
        ask: Callable[[Poll2], Deferred[PollResult | Refusal]],
        probe: Callable[[GetOnlineBuddies2], Deferred[tuple[Presence, ...] | Refusal]],
        machine: SignOnInputs,
        eventFilter: EventFilter,
        acknowledgement: Acknowledgement,
        deliver: Callable[[Event], None],
        clock: IReactorTime,
    ) -> None:
        self.ticket = ticket
        self._ask = ask
        self._probe = probe
        self._machine = machine
        self._eventFilter = eventFilter
        self._acknowledgement = acknowledgement
        self._deliver = deliver
        self._clock = clock
        self._failures = 0
        # The polls in a row that brought nothing, and were not held either.
        self._idle = 0
        self._since = 0.0
        self._proven = False
        self._probed = False
        self._asked: Deferred[Any] | None = None
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        """
        Ask the first question.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._schedule(0)

    def stopService(self) -> None:
        """
        Ask no more. Whoever gave us C{ask} knows when the connection is
        closed.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        later, self._next = self._next, None
        if later is not None:
            later.cancel()
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()

    def _schedule(self, seconds: float) -> None:
        if self.running:
            self._next = self._clock.callLater(seconds, self._poll)

    def _poll(self) -> None:
        self._next = None
        # Kept before it has callbacks: in memory it has fired already.
        shown = tuple(self._eventFilter.shown)
        self._since = self._clock.seconds()
        poll = Poll2(self.ticket, shown, self._acknowledgement.number)
        self._asked = asked = self._ask(poll)
        asked.addCallbacks(self._cbPolled, self._ebPolled, (shown,))
        asked.addErrback(self._ebBug)

    def _cbPolled(self, reply: PollResult | Refusal, shown: tuple[str, ...]) -> None:
        self._asked = None
        if not self.running:
            return
        if isinstance(reply, Refusal):
            self._refused(reply, shown)
            return
        self._good()
        self._eventFilter.acknowledged(shown)
        events = self._newEvents(reply)
        for event in events:
            self._deliver(event)
            self._eventFilter.markShown(event)
            # The application may have signed off.
            if not self.running:
                return
            if isinstance(event, KickNotice):
                self._machine.kicked(event)
                return
        if self._acknowledgement.isPending:
            self._pause()
        elif events:
            self._idle = 0
            self._schedule(0)
        else:
            self._nothing()

    def _newEvents(self, reply: PollResult) -> list[Event]:
        """
        List the events of a reply that are to be handed over, in order.
        """
        if reply.ack is None:
            return self._eventFilter.filterBatch(reply.events)
        if self._acknowledgement.isKnown(reply.ack):
            return []
        return self._acknowledgement.begin(
            reply.ack, self._eventFilter.filterBatch(reply.events)
        )

    def _pause(self) -> None:
        """
        Ask again when the last reply is handed over, or after C{MAX_PAUSE}
        seconds: then the server gives that reply once more.
        """
        self._idle = 0
        self._asked = waiting = self._acknowledgement.whenHandedOver()
        waiting.addTimeout(MAX_PAUSE, self._clock).addBoth(self._paused)
        waiting.addErrback(self._ebBug)

    def _paused(self, result: object) -> None:
        # Our own cancel comes by here too, when we run no more.
        self._asked = None
        self._schedule(0)

    def _nothing(self) -> None:
        """
        Ask again; not at once if the server does not hold polls.
        """
        wasHeld = self._clock.seconds() - self._since >= HELD
        self._idle = 0 if wasHeld else self._idle + 1
        self._schedule(LULL if self._idle > 1 else 0)

    def _good(self) -> None:
        self._failures = 0
        self._probed = False
        if not self._proven:
            self._proven = True
            self._machine.pollAnswered()

    def _refused(self, refusal: Refusal, shown: tuple[str, ...]) -> None:
        code = refusal.retcode
        match code:
            case 102:
                self._good()
                self._eventFilter.acknowledged(shown)
                self._nothing()
            case 116 if refusal.ptwebqq:
                self._machine.ticketRotated(refusal.ptwebqq)
                self._nothing()
            case 120 | 121 | 100006:
                self._machine.expired(refusal.seconds or 0.0)
            case 100 | 103 | 100000 if not self._probed:
                self._log.info("The poll was answered {code}; probing.", code=code)
                self._test(SessionExpired(f"the poll was answered {code}", code))
            case 100 | 103 | 100000:
                self._machine.invalidated(
                    SessionExpired(f"the poll was answered {code} again", code)
                )
            case 109 | 110:
                self._machine.loggedOut()
            case 100012 | 1202:
                self._schedule(LULL)
            case _:
                self._failed(f"it was answered {code}")

    def _ebPolled(self, failure: Failure) -> None:
        failure.trap(WebQQError)
        # Our own cancel is reported as trouble too, so ask ourselves.
        if self._asked is None:
            return
        self._asked = None
        trouble = failure.value
        if isinstance(trouble, Unreachable) and trouble.status in (502, 504):
            self._schedule(LULL)
        else:
            self._failed(failure.getErrorMessage())

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            self._log.warn("Polling failed: {reason}; rejoining.", reason=reason)
            self._machine.expired(0.0)
            return
        delay = pollBackoff(self._failures)
        self._log.warn(
            "Polling failed: {reason}; next in {delay:.1f} s.",
            reason=reason,
            delay=delay,
        )
        self._schedule(delay)

    def _test(self, reason: SessionExpired) -> None:
        """
        See whether the session still works for anything else.
        """
        self._probed = True
        self._asked = asked = self._probe(GetOnlineBuddies2(self.ticket))
        asked.addCallbacks(self._cbTested, self._ebTested, (reason,), {}, (reason,), {})
        asked.addErrback(self._ebBug)

    def _cbTested(
        self, reply: tuple[Presence, ...] | Refusal, reason: SessionExpired
    ) -> None:
        if self._asked is None:
            return
        self._asked = None
        if isinstance(reply, Refusal):
            self._machine.invalidated(reason)
        else:
            self._schedule(LULL)

    def _ebTested(self, failure: Failure, reason: SessionExpired) -> None:
        failure.trap(WebQQError)
        if self._asked is None:
            return
        self._asked = None
        self._machine.invalidated(reason)

    def _ebBug(self, failure: Failure) -> None:
        self._log.failure("Polling stumbled.", failure=failure)
        self._asked = None
        # A reply that we cannot take must not be given to us for ever.
        self._acknowledgement.finish()
        self._schedule(LULL)


class HeartbeatService(Service):
    """
    Tells the page host that we are there (protocol.md 2.8.1). The poll alone
    keeps a session alive, so a heartbeat that fails is no harm.
    """

    _log = Logger()

    def __init__(
        self,
        ask: Callable[[GetMsgTip], Deferred[bool | Refusal]],
        interval: float,
        clock: IReactorTime,
    ) -> None:
        self._ask = ask
        self._interval = interval
        self._asked: Deferred[Any] | None = None
        self._count = 0
        self._loop = LoopingCall(self._beat)
        self._loop.clock = clock

    def startService(self) -> None:
        """
        Beat after each interval from now.
        """
        super().startService()  # type: ignore[no-untyped-call]
        # A loop dies at its first failure: _beat has none.
        self._loop.start(self._interval, now=False)

    def stopService(self) -> None:
        """
        Beat no more.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        self._loop.stop()
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()

    def _beat(self) -> Deferred[Any]:
        self._asked = asked = self._ask(GetMsgTip(self._count))
        self._count += 1
        return asked.addBoth(self._beaten)

    def _beaten(self, result: object) -> None:
        self._asked = None
        if isinstance(result, Failure):
            self._log.debug("No heartbeat: {reason}.", reason=result.value)
