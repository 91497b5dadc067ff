"""
The bot commands that block QQ users.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from txwebqq.irc.gateway.bot.arguments import UsageError, findTarget, parseNumber
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Number
from txwebqq.protocol import WebQQProtocol

STRANGERS = "strangers"


async def block(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{block [NICK|NUMBER|strangers]}
    """
    online = _online(user)
    if not words:
        blocked = {n for each in online for n in await each.fetchBlocked()}
        for number in sorted(blocked):
            nick = user.directory.nameOf(Target(TargetKind.CONTACT, number))
            yield f"{nick}: {number}"
        if not blocked:
            yield "Nobody is blocked."
    elif words[0].lower() == STRANGERS:
        for each in online:
            await each.acceptStrangers(False)
        yield "Private messages of group members who are no friends are refused"
    else:
        number = _number(user, words)
        for each in online:
            await each.block(number)
        yield f"{words[0]} is blocked"


async def unblock(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{unblock NICK|NUMBER|strangers}
    """
    online = _online(user)
    if words and words[0].lower() == STRANGERS:
        for each in online:
            await each.acceptStrangers(True)
        yield "Private messages of group members who are no friends are accepted"
        return
    number = _number(user, words)
    for each in online:
        await each.unblock(number)
    yield f"{words[0]} is not blocked"


def _online(user: GatewayUser) -> list[WebQQProtocol]:
    online = [each.online for each in user.accounts.values() if each.isOnline]
    if not online:
        raise UsageError("no account is signed on")
    return online


def _number(user: GatewayUser, words: Sequence[str]) -> Number:
    if words and words[0].isascii() and words[0].isdigit():
        return parseNumber(words)
    target = findTarget(user, words)
    if target.kind is not TargetKind.CONTACT:
        raise UsageError("this is no QQ user")
    return Number(target.number)
