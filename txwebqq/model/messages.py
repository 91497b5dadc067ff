"""
Messages that polls bring, one class for each kind of conversation.

A message that was read from JSON is part of no reference cycle, so the garbage
collector need not look at it (C{gc=False}).
"""

from __future__ import annotations

from txwebqq.model.contacts import Number, Uin
from txwebqq.model.content import Content, Font, HasContent
from txwebqq.model.discussions import Did
from txwebqq.model.groups import Code, Gid
from txwebqq.values import Value


class Sent(Value):
    """
    The server's answer to a message that it has accepted.

    @ivar messageId: the C{id} that the recipients and the history see, 0 where the
        server does not say.
    @ivar time: the server's time, Unix seconds, 0 where it does not say.
    @ivar earlier: the ids of the parts before the last one, of a message that was
        sent in parts.
    """

    messageId: int = 0
    time: int = 0
    earlier: tuple[int, ...] = ()


class Received(HasContent):
    """
    Base of all messages that an account receives.
    """

    __slots__ = ()

    messageId2: int

    @property
    def id(self) -> int:
        """
        The id of the message in its conversation, which its sender learns from
        L{Sent}, and the history from L{PastMessage}: C{messageId2}.
        """
        return self.messageId2


class Message(Value, Received, gc=False):
    """
    A message from a friend (protocol.md 5.1).

    @ivar time: Unix seconds.
    @ivar messageId: C{msg_id}, which the sender counts up with each message.
    @ivar messageId2: C{msg_id2}; both ids of a message that comes twice are the same.
    @ivar kind: C{msg_type}.
    """

    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    font: Font = Font()
    kind: int = 9


class GroupMessage(Value, Received, gc=False):
    """
    A message in a group (protocol.md 5.2).

    @ivar number: the group's permanent number, C{info_seq} on the wire.
    @ivar sequence: the running number of messages in the group.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    sequence: int = 0
    font: Font = Font()
    kind: int = 43


class DiscussionMessage(Value, Received, gc=False):
    """
    A message in a discussion (protocol.md 5.3).

    @ivar sequence: the running number of messages in the discussion.
    @ivar version: C{info_seq}, which changes whenever the members change.
    """

    discussion: Did
    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    sequence: int = 0
    version: int = 0
    font: Font = Font()
    kind: int = 42


class StrangerMessage(Value, Received, gc=False):
    """
    A message of a temporary chat: from a member of a common group or discussion who
    is no friend (protocol.md 5.4).

    @ivar place: the gid of the common group, or the did of the common discussion.
    @ivar service: 0 for a group, 1 for a discussion.
    @ivar number: the sender's permanent number.
    """

    sender: Uin
    recipient: Number
    place: int
    service: int
    number: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    font: Font = Font()
    kind: int = 140


class MessagesMissed(Value):
    """
    Messages of a group or discussion that the server has numbered, and that this
    account was not given. It is made by the client (L{WebQQProtocol.messagesMissed
    <txwebqq.protocol.WebQQProtocol.messagesMissed>}).

    @ivar count: the number of the messages.
    @ivar after: the running number of the last message before the first of them,
        C{before} that of the next one after the last of them; 0 where they are not
        known.
    @ivar group: with C{code} and C{number}, 0 for a discussion.
    @ivar discussion: 0 for a group.
    """

    count: int
    after: int = 0
    before: int = 0
    group: Gid = Gid(0)
    code: Code = Code(0)
    number: Number = Number(0)
    discussion: Did = Did(0)
