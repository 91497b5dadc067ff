"""
Records of accounts, groups and discussions, keyed by their permanent numbers.
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

    @ivar firstHash: the MD5 of the password; the password itself is not kept.
    @ivar profile: further attributes of L{txwebqq.model.Profile}, by name.
    """

    number: Number
    firstHash: bytes = field(repr=False)
    nick: str
    face: int = 0
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FriendRecord:
    """
    A friend in an account's friend list.
    """

    number: Number
    nick: str
    face: int
    category: int
    markname: str


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """
    A category of a friend list.
    """

    index: int
    name: str
    sort: int


@dataclass(frozen=True, slots=True)
class FriendEntry:
    """
    The category and private nickname that an account has set for a friend.
    """

    category: int
    markname: str


@dataclass(frozen=True, slots=True)
class FriendRequestRecord:
    """
    An unanswered friend request.

    @ivar number: the account that has to answer it.
    @ivar asker: the account that sent it.
    @ivar category: the category of the asker's list for the new friend.
    @ivar time: Unix seconds.
    @ivar hasAdded: whether the asker has the other in its friend list already;
        then the other may add the asker without a request.
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
    The number of days and seconds for which an account has been online.
    """

    days: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """
    A group.

    @ivar memo: the announcement.
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

    @ivar markname: the member's private name for the group.
    @ivar mask: what the member does with the group's messages.
    """

    number: Number
    name: str
    markname: str
    mask: int


@dataclass(frozen=True, slots=True)
class GroupMemberRecord:
    """
    A member of a group.

    @ivar card: the member's name in the group.
    @ivar flag: bit 0 is set for administrators.
    """

    number: Number
    nick: str
    card: str
    flag: int
    profile: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """
    An unanswered request to join a group.

    @ivar number: the account that asks.
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

    @ivar version: increases when the members or the name change.
    """

    number: Number
    name: str
    owner: Number
    version: int


@dataclass(frozen=True, slots=True)
class DiscussionMembership:
    """
    A discussion in the list of one of its members.

    @ivar mask: what the member does with the discussion's messages.
    """

    number: Number
    name: str
    mask: int


@dataclass(frozen=True, slots=True)
class FriendshipEntry:
    """
    A friendship of a population file.

    @ivar between: the two accounts.
    @ivar categories: by the number of an account, the name or the index of the
        category that it has the other in.
    @ivar marknames: by the number of an account, its private nickname for the
        other.
    @ivar onlyListOwner: the account that has the other in its friend list when the
        friendship is one-sided; L{None} when both do.
    """

    between: tuple[Number, Number]
    categories: Mapping[Number, str | int] = field(default_factory=dict)
    marknames: Mapping[Number, str] = field(default_factory=dict)
    onlyListOwner: Number | None = None

    @property
    def listOwners(self) -> tuple[Number, ...]:
        """
        The accounts that have the other in their friend list.
        """
        return self.between if self.onlyListOwner is None else (self.onlyListOwner,)


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """
    A group of a population file, with its members.

    @ivar cards: by the number of a member, the member's name in the group.
    """

    group: GroupRecord
    members: tuple[Number, ...]
    admins: frozenset[Number] = frozenset()
    cards: Mapping[Number, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiscussionEntry:
    """
    A discussion of a population file, with its members.
    """

    number: Number
    name: str
    owner: Number
    members: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """
    Accounts, friendships, groups and discussions, as in a population file.

    @ivar categories: by the number of an account, the categories of its friend
        list.
    """

    accounts: tuple[AccountRecord, ...] = ()
    friendships: tuple[FriendshipEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    discussions: tuple[DiscussionEntry, ...] = ()
    categories: Mapping[Number, tuple[CategoryRecord, ...]] = field(
        default_factory=dict
    )


LOWEST_NUMBER = 10001
"""Lowest number of an account, group or discussion."""

HIGHEST_NUMBER = 2**32 - 1
"""Highest number of an account, group or discussion."""
