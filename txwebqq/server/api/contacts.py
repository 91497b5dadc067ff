"""
Handlers of the friend list, the group list, and details of their members
(protocol.md 2.3.1, 2.5.1).
"""

from __future__ import annotations

from txwebqq.model import (
    FOREVER,
    WEB_CLIENT,
    Buddy,
    Category,
    Code,
    FriendList,
    Group,
    GroupDetails,
    GroupList,
    GroupMute,
    Member,
    Number,
    Profile,
    Status,
    Uin,
)
from txwebqq.ratelimit import HOUR
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.profiles import profileFor
from txwebqq.server.domain.refusals import NO_SUCH_ID, NOT_MEMBER
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.records import GroupMemberRecord
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.mutes import EVERYBODY
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.contacts import (
    GROUP_NUMBER,
    GetFriendInfo2,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
    GetUserFriends2,
    Identity,
)

DETAILS_PER_HOUR = 6000
"""Number of profiles that an account gets within an hour without a captcha: more than
a client that fetches its whole friend list needs."""


class ContactsAPI:
    """
    The handlers of friend and group lists.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._store = state.store
        self._details = state.makeLimiter("details", DETAILS_PER_HOUR, HOUR)

    @answers(GetUserFriends2)
    def getUserFriends2(
        self, command: GetUserFriends2, session: Session, exchange: HTTPExchange
    ) -> FriendList | Refusal:
        """
        C{POST /api/get_user_friends2}: return the friend list. The hash of the
        request is not checked, because there are several algorithms.
        """
        buddies = [
            Buddy(
                uin=session.sessionIds.uin(friend.number),
                nick=friend.nick,
                markname=friend.markname,
                category=friend.category,
                face=friend.face,
            )
            for friend in self._store.friends.all(session.number)
        ]
        categories = self._store.friends.categories(session.number)
        return FriendList(
            {buddy.uin: buddy for buddy in buddies},
            tuple(Category(c.index, c.name, c.sort) for c in categories),
        )

    @answers(GetGroupNameListMask2)
    def getGroupNameListMask2(
        self, command: GetGroupNameListMask2, session: Session, exchange: HTTPExchange
    ) -> GroupList | Refusal:
        """
        C{POST /api/get_group_name_list_mask2}: return the group list.
        """
        groups = [
            Group(
                gid=session.sessionIds.gid(membership.number),
                code=session.sessionIds.code(membership.number),
                name=membership.name,
                markname=membership.markname,
                mask=membership.mask,
            )
            for membership in self._store.groups.memberships(session.number)
        ]
        return GroupList(
            {group.gid: group for group in groups},
            self._store.groups.globalMask(session.number),
        )

    @answers(GetGroupInfoExt2)
    def getGroupInfoExt2(
        self, command: GetGroupInfoExt2, session: Session, exchange: HTTPExchange
    ) -> GroupDetails | Refusal:
        """
        C{GET /api/get_group_info_ext2}: return a group of the account, with
        its members.
        """
        number = session.sessionIds.groupOfCode(command.code)
        group = None if number is None else self._store.groups.get(number)
        membership = (
            None
            if group is None
            else self._store.groups.membership(group.number, session.number)
        )
        if group is None or membership is None:
            return NOT_MEMBER
        members = self._store.groups.members(group.number)
        return GroupDetails(
            gid=session.sessionIds.gid(group.number),
            code=command.code,
            name=group.name,
            owner=session.sessionIds.uin(group.owner),
            members=tuple(self._member(session, member) for member in members),
            markname=membership.markname,
            memo=group.memo,
            description=group.description,
            option=group.option,
            created=group.created,
            mutes=self._mutes(session, group.number),
        )

    def _mutes(self, session: Session, group: Number) -> tuple[GroupMute, ...]:
        now = int(self._state.now())
        return tuple(
            GroupMute(
                session.sessionIds.uin(number) if number != EVERYBODY else Uin(0),
                FOREVER if number == EVERYBODY else until - now,
            )
            for number, until in self._store.mutes.active(group, now)
        )

    def _member(self, session: Session, member: GroupMemberRecord) -> Member:
        status = self._state.presence.statusFor(session, member.number)
        profile = member.profile
        return Member(
            uin=session.sessionIds.uin(member.number),
            nick=member.nick,
            card=member.card,
            flag=member.flag,
            gender=profile.get("gender", "unknown"),
            country=profile.get("country", ""),
            province=profile.get("province", ""),
            city=profile.get("city", ""),
            status=status,
            clientType=0 if status is Status.OFFLINE else WEB_CLIENT,
        )

    @answers(GetFriendInfo2)
    def getFriendInfo2(
        self, command: GetFriendInfo2, session: Session, exchange: HTTPExchange
    ) -> Profile | Refusal:
        """
        C{GET /api/get_friend_info2}: return the profile of a friend, of
        another member, or of the account itself.
        """
        number = session.sessionIds.person(command.uin)
        if number is None or not self._store.areAcquainted(session.number, number):
            return Refusal(
                NO_SUCH_ID, "tuin is not the uin of an account that you know"
            )
        account = self._store.accounts.get(number)
        if account is None:
            return Refusal(NO_SUCH_ID, "the account is gone")
        if not self._details.take(session.number):
            failure = self._state.authenticator.checkCaptcha(
                session.number,
                exchange.network,
                command.verifySession,
                command.code,
                isExcessive=True,
            )
            if failure is not None:
                return captchaRefusal(failure)
        isOwn = number == session.number
        isStranger = not (
            isOwn or self._store.friends.areFriends(session.number, number)
        )
        status = self._state.presence.statusFor(session, number)
        return profileFor(account, command.uin, status, isStranger)

    @answers(GetFriendUin2)
    def getFriendUin2(
        self, command: GetFriendUin2, session: Session, exchange: HTTPExchange
    ) -> Identity | Refusal:
        """
        C{GET /api/get_friend_uin2}: return the number behind a session id: of
        a friend, a member, the account itself, or one of its groups.
        """
        number = None
        if command.kind != GROUP_NUMBER:
            number = session.sessionIds.person(Uin(command.uin))
            if number and not self._store.areAcquainted(session.number, number):
                number = None
        if number is None:
            # Some clients ask for groups as for accounts.
            number = session.sessionIds.groupOfCode(Code(command.uin))
            if number is None or not self._store.groups.isMember(
                number, session.number
            ):
                return Refusal(NO_SUCH_ID, "tuin is not an id of yours")
        return Identity(command.uin, number)
