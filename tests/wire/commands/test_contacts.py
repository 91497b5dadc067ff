"""
Contact lists with missing or extreme values.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.rows import LIN, QIU, TEAHOUSE, TEAHOUSE_CODE
from txwebqq.model import (
    Buddy,
    Category,
    DiscussionList,
    FriendList,
    Group,
    GroupDetails,
    GroupList,
    Member,
    Profile,
)
from txwebqq.wire.command import Command
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
    GetUserFriends2,
)
from txwebqq.wire.commands.discussions import (
    GetDiscuInfo,
    GetDiscuListNew2,
    GetDiscuStatusInfo,
)
from txwebqq.wire.commands.groups import GetGroupMemberStat2
from txwebqq.wire.commands.history import ChatLogDates
from txwebqq.wire.commands.messages import GetOnlineBuddies2
from txwebqq.wire.commands.profiles import BatchGetVipinfo

LISTS: dict[type[Command[Any]], tuple[str, ...]] = {
    GetUserFriends2: ("friends", "info", "marknames", "vipinfo", "categories"),
    GetGroupNameListMask2: ("gnamelist", "gmasklist", "gmarklist"),
    GetDiscuListNew2: ("dnamelist", "dmasklist"),
    GetDiscuStatusInfo: ("mem_status",),
    GetOnlineBuddies2: (),
    BatchGetVipinfo: ("vipinfo",),
    GetGroupMemberStat2: ("stats",),
    ChatLogDates: ("info",),
}


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
    Numbers have limits; a friend with an extreme one is left out.
    """
    friends = {"friends": [{"uin": LIN, member: value}, {"uin": QIU}]}
    assert GetUserFriends2.decodeReply(success(friends)) == FriendList(
        {QIU: Buddy(QIU, "")}
    )


def test_brokenDetail() -> None:
    """
    A malformed private name, VIP level, presence or mask is not known; the friend,
    the member or the group stays in the list.
    """
    friends = {
        "friends": [{"uin": LIN}],
        "marknames": [{"uin": LIN, "markname": []}],
        "vipinfo": [{"u": LIN, "vip_level": 2**63}],
    }
    assert GetUserFriends2.decodeReply(success(friends)) == FriendList(
        {LIN: Buddy(LIN, "")}
    )
    group = {
        "ginfo": {
            "gid": TEAHOUSE,
            "code": TEAHOUSE_CODE,
            "owner": QIU,
            "members": [{"muin": QIU}],
        },
        "cards": [{"muin": QIU, "card": {}}],
        "stats": [{"uin": QIU, "stat": "x"}],
    }
    assert GetGroupInfoExt2.decodeReply(success(group)) == GroupDetails(
        TEAHOUSE, TEAHOUSE_CODE, "", QIU, (Member(QIU, ""),)
    )
    groups = {
        "gnamelist": [{"gid": TEAHOUSE, "code": TEAHOUSE_CODE}],
        "gmasklist": [{"gid": 1000, "mask": "x"}, {"gid": TEAHOUSE, "mask": "x"}],
    }
    assert GetGroupNameListMask2.decodeReply(success(groups)) == GroupList(
        {TEAHOUSE: Group(TEAHOUSE, TEAHOUSE_CODE, "")}
    )


BROKEN: list[Any] = [None, "ok", 1, [], {}, {"uin": -1}, {"uin": []}]


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("missing", [{}, {"all": None}, {"all": {}}, {"all": BROKEN}])
def test_incomplete(command: type[Command[Any]], missing: dict[str, Any]) -> None:
    """
    A list that is missing or no list is empty, and a broken entry is left out:
    neither must keep an account offline.
    """
    empty: dict[str, Any] = {}
    result: Any = dict.fromkeys(LISTS[command], missing["all"]) if missing else empty
    if command is GetOnlineBuddies2:
        result = missing.get("all")
    assert command.decodeReply(success(result)) == command.decodeReply(success(empty))


def test_repeated() -> None:
    """
    A member that a list has several times is one member.
    """
    entries = [{"muin": QIU}, {"muin": LIN}, {"muin": QIU}]
    people = [{"uin": QIU, "nick": "秋"}, {"uin": LIN, "nick": "林"}]
    ginfo = {"gid": TEAHOUSE, "code": TEAHOUSE_CODE, "owner": QIU, "members": entries}
    group = GetGroupInfoExt2.decodeResult({"ginfo": ginfo, "minfo": people})
    assert [member.nick for member in group.members] == ["秋", "林"]
    listed = [{"mem_uin": entry["muin"]} for entry in entries]
    info = {"info": {"did": 1, "mem_list": listed}, "mem_info": people}
    discussion = GetDiscuInfo.decodeResult(info)
    assert [member.nick for member in discussion.members] == ["秋", "林"]


@pytest.mark.parametrize("result", [None, "ok", []])
def test_noLists(result: Any) -> None:
    """
    The same for a result that is no object.
    """
    assert GetUserFriends2.decodeReply(success(result)) == FriendList({})
    assert GetGroupNameListMask2.decodeReply(success(result)) == GroupList({})
    assert GetDiscuListNew2.decodeReply(success(result)) == DiscussionList({})
    assert GetOnlineBuddies2.decodeReply(success(result)) == ()


def test_controlCharacters() -> None:
    """
    A nickname with control characters that are not escaped does not lose the
    list.
    """
    lists = {"friends": [{"uin": LIN}], "info": [{"uin": LIN, "nick": "NICK"}]}
    body = success(lists).replace(b"NICK", b"a\x01\tb\n")
    assert GetUserFriends2.decodeReply(body) == FriendList(
        {LIN: Buddy(LIN, "a\x01\tb\n")}
    )


def test_nameless() -> None:
    """
    A category or a group without a name has the name C{""}.
    """
    lists = {"categories": [{"index": 1}, {"name": "nowhere"}, {"index": 2, "name": 7}]}
    friends = GetUserFriends2.decodeReply(success(lists))
    assert friends == FriendList({}, (Category(1, ""), Category(2, "7")))
    groups = {"gnamelist": [{"gid": TEAHOUSE, "code": TEAHOUSE_CODE}, {"gid": 5}]}
    assert GetGroupNameListMask2.decodeReply(success(groups)) == GroupList(
        {TEAHOUSE: Group(TEAHOUSE, TEAHOUSE_CODE, "")}
    )
