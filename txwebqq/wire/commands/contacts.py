"""
Friend list, group list, details of a group, and permanent numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from txwebqq.model import (
    Buddy,
    Category,
    Code,
    FriendList,
    Group,
    GroupDetails,
    GroupList,
    Member,
    Number,
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import (
    decodeEach,
    integer,
    listIn,
    textOf,
    unsigned,
)
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer, apiQuery
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.profilefields import ProfileCommand

GLOBAL_MASK = 1000
"""The gid in the list of masks whose mask is that of all groups."""


_NOTHING: Mapping[str, Any] = {}
# One reply may have thousands.


def _by(key: str, result: Any, name: str) -> dict[int, Mapping[str, Any]]:
    """
    Index the entries of a list in a result by one of their members.
    """
    # Tencent's lists had empty objects in them.
    entries = listIn(result, name)
    return dict(decodeEach(lambda item: (unsigned(item[key]), item), entries))


def _count(value: Any) -> int:
    # Missing or empty for accounts that hide the detail.
    return integer(value) if value else 0


class GetUserFriends2(JSONCommand[FriendList]):
    """
    Fetch the friend list (protocol.md 2.3.1).

    @ivar hash: the hash that later servers require, C{""} for none
        (protocol.md 3.4).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_user_friends2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    aliases: ClassVar[tuple[str, ...]] = ("/api/get_user_friend2",)
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    # The ptwebqq can be computed from one of the hashes.
    hash: Secret = ""

    def encodeFields(self) -> Pairs:
        members = {"h": "hello", "vfwebqq": self.ticket.vfwebqq}
        if self.hash:
            members = {"h": "hello", "hash": self.hash, "vfwebqq": self.ticket.vfwebqq}
        return [("r", encodeJSON(members))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.text("hash", ""))

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
            "categories": [
                {"index": c.index, "sort": c.sort, "name": c.name}
                for c in reply.categories
            ],
            "vipinfo": [
                {"vip_level": b.vipLevel, "u": b.uin, "is_vip": int(b.vipLevel > 0)}
                for b in buddies
            ],
            "info": [
                {"face": b.face, "flag": b.flag, "nick": b.nick, "uin": b.uin}
                for b in buddies
            ],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> FriendList:
        info = _by("uin", result, "info")
        marks = _by("uin", result, "marknames")
        vips = _by("u", result, "vipinfo")

        def decodeFriend(friend: Any) -> Buddy:
            uin = unsigned(friend["uin"])
            known = info.get(uin, _NOTHING)
            return Buddy(
                uin,
                textOf(known.get("nick", "")),
                textOf(marks.get(uin, _NOTHING).get("markname", "")),
                _count(friend.get("categories")),
                _count(known.get("face")),
                _count(friend.get("flag")),
                _count(vips.get(uin, _NOTHING).get("vip_level")),
            )

        friends = decodeEach(decodeFriend, listIn(result, "friends"))
        categories = decodeEach(_decodeCategory, listIn(result, "categories"))
        return FriendList({buddy.uin: buddy for buddy in friends}, tuple(categories))


def _decodeCategory(value: Any) -> Category:
    name = textOf(value.get("name", ""))
    return Category(integer(value["index"]), name, _count(value.get("sort")))


class GetGroupNameListMask2(JSONCommand[GroupList]):
    """
    Fetch the group list (protocol.md 2.5.1).

    @ivar hash: the hash that later servers require, C{""} for none
        (protocol.md 3.4).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_group_name_list_mask2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    # The ptwebqq can be computed from one of the hashes.
    hash: Secret = ""

    def encodeFields(self) -> Pairs:
        members = {"vfwebqq": self.ticket.vfwebqq}
        if self.hash:
            members["hash"] = self.hash
        return [("r", encodeJSON(members))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.text("hash", ""))

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
        masks = _by("gid", result, "gmasklist")
        marks = _by("uin", result, "gmarklist")

        def decodeGroup(entry: Any) -> Group:
            gid = unsigned(entry["gid"])
            return Group(
                gid=gid,
                code=unsigned(entry["code"]),
                name=textOf(entry.get("name", "")),
                markname=textOf(marks.get(gid, {}).get("markname", "")),
                flag=_count(entry.get("flag")),
                mask=_count(masks.get(gid, {}).get("mask")),
            )

        groups = decodeEach(decodeGroup, listIn(result, "gnamelist"))
        globalMask = _count(masks.get(GLOBAL_MASK, {}).get("mask"))
        return GroupList({group.gid: group for group in groups}, globalMask)


class GetGroupInfoExt2(JSONCommand[GroupDetails]):
    """
    Fetch the details and the members of a group (protocol.md 2.5.2).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_group_info_ext2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    code: Code
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("gcode", str(self.code)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Code(form.integer("gcode")), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: GroupDetails) -> Any:
        return {
            "ginfo": {
                "face": reply.face,
                "memo": reply.memo,
                "class": reply.classId,
                "fingermemo": reply.description,
                "code": reply.code,
                "createtime": reply.created,
                "flag": reply.flag,
                "level": reply.level,
                "name": reply.name,
                "gid": reply.gid,
                "owner": reply.owner,
                "markname": reply.markname,
                "members": [{"muin": m.uin, "mflag": m.flag} for m in reply.members],
                "option": reply.option,
            },
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
            "vipinfo": [
                {"vip_level": m.vipLevel, "u": m.uin, "is_vip": int(m.vipLevel > 0)}
                for m in reply.members
            ],
        }

    @classmethod
    def decodeResult(cls, result: Any) -> GroupDetails:
        info = result["ginfo"]
        profiles = _by("uin", result, "minfo")
        stats = _by("uin", result, "stats")
        cards = _by("muin", result, "cards")
        vips = _by("u", result, "vipinfo")

        def decodeMember(entry: Any) -> Member:
            uin = unsigned(entry["muin"])
            known, stat = profiles.get(uin, {}), stats.get(uin, {})
            return Member(
                uin=uin,
                nick=textOf(known.get("nick", "")),
                card=textOf(cards.get(uin, {}).get("card", "")),
                flag=_count(entry.get("mflag")),
                gender=textOf(known.get("gender", "unknown")),
                country=textOf(known.get("country", "")),
                province=textOf(known.get("province", "")),
                city=textOf(known.get("city", "")),
                vipLevel=_count(vips.get(uin, {}).get("vip_level")),
                status=Status.fromCode(integer(stat.get("stat", 20))),
                clientType=_count(stat.get("client_type")),
            )

        members = decodeEach(decodeMember, listIn(info, "members"))
        return GroupDetails(
            gid=unsigned(info["gid"]),
            code=unsigned(info["code"]),
            name=textOf(info.get("name", "")),
            owner=unsigned(info["owner"]),
            # Clients of Tencent's server found members several times.
            members=tuple({member.uin: member for member in members}.values()),
            markname=textOf(info.get("markname", "")),
            memo=textOf(info.get("memo", "")),
            description=textOf(info.get("fingermemo", "")),
            face=_count(info.get("face")),
            classId=_count(info.get("class")),
            level=_count(info.get("level")),
            flag=_count(info.get("flag")),
            option=_count(info.get("option")),
            created=_count(info.get("createtime")),
        )


class GetFriendInfo2(ProfileCommand):
    """
    Fetch the profile of a friend (protocol.md 2.3.2).
    """

    path: ClassVar[str] = "/api/get_friend_info2"


FRIEND_NUMBER = 1
GROUP_NUMBER = 4


class Identity(Value):
    """
    The permanent number of a uin or of a group's code.
    """

    uin: Uin | Code
    number: Number


class GetFriendUin2(JSONCommand[Identity]):
    """
    Fetch the permanent number of a uin or of a group's code (protocol.md 2.3.6).

    @ivar kind: L{FRIEND_NUMBER} for a uin, L{GROUP_NUMBER} for a code.
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_friend_uin2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uin: Uin | Code
    kind: int = FRIEND_NUMBER
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("verifysession", ""),
            ("type", str(self.kind)),
            ("code", ""),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        # One family of clients misspells the name.
        uin = form.integer("tuid" if "tuin" not in form else "tuin")
        return cls(form.ticket, Uin(uin), form.integer("type", 1), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Identity) -> Any:
        return {"uiuin": "", "account": reply.number, "uin": reply.uin}

    @classmethod
    def decodeResult(cls, result: Any) -> Identity:
        return Identity(unsigned(result["uin"]), unsigned(result["account"]))
