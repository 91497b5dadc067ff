"""
Groups, apart from the list and the details: announcements, search, joining,
shares and leaving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from msgspec import field
from msgspec.structs import replace

from txwebqq.model import (
    Code,
    FoundGroup,
    FoundGroups,
    Gid,
    GroupProfile,
    Presence,
    Uin,
)
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import decodeEach, listIn, textOf, unsigned
from txwebqq.wire.command import OKReply, Refusal
from txwebqq.wire.endpoints import ApiGet, ApiPost, CgiGet, ChannelGet, ChannelPost
from txwebqq.wire.form import Form
from txwebqq.wire.jsontext import encodeJSON, parseJSON
from txwebqq.wire.locating import decodeOrMalformed
from txwebqq.wire.parameters import Parameter, numbersIn
from txwebqq.wire.record import SIGNED, STATUS_CODE, Record

MAX_CODES = 500
"""Maximum number of groups in one request."""


class MemberStats(Value):
    """
    The members of a group who are not offline.
    """

    code: Code
    present: tuple[Presence, ...]


_PRESENCE = Record(
    Presence,
    "client_type:clientType? uin stat:status",
    clientType=SIGNED,
    status=STATUS_CODE,
)


class GetGroupMemberStat2(ApiGet[MemberStats]):
    """
    Fetch the members of a group who are not offline (protocol.md 2.5.3).
    """

    path = "/api/get_group_member_stat2"
    isIdempotent = True

    code: Code = field(name="gcode")

    @classmethod
    def encodeResult(cls, reply: MemberStats) -> Any:
        return {"stats": [*map(_PRESENCE.write, reply.present)], "gcode": reply.code}

    @classmethod
    def decodeResult(cls, result: Any) -> MemberStats:
        return MemberStats(
            code=unsigned(result.get("gcode", 0)),
            present=tuple(decodeEach(_PRESENCE.read, listIn(result, "stats"))),
        )


class Memos(Value):
    """
    The announcements of groups.

    @ivar isBare: whether the request was for one group with C{retainKey=memo} only,
        to which the original page needs a reply without a list.
    """

    memos: Mapping[Code, str]
    isBare: bool = False


def _readCodes(form: Form, name: str, default: None) -> tuple[Code, ...]:
    # Clients have also sent the codes without brackets.
    text = form.text(name).strip()
    codes = text if text.startswith("[") else f"[{text}]"
    return numbersIn(Form([(name, codes)]), name, MAX_CODES)


_BARE = Parameter(
    lambda form, name, _: form.text(name, "") == "memo",
    lambda isBare: "memo" if isBare else "memo,gcode",
)


class GetGroupInfo(ApiGet[Memos]):
    """
    Fetch the announcements of groups (protocol.md 2.5.3).
    """

    path = "/api/get_group_info"
    isIdempotent = True

    codes: Annotated[tuple[Code, ...], Parameter(_readCodes, list)] = field(
        name="gcode"
    )
    isBare: Annotated[bool, _BARE] = field(name="retainKey", default=False)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        command = super().decodeFields(form)
        return command if len(command.codes) == 1 else replace(command, isBare=False)

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


_PROFILE = Record(
    GroupProfile,
    "face memo member_cnt:memberCount class:classId fingermemo:description code"
    " createtime:created flag name gid owner? maxmember:maxMembers option?",
    face=SIGNED,
    memberCount=SIGNED,
    classId=SIGNED,
    created=SIGNED,
    flag=SIGNED,
    maxMembers=SIGNED,
    option=SIGNED,
)


class GetGroupPublicInfo2(ApiGet[GroupProfile]):
    """
    Fetch the details that a group shows to everybody (protocol.md 2.5.3).
    """

    path = "/api/get_group_public_info2"
    isIdempotent = True

    code: Code = field(name="gcode")

    @classmethod
    def encodeResult(cls, reply: GroupProfile) -> Any:
        return {"ginfo": _PROFILE.write(reply)}

    @classmethod
    def decodeResult(cls, result: Any) -> GroupProfile:
        return _PROFILE.read(result["ginfo"])


_FOUND = Record(
    FoundGroup,
    "GC= GE:number GEX:code QQ:owner RQ= TI:name? TX:description",
    owner=(unsigned, lambda number: str(number or "")),
)


class SearchGroups(CgiGet[FoundGroups]):
    """
    Search for groups by number or by words (protocol.md 2.5.3). The session of the
    captcha with the text C{code} is in a cookie.
    """

    path = "/keycgi/qqweb/group/search.do"
    order = "pg perpage all c1=0 c2=0 c3=0 st=0 vfcode type=1"

    query: str = field(name="all")
    page: int = field(name="pg", default=1)
    perPage: int = field(name="perpage", default=10)
    code: str = field(name="vfcode", default="")

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
        result = [*map(_FOUND.write, reply.groups)]
        return encodeJSON(
            {"result": result, "retcode": 0, "responseHeader": header}
        ).encode()

    @classmethod
    def decodeReply(cls, body: bytes) -> FoundGroups | Refusal:
        found = super().decodeReply(body)
        if isinstance(found, Refusal):
            return found
        return decodeOrMalformed(_withHeader, parseJSON(body), found)

    @classmethod
    def decodeResult(cls, result: Any) -> FoundGroups:
        groups = tuple(decodeEach(_FOUND.read, result))
        return FoundGroups(groups, len(groups))


def _withHeader(value: Any, found: FoundGroups) -> FoundGroups:
    header = value.get("responseHeader") or {}
    return FoundGroups(
        found.groups,
        unsigned(header.get("TotalNum", found.total)),
        unsigned(header.get("CurrentPage", 1)),
    )


REFUSED = 100001
"""The retcode that C{apply_join_group2} explains in C{tips}."""


class ApplyJoinGroup2(ApiPost[None]):
    """
    Ask to join a group; the decision comes as a C{sys_g_msg}
    (protocol.md 2.5.3).

    @ivar text: the text for the administrators.
    @ivar code: the text of a captcha, and C{verifySession} its session.
    """

    path = "/api/apply_join_group2"
    order = "gcode code vfy msg"

    group: Code = field(name="gcode")
    text: str = field(name="msg", default="")
    code: str = ""
    verifySession: Secret = field(name="vfy", default="")

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


ACCEPT, DECLINE = 102, 103
"""The C{op_type} of the answer to an invitation, our own: servers of WebQQ, which have
no invitations, refuse it."""


class OpGroupJoinReq(OKReply, ChannelGet[None]):
    """
    Decide on a request to join a group that we administer (protocol.md 2.5.3), or
    answer an invitation to a group.

    @ivar applicant: the account that asks, or invites.
    @ivar operation: L{AGREE} or L{REFUSE}, of an invitation L{ACCEPT} or L{DECLINE}.
    @ivar text: the text for the applicant.
    """

    path = "/channel/op_group_join_req"
    order = "group_uin req_uin msg op_type"

    group: Gid = field(name="group_uin")
    applicant: Uin = field(name="req_uin")
    operation: int = field(name="op_type")
    text: str = field(name="msg", default="")


class QuitGroup2(OKReply, ApiPost[None]):
    """
    Leave a group (protocol.md 2.5.3).
    """

    path = "/api/quit_group2"

    code: Code = field(name="gcode")


class SendGroupWebMsg(OKReply, ChannelPost[None]):
    """
    Share markup in a group, which the other members receive as a
    C{group_web_message} (protocol.md 5.11; our own command).
    """

    path = "/channel/send_group_web_msg2"

    group: Gid = field(name="group_uin")
    markup: str = field(name="xml")
