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


class Message(Value, HasContent, gc=False):
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


class GroupMessage(Value, HasContent, gc=False):
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


class DiscussionMessage(Value, HasContent, gc=False):
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


class StrangerMessage(Value, HasContent, gc=False):
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
