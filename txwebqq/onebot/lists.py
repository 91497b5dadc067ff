"""
The lists of friends, groups and members that OneBot 11 gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    Buddy,
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
from txwebqq.onebot.reading import numberIn, objectsIn, textIn

_ROLES = {"owner": 1, "admin": 1}


def readFriends(data: Any) -> FriendList:
    """
    Read the answer to C{get_friend_list}.

    The presence of friends is not told: all appear online.
    """
    buddies: dict[Uin, Buddy] = {}
    for friend in objectsIn(data):
        uin = Uin(numberIn(friend, "user_id"))
        nick = textIn(friend, "nickname")
        remark = textIn(friend, "remark")
        if uin:
            buddies[uin] = Buddy(
                uin,
                nick,
                "" if remark == nick else remark,
                status=Status.ONLINE,
                clientType=1,
            )
    return FriendList(buddies, ())


def readGroups(data: Any) -> GroupList:
    """
    Read the answer to C{get_group_list}.
    """
    groups: dict[Gid, Group] = {}
    for group in objectsIn(data):
        number = numberIn(group, "group_id")
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
    number = numberIn(group, "group_id")
    owner = 0
    found = []
    for member in objectsIn(members):
        uin = numberIn(member, "user_id")
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
    uin = numberIn(data, "user_id")
    return Profile(
        Uin(uin),
        textIn(data, "nickname"),
        gender=textIn(data, "sex", "unknown"),
        number=Number(uin),
        signature=textIn(data, "long_nick"),
    )
