"""
What one tells about oneself on QQ.
"""

from __future__ import annotations

from collections.abc import Sequence

from txwebqq.irc.gateway.bot.commands import BotCommands, UsageError
from txwebqq.model import Birthday
from txwebqq.protocol import WebQQProtocol
from txwebqq.wire.profilefields import PROFILE_TEXTS

DETAILS = sorted(("birthday", "signature", *PROFILE_TEXTS))


class SettingsCommands(BotCommands):
    """
    The command C{set}.
    """

    async def _do_set(self, words: Sequence[str]) -> None:
        if words[:1] == ["formatting"]:
            self._format(words[1:])
            return
        isNumbered = bool(words) and words[0].isdigit()
        account = self._account(words[:1] if isNumbered else ())
        name, *rest = words[isNumbered:] or ("",)
        if not name:
            await self._tellDetails(account.online)
            return
        name, text = name.lower(), " ".join(rest)
        if name not in DETAILS:
            raise UsageError("there is nothing of that name to set")
        if name == "signature":
            await account.online.setSignature(text)
        elif name == "birthday":
            await account.online.setDetails(birthday=_birthday(text))
        else:
            await account.online.setDetails(**{name: text})
        self._say(f"{account.number}: {name} is {text or 'nothing'} now")

    def _format(self, words: Sequence[str]) -> None:
        if words not in (["on"], ["off"]):
            raise UsageError("formatting is on or off")
        self._owner.preferences.set(self._owner.name, "formatting", words[0])
        self._say(f"formatting is {words[0]} now")

    async def _tellDetails(self, online: WebQQProtocol) -> None:
        profile = await online.fetchSelf()
        for name in DETAILS:
            value = getattr(profile, name)
            if isinstance(value, Birthday):
                value = f"{value.year}-{value.month}-{value.day}" if value.day else ""
            self._say(f"{name}: {value}")


def _birthday(text: str) -> Birthday:
    parts = text.split("-")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() for p in parts):
        raise UsageError("a birthday is YEAR-MONTH-DAY")
    return Birthday(*(int(part[:4]) for part in parts))
