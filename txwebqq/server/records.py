"""
What the server knows of people and groups, by their permanent numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txwebqq.model import MAY_ASK, Number


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """
    An account.

    @ivar firstHash: the MD5 of the password, all that is kept of it.
    @ivar profile: further members of L{txwebqq.model.Profile}, by name.
    """

    number: Number
    firstHash: bytes = field(repr=False)
    nick: str
    face: int = 0
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FriendRecord:
    """
    A friend, as somebody keeps them.
    """

    number: Number
    nick: str
    face: int
    category: int
    markname: str


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """
    A category of somebody's friend list.
    """

    index: int
    name: str
    sort: int


@dataclass(frozen=True, slots=True)
class FriendEntry:
    """
    How somebody keeps a friend: in which category, and by what name.
    """

    category: int
    markname: str


@dataclass(frozen=True, slots=True)
class FriendRequestRecord:
    """
    Somebody wants to be another one's friend.

    @ivar category: where the asker wants to keep them.
    @ivar time: Unix seconds.
    @ivar hasAdded: whether the asker has them for a friend already, and lets
        them have the same without asking.
    """

    number: Number
    asker: Number
    text: str
    category: int
    time: int
    hasAdded: bool = False


@dataclass(frozen=True, slots=True)
class OnlineTime:
    """
    On how many days somebody was signed on, and for how long.
    """

    days: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """
    A group.

    @ivar created: Unix seconds.
    @ivar option: who may join (L{txwebqq.model.MAY_ASK}).
    """

    number: Number
    name: str
    owner: Number
    memo: str = ""
    description: str = ""
    created: int = 0
    option: int = MAY_ASK


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """
    A group in the list of one of its members.
    """

    number: Number
    name: str
    markname: str
    mask: int


@dataclass(frozen=True, slots=True)
class GroupMemberRecord:
    """
    A member of a group.

    @ivar flag: bit 0 for administrators.
    """

    number: Number
    nick: str
    card: str
    flag: int
    profile: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """
    Somebody wants into a group.

    @ivar time: Unix seconds.
    """

    group: Number
    number: Number
    text: str
    time: int


@dataclass(frozen=True, slots=True)
class DiscussionRecord:
    """
    A discussion.

    @ivar version: another one whenever the members or the name change.
    """

    number: Number
    name: str
    owner: Number
    version: int


@dataclass(frozen=True, slots=True)
class DiscussionMembership:
    """
    A discussion in the list of one of its members.
    """

    number: Number
    name: str
    mask: int


# ---- what a population file adds


@dataclass(frozen=True, slots=True)
class FriendshipEntry:
    """
    Two people who are friends.

    @ivar categories: by the number of who keeps it, the name of the category
        for the other one, or its index.
    @ivar marknames: likewise, the name for the other one.
    @ivar keptBy: the only one who has the other for a friend, L{None} when
        both do.
    """

    between: tuple[Number, Number]
    categories: Mapping[Number, str | int] = field(default_factory=dict)
    marknames: Mapping[Number, str] = field(default_factory=dict)
    keptBy: Number | None = None

    @property
    def listOwners(self) -> tuple[Number, ...]:
        """
        Who has the other for a friend.
        """
        return self.between if self.keptBy is None else (self.keptBy,)


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """
    A group with whoever is in it.

    @ivar cards: the names that members carry in it.
    """

    group: GroupRecord
    members: tuple[Number, ...]
    admins: frozenset[Number] = frozenset()
    cards: Mapping[Number, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiscussionEntry:
    """
    A discussion with whoever is in it.
    """

    number: Number
    name: str
    owner: Number
    members: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """
    People and what joins them.

    @ivar categories: by the number of who keeps them, their categories.
    """

    accounts: tuple[AccountRecord, ...] = ()
    friendships: tuple[FriendshipEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    discussions: tuple[DiscussionEntry, ...] = ()
    categories: Mapping[Number, tuple[CategoryRecord, ...]] = field(
        default_factory=dict
    )


LOWEST_NUMBER = 10001

HIGHEST_NUMBER = 2**32 - 1
