"""
What an IRC user calls everybody, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.storage.names import NameTable, NameTaken
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import (
    Romanise,
    channelFor,
    isChannel,
    isNick,
    nickFor,
)
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.contacts import Conversation
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Status

BOT_NICK = "*qq"
"""The nick of the service."""


@dataclass(frozen=True, slots=True)
class ChannelView:
    """
    A group, as IRC sees it.

    @ivar members: nick, number, and whether an operator.
    """

    name: str
    target: Target
    topic: str
    members: tuple[tuple[str, int, bool], ...]


class _Taken(Container[str]):
    """
    The names that are somebody's, those of our user's clients among them.
    """

    def __init__(self, names: Container[str], own: Callable[[], set[str]]) -> None:
        self._names = names
        self._own = own

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in self._names or casefold(name) in self._own()
        )


class NameDirectory:
    """
    The names of people, groups and discussions, and who knows them.

    @param romanise: writes Chinese in Latin letters.

    @ivar accounts: the user's accounts, by number.
    """

    def __init__(
        self, settings: UserSettings, names: NameTable, romanise: Romanise | None = None
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.names = names
        self.accounts: dict[int, QQAccount] = {}
        self._romanise = romanise
        self._taken = _Taken(names, self._reservedNicks)

    def _reservedNicks(self) -> set[str]:
        """
        The folded names that are not for others.
        """
        return {casefold(self.name), casefold(BOT_NICK)}

    # ---- names

    def nickOf(self, number: int, name: str) -> str:
        """
        What somebody is called, for ever from the first time on.
        """
        if number in self.accounts:
            return self.name
        target = Target(TargetKind.CONTACT, number)
        style = self.settings.style
        return self.names.claim(
            target, lambda _: nickFor(name, number, style, self._taken, self._romanise)
        )

    def placeNamed(self, name: str) -> Target | None:
        """
        Who or what is called so.
        """
        return (
            SERVICE if casefold(name) == casefold(BOT_NICK) else self.names.place(name)
        )

    def rename(self, target: Target, name: str) -> str:
        """
        Call somebody otherwise; what is wrong with that, or C{""}.
        """
        isRoom = target.kind is not TargetKind.CONTACT
        if casefold(name) in self._reservedNicks() or not (
            isChannel if isRoom else isNick
        )(name):
            return f"{name} cannot be taken for that"
        try:
            self.names.rename(target, name)
        except NameTaken as e:
            return str(e)
        return ""

    def nameOf(self, target: Target) -> str:
        """
        What to call a place, whether it has a name or not.
        """
        if target == SERVICE:
            return BOT_NICK
        if target.kind is TargetKind.CONTACT:
            own = self.name if target.number in self.accounts else None
            # A name is for ever: who has none is not given one here.
            return own or self.names.name(target) or str(target.number)
        return self.channelOf(target)

    # ---- channels

    def channels(self) -> list[ChannelView]:
        """
        All of them, one for a group that several accounts are in.
        """
        conversations: dict[Target, Conversation] = {}
        for account in self.accounts.values():
            conversations.update(account.contacts.conversations)
        return [self._channel(conversation) for conversation in conversations.values()]

    def channelOf(self, target: Target, name: str = "") -> str:
        """
        What a group or a discussion is called, likewise.
        """
        style = self.settings.style
        return self.names.claim(
            target,
            lambda taken: channelFor(name, target.number, style, taken, self._romanise),
        )

    def _channel(self, conversation: Conversation) -> ChannelView:
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
            tuple((nick, *who) for nick, who in members.items()),
        )

    def residentOf(self, target: Target) -> QQAccount | None:
        """
        Which account talks there; one that is signed on before others.
        """
        known = [r for r in self.accounts.values() if r.contacts.knows(target)]
        if not known and target.kind is TargetKind.CONTACT:
            known = [
                r
                for r in self.accounts.values()
                if r.contacts.sharesGroupWith(target.number)
            ]
        known.sort(key=lambda account: not account.isOnline)
        return known[0] if known else None

    def statusOf(self, number: int) -> Status | None:
        """
        How a friend appears, L{None} where that is not known.
        """
        for account in self.accounts.values():
            buddy = account.contacts.friend(number)
            if buddy is not None:
                return buddy.status
        return None

    def listed(self) -> list[str]:
        """
        Everybody, a line each.
        """
        people = [
            f"{self.nickOf(number, buddy.name)}: {number}, {buddy.status.value}"
            for account in self.accounts.values()
            for number in account.contacts.friends
            if (buddy := account.contacts.friend(number)) is not None
        ]
        rooms = [f"{c.name}: {c.target.number}" for c in self.channels()]
        return sorted(people) + sorted(rooms)
