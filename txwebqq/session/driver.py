"""
The driver of the sign-on machine: carries out its actions, and signs one
account on and off.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace
from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.client import WebQQClient
from txwebqq.errors import CaptchaLapsed, SessionExpired, WebQQError
from txwebqq.interfaces import FactoryOf, IWebQQProtocol
from txwebqq.model import Account
from txwebqq.roster import Roster
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.application import Application
from txwebqq.session.basetransport import messageIds
from txwebqq.session.callbacks import GuardedProtocol
from txwebqq.session.eventfilter import EventFilter
from txwebqq.session.eventqueue import EventQueue
from txwebqq.session.incoming.gaps import GapDetector
from txwebqq.session.incoming.seenevents import SeenEvents
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import (
    Era,
    SignOnInputs,
    SignOnState,
)
from txwebqq.session.liveness.silence import SilenceService, SilenceState
from txwebqq.session.machine import makeSignOn
from txwebqq.session.pending import PendingInputs
from txwebqq.session.polling import HeartbeatService, PollService
from txwebqq.session.replies import classifyFailure
from txwebqq.session.rostersync import RosterLoader, RosterSyncService
from txwebqq.session.transport import SignOnTransport
from txwebqq.sessionfile import Acknowledged, KeptSession, SessionKeeper
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import Logout2
from txwebqq.wire.form import Ticket

R = TypeVar("R")

MIN_CAPTCHA_LIFE = 60.0
"""Time before which a captcha has not lapsed, in seconds: else an application that
cannot read captchas could ask for new ones without end."""

USE_INTERVAL = 60.0
"""The seconds between two notes that a kept session is in use."""


@dataclass(frozen=True)
class _SignOn:
    """
    The objects of one sign-on, which its protocol shares with no other.
    """

    protocol: GuardedProtocol
    transport: SignOnTransport
    rosterSync: RosterSyncService
    eventFilter: EventFilter
    eventQueue: EventQueue
    gaps: GapDetector


class SignOnDriver:
    """
    Carries out the actions of the sign-on machine of one account
    (L{SignOnActions<txwebqq.session.interfaces.SignOnActions>}).

    @param seenFile: the file that remembers delivered events, L{None} for none.
    @param service: the parent of the channel, a service that exists while the
        account is online.

    @ivar signOns: the counts of the sign-ons.
    """

    _log = Logger()

    def __init__(
        self,
        service: MultiService,
        account: Account,
        factory: FactoryOf[Any],
        client: WebQQClient,
        clock: IReactorTime,
        era: Era,
        heartbeat: float,
        backoff: Callable[[int], float],
        keeper: SessionKeeper | None = None,
        seenFile: Path | None = None,
    ) -> None:
        self._keeper = keeper
        # The session of an earlier process, which is to be resumed.
        self._kept: KeptSession | None = None
        # The session that was kept for a later process, after its end.
        self._suspended: KeptSession | None = None
        # Whether the present session is that one.
        self._isResumed = False
        self._service = service
        self._account = account
        self._client = client
        self._clock = clock
        self._heartbeat = heartbeat
        self._backoff = backoff
        clientid = f"{random.randrange(10, 100)}{random.randrange(10**6):06d}"
        self._state = SignOnState(account, self, clientid, random.random, era)
        self._machine: SignOnInputs = makeSignOn(self._state)
        self._pending = PendingInputs(self._machine, clock, account.number)
        self._requests = InFlightRequests(client, clock)
        self._rosterLoader = RosterLoader(self._requests, self._state)
        self._messageIds = messageIds(clock)
        self._seen = SeenEvents(account.number, seenFile)
        self._acknowledgement = Acknowledgement(self._seen, self._keepAgain)
        self._application = Application(account, factory, clock)
        self.signOns = self._application.counts
        # From buildProtocol to endSignOn.
        self._current: _SignOn | None = None
        self._silence = SilenceState()
        # Whether the next attempt waits for its backoff alone.
        self._isBackingOff = False
        # From openChannel to pauseChannel or endSignOn, as the next one.
        self._poll: PollService | None = None
        self._channel: MultiService | None = None
        self._whenEnded: list[Deferred[None]] = []

    # Called by the service.

    def signOn(self) -> None:
        """
        Sign on, unless that is under way.
        """
        self._suspended = None
        kept = None if self._keeper is None else self._keeper.load()
        if kept is None:
            self._machine.start()
        else:
            self._kept = kept
            self._machine.resume()

    def signOff(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the server has been told, or could not be, and no
            request of this session is in flight.
        """
        return self._end(self._machine.stop)

    def suspend(self) -> Deferred[None]:
        """
        Stop, so that another process resumes the session. The server is not told: it
        takes the account for offline when it was not polled for some time.

        @return: fires when no request of this session is in flight.
        """
        return self._end(self._machine.suspend)

    def _end(self, stop: Callable[[], None]) -> Deferred[None]:
        current = self._current
        if current is not None:
            # Before the server is told, so that the events are acknowledged.
            current.eventFilter.markDropped(current.eventQueue.flush())
        stop()
        if current is None or current is not self._current:
            return self._requests.close()
        # Called by a callback within an action: the machine stops after it.
        ended: Deferred[None] = Deferred()
        self._whenEnded.append(ended)
        return ended.addCallback(lambda _: self._requests.close())

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

    def resume(self, seconds: float) -> None:
        """
        Begin again after the process stood still: with the poll, or with the backoff
        of the sign-on. No connection of before is used again.
        """
        self._client.renewConnections()
        if self._poll is not None:
            self._poll.resume()
        elif self._isBackingOff:
            self._pending.cancel()
            # The attempts of before say nothing of the network of now.
            self._state.failures = 0
            self._pending.later(self._backoff(0), self._retry)

    # Actions of the machine.

    def buildProtocol(self) -> bool:
        self._client.begin(self._account.number)
        if self._current is not None:
            return False
        number, clock = self._account.number, self._clock
        protocol = self._application.buildProtocol()
        transport = SignOnTransport(
            self._requests,
            self._client,
            self._state,
            self._messageIds,
            self._rosterLoader.friendListHash,
            self.signOff,
            self._acknowledgement,
            lambda: protocol.handled,
            clock,
        )
        rosterSync = RosterSyncService(number, transport, clock)
        incoming = self.signOns.incoming
        gaps = GapDetector(number, transport, protocol.messagesMissed, incoming, clock)
        transport.sending = gaps.sending
        eventQueue = EventQueue(
            number,
            transport,
            protocol,
            rosterSync,
            self._acknowledgement,
            clock,
            incoming,
            self._seen,
            gaps,
        )
        self._current = _SignOn(
            protocol, transport, rosterSync, EventFilter(), eventQueue, gaps
        )
        self._log.info("Signing on (account {number}).", number=number)
        return True

    def restoreSession(self) -> Ticket:
        assert self._current is not None
        assert self._kept is not None
        kept, self._kept = self._kept, None
        self._isResumed = True
        self._log.info(
            "Resuming the session of an earlier process (account {number}).",
            number=self._account.number,
        )
        self._client.restoreCookies(kept.cookies)
        self._acknowledgement.restore(kept.acknowledged)
        self._current.eventFilter.shown = list(kept.shown)
        self._state.status = kept.status
        return kept.ticket

    def keepSession(self) -> None:
        self._keep()

    def _keep(self) -> KeptSession | None:
        if self._keeper is None or self._current is None:
            return None
        shown = tuple(self._current.eventFilter.shown)
        cookies, said = self._client.storedCookies(), self._acknowledgement.kept()
        state = self._state
        kept = KeptSession(state.ticket, state.status, cookies, said, shown)
        self._keeper.save(kept)
        return kept

    def _keepAgain(self) -> None:
        """
        Keep the session once more, when an event was delivered that was held at the
        end of the sign-on.
        """
        kept, said = self._suspended, self._acknowledgement.kept()
        if self._keeper is None or kept is None or kept.acknowledged == said:
            return
        self._suspended = replace(kept, acknowledged=said)
        self._keeper.save(self._suspended)

    def loseKeptSession(self, reason: str) -> None:
        assert self._current is not None
        self._log.info(
            "The session{origin} is over (account {number}): {reason}; signing on.",
            origin=" of an earlier process" if self._isResumed else "",
            number=self._account.number,
            reason=reason,
        )
        if self._isResumed:
            self._isResumed = False
            # The server may have begun to count from 1 again.
            self._acknowledgement.restore(Acknowledged())
            self._current.eventFilter.shown = []
        if self._keeper is not None:
            self._keeper.forget()

    def connectProtocol(self) -> None:
        assert self._current is not None
        self._application.connect(self._current.protocol, self._current.transport)

    def issue(
        self,
        command: Command[R],
        answered: Callable[[R | Refusal], None],
        after: float = 0.0,
    ) -> None:
        def failed(failure: Failure) -> None:
            failure.trap(WebQQError)
            classifyFailure(self._machine, command.endpointName, failure.value)

        def send() -> None:
            self._pending.expect(self._requests.ask(command), answered, failed)

        if after > 0:
            self._pending.later(after, send)
        else:
            send()

    def ptwebqq(self) -> str:
        return self._client.cookie("ptwebqq")

    def askForCaptcha(self, image: bytes) -> None:
        assert self._current is not None
        protocol = self._current.protocol.protocol
        number = self._account.number
        self._log.info("Captcha required (account {number}).", number=number)
        self.signOns.awaitCaptcha()
        askedAt = self._clock.seconds()

        async def ask() -> str:
            return await protocol.captchaRequired(image)

        def solved(text: object) -> None:
            if isinstance(text, str) and text.strip():
                self.signOns.captchaSolved()
                self._machine.captchaSolved(text.strip())
            else:
                self._machine.captchaUnsolved("captchaRequired returned no text")

        def unsolved(failure: Failure) -> None:
            seconds = self._clock.seconds() - askedAt
            if failure.check(CaptchaLapsed) and seconds >= MIN_CAPTCHA_LIFE:
                self._machine.captchaLapsed()
                return
            # Of any class, since the application may have raised it.
            reason = failure.getErrorMessage()
            self._log.warn(
                "Captcha not solved (account {number}): {reason}.",
                number=number,
                reason=reason,
            )
            self._machine.captchaUnsolved(reason)

        self._pending.expect(Deferred.fromCoroutine(ask()), solved, unsolved)

    def loadRoster(self) -> None:
        def loaded(roster: Roster) -> None:
            assert self._current is not None
            self._current.transport.roster = roster
            self._machine.rosterLoaded()

        def failed(failure: Failure) -> None:
            failure.trap(WebQQError)
            current = self._rosterLoader.current
            classifyFailure(self._machine, current, failure.value)

        loading = Deferred.fromCoroutine(self._rosterLoader.load())
        self._pending.expect(loading, loaded, failed)

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        delay = max(self._backoff(attempt), atLeast)
        self._application.logWait(reason, delay)
        self._isBackingOff = atLeast == 0
        self._pending.later(delay, self._retry)

    def _retry(self) -> None:
        self._isBackingOff = False
        self._machine.retry()

    def cancelPending(self) -> None:
        self._isBackingOff = False
        self._pending.cancel()

    def openChannel(self) -> None:
        current = self._current
        assert current is not None
        isNew = not current.transport.isSignedOn
        current.transport.open()
        if isNew:
            self._application.signedOn(current.protocol)
        else:
            self.signOns.rejoin()
            self._log.info("Rejoined (account {number}).", number=self._account.number)
        poll = PollService(
            self._requests,
            self._state,
            self._machine,
            current.eventFilter,
            self._acknowledgement,
            current.eventQueue,
            self._clock,
            self.signOns,
            self._seen,
        )
        heartbeat = HeartbeatService(
            self._requests, self._account.number, self._heartbeat, self._clock
        )
        self._channel = MultiService()
        silence = SilenceService(
            self._requests,
            self._state,
            self._machine,
            self.signOns.incoming,
            self._silence,
            self._clock,
        )
        self._poll = poll
        for child in (poll, heartbeat, silence, current.rosterSync):
            child.setServiceParent(self._channel)  # type: ignore[no-untyped-call]
        if self._keeper is not None:
            use = TimerService(USE_INTERVAL, self._keeper.touch)
            use.clock = self._clock
            use.setServiceParent(self._channel)
        self._channel.setServiceParent(self._service)
        if isNew:
            current.rosterSync.fetchDiscussionList()

    def setPtwebqq(self, ptwebqq: str) -> None:
        self._client.keepTicket(ptwebqq)

    def pauseChannel(self) -> None:
        assert self._current is not None
        self.signOns.expire()
        self._log.info(
            "Session expired (account {number}); rejoining.",
            number=self._account.number,
        )
        self._current.transport.pause()
        self._closeChannel()

    def sendLogout(self, command: Logout2) -> None:
        assert self._current is not None
        command = replace(
            command,
            ids=tuple(self._current.eventFilter.shown),
            ack=self._acknowledgement.number,
        )
        self._requests.ask(command).addErrback(
            lambda failure: self._log.info(
                "Logout failed (account {number}): {reason}; the session lapses.",
                number=self._account.number,
                reason=failure.getErrorMessage(),
            )
        )

    def endSignOn(self, reason: WebQQError | None) -> None:
        if self._keeper is not None:
            self._keeper.forget()
        self._interruptEvents()
        self._application.logEnd(reason)
        self._endSignOn(reason)

    def suspendSignOn(self) -> None:
        self._interruptEvents()
        self._suspended = self._keep()
        self._application.logSuspended()
        self._endSignOn(None)

    def _interruptEvents(self) -> None:
        if self._current is not None:
            self._current.eventQueue.flush()
        self._acknowledgement.interrupt()
        self._closeChannel()

    def _endSignOn(self, reason: WebQQError | None) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.gaps.stop()
            self._seen.close()
            current.transport.close()
            self._application.close(current.protocol, reason)
        ended, self._whenEnded = self._whenEnded, []
        for waiting in ended:
            waiting.callback(None)
        # After SessionExpired the machine signs on again.
        if not isinstance(reason, SessionExpired):
            self._application.signedOff(reason)

    def _closeChannel(self) -> None:
        self._poll = None
        channel, self._channel = self._channel, None
        if channel is not None:
            # This cancels the channel's requests; signOff waits for their end.
            channel.disownServiceParent()
