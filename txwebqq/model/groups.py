"""
Groups and their members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

from txwebqq.model.contacts import Number, Status, Uin
from txwebqq.values import Value

Gid = NewType("Gid", int)
"""The session id of a group that its messages carry."""

Code = NewType("Code", int)
"""The session id of a group that look-ups use."""


class Group(Value):
    """
    A group of the group list.

    @ivar markname: our private name for the group, or C{""}.
    @ivar mask: what to do with messages: 0 notify, 1 receive silently, 2 block.
    """

    gid: Gid
    code: Code
    name: str
    markname: str = ""
    flag: int = 0
    mask: int = 0


class GroupList(Value):
    """
    The groups of an account.

    @ivar globalMask: what to do with messages: 0 as each group's mask says, 1 notify
        of all, 2 receive all silently, 3 block all.
    """

    groups: Mapping[Gid, Group]
    globalMask: int = 0


class Member(Value, gc=False):
    """
    A member of a group.

    @ivar card: the member's name in this group, or C{""}.
    """

    uin: Uin
    nick: str
    card: str = ""
    flag: int = 0
    gender: str = "unknown"
    country: str = ""
    province: str = ""
    city: str = ""
    vipLevel: int = 0
    status: Status = Status.OFFLINE
    clientType: int = 0

    @property
    def name(self) -> str:
        """
        The name to show in the group: the card, else the nickname, else the uin.
        """
        return self.card or self.nick or str(self.uin)

    @property
    def isAdmin(self) -> bool:
        """
        Whether the member is an administrator: bit 0 of C{mflag}
        (protocol.md 2.5.2).
        """
        return bool(self.flag & 1)


class GroupMute(Value):
    """
    A mute that lasts.

    @ivar member: 0 for all members but the owner and administrators.
    @ivar seconds: the rest of its length, L{txwebqq.model.FOREVER} for one that ends
        only when it is lifted.
    """

    member: Uin
    seconds: int


class GroupDetails(Value):
    """
    A group with its members.

    @ivar memo: the announcement.
    @ivar description: C{fingermemo} on the wire.
    @ivar created: when the group was created, Unix seconds.
    @ivar mutes: the mutes of members that have not ended.
    """

    gid: Gid
    code: Code
    name: str
    owner: Uin
    members: tuple[Member, ...]
    markname: str = ""
    memo: str = ""
    description: str = ""
    face: int = 0
    classId: int = 0
    level: int = 0
    flag: int = 0
    option: int = 0
    created: int = 0
    mutes: tuple[GroupMute, ...] = ()


MAY_JOIN, MAY_ASK, MAY_NOT_JOIN = 1, 2, 3
"""Rules for joining, the C{option} of a group: everybody may join; an administrator
decides; nobody may join."""


class GroupProfile(Value):
    """
    The details that a group shows before joining (protocol.md 2.5.3).

    @ivar memo: the announcement, C{""} for accounts that are no members.
    @ivar description: C{fingermemo} on the wire.
    @ivar option: L{MAY_JOIN}, L{MAY_ASK} or L{MAY_NOT_JOIN}.
    @ivar created: when the group was created, Unix seconds.
    """

    gid: Gid
    code: Code
    name: str
    owner: Uin
    memo: str = ""
    description: str = ""
    memberCount: int = 0
    maxMembers: int = 0
    face: int = 0
    classId: int = 0
    flag: int = 0
    option: int = MAY_ASK
    created: int = 0


class BusinessCard(Value):
    """
    The details of a member in one group (protocol.md 2.5.3).

    @ivar name: the member's name in the group.
    @ivar gender: 0 male, 1 female, 2 not stated.
    """

    name: str = ""
    phone: str = ""
    email: str = ""
    remark: str = ""
    gender: int = 2


class FoundGroup(Value):
    """
    A group that a search has found.

    @ivar code: the session id to join the group by.
    @ivar owner: the owner's permanent number.
    """

    number: Number
    code: Code
    name: str
    owner: Number = Number(0)
    description: str = ""


class FoundGroups(Value):
    """
    One page of a search for groups.

    @ivar total: the number of groups on all pages.
    """

    groups: tuple[FoundGroup, ...]
    total: int
    page: int = 1


class NewGroup(Value):
    """
    The ids of a group that the account has just created.
    """

    gid: Gid
    code: Code
    number: Number
