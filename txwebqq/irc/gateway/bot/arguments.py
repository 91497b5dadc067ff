"""
Arguments of the bot's commands: numbers, accounts and targets.
"""

from __future__ import annotations

from collections.abc import Sequence

from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import Target
from txwebqq.model import Number


class UsageError(Exception):
    """
    A command with a missing or invalid argument.
    """


def parseNumber(words: Sequence[str]) -> Number:
    """
    Return the QQ number that is the first argument.
    """
    if not words or not (words[0].isascii() and words[0].isdigit()):
        raise UsageError("NUMBER is missing")
    return Number(int(words[0][:12]))


def findAccount(user: GatewayUser, words: Sequence[str]) -> QQAccount:
    """
    Return the account whose number is the first argument; without arguments,
    the user's only one.
    """
    if not words and len(user.accounts) == 1:
        return next(iter(user.accounts.values()))
    account = user.accounts.get(parseNumber(words))
    if account is None:
        raise UsageError("this is not the number of an account of yours")
    return account


def onlineAccount(user: GatewayUser) -> QQAccount:
    """
    Return an account that is signed on.
    """
    for account in user.accounts.values():
        if account.isOnline:
            return account
    raise UsageError("no account is signed on")


def findTarget(user: GatewayUser, words: Sequence[str]) -> Target:
    """
    Return the contact or channel whose name is the first argument.
    """
    target = user.directory.targetNamed(words[0]) if words else None
    if target is None:
        raise UsageError("no such nick or channel")
    return target
