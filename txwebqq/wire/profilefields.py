"""
Profiles as the server sends them, and the commands that fetch one
(protocol.md 2.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import field

from txwebqq.model import Birthday, Profile, Status, Uin
from txwebqq.values import Secret
from txwebqq.wire.coerce import count, integer, textOf, unsigned
from txwebqq.wire.endpoints import ApiGet

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


class ProfileCommand(ApiGet[Profile]):
    """
    Base of commands that fetch a profile.

    @cvar uinName: the name of the uin in the reply.

    @ivar verifySession: the session of a captcha, a cookie, and C{code} its text,
        when the server has required one.
    """

    uinName: ClassVar[str] = "uin"
    isIdempotent = True

    uin: Uin = field(name="tuin")
    verifySession: Secret = field(name="verifysession", default="")
    code: str = ""

    @classmethod
    def encodeResult(cls, reply: Profile) -> Any:
        return encodeProfile(reply, cls.uinName)

    @classmethod
    def decodeResult(cls, result: Any) -> Profile:
        return decodeProfile(result, cls.uinName)
