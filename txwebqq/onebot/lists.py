"""
The lists of friends, groups and members that OneBot 11 gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    Buddy,
    Category,
    Code,
    FriendList,
    Gid,
    Group,
    GroupDetails,
    GroupList,
    Member,
    Number,
    Profile,
    Status,
    Uin,
)
from txwebqq.onebot.reading import idIn, objectsIn, textIn

_ROLES = {"owner": 1, "admin": 1}


def readFriends(data: Any, categories: Any = None) -> FriendList:
    """
    Read the answers to C{get_friend_list} and C{get_friends_with_category}.

    The presence of friends is not told: all appear online.
    """
    buddies: dict[Uin, Buddy] = {}
    found, placed = _readCategories(categories)
    for friend in objectsIn(data):
        uin = Uin(idIn(friend, "user_id"))
        nick = textIn(friend, "nickname")
        remark = textIn(friend, "remark")
        if uin:
            buddies[uin] = Buddy(
                uin,
                nick,
                "" if remark == nick else remark,
                placed.get(uin, 0),
                status=Status.ONLINE,
                clientType=1,
            )
    return FriendList(buddies, found)


def _readCategories(data: Any) -> tuple[tuple[Category, ...], dict[Uin, int]]:
    found: dict[int, Category] = {}
    placed: dict[Uin, int] = {}
    for sort, category in enumerate(objectsIn(data)):
        index = idIn(category, "categoryId")
        # Category 0 always exists.
        if index:
            found[index] = Category(index, textIn(category, "categoryName"), sort)
        for friend in objectsIn(category.get("buddyList")):
            placed.setdefault(Uin(idIn(friend, "user_id")), index)
    return tuple(found.values()), placed


def readGroups(data: Any) -> GroupList:
    """
    Read the answer to C{get_group_list}.
    """
    groups: dict[Gid, Group] = {}
    for group in objectsIn(data):
        number = idIn(group, "group_id")
        if number:
            groups[Gid(number)] = Group(
                Gid(number),
                Code(number),
                textIn(group, "group_name") or str(number),
                textIn(group, "group_remark"),
            )
    return GroupList(groups)


def readDetails(group: Mapping[str, Any], members: Any) -> GroupDetails:
    """
    Read the answers to C{get_group_info} and C{get_group_member_list}.
    """
    number = idIn(group, "group_id")
    owner = 0
    found = []
    for member in objectsIn(members):
        uin = idIn(member, "user_id")
        role = textIn(member, "role")
        owner = uin if role == "owner" else owner
        if uin:
            found.append(
                Member(
                    Uin(uin),
                    textIn(member, "nickname"),
                    textIn(member, "card"),
                    flag=_ROLES.get(role, 0),
                    gender=textIn(member, "sex", "unknown"),
                    status=Status.ONLINE,
                    clientType=1,
                )
            )
    return GroupDetails(
        Gid(number),
        Code(number),
        textIn(group, "group_name") or str(number),
        Uin(owner),
        tuple(found),
        markname=textIn(group, "group_remark"),
    )


def readProfile(data: Mapping[str, Any]) -> Profile:
    """
    Read the answer to C{get_stranger_info}.
    """
    uin = idIn(data, "user_id")
    return Profile(
        Uin(uin),
        textIn(data, "nickname"),
        gender=textIn(data, "sex", "unknown"),
        number=Number(uin),
        signature=textIn(data, "long_nick"),
    )
