"""
Bot commands for contacts: searching, friend requests, and requests to join
groups.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from txwebqq.irc.gateway.bot.arguments import (
    UsageError,
    findTarget,
    onlineAccount,
    parseNumber,
)
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.nicknames import displayName
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import Target
from txwebqq.model import Number


async def searchNumber(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{search NUMBER}
    """
    found = await onlineAccount(user).online.searchNumber(parseNumber(words))
    nick = displayName(found.nick)
    yield f"{found.number} is {nick}; add {found.number} sends a friend request"


async def addFriend(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{add NUMBER [TEXT]}
    """
    number = parseNumber(words)
    await onlineAccount(user).online.requestFriendship(number, " ".join(words[1:]))
    yield f"Friend request sent to {number}"


async def listRequests(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{requests}
    """
    isEmpty = True
    for account in user.accounts.values():
        for number, request in account.friendRequests.items():
            isEmpty = False
            text = displayName(request.text)
            yield f"{number} wants to be a friend of {account.number}: {text}"
    for account in user.accounts.values():
        for (number, target), application in account.joinRequests.items():
            isEmpty = False
            name = user.directory.channelOf(target)
            yield f"{number} wants to join {name}: {displayName(application.text)}"
    if isEmpty:
        yield "There are no requests."


async def acceptRequest(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{accept NUMBER [#CHANNEL]}
    """
    number = parseNumber(words)
    target, _ = _channel(user, words)
    if target is not None:
        await _answerJoinRequest(user, number, target, True, "")
        yield f"{number} is now a member of {words[1]}"
        return
    account = _requested(user, number)
    await account.online.acceptFriendship(account.friendRequests[number])
    account.friendRequests.pop(number, None)
    yield f"{number} is now your friend"


async def denyRequest(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{deny NUMBER [#CHANNEL] [TEXT]}
    """
    number = parseNumber(words)
    target, rest = _channel(user, words)
    text = " ".join(rest)
    if target is not None:
        await _answerJoinRequest(user, number, target, False, text)
    else:
        account = _requested(user, number)
        await account.online.refuseFriendship(account.friendRequests[number], text)
        account.friendRequests.pop(number, None)
    yield f"The request of {number} has been declined"


def _channel(
    user: GatewayUser, words: Sequence[str]
) -> tuple[Target | None, Sequence[str]]:
    """
    Return the channel that is the optional second argument, and the arguments
    after it.
    """
    if len(words) < 2 or not words[1].startswith("#"):
        return None, words[1:]
    return findTarget(user, words[1:]), words[2:]


async def _answerJoinRequest(
    user: GatewayUser, number: Number, target: Target, isAccepted: bool, text: str
) -> None:
    key = number, target
    for account in user.accounts.values():
        if key in account.joinRequests:
            notice = account.joinRequests[key]
            await account.online.answerJoinRequest(notice, isAccepted, text)
            account.joinRequests.pop(key, None)
            return
    raise UsageError(f"{number} has not asked to join this group")


def _requested(user: GatewayUser, number: Number) -> QQAccount:
    for account in user.accounts.values():
        if number in account.friendRequests:
            return account
    raise UsageError(f"there is no friend request from {number}")


async def removeFriend(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{remove NICK}
    """
    target = findTarget(user, words)
    for account in user.accounts.values():
        uin = account.contacts.friends.get(target.number)
        if uin is not None:
            await account.online.removeFriend(uin)
            del account.contacts.friends[target.number]
            yield f"{words[0]} is no longer a friend of {account.number}"
