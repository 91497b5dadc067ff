"""
Handlers for owners and administrators of groups (protocol.md 2.5.3).
"""

from __future__ import annotations

from txwebqq.model import NewGroup
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.groupadmin import (
    CreateGroup,
    DissolveGroup,
    ModifyGroupInfo,
    RemoveGroupMember,
    SetGroupAdmin,
    TransferGroup,
)


class GroupAdminAPI:
    """
    The handlers for owners and administrators.
    """

    def __init__(self, groupRules: GroupRules) -> None:
        self._groupRules = groupRules

    @answers(CreateGroup)
    def createGroup(
        self, command: CreateGroup, session: Session, exchange: HTTPExchange
    ) -> NewGroup | Refusal:
        """
        C{POST /api/create_group2}: create a group.
        """
        number = self._groupRules.create(
            session,
            command.name,
            command.uins,
            command.memo,
            command.description,
            command.option,
        )
        if isinstance(number, Refusal):
            return number
        sessionIds = session.sessionIds
        return NewGroup(sessionIds.gid(number), sessionIds.code(number), number)

    @answers(ModifyGroupInfo)
    def modifyGroupInfo(
        self, command: ModifyGroupInfo, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/modify_group_info2}: change the name, announcement,
        description or join option of a group.
        """
        return self._groupRules.modify(
            session,
            command.code,
            command.name,
            command.memo,
            command.description,
            command.option,
        )

    @answers(RemoveGroupMember)
    def removeGroupMember(
        self, command: RemoveGroupMember, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/remove_group_member2}: remove a member from a group.
        """
        return self._groupRules.remove(session, command.code, command.member)

    @answers(TransferGroup)
    def transferGroup(
        self, command: TransferGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/transfer_group2}: make another member the owner of a group.
        """
        return self._groupRules.transfer(session, command.code, command.member)

    @answers(SetGroupAdmin)
    def setGroupAdmin(
        self, command: SetGroupAdmin, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/set_group_admin2}: grant or revoke the rights of an
        administrator.
        """
        return self._groupRules.setAdmin(
            session, command.code, command.member, command.granted
        )

    @answers(DissolveGroup)
    def dissolveGroup(
        self, command: DissolveGroup, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/dissolve_group2}: dissolve a group.
        """
        return self._groupRules.dissolve(session, command.code)
