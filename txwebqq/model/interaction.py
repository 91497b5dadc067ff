"""
Events about messages that were sent before, and signals in groups: recalls, mutes,
pokes, reactions, files, changed names, texts and cards, and messages that the account
has sent by another client.

All of them are extensions of ours (docs/protocol.md 5.17), which today's QQ has too.
"""

from __future__ import annotations

from txwebqq.model.contacts import Number, Uin
from txwebqq.model.content import Content, Face, Font, HasContent, Text
from txwebqq.model.groups import Code, Gid
from txwebqq.values import Secret, Value

FOREVER = 2**31 - 1
"""The C{seconds} of a mute of all members, which ends only when it is lifted."""


class MessageRecalled(Value):
    """
    The recall of a message, by its sender or by an administrator of the group.

    @ivar group: with C{code} and C{number}, 0 for a message of a friend.
    @ivar sender: the account that had sent the message.
    @ivar operator: the account that has recalled it.
    @ivar id: the id of the message (L{txwebqq.model.Received.id}).
    @ivar time: Unix seconds.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    operator: Uin
    id: int
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class MemberMuted(Value):
    """
    The mute of a member of a group, or its end.

    @ivar member: the member, 0 for all members but the owner and administrators.
    @ivar operator: the administrator who has muted the member, 0 for none.
    @ivar seconds: the length of the mute, 0 for its end; a mute of all members ends
        only by another notice.
    """

    group: Gid
    code: Code
    number: Number
    member: Uin
    operator: Uin
    seconds: int
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class MemberPoked(Value):
    """
    A poke, which one member of a group has sent to another for all to see.

    @ivar target: the member who is poked.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    target: Uin
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class Reaction(Value):
    """
    A reaction of a member of a group to a message in it.

    @ivar id: the id of the message (L{txwebqq.model.Received.id}).
    @ivar face: an emoticon of QQ, or a Unicode emoji as a text.
    @ivar isSet: C{False} when the member has taken the reaction back.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    id: int
    face: Face | Text
    isSet: bool = True
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class GroupFile(Value):
    """
    A file that a member has shared in a group.

    @ivar key: the key to download the file with, a secret.
    @ivar ip: with C{port}, the address to download the file from, C{""} where the key
        is enough.
    @ivar expires: when the server deletes the file, Unix seconds, 0 where it does
        not say.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    name: str
    size: int
    key: Secret
    ip: str = ""
    port: int = 0
    expires: int = 0
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class GroupEdited(Value):
    """
    A change of a group's name, texts or rule for joining.

    @ivar operator: the administrator who has made the change, 0 for the operator of
        the server.
    @ivar name: L{None}, like the other details, when it was not changed.
    @ivar memo: the announcement.
    @ivar option: the rule for joining (L{txwebqq.model.GroupDetails}).
    @ivar time: Unix seconds.
    """

    group: Gid
    code: Code
    number: Number
    operator: Uin
    name: str | None = None
    memo: str | None = None
    description: str | None = None
    option: int | None = None
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class CardChanged(Value):
    """
    A change of the card of a member: of the name in the group.

    @ivar operator: the member, or the administrator who has changed the card, 0 for
        the operator of the server.
    @ivar card: the new card, C{""} for none.
    @ivar time: Unix seconds.
    """

    group: Gid
    code: Code
    number: Number
    member: Uin
    operator: Uin
    card: str
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class JoinRequestAnswered(Value):
    """
    The answer of an administrator to a request to join a group, for all its
    administrators.

    @ivar applicant: the account that has asked.
    @ivar operator: the administrator who has answered.
    @ivar time: Unix seconds.
    """

    group: Gid
    code: Code
    number: Number
    applicant: Uin
    operator: Uin
    isAccepted: bool
    time: int = 0
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class MessageSent(Value, HasContent):
    """
    A message that the account has sent by another client.

    @ivar group: with C{code} and C{number}, 0 for a message to a friend.
    @ivar to: the friend, 0 for a message to a group.
    @ivar id: the id of the message in its conversation, as of
        L{txwebqq.model.Sent}.
    @ivar time: Unix seconds.
    """

    group: Gid
    code: Code
    number: Number
    to: Uin
    content: Content
    id: int
    time: int = 0
    font: Font = Font()
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0
