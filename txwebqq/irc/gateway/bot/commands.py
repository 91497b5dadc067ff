"""
What commands to C{*qq} have in common: whose they are, and whom they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import Target
from txwebqq.model import Number


class UsageError(Exception):
    """
    A command that lacks something.
    """


def numberOf(words: Sequence[str]) -> Number:
    if not words or not (words[0].isascii() and words[0].isdigit()):
        raise UsageError("a number is missing")
    return Number(int(words[0][:12]))


class BotOwner(Protocol):
    """
    Whose desk this is.
    """

    name: str
    accounts: dict[int, QQAccount]
    preferences: Preferences

    def signOn(self, number: int) -> None:
        """
        Have an account signed on.
        """

    def signOff(self, number: int) -> Deferred[None]:
        """
        Have it signed off; fires when it is.
        """

    def placeNamed(self, name: str) -> Target | None:
        """
        Who or what is called so.
        """

    def channelOf(self, target: Target) -> str:
        """
        What a group is called.
        """

    def rename(self, target: Target, name: str) -> str:
        """
        Call them otherwise; what is wrong with that, or C{""}.
        """

    def latest(self, target: Target, count: int) -> list[HistoryMessage]:
        """
        What was said there last.
        """

    def listed(self) -> list[str]:
        """
        Everybody, a line each.
        """

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        An account is in a group or a discussion no longer.
        """

    def solve(self, text: str) -> bool:
        """
        Give what somebody has read; whether anybody waits for it.
        """


class BotCommands:
    """
    Commands are methods C{_do_NAME}.

    @param say: tells the user a line.
    """

    def __init__(self, owner: BotOwner, say: Callable[[str], None]) -> None:
        self._owner = owner
        self._say = say

    # ---- who is meant

    def _account(self, words: Sequence[str]) -> QQAccount:
        accounts = self._owner.accounts
        if not words and len(accounts) == 1:
            return next(iter(accounts.values()))
        account = accounts.get(numberOf(words))
        if account is None:
            raise UsageError("that is no account of yours")
        return account

    def _anybody(self) -> QQAccount:
        for account in self._owner.accounts.values():
            if account.isOnline:
                return account
        raise UsageError("no account is signed on")

    def _place(self, words: Sequence[str]) -> Target:
        target = self._owner.placeNamed(words[0]) if words else None
        if target is None:
            raise UsageError("nobody is called so")
        return target
