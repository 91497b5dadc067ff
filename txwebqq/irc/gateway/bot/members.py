"""
Bot commands for members of groups: muting and poking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from txwebqq.irc.gateway.bot.arguments import UsageError, findTarget
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import Target, TargetKind


async def mute(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{mute NICK SECONDS [#CHANNEL]}
    """
    if len(words) < 2 or not (words[1].isascii() and words[1].isdigit()):
        raise UsageError("SECONDS is missing or not a number")
    seconds = int(words[1][:9])
    if not seconds:
        raise UsageError("SECONDS is 0; unmute ends a mute")
    channel = await _mute(user, words[0], words[2:], seconds)
    yield f"{words[0]} is muted in {channel} for {seconds} seconds"


async def unmute(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{unmute NICK [#CHANNEL]}
    """
    if not words:
        raise UsageError("NICK is missing")
    channel = await _mute(user, words[0], words[1:], 0)
    yield f"{words[0]} is no longer muted in {channel}"


async def _mute(
    user: GatewayUser, nick: str, channel: Sequence[str], seconds: int
) -> str:
    account, target, number = _findMember(user, nick, channel)
    await account.actions.mute(target, number, seconds)
    user.interactions.memberMuted(target, number, account.number, seconds)
    return user.directory.channelOf(target)


async def poke(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{poke NICK [#CHANNEL]}
    """
    if not words:
        raise UsageError("NICK is missing")
    contact = _findContact(user, words[0])
    if len(words) == 1:
        for friendOf in user.accounts.values():
            if contact.number in friendOf.contacts.friends:
                await friendOf.actions.shakeWindow(contact.number)
                yield f"The window of {words[0]} has been shaken"
                return
    account, target, number = _findMember(user, words[0], words[1:])
    await account.actions.poke(target, number)
    user.interactions.memberPoked(account, target, account.number, number, 0)
    yield f"{words[0]} has been poked in {user.directory.channelOf(target)}"


def _findContact(user: GatewayUser, nick: str) -> Target:
    contact = findTarget(user, [nick])
    if contact.kind is not TargetKind.CONTACT:
        raise UsageError(f"{nick} is not the nick of a QQ user")
    return contact


def _findMember(
    user: GatewayUser, nick: str, channel: Sequence[str]
) -> tuple[QQAccount, Target, int]:
    """
    Return a member of a group, the group, and an account in it.

    @param channel: the name of the group's channel, or nothing where the member is
        in one group only.
    """
    number = _findContact(user, nick).number
    only = findTarget(user, channel) if channel else None
    groups = {
        target
        for account in user.accounts.values()
        for target, conversation in account.contacts.conversations.items()
        if target.kind is TargetKind.GROUP
        and only in (None, target)
        and any(member.number == number for member in conversation.members)
    }
    if not groups:
        place = channel[0] if channel else "a group of yours"
        raise UsageError(f"{nick} is not a member of {place}")
    if len(groups) > 1:
        raise UsageError(f"#CHANNEL is missing: {nick} is a member of several groups")
    [target] = groups
    account = user.directory.accountFor(target)
    if account is None:
        raise UsageError("none of your accounts is a member")
    return account, target, number
