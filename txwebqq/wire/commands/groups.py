"""
Groups, apart from the list and the details: announcements, search, joining,
shares and leaving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Code,
    FoundGroup,
    FoundGroups,
    Gid,
    GroupProfile,
    Presence,
    Status,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import (
    count,
    decodeEach,
    integer,
    listIn,
    textOf,
    unsigned,
)
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    Refusal,
    apiForm,
    apiQuery,
    channelQuery,
    postFields,
)
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.oldparameters import GroupPost, GroupQuery, groupCode

MAX_CODES = 500
"""Maximum number of groups in one request."""


class MemberStats(Value):
    """
    The members of a group who are not offline.
    """

    code: Code
    present: tuple[Presence, ...]


class GetGroupMemberStat2(GroupQuery[MemberStats]):
    """
    Fetch the members of a group who are not offline (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/get_group_member_stat2"
    isIdempotent: ClassVar[bool] = True

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
            code=unsigned(result.get("gcode", 0)),
            present=tuple(decodeEach(_decodePresence, listIn(result, "stats"))),
        )


def _decodePresence(stat: Any) -> Presence:
    return Presence(
        unsigned(stat["uin"]),
        Status.fromCode(integer(stat["stat"])),
        count(stat.get("client_type")),
    )


class Memos(Value):
    """
    The announcements of groups.

    @ivar isBare: whether the request was for one group with C{retainKey=memo} only,
        to which the original page needs a reply without a list.
    """

    memos: Mapping[Code, str]
    isBare: bool = False


class GetGroupInfo(JSONCommand[Memos]):
    """
    Fetch the announcements of groups (protocol.md 2.5.3).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_group_info"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

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
    def decodeFields(cls, form: Form) -> Self:
        text = form.text("gcode").strip()
        values = parseJSON(text if text.startswith("[") else f"[{text}]")
        if len(values) > MAX_CODES:
            raise MalformedReply(f"gcode has more than {MAX_CODES} groups")
        try:
            codes = tuple(Code(unsigned(value)) for value in values)
        except (TypeError, ValueError) as e:
            raise MalformedReply("gcode is not a list of numbers") from e
        isBare = len(codes) == 1 and form.text("retainKey", "") == "memo"
        return cls(form.ticket, codes, isBare, form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Memos) -> Any:
        entries = [{"memo": memo, "gcode": code} for code, memo in reply.memos.items()]
        return entries[0] if reply.isBare else entries

    @classmethod
    def decodeResult(cls, result: Any) -> Memos:
        if isinstance(result, dict):
            return Memos(dict([_decodeMemo(result)]), True)
        return Memos(dict(decodeEach(_decodeMemo, result)))


def _decodeMemo(entry: Any) -> tuple[Code, str]:
    return unsigned(entry.get("gcode", 0)), textOf(entry.get("memo", ""))


class GetGroupPublicInfo2(GroupQuery[GroupProfile]):
    """
    Fetch the details that a group shows to everybody (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/get_group_public_info2"
    isIdempotent: ClassVar[bool] = True

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
            gid=unsigned(info["gid"]),
            code=unsigned(info["code"]),
            name=textOf(info["name"]),
            owner=unsigned(info.get("owner") or 0),
            memo=textOf(info.get("memo", "")),
            description=textOf(info.get("fingermemo", "")),
            memberCount=count(info.get("member_cnt")),
            maxMembers=count(info.get("maxmember")),
            face=count(info.get("face")),
            classId=count(info.get("class")),
            flag=count(info.get("flag")),
            option=count(info.get("option")),
            created=count(info.get("createtime")),
        )


class SearchGroups(JSONCommand[FoundGroups]):
    """
    Search for groups by number or by words (protocol.md 2.5.3). The session of the
    captcha with the text C{vfcode} is in a cookie.

    @ivar query: C{all} on the wire.
    """

    host: ClassVar[Host] = Host.CGI
    path: ClassVar[str] = "/keycgi/qqweb/group/search.do"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.CGI

    ticket: Ticket
    query: str
    page: int = 1
    perPage: int = 10
    code: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("pg", str(self.page)),
            ("perpage", str(self.perPage)),
            ("all", self.query),
            ("c1", "0"),
            ("c2", "0"),
            ("c3", "0"),
            ("st", "0"),
            ("vfcode", self.code),
            ("type", "1"),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            form.text("all"),
            form.integer("pg", 1),
            form.integer("perpage", 10),
            form.text("vfcode", ""),
            form.milliseconds,
        )

    @classmethod
    def encodeReply(cls, reply: FoundGroups | Refusal) -> bytes:
        # The original page reads the header of an empty reply too.
        if isinstance(reply, Refusal):
            return super().encodeReply(reply)
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
        found = super().decodeReply(body)
        if isinstance(found, Refusal):
            return found
        return decodeOrMalformed(_withHeader, parseJSON(body), found)

    @classmethod
    def decodeResult(cls, result: Any) -> FoundGroups:
        groups = tuple(decodeEach(_decodeFound, result))
        return FoundGroups(groups, len(groups))


def _decodeFound(group: Any) -> FoundGroup:
    return FoundGroup(
        number=unsigned(group["GE"]),
        code=unsigned(group["GEX"]),
        name=textOf(group.get("TI", "")),
        owner=unsigned(group.get("QQ") or 0),
        description=textOf(group.get("TX", "")),
    )


def _withHeader(value: Any, found: FoundGroups) -> FoundGroups:
    header = value.get("responseHeader") or {}
    return FoundGroups(
        found.groups,
        unsigned(header.get("TotalNum", found.total)),
        unsigned(header.get("CurrentPage", 1)),
    )


REFUSED = 100001
"""The retcode that C{apply_join_group2} explains in C{tips}."""


class ApplyJoinGroup2(JSONCommand[None]):
    """
    Ask to join a group; the decision comes as a C{sys_g_msg}
    (protocol.md 2.5.3).

    @ivar text: the text for the administrators.
    @ivar code: the text of a captcha, and C{verifySession} its session.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/apply_join_group2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    group: Code
    text: str = ""
    code: str = ""
    verifySession: Secret = ""

    def encodeFields(self) -> Pairs:
        members = {
            "gcode": self.group,
            "code": self.code,
            "vfy": self.verifySession,
            "msg": self.text,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            groupCode(form),
            form.text("msg", ""),
            form.text("code", ""),
            form.text("vfy", ""),
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
        return super().encodeReply(reply)

    @classmethod
    def decodeReply(cls, body: bytes) -> None | Refusal:
        reply = super().decodeReply(body)
        if isinstance(reply, Refusal) and reply.retcode == REFUSED:
            tips = parseJSON(body).get("tips")
            return Refusal(REFUSED, tips if isinstance(tips, str) else reply.errmsg)
        return reply


AGREE, REFUSE = 2, 3
"""The C{op_type} of L{OpGroupJoinReq}."""


class OpGroupJoinReq(OKCommand):
    """
    Decide on a request to join a group that we administer (protocol.md 2.5.3).

    @ivar operation: L{AGREE} or L{REFUSE}.
    @ivar text: the text for the applicant.
    """

    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/op_group_join_req"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Gid(form.integer("group_uin")),
            Uin(form.integer("req_uin")),
            form.integer("op_type"),
            form.text("msg", ""),
            form.milliseconds,
        )


class QuitGroup2(GroupPost):
    """
    Leave a group (protocol.md 2.5.3).
    """

    path: ClassVar[str] = "/api/quit_group2"


class SendGroupWebMsg(OKCommand):
    """
    Share markup in a group, which the other members receive as a
    C{group_web_message} (protocol.md 5.11; our own command).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/send_group_web_msg2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Gid(form.integer("group_uin")), form.text("xml"))
