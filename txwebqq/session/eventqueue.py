"""
Events on their way to the application, in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
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
from txwebqq.session.rostersync import RosterSyncService
from txwebqq.wire.commands.contacts import GetFriendInfo2

LOOKUP_TIMEOUT = 10.0
"""Seconds that events wait for the profile of a new friend."""

MAX_LOOKED_UP = 20
"""New friends of one event whose profiles are fetched."""

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
    ) -> None:
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

    def put(self, events: Sequence[Event]) -> None:
        """
        Deliver events, in this order, after those that wait. A kick, which may be
        the last of them only, ends the session, so it does not wait: all others are
        delivered at once, without profiles.
        """
        self._waiting[:0] = reversed(events)
        if self._lookup is None:
            self._deliverWaiting()
        # Looked at first: a delivery may have dropped the others.
        if self._waiting and isinstance(self._waiting[0], KickNotice):
            self.flush()

    def flush(self) -> Sequence[Event]:
        """
        Deliver all events at once, without profiles. Called while an event is
        delivered, because the application signs off, drop the others instead.

        @return: the events that were dropped.
        """
        lookup, self._lookup = self._lookup, None
        if lookup is not None:
            lookup.cancel()
        self._lookedUp = 0
        dropped: Sequence[Event] = ()
        if self._isDelivering:
            dropped, self._waiting = self._waiting, []
        while self._waiting:
            self._deliver(self._waiting.pop())
        return dropped

    def _deliver(self, event: Event) -> None:
        self._isDelivering = True
        try:
            self._acknowledgement.delivering(event)
            # A friend's message, the most frequent event, changes no list.
            if type(event) is not Message:
                roster = self._transport.roster
                roster.apply(event)
                if roster.newGroups or roster.newDiscussions:
                    self._rosterSync.fetchMissing()
            self._protocol.call("eventReceived", event)
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
