"""
Answers about what a member keeps of a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import Did, Gid
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.http.exchange import Exchange, Handler, forSession
from txwebqq.server.sessions.sessions import Session, Sessions
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    OwnCard,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)


class GroupMemberAPI:
    """
    The questions about cards, names and masks.
    """

    def __init__(
        self,
        sessions: Sessions,
        groupRules: GroupRules,
        discussionRules: DiscussionRules,
    ) -> None:
        self._sessions = sessions
        self._groupRules = groupRules
        self._discussionRules = discussionRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._sessions
        return {
            GetSelfBusinessCard2: forSession(sessions, self.getSelfBusinessCard2),
            UpdateGroupBusinessCard2: forSession(
                sessions, self.updateGroupBusinessCard2
            ),
            UpdateGroupInfo2: forSession(sessions, self.updateGroupInfo2),
            MessageFilter: forSession(sessions, self.messageFilter),
        }

    def getSelfBusinessCard2(
        self, command: GetSelfBusinessCard2, session: Session, exchange: Exchange
    ) -> OwnCard | Refusal:
        """
        One's own card.
        """
        card = self._groupRules.card(session, command.code)
        if isinstance(card, Refusal):
            return card
        return OwnCard(command.code, session.sessionIds.uin(session.number), card)

    def updateGroupBusinessCard2(
        self, command: UpdateGroupBusinessCard2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Another card for oneself.
        """
        return self._groupRules.setCard(
            session,
            command.code,
            command.name,
            command.phone,
            command.email,
            command.remark,
            command.gender,
        )

    def updateGroupInfo2(
        self, command: UpdateGroupInfo2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Another name for a group, for oneself alone.
        """
        return self._groupRules.setMarkname(session, command.code, command.markname)

    def messageFilter(
        self, command: MessageFilter, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Which messages one wants to receive.
        """
        masks: dict[Gid, int] = dict(command.groups)
        dids: dict[Did, int] = dict(command.discussions)
        return self._discussionRules.setMasks(
            session, dids
        ) or self._groupRules.setMasks(session, masks, command.globalMask)
