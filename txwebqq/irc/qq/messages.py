"""
What one QQ account is told, by numbers that stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isawaitable

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.errors import WebQQError
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Content,
    CustomFace,
    DiscussionMessage,
    Font,
    GroupMessage,
    GroupPicture,
    Message,
    OfflinePicture,
    Segment,
    StrangerMessage,
)
from txwebqq.protocol import WebQQProtocol

PICTURES = GroupPicture | CustomFace | OfflinePicture

Words = Message | StrangerMessage | GroupMessage | DiscussionMessage
"""All that somebody says."""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """
    Somebody's words.

    @ivar target: where to answer.
    @ivar author: the QQ number, or 0 when the server would not tell it.
    @ivar time: Unix seconds.
    @ivar mark: tells it from all other letters of the place, also when the
        server brings it a second time.
    @ivar pictures: what each picture of the content shows, C{b""} for one that
        could not be fetched.
    """

    target: Target
    author: int
    content: Content
    font: Font
    time: int
    mark: str = ""
    pictures: tuple[bytes, ...] = field(default=(), repr=False)


def messageKey(message: Words) -> str:
    """
    What tells a message from all others of its place, in this session and in
    later ones.
    """
    return f"{message.time}.{message.messageId}.{message.messageId2}"


class MessageProtocol(WebQQProtocol):
    """
    Asks for the number of each author, and hands letters on in the order in
    which they came, however long that takes.

    @param received: called with each letter; the next waits for what it
        returns.
    """

    def __init__(self, received: Callable[[IncomingMessage], object]) -> None:
        self._received = received
        self._order = DeferredLock()

    def messageReceived(self, message: Message) -> object:
        return self._receive(TargetKind.PERSON, 0, message)

    def strangerMessageReceived(self, message: StrangerMessage) -> object:
        return self._receive(TargetKind.PERSON, 0, message)

    def groupMessageReceived(self, message: GroupMessage) -> object:
        return self._receive(TargetKind.GROUP, message.number, message)

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        return self._receive(TargetKind.DISCUSSION, message.discussion, message)

    def _receive(
        self,
        kind: TargetKind,
        number: int,
        message: Words,
    ) -> Deferred[None]:
        async def deliver() -> None:
            author = await self._authorOf(message)
            target = Target(kind, author if kind is TargetKind.PERSON else number)
            pictures = [
                await self._pictureOf(message, segment)
                for segment in message.content
                if isinstance(segment, PICTURES)
            ]
            content, font, time = message.content, message.font, message.time
            letter = IncomingMessage(
                target,
                author,
                content,
                font,
                time,
                messageKey(message),
                tuple(pictures),
            )
            taken = self._received(letter)
            if isawaitable(taken):
                await taken

        return self._order.run(lambda: Deferred.fromCoroutine(deliver()))

    async def _pictureOf(self, message: Words, segment: Segment) -> bytes:
        if isinstance(message, StrangerMessage):
            return b""
        try:
            picture = await self.fetchPicture(message, segment)
        except (WebQQError, ValueError):
            return b""
        return bytes(picture)

    async def _authorOf(self, message: Words) -> int:
        if isinstance(message, StrangerMessage):
            return message.number
        try:
            return await self.fetchNumber(message.sender)
        except WebQQError:
            # Words of nobody known are better than words lost.
            return 0
