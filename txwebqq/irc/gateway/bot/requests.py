"""
What people want of each other: to be friends, to be let in.
"""

from __future__ import annotations

from collections.abc import Sequence

from txwebqq.irc.gateway.bot.commands import BotCommands, UsageError, numberOf
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import Target
from txwebqq.model import Number


class FriendRequestCommands(BotCommands):
    """
    The commands by which one asks, and answers those who ask.
    """

    async def _do_search(self, words: Sequence[str]) -> None:
        person = await self._anybody().online.searchNumber(numberOf(words))
        self._say(f"{person.number} is {person.nick}: add {person.number} asks them")

    async def _do_add(self, words: Sequence[str]) -> None:
        number = numberOf(words)
        await self._anybody().online.requestFriendship(number, " ".join(words[1:]))
        self._say(f"{number} has been asked")

    async def _do_requests(self, words: Sequence[str]) -> None:
        accounts = self._owner.accounts.values()
        asked = [
            f"{number} asks {account.number}: {notice.text}"
            for account in accounts
            for number, notice in account.friendRequests.items()
        ] + [
            f"{number} asks to join {self._owner.channelOf(target)}: {notice.text}"
            for resident in accounts
            for (number, target), notice in resident.joinRequests.items()
        ]
        for line in asked or ["Nobody has asked."]:
            self._say(line)

    async def _do_accept(self, words: Sequence[str]) -> None:
        number = numberOf(words)
        target, _ = self._group(words)
        if target is not None:
            await self._admit(number, target, True, "")
            self._say(f"{number} is in {words[1]} now")
            return
        account = self._asked(number)
        await account.online.acceptFriendship(account.friendRequests[number])
        account.friendRequests.pop(number, None)
        self._say(f"{number} is your friend")

    async def _do_deny(self, words: Sequence[str]) -> None:
        number = numberOf(words)
        target, rest = self._group(words)
        text = " ".join(rest)
        if target is not None:
            await self._admit(number, target, False, text)
        else:
            account = self._asked(number)
            await account.online.refuseFriendship(account.friendRequests[number], text)
            account.friendRequests.pop(number, None)
        self._say(f"{number} has been told no")

    def _group(self, words: Sequence[str]) -> tuple[Target | None, Sequence[str]]:
        """
        Which group a command is about, and what else it says.
        """
        if len(words) < 2 or not words[1].startswith("#"):
            return None, words[1:]
        return self._place(words[1:]), words[2:]

    async def _admit(
        self, number: Number, target: Target, agree: bool, text: str
    ) -> None:
        key = number, target
        for account in self._owner.accounts.values():
            if key in account.joinRequests:
                notice = account.joinRequests[key]
                await account.online.answerJoinRequest(notice, agree, text)
                account.joinRequests.pop(key, None)
                return
        raise UsageError(f"{number} has not asked to join that")

    def _asked(self, number: Number) -> QQAccount:
        for account in self._owner.accounts.values():
            if number in account.friendRequests:
                return account
        raise UsageError(f"{number} has not asked")

    async def _do_remove(self, words: Sequence[str]) -> None:
        target = self._place(words)
        for account in self._owner.accounts.values():
            uin = account.contacts.friends.get(target.number)
            if uin is not None:
                await account.online.removeFriend(uin)
                del account.contacts.friends[target.number]
                self._say(f"{words[0]} is no friend of {account.number} any more")
