"""
The table of the bot's commands, and those about accounts, names and history.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from txwebqq.errors import WebQQError
from txwebqq.irc.gateway.bot.arguments import UsageError, findAccount, findTarget
from txwebqq.irc.gateway.bot.blocking import block, unblock
from txwebqq.irc.gateway.bot.members import mute, poke, unmute
from txwebqq.irc.gateway.bot.requests import (
    acceptRequest,
    addFriend,
    denyRequest,
    listRequests,
    removeFriend,
    searchNumber,
)
from txwebqq.irc.gateway.bot.settings import DETAILS, changeSettings
from txwebqq.irc.gateway.storage.message import OWN_NICK
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.nicknames import isNick
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.targets import SERVICE, TargetKind
from txwebqq.model import Status

HISTORY_COUNT, MAX_HISTORY_COUNT = 20, 200
"""Number of messages that C{history} shows, and its maximum."""


async def answer(user: GatewayUser, text: str) -> AsyncIterator[str]:
    """
    Perform a command, and yield the lines of the answer: when a part of it
    fails, what was done before and the error.

    @param text: the command and its arguments.
    """
    name, *words = text.split() or ["help"]
    name = name.lower()
    command = COMMANDS.get(name)
    if command is None:
        yield f"Unknown command {name[:20]}; help lists the commands."
        return
    try:
        async for line in command.handler(user, words):
            yield line
    except WebQQError as e:
        yield f"{name} failed: {e}"
    except UsageError as e:
        yield f"{name}: {e}. Usage: {command.usage}"


async def showHelp(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{help}
    """
    for command in COMMANDS.values():
        yield command.usage


async def showAccounts(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{accounts}
    """
    for number, account in user.accounts.items():
        status = account.online.status.value if account.isOnline else "offline"
        yield f"{number} is {status}"


async def changeStatus(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{status [STATUS]}
    """
    if not words:
        async for line in showAccounts(user, words):
            yield line
        return
    try:
        status = Status(words[0].lower())
    except ValueError as e:
        raise UsageError("unknown status") from e
    for account in user.accounts.values():
        if account.isOnline:
            await account.online.setStatus(status)
            yield f"{account.number} is now {status.value}"


async def showContacts(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{list}
    """
    friends = [
        f"{user.directory.nickOf(number, buddy.markname or buddy.nick)}:"
        f" {number}, {buddy.status.value}"
        for account in user.accounts.values()
        for number in account.contacts.friends
        if (buddy := account.contacts.friend(number)) is not None
    ]
    channels = [f"{c.name}: {c.target.number}" for c in user.directory.channels()]
    for line in [*sorted(friends), *sorted(channels)] or ["No contacts are known yet."]:
        yield line


async def signOn(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{login [NUMBER]}
    """
    number = findAccount(user, words).number
    user.services[number].signOn()
    yield f"{number} is being signed on"


async def signOff(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{logout [NUMBER]}
    """
    number = findAccount(user, words).number
    await user.signOff(number)
    yield f"{number} is signed off; login {number} signs it on again"


async def leaveChannel(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{leave #CHANNEL}
    """
    target = findTarget(user, words)
    if target.kind not in (TargetKind.GROUP, TargetKind.DISCUSSION):
        raise UsageError("this is not a channel")
    isMember = False
    for account in user.accounts.values():
        if target in account.contacts.conversations:
            isMember = True
            await account.actions.leave(target)
            user.leftGroup(account, target)
            yield f"{account.number} has left {words[0]}"
    if not isMember:
        yield f"None of your accounts is a member of {words[0]}."


async def rename(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{rename NICK NEW}
    """
    target = findTarget(user, words)
    if target == SERVICE:
        raise UsageError("the bot cannot be renamed")
    if len(words) != 2 or not (words[1].startswith("#") or isNick(words[1])):
        raise UsageError("NEW is missing or not a valid name")
    problem = user.rename(target, words[1])
    yield problem or f"{words[0]} is now {words[1]}"


async def showHistory(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{history NICK|#CHANNEL [COUNT]}
    """
    target = findTarget(user, words)
    count = HISTORY_COUNT
    if len(words) > 1:
        if not (words[1].isascii() and words[1].isdigit()):
            raise UsageError("COUNT is not a number")
        count = max(1, min(int(words[1][:4]), MAX_HISTORY_COUNT))
    for message in user.history.latest(user.name, target, count):
        when = time.strftime("%m-%d %H:%M", time.localtime(message.time / 1000))
        # Each line has the sender, or a text of several lines could look like
        # messages of others.
        text = stripFormatting(message.text).replace(OWN_NICK, user.name)
        if message.command == "REDACT":
            text = "has recalled a message"
        for line in splitLines(text):
            yield f"[{when}] <{message.nick}> {line}"


async def solveCaptcha(user: GatewayUser, words: Sequence[str]) -> AsyncIterator[str]:
    """
    C{captcha [NUMBER] TEXT}
    """
    if not words:
        raise UsageError("TEXT is missing")
    if len(words) == 1:
        yield user.captchas.answer(words[0])
        return
    if not (words[0].isascii() and words[0].isdigit()):
        raise UsageError("NUMBER is not a number")
    yield user.captchas.answer(words[1], int(words[0][:20]))


@dataclass(frozen=True, slots=True)
class BotCommand:
    """
    A command of the bot.

    @ivar handler: performs the command with its arguments, and yields the
        lines of the answer.
    @ivar usage: its syntax and its purpose, for C{help}.
    """

    handler: Callable[[GatewayUser, Sequence[str]], AsyncIterator[str]]
    usage: str


_STATUSES = ", ".join(each.value for each in Status if each is not Status.OFFLINE)

COMMANDS: Mapping[str, BotCommand] = {
    "help": BotCommand(showHelp, "help: list the commands"),
    "accounts": BotCommand(showAccounts, "accounts: show the status of your accounts"),
    "status": BotCommand(
        changeStatus,
        f"status [STATUS]: show or set the status of your accounts: {_STATUSES}",
    ),
    "list": BotCommand(showContacts, "list: show your friends and groups"),
    "login": BotCommand(signOn, "login [NUMBER]: sign an account on again"),
    "logout": BotCommand(signOff, "logout [NUMBER]: sign an account off"),
    "search": BotCommand(searchNumber, "search NUMBER: show a QQ user"),
    "add": BotCommand(addFriend, "add NUMBER [TEXT]: send a friend request"),
    "requests": BotCommand(
        listRequests, "requests: show friend requests and requests to join groups"
    ),
    "accept": BotCommand(
        acceptRequest,
        "accept NUMBER [#CHANNEL]: accept a friend request and add the friend, or"
        " accept a request to join a group",
    ),
    "deny": BotCommand(denyRequest, "deny NUMBER [#CHANNEL] [TEXT]: decline a request"),
    "mute": BotCommand(
        mute, "mute NICK SECONDS [#CHANNEL]: mute a member of a group that you manage"
    ),
    "unmute": BotCommand(unmute, "unmute NICK [#CHANNEL]: let a member speak again"),
    "poke": BotCommand(
        poke, "poke NICK [#CHANNEL]: poke a member of a group, or a friend"
    ),
    "leave": BotCommand(
        leaveChannel, "leave #CHANNEL: leave a group or a discussion permanently"
    ),
    "remove": BotCommand(removeFriend, "remove NICK: remove a friend"),
    "block": BotCommand(
        block,
        "block [NICK|NUMBER|strangers]: refuse messages and friend requests of a QQ"
        " user or of group members who are no friends, or list who is blocked",
    ),
    "unblock": BotCommand(
        unblock, "unblock NICK|NUMBER|strangers: accept messages again"
    ),
    "rename": BotCommand(
        rename, "rename NICK NEW: give a contact or a channel another name here"
    ),
    "history": BotCommand(
        showHistory, "history NICK|#CHANNEL [COUNT]: show the last messages"
    ),
    "set": BotCommand(
        changeSettings,
        "set formatting on|off: show the fonts of QQ messages or not; set quotes"
        " on|off: show in each reply the beginning of what it answers; set [ACCOUNT]"
        f" [DETAIL TEXT]: show or change your profile: {', '.join(DETAILS)}",
    ),
    "captcha": BotCommand(
        solveCaptcha, "captcha [NUMBER] TEXT: answer the captcha of an account"
    ),
}
