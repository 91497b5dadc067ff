"""
Groups and their members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

from txwebqq.model.contacts import Number, Status, Uin

Gid = NewType("Gid", int)
"""A group, within one session: where messages go to and come from."""

Code = NewType("Code", int)
"""A group, within one session: what its details are asked by."""


@dataclass(frozen=True, slots=True)
class Group:
    """
    A group that we are in, as the group list has it.

    @ivar mask: 0 notify, 1 receive quietly, 2 receive nothing.
    """

    gid: Gid
    code: Code
    name: str
    markname: str = ""
    flag: int = 0
    mask: int = 0


@dataclass(frozen=True, slots=True)
class GroupList:
    """
    The answer of the group list.

    @ivar globalMask: 0 each group by its own mask, 1 notify of all, 2 receive
        all quietly, 3 receive nothing.
    """

    groups: Mapping[Gid, Group]
    globalMask: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """
    Somebody in a group.

    @ivar card: the name they carry in this group, or C{""}.
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
        What to show in the group.
        """
        return self.card or self.nick or str(self.uin)

    @property
    def isAdmin(self) -> bool:
        """
        Bit 0 of C{mflag} (protocol.md 2.5.2).
        """
        return bool(self.flag & 1)


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """
    A group with its members.

    @ivar memo: the announcement.
    @ivar description: C{fingermemo} on the wire.
    @ivar created: Unix seconds.
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


MAY_JOIN, MAY_ASK, MAY_NOT_JOIN = 1, 2, 3
"""The C{option} of a group: anybody joins, the administrators decide, nobody
joins."""


@dataclass(frozen=True, slots=True)
class GroupProfile:
    """
    What a group shows to whoever considers joining (protocol.md 2.5.3).

    @ivar memo: the announcement, C{""} for those outside.
    @ivar description: C{fingermemo} on the wire.
    @ivar option: L{MAY_JOIN}, L{MAY_ASK} or L{MAY_NOT_JOIN}.
    @ivar created: Unix seconds.
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


@dataclass(frozen=True, slots=True)
class BusinessCard:
    """
    What somebody tells about themselves in one group (protocol.md 2.5.3).

    @ivar name: what the others call them there.
    @ivar gender: 0 male, 1 female, 2 unsaid.
    """

    name: str = ""
    phone: str = ""
    email: str = ""
    remark: str = ""
    gender: int = 2


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """
    A group that a search has found.

    @ivar number: its permanent number.
    @ivar code: what to join it by.
    @ivar owner: the owner's permanent number.
    """

    number: Number
    code: Code
    name: str
    owner: Number = Number(0)
    description: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """
    One page of what a search has found.

    @ivar total: how many there are on all pages.
    """

    groups: tuple[FoundGroup, ...]
    total: int
    page: int = 1


@dataclass(frozen=True, slots=True)
class NewGroup:
    """
    The ids of a group that we have just made.
    """

    gid: Gid
    code: Code
    number: Number
