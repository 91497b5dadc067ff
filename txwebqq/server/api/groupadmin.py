"""
Answers to those who administer groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import NewGroup
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.http.exchange import Exchange, Handler, forSession
from txwebqq.server.sessions.sessions import Session, Sessions
from txwebqq.wire.command import Command, Refusal
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
    The questions of owners and administrators.
    """

    def __init__(self, sessions: Sessions, groupRules: GroupRules) -> None:
        self._sessions = sessions
        self._groupRules = groupRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._sessions
        return {
            CreateGroup: forSession(sessions, self.createGroup),
            ModifyGroupInfo: forSession(sessions, self.modifyGroupInfo),
            RemoveGroupMember: forSession(sessions, self.removeGroupMember),
            TransferGroup: forSession(sessions, self.transferGroup),
            SetGroupAdmin: forSession(sessions, self.setGroupAdmin),
            DissolveGroup: forSession(sessions, self.dissolveGroup),
        }

    def createGroup(
        self, command: CreateGroup, session: Session, exchange: Exchange
    ) -> NewGroup | Refusal:
        """
        Somebody makes a group.
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

    def modifyGroupInfo(
        self, command: ModifyGroupInfo, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        A group says something else of itself.
        """
        return self._groupRules.modify(
            session,
            command.code,
            command.name,
            command.memo,
            command.description,
            command.option,
        )

    def removeGroupMember(
        self, command: RemoveGroupMember, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Somebody is put out.
        """
        return self._groupRules.remove(session, command.code, command.member)

    def transferGroup(
        self, command: TransferGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        A group gets another owner.
        """
        return self._groupRules.transfer(session, command.code, command.member)

    def setGroupAdmin(
        self, command: SetGroupAdmin, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        A member becomes an administrator, or is none any more.
        """
        return self._groupRules.setAdmin(
            session, command.code, command.member, command.granted
        )

    def dissolveGroup(
        self, command: DissolveGroup, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        A group ends.
        """
        return self._groupRules.dissolve(session, command.code)
