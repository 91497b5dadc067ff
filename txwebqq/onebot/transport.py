"""
The transport of one sign-on with today's QQ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from txwebqq.interfaces import IEventHold, IWebQQTransport
from txwebqq.model import Status
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.onebot.actions.actions import Actions
from txwebqq.onebot.actions.calls import Memory
from txwebqq.session.basetransport import BaseTransport, Phase
from txwebqq.session.incoming.holds import EventHold
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import ChangeStatus2
from txwebqq.wire.form import Ticket
from txwebqq.wire.multipart import UploadCommand

P = ParamSpec("P")
R = TypeVar("R")

_NO_TICKET = Ticket()


@implementer(IWebQQTransport)
class OneBotTransport(BaseTransport):
    """
    Carries out requests by calls of OneBot 11, and fails them with L{NotSignedOn}
    before C{signedOn} and after the end.

    @param memory: keeps the presence status from one sign-on to the next.
    """

    def __init__(
        self,
        actions: Actions,
        messageIds: Iterator[int],
        signOff: Callable[[], Deferred[None]],
        memory: Memory,
        clock: IReactorTime,
    ) -> None:
        super().__init__(messageIds, signOff, clock)
        self._actions = actions
        self._memory = memory

    @property
    def status(self) -> Status:
        return self._memory.status

    def call(
        self,
        make: Callable[Concatenate[Ticket, P], Command[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[R]:
        if self.phase is not Phase.OPEN:
            return self.hold().addCallback(lambda _: self.call(make, *args, **kwargs))
        return self._actions.perform(make(_NO_TICKET, *args, **kwargs))

    def send(
        self, make: Callable[[Ticket], UploadCommand[R]], source: FileUpload
    ) -> Deferred[R]:
        if self.phase is not Phase.OPEN:
            held = self.hold()
            return held.addErrback(source.closeAfter).addCallback(
                lambda _: self.send(make, source)
            )
        return self._actions.send(make(_NO_TICKET), source)

    def fetch(
        self, make: Callable[[Ticket], Command[bytes]], sink: Sink, limit: int
    ) -> Deferred[int]:
        if self.phase is not Phase.OPEN:
            return self.hold().addCallback(lambda _: self.fetch(make, sink, limit))
        return self._actions.fetch(make(_NO_TICKET), sink, limit)

    def cookie(self, name: str) -> str:
        return ""

    def friendListHash(self, ticket: Ticket) -> str:
        return ""

    def listHash(self, ticket: Ticket) -> str:
        return ""

    def setStatus(self, status: Status) -> Deferred[None]:
        def changed(result: None) -> None:
            self._memory.status = status

        return self.call(ChangeStatus2, status).addCallback(changed)

    def appear(self, status: Status) -> Deferred[None]:
        return self.setStatus(status)

    def holdEvents(self) -> Callable[[], None]:
        # OneBot 11 gives no event a second time.
        return lambda: None

    def holdEvent(self) -> IEventHold:
        return EventHold()
