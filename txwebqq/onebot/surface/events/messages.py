"""
Events of messages: received ones, those of the history, and our own.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    Content,
    DiscussionMessage,
    GroupMessage,
    GroupWebMessage,
    Message,
    MessageSent,
    PastMessage,
    Sent,
    StrangerMessage,
    Uin,
)
from txwebqq.onebot.surface.account import MESSAGE_SENT, SurfaceAccount
from txwebqq.onebot.surface.directory import Directory, GroupInfo, MemberInfo
from txwebqq.onebot.surface.segments import messageOf, pictureName, segmentsOf
from txwebqq.onebot.surface.store import Conversation, StoredMessage


class MessageEvents:
    """
    Makes the events of the messages of one sign-on.
    """

    def __init__(self, account: SurfaceAccount, directory: Directory) -> None:
        self._account = account
        self._directory = directory
        self._store = account.messages
        self._own: int = account.number

    def private(self, message: Message, number: int) -> StoredMessage:
        """
        Make the event of a message from a friend.
        """
        self._keepPictures(message)
        conversation = "private", number
        event = self._private(
            self._idOf(conversation, number, message),
            message.time,
            number,
            number,
            self._segments(conversation, None, message.content),
        )
        return StoredMessage(conversation, event, wireIds=_known(message.id))

    def stranger(
        self,
        message: StrangerMessage,
        number: int,
        place: int,
        group: GroupInfo | None,
    ) -> StoredMessage:
        """
        Make the event of a message of a temporary chat.

        @param place: the number of the common group, 0 if it is not known.
        """
        member = group.members.get(number) if group else None
        conversation = "private", number
        event = self._private(
            self._idOf(conversation, number, message),
            message.time,
            number,
            number,
            self._segments(conversation, None, message.content),
        )
        event["sub_type"] = "group"
        event["group_id"] = event["temp_source"] = place
        event["sender"] |= {
            "nickname": member.nick if member else "",
            "group_id": place,
        }
        return StoredMessage(conversation, event, wireIds=_known(message.id))

    def group(
        self,
        message: GroupMessage | DiscussionMessage,
        number: int,
        author: int,
        group: GroupInfo | None,
    ) -> StoredMessage:
        """
        Make the event of a message in a group or discussion.
        """
        self._keepPictures(message)
        conversation = "group", number
        event = self._group(
            self._idOf(conversation, author, message),
            message.time,
            number,
            author,
            group,
            self._segments(conversation, group, message.content),
        )
        event["real_seq"] = str(message.sequence)
        return StoredMessage(conversation, event, message.sequence, _known(message.id))

    def shared(
        self,
        share: GroupWebMessage,
        number: int,
        author: int,
        group: GroupInfo | None,
    ) -> StoredMessage:
        """
        Make the event of a share in a group.
        """
        segments = [{"type": "xml", "data": {"data": share.markup}}]
        identity = self._store.idOf("share", number, share.messageId, share.messageId2)
        now = int(self._account.clock.seconds())
        event = self._group(identity, now, number, author, group, segments)
        return StoredMessage(("group", number), event)

    def past(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        author: int,
        message: PastMessage,
    ) -> StoredMessage:
        """
        Make the event of a message of the history.
        """
        (kind, number), content = conversation, message.content
        identity = None
        if author == self._own and not message.id:
            identity = self._store.sentId(conversation, content, message.time)
        if identity is None:
            identity = self._idOf(conversation, author, message)
        segments = self._segments(conversation, group, content)
        if kind == "group":
            event = self._group(identity, message.time, number, author, group, segments)
            event["real_seq"] = str(message.sequence)
        else:
            event = self._private(identity, message.time, author, number, segments)
        return StoredMessage(conversation, event, message.sequence, _known(message.id))

    def sent(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        content: Content,
        sent: Sent,
    ) -> StoredMessage:
        """
        Make the event of a message that was just sent.

        @param sent: the server's answer.
        """
        time = sent.time or int(self._account.clock.seconds())
        ids = _known(*sent.earlier, sent.messageId)
        if _known(sent.messageId):
            identity = self._store.fromWireId(conversation, sent.messageId)
        else:
            identity = self._store.ownId(conversation, content, time)
        return self._ownMessage(conversation, group, content, identity, time, ids)

    def sentElsewhere(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        message: MessageSent,
    ) -> StoredMessage:
        """
        Make the event of a message that another client of the account has sent.
        """
        identity = self._idOf(conversation, self._own, message)
        return self._ownMessage(
            conversation,
            group,
            message.content,
            identity,
            message.time,
            _known(message.id),
        )

    def _ownMessage(
        self,
        conversation: Conversation,
        group: GroupInfo | None,
        content: Content,
        identity: int,
        time: int,
        wireIds: tuple[int, ...],
    ) -> StoredMessage:
        kind, peer = conversation
        segments = self._segments(conversation, group, content)
        if kind == "group":
            event = self._group(identity, time, peer, self._own, group, segments)
        else:
            event = self._private(identity, time, self._own, peer, segments)
        return StoredMessage(conversation, event, wireIds=wireIds)

    def _keepPictures(
        self, message: Message | GroupMessage | DiscussionMessage
    ) -> None:
        for segment in message.content:
            if name := pictureName(segment):
                self._account.pictures.keep(name, message, segment)

    def _segments(
        self, conversation: Conversation, group: GroupInfo | None, content: Content
    ) -> list[dict[str, Any]]:
        return segmentsOf(
            content,
            group.named if group else lambda name: 0,
            lambda wireId: self._store.fromWireId(conversation, wireId),
        )

    def _idOf(
        self,
        conversation: Conversation,
        author: int,
        message: Message
        | StrangerMessage
        | GroupMessage
        | DiscussionMessage
        | PastMessage
        | MessageSent,
    ) -> int:
        if _known(message.id):
            return self._store.fromWireId(conversation, message.id)
        return self._store.idOf(conversation, author, message.time, message.content)

    def _common(
        self, identity: int, time: int, author: int, segments: list[dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            "time": time,
            "self_id": self._own,
            "post_type": "message",
            "message_id": identity,
            "message_seq": identity,
            "real_id": identity,
            "user_id": author,
            "font": 0,
            **messageOf(segments),
        }

    def _private(
        self,
        identity: int,
        time: int,
        author: int,
        peer: int,
        segments: list[dict[str, Any]],
    ) -> dict[str, Any]:
        buddy = self._directory.friend(author)
        nick = buddy.nick if buddy else ""
        if author == self._own:
            nick = self._account.nick
        return {
            **self._common(identity, time, author, segments),
            "message_type": "private",
            "sub_type": "friend",
            "target_id": peer,
            "sender": {
                "user_id": author,
                "nickname": nick,
                "card": buddy.markname if buddy else "",
                "sex": "unknown",
                "age": 0,
            },
        }

    def _group(
        self,
        identity: int,
        time: int,
        number: int,
        author: int,
        group: GroupInfo | None,
        segments: list[dict[str, Any]],
    ) -> dict[str, Any]:
        member = group.members.get(author) if group else None
        if member is None:
            member = MemberInfo(author, Uin(0), "")
        return {
            **self._common(identity, time, author, segments),
            "message_type": "group",
            "sub_type": "normal",
            "anonymous": None,
            "group_id": number,
            "group_name": group.name if group else "",
            "sender": {
                "user_id": author,
                "nickname": member.nick,
                "card": member.card,
                "sex": member.gender,
                "age": 0,
                "area": member.area,
                "level": "",
                "role": member.role,
                "title": "",
            },
        }


def _known(*ids: int) -> tuple[int, ...]:
    # Servers that give no ids say 0, or always 1. Some programs of today's QQ have
    # negative ones.
    return tuple(each for each in ids if each not in (0, 1))


def asOwn(message: StoredMessage) -> dict[str, Any]:
    """
    Return the event that tells of a message of our own.
    """
    return {
        **message.event,
        "post_type": MESSAGE_SENT,
        "message_sent_type": "self",
        "target_id": message.conversation[1],
    }
