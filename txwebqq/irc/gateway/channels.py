"""
The channels that one client has joined or parted from, and the lines about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from txwebqq.irc.gateway.attachedclient import ChannelView
from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.splitting import joinWords
from txwebqq.irc.targets import Target, TargetKind


class ClientChannels:
    """
    The channels of one client, as it has last been shown them.

    @param key: the client's key, under which its parted channels are stored.
    """

    def __init__(self, builder: LineBuilder, user: GatewayUser, key: str) -> None:
        self._builder = builder
        self._user = user
        self._key = key
        self._joined: dict[str, ChannelView] = {}
        # The serial of the user's last message when the client parted.
        self._parted = user.parted.of(user.name, key)

    def named(self, name: str) -> ChannelView | None:
        """
        Return the joined channel of this name, L{None} if the client has not
        joined it.
        """
        return self._joined.get(casefold(name))

    def notJoined(self, name: str) -> tuple[str, str, str]:
        """
        Return the numeric and the parameters of the error about a channel that
        the client has not joined.
        """
        if self._user.directory.channelNamed(name) is None:
            return ("403", name, "No such channel")
        return ("442", name, "You're not on that channel")

    @property
    def joinedNames(self) -> list[str]:
        """
        The names of the joined channels.
        """
        return [channel.name for channel in self._joined.values()]

    def isParted(self, target: Target) -> bool:
        """
        Check whether the client has parted from a channel that its user is in.
        """
        return target in self._parted

    def join(self, channel: ChannelView) -> tuple[Iterable[Line], int | None]:
        """
        Join a channel.

        @return: the lines, and the serial of the user's last message when the
            client parted; L{None} if it had not parted.
        """
        serial = self._parted.pop(channel.target, None)
        if serial is not None:
            self._user.parted.remove(self._user.name, self._key, channel.target)
        isJoined = self.named(channel.name) is not None
        return (() if isJoined else self._enter(channel)), serial

    def part(self, name: str) -> ChannelView | None:
        """
        Part from a channel until the client joins it again.

        @return: the channel, L{None} if the client had not joined it.
        """
        channel = self._joined.pop(casefold(name), None)
        if channel is not None:
            user = self._user
            serial = user.history.last(user.name)
            self._parted[channel.target] = serial
            user.parted.add(user.name, self._key, channel.target, serial)
        return channel

    def update(self, channel: ChannelView) -> Iterable[Line]:
        """
        Join a channel, or show the changes since it was shown before; nothing
        for a channel from which the client has parted.
        """
        if channel.target in self._parted:
            return ()
        before = self.named(channel.name)
        return self._enter(channel) if before is None else self._diff(before, channel)

    def _enter(self, channel: ChannelView) -> Iterable[Line]:
        self._joined[casefold(channel.name)] = channel
        builder = self._builder
        extra = (self._user.name, "QQ") if builder.has("extended-join") else ()
        yield builder.fromUser("JOIN", channel.name, *extra)
        if channel.topic:
            # RFC 2812, 3.2.1: 332 if there is a topic, nothing if there is none.
            yield self.topic(channel)
        yield from self.names(channel)

    def _diff(self, before: ChannelView, channel: ChannelView) -> Iterable[Line]:
        self._joined[casefold(channel.name)] = channel
        builder, name, own = self._builder, channel.name, self._user.accounts
        if before.topic != channel.topic:
            if channel.target in self._user.topicChanges:
                yield builder.fromUser("TOPIC", name, channel.topic)
            else:
                yield builder.fromServer("TOPIC", name, channel.topic)
        old = {nick: number for nick, number, _ in before.members if number not in own}
        new = {nick: number for nick, number, _ in channel.members if number not in own}
        for nick in old.keys() - new.keys():
            reason = self._user.kicks.get((channel.target, old[nick]))
            if reason is None:
                yield builder.fromContact(nick, old[nick], "PART", name)
            else:
                yield builder.fromUser("KICK", name, nick, reason)
        for nick in new.keys() - old.keys():
            number = new[nick]
            extra = (str(number), nick) if builder.has("extended-join") else ()
            yield builder.fromContact(nick, number, "JOIN", name, *extra)
        wasAdmin = {number: isAdmin for _, number, isAdmin in before.members}
        for nick, number, isAdmin in channel.members:
            if wasAdmin.get(number, False) != isAdmin:
                shown = builder.nick if number in own else nick
                yield builder.fromServer("MODE", name, "+o" if isAdmin else "-o", shown)

    def remove(self, target: Target, name: str) -> Iterable[Line]:
        """
        Forget a channel that the user is no longer in.
        """
        self._parted.pop(target, None)
        if self._joined.pop(casefold(name), None) is None:
            return ()
        reason = "You are no longer a member"
        return [self._builder.fromUser("PART", name, reason)]

    def renameContact(self, before: str, number: int, after: str) -> Iterable[Line]:
        """
        Change the nick of a QQ user in all channels.
        """
        self._joined = {
            key: _withNick(channel, number, after)
            for key, channel in self._joined.items()
        }
        return [self._builder.fromContact(before, number, "NICK", after)]

    def renameChannel(self, before: str, after: str) -> Iterable[Line]:
        """
        Part from a channel that has another name now.
        """
        self._joined.pop(casefold(before), None)
        return [self._builder.fromUser("PART", before, f"Renamed to {after}")]

    def names(self, channel: ChannelView) -> Iterable[Line]:
        """
        Return the 353 and 366 replies that list the members of a channel.
        """
        builder = self._builder
        isFull = builder.has("userhost-in-names")
        entries = [f"@{builder.nick}"] if not channel.members else []
        for nick, number, isAdmin in channel.members:
            if number in self._user.accounts:
                shown = builder.userMask if isFull else builder.nick
            else:
                shown = builder.contactMask(nick, number) if isFull else nick
            entries.append(f"@{shown}" if isAdmin else shown)
        head = builder.fromServer("353", builder.nick, "=", channel.name, " :")
        space = builder.spaceAfter(head)
        for part in joinWords(entries, space, builder.encoding):
            yield builder.numeric("353", "=", channel.name, part)
        yield builder.numeric("366", channel.name, "End of NAMES list")

    def modes(self, channel: ChannelView) -> str:
        """
        Return the modes of a channel.
        """
        user = self._user
        isMuted = user.interactions.mutes.isMuted(channel.target, user.seconds())
        return "+mnt" if isMuted else "+nt"

    def quieted(self, channel: ChannelView) -> Iterable[Line]:
        """
        Return the 728 and 729 replies that list the muted members of a channel.
        """
        builder, user = self._builder, self._user
        for number in user.interactions.mutes.members(channel.target, user.seconds()):
            nick = builder.nick if number in user.accounts else None
            nick = nick or user.directory.nameOf(Target(TargetKind.CONTACT, number))
            yield builder.numeric("728", channel.name, "q", f"{nick}!*@*")
        yield builder.numeric("729", channel.name, "q", "End of channel quiet list")

    def topic(self, channel: ChannelView) -> Line:
        """
        Return the 332 or 331 reply about a channel.
        """
        if channel.topic:
            return self._builder.numeric("332", channel.name, channel.topic)
        return self._builder.numeric("331", channel.name, "No topic is set")


def _withNick(channel: ChannelView, number: int, nick: str) -> ChannelView:
    members = tuple(
        (nick if each == number else before, each, isAdmin)
        for before, each, isAdmin in channel.members
    )
    return replace(channel, members=members)
