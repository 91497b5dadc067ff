"""
Profiles of accounts: details, signatures and levels; our own details, and recent
conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

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
from txwebqq.wire.coerce import count, decodeEach, listIn, textOf, unsigned
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    apiQuery,
    postFields,
)
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.oldparameters import uinsOf
from txwebqq.wire.profilefields import (
    PROFILE_NUMBERS,
    PROFILE_TEXTS,
    ProfileCommand,
    decodeProfile,
    encodeProfile,
)


class OwnProfile(Value):
    """
    The profile of our own account.

    @ivar vfwebqq: the verifier of the login, which authorises look-ups.
    """

    profile: Profile
    vfwebqq: Secret = ""


class GetSelfInfo2(JSONCommand[OwnProfile]):
    """
    Fetch our own profile, by the cookies C{uin} and C{skey} only
    (protocol.md 2.1.9).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_self_info2"
    authorization: ClassVar[Authorization] = Authorization.LOGIN_COOKIES
    referer: ClassVar[Referer | None] = Referer.API
    timeout: ClassVar[float] = 20.0
    isIdempotent: ClassVar[bool] = True

    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("t", str(self.milliseconds))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: OwnProfile) -> Any:
        value = encodeProfile(reply.profile)
        value |= {"lnick": reply.profile.signature, "vfwebqq": reply.vfwebqq}
        return value

    @classmethod
    def decodeResult(cls, result: Any) -> OwnProfile:
        return OwnProfile(decodeProfile(result), textOf(result["vfwebqq"]))


class GetVfwebqq2(JSONCommand[Ticket]):
    """
    Fetch the verifier of the login, by the same cookies (protocol.md 2.1.9).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_vfwebqq2"
    authorization: ClassVar[Authorization] = Authorization.LOGIN_COOKIES
    referer: ClassVar[Referer | None] = Referer.API
    timeout: ClassVar[float] = 20.0
    isIdempotent: ClassVar[bool] = True

    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("t", str(self.milliseconds))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Ticket) -> Any:
        return ["vfwebqq", reply.vfwebqq]

    @classmethod
    def decodeResult(cls, result: Any) -> Ticket:
        name, value = result
        if name != "vfwebqq":
            raise ValueError("no vfwebqq")
        return Ticket(vfwebqq=textOf(value))


_ANSWERED = ("question", "answer")
_BIRTH = {"birthyear": "year", "birthmonth": "month", "birthday": "day"}


class ModifyMyDetails2(OKCommand):
    """
    Change our own profile (protocol.md 2.3.8).

    @ivar details: the fields of L{Profile} to change, by name, and C{question} and
        C{answer} of the rule for friend requests.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/modify_my_details2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
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
        return [("r", encodeJSON(members))]

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
    except (TypeError, ValueError, OverflowError) as e:
        raise MalformedReply("birthday is not a date") from e


class GetStrangerInfo2(ProfileCommand):
    """
    Fetch the profile of an account that is no friend (protocol.md 2.3.3).
    """

    path: ClassVar[str] = "/api/get_stranger_info2"
    order = "tuin verifysession gid=0 code"


class GetSingleInfo2(ProfileCommand):
    """
    Fetch the profile of an account that is no friend, with a captcha
    (protocol.md 2.3.3).
    """

    path: ClassVar[str] = "/api/get_single_info2"
    uinName: ClassVar[str] = "tuin"


Signatures = Mapping[Uin, str]
"""Signatures, by the uins of their accounts."""


class GetSingleLongNick2(JSONCommand[Signatures]):
    """
    Fetch the signature of one account (protocol.md 2.3.4).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_single_long_nick2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uin: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("tuin", str(self.uin)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("tuin")), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Signatures) -> Any:
        return [{"uin": uin, "lnick": text} for uin, text in reply.items()]

    @classmethod
    def decodeResult(cls, result: Any) -> Signatures:
        return dict(
            decodeEach(lambda e: (unsigned(e["uin"]), textOf(e["lnick"])), result)
        )


class GetLongNick(JSONCommand[Signatures]):
    """
    Fetch the signatures of several accounts (protocol.md 2.3.4).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_long_nick"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    aliases: ClassVar[tuple[str, ...]] = ("/api/get_long_nick2",)
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uins: tuple[Uin, ...]
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", encodeJSON(list(self.uins))),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, uinsOf(form, "tuin"), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: Signatures) -> Any:
        return [{"tuin": uin, "lnick": text} for uin, text in reply.items()]

    @classmethod
    def decodeResult(cls, result: Any) -> Signatures:
        return dict(
            decodeEach(lambda e: (unsigned(e["tuin"]), textOf(e["lnick"])), result)
        )


class SetLongNick2(OKCommand):
    """
    Set our own signature (protocol.md 2.3.4).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/set_long_nick2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    text: str

    def encodeFields(self) -> Pairs:
        return [("r", encodeJSON({"nlk": self.text, "vfwebqq": self.ticket.vfwebqq}))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, form.text("nlk"))

    @classmethod
    def encodeResult(cls, reply: None) -> Any:
        return {"result": 0}


class LevelOf(Value):
    """
    The level of an account.
    """

    uin: Uin
    level: Level


class GetQQLevel2(JSONCommand[LevelOf]):
    """
    Fetch the level of an account (protocol.md 2.3.5).
    """

    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_qq_level2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uin: Uin
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("tuin", str(self.uin)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, Uin(form.integer("tuin")), form.milliseconds)

    @classmethod
    def encodeResult(cls, reply: LevelOf) -> Any:
        return {
            "level": reply.level.level,
            "days": reply.level.days,
            "hours": reply.level.hours,
            "remainDays": reply.level.remaining,
            "tuin": reply.uin,
        }

    @classmethod
    def decodeResult(cls, result: Any) -> LevelOf:
        return LevelOf(
            unsigned(result["tuin"]),
            Level(
                unsigned(result["level"]),
                count(result.get("days")),
                count(result.get("hours")),
                count(result.get("remainDays")),
            ),
        )


class BatchGetVipinfo(JSONCommand[Mapping[Uin, int]]):
    """
    Fetch the VIP levels of several accounts, 0 for none (protocol.md 2.3.8).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/batch_get_vipinfo"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uins: tuple[Uin, ...]

    def encodeFields(self) -> Pairs:
        return [
            ("ul", encodeJSON(list(self.uins))),
            ("vfwebqq", self.ticket.vfwebqq),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, uinsOf(form, "ul"))

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


def _encodeRecent(reply: Recent) -> Any:
    return [{"uin": contact.id, "type": contact.kind} for contact in reply]


def _decodeRecent(result: Any) -> Recent:
    contacts = decodeEach(
        lambda e: RecentContact(unsigned(e["type"]), unsigned(e["uin"])), result
    )
    return tuple(c for c in contacts if c.kind <= RECENT_DISCUSSION)


class GetRecentList2(JSONCommand[Recent]):
    """
    Fetch the recent conversations (protocol.md 2.2.10).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    path: ClassVar[str] = "/channel/get_recent_list2"
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket

    def encodeFields(self) -> Pairs:
        members = {
            "vfwebqq": self.ticket.vfwebqq,
            "clientid": self.ticket.clientid,
            "psessionid": self.ticket.psessionid,
        }
        return postFields(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket)

    @classmethod
    def encodeResult(cls, reply: Recent) -> Any:
        return _encodeRecent(reply)

    @classmethod
    def decodeResult(cls, result: Any) -> Recent:
        return _decodeRecent(result)


class GetRecentContact2(JSONCommand[Recent]):
    """
    Fetch the recent conversations from the API server (protocol.md 2.2.10).
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/get_recent_contact2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket

    def encodeFields(self) -> Pairs:
        return [("r", encodeJSON({"vfwebqq": self.ticket.vfwebqq}))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket)

    @classmethod
    def encodeResult(cls, reply: Recent) -> Any:
        return _encodeRecent(reply)

    @classmethod
    def decodeResult(cls, result: Any) -> Recent:
        return _decodeRecent(result)
