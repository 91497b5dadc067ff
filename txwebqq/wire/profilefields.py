"""
Profiles as the server sends them, and the commands that fetch one
(protocol.md 2.3.2).
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from txwebqq.model import Birthday, Profile, Status, Uin
from txwebqq.values import Secret
from txwebqq.wire.coerce import count
from txwebqq.wire.endpoints import ApiGet
from txwebqq.wire.record import SIGNED, STATUS_CODE, Record

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

# Some servers leave out the nickname.
_DETAILS = " ".join((*PROFILE_TEXTS, *PROFILE_NUMBERS)).replace("nick", "nick?")
_BIRTHDAY = Record(Birthday, "month year day", month=SIGNED, year=SIGNED, day=SIGNED)


class ProfileRecord(Record[Profile]):
    """
    Conversion of a profile to a JSON object and back (protocol.md 2.3.2).
    """

    def __init__(self, uin: str) -> None:
        """
        @param uin: the name of the member with the uin.
        """
        super().__init__(
            Profile,
            f"birthday {uin}:uin vip_info:vipLevel stat:status {_DETAILS} "
            "client_type:clientType [account:number] [lnick:signature] [token]",
            birthday=(lambda date: _BIRTHDAY.read(date or {}), _BIRTHDAY.write),
            vipLevel=SIGNED,
            status=STATUS_CODE,
            face=SIGNED,
            constel=SIGNED,
            blood=SIGNED,
            shengxiao=SIGNED,
            # Null is not the default here.
            allow=(count, int),
            clientType=SIGNED,
        )

    def write(self, value: Profile) -> dict[str, Any]:
        written = super().write(value)
        if value.status is Status.OFFLINE:
            del written["client_type"]
        if value.number:
            # A mail address that the account may have as a second name.
            written["uiuin"] = ""
        return written


PROFILE = ProfileRecord("uin")
FOUND_PROFILE = ProfileRecord("tuin")


class ProfileCommand(ApiGet[Profile]):
    """
    Base of commands that fetch a profile.

    @ivar verifySession: the session of a captcha, a cookie, and C{code} its text,
        when the server has required one.
    """

    isIdempotent = True
    result = PROFILE

    uin: Uin = field(name="tuin")
    verifySession: Secret = field(name="verifysession", default="")
    code: str = ""
