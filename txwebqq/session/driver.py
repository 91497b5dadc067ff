"""
What the sign-on machine decides, done.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from automat import NoTransition
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from txwebqq.client import WebQQClient, accepted
from txwebqq.errors import (
    LoginRefused,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
    WebQQError,
)
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol, IWebQQTransport
from txwebqq.model import (
    Account,
    Buddy,
    Category,
    Did,
    Discussion,
    Event,
    FriendList,
    Gid,
    Group,
    Profile,
    Status,
    Uin,
)
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.roster import Roster
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.callbacks import CallbackQueue, GuardedProtocol
from txwebqq.session.eventqueue import EventQueue
from txwebqq.session.interfaces import Era, SignOnInputs, SignOnState
from txwebqq.session.machine import makeSignOn
from txwebqq.session.polling import EventFilter, HeartbeatService, PollService
from txwebqq.session.rostersync import RosterSyncService
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetGroupNameListMask2,
    GetUserFriends2,
)
from txwebqq.wire.commands.filetransfers import LOCAL_IDS
from txwebqq.wire.commands.messages import ChangeStatus2, GetOnlineBuddies2
from txwebqq.wire.commands.signon import Logout2
from txwebqq.wire.digests import FRIEND_HASHES
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import UploadCommand

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def _closing(failure: Failure, source: FileUpload) -> Failure:
    source.close()
    return failure


WRONG_HASH = 50
"""The refusal of a friend list whose hash is wrong (protocol.md 6)."""

GRACE = 1.5
"""The seconds that calls of an application have to end when we stop."""


@implementer(IWebQQTransport)
class SignOnTransport:
    """
    The way of one protocol to the server.
    """

    def __init__(self, driver: SignOnDriver) -> None:
        self._driver = driver
        self._closed = False
        self.sendLocks: dict[tuple[str, int], DeferredLock] = {}
        self.temporaryChatSignatures: dict[tuple[Uin, int, int], tuple[float, str]] = {}
        self._lastTransferId = 0

    @property
    def buddies(self) -> Mapping[Uin, Buddy]:
        return self._driver.roster.buddies

    @property
    def groups(self) -> Mapping[Gid, Group]:
        return self._driver.roster.groups

    @property
    def discussions(self) -> Mapping[Did, Discussion]:
        return self._driver.roster.discussions

    @property
    def roster(self) -> Roster:
        return self._driver.roster

    @property
    def categories(self) -> tuple[Category, ...]:
        return self._driver.roster.categories

    @property
    def status(self) -> Status:
        return self._driver.state.status

    def close(self) -> None:
        """
        The sign-on is over.
        """
        self._closed = True

    def call(
        self,
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        if self._closed:
            return fail(NotSignedOn("this sign-on is over"))
        return self._driver.call(make, *args, **kwargs)

    def send(
        self, make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        if self._closed:
            source.close()
            return fail(NotSignedOn("this sign-on is over"))
        return self._driver.send(make, source)

    def fetch(
        self, make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        if self._closed:
            return fail(NotSignedOn("this sign-on is over"))
        return self._driver.fetch(make, sink, limit)

    def seconds(self) -> float:
        return self._driver.seconds()

    def cookie(self, name: str) -> str:
        return self._driver.cookie(name)

    def friendListHash(self, ticket: Ticket) -> str:
        return self._driver.friendListHash(ticket)

    def listHash(self, ticket: Ticket) -> str:
        return self.friendListHash(ticket)

    def nextMessageId(self) -> int:
        return self._driver.nextMessageId()

    def nextTransferId(self) -> int:
        self._lastTransferId = (self._lastTransferId + 1) % LOCAL_IDS
        return self._lastTransferId

    def setStatus(self, status: Status) -> Deferred[None]:
        def changed(result: None) -> None:
            self._driver.state.status = status

        return self.call(ChangeStatus2, status).addCallback(changed)

    def appear(self, status: Status) -> Deferred[None]:
        return self.setStatus(status)

    def signOff(self) -> Deferred[None]:
        return succeed(None) if self._closed else self._driver.leave()


class SignOnDriver:
    """
    Does what the sign-on machine decides.
    """

    _log = Logger()

    def __init__(
        self,
        service: MultiService,
        account: Account,
        factory: IWebQQFactory,
        client: WebQQClient,
        clock: IReactorTime,
        era: Era,
        heartbeat: float,
        backoff: Callable[[int], float],
    ) -> None:
        self._service = service
        self._account = account
        self._factory = factory
        self._client = client
        self._clock = clock
        self._heartbeat = heartbeat
        self._backoff = backoff
        clientid = f"{random.randrange(10, 100)}{random.randrange(10**6):06d}"
        self.state = SignOnState(account, self, clientid, random.random, era)
        self.machine: SignOnInputs = makeSignOn(self.state)
        self.roster = Roster()
        self._eventFilter = EventFilter()
        self._acknowledgement = Acknowledgement()
        self._eventQueue = self._newEventQueue()
        self._queue = CallbackQueue()
        self._guarded: GuardedProtocol | None = None
        self._transport: SignOnTransport | None = None
        self._ticket: Ticket | None = None
        self._channel: MultiService | None = None
        self._poll: PollService | None = None
        self._rosterSync: RosterSyncService | None = None
        self._signedOn = False
        self._lastMessageId = 0
        # What the server took last, by the letter of its algorithm.
        self._hash = ""
        # What the machine waits for, and what is on the network.
        self._expected: set[Deferred[Any]] = set()
        self._delays: set[IDelayedCall] = set()
        self._inFlight: set[Deferred[Any]] = set()
        # Who waits for us.
        self._held: list[Deferred[None]] = []
        self._signedOnWaiters: list[Deferred[IWebQQProtocol]] = []
        self._signedOffWaiters: list[Deferred[None]] = []
        self._goneWaiters: list[Deferred[None]] = []
        self._draining: list[tuple[set[Deferred[Any]], Deferred[None]]] = []

    # What the machine asks for.

    def buildProtocol(self) -> bool:
        self._client.begin(self._account.number)
        if self._guarded is not None:
            return False
        self._guarded = GuardedProtocol(self._build(), self._account, self._queue)
        self._transport = SignOnTransport(self)
        self.roster = Roster()
        self._eventFilter = EventFilter()
        self._eventQueue = self._newEventQueue()
        self._log.info("Signing on {number}.", number=self._account.number)
        return True

    def connectProtocol(self) -> None:
        assert self._guarded is not None
        self._guarded.call(
            "makeConnection", self._account, self._transport, self._factory
        )

    def issue(
        self,
        command: Command[R],
        answered: Callable[[R | Refusal], None],
        after: float = 0.0,
    ) -> None:
        if after > 0:
            self._later(after, lambda: self._issue(command, answered))
        else:
            self._issue(command, answered)

    def ptwebqq(self) -> str:
        return self._client.cookie("ptwebqq")

    def askForCaptcha(self, image: bytes) -> None:
        assert self._guarded is not None
        protocol = self._guarded.protocol
        self._log.info("A captcha is to be read.")

        def unsolved(failure: Failure) -> None:
            # The application's own reason, and its own bug if it is one.
            self._log.warn(
                "The captcha was not read: {reason}.", reason=failure.getErrorMessage()
            )
            self.machine.captchaUnsolved(failure.getErrorMessage())

        def solved(text: object) -> None:
            if isinstance(text, str) and text.strip():
                self.machine.captchaSolved(text.strip())
            else:
                self.machine.captchaUnsolved("no text was read from the captcha")

        async def read() -> str:
            return await protocol.captchaRequired(image)

        self._expect(Deferred.fromCoroutine(read()), solved, unsolved)

    def loadRoster(self, ticket: Ticket) -> None:
        self._expect(
            Deferred.fromCoroutine(self._loadRoster(ticket)), self._rosterLoaded
        )

    def wait(self, attempt: int, atLeast: float, reason: str) -> None:
        delay = max(self._backoff(attempt), atLeast)
        self._log.warn(
            "{number} is not online: {reason}; next attempt in {delay:.1f} s.",
            number=self._account.number,
            reason=reason,
            delay=delay,
        )
        self._later(delay, self.machine.retry)

    def cancelPending(self) -> None:
        delays, self._delays = self._delays, set()
        for delay in delays:
            delay.cancel()
        expected, self._expected = self._expected, set()
        for deferred in expected:
            deferred.cancel()

    def openChannel(self, ticket: Ticket) -> None:
        assert self._guarded is not None
        self._ticket = ticket
        isNew = not self._signedOn
        if isNew:
            self._signedOn = True
            self._log.info("{number} is signed on.", number=self._account.number)
            self._guarded.call("signedOn")
            waiting, self._signedOnWaiters = self._signedOnWaiters, []
            for deferred in waiting:
                deferred.callback(self._guarded.protocol)
        else:
            self._log.info("{number} has rejoined.", number=self._account.number)
        self._poll = PollService(
            ticket,
            self._ask,
            self._ask,
            self.machine,
            self._eventFilter,
            self._acknowledgement,
            self._eventQueue.put,
            self._clock,
        )
        self._channel = MultiService()
        heartbeat = HeartbeatService(self._ask, self._heartbeat, self._clock)
        self._rosterSync = RosterSyncService(self.call, self.roster, self._clock, isNew)
        for child in (self._poll, heartbeat, self._rosterSync):
            child.setServiceParent(self._channel)  # type: ignore[no-untyped-call]
        self._channel.setServiceParent(self._service)
        held, self._held = self._held, []
        for call in held:
            call.callback(None)

    def replaceTicket(self, ticket: Ticket) -> None:
        assert self._poll is not None
        self._ticket = self._poll.ticket = ticket
        self._client.keepTicket(ticket.ptwebqq)

    def pauseChannel(self) -> None:
        self._log.info("{number} is rejoining.", number=self._account.number)
        self._closeChannel()

    def sendLogout(self, command: Logout2) -> None:
        farewell = replace(
            command,
            ids=tuple(self._eventFilter.shown),
            ack=self._acknowledgement.number,
        )
        self._ask(farewell).addErrback(
            lambda failure: self._log.info(
                "The server was not told that we leave: {reason}.",
                reason=failure.getErrorMessage(),
            )
        )

    def endSignOn(self, reason: WebQQError | None) -> None:
        self._eventQueue.flush()
        self._acknowledgement.interrupt()
        self._closeChannel()
        self._signedOn = False
        if reason is None:
            self._log.info("{number} has signed off.", number=self._account.number)
        else:
            self._log.error(
                "{number} is offline: {reason}.",
                number=self._account.number,
                reason=reason,
            )
        guarded, self._guarded = self._guarded, None
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        held, self._held = self._held, []
        for call in held:
            call.errback(NotSignedOn("the session was lost"))
        if guarded is not None:
            guarded.close(Failure(ConnectionDone() if reason is None else reason))
        gone, self._goneWaiters = self._goneWaiters, []
        for waiting in gone:
            waiting.callback(None)
        if not isinstance(reason, SessionExpired):
            self._end(reason)

    # What applications ask for.

    def call(
        self,
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        """
        Perform an exchange of an application; during a rejoin it is held.
        """
        ticket = self._ticket
        if ticket is None:
            return self._hold().addCallback(lambda _: self.call(make, *args, **kwargs))
        asked = self._client.ask(make(ticket, *args, **kwargs))
        return self._requestEnded(asked).addCallback(accepted)

    def send(
        self, make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        """
        Perform an upload of an application; during a rejoin it is held.
        """
        ticket = self._ticket
        if ticket is None:
            held = self._hold().addCallback(lambda _: self.send(make, source))
            return held.addErrback(_closing, source)
        sent = self._client.send(make(ticket), source)
        return self._requestEnded(sent).addCallback(accepted)

    def fetch(
        self, make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        """
        Perform a download of an application; during a rejoin it is held.
        """
        ticket = self._ticket
        if ticket is None:
            return self._hold().addCallback(lambda _: self.fetch(make, sink, limit))
        fetched = self._client.fetch(make(ticket), sink, limit)
        return self._requestEnded(fetched).addCallback(accepted)

    def _hold(self) -> Deferred[None]:
        """
        Wait for the end of the rejoin.

        @return: fires when the account is online again; fails with
            L{NotSignedOn} when it is not rejoining, or the rejoin fails.
        """
        if not self._signedOn:
            return fail(NotSignedOn("there is no session"))
        held: Deferred[None] = Deferred(self._held.remove)
        self._held.append(held)
        return held

    def seconds(self) -> float:
        return self._clock.seconds()

    def cookie(self, name: str) -> str:
        return self._client.cookie(name)

    def nextMessageId(self) -> int:
        """
        The next number of the scheme of the original page: four digits of the
        time, then a counter (protocol.md 4.10).
        """
        if self._lastMessageId == 0:
            self._lastMessageId = int(self._clock.seconds()) % 10_000 * 10_000
        self._lastMessageId += 1
        return self._lastMessageId

    def whenSignedOn(self) -> Deferred[IWebQQProtocol]:
        if self._signedOn and self._guarded is not None:
            return succeed(self._guarded.protocol)
        waiting: Deferred[IWebQQProtocol] = Deferred(self._signedOnWaiters.remove)
        self._signedOnWaiters.append(waiting)
        return waiting

    def whenSignedOff(self) -> Deferred[None]:
        waiting: Deferred[None] = Deferred(self._signedOffWaiters.remove)
        self._signedOffWaiters.append(waiting)
        return waiting

    def leave(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the server has been told, or could not be, and
            nothing of this session is in flight.
        """
        # Before the server is told, so that what waits is acknowledged.
        self._eventQueue.flush()
        self.machine.stop()
        if self._guarded is None:
            return self._drain()
        # A callback within an output of the machine asks for it, so it will
        # be done after that.
        gone: Deferred[None] = Deferred()
        self._goneWaiters.append(gone)
        return gone.addCallback(lambda _: self._drain())

    def _drain(self) -> Deferred[None]:
        """
        Wait until nothing of what is in flight now still is, and cut short
        what takes too long.
        """
        left = set(self._inFlight)
        if not left:
            return self._client.close()
        landed: Deferred[None] = Deferred()
        self._draining.append((left, landed))

        def late() -> None:
            for asked in list(left):
                asked.cancel()

        limit = self._clock.callLater(GRACE, late)

        def idle(result: None) -> Deferred[None]:
            if limit.active():
                limit.cancel()
            return self._client.close()

        return landed.addCallback(idle)

    # How it is done.

    def _build(self) -> IWebQQProtocol:
        try:
            protocol = self._factory.buildProtocol(self._account)
            if not IWebQQProtocol.providedBy(protocol):
                raise TypeError(f"buildProtocol made {type(protocol).__name__}")
        except Exception as e:
            self._log.failure(
                "No protocol was built for {number}.", number=self._account.number
            )
            raise LoginRefused("the factory built no protocol") from e
        return protocol

    def _issue(
        self, command: Command[R], answered: Callable[[R | Refusal], None]
    ) -> None:
        self._expect(self._ask(command), answered)

    def _ask(self, command: Command[R]) -> Deferred[R | Refusal]:
        return self._requestEnded(self._client.ask(command))

    def _requestEnded(self, asked: Deferred[T]) -> Deferred[T]:
        self._inFlight.add(asked)
        return asked.addBoth(self._landed, asked)

    def _fetch(self, command: Command[R]) -> Deferred[R]:
        return self._ask(command).addCallback(accepted)

    def _landed(self, result: T, asked: Deferred[Any]) -> T:
        self._inFlight.discard(asked)
        for draining in self._draining[:]:
            left, landed = draining
            left.discard(asked)
            if not left:
                self._draining.remove(draining)
                landed.callback(None)
        return result

    def _expect(
        self,
        coming: Deferred[T],
        arrived: Callable[[T], None],
        broke: Callable[[Failure], None] | None = None,
    ) -> None:
        """
        Tell the machine what comes, unless it is abandoned before.
        """
        self._expected.add(coming)
        isEarly = True

        def came(tell: Callable[[Any], None], result: Any) -> None:
            if isEarly:
                # The machine is still busy with asking, and has to be able to
                # abandon this.
                self._later(0, lambda: self._tell(coming, tell, result))
            else:
                self._tell(coming, tell, result)

        coming.addCallbacks(partial(came, arrived), partial(came, broke or self._broke))
        isEarly = False

    def _tell(
        self, coming: Deferred[Any], tell: Callable[[Any], None], result: Any
    ) -> None:
        # Our own cancel comes by here too.
        if coming not in self._expected:
            return
        self._expected.discard(coming)
        try:
            tell(result)
        except Exception:
            self._stumbled(Failure())

    def _broke(self, failure: Failure) -> None:
        failure.trap(WebQQError)
        self.machine.failed(failure.getErrorMessage())

    def _stumbled(self, failure: Failure) -> None:
        self._log.failure("Signing on stumbled.", failure=failure)
        with suppress(NoTransition):
            self.machine.failed("of an internal error")

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        def due() -> None:
            self._delays.discard(delay)
            do()

        delay = self._clock.callLater(seconds, due)
        self._delays.add(delay)

    async def _loadRoster(self, ticket: Ticket) -> Roster:
        friends, digest = await self._friends(ticket)
        groups = await self._fetch(GetGroupNameListMask2(ticket, digest))
        present = await self._fetch(GetOnlineBuddies2(ticket))
        return Roster(friends, groups, present)

    def friendListHash(self, ticket: Ticket) -> str:
        """
        The hash that the server took, for a ticket; C{""} if it wants none.
        """
        if not self._hash:
            return ""
        return FRIEND_HASHES[self._hash](self._account.number, ticket.ptwebqq)

    async def _friends(self, ticket: Ticket) -> tuple[FriendList, str]:
        """
        The friend list, and the hash that the server took.
        """
        if self.state.era is Era.E1:
            return await self._fetch(GetUserFriends2(ticket)), ""
        for name in sorted(FRIEND_HASHES, key=lambda name: name != self._hash):
            digest = FRIEND_HASHES[name](self._account.number, ticket.ptwebqq)
            reply = await self._ask(GetUserFriends2(ticket, digest))
            if not (isinstance(reply, Refusal) and reply.retcode == WRONG_HASH):
                self._hash = name
                return accepted(reply), digest
        raise RequestRefused(WRONG_HASH, "the server takes none of the hashes")

    def _rosterLoaded(self, roster: Roster) -> None:
        self.roster = roster
        self.machine.rosterLoaded()

    def _newEventQueue(self) -> EventQueue:
        return EventQueue(lambda: self.roster, self._lookUp, self._deliver, self._clock)

    def _lookUp(self, uin: Uin) -> Deferred[Profile]:
        return self.call(GetFriendInfo2, uin)

    def _deliver(self, event: Event) -> None:
        self._acknowledgement.handedOver(event)
        self.roster.apply(event)
        if self._rosterSync is not None:
            self._rosterSync.fetchMissing()
        if self._guarded is not None:
            self._guarded.call("eventReceived", event)

    def _closeChannel(self) -> None:
        self._ticket = None
        self._poll = None
        self._rosterSync = None
        channel, self._channel = self._channel, None
        if channel is not None:
            # What it has in flight is cancelled, and waited for by drain.
            channel.disownServiceParent()

    def _end(self, reason: WebQQError | None) -> None:
        """
        Tell who waits that nothing more happens without a person.
        """
        untilOn, self._signedOnWaiters = self._signedOnWaiters, []
        for waiting in untilOn:
            waiting.errback(reason or NotSignedOn("somebody signed off"))
        untilOff, self._signedOffWaiters = self._signedOffWaiters, []
        for end in untilOff:
            if reason is None:
                end.callback(None)
            else:
                end.errback(reason)
