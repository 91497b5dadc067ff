"""
The IRC names of one gateway user's contacts and channels.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Mapping, Sequence

from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.attachedclient import AttachedClient, ChannelView
from txwebqq.irc.gateway.storage.names import NameTable, NameTaken
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import (
    Romanise,
    channelFor,
    isChannel,
    isNick,
    isServiceNick,
    nickFor,
)
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.contacts import Conversation
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Status

BOT_NICK = "*qq"
"""The nick of the service bot."""


class NameDirectory(Container[str]):
    """
    Nicks of contacts and names of channels. A name is given once and then kept
    in the database. The directory contains the names that are taken or
    reserved, in any case.

    @param accounts: the user's QQ accounts, by number.
    @param clients: the user's clients, whose nicks are reserved.
    @param romanise: writes Chinese in Latin letters.
    """

    def __init__(
        self,
        settings: UserSettings,
        names: NameTable,
        accounts: Mapping[int, QQAccount],
        clients: Sequence[AttachedClient],
        romanise: Romanise | None = None,
    ) -> None:
        self._userName = settings.name
        self._style = settings.style
        self._names = names
        self._accounts = accounts
        self._clients = clients
        self._romanise = romanise
        for target, name in names.all():
            # Given by an older version, which reserved none.
            if target.kind is TargetKind.CONTACT and isServiceNick(name):
                names.rename(target, self._makeNick(target.number, name))

    def _makeNick(self, number: int, name: str) -> str:
        nick = nickFor(name, number, self._style, self, self._romanise)
        # A group's thousand names need not be in memory twice.
        return name if nick == name else nick

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in self._names
            or casefold(name) in self._reserved()
            or isServiceNick(name)
        )

    def _reserved(self) -> set[str]:
        nicks = [self._userName, BOT_NICK, *(client.nick for client in self._clients)]
        return {casefold(nick) for nick in nicks}

    def knownNick(self, number: int) -> str | None:
        """
        Return the nick of a QQ user, L{None} for one that has not been given
        one.
        """
        if number in self._accounts:
            return self._userName
        return self._names.name(Target(TargetKind.CONTACT, number))

    def nickOf(self, number: int, name: str) -> str:
        """
        Return the nick of a QQ user.

        @param name: the QQ nickname, from which the nick is made the first
            time.
        """
        if number in self._accounts:
            return self._userName
        return self._names.claim(
            Target(TargetKind.CONTACT, number),
            lambda _: self._makeNick(number, name),
        )

    def channelOf(self, target: Target, name: str = "") -> str:
        """
        Return the channel name of a group or a discussion.

        @param name: the name on QQ, from which the channel's is made the first
            time.
        """
        return self._names.claim(
            target,
            lambda taken: channelFor(
                name, target.number, self._style, taken, self._romanise
            ),
        )

    def nameOf(self, target: Target) -> str:
        """
        Return the nick or channel name of a target. A contact without a nick
        is not given one: its number is returned.
        """
        if target == SERVICE:
            return BOT_NICK
        if target.kind is not TargetKind.CONTACT:
            return self.channelOf(target)
        if target.number in self._accounts:
            return self._userName
        return self._names.name(target) or str(target.number)

    def targetNamed(self, name: str) -> Target | None:
        """
        Return the target with this nick or channel name, L{None} if there is
        none.
        """
        if casefold(name) == casefold(BOT_NICK):
            return SERVICE
        return self._names.target(name)

    def rename(self, target: Target, name: str) -> str:
        """
        Give a contact or a channel another name.

        @return: the reason why the name cannot be given, or C{""}.
        """
        isValid = isNick if target.kind is TargetKind.CONTACT else isChannel
        isReserved = casefold(name) in self._reserved() or isServiceNick(name)
        if isReserved or not isValid(name):
            return f"{name} is not a valid name or is reserved"
        try:
            self._names.rename(target, name)
        except NameTaken as e:
            return str(e)
        except sqlite3.Error as e:
            return f"{name} cannot be stored: {e}"
        return ""

    def channels(
        self, targets: Container[Target | None] | None = None
    ) -> list[ChannelView]:
        """
        Return the groups and discussions of all accounts, each once.

        @param targets: lists only these.
        """
        conversations: dict[Target, Conversation] = {}
        for account in self._accounts.values():
            conversations.update(account.contacts.conversations)
        return [
            self._view(conversation)
            for target, conversation in conversations.items()
            if targets is None or target in targets
        ]

    def channelNamed(self, name: str) -> ChannelView | None:
        """
        Return the group or discussion with this channel name, L{None} if no
        account is a member of one.
        """
        target = self.targetNamed(name)
        found = self.channels([target]) if target is not None else []
        return found[0] if found else None

    def channelsWith(self, number: int) -> list[str]:
        """
        Return the names of the channels that have a QQ user as a member.
        """
        targets = {
            target: conversation.name
            for account in self._accounts.values()
            for target, conversation in account.contacts.conversations.items()
            if any(member.number == number for member in conversation.members)
        }
        return [self.channelOf(target, name) for target, name in targets.items()]

    def _view(self, conversation: Conversation) -> ChannelView:
        name = self.channelOf(conversation.target, conversation.name)
        members = {
            self.nickOf(member.number, member.name): (member.number, member.isAdmin)
            for member in conversation.members
        }
        topic = " ".join(splitLines(conversation.memo))
        return ChannelView(
            name,
            conversation.target,
            topic,
            tuple((nick, *member) for nick, member in members.items()),
        )

    def accountFor(self, target: Target) -> QQAccount | None:
        """
        Return the account that can send to a target, one that is signed on
        before others; L{None} if no account knows the target.
        """
        accounts = self._accounts.values()
        found = [account for account in accounts if account.contacts.knows(target)]
        if not found and target.kind is TargetKind.CONTACT:
            found = [a for a in accounts if a.contacts.sharesGroupWith(target.number)]
        found.sort(key=lambda account: not account.isOnline)
        return found[0] if found else None

    def statusOf(self, number: int) -> Status | None:
        """
        Return the status of a friend, L{None} if it is not known.
        """
        for account in self._accounts.values():
            buddy = account.contacts.friend(number)
            if buddy is not None:
                return buddy.status
        return None

    def isOnline(self, nick: str) -> bool:
        """
        Check whether a nick is the bot's, or that of a friend who is online.
        """
        target = self.targetNamed(nick)
        if target is None or target.kind is not TargetKind.CONTACT:
            return target == SERVICE
        return self.statusOf(target.number) not in (None, Status.OFFLINE)
