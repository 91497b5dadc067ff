"""
What C{*qq} does for an IRC user: its commands, by the first word.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from txwebqq.errors import WebQQError
from txwebqq.irc.gateway.bot.commands import UsageError
from txwebqq.irc.gateway.bot.requests import FriendRequestCommands
from txwebqq.irc.gateway.bot.settings import DETAILS, SettingsCommands
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.nicknames import isNick
from txwebqq.irc.targets import TargetKind
from txwebqq.model import Status

HELP = {
    "help": "help: this list",
    "accounts": "accounts: your QQ accounts",
    "status": "status [WORD]: how you appear, or appear so: "
    + ", ".join(status.value for status in Status if status is not Status.OFFLINE),
    "list": "list: your friends and groups",
    "login": "login [NUMBER]: sign an account on again",
    "logout": "logout [NUMBER]: sign it off",
    "search": "search NUMBER: find somebody",
    "add": "add NUMBER [WORDS]: ask somebody to be your friend",
    "requests": "requests: who wants to be your friend, or to join a group",
    "accept": "accept NUMBER [#CHANNEL]: let somebody be your friend, and have them"
    " for one; or let them join a group",
    "deny": "deny NUMBER [#CHANNEL] [WORDS]: do not",
    "leave": "leave #CHANNEL: leave a group or a discussion, for good",
    "remove": "remove NICK: have somebody for a friend no longer",
    "rename": "rename NICK NEW: call somebody otherwise here",
    "history": "history NICK|#CHANNEL [COUNT]: what was said",
    "set": "set formatting on|off: see what words look like on QQ, or not; set"
    " [ACCOUNT] [DETAIL WORDS]: tell of yourself " + ", ".join(DETAILS),
    "captcha": "captcha TEXT: what the picture says",
}


class ServiceBot(FriendRequestCommands, SettingsCommands):
    """
    Answers commands.

    @param say: tells the user a line.
    """

    async def do(self, text: str) -> None:
        """
        Do what a line says, and tell what came of it.
        """
        name, *words = text.split() or ["help"]
        name = name.lower()
        if name not in HELP:
            self._say(f"There is no command {name[:20]}; help lists them.")
            return
        try:
            await getattr(self, f"_do_{name}")(words)
        except WebQQError as e:
            self._say(f"{name}: that did not work: {e}")
        except UsageError as e:
            self._say(f"{name}: {e}. {HELP[name]}")

    async def _do_help(self, words: Sequence[str]) -> None:
        for line in HELP.values():
            self._say(line)

    async def _do_accounts(self, words: Sequence[str]) -> None:
        for number, account in self._owner.accounts.items():
            state = account.online.status.value if account.isOnline else "offline"
            self._say(f"{number} is {state}")

    async def _do_status(self, words: Sequence[str]) -> None:
        if not words:
            await self._do_accounts(words)
            return
        try:
            status = Status(words[0].lower())
        except ValueError as e:
            raise UsageError("that is no status") from e
        for account in self._owner.accounts.values():
            if account.isOnline:
                await account.online.setStatus(status)
                self._say(f"{account.number} is {status.value} now")

    async def _do_list(self, words: Sequence[str]) -> None:
        for line in self._owner.listed() or ["Nobody is known yet."]:
            self._say(line)

    async def _do_login(self, words: Sequence[str]) -> None:
        number = self._account(words).number
        self._owner.signOn(number)
        self._say(f"{number} is being signed on")

    async def _do_logout(self, words: Sequence[str]) -> None:
        number = self._account(words).number
        await self._owner.signOff(number)
        self._say(f"{number} is signed off; login {number} brings it back")

    async def _do_leave(self, words: Sequence[str]) -> None:
        target = self._place(words)
        if target.kind not in (TargetKind.GROUP, TargetKind.DISCUSSION):
            raise UsageError("that is no channel")
        isIn = False
        for account in self._owner.accounts.values():
            if target in account.contacts.conversations:
                isIn = True
                await account.actions.leave(target)
                self._owner.leftGroup(account, target)
                self._say(f"{account.number} has left {words[0]}")
        if not isIn:
            self._say(f"None of your accounts is in {words[0]}.")

    async def _do_rename(self, words: Sequence[str]) -> None:
        target = self._place(words)
        if len(words) != 2 or not (words[1].startswith("#") or isNick(words[1])):
            raise UsageError("the new name is missing, or no name")
        problem = self._owner.rename(target, words[1])
        self._say(problem or f"{words[0]} is {words[1]} from now on")

    async def _do_history(self, words: Sequence[str]) -> None:
        target = self._place(words)
        count = 20
        if len(words) > 1:
            if not (words[1].isascii() and words[1].isdigit()):
                raise UsageError("the count is no number")
            count = max(1, min(int(words[1][:4]), 200))
        for message in self._owner.latest(target, count):
            when = time.strftime("%m-%d %H:%M", time.localtime(message.time / 1000))
            self._say(f"[{when}] <{message.nick}> {stripFormatting(message.text)}")

    async def _do_captcha(self, words: Sequence[str]) -> None:
        if not words:
            raise UsageError("the text is missing")
        if not self._owner.solve(words[0]):
            self._say("There is no captcha to read.")
