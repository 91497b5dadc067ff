"""
Profiles of accounts: details, signatures and levels; our own details, and recent
conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    RECENT_DISCUSSION,
    Birthday,
    Level,
    Profile,
    RecentContact,
    Uin,
)
from txwebqq.values import SECRET, Secret, Value
from txwebqq.wire.coerce import (
    Expected,
    column,
    count,
    decodeEach,
    listIn,
    textOf,
    unsigned,
)
from txwebqq.wire.command import Authorization, Host, JSONCommand, OKReply, Referer
from txwebqq.wire.endpoints import ApiForm, ApiGet, ApiPost, ChannelPost
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeGivenJSON
from txwebqq.wire.parameters import IS_SET, TIME, DeclaredCommand
from txwebqq.wire.pastmessages import decodePast, encodePast
from txwebqq.wire.profilefields import (
    FOUND_PROFILE,
    PROFILE,
    PROFILE_NUMBERS,
    PROFILE_TEXTS,
    ProfileCommand,
)
from txwebqq.wire.record import SIGNED, Record

R = TypeVar("R")


class OwnProfile(Value):
    """
    The profile of our own account.

    @ivar vfwebqq: the verifier of the login, which authorises look-ups.
    """

    profile: Profile
    vfwebqq: Secret = ""


class _LoginQuery(DeclaredCommand[R], JSONCommand[R], kw_only=True):
    """
    Base of queries that carry no ticket, only the cookies of a login.
    """

    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.LOGIN_COOKIES
    referer: ClassVar[Referer | None] = Referer.API
    timeout = 20.0
    isIdempotent = True
    tail = "t"

    milliseconds: Annotated[int, TIME] = field(name="t", default=0)


class GetSelfInfo2(_LoginQuery[OwnProfile]):
    """
    Fetch our own profile, by the cookies C{uin} and C{skey} only
    (protocol.md 2.1.9).
    """

    path = "/api/get_self_info2"

    @classmethod
    def encodeResult(cls, reply: OwnProfile) -> Any:
        value = PROFILE.write(reply.profile)
        value |= {"lnick": reply.profile.signature, "vfwebqq": reply.vfwebqq}
        return value

    @classmethod
    def decodeResult(cls, result: Any) -> OwnProfile:
        return OwnProfile(PROFILE.read(result), textOf(result["vfwebqq"]))


class GetVfwebqq2(_LoginQuery[Ticket]):
    """
    Fetch the verifier of the login, by the same cookies (protocol.md 2.1.9).
    """

    path = "/api/get_vfwebqq2"

    @classmethod
    def encodeResult(cls, reply: Ticket) -> Any:
        return ["vfwebqq", reply.vfwebqq]

    @classmethod
    def decodeResult(cls, result: Any) -> Ticket:
        name, value = result
        if name != "vfwebqq":
            raise Expected("a value with the name vfwebqq")
        return Ticket(vfwebqq=textOf(value))


_ANSWERED = ("question", "answer")
_BIRTH = {"birthyear": "year", "birthmonth": "month", "birthday": "day"}


class ModifyMyDetails2(OKReply, ApiPost[None]):
    """
    Change our own profile (protocol.md 2.3.8). The request has a parameter for each
    detail that changes, and three for a date of birth.

    @ivar details: the fields of L{Profile} to change, by name, and C{question} and
        C{answer} of the rule for friend requests.
    """

    path = "/api/modify_my_details2"

    # The answer to the account's question is a secret.
    details: Annotated[Mapping[str, Any], SECRET]

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {}
        for name, value in self.details.items():
            if isinstance(value, Birthday):
                for member, part in _BIRTH.items():
                    members[member] = getattr(value, part)
            else:
                members[name] = value
        members["vfwebqq"] = self.ticket.vfwebqq
        return [("r", encodeGivenJSON(members))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        details: dict[str, Any] = {}
        for name in (*PROFILE_TEXTS, *_ANSWERED):
            if form.raw(name) is not None:
                details[name] = form.text(name)
        for name in PROFILE_NUMBERS:
            if form.raw(name) is not None:
                details[name] = form.integer(name, 0)
        told = form.raw("birthday")
        if isinstance(told, dict):
            parts = (told.get(part) for part in ("year", "month", "day"))
            details["birthday"] = Birthday(*map(_part, parts))
        elif any(form.raw(member) is not None for member in _BIRTH):
            parts = (form.raw(member) for member in _BIRTH)
            details["birthday"] = Birthday(*map(_part, parts))
        return cls(form.ticket, details)


def _part(value: Any) -> int:
    try:
        return int(unsigned(value or 0))
    except Expected as e:
        raise MalformedReply("birthday is not a date") from e


class GetStrangerInfo2(ProfileCommand):
    """
    Fetch the profile of an account that is no friend (protocol.md 2.3.3).
    """

    path = "/api/get_stranger_info2"
    order = "tuin verifysession gid=0 code"


class GetSingleInfo2(ProfileCommand):
    """
    Fetch the profile of an account that is no friend, with a captcha
    (protocol.md 2.3.3).
    """

    path = "/api/get_single_info2"
    result = FOUND_PROFILE


Signatures = Mapping[Uin, str]
"""Signatures, by the uins of their accounts."""


class GetSingleLongNick2(ApiGet[Signatures]):
    """
    Fetch the signature of one account (protocol.md 2.3.4).
    """

    path = "/api/get_single_long_nick2"
    isIdempotent = True

    uin: Uin = field(name="tuin")

    @classmethod
    def encodeResult(cls, reply: Signatures) -> Any:
        return [{"uin": uin, "lnick": text} for uin, text in reply.items()]

    @classmethod
    def decodeResult(cls, result: Any) -> Signatures:
        return column(result, "uin", "lnick", textOf)


class GetLongNick(ApiGet[Signatures]):
    """
    Fetch the signatures of several accounts (protocol.md 2.3.4).
    """

    path = "/api/get_long_nick"
    aliases = ("/api/get_long_nick2",)
    isIdempotent = True

    uins: tuple[Uin, ...] = field(name="tuin")

    @classmethod
    def encodeResult(cls, reply: Signatures) -> Any:
        return [{"tuin": uin, "lnick": text} for uin, text in reply.items()]

    @classmethod
    def decodeResult(cls, result: Any) -> Signatures:
        return column(result, "tuin", "lnick", textOf)


class SetLongNick2(OKReply, ApiPost[None]):
    """
    Set our own signature (protocol.md 2.3.4).
    """

    path = "/api/set_long_nick2"

    text: str = field(name="nlk")


class LevelOf(Value):
    """
    The level of an account.
    """

    uin: Uin
    level: Level


_LEVEL = Record(
    Level,
    "level days hours remainDays:remaining",
    days=SIGNED,
    hours=SIGNED,
    remaining=SIGNED,
)


class GetQQLevel2(ApiGet[LevelOf]):
    """
    Fetch the level of an account (protocol.md 2.3.5).
    """

    path = "/api/get_qq_level2"
    isIdempotent = True

    uin: Uin = field(name="tuin")

    @classmethod
    def encodeResult(cls, reply: LevelOf) -> Any:
        return {**_LEVEL.write(reply.level), "tuin": reply.uin}

    @classmethod
    def decodeResult(cls, result: Any) -> LevelOf:
        return LevelOf(unsigned(result["tuin"]), _LEVEL.read(result))


class BatchGetVipinfo(ApiForm[Mapping[Uin, int]]):
    """
    Fetch the VIP levels of several accounts, 0 for none (protocol.md 2.3.8).
    """

    path = "/api/batch_get_vipinfo"
    isIdempotent = True

    uins: tuple[Uin, ...] = field(name="ul")

    @classmethod
    def encodeResult(cls, reply: Mapping[Uin, int]) -> Any:
        return {
            "vipinfo": [
                {"u": uin, "vip_level": level, "is_vip": int(level > 0)}
                for uin, level in reply.items()
            ]
        }

    @classmethod
    def decodeResult(cls, result: Any) -> Mapping[Uin, int]:
        levels = decodeEach(
            lambda entry: (unsigned(entry["u"]), count(entry.get("vip_level"))),
            listIn(result, "vipinfo"),
        )
        return dict(levels)


Recent = tuple[RecentContact, ...]
"""Recent conversations, the last first."""

_RECENT = Record(
    RecentContact,
    "uin:id type:kind [unread] [last] [nick:author]",
    last=(decodePast, lambda message: message and encodePast(message)),
)


class _RecentReply:
    """
    The reply of commands that fetch the recent conversations; those of other kinds
    are left out.
    """

    __slots__ = ()

    @classmethod
    def encodeResult(cls, reply: Recent) -> Any:
        return [_RECENT.write(contact) for contact in reply]

    @classmethod
    def decodeResult(cls, result: Any) -> Recent:
        contacts = decodeEach(_RECENT.read, result)
        return tuple(c for c in contacts if c.kind <= RECENT_DISCUSSION)


class GetRecentList2(_RecentReply, ChannelPost[Recent]):
    """
    Fetch the recent conversations (protocol.md 2.2.10).

    @ivar unread: whether the last message of each and the number of unread ones are
        wanted as well (protocol.md 2.2.12).
    """

    path = "/channel/get_recent_list2"
    order = "vfwebqq unread"
    isIdempotent = True

    unread: Annotated[bool, IS_SET] = False


class GetRecentContact2(_RecentReply, ApiPost[Recent]):
    """
    Fetch the recent conversations from the API server (protocol.md 2.2.10).
    """

    path = "/api/get_recent_contact2"
    isIdempotent = True
