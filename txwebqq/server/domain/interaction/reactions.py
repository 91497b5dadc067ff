"""
Rules of pokes and of reactions to messages in groups (protocol.md 2.9).
"""

from __future__ import annotations

from unicodedata import category

from txwebqq.model import Face, Gid, Number, Text, Uin
from txwebqq.server.domain.groups import NOT_IN_IT
from txwebqq.server.domain.interaction.mutes import groupToSendTo
from txwebqq.server.domain.refusals import MALFORMED, TOO_FAST
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.interactionkinds import (
    GROUP_POKE,
    GROUP_REACTION,
    newNotice,
)
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.events.interaction import writeFace

_NOT_EMOJI = frozenset(("Cc", "Cs", "Zl", "Zp", "Zs"))
"""The categories of characters that are in no emoji: controls, halves of surrogate
pairs, and spaces."""


class ReactionRules:
    """
    The rules of pokes and reactions.

    Each reaction is passed on to the members, who may get one a second time, and is
    remembered. Nothing checks that there is such a message.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._groups = state.store.groups
        self._reactions = state.store.reactions

    def poke(self, session: Session, gid: Gid, member: Uin) -> Refusal | None:
        """
        Poke a member of a group, for all members to see that are online.

        @return: L{None} when the signal is accepted.
        """
        group = groupToSendTo(self._state, session, gid)
        if isinstance(group, Refusal):
            return group
        target = session.sessionIds.person(member)
        if target is None or not self._groups.isMember(group, target):
            return NOT_IN_IT
        if not self._state.sendingLimiter.takeSignal(session.number, group):
            return TOO_FAST
        ids = self._state.messageIds.next(session.number)
        event = GROUP_POKE.new(ids, group=group, target=target)
        recipients = self._recipients(group, session.number)
        self._state.router.sendTransient(event, recipients)
        return None

    def react(
        self, session: Session, gid: Gid, messageId: int, face: Face | Text, isSet: bool
    ) -> Refusal | None:
        """
        React to a message in a group, or take a reaction back.

        @return: L{None} when the reaction is accepted.
        """
        group = groupToSendTo(self._state, session, gid)
        if isinstance(group, Refusal):
            return group
        if messageId < 0:
            return Refusal(MALFORMED, "msg_id2 is below 0")
        emoji = face.text if isinstance(face, Text) else ""
        if not _NOT_EMOJI.isdisjoint(map(category, emoji)):
            return Refusal(MALFORMED, "face is neither an emoticon nor an emoji")
        if not self._state.sendingLimiter.takeMessage(session.number, group):
            return TOO_FAST
        ids = self._state.messageIds.next(session.number)
        name = str(writeFace(face))
        if isSet:
            self._reactions.add(group, messageId, name, session.number, ids.time)
        else:
            self._reactions.remove(group, messageId, name, session.number)
        event = newNotice(
            GROUP_REACTION,
            ids,
            group=group,
            sender=session.number,
            message=messageId,
            isSet=isSet,
            face=face.id if isinstance(face, Face) else 0,
            emoji=emoji,
        )
        self._state.router.route(event, self._recipients(group, session.number))
        return None

    def _recipients(self, group: Number, sender: Number) -> list[Number]:
        return [n for n in self._groups.recipients(group) if n != sender]
