"""
Contact lists with missing or extreme values.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.rows import LIN, QIU, TEAHOUSE, TEAHOUSE_CODE
from txwebqq.errors import MalformedReply
from txwebqq.model import Buddy, FriendList, GroupDetails, Member, Profile
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetGroupInfoExt2,
    GetUserFriends2,
)


def success(result: Any) -> bytes:
    """
    Return the body of a successful reply.
    """
    return json.dumps({"retcode": 0, "result": result}).encode()


def test_sparse() -> None:
    """
    A friend needs only a uin, a group only its ids, a name and an owner; null and
    empty objects mean unknown details.
    """
    friends = {"friends": [{"uin": LIN, "categories": None}], "marknames": [{}]}
    assert GetUserFriends2.decodeReply(success(friends)) == FriendList(
        {LIN: Buddy(LIN, "")}
    )
    person = {"uin": LIN, "nick": None, "face": "", "birthday": None}
    assert GetFriendInfo2.decodeReply(success(person)) == Profile(LIN, "")
    group = {
        "ginfo": {
            "gid": TEAHOUSE,
            "code": TEAHOUSE_CODE,
            "name": "茶馆",
            "owner": QIU,
            "members": [{"muin": QIU}],
        },
        "cards": [{}, {"muin": LIN, "card": "gone"}],
    }
    assert GetGroupInfoExt2.decodeReply(success(group)) == GroupDetails(
        TEAHOUSE, TEAHOUSE_CODE, "茶馆", QIU, (Member(QIU, ""),)
    )


@pytest.mark.parametrize("member", ["categories", "flag"])
@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**4000, "9" * 30])
def test_absurd(member: str, value: Any) -> None:
    """
    Numbers of mere details have limits, too.
    """
    friends = {"friends": [{"uin": LIN, member: value}]}
    with pytest.raises(MalformedReply):
        GetUserFriends2.decodeReply(success(friends))
