"""
Answers to look-ups: friends, groups, their details and their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from txwebqq.model import (
    WEB_CLIENT,
    Buddy,
    Category,
    Code,
    FriendList,
    Group,
    GroupDetails,
    GroupList,
    Member,
    Profile,
    Status,
    Uin,
)
from txwebqq.ratelimit import HOUR, RateLimiter
from txwebqq.server.domain.authenticator import captchaRefusal
from txwebqq.server.domain.profiles import profileFor
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import Exchange, Handler, forSession
from txwebqq.server.records import GroupMemberRecord
from txwebqq.server.sessions.sessions import Session
from txwebqq.wire.command import Command, Refusal
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
"""After so many details somebody has to read captchas; a client that asks for
its whole friend list does not."""


class ContactsAPI:
    """
    The look-ups of a session.
    """

    def __init__(self, state: ServerState, now: Callable[[], float]) -> None:
        self._state = state
        self._store = state.store
        self._details = RateLimiter(now, DETAILS_PER_HOUR, HOUR)

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        sessions = self._state.sessions
        return {
            GetUserFriends2: forSession(sessions, self.getUserFriends2),
            GetGroupNameListMask2: forSession(sessions, self.getGroupNameListMask2),
            GetGroupInfoExt2: forSession(sessions, self.getGroupInfoExt2),
            GetFriendInfo2: forSession(sessions, self.getFriendInfo2),
            GetFriendUin2: forSession(sessions, self.getFriendUin2),
        }

    def getUserFriends2(
        self, command: GetUserFriends2, session: Session, exchange: Exchange
    ) -> FriendList | Refusal:
        """
        The friend list; no hash is insisted on, since there are several.
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
            tuple(Category(d.index, d.name, d.sort) for d in categories),
        )

    def getGroupNameListMask2(
        self, command: GetGroupNameListMask2, session: Session, exchange: Exchange
    ) -> GroupList | Refusal:
        """
        The group list.
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

    def getGroupInfoExt2(
        self, command: GetGroupInfoExt2, session: Session, exchange: Exchange
    ) -> GroupDetails | Refusal:
        """
        A group that one is in.
        """
        number = session.sessionIds.groupOfCode(command.code)
        group = None if number is None else self._store.groups.get(number)
        membership = (
            None
            if group is None
            else self._store.groups.membership(group.number, session.number)
        )
        if group is None or membership is None:
            return Refusal(NO_SUCH_ID, "gcode is no code of your groups")
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

    def getFriendInfo2(
        self, command: GetFriendInfo2, session: Session, exchange: Exchange
    ) -> Profile | Refusal:
        """
        What a friend, or oneself, tells about themselves.
        """
        number = session.sessionIds.person(command.uin)
        if number is None or not self._store.areAcquainted(session.number, number):
            return Refusal(NO_SUCH_ID, "tuin is nobody's uin whom you know")
        account = self._store.accounts.get(number)
        if account is None:
            return Refusal(NO_SUCH_ID, "the account is gone")
        if not self._details.take(session.number):
            failure = self._state.authenticator.checkCaptcha(
                session.number,
                exchange.address,
                command.verifySession,
                command.code,
                isExcessive=True,
            )
            if failure is not None:
                return captchaRefusal(failure)
        isMe = number == session.number
        isStranger = not (
            isMe or self._store.friends.areFriends(session.number, number)
        )
        status = self._state.presence.statusFor(session, number)
        return profileFor(account, command.uin, status, isStranger)

    def getFriendUin2(
        self, command: GetFriendUin2, session: Session, exchange: Exchange
    ) -> Identity | Refusal:
        """
        The number behind an id: of a friend, of oneself, of somebody in a
        group one is in, or of such a group.
        """
        number = None
        if command.kind != GROUP_NUMBER:
            number = session.sessionIds.person(Uin(command.uin))
            if number and not self._store.areAcquainted(session.number, number):
                number = None
        if number is None:
            # Some clients ask for groups as if they were people.
            number = session.sessionIds.groupOfCode(Code(command.uin))
            if number is None or not self._store.groups.isMember(
                number, session.number
            ):
                return Refusal(NO_SUCH_ID, "tuin is no id of yours")
        return Identity(command.uin, number)
