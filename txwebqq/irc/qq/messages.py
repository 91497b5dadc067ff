"""
Incoming QQ messages, addressed by permanent numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.irc.targets import Target
from txwebqq.model import (
    Content,
    CustomFace,
    DiscussionMessage,
    Font,
    GroupFile,
    GroupMessage,
    GroupPicture,
    Message,
    MessageSent,
    OfflineFile,
    OfflinePicture,
    StrangerMessage,
)

PICTURES = GroupPicture | CustomFace | OfflinePicture

AnyMessage = Message | StrangerMessage | GroupMessage | DiscussionMessage
"""The messages that an account can receive."""

AnyFile = GroupFile | OfflineFile
"""The files that an account can be told of, and fetches with a key."""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """
    A received message.

    @ivar target: the conversation, to which a reply is sent.
    @ivar author: the sender's number; 0 when it could not be fetched.
    @ivar time: Unix time in seconds.
    @ivar key: identifies the message within its conversation, also when the
        server delivers it a second time.
    @ivar id: the id of the message in its conversation, by which recalls, replies
        and reactions name it (L{Received.id <txwebqq.model.Received.id>}).
    @ivar sequence: the running number within the group or discussion, the same
        for all members; 0 where the server has none.
    @ivar pictures: the image data of each picture of the content; C{b""} for a
        picture that could not be fetched.
    """

    target: Target
    author: int
    content: Content
    font: Font
    time: int
    key: str = ""
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    sequence: int = 0
    id: int = 0


def messageKey(message: AnyMessage | MessageSent) -> str:
    """
    Return the L{IncomingMessage.key} of a message, the same in each session.
    """
    return f"{message.time}.{message.messageId}.{message.messageId2}"
