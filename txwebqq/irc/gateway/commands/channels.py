"""
Groups and discussions as the channels of an IRC client.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from txwebqq.irc.gateway.commands.chathistory import ChatHistoryCommand
from txwebqq.irc.gateway.directory import ChannelView
from txwebqq.irc.gateway.session import Answer
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength
from txwebqq.irc.protocol.splitting import splitText
from txwebqq.irc.targets import Target, TargetKind


class ChannelCommands(ChatHistoryCommand):
    """
    JOIN, PART and NAMES, and what happens in channels.
    """

    # ---- what the user tells

    def showChannel(self, channel: ChannelView) -> None:
        """
        A channel is there; those who came and went since are told of.
        """
        if channel.target in self._parted:
            return
        before = self._channels.get(casefold(channel.name))
        if before is None:
            self.send(self._entered(channel))
        else:
            self.send(self._changed(before, channel))

    def _entered(self, channel: ChannelView) -> Iterable[Line]:
        self._channels[casefold(channel.name)] = channel
        extra = (self._known().name, "QQ") if self._has("extended-join") else ()
        yield self.fromUser("JOIN", channel.name, *extra)
        yield self._topic(channel)
        yield from self._names(channel)

    def _changed(self, before: ChannelView, channel: ChannelView) -> Iterable[Line]:
        self._channels[casefold(channel.name)] = channel
        name = channel.name
        if before.topic != channel.topic:
            if channel.target in self._known().topics:
                yield self.fromUser("TOPIC", name, channel.topic)
            else:
                yield Line("TOPIC", (name, channel.topic), self._gateway.serverName)
        own = self._known().accounts
        old = {nick: number for nick, number, _ in before.members if number not in own}
        new = {nick: number for nick, number, _ in channel.members if number not in own}
        for nick in old.keys() - new.keys():
            reason = self._known().kicks.get((channel.target, old[nick]))
            if reason is None:
                yield self.fromContact(nick, old[nick], "PART", name)
            else:
                yield self.fromUser("KICK", name, nick, reason)
        for nick in new.keys() - old.keys():
            number = new[nick]
            extra = (str(number), nick) if self._has("extended-join") else ()
            yield self.fromContact(nick, number, "JOIN", name, *extra)
        admins = {number: isAdmin for _, number, isAdmin in before.members}
        for nick, number, isAdmin in channel.members:
            if admins.get(number, False) != isAdmin:
                who = self._nick if number in own else nick
                mode = "+o" if isAdmin else "-o"
                yield Line("MODE", (name, mode, who), self._gateway.serverName)

    def hideChannel(self, target: Target, name: str) -> None:
        """
        A channel is not there any more.
        """
        self._parted.pop(target, None)
        if self._channels.pop(casefold(name), None) is not None:
            self.sendLine(self.fromUser("PART", name, "You are not there any more"))

    def renamed(self, before: str, target: Target, after: str) -> None:
        """
        Somebody is called otherwise.
        """
        if target.kind is TargetKind.CONTACT:
            self._channels = {
                key: _renamed(channel, target.number, after)
                for key, channel in self._channels.items()
            }
            self.sendLine(self.fromContact(before, target.number, "NICK", after))
            return
        self._channels.pop(casefold(before), None)
        self.sendLine(self.fromUser("PART", before, f"It is {after} now"))
        for channel in self._known().channels():
            if channel.target == target:
                self.showChannel(channel)

    # ---- what the client says

    def _irc_JOIN(self, line: Line) -> Iterable[Line]:
        for name in (line.params[0] if line.params else "").split(","):
            found = [
                c
                for c in self._known().channels()
                if casefold(c.name) == casefold(name)
            ]
            for channel in found:
                serial = self._parted.pop(channel.target, None)
                if casefold(name) not in self._channels:
                    yield from self._entered(channel)
                if serial is not None:
                    user = self._known()
                    user.parted.end(user.name, self.key, channel.target)
                    yield from self._since(channel.target, serial)
            if name and not found:
                yield self.numeric("403", name[:50], "You are in no group of that name")

    def _irc_PART(self, line: Line) -> Iterable[Line]:
        for name in (line.params[0] if line.params else "").split(","):
            channel = self._channels.pop(casefold(name), None)
            if channel is None:
                yield self.numeric("442", name[:50], "You are not there")
            else:
                user = self._known()
                serial = user.history.last(user.name)
                self._parted[channel.target] = serial
                user.parted.begin(user.name, self.key, channel.target, serial)
                yield self.fromUser("PART", channel.name)

    def _irc_NAMES(self, line: Line) -> Answer:
        name = line.params[0] if line.params else "*"
        channel = self._channels.get(casefold(name))
        if channel is not None:
            return self._names(channel)
        return [self.numeric("366", name[:50], "End of names")]

    def _names(self, channel: ChannelView) -> Iterable[Line]:
        entries = [f"@{self._nick}"] if not channel.members else []
        for nick, number, isAdmin in channel.members:
            prefix = "@" if isAdmin else ""
            isOwn = number in self._known().accounts
            shown = self._nick if isOwn else nick
            full = self._has("userhost-in-names")
            mask = self._mask if isOwn else self._maskOf(nick, number)
            entries.append(prefix + (mask if full else shown))
        head = Line(
            "353", (self._nick, "=", channel.name, " :"), self._gateway.serverName
        )
        room = MAX_LINE - encodedLength(head, self.encoding)
        for piece in splitText(" ".join(entries), room, self.encoding):
            yield self.numeric("353", "=", channel.name, piece)
        yield self.numeric("366", channel.name, "End of names")

    def _topic(self, channel: ChannelView) -> Line:
        if channel.topic:
            return self.numeric("332", channel.name, channel.topic)
        return self.numeric("331", channel.name, "There is no announcement")


def _renamed(channel: ChannelView, number: int, after: str) -> ChannelView:
    members = tuple(
        (after if who == number else nick, who, isAdmin)
        for nick, who, isAdmin in channel.members
    )
    return replace(channel, members=members)
