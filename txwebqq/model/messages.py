"""
Messages as a poll brings them, one class for each kind of conversation.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.model.contacts import Number, Uin
from txwebqq.model.content import Content, Font, HasContent
from txwebqq.model.discussions import Did
from txwebqq.model.groups import Code, Gid


@dataclass(frozen=True, slots=True)
class Message(HasContent):
    """
    A friend's words (protocol.md 5.1).

    @ivar time: Unix seconds.
    @ivar messageId: C{msg_id}, one more with each message of the sender.
    @ivar messageId2: C{msg_id2}; a message that comes twice has both alike.
    """

    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    font: Font = Font()
    kind: int = 9


@dataclass(frozen=True, slots=True)
class GroupMessage(HasContent):
    """
    Words in a group (protocol.md 5.2).

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


@dataclass(frozen=True, slots=True)
class DiscussionMessage(HasContent):
    """
    Words in a discussion (protocol.md 5.3).

    @ivar sequence: the running number of messages in the discussion.
    @ivar version: C{info_seq}, another one whenever the members change.
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


@dataclass(frozen=True, slots=True)
class StrangerMessage(HasContent):
    """
    Words of a fellow member who is no friend (protocol.md 5.4).

    @ivar place: the gid of the group or the did of the discussion we share.
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
