"""
Messages of a durable queue, and their recipients, by permanent numbers.
"""

from __future__ import annotations

from typing import Annotated

from txwebqq.model.contacts import Number
from txwebqq.model.content import Font, Segment
from txwebqq.model.discussions import Did
from txwebqq.values import SECRET, Value


class ToFriend(Value, gc=False):
    """
    A friend.

    @ivar number: the permanent number, not the uin.
    """

    number: Number


class ToGroup(Value, gc=False):
    """
    A group.

    @ivar number: the permanent number, neither the gid nor the code.
    """

    number: Number


class ToDiscussion(Value, gc=False):
    """
    A discussion, whose id is permanent.
    """

    did: Did


class ToStranger(Value, gc=False):
    """
    A member of a group or discussion of the account who need not be a friend, in a
    temporary chat.

    @ivar number: the permanent number, not the uin.
    @ivar place: the group or discussion.
    """

    number: Number
    place: ToGroup | ToDiscussion


Recipient = ToFriend | ToGroup | ToDiscussion | ToStranger
"""The recipient of a queued message."""


class PictureBytes(Value):
    """
    A picture in a queued message. The queue keeps the bytes, and uploads them in the
    session in which the message is sent: references of uploaded pictures are those of
    one session.

    @ivar data: the file. It is empty in the outcome of a message whose outcome was told
        before, since the bytes are deleted then.
    @ivar name: the file name, which recipients may see.
    """

    data: Annotated[bytes, SECRET]
    name: str = ""


QueuedContent = tuple[Segment | PictureBytes, ...]
"""The content of a queued message."""


class QueuedMessage(Value):
    """
    A message that was put into a queue.

    @ivar content: the whole message; of a message that was sent in part, the rest.
    @ivar time: the time at which it was put there, in Unix seconds.
    @ivar key: the application's own name for the message, C{""} for none.
    """

    to: Recipient
    content: QueuedContent
    time: float
    key: str = ""
    font: Font = Font()


class QueuePolicy(Value):
    """
    The limits of a queue, and its pace.

    @ivar conversation: the number of messages that may wait for one recipient.
    @ivar total: the number of messages that may wait in all.
    @ivar patience: the seconds after which a message that could not be sent is given
        up.
    @ivar burst: the number of messages that are sent at once.
    @ivar seconds: the time between two messages after that.
    @ivar pictures: the bytes of pictures that may wait in all.
    """

    conversation: int = 1000
    total: int = 10_000
    patience: float = 24 * 3600.0
    burst: int = 20
    seconds: float = 0.25
    pictures: int = 64 * 1024 * 1024
