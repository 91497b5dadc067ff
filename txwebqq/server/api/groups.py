"""
Handlers of groups: profiles, searches, joining and leaving (protocol.md 2.5.3).
"""

from __future__ import annotations

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
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.refusals import NO_SUCH_ID, NOT_MEMBER
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.records import GroupRecord
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.groups import (
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
from txwebqq.wire.events.interaction import AGREE, REFUSE

SEARCH_UNREAD, SEARCH_WRONG = 100110, 100102
"""The retcodes of a search without a captcha, and with a wrong one."""


class GroupsAPI:
    """
    The handlers of groups.
    """

    def __init__(
        self, state: ServerState, groupRules: GroupRules, messageRules: MessageRules
    ) -> None:
        self._state = state
        self._store = state.store
        self._groupRules = groupRules
        self._messageRules = messageRules

    @answers(GetGroupMemberStat2)
    def getGroupMemberStat2(
        self, command: GetGroupMemberStat2, session: Session, exchange: HTTPExchange
    ) -> MemberStats | Refusal:
        """
        C{GET /api/get_group_member_stat2}: return the members of a group that
        are online and not hidden.
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

    @answers(GetGroupInfo)
    def getGroupInfo(
        self, command: GetGroupInfo, session: Session, exchange: HTTPExchange
    ) -> Memos | Refusal:
        """
        C{GET /api/get_group_info}: return the announcements of groups; groups
        that the account is not a member of are left out.
        """
        memos = {
            code: group.memo
            for code in command.codes
            if isinstance(group := self._groupRules.mine(session, code), GroupRecord)
        }
        if not memos and command.codes:
            return NOT_MEMBER
        return Memos(memos, command.isBare)

    @answers(GetGroupPublicInfo2)
    def getGroupPublicInfo2(
        self, command: GetGroupPublicInfo2, session: Session, exchange: HTTPExchange
    ) -> GroupProfile | Refusal:
        """
        C{GET /api/get_group_public_info2}: return the public profile of a
        group. Only members get the announcement.
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

    @answers(SearchGroups)
    def searchGroups(
        self, command: SearchGroups, session: Session, exchange: HTTPExchange
    ) -> FoundGroups | Refusal:
        """
        C{GET /keycgi/qqweb/group/search.do}: find groups by number or by words
        in their names.
        """
        failure = self._state.authenticator.checkSearch(
            session.number,
            exchange.network,
            exchange.cookies.get("verifysession", ""),
            command.code,
        )
        if failure is not None:
            return captchaRefusal(failure, SEARCH_UNREAD, SEARCH_WRONG)
        found = self._groupRules.find(command.query, command.page, command.perPage)
        if isinstance(found, Refusal):
            return found
        records, total = found
        groups = tuple(
            FoundGroup(
                group.number,
                session.sessionIds.code(group.number),
                group.name,
                group.owner,
                group.description,
            )
            for group in records
        )
        return FoundGroups(groups, total, command.page)

    @answers(ApplyJoinGroup2)
    def applyJoinGroup2(
        self, command: ApplyJoinGroup2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/apply_join_group2}: ask to join a group.
        """
        failure = self._state.authenticator.checkCaptcha(
            session.number, exchange.network, command.verifySession, command.code
        )
        if failure is not None:
            return captchaRefusal(failure)
        return self._groupRules.apply(session, command.group, command.text)

    @answers(OpGroupJoinReq)
    def opGroupJoinReq(
        self, command: OpGroupJoinReq, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/op_group_join_req}: accept or reject a request to join a
        group.
        """
        if command.operation not in (AGREE, REFUSE):
            return Refusal(NO_SUCH_ID, "op_type is neither 2 nor 3")
        return self._groupRules.answer(
            session,
            command.group,
            command.applicant,
            command.operation == AGREE,
            command.text,
        )

    @answers(QuitGroup2)
    def quitGroup2(
        self, command: QuitGroup2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/quit_group2}: leave a group.
        """
        return self._groupRules.leave(session, command.code)

    @answers(SendGroupWebMsg)
    def sendGroupWebMsg(
        self, command: SendGroupWebMsg, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/send_group_web_msg2}: send XML markup to a group.
        """
        return self._messageRules.share(session, command.group, command.markup)
