"""
What owners and administrators do in channels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from txwebqq.errors import RequestRefused, WebQQError
from txwebqq.irc.gateway.commands.channels import ChannelCommands
from txwebqq.irc.gateway.directory import ChannelView
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import TargetKind

MAX_MODES = 4
"""How many rights are given or taken at once."""


class _Refused(Exception):
    """
    Why something cannot be done at all: what to reply.
    """


class ChannelAdminCommands(ChannelCommands):
    """
    TOPIC, KICK, INVITE and MODE, where QQ has something of the kind.
    """

    async def _irc_TOPIC(self, line: Line) -> Iterable[Line]:
        name, *texts = line.params or ("*",)
        try:
            channel = self._channelNamed(name)
            if not texts:
                return [self._topic(channel)]
            account = self._residentOf(channel)
            return await self._setTopic(channel, account, stripFormatting(texts[0]))
        except _Refused as e:
            return [self.numeric(*e.args)]

    async def _setTopic(
        self, channel: ChannelView, account: QQAccount, text: str
    ) -> list[Line]:
        topics, target = self._known().topics, channel.target
        topics.add(target)
        try:
            return await self._done(
                "TOPIC", channel, account.actions.setTopic(target, text)
            )
        finally:
            topics.discard(target)

    async def _irc_KICK(self, line: Line) -> Iterable[Line]:
        name, nicks, reason = (*line.params[:3], "", "", "")[:3]
        said: list[Line] = []
        for nick in nicks.split(",")[:MAX_MODES]:
            try:
                said += await self._kick(name, nick, reason)
            except _Refused as e:
                said.append(self.numeric(*e.args))
        return said

    async def _kick(self, name: str, nick: str, reason: str) -> Iterable[Line]:
        channel = self._channelNamed(name)
        account = self._residentOf(channel)
        number = self._memberNamed(channel, nick, account)
        kicks, key = self._known().kicks, (channel.target, number)
        kicks[key] = reason
        try:
            removing = account.actions.kick(channel.target, number)
            return await self._done("KICK", channel, removing)
        finally:
            kicks.pop(key, None)

    async def _irc_INVITE(self, line: Line) -> Iterable[Line]:
        nick, name = (*line.params[:2], "", "")[:2]
        try:
            channel = self._channelNamed(name)
            account = self._residentOf(channel)
            target = self._known().placeNamed(nick)
            if target is None or target.kind is not TargetKind.CONTACT:
                raise _Refused("401", nick[:50] or "*", "Nobody here is called so")
            if target.number in [number for _, number, _ in channel.members]:
                raise _Refused("443", nick, name, "They are there already")
            if channel.target.kind is TargetKind.GROUP:
                reason = "Who wants to be in a group asks for it"
                raise _Refused("482", channel.name, reason)
            inviting = account.actions.invite(channel.target, target.number)
            said = await self._done("INVITE", channel, inviting)
            return said or [self.numeric("341", nick, channel.name)]
        except _Refused as e:
            return [self.numeric(*e.args)]

    async def _irc_MODE(self, line: Line) -> Iterable[Line]:
        name, modes, *nicks = (*line.params, "", "")
        if casefold(name) == casefold(self._nick):
            return [self.numeric("221", "+i")]
        channel = self._channels.get(casefold(name))
        if channel is None:
            reason = "You are in no group of that name"
            return [self.numeric("403", name[:50] or "*", reason)]
        if not modes:
            return [self.numeric("324", name, "+nt")]
        if modes.lstrip("+") == "b":
            return [self.numeric("368", name, "End of bans")]
        granted = True
        said: list[Line] = []
        given = [nick for nick in nicks if nick]
        for letter in modes[: 2 * MAX_MODES]:
            if letter in "+-":
                granted = letter == "+"
            elif letter == "o" and given:
                said += await self._promote(channel, given.pop(0), granted)
            else:
                reason = "Only +o and -o mean something to QQ"
                said.append(self.numeric("472", letter, reason))
        return said

    async def _promote(
        self, channel: ChannelView, nick: str, granted: bool
    ) -> Iterable[Line]:
        try:
            account = self._residentOf(channel)
            number = self._memberNamed(channel, nick, account)
            promoting = account.actions.setAdmin(channel.target, number, granted)
            return await self._done("MODE", channel, promoting)
        except _Refused as e:
            return [self.numeric(*e.args)]

    # ---- who is meant, and what came of it

    def _channelNamed(self, name: str) -> ChannelView:
        channel = self._channels.get(casefold(name))
        if channel is None:
            raise _Refused("442", name[:50] or "*", "You are not there")
        return channel

    def _residentOf(self, channel: ChannelView) -> QQAccount:
        account = self._known().residentOf(channel.target)
        if account is None:
            raise _Refused("482", channel.name, "None of your accounts is there")
        return account

    def _memberNamed(self, channel: ChannelView, nick: str, account: QQAccount) -> int:
        if casefold(nick) == casefold(self._nick):
            return account.number
        target = self._known().placeNamed(nick)
        if target is None or target.number not in [n for _, n, _ in channel.members]:
            raise _Refused("441", nick[:50] or "*", channel.name, "They are not there")
        return target.number

    async def _done(
        self, command: str, channel: ChannelView, doing: Awaitable[None]
    ) -> list[Line]:
        try:
            await doing
        except RequestRefused as e:
            return [self.numeric("482", channel.name, f"QQ refuses: {e}")]
        except WebQQError as e:
            return [self.standardReply(command, "NOT_DONE", channel.name, str(e))]
        return []
