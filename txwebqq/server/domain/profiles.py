"""
Profiles of accounts: the parts that others see, and changes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from txwebqq.model import (
    WEB_CLIENT,
    WHO_ANSWERS_AND_ASKS,
    Birthday,
    Profile,
    Status,
    Uin,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID, invisible, tooLong
from txwebqq.server.records import AccountRecord
from txwebqq.server.sessions.registration import MAX_NICK
from txwebqq.wire.command import Refusal

MAX_LINE, MAX_PERSONAL, MAX_SIGNATURE = 256, 2000, 500
"""Maximum lengths of texts, in characters."""

GENDERS = ("male", "female", "unknown")

PRIVATE = ("phone", "mobile", "email", "homepage", "personal")
"""The parts that only friends see."""

_TEXTS = {
    "nick": MAX_NICK,
    "personal": MAX_PERSONAL,
    "question": MAX_LINE,
    "answer": MAX_LINE,
}
_LIMITS = {
    "allow": WHO_ANSWERS_AND_ASKS,
    "blood": 4,
    "constel": 12,
    "face": 65535,
    "shengxiao": 12,
}
_TOLD = (
    "gender",
    "blood",
    "shengxiao",
    "constel",
    "country",
    "province",
    "city",
    "phone",
    "mobile",
    "email",
    "homepage",
    "occupation",
    "college",
    "personal",
    "allow",
    "vipLevel",
)


def profileFor(
    account: AccountRecord, uin: Uin, status: Status, isStranger: bool = False
) -> Profile:
    """
    Return the profile of an account for another one.

    @param status: the status that the other account sees.
    @param isStranger: whether the two are not friends.
    """
    told = {
        name: account.profile[name]
        for name in _TOLD
        if name in account.profile and not (isStranger and name in PRIVATE)
    }
    return Profile(
        uin=uin,
        nick=account.nick,
        face=account.face,
        birthday=Birthday(*account.profile.get("birthday", ())),
        status=status,
        clientType=0 if status is Status.OFFLINE else WEB_CLIENT,
        **told,
    )


def signatureOf(account: AccountRecord) -> str:
    """
    Return the signature of an account, C{""} for none.
    """
    signature: str = account.profile.get("signature", "")
    return signature


def withSignature(account: AccountRecord, text: str) -> AccountRecord | Refusal:
    """
    Return an account with another signature.
    """
    refusal = tooLong(nlk=(text, MAX_SIGNATURE))
    if refusal is not None:
        return refusal
    return replace(account, profile={**account.profile, "signature": text})


def withDetails(
    account: AccountRecord, details: Mapping[str, Any]
) -> AccountRecord | Refusal:
    """
    Return an account with another profile.

    @param details: the changed fields of a L{Profile} by name, also C{question} and
        C{answer}.
    """
    profile = dict(account.profile)
    for name, value in details.items():
        refusal = _refuse(name, value)
        if refusal is not None:
            return refusal
        if isinstance(value, Birthday):
            value = [value.year, value.month, value.day]
        profile[name] = value
    nick = profile.pop("nick", account.nick)
    face = profile.pop("face", account.face)
    return replace(account, nick=nick, face=face, profile=profile)


def _refuse(name: str, value: Any) -> Refusal | None:
    if isinstance(value, str):
        refusal = tooLong(**{name: (value, _TEXTS.get(name, MAX_LINE))})
        if refusal is not None:
            return refusal
    if name == "nick":
        if not value.strip():
            return Refusal(NO_SUCH_ID, "nick is empty")
        return invisible(nick=value)
    if name == "gender" and value not in GENDERS:
        return Refusal(NO_SUCH_ID, f"gender is none of {', '.join(GENDERS)}")
    if name in _LIMITS and not 0 <= value <= _LIMITS[name]:
        return Refusal(NO_SUCH_ID, f"{name} is not from 0 to {_LIMITS[name]}")
    if isinstance(value, Birthday) and not _isDate(value):
        return Refusal(NO_SUCH_ID, "birthday is no date")
    return None


def _isDate(birthday: Birthday) -> bool:
    try:
        # Parts of a birthday may be missing; 2000 is a leap year.
        date(birthday.year or 2000, birthday.month or 1, birthday.day or 1)
    except (ValueError, OverflowError):
        return False
    return True
