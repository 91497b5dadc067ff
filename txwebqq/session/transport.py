"""
The transport of one sign-on: performs the requests of its protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from txwebqq.client import WebQQClient, accepted
from txwebqq.interfaces import IEventHold, IWebQQTransport
from txwebqq.model import Status
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.basetransport import BaseTransport, Phase
from txwebqq.session.inflight import InFlightRequests
from txwebqq.session.interfaces import SignOnState
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import ChangeStatus2
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import UploadCommand

P = ParamSpec("P")
R = TypeVar("R")

SendingObserver = Callable[
    [Command[Any]], Callable[[Deferred[Any]], Deferred[Any]] | None
]
"""A function that is told of commands before they are sent."""


@implementer(IWebQQTransport)
class SignOnTransport(BaseTransport):
    """
    Sends requests with the ticket of the session, holds them during a rejoin,
    and fails them with L{NotSignedOn} before C{signedOn} and after the end.

    @param friendListHash: see L{IWebQQTransport.friendListHash}.
    @param acknowledgement: the account's acknowledgement of replies.
    @param handled: returns the event that is being handled.

    @ivar sending: called with each command before it is sent; it may return a
        function that adds callbacks to the Deferred of the request.
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
        handled: Callable[[], object],
        clock: IReactorTime,
    ) -> None:
        super().__init__(messageIds, signOff, clock)
        self._requests = requests
        self._client = client
        self._state = state
        self._friendListHash = friendListHash
        self._acknowledgement = acknowledgement
        self._handled = handled
        self.sending: SendingObserver | None = None

    # Called by the protocol.

    def holdEvents(self) -> Callable[[], None]:
        return self._acknowledgement.hold()

    def holdEvent(self) -> IEventHold:
        return self._acknowledgement.holdEvent(self._handled())

    @property
    def status(self) -> Status:
        return self._state.status

    def call(
        self,
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        if self.phase is not Phase.OPEN:
            return self.hold().addCallback(lambda _: self.call(make, *args, **kwargs))
        command = make(self._state.ticket, *args, **kwargs)
        follow = None if self.sending is None else self.sending(command)
        asked: Deferred[R] = self._requests.ask(command).addCallback(accepted)
        return asked if follow is None else follow(asked)

    def send(
        self, make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        if self.phase is not Phase.OPEN:
            held = self.hold().addCallback(lambda _: self.send(make, source))
            return held.addErrback(source.closeAfter)
        sent = self._requests.send(make(self._state.ticket), source)
        return sent.addCallback(accepted)

    def fetch(
        self, make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        if self.phase is not Phase.OPEN:
            return self.hold().addCallback(lambda _: self.fetch(make, sink, limit))
        fetched = self._requests.fetch(make(self._state.ticket), sink, limit)
        return fetched.addCallback(accepted)

    def cookie(self, name: str) -> str:
        return self._client.cookie(name)

    def friendListHash(self, ticket: Ticket) -> str:
        return self._friendListHash(ticket)

    def listHash(self, ticket: Ticket) -> str:
        return self.friendListHash(ticket)

    def setStatus(self, status: Status) -> Deferred[None]:
        def changed(result: None) -> None:
            self._state.status = status

        return self.call(ChangeStatus2, status).addCallback(changed)

    def appear(self, status: Status) -> Deferred[None]:
        return self.setStatus(status)
