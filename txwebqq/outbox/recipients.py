"""
The ids of recipients in one session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults

from txwebqq.errors import RequestRefused, UnknownRecipient
from txwebqq.model import (
    Code,
    Did,
    Failed,
    Font,
    Gid,
    Number,
    Recipient,
    ToDiscussion,
    ToFriend,
    ToGroup,
    ToStranger,
    Uin,
)
from txwebqq.outbox.detection import SentDetection
from txwebqq.outbox.storedform import writeRecipient
from txwebqq.protocol import WebQQProtocol
from txwebqq.requests.messages import Conversation, MakeSend
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.messages import SendBuddyMsg2, SendQunMsg2
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    IN_GROUP,
    SendSessMsg2,
)

MAX_REQUESTS = 8
"""Maximum number of requests for numbers at once."""

Id = TypeVar("Id", Uin, Code)


class Recipients:
    """
    Finds recipients by their numbers. It belongs to one protocol, and so to one
    session: the next one gives the same uins and gids to others.

    @ivar detection: asks the server for messages whose answer is lost.
    """

    def __init__(self, protocol: WebQQProtocol) -> None:
        self.protocol = protocol
        self._people: dict[Uin, Number] = {}
        self._groups: dict[Code, Number] = {}
        self.detection = SentDetection(protocol)

    async def find(
        self, to: Recipient, font: Font, sendId: str
    ) -> tuple[Conversation, MakeSend]:
        """
        Find the conversation with a recipient, and the command that sends to it.

        @param sendId: the id by which the server recognises the message, C{""} for
            none.

        @raise UnknownRecipient: when the account has no such friend or group, or the
            group or discussion no such member.
        @raise WebQQError: when a request for a number has failed.
        """
        protocol = self.protocol
        match to:
            case ToFriend(number):
                uin = await self._find(
                    number, self._people, protocol.buddies, protocol.fetchNumber
                )
                if uin is None:
                    raise UnknownRecipient(f"{number} is no friend")
                return ("buddy", uin), toFriend(uin, font, sendId)
            case ToGroup(number):
                gid, code = await self._findGroup(number)
                return ("group", gid), toGroup(gid, code, font, sendId)
            case ToDiscussion(did):
                return ("discussion", did), toDiscussion(did, font, sendId)
            case ToStranger(number, place):
                try:
                    return await self._findStranger(number, place, font, sendId)
                except RequestRefused as e:
                    if Failed(e).isTemporary:
                        raise
                    text = f"{number} cannot be reached by {writeRecipient(place)}: {e}"
                    raise UnknownRecipient(text) from e

    async def _findGroup(self, number: Number) -> tuple[Gid, Code]:
        protocol = self.protocol
        gids = {group.code: gid for gid, group in protocol.groups.items()}
        code = await self._find(number, self._groups, gids, protocol.fetchGroupNumber)
        if code is None:
            raise UnknownRecipient(f"{number} is no group of the account")
        return gids[code], code

    async def _findStranger(
        self, number: Number, place: ToGroup | ToDiscussion, font: Font, sendId: str
    ) -> tuple[Conversation, MakeSend]:
        protocol = self.protocol
        shared: Gid | Did
        if isinstance(place, ToGroup):
            shared, code = await self._findGroup(place.number)
            service = IN_GROUP
            group = await protocol.fetchGroup(code)
            uins = [member.uin for member in group.members]
        else:
            shared, service = place.did, IN_DISCUSSION
            discussion = await protocol.fetchDiscussion(place.did)
            uins = [each.uin for each in discussion.members]
        uin = await self._find(number, self._people, uins, protocol.fetchNumber)
        if uin is None:
            raise UnknownRecipient(f"{number} is no member of {writeRecipient(place)}")
        signature = await protocol.fetchTemporaryChatSignature(uin, shared, service)
        return ("stranger", uin), _toStranger(uin, signature, service, font, sendId)

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


def toFriend(uin: Uin, font: Font, sendId: str) -> MakeSend:
    """
    Make the commands that send to a friend, with an id of the message.
    """
    return lambda ticket, part, n: SendBuddyMsg2(
        ticket, uin, part, n, font, sendId=sendId
    )


def toGroup(gid: Gid, code: Code, font: Font, sendId: str) -> MakeSend:
    """
    Make the commands that send to a group, with an id of the message.
    """
    return lambda ticket, part, n: SendQunMsg2(
        ticket, gid, part, n, font, code, sendId=sendId
    )


def toDiscussion(did: Did, font: Font, sendId: str) -> MakeSend:
    """
    Make the commands that send to a discussion, with an id of the message.
    """
    return lambda ticket, part, n: SendDiscuMsg2(
        ticket, did, part, n, font, sendId=sendId
    )


def _toStranger(
    uin: Uin, signature: str, service: int, font: Font, sendId: str
) -> MakeSend:
    return lambda ticket, part, n: SendSessMsg2(
        ticket, uin, signature, service, part, n, font, sendId=sendId
    )
