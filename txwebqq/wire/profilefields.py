"""
What people tell about themselves, and how that is asked (protocol.md 2.3.2).
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
    A number that may stand for nothing in particular.
    """
    return integer(value or 0)


def encodeProfile(profile: Profile, uin: str = "uin") -> dict[str, Any]:
    """
    The members that all details of a person have (protocol.md 2.3.2).

    @param uin: what the uin is called.
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
    value |= {name: told for name, told in more.items() if told}
    if profile.number:
        # A mail address that is another name for the account.
        value["uiuin"] = ""
    return value


def decodeProfile(value: Mapping[str, Any], uin: str = "uin") -> Profile:
    """
    The person that details describe; absent members mean nothing known.

    @param uin: what the uin is called.
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
    A question for what somebody tells about themselves.

    @cvar uinName: what the answer calls the uin.
    @cvar besides: what is asked after the captcha's session, always alike.

    @ivar verifySession: the cookie of a captcha, and C{code} its text, when
        the server asked for one.
    """

    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    uinName: ClassVar[str] = "uin"
    besides: ClassVar[Pairs] = []

    ticket: Ticket
    uin: Uin
    verifySession: str = field(default="", repr=False)
    code: str = ""
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("tuin", str(self.uin)),
            ("verifysession", self.verifySession),
            *self.besides,
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
