"""
The transport of one sign-on: performs the requests of its protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from itertools import count
from typing import Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from txwebqq.client import WebQQClient, accepted
from txwebqq.errors import NotSignedOn
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Buddy, Category, Did, Discussion, Gid, Group, Status, Uin
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.roster import Roster
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import SignOnState
from txwebqq.wire.command import Command
from txwebqq.wire.commands.filetransfers import LOCAL_IDS
from txwebqq.wire.commands.messages import ChangeStatus2
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import UploadCommand

P = ParamSpec("P")
R = TypeVar("R")


def messageIds(clock: IReactorTime) -> Iterator[int]:
    """
    Generate message ids as the original page did: four digits of the time of
    the first message, then a counter (protocol.md 4.10).
    """
    yield from count(int(clock.seconds()) % 10_000 * 10_000 + 1)


class _Phase(Enum):
    """
    The life of a transport, which ends with its sign-on.

    @cvar CONNECTING: before C{signedOn}.
    @cvar OPEN: requests are sent.
    @cvar REJOINING: requests are held.
    @cvar CLOSED: the sign-on is over.
    """

    CONNECTING = auto()
    OPEN = auto()
    REJOINING = auto()
    CLOSED = auto()


@implementer(IWebQQTransport)
class SignOnTransport:
    """
    Sends requests with the ticket of the session, holds them during a rejoin,
    and fails them with L{NotSignedOn} before C{signedOn} and after the end.

    @param messageIds: the ids of the account's messages, which go on from one
        sign-on to the next.
    @param friendListHash: see L{IWebQQTransport.friendListHash}.
    @param signOff: signs the account off.
    @param acknowledgement: the account's acknowledgement of replies.
    """

    def __init__(
        self,
        requests: InFlightRequests,
        client: WebQQClient,
        state: SignOnState,
        messageIds: Iterator[int],
        friendListHash: Callable[[Ticket], str],
        signOff: Callable[[], Deferred[None]],
        acknowledgement: Acknowledgement,
        clock: IReactorTime,
    ) -> None:
        self._requests = requests
        self._client = client
        self._state = state
        self._messageIds = messageIds
        self._friendListHash = friendListHash
        self._signOff = signOff
        self._acknowledgement = acknowledgement
        self._clock = clock
        self._phase = _Phase.CONNECTING
        self._held: list[Deferred[None]] = []
        self._lastTransferId = 0
        self.roster = Roster()
        self.sendLocks: dict[tuple[str, int], DeferredLock] = {}
        self.temporaryChatSignatures: dict[tuple[Uin, int, int], tuple[float, str]] = {}

    # Called by the driver.

    @property
    def isSignedOn(self) -> bool:
        """
        Whether there is a session, open or rejoining.
        """
        return self._phase in (_Phase.OPEN, _Phase.REJOINING)

    def open(self) -> None:
        """
        Send requests from now on, those that are held first.
        """
        self._phase = _Phase.OPEN
        held, self._held = self._held, []
        for request in held:
            request.callback(None)

    def pause(self) -> None:
        """
        Hold requests from now on, until L{open} or L{close}.
        """
        self._phase = _Phase.REJOINING

    def close(self) -> None:
        """
        Fail all requests from now on, and those that are held.
        """
        self._phase = _Phase.CLOSED
        held, self._held = self._held, []
        for request in held:
            request.errback(NotSignedOn("the session was lost during a rejoin"))

    # Called by the protocol.

    def holdEvents(self) -> Callable[[], None]:
        return self._acknowledgement.hold()

    @property
    def buddies(self) -> Mapping[Uin, Buddy]:
        return self.roster.buddies

    @property
    def groups(self) -> Mapping[Gid, Group]:
        return self.roster.groups

    @property
    def discussions(self) -> Mapping[Did, Discussion]:
        return self.roster.discussions

    @property
    def categories(self) -> tuple[Category, ...]:
        return self.roster.categories

    @property
    def status(self) -> Status:
        return self._state.status

    def call(
        self,
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        if self._phase is not _Phase.OPEN:
            return self._hold().addCallback(lambda _: self.call(make, *args, **kwargs))
        command = make(self._state.ticket, *args, **kwargs)
        return self._requests.ask(command).addCallback(accepted)

    def send(
        self, make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        if self._phase is not _Phase.OPEN:
            held = self._hold().addCallback(lambda _: self.send(make, source))
            return held.addErrback(source.closeAfter)
        sent = self._requests.send(make(self._state.ticket), source)
        return sent.addCallback(accepted)

    def fetch(
        self, make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        if self._phase is not _Phase.OPEN:
            return self._hold().addCallback(lambda _: self.fetch(make, sink, limit))
        fetched = self._requests.fetch(make(self._state.ticket), sink, limit)
        return fetched.addCallback(accepted)

    def _hold(self) -> Deferred[None]:
        """
        Wait for the end of the rejoin.

        @return: fires when the session is open again; fails with
            L{NotSignedOn} when there is no session to wait for.
        """
        if self._phase is not _Phase.REJOINING:
            return fail(NotSignedOn("there is no session, or this one is over"))
        held: Deferred[None] = Deferred(self._held.remove)
        self._held.append(held)
        return held

    def seconds(self) -> float:
        return self._clock.seconds()

    def cookie(self, name: str) -> str:
        return self._client.cookie(name)

    def friendListHash(self, ticket: Ticket) -> str:
        return self._friendListHash(ticket)

    def listHash(self, ticket: Ticket) -> str:
        return self.friendListHash(ticket)

    def nextMessageId(self) -> int:
        return next(self._messageIds)

    def nextTransferId(self) -> int:
        self._lastTransferId = (self._lastTransferId + 1) % LOCAL_IDS
        return self._lastTransferId

    def setStatus(self, status: Status) -> Deferred[None]:
        def changed(result: None) -> None:
            self._state.status = status

        return self.call(ChangeStatus2, status).addCallback(changed)

    def appear(self, status: Status) -> Deferred[None]:
        return self.setStatus(status)

    def signOff(self) -> Deferred[None]:
        # A protocol whose sign-on is over must not end the one after it.
        return succeed(None) if self._phase is _Phase.CLOSED else self._signOff()
