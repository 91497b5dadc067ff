"""
The lists of one sign-on, as events change them.
"""

from __future__ import annotations

from txwebqq.model import (
    Buddy,
    Category,
    Code,
    FriendList,
    Gid,
    Group,
    GroupList,
    Number,
    Presence,
    Status,
    StatusChange,
    Typing,
    Uin,
)
from txwebqq.roster import Roster

BOB, CAROL, NOBODY = Uin(7), Uin(8), Uin(9)
FRIENDS = FriendList(
    {BOB: Buddy(BOB, "Bob"), CAROL: Buddy(CAROL, "Carol")}, (Category(1, "work"),)
)
GROUPS = GroupList({Gid(1): Group(Gid(1), Code(11), "cats")})


def test_empty() -> None:
    """
    An empty roster has no friends, and ignores events about them.
    """
    roster = Roster()
    roster.apply(StatusChange(BOB, Status.AWAY))
    assert (roster.buddies, roster.groups, roster.categories) == ({}, {}, ())


def test_lists() -> None:
    """
    A roster has the lists that were read; a friend without a presence is
    offline.
    """
    present = [Presence(BOB, Status.BUSY, 41), Presence(NOBODY, Status.ONLINE)]
    roster = Roster(FRIENDS, GROUPS, present)
    assert roster.buddies[BOB].status is Status.BUSY
    assert roster.buddies[BOB].clientType == 41
    assert roster.buddies[CAROL].status is Status.OFFLINE
    assert NOBODY not in roster.buddies
    assert roster.groups[Gid(1)].name == "cats"
    assert [category.name for category in roster.categories] == ["work"]


def test_ownLists() -> None:
    """
    Changes of the roster do not change the lists that it was made from.
    """
    roster = Roster(FRIENDS, GROUPS)
    roster.apply(StatusChange(BOB, Status.AWAY, 21))
    assert roster.buddies[BOB].status is Status.AWAY
    assert roster.buddies[BOB].clientType == 21
    assert FRIENDS.buddies[BOB].status is Status.OFFLINE


def test_others() -> None:
    """
    Events about accounts that are no friends, and typing notices, change
    nothing.
    """
    roster = Roster(FRIENDS, GROUPS)
    before = dict(roster.buddies)
    roster.apply(StatusChange(NOBODY, Status.ONLINE))
    roster.apply(Typing(BOB, Number(1)))
    assert roster.buddies == before
