"""
Rules of groups: members, administrators, and the notices of changes
(protocol.md 2.5.3, 5.10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from txwebqq.model import (
    DISSOLVED,
    LEFT_ALONE,
    MAY_ASK,
    MAY_JOIN,
    MAY_NOT_JOIN,
    OWNER_CHANGED,
    REMOVED,
    Code,
    Gid,
    GroupStep,
    Number,
    Uin,
)
from txwebqq.server.domain.refusals import (
    NO_SUCH_ID,
    NOT_IN_GROUP,
    NOT_MEMBER,
    TOO_FAST,
    invisible,
    tooLong,
)
from txwebqq.server.domain.router import SYSTEM
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.groupnotices import (
    ADMINISTRATOR,
    CREATOR,
    GRANT,
    JOIN_OPERATION,
    REVOKE,
    creationNotices,
    groupNotice,
    withIds,
)
from txwebqq.server.events.interactionkinds import GROUP_EDIT, JOIN_ANSWER, newNotice
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.records import GroupRecord, JoinRequest
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.groups import GroupStore
from txwebqq.server.storage.store import Attitude
from txwebqq.wire.command import Refusal

ADMIN = 1
"""The bit of administrators in a member's flag."""

MAX_MEMBERS, MAX_OWNED = 2000, 200
"""Maximum numbers of members of a group, and of groups that one account owns."""

MAX_NAME, MAX_LINE, MAX_MEMO = 128, 1000, 10_000
"""Maximum lengths of names, texts to one account and announcements, in characters."""

MAX_FOUND = 50
"""Maximum number of groups on a page of search results."""

NOT_OWNER = Refusal(NO_SUCH_ID, "only the owner may do that")
NOT_IN_IT = Refusal(NO_SUCH_ID, "muin is not the uin of a member")

NOT_ADMIN = Refusal(NO_SUCH_ID, "only the owner and administrators may do that")
_NO_GROUP = Refusal(NO_SUCH_ID, "gcode is not the code of a group that can be joined")


def isAdmin(groups: GroupStore, group: GroupRecord, number: Number) -> bool:
    """
    Check whether an account is the owner or an administrator of a group.
    """
    flag = groups.memberFlag(group.number, number)
    return flag is not None and (number == group.owner or bool(flag & ADMIN))


def joinedGroup(groups: GroupStore, session: Session, gid: Gid) -> Number | Refusal:
    """
    Return the group with a gid, which the account of a session is a member of.
    """
    group = session.sessionIds.groupOfGid(gid)
    if group is None or not groups.isMember(group, session.number):
        return NOT_IN_GROUP
    return group


class GroupRules:
    """
    The rules of groups.

    A method that changes a group returns L{None} when it has, else the refusal.

    @param now: returns the time in Unix seconds.
    """

    def __init__(self, state: ServerState, now: Callable[[], float]) -> None:
        self._state = state
        self._store = state.store
        self._now = now

    def mine(self, session: Session, code: Code) -> GroupRecord | Refusal:
        """
        Return a group that the account of a session is a member of.
        """
        number = session.sessionIds.groupOfCode(code)
        group = None if number is None else self._store.groups.get(number)
        if group is None or not self._store.groups.isMember(
            group.number, session.number
        ):
            return NOT_MEMBER
        return group

    def public(self, session: Session, code: Code) -> GroupRecord | Refusal:
        """
        Return a group that the account of a session is a member of or could
        ask to join.
        """
        number = session.sessionIds.groupOfCode(code)
        group = None if number is None else self._store.groups.get(number)
        if group is None:
            return _NO_GROUP
        isIn = self._store.groups.isMember(group.number, session.number)
        return _NO_GROUP if group.option == MAY_NOT_JOIN and not isIn else group

    def administered(self, session: Session, code: Code) -> GroupRecord | Refusal:
        """
        Return a group that the account of a session administers.
        """
        group = self.mine(session, code)
        if isinstance(group, GroupRecord) and not isAdmin(
            self._store.groups, group, session.number
        ):
            return NOT_ADMIN
        return group

    def _owned(self, session: Session, code: Code) -> GroupRecord | Refusal:
        group = self.mine(session, code)
        if isinstance(group, GroupRecord) and group.owner != session.number:
            return NOT_OWNER
        return group

    def memberOf(self, session: Session, group: GroupRecord, uin: Uin) -> Number | None:
        """
        Return the number of a member of a group, L{None} for others.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._store.groups.isMember(group.number, number):
            return None
        return number

    def _notify(
        self, step: GroupStep, group: Number, to: Iterable[Number], **details: Any
    ) -> None:
        """
        Queue a notice for accounts.

        @param details: as for L{groupNotice}.
        """
        self._route(groupNotice(step, group, **details), to)

    def _route(self, event: QueuedEvent, to: Iterable[Number]) -> None:
        ids = self._state.messageIds.next(SYSTEM)
        self._state.router.route(withIds(event, ids), to)

    def _title(self, group: GroupRecord, number: Number) -> str:
        return CREATOR if number == group.owner else ADMINISTRATOR

    def find(
        self, words: str, page: int, perPage: int
    ) -> tuple[list[GroupRecord], int] | Refusal:
        """
        Find groups by number, or by words in their names.

        @return: a page of the groups, and the number of all groups found.
        """
        words = words.strip()
        refusal = tooLong(all=(words, MAX_NAME))
        if refusal is not None:
            return refusal
        if not words or page < 1 or page > 10_000 or perPage < 1:
            return [], 0
        limit = min(perPage, MAX_FOUND)
        return self._store.groups.find(words, limit, (page - 1) * limit)

    def apply(self, session: Session, code: Code, text: str) -> Refusal | None:
        """
        Ask to join a group, or join it when it admits anybody.
        """
        group = self.public(session, code)
        if isinstance(group, Refusal):
            return group
        refusal = tooLong(msg=(text, MAX_LINE))
        if refusal is not None:
            return refusal
        if self._store.groups.isMember(group.number, session.number):
            return Refusal(NO_SUCH_ID, "you are in that group")
        if self._isFull(group):
            return Refusal(NO_SUCH_ID, "the group is full")
        if group.option == MAY_JOIN:
            self._addMember(group, session.number, group.owner, "")
            return None
        joinRequest = JoinRequest(group.number, session.number, text, int(self._now()))
        if self._store.groups.addJoinRequest(joinRequest):
            self._notify(
                GroupStep.REQUESTED,
                group.number,
                self._store.groups.adminNumbers(group.number),
                member=session.number,
                text=text,
            )
        return None

    def _isFull(self, group: GroupRecord) -> bool:
        return self._store.groups.memberCount(group.number) >= MAX_MEMBERS

    def _addMember(
        self, group: GroupRecord, number: Number, admin: Number, text: str
    ) -> None:
        others = self._store.groups.memberNumbers(group.number)
        # Earlier messages do not count as unread.
        self._state.recorder.tryFlush()
        self._store.groups.addMember(group.number, number)
        self._notify(GroupStep.AGREED, group.number, [number], admin=admin, text=text)
        self._notify(
            GroupStep.JOINED,
            group.number,
            others,
            member=number,
            admin=admin,
            adminTitle=self._title(group, admin),
            operation=JOIN_OPERATION,
        )

    def answer(
        self, session: Session, gid: Gid, applicant: Uin, agreed: bool, text: str
    ) -> Refusal | None:
        """
        Accept or reject the request of an account to join a group.
        """
        number = session.sessionIds.groupOfGid(gid)
        group = None if number is None else self._store.groups.get(number)
        if group is None or not isAdmin(self._store.groups, group, session.number):
            return Refusal(
                NO_SUCH_ID, "group_uin is not the gid of a group that you administer"
            )
        account = session.sessionIds.person(applicant)
        if (
            account is None
            or self._store.groups.joinRequest(group.number, account) is None
        ):
            return Refusal(NO_SUCH_ID, "req_uin does not ask to join, or no longer")
        refusal = tooLong(msg=(text, MAX_LINE))
        if refusal is not None:
            return refusal
        if not agreed:
            self._store.groups.deleteJoinRequest(group.number, account)
            self._notify(
                GroupStep.DENIED,
                group.number,
                [account],
                admin=session.number,
                text=text,
            )
        elif self._isFull(group):
            return Refusal(NO_SUCH_ID, "the group is full")
        else:
            self._addMember(group, account, session.number, text)
        # The other administrators need not answer any more.
        event = newNotice(
            JOIN_ANSWER,
            self._state.messageIds.next(session.number),
            group=group.number,
            applicant=account,
            operator=session.number,
            isAccepted=agreed,
        )
        admins = self._store.groups.adminNumbers(group.number)
        self._state.router.route(event, admins)
        return None

    def leave(self, session: Session, code: Code) -> Refusal | None:
        """
        Leave a group.
        """
        group = self.mine(session, code)
        if isinstance(group, Refusal):
            return group
        if group.owner == session.number:
            return Refusal(NO_SUCH_ID, "the owner gives the group away or dissolves it")
        self._store.groups.removeMember(group.number, session.number)
        self._notify(
            GroupStep.LEFT,
            group.number,
            self._store.groups.memberNumbers(group.number),
            member=session.number,
            operation=LEFT_ALONE,
        )
        return None

    def remove(self, session: Session, code: Code, member: Uin) -> Refusal | None:
        """
        Remove a member. Only the owner can remove an administrator.
        """
        group = self.administered(session, code)
        if isinstance(group, Refusal):
            return group
        number = self.memberOf(session, group, member)
        if number is None:
            return NOT_IN_IT
        if number in (session.number, group.owner):
            return Refusal(NO_SUCH_ID, "muin cannot be put out")
        if isAdmin(self._store.groups, group, number) and session.number != group.owner:
            return NOT_OWNER
        recipients = self._store.groups.memberNumbers(group.number)
        self._store.groups.removeMember(group.number, number)
        self._notify(
            GroupStep.LEFT,
            group.number,
            recipients,
            member=number,
            admin=session.number,
            adminTitle=self._title(group, session.number),
            operation=REMOVED,
        )
        return None

    def create(
        self,
        session: Session,
        name: str,
        friends: Iterable[Uin],
        memo: str,
        description: str,
        option: int,
    ) -> Number | Refusal:
        """
        Create a group of an account and some of its friends.
        """
        refusal = self._refuseTexts(name, memo, description, option)
        if refusal is not None:
            return refusal
        if self._store.groups.ownedCount(session.number) >= MAX_OWNED:
            return Refusal(NO_SUCH_ID, f"you own {MAX_OWNED} groups")
        invited = []
        for uin in dict.fromkeys(friends):
            number = session.sessionIds.person(uin)
            if (
                number is None
                or self._store.attitude(number, session.number) is not Attitude.FRIEND
            ):
                return Refusal(
                    NO_SUCH_ID, "mem_list names an account that is no friend"
                )
            invited.append(number)
        if len(invited) >= MAX_MEMBERS:
            return Refusal(NO_SUCH_ID, "the group is full")
        owner = session.number
        draft = GroupRecord(
            Number(0), name, owner, memo, description, int(self._now()), option
        )
        number = self._store.groups.create(draft, [owner, *invited])
        for event, recipient in creationNotices(number, owner, invited):
            self._route(event, [recipient])
        return number

    def _refuseTexts(
        self,
        name: str | None,
        memo: str | None,
        description: str | None,
        option: int | None,
    ) -> Refusal | None:
        if name is not None and not name.strip():
            return Refusal(NO_SUCH_ID, "name is empty")
        if option not in (None, MAY_JOIN, MAY_ASK, MAY_NOT_JOIN):
            return Refusal(NO_SUCH_ID, "option is none of 1, 2 and 3")
        return tooLong(
            name=(name, MAX_NAME),
            memo=(memo, MAX_MEMO),
            fingermemo=(description, MAX_MEMO),
        ) or invisible(name=name)

    def modify(
        self,
        session: Session,
        code: Code,
        name: str | None = None,
        memo: str | None = None,
        description: str | None = None,
        option: int | None = None,
    ) -> Refusal | None:
        """
        Change the name, announcement, description or join option of a group.
        """
        group = self.administered(session, code)
        if isinstance(group, Refusal):
            return group
        refusal = self._refuseTexts(name, memo, description, option)
        if refusal is not None:
            return refusal
        given = {
            "name": name,
            "memo": memo,
            "description": description,
            "option": option,
        }
        changes: dict[str, Any] = {
            detail: value
            for detail, value in given.items()
            if value not in (None, getattr(group, detail))
        }
        if not changes:
            return None
        # The event is stored for all members.
        if not self._state.sendingLimiter.takeMessage(session.number, group.number):
            return TOO_FAST
        self._store.groups.update(replace(group, **changes))
        ids = self._state.messageIds.next(session.number)
        event = newNotice(
            GROUP_EDIT, ids, group=group.number, operator=session.number, **changes
        )
        members = self._store.groups.memberNumbers(group.number)
        self._state.router.route(event, members)
        return None

    def setAdmin(
        self, session: Session, code: Code, member: Uin, granted: bool
    ) -> Refusal | None:
        """
        Grant or revoke the rights of an administrator.
        """
        group = self._owned(session, code)
        if isinstance(group, Refusal):
            return group
        number = self.memberOf(session, group, member)
        if number is None:
            return NOT_IN_IT
        if number == group.owner:
            return Refusal(NO_SUCH_ID, "muin is the owner")
        flag = self._store.groups.memberFlag(group.number, number) or 0
        if bool(flag & ADMIN) == granted:
            return None
        self._store.groups.setFlag(group.number, number, flag ^ ADMIN)
        self._notify(
            GroupStep.ADMIN,
            group.number,
            self._store.groups.memberNumbers(group.number),
            member=number,
            operation=GRANT if granted else REVOKE,
        )
        return None

    def transfer(self, session: Session, code: Code, member: Uin) -> Refusal | None:
        """
        Make another member the owner; the former owner stays a member.
        """
        group = self._owned(session, code)
        if isinstance(group, Refusal):
            return group
        number = self.memberOf(session, group, member)
        if number is None:
            return NOT_IN_IT
        if number == group.owner:
            return Refusal(NO_SUCH_ID, "muin is the owner")
        flag = self._store.groups.memberFlag(group.number, number) or 0
        self._store.groups.setFlag(group.number, number, flag & ~ADMIN)
        self._store.groups.update(replace(group, owner=number))
        self._notify(
            GroupStep.ADMIN,
            group.number,
            self._store.groups.memberNumbers(group.number),
            member=number,
            previous=session.number,
            operation=OWNER_CHANGED,
        )
        return None

    def dissolve(self, session: Session, code: Code) -> Refusal | None:
        """
        Dissolve a group.
        """
        group = self._owned(session, code)
        if isinstance(group, Refusal):
            return group
        recipients = self._store.groups.memberNumbers(group.number)
        self._store.groups.dissolve(group.number)
        self._notify(
            GroupStep.LEFT,
            group.number,
            recipients,
            admin=session.number,
            adminTitle=CREATOR,
            operation=DISSOLVED,
        )
        return None
