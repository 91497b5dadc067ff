"""
Friend list, group list, details of a group, and permanent numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import field

from txwebqq.model import (
    Buddy,
    Category,
    Code,
    FriendList,
    Group,
    GroupDetails,
    GroupList,
    GroupMute,
    Member,
    Number,
    Status,
    Uin,
)
from txwebqq.values import SECRET, Value
from txwebqq.wire.coerce import (
    SHAPE_ERRORS,
    column,
    count,
    decodeEach,
    integer,
    listIn,
    textOf,
    unsigned,
)
from txwebqq.wire.endpoints import ApiGet, ApiPost
from txwebqq.wire.form import Form
from txwebqq.wire.parameters import TEXT, Parameter
from txwebqq.wire.profilefields import ProfileCommand
from txwebqq.wire.record import SIGNED, UNSIGNED, Record

GLOBAL_MASK = 1000
"""The gid in the list of masks whose mask is that of all groups."""

# The ptwebqq can be computed from one of the hashes.
_Hash = Annotated[str, SECRET, Parameter(TEXT.read, lambda text: text or None)]

_UNKNOWN: Mapping[str, Any] = {}
_CATEGORY = Record(Category, "index sort name?", index=SIGNED, sort=SIGNED)


def _rows(entries: Any, key: str) -> dict[int, Mapping[str, Any]]:
    """
    Index the objects in a list by one of their members.
    """
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        try:
            found[unsigned(entry[key])] = entry
        except SHAPE_ERRORS:
            # Tencent's lists had empty objects in them.
            continue
    return found


def _vipRows(people: Iterable[Buddy | Member]) -> list[dict[str, Any]]:
    return [
        {"vip_level": p.vipLevel, "u": p.uin, "is_vip": int(p.vipLevel > 0)}
        for p in people
    ]


class GetUserFriends2(ApiPost[FriendList]):
    """
    Fetch the friend list (protocol.md 2.3.1). The reply has the details of a friend in
    several lists.

    @ivar hash: the hash that later servers require, C{""} for none
        (protocol.md 3.4).
    """

    path = "/api/get_user_friends2"
    aliases = ("/api/get_user_friend2",)
    order = "h=hello hash"
    isIdempotent = True

    hash: _Hash = ""

    @classmethod
    def encodeResult(cls, reply: FriendList) -> Any:
        buddies = list(reply.buddies.values())
        return {
            "friends": [
                {"flag": b.flag, "uin": b.uin, "categories": b.category}
                for b in buddies
            ],
            "marknames": [
                {"uin": b.uin, "markname": b.markname, "type": 0}
                for b in buddies
                if b.markname
            ],
            "categories": [_CATEGORY.write(category) for category in reply.categories],
            "vipinfo": _vipRows(buddies),
            "info": [
                {"face": b.face, "flag": b.flag, "nick": b.nick, "uin": b.uin}
                for b in buddies
            ],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> FriendList:
        info = _rows(listIn(result, "info"), "uin")
        marknames = column(listIn(result, "marknames"), "uin", "markname", textOf)
        vips = column(listIn(result, "vipinfo"), "u", "vip_level", count)

        def decodeFriend(friend: Any) -> Buddy:
            uin = unsigned(friend["uin"])
            known = info.get(uin, _UNKNOWN)
            return Buddy(
                uin,
                textOf(known.get("nick")),
                marknames.get(uin, ""),
                count(friend.get("categories")),
                count(known.get("face")),
                count(friend.get("flag")),
                vips.get(uin, 0),
            )

        friends = decodeEach(decodeFriend, listIn(result, "friends"))
        categories = decodeEach(_CATEGORY.read, listIn(result, "categories"))
        return FriendList({buddy.uin: buddy for buddy in friends}, tuple(categories))


class GetGroupNameListMask2(ApiPost[GroupList]):
    """
    Fetch the group list (protocol.md 2.5.1). The reply has the details of a group in
    several lists.

    @ivar hash: the hash that later servers require, C{""} for none
        (protocol.md 3.4).
    """

    path = "/api/get_group_name_list_mask2"
    order = "vfwebqq hash"
    tail = ""
    isIdempotent = True

    hash: _Hash = ""

    @classmethod
    def encodeResult(cls, reply: GroupList) -> Any:
        groups = list(reply.groups.values())
        return {
            "gmasklist": [
                {"gid": GLOBAL_MASK, "mask": reply.globalMask},
                *({"gid": g.gid, "mask": g.mask} for g in groups),
            ],
            "gnamelist": [
                {"flag": g.flag, "name": g.name, "gid": g.gid, "code": g.code}
                for g in groups
            ],
            "gmarklist": [
                {"uin": g.gid, "markname": g.markname} for g in groups if g.markname
            ],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> GroupList:
        masks = column(listIn(result, "gmasklist"), "gid", "mask", count)
        marknames = column(listIn(result, "gmarklist"), "uin", "markname", textOf)

        def decodeGroup(entry: Any) -> Group:
            gid = unsigned(entry["gid"])
            return Group(
                gid=gid,
                code=unsigned(entry["code"]),
                name=textOf(entry.get("name")),
                markname=marknames.get(gid, ""),
                flag=count(entry.get("flag")),
                mask=masks.get(gid, 0),
            )

        groups = decodeEach(decodeGroup, listIn(result, "gnamelist"))
        globalMask = masks.get(GLOBAL_MASK, 0)
        return GroupList({group.gid: group for group in groups}, globalMask)


_GROUP = Record(
    GroupDetails,
    "face memo class:classId fingermemo:description code createtime:created flag level"
    " name? gid owner markname members= option",
    face=SIGNED,
    classId=SIGNED,
    created=SIGNED,
    flag=SIGNED,
    level=SIGNED,
    option=SIGNED,
)

_OFFLINE = Status.OFFLINE, 0


def _decodeStat(entry: Any) -> tuple[int, tuple[Status, int]]:
    status = Status.fromCode(integer(entry.get("stat", 20)))
    return unsigned(entry["uin"]), (status, count(entry.get("client_type")))


_MUTE = Record(GroupMute, "muin:member seconds")


class GetGroupInfoExt2(ApiGet[GroupDetails]):
    """
    Fetch the details and the members of a group (protocol.md 2.5.2). The reply has the
    details of a member in several lists.
    """

    path = "/api/get_group_info_ext2"
    isIdempotent = True

    code: Code = field(name="gcode")

    @classmethod
    def encodeResult(cls, reply: GroupDetails) -> Any:
        members = [{"muin": m.uin, "mflag": m.flag} for m in reply.members]
        # Ours: other clients do not look at it.
        mutes = {"mutes": [_MUTE.write(each) for each in reply.mutes]}
        return {
            "ginfo": _GROUP.write(reply) | {"members": members},
            "minfo": [
                {
                    "nick": m.nick,
                    "province": m.province,
                    "gender": m.gender,
                    "uin": m.uin,
                    "country": m.country,
                    "city": m.city,
                }
                for m in reply.members
            ],
            "stats": [
                {"client_type": m.clientType, "uin": m.uin, "stat": m.status.code}
                for m in reply.members
                if m.status is not Status.OFFLINE
            ],
            "cards": [{"muin": m.uin, "card": m.card} for m in reply.members if m.card],
            "vipinfo": _vipRows(reply.members),
            **(mutes if reply.mutes else {}),
        }

    @classmethod
    def decodeResult(cls, result: Any) -> GroupDetails:
        profiles = _rows(listIn(result, "minfo"), "uin")
        stats = dict(decodeEach(_decodeStat, listIn(result, "stats")))
        cards = column(listIn(result, "cards"), "muin", "card", textOf)
        vips = column(listIn(result, "vipinfo"), "u", "vip_level", count)

        def decodeMember(entry: Any) -> Member:
            uin = unsigned(entry["muin"])
            known = profiles.get(uin, _UNKNOWN)
            status, clientType = stats.get(uin, _OFFLINE)
            return Member(
                uin=uin,
                nick=textOf(known.get("nick")),
                card=cards.get(uin, ""),
                flag=count(entry.get("mflag")),
                gender=textOf(known.get("gender", "unknown")),
                country=textOf(known.get("country")),
                province=textOf(known.get("province")),
                city=textOf(known.get("city")),
                vipLevel=vips.get(uin, 0),
                status=status,
                clientType=clientType,
            )

        mutes = tuple(decodeEach(_MUTE.read, listIn(result, "mutes")))
        # Read last, so that an error in it is said to be there.
        info = result["ginfo"]
        members = decodeEach(decodeMember, listIn(info, "members"))
        # Clients of Tencent's server found members several times.
        once = {member.uin: member for member in members}
        return _GROUP.read(info, members=tuple(once.values()), mutes=mutes)


class GetFriendInfo2(ProfileCommand):
    """
    Fetch the profile of a friend (protocol.md 2.3.2).
    """

    path = "/api/get_friend_info2"


FRIEND_NUMBER = 1
GROUP_NUMBER = 4


class Identity(Value):
    """
    The permanent number of a uin or of a group's code.
    """

    uin: Uin | Code
    number: Number


def _readUin(form: Form, name: str, default: None) -> int:
    # One family of clients misspells the name.
    return form.integer(name if name in form else "tuid")


class GetFriendUin2(ApiGet[Identity]):
    """
    Fetch the permanent number of a uin or of a group's code (protocol.md 2.3.6).

    @ivar kind: L{FRIEND_NUMBER} for a uin, L{GROUP_NUMBER} for a code.
    """

    path = "/api/get_friend_uin2"
    order = "tuin verifysession= type code="
    isIdempotent = True
    result = Record(Identity, "uiuin= account:number uin", uin=UNSIGNED)

    uin: Annotated[Uin | Code, Parameter(_readUin, int)] = field(name="tuin")
    kind: int = field(name="type", default=FRIEND_NUMBER)
