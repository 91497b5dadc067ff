"""
The bot command C{set}: profile details, and preferences of the gateway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from txwebqq.irc.gateway.bot.arguments import UsageError, findAccount
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.model import Birthday
from txwebqq.protocol import WebQQProtocol
from txwebqq.wire.profilefields import PROFILE_TEXTS

DETAILS = sorted(("birthday", "signature", *PROFILE_TEXTS))
"""The profile details that can be set."""

PREFERENCES = ("formatting", "quotes")
"""The preferences that are on or off."""


async def changeSettings(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{set formatting|quotes on|off}, or C{set [ACCOUNT] [DETAIL TEXT]}
    """
    if words and words[0] in PREFERENCES:
        preference = words[0]
        if words[1:] not in (["on"], ["off"]):
            raise UsageError(f"{preference} is on or off")
        user.preferences.set(user.name, preference, words[1])
        yield f"{preference} is now {words[1]}"
        return
    hasNumber = bool(words) and words[0].isdigit()
    account = findAccount(user, words[:1] if hasNumber else ())
    name, *rest = words[hasNumber:] or ("",)
    if not name:
        profile = await account.online.fetchSelf()
        for name in DETAILS:
            yield f"{name}: {_shown(getattr(profile, name))}"
        return
    name, text = name.lower(), " ".join(rest)
    if name not in DETAILS:
        raise UsageError("unknown detail")
    await _setDetail(account.online, name, text)
    yield f"{account.number}: {name} is now {text or 'empty'}"


async def _setDetail(online: WebQQProtocol, name: str, text: str) -> None:
    if name == "signature":
        await online.setSignature(text)
    elif name == "birthday":
        await online.setDetails(birthday=_parseBirthday(text))
    else:
        await online.setDetails(**{name: text})


def _shown(value: object) -> str:
    if isinstance(value, Birthday):
        return f"{value.year}-{value.month}-{value.day}" if value.day else ""
    return str(value)


def _parseBirthday(text: str) -> Birthday:
    parts = text.split("-")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() for p in parts):
        raise UsageError("a birthday is YEAR-MONTH-DAY")
    return Birthday(*(int(part[:4]) for part in parts))
