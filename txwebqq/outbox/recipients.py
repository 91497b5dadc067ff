"""
The ids of recipients in one session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults

from txwebqq.errors import RequestRefused, UnknownRecipient, Unreachable
from txwebqq.model import (
    Code,
    Content,
    Font,
    Gid,
    Number,
    Recipient,
    Sent,
    ToDiscussion,
    ToFriend,
    ToGroup,
    Uin,
)
from txwebqq.protocol import WebQQProtocol
from txwebqq.requests.messages import Conversation, MakeSend
from txwebqq.wire.command import Command
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.messages import GetSent2, SendBuddyMsg2, SendQunMsg2
from txwebqq.wire.form import Ticket

MAX_REQUESTS = 8
"""Maximum number of requests for numbers at once."""

Id = TypeVar("Id", Uin, Code)


class Recipients:
    """
    Finds recipients by their numbers. It belongs to one protocol, and so to one
    session: the next one gives the same uins and gids to others.
    """

    def __init__(self, protocol: WebQQProtocol) -> None:
        self.protocol = protocol
        self._friends: dict[Uin, Number] = {}
        self._groups: dict[Code, Number] = {}
        self._detects: bool | None = None

    async def detects(self) -> bool:
        """
        Tell whether the server recognises messages that are sent again. It is asked
        once.

        @raise WebQQError: when there is no answer.
        """
        if self._detects is None:
            try:
                await self.sent("")
                self._detects = True
            except RequestRefused:
                self._detects = False
        return self._detects

    async def sent(self, sendId: str) -> Sent | None:
        """
        Ask the server whether it has accepted a message.

        @raise RequestRefused: when it does not know such questions.
        @raise WebQQError: when there is no answer.
        """
        try:
            return await self.protocol.transport.call(GetSent2, sendId)
        except Unreachable as e:
            if e.status == 404:
                raise RequestRefused(404, str(e)) from e
            raise

    async def find(
        self, to: Recipient, font: Font, sendId: str
    ) -> tuple[Conversation, MakeSend]:
        """
        Find the conversation with a recipient, and the command that sends to it.

        @param sendId: the id by which the server recognises the message, C{""} for
            none.

        @raise UnknownRecipient: when the account has no such friend or group.
        @raise WebQQError: when a request for a number has failed.
        """
        protocol = self.protocol
        match to:
            case ToFriend(number):
                uin = await self._find(
                    number, self._friends, protocol.buddies, protocol.fetchNumber
                )
                if uin is None:
                    raise UnknownRecipient(f"{number} is no friend")
                return ("buddy", uin), _toFriend(uin, font, sendId)
            case ToGroup(number):
                gids = {group.code: gid for gid, group in protocol.groups.items()}
                code = await self._find(
                    number, self._groups, gids, protocol.fetchGroupNumber
                )
                if code is None:
                    raise UnknownRecipient(f"{number} is no group of the account")
                return ("group", gids[code]), _toGroup(gids[code], code, font, sendId)
            case ToDiscussion(did):

                def make(ticket: Ticket, part: Content, n: int) -> Command[Sent]:
                    return SendDiscuMsg2(ticket, did, part, n, font, sendId=sendId)

                return ("discussion", did), make

    async def _find(
        self,
        number: Number,
        known: dict[Id, Number],
        ids: Iterable[Id],
        fetch: Callable[[Id], Deferred[Number]],
    ) -> Id | None:
        present = list(ids)
        unknown = [each for each in present if each not in known]
        while True:
            for each in present:
                if known.get(each) == number:
                    return each
            if not unknown:
                return None
            batch, unknown = unknown[:MAX_REQUESTS], unknown[MAX_REQUESTS:]
            fetched = gatherResults(
                [self._fetch(each, known, fetch) for each in batch], consumeErrors=True
            )
            try:
                await fetched
            except FirstError as e:
                e.subFailure.raiseException()

    def _fetch(
        self,
        each: Id,
        known: dict[Id, Number],
        fetch: Callable[[Id], Deferred[Number]],
    ) -> Deferred[None]:
        def fetched(number: Number) -> None:
            known[each] = number

        def failed(failure: Any) -> None:
            # Removed since then.
            failure.trap(RequestRefused)
            known[each] = Number(0)

        return fetch(each).addCallbacks(fetched, failed)


def _toFriend(uin: Uin, font: Font, sendId: str) -> MakeSend:
    return lambda ticket, part, n: SendBuddyMsg2(
        ticket, uin, part, n, font, sendId=sendId
    )


def _toGroup(gid: Gid, code: Code, font: Font, sendId: str) -> MakeSend:
    return lambda ticket, part, n: SendQunMsg2(
        ticket, gid, part, n, font, code, sendId=sendId
    )
