"""
The friends, groups and discussions of one sign-on, kept current by events and
by what we ask for ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from txwebqq.model import (
    DISSOLVED,
    Buddy,
    Category,
    Code,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    DiscussionMessage,
    Event,
    FriendList,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    Group,
    GroupList,
    GroupMessage,
    GroupNotice,
    GroupStep,
    Message,
    Number,
    Presence,
    Profile,
    RosterChange,
    Status,
    StatusChange,
    Uin,
)


def _place(category: Category) -> tuple[int, int]:
    return category.sort, category.index


class Roster:
    """
    Fetched once per sign-on; events change it before applications see them.

    @ivar globalMask: what is done with the messages of all groups
        (L{txwebqq.model.GroupList}).
    @ivar newGroups: groups that an event put here, whose names nobody has told
        us yet.
    @ivar newDiscussions: discussions that have changed since we read about
        them.
    """

    def __init__(
        self,
        friends: FriendList | None = None,
        groups: GroupList | None = None,
        present: Iterable[Presence] = (),
    ) -> None:
        self.buddies: dict[Uin, Buddy] = dict(friends.buddies) if friends else {}
        self.categories: tuple[Category, ...] = friends.categories if friends else ()
        self.groups: dict[Gid, Group] = dict(groups.groups) if groups else {}
        self.globalMask = groups.globalMask if groups else 0
        # Those who come next, and what we mean to call some of them.
        self._introduced: dict[Uin, Buddy] = {}
        self._marknames: dict[Uin, str] = {}
        self.discussions: dict[Did, Discussion] = {}
        self.newGroups: set[Code] = set()
        self.newDiscussions: set[Did] = set()
        for presence in present:
            self._see(presence.uin, presence.status, presence.clientType)

    def apply(self, event: Event) -> None:
        """
        Change what an event says has changed.
        """
        match event:
            case Message():
                # As most of them are, and nothing of ours changes with it.
                pass
            case GroupMessage():
                if event.group not in self.groups:
                    self._addGroup(event.group, event.code, event.number)
            case StatusChange(uin, status, clientType):
                self._see(uin, status, clientType)
            case RosterChange():
                for uin, category in event.added:
                    self.addBuddy(uin, category)
                for uin in event.removed:
                    self.removeBuddy(uin)
            case FriendshipNotice() if self.unknownContacts(event, everybody=True):
                self.addBuddy(event.uin, event.category)
            case GroupNotice():
                self._applyGroupNotice(event)
            case DiscussionMessage():
                self._applyDiscussionVersion(event.discussion, event.version)

    def _see(self, uin: Uin, status: Status, clientType: int) -> None:
        buddy = self.buddies.get(uin)
        if buddy is not None:
            self.buddies[uin] = replace(buddy, status=status, clientType=clientType)

    # ---- friends

    def unknownContacts(self, event: Event, everybody: bool = False) -> list[Uin]:
        """
        Who comes into the friend list with an event, and was not introduced.

        @param everybody: whether also those who were.
        """
        # Nearly all events are none of these.
        if not isinstance(event, RosterChange | FriendshipNotice):
            return []
        if isinstance(event, RosterChange):
            coming = [uin for uin, _ in event.added]
        elif event.step in (FriendshipStep.PASSED, FriendshipStep.PASSED_AND_ADDED):
            coming = [event.uin]
        else:
            return []
        known = self.buddies if everybody else {**self.buddies, **self._introduced}
        return [uin for uin in coming if uin not in known]

    def addProfile(self, uin: Uin, profile: Profile | None) -> None:
        """
        Learn who somebody is who comes next, as far as anybody knows.
        """
        buddy = Buddy(uin, "")
        if profile is not None:
            buddy = replace(
                buddy,
                nick=profile.nick,
                face=profile.face,
                vipLevel=profile.vipLevel,
                status=profile.status,
                clientType=profile.clientType,
            )
        self._introduced[uin] = buddy

    def setPendingMarkname(self, uin: Uin, markname: str) -> None:
        """
        Somebody who may come is to be called so.
        """
        self._marknames[uin] = markname

    def addBuddy(self, uin: Uin, category: int) -> None:
        """
        Somebody is in the friend list, and kept there.
        """
        introduced = self._introduced.pop(uin, Buddy(uin, ""))
        buddy = self.buddies.get(uin, introduced)
        markname = self._marknames.pop(uin, buddy.markname)
        self.buddies[uin] = replace(buddy, category=category, markname=markname)

    def removeBuddy(self, uin: Uin) -> None:
        """
        Somebody is no longer in the friend list.
        """
        self.buddies.pop(uin, None)

    def changeBuddy(self, uin: Uin, **changes: Any) -> None:
        """
        Something about a friend is otherwise.
        """
        buddy = self.buddies.get(uin)
        if buddy is not None:
            self.buddies[uin] = replace(buddy, **changes)

    def setCategory(self, category: Category) -> None:
        """
        There is a drawer, a new one or one that is otherwise now.
        """
        others = [c for c in self.categories if c.index != category.index]
        self.categories = tuple(sorted([*others, category], key=_place))

    def removeCategory(self, index: int) -> None:
        """
        A drawer is gone, and whoever was in it is in the first.
        """
        self.categories = tuple(c for c in self.categories if c.index != index)
        for buddy in list(self.buddies.values()):
            if buddy.category == index:
                self.changeBuddy(buddy.uin, category=0)

    # ---- groups

    def _applyGroupNotice(self, notice: GroupNotice) -> None:
        isMe = int(notice.member) == int(notice.recipient)
        match notice.step:
            case GroupStep.CREATED | GroupStep.AGREED:
                self._addGroup(notice.group, notice.code, notice.number)
            case GroupStep.JOINED if isMe:
                self._addGroup(notice.group, notice.code, notice.number)
            case GroupStep.LEFT if isMe or notice.operation == DISSOLVED:
                self.groups.pop(notice.group, None)

    def _addGroup(self, gid: Gid, code: Code, number: Number) -> None:
        if gid not in self.groups:
            self.groups[gid] = Group(gid, code, str(number or gid))
            self.newGroups.add(code)

    def groupByCode(self, code: Code) -> Group | None:
        """
        The group that has a code.
        """
        return next((g for g in self.groups.values() if g.code == code), None)

    def changeGroup(self, code: Code, **changes: Any) -> None:
        """
        Something about a group is otherwise.
        """
        group = self.groupByCode(code)
        if group is not None:
            self.groups[group.gid] = replace(group, **changes)

    def leaveGroup(self, code: Code) -> None:
        """
        We are no longer in a group.
        """
        group = self.groupByCode(code)
        if group is not None:
            del self.groups[group.gid]

    # ---- discussions

    def learnDiscussions(self, answer: DiscussionList) -> None:
        """
        These are our discussions.
        """
        known = self.discussions
        self.discussions = {
            did: replace(told, version=known[did].version) if did in known else told
            for did, told in answer.discussions.items()
        }

    def _applyDiscussionVersion(self, did: Did, version: int) -> None:
        known = self.discussions.get(did)
        if known is None:
            self.discussions[did] = Discussion(did, "", version=version)
            self.newDiscussions.add(did)
        elif known.version != version:
            self.discussions[did] = replace(known, version=version)
            # What the list told is current as of the first message.
            if known.version:
                self.newDiscussions.add(did)

    def learnDiscussion(self, details: DiscussionDetails) -> None:
        """
        This is what a discussion of ours is like now.
        """
        known = self.discussions.get(details.did) or Discussion(details.did, "")
        self.discussions[details.did] = replace(
            known, name=details.name, version=details.version
        )

    def changeDiscussion(self, did: Did, **changes: Any) -> None:
        """
        Something about a discussion is otherwise.
        """
        known = self.discussions.get(did)
        if known is not None:
            self.discussions[did] = replace(known, **changes)

    def leaveDiscussion(self, did: Did) -> None:
        """
        We are no longer in a discussion.
        """
        self.discussions.pop(did, None)
