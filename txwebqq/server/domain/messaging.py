"""
Messages between accounts: who may send to whom, and their limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from txwebqq.model import Code, Content, Font, Gid, Number, Reply, Sent, Text, Uin
from txwebqq.server.domain.interaction.mentions import (
    mentionsForFriend,
    mentionsForGroup,
)
from txwebqq.server.domain.interaction.mutes import groupToSendTo
from txwebqq.server.domain.pictures import PictureRules, PictureSignature
from txwebqq.server.domain.refusals import (
    BLOCKED,
    MALFORMED,
    NO_SUCH_ID,
    TOO_FAST,
    TOO_LONG,
    TOO_MANY_WAIT,
)
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import (
    FRIEND_MESSAGE,
    GROUP_MESSAGE,
    GROUP_SHARE,
    TEMPORARY_MESSAGE,
)
from txwebqq.server.events.queued import EventKind
from txwebqq.server.events.sanitize import sanitizeContent, sanitizeFont
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.store import Attitude
from txwebqq.wire.command import Refusal
from txwebqq.wire.content import MAX_TEXT, sizeOf

_NO_TEXT = Text("")


def sendMessage(
    state: ServerState,
    kind: EventKind,
    sender: Number,
    recipients: Iterable[Number],
    content: Content,
    font: Font,
    numberedIn: Number | None = None,
    **details: Any,
) -> Sent | Refusal:
    """
    Send a message of any kind, after its rules have been checked.

    @param recipients: the accounts that get it; the sender is left out.
    @param numberedIn: the group or discussion whose sequence numbers it, L{None}
        for a kind of message without sequence numbers.
    @param details: the other members of the kind.

    @return: the id and the time when the message is accepted.
    @raise MalformedReply: when the content cannot be written as JSON.
    """
    content = sanitizeContent(content)
    if all(type(each) is Reply or each == _NO_TEXT for each in content):
        return Refusal(MALFORMED, "the message is empty")
    if sizeOf(content) > MAX_TEXT:
        return Refusal(TOO_LONG, "the message is too long")
    recipients = [number for number in recipients if number != sender]
    target = numberedIn or next(iter(recipients), sender)
    if not state.sendingLimiter.takeMessage(sender, target):
        return TOO_FAST
    ids = state.messageIds.next(sender)
    if numberedIn is not None:
        details["sequence"] = state.messageIds.nextSequence(numberedIn)
    event = kind.new(ids, content, sanitizeFont(font), **details)
    state.router.route(event, recipients)
    return Sent(ids.messageId2, ids.time)


def refusalOf(
    state: ServerState, sender: Number, recipient: Number, kind: EventKind
) -> Refusal | None:
    """
    Check whether an account accepts messages and signals from another one.

    @return: L{None} if it does.
    """
    attitude = state.store.attitude(recipient, sender)
    if attitude is Attitude.BLOCKED:
        return BLOCKED
    if attitude is not Attitude.FRIEND and kind is not TEMPORARY_MESSAGE:
        return Refusal(NO_SUCH_ID, "you are not in the friend list of the account")
    if attitude is Attitude.REFUSED_STRANGER:
        return BLOCKED
    limits = state.sendingLimiter.limits
    session = state.sessions.existing(recipient)
    if limits is None or (session is not None and not session.mailbox.more):
        return None
    conversation = kind.conversation, sender
    count, size = state.store.messages.usage(recipient, conversation)
    isFull = count >= limits.waiting or size >= limits.waitingSize
    return TOO_MANY_WAIT if isFull else None


class MessageRules:
    """
    The rules of messages and signals to friends and groups.
    """

    def __init__(self, state: ServerState, pictures: PictureRules) -> None:
        self._state = state
        self._groups = state.store.groups
        self._pictures = pictures

    def sendToFriend(
        self, session: Session, uin: Uin, content: Content, font: Font
    ) -> Sent | Refusal:
        """
        Send a message to a friend.

        @return: the id and the time when the message is accepted.
        @raise MalformedReply: when the content cannot be written as JSON.
        """
        friend = session.sessionIds.person(uin)
        if friend is None:
            return Refusal(NO_SUCH_ID, "to is not the uin of a friend")
        refusal = refusalOf(self._state, session.number, friend, FRIEND_MESSAGE)
        if refusal is not None:
            return refusal
        content = mentionsForFriend(content)
        prepared = self._pictures.forFriend(session, friend, content)
        if isinstance(prepared, Refusal):
            return prepared
        return sendMessage(
            self._state, FRIEND_MESSAGE, session.number, (friend,), prepared, font
        )

    def sendToGroup(
        self,
        session: Session,
        gid: Gid,
        code: Code,
        content: Content,
        font: Font,
        signature: PictureSignature,
    ) -> Sent | Refusal:
        """
        Send a message to the other members of a group.

        @param code: the code of the group, which messages with pictures may
            give besides; 0 when it is not given.
        @param signature: the signature of the pictures.

        @return: the id and the time when the message is accepted.
        @raise MalformedReply: when the content cannot be written as JSON.
        """
        group = groupToSendTo(self._state, session, gid)
        if isinstance(group, Refusal):
            return group
        content = mentionsForGroup(self._state, group, session.number, content)
        prepared = self._pictures.forGroup(session, group, code, content, signature)
        if isinstance(prepared, Refusal):
            return prepared
        return sendMessage(
            self._state,
            GROUP_MESSAGE,
            session.number,
            self._groups.recipients(group),
            prepared,
            font,
            numberedIn=group,
            group=group,
        )

    def share(self, session: Session, gid: Gid, markup: str) -> Refusal | None:
        """
        Send XML markup to the other members of a group.

        @return: L{None} when it is accepted.
        """
        group = groupToSendTo(self._state, session, gid)
        if isinstance(group, Refusal):
            return group
        if len(markup.encode()) > MAX_TEXT:
            return Refusal(TOO_LONG, f"xml has more than {MAX_TEXT} bytes")
        if not self._state.sendingLimiter.takeMessage(session.number, group):
            return TOO_FAST
        ids = self._state.messageIds.next(session.number)
        event = GROUP_SHARE.new(
            group=group,
            sender=session.number,
            markup=markup,
            messageId=ids.messageId,
            messageId2=ids.messageId2,
        )
        recipients = self._groups.recipients(group)
        self._state.router.route(event, [n for n in recipients if n != session.number])
        return None

    def sendTransient(
        self, session: Session, uin: Uin, kind: EventKind
    ) -> Refusal | None:
        """
        Send a signal, which is not stored, to a friend.

        @return: L{None} when the signal is accepted, also when the friend is
            offline: a hidden friend must not be revealed.
        """
        friend = session.sessionIds.person(uin)
        if friend is None:
            return Refusal(NO_SUCH_ID, "to_uin is not the uin of a friend")
        refusal = refusalOf(self._state, session.number, friend, kind)
        if refusal is not None:
            return refusal
        if not self._state.sendingLimiter.takeSignal(session.number, friend):
            return TOO_FAST
        ids = self._state.messageIds.next(session.number)
        self._state.router.sendTransient(kind.new(ids), [friend])
        return None
