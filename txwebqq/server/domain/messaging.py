"""
Messages between accounts: who may send to whom, and their limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from txwebqq.model import Code, Content, Event, Font, Gid, Number, Shake, Typing, Uin
from txwebqq.server.domain.pictures import PictureRules, PictureSignature
from txwebqq.server.domain.refusals import NO_SUCH_ID, TOO_LONG
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.queued import (
    MessageIds,
    QueuedEvent,
    QueuedFriendMessage,
    QueuedGroupMessage,
    tidyContent,
    tidyFont,
)
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.content import MAX_TEXT, sizeOf

TYPING_LIFE = 10.0
"""Time after which a typing signal is dropped, in seconds."""

SHAKE_LIFE = 60.0
"""Time after which a shake signal is dropped, in seconds."""


@dataclass(frozen=True, slots=True)
class QueuedTyping:
    """
    The signal that an account is typing.
    """

    mark: MessageIds

    @property
    def conversation(self) -> tuple[str, int]:
        """
        The ordering key.
        """
        return "typing", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        Return the signal with the ids of a session.
        """
        return Typing(
            sessionIds.uin(self.mark.sender),
            sessionIds.own,
            self.mark.messageId,
            self.mark.messageId2,
        )


@dataclass(frozen=True, slots=True)
class QueuedShake:
    """
    The signal that an account shakes a window.
    """

    mark: MessageIds

    @property
    def conversation(self) -> tuple[str, int]:
        """
        The ordering key.
        """
        return "shake", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        Return the signal with the ids of a session.
        """
        return Shake(
            sessionIds.uin(self.mark.sender),
            sessionIds.own,
            self.mark.messageId,
            self.mark.messageId2,
        )


def sendMessage(
    state: ServerState,
    kind: Callable[..., QueuedEvent],
    sender: Number,
    recipients: Iterable[Number],
    content: Content,
    font: Font,
    numberedIn: Number | None = None,
    **details: Any,
) -> Refusal | None:
    """
    Send a message of any kind, after its rules have been checked.

    @param recipients: the accounts that get it; the sender is left out.
    @param numberedIn: the group or discussion whose sequence numbers it, L{None}
        for a kind of message without sequence numbers.
    @param details: the other members of the kind.

    @return: L{None} when the message is accepted.
    @raise MalformedReply: when the content cannot be written as JSON.
    """
    content = tidyContent(content)
    if sizeOf(content) > MAX_TEXT:
        return Refusal(TOO_LONG, "the message is too long")
    ids = state.messageIds.next(sender)
    if numberedIn is not None:
        details["sequence"] = state.messageIds.nextSequence(numberedIn)
    event = kind(ids, content, tidyFont(font), **details)
    state.router.route(event, [n for n in recipients if n != sender])
    return None


class MessageRules:
    """
    The rules of messages and signals to friends and groups.
    """

    def __init__(self, state: ServerState, pictures: PictureRules) -> None:
        self._state = state
        self._friends = state.store.friends
        self._groups = state.store.groups
        self._pictures = pictures

    def sendToFriend(
        self, session: Session, uin: Uin, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send a message to a friend.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be written as JSON.
        """
        friend = session.sessionIds.person(uin)
        if friend is None or not self._friends.areFriends(session.number, friend):
            return Refusal(NO_SUCH_ID, "to is nobody's uin in your friend list")
        prepared = self._pictures.forFriend(session, friend, content)
        if isinstance(prepared, Refusal):
            return prepared
        return sendMessage(
            self._state, QueuedFriendMessage, session.number, (friend,), prepared, font
        )

    def sendToGroup(
        self,
        session: Session,
        gid: Gid,
        code: Code,
        content: Content,
        font: Font,
        signature: PictureSignature,
    ) -> Refusal | None:
        """
        Send a message to the other members of a group.

        @param code: the code of the group, which messages with pictures may
            give besides; 0 when it is not given.
        @param signature: the signature of the pictures.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be written as JSON.
        """
        group = session.sessionIds.groupOfGid(gid)
        if group is None or not self._groups.isMember(group, session.number):
            return Refusal(NO_SUCH_ID, "group_uin is no gid of your groups")
        prepared = self._pictures.forGroup(session, group, code, content, signature)
        if isinstance(prepared, Refusal):
            return prepared
        return sendMessage(
            self._state,
            QueuedGroupMessage,
            session.number,
            self._groups.recipients(group),
            prepared,
            font,
            numberedIn=group,
            group=group,
        )

    def sendTransient(
        self, session: Session, uin: Uin, kind: type[QueuedTyping | QueuedShake]
    ) -> Refusal | None:
        """
        Send a signal, which is not stored, to a friend.

        @return: L{None} when the signal is accepted, also when the friend is
            offline: a hidden friend must not be revealed.
        """
        friend = session.sessionIds.person(uin)
        if friend is None or not self._friends.areFriends(session.number, friend):
            return Refusal(NO_SUCH_ID, "to_uin is nobody's uin in your friend list")
        ids = self._state.messageIds.next(session.number)
        life = TYPING_LIFE if kind is QueuedTyping else SHAKE_LIFE
        self._state.router.sendTransient(kind(ids), friend, life)
        return None
