"""
The driver of the sign-on machine of today's QQ: carries out its actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import LoginRefused, NotSignedOn, SessionExpired, WebQQError
from txwebqq.interfaces import FactoryOf, IWebQQProtocol
from txwebqq.model import Account, Event, KickNotice, Number
from txwebqq.net.pacing import Pacer
from txwebqq.onebot.actions import Actions
from txwebqq.onebot.connectors import Connector
from txwebqq.onebot.events import EventReader
from txwebqq.onebot.interfaces import SignOnInputs, SignOnState
from txwebqq.onebot.link import OneBotLink
from txwebqq.onebot.lists import readFriends, readGroups
from txwebqq.onebot.machine import makeSignOn
from txwebqq.onebot.reading import boolIn, numberIn, objectIn
from txwebqq.onebot.segments import PictureStore
from txwebqq.onebot.transport import OneBotTransport
from txwebqq.roster import Roster
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.application import Application
from txwebqq.session.basetransport import messageIds
from txwebqq.session.callbacks import GuardedProtocol
from txwebqq.session.eventfilter import EventFilter
from txwebqq.session.eventqueue import EventQueue
from txwebqq.session.pending import PendingInputs
from txwebqq.session.rostersync import RosterSyncService

MAX_EARLY = 1000
"""Events that are kept while the lists are being fetched."""

MISSED_HEARTBEATS = 3
"""Heartbeats without which a program counts as hung."""


@dataclass(frozen=True)
class Pace:
    """
    The pace of what an account sends: Tencent signs off and bans accounts that
    send much in a short time.

    @ivar burst: the messages that are sent at once.
    @ivar seconds: the time between two messages after that.
    """

    burst: int = 3
    seconds: float = 1.5


@dataclass(frozen=True)
class _SignOn:
    """
    The objects of one sign-on, which its protocol shares with no other.
    """

    protocol: GuardedProtocol
    transport: OneBotTransport
    rosterSync: RosterSyncService
    eventQueue: EventQueue
    reader: EventReader
    pacer: Pacer


class OneBotDriver:
    """
    Carries out the actions of the sign-on machine of one account
    (L{SignOnActions<txwebqq.onebot.interfaces.SignOnActions>}), and listens to the
    link.

    @param connector: makes the links.
    @param backoff: returns the seconds to wait before an attempt, given the number
        of attempts that have failed.
    """

    _log = Logger()

    def __init__(
        self,
        account: Account,
        factory: FactoryOf[Any],
        connector: Connector,
        clock: IReactorTime,
        pace: Pace,
        backoff: Callable[[int], float],
    ) -> None:
        self._account = account
        self._connector = connector
        self._clock = clock
        self._pace = pace
        self._backoff = backoff
        self._application = Application(account, factory)
        self._machine: SignOnInputs = makeSignOn(SignOnState(account, self))
        self._pending = PendingInputs(self._machine, clock, account.number)
        self._pictures = PictureStore()
        self._messageIds = messageIds(clock)
        # Of all sign-ons: after a lost link, the history gives messages again.
        self._eventFilter = EventFilter()
        # From buildProtocol to endSignOn.
        self._current: _SignOn | None = None
        self._link: OneBotLink | None = None
        self._early: list[Event] = []
        self._heartbeat: IDelayedCall | None = None

    # Called by the service.

    def signOn(self) -> None:
        """
        Sign on, unless that is under way.
        """
        self._machine.start()

    def signOff(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the link is closed.
        """
        if self._current is not None:
            self._current.eventQueue.flush()
        self._machine.stop()
        return self._connector.close()

    def whenSignedOn(self) -> Deferred[IWebQQProtocol]:
        """
        See L{WebQQService.whenSignedOn
        <txwebqq.service.WebQQService.whenSignedOn>}.
        """
        return self._application.whenSignedOn()

    def whenSignedOff(self) -> Deferred[None]:
        """
        See L{WebQQService.whenSignedOff
        <txwebqq.service.WebQQService.whenSignedOff>}.
        """
        return self._application.whenSignedOff()

    # Actions of the machine.

    def buildProtocol(self) -> bool:
        if self._current is not None:
            return False
        number, clock = self._account.number, self._clock
        protocol = self._application.buildProtocol()
        reader = EventReader(number, self._pictures)
        pacer = Pacer(clock, self._pace.burst, self._pace.seconds)
        transport = OneBotTransport(
            Actions(number, self._call, self._send, reader, self._pictures),
            self._messageIds,
            self.signOff,
            self._account.status,
            clock,
        )
        rosterSync = RosterSyncService(number, transport, clock)
        eventQueue = EventQueue(
            number, transport, protocol, rosterSync, Acknowledgement(), clock
        )
        self._current = _SignOn(
            protocol, transport, rosterSync, eventQueue, reader, pacer
        )
        self._log.info("Signing on (account {number}).", number=number)
        return True

    def connectProtocol(self) -> None:
        assert self._current is not None
        self._application.connect(self._current.protocol, self._current.transport)

    def connect(self) -> None:
        def linked(link: OneBotLink) -> None:
            self._link = link
            self._machine.linked()

        self._pending.expect(
            self._connector.connect(self), linked, self._ebFailed("connecting")
        )

    def identify(self) -> None:
        async def identify() -> Number:
            found = await self._call("get_login_info", {})
            status = await self._call("get_status", {})
            if isinstance(status, dict) and not boolIn(status, "online", True):
                raise NotSignedOn("the OneBot program is not signed on to QQ")
            return Number(numberIn(found if isinstance(found, dict) else {}, "user_id"))

        self._pending.expect(
            Deferred.fromCoroutine(identify()),
            self._machine.identified,
            self._ebFailed("greeting"),
        )

    def loadRoster(self) -> None:
        async def load() -> Roster:
            friends = readFriends(await self._call("get_friend_list", {}))
            groups = readGroups(await self._call("get_group_list", {}))
            return Roster(friends, groups)

        def loaded(roster: Roster) -> None:
            assert self._current is not None
            self._current.transport.roster = roster
            self._machine.rosterLoaded()

        self._pending.expect(
            Deferred.fromCoroutine(load()), loaded, self._ebFailed("fetching the lists")
        )

    def _ebFailed(self, what: str) -> Callable[[Failure], None]:
        def failed(failure: Failure) -> None:
            failure.trap(WebQQError)
            error = failure.value
            if isinstance(error, LoginRefused):
                self._machine.refused(error)
            else:
                self._machine.failed(f"{what}: {error}")

        return failed

    def openChannel(self) -> None:
        current = self._current
        assert current is not None
        current.transport.open()
        current.rosterSync.startService()  # type: ignore[no-untyped-call]
        self._application.signedOn(current.protocol)
        early, self._early = self._early, []
        self._deliver(early)

    def wait(self, attempt: int, reason: str) -> None:
        delay = self._backoff(attempt)
        self._log.warn(
            "Not signed on (account {number}): {reason}; retrying in {delay:.1f} s.",
            number=self._account.number,
            reason=reason,
            delay=delay,
        )
        self._pending.later(delay, self._machine.retry)

    def cancelPending(self) -> None:
        self._pending.cancel()
        self._stopWatch()
        self._early.clear()
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def endSignOn(self, reason: WebQQError | None) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.eventQueue.flush()
            current.rosterSync.stopService()
            current.pacer.stop()
        self._application.logEnd(reason)
        if current is not None:
            current.transport.close()
            self._application.close(current.protocol, reason)
        if not isinstance(reason, SessionExpired):
            self._application.signedOff(reason)

    # Calls.

    def _call(self, action: str, params: Mapping[str, Any]) -> Deferred[Any]:
        if self._link is None:
            return fail(NotSignedOn("there is no link to the OneBot program"))
        return self._link.call(action, params)

    def _send(self, action: str, params: Mapping[str, Any]) -> Deferred[Any]:
        current = self._current

        async def send() -> Any:
            if current is None:
                raise NotSignedOn("the sign-on is over")
            try:
                await current.pacer.acquire()
            except CancelledError as e:
                raise NotSignedOn("the sign-on is over") from e
            return await self._call(action, params)

        return Deferred.fromCoroutine(send())

    # The listener of the link.

    def eventReceived(self, event: Mapping[str, Any]) -> None:
        current = self._current
        if current is None:
            return
        if event.get("post_type") == "meta_event":
            self._heard(event)
            return
        try:
            events = current.reader.read(event)
        except Exception:
            self._log.failure(
                "Internal error while reading an event (account {number}).",
                number=self._account.number,
            )
            return
        if current.transport.isSignedOn:
            self._deliver(events)
        elif len(self._early) < MAX_EARLY:
            self._early += events

    def linkLost(self, reason: Exception) -> None:
        if self._link is None:
            return
        self._link = None
        if isinstance(reason, LoginRefused):
            self._machine.refused(reason)
        else:
            self._machine.failed(str(reason))

    def _deliver(self, events: list[Event]) -> None:
        current = self._current
        if current is None or not events:
            return
        new = self._eventFilter.filterBatch(events[::-1])
        current.eventQueue.put(new)
        if current is self._current:
            for event in new:
                if isinstance(event, KickNotice):
                    self._machine.kicked(event)

    def _heard(self, event: Mapping[str, Any]) -> None:
        if event.get("meta_event_type") != "heartbeat":
            return
        if not boolIn(objectIn(event, "status"), "online", True):
            self._machine.failed("the OneBot program is not signed on to QQ")
            return
        self._stopWatch()
        seconds = MISSED_HEARTBEATS * numberIn(event, "interval") / 1000
        if seconds > 0:
            self._heartbeat = self._clock.callLater(seconds, self._hung, seconds)

    def _hung(self, seconds: float) -> None:
        self._heartbeat = None
        self._machine.failed(f"the OneBot program sent no heartbeat for {seconds:g} s")

    def _stopWatch(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.cancel()
