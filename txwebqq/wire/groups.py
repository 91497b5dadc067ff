"""
Groups beyond the list and the details: cards, joining and leaving, searching,
masks, and their administration.

What WebQQ's own page could not do, administering a group above all, has
endpoints of ours in the same style (docs/readings.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    MAY_ASK,
    BusinessCard,
    Code,
    Did,
    FoundGroup,
    FoundGroups,
    Gid,
    GroupProfile,
    NewGroup,
    Presence,
    Status,
    Uin,
)
from txwebqq.wire.command import (
    Fields,
    Host,
    JSONCommand,
    OKCommand,
    Pairs,
    Referer,
    Refusal,
    Ticket,
    apiForm,
    apiQuery,
    channelQuery,
    decodeText,
    encodeJSON,
    guarded,
    integer,
    natural,
    parseJSON,
    postFields,
    textOf,
)
from txwebqq.wire.gcode import CodeForm, CodeQuery, codeOf, numberIfSaid, textIfSaid

MAX_CODES = 500
"""So many groups may be asked for at once."""

GLOBAL = "cAll"
"""The member of a mask list that is for all groups."""


def _count(value: Any) -> int:
    return integer(value or 0)


# ---- looking


@dataclass(frozen=True, slots=True)
class MemberStats:
    """
    Which members of a group are not offline.
    """

    code: Code
    present: tuple[Presence, ...]


class GetGroupMemberStat2(CodeQuery[MemberStats]):
    """
    Which members of a group are not offline? (protocol.md 2.5.3)
    """

    path: ClassVar[str] = "/api/get_group_member_stat2"

    @classmethod
    def encodeResult(cls, reply: MemberStats) -> Any:
        return {
            "stats": [
                {"client_type": p.clientType, "uin": p.uin, "stat": p.status.code}
                for p in reply.present
            ],
            "gcode": reply.code,
        }

    @classmethod
    def decodeResult(cls, result: Any) -> MemberStats:
        return MemberStats(
            code=natural(result.get("gcode", 0)),
            present=tuple(
                Presence(
                    natural(stat["uin"]),
                    Status.fromCode(integer(stat["stat"])),
                    _count(stat.get("client_type")),
                )
                for stat in result["stats"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Memos:
    """
    The announcements of groups.

    @ivar isBare: whether one group's was asked for as C{retainKey=memo} alone,
        which the original page wants answered without a list.
    """

    memos: Mapping[Code, str]
    isBare: bool = False


@dataclass(frozen=True, slots=True)
class GetGroupInfo(JSONCommand[Memos]):
    """
    The announcements of some groups (protocol.md 2.5.3).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_group_info"
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    codes: tuple[Code, ...]
    isBare: bool = False
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("gcode", encodeJSON(list(self.codes))),
            ("retainKey", "memo" if self.isBare else "memo,gcode"),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        text = fields.text("gcode").strip()
        codes = parseJSON(text if text.startswith("[") else f"[{text}]")
        if len(codes) > MAX_CODES:
            raise MalformedReply(f"gcode has more than {MAX_CODES} groups")
        try:
            asked = tuple(Code(natural(code)) for code in codes)
        except (TypeError, ValueError) as e:
            raise MalformedReply("gcode is not a list of numbers") from e
        isBare = len(asked) == 1 and fields.text("retainKey", "") == "memo"
        return cls(fields.ticket, asked, isBare, fields.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Memos) -> Any:
        entries = [{"memo": memo, "gcode": code} for code, memo in reply.memos.items()]
        return entries[0] if reply.isBare else entries

    @classmethod
    def decodeResult(cls, result: Any) -> Memos:
        isBare = isinstance(result, dict)
        memos = {
            natural(entry.get("gcode", 0)): textOf(entry.get("memo", ""))
            for entry in ([result] if isBare else result)
        }
        return Memos(memos, isBare)


class GetGroupPublicInfo2(CodeQuery[GroupProfile]):
    """
    What a group shows to everybody (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/get_group_public_info2"

    @classmethod
    def encodeResult(cls, reply: GroupProfile) -> Any:
        return {
            "ginfo": {
                "face": reply.face,
                "memo": reply.memo,
                "member_cnt": reply.memberCount,
                "class": reply.classId,
                "fingermemo": reply.description,
                "code": reply.code,
                "createtime": reply.created,
                "flag": reply.flag,
                "name": reply.name,
                "gid": reply.gid,
                "owner": reply.owner,
                "maxmember": reply.maxMembers,
                "option": reply.option,
            }
        }

    @classmethod
    def decodeResult(cls, result: Any) -> GroupProfile:
        info = result["ginfo"]
        return GroupProfile(
            gid=natural(info["gid"]),
            code=natural(info["code"]),
            name=textOf(info["name"]),
            owner=natural(info.get("owner") or 0),
            memo=textOf(info.get("memo", "")),
            description=textOf(info.get("fingermemo", "")),
            memberCount=_count(info.get("member_cnt")),
            maxMembers=_count(info.get("maxmember")),
            face=_count(info.get("face")),
            classId=_count(info.get("class")),
            flag=_count(info.get("flag")),
            option=_count(info.get("option")),
            created=_count(info.get("createtime")),
        )


# ---- what one keeps of a group


@dataclass(frozen=True, slots=True)
class OwnCard:
    """
    A card, and the group and the person it is of.
    """

    code: Code
    uin: Uin
    card: BusinessCard


class GetSelfBusinessCard2(CodeQuery[OwnCard]):
    """
    Our own card in a group; 100003 says that there is none
    (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/get_self_business_card2"

    @classmethod
    def encodeResult(cls, reply: OwnCard) -> Any:
        card = reply.card
        return {
            "phone": card.phone,
            "muin": reply.uin,
            "email": card.email,
            "remark": card.remark,
            "gcode": reply.code,
            "name": card.name,
            "gender": card.gender,
        }

    @classmethod
    def decodeResult(cls, result: Any) -> OwnCard:
        return OwnCard(
            code=natural(result.get("gcode", 0)),
            uin=natural(result.get("muin") or 0),
            card=BusinessCard(
                name=textOf(result.get("name", "")),
                phone=textOf(result.get("phone", "")),
                email=textOf(result.get("email", "")),
                remark=textOf(result.get("remark", "")),
                gender=integer(result.get("gender", 2)),
            ),
        )


@dataclass(frozen=True, slots=True)
class UpdateGroupBusinessCard2(CodeForm):
    """
    Change our card in a group (protocol.md 2.5.3).

    @ivar name: L{None}, like the others, leaves it as it is.
    """

    path: ClassVar[str] = "/api/update_group_business_card2"

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    remark: str | None = None
    gender: int | None = None

    def encodeMembers(self) -> Mapping[str, Any]:
        return {
            "phone": self.phone,
            "email": self.email,
            "remark": self.remark,
            "name": self.name,
            "gender": self.gender,
        }

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            codeOf(fields),
            name=textIfSaid(fields, "name"),
            phone=textIfSaid(fields, "phone"),
            email=textIfSaid(fields, "email"),
            remark=textIfSaid(fields, "remark"),
            gender=numberIfSaid(fields, "gender"),
        )


@dataclass(frozen=True, slots=True)
class UpdateGroupInfo2(CodeForm):
    """
    Name a group for ourselves (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/update_group_info2"

    markname: str

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"markname": self.markname}

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, codeOf(fields), fields.text("markname"))


@dataclass(frozen=True, slots=True)
class MessageFilter(OKCommand):
    """
    What to do with the messages of groups or of discussions
    (protocol.md 2.5.3).

    @ivar groups: masks by gid.
    @ivar discussions: masks by did.
    @ivar globalMask: the mask of all groups, or L{None} to leave it.
    @ivar index: with C{port}, what login2 said; of no effect.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CGI
    path: ClassVar[str] = "/keycgi/qqweb/uac/messagefilter.do"
    referer: ClassVar[Referer | None] = Referer.CGI

    ticket: Ticket
    groups: Mapping[Gid, int] = field(default_factory=dict)
    discussions: Mapping[Did, int] = field(default_factory=dict)
    globalMask: int | None = None
    index: int = 1075
    port: int = 40036

    def encodeFields(self) -> Pairs:
        ends = {"idx": self.index, "port": self.port}
        items: dict[str, Any] = {}
        if self.groups or self.globalMask is not None:
            masks: dict[str, Any] = {str(k): str(v) for k, v in self.groups.items()}
            if self.globalMask is not None:
                masks[GLOBAL] = self.globalMask
            items["groupmask"] = masks | ends
        if self.discussions:
            masks = {str(k): str(v) for k, v in self.discussions.items()}
            items["discumask"] = masks | ends
        return [
            ("retype", "1"),
            ("app", "EQQ"),
            ("itemlist", encodeJSON(items)),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        items = parseJSON(fields.text("itemlist"))
        return guarded(cls._fromItems, fields.ticket, items)

    @classmethod
    def _fromItems(cls, ticket: Ticket, items: Any) -> Self:
        groups = dict(items.get("groupmask") or {})
        discussions = dict(items.get("discumask") or {})
        ends = groups or discussions
        everything = groups.pop(GLOBAL, None)
        return cls(
            ticket,
            groups=_masks(groups),
            discussions=_masks(discussions),
            globalMask=None if everything is None else natural(everything),
            index=_count(ends.get("idx")),
            port=_count(ends.get("port")),
        )


def _masks(items: Mapping[str, Any]) -> dict[Any, int]:
    return {
        natural(key): natural(mask)
        for key, mask in items.items()
        if key not in ("idx", "port", GLOBAL)
    }


# ---- in and out


@dataclass(frozen=True, slots=True)
class SearchGroups(JSONCommand[FoundGroups]):
    """
    Find groups by number or by words (protocol.md 2.5.3). Which captcha
    C{vfcode} was read from is in a cookie.

    @ivar words: C{all} on the wire.
    """

    host: ClassVar[Host] = Host.CGI
    path: ClassVar[str] = "/keycgi/qqweb/group/search.do"
    referer: ClassVar[Referer | None] = Referer.CGI

    ticket: Ticket
    words: str
    page: int = 1
    perPage: int = 10
    code: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("pg", str(self.page)),
            ("perpage", str(self.perPage)),
            ("all", self.words),
            ("c1", "0"),
            ("c2", "0"),
            ("c3", "0"),
            ("st", "0"),
            ("vfcode", self.code),
            ("type", "1"),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            fields.text("all"),
            fields.integer("pg", 1),
            fields.integer("perpage", 10),
            fields.text("vfcode", ""),
            fields.milliseconds,
        )

    @classmethod
    def encodeReply(cls, reply: FoundGroups | Refusal) -> bytes:
        # The original page reads the header of an empty answer too.
        if isinstance(reply, Refusal):
            return super(SearchGroups, cls).encodeReply(reply)
        header = {
            "CostTime": 15,
            "Status": 0,
            "TotalNum": reply.total,
            "CurrentNum": len(reply.groups),
            "CurrentPage": reply.page,
        }
        return encodeJSON(
            {
                "result": cls.encodeResult(reply),
                "retcode": 0,
                "responseHeader": header,
            }
        ).encode()

    @classmethod
    def encodeResult(cls, reply: FoundGroups) -> Any:
        return [
            {
                "GC": "",
                "GE": group.number,
                "GEX": group.code,
                "QQ": str(group.owner or ""),
                "RQ": "",
                "TI": group.name,
                "TX": group.description,
            }
            for group in reply.groups
        ]

    @classmethod
    def decodeReply(cls, body: bytes) -> FoundGroups | Refusal:
        found = super(SearchGroups, cls).decodeReply(body)
        if isinstance(found, Refusal):
            return found
        return guarded(_withHeader, found, parseJSON(decodeText(body)))

    @classmethod
    def decodeResult(cls, result: Any) -> FoundGroups:
        groups = tuple(
            FoundGroup(
                number=natural(group["GE"]),
                code=natural(group["GEX"]),
                name=textOf(group.get("TI", "")),
                owner=natural(group.get("QQ") or 0),
                description=textOf(group.get("TX", "")),
            )
            for group in result or ()
        )
        return FoundGroups(groups, len(groups))


def _withHeader(found: FoundGroups, value: Any) -> FoundGroups:
    header = value.get("responseHeader") or {}
    return FoundGroups(
        found.groups,
        natural(header.get("TotalNum", found.total)),
        natural(header.get("CurrentPage", 1)),
    )


REFUSED = 100001
"""The retcode that C{apply_join_group2} explains in C{tips}."""


@dataclass(frozen=True, slots=True)
class ApplyJoinGroup2(JSONCommand[None]):
    """
    Ask to be let into a group; the answer comes as a C{sys_g_msg}
    (protocol.md 2.5.3).

    @ivar text: for the administrators.
    @ivar code: the text of a captcha, and C{verifySession} which one it is.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/apply_join_group2"
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    group: Code
    text: str = ""
    code: str = ""
    verifySession: str = field(default="", repr=False)

    def encodeFields(self) -> Pairs:
        members = {
            "gcode": self.group,
            "code": self.code,
            "vfy": self.verifySession,
            "msg": self.text,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            codeOf(fields),
            fields.text("msg", ""),
            fields.text("code", ""),
            fields.text("vfy", ""),
        )

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return {"statu": "pending"}

    @classmethod
    def decodeResult(cls, result: Any) -> None:
        return None

    @classmethod
    def encodeReply(cls, reply: None | Refusal) -> bytes:
        if isinstance(reply, Refusal) and reply.retcode == REFUSED:
            return encodeJSON({"retcode": REFUSED, "tips": reply.errmsg}).encode()
        return super(ApplyJoinGroup2, cls).encodeReply(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        reply = super(ApplyJoinGroup2, cls).decodeReply(body)
        if isinstance(reply, Refusal) and reply.retcode == REFUSED:
            tips = parseJSON(decodeText(body)).get("tips")
            return Refusal(REFUSED, tips if isinstance(tips, str) else reply.errmsg)
        return reply


AGREE, REFUSE = 2, 3
"""The C{op_type} of L{OpGroupJoinReq}."""


@dataclass(frozen=True, slots=True)
class OpGroupJoinReq(OKCommand):
    """
    Let somebody into a group that we administer, or not
    (protocol.md 2.5.3).

    @ivar operation: L{AGREE} or L{REFUSE}.
    @ivar text: for whoever asked.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/op_group_join_req"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    group: Gid
    applicant: Uin
    operation: int
    text: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("group_uin", str(self.group)),
            ("req_uin", str(self.applicant)),
            ("msg", self.text),
            ("op_type", str(self.operation)),
            *channelQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            Gid(fields.integer("group_uin")),
            Uin(fields.integer("req_uin")),
            fields.integer("op_type"),
            fields.text("msg", ""),
            fields.milliseconds,
        )


class QuitGroup2(CodeForm):
    """
    Leave a group (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/quit_group2"


# ---- our own: administration


@dataclass(frozen=True, slots=True)
class CreateGroup(JSONCommand[NewGroup]):
    """
    Make a group, with friends in it from the start. An endpoint of ours.

    @ivar option: who may join.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/create_group2"
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str
    uins: tuple[Uin, ...] = ()
    memo: str = ""
    description: str = ""
    option: int = MAY_ASK

    def encodeFields(self) -> Pairs:
        members = {
            "name": self.name,
            "mem_list": list(self.uins),
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        uins = fields.raw("mem_list") or ()
        try:
            friends = tuple(Uin(natural(uin)) for uin in uins)
        except (TypeError, ValueError) as e:
            raise MalformedReply("mem_list is not a list of numbers") from e
        return cls(
            fields.ticket,
            fields.text("name"),
            friends,
            fields.text("memo", ""),
            fields.text("fingermemo", ""),
            fields.integer("option", MAY_ASK),
        )

    @classmethod
    def encodeResult(cls, reply: NewGroup) -> Any:
        return {"gid": reply.gid, "code": reply.code, "account": reply.number}

    @classmethod
    def decodeResult(cls, result: Any) -> NewGroup:
        return NewGroup(
            natural(result["gid"]), natural(result["code"]), natural(result["account"])
        )


@dataclass(frozen=True, slots=True)
class ModifyGroupInfo(CodeForm):
    """
    Change what a group says of itself. An endpoint of ours.

    @ivar name: L{None}, like the others, leaves it as it is.
    """

    path: ClassVar[str] = "/api/modify_group_info2"

    name: str | None = None
    memo: str | None = None
    description: str | None = None
    option: int | None = None

    def encodeMembers(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            codeOf(fields),
            name=textIfSaid(fields, "name"),
            memo=textIfSaid(fields, "memo"),
            description=textIfSaid(fields, "fingermemo"),
            option=numberIfSaid(fields, "option"),
        )


@dataclass(frozen=True, slots=True)
class RemoveGroupMember(CodeForm):
    """
    Put somebody out of a group that we administer. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/remove_group_member2"

    member: Uin

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member}

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, codeOf(fields), Uin(fields.integer("muin")))


class TransferGroup(RemoveGroupMember):
    """
    Give a group of ours to one of its members. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/transfer_group2"


@dataclass(frozen=True, slots=True)
class SetGroupAdmin(CodeForm):
    """
    Make a member of our group an administrator, or no longer one. An endpoint
    of ours.
    """

    path: ClassVar[str] = "/api/set_group_admin2"

    member: Uin
    granted: bool

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member, "op_type": int(self.granted)}

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(
            fields.ticket,
            codeOf(fields),
            Uin(fields.integer("muin")),
            fields.integer("op_type") == 1,
        )


class DissolveGroup(CodeForm):
    """
    End a group of ours. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/dissolve_group2"


@dataclass(frozen=True, slots=True)
class SendGroupWebMsg(OKCommand):
    """
    Share something in a group, as markup: what the others get as a
    C{group_web_message} (protocol.md 5.11). An endpoint of ours.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_group_web_msg2"
    referer: ClassVar[Referer | None] = Referer.CHANNEL

    ticket: Ticket
    group: Gid
    markup: str

    def encodeFields(self) -> Pairs:
        members = {
            "group_uin": self.group,
            "xml": self.markup,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, Gid(fields.integer("group_uin")), fields.text("xml"))
