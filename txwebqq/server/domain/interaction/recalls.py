"""
Rules of recalls: messages that are deleted for everybody (protocol.md 2.9).
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.model import Gid, Number, Uin
from txwebqq.server.domain.groups import isAdmin
from txwebqq.server.domain.history import FoundMessage, conversationOf
from txwebqq.server.domain.refusals import NO_SUCH_ID, NOT_IN_GROUP, TOO_FAST
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.interactionkinds import (
    FRIEND_RECALL,
    GROUP_RECALL,
    newNotice,
)
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.conversations.history import GROUP, Conversation
from txwebqq.wire.command import Refusal

RECALL_WITHIN = 120
"""Time within which an account can recall its own message, in seconds; as QQ has it."""

_NO_HISTORY = Refusal(
    NO_SUCH_ID, "this server keeps no history, so messages cannot be recalled"
)
_NO_MESSAGE = Refusal(
    NO_SUCH_ID, "msg_id2 is not the id of a message in the history, or no longer"
)
_NOT_SENDER = Refusal(NO_SUCH_ID, "only its sender can recall that message")
_NOT_ADMIN = Refusal(
    NO_SUCH_ID, "only its sender, the owner and administrators can recall that message"
)
_TOO_LATE = Refusal(
    NO_SUCH_ID, f"the message is older than {RECALL_WITHIN // 60} minutes"
)


class RecallRules:
    """
    The rules of recalls.

    A message is found by its history. Accounts that have not been given it yet are
    not given it any more, and the others are notified.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._recorder = state.recorder
        self._groups = state.store.groups

    def recallFromFriend(
        self, session: Session, uin: Uin, messageId: int
    ) -> Refusal | None:
        """
        Recall a message that the account has sent to another one.

        @return: L{None} when it is recalled.
        """
        number = session.sessionIds.person(uin)
        if number is None or number == session.number:
            return Refusal(NO_SUCH_ID, "to is not the uin of another account")
        conversation = conversationOf(session.number, number)
        found = self._find(session, number, conversation, messageId)
        if isinstance(found, Refusal):
            return found
        if found.event.ids.sender != session.number:
            return _NOT_SENDER
        if self._isOld(found):
            return _TOO_LATE
        ids = self._state.messageIds.next(session.number)
        event = newNotice(
            FRIEND_RECALL,
            ids,
            sender=session.number,
            message=messageId,
        )
        self._recall(found, event, [number])
        return None

    def recallFromGroup(
        self, session: Session, gid: Gid, messageId: int
    ) -> Refusal | None:
        """
        Recall a message in a group: the account's own, or any in a group that it
        administers.

        @return: L{None} when it is recalled.
        """
        number = session.sessionIds.groupOfGid(gid)
        group = None if number is None else self._groups.get(number)
        if group is None or not self._groups.isMember(group.number, session.number):
            return NOT_IN_GROUP
        conversation = (GROUP, group.number, 0)
        found = self._find(session, group.number, conversation, messageId)
        if isinstance(found, Refusal):
            return found
        sender = found.event.ids.sender
        if not isAdmin(self._groups, group, session.number):
            if sender != session.number:
                return _NOT_ADMIN
            if self._isOld(found):
                return _TOO_LATE
        ids = self._state.messageIds.next(session.number)
        event = newNotice(
            GROUP_RECALL,
            ids,
            group=group.number,
            sender=sender,
            operator=session.number,
            message=messageId,
        )
        members = self._groups.recipients(group.number)
        self._recall(found, event, (n for n in members if n != session.number))
        self._state.store.reactions.removeAll(group.number, messageId)
        return None

    def _find(
        self,
        session: Session,
        target: Number,
        conversation: Conversation,
        messageId: int,
    ) -> FoundMessage | Refusal:
        if self._recorder.keep <= 0:
            return _NO_HISTORY
        # A search takes longer than a message.
        if not self._state.sendingLimiter.takeMessage(session.number, target):
            return TOO_FAST
        return self._recorder.find(conversation, messageId) or _NO_MESSAGE

    def _isOld(self, found: FoundMessage) -> bool:
        return self._state.now() - found.event.ids.time > RECALL_WITHIN

    def _recall(
        self, found: FoundMessage, event: QueuedEvent, numbers: Iterable[Number]
    ) -> None:
        stored = found.stored
        withdrawn = set(self._state.router.withdraw(stored.eventSerial, stored.body))
        self._recorder.delete(found)
        self._state.router.route(event, [n for n in numbers if n not in withdrawn])
