"""
Answers about groups beyond the list and the details.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    WEB_CLIENT,
    FoundGroup,
    FoundGroups,
    GroupProfile,
    Presence,
    Status,
)
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.groups import MAX_MEMBERS, GroupRules
from txwebqq.server.domain.refusals import NO_SUCH_ID, refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import Exchange, Handler, forSession
from txwebqq.server.sessions.sessions import EndedSession, Session
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.groups import (
    AGREE,
    REFUSE,
    ApplyJoinGroup2,
    GetGroupInfo,
    GetGroupMemberStat2,
    GetGroupPublicInfo2,
    MemberStats,
    Memos,
    OpGroupJoinReq,
    QuitGroup2,
    SearchGroups,
    SendGroupWebMsg,
)

SEARCH_UNREAD, SEARCH_WRONG = 100110, 100102


class GroupsAPI:
    """
    The questions about groups.
    """

    def __init__(self, state: ServerState, groupRules: GroupRules) -> None:
        self._state = state
        self._store = state.store
        self._groupRules = groupRules

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._state.sessions
        return {
            GetGroupMemberStat2: forSession(sessions, self.getGroupMemberStat2),
            GetGroupInfo: forSession(sessions, self.getGroupInfo),
            GetGroupPublicInfo2: forSession(sessions, self.getGroupPublicInfo2),
            SearchGroups: forSession(sessions, self.searchGroups),
            ApplyJoinGroup2: forSession(sessions, self.applyJoinGroup2),
            OpGroupJoinReq: self.opGroupJoinReq,
            QuitGroup2: forSession(sessions, self.quitGroup2),
            SendGroupWebMsg: self.sendGroupWebMsg,
        }

    def getGroupMemberStat2(
        self, command: GetGroupMemberStat2, session: Session, exchange: Exchange
    ) -> MemberStats | Refusal:
        """
        The members of one's group who do not appear offline.
        """
        group = self._groupRules.mine(session, command.code)
        if isinstance(group, Refusal):
            return group
        present = []
        for number in self._store.groups.memberNumbers(group.number):
            status = self._state.presence.statusFor(session, number)
            if status is not Status.OFFLINE:
                uin = session.sessionIds.uin(number)
                present.append(Presence(uin, status, WEB_CLIENT))
        return MemberStats(command.code, tuple(present))

    def getGroupInfo(
        self, command: GetGroupInfo, session: Session, exchange: Exchange
    ) -> Memos | Refusal:
        """
        The announcements of one's groups; others are left out.
        """
        memos = {
            code: memo
            for code in command.codes
            if (memo := self._groupRules.memo(session, code)) is not None
        }
        if not memos and command.codes:
            return Refusal(NO_SUCH_ID, "gcode is no code of your groups")
        return Memos(memos, command.isBare)

    def getGroupPublicInfo2(
        self, command: GetGroupPublicInfo2, session: Session, exchange: Exchange
    ) -> GroupProfile | Refusal:
        """
        What a group shows to whoever could join it; the announcement is for
        its members.
        """
        group = self._groupRules.public(session, command.code)
        if isinstance(group, Refusal):
            return group
        isMember = self._store.groups.isMember(group.number, session.number)
        return GroupProfile(
            gid=session.sessionIds.gid(group.number),
            code=command.code,
            name=group.name,
            owner=session.sessionIds.uin(group.owner),
            memo=group.memo if isMember else "",
            description=group.description,
            memberCount=self._store.groups.memberCount(group.number),
            maxMembers=MAX_MEMBERS,
            option=group.option,
            created=group.created,
        )

    def searchGroups(
        self, command: SearchGroups, session: Session, exchange: Exchange
    ) -> FoundGroups | Refusal:
        """
        Groups that one could join.
        """
        failure = self._state.authenticator.checkCaptcha(
            session.number,
            exchange.address,
            exchange.cookies.get("verifysession", ""),
            command.code,
        )
        if failure is not None:
            return captchaRefusal(failure, SEARCH_UNREAD, SEARCH_WRONG)
        found = self._groupRules.find(command.query, command.page, command.perPage)
        if isinstance(found, Refusal):
            return found
        rooms, total = found
        groups = tuple(
            FoundGroup(
                group.number,
                session.sessionIds.code(group.number),
                group.name,
                group.owner,
                group.description,
            )
            for group in rooms
        )
        return FoundGroups(groups, total, command.page)

    def applyJoinGroup2(
        self, command: ApplyJoinGroup2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Somebody wants into a group.
        """
        failure = self._state.authenticator.checkCaptcha(
            session.number, exchange.address, command.verifySession, command.code
        )
        if failure is not None:
            return captchaRefusal(failure)
        return self._groupRules.apply(session, command.group, command.text)

    def opGroupJoinReq(
        self, command: OpGroupJoinReq, exchange: Exchange
    ) -> None | Refusal:
        """
        An administrator decides on that.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        if command.operation not in (AGREE, REFUSE):
            return Refusal(NO_SUCH_ID, "op_type is neither 2 nor 3")
        return self._groupRules.answer(
            session,
            command.group,
            command.applicant,
            command.operation == AGREE,
            command.text,
        )

    def quitGroup2(
        self, command: QuitGroup2, session: Session, exchange: Exchange
    ) -> None | Refusal:
        """
        Somebody leaves.
        """
        return self._groupRules.leave(session, command.code)

    def sendGroupWebMsg(
        self, command: SendGroupWebMsg, exchange: Exchange
    ) -> None | Refusal:
        """
        Somebody shares something.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        return self._groupRules.share(session, command.group, command.markup)
