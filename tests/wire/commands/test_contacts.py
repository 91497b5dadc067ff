"""
Contact lists of servers that leave things out, or exaggerate.
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


def answer(result: Any) -> bytes:
    """
    The body of a success.
    """
    return json.dumps({"retcode": 0, "result": result}).encode()


def test_sparse() -> None:
    """
    A friend needs a uin, a group its ids, a name and an owner, no more; null
    and empty objects mean nothing known.
    """
    friends = {"friends": [{"uin": LIN, "categories": None}], "marknames": [{}]}
    assert GetUserFriends2.decodeReply(answer(friends)) == FriendList(
        {LIN: Buddy(LIN, "")}
    )
    person = {"uin": LIN, "nick": None, "face": "", "birthday": None}
    assert GetFriendInfo2.decodeReply(answer(person)) == Profile(LIN, "")
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
    assert GetGroupInfoExt2.decodeReply(answer(group)) == GroupDetails(
        TEAHOUSE, TEAHOUSE_CODE, "茶馆", QIU, (Member(QIU, ""),)
    )


@pytest.mark.parametrize("member", ["categories", "flag"])
@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**4000, "9" * 30])
def test_absurd(member: str, value: Any) -> None:
    """
    What is no more than a detail is bounded, too.
    """
    friends = {"friends": [{"uin": LIN, member: value}]}
    with pytest.raises(MalformedReply):
        GetUserFriends2.decodeReply(answer(friends))
