"""
The driver of the sign-on machine of today's QQ: carries out its actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import (
    LoginRefused,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
    WebQQError,
)
from txwebqq.interfaces import FactoryOf, IWebQQProtocol
from txwebqq.model import Account, Event, GroupFile, KickNotice, Number
from txwebqq.net.pacing import Pacer
from txwebqq.onebot.actions.actions import Actions
from txwebqq.onebot.actions.calls import NO_SUCH_ACTION, Calls, Memory
from txwebqq.onebot.actions.downloads import Downloads
from txwebqq.onebot.actions.missed import Missed
from txwebqq.onebot.actions.people import fetchFriends
from txwebqq.onebot.connectors import Connector
from txwebqq.onebot.events.own import OwnMessages, isOwn
from txwebqq.onebot.interfaces import SignOnInputs, SignOnState
from txwebqq.onebot.link import OneBotLink
from txwebqq.onebot.lists import readGroups
from txwebqq.onebot.machine import makeSignOn
from txwebqq.onebot.reading import (
    boolIn,
    idIn,
    messageIdIn,
    numberIn,
    objectIn,
    objectOf,
    textIn,
)
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
"""Events that are kept while the lists and the missed messages are being fetched,
the last ones."""

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
    pacer: Pacer
    calls: Calls


class OneBotDriver:
    """
    Carries out the actions of the sign-on machine of one account
    (L{SignOnActions<txwebqq.onebot.interfaces.SignOnActions>}), and listens to the
    link.

    @param connector: makes the links.
    @param downloads: fetches pictures and files.
    @param backoff: returns the seconds to wait before an attempt, given the number
        of attempts that have failed.

    @ivar signOns: the counts of the sign-ons.
    """

    _log = Logger()

    def __init__(
        self,
        account: Account,
        factory: FactoryOf[Any],
        connector: Connector,
        downloads: Downloads,
        clock: IReactorTime,
        pace: Pace,
        backoff: Callable[[int], float],
    ) -> None:
        self._account = account
        self._connector = connector
        self._downloads = downloads
        self._clock = clock
        self._pace = pace
        self._backoff = backoff
        self._application = Application(account, factory, clock)
        self.signOns = self._application.counts
        self._machine: SignOnInputs = makeSignOn(SignOnState(account, self))
        self._pending = PendingInputs(self._machine, clock, account.number)
        self._memory = Memory(account)
        self._missed = Missed(clock)
        # Of all sign-ons, like the filter below.
        self._ownMessages = OwnMessages()
        self._messageIds = messageIds(clock)
        # Of all sign-ons: after a lost link, the history gives messages again.
        self._eventFilter = EventFilter()
        # From buildProtocol to endSignOn.
        self._current: _SignOn | None = None
        self._link: OneBotLink | None = None
        # Events that wait, as they came.
        self._early: list[Mapping[str, Any]] = []
        # While the missed messages are being fetched.
        self._catchingUp: Deferred[Any] | None = None
        # The account that the last event was of, 0 before one.
        self._selfId = 0
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
        self._downloads.cancel()
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
        pacer = Pacer(clock, self._pace.burst, self._pace.seconds)
        calls = Calls(
            number, self._call, self._send, self._memory, self._downloads, clock
        )
        transport = OneBotTransport(
            Actions(calls),
            self._messageIds,
            self.signOff,
            self._memory,
            clock,
        )
        rosterSync = RosterSyncService(number, transport, clock)
        eventQueue = EventQueue(
            number,
            transport,
            protocol,
            rosterSync,
            Acknowledgement(),
            clock,
            self.signOns.incoming,
        )
        self._current = _SignOn(
            protocol, transport, rosterSync, eventQueue, pacer, calls
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
            try:
                login = objectOf(await self._call("get_login_info", {}))
            except RequestRefused as e:
                if e.retcode not in NO_SUCH_ACTION:
                    raise
                # Its events say whose they are, so far as there are any.
                login = {"user_id": self._selfId or self._account.number}
            number = idIn(login, "user_id")
            if not number:
                raise NotSignedOn("the OneBot program names no account")
            self._memory.names.keep(0, number, textIn(login, "nickname"))
            try:
                status = objectOf(await self._call("get_status", {}))
            except RequestRefused:
                # Heartbeats tell it, or nothing does.
                status = {}
            if not boolIn(status, "online", True):
                raise NotSignedOn("the OneBot program is not signed on to QQ")
            return Number(number)

        self._pending.expect(
            Deferred.fromCoroutine(identify()),
            self._machine.identified,
            self._ebFailed("greeting"),
        )

    def loadRoster(self) -> None:
        async def load() -> Roster:
            assert self._current is not None
            calls = self._current.calls
            try:
                friends = await fetchFriends(calls)
                groups = readGroups(await calls.call("get_group_list", {}))
            except RequestRefused as e:
                if e.retcode not in NO_SUCH_ACTION:
                    raise
                self._log.warn(
                    "The OneBot program has no lists (account {number}): friends and"
                    " groups are not known.",
                    number=self._account.number,
                )
                return Roster()
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
                self._machine.failed(f"{what} failed: {error}")

        return failed

    def openChannel(self) -> None:
        current = self._current
        assert current is not None
        current.transport.open()
        current.rosterSync.startService()  # type: ignore[no-untyped-call]
        # Before the application is called, which may sign off.
        self._catchUp(current)
        self._application.signedOn(current.protocol)

    def _catchUp(self, current: _SignOn) -> None:
        """
        Deliver the messages that were missed since the last sign-on, and then those
        that came since this one.
        """
        if self._missed.isEmpty:
            fetching: Deferred[list[Mapping[str, Any]]] = succeed([])
        else:
            fetching = Deferred.fromCoroutine(self._missed.fetch(current.calls))
        self._catchingUp = fetching

        def fetched(missed: list[Mapping[str, Any]]) -> None:
            # Not within the action of the machine.
            self._pending.later(0, lambda: caughtUp(missed))

        def caughtUp(missed: list[Mapping[str, Any]]) -> None:
            self._catchingUp = None
            early, self._early = self._early, []
            for event in [*missed, *early]:
                if self._current is current:
                    self.eventReceived(event)

        def failed(failure: Failure) -> None:
            if failure.check(CancelledError):
                return
            self._log.failure(
                "Internal error while fetching missed messages (account {number}).",
                failure=failure,
                number=self._account.number,
            )
            fetched([])

        fetching.addCallbacks(fetched, failed)

    def wait(self, attempt: int, reason: str) -> None:
        delay = self._backoff(attempt)
        self._application.logWait(reason, delay)
        self._pending.later(delay, self._machine.retry)

    def cancelPending(self) -> None:
        catchingUp, self._catchingUp = self._catchingUp, None
        if catchingUp is not None:
            catchingUp.cancel()
        self._pending.cancel()
        self._stopWatch()
        self._early.clear()
        self._ownMessages.dropHeld()
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
                if current is self._current:
                    # By the application.
                    raise
                raise NotSignedOn("the sign-on is over") from e
            number, messageId = self._ownMessages.sending(action, params), 0
            try:
                answer = await self._call(action, params)
                messageId = messageIdIn(objectOf(answer))
            finally:
                for event in self._ownMessages.sent(number, messageId):
                    # Not before the result of this call.
                    self._pending.later(0, partial(self._deliverOwn, current, event))
            return answer

        return Deferred.fromCoroutine(send())

    def _deliverOwn(self, current: _SignOn, event: Mapping[str, Any]) -> None:
        if self._current is current:
            self._deliver(self._read(event))

    # The listener of the link.

    def eventReceived(self, event: Mapping[str, Any]) -> None:
        current = self._current
        if current is None:
            return
        self._selfId = idIn(event, "self_id") or self._selfId
        if event.get("post_type") == "meta_event":
            self._heard(event)
            return
        isReady = current.transport.isSignedOn and self._catchingUp is None
        if isReady or event.get("notice_type") == "bot_offline":
            if not isOwn(event, self._account.number):
                self._missed.heard(event)
            elif not self._ownMessages.arrived(event):
                return
            self._deliver(self._read(event))
        else:
            self._early.append(event)
            if len(self._early) > MAX_EARLY:
                del self._early[0]

    def _read(self, event: Mapping[str, Any]) -> list[Event]:
        try:
            return self._memory.reader.read(event)
        except Exception:
            self._log.failure(
                "Internal error while reading an event (account {number}).",
                number=self._account.number,
            )
            return []

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
        for event in events:
            if current is None or current is not self._current:
                return
            if isinstance(event, GroupFile) and self._isUpload(event):
                continue
            if not isinstance(event, KickNotice):
                current.eventQueue.put(self._eventFilter.filterBatch([event]))
            elif current.transport.isSignedOn:
                current.eventQueue.put([event])
                if current is self._current:
                    self._machine.kicked(event)
            else:
                reason = f"QQ has signed the account off: {event.reason}"
                self._machine.refused(LoginRefused(reason))

    def _isUpload(self, file: GroupFile) -> bool:
        isOurs = int(file.sender) == self._account.number
        return isOurs and self._ownMessages.isUpload(True, file.group, file.name)

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
