"""
Events on their way to the application, in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import (
    DiscussionMessage,
    Event,
    GroupMessage,
    KickNotice,
    Message,
    Number,
    Profile,
    StrangerMessage,
    Uin,
)
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.callbacks import GuardedProtocol
from txwebqq.session.incoming.counts import IncomingCounts
from txwebqq.session.incoming.gaps import GapDetector
from txwebqq.session.incoming.seenevents import SeenEvents
from txwebqq.session.rostersync import RosterSyncService
from txwebqq.wire.commands.contacts import GetFriendInfo2

LOOKUP_TIMEOUT = 10.0
"""Seconds that events wait for the profile of a new friend."""

MAX_LOOKED_UP = 20
"""New friends of one event whose profiles are fetched."""

MAX_WAITING = 1000
"""Events that wait for a slow application, from servers that do not keep them
(protocol.md 2.2.1, C{ack})."""

_MESSAGES = frozenset({Message, GroupMessage, DiscussionMessage, StrangerMessage})


class EventQueue:
    """
    Delivers the events of one sign-on to its roster and its protocol.

    An event that adds a friend waits until the friend's profile has been
    fetched, and later events wait behind it.
    """

    _log = Logger()

    def __init__(
        self,
        number: Number,
        transport: IWebQQTransport,
        protocol: GuardedProtocol,
        rosterSync: RosterSyncService,
        acknowledgement: Acknowledgement,
        clock: IReactorTime,
        counts: IncomingCounts | None = None,
        seen: SeenEvents | None = None,
        gaps: GapDetector | None = None,
    ) -> None:
        self._counts = counts or IncomingCounts()
        self._seen = seen
        self._gaps = gaps
        # When the events began to wait for the application, L{None} when they do not.
        self._heldSince: float | None = None
        self._resuming: IDelayedCall | None = None
        self._dropped = 0
        self._number = number
        self._transport = transport
        self._protocol = protocol
        self._rosterSync = rosterSync
        self._acknowledgement = acknowledgement
        self._clock = clock
        # The latest first. Mostly empty: a deque of each account would take more
        # memory.
        self._waiting: list[Event] = []
        self._lookup: Deferred[Profile] | None = None
        self._isDelivering = False
        # For the first of the events that wait.
        self._lookedUp = 0

    @property
    def waiting(self) -> Sequence[Event]:
        """
        The events that are not delivered yet.
        """
        return self._waiting

    @property
    def isHeld(self) -> bool:
        """
        Whether events wait, because too many callbacks have not finished.
        """
        return self._heldSince is not None

    def put(self, events: Sequence[Event]) -> Sequence[Event]:
        """
        Deliver events, in this order, after those that wait. A kick, which may be
        the last of them only, ends the session, so it does not wait: all others are
        delivered at once, without profiles.

        @return: those that were dropped, since too many wait.
        """
        dropped: Sequence[Event] = ()
        room = MAX_WAITING - len(self._waiting)
        if self._heldSince is not None and len(events) > room:
            kick = [each for each in events if isinstance(each, KickNotice)]
            dropped = [each for each in events[room:] if each not in kick]
            self._drop(len(dropped))
            events = [*(e for e in events[:room] if e not in kick), *kick]
        self._waiting[:0] = reversed(events)
        if self._lookup is None and not self.isHeld:
            self._deliverWaiting()
        # Looked at first: a delivery may have dropped the others.
        if self._waiting and isinstance(self._waiting[0], KickNotice):
            self.flush()
        return dropped

    def _drop(self, count: int) -> None:
        if not self._dropped:
            self._log.error(
                "Events are dropped (account {number}): {waiting} wait for the"
                " application, and the server would not keep more.",
                number=self._number,
                waiting=len(self._waiting),
            )
        self._dropped += count
        self._counts.dropped += count

    def _hold(self) -> None:
        """
        Have events wait until the application has finished some callbacks.
        """
        if self._heldSince is not None:
            return
        self._heldSince = self._clock.seconds()
        self._dropped = 0
        self._counts.isHeld = True
        self._protocol.whenFree(self._freed)
        self._log.warn(
            "The application is slow (account {number}): {count} callbacks have not"
            " finished; events wait.",
            number=self._number,
            count=self._counts.unfinished,
        )

    def _freed(self) -> None:
        # Not within the callback of a Deferred of the application.
        if self._heldSince is not None and self._resuming is None:
            self._resuming = self._clock.callLater(0, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        self._release()
        self._deliverWaiting()

    def _release(self) -> None:
        resuming, self._resuming = self._resuming, None
        if resuming is not None:
            resuming.cancel()
        since, self._heldSince = self._heldSince, None
        if since is None:
            return
        self._counts.isHeld = False
        self._protocol.whenFree(None)
        self._log.info(
            "The application is given events again (account {number}), after"
            " {seconds:.1f} s; {dropped} were dropped.",
            number=self._number,
            seconds=self._clock.seconds() - since,
            dropped=self._dropped,
        )

    def flush(self) -> Sequence[Event]:
        """
        Deliver all events at once, without profiles. Called while an event is
        delivered, because the application signs off, drop the others instead.

        @return: the events that were dropped.
        """
        lookup, self._lookup = self._lookup, None
        if lookup is not None:
            lookup.cancel()
        self._release()
        self._lookedUp = 0
        dropped: Sequence[Event] = ()
        if self._isDelivering:
            dropped, self._waiting = self._waiting, []
        while self._waiting:
            self._deliver(self._waiting.pop())
        return dropped

    def _deliver(self, event: Event) -> None:
        self._isDelivering = True
        self._counts.delivered += 1
        try:
            self._acknowledgement.delivering(event)
            # A friend's message, the most frequent event, changes no list.
            if type(event) is not Message:
                if self._gaps is not None:
                    self._gaps.received(event)
                roster = self._transport.roster
                roster.apply(event)
                if roster.newGroups or roster.newDiscussions:
                    self._rosterSync.fetchMissing()
            self._protocol.call("eventReceived", event)
            if self._seen is not None and self._seen.isUsed:
                self._seen.delivered(event)
        except Exception:
            # Later events and the next poll wait for this one.
            self._log.failure(
                "Internal error while delivering an event (account {number}).",
                number=self._number,
            )
        finally:
            self._isDelivering = False

    def _deliverWaiting(self) -> None:
        while self._waiting and self._lookup is None:
            if self._protocol.isBusy:
                self._hold()
                return
            event = self._waiting[-1]
            # Messages add no friends, and nearly all events are messages.
            if type(event) not in _MESSAGES and self._lookedUp < MAX_LOOKED_UP:
                unknown = self._transport.roster.unknownContacts(event)
                if unknown:
                    self._lookUp(unknown[0])
                    return
            self._lookedUp = 0
            self._deliver(self._waiting.pop())
        self._acknowledgement.delivered()

    def _lookUp(self, uin: Uin) -> None:
        self._lookedUp += 1
        request = self._transport.call(GetFriendInfo2, uin)
        # Set before callbacks are added: in memory the reply is there already.
        lookup = self._lookup = request.addTimeout(LOOKUP_TIMEOUT, self._clock)

        def cbLookedUp(profile: Profile) -> None:
            if self._lookup is lookup:
                self._lookup = None
                self._transport.roster.addProfile(uin, profile)
                self._deliverWaiting()

        def ebLookedUp(failure: Failure) -> None:
            # Our own cancel fails the request as well.
            if self._lookup is lookup:
                self._lookup = None
                self._log.info(
                    "Profile of a new friend not fetched (account {number}): "
                    "{reason}; the friend has no name.",
                    number=self._number,
                    reason=failure.getErrorMessage(),
                )
                self._transport.roster.addProfile(uin, None)
                self._deliverWaiting()

        lookup.addCallbacks(cbLookedUp, ebLookedUp).addErrback(
            lambda failure: self._log.failure(
                "Internal error while delivering events (account {number}).",
                failure=failure,
                number=self._number,
            )
        )
