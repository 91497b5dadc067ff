"""
The poll loop and the heartbeat, which run while an account is online.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import Intercepted, NotSent, SessionExpired, Unreachable, WebQQError
from txwebqq.model import Event, KickNotice, Number, Presence, Received
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.eventfilter import EventFilter
from txwebqq.session.eventqueue import EventQueue
from txwebqq.session.incoming.seenevents import SeenEvents
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import SignOnInputs, SignOnState
from txwebqq.session.replies import isOfAnother
from txwebqq.session.signoncounts import SignOnCounts
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import (
    GetMsgTip,
    GetOnlineBuddies2,
    Poll2,
    PollResult,
)

MAX_FAILURES = 4
"""Polls that may fail in a row before the ticket counts as expired."""

MAX_OUTAGE = 30.0
"""Seconds for which polls are repeated that could not be sent, because there is no
server. One that is started again knows the session for 120 s, but people want to be
told before."""

LULL = 1.0
"""Seconds before the next poll after a reply that is ignored."""

MAX_RUSH = 20
"""Replies in a row with other events than messages, none of them held, after which
polls are slower."""

HELD = 0.5
"""Seconds that a poll takes at least when the server holds it."""

MAX_PAUSE = 30.0
"""Seconds that a poll may wait until the events of the last reply are
delivered: a session lapses after 120 s without a poll."""

pollBackoff = backoffPolicy(initialDelay=0.5, maxDelay=30.0, factor=2.0)
outageBackoff = backoffPolicy(initialDelay=0.5, maxDelay=8.0, factor=2.0)


class PollService(Service):
    """
    Polls for events: each reply schedules the next poll.

    The meaning of a reply for the session becomes an input of the sign-on
    machine (protocol.md 6).
    """

    _log = Logger()

    def __init__(
        self,
        requests: InFlightRequests,
        state: SignOnState,
        machine: SignOnInputs,
        eventFilter: EventFilter,
        acknowledgement: Acknowledgement,
        eventQueue: EventQueue,
        clock: IReactorTime,
        signOns: SignOnCounts,
        seen: SeenEvents,
    ) -> None:
        self._seen = seen
        self._signOns = signOns
        self._requests = requests
        self._state = state
        self._number = state.account.number
        self._machine = machine
        self._eventFilter = eventFilter
        self._acknowledgement = acknowledgement
        self._eventQueue = eventQueue
        self._clock = clock
        self._failures = 0
        # Polls in a row that could not be sent, and the time of the first.
        self._unsent = 0
        self._awaySince = 0.0
        # Polls in a row that another one than the server has answered.
        self._intercepted = 0
        # Polls in a row that brought no events and were not held either.
        self._idle = 0
        self._polledAt = 0.0
        self._wasAnswered = False
        self._wasProbed = False
        # Replies in a row that were not held and had no messages.
        self._rush = 0
        self._isPolling = False
        # The poll, probe or pause under way; else the next poll is scheduled.
        self._current: Deferred[Any] | None = None
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        """
        Begin to poll.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._schedule(0)

    def stopService(self) -> None:
        """
        Cancel the poll. L{InFlightRequests} knows when its connection is
        closed.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        later, self._next = self._next, None
        if later is not None:
            later.cancel()
        current, self._current = self._current, None
        if current is not None:
            current.cancel()

    def _schedule(self, seconds: float) -> None:
        if self.running:
            self._next = self._clock.callLater(seconds, self._poll)

    def _poll(self) -> None:
        self._next = None
        shown = self._eventFilter.delivered(self._eventQueue.waiting)
        self._polledAt = self._clock.seconds()
        command = Poll2(self._state.ticket, shown, self._acknowledgement.number)
        # Set before callbacks are added: in memory the reply is there already.
        self._isPolling = True
        self._current = poll = self._requests.ask(command)
        poll.addCallbacks(self._cbPolled, self._ebPolled, (shown,))
        poll.addErrback(self._ebBug)

    def _cbPolled(self, reply: PollResult | Refusal, shown: tuple[str, ...]) -> None:
        self._current = None
        if not self.running:
            return
        if isinstance(reply, Refusal):
            self._refused(reply, shown)
            return
        self._answered()
        self._eventFilter.acknowledged(shown)
        if not self._acknowledgement.isPending:
            self._seen.confirmed()
        events = self._newEvents(reply)
        # Before they are delivered: an application that signs off in a callback has
        # the logout tell the server what it was given.
        self._eventFilter.markShown(events)
        dropped = self._eventQueue.put(events)
        if dropped:
            self._eventFilter.markDropped(dropped)
        # The application may have signed off in a callback.
        if not self.running:
            return
        if events and isinstance(events[-1], KickNotice):
            self._machine.kicked(events[-1])
            return
        if self._acknowledgement.isPending or self._eventQueue.isHeld:
            self._pause()
        elif events:
            self._idle = 0
            self._schedule(LULL if self._isRush(events) else 0)
        else:
            self._scheduleEmpty()

    def _isRush(self, events: list[Event]) -> bool:
        """
        Tell whether the server repeats events without ids, or other ones than
        messages, as fast as it is polled.
        """
        wasHeld = self._clock.seconds() - self._polledAt >= HELD
        if wasHeld or any(isinstance(event, Received) for event in events):
            self._rush = 0
        else:
            self._rush += 1
        return self._rush > MAX_RUSH

    def resume(self) -> None:
        """
        Poll at once, on a new connection, after the process stood still: the poll
        that is held may never be answered, and what failed before does not count.
        """
        if not self.running:
            return
        self._failures = self._unsent = self._intercepted = 0
        later, current = self._next, self._current
        if later is not None:
            later.reset(0)
        elif current is not None and self._isPolling:
            self._current = None
            current.cancel()
            self._schedule(0)

    def _newEvents(self, reply: PollResult) -> list[Event]:
        """
        List the events of a reply that are to be delivered, in order.
        """
        number, seen = reply.ack, self._seen
        if number is not None and self._acknowledgement.isKnown(number):
            return []
        events = self._eventFilter.filterBatch(reply.events)
        seen.isNumbered = number is not None
        if events and seen.isUsed:
            count = len(events)
            events = [event for event in events if not seen.isRepeated(event)]
            self._signOns.incoming.repeated += count - len(events)
        if number is None:
            return events
        return self._acknowledgement.begin(number, events)

    def _pause(self) -> None:
        """
        Poll when the last reply is delivered, at latest after C{MAX_PAUSE}
        seconds: then the server gives that reply once more.
        """
        self._idle = 0
        self._isPolling = False
        self._current = waiting = self._acknowledgement.whenDelivered()
        waiting.addTimeout(MAX_PAUSE, self._clock).addBoth(self._paused)
        waiting.addErrback(self._ebBug)

    def _paused(self, result: object) -> None:
        # Our own cancel fires this as well, when we are no longer running.
        self._current = None
        if self.running:
            # The application is called with the last event only after this, and may
            # store events when the turn of the reactor ends.
            self._next = self._clock.callLater(0, self._schedule, 0)

    def _scheduleEmpty(self) -> None:
        """
        Poll after a reply without events; not at once if the server does not
        hold polls.
        """
        wasHeld = self._clock.seconds() - self._polledAt >= HELD
        self._idle = 0 if wasHeld else self._idle + 1
        self._schedule(LULL if self._idle > 1 else 0)

    def _answered(self) -> None:
        if self._failures or self._unsent or self._intercepted:
            self._failures = self._unsent = self._intercepted = 0
            self._signOns.resume()
        self._wasProbed = False
        if not self._wasAnswered:
            self._wasAnswered = True
            self._machine.pollAnswered()

    def _refused(self, refusal: Refusal, shown: tuple[str, ...]) -> None:
        code = refusal.retcode
        match code:
            case 102:
                self._answered()
                self._eventFilter.acknowledged(shown)
                self._scheduleEmpty()
            case 116 if refusal.ptwebqq:
                self._machine.ticketRotated(refusal.ptwebqq)
                self._scheduleEmpty()
            case 120 | 121 | 100006:
                self._machine.expired(refusal.seconds or 0.0)
            case 100 | 103 | 100000 if not self._wasProbed:
                self._probe(
                    SessionExpired(f"the poll was refused: {refusal.reason}", code)
                )
            case 100 | 103 | 100000:
                self._machine.invalidated(
                    SessionExpired(
                        f"the poll was refused again: {refusal.reason}", code
                    )
                )
            case 109 | 110:
                self._machine.loggedOut()
            case 100012 | 1202:
                self._schedule(LULL)
            case _:
                self._failed(f"it was refused: {refusal.reason}")

    def _ebPolled(self, failure: Failure) -> None:
        failure.trap(WebQQError)
        # Our own cancel fails the poll as well.
        if self._current is None:
            return
        self._current = None
        error = failure.value
        if isinstance(error, Intercepted):
            # It says nothing of the session, which would be lost by a rejoin. There is
            # no last attempt: a person may have to log in to the network first.
            self._intercepted += 1
            reason = str(error)
            self._signOns.interrupt(reason)
            self._retry(reason, pollBackoff(self._intercepted))
        elif isinstance(error, Unreachable) and error.status in (502, 504):
            self._schedule(LULL)
        elif isinstance(error, NotSent):
            self._notSent(failure.getErrorMessage())
        else:
            self._failed(failure.getErrorMessage())

    def _notSent(self, reason: str) -> None:
        """
        Repeat a poll: a rejoin could not be sent either.
        """
        now = self._clock.seconds()
        if not self._unsent:
            self._awaySince = now
        self._unsent += 1
        self._signOns.interrupt(reason)
        if now - self._awaySince < MAX_OUTAGE:
            self._retry(reason, outageBackoff(self._unsent))
        else:
            self._expire(reason)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._signOns.interrupt(reason)
        if self._failures < MAX_FAILURES:
            self._retry(reason, pollBackoff(self._failures))
        else:
            self._expire(reason)

    def _expire(self, reason: str) -> None:
        self._log.warn(
            "Polling failed (account {number}): {reason}; rejoining.",
            number=self._number,
            reason=reason,
        )
        self._machine.expired(0.0)

    def _retry(self, reason: str, delay: float) -> None:
        self._log.warn(
            "Polling failed (account {number}): {reason}; retrying in {delay:.1f} s.",
            number=self._number,
            reason=reason,
            delay=delay,
        )
        self._schedule(delay)

    def _probe(self, reason: SessionExpired) -> None:
        """
        Try another request, to see whether the session is still valid.

        @param reason: the cause of the doubt.
        """
        self._log.info(
            "Probing the session (account {number}): {reason}.",
            number=self._number,
            reason=reason,
        )
        self._wasProbed = True
        command = GetOnlineBuddies2(self._state.ticket)
        self._isPolling = False
        self._current = probe = self._requests.ask(command)
        probe.addCallbacks(self._cbProbed, self._ebProbed, (reason,), {}, (reason,), {})
        probe.addErrback(self._ebBug)

    def _cbProbed(
        self, reply: tuple[Presence, ...] | Refusal, reason: SessionExpired
    ) -> None:
        if self._current is None:
            return
        self._current = None
        if isinstance(reply, Refusal):
            self._machine.invalidated(reason)
        else:
            self._schedule(LULL)

    def _ebProbed(self, failure: Failure, reason: SessionExpired) -> None:
        failure.trap(WebQQError)
        if self._current is None:
            return
        self._current = None
        if isOfAnother(failure.value):
            # The next poll decides.
            self._schedule(LULL)
        else:
            self._machine.invalidated(reason)

    def _ebBug(self, failure: Failure) -> None:
        self._log.failure(
            "Internal error in the poll loop (account {number}); polling again in "
            "{delay:.1f} s.",
            failure=failure,
            number=self._number,
            delay=LULL,
        )
        self._current = None
        # Otherwise the server repeats the reply that caused this without end.
        self._acknowledgement.finish()
        self._schedule(LULL)


class HeartbeatService(Service):
    """
    Sends heartbeats to the host of the page (protocol.md 2.8.1). The poll alone
    keeps a session alive, so a heartbeat that fails does no harm.

    @param interval: the seconds between two heartbeats.
    """

    _log = Logger()

    def __init__(
        self,
        requests: InFlightRequests,
        number: Number,
        interval: float,
        clock: IReactorTime,
    ) -> None:
        self._requests = requests
        self._number = number
        self._interval = interval
        self._current: Deferred[Any] | None = None
        self._count = 0
        self._loop = LoopingCall(self._beat)
        self._loop.clock = clock

    def startService(self) -> None:
        """
        Send the first heartbeat after one interval.
        """
        super().startService()  # type: ignore[no-untyped-call]
        # A loop ends at its first failure: _beat has none.
        self._loop.start(self._interval, now=False)

    def stopService(self) -> None:
        """
        Cancel the heartbeat.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        self._loop.stop()
        current, self._current = self._current, None
        if current is not None:
            current.cancel()

    def _beat(self) -> Deferred[Any]:
        self._current = heartbeat = self._requests.ask(GetMsgTip(self._count))
        self._count += 1
        return heartbeat.addBoth(self._beaten)

    def _beaten(self, result: object) -> None:
        self._current = None
        if isinstance(result, Failure):
            self._log.debug(
                "Heartbeat failed (account {number}): {reason}.",
                number=self._number,
                reason=result.value,
            )
