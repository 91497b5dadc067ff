"""
Handlers of members' settings in groups: business cards, private names and
message masks (protocol.md 2.5.3).
"""

from __future__ import annotations

from txwebqq.model import Did, Gid
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.groupmembers import GroupMemberSettings
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.groupadmin import SetMemberCard
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    OwnCard,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)


class GroupMemberAPI:
    """
    The handlers of cards, private names and masks.
    """

    def __init__(
        self, settings: GroupMemberSettings, discussionRules: DiscussionRules
    ) -> None:
        self._settings = settings
        self._discussionRules = discussionRules

    @answers(GetSelfBusinessCard2)
    def getSelfBusinessCard2(
        self, command: GetSelfBusinessCard2, session: Session, exchange: HTTPExchange
    ) -> OwnCard | Refusal:
        """
        C{GET /api/get_self_business_card2}: return the account's own card in a
        group.
        """
        card = self._settings.card(session, command.code)
        if isinstance(card, Refusal):
            return card
        return OwnCard(command.code, session.sessionIds.uin(session.number), card)

    @answers(UpdateGroupBusinessCard2)
    def updateGroupBusinessCard2(
        self,
        command: UpdateGroupBusinessCard2,
        session: Session,
        exchange: HTTPExchange,
    ) -> None | Refusal:
        """
        C{POST /api/update_group_business_card2}: change the account's own card
        in a group.
        """
        return self._settings.setCard(
            session,
            command.code,
            command.name,
            command.phone,
            command.email,
            command.remark,
            command.gender,
        )

    @answers(SetMemberCard)
    def setMemberCard(
        self, command: SetMemberCard, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/set_group_card2}: change the name of a member in a group.
        """
        return self._settings.setMemberCard(
            session, command.code, command.member, command.card
        )

    @answers(UpdateGroupInfo2)
    def updateGroupInfo2(
        self, command: UpdateGroupInfo2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/update_group_info2}: set the name that the account alone
        sees for a group.
        """
        return self._settings.setMarkname(session, command.code, command.markname)

    @answers(MessageFilter)
    def messageFilter(
        self, command: MessageFilter, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /keycgi/qqweb/uac/messagefilter.do}: set the message masks of
        groups and discussions.
        """
        masks: dict[Gid, int] = dict(command.groups)
        dids: dict[Did, int] = dict(command.discussions)
        return self._discussionRules.setMasks(session, dids) or self._settings.setMasks(
            session, masks, command.globalMask
        )
