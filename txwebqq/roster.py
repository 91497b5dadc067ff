"""
Friends, groups and discussions of one sign-on, kept current by events and
replies.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from msgspec.structs import replace

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
    FriendEdited,
    FriendList,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    Group,
    GroupEdited,
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


def _sortKey(category: Category) -> tuple[int, int]:
    return category.sort, category.index


class Roster:
    """
    The lists of friends, groups and discussions. They are fetched once for each
    sign-on; events change them before the application sees the events.

    @ivar globalMask: the message filter of all groups
        (L{txwebqq.model.GroupList}).
    @ivar newGroups: groups that an event has added and whose names are not
        known yet.
    @ivar newDiscussions: discussions that have changed since their details were
        fetched.
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
        # Friends that the next events add, and their private nicknames.
        self._profiles: dict[Uin, Buddy] = {}
        self._marknames: dict[Uin, str] = {}
        self.discussions: dict[Did, Discussion] = {}
        self.newGroups: set[Code] = set()
        self.newDiscussions: set[Did] = set()
        for presence in present:
            self._setStatus(presence.uin, presence.status, presence.clientType)

    def apply(self, event: Event) -> None:
        """
        Apply an event to the lists.
        """
        # The most frequent events, which change nothing. A pattern takes 100 ns for
        # each class that an event is not.
        if type(event) is Message:
            return
        if type(event) is GroupMessage and event.group in self.groups:
            return
        match event:
            case GroupMessage():
                self._addGroup(event.group, event.code, event.number)
            case StatusChange(uin, status, clientType):
                self._setStatus(uin, status, clientType)
            case RosterChange():
                for uin, category in event.added:
                    self.addBuddy(uin, category)
                for uin in event.removed:
                    self.removeBuddy(uin)
            case FriendEdited(uin, nick) if uin in self.buddies:
                self.buddies[uin] = replace(self.buddies[uin], nick=nick)
            case FriendshipNotice() if self._addedContacts(event, self.buddies):
                self.addBuddy(event.uin, event.category)
            case GroupNotice():
                self._applyGroupNotice(event)
            case GroupEdited(group=gid, name=str(name)) if gid in self.groups:
                self.groups[gid] = replace(self.groups[gid], name=name)
            case DiscussionMessage():
                self._applyDiscussionVersion(event.discussion, event.version)

    def _setStatus(self, uin: Uin, status: Status, clientType: int) -> None:
        buddy = self.buddies.get(uin)
        if buddy is not None:
            self.buddies[uin] = replace(buddy, status=status, clientType=clientType)

    # Friends.

    def unknownContacts(self, event: Event) -> list[Uin]:
        """
        List the friends that an event adds and whose profiles are not known.
        """
        # Nearly all events are neither of these.
        if not isinstance(event, RosterChange | FriendshipNotice):
            return []
        return self._addedContacts(event, {**self.buddies, **self._profiles})

    @staticmethod
    def _addedContacts(
        event: RosterChange | FriendshipNotice, known: Container[Uin]
    ) -> list[Uin]:
        if isinstance(event, RosterChange):
            added = [uin for uin, _ in event.added]
        elif event.step in (FriendshipStep.PASSED, FriendshipStep.PASSED_AND_ADDED):
            added = [event.uin]
        else:
            return []
        return [uin for uin in added if uin not in known]

    def addProfile(self, uin: Uin, profile: Profile | None) -> None:
        """
        Remember the profile of a friend that an event is about to add, L{None}
        if it could not be fetched.
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
        self._profiles[uin] = buddy

    def setPendingMarkname(self, uin: Uin, markname: str) -> None:
        """
        Set the private nickname of a friend who has yet to be added.
        """
        self._marknames[uin] = markname

    def addBuddy(self, uin: Uin, category: int) -> None:
        """
        Add a friend, or move a friend to another category.
        """
        added = self._profiles.pop(uin, Buddy(uin, ""))
        buddy = self.buddies.get(uin, added)
        markname = self._marknames.pop(uin, buddy.markname)
        self.buddies[uin] = replace(buddy, category=category, markname=markname)

    def removeBuddy(self, uin: Uin) -> None:
        """
        Remove a friend.
        """
        self.buddies.pop(uin, None)

    def changeBuddy(self, uin: Uin, **changes: Any) -> None:
        """
        Change attributes of a friend, if the account has this friend.
        """
        buddy = self.buddies.get(uin)
        if buddy is not None:
            self.buddies[uin] = replace(buddy, **changes)

    def setCategory(self, category: Category) -> None:
        """
        Add a category of the friend list, or change it.
        """
        others = [c for c in self.categories if c.index != category.index]
        self.categories = tuple(sorted([*others, category], key=_sortKey))

    def removeCategory(self, index: int) -> None:
        """
        Remove a category, and move its friends to the default one.
        """
        self.categories = tuple(c for c in self.categories if c.index != index)
        for buddy in list(self.buddies.values()):
            if buddy.category == index:
                self.changeBuddy(buddy.uin, category=0)

    # Groups.

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
        Return the group with a code, L{None} if the account is not a member.
        """
        return next((g for g in self.groups.values() if g.code == code), None)

    def changeGroup(self, code: Code, **changes: Any) -> None:
        """
        Change attributes of a group, if the account is a member.
        """
        group = self.groupByCode(code)
        if group is not None:
            self.groups[group.gid] = replace(group, **changes)

    def leaveGroup(self, code: Code) -> None:
        """
        Remove a group.
        """
        group = self.groupByCode(code)
        if group is not None:
            del self.groups[group.gid]

    # Discussions.

    def learnDiscussions(self, reply: DiscussionList) -> None:
        """
        Replace the list of discussions, but keep versions that are known.
        """
        known = self.discussions
        self.discussions = {
            did: replace(new, version=known[did].version) if did in known else new
            for did, new in reply.discussions.items()
        }

    def _applyDiscussionVersion(self, did: Did, version: int) -> None:
        known = self.discussions.get(did)
        if known is None:
            self.discussions[did] = Discussion(did, "", version=version)
            self.newDiscussions.add(did)
        elif known.version != version:
            self.discussions[did] = replace(known, version=version)
            # The list has no versions; it counts as that of the first message.
            if known.version:
                self.newDiscussions.add(did)

    def learnDiscussion(self, details: DiscussionDetails) -> None:
        """
        Set the name and the version of a discussion.
        """
        known = self.discussions.get(details.did) or Discussion(details.did, "")
        self.discussions[details.did] = replace(
            known, name=details.name, version=details.version
        )

    def changeDiscussion(self, did: Did, **changes: Any) -> None:
        """
        Change attributes of a discussion, if the account is a member.
        """
        known = self.discussions.get(did)
        if known is not None:
            self.discussions[did] = replace(known, **changes)

    def leaveDiscussion(self, did: Did) -> None:
        """
        Remove a discussion.
        """
        self.discussions.pop(did, None)
