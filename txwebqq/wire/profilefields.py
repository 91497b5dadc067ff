"""
Profiles as the server sends them, and the commands that fetch one
(protocol.md 2.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from txwebqq.model import Birthday, Profile, Status, Uin
from txwebqq.wire.coerce import integer, textOf, unsigned
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer, apiQuery
from txwebqq.wire.form import Form, Pairs, Ticket

PROFILE_TEXTS = (
    "occupation",
    "phone",
    "college",
    "homepage",
    "country",
    "city",
    "personal",
    "nick",
    "email",
    "province",
    "gender",
    "mobile",
)
PROFILE_NUMBERS = ("face", "constel", "blood", "shengxiao", "allow")


def count(value: Any) -> int:
    """
    Convert a number that may be null or empty.
    """
    return integer(value or 0)


def encodeProfile(profile: Profile, uin: str = "uin") -> dict[str, Any]:
    """
    Encode a profile (protocol.md 2.3.2).

    @param uin: the name of the member with the uin.
    """
    birthday = profile.birthday
    value: dict[str, Any] = {
        "birthday": {
            "month": birthday.month,
            "year": birthday.year,
            "day": birthday.day,
        },
        uin: profile.uin,
        "vip_info": profile.vipLevel,
        "stat": profile.status.code,
    }
    for name in (*PROFILE_TEXTS, *PROFILE_NUMBERS):
        value[name] = getattr(profile, name)
    if profile.status is not Status.OFFLINE:
        value["client_type"] = profile.clientType
    more = {
        "account": profile.number,
        "lnick": profile.signature,
        "token": profile.token,
    }
    value |= {name: detail for name, detail in more.items() if detail}
    if profile.number:
        # A mail address that the account may have as a second name.
        value["uiuin"] = ""
    return value


def decodeProfile(value: Mapping[str, Any], uin: str = "uin") -> Profile:
    """
    Decode a profile; absent members get the defaults of L{Profile}.

    @param uin: the name of the member with the uin.
    """
    birthday = value.get("birthday") or {}
    texts = {name: textOf(value[name]) for name in PROFILE_TEXTS if name in value}
    numbers = {name: count(value[name]) for name in PROFILE_NUMBERS if name in value}
    known: dict[str, Any] = {"nick": "", **texts, **numbers}
    return Profile(
        uin=unsigned(value[uin]),
        birthday=Birthday(
            *(count(birthday.get(part)) for part in ("year", "month", "day"))
        ),
        vipLevel=count(value.get("vip_info")),
        status=Status.fromCode(integer(value.get("stat", 20))),
        clientType=count(value.get("client_type")),
        number=unsigned(value.get("account") or 0),
        signature=textOf(value.get("lnick", "")),
        token=textOf(value.get("token", "")),
        **known,
    )


@dataclass(frozen=True, slots=True)
class ProfileCommand(JSONCommand[Profile]):
    """
    Base of commands that fetch a profile.

    @cvar uinName: the name of the uin in the reply.
    @cvar extraFields: constant parameters after the captcha's session.

    @ivar verifySession: the session of a captcha, a cookie, and C{code} its text,
        when the server has required one.
    """

    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    uinName: ClassVar[str] = "uin"
    extraFields: ClassVar[Pairs] = []
    isIdempotent: ClassVar[bool] = True

    ticket: Ticket
    uin: Uin
    verifySession: str = field(default="", repr=False)
    code: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("verifysession", self.verifySession),
            *self.extraFields,
            ("code", self.code),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("tuin")),
            form.text("verifysession", ""),
            form.text("code", ""),
            form.milliseconds,
        )

    @classmethod
    def encodeResult(cls, reply: Profile) -> Any:
        return encodeProfile(reply, cls.uinName)

    @classmethod
    def decodeResult(cls, result: Any) -> Profile:
        return decodeProfile(result, cls.uinName)
