"""
Detection of a session whose polls are answered and bring nothing.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import SessionExpired, WebQQError
from txwebqq.model import Number, Presence, Status, Uin
from txwebqq.session.incoming.counts import IncomingCounts
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import SignOnInputs, SignOnState
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import GetOnlineBuddies2

SILENCE = 600.0
"""Seconds without an event after which the statuses of the friends are fetched, and
between two such looks."""

CONFIRMATION = 30.0
"""Seconds for which the event of a new status may come late."""

MAX_SILENCE = 6 * 3600.0
"""The most seconds between two looks, of a server that never tells of statuses."""

_INVALID = frozenset({100, 103, 109, 110, 120, 121, 100000, 100006})

Statuses = dict[Uin, Status]


class SilenceState:
    """
    The silence of one account, over rejoins and sign-ons.

    @ivar interval: the seconds between two looks.
    @ivar hasRejoined: whether the session was resumed for this reason, and no event
        has come since then.
    @ivar events: the events that had come at the last look.
    """

    __slots__ = ("events", "hasRejoined", "interval")

    def __init__(self) -> None:
        self.interval = SILENCE
        self.hasRejoined = False
        self.events = -1


class SilenceService(Service):
    """
    Looks at the statuses of the friends while no events come. When one of them has
    changed from one look to the next, and the event of that does not come, the polls
    of the session bring nothing: then it is resumed, and if that does not help, the
    account signs on again.
    """

    _log = Logger()

    def __init__(
        self,
        requests: InFlightRequests,
        state: SignOnState,
        machine: SignOnInputs,
        counts: IncomingCounts,
        silence: SilenceState,
        clock: IReactorTime,
    ) -> None:
        self._requests = requests
        self._state = state
        self._number: Number = state.account.number
        self._machine = machine
        self._counts = counts
        self._silence = silence
        self._clock = clock
        # At the last look without an event before it.
        self._known: Statuses | None = None
        self._changed: Statuses | None = None
        self._next: IDelayedCall | None = None
        self._asking: Deferred[Any] | None = None

    def startService(self) -> None:
        """
        Look for the first time after a while.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._heard()
        self._schedule(self._silence.interval)

    def stopService(self) -> None:
        """
        End the look that is under way.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        later, self._next = self._next, None
        if later is not None:
            later.cancel()
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    def _schedule(self, seconds: float) -> None:
        if self.running:
            self._next = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        if self._heard():
            self._known = self._changed = None
            self._schedule(SILENCE)
            return
        self._asking = asking = self._requests.ask(
            GetOnlineBuddies2(self._state.ticket)
        )
        asking.addCallbacks(self._cbAnswered, self._ebAnswered)
        asking.addErrback(self._ebBug)

    def _heard(self) -> bool:
        """
        Tell whether events have come since the last look.
        """
        silence, events = self._silence, self._counts.delivered
        if events == silence.events:
            return False
        silence.events = events
        silence.interval = SILENCE
        silence.hasRejoined = False
        return True

    def _cbAnswered(self, reply: tuple[Presence, ...] | Refusal) -> None:
        self._asking = None
        if not self.running:
            return
        if isinstance(reply, Refusal):
            if reply.retcode in _INVALID:
                self._rejoin(f"another request was refused: {reply.reason}")
            else:
                self._schedule(self._silence.interval)
            return
        statuses = {each.uin: each.status for each in reply}
        if self._counts.delivered != self._silence.events:
            self._known = self._changed = None
        elif self._known is None or self._known == statuses:
            self._known, self._changed = statuses, None
        elif self._changed != statuses:
            # Its event may be under way.
            self._changed = statuses
            self._schedule(CONFIRMATION)
            return
        else:
            self._known = self._changed = None
            self._mend()
            return
        self._schedule(self._silence.interval)

    def _mend(self) -> None:
        silence = self._silence
        if not silence.hasRejoined:
            silence.hasRejoined = True
            self._rejoin("friends have changed their status, and no event came")
            return
        silence.hasRejoined = False
        silence.interval = min(MAX_SILENCE, silence.interval * 2)
        self._counts.deaf += 1
        reason = "its polls are answered but bring no events, also after a rejoin"
        self._machine.invalidated(SessionExpired(reason))

    def _rejoin(self, reason: str) -> None:
        self._counts.deaf += 1
        self._log.warn(
            "The polls bring no events (account {number}): {reason}; rejoining.",
            number=self._number,
            reason=reason,
        )
        self._machine.expired(0.0)

    def _ebAnswered(self, failure: Failure) -> None:
        failure.trap(WebQQError)
        # Our own cancel fails the request as well.
        if self._asking is None:
            return
        # The poll loop knows what to do without a network.
        self._asking = None
        self._schedule(self._silence.interval)

    def _ebBug(self, failure: Failure) -> None:
        self._log.failure(
            "Internal error while looking for silence (account {number}).",
            failure=failure,
            number=self._number,
        )
